-- Sales orders: what was ordered, at which prices, and how far it has come.

select private.add_permissions('[
  {"code": "order.manage",
    "description": "Take sales orders, log work on them, cancel them, and use their advances otherwise",
   "roles": ["cashier", "sales_executive"]},
  {"code": "order.deliver", "description": "Deliver what was ordered",
   "roles": ["cashier", "sales_executive", "inventory_manager"]}
]');
select private.add_document_kind('sales_order', 'sales orders', 'S', false, 'itself');

-- Tables ------------------------------------------------------------------------------------------

create table public.sales_orders (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  customer_id uuid not null,
  quotation_id uuid,
  location_id uuid,
  reservation_id uuid,
  number text check (length(number) <= 16),
  status text not null check (status in ('draft', 'confirmed', 'in_production', 'ready', 'partially_delivered',
    'delivered',
    'closed', 'cancelled')),
  total numeric(14, 2) not null check (total >= 0),
  header jsonb not null,
  confirmed_at timestamptz,
  ended_at timestamptz,
  reason text check (length(btrim(reason)) between 1 and 500),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  unique (branch_id, org_id, number),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  foreign key (org_id, quotation_id) references public.quotations (org_id, id),
  foreign key (org_id, reservation_id) references public.stock_reservations (org_id, id),
  constraint confirmed_has_a_number check (number is not null or status in ('draft', 'cancelled')),
  constraint ended_says_when check ((status in ('closed', 'cancelled')) = (ended_at is not null))
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.sales_orders (org_id, created_at desc, id desc);
alter table public.sales_orders add primary key (org_id, id);

comment on table public.sales_orders is
'What customers ordered. number: given when it is confirmed. quotation_id: what it was converted from, whose prices it
keeps. location_id: where its goods are held; reservation_id: by which reservation at present, null while nothing is
held. total: in the organisation''s currency. header: seller, buyer, ship_to, place of supply, sums, note, reference and
terms, as private.price_sale found them. reason: why it was cancelled.';

create table public.sales_order_lines (
  org_id uuid not null,
  order_id uuid not null,
  branch_id uuid not null,
  like private.document_line including all,
  stocked boolean not null,
  primary key (org_id, order_id, line_no),
  foreign key (org_id, order_id) references public.sales_orders (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.sales_order_lines is
'What is ordered, priced and taxed. Columns: as private.document_line has them. stocked: goods, not a service.
Deliveries and invoices of the order name its lines by the same line_no.';

create table public.sales_order_log (
  org_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  branch_id uuid not null,
  worked_on date not null check (isfinite(worked_on)),
  note text not null check (length(btrim(note)) between 1 and 2000),
  visible_to_customer boolean not null,
  status text not null,
  created_at timestamptz not null default clock_timestamp(),
  created_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, id),
  foreign key (org_id, order_id) references public.sales_orders (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id)
);

comment on table public.sales_order_log is
'The work on an order, day by day, append-only. visible_to_customer: he may be shown it; status: the order''s, after
that entry.';

-- Indexes -----------------------------------------------------------------------------------------
-- None but the log's begins with org_id: beside a document's key, the plan for a small table might take it for the key.

create index on public.sales_order_lines (variant_id, org_id);
create index on public.sales_orders (branch_id, created_at desc);
create index on public.sales_orders (customer_id) where status not in ('draft', 'closed', 'cancelled');
create unique index on public.sales_orders (quotation_id, org_id) where quotation_id is not null;
create index on public.sales_orders (reservation_id) where reservation_id is not null;
create index on public.sales_order_log (branch_id, created_at desc);
create index on public.sales_order_log (order_id);

-- Lifecycle ---------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('quotation', 'approved', 'converted', 'order.manage'),
  ('sales_order', 'new', 'draft', 'order.manage'),
  ('sales_order', 'draft', 'confirmed', 'order.manage'),
  ('sales_order', 'draft', 'cancelled', 'order.manage'),
  ('sales_order', 'confirmed', 'in_production', 'order.manage'),
  ('sales_order', 'confirmed', 'ready', 'order.manage'),
  ('sales_order', 'confirmed', 'partially_delivered', 'order.deliver'),
  ('sales_order', 'confirmed', 'delivered', 'order.deliver'),
  ('sales_order', 'confirmed', 'cancelled', 'order.manage'),
  ('sales_order', 'in_production', 'ready', 'order.manage'),
  ('sales_order', 'in_production', 'partially_delivered', 'order.deliver'),
  ('sales_order', 'in_production', 'delivered', 'order.deliver'),
  ('sales_order', 'in_production', 'cancelled', 'order.manage'),
  ('sales_order', 'ready', 'partially_delivered', 'order.deliver'),
  ('sales_order', 'ready', 'delivered', 'order.deliver'),
  ('sales_order', 'ready', 'cancelled', 'order.manage'),
  ('sales_order', 'partially_delivered', 'delivered', 'order.deliver'),
  ('sales_order', 'partially_delivered', 'closed', 'order.manage'),
  ('sales_order', 'delivered', 'closed', 'order.manage');

-- Writing one -------------------------------------------------------------------------------------

create function private.write_order(p_org_id uuid, p_id uuid, p_branch_id uuid, p_customer_id uuid, p_quotation_id uuid,
  p_header jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.sales_orders (org_id, id, branch_id, customer_id, quotation_id, status, total, header, created_by)
  values (p_org_id, p_id, p_branch_id, p_customer_id, p_quotation_id, 'draft', (p_header ->> 'total')::numeric,
    p_header - 'lines' - 'stocked_lines', private.caller());
  perform private.emit(p_org_id, 'order.created', jsonb_build_object('order_id', p_id, 'branch_id', p_branch_id,
    'customer_id',
    p_customer_id, 'quotation_id', p_quotation_id, 'total', p_header -> 'total'));
end;
$$;

comment on function private.write_order(uuid, uuid, uuid, uuid, uuid, jsonb) is
'Writes a draft order without its lines. p_header: as private.price_sale returns it. No errors.';

select private.declare_shape('save_order_options',
  '{"note": "text", "reference": "text 100", "terms": "text 4000", "place_of_supply": "text", "export_tax":
    ["with_payment", "without_payment"], "reverse_charge": "boolean", "coupon": "text", "discount": "any",
    "deliver_to": "uuid"}',
  array['save_order.p_options']);

create function public.save_order(p_id uuid, p_order_id uuid, p_branch_id uuid, p_customer_id uuid, p_lines jsonb,
  p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.authorize_branch('order.manage', p_branch_id);
  v_order_id uuid := coalesce(p_order_id, p_id);
  v_order public.sales_orders;
  v_sale jsonb;
begin
  perform private.check_shape('save_order_options', p_options);
  if private.claim_request(v_org_id, p_id, 'save_order',
    jsonb_build_array(p_order_id, p_branch_id, p_customer_id, p_lines,
    p_options)) then
    if p_order_id is not null then
      select * into v_order from public.sales_orders
      where org_id = v_org_id and id = p_order_id and branch_id = p_branch_id for no key update;
      if v_order.id is null then
        perform private.fail(404, 'not_found', 'The branch has no such order.', '{"field": "p_order_id"}');
      elsif v_order.status <> 'draft' then
        perform private.refuse_transition('sales_order', v_order.status, 'draft');
      elsif v_order.quotation_id is not null then
        perform private.fail(409, 'order_is_quoted',
          'This order keeps the prices of its quotation: cancel it, and quote anew.',
          jsonb_build_object('order_id', p_order_id, 'quotation_id', v_order.quotation_id));
      elsif v_order.customer_id <> p_customer_id and exists (
        select from public.payments p where p.org_id = v_org_id and p.order_id = p_order_id) then
        perform private.fail(422, 'customer_mismatch', 'There are advances of another customer on this order.',
          jsonb_build_object('customer_id', v_order.customer_id));
      end if;
    end if;
    v_sale := private.price_document(v_org_id, p_branch_id, p_customer_id, p_lines, p_options);
    if p_order_id is null then
      perform private.write_order(v_org_id, v_order_id, p_branch_id, p_customer_id, null, v_sale);
    else
      delete from public.sales_order_lines where org_id = v_org_id and order_id = v_order_id;
      update public.sales_orders
      set customer_id = p_customer_id, total = (v_sale ->> 'total')::numeric,
        header = v_sale - 'lines' - 'stocked_lines'
      where org_id = v_org_id and id = v_order_id;
    end if;
    perform private.write_lines('public.sales_order_lines', jsonb_build_object('org_id', v_org_id,
      'order_id', v_order_id, 'branch_id', p_branch_id), private.document_lines(v_sale));
  end if;
  return private.order_json(v_org_id, v_order_id);
end;
$$;

comment on function public.save_order(uuid, uuid, uuid, uuid, jsonb, jsonb) is
'Writes a draft order, or a draft anew. p_id: the client''s uuid of this act, and of a new order. p_order_id: null for a
new one; else the draft to replace. p_branch_id; p_customer_id. p_lines: [{"variant_id", "quantity", "unit"?,
"unit_price"?, "discount"?}] as quote_sale takes them: prices are those of today and stay. p_options: note, reference,
terms, and as post_sale takes them place_of_supply, export_tax, reverse_charge, coupon (used when the order is
confirmed), discount, deliver_to. Returns the order as JSON, in the shape of an invoice. Errors: 400 invalid_input; 401;
403 permission_denied, price_override_denied; 404 not_found; 409 invalid_transition (it was confirmed), order_is_quoted,
id_reused; 422 customer_mismatch, unit_unknown, set_incomplete, discount_limit, variant_archived, branch_archived,
tax_rate_missing, address_archived. Permission: order.manage.';
revoke execute on function public.save_order(uuid, uuid, uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.save_order(uuid, uuid, uuid, uuid, jsonb, jsonb) to authenticated;

select private.declare_shape('convert_quotation_options',
  '{"note": "text", "reference": "text 100"}',
  array['convert_quotation.p_options']);

create function public.convert_quotation(p_id uuid, p_quotation_id uuid, p_options jsonb default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_quotation public.quotations := private.document_named(null::public.quotations, p_quotation_id);
  v_org_id uuid := v_quotation.org_id;
begin
  perform private.authorize('order.manage', v_org_id, v_quotation.branch_id);
  perform private.check_shape('convert_quotation_options', p_options);
  if private.claim_request(v_org_id, p_id, 'convert_quotation', jsonb_build_array(p_quotation_id, p_options)) then
    v_quotation := private.lock_quotation(v_org_id, p_quotation_id, 'converted');
    update public.quotations set status = 'converted' where org_id = v_org_id and id = p_quotation_id;
    perform private.write_order(v_org_id, p_id, v_quotation.branch_id, v_quotation.customer_id, p_quotation_id,
      v_quotation.header || jsonb_strip_nulls(p_options) || jsonb_build_object('issued_at', now(), 'business_date',
        private.local_date(v_org_id, v_quotation.branch_id, now())));
    perform private.write_lines('public.sales_order_lines', jsonb_build_object('order_id', p_id), (
      select jsonb_agg(to_jsonb(l)) from public.quotation_lines l
      where l.org_id = v_org_id and l.quotation_id = p_quotation_id));
  end if;
  return private.order_json(v_org_id, p_id);
end;
$$;

comment on function public.convert_quotation(uuid, uuid, jsonb) is
'Makes the order of an approved quotation, at its prices, whatever the catalogue asks by now. p_id: the client''s uuid,
the order''s id. p_quotation_id. p_options: note, reference (else those of the quotation). Returns the order, a draft,
as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invalid_transition (not approved, or
converted before), id_reused; 422 quotation_expired. Permission: order.manage.';
revoke execute on function public.convert_quotation(uuid, uuid, jsonb) from public, anon;
grant execute on function public.convert_quotation(uuid, uuid, jsonb) to authenticated;

create function public.get_order(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_order public.sales_orders := private.document_named(null::public.sales_orders, p_id);
  v_manages boolean := private.permitted('order.manage', v_order.org_id);
begin
  perform private.authorize(case when v_manages then 'order.manage' else 'order.deliver' end, v_order.org_id,
    v_order.branch_id);
  return private.order_json(v_order.org_id, p_id);
end;
$$;

comment on function public.get_order(uuid) is
'One order, whole, as save_order returns it. p_id: the order. Errors: 401, 403 permission_denied, 404 not_found.
Permission: order.manage or order.deliver.';
revoke execute on function public.get_order(uuid) from public, anon;
grant execute on function public.get_order(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

alter table public.payments add foreign key (org_id, order_id) references public.sales_orders (org_id, id);
alter table public.invoices add foreign key (org_id, order_id) references public.sales_orders (org_id, id);
alter table public.coupon_uses add foreign key (org_id, order_id) references public.sales_orders (org_id, id);

create trigger t40_enforce_lifecycle before insert or update or delete on public.sales_orders
  for each row execute function private.enforce_lifecycle('sales_order', 'status', 'reservation_id', 'ended_at',
    'reason');
create trigger t10_refuse_change_truncate before truncate on public.sales_orders for each statement
  execute function audit.refuse_change();
create trigger t10_keep_issued_lines before insert or update or delete on public.sales_order_lines
  for each row execute function private.keep_issued_lines('sales_orders', 'order_id');
create trigger t10_refuse_change_truncate before truncate on public.sales_order_lines for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.sales_order_log
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.sales_order_log for each statement
  execute function audit.refuse_change();
select audit.attach('public.sales_orders');
select audit.attach('public.sales_order_lines', 'order_id', 'line_no');
select audit.attach('public.sales_order_log');

-- Policies ----------------------------------------------------------------------------------------

alter table public.sales_orders enable row level security;
create policy "Who manages or delivers orders reads those of his branches" on public.sales_orders for select
  to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('order.manage')))
        or org_id = any (array(select private.whole_orgs_with('order.deliver'))) then true
      else branch_id = any (array(select private.listed_branches_with('order.manage')))
        or branch_id = any (array(select private.listed_branches_with('order.deliver'))) end);

alter table public.sales_order_lines enable row level security;
create policy "Who manages or delivers orders reads their lines" on public.sales_order_lines for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('order.manage')))
        or org_id = any (array(select private.whole_orgs_with('order.deliver'))) then true
      else branch_id = any (array(select private.listed_branches_with('order.manage')))
        or branch_id = any (array(select private.listed_branches_with('order.deliver'))) end);

alter table public.sales_order_log enable row level security;
create policy "Who manages or delivers orders reads the work on them" on public.sales_order_log for select
  to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.whole_orgs_with('order.manage')))
        or org_id = any (array(select private.whole_orgs_with('order.deliver'))) then true
      else branch_id = any (array(select private.listed_branches_with('order.manage')))
        or branch_id = any (array(select private.listed_branches_with('order.deliver'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.sales_orders, public.sales_order_lines, public.sales_order_log to authenticated;
