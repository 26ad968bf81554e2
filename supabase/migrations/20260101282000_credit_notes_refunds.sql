-- Refunds: what the house holds for a customer is paid back, never more.

create function private.refund_sources_for(p_org_id uuid, p_customer_id uuid, p_payment_id uuid, p_credit_note_id uuid,
  p_amount numeric)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_payments uuid[];
  v_notes uuid[];
  v_sources jsonb;
  v_credit numeric;
begin
  if p_payment_id is not null then
    perform private.lock_payment(p_org_id, p_payment_id);
    v_payments := array[p_payment_id];
  elsif p_credit_note_id is not null then
    v_notes := array[p_credit_note_id];
  else
    -- An advance belongs to its order: while that is open it is paid back by name only.
    v_payments := array(
      select p.id from private.money_held h
      join public.payments p on p.org_id = h.org_id and p.id = h.payment_id
      where h.org_id = p_org_id and h.customer_id = p_customer_id
        and p.branch_id in (select private.branches_with('refund.create'))
        and not exists (
          select from public.sales_orders o
          where o.org_id = p.org_id and o.id = p.order_id and o.status not in ('closed', 'cancelled')));
    v_notes := array(
      select c.id from private.money_held h
      join public.credit_notes c on c.org_id = h.org_id and c.id = h.credit_note_id
      where h.org_id = p_org_id and h.customer_id = p_customer_id
        and c.branch_id in (select private.branches_with('refund.create')));
  end if;
  perform from public.payments p where p.org_id = p_org_id and p.id = any (v_payments) order by p.id for no key update;
  perform from public.credit_notes c where c.org_id = p_org_id and c.id = any (v_notes) order by c.id for no key update;
  with held as (
    select p.id as payment_id, null::uuid as credit_note_id, p.received_at as at, private.unallocated(p.org_id, p.id)
      as amount
    from public.payments p where p.org_id = p_org_id and p.id = any (v_payments)
    union all
    select null, c.id, c.issued_at, private.credit_left(c.org_id, c.id)
    from public.credit_notes c where c.org_id = p_org_id and c.id = any (v_notes)
  ), summed as (
    select h.*, coalesce(sum(h.amount) over (order by h.at, h.payment_id, h.credit_note_id
      rows between unbounded preceding and 1 preceding), 0) as before
    from held h where h.amount > 0
  )
  select coalesce(sum(s.amount), 0), jsonb_agg(jsonb_build_object('payment_id', s.payment_id, 'credit_note_id',
    s.credit_note_id, 'amount', least(s.amount, p_amount - s.before)) order by s.at, s.payment_id, s.credit_note_id)
    filter (where s.before < p_amount)
  into v_credit, v_sources from summed s;
  if v_credit < p_amount then
    perform private.fail(422, 'refund_exceeds_credit', format('Only %s can be paid back.', v_credit),
      jsonb_build_object('credit', v_credit, 'asked', p_amount));
  end if;
  return v_sources;
end;
$$;

comment on function private.refund_sources_for(uuid, uuid, uuid, uuid, numeric) is
'Locks what a refund can be paid out of (the payment or the credit note named, else all that the customer has at
branches where the caller holds refund.create, oldest first) and returns [{"payment_id", "credit_note_id", "amount"}],
p_amount in all. Errors: 409 payment_reversed, 422 refund_exceeds_credit.';

create function private.pay_back(p_org_id uuid, p_id uuid, p_branch_id uuid, p_customer_id uuid, p_method text,
  p_sources jsonb,
  p_reference text, p_note text, p_at timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_date date := private.local_date(p_org_id, p_branch_id, p_at);
  v_amount numeric := (select sum((s ->> 'amount')::numeric) from jsonb_array_elements(p_sources) s);
begin
  -- Else it would be dated into a time, and perhaps into closed books, in which nothing was held.
  if exists (
    select from jsonb_array_elements(p_sources) s
    where p_at < coalesce(
      (select p.received_at from public.payments p where p.org_id = p_org_id and p.id = (s ->> 'payment_id')::uuid),
      (select c.issued_at from public.credit_notes c where c.org_id = p_org_id
        and c.id = (s ->> 'credit_note_id')::uuid))) then
    perform private.fail(400, 'invalid_input', 'A refund is not older than what it is paid out of.',
      '{"field": "occurred_at"}');
  end if;
  perform private.assert_period_open(p_org_id, v_date);
  perform private.post_account(p_org_id, p_customer_id, p_branch_id, v_amount);
  insert into public.refunds (org_id, id, branch_id, customer_id, number, method, amount, reference, note, refunded_at,
    business_date, created_by)
  values (p_org_id, p_id, p_branch_id, p_customer_id, private.next_number(p_org_id, p_branch_id, 'refund', v_date),
    p_method,
    v_amount, p_reference, p_note, p_at, v_date, private.caller());
  insert into public.refund_sources (org_id, refund_id, entry, branch_id, payment_id, credit_note_id, amount)
  select p_org_id, p_id, s.place, p_branch_id, (s.source ->> 'payment_id')::uuid, (s.source ->> 'credit_note_id')::uuid,
    (s.source ->> 'amount')::numeric
  from jsonb_array_elements(p_sources) with ordinality s (source, place);
  perform private.hold_money(p_org_id, (s ->> 'payment_id')::uuid, (s ->> 'credit_note_id')::uuid,
    -(s ->> 'amount')::numeric)
  from jsonb_array_elements(p_sources) s;
  perform private.payment_refunded(p_org_id, p_id, p_method);
  perform private.emit(p_org_id, 'payment.refunded', jsonb_build_object('refund_id', p_id, 'branch_id', p_branch_id,
    'customer_id', p_customer_id, 'amount', v_amount, 'method', p_method));
end;
$$;

comment on function private.pay_back(uuid, uuid, uuid, uuid, text, jsonb, text, text, timestamptz) is
'Writes a refund. p_sources: as private.refund_sources_for returns them, locked. p_id: the refund''s. Errors: 400
invalid_input (older than one of its sources), 409 period_closed, series_exhausted.';

create function private.refund_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select to_jsonb(f) - 'created_at' - 'request_id' || jsonb_build_object('method_name', m.name, 'currency',
      o.currency, 'sources', (
      select jsonb_agg(jsonb_build_object('payment_id', s.payment_id, 'credit_note_id', s.credit_note_id, 'amount',
        s.amount)
        order by s.entry)
      from public.refund_sources s where s.org_id = f.org_id and s.refund_id = f.id))
    from public.refunds f
    join public.payment_methods m on m.code = f.method
    join public.organizations o on o.id = f.org_id
    where f.org_id = p_org_id and f.id = p_id);
