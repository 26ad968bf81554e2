-- Catalogue: what is sold, in which variant, at which price, under which tax class.

select private.add_permissions('[
  {"code": "catalogue.read", "description": "Read products, variants, prices and tax classes",
   "roles": ["cashier", "sales_executive", "inventory_manager", "technician"]},
  {"code": "catalogue.manage", "description": "Create and change products, variants, prices and tax classes",
   "roles": ["inventory_manager"]}
]');

-- Tables ------------------------------------------------------------------------------------------

create table public.units (
  code text primary key check (code ~ '^[A-Z]{2,3}$'),
  name text not null,
  decimals integer not null check (decimals between 0 and 3)
);

comment on table public.units is
'Units of measure by their Unique Quantity Code (CBIC''s list for GSTR-1). decimals: places a quantity may have.';

insert into public.units (code, name, decimals) values
  ('BAG', 'Bags', 0), ('BOX', 'Boxes', 0), ('BTL', 'Bottles', 0), ('CMS', 'Centimetres', 1), ('DOZ', 'Dozens', 3),
  ('GMS', 'Grams', 1), ('KGS', 'Kilograms', 3), ('KLR', 'Kilolitres', 3), ('LTR', 'Litres', 3), ('MTR', 'Metres', 3),
  ('NOS', 'Numbers', 0), ('OTH', 'Others', 3), ('PAC', 'Packs', 0), ('PCS', 'Pieces', 0), ('PRS', 'Pairs', 0),
  ('ROL', 'Rolls', 0), ('SET', 'Sets', 0), ('SQF', 'Square feet', 3), ('SQM', 'Square metres', 3), ('UNT', 'Units', 0);

create table public.tax_classes (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  code text not null check (code ~ '^[A-Z0-9_.-]{1,20}$'),
  name text not null check (length(btrim(name)) between 1 and 80),
  kind text not null default 'taxable' check (kind in ('taxable', 'nil_rated', 'exempt', 'non_gst', 'zero_rated')),
  reverse_charge boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  unique (org_id, code)
);

comment on table public.tax_classes is
'How a product is taxed. Only kind taxable carries rates. nil_rated: a tariff rate of nil; exempt: by notification
(CGST Act 2017, section 2(47)); non_gst: outside GST, as liquor and petrol (section 9(1) and (2)); zero_rated: section
16 of the IGST Act, or its like. reverse_charge: a registered buyer pays the tax himself (section 9(3), by
notification).';

create table public.tax_rates (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null,
  tax_class_id uuid not null,
  region text check (region ~ '^[A-Z0-9]{1,3}(-[A-Z0-9]{1,12}){0,4}$'),
  component text check (component ~ '^\S(.{0,28}\S)?$'),
  rate numeric(6, 3) not null check (rate between 0 and 100),
  compounds boolean not null default false,
  cess_rate numeric(6, 3) not null default 0 check (cess_rate between 0 and 1000),
  cess_per_unit numeric(14, 4) not null default 0 check (cess_per_unit between 0 and 1e9),
  valid_from date not null,
  created_at timestamptz not null default now(),
  primary key (id, org_id),
  unique nulls not distinct (org_id, tax_class_id, region, component, valid_from),
  foreign key (org_id, tax_class_id) references public.tax_classes (org_id, id),
  check (component is null or (cess_rate = 0 and cess_per_unit = 0))
);

comment on table public.tax_rates is
'The rate of a class in percent, from a date on, until the next row. region: a place of supply with a rate of its own,
null for everywhere else: a GST state code, a country, or a path down from it, US-NY-ERIE. component: the name of a tax
that stands beside others; null for the regime''s one tax (GST, whose halves are derived; VAT). Of each component the
innermost region counts, and those of all components add up; a rate of 0 takes one away. compounds: computed on the
price with the other taxes. cess_rate, cess_per_unit: compensation cess in percent of the taxable value, and in currency
per unit of the product (GST (Compensation to States) Act 2017, section 8). A rate is never edited: a new one begins on
a new date.';

create table public.categories (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  parent_id uuid,
  name text not null check (length(btrim(name)) between 1 and 120),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  unique nulls not distinct (org_id, parent_id, name),
  foreign key (org_id, parent_id) references public.categories (org_id, id)
);

comment on table public.categories
  is 'Groups of products, as a tree of any depth. parent_id may change; a circle is refused.';

create table private.category_paths (
  org_id uuid not null,
  category_id uuid not null,
  path uuid[] not null,
  primary key (category_id, org_id),
  foreign key (org_id, category_id) references public.categories (org_id, id) on delete cascade
);

comment on table private.category_paths is
'Each category''s way down from the top, itself last: so that what is said of a category holds of all beneath it by one
look-up. Kept by private.trace_category.';

