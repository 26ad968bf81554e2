-- The acts of tenancy: found an organisation, open branches and locations, invite people, set roles, close the books.

-- Input helpers -----------------------------------------------------------------------------------

create function private.instant(p_text text, p_field text) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
begin
  if p_text ~ '^\d{4}-\d{2}-\d{2}([T ]|$)' then
    return p_text::timestamptz;
  end if;
  raise invalid_datetime_format;
exception when data_exception then
  perform private.fail(400, 'invalid_input', format('%s must be an ISO 8601 date and time.', p_field),
    jsonb_build_object('field', p_field));
  return null;
end;
$$;

comment on function private.instant(text, text) is 'Reads an ISO 8601 instant of an option. Errors: 400 invalid_input.';

create function private.day(p_text text, p_field text) returns date
language plpgsql stable
set search_path = ''
as $$
begin
  if p_text ~ '^\d{4}-\d{2}-\d{2}$' then
    return p_text::date;
  end if;
  if p_text is null then
    return null;
  end if;
  raise invalid_datetime_format;
exception when data_exception then
  perform private.fail(400, 'invalid_input', format('%s must be an ISO 8601 date.', p_field),
    jsonb_build_object('field', p_field));
  return null;
end;
$$;

comment on function private.day(text, text)
  is 'Reads an ISO 8601 date of an option, null for null. Errors: 400 invalid_input.';

create function private.id_option(p_options jsonb, p_field text) returns uuid
language plpgsql immutable
set search_path = ''
as $$
begin
  if not private.is_uuid(p_options ->> p_field) then
    perform private.fail(400, 'invalid_input', format('%s must be a uuid.', p_field),
      jsonb_build_object('field', p_field));
  end if;
  return (p_options ->> p_field)::uuid;
end;
$$;

comment on function private.id_option(jsonb, text)
  is 'Reads a uuid of an act''s options, null when there is none. Errors: 400
invalid_input.';

create function private.document_named(p_kind anyelement, p_id uuid) returns anyelement
language plpgsql stable
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of(pg_typeof(p_kind)::text::regclass, p_id);
  v_found p_kind%type;
begin
  -- By the whole key: another house may have given one of its documents the same id.
  execute format('select t.* from %s t where t.org_id = $1 and t.id = $2', pg_typeof(p_kind)) into v_found
    using v_org_id, p_id;
  return v_found;
end;
$$;

comment on function private.document_named(anyelement, uuid) is
'A document of one of the caller''s organisations by its id, null when there is none. p_kind: a null of the table''s
row, such as null::public.invoices. The act authorizes next. Errors: 409 ambiguous_id, as private.org_of.';

create function private.check_timezone(p_timezone text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  if not exists (select from pg_catalog.pg_timezone_names where name = p_timezone) then
    perform private.fail(400, 'invalid_input', 'timezone must be an IANA name, such as Asia/Kolkata.',
      '{"field": "timezone"}');
  end if;
  return p_timezone;
end;
$$;

comment on function private.check_timezone(text) is 'Returns the IANA time zone name given. Errors: 400 invalid_input.';

create function private.discount_limit(p_org_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select r.max_discount_percent from public.memberships m
    join public.roles r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = p_org_id and m.user_id = auth.uid() and m.status = 'active'), 0);
end;
$$;

comment on function private.discount_limit(uuid)
  is 'The largest discount on a line, in percent, that the caller may give. No errors.';

create function private.role_named(p_org_id uuid, p_key text) returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_role_id uuid := (select id from public.roles where org_id = p_org_id and key = p_key);
  v_missing text;
begin
  if v_role_id is null then
    perform private.fail(404, 'not_found', format('The organisation has no role %s.', p_key), '{"field": "p_role"}');
  end if;
  -- Nobody hands out more than he holds himself.
  select h.permission into v_missing from private.held_permissions h
  where h.org_id = p_org_id and h.role_id = v_role_id and not private.permitted(h.permission, p_org_id) limit 1;
  if v_missing is not null then
    perform private.fail(403, 'permission_denied', format('You cannot give a role with %s: you lack it.', v_missing),
      jsonb_build_object('permission', v_missing));
  end if;
  if (select max_discount_percent from public.roles where org_id = p_org_id
    and id = v_role_id) > private.discount_limit(p_org_id) then
    perform private.fail(403, 'permission_denied', 'You cannot give a role with a larger discount than your own.',
      '{"field": "p_role"}');
  end if;
  return v_role_id;
end;
$$;

comment on function private.role_named(uuid, text) is
'The id of the role with that key, if the caller may give it. Errors: 404 not_found, 403 permission_denied.';

