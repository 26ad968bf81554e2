-- Sales on credit: an agreement to pay an invoice in instalments, its schedule, and the two ledgers of what is owed and
-- settled.

select private.add_permissions('[
  {"code": "credit.sell", "description": "Sell on instalments", "roles": ["sales_executive"]},
  {"code": "credit.override", "description": "Give a defaulted customer credit, reschedule and waive", "roles": []}
]');
select private.add_document_kind('credit_agreement', 'credit agreements', 'A');

-- Tables ------------------------------------------------------------------------------------------

create table public.credit_agreements (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  customer_id uuid not null,
  invoice_id uuid not null,
  replaces_id uuid,
  number text not null check (length(number) <= 16),
  status text not null check (status in ('active', 'defaulted', 'completed', 'rescheduled', 'cancelled')),
  currency text not null,
  financed numeric(14, 2) not null check (financed > 0),
  terms jsonb not null,
  opened_on date not null,
  reason text check (length(btrim(reason)) between 1 and 500),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, id),
  unique (branch_id, org_id, number),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  foreign key (org_id, invoice_id) references public.invoices (org_id, id),
  foreign key (org_id, replaces_id) references public.credit_agreements (org_id, id),
  unique (id, org_id, branch_id)
);

comment on table public.credit_agreements is
'Agreements to pay what is open of an invoice in instalments. financed: in currency, the invoice''s balance on
opened_on, the branch''s date; terms: as open_credit_sale takes them, with everything left out filled in. replaces_id
and reason: the agreement that was rescheduled into this one, and why. Whoever holds the lock of the invoice holds that
of its agreements.';

create table public.instalments (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  agreement_id uuid not null,
  no integer not null check (no > 0),
  branch_id uuid not null,
  due_on date not null,
  status text not null check (status in ('pending', 'overdue', 'paid', 'closed')),
  principal numeric(14, 2) not null check (principal >= 0),
  interest numeric(14, 2) not null check (interest >= 0),
  fee numeric(14, 2) not null check (fee >= 0),
  late_fee numeric(14, 2) not null default 0 check (late_fee >= 0),
  principal_paid numeric(14, 2) not null default 0,
  interest_paid numeric(14, 2) not null default 0,
  fee_paid numeric(14, 2) not null default 0,
  late_fee_paid numeric(14, 2) not null default 0,
  late_fee_on date,
  total numeric(14, 2) not null generated always as (principal + interest + fee + late_fee) stored,
  paid numeric(14, 2) not null generated always as (principal_paid + interest_paid + fee_paid + late_fee_paid) stored,
  outstanding numeric(14, 2) not null generated always as (case when status = 'closed' then 0
    else principal + interest + fee
    + late_fee - principal_paid - interest_paid - fee_paid - late_fee_paid end) stored,
  primary key (org_id, id),
  unique (org_id, agreement_id, no),
  foreign key (org_id, agreement_id, branch_id) references public.credit_agreements (org_id, id, branch_id),
  constraint settled_within_owed check (principal_paid between 0 and principal and interest_paid between 0 and interest
    and fee_paid between 0 and fee and late_fee_paid between 0 and late_fee)
);

comment on table public.instalments is
'The schedule of an agreement. principal, interest, fee, late_fee: what is owed by now, the sums of credit_charges;
..._paid: what is settled, the sums of credit_settlements; amounts in the agreement''s currency. late_fee_on: when the
late fee was added, once. closed: the agreement was rescheduled or cancelled.';

create table public.credit_charges (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  agreement_id uuid not null,
  no integer not null,
  branch_id uuid not null,
  component text not null check (component in ('principal', 'interest', 'fee', 'late_fee')),
  kind text not null check (kind in ('schedule', 'carried', 'late_fee', 'waiver', 'rebate', 'rescheduled', 'cancelled',
    'returned')),
  amount numeric(14, 2) not null check (amount <> 0),
  payment_id uuid,
  reason text check (length(btrim(reason)) between 1 and 500),
  charged_on date not null,
  created_at timestamptz not null default now(),
  created_by uuid,
  request_id text default private.request_id(),
  primary key (org_id, id),
  foreign key (org_id, agreement_id, branch_id) references public.credit_agreements (org_id, id, branch_id),
  foreign key (org_id, agreement_id, no) references public.instalments (org_id, agreement_id, no),
  -- The rebate of an early settlement is written before the payment that it makes smaller.
  foreign key (org_id, payment_id) references public.payments (org_id, id) deferrable initially deferred
);

