"""The catalogue's rules are no use if they cannot fail: each is shown a breach, and must find it."""

from collections.abc import Callable

import pytest

from tests.database import test_catalogue, test_catalogue_rules, test_matrix
from tests.support.personas import Connection

BREACHES: list[tuple[str, Callable[[Connection], None]]] = [
    ("create table public.leak (id uuid)", test_catalogue.test_row_level_security_is_on_everywhere),
    ("create table public.leak (id uuid)", test_catalogue.test_every_table_says_what_it_is),
    ("create table public.leak (id uuid)", test_catalogue.test_every_row_belongs_to_an_organisation),
    ("create table public.leak (id uuid)", test_catalogue.test_changes_are_audited),
    ("create table public.leak (id uuid)", test_matrix.test_every_public_table_has_a_row),
    ("drop trigger t99_record_update on public.customers", test_catalogue.test_changes_are_audited),
    *(
        (
            f"create function private.leak() returns void language plpgsql as $$ begin {body} end $$",
            test_catalogue_rules.test_nothing_raises_but_the_helper,
        )
        for body in (
            "raise exception 'private.fail';",
            "raise sqlstate '40001';",
            "raise warning 'x' using errcode = '40P01';",
            "raise invalid_datetime_format;",
            "perform 1; exception when others then raise;",
        )
    ),
    (
        "alter trigger t90_touch_updated_at on public.customers rename to touch",
        test_catalogue_rules.test_triggers_say_what_they_do_and_in_which_order,
    ),
    (
        "alter trigger t90_touch_updated_at on public.customers rename to t40_touch_updated_at",
        test_catalogue_rules.test_a_function_fires_in_the_same_order_everywhere,
    ),
    (
        "alter table public.customers add debt double precision",
        test_catalogue.test_money_is_exact_and_time_has_a_zone,
    ),
    ("alter table public.customers add debt numeric", test_catalogue.test_money_is_exact_and_time_has_a_zone),
    ("grant insert on public.invoices to authenticated", test_catalogue.test_table_grants_are_select_only),
    ("grant update (total) on public.invoices to authenticated", test_catalogue.test_column_grants_are_these),
    ("grant select on public.customers to service_role", test_catalogue.test_table_grants_are_select_only),
    (
        (
            "alter table public.customers add rival_org uuid, add rival_id uuid, "
            "add foreign key (rival_org, rival_id) references public.suppliers (org_id, id)"
        ),
        test_catalogue.test_no_reference_crosses_organisations,
    ),
    (
        "alter table public.customers add rival_id uuid",
        test_catalogue.test_whatever_names_a_row_of_the_house_is_a_key,
    ),
    (
        "create view public.leak as select * from public.customers",
        test_catalogue.test_views_ask_as_the_caller,
    ),
    (
        'create policy "Leak it" on public.customers for all using (true)',
        test_catalogue_rules.test_policies_are_for_named_roles_and_one_verb,
    ),
    (
        (
            'create policy "Members read them" on public.customers for select to authenticated '
            "using (org_id in (select private.member_orgs()))"
        ),
        test_catalogue_rules.test_one_policy_per_verb_and_role,
    ),
    (
        (
            'create policy "Users delete their own" on public.customers for delete to authenticated '
            "using (id = auth.uid())"
        ),
        test_catalogue_rules.test_helpers_are_called_once_a_statement,
    ),
    (
        (
            'create policy "Users delete their own" on public.customers for delete to authenticated '
            "using (notes = (select auth.uid()::text))"
        ),
        test_catalogue_rules.test_policies_ask_for_the_organisation_first,
    ),
    (
        (
            'create policy "Users delete their own" on public.customers for delete to authenticated '
            "using (org_id in (select private.member_orgs()))"
        ),
        test_catalogue_rules.test_policies_find_instead_of_filter,
    ),
    (
        (
            'create policy "Users delete their own" on public.customers for delete to authenticated '
            "using (org_id = any (array(select private.member_orgs())) and notes is null or name = 'x')"
        ),
        test_catalogue_rules.test_policies_ask_for_the_organisation_first,
    ),
    (
        (
            'create policy "Who holds customer.manage deletes customers whom nobody knows any more" '
            "on public.customers for delete to authenticated using (false)"
        ),
        test_catalogue_rules.test_no_name_of_a_policy_was_cut,
    ),
    (
        "create function public.leak() returns integer language sql return 1",
        test_catalogue_rules.test_every_function_fixes_its_search_path,
    ),
    (
        (
            "create function public.leak() returns integer language plpgsql security definer "
            "set search_path = '' as $$ begin delete from public.roles; "
            "perform private.authorize('a', null); return 1; end $$"
        ),
        test_catalogue_rules.test_definer_functions_authorize_first,
    ),
    (
        "create function public.leak() returns integer language sql return 1",
        test_catalogue_rules.test_execution_is_granted_by_name,
    ),
    (
        "create function public.leak() returns integer language sql return 1",
        test_matrix.test_every_public_function_has_a_row,
    ),
    (
        "grant execute on function private.claim_request(uuid, uuid, text, jsonb) to authenticated",
        test_catalogue_rules.test_definer_helpers_are_not_a_way_in,
    ),
]


@pytest.mark.parametrize(("breach", "rule"), BREACHES, ids=[rule.__name__ for _, rule in BREACHES])
def test_a_breach_is_found(owner: Connection, breach: str, rule: Callable[[Connection], None]) -> None:
    """The rule fails once the breach is there."""
    owner.execute(breach)
    with pytest.raises(AssertionError):
        rule(owner)
