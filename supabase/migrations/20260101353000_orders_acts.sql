-- The acts of orders: confirm, work, mark, cancel.

-- Money on an order -------------------------------------------------------------------------------

create function private.order_advances(p_org_id uuid, p_order_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select sum(private.unallocated(p.org_id, p.id)) from public.payments p
    where p.org_id = p_org_id and p.order_id = p_order_id), 0) + coalesce((
    select sum(private.credit_left(n.org_id, n.id))
    from public.invoices i join public.credit_notes n on n.org_id = i.org_id and n.invoice_id = i.id
    where i.org_id = p_org_id and i.order_id = p_order_id), 0);
end;
$$;

comment on function private.order_advances(uuid, uuid) is
'What of an order''s advances settles nothing yet, and what is left of the credit notes of its invoices: with both its
next invoice is settled. No errors.';

create function private.ordered_on_credit(p_org_id uuid, p_customer_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select sum(greatest(o.total - private.order_advances(o.org_id,
      o.id) - (private.order_invoiced(o.org_id, o.id)).total, 0))
    from public.sales_orders o
    where o.customer_id = p_customer_id and o.org_id = p_org_id and o.status not in ('draft', 'closed', 'cancelled')),
      0);
end;
$$;

comment on function private.ordered_on_credit(uuid, uuid) is
'What a customer will owe for his open orders when they are invoiced: their totals less invoices and advances. No
errors.';

create function private.free_credit(p_org_id uuid, p_customer_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select sum(h.amount) from private.money_held h
    left join public.payments p on p.org_id = h.org_id and p.id = h.payment_id
    left join public.credit_notes n on n.org_id = h.org_id and n.id = h.credit_note_id
    left join public.invoices i on i.org_id = n.org_id and i.id = n.invoice_id
    left join public.sales_orders o on o.org_id = h.org_id and o.id = coalesce(p.order_id, i.order_id)
    where h.customer_id = p_customer_id and h.org_id = p_org_id
      and (o.id is null or o.status in ('closed', 'cancelled'))), 0);
end;
$$;

comment on function private.free_credit(uuid, uuid) is
'What the house holds for a customer: payments and credit notes that settle nothing yet, in the organisation''s
currency. What belongs to an order that is not over counts there (private.order_advances). No errors.';

create function private.check_order_credit(p_org_id uuid, p_order public.sales_orders) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_asked numeric;
begin
  -- Two orders of one customer come after one another here, so that together they stay within his limit.
  perform from public.customers where org_id = p_org_id and id = p_order.customer_id for no key update;
  v_asked := p_order.total - private.order_advances(p_org_id, p_order.id);
  if v_asked > 0 then
    perform private.check_credit(p_org_id, p_order.customer_id, v_asked);
  end if;
end;
$$;

comment on function private.check_order_credit(uuid, public.sales_orders) is
'May this customer owe what no advance covers of an order, as private.check_credit asks? Locks the customer.
Errors: 422 credit_limit_exceeded.';

create function private.check_order_cover(p_org_id uuid, p_order public.sales_orders) returns void
language plpgsql
set search_path = ''
as $$
begin
  if (private.order_money(p_org_id, p_order)).to_pay > 0 then
    perform private.check_credit(p_org_id, p_order.customer_id, 0);
  end if;
end;
$$;

comment on function private.check_order_cover(uuid, public.sales_orders) is
'Before the goods of an order leave: what is not paid of it was allowed when it was confirmed, and must still be, since
an advance may have bounced or been used for something else. Locks the customer. Invoicing asks nothing: the debt is
there once the goods are gone. Errors: 422 credit_limit_exceeded, customer_defaulted.';

create function private.keep_advance(p_payment public.payments, p_invoice_ids uuid[]) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_branch_id uuid := (
    select o.branch_id from public.sales_orders o
    where o.org_id = p_payment.org_id and o.id = p_payment.order_id and o.status not in ('closed', 'cancelled'));