create function private.refuse_value(p_constraint text) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.fail(400, 'invalid_input', 'One of the values is missing, of the wrong type or not allowed.',
    jsonb_strip_nulls(jsonb_build_object('constraint', nullif(p_constraint, ''))));
end;
$$;

comment on function private.refuse_value(text) is
'Turns a value that a table or a type refused into 400 invalid_input. p_constraint: the constraint''s name, as the
stacked diagnostics give it.';

-- Found an organisation ---------------------------------------------------------------------------

select private.declare_shape('create_organization_options',
  '{"legal_name": "text", "tax_regime": "text", "tax_scheme": "text", "tax_rounding": "text", "export_tax": "text",
    "lut_number": "text", "fiscal_year_start_month": "line", "prices_include_tax": "boolean", "round_total_to":
    "amount", "invoice_terms": "text 4000"}',
  array['create_organization.p_options']);

create function public.create_organization(p_id uuid, p_name text, p_country text, p_currency text, p_options jsonb
  default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_user_id uuid := private.caller();
  v_regime text := coalesce(p_options ->> 'tax_regime', case when p_country = 'IN' then 'gst' else 'none' end);
  v_constraint text;
begin
  perform private.check_shape('create_organization_options', p_options);
  if exists (select from public.organizations where id = p_id) and p_id not in (select private.member_orgs()) then
    perform private.fail(409, 'id_reused', 'This id was used before, with other content.',
      jsonb_build_object('id', p_id));
  end if;
  if private.claim_request(p_id, p_id, 'create_organization',
    jsonb_build_array(p_name, p_country, p_currency, p_options)) then
    if v_regime = 'gst' and p_country <> 'IN' then
      perform private.fail(400, 'invalid_input', 'The GST regime is India''s.', '{"field": "tax_regime"}');
    end if;
    insert into public.organizations (id, name, legal_name, country, currency, tax_regime, tax_scheme, tax_rounding,
      export_tax,
      lut_number, fiscal_year_start_month, prices_include_tax, round_total_to, invoice_terms)
    values (p_id, p_name, coalesce(p_options ->> 'legal_name', p_name), p_country, p_currency, v_regime,
      coalesce(p_options ->> 'tax_scheme', 'regular'),
      coalesce(p_options ->> 'tax_rounding', case when v_regime = 'sales_tax' and p_country = 'US' then 'sum'
        else 'component' end),
      coalesce(p_options ->> 'export_tax', 'without_payment'), p_options ->> 'lut_number',
      coalesce((p_options ->> 'fiscal_year_start_month')::integer, case when p_country = 'IN' then 4 else 1 end),
      coalesce((p_options ->> 'prices_include_tax')::boolean, false),
      coalesce((p_options ->> 'round_total_to')::numeric, case when p_country = 'IN' then 1 else 0 end),
      p_options ->> 'invoice_terms');
    insert into public.roles (org_id, key, name, is_system, max_discount_percent)
    select p_id, key, name, true, max_discount_percent from private.system_roles for share;
    insert into public.role_permissions (org_id, role_id, permission)
    select p_id, r.id, unnest(s.permissions)
    from public.roles r join private.system_roles s on s.key = r.key where r.org_id = p_id;
    insert into public.locations (id, org_id, code, name, kind)
    select gen_random_uuid(), p_id, upper(kind), initcap(kind), kind
    from unnest(array['transit', 'supplier', 'customer', 'adjustment']) as kind;
    insert into public.memberships (org_id, user_id, role_id, all_branches)
    select p_id, v_user_id, id, true from public.roles where org_id = p_id and key = 'admin';
  end if;
  return (select to_jsonb(o) from public.organizations o where o.id = p_id);
exception when data_exception or not_null_violation or check_violation or foreign_key_violation then
  get stacked diagnostics v_constraint = constraint_name;
  perform private.refuse_value(v_constraint);
  return null;
end;
$$;

comment on function public.create_organization(uuid, text, text, text, jsonb) is
'Founds an organisation; the caller becomes its admin. p_id: the client''s uuid. p_name. p_country: ISO 3166-1 alpha-2.
p_currency: ISO 4217, one with two decimals (no yen, no Kuwaiti dinar). p_options: legal_name, tax_regime (gst, vat,
sales_tax, none), tax_scheme (regular, composition), tax_rounding (component, sum), export_tax (without_payment,
with_payment), lut_number, fiscal_year_start_month (1 to 12), prices_include_tax, round_total_to (in the currency; 1 =
whole rupees), invoice_terms. Returns the organisation as JSON. Errors: 401 unauthenticated, 400 invalid_input, 409
id_reused. Permission: any signed-in user.';
revoke execute on function public.create_organization(uuid, text, text, text, jsonb) from public, anon;
grant execute on function public.create_organization(uuid, text, text, text, jsonb) to authenticated;

-- Branches and locations --------------------------------------------------------------------------

select private.declare_shape('create_branch_options',
  '{"timezone": "text", "tax_number": "text", "phone": "text", "email": "text", "upi_id": "text", "address_line1":
    "text", "address_line2": "text", "city": "text", "region_code": "text", "tax_area": "text", "postal_code":
    "text", "country": "text"}',
  array['create_branch.p_options']);

