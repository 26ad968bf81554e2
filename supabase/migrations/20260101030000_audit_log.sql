-- Audit: who changed which row, when, before and after, in which request. Append-only for everybody.

select private.add_permissions('[
  {"code": "audit.read", "description": "Read the audit log", "roles": []}
]');

-- Tables ------------------------------------------------------------------------------------------

create table audit.log (
  id bigint generated always as identity,
  at timestamptz not null default now(),
  org_id uuid not null,
  actor_id uuid,
  action text not null check (action in ('insert', 'update', 'delete')),
  table_name text not null,
  row_id text not null,
  before jsonb,
  after jsonb,
  request_id text,
  primary key (org_id, at, id)
) partition by range (at);

comment on table audit.log is
'One row per changed row of a business table, and per new row of those that do not say themselves who made them (audit.origin).
actor_id: the signed-in user, null for jobs. row_id: the key as text, its parts joined by a slash. before, after: the whole row
as JSON. Monthly partitions by "at" (UTC).';

create table audit.log_rest partition of audit.log default;
comment on table audit.log_rest is 'Catches rows of months that have no partition yet, so that no act fails for want of one.';

-- Indexes -----------------------------------------------------------------------------------------

create index on audit.log (org_id, table_name, row_id);

-- Functions ---------------------------------------------------------------------------------------

