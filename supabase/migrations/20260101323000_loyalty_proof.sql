-- The proof of points, part of the proof of the money side.

create function private.points_held_findings(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with lots as (
    select coalesce(e.lot_id, e.id) as lot, min(e.customer_id::text)::uuid as customer_id, sum(e.points) as points
    from public.loyalty_entries e where e.org_id = p_org_id group by 1 having sum(e.points) <> 0
  ), customers as (
    select e.customer_id, sum(e.points) as points from public.loyalty_entries e where e.org_id = p_org_id group by 1
  )
  select 'points held are not what is left of the lot', 'loyalty_entry', coalesce(l.lot, h.lot_id),
    coalesce(l.points, 0), coalesce(h.points, 0)::numeric
  from lots l
  full join (select t.* from private.points_held t where t.org_id = p_org_id) h on h.lot_id = l.lot
  where coalesce(l.points, 0) <> coalesce(h.points, 0) or h.customer_id is distinct from l.customer_id
  union all
  select 'the balance of points is not the sum of the entries', 'customer', coalesce(c.customer_id, b.customer_id),
    coalesce(c.points, 0), coalesce(b.points, 0)::numeric
  from customers c
  full join (select t.* from private.points_balances t where t.org_id = p_org_id) b on b.customer_id = c.customer_id
  where coalesce(c.points, 0) <> coalesce(b.points, 0);
end;
$$;

comment on function private.points_held_findings(uuid) is
'Lots and customers of whom private.points_held and private.points_balances say something else than the entries.
Columns as check_books has them; expected and found in points. No errors.';

create function private.points_findings(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with lots as (
    select coalesce(e.lot_id, e.id) as lot, sum(e.points) as points, count(distinct e.customer_id) as customers
    from public.loyalty_entries e where e.org_id = p_org_id group by 1
  ), told as (
    select e.invoice_id, max(e.basis) as basis, coalesce(sum(e.points) filter (where e.kind in ('earn', 'reverse')), 0)
      as earned,
      coalesce(sum(e.amount) filter (where e.kind = 'redeem'), 0) as redeemed,
      coalesce(sum(e.amount) filter (where e.kind = 'return'), 0) as returned
    from public.loyalty_entries e where e.org_id = p_org_id and e.invoice_id is not null group by 1
  ), paid as (
    select a.invoice_id, sum(a.amount) as amount
    from public.payments p join public.payment_allocations a on a.org_id = p.org_id and a.payment_id = p.id
      and a.amount > 0
    where p.org_id = p_org_id and p.method = 'points' group by 1
  ), deserved as (
    select i.id, t.earned - coalesce(o.points, 0) as earned, case when i.status = 'paid' then floor(coalesce(t.basis, 0)
      * greatest(i.total - t.redeemed + t.returned - coalesce(c.total, 0), 0) / i.total) else 0 end as points
    from told t
    join public.invoices i on i.org_id = p_org_id and i.id = t.invoice_id and i.total > 0
    left join private.points_owed o on o.org_id = i.org_id and o.invoice_id = i.id
    left join (
      select n.invoice_id, sum(n.total) as total from public.credit_notes n where n.org_id = p_org_id
        group by 1) c on c.invoice_id = i.id
  )
  select 'more is taken of points than there was', 'loyalty_entry', l.lot, 0.00, l.points from lots l where l.points < 0
  union all
  select 'points of one customer are taken by another', 'loyalty_entry', l.lot, 1.00, l.customers from lots l
    where l.customers > 1
  union all
  select 'points earned and owed are not what the invoice deserves', 'invoice', d.id, d.points, d.earned from deserved d
  where d.points <> d.earned
  union all
  select 'points that paid are not the payments made with points', 'invoice', coalesce(t.invoice_id, p.invoice_id),
    coalesce(p.amount, 0), coalesce(t.redeemed, 0)
  from told t full join paid p on p.invoice_id = t.invoice_id where coalesce(t.redeemed, 0) <> coalesce(p.amount, 0)
  union all
  select 'more points came back than had paid', 'invoice', t.invoice_id, t.redeemed, t.returned from told t
    where t.returned > t.redeemed;
end;
$$;

comment on function private.points_findings(uuid) is
'What disagrees about points: lots that hold less than nothing, invoices that earned other than they deserve by their
own basis, and points that paid other than the payments say. Columns as check_books has them; expected and found in
points or in currency. No errors.';

select private.react('books_findings', 40, 'points_findings');
select private.react('books_findings', 50, 'points_held_findings');
