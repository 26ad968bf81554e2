-- Transfers: goods from one location to another, by way of the organisation's transit location.

select private.add_permissions('[
  {"code": "transfer.manage", "description": "Create, dispatch and cancel transfers from a branch",
   "roles": ["inventory_manager"]},
  {"code": "transfer.receive", "description": "Receive transfers at a branch",
   "roles": ["cashier", "sales_executive", "inventory_manager"]}
]');
select private.add_document_kind('stock_transfer', 'transfers', '', true);

-- Tables ------------------------------------------------------------------------------------------

create table public.stock_transfers (
  org_id uuid not null,
  id uuid not null,
  from_branch_id uuid not null,
  from_location_id uuid not null,
  to_branch_id uuid not null,
  to_location_id uuid not null,
  number text,
  status text not null check (status in ('draft', 'dispatched', 'partially_received', 'received', 'cancelled')),
  has_differences boolean not null default false,
  expected_on date,
  note text check (length(note) <= 2000),
  business_date date,
  dispatched_at timestamptz,
  dispatched_by uuid,
  received_at timestamptz,
  cancelled_at timestamptz,
  cancelled_by uuid,
  cancel_reason text check (length(btrim(cancel_reason)) between 1 and 500),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  foreign key (org_id, from_branch_id, from_location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, to_branch_id, to_location_id) references public.locations (org_id, branch_id, id),
  check (from_location_id <> to_location_id),
  check ((number is null) = (dispatched_at is null) and (business_date is null) = (dispatched_at is null)
    and (dispatched_by is null) = (dispatched_at is null)),
  check (dispatched_at is not null or status in ('draft', 'cancelled')),
  check ((received_at is not null) = (status = 'received')),
  check ((cancelled_at is not null) = (status = 'cancelled') and (cancelled_by is null) = (cancelled_at is null)
    and (cancel_reason is null) = (cancelled_at is null))
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.stock_transfers (org_id, created_at desc, id desc);
alter table public.stock_transfers add primary key (org_id, id);

comment on table public.stock_transfers is
'Goods on their way between two locations, of one branch or two; both branches see it. number, business_date (of the
source branch): from the dispatch on. received_at: when the last piece was settled. has_differences: something arrived
damaged or not at all. expected_on: when it should arrive.';

