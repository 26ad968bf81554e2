-- Goods returns: what was sold comes back, to the shelf, to the workshop or to the scrap, never more than was sold.
-- What it is worth to the customer is the credit note's affair.

select private.add_permissions('[
  {"code": "sale.return", "description": "Take sold goods back", "roles": ["cashier", "sales_executive"]}
]');
select private.add_document_kind('goods_return', 'goods returns', null, true);

-- Tables ------------------------------------------------------------------------------------------

create table public.goods_returns (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  location_id uuid not null,
  quarantine_location_id uuid,
  invoice_id uuid not null,
  reason text not null check (length(btrim(reason)) between 1 and 500),
  business_date date not null,
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, branch_id, quarantine_location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, invoice_id) references public.invoices (org_id, id),
  unique (id, org_id, branch_id)
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.goods_returns (org_id, created_at desc, id desc);
alter table public.goods_returns add primary key (org_id, id);

comment on table public.goods_returns is
'Sold goods that came back to a location, which may be another branch''s than the sale''s. quarantine_location_id: where
what needs a repair went, null when nothing did.';

create table public.goods_return_lines (
  org_id uuid not null,
  goods_return_id uuid not null,
  invoice_id uuid not null,
  line_no integer not null,
  branch_id uuid not null,
  variant_id uuid not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  base_quantity numeric(14, 3) not null check (base_quantity >= 0),
  disposition text not null check (disposition in ('restock', 'scrap', 'repair')),
  set_items jsonb,
  serials text[],
  primary key (org_id, goods_return_id, line_no),
  foreign key (org_id, goods_return_id, branch_id) references public.goods_returns (org_id, id, branch_id),
  foreign key (org_id, invoice_id, line_no) references public.invoice_lines (org_id, invoice_id, line_no),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.goods_return_lines is
'How much of an invoice''s line came back. quantity: in the line''s unit; base_quantity: in the
product''s own, all returns of a line together as much as left; disposition: restock (to the location), repair (to the
quarantine) or scrap (written off as it came); set_items: the components that a set came back as.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.goods_returns (branch_id, created_at desc);
create index on public.goods_returns (org_id, invoice_id);
create index on public.goods_return_lines (org_id, invoice_id, line_no);
create index on public.goods_return_lines (variant_id, org_id);

-- Functions ---------------------------------------------------------------------------------------

create type private.returned_line as (line_no integer, quantity numeric, before numeric, base_quantity numeric,
  serials text[],
  disposition text, line public.invoice_lines);

comment on type private.returned_line is
'What comes back of a line of an invoice, and that line. quantity: in the line''s unit, and before: what came back
earlier; base_quantity: of the quantity, in the product''s own unit.';

select private.declare_shape('returned_lines',
  '{"line_no": "line!*", "quantity": "quantity!", "serials": "serials", "disposition": ["restock", "scrap",
    "repair"]}',
  array['return_goods.p_lines'], '{1, 2000}');

create function private.returnable_lines(p_org_id uuid, p_invoice_id uuid, p_lines jsonb)
returns setof private.returned_line
language plpgsql stable
set search_path = ''
as $$
declare
  v_asked record;
  v_line public.invoice_lines;
  v_decimals record;
  v_before numeric;
  v_base numeric;
begin
  for v_asked in
    select n.* from private.named_lines('returned_lines', p_lines) n
  loop
    select l.* into v_line from public.invoice_lines l
    where l.org_id = p_org_id and l.invoice_id = p_invoice_id and l.line_no = v_asked.line_no;
    if v_line.variant_id is null then
      perform private.fail(404, 'not_found', format('The invoice has no line %s.', v_asked.line_no),
        jsonb_build_object('line', v_asked.place, 'line_no', v_asked.line_no));
    end if;
    select u.decimals as asked, b.decimals as base into v_decimals
    from public.units u
    cross join public.product_variants v
    join public.products p on p.org_id = v.org_id and p.id = v.product_id
    join public.units b on b.code = p.unit_code
    where u.code = v_line.unit and v.org_id = p_org_id and v.id = v_line.variant_id;
    v_before := coalesce((
      select sum(r.quantity) from public.goods_return_lines r
      where r.org_id = p_org_id and r.invoice_id = p_invoice_id and r.line_no = v_asked.line_no), 0);
    v_base := private.base_part(v_line.base_quantity, v_line.quantity, v_before, v_before + v_asked.quantity,
      v_decimals.base);
    if v_asked.quantity <> round(v_asked.quantity, v_decimals.asked) or v_base is null then
      perform private.fail(400, 'invalid_input', format('%s does not come back in fractions so small.', v_line.sku),
        jsonb_build_object('field', 'p_lines', 'line', v_asked.place, 'sku', v_line.sku));
    end if;
    return next row (v_asked.line_no, v_asked.quantity, v_before, v_base, private.texts(v_asked.line -> 'serials'),
      coalesce(v_asked.line ->> 'disposition', 'restock'), v_line)::private.returned_line;
  end loop;
