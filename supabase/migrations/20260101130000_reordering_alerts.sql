-- Alerts: who is told when a shelf runs low, once for each time that it does.

select private.add_permissions('[
  {"code": "stock.plan", "description": "Set reorder points and quantities", "roles": ["inventory_manager"]},
  {"code": "stock.alert", "description": "Be told of low stock", "roles": ["inventory_manager"]}
]');

-- Tables ------------------------------------------------------------------------------------------

create table public.reorder_rules (
  org_id uuid not null,
  branch_id uuid not null,
  location_id uuid not null,
  variant_id uuid not null,
  reorder_point numeric(14, 3) not null check (reorder_point >= 0),
  reorder_quantity numeric(14, 3) not null check (reorder_quantity >= 0),
  lead_time_days integer not null check (lead_time_days between 0 and 365),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, location_id, variant_id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id)
);

comment on table public.reorder_rules is
'When a variant is ordered again for a location. reorder_point: at this much available, or less; reorder_quantity: at
least so much at a time; both in the variant''s unit. lead_time_days: from the order to the shelf.';

create table public.stock_alerts (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  branch_id uuid not null,
  location_id uuid not null,
  variant_id uuid not null,
  kind text not null check (kind in ('low_stock', 'out_of_stock')),
  available numeric(14, 3) not null,
  reorder_point numeric(14, 3) not null,
  raised_at timestamptz not null default now(),
  resolved_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by uuid,
  primary key (org_id, id),
  foreign key (org_id, branch_id, location_id) references public.locations (org_id, branch_id, id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id),
  check ((acknowledged_at is null) = (acknowledged_by is null))
);

comment on table public.stock_alerts is
'A shelf that ran low (available at or below the reorder point) or out (nothing available): one row for each crossing,
open until it is above again. available, reorder_point: as they were when it was raised, in the variant''s unit.';

-- Indexes -----------------------------------------------------------------------------------------

-- The location first: a second index that begins with org_id might be taken for look-ups by the key while the table is
-- small.
create unique index one_open_alert on public.stock_alerts (location_id, org_id, variant_id, kind) where resolved_at
  is null;
create index on public.stock_alerts (location_id, variant_id, resolved_at);
create index on public.stock_alerts (org_id, raised_at desc, id desc);
create index on public.stock_alerts (id);
create index on public.stock_alerts (branch_id, raised_at desc);
create index on public.stock_alerts (variant_id, org_id);
create index on public.reorder_rules (branch_id);
create index on public.reorder_rules (variant_id, org_id);

-- Raising and resolving ---------------------------------------------------------------------------

