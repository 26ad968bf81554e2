-- The lines of a sale: read, priced and taxed, as the caller may sell them.

-- Input -------------------------------------------------------------------------------------------

create function private.check_sale_lines(p_lines jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_known text[] := array['variant_id', 'quantity', 'unit', 'unit_price', 'discount', 'serials', 'batch'];
  v_place bigint;
  v_problem text;
begin
  if p_lines is null or jsonb_typeof(p_lines) <> 'array' or jsonb_array_length(p_lines) not between 1 and 2000 then
    perform private.fail(400, 'invalid_input', 'p_lines must be a JSON array of 1 to 2000 lines.', '{"field": "p_lines"}');
  end if;
  select e.place, e.problem into v_place, v_problem from (select t.place, case
      when jsonb_typeof(t.line) <> 'object' then 'is no object'
      when t.line - v_known <> '{}' then 'has an unknown field, '
        || (select min(k) from jsonb_object_keys(t.line - v_known) k)
      when coalesce(t.line ->> 'variant_id', '') !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then 'needs a variant_id (uuid)'
      when jsonb_typeof(t.line -> 'quantity') is distinct from 'number' then 'needs a quantity (number)'
      when not (t.line -> 'quantity')::numeric between 0.001 and 999999999 then 'needs a quantity above 0'
      when t.line ->> 'unit_price' is not null and not private.is_amount(t.line -> 'unit_price') then 'has no amount as unit_price'
      when t.line ->> 'discount' is not null and not private.is_amount(t.line -> 'discount') then 'has no amount as discount'
      when t.line ->> 'serials' is not null and not private.is_serials(t.line -> 'serials') then 'has no serial numbers as serials'
      when jsonb_typeof(coalesce(t.line -> 'unit', 'null')) not in ('string', 'null') then 'has no text as unit'
      when jsonb_typeof(coalesce(t.line -> 'batch', 'null')) not in ('string', 'null') then 'has no text as batch'
    end as problem
    from jsonb_array_elements(p_lines) with ordinality t (line, place)) e
  where e.problem is not null order by e.place limit 1;
  if v_problem is not null then
    perform private.fail(400, 'invalid_input', format('Line %s %s.', v_place, v_problem),
      jsonb_build_object('field', 'p_lines', 'line', v_place));
  end if;
end;
$$;

comment on function private.check_sale_lines(jsonb) is
'p_lines: [{"variant_id", "quantity", "unit"?, "unit_price"?, "discount"?, "serials"?, "batch"?}], 1 to 2000 of them. Errors: 400
invalid_input with the line.';

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
    perform private.fail(422, 'location_not_sellable', 'Goods in quarantine are not sold.', jsonb_build_object('field', p_field));
  end if;
end;
$$;

comment on function private.selling_location(uuid, uuid, uuid, text) is
'A location of the branch that goods are sold from. Errors: 404 not_found, 422 location_not_sellable.';

-- Parties as documents keep them ------------------------------------------------------------------

create function private.address_json(p_line1 text, p_line2 text, p_city text, p_region_code text, p_postal_code text, p_country text)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('line1', p_line1, 'line2', p_line2, 'city', p_city, 'region_code', p_region_code,
      'region_name', (select name from public.regions where country = p_country and code = p_region_code),
      'postal_code', p_postal_code, 'country', p_country,
      'country_name', (select name from public.countries where code = p_country)));
end;
$$;

comment on function private.address_json(text, text, text, text, text, text) is 'An address as documents keep it.';

create function private.seller_json(p_org public.organizations, p_branch public.branches) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('name', p_org.name, 'legal_name', p_org.legal_name, 'branch_code', p_branch.code,
      'branch_name', p_branch.name, 'tax_number', p_branch.tax_number, 'phone', p_branch.phone, 'email', p_branch.email,
      'upi_id', p_branch.upi_id, 'address', private.address_json(p_branch.address_line1, p_branch.address_line2,
        p_branch.city, p_branch.region_code, p_branch.postal_code, p_branch.country))
      || case when p_org.tax_regime = 'gst'
        then jsonb_build_object('tax_scheme', p_org.tax_scheme, 'lut_number', p_org.lut_number) else '{}' end);
end;
$$;

comment on function private.seller_json(public.organizations, public.branches) is 'The seller as a document keeps him.';

create function private.buyer_json(p_customer public.customers) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select case when p_customer.id is not null then jsonb_build_object('id', p_customer.id, 'name', p_customer.name,
      'tax_number', p_customer.tax_number, 'phone', p_customer.phone, 'email', p_customer.email,
      'address', private.address_json(p_customer.address_line1, p_customer.address_line2, p_customer.city,
        p_customer.region_code, p_customer.postal_code, p_customer.country)) end);
end;
$$;

comment on function private.buyer_json(public.customers) is 'The buyer as a document keeps him; null for a walk-in.';

-- Pricing -----------------------------------------------------------------------------------------

create function private.price_lines(p_org_id uuid, p_lines jsonb, p_supply private.supply, p_date date, p_branch_id uuid,
  p_customer_group_id uuid)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  -- Who has no price lists pays nothing for them.
  v_has_lists boolean := exists (select from public.price_lists l where l.org_id = p_org_id and l.archived_at is null);
