-- Numbered pieces and lots as they move: which ones go, whether they are there, whether they may be sold.

create function private.move_units(p_org_id uuid, p_move private.stock_move, p_sku text, p_sold_on date) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_serials text[] := (select array_agg(distinct s) from unnest(p_move.serials) s);
  v_from public.locations;
  v_to public.locations;
  v_moved text[];
  v_warranty integer;
  v_facts jsonb;
begin
  if cardinality(v_serials) is distinct from p_move.quantity
    or cardinality(p_move.serials) is distinct from p_move.quantity then
    perform private.fail(422, 'serials_required', format('Name the serial number of each piece of %s, %s in all.',
      p_sku,
      trim_scale(p_move.quantity)), jsonb_build_object('variant_id', p_move.variant_id, 'sku', p_sku, 'quantity',
        p_move.quantity,
      'serials', to_jsonb(p_move.serials)));
  end if;
  select * into v_from from public.locations where org_id = p_org_id and id = p_move.from_location_id;
  select * into v_to from public.locations where org_id = p_org_id and id = p_move.to_location_id;
  if p_sold_on is not null then
    select p.warranty_months into v_warranty
    from public.product_variants v join public.products p on p.org_id = v.org_id and p.id = v.product_id
    where v.org_id = p_org_id and v.id = p_move.variant_id;
  end if;

  -- A piece that comes into the house is new, or was sold or given away before; one that is in stock cannot come in
  -- again.
  with arriving as (
    insert into public.stock_units as u (org_id, variant_id, serial, location_id, branch_id, status)
    select p_org_id, p_move.variant_id, s, v_to.id, v_to.branch_id, case when v_to.holds_stock then 'in_stock'
      else 'removed' end
    from unnest(v_serials) s where not v_from.holds_stock order by s
    on conflict (org_id, variant_id, serial) do update
    set location_id = excluded.location_id, branch_id = coalesce(excluded.branch_id, u.branch_id),
      status = excluded.status
    where u.status in ('sold', 'removed')
    returning u.serial
  ), leaving as (
    update public.stock_units u
    set location_id = v_to.id, branch_id = coalesce(v_to.branch_id, u.branch_id),
      status = case v_to.kind when 'transit' then 'in_transit' when 'customer' then 'sold'
        when 'supplier' then 'removed' when 'adjustment' then 'removed' else 'in_stock' end,
      warranty_until = case when v_warranty is null then u.warranty_until
        else (p_sold_on + make_interval(months => v_warranty) - interval '1 day')::date end
    where v_from.holds_stock and u.org_id = p_org_id and u.variant_id = p_move.variant_id and u.serial = any (v_serials)
      and u.location_id = v_from.id
    returning u.serial
  )
  select array_agg(serial) into v_moved from (select serial from arriving union all select serial from leaving) e;

  if cardinality(v_moved) = cardinality(v_serials) then
    return;
  end if;
  v_facts := jsonb_build_object('variant_id', p_move.variant_id, 'sku', p_sku, 'serials', (
    select jsonb_agg(s order by s) from unnest(v_serials) s where s <> all (coalesce(v_moved, '{}'))));
  if v_from.holds_stock then
    perform private.fail(409, 'serial_not_here', format('%s: not all of these pieces are at %s.', p_sku, v_from.name),
      v_facts);
  else
    perform private.fail(409, 'serial_in_stock', format('%s: some of these pieces are in stock already.', p_sku),
      v_facts);
  end if;
end;
$$;

comment on function private.move_units(uuid, private.stock_move, text, date) is
'Moves numbered pieces. p_move: with one serial number for each unit; p_sku: for messages; p_sold_on: begins the
warranty, of the product''s warranty_months. Errors: 422 serials_required; 409 serial_not_here (not at the place they
leave), serial_in_stock (came in before and did not leave), each with {"serials"}.';

create function private.move_batches(p_org_id uuid, p_move private.stock_move, p_sku text, p_sold_on date)
returns private.stock_move[]
language plpgsql
set search_path = ''
as $$
declare
  v_from public.locations;
  v_to public.locations;
  v_left numeric := p_move.quantity;
  v_lot record;
  v_part private.stock_move;
  v_parts private.stock_move[] := array[]::private.stock_move[];
  v_good numeric := 0;
begin
  select * into v_from from public.locations where org_id = p_org_id and id = p_move.from_location_id;
  select * into v_to from public.locations where org_id = p_org_id and id = p_move.to_location_id;
  if not v_from.holds_stock then
    if p_move.batch_id is null then
      perform private.fail(422, 'batch_required', format('Say which batch of %s this is.', p_sku),
        jsonb_build_object('variant_id', p_move.variant_id, 'sku', p_sku));
    end if;
    v_parts := array[p_move];
  else
    for v_lot in
      select l.batch_id, l.on_hand, b.code, b.expires_on
      from public.batch_levels l join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
      where l.org_id = p_org_id and l.location_id = v_from.id and l.variant_id = p_move.variant_id and l.on_hand > 0
        and (p_move.batch_id is null or l.batch_id = p_move.batch_id)
      order by b.expires_on nulls last, b.no
    loop
      if p_sold_on is not null and v_lot.expires_on < p_sold_on
        and (p_move.batch_id is null or not private.permitted('sale.expired', p_org_id)) then
        continue;
      end if;
      v_part := p_move;
      v_part.batch_id := v_lot.batch_id;
      v_part.quantity := least(v_left, v_lot.on_hand);
      v_parts := v_parts || v_part;
      v_left := v_left - v_part.quantity;
      if v_lot.expires_on is null or v_lot.expires_on >= p_sold_on then
        v_good := v_good + v_part.quantity;
      end if;
      exit when v_left = 0;
    end loop;
    if v_left > 0 then
      perform private.refuse_batches(p_org_id, p_move, p_sku, p_sold_on, v_left);
    elsif p_sold_on is not null and v_good > 0 then
      perform private.keep_promised(p_org_id, p_move, p_sku, v_good);
    end if;
    update public.batch_levels l set on_hand = l.on_hand - m.quantity
    from unnest(v_parts) m
    where l.org_id = p_org_id and l.location_id = v_from.id and l.variant_id = m.variant_id and l.batch_id = m.batch_id;
  end if;
  if v_to.holds_stock then
    insert into public.batch_levels as l (org_id, branch_id, location_id, variant_id, batch_id, on_hand)
    select p_org_id, v_to.branch_id, v_to.id, m.variant_id, m.batch_id, m.quantity from unnest(v_parts) m
    on conflict (org_id, location_id, variant_id, batch_id) do update set on_hand = l.on_hand + excluded.on_hand;
  end if;
  return v_parts;
