-- The lines of a sale: read, priced and taxed, as the caller may sell them.

select private.add_permissions('[
  {"code": "sale.create", "description": "Sell over the counter", "roles": ["cashier", "sales_executive"]},
  {"code": "sale.backdate", "description": "Post a sale with an earlier date", "roles": []}
]');

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('invoice', 'new', 'sent', 'sale.create'),
  ('invoice', 'new', 'partially_paid', 'sale.create'),
  ('invoice', 'new', 'paid', 'sale.create'),
  ('stock_reservation', 'active', 'fulfilled', 'sale.create');

-- Input -------------------------------------------------------------------------------------------

select private.declare_shape('sale_lines',
  '{"variant_id": "uuid!", "quantity": "quantity!", "unit": "text", "unit_price": "amount", "discount": "amount",
    "serials": "serials", "batch": "text"}',
  array['quote_sale.p_lines', 'post_sale.p_lines', 'post_exchange.p_lines'], '{1, 2000}');

create function private.selling_location(p_org_id uuid, p_branch_id uuid, p_location_id uuid, p_field text) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_sellable boolean := (
    select is_sellable from public.locations
    where org_id = p_org_id and branch_id = p_branch_id and id = p_location_id and archived_at is null);
begin
  if v_sellable is null then
    perform private.fail(404, 'not_found', 'The branch has no such location.', jsonb_build_object('field', p_field));
  elsif not v_sellable then
    perform private.fail(422, 'location_not_sellable', 'Goods in quarantine are not sold.',
      jsonb_build_object('field', p_field));
  end if;
end;
$$;

comment on function private.selling_location(uuid, uuid, uuid, text) is
'A location of the branch that goods are sold from. Errors: 404 not_found, 422 location_not_sellable.';

-- Parties as documents keep them ------------------------------------------------------------------

-- Pricing -----------------------------------------------------------------------------------------

create type private.sale_line as (
  line_no integer,
  variant_id uuid,
  sku text,
  description text,
  hsn_code text,
  unit text,
  quantity numeric(14, 3),
  base_quantity numeric(14, 3),
  set_items jsonb,
  serials text[],
  unit_price numeric(14, 2),
  list_price numeric(14, 2),
  price_list text,
  price_includes_tax boolean,
  discount numeric(14, 2),
  document_discount numeric(14, 2),
  taxable numeric,
  tax_kind text,
  tax_rate numeric(6, 3),
  taxes jsonb,
  tax numeric,
  total numeric,
  offers jsonb,
  stocked boolean,
  batch text,
  product_id uuid,
  category_id uuid,
  terms private.tax_terms
);

comment on type private.sale_line is
'A line of a sale while it is priced: the columns of an invoice''s line, then what the invoice does not keep. stocked:
it leaves stock; batch: the lot asked for; product_id, category_id, terms (the rates): what private.apply_offers asks of
it.';

