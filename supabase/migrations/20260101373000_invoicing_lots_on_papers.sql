-- Lots on papers: which lots, with which expiry, the goods of an invoice or a delivery came from, as the ledger has it.
-- A sale's answer does not wait for it: what expires first is chosen while the goods leave, and only paper asks which
-- it was.

create function private.lines_with_lots(p_org_id uuid, p_lines jsonb, p_document text, p_document_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    with left_here as (
      select m.variant_id, b.code, b.expires_on, sum(m.quantity) as quantity
      from public.stock_movements m
      join public.batches b on b.org_id = m.org_id and b.id = m.batch_id
      join public.locations t on t.org_id = m.org_id and t.id = m.to_location_id and t.kind = 'customer'
      where m.org_id = p_org_id and m.document_id = p_document_id and m.document = p_document
      group by 1, 2, 3
    ), lines as (
      select l.place, l.line, case when jsonb_typeof(l.line -> 'set_items') = 'array' then l.line -> 'set_items'
        else jsonb_build_array(jsonb_build_object('variant_id', l.line -> 'variant_id')) end as items
      from jsonb_array_elements(p_lines) with ordinality l (line, place)
    ), named as (
      select l.place, i.item ->> 'name' as name, g.code, g.expires_on,
        case when count(*) over (partition by g.variant_id, g.code) = 1 then g.quantity end as quantity
      from lines l cross join jsonb_array_elements(l.items) i (item)
      join left_here g on g.variant_id = (i.item ->> 'variant_id')::uuid
    )
    select jsonb_agg(l.line || jsonb_build_object('lots', (
      select coalesce(jsonb_agg(jsonb_build_object('name', n.name, 'batch', n.code, 'expires_on', n.expires_on,
        'quantity', n.quantity)
        order by n.name, n.expires_on, n.code), '[]')
      from named n where n.place = l.place)) order by l.place)
    from lines l);
end;
$$;

comment on function private.lines_with_lots(uuid, jsonb, text, uuid) is
'The lines of a document that the caller was shown, each with the lots that its goods left from with that document
(invoice or delivery): [{"name" (of a set''s component, else null), "batch", "expires_on", "quantity"}], quantity in the
goods'' own unit, null where several lines have the same goods: the ledger knows the document, not the line. No
errors.';

create function public.get_invoice_paper(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  -- As the policy of invoices has it; the ledger is read for whoever may read the invoice, whether he may read stock or
  -- not.
  v_invoice public.invoices := (
    select i from public.invoices i
    where i.id = p_id and i.org_id in (select private.org_of('public.invoices', p_id))
      and i.branch_id in (select private.branches_with('invoice.read'))
    limit 1);
  v_document jsonb;
begin
  perform private.authorize('invoice.read', v_invoice.org_id, v_invoice.branch_id);
  v_document := private.invoice_json(v_invoice.org_id, p_id);
  return v_document || jsonb_build_object('lines', private.lines_with_lots(v_invoice.org_id, v_document -> 'lines',
    case when v_invoice.delivery_id is null then 'invoice' else 'delivery' end, coalesce(v_invoice.delivery_id, p_id)));
end;
$$;

comment on function public.get_invoice_paper(uuid) is
'One invoice as its paper shows it: as get_invoice returns it, each line with lots: [{"name", "batch", "expires_on",
"quantity"}], where its goods came from lots, by the invoice itself or by its delivery. p_id: the invoice. Errors: 401,
404 not_found. Permission: invoice.read.';
revoke execute on function public.get_invoice_paper(uuid) from public, anon;
grant execute on function public.get_invoice_paper(uuid) to authenticated;

create function public.get_delivery_paper(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_delivery public.deliveries := private.document_named(null::public.deliveries, p_id);
  v_manages boolean := private.permitted('order.manage', v_delivery.org_id);
  v_document jsonb;
begin
  perform private.authorize(case when v_manages then 'order.manage' else 'order.deliver' end, v_delivery.org_id,
    v_delivery.branch_id);
  v_document := private.delivery_json(v_delivery.org_id, p_id);
  return v_document || jsonb_build_object('lines', private.lines_with_lots(v_delivery.org_id, v_document -> 'lines',
    'delivery', p_id));
end;
$$;

comment on function public.get_delivery_paper(uuid) is
'One delivery note as its paper shows it: as get_delivery returns it, each line with lots, as get_invoice_paper has
them. p_id: the delivery. Errors: 401, 403 permission_denied, 404 not_found. Permission: order.manage or
order.deliver.';
revoke execute on function public.get_delivery_paper(uuid) from public, anon;
grant execute on function public.get_delivery_paper(uuid) to authenticated;
