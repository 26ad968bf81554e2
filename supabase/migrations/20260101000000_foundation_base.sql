-- Foundation: the schemas, the default privileges, the role of workers, and the helpers every room stands on.

create schema if not exists extensions;
create schema private;
create schema audit;

comment on schema private is 'Helpers, counters, queues. Not exposed by PostgREST.';
comment on schema audit is 'The append-only audit log. Not exposed by PostgREST; read through public.audit_log.';

create extension if not exists pg_trgm with schema extensions;

-- Nothing is reachable because a default left it open: each room grants what it means to grant.
alter default privileges for role postgres revoke execute on functions from public;
alter default privileges for role postgres in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges for role postgres in schema public revoke all on sequences from anon, authenticated,
  service_role;
alter default privileges for role postgres in schema public revoke all on functions from anon, authenticated,
  service_role;

-- Programs that work for the business outside of requests (jobs, consumers of events) sign in as a role of their own, a
-- member of this one. Roles belong to the whole cluster: another database's migrations may have made it.
do $$
begin
  create role branchline_worker nologin;
exception when duplicate_object or unique_violation then
  null;
end;
$$;
grant branchline_worker to postgres;

-- Policies and RPCs run as the caller and call helpers of this schema; each helper is granted by name.
grant usage on schema private to authenticated, anon, branchline_worker;

-- Errors ------------------------------------------------------------------------------------------

create function private.fail(p_status integer, p_code text, p_message text, p_facts jsonb default '{}')
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_passing boolean := p_code = 'changed_meanwhile';
begin
  raise sqlstate 'PGRST' using
    message = jsonb_build_object(
      'code', p_code,
      'message', coalesce(p_message, p_code),
      'details', coalesce(p_facts, '{}')::text,
      'hint', case when v_passing then 'Read it again, then repeat the call.' end)::text,
    detail = jsonb_build_object(
      'status', p_status,
      'headers', case
        when v_passing then '{"Retry-After": "1"}'
        when p_status = 401 then '{"WWW-Authenticate": "Bearer"}'
        else '{}' end::jsonb)::text;
end;
$$;

comment on function private.fail(integer, text, text, jsonb) is
'Raises the error that clients see, in PostgREST''s own form: SQLSTATE PGRST, the message a JSON object that becomes the
body of the answer, the detail one with its HTTP status and headers. Nothing else that clients reach raises.
p_status: HTTP status, 400 to 599; a code has one. p_code: the stable code, listed in docs/error_codes.md: the client''s
error.code. p_message: one sentence for people. p_facts: JSON object, the client''s error.details as text, {} when there
are none. What passes by itself (changed_meanwhile) says so by a hint and Retry-After (seconds). Never returns.';

create function private.caller() returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
begin
  if v_user_id is null then
    perform private.fail(401, 'unauthenticated', 'Sign in first.');
  end if;
  return v_user_id;
end;
$$;

comment on function private.caller() is
'The signed-in user''s id. Errors: 401 unauthenticated when the request carries no user.';

create function private.request_id() returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return left(nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-request-id', 128);
end;
$$;

comment on function private.request_id() is
'The X-Request-ID header of the HTTP request under way (at most 128 characters), or null outside of one. The default of
the columns request_id, which say in which request a row was made.';

-- Housekeeping ------------------------------------------------------------------------------------

create function private.touch_updated_at() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

comment on function private.touch_updated_at() is 'Row trigger, before update: keeps updated_at true, whoever writes.';

-- Health ------------------------------------------------------------------------------------------

create function public.health() returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select jsonb_build_object('ok', true, 'database_time', now())
$$;

comment on function public.health() is
'Answers {"ok": true, "database_time": ISO 8601} when the database can be asked. Anyone may call it. No errors.';
grant execute on function public.health() to anon, authenticated;
