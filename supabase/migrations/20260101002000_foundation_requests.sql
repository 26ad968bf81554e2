-- Repeated calls: every writing act first claims the id that its client gave it.

create table private.requests (
  org_id uuid not null,
  id uuid not null,
  act text not null,
  fingerprint bytea not null,
  created_at timestamptz not null default now(),
  primary key (org_id, id)
);

comment on table private.requests is
'One row per writing call: the client''s own uuid, the act, and a SHA-256 of what was asked. Written first in the
transaction, so that a second call with the same id waits for the first one''s outcome. It says which call this was and
nothing about the business; the job "requests" removes old ones.';

-- Rows come in the order of time, so a summary of each range of pages finds the old ones, and costs a call next to
-- nothing.
create index on private.requests using brin (created_at);

alter table private.requests enable row level security;

create function private.claim_request(p_org_id uuid, p_id uuid, p_act text, p_content jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_fingerprint bytea := pg_catalog.sha256(convert_to(p_content::text, 'UTF8'));
  v_found private.requests;
begin
  if p_id is null then
    perform private.fail(400, 'invalid_input', 'p_id is missing: give the document an id of your own (uuid).',
      jsonb_build_object('field', 'p_id'));
  end if;
  insert into private.requests (org_id, id, act, fingerprint)
  values (p_org_id, p_id, p_act, v_fingerprint)
  on conflict do nothing;
  if found then
    return true;
  end if;
  select * into v_found from private.requests where org_id = p_org_id and id = p_id;
  if v_found.act <> p_act or v_found.fingerprint <> v_fingerprint then
    perform private.fail(409, 'id_reused', 'This id was used before, with other content.',
      jsonb_build_object('id', p_id, 'act', v_found.act));
  end if;
  return false;
end;
$$;

comment on function private.claim_request(uuid, uuid, text, jsonb) is
'Claims the client''s id for one act. True: the first call, go on. False: the same call was carried out before; return
its result and change nothing. p_content: everything the caller asked for, as one JSON value.
Errors: 400 invalid_input (no id), 409 id_reused (the id was used for something else).';

create function private.prune_requests(p_keep interval) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_pruned integer;
begin
  delete from private.requests r where r.ctid = any (array(
    select o.ctid from private.requests o where o.created_at < now() - p_keep limit 10000));
  get diagnostics v_pruned = row_count;
  return jsonb_build_object('pruned', v_pruned, 'more', v_pruned = 10000);
end;
$$;

comment on function private.prune_requests(interval) is
'The job "requests": forgets calls that are older than p_keep, up to 10,000 at a time; who repeats one after that is
told by the document''s key that it exists (409), or does it again. Returns {"pruned", "more": call it again}.';
