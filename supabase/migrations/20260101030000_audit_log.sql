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
'One row per changed row of a business table, and per new row of those that do not say themselves who made them
(audit.origin). actor_id: the signed-in user, null for jobs. row_id: the key as text, its parts joined by a slash.
before, after: the whole row as JSON. Monthly partitions by "at" (UTC).';

create table audit.log_rest partition of audit.log default;
comment on table audit.log_rest
  is 'Catches rows of months that have no partition yet, so that no act fails for want of one.';

-- Indexes -----------------------------------------------------------------------------------------

-- Not led by org_id: the list goes by the key, for which a kept plan would take another index that begins as it does.
create index on audit.log (row_id, org_id);

-- Functions ---------------------------------------------------------------------------------------

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
  -- A statement that failed half-way leaves no row here either: the log is part of the act's transaction. "offset 0"
  -- keeps the planner from making the JSON of a row again for each column that is read of it.
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
    -- A key may name the branch as well, for the policies; it is the document's and says nothing of it.
    select distinct audit.origin(f.confrelid)
    from pg_catalog.pg_constraint f
    cross join lateral (
      select array_agg(a.attnum) as columns from pg_catalog.pg_attribute a
      where a.attrelid = p_table and a.attnum = any (f.conkey) and a.attname <> 'branch_id') k
    where f.conrelid = p_table and f.contype = 'f' and f.confrelid <> p_table and audit.origin(f.confrelid) is not null
      and exists (
        select from pg_catalog.pg_index i
        where i.indrelid = p_table and i.indisunique and i.indpred is null
          and (i.indkey::int2[])[0:cardinality(k.columns) - 1] @> k.columns));
end;
$$;

comment on function audit.origin(regclass) is
'Which table''s rows say who made the rows of p_table, when and in which request: p_table itself when it has the column
request_id (beside it stand who and when), else the document whose key begins a unique key of p_table, or its line''s
document; null when none of them says so. Errors: 21000 when the keys begin with two documents: then the table needs the
columns itself.';

create function audit.attach(p_table regclass, variadic p_keys text[] default '{}') returns void
language plpgsql
set search_path = ''
as $$
declare
  v_arguments text := (select coalesce(string_agg(quote_literal(k), ', '), '') from unnest(p_keys) k);
