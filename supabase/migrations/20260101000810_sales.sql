-- The counter sale: priced, taxed, taken from stock, paid and numbered in one call.

-- Input -------------------------------------------------------------------------------------------

create function private.instant(p_text text, p_field text) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
begin
  if p_text ~ '^\d{4}-\d{2}-\d{2}([T ]|$)' then
    return p_text::timestamptz;
  end if;
  raise invalid_datetime_format;
exception when data_exception then
  perform private.fail(400, 'invalid_input', format('%s must be an ISO 8601 date and time.', p_field),
    jsonb_build_object('field', p_field));
  return null;
end;
$$;

comment on function private.instant(text, text) is 'Reads an ISO 8601 instant of an option. Errors: 400 invalid_input.';

create function private.check_sale_lines(p_lines jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_place bigint;
  v_problem text;
begin
  if p_lines is null or jsonb_typeof(p_lines) <> 'array' or jsonb_array_length(p_lines) not between 1 and 2000 then
    perform private.fail(400, 'invalid_input', 'p_lines must be a JSON array of 1 to 2000 lines.', '{"field": "p_lines"}');
  end if;
  select e.place, e.problem into v_place, v_problem from (select t.place, case
      when jsonb_typeof(t.line) <> 'object' then 'is no object'
      when t.line - array['variant_id', 'quantity', 'unit_price', 'discount'] <> '{}' then 'has an unknown field, '
        || (select min(k) from jsonb_object_keys(t.line - array['variant_id', 'quantity', 'unit_price', 'discount']) k)
      when coalesce(t.line ->> 'variant_id', '') !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then 'needs a variant_id (uuid)'
      when jsonb_typeof(t.line -> 'quantity') is distinct from 'number' then 'needs a quantity (number)'
      when not (t.line -> 'quantity')::numeric between 0.001 and 999999999 then 'needs a quantity above 0'
      when t.line ->> 'unit_price' is not null and not private.is_amount(t.line -> 'unit_price') then 'has no amount as unit_price'
      when t.line ->> 'discount' is not null and not private.is_amount(t.line -> 'discount') then 'has no amount as discount'
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
'p_lines: [{"variant_id", "quantity", "unit_price"?, "discount"?}], 1 to 2000 of them. Errors: 400 invalid_input with the line.';

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
        p_branch.city, p_branch.region_code, p_branch.postal_code, p_branch.country)));
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

