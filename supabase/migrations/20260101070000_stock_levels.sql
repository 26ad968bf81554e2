-- Stock: a ledger of movements, and levels that change only together with it.

select private.add_permissions('[
  {"code": "stock.read", "description": "Read stock levels and movements",
   "roles": ["cashier", "sales_executive", "inventory_manager", "technician"]},
  {"code": "stock.adjust", "description": "Adjust stock, with a reason", "roles": ["inventory_manager"]},
  {"code": "sale.expired", "description": "Sell goods past their expiry date", "roles": []}
]');

-- Tables ------------------------------------------------------------------------------------------

create table public.stock_levels (
  org_id uuid not null,
  branch_id uuid,
  location_id uuid not null,
  variant_id uuid not null,
  on_hand numeric(14, 3) not null default 0,
  reserved numeric(14, 3) not null default 0,
  incoming numeric(14, 3) not null default 0,
  in_transit numeric(14, 3) not null default 0,
  available numeric(14, 3) not null generated always as (on_hand - reserved) stored,
  average_cost numeric(16, 6) not null default 0,
  updated_at timestamptz not null default now(),
  primary key (org_id, location_id, variant_id),
  foreign key (org_id, location_id) references public.locations (org_id, id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  constraint on_hand_not_negative check (on_hand >= 0),
  constraint reserved_within_on_hand check (reserved between 0 and on_hand),
  constraint in_transit_within_incoming check (in_transit between 0 and incoming),
  check (average_cost >= 0)
) with (fillfactor = 80);

comment on table public.stock_levels is
'What lies where: quantities in the variant''s unit, average_cost per unit in the organisation''s currency (moving
average). on_hand: what is there, changed by private.move_stock only, together with the ledger. reserved: the part of it
that is promised; available: the rest. incoming: what will come here; in_transit: the part of that which is on the road,
so far all of it, since only transfers bring goods.
fillfactor leaves room for updates in place.';

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
  serials text[],
  batch_id uuid,
  document text not null,
  document_id uuid not null,
  occurred_at timestamptz not null,
  created_at timestamptz not null default now(),
  created_by uuid,
  primary key (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  foreign key (org_id, from_location_id) references public.locations (org_id, id),
  foreign key (org_id, to_location_id) references public.locations (org_id, id),
  foreign key (org_id, from_branch_id, from_location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, to_branch_id, to_location_id) references public.locations (org_id, branch_id, id),
  check (from_location_id <> to_location_id),
  check (cardinality(serials) = quantity)
);

comment on table public.stock_movements is
'The ledger, append-only: a quantity of a variant went from one location to another because of a document. unit_cost:
what one unit was worth when it moved. serials: the pieces, where each has a number; batch_id: the lot, where there are
lots. The sum over both ends is zero, always.';

create table public.stock_adjustments (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  location_id uuid not null,
  variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity <> 0),
  reason text not null check (reason in ('opening', 'damage', 'found', 'write_off', 'correction')),
  unit_cost numeric(16, 6) not null check (unit_cost >= 0),
  on_hand numeric(14, 3) not null check (on_hand >= 0),
  average_cost numeric(16, 6) not null check (average_cost >= 0),
  business_date date not null,
  note text check (length(note) <= 2000),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.stock_adjustments is
'Stock that came or went without a purchase or a sale. quantity: positive in, negative out. unit_cost: per unit.
on_hand, average_cost: what the level said right after it, so that a repeated call is answered as the first was.';

-- Indexes -----------------------------------------------------------------------------------------

-- Lists go by branch and place, or within one place, which is counted in its index alone: it has what the policy asks.
-- None of these columns ever changes, so a sale rewrites no index.
create index on public.stock_levels (org_id, branch_id, location_id, variant_id);
create index on public.stock_levels (branch_id, location_id, variant_id);
create index on public.stock_levels (location_id, variant_id) include (org_id, branch_id);
create index on public.stock_levels (org_id, variant_id);
create index on public.stock_movements (org_id, variant_id, id);
create index on public.stock_movements (org_id, document_id);
create index on public.stock_movements (from_branch_id, occurred_at);
create index on public.stock_movements (to_branch_id, occurred_at);
create index on public.stock_adjustments (branch_id, created_at);
create index on public.stock_adjustments (variant_id, org_id);

