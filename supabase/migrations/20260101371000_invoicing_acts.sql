-- Invoices without a counter sale: written directly, drafted, sent and voided.

-- Writing -----------------------------------------------------------------------------------------

create function private.invoice_row(p_sale jsonb) returns public.invoices
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_populate_record(null::public.invoices, p_sale
    || jsonb_build_object('place_of_supply', p_sale -> 'place_of_supply' -> 'code',
    'place_of_supply_name', p_sale -> 'place_of_supply' -> 'name', 'buyer', null));
end;
$$;

comment on function private.invoice_row(jsonb) is
'An invoice''s row without what the act gives it: key, number, status, buyer (JSON null is none). p_sale: as
private.price_sale returns it, with location_id, due_date, order_id and delivery_id where it has them. No errors.';

create function private.write_invoice(p_org_id uuid, p_id uuid, p_status text, p_number text, p_sale jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_row public.invoices := private.invoice_row(p_sale);
begin
  insert into public.invoices (org_id, id, branch_id, location_id, customer_id, order_id, delivery_id, number, status,
    issued_at,
    business_date, due_date, currency, tax_regime, supply_type, place_of_supply, place_of_supply_name, reverse_charge,
      seller,
    buyer, ship_to, subtotal, discount, document_discount, document_discount_percent, tax, round_off, total, note,
      reference,
    terms, order_event,
    created_by)
  values (p_org_id, p_id, v_row.branch_id, v_row.location_id, v_row.customer_id, v_row.order_id, v_row.delivery_id,
    p_number,
    -- What costs nothing owes nothing.
    case when p_status = 'sent' and v_row.total = 0 then 'paid' else p_status end, v_row.issued_at, v_row.business_date,
    v_row.due_date, v_row.currency, v_row.tax_regime, v_row.supply_type, v_row.place_of_supply,
      v_row.place_of_supply_name,
    v_row.reverse_charge, v_row.seller, nullif(p_sale -> 'buyer', 'null'), nullif(p_sale -> 'ship_to', 'null'),
      v_row.subtotal,
    v_row.discount,
    v_row.document_discount, v_row.document_discount_percent, v_row.tax,
    v_row.round_off, v_row.total, v_row.note, v_row.reference, v_row.terms,
    case when v_row.order_id is not null then nextval('private.order_event') end, private.caller());
  perform private.write_lines('public.invoice_lines', jsonb_build_object('org_id', p_org_id,
    'invoice_id', p_id, 'branch_id', v_row.branch_id), p_sale -> 'lines');
  if p_status = 'sent' then
    perform private.post_account(p_org_id, v_row.customer_id, v_row.branch_id, v_row.total);
    if v_row.total = 0 then
      perform private.invoice_paid(p_org_id, p_id);
    end if;
    perform private.emit(p_org_id, 'invoice.issued', jsonb_build_object('invoice_id', p_id, 'branch_id',
      v_row.branch_id,
      'customer_id', v_row.customer_id, 'number', p_number, 'total', p_sale -> 'total', 'paid', 0, 'order_id',
        v_row.order_id));
  end if;
end;
$$;

comment on function private.write_invoice(uuid, uuid, text, text, jsonb) is
'Writes an invoice with its lines. p_status: draft or sent; p_number: null for a draft; p_sale: as private.invoice_row
takes it. No errors.';

create function private.rewrite_draft(p_org_id uuid, p_id uuid, p_sale jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_row public.invoices := private.invoice_row(p_sale);
begin
  delete from public.invoice_lines where org_id = p_org_id and invoice_id = p_id;
  update public.invoices
  set (location_id, customer_id, issued_at, business_date, due_date, currency, tax_regime, supply_type, place_of_supply,
      place_of_supply_name, reverse_charge, seller, buyer, ship_to, subtotal, discount, document_discount,
        document_discount_percent, tax,
      round_off, total, note, reference, terms)
    = (v_row.location_id, v_row.customer_id, v_row.issued_at, v_row.business_date, v_row.due_date, v_row.currency,
      v_row.tax_regime,
      v_row.supply_type, v_row.place_of_supply, v_row.place_of_supply_name, v_row.reverse_charge, v_row.seller,
      nullif(p_sale -> 'buyer', 'null'), nullif(p_sale -> 'ship_to', 'null'), v_row.subtotal, v_row.discount,
      v_row.document_discount, v_row.document_discount_percent,
      v_row.tax, v_row.round_off, v_row.total, v_row.note,
      v_row.reference, v_row.terms)
  where org_id = p_org_id and id = p_id;
  perform private.write_lines('public.invoice_lines', jsonb_build_object('org_id', p_org_id,
    'invoice_id', p_id, 'branch_id', v_row.branch_id), p_sale -> 'lines');
end;
$$;

comment on function private.rewrite_draft(uuid, uuid, jsonb) is
'Writes a draft, locked, anew: all that private.write_invoice writes, but the branch. p_sale: as there. No errors.';

create function private.check_due_date(p_options jsonb, p_today date) returns date
language plpgsql stable
set search_path = ''
as $$
declare
  v_due date := private.day(p_options ->> 'due_date', 'due_date');
begin
  if not v_due between p_today and p_today + 3660 then
    perform private.fail(400, 'invalid_input', 'due_date is today or later, within ten years.',
      '{"field": "due_date"}');
  end if;
  return v_due;
end;
$$;

comment on function private.check_due_date(jsonb, date) is
'Reads the option due_date, null when there is none: due at once. p_today: the branch''s date. Errors: 400
invalid_input.';

select private.declare_shape('draft_lines',
  '{"variant_id": "uuid!", "quantity": "quantity!", "unit": "text", "unit_price": "amount", "discount": "amount",
    "serials": "serials"}',
  array['create_invoice.p_lines', 'save_invoice_draft.p_lines'], '{1, 2000}');

create function private.price_invoice(p_org_id uuid, p_branch_id uuid, p_customer_id uuid, p_lines jsonb,
  p_options jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_location_id uuid := private.id_option(p_options, 'location_id');
  v_sale jsonb;
begin
  if p_customer_id is null then
    perform private.fail(400, 'invalid_input', 'Say which customer it is for.', '{"field": "p_customer_id"}');
  elsif v_location_id is not null then
    perform private.selling_location(p_org_id, p_branch_id, v_location_id, 'location_id');
  end if;
  -- A draft keeps no lots: what expires first goes first.
  perform private.check_shape('draft_lines', p_lines, 'p_lines');
  v_sale := private.price_sale(p_org_id, p_branch_id, p_customer_id, p_lines,
    p_options - array['location_id', 'due_date', 'draft']);
  if v_location_id is null and v_sale -> 'stocked_lines' <> '[]' then
    perform private.fail(400, 'invalid_input', 'Say where the goods leave from.', '{"field": "location_id"}');
  end if;
  return v_sale || jsonb_build_object('location_id', v_location_id,
    'due_date', private.check_due_date(p_options, (v_sale ->> 'business_date')::date));
end;
$$;

comment on function private.price_invoice(uuid, uuid, uuid, jsonb, jsonb) is
'An invoice as it would be written: private.price_sale''s JSON with location_id and due_date. Parameters and errors: as
create_invoice''s.';

create function private.issue_goods(p_org_id uuid, p_id uuid, p_branch_id uuid, p_customer_id uuid, p_location_id uuid,
  p_lines jsonb, p_total numeric, p_date date)
returns text
language plpgsql
set search_path = ''
as $$
begin
  perform private.assert_period_open(p_org_id, p_date);
  if jsonb_array_length(p_lines) > 0 then
    perform private.move_stock(p_org_id, 'invoice', p_id, now(), private.sale_moves(p_org_id, p_lines, p_location_id,
      private.shared_location(p_org_id, 'customer')), p_date);
  end if;
  if p_total > 0 then
    perform private.check_credit(p_org_id, p_customer_id, p_total);
  end if;
  return private.next_number(p_org_id, p_branch_id, 'invoice', p_date);
end;
$$;

comment on function private.issue_goods(uuid, uuid, uuid, uuid, uuid, jsonb, numeric, date) is
'What issuing a direct invoice takes: open books, the goods, the customer''s credit and the number, which it returns.
p_lines: those that leave stock; p_total: what will be owed. Errors: as private.move_stock''s and
private.check_credit''s, 409 period_closed, series_exhausted.';

-- Direct invoices ---------------------------------------------------------------------------------

select private.declare_shape('create_invoice_options',
  '{"location_id": "uuid", "due_date": "date", "draft": "boolean", "note": "text", "reference": "text 100",
    "place_of_supply": "text", "export_tax": ["with_payment", "without_payment"], "reverse_charge": "boolean",
    "coupon": "text", "discount": "any", "deliver_to": "uuid"}',
  array['create_invoice.p_options']);

create function public.create_invoice(p_id uuid, p_branch_id uuid, p_customer_id uuid, p_lines jsonb, p_options jsonb
  default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.authorize_branch('invoice.create', p_branch_id);
  v_sale jsonb;
  v_draft boolean;
  v_coupon_id uuid;
  v_number text;
begin
  perform private.check_shape('create_invoice_options', p_options);
  v_draft := coalesce((p_options ->> 'draft')::boolean, false);
  if private.claim_request(v_org_id, p_id, 'create_invoice',
    jsonb_build_array(p_branch_id, p_customer_id, p_lines, p_options)) then
    v_sale := private.price_invoice(v_org_id, p_branch_id, p_customer_id, p_lines, p_options);
    if not v_draft then
      v_coupon_id := private.lock_coupon(v_org_id, p_options ->> 'coupon', p_customer_id,
        (v_sale ->> 'business_date')::date,
        v_sale -> 'lines');
      v_number := private.issue_goods(v_org_id, p_id, p_branch_id, p_customer_id, (v_sale ->> 'location_id')::uuid,
        v_sale -> 'stocked_lines', (v_sale ->> 'total')::numeric, (v_sale ->> 'business_date')::date);
    end if;
    perform private.write_invoice(v_org_id, p_id, case when v_draft then 'draft' else 'sent' end, v_number, v_sale);
    if v_coupon_id is not null then
      perform private.note_coupon(v_org_id, v_coupon_id, p_id);
    end if;
  end if;
  return private.invoice_json(v_org_id, p_id);
end;
$$;

comment on function public.create_invoice(uuid, uuid, uuid, jsonb, jsonb) is
'Writes an invoice that is paid later, directly: sent at once, or a draft. p_id: the client''s uuid, the invoice''s id.
p_branch_id; p_customer_id. p_lines: [{"variant_id", "quantity", "unit"?, "unit_price"?, "discount"?, "serials"?}] as
post_sale takes them. p_options: location_id (where the goods leave when it is sent; services need none), due_date (ISO
8601 date; at once when left out), draft (true: not sent yet), note, reference, and as post_sale takes them
place_of_supply, export_tax, reverse_charge, coupon (used when it is sent), discount, deliver_to. Returns the invoice as
JSON. Errors: 400 invalid_input; 401; 403 permission_denied, price_override_denied; 404 not_found; 409
insufficient_stock, serial_not_here, period_closed, id_reused, series_exhausted; 422 credit_limit_exceeded,
serials_required, expired_stock, unit_unknown, set_incomplete, location_not_sellable, discount_limit, variant_archived,
branch_archived, tax_rate_missing, coupon_invalid, coupon_used_up, address_archived. Permission: invoice.create.';
revoke execute on function public.create_invoice(uuid, uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.create_invoice(uuid, uuid, uuid, jsonb, jsonb) to authenticated;

select private.declare_shape('save_invoice_draft_options',
  '{"location_id": "uuid", "due_date": "date", "note": "text", "reference": "text 100", "place_of_supply": "text",
    "export_tax": ["with_payment", "without_payment"], "reverse_charge": "boolean", "coupon": "text", "discount":
    "any", "deliver_to": "uuid"}',
  array['save_invoice_draft.p_options']);

create function public.save_invoice_draft(p_id uuid, p_invoice_id uuid, p_customer_id uuid, p_lines jsonb,
  p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invoice public.invoices := private.document_named(null::public.invoices, p_invoice_id);
  v_org_id uuid := v_invoice.org_id;
  v_sale jsonb;
begin
  perform private.authorize('invoice.create', v_org_id, v_invoice.branch_id);
  perform private.check_shape('save_invoice_draft_options', p_options);
  if private.claim_request(v_org_id, p_id, 'save_invoice_draft', jsonb_build_array(p_invoice_id, p_customer_id, p_lines,
    p_options)) then
    select * into v_invoice from public.invoices where org_id = v_org_id and id = p_invoice_id for no key update;
    if v_invoice.status <> 'draft' then
      perform private.refuse_transition('invoice', v_invoice.status, 'draft');
    end if;
    v_sale := private.price_invoice(v_org_id, v_invoice.branch_id, p_customer_id, p_lines, p_options);
    perform private.rewrite_draft(v_org_id, p_invoice_id, v_sale);
  end if;
  return private.invoice_json(v_org_id, p_invoice_id);
end;
$$;

comment on function public.save_invoice_draft(uuid, uuid, uuid, jsonb, jsonb) is
'Writes a draft invoice anew. p_id: the client''s uuid of this act. p_invoice_id. p_customer_id, p_lines: as
create_invoice takes them. p_options: location_id, due_date, note, reference, place_of_supply, export_tax,
reverse_charge, coupon, discount, deliver_to; what is left out is empty. Returns the invoice as JSON. Errors: 400
invalid_input; 401; 403 permission_denied, price_override_denied; 404 not_found; 409 invalid_transition (it was sent),
id_reused; 422 unit_unknown, set_incomplete, location_not_sellable, discount_limit, variant_archived, tax_rate_missing,
address_archived. Permission: invoice.create.';
revoke execute on function public.save_invoice_draft(uuid, uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.save_invoice_draft(uuid, uuid, uuid, jsonb, jsonb) to authenticated;

-- Sending and voiding -----------------------------------------------------------------------------

create function private.send_invoice(p_org_id uuid, p_invoice public.invoices) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_date date := private.local_date(p_org_id, p_invoice.branch_id, now());
  v_today jsonb;
  v_coupon_id uuid;
  v_goods jsonb;
  v_number text;
begin
  if p_invoice.total = 0 then
    perform private.fail(422, 'nothing_to_invoice', 'This draft comes to nothing: there is nothing to pay.',
      jsonb_build_object('invoice_id', p_invoice.id));
  elsif p_invoice.due_date < v_date then
    perform private.fail(400, 'invalid_input', 'The draft''s due date is over: save it with another.',
      '{"field": "due_date"}');
  end if;
  v_today := private.draft_today(p_org_id, p_invoice, v_date);
  v_coupon_id := private.lock_coupon(p_org_id, private.coupon_of(v_today -> 'lines'), p_invoice.customer_id, v_date,
    v_today -> 'lines');
  select coalesce(jsonb_agg(to_jsonb(l) order by l.line_no), '[]') into v_goods
  from public.invoice_lines l
  join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
  join public.products p on p.org_id = v.org_id and p.id = v.product_id and p.kind <> 'service'
  where l.org_id = p_org_id and l.invoice_id = p_invoice.id;
  v_number := private.issue_goods(p_org_id, p_invoice.id, p_invoice.branch_id, p_invoice.customer_id,
    p_invoice.location_id,
    v_goods, p_invoice.total, v_date);
  update public.invoices
  set status = 'sent', number = v_number, issued_at = now(), business_date = v_date, seller = v_today -> 'seller',
    buyer = v_today -> 'buyer', ship_to = nullif(v_today -> 'ship_to', 'null')
  where org_id = p_org_id and id = p_invoice.id;
  perform private.post_account(p_org_id, p_invoice.customer_id, p_invoice.branch_id, p_invoice.total);
  if v_coupon_id is not null then
    perform private.note_coupon(p_org_id, v_coupon_id, p_invoice.id);
  end if;
  perform private.emit(p_org_id, 'invoice.issued', jsonb_build_object('invoice_id', p_invoice.id, 'branch_id',
    p_invoice.branch_id,
    'customer_id', p_invoice.customer_id, 'number', v_number, 'total', p_invoice.total, 'paid', 0));
end;
$$;

comment on function private.send_invoice(uuid, public.invoices) is
'Issues a draft, locked: it gets its date and number, seller, buyer and address of delivery are as they are today, and
its goods leave. Errors: 400 invalid_input, 409 draft_outdated, 422 nothing_to_invoice, address_archived, and as
private.issue_goods''.';

create function private.void_invoice(p_org_id uuid, p_invoice public.invoices, p_id uuid, p_reason text) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_date date := private.local_date(p_org_id, p_invoice.branch_id, now());
  v_lines jsonb;
begin
  if p_invoice.status <> 'draft' then
    -- The registers take out what is void and what is credited: never both.
    if p_invoice.business_date <> v_date or p_invoice.paid + p_invoice.credited <> 0 or exists (
      select from public.credit_notes c where c.org_id = p_org_id and c.invoice_id = p_invoice.id) then
      perform private.fail(409, 'credit_note_required',
        'Only an invoice of today on which nothing is paid and that no credit note names is voided: issue a '
        'credit note.',
        jsonb_build_object('invoice_id', p_invoice.id, 'number', p_invoice.number, 'business_date',
          p_invoice.business_date,
          'paid', p_invoice.paid, 'credited', p_invoice.credited));
    end if;
    -- Charges of its instalments may have been paid: they are given back.
    perform private.lock_payments_of(p_org_id, p_invoice.id);
    perform private.assert_period_open(p_org_id, v_date);
    -- What was delivered on an order stays the order's affair; of a direct invoice the goods that are not back yet come
    -- back.
    if p_invoice.order_id is null and p_invoice.location_id is not null then
      select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('line_no', e.line_no, 'quantity', e.quantity, 'serials',
        e.serials))
        order by e.line_no)
      into v_lines
      from (
        select l.line_no, l.quantity - coalesce(sum(r.quantity), 0) as quantity, (
          select jsonb_agg(s) from unnest(l.serials) s where not exists (
            select from public.goods_return_lines x
            where x.org_id = l.org_id and x.invoice_id = l.invoice_id and x.line_no = l.line_no
              and s = any (x.serials))) as serials
        from public.invoice_lines l
        join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
        join public.products p on p.org_id = v.org_id and p.id = v.product_id and p.kind <> 'service'
        left join public.goods_return_lines r on r.org_id = l.org_id and r.invoice_id = l.invoice_id
          and r.line_no = l.line_no
        where l.org_id = p_org_id and l.invoice_id = p_invoice.id
        group by l.org_id, l.invoice_id, l.line_no, l.quantity, l.serials) e
      where e.quantity > 0;
      if v_lines is not null then
        perform private.take_back(p_org_id, p_id, p_invoice.id, p_invoice.location_id, v_lines, p_reason, now(),
          v_date);
      end if;
    end if;
    perform private.post_account(p_org_id, p_invoice.customer_id, p_invoice.branch_id, -p_invoice.total);
    perform private.settle_invoice(p_org_id, p_invoice.id, 0, 0, true);
    perform private.invoice_voided(p_org_id, p_invoice.id);
  else
    update public.invoices set status = 'void' where org_id = p_org_id and id = p_invoice.id;
  end if;
  update public.invoices set void_reason = p_reason where org_id = p_org_id and id = p_invoice.id and p_reason
    is not null;
  perform private.emit(p_org_id, 'invoice.voided', jsonb_build_object('invoice_id', p_invoice.id, 'branch_id',
    p_invoice.branch_id,
    'customer_id', p_invoice.customer_id, 'number', p_invoice.number, 'reason', p_reason));
end;
$$;

comment on function private.void_invoice(uuid, public.invoices, uuid, text) is
'Voids a draft, or an invoice of today on which nothing was paid and that no credit note names, whose goods come back;
the invoice is locked. p_id: of the goods
return. Errors: 409 credit_note_required, period_closed, and as private.take_back''s.';

select private.declare_shape('set_invoice_status_options',
  '{"reason": "text"}',
  array['set_invoice_status.p_options']);

create function public.set_invoice_status(p_id uuid, p_invoice_id uuid, p_status text, p_options jsonb
  default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invoice public.invoices := private.document_named(null::public.invoices, p_invoice_id);
  v_org_id uuid := v_invoice.org_id;
  v_reason text := p_options ->> 'reason';
begin
  -- What has no number was never more than a draft.
  if p_status = 'sent' then
    perform private.authorize_branch('invoice.create', v_invoice.branch_id);
  else
    perform private.authorize(case when p_status = 'void' and v_invoice.number is not null then 'invoice.void'
      else 'invoice.create' end, v_org_id, v_invoice.branch_id);
  end if;
  perform private.check_shape('set_invoice_status_options', p_options);
  if p_status is null or p_status not in ('draft', 'sent', 'partially_paid', 'paid', 'void') then
    perform private.fail(400, 'invalid_input', 'p_status is sent or void.', '{"field": "p_status"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'set_invoice_status',
    jsonb_build_array(p_invoice_id, p_status, p_options)) then
    select * into v_invoice from public.invoices where org_id = v_org_id and id = p_invoice_id for no key update;
    if p_status = 'sent' and v_invoice.status = 'draft' then
      perform private.send_invoice(v_org_id, v_invoice);
    elsif p_status = 'void' and v_invoice.status <> 'void' then
      if v_invoice.status <> 'draft' then
        perform private.authorize('invoice.void', v_org_id, v_invoice.branch_id);
      end if;
      if (v_reason is null and v_invoice.status <> 'draft') or length(btrim(v_reason)) not between 1 and 500 then
        perform private.fail(400, 'invalid_input', 'Say why, in 1 to 500 characters.', '{"field": "reason"}');
      end if;
      perform private.void_invoice(v_org_id, v_invoice, p_id, v_reason);
    else
      -- The other statuses follow from what is paid.
      perform private.refuse_transition('invoice', v_invoice.status, p_status);
    end if;
  end if;
  return private.invoice_json(v_org_id, p_invoice_id);
end;
$$;

comment on function public.set_invoice_status(uuid, uuid, text, jsonb) is
'Sends a draft invoice (it gets date and number, its goods leave), or voids one: a draft, or an invoice of today on
which nothing was paid, whose goods come back. p_id: the client''s uuid of this act. p_invoice_id. p_status: sent or
void; the others follow from payments. p_options: reason (1 to 500 characters, kept; needed to void what was sent).
Returns the invoice as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409
invalid_transition, draft_outdated, credit_note_required, insufficient_stock, serial_not_here, period_closed, id_reused,
series_exhausted; 422 nothing_to_invoice, credit_limit_exceeded, serials_required, expired_stock, branch_archived,
coupon_invalid, coupon_used_up, address_archived. Permission: invoice.create; invoice.void for what was sent.';
revoke execute on function public.set_invoice_status(uuid, uuid, text, jsonb) from public, anon;
grant execute on function public.set_invoice_status(uuid, uuid, text, jsonb) to authenticated;