comment on table public.credit_charges is
'What is owed of each instalment: append-only entries whose sum counts, in the agreement''s currency. kind: schedule as
agreed; carried over from the agreement that this one replaces; late_fee; waiver (reason says why); rebate of interest
for time that was not used, of the early settlement payment_id names or of what was credited; rescheduled into another
agreement; cancelled, as the sale was voided; returned: owed again, as what had settled it did not stand. So the sum of
all charges of a customer less that of his settlements is what he owes. created_by: null for the job.';

create table public.credit_settlements (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  agreement_id uuid not null,
  no integer not null,
  branch_id uuid not null,
  component text not null check (component in ('principal', 'interest', 'fee', 'late_fee')),
  amount numeric(14, 2) not null check (amount <> 0),
  payment_id uuid,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  request_id text default private.request_id(),
  primary key (org_id, id),
  foreign key (org_id, agreement_id, branch_id) references public.credit_agreements (org_id, id, branch_id),
  foreign key (org_id, agreement_id, no) references public.instalments (org_id, agreement_id, no),
  foreign key (org_id, payment_id) references public.payments (org_id, id)
);

comment on table public.credit_settlements is
'What settled which part of an instalment: append-only entries whose sum counts, in the agreement''s currency. Principal
is the invoice''s (its payment_allocations have the same amounts); interest and fees are income of the agreement.
payment_id: null for what a credit note took off the principal. A payment that did not stand has the negative beside
each of its entries.';

create table public.credit_reminders (
  org_id uuid not null,
  agreement_id uuid not null,
  no integer not null,
  kind text not null check (kind in ('before', 'due', 'after')),
  branch_id uuid not null,
  reminded_on date not null,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  request_id text default private.request_id(),
  primary key (org_id, agreement_id, no, kind),
  foreign key (org_id, agreement_id, branch_id) references public.credit_agreements (org_id, id, branch_id),
  foreign key (org_id, agreement_id, no) references public.instalments (org_id, agreement_id, no)
);

comment on table public.credit_reminders is
'Which reminders of an instalment were emitted as events: some days before it is due, on the day, and after its days of
grace; each once. reminded_on: the branch''s date.';

-- Indexes -----------------------------------------------------------------------------------------

-- One agreement at a time on an invoice.
create unique index one_agreement_per_invoice on public.credit_agreements (invoice_id, org_id)
  where status in ('active', 'defaulted', 'completed');
create index on public.credit_agreements (org_id, created_at desc, id desc);
create index on public.credit_agreements (branch_id, status);
create index on public.credit_agreements (org_id, customer_id);
create index on public.credit_agreements (org_id, invoice_id);
create index on public.credit_agreements (org_id, replaces_id) where replaces_id is not null;
create index on public.instalments (branch_id, due_on) where status in ('pending', 'overdue');
create index on public.credit_charges (org_id, agreement_id, no);
create index on public.credit_charges (org_id, payment_id) where payment_id is not null;
create index on public.credit_settlements (org_id, agreement_id, no);
-- A statement asks what was charged since a day.
create index on public.credit_settlements (org_id, created_at) where component <> 'principal';
create index on public.credit_settlements (org_id, payment_id) where payment_id is not null;

-- The date ----------------------------------------------------------------------------------------

create function private.credit_today(p_org_id uuid, p_branch_id uuid) returns date
language plpgsql stable
set search_path = ''
as $$
begin
  return private.local_date(p_org_id, p_branch_id, now());
end;
$$;

comment on function private.credit_today(uuid, uuid) is
'The date by which everything in this room goes: the branch''s local date. The one place that reads the clock.';

-- Terms and schedule --------------------------------------------------------------------------------

create function private.whole_number(p_value jsonb, p_from integer, p_to integer) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when jsonb_typeof(p_value) = 'number'
    then p_value::numeric between p_from and p_to and p_value::numeric = trunc(p_value::numeric) else false end;
end;
$$;

comment on function private.whole_number(jsonb, integer, integer)
  is 'Is this JSON a whole number within the bounds? No errors.';

create function private.check_terms(p_terms jsonb, p_date date) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_known text[] := array['deposit', 'count', 'interval', 'first_due_on', 'interest', 'fees', 'grace_days', 'late_fee',
    'default_after_days', 'remind_days_before'];
  v_terms jsonb;
  v_interest jsonb;
  v_bad text;
