-- Reservations: goods that stay on the shelf, promised to somebody until a moment.

select private.add_permissions('[
  {"code": "stock.reserve", "description": "Reserve stock and release it",
   "roles": ["cashier", "sales_executive", "inventory_manager"]}
]');

-- Tables ------------------------------------------------------------------------------------------

create table public.stock_reservations (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  location_id uuid not null,
  status text not null check (status in ('active', 'released', 'fulfilled', 'expired')),
  document text not null,
  document_id uuid,
  customer_id uuid,
  expires_at timestamptz,
  note text check (length(note) <= 2000),
  ended_at timestamptz,
  fulfilled_document text,
  fulfilled_document_id uuid,
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  check ((document = 'manual') = (document_id is null)),
  constraint only_orders_hold_without_end check (expires_at is not null or document = 'sales_order'),
  check ((status = 'active') = (ended_at is null)),
  check ((status = 'fulfilled') = (fulfilled_document_id is not null)
    and (fulfilled_document is null) = (fulfilled_document_id is null))
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.stock_reservations (org_id, created_at desc, id desc);
alter table public.stock_reservations add primary key (org_id, id);

comment on table public.stock_reservations is
'Goods at a location that are promised. document, document_id: for what, "manual" for nothing but the note. While status
is active, its items are part of the levels'' reserved; once it ends, none is. expires_at: from when on anybody short of
these goods may have them; null, for a sales order: as long as the order is open. fulfilled_document,
fulfilled_document_id: what took them.';

create table public.stock_reservation_lines (
  org_id uuid not null,
  reservation_id uuid not null,
  line_no integer not null,
  branch_id uuid not null,
  variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  primary key (org_id, reservation_id, line_no),
  foreign key (org_id, reservation_id) references public.stock_reservations (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.stock_reservation_lines
  is 'What was asked for, sets as sets. quantity: in the variant''s unit.';

create table public.stock_reservation_items (
  org_id uuid not null,
  reservation_id uuid not null,
  line_no integer not null,
  branch_id uuid not null,
  variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  primary key (org_id, reservation_id, line_no, variant_id),
  foreign key (org_id, reservation_id, line_no) references public.stock_reservation_lines (org_id, reservation_id,
    line_no),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.stock_reservation_items is
'What a line holds on the shelf: itself, or a set''s components as they were on the day. quantity: in the variant''s
unit.';

-- Indexes -----------------------------------------------------------------------------------------
-- None begins with org_id: beside a document's key, the plan for a small table might take it for the key.

create index on public.stock_reservation_items (variant_id, org_id);
create index on public.stock_reservation_lines (variant_id, org_id);
create index on public.stock_reservations (branch_id, created_at desc);
create index on public.stock_reservations (location_id, expires_at) where status = 'active';
create index on public.stock_reservations (expires_at) where status = 'active';
create index on public.stock_reservations (document_id) where document_id is not null;

-- Lifecycle ---------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('stock_reservation', 'new', 'active', 'stock.reserve'),
  ('stock_reservation', 'active', 'released', 'stock.reserve'),
  ('stock_reservation', 'active', 'expired', null);

-- Functions ---------------------------------------------------------------------------------------

create function private.end_reservations(p_org_id uuid, p_ids uuid[], p_status text, p_document text default null,
  p_document_id uuid default null)
returns integer
language plpgsql
set search_path = ''
as $$
begin
  if coalesce(cardinality(p_ids), 0) = 0 then
    return 0;
  end if;
  update public.stock_levels s set reserved = s.reserved - q.quantity, updated_at = now()
  from (
    select r.location_id, i.variant_id, sum(i.quantity) as quantity
    from public.stock_reservations r
    join public.stock_reservation_items i on i.org_id = r.org_id and i.reservation_id = r.id
    where r.org_id = p_org_id and r.id = any (p_ids) and r.status = 'active'
    group by 1, 2) q
  where s.org_id = p_org_id and s.location_id = q.location_id and s.variant_id = q.variant_id;
  update public.stock_reservations
  set status = p_status, ended_at = now(), fulfilled_document = p_document, fulfilled_document_id = p_document_id
  where org_id = p_org_id and id = any (p_ids);
  if p_status <> 'fulfilled' then
    insert into private.outbox (org_id, event, payload)
    select r.org_id, 'reservation.' || p_status, jsonb_build_object('reservation_id', r.id, 'branch_id', r.branch_id,
      'document', r.document, 'document_id', r.document_id)
    from public.stock_reservations r where r.org_id = p_org_id and r.id = any (p_ids);
  end if;
  return cardinality(p_ids);
end;
$$;

comment on function private.end_reservations(uuid, uuid[], text, text, uuid) is
'Gives what active reservations hold back to the levels and ends them. p_ids: the reservations; the caller has locked
their rows and their items'' levels. p_status: released, fulfilled or expired; p_document, p_document_id: what took the
goods. Returns how many ended. Errors: 409 invalid_transition.';

create function private.release_expired(p_org_id uuid, p_location_ids uuid[], p_variant_ids uuid[]) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_variants uuid[];
begin
  select array_agg(e.id) into v_ids
  from (
    select r.id from public.stock_reservations r
    where r.org_id = p_org_id and r.location_id = any (p_location_ids) and r.status = 'active' and r.expires_at <= now()
      and exists (
        select from public.stock_reservation_items i
        where i.org_id = r.org_id and i.reservation_id = r.id and i.variant_id = any (p_variant_ids))
    for no key update of r skip locked) e;
  if v_ids is null then
    return 0;
  end if;
  -- Levels are held already, and a reservation comes before levels in the order of locks; some of its items may lie on
  -- other levels. So nothing here waits: what somebody else holds is passed by.
  select array_agg(distinct i.variant_id) into v_variants from public.stock_reservation_items i
  where i.org_id = p_org_id and i.reservation_id = any (v_ids);
  with locked as (
    select s.location_id, s.variant_id from public.stock_levels s
    where s.org_id = p_org_id and s.location_id = any (p_location_ids) and s.variant_id = any (v_variants)
    for no key update of s skip locked
  )
  select array_agg(r.id) into v_ids from public.stock_reservations r
  where r.org_id = p_org_id and r.id = any (v_ids) and not exists (
    select from public.stock_reservation_items i
    where i.org_id = r.org_id and i.reservation_id = r.id
      and not exists (select from locked k where k.location_id = r.location_id and k.variant_id = i.variant_id));
  return private.end_reservations(p_org_id, v_ids, 'expired');
end;
$$;

comment on function private.release_expired(uuid, uuid[], uuid[]) is
'Ends the reservations that have expired and hold any of these variants at these locations, whose levels the caller has
locked. Never waits for a lock: what somebody else is working on stays. Returns how many ended.';

create function private.expire_reservations(p_org_id uuid) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_level record;
begin
  v_ids := array(
    select r.id from public.stock_reservations r
    where r.org_id = p_org_id and r.status = 'active' and r.expires_at <= now()
    order by r.expires_at limit 500 for no key update of r skip locked);
  -- The levels concerned and no others, one by one in their order: a join beneath the lock may lose a row, and every
  -- location with every variant would make the tills wait for goods that nobody gives back.
  for v_level in
    select distinct r.location_id, i.variant_id
    from public.stock_reservations r
    join public.stock_reservation_items i on i.org_id = r.org_id and i.reservation_id = r.id
    where r.org_id = p_org_id and r.id = any (v_ids)
    order by 1, 2
  loop
    perform from public.stock_levels s
    where s.org_id = p_org_id and s.location_id = v_level.location_id and s.variant_id = v_level.variant_id
    for no key update of s;
  end loop;
  return private.end_reservations(p_org_id, v_ids, 'expired');
end;
$$;

comment on function private.expire_reservations(uuid) is
'The job: ends up to 500 expired reservations of an organisation, the oldest first. Returns how many. Stock does not
wait for it: who is short of goods ends the expired ones himself, by private.release_expired.';

create function private.fulfil_reservation(p_org_id uuid, p_reservation_id uuid, p_branch_id uuid, p_document text,
  p_document_id uuid, p_moves private.stock_move[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_reservation public.stock_reservations;
  v_locations uuid[];
  v_variants uuid[];
begin
  select * into v_reservation from public.stock_reservations
  where org_id = p_org_id and id = p_reservation_id and branch_id = p_branch_id
  for no key update;
  if v_reservation.id is null then
    perform private.fail(404, 'not_found', 'The branch has no such reservation.', '{"field": "reservation_id"}');
  elsif v_reservation.status <> 'active' then
    perform private.refuse_transition('stock_reservation', v_reservation.status, 'fulfilled');
  end if;
  perform private.reservation_ends(p_org_id, p_reservation_id);
  select array_agg(distinct m.from_location_id) || v_reservation.location_id into v_locations from unnest(p_moves) m;
  v_variants := array(
    select m.variant_id from unnest(p_moves) m
    union
    select i.variant_id from public.stock_reservation_items i where i.org_id = p_org_id
      and i.reservation_id = p_reservation_id);
  perform private.lock_levels(p_org_id, v_locations, v_variants);
  perform private.end_reservations(p_org_id, array[p_reservation_id], 'fulfilled', p_document, p_document_id);
end;
$$;

comment on function private.fulfil_reservation(uuid, uuid, uuid, text, uuid, private.stock_move[]) is
'Gives what a reservation holds back to the levels for a document that takes the goods in the same transaction, by
p_moves, which may be more or less than was reserved. p_branch_id: the branch that both are of; p_document,
p_document_id: what takes them. A reservation past its time that nobody has ended yet still counts. Errors: 404
not_found, 409 invalid_transition, reservation_of_order.';

select private.declare_shape('reserved_lines',
  '{"variant_id": "uuid!", "quantity": "quantity!", "unit": "text"}',
  array['reserve_stock.p_lines'], '{1, 2000}');

create function private.check_reservation(p_org_id uuid, p_location public.locations, p_expires_at timestamptz,
  p_lines jsonb,
  p_options jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_archived record;
begin
  if p_location.archived_at is not null then
    perform private.fail(404, 'not_found', 'There is no such location.', '{"field": "p_location_id"}');
  elsif not p_location.is_sellable then
    perform private.fail(422, 'location_not_sellable', 'Goods in quarantine are not promised to anybody.',
      '{"field": "p_location_id"}');
  end if;
  if p_expires_at <= now() or p_expires_at > now() + interval '90 days' then
    perform private.fail(400, 'invalid_input', 'expires_at lies in the future, 90 days ahead at most.',
      '{"field": "expires_at"}');
  end if;
  if (coalesce(p_options ->> 'document', 'manual') = 'manual') <> (private.id_option(p_options, 'document_id') is null)
    or not exists (
      select from private.document_kinds k
      where k.kind = coalesce(p_options ->> 'document', 'manual') and k.holds_stock = 'asked') then
    perform private.fail(400, 'invalid_input',
      'document is quotation or cart, with its document_id; or manual, without. An order holds '
      'its goods by itself.', '{"field": "document"}');
  end if;
  perform private.reservation_asked(p_org_id, p_location.branch_id, p_options ->> 'document',
    private.id_option(p_options, 'document_id'));
  if p_options ->> 'customer_id' is not null and not exists (
    select from public.customers
    where org_id = p_org_id and id = private.id_option(p_options, 'customer_id') and archived_at is null) then
    perform private.fail(404, 'not_found', 'There is no such customer.', '{"field": "customer_id"}');
  end if;
  perform private.check_shape('reserved_lines', p_lines, 'p_lines');
  select t.place, v.id, v.sku into v_archived
  from jsonb_array_elements(p_lines) with ordinality t (line, place)
  join public.product_variants v on v.org_id = p_org_id and v.id = (t.line ->> 'variant_id')::uuid
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  where v.archived_at is not null or p.archived_at is not null order by t.place limit 1;
  if v_archived.id is not null then
    perform private.fail(422, 'variant_archived', format('%s is no longer sold.', v_archived.sku),
      jsonb_build_object('line', v_archived.place, 'variant_id', v_archived.id, 'sku', v_archived.sku));
  end if;
end;
$$;

comment on function private.check_reservation(uuid, public.locations, timestamptz, jsonb, jsonb) is
'Refuses what cannot be reserved, but for what is there. Parameters and errors: as reserve_stock''s.';

create function private.reservation_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select to_jsonb(r) - 'request_id' || jsonb_build_object('lines', (
      select jsonb_agg(jsonb_build_object('line_no', l.line_no, 'variant_id', l.variant_id, 'sku', v.sku, 'name',
        v.name,
        'quantity', l.quantity, 'items', (
          select jsonb_agg(jsonb_build_object('variant_id', i.variant_id, 'sku', c.sku, 'name', c.name, 'quantity',
            i.quantity)
            order by c.sku)
          from public.stock_reservation_items i
          join public.product_variants c on c.org_id = i.org_id and c.id = i.variant_id
          where i.org_id = l.org_id and i.reservation_id = l.reservation_id and i.line_no = l.line_no))
            order by l.line_no)
      from public.stock_reservation_lines l
      join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
      where l.org_id = r.org_id and l.reservation_id = r.id))
    from public.stock_reservations r where r.org_id = p_org_id and r.id = p_id);
end;
$$;

comment on function private.reservation_json(uuid, uuid)
  is 'A reservation with its lines and their items, as clients see it.';

-- The acts ----------------------------------------------------------------------------------------

select private.declare_shape('reserve_stock_options',
  '{"expires_at": "instant", "document": "text", "document_id": "uuid", "customer_id": "uuid", "note": "text"}',
  array['reserve_stock.p_options']);

create function public.reserve_stock(p_id uuid, p_location_id uuid, p_lines jsonb, p_options jsonb
  default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_location public.locations;
  v_org_id uuid;
  v_expires_at timestamptz;
  v_variants uuid[];
  v_shortages jsonb;
begin
  select * into v_location from public.locations
  where org_id in (select private.org_of('public.locations', p_location_id)) and id = p_location_id;
  v_org_id := private.authorize_branch('stock.reserve', v_location.branch_id);
  perform private.check_shape('reserve_stock_options', p_options);
  if private.claim_request(v_org_id, p_id, 'reserve_stock', jsonb_build_array(p_location_id, p_lines, p_options)) then
    v_expires_at := case when p_options ->> 'expires_at' is null then now() + interval '7 days'
      else private.instant(p_options ->> 'expires_at', 'expires_at') end;
    perform private.check_reservation(v_org_id, v_location, v_expires_at, p_lines, p_options);
    insert into public.stock_reservations (org_id, id, branch_id, location_id, status, document, document_id,
      customer_id,
      expires_at, note, created_by)
    values (v_org_id, p_id, v_location.branch_id, p_location_id, 'active', coalesce(p_options ->> 'document', 'manual'),
      private.id_option(p_options, 'document_id'), private.id_option(p_options, 'customer_id'), v_expires_at,
      p_options ->> 'note', private.caller());
    with read as materialized (
      select * from private.read_stock_lines(v_org_id, p_lines, p_location_id)
    ), lines as (
      insert into public.stock_reservation_lines (org_id, reservation_id, line_no, branch_id, variant_id, quantity)
      select distinct on (line_no) v_org_id, p_id, line_no, v_location.branch_id, variant_id, quantity from read
        order by line_no
    )
    insert into public.stock_reservation_items (org_id, reservation_id, line_no, branch_id, variant_id, quantity)
    select v_org_id, p_id, line_no, v_location.branch_id, item_variant_id, item_quantity from read;

    v_variants := array(select variant_id from public.stock_reservation_items where org_id = v_org_id
      and reservation_id = p_id);
    perform private.lock_levels(v_org_id, array[p_location_id], v_variants);
    v_shortages := private.reservation_shortages(v_org_id, p_id);
    if v_shortages is not null and private.release_expired(v_org_id, array[p_location_id], v_variants) > 0 then
      v_shortages := private.reservation_shortages(v_org_id, p_id);
    end if;
    if v_shortages is not null then
      perform private.fail(409, 'insufficient_stock', format('Not enough stock of %s.', v_shortages -> 0 ->> 'sku'),
        jsonb_build_object('shortages', v_shortages));
    end if;
    update public.stock_levels s set reserved = s.reserved + q.quantity, updated_at = now()
    from (
      select variant_id, sum(quantity) as quantity from public.stock_reservation_items
      where org_id = v_org_id and reservation_id = p_id group by 1) q
    where s.org_id = v_org_id and s.location_id = p_location_id and s.variant_id = q.variant_id;
    perform private.emit(v_org_id, 'reservation.created', jsonb_build_object('reservation_id', p_id,
      'branch_id', v_location.branch_id, 'location_id', p_location_id));
  end if;
  return private.reservation_json(v_org_id, p_id);
end;
$$;

comment on function public.reserve_stock(uuid, uuid, jsonb, jsonb) is
'Holds goods at a location for somebody, all lines or none; a set by its components. p_id: the client''s uuid, the
reservation''s id. p_location_id: where they stand. p_lines: [{"variant_id", "quantity" (in the variant''s unit, or in
"unit"?, another unit of the product)}]; a reservation holds quantities, no numbered pieces and no lots, and none of
what has expired. p_options: expires_at (ISO 8601, in the future, 90 days ahead at most; 7 days when left out), document
(quotation or cart; an order holds its goods when it is confirmed) with document_id, customer_id, note.
Returns the reservation as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409
insufficient_stock, id_reused; 422 location_not_sellable, not_stocked, set_incomplete, unit_unknown, variant_archived,
branch_archived. Permission: stock.reserve.';
revoke execute on function public.reserve_stock(uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.reserve_stock(uuid, uuid, jsonb, jsonb) to authenticated;

create function public.release_reservation(p_id uuid, p_reservation_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_reservation public.stock_reservations;
begin
  v_reservation := private.document_named(null::public.stock_reservations, p_reservation_id);
  perform private.authorize('stock.reserve', v_reservation.org_id, v_reservation.branch_id);
  if private.claim_request(v_reservation.org_id, p_id, 'release_reservation', jsonb_build_array(p_reservation_id)) then
    select * into v_reservation from public.stock_reservations
    where org_id = v_reservation.org_id and id = p_reservation_id
    for no key update;
    if v_reservation.status <> 'active' then
      perform private.refuse_transition('stock_reservation', v_reservation.status, 'released');
    end if;
    perform private.reservation_ends(v_reservation.org_id, p_reservation_id);
    perform private.lock_levels(v_reservation.org_id, array[v_reservation.location_id], array(
      select variant_id from public.stock_reservation_items
      where org_id = v_reservation.org_id and reservation_id = p_reservation_id));
    perform private.end_reservations(v_reservation.org_id, array[p_reservation_id], 'released');
  end if;
  return private.reservation_json(v_reservation.org_id, p_reservation_id);
end;
$$;

comment on function public.release_reservation(uuid, uuid) is
'Gives what a reservation holds back to everybody. p_id: the client''s uuid of this act. p_reservation_id. Returns the
reservation as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invalid_transition (it
has ended), reservation_of_order, id_reused.
Permission: stock.reserve.';
revoke execute on function public.release_reservation(uuid, uuid) from public, anon;
grant execute on function public.release_reservation(uuid, uuid) to authenticated;

create function public.get_reservation(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_reservation public.stock_reservations;
begin
  v_reservation := private.document_named(null::public.stock_reservations, p_id);
  perform private.authorize('stock.read', v_reservation.org_id, v_reservation.branch_id);
  return private.reservation_json(v_reservation.org_id, p_id);
end;
$$;

comment on function public.get_reservation(uuid) is
'One reservation with its lines, as reserve_stock returns it. p_id: the reservation. Errors: 401, 403 permission_denied,
404 not_found. Permission: stock.read.';
revoke execute on function public.get_reservation(uuid) from public, anon;
grant execute on function public.get_reservation(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t40_enforce_lifecycle before insert or update or delete on public.stock_reservations
  for each row execute function private.enforce_lifecycle('stock_reservation', 'status', 'ended_at',
    'fulfilled_document',
    'fulfilled_document_id');
create trigger t10_refuse_change_truncate before truncate on public.stock_reservations for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.stock_reservation_lines
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_reservation_lines
  for each statement execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.stock_reservation_items
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_reservation_items
  for each statement execute function audit.refuse_change();
select audit.attach('public.stock_reservations');
select audit.attach('public.stock_reservation_lines', 'reservation_id', 'line_no');
select audit.attach('public.stock_reservation_items', 'reservation_id', 'line_no', 'variant_id');

insert into private.schedules (name, cron, routine, organizations, purpose) values
  ('expired-reservations', '* * * * *', 'private.expire_reservations',
  'select r.org_id from public.stock_reservations r where r.status = ''active'' and r.expires_at <= now()',
  'Ends the reservations that have expired');

-- Policies ----------------------------------------------------------------------------------------

alter table public.stock_reservations enable row level security;
create policy "Who holds stock.read reads the reservations of his branches" on public.stock_reservations
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_reservation_lines enable row level security;
create policy "Who holds stock.read reads reserved lines of his branches" on public.stock_reservation_lines
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_reservation_items enable row level security;
create policy "Who holds stock.read reads reserved items of his branches" on public.stock_reservation_items
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.stock_reservations, public.stock_reservation_lines, public.stock_reservation_items
  to authenticated;

select private.add_event('reservation_ends', 'p_org_id uuid, p_reservation_id uuid', 'void',
'A reservation, which is locked, is about to be released or fulfilled by somebody who names it. Errors: of whoever alone
ends it.');
