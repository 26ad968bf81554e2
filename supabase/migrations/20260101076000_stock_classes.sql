-- What a branch sells most of: the classes A, B and C of its variants.

create function private.abc_classes(p_org_id uuid, p_branch_id uuid, p_days integer)
returns table (variant_id uuid, sku text, name text, value numeric, share numeric, class text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_buyer_location_id uuid := private.shared_location(p_org_id, 'customer');
begin
  return query
  with moved as (
    select m.variant_id, m.quantity * m.unit_cost as worth from public.stock_movements m
    where m.from_branch_id = p_branch_id and m.org_id = p_org_id and m.to_location_id = v_buyer_location_id
      and m.occurred_at >= now() - make_interval(days => p_days)
    union all
    select m.variant_id, -m.quantity * m.unit_cost from public.stock_movements m
    where m.to_branch_id = p_branch_id and m.org_id = p_org_id and m.from_location_id = v_buyer_location_id
      and m.occurred_at >= now() - make_interval(days => p_days)
  ), sold as (
    select m.variant_id, greatest(round(sum(m.worth), 2), 0) as value from moved m group by 1
  ), ranked as (
    select v.id, v.sku, v.name, coalesce(s.value, 0) as value, sum(s.value) over () as total,
      coalesce(sum(s.value) over (order by s.value desc nulls last, v.sku rows between unbounded preceding
        and 1 preceding), 0) as before
    from public.product_variants v
    join public.products p on p.org_id = v.org_id and p.id = v.product_id and p.kind = 'goods'
    left join sold s on s.variant_id = v.id
    where v.org_id = p_org_id and (s.value > 0 or coalesce(v.archived_at, p.archived_at) is null or exists (
      select from public.stock_levels l where l.org_id = v.org_id and l.variant_id = v.id and l.branch_id = p_branch_id
        and l.on_hand > 0))
  )
  select r.id, r.sku, r.name, r.value, coalesce(round(r.value / nullif(r.total, 0), 6), 0),
    case when r.value = 0 or r.before >= 0.95 * r.total then 'C' when r.before >= 0.80 * r.total then 'B' else 'A' end
  from ranked r order by r.value desc, r.sku;
end;
$$;

comment on function private.abc_classes(uuid, uuid, integer) is
'The value sold, the share and the class of each variant of a branch, most first: as abc_analysis explains. p_days:
checked.';
