-- What is left of points: of each lot, and of each customer in all, kept beside the entries that it follows from.

-- Tables ------------------------------------------------------------------------------------------

create table private.points_held (
  org_id uuid not null,
  lot_id uuid not null,
  no bigint not null,
  customer_id uuid not null,
  points bigint not null check (points >= 0),
  expires_at timestamptz,
  primary key (org_id, lot_id),
  foreign key (org_id, lot_id) references public.loyalty_entries (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id)
);

comment on table private.points_held is
'What is left of a lot of points, also of one that has expired and was not written off yet; no row: nothing. Changed by
private.note_points alone, beneath the customer''s lock. no, customer_id, expires_at: the lot''s.';

create table private.points_balances (
  org_id uuid not null,
  customer_id uuid not null,
  points bigint not null check (points >= 0),
  primary key (org_id, customer_id),
  foreign key (org_id, customer_id) references public.customers (org_id, id)
);

comment on table private.points_balances is
'The sum of a customer''s points, so that what he has is read without his lots, which are as many as his purchases
where nothing expires and he never redeems. Changed by private.note_points, and by private.merge_points when he is
merged with another, beneath his lock.';

-- In the order in which points are taken.
create index on private.points_held (customer_id, org_id, expires_at, no);
-- What has expired in a house, for the nightly job.
create index on private.points_held (org_id, expires_at) where expires_at is not null;

alter table private.points_held enable row level security;
alter table private.points_balances enable row level security;

-- Reading -----------------------------------------------------------------------------------------

create function private.points_expired(p_org_id uuid, p_customer_id uuid) returns bigint
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select sum(h.points) from private.points_held h
    where h.org_id = p_org_id and h.customer_id = p_customer_id and h.expires_at <= now()), 0);
end;
$$;

comment on function private.points_expired(uuid, uuid) is
'How many of a customer''s points have expired since the nightly job ran. No errors.';

create function private.points_balance(p_org_id uuid, p_customer_id uuid) returns bigint
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select b.points from private.points_balances b where b.org_id = p_org_id and b.customer_id = p_customer_id), 0)
    - private.points_expired(p_org_id, p_customer_id);
end;
$$;

comment on function private.points_balance(uuid, uuid) is 'How many points a customer can redeem now. No errors.';

-- The one way in which they change ----------------------------------------------------------------

