-- What was priced on an earlier day, taxed as of today: price and discount are kept, the tax is the law's, the parties
-- are who they are.

create function private.tax_line(p_org_id uuid, p_line jsonb, p_supply private.supply, p_date date) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_class public.tax_classes;
  v_kind text;
  v_terms private.tax_terms;
  v_tax record;
  v_facts jsonb := jsonb_build_object('line', p_line -> 'line_no', 'sku', p_line -> 'sku');
begin
  select c.* into v_class
  from public.product_variants v
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.tax_classes c on c.org_id = p.org_id and c.id = p.tax_class_id
  where v.org_id = p_org_id and v.id = (p_line ->> 'variant_id')::uuid;
  v_kind := private.tax_kind_of(v_class.kind, v_class.reverse_charge, p_supply);
  if v_class.kind = 'taxable' then
    v_terms := private.tax_terms_of(p_org_id, v_class.id, p_supply, p_date);
  end if;
  if v_kind in ('taxable', 'reverse_charge') and v_terms.rate is null then
    perform private.fail(422, 'tax_rate_missing', format('%s: its tax class has no rate on that date.',
      p_line ->> 'sku'), v_facts);
  end if;
  v_tax := private.line_tax(round((p_line ->> 'quantity')::numeric * (p_line ->> 'unit_price')::numeric, 2)
    - (p_line ->> 'discount')::numeric, (p_line ->> 'price_includes_tax')::boolean,
      (p_line ->> 'base_quantity')::numeric, v_kind,
    v_terms, p_supply);
  if v_tax.taxable < 0 then
    perform private.fail(422, 'tax_above_price', format('%s: the cess in it is more than its price.', p_line ->> 'sku'),
      v_facts);
  end if;
  return p_line || jsonb_build_object('taxable', v_tax.taxable, 'tax_kind', v_kind, 'tax_rate', case
      when v_kind in ('taxable', 'reverse_charge') then v_terms.rate else 0 end::numeric(6, 3), 'taxes', v_tax.taxes,
        'tax', v_tax.tax,
    'total', v_tax.taxable + v_tax.tax);
end;
$$;

comment on function private.tax_line(uuid, jsonb, private.supply, date) is
'A line with its price and discount, taxed for a supply on a business date. p_line: as private.price_sale returns it.
Errors: 422 tax_rate_missing, tax_above_price.';