create table public.brands (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 120),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id)
);

comment on table public.brands is 'Who makes it, as customers know it. A name is used once, whatever its capitals.';

create table public.products (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  category_id uuid,
  brand_id uuid,
  name text not null check (length(btrim(name)) between 1 and 200),
  description text check (length(description) <= 4000),
  kind text not null default 'goods' check (kind in ('goods', 'service', 'set')),
  hsn_code text check (hsn_code ~ '^[0-9]{4,8}$'),
  tax_class_id uuid not null,
  unit_code text not null default 'NOS' references public.units (code),
  warranty_months integer check (warranty_months between 0 and 600),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  foreign key (org_id, category_id) references public.categories (org_id, id),
  foreign key (org_id, brand_id) references public.brands (org_id, id),
  foreign key (org_id, tax_class_id) references public.tax_classes (org_id, id)
);

comment on table public.products is
'What is sold. kind goods is stocked; a service is not; a set is sold as one and consists of goods (set_components),
which are stocked in its place. hsn_code: HSN for goods, SAC for services, 4 to 8 digits. unit_code: the unit in which
it is stocked and priced; others are in product_units. warranty_months: how long from the sale, null for none.';

create table public.product_variants (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  product_id uuid not null,
  sku text not null check (sku ~ '^\S(.{0,58}\S)?$'),
  name text not null check (length(btrim(name)) between 1 and 200),
  barcode text check (length(btrim(barcode)) between 1 and 64),
  attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'
    and length(attributes::text) <= 8000),
  price numeric(14, 2) not null check (price between 0 and 999999999999.99),
  price_includes_tax boolean not null default false,
  tracking text not null default 'none' check (tracking in ('none', 'serial', 'batch')),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  unique (org_id, sku),
  foreign key (org_id, product_id) references public.products (org_id, id)
);

comment on table public.product_variants is
'A product as it stands on the shelf, with its own SKU and price. name: as documents print it. attributes: {"material":
"teak", "colour": "grey"}, the same combination once a product. barcode: the one that labels show, one of
variant_barcodes. price: per unit, in the organisation''s currency; price_includes_tax: whether tax is within it.
tracking: how pieces are told apart, by serial number, by batch or not at all; fixed once it was stocked.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.categories (org_id, name, id);
create index on public.brands (org_id, name, id);
create index on public.products (org_id, name, id);
create unique index brands_name_key on public.brands (org_id, lower(btrim(name)));
-- Not unique: variant_barcodes says whose a code is.
create index on public.product_variants (org_id, barcode) where barcode is not null;
-- Product first, apart from the indexes that begin with org_id, which the planner would take for one another.
create unique index on public.product_variants (product_id, org_id, id);
-- A combination of attributes is there once, whatever its capitals. The hash keeps the key short.
create unique index product_variants_attributes_key on public.product_variants
  (org_id, product_id, md5(lower(attributes::text))) where attributes <> '{}';
-- Not led by org_id: a kept plan of the list would take another index that begins as the list's does, and sort.
create index on public.products (category_id, org_id);
create index on public.products (brand_id, org_id);
create index on public.products (tax_class_id, org_id);

-- Functions ---------------------------------------------------------------------------------------

create function private.refuse_if_used() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key record;
  v_used boolean;
begin
  -- Whoever is about to refer to the row holds a lock on it until he commits: wait for him, and keep the next one off.
  execute format('select from %I.%I where org_id = $1 and id = $2 for update', tg_table_schema, tg_table_name)
  using old.org_id, old.id;
  for v_key in
    select n.nspname as schema_name, t.relname as table_name, here.attname as column_name
    from pg_catalog.pg_constraint c
    join pg_catalog.pg_class t on t.oid = c.conrelid
    join pg_catalog.pg_namespace n on n.oid = t.relnamespace
    cross join lateral unnest(c.conkey, c.confkey) as k (here, there)
    join pg_catalog.pg_attribute here on here.attrelid = c.conrelid and here.attnum = k.here
    join pg_catalog.pg_attribute there on there.attrelid = c.confrelid and there.attnum = k.there
      and there.attname = 'id'
    where c.contype = 'f' and c.confrelid = tg_relid and c.confdeltype in ('a', 'r') and c.conparentid = 0
    order by t.relname
  loop
    execute format('select exists (select from %I.%I where org_id = $1 and %I = $2)', v_key.schema_name,
      v_key.table_name,
      v_key.column_name)
    into v_used using old.org_id, old.id;
    if v_used then
      perform private.fail(409, 'in_use', 'This is in use: archive it instead.',
        jsonb_build_object('id', old.id, 'used_by', v_key.table_name));
    end if;
  end loop;
  return old;