end;
$$;

comment on function private.move_batches(uuid, private.stock_move, text, date) is
'Moves goods that are kept in lots and returns one movement for each lot. p_move: batch_id null takes what expires
first; p_sku: for messages; p_sold_on: the business date of a sale: what expired before it stays, unless the lot is
named and the caller holds sale.expired, and what is promised to others is not sold with only expired lots left for
them. Errors: 422 batch_required (on the way in), expired_stock; 409 insufficient_stock.';

create function private.refuse_batches(p_org_id uuid, p_move private.stock_move, p_sku text, p_sold_on date,
  p_short numeric)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_expired numeric := coalesce((
    select sum(l.on_hand)
    from public.batch_levels l join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
    where l.org_id = p_org_id and l.location_id = p_move.from_location_id and l.variant_id = p_move.variant_id
      and (p_move.batch_id is null or l.batch_id = p_move.batch_id) and b.expires_on < p_sold_on), 0);
begin
  if v_expired >= p_short then
    perform private.fail(422, 'expired_stock', format('%s of %s have expired; selling them needs a permission.',
      trim_scale(v_expired), p_sku), jsonb_build_object('variant_id', p_move.variant_id, 'sku', p_sku, 'expired',
        v_expired,
      'permission', 'sale.expired'));
  end if;
  perform private.fail(409, 'insufficient_stock', format('Not enough stock of %s in this batch.', p_sku),
    jsonb_build_object('shortages', jsonb_build_array(jsonb_build_object('variant_id', p_move.variant_id, 'sku', p_sku,
      'requested', p_move.quantity, 'available', p_move.quantity - p_short))));
end;
$$;

comment on function private.refuse_batches(uuid, private.stock_move, text, date, numeric) is
'Says why lots did not suffice. p_short: what is missing. Errors: 422 expired_stock, 409 insufficient_stock.';

create function private.expired_stock(p_org_id uuid, p_location_id uuid, p_variant_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select sum(l.on_hand)
    from public.batch_levels l
    join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
    join public.branches n on n.org_id = l.org_id and n.id = l.branch_id
    where l.org_id = p_org_id and l.location_id = p_location_id and l.variant_id = p_variant_id
      and b.expires_on < (now() at time zone n.timezone)::date), 0);
end;
$$;

comment on function private.expired_stock(uuid, uuid, uuid) is
'How much of a variant at a location is past its last day, by the branch''s date, in the variant''s unit; 0 for goods
that are not kept in lots. No errors.';

create function private.keep_promised(p_org_id uuid, p_move private.stock_move, p_sku text, p_good numeric) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_good numeric;
  v_reserved numeric;
  v_expired numeric := private.expired_stock(p_org_id, p_move.from_location_id, p_move.variant_id);
begin
  -- Whoever is short looks once more when reservations that have expired gave something back.
  for v_look in 1 .. 2 loop
    -- The lots, not the level: of what one sale takes in several lines, the lots know already.
    v_good := coalesce((
      select sum(l.on_hand) from public.batch_levels l
      where l.org_id = p_org_id and l.location_id = p_move.from_location_id and l.variant_id = p_move.variant_id),
        0) - v_expired;
    select s.reserved into v_reserved from public.stock_levels s
    where s.org_id = p_org_id and s.location_id = p_move.from_location_id and s.variant_id = p_move.variant_id;
    exit when v_expired = 0 or v_good - p_good >= v_reserved or v_look = 2
      or private.stock_short(p_org_id, array[p_move.from_location_id], array[p_move.variant_id]) = 0;
  end loop;
  if v_expired > 0 and v_good - p_good < v_reserved then
    perform private.fail(422, 'expired_stock', format('What has not expired of %s is promised; %s have expired.', p_sku,
      trim_scale(v_expired)), jsonb_build_object('variant_id', p_move.variant_id, 'sku', p_sku, 'expired', v_expired,
      'reserved', v_reserved, 'permission', 'sale.expired'));
  end if;
end;
$$;

comment on function private.keep_promised(uuid, private.stock_move, text, numeric) is
'Refuses a sale that would leave those to whom goods are promised with expired lots. p_move: the sale''s; p_good: how
much it takes of lots that have not expired; under the level''s lock, before the lots change. Errors: 422 expired_stock
with "reserved".';
