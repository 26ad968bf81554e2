-- The counter sale: priced, taxed, taken from stock, paid and numbered in one call.

create type private.priced_sale as (
  document jsonb,
  lines private.sale_line[],
  total numeric,
  issued_at timestamptz,
  business_date date,
  branch_code text,
  fiscal_year text
);

comment on type private.priced_sale is
'A sale that is priced and not written yet. document: the invoice''s JSON as private.price_sale returns it, but for the
lines, which are beside it; branch_code, fiscal_year: of the number it will have.';

select private.declare_shape('sale_options',
  '{"occurred_at": "instant", "place_of_supply": "text", "export_tax": ["with_payment", "without_payment"],
    "reverse_charge": "boolean", "note": "text", "reference": "text 100", "reservation_id": "uuid",
    "credit_note_id": "uuid", "coupon": "text", "discount": "any", "deliver_to": "uuid"}',
  array['post_sale.p_options', 'quote_sale.p_options']);

create function private.priced(p_org_id uuid, p_branch_id uuid, p_customer_id uuid, p_lines jsonb, p_options jsonb)
returns private.priced_sale
language plpgsql stable
set search_path = ''
as $$
declare
  v_org public.organizations;
  v_branch public.branches;
  v_customer public.customers;
  v_ship_to jsonb;
  v_occurred_at timestamptz := now();
  v_supply private.supply;
  v_sale private.priced_sale;
  v_priced private.sale_line[];
  v_lines private.sale_line[] := array[]::private.sale_line[];
  v_line private.sale_line;
  v_place integer := 0;
  v_given record;
  v_taken numeric[];
  v_shares numeric[];
  v_taxed record;
  v_subtotal numeric := 0;
  v_discount numeric := 0;
  v_document_discount numeric := 0;
  v_tax numeric := 0;
  v_reverse_charge boolean := false;
  v_charged boolean := false;
  v_raw numeric;
  v_total numeric;
  v_local timestamp;
  v_lowered boolean;
  v_promotion_id uuid;
  v_code text;
