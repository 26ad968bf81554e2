-- Scanning: any code that a reader or a person gives, and what it stands for.

-- Indexes -----------------------------------------------------------------------------------------

-- Who receives a transfer looks for its number too; the one for who sends it is the key of the numbers.
create index on public.stock_transfers (to_branch_id, number);

-- availability ------------------------------------------------------------------------------------

create function public.availability(p_org_id uuid, p_variant_ids uuid[], p_branch_id uuid default null)
returns table (variant_id uuid, branch_id uuid, location_id uuid, location_code text, kind text, is_sellable boolean,
  on_hand numeric, reserved numeric, available numeric, incoming numeric, in_transit numeric, expired numeric)
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_branches uuid[] := array(
    select b from private.branches_with('stock.read') b where p_branch_id is null or b = p_branch_id);
begin
  if p_variant_ids is null or cardinality(p_variant_ids) not between 1 and 1000 then
    perform private.fail(400, 'invalid_input', 'p_variant_ids names 1 to 1000 variants.', '{"field": "p_variant_ids"}');
  end if;
  if not exists (
    select from private.orgs_with('stock.read') o where o = p_org_id)
    or (p_branch_id is not null and not exists (
      select from public.branches b where b.id = any (v_branches) and b.org_id = p_org_id)) then
    perform private.fail(404, 'not_found', 'There is no such place, or it is not yours.',
      jsonb_build_object('org_id', p_org_id, 'branch_id', p_branch_id));
  end if;
  return query
  with asked as (
    select distinct a.id from unnest(p_variant_ids) a (id)
  ), parts as (
    select c.set_variant_id, c.component_variant_id, c.quantity,
      count(*) over (partition by c.set_variant_id) as components
    from public.set_components c join asked a on a.id = c.set_variant_id
    where c.org_id = p_org_id
  ), standing as materialized (
    select s.variant_id, s.branch_id, s.location_id, s.on_hand, s.reserved, s.available, s.incoming, s.in_transit
    from public.stock_levels s
    where s.org_id = p_org_id and s.branch_id = any (v_branches)
      and s.variant_id = any (array(select a.id from asked a union select p.component_variant_id from parts p))
  ), gone as (
    -- As private.expired_stock, of all levels at once: the policies of lots are asked once.
    select b.location_id, b.variant_id, sum(b.on_hand) as expired
    from public.batch_levels b
    join public.batches t on t.org_id = b.org_id and t.id = b.batch_id
    join public.branches n on n.org_id = b.org_id and n.id = b.branch_id
    where b.org_id = p_org_id and b.location_id = any (array(select s.location_id from standing s))
      and b.variant_id = any (array(select s.variant_id from standing s)) and b.on_hand > 0
      and t.expires_on < (now() at time zone n.timezone)::date
    group by 1, 2
  ), levels as (
    select s.*, coalesce(g.expired, 0) as expired
    from standing s left join gone g on g.location_id = s.location_id and g.variant_id = s.variant_id
  ), found as (
    select l.variant_id, l.branch_id, l.location_id, l.on_hand, l.reserved, l.available, l.incoming, l.in_transit,
      l.expired
    from levels l join asked a on a.id = l.variant_id
    union all
    -- So many sets can be put together at a location as its scarcest component allows; one that was never there, none.
    select p.set_variant_id, l.branch_id, l.location_id, min(floor(l.on_hand / p.quantity)),
      min(floor(l.on_hand / p.quantity)) - min(floor(l.available / p.quantity)), min(floor(l.available / p.quantity)),
        0, 0,
      min(floor(l.available / p.quantity)) - min(floor(greatest(l.available - l.expired, 0) / p.quantity))
    from parts p join levels l on l.variant_id = p.component_variant_id
    group by p.set_variant_id, l.branch_id, l.location_id, p.components
    having count(*) = p.components
  )
  select f.variant_id, f.branch_id, f.location_id, o.code, o.kind, o.is_sellable, f.on_hand::numeric(14, 3),
    f.reserved::numeric(14, 3), f.available::numeric(14, 3), f.incoming::numeric(14, 3), f.in_transit::numeric(14, 3),
    f.expired::numeric(14, 3)
  from found f join public.locations o on o.org_id = p_org_id and o.id = f.location_id
  order by f.variant_id, o.is_sellable desc, f.branch_id, o.code;
end;
$$;

