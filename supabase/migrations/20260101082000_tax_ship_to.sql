-- Where goods are brought: one of the customer's addresses, as documents keep it, and the place that it makes the
-- supply's.

create function private.ship_to(p_org_id uuid, p_customer_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_address public.customer_addresses;
begin
  if p_customer_id is null then
    perform private.fail(400, 'invalid_input', 'Say whose address it is.', '{"field": "p_customer_id"}');
  elsif p_id is null or p_id = p_customer_id then
    return null;
  end if;
  select * into v_address from public.customer_addresses where org_id = p_org_id and customer_id = p_customer_id
    and id = p_id;
  if v_address.id is null then
    perform private.fail(404, 'not_found', 'The customer has no such address.', '{"field": "deliver_to"}');
  elsif v_address.archived_at is not null then
    perform private.fail(422, 'address_archived', 'Nothing is brought to this address any more.',
      '{"field": "deliver_to"}');
  end if;
  return jsonb_build_object('id', v_address.id, 'name', coalesce(nullif(btrim(v_address.recipient), ''), (
      select c.name from public.customers c where c.org_id = p_org_id and c.id = p_customer_id)),
    'phone', v_address.phone, 'tax_area', v_address.tax_area, 'address', private.address_json(v_address.address_line1,
      v_address.address_line2, v_address.city, v_address.region_code, v_address.postal_code, v_address.country));
end;
$$;

comment on function private.ship_to(uuid, uuid, uuid) is
'Where goods are brought, as a document keeps it: who receives them (else the customer), phone and address.
p_customer_id: whose goods they are; p_id: one of his addresses, billing ones too; null or his own id: his own address,
of which a document says nothing more (null). Errors: 400 invalid_input (a walk-in), 404 not_found, 422
address_archived.';

create function private.destination(p_org public.organizations, p_branch public.branches, p_customer public.customers,
  p_ship_to jsonb)
returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_country text := p_ship_to -> 'address' ->> 'country';
  v_region text := p_ship_to -> 'address' ->> 'region_code';
begin
  if v_country is null then
    return null;
  elsif p_org.tax_regime = 'gst' then
    return case when p_customer.tax_number is not null and p_customer.country = 'IN' then null
      when v_country <> 'IN' then '96' else coalesce(v_region, p_branch.region_code) end;
  elsif p_org.tax_regime = 'vat' and p_customer.tax_number is not null and p_customer.country = p_branch.country and
    exists (
    select from public.countries h join public.countries d on d.tax_union = h.tax_union
    where h.code = p_branch.country and d.code = v_country) then
    return p_branch.country;
  end if;
  return concat_ws('-', v_country, v_region, case when v_region is not null then p_ship_to ->> 'tax_area' end);
end;
$$;

comment on function private.destination(public.organizations, public.branches, public.customers, jsonb) is
'The place of supply of goods that are brought elsewhere, as the option place_of_supply would name it; null where the
address does not decide. GST: where the movement ends (IGST Act 2017, section 10(1)(a); CBIC Circular 209/3/2024-GST),
but to whom is registered in India his own state, since goods brought elsewhere at his direction are deemed received by
him (section 10(1)(b)). VAT and sales tax: the destination (Streamlined Sales and Use Tax Agreement, section 310(A)(2)),
but a buyer registered in the branch''s own country is taxed there wherever in their tax union the goods go, since only
a number of another country frees them (Directive 2006/112/EC, article 138(1)(b)). p_ship_to: as private.ship_to has it.
No errors.';

create function private.address_json(p_line1 text, p_line2 text, p_city text, p_region_code text, p_postal_code text,
  p_country text)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_country text;
  v_region text;
begin
  if p_country is not null then
    select c.name, r.name into v_country, v_region from public.countries c
    left join public.regions r on r.country = c.code and r.code = p_region_code where c.code = p_country;
  end if;
  return jsonb_build_object('line1', p_line1, 'line2', p_line2, 'city', p_city, 'region_code', p_region_code,
    'region_name', v_region,
    'postal_code', p_postal_code, 'country', p_country, 'country_name', v_country);
end;
$$;

comment on function private.address_json(text, text, text, text, text, text) is 'An address as documents keep it.';

create function private.seller_json(p_org public.organizations, p_branch public.branches) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object('name', p_org.name, 'legal_name', p_org.legal_name, 'branch_code', p_branch.code,
    'branch_name', p_branch.name, 'tax_number', p_branch.tax_number, 'phone', p_branch.phone, 'email', p_branch.email,
    'upi_id', p_branch.upi_id, 'address', private.address_json(p_branch.address_line1, p_branch.address_line2,
      p_branch.city, p_branch.region_code, p_branch.postal_code, p_branch.country))
    || case when p_org.tax_regime = 'gst'
      then jsonb_build_object('tax_scheme', p_org.tax_scheme, 'lut_number', p_org.lut_number) else '{}' end;
end;
$$;

comment on function private.seller_json(public.organizations, public.branches) is 'The seller as a document keeps him.';

create function private.buyer_json(p_customer public.customers) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return case when p_customer.id is not null then jsonb_build_object('id', p_customer.id, 'name', p_customer.name,
    'tax_number', p_customer.tax_number, 'phone', p_customer.phone, 'email', p_customer.email,
    'address', private.address_json(p_customer.address_line1, p_customer.address_line2, p_customer.city,
      p_customer.region_code, p_customer.postal_code, p_customer.country)) end;
end;
$$;

comment on function private.buyer_json(public.customers) is 'The buyer as a document keeps him; null for a walk-in.';