end;
$$;

comment on function private.returnable_lines(uuid, uuid, jsonb) is
'The lines of a goods return with the invoice lines that they name. p_lines: [{"line_no", "quantity", "serials"?,
"disposition"?}]. Errors: 400 invalid_input, 404 not_found.';

create function private.refuse_excess(p_org_id uuid, p_invoice_id uuid, p_lines jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_excess record;
begin
  select a.line_no, a.line, a.quantity as asked, a.before as returned into v_excess
  from private.returnable_lines(p_org_id, p_invoice_id, p_lines) a
  where a.before + a.quantity > (a.line).quantity
  order by a.line_no limit 1;
  if v_excess.line_no is not null then
    perform private.fail(422, 'return_exceeds_sale', format('Of %s, %s were sold and %s have come back.',
      (v_excess.line).sku,
      trim_scale((v_excess.line).quantity), trim_scale(v_excess.returned)),
        jsonb_build_object('line_no', v_excess.line_no,
      'sku', (v_excess.line).sku, 'sold', (v_excess.line).quantity, 'returned', v_excess.returned, 'asked',
        v_excess.asked));
  end if;
end;
$$;

comment on function private.refuse_excess(uuid, uuid, jsonb) is
'No more comes back than was sold, line by line. Under the invoice''s lock. Errors: 422 return_exceeds_sale.';

create function private.sale_documents(p_org_id uuid, p_invoice_id uuid) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select array_remove(array[i.id, i.delivery_id], null) || case when i.delivery_id is null and i.order_id is not null
      then array(
        select d.id from public.deliveries d
        where d.org_id = i.org_id and d.order_id = i.order_id and not exists (
          select from public.invoices o
          where o.org_id = i.org_id and o.order_id = i.order_id and o.delivery_id = d.id and o.status <> 'void')) end
    from public.invoices i where i.org_id = p_org_id and i.id = p_invoice_id);
end;
$$;

comment on function private.sale_documents(uuid, uuid) is
'The documents under whose ids the goods of an invoice left: the invoice itself, or the delivery that it is for, or
those deliveries of the order that have no invoice of their own. No errors.';

create function private.sold_lots(p_org_id uuid, p_invoice_id uuid, p_variant_id uuid)
returns table (batch_id uuid, quantity numeric, unit_cost numeric, serials text[])
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with moved as (
    select m.batch_id, m.quantity, m.unit_cost, m.serials, 1 as way from public.stock_movements m
    where m.org_id = p_org_id and m.document_id = any (private.sale_documents(p_org_id, p_invoice_id))
      and m.variant_id = p_variant_id
    union all
    select m.batch_id, m.quantity, m.unit_cost, m.serials, -1 from public.goods_returns r
    join public.stock_movements m on m.org_id = r.org_id and m.document_id = r.id and m.variant_id = p_variant_id
    where r.org_id = p_org_id and r.invoice_id = p_invoice_id
  )
  select m.batch_id, sum(m.quantity * m.way), round(sum(m.quantity * m.unit_cost) filter (where m.way = 1)
      / sum(m.quantity) filter (where m.way = 1), 6), (
    select array_agg(s) from (
      select unnest(x.serials) as s from moved x where x.way = 1 except select unnest(x.serials) from moved x
        where x.way = -1) e)
  from moved m
  left join public.batches b on b.org_id = p_org_id and b.id = m.batch_id
  group by m.batch_id, b.expires_on, b.code having sum(m.quantity * m.way) > 0
  -- As they were taken: the same sale and the same return fill the same lots wherever they are posted.
  order by b.expires_on nulls last, b.code;
