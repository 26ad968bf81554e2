-- Price lists: other prices than the variant's own, for a group of customers, at a branch, from a quantity on, for a
-- time.

select private.add_permissions('[
  {"code": "price.override", "description": "Sell at another price than the catalogue''s",
   "roles": ["sales_executive"]}
]');

-- Tables ------------------------------------------------------------------------------------------

create table public.customer_groups (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 120),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id)
);

comment on table public.customer_groups
  is 'Customers who are priced alike, such as the trade. Which one a customer is in:
customers.customer_group_id. One that is archived prices nobody.';

alter table public.customers add column customer_group_id uuid;
alter table public.customers add foreign key (org_id, customer_group_id) references public.customer_groups (org_id, id);
comment on column public.customers.customer_group_id is
'Decides which price lists apply. Set by whoever may change prices (price.override or catalogue.manage) besides the
customer.';

create table public.price_lists (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 120),
  customer_group_id uuid,
  branch_id uuid,
  valid_from date,
  valid_to date,
  priority integer not null default 0 check (priority between -1000 and 1000),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  no bigint not null generated always as identity,
  primary key (id, org_id),
  foreign key (org_id, customer_group_id) references public.customer_groups (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  check (valid_from <= valid_to)
);

comment on table public.price_lists is
'Prices that go before the variants'' own. customer_group_id: for this group only, null for everybody; branch_id: in
this branch only, null for all; valid_from, valid_to: first and last business date, null for no end. Of the lists that
have a price for the variant and quantity the one with the highest priority counts, then the one for a group, then the
one for a branch, then the newest.';

