-- Tenancy: organisations, their branches and locations, and who may do what where.
-- Roles, permissions and branch scope are data; the two set-returning helpers below feed every policy.

-- Tables ------------------------------------------------------------------------------------------

create table public.organizations (
  id uuid primary key,
  name text not null check (length(btrim(name)) between 1 and 120),
  legal_name text not null check (length(btrim(legal_name)) between 1 and 200),
  country text not null references public.countries (code),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  tax_regime text not null check (tax_regime in ('gst', 'vat', 'sales_tax', 'none')),
  tax_scheme text not null default 'regular' check (tax_scheme in ('regular', 'composition')),
  tax_rounding text not null default 'component' check (tax_rounding in ('component', 'sum')),
  export_tax text not null default 'without_payment' check (export_tax in ('without_payment', 'with_payment')),
  lut_number text check (lut_number ~ '^[A-Z0-9]{6,20}$'),
  fiscal_year_start_month integer not null check (fiscal_year_start_month between 1 and 12),
  prices_include_tax boolean not null,
  round_total_to numeric(6, 2) not null check (round_total_to in (0, 0.05, 0.10, 0.50, 1, 5, 10)),
  invoice_terms text check (length(invoice_terms) <= 4000),
  document_settings jsonb not null default '{}',
  books_closed_through date,
  audit_months integer not null default 96 check (audit_months between 12 and 240),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (tax_scheme = 'regular' or tax_regime = 'gst'),
  -- Money has 2 decimals everywhere: half a yen would be owed, and the last fils of a dinar lost (ISO 4217, minor units
  -- 0, 3 and 4).
  constraint currency_has_two_decimals check (currency <> all (array['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF',
    'KRW', 'PYG',
    'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF', 'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND', 'CLF',
      'UYW'])),
  constraint known_document_settings check (case when jsonb_typeof(document_settings) = 'object' then
    document_settings - array['language', 'accent', 'logo', 'footer', 'terms', 'delivery_prices'] = '{}'
    and coalesce(document_settings ->> 'language', 'en') in ('en', 'hi')
    and coalesce(document_settings ->> 'accent', '#000000') ~ '^#[0-9A-Fa-f]{6}$'
    and coalesce(document_settings ->> 'logo',
      'data:image/png;base64,') ~ '^data:image/(png|jpeg);base64,[A-Za-z0-9+/]*={0,2}$'
    and length(coalesce(document_settings ->> 'logo', '')) <= 90000
    and length(coalesce(document_settings ->> 'footer', '')) <= 300
    and jsonb_typeof(coalesce(document_settings -> 'delivery_prices', 'false')) = 'boolean'
    and not document_settings @? '$.terms ? (@.type() != "object" && @.type() != "null")'
    and not document_settings @? '$.terms.* ? (@.type() != "string")'
    and length(coalesce(document_settings ->> 'terms', '')) <= 20000 else false end)
);

comment on table public.organizations is
'A business. currency: ISO 4217, one with two decimals. books_closed_through: the last date of the closed accounting
period; nothing posts on or before it. round_total_to: what a document''s total is rounded to, in the currency (1.00 =
whole rupees, 0 = not rounded). tax_scheme: composition pays a part of its turnover itself and collects no tax (CGST Act
2017, section 10). tax_rounding: whether a line''s taxes are rounded each by itself, or in one sum as the Streamlined
Sales and Use Tax Agreement allows (section 324(B)). export_tax: whether exports and supplies to SEZs bear integrated
tax, to be refunded, or leave without under lut_number, the letter of undertaking (IGST Act 2017, section 16(3)).
document_settings: how its papers look: language (en, hi), accent (#RRGGBB), logo (a PNG or JPEG as a data URL, at most
90,000 characters), footer, terms by kind of document (quotation, order, delivery, invoice, receipt, credit_note,
payment, statement, agreement), delivery_prices (whether delivery notes show prices). audit_months: how long the audit
log is kept, eight years at first, which is what company law asks for in India (Companies Act 2013, section 128(5)); a
year at least.';

create table public.branches (
  id uuid primary key,
  org_id uuid not null references public.organizations (id),
  code text not null check (code ~ '^[A-Z0-9]{1,3}$'),
  name text not null check (length(btrim(name)) between 1 and 120),
  timezone text not null,
  tax_number text,
  phone text check (length(phone) <= 40),
  email text check (length(email) <= 254),
  upi_id text check (upi_id ~ '^[A-Za-z0-9._-]{2,}@[A-Za-z0-9.-]{2,}$' and length(upi_id) <= 255),
  address_line1 text check (length(address_line1) <= 200),
  address_line2 text check (length(address_line2) <= 200),
  city text check (length(city) <= 100),
  region_code text,
  tax_area text check (tax_area ~ '^[A-Z0-9]{1,12}(-[A-Z0-9]{1,12}){0,2}$'),
  postal_code text check (length(postal_code) <= 16),
  country text not null references public.countries (code),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  unique (org_id, code),
  foreign key (country, region_code) references public.regions (country, code)
);

