-- Integrity: the books prove themselves. Each proof computes what a stored figure must be from what it came from, and
-- names every row where the two differ; what was found is kept, for the owner to read.

-- Tables ------------------------------------------------------------------------------------------

create table public.integrity_checks (
  org_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  run_id uuid not null,
  proof text not null,
  ran_at timestamptz not null default now(),
  passed boolean not null generated always as (findings = 0) stored,
  findings integer not null check (findings >= 0),
  sample jsonb not null check (jsonb_typeof(sample) = 'array'),
  requested_by uuid,
  primary key (org_id, id)
);

comment on table public.integrity_checks is
'What the proofs found, one row per proof and run, append-only. proof: ledger (levels are the sums of their movements),
overdraft (nothing was ever below zero, no promise exceeds what is there), serials (numbered pieces are where the ledger
took them, and as many as the level says), lots (batches likewise), reservations (reserved is what active reservations
hold, and orders hold no more than they have to deliver), transit (what is on the road, and awaited, is what open
transfers have not settled), money (paid, credited and refunded are the sums of their entries). findings: rows that are
wrong; sample: the first 20 of them. requested_by: null for the job.';

create table private.integrity_state (
  org_id uuid primary key references public.organizations (id),
  run_id uuid not null,
  ran_at timestamptz not null,
  findings integer not null
);

comment on table private.integrity_state is
'Each organisation''s newest run and what it found in all: health sums these few rows, however many runs there were.';
alter table private.integrity_state enable row level security;

create table private.proofs (
  proof text not null check (proof ~ '^[a-z_]+$'),
  function text not null,
  primary key (proof, function)
);

comment on table private.proofs is
'What private.run_integrity runs: functions of the private schema that take an organisation and return setof jsonb, one
finding for each row that is wrong, in one stable statement. A room adds its own in its file; several may prove the same
(proof).';
alter table private.proofs enable row level security;

-- Indexes -----------------------------------------------------------------------------------------

create index on public.integrity_checks (org_id, ran_at desc, id desc);

-- The proofs --------------------------------------------------------------------------------------
-- Each is one stable statement, so that it sees one moment: every act keeps the books right at its commit, so sales
-- that go on meanwhile are never taken for findings.