create table public.price_list_items (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null,
  price_list_id uuid not null,
  variant_id uuid not null,
  min_quantity numeric(14, 3) not null default 0 check (min_quantity between 0 and 999999999),
  price numeric(14, 2) not null check (price between 0 and 999999999999.99),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (id, org_id),
  primary key (org_id, price_list_id, variant_id, min_quantity),
  foreign key (org_id, price_list_id) references public.price_lists (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.price_list_items is
'The price of a variant on a list, from min_quantity on (on one line, in the variant''s unit); the largest min_quantity
that is reached counts. price: per unit, in the organisation''s currency, with or without tax as the variant''s own
price.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.customer_groups (org_id, name, id);
create index on public.price_lists (org_id, name, id);
create index on public.price_list_items (org_id, min_quantity, id);
create unique index customer_groups_name_key on public.customer_groups (org_id, lower(btrim(name)));
create unique index price_lists_name_key on public.price_lists (org_id, lower(btrim(name)));
create index on public.customers (org_id, customer_group_id) where customer_group_id is not null;
-- Variant first: the till looks a price up by variant, and no other index may look like this one to the planner.
create index on public.price_list_items (variant_id, org_id, min_quantity);

-- Functions ---------------------------------------------------------------------------------------

create function private.check_customer_group() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.customer_group_id is not distinct from (case when tg_op = 'UPDATE' then old.customer_group_id end) then
    return null;
  end if;
  if not (private.permitted('price.override', new.org_id) or private.permitted('catalogue.manage', new.org_id)) then
    perform private.fail(403, 'permission_denied',
      'Your role sells at the catalogue''s prices and gives nobody others.',
      '{"permission": "price.override", "field": "customer_group_id"}');
  end if;
  return null;
end;
$$;

comment on function private.check_customer_group() is
'Row trigger, after a customer''s group is set: who may not change a price may not put a customer where it is lower
either. Errors: 403 permission_denied.';

create function private.live_group(p_org_id uuid, p_customer_group_id uuid) returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select g.id from public.customer_groups g
    where g.org_id = p_org_id and g.id = p_customer_group_id and g.archived_at is null);
end;
$$;

comment on function private.live_group(uuid, uuid) is
'A customer''s group as prices, offers and points see it: null when it was archived, though its customers are still
noted in it. No errors.';

create type private.listed_price as (
  price numeric,
  price_list_id uuid,
  price_list text
);

comment on type private.listed_price is 'What a price list says: the price per unit, the list and its name.';

create function private.list_prices(p_org_id uuid, p_branch_id uuid, p_customer_group_id uuid, p_variant_ids uuid[],
  p_quantities numeric[], p_date date)
returns private.listed_price[]
language plpgsql stable
set search_path = ''
as $$
begin
  return array(
    select row (k.price, k.price_list_id, k.price_list)::private.listed_price
    from unnest(p_variant_ids, p_quantities) with ordinality a (variant_id, quantity, place)
    left join lateral (
      select i.price, l.id as price_list_id, l.name as price_list
      from public.price_list_items i
      join public.price_lists l on l.org_id = i.org_id and l.id = i.price_list_id
      where i.org_id = p_org_id and i.variant_id = a.variant_id and i.min_quantity <= a.quantity and l.archived_at
        is null
        and (l.customer_group_id is null or l.customer_group_id = p_customer_group_id)
        and (l.branch_id is null or l.branch_id = p_branch_id)
        and p_date between coalesce(l.valid_from, '-infinity') and coalesce(l.valid_to, 'infinity')
      order by l.priority desc, l.customer_group_id is null, l.branch_id is null, l.no desc, i.min_quantity desc
      limit 1) k on true
    order by a.place);
end;
$$;

comment on function private.list_prices(uuid, uuid, uuid, uuid[], numeric[], date) is
'The prices of variants by the price lists, in the order asked; all null where no list has one. p_org_id; p_branch_id:
where it is sold; p_customer_group_id: of the buyer as private.live_group sees it, or null; p_variant_ids, p_quantities:
in step, in the variants'' units; p_date: the business date. A list counts when it applies and has a price for the
quantity: the highest priority first, then a list for a group, then one for a branch, then the newest; within it the
largest quantity reached. An organisation without lists is spared the call by private.price_lines. No errors.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t50_check_customer_group after insert or update of customer_group_id on public.customers
  for each row execute function private.check_customer_group();
create trigger t90_touch_updated_at before update on public.customer_groups for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.price_lists for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.price_list_items for each row
  execute function private.touch_updated_at();
select audit.attach('public.customer_groups');
select audit.attach('public.price_lists');
select audit.attach('public.price_list_items');

-- Policies ----------------------------------------------------------------------------------------

alter table public.customer_groups enable row level security;
create policy "Who holds catalogue.read reads the customer groups" on public.customer_groups for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds customer.manage adds customer groups" on public.customer_groups for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('customer.manage'))));
create policy "Who holds customer.manage changes customer groups" on public.customer_groups for update to authenticated
  using (org_id = any (array(select private.orgs_with('customer.manage'))))
  with check (org_id = any (array(select private.orgs_with('customer.manage'))));

alter table public.price_lists enable row level security;
create policy "Who holds catalogue.read reads price lists" on public.price_lists for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds price lists" on public.price_lists for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes price lists" on public.price_lists for update to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));

alter table public.price_list_items enable row level security;
create policy "Who holds catalogue.read reads the prices of lists" on public.price_list_items for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds prices to lists" on public.price_list_items for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes the prices of lists" on public.price_list_items for update
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes prices from lists" on public.price_list_items for delete
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

-- Grants ------------------------------------------------------------------------------------------

grant select on public.customer_groups, public.price_lists, public.price_list_items to authenticated;
grant delete on public.price_list_items to authenticated;
grant insert (id, org_id, name) on public.customer_groups to authenticated;
grant update (name, archived_at) on public.customer_groups to authenticated;
grant insert (customer_group_id) on public.customers to authenticated;
grant update (customer_group_id) on public.customers to authenticated;
grant insert (id, org_id, name, customer_group_id, branch_id, valid_from, valid_to, priority) on public.price_lists
  to authenticated;
grant update (name, customer_group_id, branch_id, valid_from, valid_to, priority, archived_at) on public.price_lists
  to authenticated;
grant insert (id, org_id, price_list_id, variant_id, min_quantity, price) on public.price_list_items to authenticated;
grant update (min_quantity, price) on public.price_list_items to authenticated;
