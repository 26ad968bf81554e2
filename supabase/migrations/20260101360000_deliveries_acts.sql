-- Deliveries: what left of an order, in as many parts as it takes, each with its note.

select private.add_document_kind('delivery', 'deliveries', 'D', true);

-- Tables ------------------------------------------------------------------------------------------

create table public.deliveries (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  location_id uuid not null,
  order_id uuid not null,
  customer_id uuid not null,
  number text not null check (length(number) <= 16),
  delivered_at timestamptz not null,
  business_date date not null,
  header jsonb not null default '{}',
  created_at timestamptz not null default now(),
  order_event bigint not null default nextval('private.order_event'),
  created_by uuid not null,
  request_id text default private.request_id(),
  unique (branch_id, org_id, number),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, order_id) references public.sales_orders (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id)
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.deliveries (org_id, delivered_at desc, id desc);
alter table public.deliveries add primary key (org_id, id);

comment on table public.deliveries is
'Delivery notes (CGST Rules 2017, rule 55), append-only. location_id: where the goods left. Seller, buyer and prices
are the order''s. order_event: its place among what happened to the order. header: what the note says otherwise than
its order, where it names another address: ship_to, and with it place and kind of supply and reverse charge.';

create table public.delivery_lines (
  org_id uuid not null,
  delivery_id uuid not null,
  branch_id uuid not null,
  order_id uuid not null,
  like private.document_line including all,
  batch text,
  primary key (org_id, delivery_id, line_no),
  foreign key (org_id, delivery_id) references public.deliveries (org_id, id),
  foreign key (org_id, order_id, line_no) references public.sales_order_lines (org_id, order_id, line_no),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.delivery_lines is
'What of an order''s line was delivered; line_no is the order''s. Columns: as private.document_line has them, for that
part of the order''s line with its share of the amounts, and the numbers of the pieces; batch: the lot''s code, where
it was named.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.delivery_lines (variant_id, org_id);
create index on public.delivery_lines (order_id, line_no, org_id);
create index on public.deliveries (branch_id, delivered_at desc);
create index on public.deliveries (order_id);

alter table public.invoices add foreign key (org_id, delivery_id) references public.deliveries (org_id, id);

-- Functions ---------------------------------------------------------------------------------------

select private.declare_shape('delivered_lines',
  '{"line_no": "line!*", "quantity": "quantity!", "serials": "serials", "batch": "text"}',
  array['deliver_order.p_lines'], '{1, 2000}');

create function private.delivery_asked(p_lines jsonb)
returns table (line_no integer, quantity numeric, serials jsonb, batch text)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select n.line_no, n.quantity, nullif(n.line -> 'serials', 'null'), n.line ->> 'batch'
  from private.named_lines('delivered_lines', p_lines) n;
end;
$$;

comment on function private.delivery_asked(jsonb) is
'p_lines: [{"line_no", "quantity", "serials"?, "batch"?}], each line once. Errors: 400 invalid_input.';

create function private.deliverable_lines(p_org_id uuid, p_order_id uuid, p_lines jsonb, p_taxed jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_bad record;
  v_asked jsonb;
  v_lines jsonb;
begin
  if p_lines is not null then
    select a.line_no, a.quantity as asked, p.line, p.quantity - p.delivered as open, v.tracking, a.serials, a.batch
    into v_bad
    from private.delivery_asked(p_lines) a
    left join private.order_progress(p_org_id, p_order_id) p on p.line_no = a.line_no
    left join public.units u on u.code = p.line ->> 'unit'
    left join public.product_variants v on v.org_id = p_org_id and v.id = (p.line ->> 'variant_id')::uuid
    where p.line is null or a.quantity > p.quantity - p.delivered or a.quantity <> round(a.quantity, u.decimals)
      or private.base_part((p.line ->> 'base_quantity')::numeric, p.quantity, p.delivered, p.delivered + a.quantity,
        p.decimals) is null
      or (p.line -> 'set_items' = 'null' and a.serials is not null and v.tracking <> 'serial')
      or (a.batch is not null and v.tracking <> 'batch')
    order by a.line_no limit 1;
    if v_bad.line_no is null then
      null;
    elsif v_bad.line is null then
      perform private.fail(404, 'not_found', format('The order has no line %s.', v_bad.line_no),
        jsonb_build_object('line_no', v_bad.line_no));
    elsif v_bad.asked > v_bad.open then
      perform private.fail(422, 'delivery_exceeds_order', format('Of %s, %s are still open.', v_bad.line ->> 'sku',
        trim_scale(v_bad.open)), jsonb_build_object('line_no', v_bad.line_no, 'sku', v_bad.line -> 'sku', 'open',
          v_bad.open,
        'asked', v_bad.asked));
    else
      perform private.fail(400, 'invalid_input',
        format('%s is not delivered in fractions so small, or not tracked in that way.',
        v_bad.line ->> 'sku'), jsonb_build_object('field', 'p_lines', 'line_no', v_bad.line_no, 'sku',
          v_bad.line -> 'sku'));
    end if;
  end if;
  v_asked := coalesce(p_lines, (
    select jsonb_agg(jsonb_build_object('line_no', o.line_no, 'quantity', o.quantity - o.delivered))
    from private.order_progress(p_org_id, p_order_id) o where o.quantity > o.delivered));
  if v_asked is null then
    perform private.fail(422, 'delivery_exceeds_order', 'All of this order was delivered.',
      jsonb_build_object('order_id', p_order_id));
  end if;
  select jsonb_agg(private.line_part(coalesce(t.line, p.line), p.delivered, p.delivered + a.quantity, p.decimals)
    || jsonb_build_object('serials', a.serials, 'batch', a.batch, 'stocked', p.stocked) order by p.line_no)
  into v_lines
  from private.order_progress(p_org_id, p_order_id) p
  join private.delivery_asked(v_asked) a on a.line_no = p.line_no
  left join jsonb_array_elements(p_taxed) t (line) on (t.line ->> 'line_no')::integer = p.line_no;
  return v_lines;
end;
$$;

comment on function private.deliverable_lines(uuid, uuid, jsonb, jsonb) is
'The lines of a delivery, each the next part of an order''s line, under the order''s lock. p_lines: as
private.delivery_asked takes them; null: everything open. p_taxed: the order''s lines, taxed for another supply; null:
as they were ordered. Errors: 400 invalid_input, 404 not_found, 422 delivery_exceeds_order.';

create function private.delivery_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select private.sum_document(d.org_id, o.header - 'asked' || d.header, l.list, b.amount)
      || jsonb_build_object('id', d.id,
      'customer_id', d.customer_id, 'title', 'Delivery Note',
      'number', d.number, 'status', 'delivered', 'order_id', d.order_id, 'order_number', o.number, 'location_id',
        d.location_id,
      'issued_at', d.delivered_at, 'delivered_at', d.delivered_at, 'business_date', d.business_date,
      'tax_summary', private.tax_summary(l.list), 'invoice_id', private.delivery_invoice(d.org_id, d.order_id, d.id))
    from public.deliveries d
    join public.sales_orders o on o.org_id = d.org_id and o.id = d.order_id
    cross join lateral (
      select jsonb_agg(private.line_json(t) || jsonb_build_object('batch', t.batch, 'ordered', s.quantity,
        'to_follow', s.quantity - e.quantity)
        order by t.line_no) as list
      from public.delivery_lines t
      join public.sales_order_lines s on s.org_id = t.org_id and s.order_id = t.order_id and s.line_no = t.line_no
      cross join lateral (
        -- As it was when these goods left: a note printed again says the same.
        select sum(x.quantity) as quantity
        from public.deliveries h join public.delivery_lines x on x.org_id = h.org_id and x.delivery_id = h.id
        where h.org_id = d.org_id and h.order_id = d.order_id and x.line_no = t.line_no
          and h.order_event <= d.order_event) e
      where t.org_id = d.org_id and t.delivery_id = d.id) l
    cross join lateral (
      select coalesce(sum(x.total), 0) as amount
      from public.deliveries h join public.delivery_lines x on x.org_id = h.org_id and x.delivery_id = h.id
      where h.org_id = d.org_id and h.order_id = d.order_id and h.order_event < d.order_event) b
    where d.org_id = p_org_id and d.id = p_id);
end;
$$;

comment on function private.delivery_json(uuid, uuid) is
'A delivery note as clients and documents see it, in the shape of an invoice: amounts are its share of the order''s,
taxed for where it went. ordered: of the
order''s line; to_follow: what of it was still open after this delivery.';

create function private.delivered_elsewhere(p_org_id uuid, p_order public.sales_orders, p_date date,
  p_ship_to jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_today jsonb := private.order_today(p_org_id, p_order, p_date, p_ship_to) - array['seller', 'buyer'];
begin
  -- In the same place the prices and taxes stay those that were ordered.
  return case when p_order.header @> (v_today - array['lines', 'ship_to']) then jsonb_build_object('ship_to', p_ship_to)
    else v_today end;
end;
$$;

comment on function private.delivered_elsewhere(uuid, public.sales_orders, date, jsonb) is
'What a delivery to another address than its order''s says otherwise: ship_to; in another place of supply also that, and
the order''s lines taxed there (CGST Rules 2017, rule 55(1)(vii) and (viii)). p_ship_to: null for the buyer''s own
address. Errors: as private.order_today''s.';

-- The acts ----------------------------------------------------------------------------------------

select private.declare_shape('deliver_order_options',
  '{"deliver_to": "uuid"}',
  array['deliver_order.p_options']);

create function public.deliver_order(p_id uuid, p_order_id uuid, p_location_id uuid, p_lines jsonb default null,
  p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_order_id);
  v_org_id uuid := v_order.org_id;
  v_date date;
  v_said jsonb := '{}'::jsonb;
  v_lines jsonb;
  v_goods jsonb;
  v_status text;
  v_hold public.stock_reservations;
  v_hold_id uuid;
  v_moves private.stock_move[];
  v_number text;
begin
  perform private.authorize_branch('order.deliver', v_order.branch_id);
  perform private.check_shape('deliver_order_options', p_options);
  if private.claim_request(v_org_id, p_id, 'deliver_order',
    jsonb_build_array(p_order_id, p_location_id, p_lines, p_options)) then
    v_order := private.lock_order(v_org_id, p_order_id, null);
    if v_order.status not in ('confirmed', 'in_production', 'ready', 'partially_delivered') then
      perform private.refuse_transition('sales_order', v_order.status, 'partially_delivered');
    end if;
    perform private.selling_location(v_org_id, v_order.branch_id, p_location_id, 'p_location_id');
    v_date := private.local_date(v_org_id, v_order.branch_id, now());
    if p_options ->> 'deliver_to' is not null then
      v_said := private.delivered_elsewhere(v_org_id, v_order, v_date,
        private.ship_to(v_org_id, v_order.customer_id, private.id_option(p_options, 'deliver_to')));
    end if;
    v_lines := private.deliverable_lines(v_org_id, p_order_id, p_lines, v_said -> 'lines');
    v_status := case when exists (
        select from private.order_progress(v_org_id, p_order_id) p
        where p.quantity - p.delivered > coalesce((
          select (l ->> 'quantity')::numeric from jsonb_array_elements(v_lines) l
            where (l ->> 'line_no')::integer = p.line_no), 0))
      then 'partially_delivered' else 'delivered' end;
    if v_status <> v_order.status then
      perform private.check_step('sales_order', v_order.status, v_status);
    end if;
    perform private.assert_period_open(v_org_id, v_date);

    -- The goods: what is held is given back, what is delivered leaves, and what is still open is held again, beneath
    -- one lock.
    perform private.lock_goods(v_org_id, v_order, p_location_id);
    select * into v_hold from public.stock_reservations where org_id = v_org_id and id = v_order.reservation_id;
    perform private.let_go(v_org_id, v_order, 'fulfilled', 'delivery', p_id);
    -- A part too small to be measured moves nothing: the next one brings it along.
    select jsonb_agg(l) into v_goods from jsonb_array_elements(v_lines) l
    where (l ->> 'stocked')::boolean and (l ->> 'base_quantity')::numeric > 0;
    if v_goods is not null then
      v_moves := private.sale_moves(v_org_id, v_goods, p_location_id, private.shared_location(v_org_id, 'customer'));
      perform private.move_stock(v_org_id, 'delivery', p_id, now(), v_moves, v_date);
    end if;
    perform private.check_order_cover(v_org_id, v_order);
    v_number := private.next_number(v_org_id, v_order.branch_id, 'delivery', v_date);
    insert into public.deliveries (org_id, id, branch_id, location_id, order_id, customer_id, number, delivered_at,
      business_date,
      header, created_by)
    values (v_org_id, p_id, v_order.branch_id, p_location_id, p_order_id, v_order.customer_id, v_number, now(), v_date,
      v_said - 'lines', private.caller());
    perform private.write_lines('public.delivery_lines', jsonb_build_object('org_id', v_org_id,
      'delivery_id', p_id, 'branch_id', v_order.branch_id, 'order_id', p_order_id), v_lines);
    -- The levels are locked already. Goods whose time was over are not held again.
    if v_order.location_id is not null and coalesce(v_hold.expires_at, 'infinity') > now() then
      v_hold_id := private.hold_goods(v_org_id, v_order, v_order.location_id, v_hold.expires_at, false);
    end if;
    update public.sales_orders set status = v_status, reservation_id = v_hold_id
    where org_id = v_org_id and id = p_order_id;
    perform private.emit(v_org_id, 'order.delivered', jsonb_build_object('order_id', p_order_id, 'delivery_id', p_id,
      'branch_id',
      v_order.branch_id, 'customer_id', v_order.customer_id, 'number', v_number, 'status', v_status));
  end if;
  return private.delivery_json(v_org_id, p_id);
end;
$$;

comment on function public.deliver_order(uuid, uuid, uuid, jsonb, jsonb) is
'Delivers an order or a part of it: the goods leave what is held for it, the rest stays held. p_id: the client''s uuid,
the delivery''s id. p_order_id. p_location_id: where the goods stand. p_lines: [{"line_no" (of the order), "quantity"
(in the line''s unit), "serials"? (the number of each piece, where it has one; for a set those of its components),
"batch"? (the lot; else what expires first)}], each line once; null: everything open, services included. p_options:
deliver_to (one of the customer''s addresses, or his own id for his own; else where the order says). In another place of
supply than the order''s the note has that place''s tax. Returns the delivery note as JSON, in the shape of an invoice.
Errors: 400 invalid_input; 401; 403 permission_denied, price_override_denied (the address lowers the tax); 404
not_found; 409 invalid_transition, insufficient_stock, serial_not_here, period_closed, id_reused, series_exhausted; 422
delivery_exceeds_order, serials_required, expired_stock, location_not_sellable, branch_archived, address_archived,
tax_rate_missing, composition_interstate, reverse_charge_not_possible, credit_limit_exceeded and customer_defaulted (an
advance did not stand, and no credit covers it). Permission: order.deliver.';
revoke execute on function public.deliver_order(uuid, uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.deliver_order(uuid, uuid, uuid, jsonb, jsonb) to authenticated;

create function public.get_delivery(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_delivery public.deliveries := private.document_named(null::public.deliveries, p_id);
  v_manages boolean := private.permitted('order.manage', v_delivery.org_id);
begin
  perform private.authorize(case when v_manages then 'order.manage' else 'order.deliver' end, v_delivery.org_id,
    v_delivery.branch_id);
  return private.delivery_json(v_delivery.org_id, p_id);
end;
$$;

comment on function public.get_delivery(uuid) is
'One delivery note, whole, as deliver_order returns it. p_id: the delivery. Errors: 401, 403 permission_denied, 404
not_found. Permission: order.manage or order.deliver.';
revoke execute on function public.get_delivery(uuid) from public, anon;
grant execute on function public.get_delivery(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on public.deliveries for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.deliveries for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.delivery_lines for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.delivery_lines for each statement
  execute function audit.refuse_change();
select audit.attach('public.deliveries');
select audit.attach('public.delivery_lines', 'delivery_id', 'line_no');

-- Policies ----------------------------------------------------------------------------------------

alter table public.deliveries enable row level security;
create policy "Who manages or delivers orders reads their deliveries" on public.deliveries for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('order.manage')))
        or org_id = any (array(select private.whole_orgs_with('order.deliver'))) then true
      else branch_id = any (array(select private.listed_branches_with('order.manage')))
        or branch_id = any (array(select private.listed_branches_with('order.deliver'))) end);

alter table public.delivery_lines enable row level security;
create policy "Who manages or delivers orders reads delivered lines" on public.delivery_lines for select
  to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('order.manage')))
        or org_id = any (array(select private.whole_orgs_with('order.deliver'))) then true
      else branch_id = any (array(select private.listed_branches_with('order.manage')))
        or branch_id = any (array(select private.listed_branches_with('order.deliver'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.deliveries, public.delivery_lines to authenticated;