create table public.stock_transfer_lines (
  org_id uuid not null,
  transfer_id uuid not null,
  line_no integer not null,
  from_branch_id uuid not null,
  to_branch_id uuid not null,
  variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  serials text[],
  batch_id uuid,
  primary key (org_id, transfer_id, line_no),
  foreign key (org_id, transfer_id) references public.stock_transfers (org_id, id),
  foreign key (org_id, from_branch_id) references public.branches (org_id, id),
  foreign key (org_id, to_branch_id) references public.branches (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  foreign key (org_id, variant_id, batch_id) references public.batches (org_id, variant_id, id)
);

comment on table public.stock_transfer_lines is
'What was asked for, sets as sets. quantity: in the variant''s unit. serials, batch_id: as the draft named them, if it
did; the dispatch may name others.';

create table public.stock_transfer_items (
  org_id uuid not null,
  transfer_id uuid not null,
  item_no integer not null,
  line_no integer not null,
  from_branch_id uuid not null,
  to_branch_id uuid not null,
  variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  batch_id uuid,
  serials text[],
  unit_cost numeric(16, 6) check (unit_cost >= 0),
  received numeric(14, 3) not null default 0 check (received >= 0),
  damaged numeric(14, 3) not null default 0 check (damaged >= 0),
  missing numeric(14, 3) not null default 0 check (missing >= 0),
  open numeric(14, 3) not null generated always as (quantity - received - damaged - missing) stored,
  primary key (org_id, transfer_id, item_no),
  foreign key (org_id, transfer_id, line_no) references public.stock_transfer_lines (org_id, transfer_id, line_no),
  foreign key (org_id, from_branch_id) references public.branches (org_id, id),
  foreign key (org_id, to_branch_id) references public.branches (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  foreign key (org_id, variant_id, batch_id) references public.batches (org_id, variant_id, id),
  constraint settled_within_dispatched check (received + damaged + missing <= quantity),
  check (unit_cost is not null or received + damaged + missing = 0)
);

comment on table public.stock_transfer_items is
'What travels: a line itself, or a set''s components as they were when the draft was made; in lots as they left, one
item each. quantity: in the variant''s unit; unit_cost: what one was worth at the dispatch, null in a draft. received,
damaged, missing: what became of it; open: what nobody has said anything about, which is still on the road once the
transfer is dispatched.';

create table public.stock_transfer_receipts (
  org_id uuid not null,
  id uuid not null,
  transfer_id uuid not null,
  receipt_no integer not null check (receipt_no > 0),
  from_branch_id uuid not null,
  to_branch_id uuid not null,
  quarantine_location_id uuid,
  business_date date not null,
  note text check (length(note) <= 2000),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, id),
  foreign key (org_id, transfer_id) references public.stock_transfers (org_id, id),
  foreign key (org_id, from_branch_id) references public.branches (org_id, id),
  foreign key (org_id, to_branch_id) references public.branches (org_id, id),
  foreign key (org_id, to_branch_id, quarantine_location_id) references public.locations (org_id, branch_id, id)
);

comment on table public.stock_transfer_receipts is
'One arrival of a transfer, of several perhaps: receipt_no 1, 2, 3 of it. quarantine_location_id: where damaged goods
went; null: they were written off. business_date: the receiving branch''s.';

create table public.stock_transfer_receipt_items (
  org_id uuid not null,
  receipt_id uuid not null,
  transfer_id uuid not null,
  item_no integer not null,
  from_branch_id uuid not null,
  to_branch_id uuid not null,
  received numeric(14, 3) not null check (received >= 0),
  damaged numeric(14, 3) not null check (damaged >= 0),
  missing numeric(14, 3) not null check (missing >= 0),
  received_serials text[],
  damaged_serials text[],
  missing_serials text[],
  primary key (org_id, receipt_id, item_no),
  foreign key (org_id, receipt_id) references public.stock_transfer_receipts (org_id, id),
  foreign key (org_id, transfer_id, item_no) references public.stock_transfer_items (org_id, transfer_id, item_no),
  foreign key (org_id, from_branch_id) references public.branches (org_id, id),
  foreign key (org_id, to_branch_id) references public.branches (org_id, id),
  check (received + damaged + missing > 0)
);

comment on table public.stock_transfer_receipt_items is
'What a receipt says of an item, in the variant''s unit; for numbered pieces which of them.';

-- Indexes -----------------------------------------------------------------------------------------
-- None begins with org_id: beside a document's key, the plan for a small table might take it for the key.

create index on public.stock_transfer_items (variant_id, org_id);
create index on public.stock_transfer_lines (variant_id, org_id);
create unique index on public.stock_transfers (from_branch_id, org_id, number);
create index on public.stock_transfers (from_branch_id, created_at desc);
create index on public.stock_transfers (to_branch_id, created_at desc);
create unique index on public.stock_transfer_receipts (transfer_id, org_id, receipt_no);
create index on public.stock_transfer_receipt_items (transfer_id, item_no, org_id);

-- Lifecycle ---------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('stock_transfer', 'new', 'draft', 'transfer.manage'),
  ('stock_transfer', 'draft', 'dispatched', 'transfer.manage'),
  ('stock_transfer', 'draft', 'cancelled', 'transfer.manage'),
  ('stock_transfer', 'dispatched', 'cancelled', 'transfer.manage'),
  ('stock_transfer', 'dispatched', 'partially_received', 'transfer.receive'),
  ('stock_transfer', 'dispatched', 'received', 'transfer.receive'),
  ('stock_transfer', 'partially_received', 'received', 'transfer.receive');

-- Functions ---------------------------------------------------------------------------------------

create function private.keep_transfer_item() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_status text := (select status from public.stock_transfers where org_id = old.org_id and id = old.transfer_id);
begin
  if v_status = 'draft' then
    return case tg_op when 'DELETE' then old else new end;
  end if;
  if tg_op = 'DELETE' or v_status in ('received', 'cancelled')
    or to_jsonb(new) - array['received', 'damaged', 'missing', 'open'] <> to_jsonb(old) - array['received', 'damaged',
      'missing', 'open']
    or new.received < old.received or new.damaged < old.damaged or new.missing < old.missing then
    perform private.fail(403, 'append_only', 'What was dispatched stays as it is; what became of it is only added to.');
  end if;
  return new;
end;
$$;

comment on function private.keep_transfer_item() is
'Row trigger, before update and delete: from the dispatch on, receipts only add to an item. Errors: 403 append_only,
whoever asks.';

create function private.transfer_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select to_jsonb(t) - 'request_id' || jsonb_build_object(
      'lines', (
        select jsonb_agg(jsonb_build_object('line_no', l.line_no, 'variant_id', l.variant_id, 'sku', v.sku, 'name',
          v.name,
          'quantity', l.quantity, 'serials', l.serials, 'batch', b.code) order by l.line_no)
        from public.stock_transfer_lines l
        join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
        left join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
        where l.org_id = t.org_id and l.transfer_id = t.id),
      'items', (
        select jsonb_agg(jsonb_build_object('item_no', i.item_no, 'line_no', i.line_no, 'variant_id', i.variant_id,
          'sku', v.sku,
          'name', v.name, 'quantity', i.quantity, 'serials', i.serials, 'batch', b.code, 'expires_on', b.expires_on,
          'unit_cost', i.unit_cost, 'received', i.received, 'damaged', i.damaged, 'missing', i.missing, 'open', i.open)
          order by i.item_no)
        from public.stock_transfer_items i
        join public.product_variants v on v.org_id = i.org_id and v.id = i.variant_id
        left join public.batches b on b.org_id = i.org_id and b.id = i.batch_id
        where i.org_id = t.org_id and i.transfer_id = t.id),
      'receipts', (
        select coalesce(jsonb_agg(to_jsonb(r) - array['org_id', 'transfer_id', 'from_branch_id', 'to_branch_id',
          'request_id']
          || jsonb_build_object('items', (
            select jsonb_agg(to_jsonb(x) - array['org_id', 'receipt_id', 'transfer_id', 'from_branch_id',
              'to_branch_id']
              order by x.item_no)
            from public.stock_transfer_receipt_items x where x.org_id = r.org_id and x.receipt_id = r.id))
          order by r.receipt_no), '[]')
        from public.stock_transfer_receipts r where r.org_id = t.org_id and r.transfer_id = t.id))
    from public.stock_transfers t where t.org_id = p_org_id and t.id = p_id);
