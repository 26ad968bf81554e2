-- Tax: where a supply takes place and how it is treated, which components it bears, and the one place where they are
-- computed.

-- Types -------------------------------------------------------------------------------------------

create type private.supply as (
  regime text,
  region text,
  region_name text,
  supply_type text,
  local_component text,
  charge text,
  registered boolean,
  rounding text,
  rate_path text[],
  home_path text[]
);

comment on type private.supply is
'How a document is taxed. regime: the organisation''s; region, region_name: the place of supply; supply_type:
intra_state, inter_state and sez (GST), domestic and intra_community (VAT, sales tax), export, untaxed; local_component:
SGST or UTGST; charge: what becomes of the tax: charged, zero_rated, reverse_charge (the buyer pays it), exempt (the
buyer holds a certificate), none (nobody computes any); registered: the buyer has a tax number and the supply is at
home; rounding: as organizations.tax_rounding; rate_path: the regions whose rates count, the outermost first; home_path:
the branch''s own.';

create type private.tax_terms as (
  rate numeric,
  cess_rate numeric,
  cess_per_unit numeric,
  components jsonb
);

comment on type private.tax_terms is
'The rates of a tax class at a place. rate: of all taxes but the cess, in percent of the taxable value, null when there
is none on that date; cess_rate: percent; cess_per_unit: in currency per unit of the product; components: null under
GST, whose parts are derived, else [{"component", "rate", "effective"}], where effective includes what a compounding tax
takes of the others.';

-- Where -------------------------------------------------------------------------------------------

