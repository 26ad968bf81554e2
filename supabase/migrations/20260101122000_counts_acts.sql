-- The acts of a count: start, enter, void, submit, count again, approve, post, cancel, read.
-- Locks, in the one order of all acts: claim, the count (counters share it, a step of its life takes it alone), new
-- lots, the location when lines are added, the books, the levels.

-- Helpers -----------------------------------------------------------------------------------------

create function private.count_scope(p_org_id uuid, p_branch_id uuid, p_kind text, p_options jsonb) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_asked text[] := array(
    select k from jsonb_object_keys(p_options) k where k in ('category_id', 'abc_class', 'variant_ids')
      and p_options ->> k is not null);
  v_ids uuid[];
  v_other record;
begin
  if p_kind is null or p_kind not in ('full', 'cycle') or cardinality(v_asked) <> (p_kind = 'cycle')::integer then
    perform private.fail(400, 'invalid_input',
      'p_kind is full, for everything, or cycle, with one of category_id, abc_class and variant_ids.',
        '{"field": "p_kind"}');
  end if;
  if p_kind = 'full' then
    return null;
  elsif v_asked[1] = 'category_id' then
    if not exists (select from public.categories where org_id = p_org_id
      and id = private.id_option(p_options, 'category_id')) then
      perform private.fail(404, 'not_found', 'There is no such category.', '{"field": "category_id"}');
    end if;
    return array(
      select v.id from private.categories_within(p_org_id, private.id_option(p_options, 'category_id')) t (id)
      join public.products p on p.org_id = p_org_id and p.category_id = t.id and p.kind = 'goods'
      join public.product_variants v on v.org_id = p_org_id and v.product_id = p.id);
  elsif v_asked[1] = 'abc_class' then
    return array(select a.variant_id from private.abc_classes(p_org_id, p_branch_id, 365) a
      where a.class = p_options ->> 'abc_class');
  end if;
  v_ids := array(select distinct e::uuid from jsonb_array_elements_text(p_options -> 'variant_ids') e);
  select a.id, v.sku into v_other
  from unnest(v_ids) a (id)
  left join public.product_variants v on v.org_id = p_org_id and v.id = a.id
  left join public.products p on p.org_id = p_org_id and p.id = v.product_id
  where p.kind is distinct from 'goods' order by v.sku nulls first limit 1;
  if v_other.sku is not null then
    perform private.fail(422, 'not_stocked',
      format('%s is not kept in stock: count goods, and sets as their components.',
      v_other.sku), jsonb_build_object('variant_id', v_other.id, 'sku', v_other.sku));
  elsif v_other.id is not null then
    perform private.fail(404, 'not_found', 'There is no such variant.',
      jsonb_build_object('field', 'variant_ids', 'variant_id', v_other.id));
  end if;
  return v_ids;
end;
$$;

comment on function private.count_scope(uuid, uuid, text, jsonb) is
'The variants that a cycle count is about; null for a full count. Parameters: as start_count''s. Errors: 400
invalid_input; 404 not_found; 422 not_stocked.';

create function private.lock_count(p_org_id uuid, p_count_id uuid, p_to text) returns public.stock_counts
language plpgsql
set search_path = ''
as $$
declare
  v_count public.stock_counts;
begin
  select * into v_count from public.stock_counts where org_id = p_org_id and id = p_count_id for no key update;
  perform private.check_step('stock_count', v_count.status, p_to);
  return v_count;
end;
$$;

comment on function private.lock_count(uuid, uuid, text) is
'The count, locked for a step of its life: waits for the entries under way. p_to: the status to come. Errors: 409
invalid_transition.';

create function private.share_count(p_org_id uuid, p_count_id uuid) returns public.stock_counts
language plpgsql
set search_path = ''
as $$
declare
  v_count public.stock_counts;
begin
  select * into v_count from public.stock_counts where org_id = p_org_id and id = p_count_id for share;
  if v_count.status <> 'counting' then
    perform private.fail(409, 'count_closed', format('This count is %s: nothing is entered any more.', v_count.status),
      jsonb_build_object('count_id', p_count_id, 'status', v_count.status));
  end if;
  return v_count;
end;
$$;

