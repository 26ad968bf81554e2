-- Stock: a ledger of movements, and levels that change only together with it.

-- Tables ------------------------------------------------------------------------------------------

create table public.stock_levels (
  org_id uuid not null,
  branch_id uuid,
  location_id uuid not null,
  variant_id uuid not null,
  on_hand numeric(14, 3) not null default 0,
  reserved numeric(14, 3) not null default 0,
  incoming numeric(14, 3) not null default 0,
  available numeric(14, 3) not null generated always as (on_hand - reserved) stored,
  average_cost numeric(16, 6) not null default 0,
  updated_at timestamptz not null default now(),
  primary key (org_id, location_id, variant_id),
  foreign key (org_id, location_id) references public.locations (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  constraint on_hand_not_negative check (on_hand >= 0),
  constraint reserved_within_on_hand check (reserved between 0 and on_hand),
  check (incoming >= 0),
  check (average_cost >= 0)
) with (fillfactor = 80);

comment on table public.stock_levels is
'What lies where: quantities in the variant''s unit, average_cost per unit in the organisation''s currency (moving average).
Written by private.move_stock only, together with the ledger. fillfactor leaves room for updates in place.';

create table public.stock_movements (
  id bigint generated always as identity,
  org_id uuid not null,
  variant_id uuid not null,
  from_location_id uuid not null,
  to_location_id uuid not null,
  from_branch_id uuid,
  to_branch_id uuid,
  quantity numeric(14, 3) not null check (quantity > 0),
  unit_cost numeric(16, 6) not null check (unit_cost >= 0),
  document text not null check (document in ('invoice', 'stock_adjustment')),
  document_id uuid not null,
  occurred_at timestamptz not null,
  created_at timestamptz not null default now(),
  created_by uuid,
  primary key (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  foreign key (org_id, from_location_id) references public.locations (org_id, id),
  foreign key (org_id, to_location_id) references public.locations (org_id, id),
  check (from_location_id <> to_location_id)
);

comment on table public.stock_movements is
'The ledger, append-only: a quantity of a variant went from one location to another because of a document. unit_cost: what
one unit was worth when it moved. The sum over both ends is zero, always.';

create table public.stock_adjustments (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  location_id uuid not null,
  variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity <> 0),
  reason text not null check (reason in ('opening', 'damage', 'found', 'write_off', 'correction')),
  unit_cost numeric(16, 6) not null check (unit_cost >= 0),
  business_date date not null,
  created_at timestamptz not null default now(),
  created_by uuid not null,
  primary key (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.stock_adjustments is
'Stock that came or went without a purchase or a sale. quantity: positive in, negative out. unit_cost: per unit.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.stock_levels (branch_id);
create index on public.stock_levels (org_id, variant_id);
create index on public.stock_movements (org_id, variant_id, id);
create index on public.stock_movements (org_id, document_id);
create index on public.stock_movements (from_branch_id);
create index on public.stock_movements (to_branch_id);
create index on public.stock_adjustments (branch_id, created_at);

-- The one way stock moves -------------------------------------------------------------------------

create type private.stock_move as (
  variant_id uuid,
  from_location_id uuid,
  to_location_id uuid,
  quantity numeric,
  unit_cost numeric
);

comment on type private.stock_move is 'One movement to post. unit_cost null: at the average cost of where it comes from.';

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

create function private.move_stock(p_org_id uuid, p_document text, p_document_id uuid, p_occurred_at timestamptz,
  p_moves private.stock_move[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_locations uuid[];
  v_variants uuid[];
  v_shortages jsonb;
begin
  select array_agg(distinct e.location_id), array_agg(distinct e.variant_id) into v_locations, v_variants
  from (
    select m.from_location_id as location_id, m.variant_id from unnest(p_moves) m
    union all select m.to_location_id, m.variant_id from unnest(p_moves) m) e;

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

  -- Everybody locks in key order, so no two acts can wait for one another in a circle. There is no join beneath the lock:
  -- a row that changed while the statement waited could drop out of one. The sum per variant is checked: the same piece
  -- twice in one basket counts twice.
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
  select jsonb_agg(jsonb_build_object('variant_id', d.variant_id, 'sku', v.sku, 'requested', d.quantity,
    'available', coalesce(k.available, 0)) order by v.sku)
  into v_shortages
  from demanded d
  join public.product_variants v on v.org_id = p_org_id and v.id = d.variant_id
  left join locked k using (location_id, variant_id)
  where coalesce(k.available, 0) < d.quantity;

  if v_shortages is not null then
    perform private.fail(409, 'insufficient_stock', format('Not enough stock of %s.', v_shortages -> 0 ->> 'sku'),
      jsonb_build_object('shortages', v_shortages));
  end if;

  with moves as (
    select m.variant_id, m.from_location_id, m.to_location_id, m.quantity, f.branch_id as from_branch_id,
      t.branch_id as to_branch_id, f.holds_stock as from_holds, t.holds_stock as to_holds,
      coalesce(m.unit_cost, source.average_cost, target.average_cost, 0) as unit_cost
    from unnest(p_moves) m
    join public.locations f on f.org_id = p_org_id and f.id = m.from_location_id
    join public.locations t on t.org_id = p_org_id and t.id = m.to_location_id
    left join public.stock_levels source
      on source.org_id = p_org_id and source.location_id = m.from_location_id and source.variant_id = m.variant_id
    left join public.stock_levels target
      on target.org_id = p_org_id and target.location_id = m.to_location_id and target.variant_id = m.variant_id
  ), posted as (
    insert into public.stock_movements (org_id, variant_id, from_location_id, to_location_id, from_branch_id, to_branch_id,
      quantity, unit_cost, document, document_id, occurred_at, created_by)
    select p_org_id, variant_id, from_location_id, to_location_id, from_branch_id, to_branch_id, quantity, unit_cost,
      p_document, p_document_id, p_occurred_at, auth.uid()
    from moves
  ), changes as (
    select location_id, variant_id, sum(change) as change,
      sum(change) filter (where change > 0) as arrived, sum(change * unit_cost) filter (where change > 0) as arrived_worth
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
end;
$$;

comment on function private.move_stock(uuid, text, uuid, timestamptz, private.stock_move[]) is
'Posts movements and changes the levels, all or nothing. p_org_id; p_document and p_document_id: what caused them;
p_occurred_at; p_moves: quantities in the variant''s unit, unit costs in the organisation''s currency. Arrivals change the
moving average, departures do not. Errors: 409 insufficient_stock with {"shortages": [{"variant_id", "sku", "requested",
"available"}]}.';

-- adjust_stock ------------------------------------------------------------------------------------

create function public.adjust_stock(p_id uuid, p_location_id uuid, p_variant_id uuid, p_quantity numeric, p_reason text,
  p_unit_cost numeric default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_branch public.branches;
  v_org_id uuid;
  v_unit_cost numeric;
  v_decimals integer;
  v_date date;
  v_adjustment_location_id uuid;
  v_level public.stock_levels;
begin
  select b.* into v_branch
  from public.locations l join public.branches b on b.id = l.branch_id
  where l.id = p_location_id and l.archived_at is null;
  v_org_id := private.authorize_branch('stock.adjust', v_branch.id);

  select u.decimals into v_decimals
  from public.product_variants v
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.units u on u.code = p.unit_code
  where v.org_id = v_org_id and v.id = p_variant_id and p.kind = 'goods';
  if v_decimals is null then
    perform private.fail(404, 'not_found', 'There is no such variant to keep in stock.', '{"field": "p_variant_id"}');
  end if;
  if p_reason is null or p_reason not in ('opening', 'damage', 'found', 'write_off', 'correction') then
    perform private.fail(400, 'invalid_input', 'p_reason must be opening, damage, found, write_off or correction.',
      '{"field": "p_reason"}');
  end if;
  if p_quantity is null or p_quantity = 0 or p_quantity = 'NaN' or abs(p_quantity) >= 1e9
    or p_quantity <> round(p_quantity, v_decimals) then
    perform private.fail(400, 'invalid_input', format('p_quantity must not be 0, with %s decimals at most.', v_decimals),
      '{"field": "p_quantity"}');
  end if;
  if (p_reason in ('opening', 'found') and p_quantity < 0) or (p_reason in ('damage', 'write_off') and p_quantity > 0) then
    perform private.fail(400, 'invalid_input', format('%s goes the other way: change the sign of p_quantity.', p_reason),
      '{"field": "p_quantity"}');
  end if;
  if p_unit_cost is not null and (p_quantity < 0 or p_unit_cost < 0 or p_unit_cost = 'NaN' or p_unit_cost >= 1e9) then
    perform private.fail(400, 'invalid_input', 'p_unit_cost belongs to stock that comes in, and is 0 or more.',
      '{"field": "p_unit_cost"}');
  end if;

  if private.claim_request(v_org_id, p_id, 'adjust_stock',
    jsonb_build_array(p_location_id, p_variant_id, p_quantity, p_reason, p_unit_cost)) then
    v_date := (now() at time zone v_branch.timezone)::date;
    perform private.assert_period_open(v_org_id, v_date);
    v_adjustment_location_id := private.shared_location(v_org_id, 'adjustment');
    v_unit_cost := round(p_unit_cost, 6);
    perform private.move_stock(v_org_id, 'stock_adjustment', p_id, now(), array[
      case when p_quantity > 0
        then row (p_variant_id, v_adjustment_location_id, p_location_id, p_quantity, v_unit_cost)::private.stock_move
        else row (p_variant_id, p_location_id, v_adjustment_location_id, -p_quantity, null)::private.stock_move end]);
    insert into public.stock_adjustments (org_id, id, branch_id, location_id, variant_id, quantity, reason, unit_cost,
      business_date, created_by)
    select v_org_id, p_id, v_branch.id, p_location_id, p_variant_id, p_quantity, p_reason, m.unit_cost, v_date, private.caller()
    from public.stock_movements m where m.org_id = v_org_id and m.document_id = p_id;
    perform private.emit(v_org_id, 'stock.adjusted', jsonb_build_object('adjustment_id', p_id, 'location_id', p_location_id,
      'variant_id', p_variant_id, 'quantity', p_quantity, 'reason', p_reason));
  end if;

  select * into v_level from public.stock_levels
  where org_id = v_org_id and location_id = p_location_id and variant_id = p_variant_id;
  return (select to_jsonb(a) from public.stock_adjustments a where a.org_id = v_org_id and a.id = p_id)
    || jsonb_build_object('on_hand', v_level.on_hand, 'average_cost', v_level.average_cost);
end;
$$;

comment on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric) is
'Adds stock or takes it away, with a reason. p_id: the client''s uuid. p_location_id; p_variant_id. p_quantity: in the
variant''s unit, positive in, negative out. p_reason: opening, damage, found, write_off or correction. p_unit_cost: per unit,
for stock that comes in; null for the present average. Returns the adjustment as JSON with the level''s on_hand and
average_cost. Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input, 409 insufficient_stock, period_closed,
id_reused. Permission: stock.adjust.';
revoke execute on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric) from public, anon;
grant execute on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric) to authenticated;

-- The proof ---------------------------------------------------------------------------------------

create function public.check_stock(p_org_id uuid) returns table (location_id uuid, variant_id uuid, on_hand numeric, ledger numeric)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('audit.read', p_org_id);
  return query
  with ledger as (
    select e.location_id, e.variant_id, sum(e.quantity) as quantity
    from (
      select m.to_location_id as location_id, m.variant_id, m.quantity from public.stock_movements m where m.org_id = p_org_id
      union all
      select m.from_location_id, m.variant_id, -m.quantity from public.stock_movements m where m.org_id = p_org_id) e
    join public.locations l on l.org_id = p_org_id and l.id = e.location_id and l.holds_stock
    group by 1, 2
  )
  select coalesce(s.location_id, g.location_id), coalesce(s.variant_id, g.variant_id), coalesce(s.on_hand, 0),
    coalesce(g.quantity, 0)
  from (select * from public.stock_levels where org_id = p_org_id) s
  full join ledger g on g.location_id = s.location_id and g.variant_id = s.variant_id
  where coalesce(s.on_hand, 0) <> coalesce(g.quantity, 0);
end;
$$;

comment on function public.check_stock(uuid) is
'The levels that disagree with the ledger; none when all is well. p_org_id. Errors: 401, 404 not_found, 403
permission_denied. Permission: audit.read.';
revoke execute on function public.check_stock(uuid) from public, anon;
grant execute on function public.check_stock(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger append_only before update or delete on public.stock_movements
  for each row execute function audit.refuse_change();
create trigger keep_all before truncate on public.stock_movements for each statement execute function audit.refuse_change();
create trigger append_only before update or delete on public.stock_adjustments
  for each row execute function audit.refuse_change();
create trigger keep_all before truncate on public.stock_adjustments for each statement execute function audit.refuse_change();
select audit.attach('public.stock_adjustments');

-- Policies ----------------------------------------------------------------------------------------

alter table public.stock_levels enable row level security;
create policy "Who holds stock.read reads the levels of his branches" on public.stock_levels for select to authenticated
  using (branch_id in (select private.branches_with('stock.read')));

alter table public.stock_movements enable row level security;
create policy "Who holds stock.read reads movements from or to his branches" on public.stock_movements
  for select to authenticated
  using (from_branch_id in (select private.branches_with('stock.read'))
    or to_branch_id in (select private.branches_with('stock.read')));

alter table public.stock_adjustments enable row level security;
create policy "Who holds stock.read reads the adjustments of his branches" on public.stock_adjustments
  for select to authenticated
  using (branch_id in (select private.branches_with('stock.read')));

-- Grants ------------------------------------------------------------------------------------------

grant select on public.stock_levels, public.stock_movements, public.stock_adjustments to authenticated;