begin
  if p_terms is null or jsonb_typeof(p_terms) <> 'object' then
    perform private.fail(400, 'invalid_input', 'p_terms must be a JSON object.', '{"field": "p_terms"}');
  end if;
  select k into v_bad from jsonb_object_keys(p_terms) k where k <> all (v_known) order by k limit 1;
  if v_bad is not null then
    perform private.fail(400, 'invalid_input', format('p_terms has no field %s.', v_bad),
      jsonb_build_object('field', v_bad));
  end if;
  v_terms := '{"deposit": 0, "interval": "month", "interest": {"kind": "none"}, "fees": [], "grace_days": 0,
    "late_fee": 0,
    "default_after_days": 90, "remind_days_before": 3}' || jsonb_strip_nulls(p_terms);
  v_interest := v_terms -> 'interest';
  v_bad := case
    when not private.is_amount(v_terms -> 'deposit') then 'deposit'
    when v_terms -> 'count' is null or not private.whole_number(v_terms -> 'count', 1, 120) then 'count'
    when v_terms ->> 'interval' not in ('week', 'fortnight', 'month') then 'interval'
    when v_terms -> 'first_due_on' is null then 'first_due_on'
    when jsonb_typeof(v_interest) <> 'object' then 'interest'
    when v_interest - array['kind', 'annual_percent'] <> '{}' then 'interest'
    when coalesce(v_interest ->> 'kind', '') not in ('none', 'flat', 'reducing') then 'kind'
    when v_interest ->> 'kind' = 'none' and coalesce(v_interest -> 'annual_percent', '0') <> '0' then 'annual_percent'
    when v_interest ->> 'kind' <> 'none' and not coalesce(case
      when jsonb_typeof(v_interest -> 'annual_percent') = 'number' then
      (v_interest ->> 'annual_percent')::numeric between 0 and 100
      and scale(trim_scale((v_interest ->> 'annual_percent')::numeric)) <= 3 end, false) then 'annual_percent'
    when jsonb_typeof(v_terms -> 'fees') <> 'array' then 'fees'
    when jsonb_array_length(v_terms -> 'fees') > 20 or exists (
      select from jsonb_array_elements(v_terms -> 'fees') f where case when jsonb_typeof(f) <> 'object' then true
        else f - array['name', 'amount'] <> '{}' or jsonb_typeof(f -> 'name') is distinct from 'string'
          or length(btrim(f ->> 'name')) not between 1 and 100 or not coalesce(private.is_amount(f -> 'amount'), false)
          or not (f ->> 'amount')::numeric between 0.01 and 1e9 end) then 'fees'
    when not private.whole_number(v_terms -> 'grace_days', 0, 365) then 'grace_days'
    when not private.is_amount(v_terms -> 'late_fee') or (v_terms ->> 'late_fee')::numeric > 1e9 then 'late_fee'
    when not private.whole_number(v_terms -> 'default_after_days', 1, 3650)
      or (v_terms ->> 'default_after_days')::integer <= (v_terms ->> 'grace_days')::integer then 'default_after_days'
    when not private.whole_number(v_terms -> 'remind_days_before', 0, 60) then 'remind_days_before'
  end;
  if v_bad is null and not coalesce(private.day(v_terms ->> 'first_due_on', 'first_due_on') between p_date
    and p_date + 366, false)
  then
    v_bad := 'first_due_on';
  end if;
  if v_bad is not null then
    perform private.fail(400, 'invalid_input', format('These terms cannot be agreed: %s.', v_bad),
      jsonb_build_object('field', v_bad));
  end if;
  return v_terms;
end;
$$;

comment on function private.check_terms(jsonb, date) is
'Reads the terms of an agreement that begins on p_date and fills in what was left out: deposit 0, interval month, no
interest, no fees, no grace, no late fee, default after 90 days, reminders from 3 days before. Errors: 400 invalid_input
with the field.';

create function private.due_date(p_first date, p_interval text, p_no integer) returns date
language plpgsql immutable
set search_path = ''
as $$
begin
  -- Counted from the first date, not from the one before: 31 January, 28 February, 31 March.
  return case p_interval when 'week' then p_first + 7 * (p_no - 1) when 'fortnight' then p_first + 14 * (p_no - 1)
    else (p_first + make_interval(months => p_no - 1))::date end;
end;
$$;

comment on function private.due_date(date, text, integer) is
'When the p_no-th instalment is due. A month that lacks the day has it on its last one.';

