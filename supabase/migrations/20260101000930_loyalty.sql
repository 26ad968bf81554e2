-- Loyalty: points as a ledger of lots, earned on paid invoices, redeemed as a payment, never below zero.

-- Tables ------------------------------------------------------------------------------------------

create table public.loyalty_programs (
  org_id uuid primary key references public.organizations (id),
  point_value numeric(14, 4) not null check (point_value between 0.0001 and 1000000),
  minimum_points integer not null default 1 check (minimum_points > 0),
  max_share_percent numeric(5, 2) not null default 100 check (max_share_percent between 0.01 and 100),
  expiry_months integer check (expiry_months between 1 and 240),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

comment on table public.loyalty_programs is
'What points are worth. point_value: of one point when it pays, in the organisation''s currency; minimum_points: as many are redeemed at
least at once; max_share_percent: of an invoice''s total that points may pay; expiry_months: after which points that were got from now on
expire, null for never. archived_at: nothing is earned or redeemed any more.';

create table public.loyalty_rules (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 120),
  points_per_unit numeric(10, 4) not null check (points_per_unit between 0 and 100000),
  category_id uuid,
  customer_group_id uuid,
  priority integer not null default 0 check (priority between -1000 and 1000),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  foreign key (org_id, category_id) references public.categories (org_id, id),
  foreign key (org_id, customer_group_id) references public.customer_groups (org_id, id)
);

comment on table public.loyalty_rules is
'What earns points. points_per_unit: for each unit of currency paid in money, tax included; category_id: on products of it and all beneath
it, null for all; customer_group_id: for this group only, null for everybody. Of the rules that fit a line the highest priority counts,
then the one that gives most. An invoice earns whole points, rounded down once.';

create table public.loyalty_entries (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  customer_id uuid not null,
  kind text not null check (kind in ('earn', 'redeem', 'return', 'reverse', 'expire', 'adjust')),
  points bigint not null check (points <> 0),
  lot_id uuid,
  expires_at timestamptz,
  invoice_id uuid,
  amount numeric(14, 2) check (amount >= 0),
  basis bigint check (basis > 0),
  reason text check (length(reason) <= 500),
  created_at timestamptz not null default now(),
  created_by uuid,
  primary key (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  foreign key (org_id, lot_id) references public.loyalty_entries (org_id, id),
  foreign key (org_id, invoice_id) references public.invoices (org_id, id),
  constraint lots_are_filled_by_what_is_got check ((points > 0) = (lot_id is null)),
  constraint lots_expire check (points > 0 or expires_at is null),
  constraint sign_of_its_kind check (case when kind in ('earn', 'return') then points > 0
    when kind in ('redeem', 'reverse', 'expire') then points < 0 else true end)
);

comment on table public.loyalty_entries is
'Points, append-only. What is got (points above 0) is a lot of its own; what is spent names in lot_id the lot it comes from, first
expiring first, so a lot and what names it never sum below 0. kind: earn (on an invoice that is paid), redeem (paid with), return (of
what was redeemed on goods that came back), reverse (of what was earned), expire, adjust (by hand, with a
reason). expires_at: of a lot. amount: what redeemed or returned points paid, in the organisation''s currency.
basis: what the whole invoice earns. created_by: null for the job.';

insert into public.payment_methods (code, name, gives_change, is_money) values ('points', 'Points', false, false);

-- Indexes -----------------------------------------------------------------------------------------

create index on public.loyalty_rules (category_id, org_id) where category_id is not null;
create index on public.loyalty_rules (customer_group_id, org_id) where customer_group_id is not null;
create index on public.loyalty_entries (customer_id, org_id);
create index on public.loyalty_entries (lot_id, org_id) where lot_id is not null;
create index on public.loyalty_entries (invoice_id, org_id) where invoice_id is not null;
create index on public.loyalty_entries (expires_at) where expires_at is not null;

-- Lots --------------------------------------------------------------------------------------------

create function private.point_lots(p_org_id uuid, p_customer_id uuid)
returns table (lot_id uuid, points bigint, expires_at timestamptz, invoice_id uuid, got_at timestamptz)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select e.lot, e.left_over, l.expires_at, l.invoice_id, l.created_at
  from (
    select coalesce(t.lot_id, t.id) as lot, sum(t.points)::bigint as left_over from public.loyalty_entries t
    where t.org_id = p_org_id and t.customer_id = p_customer_id group by 1 having sum(t.points) > 0) e
  join public.loyalty_entries l on l.org_id = p_org_id and l.id = e.lot;
end;
$$;

comment on function private.point_lots(uuid, uuid) is 'What is left of a customer''s lots of points, the expired ones too. No errors.';

create function private.points_balance(p_org_id uuid, p_customer_id uuid) returns bigint
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(sum(l.points), 0)::bigint from private.point_lots(p_org_id, p_customer_id) l
    where l.expires_at is null or l.expires_at > now());
