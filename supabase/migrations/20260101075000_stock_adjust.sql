-- adjust_stock: stock that comes or goes without a purchase or a sale.

select private.add_document_kind('stock_adjustment', 'adjustments', null, true);

select private.declare_shape('adjust_stock_options',
  '{"serials": "serials", "batch": "text", "expires_on": "date", "unit": "text", "note": "text"}',
  array['adjust_stock.p_options']);

create function public.adjust_stock(p_id uuid, p_location_id uuid, p_variant_id uuid, p_quantity numeric, p_reason text,
  p_unit_cost numeric default null, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_location record;
  v_org_id uuid;
  v_variant record;
  v_quantity numeric := p_quantity;
  v_serials text[];
  v_batch_id uuid;
  v_date date;
  v_adjustment_location_id uuid;
begin
  select l.branch_id, l.archived_at, b.timezone into v_location
  from public.locations l join public.branches b on b.org_id = l.org_id and b.id = l.branch_id
  where l.org_id in (select private.org_of('public.locations', p_location_id)) and l.id = p_location_id;
  v_org_id := private.authorize_branch('stock.adjust', v_location.branch_id);
  if p_reason is null or p_reason not in ('opening', 'damage', 'found', 'write_off', 'correction') then
    perform private.fail(400, 'invalid_input', 'p_reason must be opening, damage, found, write_off or correction.',
      '{"field": "p_reason"}');
  end if;
  if p_quantity is null or p_quantity = 0 or p_quantity = 'NaN' or abs(p_quantity) >= 1e9 then
    perform private.fail(400, 'invalid_input', 'p_quantity must be a quantity other than 0.',
      '{"field": "p_quantity"}');
  end if;
  if (p_reason in ('opening', 'found') and p_quantity < 0)
    or (p_reason in ('damage', 'write_off') and p_quantity > 0) then
    perform private.fail(400, 'invalid_input', format('%s goes the other way: change the sign of p_quantity.',
      p_reason),
      '{"field": "p_quantity"}');
  end if;
  perform private.check_shape('adjust_stock_options', p_options);
  if p_unit_cost is not null and (p_quantity < 0 or p_unit_cost < 0 or p_unit_cost = 'NaN' or p_unit_cost >= 1e9) then
    perform private.fail(400, 'invalid_input', 'p_unit_cost belongs to stock that comes in, and is 0 or more.',
      '{"field": "p_unit_cost"}');
  end if;

  -- What a repeated call asked for may be gone since: whatever it has to be looked up for comes after the claim.
  if private.claim_request(v_org_id, p_id, 'adjust_stock',
    jsonb_build_array(p_location_id, p_variant_id, p_quantity, p_reason, p_unit_cost, p_options)) then
    if v_location.archived_at is not null then
      perform private.fail(404, 'not_found', 'There is no such location.', '{"field": "p_location_id"}');
    end if;
    select u.decimals, v.tracking into v_variant
    from public.product_variants v
    join public.products p on p.org_id = v.org_id and p.id = v.product_id
    join public.units u on u.code = p.unit_code
    where v.org_id = v_org_id and v.id = p_variant_id and p.kind = 'goods';
    if v_variant.decimals is null then
      perform private.fail(404, 'not_found', 'There is no such variant to keep in stock.', '{"field": "p_variant_id"}');
    elsif p_options ->> 'unit' is null and p_quantity <> round(p_quantity, v_variant.decimals) then
      perform private.fail(400, 'invalid_input', format('p_quantity has %s decimals at most.', v_variant.decimals),
        '{"field": "p_quantity"}');
    elsif (p_options ->> 'serials' is not null and v_variant.tracking <> 'serial')
      or (p_options ->> 'batch' is not null and v_variant.tracking <> 'batch')
      or (p_options ->> 'expires_on' is not null and (v_variant.tracking <> 'batch' or p_quantity < 0)) then
      perform private.fail(400, 'invalid_input',
        'serials are for goods tracked by serial number, batch for goods kept in lots, '
        'expires_on for a lot that comes in.', jsonb_build_object('field', 'p_options', 'tracking',
          v_variant.tracking));
    end if;
    if p_options ->> 'unit' is not null then
      v_quantity := sign(p_quantity) * private.base_quantity(v_org_id, p_variant_id, abs(p_quantity),
        p_options ->> 'unit');
    end if;
    v_date := (now() at time zone v_location.timezone)::date;
    perform private.assert_period_open(v_org_id, v_date);
    v_adjustment_location_id := private.shared_location(v_org_id, 'adjustment');
    v_serials := private.texts(p_options -> 'serials');
    if v_variant.tracking = 'batch' and p_quantity > 0 then
      v_batch_id := private.open_batch(v_org_id, p_variant_id, p_options ->> 'batch',
        private.day(p_options ->> 'expires_on', 'expires_on'));
    elsif v_variant.tracking = 'batch' and p_options ->> 'batch' is not null then
      v_batch_id := private.batch_named(v_org_id, p_variant_id, p_options ->> 'batch');
    end if;
    if p_quantity < 0 then
      perform private.lock_levels(v_org_id, array[p_location_id], array[p_variant_id]);
      perform private.stock_lost(v_org_id, array[row (p_variant_id, p_location_id, v_adjustment_location_id,
        -v_quantity, null,
        v_serials, v_batch_id)::private.stock_move]);
    end if;
    perform private.move_stock(v_org_id, 'stock_adjustment', p_id, now(), array[
      case when p_quantity > 0
        then row (p_variant_id, v_adjustment_location_id, p_location_id, v_quantity, round(p_unit_cost, 6), v_serials,
          v_batch_id)::private.stock_move
        else row (p_variant_id, p_location_id, v_adjustment_location_id, -v_quantity, null, v_serials,
          v_batch_id)::private.stock_move end]);
    insert into public.stock_adjustments (org_id, id, branch_id, location_id, variant_id, quantity, reason, unit_cost,
      on_hand,
      average_cost, business_date, note, created_by)
    select v_org_id, p_id, v_location.branch_id, p_location_id, p_variant_id, v_quantity, p_reason, m.unit_cost,
      s.on_hand,
      s.average_cost, v_date, p_options ->> 'note', private.caller()
    from (
      select round(sum(x.quantity * x.unit_cost) / sum(x.quantity), 6) as unit_cost from public.stock_movements x
      where x.org_id = v_org_id and x.document_id = p_id) m
    cross join public.stock_levels s
    where s.org_id = v_org_id and s.location_id = p_location_id and s.variant_id = p_variant_id;
    perform private.emit(v_org_id, 'stock.adjusted', jsonb_build_object('adjustment_id', p_id, 'location_id',
      p_location_id,
      'variant_id', p_variant_id, 'quantity', v_quantity, 'reason', p_reason));
  end if;
  return (select to_jsonb(a) - 'request_id' from public.stock_adjustments a where a.org_id = v_org_id and a.id = p_id);
end;
$$;

comment on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric, jsonb) is
'Adds stock or takes it away, with a reason. p_id: the client''s uuid. p_location_id; p_variant_id. p_quantity: in the
variant''s unit, positive in, negative out. p_reason: opening, damage, found, write_off or correction. p_unit_cost: per
unit, for stock that comes in, in the variant''s unit; null for the present average. p_options: serials (one for each
piece, where the variant has serial numbers), batch (the lot''s code, where it has lots; on the way out null takes what
expires first), expires_on (the last day of a lot that comes in, ISO 8601), unit (p_quantity is in this unit of the
product), note. Returns the adjustment as JSON with the level''s on_hand and average_cost right after it. Errors: 401,
404 not_found, 403 permission_denied, 400 invalid_input, 409 insufficient_stock (with the "reservations" that stand in
the way), period_closed, id_reused, serial_not_here, serial_in_stock, batch_mismatch; 422 serials_required,
batch_required, unit_unknown. Permission: stock.adjust.';
revoke execute on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric, jsonb) from public, anon;
grant execute on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric, jsonb) to authenticated;