create function private.region_path(p_region text) returns text[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_parts text[] := string_to_array(p_region, '-');
  v_path text[] := array[]::text[];
begin
  for i in 1 .. coalesce(cardinality(v_parts), 0) loop
    v_path := v_path || array_to_string(v_parts[1:i], '-');
  end loop;
  return v_path;
end;
$$;

comment on function private.region_path(text) is
'A place and all it lies in, the outermost first: US-NY-ERIE is {US, US-NY, US-NY-ERIE}. No errors.';

create function private.gst_supply(p_org public.organizations, p_branch public.branches, p_customer public.customers,
  p_options jsonb)
returns private.supply
language plpgsql stable
set search_path = ''
as $$
declare
  v_supply private.supply;
  v_region text := coalesce(p_options ->> 'place_of_supply', case when p_customer.country <> 'IN' then '96' end,
    p_customer.region_code, p_branch.region_code);
begin
  v_supply.regime := 'gst';
  v_supply.rounding := 'component';
  v_supply.home_path := array[p_branch.region_code];
  v_supply.rate_path := v_supply.home_path;
  v_supply.registered := false;
  if v_region = '96' then
    v_supply.region := '96';
    v_supply.region_name := 'Foreign country';
    v_supply.supply_type := 'export';
  else
    select r.code, r.name, r.local_component into v_supply.region, v_supply.region_name, v_supply.local_component
    from public.regions r where r.country = 'IN' and r.code = v_region;
    if not found then
      perform private.fail(400, 'invalid_input', 'place_of_supply must be a GST state code.',
        '{"field": "place_of_supply"}');
    end if;
    v_supply.rate_path := array[v_region];
    v_supply.supply_type := case when p_customer.tax_treatment = 'sez' then 'sez'
      when v_region = p_branch.region_code then 'intra_state' else 'inter_state' end;
    v_supply.registered := p_customer.tax_number is not null and v_supply.supply_type <> 'sez';
  end if;
  v_supply.charge := 'charged';
  if p_org.tax_scheme = 'composition' then
    if v_supply.supply_type <> 'intra_state' then
      perform private.fail(422, 'composition_interstate',
        'Who pays tax under the composition scheme supplies within his state only.',
        jsonb_build_object('place_of_supply', v_supply.region, 'supply_type', v_supply.supply_type));
    end if;
    v_supply.charge := 'none';
    v_supply.registered := false;
  elsif v_supply.supply_type in ('export', 'sez')
    and coalesce(p_options ->> 'export_tax', p_org.export_tax) = 'without_payment' then
    v_supply.charge := 'zero_rated';
  end if;
  return v_supply;
end;
$$;

comment on function private.gst_supply(public.organizations, public.branches, public.customers, jsonb) is
'A supply under India''s GST; parameters as private.place_of_supply. Within the branch''s state it is intra_state, else
inter_state (IGST Act 2017, sections 7, 8 and 10(1)(a), (c) and (ca)); to a SEZ unit or developer always inter-State
(section 7(5)(b)). Exports and supplies to SEZs are zero-rated (section 16), with or without payment of integrated tax.
A composition dealer collects none and makes no inter-State supply (CGST Act 2017, section 10(2) and (4)). Errors: 400
invalid_input, 422 composition_interstate.';

create function private.path_supply(p_org public.organizations, p_branch public.branches, p_customer public.customers,
  p_options jsonb)
returns private.supply
language plpgsql stable
set search_path = ''
as $$
declare
  v_supply private.supply;
  v_home text := concat_ws('-', p_branch.country, p_branch.region_code,
    case when p_branch.region_code is not null then p_branch.tax_area end);
  -- Goods handed over in a shop bear its sales tax, whatever the buyer's address (SSUTA, section 310(A)(1)): only the
  -- till knows more.
  v_region text := coalesce(p_options ->> 'place_of_supply', case when p_org.tax_regime <> 'sales_tax'
    then concat_ws('-',
    p_customer.country, p_customer.region_code, case when p_customer.region_code is not null then p_customer.tax_area
      end) end);
  v_country text;
  v_state text;
  v_union text;
begin
  v_region := coalesce(nullif(v_region, ''), v_home);
  v_country := split_part(v_region, '-', 1);
  v_state := nullif(split_part(v_region, '-', 2), '');
  v_supply.regime := p_org.tax_regime;
  v_supply.rounding := p_org.tax_rounding;
  v_supply.home_path := private.region_path(v_home);
  v_supply.rate_path := private.region_path(v_region);
  v_supply.region := v_region;
  select concat_ws(', ', c.name, r.name, nullif(substr(v_region, length(v_country) + length(v_state) + 3), '')),
    c.tax_union
  into v_supply.region_name, v_union
  from public.countries c left join public.regions r on r.country = c.code and r.code = v_state
  where c.code = v_country and (v_state is null or r.code is not null
    or not exists (select from public.regions x where x.country = c.code));
  if not found or v_region !~ '^[A-Z]{2}(-[A-Z0-9]{1,12}){0,4}$' then
    perform private.fail(400, 'invalid_input',
      'place_of_supply must be a country code, with its region where it has any.',
      '{"field": "place_of_supply"}');
  end if;
  v_supply.charge := 'charged';
  v_supply.supply_type := 'domestic';
  if p_org.tax_regime = 'none' then
    v_supply.supply_type := 'untaxed';
    v_supply.charge := 'none';
  elsif v_country <> p_branch.country then
    if p_customer.tax_number is not null and v_union = (select c.tax_union from public.countries c
      where c.code = p_branch.country) then
      v_supply.supply_type := 'intra_community';
      v_supply.charge := 'zero_rated';
    elsif exists (select from public.tax_rates t where t.org_id = p_org.id and t.region = any (v_supply.rate_path)) then
      null;
    elsif v_union = (select c.tax_union from public.countries c where c.code = p_branch.country) then
      -- Below the union's threshold of distance sales a consumer's goods are supplied where they are sent from.
      v_supply.region := p_branch.country;
      v_supply.region_name := (select c.name from public.countries c where c.code = p_branch.country);
    else
      v_supply.supply_type := 'export';
      v_supply.charge := 'zero_rated';
    end if;
    if v_supply.region <> v_region or v_supply.charge = 'zero_rated' then
      v_supply.rate_path := v_supply.home_path;
    end if;
  end if;
  if p_customer.tax_treatment = 'exempt' and v_supply.charge = 'charged' then
    v_supply.charge := 'exempt';
  end if;
  v_supply.registered := p_org.tax_regime = 'vat' and p_customer.tax_number is not null and v_supply.charge = 'charged';
  return v_supply;
end;
$$;

comment on function private.path_supply(public.organizations, public.branches, public.customers, jsonb) is
'A supply under VAT, sales tax or no tax; parameters as private.place_of_supply. Domestic: in the branch''s country and
where the organisation has rates of its own; intra_community: to a buyer with a tax number in another country of the
same tax union (Directive 2006/112/EC, articles 138 and 196); to a consumer there without rates of its own it is taxed
at home (article 59c); else an export, zero-rated. Errors: 400 invalid_input.';

create function private.place_of_supply(p_org public.organizations, p_branch public.branches,
  p_customer public.customers,
  p_options jsonb, p_ship_to jsonb)
returns private.supply
language plpgsql stable
set search_path = ''
as $$
declare
  v_supply private.supply;
  v_destination text;
begin
  if p_ship_to is not null and p_options ->> 'place_of_supply' is null then
    v_destination := private.destination(p_org, p_branch, p_customer, p_ship_to);
    if v_destination is not null then
      p_options := p_options || jsonb_build_object('place_of_supply', v_destination);
    end if;
  end if;
  if p_org.tax_regime = 'gst' then
    v_supply := private.gst_supply(p_org, p_branch, p_customer, p_options);
  else
    v_supply := private.path_supply(p_org, p_branch, p_customer, p_options);
  end if;
  if (p_options ->> 'reverse_charge')::boolean then
    if not v_supply.registered then
      perform private.fail(422, 'reverse_charge_not_possible', 'Only a registered buyer can pay the tax himself.',
        '{"field": "reverse_charge"}');
    end if;
    v_supply.charge := 'reverse_charge';
  end if;
  return v_supply;
end;
$$;

comment on function private.place_of_supply(public.organizations, public.branches, public.customers, jsonb, jsonb) is
'Where a document''s supply takes place and how it is taxed. p_customer: all null for a walk-in. p_options:
place_of_supply (what the till says; else where p_ship_to makes it, by private.destination; else the customer''s
recorded address, but not under sales tax; else the branch), a GST state code, 96 abroad, or a country with its regions;
export_tax (with_payment, without_payment); reverse_charge (true: the buyer pays the tax, where the law says so: CGST
Act 2017, section 9(3) and (4)). p_ship_to: where the goods are brought, as private.ship_to has it, or null. Errors: 400
invalid_input, 422 composition_interstate, reverse_charge_not_possible.';

-- At which rates ----------------------------------------------------------------------------------

create function private.rate_stack(p_org_id uuid, p_tax_class_id uuid, p_path text[], p_date date, p_regime text)
returns private.tax_terms
language plpgsql stable
set search_path = ''
as $$
declare
  v_terms private.tax_terms;
begin
  with found as (
    -- Of each component the innermost region's rate, the latest of them.
    select distinct on (t.component) coalesce(t.component, case p_regime when 'vat' then 'VAT' else 'Sales tax' end)
      as component,
      t.rate, t.compounds, coalesce(array_position(p_path, t.region), 0) as place
    from public.tax_rates t
    where t.org_id = p_org_id and t.tax_class_id = p_tax_class_id and t.valid_from <= p_date
      and (t.region is null or t.region = any (p_path))
    order by t.component, array_position(p_path, t.region) desc nulls last, t.valid_from desc
  ), effective as (
    select f.component, f.rate, f.compounds, f.place,
      f.rate * (1 + case when f.compounds then coalesce(sum(f.rate) filter (where not f.compounds) over (), 0) / 100
        else 0 end)
        as effective
    from found f
  )
  select sum(e.effective), 0, 0, coalesce(jsonb_agg(jsonb_build_object('component', e.component, 'rate',
    round(e.rate, 3),
    'effective', e.effective) order by e.compounds, e.place, e.component) filter (where e.rate > 0), '[]')
  into v_terms.rate, v_terms.cess_rate, v_terms.cess_per_unit, v_terms.components from effective e;
  return v_terms;
end;
$$;

comment on function private.rate_stack(uuid, uuid, text[], date, text) is
'The taxes that stand together on a class outside GST. p_path: the regions whose rates count, the outermost first;
p_date: the business date; p_regime: vat or sales_tax, which names the component that has no name. The rate is null when
no row is found. No errors.';

create function private.tax_terms_of(p_org_id uuid, p_tax_class_id uuid, p_supply private.supply, p_date date)
returns private.tax_terms
language plpgsql stable
set search_path = ''
as $$
declare
  v_terms private.tax_terms;
begin
  if p_supply.regime = 'gst' then
    -- The region's own rate comes before the general one, the latest before the earlier.
    select t.rate, t.cess_rate, t.cess_per_unit into v_terms.rate, v_terms.cess_rate, v_terms.cess_per_unit
    from public.tax_rates t
    where t.org_id = p_org_id and t.tax_class_id = p_tax_class_id and t.valid_from <= p_date and t.component is null
      and (t.region = p_supply.rate_path[1] or t.region is null)
    order by t.region nulls last, t.valid_from desc limit 1;
    return v_terms;
  end if;
  return private.rate_stack(p_org_id, p_tax_class_id, p_supply.rate_path, p_date, p_supply.regime);
end;
$$;

comment on function private.tax_terms_of(uuid, uuid, private.supply, date) is
'The rates of a tax class for a supply on a business date. p_supply: as private.place_of_supply found. No errors.';

create function private.tax_kind_of(p_class_kind text, p_class_reverse_charge boolean,
  p_supply private.supply) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_supply.charge = 'none' then case when p_supply.regime = 'gst'
    and p_class_kind in ('nil_rated', 'exempt', 'non_gst')
      then p_class_kind else 'untaxed' end
    when p_supply.charge = 'zero_rated' then 'zero_rated'
    when p_class_kind <> 'taxable' then p_class_kind
    when p_supply.charge = 'exempt' then 'exempt'
    when p_supply.charge = 'reverse_charge' or (p_class_reverse_charge and p_supply.registered) then 'reverse_charge'
    else 'taxable' end;
end;
$$;

comment on function private.tax_kind_of(text, boolean, private.supply) is
'How a line of a class is taxed within a supply: taxable, nil_rated, exempt, non_gst, zero_rated, reverse_charge or
untaxed. What leaves zero-rated leaves so even if it is exempt at home (IGST Act 2017, section 16(2)). A composition
dealer''s goods are untaxed, but those that bear none anyway stay apart: a trader pays on his taxable turnover (CGST
Rules 2017, rule 7). No errors.';

-- How much ----------------------------------------------------------------------------------------

create function private.line_tax(p_amount numeric, p_includes_tax boolean, p_quantity numeric, p_kind text,
  p_terms private.tax_terms,
  p_supply private.supply, out taxable numeric, out tax numeric, out taxes jsonb)
language plpgsql immutable
set search_path = ''
as $$
declare
  v_rate numeric := coalesce(p_terms.rate, 0);
  v_cess_rate numeric := coalesce(p_terms.cess_rate, 0);
  v_fixed numeric := 0;
  v_cess numeric;
  v_base numeric := p_amount;
  v_divisor numeric := 100;
  v_part numeric;
  v_component jsonb;
  v_before numeric := 0;
  v_uncharged jsonb := '[]'::jsonb;
begin
  if p_kind = 'reverse_charge' and v_cess_rate + coalesce(p_terms.cess_per_unit, 0) > 0 then
    -- The tax's rate stands on the line; the cess's is kept here, for whoever declares what the buyer owes.
    v_uncharged := jsonb_build_array(jsonb_build_object('component', 'CESS', 'rate', round(v_cess_rate, 3), 'amount',
      0.00)
      || case when p_terms.cess_per_unit > 0 then jsonb_build_object('per_unit', p_terms.cess_per_unit) else '{}' end);
  end if;
  taxable := p_amount;
  tax := 0.00;
  taxes := v_uncharged;
  -- Where no tax is charged, what a price holds of it is still taken out, but for those who never compute any.
  if p_kind <> 'taxable' and (not p_includes_tax or p_kind = 'untaxed') then
    return;
  end if;
  if p_terms.cess_per_unit > 0 and p_amount > 0 then
    v_fixed := round(p_terms.cess_per_unit * p_quantity, 2);
  end if;
  if v_rate + v_cess_rate + v_fixed = 0 then
    return;
  end if;
  if p_includes_tax then
    v_base := p_amount - v_fixed;
    v_divisor := 100 + v_rate + v_cess_rate;
  end if;

  if p_terms.components is not null then
    for v_component in select c from jsonb_array_elements(p_terms.components) c loop
      if p_supply.rounding = 'sum' then
        -- Each takes what the sum so far grows by, so that together they are the rounded sum.
        v_before := v_before + (v_component -> 'effective')::numeric;
        v_part := round(v_base * v_before / v_divisor, 2) - tax;
      else
        v_part := round(v_base * (v_component -> 'effective')::numeric / v_divisor, 2);
      end if;
      tax := tax + v_part;
      taxes := taxes || jsonb_build_object('component', v_component -> 'component', 'rate', v_component -> 'rate',
        'amount', v_part);
    end loop;
  else
    if v_rate > 0 and p_supply.supply_type = 'intra_state' then
      v_part := round(v_base * (v_rate / 2) / v_divisor, 2);
      tax := v_part + v_part;
      taxes := jsonb_build_array(
        jsonb_build_object('component', 'CGST', 'rate', round(v_rate / 2, 3), 'amount', v_part),
        jsonb_build_object('component', p_supply.local_component, 'rate', round(v_rate / 2, 3), 'amount', v_part));
    elsif v_rate > 0 then
      tax := round(v_base * v_rate / v_divisor, 2);
      taxes := jsonb_build_array(jsonb_build_object('component', 'IGST', 'rate', round(v_rate, 3), 'amount', tax));
    end if;
    if v_cess_rate + v_fixed > 0 then
      v_cess := round(v_base * v_cess_rate / v_divisor, 2) + v_fixed;
      tax := tax + v_cess;
      taxes := taxes || (jsonb_build_object('component', 'CESS', 'rate', round(v_cess_rate, 3), 'amount', v_cess)
        || case when p_terms.cess_per_unit > 0 then jsonb_build_object('per_unit', p_terms.cess_per_unit) else '{}'
          end);
    end if;
  end if;
  if p_includes_tax then
    taxable := p_amount - tax;
  end if;
  if p_kind <> 'taxable' then
    tax := 0.00;
    taxes := v_uncharged;
  end if;
end;
$$;

comment on function private.line_tax(numeric, boolean, numeric, text, private.tax_terms, private.supply) is
'The tax of one line, each component rounded half up to 2 decimals, or their sum where the supply says so. p_amount: the
line after discount, in the document''s currency; p_includes_tax: whether tax is within it; p_quantity: in the
product''s own unit, for a cess per unit; p_kind: as private.tax_kind_of says; p_terms: the rates; p_supply. Under GST
within the state CGST and the local component, half each (CGST Act 2017, section 9, with the state''s own), else IGST
(IGST Act 2017, section 5), and the compensation cess on the same value (GST (Compensation to States) Act 2017, section
8). Of a price with tax the components are taken out first and the rest is taxable (CGST Rules 2017, rule 35), so the
line keeps its price to the paisa; where the tax is not charged it is taken out all the same. Returns taxable (below 0
when a cess per unit is more than the price), tax and taxes [{"component", "rate", "amount"}]; of a line under reverse
charge only the cess, with amount 0: the buyer pays it as he pays the tax (section 8(1) of that Act).';
