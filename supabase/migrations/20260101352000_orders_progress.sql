-- How far an order has come: what of it is delivered and invoiced, its parts with their shares, and the order as
-- clients see it.

create function private.order_progress(p_org_id uuid, p_order_id uuid)
returns table (line_no integer, quantity numeric, delivered numeric, invoiced numeric, stocked boolean, line jsonb,
  decimals integer)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select l.line_no, l.quantity::numeric, coalesce(d.quantity, 0), coalesce(i.quantity, 0) - coalesce(c.quantity, 0),
    l.stocked,
    private.line_json(l), u.decimals
  from public.sales_order_lines l
  join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.units u on u.code = p.unit_code
  left join (
    select t.line_no, sum(t.quantity) as quantity
    from public.deliveries h join public.delivery_lines t on t.org_id = h.org_id and t.delivery_id = h.id
    where h.org_id = p_org_id and h.order_id = p_order_id group by 1) d on d.line_no = l.line_no
  left join (
    select t.line_no, sum(t.quantity) as quantity
    from public.invoices h join public.invoice_lines t on t.org_id = h.org_id and t.invoice_id = h.id
    where h.org_id = p_org_id and h.order_id = p_order_id and h.status <> 'void' group by 1) i on i.line_no = l.line_no
  left join (
    select t.line_no, sum(t.quantity) as quantity
    from public.invoices h join public.credit_note_lines t on t.org_id = h.org_id and t.invoice_id = h.id
    where h.org_id = p_org_id and h.order_id = p_order_id and h.status <> 'void' and t.disposition = 'none'
    group by 1) c on c.line_no = l.line_no
  where l.org_id = p_org_id and l.order_id = p_order_id;
end;
$$;

comment on function private.order_progress(uuid, uuid) is
'An order''s lines with how much of each was delivered, and invoiced, in the line''s unit. What is void is not invoiced,
nor is what was credited without goods coming back: it can be invoiced anew. decimals: of the product''s own unit. No
errors.';

