-- The proof of points, coupons and discounts on documents, part of the proof of the money side.

create function private.discount_findings(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select 'the use of a coupon is not what the lines say', 'invoice', u.invoice_id,
    coalesce(sum((o ->> 'amount')::numeric), 0), u.amount
  from public.coupon_uses u
  left join public.invoice_lines l on l.org_id = u.org_id and l.invoice_id = u.invoice_id
  left join lateral jsonb_array_elements(l.offers) o on o ->> 'coupon' is not null
  where u.org_id = p_org_id and u.entry = 1 and u.invoice_id is not null
  group by u.coupon_id, u.invoice_id, u.amount having u.amount <> coalesce(sum((o ->> 'amount')::numeric), 0)
  union all
  select 'a coupon was given back that nobody had used', 'coupon', u.coupon_id, 0.00, sum(u.uses)
  from public.coupon_uses u where u.org_id = p_org_id group by u.coupon_id, u.invoice_id,
    u.order_id having sum(u.uses) < 0
  union all
  -- By the limits as they stood when it was last used: they may be lowered since, and customers merged.
  select 'a coupon was used more often than it may be', 'coupon', c.id, m.most::numeric, u.uses
  from (
    select t.coupon_id, t.customer_id, sum(t.uses) as uses, max(t.created_at) as last_used
    from public.coupon_uses t where t.org_id = p_org_id
      group by grouping sets ((t.coupon_id), (t.coupon_id, t.customer_id))) u
  join public.coupons c on c.org_id = p_org_id and c.id = u.coupon_id
  cross join lateral (select case when u.customer_id is null then c.max_uses else c.max_uses_per_customer end as most) m
  where u.uses > m.most and c.updated_at <= u.last_used
    and not exists (select from public.customers k where k.org_id = p_org_id and k.merged_into = u.customer_id)
  union all
  select 'the discount on the document is not that of its lines', 'invoice', i.id,
    coalesce(sum(l.document_discount), 0), i.document_discount
  from public.invoices i left join public.invoice_lines l on l.org_id = i.org_id and l.invoice_id = i.id
  where i.org_id = p_org_id group by i.id,
    i.document_discount having i.document_discount <> coalesce(sum(l.document_discount), 0);
end;
$$;

comment on function private.discount_findings(uuid) is
'What disagrees about discounts: uses of coupons beyond their limits or that took off other than the lines say, and
discounts on documents that are not the sum of their lines'' shares. Columns as check_books has them, in currency. No
errors.';

select private.react('books_findings', 30, 'discount_findings');