create function private.tax_today(p_org_id uuid, p_branch_id uuid, p_customer_id uuid, p_asked jsonb, p_lines jsonb,
  p_date date,
  p_ship_to jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_org public.organizations;
  v_branch public.branches;
  v_customer public.customers;
  v_supply private.supply;
  v_lines jsonb;
begin
  select * into v_org from public.organizations where id = p_org_id;
  select * into v_branch from public.branches where org_id = p_org_id and id = p_branch_id;
  select * into v_customer from public.customers where org_id = p_org_id and id = p_customer_id;
  v_supply := private.place_of_supply(v_org, v_branch, v_customer, p_asked, p_ship_to);
  select jsonb_agg(private.tax_line(p_org_id, l.line, v_supply, p_date) order by l.place) into v_lines
  from jsonb_array_elements(p_lines) with ordinality l (line, place);
  if v_lines @> '[{"tax_kind": "reverse_charge"}]' and v_lines @> '[{"tax_kind": "taxable"}]' then
    perform private.fail(422, 'reverse_charge_mixed',
      'What bears reverse charge and what does not go on separate invoices.');
  end if;
  return jsonb_build_object('supply_type', v_supply.supply_type,
    'place_of_supply', jsonb_build_object('code', v_supply.region, 'name', v_supply.region_name),
    'reverse_charge', v_lines @> '[{"tax_kind": "reverse_charge"}]' or v_supply.supply_type = 'intra_community',
    'seller', private.seller_json(v_org, v_branch), 'buyer', private.buyer_json(v_customer), 'ship_to', p_ship_to,
      'lines', v_lines);
end;
$$;

comment on function private.tax_today(uuid, uuid, uuid, jsonb, jsonb, date, jsonb) is
'Lines that were priced earlier, as private.price_sale returns them, taxed on a business date, and what a document says
of its supply and its parties then. p_asked: place_of_supply, export_tax and reverse_charge, as post_sale''s options;
p_ship_to: where the goods are brought, or null. Errors: 400 invalid_input, 422
tax_rate_missing, tax_above_price, reverse_charge_not_possible, reverse_charge_mixed, composition_interstate.';

create function private.order_today(p_org_id uuid, p_order public.sales_orders, p_date date,
  p_ship_to jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_ordered jsonb := (
    select jsonb_agg(private.line_json(l) order by l.line_no) from public.sales_order_lines l
    where l.org_id = p_org_id and l.order_id = p_order.id);
  v_today jsonb := private.tax_today(p_org_id, p_order.branch_id, p_order.customer_id,
    coalesce(p_order.header -> 'asked', '{}'),
    v_ordered, p_date, p_ship_to);
begin
  -- A new rate is the law's. Another supply is what somebody entered of the customer: as at the till, that lowers no
  -- tax unless he may.
  if not p_order.header @> jsonb_build_object('supply_type', v_today -> 'supply_type', 'reverse_charge',
    v_today -> 'reverse_charge',
      'place_of_supply', v_today -> 'place_of_supply')
    or jsonb_path_query_array(v_ordered, '$[*].tax_kind') <> jsonb_path_query_array(v_today -> 'lines',
      '$[*].tax_kind') then
    if (select sum((l ->> 'tax')::numeric) from jsonb_array_elements(v_today -> 'lines') l)
      < (select sum((l ->> 'tax')::numeric) from jsonb_array_elements(v_ordered) l)
      and not private.permitted('price.override', p_org_id) then
      perform private.fail(403, 'price_override_denied', 'Your role does not lower the tax that was ordered.',
        '{"field": "place_of_supply"}');
    end if;
  end if;
  return v_today;
end;
$$;

comment on function private.order_today(uuid, public.sales_orders, date, jsonb) is
'An order''s lines and parties as private.tax_today has them: what its next invoice says. p_ship_to: where these goods
are brought. Errors: as there, and 403 price_override_denied.';

create function private.draft_today(p_org_id uuid, p_invoice public.invoices, p_date date) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_said jsonb := (
    select jsonb_agg(to_jsonb(l) order by l.line_no) from public.invoice_lines l
    where l.org_id = p_org_id and l.invoice_id = p_invoice.id);
  v_today jsonb := private.tax_today(p_org_id, p_invoice.branch_id, p_invoice.customer_id, jsonb_build_object(
      'place_of_supply', p_invoice.place_of_supply, 'reverse_charge', v_said @> '[{"tax_kind": "reverse_charge"}]',
      'export_tax', case when v_said @> '[{"tax_kind": "zero_rated"}]' then 'without_payment' else 'with_payment' end),
    v_said, p_date,
    -- An address is as it is today, like the buyer; one that was archived takes nothing.
    private.ship_to(p_org_id, p_invoice.customer_id, (p_invoice.ship_to ->> 'id')::uuid));
  v_facts text[] := array['tax_kind', 'tax_rate', 'taxes', 'taxable', 'tax'];
begin
  -- A buyer who moved may be supplied elsewhere, unless the place was named; only who writes the draft knows.
  if (p_invoice.supply_type, p_invoice.place_of_supply, p_invoice.reverse_charge) is distinct from
      (v_today ->> 'supply_type', v_today -> 'place_of_supply' ->> 'code', (v_today ->> 'reverse_charge')::boolean)
    or (p_invoice.buyer ->> 'tax_number', p_invoice.buyer -> 'address' ->> 'country',
      p_invoice.buyer -> 'address' ->> 'region_code')
      is distinct from (v_today -> 'buyer' ->> 'tax_number', v_today -> 'buyer' -> 'address' ->> 'country',
        v_today -> 'buyer' -> 'address' ->> 'region_code')
    or (p_invoice.ship_to -> 'address' ->> 'country', p_invoice.ship_to -> 'address' ->> 'region_code',
      p_invoice.ship_to ->> 'tax_area')
      is distinct from (v_today -> 'ship_to' -> 'address' ->> 'country',
        v_today -> 'ship_to' -> 'address' ->> 'region_code',
        v_today -> 'ship_to' ->> 'tax_area')
    or exists (
      select from jsonb_array_elements(v_said) s
      join jsonb_array_elements(v_today -> 'lines') t on t -> 'line_no' = s -> 'line_no'
      cross join unnest(v_facts) f where s -> f <> t -> f) then
    perform private.fail(409, 'draft_outdated', 'The tax of this draft is not that of today: save it again.',
      jsonb_build_object('invoice_id', p_invoice.id));
  end if;
  return v_today;
end;
$$;

comment on function private.draft_today(uuid, public.invoices, date) is
'A draft''s parties as private.tax_today has them, when its tax is still what the draft says: a total that somebody
agreed to does not change unseen. Errors: as there, and 409 draft_outdated, 422 address_archived.';
