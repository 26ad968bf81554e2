-- Invoices and payments: what was sold, and what was paid for it.

select private.add_permissions('[
  {"code": "invoice.read", "description": "Read invoices and payments", "roles": ["cashier", "sales_executive"]},
  {"code": "invoice.create", "description": "Write invoices without a counter sale",
   "roles": ["cashier", "sales_executive"]},
  {"code": "invoice.void", "description": "Void an invoice that nothing was paid on", "roles": []},
  {"code": "payment.record", "description": "Record payments and allocate them to invoices",
   "roles": ["cashier", "sales_executive"]},
  {"code": "payment.reverse", "description": "Reverse a payment, such as a bounced cheque, or take it off an invoice",
   "roles": []}
]');
select private.add_document_kind('invoice', 'invoices', '', true);

-- Tables ------------------------------------------------------------------------------------------

create table public.payment_methods (
  code text primary key check (code ~ '^[a-z_]{2,20}$'),
  name text not null,
  gives_change boolean not null default false,
  is_money boolean not null default true
);

comment on table public.payment_methods is 'How one can pay. gives_change: more may be handed over than is due.
is_money: false for what pays a debt without money coming in, such as points: no revenue.';

insert into public.payment_methods (code, name, gives_change) values
  ('cash', 'Cash', true), ('card', 'Card', false), ('upi', 'UPI', false), ('bank_transfer', 'Bank transfer', false),
  ('cheque', 'Cheque', false), ('wallet', 'Wallet', false);

