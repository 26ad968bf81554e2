-- Till shifts: who stood at the till from when to when, what should be in it, and what was.

select private.add_permissions('[
  {"code": "shift.manage", "description": "Open and close one''s own till", "roles": ["cashier", "sales_executive"]}
]');

-- Tables ------------------------------------------------------------------------------------------

create table public.till_shifts (
  org_id uuid not null,
  id uuid not null,
  branch_id uuid not null,
  user_id uuid not null references auth.users (id),
  status text not null check (status in ('open', 'closed')),
  opening_float numeric(14, 2) not null check (opening_float >= 0),
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  closed_by uuid,
  takings jsonb,
  difference numeric(14, 2),
  note text check (length(note) <= 2000),
  primary key (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  constraint closed_with_a_count check ((status = 'closed') = (num_nonnulls(closed_at, closed_by, takings,
    difference) = 4))
);

comment on table public.till_shifts is
'A user''s time at the till of a branch. opening_float: the cash that was in it, in the organisation''s currency. On
closing, takings keeps what was expected and what was counted, [{"method", "expected", "counted", "difference"}], and
difference their sum: below zero, something is missing.';

create table public.till_cash_movements (
  org_id uuid not null,
  id uuid not null,
  shift_id uuid not null,
  branch_id uuid not null,
  kind text not null check (kind in ('cash_in', 'cash_out')),
  amount numeric(14, 2) not null check (amount > 0),
  reason text not null check (length(btrim(reason)) between 1 and 200),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, id),
  foreign key (org_id, shift_id) references public.till_shifts (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id)
);

comment on table public.till_cash_movements is
'Cash that went into a till or out of it other than by payments: change fetched, money taken to the bank. Append-only.
amount: in the organisation''s currency.';

alter table public.payments add column shift_id uuid;
alter table public.payments add foreign key (org_id, shift_id) references public.till_shifts (org_id, id);
alter table public.refunds add column shift_id uuid;
alter table public.refunds add foreign key (org_id, shift_id) references public.till_shifts (org_id, id);
comment on column public.payments.shift_id is
'The till shift in which it was taken: the open one of who took it, at this branch, at that moment; whatever day it
counts for.';
comment on column public.refunds.shift_id is 'The till shift in which it was paid out, as payments.shift_id.';

-- Indexes -----------------------------------------------------------------------------------------

create unique index till_shifts_open_key on public.till_shifts (branch_id, org_id, user_id) where status = 'open';
create index on public.till_shifts (org_id, opened_at desc, id desc);
create index on public.till_shifts (branch_id, opened_at desc);
create index on public.till_shifts (user_id, org_id);
create index on public.till_cash_movements (shift_id);
create index on public.payments (shift_id) where shift_id is not null;
create index on public.refunds (shift_id) where shift_id is not null;

-- Functions ---------------------------------------------------------------------------------------

create function private.stamp_shift() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- The lock keeps the shift open until this is committed, so that a count misses nothing; after a count, it is of no
  -- shift.
  select s.id into new.shift_id from public.till_shifts s
  where s.branch_id = new.branch_id and s.user_id = new.created_by and s.status = 'open' for key share;
  return new;
end;
$$;

comment on function private.stamp_shift() is
'Row trigger, before a payment or refund is written: it belongs to the open shift of who takes it, at the branch where
he does. No errors.';

