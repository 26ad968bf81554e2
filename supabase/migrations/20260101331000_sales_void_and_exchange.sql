-- A counter sale voided on its own day, and goods exchanged for others.

create function public.void_sale(p_id uuid, p_invoice_id uuid, p_reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invoice public.invoices := private.document_named(null::public.invoices, p_invoice_id);
  v_org_id uuid := v_invoice.org_id;
  v_notes uuid[];
  v_part record;
begin
  perform private.authorize('credit_note.same_day', v_org_id, v_invoice.branch_id);
  perform private.check_reason(p_reason);
  if private.claim_request(v_org_id, p_id, 'void_sale', jsonb_build_array(p_invoice_id, p_reason)) then
    select * into v_invoice from public.invoices where org_id = v_org_id and id = p_invoice_id for no key update;
    v_notes := array(
      select distinct a.credit_note_id from public.credit_note_allocations a
      where a.org_id = v_org_id and a.invoice_id = p_invoice_id);
    perform private.lock_payments_of(v_org_id, p_invoice_id);
    perform from public.credit_notes c where c.org_id = v_org_id and c.id = any (v_notes)
      order by c.id for no key update;
    if v_invoice.business_date <> private.local_date(v_org_id, v_invoice.branch_id, now()) then
      perform private.fail(422, 'not_same_day', 'A sale is voided on its own day; later a credit note takes it back.',
        jsonb_build_object('business_date', v_invoice.business_date));
    elsif not v_invoice.counter_sale then
      -- An invoice that was written has its own ways, which need invoice.void or credit_note.create.
      perform private.fail(422, 'not_a_counter_sale', 'What the till did not sell is voided as an invoice or credited.',
        jsonb_build_object('invoice_id', p_invoice_id));
    elsif exists (select from public.credit_notes c where c.org_id = v_org_id and c.invoice_id = p_invoice_id) then
      perform private.fail(409, 'invoice_credited', 'Some of this invoice was credited already.',
        jsonb_build_object('invoice_id', p_invoice_id));
    end if;
    perform private.post_credit_note(v_org_id, p_id, p_invoice_id, null, p_reason, null, null, now(), true);
    -- A credit note that had paid is as good as before; what the till took goes back the way it came. Money that came
    -- by a receipt, such as an advance, is the customer's credit again: whether it is paid out is for who holds
    -- refund.create. Points are points.
    for v_part in
      select a.credit_note_id, sum(a.amount) as amount from public.credit_note_allocations a
      where a.org_id = v_org_id and a.invoice_id = p_invoice_id and a.credit_note_id = any (v_notes)
      group by 1 having sum(a.amount) <> 0 order by 1
    loop
      perform private.note_credit(v_org_id, v_part.credit_note_id, p_invoice_id, -v_part.amount);
    end loop;
    for v_part in
      select a.payment_id, p.method, p.reference, p.number is null or p.method = 'points' as pays_back, sum(a.amount)
        as amount
      from public.payment_allocations a join public.payments p on p.org_id = a.org_id and p.id = a.payment_id
      where a.org_id = v_org_id and a.invoice_id = p_invoice_id
      group by 1, 2, 3, 4 having sum(a.amount) <> 0 order by 1
    loop
      perform private.note_allocation(v_org_id, v_part.payment_id, p_invoice_id, -v_part.amount);
      continue when not v_part.pays_back;
      perform private.pay_back(v_org_id, gen_random_uuid(), v_invoice.branch_id, v_invoice.customer_id, v_part.method,
        jsonb_build_array(jsonb_build_object('payment_id', v_part.payment_id, 'credit_note_id', null, 'amount',
          v_part.amount)),
        v_part.reference, null, now());
    end loop;
  end if;
  return private.credit_note_json(v_org_id, p_id);
end;
$$;

comment on function public.void_sale(uuid, uuid, text) is
'Takes a counter sale back whole on its own day: a credit note over all of it, the goods back where they stood, each
payment that the till took with it refunded by its own method, points given back, a credit note that had paid restored;
money that was paid on it by a receipt is the customer''s credit again. The invoice is void. p_id: the client''s uuid,
the credit note''s id. p_invoice_id. p_reason: 1 to 500 characters. Returns the credit note as JSON, voids true. Errors:
400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invoice_credited, invoice_not_open, period_closed,
id_reused, series_exhausted, serial_in_stock; 422 not_same_day, not_a_counter_sale, return_exceeds_sale,
credit_exceeds_sale. Permission: credit_note.same_day.';
revoke execute on function public.void_sale(uuid, uuid, text) from public, anon;
grant execute on function public.void_sale(uuid, uuid, text) to authenticated;

create function private.sale_of(p_id uuid) returns uuid
language plpgsql immutable
set search_path = ''
as $$
begin
  return md5('exchange:' || p_id)::uuid;
end;
$$;

comment on function private.sale_of(uuid) is
'The id of the invoice that an exchange makes: the exchange''s own id is its credit note''s, and the same call again
must find both.';

select private.declare_shape('post_exchange_options',
  '{"reason": "text", "return_location_id": "uuid", "refund": "any", "note": "text", "reference": "text 100",
    "place_of_supply": "text", "export_tax": ["with_payment", "without_payment"], "reverse_charge": "boolean",
    "discount": "any", "deliver_to": "uuid"}',
  array['post_exchange.p_options']);