create table public.invoices (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  location_id uuid,
  customer_id uuid,
  order_id uuid,
  delivery_id uuid,
  number text check (length(number) <= 16),
  status text not null check (status in ('draft', 'sent', 'partially_paid', 'paid', 'void')),
  issued_at timestamptz not null,
  business_date date not null,
  due_date date check (isfinite(due_date)),
  currency text not null,
  tax_regime text not null,
  supply_type text not null check (supply_type in ('intra_state', 'inter_state', 'sez', 'domestic', 'intra_community',
    'export',
    'untaxed')),
  place_of_supply text not null,
  place_of_supply_name text not null,
  reverse_charge boolean not null default false,
  seller jsonb not null,
  buyer jsonb,
  ship_to jsonb,
  subtotal numeric(14, 2) not null check (subtotal >= 0),
  discount numeric(14, 2) not null check (discount >= 0),
  document_discount numeric(14, 2) not null default 0 check (document_discount >= 0),
  document_discount_percent numeric(6, 3) check (document_discount_percent > 0 and document_discount_percent <= 100),
  tax numeric(14, 2) not null check (tax >= 0),
  round_off numeric(8, 2) not null,
  total numeric(14, 2) not null check (total >= 0),
  paid numeric(14, 2) not null default 0 check (paid >= 0),
  credited numeric(14, 2) not null default 0 check (credited >= 0),
  balance numeric(14, 2) not null generated always as (
    case when status in ('draft', 'void') then 0 else total - paid - credited end) stored,
  reopened_at timestamptz,
  counter_sale boolean not null default false,
  note text check (length(note) <= 2000),
  reference text check (length(reference) <= 100),
  terms text,
  void_reason text check (length(btrim(void_reason)) between 1 and 500),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  -- Branch first: as a second index that begins with org_id it was taken for look-ups by id while the table was small.
  unique (branch_id, org_id, number),
  -- For look-ups by the id alone, and for the lines and allocations, whose branch is the invoice's.
  unique (id, org_id, branch_id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  check (total = subtotal + tax + round_off),
  constraint issued_has_a_number check (number is not null or status in ('draft', 'void')),
  constraint paid_within_total check (paid + credited <= total),
  constraint status_follows_money check (case status when 'draft' then paid + credited = 0
    when 'sent' then paid + credited = 0 and total > 0 when 'partially_paid' then paid + credited > 0
      and paid + credited < total
    when 'paid' then paid + credited = total else paid = 0 and credited in (0, total) end),
  constraint debt_needs_a_name check (
    customer_id is not null or status in ('draft', 'void') or paid + credited = total or reopened_at is not null)
);

-- The index of the list comes before the key, here and below: while nothing is known of a table both look alike to a
-- look-up by the key, and then the planner takes the newer one.
create index on public.invoices (org_id, issued_at desc, id desc);
alter table public.invoices add primary key (org_id, id);

comment on table public.invoices is
'Tax invoices. Seller, buyer and terms are kept as they were on the day. ship_to: where the goods were brought, as
private.ship_to has it (CGST Rules 2017, rule 46(e) and (o)); null for the buyer''s own address and over the counter.
subtotal: taxable value after discounts; discount: already taken off; document_discount: what of it was given on the
whole document and is spread over its lines, document_discount_percent: where it was given in percent; location_id:
where the goods stood, null where there were none; total = subtotal + tax + round_off, in currency. number: null while
it is a draft. due_date: when it is to be paid, null for at once. paid: sum of its allocations; credited: sum of the
credit notes applied to it; balance: what is still owed, nothing on a draft or a void one. reverse_charge: the buyer
pays the tax himself. reopened_at: when it was last open again after it had been paid in full. void_reason: why it is
void; of a counter sale its credit note says so.';

-- The line of a document: quotations, orders, deliveries, invoices and credit notes have the same columns.

create table private.document_line (
  line_no integer not null check (line_no > 0),
  variant_id uuid not null,
  sku text not null,
  description text not null,
  hsn_code text,
  unit text not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  base_quantity numeric(14, 3) not null check (base_quantity >= 0),
  set_items jsonb,
  serials text[],
  unit_price numeric(14, 2) not null check (unit_price >= 0),
  list_price numeric(14, 2) not null check (list_price >= 0),
  price_list text,
  price_includes_tax boolean not null,
  discount numeric(14, 2) not null check (discount >= 0),
  document_discount numeric(14, 2) not null default 0 check (document_discount >= 0),
  taxable numeric(14, 2) not null check (taxable >= 0),
  tax_kind text not null
    check (tax_kind in ('taxable', 'nil_rated', 'exempt', 'non_gst', 'zero_rated', 'reverse_charge', 'untaxed')),
  tax_rate numeric(6, 3) not null check (tax_rate between 0 and 100),
  taxes jsonb not null,
  tax numeric(14, 2) not null check (tax >= 0),
  total numeric(14, 2) not null generated always as (taxable + tax) stored,
  offers jsonb not null default '[]' check (jsonb_typeof(offers) = 'array')
);

comment on table private.document_line is
'The columns that the lines of all documents have, and nothing else: a table of lines is made like it, with the
document''s key before it. Holds no rows. quantity: in the line''s unit; base_quantity: in the product''s own.
set_items: of a set, what it consists of, for the whole line. Prices and amounts in the document''s currency; taxable
after discounts. offers: which promotions were given.';

alter table private.document_line enable row level security;

create function private.write_lines(p_table regclass, p_keys jsonb, p_lines jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_columns text := (
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_catalog.pg_attribute a
    where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = '');
begin
  execute format('insert into %1$s (%2$s) select %2$s from jsonb_populate_recordset(null::%1$s, $1)', p_table,
    v_columns)
  using (select jsonb_agg(l || p_keys) from jsonb_array_elements(p_lines) l);
end;
$$;

comment on function private.write_lines(regclass, jsonb, jsonb) is
'Writes the lines of a document. p_table: where they are kept, made like private.document_line; p_keys: the columns
that all of them share, such as org_id and the document''s id; p_lines: as private.price_sale returns them, with what
else the table keeps. No errors.';

create function private.line_json(p_line anyelement) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return to_jsonb(jsonb_populate_record(null::private.document_line, to_jsonb(p_line)));
end;
$$;

comment on function private.line_json(anyelement) is
'A line as clients and documents see it, whichever table it is kept in: the columns of private.document_line. No
errors.';

create table public.invoice_lines (
  org_id uuid not null,
  invoice_id uuid not null,
  line_no integer not null check (line_no > 0),
  branch_id uuid not null,
  variant_id uuid not null,
  sku text not null,
  description text not null,
  hsn_code text,
  unit text not null,
  quantity numeric(14, 3) not null check (quantity > 0),
  base_quantity numeric(14, 3) not null check (base_quantity > 0),
  set_items jsonb,
  serials text[],
  unit_price numeric(14, 2) not null check (unit_price >= 0),
  list_price numeric(14, 2) not null check (list_price >= 0),
  price_list text,
  price_includes_tax boolean not null,
  discount numeric(14, 2) not null check (discount >= 0),
  document_discount numeric(14, 2) not null default 0 check (document_discount >= 0),
  taxable numeric(14, 2) not null check (taxable >= 0),
  tax_kind text not null check (tax_kind in ('taxable', 'nil_rated', 'exempt', 'non_gst', 'zero_rated',
    'reverse_charge', 'untaxed')),
  tax_rate numeric(6, 3) not null check (tax_rate between 0 and 100),
  taxes jsonb not null,
  tax numeric(14, 2) not null check (tax >= 0),
  total numeric(14, 2) not null generated always as (taxable + tax) stored,
  offers jsonb not null default '[]' check (jsonb_typeof(offers) = 'array'),
  primary key (org_id, invoice_id, line_no),
  foreign key (org_id, invoice_id, branch_id) references public.invoices (org_id, id, branch_id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.invoice_lines is
'What was sold, with names, prices and rates as they were. quantity: in unit; base_quantity: in the product''s own unit.
set_items: what a set stood for, [{"variant_id", "sku", "name", "quantity"}], quantities for the whole line. serials:
the numbers of the pieces. unit_price: per unit; list_price: what the catalogue asked, by the price list named in
price_list or else by the variant; discount: off the line, by hand, by offers and as its share of the document''s
discount (document_discount); taxes: [{"component",
"rate", "amount"}], rates in percent; offers: [{"promotion_id", "name", "amount", "coupon"?}], what promotions gave of
the discount. Amounts in the invoice''s currency.';

create table public.payments (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  customer_id uuid,
  order_id uuid,
  number text check (length(number) <= 16),
  method text not null references public.payment_methods (code),
  amount numeric(14, 2) not null check (amount > 0),
  tendered numeric(14, 2) not null check (tendered >= amount),
  change numeric(14, 2) not null generated always as (tendered - amount) stored,
  reference text check (length(reference) <= 100),
  note text check (length(note) <= 2000),
  received_at timestamptz not null,
  business_date date not null,
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  unique (branch_id, org_id, number),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id)
);

create index on public.payments (org_id, received_at desc, id desc);
alter table public.payments add primary key (org_id, id);

comment on table public.payments is
'Money received. amount: what counts; tendered: what was handed over; change: what was given back. order_id: the sales
order it was an advance on. number: of the receipt voucher (CGST Act 2017, section 31(3)(d)); null for what was paid
with a counter sale, whose invoice is the receipt.';

create table public.payment_allocations (
  org_id uuid not null,
  payment_id uuid not null,
  invoice_id uuid not null,
  entry integer not null default 1 check (entry > 0),
  branch_id uuid not null,
  amount numeric(14, 2) not null check (amount <> 0),
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  request_id text default private.request_id(),
  primary key (org_id, invoice_id, payment_id, entry),
  foreign key (org_id, payment_id) references public.payments (org_id, id),
  foreign key (org_id, invoice_id, branch_id) references public.invoices (org_id, id, branch_id)
);

comment on table public.payment_allocations is
'Which payment settles how much of which invoice: append-only entries whose sum counts. entry: 1, 2, ... of this payment
on this invoice; a reversal is the negative. branch_id: the invoice''s, for the policy.';

-- Whether an order's goods left before they were invoiced, or credited, decides what is owed of them: it is the order
-- in which these were written, and a clock may be set back. Deliveries and credit notes have such a number, too.
create sequence private.order_event;
alter table public.invoices add column order_event bigint;
comment on column public.invoices.order_event is
'Its place among what happened to the order, of an order''s invoice: what private.order_standing goes by.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.invoice_lines (variant_id, org_id);
create index on public.invoices (branch_id, issued_at desc);
create index on public.invoices (org_id, customer_id) where balance > 0;
create index on public.invoices (org_id, order_id) where order_id is not null;
create index on public.payments (branch_id, received_at desc);
create index on public.payments (customer_id, business_date) where customer_id is not null;
create index on public.payments (org_id, order_id) where order_id is not null;
create index on public.payment_allocations (org_id, payment_id);
create index on public.payment_allocations (branch_id, created_at);

-- Triggers ----------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('invoice', 'new', 'draft', 'invoice.create'),
  ('invoice', 'draft', 'sent', 'invoice.create'),
  ('invoice', 'draft', 'void', 'invoice.create'),
  ('invoice', 'sent', 'partially_paid', 'payment.record'),
  ('invoice', 'sent', 'paid', 'payment.record'),
  ('invoice', 'sent', 'void', 'invoice.void'),
  ('invoice', 'partially_paid', 'paid', 'payment.record'),
  ('invoice', 'partially_paid', 'sent', 'payment.reverse'),
  ('invoice', 'paid', 'partially_paid', 'payment.reverse'),
  ('invoice', 'paid', 'sent', 'payment.reverse');

create trigger t40_enforce_lifecycle before insert or update or delete on public.invoices
  for each row execute function private.enforce_lifecycle('invoice', 'status', 'paid', 'credited', 'balance',
    'reopened_at', 'void_reason');
create trigger t10_keep_issued_lines before update or delete on public.invoice_lines
  for each row execute function private.keep_issued_lines('invoices', 'invoice_id');
create trigger t10_refuse_change before update or delete on public.payments
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.payment_allocations
  for each row execute function audit.refuse_change();

create trigger t10_refuse_change_truncate before truncate on public.invoices for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.invoice_lines for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.payments for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.payment_allocations
  for each statement execute function audit.refuse_change();

select audit.attach('public.invoices');
select audit.attach('public.invoice_lines', 'invoice_id', 'line_no');
select audit.attach('public.payments');
select audit.attach('public.payment_allocations', 'payment_id', 'invoice_id', 'entry');

-- Policies ----------------------------------------------------------------------------------------

alter table public.payment_methods enable row level security;
create policy "Anyone reads the payment methods" on public.payment_methods for select to anon, authenticated
  using (true);

alter table public.invoices enable row level security;
create policy "Who holds invoice.read reads the invoices of his branches" on public.invoices for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.invoice_lines enable row level security;
create policy "Who holds invoice.read reads the invoice lines of his branches" on public.invoice_lines
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.payments enable row level security;
create policy "Who holds invoice.read reads the payments of his branches" on public.payments for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

alter table public.payment_allocations enable row level security;
create policy "Who holds invoice.read reads what was paid at his branches" on public.payment_allocations
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.payment_methods to anon, authenticated;
grant select on public.invoices, public.invoice_lines, public.payments, public.payment_allocations to authenticated;

-- Reading one -------------------------------------------------------------------------------------

create function private.tax_summary(p_lines jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    with parts as (
      -- A row per line and component, or per line that has none; a line's own sums count on the first of its rows.
      select l ->> 'hsn_code' as hsn_code, l ->> 'tax_kind' as tax_kind, (l ->> 'tax_rate')::numeric as tax_rate,
        t.c ->> 'component' as component, (t.c ->> 'rate')::numeric as rate, (t.c ->> 'per_unit')::numeric as per_unit,
        sum((t.c ->> 'amount')::numeric) as amount, min(t.place) as place,
        sum((l ->> 'taxable')::numeric) filter (where t.place is null or t.place = 1) as taxable,
        sum((l ->> 'tax')::numeric) filter (where t.place is null or t.place = 1) as tax
      from jsonb_array_elements(p_lines) l
      left join lateral jsonb_array_elements(l -> 'taxes') with ordinality t (c, place) on true
      group by 1, 2, 3, 4, 5, 6
    ), rows as (
      select hsn_code, tax_kind, tax_rate, sum(taxable) as taxable, sum(tax) as tax,
        coalesce(jsonb_agg(jsonb_build_object('component', component, 'rate', rate, 'amount', amount)
          || case when per_unit is null then '{}' else jsonb_build_object('per_unit', per_unit) end
          order by place, component) filter (where place is not null), '[]') as taxes
      from parts group by 1, 2, 3
    )
    select coalesce(jsonb_agg(jsonb_build_object('hsn_code', r.hsn_code, 'tax_kind', r.tax_kind, 'tax_rate', r.tax_rate,
      'taxable', r.taxable, 'tax', r.tax, 'taxes', r.taxes) order by r.tax_rate desc, r.hsn_code, r.tax_kind), '[]')
    from rows r);
end;
$$;

comment on function private.tax_summary(jsonb) is
'Lines of a document summed by HSN code, kind and rate, as the tax table of an invoice shows them. p_lines: the JSON
lines.';

create function private.invoice_title(p_tax_regime text, p_lines jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_tax_regime in ('sales_tax', 'none') then 'Invoice'
    when p_tax_regime = 'gst' and not jsonb_path_exists(p_lines,
      '$[*].tax_kind ? (@ == "taxable" || @ == "zero_rated" || @ == "reverse_charge")') then 'Bill of Supply'
    else 'Tax Invoice' end;
end;
$$;

comment on function private.invoice_title(text, jsonb) is
'What an invoice is called. p_lines: its JSON lines. Under GST a supply of nothing but nil-rated and exempt goods, and
one under the composition scheme, is a bill of supply (CGST Act 2017, section 31(3)(c)). No errors.';

create function private.invoice_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    with lines as (
      select coalesce(jsonb_agg(to_jsonb(l) - 'org_id' - 'invoice_id' - 'branch_id' order by l.line_no), '[]') as list
      from public.invoice_lines l where l.org_id = p_org_id and l.invoice_id = p_id
    ), money as (
      select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'method', p.method, 'method_name', m.name, 'amount',
        a.amount,
          'tendered', a.amount + p.change, 'change', p.change, 'reference', p.reference, 'received_at', p.received_at)
          order by p.received_at, p.created_at, p.number, p.id), '[]') as list,
        coalesce(sum(a.amount + p.change), 0.00) as tendered, coalesce(sum(p.change), 0.00) as change_due
      from (
        select t.org_id, t.payment_id, sum(t.amount) as amount from public.payment_allocations t
        where t.org_id = p_org_id and t.invoice_id = p_id group by t.org_id, t.payment_id having sum(t.amount) <> 0) a
      cross join lateral (select * from public.payments t where t.org_id = a.org_id and t.id = a.payment_id limit 1) p
      join public.payment_methods m on m.code = p.method
    )
    select jsonb_build_object(
      'id', i.id, 'org_id', i.org_id, 'branch_id', i.branch_id, 'location_id', i.location_id, 'customer_id',
        i.customer_id,
      'title', private.invoice_title(i.tax_regime, l.list),
      'number', i.number, 'status', i.status, 'issued_at', i.issued_at, 'business_date', i.business_date,
      'due_date', i.due_date, 'order_id', i.order_id, 'delivery_id', i.delivery_id, 'timezone', b.timezone, 'currency',
        i.currency,
      'tax_regime', i.tax_regime, 'supply_type', i.supply_type,
      'place_of_supply', jsonb_build_object('code', i.place_of_supply, 'name', i.place_of_supply_name),
      'reverse_charge', i.reverse_charge, 'seller', i.seller, 'buyer', i.buyer, 'ship_to', i.ship_to, 'subtotal',
        i.subtotal,
      'discount', i.discount,
      'document_discount', i.document_discount, 'document_discount_percent', i.document_discount_percent,
      'tax', i.tax, 'round_off', i.round_off, 'total', i.total, 'paid', i.paid, 'credited', i.credited, 'balance',
        i.balance,
      'tendered', m.tendered, 'change_due', m.change_due, 'lines', l.list, 'tax_summary', private.tax_summary(l.list),
      'payments', m.list, 'credit_notes', (
        select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'number', c.number, 'date', c.business_date, 'total',
          c.total)
          order by c.issued_at, c.number), '[]')
        from public.credit_notes c where c.org_id = i.org_id and c.invoice_id = i.id), 'note', i.note, 'reference',
          i.reference,
          'terms', i.terms)
      || private.invoice_extras(i.org_id, i.id, case when i.status <> 'draft' then i.customer_id end, i.created_at)
      || case when i.status = 'void' then jsonb_build_object('void_reason', i.void_reason) else '{}' end
    from public.invoices i
    join public.branches b on b.org_id = i.org_id and b.id = i.branch_id
    cross join lines l cross join money m
    where i.org_id = p_org_id and i.id = p_id);
