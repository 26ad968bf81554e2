-- The acts of payments: record, allocate, reverse, release.

-- Receiving ---------------------------------------------------------------------------------------

create function private.note_part(p_org_id uuid, p_payment_id uuid, p_part jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_invoice_id uuid := (p_part ->> 'invoice_id')::uuid;
  v_amount numeric := (p_part ->> 'amount')::numeric;
  v_agreement_id uuid := private.agreement_on(p_org_id, v_invoice_id);
begin
  if v_amount <> 0 then
    perform private.note_allocation(p_org_id, p_payment_id, v_invoice_id, v_amount);
  end if;
  if v_agreement_id is not null then
    perform private.settle_instalments(p_org_id, v_agreement_id, p_payment_id,
      v_amount + (p_part ->> 'charges')::numeric);
  end if;
end;
$$;

comment on function private.note_part(uuid, uuid, jsonb) is
'Writes what a payment settles of one invoice, and of its instalments where it has an agreement. p_part: a row of
private.spread as JSON. The caller holds the invoice''s lock. No errors.';

select private.declare_shape('record_payment_options',
  '{"branch_id": "uuid", "occurred_at": "instant", "order_id": "uuid", "hold": "boolean", "note": "text"}',
  array['record_payment.p_options']);

create function public.record_payment(p_id uuid, p_customer_id uuid, p_amount numeric, p_method text,
  p_allocations jsonb default null, p_reference text default null, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
  v_first public.invoices := private.first_invoice(v_org_id, p_customer_id, p_allocations);
  -- The same call again finds the branch that took it, whatever has become of the invoices meanwhile.
  v_branch_id uuid := coalesce(private.id_option(p_options, 'branch_id'),
    (select branch_id from public.payments where org_id = v_org_id and id = p_id), v_first.branch_id,
      private.only_branch(v_org_id));
  v_house_id uuid;
  v_at timestamptz;
  v_date date;
  v_held boolean;
  v_plan private.planned[];
  v_parts jsonb;
begin
  perform private.check_shape('record_payment_options', p_options);
  if v_branch_id is null then
    perform private.authorize('payment.record', v_org_id);
    perform private.fail(400, 'invalid_input', 'Say which branch takes the payment.', '{"field": "branch_id"}');
  end if;
  v_house_id := private.authorize_branch('payment.record', v_branch_id);
  if v_house_id is distinct from
    (case when p_customer_id is null then coalesce(v_first.org_id, v_house_id) else v_org_id end) then
    perform private.fail(404, 'not_found', 'There is no such customer at this branch.', '{"field": "p_customer_id"}');
  end if;
  v_org_id := v_house_id;
  perform private.check_money(p_amount, p_method, p_reference);
  v_at := private.act_time(v_org_id, p_options);
  v_held := coalesce((p_options ->> 'hold')::boolean, false) or p_options ->> 'order_id' is not null;
  if v_held and p_allocations is not null then
    perform private.fail(400, 'invalid_input',
      'A payment that is held, or an advance on an order, settles no invoice yet.',
      '{"field": "p_allocations"}');
  elsif p_customer_id is null and p_amount is distinct from (
    select sum(a.amount) from private.read_allocations(coalesce(p_allocations, '[]')) a) then
    perform private.fail(422, 'payment_needs_a_customer', 'Without a customer a payment settles invoices, all of it.',
      jsonb_build_object('amount', p_amount));
  end if;
  if private.claim_request(v_org_id, p_id, 'record_payment',
    jsonb_build_array(p_customer_id, p_amount, p_method, p_allocations,
    p_reference, p_options)) then
    v_date := private.local_date(v_org_id, v_branch_id, v_at);
    perform private.advance_taken(v_org_id, private.id_option(p_options, 'order_id'), p_customer_id);
    v_plan := array(
      select p from private.plan_allocations(v_org_id, p_customer_id, case when v_held then '[]' else p_allocations
        end) p);
    perform private.assert_period_open(v_org_id, v_date);
    select coalesce(jsonb_agg(to_jsonb(s)), '[]') into v_parts from private.spread(v_org_id, p_amount, v_plan, false) s;
    perform private.post_account(v_org_id, p_customer_id, v_branch_id, -p_amount);
    insert into public.payments (org_id, id, branch_id, customer_id, order_id, number, method, amount, tendered,
      reference, note,
      received_at, business_date, created_by)
    values (v_org_id, p_id, v_branch_id, p_customer_id, private.id_option(p_options, 'order_id'),
      private.next_number(v_org_id, v_branch_id, 'receipt', v_date), p_method, p_amount, p_amount, p_reference,
      p_options ->> 'note', v_at, v_date, private.caller());
    perform private.hold_money(v_org_id, p_id, null, p_amount);
    perform private.note_part(v_org_id, p_id, s) from jsonb_array_elements(v_parts) s;
    perform private.emit(v_org_id, 'payment.received', jsonb_build_object('payment_id', p_id, 'branch_id', v_branch_id,
      'customer_id', p_customer_id, 'amount', p_amount, 'method', p_method, 'allocations', v_parts));
  end if;
  return private.payment_json(v_org_id, p_id);
end;
$$;

comment on function public.record_payment(uuid, uuid, numeric, text, jsonb, text, jsonb) is
'Takes a payment and settles invoices with it. p_id: the client''s uuid, the payment''s id. p_customer_id: null only for
what settles invoices without a customer, all of it. p_amount: in the organisation''s currency. p_method: a payment
method''s code. p_allocations: [{"invoice_id", "amount"}]; null: the customer''s open invoices, oldest due first; []
none. What is left stays the customer''s credit. An invoice that is paid in instalments takes what pay_agreement says.
p_reference: of the cheque, the transfer. p_options: branch_id (which takes it; else that of the first invoice settled,
else the caller''s only one), occurred_at (ISO 8601, needs sale.backdate), order_id (an advance on a sales order,
settles nothing yet), hold (true: settles nothing yet), note. Returns the payment as JSON with allocations and
unallocated; the same call again returns the same payment. Errors: 400 invalid_input; 401; 403 permission_denied,
backdating_denied; 404 not_found; 409 invoice_overpaid, invoice_not_open, order_not_open, period_closed, id_reused,
series_exhausted; 422 customer_mismatch, allocation_exceeds_payment, agreement_overpaid, payment_needs_a_customer,
branch_archived. Permission: payment.record at the payment''s branch and at the invoices''.';
revoke execute on function public.record_payment(uuid, uuid, numeric, text, jsonb, text, jsonb) from public, anon;
grant execute on function public.record_payment(uuid, uuid, numeric, text, jsonb, text, jsonb) to authenticated;

create function public.allocate_payment(p_id uuid, p_payment_id uuid, p_allocations jsonb default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_payment public.payments := private.document_named(null::public.payments, p_payment_id);
  v_plan private.planned[];
  v_left numeric;
  v_parts jsonb;
begin
  perform private.authorize('payment.record', v_payment.org_id, v_payment.branch_id);
  if private.claim_request(v_payment.org_id, p_id, 'allocate_payment',
    jsonb_build_array(p_payment_id, p_allocations)) then
    -- The invoices first, then the payment, as everybody locks them.
    v_plan := array(select p from private.plan_allocations(v_payment.org_id, v_payment.customer_id, p_allocations) p);
    v_left := private.lock_payment(v_payment.org_id, p_payment_id);
    perform private.assert_period_open(v_payment.org_id,
      private.local_date(v_payment.org_id, v_payment.branch_id, now()));
    select coalesce(jsonb_agg(to_jsonb(s)), '[]') into v_parts
      from private.spread(v_payment.org_id, v_left, v_plan, false) s;
    perform private.advance_used(v_payment, array(select (s ->> 'invoice_id')::uuid
      from jsonb_array_elements(v_parts) s));
    perform private.note_part(v_payment.org_id, p_payment_id, s) from jsonb_array_elements(v_parts) s;
    perform private.emit(v_payment.org_id, 'payment.allocated',
      jsonb_build_object('payment_id', p_payment_id, 'branch_id',
      v_payment.branch_id, 'customer_id', v_payment.customer_id, 'allocations', v_parts));
  end if;
  return private.payment_json(v_payment.org_id, p_payment_id);
end;
$$;

comment on function public.allocate_payment(uuid, uuid, jsonb) is
'Settles invoices with what is left of a payment, such as one that was held. p_id: the client''s uuid of this act.
p_payment_id. p_allocations: [{"invoice_id", "amount"}]; null: the customer''s open invoices, oldest due first. Returns
the payment as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invoice_overpaid,
invoice_not_open, payment_reversed, period_closed, id_reused; 422 customer_mismatch, allocation_exceeds_payment,
agreement_overpaid. Permission: payment.record at the payment''s branch and at the invoices''; order.manage to settle
with an open order''s advance what is not of that order.';
revoke execute on function public.allocate_payment(uuid, uuid, jsonb) from public, anon;
grant execute on function public.allocate_payment(uuid, uuid, jsonb) to authenticated;

-- Taking back -------------------------------------------------------------------------------------

create function public.reverse_payment(p_id uuid, p_payment_id uuid, p_reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_payment public.payments := private.document_named(null::public.payments, p_payment_id);
  v_ids uuid[];
  v_part record;
  v_date date;
begin
  perform private.authorize('payment.reverse', v_payment.org_id, v_payment.branch_id);
  perform private.check_reason(p_reason);
  if private.claim_request(v_payment.org_id, p_id, 'reverse_payment', jsonb_build_array(p_payment_id, p_reason)) then
    v_ids := private.invoices_of_payment(v_payment.org_id, p_payment_id);
    perform from public.invoices i where i.org_id = v_payment.org_id and i.id = any (v_ids)
      order by i.id for no key update;
    perform private.lock_payment(v_payment.org_id, p_payment_id);
    if not private.invoices_of_payment(v_payment.org_id, p_payment_id) <@ v_ids then
      -- Somebody allocated it while we waited: his invoice would be locked out of order.
      perform private.fail(409, 'changed_meanwhile', 'The payment was allocated at this moment: read it again.',
        jsonb_build_object('payment_id', p_payment_id));
    elsif exists (
      select from public.refund_sources s where s.org_id = v_payment.org_id and s.payment_id = p_payment_id) then
      perform private.fail(409, 'payment_refunded', 'Some of this payment was paid back already.',
        jsonb_build_object('payment_id', p_payment_id));
    elsif v_payment.method = 'points' and exists (
      select from public.credit_notes c
      join public.refund_sources s on s.org_id = c.org_id and s.credit_note_id = c.id
      join public.refunds f on f.org_id = s.org_id and f.id = s.refund_id and f.method = 'points'
      where c.org_id = v_payment.org_id and c.invoice_id = any (v_ids)) then
      -- To take them off the invoice as well would leave a debt for what the customer has not got.
      perform private.fail(409, 'payment_refunded', 'A credit note gave these points back already.',
        jsonb_build_object('payment_id', p_payment_id));
    end if;
    v_date := private.local_date(v_payment.org_id, v_payment.branch_id, now());
    perform private.assert_period_open(v_payment.org_id, v_date);
    for v_part in
      select a.invoice_id, sum(a.amount) as amount from public.payment_allocations a
      where a.org_id = v_payment.org_id and a.payment_id = p_payment_id
      group by a.invoice_id having sum(a.amount) <> 0 order by a.invoice_id
    loop
      perform private.allocate(v_payment.org_id, p_payment_id, v_part.invoice_id, -v_part.amount);
    end loop;
    perform private.post_account(v_payment.org_id, v_payment.customer_id, v_payment.branch_id, v_payment.amount);
    insert into public.payment_reversals (org_id, id, payment_id, branch_id, reason, business_date, created_by)
    values (v_payment.org_id, p_id, p_payment_id, v_payment.branch_id, p_reason, v_date, private.caller());
    perform private.payment_reversed(v_payment.org_id, p_payment_id);
    -- All that it had settled is given back by now: the whole of it goes.
    perform private.hold_money(v_payment.org_id, p_payment_id, null, -v_payment.amount);
    perform private.emit(v_payment.org_id, 'payment.reversed',
      jsonb_build_object('payment_id', p_payment_id, 'branch_id',
      v_payment.branch_id, 'customer_id', v_payment.customer_id, 'amount', v_payment.amount, 'reason', p_reason));
  end if;
  return private.payment_json(v_payment.org_id, p_payment_id);
end;
$$;

comment on function public.reverse_payment(uuid, uuid, text) is
'Takes a payment back that did not stand, such as a bounced cheque: what it settled is open again, and it counts for
nothing. p_id: the client''s uuid of this act. p_payment_id: nothing of it was paid back; points: nor did a credit note
of their invoice give any back. p_reason: 1 to 500 characters, kept. Returns the payment as JSON with reversed. Errors:
400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 payment_reversed, payment_refunded, changed_meanwhile,
invoice_not_open, period_closed, id_reused. Permission: payment.reverse at the payment''s branch.';
revoke execute on function public.reverse_payment(uuid, uuid, text) from public, anon;
grant execute on function public.reverse_payment(uuid, uuid, text) to authenticated;

create function private.lock_payments_of(p_org_id uuid, p_invoice_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform from public.payments p
  where p.org_id = p_org_id and p.id in (
    select a.payment_id from public.payment_allocations a where a.org_id = p_org_id and a.invoice_id = p_invoice_id
    union
    select s.payment_id from public.credit_agreements g
    join public.credit_settlements s on s.org_id = g.org_id and s.agreement_id = g.id
    where g.org_id = p_org_id and g.invoice_id = p_invoice_id)
  order by p.id for no key update;
end;
$$;

comment on function private.lock_payments_of(uuid, uuid) is
'Locks the payments that ever settled something of an invoice, whose lock the caller holds, or of its instalments: for
acts that give it back to them. No errors.';

create function public.release_payment(p_id uuid, p_payment_id uuid, p_allocations jsonb default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_payment public.payments := private.document_named(null::public.payments, p_payment_id);
  v_org_id uuid := v_payment.org_id;
  v_ids uuid[];
  v_part record;
  v_released jsonb := '[]'::jsonb;
begin
  perform private.authorize('payment.reverse', v_org_id, v_payment.branch_id);
  if p_allocations = '[]' then
    perform private.fail(400, 'invalid_input', 'Name an invoice, or leave them out for all.',
      '{"field": "p_allocations"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'release_payment', jsonb_build_array(p_payment_id, p_allocations)) then
    v_ids := private.invoices_of_payment(v_org_id, p_payment_id);
    perform from public.invoices i where i.org_id = v_org_id and i.id = any (v_ids) order by i.id for no key update;
    perform private.lock_payment(v_org_id, p_payment_id);
    if not private.invoices_of_payment(v_org_id, p_payment_id) <@ v_ids then
      perform private.fail(409, 'changed_meanwhile', 'The payment was allocated at this moment: read it again.',
        jsonb_build_object('payment_id', p_payment_id));
    elsif v_payment.customer_id is null or v_payment.method = 'points' then
      perform private.fail(422, 'payment_not_released',
        'Points and what nobody''s name is on stay where they are: reverse the payment.',
        jsonb_build_object('payment_id', p_payment_id));
    end if;
    perform private.assert_period_open(v_org_id, private.local_date(v_org_id, v_payment.branch_id, now()));
    for v_part in
      select coalesce(n.invoice_id, a.invoice_id) as invoice_id, case when p_allocations is null then a.amount
        else n.amount end as amount,
        coalesce(a.amount, 0) as settled
      from (
        select t.invoice_id, sum(t.amount) as amount from public.payment_allocations t
        where t.org_id = v_org_id and t.payment_id = p_payment_id group by 1 having sum(t.amount) <> 0) a
      full join private.read_allocations(coalesce(p_allocations, '[]')) n on n.invoice_id = a.invoice_id
      where p_allocations is null or n.invoice_id is not null order by 1
    loop
      if v_part.amount > v_part.settled then
        perform private.fail(422, 'allocation_exceeds_payment', 'The payment does not settle so much of this invoice.',
          jsonb_build_object('left', v_part.settled, 'invoice_id', v_part.invoice_id, 'asked', v_part.amount));
      elsif exists (
        select from public.credit_agreements g
        where g.invoice_id = v_part.invoice_id and g.org_id = v_org_id and g.status <> 'cancelled') then
        -- The schedule was made of what the invoice lacked, and charges hang on what was paid when.
        perform private.fail(422, 'payment_not_released', 'This invoice is paid in instalments: reverse the payment.',
          jsonb_build_object('payment_id', p_payment_id, 'invoice_id', v_part.invoice_id));
      end if;
      perform private.allocate(v_org_id, p_payment_id, v_part.invoice_id, -v_part.amount);
      v_released := v_released || jsonb_build_object('invoice_id', v_part.invoice_id, 'amount', v_part.amount);
    end loop;
    if v_released = '[]' then
      perform private.fail(422, 'allocation_exceeds_payment', 'This payment settles nothing.',
        jsonb_build_object('left', 0, 'payment_id', p_payment_id));
    end if;
    perform private.emit(v_org_id, 'payment.released', jsonb_build_object('payment_id', p_payment_id, 'branch_id',
      v_payment.branch_id, 'customer_id', v_payment.customer_id, 'allocations', v_released));
  end if;
  return private.payment_json(v_org_id, p_payment_id);
end;
$$;

comment on function public.release_payment(uuid, uuid, jsonb) is
'Takes a payment off invoices that it was put on by mistake: they are open again, and the money is the customer''s
credit, or its open order''s advance, for allocate_payment. No money moves. p_id: the client''s uuid of this act.
p_payment_id. p_allocations: [{"invoice_id", "amount"}]; null: all that it settles. Returns the payment as JSON. Errors:
400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 payment_reversed, changed_meanwhile, period_closed,
id_reused; 422 allocation_exceeds_payment, payment_not_released (points, instalments, a walk-in''s). Permission:
payment.reverse at the payment''s branch.';
revoke execute on function public.release_payment(uuid, uuid, jsonb) from public, anon;
grant execute on function public.release_payment(uuid, uuid, jsonb) to authenticated;

-- Reading one -------------------------------------------------------------------------------------

create function public.get_payment(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_payment public.payments := private.document_named(null::public.payments, p_id);
begin
  perform private.authorize('invoice.read', v_payment.org_id, v_payment.branch_id);
  return private.payment_json(v_payment.org_id, p_id);
end;
$$;

comment on function public.get_payment(uuid) is
'One payment, as record_payment returns it. p_id: the payment. Errors: 401, 403 permission_denied, 404 not_found.
Permission: invoice.read.';
revoke execute on function public.get_payment(uuid) from public, anon;
grant execute on function public.get_payment(uuid) to authenticated;
