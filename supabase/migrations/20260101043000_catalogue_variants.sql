-- Variants by attribute: a grid of materials, colours and sizes, of which each combination is a variant.

-- Functions ---------------------------------------------------------------------------------------

create function private.check_grid(p_grid jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_problem text;
  v_combinations numeric := 1;
  v_attribute jsonb;
begin
  if p_grid is null or jsonb_typeof(p_grid) <> 'array' or jsonb_array_length(p_grid) not between 1 and 6 then
    perform private.fail(400, 'invalid_input', 'p_grid must be a JSON array of 1 to 6 attributes.',
      '{"field": "p_grid"}');
  end if;
  for v_attribute in select a from jsonb_array_elements(p_grid) a loop
    v_problem := case
      when jsonb_typeof(v_attribute) <> 'object' or v_attribute - array['name', 'values'] <> '{}'
        then 'Each attribute of p_grid is {"name", "values"}.'
      when jsonb_typeof(v_attribute -> 'name') is distinct from 'string'
        or length(btrim(v_attribute ->> 'name')) not between 1 and 40
          then 'An attribute''s name has 1 to 40 characters.'
      when jsonb_typeof(v_attribute -> 'values') is distinct from 'array'
        or jsonb_array_length(v_attribute -> 'values') not between 1 and 200 then 'An attribute has 1 to 200 values.'
      when exists (
        select from jsonb_array_elements(v_attribute -> 'values') x
        where jsonb_typeof(x) <> 'string' or length(btrim(x #>> '{}')) not between 1 and 60)
        then 'A value is a text of 1 to 60 characters.'
      when (select count(*) <> count(distinct lower(btrim(x)))
        from jsonb_array_elements_text(v_attribute -> 'values') x)
        then 'A value comes twice.'
    end;
    exit when v_problem is not null;
    v_combinations := v_combinations * jsonb_array_length(v_attribute -> 'values');
  end loop;
  if v_problem is null and (
    select count(*) <> count(distinct lower(btrim(a ->> 'name'))) from jsonb_array_elements(p_grid) a) then
    v_problem := 'An attribute comes twice.';
  elsif v_problem is null and v_combinations > 1000 then
    v_problem := format('A grid has 1000 combinations at most, not %s.', v_combinations);
  end if;
  if v_problem is not null then
    perform private.fail(400, 'invalid_input', v_problem, '{"field": "p_grid"}');
  end if;
end;
$$;

comment on function private.check_grid(jsonb) is
'p_grid: [{"name", "values": [...]}], 1 to 6 attributes, 1000 combinations at most. Errors: 400 invalid_input.';

create function private.short_codes(p_values text[]) returns text[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_codes text[] := '{}'::text[];
  v_base text;
  v_code text;
  v_next integer;
begin
  for i in 1 .. cardinality(p_values) loop
    v_base := coalesce(nullif(upper(regexp_replace(p_values[i], '[^[:alnum:]]+', '', 'g')), ''), 'X');
    -- Three letters say most; a value that begins like an earlier one takes more of itself, and at last a number.
    v_next := 3;
    loop
      v_code := case when v_next <= 8 then left(v_base, v_next) else left(v_base, 6) || (v_next - 7)::text end;
      exit when not v_code = any (v_codes);
      v_next := v_next + 1;
    end loop;
    v_codes := v_codes || v_code;
  end loop;
  return v_codes;
end;
$$;

comment on function private.short_codes(text[]) is
'For each value a code of a few letters and digits for SKUs, different from the codes before it. p_values: in order;
values added at the end leave the codes of the others as they were.';

create function private.sku_prefix(p_name text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce((
    select string_agg(left(w.word, 3), '-' order by w.place)
    from (
      select upper(regexp_replace(t.word, '[^[:alnum:]]+', '', 'g')) as word, t.place
      from regexp_split_to_table(btrim(p_name), '\s+') with ordinality t (word, place)) w
    where w.word <> '' and w.place <= 3), 'SKU');
end;
$$;

comment on function private.sku_prefix(text)
  is 'How SKUs of a product begin when nobody says: three letters of its first words.';

select private.declare_shape('generate_variants_options',
  '{"price": "amount!", "price_includes_tax": "boolean", "sku_prefix": "text", "tracking": ["none", "serial",
    "batch"], "exclude": "any"}',
  array['generate_variants.p_options']);

create function public.generate_variants(p_id uuid, p_product_id uuid, p_grid jsonb, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.products', p_product_id);
  v_product public.products;
  v_price_includes_tax boolean;
  v_prefix text;
  v_new record;
  v_sku text;
  v_taken text[];
  v_rows jsonb := '[]'::jsonb;
begin
  perform private.authorize('catalogue.manage', v_org_id);
  perform private.check_grid(p_grid);
  perform private.check_shape('generate_variants_options', p_options);
  if coalesce(p_options ->> 'sku_prefix', 'SKU') !~ '^[^\s-]([^\s]{0,18}[^\s-])?$' then
    perform private.fail(400, 'invalid_input', 'sku_prefix has 1 to 20 characters, without spaces.',
      '{"field": "sku_prefix"}');
  end if;
  if coalesce(jsonb_typeof(p_options -> 'exclude'), 'array') not in ('array', 'null')
    or exists (select from jsonb_path_query(p_options, 'strict $.exclude[*]', silent => true) e
      where jsonb_typeof(e) <> 'object'
      or e = '{}') then
    perform private.fail(400, 'invalid_input', 'exclude must be an array of combinations, such as {"colour": "grey"}.',
      '{"field": "exclude"}');
  end if;

  if private.claim_request(v_org_id, p_id, 'generate_variants', jsonb_build_array(p_product_id, p_grid, p_options)) then
    -- One grid of a product at a time: the second one sees what the first has made.
    select * into v_product from public.products where org_id = v_org_id and id = p_product_id for no key update;
    if v_product.archived_at is not null then
      perform private.fail(422, 'product_archived', format('%s is archived.', v_product.name),
        jsonb_build_object('product_id', p_product_id));
    end if;
    v_price_includes_tax := coalesce((p_options ->> 'price_includes_tax')::boolean,
      (select o.prices_include_tax from public.organizations o where o.id = v_org_id));
    v_prefix := coalesce(p_options ->> 'sku_prefix', private.sku_prefix(v_product.name));
    select coalesce(array_agg(v.sku), '{}') into v_taken
    from public.product_variants v where v.org_id = v_org_id and starts_with(v.sku, left(v_prefix, 54));
    for v_new in
      with recursive grid as (
        select t.place, btrim(t.attribute ->> 'name') as name, v.entries, private.short_codes(v.entries) as codes
        from jsonb_array_elements(p_grid) with ordinality t (attribute, place)
        cross join lateral (
          select array_agg(btrim(x.entry) order by x.place) as entries
          from jsonb_array_elements_text(t.attribute -> 'values') with ordinality x (entry, place)) v
      ), combined as (
        select 0::bigint as place, '{}'::jsonb as attributes, '{}'::text[] as words, v_prefix as sku, array[]::integer[]
          as numbers
        union all
        select g.place, c.attributes || jsonb_build_object(g.name, g.entries[i]), c.words || g.entries[i],
          c.sku || '-' || g.codes[i], c.numbers || i
        from combined c join grid g on g.place = c.place + 1 cross join generate_subscripts(g.entries, 1) i
      )
      select c.attributes, left(v_product.name || ', ' || array_to_string(c.words, ', '), 200) as name,
        rtrim(left(c.sku, 54), '-') as sku
      from combined c
      where c.place = jsonb_array_length(p_grid)
        and not exists (
          select from jsonb_path_query(p_options, 'strict $.exclude[*]', silent => true) e
          where lower(c.attributes::text)::jsonb @> lower(e::text)::jsonb)
        and not exists (
          select from public.product_variants v
          where v.org_id = v_org_id and v.product_id = p_product_id and v.attributes <> '{}'
            and lower(v.attributes::text) = lower(c.attributes::text))
      order by c.numbers
    loop
      v_sku := v_new.sku;
      for v_number in 2 .. 100000 loop
        exit when not v_sku = any (v_taken);
        v_sku := v_new.sku || '-' || v_number;
      end loop;
      v_taken := v_taken || v_sku;
      v_rows := v_rows || jsonb_build_object('sku', v_sku, 'name', v_new.name, 'attributes', v_new.attributes);
    end loop;
    insert into public.product_variants (org_id, product_id, sku, name, attributes, price, price_includes_tax, tracking)
    select v_org_id, p_product_id, r.sku, r.name, r.attributes, (p_options ->> 'price')::numeric, v_price_includes_tax,
      coalesce(p_options ->> 'tracking', 'none')
    from jsonb_to_recordset(v_rows) r (sku text, name text, attributes jsonb);
  end if;
  return jsonb_build_object('product_id', p_product_id, 'variants', (
    select coalesce(jsonb_agg(to_jsonb(v) order by v.sku), '[]') from public.product_variants v
    where v.org_id = v_org_id and v.product_id = p_product_id));
end;
$$;

comment on function public.generate_variants(uuid, uuid, jsonb, jsonb) is
'Makes a variant for each combination of attributes that the product lacks; what is there, archived ones included, stays
as it is. p_id: the client''s uuid. p_product_id. p_grid: [{"name": "material", "values": ["teak", "oak"]}, ...], 1 to 6
attributes, 1000 combinations at most. p_options: price (per unit, in the organisation''s currency; needed),
price_includes_tax (else as the organisation''s prices), sku_prefix (else from the product''s name), tracking (none,
serial, batch), exclude: [{"colour": "grey", ...}], combinations that are not made. Names and SKUs are put together from
the values. Returns {"product_id", "variants": [...]} with all variants of the product. Errors: 401, 404 not_found, 403
permission_denied, 400 invalid_input, 409 id_reused, duplicate (somebody took a SKU at the same moment), 422
product_archived, tracking_not_possible. Permission: catalogue.manage.';
revoke execute on function public.generate_variants(uuid, uuid, jsonb, jsonb) from public, anon;
grant execute on function public.generate_variants(uuid, uuid, jsonb, jsonb) to authenticated;
