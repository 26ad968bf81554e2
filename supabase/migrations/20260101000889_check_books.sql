-- The proof of the money side: whatever disagrees, by name.

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
      select t.invoice_id, sum(t.amount) as amount from public.payment_allocations t where t.org_id = p_org_id group by 1) a
      on a.invoice_id = i.id
    left join (
      select t.invoice_id, sum(t.amount) as amount from public.credit_note_allocations t where t.org_id = p_org_id group by 1) c
      on c.invoice_id = i.id
    left join (
      select t.invoice_id, sum(t.taxable) as taxable, sum(t.tax) as tax from public.invoice_lines t where t.org_id = p_org_id
      group by 1) l on l.invoice_id = i.id
    where i.org_id = p_org_id
  ), payment_sums as (
    select p.id, p.amount, coalesce(a.amount, 0) + coalesce(g.amount, 0) as allocated, coalesce(s.amount, 0) as refunded,
      r.id is not null as reversed
    from public.payments p
    left join (
      select t.payment_id, sum(t.amount) as amount from public.payment_allocations t where t.org_id = p_org_id group by 1) a
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
      select t.credit_note_id, sum(t.amount) as amount from public.credit_note_allocations t where t.org_id = p_org_id group by 1) a
      on a.credit_note_id = c.id
    left join (
      select t.credit_note_id, sum(t.amount) as amount from public.refund_sources t where t.org_id = p_org_id group by 1) s
      on s.credit_note_id = c.id
    left join (
      select t.credit_note_id, sum(t.taxable) as taxable, sum(t.tax) as tax from public.credit_note_lines t where t.org_id = p_org_id
      group by 1) l on l.credit_note_id = c.id
    where c.org_id = p_org_id
  )
  select 'paid is not the sum of the allocations', 'invoice', i.id, i.allocated, i.paid from invoice_sums i where i.paid <> i.allocated
  union all
  select 'credited is not the sum of the credit allocations', 'invoice', i.id, i.credits, i.credited from invoice_sums i
  where i.credited <> i.credits
  union all
  select 'the total is not the lines and the round-off', 'invoice', i.id, i.line_taxable + i.line_tax + i.round_off, i.total
  from invoice_sums i
  where i.status <> 'draft' and (i.total <> i.line_taxable + i.line_tax + i.round_off or i.subtotal <> i.line_taxable)
  union all
  select 'more is credited than was invoiced', 'invoice', i.id, i.total, n.total
  from invoice_sums i
  join (select c.invoice_id, sum(c.total) as total from note_sums c group by 1) n on n.invoice_id = i.id where n.total > i.total
  union all
  select 'a void invoice and its credit note disagree', 'invoice', i.id, i.total, n.total
  from invoice_sums i join note_sums n on n.invoice_id = i.id and n.voids where i.status <> 'void' or n.total <> i.total
  union all
  select 'more is allocated and refunded than was paid', 'payment', p.id, p.amount, p.allocated + p.refunded from payment_sums p
  where p.allocated + p.refunded > p.amount or p.allocated < 0
  union all
  select 'a reversed payment settles something', 'payment', p.id, 0.00, p.allocated + p.refunded from payment_sums p
  where p.reversed and (p.allocated <> 0 or p.refunded <> 0)
  union all
  select 'more is applied and refunded than was credited', 'credit_note', n.id, n.total, n.allocated + n.refunded from note_sums n
  where n.allocated + n.refunded > n.total or n.allocated < 0
  union all
  select 'the total is not the lines and the round-off', 'credit_note', n.id, n.line_taxable + n.line_tax + n.round_off, n.total
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
  select * from private.check_agreements(p_org_id)
  union all
  select * from private.offer_findings(p_org_id);
end;
$$;

comment on function private.money_findings(uuid) is
'Every invoice, payment, credit note and refund whose sums disagree, and every lot of points and coupon, with what the entries say (expected) and what the document says
(found), in the organisation''s currency; none when all is well.';

