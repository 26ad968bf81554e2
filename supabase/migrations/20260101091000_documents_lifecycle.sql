-- Lifecycles are data: which status may follow which, enforced by one trigger function on every document table.

create table public.lifecycle_transitions (
  document text not null,
  from_status text not null,
  to_status text not null,
  permission text references public.permissions (code),
  primary key (document, from_status, to_status)
);

comment on table public.lifecycle_transitions is
'The allowed steps of every document and the permission each needs; null: the step comes by itself. from_status "new":
the statuses a document may begin in. Clients read it to know which buttons to show.';

alter table public.lifecycle_transitions enable row level security;
create policy "Anyone reads the lifecycles" on public.lifecycle_transitions for select to anon, authenticated
  using (true);
grant select on public.lifecycle_transitions to anon, authenticated;

create function private.refuse_transition(p_document text, p_from text, p_to text) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.fail(409, 'invalid_transition', format('This %s cannot go from %s to %s.', p_document, p_from, p_to),
    jsonb_build_object('document', p_document, 'from', p_from, 'to', p_to));
end;
$$;

comment on function private.refuse_transition(text, text, text) is
'Says that a lifecycle has no such step. For acts that find it out before they change anything, and for the trigger.
Errors: 409 invalid_transition.';

create function private.check_step(p_document text, p_from text, p_to text) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if not exists (
    select from public.lifecycle_transitions t
    where t.document = p_document and t.from_status = p_from and t.to_status = p_to) then
    perform private.refuse_transition(p_document, p_from, p_to);
  end if;
end;
$$;

comment on function private.check_step(text, text, text) is
'Refuses a step that the lifecycle does not list, before an act changes anything. Errors: 409 invalid_transition.';

create function private.enforce_lifecycle() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_document text := tg_argv[0];
  v_free text[];
  v_from text := 'new';
begin
  if tg_op = 'DELETE' then
    perform private.fail(409, 'document_final', format('This %s is never deleted.', v_document),
      jsonb_build_object('document', v_document, 'id', old.id));
  end if;
  if tg_op = 'UPDATE' then
    v_from := old.status;
  end if;
  if new.status is distinct from v_from then
    perform from public.lifecycle_transitions
    where document = v_document and from_status = v_from and to_status = new.status;
    if not found then
      perform private.refuse_transition(v_document, v_from, new.status);
    end if;
  end if;
  if tg_op = 'UPDATE' then
    v_free := tg_argv[1:];
    if old.status <> 'draft' and to_jsonb(new) - v_free <> to_jsonb(old) - v_free
      and not private.follows_merge(tg_relid, to_jsonb(old), to_jsonb(new)) then
      perform private.fail(409, 'document_final', format('This %s is issued and stays as it is.', v_document),
        jsonb_build_object('document', v_document, 'id', old.id, 'status', old.status));
    end if;
  end if;
  return new;
end;
$$;

comment on function private.enforce_lifecycle() is
'Row trigger, before insert, update and delete. Arguments: the document''s name in lifecycle_transitions, then the
columns that may still change once it is no draft; besides, customer_id follows a merge of customers. Holds for
everybody, the service role and the owner included. Errors: 409 invalid_transition, 409 document_final.';

create function private.keep_issued_lines() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_line jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
  v_status text;
begin
  if tg_op <> 'UPDATE' then
    execute format('select status from public.%I where org_id = $1 and id = $2', tg_argv[0])
      into v_status using (v_line ->> 'org_id')::uuid, (v_line ->> tg_argv[1])::uuid;
    if v_status = 'draft' then
      return case when tg_op = 'INSERT' then new else old end;
    end if;
  end if;
  perform private.fail(403, 'append_only', format('Rows of %s are never changed or removed.', tg_table_name));
  return null;
end;
$$;

comment on function private.keep_issued_lines() is
'Row trigger of a document''s lines: a draft''s are taken away and written anew, and of everything else they stay as
they are, whoever asks. Arguments: the document''s table, the column that names it. Errors: 403 append_only.';
