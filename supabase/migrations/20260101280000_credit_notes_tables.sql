-- Credit notes: what was invoiced too much, because goods came back or were not worth it, at the price and the tax as
-- sold.

select private.add_permissions('[
  {"code": "refund.create", "description": "Pay a customer''s credit back", "roles": []},
  {"code": "credit_note.create", "description": "Issue credit notes and exchange goods",
   "roles": ["sales_executive"]},
  {"code": "credit_note.same_day", "description": "Void a counter sale on its own day",
   "roles": ["cashier", "sales_executive"]}
]');
select private.add_document_kind('credit_note', 'credit notes', 'C');
select private.add_document_kind('refund', 'refunds', 'F');

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('invoice', 'partially_paid', 'void', 'credit_note.same_day'),
  ('invoice', 'paid', 'void', 'credit_note.same_day'),
  ('credit_agreement', 'active', 'cancelled', 'credit_note.same_day'),
  ('credit_agreement', 'defaulted', 'cancelled', 'credit_note.same_day'),
  ('credit_agreement', 'completed', 'cancelled', 'credit_note.same_day');

-- Tables ------------------------------------------------------------------------------------------

create table public.credit_notes (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  invoice_id uuid not null,
  customer_id uuid,
  goods_return_id uuid,
  number text not null check (length(number) <= 16),
  reason text not null check (length(btrim(reason)) between 1 and 500),
  voids boolean not null,
  issued_at timestamptz not null,
  business_date date not null,
  currency text not null,
  subtotal numeric(14, 2) not null check (subtotal >= 0),
  discount numeric(14, 2) not null check (discount >= 0),
  tax numeric(14, 2) not null check (tax >= 0),
  round_off numeric(8, 2) not null,
  total numeric(14, 2) not null check (total >= 0),
  created_at timestamptz not null default now(),
  order_event bigint not null default nextval('private.order_event'),
  created_by uuid not null,
  request_id text default private.request_id(),
  unique (branch_id, org_id, number),
  unique (goods_return_id, org_id),
  unique (id, org_id, branch_id),
  foreign key (org_id, invoice_id) references public.invoices (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  foreign key (org_id, goods_return_id) references public.goods_returns (org_id, id),
  check (total = subtotal + tax + round_off)
);

-- Key after list, as invoices have it: a look-up by the key takes the newer of two that look alike.
create index on public.credit_notes (org_id, issued_at desc, id desc);
alter table public.credit_notes add primary key (org_id, id);

comment on table public.credit_notes is
'Credit notes (CGST Act 2017, section 34(1)), append-only. Seller, buyer and place of supply are the invoice''s.
branch_id: the invoice''s. goods_return_id: the return of the goods, null when nothing came back. voids: it takes the
whole invoice back on its own day, and the invoice is void: registers of supplies count both or neither. order_event:
its place among what happened to an order, to tell whether the goods left before. Amounts in currency.';

create table public.credit_note_lines (
  org_id uuid not null,
  credit_note_id uuid not null,
  invoice_id uuid not null,
  line_no integer not null,
  branch_id uuid not null,
  variant_id uuid not null,
  sku text not null,
  description text not null,
  hsn_code text,
  unit text not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  base_quantity numeric(14, 3) not null check (base_quantity >= 0),
  set_items jsonb,
  serials text[],
  disposition text not null check (disposition in ('restock', 'scrap', 'repair', 'none')),
  unit_price numeric(14, 2) not null check (unit_price >= 0),
  list_price numeric(14, 2),
  price_list text,
  price_includes_tax boolean not null,
  discount numeric(14, 2) not null check (discount >= 0),
  document_discount numeric(14, 2) not null default 0 check (document_discount >= 0),
  taxable numeric(14, 2) not null check (taxable >= 0),
  tax_kind text not null,
  tax_rate numeric(6, 3) not null check (tax_rate between 0 and 100),
  taxes jsonb not null,
  tax numeric(14, 2) not null check (tax >= 0),
  total numeric(14, 2) not null generated always as (taxable + tax) stored,
  primary key (org_id, credit_note_id, line_no),
  foreign key (org_id, credit_note_id, branch_id) references public.credit_notes (org_id, id, branch_id),
  foreign key (org_id, invoice_id, line_no) references public.invoice_lines (org_id, invoice_id, line_no),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.credit_note_lines is
'What was credited of an invoice''s line, in proportion to the quantity, with names, prices and rates as sold; line_no
is the invoice''s. All credit notes of a line that was credited whole sum to exactly the line. disposition: what became
of the goods; none: nothing came back.';

create table public.credit_note_allocations (
  org_id uuid not null,
  credit_note_id uuid not null,
  invoice_id uuid not null,
  entry integer not null default 1 check (entry > 0),
  branch_id uuid not null,
  amount numeric(14, 2) not null check (amount <> 0),
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  request_id text default private.request_id(),
  primary key (org_id, invoice_id, credit_note_id, entry),
  foreign key (org_id, credit_note_id) references public.credit_notes (org_id, id),
  foreign key (org_id, invoice_id, branch_id) references public.invoices (org_id, id, branch_id)
);

comment on table public.credit_note_allocations is
'Which credit note settles how much of which invoice: append-only entries whose sum counts; one that is taken back is
followed by its negative. branch_id: the invoice''s, for the policy.';

alter table public.refund_sources
  add foreign key (org_id, credit_note_id) references public.credit_notes (org_id, id);
alter table private.money_held
  add foreign key (org_id, credit_note_id) references public.credit_notes (org_id, id);

-- Indexes -----------------------------------------------------------------------------------------

create index on public.credit_notes (branch_id, issued_at desc);
-- Not led by org_id, as the keys are: of two indexes that begin alike a kept plan may take the wrong one.
create index on public.credit_notes (invoice_id);
create index on public.credit_notes (customer_id, business_date) where customer_id is not null;
create index on public.credit_note_lines (invoice_id, line_no, org_id);
create index on public.credit_note_lines (variant_id, org_id);
create index on public.credit_note_allocations (credit_note_id);
create index on public.credit_note_allocations (branch_id, created_at);

-- The lines ---------------------------------------------------------------------------------------

select private.declare_shape('credited_lines',
  '{"line_no": "line!*", "quantity": "quantity!", "serials": "serials", "disposition": ["restock", "scrap",
    "repair", "none"]}',
  array['issue_credit_note.p_lines', 'post_exchange.p_return_lines'], '{1, 2000}');