create function private.offer_findings(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with lots as (
    select coalesce(e.lot_id, e.id) as lot_id, sum(e.points) as points from public.loyalty_entries e where e.org_id = p_org_id group by 1
  ), invoices as (
    select e.invoice_id, sum(e.amount) filter (where e.kind = 'redeem') as redeemed,
      -sum(e.points) filter (where e.kind = 'redeem') as points, sum(e.points) filter (where e.kind = 'return') as returned
    from public.loyalty_entries e where e.org_id = p_org_id and e.kind in ('redeem', 'return') group by 1
  ), payments as (
    -- A payment with points is of one invoice; what was taken off it again is another entry, and the points came back.
    select a.invoice_id, sum(a.amount) as amount
    from public.payments p
    join public.payment_allocations a on a.org_id = p.org_id and a.payment_id = p.id and a.amount > 0
    where p.org_id = p_org_id and p.method = 'points' group by 1
  ), uses as (
    select u.coupon_id, u.customer_id, sum(u.uses) as uses, max(u.created_at) as last_used
    from public.coupon_uses u where u.org_id = p_org_id group by grouping sets ((u.coupon_id), (u.coupon_id, u.customer_id))
  )
  select 'a lot of points holds less than nothing', 'loyalty_entry', l.lot_id, 0.00, l.points from lots l where l.points < 0
  union all
  select 'points were taken out of another customer''s lot', 'loyalty_entry', e.id, null, e.points::numeric
  from public.loyalty_entries e join public.loyalty_entries l on l.org_id = e.org_id and l.id = e.lot_id
  where e.org_id = p_org_id and e.customer_id <> l.customer_id
  union all
  select 'points and the payments made with them disagree', 'invoice', coalesce(i.invoice_id, p.invoice_id), coalesce(i.redeemed, 0),
    coalesce(p.amount, 0)
  from invoices i full join payments p on p.invoice_id = i.invoice_id where coalesce(i.redeemed, 0) <> coalesce(p.amount, 0)
  union all
  select 'more points came back than were redeemed', 'invoice', i.invoice_id, coalesce(i.points, 0), i.returned
  from invoices i where i.returned > coalesce(i.points, 0)
  union all
  -- By the limits as they stood when it was last used: they may be lowered since, and customers merged.
  select 'a coupon was used more often than it may be', 'coupon', c.id, m.most::numeric, u.uses
  from uses u
  join public.coupons c on c.org_id = p_org_id and c.id = u.coupon_id
  cross join lateral (select case when u.customer_id is null then c.max_uses else c.max_uses_per_customer end as most) m
  where u.uses > m.most and c.updated_at <= u.last_used
    and not exists (select from public.customers k where k.org_id = p_org_id and k.merged_into = u.customer_id)
  union all
  select 'a coupon was given back that was not used', 'coupon', u.coupon_id, 0.00, u.uses::numeric
  from public.coupon_uses u
  where u.org_id = p_org_id and u.entry = 2 and not exists (
    select from public.coupon_uses f
    where f.org_id = u.org_id and f.coupon_id = u.coupon_id and f.invoice_id = u.invoice_id and f.entry = 1);
end;
$$;

comment on function private.offer_findings(uuid) is
'What of points and coupons disagrees: no lot below zero, points taken from their customer''s lots only, as much redeemed of an invoice as
points paid of it and no more returned, coupons used within their limits. expected and found: points, uses, or amounts in the
organisation''s currency. Part of private.money_findings.';

create function private.prove_money(p_org_id uuid) returns setof jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select to_jsonb(f) from private.money_findings(p_org_id) f;
end;
$$;

comment on function private.prove_money(uuid) is
'Money = entries: paid, credited and refunded are the sums of their entries, totals those of their lines, and nothing is used twice, points and coupons included.
One of the proofs of private.run_integrity. Returns the findings.';

create function public.check_books(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform private.authorize('audit.read', p_org_id);
  return query
  select f.problem, f.document, f.id, f.expected, f.found from private.money_findings(p_org_id) f;
end;
$$;

comment on function public.check_books(uuid) is
'The proof of the money side: every invoice, payment, credit note, refund and instalment whose sums disagree, lots of points and uses
of coupons too, with what the entries say
(expected) and what the document says (found), in the organisation''s currency; none when all is well. p_org_id. Errors: 401, 404
not_found, 403 permission_denied. Permission: audit.read.';
revoke execute on function public.check_books(uuid) from public, anon;
grant execute on function public.check_books(uuid) to authenticated;
