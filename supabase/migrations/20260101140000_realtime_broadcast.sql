-- Realtime: who may listen to what, the messages about stock, and the exact way to catch up after a gap.
--
-- A message may get lost (a tunnel, a sleeping tablet, a restarted server), so messages are only the quick way to know.
-- The sure way is stock_changes: it returns every level that changed since the caller's last visit, as it is now.

-- Tables ------------------------------------------------------------------------------------------

create table private.stock_events (
  org_id uuid not null,
  branch_id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  id bigint not null generated always as identity,
  at timestamptz not null default now(),
  location_ids uuid[] not null,
  variant_ids uuid[] not null,
  primary key (branch_id, xid, id, at),
  check (cardinality(location_ids) = cardinality(variant_ids))
) partition by range (at);

comment on table private.stock_events is
'Which levels of a branch a statement changed: pairs of location_ids and variant_ids, in step. xid: the transaction that
did it. Written by the trigger on stock_levels, read by stock_changes. Weekly partitions, which
private.prune_stock_events drops. Clients do not read it: rows become visible in another order than that of any of their
columns, and a reader who pages by one would miss some.';

create table private.stock_events_rest partition of private.stock_events default;
comment on table private.stock_events_rest
  is 'Catches events of weeks that have no partition yet, so that no act fails for want of one.';

create table private.stock_events_horizon (
  only_row boolean primary key default true check (only_row),
  xid xid8 not null
);

comment on table private.stock_events_horizon is
'The newest transaction of which an event was pruned, in one row: who has seen less than that must read everything
again.';
insert into private.stock_events_horizon (xid) values ('0');

-- Messages ----------------------------------------------------------------------------------------

create function private.announce_stock() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_branches bigint;
begin
  -- The old rows are not compared: what changes no quantity is rare, and to say a level again does no harm. Realtime
  -- refuses large messages (256 KB on the smallest plan): of a large act the clients hear that there was one.
  with changed as (
    select n.org_id, n.branch_id, count(*) as size, array_agg(n.location_id) as location_ids,
      array_agg(n.variant_id) as variant_ids, jsonb_agg(jsonb_build_object('location_id', n.location_id,
        'variant_id', n.variant_id, 'on_hand', n.on_hand, 'reserved', n.reserved, 'available', n.available,
        'incoming', n.incoming, 'in_transit', n.in_transit)) as levels
    from new_rows n where n.branch_id is not null
    group by n.org_id, n.branch_id
  ), noted as (
    insert into private.stock_events (org_id, branch_id, location_ids, variant_ids)
    select c.org_id, c.branch_id, c.location_ids, c.variant_ids from changed c
  )
  select count(*) into v_branches
  from changed c
  cross join lateral realtime.send(
    case when c.size <= 500
      then jsonb_build_object('branch_id', c.branch_id, 'changes', c.levels, 'catch_up', false)
      else jsonb_build_object('branch_id', c.branch_id, 'changes', null, 'catch_up', true) end,
    'stock', 'branch:' || c.branch_id || ':stock', true);
  return null;
end;
$$;

comment on function private.announce_stock() is
'Statement trigger of stock_levels: for each branch whose levels changed one row in private.stock_events and one
message, event "stock" on the private topic branch:<uuid>:stock: {"branch_id", "changes": [{"location_id", "variant_id",
"on_hand", "reserved", "available", "incoming", "in_transit"}], "catch_up": false}, quantities in the variant''s unit,
as they are after the act. An act of more than 500 levels says {"changes": null, "catch_up": true}: ask stock_changes.
Levels of no branch (in transit) are nobody''s.';

-- Catching up -------------------------------------------------------------------------------------

create function private.history_id() returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select left(md5(s.system_identifier || '.' || c.timeline_id), 8)
    from pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c);
end;
$$;

comment on function private.history_id() is
'A mark of this run of transaction ids: it changes when the database is restored elsewhere or to an earlier time, since
ids that clients remember then mean other transactions. Eight hexadecimal digits.';

create function private.next_xid(p_xid xid8) returns xid8
language plpgsql immutable
set search_path = ''
as $$
begin
  return (p_xid::text::numeric + 1)::text::xid8;
end;
$$;

comment on function private.next_xid(xid8) is 'The transaction id after p_xid.';

create function private.stock_levels_since(p_branch_ids uuid[], p_since xid8, p_location_id uuid, p_variant_id uuid,
  p_limit integer)
returns setof public.stock_levels
language plpgsql stable
set search_path = ''
as $$
declare
  v_location record;
  v_found integer;
  v_missing integer := p_limit;
  v_after uuid;
