-- The acts of a transfer: drafted, dispatched into transit, received in parts, or cancelled.

-- Dispatch ----------------------------------------------------------------------------------------

select private.declare_shape('dispatch_lines',
  '{"line_no": "line!*", "serials": "serials", "batch": "text"}',
  array['dispatch_transfer.p_lines'], '{1, 2000}');

create function private.dispatch_names(p_org_id uuid, p_transfer_id uuid, p_lines jsonb)
returns table (line_no integer, serials text[], batch_id uuid)
language plpgsql stable
set search_path = ''
as $$
declare
  v_named record;
  v_variant record;
begin
  if p_lines is null or p_lines = 'null' then
    return;
  end if;
  for v_named in
    select n.* from private.named_lines('dispatch_lines', p_lines) n
  loop
    line_no := v_named.line_no;
    select l.variant_id, v.sku, v.tracking, p.kind into v_variant
    from public.stock_transfer_lines l
    join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
    join public.products p on p.org_id = v.org_id and p.id = v.product_id
    where l.org_id = p_org_id and l.transfer_id = p_transfer_id and l.line_no = dispatch_names.line_no;
    if v_variant.variant_id is null then
      perform private.fail(404, 'not_found', format('The transfer has no line %s.', line_no),
        jsonb_build_object('line', v_named.place, 'line_no', line_no));
    elsif (v_named.line ->> 'serials' is not null and v_variant.kind <> 'set' and v_variant.tracking <> 'serial')
      or (v_named.line ->> 'batch' is not null and v_variant.tracking <> 'batch') then
      perform private.fail(400, 'invalid_input', format('%s is not tracked in that way.', v_variant.sku),
        jsonb_build_object('field', 'p_lines', 'line', v_named.place, 'sku', v_variant.sku, 'tracking',
          v_variant.tracking));
    end if;
    serials := private.texts(v_named.line -> 'serials');
    batch_id := case when v_named.line ->> 'batch' is not null
      then private.batch_named(p_org_id, v_variant.variant_id, v_named.line ->> 'batch') end;
    return next;
  end loop;
end;
$$;

comment on function private.dispatch_names(uuid, uuid, jsonb) is
'Which pieces and lots a dispatch names. p_lines: null or [{"line_no", "serials"?, "batch"? (code)}]. Errors: 400
invalid_input, 404 not_found.';

create type private.line_move as (line_no integer, move private.stock_move);

comment on type private.line_move is 'A movement to post, with the line of the document that asks for it.';

create function private.dispatch_moves(p_transfer public.stock_transfers, p_lines jsonb, p_transit_id uuid)
returns setof private.line_move
language plpgsql stable
set search_path = ''
as $$
declare
  v_line record;
  v_item record;
  v_serials text[];
  v_move private.stock_move;
  v_known integer;
begin
  for v_line in
    select l.line_no, l.variant_id, v.sku, coalesce(n.serials, l.serials) as serials, coalesce(n.batch_id, l.batch_id)
      as batch_id
    from public.stock_transfer_lines l
    join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
    left join private.dispatch_names(p_transfer.org_id, p_transfer.id, p_lines) n on n.line_no = l.line_no
    where l.org_id = p_transfer.org_id and l.transfer_id = p_transfer.id
    order by l.line_no
  loop
    v_known := 0;
    for v_item in
      select i.variant_id, i.quantity, v.tracking from public.stock_transfer_items i
      join public.product_variants v on v.org_id = i.org_id and v.id = i.variant_id
      where i.org_id = p_transfer.org_id and i.transfer_id = p_transfer.id and i.line_no = v_line.line_no
      order by i.item_no
    loop
      v_serials := case when v_item.tracking <> 'serial' then null
        when v_item.variant_id = v_line.variant_id then v_line.serials
        else private.serials_of(p_transfer.org_id, v_item.variant_id, v_line.serials, p_transfer.from_location_id) end;
      v_known := v_known + coalesce(cardinality(v_serials), 0);
      v_move := row (v_item.variant_id, p_transfer.from_location_id, p_transit_id, v_item.quantity, null, v_serials,
        case when v_item.variant_id = v_line.variant_id then v_line.batch_id end)::private.stock_move;
      return next row (v_line.line_no, v_move)::private.line_move;
    end loop;
    if cardinality(v_line.serials) <> v_known then
      perform private.fail(409, 'serial_not_here', format('%s: not all of these pieces are here.', v_line.sku),
        jsonb_build_object('line', v_line.line_no, 'sku', v_line.sku, 'serials', to_jsonb(v_line.serials)));
    end if;
  end loop;