create function private.credit_schedule(p_amount numeric, p_terms jsonb)
returns table (no integer, due_on date, principal numeric, interest numeric, fee numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_count integer := (p_terms ->> 'count')::integer;
  v_kind text := p_terms -> 'interest' ->> 'kind';
  v_per_year integer := case p_terms ->> 'interval' when 'week' then 52 when 'fortnight' then 26 else 12 end;
  v_percent numeric := coalesce((p_terms -> 'interest' ->> 'annual_percent')::numeric, 0);
  v_rate numeric := v_percent / 100 / v_per_year;
  -- Multiplied before it is divided: a rate of 7 / 1200 is no decimal, and half a paisa would be lost.
  v_interest numeric := case when v_kind = 'flat' then round(p_amount * v_percent * v_count / (100 * v_per_year), 2)
    else 0 end;
  v_left numeric := p_amount;
  v_payment numeric;
begin
  if v_kind = 'reducing' and v_rate > 0 then
    v_payment := round(p_amount * v_rate / (1 - power(1 + v_rate, -v_count)), 2);
  else
    v_payment := trunc(p_amount / v_count, 2);
  end if;
  for v_no in 1 .. v_count loop
    no := v_no;
    due_on := private.due_date((p_terms ->> 'first_due_on')::date, p_terms ->> 'interval', v_no);
    fee := case when v_no = 1 then (
      select coalesce(sum((f ->> 'amount')::numeric), 0) from jsonb_array_elements(p_terms -> 'fees') f) else 0 end;
    interest := case v_kind
      when 'flat' then trunc(v_interest / v_count, 2)
        + case when v_no = v_count then v_interest - trunc(v_interest / v_count, 2) * v_count else 0 end
      when 'reducing' then round(v_left * v_rate, 2) else 0 end;
    principal := case when v_no = v_count then v_left when v_kind = 'reducing' then v_payment - interest else v_payment
      end;
    -- In sums so small, rounding would leave an instalment without principal, or all of it to the last.
    if principal < 0.01 or (v_no = v_count and v_kind = 'reducing' and principal + interest > 2 * v_payment) then
      perform private.fail(400, 'invalid_input', 'The amount is too small for so many instalments.',
        '{"field": "count"}');
    end if;
    v_left := v_left - principal;
    return next;
  end loop;
end;
$$;

comment on function private.credit_schedule(numeric, jsonb) is
'The instalments of p_amount, in the document''s currency, under terms that private.check_terms has read. The principals
sum to p_amount exactly; what rounding leaves goes to the last instalment; fees are due with the first. Interest, with n
instalments, rate r = annual percent / 100 / (12 months, 26 fortnights or 52 weeks): none; flat: p_amount * r * n, in
equal parts; reducing: equal payments p_amount * r / (1 - (1 + r)^-n), the ordinary annuity (OpenStax, Contemporary
Mathematics, section 6.8, The Basics of Loans), of which each pays r times the principal then left, rounded, and
principal with the rest. The first instalment bears one interval''s interest, whenever it is due. Errors: 400
invalid_input.';

create function private.schedule_json(p_amount numeric, p_terms jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('financed', p_amount::numeric(14, 2), 'terms', p_terms, 'interest', sum(s.interest),
      'fees', sum(s.fee), 'total', sum(s.principal + s.interest + s.fee), 'schedule',
        jsonb_agg(jsonb_build_object('no', s.no,
        'due_on', s.due_on, 'principal', s.principal::numeric(14, 2), 'interest', s.interest::numeric(14, 2), 'fee',
        s.fee::numeric(14, 2), 'total', (s.principal + s.interest + s.fee)::numeric(14, 2)) order by s.no))
    from private.credit_schedule(p_amount, p_terms) s);
end;
$$;

comment on function private.schedule_json(numeric, jsonb) is 'A schedule with its sums, as quote_credit shows it.';

create function public.quote_credit(p_amount numeric, p_terms jsonb, p_date date) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_terms jsonb;
begin
  perform private.caller();
  if p_date is null or not isfinite(p_date) then
    perform private.fail(400, 'invalid_input', 'p_date is the date of the agreement.', '{"field": "p_date"}');
  end if;
  v_terms := private.check_terms(p_terms, p_date);
  if p_amount is null or not p_amount between 0.01 and 1e11 or p_amount <> round(p_amount, 2)
    or p_amount <= (v_terms ->> 'deposit')::numeric then
    perform private.fail(400, 'invalid_input', 'p_amount must be above the deposit, with 2 decimals at most.',
      '{"field": "p_amount"}');
  end if;
  return private.schedule_json(p_amount - (v_terms ->> 'deposit')::numeric, v_terms);
end;
$$;

comment on function public.quote_credit(numeric, jsonb, date) is
'What instalments would come to; writes nothing, concerns no organisation. p_amount: the price, in any currency, of
which the deposit is paid at once. p_terms: as open_credit_sale takes them. p_date: the day it would begin. Returns
{"financed", "terms", "interest", "fees", "total", "schedule": [{"no", "due_on", "principal", "interest", "fee",
"total"}]}. Errors: 400 invalid_input, 401. Permission: none, whoever is signed in.';
revoke execute on function public.quote_credit(numeric, jsonb, date) from public, anon;
grant execute on function public.quote_credit(numeric, jsonb, date) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('credit_agreement', 'new', 'active', 'credit.sell'),
  ('credit_agreement', 'active', 'defaulted', null),
  ('credit_agreement', 'active', 'completed', 'payment.record'),
  ('credit_agreement', 'active', 'rescheduled', 'credit.override'),
  ('credit_agreement', 'defaulted', 'active', 'payment.record'),
  ('credit_agreement', 'defaulted', 'completed', 'payment.record'),
  ('credit_agreement', 'defaulted', 'rescheduled', 'credit.override'),
  ('credit_agreement', 'completed', 'active', 'payment.reverse'),
  ('credit_agreement', 'completed', 'defaulted', 'payment.reverse'),
  ('instalment', 'new', 'pending', 'credit.sell'),
  ('instalment', 'pending', 'overdue', null),
  ('instalment', 'pending', 'paid', 'payment.record'),
  ('instalment', 'pending', 'closed', 'credit.override'),
  ('instalment', 'overdue', 'paid', 'payment.record'),
  ('instalment', 'overdue', 'closed', 'credit.override'),
  ('instalment', 'paid', 'pending', 'payment.reverse'),
  ('instalment', 'paid', 'overdue', 'payment.reverse'),
  ('instalment', 'paid', 'closed', 'credit.override');

create trigger t40_enforce_lifecycle before insert or update or delete on public.credit_agreements
  for each row execute function private.enforce_lifecycle('credit_agreement', 'status');
create trigger t40_enforce_lifecycle before insert or update or delete on public.instalments
  for each row execute function private.enforce_lifecycle('instalment', 'status', 'principal', 'interest', 'fee',
    'late_fee',
    'principal_paid', 'interest_paid', 'fee_paid', 'late_fee_paid', 'late_fee_on', 'total', 'paid', 'outstanding');
create trigger t10_refuse_change before update or delete on public.credit_charges for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.credit_settlements for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.credit_reminders for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.credit_agreements for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.instalments for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.credit_charges for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.credit_settlements for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.credit_reminders for each statement
  execute function audit.refuse_change();
select audit.attach('public.credit_agreements');
select audit.attach('public.instalments');
select audit.attach('public.credit_charges');
select audit.attach('public.credit_settlements');
select audit.attach('public.credit_reminders', 'agreement_id', 'no', 'kind');

-- Policies ----------------------------------------------------------------------------------------

alter table public.credit_agreements enable row level security;
create policy "Who holds invoice.read reads agreements of his branches" on public.credit_agreements for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.instalments enable row level security;
create policy "Who holds invoice.read reads instalments of his branches" on public.instalments for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.credit_charges enable row level security;
create policy "Who holds invoice.read reads charges of his branches" on public.credit_charges for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.credit_settlements enable row level security;
create policy "Who holds invoice.read reads settlements of his branches" on public.credit_settlements for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.credit_reminders enable row level security;
create policy "Who holds invoice.read reads reminders of his branches" on public.credit_reminders for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.credit_agreements, public.instalments, public.credit_charges, public.credit_settlements,
  public.credit_reminders to authenticated;

create function private.agreements_paid(p_org_id uuid, p_payment_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'number', a.number, 'instalments', p.list, 'amount',
      p.amount,
      'status', a.status, 'as_of', private.credit_today(a.org_id, a.branch_id), 'outstanding', i.outstanding,
        'next_due', i.next_due)
      order by a.opened_on, a.number), '[]')
    from (
      select e.agreement_id, jsonb_agg(e.no order by e.no) as list, sum(e.amount) as amount
      from (
        select s.agreement_id, s.no, sum(s.amount) as amount from public.credit_settlements s
        where s.org_id = p_org_id and s.payment_id = p_payment_id group by 1, 2 having sum(s.amount) <> 0) e
      group by 1) p
    join public.credit_agreements a on a.org_id = p_org_id and a.id = p.agreement_id
    cross join lateral (
      select sum(t.outstanding) as outstanding, (array_agg(jsonb_build_object('due_on', t.due_on, 'amount',
        t.outstanding) order by t.no)
        filter (where t.outstanding > 0))[1] as next_due
      from public.instalments t where t.org_id = a.org_id and t.agreement_id = a.id) i);
end;
$$;

comment on function private.agreements_paid(uuid, uuid) is
'Which instalments of which agreements a payment settles now, wholly or in part, and where those stand today: [{"id",
"number", "instalments": [no], "amount" (principal, interest and fees together), "status", "as_of" (the branch''s date),
"outstanding", "next_due": {"due_on", "amount"} or null}]. No errors.';
