-- What somebody counted: read, checked, and put onto the lines of the count.

select private.declare_shape('count_lines',
  '{"variant_id": "uuid!", "quantity": "count!", "unit": "text", "serials": "serials", "batch": "text",
    "expires_on": "date"}',
  array['record_count.p_lines'], '{1, 2000}');

create function private.read_count_lines(p_org_id uuid, p_lines jsonb)
returns table (place integer, variant_id uuid, sku text, tracking text, quantity numeric, serials text[], batch text,
  expires_on date)
language plpgsql stable
set search_path = ''
as $$
declare
  v_line record;
begin
  -- None is a count too, unlike in any other stock document.
  perform private.check_shape('count_lines', p_lines, 'p_lines');
  for v_line in
    select t.place::integer as place, t.line, (t.line ->> 'variant_id')::uuid as asked_id, v.id, v.sku, v.tracking,
      p.kind, u.decimals
    from jsonb_array_elements(p_lines) with ordinality t (line, place)
    left join public.product_variants v on v.org_id = p_org_id and v.id = (t.line ->> 'variant_id')::uuid
    left join public.products p on p.org_id = p_org_id and p.id = v.product_id
    left join public.units u on u.code = p.unit_code
    order by t.place
  loop
    if v_line.id is null then
      perform private.fail(404, 'not_found', format('Line %s: there is no such variant.', v_line.place),
        jsonb_build_object('line', v_line.place, 'variant_id', v_line.asked_id));
    elsif v_line.kind <> 'goods' then
      perform private.fail(422, 'not_stocked',
        format('%s is not kept in stock: count goods, and sets as their components.',
        v_line.sku), jsonb_build_object('line', v_line.place, 'variant_id', v_line.id, 'sku', v_line.sku));
    end if;
    place := v_line.place;
    variant_id := v_line.id;
    sku := v_line.sku;
    tracking := v_line.tracking;
    quantity := (v_line.line -> 'quantity')::numeric;
    if v_line.line ->> 'unit' is not null then
      quantity := private.base_quantity(p_org_id, v_line.id, quantity, v_line.line ->> 'unit');
    end if;
    serials := private.texts(v_line.line -> 'serials');
    batch := v_line.line ->> 'batch';
    expires_on := private.day(v_line.line ->> 'expires_on', 'expires_on');
    if quantity <> round(quantity, v_line.decimals) or quantity >= 1e9 then
      perform private.fail(400, 'invalid_input',
        format('%s is not counted in fractions so small, or in numbers so large.',
        v_line.sku), jsonb_build_object('field', 'p_lines', 'line', v_line.place, 'sku', v_line.sku));
    elsif (serials is not null and tracking <> 'serial') or (batch is not null and tracking <> 'batch')
      or (expires_on is not null and batch is null) then
      perform private.fail(400, 'invalid_input', format('%s is not tracked in that way.', v_line.sku),
        jsonb_build_object('field', 'p_lines', 'line', v_line.place, 'sku', v_line.sku, 'tracking', tracking));
    elsif tracking = 'serial' and quantity <> (select count(distinct s) from unnest(serials) s) then
      perform private.fail(422, 'serials_required', format('Name the serial number of each piece of %s, %s in all.',
        v_line.sku,
        trim_scale(quantity)), jsonb_build_object('line', v_line.place, 'variant_id', v_line.id, 'sku', v_line.sku,
        'quantity', quantity, 'serials', to_jsonb(serials)));
    elsif tracking = 'batch' and (batch is null or batch !~ '^\S(.{0,58}\S)?$') then
      perform private.fail(422, 'batch_required', format('Say which batch of %s this is.', v_line.sku),
        jsonb_build_object('line', v_line.place, 'variant_id', v_line.id, 'sku', v_line.sku));
    end if;
    return next;
  end loop;
end;
$$;

comment on function private.read_count_lines(uuid, jsonb) is
'What somebody counted, checked, in line order. p_lines: of the shape count_lines. quantity
returned: in the variant''s own unit. Errors: 400 invalid_input; 404 not_found; 422 not_stocked, serials_required,
batch_required, unit_unknown.';