end;
$$;

comment on function private.sold_lots(uuid, uuid, uuid) is
'What of a variant was sold on an invoice and has not come back, by lot, with what one unit was worth when it left and,
of numbered pieces, the numbers.';

create function private.return_moves(p_org_id uuid, p_invoice_id uuid, p_variant_id uuid, p_quantity numeric,
  p_serials text[],
  p_from_location_id uuid, p_to_location_id uuid)
returns private.stock_move[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_left numeric := p_quantity;
  v_part numeric;
  v_lot record;
  v_serials text[];
  v_moves private.stock_move[] := array[]::private.stock_move[];
begin
  for v_lot in select * from private.sold_lots(p_org_id, p_invoice_id, p_variant_id) loop
    v_part := least(v_left, v_lot.quantity);
    if v_lot.serials is not null then
      v_serials := (select array_agg(distinct s) from unnest(p_serials) s where s = any (v_lot.serials));
      if cardinality(v_serials) is distinct from v_part then
        perform private.fail(422, 'serials_required',
          'Name the numbers of the pieces that come back, of those that were sold.',
          jsonb_build_object('variant_id', p_variant_id, 'quantity', v_part, 'sold', to_jsonb(v_lot.serials)));
      end if;
    end if;
    v_moves := v_moves || row (p_variant_id, p_from_location_id, p_to_location_id, v_part, v_lot.unit_cost, v_serials,
      v_lot.batch_id)::private.stock_move;
    v_left := v_left - v_part;
    exit when v_left = 0;
  end loop;
  if v_left > 0 and exists (
    select from public.product_variants v join public.products p on p.org_id = v.org_id and p.id = v.product_id
    where v.org_id = p_org_id and v.id = p_variant_id and p.kind <> 'service') then
    perform private.fail(422, 'return_exceeds_sale', 'Fewer of these goods have left than would come back.',
      jsonb_build_object('variant_id', p_variant_id, 'asked', p_quantity, 'left', p_quantity - v_left));
  end if;
  return v_moves;
end;
$$;

comment on function private.return_moves(uuid, uuid, uuid, numeric, text[], uuid, uuid) is
'The movements of a variant that comes back from a sale: the same lots and pieces, at what they were worth when they
left. Errors: 422 serials_required, return_exceeds_sale (an order was invoiced before it was delivered).';

create function private.goods_return_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select to_jsonb(r) - 'request_id' || jsonb_build_object('lines', (
      select coalesce(jsonb_agg(jsonb_build_object('line_no', l.line_no, 'variant_id', l.variant_id, 'sku', i.sku,
        'description', i.description, 'unit', i.unit, 'quantity', l.quantity, 'disposition', l.disposition, 'set_items',
        l.set_items, 'serials', l.serials)
        order by l.line_no), '[]')
      from public.goods_return_lines l
      join public.invoice_lines i on i.org_id = l.org_id and i.invoice_id = l.invoice_id and i.line_no = l.line_no
      where l.org_id = r.org_id and l.goods_return_id = r.id))
    from public.goods_returns r where r.org_id = p_org_id and r.id = p_id);
end;
$$;

comment on function private.goods_return_json(uuid, uuid) is 'A goods return with its lines, as clients see it.';

create function private.quarantine_at(p_org_id uuid, p_location_id uuid) returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_here public.locations;
  v_id uuid;
begin
  select * into v_here from public.locations where org_id = p_org_id and id = p_location_id;
  if v_here.kind = 'quarantine' then
    return p_location_id;
  end if;
  select id into v_id from public.locations
  where org_id = p_org_id and branch_id = v_here.branch_id and kind = 'quarantine' and archived_at is null
  order by code limit 1;
  if v_id is null then
    perform private.fail(422, 'no_quarantine', 'The branch has no quarantine for what needs a repair.',
      jsonb_build_object('branch_id', v_here.branch_id));
  end if;
  return v_id;
end;
$$;