begin
  if v_branch_id is not null and (p_invoice_ids is null or exists (
    select from public.invoices i
    where i.org_id = p_payment.org_id and i.id = any (p_invoice_ids) and i.order_id is distinct
      from p_payment.order_id)) then
    perform private.authorize('order.manage', p_payment.org_id, v_branch_id);
  end if;
end;
$$;

comment on function private.keep_advance(public.payments, uuid[]) is
'What was paid in advance on an open order is used otherwise by whoever manages orders. p_invoice_ids: what it is to
settle; null: it is paid back. Errors: 403 permission_denied.';

create function private.check_advance(p_org_id uuid, p_order_id uuid, p_customer_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_order public.sales_orders;
begin
  if p_order_id is null then
    return;
  end if;
  -- Whoever cancels the order meanwhile waits, and finds the advance.
  select * into v_order from public.sales_orders where org_id = p_org_id and id = p_order_id for share;
  if v_order.id is null then
    perform private.fail(404, 'not_found', 'There is no such order.', '{"field": "order_id"}');
  elsif v_order.customer_id is distinct from p_customer_id then
    perform private.fail(422, 'customer_mismatch', 'This is another customer''s order.',
      jsonb_build_object('order_id', p_order_id));
  elsif v_order.status in ('closed', 'cancelled') then
    perform private.fail(409, 'order_not_open', 'This order is over.',
      jsonb_build_object('order_id', p_order_id, 'status', v_order.status));
  end if;
end;
$$;

comment on function private.check_advance(uuid, uuid, uuid) is
'May an advance of this customer be taken on the order? Nothing is asked without an order. Errors: 404 not_found, 409
order_not_open, 422 customer_mismatch.';

-- The acts ----------------------------------------------------------------------------------------

create function private.lock_order(p_org_id uuid, p_id uuid, p_to text) returns public.sales_orders
language plpgsql
set search_path = ''
as $$
declare
  v_order public.sales_orders;
begin
  select * into v_order from public.sales_orders where org_id = p_org_id and id = p_id for no key update;
  if p_to is not null then
    perform private.check_step('sales_order', v_order.status, p_to);
  end if;
  return v_order;
end;
$$;

comment on function private.lock_order(uuid, uuid, text) is
'Locks an order that is to take the status p_to (null: none in particular). Errors: 409 invalid_transition.';

select private.declare_shape('confirm_order_options',
  '{"location_id": "uuid", "expires": "instant", "back_order": "boolean"}',
  array['confirm_order.p_options']);

create function public.confirm_order(p_id uuid, p_order_id uuid, p_options jsonb default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_order_id);
  v_org_id uuid := v_order.org_id;
  v_location_id uuid := private.id_option(p_options, 'location_id');
  v_expires_at timestamptz;
  v_hold_id uuid;
  v_lines jsonb;
  v_coupon_id uuid;
  v_date date;
  v_number text;
begin
  perform private.authorize_branch('order.manage', v_order.branch_id);
  perform private.check_shape('confirm_order_options', p_options);
  if private.claim_request(v_org_id, p_id, 'confirm_order', jsonb_build_array(p_order_id, p_options)) then
    v_order := private.lock_order(v_org_id, p_order_id, 'confirmed');
    if p_options ->> 'expires' is not null then
      v_expires_at := private.instant(p_options ->> 'expires', 'expires');
      if v_expires_at <= now() then
        perform private.fail(400, 'invalid_input', 'expires lies in the future.', '{"field": "expires"}');
      end if;
    end if;
    v_date := private.local_date(v_org_id, v_order.branch_id, now());
    -- It counts if it did on the day of these prices, which a quotation keeps.
    v_lines := (
      select jsonb_agg(private.line_json(l)) from public.sales_order_lines l
      where l.org_id = v_org_id and l.order_id = p_order_id);
    v_coupon_id := private.lock_coupon(v_org_id, private.coupon_of(v_lines), v_order.customer_id,
      (v_order.header -> 'asked' ->> 'priced_on')::date, v_lines);
    perform private.assert_period_open(v_org_id, v_date);
    if v_location_id is not null then
      perform private.selling_location(v_org_id, v_order.branch_id, v_location_id, 'location_id');
      v_hold_id := private.hold_goods(v_org_id, v_order, v_location_id, v_expires_at,
        not coalesce((p_options ->> 'back_order')::boolean, false));
    elsif exists (
      select from public.sales_order_lines l where l.org_id = v_org_id and l.order_id = p_order_id and l.stocked) then
      perform private.fail(400, 'invalid_input', 'Say where the goods are held.', '{"field": "location_id"}');
    end if;
    perform private.check_order_credit(v_org_id, v_order);
    v_number := private.next_number(v_org_id, v_order.branch_id, 'sales_order', v_date);
    update public.sales_orders
    set status = 'confirmed', number = v_number, confirmed_at = now(), location_id = v_location_id,
      reservation_id = v_hold_id
    where org_id = v_org_id and id = p_order_id;
    if v_coupon_id is not null then
      perform private.note_order_coupon(v_org_id, v_coupon_id, p_order_id);
    end if;
    perform private.emit(v_org_id, 'order.confirmed', jsonb_build_object('order_id', p_order_id, 'branch_id',
      v_order.branch_id,
      'customer_id', v_order.customer_id, 'number', v_number, 'total', v_order.total));
  end if;
  return private.order_json(v_org_id, p_order_id);
end;
$$;

comment on function public.confirm_order(uuid, uuid, jsonb) is
'Confirms a draft order: it gets its number, its coupon is used, its goods are held until it is delivered or cancelled,
and the customer''s credit is asked for what no advance covers (invoices and other open orders count too, and what the
house holds for him). p_id: the client''s uuid of this act. p_order_id. p_options: location_id (where the goods are
held; none needed for services alone), back_order (true: hold what is there, the rest follows), expires (ISO 8601: hold
them only until then). Returns the order as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found;
409 invalid_transition, insufficient_stock, period_closed, id_reused, series_exhausted; 422 credit_limit_exceeded,
location_not_sellable, branch_archived, coupon_invalid, coupon_used_up. Permission: order.manage.';
revoke execute on function public.confirm_order(uuid, uuid, jsonb) from public, anon;
grant execute on function public.confirm_order(uuid, uuid, jsonb) to authenticated;

create function private.hold_again(p_org_id uuid, p_order public.sales_orders) returns uuid
language plpgsql
set search_path = ''
as $$
begin
  if p_order.location_id is null then
    return null;
  end if;
  perform private.lock_goods(p_org_id, p_order, p_order.location_id);
  perform private.let_go(p_org_id, p_order, 'released');
  return private.hold_goods(p_org_id, p_order, p_order.location_id, (
    select r.expires_at from public.stock_reservations r
    where r.org_id = p_org_id and r.id = p_order.reservation_id and r.expires_at > now()), false);
end;
$$;

comment on function private.hold_again(uuid, public.sales_orders) is
'Holds for an order, locked and open, what is there by now, made or arrived since, until the same day. Returns the
reservation, null when there is nothing to hold. No errors.';

create function public.hold_order(p_id uuid, p_order_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_order_id);
  v_org_id uuid := v_order.org_id;
  v_hold_id uuid;
begin
  perform private.authorize('order.manage', v_org_id, v_order.branch_id);
  if private.claim_request(v_org_id, p_id, 'hold_order', jsonb_build_array(p_order_id)) then
    v_order := private.lock_order(v_org_id, p_order_id, null);
    if v_order.status not in ('confirmed', 'in_production', 'ready', 'partially_delivered') then
      perform private.fail(409, 'order_not_open',
        'Nothing is held for an order that is not confirmed, or has all its goods.',
        jsonb_build_object('order_id', p_order_id, 'status', v_order.status));
    end if;
    v_hold_id := private.hold_again(v_org_id, v_order);
    update public.sales_orders set reservation_id = v_hold_id where org_id = v_org_id and id = p_order_id;
    perform private.emit(v_org_id, 'order.held', jsonb_build_object('order_id', p_order_id, 'branch_id',
      v_order.branch_id,
      'customer_id', v_order.customer_id, 'number', v_order.number));
  end if;
  return private.order_json(v_org_id, p_order_id);
end;
$$;

comment on function public.hold_order(uuid, uuid) is
'Holds for an open order what of its back-order has come in since, at every step before its last delivery. p_id: the
client''s uuid of this act. p_order_id. Returns the order as JSON; reserved of its lines tells what is held now. Errors:
400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 order_not_open, id_reused. Permission: order.manage.';
revoke execute on function public.hold_order(uuid, uuid) from public, anon;
grant execute on function public.hold_order(uuid, uuid) to authenticated;

create function private.step_order(p_org_id uuid, p_order public.sales_orders, p_to text) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_hold_id uuid := p_order.reservation_id;
  v_open record;
begin
  if p_to = 'closed' then
    select s.line_no, s.not_invoiced, s.not_delivered into v_open from private.order_standing(p_org_id, p_order.id) s
    where s.not_invoiced > 0 or s.not_delivered > 0 order by s.not_invoiced > 0 desc, s.line_no limit 1;
    if v_open.not_invoiced > 0 then
      perform private.fail(409, 'order_not_invoiced', 'What was delivered is not all invoiced.',
        jsonb_build_object('order_id', p_order.id, 'line_no', v_open.line_no, 'quantity', v_open.not_invoiced));
    elsif v_open.not_delivered > 0 then
      perform private.fail(409, 'order_not_delivered',
        'What was invoiced is not all delivered: deliver it, or credit it.',
        jsonb_build_object('order_id', p_order.id, 'line_no', v_open.line_no, 'quantity', v_open.not_delivered));
    end if;
    perform private.let_go(p_org_id, p_order, 'released');
    v_hold_id := null;
  elsif p_to = 'ready' then
    v_hold_id := private.hold_again(p_org_id, p_order);
  end if;
  update public.sales_orders
  set status = p_to, reservation_id = v_hold_id, ended_at = case when p_to = 'closed' then now() end
  where org_id = p_org_id and id = p_order.id;
  perform private.emit(p_org_id, 'order.' || p_to, jsonb_build_object('order_id', p_order.id, 'branch_id',
    p_order.branch_id,
    'customer_id', p_order.customer_id, 'number', p_order.number));
end;
$$;

comment on function private.step_order(uuid, public.sales_orders, text) is
'Takes an order, locked and able to, to in_production, ready (it holds what is there by now) or closed (it holds nothing
any more). Errors: 409 order_not_invoiced, order_not_delivered.';

