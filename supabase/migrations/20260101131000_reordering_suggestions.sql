-- What sells, and what to order again: two reports over the ledger.

create function private.check_days(p_days integer) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if p_days is null or p_days not between 1 and 3650 then
    perform private.fail(400, 'invalid_input', 'p_days must be from 1 to 3650.', '{"field": "p_days"}');
  end if;
end;
$$;

comment on function private.check_days(integer) is 'A report looks back 1 to 3650 days. Errors: 400 invalid_input.';

create function public.abc_analysis(p_branch_id uuid, p_days integer default 365)
returns table (variant_id uuid, sku text, name text, value numeric, share numeric, class text)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.authorize_branch('stock.plan', p_branch_id);
begin
  perform private.check_days(p_days);
  return query select * from private.abc_classes(v_org_id, p_branch_id, p_days);
end;
$$;

comment on function public.abc_analysis(uuid, integer) is
'Which goods carry the business of a branch. p_branch_id. p_days: how far back, 1 to 3650. Returns a row for each
variant, most first: value (sold less returned, at cost, in the organisation''s currency), share (of all, 0 to 1),
class: A for those that make up the first 80 % of the value, B for the next 15 %, C for the rest and what never sold.
Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 422 branch_archived. Permission: stock.plan.';
revoke execute on function public.abc_analysis(uuid, integer) from public, anon;
grant execute on function public.abc_analysis(uuid, integer) to authenticated;

create function public.reorder_suggestions(p_branch_id uuid, p_days integer default 90)
returns table (location_id uuid, variant_id uuid, sku text, name text, reorder_point numeric, reorder_quantity numeric,
  lead_time_days integer, on_hand numeric, available numeric, incoming numeric, daily_sales numeric,
    lead_time_demand numeric,
  suggested numeric)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.authorize_branch('stock.plan', p_branch_id);
  v_buyer_location_id uuid := private.shared_location(v_org_id, 'customer');
begin
  perform private.check_days(p_days);
  return query
  with low as (
    select r.*, v.sku, v.name, u.decimals, coalesce(s.on_hand, 0) as on_hand, coalesce(s.available, 0) as available,
      coalesce(s.incoming, 0) as incoming
    from public.reorder_rules r
    join public.product_variants v on v.org_id = r.org_id and v.id = r.variant_id and v.archived_at is null
    join public.products p on p.org_id = v.org_id and p.id = v.product_id and p.archived_at is null
    join public.units u on u.code = p.unit_code
    left join public.stock_levels s on s.org_id = r.org_id and s.location_id = r.location_id
      and s.variant_id = r.variant_id
    where r.branch_id = p_branch_id and coalesce(s.available, 0) <= r.reorder_point
  ), needed as (
    select l.*, e.sold / p_days as daily, e.sold * l.lead_time_days / p_days as demand
    from low l
    cross join lateral (
      select greatest(coalesce(sum(case when m.from_location_id = l.location_id then m.quantity else -m.quantity end),
        0), 0) as sold
      from public.stock_movements m
      where m.org_id = l.org_id and m.variant_id = l.variant_id
        and m.occurred_at >= now() - make_interval(days => p_days)
        and ((m.from_location_id = l.location_id and m.to_location_id = v_buyer_location_id)
          or (m.from_location_id = v_buyer_location_id and m.to_location_id = l.location_id))) e
  ), ordered as (
    -- What is on its way counts as there, so that nothing is ordered twice.
    select n.*, case when n.available + n.incoming <= n.reorder_point then n.reorder_quantity else 0 end as least,
      ceil((n.demand + n.reorder_point - n.available - n.incoming) * power(10::numeric,
        n.decimals)) / power(10::numeric, n.decimals) as short
    from needed n
  ), suggestions as (
    select o.*, trim_scale(case when o.short > 0 then greatest(o.short, o.reorder_quantity) else o.least end)
      as quantity from ordered o
  )
  select g.location_id, g.variant_id, g.sku, g.name, g.reorder_point, g.reorder_quantity, g.lead_time_days, g.on_hand,
    g.available,
    g.incoming, round(g.daily, 6), round(g.demand, 3), g.quantity
  from suggestions g where g.quantity > 0 order by g.sku, g.location_id;
end;
$$;

comment on function public.reorder_suggestions(uuid, integer) is
'What to order for a branch: each reorder rule at or below its point. p_branch_id. p_days: sales of how many days tell
the demand, 1 to 3650. Returns the rule with on_hand, available, incoming, daily_sales (sold from this location less
returned to it, sets as their components, a day), lead_time_demand and suggested: what covers the lead time and fills up
to the reorder point, at least the reorder quantity, rounded up to what the unit allows; what incoming covers is not
listed. Quantities in the variant''s unit. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 422
branch_archived. Permission: stock.plan.';
revoke execute on function public.reorder_suggestions(uuid, integer) from public, anon;
grant execute on function public.reorder_suggestions(uuid, integer) to authenticated;