create function audit.add_partitions(p_from date, p_months integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_first date;
  v_name text;
  v_added integer := 0;
begin
  for v_month in 0 .. p_months - 1 loop
    v_first := (date_trunc('month', p_from) + make_interval(months => v_month))::date;
    v_name := 'log_' || to_char(v_first, 'YYYY_MM');
    if to_regclass(format('audit.%I', v_name)) is null then
      execute format('create table audit.%I partition of audit.log for values from (%L) to (%L)',
        v_name, v_first, (v_first + interval '1 month')::date);
      execute format('alter table audit.%I enable row level security', v_name);
      execute format('create trigger t10_refuse_change_truncate before truncate on audit.%I
        for each statement execute function audit.refuse_change()', v_name);
      v_added := v_added + 1;
    end if;
  end loop;
  return v_added;
end;
$$;

comment on function audit.add_partitions(date, integer) is
'Adds the monthly partitions that are missing. p_from: a day of the first month; p_months: how many months. Returns how many
were added. Errors: 23514 when audit.log_rest already holds rows of such a month.';

create function audit.record() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  -- No table's key has more than three columns besides org_id; concat_ws passes over those it does not have.
  v_first text := coalesce(tg_argv[0], 'id');
  v_second text := tg_argv[1];
  v_third text := tg_argv[2];
  v_actor_id uuid := auth.uid();
  v_request_id text := private.request_id();
begin
  -- A statement that failed half-way leaves no row here either: the log is part of the act's transaction. "offset 0" keeps the
  -- planner from making the JSON of a row again for each column that is read of it.
  if tg_op = 'INSERT' then
    insert into audit.log (org_id, actor_id, action, table_name, row_id, after, request_id)
    select coalesce(r.doc ->> 'org_id', r.doc ->> 'id')::uuid, v_actor_id, 'insert', tg_table_name,
      concat_ws('/', r.doc ->> v_first, r.doc ->> v_second, r.doc ->> v_third), r.doc, v_request_id
    from (select to_jsonb(n) as doc from new_rows n offset 0) r;
  elsif tg_op = 'DELETE' then
    insert into audit.log (org_id, actor_id, action, table_name, row_id, before, request_id)
    select coalesce(r.doc ->> 'org_id', r.doc ->> 'id')::uuid, v_actor_id, 'delete', tg_table_name,
      concat_ws('/', r.doc ->> v_first, r.doc ->> v_second, r.doc ->> v_third), r.doc, v_request_id
    from (select to_jsonb(o) as doc from old_rows o offset 0) r;
  else
    insert into audit.log (org_id, actor_id, action, table_name, row_id, before, after, request_id)
    select coalesce(n.doc ->> 'org_id', n.doc ->> 'id')::uuid, v_actor_id, 'update', tg_table_name,
      concat_ws('/', n.doc ->> v_first, n.doc ->> v_second, n.doc ->> v_third), o.doc, n.doc, v_request_id
    from (select to_jsonb(x) as doc, row_number() over () as place from new_rows x) n
    join (select to_jsonb(x) as doc, row_number() over () as place from old_rows x) o using (place)
    where n.doc - 'updated_at' <> o.doc - 'updated_at';
  end if;
  return null;
end;
$$;

comment on function audit.record() is
'The one audit trigger, after each statement, with transition tables. Arguments: the key columns, none for "id".
Old and new rows come in the same order, which is how an update pairs them, even when it changes the key.';

create function audit.origin(p_table regclass) returns regclass
language plpgsql stable
set search_path = ''
as $$
begin
  if exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = p_table and a.attname = 'request_id' and not a.attisdropped)
  then
    return p_table;
  end if;
  return (
    select distinct audit.origin(f.confrelid) from pg_catalog.pg_constraint f
    where f.conrelid = p_table and f.contype = 'f' and f.confrelid <> p_table and audit.origin(f.confrelid) is not null
      and exists (
        select from pg_catalog.pg_index i
        where i.indrelid = p_table and i.indisunique and i.indpred is null
          and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey));
end;
$$;

comment on function audit.origin(regclass) is
'Which table''s rows say who made the rows of p_table, when and in which request: p_table itself when it has the column request_id
(beside it stand who and when), else the document whose key begins a unique key of p_table, or its line''s document; null when
none of them says so. Errors: 21000 when the keys begin with two documents: then the table needs the columns itself.';

create function audit.attach(p_table regclass, variadic p_keys text[] default '{}') returns void
language plpgsql
set search_path = ''
as $$
declare
  v_arguments text := (select coalesce(string_agg(quote_literal(k), ', '), '') from unnest(p_keys) k);
begin
  assert cardinality(p_keys) <= 3, 'audit.record knows three columns of a key';
  -- Documents and their lines are kept as they are, or their changes are, and they say who made them: a copy of each new row
  -- would say all of it again, and most rows of a business are of this kind.
  if audit.origin(p_table) is null then
    execute format('create trigger t99_record_insert after insert on %s referencing new table as new_rows
      for each statement execute function audit.record(%s)', p_table, v_arguments);
  end if;
  execute format('create trigger t99_record_update after update on %s referencing old table as old_rows new table as new_rows
    for each statement execute function audit.record(%s)', p_table, v_arguments);
  execute format('create trigger t99_record_delete after delete on %s referencing old table as old_rows
    for each statement execute function audit.record(%s)', p_table, v_arguments);
end;
$$;

comment on function audit.attach(regclass, text[]) is
'Puts a table under audit: what is changed and removed, and what is new unless audit.origin finds who made it. p_table: the table, with
its keys; p_keys: its key columns when the key is not "id". For migrations.';

create function audit.refuse_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    if private.follows_merge(tg_relid, to_jsonb(old), to_jsonb(new)) then
      return new;
    end if;
  end if;
  perform private.fail(403, 'append_only', format('Rows of %s are never changed or removed.', tg_table_name));
  return null;
end;
$$;

comment on function audit.refuse_change() is
'Trigger of append-only tables. One thing may change: whose document it is, when merge_customers has made two customers one.
Errors: 403 append_only, whoever asks.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on audit.log for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on audit.log for each statement execute function audit.refuse_change();
-- Row triggers come with the partitioned table, statement triggers do not: each partition has its own.
create trigger t10_refuse_change_truncate before truncate on audit.log_rest for each statement execute function audit.refuse_change();

select audit.add_partitions(date_trunc('month', now())::date, 24);

-- Where the host offers pg_cron (hosted Supabase does), partitions are added a year ahead, every month.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron;
    perform cron.schedule('audit-partitions', '17 3 1 * *', 'select audit.add_partitions(current_date, 12)');
  end if;
end;
$$;

select audit.attach('public.organizations');
select audit.attach('public.branches');
select audit.attach('public.locations');
select audit.attach('public.roles');
select audit.attach('public.role_permissions', 'role_id', 'permission');
select audit.attach('public.memberships', 'user_id');
select audit.attach('public.membership_branches', 'user_id', 'branch_id');
select audit.attach('public.invitations');

-- Policies ----------------------------------------------------------------------------------------

alter table audit.log enable row level security;
alter table audit.log_rest enable row level security;
create policy "Who holds audit.read reads the organisation's log" on audit.log for select to authenticated
  using (org_id = any (array(select private.orgs_with('audit.read'))));

create view public.audit_log with (security_invoker = true) as
select id, at, org_id, actor_id, action, table_name, row_id, before, after, request_id from audit.log;

comment on view public.audit_log is 'audit.log as clients read it: the rows of organisations in which they hold audit.read.';

-- Grants ------------------------------------------------------------------------------------------

grant usage on schema audit to authenticated;
grant select on audit.log to authenticated;
grant select on public.audit_log to authenticated;
