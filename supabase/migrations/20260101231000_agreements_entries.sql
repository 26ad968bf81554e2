-- What is owed and settled of instalments, where an agreement stands, and what a payment does to it.
-- Whatever changes an agreement holds the lock of its invoice; the customer's comes after, the counter's last.

-- Entries -----------------------------------------------------------------------------------------

create function private.charge(p_org_id uuid, p_agreement_id uuid, p_no integer, p_component text, p_kind text,
  p_amount numeric,
  p_date date, p_payment_id uuid default null, p_reason text default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.credit_charges (org_id, agreement_id, no, branch_id, component, kind, amount, payment_id, reason,
    charged_on,
    created_by)
  select p_org_id, p_agreement_id, p_no, a.branch_id, p_component, p_kind, p_amount, p_payment_id, p_reason, p_date,
    auth.uid()
  from public.credit_agreements a where a.org_id = p_org_id and a.id = p_agreement_id;
  update public.instalments
  set principal = principal + case when p_component = 'principal' then p_amount else 0 end,
    interest = interest + case when p_component = 'interest' then p_amount else 0 end,
    fee = fee + case when p_component = 'fee' then p_amount else 0 end,
    late_fee = late_fee + case when p_component = 'late_fee' then p_amount else 0 end,
    late_fee_on = case when p_kind = 'late_fee' then p_date else late_fee_on end
  where org_id = p_org_id and agreement_id = p_agreement_id and no = p_no;
end;
$$;

comment on function private.charge(uuid, uuid, integer, text, text, numeric, date, uuid, text) is
'Writes what is owed more of an instalment, or less for a negative amount. p_kind: as in credit_charges. The caller
holds the invoice''s lock. Errors: 23514 when less would be owed than is settled.';

create function private.settle_part(p_org_id uuid, p_agreement_id uuid, p_no integer, p_component text,
  p_amount numeric,
  p_payment_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.credit_settlements (org_id, agreement_id, no, branch_id, component, amount, payment_id)
  select p_org_id, p_agreement_id, p_no, a.branch_id, p_component, p_amount, p_payment_id
  from public.credit_agreements a where a.org_id = p_org_id and a.id = p_agreement_id;
  update public.instalments
  set principal_paid = principal_paid + case when p_component = 'principal' then p_amount else 0 end,
    interest_paid = interest_paid + case when p_component = 'interest' then p_amount else 0 end,
    fee_paid = fee_paid + case when p_component = 'fee' then p_amount else 0 end,
    late_fee_paid = late_fee_paid + case when p_component = 'late_fee' then p_amount else 0 end
  where org_id = p_org_id and agreement_id = p_agreement_id and no = p_no;
  -- Principal is the invoice's, whose allocation says so; charges use up the payment itself.
  if p_payment_id is not null and p_component <> 'principal' then
    perform private.hold_money(p_org_id, p_payment_id, null, -p_amount);
    perform private.post_account(p_org_id, a.customer_id, a.branch_id, p_amount)
    from public.credit_agreements a where a.org_id = p_org_id and a.id = p_agreement_id;
  end if;
end;
$$;

comment on function private.settle_part(uuid, uuid, integer, text, numeric, uuid) is
'Writes what a payment settles of one component of an instalment; negative takes back; p_payment_id null: a credit note
did. The caller holds the invoice''s lock and the payment''s. Errors: 23514 when more would be settled than is owed.';

create function private.charges_paid(p_org_id uuid, p_payment_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select sum(s.amount) from public.credit_settlements s
    where s.org_id = p_org_id and s.payment_id = p_payment_id and s.component <> 'principal'), 0.00);
end;
$$;

comment on function private.charges_paid(uuid, uuid)
  is 'How much of a payment went to interest and fees of instalments. No errors.';

create function private.agreement_on(p_org_id uuid, p_invoice_id uuid) returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select a.id from public.credit_agreements a
    where a.invoice_id = p_invoice_id and a.status in ('active', 'defaulted') and a.org_id = p_org_id limit 1);
end;
$$;