begin
  if p_since is not null then
    return query
    with changed as (
      select distinct e.org_id, k.location_id, k.variant_id
      from private.stock_events e cross join lateral unnest(e.location_ids, e.variant_ids)
        as k (location_id, variant_id)
      where e.branch_id = any (p_branch_ids) and e.xid >= p_since
        and (p_location_id is null or (k.location_id, k.variant_id) > (p_location_id, p_variant_id))
      order by 2, 3
      limit p_limit
    )
    select s.* from changed c
    join public.stock_levels s
      on s.org_id = c.org_id and s.location_id = c.location_id and s.variant_id = c.variant_id
    where s.branch_id = any (p_branch_ids)
    order by s.location_id, s.variant_id;
    return;
  end if;
  -- Location by location along the key, so that a page costs what it holds and not what the business has.
  for v_location in
    select l.org_id, l.id from public.locations l
    where l.branch_id = any (p_branch_ids) and (p_location_id is null or l.id >= p_location_id)
    order by l.id
  loop
    v_after := case when v_location.id = p_location_id then p_variant_id else '00000000-0000-0000-0000-000000000000'
      end;
    return query
    select s.* from public.stock_levels s
    where s.org_id = v_location.org_id and s.location_id = v_location.id and s.variant_id > v_after
    order by s.variant_id
    limit v_missing;
    get diagnostics v_found = row_count;
    v_missing := v_missing - v_found;
    exit when v_missing = 0;
  end loop;
end;
$$;

comment on function private.stock_levels_since(uuid[], xid8, uuid, uuid, integer) is
'A page of the levels of some branches, by location and variant. p_since: those that a transaction from this one on
changed, null for all. p_location_id, p_variant_id: the last level of the page before, null for the first page. p_limit:
rows.';

create function public.stock_changes(p_branch_ids uuid[] default null, p_cursor text default null, p_limit integer
  default 1000)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branch record;
  v_branch_ids uuid[] := p_branch_ids;
  v_head text;
  v_cursor text[];
  v_since xid8;
  v_next xid8;
  v_reset boolean := false;
  v_levels jsonb;
  v_last jsonb;
begin
  if p_branch_ids is null then
    v_branch_ids := array(select b from private.branches_with('stock.read') b);
  end if;
  for v_branch in
    select b.org_id, p.id
    from (select distinct x as id from unnest(p_branch_ids) x) p left join public.branches b on b.id = p.id
  loop
    perform private.authorize('stock.read', v_branch.org_id, v_branch.id);
  end loop;
  if p_limit is null or p_limit not between 1 and 5000 then
    perform private.fail(400, 'invalid_input', 'p_limit must be from 1 to 5000.', '{"field": "p_limit"}');
  end if;

  -- A cursor says: format, run of transaction ids, set of branches, since which transaction (all: from the beginning);
  -- between pages also where the next visit starts and the last level seen.
  v_head := format('1.%s.%s.', private.history_id(),
    left(md5((select string_agg(distinct b::text, ',' order by b::text) from unnest(v_branch_ids) b)), 8));
  if starts_with(p_cursor, v_head) then
    v_cursor := regexp_match(substr(p_cursor, length(v_head) + 1),
      '^([0-9]{1,18}|all)(?:\.([0-9]{1,18})'
      || '\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$');
  end if;
  -- Everything older than the snapshot's xmin is settled: what is not visible yet carries that transaction or a later
  -- one, so the next visit finds a transaction that is open now. And not more than one past the last event, because a
  -- crash takes back the ids of transactions that left nothing on disk, and gives them out again.
  v_next := least(pg_snapshot_xmin(pg_current_snapshot()), private.next_xid(greatest(
    (select h.xid from private.stock_events_horizon h),
    (select max(n.xid) from unnest(v_branch_ids) b, lateral (
      select e.xid from private.stock_events e where e.branch_id = b order by e.xid desc limit 1) n))));
  if v_cursor is not null and v_cursor[1] <> 'all' then
    v_since := v_cursor[1]::xid8;
  end if;
  v_reset := v_cursor is null or (v_cursor[2] is null and v_since is null)
    or coalesce(v_since > pg_snapshot_xmax(pg_current_snapshot()), false)
    or coalesce(v_since <= (select h.xid from private.stock_events_horizon h), false)
    -- Of a long absence the levels themselves are read sooner than its events.
    or (select count(*) from (
      select from private.stock_events e where e.branch_id = any (v_branch_ids) and e.xid >= v_since
        limit 20001) e) > 20000;
  if v_reset then
    v_cursor := null;
    v_since := null;
  elsif v_cursor[2] is not null then
    v_next := v_cursor[2]::xid8;
  end if;

  select coalesce(jsonb_agg(jsonb_build_object('branch_id', s.branch_id, 'location_id', s.location_id,
    'variant_id', s.variant_id, 'on_hand', s.on_hand, 'reserved', s.reserved, 'available', s.available,
    'incoming', s.incoming, 'in_transit', s.in_transit) order by s.location_id, s.variant_id), '[]')
  into v_levels
  from private.stock_levels_since(v_branch_ids, v_since, v_cursor[3]::uuid, v_cursor[4]::uuid, p_limit) s;
  v_last := v_levels -> (p_limit - 1);

  return jsonb_build_object('levels', v_levels, 'reset', v_reset, 'more', v_last is not null,
    'cursor', v_head || case when v_last is null then v_next::text
      else concat_ws('.', coalesce(v_since::text, 'all'), v_next, v_last ->> 'location_id', v_last ->> 'variant_id')
        end);
