-- Counts: what really lies at a location, against what the book says, while the tills go on selling.
--
-- The rule of the difference. The expected quantity is frozen when the count starts, for the list. What decides is the
-- entry: under the level's lock it keeps what the book said at that moment, and the difference of a line is all that
-- was counted less the book at the line's last entry. What is sold before that entry is gone from the shelf and from
-- the book; what is sold after it leaves the difference as it is; so the difference is posted onto whatever the level
-- is by then. Goods that are sold between two entries of one line are taken to have come from the part that nobody had
-- counted yet: the second entry then finds less, and the book of that moment is less by as much. Had they been counted
-- already, the line would show them as a surplus. The database cannot see which it was, so such a line is marked
-- (moved) for whoever approves, and one new entry after voiding the old ones, or a recount, makes it exact. A line
-- whose entries all saw one book is exact. Numbered pieces need no such rule: each is here or not. A piece is missing
-- when it was in the book at every entry of the line, was in none of them, and is still in the book when the count is
-- posted; it is found when it was entered and not in the book. Neither is posted of a piece that has moved since it was
-- looked for: somebody had it in his hands, and what the book says of it now is newer than what the count saw. A found
-- piece that was on the road is booked in, and sold; it is not found once more.

select private.add_permissions('[
  {"code": "count.record", "description": "Enter what was counted",
   "roles": ["cashier", "sales_executive", "inventory_manager", "technician"]},
  {"code": "count.manage", "description": "Start, submit and cancel counts", "roles": ["inventory_manager"]},
  {"code": "count.approve", "description": "Approve a count''s differences and post them", "roles": []}
]');
select private.add_document_kind('stock_count', 'counts', null, true);

-- Tables ------------------------------------------------------------------------------------------

