-- The daily job of sales on credit, and reading: one agreement, what is due, what is overdue, the proof.

-- The job -----------------------------------------------------------------------------------------

create function private.to_age(p_org_id uuid) returns table (agreement_id uuid, invoice_id uuid, today date)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select distinct a.id, a.invoice_id, b.today
  from (select t.id, private.credit_today(t.org_id, t.id) as today from public.branches t where t.org_id = p_org_id) b
  join public.credit_agreements a on a.branch_id = b.id and a.status in ('active', 'defaulted')
  join public.instalments i on i.org_id = a.org_id and i.agreement_id = a.id
  where i.outstanding > 0 and i.due_on <= b.today + (a.terms ->> 'remind_days_before')::integer
    and ((i.due_on + (a.terms ->> 'grace_days')::integer < b.today and (i.status = 'pending'
        or (i.late_fee_on is null and (a.terms ->> 'late_fee')::numeric > 0)))
      or (a.status = 'active' and i.due_on + (a.terms ->> 'default_after_days')::integer < b.today)
      or not exists (
        select from public.credit_reminders r where r.org_id = i.org_id and r.agreement_id = i.agreement_id
          and r.no = i.no
          and r.kind = private.reminder_kind(i.due_on, b.today, (a.terms ->> 'grace_days')::integer)));
end;
$$;

comment on function private.to_age(uuid) is
'The agreements of an organisation for which the job has something to do on today, their branch''s date. No errors.';

create function private.reminder_kind(p_due_on date, p_today date, p_grace_days integer) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_today < p_due_on then 'before' when p_today <= p_due_on + p_grace_days then 'due' else 'after' end;
end;
$$;

comment on function private.reminder_kind(date, date, integer) is
'Which reminder an unpaid instalment gets on a day: before it is due; due, from the day itself to the end of grace;
after that.';

create function private.run_overdue(p_org_id uuid) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_agreements uuid[];
  v_open_from date;
  v_one record;
  v_aged integer := 0;
  v_overdue integer := 0;
  v_fees integer := 0;
  v_reminders integer := 0;
  v_defaulted integer := 0;
begin
  -- All invoices before any customer, in the order of their ids: whoever pays meanwhile waits here or is waited for,
  -- once.
  v_ids := array(select t.invoice_id from private.to_age(p_org_id) t);
  perform from public.invoices i where i.org_id = p_org_id and i.id = any (v_ids) order by i.id for no key update;
  -- A fee of a day whose books are closed already is charged on the first day that is open.
  perform private.lock_books(p_org_id, false);
  v_open_from := (select o.books_closed_through + 1 from public.organizations o where o.id = p_org_id);
  -- Asked again beneath the locks: what another run or a payment has done is not done again.
  v_agreements := array(select t.agreement_id from private.to_age(p_org_id) t where t.invoice_id = any (v_ids));
  for v_one in
    select i.no, i.agreement_id, i.status, i.due_on, i.outstanding, i.late_fee_on, t.today, a.branch_id, a.customer_id,
      a.number,
      (a.terms ->> 'late_fee')::numeric as late_fee, i.due_on + (a.terms ->> 'grace_days')::integer < t.today as late,
      private.reminder_kind(i.due_on, t.today, (a.terms ->> 'grace_days')::integer) as kind
    from private.to_age(p_org_id) t
    join public.credit_agreements a on a.org_id = p_org_id and a.id = t.agreement_id
    join public.instalments i on i.org_id = p_org_id and i.agreement_id = t.agreement_id
    where t.agreement_id = any (v_agreements) and i.outstanding > 0
      and i.due_on <= t.today + (a.terms ->> 'remind_days_before')::integer
    order by i.agreement_id, i.no
  loop
    if v_one.late and v_one.late_fee > 0 and v_one.late_fee_on is null then
      perform private.charge(p_org_id, v_one.agreement_id, v_one.no, 'late_fee', 'late_fee', v_one.late_fee,
        greatest(v_one.today, v_open_from));
      v_fees := v_fees + 1;
    end if;
    v_overdue := v_overdue + (v_one.late and v_one.status = 'pending')::integer;
    insert into public.credit_reminders (org_id, agreement_id, no, kind, branch_id, reminded_on)
    values (p_org_id, v_one.agreement_id, v_one.no, v_one.kind, v_one.branch_id, v_one.today)
    on conflict do nothing;
    if found then
      v_reminders := v_reminders + 1;
      perform private.emit(p_org_id, 'instalment.reminder',
        jsonb_build_object('agreement_id', v_one.agreement_id, 'number',
        v_one.number, 'no', v_one.no, 'kind', v_one.kind, 'branch_id', v_one.branch_id, 'customer_id',
          v_one.customer_id, 'due_on',
        v_one.due_on, 'amount', (
          select i.outstanding from public.instalments i
          where i.org_id = p_org_id and i.agreement_id = v_one.agreement_id and i.no = v_one.no)));
    end if;
  end loop;
  for v_one in
    select a.id, a.customer_id, a.status from public.credit_agreements a
    where a.org_id = p_org_id and a.id = any (v_agreements) order by a.customer_id, a.id
  loop
    v_aged := v_aged + 1;
    v_defaulted := v_defaulted
      + (private.refresh_agreement(p_org_id, v_one.id) = 'defaulted' and v_one.status <> 'defaulted')::integer;
    perform private.follow_credit_status(p_org_id, v_one.customer_id);
  end loop;
  return jsonb_build_object('agreements', v_aged, 'overdue', v_overdue, 'late_fees', v_fees, 'defaulted', v_defaulted,
    'reminders', v_reminders);