begin
  if p_options is distinct from '{}' then
    perform private.check_shape('sale_options', p_options);
  end if;
  perform private.check_shape('sale_lines', p_lines, 'p_lines');
  select * into v_org from public.organizations where id = p_org_id;
  select * into v_branch from public.branches where org_id = p_org_id and id = p_branch_id;
  if p_customer_id is not null then
    select * into v_customer from public.customers where org_id = p_org_id and id = p_customer_id and archived_at
      is null;
    if v_customer.id is null then
      perform private.fail(404, 'not_found', 'There is no such customer.', '{"field": "p_customer_id"}');
    end if;
    if v_customer.customer_group_id is not null then
      v_customer.customer_group_id := private.live_group(p_org_id, v_customer.customer_group_id);
    end if;
  end if;
  if p_options <> '{}' then
    if p_options ->> 'occurred_at' is not null then
      if not private.permitted('sale.backdate', p_org_id) then
        perform private.fail(403, 'backdating_denied', 'Your role posts sales as of now.',
          '{"permission": "sale.backdate"}');
      end if;
      v_occurred_at := private.instant(p_options ->> 'occurred_at', 'occurred_at');
      if v_occurred_at not between '2000-01-01' and now() then
        perform private.fail(400, 'invalid_input', 'occurred_at lies in the future, or before the year 2000.',
          '{"field": "occurred_at"}');
      end if;
    end if;
    if p_options ->> 'deliver_to' is not null then
      v_ship_to := private.ship_to(p_org_id, p_customer_id, private.id_option(p_options, 'deliver_to'));
    end if;
  end if;

  v_supply := private.place_of_supply(v_org, v_branch, v_customer, p_options, v_ship_to);
  -- Who may not change a price may not lower its tax either, by the till's word or by what he enters of a customer
  -- himself.
  v_lowered := v_supply.charge in ('reverse_charge', 'exempt')
    or v_supply.supply_type in ('export', 'sez', 'intra_community');
  if not v_lowered and v_supply.rate_path <> v_supply.home_path and v_supply.charge <> 'none' then
    v_lowered := exists (
      select from public.tax_rates t where t.org_id = p_org_id
        and (t.region = any (v_supply.rate_path)) <> (t.region = any (v_supply.home_path)));
  end if;
  if v_lowered then
    if not private.permitted('price.override', p_org_id) then
      perform private.fail(403, 'price_override_denied',
        'Your role sells at the tax of its own region, to everybody alike.',
        '{"field": "place_of_supply"}');
    end if;
  end if;
  v_local := v_occurred_at at time zone v_branch.timezone;
  v_priced := private.price_lines(p_org_id, p_lines, v_supply, v_local::date, p_branch_id,
    v_customer.customer_group_id);
  if p_options ->> 'coupon' is not null then
    select c.promotion_id, c.code into v_promotion_id, v_code
    from private.coupon_for(p_org_id, p_options ->> 'coupon', p_customer_id, v_local::date, false) c;
  end if;
  -- Who has no promotions pays nothing for them.
  if exists (select from public.promotions p where p.org_id = p_org_id and p.archived_at is null) then
    v_given := private.apply_offers(p_org_id, p_branch_id, v_customer.customer_group_id, v_local, v_priced,
      v_promotion_id, v_code);
    v_taken := v_given.taken;
  end if;
  if p_options -> 'discount' <> 'null' then
    v_shares := private.discount_document(p_org_id, v_priced, v_taken, p_options -> 'discount');
  end if;

  foreach v_line in array v_priced loop
    v_place := v_place + 1;
    if v_taken[v_place] > 0 then
      v_line.discount := v_line.discount + v_taken[v_place];
      v_line.offers := v_given.offers[v_place];
    end if;
    if v_shares[v_place] > 0 then
      v_line.discount := v_line.discount + v_shares[v_place];
      v_line.document_discount := v_shares[v_place];
    end if;
    v_taxed := private.line_tax(round(v_line.quantity * v_line.unit_price, 2) - v_line.discount,
      v_line.price_includes_tax,
      v_line.base_quantity, v_line.tax_kind, v_line.terms, v_supply);
    if v_taxed.taxable < 0 then
      perform private.refuse_line('tax_above_price', v_line, null);
    end if;
    v_line.taxable := v_taxed.taxable;
    v_line.tax := v_taxed.tax;
    v_line.taxes := v_taxed.taxes;
    v_line.total := v_taxed.taxable + v_taxed.tax;
    v_lines := v_lines || v_line;
    v_subtotal := v_subtotal + v_line.taxable;
    v_discount := v_discount + v_line.discount;
    v_document_discount := v_document_discount + v_line.document_discount;
    v_tax := v_tax + v_line.tax;
    v_reverse_charge := v_reverse_charge or v_line.tax_kind = 'reverse_charge';
    v_charged := v_charged or v_line.tax_kind = 'taxable';
  end loop;
  if v_reverse_charge and v_charged then
    -- Whether the buyer pays the tax is said of the whole document (CGST Rules 2017, rule 46(p)).
    perform private.fail(422, 'reverse_charge_mixed',
      'What bears reverse charge and what does not go on separate invoices.');
  end if;
  v_raw := v_subtotal + v_tax;
  if v_raw >= 1e11 then
    perform private.fail(400, 'invalid_input', 'The sale''s total is too large.', '{"field": "p_lines"}');
  end if;
  v_total := case when v_org.round_total_to > 0 then round(v_raw / v_org.round_total_to) * v_org.round_total_to
    else v_raw end;
  v_sale.lines := v_lines;
  v_sale.total := v_total::numeric(14, 2);
  v_sale.issued_at := v_occurred_at;
  v_sale.business_date := v_local::date;
  v_sale.branch_code := v_branch.code;
  v_sale.fiscal_year := private.fiscal_year(v_local::date, v_org.fiscal_year_start_month);
  v_sale.document := jsonb_build_object('org_id', p_org_id, 'branch_id', p_branch_id, 'customer_id', p_customer_id,
    'issued_at', v_occurred_at, 'business_date', v_sale.business_date,
    'timezone', v_branch.timezone, 'currency', v_org.currency, 'tax_regime', v_org.tax_regime,
    'supply_type', v_supply.supply_type, 'place_of_supply',
      jsonb_build_object('code', v_supply.region, 'name', v_supply.region_name),
    'reverse_charge', v_reverse_charge or v_supply.supply_type = 'intra_community',
    'seller', private.seller_json(v_org, v_branch), 'buyer', private.buyer_json(v_customer), 'ship_to', v_ship_to,
      'subtotal', v_subtotal,
    'discount', v_discount, 'document_discount', v_document_discount, 'document_discount_percent',
    p_options -> 'discount' -> 'percent', 'tax', v_tax, 'round_off', v_sale.total - v_raw, 'total', v_sale.total,
    'note', p_options -> 'note', 'reference', p_options -> 'reference', 'terms', v_org.invoice_terms);
  return v_sale;