end;
$$;

comment on function public.stock_changes(uuid[], text, integer) is
'Every stock level that changed since the caller''s last visit, as it is now: nothing is missed, not even of a
transaction that was open then, and a level may come twice, which does no harm. p_branch_ids: the branches, null for all
in which the caller holds stock.read. p_cursor: "cursor" of the answer before, null the first time. p_limit: levels in a
page, 1 to 5000. Returns {"levels": [{"branch_id", "location_id", "variant_id", "on_hand", "reserved", "available",
"incoming", "in_transit"}], "cursor", "more", "reset"}: quantities in the variant''s unit. more: call again with the
cursor at once. reset: forget what you have, this is the first page of everything; so it is without a cursor, with one
that is too old or of other branches, and after the database was restored. Call it when a channel is subscribed (also
again), when a message says catch_up, and every few minutes. Errors: 401, 404 not_found, 403 permission_denied, 400
invalid_input. Permission: stock.read.';
revoke execute on function public.stock_changes(uuid[], text, integer) from public, anon;
grant execute on function public.stock_changes(uuid[], text, integer) to authenticated;

create function private.prune_stock_events(p_keep interval) returns integer
language plpgsql
set search_path = ''
set lock_timeout = '3s'
as $$
declare
  v_before timestamptz := (
    select max(p.ends_at) from private.partitions_of('private.stock_events') p where p.ends_at <= now() - p_keep);
begin
  if v_before is null then
    return 0;
  end if;
  -- Nobody reads between the mark and the drop, and what is still being written into these partitions is waited for.
  lock table private.stock_events in access exclusive mode;
  update private.stock_events_horizon h set xid = n.xid
  from (select max(e.xid) as xid from private.stock_events e where e.at < v_before) n where h.xid < n.xid;
  return private.drop_partitions('private.stock_events', v_before);
end;
$$;

comment on function private.prune_stock_events(interval) is
'The job: drops the partitions whose transactions all began longer ago than p_keep, and returns how many. Whoever has
been away longer reads everything again (stock_changes: reset).';

-- Partitions --------------------------------------------------------------------------------------

insert into private.partitioned (table_name, time_column, step, ahead) values ('private.stock_events', 'at', 'week', 8);
select private.add_partitions('private.stock_events', current_date, 9);

-- Triggers ----------------------------------------------------------------------------------------

create trigger t70_announce_stock after update on public.stock_levels referencing new table as new_rows
  for each statement execute function private.announce_stock();
create trigger t10_refuse_change before update on private.stock_events
  for each row execute function audit.refuse_change();

insert into private.schedules (name, cron, routine, keep, purpose) values
  ('stock-events', '41 2 * * *', 'private.prune_stock_events',
  '7 days', 'Drops old notes of which stock levels changed');

-- Policies ----------------------------------------------------------------------------------------

alter table private.stock_events enable row level security;
alter table private.stock_events_rest enable row level security;
alter table private.stock_events_horizon enable row level security;

-- Realtime asks this when somebody joins a private channel, as he, with realtime.topic() set to the channel's name.
-- Names are built and compared as text: whatever a client calls its channel, no cast can fail. There is no policy for
-- insert, so no client can send on these channels; only the database does.
create policy "Who holds the permission hears of stock and of notices" on realtime.messages
  for select to authenticated
  using (extension = 'broadcast' and (
    (select realtime.topic()) = any (array(select 'branch:' || b || ':stock'
      from private.branches_with('stock.read') b))
    or (select realtime.topic()) = any (array(select 'org:' || o || ':notices'
      from private.orgs_with('stock.alert') o))));
