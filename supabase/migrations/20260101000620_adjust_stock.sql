-- adjust_stock: stock that comes or goes without a purchase or a sale.

create function public.adjust_stock(p_id uuid, p_location_id uuid, p_variant_id uuid, p_quantity numeric, p_reason text,
  p_unit_cost numeric default null, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_branch public.branches;
  v_org_id uuid;
  v_unit_cost numeric;
  v_decimals integer;
  v_tracking text;
  v_quantity numeric := p_quantity;
  v_serials text[];
  v_batch_id uuid;
  v_date date;
  v_adjustment_location_id uuid;
  v_level public.stock_levels;
begin
  select b.* into v_branch
  from public.locations l join public.branches b on b.id = l.branch_id
  where l.id = p_location_id and l.archived_at is null;
  v_org_id := private.authorize_branch('stock.adjust', v_branch.id);

  select u.decimals, v.tracking into v_decimals, v_tracking
  from public.product_variants v
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.units u on u.code = p.unit_code
  where v.org_id = v_org_id and v.id = p_variant_id and p.kind = 'goods';
  if v_decimals is null then
    perform private.fail(404, 'not_found', 'There is no such variant to keep in stock.', '{"field": "p_variant_id"}');
  end if;
  if p_reason is null or p_reason not in ('opening', 'damage', 'found', 'write_off', 'correction') then
    perform private.fail(400, 'invalid_input', 'p_reason must be opening, damage, found, write_off or correction.',
      '{"field": "p_reason"}');
  end if;
  if p_quantity is null or p_quantity = 0 or p_quantity = 'NaN' or abs(p_quantity) >= 1e9
    or (p_options ->> 'unit' is null and p_quantity <> round(p_quantity, v_decimals)) then
    perform private.fail(400, 'invalid_input', format('p_quantity must not be 0, with %s decimals at most.', v_decimals),
      '{"field": "p_quantity"}');
  end if;
  if (p_reason in ('opening', 'found') and p_quantity < 0) or (p_reason in ('damage', 'write_off') and p_quantity > 0) then
    perform private.fail(400, 'invalid_input', format('%s goes the other way: change the sign of p_quantity.', p_reason),
      '{"field": "p_quantity"}');
  end if;
  perform private.check_options(p_options, array['serials', 'batch', 'expires_on', 'unit', 'note']);
  if (p_options ->> 'serials' is not null and (v_tracking <> 'serial' or not private.is_serials(p_options -> 'serials')))
    or (p_options ->> 'batch' is not null and (v_tracking <> 'batch' or jsonb_typeof(p_options -> 'batch') <> 'string'))
    or length(p_options ->> 'note') > 2000 then
    perform private.fail(400, 'invalid_input', 'serials are for goods tracked by serial number, batch for goods kept in lots.',
      jsonb_build_object('field', 'p_options', 'tracking', v_tracking));
  end if;
  if p_options ->> 'unit' is not null then
    v_quantity := sign(p_quantity) * private.base_quantity(v_org_id, p_variant_id, abs(p_quantity), p_options ->> 'unit');
  end if;
  if p_unit_cost is not null and (p_quantity < 0 or p_unit_cost < 0 or p_unit_cost = 'NaN' or p_unit_cost >= 1e9) then
    perform private.fail(400, 'invalid_input', 'p_unit_cost belongs to stock that comes in, and is 0 or more.',
      '{"field": "p_unit_cost"}');
  end if;

  if private.claim_request(v_org_id, p_id, 'adjust_stock',
    jsonb_build_array(p_location_id, p_variant_id, p_quantity, p_reason, p_unit_cost, p_options)) then
    v_date := (now() at time zone v_branch.timezone)::date;
    perform private.assert_period_open(v_org_id, v_date);
    v_adjustment_location_id := private.shared_location(v_org_id, 'adjustment');
    v_unit_cost := round(p_unit_cost, 6);
    v_serials := private.texts(p_options -> 'serials');
    if v_tracking = 'batch' and p_quantity > 0 then
      v_batch_id := private.open_batch(v_org_id, p_variant_id, p_options ->> 'batch',
        private.day(p_options ->> 'expires_on', 'expires_on'));
    elsif v_tracking = 'batch' and p_options ->> 'batch' is not null then
      v_batch_id := private.batch_named(v_org_id, p_variant_id, p_options ->> 'batch');
    end if;
    perform private.move_stock(v_org_id, 'stock_adjustment', p_id, now(), array[
      case when p_quantity > 0
        then row (p_variant_id, v_adjustment_location_id, p_location_id, v_quantity, v_unit_cost, v_serials,
          v_batch_id)::private.stock_move
        else row (p_variant_id, p_location_id, v_adjustment_location_id, -v_quantity, null, v_serials,
          v_batch_id)::private.stock_move end]);
    insert into public.stock_adjustments (org_id, id, branch_id, location_id, variant_id, quantity, reason, unit_cost,
      business_date, note, created_by)
    select v_org_id, p_id, v_branch.id, p_location_id, p_variant_id, v_quantity, p_reason,
      round(sum(m.quantity * m.unit_cost) / sum(m.quantity), 6), v_date, p_options ->> 'note', private.caller()
    from public.stock_movements m where m.org_id = v_org_id and m.document_id = p_id;
    perform private.emit(v_org_id, 'stock.adjusted', jsonb_build_object('adjustment_id', p_id, 'location_id', p_location_id,
      'variant_id', p_variant_id, 'quantity', v_quantity, 'reason', p_reason));
  end if;

  select * into v_level from public.stock_levels
  where org_id = v_org_id and location_id = p_location_id and variant_id = p_variant_id;
  return (select to_jsonb(a) from public.stock_adjustments a where a.org_id = v_org_id and a.id = p_id)
    || jsonb_build_object('on_hand', v_level.on_hand, 'average_cost', v_level.average_cost);
end;
$$;

comment on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric, jsonb) is
'Adds stock or takes it away, with a reason. p_id: the client''s uuid. p_location_id; p_variant_id. p_quantity: in the
variant''s unit, positive in, negative out. p_reason: opening, damage, found, write_off or correction. p_unit_cost: per unit,
for stock that comes in, in the variant''s unit; null for the present average. p_options: serials (one for each piece, where the
variant has serial numbers), batch (the lot''s code, where it has lots; on the way out null takes what expires first),
expires_on (a new lot''s last day, ISO 8601), unit (p_quantity is in this unit of the product), note. Returns the adjustment as
JSON with the level''s on_hand and average_cost. Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input, 409
insufficient_stock, period_closed, id_reused, serial_not_here, serial_in_stock,
batch_mismatch; 422 serials_required, batch_required,
unit_unknown. Permission: stock.adjust.';
revoke execute on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric, jsonb) from public, anon;
grant execute on function public.adjust_stock(uuid, uuid, uuid, numeric, text, numeric, jsonb) to authenticated;

