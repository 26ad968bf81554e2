-- What a customer's account says: its history, its open invoices on any day, and the statement of a period.

-- Indexes -----------------------------------------------------------------------------------------

-- Customer first: the index of what is open begins with org_id, and of two that begin alike a kept plan may take the
-- wrong one.
create index on public.invoices (customer_id, business_date) where customer_id is not null;

-- Open invoices on a day --------------------------------------------------------------------------

create function private.settled_on(p_settling_date date, p_invoice_date date, p_at_once boolean,
  p_written_at timestamptz,
  p_timezone text)
returns date
language plpgsql immutable
set search_path = ''
as $$
begin
  return greatest(p_settling_date, p_invoice_date, case when not p_at_once
    then (p_written_at at time zone p_timezone)::date end);
end;
$$;

comment on function private.settled_on(date, date, boolean, timestamptz, text) is
'From which business date on an entry of an allocation counts: what was settled together with the payment or credit note
(p_at_once) from its date, p_settling_date, whenever it was entered; else from the local day of the entry, p_written_at.
Never before the invoice.';

create function private.open_invoices(p_org_id uuid, p_branches uuid[], p_customer_id uuid, p_as_of date)
returns table (id uuid, branch_id uuid, customer_id uuid, number text, business_date date, as_of date, total numeric,
  balance numeric,
  due_date date)
language plpgsql stable
set search_path = ''
as $$
declare
  -- A constant for the index; nothing is later than now.
  v_after timestamptz := coalesce(private.first_instant(p_as_of + 1), 'infinity');
begin
  return query
  with later as (
    -- What settled something after the day, or gave it back: entered after it in any case, and so found by the index.
    select a.invoice_id, a.amount, private.settled_on(p.business_date, i.business_date, a.created_at = p.created_at,
      a.created_at, b.timezone) as day
    from public.payment_allocations a
    join public.branches b on b.org_id = a.org_id and b.id = a.branch_id
    join public.payments p on p.org_id = a.org_id and p.id = a.payment_id
    join public.invoices i on i.org_id = a.org_id and i.id = a.invoice_id
    where a.org_id = p_org_id and a.branch_id = any (p_branches) and a.created_at > v_after
      and (p_customer_id is null or i.customer_id = p_customer_id)
    union all
    select a.invoice_id, a.amount, private.settled_on(c.business_date, i.business_date, a.created_at = c.created_at,
      a.created_at, b.timezone)
    from public.credit_note_allocations a
    join public.branches b on b.org_id = a.org_id and b.id = a.branch_id
    join public.credit_notes c on c.org_id = a.org_id and c.id = a.credit_note_id
    join public.invoices i on i.org_id = a.org_id and i.id = a.invoice_id
    where a.org_id = p_org_id and a.branch_id = any (p_branches) and a.created_at > v_after
      and (p_customer_id is null or i.customer_id = p_customer_id)
  ), reopened as (
    select l.invoice_id, sum(l.amount) as amount from later l where l.day > p_as_of group by l.invoice_id
  ), candidates as (
    select i.id from public.invoices i
    where i.org_id = p_org_id and i.balance > 0 and (p_customer_id is null or i.customer_id = p_customer_id)
    union
    select r.invoice_id from reopened r
  )
  select i.id, i.branch_id, i.customer_id, i.number, i.business_date,
    coalesce(p_as_of, (now() at time zone b.timezone)::date), i.total,
    i.balance + coalesce(r.amount, 0), coalesce(i.due_date, i.business_date)
  from candidates k
  join public.invoices i on i.org_id = p_org_id and i.id = k.id
  join public.branches b on b.org_id = i.org_id and b.id = i.branch_id
  left join reopened r on r.invoice_id = i.id
  where i.branch_id = any (p_branches) and i.status <> 'draft' and i.balance + coalesce(r.amount, 0) <> 0
    and (p_as_of is null or i.business_date <= p_as_of);
end;
$$;