create function public.mark_order(p_id uuid, p_order_id uuid, p_status text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_order_id);
  v_org_id uuid := v_order.org_id;
begin
  perform private.authorize('order.manage', v_org_id, v_order.branch_id);
  if p_status is null or p_status not in ('in_production', 'ready', 'closed') then
    perform private.fail(400, 'invalid_input', 'p_status is in_production, ready or closed.', '{"field": "p_status"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'mark_order', jsonb_build_array(p_order_id, p_status)) then
    perform private.step_order(v_org_id, private.lock_order(v_org_id, p_order_id, p_status), p_status);
  end if;
  return private.order_json(v_org_id, p_order_id);
end;
$$;

comment on function public.mark_order(uuid, uuid, text) is
'Says how far an order is. p_id: the client''s uuid of this act. p_order_id. p_status: in_production; ready (goods that
have come in since are held for it); closed (all that was delivered is invoiced, and the other way round: what is still
open will not come, and what is left of the advances is the customer''s credit). Returns the order as JSON. Errors: 400
invalid_input; 401; 403 permission_denied; 404 not_found; 409 invalid_transition, order_not_invoiced,
order_not_delivered, id_reused. Permission: order.manage.';
revoke execute on function public.mark_order(uuid, uuid, text) from public, anon;
grant execute on function public.mark_order(uuid, uuid, text) to authenticated;

