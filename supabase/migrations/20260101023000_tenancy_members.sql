-- The acts of membership: invite, accept, set a role; what the caller is (whoami); the token hook.

create function private.check_branches(p_org_id uuid, p_branch_ids uuid[]) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if p_branch_ids is not null and (cardinality(p_branch_ids) = 0 or exists (
    select from unnest(p_branch_ids) t (id)
    where not exists (select from public.branches b where b.org_id = p_org_id and b.id = t.id))) then
    perform private.fail(404, 'not_found', 'One of the branches does not exist, or none was named.',
      '{"field": "p_branch_ids"}');
  end if;
  -- Nobody hands out more branches than he covers himself.
  if not private.covers_all_branches(p_org_id) and (p_branch_ids is null
    or not p_branch_ids <@ array(select private.member_branches())) then
    perform private.fail(403, 'permission_denied', 'You cannot give branches that you do not cover.',
      '{"field": "p_branch_ids"}');
  end if;
end;
$$;

comment on function private.check_branches(uuid, uuid[]) is
'Null means all branches; otherwise at least one, each of the organisation, and none that the caller does not cover.
Errors: 404 not_found, 403 permission_denied.';

create function private.set_branch_scope(p_org_id uuid, p_user_id uuid, p_branch_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.membership_branches
  where org_id = p_org_id and user_id = p_user_id and branch_id <> all (coalesce(p_branch_ids, '{}'));
  insert into public.membership_branches (org_id, user_id, branch_id)
  select p_org_id, p_user_id, t.id from unnest(p_branch_ids) t (id)
  on conflict do nothing;
end;
$$;

comment on function private.set_branch_scope(uuid, uuid, uuid[])
  is 'Makes the membership cover just these branches; null: it covers all.';

create function private.assert_admin_left(p_org_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  if not exists (
    select from public.memberships m join public.roles r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = p_org_id and m.status = 'active' and m.all_branches and r.key = 'admin') then
    perform private.fail(409, 'last_admin', 'The organisation needs an admin for all branches; this was its last.');
  end if;
end;
$$;

comment on function private.assert_admin_left(uuid)
  is 'Errors: 409 last_admin when nobody could manage the organisation any more.';

create function public.invite_member(p_id uuid, p_org_id uuid, p_email text, p_role text, p_branch_ids uuid[]
  default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_role_id uuid;
  v_constraint text;
begin
  perform private.authorize('user.manage', p_org_id);
  v_role_id := private.role_named(p_org_id, p_role);
  perform private.check_branches(p_org_id, p_branch_ids);
  if private.claim_request(p_org_id, p_id, 'invite_member',
    jsonb_build_array(lower(p_email), p_role, p_branch_ids)) then
    insert into public.invitations (id, org_id, email, role_id, branch_ids, invited_by)
    values (p_id, p_org_id, lower(p_email), v_role_id, p_branch_ids, private.caller());
  end if;
  return (select to_jsonb(i) from public.invitations i where i.id = p_id and i.org_id = p_org_id);
exception when data_exception or not_null_violation or check_violation then
  get stacked diagnostics v_constraint = constraint_name;
  perform private.refuse_value(v_constraint);
  return null;
end;
$$;

comment on function public.invite_member(uuid, uuid, text, text, uuid[]) is
'Asks a person to join. p_id: the client''s uuid. p_org_id. p_email: whom. p_role: a role''s key. p_branch_ids: the
branches the role covers, null for all. Returns the invitation as JSON. Errors: 401, 404 not_found, 403
permission_denied (also when role or branches go beyond the caller''s own), 400 invalid_input, 409 id_reused.
Permission: user.manage.';
revoke execute on function public.invite_member(uuid, uuid, text, text, uuid[]) from public, anon;
grant execute on function public.invite_member(uuid, uuid, text, text, uuid[]) to authenticated;

create function private.my_open_invitations() returns setof public.invitations
language sql stable security definer
set search_path = ''
as $$
  -- Only a confirmed address counts: otherwise anybody could sign up under it and walk in.
  select i.* from public.invitations i
  join auth.users u on lower(u.email) = i.email
  where u.id = auth.uid() and u.email_confirmed_at is not null and i.accepted_at is null and i.revoked_at is null
    and i.created_at > now() - interval '14 days'
$$;

comment on function private.my_open_invitations()
  is 'Invitations to the caller''s confirmed e-mail address that wait for an answer;
they do for 14 days.';

create function public.my_invitations() returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'organization', o.name, 'role', r.name,
    'invited_at', i.created_at) order by i.created_at), '[]')
  from private.my_open_invitations() i
  join public.organizations o on o.id = i.org_id
  join public.roles r on r.org_id = i.org_id and r.id = i.role_id