comment on function private.agreement_on(uuid, uuid)
  is 'The agreement that an invoice is being paid by, null when there is none.';

create function private.invoices_of_payment(p_org_id uuid, p_payment_id uuid) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
begin
  return array(
    select a.invoice_id from public.payment_allocations a where a.org_id = p_org_id and a.payment_id = p_payment_id
    union
    select g.invoice_id from public.credit_settlements s
    join public.credit_agreements g on g.org_id = s.org_id and g.id = s.agreement_id
    where s.org_id = p_org_id and s.payment_id = p_payment_id);
end;
$$;

comment on function private.invoices_of_payment(uuid, uuid) is
'The invoices that a payment ever settled something of, of their instalments included.';

-- Where it stands -----------------------------------------------------------------------------------

create function private.follow_credit_status(p_org_id uuid, p_customer_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_status text;
begin
  perform private.lock_customer(p_org_id, p_customer_id);
  -- Read beneath the lock: what another act has made of another agreement counts.
  v_status := private.credit_status_of(p_org_id, p_customer_id);
  update public.customers set credit_status = v_status
  where org_id = p_org_id and id = p_customer_id and credit_status <> v_status;
end;
$$;

comment on function private.follow_credit_status(uuid, uuid) is
'Locks the customer and makes his credit_status what his agreements say. The only way in which it changes. No errors.';

create function private.credit_status_of(p_org_id uuid, p_customer_id uuid) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select case when bool_or(a.status = 'defaulted') then 'defaulted' when bool_or(a.status = 'active') then 'active'
      when bool_or(a.status = 'completed') then 'completed' end
    from public.credit_agreements a where a.org_id = p_org_id and a.customer_id = p_customer_id), 'none');
end;
$$;

comment on function private.credit_status_of(uuid, uuid) is
'What a customer''s agreements say of him: defaulted if one is, else active if one is, else completed if one is, else
none.';

create function private.refresh_agreement(p_org_id uuid, p_agreement_id uuid) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements;
  v_today date;
  v_grace integer;
  v_status text;
begin
  select * into v_agreement from public.credit_agreements where org_id = p_org_id and id = p_agreement_id;
  if v_agreement.status in ('rescheduled', 'cancelled') then
    return v_agreement.status;
  end if;
  v_today := private.credit_today(p_org_id, v_agreement.branch_id);
  v_grace := (v_agreement.terms ->> 'grace_days')::integer;
  update public.instalments i set status = s.status
  from (
    select t.id, case when t.outstanding = 0 then 'paid' when t.due_on + v_grace < v_today or t.status = 'overdue'
      then 'overdue'
      else 'pending' end as status
    from public.instalments t where t.org_id = p_org_id and t.agreement_id = p_agreement_id) s
  where i.org_id = p_org_id and i.id = s.id and i.status <> s.status;
  -- Who was in default is in order again when nothing is overdue, not when a part was paid.
  select case
      when bool_and(i.status = 'paid') then 'completed'
      when bool_or(i.outstanding > 0 and i.due_on + (v_agreement.terms ->> 'default_after_days')::integer < v_today)
        then 'defaulted'
      when v_agreement.status = 'defaulted' and bool_or(i.status = 'overdue') then 'defaulted'
      else 'active' end
  into v_status from public.instalments i where i.org_id = p_org_id and i.agreement_id = p_agreement_id;
  if v_status <> v_agreement.status then
    update public.credit_agreements set status = v_status where org_id = p_org_id and id = p_agreement_id;
    perform private.emit(p_org_id, 'credit_agreement.' || v_status,
      jsonb_build_object('agreement_id', p_agreement_id, 'branch_id',
      v_agreement.branch_id, 'customer_id', v_agreement.customer_id, 'number', v_agreement.number, 'was',
        v_agreement.status));
  end if;
  return v_status;
end;
$$;

comment on function private.refresh_agreement(uuid, uuid) is
'Brings an agreement''s instalments and its status up to its branch''s date: overdue after the days of grace; defaulted
when something is unpaid default_after_days after it was due, until nothing is overdue; completed when all is paid.
Returns the status. The caller holds the invoice''s lock and lets the customer follow. No errors.';

