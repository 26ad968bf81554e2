-- Reports: what is owed, what sold, what came in. Each over the branches where the caller holds report.read, in their
-- local dates.

-- Input -------------------------------------------------------------------------------------------

create function private.report_branches(p_org_id uuid, p_branch_id uuid) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
begin
  if p_branch_id is not null and not exists (select from public.branches where org_id = p_org_id
    and id = p_branch_id) then
    perform private.fail(404, 'not_found', 'There is no such branch.', '{"field": "p_branch_id"}');
  end if;
  return private.customer_branches(p_org_id, 'report.read', p_branch_id);
end;
$$;

comment on function private.report_branches(uuid, uuid) is
'The branches of a report: p_branch_id, or null for all where the caller holds report.read; the report itself has
authorized. Errors: 404 not_found.';

create function private.check_day(p_day date) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if not isfinite(p_day) then
    perform private.fail(400, 'invalid_input', 'p_as_of is a day.', '{"field": "p_as_of"}');
  end if;
end;
$$;

comment on function private.check_day(date) is 'Is this a day, or null? Errors: 400 invalid_input.';

-- What is owed ------------------------------------------------------------------------------------

create function private.owed_by_customer(p_org_id uuid, p_branch_id uuid, p_as_of date)
returns table (customer_id uuid, customer text, invoices bigint, owed numeric, overdue numeric, oldest_due date,
  current_due numeric,
  days_1_30 numeric, days_31_60 numeric, days_61_90 numeric, over_90 numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_branches uuid[] := private.report_branches(p_org_id, p_branch_id);
begin
  perform private.check_day(p_as_of);
  return query
  select i.customer_id, c.name, count(distinct i.id), sum(i.balance),
    coalesce(sum(i.balance) filter (where i.due_date < i.as_of), 0.00),
    min(i.due_date), coalesce(sum(i.balance) filter (where a.age = 'current'), 0.00),
    coalesce(sum(i.balance) filter (where a.age = 'days_1_30'), 0.00),
    coalesce(sum(i.balance) filter (where a.age = 'days_31_60'), 0.00),
    coalesce(sum(i.balance) filter (where a.age = 'days_61_90'), 0.00),
    coalesce(sum(i.balance) filter (where a.age = 'over_90'), 0.00)
  from private.open_parts(p_org_id, v_branches, null, p_as_of) i
  cross join lateral private.age(i.due_date, i.as_of) a (age)
  left join public.customers c on c.org_id = p_org_id and c.id = i.customer_id
  group by i.customer_id, c.name;
end;
$$;

comment on function private.owed_by_customer(uuid, uuid, date) is
'What each customer owes and since when it has been due, for outstanding and ageing, whose parameters and errors these
are.';

create function public.outstanding(p_org_id uuid, p_branch_id uuid default null, p_as_of date default null)
returns table (customer_id uuid, customer text, invoices bigint, owed numeric, overdue numeric, oldest_due date)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  return query
  select o.customer_id, o.customer, o.invoices, o.owed, o.overdue, o.oldest_due
  from private.owed_by_customer(p_org_id, p_branch_id, p_as_of) o order by o.owed desc, o.customer, o.customer_id;
end;
$$;

comment on function public.outstanding(uuid, uuid, date) is
'What customers owe on their open invoices, the largest first. p_org_id; p_branch_id: of one branch, null for all that
the caller sees; p_as_of: at the end of that business date, null for now, by each branch''s own date. An invoice under
an agreement is due instalment by instalment. owed, overdue (due before that day): in the organisation''s currency;
invoices: how many; oldest_due: since when. customer_id null: counter sales that were paid once and are not any more.
Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found. Permission: report.read.';
revoke execute on function public.outstanding(uuid, uuid, date) from public, anon;
grant execute on function public.outstanding(uuid, uuid, date) to authenticated;

create function public.ageing(p_org_id uuid, p_branch_id uuid default null, p_as_of date default null)
returns table (customer_id uuid, customer text, current_due numeric, days_1_30 numeric, days_31_60 numeric,
  days_61_90 numeric,
  over_90 numeric, total numeric)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  return query
  select o.customer_id, o.customer, o.current_due, o.days_1_30, o.days_31_60, o.days_61_90, o.over_90, o.owed
  from private.owed_by_customer(p_org_id, p_branch_id, p_as_of) o order by o.owed desc, o.customer, o.customer_id;
end;
$$;

comment on function public.ageing(uuid, uuid, date) is
'What customers owe, by how long it has been due. Parameters as outstanding''s: p_org_id, p_branch_id, p_as_of.
current_due: not due yet, or due on the day itself; the others: days since the due date, which is the instalment''s, or
the invoice''s date where it has none; in the organisation''s currency. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found. Permission: report.read.';
revoke execute on function public.ageing(uuid, uuid, date) from public, anon;
grant execute on function public.ageing(uuid, uuid, date) to authenticated;

-- What came in ------------------------------------------------------------------------------------

create function private.money_moved(p_org_id uuid, p_branches uuid[], p_from date, p_to date)
returns table (branch_id uuid, day date, method text, user_id uuid, received numeric, reversed numeric,
  refunded numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_from timestamptz := private.first_instant(p_from);
  v_to timestamptz := private.last_instant(p_to);
begin
  return query
  select p.branch_id, p.business_date, p.method, p.created_by, p.amount, 0.00, 0.00
  from public.payments p
  where p.org_id = p_org_id and p.branch_id = any (p_branches) and p.received_at >= v_from and p.received_at < v_to
    and p.business_date between p_from and p_to
  union all
  select r.branch_id, r.business_date, p.method, r.created_by, 0.00, p.amount, 0.00
  from public.payment_reversals r
  join public.payments p on p.org_id = r.org_id and p.id = r.payment_id
  where r.org_id = p_org_id and r.branch_id = any (p_branches) and r.created_at >= v_from and r.created_at < v_to
    and r.business_date between p_from and p_to
  union all
  select f.branch_id, f.business_date, f.method, f.created_by, 0.00, 0.00, f.amount
  from public.refunds f
  where f.org_id = p_org_id and f.branch_id = any (p_branches) and f.refunded_at >= v_from and f.refunded_at < v_to
    and f.business_date between p_from and p_to;
end;
$$;

comment on function private.money_moved(uuid, uuid[], date, date) is
'Money received, reversed (such as a bounced cheque, on the day it bounced) and paid back, by branch, business date,
method and who did it. No errors.';

create function public.revenue(p_org_id uuid, p_from date, p_to date, p_by text default 'day', p_branch_id uuid
  default null)
returns table (key text, label text, payments bigint, received numeric, reversed numeric, refunded numeric,
  revenue numeric)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branches uuid[];
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  v_branches := private.report_branches(p_org_id, p_branch_id);
  perform private.check_range(p_from, p_to);
  perform private.check_choice(p_by, array['day', 'method', 'day_method', 'branch', 'user'], 'p_by');
  return query
  with sums as (
    select case p_by when 'day' then m.day::text when 'method' then m.method when 'day_method' then m.day || ' '
      || m.method
        when 'branch' then m.branch_id::text else m.user_id::text end as key,
      count(*) filter (where m.received > 0) as payments, sum(m.received) as received, sum(m.reversed) as reversed,
      sum(m.refunded) as refunded
    from private.money_moved(p_org_id, v_branches, p_from, p_to) m
    -- Points pay a debt, and no money comes in.
    join public.payment_methods y on y.code = m.method and y.is_money group by 1
  )
  select s.key, case p_by when 'day' then s.key
      when 'method' then (select t.name from public.payment_methods t where t.code = s.key)
      when 'day_method' then left(s.key, 10) || ', ' || (
        select t.name from public.payment_methods t where t.code = substr(s.key, 12))
      when 'branch' then (select b.name from public.branches b where b.org_id = p_org_id and b.id = s.key::uuid)
      else (select u.email::text from auth.users u where u.id = s.key::uuid) end,
    s.payments, s.received, s.reversed, s.refunded, s.received - s.reversed - s.refunded
  from sums s order by case when p_by in ('day', 'day_method') then s.key end,
    s.received - s.reversed - s.refunded desc, s.key;
end;
$$;

comment on function public.revenue(uuid, date, date, text, uuid) is
'Revenue: the sum of the payments of a period, less what was reversed and what was paid back in it, in the
organisation''s currency. p_org_id; p_from, p_to: first and last business date; p_by: day, method, day_method, branch or
user (who took or paid it), one row of each; p_branch_id: of one branch, null for all that the caller sees. key: the
day, the method''s code, both with a space between, the branch''s or user''s id; payments: how many. Errors: 400
invalid_input; 401; 403 permission_denied; 404 not_found. Permission: report.read.';
revoke execute on function public.revenue(uuid, date, date, text, uuid) from public, anon;
grant execute on function public.revenue(uuid, date, date, text, uuid) to authenticated;

-- What sold ---------------------------------------------------------------------------------------

create function private.sales_documents(p_org_id uuid, p_branches uuid[], p_from date, p_to date)
returns table (id uuid, branch_id uuid, day date, sign integer, goods_id uuid, order_id uuid, subtotal numeric,
  discount numeric,
  tax numeric, round_off numeric, total numeric)
language plpgsql stable rows 10000
set search_path = ''
as $$
declare
  v_from timestamptz := private.first_instant(p_from);
  v_to timestamptz := private.last_instant(p_to);
begin
  return query
  select i.id, i.branch_id, i.business_date, 1, case when i.order_id is null then i.id
    else coalesce(i.delivery_id, i.order_id) end,
    i.order_id, i.subtotal, i.discount, i.tax, i.round_off, i.total
  from public.invoices i
  where i.org_id = p_org_id and i.branch_id = any (p_branches) and i.issued_at >= v_from and i.issued_at < v_to
    and i.business_date between p_from and p_to and i.status not in ('draft', 'void')
  union all
  select c.id, c.branch_id, c.business_date, -1, c.goods_return_id, null, c.subtotal, c.discount, c.tax, c.round_off,
    c.total
  from public.credit_notes c
  where c.org_id = p_org_id and c.branch_id = any (p_branches) and c.issued_at >= v_from and c.issued_at < v_to
    and c.business_date between p_from and p_to and not c.voids;
end;
$$;

comment on function private.sales_documents(uuid, uuid[], date, date) is
'Invoices (sign 1) and credit notes (-1) of a period; neither drafts nor what was voided, nor the credit notes that
voided it. goods_id: what its goods moved with, as private.goods_cost names it: itself, the return, or of an invoice for
an order (order_id) the delivery that it names, else the order; null when none did. No errors.';

create function private.goods_cost(p_org_id uuid, p_documents uuid[], p_orders uuid[], p_variants uuid[] default null)
returns table (goods_id uuid, variant_id uuid, quantity numeric, cost numeric)
-- So many that what they are joined with is hashed, not searched again and again.
language plpgsql stable rows 100000
set search_path = ''
as $$
begin
  return query
  select m.document_id, m.variant_id, sum(m.quantity), sum(m.quantity * m.unit_cost)
  from public.stock_movements m
  join public.locations t on t.org_id = m.org_id and t.id = m.to_location_id
  where m.org_id = p_org_id and m.document_id = any (p_documents)
    and (p_variants is null or m.variant_id = any (p_variants))
    -- What came back for the scrap has cost what it cost.
    and (m.document = 'invoice' or (m.document = 'goods_return' and t.holds_stock))
  group by m.document_id, m.variant_id;
  if cardinality(p_orders) = 0 then
    return;
  end if;
  return query
  with invoiced as (
    select coalesce(i.delivery_id, i.order_id) as goods_id, g.variant_id, sum(g.quantity) as quantity
    from public.invoices i
    join public.invoice_lines l on l.org_id = i.org_id and l.invoice_id = i.id
    cross join lateral private.line_goods(l.variant_id, l.base_quantity, l.set_items) g
    where i.org_id = p_org_id and i.order_id = any (p_orders) and i.status not in ('draft', 'void') group by 1, 2
  ), delivered as (
    select case when exists (select from invoiced i where i.goods_id = d.id) then d.id else d.order_id end as goods_id,
      m.variant_id,
      sum(m.quantity) as quantity, sum(m.quantity * m.unit_cost) as cost
    from public.deliveries d
    join public.stock_movements m on m.org_id = d.org_id and m.document_id = d.id and m.document = 'delivery'
    where d.org_id = p_org_id and d.order_id = any (p_orders)
      and (p_variants is null or m.variant_id = any (p_variants))
    group by 1, 2
  )
  -- Until all of it has left, each invoice bears its share of what has.
  select d.goods_id, d.variant_id, greatest(d.quantity, i.quantity), d.cost
  from delivered d join invoiced i on i.goods_id = d.goods_id and i.variant_id = d.variant_id;
end;
$$;

comment on function private.goods_cost(uuid, uuid[], uuid[], uuid[]) is
'What goods cost that left or came back into stock, by variant; for a set its components. p_documents: invoices without
an order, and returns. p_orders: orders whose invoices bear what their deliveries cost, each by the quantity invoiced:
goods_id is the delivery where an invoice names it, else the order, for all other deliveries; however often and whenever
it is invoiced, the cost counts once. quantity: over which the cost is spread. p_variants: only these, null for all. In
the organisation''s currency, not rounded. No errors.';

create function private.line_goods(p_variant_id uuid, p_base_quantity numeric, p_set_items jsonb)
returns table (variant_id uuid, quantity numeric)
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_set_items is null then
    variant_id := p_variant_id;
    quantity := p_base_quantity;
    return next;
    return;
  end if;
  return query
  select (i.item ->> 'variant_id')::uuid, (i.item ->> 'quantity')::numeric
    from jsonb_array_elements(p_set_items) i (item);
end;
$$;

comment on function private.line_goods(uuid, numeric, jsonb) is
'The goods of a document''s line: itself, or the components of a set, in their own units. No errors.';

create function public.sales_summary(p_org_id uuid, p_from date, p_to date, p_by text default 'day', p_branch_id uuid
  default null)
returns table (key text, label text, invoices bigint, credit_notes bigint, net numeric, discount numeric, tax numeric,
  round_off numeric, total numeric, cost numeric, margin numeric)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branches uuid[];
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  v_branches := private.report_branches(p_org_id, p_branch_id);
  perform private.check_range(p_from, p_to);
  perform private.check_choice(p_by, array['day', 'branch', 'all'], 'p_by');
  return query
  with documents as materialized (
    select * from private.sales_documents(p_org_id, v_branches, p_from, p_to)
  ), goods as materialized (
    select * from private.goods_cost(p_org_id, array(select t.goods_id from documents t where t.order_id is null
      and t.goods_id is not null),
      array(select distinct t.order_id from documents t where t.order_id is not null))
  ), whole as (
    select g.goods_id, sum(g.cost) as cost from goods g group by g.goods_id
  ), shares as (
    select d.id, sum(x.quantity * g.cost / g.quantity) as cost
    from documents d
    cross join lateral (
      -- By the key, invoice by invoice: those for orders may be few among very many.
      select t.variant_id, t.base_quantity, t.set_items from public.invoice_lines t
      where t.org_id = p_org_id and t.invoice_id = d.id offset 0) l
    cross join lateral private.line_goods(l.variant_id, l.base_quantity, l.set_items) x
    join goods g on g.goods_id = d.goods_id and g.variant_id = x.variant_id
    where d.order_id is not null group by d.id
  ), sums as (
    select case p_by when 'day' then d.day::text when 'branch' then d.branch_id::text else 'all' end as key,
      count(*) filter (where d.sign = 1) as invoices, count(*) filter (where d.sign = -1) as credit_notes,
      sum(d.sign * d.subtotal) as net, sum(d.sign * d.discount) as discount, sum(d.sign * d.tax) as tax,
      sum(d.sign * d.round_off) as round_off, sum(d.sign * d.total) as total,
      round(sum(d.sign * coalesce(case when d.order_id is null then w.cost else h.cost end, 0)), 2) as cost
    from documents d left join whole w on w.goods_id = d.goods_id left join shares h on h.id = d.id
    group by 1
  )
  select s.key, case when p_by = 'branch'
      then (select b.name from public.branches b where b.org_id = p_org_id and b.id = s.key::uuid) else s.key end,
    s.invoices, s.credit_notes, s.net, s.discount, s.tax, s.round_off, s.total, s.cost, s.net - s.cost
  from sums s order by s.key;
end;
$$;

comment on function public.sales_summary(uuid, date, date, text, uuid) is
'What was invoiced in a period, less what was credited in it. p_org_id; p_from, p_to: first and last business date;
p_by: day, branch or all, one row of each; p_branch_id: of one branch, null for all that the caller sees. net: taxable
value after discounts; total = net + tax + round_off; cost: of the goods that left, less those that came back into stock
(of an order that is invoiced before all was delivered, what has left by now); margin = net - cost; in the
organisation''s currency. Voided sales do not count. Errors: 400 invalid_input; 401; 403 permission_denied; 404
not_found. Permission: report.read.';
revoke execute on function public.sales_summary(uuid, date, date, text, uuid) from public, anon;
grant execute on function public.sales_summary(uuid, date, date, text, uuid) to authenticated;

create function public.top_sellers(p_org_id uuid, p_from date, p_to date, p_by text default 'revenue', p_limit integer
  default 20,
  p_branch_id uuid default null)
returns table (variant_id uuid, sku text, name text, quantity numeric, revenue numeric, cost numeric, margin numeric)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branches uuid[];
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  v_branches := private.report_branches(p_org_id, p_branch_id);
  perform private.check_range(p_from, p_to);
  perform private.check_choice(p_by, array['quantity', 'revenue', 'margin'], 'p_by');
  if p_limit is null or p_limit not between 1 and 1000 then
    perform private.fail(400, 'invalid_input', 'p_limit is 1 to 1000.', '{"field": "p_limit"}');
  end if;
  return query
  with documents as materialized (
    select * from private.sales_documents(p_org_id, v_branches, p_from, p_to)
  ), lines as materialized (
    select 1 as sign, d.goods_id, d.order_id, d.goods_id is not null as with_goods, l.variant_id, l.base_quantity,
      l.set_items, l.taxable
    from documents d
    -- By key for each document of the period (offset 0): hashed, the lines of all years would be read for it.
    cross join lateral (
      select * from public.invoice_lines i where i.org_id = p_org_id and i.invoice_id = d.id offset 0) l
    where d.sign > 0
    union all
    select -1, d.goods_id, null, l.disposition in ('restock', 'repair'), l.variant_id, l.base_quantity, l.set_items,
      l.taxable
    from documents d
    cross join lateral (
      select * from public.credit_note_lines c where c.org_id = p_org_id and c.credit_note_id = d.id offset 0) l
    where d.sign < 0
  ), totals as (
    select l.variant_id, sum(l.sign * l.base_quantity) as quantity, sum(l.sign * l.taxable) as revenue from lines l
      group by l.variant_id
  ), chosen as materialized (
    -- Only what is shown is costed, unless the order of all hangs on it.
    select t.*, v.sku, v.name from totals t join public.product_variants v on v.org_id = p_org_id
      and v.id = t.variant_id
    order by case p_by when 'quantity' then t.quantity else t.revenue end desc, v.sku limit case when p_by <> 'margin'
      then p_limit end
  ), sold as materialized (
    select l.variant_id as sold_id, l.goods_id, l.order_id, l.variant_id, l.sign * l.base_quantity as quantity
    from lines l join chosen c on c.variant_id = l.variant_id where l.with_goods and l.set_items is null
    union all
    select l.variant_id, l.goods_id, l.order_id, (i.item ->> 'variant_id')::uuid,
      l.sign * (i.item ->> 'quantity')::numeric
    from lines l join chosen c on c.variant_id = l.variant_id cross
      join lateral jsonb_array_elements(l.set_items) i (item)
    where l.with_goods
  ), costs as (
    select s.sold_id, round(sum(s.quantity * g.cost / g.quantity), 2) as cost
    from sold s
    join private.goods_cost(p_org_id, array(select distinct t.goods_id from sold t where t.order_id is null),
      array(select distinct t.order_id from sold t where t.order_id is not null),
      case when p_by <> 'margin' then array(select distinct t.variant_id from sold t) end) g
      on g.goods_id = s.goods_id and g.variant_id = s.variant_id
    group by s.sold_id
  )
  select c.variant_id, c.sku, c.name, c.quantity, c.revenue, coalesce(g.cost, 0.00), c.revenue - coalesce(g.cost, 0)
  from chosen c left join costs g on g.sold_id = c.variant_id
  order by case p_by when 'quantity' then c.quantity when 'revenue' then c.revenue else c.revenue - coalesce(g.cost, 0)
    end desc, c.sku
  limit p_limit;
end;
$$;

comment on function public.top_sellers(uuid, date, date, text, integer, uuid) is
'What sold best in a period, less what was credited in it. p_org_id; p_from, p_to: first and last business date; p_by:
quantity (in the variant''s own unit), revenue (taxable value after discounts) or margin (revenue less the cost of the
goods that left and did not come back into stock; a set costs what its components cost), in the organisation''s
currency; p_limit: how many, 1 to 1000; p_branch_id: of one branch, null for all that the caller sees. Errors: 400
invalid_input; 401; 403 permission_denied; 404 not_found. Permission: report.read.';
revoke execute on function public.top_sellers(uuid, date, date, text, integer, uuid) from public, anon;
grant execute on function public.top_sellers(uuid, date, date, text, integer, uuid) to authenticated;
