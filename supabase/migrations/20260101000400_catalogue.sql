-- Catalogue: what is sold, in which variant, at which price, under which tax class.

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
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  code text not null check (code ~ '^[A-Z0-9_.-]{1,20}$'),
  name text not null check (length(btrim(name)) between 1 and 80),
  kind text not null default 'taxable' check (kind in ('taxable', 'nil_rated', 'exempt', 'zero_rated')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  unique (org_id, code)
);

comment on table public.tax_classes is
'How a product is taxed. Only kind taxable carries rates. nil_rated: a tariff rate of nil; exempt: by notification
(CGST Act 2017, section 2(47)); zero_rated: section 16 of the IGST Act, or its like.';

create table public.tax_rates (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  tax_class_id uuid not null,
  region text check (region ~ '^[A-Z0-9]{1,3}$'),
  rate numeric(6, 3) not null check (rate between 0 and 100),
  valid_from date not null,
  created_at timestamptz not null default now(),
  unique nulls not distinct (org_id, tax_class_id, region, valid_from),
  foreign key (org_id, tax_class_id) references public.tax_classes (org_id, id)
);

comment on table public.tax_rates is
'The rate of a class in percent, from a date on, until the next row. region: a place of supply with a rate of its own, null
for everywhere else. A rate is never edited: a new one begins on a new date.';

create table public.categories (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  parent_id uuid,
  name text not null check (length(btrim(name)) between 1 and 120),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  unique nulls not distinct (org_id, parent_id, name),
  foreign key (org_id, parent_id) references public.categories (org_id, id),
  check (parent_id <> id)
);

comment on table public.categories is 'Groups of products, as a tree.';

create table public.products (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  category_id uuid,
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
  unique (org_id, id),
  foreign key (org_id, category_id) references public.categories (org_id, id),
  foreign key (org_id, tax_class_id) references public.tax_classes (org_id, id)
);

comment on table public.products is
'What is sold. kind goods is stocked, kind service is not, kind set stands for its components. hsn_code: HSN for goods, SAC for services, 4 to 8 digits.';

create table public.product_variants (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  product_id uuid not null,
  sku text not null check (sku ~ '^\S(.{0,58}\S)?$'),
  name text not null check (length(btrim(name)) between 1 and 200),
  barcode text check (length(btrim(barcode)) between 1 and 64),
  attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
  price numeric(14, 2) not null check (price between 0 and 999999999999.99),
  price_includes_tax boolean not null default false,
  tracking text not null default 'none' check (tracking in ('none', 'serial', 'batch')),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  unique (org_id, sku),
  foreign key (org_id, product_id) references public.products (org_id, id)
);

comment on table public.product_variants is
'A product as it stands on the shelf, with its own SKU and price. name: as documents print it. attributes: {"material":
"teak", "colour": "grey"}. price: per unit, in the organisation''s currency; price_includes_tax: whether tax is within it. tracking: whether each piece has a
serial number, or each lot an expiry date.';

-- Indexes -----------------------------------------------------------------------------------------

create unique index on public.product_variants (org_id, barcode) where barcode is not null;
create index on public.product_variants (org_id, product_id);
create index product_variants_search on public.product_variants
  using gin (name extensions.gin_trgm_ops, sku extensions.gin_trgm_ops, barcode extensions.gin_trgm_ops);
create index on public.products (org_id, category_id);
create index on public.products (org_id, tax_class_id);
create index products_search on public.products using gin (name extensions.gin_trgm_ops);

-- Triggers ----------------------------------------------------------------------------------------

create trigger touch before update on public.tax_classes for each row execute function private.touch_updated_at();
create trigger touch before update on public.categories for each row execute function private.touch_updated_at();
create trigger touch before update on public.products for each row execute function private.touch_updated_at();
create trigger touch before update on public.product_variants for each row execute function private.touch_updated_at();

select audit.attach('public.tax_classes');
select audit.attach('public.tax_rates');
select audit.attach('public.categories');
select audit.attach('public.products');
select audit.attach('public.product_variants');

-- Policies ----------------------------------------------------------------------------------------

alter table public.units enable row level security;
create policy "Anyone reads units" on public.units for select to anon, authenticated using (true);

alter table public.tax_classes enable row level security;
create policy "Who holds catalogue.read reads tax classes" on public.tax_classes for select to authenticated
  using (org_id in (select private.orgs_with('catalogue.read')));
create policy "Who holds catalogue.manage adds tax classes" on public.tax_classes for insert to authenticated
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage changes tax classes" on public.tax_classes for update to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')))
  with check (org_id in (select private.orgs_with('catalogue.manage')));

alter table public.tax_rates enable row level security;
create policy "Who holds catalogue.read reads tax rates" on public.tax_rates for select to authenticated
  using (org_id in (select private.orgs_with('catalogue.read')));
create policy "Who holds catalogue.manage adds tax rates" on public.tax_rates for insert to authenticated
  with check (org_id in (select private.orgs_with('catalogue.manage')));

alter table public.categories enable row level security;
create policy "Who holds catalogue.read reads categories" on public.categories for select to authenticated
  using (org_id in (select private.orgs_with('catalogue.read')));
create policy "Who holds catalogue.manage adds categories" on public.categories for insert to authenticated
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage changes categories" on public.categories for update to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')))
  with check (org_id in (select private.orgs_with('catalogue.manage')));

alter table public.products enable row level security;
create policy "Who holds catalogue.read reads products" on public.products for select to authenticated
  using (org_id in (select private.orgs_with('catalogue.read')));
create policy "Who holds catalogue.manage adds products" on public.products for insert to authenticated
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage changes products" on public.products for update to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')))
  with check (org_id in (select private.orgs_with('catalogue.manage')));

alter table public.product_variants enable row level security;
create policy "Who holds catalogue.read reads variants" on public.product_variants for select to authenticated
  using (org_id in (select private.orgs_with('catalogue.read')));
create policy "Who holds catalogue.manage adds variants" on public.product_variants for insert to authenticated
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage changes variants" on public.product_variants for update to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')))
  with check (org_id in (select private.orgs_with('catalogue.manage')));

-- Grants ------------------------------------------------------------------------------------------
-- Nothing of the catalogue is deleted: documents refer to it. It is archived.

grant select on public.units to anon, authenticated;
grant select on public.tax_classes, public.tax_rates, public.categories, public.products, public.product_variants to authenticated;
grant insert (id, org_id, code, name, kind) on public.tax_classes to authenticated;
grant update (name) on public.tax_classes to authenticated;
grant insert (id, org_id, tax_class_id, region, rate, valid_from) on public.tax_rates to authenticated;
grant insert (id, org_id, parent_id, name) on public.categories to authenticated;
grant update (name, archived_at) on public.categories to authenticated;
grant insert (id, org_id, category_id, name, description, kind, hsn_code, tax_class_id, unit_code,
  warranty_months) on public.products to authenticated;
grant update (category_id, name, description, hsn_code, tax_class_id, warranty_months, archived_at) on public.products to authenticated;
grant insert (id, org_id, product_id, sku, name, barcode, attributes, price, price_includes_tax, tracking)
  on public.product_variants to authenticated;
grant update (sku, name, barcode, attributes, price, price_includes_tax, archived_at) on public.product_variants to authenticated;
