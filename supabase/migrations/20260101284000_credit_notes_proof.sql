-- The proof of the money side: whatever disagrees, by name.

create function private.held_findings(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with used as (
    -- Whatever uses of a payment or a credit note, or gives back.
    select t.payment_id as source, t.amount from public.payment_allocations t where t.org_id = p_org_id
    union all
    select t.credit_note_id, t.amount from public.credit_note_allocations t where t.org_id = p_org_id
    union all
    select coalesce(t.payment_id, t.credit_note_id), t.amount from public.refund_sources t where t.org_id = p_org_id
    union all
    select t.payment_id, t.amount from public.credit_settlements t
    where t.org_id = p_org_id and t.component <> 'principal' and t.payment_id is not null
    union all
    select r.payment_id, p.amount from public.payment_reversals r
    join public.payments p on p.org_id = r.org_id and p.id = r.payment_id where r.org_id = p_org_id
  ), sums as (
    select u.source, sum(u.amount) as amount from used u group by u.source
  ), sources as (
    select 'payment' as document, p.id, p.customer_id, p.amount from public.payments p where p.org_id = p_org_id
    union all
    select 'credit_note', c.id, c.customer_id, c.total from public.credit_notes c where c.org_id = p_org_id
  )
  select 'what is held is not what is left', s.document, s.id, s.amount - coalesce(u.amount, 0), coalesce(h.amount, 0)
  from sources s
  left join sums u on u.source = s.id
  left join private.money_held h on h.org_id = p_org_id and h.source = s.id
  where s.amount - coalesce(u.amount, 0) <> coalesce(h.amount, 0)
    or (h.source is not null and (h.customer_id is distinct from s.customer_id
      or (s.document = 'payment') <> (h.payment_id is not null)));
end;
$$;

comment on function private.held_findings(uuid) is
'Every payment and credit note of which private.money_held says something else than its entries, or has another
customer: what the entries leave (expected) and what is held (found), in the organisation''s currency; none when all is
well.';

create function private.money_findings(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with invoice_sums as (
    select i.id, i.number, i.status, i.paid, i.credited, i.subtotal, i.tax, i.total, i.round_off,
      coalesce(a.amount, 0) as allocated, coalesce(c.amount, 0) as credits, coalesce(l.taxable, 0) as line_taxable,
      coalesce(l.tax, 0) as line_tax
    from public.invoices i
    left join (
      select t.invoice_id, sum(t.amount) as amount from public.payment_allocations t where t.org_id = p_org_id
        group by 1) a
      on a.invoice_id = i.id
    left join (
      select t.invoice_id, sum(t.amount) as amount from public.credit_note_allocations t where t.org_id = p_org_id
        group by 1) c
      on c.invoice_id = i.id
    left join (
      select t.invoice_id, sum(t.taxable) as taxable, sum(t.tax) as tax from public.invoice_lines t
        where t.org_id = p_org_id
      group by 1) l on l.invoice_id = i.id
    where i.org_id = p_org_id
  ), payment_sums as (
    select p.id, p.amount, coalesce(a.amount, 0) + coalesce(g.amount, 0) as allocated, coalesce(s.amount, 0)
      as refunded,
      r.id is not null as reversed
    from public.payments p
    left join (
      select t.payment_id, sum(t.amount) as amount from public.payment_allocations t where t.org_id = p_org_id
        group by 1) a
      on a.payment_id = p.id
    left join (
      select t.payment_id, sum(t.amount) as amount from public.credit_settlements t
      where t.org_id = p_org_id and t.component <> 'principal' group by 1) g on g.payment_id = p.id
    left join (
      select t.payment_id, sum(t.amount) as amount from public.refund_sources t where t.org_id = p_org_id group by 1) s
      on s.payment_id = p.id
    left join public.payment_reversals r on r.org_id = p.org_id and r.payment_id = p.id
    where p.org_id = p_org_id
  ), note_sums as (
    select c.id, c.invoice_id, c.voids, c.subtotal, c.tax, c.total, c.round_off, coalesce(a.amount, 0) as allocated,
      coalesce(s.amount, 0) as refunded, coalesce(l.taxable, 0) as line_taxable, coalesce(l.tax, 0) as line_tax
    from public.credit_notes c
    left join (
      select t.credit_note_id, sum(t.amount) as amount from public.credit_note_allocations t where t.org_id = p_org_id
        group by 1) a
      on a.credit_note_id = c.id
    left join (
      select t.credit_note_id, sum(t.amount) as amount from public.refund_sources t where t.org_id = p_org_id
        group by 1) s
      on s.credit_note_id = c.id
    left join (
      select t.credit_note_id, sum(t.taxable) as taxable, sum(t.tax) as tax from public.credit_note_lines t
        where t.org_id = p_org_id
      group by 1) l on l.credit_note_id = c.id
    where c.org_id = p_org_id
  )
  select 'paid is not the sum of the allocations', 'invoice', i.id, i.allocated, i.paid from invoice_sums i
    where i.paid <> i.allocated
  union all
  select 'credited is not the sum of the credit allocations', 'invoice', i.id, i.credits, i.credited from invoice_sums i
  where i.credited <> i.credits
  union all
  select 'the total is not the lines and the round-off', 'invoice', i.id, i.line_taxable + i.line_tax + i.round_off,
    i.total
  from invoice_sums i
  where i.status <> 'draft' and (i.total <> i.line_taxable + i.line_tax + i.round_off or i.subtotal <> i.line_taxable)
  union all
  select 'more is credited than was invoiced', 'invoice', i.id, i.total, n.total
  from invoice_sums i
  join (select c.invoice_id, sum(c.total) as total from note_sums c group by 1) n on n.invoice_id = i.id
    where n.total > i.total
  union all
  select 'a void invoice and its credit note disagree', 'invoice', i.id, i.total, n.total
  from invoice_sums i join note_sums n on n.invoice_id = i.id
  where (i.status = 'void') <> n.voids or (n.voids and n.total <> i.total)
  union all
  select 'more is allocated and refunded than was paid', 'payment', p.id, p.amount, p.allocated + p.refunded
    from payment_sums p
  where p.allocated + p.refunded > p.amount or p.allocated < 0
  union all
  select 'a reversed payment settles something', 'payment', p.id, 0.00, p.allocated + p.refunded from payment_sums p
  where p.reversed and (p.allocated <> 0 or p.refunded <> 0)
  union all
  select 'more is applied and refunded than was credited', 'credit_note', n.id, n.total, n.allocated + n.refunded
    from note_sums n
  where n.allocated + n.refunded > n.total or n.allocated < 0
  union all
  select 'the total is not the lines and the round-off', 'credit_note', n.id, n.line_taxable + n.line_tax + n.round_off,
    n.total
  from note_sums n where n.total <> n.line_taxable + n.line_tax + n.round_off or n.subtotal <> n.line_taxable
  union all
  select 'the amount is not the sum of its sources', 'refund', f.id, coalesce(sum(s.amount), 0), f.amount
  from public.refunds f left join public.refund_sources s on s.org_id = f.org_id and s.refund_id = f.id
  where f.org_id = p_org_id group by f.id, f.amount having f.amount <> coalesce(sum(s.amount), 0)
  union all
  select 'more of a line is credited than was sold', 'invoice', l.invoice_id, l.quantity, sum(c.quantity)
  from public.credit_note_lines c
  join public.invoice_lines l on l.org_id = c.org_id and l.invoice_id = c.invoice_id and l.line_no = c.line_no
  where c.org_id = p_org_id group by l.invoice_id, l.line_no, l.quantity having sum(c.quantity) > l.quantity
  union all
  select 'offers gave more than was taken off', 'invoice', l.invoice_id, l.discount, sum((o ->> 'amount')::numeric)
  from public.invoice_lines l, jsonb_array_elements(l.offers) o
  where l.org_id = p_org_id and l.offers <> '[]'
  group by l.invoice_id, l.line_no, l.discount having sum((o ->> 'amount')::numeric) > l.discount
  union all
  select * from private.held_findings(p_org_id)
  union all
  select * from private.account_findings(p_org_id);
end;
$$;

comment on function private.money_findings(uuid) is
'Every invoice, payment, credit note, refund, instalment, discount, coupon and lot of points whose sums disagree, with
what the entries say (expected) and what the document says (found), in the organisation''s currency; none when all is
well.';

create function private.prove_money(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select to_jsonb(f) from private.books_findings(p_org_id) f;
end;
$$;

comment on function private.prove_money(uuid) is
'Money = entries: paid, credited and refunded are the sums of their entries, totals those of their lines, and nothing
is used twice, points and coupons included. One of the proofs of private.run_integrity. Returns the findings.';

create function public.check_books(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('audit.read', p_org_id);
  return query
  select f.problem, f.document, f.id, f.expected, f.found from private.books_findings(p_org_id) f;
end;
$$;

comment on function public.check_books(uuid) is
'The proof of the money side: every invoice, payment, credit note, refund, instalment, discount, coupon and lot of
points whose sums disagree, with what the entries say (expected) and what the document says (found), in the
organisation''s currency; none when all is well. p_org_id. Errors: 401, 404 not_found, 403 permission_denied.
Permission: audit.read.';
revoke execute on function public.check_books(uuid) from public, anon;
grant execute on function public.check_books(uuid) to authenticated;

select private.react('books_findings', 10, 'money_findings');

insert into private.proofs (proof, function) values ('money', 'prove_money');
