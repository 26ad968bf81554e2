-- Parties: customers and suppliers.

select private.add_permissions('[
  {"code": "customer.read", "description": "Read customers", "roles": ["cashier", "sales_executive", "technician"]},
  {"code": "customer.manage", "description": "Create and change customers", "roles": ["cashier", "sales_executive"]},
  {"code": "customer.credit", "description": "Set a customer''s credit limit", "roles": []},
  {"code": "supplier.read", "description": "Read suppliers", "roles": ["inventory_manager"]},
  {"code": "supplier.manage", "description": "Create and change suppliers", "roles": ["inventory_manager"]}
]');

-- Functions the tables' checks need ---------------------------------------------------------------

create function private.is_gstin(p_gstin text) returns boolean
language sql immutable
set search_path = ''
as $$
  with places as (
    select i, strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(p_gstin, i, 1)) - 1 as value
    from generate_series(1, 14) i
  ), products as (
    -- Every second place counts twice; a product's two base-36 digits are added up.
    select value * (case when i % 2 = 0 then 2 else 1 end) as product from places
  )
  select p_gstin ~ '^[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][Z][0-9A-Z]$'
    and substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ',
      ((36 - (sum(product / 36 + product % 36) % 36)::integer) % 36) + 1, 1)
      = substr(p_gstin, 15, 1)
  from products
$$;

comment on function private.is_gstin(text) is
'Is this a GSTIN with a true check character (the 15th, modulo 36 over the first 14)? The format is that of rule 10(1)
of the CGST Rules 2017: state code, PAN, entity number, Z, check character. Null for null. No errors.';

-- A branch's registration is in the branch's own state.
alter table public.branches add constraint branches_tax_number_check check (
  length(tax_number) <= 20
  and (country <> 'IN' or (private.is_gstin(tax_number) and left(tax_number, 2) = region_code)));

-- Tables ------------------------------------------------------------------------------------------

create table public.customers (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 200),
  kind text not null default 'person' check (kind in ('person', 'business')),
  tax_number text check (length(tax_number) <= 20),
  phone text check (length(phone) <= 40),
  email text check (length(email) <= 254 and email like '%_@_%'),
  address_line1 text check (length(address_line1) <= 200),
  address_line2 text check (length(address_line2) <= 200),
  city text check (length(city) <= 100),
  region_code text,
  postal_code text check (length(postal_code) <= 16),
  country text references public.countries (code),
  credit_limit numeric(14, 2) not null default 0 check (credit_limit >= 0),
  credit_status text not null default 'none' check (credit_status in ('none', 'active', 'completed', 'defaulted')),
  notes text check (length(notes) <= 4000),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  foreign key (country, region_code) references public.regions (country, code),
  check (tax_number is null or country is not null),
  constraint gstin_is_of_the_state check (
    country <> 'IN' or tax_number is null or coalesce(private.is_gstin(tax_number)
      and left(tax_number, 2) = region_code, false)),
  check (country is not null or region_code is null)
);

comment on table public.customers is
'Who buys. tax_number: GSTIN in India, VAT number elsewhere. region_code: the GST state code. A
registration is per state (CGST Act 2017, section 25(1)): a GSTIN begins with the state of this address; goods that go
elsewhere have an address in customer_addresses, or the document names the place of supply. credit_limit: how much the
customer may owe in all, in the organisation''s currency; set by set_credit_limit. credit_status: what his instalment
agreements come to (private.follow_credit_status); who is in default gets no new credit.';

create table public.suppliers (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 200),
  tax_number text check (length(tax_number) <= 20),
  phone text check (length(phone) <= 40),
  email text check (length(email) <= 254 and email like '%_@_%'),
  address_line1 text check (length(address_line1) <= 200),
  address_line2 text check (length(address_line2) <= 200),
  city text check (length(city) <= 100),
  region_code text,
  postal_code text check (length(postal_code) <= 16),
  country text references public.countries (code),
  notes text check (length(notes) <= 4000),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  foreign key (country, region_code) references public.regions (country, code),
  check (tax_number is null or country is not null),
  constraint gstin_is_of_the_state check (
    country <> 'IN' or tax_number is null or coalesce(private.is_gstin(tax_number)
      and left(tax_number, 2) = region_code, false)),
  check (country is not null or region_code is null)
);

