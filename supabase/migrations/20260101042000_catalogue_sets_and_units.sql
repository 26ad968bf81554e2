-- Sold by the metre, bought by the roll; and sets, which are sold as one and stocked as the goods they consist of.

-- Tables ------------------------------------------------------------------------------------------

create table public.product_units (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null,
  product_id uuid not null,
  unit_code text not null references public.units (code),
  factor numeric(14, 6) not null check (factor > 0 and factor < 1e8),
  price numeric(14, 2) check (price between 0 and 999999999999.99),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  unique (org_id, product_id, unit_code),
  foreign key (org_id, product_id) references public.products (org_id, id) on delete cascade
);

comment on table public.product_units is
'Units in which a product is traded besides its own. factor: how many of the product''s unit one of these is (a roll of
30 metres: 30). price: of one of these, in the organisation''s currency; null for factor times the variant''s price.';

create table public.set_components (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null,
  set_variant_id uuid not null,
  component_variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity > 0 and quantity < 1e6),
  position integer not null default 0 check (position between 0 and 10000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (id, org_id),
  primary key (org_id, set_variant_id, component_variant_id),
  foreign key (org_id, set_variant_id) references public.product_variants (org_id, id) on delete cascade,
  foreign key (org_id, component_variant_id) references public.product_variants (org_id, id)
);

comment on table public.set_components is
'What a set consists of: quantity of the component, in its unit, in one set; position: the order on documents. The set
is a variant of a product of kind set, the component one of kind goods.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.product_units (org_id, unit_code, id);
create index on public.set_components (org_id, position, id);
create index on public.set_components (org_id, component_variant_id);

-- Functions ---------------------------------------------------------------------------------------

create function private.check_product_unit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.unit_code = (select p.unit_code from public.products p where p.org_id = new.org_id
    and p.id = new.product_id) then
    perform private.fail(422, 'unit_is_base', 'This is the unit of the product itself.',
      jsonb_build_object('field', 'unit_code', 'unit', new.unit_code));
  end if;
  return null;
end;
$$;

comment on function private.check_product_unit() is
'Row trigger, after a unit is added to a product. Errors: 422 unit_is_base.';

create function private.check_set_component() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_set_kind text;
  v_component record;
begin
  select p.kind into v_set_kind
  from public.product_variants v join public.products p on p.org_id = v.org_id and p.id = v.product_id
  where v.org_id = new.org_id and v.id = new.set_variant_id;
  select p.kind, u.decimals, coalesce(v.archived_at, p.archived_at) as archived_at into v_component
  from public.product_variants v
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.units u on u.code = p.unit_code
  where v.org_id = new.org_id and v.id = new.component_variant_id;
  if v_set_kind <> 'set' or v_component.kind <> 'goods' then
    perform private.fail(422, 'set_incomplete',
      'A product of kind set is made of goods, not of services or other sets.',
      jsonb_build_object('set_variant_id', new.set_variant_id, 'component_variant_id', new.component_variant_id));
  end if;
  if v_component.archived_at is not null or new.quantity <> round(new.quantity, v_component.decimals) then
    perform private.fail(400, 'invalid_input', 'The component is archived, or is not counted in fractions so small.',
      jsonb_build_object('field', 'quantity', 'component_variant_id', new.component_variant_id));
  end if;
  return null;
end;
$$;

comment on function private.check_set_component() is
'Row trigger, after a component is added to a set or its quantity changed. Errors: 422 set_incomplete, 400
invalid_input.';

create function private.check_set_unit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if (select u.decimals from public.units u where u.code = new.unit_code) > 0 then
    perform private.fail(422, 'set_unit_fractional',
      'A set is counted: half of one would be half of each of its pieces.',
      jsonb_build_object('field', 'unit_code', 'unit', new.unit_code));
  end if;
  return null;
end;
$$;

comment on function private.check_set_unit() is
'Row trigger, after a product of kind set is added or its unit changed: sets come whole, and so do their components,
whatever unit they are traded in. Errors: 422 set_unit_fractional.';

create function private.in_base(p_quantity numeric, p_factor numeric, p_decimals integer) returns numeric
language plpgsql immutable
set search_path = ''
as $$
declare
  -- What is measured is rounded to the last place it is measured in; what is counted comes out whole or not at all.
  v_quantity numeric := case when p_decimals = 0 then p_quantity * p_factor
    else round(p_quantity * p_factor, p_decimals) end;
begin
  return case when v_quantity = round(v_quantity, p_decimals) and v_quantity < 1e9
    and (v_quantity > 0 or p_quantity = 0)
    then v_quantity end;
end;
$$;

