-- What can be allowed, and which of it the system roles hold. Each room declares its own permissions, at the head of
-- its first file; docs/permissions.md shows all of them as a table, and a test holds the two together.

create table private.system_roles (
  key text primary key,
  name text not null,
  max_discount_percent numeric(5, 2) not null,
  permissions text[] not null default '{}' check (key <> 'admin' or permissions = '{}')
);

comment on table private.system_roles is
'The roles that create_organization copies into every new organisation. permissions: what private.add_permissions gave
them; none for the admin role, which holds every permission by definition (private.held_permissions).';
alter table private.system_roles enable row level security;

insert into private.system_roles (key, name, max_discount_percent) values
  ('admin', 'Administrator', 100),
  ('cashier', 'Cashier', 5),
  ('sales_executive', 'Sales executive', 15),
  ('inventory_manager', 'Inventory manager', 0),
  ('technician', 'Technician', 0);

create function private.add_permissions(p_permissions jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_unknown text;
begin
  select role into v_unknown
  from jsonb_array_elements(p_permissions) p (doc), jsonb_array_elements_text(p.doc -> 'roles') role
  where role not in (select key from private.system_roles where key <> 'admin') limit 1;
  if v_unknown is not null then
    perform private.fail(400, 'invalid_input',
      format('There is no system role %s that is given permissions one by one.', v_unknown), '{"field": "roles"}');
  end if;
  insert into public.permissions (code, description)
  select p.doc ->> 'code', p.doc ->> 'description' from jsonb_array_elements(p_permissions) p (doc);
  -- First the template, whose rows create_organization holds while it copies them: an organisation that is being
  -- founded is either there by the next statement, or copies what stands here now.
  update private.system_roles s
  set permissions = s.permissions || added.codes
  from (
    select role, array_agg(p.doc ->> 'code') as codes
    from jsonb_array_elements(p_permissions) p (doc), jsonb_array_elements_text(p.doc -> 'roles') role
    group by role) added
  where s.key = added.role;
  insert into public.role_permissions (org_id, role_id, permission)
  select r.org_id, r.id, p.doc ->> 'code'
  from jsonb_array_elements(p_permissions) p (doc), jsonb_array_elements_text(p.doc -> 'roles') role
  join public.roles r on r.key = role and r.is_system;
end;
$$;

comment on function private.add_permissions(jsonb) is
'Adds what a room allows, for migrations. p_permissions: [{"code": noun.verb, "description", "roles": [keys of system
roles]}]. The roles hold it in the template and in every organisation that exists; every admin holds it at once; custom
roles get it by save_role. Errors: 23505 when a code is there already, 400 invalid_input for an unknown role or the
admin''s.';

select private.add_permissions('[
  {"code": "org.manage", "description": "Change the organisation''s settings", "roles": []},
  {"code": "branch.manage", "description": "Create and change branches and locations", "roles": []},
  {"code": "user.manage", "description": "Invite people, set their role and branches", "roles": []},
  {"code": "role.manage", "description": "Create roles and set what they may do", "roles": []},
  {"code": "period.close", "description": "Close and reopen the accounting period", "roles": []}
]');