comment on function private.quarantine_at(uuid, uuid) is
'Where goods that need a repair go: the location itself if it is a quarantine, else the first one of its branch. Errors:
422 no_quarantine.';

create function private.take_back(p_org_id uuid, p_id uuid, p_invoice_id uuid, p_location_id uuid, p_lines jsonb,
  p_reason text,
  p_at timestamptz, p_date date)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_branch_id uuid := (select branch_id from public.locations where org_id = p_org_id and id = p_location_id);
  v_buyer_location_id uuid := private.shared_location(p_org_id, 'customer');
  v_quarantine_id uuid;
  v_disposition text;
  v_to_location_id uuid;
  v_line record;
  v_serials text[];
  v_moves private.stock_move[];
begin
  if exists (select from private.returnable_lines(p_org_id, p_invoice_id, p_lines) r
    where r.disposition = 'repair') then
    v_quarantine_id := private.quarantine_at(p_org_id, p_location_id);
  end if;
  insert into public.goods_returns (org_id, id, branch_id, location_id, quarantine_location_id, invoice_id, reason,
    business_date,
    created_by)
  values (p_org_id, p_id, v_branch_id, p_location_id, v_quarantine_id, p_invoice_id, p_reason, p_date,
    private.caller());
  insert into public.goods_return_lines (org_id, goods_return_id, invoice_id, line_no, branch_id, variant_id, quantity,
    base_quantity, disposition, set_items, serials)
  select p_org_id, p_id, p_invoice_id, r.line_no, v_branch_id, (r.line).variant_id, r.quantity, r.base_quantity,
    r.disposition, (
      select jsonb_agg(c || jsonb_build_object('quantity',
        private.base_part((c ->> 'quantity')::numeric, (r.line).quantity, r.before, r.before + r.quantity, 3)))
      from jsonb_array_elements((r.line).set_items) c), r.serials
  from private.returnable_lines(p_org_id, p_invoice_id, p_lines) r;

  -- The levels of every place at once and in order: what goes to several places is posted place by place.
  perform private.lock_levels(p_org_id, array_remove(array[p_location_id, v_quarantine_id], null), array(
    select distinct coalesce((c.item ->> 'variant_id')::uuid, l.variant_id)
    from public.goods_return_lines l
    join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
    join public.products p on p.org_id = v.org_id and p.id = v.product_id and p.kind <> 'service'
    left join lateral jsonb_array_elements(l.set_items) c (item) on true
    where l.org_id = p_org_id and l.goods_return_id = p_id and l.disposition <> 'scrap'));
  for v_disposition in
    select distinct l.disposition from public.goods_return_lines l
    where l.org_id = p_org_id and l.goods_return_id = p_id order by 1
  loop
    v_to_location_id := case v_disposition when 'restock' then p_location_id when 'repair' then v_quarantine_id
      else private.shared_location(p_org_id, 'adjustment') end;
    v_moves := array[]::private.stock_move[];
    v_serials := (
      select array_agg(s) from public.goods_return_lines l, unnest(l.serials) s
      where l.org_id = p_org_id and l.goods_return_id = p_id and l.disposition = v_disposition);
    -- What was a set comes back as its components; services have nothing to bring back, and find no movement. A part
    -- too small to be measured moves nothing: the next one brings it along.
    for v_line in
      select e.variant_id, sum(e.quantity) as quantity
      from (
        select l.line_no, coalesce((c.item ->> 'variant_id')::uuid, l.variant_id) as variant_id,
          coalesce((c.item ->> 'quantity')::numeric, l.base_quantity) as quantity
        from public.goods_return_lines l
        left join lateral jsonb_array_elements(l.set_items) c (item) on true
        where l.org_id = p_org_id and l.goods_return_id = p_id and l.disposition = v_disposition) e
      group by e.variant_id having sum(e.quantity) > 0 order by e.variant_id
    loop
      v_moves := v_moves || private.return_moves(p_org_id, p_invoice_id, v_line.variant_id, v_line.quantity, v_serials,
        v_buyer_location_id, v_to_location_id);
    end loop;
    if cardinality(v_serials) <> (select coalesce(sum(cardinality(m.serials)), 0) from unnest(v_moves) m) then
      perform private.fail(422, 'serials_required', 'Name only pieces of these lines, each once.',
        jsonb_build_object('serials', to_jsonb(v_serials)));
    end if;
    perform private.move_stock(p_org_id, 'goods_return', p_id, p_at, v_moves);
  end loop;
  perform private.emit(p_org_id, 'goods.returned', jsonb_build_object('goods_return_id', p_id, 'invoice_id',
    p_invoice_id,
    'branch_id', v_branch_id));