create function private.price_lines(p_org_id uuid, p_lines jsonb, p_regime text, p_supply_type text, p_region text,
  p_local_component text, p_date date, p_branch_id uuid, p_customer_group_id uuid)
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
        (t.line ->> 'unit_price')::numeric as asked_price, coalesce((t.line ->> 'discount')::numeric, 0)::numeric(14, 2) as discount
      from jsonb_array_elements(p_lines) with ordinality t (line, place)
    ), found as (
      select a.line_no, a.variant_id, a.quantity, a.discount, v.id, v.sku, v.name, k.list_price, k.price_list, v.price_includes_tax,
        coalesce(v.archived_at, p.archived_at) as archived_at,
        p.kind, p.hsn_code, p.unit_code, u.decimals, coalesce(a.asked_price, k.list_price)::numeric(14, 2) as unit_price,
        case when p_regime = 'none' then 'untaxed' when p_supply_type = 'export' then 'zero_rated' else c.kind end as tax_kind,
        round(a.quantity * coalesce(a.asked_price, k.list_price), 2) as gross, r.rate,
        -- What rounding takes off all lines of a variant together: cut into crumbs, goods would cost nothing.
        sum(abs(a.quantity * coalesce(a.asked_price, k.list_price) - round(a.quantity * coalesce(a.asked_price, k.list_price), 2)))
          over (partition by a.variant_id) as rounded_away
      from asked a
      -- One look-up by key per line, whatever the planner believes of tables that were never analysed.
      left join lateral (
        select * from public.product_variants t where t.org_id = p_org_id and t.id = a.variant_id limit 1) v on true
      -- "offset 0" keeps the planner from asking the list again for each column that is read of it.
      cross join lateral (
        select case when v_has_lists then private.list_price(p_org_id, p_branch_id, p_customer_group_id, a.variant_id, a.quantity,
          p_date) end as listed offset 0) y
      cross join lateral (
        select coalesce((y.listed).price, v.price) as list_price, (y.listed).price_list as price_list) k
      left join lateral (
        select * from public.products t where t.org_id = p_org_id and t.id = v.product_id limit 1) p on true
      left join public.units u on u.code = p.unit_code
      left join lateral (
        select * from public.tax_classes t where t.org_id = p_org_id and t.id = p.tax_class_id limit 1) c on true
      left join lateral (
        -- The region's own rate comes before the general one, the latest before the earlier.
        select t.rate from public.tax_rates t
        where t.org_id = p_org_id and t.tax_class_id = c.id and t.valid_from <= p_date
          and (t.region = p_region or t.region is null)
        order by t.region nulls last, t.valid_from desc limit 1) r on true
    )
    select jsonb_agg(jsonb_build_object('line_no', f.line_no, 'variant_id', f.variant_id, 'sku', f.sku, 'description', f.name,
        'hsn_code', f.hsn_code, 'unit', f.unit_code, 'quantity', f.quantity::numeric(14, 3), 'unit_price', f.unit_price,
        'list_price', f.list_price, 'price_list', f.price_list, 'price_includes_tax', f.price_includes_tax, 'discount', f.discount, 'taxable', x.taxable, 'tax_kind', f.tax_kind,
        'tax_rate', case when f.tax_kind = 'taxable' then f.rate else 0.000 end, 'taxes', x.taxes, 'tax', x.tax,
        'total', x.taxable + x.tax, 'stocked', f.kind = 'goods',
        'problem', case
          when f.id is null then 'not_found'
          when f.archived_at is not null then 'variant_archived'
          when f.quantity <> round(f.quantity, f.decimals) then 'quantity_decimals'
          when f.rounded_away > 0.05 then 'split_lines'
          when f.gross >= 1e11 then 'amount_too_large'
          when f.discount > f.gross then 'discount_above_price'
          when f.tax_kind = 'taxable' and f.rate is null then 'tax_rate_missing'
          when f.unit_price <> f.list_price and not l.may_override then 'price_override_denied'
          when f.discount * 100 > f.gross * l.discount_percent then 'discount_limit' end,
        'limit', l.discount_percent) order by f.line_no)
    from found f
    cross join limits l
    cross join lateral private.line_tax(f.gross - f.discount, f.price_includes_tax,
      case when f.tax_kind = 'taxable' then f.rate else 0 end, p_supply_type, p_local_component) x);
end;
$$;

comment on function private.price_lines(uuid, jsonb, text, text, text, text, date, uuid, uuid) is
'Prices and taxes the lines of a sale, as the caller may sell them. Returns the lines of the invoice, each with "stocked" and,
where something is wrong, "problem". p_lines: as post_sale takes them; p_regime, p_supply_type, p_region, p_local_component: as
private.place_of_supply found; p_date: the business date, which chooses the rates; p_branch_id, p_customer_group_id (or null): with the
date they choose the price lists. list_price: what the catalogue asks, price_list: by which list, null for the variant''s own.';

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
    when 'split_lines' then
      perform private.fail(400, 'invalid_input', format('Put the lines of %s together.', v_line ->> 'sku'), v_facts);
    when 'amount_too_large' then
      perform private.fail(400, 'invalid_input', format('%s: the amount is too large.', v_line ->> 'sku'), v_facts);
    when 'discount_above_price' then
      perform private.fail(400, 'invalid_input', format('%s: the discount is above the price.', v_line ->> 'sku'), v_facts);
    when 'tax_rate_missing' then
      perform private.fail(422, 'tax_rate_missing', format('%s: its tax class has no rate on that date.', v_line ->> 'sku'), v_facts);
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
tax_rate_missing, discount_limit, 403 price_override_denied, 400 invalid_input.';

