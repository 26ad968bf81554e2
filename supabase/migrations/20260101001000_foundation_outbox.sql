-- Events: a business act leaves a row here in its own transaction; consumers, programs outside, get each at least once.
--
-- An act writes one row and knows no consumer. Workers spread new events over the consumers, a row each, and claim from
-- those. The mark "spread" stands on the event: whoever looks sees every committed event that has not got it, in
-- whatever order they were committed, so that nothing has to be known about transactions (decision 17).

-- Tables ------------------------------------------------------------------------------------------

create table private.outbox (
  id bigint generated always as identity,
  org_id uuid not null,
  event text not null check (event ~ '^[a-z_]+\.[a-z_]+$'),
  payload jsonb not null,
  created_at timestamptz not null default now(),
  spread boolean not null default false,
  primary key (created_at, id)
) partition by range (created_at);

comment on table private.outbox is
'What happened, as noun.verb with its facts, written in the act''s own transaction. spread: every consumer has its
delivery. Monthly partitions; the job "outbox" drops the old ones.';

create table private.outbox_rest partition of private.outbox default;
comment on table private.outbox_rest
  is 'Catches events of months that have no partition yet, so that no act fails for want of one.';

create table private.consumers (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  events text[] not null default '{}',
  since timestamptz not null default now(),
  lease interval not null default '1 minute' check (lease between interval '1 second' and interval '1 day'),
  max_tries integer not null default 10 check (max_tries between 1 and 100),
  purpose text not null
);

comment on table private.consumers is
'Who gets events. events: names, empty for all. since: events from this moment on. lease: for how long claimed events
are his who claimed them; then others get them. max_tries: how often an event is given out before it goes to
private.dead_events.';

create table private.deliveries (
  consumer text not null references private.consumers (name) on delete cascade,
  event_at timestamptz not null,
  event_id bigint not null,
  due_at timestamptz not null default now(),
  tries integer not null default 0,
  claim uuid,
  error text,
  primary key (consumer, event_id)
);

comment on table private.deliveries is
'Events that a consumer has not acknowledged yet. due_at: when it is given out, again if need be. claim: whose it is
until then. error: what the last one who tried said.';

create table private.dead_events (
  consumer text not null references private.consumers (name) on delete cascade,
  event_id bigint not null,
  event_at timestamptz not null,
  org_id uuid not null,
  event text not null,
  payload jsonb not null,
  tries integer not null,
  error text,
  died_at timestamptz not null default now(),
  primary key (consumer, event_id)
);

comment on table private.dead_events is
'Dead letters: events that a consumer could not handle in max_tries, or did not take before their partition went, whole.
They stay until somebody has private.revive_events give them out again.';

-- Indexes -----------------------------------------------------------------------------------------

create index on private.outbox (created_at, id) where not spread;
create index on private.deliveries (consumer, due_at, event_id);

alter table private.outbox enable row level security;
alter table private.outbox_rest enable row level security;
alter table private.consumers enable row level security;
alter table private.deliveries enable row level security;
alter table private.dead_events enable row level security;

insert into private.partitioned (table_name, time_column, step, ahead)
  values ('private.outbox', 'created_at', 'month', 12);
select private.add_partitions('private.outbox', current_date, 13);

-- Leaving an event --------------------------------------------------------------------------------

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

-- Consumers ---------------------------------------------------------------------------------------

create function private.add_consumer(p_name text, p_purpose text, p_events text[] default '{}', p_since timestamptz
  default now())
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Nobody spreads meanwhile: an event is either spread with this consumer known, or spread now and caught up here.
  lock table private.consumers in exclusive mode;
  insert into private.consumers (name, purpose, events, since) values (p_name, p_purpose, p_events, p_since);
  insert into private.deliveries (consumer, event_at, event_id)
  select p_name, o.created_at, o.id from private.outbox o
  where o.spread and o.created_at >= p_since and (p_events = '{}' or o.event = any (p_events));
end;
$$;