create function private.credit_asked(p_org_id uuid, p_invoice_id uuid, p_lines jsonb, p_goods_return_id uuid)
returns table (line_no integer, quantity numeric, serials text[], disposition text)
language plpgsql stable
set search_path = ''
as $$
begin
  if p_lines is null then
    return query
    select l.line_no, case when p_goods_return_id is null then l.quantity - coalesce((
        select sum(c.quantity) from public.credit_note_lines c
        where c.org_id = l.org_id and c.invoice_id = l.invoice_id and c.line_no = l.line_no), 0) else r.quantity end,
      r.serials, r.disposition
    from public.invoice_lines l
    left join public.goods_return_lines r
      on r.org_id = l.org_id and r.goods_return_id = p_goods_return_id and r.line_no = l.line_no
    where l.org_id = p_org_id and l.invoice_id = p_invoice_id and (p_goods_return_id is null or r.line_no is not null);
    return;
  end if;
  return query
  select n.line_no, n.quantity, private.texts(n.line -> 'serials'), n.line ->> 'disposition'
  from private.named_lines('credited_lines', p_lines) n;
end;
$$;

comment on function private.credit_asked(uuid, uuid, jsonb, uuid) is
'What is to be credited of an invoice. p_lines: [{"line_no", "quantity", "serials"?, "disposition"?}]; null: what the
goods return brought, or without one everything that is left. Errors: 400 invalid_input.';

create function private.refuse_credit(p_org_id uuid, p_invoice_id uuid, p_lines jsonb,
  p_goods_return_id uuid) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_bad record;
