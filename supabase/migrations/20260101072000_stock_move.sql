-- The one way stock moves: the ledger and the levels, together.

create type private.stock_move as (
  variant_id uuid,
  from_location_id uuid,
  to_location_id uuid,
  quantity numeric,
  unit_cost numeric,
  serials text[],
  batch_id uuid
);

comment on type private.stock_move is
'One movement to post. unit_cost null: at the average cost of where it comes from. serials: the pieces, one per unit,
where the variant''s tracking is serial. batch_id: the lot, where it is batch; null on the way out: first expired, first
out.';

create function private.shared_location(p_org_id uuid, p_kind text) returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select id from public.locations where org_id = p_org_id and kind = p_kind and branch_id is null);
end;
$$;

comment on function private.shared_location(uuid, text) is
'The organisation''s own supplier, customer, adjustment or transit location.';

create function private.lock_levels(p_org_id uuid, p_location_ids uuid[], p_variant_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Levels that do not exist yet come first, in key order, so that the locks below find a row for each.
  insert into public.stock_levels (org_id, branch_id, location_id, variant_id)
  select p_org_id, l.branch_id, l.id, v.id
  from public.locations l
  cross join (select distinct unnest(p_variant_ids) as id) v
  where l.org_id = p_org_id and l.id = any (p_location_ids) and l.holds_stock
    and not exists (
      select from public.stock_levels s where s.org_id = p_org_id and s.location_id = l.id and s.variant_id = v.id)
  order by l.id, v.id
  on conflict do nothing;
  perform s.on_hand
  from public.stock_levels s
  where s.org_id = p_org_id and s.location_id = any (p_location_ids) and s.variant_id = any (p_variant_ids)
  order by s.location_id, s.variant_id
  for no key update of s;
end;
$$;

comment on function private.lock_levels(uuid, uuid[], uuid[]) is
'Locks the levels of all these variants at all these locations, in key order, and makes those that are missing. For acts
that change reserved, incoming or in_transit, or that move stock more than once: called before the first change, it
keeps the one order in which everybody locks.';

create function private.keep_open(p_org_id uuid, p_location_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_closed_id uuid;
begin
  -- Whoever archives a place waits for who holds it here, and who comes after him sees it archived:
  -- private.refuse_archiving.
  perform from public.locations l where l.org_id = p_org_id and l.id = any (p_location_ids)
    order by l.id for key share of l;
  perform from public.branches b
  where b.org_id = p_org_id and b.id in (
    select l.branch_id from public.locations l where l.org_id = p_org_id and l.id = any (p_location_ids))
  order by b.id for key share of b;
  select l.id into v_closed_id
  from public.locations l join public.branches b on b.org_id = l.org_id and b.id = l.branch_id
  where l.org_id = p_org_id and l.id = any (p_location_ids) and (l.archived_at is not null or b.archived_at is not null)
    limit 1;
  if v_closed_id is not null then
    perform private.fail(404, 'not_found', 'This place is closed: no goods come here.',
      jsonb_build_object('location_id', v_closed_id));
  end if;
end;
$$;

comment on function private.keep_open(uuid, uuid[]) is
'Keeps places to which goods go, or are sent, from being archived until the transaction ends. p_location_ids: those
without a branch are never archived. Errors: 404 not_found.';

create function private.track_moves(p_org_id uuid, p_moves private.stock_move[], p_sold_on date)
  returns private.stock_move[]
language plpgsql
set search_path = ''
as $$
declare
  v_moves private.stock_move[] := array[]::private.stock_move[];
  v_move private.stock_move;
  v_tracking text;
  v_sku text;
begin
  foreach v_move in array p_moves loop
    select tracking, sku into v_tracking, v_sku from public.product_variants where org_id = p_org_id
      and id = v_move.variant_id;
    if v_tracking = 'serial' then
      perform private.move_units(p_org_id, v_move, v_sku, p_sold_on);
      v_moves := v_moves || v_move;
    elsif v_tracking = 'batch' then
      v_moves := v_moves || private.move_batches(p_org_id, v_move, v_sku, p_sold_on);
    else
      v_moves := v_moves || v_move;
    end if;
  end loop;
  return v_moves;
end;
$$;

comment on function private.track_moves(uuid, private.stock_move[], date) is
'Moves the pieces and lots beneath the levels, which the caller has locked, and returns the movements to post: one for
each lot. p_sold_on: the business date of a sale, null for anything else. Errors: as private.move_units and
private.move_batches.';

create function private.refuse_shortage(p_org_id uuid, p_moves private.stock_move[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_shortages jsonb;
begin
  select jsonb_agg(jsonb_build_object('variant_id', d.variant_id, 'sku', v.sku, 'requested', d.quantity,
    'available', coalesce(s.available, 0)) order by v.sku)
  into v_shortages
  from (
    select m.from_location_id, m.variant_id, sum(m.quantity) as quantity
    from unnest(p_moves) m
    join public.locations l on l.org_id = p_org_id and l.id = m.from_location_id and l.holds_stock
    group by 1, 2) d
  join public.product_variants v on v.org_id = p_org_id and v.id = d.variant_id
  left join public.stock_levels s
    on s.org_id = p_org_id and s.location_id = d.from_location_id and s.variant_id = d.variant_id
  where coalesce(s.available, 0) < d.quantity;
  perform private.fail(409, 'insufficient_stock', format('Not enough stock of %s.', v_shortages -> 0 ->> 'sku'),
    jsonb_build_object('shortages', v_shortages));
end;
$$;

comment on function private.refuse_shortage(uuid, private.stock_move[]) is
'Says what these movements lack. The caller has locked the levels. Errors: 409 insufficient_stock with {"shortages":
[{"variant_id", "sku", "requested", "available"}]}.';

create function private.move_stock(p_org_id uuid, p_document text, p_document_id uuid, p_occurred_at timestamptz,
  p_moves private.stock_move[], p_sold_on date default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_locations uuid[];
  v_variants uuid[];
  v_user_id uuid := auth.uid();
  v_arrives boolean;
  v_short boolean;
  v_tracked boolean;
  v_moves private.stock_move[] := p_moves;
begin
  select array_agg(distinct m.from_location_id) || array_agg(distinct m.to_location_id),
    array_agg(distinct m.variant_id),
    bool_or(t.holds_stock)
  into v_locations, v_variants, v_arrives
  from unnest(p_moves) m join public.locations t on t.org_id = p_org_id and t.id = m.to_location_id;

  if v_arrives then
    -- Levels that do not exist yet come first, in key order, so that the locks below find a row for every arrival.
    insert into public.stock_levels (org_id, branch_id, location_id, variant_id)
    select distinct p_org_id, l.branch_id, m.to_location_id, m.variant_id
    from unnest(p_moves) m
    join public.locations l on l.org_id = p_org_id and l.id = m.to_location_id and l.holds_stock
    where not exists (
      select from public.stock_levels s
      where s.org_id = p_org_id and s.location_id = m.to_location_id and s.variant_id = m.variant_id)
    order by m.to_location_id, m.variant_id
    on conflict do nothing;
  end if;

  -- Whoever is short looks once more when reservations that have expired gave something back.
  for v_look in 1 .. 2 loop
    -- Everybody locks in key order, so no two acts can wait for one another in a circle. There is no join beneath the
    -- lock: a row that changed while the statement waited could drop out of one. The sum per variant is checked: the
    -- same piece twice in one basket counts twice.
    with demanded as (
      select m.from_location_id as location_id, m.variant_id, sum(m.quantity) as quantity
      from unnest(p_moves) m
      join public.locations l on l.org_id = p_org_id and l.id = m.from_location_id and l.holds_stock
      group by 1, 2
    ), locked as (
      select s.location_id, s.variant_id, s.available
      from public.stock_levels s
      where s.org_id = p_org_id and s.location_id = any (v_locations) and s.variant_id = any (v_variants)
      order by s.location_id, s.variant_id
      for no key update of s
    )
    select coalesce(bool_or(coalesce(k.available, 0) < d.quantity), false), coalesce((
      select bool_or(v.tracking <> 'none') from public.product_variants v
      where v.org_id = p_org_id and v.id = any (v_variants)), false)
    into v_short, v_tracked
    from demanded d left join locked k using (location_id, variant_id);
    exit when not v_short or v_look = 2 or private.stock_short(p_org_id, v_locations, v_variants) = 0;
  end loop;
  if v_short then
    perform private.refuse_shortage(p_org_id, p_moves);
  end if;
  if v_tracked then
    v_moves := private.track_moves(p_org_id, p_moves, p_sold_on);
  end if;

  if not v_arrives then
    -- Most acts of a day, all sales among them, take goods out and bring none in: nothing changes what the rest is
    -- worth.
    with posted as (
      insert into public.stock_movements (org_id, variant_id, from_location_id, to_location_id, from_branch_id,
        to_branch_id,
        quantity, unit_cost, serials, batch_id, document, document_id, occurred_at, created_by)
      select p_org_id, m.variant_id, m.from_location_id, m.to_location_id, f.branch_id, t.branch_id, m.quantity,
        coalesce(m.unit_cost, s.average_cost, 0), m.serials, m.batch_id, p_document, p_document_id, p_occurred_at,
          v_user_id
      from unnest(v_moves) m
      join public.locations f on f.org_id = p_org_id and f.id = m.from_location_id
      join public.locations t on t.org_id = p_org_id and t.id = m.to_location_id
      left join public.stock_levels s
        on s.org_id = p_org_id and s.location_id = m.from_location_id and s.variant_id = m.variant_id
    )
    update public.stock_levels s
    set on_hand = s.on_hand - d.quantity, updated_at = now()
    from (
      select m.from_location_id, m.variant_id, sum(m.quantity) as quantity from unnest(v_moves) m group by 1, 2) d
    where s.org_id = p_org_id and s.location_id = d.from_location_id and s.variant_id = d.variant_id;
    return;
  end if;

  with moves as (
    select m.variant_id, m.from_location_id, m.to_location_id, m.quantity, m.serials, m.batch_id, f.branch_id
      as from_branch_id,
      t.branch_id as to_branch_id, f.holds_stock as from_holds, t.holds_stock as to_holds,
      coalesce(m.unit_cost, source.average_cost, target.average_cost, 0) as unit_cost
    from unnest(v_moves) m
    join public.locations f on f.org_id = p_org_id and f.id = m.from_location_id
    join public.locations t on t.org_id = p_org_id and t.id = m.to_location_id
    left join public.stock_levels source
      on source.org_id = p_org_id and source.location_id = m.from_location_id and source.variant_id = m.variant_id
    left join public.stock_levels target
      on target.org_id = p_org_id and target.location_id = m.to_location_id and target.variant_id = m.variant_id
  ), posted as (
    insert into public.stock_movements (org_id, variant_id, from_location_id, to_location_id, from_branch_id,
      to_branch_id,
      quantity, unit_cost, serials, batch_id, document, document_id, occurred_at, created_by)
    select p_org_id, variant_id, from_location_id, to_location_id, from_branch_id, to_branch_id, quantity, unit_cost,
      serials,
      batch_id, p_document, p_document_id, p_occurred_at, v_user_id
    from moves
  ), changes as (
    select location_id, variant_id, sum(change) as change,
      sum(change) filter (where change > 0) as arrived, sum(change * unit_cost) filter (where change > 0)
        as arrived_worth
    from (
      select from_location_id as location_id, variant_id, -quantity as change, unit_cost from moves where from_holds
      union all
      select to_location_id, variant_id, quantity, unit_cost from moves where to_holds) ends
    group by 1, 2
  )
  update public.stock_levels s
  set on_hand = s.on_hand + c.change,
    average_cost = case when c.arrived is null then s.average_cost
      else round((s.on_hand * s.average_cost + c.arrived_worth) / (s.on_hand + c.arrived), 6) end,
    updated_at = now()
  from changes c
  where s.org_id = p_org_id and s.location_id = c.location_id and s.variant_id = c.variant_id;
  -- What is sold goes to the customer, who is never archived.
  if p_sold_on is null then
    perform private.keep_open(p_org_id, array(select m.to_location_id from unnest(p_moves) m));
  end if;
end;
$$;

comment on function private.move_stock(uuid, text, uuid, timestamptz, private.stock_move[], date) is
'Posts movements and changes the levels, all or nothing. p_org_id; p_document and p_document_id: what caused them;
p_occurred_at; p_moves: quantities in the variant''s unit, unit costs in the organisation''s currency; p_sold_on: the
business date of a sale, on which expired lots are not sold; null for anything else. Arrivals change the moving average,
departures do not. Errors: 404 not_found, where goods would come to a place that was archived meanwhile; 409
insufficient_stock with {"shortages": [{"variant_id", "sku", "requested", "available"}]}; for numbered pieces and lots
as private.track_moves.';

select private.add_event('stock_short', 'p_org_id uuid, p_location_ids uuid[], p_variant_ids uuid[]', 'numeric',
'An act is short of goods at these places, whose levels it has locked: who holds what nobody is promised any more gives
it back and says how many he gave back. The act then looks once more. No errors.');

select private.add_event('stock_lost', 'p_org_id uuid, p_moves private.stock_move[]', 'void',
'Goods are about to be written off, their levels are locked. Errors: of whoever was promised them.');