comment on function private.add_consumer(text, text, text[], timestamptz) is
'Adds a consumer. p_name; p_purpose: what it does with events; p_events: their names, empty for all; p_since: those of
this moment on, which may lie in the past as far as events are kept. Errors: 23505 when there is one of this name.';

create function private.spread_events(p_limit integer default 1000) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_spread integer;
begin
  perform from private.consumers c for key share;
  with fresh as (
    select o.created_at, o.id, o.event from private.outbox o where not o.spread
    order by o.created_at, o.id limit p_limit for update skip locked
  ), marked as (
    update private.outbox o set spread = true from fresh f where o.created_at = f.created_at and o.id = f.id
  ), delivered as (
    insert into private.deliveries (consumer, event_at, event_id)
    select c.name, f.created_at, f.id from fresh f
    join private.consumers c on f.created_at >= c.since and (c.events = '{}' or f.event = any (c.events))
  )
  select count(*) into v_spread from fresh;
  return v_spread;
end;
$$;

comment on function private.spread_events(integer) is
'Gives each consumer a delivery of up to p_limit events that have none yet; returns of how many. Several may do so at
once: each takes others.';

create function private.bury_events(p_consumer text, p_event_ids bigint[], p_error text default null) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_buried integer;
begin
  with gone as (
    delete from private.deliveries d where d.consumer = p_consumer and d.event_id = any (p_event_ids)
    returning d.event_at, d.event_id, d.tries, d.error
  )
  insert into private.dead_events (consumer, event_id, event_at, org_id, event, payload, tries, error)
  select p_consumer, g.event_id, g.event_at, o.org_id, o.event, o.payload, g.tries, coalesce(p_error, g.error)
  from gone g join private.outbox o on o.created_at = g.event_at and o.id = g.event_id;
  get diagnostics v_buried = row_count;
  return v_buried;
end;
$$;

comment on function private.bury_events(text, bigint[], text) is
'Makes deliveries dead letters. p_consumer, p_event_ids; p_error: why, null for what the last try said. Returns how
many.';

create function private.claim_events(p_consumer text, p_limit integer default 100)
returns table (claim uuid, event_id bigint, org_id uuid, event text, payload jsonb, created_at timestamptz,
  tries integer)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_consumer private.consumers;
  v_claim uuid := gen_random_uuid();
begin
  select * into v_consumer from private.consumers c where c.name = p_consumer;
  if not found then
    perform private.fail(404, 'not_found', format('There is no consumer %s.', p_consumer));
  elsif p_limit is null or p_limit not between 1 and 1000 then
    perform private.fail(400, 'invalid_input', 'p_limit must be from 1 to 1000.', '{"field": "p_limit"}');
  end if;
  perform private.spread_events();
  -- Whoever was given it last so often has died of it.
  perform private.bury_events(p_consumer, array(
    select d.event_id from private.deliveries d
    where d.consumer = p_consumer and d.due_at <= clock_timestamp() and d.tries >= v_consumer.max_tries
    for update skip locked), null);
  return query
  with due as (
    select d.event_id from private.deliveries d where d.consumer = p_consumer and d.due_at <= clock_timestamp()
    order by d.due_at, d.event_id limit p_limit for update skip locked
  ), claimed as (
    update private.deliveries d
    set claim = v_claim, tries = d.tries + 1, due_at = clock_timestamp() + v_consumer.lease
    from due where d.consumer = p_consumer and d.event_id = due.event_id
    returning d.event_at, d.event_id, d.tries
  )
  select v_claim, o.id, o.org_id, o.event, o.payload, o.created_at, c.tries
  from claimed c join private.outbox o on o.created_at = c.event_at and o.id = c.event_id
  order by o.id;
end;
$$;

comment on function private.claim_events(text, integer) is
'Gives a worker events of a consumer that nobody else has. p_consumer: a row of private.consumers; p_limit: how many, 1
to 1000. Returns claim (to acknowledge with), event_id, org_id, event, payload, created_at and tries, 1 the first time.
They are his for the consumer''s lease: what he has not acknowledged by then is given out again, as what a killed worker
had, so an event may come more than once, and events of one document may come in another order. Errors: 404 not_found,
400 invalid_input. For branchline_worker.';

