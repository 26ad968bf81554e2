-- Offers on the lines of a sale: which apply, what each takes off which line, and what the document says of it.

-- Amounts -----------------------------------------------------------------------------------------

create function private.spread_amount(p_amount numeric, p_weights numeric[]) returns numeric[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_total numeric := 0;
  v_sum numeric := 0;
  v_given numeric := 0;
  v_share numeric;
  v_parts numeric[] := array[]::numeric[];
begin
  foreach v_share in array p_weights loop
    v_total := v_total + v_share;
  end loop;
  if v_total <= 0 then
    return array_fill(0::numeric, array[coalesce(cardinality(p_weights), 0)]);
  end if;
  -- Each takes what the rounded sum so far grows by: together they are the amount, none is below zero or beyond its
  -- weight.
  foreach v_share in array p_weights loop
    v_sum := v_sum + v_share;
    v_parts := v_parts || (round(least(p_amount, v_total) * v_sum / v_total, 2) - v_given);
    v_given := round(least(p_amount, v_total) * v_sum / v_total, 2);
  end loop;
  return v_parts;
end;
$$;

comment on function private.spread_amount(numeric, numeric[]) is
'An amount spread in proportion to weights of 2 decimals, to 2 decimals; the parts sum to the amount, or to the weights
where these are less. p_amount and p_weights: 0 or more. No errors.';

create type private.offer as (
  id uuid,
  name text,
  kind text,
  value numeric,
  per_unit boolean,
  buy_quantity integer,
  get_quantity integer,
  max_times integer,
  combinable boolean,
  priority integer,
  places integer[],
  positions integer[],
  gives boolean[],
  needs integer[],
  targets integer
);

comment on type private.offer is
'A promotion that may apply to a sale. places: the lines it is about, by their index; positions, gives, needs: of each
the target it counts for, whether it is given (buy_get), and how many a bundle needs; targets: how many targets the
promotion has.';

create function private.take_units(p_offer private.offer, p_chosen boolean[], p_units numeric, p_units_of numeric[],
  p_left numeric[],
  p_dear_first boolean)
returns numeric[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_taken numeric[] := array_fill(0::numeric, array[cardinality(p_offer.places)]);
  v_left numeric := p_units;
  v_line record;
begin
  for v_line in
    select t.i, floor(p_units_of[t.place]) as units
    from unnest(p_offer.places, p_chosen) with ordinality t (place, chosen, i)
    where t.chosen and p_units_of[t.place] >= 1
    order by case when p_dear_first then -1 else 1 end * p_left[t.place] / p_units_of[t.place], t.i desc
  loop
    exit when v_left <= 0;
    v_taken[v_line.i] := least(v_left, v_line.units);
    v_left := v_left - v_taken[v_line.i];
  end loop;
  return v_taken;
end;
$$;

comment on function private.take_units(private.offer, boolean[], numeric, numeric[], numeric[], boolean) is
'Takes p_units whole units of the chosen lines of an offer, the cheapest first or the dearest; returns how many of each
of its lines. p_units_of, p_left: units and amount left of every line of the sale. No errors.';

create function private.offer_amounts(p_offer private.offer, p_units numeric[], p_left numeric[]) returns numeric[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_count integer := coalesce(cardinality(p_offer.places), 0);
  v_amounts numeric[] := array[]::numeric[];
  v_weights numeric[] := array[]::numeric[];
  v_taken numeric[];
  v_chosen boolean[];
  v_times numeric;
  v_bought numeric := 0;
  v_place integer;
  v_sum numeric := 0;
begin
  if v_count = 0 then
    return array[]::numeric[];
  elsif p_offer.kind = 'percent' then
    foreach v_place in array p_offer.places loop
      v_amounts := v_amounts || round(p_left[v_place] * p_offer.value / 100, 2);
    end loop;
    return v_amounts;
  elsif p_offer.kind = 'amount' then
    foreach v_place in array p_offer.places loop
      v_weights := v_weights || p_left[v_place];
      v_amounts := v_amounts || least(p_left[v_place], round(p_offer.value * p_units[v_place], 2));
    end loop;
    return case when p_offer.per_unit then v_amounts else private.spread_amount(p_offer.value, v_weights) end;
  elsif p_offer.kind = 'buy_get' then
    if true = any (p_offer.gives) then
      select coalesce(sum(floor(p_units[t.place])) filter (where not t.gives), 0),
        coalesce(sum(floor(p_units[t.place])) filter (where t.gives), 0)
      into v_bought, v_sum from unnest(p_offer.places, p_offer.gives) t (place, gives);
      v_times := least(floor(v_bought / p_offer.buy_quantity), p_offer.max_times);
      v_taken := private.take_units(p_offer, p_offer.gives, least(v_times * p_offer.get_quantity, v_sum), p_units,
        p_left, false);
    else
      foreach v_place in array p_offer.places loop
        v_bought := v_bought + floor(p_units[v_place]);
      end loop;
      v_times := least(floor(v_bought / (p_offer.buy_quantity + p_offer.get_quantity)), p_offer.max_times);
      if v_times > 0 then
        v_taken := private.take_units(p_offer, array_fill(true, array[v_count]), v_times * p_offer.get_quantity,
          p_units, p_left, false);
      end if;
    end if;
    for i in 1 .. v_count loop
      v_place := p_offer.places[i];
      v_amounts := v_amounts || coalesce(round(p_left[v_place] * v_taken[i] / p_units[v_place] * p_offer.value / 100,
        2), 0);
    end loop;
    return v_amounts;
  end if;

  -- A bundle: as often as every one of its targets is there, of the dearest units.
  select least(min(b.times), p_offer.max_times) into v_times from (
    select floor(sum(floor(p_units[t.place])) / min(t.needs)) as times
    from unnest(p_offer.places, p_offer.positions, p_offer.needs) t (place, position, needs) group by t.position) b
  having count(*) = p_offer.targets;
  v_weights := array_fill(0::numeric, array[v_count]);
  if v_times > 0 then
    for v_place in select distinct p from unnest(p_offer.positions) p order by p loop
      v_chosen := array(select p = v_place from unnest(p_offer.positions) with ordinality t (p, i) order by t.i);
      v_taken := private.take_units(p_offer, v_chosen, v_times * p_offer.needs[array_position(p_offer.positions,
        v_place)], p_units,
        p_left, true);
      for i in 1 .. v_count loop
        if v_chosen[i] then
          v_weights[i] := round(p_left[p_offer.places[i]] * v_taken[i] / p_units[p_offer.places[i]], 2);
          v_sum := v_sum + v_weights[i];
        end if;
      end loop;
    end loop;
  end if;
  return private.spread_amount(greatest(v_sum - coalesce(v_times, 0) * p_offer.value, 0), v_weights);
end;
$$;

comment on function private.offer_amounts(private.offer, numeric[], numeric[]) is
'What an offer takes off each of the lines it is about, in the order of its places: never below 0, never more than is
left. p_units: quantities of all lines, in the unit they are sold in; p_left: what is left of their prices. No errors.';

-- Which may apply ---------------------------------------------------------------------------------

create function private.offers_for(p_org_id uuid, p_branch_id uuid, p_customer_group_id uuid, p_local timestamp,
  p_lines private.sale_line[], p_places integer[], p_basket numeric, p_promotion_id uuid)
returns private.offer[]
language plpgsql stable
set search_path = ''
as $$
begin
  return array(
    with live as (
      select * from public.promotions p
      where p.org_id = p_org_id and p.archived_at is null and (not p.needs_coupon or p.id = p_promotion_id)
        and (p.customer_group_id is null or p.customer_group_id = p_customer_group_id)
        and (p.branch_id is null or p.branch_id = p_branch_id) and p.minimum_amount <= p_basket
        and p_local::date between coalesce(p.valid_from, '-infinity') and coalesce(p.valid_to, 'infinity')
        and (p.weekdays is null or extract(isodow from p_local)::integer = any (p.weekdays))
        and (p.time_from is null or case when p.time_from < p.time_to
          then p_local::time >= p.time_from and p_local::time < p.time_to
          else p_local::time >= p.time_from or p_local::time < p.time_to end)
    ), lines as materialized (
      select n.no, (p_lines[n.no]).variant_id, (p_lines[n.no]).product_id, k.path
      from unnest(p_places) n (no)
      left join lateral (
        select x.path from private.category_paths x where x.org_id = p_org_id
          and x.category_id = (p_lines[n.no]).category_id
        limit 1) k on true
    ), hits as (
      select m.promotion_id, array_agg(m.no order by m.no) as places, array_agg(m.position order by m.no) as positions,
        array_agg(m.part = 'get' order by m.no) as gives, array_agg(m.quantity order by m.no) as needs
      from (
        select distinct on (t.promotion_id, l.no) t.promotion_id, l.no, t.position, t.part, t.quantity
        from live p
        cross join lateral (
          select * from public.promotion_targets t where t.org_id = p.org_id and t.promotion_id = p.id offset 0) t
        join lines l on t.variant_id = l.variant_id or t.product_id = l.product_id or t.category_id = any (l.path)
        where p.applies_to = 'targets'
        order by t.promotion_id, l.no, t.position) m
      group by m.promotion_id
    )
    select row (p.id, p.name, p.kind, p.value, p.per_unit, p.buy_quantity, p.get_quantity, p.max_times, p.combinable,
      p.priority,
      case when p.applies_to = 'everything' then p_places else h.places end, h.positions, h.gives, h.needs,
      case when p.kind = 'bundle' then (
        select count(*) from public.promotion_targets c where c.org_id = p.org_id and c.promotion_id = p.id)
          end)::private.offer
    from live p left join hits h on h.promotion_id = p.id
    where p.applies_to = 'everything' or h.places is not null
    order by p.priority desc, p.id);
end;
$$;

comment on function private.offers_for(uuid, uuid, uuid, timestamp, private.sale_line[], integer[], numeric, uuid) is
'The promotions that may apply to a sale, in the order in which combinable ones are taken: the highest priority first,
then by id. p_places: the lines that offers may touch, by their index; p_basket: what all lines come to before offers;
p_promotion_id: that of the coupon shown, or null; the rest as private.apply_offers''s. Past midnight the weekday and
the date are the new day''s. No errors.';

create function private.apply_offers(p_org_id uuid, p_branch_id uuid, p_customer_group_id uuid, p_local timestamp,
  p_lines private.sale_line[], p_promotion_id uuid, p_code text, out taken numeric[], out offers jsonb[])
language plpgsql stable
set search_path = ''
as $$
declare
  v_places integer[] := array[]::integer[];
  v_units numeric[] := array[]::numeric[];
  v_nets numeric[] := array[]::numeric[];
  v_left numeric[];
  v_basket numeric := 0;
  v_line private.sale_line;
  v_offers private.offer[];
  v_offer private.offer;
  v_amounts numeric[];
  v_saving numeric;
  v_together numeric := 0;
  v_best numeric := 0;
  v_combined jsonb[];
  v_alone jsonb[];
  v_entry jsonb;
  v_off numeric[];
  v_off_alone numeric[];
  v_coupon_saves boolean := false;
  v_net numeric;
  v_place integer := 0;
begin
  foreach v_line in array p_lines loop
    v_place := v_place + 1;
    v_net := round(v_line.quantity * v_line.unit_price, 2) - v_line.discount;
    v_units := v_units || v_line.quantity;
    v_nets := v_nets || v_net;
    v_basket := v_basket + v_net;
    -- A price that somebody agreed on with the customer is the price.
    if v_line.unit_price = v_line.list_price and v_net > 0 then
      v_places := v_places || v_place;
    end if;
  end loop;
  v_offers := case when cardinality(v_places) > 0 then private.offers_for(p_org_id, p_branch_id, p_customer_group_id,
    p_local, p_lines,
    v_places, v_basket, p_promotion_id) end;

  v_left := v_nets;
  v_combined := array_fill('[]'::jsonb, array[v_place]);
  v_off := array_fill(0::numeric, array[v_place]);
  foreach v_offer in array coalesce(v_offers, '{}') loop
    -- An exclusive offer stands alone, so it is measured on the prices as they are; each combinable one on what those
    -- before it left.
    v_amounts := private.offer_amounts(v_offer, v_units, case when v_offer.combinable then v_left else v_nets end);
    v_saving := 0;
    for i in 1 .. cardinality(v_amounts) loop
      v_saving := v_saving + v_amounts[i];
    end loop;
    continue when v_saving <= 0;
    v_coupon_saves := v_coupon_saves or v_offer.id = p_promotion_id;
    continue when not v_offer.combinable and v_saving <= v_best;
    v_entry := jsonb_build_object('promotion_id', v_offer.id, 'name', v_offer.name)
      || case when v_offer.id = p_promotion_id then jsonb_build_object('coupon', p_code) else '{}' end;
    if v_offer.combinable then
      v_together := v_together + v_saving;
    else
      v_best := v_saving;
      v_alone := array_fill('[]'::jsonb, array[v_place]);
      v_off_alone := array_fill(0::numeric, array[v_place]);
    end if;
    for i in 1 .. cardinality(v_amounts) loop
      continue when v_amounts[i] <= 0;
      if v_offer.combinable then
        v_left[v_offer.places[i]] := v_left[v_offer.places[i]] - v_amounts[i];
        v_off[v_offer.places[i]] := v_off[v_offer.places[i]] + v_amounts[i];
        v_combined[v_offer.places[i]] := v_combined[v_offer.places[i]]
          || (v_entry || jsonb_build_object('amount', v_amounts[i]));
      else
        v_off_alone[v_offer.places[i]] := v_amounts[i];
        v_alone[v_offer.places[i]] := jsonb_build_array(v_entry || jsonb_build_object('amount', v_amounts[i]));
      end if;
    end loop;
  end loop;
  if p_promotion_id is not null and not v_coupon_saves then
    perform private.fail(422, 'coupon_invalid', 'This coupon gives nothing off this sale.',
      jsonb_build_object('coupon', p_code, 'reason', 'not_applicable'));
  elsif v_together + v_best = 0 then
    return;
  end if;
  taken := case when v_best > v_together then v_off_alone else v_off end;
  offers := case when v_best > v_together then v_alone else v_combined end;
end;
$$;

comment on function private.apply_offers(uuid, uuid, uuid, timestamp, private.sale_line[], uuid, text) is
'What offers take off the lines of a sale, before they are taxed: of each line the amount and what the document says of
it; both null when there is nothing. p_customer_group_id: of the buyer, or null; p_local: the time of the sale by the
branch''s clock; p_lines: as private.price_lines returns them, in order; p_promotion_id, p_code: of the
coupon shown, or null. The rule: lines whose price is not the catalogue''s are left alone; manual discounts come first
and keep their own limit. Combinable offers add up, the highest priority first, then by id, each on what those before it
left. An exclusive offer stands alone on the document; of several the one that saves most counts, then the one of higher
priority, then by id. The document gets the exclusive one if it saves more than the combinable ones together, else
these. Nothing falls below zero. Each line says what it got: offers [{"promotion_id", "name", "amount", "coupon"?}].
Errors: 422 coupon_invalid (it gives nothing).';