create function private.price_sale(p_org_id uuid, p_branch_id uuid, p_customer_id uuid, p_lines jsonb, p_options jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_org public.organizations;
  v_branch public.branches;
  v_customer public.customers;
  v_occurred_at timestamptz := now();
  v_place record;
  v_home text;
  v_lines jsonb;
  v_sums record;
  v_raw numeric;
  v_total numeric;
begin
  perform private.check_options(p_options, array['occurred_at', 'place_of_supply', 'note', 'reference']);
  perform private.check_sale_lines(p_lines);
  select * into v_org from public.organizations where id = p_org_id;
  select * into v_branch from public.branches where org_id = p_org_id and id = p_branch_id;
  if p_customer_id is not null then
    select * into v_customer from public.customers where org_id = p_org_id and id = p_customer_id and archived_at is null;
    if v_customer.id is null then
      perform private.fail(404, 'not_found', 'There is no such customer.', '{"field": "p_customer_id"}');
    end if;
  end if;
  if p_options ->> 'occurred_at' is not null then
    if not private.permitted('sale.backdate', p_org_id) then
      perform private.fail(403, 'backdating_denied', 'Your role posts sales as of now.', '{"permission": "sale.backdate"}');
    end if;
    v_occurred_at := private.instant(p_options ->> 'occurred_at', 'occurred_at');
    if v_occurred_at not between '2000-01-01' and now() then
      perform private.fail(400, 'invalid_input', 'occurred_at lies in the future, or before the year 2000.',
        '{"field": "occurred_at"}');
    end if;
  end if;

  if length(p_options ->> 'note') > 2000 or length(p_options ->> 'reference') > 100
    or exists (select from jsonb_each(p_options) o where jsonb_typeof(o.value) not in ('string', 'null')) then
    perform private.fail(400, 'invalid_input', 'Options are texts; note has at most 2000 characters, reference 100.',
      '{"field": "p_options"}');
  end if;

  select * into v_place from private.place_of_supply(v_org, v_branch, v_customer, p_options ->> 'place_of_supply');
  -- Who may not change a price may not lower its tax either, by the till's word or by an address that he enters himself.
  v_home := case when v_org.tax_regime = 'gst' then v_branch.region_code else v_org.country end;
  if v_place.region <> v_home and v_place.supply_type <> 'untaxed'
    and (v_place.supply_type = 'export' or exists (
      select from public.tax_rates t where t.org_id = p_org_id and t.region in (v_place.region, v_home)))
    and not private.permitted('price.override', p_org_id) then
    perform private.fail(403, 'price_override_denied', 'Your role sells at the tax of its own region.',
      '{"field": "place_of_supply"}');
  end if;
  v_lines := private.price_lines(p_org_id, p_lines, v_org.tax_regime, v_place.supply_type, v_place.region,
    v_place.local_component, (v_occurred_at at time zone v_branch.timezone)::date, p_branch_id, v_customer.customer_group_id);
  perform private.refuse_problem(v_lines);

  select sum((l ->> 'taxable')::numeric) as subtotal, sum((l ->> 'discount')::numeric) as discount,
    sum((l ->> 'tax')::numeric) as tax, jsonb_agg(l - 'problem' - 'limit' - 'stocked' order by l -> 'line_no') as lines,
    array_agg((l ->> 'line_no')::integer) filter (where (l ->> 'stocked')::boolean) as stocked
  into v_sums from jsonb_array_elements(v_lines) l;
  v_raw := v_sums.subtotal + v_sums.tax;
  if v_raw >= 1e11 then
    perform private.fail(400, 'invalid_input', 'The sale''s total is too large.', '{"field": "p_lines"}');
  end if;
  v_total := case when v_org.round_total_to > 0 then round(v_raw / v_org.round_total_to) * v_org.round_total_to else v_raw end;
  return jsonb_build_object('org_id', p_org_id, 'branch_id', p_branch_id, 'customer_id', p_customer_id,
    'issued_at', v_occurred_at, 'business_date', (v_occurred_at at time zone v_branch.timezone)::date,
    'timezone', v_branch.timezone, 'currency', v_org.currency, 'tax_regime', v_org.tax_regime,
    'supply_type', v_place.supply_type,
    'place_of_supply', jsonb_build_object('code', v_place.region, 'name', v_place.region_name), 'reverse_charge', false,
    'seller', private.seller_json(v_org, v_branch), 'buyer', private.buyer_json(v_customer), 'subtotal', v_sums.subtotal,
    'discount', v_sums.discount, 'tax', v_sums.tax, 'round_off', v_total::numeric(14, 2) - v_raw,
    'total', v_total::numeric(14, 2), 'lines', v_sums.lines, 'stocked_lines', to_jsonb(coalesce(v_sums.stocked, '{}')),
    'note', p_options -> 'note', 'reference', p_options -> 'reference', 'terms', v_org.invoice_terms);
end;
$$;

comment on function private.price_sale(uuid, uuid, uuid, jsonb, jsonb) is
'A counter sale as it would be invoiced, with nothing written: the invoice''s JSON without number, tax summary and payments,
and stocked_lines, the numbers of the lines that leave stock. Parameters and errors: as post_sale''s.';

-- The acts ----------------------------------------------------------------------------------------
-- Their look-ups are by key whatever is asked, and planning them anew for each basket took longer than running them: hence
-- the generic plans (docs/decisions/0008-plans-of-the-till.md).

create function public.quote_sale(p_branch_id uuid, p_customer_id uuid, p_lines jsonb, p_options jsonb default '{}')
returns jsonb
language plpgsql stable security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_org_id uuid := private.authorize_branch('sale.create', p_branch_id);
  v_sale jsonb := private.price_sale(v_org_id, p_branch_id, p_customer_id, p_lines, p_options);
begin
  return v_sale - 'stocked_lines' || jsonb_build_object('tax_summary', private.tax_summary(v_sale -> 'lines'));
end;
$$;

comment on function public.quote_sale(uuid, uuid, jsonb, jsonb) is
'What a basket would come to, as the till shows it before payment; writes nothing. Parameters as post_sale''s. Returns the
invoice''s JSON without id, number, status and payments. Errors: as post_sale''s for lines and options.
Permission: sale.create.';
revoke execute on function public.quote_sale(uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.quote_sale(uuid, uuid, jsonb, jsonb) to authenticated;

create function public.post_sale(p_id uuid, p_branch_id uuid, p_location_id uuid, p_customer_id uuid, p_lines jsonb,
  p_payments jsonb, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_user_id uuid := private.caller();
  v_org_id uuid := private.authorize_branch('sale.create', p_branch_id);
  v_sale jsonb;
  v_total numeric;
  v_payments jsonb;
  v_paid numeric;
  v_date date;
  v_number text;
  v_buyer_location_id uuid := private.shared_location(v_org_id, 'customer');
begin
  if not private.claim_request(v_org_id, p_id, 'post_sale',
    jsonb_build_array(p_branch_id, p_location_id, p_customer_id, p_lines, p_payments, p_options)) then
    -- Whoever repeats somebody else's call is shown what he may read.
    if v_user_id <> (select created_by from public.invoices where org_id = v_org_id and id = p_id) then
      perform private.authorize('invoice.read', v_org_id, p_branch_id);
    end if;
    return private.invoice_json(v_org_id, p_id);
  end if;
  if not exists (
    select from public.locations
    where org_id = v_org_id and branch_id = p_branch_id and id = p_location_id and archived_at is null) then
    perform private.fail(404, 'not_found', 'The branch has no such location.', '{"field": "p_location_id"}');
  end if;
  v_sale := private.price_sale(v_org_id, p_branch_id, p_customer_id, p_lines, p_options);
  v_total := (v_sale ->> 'total')::numeric;
  v_date := (v_sale ->> 'business_date')::date;
  perform private.assert_period_open(v_org_id, v_date);
  perform private.move_stock(v_org_id, 'invoice', p_id, (v_sale ->> 'issued_at')::timestamptz, (
    select array_agg(row ((l ->> 'variant_id')::uuid, p_location_id, v_buyer_location_id, (l ->> 'quantity')::numeric,
      null)::private.stock_move order by l -> 'line_no')
    from jsonb_array_elements(v_sale -> 'lines') l where v_sale -> 'stocked_lines' @> (l -> 'line_no')));

  -- Locks come in one order everywhere: stock levels, then the customer, then the counter, which is held shortest.
  select coalesce(sum(s.amount), 0), coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('id', gen_random_uuid())), '[]')
  into v_paid, v_payments from private.settle(p_payments, v_total) s;
  if v_paid < v_total then
    perform private.check_credit(v_org_id, p_customer_id, v_total - v_paid);
  end if;
  v_number := private.next_number(v_org_id, p_branch_id, 'invoice', v_date);
  insert into public.invoices (org_id, id, branch_id, location_id, customer_id, number, status, issued_at, business_date,
    currency, tax_regime, supply_type, place_of_supply, place_of_supply_name, seller, buyer, subtotal, discount, tax,
    round_off, total, paid, note, reference, terms, created_by)
  values (v_org_id, p_id, p_branch_id, p_location_id, p_customer_id, v_number,
    case when v_paid = v_total then 'paid' when v_paid > 0 then 'partially_paid' else 'sent' end,
    (v_sale ->> 'issued_at')::timestamptz, v_date, v_sale ->> 'currency', v_sale ->> 'tax_regime', v_sale ->> 'supply_type',
    v_sale -> 'place_of_supply' ->> 'code', v_sale -> 'place_of_supply' ->> 'name', v_sale -> 'seller',
    nullif(v_sale -> 'buyer', 'null'), (v_sale ->> 'subtotal')::numeric, (v_sale ->> 'discount')::numeric,
    (v_sale ->> 'tax')::numeric, (v_sale ->> 'round_off')::numeric, v_total, v_paid, v_sale ->> 'note',
    v_sale ->> 'reference', v_sale ->> 'terms', v_user_id);
  insert into public.invoice_lines (org_id, invoice_id, branch_id, line_no, variant_id, sku, description, hsn_code, unit,
    quantity, unit_price, list_price, price_list, price_includes_tax, discount, taxable, tax_kind, tax_rate, taxes, tax)
  select v_org_id, p_id, p_branch_id, l.line_no, l.variant_id, l.sku, l.description, l.hsn_code, l.unit, l.quantity, l.unit_price,
    l.list_price, l.price_list, l.price_includes_tax, l.discount, l.taxable, l.tax_kind, l.tax_rate, l.taxes, l.tax
  from jsonb_populate_recordset(null::public.invoice_lines, v_sale -> 'lines') l;
  insert into public.payments (org_id, id, branch_id, customer_id, method, amount, tendered, reference, received_at,
    business_date, created_by)
  select v_org_id, p.id, p_branch_id, p_customer_id, p.method, p.amount, p.tendered, p.reference,
    (v_sale ->> 'issued_at')::timestamptz, v_date, v_user_id
  from jsonb_populate_recordset(null::public.payments, v_payments) p;
  insert into public.payment_allocations (org_id, payment_id, invoice_id, branch_id, amount)
  select v_org_id, p.id, p_id, p_branch_id, p.amount from jsonb_populate_recordset(null::public.payments, v_payments) p;

  perform private.emit(v_org_id, 'invoice.issued', jsonb_build_object('invoice_id', p_id, 'branch_id', p_branch_id,
    'customer_id', p_customer_id, 'number', v_number, 'total', v_total, 'paid', v_paid));
  return private.invoice_json(v_org_id, p_id);
end;
$$;

comment on function public.post_sale(uuid, uuid, uuid, uuid, jsonb, jsonb, jsonb) is
'Sells over the counter, whole or not at all. p_id: the client''s uuid, the invoice''s id. p_branch_id; p_location_id: where
the goods stand. p_customer_id: null for a walk-in. p_lines: [{"variant_id", "quantity" (in the variant''s unit),
"unit_price"? (needs price.override if it differs from the catalogue''s), "discount"? (off the line, within the role''s
limit)}], amounts in the organisation''s currency, with or without tax as the variant''s price is. p_payments: [{"method",
"amount" (as handed over; only cash gives change), "reference"?}]; less than the total only for a customer within his credit
limit. p_options: occurred_at (ISO 8601, needs sale.backdate), place_of_supply (GST state code or country), note, reference.
Returns the invoice as JSON; the same call again returns the same invoice. Errors: 400 invalid_input; 401 unauthenticated;
403 permission_denied, price_override_denied, backdating_denied; 404 not_found; 409 insufficient_stock, period_closed,
id_reused, series_exhausted; 422 discount_limit, variant_archived, branch_archived, tax_rate_missing, payment_exceeds_total,
payment_incomplete, credit_limit_exceeded. Permission: sale.create.';
revoke execute on function public.post_sale(uuid, uuid, uuid, uuid, jsonb, jsonb, jsonb) from public, anon;
grant execute on function public.post_sale(uuid, uuid, uuid, uuid, jsonb, jsonb, jsonb) to authenticated;