create function private.sale_lines_json(p_lines private.sale_line[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  v_line private.sale_line;
  v_lines jsonb[] := array[]::jsonb[];
begin
  foreach v_line in array p_lines loop
    v_lines := v_lines || jsonb_build_object(
      'line_no', v_line.line_no, 'variant_id', v_line.variant_id, 'sku', v_line.sku, 'description', v_line.description,
      'hsn_code', v_line.hsn_code, 'unit', v_line.unit, 'quantity', v_line.quantity, 'base_quantity',
        v_line.base_quantity,
      'set_items', v_line.set_items, 'serials', v_line.serials, 'unit_price', v_line.unit_price,
      'list_price', v_line.list_price, 'price_list', v_line.price_list, 'price_includes_tax', v_line.price_includes_tax,
      'discount', v_line.discount, 'document_discount', v_line.document_discount, 'taxable', v_line.taxable, 'tax_kind',
      v_line.tax_kind, 'tax_rate', v_line.tax_rate,
      'taxes', v_line.taxes, 'tax', v_line.tax, 'total', v_line.total, 'offers', v_line.offers);
  end loop;
  return to_jsonb(v_lines);
end;
$$;

comment on function private.sale_lines_json(private.sale_line[]) is 'Lines of a sale as its document shows them.';

create function private.set_items(p_org_id uuid, p_set_variant_id uuid, p_quantity numeric) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_agg(jsonb_build_object('variant_id', x.id, 'sku', x.sku, 'name', x.name,
      'quantity', round(t.quantity * p_quantity, 3)) order by t.position, x.sku)
    from public.set_components t join public.product_variants x on x.org_id = t.org_id and x.id = t.component_variant_id
    where t.org_id = p_org_id and t.set_variant_id = p_set_variant_id);
end;
$$;

comment on function private.set_items(uuid, uuid, numeric) is
'What p_quantity of a set stand for, as its line keeps it; null when the set has no components. No errors.';

create function private.price_lines(p_org_id uuid, p_lines jsonb, p_supply private.supply, p_date date,
  p_branch_id uuid,
  p_customer_group_id uuid)
returns private.sale_line[]
language plpgsql stable
set search_path = ''
as $$
declare
  -- Who has no price lists pays nothing for them, and nobody's limit is asked for who gives no discount.
  v_has_lists boolean := exists (select from public.price_lists l where l.org_id = p_org_id and l.archived_at is null);
  v_limit numeric := case when jsonb_path_exists(p_lines, '$[*].discount ? (@ > 0)')
    then private.discount_limit(p_org_id) end;
  v_found record;
  v_line private.sale_line;
  v_lines private.sale_line[] := array[]::private.sale_line[];
  v_problem text;
  v_problems text[] := array[]::text[];
  v_wrong boolean := false;
  v_other record;
  v_listed private.listed_price;
  v_all_listed private.listed_price[];
  v_asked_ids uuid[] := array[]::uuid[];
  v_asked_quantities numeric[] := array[]::numeric[];
  v_quantity numeric;
  v_factor numeric;
  v_base numeric;
  v_price numeric;
  v_asked_price numeric;
  v_gross numeric;
  v_classes uuid[] := array[]::uuid[];
  v_terms private.tax_terms[] := array[]::private.tax_terms[];
  v_class integer;
  v_ids uuid[] := array[]::uuid[];
  v_crumbs numeric[] := array[]::numeric[];
  v_place integer;
begin
  if v_has_lists then
    for i in 0 .. jsonb_array_length(p_lines) - 1 loop
      v_asked_ids := v_asked_ids || (p_lines -> i ->> 'variant_id')::uuid;
      v_asked_quantities := v_asked_quantities || (p_lines -> i -> 'quantity')::numeric;
    end loop;
    v_all_listed := private.list_prices(p_org_id, p_branch_id, p_customer_group_id,
      v_asked_ids, v_asked_quantities, p_date);
  end if;
  for v_found in
    -- One look-up by key per line, whatever the planner believes of tables that were never analysed.
    select t.place::integer as place, v.id, v.product_id, v.price, v.tracking, coalesce(v.archived_at, p.archived_at)
      as archived_at,
      p.kind, p.unit_code, u.decimals, c.id as tax_class_id, c.kind as class_kind, c.reverse_charge,
      (t.line -> 'quantity')::numeric as quantity, (nullif(t.line -> 'unit_price', 'null'))::numeric as unit_price,
      row (t.place, t.line ->> 'variant_id', v.sku, v.name, p.hsn_code, coalesce(t.line ->> 'unit', p.unit_code),
        t.line -> 'quantity',
        null, null, case when t.line ->> 'serials' is not null then private.texts(t.line -> 'serials') end, null, null,
          null,
        v.price_includes_tax, coalesce((nullif(t.line -> 'discount', 'null'))::numeric, 0), 0, null, null, null, null,
          null, null, '[]',
        p.kind <> 'service', t.line ->> 'batch', v.product_id, p.category_id, null)::private.sale_line as line
    from jsonb_array_elements(p_lines) with ordinality t (line, place)
    left join lateral (
      select * from public.product_variants x where x.org_id = p_org_id and x.id = (t.line ->> 'variant_id')::uuid
        limit 1) v on true
    left join lateral (
      select * from public.products x where x.org_id = p_org_id and x.id = v.product_id limit 1) p on true
    left join public.units u on u.code = p.unit_code
    left join lateral (
      select * from public.tax_classes x where x.org_id = p_org_id and x.id = p.tax_class_id limit 1) c on true
    order by t.place
  loop
    v_line := v_found.line;
    v_quantity := v_found.quantity;

    -- In which unit, at which price.
    v_factor := 1;
    v_base := v_quantity;
    v_price := v_found.price;
    if v_line.unit <> v_found.unit_code then
      select t.factor, t.price, u.decimals into v_other
      from public.product_units t join public.units u on u.code = t.unit_code
      where t.org_id = p_org_id and t.product_id = v_found.product_id and t.unit_code = v_line.unit limit 1;
      v_factor := v_other.factor;
      -- A counted unit is not divided, though what is in it could be.
      v_base := case when v_quantity = round(v_quantity, v_other.decimals)
        then private.in_base(v_quantity, v_factor, v_found.decimals) end;
      v_price := coalesce(v_other.price, case when v_factor = 1 then v_price else round(v_price * v_factor, 2) end);
    end if;
    v_line.base_quantity := v_base;
    if v_has_lists then
      v_listed := v_all_listed[v_found.place];
      if v_line.unit <> v_found.unit_code then
        v_listed := (private.list_prices(p_org_id, p_branch_id, p_customer_group_id, array[v_line.variant_id],
          array[v_base],
          p_date))[1];
      end if;
      if v_listed.price is not null then
        v_price := round(v_listed.price * v_factor, 2);
        v_line.price_list := v_listed.price_list;
      end if;
    end if;
    v_asked_price := coalesce(v_found.unit_price, v_price);
    v_line.list_price := v_price;
    v_line.unit_price := v_asked_price;
    if v_found.kind = 'set' then
      v_line.set_items := private.set_items(p_org_id, v_found.id, v_base);
    end if;
    v_gross := round(v_quantity * v_asked_price, 2);

    -- At which tax; a sale has few classes, and each is asked for its rates once.
    v_line.tax_kind := private.tax_kind_of(v_found.class_kind, v_found.reverse_charge, p_supply);
    if v_found.class_kind = 'taxable' then
      v_class := array_position(v_classes, v_found.tax_class_id);
      if v_class is null then
        v_classes := v_classes || v_found.tax_class_id;
        v_class := cardinality(v_classes);
        v_terms := v_terms || private.tax_terms_of(p_org_id, v_found.tax_class_id, p_supply, p_date);
      end if;
      v_line.terms := v_terms[v_class];
    end if;
    v_line.tax_rate := case when v_line.tax_kind in ('taxable', 'reverse_charge') then (v_line.terms).rate else 0 end;

    v_place := array_position(v_ids, v_line.variant_id);
    if v_place is null then
      v_ids := v_ids || v_line.variant_id;
      v_place := cardinality(v_ids);
      v_crumbs := v_crumbs || 0.0;
    end if;
    -- What rounding takes off all lines of a variant together: cut into crumbs, goods would cost nothing.
    v_crumbs[v_place] := v_crumbs[v_place] + coalesce(abs(v_quantity * v_asked_price - v_gross), 0);
    v_problem := case
      when v_found.id is null then 'not_found'
      when v_found.archived_at is not null then 'variant_archived'
      when v_factor is null then 'unit_unknown'
      when v_base is null or v_base <> round(v_base, v_found.decimals) then 'quantity_decimals'
      when v_found.kind = 'set' and v_line.set_items is null then 'set_incomplete'
      when v_found.kind <> 'set' and ((v_line.serials is not null and v_found.tracking <> 'serial')
        or (v_line.batch is not null and v_found.tracking <> 'batch')) then 'not_tracked'
      when v_crumbs[v_place] > 0.05 then 'split_lines'
      when v_gross >= 1e11 then 'amount_too_large'
      when v_line.discount > v_gross then 'discount_above_price'
      when v_line.tax_kind in ('taxable', 'reverse_charge') and (v_line.terms).rate is null then 'tax_rate_missing'
      when v_line.unit_price <> v_price and not private.permitted('price.override', p_org_id)
        then 'price_override_denied'
      when v_line.discount * 100 > v_gross * v_limit then 'discount_limit' end;
    v_wrong := v_wrong or v_problem is not null;
    v_problems := v_problems || v_problem;
    v_lines := v_lines || v_line;
  end loop;
  if v_wrong then
    for i in 1 .. cardinality(v_lines) loop
      -- Of lines that should be one the last tells, but the first is named.
      if v_problems[i] is null and v_crumbs[array_position(v_ids, v_lines[i].variant_id)] > 0.05 then
        v_problems[i] := 'split_lines';
      end if;
      if v_problems[i] is not null then
        perform private.refuse_line(v_problems[i], v_lines[i], v_limit);
      end if;
    end loop;
  end if;
  return v_lines;
end;
$$;

comment on function private.price_lines(uuid, jsonb, private.supply, date, uuid, uuid) is
'Prices the lines of a sale, as the caller may sell them, in their order, and finds their taxes'' rates; the taxes are
private.priced''s, once all is taken off. base_quantity: in the product''s own unit, where another one was asked for;
set_items: what a set stands for, in all. p_lines: as post_sale takes them; p_supply: as private.place_of_supply found;
p_date: the business date, which chooses the rates; p_branch_id, p_customer_group_id (or null): with the date they
choose the price lists. list_price: what the catalogue asks for one unit; price_list: by which list, null for none.
Errors: those of the first line that has any, as private.refuse_line.';

create function private.refuse_line(p_problem text, p_line private.sale_line, p_limit numeric) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_facts jsonb := jsonb_build_object('line', p_line.line_no, 'variant_id', p_line.variant_id, 'sku', p_line.sku);
begin
  case p_problem
    when 'not_found' then
      perform private.fail(404, 'not_found', format('Line %s: there is no such variant.', p_line.line_no), v_facts);
    when 'variant_archived' then
      perform private.fail(422, 'variant_archived', format('%s is no longer sold.', p_line.sku), v_facts);
    when 'quantity_decimals' then
      perform private.fail(400, 'invalid_input', format('%s is not sold in fractions so small.', p_line.sku), v_facts);
    when 'unit_unknown' then
      perform private.fail(422, 'unit_unknown', format('%s is not sold in this unit.', p_line.sku),
        v_facts || jsonb_build_object('unit', p_line.unit));
    when 'not_tracked' then
      perform private.fail(400, 'invalid_input', format('%s is not tracked in that way.', p_line.sku), v_facts);
    when 'set_incomplete' then
      perform private.fail(422, 'set_incomplete', format('The set %s has no components yet.', p_line.sku), v_facts);
    when 'split_lines' then
      perform private.fail(400, 'invalid_input', format('Put the lines of %s together.', p_line.sku), v_facts);
    when 'amount_too_large' then
      perform private.fail(400, 'invalid_input', format('%s: the amount is too large.', p_line.sku), v_facts);
    when 'discount_above_price' then
      perform private.fail(400, 'invalid_input', format('%s: the discount is above the price.', p_line.sku), v_facts);
    when 'tax_rate_missing' then
      perform private.fail(422, 'tax_rate_missing', format('%s: its tax class has no rate on that date.', p_line.sku),
        v_facts);
    when 'tax_above_price' then
      perform private.fail(422, 'tax_above_price', format('%s: the cess in it is more than its price.', p_line.sku),
        v_facts);
    when 'price_override_denied' then
      perform private.fail(403, 'price_override_denied',
        format('%s: your role sells at the catalogue''s price.', p_line.sku),
        v_facts);
    else
      perform private.fail(422, 'discount_limit', format('%s: your role gives at most %s %% off.', p_line.sku, p_limit),
        v_facts || jsonb_build_object('max_discount_percent', p_limit));
  end case;
end;
$$;

comment on function private.refuse_line(text, private.sale_line, numeric) is
'Raises what private.price_lines found wrong with a line. p_limit: the caller''s largest discount, in percent. Errors:
404 not_found, 422 variant_archived, tax_rate_missing, tax_above_price, discount_limit, unit_unknown, set_incomplete,
403 price_override_denied, 400 invalid_input.';