create function private.notify(p_org_id uuid, p_kind text, p_payload jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform realtime.send(jsonb_build_object('kind', p_kind) || p_payload, 'notice', format('org:%s:notices', p_org_id),
    true);
end;
$$;

comment on function private.notify(uuid, text, jsonb) is
'Sends a notice to whoever listens on org:<uuid>:notices and holds stock.alert. p_kind: what happened, noun.verb;
p_payload: ids, no figures, since the topic is the whole organisation''s and rows are a branch''s.';

create function private.judge_level(p_rule public.reorder_rules, p_available numeric) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_kind text;
  v_crossed boolean;
  v_alert_id uuid;
begin
  foreach v_kind in array array['low_stock', 'out_of_stock'] loop
    v_crossed := p_available <= case v_kind when 'low_stock' then p_rule.reorder_point else 0 end;
    v_alert_id := (
      select id from public.stock_alerts
      where org_id = p_rule.org_id and location_id = p_rule.location_id and variant_id = p_rule.variant_id
        and kind = v_kind
        and resolved_at is null);
    if v_crossed and v_alert_id is null then
      -- One act may give goods back and take them again: a sale of what was promised, a part of an order. What it
      -- resolved on the way is open still, and nobody is told. statement_timestamp is the same throughout an act, and
      -- no other's.
      update public.stock_alerts set resolved_at = null
      where org_id = p_rule.org_id and location_id = p_rule.location_id and variant_id = p_rule.variant_id
        and kind = v_kind
        and resolved_at = statement_timestamp();
      continue when found;
      insert into public.stock_alerts (org_id, branch_id, location_id, variant_id, kind, available, reorder_point)
      values (p_rule.org_id, p_rule.branch_id, p_rule.location_id, p_rule.variant_id, v_kind, p_available,
        p_rule.reorder_point)
      returning id into v_alert_id;
      perform private.emit(p_rule.org_id, case v_kind when 'low_stock' then 'stock.low' else 'stock.out' end,
        jsonb_build_object('alert_id', v_alert_id, 'branch_id', p_rule.branch_id, 'location_id', p_rule.location_id,
        'variant_id', p_rule.variant_id, 'available', p_available, 'reorder_point', p_rule.reorder_point));
      perform private.notify(p_rule.org_id, case v_kind when 'low_stock' then 'stock.low' else 'stock.out' end,
        jsonb_build_object('alert_id', v_alert_id, 'branch_id', p_rule.branch_id, 'location_id', p_rule.location_id,
        'variant_id', p_rule.variant_id));
    elsif not v_crossed and v_alert_id is not null then
      update public.stock_alerts set resolved_at = statement_timestamp() where org_id = p_rule.org_id
        and id = v_alert_id;
    end if;
  end loop;
end;
$$;

comment on function private.judge_level(public.reorder_rules, numeric) is
'Raises what was crossed downwards and resolves what is above again, once for each act: what an act resolves and crosses
again stays open and is not told anew. p_available: in the variant''s unit. The caller holds the level''s lock, so that
each crossing is seen by one transaction.';

create function private.watch_levels() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_found record;
begin
  -- Every sale comes by here: two look-ups by key for each level with a rule, one where there is none, and nothing is
  -- called unless an alert begins or ends. The limit keeps the planner from reading all rules, which it would go on
  -- doing later.
  for v_found in
    select r.rule, n.available
    from new_rows n
    cross join lateral (
      select x as rule, n.available <= x.reorder_point as is_low from public.reorder_rules x
      where x.org_id = n.org_id and x.location_id = n.location_id and x.variant_id = n.variant_id limit 1) r
    cross join lateral (
      select count(*) filter (where a.kind = 'low_stock') as low, count(*) filter (where a.kind = 'out_of_stock') as out
      from public.stock_alerts a
      where a.org_id = n.org_id and a.location_id = n.location_id and a.variant_id = n.variant_id and a.resolved_at
        is null) o
    where r.is_low::integer <> o.low or (n.available <= 0)::integer <> o.out
  loop
    perform private.judge_level(v_found.rule, v_found.available);
  end loop;
  return null;
end;
$$;

comment on function private.watch_levels() is
'Statement trigger of stock_levels: holds the levels that changed against their reorder rules.';

-- The acts ----------------------------------------------------------------------------------------

create function public.save_reorder_rule(p_id uuid, p_location_id uuid, p_variant_id uuid, p_reorder_point numeric,
  p_reorder_quantity numeric, p_lead_time_days integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_location public.locations;
  v_org_id uuid;
  v_decimals integer;
  v_rule public.reorder_rules;
begin
  select * into v_location from public.locations
  where org_id in (select private.org_of('public.locations', p_location_id)) and id = p_location_id and archived_at
    is null;
  v_org_id := private.authorize_branch('stock.plan', v_location.branch_id);
  select u.decimals into v_decimals
  from public.product_variants v
  join public.products p on p.org_id = v.org_id and p.id = v.product_id
  join public.units u on u.code = p.unit_code
  where v.org_id = v_org_id and v.id = p_variant_id and p.kind = 'goods';
  if v_decimals is null then
    perform private.fail(404, 'not_found', 'There is no such variant to keep in stock.', '{"field": "p_variant_id"}');
  elsif p_reorder_point is null or not p_reorder_point between 0 and 999999999
    or p_reorder_point <> round(p_reorder_point, v_decimals) then
    perform private.fail(400, 'invalid_input', format('p_reorder_point must be 0 or more, with %s decimals at most.',
      v_decimals),
      '{"field": "p_reorder_point"}');
  elsif p_reorder_quantity is null or not p_reorder_quantity between 0 and 999999999
    or p_reorder_quantity <> round(p_reorder_quantity, v_decimals) then
    perform private.fail(400, 'invalid_input', format('p_reorder_quantity must be 0 or more, with %s decimals at most.',
      v_decimals),
      '{"field": "p_reorder_quantity"}');
  elsif p_lead_time_days is null or p_lead_time_days not between 0 and 365 then
    perform private.fail(400, 'invalid_input', 'p_lead_time_days must be from 0 to 365.',
      '{"field": "p_lead_time_days"}');
  end if;

  if private.claim_request(v_org_id, p_id, 'save_reorder_rule',
    jsonb_build_array(p_location_id, p_variant_id, p_reorder_point, p_reorder_quantity, p_lead_time_days)) then
    -- Under the level's lock: a sale under way is judged by the old rule, the next one by this.
    perform private.lock_levels(v_org_id, array[p_location_id], array[p_variant_id]);
    insert into public.reorder_rules as r (org_id, branch_id, location_id, variant_id, reorder_point, reorder_quantity,
      lead_time_days)
    values (v_org_id, v_location.branch_id, p_location_id, p_variant_id, p_reorder_point, p_reorder_quantity,
      p_lead_time_days)
    on conflict (org_id, location_id, variant_id) do update
    set reorder_point = excluded.reorder_point, reorder_quantity = excluded.reorder_quantity,
      lead_time_days = excluded.lead_time_days
    returning * into v_rule;
    perform private.judge_level(v_rule, (
      select available from public.stock_levels
      where org_id = v_org_id and location_id = p_location_id and variant_id = p_variant_id));
  end if;
  return jsonb_build_object('org_id', v_org_id, 'branch_id', v_location.branch_id, 'location_id', p_location_id,
    'variant_id', p_variant_id, 'reorder_point', p_reorder_point, 'reorder_quantity', p_reorder_quantity,
    'lead_time_days', p_lead_time_days);
end;
$$;

comment on function public.save_reorder_rule(uuid, uuid, uuid, numeric, numeric, integer) is
'Sets when a variant is ordered again for a location, and looks at once whether it is low now. p_id: the client''s uuid
of this act. p_location_id; p_variant_id. p_reorder_point: at this much available or less; p_reorder_quantity: at least
so much at a time; both in the variant''s unit, 0 or more. p_lead_time_days: from the order to the shelf, 0 to 365.
Returns the rule as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 id_reused; 422
branch_archived. Permission: stock.plan.';
revoke execute on function public.save_reorder_rule(uuid, uuid, uuid, numeric, numeric, integer) from public, anon;
grant execute on function public.save_reorder_rule(uuid, uuid, uuid, numeric, numeric, integer) to authenticated;

create function public.remove_reorder_rule(p_id uuid, p_location_id uuid, p_variant_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_branch_id uuid := (select branch_id from public.locations
    where org_id in (select private.org_of('public.locations', p_location_id)) and id = p_location_id);
  v_org_id uuid := private.authorize_branch('stock.plan', v_branch_id);
begin
  if private.claim_request(v_org_id, p_id, 'remove_reorder_rule', jsonb_build_array(p_location_id, p_variant_id)) then
    perform private.lock_levels(v_org_id, array[p_location_id], array[p_variant_id]);
    delete from public.reorder_rules where org_id = v_org_id and location_id = p_location_id
      and variant_id = p_variant_id;
    if not found then
      perform private.fail(404, 'not_found', 'There is no such rule.', '{"field": "p_variant_id"}');
    end if;
    update public.stock_alerts set resolved_at = now()
    where org_id = v_org_id and location_id = p_location_id and variant_id = p_variant_id and resolved_at is null;
  end if;
  return jsonb_build_object('location_id', p_location_id, 'variant_id', p_variant_id);
end;
$$;

comment on function public.remove_reorder_rule(uuid, uuid, uuid) is
'Takes a reorder rule away and resolves its open alerts. p_id: the client''s uuid of this act. p_location_id;
p_variant_id. Returns {"location_id", "variant_id"}. Errors: 400 invalid_input; 401; 403 permission_denied; 404
not_found; 409 id_reused; 422 branch_archived. Permission: stock.plan.';
revoke execute on function public.remove_reorder_rule(uuid, uuid, uuid) from public, anon;
grant execute on function public.remove_reorder_rule(uuid, uuid, uuid) to authenticated;

create function public.acknowledge_alert(p_id uuid, p_alert_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_branch_id uuid := (select branch_id from public.stock_alerts
    where org_id in (select private.org_of('public.stock_alerts', p_alert_id)) and id = p_alert_id);
  v_org_id uuid := private.authorize_branch('stock.alert', v_branch_id);
begin
  if private.claim_request(v_org_id, p_id, 'acknowledge_alert', jsonb_build_array(p_alert_id)) then
    -- Who was first stays on record.
    update public.stock_alerts set acknowledged_at = now(), acknowledged_by = private.caller()
    where org_id = v_org_id and id = p_alert_id and acknowledged_at is null;
  end if;
  return (select to_jsonb(a) from public.stock_alerts a where a.org_id = v_org_id and a.id = p_alert_id);
end;
$$;

comment on function public.acknowledge_alert(uuid, uuid) is
'Says that somebody has seen to an alert; it stays open until there is stock again. p_id: the client''s uuid of this
act. p_alert_id. Returns the alert as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409
id_reused; 422 branch_archived. Permission: stock.alert.';
revoke execute on function public.acknowledge_alert(uuid, uuid) from public, anon;
grant execute on function public.acknowledge_alert(uuid, uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t80_watch_levels after update on public.stock_levels referencing new table as new_rows
  for each statement execute function private.watch_levels();
create trigger t90_touch_updated_at before update on public.reorder_rules for each row
  execute function private.touch_updated_at();
select audit.attach('public.reorder_rules', 'location_id', 'variant_id');
select audit.attach('public.stock_alerts');

-- Policies ----------------------------------------------------------------------------------------

alter table public.reorder_rules enable row level security;
create policy "Who holds stock.plan reads the reorder rules of his branches" on public.reorder_rules for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('stock.plan')))
    and case when (select private.covers_all_with('stock.plan')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.plan'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.plan'))) end);

alter table public.stock_alerts enable row level security;
create policy "Who holds stock.alert reads the alerts of his branches" on public.stock_alerts for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('stock.alert')))
    and case when (select private.covers_all_with('stock.alert')) then true
      when org_id = any (array(select private.whole_orgs_with('stock.alert'))) then true
      else branch_id = any (array(select private.listed_branches_with('stock.alert'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.reorder_rules, public.stock_alerts to authenticated;