$$;

comment on function public.my_invitations() is
'The caller''s open invitations: [{"id", "organization", "role", "invited_at"}]. Empty when there are none. No errors.
Permission: any signed-in user, for himself.';
revoke execute on function public.my_invitations() from public, anon;
grant execute on function public.my_invitations() to authenticated;

create function public.accept_invitation(p_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_user_id uuid := private.caller();
  v_invitation public.invitations;
begin
  -- Changes of membership go one by one, as in set_member_role. The invitation is locked before it is judged: pressed
  -- twice, the second waits and finds the membership made.
  perform from public.organizations where id = (select org_id from public.invitations
    where id = p_id) for no key update;
  perform from public.invitations where id = p_id for update;
  select * into v_invitation from private.my_open_invitations() where id = p_id;
  if v_invitation.id is not null then
    insert into public.memberships (org_id, user_id, role_id, all_branches)
    values (v_invitation.org_id, v_user_id, v_invitation.role_id, v_invitation.branch_ids is null)
    on conflict (org_id, user_id) do update
      set role_id = excluded.role_id, all_branches = excluded.all_branches, status = 'active';
    perform private.set_branch_scope(v_invitation.org_id, v_user_id, v_invitation.branch_ids);
    perform private.assert_admin_left(v_invitation.org_id);
    update public.invitations set accepted_at = now() where id = p_id;
  elsif not exists (
    select from public.invitations i join auth.users u on lower(u.email) = i.email
    where i.id = p_id and u.id = v_user_id and i.accepted_at is not null) then
    perform private.fail(404, 'not_found', 'There is no such invitation, or it is not yours.');
  end if;
  return public.whoami();
end;
$$;

comment on function public.accept_invitation(uuid) is
'Accepts an invitation to the caller''s confirmed e-mail address; accepted again, it changes nothing. p_id: the
invitation. Returns whoami(). Errors: 401 unauthenticated, 404 not_found, 409 last_admin. Permission: the invited
person.';
revoke execute on function public.accept_invitation(uuid) from public, anon;
grant execute on function public.accept_invitation(uuid) to authenticated;

create function public.revoke_invitation(p_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invitation public.invitations;
begin
  select * into v_invitation from public.invitations where id = p_id for update;
  perform private.authorize('user.manage', v_invitation.org_id);
  perform private.role_named(v_invitation.org_id, (
      select key from public.roles where org_id = v_invitation.org_id and id = v_invitation.role_id));
  perform private.check_branches(v_invitation.org_id, v_invitation.branch_ids);
  if v_invitation.accepted_at is not null then
    perform private.fail(409, 'invalid_transition',
      'The invitation was accepted; set_member_role can suspend the member.',
      jsonb_build_object('id', p_id));
  end if;
  update public.invitations set revoked_at = now() where id = p_id and revoked_at is null;
  return (select to_jsonb(i) from public.invitations i where i.id = p_id);
end;
$$;

comment on function public.revoke_invitation(uuid) is
'Takes an invitation back that nobody accepted yet; taken back again, it changes nothing. p_id: the invitation. Returns
it as JSON. Errors: 401, 404 not_found, 403 permission_denied (also when role or branches go beyond the caller''s own),
409 invalid_transition. Permission: user.manage.';
revoke execute on function public.revoke_invitation(uuid) from public, anon;
grant execute on function public.revoke_invitation(uuid) to authenticated;

create function public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text, p_branch_ids uuid[] default null,
  p_suspended boolean default false)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_role_id uuid;
  v_old public.memberships;
begin
  perform private.authorize('user.manage', p_org_id);
  v_role_id := private.role_named(p_org_id, p_role);
  perform private.check_branches(p_org_id, p_branch_ids);
  -- Two admins demoting one another at the same moment would leave none: changes of membership go one by one.
  perform from public.organizations where id = p_org_id for no key update;
  select * into v_old from public.memberships where org_id = p_org_id and user_id = p_user_id;
  if v_old.user_id is null then
    perform private.fail(404, 'not_found', 'This person is no member of the organisation.', '{"field": "p_user_id"}');
  end if;
  perform private.role_named(p_org_id, (select key from public.roles where org_id = p_org_id and id = v_old.role_id));
  perform private.check_branches(p_org_id, case when not v_old.all_branches then array(
    select branch_id from public.membership_branches where org_id = p_org_id and user_id = p_user_id) end);
  update public.memberships
  set role_id = v_role_id, all_branches = p_branch_ids is null,
    status = case when p_suspended then 'suspended' else 'active' end
  where org_id = p_org_id and user_id = p_user_id;
  perform private.set_branch_scope(p_org_id, p_user_id, p_branch_ids);
  perform private.assert_admin_left(p_org_id);
  -- An invitation from before, to this person or by him, must not undo what was decided now.
  update public.invitations i set revoked_at = now() from auth.users u
  where u.id = p_user_id and i.org_id = p_org_id and (i.email = lower(u.email)
      or (i.invited_by = u.id and (p_suspended or v_role_id <> v_old.role_id)))
    and i.accepted_at is null and i.revoked_at is null;
  return (select to_jsonb(m) from public.memberships m where m.org_id = p_org_id and m.user_id = p_user_id);
end;
$$;

comment on function public.set_member_role(uuid, uuid, text, uuid[], boolean) is
'Sets a member''s role, branches and standing, at once. p_org_id; p_user_id: the member; p_role: a role''s key;
p_branch_ids: null for all branches; p_suspended: true shuts the member out. Returns the membership as JSON. Errors:
401, 404 not_found, 403 permission_denied (also for a role or branches, old or new, beyond the caller''s own), 409
last_admin. Permission: user.manage.';
revoke execute on function public.set_member_role(uuid, uuid, text, uuid[], boolean) from public, anon;
grant execute on function public.set_member_role(uuid, uuid, text, uuid[], boolean) to authenticated;

create function public.save_role(p_id uuid, p_org_id uuid, p_key text, p_name text, p_permissions text[],
  p_max_discount_percent numeric default 0)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_role_id uuid;
  v_missing text;
  v_own_discount numeric;
  v_constraint text;
begin
  perform private.authorize('role.manage', p_org_id);
  if not private.covers_all_branches(p_org_id) then
    perform private.fail(403, 'permission_denied',
      'A role counts in every branch: only who covers all of them changes one.',
      '{"permission": "role.manage"}');
  end if;
  if p_permissions is null then
    perform private.fail(400, 'invalid_input', 'p_permissions is missing: an empty list means none.',
      '{"field": "p_permissions"}');
  end if;
  if p_key = 'admin' then
    perform private.fail(422, 'role_fixed', 'The admin role holds every permission and stays as it is.');
  end if;
  select code into v_missing from unnest(p_permissions) code
  where not exists (select from public.permissions p where p.code = code.code) limit 1;
  if found then
    perform private.fail(400, 'invalid_input', format('There is no permission %s.', v_missing),
      '{"field": "p_permissions"}');
  end if;
  select code into v_missing from unnest(p_permissions) code where not private.permitted(code, p_org_id) limit 1;
  if v_missing is not null then
    perform private.fail(403, 'permission_denied', format('You cannot give %s: you lack it.', v_missing),
      jsonb_build_object('permission', v_missing));
  end if;
  v_own_discount := private.discount_limit(p_org_id);
  if p_max_discount_percent > v_own_discount then
    perform private.fail(403, 'permission_denied', format('You cannot give a discount above %s %%, your own.',
      v_own_discount),
      jsonb_build_object('max_discount_percent', v_own_discount));
  end if;
  -- A role that holds more than the caller does is not his to change either.
  if exists (select from public.roles where org_id = p_org_id and key = p_key) then
    perform private.role_named(p_org_id, p_key);
  end if;
  if private.claim_request(p_org_id, p_id, 'save_role',
    jsonb_build_array(p_key, p_name, p_permissions, p_max_discount_percent)) then
    insert into public.roles (org_id, key, name, max_discount_percent)
    values (p_org_id, p_key, p_name, p_max_discount_percent)
    on conflict (org_id, key) do update
      set name = excluded.name, max_discount_percent = excluded.max_discount_percent
    returning id into v_role_id;
    delete from public.role_permissions
    where org_id = p_org_id and role_id = v_role_id and permission <> all (p_permissions);
    insert into public.role_permissions (org_id, role_id, permission)
    select p_org_id, v_role_id, code from unnest(p_permissions) code on conflict do nothing;
  end if;
  return (select to_jsonb(r) || jsonb_build_object('permissions', (
      select coalesce(jsonb_agg(rp.permission order by rp.permission), '[]') from public.role_permissions rp
      where rp.org_id = r.org_id and rp.role_id = r.id))
    from public.roles r where r.org_id = p_org_id and r.key = p_key);
exception when data_exception or not_null_violation or check_violation then
  get stacked diagnostics v_constraint = constraint_name;
  perform private.refuse_value(v_constraint);
  return null;
end;
$$;

comment on function public.save_role(uuid, uuid, text, text, text[], numeric) is
'Makes a role, or changes what one may do; it counts from the next statement on. p_id: the client''s uuid of this
change. p_org_id; p_key: lower case; p_name; p_permissions: codes; p_max_discount_percent: 0 to 100. Returns the role as
JSON with its permissions. Errors: 401, 404 not_found, 403 permission_denied (also beyond the caller''s own permissions
or discount), 400 invalid_input, 422 role_fixed, 409 id_reused. Permission: role.manage.';
revoke execute on function public.save_role(uuid, uuid, text, text, text[], numeric) from public, anon;
grant execute on function public.save_role(uuid, uuid, text, text, text[], numeric) to authenticated;

-- What the caller is ------------------------------------------------------------------------------

create function public.whoami() returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select jsonb_build_object(
    'user', jsonb_build_object('id', auth.uid(), 'email', auth.jwt() ->> 'email'),
    'organizations', coalesce((
      select jsonb_agg(jsonb_build_object(
        'id', o.id, 'name', o.name, 'currency', o.currency, 'country', o.country,
        'role', jsonb_build_object('key', r.key, 'name', r.name, 'max_discount_percent', r.max_discount_percent),
        'all_branches', m.all_branches,
        'permissions', (
          select coalesce(jsonb_agg(h.permission order by h.permission), '[]') from private.held_permissions h
          where h.org_id = m.org_id and h.role_id = m.role_id),
        'branches', (
          select coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'code', b.code, 'name', b.name) order by b.code),
            '[]')
          from public.branches b
          where b.org_id = m.org_id and b.archived_at is null and b.id in (select private.member_branches())))
            order by o.name)
      from public.memberships m
      join public.organizations o on o.id = m.org_id
      join public.roles r on r.org_id = m.org_id and r.id = m.role_id
      where m.user_id = auth.uid() and m.status = 'active'), '[]'))