comment on function private.share_count(uuid, uuid) is
'The count, held open for an entry: others may enter at the same time, nobody submits meanwhile. Errors: 409
count_closed.';

create function private.entries_json(p_org_id uuid, p_count_id uuid, p_recorded_with uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object('count_id', p_count_id, 'entries', (
    select jsonb_agg(jsonb_build_object('id', e.id, 'line_no', e.line_no, 'variant_id', l.variant_id, 'sku', v.sku,
      'batch', b.code, 'quantity', e.quantity, 'serials', e.serials) order by e.seq)
    from public.stock_count_entries e
    join public.stock_count_lines l on l.org_id = e.org_id and l.count_id = e.count_id and l.line_no = e.line_no
    join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
    left join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
    where e.org_id = p_org_id and e.count_id = p_count_id and e.recorded_with = p_recorded_with));
end;
$$;

comment on function private.entries_json(uuid, uuid, uuid)
  is 'What one call of record_count entered, and nothing of the book.';

create function private.fill_uncounted(p_count public.stock_counts) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_line_nos integer[] := array(
    select line_no from public.stock_count_lines where org_id = p_count.org_id and count_id = p_count.id and counted
      is null);
begin
  perform private.lock_levels(p_count.org_id, array[p_count.location_id], array(
    select distinct variant_id from public.stock_count_lines
    where org_id = p_count.org_id and count_id = p_count.id and line_no = any (v_line_nos)));
  update public.stock_count_lines set counted = 0
  where org_id = p_count.org_id and count_id = p_count.id and line_no = any (v_line_nos);
  update public.stock_count_figures f
  set expected_at_count = k.book, variance = -k.book, as_of = k.as_of, missing = k.here,
    found = case when k.here is not null then '{}'::text[] end, moved = false, unit_cost = k.average_cost,
    worth = round(-k.book * k.average_cost, 2)
  from private.count_books(p_count, v_line_nos) k
  where f.org_id = p_count.org_id and f.count_id = p_count.id and f.line_no = k.line_no;
end;
$$;

comment on function private.fill_uncounted(public.stock_counts) is
'Takes what nobody counted for gone: counted 0, against what the book says now.';

create function private.last_move(p_org_id uuid, p_variant_id uuid, p_serial text) returns bigint
language plpgsql stable
set search_path = ''
as $$
begin
  -- "offset 0" keeps the planner from reading the variant's movements backwards until one names the piece.
  return coalesce((
    select max(n.id)
    from (
      select m.id from public.stock_movements m
      where m.org_id = p_org_id and m.variant_id = p_variant_id and m.serials @> array[p_serial] offset 0) n), 0);
end;
$$;

comment on function private.last_move(uuid, uuid, text)
  is 'The last movement that named a piece, 0 when none did. No errors.';

create function private.found_pieces(p_count public.stock_counts)
returns table (line_no integer, variant_id uuid, serial text, last_move bigint)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select distinct on (e.line_no, n.serial) e.line_no, (r.line).variant_id, n.serial, n.last_move
  from private.count_rows(p_count.org_id, p_count.id) r
  join public.stock_count_entries e
    on e.org_id = p_count.org_id and e.count_id = p_count.id and e.line_no = (r.line).line_no and e.voided_at is null
  join private.stock_count_books b on b.org_id = e.org_id and b.entry_id = e.id
  cross join unnest(b.found, b.last_moves) n (serial, last_move)
  where n.serial = any ((r.figures).found)
  order by e.line_no, n.serial, e.seq desc;
end;
$$;

comment on function private.found_pieces(public.stock_counts) is
'The pieces that a count found, each with the last movement that had named it when it was seen last.';

create function private.count_moves(p_count public.stock_counts) returns private.stock_move[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_adjustment_location_id uuid := private.shared_location(p_count.org_id, 'adjustment');
begin
  return (
    select array_agg(row (m.variant_id, case when m.quantity > 0 then v_adjustment_location_id else p_count.location_id
      end,
      case when m.quantity > 0 then p_count.location_id else v_adjustment_location_id end, abs(m.quantity), null,
        m.serials,
      m.batch_id)::private.stock_move order by m.line_no)
    from (
      select (r.line).line_no, (r.line).variant_id, (r.line).batch_id, (r.figures).variance as quantity, null::text[]
        as serials
      from private.count_rows(p_count.org_id, p_count.id) r
      where (r.figures).missing is null
      union all
      -- Of the pieces, those that nothing has moved since: a missing one that is in the book, a found one that is not.
      select (r.line).line_no, (r.line).variant_id, null, -count(*), array_agg(u.serial order by u.serial)
      from private.count_rows(p_count.org_id, p_count.id) r
      join public.stock_units u
        on u.org_id = p_count.org_id and u.variant_id = (r.line).variant_id and u.serial = any ((r.figures).missing)
          and u.location_id = p_count.location_id
      where private.last_move(p_count.org_id, u.variant_id, u.serial) <= (r.figures).as_of
      group by 1, 2
      union all
      select f.line_no, f.variant_id, null, count(*), array_agg(f.serial order by f.serial)
      from private.found_pieces(p_count) f
      where private.last_move(p_count.org_id, f.variant_id, f.serial) = f.last_move and not exists (
        select from public.stock_units u
        where u.org_id = p_count.org_id and u.variant_id = f.variant_id and u.serial = f.serial
          and u.location_id = p_count.location_id)
      group by 1, 2) m
    where m.quantity <> 0);
end;
$$;

comment on function private.count_moves(public.stock_counts) is
'The movements that a count''s differences come to: out to the adjustment location, or in from it, at average cost.
Under the levels'' locks. Null when there is none.';

create function private.refuse_moved_finds(p_count public.stock_counts) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_serials jsonb;
begin
  -- Of a piece that somebody was selling elsewhere at this moment, his movement shows only now that its row is ours.
  select jsonb_agg(f.serial order by f.serial) into v_serials
  from private.found_pieces(p_count) f
  join public.stock_movements m
    on m.org_id = p_count.org_id and m.document_id = p_count.id and m.variant_id = f.variant_id
      and m.serials @> array[f.serial]
  where exists (
    select from public.stock_movements o
    where o.org_id = p_count.org_id and o.variant_id = f.variant_id and o.serials @> array[f.serial]
      and o.id > f.last_move
      and o.document_id <> p_count.id);
  if v_serials is not null then
    perform private.fail(409, 'changed_meanwhile', 'Some of the pieces found here were moved elsewhere at this moment.',
      jsonb_build_object('count_id', p_count.id, 'serials', v_serials));
  end if;
end;
$$;

comment on function private.refuse_moved_finds(public.stock_counts) is
'After a count''s movements are posted: refuses those of found pieces that somebody else had moved, but not committed,
when they were chosen. Errors: 409 changed_meanwhile.';

-- The acts ----------------------------------------------------------------------------------------

select private.declare_shape('start_count_options',
  '{"category_id": "uuid", "abc_class": ["A", "B", "C"], "variant_ids": "uuids", "blind": "boolean", "note":
    "text"}',
  array['start_count.p_options']);

create function public.start_count(p_id uuid, p_location_id uuid, p_kind text, p_options jsonb
  default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_location public.locations;
  v_org_id uuid;
  v_scope uuid[];
  v_blind boolean := true;
begin
  select * into v_location from public.locations
  where org_id in (select private.org_of('public.locations', p_location_id)) and id = p_location_id;
  v_org_id := private.authorize_branch('count.manage', v_location.branch_id);
  perform private.check_shape('start_count_options', p_options);
  v_blind := coalesce((p_options ->> 'blind')::boolean, true);

  -- What a repeated call asked for may be gone since: whatever it has to be looked up for comes after the claim.
  if private.claim_request(v_org_id, p_id, 'start_count', jsonb_build_array(p_location_id, p_kind, p_options)) then
    if v_location.archived_at is not null then
      perform private.fail(404, 'not_found', 'There is no such location.', '{"field": "p_location_id"}');
    end if;
    v_scope := private.count_scope(v_org_id, v_location.branch_id, p_kind, p_options);
    -- Before anything refers to it: whoever archives it meanwhile would wait for that, and this for him.
    perform from public.locations where org_id = v_org_id and id = p_location_id for no key update;
    insert into public.stock_counts (org_id, id, branch_id, location_id, kind, scope, blind, status, note, started_by)
    values (v_org_id, p_id, v_location.branch_id, p_location_id, p_kind,
      jsonb_strip_nulls(p_options - 'blind' - 'note'), v_blind,
      'counting', p_options ->> 'note', private.caller());
    -- The list: what the book has here, lot by lot; of listed variants also what it has not. In one statement, so that
    -- all of it is of one moment.
    with listed as materialized (
      select row_number() over (order by v.sku, b.expires_on nulls last, b.code) as line_no, v.id as variant_id, b.id
        as batch_id,
        coalesce(n.on_hand, s.on_hand, 0) as expected
      from public.product_variants v
      left join public.stock_levels s on s.org_id = v_org_id and s.location_id = p_location_id and s.variant_id = v.id
      left join public.batch_levels n
        on n.org_id = v_org_id and n.location_id = p_location_id and n.variant_id = v.id and n.on_hand > 0
          and v.tracking = 'batch'
      left join public.batches b on b.org_id = v_org_id and b.id = n.batch_id
      where v.org_id = v_org_id and (v_scope is null or v.id = any (v_scope))
        and (s.on_hand > 0 or (p_options ->> 'variant_ids' is not null and v.tracking <> 'batch'))
    ), lines as (
      insert into public.stock_count_lines (org_id, count_id, line_no, branch_id, variant_id, batch_id)
      select v_org_id, p_id, line_no, v_location.branch_id, variant_id, batch_id from listed
    )
    insert into public.stock_count_figures (org_id, count_id, line_no, branch_id, shown, expected)
    select v_org_id, p_id, line_no, v_location.branch_id, not v_blind, expected from listed;
    if not found and p_kind = 'cycle' then
      perform private.fail(422, 'nothing_to_count', 'Nothing of what you ask for lies here.', '{"field": "p_options"}');
    end if;
    perform private.refuse_overlap(v_org_id, p_id, p_location_id,
      array(select variant_id from public.stock_count_lines where org_id = v_org_id and count_id = p_id));
    perform private.emit(v_org_id, 'count.started', jsonb_build_object('count_id', p_id, 'branch_id',
      v_location.branch_id,
      'location_id', p_location_id));
  end if;
  return private.count_json(v_org_id, p_id);
end;
$$;

comment on function public.start_count(uuid, uuid, text, jsonb) is
'Starts a count and freezes what is expected. p_id: the client''s uuid, the count''s id. p_location_id. p_kind: full
(everything that is here) or cycle. p_options: for a cycle one of category_id (with the categories beneath it),
abc_class (A, B or C of the last 365 days, as abc_analysis) and variant_ids (1 to 2000, also what the book has none of);
blind (true unless said otherwise: who lacks count.approve is not shown what is expected), note. What else turns up gets
a line when it is entered. Returns the count as JSON, as get_count. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found; 409 id_reused, count_overlaps (an open count has one of the variants here); 422
nothing_to_count, not_stocked, branch_archived. Permission: count.manage.';
revoke execute on function public.start_count(uuid, uuid, text, jsonb) from public, anon;
grant execute on function public.start_count(uuid, uuid, text, jsonb) to authenticated;

create function public.record_count(p_id uuid, p_count_id uuid, p_lines jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count public.stock_counts;
  v_org_id uuid;
  v_lines jsonb;
  v_line_nos integer[];
begin
  v_count := private.document_named(null::public.stock_counts, p_count_id);
  v_org_id := private.authorize_branch('count.record', v_count.branch_id);
  if private.claim_request(v_org_id, p_id, 'record_count', jsonb_build_array(p_count_id, p_lines)) then
    v_count := private.share_count(v_org_id, p_count_id);
    select jsonb_agg(to_jsonb(l)) into v_lines from private.read_count_lines(v_org_id, p_lines) l;
    v_lines := private.place_count_lines(v_count, v_lines);
    perform private.lock_levels(v_org_id, array[v_count.location_id],
      array(select distinct (l ->> 'variant_id')::uuid from jsonb_array_elements(v_lines) l));
    insert into public.stock_count_entries (org_id, count_id, line_no, branch_id, quantity, serials, recorded_with,
      recorded_by)
    select v_org_id, p_count_id, l.line_no, v_count.branch_id, l.quantity,
      case when l.serials is not null then array(select distinct s from unnest(l.serials) s order by s) end, p_id,
        private.caller()
    from jsonb_to_recordset(v_lines) as l (place integer, line_no integer, quantity numeric, serials text[])
      order by l.place;
    v_line_nos := array(select distinct (l ->> 'line_no')::integer from jsonb_array_elements(v_lines) l);
    insert into private.stock_count_books (org_id, entry_id, book, here, as_of, found, last_moves)
    select v_org_id, e.id, k.book, k.here, k.as_of, n.found, n.last_moves
    from private.count_books(v_count, v_line_nos) k
    join public.stock_count_entries e
      on e.org_id = v_org_id and e.count_id = p_count_id and e.line_no = k.line_no and e.recorded_with = p_id
    left join lateral (
      select coalesce(array_agg(s order by s), '{}') as found,
        coalesce(array_agg(private.last_move(v_org_id, l.variant_id, s) order by s), '{}') as last_moves
      from public.stock_count_lines l cross join unnest(e.serials) s
      where l.org_id = v_org_id and l.count_id = p_count_id and l.line_no = k.line_no and s <> all (k.here)) n on k.here
        is not null;
    perform private.refigure_count(v_count, v_line_nos);
  end if;
  return private.entries_json(v_org_id, p_count_id, p_id);
end;
$$;

comment on function public.record_count(uuid, uuid, jsonb) is
'Enters what somebody has counted; several people may at once, and their entries add up. p_id: the client''s uuid of
this entry. p_count_id. p_lines: [{"variant_id", "quantity" (0 or more, in the variant''s unit or in "unit"?),
"serials"? (of numbered pieces; a piece that is entered twice is one piece), "batch"? (the lot''s code, for goods kept
in lots), "expires_on"? (of a new lot)}], 1 to 2000 of them. What was not on the list gets a line. Returns {"count_id",
"entries": [{"id", "line_no", "variant_id", "sku", "batch", "quantity", "serials"}]}. Errors: 400 invalid_input; 401;
403 permission_denied; 404 not_found; 409 id_reused, count_closed, count_overlaps, batch_mismatch (the lot has another
expiry date); 422 not_stocked, serials_required, batch_required, unit_unknown, branch_archived. Permission:
count.record.';
revoke execute on function public.record_count(uuid, uuid, jsonb) from public, anon;
grant execute on function public.record_count(uuid, uuid, jsonb) to authenticated;

create function public.void_count_entry(p_id uuid, p_entry_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_entry public.stock_count_entries;
  v_count public.stock_counts;
  v_org_id uuid;
begin
  select * into v_entry from public.stock_count_entries
  where org_id in (select private.org_of('public.stock_count_entries', p_entry_id)) and id = p_entry_id;
  v_org_id := private.authorize_branch('count.record', v_entry.branch_id);
  if private.claim_request(v_org_id, p_id, 'void_count_entry', jsonb_build_array(p_entry_id)) then
    v_count := private.share_count(v_org_id, v_entry.count_id);
    perform private.lock_levels(v_org_id, array[v_count.location_id], array(
      select variant_id from public.stock_count_lines
      where org_id = v_org_id and count_id = v_count.id and line_no = v_entry.line_no));
    update public.stock_count_entries set voided_at = now(), voided_by = private.caller()
    where org_id = v_org_id and id = p_entry_id and voided_at is null;
    if found then
      perform private.refigure_count(v_count, array[v_entry.line_no]);
    end if;
  end if;
  return (select to_jsonb(e) - 'seq' from public.stock_count_entries e where e.org_id = v_org_id and e.id = p_entry_id);
end;
$$;

comment on function public.void_count_entry(uuid, uuid) is
'Takes an entry back; it stays to be seen, and counts no more. p_id: the client''s uuid of this act. p_entry_id. Returns
the entry as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 id_reused, count_closed;
422 branch_archived. Permission: count.record.';
revoke execute on function public.void_count_entry(uuid, uuid) from public, anon;
grant execute on function public.void_count_entry(uuid, uuid) to authenticated;