create function private.order_standing(p_org_id uuid, p_order_id uuid)
returns table (line_no integer, not_invoiced numeric, not_delivered numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_event record;
  v_let_off numeric := 0;
begin
  for v_event in
    select l.line_no, e.act, e.quantity, row_number() over last_first = 1 as is_last, row_number() over (
      partition by l.line_no order by e.event) = 1 as is_first
    from public.sales_order_lines l
    cross join lateral (
      select 'delivered' as act, h.order_event as event, t.quantity
      from public.deliveries h join public.delivery_lines t on t.org_id = h.org_id and t.delivery_id = h.id
      where h.org_id = l.org_id and h.order_id = l.order_id and t.line_no = l.line_no
      union all
      select 'invoiced', h.order_event, t.quantity
      from public.invoices h join public.invoice_lines t on t.org_id = h.org_id and t.invoice_id = h.id
      where h.org_id = l.org_id and h.order_id = l.order_id and h.status <> 'void' and t.line_no = l.line_no
      union all
      select 'let off', n.order_event, t.quantity
      from public.invoices h join public.credit_note_lines t on t.org_id = h.org_id and t.invoice_id = h.id
      join public.credit_notes n on n.org_id = t.org_id and n.id = t.credit_note_id
      where h.org_id = l.org_id and h.order_id = l.order_id and h.status <> 'void' and t.line_no = l.line_no
        and t.disposition = 'none') e
    where l.org_id = p_org_id and l.order_id = p_order_id
    window last_first as (partition by l.line_no order by e.event desc)
    order by l.line_no, e.event
  loop
    if v_event.is_first then
      line_no := v_event.line_no;
      not_invoiced := 0;
      not_delivered := 0;
      v_let_off := 0;
    end if;
    case v_event.act
      when 'delivered' then
        not_invoiced := not_invoiced + greatest(v_event.quantity - not_delivered, 0);
        not_delivered := greatest(not_delivered - v_event.quantity, 0);
      when 'invoiced' then
        not_delivered := not_delivered + greatest(v_event.quantity - not_invoiced - v_let_off, 0);
        v_let_off := v_let_off - least(v_let_off, greatest(v_event.quantity - not_invoiced, 0));
        not_invoiced := greatest(not_invoiced - v_event.quantity, 0);
      else
        -- What has not left is not sold any more; what the customer has already he was let off.
        v_let_off := v_let_off + greatest(v_event.quantity - not_delivered, 0);
        not_delivered := greatest(not_delivered - v_event.quantity, 0);
    end case;
    if v_event.is_last then
      return next;
    end if;
  end loop;
end;
$$;

comment on function private.order_standing(uuid, uuid) is
'Of each line that anything was done with, in its unit: what was delivered and never invoiced, and what stands invoiced
and was not delivered. Credit notes without goods tell, by their place (order_event), whether he was let off what he
has, or was not to get it: who delivers that later has to invoice it again. No errors.';

create function private.order_invoiced(p_org_id uuid, p_order_id uuid, out amount numeric, out total numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  select coalesce(sum(i.subtotal + i.tax - c.amount), 0), coalesce(sum(i.total - c.amount - c.round_off), 0)
  into amount, total
  from public.invoices i
  cross join lateral (
    -- The round-off of a credit note belongs to goods that came back, where some did.
    select coalesce(sum(e.amount), 0) as amount, coalesce(sum(e.round_off), 0) as round_off
    from (
      select sum(l.taxable + l.tax) filter (where l.disposition = 'none') as amount,
        case when bool_and(l.disposition = 'none') then n.round_off end as round_off
      from public.credit_notes n
      join public.credit_note_lines l on l.org_id = n.org_id and l.credit_note_id = n.id
      where n.org_id = i.org_id and n.invoice_id = i.id
      group by n.id, n.round_off) e) c
  where i.org_id = p_org_id and i.order_id = p_order_id and i.status <> 'void';
end;
$$;

comment on function private.order_invoiced(uuid, uuid) is
'What an order was invoiced, less what was credited without goods coming back. amount: before, total: after the rounding
of totals, in the organisation''s currency. No errors.';

create function private.delivery_invoice(p_org_id uuid, p_order_id uuid, p_delivery_id uuid) returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select i.id from public.invoices i
    where i.org_id = p_org_id and i.order_id = p_order_id and i.delivery_id = p_delivery_id and i.status <> 'void'
      and exists (
        select from public.invoice_lines l
        where l.org_id = i.org_id and l.invoice_id = i.id and l.quantity > coalesce((
          select sum(c.quantity) from public.credit_note_lines c
          where c.org_id = l.org_id and c.invoice_id = l.invoice_id and c.line_no = l.line_no
            and c.disposition = 'none'), 0))
    limit 1);
end;
$$;

comment on function private.delivery_invoice(uuid, uuid, uuid) is
'The invoice of a delivery, null when there is none that stands: void ones do not, nor those that were credited whole
without goods coming back. No errors.';

create function private.line_part(p_line jsonb, p_from numeric, p_to numeric, p_decimals integer) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  v_all numeric := (p_line ->> 'quantity')::numeric;
  v_taxes jsonb;
  v_tax numeric;
  v_taxable numeric := round((p_line ->> 'taxable')::numeric * p_to / v_all, 2)
    - round((p_line ->> 'taxable')::numeric * p_from / v_all, 2);
begin
  if p_from = 0 and p_to = v_all then
    return p_line;
  end if;
  -- What rounding gives a part is taken from the next: parts that follow one another sum to exactly the line.
  select coalesce(jsonb_agg(t.tax || jsonb_build_object('amount', e.amount) order by t.place), '[]'),
    coalesce(sum(e.amount), 0.00)
  into v_taxes, v_tax
  from jsonb_array_elements(p_line -> 'taxes') with ordinality t (tax, place)
  cross join lateral (
    select round((t.tax ->> 'amount')::numeric * p_to / v_all,
      2) - round((t.tax ->> 'amount')::numeric * p_from / v_all, 2)
      as amount) e;
  return p_line || jsonb_build_object('quantity', (p_to - p_from)::numeric(14, 3),
    'base_quantity', private.base_part((p_line ->> 'base_quantity')::numeric, v_all, p_from, p_to,
      p_decimals)::numeric(14, 3),
    'set_items', (
      select jsonb_agg(c || jsonb_build_object('quantity',
        private.base_part((c ->> 'quantity')::numeric, v_all, p_from, p_to, 3)))
      from jsonb_array_elements(nullif(p_line -> 'set_items', 'null')) c),
    'offers', (
      select coalesce(jsonb_agg(o.offer || jsonb_build_object('amount', e.amount)
        order by o.place) filter (where e.amount > 0), '[]')
      from jsonb_array_elements(nullif(p_line -> 'offers', 'null')) with ordinality o (offer, place)
      cross join lateral (
        select round((o.offer ->> 'amount')::numeric * p_to / v_all,
          2) - round((o.offer ->> 'amount')::numeric * p_from / v_all, 2)
          as amount) e),
    'discount', round((p_line ->> 'discount')::numeric * p_to / v_all, 2)
      - round((p_line ->> 'discount')::numeric * p_from / v_all, 2),
    'document_discount', round((p_line ->> 'document_discount')::numeric * p_to / v_all, 2)
      - round((p_line ->> 'document_discount')::numeric * p_from / v_all, 2),
    'taxable', v_taxable, 'taxes', v_taxes, 'tax', v_tax, 'total', v_taxable + v_tax);
end;
$$;

comment on function private.line_part(jsonb, numeric, numeric, integer) is
'The part of a line from one quantity to another, with its share of every amount: price, discount and tax as ordered.
p_line: as private.price_sale returned it; p_from, p_to: in the line''s unit, 0 to its quantity;
p_decimals: of the product''s own unit, as private.order_progress has it. base_quantity is null where a counted part is
not whole.';

create function private.rounded(p_to numeric, p_amount numeric) returns numeric
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_to > 0 then round(p_amount / p_to) * p_to else p_amount end;
end;
$$;

comment on function private.rounded(numeric, numeric) is
'An amount as totals are rounded. p_to: to multiples of what, in currency (organizations.round_total_to); 0: as it is.
No errors.';

create function private.sum_document(p_org_id uuid, p_header jsonb, p_lines jsonb, p_before numeric, p_given numeric
  default null)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select p_header || jsonb_build_object('lines', p_lines, 'subtotal', s.subtotal, 'discount', s.discount,
      'document_discount',
      s.document_discount, 'tax', s.tax,
      'total', t.total, 'round_off', t.total - s.subtotal - s.tax)
    from (
      select coalesce(sum((l ->> 'taxable')::numeric), 0.00) as subtotal,
        coalesce(sum((l ->> 'discount')::numeric), 0.00) as discount,
        coalesce(sum((l ->> 'document_discount')::numeric), 0.00) as document_discount,
        coalesce(sum((l ->> 'tax')::numeric), 0.00) as tax
      from jsonb_array_elements(p_lines) l) s
    join public.organizations o on o.id = p_org_id
    -- The total so far is rounded, and the documents before this one had their share of it.
    cross join lateral (
      select greatest(private.rounded(o.round_total_to, p_before + s.subtotal + s.tax)
        - coalesce(p_given, private.rounded(o.round_total_to, p_before)), 0)::numeric(14, 2) as total) t);