create function private.prove_overdraft(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select jsonb_build_object('location_id', s.location_id, 'variant_id', s.variant_id, 'on_hand', s.on_hand, 'reserved',
    s.reserved, 'incoming', s.incoming, 'in_transit', s.in_transit)
  from public.stock_levels s
  where s.org_id = p_org_id and (s.on_hand < 0 or s.reserved not between 0 and s.on_hand
    or s.in_transit not between 0 and s.incoming)
  union all
  -- A level is locked while its movements get their ids, so their order is the order in which they happened.
  select jsonb_build_object('location_id', b.location_id, 'variant_id', b.variant_id, 'lowest', min(b.balance),
    'movement_id',
    min(b.id))
  from (
    select e.location_id, e.variant_id, e.id,
      sum(e.quantity) over (partition by e.location_id, e.variant_id order by e.id) as balance
    from private.stock_entries e where e.org_id = p_org_id) b
  where b.balance < 0
  group by b.location_id, b.variant_id;
end;
$$;

comment on function private.prove_overdraft(uuid) is
'Never below zero: no level is out of its bounds now, and after no movement in the ledger''s order was less than nothing
left. Returns the findings.';

create function private.prove_serials(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with numbered as (
    select v.id from public.product_variants v where v.org_id = p_org_id and v.tracking = 'serial'
  ), units as (
    select u.variant_id, u.location_id, count(*) as pieces
    from public.stock_units u
    join public.locations l on l.org_id = u.org_id and l.id = u.location_id and l.holds_stock
    where u.org_id = p_org_id group by 1, 2
  ), last_moved as (
    select distinct on (m.variant_id, e.serial) m.variant_id, e.serial, m.to_location_id, l.kind
    from public.stock_movements m
    cross join unnest(m.serials) e (serial)
    join public.locations l on l.org_id = m.org_id and l.id = m.to_location_id
    where m.org_id = p_org_id and m.serials is not null
    order by m.variant_id, e.serial, m.id desc
  )
  select jsonb_build_object('location_id', location_id, 'variant_id', variant_id, 'on_hand', s.on_hand, 'pieces',
    u.pieces)
  from (
    select s.location_id, s.variant_id, s.on_hand from public.stock_levels s
    join numbered n on n.id = s.variant_id where s.org_id = p_org_id) s
  full join units u using (variant_id, location_id)
  where coalesce(s.on_hand, 0) <> coalesce(u.pieces, 0)
  union all
  select jsonb_build_object('variant_id', variant_id, 'serial', serial, 'location_id', u.location_id, 'status',
    u.status,
    'ledger', m.to_location_id)
  from (select * from public.stock_units where org_id = p_org_id) u
  full join last_moved m using (variant_id, serial)
  where u.location_id is distinct from m.to_location_id
    or u.status <> case m.kind when 'transit' then 'in_transit' when 'customer' then 'sold' when 'supplier'
      then 'removed'
      when 'adjustment' then 'removed' else 'in_stock' end;
end;
$$;

comment on function private.prove_serials(uuid) is
'Serials = quantities: as many pieces stand at a place as its level says, and each stands where the ledger last took it.
Returns the findings.';

create function private.prove_lots(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with kept_in_lots as (
    select v.id from public.product_variants v where v.org_id = p_org_id and v.tracking = 'batch'
  ), lots as (
    select b.location_id, b.variant_id, sum(b.on_hand) as quantity
    from public.batch_levels b where b.org_id = p_org_id group by 1, 2
  ), ledger as (
    select e.location_id, e.variant_id, e.batch_id, sum(e.quantity) as quantity
    from private.stock_entries e where e.org_id = p_org_id and e.batch_id is not null
    group by 1, 2, 3
  )
  select jsonb_build_object('location_id', location_id, 'variant_id', variant_id, 'on_hand', s.on_hand, 'lots',
    b.quantity)
  from (
    select s.location_id, s.variant_id, s.on_hand from public.stock_levels s
    join kept_in_lots k on k.id = s.variant_id where s.org_id = p_org_id) s
  full join lots b using (location_id, variant_id)
  where coalesce(s.on_hand, 0) <> coalesce(b.quantity, 0)
  union all
  select jsonb_build_object('location_id', location_id, 'variant_id', variant_id, 'batch_id', batch_id, 'on_hand',
    b.on_hand,
    'ledger', g.quantity)
  from (select * from public.batch_levels where org_id = p_org_id) b
  full join ledger g using (location_id, variant_id, batch_id)
  where coalesce(b.on_hand, 0) <> coalesce(g.quantity, 0);
end;
$$;

comment on function private.prove_lots(uuid) is
'Lots = quantities: the lots at a place sum to its level, and each is the sum of its own movements. Returns the
findings.';

create function private.prove_reservations(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with held as (
    select r.location_id, i.variant_id, sum(i.quantity) as quantity
    from public.stock_reservations r
    join public.stock_reservation_items i on i.org_id = r.org_id and i.reservation_id = r.id
    where r.org_id = p_org_id and r.status = 'active' group by 1, 2
  )
  select jsonb_build_object('location_id', location_id, 'variant_id', variant_id, 'reserved', s.reserved, 'held',
    h.quantity)
  from (select * from public.stock_levels where org_id = p_org_id) s
  full join held h using (location_id, variant_id)
  where coalesce(s.reserved, 0) <> coalesce(h.quantity, 0);
end;
$$;

comment on function private.prove_reservations(uuid) is
'Reservations = documents: what a level has reserved is what active reservations hold there. Returns the findings.';

create function private.prove_transit(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with open_items as (
    select t.to_location_id, i.variant_id, i.batch_id, i.open
    from public.stock_transfers t
    join public.stock_transfer_items i on i.org_id = t.org_id and i.transfer_id = t.id
    where t.org_id = p_org_id and t.status in ('dispatched', 'partially_received')
  ), awaited as (
    select o.to_location_id as location_id, o.variant_id, sum(o.open) as quantity from open_items o group by 1, 2
  ), road as (
    select l.id from public.locations l where l.org_id = p_org_id and l.kind = 'transit'
  ), sent as (
    select o.variant_id, sum(o.open) as quantity from open_items o group by 1
  ), sent_lots as (
    select o.variant_id, o.batch_id, sum(o.open) as quantity from open_items o where o.batch_id is not null group by 1,
      2
  )
  -- Nothing else brings goods in yet, so what will come is what is on the road.
  select jsonb_build_object('location_id', location_id, 'variant_id', variant_id, 'incoming', s.incoming, 'in_transit',
    s.in_transit,
    'transfers', a.quantity)
  from (select * from public.stock_levels where org_id = p_org_id) s
  full join awaited a using (location_id, variant_id)
  where coalesce(s.in_transit, 0) <> coalesce(a.quantity, 0) or coalesce(s.incoming, 0) <> coalesce(a.quantity, 0)
  union all
  select jsonb_build_object('location_id', s.location_id, 'variant_id', variant_id, 'on_hand', s.on_hand, 'transfers',
    n.quantity)
  from (select v.* from public.stock_levels v join road r on r.id = v.location_id where v.org_id = p_org_id) s
  full join sent n using (variant_id)
  where coalesce(s.on_hand, 0) <> coalesce(n.quantity, 0)
  union all
  select jsonb_build_object('location_id', b.location_id, 'variant_id', variant_id, 'batch_id', batch_id, 'on_hand',
    b.on_hand,
    'transfers', n.quantity)
  from (select v.* from public.batch_levels v join road r on r.id = v.location_id where v.org_id = p_org_id) b
  full join sent_lots n using (variant_id, batch_id)
  where coalesce(b.on_hand, 0) <> coalesce(n.quantity, 0);
end;
$$;

comment on function private.prove_transit(uuid) is
'Transit = open transfers: what lies in transit, and each lot of it, is what dispatched transfers have not settled, and
each destination has so much incoming and in_transit as is on its way to it. Returns the findings.';

-- Running them ------------------------------------------------------------------------------------

insert into private.proofs (proof, function) values
  ('ledger', 'prove_ledger'),
  ('overdraft', 'prove_overdraft'),
  ('serials', 'prove_serials'),
  ('lots', 'prove_lots'),
  ('reservations', 'prove_reservations'),
  ('transit', 'prove_transit');

create function private.run_integrity(p_org_id uuid) returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_run_id uuid := gen_random_uuid();
  v_proofs text := (
    select string_agg(format('select %L as proof, f as finding from private.%I($1) f', p.proof, p.function),
      E'\n union all ')
    from private.proofs p);
begin
  -- One statement, so that all of them see one moment; planned anew each time, which beside reading the ledger is
  -- nothing.
  execute format($sql$
  with found as (
    %s
  ), counted as (
    select n.proof, count(f.finding) as findings,
      coalesce(jsonb_agg(f.finding) filter (where f.place <= 20), '[]') as sample
    from (select distinct p.proof from private.proofs p) n
    left join (
      select proof, finding, row_number() over (partition by proof order by finding) as place from found) f
        using (proof)
    group by n.proof
  ), kept as (
    insert into public.integrity_checks (org_id, run_id, proof, findings, sample, requested_by)
    select $1, $2, proof, findings, sample, auth.uid() from counted
    returning findings
  )
  insert into private.integrity_state as s (org_id, run_id, ran_at, findings)
  select $1, $2, now(), sum(findings) from kept
  on conflict (org_id) do update set run_id = excluded.run_id, ran_at = excluded.ran_at, findings = excluded.findings
  $sql$, v_proofs) using p_org_id, v_run_id;
  return v_run_id;
end;
$$;

comment on function private.run_integrity(uuid) is
'Runs all proofs of an organisation in one statement, at one moment, keeps what they found and returns the run''s id.';

create function public.check_integrity(p_org_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_run_id uuid;
begin
  perform private.authorize('audit.read', p_org_id);
  v_run_id := private.run_integrity(p_org_id);
  return (
    select jsonb_build_object('run_id', v_run_id, 'ran_at', min(c.ran_at), 'passed', bool_and(c.passed), 'checks',
      jsonb_agg(
      jsonb_build_object('proof', c.proof, 'passed', c.passed, 'findings', c.findings, 'sample', c.sample)
        order by c.proof))
    from public.integrity_checks c where c.org_id = p_org_id and c.run_id = v_run_id);
end;
$$;

comment on function public.check_integrity(uuid) is
'Proves the books of an organisation: ledger = levels, nothing ever below zero, serials and lots = quantities, reserved
= reservations, in transit = open transfers, paid and credited = their allocations. p_org_id. Keeps the result in
integrity_checks and returns it: {"run_id", "ran_at", "passed", "checks": [{"proof", "passed", "findings", "sample"}]}.
Reads the whole ledger: of a large one the nightly job''s newest rows are the quicker answer. Errors: 401, 404
not_found, 403 permission_denied. Permission: audit.read.';
revoke execute on function public.check_integrity(uuid) from public, anon;
grant execute on function public.check_integrity(uuid) to authenticated;

-- The metric --------------------------------------------------------------------------------------

create or replace function public.health() returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('ok', true, 'database_time', now(), 'integrity', jsonb_build_object(
      'findings', coalesce(sum(s.findings), 0), 'checked_at', min(s.ran_at)),
      'jobs', jsonb_build_object('failing', (select count(*) from private.failing_jobs)))
    from private.integrity_state s);
end;
$$;

comment on function public.health() is
'Answers {"ok": true, "database_time": ISO 8601, "integrity": {"findings", "checked_at"}, "jobs": {"failing"}} when the
database can be asked. findings: what the proofs of all organisations found when each was last run, 0 when all is well;
checked_at: the oldest of these runs, null before the first; failing: how many jobs failed when they ran last, counted
by organisation. Anyone may call it. No errors.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on public.integrity_checks
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.integrity_checks for each statement
  execute function audit.refuse_change();

insert into private.schedules (name, cron, routine, organizations, purpose) values
  ('integrity', '47 2 * * *', 'private.run_integrity',
  'select o.id from public.organizations o',
  'Proves the books of every organisation');

-- Policies ----------------------------------------------------------------------------------------

alter table public.integrity_checks enable row level security;
create policy "Who holds audit.read reads what the proofs found" on public.integrity_checks for select to authenticated
  using (org_id = any (array(select private.orgs_with('audit.read'))));

-- Grants ------------------------------------------------------------------------------------------

grant select on public.integrity_checks to authenticated;
