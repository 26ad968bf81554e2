-- Partitions by time: what only grows is kept in a table for each week or month, made ahead by a job, and goes by
-- dropping a table.

create table private.partitioned (
  table_name text primary key check (table_name ~ '^(audit|private)\.[a-z_]+$'),
  time_column text not null,
  step text not null check (step in ('week', 'month')),
  ahead integer not null check (ahead between 1 and 60)
);

comment on table private.partitioned is
'The tables that are partitioned by time, one row each. time_column: the partition key. step: how long a partition is,
in UTC. ahead: how many partitions there are beyond the current one. A room that makes such a table adds its row and
calls private.add_partitions once; the job "partitions" does so every night.';

alter table private.partitioned enable row level security;

create function private.add_partition(p_table text, p_first timestamptz, p_end timestamptz, p_name text) returns void
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_table private.partitioned;
  v_rest text := p_table || '_rest';
  v_strays boolean;
  v_trigger record;
begin
  select * into v_table from private.partitioned where table_name = p_table;
  execute format('select exists (select from %s where %I >= $1 and %I < $2)', v_rest, v_table.time_column,
    v_table.time_column)
  into v_strays using p_first, p_end;
  -- Rows that came before their partition did stand in the rest, which then must be apart while they move.
  if v_strays then
    execute format('alter table %s detach partition %s', p_table, v_rest);
  end if;
  execute format('create table %s partition of %s for values from (%L) to (%L)', p_name, p_table, p_first, p_end);
  execute format('alter table %s enable row level security', p_name);
  -- Row triggers come with the partitioned table, statement triggers do not.
  for v_trigger in
    select pg_catalog.pg_get_triggerdef(t.oid) as definition from pg_catalog.pg_trigger t
    where t.tgrelid = p_table::regclass and not t.tgisinternal and t.tgtype & 1 = 0
  loop
    execute replace(v_trigger.definition, format(' ON %s ', p_table), format(' ON %s ', p_name));
  end loop;
  if v_strays then
    execute format('insert into %s overriding system value select * from %s where %I >= $1 and %I < $2', p_name, v_rest,
      v_table.time_column, v_table.time_column) using p_first, p_end;
    execute format('delete from %s where %I >= $1 and %I < $2', v_rest, v_table.time_column, v_table.time_column)
    using p_first, p_end;
    execute format('alter table %s attach partition %s default', p_table, v_rest);
  end if;
end;
$$;

comment on function private.add_partition(text, timestamptz, timestamptz, text) is
'Makes one partition, closed like its table and with its triggers. p_table: a row of private.partitioned; p_first,
p_end: from when to when, the end not included; p_name: schema and name. Rows of that time that the rest holds move into
it. No errors.';

create function private.add_partitions(p_table text, p_from date, p_count integer) returns integer
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_step text := (select t.step from private.partitioned t where t.table_name = p_table);
  v_first timestamptz;
  v_name text;
  v_added integer := 0;
begin
  for v_number in 0 .. p_count - 1 loop
    v_first := date_trunc(v_step, p_from::timestamp) + v_number * ('1 ' || v_step)::interval;
    v_name := p_table || to_char(v_first, case v_step when 'month' then '_YYYY_MM' else '_YYYY_MM_DD' end);
    if to_regclass(v_name) is null then
      perform private.add_partition(p_table, v_first, v_first + ('1 ' || v_step)::interval, v_name);
      v_added := v_added + 1;
    end if;
  end loop;
  return v_added;
end;
$$;

comment on function private.add_partitions(text, date, integer) is
'Adds the partitions that are missing. p_table: a row of private.partitioned; p_from: a day of the first one; p_count:
how many steps. Returns how many were added. No errors.';

create function private.add_all_partitions() returns jsonb
language plpgsql
set search_path = ''
set timezone = 'UTC'
set lock_timeout = '3s'
as $$
begin
  return (
    select jsonb_object_agg(t.table_name, private.add_partitions(t.table_name, current_date, t.ahead + 1))
    from private.partitioned t);
end;
$$;

comment on function private.add_all_partitions() is
'The job "partitions": adds to every partitioned table what is missing ahead. Returns how many by table. Waits 3 seconds
for a lock at most, since acts queue behind it; the next run tries again.';

create function private.drop_partitions(p_table text, p_before timestamptz) returns integer
language plpgsql
set search_path = ''
set timezone = 'UTC'
set lock_timeout = '3s'
as $$
declare
  v_partition record;
  v_dropped integer := 0;
begin
  for v_partition in
    select p.name from private.partitions_of(p_table) p where p.ends_at <= p_before order by p.ends_at
  loop
    execute format('drop table %s', v_partition.name);
    v_dropped := v_dropped + 1;
  end loop;
  return v_dropped;
end;
$$;

comment on function private.drop_partitions(text, timestamptz) is
'Drops the partitions all of whose rows are older than p_before; returns how many. Waits 3 seconds for a lock at most.
Errors: 55P03.';

create function private.partitions_of(p_table text) returns table (name text, starts_at timestamptz,
  ends_at timestamptz)
language plpgsql stable
set search_path = ''
set timezone = 'UTC'
as $$
begin
  return query
  select format('%I.%I', n.nspname, c.relname), b.bounds[1]::timestamptz, b.bounds[2]::timestamptz
  from pg_catalog.pg_inherits i
  join pg_catalog.pg_class c on c.oid = i.inhrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid),
    'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') b (bounds)
  where i.inhparent = p_table::regclass and b.bounds is not null;
end;
$$;

comment on function private.partitions_of(text) is
'The partitions of a table but for the rest: name, from when, until when (not included).';
