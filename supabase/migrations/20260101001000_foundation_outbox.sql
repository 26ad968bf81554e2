-- Events: a business act leaves a row here in its own transaction; consumers deliver it at least once.

create table private.outbox (
  id bigint generated always as identity primary key,
  org_id uuid not null,
  event text not null check (event ~ '^[a-z_]+\.[a-z_]+$'),
  payload jsonb not null,
  created_at timestamptz not null default now(),
  delivered_at timestamptz
);

comment on table private.outbox is 'What happened, as noun.verb with its facts, written in the act''s own transaction.';

create index on private.outbox (id) where delivered_at is null;
alter table private.outbox enable row level security;

create function private.emit(p_org_id uuid, p_event text, p_payload jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.outbox (org_id, event, payload) values (p_org_id, p_event, p_payload);
end;
$$;

comment on function private.emit(uuid, text, jsonb) is
'Leaves an event for the consumers. p_event: noun.verb; p_payload: JSON object of its facts.';
