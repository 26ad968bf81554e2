-- What is not there for a promise; and goods that are promised and gone: whose promise stands in the way of saying so,
-- and an act that makes it smaller.

create function private.allow_reservations() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.allow_kinds('public.stock_reservations', 'document', array(
    select k.kind from private.document_kinds k where k.holds_stock is not null order by k.kind));
end;
$$;

comment on function private.allow_reservations() is
'A reservation''s document is of a kind that holds stock. A reaction to a new kind. No errors.';

select private.react('document_kind_added', 20, 'allow_reservations');
select private.add_document_kind('manual', 'reservations by hand', null, false, 'asked');
select private.add_document_kind('cart', 'carts', null, false, 'asked');

select private.add_event('reservation_asked', 'p_org_id uuid, p_branch_id uuid, p_document text, p_document_id uuid',
  'void',
'Goods are about to be reserved for a document (null: for none) at a branch. Errors: of its room, when it is not
there.');

create function private.reservation_shortages(p_org_id uuid, p_reservation_id uuid) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return (
    select jsonb_agg(jsonb_build_object('variant_id', d.variant_id, 'sku', v.sku, 'requested', d.quantity,
      'available', greatest(coalesce(s.available, 0) - x.expired, 0)) || case when x.expired > 0
        then jsonb_build_object('expired', x.expired) else '{}' end order by v.sku)
    from (
      select r.location_id, i.variant_id, sum(i.quantity) as quantity
      from public.stock_reservations r
      join public.stock_reservation_items i on i.org_id = r.org_id and i.reservation_id = r.id
      where r.org_id = p_org_id and r.id = p_reservation_id
      group by 1, 2) d
    join public.product_variants v on v.org_id = p_org_id and v.id = d.variant_id
    left join public.stock_levels s on s.org_id = p_org_id and s.location_id = d.location_id
      and s.variant_id = d.variant_id
    cross join lateral (select private.expired_stock(p_org_id, d.location_id, d.variant_id) as expired) x
    where coalesce(s.available, 0) - x.expired < d.quantity);
end;
$$;

comment on function private.reservation_shortages(uuid, uuid) is
'What is not there for a reservation, summed per variant, as insufficient_stock lists it; null when all is. What has
expired is promised to nobody. Under the levels'' locks.';

create function private.refuse_promised(p_org_id uuid, p_moves private.stock_move[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_locations uuid[] := array(select distinct m.from_location_id from unnest(p_moves) m);
  v_variants uuid[] := array(select distinct m.variant_id from unnest(p_moves) m);
  v_shortages jsonb;
begin
  for v_look in 1 .. 2 loop
    select jsonb_agg(jsonb_build_object('variant_id', d.variant_id, 'sku', v.sku, 'requested', d.quantity, 'available',
      s.available,
      'on_hand', s.on_hand, 'reservations', (
        select jsonb_agg(jsonb_build_object('reservation_id', h.id, 'document', h.document, 'document_id',
          h.document_id,
          'quantity', h.quantity) order by h.created_at, h.id)
        from (
          select r.id, r.document, r.document_id, r.created_at, sum(i.quantity) as quantity
          from public.stock_reservations r
          join public.stock_reservation_items i
            on i.org_id = r.org_id and i.reservation_id = r.id and i.variant_id = d.variant_id
          where r.org_id = p_org_id and r.location_id = d.from_location_id and r.status = 'active'
          group by 1, 2, 3, 4) h)) order by v.sku)
    into v_shortages
    from (
      select m.from_location_id, m.variant_id, sum(m.quantity) as quantity from unnest(p_moves) m group by 1, 2) d
    join public.stock_levels s on s.org_id = p_org_id and s.location_id = d.from_location_id
      and s.variant_id = d.variant_id
    join public.product_variants v on v.org_id = p_org_id and v.id = d.variant_id
    where d.quantity > s.available and d.quantity <= s.on_hand;
    exit when v_shortages is null or v_look = 2 or private.release_expired(p_org_id, v_locations, v_variants) = 0;
  end loop;
  if v_shortages is not null then
    perform private.fail(409, 'insufficient_stock', format('%s is promised: shorten a reservation first.',
      v_shortages -> 0 ->> 'sku'), jsonb_build_object('shortages', v_shortages));
  end if;
end;
$$;

comment on function private.refuse_promised(uuid, private.stock_move[]) is
'Refuses a loss of goods that are there and promised, and says to whom: a promise that nobody can keep is shortened
first. p_moves: what is lost; the caller has locked the levels. Errors: 409 insufficient_stock, whose shortages have
"on_hand" and "reservations" [{"reservation_id", "document", "document_id", "quantity"}].';

select private.declare_shape('shortened_lines',
  '{"variant_id": "uuid!", "quantity": "quantity!"}',
  array['shorten_reservation.p_lines'], '{1, 2000}');

create function public.shorten_reservation(p_id uuid, p_reservation_id uuid, p_lines jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_old public.stock_reservations;
  v_order_id uuid;
  v_org_id uuid;
  v_excess record;
  v_kept boolean;
begin
  v_old := private.document_named(null::public.stock_reservations, p_reservation_id);
  perform private.authorize('stock.reserve', v_old.org_id, v_old.branch_id);
  v_org_id := v_old.org_id;
  if v_old.document = 'sales_order' then
    -- Which customer waits is a matter of orders.
    perform private.authorize('order.manage', v_org_id, v_old.branch_id);
  end if;
  perform private.check_shape('shortened_lines', p_lines, 'p_lines');
  if private.claim_request(v_org_id, p_id, 'shorten_reservation', jsonb_build_array(p_reservation_id, p_lines)) then
    -- The order, the reservation, the levels: as everybody who touches what an order holds.
    select o.id into v_order_id from public.sales_orders o
    where o.org_id = v_org_id and o.id = v_old.document_id and o.reservation_id = p_reservation_id for no key update;
    select * into v_old from public.stock_reservations where org_id = v_org_id
      and id = p_reservation_id for no key update;
    if v_old.status <> 'active' then
      perform private.refuse_transition('stock_reservation', v_old.status, 'released');
    end if;
    perform private.lock_levels(v_org_id, array[v_old.location_id], array(
      select variant_id from public.stock_reservation_items where org_id = v_org_id
        and reservation_id = p_reservation_id));
    select c.variant_id, c.quantity as asked, coalesce(h.quantity, 0) as held into v_excess
    from (
      select (l ->> 'variant_id')::uuid as variant_id, sum((l ->> 'quantity')::numeric) as quantity
      from jsonb_array_elements(p_lines) l group by 1) c
    left join (
      select i.variant_id, sum(i.quantity) as quantity from public.stock_reservation_items i
      where i.org_id = v_org_id and i.reservation_id = p_reservation_id group by 1) h using (variant_id)
    where c.quantity > coalesce(h.quantity, 0) order by 1 limit 1;
    if v_excess.variant_id is not null then
      perform private.fail(422, 'shortening_exceeds_hold', 'The reservation holds less of this than it should give up.',
        jsonb_build_object('variant_id', v_excess.variant_id, 'held', v_excess.held, 'asked', v_excess.asked));
    end if;
    perform private.end_reservations(v_org_id, array[p_reservation_id], 'released');
    -- What is held is never edited: a smaller reservation takes its place. The first lines are served first, so the
    -- last give way.
    with kept as (
      select i.line_no, i.variant_id, i.quantity - least(i.quantity,
        greatest(coalesce(c.quantity, 0) - coalesce(sum(i.quantity)
        over (partition by i.variant_id order by i.line_no desc rows between unbounded preceding and 1 preceding), 0),
          0)) as quantity
      from public.stock_reservation_items i
      left join (
        select (l ->> 'variant_id')::uuid as variant_id, sum((l ->> 'quantity')::numeric) as quantity
        from jsonb_array_elements(p_lines) l group by 1) c using (variant_id)
      where i.org_id = v_org_id and i.reservation_id = p_reservation_id
    ), document as (
      insert into public.stock_reservations (org_id, id, branch_id, location_id, status, document, document_id,
        customer_id,
        expires_at, note, created_by)
      select v_org_id, p_id, v_old.branch_id, v_old.location_id, 'active', v_old.document, v_old.document_id,
        v_old.customer_id,
        v_old.expires_at, v_old.note, private.caller()
      where exists (select from kept where quantity > 0)
    ), lines as (
      insert into public.stock_reservation_lines (org_id, reservation_id, line_no, branch_id, variant_id, quantity)
      select v_org_id, p_id, l.line_no, l.branch_id, l.variant_id, l.quantity
      from public.stock_reservation_lines l
      where l.org_id = v_org_id and l.reservation_id = p_reservation_id
        and l.line_no in (select k.line_no from kept k where k.quantity > 0)
    ), items as (
      insert into public.stock_reservation_items (org_id, reservation_id, line_no, branch_id, variant_id, quantity)
      select v_org_id, p_id, k.line_no, v_old.branch_id, k.variant_id, k.quantity from kept k where k.quantity > 0
    )
    update public.stock_levels s set reserved = s.reserved + k.quantity, updated_at = now()
    from (select variant_id, sum(quantity) as quantity from kept group by 1) k
    where s.org_id = v_org_id and s.location_id = v_old.location_id and s.variant_id = k.variant_id and k.quantity > 0;
    v_kept := found;
    if v_kept then
      perform private.emit(v_org_id, 'reservation.created',
        jsonb_build_object('reservation_id', p_id, 'branch_id', v_old.branch_id,
        'location_id', v_old.location_id) || case when v_order_id is null then '{}'
          else jsonb_build_object('order_id', v_order_id) end);
    end if;
    if v_order_id is not null then
      update public.sales_orders set reservation_id = case when v_kept then p_id end where org_id = v_org_id
        and id = v_order_id;
    end if;
  end if;
  return coalesce(private.reservation_json(v_org_id, p_id), private.reservation_json(v_org_id, p_reservation_id));
end;
$$;

comment on function public.shorten_reservation(uuid, uuid, jsonb) is
'Holds less for somebody than was promised, because goods are gone that count as promised. The reservation is released
and a smaller one takes its place, for the same document, until the same moment; what an order lacks then is its
back-order. p_id: the client''s uuid, the new reservation''s id. p_reservation_id. p_lines: [{"variant_id" (what stands
on the shelf, of a set its component), "quantity" (how much less, in the variant''s unit)}], 1 to 2000 of them; the last
lines of the reservation give way first. Returns the new reservation as JSON, the old one, released, when nothing is
left. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invalid_transition (it has ended),
id_reused; 422 shortening_exceeds_hold. Permission: stock.reserve; for what an order holds also order.manage.';
revoke execute on function public.shorten_reservation(uuid, uuid, jsonb) from public, anon;
grant execute on function public.shorten_reservation(uuid, uuid, jsonb) to authenticated;

select private.react('stock_short', 10, 'release_expired');
select private.react('stock_lost', 10, 'refuse_promised');