end;
$$;

comment on function private.refuse_if_used() is
'Row trigger, before delete, of catalogue tables: what any row of any table refers to stays, and is archived instead. It
asks every foreign key that points here and does not cascade, those of later rooms too. Errors: 409 in_use with used_by,
a table.';

create function private.queue_category_moves() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  -- In order, because somebody may belong to several organisations.
  perform pg_advisory_xact_lock(hashtextextended('categories:' || o.id, 0))
  from (select m.id from private.member_orgs() m (id) order by 1) o;
  return null;
end;
$$;

comment on function private.queue_category_moves() is
'Statement trigger, before categories are moved: the moves of an organisation come one after another, before any of them
locks a row. Each locks its own row and reads its parent''s, so moves in a circle would wait for one another for ever.';

create function private.check_category() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.parent_id is null or (tg_op = 'UPDATE' and new.parent_id is not distinct from old.parent_id) then
    return null;
  end if;
  -- Two moves at once could close a circle that neither sees. Who is no member, such as a job, waits here only.
  perform pg_advisory_xact_lock(hashtextextended('categories:' || new.org_id, 0));
  if (select archived_at is not null from public.categories where org_id = new.org_id and id = new.parent_id) then
    perform private.fail(422, 'category_archived', 'The category above it is archived.',
      jsonb_build_object('field', 'parent_id', 'parent_id', new.parent_id));
  end if;
  if exists (
    with recursive above as (
      select c.id, c.parent_id from public.categories c where c.org_id = new.org_id and c.id = new.parent_id
      union
      select c.id, c.parent_id from above a join public.categories c on c.org_id = new.org_id and c.id = a.parent_id
    )
    select from above where id = new.id) then
    perform private.fail(422, 'category_cycle', 'A category cannot lie within itself.',
      jsonb_build_object('field', 'parent_id', 'id', new.id, 'parent_id', new.parent_id));
  end if;
  return null;
end;
$$;

comment on function private.check_category() is
'Row trigger, after a category is placed or moved. Errors: 422 category_cycle, category_archived. A parent of another
organisation is refused by the foreign key.';

create function private.trace_category() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.parent_id is not distinct from old.parent_id then
    return null;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('categories:' || new.org_id, 0));
  -- A statement may bring a category before the one above it; whichever trigger comes last then finds both.
  insert into private.category_paths (org_id, category_id, path)
  with recursive within as (
    select new.id as id, coalesce((
      select k.path from private.category_paths k where k.org_id = new.org_id and k.category_id = new.parent_id), '{}')
        || new.id as path
    union all
    select c.id, w.path || c.id from within w join public.categories c on c.org_id = new.org_id and c.parent_id = w.id
  )
  select new.org_id, w.id, w.path from within w
  on conflict (org_id, category_id) do update set path = excluded.path;
  return null;
end;
$$;

comment on function private.trace_category() is
'Row trigger, after a category is placed or moved and was found to close no circle: writes its path and those of all
beneath it. No errors.';

create function private.categories_within(p_org_id uuid, p_category_id uuid) returns setof uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with recursive within as (
    select c.id from public.categories c where c.org_id = p_org_id and c.id = p_category_id
    union
    select c.id from within w join public.categories c on c.org_id = p_org_id and c.parent_id = w.id
  )
  select w.id from within w;
end;
$$;

comment on function private.categories_within(uuid, uuid) is
'The category and all beneath it. p_org_id; p_category_id. None when there is no such category.';

create function public.category_tree(p_org_id uuid)
returns table (id uuid, parent_id uuid, name text, path text[], depth integer, products bigint, products_within bigint,
  archived_at timestamptz)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('catalogue.read', p_org_id);
  return query
  with recursive tree as (
    select c.id, c.parent_id, c.archived_at, array[c.name] as names, array[c.id] as ids
    from public.categories c where c.org_id = p_org_id and c.parent_id is null
    union all
    select c.id, c.parent_id, c.archived_at, t.names || c.name, t.ids || c.id
    from tree t join public.categories c on c.org_id = p_org_id and c.parent_id = t.id
  ), own as (
    select p.category_id, count(*) as products from public.products p
    where p.org_id = p_org_id and p.category_id is not null and p.archived_at is null group by 1
  ), sums as (
    select a.id, sum(o.products) as products
    from tree t cross join lateral unnest(t.ids) as a (id) join own o on o.category_id = t.id group by 1
  )
  select t.id, t.parent_id, t.names[cardinality(t.names)], t.names, cardinality(t.names), coalesce(o.products, 0),
    coalesce(s.products, 0)::bigint, t.archived_at
  from tree t left join own o on o.category_id = t.id left join sums s on s.id = t.id
  order by t.names, t.id;