begin
  return (
    with limits as (
      select private.discount_limit(p_org_id) as discount_percent,
        private.permitted('price.override', p_org_id) as may_override
    ), asked as (
      select t.place as line_no, (t.line ->> 'variant_id')::uuid as variant_id, (t.line ->> 'quantity')::numeric as quantity,
        (t.line ->> 'unit_price')::numeric as asked_price, coalesce((t.line ->> 'discount')::numeric, 0)::numeric(14, 2) as discount,
        t.line ->> 'unit' as unit, t.line -> 'serials' as serials, t.line -> 'batch' as batch
      from jsonb_array_elements(p_lines) with ordinality t (line, place)
    ), found as (
      select a.line_no, a.variant_id, a.quantity, a.discount, a.serials, a.batch, v.id, v.sku, v.name, v.product_id, p.category_id, k.price, k.price_list, v.tracking,
        v.price_includes_tax, coalesce(v.archived_at, p.archived_at) as archived_at,
        p.kind, p.hsn_code, coalesce(a.unit, p.unit_code) as unit_code, u.decimals, f.factor, f.base_quantity,
        s.items as set_items, coalesce(a.asked_price, k.price)::numeric(14, 2) as unit_price,
        private.tax_kind_of(c.kind, c.reverse_charge, p_supply) as tax_kind,
        round(a.quantity * coalesce(a.asked_price, k.price), 2) as gross, r.terms,
        -- What rounding takes off all lines of a variant together: cut into crumbs, goods would cost nothing.
        sum(abs(a.quantity * coalesce(a.asked_price, k.price) - round(a.quantity * coalesce(a.asked_price, k.price), 2)))
          over (partition by a.variant_id) as rounded_away
      from asked a
      -- One look-up by key per line, whatever the planner believes of tables that were never analysed.
      left join lateral (
        select * from public.product_variants t where t.org_id = p_org_id and t.id = a.variant_id limit 1) v on true
      left join lateral (
        select * from public.products t where t.org_id = p_org_id and t.id = v.product_id limit 1) p on true
      left join public.units u on u.code = p.unit_code
      left join lateral (
        select t.factor, t.price from public.product_units t
        where a.unit <> p.unit_code and t.org_id = p_org_id and t.product_id = p.id and t.unit_code = a.unit limit 1) w on true
      cross join lateral (
        select case when a.unit is null or a.unit = p.unit_code then 1 else w.factor end as factor,
          case when a.unit is null or a.unit = p.unit_code then a.quantity
            else private.in_base(a.quantity, w.factor, u.decimals) end as base_quantity) f
      -- "offset 0" keeps the planner from asking the lists again for each column that is read of the answer.
      cross join lateral (
        select case when v_has_lists then private.list_price(p_org_id, p_branch_id, p_customer_group_id, a.variant_id,
          f.base_quantity, p_date) end as listed offset 0) y
      cross join lateral (
        select coalesce(round((y.listed).price * f.factor, 2), w.price,
            case when f.factor = 1 then v.price else round(v.price * f.factor, 2) end) as price,
          (y.listed).price_list as price_list) k
      left join lateral (
        select jsonb_agg(jsonb_build_object('variant_id', x.id, 'sku', x.sku, 'name', x.name,
          'quantity', round(t.quantity * f.base_quantity, 3)) order by t.position, x.sku) as items
        from public.set_components t join public.product_variants x on x.org_id = t.org_id and x.id = t.component_variant_id
        where p.kind = 'set' and t.org_id = p_org_id and t.set_variant_id = v.id) s on true
      left join lateral (
        select * from public.tax_classes t where t.org_id = p_org_id and t.id = p.tax_class_id limit 1) c on true
      cross join lateral (
        select case when c.kind = 'taxable' then private.tax_terms_of(p_org_id, c.id, p_supply, p_date) end as terms offset 0) r
    )
    select jsonb_agg(jsonb_build_object('line_no', f.line_no, 'variant_id', f.variant_id, 'sku', f.sku, 'description', f.name,
        'hsn_code', f.hsn_code, 'unit', f.unit_code, 'quantity', f.quantity::numeric(14, 3), 'base_quantity',
        f.base_quantity::numeric(14, 3), 'set_items', f.set_items, 'serials', f.serials, 'batch', f.batch, 'unit_price', f.unit_price,
        'list_price', f.price::numeric(14, 2), 'price_list', f.price_list, 'price_includes_tax', f.price_includes_tax, 'discount', f.discount, 'taxable', x.taxable, 'tax_kind', f.tax_kind,
        'tax_rate', case when f.tax_kind in ('taxable', 'reverse_charge') then (f.terms).rate::numeric(6, 3) else 0.000 end, 'taxes', x.taxes, 'tax', x.tax,
        'total', x.taxable + x.tax, 'stocked', f.kind <> 'service', 'offers', '[]'::jsonb,
        -- What private.apply_offers asks of a line.
        'product_id', f.product_id, 'category_id', f.category_id, 'terms', f.terms,
        'problem', case
          when f.id is null then 'not_found'
          when f.archived_at is not null then 'variant_archived'
          when f.factor is null then 'unit_unknown'
          when f.base_quantity is null or f.base_quantity <> round(f.base_quantity, f.decimals) then 'quantity_decimals'
          when f.kind = 'set' and f.set_items is null then 'set_incomplete'
          when f.kind <> 'set' and ((f.serials <> 'null' and f.tracking <> 'serial') or (f.batch <> 'null' and f.tracking <> 'batch'))
            then 'not_tracked'
          when f.rounded_away > 0.05 then 'split_lines'
          when f.gross >= 1e11 then 'amount_too_large'
          when f.discount > f.gross then 'discount_above_price'
          when f.tax_kind in ('taxable', 'reverse_charge') and (f.terms).rate is null then 'tax_rate_missing'
          when x.taxable < 0 then 'tax_above_price'
          when f.unit_price <> f.price and not l.may_override then 'price_override_denied'
          when f.discount * 100 > f.gross * l.discount_percent then 'discount_limit' end,
        'limit', l.discount_percent) order by f.line_no)
    from found f
    cross join limits l
    cross join lateral private.line_tax(f.gross - f.discount, f.price_includes_tax, f.base_quantity, f.tax_kind, f.terms,
      p_supply) x);