end;
$$;

comment on function private.refund_json(uuid, uuid) is 'A refund as clients see it, with what it was paid out of.';

-- The act -----------------------------------------------------------------------------------------

select private.declare_shape('refund_options',
  '{"payment_id": "uuid", "credit_note_id": "uuid", "branch_id": "uuid", "reference": "text 100", "occurred_at":
    "instant", "note": "text"}',
  array['refund.p_options']);

create function public.refund(p_id uuid, p_customer_id uuid, p_amount numeric, p_method text, p_options jsonb
  default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_payment public.payments := private.document_named(null::public.payments,
    private.id_option(p_options, 'payment_id'));
  v_note public.credit_notes := private.document_named(null::public.credit_notes,
    private.id_option(p_options, 'credit_note_id'));
  v_org_id uuid := coalesce(private.org_of('public.customers', p_customer_id), v_payment.org_id, v_note.org_id);
  -- The same call again finds the branch that paid, whatever branches the caller has by now.
  v_branch_id uuid := coalesce(private.id_option(p_options, 'branch_id'), v_payment.branch_id, v_note.branch_id,
    (select branch_id from public.refunds where org_id = v_org_id and id = p_id), private.only_branch(v_org_id));
  v_customer_id uuid := coalesce(p_customer_id, v_payment.customer_id, v_note.customer_id);
  v_at timestamptz;
  v_sources jsonb;
begin
  perform private.check_shape('refund_options', p_options);
  if v_branch_id is null then
    perform private.authorize('refund.create', v_org_id);
    perform private.fail(400, 'invalid_input', 'Say which branch pays it back.', '{"field": "branch_id"}');
  end if;
  if private.authorize_branch('refund.create', v_branch_id) is distinct from v_org_id
    or (p_options ->> 'payment_id' is not null and v_payment.org_id is distinct from v_org_id)
    or (p_options ->> 'credit_note_id' is not null and v_note.org_id is distinct from v_org_id) then
    perform private.fail(404, 'not_found', 'There is no such branch, payment or credit note of this customer.');
  end if;
  if coalesce(v_payment.id, v_note.id) is not null then
    -- Whose money it is: who pays another branch's out covers that branch, too.
    perform private.authorize('refund.create', v_org_id, coalesce(v_payment.branch_id, v_note.branch_id));
  end if;
  perform private.check_money(p_amount, p_method, p_options ->> 'reference');
  if num_nonnulls(p_options ->> 'payment_id', p_options ->> 'credit_note_id') = 2
    or num_nonnulls(p_customer_id, p_options ->> 'payment_id', p_options ->> 'credit_note_id') = 0 then
    perform private.fail(400, 'invalid_input', 'Name the customer, the payment or the credit note.',
      '{"field": "p_options"}');
  elsif coalesce(v_payment.id, v_note.id) is not null
    and v_customer_id is distinct from coalesce(v_payment.customer_id, v_note.customer_id) then
    perform private.fail(422, 'customer_mismatch', 'This is another customer''s money.',
      jsonb_build_object('customer_id', p_customer_id));
  end if;
  perform private.advance_used(v_payment, null);
  v_at := private.act_time(v_org_id, p_options);
  if private.claim_request(v_org_id, p_id, 'refund', jsonb_build_array(p_customer_id, p_amount, p_method,
    p_options)) then
    v_sources := private.refund_sources_for(v_org_id, v_customer_id, v_payment.id, v_note.id, p_amount);
    perform private.pay_back(v_org_id, p_id, v_branch_id, v_customer_id, p_method, v_sources, p_options ->> 'reference',
      p_options ->> 'note', v_at);
  end if;
  return private.refund_json(v_org_id, p_id);
end;
$$;

comment on function public.refund(uuid, uuid, numeric, text, jsonb) is
'Pays a customer''s credit back: what payments settle nothing with and credit notes that were not used. p_id: the
client''s uuid, the refund''s id. p_customer_id: null when the payment or the credit note is named, as a walk-in''s must
be. p_amount: in the organisation''s currency, at most what is left. p_method: how it is paid. p_options: payment_id or
credit_note_id (what it is paid out of; else the oldest first), branch_id (which pays; else that of the payment or
credit note, else the caller''s only one), reference, occurred_at (ISO 8601, needs sale.backdate, not before what it is
paid out of), note. Returns the refund as JSON. Errors: 400 invalid_input; 401; 403 permission_denied,
backdating_denied; 404 not_found; 409 payment_reversed, period_closed, id_reused, series_exhausted; 422
refund_exceeds_credit, customer_mismatch, branch_archived. Permission: refund.create at the branch that pays, and at
those whose payments and credit notes it pays out of; order.manage for an open order''s advance.';
revoke execute on function public.refund(uuid, uuid, numeric, text, jsonb) from public, anon;
grant execute on function public.refund(uuid, uuid, numeric, text, jsonb) to authenticated;