create function private.lent(p_org_id uuid, p_agreement_id uuid) returns table (no integer, lent numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with kept as (
    select i.no, a.terms -> 'interest' ->> 'kind' as kind, i.principal - coalesce((
        select sum(s.amount) from public.credit_settlements s
        where s.org_id = i.org_id and s.agreement_id = i.agreement_id and s.no = i.no and s.component = 'principal'
          and s.payment_id is null), 0) as principal
    from public.instalments i join public.credit_agreements a on a.org_id = i.org_id and a.id = i.agreement_id
    where i.org_id = p_org_id and i.agreement_id = p_agreement_id
  )
  select k.no, case when k.kind = 'reducing' then sum(k.principal) over (order by k.no desc) else k.principal end
    from kept k;
end;
$$;

comment on function private.lent(uuid, uuid) is
'What the interest of each instalment is for: reducing: the principal of it and of all later ones; else its own. Without
what was credited; what is paid ahead of time counts, as it saves no interest. No errors.';

create function private.interest_ahead(p_org_id uuid, p_agreement_id uuid, p_date date)
  returns table (no integer, ahead numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with spans as (
    select i.no, i.interest, i.due_on, coalesce(lag(i.due_on) over (order by i.no), a.opened_on) as since,
      a.terms -> 'interest' ->> 'kind' as kind
    from public.instalments i join public.credit_agreements a on a.org_id = i.org_id and a.id = i.agreement_id
    where i.org_id = p_org_id and i.agreement_id = p_agreement_id
  ), less as (
    -- What was credited took interest off the days that were left then, and off no day before.
    select s.no, -sum(c.amount) as rebate, -sum(c.amount / (s.due_on - greatest(c.charged_on, s.since))) as a_day
    from spans s
    join public.credit_charges c on c.org_id = p_org_id and c.agreement_id = p_agreement_id and c.no = s.no
      and c.kind = 'rebate' and c.payment_id is null and c.charged_on < s.due_on
    where s.due_on > p_date and s.since < p_date group by s.no
  )
  select s.no, case when s.kind <> 'reducing' or s.since >= p_date then s.interest
      else greatest(((s.interest + coalesce(l.rebate, 0)) / (s.due_on - s.since) - coalesce(l.a_day,
        0)) * (s.due_on - p_date), 0) end
  from spans s left join less l on l.no = s.no where s.due_on > p_date;
end;
$$;

comment on function private.interest_ahead(uuid, uuid, date) is
'Of each instalment that is due after p_date the interest of the days after it, not rounded: of the interval under way
by the day with reducing interest, else all. No errors.';

create function private.credit_rebates(p_org_id uuid, p_agreement_id uuid, p_lent jsonb, p_date date)
returns table (no integer, rebate numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with owed as (
    select i.no, i.interest,
      greatest(i.interest_paid, round(i.interest - f.ahead * (1 - l.lent / (p_lent ->> i.no::text)::numeric), 2))
        as interest_now
    from private.interest_ahead(p_org_id, p_agreement_id, p_date) f
    join public.instalments i on i.org_id = p_org_id and i.agreement_id = p_agreement_id and i.no = f.no
    join private.lent(p_org_id, p_agreement_id) l on l.no = f.no
    where l.lent < (p_lent ->> i.no::text)::numeric
  )
  select o.no, o.interest - o.interest_now from owed o where o.interest > o.interest_now order by o.no;
end;
$$;

comment on function private.credit_rebates(uuid, uuid, jsonb, date) is
'The interest of each instalment that is not owed any more when on p_date less is lent than before. p_lent: private.lent
as it was then, by number. Of instalments due later the interest shrinks as what is lent does; reducing: of the interval
under way for the days left; what is due, and what was paid, stays. No errors.';

create function private.follow_balance(p_org_id uuid, p_agreement_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements;
  v_today date;
  v_more numeric;
  v_lent jsonb;
  v_part record;
begin
  select * into v_agreement from public.credit_agreements where org_id = p_org_id and id = p_agreement_id;
  v_today := private.credit_today(p_org_id, v_agreement.branch_id);
  v_more := (select i.balance from public.invoices i where i.org_id = p_org_id and i.id = v_agreement.invoice_id)
    - (select sum(i.principal - i.principal_paid) from public.instalments i
       where i.org_id = p_org_id and i.agreement_id = p_agreement_id);
  if v_more > 0 then
    perform private.charge(p_org_id, p_agreement_id, private.next_to_pay(p_org_id, p_agreement_id), 'principal',
      'returned', v_more,
      v_today);
  elsif v_more < 0 then
    -- A credit note shortens the schedule from its end; interest of what is never lent any more is not owed.
    v_lent := (select jsonb_object_agg(l.no, l.lent) from private.lent(p_org_id, p_agreement_id) l);
    for v_part in
      select s.no, least(s.open, -v_more - s.after) as amount
      from (
        select i.no, i.principal - i.principal_paid as open, coalesce(sum(i.principal
          - i.principal_paid) over (order by i.no desc rows between unbounded preceding and 1 preceding), 0) as after
        from public.instalments i where i.org_id = p_org_id and i.agreement_id = p_agreement_id) s
      where s.open > 0 and s.after < -v_more order by s.no desc
    loop
      perform private.settle_part(p_org_id, p_agreement_id, v_part.no, 'principal', v_part.amount, null);
    end loop;
    perform private.charge(p_org_id, p_agreement_id, r.no, 'interest', 'rebate', -r.rebate, v_today)
    from private.credit_rebates(p_org_id, p_agreement_id, v_lent, v_today) r;
  end if;
  perform private.refresh_agreement(p_org_id, p_agreement_id);
  perform private.follow_credit_status(p_org_id, v_agreement.customer_id);
end;
$$;

comment on function private.follow_balance(uuid, uuid) is
'Makes the principal still owed equal to the invoice''s balance: what came back is owed with the next instalment, what
was credited is taken off from the last instalment backwards, and interest not due yet shrinks with it
(private.credit_rebates). The caller holds the invoice''s lock.';

create function private.next_to_pay(p_org_id uuid, p_agreement_id uuid) returns integer
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select i.no from public.instalments i where i.org_id = p_org_id and i.agreement_id = p_agreement_id
    order by i.outstanding = 0, case when i.outstanding = 0 then -i.no else i.no end limit 1);
end;
$$;

comment on function private.next_to_pay(uuid, uuid)
  is 'The first instalment that is not wholly paid, the last when all are.';

create function private.drop_charges(p_org_id uuid, p_agreement_id uuid, p_kind text, p_date date,
  p_reason text) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.charge(p_org_id, p_agreement_id, i.no, c.component, p_kind, -c.open, p_date, null, p_reason)
  from public.instalments i
  cross join lateral (values ('interest', i.interest - i.interest_paid), ('fee', i.fee - i.fee_paid),
    ('late_fee', i.late_fee - i.late_fee_paid)) c (component, open)
  where i.org_id = p_org_id and i.agreement_id = p_agreement_id and c.open > 0;
end;
$$;

comment on function private.drop_charges(uuid, uuid, text, date, text) is
'Takes interest and fees that are still open off an agreement that ends. p_kind: rescheduled or cancelled. The caller
holds the invoice''s lock. No errors.';

-- What other rooms tell -----------------------------------------------------------------------------

create function private.agreement_follows(p_org_id uuid, p_invoice_id uuid, p_void boolean) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements;
  v_ended_id uuid;
  v_part record;
begin
  select * into v_agreement from public.credit_agreements a
  where a.invoice_id = p_invoice_id and a.status in ('active', 'defaulted', 'completed') and a.org_id = p_org_id
    limit 1;
  if v_agreement.id is null then
    return;
  elsif not p_void then
    perform private.follow_balance(p_org_id, v_agreement.id);
    return;
  end if;
  -- Of the agreements, too, that this one replaced: a fee may have been paid before.
  for v_ended_id in
    select a.id from public.credit_agreements a where a.org_id = p_org_id and a.invoice_id = p_invoice_id order by a.id
  loop
    for v_part in
      select s.no, s.component, s.payment_id, sum(s.amount) as amount from public.credit_settlements s
      where s.org_id = p_org_id and s.agreement_id = v_ended_id group by 1, 2, 3 having sum(s.amount) <> 0
    loop
      perform private.settle_part(p_org_id, v_ended_id, v_part.no, v_part.component, -v_part.amount, v_part.payment_id);
    end loop;
    perform private.drop_charges(p_org_id, v_ended_id, 'cancelled',
      private.credit_today(p_org_id, v_agreement.branch_id), null);
  end loop;
  update public.instalments set status = 'closed' where org_id = p_org_id and agreement_id = v_agreement.id;
  update public.credit_agreements set status = 'cancelled' where org_id = p_org_id and id = v_agreement.id;
  perform private.follow_credit_status(p_org_id, v_agreement.customer_id);
  perform private.emit(p_org_id, 'credit_agreement.cancelled',
    jsonb_build_object('agreement_id', v_agreement.id, 'branch_id',
    v_agreement.branch_id, 'customer_id', v_agreement.customer_id, 'number', v_agreement.number, 'was',
      v_agreement.status));
end;
$$;

comment on function private.agreement_follows(uuid, uuid, boolean) is
'Called when something was credited on an invoice, or when it was voided (p_void): its agreement follows the balance, or
is cancelled: what was paid of interest and fees, also of agreements that it replaced, is the customer''s credit again,
and none is owed. The invoice is locked. No errors.';

create function private.instalments_unpaid(p_org_id uuid, p_payment_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_part record;
  v_heir uuid;
  v_today date;
begin
  for v_part in
    select s.agreement_id, s.no, s.component, sum(s.amount) as amount, a.status, a.invoice_id, a.branch_id
    from public.credit_settlements s
    join public.credit_agreements a on a.org_id = s.org_id and a.id = s.agreement_id
    where s.org_id = p_org_id and s.payment_id = p_payment_id
    group by s.agreement_id, s.no, s.component, a.status, a.invoice_id, a.branch_id having sum(s.amount) <> 0
      order by 1, 2, 3
  loop
    perform private.settle_part(p_org_id, v_part.agreement_id, v_part.no, v_part.component, -v_part.amount,
      p_payment_id);
    v_heir := (
      select a.id from public.credit_agreements a where a.invoice_id = v_part.invoice_id and a.org_id = p_org_id
        and a.status in ('active', 'defaulted', 'completed') limit 1);
    -- What was settled before a rescheduling is owed under the agreement that came after; its principal follows the
    -- balance.
    if v_part.status = 'rescheduled' and v_part.component <> 'principal' and v_heir is not null then
      v_today := private.credit_today(p_org_id, v_part.branch_id);
      perform private.charge(p_org_id, v_part.agreement_id, v_part.no, v_part.component, 'rescheduled', -v_part.amount,
        v_today);
      perform private.charge(p_org_id, v_heir, private.next_to_pay(p_org_id, v_heir), 'fee', 'returned', v_part.amount,
        v_today);
    end if;
  end loop;
  for v_part in
    select c.agreement_id, c.no, sum(c.amount) as amount, a.branch_id from public.credit_charges c
    join public.credit_agreements a on a.org_id = c.org_id and a.id = c.agreement_id
    where c.org_id = p_org_id and c.payment_id = p_payment_id and a.status <> 'cancelled' group by c.agreement_id, c.no,
      a.branch_id having sum(c.amount) <> 0
  loop
    -- The rebate was for settling early, which did not happen.
    perform private.charge(p_org_id, v_part.agreement_id, v_part.no, 'interest', 'returned', -v_part.amount,
      private.credit_today(p_org_id, v_part.branch_id), p_payment_id);
  end loop;
  for v_part in
    select a.id from public.credit_agreements a
    where a.org_id = p_org_id and a.invoice_id = any (private.invoices_of_payment(p_org_id, p_payment_id))
      and a.status in ('active', 'defaulted', 'completed')
    order by a.customer_id, a.id
  loop
    perform private.follow_balance(p_org_id, v_part.id);
  end loop;
end;
$$;

comment on function private.instalments_unpaid(uuid, uuid) is
'Takes back what a reversed payment had settled of instalments: principal, interest and fees are owed again, and so is
interest that an early settlement had let off. The invoices are locked and their balances have been restored. No
errors.';

-- Paying ------------------------------------------------------------------------------------------

create function private.plan_settlements(p_org_id uuid, p_agreement_id uuid, p_amount numeric)
returns table (no integer, component text, amount numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with owed as (
    select i.no, c.place, c.component, c.open
    from public.instalments i
    cross join lateral (values (1, 'late_fee', i.late_fee - i.late_fee_paid), (2, 'fee', i.fee - i.fee_paid),
      (3, 'interest', i.interest - i.interest_paid), (4, 'principal', i.principal - i.principal_paid)) c (place,
        component, open)
    where i.org_id = p_org_id and i.agreement_id = p_agreement_id and i.status <> 'closed' and c.open > 0
  ), summed as (
    select o.*, sum(o.open) over (order by o.no, o.place) - o.open as before from owed o
  )
  select s.no, s.component, least(s.open, p_amount - s.before) from summed s where s.before < p_amount order by s.no,
    s.place;
end;
$$;

comment on function private.plan_settlements(uuid, uuid, numeric) is
'What an amount settles, in the one order there is: the oldest instalment first; within it late fees, fees, interest,
principal; what is more than is due prepays the next instalments whole, their interest included. No errors.';

create function private.split_payment(p_org_id uuid, p_agreement_id uuid, p_left numeric, p_asked numeric)
returns table (principal numeric, charges numeric)
language plpgsql
set search_path = ''
as $$
declare
  v_owed numeric := (
    select coalesce(sum(i.outstanding), 0) from public.instalments i where i.org_id = p_org_id
      and i.agreement_id = p_agreement_id);
begin
  if p_asked > v_owed then
    perform private.fail(422, 'agreement_overpaid', format('Of the instalments, %s are still open in all.', v_owed),
      jsonb_build_object('agreement_id', p_agreement_id, 'outstanding', v_owed, 'excess', p_asked - v_owed));
  end if;
  -- The customer before the counter of receipts: his credit status may follow.
  perform private.lock_customer(p_org_id, a.customer_id) from public.credit_agreements a
  where a.org_id = p_org_id and a.id = p_agreement_id;
  return query
  select coalesce(sum(s.amount) filter (where s.component = 'principal'), 0),
    coalesce(sum(s.amount) filter (where s.component <> 'principal'), 0)
  from private.plan_settlements(p_org_id, p_agreement_id, coalesce(p_asked, least(p_left, v_owed))) s;
end;
$$;

comment on function private.split_payment(uuid, uuid, numeric, numeric) is
'How much of p_asked, or for null of p_left as far as something is owed, is principal, which settles the invoice, and
how much interest and fees. Locks the customer. Errors: 422 agreement_overpaid.';

create function private.settle_instalments(p_org_id uuid, p_agreement_id uuid, p_payment_id uuid,
  p_amount numeric) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.settle_part(p_org_id, p_agreement_id, s.no, s.component, s.amount, p_payment_id)
  from private.plan_settlements(p_org_id, p_agreement_id, p_amount) s;
  perform private.refresh_agreement(p_org_id, p_agreement_id);
  perform private.follow_credit_status(p_org_id, a.customer_id) from public.credit_agreements a
  where a.org_id = p_org_id and a.id = p_agreement_id;
end;
$$;

comment on function private.settle_instalments(uuid, uuid, uuid, numeric) is
'Writes what a payment settles of an agreement, as private.split_payment has foretold it under the same lock. No
errors.';

select private.react('invoice_reduced', 10, 'agreement_follows');
select private.react('payment_reversed', 20, 'instalments_unpaid');
