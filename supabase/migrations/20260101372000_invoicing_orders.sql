-- Invoices for orders: whole, by delivery or by line, at the order's prices and the tax of the day.

select private.declare_shape('invoiced_lines',
  '{"line_no": "line!*", "quantity": "quantity!"}',
  '{}', '{1, 2000}');

create function private.invoice_asked(p_org_id uuid, p_order_id uuid, p_delivery_id uuid, p_asked jsonb)
returns table (line_no integer, quantity numeric, serials jsonb)
language plpgsql stable
set search_path = ''
as $$
begin
  if p_asked is not null then
    return query
    select n.line_no, n.quantity, null::jsonb from private.named_lines('invoiced_lines', p_asked, 'lines') n;
  elsif p_delivery_id is not null then
    return query
    select d.line_no, d.quantity::numeric, to_jsonb(d.serials) from public.delivery_lines d
    where d.org_id = p_org_id and d.delivery_id = p_delivery_id;
  else
    return query
    select p.line_no, p.quantity - p.invoiced, null::jsonb from private.order_progress(p_org_id, p_order_id) p
    where p.quantity > p.invoiced;
  end if;
end;
$$;

comment on function private.invoice_asked(uuid, uuid, uuid, jsonb) is
'What an invoice of an order is to be of: p_asked, [{"line_no", "quantity"}], each line once; or what a delivery
brought, with the numbers of its pieces; or all that is not invoiced yet. Errors: 400 invalid_input.';

