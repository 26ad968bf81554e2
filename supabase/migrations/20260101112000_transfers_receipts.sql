-- Receiving a transfer: what arrived well, what damaged, what not at all.

create function private.receipt_pieces(p_item public.stock_transfer_items, p_sku text, p_line jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_open text[] := array(
    select unnest(p_item.serials)
    except
    select s from public.stock_transfer_receipt_items r,
      unnest(coalesce(r.received_serials, '{}') || coalesce(r.damaged_serials, '{}')
        || coalesce(r.missing_serials, '{}')) s
    where r.org_id = p_item.org_id and r.transfer_id = p_item.transfer_id and r.item_no = p_item.item_no);
  v_pieces jsonb := '{}'::jsonb;
  v_kind text;
  v_named text[];
  v_left text[];
  v_unnamed text;
  v_unclear boolean := false;
begin
  foreach v_kind in array array['received', 'damaged', 'missing'] loop
    v_named := array(select distinct s from unnest(private.texts(p_line -> 'serials' -> v_kind)) s order by s);
    if v_named = '{}' and (p_line ->> v_kind)::numeric > 0 then
      v_unclear := v_unclear or v_unnamed is not null;
      v_unnamed := v_kind;
      continue;
    end if;
    v_unclear := v_unclear or cardinality(v_named) <> coalesce((p_line ->> v_kind)::numeric, 0);
    v_left := array(select unnest(v_open) except select unnest(v_named));
    if cardinality(v_left) <> cardinality(v_open) - cardinality(v_named) then
      perform private.fail(409, 'serial_not_here', format('%s: not all of these pieces are still on the road.', p_sku),
        jsonb_build_object('item_no', p_item.item_no, 'variant_id', p_item.variant_id, 'sku', p_sku, 'serials', (
          select jsonb_agg(s order by s) from unnest(v_named) s where s <> all (v_open))));
    end if;
    v_open := v_left;
    v_pieces := v_pieces || jsonb_build_object(v_kind, to_jsonb(nullif(v_named, '{}')));
  end loop;
  -- What is not named must be clear from what is: it is all the rest.
  if v_unclear or (v_unnamed is not null and cardinality(v_open) <> (p_line ->> v_unnamed)::numeric) then
    perform private.fail(422, 'serials_required',
      format('Name the serial numbers of %s that arrived, and those that did not.', p_sku),
      jsonb_build_object('item_no', p_item.item_no, 'variant_id', p_item.variant_id, 'sku', p_sku, 'serials',
        to_jsonb(v_open)));
  end if;
  return v_pieces || case when v_unnamed is null then '{}' else jsonb_build_object(v_unnamed, to_jsonb(v_open)) end;
end;
$$;

comment on function private.receipt_pieces(public.stock_transfer_items, text, jsonb) is
'Which numbered pieces of an item arrived well, damaged or not at all: {"received": [], "damaged": [], "missing": []}.
p_sku: for messages; p_line: of a receipt, checked. Errors: 409 serial_not_here, 422 serials_required.';

select private.declare_shape('receipt_lines',
  '{"item_no": "line!*", "received": "count", "damaged": "count", "missing": "count", "serials": {"received":
    "pieces", "damaged": "pieces", "missing": "pieces"}}',
  array['receive_transfer.p_lines'], '{1, 2000}');

create function private.read_receipt(p_org_id uuid, p_transfer_id uuid, p_lines jsonb)
returns table (item_no integer, received numeric, damaged numeric, missing numeric, received_serials text[],
  damaged_serials text[], missing_serials text[])
language plpgsql stable
set search_path = ''
as $$
declare
  v_lines jsonb := nullif(p_lines, 'null');
  v_line record;
  v_item public.stock_transfer_items;
  v_variant record;
  v_pieces jsonb;