begin
  if not exists (
    select from private.credit_asked(p_org_id, p_invoice_id, p_lines, p_goods_return_id) a where a.quantity > 0) then
    perform private.fail(422, 'credit_exceeds_sale', 'All of this invoice was credited before.',
      jsonb_build_object('invoice_id', p_invoice_id));
  end if;
  select a.line_no, l.sku, l.quantity as sold, a.quantity as asked, c.credited, r.returned,
    a.quantity <> round(a.quantity, u.decimals) or private.base_part(l.base_quantity, l.quantity, c.credited,
      c.credited + a.quantity, b.decimals) is null as too_fine
  into v_bad
  from private.credit_asked(p_org_id, p_invoice_id, p_lines, p_goods_return_id) a
  left join public.invoice_lines l on l.org_id = p_org_id and l.invoice_id = p_invoice_id and l.line_no = a.line_no
  left join public.units u on u.code = l.unit
  left join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
  left join public.products p on p.org_id = v.org_id and p.id = v.product_id
  left join public.units b on b.code = p.unit_code
  cross join lateral (
    select coalesce(sum(x.quantity), 0) as credited from public.credit_note_lines x
    where x.org_id = p_org_id and x.invoice_id = p_invoice_id and x.line_no = a.line_no) c
  cross join lateral (
    select coalesce(sum(x.quantity), 0) as returned from public.goods_return_lines x
    where x.org_id = p_org_id and x.goods_return_id = p_goods_return_id and x.line_no = a.line_no) r
  where l.sku is null or c.credited + a.quantity > l.quantity or a.quantity <> round(a.quantity, u.decimals)
    or private.base_part(l.base_quantity, l.quantity, c.credited, c.credited + a.quantity, b.decimals) is null
    or (p_goods_return_id is not null and a.disposition is distinct from 'none' and a.quantity > r.returned)
  order by a.line_no limit 1;
  if v_bad.line_no is null then
    return;
  elsif v_bad.sku is null then
    perform private.fail(404, 'not_found', format('The invoice has no line %s.', v_bad.line_no),
      jsonb_build_object('line_no', v_bad.line_no));
  elsif v_bad.too_fine then
    perform private.fail(400, 'invalid_input', format('%s is not credited in fractions so small.', v_bad.sku),
      jsonb_build_object('field', 'p_lines', 'line_no', v_bad.line_no, 'sku', v_bad.sku));
  elsif v_bad.asked + v_bad.credited > v_bad.sold then
    perform private.fail(422, 'credit_exceeds_sale', format('Of %s, %s were sold and %s are credited.', v_bad.sku,
      trim_scale(v_bad.sold), trim_scale(v_bad.credited)),
        jsonb_build_object('line_no', v_bad.line_no, 'sku', v_bad.sku,
      'sold', v_bad.sold, 'credited', v_bad.credited, 'asked', v_bad.asked));
  end if;
  perform private.fail(422, 'return_exceeds_sale', format('Of %s, fewer came back with this return.', v_bad.sku),
    jsonb_build_object('line_no', v_bad.line_no, 'sku', v_bad.sku, 'returned', v_bad.returned, 'asked', v_bad.asked));
end;
$$;

comment on function private.refuse_credit(uuid, uuid, jsonb, uuid) is
'No more is credited than was sold, over all credit notes of an invoice, line by line; with a goods return no more than
it brought, but for lines whose disposition is none. Under the invoice''s lock. Errors: 404 not_found, 400
invalid_input, 422 credit_exceeds_sale, return_exceeds_sale.';

