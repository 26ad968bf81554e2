-- Reactions: what rooms do when another room's act takes place. The room of the act declares an event and calls it;
-- whoever has something to do then adds a row in a file of his own, and edits nobody's function
-- (docs/decisions/0018-reactions.md).

create table private.events (
  name text primary key check (name ~ '^[a-z_]+$'),
  arguments text not null,
  result text not null check (result in ('void', 'numeric', 'jsonb') or result like 'table(%'),
  names text[] not null
);

comment on table private.events is
'What rooms can react to. Each is a function of the private schema with these arguments, which calls the reactions in
the order of their places. result: void; numeric, the sum of what they say; jsonb, their objects in one; a table, the
rows of all. names: its parameters.';
alter table private.events enable row level security;

create table private.reactions (
  event text not null references private.events (name),
  place integer not null,
  function text not null,
  primary key (event, place),
  unique (event, function)
);

comment on table private.reactions is
'Which function (of the private schema) is called when, in the order of place. It is given those of the event''s
parameters that it has itself, by name. private.react adds a row and makes the event''s function anew.';
alter table private.reactions enable row level security;

create function private.reaction_calls(p_event text) returns text[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_reaction record;
  v_given text;
  v_calls text[] := array[]::text[];
begin
  for v_reaction in
    select r.function, p.oid, p.proargnames[1:p.pronargs] as parameters, p.proargnames[1:p.pronargs - p.pronargdefaults]
      as needed,
      e.names
    from private.reactions r
    join private.events e on e.name = r.event
    left join pg_catalog.pg_proc p on p.proname = r.function and p.pronamespace = 'private'::regnamespace
    where r.event = p_event order by r.place
  loop
    if v_reaction.oid is null or not v_reaction.needed <@ v_reaction.names then
      perform private.fail(400, 'invalid_input',
        format('There is no function private.%s that takes parameters of the event %s alone.',
        v_reaction.function, p_event), '{"field": "p_function"}');
    end if;
    select string_agg(format('%I => %I', n, n), ', ' order by place) into v_given
    from unnest(v_reaction.parameters) with ordinality g (n, place) where n = any (v_reaction.names);
    v_calls := v_calls || format('private.%I(%s)', v_reaction.function, v_given);
  end loop;
  return v_calls;
end;
$$;

comment on function private.reaction_calls(text) is
'The calls of an event''s reactions, in their order, as SQL. Errors: 400 invalid_input when one does not exist or asks
for more than the event gives.';

create function private.event_body(p_event text) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_calls text[] := private.reaction_calls(p_event);
  v_result text := (select e.result from private.events e where e.name = p_event);
begin
  return E'\nbegin\n' || case
    when v_result = 'void' then coalesce((select string_agg(format(E'  perform %s;\n', c), '' order by place)
      from unnest(v_calls) with ordinality t (c, place)), E'  null;\n')
    when v_result = 'numeric' then format(E'  return %s;\n', coalesce((
      select string_agg(format('coalesce(%s, 0)', c), ' + ' order by place)
        from unnest(v_calls) with ordinality t (c, place)), '0'))
    when v_result = 'jsonb' then format(E'  return %s;\n', coalesce((
      select string_agg(format('coalesce(%s, ''{}'')', c), ' || ' order by place)
      from unnest(v_calls) with ordinality t (c, place)), '''{}'''))
    else coalesce((select string_agg(format(E'  return query select * from %s;\n', c), '' order by place)
      from unnest(v_calls) with ordinality t (c, place)), '') end || E'end;\n';
end;
$$;

comment on function private.event_body(text) is
'What the function of an event does, made of its rows: static calls, whose plans are kept, so that a reaction costs a
call and no more.';

create function private.make_event(p_event text) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_event private.events := (select e from private.events e where e.name = p_event);
begin
  -- What only answers may stand in a statement that reads; what acts, or has one reaction that does, may not.
  execute format('create or replace function private.%I(%s) returns %s
    language plpgsql %s set search_path = '''' as %L',
    p_event, v_event.arguments, v_event.result, case when v_event.result = 'void' or exists (
      select from private.reactions r
      join pg_catalog.pg_proc p on p.proname = r.function and p.pronamespace = 'private'::regnamespace
      where r.event = p_event and p.provolatile = 'v') then 'volatile' else 'stable' end,
    private.event_body(p_event));
end;
$$;

comment on function private.make_event(text) is 'Makes the function of an event anew, from its rows.';

create function private.add_event(p_event text, p_arguments text, p_result text, p_comment text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from pg_catalog.pg_proc where proname = p_event and pronamespace = 'private'::regnamespace) then
    perform private.fail(400, 'invalid_input', format('There is a function private.%s already.', p_event),
      '{"field": "p_event"}');
  end if;
  insert into private.events (name, arguments, result, names) values (p_event, p_arguments, p_result, '{}');
  perform private.make_event(p_event);
  update private.events e set names = coalesce(p.proargnames[1:p.pronargs], '{}')
  from pg_catalog.pg_proc p
  where e.name = p_event and p.proname = p_event and p.pronamespace = 'private'::regnamespace;
  execute format('comment on function private.%I is %L', p_event, p_comment);
end;
$$;

comment on function private.add_event(text, text, text, text) is
'Declares an event, for migrations: makes the function private.<p_event>, which the room''s acts call. p_arguments: as
in create function; p_result: void, numeric (a sum), jsonb (one object) or table(...); p_comment: when it is called, and
under which locks.';

create function private.react(p_event text, p_place integer, p_function text) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.reactions (event, place, function) values (p_event, p_place, p_function);
  perform private.make_event(p_event);
end;
$$;

comment on function private.react(text, integer, text) is
'Adds a reaction to an event, for migrations. p_place: the order among the others; p_function: of the private schema,
with parameters named as the event''s. It runs in the act''s transaction: an error refuses the act. Errors: 23505 (place
taken, or added already), 23503 (no such event), 400 invalid_input.';