$$;

comment on function public.whoami() is
'The caller: {"user": {"id", "email"}, "organizations": [{"id", "name", "currency", "country", "role": {"key", "name",
"max_discount_percent"}, "all_branches", "permissions": [...], "branches": [{"id", "code", "name"}]}]}. No errors.
Permission: any signed-in user, for himself.';
grant execute on function public.whoami() to authenticated;

-- The token hook ----------------------------------------------------------------------------------

create function private.custom_access_token(event jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_set(event, '{claims,organizations}', coalesce((
    select jsonb_agg(jsonb_build_object('id', m.org_id, 'role', r.key, 'branches',
      case when m.all_branches then '"all"'::jsonb else (
        select coalesce(jsonb_agg(mb.branch_id order by mb.branch_id), '[]') from public.membership_branches mb
        where mb.org_id = m.org_id and mb.user_id = m.user_id) end) order by m.org_id)
    from public.memberships m join public.roles r on r.org_id = m.org_id and r.id = m.role_id
    where m.user_id = (event ->> 'user_id')::uuid and m.status = 'active'), '[]'))
$$;

comment on function private.custom_access_token(jsonb) is
'Supabase Auth''s custom_access_token hook. event: {"user_id", "claims", "authentication_method"}. Adds the claim
organizations: [{"id", "role", "branches": "all" or [ids]}]. It saves clients a look-up and decides nothing: the tables
do.';
revoke execute on function private.custom_access_token(jsonb) from public, anon, authenticated;
grant usage on schema private to supabase_auth_admin;
grant execute on function private.custom_access_token(jsonb) to supabase_auth_admin;
grant usage on schema public to supabase_auth_admin;
grant select on public.memberships, public.membership_branches, public.roles to supabase_auth_admin;
create policy "The token hook reads memberships" on public.memberships for select to supabase_auth_admin using (true);
create policy "The token hook reads branch scopes" on public.membership_branches for select to supabase_auth_admin
  using (true);
create policy "The token hook reads roles" on public.roles for select to supabase_auth_admin using (true);