create function private.ack_events(p_consumer text, p_claim uuid, p_event_ids bigint[] default null) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_done integer;
begin
  delete from private.deliveries d
  where d.consumer = p_consumer and d.claim = p_claim and (p_event_ids is null or d.event_id = any (p_event_ids));
  get diagnostics v_done = row_count;
  return v_done;
end;
$$;

comment on function private.ack_events(text, uuid, bigint[]) is
'Acknowledges events: they do not come again. p_claim: what claim_events gave with them; p_event_ids: which of them,
null for all. Returns how many: fewer than asked where the lease was over and somebody else has them now. For
branchline_worker.';

create function private.fail_event(p_consumer text, p_claim uuid, p_event_id bigint, p_error text, p_retry_in interval
  default null)
returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_delivery private.deliveries;
begin
  select * into v_delivery from private.deliveries d
  where d.consumer = p_consumer and d.claim = p_claim and d.event_id = p_event_id for update;
  if not found then
    return false;
  elsif v_delivery.tries >= (select c.max_tries from private.consumers c where c.name = p_consumer) then
    perform private.bury_events(p_consumer, array[p_event_id], left(p_error, 2000));
  else
    update private.deliveries d
    set claim = null, error = left(p_error, 2000), due_at = clock_timestamp() + coalesce(p_retry_in,
      least(interval '5 seconds' * 2 ^ (v_delivery.tries - 1), interval '1 hour'))
    where d.consumer = p_consumer and d.event_id = p_event_id;
  end if;
  return true;
end;
$$;

comment on function private.fail_event(text, uuid, bigint, text, interval) is
'Says that an event could not be handled. p_error: why. It comes again after p_retry_in (else 5 seconds, doubled with
each try, at most an hour), or is a dead letter after the consumer''s max_tries. False when the claim is over. For
branchline_worker.';

create function private.revive_events(p_consumer text, p_event_ids bigint[] default null) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_revived integer;
begin
  -- The event itself may be gone with its partition: it is told anew, and to this consumer alone.
  with gone as (
    delete from private.dead_events d
    where d.consumer = p_consumer and (p_event_ids is null or d.event_id = any (p_event_ids))
    returning d.org_id, d.event, d.payload
  ), told as (
    insert into private.outbox (org_id, event, payload, spread) select g.org_id, g.event, g.payload, true from gone g
    returning created_at, id
  )
  insert into private.deliveries (consumer, event_at, event_id) select p_consumer, t.created_at, t.id from told t;
  get diagnostics v_revived = row_count;
  return v_revived;
end;
$$;

comment on function private.revive_events(text, bigint[]) is
'Gives dead letters out again, under new event ids. p_event_ids: which, null for all of the consumer''s. Returns how
many.';

-- Housekeeping ------------------------------------------------------------------------------------

create function private.prune_outbox(p_keep interval) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_before timestamptz := (
    select max(p.ends_at) from private.partitions_of('private.outbox') p where p.ends_at <= now() - p_keep);
  v_buried bigint;
begin
  if v_before is null then
    return '{"dropped": 0, "buried": 0}'::jsonb;
  end if;
  select sum(private.bury_events(l.consumer, l.ids, 'It was not taken before its partition went.')) into v_buried
  from (
    select d.consumer, array_agg(d.event_id) as ids from private.deliveries d where d.event_at < v_before
      group by d.consumer) l;
  return jsonb_build_object('dropped', private.drop_partitions('private.outbox', v_before), 'buried',
    coalesce(v_buried, 0));
end;
$$;

comment on function private.prune_outbox(interval) is
'The job "outbox": drops the partitions whose events are all older than p_keep. What a consumer has not taken of them
becomes a dead letter. Returns {"dropped": partitions, "buried": events}.';