end;
$$;

comment on function public.category_tree(uuid) is
'All categories of an organisation in the order of the tree. p_org_id. Each row: id, parent_id, name; path: the names
from the top down to it; depth: 1 at the top; products: how many products in use it holds itself, products_within: with
all beneath it; archived_at. Errors: 401, 404 not_found, 403 permission_denied. Permission: catalogue.read.';
revoke execute on function public.category_tree(uuid) from public, anon;
grant execute on function public.category_tree(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t20_queue_category_moves before update of parent_id on public.categories
  for each statement execute function private.queue_category_moves();
create trigger t50_check_category after insert or update of parent_id on public.categories
  for each row execute function private.check_category();
-- Triggers of one kind fire by name: this one after the one that refuses circles.
create trigger t60_trace_category after insert or update of parent_id on public.categories
  for each row execute function private.trace_category();
create trigger t10_refuse_if_used before delete on public.categories for each row
  execute function private.refuse_if_used();
create trigger t10_refuse_if_used before delete on public.brands for each row execute function private.refuse_if_used();
create trigger t10_refuse_if_used before delete on public.products for each row
  execute function private.refuse_if_used();
create trigger t10_refuse_if_used before delete on public.product_variants for each row
  execute function private.refuse_if_used();

create trigger t90_touch_updated_at before update on public.tax_classes for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.categories for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.brands for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.products for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.product_variants for each row
  execute function private.touch_updated_at();

select audit.attach('public.tax_classes');
select audit.attach('public.tax_rates');
select audit.attach('public.categories');
select audit.attach('public.brands');
select audit.attach('public.products');
select audit.attach('public.product_variants');

-- Policies ----------------------------------------------------------------------------------------

alter table public.units enable row level security;
create policy "Anyone reads units" on public.units for select to anon, authenticated using (true);

alter table public.tax_classes enable row level security;
create policy "Who holds catalogue.read reads tax classes" on public.tax_classes for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds tax classes" on public.tax_classes for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes tax classes" on public.tax_classes for update to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));

alter table public.tax_rates enable row level security;
create policy "Who holds catalogue.read reads tax rates" on public.tax_rates for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds tax rates" on public.tax_rates for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));

alter table public.categories enable row level security;
alter table private.category_paths enable row level security;
create policy "Who holds catalogue.read reads categories" on public.categories for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds categories" on public.categories for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes categories" on public.categories for update to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes categories nothing uses" on public.categories for delete
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

alter table public.brands enable row level security;
create policy "Who holds catalogue.read reads brands" on public.brands for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds brands" on public.brands for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes brands" on public.brands for update to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes brands nothing uses" on public.brands for delete to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

alter table public.products enable row level security;
create policy "Who holds catalogue.read reads products" on public.products for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds products" on public.products for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes products" on public.products for update to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes products nothing uses" on public.products for delete to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

alter table public.product_variants enable row level security;
create policy "Who holds catalogue.read reads variants" on public.product_variants for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds variants" on public.product_variants for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes variants" on public.product_variants for update to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes variants nothing uses" on public.product_variants for delete
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

-- Grants ------------------------------------------------------------------------------------------
-- What documents refer to is archived. Only what nothing refers to can be deleted: private.refuse_if_used sees to it.

grant select on public.units to anon, authenticated;
grant select on public.tax_classes, public.tax_rates, public.categories, public.brands, public.products,
  public.product_variants to authenticated;
grant delete on public.categories, public.brands, public.products, public.product_variants to authenticated;
grant insert (id, org_id, code, name, kind, reverse_charge) on public.tax_classes to authenticated;
grant update (name) on public.tax_classes to authenticated;
grant insert (id, org_id, tax_class_id, region, component, rate, compounds, cess_rate, cess_per_unit, valid_from)
  on public.tax_rates to authenticated;
grant insert (id, org_id, parent_id, name) on public.categories to authenticated;
grant update (parent_id, name, archived_at) on public.categories to authenticated;
grant insert (id, org_id, name) on public.brands to authenticated;
grant update (name, archived_at) on public.brands to authenticated;
grant insert (id, org_id, category_id, brand_id, name, description, kind, hsn_code, tax_class_id, unit_code,
  warranty_months)
  on public.products to authenticated;
grant update (category_id, brand_id, name, description, hsn_code, tax_class_id, warranty_months, archived_at)
  on public.products to authenticated;
grant insert (id, org_id, product_id, sku, name, barcode, attributes, price, price_includes_tax, tracking)
  on public.product_variants to authenticated;
grant update (sku, name, barcode, attributes, price, price_includes_tax, tracking, archived_at)
  on public.product_variants to authenticated;
