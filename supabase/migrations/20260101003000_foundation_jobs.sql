-- Jobs: what is done by the clock. One table says all of them, one trigger tells pg_cron, one procedure runs each.
--
-- A job for organisations is a transaction for each, so that what was done stays done, what fails in one house stays
-- there, and no lock is held while the next is worked on. A room adds a row to private.schedules and nothing else
-- (docs/conventions.md).

-- Tables ------------------------------------------------------------------------------------------

create table private.schedules (
  name text primary key check (name ~ '^[a-z][a-z-]{0,62}$'),
  cron text not null check (cron ~ '^(\S+ ){4}\S+$'),
  routine text not null check (routine ~ '^(private|audit)\.[a-z_]+$'),
  organizations text,
  keep interval check (keep >= interval '1 day'),
  purpose text not null,
  enabled boolean not null default true,
  command text not null generated always as ('call private.run_job(''' || name || ''')') stored,
  last_started_at timestamptz,
  last_finished_at timestamptz,
  check (organizations is null or keep is null)
);

comment on table private.schedules is
'Every job. cron: minute, hour, day, month, weekday, in UTC. routine: the function that does it. organizations: a query
of the ids of those it has something to do for, each of which it is called for (p_org_id), in a transaction of its own;
null when it is called once, for the whole database. keep: of a job that removes what is old, how long things are kept;
it is called with it (p_keep), and who runs the database sets it here. What a routine returns is kept as JSON; {"more":
true} has it called again, in a new transaction. command: what the scheduler runs.';

create table private.job_runs (
  id bigint generated always as identity primary key,
  job text not null,
  org_id uuid,
  started_at timestamptz not null,
  duration interval not null,
  ok boolean not null,
  result jsonb,
  error text
);

comment on table private.job_runs is
'Each call of a job''s routine. org_id: for which organisation, null for the whole database. result: what it returned;
error: SQLSTATE and message of one that failed and left nothing behind. The job "job-runs" removes old ones.';

-- Indexes -----------------------------------------------------------------------------------------

create index on private.job_runs (job, org_id, id);
create index on private.job_runs (id) where not ok;
create index on private.job_runs using brin (started_at);

alter table private.schedules enable row level security;
alter table private.job_runs enable row level security;

-- Running -----------------------------------------------------------------------------------------

create function private.begin_job(p_name text) returns uuid[]
language plpgsql security definer
set search_path = ''
as $$
declare
  v_query text;
  v_ids uuid[];
begin
  update private.schedules s set last_started_at = clock_timestamp() where s.name = p_name
    returning s.organizations into v_query;
  if not found then
    perform private.fail(404, 'not_found', format('There is no job %s.', p_name));
  elsif v_query is null then
    return array[null::uuid];
  end if;
  execute format('select array(select distinct q.id from (%s) q (id) order by 1)', v_query) into v_ids;
  return v_ids;
end;
$$;

comment on function private.begin_job(text) is
'Notes that a job starts, and returns for which organisations, one null for the whole database. Errors: 404 not_found.
For private.run_job.';

create function private.do_job(p_name text, p_org_id uuid default null) returns jsonb
language plpgsql security definer
set search_path = ''
set lock_timeout = '10s'
as $$
declare
  v_job private.schedules;
  v_started timestamptz := clock_timestamp();
  v_result jsonb;
  v_error text;
begin
  select * into v_job from private.schedules s where s.name = p_name;
  begin
    if v_job.organizations is not null then
      execute format('select to_jsonb(%s(p_org_id => $1))', v_job.routine) into v_result using p_org_id;
    elsif v_job.keep is not null then
      execute format('select to_jsonb(%s(p_keep => $1))', v_job.routine) into v_result using v_job.keep;
    else
      execute format('select to_jsonb(%s())', v_job.routine) into v_result;
    end if;
  exception when others or assert_failure then
    v_error := format('%s: %s', sqlstate, sqlerrm);
  end;
  insert into private.job_runs (job, org_id, started_at, duration, ok, result, error)
  values (p_name, p_org_id, v_started, clock_timestamp() - v_started, v_error is null, v_result, v_error);
  return jsonb_build_object('ok', v_error is null,
    'more', coalesce(jsonb_typeof(v_result) = 'object' and (v_result -> 'more')::boolean, false));
end;
$$;

comment on function private.do_job(text, uuid) is
'Calls a job''s routine once, for one organisation or, null, for the whole database, and notes how it went in
private.job_runs. Of one that fails nothing else stays. Returns {"ok", "more": there is more to do}. For
private.run_job.';

create function private.end_job(p_name text) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  update private.schedules s set last_finished_at = clock_timestamp() where s.name = p_name;
end;
$$;

comment on function private.end_job(text) is 'Notes that a job has come to its end. For private.run_job.';

-- A procedure that commits can neither fix its search path nor run as its owner; it calls functions that do both.
create procedure private.run_job(p_name text)
language plpgsql
as $$
declare
  v_lock bigint := pg_catalog.hashtextextended('branchline job ' || p_name, 0);
  v_ids uuid[];
  v_org_id uuid;
  v_done jsonb;
  v_failed integer := 0;
begin
  if not pg_catalog.pg_try_advisory_lock(v_lock) then
    raise notice 'The job % is under way already.', p_name;
    return;
  end if;
  v_ids := private.begin_job(p_name);
  commit;
  foreach v_org_id in array v_ids loop
    loop
      v_done := private.do_job(p_name, v_org_id);
      commit;
      exit when not (v_done -> 'more')::boolean;
    end loop;
    v_failed := v_failed + (not (v_done -> 'ok')::boolean)::integer;
  end loop;
  perform private.end_job(p_name);
  commit;
  perform pg_catalog.pg_advisory_unlock(v_lock);
  if v_failed > 0 then
    raise exception 'The job % failed % of % times: see private.job_runs.', p_name, v_failed,
      pg_catalog.cardinality(v_ids);
  end if;
end;
$$;

comment on procedure private.run_job(text) is
'Runs a job now, by "call" outside of a transaction: for each organisation in a transaction of its own, going on after
one failed. At most one run of a job at a time; a second returns at once. Ends with an error, P0001, when any call
failed, so that whoever called it (pg_cron, the local scheduler) sees it too; what was done stays. Errors also: 404
not_found. For branchline_worker.';

-- Telling the scheduler ---------------------------------------------------------------------------

-- Where the host offers pg_cron (hosted Supabase does), it runs the schedules; elsewhere something else reads the
-- table.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron;
  end if;
end;
$$;

create function private.tell_scheduler() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  -- Looked up, because without pg_cron there is no such schema to name.
  v_cron regnamespace := to_regnamespace('cron');
begin
  if v_cron is null or to_regprocedure('cron.schedule(text,text,text)') is null then
    return null;
  end if;
  execute format($cron$
    select %1$s.unschedule(j.jobname) from %1$s.job j
    where starts_with(j.jobname, 'branchline-')
      and not exists (select from private.schedules s where 'branchline-' || s.name = j.jobname and s.enabled)
  $cron$, v_cron);
  execute format($cron$
    select %s.schedule('branchline-' || s.name, s.cron, s.command) from private.schedules s where s.enabled
  $cron$, v_cron);
  return null;
end;
$$;

comment on function private.tell_scheduler() is
'Statement trigger of private.schedules, and the only place that speaks to pg_cron: its jobs named branchline-... become
what the table says. Without pg_cron it does nothing.';

create trigger t70_tell_scheduler after insert or delete or update of name, cron, enabled on private.schedules
  for each statement execute function private.tell_scheduler();

-- What fails --------------------------------------------------------------------------------------

create view private.failing_jobs with (security_invoker = true) as
select distinct on (f.job, f.org_id) f.job, f.org_id, f.started_at as failed_at, f.error
from private.job_runs f
where not f.ok and not exists (
  select from private.job_runs g
  where g.job = f.job and g.org_id is not distinct from f.org_id and g.id > f.id and g.ok)
order by f.job, f.org_id, f.id desc;

comment on view private.failing_jobs is
'Jobs whose last call failed, by organisation, with when and why; public.health tells how many.';

-- Housekeeping ------------------------------------------------------------------------------------

create function private.prune_job_runs(p_keep interval) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_pruned integer;
begin
  delete from private.job_runs r where r.id = any (array(
    select o.id from private.job_runs o where o.started_at < now() - p_keep limit 10000));
  get diagnostics v_pruned = row_count;
  return jsonb_build_object('pruned', v_pruned, 'more', v_pruned = 10000);
end;
$$;

comment on function private.prune_job_runs(interval) is
'The job "job-runs": removes notes of runs older than p_keep, up to 10,000 at a time. Returns {"pruned", "more"}.';

insert into private.schedules (name, cron, routine, keep, purpose) values
  ('partitions', '17 3 * * *', 'private.add_all_partitions', null, 'Makes the partitions of the time to come'),
  ('outbox', '27 3 * * *', 'private.prune_outbox', '90 days',
    'Drops old events; what was not taken becomes a dead letter'),
  ('requests', '37 3 * * *', 'private.prune_requests', '90 days', 'Forgets old calls, which nobody repeats any more'),
  ('job-runs', '7 4 * * *', 'private.prune_job_runs', '90 days', 'Removes old notes of jobs');

-- Grants ------------------------------------------------------------------------------------------

grant execute on function private.claim_events(text, integer), private.ack_events(text, uuid, bigint[]),
  private.fail_event(text, uuid, bigint, text, interval) to branchline_worker;
grant execute on function private.begin_job(text), private.do_job(text, uuid),
  private.end_job(text) to branchline_worker;
grant execute on procedure private.run_job(text) to branchline_worker;