select private.declare_shape('log_work_options',
  '{"visible_to_customer": "boolean", "status": ["in_production", "ready"], "worked_on": "date"}',
  array['log_work.p_options']);

create function public.log_work(p_id uuid, p_order_id uuid, p_note text, p_options jsonb default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_order_id);
  v_org_id uuid := v_order.org_id;
  v_status text := p_options ->> 'status';
  v_today date := private.local_date(v_org_id, v_order.branch_id, now());
  v_day date;
begin
  perform private.authorize('order.manage', v_org_id, v_order.branch_id);
  perform private.check_shape('log_work_options', p_options);
  if p_note is null or length(btrim(p_note)) not between 1 and 2000 then
    perform private.fail(400, 'invalid_input', 'Say what was done, in 1 to 2000 characters.', '{"field": "p_note"}');
  end if;
  v_day := coalesce(private.day(p_options ->> 'worked_on', 'worked_on'), v_today);
  if private.claim_request(v_org_id, p_id, 'log_work', jsonb_build_array(p_order_id, p_note, p_options)) then
    if not v_day between v_today - 366 and v_today then
      perform private.fail(400, 'invalid_input', 'worked_on is today or a day of the last year.',
        '{"field": "worked_on"}');
    end if;
    v_order := private.lock_order(v_org_id, p_order_id, v_status);
    if v_order.status in ('draft', 'closed', 'cancelled') then
      perform private.fail(409, 'order_not_open', 'No work is done on an order that is not confirmed, or is over.',
        jsonb_build_object('order_id', p_order_id, 'status', v_order.status));
    end if;
    insert into public.sales_order_log (org_id, id, order_id, branch_id, worked_on, note, visible_to_customer, status,
      created_by)
    values (v_org_id, p_id, p_order_id, v_order.branch_id, v_day, p_note,
      coalesce((p_options ->> 'visible_to_customer')::boolean, false), coalesce(v_status, v_order.status),
        private.caller());
    if v_status is not null then
      perform private.step_order(v_org_id, v_order, v_status);
    end if;
    perform private.emit(v_org_id, 'order.worked', jsonb_build_object('order_id', p_order_id, 'branch_id',
      v_order.branch_id,
      'entry_id', p_id));
  end if;
  return private.order_json(v_org_id, p_order_id);