end;
$$;

comment on function private.run_overdue(uuid) is
'The daily job for one organisation, each agreement by its branch''s date: instalments overdue after grace, their late
fee once, default, reminders as events (instalment.reminder) once each. A fee whose day is in closed books is charged on
the first open day. Run again, or twice at once, it finds nothing left to do. Returns how many of each. No errors.';

-- Every hour: somewhere a branch's day has begun.
insert into private.schedules (name, cron, routine, organizations, purpose) values
  ('overdue-instalments', '11 * * * *', 'private.run_overdue',
  'select a.org_id from public.credit_agreements a where a.status in (''active'', ''defaulted'')',
  'Ages instalments: late fees, default, reminders');

create function public.run_overdue(p_org_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  perform private.authorize('credit.override', p_org_id);
  return private.run_overdue(p_org_id);
end;
$$;

comment on function public.run_overdue(uuid) is
'Runs the daily job of instalments now: marks them overdue after the days of grace, adds the late fee once, marks
agreements and customers defaulted, emits reminders before, on and after the due date, each by the branch''s date.
p_org_id. As often as you like: what is done is not done again. Returns {"agreements", "overdue", "late_fees",
"defaulted", "reminders"}, how many of each. Errors: 401, 404 not_found, 403 permission_denied. Permission:
credit.override.';
revoke execute on function public.run_overdue(uuid) from public, anon;
grant execute on function public.run_overdue(uuid) to authenticated;

-- Reading -----------------------------------------------------------------------------------------

create function private.agreement_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('id', a.id, 'org_id', a.org_id, 'branch_id', a.branch_id, 'customer_id', a.customer_id,
      'customer_name', c.name, 'credit_status', c.credit_status, 'invoice_id', a.invoice_id, 'invoice_number', i.number,
      'number', a.number, 'status', a.status, 'currency', a.currency, 'terms', a.terms, 'opened_on', a.opened_on,
        'today', t.today,
      'replaces_id', a.replaces_id, 'replaced_by_id', (
        select n.id from public.credit_agreements n where n.org_id = a.org_id and n.replaces_id = a.id limit 1),
      'reason', a.reason, 'financed', a.financed, 'interest', s.interest, 'fees', s.fees, 'late_fees', s.late_fees,
      'total', s.total, 'paid', s.paid, 'outstanding', s.outstanding, 'due_now', s.due_now, 'overdue', s.overdue,
      'next_due', s.next_due, 'settlement_amount', case when s.outstanding = 0 then 0.00
        else private.settlement_amount(a.org_id, a.id, t.today) end,
      'seller', i.seller || jsonb_build_object('tax_regime', i.tax_regime), 'buyer', i.buyer, 'schedule', s.schedule)
    from public.credit_agreements a
    join public.customers c on c.org_id = a.org_id and c.id = a.customer_id
    cross join lateral (select * from public.invoices x where x.org_id = a.org_id and x.id = a.invoice_id limit 1) i
    cross join lateral (select private.credit_today(a.org_id, a.branch_id) as today) t
    cross join lateral (
      select sum(x.interest) as interest, sum(x.fee) as fees, sum(x.late_fee) as late_fees, sum(x.total) as total,
        sum(x.paid) as paid, sum(x.outstanding) as outstanding,
        coalesce(sum(x.outstanding) filter (where x.due_on <= t.today), 0.00) as due_now,
        coalesce(sum(x.outstanding) filter (where x.status = 'overdue'), 0.00) as overdue,
        (array_agg(jsonb_build_object('no', x.no, 'due_on', x.due_on, 'amount', x.outstanding) order by x.no)
          filter (where x.outstanding > 0))[1] as next_due,
        jsonb_agg(jsonb_build_object('no', x.no, 'due_on', x.due_on, 'status', x.status, 'principal', x.principal,
          'interest',
          x.interest, 'fee', x.fee, 'late_fee', x.late_fee, 'total', x.total, 'principal_paid', x.principal_paid,
          'interest_paid', x.interest_paid, 'fee_paid', x.fee_paid, 'late_fee_paid', x.late_fee_paid, 'paid', x.paid,
          'outstanding', x.outstanding) order by x.no) as schedule
      from public.instalments x where x.org_id = a.org_id and x.agreement_id = a.id) s
    where a.org_id = p_org_id and a.id = p_id);
