-- Loyalty: points as a ledger of lots, earned on paid invoices, redeemed as a payment, never below zero.

select private.add_permissions('[
  {"code": "loyalty.manage", "description": "Set the rules of loyalty points and correct balances", "roles": []}
]');

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
'What points are worth. point_value: of one point when it pays, in the organisation''s currency; minimum_points: as many
are redeemed at least at once; max_share_percent: of an invoice''s total that points may pay; expiry_months: after which
points that were got from now on expire, null for never. archived_at: nothing is earned or redeemed any more.';

create table public.loyalty_rules (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null check (length(btrim(name)) between 1 and 120),
  points_per_unit numeric(10, 4) not null check (points_per_unit between 0 and 100000),
  category_id uuid,
  customer_group_id uuid,
  priority integer not null default 0 check (priority between -1000 and 1000),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  foreign key (org_id, category_id) references public.categories (org_id, id),
  foreign key (org_id, customer_group_id) references public.customer_groups (org_id, id)
);

comment on table public.loyalty_rules is
'What earns points. points_per_unit: for each unit of currency paid in money, tax included; category_id: on products of
it and all beneath it, null for all; customer_group_id: for this group only, null for everybody. Of the rules that fit a
line the highest priority counts, then the one that gives most. An invoice earns whole points, rounded down once.';