comment on function private.open_invoices(uuid, uuid[], uuid, date) is
'The invoices that were open at the end of a day, with what was owed on each then: today''s balance, and what has
settled it since. p_branches: whose invoices; p_customer_id: of one customer, null for all; p_as_of: the business date,
null for today, which is each branch''s own (as_of). due_date: the invoice''s date where it has none. A sent invoice
that was declared void counts on no day. No errors.';

create function private.agreed_parts(p_org_id uuid, p_invoices uuid[], p_as_of date)
returns table (invoice_id uuid, no integer, due_on date, principal numeric, open numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with agreements as (
    -- The one that counted on the day: those that came after it replace it only from their own day on.
    select a.id, a.invoice_id, i.business_date from public.credit_agreements a
    join public.invoices i on i.org_id = a.org_id and i.id = a.invoice_id
    where a.org_id = p_org_id and a.invoice_id = any (p_invoices) and a.status <> 'cancelled'
      and (p_as_of is null or a.opened_on <= p_as_of) and not exists (
        select from public.credit_agreements h
        where h.org_id = a.org_id and h.replaces_id = a.id and (p_as_of is null or h.opened_on <= p_as_of))
  ), later as (
    select c.agreement_id, c.no, c.amount as principal, c.amount as open
    from agreements a
    join public.credit_charges c on c.org_id = p_org_id and c.agreement_id = a.id and c.component = 'principal'
    where c.charged_on > p_as_of
    union all
    select s.agreement_id, s.no, 0.00, -s.amount
    from agreements a
    join public.credit_settlements s on s.org_id = p_org_id and s.agreement_id = a.id and s.component = 'principal'
    join public.branches b on b.org_id = s.org_id and b.id = s.branch_id
    left join public.payments p on p.org_id = s.org_id and p.id = s.payment_id
    where case when p.id is null then (s.created_at at time zone b.timezone)::date
      else private.settled_on(p.business_date, a.business_date, s.created_at = p.created_at, s.created_at, b.timezone)
        end > p_as_of
  ), sums as (
    select l.agreement_id, l.no, sum(l.principal) as principal, sum(l.open) as open from later l group by 1, 2
  )
  select a.invoice_id, t.no, t.due_on, t.principal - coalesce(s.principal, 0),
    t.principal - t.principal_paid - coalesce(s.open, 0)
  from agreements a
  join public.instalments t on t.org_id = p_org_id and t.agreement_id = a.id
  left join sums s on s.agreement_id = t.agreement_id and s.no = t.no
  where t.principal - t.principal_paid - coalesce(s.open, 0) > 0;
end;
$$;

comment on function private.agreed_parts(uuid, uuid[], date) is
'What of the principal of invoices was open at the end of a day by the agreement that counted then, instalment by
instalment. p_as_of: the business date, null for now. What a credit note took off counts from the day on which it was
entered. No errors.';

create function private.open_parts(p_org_id uuid, p_branches uuid[], p_customer_id uuid, p_as_of date)
returns table (id uuid, branch_id uuid, customer_id uuid, number text, business_date date, as_of date,
  instalment integer, due_date date,
  total numeric, balance numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with invoices as materialized (
    select * from private.open_invoices(p_org_id, p_branches, p_customer_id, p_as_of)
  ), parts as (
    select t.*, coalesce(sum(t.open) over (partition by t.invoice_id order by t.no rows between unbounded preceding
      and 1 preceding), 0)
        as before,
      sum(t.open) over (partition by t.invoice_id) as agreed,
        row_number() over (partition by t.invoice_id order by t.no desc) = 1 as last
    from private.agreed_parts(p_org_id, array(select i.id from invoices i where i.balance > 0), p_as_of) t
  ), fitted as (
    -- The invoice's balance is what counts: where the two ledgers date an entry differently, the last instalment makes
    -- up for it.
    select p.invoice_id, p.no, p.due_on, p.principal, least(p.open, greatest(i.balance - p.before, 0))
      + case when p.last then greatest(i.balance - p.agreed, 0) else 0 end as amount
    from parts p join invoices i on i.id = p.invoice_id
  )
  select i.id, i.branch_id, i.customer_id, i.number, i.business_date, i.as_of, f.no, coalesce(f.due_on, i.due_date),
    coalesce(greatest(f.principal, f.amount), i.total), coalesce(f.amount, i.balance)
  from invoices i left join fitted f on f.invoice_id = i.id and f.amount > 0;
end;
$$;

comment on function private.open_parts(uuid, uuid[], uuid, date) is
'What was owed at the end of a day, each part with the day on which it is due: an invoice, or, of one that is paid by an
agreement, the open principal of its instalments (instalment: the number; total: its principal), which together are the
invoice''s balance. Parameters as private.open_invoices. No errors.';

create function private.age(p_due date, p_as_of date) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_due >= p_as_of then 'current' when p_as_of - p_due <= 30 then 'days_1_30'
    when p_as_of - p_due <= 60 then 'days_31_60' when p_as_of - p_due <= 90 then 'days_61_90' else 'over_90' end;
end;
$$;

comment on function private.age(date, date) is
'How long something has been due on p_as_of: current (not yet, or today), days_1_30, days_31_60, days_61_90, over_90. No
errors.';

-- The account -------------------------------------------------------------------------------------

create function private.account_entries(p_org_id uuid, p_branches uuid[], p_customer_id uuid, p_from date)
returns table (day date, at timestamptz, kind text, id uuid, branch_id uuid, number text, reference text, method text,
  debit numeric,
  credit numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_since timestamptz := private.first_instant(p_from);
begin
  return query
  select i.business_date, i.issued_at, 'invoice', i.id, i.branch_id, i.number, i.reference, null::text, i.total, 0.00
  from public.invoices i
  where i.org_id = p_org_id and i.customer_id = p_customer_id and i.status <> 'draft' and i.business_date >= p_from
    -- Declared void, nothing was ever owed on it; a voided sale has its credit note, and both are shown.
    and (i.status <> 'void' or exists (
      select from public.credit_notes v where v.org_id = i.org_id and v.invoice_id = i.id and v.voids))
    and i.branch_id = any (p_branches)
  union all
  select c.business_date, c.issued_at, 'credit_note', c.id, c.branch_id, c.number, c.reason, null, 0.00, c.total
  from public.credit_notes c
  where c.org_id = p_org_id and c.customer_id = p_customer_id and c.branch_id = any (p_branches)
    and c.business_date >= p_from
  union all
  select p.business_date, p.received_at, 'payment', p.id, p.branch_id, p.number, p.reference, p.method, 0.00, p.amount
  from public.payments p
  where p.org_id = p_org_id and p.customer_id = p_customer_id and p.branch_id = any (p_branches)
    and p.business_date >= p_from
  union all
  select r.business_date, r.created_at, 'reversal', r.id, r.branch_id, p.number, r.reason, p.method, p.amount, 0.00
  from public.payment_reversals r
  cross join lateral (select * from public.payments t where t.org_id = r.org_id and t.id = r.payment_id limit 1) p
  where r.org_id = p_org_id and p.customer_id = p_customer_id and r.branch_id = any (p_branches)
    and r.created_at >= v_since and r.business_date >= p_from
  union all
  select f.business_date, f.refunded_at, 'refund', f.id, f.branch_id, f.number, f.reference, f.method, f.amount, 0.00
  from public.refunds f
  where f.org_id = p_org_id and f.customer_id = p_customer_id and f.branch_id = any (p_branches)
    and f.business_date >= p_from
  union all
  -- Interest and fees of instalments are no part of an invoice: owed on the day that a payment takes them, given back
  -- when it did not stand.
  select d.day, d.at, 'charges', s.payment_id, s.branch_id, a.number, p.number, null, sum(greatest(s.amount, 0)),
    sum(greatest(-s.amount, 0))
  from public.credit_agreements a
  join public.credit_settlements s on s.org_id = a.org_id and s.agreement_id = a.id and s.component <> 'principal'
  join public.payments p on p.org_id = s.org_id and p.id = s.payment_id
  join public.branches b on b.org_id = s.org_id and b.id = s.branch_id
  cross join lateral (
    select private.settled_on(p.business_date, a.opened_on, s.created_at = p.created_at, s.created_at, b.timezone)
      as day,
      case when s.created_at = p.created_at and s.amount > 0 then p.received_at else s.created_at end as at) d
  where a.org_id = p_org_id and a.customer_id = p_customer_id and s.branch_id = any (p_branches)
    -- Nothing counts from a day after that of its entry.
    and s.created_at >= v_since and d.day >= p_from
  group by d.day, d.at, s.payment_id, s.branch_id, a.number, p.number, s.amount > 0;
end;
$$;

comment on function private.account_entries(uuid, uuid[], uuid, date) is
'Everything since a business date that changed what a customer owes, in the organisation''s currency: debit is owed
more, credit less. One arm of the union per kind of document; a room with another kind adds its own, and calls
private.post_account. p_branches: whose documents. No errors.';

create function private.charges_due(p_org_id uuid, p_branches uuid[], p_customer_id uuid, p_as_of date) returns numeric
language plpgsql stable
set search_path = ''
as $$
declare
  -- Of what is over nothing is due today: only what was due on a day that is past asks for it.
  v_past boolean := p_as_of < (
    select max(private.credit_today(b.org_id, b.id)) from public.branches b where b.org_id = p_org_id
      and b.id = any (p_branches));
begin
  return (
    with due as (
      select a.id, t.no, a.opened_on from public.credit_agreements a
      join public.instalments t on t.org_id = a.org_id and t.agreement_id = a.id and t.due_on <= p_as_of
      where a.org_id = p_org_id and a.customer_id = p_customer_id and a.branch_id = any (p_branches)
        and (v_past or a.status in ('active', 'defaulted'))
    )
    select coalesce((
        select sum(c.amount) from due d
        join public.credit_charges c on c.org_id = p_org_id and c.agreement_id = d.id and c.no = d.no
        where c.component <> 'principal' and c.charged_on <= p_as_of), 0.00)
      - coalesce((
        select sum(s.amount) from due d
        join public.credit_settlements s on s.org_id = p_org_id and s.agreement_id = d.id and s.no = d.no
          and s.component <> 'principal'
        join public.payments p on p.org_id = s.org_id and p.id = s.payment_id
        join public.branches b on b.org_id = s.org_id and b.id = s.branch_id
        where private.settled_on(p.business_date, d.opened_on, s.created_at = p.created_at, s.created_at,
          b.timezone) <= p_as_of), 0.00));
end;
$$;

comment on function private.charges_due(uuid, uuid[], uuid, date) is
'Interest, fees and late fees of instalments that were due by the end of a day and not paid then, in the organisation''s
currency. They are no part of an invoice: private.account_entries has them when they are paid. p_branches: whose
agreements. No errors.';

create function private.customer_branches(p_org_id uuid, p_permission text, p_branch_id uuid default null)
  returns uuid[]
language plpgsql stable
set search_path = ''
as $$
begin
  return array(
    select b.id from public.branches b
    where b.org_id = p_org_id and b.id in (select private.branches_with(p_permission))
      and (p_branch_id is null or b.id = p_branch_id));
end;
$$;

comment on function private.customer_branches(uuid, text, uuid) is
'The branches whose documents the caller is shown: those of the organisation where he holds p_permission, or of them
p_branch_id. No errors.';

create function public.statement(p_customer_id uuid, p_from date, p_to date) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
  v_customer public.customers;
  v_branches uuid[];
  v_answer jsonb;
begin
  perform private.authorize('customer.read', v_org_id);
  perform private.authorize('invoice.read', v_org_id);
  perform private.check_range(p_from, p_to);
  v_branches := private.customer_branches(v_org_id, 'invoice.read');
  select * into v_customer from public.customers
  where org_id = v_org_id and id = private.customer_account(v_org_id, p_customer_id);
  with entries as (
    select * from private.account_entries(v_org_id, v_branches, v_customer.id, p_from)
  ), opening as (
    -- From what he owes now backwards: what came before p_from need not be read.
    select coalesce((
        select sum(a.balance) from private.accounts a
        where a.org_id = v_org_id and a.customer_id = v_customer.id and a.branch_id = any (v_branches)), 0.00)
      - coalesce((select sum(e.debit - e.credit) from entries e), 0.00) as balance
  ), shown as (
    select e.*, o.balance + sum(e.debit - e.credit) over (
        order by e.day, e.at, e.kind <> 'invoice', e.number, e.id) as balance,
      row_number() over (order by e.day, e.at, e.kind <> 'invoice', e.number, e.id) as place
    from entries e cross join opening o where e.day <= p_to
  ), sums as (
    select coalesce(sum(s.debit), 0.00) as debits, coalesce(sum(s.credit), 0.00) as credits,
      coalesce(jsonb_agg(jsonb_build_object('date', s.day, 'kind', s.kind, 'id', s.id, 'branch_id', s.branch_id,
        'number', s.number, 'reference', s.reference, 'method', s.method, 'debit', s.debit, 'credit', s.credit,
          'balance', s.balance)
        order by s.place), '[]') as lines
    from shown s
  ), unpaid as (
    select i.*, private.age(i.due_date, p_to) as age
    from private.open_parts(v_org_id, v_branches, v_customer.id, p_to) i
  ), ages as (
    select coalesce(sum(i.balance), 0.00) as owed, jsonb_build_object(
        'current', coalesce(sum(i.balance) filter (where i.age = 'current'), 0.00),
        'days_1_30', coalesce(sum(i.balance) filter (where i.age = 'days_1_30'), 0.00),
        'days_31_60', coalesce(sum(i.balance) filter (where i.age = 'days_31_60'), 0.00),
        'days_61_90', coalesce(sum(i.balance) filter (where i.age = 'days_61_90'), 0.00),
        'over_90', coalesce(sum(i.balance) filter (where i.age = 'over_90'), 0.00)) as ageing,
      coalesce(jsonb_agg(jsonb_build_object('invoice_id', i.id, 'number', i.number, 'instalment', i.instalment, 'date',
        i.business_date,
        'due_date', i.due_date, 'total', i.total, 'balance', i.balance, 'age', i.age) order by i.due_date, i.number,
          i.instalment), '[]')
        as invoices
    from unpaid i
  )
  select jsonb_build_object('customer_id', v_customer.id, 'customer', private.buyer_json(v_customer), 'org_id',
    v_org_id,
    'seller', coalesce((
      -- Whoever sees one branch only has its address and tax number on the paper.
      select private.seller_json(o, b) from public.branches b
      where b.org_id = v_org_id and b.id = any (v_branches) and cardinality(v_branches) = 1),
      jsonb_build_object('name', o.name, 'legal_name', o.legal_name)) || jsonb_build_object('tax_regime', o.tax_regime),
    'currency', o.currency, 'from', p_from, 'to', p_to,
    'opening', p.balance, 'debits', s.debits, 'credits', s.credits, 'closing', p.balance + s.debits - s.credits,
    'lines', s.lines, 'ageing', a.ageing, 'open_invoices', a.invoices, 'owed', a.owed,
    'unallocated', a.owed - (p.balance + s.debits - s.credits),
    'charges_due', private.charges_due(v_org_id, v_branches, v_customer.id, p_to),
    'branches', to_jsonb(v_branches),
    'complete', not exists (select from public.branches b where b.org_id = v_org_id and b.id <> all (v_branches)))
  into v_answer
  from public.organizations o cross join opening p cross join sums s cross join ages a where o.id = v_org_id;
  return v_answer;
end;
$$;

comment on function public.statement(uuid, date, date) is
'A customer''s statement of account. p_customer_id: also one who was merged; p_from, p_to: first and last business date,
both counted. Returns JSON, amounts in the organisation''s currency: opening; lines [{"date", "kind" (invoice,
credit_note, payment, reversal, refund, charges: interest and fees of instalments, number the agreement''s, reference
the payment''s), "number", "reference", "method" (of payments, reversals and refunds: its code, points for what is no
money), "debit", "credit", "balance"}]; debits, credits; closing = opening + debits - credits (below zero: the house
owes him); at the end of p_to: open_invoices (of an agreement each instalment with its number, principal and due date;
instalment is null otherwise), owed (their sum), ageing (of it, by days since due: current, days_1_30, days_31_60,
days_61_90, over_90), unallocated, the credit that settles nothing yet (owed - closing), and charges_due, interest and
fees of instalments that are due and not paid, to be paid besides. Shown are the documents of the branches where the
caller holds invoice.read (branches); complete tells whether these are all. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found. Permission: customer.read and invoice.read.';
revoke execute on function public.statement(uuid, date, date) from public, anon;
grant execute on function public.statement(uuid, date, date) to authenticated;

-- History -----------------------------------------------------------------------------------------

select private.add_event('customer_documents', 'p_org_id uuid, p_customer_id uuid',
'table(kind text, id uuid, branch_id uuid, number text, status text, at timestamptz, amount numeric, points bigint, note
text)',
'Everything that happened with a customer and that the caller may read, of each room that keeps such documents: those of
the branches where he holds what their tables ask for. status: the document''s, null where it has none; amount: in the
organisation''s currency, null where it is about none; points: how many, null but for points. No errors.');

create function private.documents_of_sales(p_org_id uuid, p_customer_id uuid)
returns table (kind text, id uuid, branch_id uuid, number text, status text, at timestamptz, amount numeric,
  points bigint, note text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_invoicing uuid[] := private.customer_branches(p_org_id, 'invoice.read');
  v_quoting uuid[] := private.customer_branches(p_org_id, 'quotation.manage');
  v_ordering uuid[] := private.customer_branches(p_org_id, 'order.manage');
  v_delivering uuid[] := private.customer_branches(p_org_id, 'order.deliver');
begin
  return query
  select 'invoice', i.id, i.branch_id, i.number, i.status, i.issued_at, i.total, null::bigint, i.note
  from public.invoices i
  where i.org_id = p_org_id and i.customer_id = p_customer_id and i.branch_id = any (v_invoicing)
  union all
  select 'payment', p.id, p.branch_id, p.number, case when r.id is null then 'received' else 'reversed' end,
    p.received_at,
    p.amount, null, coalesce(r.reason, p.note)
  from public.payments p
  left join public.payment_reversals r on r.org_id = p.org_id and r.payment_id = p.id
  where p.org_id = p_org_id and p.customer_id = p_customer_id and p.branch_id = any (v_invoicing)
  union all
  select 'refund', f.id, f.branch_id, f.number, null, f.refunded_at, f.amount, null, f.note
  from public.refunds f
  where f.org_id = p_org_id and f.customer_id = p_customer_id and f.branch_id = any (v_invoicing)
  union all
  select 'credit_note', c.id, c.branch_id, c.number, null, c.issued_at, c.total, null, c.reason
  from public.credit_notes c
  where c.org_id = p_org_id and c.customer_id = p_customer_id and c.branch_id = any (v_invoicing)
  union all
  select 'return', g.id, g.branch_id, i.number, null, g.created_at, null, null, g.reason
  from public.goods_returns g
  join public.invoices i on i.org_id = g.org_id and i.id = g.invoice_id
  where i.org_id = p_org_id and i.customer_id = p_customer_id and g.branch_id = any (v_invoicing)
  union all
  select 'agreement', a.id, a.branch_id, a.number, a.status, a.created_at, a.financed, null, a.reason
  from public.credit_agreements a
  where a.org_id = p_org_id and a.customer_id = p_customer_id and a.branch_id = any (v_invoicing)
  union all
  select 'quotation', q.id, q.branch_id, q.number, q.status, q.created_at, q.total, null, q.reason
  from public.quotations q
  where q.org_id = p_org_id and q.customer_id = p_customer_id and q.branch_id = any (v_quoting)
  union all
  select 'order', o.id, o.branch_id, o.number, o.status, o.created_at, o.total, null, o.reason
  from public.sales_orders o
  where o.org_id = p_org_id and o.customer_id = p_customer_id and o.branch_id = any (v_ordering)
  union all
  select 'delivery', d.id, d.branch_id, d.number, null, d.delivered_at, null, null, null
  from public.deliveries d
  where d.org_id = p_org_id and d.customer_id = p_customer_id
    and (d.branch_id = any (v_ordering) or d.branch_id = any (v_delivering))
  union all
  -- What was taken out of several lots at once is one thing that happened. Who reads the customer reads his points.
  select 'points', (array_agg(e.id order by e.id))[1], null, max(i.number), e.kind, e.created_at, sum(e.amount),
    sum(e.points)::bigint,
    e.reason
  from public.loyalty_entries e
  left join public.invoices i on i.org_id = e.org_id and i.id = e.invoice_id
  where e.org_id = p_org_id and e.customer_id = p_customer_id and (e.points <> 0 or e.kind = 'return')
  group by e.kind, e.created_at, e.invoice_id, e.reason, case when e.points > 0 then e.id end;
end;
$$;

comment on function private.documents_of_sales(uuid, uuid) is
'What customer_documents tells of the rooms of sales: one arm of the union per kind, each of the branches where the
caller holds what its table asks for (invoice.read; quotation.manage; order.manage; for deliveries also order.deliver).
status: of points the kind of entry. No errors.';

select private.react('customer_documents', 10, 'documents_of_sales');

create function public.customer_history(p_customer_id uuid, p_limit integer default 50, p_cursor text default null)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
  v_at timestamptz;
  v_kind text;
  v_id uuid;
  v_answer jsonb;
begin
  perform private.authorize('customer.read', v_org_id);
  perform private.authorize('invoice.read', v_org_id);
  if p_limit is null or p_limit not between 1 and 500 then
    perform private.fail(400, 'invalid_input', 'p_limit is 1 to 500.', '{"field": "p_limit"}');
  elsif p_cursor !~* '^\d{4}-\d{2}-\d{2}T[0-9:.]+Z/[a-z_]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    perform private.fail(400, 'invalid_input', 'p_cursor is what the page before returned.', '{"field": "p_cursor"}');
  end if;
  if p_cursor is not null then
    v_at := private.instant(split_part(p_cursor, '/', 1), 'p_cursor');
    v_kind := split_part(p_cursor, '/', 2);
    v_id := split_part(p_cursor, '/', 3)::uuid;
  end if;
  with page as (
    select d.*, row_number() over (order by d.at desc, d.kind desc, d.id desc) as place
    from private.customer_documents(v_org_id, private.customer_account(v_org_id, p_customer_id)) d
    -- A credit note and the return that came with it have one id.
    where p_cursor is null or (d.at, d.kind, d.id) < (v_at, v_kind, v_id)
    order by d.at desc, d.kind desc, d.id desc limit p_limit + 1
  )
  select jsonb_build_object('items', coalesce(jsonb_agg(to_jsonb(p) - 'place'
    order by p.place) filter (where p.place <= p_limit),
      '[]'),
    'next_cursor', case when count(*) > p_limit then
      max(to_char(p.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '/' || p.kind || '/' || p.id)
        filter (where p.place = p_limit) end)
  into v_answer from page p;
  return v_answer;
end;
$$;

comment on function public.customer_history(uuid, integer, text) is
'Everything that happened with a customer, the latest first: invoice, payment, refund, credit_note, return, agreement,
quotation, order, delivery, points. p_customer_id: also one who was merged; p_limit: how many, 1 to 500; p_cursor:
next_cursor of the page before, null for the first. Returns {"items": [{"kind", "id", "branch_id" (null of points),
"number" (of points the invoice''s), "status" (of points earn, redeem and the like), "at", "amount", "points" (how many;
null but for points), "note"}], "next_cursor": null on the last page}, of the branches where the caller holds
invoice.read, quotations where he holds quotation.manage, orders order.manage, deliveries that or order.deliver. Errors:
400 invalid_input; 401; 403 permission_denied; 404 not_found. Permission: customer.read and invoice.read.';
revoke execute on function public.customer_history(uuid, integer, text) from public, anon;
grant execute on function public.customer_history(uuid, integer, text) to authenticated;