end;
$$;

comment on function private.take_back(uuid, uuid, uuid, uuid, jsonb, text, timestamptz, date) is
'Posts a goods return, under the invoice''s lock and after private.refuse_excess. p_lines: as private.returnable_lines
takes them; p_location_id: where what is restocked goes. Errors: 400 invalid_input, 404 not_found, 409 serial_in_stock,
422 serials_required, no_quarantine.';

-- The act -----------------------------------------------------------------------------------------

create function public.return_goods(p_id uuid, p_invoice_id uuid, p_location_id uuid, p_lines jsonb, p_reason text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_location record;
  v_org_id uuid;
  v_date date;
begin
  select l.branch_id, l.archived_at, b.timezone into v_location
  from public.locations l join public.branches b on b.org_id = l.org_id and b.id = l.branch_id
  where l.org_id in (select private.org_of('public.locations', p_location_id)) and l.id = p_location_id;
  v_org_id := private.authorize_branch('sale.return', v_location.branch_id);
  if p_reason is null or length(btrim(p_reason)) not between 1 and 500 then
    perform private.fail(400, 'invalid_input', 'Say why the goods come back, in 1 to 500 characters.',
      '{"field": "p_reason"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'return_goods',
    jsonb_build_array(p_invoice_id, p_location_id, p_lines, p_reason)) then
    if v_location.archived_at is not null then
      perform private.fail(404, 'not_found', 'There is no such location.', '{"field": "p_location_id"}');
    end if;
    -- Two returns of one invoice come after one another, so that together they bring no more than was sold.
    perform from public.invoices where org_id = v_org_id and id = p_invoice_id for no key update;
    if not found then
      perform private.fail(404, 'not_found', 'There is no such invoice.', '{"field": "p_invoice_id"}');
    end if;
    perform private.refuse_excess(v_org_id, p_invoice_id, p_lines);
    v_date := (now() at time zone v_location.timezone)::date;
    perform private.assert_period_open(v_org_id, v_date);
    perform private.take_back(v_org_id, p_id, p_invoice_id, p_location_id, p_lines, p_reason, now(), v_date);
  end if;
  return private.goods_return_json(v_org_id, p_id);
end;
$$;

comment on function public.return_goods(uuid, uuid, uuid, jsonb, text) is
'Takes sold goods back into stock, at what they were worth when they left; a set comes back as its components. p_id: the
client''s uuid. p_invoice_id: where they were sold. p_location_id: where they go. p_lines: [{"line_no" (of the invoice),
"quantity" (in the line''s unit), "serials"? (of numbered pieces), "disposition"? (restock, which is the default;
repair: to the branch''s quarantine; scrap: written off)}], each line once. p_reason: 1 to 500 characters. Returns the
goods return as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 period_closed,
id_reused, serial_in_stock; 422 return_exceeds_sale, serials_required, no_quarantine, branch_archived. Permission:
sale.return at the location''s branch.';
revoke execute on function public.return_goods(uuid, uuid, uuid, jsonb, text) from public, anon;
grant execute on function public.return_goods(uuid, uuid, uuid, jsonb, text) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on public.goods_returns
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.goods_returns for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.goods_return_lines
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.goods_return_lines for each statement
  execute function audit.refuse_change();
select audit.attach('public.goods_returns');
select audit.attach('public.goods_return_lines', 'goods_return_id', 'line_no');

-- Policies ----------------------------------------------------------------------------------------

alter table public.goods_returns enable row level security;
create policy "Who holds invoice.read reads the goods returns of his branches" on public.goods_returns for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.goods_return_lines enable row level security;
create policy "Who holds invoice.read reads return lines of his branches" on public.goods_return_lines
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.goods_returns, public.goods_return_lines to authenticated;