create table public.loyalty_entries (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  customer_id uuid not null,
  kind text not null check (kind in ('earn', 'redeem', 'return', 'reverse', 'expire', 'adjust')),
  points bigint not null check (points <> 0 or kind in ('return', 'adjust')),
  no bigint not null generated always as identity,
  balance bigint not null check (balance >= 0),
  lot_id uuid,
  expires_at timestamptz,
  invoice_id uuid,
  amount numeric(14, 2) check (amount >= 0),
  basis numeric(22, 6) check (basis > 0),
  reason text check (length(reason) <= 500),
  created_at timestamptz not null default now(),
  created_by uuid,
  request_id text default private.request_id(),
  primary key (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  foreign key (org_id, lot_id) references public.loyalty_entries (org_id, id),
  foreign key (org_id, invoice_id) references public.invoices (org_id, id),
  constraint lots_are_filled_by_what_is_got check ((points >= 0) = (lot_id is null)),
  constraint lots_expire check (points > 0 or expires_at is null),
  constraint sign_of_its_kind check (case when kind = 'return' then points >= 0 when kind = 'earn' then points > 0
    when kind in ('redeem', 'reverse', 'expire') then points < 0 else true end)
);

comment on table public.loyalty_entries is
'Points, append-only. What is got (points above 0) is a lot of its own; what is spent names in lot_id the lot it comes
from, first expiring first, so a lot and what names it never sum below 0. kind: earn (on an invoice that is paid),
redeem (paid with), return (of what was redeemed on goods that came back; 0 where an amount is worth no whole point
yet), reverse (of what was earned), expire, adjust (by hand, with a reason; 0 when the customer was merged with
another). no: in which order they were written, whatever the clock said. balance: what the customer could redeem after
it. expires_at: of a lot. amount: what redeemed or returned points paid, in the organisation''s currency. basis: what
the whole invoice would earn if money paid all of it. created_by: null for the job.';

create table private.points_owed (
  org_id uuid not null,
  invoice_id uuid not null,
  customer_id uuid not null,
  points bigint not null check (points > 0),
  primary key (org_id, invoice_id),
  foreign key (org_id, invoice_id) references public.invoices (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id)
);

comment on table private.points_owed is
'Points that an invoice earned and does not deserve any more, because goods came back or a payment bounced, and that the
customer had spent already. They are taken out of the next that he earns or gets back; no row: nothing is owed.';

alter table private.points_owed enable row level security;

insert into public.payment_methods (code, name, gives_change, is_money) values ('points', 'Points', false, false);

-- Indexes -----------------------------------------------------------------------------------------

create index on public.loyalty_rules (org_id, priority desc, id desc);
create index on public.loyalty_rules (category_id, org_id) where category_id is not null;
create index on public.loyalty_rules (customer_group_id, org_id) where customer_group_id is not null;
create index on public.loyalty_entries (customer_id, org_id, created_at);
create index on public.loyalty_entries (customer_id, org_id, expires_at) where expires_at is not null;
create index on public.loyalty_entries (lot_id, org_id) where lot_id is not null;
create index on public.loyalty_entries (invoice_id, org_id) where invoice_id is not null;
create index on private.points_owed (customer_id, org_id);

-- Giving and owing --------------------------------------------------------------------------------

create function private.owe_points(p_org_id uuid, p_customer_id uuid, p_invoice_id uuid, p_points bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_points > 0 then
    insert into private.points_owed (org_id, invoice_id, customer_id, points)
    values (p_org_id, p_invoice_id, p_customer_id, p_points)
    on conflict (org_id, invoice_id) do update set points = excluded.points;
  else
    delete from private.points_owed where org_id = p_org_id and invoice_id = p_invoice_id;
  end if;
end;
$$;

comment on function private.owe_points(uuid, uuid, uuid, bigint) is
'Notes how many points the customer owes on an invoice, whose lock or the customer''s the caller holds; 0: none. No
errors.';

create function private.collect_points(p_org_id uuid, p_customer_id uuid, p_points bigint) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_left bigint := p_points;
  v_taken bigint;
  v_owed record;
begin
  for v_owed in
    select * from private.points_owed o where o.org_id = p_org_id and o.customer_id = p_customer_id
      order by o.invoice_id
  loop
    v_taken := private.take_points(p_org_id, p_customer_id, least(v_left, v_owed.points), 'reverse', v_owed.invoice_id,
      null, null);
    v_left := v_left - v_taken;
    perform private.owe_points(p_org_id, p_customer_id, v_owed.invoice_id, v_owed.points - v_taken);
    exit when v_left = 0;
  end loop;
end;
$$;

comment on function private.collect_points(uuid, uuid, bigint) is
'Takes what a customer owes out of his points, at most p_points: as many as he just got. The caller holds the
customer''s lock. No errors.';

create function private.give_points(p_org_id uuid, p_customer_id uuid, p_points bigint, p_kind text, p_invoice_id uuid,
  p_amount numeric,
  p_basis numeric, p_reason text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.lock_customer(p_org_id, p_customer_id);
  perform private.note_points(p_org_id, p_customer_id, p_kind, p_points, null, (
      select now() + make_interval(months => p.expiry_months) from public.loyalty_programs p
      where p.org_id = p_org_id and p_points > 0),
    p_invoice_id, p_amount, p_basis, p_reason);
  if p_points > 0 and p_kind in ('earn', 'return') then
    perform private.collect_points(p_org_id, p_customer_id, p_points);
  end if;
end;
$$;

comment on function private.give_points(uuid, uuid, bigint, text, uuid, numeric, numeric, text) is
'A new lot of points, which expires as the program says now. Out of what is earned or comes back the customer first
pays the points that he owes; what is given by hand is a gift. Locks the customer; an act that takes a number has done
so before that (private.lock_earner). No errors.';

-- Earning -----------------------------------------------------------------------------------------

create function private.points_for(p_org_id uuid, p_invoice_id uuid, p_customer_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
declare
  v_group_id uuid := (
    select private.live_group(p_org_id, c.customer_group_id) from public.customers c
    where c.org_id = p_org_id and c.id = p_customer_id);
begin
  return (
    select coalesce(sum(l.total * (
      select r.points_per_unit from public.loyalty_rules r
      where r.org_id = p_org_id and r.archived_at is null
        and (r.customer_group_id is null or r.customer_group_id = v_group_id)
        and (r.category_id is null or r.category_id = any (k.path))
      order by r.priority desc, r.points_per_unit desc limit 1)), 0)
    from public.invoice_lines l
    cross join lateral (
      select t.product_id from public.product_variants t where t.org_id = l.org_id and t.id = l.variant_id limit 1) v
    cross join lateral (
      select t.category_id from public.products t where t.org_id = l.org_id and t.id = v.product_id limit 1) p
    left join lateral (
      select t.path from private.category_paths t where t.org_id = l.org_id and t.category_id = p.category_id
        limit 1) k on true
    where l.org_id = p_org_id and l.invoice_id = p_invoice_id);
end;
$$;

comment on function private.points_for(uuid, uuid, uuid) is
'What an invoice of a customer would earn by the rules of now if money paid all of it: on its lines with tax, not
rounded. No errors.';

create function private.settle_points(p_org_id uuid, p_invoice_id uuid, p_new boolean default false) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_invoice record;
  v_active boolean;
  v_earned bigint;
  v_basis numeric;
  v_by_points numeric;
  v_credited numeric := 0;
  v_due bigint := 0;
  v_taken bigint := 0;
begin
  select p.archived_at is null into v_active from public.loyalty_programs p where p.org_id = p_org_id;
  if v_active is null then
    return;
  end if;
  select customer_id, total, status into v_invoice from public.invoices where org_id = p_org_id and id = p_invoice_id;
  if v_invoice.customer_id is null or v_invoice.total = 0 then
    return;
  end if;
  select coalesce(sum(e.points) filter (where e.kind in ('earn', 'reverse')), 0), max(e.basis),
    coalesce(sum(case e.kind when 'redeem' then e.amount when 'return' then -e.amount end), 0)
  into v_earned, v_basis, v_by_points
  from public.loyalty_entries e where e.org_id = p_org_id and e.invoice_id = p_invoice_id;
  if v_invoice.status = 'paid' then
    if not p_new then
      select coalesce(sum(c.total), 0) into v_credited
      from public.credit_notes c where c.org_id = p_org_id and c.invoice_id = p_invoice_id;
    end if;
    v_basis := coalesce(v_basis, case when v_active then private.points_for(p_org_id, p_invoice_id,
      v_invoice.customer_id) end, 0);
    v_due := floor(v_basis * greatest(v_invoice.total - v_credited - v_by_points, 0) / v_invoice.total);
  end if;
  if v_due < v_earned then
    perform private.lock_customer(p_org_id, v_invoice.customer_id);
    v_taken := private.take_points(p_org_id, v_invoice.customer_id, v_earned - v_due, 'reverse', p_invoice_id, null,
      null);
  end if;
  if not p_new then
    perform private.owe_points(p_org_id, v_invoice.customer_id, p_invoice_id, v_earned - v_due - v_taken);
  end if;
  if v_due > v_earned then
    perform private.give_points(p_org_id, v_invoice.customer_id, v_due - v_earned, 'earn', p_invoice_id, null, v_basis,
      null);
  end if;
end;
$$;

comment on function private.settle_points(uuid, uuid, boolean) is
'Brings the points that an invoice earned to what it deserves now: when it is paid, those of what money paid of it and
was not credited; none when it is not paid. Idempotent. What is to be taken back and was spent already is owed
(private.points_owed), and counts as earned if the invoice is paid again. p_new: it was written just now, so that
nothing was earned or credited by it. The caller holds the invoice''s lock. No errors.';

-- Housekeeping ------------------------------------------------------------------------------------

create function private.expire_points(p_org_id uuid) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_customer record;
  v_lot record;
  v_count integer := 0;
begin
  for v_customer in
    select h.org_id, h.customer_id from private.points_held h
    where h.org_id = p_org_id and h.expires_at <= now() group by 1, 2 order by 1, 2
  loop
    -- Whom somebody works on comes next time: the job waits for nobody.
    perform from public.customers c
    where c.org_id = v_customer.org_id and c.id = v_customer.customer_id for no key update skip locked;
    continue when not found;
    for v_lot in
      select h.lot_id, h.points from private.points_held h
      where h.org_id = v_customer.org_id and h.customer_id = v_customer.customer_id and h.expires_at <= now()
      order by h.no
    loop
      perform private.note_points(v_customer.org_id, v_customer.customer_id, 'expire', -v_lot.points, v_lot.lot_id);
      v_count := v_count + 1;
    end loop;
  end loop;
  return v_count;
end;
$$;

comment on function private.expire_points(uuid) is
'The nightly job: writes off what is left of an organisation''s lots that have expired; returns how many lots. They
cannot be redeemed from the moment they expire. A customer on whom somebody works is left for the next run. Idempotent;
of two runs at once each passes by what the other works on. No errors.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t90_touch_updated_at before update on public.loyalty_programs for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.loyalty_rules for each row
  execute function private.touch_updated_at();
create trigger t10_refuse_change before update or delete on public.loyalty_entries for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.loyalty_entries for each statement
  execute function audit.refuse_change();
select audit.attach('public.loyalty_programs', 'org_id');
select audit.attach('public.loyalty_rules');

insert into private.schedules (name, cron, routine, organizations, purpose) values
  ('expired-points', '17 1 * * *', 'private.expire_points',
  'select h.org_id from private.points_held h where h.expires_at <= now()',
  'Writes off the points that have expired');

select private.react('invoice_paid', 10, 'settle_points');
select private.react('invoice_unpaid', 10, 'settle_points');