-- The proof ---------------------------------------------------------------------------------------

create view private.stock_entries with (security_invoker = true) as
select e.org_id, e.id, e.location_id, e.variant_id, e.batch_id, e.quantity
from (
  select m.org_id, m.id, m.to_location_id as location_id, m.variant_id, m.batch_id, m.quantity
    from public.stock_movements m
  union all
  select m.org_id, m.id, m.from_location_id, m.variant_id, m.batch_id, -m.quantity from public.stock_movements m) e
join public.locations l on l.org_id = e.org_id and l.id = e.location_id and l.holds_stock;

comment on view private.stock_entries is
'The ledger as entries of the places that hold stock: id: of the movement; quantity: what it brought to the place,
negative when it took it away, in the variant''s unit. What lies somewhere is the sum of its entries. Asked for one
org_id.';

create function private.allow_movements() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.allow_kinds('public.stock_movements', 'document', array(
    select k.kind from private.document_kinds k where k.moves_stock order by k.kind));
end;
$$;

comment on function private.allow_movements()
  is 'A movement''s document is of a kind that moves stock. A reaction to a new kind. No errors.';

select private.react('document_kind_added', 10, 'allow_movements');

create function private.prove_ledger(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with ledger as (
    select e.location_id, e.variant_id, sum(e.quantity) as quantity
    from private.stock_entries e where e.org_id = p_org_id group by 1, 2
  )
  select jsonb_build_object('location_id', location_id, 'variant_id', variant_id, 'on_hand', s.on_hand, 'ledger',
    g.quantity)
  from (select * from public.stock_levels where org_id = p_org_id) s
  full join ledger g using (location_id, variant_id)
  where coalesce(s.on_hand, 0) <> coalesce(g.quantity, 0);
end;
$$;

comment on function private.prove_ledger(uuid) is
'Ledger = levels: every level is the sum of its movements, and no movement went where there is no level. Returns the
findings.';

create function public.check_stock(p_org_id uuid) returns table (location_id uuid, variant_id uuid, on_hand numeric,
  ledger numeric)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('audit.read', p_org_id);
  return query
  select (f ->> 'location_id')::uuid, (f ->> 'variant_id')::uuid, coalesce((f ->> 'on_hand')::numeric, 0),
    coalesce((f ->> 'ledger')::numeric, 0)
  from private.prove_ledger(p_org_id) f;
end;
$$;

comment on function public.check_stock(uuid) is
'The levels that disagree with the ledger; none when all is well. p_org_id. Errors: 401, 404 not_found, 403
permission_denied. Permission: audit.read.';
revoke execute on function public.check_stock(uuid) from public, anon;
grant execute on function public.check_stock(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on public.stock_movements
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_movements for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.stock_adjustments
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_adjustments for each statement
  execute function audit.refuse_change();
select audit.attach('public.stock_adjustments');

-- Policies ----------------------------------------------------------------------------------------

alter table public.stock_levels enable row level security;
-- As an array, the branches are a condition of the index; as a sub-select they are compared row by row, of all houses'
-- rows.
create policy "Who holds stock.read reads the levels of his branches" on public.stock_levels for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and branch_id is not null
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_movements enable row level security;
create policy "Stock readers read their branches' movements, auditors the rest" on public.stock_movements
  for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and (case when from_branch_id is null and to_branch_id is null
      -- What was lost on the road moved between no branches: it is the owner's to see.
      then org_id = any (array(select private.orgs_with('audit.read')))
      else org_id = any (array(select private.whole_orgs_with('stock.read')))
        or from_branch_id = any (array(select private.listed_branches_with('stock.read')))
        or to_branch_id = any (array(select private.listed_branches_with('stock.read'))) end));

alter table public.stock_adjustments enable row level security;
create policy "Who holds stock.read reads the adjustments of his branches" on public.stock_adjustments
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.stock_levels, public.stock_movements, public.stock_adjustments to authenticated;