create function private.note_points(p_org_id uuid, p_customer_id uuid, p_kind text, p_points bigint, p_lot_id uuid,
  p_expires_at timestamptz default null, p_invoice_id uuid default null, p_amount numeric default null,
  p_basis numeric default null, p_reason text default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid := gen_random_uuid();
  v_no bigint;
  v_left bigint;
begin
  update private.points_balances set points = points + p_points where org_id = p_org_id and customer_id = p_customer_id;
  if not found then
    insert into private.points_balances (org_id, customer_id, points) values (p_org_id, p_customer_id, p_points);
  end if;
  if p_points < 0 then
    update private.points_held set points = points + p_points where org_id = p_org_id and lot_id = p_lot_id
    returning points into v_left;
    if v_left = 0 then
      delete from private.points_held where org_id = p_org_id and lot_id = p_lot_id;
    end if;
  end if;
  insert into public.loyalty_entries (org_id, id, customer_id, kind, points, balance, lot_id, expires_at, invoice_id,
    amount, basis, reason, created_by)
  values (p_org_id, v_id, p_customer_id, p_kind, p_points, private.points_balance(p_org_id, p_customer_id), p_lot_id,
    p_expires_at, p_invoice_id, p_amount, p_basis, p_reason, auth.uid())
  returning no into v_no;
  if p_points > 0 then
    insert into private.points_held (org_id, lot_id, no, customer_id, points, expires_at)
    values (p_org_id, v_id, v_no, p_customer_id, p_points, p_expires_at);
  end if;
end;
$$;

comment on function private.note_points(uuid, uuid, text, bigint, uuid, timestamptz, uuid, numeric, numeric, text) is
'Writes an entry of points, and what is left by it of its lot and of all: nobody else does. Parameters as the columns
of loyalty_entries. The caller holds the customer''s lock and has seen what is left of the lot. Errors: 23514 when more
is taken than there is.';

create function private.merge_points(p_org_id uuid, p_keep_id uuid, p_merge_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_points bigint;
begin
  delete from private.points_balances where org_id = p_org_id and customer_id = p_merge_id
  returning points into v_points;
  if v_points is not null then
    update private.points_balances set points = points + v_points where org_id = p_org_id and customer_id = p_keep_id;
    if not found then
      insert into private.points_balances (org_id, customer_id, points) values (p_org_id, p_keep_id, v_points);
    end if;
  end if;
end;
$$;

comment on function private.merge_points(uuid, uuid, uuid) is
'Adds the points of p_merge_id to those of p_keep_id, before their entries and lots follow; both are locked. No
errors.';

create function private.note_merged_points(p_org_id uuid, p_keep_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- From here on the balance is that of both.
  if exists (select from private.points_balances b where b.org_id = p_org_id and b.customer_id = p_keep_id) then
    perform private.note_points(p_org_id, p_keep_id, 'adjust', 0, null, p_reason => 'Merged');
  end if;
end;
$$;

comment on function private.note_merged_points(uuid, uuid) is
'Notes what a customer has after another was merged into him, who is locked; nothing where nobody had points. No
errors.';

create function private.take_points(p_org_id uuid, p_customer_id uuid, p_points bigint, p_kind text, p_invoice_id uuid,
  p_amount numeric, p_reason text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_left bigint := p_points;
  v_taken bigint;
  v_amount numeric := 0;
  v_share numeric;
  v_lot_id uuid;
  v_points bigint;
begin
  -- One lot after the other, by the index: however many he has, no more are read than it takes.
  while v_left > 0 loop
    v_lot_id := null;
    if p_kind = 'reverse' then
      -- What an invoice gave is taken back from there first; else what expires first goes first.
      select h.lot_id, h.points into v_lot_id, v_points
      from public.loyalty_entries e
      join private.points_held h on h.org_id = e.org_id and h.lot_id = e.id
      where e.org_id = p_org_id and e.invoice_id = p_invoice_id and h.customer_id = p_customer_id
        and (h.expires_at is null or h.expires_at > now())
      order by h.expires_at, h.no limit 1;
    end if;
    if v_lot_id is null then
      select h.lot_id, h.points into v_lot_id, v_points from private.points_held h
      where h.org_id = p_org_id and h.customer_id = p_customer_id and (h.expires_at is null or h.expires_at > now())
      order by h.expires_at, h.no limit 1;
    end if;
    exit when v_lot_id is null;
    v_taken := least(v_left, v_points);
    v_left := v_left - v_taken;
    v_share := round(p_amount * (p_points - v_left) / p_points, 2) - v_amount;
    v_amount := v_amount + v_share;
    perform private.note_points(p_org_id, p_customer_id, p_kind, -v_taken, v_lot_id, null, p_invoice_id, v_share, null,
      p_reason);
  end loop;
  return p_points - v_left;
end;
$$;

comment on function private.take_points(uuid, uuid, bigint, text, uuid, numeric, text) is
'Takes points out of a customer''s lots, never more than they hold, and returns how many. p_amount: what they pay, or
null. The caller holds the customer''s lock. No errors.';

create function private.lock_earner(p_org_id uuid, p_customer_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from public.loyalty_programs p where p.org_id = p_org_id) then
    perform private.lock_customer(p_org_id, p_customer_id);
  end if;
end;
$$;

comment on function private.lock_earner(uuid, uuid) is
'Locks a customer who may earn points by an act that takes a number: before the counter, which is locked last. No
errors.';

select private.react('customers_merged', 10, 'note_merged_points');select private.react('customers_merging', 20,
  'merge_points');
