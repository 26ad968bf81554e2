-- The goods that an open order holds: a reservation without an end, taken anew at each step.

create function private.refuse_order_hold(p_org_id uuid, p_reservation_id uuid) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_order_id uuid := (
    select id from public.sales_orders where org_id = p_org_id and reservation_id = p_reservation_id limit 1);
begin
  if v_order_id is not null then
    perform private.fail(409, 'reservation_of_order', 'These goods are held for an order: deliver or cancel that.',
      jsonb_build_object('reservation_id', p_reservation_id, 'order_id', v_order_id));
  end if;
end;
$$;

comment on function private.refuse_order_hold(uuid, uuid) is
'What an order holds is given back by the order''s own acts only. Errors: 409 reservation_of_order.';

create function private.open_items(p_org_id uuid, p_order_id uuid)
returns table (line_no integer, variant_id uuid, base_quantity numeric, item_variant_id uuid, quantity numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select p.line_no, (p.line ->> 'variant_id')::uuid,
    private.base_part((p.line ->> 'base_quantity')::numeric, p.quantity, p.delivered, p.quantity, p.decimals),
    (c.item ->> 'variant_id')::uuid,
    private.base_part((c.item ->> 'quantity')::numeric, p.quantity, p.delivered, p.quantity,
      case when p.line -> 'set_items' <> 'null' then 3 else p.decimals end)
  from private.order_progress(p_org_id, p_order_id) p
  cross join lateral jsonb_array_elements(case when p.line -> 'set_items' <> 'null' then p.line -> 'set_items'
    else jsonb_build_array(p.line || jsonb_build_object('quantity', p.line -> 'base_quantity')) end) c (item)
  where p.stocked and p.delivered < p.quantity
  order by p.line_no, 4;
end;
$$;

comment on function private.open_items(uuid, uuid) is
'The goods that an order still has to deliver, sets as their components, in the variants'' own units. base_quantity: of
the line.';

create function private.lock_goods(p_org_id uuid, p_order public.sales_orders, p_location_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_reservation public.stock_reservations;
begin
  -- The reservation comes before the levels, as for everybody, and the levels of both places at once and in order.
  select * into v_reservation from public.stock_reservations
  where org_id = p_org_id and id = p_order.reservation_id for no key update;
  perform private.lock_levels(p_org_id,
    array_remove(array[p_location_id, p_order.location_id, v_reservation.location_id], null), array(
      select i.item_variant_id from private.open_items(p_org_id, p_order.id) i
      union
      select i.variant_id from public.stock_reservation_items i
      where i.org_id = p_org_id and i.reservation_id = v_reservation.id));
end;
$$;

comment on function private.lock_goods(uuid, public.sales_orders, uuid) is
'Locks all that an act on an order''s goods may touch: what it holds and what it still has to deliver, there and at
p_location_id. p_order: locked. No errors.';

create function private.prove_order_holds(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with holds as materialized (
    select r.id, r.branch_id, r.document_id from public.stock_reservations r
    where r.org_id = p_org_id and r.status = 'active' and r.document = 'sales_order'
  ), wanted as materialized (
    select h.id, w.line_no, w.item_variant_id, w.quantity from holds h
    cross join lateral private.open_items(p_org_id, h.document_id) w
  )
  select jsonb_build_object('reservation_id', h.id, 'order_id', h.document_id, 'status', o.status, 'order_holds',
    o.reservation_id)
  from holds h
  left join public.sales_orders o on o.org_id = p_org_id and o.id = h.document_id
  where o.id is null or o.reservation_id is distinct from h.id or o.branch_id <> h.branch_id
    or o.status not in ('confirmed', 'in_production', 'ready', 'partially_delivered')
  union all
  select jsonb_build_object('reservation_id', r.id, 'order_id', o.id, 'document', r.document, 'document_id',
    r.document_id)
  from public.sales_orders o
  join public.stock_reservations r on r.org_id = o.org_id and r.id = o.reservation_id
  where o.org_id = p_org_id and (r.document <> 'sales_order' or r.document_id <> o.id)
  union all
  select jsonb_build_object('reservation_id', h.id, 'order_id', h.document_id, 'line_no', i.line_no, 'variant_id',
    i.variant_id,
    'held', i.quantity, 'open', w.quantity)
  from holds h
  join public.stock_reservation_items i on i.org_id = p_org_id and i.reservation_id = h.id
  left join wanted w on w.id = h.id and w.line_no = i.line_no and w.item_variant_id = i.variant_id
  where i.quantity > coalesce(w.quantity, 0);
end;
$$;

comment on function private.prove_order_holds(uuid) is
'What is held for an order: each active reservation of one is the one that the order names, the order is open, and
nothing is held that it has not still to deliver. Returns the findings.';

create function private.let_go(p_org_id uuid, p_order public.sales_orders, p_status text, p_document text default null,
  p_document_id uuid default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_reservation public.stock_reservations;
begin
  select * into v_reservation from public.stock_reservations
  where org_id = p_org_id and id = p_order.reservation_id for no key update;
  if v_reservation.status = 'active' then
    perform private.lock_levels(p_org_id, array[v_reservation.location_id], array(
      select i.variant_id from public.stock_reservation_items i
      where i.org_id = p_org_id and i.reservation_id = v_reservation.id));
    perform private.end_reservations(p_org_id, array[v_reservation.id], p_status, p_document, p_document_id);
  end if;
end;
$$;

comment on function private.let_go(uuid, public.sales_orders, text, text, uuid) is
'Gives what an order holds back to the levels, whose locks it takes unless the caller has them. p_order: locked;
p_status: released, or fulfilled by p_document. No errors; nothing happens when it holds nothing.';

create function private.hold_goods(p_org_id uuid, p_order public.sales_orders, p_location_id uuid,
  p_expires_at timestamptz,
  p_strict boolean)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid := gen_random_uuid();
  v_variants uuid[] := array(select i.item_variant_id from private.open_items(p_org_id, p_order.id) i);
  v_held jsonb;
  v_shortages jsonb;
begin
  if cardinality(v_variants) = 0 then
    return null;
  end if;
  perform private.lock_levels(p_org_id, array[p_location_id], v_variants);
  for v_look in 1 .. 2 loop
    -- Lines are served in their order, as far as the goods reach.
    with wanted as (
      select i.*, coalesce(sum(i.quantity) over (partition by i.item_variant_id order by i.line_no
        rows between unbounded preceding and 1 preceding), 0) as before, greatest(s.available - x.expired, 0)
          as available, x.expired
      from private.open_items(p_org_id, p_order.id) i
      join public.stock_levels s
        on s.org_id = p_org_id and s.location_id = p_location_id and s.variant_id = i.item_variant_id
      -- What has expired is promised to nobody.
      cross join lateral (select private.expired_stock(p_org_id, p_location_id, i.item_variant_id) as expired) x
    ), served as (
      select w.*, least(w.quantity, greatest(w.available - w.before, 0)) as held from wanted w
    ), short as (
      select s.item_variant_id, sum(s.quantity) as requested, max(s.available) as available, max(s.expired) as expired
      from served s
      group by 1 having sum(s.held) < sum(s.quantity)
    )
    select (
        select jsonb_agg(jsonb_build_object('line_no', s.line_no, 'variant_id', s.variant_id, 'base_quantity',
          s.base_quantity,
          'item_variant_id', s.item_variant_id, 'quantity', s.held)) from served s where s.held > 0), (
        select jsonb_agg(jsonb_build_object('variant_id', h.item_variant_id, 'sku', v.sku, 'requested', h.requested,
          'available', h.available) || case when h.expired > 0 then jsonb_build_object('expired', h.expired) else '{}'
            end order by v.sku)
        from short h join public.product_variants v on v.org_id = p_org_id and v.id = h.item_variant_id)
    into v_held, v_shortages;
    exit when v_shortages is null or v_look = 2 or private.release_expired(p_org_id, array[p_location_id],
      v_variants) = 0;
  end loop;
  if p_strict and v_shortages is not null then
    perform private.fail(409, 'insufficient_stock', format('Not enough stock of %s.', v_shortages -> 0 ->> 'sku'),
      jsonb_build_object('shortages', v_shortages));
  elsif v_held is null then
    return null;
  end if;
  insert into public.stock_reservations (org_id, id, branch_id, location_id, status, document, document_id, customer_id,
    expires_at, created_by)
  values (p_org_id, v_id, p_order.branch_id, p_location_id, 'active', 'sales_order', p_order.id, p_order.customer_id,
    p_expires_at,
    private.caller());
  insert into public.stock_reservation_lines (org_id, reservation_id, line_no, branch_id, variant_id, quantity)
  select distinct p_org_id, v_id, (h ->> 'line_no')::integer, p_order.branch_id, (h ->> 'variant_id')::uuid,
    (h ->> 'base_quantity')::numeric
  from jsonb_array_elements(v_held) h;
  insert into public.stock_reservation_items (org_id, reservation_id, line_no, branch_id, variant_id, quantity)
  select p_org_id, v_id, (h ->> 'line_no')::integer, p_order.branch_id, (h ->> 'item_variant_id')::uuid,
    (h ->> 'quantity')::numeric
  from jsonb_array_elements(v_held) h;
  update public.stock_levels s set reserved = s.reserved + q.quantity, updated_at = now()
  from (
    select (h ->> 'item_variant_id')::uuid as variant_id, sum((h ->> 'quantity')::numeric) as quantity
    from jsonb_array_elements(v_held) h group by 1) q
  where s.org_id = p_org_id and s.location_id = p_location_id and s.variant_id = q.variant_id;
  perform private.emit(p_org_id, 'reservation.created', jsonb_build_object('reservation_id', v_id, 'branch_id',
    p_order.branch_id, 'location_id', p_location_id, 'order_id', p_order.id));
  return v_id;
end;
$$;

comment on function private.hold_goods(uuid, public.sales_orders, uuid, timestamptz, boolean) is
'Reserves what an order still has to deliver and returns the reservation, null when there is nothing to hold. p_order:
locked, and holding nothing; p_location_id: where; p_expires_at: null for as long as the order is open; p_strict: all of
it or nothing, else as much as there is, and the rest is a back-order. Errors: 409 insufficient_stock.';

select private.react('reservation_ends', 10, 'refuse_order_hold');

insert into private.proofs (proof, function) values ('reservations', 'prove_order_holds');

create function private.note_order_coupon(p_org_id uuid, p_coupon_id uuid, p_order_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.coupon_uses (org_id, coupon_id, order_id, entry, branch_id, customer_id, uses, amount, created_by)
  select p_org_id, p_coupon_id, s.id, 1, s.branch_id, s.customer_id, 1, (
      select sum((o ->> 'amount')::numeric) from public.sales_order_lines l, jsonb_array_elements(l.offers) o
      where l.org_id = s.org_id and l.order_id = s.id and o ->> 'coupon' is not null), private.caller()
  from public.sales_orders s where s.org_id = p_org_id and s.id = p_order_id;
end;
$$;

comment on function private.note_order_coupon(uuid, uuid, uuid) is
'Writes that an order, confirmed in this transaction, uses a coupon, whose lock the caller holds. No errors.';

create function private.give_order_coupon_back(p_org_id uuid, p_order_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.coupon_uses (org_id, coupon_id, order_id, entry, branch_id, customer_id, uses, amount, created_by)
  select u.org_id, u.coupon_id, u.order_id, 2, u.branch_id, u.customer_id, -1, u.amount, private.caller()
  from public.coupon_uses u where u.org_id = p_org_id and u.order_id = p_order_id and u.entry = 1
  on conflict do nothing;
end;
$$;

comment on function private.give_order_coupon_back(uuid, uuid) is
'Gives the use of a coupon back when its order, which is locked, is cancelled. No errors.';
