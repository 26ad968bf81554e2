-- Payments after the sale: what settles which invoice, what is left of it, what was taken back and what was paid out
-- again.

select private.add_document_kind('receipt', 'receipts', 'R');

-- Tables ------------------------------------------------------------------------------------------

create table public.payment_reversals (
  org_id uuid not null,
  id uuid not null,
  payment_id uuid not null,
  branch_id uuid not null,
  reason text not null check (length(btrim(reason)) between 1 and 500),
  business_date date not null,
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, id),
  unique (payment_id, org_id),
  foreign key (org_id, payment_id) references public.payments (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id)
);

comment on table public.payment_reversals is
'Payments that did not stand, such as a bounced cheque, and why. What they had settled is open again; they count for
nothing.';

create table public.refunds (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  customer_id uuid,
  number text not null check (length(number) <= 16),
  method text not null references public.payment_methods (code),
  amount numeric(14, 2) not null check (amount > 0),
  reference text check (length(reference) <= 100),
  note text check (length(note) <= 2000),
  refunded_at timestamptz not null,
  business_date date not null,
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  unique (branch_id, org_id, number),
  unique (id, org_id, branch_id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id)
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.refunds (org_id, refunded_at desc, id desc);
alter table public.refunds add primary key (org_id, id);

comment on table public.refunds is
'Money that was paid back, out of payments that settle nothing and out of credit notes. number: of the refund voucher
(CGST Act 2017, section 31(3)(e)).';

create table public.refund_sources (
  org_id uuid not null,
  refund_id uuid not null,
  entry integer not null check (entry > 0),
  branch_id uuid not null,
  payment_id uuid,
  credit_note_id uuid,
  amount numeric(14, 2) not null check (amount > 0),
  primary key (org_id, refund_id, entry),
  foreign key (org_id, refund_id, branch_id) references public.refunds (org_id, id, branch_id),
  foreign key (org_id, payment_id) references public.payments (org_id, id),
  check (num_nonnulls(payment_id, credit_note_id) = 1)
);

comment on table public.refund_sources
  is 'What a refund was paid out of: payments or credit notes, and how much of each.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.payment_reversals (branch_id, created_at desc);
create index on public.refunds (branch_id, refunded_at desc);
create index on public.refunds (customer_id, business_date) where customer_id is not null;
-- Not led by org_id, as the key is: of two indexes that begin alike a kept plan may take the wrong one.
create index on public.refund_sources (payment_id) where payment_id is not null;
create index on public.refund_sources (credit_note_id) where credit_note_id is not null;

-- Input -------------------------------------------------------------------------------------------

create function private.only_branch(p_org_id uuid) returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select min(b.id::text)::uuid from public.branches b
    where b.org_id = p_org_id and b.archived_at is null and b.id in (select private.member_branches())
    having count(*) = 1);
end;
$$;

comment on function private.only_branch(uuid)
  is 'The caller''s branch, where he has exactly one in the organisation; else null.';

select private.declare_shape('allocations',
  '{"invoice_id": "uuid!*", "amount": "money!"}',
  array['record_payment.p_allocations', 'allocate_payment.p_allocations', 'release_payment.p_allocations',
    'apply_credit_note.p_allocations'], '{0, 2000}');