comment on function private.in_base(numeric, numeric, integer) is
'A quantity of another unit in the product''s own; the one rule of conversion. p_quantity: 0 or more; p_factor: how many
of the product''s unit one of the other is; p_decimals: of the product''s unit. Rounded half up where that is measured
(metres); null where it is counted (pieces) and not whole, where nothing is left of it, and from a thousand million on.
No errors.';

create function private.base_part(p_base numeric, p_quantity numeric, p_from numeric, p_to numeric,
  p_decimals integer) returns numeric
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_decimals = 0 and p_base * (p_to - p_from) % p_quantity <> 0 then null
    else round(p_base * p_to / p_quantity, p_decimals) - round(p_base * p_from / p_quantity, p_decimals) end;
end;
$$;

comment on function private.base_part(numeric, numeric, numeric, numeric, integer) is
'The part of a line from one quantity to another, in the product''s own unit: parts that follow one another sum to
exactly the line. p_base: the whole line, in the product''s unit; p_quantity: the same in the line''s; p_from, p_to: in
the line''s, 0 to p_quantity; p_decimals: of the product''s unit. Null where that is counted and the part is not whole;
0 where it is too small to measure. No errors.';

create function private.base_quantity(p_org_id uuid, p_variant_id uuid, p_quantity numeric, p_unit text) returns numeric
language plpgsql stable
set search_path = ''
as $$
declare
  v_product record;
  v_other record;
  v_quantity numeric;
begin
  if p_unit is null then
    return p_quantity;
  end if;
  select p.id, p.unit_code, u.decimals into v_product
  from public.product_variants v
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.units u on u.code = p.unit_code
  where v.org_id = p_org_id and v.id = p_variant_id;
  if p_unit = v_product.unit_code then
    v_quantity := case when p_quantity = round(p_quantity, v_product.decimals) then p_quantity end;
  else
    select t.factor, u.decimals into v_other
    from public.product_units t join public.units u on u.code = t.unit_code
    where t.org_id = p_org_id and t.product_id = v_product.id and t.unit_code = p_unit;
    if v_other.factor is null then
      perform private.fail(422, 'unit_unknown', format('This product is not counted in %s.', left(p_unit, 20)),
        jsonb_build_object('variant_id', p_variant_id, 'unit', left(p_unit, 20)));
    elsif p_quantity = round(p_quantity, v_other.decimals) then
      v_quantity := private.in_base(p_quantity, v_other.factor, v_product.decimals);
    end if;
  end if;
  if v_quantity is null then
    perform private.fail(400, 'invalid_input', format('%s %s is no quantity in %s.', trim_scale(p_quantity), p_unit,
      v_product.unit_code), jsonb_build_object('field', 'quantity', 'variant_id', p_variant_id, 'unit', p_unit));
  end if;
  return trim_scale(v_quantity);
end;
$$;

comment on function private.base_quantity(uuid, uuid, numeric, text) is
'A quantity in the product''s own unit. p_org_id; p_variant_id; p_quantity: in p_unit; p_unit: a unit''s code, null for
the product''s own, which costs no look-up. With no more places than p_unit has, converted by private.in_base;
0 stays 0. Errors: 422 unit_unknown, 400 invalid_input.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t50_check_product_unit after insert on public.product_units for each row
  execute function private.check_product_unit();
create trigger t50_check_set_unit after insert or update of kind, unit_code on public.products
  for each row when (new.kind = 'set') execute function private.check_set_unit();
create trigger t50_check_set_component after insert or update of quantity on public.set_components
  for each row execute function private.check_set_component();
create trigger t90_touch_updated_at before update on public.product_units for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.set_components for each row
  execute function private.touch_updated_at();
select audit.attach('public.product_units');
select audit.attach('public.set_components', 'set_variant_id', 'component_variant_id');

-- Policies ----------------------------------------------------------------------------------------

alter table public.product_units enable row level security;
create policy "Who holds catalogue.read reads the units of products" on public.product_units for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds units to products" on public.product_units for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes the units of products" on public.product_units for update
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes units of products" on public.product_units for delete to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

alter table public.set_components enable row level security;
create policy "Who holds catalogue.read reads what sets consist of" on public.set_components for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds components to sets" on public.set_components for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes the components of sets" on public.set_components for update
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes components of sets" on public.set_components for delete
  to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

-- Grants ------------------------------------------------------------------------------------------

grant select, delete on public.product_units, public.set_components to authenticated;
grant insert (id, org_id, product_id, unit_code, factor, price) on public.product_units to authenticated;
grant update (factor, price) on public.product_units to authenticated;
grant insert (id, org_id, set_variant_id, component_variant_id, quantity, position) on public.set_components
  to authenticated;
grant update (quantity, position) on public.set_components to authenticated;