comment on table public.branches is
'A place of business. code opens every document number. tax_number: GSTIN of the registration in the branch''s state, or
the VAT number. tax_area: what lies below the region and taxes too (county, city), as tax_rates.region names it.
timezone: IANA name; the branch''s local date is the business date.';

create table public.locations (
  id uuid not null,
  org_id uuid not null references public.organizations (id),
  branch_id uuid,
  code text not null check (code ~ '^[A-Z0-9-]{1,20}$'),
  name text not null check (length(btrim(name)) between 1 and 120),
  kind text not null check (kind in ('showroom', 'display', 'warehouse', 'vehicle', 'quarantine', 'transit', 'supplier',
    'customer', 'adjustment')),
  holds_stock boolean not null generated always as (kind not in ('supplier', 'customer', 'adjustment')) stored,
  is_sellable boolean not null generated always as (kind in ('showroom', 'display', 'warehouse', 'vehicle')) stored,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  unique (org_id, branch_id, id),
  unique nulls not distinct (org_id, branch_id, code),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  check ((branch_id is null) = (kind in ('transit', 'supplier', 'customer', 'adjustment')))
);

comment on table public.locations is
'Where goods can be. Showrooms, displays (pieces on show, for sale), warehouses, vehicles and quarantines (damaged or
held back, not for sale) belong to a branch; transit, supplier, customer and adjustment are one each per organisation,
so that every movement has two ends and quantities sum to zero. is_sellable: goods are sold and reserved from here.';

create table public.permissions (
  code text primary key check (code ~ '^[a-z_]+\.[a-z_]+$'),
  description text not null
);

comment on table public.permissions is 'What can be allowed, as noun.verb. The same list for every organisation.';

create table public.roles (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  key text not null check (key ~ '^[a-z][a-z0-9_]{1,39}$'),
  name text not null check (length(btrim(name)) between 1 and 80),
  is_system boolean not null default false,
  max_discount_percent numeric(5, 2) not null default 0 check (max_discount_percent between 0 and 100),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  unique (org_id, key)
);

comment on table public.roles is
'A set of permissions with a name. max_discount_percent: the largest discount on a line that the role may give.';

create table public.role_permissions (
  org_id uuid not null,
  role_id uuid not null,
  permission text not null references public.permissions (code),
  primary key (org_id, role_id, permission),
  foreign key (org_id, role_id) references public.roles (org_id, id) on delete cascade
);

comment on table public.role_permissions is
'Which role holds which permission, but for the admin role, which holds every one without a row here. Changed by
save_role, and by private.add_permissions when a room brings new ones.';

create table public.memberships (
  org_id uuid not null references public.organizations (id),
  user_id uuid not null references auth.users (id) on delete cascade,
  role_id uuid not null,
  all_branches boolean not null default false,
  status text not null default 'active' check (status in ('active', 'suspended')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, user_id),
  foreign key (org_id, role_id) references public.roles (org_id, id)
);

comment on table public.memberships
  is 'A user''s one role in an organisation, with the branches it covers: all, or those listed.';

create table public.membership_branches (
  org_id uuid not null,
  user_id uuid not null,
  branch_id uuid not null,
  primary key (org_id, user_id, branch_id),
  foreign key (org_id, user_id) references public.memberships (org_id, user_id) on delete cascade,
  foreign key (org_id, branch_id) references public.branches (org_id, id)
);

comment on table public.membership_branches is 'The branches of a membership that does not cover all.';

create table public.invitations (
  id uuid primary key,
  org_id uuid not null references public.organizations (id),
  email text not null check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  role_id uuid not null,
  branch_ids uuid[],
  invited_by uuid not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (org_id, role_id) references public.roles (org_id, id)
);

comment on table public.invitations is
'Who was asked to join, by e-mail address. A membership begins when its owner accepts. branch_ids null: all branches.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.memberships (user_id, org_id) include (role_id, all_branches, status);
create index on public.memberships (org_id, created_at, user_id);
create index on public.memberships (org_id, role_id);
create index on public.membership_branches (user_id, org_id, branch_id);
create index on public.membership_branches (org_id, branch_id);
create index on public.role_permissions (permission, org_id, role_id);
create index on public.invitations (org_id, created_at);
create index on public.invitations (lower(email)) where accepted_at is null;
create unique index on public.locations (org_id, kind) where branch_id is null;
create index on public.locations (branch_id);

