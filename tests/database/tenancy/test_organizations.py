"""Founding an organisation, opening branches and locations, closing the books."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.database.sales import local_date
from tests.support.gstin import gstin
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People


def _found(person: Persona, org_id: UUID | None = None, country: str = "IN", **options: Any) -> Any:
    return person.rpc(
        "create_organization",
        p_id=org_id or new_id(),
        p_name="New",
        p_country=country,
        p_currency="INR",
        p_options=options,
    )


def test_the_founder_becomes_admin_of_everything(people: People) -> None:
    """Five system roles, the shared locations, and whoami knows all of it."""
    founder = people.newcomer()
    org = _found(founder)
    assert (org["tax_regime"], org["fiscal_year_start_month"], org["round_total_to"]) == ("gst", 4, 1)
    (seen,) = founder.rpc("whoami")["organizations"]
    assert (seen["id"], seen["role"]["key"], seen["all_branches"]) == (org["id"], "admin", True)
    every = founder.select("select array_agg(code order by code) as codes from public.permissions")[0][
        "codes"
    ]
    assert seen["permissions"] == every
    roles = founder.select(
        "select key, is_system from public.roles where org_id = %s order by key", [org["id"]]
    )
    assert [r["key"] for r in roles] == [
        "admin",
        "cashier",
        "inventory_manager",
        "sales_executive",
        "technician",
    ]
    assert all(r["is_system"] for r in roles)
    kinds = founder.select("select kind from public.locations where org_id = %s order by kind", [org["id"]])
    assert [r["kind"] for r in kinds] == ["adjustment", "customer", "supplier", "transit"]


def test_founding_again_is_harmless(people: People) -> None:
    """The same call returns the same organisation; other content, or another person, is a conflict."""
    founder, org_id = people.newcomer(), new_id()
    first = _found(founder, org_id)
    assert _found(founder, org_id) == first
    with raises("id_reused", 409):
        _found(founder, org_id, legal_name="Other")
    with raises("id_reused", 409):
        _found(people.as_nobody(), org_id)
    with raises("id_reused", 409):
        _found(people.as_foreign_admin(), people.world.teak.id)


def test_founding_needs_a_person(people: People) -> None:
    """Visitors cannot call it; a token without a user is not signed in."""
    with raises_sqlstate("42501"):
        _found(people.as_anon())
    with raises("unauthenticated", 401):
        _found(Persona(people.connection, "authenticated"))


def test_malformed_organisations(people: People) -> None:
    """A misspelt option, GST outside India and a missing id are refused with the stable code."""
    person = people.as_nobody()
    with raises("invalid_input", 400):
        _found(person, currency="INR")
    with raises("invalid_input", 400):
        _found(person, country="GB", tax_regime="gst")
    with raises("invalid_input", 400):
        person.rpc("create_organization", p_id=None, p_name="N", p_country="IN", p_currency="INR")
    with raises("invalid_input", 400):
        person.rpc(
            "create_organization", p_id=new_id(), p_name="N", p_country="IN", p_currency="INR", p_options=[]
        )


@pytest.mark.parametrize(
    "changed",
    [
        {"p_country": "XX"},
        {"p_country": "in"},
        {"p_country": None},
        {"p_currency": "rupees"},
        {"p_currency": None},
        {"p_name": ""},
        {"p_name": None},
        {"p_options": {"tax_regime": "sales"}},
        {"p_options": {"fiscal_year_start_month": 13}},
        {"p_options": {"fiscal_year_start_month": "April"}},
        {"p_options": {"prices_include_tax": "perhaps"}},
        {"p_options": {"round_total_to": 3}},
    ],
    ids=str,
)
def test_wrong_values_are_invalid_input(people: People, changed: dict[str, object]) -> None:
    """Unknown countries, currencies, regimes, months and names: 400, as the function's comment says."""
    arguments: dict[str, object] = {"p_id": new_id(), "p_name": "New", "p_country": "IN", "p_currency": "INR"}
    with raises("invalid_input", 400):
        people.as_nobody().rpc("create_organization", **(arguments | changed))


@pytest.mark.parametrize("currency", ["JPY", "KWD", "KRW", "OMR"])
def test_money_has_two_decimals(people: People, currency: str) -> None:
    """A currency that has none, or three, is refused by name: its sums would not be what people pay."""
    with raises("invalid_input", 400) as refusal:
        people.as_nobody().rpc(
            "create_organization", p_id=new_id(), p_name="N", p_country="JP", p_currency=currency
        )
    assert refusal.facts["constraint"] == "currency_has_two_decimals"