create function public.post_exchange(p_id uuid, p_invoice_id uuid, p_return_lines jsonb, p_branch_id uuid,
  p_location_id uuid,
  p_lines jsonb, p_payments jsonb, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invoice public.invoices := private.document_named(null::public.invoices, p_invoice_id);
  v_org_id uuid;
  v_refund jsonb;
  v_back_id uuid;
  v_left numeric;
begin
  perform private.authorize('credit_note.create', v_invoice.org_id, v_invoice.branch_id);
  v_org_id := private.authorize_branch('sale.create', p_branch_id);
  if v_org_id <> v_invoice.org_id then
    perform private.fail(404, 'not_found', 'The house has no such branch.', '{"field": "p_branch_id"}');
  end if;
  perform private.check_shape('post_exchange_options', p_options);
  if p_return_lines is not null then
    perform private.check_shape('credited_lines', p_return_lines, 'p_return_lines');
  end if;
  v_refund := private.refund_option(p_options, v_invoice);
  if length(p_options ->> 'reason') > 500 or btrim(p_options ->> 'reason') = '' then
    perform private.fail(400, 'invalid_input', 'A reason has 1 to 500 characters.', '{"field": "reason"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'post_exchange', jsonb_build_array(p_invoice_id, p_return_lines, p_branch_id,
    p_location_id, p_lines, p_payments, p_options)) then
    perform from public.invoices i where i.org_id = v_org_id and i.id = p_invoice_id for no key update;
    perform private.check_shape('sale_lines', p_lines, 'p_lines');
    perform private.refuse_credit(v_org_id, p_invoice_id, p_return_lines, null);
    v_back_id := coalesce(private.id_option(p_options, 'return_location_id'), v_invoice.location_id);
    -- What comes back and what goes out, at once and in order: both halves find their levels locked.
    perform private.assert_period_open(v_org_id, private.local_date(v_org_id, p_branch_id, now()));
    perform private.lock_levels(v_org_id, array(
        select l.id from public.locations l
        where l.org_id = v_org_id and (l.id in (p_location_id, v_back_id) or (l.kind = 'quarantine'
          and l.branch_id = (select branch_id from public.locations where org_id = v_org_id and id = v_back_id)))),
            array(
        select v.id from public.product_variants v
        join public.products p on p.org_id = v.org_id and p.id = v.product_id and p.kind = 'goods'
        where v.org_id = v_org_id and v.id in (
          select (l ->> 'variant_id')::uuid from jsonb_array_elements(p_lines) l
          union select c.component_variant_id from jsonb_array_elements(p_lines) l
          join public.set_components c on c.org_id = v_org_id and c.set_variant_id = (l ->> 'variant_id')::uuid
          union select l.variant_id from public.invoice_lines l where l.org_id = v_org_id
            and l.invoice_id = p_invoice_id
          union select (c ->> 'variant_id')::uuid from public.invoice_lines l, jsonb_array_elements(l.set_items) c
          where l.org_id = v_org_id and l.invoice_id = p_invoice_id and jsonb_typeof(l.set_items) = 'array')));
    v_left := private.post_credit_note(v_org_id, p_id, p_invoice_id, p_return_lines,
      coalesce(p_options ->> 'reason', 'Exchange'),
      v_back_id, null, now(), false);
    perform public.post_sale(private.sale_of(p_id), p_branch_id, p_location_id, v_invoice.customer_id, p_lines,
      p_payments,
      jsonb_strip_nulls(p_options) - array['reason', 'return_location_id', 'refund']
      || case when v_left > 0 then jsonb_build_object('credit_note_id', p_id) else '{}' end);
    perform private.refund_rest(v_org_id, p_id, v_refund);
  end if;
  return jsonb_build_object('credit_note', private.credit_note_json(v_org_id, p_id),
    'invoice', private.invoice_json(v_org_id, private.sale_of(p_id)));
end;
$$;

comment on function public.post_exchange(uuid, uuid, jsonb, uuid, uuid, jsonb, jsonb, jsonb) is
'Takes goods of an invoice back and sells others, whole or not at all; what is credited pays. p_id: the client''s uuid,
the credit note''s id. p_invoice_id and p_return_lines: what comes back, as issue_credit_note takes them. p_branch_id,
p_location_id, p_lines: what is sold instead, to the same customer, as post_sale takes them. p_payments: what is paid on
top, as post_sale takes them. p_options: reason (1 to 500 characters), return_location_id (where goods come back to;
else where they were sold from), refund ({"method", "reference"?, "branch_id"?}: how credit that is left is paid back; a
walk-in''s must be), and of post_sale note, reference, place_of_supply, export_tax, reverse_charge, discount,
deliver_to. Returns {"credit_note", "invoice"}. Errors: as issue_credit_note''s and post_sale''s. Permission:
credit_note.create at the invoice''s branch and sale.create at the selling one; with refund for a named customer
refund.create at the invoice''s.';
revoke execute on function public.post_exchange(uuid, uuid, jsonb, uuid, uuid, jsonb, jsonb, jsonb) from public, anon;
grant execute on function public.post_exchange(uuid, uuid, jsonb, uuid, uuid, jsonb, jsonb, jsonb) to authenticated;