comment on function public.availability(uuid, uuid[], uuid) is
'What of some variants lies where, in the branches in which the caller holds stock.read. p_org_id; p_variant_ids: 1 to
1000; p_branch_id: that branch only. Quantities in the variant''s unit: available = on_hand - reserved; incoming: will
come; in_transit: the part of that on the road, so far all of it; expired: the part of on_hand past its last day, which
is neither promised nor, without sale.expired, sold. Of a set: how many its components at the location make, nothing
incoming; expired: how many fewer without what has expired. A location where a variant never was has no row. Errors: 400
invalid_input, 401, 404 not_found. Permission: stock.read.';
revoke execute on function public.availability(uuid, uuid[], uuid) from public, anon;
grant execute on function public.availability(uuid, uuid[], uuid) to authenticated;

-- serial_history ----------------------------------------------------------------------------------

create function public.serial_history(p_org_id uuid, p_variant_id uuid, p_serial text) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_unit public.stock_units := (
    select u from public.stock_units u where u.org_id = p_org_id and u.variant_id = p_variant_id
      and u.serial = p_serial);
  v_branches uuid[];
  v_invoices uuid[];
begin
  perform private.authorize('stock.read', v_unit.org_id, v_unit.branch_id);
  v_branches := array(select private.branches_with('stock.read'));
  v_invoices := array(select private.branches_with('invoice.read'));
  return to_jsonb(v_unit) || jsonb_build_object(
    'sku', (select v.sku from public.product_variants v where v.org_id = p_org_id and v.id = p_variant_id),
    'name', (select v.name from public.product_variants v where v.org_id = p_org_id and v.id = p_variant_id),
    'location_code', (select l.code from public.locations l where l.org_id = v_unit.org_id
      and l.id = v_unit.location_id),
    'events', (
      select coalesce(jsonb_agg(jsonb_build_object('event', case
            when f.kind = 'supplier' or (f.kind = 'adjustment' and m.document <> 'stock_count') then 'received'
            when f.kind = 'adjustment' then 'found'
            when f.kind = 'customer' then 'returned'
            when t.kind = 'customer' then 'sold'
            when t.kind = 'supplier' then 'sent_back'
            when t.kind = 'adjustment' then 'removed'
            when t.kind = 'transit' then 'dispatched'
            when f.kind = 'transit' then 'arrived'
            else 'moved' end,
          'occurred_at', m.occurred_at, 'document', m.document, 'document_id', m.document_id,
          'number', i.number, 'from_location_id', f.id, 'from_location_code', f.code, 'to_location_id', t.id,
          'to_location_code', t.code, 'unit_cost', m.unit_cost, 'created_by', m.created_by) order by m.id), '[]')
      from public.stock_movements m
      join public.locations f on f.org_id = m.org_id and f.id = m.from_location_id
      join public.locations t on t.org_id = m.org_id and t.id = m.to_location_id
      left join public.invoices i on i.org_id = m.org_id and i.id = m.document_id and m.document = 'invoice'
        and i.branch_id = any (v_invoices)
      where m.org_id = p_org_id and m.variant_id = p_variant_id and m.serials @> array[p_serial]
        and (m.from_branch_id = any (v_branches) or m.to_branch_id = any (v_branches))));
end;
$$;

comment on function public.serial_history(uuid, uuid, text) is
'One piece and what happened to it, oldest first. p_org_id; p_variant_id; p_serial: its number, exactly. Returns the
piece (status, location, warranty_until: the last day) with "events" (received, found, moved, dispatched, arrived, sold,
returned, removed, sent_back; unit_cost per unit): those from or to branches in which the caller holds stock.read;
"number" of an invoice only where he holds invoice.read. Definer, because no index serves a search in an array under
row-level security. Errors: 401, 403 permission_denied, 404 not_found. Permission: stock.read at the branch that has the
piece or had it last.';
revoke execute on function public.serial_history(uuid, uuid, text) from public, anon;
grant execute on function public.serial_history(uuid, uuid, text) to authenticated;

-- scan --------------------------------------------------------------------------------------------

create function public.scan(p_code text, p_org_id uuid default null, p_branch_id uuid default null) returns jsonb
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_code text := btrim(p_code, E' \t\r\n');
  -- Who is of several houses stands at one till: the branch says in which.
  v_orgs uuid[] := array(
    select o from private.member_orgs() o
    where (p_org_id is null or o = p_org_id)
      and not exists (select from public.branches b where b.id = p_branch_id and b.org_id <> o));
  v_branches uuid[] := array(select b from private.member_branches() b where p_branch_id is null or b = p_branch_id);
  v_parts text[] := regexp_match(v_code, '^bl:(variant|unit|batch|location):([0-9a-fA-F-]{36})(?::(.*))?$');
  v_labelled uuid := case when v_parts[2] ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then v_parts[2]::uuid
    end;
  v_gtin text := case when v_code ~ '^([0-9]{8}|[0-9]{12,14})$' then lpad(v_code, 14, '0') end;
  v_matches jsonb;