end;
$$;

comment on function private.agreement_json(uuid, uuid)
  is 'An agreement as clients and documents see it, as of its branch''s date.';

create function public.get_agreement(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements := private.document_named(null::public.credit_agreements, p_id);
begin
  perform private.authorize('invoice.read', v_agreement.org_id, v_agreement.branch_id);
  return private.agreement_json(v_agreement.org_id, p_id);
end;
$$;

comment on function public.get_agreement(uuid) is
'One instalment agreement: terms, schedule with what is paid of each, and as of today paid, outstanding, due_now,
overdue, next_due and settlement_amount (what settle_early takes), in currency. p_id: the agreement. Errors: 401, 403
permission_denied, 404 not_found. Permission: invoice.read.';
revoke execute on function public.get_agreement(uuid) from public, anon;
grant execute on function public.get_agreement(uuid) to authenticated;

create function private.list_instalments(p_org_id uuid, p_branch_id uuid, p_until date, p_overdue boolean)
returns table (agreement_id uuid, agreement_number text, agreement_status text, invoice_id uuid, branch_id uuid,
  customer_id uuid,
  customer_name text, customer_phone text, no integer, due_on date, status text, total numeric, paid numeric,
    outstanding numeric,
  days_late integer)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select a.id, a.number, a.status, a.invoice_id, a.branch_id, a.customer_id, c.name, c.phone, i.no, i.due_on, i.status,
    i.total::numeric, i.paid::numeric, i.outstanding::numeric, greatest(b.today - i.due_on, 0)
  from (
    select t.id, private.credit_today(t.org_id, t.id) as today from public.branches t
    where t.org_id = p_org_id and (p_branch_id is null or t.id = p_branch_id)
      and t.id in (select private.branches_with('report.read'))) b
  join public.instalments i on i.branch_id = b.id and i.status in ('pending', 'overdue') and i.outstanding > 0
  join public.credit_agreements a on a.org_id = i.org_id and a.id = i.agreement_id
  join public.customers c on c.org_id = a.org_id and c.id = a.customer_id
  where case when p_overdue then i.status = 'overdue' else i.due_on <= coalesce(p_until, b.today) end
  order by i.due_on, c.name, a.number, i.no;
end;
$$;

comment on function private.list_instalments(uuid, uuid, date, boolean) is
'The instalments that instalments_due and instalments_overdue list, of the branches where the caller holds report.read.
No errors.';

create function public.instalments_due(p_org_id uuid, p_branch_id uuid default null, p_until date default null)
returns table (agreement_id uuid, agreement_number text, agreement_status text, invoice_id uuid, branch_id uuid,
  customer_id uuid,
  customer_name text, customer_phone text, no integer, due_on date, status text, total numeric, paid numeric,
    outstanding numeric,
  days_late integer)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  return query select * from private.list_instalments(p_org_id, p_branch_id, p_until, false);
end;
$$;

comment on function public.instalments_due(uuid, uuid, date) is
'What is to be collected: unpaid instalments that are due by a date, oldest first, amounts in the organisation''s
currency. p_org_id; p_branch_id: null for all branches of the caller; p_until: the last due date, null for the branch''s
today. Errors: 401, 404 not_found, 403 permission_denied. Permission: report.read.';
revoke execute on function public.instalments_due(uuid, uuid, date) from public, anon;
grant execute on function public.instalments_due(uuid, uuid, date) to authenticated;

create function public.instalments_overdue(p_org_id uuid, p_branch_id uuid default null)
returns table (agreement_id uuid, agreement_number text, agreement_status text, invoice_id uuid, branch_id uuid,
  customer_id uuid,
  customer_name text, customer_phone text, no integer, due_on date, status text, total numeric, paid numeric,
    outstanding numeric,
  days_late integer)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  return query select * from private.list_instalments(p_org_id, p_branch_id, null, true);
end;
$$;

comment on function public.instalments_overdue(uuid, uuid) is
'Instalments that the daily job has marked overdue, oldest first, amounts in the organisation''s currency. p_org_id;
p_branch_id: null for all branches of the caller. Errors: 401, 404 not_found, 403 permission_denied. Permission:
report.read.';
revoke execute on function public.instalments_overdue(uuid, uuid) from public, anon;
grant execute on function public.instalments_overdue(uuid, uuid) to authenticated;

-- The proof ---------------------------------------------------------------------------------------

create function private.check_agreements(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select 'an instalment is not the sum of its charges', 'instalment', i.id, coalesce(sum(c.amount), 0), i.total::numeric
  from public.instalments i
  left join public.credit_charges c on c.org_id = i.org_id and c.agreement_id = i.agreement_id and c.no = i.no
  where i.org_id = p_org_id group by i.org_id, i.id
  having i.principal <> coalesce(sum(c.amount) filter (where c.component = 'principal'), 0)
    or i.interest <> coalesce(sum(c.amount) filter (where c.component = 'interest'), 0)
    or i.fee <> coalesce(sum(c.amount) filter (where c.component = 'fee'), 0)
    or i.late_fee <> coalesce(sum(c.amount) filter (where c.component = 'late_fee'), 0)
  union all
  select 'what is paid of an instalment is not the sum of its settlements', 'instalment', i.id,
    coalesce(sum(s.amount), 0),
    i.paid::numeric
  from public.instalments i
  left join public.credit_settlements s on s.org_id = i.org_id and s.agreement_id = i.agreement_id and s.no = i.no
  where i.org_id = p_org_id group by i.org_id, i.id
  having i.principal_paid <> coalesce(sum(s.amount) filter (where s.component = 'principal'), 0)
    or i.interest_paid <> coalesce(sum(s.amount) filter (where s.component = 'interest'), 0)
    or i.fee_paid <> coalesce(sum(s.amount) filter (where s.component = 'fee'), 0)
    or i.late_fee_paid <> coalesce(sum(s.amount) filter (where s.component = 'late_fee'), 0)
  union all
  select 'the principal left is not the invoice''s balance', 'credit_agreement', a.id, v.balance::numeric,
    sum(i.principal - i.principal_paid)
  from public.credit_agreements a
  join public.invoices v on v.org_id = a.org_id and v.id = a.invoice_id
  join public.instalments i on i.org_id = a.org_id and i.agreement_id = a.id
  where a.org_id = p_org_id and a.status in ('active', 'defaulted', 'completed')
  group by a.id, v.balance having sum(i.principal - i.principal_paid) <> v.balance
  union all
  select 'a finished agreement is not paid, or a paid one not finished', 'credit_agreement', a.id, 0.00,
    sum(i.outstanding)
  from public.credit_agreements a join public.instalments i on i.org_id = a.org_id and i.agreement_id = a.id
  where a.org_id = p_org_id and a.status in ('active', 'defaulted', 'completed')
  group by a.id, a.status having (sum(i.outstanding) = 0) <> (a.status = 'completed')
  union all
  select 'a voided sale''s agreement still has something settled or owed', 'credit_agreement', l.agreement_id, 0.00,
    sum(l.amount)
  from (
    select s.agreement_id, s.amount from public.credit_settlements s where s.org_id = p_org_id
    union all
    select c.agreement_id, c.amount from public.credit_charges c where c.org_id = p_org_id
      and c.component <> 'principal') l
  join public.credit_agreements a on a.org_id = p_org_id and a.id = l.agreement_id
  join public.invoices v on v.org_id = a.org_id and v.id = a.invoice_id and v.status = 'void'
  group by l.agreement_id having sum(l.amount) <> 0
  union all
  select 'credit_status is not what the agreements say', 'customer', c.id, null, null
  from public.customers c where c.org_id = p_org_id and c.credit_status <> private.credit_status_of(c.org_id, c.id);
end;
$$;

comment on function private.check_agreements(uuid) is
'The part of check_books that concerns instalments: ledgers against the schedule, the schedule against the invoice, the
customer against his agreements. No errors.';

select private.react('books_findings', 20, 'check_agreements');

create function private.merge_credit_status(p_org_id uuid, p_keep_id uuid, p_merge_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- The agreements of both are one's now, and so is what they say of him; of the other they say nothing any more.
  perform private.follow_credit_status(p_org_id, p_keep_id);
  perform private.follow_credit_status(p_org_id, p_merge_id);
end;
$$;

comment on function private.merge_credit_status(uuid, uuid, uuid) is
'After two customers became one: what the agreements say of p_keep_id, and no more of p_merge_id. No errors.';

select private.react('customers_merged', 20, 'merge_credit_status');