create function private.refuse_overlap(p_org_id uuid, p_count_id uuid, p_location_id uuid,
  p_variant_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_other record;
begin
  -- Whoever adds lines at a location holds this lock, so that two counts cannot take the same variant at the same
  -- moment. Sales do not mind it: their foreign keys need less.
  perform from public.locations where org_id = p_org_id and id = p_location_id for no key update;
  select c.id, v.sku into v_other
  from public.stock_counts c
  join public.stock_count_lines l on l.org_id = c.org_id and l.count_id = c.id and l.variant_id = any (p_variant_ids)
  join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
  where c.org_id = p_org_id and c.location_id = p_location_id and c.status in ('counting', 'submitted', 'approved')
    and c.id <> p_count_id
  order by v.sku limit 1;
  if v_other.id is not null then
    perform private.fail(409, 'count_overlaps', format('%s is being counted here already.', v_other.sku),
      jsonb_build_object('count_id', v_other.id, 'sku', v_other.sku));
  end if;
end;
$$;

comment on function private.refuse_overlap(uuid, uuid, uuid, uuid[]) is
'At most one open count of a variant at a location: two would post the same difference twice. Locks the location against
others who add lines there. Errors: 409 count_overlaps.';

create function private.place_count_lines(p_count public.stock_counts, p_lines jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_batch record;
  v_new jsonb;
begin
  -- New lots come before the levels' locks, in order, as in every act that opens one.
  for v_batch in
    select distinct l.variant_id, l.batch, l.expires_on
    from jsonb_to_recordset(p_lines) as l (variant_id uuid, batch text, expires_on date)
    where l.batch is not null order by 1, 2, 3
  loop
    perform private.open_batch(p_count.org_id, v_batch.variant_id, v_batch.batch, v_batch.expires_on);
  end loop;
  select jsonb_agg(jsonb_build_object('variant_id', n.variant_id, 'batch_id', n.batch_id, 'place', n.place)) into v_new
  from (
    select l.variant_id, b.id as batch_id, min(l.place) as place
    from jsonb_to_recordset(p_lines) as l (place integer, variant_id uuid, batch text)
    left join public.batches b on b.org_id = p_count.org_id and b.variant_id = l.variant_id and b.code = l.batch
    where not exists (
      select from public.stock_count_lines x
      where x.org_id = p_count.org_id and x.count_id = p_count.id and x.variant_id = l.variant_id
        and x.batch_id is not distinct from b.id)
    group by 1, 2) n;
  if v_new is not null then
    perform private.refuse_overlap(p_count.org_id, p_count.id, p_count.location_id,
      array(select (n ->> 'variant_id')::uuid from jsonb_array_elements(v_new) n));
    insert into public.stock_count_lines (org_id, count_id, line_no, branch_id, variant_id, batch_id)
    select p_count.org_id, p_count.id, m.last + row_number() over (order by n.place), p_count.branch_id, n.variant_id,
      n.batch_id
    from jsonb_to_recordset(v_new) as n (variant_id uuid, batch_id uuid, place integer)
    cross join (
      select coalesce(max(x.line_no), 0) as last from public.stock_count_lines x
      where x.org_id = p_count.org_id and x.count_id = p_count.id) m
    on conflict do nothing;
    insert into public.stock_count_figures (org_id, count_id, line_no, branch_id, shown)
    select x.org_id, x.count_id, x.line_no, x.branch_id, not p_count.blind
    from public.stock_count_lines x
    where x.org_id = p_count.org_id and x.count_id = p_count.id and not exists (
      select from public.stock_count_figures f
      where f.org_id = x.org_id and f.count_id = x.count_id and f.line_no = x.line_no);
  end if;
  return (
    select jsonb_agg(jsonb_build_object('place', l.place, 'line_no', x.line_no, 'variant_id', l.variant_id,
      'quantity', l.quantity, 'serials', l.serials) order by l.place)
    from jsonb_to_recordset(p_lines) as l (place integer, variant_id uuid, quantity numeric, serials text[], batch text)
    left join public.batches b on b.org_id = p_count.org_id and b.variant_id = l.variant_id and b.code = l.batch
    join public.stock_count_lines x
      on x.org_id = p_count.org_id and x.count_id = p_count.id and x.variant_id = l.variant_id
        and x.batch_id is not distinct from b.id);
end;
$$;

comment on function private.place_count_lines(public.stock_counts, jsonb) is
'The lines of the count that entries belong to: finds get a line, unknown lots are opened. p_lines: as
private.read_count_lines returns them. Returns [{"place", "line_no", "variant_id", "quantity", "serials"}]. Errors: 409
count_overlaps, batch_mismatch.';
