-- What the recorded shop has none of. Run after fixture.sql, as the owner of the database.
create type public.mood as enum ('calm', 'busy');
create domain public.percent as numeric(5, 2) check (value between 0 and 100);
create type public.point3 as (x integer, y integer, "Z axis" integer);
create table public."Odd ""Names""" (
  "the key" integer primary key,
  "a.b" text,
  "c(d)" text,
  "e:f" text,
  "g""h" text,
  "हिन्दी" text,
  "select" text
);
create table public.rooms (
  site integer,
  number integer,
  mood public.mood not null default 'calm',
  full_to public.percent,
  place public.point3,
  open_hours tstzrange,
  moods public.mood[],
  history int4multirange,
  primary key (site, number)
);
create table public.doors (
  id integer primary key,
  site integer not null,
  from_room integer not null,
  to_room integer not null,
  constraint door_from foreign key (site, from_room) references public.rooms (site, number),
  constraint door_to foreign key (site, to_room) references public.rooms (site, number)
);
create table public.tasks (id integer primary key, parent integer references public.tasks (id), title text);
create view public.busy_rooms with (security_invoker = true) as
  select site, number as room, full_to from public.rooms where mood = 'busy';
create view public.busy_doors with (security_invoker = true) as
  select d.id, d.site, d.from_room, d.to_room from public.doors d;
create function public.doors_out(public.rooms) returns setof public.doors language sql stable as
  $$ select * from public.doors where site = $1.site and from_room = $1.number $$;
create function public.label(public.rooms) returns text language sql immutable as
  $$ select $1.site || '/' || $1.number $$;
create function public.moods(p_moods public.mood[]) returns setof public.mood language sql immutable as
  $$ select unnest(p_moods) $$;
create function public.gather(variadic words text[]) returns text language sql immutable as
  $$ select array_to_string(words, '+') $$;
create function public.point_of(p public.point3) returns public.point3 language sql immutable as $$ select p $$;
create function public."Shout It"("the word" text) returns text language sql immutable as $$ select upper("the word") $$;
create function public.quick() returns text language sql stable set statement_timeout = '7s' as
  $$ select current_setting('statement_timeout') $$;
create function public.checked() returns void language plpgsql as $$
begin
  if current_setting('request.headers', true)::json ->> 'x-refuse' = 'yes' then
    raise sqlstate 'PGRST' using message = '{"code": "not_today", "message": "No"}',
      detail = '{"status": 418, "headers": {"X-Why": "asked"}}';
  end if;
end
$$;
insert into public."Odd ""Names""" values (1, 'dot', 'round', 'colon', 'quote', 'देव', 'word');
insert into public.rooms values
  (1, 1, 'calm', 12.50, (1, 2, 3), '[2026-01-01 09:00+00,2026-01-01 17:00+00)', '{calm,busy}', '{[1,3),[5,7)}'),
  (1, 2, 'busy', 100, null, null, '{}', null), (2, 1, 'busy', null, null, null, null, null);
insert into public.doors values (1, 1, 1, 2), (2, 1, 2, 1), (3, 2, 1, 1);
insert into public.tasks values (1, null, 'root'), (2, 1, 'leaf'), (3, 1, 'twig');
grant select, insert, update, delete on all tables in schema public to service_role;
grant execute on all functions in schema public to anon, service_role;
alter role anon set statement_timeout = '9s';
alter role authenticator set pgrst.db_pre_request = 'public.checked';