end;
$$;

comment on function public.log_work(uuid, uuid, text, jsonb) is
'Notes work that was done on an order. p_id: the client''s uuid, the entry''s id. p_order_id. p_note: 1 to 2000
characters. p_options: visible_to_customer (true: he may be shown it), status (in_production or ready: the order takes
it), worked_on (ISO 8601 date, today when left out). Returns the order as JSON with its work_log. Errors: 400
invalid_input; 401; 403 permission_denied; 404 not_found; 409 order_not_open, invalid_transition, id_reused. Permission:
order.manage.';
revoke execute on function public.log_work(uuid, uuid, text, jsonb) from public, anon;
grant execute on function public.log_work(uuid, uuid, text, jsonb) to authenticated;

select private.declare_shape('cancel_order_options',
  '{"refund_method": "text", "reference": "text 100"}',
  array['cancel_order.p_options']);

create function public.cancel_order(p_id uuid, p_order_id uuid, p_reason text, p_options jsonb
  default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_order_id);
  v_org_id uuid := v_order.org_id;
  v_method text := p_options ->> 'refund_method';
  v_sources jsonb;
begin
  perform private.authorize('order.manage', v_org_id, v_order.branch_id);
  perform private.check_reason(p_reason);
  perform private.check_shape('cancel_order_options', p_options);
  if v_method is not null then
    perform private.authorize_branch('refund.create', v_order.branch_id);
    perform private.check_money(1, v_method, p_options ->> 'reference');
  end if;
  if private.claim_request(v_org_id, p_id, 'cancel_order', jsonb_build_array(p_order_id, p_reason, p_options)) then
    v_order := private.lock_order(v_org_id, p_order_id, 'cancelled');
    if exists (
      select from public.invoices i where i.org_id = v_org_id and i.order_id = p_order_id and i.status <> 'void'
        and i.total > coalesce((
        select sum(c.total) from public.credit_notes c where c.org_id = i.org_id and c.invoice_id = i.id), 0)) then
      perform private.fail(409, 'order_invoiced', 'This order has an invoice: void it or credit it first.',
        jsonb_build_object('order_id', p_order_id));
    end if;
    perform from public.payments p where p.org_id = v_org_id and p.order_id = p_order_id
      order by p.id for no key update;
    perform from public.credit_notes n
    where n.org_id = v_org_id and n.invoice_id in (
      select i.id from public.invoices i where i.org_id = v_org_id and i.order_id = p_order_id)
    order by n.id for no key update;
    perform private.assert_period_open(v_org_id, private.local_date(v_org_id, v_order.branch_id, now()));
    perform private.let_go(v_org_id, v_order, 'released');
    perform private.give_order_coupon_back(v_org_id, p_order_id);
    update public.sales_orders set status = 'cancelled', reservation_id = null, ended_at = now(), reason = p_reason
    where org_id = v_org_id and id = p_order_id;
    if v_method is not null then
      -- What waited, and what an invoice took that was credited since.
      select jsonb_agg(jsonb_build_object('payment_id', u.payment_id, 'credit_note_id', u.credit_note_id, 'amount',
        u.amount)
        order by u.payment_id, u.credit_note_id)
      into v_sources from (
        select p.id as payment_id, null::uuid as credit_note_id, private.unallocated(p.org_id, p.id) as amount
        from public.payments p where p.org_id = v_org_id and p.order_id = p_order_id
        union all
        select null, n.id, private.credit_left(n.org_id, n.id)
        from public.invoices i join public.credit_notes n on n.org_id = i.org_id and n.invoice_id = i.id
        where i.org_id = v_org_id and i.order_id = p_order_id) u
      where u.amount > 0;
      if v_sources is not null then
        perform private.pay_back(v_org_id, p_id, v_order.branch_id, v_order.customer_id, v_method, v_sources,
          p_options ->> 'reference', p_reason, now());
      end if;
    end if;
    perform private.emit(v_org_id, 'order.cancelled', jsonb_build_object('order_id', p_order_id, 'branch_id',
      v_order.branch_id,
      'customer_id', v_order.customer_id, 'reason', p_reason));
  end if;
  return private.order_json(v_org_id, p_order_id);
end;
$$;

comment on function public.cancel_order(uuid, uuid, text, jsonb) is
'Cancels an order of which nothing was delivered: its goods are free again, its coupon is unused, and its advances, also
those that an invoice took which was credited since, are the customer''s credit, or are paid back. p_id: the client''s
uuid of this act, and of the refund. p_order_id. p_reason: 1 to 500 characters, kept. p_options: refund_method (a
payment method''s code: all of that is paid back by it; needs refund.create), reference. Returns the order as JSON.
Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invalid_transition (something was delivered:
close it), order_invoiced, period_closed, id_reused, series_exhausted; 422 branch_archived (it pays nothing back).
Permission: order.manage.';
revoke execute on function public.cancel_order(uuid, uuid, text, jsonb) from public, anon;
grant execute on function public.cancel_order(uuid, uuid, text, jsonb) to authenticated;

select private.react('credit_held', 10, 'free_credit');
select private.react('credit_promised', 10, 'ordered_on_credit');
select private.react('advance_taken', 10, 'check_advance');
select private.react('advance_used', 10, 'keep_advance');