create function public.create_branch(p_id uuid, p_org_id uuid, p_code text, p_name text, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org public.organizations;
  v_constraint text;
begin
  perform private.authorize('branch.manage', p_org_id);
  if not private.covers_all_branches(p_org_id) then
    perform private.fail(403, 'permission_denied', 'Only who covers all branches opens a new one.',
      '{"permission": "branch.manage"}');
  end if;
  perform private.check_shape('create_branch_options', p_options);
  if private.claim_request(p_org_id, p_id, 'create_branch', jsonb_build_array(p_code, p_name, p_options)) then
    select * into v_org from public.organizations where id = p_org_id;
    if v_org.tax_regime in ('gst', 'sales_tax') and p_options ->> 'region_code' is null
      and exists (select from public.regions r where r.country = coalesce(p_options ->> 'country', v_org.country)) then
      perform private.fail(400, 'invalid_input', 'A branch needs the code of its state: its taxes depend on it.',
        '{"field": "region_code"}');
    end if;
    insert into public.branches (id, org_id, code, name, timezone, tax_number, phone, email, upi_id, address_line1,
      address_line2, city, region_code, tax_area, postal_code, country)
    values (p_id, p_org_id, p_code, p_name,
      private.check_timezone(coalesce(p_options ->> 'timezone', case when v_org.country = 'IN' then 'Asia/Kolkata'
        else 'UTC' end)),
      p_options ->> 'tax_number', p_options ->> 'phone', p_options ->> 'email', p_options ->> 'upi_id',
      p_options ->> 'address_line1', p_options ->> 'address_line2', p_options ->> 'city', p_options ->> 'region_code',
      p_options ->> 'tax_area', p_options ->> 'postal_code', coalesce(p_options ->> 'country', v_org.country));
  end if;
  return (select to_jsonb(b) from public.branches b where b.org_id = p_org_id and b.id = p_id);
exception when data_exception or not_null_violation or check_violation or foreign_key_violation then
  get stacked diagnostics v_constraint = constraint_name;
  perform private.refuse_value(v_constraint);
  return null;
end;
$$;

comment on function public.create_branch(uuid, uuid, text, text, jsonb) is
'Opens a branch. p_id: the client''s uuid. p_org_id. p_code: 1 to 3 of A-Z and 0-9; it opens every document number.
p_name. p_options: timezone (IANA), tax_number, phone, email, upi_id, address_line1, address_line2, city, region_code
(the GST state code, or the state or province), tax_area (county, city: what taxes below it), postal_code, country.
Returns the branch as JSON. Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input, 409 id_reused or
duplicate. Permission: branch.manage.';
revoke execute on function public.create_branch(uuid, uuid, text, text, jsonb) from public, anon;
grant execute on function public.create_branch(uuid, uuid, text, text, jsonb) to authenticated;

create function public.create_location(p_id uuid, p_branch_id uuid, p_code text, p_name text, p_kind text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.authorize_branch('branch.manage', p_branch_id);
  v_constraint text;
begin
  if p_kind is null or p_kind not in ('showroom', 'display', 'warehouse', 'vehicle', 'quarantine') then
    perform private.fail(400, 'invalid_input', 'p_kind must be showroom, display, warehouse, vehicle or quarantine.',
      '{"field": "p_kind"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'create_location',
    jsonb_build_array(p_branch_id, p_code, p_name, p_kind)) then
    insert into public.locations (id, org_id, branch_id, code, name, kind)
    values (p_id, v_org_id, p_branch_id, p_code, p_name, p_kind);
  end if;
  return (select to_jsonb(l) from public.locations l where l.org_id = v_org_id and l.id = p_id);
exception when data_exception or not_null_violation or check_violation then
  get stacked diagnostics v_constraint = constraint_name;
  perform private.refuse_value(v_constraint);
  return null;
end;
$$;

comment on function public.create_location(uuid, uuid, text, text, text) is
'Adds a place where a branch keeps stock. p_id: the client''s uuid. p_branch_id. p_code: 1 to 20 of A-Z, 0-9 and the
hyphen. p_name. p_kind: showroom, display, warehouse, vehicle or quarantine. Returns the location as JSON.
Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input, 409 id_reused or duplicate. Permission:
branch.manage.';
revoke execute on function public.create_location(uuid, uuid, text, text, text) from public, anon;
grant execute on function public.create_location(uuid, uuid, text, text, text) to authenticated;

-- The accounting period ---------------------------------------------------------------------------

create function private.lock_books(p_org_id uuid, p_exclusively boolean) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_key bigint := hashtextextended('books:' || p_org_id, 0);
begin
  if p_exclusively then
    perform pg_advisory_xact_lock(v_key);
  else
    perform pg_advisory_xact_lock_shared(v_key);
  end if;
end;
$$;

comment on function private.lock_books(uuid, boolean) is
'Posting holds the organisation''s books shared, closing holds them alone, both until the transaction ends: so a close
waits for the acts under way and no act slips in behind it. Taken before the date is read.';

create function private.assert_period_open(p_org_id uuid, p_date date) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_closed_through date;
begin
  perform private.lock_books(p_org_id, false);
  select books_closed_through into v_closed_through from public.organizations where id = p_org_id;
  if p_date <= v_closed_through then
    perform private.fail(409, 'period_closed', format('The books are closed through %s.', v_closed_through),
      jsonb_build_object('closed_through', v_closed_through, 'date', p_date));
  end if;
end;
$$;

comment on function private.assert_period_open(uuid, date) is
'Every posting act calls this with its business date. Errors: 409 period_closed.';

create function private.set_books_closed(p_org_id uuid, p_through date) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  perform private.lock_books(p_org_id, true);
  update public.organizations set books_closed_through = p_through
  where id = p_org_id and books_closed_through is distinct from p_through;
  return (select to_jsonb(o) from public.organizations o where o.id = p_org_id);
end;
$$;

comment on function private.set_books_closed(uuid, date)
  is 'Sets the closing date, alone with the books; returns the organisation.';

create function private.latest_today(p_org_id uuid) returns date
language sql stable
set search_path = ''
as $$
  select coalesce(max((now() at time zone timezone)::date), (now() at time zone 'UTC')::date)
  from public.branches where org_id = p_org_id and archived_at is null
$$;

comment on function private.latest_today(uuid) is
'Today in that branch of the organisation where it is latest; of UTC while there is none.';

create function public.close_period(p_org_id uuid, p_through date) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  perform private.authorize('period.close', p_org_id);
  perform private.lock_books(p_org_id, true);
  if p_through is null or not isfinite(p_through) or p_through > private.latest_today(p_org_id) then
    perform private.fail(400, 'invalid_input', 'Give the last date to close, today at the latest.',
      '{"field": "p_through"}');
  end if;
  if p_through < (select books_closed_through from public.organizations where id = p_org_id) then
    perform private.fail(409, 'period_closed',
      'The books are closed further than that; reopen_period opens them again.',
      jsonb_build_object('through', p_through));
  end if;
  return private.set_books_closed(p_org_id, p_through);
end;
$$;

comment on function public.close_period(uuid, date) is
'Closes the books through a date: nothing posts on or before it. p_org_id; p_through: today at the latest, by the date
of the branch where it is latest. Returns the organisation as JSON; the same call again changes nothing. Errors: 401,
404 not_found, 403 permission_denied, 400 invalid_input, 409 period_closed. Permission: period.close.';
revoke execute on function public.close_period(uuid, date) from public, anon;
grant execute on function public.close_period(uuid, date) to authenticated;

create function public.reopen_period(p_org_id uuid, p_through date) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_closed_through date;
begin
  perform private.authorize('period.close', p_org_id);
  perform private.lock_books(p_org_id, true);
  select books_closed_through into v_closed_through from public.organizations where id = p_org_id;
  if p_through is not null
    and (v_closed_through is null or not isfinite(p_through) or p_through > v_closed_through) then
    perform private.fail(400, 'invalid_input', 'p_through must not be later than the present closing date.',
      '{"field": "p_through"}');
  end if;
  return private.set_books_closed(p_org_id, p_through);
end;
$$;

comment on function public.reopen_period(uuid, date) is
'Moves the closing date back. p_org_id; p_through: the new last closed date, or null to open everything. Returns the
organisation as JSON; the same call again changes nothing. Errors: 401, 404 not_found, 403 permission_denied,
400 invalid_input. Permission: period.close.';
revoke execute on function public.reopen_period(uuid, date) from public, anon;
grant execute on function public.reopen_period(uuid, date) to authenticated;