-- What a role holds ------------------------------------------------------------------------------
-- In plain SQL, so that each question is looked up by key in both halves.

create view private.held_permissions with (security_invoker = true) as
  select org_id, role_id, permission from public.role_permissions
  union all
  select r.org_id, r.id, p.code from public.roles r cross join public.permissions p where r.key = 'admin';

comment on view private.held_permissions is
'Which role holds which permission: as role_permissions says, and the admin role every permission there is, those of
later rooms included. Whoever asks what a role may do asks here.';
grant select on private.held_permissions to authenticated;

-- Who is asking: the helpers of every policy and RPC -----------------------------------------------
-- In plpgsql, which keeps its plans: in sql, with a search_path of its own, each was planned anew for every statement,
-- which took longer than a page of a list. Parallel safe: else no statement under a policy could be read by several
-- workers.

create function private.member_orgs() returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select org_id from public.memberships where user_id = auth.uid() and status = 'active';
end;
$$;

comment on function private.member_orgs() is 'Organisations that the caller belongs to.';

create function private.named_org() returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_named text := nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-organization';
begin
  if not private.is_uuid(v_named) then
    perform private.fail(400, 'invalid_input', 'The header X-Organization is an organisation''s id.',
      '{"field": "X-Organization"}');
  end if;
  return v_named::uuid;
end;
$$;

comment on function private.named_org() is
'The organisation that the header X-Organization of the HTTP request under way names, or null: it says which of the
caller''s organisations the ids of the request are of, where an id alone does not. It gives no right. Errors: 400
invalid_input.';

create function private.org_of(p_table regclass, p_id uuid) returns uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_named uuid := private.named_org();
  v_found uuid[];
begin
  -- Per organisation by the whole key: a table's other indexes are of no use here, whatever its statistics say.
  execute format('select array(select o.id from private.member_orgs() o (id) cross join lateral (
      select from %s t where t.org_id = o.id and t.id = $1 limit 1) t where $2 is null or o.id = $2 order by o.id)',
        p_table)
  into v_found using p_id, v_named;
  if cardinality(v_found) > 1 then
    perform private.fail(409, 'ambiguous_id',
      'Several of your organisations have this id: name yours in the header X-Organization.',
      jsonb_build_object('id', p_id, 'organizations', v_found));
  end if;
  return v_found[1];
end;
$$;

comment on function private.org_of(regclass, uuid) is
'Which of the caller''s organisations has the row p_id of p_table, null when none: ids are unique within an organisation
only, and who works for several may find one twice. Then the header X-Organization decides. It asks no permission:
private.authorize does. Errors: 409 ambiguous_id with the "organizations", 400 invalid_input.';

create function private.orgs_with(p_permission text) returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select m.org_id
  from public.memberships m
  join private.held_permissions h on h.org_id = m.org_id and h.role_id = m.role_id
  where m.user_id = auth.uid() and m.status = 'active' and h.permission = p_permission;
end;
$$;

comment on function private.orgs_with(text) is
'Organisations in which the caller holds p_permission (a code of public.permissions). For policies; once a statement.';

create function private.branches_with(p_permission text) returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select b.id
  from public.memberships m
  join private.held_permissions h on h.org_id = m.org_id and h.role_id = m.role_id
  join public.branches b on b.org_id = m.org_id
  where m.user_id = auth.uid() and m.status = 'active' and h.permission = p_permission
    and (m.all_branches or exists (
      select from public.membership_branches mb
      where mb.org_id = m.org_id and mb.user_id = m.user_id and mb.branch_id = b.id));
end;
$$;

comment on function private.branches_with(text) is
'Branches in which the caller holds p_permission (a code of public.permissions). For policies; once a statement.';

create function private.member_branches() returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select b.id
  from public.memberships m
  join public.branches b on b.org_id = m.org_id
  where m.user_id = auth.uid() and m.status = 'active'
    and (m.all_branches or exists (
      select from public.membership_branches mb
      where mb.org_id = m.org_id and mb.user_id = m.user_id and mb.branch_id = b.id));
end;
$$;

comment on function private.member_branches() is 'Branches that the caller''s memberships cover.';

-- The same in two parts, for policies on rows of a branch. Whoever covers a whole organisation may have hundreds of
-- branches, which would all be compared with each row; its organisation is one value, and that of an index in the order
-- of a list.

create function private.whole_orgs_with(p_permission text) returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select m.org_id
  from public.memberships m
  join private.held_permissions h on h.org_id = m.org_id and h.role_id = m.role_id
  where m.user_id = auth.uid() and m.status = 'active' and m.all_branches and h.permission = p_permission;
end;
$$;

comment on function private.whole_orgs_with(text) is
'Organisations in which the caller holds p_permission (a code of public.permissions) and covers every branch. For
policies; once a statement.';