begin
  if v_code is null or length(v_code) not between 1 and 200 then
    perform private.fail(400, 'invalid_input', 'A code has 1 to 200 characters.', '{"field": "p_code"}');
  end if;
  -- Each look-up names organisation and code, so that its index is used: of the policies alone no index knows.
  with hits as (
    select 'variant' as kind, 'qr' as means, true as exact, v.org_id, v.id as variant_id, null::text as serial,
      null::uuid as other_id
    from public.product_variants v
    where v_parts[1] = 'variant' and v.id = v_labelled and v.org_id = any (v_orgs)
    union all
    select 'unit', 'qr', true, u.org_id, u.variant_id, u.serial, null
    from public.stock_units u
    where v_parts[1] = 'unit' and u.org_id = any (v_orgs) and u.variant_id = v_labelled and u.serial = v_parts[3]
    union all
    select 'batch', 'qr', true, b.org_id, b.variant_id, null, b.id
    from public.batches b where v_parts[1] = 'batch' and b.org_id = any (v_orgs) and b.id = v_labelled
    union all
    select 'location', 'qr', true, l.org_id, null, null, l.id
    from public.locations l where v_parts[1] = 'location' and l.id = v_labelled and l.org_id = any (v_orgs)
    union all
    select 'variant', 'barcode', true, b.org_id, b.variant_id, null, null
    from (
      select c.org_id, c.variant_id from public.variant_barcodes c where c.org_id = any (v_orgs) and c.code = v_code
      union
      select c.org_id, c.variant_id from public.variant_barcodes c where c.org_id = any (v_orgs)
        and c.gtin14 = v_gtin) b
    union all
    select 'variant', 'sku', v.sku = v_code, v.org_id, v.id, null, null
    from public.product_variants v where v.org_id = any (v_orgs) and v.sku = any (array[v_code, upper(v_code)])
    union all
    select 'unit', 'serial', true, u.org_id, u.variant_id, u.serial, null
    from public.stock_units u where u.org_id = any (v_orgs) and u.serial = v_code
    union all
    select 'batch', 'batch_code', true, b.org_id, b.variant_id, null, b.id
    from public.batches b where b.org_id = any (v_orgs) and b.code = v_code
    union all
    select 'location', 'location_code', l.code = v_code, l.org_id, null, null, l.id
    from public.locations l
    where l.org_id = any (v_orgs) and l.branch_id = any (v_branches) and l.code = any (array[v_code, upper(v_code)])
    union all
    select 'document', 'number', true, i.org_id, null, null, i.id
    from public.invoices i where i.branch_id = any (v_branches) and i.org_id = any (v_orgs) and i.number = v_code
    union all
    select 'document', 'number', true, t.org_id, null, null, t.id
    from (
      select f.org_id, f.id from public.stock_transfers f where f.from_branch_id = any (v_branches)
        and f.number = v_code
      union
      select f.org_id, f.id from public.stock_transfers f where f.to_branch_id = any (v_branches)
        and f.number = v_code) t
    where t.org_id = any (v_orgs)
  ), stock as (
    -- Whoever may see what a thing is, may not therefore see how many there are.
    select a.variant_id, jsonb_agg(to_jsonb(a)) as levels
    from (select distinct h.org_id from hits h where h.variant_id is not null) o
    join lateral public.availability(o.org_id, array(
      select distinct h.variant_id from hits h where h.org_id = o.org_id and h.variant_id is not null),
        p_branch_id) a on true
    where o.org_id in (select private.orgs_with('stock.read'))
      and (p_branch_id is null or p_branch_id in (select private.branches_with('stock.read')))
    group by a.variant_id
  )
  select jsonb_agg(jsonb_build_object(
      'kind', h.kind, 'by', h.means, 'exact', h.exact,
      'primary', h.means <> 'barcode' or coalesce(v.barcode = v_code or lpad(v.barcode, 14, '0') = v_gtin, false),
      'org_id', h.org_id,
      'variant', case when v.id is not null then to_jsonb(v) - array['created_at', 'updated_at'] || jsonb_build_object(
        'product_name', p.name, 'product_kind', p.kind, 'unit', p.unit_code) end,
      'unit', to_jsonb(u) || jsonb_build_object('location_code', k.code),
      'batch', to_jsonb(b) - array['no', 'request_id'] || jsonb_build_object(
        'expired', coalesce(b.expires_on < (now() at time zone coalesce(n.timezone, 'UTC'))::date, false), 'levels', (
          select coalesce(jsonb_agg(jsonb_build_object('branch_id', e.branch_id, 'location_id', e.location_id,
            'location_code', f.code, 'on_hand', e.on_hand) order by f.code), '[]')
          from public.batch_levels e join public.locations f on f.id = e.location_id
          where e.org_id = b.org_id and e.batch_id = b.id and e.on_hand > 0
            and (p_branch_id is null or e.branch_id = p_branch_id))),
      'location', case when l.id is not null then jsonb_build_object('id', l.id, 'branch_id', l.branch_id, 'code',
        l.code,
        'name', l.name, 'kind', l.kind, 'is_sellable', l.is_sellable, 'archived_at', l.archived_at) end,
      'document', case when i.id is not null then jsonb_build_object('document', 'invoice', 'id', i.id,
        'branch_id', i.branch_id, 'number', i.number, 'status', i.status, 'business_date', i.business_date)
        when t.id is not null then jsonb_build_object('document', 'stock_transfer', 'id', t.id,
        'branch_id', t.from_branch_id, 'number', t.number, 'status', t.status, 'business_date', t.business_date) end,
      'stock', case when h.variant_id is not null and h.org_id in (select private.orgs_with('stock.read'))
        then coalesce(s.levels, '[]') end)
    order by not h.exact, v.archived_at is not null,
      array_position(array['variant', 'unit', 'batch', 'location', 'document'], h.kind),
      array_position(array['qr', 'barcode', 'sku'], h.means), v.sku, u.branch_id, l.branch_id)
  into v_matches
  from hits h
  -- One look-up by key for each hit: expecting many, the planner would read whole tables into a hash.
  left join lateral (
    select * from public.product_variants x where x.org_id = h.org_id and x.id = h.variant_id limit 1) v on true
  left join lateral (
    select * from public.products x where x.org_id = h.org_id and x.id = v.product_id limit 1) p on true
  left join lateral (
    select * from public.stock_units x
    where h.kind = 'unit' and x.org_id = h.org_id and x.variant_id = h.variant_id and x.serial = h.serial
      limit 1) u on true
  left join public.locations k on k.id = u.location_id
  left join lateral (
    select * from public.batches x where h.kind = 'batch' and x.org_id = h.org_id and x.id = h.other_id
      limit 1) b on true
  left join public.branches n on n.id = p_branch_id
  left join public.locations l on h.kind = 'location' and l.id = h.other_id
  left join lateral (
    select * from public.invoices x where h.kind = 'document' and x.org_id = h.org_id and x.id = h.other_id
      limit 1) i on true
  left join lateral (
    select * from public.stock_transfers x
    where h.kind = 'document' and x.org_id = h.org_id and x.id = h.other_id limit 1) t on true
  left join stock s on s.variant_id = h.variant_id;
  if v_matches is null then
    perform private.fail(404, 'not_found', 'This code is not known, or not yours.',
      jsonb_build_object('scanned', v_code));
  end if;
  return jsonb_build_object('code', v_code, 'matches', v_matches);
end;
$$;

comment on function public.scan(text, uuid, uuid) is
'What a code stands for. p_code: a barcode (an EAN-8, UPC-A, EAN-13 or GTIN-14 in any of these notations), a SKU, a
serial number, a batch''s or location''s code, the number of an invoice or a transfer, or what our QR codes hold
(bl:variant:<id>, bl:unit:<variant id>:<serial>, bl:batch:<id>, bl:location:<id>). p_org_id: that organisation only;
p_branch_id: goods of its organisation, and stock, places and documents of that branch only.
Returns {"code", "matches"}: all that it may be, the exact and the primary first, each with "stock" as availability
gives it (null without stock.read). Errors: 400 invalid_input, 401, 404 not_found. Permission: catalogue.read for goods,
stock.read for stock, pieces, batches and transfers, invoice.read for invoices.';
revoke execute on function public.scan(text, uuid, uuid) from public, anon;
grant execute on function public.scan(text, uuid, uuid) to authenticated;