end;
$$;

comment on function private.transfer_json(uuid, uuid) is
'A transfer with its lines, items and receipts, as clients see it.';

create function public.get_transfer(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_transfer public.stock_transfers;
begin
  v_transfer := private.document_named(null::public.stock_transfers, p_id);
  -- Of both ends' people, each is asked at his own.
  perform private.authorize('stock.read', v_transfer.org_id, case
    when v_transfer.from_branch_id in (select private.member_branches()) then v_transfer.from_branch_id
    else v_transfer.to_branch_id end);
  return private.transfer_json(v_transfer.org_id, p_id);
end;
$$;

comment on function public.get_transfer(uuid) is
'One transfer with its lines, items and receipts, as create_transfer returns it. p_id: the transfer. Errors: 401, 403
permission_denied, 404 not_found. Permission: stock.read at either branch.';
revoke execute on function public.get_transfer(uuid) from public, anon;
grant execute on function public.get_transfer(uuid) to authenticated;

create function public.transfer_destinations(p_org_id uuid)
returns table (location_id uuid, code text, name text, kind text, branch_id uuid, branch_code text, branch_name text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('transfer.manage', p_org_id);
  return query
  select l.id, l.code, l.name, l.kind, b.id, b.code, b.name
  from public.locations l join public.branches b on b.org_id = l.org_id and b.id = l.branch_id
  where l.org_id = p_org_id and l.holds_stock and l.archived_at is null and b.archived_at is null
  order by b.code, l.code;
end;
$$;

comment on function public.transfer_destinations(uuid) is
'Where a transfer may go: the locations of every branch, also of those that the caller''s membership does not cover, by
name and nothing more. p_org_id. Errors: 401, 403 permission_denied, 404 not_found. Permission: transfer.manage.';
revoke execute on function public.transfer_destinations(uuid) from public, anon;
grant execute on function public.transfer_destinations(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t40_enforce_lifecycle before insert or update or delete on public.stock_transfers
  for each row execute function private.enforce_lifecycle('stock_transfer', 'status', 'has_differences', 'received_at',
    'cancelled_at', 'cancelled_by', 'cancel_reason');
create trigger t10_refuse_change_truncate before truncate on public.stock_transfers for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.stock_transfer_lines
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_transfer_lines for each statement
  execute function audit.refuse_change();
create trigger t10_keep_transfer_item before update or delete on public.stock_transfer_items
  for each row execute function private.keep_transfer_item();
create trigger t10_refuse_change_truncate before truncate on public.stock_transfer_items for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.stock_transfer_receipts
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_transfer_receipts
  for each statement execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.stock_transfer_receipt_items
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_transfer_receipt_items
  for each statement execute function audit.refuse_change();
select audit.attach('public.stock_transfers');
select audit.attach('public.stock_transfer_lines', 'transfer_id', 'line_no');
select audit.attach('public.stock_transfer_items', 'transfer_id', 'item_no');
select audit.attach('public.stock_transfer_receipts');
select audit.attach('public.stock_transfer_receipt_items', 'receipt_id', 'item_no');

-- Policies ----------------------------------------------------------------------------------------

alter table public.stock_transfers enable row level security;
create policy "Who holds stock.read reads transfers from or to his branches" on public.stock_transfers for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else from_branch_id = any (array(select private.listed_branches_with('stock.read')))
        or to_branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_transfer_lines enable row level security;
create policy "Who holds stock.read reads transfer lines of his branches" on public.stock_transfer_lines
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else from_branch_id = any (array(select private.listed_branches_with('stock.read')))
        or to_branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_transfer_items enable row level security;
create policy "Who holds stock.read reads transfer items of his branches" on public.stock_transfer_items
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else from_branch_id = any (array(select private.listed_branches_with('stock.read')))
        or to_branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_transfer_receipts enable row level security;
create policy "Who holds stock.read reads transfer receipts of his branches" on public.stock_transfer_receipts
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else from_branch_id = any (array(select private.listed_branches_with('stock.read')))
        or to_branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_transfer_receipt_items enable row level security;
create policy "Who holds stock.read reads what his branches received" on public.stock_transfer_receipt_items
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else from_branch_id = any (array(select private.listed_branches_with('stock.read')))
        or to_branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.stock_transfers, public.stock_transfer_lines, public.stock_transfer_items,
  public.stock_transfer_receipts, public.stock_transfer_receipt_items to authenticated;

create function private.refuse_archiving() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_codes jsonb;
  v_transfers jsonb;
begin
  -- Locked against everybody who brings goods here, in the order in which private.keep_open does: his goods are there
  -- before this looks, or he sees the place archived.
  if tg_table_name = 'branches' then
    v_ids := array(
      select l.id from public.locations l where l.org_id = new.org_id and l.branch_id = new.id
        order by l.id for update of l);
    perform from public.branches b where b.id = new.id for update of b;
  else
    v_ids := array(select l.id from public.locations l where l.org_id = new.org_id and l.id = new.id for update of l);
  end if;
  select jsonb_agg(l.code order by l.code) into v_codes
  from public.locations l
  where l.org_id = new.org_id and l.id = any (v_ids) and exists (
    select from public.stock_levels s
    where s.org_id = new.org_id and s.location_id = l.id and (s.on_hand <> 0 or s.incoming <> 0));
  select jsonb_agg(t.id order by t.id) into v_transfers
  from public.stock_transfers t
  where t.org_id = new.org_id and t.status in ('dispatched', 'partially_received')
    and (t.from_location_id = any (v_ids) or t.to_location_id = any (v_ids));
  if v_codes is not null or v_transfers is not null then
    perform private.fail(409, 'place_not_empty', 'Goods lie here or are on their way: move or receive them first.',
      jsonb_build_object('locations', coalesce(v_codes, '[]'), 'transfers', coalesce(v_transfers, '[]')));
  end if;
  return new;
end;
$$;

comment on function private.refuse_archiving() is
'Row trigger, before a branch or a location is archived: nothing is locked up in it. What is reserved is on hand.
Errors: 409 place_not_empty with the codes of the "locations" that hold or await goods, and the open "transfers" from or
to them.';

create trigger t10_refuse_archiving before update of archived_at on public.branches for each row
  when (old.archived_at is null and new.archived_at is not null) execute function private.refuse_archiving();
create trigger t10_refuse_archiving before update of archived_at on public.locations for each row
  when (old.archived_at is null and new.archived_at is not null) execute function private.refuse_archiving();
