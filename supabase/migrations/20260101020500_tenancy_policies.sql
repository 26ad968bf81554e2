-- Tenancy: who may read and write its tables, and what keeps its rows as they should be.

-- Triggers ----------------------------------------------------------------------------------------

create trigger t90_touch_updated_at before update on public.organizations for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.branches for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.locations for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.roles for each row
  execute function private.touch_updated_at();
create trigger t90_touch_updated_at before update on public.memberships for each row
  execute function private.touch_updated_at();

-- Policies ----------------------------------------------------------------------------------------

alter table public.organizations enable row level security;
create policy "Members read their organisation" on public.organizations for select to authenticated
  using (id = any (array(select private.member_orgs())));
create policy "Who holds org.manage changes the organisation" on public.organizations for update to authenticated
  using (id = any (array(select private.orgs_with('org.manage'))))
  with check (id = any (array(select private.orgs_with('org.manage'))));

alter table public.branches enable row level security;
create policy "Members read the branches they cover" on public.branches for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and case when org_id = any (array(select private.member_whole_orgs())) then true
      else id = any (array(select private.member_listed_branches())) end);
create policy "Who holds branch.manage changes branches" on public.branches for update to authenticated
  using (org_id = any (array(select private.orgs_with('branch.manage')))
    and case when (select private.covers_all_with('branch.manage')) then true
      when org_id = any (array(select private.whole_orgs_with('branch.manage'))) then true
      else id = any (array(select private.listed_branches_with('branch.manage'))) end)
  with check (org_id = any (array(select private.orgs_with('branch.manage')))
    and case when (select private.covers_all_with('branch.manage')) then true
      when org_id = any (array(select private.whole_orgs_with('branch.manage'))) then true
      else id = any (array(select private.listed_branches_with('branch.manage'))) end);

alter table public.locations enable row level security;
create policy "Members read their branches' locations and the shared ones" on public.locations
  for select to authenticated
  using (org_id = any (array(select private.member_orgs()))
    and (branch_id is null
      or org_id = any (array(select private.member_whole_orgs()))
      or branch_id = any (array(select private.member_listed_branches()))));
create policy "Who holds branch.manage changes locations" on public.locations for update to authenticated
  using (org_id = any (array(select private.orgs_with('branch.manage')))
    and branch_id is not null
    and case when (select private.covers_all_with('branch.manage')) then true
      when org_id = any (array(select private.whole_orgs_with('branch.manage'))) then true
      else branch_id = any (array(select private.listed_branches_with('branch.manage'))) end)
  with check (org_id = any (array(select private.orgs_with('branch.manage')))
    and branch_id is not null
    and case when (select private.covers_all_with('branch.manage')) then true
      when org_id = any (array(select private.whole_orgs_with('branch.manage'))) then true
      else branch_id = any (array(select private.listed_branches_with('branch.manage'))) end);

alter table public.permissions enable row level security;
create policy "Signed-in users read the list of permissions" on public.permissions for select to authenticated
  using (true);

alter table public.roles enable row level security;
create policy "Members read their organisation's roles" on public.roles for select to authenticated
  using (org_id = any (array(select private.member_orgs())));

alter table public.role_permissions enable row level security;
create policy "Members read what the roles may do" on public.role_permissions for select to authenticated
  using (org_id = any (array(select private.member_orgs())));

alter table public.memberships enable row level security;
create policy "Users read their membership, user managers those of all" on public.memberships
  for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any (array(select private.orgs_with('user.manage'))));

alter table public.membership_branches enable row level security;
create policy "Users read their own branches, user managers everybody's" on public.membership_branches
  for select to authenticated
  using (user_id = (select auth.uid()) or org_id = any (array(select private.orgs_with('user.manage'))));

alter table public.invitations enable row level security;
create policy "User managers read the organisation's invitations" on public.invitations for select to authenticated
  using (org_id = any (array(select private.orgs_with('user.manage'))));

-- Grants ------------------------------------------------------------------------------------------

grant execute on function private.fail(integer, text, text, jsonb), private.caller() to authenticated;
grant execute on function private.member_orgs(), private.member_branches(), private.orgs_with(text),
  private.branches_with(text), private.covers_all_with(text), private.whole_orgs_with(text),
    private.listed_branches_with(text),
  private.member_whole_orgs(), private.member_listed_branches(),
  private.named_org(), private.org_of(regclass, uuid) to authenticated;

grant select on public.organizations, public.branches, public.locations, public.permissions, public.roles,
  public.role_permissions, public.memberships, public.membership_branches, public.invitations to authenticated;
grant update (name, legal_name, prices_include_tax, round_total_to, invoice_terms, tax_scheme, tax_rounding, export_tax,
  lut_number,
  document_settings, audit_months)
  on public.organizations to authenticated;
grant update (name, tax_number, phone, email, upi_id, address_line1, address_line2, city, region_code, tax_area,
  postal_code,
  archived_at) on public.branches to authenticated;
grant update (code, name, archived_at) on public.locations to authenticated;