end;
$$;

comment on function private.price_lines(uuid, jsonb, private.supply, date, uuid, uuid) is
'Prices and taxes the lines of a sale, as the caller may sell them. Returns the lines of the invoice, each with "stocked",
"batch", what private.apply_offers needs (product_id, category_id, terms) and, where something is wrong, "problem". base_quantity: in the product''s own unit, where another one was asked for;
set_items: what a set stands for, in all. p_lines: as post_sale takes them; p_supply: as private.place_of_supply found; p_date: the business date, which chooses the rates; p_branch_id, p_customer_group_id (or null): with the
date they choose the price lists. list_price: what the catalogue asks for one unit; price_list: by which list, null for none.';

create function private.refuse_problem(p_lines jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_line jsonb;
  v_facts jsonb;
begin
  select l into v_line from jsonb_array_elements(p_lines) l where l ->> 'problem' is not null limit 1;
  if v_line is null then
    return;
  end if;
  v_facts := jsonb_build_object('line', v_line -> 'line_no', 'variant_id', v_line -> 'variant_id', 'sku', v_line -> 'sku');
  case v_line ->> 'problem'
    when 'not_found' then
      perform private.fail(404, 'not_found', format('Line %s: there is no such variant.', v_line ->> 'line_no'), v_facts);
    when 'variant_archived' then
      perform private.fail(422, 'variant_archived', format('%s is no longer sold.', v_line ->> 'sku'), v_facts);
    when 'quantity_decimals' then
      perform private.fail(400, 'invalid_input', format('%s is not sold in fractions so small.', v_line ->> 'sku'), v_facts);
    when 'unit_unknown' then
      perform private.fail(422, 'unit_unknown', format('%s is not sold in this unit.', v_line ->> 'sku'),
        v_facts || jsonb_build_object('unit', v_line -> 'unit'));
    when 'not_tracked' then
      perform private.fail(400, 'invalid_input', format('%s is not tracked in that way.', v_line ->> 'sku'), v_facts);
    when 'set_incomplete' then
      perform private.fail(422, 'set_incomplete', format('The set %s has no components yet.', v_line ->> 'sku'), v_facts);
    when 'split_lines' then
      perform private.fail(400, 'invalid_input', format('Put the lines of %s together.', v_line ->> 'sku'), v_facts);
    when 'amount_too_large' then
      perform private.fail(400, 'invalid_input', format('%s: the amount is too large.', v_line ->> 'sku'), v_facts);
    when 'discount_above_price' then
      perform private.fail(400, 'invalid_input', format('%s: the discount is above the price.', v_line ->> 'sku'), v_facts);
    when 'tax_rate_missing' then
      perform private.fail(422, 'tax_rate_missing', format('%s: its tax class has no rate on that date.', v_line ->> 'sku'), v_facts);
    when 'tax_above_price' then
      perform private.fail(422, 'tax_above_price', format('%s: the cess in it is more than its price.', v_line ->> 'sku'), v_facts);
    when 'price_override_denied' then
      perform private.fail(403, 'price_override_denied', format('%s: your role sells at the catalogue''s price.', v_line ->> 'sku'),
        v_facts);
    else
      perform private.fail(422, 'discount_limit', format('%s: your role gives at most %s %% off.', v_line ->> 'sku', v_line ->> 'limit'),
        v_facts || jsonb_build_object('max_discount_percent', v_line -> 'limit'));
  end case;
end;
$$;

comment on function private.refuse_problem(jsonb) is
'Raises the first line''s problem that private.price_lines found. Errors: 404 not_found, 422 variant_archived,
tax_rate_missing, tax_above_price, discount_limit, unit_unknown, set_incomplete, 403 price_override_denied, 400 invalid_input.';
