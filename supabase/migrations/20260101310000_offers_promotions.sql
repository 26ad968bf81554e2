-- Promotions: what is given off prices by rule, to whom, where and when.

select private.add_permissions('[
  {"code": "offer.manage", "description": "Create and change promotions and coupons", "roles": []}
]');

-- Tables ------------------------------------------------------------------------------------------

create table public.promotions (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 120),
  kind text not null check (kind in ('percent', 'amount', 'buy_get', 'bundle')),
  value numeric(14, 2) not null check (value between 0 and 999999999999.99),
  per_unit boolean not null default false,
  buy_quantity integer check (buy_quantity between 1 and 100000),
  get_quantity integer check (get_quantity between 1 and 100000),
  max_times integer check (max_times > 0),
  applies_to text not null default 'targets' check (applies_to in ('everything', 'targets')),
  customer_group_id uuid,
  branch_id uuid,
  valid_from date,
  valid_to date,
  weekdays integer[] check (weekdays <@ array[1, 2, 3, 4, 5, 6, 7] and cardinality(weekdays) > 0),
  time_from time,
  time_to time,
  minimum_amount numeric(14, 2) not null default 0 check (minimum_amount between 0 and 999999999999.99),
  needs_coupon boolean not null default false,
  combinable boolean not null default true,
  priority integer not null default 0 check (priority between -1000 and 1000),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  foreign key (org_id, customer_group_id) references public.customer_groups (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  check (valid_from <= valid_to),
  constraint value_of_its_kind check (case kind when 'percent' then value between 0.01 and 100
    when 'buy_get' then value between 0.01 and 100 when 'amount' then value > 0 else true end),
  constraint quantities_of_its_kind check ((kind = 'buy_get') = (buy_quantity is not null)
    and (kind = 'buy_get') = (get_quantity is not null)),
  constraint per_unit_is_an_amount check (kind = 'amount' or not per_unit),
  constraint times_of_its_kind check (kind in ('buy_get', 'bundle') or max_times is null),
  constraint bundles_have_targets check (kind <> 'bundle' or applies_to = 'targets'),
  constraint day_has_both_ends check ((time_from is null) = (time_to is null) and time_from <> time_to)
);

comment on table public.promotions is
'Offers. kind: percent (value: percent off), amount (value: off what it applies to in all, or off every unit with
per_unit), buy_get (of every buy_quantity + get_quantity whole units the cheapest get_quantity are at value percent off,
100 is free; with targets whose part is "get" those are given instead of the cheapest), bundle (all targets together in
their quantities for value). max_times: how often buy_get or bundle counts on one document. applies_to: everything, or
what promotion_targets say. customer_group_id, branch_id: null for all. valid_from, valid_to: business dates, both
inclusive; weekdays: 1 Monday to 7 Sunday; time_from (inclusive) to time_to (exclusive), by the branch''s clock, past
midnight when time_to is earlier. minimum_amount: what the whole basket comes to at least, as priced, before offers.
needs_coupon: only with one of its coupons. Amounts in the organisation''s currency, off the price as it stands, with or
without tax. A document carries either the exclusive offer (combinable false) that saves most or all the combinable
ones, whichever saves the customer more: see private.apply_offers. Archived, never deleted: documents name them.';

create table public.promotion_targets (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null,
  promotion_id uuid not null,
  position integer not null check (position between 1 and 200),
  part text not null default 'buy' check (part in ('buy', 'get')),
  category_id uuid,
  product_id uuid,
  variant_id uuid,
  quantity integer not null default 1 check (quantity between 1 and 100000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (id, org_id),
  primary key (org_id, promotion_id, position),
  foreign key (org_id, promotion_id) references public.promotions (org_id, id),
  foreign key (org_id, category_id) references public.categories (org_id, id),
  foreign key (org_id, product_id) references public.products (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  check (num_nonnulls(category_id, product_id, variant_id) = 1)
);

comment on table public.promotion_targets is
'What a promotion is about: a category with all beneath it, a product with all its variants, or one variant. A line
counts for the first target, by position, that names it. part: buy, or get for what a buy_get promotion gives. quantity:
of a bundle, how many whole units of it belong to one bundle.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.promotions (org_id, name, id);
create index on public.promotion_targets (org_id, position, id);
create unique index promotions_name_key on public.promotions (org_id, lower(btrim(name))) where archived_at is null;
create index on public.promotion_targets (category_id, org_id) where category_id is not null;
create index on public.promotion_targets (product_id, org_id) where product_id is not null;
create index on public.promotion_targets (variant_id, org_id) where variant_id is not null;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t90_touch_updated_at before update on public.promotions for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.promotion_targets for each row
  execute function private.touch_updated_at();
select audit.attach('public.promotions');
select audit.attach('public.promotion_targets', 'promotion_id', 'position');

-- Policies ----------------------------------------------------------------------------------------

alter table public.promotions enable row level security;
create policy "Who holds catalogue.read reads promotions" on public.promotions for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds offer.manage adds promotions" on public.promotions for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('offer.manage'))));
create policy "Who holds offer.manage changes promotions" on public.promotions for update to authenticated
  using (org_id = any (array(select private.orgs_with('offer.manage'))))
  with check (org_id = any (array(select private.orgs_with('offer.manage'))));

alter table public.promotion_targets enable row level security;
create policy "Who holds catalogue.read reads what promotions are about" on public.promotion_targets for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds offer.manage adds targets of promotions" on public.promotion_targets for insert
  to authenticated
  with check (org_id = any (array(select private.orgs_with('offer.manage'))));
create policy "Who holds offer.manage changes targets of promotions" on public.promotion_targets for update
  to authenticated
  using (org_id = any (array(select private.orgs_with('offer.manage'))))
  with check (org_id = any (array(select private.orgs_with('offer.manage'))));
create policy "Who holds offer.manage removes targets of promotions" on public.promotion_targets for delete
  to authenticated
  using (org_id = any (array(select private.orgs_with('offer.manage'))));

-- Grants ------------------------------------------------------------------------------------------

grant select on public.promotions, public.promotion_targets to authenticated;
grant delete on public.promotion_targets to authenticated;
grant insert (id, org_id, name, kind, value, per_unit, buy_quantity, get_quantity, max_times, applies_to,
  customer_group_id, branch_id,
  valid_from, valid_to, weekdays, time_from, time_to, minimum_amount, needs_coupon, combinable, priority)
  on public.promotions to authenticated;
grant update (name, kind, value, per_unit, buy_quantity, get_quantity, max_times, applies_to, customer_group_id,
  branch_id,
  valid_from, valid_to, weekdays, time_from, time_to, minimum_amount, needs_coupon, combinable, priority, archived_at)
  on public.promotions to authenticated;
grant insert (id, org_id, promotion_id, position, part, category_id, product_id, variant_id, quantity)
  on public.promotion_targets to authenticated;
grant update (part, category_id, product_id, variant_id, quantity) on public.promotion_targets to authenticated;
