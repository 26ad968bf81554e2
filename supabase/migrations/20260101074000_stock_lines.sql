-- The lines of a stock document: read, checked, and sets taken apart.

create function private.is_serials(p_value jsonb) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_value) is distinct from 'array' or jsonb_array_length(p_value) not between 1 and 2000 then
    return false;
  end if;
  return not exists (
    select from jsonb_array_elements(p_value) e where jsonb_typeof(e) <> 'string' or e #>> '{}' !~ '^\S(.{0,58}\S)?$');
end;
$$;

comment on function private.is_serials(jsonb) is
'Is this a JSON array of serial numbers, 1 to 2000 texts of 1 to 60 characters without spaces at the ends? No errors.';

create function private.texts(p_value jsonb) returns text[]
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when jsonb_typeof(p_value) = 'array' then (select array_agg(e) from jsonb_array_elements_text(p_value) e) end;
end;
$$;

comment on function private.texts(jsonb) is 'A JSON array of texts as an array; null for anything else. No errors.';

create function private.number_problem(p_value jsonb, p_kind text) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  v_number numeric := case when jsonb_typeof(p_value) = 'number' then p_value::numeric end;
begin
  if p_kind = 'number' then
    return case when v_number between 1 and 1000000 and v_number % 1 = 0 then null else 'must be a whole number above 0' end;
  end if;
  return case when v_number between case p_kind when 'quantity' then 0.001 else 0 end and 999999999 and v_number = round(v_number, 3)
    then null else format('must be a quantity%s, with 3 decimals at most', case p_kind when 'quantity' then ' above 0' end) end;
end;
$$;

comment on function private.number_problem(jsonb, text) is
'What is wrong with a number of a line, or with a quantity; null when nothing is. p_kind: as private.field_problem has them. No errors.';

create function private.field_problem(p_value jsonb, p_shape jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  v_given boolean := coalesce(jsonb_typeof(p_value) <> 'null', false);
  v_unknown text;
  v_field record;
  v_problem text;
begin
  if jsonb_typeof(p_shape) = 'array' then
    return case when v_given and (jsonb_typeof(p_value) <> 'string' or not p_shape ? (p_value #>> '{}'))
      then 'must be one of ' || (select string_agg(e, ', ') from jsonb_array_elements_text(p_shape) e) end;
  elsif jsonb_typeof(p_shape) = 'object' then
    if not v_given then
      return null;
    elsif jsonb_typeof(p_value) <> 'object' then
      return 'must be an object';
    end if;
    select min(k) into v_unknown from jsonb_object_keys(p_value) k where not p_shape ? k;
    if v_unknown is not null then
      return format('has no field %s', left(v_unknown, 60));
    end if;
    for v_field in select s.key, s.value from jsonb_each(p_shape) s loop
      v_problem := private.field_problem(p_value -> v_field.key, v_field.value);
      if v_problem is not null then
        return format('%s %s', v_field.key, v_problem);
      end if;
    end loop;
    return null;
  end if;
  return case p_shape #>> '{}'
    when 'id' then case when coalesce(p_value #>> '{}', '') !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then 'must be a uuid' end
    when 'text' then case when v_given and jsonb_typeof(p_value) <> 'string' then 'must be a text' end
    when 'serials' then case when v_given and not private.is_serials(p_value) then 'must be serial numbers' end
    when 'pieces' then case when v_given and p_value <> '[]' and not private.is_serials(p_value) then 'must be serial numbers' end
    else case when v_given or p_shape <> '"part"' then private.number_problem(p_value, p_shape #>> '{}') end
  end;
end;
$$;

comment on function private.field_problem(jsonb, jsonb) is
'What is wrong with a field of a line, as the end of a sentence; null when nothing is. p_shape: id (a uuid), number (of a line: whole,
1 to 1000000), quantity (0.001 to 999999999, 3 decimals), count (likewise, 0 too), part (a count that may be left out); and, all of
which may be left out, text, serials, pieces (serials, or none), a list of the texts allowed, an object of fields. JSON null is left out.';

create function private.check_lines(p_lines jsonb, p_shape jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_number text := (select s.key from jsonb_each(p_shape) s where s.value = '"number"');
  v_fields text[] := array(select jsonb_object_keys(p_shape));
  v_place bigint;
  v_problem text;
begin
  if p_lines is null or jsonb_typeof(p_lines) <> 'array' or jsonb_array_length(p_lines) not between 1 and 2000 then
    perform private.fail(400, 'invalid_input', 'p_lines must be a JSON array of 1 to 2000 lines.', '{"field": "p_lines"}');
  end if;
  select e.place, e.problem into v_place, v_problem
  from (
    -- Field by field in one statement, and what may be left out only where it is there: 2000 lines are read in no time.
    select t.place, case when jsonb_typeof(t.line) <> 'object' then 'must be an object'
      when t.line - v_fields <> '{}' then 'has no field ' || left((select min(k) from jsonb_object_keys(t.line - v_fields) k), 60)
      else (
        select s.key || ' ' || x.problem
        from jsonb_each(p_shape) s cross join lateral (select private.field_problem(t.line -> s.key, s.value) as problem offset 0) x
        where (t.line ? s.key or s.value in ('"id"', '"number"', '"quantity"', '"count"')) and x.problem is not null
        limit 1) end as problem
    from jsonb_array_elements(p_lines) with ordinality t (line, place)) e
  where e.problem is not null order by e.place limit 1;
  if v_place is null and v_number is not null then
    select max(t.place), v_number || ' is named twice' into v_place, v_problem
    from jsonb_array_elements(p_lines) with ordinality t (line, place)
    group by (t.line -> v_number)::numeric having count(*) > 1 order by 1 limit 1;
  end if;
  if v_place is not null then
    perform private.fail(400, 'invalid_input', format('Line %s: %s.', v_place, v_problem),
      jsonb_build_object('field', 'p_lines', 'line', v_place));
  end if;
end;
$$;

comment on function private.check_lines(jsonb, jsonb) is
'The one check of lines: 1 to 2000 objects of the shape, as private.field_problem reads it, in which a number names a line of another
document and comes once. Errors: 400 invalid_input with the line.';

create function private.named_lines(p_lines jsonb, p_shape jsonb)
returns table (place integer, line_no integer, quantity numeric, line jsonb)
language plpgsql stable
set search_path = ''
as $$
declare
  v_number text := (select s.key from jsonb_each(p_shape) s where s.value = '"number"');
begin
  perform private.check_lines(p_lines, p_shape);
  return query
  select t.place::integer, (t.line -> v_number)::numeric::integer, (nullif(t.line -> 'quantity', 'null'))::numeric, t.line
  from jsonb_array_elements(p_lines) with ordinality t (line, place) order by t.place;
end;
$$;

comment on function private.named_lines(jsonb, jsonb) is
'Lines that name the lines of another document, checked, in their order. line_no: the number, whatever its field is called;
quantity: null where the shape has none. Parameters and errors: as private.check_lines.';

create function private.check_stock_lines(p_lines jsonb, p_quantity text default 'quantity') returns void
language plpgsql stable
set search_path = ''
as $$
begin
  perform private.check_lines(p_lines, jsonb_build_object('variant_id', 'id', 'quantity', p_quantity, 'unit', 'text',
    'serials', 'serials', 'batch', 'text', 'expires_on', 'text'));
end;
$$;

comment on function private.check_stock_lines(jsonb, text) is
'p_lines: [{"variant_id", "quantity", "unit"?, "serials"?, "batch"?, "expires_on"?}], 1 to 2000 of them. p_quantity: quantity, or
count where none is one too. Errors: 400 invalid_input with the line.';

create function private.refuse_line_fields(p_lines jsonb, p_fields text[]) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  v_place bigint;
  v_field text;
begin
  select t.place, f into v_place, v_field
  from jsonb_array_elements(p_lines) with ordinality t (line, place), unnest(p_fields) f
  where t.line ->> f is not null order by t.place limit 1;
  if v_field is not null then
    perform private.fail(400, 'invalid_input', format('Line %s: this document knows no %s.', v_place, v_field),
      jsonb_build_object('field', 'p_lines', 'line', v_place));
  end if;
end;
$$;

comment on function private.refuse_line_fields(jsonb, text[]) is
'Refuses fields that private.check_stock_lines knows but this document does not, so that none is silently ignored. Errors: 400
invalid_input with the line.';

create function private.serials_of(p_org_id uuid, p_variant_id uuid, p_serials text[], p_location_id uuid) returns text[]
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select array_agg(u.serial order by u.serial) from public.stock_units u
    where u.org_id = p_org_id and u.variant_id = p_variant_id and u.serial = any (p_serials) and u.location_id = p_location_id);
end;
$$;

comment on function private.serials_of(uuid, uuid, text[], uuid) is
'Those of the serial numbers that are pieces of the variant at the location: which of a set''s numbers belong to which
component. Null when there is none.';

create function private.read_stock_lines(p_org_id uuid, p_lines jsonb, p_location_id uuid)
returns table (line_no integer, variant_id uuid, quantity numeric, set_variant_id uuid, item_variant_id uuid,
  item_quantity numeric, serials text[], batch_id uuid, sku text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_line record;
  v_quantity numeric;
begin
  perform private.check_stock_lines(p_lines);
  for v_line in
    select t.place::integer as line_no, t.line ->> 'unit' as unit, (t.line ->> 'quantity')::numeric as quantity,
      private.texts(t.line -> 'serials') as serials, t.line ->> 'batch' as batch, (t.line ->> 'variant_id')::uuid as asked_id,
      v.id, v.sku, v.tracking, coalesce(v.archived_at, p.archived_at) as archived_at, p.kind, u.decimals
    from jsonb_array_elements(p_lines) with ordinality t (line, place)
    left join lateral (
      select * from public.product_variants x where x.org_id = p_org_id and x.id = (t.line ->> 'variant_id')::uuid limit 1) v on true
    left join lateral (
      select * from public.products x where x.org_id = p_org_id and x.id = v.product_id limit 1) p on true
    left join public.units u on u.code = p.unit_code
    order by t.place
  loop
    if v_line.id is null then
      perform private.fail(404, 'not_found', format('Line %s: there is no such variant.', v_line.line_no),
        jsonb_build_object('line', v_line.line_no, 'variant_id', v_line.asked_id));
    elsif v_line.kind = 'service' then
      perform private.fail(422, 'not_stocked', format('%s is a service: it is not kept in stock.', v_line.sku),
        jsonb_build_object('line', v_line.line_no, 'variant_id', v_line.id, 'sku', v_line.sku));
    end if;
    v_quantity := case when v_line.unit is null then v_line.quantity
      else private.base_quantity(p_org_id, v_line.id, v_line.quantity, v_line.unit) end;
    if v_quantity <> round(v_quantity, v_line.decimals) then
      perform private.fail(400, 'invalid_input', format('%s is not kept in fractions so small.', v_line.sku),
        jsonb_build_object('field', 'p_lines', 'line', v_line.line_no, 'sku', v_line.sku));
    end if;
    if v_line.kind = 'set' then
      if exists (
        select from public.set_components c
        where c.org_id = p_org_id and c.set_variant_id = v_line.id and v_quantity * c.quantity >= 1e9) then
        perform private.fail(400, 'invalid_input', format('So many of %s have more pieces than can be counted.', v_line.sku),
          jsonb_build_object('field', 'p_lines', 'line', v_line.line_no, 'sku', v_line.sku));
      elsif v_line.batch is not null then
        perform private.fail(400, 'invalid_input', format('%s is a set: its components come from lots of their own.', v_line.sku),
          jsonb_build_object('field', 'p_lines', 'line', v_line.line_no, 'sku', v_line.sku));
      end if;
      return query
      select v_line.line_no, v_line.id, v_quantity, v_line.id, c.component_variant_id, v_quantity * c.quantity,
        case when v.tracking = 'serial' then private.serials_of(p_org_id, v.id, v_line.serials, p_location_id) end,
        null::uuid, v.sku
      from public.set_components c
      join public.product_variants v on v.org_id = c.org_id and v.id = c.component_variant_id
      where c.org_id = p_org_id and c.set_variant_id = v_line.id order by c.position, v.sku;
      if not found then
        perform private.fail(422, 'set_incomplete', format('The set %s has no components yet.', v_line.sku),
          jsonb_build_object('line', v_line.line_no, 'variant_id', v_line.id, 'sku', v_line.sku));
      end if;
    else
      if (v_line.serials is not null and v_line.tracking <> 'serial') or (v_line.batch is not null and v_line.tracking <> 'batch') then
        perform private.fail(400, 'invalid_input', format('%s is not tracked in that way.', v_line.sku),
          jsonb_build_object('field', 'p_lines', 'line', v_line.line_no, 'sku', v_line.sku, 'tracking', v_line.tracking));
      end if;
      return query
      select v_line.line_no, v_line.id, v_quantity, null::uuid, v_line.id, v_quantity, v_line.serials,
        case when v_line.batch is not null then private.batch_named(p_org_id, v_line.id, v_line.batch) end, v_line.sku;
    end if;
  end loop;
end;
$$;

comment on function private.read_stock_lines(uuid, jsonb, uuid) is
'The lines of a stock document as items to move, in line order: a plain line is one item, a set one for each component.
p_lines: as private.check_stock_lines takes them; p_location_id: where the goods stand, which tells the pieces of a set apart
by serial number. quantity and item_quantity: in the variants'' own units. Errors: 400 invalid_input; 404 not_found; 422
not_stocked, set_incomplete, unit_unknown.';
