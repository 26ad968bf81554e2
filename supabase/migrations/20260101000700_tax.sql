-- Tax: where a supply takes place, which components it bears, and the one place where they are computed.

create function private.place_of_supply(p_org public.organizations, p_branch public.branches, p_customer public.customers,
  p_region text)
returns table (region text, region_name text, supply_type text, local_component text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_country text := coalesce(p_customer.country, p_org.country);
begin
  if p_org.tax_regime = 'gst' then
    region := coalesce(p_region, case when v_country <> 'IN' then '96' end, p_customer.region_code, p_branch.region_code);
    if region = '96' then
      return query select '96'::text, 'Foreign country'::text, 'export'::text, null::text;
      return;
    end if;
    return query
    select r.code, r.name, case when r.code = p_branch.region_code then 'intra_state' else 'inter_state' end, r.local_component
    from public.regions r where r.country = 'IN' and r.code = region;
    if not found then
      perform private.fail(400, 'invalid_input', 'place_of_supply must be a GST state code.', '{"field": "place_of_supply"}');
    end if;
    return;
  end if;
  region := coalesce(p_region, v_country);
  return query
  select c.code, c.name,
    case when p_org.tax_regime = 'none' then 'untaxed'
      when c.code = p_org.country
        or exists (select from public.tax_rates t where t.org_id = p_org.id and t.region = c.code) then 'domestic'
      else 'export' end, null::text
  from public.countries c where c.code = region;
  if not found then
    perform private.fail(400, 'invalid_input', 'place_of_supply must be a country code.', '{"field": "place_of_supply"}');
  end if;
end;
$$;

comment on function private.place_of_supply(public.organizations, public.branches, public.customers, text) is
'Where a counter sale is supplied. p_region: what the till says, else the customer''s recorded address, else the branch.
GST: a state code, or 96 abroad; within the branch''s state the supply is intra_state, else inter_state (IGST Act 2017,
sections 7, 8 and 10(1)(a), (c) and (ca)); abroad it is an export, zero-rated (section 16). VAT: a country code; domestic at
home and where the organisation has rates of its own, else export. Regime none: untaxed. Returns the region, its name, supply_type and the local tax that stands beside CGST.
Errors: 400 invalid_input.';

create function private.line_tax(p_amount numeric, p_includes_tax boolean, p_rate numeric, p_supply_type text,
  p_local_component text)
returns table (taxable numeric, tax numeric, taxes jsonb)
language plpgsql immutable
set search_path = ''
as $$
begin
  return query
  with components as (
    select c.name, c.rate, c.place,
      round(p_amount * c.rate / (case when p_includes_tax then 100 + p_rate else 100 end), 2) as amount
    from (values
      (1, 'CGST', p_rate / 2, p_supply_type = 'intra_state'),
      (2, p_local_component, p_rate / 2, p_supply_type = 'intra_state'),
      (1, 'IGST', p_rate, p_supply_type = 'inter_state'),
      (1, 'VAT', p_rate, p_supply_type = 'domestic')) as c (place, name, rate, applies)
    where c.applies and p_rate > 0
  ), summed as (
    select coalesce(sum(amount), 0.00) as tax,
      coalesce(jsonb_agg(jsonb_build_object('component', name, 'rate', round(rate, 3), 'amount', amount) order by place), '[]') as taxes
    from components
  )
  select case when p_includes_tax then p_amount - s.tax else p_amount end, s.tax, s.taxes from summed s;
end;
$$;

comment on function private.line_tax(numeric, boolean, numeric, text, text) is
'The tax of one line, each component rounded half up to 2 decimals. p_amount: the line after discount, in the document''s
currency; p_includes_tax: whether tax is within it; p_rate: percent; p_supply_type: intra_state (CGST and the local component,
half each: CGST Act section 9 with the state''s own), inter_state (IGST: IGST Act section 5), domestic (VAT), export or
untaxed (nothing); p_local_component: SGST or UTGST. Of a price with tax the components are taken out first and the rest is
taxable, so the line keeps its price to the paisa. Returns taxable, tax and taxes [{"component", "rate", "amount"}].';