end;
$$;

comment on function private.sum_document(uuid, jsonb, jsonb, numeric, numeric) is
'A document of some lines of another one: the header with the sums of these lines, and the total by which the sum so far
grows, rounded as the organisation rounds totals, so that all parts come to the whole. p_header: the other document''s;
p_lines: JSON lines, as private.line_part returns them; p_before: what the parts before came to, unrounded; p_given:
their totals, where these are not just that, rounded. No errors.';

create function private.order_money(p_org_id uuid, p_order public.sales_orders, out advance_paid numeric,
  out to_pay numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_invoiced record := private.order_invoiced(p_org_id, p_order.id);
  v_rest numeric := 0;
begin
  select coalesce(sum(p.amount - coalesce((
      select sum(s.amount) from public.refund_sources s where s.org_id = p.org_id and s.payment_id = p.id), 0)), 0)
  into advance_paid
  from public.payments p
  where p.org_id = p_org_id and p.order_id = p_order.id
    and not exists (select from public.payment_reversals r where r.org_id = p.org_id and r.payment_id = p.id);
  -- What an invoice took and a credit note gave back was paid back, too.
  advance_paid := greatest(advance_paid - coalesce((
    select sum(s.amount)
    from public.invoices i
    join public.credit_notes n on n.org_id = i.org_id and n.invoice_id = i.id
    join public.refund_sources s on s.org_id = n.org_id and s.credit_note_id = n.id
    where i.org_id = p_org_id and i.order_id = p_order.id), 0), 0);
  if p_order.status not in ('closed', 'cancelled') then
    v_rest := (private.sum_document(p_org_id, '{}', (
      select coalesce(jsonb_agg(private.line_part(l.line, l.invoiced, l.quantity, l.decimals)), '[]')
      from private.order_progress(p_org_id, p_order.id) l where l.quantity > l.invoiced), v_invoiced.amount,
        v_invoiced.total) ->> 'total')::numeric;
  end if;
  to_pay := greatest(v_rest - private.order_advances(p_org_id, p_order.id) + coalesce((
    select sum(i.balance) from public.invoices i where i.org_id = p_org_id and i.order_id = p_order.id), 0), 0);
end;
$$;

comment on function private.order_money(uuid, public.sales_orders) is
'advance_paid: what was paid on an order in advance, less what was paid back or did not stand. to_pay: what is owed on
its invoices and will be for what is not invoiced, less what waits to settle it (private.order_advances). In the
organisation''s currency. No errors.';

-- Reading one -------------------------------------------------------------------------------------

create function private.order_held(p_org_id uuid, p_reservation_id uuid, p_line_no integer, p_line jsonb,
  p_open numeric,
  p_decimals integer)
returns numeric
language plpgsql stable
set search_path = ''
as $$
declare
  v_all numeric := (p_line ->> 'quantity')::numeric;
  v_is_set boolean := p_line -> 'set_items' <> 'null';
begin
  -- Of a set as many are held as its scarcest component allows.
  return coalesce((
    select round(p_open * min(least(coalesce(i.quantity, 0) / nullif(n.quantity, 0), 1)), 3)
    from (
      select (c ->> 'variant_id')::uuid as variant_id,
        private.base_part((c ->> 'quantity')::numeric, v_all, v_all - p_open, v_all, case when v_is_set then 3
          else p_decimals end)
          as quantity
      from jsonb_array_elements(case when v_is_set then p_line -> 'set_items'
        else jsonb_build_array(p_line || jsonb_build_object('quantity', p_line -> 'base_quantity')) end) c) n
    join public.stock_reservations r on r.org_id = p_org_id and r.id = p_reservation_id and r.status = 'active'
    left join public.stock_reservation_items i
      on i.org_id = r.org_id and i.reservation_id = r.id and i.line_no = p_line_no and i.variant_id = n.variant_id), 0);
end;
$$;

comment on function private.order_held(uuid, uuid, integer, jsonb, numeric, integer) is
'How much of an order''s line its reservation holds, in the line''s unit. p_open: what is still to be delivered of it;
p_decimals: of the product''s own unit.';

create function private.order_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select o.header - 'asked' || jsonb_build_object('id', o.id, 'customer_id', o.customer_id, 'title',
      'Order Confirmation',
      'number', o.number, 'status', o.status,
      'quotation_id', o.quotation_id, 'quotation_number', (
        select q.number from public.quotations q where q.org_id = o.org_id and q.id = o.quotation_id), 'location_id',
          o.location_id, 'reservation_id', o.reservation_id,
      'confirmed_at', o.confirmed_at, 'ended_at', o.ended_at, 'reason', o.reason,
      'lines', l.list, 'tax_summary', private.tax_summary(l.list), 'payments', a.list, 'advances', a.amount,
      'advance_paid', m.advance_paid, 'to_pay', m.to_pay,
      'deliveries', (
        select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'number', d.number, 'date', d.business_date)
          order by d.delivered_at, d.number), '[]')
        from public.deliveries d where d.org_id = o.org_id and d.order_id = o.id),
      'invoices', (
        select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'number', i.number, 'date', i.business_date, 'status',
          i.status,
          'total', i.total, 'balance', i.balance, 'delivery_id', i.delivery_id) order by i.issued_at, i.number), '[]')
        from public.invoices i where i.org_id = o.org_id and i.order_id = o.id),
      'work_log', (
        select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'worked_on', w.worked_on, 'note', w.note,
          'visible_to_customer',
          w.visible_to_customer, 'status', w.status, 'created_at', w.created_at, 'created_by', w.created_by)
          order by w.worked_on, w.created_at, w.id), '[]')
        from public.sales_order_log w where w.org_id = o.org_id and w.order_id = o.id))
    from public.sales_orders o
    cross join lateral private.order_money(o.org_id, o) m
    cross join lateral (
      select coalesce(jsonb_agg(p.line || jsonb_build_object('delivered', p.delivered::numeric(14, 3), 'invoiced',
          p.invoiced::numeric(14, 3), 'open', e.open::numeric(14, 3), 'reserved', case when p.stocked and e.open > 0
            then private.order_held(o.org_id, o.reservation_id, p.line_no, p.line, e.open, p.decimals)::numeric(14, 3)
              else 0.000 end)
        order by p.line_no), '[]') as list
      from private.order_progress(o.org_id, o.id) p
      cross join lateral (
        select case when o.status in ('closed', 'cancelled') then 0 else p.quantity - p.delivered end as open) e) l
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'number', p.number, 'method', p.method, 'method_name',
        m.name,
          'amount', p.amount, 'reference', p.reference, 'received_at', p.received_at, 'unallocated', u.amount)
          order by p.received_at, p.created_at, p.id), '[]') as list, coalesce(sum(u.amount), 0.00) as amount
      from public.payments p
      join public.payment_methods m on m.code = p.method
      cross join lateral (select private.unallocated(p.org_id, p.id) as amount) u
      where p.org_id = o.org_id and p.order_id = o.id
        and not exists (select from public.payment_reversals r where r.org_id = p.org_id and r.payment_id = p.id)) a
    where o.org_id = p_org_id and o.id = p_id);
end;
$$;

comment on function private.order_json(uuid, uuid) is
'An order as clients and documents see it, in the shape of an invoice; of each line what is delivered, invoiced, open
(to be delivered) and reserved. payments: the advances that stand; advances: what of them settles nothing yet;
advance_paid and to_pay: as private.order_money has them. quotation_number: of the quotation that it was converted
from.';