end;
$$;

comment on function private.dispatch_moves(public.stock_transfers, jsonb, uuid) is
'What a dispatch moves, item by item in their order, with the pieces and lots that it or the draft named. p_lines: as
private.dispatch_names takes them; p_transit_id: the transit location. Errors: as there, and 409 serial_not_here.';

create function private.keep_dispatched(p_transfer public.stock_transfers, p_moves private.stock_move[],
  p_line_nos integer[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.stock_transfer_items where org_id = p_transfer.org_id and transfer_id = p_transfer.id;
  with planned as (
    select p.place, p.line_no, p.variant_id, p.quantity, p.serials, p.batch_id,
      sum(p.quantity) over (partition by p.variant_id, p.batch_id order by p.place) - p.quantity as starts,
      sum(p.quantity) over (partition by p.variant_id, p.batch_id order by p.place) as ends
    from rows from (unnest(p_moves), unnest(p_line_nos)) with ordinality
      as p (variant_id, from_location_id, to_location_id, quantity, unit_cost, serials, batch_id, line_no, place)
  ), left_stock as (
    select m.variant_id, m.batch_id, sum(m.quantity) as quantity, min(m.unit_cost) as unit_cost
    from public.stock_movements m
    where m.org_id = p_transfer.org_id and m.document_id = p_transfer.id
      and m.from_location_id = p_transfer.from_location_id
    group by 1, 2
  ), named as (
    select variant_id, batch_id, sum(quantity) as quantity from planned where batch_id is not null group by 1, 2
  ), lots as (
    -- What no item named, in the order in which it was taken.
    select e.variant_id, e.batch_id, sum(e.quantity) over w - e.quantity as starts, sum(e.quantity) over w as ends
    from (
      select s.variant_id, s.batch_id, s.quantity - coalesce(n.quantity, 0) as quantity
      from left_stock s left join named n on n.variant_id = s.variant_id and n.batch_id = s.batch_id
      where s.batch_id is not null) e
    join public.batches b on b.org_id = p_transfer.org_id and b.id = e.batch_id
    where e.quantity > 0
    window w as (partition by e.variant_id order by b.expires_on nulls last, b.no)
  ), costs as (
    select variant_id, min(unit_cost) as unit_cost from left_stock group by 1
  )
  insert into public.stock_transfer_items (org_id, transfer_id, item_no, line_no, from_branch_id, to_branch_id,
    variant_id,
    quantity, batch_id, serials, unit_cost)
  select p_transfer.org_id, p_transfer.id, row_number() over (order by p.place, l.starts), p.line_no,
    p_transfer.from_branch_id,
    p_transfer.to_branch_id, p.variant_id, coalesce(least(p.ends, l.ends) - greatest(p.starts, l.starts), p.quantity),
    coalesce(p.batch_id, l.batch_id), p.serials, c.unit_cost
  from planned p
  join costs c on c.variant_id = p.variant_id
  left join lots l on p.batch_id is null and l.variant_id = p.variant_id and l.starts < p.ends and l.ends > p.starts;
end;
$$;

comment on function private.keep_dispatched(public.stock_transfers, private.stock_move[], integer[]) is
'Writes a transfer''s items as they left: with their lots, as the ledger has them, their pieces and their cost. p_moves:
what was moved, item by item; p_line_nos: the line of each.';

create function private.ship_transfer(p_transfer public.stock_transfers, p_lines jsonb, p_date date) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_transit_id uuid := private.shared_location(p_transfer.org_id, 'transit');
  v_moves private.stock_move[];
  v_line_nos integer[];
begin
  perform private.keep_open(p_transfer.org_id, array[p_transfer.to_location_id]);
  select array_agg(m.move order by m.place), array_agg(m.line_no order by m.place) into v_moves, v_line_nos
  from private.dispatch_moves(p_transfer, p_lines, v_transit_id) with ordinality m (line_no, move, place);
  perform private.lock_levels(p_transfer.org_id, array[p_transfer.from_location_id, v_transit_id,
    p_transfer.to_location_id],
    array(select m.variant_id from unnest(v_moves) m));
  -- Named lots go first, so that what expires first is taken from the rest.
  perform private.move_stock(p_transfer.org_id, 'stock_transfer', p_transfer.id, now(), (
    select array_agg(m order by m.batch_id is null) from unnest(v_moves) m));
  update public.stock_levels s
  set incoming = s.incoming + q.quantity, in_transit = s.in_transit + q.quantity, updated_at = now()
  from (select m.variant_id, sum(m.quantity) as quantity from unnest(v_moves) m group by 1) q
  where s.org_id = p_transfer.org_id and s.location_id = p_transfer.to_location_id and s.variant_id = q.variant_id;
  perform private.keep_dispatched(p_transfer, v_moves, v_line_nos);
  update public.stock_transfers
  set status = 'dispatched', dispatched_at = now(), dispatched_by = private.caller(), business_date = p_date,
    number = private.next_number(p_transfer.org_id, p_transfer.from_branch_id, 'stock_transfer', p_date)
  where org_id = p_transfer.org_id and id = p_transfer.id;
  perform private.emit(p_transfer.org_id, 'transfer.dispatched', jsonb_build_object('transfer_id', p_transfer.id,
    'from_branch_id', p_transfer.from_branch_id, 'to_branch_id', p_transfer.to_branch_id));
end;
$$;

comment on function private.ship_transfer(public.stock_transfers, jsonb, date) is
'Dispatches a draft whose row the caller has locked. p_lines: as private.dispatch_names takes them; p_date: the source
branch''s business date. Errors: as dispatch_transfer.';

-- Out of transit ----------------------------------------------------------------------------------

create function private.leave_transit(p_transfer public.stock_transfers, p_moves private.stock_move[],
  p_transit_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.lock_levels(p_transfer.org_id,
    array(select m.to_location_id from unnest(p_moves) m union select unnest(array[p_transit_id,
      p_transfer.to_location_id])),
    array(select m.variant_id from unnest(p_moves) m));
  perform private.move_stock(p_transfer.org_id, 'stock_transfer', p_transfer.id, now(), p_moves);
  -- Goods leave the road at what they were worth when they came onto it, so what stays there keeps its own worth.
  update public.stock_levels s
  set incoming = s.incoming - case when s.location_id = p_transit_id then 0 else q.quantity end,
    in_transit = s.in_transit - case when s.location_id = p_transit_id then 0 else q.quantity end,
    average_cost = case when s.location_id = p_transit_id and s.on_hand > 0
      then greatest(0, round(((s.on_hand + q.quantity) * s.average_cost - q.worth) / s.on_hand, 6)) else s.average_cost
        end,
    updated_at = now()
  from (
    select m.variant_id, sum(m.quantity) as quantity, sum(m.quantity * m.unit_cost) as worth from unnest(p_moves) m
      group by 1) q
  where s.org_id = p_transfer.org_id and s.location_id in (p_transit_id, p_transfer.to_location_id)
    and s.variant_id = q.variant_id;
end;
$$;

comment on function private.leave_transit(public.stock_transfers, private.stock_move[], uuid) is
'Takes goods of a transfer off the road, at the costs named, and off what its destination expects. p_moves: all from
p_transit_id. Errors: as private.move_stock.';

create function private.settle_transfer(p_transfer public.stock_transfers, p_receipt_id uuid, p_lines jsonb,
  p_quarantine_id uuid, p_note text, p_date date)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_transit_id uuid := private.shared_location(p_transfer.org_id, 'transit');
  v_lost_id uuid := private.shared_location(p_transfer.org_id, 'adjustment');
  v_moves private.stock_move[];
  v_sums record;
begin
  insert into public.stock_transfer_receipts (org_id, id, transfer_id, receipt_no, from_branch_id, to_branch_id,
    quarantine_location_id, business_date, note, created_by)
  select p_transfer.org_id, p_receipt_id, p_transfer.id, count(*) + 1, p_transfer.from_branch_id,
    p_transfer.to_branch_id,
    p_quarantine_id, p_date, p_note, private.caller()
  from public.stock_transfer_receipts where org_id = p_transfer.org_id and transfer_id = p_transfer.id;
  insert into public.stock_transfer_receipt_items (org_id, receipt_id, transfer_id, item_no, from_branch_id,
    to_branch_id,
    received, damaged, missing, received_serials, damaged_serials, missing_serials)
  select p_transfer.org_id, p_receipt_id, p_transfer.id, r.item_no, p_transfer.from_branch_id, p_transfer.to_branch_id,
    r.received, r.damaged, r.missing, r.received_serials, r.damaged_serials, r.missing_serials
  from private.read_receipt(p_transfer.org_id, p_transfer.id, p_lines) r;
  select array_agg(row (i.variant_id, v_transit_id, x.to_location_id, x.quantity, i.unit_cost, x.serials,
    i.batch_id)::private.stock_move
    order by i.item_no)
  into v_moves
  from public.stock_transfer_receipt_items r
  join public.stock_transfer_items i on i.org_id = r.org_id and i.transfer_id = r.transfer_id and i.item_no = r.item_no
  cross join lateral (values (p_transfer.to_location_id, r.received, r.received_serials),
    (coalesce(p_quarantine_id, v_lost_id), r.damaged, r.damaged_serials),
    (v_lost_id, r.missing, r.missing_serials)) x (to_location_id, quantity, serials)
  where r.org_id = p_transfer.org_id and r.receipt_id = p_receipt_id and x.quantity > 0;
  perform private.leave_transit(p_transfer, v_moves, v_transit_id);
  update public.stock_transfer_items i
  set received = i.received + r.received, damaged = i.damaged + r.damaged, missing = i.missing + r.missing
  from public.stock_transfer_receipt_items r
  where r.org_id = p_transfer.org_id and r.receipt_id = p_receipt_id
    and i.org_id = r.org_id and i.transfer_id = r.transfer_id and i.item_no = r.item_no;
  select sum(open) as open, sum(damaged + missing) as lost into v_sums from public.stock_transfer_items
  where org_id = p_transfer.org_id and transfer_id = p_transfer.id;
  update public.stock_transfers
  set status = case when v_sums.open = 0 then 'received' else 'partially_received' end,
    received_at = case when v_sums.open = 0 then now() end, has_differences = v_sums.lost > 0
  where org_id = p_transfer.org_id and id = p_transfer.id;
  perform private.emit(p_transfer.org_id, 'transfer.received', jsonb_build_object('transfer_id', p_transfer.id,
    'receipt_id', p_receipt_id, 'from_branch_id', p_transfer.from_branch_id, 'to_branch_id', p_transfer.to_branch_id,
    'open', v_sums.open, 'has_differences', v_sums.lost > 0));
end;
$$;

comment on function private.settle_transfer(public.stock_transfers, uuid, jsonb, uuid, text, date) is
'Receives what p_lines say of a transfer whose row the caller has locked. p_receipt_id: the receipt''s id;
p_quarantine_id: where damaged goods go, null writes them off; p_date: the receiving branch''s business date. Errors: as
receive_transfer.';

-- The acts ----------------------------------------------------------------------------------------

select private.declare_shape('create_transfer_options',
  '{"note": "text", "expected_on": "date", "immediate": "boolean"}',
  array['create_transfer.p_options']);

select private.declare_shape('transfer_lines',
  '{"variant_id": "uuid!", "quantity": "quantity!", "unit": "text", "serials": "serials", "batch": "text"}',
  array['create_transfer.p_lines'], '{1, 2000}');

create function public.create_transfer(p_id uuid, p_from_location_id uuid, p_to_location_id uuid, p_lines jsonb,
  p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_from public.locations;
  v_to public.locations;
  v_org_id uuid;
  v_date date;
  v_transfer public.stock_transfers;
begin
  select * into v_from from public.locations
  where org_id in (select private.org_of('public.locations', p_from_location_id)) and id = p_from_location_id;
  v_org_id := private.authorize_branch('transfer.manage', v_from.branch_id);
  perform private.check_shape('create_transfer_options', p_options);
  if private.claim_request(v_org_id, p_id, 'create_transfer',
    jsonb_build_array(p_from_location_id, p_to_location_id, p_lines, p_options)) then
    select l.* into v_to
    from public.locations l join public.branches b on b.org_id = l.org_id and b.id = l.branch_id
    where l.org_id = v_org_id and l.id = p_to_location_id and l.archived_at is null and b.archived_at is null;
    if v_from.archived_at is not null or v_to.id is null then
      perform private.fail(404, 'not_found', 'There is no such location.', jsonb_build_object('field',
        case when v_to.id is null then 'p_to_location_id' else 'p_from_location_id' end));
    elsif v_to.id = v_from.id or (v_to.branch_id <> v_from.branch_id and (p_options ->> 'immediate')::boolean) then
      perform private.fail(400, 'invalid_input', 'Goods go to another location; at once only within one branch.',
        '{"field": "p_to_location_id"}');
    end if;
    perform private.check_shape('transfer_lines', p_lines, 'p_lines');
    insert into public.stock_transfers (org_id, id, from_branch_id, from_location_id, to_branch_id, to_location_id,
      status,
      expected_on, note, created_by)
    values (v_org_id, p_id, v_from.branch_id, v_from.id, v_to.branch_id, v_to.id, 'draft',
      private.day(p_options ->> 'expected_on', 'expected_on'), p_options ->> 'note', private.caller())
    returning * into v_transfer;
    with read as materialized (
      select * from private.read_stock_lines(v_org_id, p_lines, p_from_location_id) with ordinality
        r (line_no, variant_id, quantity, set_variant_id, item_variant_id, item_quantity, serials, batch_id, sku,
          item_no)
    ), lines as (
      insert into public.stock_transfer_lines (org_id, transfer_id, line_no, from_branch_id, to_branch_id, variant_id,
        quantity,
        serials, batch_id)
      select distinct on (r.line_no) v_org_id, p_id, r.line_no, v_from.branch_id, v_to.branch_id, r.variant_id,
        r.quantity,
        private.texts(p_lines -> (r.line_no - 1) -> 'serials'), r.batch_id
      from read r order by r.line_no
    )
    insert into public.stock_transfer_items (org_id, transfer_id, item_no, line_no, from_branch_id, to_branch_id,
      variant_id,
      quantity)
    select v_org_id, p_id, r.item_no, r.line_no, v_from.branch_id, v_to.branch_id, r.item_variant_id, r.item_quantity
      from read r;
    if (p_options ->> 'immediate')::boolean then
      v_date := (now() at time zone (select timezone from public.branches where id = v_from.branch_id))::date;
      perform private.assert_period_open(v_org_id, v_date);
      perform private.ship_transfer(v_transfer, null, v_date);
      perform private.settle_transfer(v_transfer, p_id, null, null, null, v_date);
    end if;
  end if;
  return private.transfer_json(v_org_id, p_id);
end;
$$;

comment on function public.create_transfer(uuid, uuid, uuid, jsonb, jsonb) is
'Drafts a transfer, which moves nothing yet. p_id: the client''s uuid, the transfer''s id. p_from_location_id,
p_to_location_id: two locations of the same branch or of two. p_lines: [{"variant_id", "quantity" (in the variant''s
unit, or in "unit"?, another unit of the product), "serials"? (of numbered pieces; for a set those of its components),
"batch"? (the lot)}]; pieces and lots may also be named at the dispatch. p_options: note, expected_on (ISO 8601 date),
immediate (true: within one branch, dispatched and received at once). Returns the transfer as JSON with its lines, items
and receipts. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 id_reused; 422 not_stocked,
set_incomplete, unit_unknown, branch_archived; immediate: also as dispatch_transfer. Permission: transfer.manage at the
branch that sends.';
revoke execute on function public.create_transfer(uuid, uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.create_transfer(uuid, uuid, uuid, jsonb, jsonb) to authenticated;

create function public.dispatch_transfer(p_id uuid, p_transfer_id uuid, p_lines jsonb default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_transfer public.stock_transfers;
  v_date date;
begin
  v_transfer := private.document_named(null::public.stock_transfers, p_transfer_id);
  perform private.authorize_branch('transfer.manage', v_transfer.from_branch_id);
  if private.claim_request(v_transfer.org_id, p_id, 'dispatch_transfer', jsonb_build_array(p_transfer_id, p_lines)) then
    select * into v_transfer from public.stock_transfers where org_id = v_transfer.org_id and id = p_transfer_id
    for no key update;
    if v_transfer.status <> 'draft' then
      perform private.refuse_transition('stock_transfer', v_transfer.status, 'dispatched');
    end if;
    v_date := (now() at time zone (select timezone from public.branches where id = v_transfer.from_branch_id))::date;
    perform private.assert_period_open(v_transfer.org_id, v_date);
    perform private.ship_transfer(v_transfer, p_lines, v_date);
  end if;
  return private.transfer_json(v_transfer.org_id, p_transfer_id);
end;
$$;

comment on function public.dispatch_transfer(uuid, uuid, jsonb) is
'Sends a draft off: the goods leave their shelf and are on the road, the destination expects them, the transfer gets its
number. p_id: the client''s uuid of this act. p_transfer_id. p_lines: null, or [{"line_no", "serials"?, "batch"?}] for
numbered pieces and lots that the draft does not name, or others than it names; of lots not named what expires first
goes. Returns the transfer as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409
insufficient_stock, invalid_transition, period_closed, id_reused, serial_not_here, series_exhausted; 422
serials_required, branch_archived. Permission: transfer.manage at the branch that sends.';
revoke execute on function public.dispatch_transfer(uuid, uuid, jsonb) from public, anon;
grant execute on function public.dispatch_transfer(uuid, uuid, jsonb) to authenticated;

create function public.cancel_transfer(p_id uuid, p_transfer_id uuid, p_reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_transfer public.stock_transfers;
  v_transit_id uuid;
  v_date date;
begin
  v_transfer := private.document_named(null::public.stock_transfers, p_transfer_id);
  perform private.authorize_branch('transfer.manage', v_transfer.from_branch_id);
  if p_reason is null or length(btrim(p_reason)) not between 1 and 500 then
    perform private.fail(400, 'invalid_input', 'Say why it is cancelled, in 1 to 500 characters.',
      '{"field": "p_reason"}');
  end if;
  if private.claim_request(v_transfer.org_id, p_id, 'cancel_transfer', jsonb_build_array(p_transfer_id, p_reason)) then
    select * into v_transfer from public.stock_transfers where org_id = v_transfer.org_id and id = p_transfer_id
    for no key update;
    if v_transfer.status not in ('draft', 'dispatched') then
      perform private.refuse_transition('stock_transfer', v_transfer.status, 'cancelled');
    end if;
    if v_transfer.status = 'dispatched' then
      v_date := (now() at time zone (select timezone from public.branches where id = v_transfer.from_branch_id))::date;
      perform private.assert_period_open(v_transfer.org_id, v_date);
      v_transit_id := private.shared_location(v_transfer.org_id, 'transit');
      perform private.leave_transit(v_transfer, (
        select array_agg(row (i.variant_id, v_transit_id, v_transfer.from_location_id, i.quantity, i.unit_cost,
          i.serials,
          i.batch_id)::private.stock_move order by i.item_no)
        from public.stock_transfer_items i where i.org_id = v_transfer.org_id and i.transfer_id = p_transfer_id),
          v_transit_id);
    end if;
    update public.stock_transfers
    set status = 'cancelled', cancelled_at = now(), cancelled_by = private.caller(), cancel_reason = p_reason
    where org_id = v_transfer.org_id and id = p_transfer_id;
    perform private.emit(v_transfer.org_id, 'transfer.cancelled', jsonb_build_object('transfer_id', p_transfer_id,
      'from_branch_id', v_transfer.from_branch_id, 'to_branch_id', v_transfer.to_branch_id));
  end if;
  return private.transfer_json(v_transfer.org_id, p_transfer_id);
end;
$$;

comment on function public.cancel_transfer(uuid, uuid, text) is
'Calls a transfer off: a draft, or one on the road of which nothing was received; its goods go back to where they came
from, at their cost. p_id: the client''s uuid of this act. p_transfer_id. p_reason: 1 to 500 characters. Returns the
transfer as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invalid_transition,
period_closed, id_reused; 422 branch_archived. Permission: transfer.manage at the branch that sends.';
revoke execute on function public.cancel_transfer(uuid, uuid, text) from public, anon;
grant execute on function public.cancel_transfer(uuid, uuid, text) to authenticated;