create function private.credit_lines(p_org_id uuid, p_invoice_id uuid, p_lines jsonb,
  p_goods_return_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    with asked as (
      select a.line_no, a.quantity, a.serials, case when p.kind = 'service' then 'none'
        else coalesce(a.disposition, 'restock') end as disposition, l as line, l.quantity as sold, u.decimals
      from private.credit_asked(p_org_id, p_invoice_id, p_lines, p_goods_return_id) a
      join public.invoice_lines l on l.org_id = p_org_id and l.invoice_id = p_invoice_id and l.line_no = a.line_no
      join public.product_variants v on v.org_id = l.org_id and v.id = l.variant_id
      join public.products p on p.org_id = v.org_id and p.id = v.product_id
      join public.units u on u.code = p.unit_code
      where a.quantity > 0
    ), measured as (
      -- Each amount is the line's share of all that is credited by now, rounded, less what was credited before: so all
      -- shares of a line sum to the line, whatever the steps.
      select a.*, b.quantity as before, b.quantity + a.quantity as by_now, b.discount as discount_before,
        b.document_discount as document_discount_before, b.taxable as taxable_before, g.returned, g.serials
          as serials_returned
      from asked a
      cross join lateral (
        select coalesce(sum(c.quantity), 0) as quantity, coalesce(sum(c.discount), 0) as discount,
          coalesce(sum(c.document_discount), 0) as document_discount,
          coalesce(sum(c.taxable), 0) as taxable
        from public.credit_note_lines c
        where c.org_id = p_org_id and c.invoice_id = p_invoice_id and c.line_no = a.line_no) b
      cross join lateral (
        select coalesce(sum(r.quantity), 0) as returned, (
          select array_agg(s) from public.goods_return_lines x, unnest(x.serials) s
          where x.org_id = p_org_id and x.invoice_id = p_invoice_id and x.line_no = a.line_no) as serials
        from public.goods_return_lines r
        where r.org_id = p_org_id and r.invoice_id = p_invoice_id and r.line_no = a.line_no) g
    ), taxed as (
      select m.*, t.taxes, t.tax
      from measured m
      cross join lateral (
        select coalesce(jsonb_agg(e.component || jsonb_build_object('amount', e.amount) order by e.place), '[]')
          as taxes,
          coalesce(sum(e.amount), 0.00) as tax
        from (
          select c.component, c.place, round((c.component ->> 'amount')::numeric * m.by_now / m.sold, 2) - coalesce((
            select sum((b.component ->> 'amount')::numeric)
            from public.credit_note_lines n, jsonb_array_elements(n.taxes) with ordinality b (component, place)
            where n.org_id = p_org_id and n.invoice_id = p_invoice_id and n.line_no = m.line_no and b.place = c.place),
              0) as amount
          from jsonb_array_elements((m.line).taxes) with ordinality c (component, place)) e) t
    )
    select jsonb_agg(to_jsonb(t.line) - 'org_id' - 'invoice_id' - 'branch_id' - 'total' || jsonb_build_object(
      'quantity', t.quantity, 'base_quantity', private.base_part((t.line).base_quantity, t.sold, t.before, t.by_now,
        t.decimals)::numeric(14, 3),
      'set_items', (
        select jsonb_agg(c || jsonb_build_object('quantity',
          private.base_part((c ->> 'quantity')::numeric, t.sold, t.before, t.by_now, 3)))
        from jsonb_array_elements((t.line).set_items) c),
      -- When all that is left comes back, its numbers are known.
      'serials', case when t.serials is not null then to_jsonb(t.serials)
        when t.disposition <> 'none' and (t.line).serials is not null and t.quantity = t.sold - t.returned then (
          select jsonb_agg(s) from unnest((t.line).serials) s where s <> all (coalesce(t.serials_returned, '{}'))) end,
      'disposition', t.disposition, 'discount', round((t.line).discount * t.by_now / t.sold, 2) - t.discount_before,
      'document_discount', round((t.line).document_discount * t.by_now / t.sold, 2) - t.document_discount_before,
      'taxable', round((t.line).taxable * t.by_now / t.sold, 2) - t.taxable_before, 'taxes', t.taxes, 'tax', t.tax)
      order by t.line_no)
    from taxed t);
end;
$$;

comment on function private.credit_lines(uuid, uuid, jsonb, uuid) is
'The lines of a credit note, priced and taxed as sold, in proportion; parameters as private.credit_asked''s, after
private.refuse_credit. Services come back nowhere: their disposition is none.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on public.credit_notes for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.credit_notes for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.credit_note_lines
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.credit_note_lines for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.credit_note_allocations
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.credit_note_allocations
  for each statement execute function audit.refuse_change();
select audit.attach('public.credit_notes');
select audit.attach('public.credit_note_lines', 'credit_note_id', 'line_no');
select audit.attach('public.credit_note_allocations', 'credit_note_id', 'invoice_id', 'entry');

-- Policies ----------------------------------------------------------------------------------------

alter table public.credit_notes enable row level security;
create policy "Who holds invoice.read reads credit notes of his branches" on public.credit_notes for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.credit_note_lines enable row level security;
create policy "Who holds invoice.read reads credit lines of his branches" on public.credit_note_lines
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.credit_note_allocations enable row level security;
create policy "Who holds invoice.read reads credits on his invoices" on public.credit_note_allocations
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.credit_notes, public.credit_note_lines, public.credit_note_allocations to authenticated;
