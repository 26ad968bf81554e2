-- Search: name, SKU, barcodes, attributes, product and brand in one text per variant, found through one index.

create extension if not exists btree_gin with schema extensions;

-- Tables ------------------------------------------------------------------------------------------

create table private.variant_search (
  org_id uuid not null,
  variant_id uuid not null,
  document text not null,
  -- Variant first: there is one way to an organisation's texts, by their words.
  primary key (variant_id, org_id),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id) on delete cascade
);

comment on table private.variant_search is
'What a variant is found by, in lower case, each word behind a space. Kept by triggers; apart from product_variants, so
that a brand''s new name rewrites no row that sales refer to and fills no audit log.';
alter table private.variant_search enable row level security;

-- Indexes -----------------------------------------------------------------------------------------

-- The organisation is in the index too: a search meets the rows of its own house only.
create index variant_search_words on private.variant_search
  using gin (org_id extensions.uuid_ops, document extensions.gin_trgm_ops);
create index products_words on public.products
  using gin (org_id extensions.uuid_ops, (' ' || lower(name) || ' ' || coalesce(hsn_code, '')) extensions.gin_trgm_ops);

-- Keeping the text --------------------------------------------------------------------------------

create function private.lock_search(p_org_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('search:' || p_org_id, 0));
end;
$$;

comment on function private.lock_search(uuid) is
'Changes to what an organisation''s variants are found by are written one after the other, each held until its
transaction ends: so who waited here sees, in his next statement, what the one before him has committed, variants that
were new included.';

create function private.variant_texts(p_org_id uuid, p_variant_ids uuid[])
  returns table (org_id uuid, variant_id uuid, document text)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select v.org_id, v.id, ' ' || lower(concat_ws(' ', v.name, v.sku, regexp_replace(v.sku, '[^[:alnum:]]+', ' ', 'g'), (
      select string_agg(coalesce(b.gtin14, b.code), ' ') from public.variant_barcodes b
      where b.org_id = p_org_id and b.variant_id = v.id), (
      select string_agg(a.value, ' ') from jsonb_each_text(v.attributes) a), p.name, d.name))
  from unnest(p_variant_ids) i (id)
  -- Look-ups by the id alone: of an organisation that is new to its statistics the planner expects one row, and then
  -- takes any index that begins with org_id and reads the whole organisation for each variant.
  cross join lateral (select * from public.product_variants t where t.id = i.id offset 0) v
  cross join lateral (select * from public.products t where t.id = v.product_id offset 0) p
  left join lateral (select t.name, t.org_id from public.brands t
    where t.id = p.brand_id offset 0) d on d.org_id = p_org_id
  where v.org_id = p_org_id and p.org_id = p_org_id;
end;
$$;

comment on function private.variant_texts(uuid, uuid[]) is
'The texts by which variants are found, as their rows are now. p_org_id; p_variant_ids: ids that are gone are passed
over.';