create function private.shift_takings(p_org_id uuid, p_shift_id uuid) returns table (method text, expected numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select t.method, sum(t.amount)
  from (
    select p.method, p.amount from public.payments p
    join public.payment_methods m on m.code = p.method and m.is_money
    where p.shift_id = p_shift_id and p.org_id = p_org_id and not exists (
      -- Taken by mistake and put right in the same shift.
      select from public.payment_reversals r
      join public.till_shifts s on s.org_id = p_org_id and s.id = p_shift_id
      where r.org_id = p.org_id and r.payment_id = p.id and r.created_at < coalesce(s.closed_at, 'infinity'))
    union all
    select f.method, -f.amount from public.refunds f
    join public.payment_methods m on m.code = f.method and m.is_money
    where f.shift_id = p_shift_id and f.org_id = p_org_id
    union all
    select 'cash', s.opening_float from public.till_shifts s where s.org_id = p_org_id and s.id = p_shift_id
    union all
    select 'cash', case m.kind when 'cash_in' then m.amount else -m.amount end
    from public.till_cash_movements m where m.shift_id = p_shift_id and m.org_id = p_org_id) t
  group by t.method;
end;
$$;

comment on function private.shift_takings(uuid, uuid) is
'What a shift should have, by payment method: payments (change is taken off already) less refunds; of cash also the
opening float, what was brought and what was taken away. A payment that was reversed before the closing does not count;
nor does what is no money, such as points. No errors.';

create function private.shift_json(p_org_id uuid, p_shift_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select to_jsonb(s) || jsonb_build_object('branch', jsonb_build_object('code', b.code, 'name', b.name),
      'user', u.email, 'currency', o.currency, 'timezone', b.timezone,
      'takings', coalesce(s.takings, (
        select jsonb_agg(jsonb_build_object('method', t.method, 'expected', t.expected, 'counted', null, 'difference',
          null)
          order by t.method) from private.shift_takings(p_org_id, p_shift_id) t)),
      'payments', (
        select coalesce(jsonb_object_agg(p.method, jsonb_build_object('count', p.payments, 'amount', p.amount)), '{}')
        from (
          select t.method, count(*) as payments, sum(t.amount) as amount from public.payments t
          where t.shift_id = s.id and t.org_id = s.org_id group by t.method) p),
      'refunds', (
        select coalesce(jsonb_object_agg(f.method, jsonb_build_object('count', f.refunds, 'amount', f.amount)), '{}')
        from (
          select t.method, count(*) as refunds, sum(t.amount) as amount from public.refunds t
          where t.shift_id = s.id and t.org_id = s.org_id group by t.method) f),
      'cash_movements', (
        select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'kind', m.kind, 'amount', m.amount, 'reason', m.reason,
          'at', m.created_at, 'by', m.created_by) order by m.created_at, m.id), '[]')
        from public.till_cash_movements m where m.shift_id = s.id and m.org_id = s.org_id))
    from public.till_shifts s
    join public.branches b on b.org_id = s.org_id and b.id = s.branch_id
    join public.organizations o on o.id = s.org_id
    left join auth.users u on u.id = s.user_id
    where s.org_id = p_org_id and s.id = p_shift_id);
end;
$$;

comment on function private.shift_json(uuid, uuid)
  is 'A shift as clients see it; while it is open, with what is expected up to now.';

create function private.check_own_shift(p_shift public.till_shifts) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if p_shift.user_id <> private.caller() and not private.permitted('report.read', p_shift.org_id) then
    perform private.fail(403, 'permission_denied', 'This is somebody else''s till.', '{"permission": "report.read"}');
  end if;
end;
$$;

comment on function private.check_own_shift(public.till_shifts) is
'A till is its user''s, and that of who holds report.read. Errors: 403 permission_denied.';

-- The acts ----------------------------------------------------------------------------------------

create function public.open_shift(p_id uuid, p_branch_id uuid, p_opening_float numeric default 0) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.authorize_branch('shift.manage', p_branch_id);
  v_user_id uuid := private.caller();
  v_open_id uuid;
