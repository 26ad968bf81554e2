-- Points that pay: how many an amount takes, and what comes back when goods or the payment do.

create function private.check_points(p_org_id uuid, p_customer_id uuid, p_amount numeric, p_total numeric,
  p_before numeric)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_program public.loyalty_programs;
  v_points bigint;
  v_balance bigint;
  v_most numeric;
begin
  if p_customer_id is null then
    perform private.fail(422, 'payment_needs_a_customer', 'Only a customer who is named pays with points.',
      '{"method": "points"}');
  end if;
  select * into v_program from public.loyalty_programs where org_id = p_org_id and archived_at is null;
  v_most := greatest(coalesce(trunc(p_total * v_program.max_share_percent / 100, 2), 0) - p_before, 0);
  v_points := ceil(p_amount / v_program.point_value);
  if p_amount > v_most or v_points < v_program.minimum_points then
    perform private.fail(422, 'points_limit', 'Points pay neither so much of one invoice nor so little.',
      jsonb_build_object('asked', p_amount, 'max_amount', v_most, 'minimum_points', v_program.minimum_points, 'points',
        v_points));
  end if;
  perform private.lock_customer(p_org_id, p_customer_id);
  v_balance := private.points_balance(p_org_id, p_customer_id);
  if v_balance < v_points then
    perform private.fail(422, 'points_insufficient', format('The customer has %s points.', v_balance),
      jsonb_build_object('balance', v_balance, 'points', v_points));
  end if;
  return v_points;
end;
$$;

comment on function private.check_points(uuid, uuid, numeric, numeric, numeric) is
'How many points pay p_amount of an invoice of p_total (both in the organisation''s currency), rounded up to whole ones.
p_before: what points paid of it already. Locks the customer. Errors: 422 payment_needs_a_customer, points_limit,
points_insufficient.';

create function private.return_points(p_org_id uuid, p_invoice_id uuid, p_amount numeric) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_paid record;
  v_points bigint;
begin
  select min(e.customer_id::text)::uuid as customer_id, coalesce(-sum(e.points) filter (where e.kind = 'redeem'), 0)
    as points,
    sum(e.amount) filter (where e.kind = 'redeem') as amount,
      coalesce(sum(e.points) filter (where e.kind = 'return'), 0) as returned,
    coalesce(sum(e.amount) filter (where e.kind = 'return'), 0) as returned_amount
  into v_paid from public.loyalty_entries e
  where e.org_id = p_org_id and e.invoice_id = p_invoice_id and e.kind in ('redeem', 'return');
  v_points := round(v_paid.points * least(v_paid.returned_amount + p_amount,
    v_paid.amount) / v_paid.amount) - v_paid.returned;
  -- An amount that is worth no whole point yet is noted all the same: the next return counts on from it.
  if v_points >= 0 then
    perform private.give_points(p_org_id, v_paid.customer_id, v_points, 'return', p_invoice_id, p_amount, null, null);
  end if;
end;
$$;

comment on function private.return_points(uuid, uuid, numeric) is
'Gives back the points that paid p_amount of an invoice: all of them when all of the amount comes back. The caller holds
the invoice''s lock. No errors.';

create function private.credit_points(p_org_id uuid, p_credit_note_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_note public.credit_notes;
  v_back numeric;
begin
  if not exists (select from public.loyalty_programs p where p.org_id = p_org_id) then
    return;
  end if;
  select * into v_note from public.credit_notes where org_id = p_org_id and id = p_credit_note_id;
  -- What points had paid goes back as points, not as money; a sale that is voided pays back each payment itself.
  if not v_note.voids then
    select least(private.credit_left(p_org_id, p_credit_note_id),
      round(sum(e.amount) filter (where e.kind = 'redeem') * least((
        select sum(c.total) from public.credit_notes c where c.org_id = p_org_id and c.invoice_id = v_note.invoice_id),
          i.total)
        / i.total, 2) - coalesce(sum(e.amount) filter (where e.kind = 'return'), 0))
    into v_back
    from public.loyalty_entries e join public.invoices i on i.org_id = e.org_id and i.id = e.invoice_id
    where e.org_id = p_org_id and e.invoice_id = v_note.invoice_id and e.kind in ('redeem', 'return') and i.total > 0
    group by i.total;
    if v_back > 0 then
      perform private.pay_back(p_org_id, gen_random_uuid(), v_note.branch_id, v_note.customer_id, 'points',
        jsonb_build_array(jsonb_build_object('payment_id', null, 'credit_note_id', p_credit_note_id, 'amount', v_back)),
          null, null,
        v_note.issued_at);
    end if;
  end if;
  perform private.settle_points(p_org_id, v_note.invoice_id);
end;
$$;

comment on function private.credit_points(uuid, uuid) is
'What a credit note means for points: of those that paid the invoice the same share goes back, out of what the
invoice''s balance leaves of the credit, and of those it earned the same share is taken back. Errors: as
private.pay_back.';

create function private.unpay_points(p_org_id uuid, p_payment_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.return_points(p_org_id, (
      select a.invoice_id from public.payment_allocations a where a.org_id = p_org_id and a.payment_id = p_payment_id
        limit 1), p.amount)
  from public.payments p where p.org_id = p_org_id and p.id = p_payment_id and p.method = 'points';
end;
$$;

comment on function private.unpay_points(uuid, uuid) is
'Gives the points back that a reversed payment was made with; nothing for other payments. No errors.';

create function private.refund_points(p_org_id uuid, p_refund_id uuid, p_method text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_method = 'points' then
    perform private.return_points(p_org_id, coalesce(
        (select c.invoice_id from public.credit_notes c where c.org_id = p_org_id and c.id = s.credit_note_id),
        (select a.invoice_id from public.payment_allocations a
          where a.org_id = p_org_id and a.payment_id = s.payment_id limit 1)), s.amount)
    from public.refund_sources s where s.org_id = p_org_id and s.refund_id = p_refund_id order by s.entry;
  end if;
end;
$$;

comment on function private.refund_points(uuid, uuid, text) is
'Points that are paid back come back to the invoice that they had paid. p_refund_id: a refund, written. No errors.';

select private.react('invoice_credited', 10, 'credit_points');
select private.react('payment_reversed', 10, 'unpay_points');
select private.react('payment_refunded', 10, 'refund_points');
