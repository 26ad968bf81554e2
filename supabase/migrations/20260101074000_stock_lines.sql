-- The lines of a stock document: read, checked, and sets taken apart.

create function private.texts(p_value jsonb) returns text[]
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when jsonb_typeof(p_value) = 'array' then (select array_agg(e) from jsonb_array_elements_text(p_value) e)
    end;
end;
$$;

comment on function private.texts(jsonb) is 'A JSON array of texts as an array; null for anything else. No errors.';

create function private.named_lines(p_shape text, p_lines jsonb, p_argument text default 'p_lines')
returns table (place integer, line_no integer, quantity numeric, line jsonb)
language plpgsql stable
set search_path = ''
as $$
declare
  v_number text := (select s.once from private.shapes s where s.name = p_shape);
begin
  perform private.check_shape(p_shape, p_lines, p_argument);
  return query
  select t.place::integer, (t.line -> v_number)::numeric::integer, (nullif(t.line -> 'quantity', 'null'))::numeric,
    t.line
  from jsonb_array_elements(p_lines) with ordinality t (line, place) order by t.place;
end;
$$;

comment on function private.named_lines(text, jsonb, text) is
'Lines that name the lines of another document, checked, in their order. line_no: the number, whatever its field is
called; quantity: null where the shape has none. Parameters and errors: as private.check_shape.';

create function private.serials_of(p_org_id uuid, p_variant_id uuid, p_serials text[], p_location_id uuid)
  returns text[]
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select array_agg(u.serial order by u.serial) from public.stock_units u
    where u.org_id = p_org_id and u.variant_id = p_variant_id and u.serial = any (p_serials)
      and u.location_id = p_location_id);
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
  for v_line in
    select t.place::integer as line_no, t.line ->> 'unit' as unit, (t.line ->> 'quantity')::numeric as quantity,
      private.texts(t.line -> 'serials') as serials, t.line ->> 'batch' as batch, (t.line ->> 'variant_id')::uuid
        as asked_id,
      v.id, v.sku, v.tracking, coalesce(v.archived_at, p.archived_at) as archived_at, p.kind, u.decimals
    from jsonb_array_elements(p_lines) with ordinality t (line, place)
    left join lateral (
      select * from public.product_variants x where x.org_id = p_org_id and x.id = (t.line ->> 'variant_id')::uuid
        limit 1) v on true
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
        perform private.fail(400, 'invalid_input', format('So many of %s have more pieces than can be counted.',
          v_line.sku),
          jsonb_build_object('field', 'p_lines', 'line', v_line.line_no, 'sku', v_line.sku));
      elsif v_line.batch is not null then
        perform private.fail(400, 'invalid_input', format('%s is a set: its components come from lots of their own.',
          v_line.sku),
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
      if (v_line.serials is not null and v_line.tracking <> 'serial')
        or (v_line.batch is not null and v_line.tracking <> 'batch') then
        perform private.fail(400, 'invalid_input', format('%s is not tracked in that way.', v_line.sku),
          jsonb_build_object('field', 'p_lines', 'line', v_line.line_no, 'sku', v_line.sku, 'tracking',
            v_line.tracking));
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
p_lines: checked, of a shape of goods, such as transfer_lines; p_location_id: where the goods stand, which tells the
pieces of a set apart by serial number. quantity and item_quantity: in the variants'' own units. Errors: 400
invalid_input; 404 not_found; 422 not_stocked, set_incomplete, unit_unknown.';