create function private.listed_branches_with(p_permission text) returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select mb.branch_id
  from public.memberships m
  join private.held_permissions h on h.org_id = m.org_id and h.role_id = m.role_id
  join public.membership_branches mb on mb.org_id = m.org_id and mb.user_id = m.user_id
  where m.user_id = auth.uid() and m.status = 'active' and not m.all_branches and h.permission = p_permission;
end;
$$;

comment on function private.listed_branches_with(text) is
'Branches that a membership of the caller names one by one and in which he holds p_permission (a code of
public.permissions). For policies; once a statement.';

create function private.covers_all_with(p_permission text) returns boolean
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return not exists (
    select from public.memberships m
    join private.held_permissions h on h.org_id = m.org_id and h.role_id = m.role_id
    where m.user_id = auth.uid() and m.status = 'active' and not m.all_branches and h.permission = p_permission);
end;
$$;

comment on function private.covers_all_with(text) is
'Whether the caller covers every branch wherever he holds p_permission (a code of public.permissions): then a row is his
as soon as its organisation is one of private.orgs_with. For policies; once a statement, instead of a comparison for
each row.';

create function private.member_whole_orgs() returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select m.org_id
  from public.memberships m
  where m.user_id = auth.uid() and m.status = 'active' and m.all_branches;
end;
$$;

comment on function private.member_whole_orgs() is
'Organisations of which the caller''s membership covers every branch.';

create function private.member_listed_branches() returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select mb.branch_id
  from public.memberships m
  join public.membership_branches mb on mb.org_id = m.org_id and mb.user_id = m.user_id
  where m.user_id = auth.uid() and m.status = 'active' and not m.all_branches;
end;
$$;

comment on function private.member_listed_branches() is
'Branches that a membership of the caller names one by one.';

create function private.covers_all_branches(p_org_id uuid) returns boolean
language sql stable security definer
set search_path = ''
as $$
  select exists (
    select from public.memberships
    where org_id = p_org_id and user_id = auth.uid() and status = 'active' and all_branches)
$$;

comment on function private.covers_all_branches(uuid) is 'Does the caller''s membership cover every branch? No errors.';

create function private.authorize(p_permission text, p_org_id uuid, p_branch_id uuid default null)
returns void
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_user_id uuid := private.caller();
  v_covered boolean;
  v_permitted boolean;
begin
  select
    p_branch_id is null or m.all_branches or exists (
      select from public.membership_branches mb
      where mb.org_id = m.org_id and mb.user_id = m.user_id and mb.branch_id = p_branch_id),
    exists (
      select from private.held_permissions h
      where h.org_id = m.org_id and h.role_id = m.role_id and h.permission = p_permission)
  into v_covered, v_permitted
  from public.memberships m
  where m.org_id = p_org_id and m.user_id = v_user_id and m.status = 'active';

  -- Who is not of the house learns no more than that there is nothing here for him.
  if v_covered is not true then
    perform private.fail(404, 'not_found', 'There is no such record, or it is not yours.');
  end if;
  if v_permitted is not true then
    perform private.fail(403, 'permission_denied', format('Your role lacks the permission %s.', p_permission),
      jsonb_build_object('permission', p_permission));
  end if;
end;
$$;

comment on function private.authorize(text, uuid, uuid) is
'The head of every RPC that writes. p_permission: a code; p_org_id; p_branch_id: null for acts of the whole
organisation. Errors: 401 unauthenticated, 404 not_found (no member, or the branch is out of scope), 403
permission_denied.';

create function private.authorize_branch(p_permission text, p_branch_id uuid) returns uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_org_id uuid;
  v_archived_at timestamptz;
begin
  select org_id, archived_at into v_org_id, v_archived_at from public.branches where id = p_branch_id;
  perform private.authorize(p_permission, v_org_id, p_branch_id);
  if v_archived_at is not null then
    perform private.fail(422, 'branch_archived', 'This branch is closed.',
      jsonb_build_object('branch_id', p_branch_id));
  end if;
  return v_org_id;
end;
$$;

comment on function private.authorize_branch(text, uuid) is
'private.authorize for an act in one branch; returns the branch''s organisation.
Errors: as private.authorize, and 422 branch_archived.';

create function private.permitted(p_permission text, p_org_id uuid) returns boolean
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return exists (
    select from public.memberships m
    join private.held_permissions h on h.org_id = m.org_id and h.role_id = m.role_id
    where m.org_id = p_org_id and m.user_id = auth.uid() and m.status = 'active' and h.permission = p_permission);
end;
$$;

comment on function private.permitted(text, uuid)
  is 'Does the caller hold p_permission in the organisation? No errors.';