begin
  if p_opening_float is null or not p_opening_float between 0 and 1e11
    or p_opening_float <> round(p_opening_float, 2) then
    perform private.fail(400, 'invalid_input', 'p_opening_float must be 0 or more, with 2 decimals at most.',
      '{"field": "p_opening_float"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'open_shift', jsonb_build_array(p_branch_id, p_opening_float)) then
    insert into public.till_shifts (org_id, id, branch_id, user_id, status, opening_float)
    values (v_org_id, p_id, p_branch_id, v_user_id, 'open', p_opening_float)
    on conflict (branch_id, org_id, user_id) where status = 'open' do nothing;
    if not found then
      select id into v_open_id from public.till_shifts
      where branch_id = p_branch_id and user_id = v_user_id and status = 'open';
      perform private.fail(409, 'shift_open', 'You have an open shift at this branch.',
        jsonb_build_object('shift_id', v_open_id));
    end if;
    perform private.emit(v_org_id, 'shift.opened', jsonb_build_object('shift_id', p_id, 'branch_id', p_branch_id,
      'user_id', v_user_id, 'opening_float', p_opening_float));
  end if;
  return private.shift_json(v_org_id, p_id);
end;
$$;

comment on function public.open_shift(uuid, uuid, numeric) is
'Opens the caller''s till at a branch: payments and refunds that he takes there from now on belong to it. p_id: the
client''s uuid, the shift''s id. p_branch_id. p_opening_float: the cash in the till, in the organisation''s currency.
Returns the shift as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 shift_open,
id_reused; 422 branch_archived. Permission: shift.manage.';
revoke execute on function public.open_shift(uuid, uuid, numeric) from public, anon;
grant execute on function public.open_shift(uuid, uuid, numeric) to authenticated;

create function public.move_cash(p_id uuid, p_shift_id uuid, p_kind text, p_amount numeric, p_reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_shift public.till_shifts := private.document_named(null::public.till_shifts, p_shift_id);
  v_status text;
begin
  perform private.authorize('shift.manage', v_shift.org_id, v_shift.branch_id);
  perform private.check_own_shift(v_shift);
  perform private.check_choice(p_kind, array['cash_in', 'cash_out'], 'p_kind');
  perform private.check_money(p_amount, 'cash', null);
  if p_reason is null or length(btrim(p_reason)) not between 1 and 200 then
    perform private.fail(400, 'invalid_input', 'Say what for, in 1 to 200 characters.', '{"field": "p_reason"}');
  end if;
  if private.claim_request(v_shift.org_id, p_id, 'move_cash',
    jsonb_build_array(p_shift_id, p_kind, p_amount, p_reason)) then
    select status into v_status from public.till_shifts where org_id = v_shift.org_id and id = p_shift_id for key share;
    if v_status <> 'open' then
      perform private.refuse_transition('till_shift', v_status, v_status);
    end if;
    insert into public.till_cash_movements (org_id, id, shift_id, branch_id, kind, amount, reason, created_by)
    values (v_shift.org_id, p_id, p_shift_id, v_shift.branch_id, p_kind, p_amount, p_reason, private.caller());
  end if;
  return private.shift_json(v_shift.org_id, p_shift_id);
end;
$$;

comment on function public.move_cash(uuid, uuid, text, numeric, text) is
'Notes cash brought to the till of an open shift or taken from it, such as to the bank. p_id: the client''s uuid of this
act. p_shift_id. p_kind: cash_in or cash_out. p_amount: in the organisation''s currency. p_reason: 1 to 200 characters.
Returns the shift as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invalid_transition
(the shift is closed), id_reused. Permission: shift.manage; for somebody else''s till report.read too.';
revoke execute on function public.move_cash(uuid, uuid, text, numeric, text) from public, anon;
grant execute on function public.move_cash(uuid, uuid, text, numeric, text) to authenticated;

create function public.close_shift(p_id uuid, p_shift_id uuid, p_counted jsonb, p_note text default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_shift public.till_shifts := private.document_named(null::public.till_shifts, p_shift_id);
  v_method text;
  v_takings jsonb;
  v_difference numeric;
begin
  perform private.authorize('shift.manage', v_shift.org_id, v_shift.branch_id);
  perform private.check_own_shift(v_shift);
  if p_counted is null or jsonb_typeof(p_counted) <> 'object' then
    perform private.fail(400, 'invalid_input', 'p_counted is a JSON object, {"<method>": amount}.',
      '{"field": "p_counted"}');
  elsif length(p_note) > 2000 then
    perform private.fail(400, 'invalid_input', 'A note has at most 2000 characters.', '{"field": "p_note"}');
  end if;
  select c.key into v_method from jsonb_each(p_counted) c
  where not private.is_amount(c.value) or not exists (select from public.payment_methods m where m.code = c.key
    and m.is_money)
  order by c.key limit 1;
  if v_method is not null then
    perform private.fail(400, 'invalid_input',
      format('%s needs to be a payment method that is money, with an amount of 0 or more.', v_method),
      jsonb_build_object('field', 'p_counted', 'method', v_method));
  end if;
  if private.claim_request(v_shift.org_id, p_id, 'close_shift', jsonb_build_array(p_shift_id, p_counted, p_note)) then
    -- Waits for the payments under way, which hold the shift; those that come later are of no shift.
    select * into v_shift from public.till_shifts where org_id = v_shift.org_id and id = p_shift_id for update;
    if v_shift.status <> 'open' then
      perform private.refuse_transition('till_shift', v_shift.status, 'closed');
    end if;
    select jsonb_agg(jsonb_build_object('method', t.method, 'expected', t.expected, 'counted', t.counted,
      'difference', t.counted - t.expected) order by t.method), sum(t.counted - t.expected)
    into v_takings, v_difference
    from (
      select method, coalesce(e.expected, 0.00) as expected, coalesce(c.counted, 0.00) as counted
      from private.shift_takings(v_shift.org_id, p_shift_id) e
      full join (select k.key as method, k.value::numeric(14, 2) as counted from jsonb_each(p_counted) k) c
        using (method)) t;
    update public.till_shifts
    set status = 'closed', closed_at = clock_timestamp(), closed_by = private.caller(), takings = v_takings,
      difference = v_difference, note = p_note
    where org_id = v_shift.org_id and id = p_shift_id;
    perform private.emit(v_shift.org_id, 'shift.closed', jsonb_build_object('shift_id', p_shift_id, 'branch_id',
      v_shift.branch_id, 'user_id', v_shift.user_id, 'difference', v_difference));
  end if;
  return private.shift_json(v_shift.org_id, p_shift_id);
end;
$$;

comment on function public.close_shift(uuid, uuid, jsonb, text) is
'Closes a till with what was counted in it. p_id: the client''s uuid of this act. p_shift_id. p_counted: {"<payment
method>": amount}, in the organisation''s currency, methods that are money only; a method that is not named was counted
as 0. p_note. Returns the shift as JSON with takings: of each method what was expected (payments less refunds; of cash
also the opening float and cash moved), counted, and the difference. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found; 409 invalid_transition (it is closed), id_reused. Permission: shift.manage; for
somebody else''s till report.read too.';
revoke execute on function public.close_shift(uuid, uuid, jsonb, text) from public, anon;
grant execute on function public.close_shift(uuid, uuid, jsonb, text) to authenticated;

create function public.shift_report(p_shift_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_shift public.till_shifts := private.document_named(null::public.till_shifts, p_shift_id);
begin
  perform private.authorize('shift.manage', v_shift.org_id, v_shift.branch_id);
  perform private.check_own_shift(v_shift);
  return private.shift_json(v_shift.org_id, p_shift_id);
end;
$$;

comment on function public.shift_report(uuid) is
'One shift: who, where, from when to when, payments and refunds by method, cash moved, expected, counted and difference.
p_shift_id. Errors: 401, 403 permission_denied, 404 not_found. Permission: shift.manage; for somebody else''s till
report.read too.';
revoke execute on function public.shift_report(uuid) from public, anon;
grant execute on function public.shift_report(uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

insert into public.lifecycle_transitions (document, from_status, to_status, permission) values
  ('till_shift', 'new', 'open', 'shift.manage'),
  ('till_shift', 'open', 'closed', 'shift.manage');

create trigger t40_enforce_lifecycle before insert or update or delete on public.till_shifts
  for each row execute function private.enforce_lifecycle('till_shift', 'status', 'closed_at', 'closed_by', 'takings',
    'difference',
    'note');
create trigger t10_refuse_change before update on public.till_shifts for each row when (old.status = 'closed')
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.till_shifts for each statement
  execute function audit.refuse_change();
create trigger t10_refuse_change before update or delete on public.till_cash_movements
  for each row execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.till_cash_movements for each statement
  execute function audit.refuse_change();
create trigger t30_stamp_shift before insert on public.payments for each row execute function private.stamp_shift();
create trigger t30_stamp_shift before insert on public.refunds for each row execute function private.stamp_shift();
select audit.attach('public.till_shifts');
select audit.attach('public.till_cash_movements');

-- Policies ----------------------------------------------------------------------------------------

create function private.orgs_with_shifts() returns setof uuid
language plpgsql stable security definer parallel safe
set search_path = ''
as $$
begin
  return query
  select private.orgs_with('report.read')
  union
  select org_id from public.till_shifts where user_id = auth.uid();
end;
$$;

comment on function private.orgs_with_shifts() is
'Organisations of whose shifts the caller may see some: he holds report.read there, or had shifts of his own, also if he
has left. For the policy; once a statement.';
revoke execute on function private.orgs_with_shifts() from public, anon;
grant execute on function private.orgs_with_shifts() to authenticated;

alter table public.till_shifts enable row level security;
create policy "Users read their shifts, report readers those of branches" on public.till_shifts for select
  to authenticated
  using (org_id = any (array(select private.orgs_with_shifts()))
    and case when user_id = (select auth.uid()) or org_id = any (array(select private.whole_orgs_with('report.read')))
      then true
      else branch_id = any (array(select private.listed_branches_with('report.read'))) end);

alter table public.till_cash_movements enable row level security;
create policy "Who holds report.read reads the cash moved at his branches" on public.till_cash_movements
  for select to authenticated
  using (org_id = any (array(select private.orgs_with('report.read')))
    and case when (select private.covers_all_with('report.read')) then true
      when org_id = any (array(select private.whole_orgs_with('report.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('report.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.till_shifts, public.till_cash_movements to authenticated;