end;
$$;

comment on function private.points_balance(uuid, uuid) is 'How many points a customer can redeem now. No errors.';

create function private.give_points(p_org_id uuid, p_customer_id uuid, p_points bigint, p_kind text, p_invoice_id uuid, p_amount numeric,
  p_basis bigint, p_reason text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.loyalty_entries (org_id, customer_id, kind, points, expires_at, invoice_id, amount, basis, reason, created_by)
  values (p_org_id, p_customer_id, p_kind, p_points, (
      select now() + make_interval(months => p.expiry_months) from public.loyalty_programs p where p.org_id = p_org_id),
    p_invoice_id, p_amount, p_basis, p_reason, auth.uid());
end;
$$;

comment on function private.give_points(uuid, uuid, bigint, text, uuid, numeric, bigint, text) is
'A new lot of points, which expires as the program says now. Needs no lock: more points break no rule. No errors.';

create function private.take_points(p_org_id uuid, p_customer_id uuid, p_points bigint, p_kind text, p_invoice_id uuid, p_amount numeric,
  p_reason text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_left bigint := p_points;
  v_taken bigint;
  v_amount numeric := 0;
  v_share numeric;
  v_lot record;
begin
  for v_lot in
    select * from private.point_lots(p_org_id, p_customer_id) l
    where l.expires_at is null or l.expires_at > now()
    -- What an invoice gave is taken back from there first; else what expires first goes first.
    order by p_kind = 'reverse' and l.invoice_id is not distinct from p_invoice_id desc, l.expires_at nulls last, l.got_at, l.lot_id
  loop
    exit when v_left = 0;
    v_taken := least(v_left, v_lot.points);
    v_left := v_left - v_taken;
    v_share := round(p_amount * (p_points - v_left) / p_points, 2) - v_amount;
    v_amount := v_amount + v_share;
    insert into public.loyalty_entries (org_id, customer_id, kind, points, lot_id, invoice_id, amount, reason, created_by)
    values (p_org_id, p_customer_id, p_kind, -v_taken, v_lot.lot_id, p_invoice_id, v_share, p_reason, auth.uid());
  end loop;
  return p_points - v_left;
end;
$$;

comment on function private.take_points(uuid, uuid, bigint, text, uuid, numeric, text) is
'Takes points out of a customer''s lots, never more than they hold, and returns how many. p_amount: what they pay, or null. The caller holds the
customer''s lock. No errors.';

create function private.lock_customer(p_org_id uuid, p_customer_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform from public.customers where org_id = p_org_id and id = p_customer_id for no key update;
end;
$$;

comment on function private.lock_customer(uuid, uuid) is
'Locks a customer until the transaction ends: whoever takes points or credit of his waits here. No errors.';

-- Earning -----------------------------------------------------------------------------------------

create function private.points_for(p_org_id uuid, p_invoice public.invoices) returns bigint
language plpgsql stable
set search_path = ''
as $$
declare
  v_group_id uuid := (
    select private.live_group(p_org_id, c.customer_group_id) from public.customers c
    where c.org_id = p_org_id and c.id = p_invoice.customer_id);
  v_points numeric;
  v_redeemed numeric := (
    select coalesce(sum(case e.kind when 'redeem' then e.amount else -e.amount end), 0) from public.loyalty_entries e
    where e.org_id = p_org_id and e.invoice_id = p_invoice.id and e.kind in ('redeem', 'return'));
begin
  if exists (
    select from public.loyalty_rules r where r.org_id = p_org_id and r.archived_at is null and r.category_id is not null) then
    select sum(l.total * (
      select r.points_per_unit from public.loyalty_rules r
      where r.org_id = p_org_id and r.archived_at is null and (r.customer_group_id is null or r.customer_group_id = v_group_id)
        and (r.category_id is null or r.category_id = any (c.path))
      order by r.priority desc, r.points_per_unit desc limit 1))
    into v_points
    from public.invoice_lines l
    cross join lateral (
      select * from public.product_variants t where t.org_id = l.org_id and t.id = l.variant_id limit 1) v
    cross join lateral (
      select private.category_path(p_org_id, t.category_id) as path from public.products t
      where t.org_id = l.org_id and t.id = v.product_id limit 1) c
    where l.org_id = p_org_id and l.invoice_id = p_invoice.id;
  else
    select (p_invoice.subtotal + p_invoice.tax) * r.points_per_unit into v_points from public.loyalty_rules r
    where r.org_id = p_org_id and r.archived_at is null and (r.customer_group_id is null or r.customer_group_id = v_group_id)
    order by r.priority desc, r.points_per_unit desc limit 1;
  end if;
  return floor(coalesce(v_points, 0) * (p_invoice.total - v_redeemed) / p_invoice.total);
end;
$$;

comment on function private.points_for(uuid, public.invoices) is
'What a paid invoice of a customer earns by the rules of now: on its lines with tax, in the share of the total that money pays. No errors.';

create function private.settle_points(p_org_id uuid, p_invoice_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_invoice public.invoices;
  v_active boolean;
  v_earned bigint;
  v_basis bigint;
  v_due bigint := 0;
begin
  select p.archived_at is null into v_active from public.loyalty_programs p where p.org_id = p_org_id;
  if v_active is null then
    return;
  end if;
  select * into v_invoice from public.invoices where org_id = p_org_id and id = p_invoice_id;
  if v_invoice.customer_id is null or v_invoice.total = 0 then
    return;
  end if;
  select coalesce(sum(e.points), 0), max(e.basis) into v_earned, v_basis from public.loyalty_entries e
  where e.org_id = p_org_id and e.invoice_id = p_invoice_id and e.kind in ('earn', 'reverse');
  if v_invoice.status = 'paid' then
    v_basis := coalesce(v_basis, case when v_active then private.points_for(p_org_id, v_invoice) end, 0);
    v_due := floor(v_basis * (v_invoice.total - (
      select coalesce(sum(c.total), 0) from public.credit_notes c where c.org_id = p_org_id and c.invoice_id = p_invoice_id))
      / v_invoice.total);
  end if;
  if v_due > v_earned then
    perform private.give_points(p_org_id, v_invoice.customer_id, v_due - v_earned, 'earn', p_invoice_id, null, v_basis, null);
  elsif v_due < v_earned then
    perform private.lock_customer(p_org_id, v_invoice.customer_id);
    perform private.take_points(p_org_id, v_invoice.customer_id, v_earned - v_due, 'reverse', p_invoice_id, null, null);
  end if;
end;
$$;

comment on function private.settle_points(uuid, uuid) is
'Brings the points that an invoice earned to what it deserves now: all when it is paid, in proportion less what was credited, none when it is
not paid. Idempotent. What is to be taken back and was spent already is not taken; it counts as earned if the invoice is paid again.
The caller holds the invoice''s lock. No errors.';

-- Redeeming ---------------------------------------------------------------------------------------

create function private.check_points(p_org_id uuid, p_customer_id uuid, p_amount numeric, p_total numeric, p_before numeric)
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
    perform private.fail(422, 'payment_needs_a_customer', 'Only a customer who is named pays with points.', '{"method": "points"}');
  end if;
  select * into v_program from public.loyalty_programs where org_id = p_org_id and archived_at is null;
  v_most := greatest(coalesce(trunc(p_total * v_program.max_share_percent / 100, 2), 0) - p_before, 0);
  v_points := ceil(p_amount / v_program.point_value);
  if p_amount > v_most or v_points < v_program.minimum_points then
    perform private.fail(422, 'points_limit', 'Points pay neither so much of one invoice nor so little.',
      jsonb_build_object('asked', p_amount, 'max_amount', v_most, 'minimum_points', v_program.minimum_points, 'points', v_points));
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
'How many points pay p_amount of an invoice of p_total (both in the organisation''s currency), rounded up to whole ones. p_before: what points
paid of it already. Locks the customer. Errors: 422 payment_needs_a_customer, points_limit, points_insufficient.';

create function private.return_points(p_org_id uuid, p_invoice_id uuid, p_amount numeric) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_paid record;
  v_points bigint;
begin
  select min(e.customer_id::text)::uuid as customer_id, coalesce(-sum(e.points) filter (where e.kind = 'redeem'), 0) as points,
    sum(e.amount) filter (where e.kind = 'redeem') as amount, coalesce(sum(e.points) filter (where e.kind = 'return'), 0) as returned,
    coalesce(sum(e.amount) filter (where e.kind = 'return'), 0) as returned_amount
  into v_paid from public.loyalty_entries e
  where e.org_id = p_org_id and e.invoice_id = p_invoice_id and e.kind in ('redeem', 'return');
  v_points := round(v_paid.points * least(v_paid.returned_amount + p_amount, v_paid.amount) / v_paid.amount) - v_paid.returned;
  if v_points > 0 then
    perform private.give_points(p_org_id, v_paid.customer_id, v_points, 'return', p_invoice_id, p_amount, null, null);
  end if;
end;
$$;

comment on function private.return_points(uuid, uuid, numeric) is
'Gives back the points that paid p_amount of an invoice: all of them when all of the amount comes back. The caller holds the invoice''s lock. No errors.';

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
        select sum(c.total) from public.credit_notes c where c.org_id = p_org_id and c.invoice_id = v_note.invoice_id), i.total)
        / i.total, 2) - coalesce(sum(e.amount) filter (where e.kind = 'return'), 0))
    into v_back
    from public.loyalty_entries e join public.invoices i on i.org_id = e.org_id and i.id = e.invoice_id
    where e.org_id = p_org_id and e.invoice_id = v_note.invoice_id and e.kind in ('redeem', 'return') and i.total > 0
    group by i.total;
    if v_back > 0 then
      perform private.pay_back(p_org_id, gen_random_uuid(), v_note.branch_id, v_note.customer_id, 'points',
        jsonb_build_array(jsonb_build_object('payment_id', null, 'credit_note_id', p_credit_note_id, 'amount', v_back)), null, null,
        v_note.issued_at);
    end if;
  end if;
  perform private.settle_points(p_org_id, v_note.invoice_id);
