-- What a set is made of, and in which other units a product is bought and sold.

-- Tables ------------------------------------------------------------------------------------------

create table public.set_components (
  org_id uuid not null,
  set_variant_id uuid not null,
  component_variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity > 0 and quantity < 1000000),
  position integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, set_variant_id, component_variant_id),
  foreign key (org_id, set_variant_id) references public.product_variants (org_id, id),
  foreign key (org_id, component_variant_id) references public.product_variants (org_id, id),
  check (set_variant_id <> component_variant_id)
);

comment on table public.set_components is
'What a set stands for: so many of each component in one set. quantity: in the component''s unit. Documents keep the set and
the components as they were on the day.';

create table public.product_units (
  org_id uuid not null,
  product_id uuid not null,
  unit_code text not null references public.units (code),
  factor numeric(14, 6) not null check (factor > 0 and factor < 1000000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, product_id, unit_code),
  foreign key (org_id, product_id) references public.products (org_id, id)
);

comment on table public.product_units is
'Other units of a product: bought by the roll, sold by the metre. factor: how many of the product''s own unit one of these is.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.set_components (org_id, component_variant_id);

-- Functions ---------------------------------------------------------------------------------------

create function private.base_quantity(p_org_id uuid, p_variant_id uuid, p_quantity numeric, p_unit text) returns numeric
language plpgsql stable
set search_path = ''
as $$
declare
  v_factor numeric;
begin
  select case when p.unit_code = p_unit then 1 else (
      select u.factor from public.product_units u
      where u.org_id = p_org_id and u.product_id = p.id and u.unit_code = p_unit) end into v_factor
  from public.product_variants v join public.products p on p.org_id = v.org_id and p.id = v.product_id
  where v.org_id = p_org_id and v.id = p_variant_id;
  if v_factor is null then
    perform private.fail(422, 'unit_unknown', format('This product is not counted in %s.', coalesce(p_unit, 'that unit')),
      jsonb_build_object('variant_id', p_variant_id, 'unit', p_unit));
  end if;
  return trim_scale(p_quantity * v_factor);
end;
$$;

comment on function private.base_quantity(uuid, uuid, numeric, text) is
'A quantity in another unit of the product, in the product''s own unit. p_unit: a code of public.units. Errors: 422 unit_unknown.';

create function private.check_set_component() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_set text := (
    select p.kind from public.product_variants v join public.products p on p.org_id = v.org_id and p.id = v.product_id
    where v.org_id = new.org_id and v.id = new.set_variant_id);
  v_component record;
begin
  select p.kind, u.decimals, coalesce(v.archived_at, p.archived_at) as archived_at into v_component
  from public.product_variants v
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.units u on u.code = p.unit_code
  where v.org_id = new.org_id and v.id = new.component_variant_id;
  if v_set is distinct from 'set' or v_component.kind is distinct from 'goods' then
    perform private.fail(422, 'set_incomplete', 'A product of kind set is made of goods, not of services or other sets.',
      jsonb_build_object('set_variant_id', new.set_variant_id, 'component_variant_id', new.component_variant_id));
  end if;
  if v_component.archived_at is not null or new.quantity <> round(new.quantity, v_component.decimals) then
    perform private.fail(400, 'invalid_input', 'The component is archived, or is not counted in fractions so small.',
      jsonb_build_object('field', 'quantity', 'component_variant_id', new.component_variant_id));
  end if;
  return new;
end;
$$;

comment on function private.check_set_component() is
'Row trigger: a set is made of goods, in quantities that their unit allows. Errors: 422 set_incomplete, 400 invalid_input.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger check_component before insert or update on public.set_components
  for each row execute function private.check_set_component();
create trigger touch before update on public.set_components for each row execute function private.touch_updated_at();
create trigger touch before update on public.product_units for each row execute function private.touch_updated_at();
select audit.attach('public.set_components', 'set_variant_id', 'component_variant_id');
select audit.attach('public.product_units', 'product_id', 'unit_code');

-- Policies ----------------------------------------------------------------------------------------

alter table public.set_components enable row level security;
create policy "Who holds catalogue.read reads what sets are made of" on public.set_components for select to authenticated
  using (org_id in (select private.orgs_with('catalogue.read')));
create policy "Who holds catalogue.manage adds components" on public.set_components for insert to authenticated
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage changes components" on public.set_components for update to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')))
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage takes components out" on public.set_components for delete to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')));

alter table public.product_units enable row level security;
create policy "Who holds catalogue.read reads the units of products" on public.product_units for select to authenticated
  using (org_id in (select private.orgs_with('catalogue.read')));
create policy "Who holds catalogue.manage adds units to products" on public.product_units for insert to authenticated
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage changes the units of products" on public.product_units for update to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')))
  with check (org_id in (select private.orgs_with('catalogue.manage')));
create policy "Who holds catalogue.manage takes units off products" on public.product_units for delete to authenticated
  using (org_id in (select private.orgs_with('catalogue.manage')));

-- Grants ------------------------------------------------------------------------------------------

grant select, delete on public.set_components, public.product_units to authenticated;
grant insert (org_id, set_variant_id, component_variant_id, quantity, position) on public.set_components to authenticated;
grant update (quantity, position) on public.set_components to authenticated;
grant insert (org_id, product_id, unit_code, factor) on public.product_units to authenticated;
grant update (factor) on public.product_units to authenticated;
