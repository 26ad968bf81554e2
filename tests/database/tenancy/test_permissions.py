"""What a later room allows: held by every admin at once, given to system roles, grantable by the admin."""

import json
from contextlib import nullcontext
from typing import Any

import pytest

from tests.database.schema import FUNCTIONS, ask, names
from tests.support.personas import Connection, Persona, new_id, raises
from tests.support.world import People

LATER = [
    {"code": "purchase.read", "description": "Read purchase orders", "roles": ["cashier", "technician"]},
    {"code": "purchase.manage", "description": "Write purchase orders", "roles": ["inventory_manager"]},
    {"code": "purchase.approve", "description": "Approve purchase orders", "roles": []},
]


def _add(connection: Connection, permissions: list[dict[str, Any]]) -> None:
    connection.execute("select private.add_permissions(%s)", [json.dumps(permissions)])


def _held(person: Persona) -> set[str]:
    """The permissions of a later room that somebody is told he has."""
    (org,) = person.rpc("whoami")["organizations"]
    return {code for code in org["permissions"] if code.startswith("purchase.")}


def _given(people: People, org_id: Any) -> set[tuple[str, str]]:
    """Which role of the organisation has a row of a permission of the later room, read past every policy."""
    rows = ask(
        people.connection,
        "select r.key, rp.permission from public.roles r join public.role_permissions rp "
        "on rp.org_id = r.org_id and rp.role_id = r.id where r.org_id = %s "
        "and rp.permission like 'purchase.%%'",
        [org_id],
    )
    return {(key, code) for key, code in rows}


def _may(person: Persona, code: str, org_id: Any) -> bool:
    """What both heads of acts say, which no client may call: authorize and permitted."""
    with person.connection.transaction(force_rollback=True):
        person.connection.execute(
            "select set_config('request.jwt.claims', %s, true)", [json.dumps({"sub": str(person.user_id)})]
        )
        row = person.connection.execute("select private.permitted(%s, %s)", [code, org_id]).fetchone()
        assert row is not None
        with nullcontext() if row[0] else raises("permission_denied", 403):
            person.connection.execute("select private.authorize(%s, %s)", [code, org_id])
    return bool(row[0])


GIVEN = {
    ("cashier", "purchase.read"),
    ("technician", "purchase.read"),
    ("inventory_manager", "purchase.manage"),
}


def test_every_admin_holds_what_is_added_later(people: People) -> None:
    """In every organisation, without a row: by whoami, by the helpers of the policies, and for acts."""
    admins = (people.as_admin(), people.world.teak), (people.as_foreign_admin(), people.world.lagoon)
    for admin, house in admins:
        assert not _may(admin, "purchase.approve", house.id)
    _add(people.connection, LATER)
    for admin, house in admins:
        assert _held(admin) == {row["code"] for row in LATER}
        for row in LATER:
            assert admin.select("select private.orgs_with(%s) as id", [row["code"]]) == [{"id": house.id}]
            covered = admin.select("select private.branches_with(%s) as id", [row["code"]])
            assert {found["id"] for found in covered} == {branch.id for branch in house.branches}
            assert _may(admin, str(row["code"]), house.id)


def test_no_organisation_keeps_rows_of_its_admin(people: People) -> None:
    """What was copied once would go stale."""
    query = (
        "select r.org_id::text from public.roles r join public.role_permissions rp "
        "on rp.org_id = r.org_id and rp.role_id = r.id where r.key = 'admin'"
    )
    assert names(people.connection, query) == []


def test_nobody_holds_what_there_is_not(people: People) -> None:
    """The admin holds every permission, not every word."""
    assert not _may(people.as_admin(), "purchase.wish", people.world.teak.id)
    with raises("invalid_input", 400) as refusal:
        _save_role(people, "purchase.wish")
    assert refusal.facts["field"] == "p_permissions"


def test_system_roles_get_what_is_added_for_them(people: People) -> None:
    """In organisations that exist, and in those that are founded afterwards; no other role does."""
    _add(people.connection, LATER)
    assert _held(people.as_cashier()) == _held(people.as_technician()) == {"purchase.read"}
    assert _held(people.as_stockkeeper()) == {"purchase.manage"}
    assert _held(people.as_sales()) == set()
    for (org_id,) in ask(people.connection, "select id from public.organizations"):
        assert _given(people, org_id) == GIVEN
    founder = people.newcomer()
    org = founder.rpc("create_organization", p_id=new_id(), p_name="Later", p_country="IN", p_currency="INR")
    assert _given(people, org["id"]) == GIVEN
    assert _held(founder) == {row["code"] for row in LATER}


def _save_role(people: People, *permissions: str, by: Persona | None = None) -> Any:
    return (by or people.as_admin()).rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_key="buyer",
        p_name="Buyer",
        p_permissions=list(permissions),
    )


def test_a_custom_role_gets_it_from_the_admin_alone(people: People) -> None:
    """A role of the house's own, even of the same name as a system role elsewhere, waits for its admin."""
    _save_role(people, "catalogue.read")
    _add(people.connection, LATER)
    assert _given(people, people.world.teak.id) == GIVEN
    assert _save_role(people, "purchase.read", "purchase.approve")["permissions"] == [
        "purchase.approve",
        "purchase.read",
    ]
    assert ("buyer", "purchase.approve") in _given(people, people.world.teak.id)


@pytest.mark.parametrize("role", ["admin", "buyer"])
def test_only_system_roles_are_given_permissions_one_by_one(people: People, role: str) -> None:
    """The admin has them all already; nobody else is in the template. Nothing is added."""
    with raises("invalid_input", 400), people.connection.transaction():
        _add(people.connection, [{"code": "purchase.read", "description": "Read", "roles": [role]}])
    assert names(people.connection, "select code from public.permissions where code like 'purchase.%'") == []


def test_what_a_role_holds_is_asked_in_one_place(owner: Connection) -> None:
    """Only what gives permissions reads role_permissions; others ask private.held_permissions."""
    query = f"select name from ({FUNCTIONS}) f where prosrc ~ 'public\\.role_permissions'"  # noqa: S608
    assert names(owner, query) == [
        "private.add_permissions",
        "public.create_organization",
        "public.save_role",
    ]
