-- Pieces with a serial number and lots with an expiry date: where each stands, beneath the levels.

-- Tables ------------------------------------------------------------------------------------------

create table public.batches (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  variant_id uuid not null,
  code text not null check (code ~ '^\S(.{0,58}\S)?$'),
  expires_on date check (isfinite(expires_on)),
  created_at timestamptz not null default now(),
  created_by uuid,
  request_id text default private.request_id(),
  no bigint not null generated always as identity,
  primary key (org_id, id),
  unique (org_id, variant_id, code),
  unique (org_id, variant_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.batches is
'A lot of a variant whose tracking is batch. code: as printed on the goods. expires_on: the last day on which it may be
used, null when it keeps. no: in which order lots were entered, whatever the clock said: of two that expire together
the first goes first.';

create table public.batch_levels (
  org_id uuid not null,
  branch_id uuid,
  location_id uuid not null,
  variant_id uuid not null,
  batch_id uuid not null,
  on_hand numeric(14, 3) not null default 0 check (on_hand >= 0),
  primary key (org_id, location_id, variant_id, batch_id),
  foreign key (org_id, location_id, variant_id) references public.stock_levels (org_id, location_id, variant_id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, variant_id, batch_id) references public.batches (org_id, variant_id, id)
);

comment on table public.batch_levels is
'How much of each lot lies where, in the variant''s unit; the lots of a level sum to its on_hand. Written by
private.move_stock, under the level''s lock.';

create table public.stock_units (
  org_id uuid not null,
  variant_id uuid not null,
  serial text not null check (serial ~ '^\S(.{0,58}\S)?$'),
  location_id uuid not null,
  branch_id uuid,
  status text not null check (status in ('in_stock', 'in_transit', 'sold', 'removed')),
  warranty_until date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, variant_id, serial),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  foreign key (org_id, location_id) references public.locations (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id)
);

comment on table public.stock_units is
'Each piece of a variant whose tracking is serial. location_id: where it is now; branch_id: the branch that has it or
had it last. warranty_until: the last day of its warranty, from the day it was sold. Its history is the ledger''s.
Written by private.move_stock, under the level''s lock.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.batches (org_id, code);
create index on public.batch_levels (org_id, batch_id);
create index on public.stock_units (org_id, serial);
create index on public.stock_units (org_id, location_id, variant_id);
create index on public.stock_movements using gin (serials) where serials is not null;
create index on public.stock_movements (org_id, batch_id) where batch_id is not null;

alter table public.stock_movements
  add foreign key (org_id, variant_id, batch_id) references public.batches (org_id, variant_id, id);

-- Functions ---------------------------------------------------------------------------------------

create function private.batch_named(p_org_id uuid, p_variant_id uuid, p_code text) returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_id uuid := (select id from public.batches where org_id = p_org_id and variant_id = p_variant_id and code = p_code);
begin
  if v_id is null then
    perform private.fail(404, 'not_found', format('There is no batch %s.', p_code),
      jsonb_build_object('variant_id', p_variant_id, 'batch', p_code));
  end if;
  return v_id;
end;
$$;

comment on function private.batch_named(uuid, uuid, text) is
'The id of a variant''s lot by the code printed on it. Errors: 404 not_found.';

create function private.open_batch(p_org_id uuid, p_variant_id uuid, p_code text, p_expires_on date) returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_batch public.batches;
begin
  if p_code is null or p_code !~ '^\S(.{0,58}\S)?$' then
    perform private.fail(422, 'batch_required', 'Say which batch this is: 1 to 60 characters, as printed on the goods.',
      jsonb_build_object('variant_id', p_variant_id));
  end if;
  insert into public.batches (org_id, variant_id, code, expires_on, created_by)
  values (p_org_id, p_variant_id, p_code, p_expires_on, auth.uid())
  on conflict (org_id, variant_id, code) do nothing;
  select * into v_batch from public.batches where org_id = p_org_id and variant_id = p_variant_id and code = p_code;
  if p_expires_on is not null and p_expires_on is distinct from v_batch.expires_on then
    perform private.fail(409, 'batch_mismatch', format('Batch %s is known with another expiry date.', p_code),
      jsonb_build_object('variant_id', p_variant_id, 'batch', p_code, 'expires_on', v_batch.expires_on));
  end if;
  return v_batch.id;
end;
$$;

comment on function private.open_batch(uuid, uuid, text, date) is
'The id of a variant''s lot, made when it is new. p_code: as printed; p_expires_on: the last day of use, null for a
known lot or one that keeps. Errors: 422 batch_required; 409 batch_mismatch when the lot is known with another date.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t90_touch_updated_at before update on public.stock_units for each row
  execute function private.touch_updated_at();
select audit.attach('public.batches');

-- Policies ----------------------------------------------------------------------------------------

alter table public.batches enable row level security;
create policy "Who holds stock.read reads the batches" on public.batches for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read'))));

alter table public.batch_levels enable row level security;
create policy "Who holds stock.read reads the batch levels of his branches" on public.batch_levels for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and branch_id is not null
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

alter table public.stock_units enable row level security;
create policy "Who holds stock.read reads the pieces of his branches" on public.stock_units for select to authenticated
  using (org_id = any (array(select private.orgs_with('stock.read')))
    and branch_id is not null
    and case when (select private.covers_all_with('stock.read')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.batches, public.batch_levels, public.stock_units to authenticated;

create function private.check_tracking() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_kind text;
  v_decimals integer;
begin
  if new.tracking = (case when tg_op = 'UPDATE' then old.tracking else 'none' end) then
    return null;
  end if;
  select p.kind, u.decimals into v_kind, v_decimals
  from public.products p join public.units u on u.code = p.unit_code
  where p.org_id = new.org_id and p.id = new.product_id;
  if new.tracking <> 'none' and (v_kind <> 'goods' or (new.tracking = 'serial' and v_decimals > 0)) then
    perform private.fail(422, 'tracking_not_possible',
      'Only goods are tracked, and by serial number only what is counted in whole units.',
      jsonb_build_object('field', 'tracking', 'sku', new.sku));
  end if;
  if tg_op = 'UPDATE' then
    -- A movement under way holds the variant's key: wait for it, then look.
    perform from public.product_variants v where v.org_id = new.org_id and v.id = new.id for update;
    if exists (select from public.stock_levels s where s.org_id = new.org_id and s.variant_id = new.id)
      or exists (select from public.stock_movements m where m.org_id = new.org_id and m.variant_id = new.id) then
      perform private.fail(409, 'in_use', format('%s was stocked already: its tracking stays as it is.', new.sku),
        jsonb_build_object('id', new.id, 'used_by', 'stock_levels', 'field', 'tracking'));
    end if;
  end if;
  return null;
end;
$$;

comment on function private.check_tracking() is
'Row trigger, after a variant''s tracking is set. Errors: 422 tracking_not_possible, 409 in_use once it has a stock
level or moved.';

create trigger t50_check_tracking after insert or update of tracking on public.product_variants
  for each row execute function private.check_tracking();