begin
  if v_lines is null then
    v_lines := (
      select jsonb_agg(jsonb_build_object('item_no', i.item_no, 'received', i.open) order by i.item_no)
      from public.stock_transfer_items i where i.org_id = p_org_id and i.transfer_id = p_transfer_id and i.open > 0);
  end if;
  for v_line in
    select n.* from private.named_lines('receipt_lines', v_lines) n
  loop
    item_no := v_line.line_no;
    received := coalesce((v_line.line ->> 'received')::numeric, 0);
    damaged := coalesce((v_line.line ->> 'damaged')::numeric, 0);
    missing := coalesce((v_line.line ->> 'missing')::numeric, 0);
    if received + damaged + missing = 0 then
      perform private.fail(400, 'invalid_input', format('Line %s says nothing of its item.', v_line.place),
        jsonb_build_object('field', 'p_lines', 'line', v_line.place));
    end if;
    select i.* into v_item from public.stock_transfer_items i
    where i.org_id = p_org_id and i.transfer_id = p_transfer_id and i.item_no = read_receipt.item_no;
    if v_item.item_no is null then
      perform private.fail(404, 'not_found', format('The transfer has no item %s.', item_no),
        jsonb_build_object('line', v_line.place, 'item_no', item_no));
    end if;
    select v.sku, v.tracking, u.decimals into v_variant
    from public.product_variants v
    join public.products p on p.org_id = v.org_id and p.id = v.product_id
    join public.units u on u.code = p.unit_code
    where v.org_id = p_org_id and v.id = v_item.variant_id;
    if received <> round(received, v_variant.decimals) or damaged <> round(damaged, v_variant.decimals)
      or missing <> round(missing, v_variant.decimals)
      or (v_line.line ->> 'serials' is not null and v_variant.tracking <> 'serial') then
      perform private.fail(400, 'invalid_input',
        format('%s is not counted in fractions so small, or has no serial numbers.',
        v_variant.sku), jsonb_build_object('field', 'p_lines', 'line', v_line.place, 'sku', v_variant.sku));
    elsif received + damaged + missing > v_item.open then
      perform private.fail(422, 'receipt_exceeds_transfer', format('Of %s, %s were sent and %s are still on the road.',
        v_variant.sku, trim_scale(v_item.quantity), trim_scale(v_item.open)), jsonb_build_object('item_no', item_no,
        'sku', v_variant.sku, 'dispatched', v_item.quantity, 'open', v_item.open, 'asked',
          received + damaged + missing));
    end if;
    v_pieces := case when v_variant.tracking = 'serial' then private.receipt_pieces(v_item, v_variant.sku, v_line.line)
      else '{}' end;
    received_serials := private.texts(v_pieces -> 'received');
    damaged_serials := private.texts(v_pieces -> 'damaged');
    missing_serials := private.texts(v_pieces -> 'missing');
    return next;
  end loop;
end;
$$;

comment on function private.read_receipt(uuid, uuid, jsonb) is
'What a receipt says of each item. p_lines: as receive_transfer takes them; null: all that is open arrived well. Under
the transfer''s lock. Errors: 400 invalid_input; 404 not_found; 409 serial_not_here; 422 receipt_exceeds_transfer,
serials_required.';

select private.declare_shape('receive_transfer_options',
  '{"quarantine_location_id": "uuid", "note": "text"}',
  array['receive_transfer.p_options']);

create function public.receive_transfer(p_id uuid, p_transfer_id uuid, p_lines jsonb default null, p_options jsonb
  default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_transfer public.stock_transfers;
  v_quarantine_id uuid;
  v_date date;
begin
  v_transfer := private.document_named(null::public.stock_transfers, p_transfer_id);
  perform private.authorize_branch('transfer.receive', v_transfer.to_branch_id);
  perform private.check_shape('receive_transfer_options', p_options);
  v_quarantine_id := private.id_option(p_options, 'quarantine_location_id');
  if private.claim_request(v_transfer.org_id, p_id, 'receive_transfer',
    jsonb_build_array(p_transfer_id, p_lines, p_options)) then
    select * into v_transfer from public.stock_transfers where org_id = v_transfer.org_id and id = p_transfer_id
    for no key update;
    if v_transfer.status not in ('dispatched', 'partially_received') then
      perform private.refuse_transition('stock_transfer', v_transfer.status, 'received');
    end if;
    if v_quarantine_id is not null and not exists (
      select from public.locations
      where org_id = v_transfer.org_id and branch_id = v_transfer.to_branch_id and id = v_quarantine_id
        and kind = 'quarantine'
        and archived_at is null) then
      perform private.fail(404, 'not_found', 'The branch has no such quarantine.',
        '{"field": "quarantine_location_id"}');
    end if;
    v_date := (now() at time zone (select timezone from public.branches where id = v_transfer.to_branch_id))::date;
    perform private.assert_period_open(v_transfer.org_id, v_date);
    perform private.settle_transfer(v_transfer, p_id, p_lines, v_quarantine_id, p_options ->> 'note', v_date);
  end if;
  return private.transfer_json(v_transfer.org_id, p_transfer_id);
end;
$$;

comment on function public.receive_transfer(uuid, uuid, jsonb, jsonb) is
'Receives a transfer, whole or in parts, as often as it takes. p_id: the client''s uuid of this act, the receipt''s id.
p_transfer_id. p_lines: null: all that is open arrived well; or [{"item_no", "received"?, "damaged"?, "missing"? (in the
variant''s unit), "serials"?: {"received"?: [], "damaged"?: [], "missing"?: []}}], each item once; of numbered pieces
one kind may stay unnamed when it is all the rest. What arrived well goes to the destination, what is missing is written
off and stays on the transfer as a difference. p_options: quarantine_location_id (of the branch, where damaged goods go;
without it they are written off), note. Returns the transfer as JSON. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found; 409 invalid_transition, period_closed, id_reused, serial_not_here; 422
receipt_exceeds_transfer, serials_required, branch_archived. Permission: transfer.receive at the branch that receives.';
revoke execute on function public.receive_transfer(uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.receive_transfer(uuid, uuid, jsonb, jsonb) to authenticated;