create function private.invoiceable_lines(p_org_id uuid, p_order_id uuid, p_delivery_id uuid, p_asked jsonb,
  p_lines jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_bad record;
  v_lines jsonb;
begin
  select a.line_no, p.line ->> 'sku' as sku, p.quantity, p.invoiced, a.quantity as asked into v_bad
  from private.invoice_asked(p_org_id, p_order_id, p_delivery_id, p_asked) a
  left join private.order_progress(p_org_id, p_order_id) p on p.line_no = a.line_no
  left join public.units u on u.code = p.line ->> 'unit'
  where p.line is null or p.invoiced + a.quantity > p.quantity or a.quantity <> round(a.quantity, u.decimals)
    or coalesce(private.base_part((p.line ->> 'base_quantity')::numeric, p.quantity, p.invoiced,
      p.invoiced + a.quantity, p.decimals), 0) = 0
  order by a.line_no limit 1;
  if v_bad.line_no is null then
    select jsonb_agg(private.line_part(t.line, p.invoiced, p.invoiced + a.quantity, p.decimals)
      || jsonb_build_object('serials', a.serials) order by p.line_no)
    into v_lines
    from private.invoice_asked(p_org_id, p_order_id, p_delivery_id, p_asked) a
    join private.order_progress(p_org_id, p_order_id) p on p.line_no = a.line_no
    join jsonb_array_elements(p_lines) t (line) on (t.line ->> 'line_no')::integer = a.line_no;
  elsif v_bad.sku is null then
    perform private.fail(404, 'not_found', format('The order has no line %s.', v_bad.line_no),
      jsonb_build_object('line_no', v_bad.line_no));
  elsif v_bad.invoiced + v_bad.asked <= v_bad.quantity then
    perform private.fail(400, 'invalid_input', format('%s is not invoiced in fractions so small.', v_bad.sku),
      jsonb_build_object('field', 'lines', 'line_no', v_bad.line_no, 'sku', v_bad.sku));
  end if;
  if v_lines is null then
    perform private.fail(422, 'invoice_exceeds_order', 'This was invoiced already.',
      jsonb_build_object('order_id', p_order_id,
      'line_no', v_bad.line_no, 'sku', v_bad.sku, 'ordered', v_bad.quantity, 'invoiced', v_bad.invoiced, 'asked',
        v_bad.asked));
  end if;
  return v_lines;
end;
$$;

comment on function private.invoiceable_lines(uuid, uuid, uuid, jsonb, jsonb) is
'The lines of an order''s next invoice, under the order''s lock: what private.invoice_asked says. p_lines: the order''s,
taxed as of today. Errors: 400 invalid_input, 404 not_found, 422 invoice_exceeds_order.';

create function private.check_destination(p_org_id uuid, p_order public.sales_orders) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_elsewhere jsonb := (
    select jsonb_agg(d.id order by d.delivered_at, d.number) from public.deliveries d
    where d.org_id = p_org_id and d.order_id = p_order.id and d.header ? 'ship_to'
      and d.header -> 'ship_to' <> p_order.header -> 'ship_to'
      and private.delivery_invoice(d.org_id, d.order_id, d.id) is null);
begin
  if v_elsewhere is not null then
    perform private.fail(422, 'delivered_elsewhere',
      'A part of this order went elsewhere: invoice it by delivery, or say where it went.',
      jsonb_build_object('order_id', p_order.id, 'delivery_ids', v_elsewhere));
  end if;
end;
$$;

comment on function private.check_destination(uuid, public.sales_orders) is
'May an order be invoiced as going where it says? Not while a delivery of it that went elsewhere has no invoice: it
would name the wrong address, and perhaps the wrong State''s tax. Errors: 422 delivered_elsewhere.';

select private.declare_shape('invoice_order_options',
  '{"delivery_id": "uuid", "lines": "any", "due_date": "date", "deliver_to": "uuid"}',
  array['invoice_order.p_options']);

create function public.invoice_order(p_id uuid, p_order_id uuid, p_options jsonb default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_order_id);
  v_org_id uuid := v_order.org_id;
  v_delivery public.deliveries;
  v_delivery_id uuid := private.id_option(p_options, 'delivery_id');
  v_asked jsonb := nullif(p_options -> 'lines', 'null');
  v_date date := private.local_date(v_org_id, v_order.branch_id, now());
  v_before record;
  v_ship_to jsonb;
  v_today jsonb;
  v_sale jsonb;
  v_left numeric;
  v_part numeric;
  v_payment_id uuid;
  v_notes uuid[];
  v_note_id uuid;
begin
  perform private.authorize_branch('invoice.create', v_order.branch_id);
  perform private.check_shape('invoice_order_options', p_options);
  if v_delivery_id is not null and v_asked is not null then
    perform private.fail(400, 'invalid_input', 'Name a delivery or lines of the order, not both.',
      '{"field": "lines"}');
  elsif v_delivery_id is not null and p_options ->> 'deliver_to' is not null then
    perform private.fail(400, 'invalid_input', 'Where a delivery went is said by its note.', '{"field": "deliver_to"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'invoice_order', jsonb_build_array(p_order_id, p_options)) then
    v_order := private.lock_order(v_org_id, p_order_id, null);
    if v_order.status in ('draft', 'closed', 'cancelled') then
      perform private.fail(409, 'order_not_open', 'Only an order that is confirmed and not over is invoiced.',
        jsonb_build_object('order_id', p_order_id, 'status', v_order.status));
    end if;
    if v_delivery_id is not null then
      select * into v_delivery from public.deliveries where org_id = v_org_id and order_id = p_order_id
        and id = v_delivery_id;
      if v_delivery.id is null then
        perform private.fail(404, 'not_found', 'The order has no such delivery.', '{"field": "delivery_id"}');
      elsif private.delivery_invoice(v_org_id, p_order_id, v_delivery_id) is not null then
        perform private.fail(422, 'invoice_exceeds_order', 'This delivery was invoiced already.',
          jsonb_build_object('order_id', p_order_id, 'delivery_id', v_delivery_id));
      end if;
    end if;
    if v_delivery_id is null and p_options ->> 'deliver_to' is null then
      perform private.check_destination(v_org_id, v_order);
    end if;
    v_before := private.order_invoiced(v_org_id, p_order_id);
    v_ship_to := case when p_options ->> 'deliver_to' is null
      then nullif((v_order.header || coalesce(v_delivery.header, '{}')) -> 'ship_to', 'null')
      else private.ship_to(v_org_id, v_order.customer_id, private.id_option(p_options, 'deliver_to')) end;
    v_today := private.order_today(v_org_id, v_order, v_date, v_ship_to);
    v_sale := private.sum_document(v_org_id, v_order.header || (v_today - 'lines'),
        private.invoiceable_lines(v_org_id, p_order_id, v_delivery_id, v_asked, v_today -> 'lines'), v_before.amount,
          v_before.total)
      || jsonb_build_object('branch_id', v_order.branch_id, 'customer_id', v_order.customer_id, 'order_id', p_order_id,
        'delivery_id', v_delivery_id, 'location_id', coalesce(v_delivery.location_id, v_order.location_id), 'issued_at',
          now(),
        'business_date', v_date, 'due_date', private.check_due_date(p_options, v_date));
    -- Credit was asked for when the order was confirmed; the advances pay first, then what its credit notes gave back.
    perform from public.payments p where p.org_id = v_org_id and p.order_id = p_order_id
      order by p.id for no key update;
    v_notes := array(
      select n.id from public.credit_notes n
      where n.org_id = v_org_id and n.invoice_id in (
        select i.id from public.invoices i where i.org_id = v_org_id and i.order_id = p_order_id)
      order by n.id for no key update);
    perform private.assert_period_open(v_org_id, v_date);
    perform from public.customers where org_id = v_org_id and id = v_order.customer_id for no key update;
    perform private.write_invoice(v_org_id, p_id, 'sent',
      private.next_number(v_org_id, v_order.branch_id, 'invoice', v_date), v_sale);
    v_left := (v_sale ->> 'total')::numeric;
    for v_payment_id, v_part in
      select p.id, private.unallocated(p.org_id, p.id) from public.payments p
      where p.org_id = v_org_id and p.order_id = p_order_id order by p.received_at, p.number, p.id
    loop
      v_part := least(v_part, v_left);
      if v_part > 0 then
        perform private.allocate(v_org_id, v_payment_id, p_id, v_part);
        v_left := v_left - v_part;
      end if;
    end loop;
    foreach v_note_id in array v_notes loop
      v_part := least(private.credit_left(v_org_id, v_note_id), v_left);
      if v_part > 0 then
        perform private.settle_invoice(v_org_id, p_id, 0, v_part);
        perform private.note_credit(v_org_id, v_note_id, p_id, v_part);
        v_left := v_left - v_part;
      end if;
    end loop;
  end if;
  return private.invoice_json(v_org_id, p_id);
end;
$$;

comment on function public.invoice_order(uuid, uuid, jsonb) is
'Invoices an order at its prices, taxed as of today and to the buyer as he is today (CGST Act 2017, section 14; CGST
Rules 2017, rule 46), never more than was ordered, and settles the invoice with the order''s
advances and with what is left of the credit notes of its other invoices. p_id: the client''s
uuid, the invoice''s id. p_order_id: confirmed, and not over. p_options: delivery_id (what this delivery brought) or
lines ([{"line_no" (of the order), "quantity" (in the line''s unit)}], each line once, delivered or not); without either
all that is not invoiced yet; due_date (ISO 8601 date; at once when left out), deliver_to (without delivery_id: one of
the customer''s addresses, or his own id for his own; else where the delivery went, or the order says). Line numbers are
the order''s. Returns the invoice as JSON. Errors: 400 invalid_input; 401; 403 permission_denied, price_override_denied
(the buyer is taxed less by now); 404 not_found; 409 order_not_open, period_closed, id_reused,
series_exhausted; 422 invoice_exceeds_order, branch_archived, tax_rate_missing, address_archived, delivered_elsewhere
(name the delivery, or the address), reverse_charge_not_possible, reverse_charge_mixed, composition_interstate.
Permission: invoice.create.';
revoke execute on function public.invoice_order(uuid, uuid, jsonb) from public, anon;
grant execute on function public.invoice_order(uuid, uuid, jsonb) to authenticated;
