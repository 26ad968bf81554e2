-- The shape of what is sent: each JSON argument of an RPC, an object or a list of lines, is declared field by
-- field, and one function checks it.

-- Values ------------------------------------------------------------------------------------------

create function private.is_uuid(p_value text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  -- A regular expression with counts takes longer than all else that is checked of a line.
  return p_value like '________-____-____-____-____________' and p_value !~ '[^-0-9a-fA-F]'
    and length(replace(p_value, '-', '')) = 32;
end;
$$;

comment on function private.is_uuid(text) is
'Is this text a uuid in its usual form? Null for null. No errors.';

create function private.is_amount(p_value jsonb) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when jsonb_typeof(p_value) = 'number' then p_value::numeric between 0 and 999999999999
    and p_value::numeric = round(p_value::numeric, 2) else false end;
end;
$$;

comment on function private.is_amount(jsonb) is
'Is this JSON a number of 0 or more, with at most 2 decimals? No errors.';

create function private.is_moment(p_value text, p_is_date boolean) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  if p_is_date then
    return p_value ~ '^\d{4}-\d{2}-\d{2}$' and p_value::date is not null;
  end if;
  return p_value ~ '^\d{4}-\d{2}-\d{2}([T ]|$)' and p_value::timestamptz is not null;
exception when data_exception then
  return false;
end;
$$;

comment on function private.is_moment(text, boolean) is
'Is this an ISO 8601 date or, p_is_date false, date and time? No errors.';

create function private.are_texts(p_value jsonb, p_least numeric, p_most numeric, p_ids boolean) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_value) is distinct from 'array' or jsonb_array_length(p_value) not between p_least and p_most then
    return false;
  end if;
  return not exists (
    select from jsonb_array_elements(p_value) e where jsonb_typeof(e) <> 'string'
      or case when p_ids then not private.is_uuid(e #>> '{}') else e #>> '{}' !~ '^\S(.{0,58}\S)?$' end);
end;
$$;

comment on function private.are_texts(jsonb, numeric, numeric, boolean) is
'Is this a JSON array of p_least to p_most serial numbers, texts of 1 to 60 characters without spaces at the ends, or
of uuids? No errors.';

-- Declared ----------------------------------------------------------------------------------------

create table private.shapes (
  name text primary key,
  is_list boolean not null,
  least integer not null,
  most integer not null,
  fields text[] not null,
  kinds text[] not null,
  must text[] not null,
  lows numeric(15, 3)[] not null,
  highs numeric(15, 3)[] not null,
  decimals integer[] not null,
  choices jsonb not null,
  says text[] not null,
  once text
);

comment on table private.shapes is
'What a JSON argument looks like. is_list: an array of least to most objects, else one object. fields: their names, in
the order in which they are checked, those that must be there first, which must repeats; kinds and what follows: of
each. lows, highs, decimals: of a number; of a text its length, of serials and uuids how many. choices: field to the
texts allowed. says: what is wrong with a value that is none, as the end of a sentence. once: the field whose value
may come in one line only. An object has a shape of its own, named shape.field; any is checked by its act. Written by
private.declare_shape.';

create table private.shape_uses (
  act text not null,
  argument text not null,
  shape text not null references private.shapes (name),
  primary key (act, argument)
);

comment on table private.shape_uses is
'Which shape an argument of a public function has: the test of malformed calls goes by it. A room adds its own.';

create table private.shape_kinds (
  alias text primary key,
  kind text not null,
  low numeric(15, 3),
  high numeric(15, 3),
  decimals integer,
  says text not null
);

comment on table private.shape_kinds is
'The words of which a shape is declared. low, high, decimals, says: as in private.shape_fields.';

insert into private.shape_kinds (alias, kind, low, high, decimals, says) values
  ('uuid', 'uuid', null, null, null, 'must be a uuid'),
  ('text', 'text', 0, 2000, null, 'must be a text of at most 2000 characters'),
  ('boolean', 'boolean', null, null, null, 'must be true or false'),
  ('date', 'date', null, null, null, 'must be an ISO 8601 date'),
  ('instant', 'instant', null, null, null, 'must be an ISO 8601 date and time'),
  ('line', 'number', 1, 1000000, 0, 'must be a whole number above 0'),
  ('quantity', 'number', 0.001, 999999999, 3, 'must be a quantity above 0, with 3 decimals at most'),
  ('count', 'number', 0, 999999999, 3, 'must be a quantity, with 3 decimals at most'),
  ('amount', 'number', 0, 999999999999, 2, 'must be an amount of 0 or more, with 2 decimals at most'),
  ('money', 'number', 0.01, 999999999999, 2, 'must be an amount above 0, with 2 decimals at most'),
  ('serials', 'serials', 1, 2000, null, 'must be serial numbers'),
  ('pieces', 'serials', 0, 2000, null, 'must be serial numbers'),
  ('uuids', 'uuids', 1, 2000, null, 'must be 1 to 2000 uuids'),
  ('map', 'map', null, null, null, 'must be an object'),
  ('any', 'any', null, null, null, '');

alter table private.shapes enable row level security;
alter table private.shape_kinds enable row level security;
alter table private.shape_uses enable row level security;

create function private.declare_shape(p_name text, p_fields jsonb, p_uses text[] default '{}',
  p_lines integer[] default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.shapes (name, is_list, least, most, fields, kinds, must, lows, highs, decimals, choices, says,
    once)
  select p_name, p_lines is not null, coalesce(p_lines[1], 1), coalesce(p_lines[2], 1),
    array_agg(f.field order by f.place), array_agg(f.kind order by f.place),
    coalesce(array_agg(f.field order by f.place) filter (where f.needed), '{}'), array_agg(f.low order by f.place),
    array_agg(f.high order by f.place), array_agg(f.decimals order by f.place),
    coalesce(jsonb_object_agg(f.field, f.spec) filter (where f.kind = 'choice'), '{}'),
    array_agg(f.says order by f.place),
    min(f.field) filter (where f.is_once)
  from (
    select e.key as field, e.value as spec, w.words[3] is not null as needed, w.words[4] is not null as is_once, k.low,
      coalesce(w.words[2]::numeric, k.high) as high, k.decimals,
      case jsonb_typeof(e.value) when 'array' then 'choice' when 'object' then 'object' else k.kind end as kind,
      case jsonb_typeof(e.value)
        when 'array' then 'must be one of ' || (select string_agg(c, ', ') from jsonb_array_elements_text(e.value) c)
        when 'object' then 'must be an object'
        when 'string' then replace(k.says, '2000 c', coalesce(w.words[2], '2000') || ' c') end as says,
      row_number() over (order by w.words[3] is null, e.key) as place
    from jsonb_each(p_fields) e
    left join lateral (
      select regexp_match(e.value #>> '{}', '^([a-z]+)(?: ([0-9]+))?(!)?([*])?$') as words
      where jsonb_typeof(e.value) = 'string') w on true
    left join private.shape_kinds k on k.alias = w.words[1]) f;
  perform private.declare_shape(format('%s.%s', p_name, e.key), e.value)
  from jsonb_each(p_fields) e where jsonb_typeof(e.value) = 'object';
  insert into private.shape_uses (act, argument, shape)
  select split_part(u, '.', 1), split_part(u, '.', 2), p_name from unnest(p_uses) u;
end;
$$;

comment on function private.declare_shape(text, jsonb, text[], integer[]) is
'Declares a shape, once, in the migration of its room. p_fields: field to word of private.shape_kinds, with a number
after text for the most characters it has, ! for a field that must be there, * for one whose value may come once; a
list is the texts allowed, an object has fields in its turn. p_uses: the arguments of this shape, as act.argument.
p_lines: a list of so many objects, {least, most}. A word that is none is refused by the table. No errors.';

-- Checked -----------------------------------------------------------------------------------------

create type private.shape_problem as (place integer, field text, problem text);

comment on type private.shape_problem is
'What is wrong with an argument: in which line, from 1, in which field, and why, as the end of a sentence.';

create function private.shape_problem(p_name text, p_value jsonb, p_argument text) returns private.shape_problem
language plpgsql stable
set search_path = ''
as $$
declare
  v_is_list boolean;
  v_least integer;
  v_most integer;
  v_fields text[];
  v_kinds text[];
  v_must text[];
  v_lows numeric[];
  v_highs numeric[];
  v_decimals integer[];
  v_choices jsonb;
  v_says text[];
  v_once text;
  v_places integer := 1;
  v_line jsonb := p_value;
  v_text text;
  v_rest jsonb;
  v_bad boolean;
begin
  select s.is_list, s.least, s.most, s.fields, s.kinds, s.must, s.lows, s.highs, s.decimals, s.choices, s.says, s.once
  into v_is_list, v_least, v_most, v_fields, v_kinds, v_must, v_lows, v_highs, v_decimals, v_choices, v_says, v_once
  from private.shapes s where s.name = p_name;
  if v_is_list then
    if p_value is null or jsonb_typeof(p_value) <> 'array'
      or jsonb_array_length(p_value) not between v_least and v_most then
      return (null, p_argument, format('must be a JSON array of %s to %s lines', v_least,
        v_most))::private.shape_problem;
    end if;
    v_places := jsonb_array_length(p_value);
  end if;
  -- Plain expressions in a loop, which start no statements: the till reads its lines here.
  for i in 1 .. v_places loop
    if v_is_list then
      v_line := p_value -> i - 1;
    end if;
    if v_line is null or jsonb_typeof(v_line) <> 'object' then
      return (i, null, 'must be an object')::private.shape_problem;
    end if;
    v_rest := v_line - v_must;
    if v_rest <> '{}' and v_rest - v_fields <> '{}' then
      return (i, (select min(k) from jsonb_object_keys(v_line - v_fields) k), 'is unknown')::private.shape_problem;
    end if;
    for f in 1 .. case when v_rest = '{}' then cardinality(v_must) else cardinality(v_fields) end loop
      v_text := v_line ->> v_fields[f];
      if v_text is null then
        continue when f > cardinality(v_must);
        return (i, v_fields[f], 'is missing: it ' || v_says[f])::private.shape_problem;
      end if;
      v_bad := case v_kinds[f]
        when 'uuid' then v_text not like '________-____-____-____-____________'
          or v_text ~ '[^-0-9a-fA-F]' or length(replace(v_text, '-', '')) <> 32
        when 'number' then case when jsonb_typeof(v_line -> v_fields[f]) = 'number'
          then not v_text::numeric between v_lows[f] and v_highs[f]
            or v_text::numeric <> round(v_text::numeric, v_decimals[f])
          else true end
        when 'text' then jsonb_typeof(v_line -> v_fields[f]) <> 'string' or length(v_text) > v_highs[f]
        when 'choice' then jsonb_typeof(v_line -> v_fields[f]) <> 'string' or not v_choices -> v_fields[f] ? v_text
        when 'boolean' then jsonb_typeof(v_line -> v_fields[f]) <> 'boolean'
        when 'date' then jsonb_typeof(v_line -> v_fields[f]) <> 'string' or not private.is_moment(v_text, true)
        when 'instant' then jsonb_typeof(v_line -> v_fields[f]) <> 'string' or not private.is_moment(v_text, false)
        when 'map' then jsonb_typeof(v_line -> v_fields[f]) <> 'object'
        when 'serials' then not private.are_texts(v_line -> v_fields[f], v_lows[f], v_highs[f], false)
        when 'uuids' then not private.are_texts(v_line -> v_fields[f], v_lows[f], v_highs[f], true)
        when 'object'
          then (private.shape_problem(p_name || '.' || v_fields[f], v_line -> v_fields[f], null)).problem is not null
        else false end;
      if v_bad then
        return (i, v_fields[f], v_says[f])::private.shape_problem;
      end if;
    end loop;
  end loop;
  if v_once is not null then
    return (
      select (max(t.place), v_once, 'is named twice')::private.shape_problem
      from jsonb_array_elements(p_value) with ordinality t (line, place)
      group by case jsonb_typeof(t.line -> v_once) when 'number' then trim_scale((t.line -> v_once)::numeric)::text
        else lower(t.line ->> v_once) end
      having count(*) > 1 order by max(t.place) limit 1);
  end if;
  return null;
end;
$$;

comment on function private.shape_problem(text, jsonb, text) is
'The first thing that is wrong with an argument of a shape; null when nothing is. p_argument: what the caller knows it
as. No errors.';

create function private.check_shape(p_name text, p_value jsonb, p_argument text default 'p_options') returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_problem private.shape_problem;
begin
  v_problem := private.shape_problem(p_name, p_value, p_argument);
  if v_problem.problem is null then
    return;
  elsif (select is_list from private.shapes where name = p_name) then
    perform private.fail(400, 'invalid_input',
      case when v_problem.place is null then format('%s %s.', p_argument, v_problem.problem)
      else format('Line %s: %s.', v_problem.place, concat_ws(' ', left(v_problem.field, 60), v_problem.problem)) end,
      jsonb_strip_nulls(jsonb_build_object('field', p_argument, 'line', v_problem.place, 'name',
        case when v_problem.place is not null then left(v_problem.field, 60) end)));
  end if;
  perform private.fail(400, 'invalid_input',
    format('%s %s.', left(coalesce(v_problem.field, p_argument), 60), v_problem.problem),
    jsonb_build_object('field', left(coalesce(v_problem.field, p_argument), 60), 'allowed', (
      select to_jsonb(s.fields) from private.shapes s where s.name = p_name)));
end;
$$;

comment on function private.check_shape(text, jsonb, text) is
'The one check of a JSON argument. p_name: the shape it is declared with; p_argument: what the caller knows it as.
Errors: 400 invalid_input with the field or, of a list, the argument, the line and the field''s name in it.';