create table public.stock_counts (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  location_id uuid not null,
  kind text not null check (kind in ('full', 'cycle')),
  scope jsonb not null default '{}' check (jsonb_typeof(scope) = 'object'),
  blind boolean not null,
  status text not null check (status in ('counting', 'submitted', 'approved', 'posted', 'cancelled')),
  uncounted text check (uncounted in ('zero', 'skip')),
  note text check (length(note) <= 2000),
  business_date date,
  frozen_at timestamptz not null default now(),
  started_by uuid not null,
  submitted_at timestamptz,
  submitted_by uuid,
  approved_at timestamptz,
  approved_by uuid,
  posted_at timestamptz,
  posted_by uuid,
  cancelled_at timestamptz,
  cancelled_by uuid,
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  unique (id, org_id, branch_id),
  check ((status = 'posted') = (posted_at is not null)),
  check ((posted_at is null) = (business_date is null))
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.stock_counts (org_id, frozen_at desc, id desc);
alter table public.stock_counts add primary key (org_id, id);

comment on table public.stock_counts is
'A count of a location: everything (full) or a part of it (cycle). scope: what a cycle count lists, {"category_id"},
{"abc_class"} or {"variant_ids"}. blind: the count does not show what is expected to who lacks count.approve, before it
is posted. It hides no levels: for a count that is blind altogether, whoever counts has a role with count.record and
without stock.read. uncounted: what submitting made of lines that nobody counted: zero, or skip (left as the book has
them). business_date: of the posting.';

create table public.stock_count_lines (
  org_id uuid not null,
  count_id uuid not null,
  line_no integer not null check (line_no > 0),
  branch_id uuid not null,
  variant_id uuid not null,
  batch_id uuid,
  counted numeric(14, 3) check (counted >= 0),
  created_at timestamptz not null default now(),
  primary key (org_id, count_id, line_no),
  -- The count first: a second index that begins with org_id might be taken for look-ups by the key while the table is
  -- small.
  unique nulls not distinct (count_id, org_id, variant_id, batch_id),
  foreign key (org_id, count_id, branch_id) references public.stock_counts (org_id, id, branch_id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  foreign key (org_id, variant_id, batch_id) references public.batches (org_id, variant_id, id)
);

comment on table public.stock_count_lines is
'What is to be counted, or was found: a variant, or one lot of it. counted: the sum of the entries, in the variant''s
unit; null until somebody counts it. What was expected stands in stock_count_figures.';

create table public.stock_count_figures (
  org_id uuid not null,
  count_id uuid not null,
  line_no integer not null,
  branch_id uuid not null,
  shown boolean not null,
  expected numeric(14, 3),
  expected_at_count numeric(14, 3),
  as_of bigint,
  variance numeric(14, 3),
  missing text[],
  found text[],
  moved boolean,
  unit_cost numeric(16, 6),
  worth numeric(24, 2),
  posted numeric(14, 3),
  primary key (org_id, count_id, line_no),
  foreign key (org_id, count_id, branch_id) references public.stock_counts (org_id, id, branch_id),
  foreign key (org_id, count_id, line_no) references public.stock_count_lines (org_id, count_id, line_no)
);

comment on table public.stock_count_figures is
'What the book says of a line, apart from the line so that a blind count hides it. shown: not blind, or posted.
expected: on hand when the count started, null for a find; expected_at_count: at the last entry; variance: counted less
expected_at_count; missing, found: of numbered pieces; as_of: the variant''s last movement before
the first entry that stands; moved: goods moved between two entries, so the variance holds only if they
had not been counted; unit_cost: average cost; worth: of the variance, in the organisation''s currency, wide enough for
a slip of the finger; posted: by how much the level was changed. Quantities in the variant''s unit.';

create table public.stock_count_entries (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  seq bigint not null generated always as identity,
  count_id uuid not null,
  line_no integer not null,
  branch_id uuid not null,
  quantity numeric(14, 3) not null check (quantity >= 0),
  serials text[],
  recorded_with uuid not null,
  recorded_at timestamptz not null default now(),
  recorded_by uuid not null,
  voided_at timestamptz,
  voided_by uuid,
  primary key (org_id, id),
  foreign key (org_id, count_id, branch_id) references public.stock_counts (org_id, id, branch_id),
  foreign key (org_id, count_id, line_no) references public.stock_count_lines (org_id, count_id, line_no),
  check ((voided_at is null) = (voided_by is null))
);

comment on table public.stock_count_entries is
'What one person counted at one moment; the entries of a line add up. Never edited: void it and enter anew. seq: in the
order in which they reached the book. quantity: in the variant''s unit; serials: the pieces seen. recorded_with: the id
of the record_count call.';

create table private.stock_count_books (
  org_id uuid not null,
  entry_id uuid not null,
  book numeric(14, 3) not null,
  here text[],
  as_of bigint,
  found text[],
  last_moves bigint[],
  primary key (org_id, entry_id),
  foreign key (org_id, entry_id) references public.stock_count_entries (org_id, id),
  check (cardinality(found) = cardinality(last_moves))
);

comment on table private.stock_count_books is
'What the book said when an entry was made: the quantity on hand. Of numbered pieces also here, those that were in the
book; as_of, the variant''s last movement; found, those of the entry that were not in the book, and in step with them
last_moves, the last movement that named each, 0 when none had. Apart from the entries because counters of a blind count
read those.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.stock_count_lines (variant_id, org_id);
create index on public.stock_counts (branch_id, frozen_at desc);
create index on public.stock_counts (location_id) where status in ('counting', 'submitted', 'approved');
create index on public.stock_count_entries (org_id, recorded_at desc, id desc);
create index on public.stock_count_entries (id);
create index on public.stock_count_entries (count_id, line_no);

-- The figures -------------------------------------------------------------------------------------

create function private.count_books(p_count public.stock_counts, p_line_nos integer[])
returns table (line_no integer, tracking text, book numeric, here text[], as_of bigint, average_cost numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select l.line_no, v.tracking, coalesce(case when l.batch_id is null then s.on_hand else b.on_hand end, 0),
    case when v.tracking = 'serial' then array(
      select u.serial from public.stock_units u
      where u.org_id = l.org_id and u.location_id = p_count.location_id and u.variant_id = l.variant_id
        order by u.serial) end,
    case when v.tracking = 'serial' then coalesce((
      select max(m.id) from public.stock_movements m where m.org_id = l.org_id and m.variant_id = l.variant_id), 0) end,
    coalesce(s.average_cost, 0)
  from public.stock_count_lines l
  join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
  left join public.stock_levels s
    on s.org_id = l.org_id and s.location_id = p_count.location_id and s.variant_id = l.variant_id
  left join public.batch_levels b
    on b.org_id = l.org_id and b.location_id = p_count.location_id and b.variant_id = l.variant_id
      and b.batch_id = l.batch_id
  where l.org_id = p_count.org_id and l.count_id = p_count.id and l.line_no = any (p_line_nos);
end;
$$;

comment on function private.count_books(public.stock_counts, integer[]) is
'What the book says of lines of a count now: quantity, pieces by serial number, as_of: the last movement of these,
average cost. The caller holds the levels'' locks: whatever moves a piece from here or to here later has a larger
number.';

create function private.count_sums(p_count public.stock_counts, p_line_nos integer[])
returns table (line_no integer, counted numeric, expected numeric, variance numeric, missing text[], found text[],
  as_of bigint,
  moved boolean, average_cost numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with live as (
    select e.line_no, e.seq, e.quantity, e.serials, b.book, b.here, b.as_of, b.found
    from public.stock_count_entries e
    join private.stock_count_books b on b.org_id = e.org_id and b.entry_id = e.id
    where e.org_id = p_count.org_id and e.count_id = p_count.id and e.line_no = any (p_line_nos) and e.voided_at is null
  ), sums as (
    select e.line_no, sum(e.quantity) as quantity, (array_agg(e.book order by e.seq desc))[1] as book,
      min(e.book) <> max(e.book) as moved,
      count(*) as entries, min(e.as_of) as as_of
    from live e group by 1
  ), pieces as (
    select p.line_no, array_agg(p.serial) as serials, array_agg(p.serial order by p.serial) filter (where p.unknown)
      as found
    from (
      select e.line_no, s.serial, bool_and(s.serial = any (coalesce(e.found, '{}'))) as unknown
      from live e cross join unnest(e.serials) s (serial) group by 1, 2) p
    group by 1
  ), always as (
    -- A piece can be missed only where it was in the book at every entry that stands.
    select h.line_no, array_agg(h.serial order by h.serial) as serials
    from (
      select e.line_no, x.serial, count(*) as entries from live e cross join unnest(e.here) x (serial) group by 1, 2) h
    join sums s on s.line_no = h.line_no and s.entries = h.entries
    group by 1
  ), lines as (
    select k.line_no, k.tracking, k.average_cost, s.quantity, s.book, s.moved, s.as_of, coalesce(p.serials, '{}')
      as serials,
      coalesce(p.found, '{}') as found, array(
        select x from unnest(a.serials) x where x <> all (coalesce(p.serials, '{}')) order by x) as missing
    from private.count_books(p_count, p_line_nos) k
    left join sums s on s.line_no = k.line_no
    left join pieces p on p.line_no = k.line_no
    left join always a on a.line_no = k.line_no
  )
  select l.line_no, case when l.quantity is null or l.tracking <> 'serial' then l.quantity else cardinality(l.serials)
    end,
    case when l.quantity is null or l.tracking <> 'serial' then l.book
      else cardinality(l.serials) - cardinality(l.found) + cardinality(l.missing) end,
    case when l.quantity is null or l.tracking <> 'serial' then l.quantity - l.book
      else (cardinality(l.found) - cardinality(l.missing))::numeric end,
    case when l.quantity is not null and l.tracking = 'serial' then l.missing end,
    case when l.quantity is not null and l.tracking = 'serial' then l.found end,
    l.as_of, l.moved and l.tracking <> 'serial', l.average_cost
  from lines l;
end;
$$;

comment on function private.count_sums(public.stock_counts, integer[]) is
'What the entries of lines come to, by the rule at the head of this file; nulls where no entry is left.';

create function private.refigure_count(p_count public.stock_counts, p_line_nos integer[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.stock_count_lines l set counted = s.counted
  from private.count_sums(p_count, p_line_nos) s
  where l.org_id = p_count.org_id and l.count_id = p_count.id and l.line_no = s.line_no and l.counted is distinct
    from s.counted;
  update public.stock_count_figures f
  set expected_at_count = s.expected, variance = s.variance, missing = s.missing, found = s.found, moved = s.moved,
    as_of = s.as_of,
    unit_cost = case when s.counted is null then null else s.average_cost end,
      worth = round(s.variance * s.average_cost, 2)
  from private.count_sums(p_count, p_line_nos) s
  where f.org_id = p_count.org_id and f.count_id = p_count.id and f.line_no = s.line_no;
end;
$$;

comment on function private.refigure_count(public.stock_counts, integer[]) is
'Sums the entries of lines anew, under their levels'' locks: after an entry, or after one was voided.';

create function private.count_rows(p_org_id uuid, p_count_id uuid)
returns table (line public.stock_count_lines, figures public.stock_count_figures)
language plpgsql stable
set search_path = ''
as $$
begin
  -- The limit makes it one look-up by the whole key for each line. Of a count that was just begun the planner expects
  -- one line, and joined by the count alone: 5000 lines took half a minute.
  return query
  select l, f.row
  from public.stock_count_lines l
  cross join lateral (
    select x as row from public.stock_count_figures x
    where x.org_id = l.org_id and x.count_id = l.count_id and x.line_no = l.line_no limit 1) f
  where l.org_id = p_org_id and l.count_id = p_count_id;
end;
$$;

comment on function private.count_rows(uuid, uuid)
  is 'The lines of a count, each with its figures, for joins with anything else.';

create function private.count_json(p_org_id uuid, p_count_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_approver boolean := private.permitted('count.approve', p_org_id);
  -- Who only counts is shown no figure of the stock, whatever the count.
  v_reader boolean := v_approver or private.permitted('stock.read', p_org_id);
begin
  return (
    select to_jsonb(c) || jsonb_build_object('figures_shown', v_approver
      or (v_reader and (not c.blind or c.status = 'posted')),
      'totals', (
        select jsonb_build_object('lines', count(*), 'counted', count((r.line).counted),
          'differences', case when coalesce(bool_and(v_approver or (v_reader and (r.figures).shown)), true)
            then count(*) filter (where (r.figures).variance <> 0) end,
          'worth', case when coalesce(bool_and(v_approver or (v_reader and (r.figures).shown)), true)
            then coalesce(sum((r.figures).worth), 0) end)
        from private.count_rows(p_org_id, p_count_id) r),
      'lines', (
        select coalesce(jsonb_agg(jsonb_build_object('line_no', (r.line).line_no, 'variant_id', v.id, 'sku', v.sku,
          'name', v.name,
          'tracking', v.tracking, 'batch_id', b.id, 'batch', b.code, 'expires_on', b.expires_on, 'counted',
            (r.line).counted,
          'figures', case when v_approver or (v_reader and (r.figures).shown)
            then to_jsonb(r.figures) - array['org_id', 'count_id', 'line_no', 'branch_id', 'shown', 'as_of'] end)
          order by (r.line).line_no), '[]')
        from private.count_rows(p_org_id, p_count_id) r
        join public.product_variants v on v.org_id = p_org_id and v.id = (r.line).variant_id
        left join public.batches b on b.org_id = p_org_id and b.id = (r.line).batch_id))
    from public.stock_counts c where c.org_id = p_org_id and c.id = p_count_id);
end;
$$;

comment on function private.count_json(uuid, uuid) is
'A count with its lines as the caller may see it: the figures of a blind count only with count.approve, or when it is
posted; figures of any count only with count.approve or stock.read.';

-- Triggers ----------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('stock_count', 'new', 'counting', 'count.manage'),
  ('stock_count', 'counting', 'submitted', 'count.manage'),
  ('stock_count', 'submitted', 'counting', 'count.manage'),
  ('stock_count', 'submitted', 'approved', 'count.approve'),
  ('stock_count', 'approved', 'counting', 'count.manage'),
  ('stock_count', 'approved', 'posted', 'count.approve'),
  ('stock_count', 'counting', 'cancelled', 'count.manage'),
  ('stock_count', 'submitted', 'cancelled', 'count.manage'),
  ('stock_count', 'approved', 'cancelled', 'count.manage');

create function private.keep_count() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_row jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
  v_free text[] := array['voided_at', 'voided_by'];
  v_status text := (
    select status from public.stock_counts where org_id = (v_row ->> 'org_id')::uuid
      and id = (v_row ->> tg_argv[0])::uuid);
begin
  if tg_op = 'DELETE' or v_status in ('posted', 'cancelled') then
    perform private.fail(409, 'document_final', 'This count is finished and stays as it is.',
      jsonb_build_object('document', 'stock_count', 'id', v_row -> tg_argv[0], 'status', v_status));
  end if;
  if tg_table_name = 'stock_count_entries' and tg_op = 'UPDATE'
    and (v_row ->> 'voided_at' is not null or to_jsonb(new) - v_free <> v_row - v_free) then
    perform private.fail(403, 'append_only', 'Entries are never edited: void it and enter anew.');
  end if;
  return new;
end;
$$;

comment on function private.keep_count() is
'Row trigger: a posted or cancelled count stays as it is, whoever asks, and an entry is voided, once, but never edited.
Argument: the column that names the count. Errors: 409 document_final, 403 append_only.';

create trigger t10_keep_count before update on public.stock_counts for each row
  when (old.status in ('posted', 'cancelled')) execute function private.keep_count('id');
create trigger t40_enforce_lifecycle before insert or update or delete on public.stock_counts
  for each row execute function private.enforce_lifecycle('stock_count', 'status', 'uncounted', 'business_date',
    'submitted_at',
    'submitted_by', 'approved_at', 'approved_by', 'posted_at', 'posted_by', 'cancelled_at', 'cancelled_by');
create trigger t10_keep_count before insert or update or delete on public.stock_count_lines
  for each row execute function private.keep_count('count_id');
create trigger t10_keep_count before insert or update or delete on public.stock_count_figures
  for each row execute function private.keep_count('count_id');
create trigger t10_keep_count before insert or update or delete on public.stock_count_entries
  for each row execute function private.keep_count('count_id');
create trigger t10_refuse_change before update or delete on private.stock_count_books
  for each row execute function audit.refuse_change();

create trigger t10_refuse_change_truncate before truncate on public.stock_counts for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_count_lines for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_count_figures for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.stock_count_entries for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on private.stock_count_books for each statement
  execute function audit.refuse_change();

select audit.attach('public.stock_counts');
select audit.attach('public.stock_count_lines', 'count_id', 'line_no');
select audit.attach('public.stock_count_entries');

-- Policies ----------------------------------------------------------------------------------------

alter table public.stock_counts enable row level security;
create policy "Who counts or holds stock.read reads the counts of his branches" on public.stock_counts
  for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('stock.read')))
        or org_id = any (array(select private.whole_orgs_with('count.record'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read')))
        or branch_id = any (array(select private.listed_branches_with('count.record'))) end);

alter table public.stock_count_lines enable row level security;
create policy "Who counts or holds stock.read reads count lines of branches" on public.stock_count_lines
  for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('stock.read')))
        or org_id = any (array(select private.whole_orgs_with('count.record'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read')))
        or branch_id = any (array(select private.listed_branches_with('count.record'))) end);

alter table public.stock_count_figures enable row level security;
create policy "Count approvers read what counts expect, others once shown" on public.stock_count_figures
  for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and (org_id = any (array(select private.whole_orgs_with('count.approve')))
      or branch_id = any (array(select private.listed_branches_with('count.approve')))
      or (shown and org_id = any (array(select private.whole_orgs_with('stock.read'))))
      or (shown and branch_id = any (array(select private.listed_branches_with('stock.read'))))));

alter table public.stock_count_entries enable row level security;
create policy "Who counts or holds stock.read reads count entries of branches" on public.stock_count_entries
  for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('stock.read')))
        or org_id = any (array(select private.whole_orgs_with('count.record'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.read')))
        or branch_id = any (array(select private.listed_branches_with('count.record'))) end);

alter table private.stock_count_books enable row level security;

-- Grants ------------------------------------------------------------------------------------------

grant select on public.stock_counts, public.stock_count_lines, public.stock_count_figures, public.stock_count_entries
  to authenticated;