begin
  assert cardinality(p_keys) <= 3, 'audit.record knows three columns of a key';
  -- Documents and their lines are kept as they are, or their changes are, and they say who made them: a copy of each
  -- new row would say all of it again, and most rows of a business are of this kind.
  if audit.origin(p_table) is null then
    execute format('create trigger t99_record_insert after insert on %s referencing new table as new_rows
      for each statement execute function audit.record(%s)', p_table, v_arguments);
  end if;
  execute format('create trigger t99_record_update after update on %s
    referencing old table as old_rows new table as new_rows
    for each statement execute function audit.record(%s)', p_table, v_arguments);
  execute format('create trigger t99_record_delete after delete on %s referencing old table as old_rows
    for each statement execute function audit.record(%s)', p_table, v_arguments);
end;
$$;

comment on function audit.attach(regclass, text[]) is
'Puts a table under audit: what is changed and removed, and what is new unless audit.origin finds who made it. p_table:
the table, with its keys; p_keys: its key columns when the key is not "id". For migrations.';

create function private.follows_merge(p_table oid, p_old jsonb, p_new jsonb) returns boolean
language plpgsql stable
set search_path = ''
as $$
declare
  -- Before the row is written, what Postgres computes is not there yet.
  v_computed text[];
begin
  if p_old ->> 'customer_id' is null or p_new ->> 'customer_id' is null
    or p_old ->> 'customer_id' = p_new ->> 'customer_id' then
    return false;
  end if;
  v_computed := array(
    select attname::text from pg_catalog.pg_attribute where attrelid = p_table and attnum > 0 and attgenerated <> '');
  return p_old - v_computed - 'customer_id' = p_new - v_computed - 'customer_id' and exists (
    select from public.customers c
    where c.org_id = (p_old ->> 'org_id')::uuid and c.id = (p_old ->> 'customer_id')::uuid
      and c.merged_into = (p_new ->> 'customer_id')::uuid);
end;
$$;

comment on function private.follows_merge(oid, jsonb, jsonb) is
'Is the only thing that changes in this row that it belongs to the customer into whom its own was merged? For the
triggers that keep documents and ledgers as they are. What is printed on a document (buyer) stays. p_table: the table;
p_old, p_new: the row. No errors.';

create function audit.refuse_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    if private.follows_merge(tg_relid, to_jsonb(old), to_jsonb(new)) then
      return new;
    end if;
  elsif tg_op = 'DELETE' and tg_table_schema = 'audit' then
    -- A year is kept in any case.
    if (to_jsonb(old) ->> 'at')::timestamptz < now() - interval '1 year' then
      if (to_jsonb(old) ->> 'at')::timestamptz < audit.kept_since((to_jsonb(old) ->> 'org_id')::uuid) then
        return old;
      end if;
    end if;
  end if;
  perform private.fail(403, 'append_only', format('Rows of %s are never changed or removed.', tg_table_name));
  return null;
end;
$$;

comment on function audit.refuse_change() is
'Trigger of append-only tables. One thing may change: whose document it is, when merge_customers has made two customers
one. And of the audit log goes what is older than its organisation keeps it (audit.kept_since).
Errors: 403 append_only, whoever asks.';

-- Retention ---------------------------------------------------------------------------------------

create function audit.kept_since(p_org_id uuid) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce(
    (select now() - make_interval(months => o.audit_months) from public.organizations o where o.id = p_org_id),
      '-infinity');
end;
$$;

comment on function audit.kept_since(uuid) is
'Since when an organisation''s log is kept, by organizations.audit_months.';

create function audit.prune(p_org_id uuid) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_since timestamptz := audit.kept_since(p_org_id);
  v_pruned integer;
begin
  delete from audit.log l using (
    select o.at, o.id from audit.log o where o.org_id = p_org_id and o.at < v_since order by o.at limit 10000) old
  where l.org_id = p_org_id and l.at = old.at and l.id = old.id;
  get diagnostics v_pruned = row_count;
  return jsonb_build_object('pruned', v_pruned, 'more', v_pruned = 10000);
end;
$$;

comment on function audit.prune(uuid) is
'The job "audit-log" for one organisation: removes up to 10,000 entries that are older than it keeps them. Returns
{"pruned", "more"}.';

create function audit.prune_partitions() returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_longest integer := (select max(o.audit_months) from public.organizations o);
begin
  return coalesce(private.drop_partitions('audit.log', now() - make_interval(months => v_longest)), 0);
end;
$$;

comment on function audit.prune_partitions() is
'The job "audit-partitions": drops the months that no organisation keeps any more; returns how many.';

-- All organisations share the months: one that keeps its log for a shorter time loses its rows, and a month goes when
-- nobody keeps it.
insert into private.schedules (name, cron, routine, organizations, purpose) values
  ('audit-log', '57 3 * * *', 'audit.prune',
  'select o.id from public.organizations o where exists (select from audit.log l where l.org_id = o.id
    and l.at < now() - make_interval(months => o.audit_months))',
  'Removes what an organisation keeps no longer'),
  ('audit-partitions', '47 3 * * *', 'audit.prune_partitions', null, 'Drops the months that nobody keeps');

-- Triggers ----------------------------------------------------------------------------------------

create trigger t10_refuse_change before update or delete on audit.log for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on audit.log for each statement
  execute function audit.refuse_change();
-- Row triggers come with the partitioned table, statement triggers do not: each partition has its own.
create trigger t10_refuse_change_truncate before truncate on audit.log_rest for each statement
  execute function audit.refuse_change();

insert into private.partitioned (table_name, time_column, step, ahead) values ('audit.log', 'at', 'month', 12);
select private.add_partitions('audit.log', current_date, 13);

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

comment on view public.audit_log
  is 'audit.log as clients read it: the rows of organisations in which they hold audit.read.';

-- Grants ------------------------------------------------------------------------------------------

grant usage on schema audit to authenticated;
grant select on audit.log to authenticated;
grant select on public.audit_log to authenticated;