end;
$$;

comment on function private.priced(uuid, uuid, uuid, jsonb, jsonb) is
'A counter sale as it would be invoiced, with nothing written. Parameters and errors: as post_sale''s.';

create function private.price_sale(p_org_id uuid, p_branch_id uuid, p_customer_id uuid, p_lines jsonb, p_options jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_sale private.priced_sale := private.priced(p_org_id, p_branch_id, p_customer_id, p_lines, p_options);
begin
  return v_sale.document || jsonb_build_object('lines', private.sale_lines_json(v_sale.lines), 'stocked_lines', (
    select coalesce(jsonb_agg(to_jsonb(l)), '[]') from unnest(v_sale.lines) l where l.stocked));
end;
$$;

comment on function private.price_sale(uuid, uuid, uuid, jsonb, jsonb) is
'private.priced as JSON: the invoice''s without number, tax summary and payments, and stocked_lines, the lines that
leave stock, as private.sale_moves takes them. Parameters and errors: as post_sale''s.';

create function private.set_moves(p_org_id uuid, p_lines jsonb, p_from_location_id uuid, p_to_location_id uuid)
returns private.stock_move[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_line jsonb;
  v_serials text[];
  v_moves private.stock_move[];
  v_all private.stock_move[] := array[]::private.stock_move[];
begin
  for v_line in select l from jsonb_array_elements(p_lines) l where l -> 'set_items' <> 'null'
    order by l -> 'line_no' loop
    v_serials := private.texts(v_line -> 'serials');
    select array_agg(row ((c ->> 'variant_id')::uuid, p_from_location_id, p_to_location_id, (c ->> 'quantity')::numeric,
      null,
      private.serials_of(p_org_id, (c ->> 'variant_id')::uuid, v_serials, p_from_location_id),
        null)::private.stock_move)
    into v_moves from jsonb_array_elements(v_line -> 'set_items') c;
    if cardinality(v_serials) <> (select coalesce(sum(cardinality(m.serials)), 0) from unnest(v_moves) m) then
      perform private.fail(409, 'serial_not_here', format('%s: not all of these pieces are here.', v_line ->> 'sku'),
        jsonb_build_object('line', v_line -> 'line_no', 'sku', v_line -> 'sku', 'serials', v_line -> 'serials'));
    end if;
    v_all := v_all || v_moves;
  end loop;
  return v_all;
end;
$$;

comment on function private.set_moves(uuid, jsonb, uuid, uuid) is
'The movements of the sets among a sale''s lines: one for each component, each with those of the line''s serial numbers
that are its pieces. Parameters: as private.sale_moves. Errors: 409 serial_not_here.';

create function private.line_moves(p_org_id uuid, p_lines private.sale_line[], p_from_location_id uuid,
  p_to_location_id uuid)
returns private.stock_move[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_line private.sale_line;
  v_move private.stock_move;
  v_moves private.stock_move[] := array[]::private.stock_move[];
begin
  v_move.from_location_id := p_from_location_id;
  v_move.to_location_id := p_to_location_id;
  foreach v_line in array p_lines loop
    continue when not v_line.stocked;
    if v_line.set_items is not null then
      v_moves := v_moves || private.set_moves(p_org_id, jsonb_build_array(to_jsonb(v_line)), p_from_location_id,
        p_to_location_id);
      continue;
    end if;
    v_move.variant_id := v_line.variant_id;
    v_move.quantity := v_line.base_quantity;
    v_move.serials := v_line.serials;
    v_move.batch_id := null;
    if v_line.batch is not null then
      v_move.batch_id := private.batch_named(p_org_id, v_line.variant_id, v_line.batch);
    end if;
    v_moves := v_moves || v_move;
  end loop;
  return v_moves;
end;
$$;

comment on function private.line_moves(uuid, private.sale_line[], uuid, uuid) is
'What a sale''s lines take from stock. p_from_location_id: where the goods stand; p_to_location_id: the customers''
location. Errors: 404 not_found (a lot), 409 serial_not_here.';

create function private.sale_moves(p_org_id uuid, p_lines jsonb, p_from_location_id uuid, p_to_location_id uuid)
returns private.stock_move[]
language plpgsql stable
set search_path = ''
as $$
begin
  return private.line_moves(p_org_id, array(
    select l from jsonb_populate_recordset(null::private.sale_line, p_lines) l), p_from_location_id, p_to_location_id);
end;
$$;

comment on function private.sale_moves(uuid, jsonb, uuid, uuid) is
'private.line_moves of lines as JSON: of stocked_lines as private.price_sale returns them, or of a document''s. Errors:
as private.line_moves.';

-- The acts ----------------------------------------------------------------------------------------
-- Their look-ups are by key whatever is asked, and planning them anew for each basket took longer than running them:
-- hence the generic plans (docs/decisions/0008-plans-of-the-till.md).

create function public.quote_sale(p_branch_id uuid, p_customer_id uuid, p_lines jsonb, p_options jsonb default '{}')
returns jsonb
language plpgsql stable security definer
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_org_id uuid := private.authorize_branch('sale.create', p_branch_id);
  v_sale private.priced_sale := private.priced(v_org_id, p_branch_id, p_customer_id, p_lines, p_options);
  v_lines jsonb := private.sale_lines_json(v_sale.lines);
begin
  return v_sale.document || jsonb_build_object('lines', v_lines, 'tax_summary', private.tax_summary(v_lines));
end;
$$;

comment on function public.quote_sale(uuid, uuid, jsonb, jsonb) is
'What a basket would come to, as the till shows it before payment; writes nothing. Parameters as post_sale''s. Returns
the invoice''s JSON without id, number, status and payments. Errors: as post_sale''s for lines and options.
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
  v_priced private.priced_sale;
  v_sale jsonb;
  v_lines jsonb;
  v_summary jsonb;
  v_total numeric;
  v_tenders private.tender[];
  v_tender private.tender;
  v_payments jsonb := '[]'::jsonb;
  v_paid numeric := 0.00;
  v_tendered numeric := 0.00;
  v_status text;
  v_credit numeric := 0.00;
  v_date date;
  v_due_date date;
  v_number text;
  v_coupon_id uuid;
  v_by_points numeric;
  v_points bigint;
  v_moves private.stock_move[];
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
  perform private.selling_location(v_org_id, p_branch_id, p_location_id, 'p_location_id');
  v_priced := private.priced(v_org_id, p_branch_id, p_customer_id, p_lines, p_options);
  v_sale := v_priced.document;
  v_lines := private.sale_lines_json(v_priced.lines);
  v_summary := private.tax_summary(v_lines);
  v_total := v_priced.total;
  v_date := v_priced.business_date;
  if p_options ->> 'credit_note_id' is not null then
    v_credit := least(v_total,
      private.lock_credit(v_org_id, private.id_option(p_options, 'credit_note_id'), p_customer_id, 'sale.create'));
  end if;
  if p_options ->> 'coupon' is not null then
    v_coupon_id := private.lock_coupon(v_org_id, p_options ->> 'coupon', p_customer_id, v_date, v_lines);
  end if;
  perform private.assert_period_open(v_org_id, v_date);
  v_moves := private.line_moves(v_org_id, v_priced.lines, p_location_id, v_buyer_location_id);
  if p_options ->> 'reservation_id' is not null then
    perform private.fulfil_reservation(v_org_id, private.id_option(p_options, 'reservation_id'), p_branch_id, 'invoice',
      p_id,
      v_moves);
  end if;
  perform private.move_stock(v_org_id, 'invoice', p_id, v_priced.issued_at, v_moves, v_date);

  -- Locks come in one order everywhere: stock levels, then the customer, then the counter, which is held shortest.
  v_tenders := private.settle(p_payments, v_total - v_credit);
  foreach v_tender in array v_tenders loop
    v_paid := v_paid + v_tender.amount;
    v_tendered := v_tendered + v_tender.tendered;
    if v_tender.method = 'points' then
      v_by_points := coalesce(v_by_points, 0) + v_tender.amount;
    end if;
    v_payments := v_payments || jsonb_build_object('id', v_tender.id, 'method', v_tender.method, 'method_name',
      v_tender.method_name,
      'amount', v_tender.amount, 'tendered', v_tender.tendered, 'change', v_tender.tendered - v_tender.amount,
        'reference',
      v_tender.reference, 'received_at', v_sale -> 'issued_at');
  end loop;
  if v_by_points is not null then
    v_points := private.check_points(v_org_id, p_customer_id, v_by_points, v_total, 0);
  end if;
  if v_paid + v_credit < v_total then
    perform private.check_credit(v_org_id, p_customer_id, v_total - v_paid - v_credit, v_credit);
  end if;
  v_status := case when v_paid + v_credit = v_total then 'paid' when v_paid + v_credit > 0 then 'partially_paid'
    else 'sent' end;
  if p_customer_id is not null then
    -- What he does not pay with it he owes; what he earns is added. Both beneath his lock.
    perform private.post_account(v_org_id, p_customer_id, p_branch_id, v_total - v_paid);
    if v_status = 'paid' then
      perform private.lock_earner(v_org_id, p_customer_id);
    end if;
  end if;
  v_number := private.take_number(v_org_id, p_branch_id, 'invoice', v_priced.branch_code, v_priced.fiscal_year);
  insert into public.invoices (org_id, id, branch_id, location_id, customer_id, number, status, issued_at,
    business_date,
    currency, tax_regime, supply_type, place_of_supply, place_of_supply_name, reverse_charge, seller, buyer, subtotal,
      discount,
    document_discount, document_discount_percent, tax,
    round_off, total, paid, credited, note, reference, terms, created_by, ship_to, counter_sale)
  values (v_org_id, p_id, p_branch_id, p_location_id, p_customer_id, v_number, v_status,
    v_priced.issued_at, v_date, v_sale ->> 'currency', v_sale ->> 'tax_regime', v_sale ->> 'supply_type',
    v_sale -> 'place_of_supply' ->> 'code', v_sale -> 'place_of_supply' ->> 'name',
      (v_sale ->> 'reverse_charge')::boolean,
    v_sale -> 'seller',
    nullif(v_sale -> 'buyer', 'null'), (v_sale ->> 'subtotal')::numeric, (v_sale ->> 'discount')::numeric,
    (v_sale ->> 'document_discount')::numeric, (v_sale ->> 'document_discount_percent')::numeric,
      (v_sale ->> 'tax')::numeric,
    (v_sale ->> 'round_off')::numeric, v_total, v_paid, v_credit, v_sale ->> 'note',
    v_sale ->> 'reference', v_sale ->> 'terms', v_user_id, nullif(v_sale -> 'ship_to', 'null'), true)
  returning due_date into v_due_date;
  insert into public.invoice_lines (org_id, invoice_id, branch_id, line_no, variant_id, sku, description, hsn_code,
    unit,
    quantity, base_quantity, set_items, serials, unit_price, list_price, price_list, price_includes_tax, discount,
    document_discount, taxable, tax_kind, tax_rate,
    taxes, tax, offers)
  select v_org_id, p_id, p_branch_id, l.line_no, l.variant_id, l.sku, l.description, l.hsn_code, l.unit, l.quantity,
    l.base_quantity, l.set_items, l.serials, l.unit_price, l.list_price, l.price_list, l.price_includes_tax, l.discount,
    l.document_discount, l.taxable, l.tax_kind, l.tax_rate, l.taxes, l.tax, l.offers
  from unnest(v_priced.lines) l;
  if v_paid > 0 then
    with paid as (
      insert into public.payments (org_id, id, branch_id, customer_id, method, amount, tendered, reference, received_at,
        business_date, created_by)
      select v_org_id, t.id, p_branch_id, p_customer_id, t.method, t.amount, t.tendered, t.reference,
        v_priced.issued_at, v_date, v_user_id
      from unnest(v_tenders) t
      returning id, amount
    )
    insert into public.payment_allocations (org_id, payment_id, invoice_id, branch_id, amount)
    select v_org_id, p.id, p_id, p_branch_id, p.amount from paid p;
  end if;

  if v_credit > 0 then
    perform private.note_credit(v_org_id, private.id_option(p_options, 'credit_note_id'), p_id, v_credit);
  end if;
  if v_coupon_id is not null then
    perform private.note_coupon(v_org_id, v_coupon_id, p_id);
  end if;
  if v_points is not null then
    perform private.take_points(v_org_id, p_customer_id, v_points, 'redeem', p_id, v_by_points, null);
  end if;
  if v_status = 'paid' then
    perform private.invoice_paid(v_org_id, p_id, true);
  end if;
  perform private.emit(v_org_id, 'invoice.issued', jsonb_build_object('invoice_id', p_id, 'branch_id', p_branch_id,
    'customer_id', p_customer_id, 'number', v_number, 'total', v_total, 'paid', v_paid));
  -- What was written is not read again: this is what private.invoice_json answers from now on.
  return v_sale || jsonb_build_object('id', p_id, 'lines', v_lines, 'location_id', p_location_id, 'number', v_number,
    'status', v_status,
    'title', private.invoice_title(v_sale ->> 'tax_regime', v_lines), 'due_date', v_due_date, 'order_id', null,
      'delivery_id', null,
    'paid', v_paid, 'credited', v_credit, 'balance', v_total - v_paid - v_credit, 'tendered', v_tendered,
    'change_due', v_tendered - v_paid, 'tax_summary', v_summary, 'payments', v_payments,
    'credit_notes', '[]'::jsonb) || private.invoice_extras(v_org_id, p_id, p_customer_id, 'infinity');
end;
$$;

comment on function public.post_sale(uuid, uuid, uuid, uuid, jsonb, jsonb, jsonb) is
'Sells over the counter, whole or not at all. p_id: the client''s uuid, the invoice''s id. p_branch_id; p_location_id:
where the goods stand. p_customer_id: null for a walk-in. p_lines: [{"variant_id", "quantity" (in the variant''s unit,
or in "unit"?, another unit of the product), "serials"? (the number of each piece, where it has one; for a set those of
its components), "batch"? (the lot; else what expires first), "unit_price"? (needs price.override if it differs from the
catalogue''s), "discount"? (off the line, within the role''s limit)}], amounts in the organisation''s currency, with or
without tax as the variant''s price is. p_payments: [{"method", "amount" (as handed over; only cash gives change),
"reference"?}]; less than the total only for a customer within his credit limit. p_options: occurred_at (ISO 8601, needs
sale.backdate), place_of_supply (GST state code, or a country with its regions: US-NY-ERIE), export_tax (with_payment or
without_payment), reverse_charge (true: the buyer pays the tax), note, reference, deliver_to (one of the customer''s
addresses, where the goods are brought: the document keeps it as ship_to, and it is the place of supply unless that is
said, but under GST to a registered buyer his own state), reservation_id (the reservation that these goods were held by:
it is fulfilled), credit_note_id (a credit note of the same customer that pays before the payments do, of a branch where
the caller may sell), coupon (a code in whatever capitals), discount ({"amount"} or {"percent"} off the whole document
after all others: it is spread over the lines in proportion to what they cost and taken off before tax; of each line
with what was taken off by hand within the role''s limit). Promotions that apply come off the lines and are said there
(offers); the method points pays with the customer''s points, in currency. Returns the invoice as JSON, with points
{"earned", "redeemed", "balance"} where there is a loyalty program and a customer; the same call again returns the same
invoice. Errors: 400 invalid_input; 401 unauthenticated; 403 permission_denied, price_override_denied,
backdating_denied; 404 not_found; 409 insufficient_stock, period_closed, id_reused, series_exhausted, serial_not_here,
invalid_transition, reservation_of_order; 422 serials_required, expired_stock, unit_unknown, set_incomplete,
location_not_sellable, discount_limit, variant_archived, branch_archived, tax_rate_missing, tax_above_price,
composition_interstate, reverse_charge_not_possible, reverse_charge_mixed, payment_exceeds_total, payment_incomplete,
credit_limit_exceeded, customer_defaulted, customer_mismatch, coupon_invalid, coupon_used_up, payment_needs_a_customer,
points_limit, points_insufficient, address_archived. Permission: sale.create.';
revoke execute on function public.post_sale(uuid, uuid, uuid, uuid, jsonb, jsonb, jsonb) from public, anon;
grant execute on function public.post_sale(uuid, uuid, uuid, uuid, jsonb, jsonb, jsonb) to authenticated;