create function private.index_variants(p_org_id uuid, p_variant_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.lock_search(p_org_id);
  -- A text that somebody removes with its variant at this moment is waited for and passed by. An insert that falls back
  -- on an update would write it anew, for a variant that is gone.
  update private.variant_search s set document = t.document
  from private.variant_texts(p_org_id, p_variant_ids) t
  where s.variant_id = t.variant_id and s.org_id = t.org_id and s.document <> t.document;
  insert into private.variant_search (org_id, variant_id, document)
  select t.org_id, t.variant_id, t.document
  from private.variant_texts(p_org_id, array(
    select i from unnest(p_variant_ids) i where not exists (
      select from private.variant_search s where s.variant_id = i and s.org_id = p_org_id))) t;
end;
$$;

comment on function private.index_variants(uuid, uuid[]) is
'Writes the text by which variants are found. p_org_id; p_variant_ids: those whose name, SKU, codes, attributes, product
or brand may have changed; ids that are gone are passed over.';

create function private.index_changed_variants() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op = 'INSERT' then
    perform private.index_variants(n.org_id, array_agg(n.id)) from new_rows n group by n.org_id;
  else
    perform private.index_variants(n.org_id, array_agg(n.id))
    from new_rows n join old_rows o on o.id = n.id and o.org_id = n.org_id
    where n.name <> o.name or n.sku <> o.sku or n.attributes <> o.attributes
    group by n.org_id;
  end if;
  return null;
end;
$$;

comment on function private.index_changed_variants()
  is 'Statement trigger, after variants were added or changed: keeps the search.';

create function private.index_changed_barcodes() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  -- Codes that go with their variant leave no text to be kept: who removes a variant holds its rows, and waits for
  -- nobody here.
  perform private.index_variants(r.org_id, array_agg(distinct r.variant_id))
  from changed_rows r
  where exists (select from public.product_variants v where v.id = r.variant_id and v.org_id = r.org_id)
  group by r.org_id;
  return null;
end;
$$;

comment on function private.index_changed_barcodes()
  is 'Statement trigger, after barcodes came or went: keeps the search.';

create function private.index_changed_products() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform private.lock_search(c.org_id)
  from (
    select distinct n.org_id from new_rows n join old_rows o on o.id = n.id and o.org_id = n.org_id
    where n.name <> o.name or n.brand_id is distinct from o.brand_id) c;
  if not found then
    return null;
  end if;
  perform private.index_variants(n.org_id, array_agg(v.id))
  from new_rows n
  join old_rows o on o.id = n.id and o.org_id = n.org_id
  cross join lateral (
    select t.id, t.org_id from public.product_variants t where t.product_id = n.id offset 0) v
  where v.org_id = n.org_id and (n.name <> o.name or n.brand_id is distinct from o.brand_id)
  group by n.org_id;
  return null;
end;
$$;

comment on function private.index_changed_products() is 'Statement trigger, after products changed: keeps the search.';

create function private.index_changed_brands() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform private.lock_search(c.org_id)
  from (
    select distinct n.org_id from new_rows n join old_rows o on o.id = n.id and o.org_id = n.org_id
      where n.name <> o.name) c;
  if not found then
    return null;
  end if;
  perform private.index_variants(n.org_id, array_agg(v.id))
  from new_rows n
  join old_rows o on o.id = n.id and o.org_id = n.org_id
  cross join lateral (
    select t.id, t.org_id from public.products t where t.brand_id = n.id offset 0) p
  cross join lateral (
    select t.id, t.org_id from public.product_variants t where t.product_id = p.id offset 0) v
  where p.org_id = n.org_id and v.org_id = n.org_id and n.name <> o.name
  group by n.org_id;
  return null;
end;
$$;

comment on function private.index_changed_brands() is 'Statement trigger, after brands changed: keeps the search.';

-- Asking ------------------------------------------------------------------------------------------

create function private.search_patterns(p_query text) returns text[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_words text[];
begin
  if length(p_query) > 200 then
    perform private.fail(400, 'invalid_input', 'A search has 200 characters at most.', '{"field": "p_query"}');
  end if;
  select array_agg(w.word) into v_words
  from (
    select distinct lower(t.word) as word from regexp_split_to_table(p_query, '\s+') t (word) where t.word <> '') w;
  if cardinality(v_words) > 10 then
    perform private.fail(400, 'invalid_input', 'A search has 10 words at most.', '{"field": "p_query"}');
  end if;
  -- One or two letters are how a word begins: within words they would be everywhere, and no index would know them.
  return coalesce((
    select array_agg(case when length(w) <= 2 then '% ' else '%' end
      || replace(replace(replace(w, '\', '\\'), '%', '\%'), '_', '\_') || '%')
    from unnest(v_words) w), '{}');
end;
$$;

comment on function private.search_patterns(text) is
'The patterns (for like) that the document of a variant must match, all of them. p_query: words in any order; null or
blank for none. Errors: 400 invalid_input beyond 200 characters or 10 words.';

create function private.search_clause(p_patterns text[], p_document text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce((
    select string_agg(format(' and %s like $2[%s]', p_document, i), '') from generate_subscripts(p_patterns, 1) i), '');
end;
$$;

comment on function private.search_clause(text[], text) is
'The SQL that holds a document to each pattern on its own, which an index can do, as like all (array) cannot.
p_patterns: the value of $2; p_document: the expression that is searched, written by the caller himself.';

create function public.find_variants(p_org_id uuid, p_query text) returns setof public.product_variants
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_patterns text[];
begin
  perform private.authorize('catalogue.read', p_org_id);
  v_patterns := private.search_patterns(p_query);
  return query execute 'select v.* from private.variant_search s
    cross join lateral (select * from public.product_variants t where t.id = s.variant_id offset 0) v
    where s.org_id = $1 and v.org_id = $1' || private.search_clause(v_patterns, 's.document') using p_org_id,
      v_patterns;
end;
$$;

comment on function public.find_variants(uuid, text) is
'The variants in which all words occur, archived ones too, in no order: for lists that filter, sort and page as those of
the table do. p_org_id. p_query: words of name, SKU, barcode, attributes, product or brand. search_variants puts the
best first. Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input. Permission: catalogue.read.';
revoke execute on function public.find_variants(uuid, text) from public, anon;
grant execute on function public.find_variants(uuid, text) to authenticated;

create function public.find_products(p_org_id uuid, p_query text) returns setof public.products
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_patterns text[];
begin
  perform private.authorize('catalogue.read', p_org_id);
  v_patterns := private.search_patterns(p_query);
  return query execute 'select p.* from public.products p where p.org_id = $1'
    || private.search_clause(v_patterns, $q$(' ' || lower(p.name) || ' ' || coalesce(p.hsn_code, ''))$q$)
  using p_org_id, v_patterns;
end;
$$;

comment on function public.find_products(uuid, text) is
'The products in whose name or HSN code all words occur, archived ones too, in no order: for lists that filter, sort and
page as those of the table do. p_org_id. p_query: words. Errors: 401, 404 not_found, 403 permission_denied, 400
invalid_input. Permission: catalogue.read.';
revoke execute on function public.find_products(uuid, text) from public, anon;
grant execute on function public.find_products(uuid, text) to authenticated;

create function private.available_in(p_org_id uuid, p_variant_id uuid, p_kind text, p_branch_ids uuid[]) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  if p_kind <> 'set' then
    return (
      select coalesce(sum(s.available), 0)
      from public.stock_levels s
      join public.locations l on l.org_id = s.org_id and l.id = s.location_id and l.is_sellable
      where s.org_id = p_org_id and s.variant_id = p_variant_id and s.branch_id = any (p_branch_ids));
  end if;
  -- At each place as many sets as the scarcest component allows.
  return (
    select coalesce(sum(t.sets), 0)
    from (
      select min(floor(s.available / c.quantity)) as sets
      from public.set_components c
      join public.stock_levels s on s.org_id = c.org_id and s.variant_id = c.component_variant_id
      join public.locations l on l.org_id = s.org_id and l.id = s.location_id and l.is_sellable
      where c.org_id = p_org_id and c.set_variant_id = p_variant_id and s.branch_id = any (p_branch_ids)
      group by s.location_id
      having count(*) = (
        select count(*) from public.set_components a where a.org_id = p_org_id and a.set_variant_id = p_variant_id)) t);
end;
$$;

comment on function private.available_in(uuid, uuid, text, uuid[]) is
'How much of a variant can be sold or reserved in these branches. p_org_id; p_variant_id; p_kind: the product''s;
p_branch_ids. Of a set as many as the components at one place allow.';

select private.declare_shape('search_filters',
  '{"category_id": "uuid", "brand_id": "uuid", "product_id": "uuid", "branch_id": "uuid", "archived": "boolean",
    "in_stock": "boolean", "attributes": "map"}',
  array['search_variants.p_filters']);

create function private.search_cursor(p_cursor text) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  v_cursor jsonb;
begin
  if p_cursor is null then
    return null;
  end if;
  v_cursor := convert_from(decode(p_cursor, 'base64'), 'UTF8')::jsonb;
  if jsonb_typeof(v_cursor) <> 'array' or jsonb_array_length(v_cursor) <> 3 or v_cursor ->> 2 is null then
    raise invalid_parameter_value;
  end if;
  perform (v_cursor ->> 0)::integer + (v_cursor ->> 1)::integer;
  return v_cursor;
exception when data_exception then
  perform private.fail(400, 'invalid_input', 'p_cursor is not one that a search has answered with.',
    '{"field": "p_cursor"}');
  return null;
end;
$$;

comment on function private.search_cursor(text) is
'Reads the place in a search, [tier, closeness, SKU], that next_cursor names. Null for null. Errors: 400
invalid_input.';

create function public.search_variants(p_org_id uuid, p_query text, p_filters jsonb default '{}', p_limit integer
  default 50,
  p_cursor text default null)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_query text := lower(btrim(coalesce(p_query, '')));
  v_patterns text[];
  v_cursor jsonb;
  v_branches uuid[];
  v_categories uuid[];
  v_exact uuid[];
  v_where text;
  v_place text;
  v_ids uuid[];
  v_places jsonb;
begin
  perform private.authorize('catalogue.read', p_org_id);
  perform private.check_shape('search_filters', p_filters, 'p_filters');
  if p_limit is null or p_limit not between 1 and 200 then
    perform private.fail(400, 'invalid_input', 'p_limit is 1 to 200.', '{"field": "p_limit"}');
  end if;
  v_patterns := private.search_patterns(v_query);
  v_cursor := private.search_cursor(p_cursor);
  if p_filters ->> 'branch_id' is not null then
    perform private.authorize('stock.read', p_org_id, (p_filters ->> 'branch_id')::uuid);
  end if;
  select array_agg(b.id) into v_branches
  from public.branches b
  where b.org_id = p_org_id and b.id in (select private.branches_with('stock.read'))
    and (p_filters ->> 'branch_id' is null or b.id = (p_filters ->> 'branch_id')::uuid);
  if v_branches is null and p_filters ->> 'in_stock' is not null then
    perform private.fail(403, 'permission_denied', 'Your role lacks the permission stock.read.',
      '{"permission": "stock.read"}');
  end if;

  v_where := private.search_clause(v_patterns, 's.document')
    || case when p_filters -> 'archived' = 'null' then ''
      when (p_filters -> 'archived')::boolean then ' and coalesce(v.archived_at, p.archived_at) is not null'
      else ' and v.archived_at is null and p.archived_at is null' end
    || case when p_filters ->> 'brand_id' is null then '' else $q$ and p.brand_id = ($3 ->> 'brand_id')::uuid$q$ end
    || case when p_filters ->> 'product_id' is null then '' else $q$ and v.product_id = ($3 ->> 'product_id')::uuid$q$
      end
    || case when p_filters ->> 'attributes' is null then '' else $q$ and v.attributes @> ($3 -> 'attributes')$q$ end;
  if p_filters ->> 'category_id' is not null then
    select coalesce(array_agg(c), '{}') into v_categories
    from private.categories_within(p_org_id, (p_filters ->> 'category_id')::uuid) c;
    v_where := v_where || ' and p.category_id = any ($4)';
  end if;
  if p_filters ->> 'in_stock' is not null then
    v_where := v_where || case when (p_filters ->> 'in_stock')::boolean then ' and ' else ' and not ' end
      || $q$case when p.kind = 'set' then private.available_in($1, v.id, p.kind, $5) > 0 else exists (
        select from public.stock_levels l join public.locations k on k.org_id = l.org_id and k.id = l.location_id
          and k.is_sellable
        where l.org_id = $1 and l.variant_id = v.id and l.branch_id = any ($5) and l.available > 0) end$q$;
  end if;

  if v_query = '' then
    v_place := '0 as tier, 0 as closeness';
  else
    -- The whole query may be a code: of the label, or the same GTIN in another notation.
    select coalesce(array_agg(b.variant_id), '{}') into v_exact
    from public.variant_barcodes b
    where b.org_id = p_org_id and (b.code = btrim(p_query)
      or (b.gtin14 = lpad(v_query, 14, '0') and v_query ~ '^([0-9]{8}|[0-9]{12,14})$'));
    v_place := 'case when lower(v.sku) = $6 or v.id = any ($7) then 0
      when starts_with(lower(v.sku), $6) or starts_with(lower(v.name), $6) then 1 else 2 end as tier,
      round(extensions.similarity(lower(v.name), $6) * 1000)::integer as closeness';
  end if;
  execute 'select array_agg(f.id order by f.place),
      jsonb_agg(jsonb_build_array(f.tier, f.closeness, f.sku) order by f.place)
    from (
      select e.*, row_number() over (order by e.tier, e.closeness desc, e.sku) as place
      from (
        select v.id, v.sku, ' || v_place
    -- Found first, then looked up by id, then ranked: left to itself the planner may rank the whole catalogue before it
    -- looks into the text.
    || case when v_patterns = '{}' then ' from public.product_variants v' else ' from private.variant_search s
        cross join lateral (select * from public.product_variants t where t.id = s.variant_id offset 0) v' end
    || ' cross join lateral (select * from public.products t where t.id = v.product_id offset 0) p
        where v.org_id = $1 and p.org_id = $1' || case when v_patterns = '{}' then '' else ' and s.org_id = $1' end
          || v_where
    || case when v_patterns = '{}' then '' else ' offset 0' end || ') e'
    || case when v_cursor is null then '' when v_query = '' then ' where e.sku > ($8 ->> 2)'
      else ' where (e.tier, -e.closeness, e.sku) > (($8 ->> 0)::integer, -($8 ->> 1)::integer, $8 ->> 2)' end
    || ' order by e.tier, e.closeness desc, e.sku limit $9) f'
  into v_ids, v_places
  using p_org_id, v_patterns, p_filters, v_categories, v_branches, v_query, v_exact, v_cursor, p_limit + 1;

  return jsonb_build_object('items', (
      select coalesce(jsonb_agg(to_jsonb(v) || jsonb_build_object('product_name', p.name, 'kind', p.kind,
        'unit_code', p.unit_code, 'category_id', p.category_id, 'brand_id', p.brand_id, 'brand', d.name, 'barcodes', (
          select coalesce(jsonb_agg(b.code order by b.code = v.barcode desc, b.code), '[]')
          from public.variant_barcodes b where b.org_id = p_org_id and b.variant_id = v.id),
        'available', case when v_branches is not null and p.kind <> 'service'
          then private.available_in(p_org_id, v.id, p.kind, v_branches) end) order by i.place), '[]')
      from unnest(v_ids[1:p_limit]) with ordinality i (id, place)
      cross join lateral (select * from public.product_variants t where t.id = i.id offset 0) v
      cross join lateral (select * from public.products t where t.id = v.product_id offset 0) p
      left join lateral (select t.name, t.org_id from public.brands t
        where t.id = p.brand_id offset 0) d on d.org_id = p_org_id
      where v.org_id = p_org_id and p.org_id = p_org_id),
    'next_cursor', case when cardinality(v_ids) > p_limit
      then translate(encode(convert_to((v_places -> (p_limit - 1))::text, 'UTF8'), 'base64'), E'\n', '') end);
end;
$$;

comment on function public.search_variants(uuid, text, jsonb, integer, text) is
'Finds variants by words of name, SKU, barcode, attributes, product and brand: all words must occur, in any order, one
or two letters at the beginning of a word. A SKU or barcode that is the query itself comes first, then what begins with
it, then what resembles it most. p_org_id. p_query: null or blank for everything, by SKU. p_filters: category_id (with
all beneath it), brand_id, product_id, attributes (an object that the variant''s contain), archived (false when left
out, null for either), branch_id, in_stock. p_limit: 1 to 200. p_cursor: next_cursor of the page before. Returns
{"items": [...], "next_cursor"}; an item is the variant with product_name, kind, unit_code, category_id, brand_id,
brand, barcodes and available: the sum over the branches in which the caller holds stock.read (or branch_id alone), null
without that permission and for services. Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input.
Permission: catalogue.read.';
revoke execute on function public.search_variants(uuid, text, jsonb, integer, text) from public, anon;
grant execute on function public.search_variants(uuid, text, jsonb, integer, text) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t70_index_changed_variants_insert after insert on public.product_variants referencing new table
  as new_rows
  for each statement execute function private.index_changed_variants();
create trigger t70_index_changed_variants_update after update on public.product_variants referencing old table
  as old_rows new table as new_rows
  for each statement execute function private.index_changed_variants();
create trigger t70_index_changed_barcodes_insert after insert on public.variant_barcodes referencing new table
  as changed_rows
  for each statement execute function private.index_changed_barcodes();
create trigger t70_index_changed_barcodes_update after update on public.variant_barcodes referencing new table
  as changed_rows
  for each statement execute function private.index_changed_barcodes();
create trigger t70_index_changed_barcodes_delete after delete on public.variant_barcodes referencing old table
  as changed_rows
  for each statement execute function private.index_changed_barcodes();
create trigger t70_index_changed_products after update on public.products referencing old table as old_rows new table
  as new_rows
  for each statement execute function private.index_changed_products();
create trigger t70_index_changed_brands after update on public.brands referencing old table as old_rows new table
  as new_rows
  for each statement execute function private.index_changed_brands();
