-- Customers' profiles: further addresses, terms of payment, and the mark of a customer who was merged into another.

-- Tables ------------------------------------------------------------------------------------------

alter table public.customers add column payment_terms_days integer check (payment_terms_days between 0 and 365);
comment on column public.customers.payment_terms_days is
'Within how many days the customer pays: an invoice that is not paid at once is due so many days after its business
date. Null: at once. Set by set_payment_terms.';

alter table public.customers add column merged_into uuid;
alter table public.customers add foreign key (org_id, merged_into) references public.customers (org_id, id);
alter table public.customers add constraint merged_is_archived
  check (merged_into is null or (archived_at is not null and merged_into <> id));
comment on column public.customers.merged_into is
'Entered twice: the customer that this one is now, always one that was not merged itself. Set by merge_customers; there
is no way back.';

create table public.customer_addresses (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  customer_id uuid not null,
  kind text not null check (kind in ('billing', 'delivery')),
  is_default boolean not null default false,
  label text check (length(btrim(label)) between 1 and 80),
  recipient text check (length(recipient) <= 200),
  phone text check (length(phone) <= 40),
  address_line1 text not null check (length(btrim(address_line1)) between 1 and 200),
  address_line2 text check (length(address_line2) <= 200),
  city text check (length(city) <= 100),
  region_code text,
  tax_area text check (tax_area ~ '^[A-Z0-9]{1,12}(-[A-Z0-9]{1,12}){0,2}$'),
  postal_code text check (length(postal_code) <= 16),
  country text references public.countries (code),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (id, org_id),
  primary key (org_id, customer_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  foreign key (country, region_code) references public.regions (country, code),
  check (country is not null or region_code is null)
);

comment on table public.customer_addresses is
'A customer''s further addresses: where goods are brought (delivery), other places that are billed (billing). A document
names one as deliver_to and keeps it; the buyer''s address on his invoices is the one in customers. is_default: proposed
first; one of each kind. label: what it is called, such as "Site 4"; recipient: who receives there; tax_area: what lies
below the region and taxes too (county, city), as in customers.';

-- Indexes -----------------------------------------------------------------------------------------

create unique index customer_addresses_default_key on public.customer_addresses (org_id, customer_id, kind)
  where is_default and archived_at is null;
create index on public.customer_addresses (org_id, created_at, id);
create index on public.customers (org_id, merged_into) where merged_into is not null;

-- Functions ---------------------------------------------------------------------------------------

create function private.only_default() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update public.customer_addresses set is_default = false
  where org_id = new.org_id and customer_id = new.customer_id and kind = new.kind and id <> new.id and is_default
    and archived_at is null;
  return new;
end;
$$;

comment on function private.only_default() is
'Row trigger, before an address becomes the default: the one that was it until now is it no longer. Two at once: the
later one waits at the index and is refused (409 duplicate).';

create function private.customer_account(p_org_id uuid, p_customer_id uuid) returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return (select coalesce(merged_into, id) from public.customers where org_id = p_org_id and id = p_customer_id);
end;
$$;

comment on function private.customer_account(uuid, uuid) is
'The customer whose books these are: the one he was merged into, else himself. Null when there is none. No errors.';

create function public.set_payment_terms(p_customer_id uuid, p_days integer) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
begin
  perform private.authorize('customer.credit', v_org_id);
  if p_days not between 0 and 365 then
    perform private.fail(400, 'invalid_input', 'p_days is 0 to 365, or null for at once.', '{"field": "p_days"}');
  end if;
  update public.customers set payment_terms_days = p_days
  where org_id = v_org_id and id = p_customer_id and payment_terms_days is distinct from p_days;
  return (select to_jsonb(c) from public.customers c where c.org_id = v_org_id and c.id = p_customer_id);
end;
$$;

comment on function public.set_payment_terms(uuid, integer) is
'Sets within how many days a customer pays; invoices from now on are due accordingly unless they say otherwise.
p_customer_id; p_days: 0 to 365, null for at once. Returns the customer as JSON; the same call again changes nothing.
Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input. Permission: customer.credit.';
revoke execute on function public.set_payment_terms(uuid, integer) from public, anon;
grant execute on function public.set_payment_terms(uuid, integer) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t25_only_default before insert or update of is_default, archived_at on public.customer_addresses
  for each row when (new.is_default and new.archived_at is null) execute function private.only_default();
create trigger t90_touch_updated_at before update on public.customer_addresses for each row
  execute function private.touch_updated_at();
select audit.attach('public.customer_addresses');

-- Policies ----------------------------------------------------------------------------------------

alter table public.customer_addresses enable row level security;
create policy "Who holds customer.read reads addresses" on public.customer_addresses for select to authenticated
  using (org_id = any (array(select private.orgs_with('customer.read'))));
create policy "Who holds customer.manage adds addresses" on public.customer_addresses for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('customer.manage'))));
create policy "Who holds customer.manage changes addresses" on public.customer_addresses for update to authenticated
  using (org_id = any (array(select private.orgs_with('customer.manage'))))
  with check (org_id = any (array(select private.orgs_with('customer.manage'))));

-- Grants ------------------------------------------------------------------------------------------

grant select on public.customer_addresses to authenticated;
grant insert (id, org_id, customer_id, kind, is_default, label, recipient, phone, address_line1, address_line2, city,
  region_code,
  tax_area, postal_code, country) on public.customer_addresses to authenticated;
grant update (kind, is_default, label, recipient, phone, address_line1, address_line2, city, region_code, postal_code,
  country,
  tax_area, archived_at) on public.customer_addresses to authenticated;

select private.add_event('customers_merging', 'p_org_id uuid, p_keep_id uuid, p_merge_id uuid', 'void',
'Called once, in the same transaction, before the rows of p_merge_id become those of p_keep_id: whoever keeps rows of
customers that both together would break a rule makes room. Both customers are locked. What belongs to a customer
follows by itself. No errors.');

select private.add_event('customers_merged', 'p_org_id uuid, p_keep_id uuid, p_merge_id uuid', 'void',
'Called once, in the same transaction, after it: what a room derives from rows of a customer it derives again, for both.
No errors.');

create function private.merge_addresses(p_org_id uuid, p_keep_id uuid, p_merge_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Addresses: the default ones of the customer who stays go before.
  update public.customer_addresses a set is_default = false
  where a.org_id = p_org_id and a.customer_id = p_merge_id and a.is_default and exists (
    select from public.customer_addresses k
    where k.org_id = p_org_id and k.customer_id = p_keep_id and k.kind = a.kind and k.is_default and k.archived_at
      is null);
end;
$$;

comment on function private.merge_addresses(uuid, uuid, uuid) is
'Of two default addresses of a kind the one of the customer who stays (p_keep_id) remains the default. No errors.';

select private.react('customers_merging', 10, 'merge_addresses');