create function private.read_allocations(p_allocations jsonb) returns table (invoice_id uuid, amount numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  perform private.check_shape('allocations', p_allocations, 'p_allocations');
  return query
  select (a.part ->> 'invoice_id')::uuid, (a.part ->> 'amount')::numeric
    from jsonb_array_elements(p_allocations) a (part);
end;
$$;

comment on function private.read_allocations(jsonb) is
'p_allocations: [{"invoice_id", "amount"}], each invoice once, at most 2000. Errors: 400 invalid_input.';

create function private.first_invoice(p_org_id uuid, p_customer_id uuid, p_allocations jsonb) returns public.invoices
language plpgsql stable
set search_path = ''
as $$
declare
  v_invoice public.invoices;
  v_named text := p_allocations -> 0 ->> 'invoice_id';
begin
  if private.is_uuid(v_named) then
    select i.* into v_invoice from private.org_of('public.invoices', v_named::uuid) o (id)
    cross join lateral (select * from public.invoices t where t.org_id = o.id and t.id = v_named::uuid limit 1) i
    where p_org_id is null or o.id = p_org_id;
  elsif p_allocations is null and p_customer_id is not null then
    select * into v_invoice from public.invoices
    where org_id = p_org_id and customer_id = p_customer_id and balance > 0
      and branch_id in (select private.branches_with('payment.record'))
    order by coalesce(due_date, business_date), issued_at, id limit 1;
  end if;
  return v_invoice;
end;
$$;

comment on function private.first_invoice(uuid, uuid, jsonb) is
'The invoice that a payment goes to first: the first one named, in p_org_id or, where that is null, in any organisation
of the caller''s; else the customer''s oldest due. Null when there is none.';

-- Allocation --------------------------------------------------------------------------------------

create type private.planned as (
  invoice_id uuid,
  amount numeric,
  due numeric
);

comment on type private.planned is
'An invoice that a payment or a credit note may settle. amount: as asked, null for as much as there is; due: its
balance.';

create function private.plan_allocations(p_org_id uuid, p_customer_id uuid, p_allocations jsonb)
  returns setof private.planned
language plpgsql
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_bad record;
begin
  -- Locked in the order of their ids, as everybody locks invoices, and read again beneath the lock.
  if p_allocations is null then
    v_ids := array(
      select i.id from public.invoices i
      where i.org_id = p_org_id and i.customer_id = p_customer_id and i.balance > 0
        and i.branch_id in (select private.branches_with('payment.record')));
    perform from public.invoices i where i.org_id = p_org_id and i.id = any (v_ids) order by i.id for no key update;
    return query
    select i.id, null::numeric, i.balance from public.invoices i
    where i.org_id = p_org_id and i.id = any (v_ids) and i.balance > 0
    order by coalesce(i.due_date, i.business_date), i.issued_at, i.id;
    return;
  end if;
  v_ids := array(select a.invoice_id from private.read_allocations(p_allocations) a);
  perform from public.invoices i where i.org_id = p_org_id and i.id = any (v_ids) order by i.id for no key update;
  select a.invoice_id, i.id, i.number into v_bad
  from private.read_allocations(p_allocations) a
  left join lateral (
    select * from public.invoices t where t.org_id = p_org_id and t.id = a.invoice_id
      and t.branch_id in (select private.branches_with('payment.record')) limit 1) i on true
  where i.id is null or i.customer_id is distinct from p_customer_id limit 1;
  if v_bad.id is not null then
    perform private.fail(422, 'customer_mismatch', format('Invoice %s is another customer''s.', v_bad.number),
      jsonb_build_object('invoice_id', v_bad.invoice_id));
  elsif v_bad.invoice_id is not null then
    perform private.fail(404, 'not_found', 'There is no such invoice.',
      jsonb_build_object('field', 'p_allocations', 'invoice_id', v_bad.invoice_id));
  end if;
  return query
  select a.invoice_id, a.amount, i.balance
  from private.read_allocations(p_allocations) a
  cross join lateral (select * from public.invoices t where t.org_id = p_org_id and t.id = a.invoice_id limit 1) i;
end;
$$;

comment on function private.plan_allocations(uuid, uuid, jsonb) is
'Locks the invoices that a customer''s payment or credit may settle and returns them in the order in which it does:
those named with their amounts, or, for p_allocations null, all open ones, oldest due first, amount null. due: their
balance. Only invoices of branches where the caller holds payment.record. Errors: 400 invalid_input, 404 not_found, 422
customer_mismatch.';

create function private.spread(p_org_id uuid, p_amount numeric, p_plan private.planned[], p_is_credit boolean)
returns table (invoice_id uuid, amount numeric, charges numeric)
language plpgsql
set search_path = ''
as $$
declare
  v_left numeric := p_amount;
  v_step record;
  v_agreement_id uuid;
begin
  for v_step in select * from unnest(p_plan) loop
    invoice_id := v_step.invoice_id;
    charges := 0;
    v_agreement_id := case when not p_is_credit then private.agreement_on(p_org_id, invoice_id) end;
    if v_agreement_id is null then
      amount := coalesce(v_step.amount, least(v_left, v_step.due));
    else
      select s.principal, s.charges into amount, charges
      from private.split_payment(p_org_id, v_agreement_id, v_left, v_step.amount) s;
    end if;
    if amount + charges > v_left then
      perform private.fail(422, 'allocation_exceeds_payment', 'More is allocated than there is left.',
        jsonb_build_object('left', v_left, 'invoice_id', invoice_id, 'asked', amount + charges));
    end if;
    exit when amount + charges = 0;
    if p_is_credit then
      perform private.settle_invoice(p_org_id, invoice_id, 0, amount);
    elsif amount > 0 then
      perform private.settle_invoice(p_org_id, invoice_id, amount, 0);
    end if;
    v_left := v_left - amount - charges;
    return next;
  end loop;
end;
$$;

comment on function private.spread(uuid, numeric, private.planned[], boolean) is
'Settles invoices with an amount of a payment, or of a credit note for p_is_credit, and returns how much each took, and
how much of its instalments'' interest and fees (charges); the caller writes the allocations, after the counter
(private.note_part). p_plan: as private.plan_allocations returned it in this transaction. The books come before: this
may lock the customer. Errors: as private.split_payment and private.settle_invoice, 422 allocation_exceeds_payment.';

create function private.note_allocation(p_org_id uuid, p_payment_id uuid, p_invoice_id uuid,
  p_amount numeric) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.payment_allocations (org_id, payment_id, invoice_id, entry, branch_id, amount)
  select p_org_id, p_payment_id, i.id, coalesce((
      select max(a.entry) from public.payment_allocations a
      where a.org_id = p_org_id and a.invoice_id = i.id and a.payment_id = p_payment_id), 0) + 1, i.branch_id, p_amount
  from public.invoices i where i.org_id = p_org_id and i.id = p_invoice_id;
  perform private.hold_money(p_org_id, p_payment_id, null, -p_amount);
end;
$$;

comment on function private.note_allocation(uuid, uuid, uuid, numeric) is
'Writes the entry of what a payment settles of an invoice; the caller holds the locks of both. Errors: as
private.hold_money.';

create function private.allocate(p_org_id uuid, p_payment_id uuid, p_invoice_id uuid, p_amount numeric) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.settle_invoice(p_org_id, p_invoice_id, p_amount, 0);
  perform private.note_allocation(p_org_id, p_payment_id, p_invoice_id, p_amount);
end;
$$;

comment on function private.allocate(uuid, uuid, uuid, numeric) is
'Puts an amount of a payment on an invoice; a negative amount takes it off. The caller has seen under the payment''s
lock that as much is left (private.lock_payment). Errors: as private.settle_invoice.';

create function private.lock_payment(p_org_id uuid, p_payment_id uuid) returns numeric
language plpgsql
set search_path = ''
as $$
begin
  perform from public.payments where org_id = p_org_id and id = p_payment_id for no key update;
  if exists (select from public.payment_reversals where org_id = p_org_id and payment_id = p_payment_id) then
    perform private.fail(409, 'payment_reversed', 'This payment was reversed.',
      jsonb_build_object('payment_id', p_payment_id));
  end if;
  return private.unallocated(p_org_id, p_payment_id);
end;
$$;

comment on function private.lock_payment(uuid, uuid) is
'Locks a payment, after the invoices concerned, and returns how much of it settles nothing yet. Errors: 409
payment_reversed.';

-- Reading one -------------------------------------------------------------------------------------

create function private.payment_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('id', p.id, 'org_id', p.org_id, 'branch_id', p.branch_id, 'customer_id', p.customer_id,
      'order_id', p.order_id, 'number', p.number, 'method', p.method, 'method_name', m.name, 'amount', p.amount,
      'tendered', p.tendered, 'change', p.change, 'currency', o.currency, 'reference', p.reference, 'note', p.note,
      'received_at', p.received_at, 'business_date', p.business_date, 'timezone', b.timezone, 'tax_regime',
        o.tax_regime,
      'seller', private.seller_json(o, b), 'buyer', (
        select private.buyer_json(c) from public.customers c where c.org_id = p.org_id and c.id = p.customer_id),
          'reversed', (
        select jsonb_build_object('id', r.id, 'at', r.created_at, 'reason', r.reason) from public.payment_reversals r
        where r.org_id = p.org_id and r.payment_id = p.id),
      'allocations', (
        select coalesce(jsonb_agg(jsonb_build_object('invoice_id', a.invoice_id, 'invoice_number', a.number, 'amount',
          a.amount)
          order by a.business_date, a.number), '[]')
        from (
          select t.invoice_id, i.number, i.business_date, sum(t.amount) as amount from public.payment_allocations t
          join public.invoices i on i.org_id = t.org_id and i.id = t.invoice_id
          where t.org_id = p.org_id and t.payment_id = p.id group by 1, 2, 3 having sum(t.amount) <> 0) a),
      'refunds', (
        select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'number', f.number, 'method', f.method, 'amount',
          s.amount,
          'refunded_at', f.refunded_at) order by f.refunded_at, f.id), '[]')
        from public.refund_sources s join public.refunds f on f.org_id = s.org_id and f.id = s.refund_id
        where s.org_id = p.org_id and s.payment_id = p.id),
      'charges', private.charges_paid(p.org_id, p.id), 'agreements', private.agreements_paid(p.org_id, p.id),
      'unallocated', private.unallocated(p.org_id, p.id))
    from public.payments p
    join public.payment_methods m on m.code = p.method
    join public.organizations o on o.id = p.org_id
    join public.branches b on b.org_id = p.org_id and b.id = p.branch_id
    where p.org_id = p_org_id and p.id = p_id);
end;
$$;

comment on function private.payment_json(uuid, uuid) is
'A payment as clients and its receipt see it, with seller and buyer as they are now: what it settles now, charges what
of it went to interest and fees of instalments, agreements whose instalments it settles and where those stand today,
what was refunded of it, what is left, and why it was reversed if it was.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on public.payment_reversals
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.payment_reversals for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.refunds for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.refunds for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.refund_sources for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.refund_sources for each statement
  execute function audit.refuse_change();
select audit.attach('public.payment_reversals');
select audit.attach('public.refunds');
select audit.attach('public.refund_sources', 'refund_id', 'entry');

-- Policies ----------------------------------------------------------------------------------------

alter table public.payment_reversals enable row level security;
create policy "Who holds invoice.read reads reversals of his branches" on public.payment_reversals for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.refunds enable row level security;
create policy "Who holds invoice.read reads the refunds of his branches" on public.refunds for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.refund_sources enable row level security;
create policy "Who holds invoice.read reads what refunds were paid out of" on public.refund_sources for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.payment_reversals, public.refunds, public.refund_sources to authenticated;