comment on table public.suppliers is 'Who goods are bought from. tax_number, region_code: as in customers.';

-- Indexes -----------------------------------------------------------------------------------------

create index customers_search on public.customers
  using gin (name extensions.gin_trgm_ops, phone extensions.gin_trgm_ops, email extensions.gin_trgm_ops);
create index on public.customers (org_id, name, id);
create index on public.suppliers (org_id, name, id);

create function private.lock_customer(p_org_id uuid, p_customer_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform from public.customers where org_id = p_org_id and id = p_customer_id for no key update;
end;
$$;

comment on function private.lock_customer(uuid, uuid) is
'Locks a customer until the transaction ends: whoever takes points or credit of his waits here. No errors.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t90_touch_updated_at before update on public.customers for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.suppliers for each row
  execute function private.touch_updated_at();
select audit.attach('public.customers');
select audit.attach('public.suppliers');

-- Policies ----------------------------------------------------------------------------------------

alter table public.customers enable row level security;
create policy "Who holds customer.read reads customers" on public.customers for select to authenticated
  using (org_id = any (array(select private.orgs_with('customer.read'))));
create policy "Who holds customer.manage adds customers" on public.customers for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('customer.manage'))));
create policy "Who holds customer.manage changes customers" on public.customers for update to authenticated
  using (org_id = any (array(select private.orgs_with('customer.manage'))))
  with check (org_id = any (array(select private.orgs_with('customer.manage'))));

alter table public.suppliers enable row level security;
create policy "Who holds supplier.read reads suppliers" on public.suppliers for select to authenticated
  using (org_id = any (array(select private.orgs_with('supplier.read'))));
create policy "Who holds supplier.manage adds suppliers" on public.suppliers for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('supplier.manage'))));
create policy "Who holds supplier.manage changes suppliers" on public.suppliers for update to authenticated
  using (org_id = any (array(select private.orgs_with('supplier.manage'))))
  with check (org_id = any (array(select private.orgs_with('supplier.manage'))));

-- Grants ------------------------------------------------------------------------------------------

-- The tables' check constraints run as the writer.
grant execute on function private.is_gstin(text) to authenticated;
grant select on public.customers, public.suppliers to authenticated;
grant insert (id, org_id, name, kind, tax_number, phone, email, address_line1, address_line2, city, region_code,
  postal_code,
  country, notes) on public.customers to authenticated;
grant update (name, kind, tax_number, phone, email, address_line1, address_line2, city, region_code, postal_code,
  country,
  notes, archived_at) on public.customers to authenticated;
grant insert (id, org_id, name, tax_number, phone, email, address_line1, address_line2, city, region_code, postal_code,
  country, notes) on public.suppliers to authenticated;
grant update (name, tax_number, phone, email, address_line1, address_line2, city, region_code, postal_code, country,
  notes, archived_at) on public.suppliers to authenticated;

-- Credit ------------------------------------------------------------------------------------------

create function public.set_credit_limit(p_customer_id uuid, p_credit_limit numeric) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
begin
  perform private.authorize('customer.credit', v_org_id);
  if p_credit_limit is null or p_credit_limit < 0 or p_credit_limit >= 1e12 or scale(p_credit_limit) > 2 then
    perform private.fail(400, 'invalid_input',
      'p_credit_limit must be an amount of 0 or more, with 2 decimals at most.',
      '{"field": "p_credit_limit"}');
  end if;
  update public.customers set credit_limit = p_credit_limit
  where org_id = v_org_id and id = p_customer_id and credit_limit <> p_credit_limit;
  return (select to_jsonb(c) from public.customers c where c.org_id = v_org_id and c.id = p_customer_id);
end;
$$;

comment on function public.set_credit_limit(uuid, numeric) is
'Sets how much a customer may owe in all. p_customer_id; p_credit_limit: in the organisation''s currency, 0 or more.
Returns the customer as JSON; the same call again changes nothing. Errors: 401, 404 not_found, 403 permission_denied,
400 invalid_input. Permission: customer.credit.';
revoke execute on function public.set_credit_limit(uuid, numeric) from public, anon;
grant execute on function public.set_credit_limit(uuid, numeric) to authenticated;
