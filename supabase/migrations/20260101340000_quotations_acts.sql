-- Quotations: what was offered, at which prices and until when.

select private.add_permissions('[
  {"code": "quotation.manage", "description": "Write quotations and send them",
   "roles": ["cashier", "sales_executive"]},
  {"code": "quotation.approve", "description": "Record what the customer answered to a quotation",
   "roles": ["sales_executive"]}
]');
select private.add_document_kind('quotation', 'quotations', 'Q', false, 'asked');

-- Tables ------------------------------------------------------------------------------------------

create table public.quotations (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  customer_id uuid not null,
  number text check (length(number) <= 16),
  revision integer not null default 1 check (revision > 0),
  status text not null check (status in ('draft', 'sent', 'approved', 'rejected', 'expired', 'converted')),
  valid_until date not null check (isfinite(valid_until)),
  total numeric(14, 2) not null check (total >= 0),
  header jsonb not null,
  sent_at timestamptz,
  answered_at timestamptz,
  reason text check (length(btrim(reason)) between 1 and 500),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  unique (branch_id, org_id, number),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  constraint sent_has_a_number check (number is not null or status = 'draft')
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.quotations (org_id, created_at desc, id desc);
alter table public.quotations add primary key (org_id, id);

comment on table public.quotations is
'Offers to customers. number: given when it is first sent, kept by all revisions. valid_until: the last day, by the
branch''s date, on which its prices are honoured. total: in the organisation''s currency. header: seller, buyer,
ship_to, place of supply, sums, note, reference and terms as private.price_sale found them. reason: why the customer
declined.';

create table public.quotation_lines (
  org_id uuid not null,
  quotation_id uuid not null,
  branch_id uuid not null,
  like private.document_line including all,
  stocked boolean not null,
  primary key (org_id, quotation_id, line_no),
  foreign key (org_id, quotation_id) references public.quotations (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.quotation_lines is
'What is offered, in the current revision: priced and taxed by private.price_sale, which order and invoice copy.
Columns: as private.document_line has them. stocked: goods, not a service.';

create table public.quotation_revisions (
  org_id uuid not null,
  quotation_id uuid not null,
  revision integer not null check (revision > 0),
  branch_id uuid not null,
  document jsonb not null,
  replaced_at timestamptz not null default now(),
  replaced_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, quotation_id, revision),
  foreign key (org_id, quotation_id) references public.quotations (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id)
);

comment on table public.quotation_revisions
  is 'Earlier revisions of a quotation, each whole, as get_quotation showed it.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.quotation_lines (variant_id, org_id);
create index on public.quotations (branch_id, created_at desc);
create index on public.quotations (customer_id);
create index on public.quotations (valid_until) where status in ('sent', 'approved');

-- Lifecycle ---------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('quotation', 'new', 'draft', 'quotation.manage'),
  ('quotation', 'draft', 'sent', 'quotation.manage'),
  ('quotation', 'sent', 'approved', 'quotation.approve'),
  ('quotation', 'sent', 'rejected', 'quotation.approve'),
  ('quotation', 'sent', 'expired', null),
  ('quotation', 'approved', 'expired', null),
  -- A new revision is a draft until it is sent.
  ('quotation', 'sent', 'draft', 'quotation.manage'),
  ('quotation', 'approved', 'draft', 'quotation.manage'),
  ('quotation', 'rejected', 'draft', 'quotation.manage'),
  ('quotation', 'expired', 'draft', 'quotation.manage');

-- What sales documents share ------------------------------------------------------------------------

select private.declare_shape('ordered_lines',
  '{"variant_id": "uuid!", "quantity": "quantity!", "unit": "text", "unit_price": "amount", "discount": "amount"}',
  array['save_quotation.p_lines', 'save_order.p_lines'], '{1, 2000}');

create function private.price_document(p_org_id uuid, p_branch_id uuid, p_customer_id uuid, p_lines jsonb,
  p_options jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_terms text := p_options ->> 'terms';
  v_sale jsonb;
begin
  if p_customer_id is null then
    perform private.fail(400, 'invalid_input', 'Say which customer it is for.', '{"field": "p_customer_id"}');
  end if;
  perform private.check_shape('ordered_lines', p_lines, 'p_lines');
  v_sale := private.price_sale(p_org_id, p_branch_id, p_customer_id, p_lines, p_options - 'terms');
  return v_sale || case when v_terms is not null then jsonb_build_object('terms', v_terms) else '{}' end
    || jsonb_build_object('asked',
    jsonb_strip_nulls(jsonb_build_object('priced_on', v_sale -> 'business_date', 'place_of_supply',
      p_options -> 'place_of_supply',
      'export_tax', p_options -> 'export_tax', 'reverse_charge', p_options -> 'reverse_charge')));
end;
$$;

comment on function private.price_document(uuid, uuid, uuid, jsonb, jsonb) is
'The lines of a quotation or an order as private.price_sale prices them for the caller: no pieces or lots are named yet.
p_options: note, reference, place_of_supply, export_tax, reverse_charge, coupon, discount, deliver_to, terms. asked of
the answer: what was said of the supply, which the invoice is taxed by, and on which day it was priced. Errors: as
quote_sale''s, 400 invalid_input.';

create function private.document_lines(p_sale jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    select jsonb_agg(l.line || jsonb_build_object('stocked', exists (
      select from jsonb_array_elements(p_sale -> 'stocked_lines') s where s -> 'line_no' = l.line -> 'line_no')))
    from jsonb_array_elements(p_sale -> 'lines') l (line));
end;
$$;

comment on function private.document_lines(jsonb) is
'The lines of what private.price_sale returned, as quotations and orders keep them. No errors.';

-- Reading one -------------------------------------------------------------------------------------

create function private.quotation_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    -- The header is as printed; whose it is now follows a merge.
    select q.header - 'asked' || jsonb_build_object('id', q.id, 'customer_id', q.customer_id, 'title', 'Quotation',
      'number',
      q.number, 'revision', q.revision,
      'status', q.status, 'valid_until', q.valid_until, 'sent_at', q.sent_at, 'answered_at', q.answered_at, 'reason',
        q.reason,
      'order_id', (select o.id from public.sales_orders o where o.org_id = q.org_id and o.quotation_id = q.id),
      'lines', l.list, 'tax_summary', private.tax_summary(l.list), 'revisions', (
        select coalesce(jsonb_agg(jsonb_build_object('revision', r.revision, 'total', r.document -> 'total', 'status',
          r.document -> 'status', 'replaced_at', r.replaced_at) order by r.revision), '[]')
        from public.quotation_revisions r where r.org_id = q.org_id and r.quotation_id = q.id))
    from public.quotations q
    cross join lateral (
      select coalesce(jsonb_agg(private.line_json(t) order by t.line_no), '[]') as list from public.quotation_lines t
      where t.org_id = q.org_id and t.quotation_id = q.id) l
    where q.org_id = p_org_id and q.id = p_id);
end;
$$;

comment on function private.quotation_json(uuid, uuid) is
'A quotation as clients and documents see it, in the shape of an invoice, with its earlier revisions named.';

create function private.check_reserved_quotation(p_org_id uuid, p_branch_id uuid, p_document text,
  p_document_id uuid) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if p_document = 'quotation' and not exists (
    select from public.quotations q where q.org_id = p_org_id and q.branch_id = p_branch_id
      and q.id = p_document_id) then
    perform private.fail(404, 'not_found', 'The branch has no such quotation.', '{"field": "document_id"}');
  end if;
end;
$$;

comment on function private.check_reserved_quotation(uuid, uuid, text, uuid) is
'Goods are reserved for a quotation of the same branch. A reaction to reserve_stock. Errors: 404 not_found.';

select private.react('reservation_asked', 10, 'check_reserved_quotation');

create function private.lock_quotation(p_org_id uuid, p_id uuid, p_to text) returns public.quotations
language plpgsql
set search_path = ''
as $$
declare
  v_quotation public.quotations;
begin
  select * into v_quotation from public.quotations where org_id = p_org_id and id = p_id for no key update;
  perform private.check_step('quotation', v_quotation.status, p_to);
  if p_to in ('sent', 'approved', 'converted')
    and v_quotation.valid_until < private.local_date(p_org_id, v_quotation.branch_id, now()) then
    perform private.fail(422, 'quotation_expired', format('This quotation was valid until %s.',
      v_quotation.valid_until),
      jsonb_build_object('quotation_id', p_id, 'valid_until', v_quotation.valid_until));
  end if;
  return v_quotation;
end;
$$;

comment on function private.lock_quotation(uuid, uuid, text) is
'Locks a quotation that is to take the status p_to, and says whether it can: by its lifecycle, and by its validity on
the branch''s date. Errors: 409 invalid_transition, 422 quotation_expired.';

-- The acts ----------------------------------------------------------------------------------------

select private.declare_shape('save_quotation_options',
  '{"valid_until": "date", "note": "text", "reference": "text 100", "terms": "text 4000", "place_of_supply": "text",
    "export_tax": ["with_payment", "without_payment"], "reverse_charge": "boolean", "coupon": "text", "discount":
    "any", "deliver_to": "uuid"}',
  array['save_quotation.p_options']);

create function public.save_quotation(p_id uuid, p_quotation_id uuid, p_branch_id uuid, p_customer_id uuid,
  p_lines jsonb,
  p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.authorize_branch('quotation.manage', p_branch_id);
  v_quotation_id uuid := coalesce(p_quotation_id, p_id);
  v_quotation public.quotations;
  v_sale jsonb;
  v_today date := private.local_date(v_org_id, p_branch_id, now());
  v_until date;
begin
  perform private.check_shape('save_quotation_options', p_options);
  v_until := coalesce(private.day(p_options ->> 'valid_until', 'valid_until'), v_today + 30);
  if private.claim_request(v_org_id, p_id, 'save_quotation',
    jsonb_build_array(p_quotation_id, p_branch_id, p_customer_id, p_lines,
    p_options)) then
    if not v_until between v_today and v_today + 3660 then
      perform private.fail(400, 'invalid_input', 'valid_until is today or later, within ten years.',
        '{"field": "valid_until"}');
    end if;
    if p_quotation_id is not null then
      select * into v_quotation from public.quotations
      where org_id = v_org_id and id = p_quotation_id and branch_id = p_branch_id for no key update;
      if v_quotation.id is null then
        perform private.fail(404, 'not_found', 'The branch has no such quotation.', '{"field": "p_quotation_id"}');
      elsif v_quotation.status <> 'draft' then
        perform private.check_step('quotation', v_quotation.status, 'draft');
      end if;
    end if;
    v_sale := private.price_document(v_org_id, p_branch_id, p_customer_id, p_lines, p_options - 'valid_until');
    if p_quotation_id is null then
      insert into public.quotations (org_id, id, branch_id, customer_id, status, valid_until, total, header, created_by)
      values (v_org_id, v_quotation_id, p_branch_id, p_customer_id, 'draft', v_until, (v_sale ->> 'total')::numeric,
        v_sale - 'lines' - 'stocked_lines', private.caller());
    else
      insert into public.quotation_revisions (org_id, quotation_id, revision, branch_id, document, replaced_by)
      values (v_org_id, v_quotation_id, v_quotation.revision, p_branch_id,
        private.quotation_json(v_org_id, v_quotation_id) - 'revisions', private.caller());
      -- What was sent stays as it is; what becomes a draft again may change.
      update public.quotations set status = 'draft' where org_id = v_org_id and id = v_quotation_id
        and status <> 'draft';
      delete from public.quotation_lines where org_id = v_org_id and quotation_id = v_quotation_id;
      update public.quotations
      set customer_id = p_customer_id, revision = revision + 1, valid_until = v_until,
        total = (v_sale ->> 'total')::numeric,
        header = v_sale - 'lines' - 'stocked_lines', sent_at = null, answered_at = null, reason = null
      where org_id = v_org_id and id = v_quotation_id;
    end if;
    perform private.write_lines('public.quotation_lines', jsonb_build_object('org_id', v_org_id,
      'quotation_id', v_quotation_id, 'branch_id', p_branch_id), private.document_lines(v_sale));
    perform private.emit(v_org_id, 'quotation.saved', jsonb_build_object('quotation_id', v_quotation_id, 'branch_id',
      p_branch_id,
      'customer_id', p_customer_id, 'total', v_sale -> 'total'));
  end if;
  return private.quotation_json(v_org_id, v_quotation_id);
end;
$$;

comment on function public.save_quotation(uuid, uuid, uuid, uuid, jsonb, jsonb) is
'Writes a quotation, or a new revision of one; earlier revisions are kept. p_id: the client''s uuid of this act, and of
a new quotation. p_quotation_id: null for a new one; else the one to revise, which is a draft again until it is sent.
p_branch_id; p_customer_id. p_lines: [{"variant_id", "quantity", "unit"?, "unit_price"?, "discount"?}] as quote_sale
takes them: prices are those of today and stay. p_options: valid_until (ISO 8601 date, the last day; 30 days when left
out), note, reference, terms, and as post_sale takes them place_of_supply, export_tax, reverse_charge, coupon (used when
the order is confirmed), discount, deliver_to. Returns the quotation as JSON, in the shape of an invoice. Errors: 400
invalid_input; 401; 403 permission_denied, price_override_denied; 404 not_found; 409 invalid_transition (it was
converted), id_reused; 422 unit_unknown, set_incomplete, discount_limit, variant_archived, branch_archived,
tax_rate_missing, address_archived. Permission: quotation.manage.';
revoke execute on function public.save_quotation(uuid, uuid, uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.save_quotation(uuid, uuid, uuid, uuid, jsonb, jsonb) to authenticated;

create function public.send_quotation(p_id uuid, p_quotation_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_quotation public.quotations := private.document_named(null::public.quotations, p_quotation_id);
  v_org_id uuid := v_quotation.org_id;
begin
  perform private.authorize_branch('quotation.manage', v_quotation.branch_id);
  if private.claim_request(v_org_id, p_id, 'send_quotation', jsonb_build_array(p_quotation_id)) then
    v_quotation := private.lock_quotation(v_org_id, p_quotation_id, 'sent');
    update public.quotations
    set status = 'sent', sent_at = now(), number = coalesce(number,
      private.next_number(v_org_id, branch_id, 'quotation',
      private.local_date(v_org_id, branch_id, now())))
    where org_id = v_org_id and id = p_quotation_id;
    perform private.emit(v_org_id, 'quotation.sent', jsonb_build_object('quotation_id', p_quotation_id, 'branch_id',
      v_quotation.branch_id, 'customer_id', v_quotation.customer_id, 'revision', v_quotation.revision));
  end if;
  return private.quotation_json(v_org_id, p_quotation_id);
end;
$$;

comment on function public.send_quotation(uuid, uuid) is
'Sends a draft: it gets its number, and from now on it stays as it is. p_id: the client''s uuid of this act.
p_quotation_id. Returns the quotation as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409
invalid_transition, id_reused, series_exhausted; 422 quotation_expired, branch_archived. Permission: quotation.manage.';
revoke execute on function public.send_quotation(uuid, uuid) from public, anon;
grant execute on function public.send_quotation(uuid, uuid) to authenticated;

create function public.approve_quotation(p_id uuid, p_quotation_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_quotation public.quotations := private.document_named(null::public.quotations, p_quotation_id);
  v_org_id uuid := v_quotation.org_id;
begin
  perform private.authorize('quotation.approve', v_org_id, v_quotation.branch_id);
  if private.claim_request(v_org_id, p_id, 'approve_quotation', jsonb_build_array(p_quotation_id)) then
    v_quotation := private.lock_quotation(v_org_id, p_quotation_id, 'approved');
    update public.quotations set status = 'approved', answered_at = now() where org_id = v_org_id
      and id = p_quotation_id;
    perform private.emit(v_org_id, 'quotation.approved', jsonb_build_object('quotation_id', p_quotation_id, 'branch_id',
      v_quotation.branch_id, 'customer_id', v_quotation.customer_id));
  end if;
  return private.quotation_json(v_org_id, p_quotation_id);
end;
$$;

comment on function public.approve_quotation(uuid, uuid) is
'Records that the customer accepts. p_id: the client''s uuid of this act. p_quotation_id: one that was sent and is still
valid. Returns the quotation as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409
invalid_transition, id_reused; 422 quotation_expired. Permission: quotation.approve.';
revoke execute on function public.approve_quotation(uuid, uuid) from public, anon;
grant execute on function public.approve_quotation(uuid, uuid) to authenticated;

create function public.reject_quotation(p_id uuid, p_quotation_id uuid, p_reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_quotation public.quotations := private.document_named(null::public.quotations, p_quotation_id);
  v_org_id uuid := v_quotation.org_id;
begin
  perform private.authorize('quotation.approve', v_org_id, v_quotation.branch_id);
  perform private.check_reason(p_reason);
  if private.claim_request(v_org_id, p_id, 'reject_quotation', jsonb_build_array(p_quotation_id, p_reason)) then
    v_quotation := private.lock_quotation(v_org_id, p_quotation_id, 'rejected');
    update public.quotations set status = 'rejected', answered_at = now(), reason = p_reason
    where org_id = v_org_id and id = p_quotation_id;
    perform private.emit(v_org_id, 'quotation.rejected', jsonb_build_object('quotation_id', p_quotation_id, 'branch_id',
      v_quotation.branch_id, 'customer_id', v_quotation.customer_id, 'reason', p_reason));
  end if;
  return private.quotation_json(v_org_id, p_quotation_id);
end;
$$;

comment on function public.reject_quotation(uuid, uuid, text) is
'Records that the customer declines. p_id: the client''s uuid of this act. p_quotation_id: one that was sent. p_reason:
1 to 500 characters, kept. Returns the quotation as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404
not_found; 409 invalid_transition, id_reused. Permission: quotation.approve.';
revoke execute on function public.reject_quotation(uuid, uuid, text) from public, anon;
grant execute on function public.reject_quotation(uuid, uuid, text) to authenticated;

create function public.get_quotation(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_quotation public.quotations := private.document_named(null::public.quotations, p_id);
begin
  perform private.authorize('quotation.manage', v_quotation.org_id, v_quotation.branch_id);
  return private.quotation_json(v_quotation.org_id, p_id);
end;
$$;

comment on function public.get_quotation(uuid) is
'One quotation, whole, as save_quotation returns it. p_id: the quotation. Errors: 401, 403 permission_denied, 404
not_found. Permission: quotation.manage.';
revoke execute on function public.get_quotation(uuid) from public, anon;
grant execute on function public.get_quotation(uuid) to authenticated;

-- The job -----------------------------------------------------------------------------------------

create function private.expire_quotations(p_org_id uuid) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_ended integer;
begin
  with due as (
    select q.org_id, q.id from public.quotations q
    join public.branches b on b.org_id = q.org_id and b.id = q.branch_id
    where q.org_id = p_org_id and q.status in ('sent', 'approved')
      and q.valid_until < (now() at time zone b.timezone)::date
    order by q.valid_until limit 500 for no key update of q skip locked
  ), ended as (
    update public.quotations q set status = 'expired' from due d where q.org_id = d.org_id and q.id = d.id
    returning q.org_id, q.id, q.branch_id, q.customer_id
  )
  insert into private.outbox (org_id, event, payload)
  select e.org_id, 'quotation.expired', jsonb_build_object('quotation_id', e.id, 'branch_id', e.branch_id,
    'customer_id',
    e.customer_id) from ended e;
  get diagnostics v_ended = row_count;
  return v_ended;
end;
$$;

comment on function private.expire_quotations(uuid) is
'The job: up to 500 quotations of an organisation whose last day is over, by their branch''s date, expire. Returns how
many. Run again it finds none. Nothing waits for it: approving and converting ask for the date themselves.';

insert into private.schedules (name, cron, routine, organizations, purpose) values
  ('expired-quotations', '3 * * * *', 'private.expire_quotations',
  'select q.org_id from public.quotations q
    where q.status in (''sent'', ''approved'') and q.valid_until < current_date + 1',
  'Ends quotations as midnight comes to each time zone');

-- Triggers ----------------------------------------------------------------------------------------

create trigger t40_enforce_lifecycle before insert or update or delete on public.quotations
  for each row execute function private.enforce_lifecycle('quotation', 'status', 'answered_at', 'reason');
create trigger t10_refuse_change_truncate before truncate on public.quotations for each statement
  execute function audit.refuse_change();
create trigger t10_keep_issued_lines before insert or update or delete on public.quotation_lines
  for each row execute function private.keep_issued_lines('quotations', 'quotation_id');
create trigger t10_refuse_change_truncate before truncate on public.quotation_lines for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.quotation_revisions
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.quotation_revisions for each statement
  execute function audit.refuse_change();
select audit.attach('public.quotations');
select audit.attach('public.quotation_lines', 'quotation_id', 'line_no');
select audit.attach('public.quotation_revisions', 'quotation_id', 'revision');

-- Policies ----------------------------------------------------------------------------------------

alter table public.quotations enable row level security;
create policy "Who holds quotation.manage reads quotations of his branches" on public.quotations for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('quotation.manage')))
    and case when (select private.covers_all_with('quotation.manage')) then true
      when org_id = any (array(select private.whole_orgs_with('quotation.manage'))) then true
      else branch_id = any (array(select private.listed_branches_with('quotation.manage'))) end);

alter table public.quotation_lines enable row level security;
create policy "Who holds quotation.manage reads quoted lines of his branches" on public.quotation_lines
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('quotation.manage')))
    and case when (select private.covers_all_with('quotation.manage')) then true
      when org_id = any (array(select private.whole_orgs_with('quotation.manage'))) then true
      else branch_id = any (array(select private.listed_branches_with('quotation.manage'))) end);

alter table public.quotation_revisions enable row level security;
create policy "Who holds quotation.manage reads revisions of his branches" on public.quotation_revisions
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('quotation.manage')))
    and case when (select private.covers_all_with('quotation.manage')) then true
      when org_id = any (array(select private.whole_orgs_with('quotation.manage'))) then true
      else branch_id = any (array(select private.listed_branches_with('quotation.manage'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.quotations, public.quotation_lines, public.quotation_revisions to authenticated;