def test_branches_and_locations_are_opened_by_managers(people: People) -> None:
    """An admin opens both; others are refused, strangers find nothing."""
    world, branch_id = people.world, new_id()
    arguments = {
        "p_id": branch_id,
        "p_org_id": world.teak.id,
        "p_code": "DEL",
        "p_name": "Delhi",
        "p_options": {"region_code": "07", "tax_number": gstin("07ABCDE1234F1Z")},
    }
    for role in ("cashier", "sales_executive", "inventory_manager", "technician"):
        with raises("permission_denied", 403):
            people.as_role(role).rpc("create_branch", **arguments)
    for stranger in (people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            stranger.rpc("create_branch", **arguments)
    first = people.as_admin().rpc("create_branch", **arguments)
    assert (first["timezone"], first["country"], first["code"]) == ("Asia/Kolkata", "IN", "DEL")
    assert people.as_admin().rpc("create_branch", **arguments) == first
    with raises("id_reused", 409):
        people.as_admin().rpc("create_branch", **(arguments | {"p_name": "X"}))
    place = {
        "p_id": new_id(),
        "p_branch_id": branch_id,
        "p_code": "VAN-1",
        "p_name": "Van",
        "p_kind": "vehicle",
    }
    van = people.as_admin().rpc("create_location", **place)
    assert (van["kind"], van["holds_stock"], van["branch_id"]) == ("vehicle", True, str(branch_id))
    assert people.as_admin().rpc("create_location", **place) == van
    for kind in ("customer", "transit", "", None):
        with raises("invalid_input", 400):
            people.as_admin().rpc("create_location", **(place | {"p_id": new_id(), "p_kind": kind}))
    with raises_sqlstate("23505"):
        people.as_admin().rpc("create_location", **(place | {"p_id": new_id()}))


@pytest.mark.parametrize(
    "options",
    [{}, {"region_code": "29", "timezone": "Mars/Olympus"}, {"region_code": "29", "city_name": "X"}],
    ids=["no state under GST", "no such time zone", "unknown option"],
)
def test_malformed_branches(people: People, options: dict[str, str]) -> None:
    """Refused with the stable code."""
    with raises("invalid_input", 400):
        people.as_admin().rpc(
            "create_branch",
            p_id=new_id(),
            p_org_id=people.world.teak.id,
            p_code="X",
            p_name="X",
            p_options=options,
        )


@pytest.mark.parametrize("tax_number", ["29ABCDE1234F1Z0", "nonsense", gstin("27ABCDE1234F1Z")])
def test_a_branch_has_the_gstin_of_its_state(people: People, tax_number: str) -> None:
    """A wrong check character, or another state's registration, is refused by the table itself."""
    with raises_sqlstate("23514"):
        people.as_admin().execute(
            "update public.branches set tax_number = %s where id = %s", [tax_number, people.world.blr.id]
        )


def test_columns_that_nobody_edits(people: People) -> None:
    """Currency, regime, closing date, codes and ownership are not for update, not even by the admin."""
    for statement in (
        "update public.organizations set currency = 'USD'",
        "update public.organizations set tax_regime = 'none'",
        "update public.organizations set books_closed_through = null",
        "update public.branches set code = 'X'",
        "update public.branches set org_id = gen_random_uuid()",
        "update public.locations set kind = 'vehicle'",
        "update public.roles set max_discount_percent = 100",
        "update public.memberships set all_branches = true",
        "insert into public.role_permissions select * from public.role_permissions",
    ):
        with raises_sqlstate("42501"):
            people.as_admin().execute(statement)


def test_closing_and_reopening_the_books(people: People) -> None:
    """Forward by close_period, back by reopen_period; closing again as far is harmless."""
    admin, org_id = people.as_admin(), people.world.teak.id

    def closed(act: str, through: str | None) -> Any:
        return admin.rpc(act, p_org_id=org_id, p_through=through)["books_closed_through"]

    assert closed("close_period", "2025-03-31") == "2025-03-31"
    assert closed("close_period", "2025-03-31") == "2025-03-31"
    assert closed("close_period", "2025-06-30") == "2025-06-30"
    with raises("period_closed", 409):
        closed("close_period", "2025-05-31")
    with raises("invalid_input", 400):
        closed("reopen_period", "2025-07-31")
    assert closed("reopen_period", "2025-03-31") == "2025-03-31"
    assert closed("reopen_period", "2025-03-31") == "2025-03-31"
    assert closed("reopen_period", None) is None
    assert closed("reopen_period", None) is None


def test_the_future_cannot_be_closed(people: People) -> None:
    """Today at the latest, by whichever door: reopening is no way to close what was never closed."""
    tomorrow = local_date(people.connection, people.world.blr.id) + timedelta(days=1)
    for act, through in (
        ("close_period", tomorrow),
        ("close_period", None),
        ("close_period", "-infinity"),
        ("reopen_period", tomorrow),
    ):
        with raises("invalid_input", 400):
            people.as_admin().rpc(act, p_org_id=people.world.teak.id, p_through=through)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_today_is_that_of_the_branches(people: People, zone: str) -> None:
    """At every hour one of these zones has another date than UTC; its day may be closed, the next may not."""
    founder = people.newcomer()
    org_id, branch_id = _found(founder)["id"], new_id()
    founder.rpc(
        "create_branch",
        p_id=branch_id,
        p_org_id=org_id,
        p_code="FAR",
        p_name="Far",
        p_options={"timezone": zone, "region_code": "29"},
    )
    today = local_date(people.connection, branch_id)
    with raises("invalid_input", 400):
        founder.rpc("close_period", p_org_id=org_id, p_through=today + timedelta(days=1))
    closed = founder.rpc("close_period", p_org_id=org_id, p_through=today)
    assert closed["books_closed_through"] == str(today)


def test_today_is_where_it_is_latest(people: People) -> None:
    """What posts on the one side of the world is not kept open by the other; without a branch it is UTC."""
    founder = people.newcomer()
    org_id = _found(founder)["id"]
    with raises("invalid_input", 400):
        founder.rpc("close_period", p_org_id=org_id, p_through=datetime.now(UTC).date() + timedelta(days=2))
    days = []
    for code, zone in (("E", "Pacific/Kiritimati"), ("W", "Etc/GMT+12")):
        branch = {"p_id": new_id(), "p_org_id": org_id, "p_code": code, "p_name": code}
        founder.rpc("create_branch", **branch, p_options={"timezone": zone, "region_code": "29"})
        days.append(local_date(people.connection, branch["p_id"]))
    assert days[0] > days[1]
    closed = founder.rpc("close_period", p_org_id=org_id, p_through=days[0])
    assert closed["books_closed_through"] == str(days[0])


def test_reopening_cannot_close(people: People) -> None:
    """Where nothing is closed there is nothing to reopen."""
    with raises("invalid_input", 400):
        people.as_admin().rpc("reopen_period", p_org_id=people.world.teak.id, p_through="2020-01-01")


def test_only_with_the_permission(people: People) -> None:
    """Closing is the admin's."""
    for act in ("close_period", "reopen_period"):
        with raises("permission_denied", 403):
            people.as_sales().rpc(act, p_org_id=people.world.teak.id, p_through="2020-01-01")
        for org_id in (people.world.lagoon.id, uuid4()):
            with raises("not_found", 404):
                people.as_admin().rpc(act, p_org_id=org_id, p_through="2020-01-01")


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        ({"p_code": "bengaluru"}, {}),
        ({"p_name": None}, {}),
        ({}, {"region_code": "95"}),
        ({}, {"country": "XX"}),
        ({}, {"tax_number": "29ABCDE1234F1Z0"}),
        ({}, {"tax_number": "27AAPFU0939F1ZV"}),
        ({}, {"upi_id": "nobody"}),
    ],
)
def test_a_branch_with_bad_values(
    people: People, changed: dict[str, object], options: dict[str, object]
) -> None:
    """400 with a stable code: code, name, state, country, and a GSTIN that is no GSTIN or another state's."""
    good = {"p_id": new_id(), "p_org_id": people.world.teak.id, "p_code": "NEW", "p_name": "New"}
    with raises("invalid_input", 400):
        people.as_admin().rpc("create_branch", **(good | changed), p_options={"region_code": "29"} | options)


@pytest.mark.parametrize("changed", [{"p_code": "no spaces"}, {"p_name": ""}, {"p_kind": "customer"}])
def test_a_location_with_bad_values(people: People, changed: dict[str, object]) -> None:
    good = {"p_branch_id": people.world.blr.id, "p_code": "ATTIC", "p_name": "Attic", "p_kind": "warehouse"}
    with raises("invalid_input", 400):
        people.as_admin().rpc("create_location", p_id=new_id(), **(good | changed))