end;
$$;

comment on function private.credit_points(uuid, uuid) is
'What a credit note means for points: of those that paid the invoice the same share goes back, out of what the invoice''s balance leaves of the credit,
and of those it earned the same share is taken back. Errors: as private.pay_back.';

create function private.unpay_points(p_org_id uuid, p_payment_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.return_points(p_org_id, (
      select a.invoice_id from public.payment_allocations a where a.org_id = p_org_id and a.payment_id = p_payment_id limit 1), p.amount)
  from public.payments p where p.org_id = p_org_id and p.id = p_payment_id and p.method = 'points';
end;
$$;

comment on function private.unpay_points(uuid, uuid) is
'Gives the points back that a reversed payment was made with; nothing for other payments. No errors.';

-- Housekeeping ------------------------------------------------------------------------------------

create function private.expire_points() returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_customer record;
  v_count integer := 0;
begin
  for v_customer in
    select distinct e.org_id, e.customer_id from public.loyalty_entries e
    where e.expires_at <= now() and e.points + coalesce((
      select sum(t.points) from public.loyalty_entries t where t.org_id = e.org_id and t.lot_id = e.id), 0) > 0
  loop
    -- Whom somebody works on comes next time: the job waits for nobody.
    perform from public.customers c where c.org_id = v_customer.org_id and c.id = v_customer.customer_id for no key update skip locked;
    continue when not found;
    with expired as (
      insert into public.loyalty_entries (org_id, customer_id, kind, points, lot_id)
      select v_customer.org_id, v_customer.customer_id, 'expire', -l.points, l.lot_id
      from private.point_lots(v_customer.org_id, v_customer.customer_id) l where l.expires_at <= now()
      returning points
    )
    select v_count + count(*) into v_count from expired;
  end loop;
  return v_count;
end;
$$;

comment on function private.expire_points() is
'The nightly job: writes off what is left of lots that have expired, in all organisations; returns how many lots. They cannot be redeemed from the moment
they expire. Idempotent, also when it runs twice at once. No errors.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger touch before update on public.loyalty_programs for each row execute function private.touch_updated_at();
create trigger touch before update on public.loyalty_rules for each row execute function private.touch_updated_at();
create trigger append_only before update or delete on public.loyalty_entries for each row execute function audit.refuse_change();
create trigger keep_all before truncate on public.loyalty_entries for each statement execute function audit.refuse_change();
select audit.attach('public.loyalty_programs', 'org_id');
select audit.attach('public.loyalty_rules');

-- Where the host offers pg_cron, points expire every night.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron;
    perform cron.schedule('expired-points', '17 1 * * *', 'select private.expire_points()');
  end if;
end;
$$;