end;
$$;

comment on function private.invoice_json(uuid, uuid) is
'An invoice as clients and documents see it: header, lines, tax summary, payments (what of each still counts here),
points; of a void one void_reason. Null when there is none to be seen. Under GST a supply of nothing but nil-rated and
exempt goods, and one under the composition scheme, is a bill of supply (CGST Act 2017, section 31(3)(c)).';

create function public.get_invoice(p_id uuid) returns jsonb
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_invoice jsonb := (
    select private.invoice_json(i.org_id, i.id) from public.invoices i
    where i.id = p_id and i.org_id in (select private.org_of('public.invoices', p_id)) limit 1);
begin
  if v_invoice is null then
    perform private.fail(404, 'not_found', 'There is no such invoice, or it is not yours.',
      jsonb_build_object('id', p_id));
  end if;
  return v_invoice;
end;
$$;

comment on function public.get_invoice(uuid) is
'One invoice, whole, as post_sale returns it; points only to whoever holds customer.read. p_id: the invoice. Errors:
401, 404 not_found. Permission: invoice.read.';
revoke execute on function public.get_invoice(uuid) from public, anon;
grant execute on function public.get_invoice(uuid) to authenticated;
grant execute on function private.invoice_json(uuid, uuid), private.invoice_title(text, jsonb),
  private.tax_summary(jsonb)
  to authenticated;
