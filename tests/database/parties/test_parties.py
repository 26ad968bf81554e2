"""Customers and suppliers: who edits them, tax numbers, credit limits."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gstin import gstin
from tests.support.personas import Connection, raises, raises_sqlstate
from tests.support.world import People

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
STATES = [f"{n:02}" for n in (*range(1, 25), 26, 27, *range(29, 39), 97)]


@st.composite
def first_14(draw: st.DrawFn) -> str:
    """State, PAN, entity number and the Z."""
    pan = draw(st.from_regex(r"[A-Z]{5}[0-9]{4}[A-Z]", fullmatch=True))
    return f"{draw(st.sampled_from(STATES))}{pan}{draw(st.sampled_from(DIGITS[1:]))}Z"


def _is_gstin(connection: Connection, value: str | None) -> object:
    row = connection.execute("select private.is_gstin(%s)", [value]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("known", ["27AAPFU0939F1ZV", "29AAGCB7383J1Z4"])
def test_published_gstins_are_true(owner: Connection, known: str) -> None:
    """Two registrations that tax papers quote, so that both implementations are held to the outside world."""
    assert gstin(known[:14]) == known
    assert _is_gstin(owner, known) is True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=first_14(), data=st.data())
def test_any_wrong_character_is_found(owner: Connection, first: str, data: st.DataObject) -> None:
    """A GSTIN by the independent rule is true; with any one character changed it is not."""
    good = gstin(first)
    assert _is_gstin(owner, good) is True
    place = data.draw(st.integers(0, 14))
    other = data.draw(st.sampled_from([c for c in DIGITS if c != good[place]]))
    assert _is_gstin(owner, good[:place] + other + good[place + 1 :]) is False


@pytest.mark.parametrize(
    "value", ["", "29", "29ABCDE1234F1Z", "29abcde1234f1z5", " 29ABCDE1234F1Z5", "29ABCDE1234F1Z55"]
)
def test_other_text_is_no_gstin(owner: Connection, value: str) -> None:
    """Too short, too long, small letters, blanks: false and no error; null stays unknown."""
    assert _is_gstin(owner, value) is False
    assert _is_gstin(owner, None) is None


def test_cashiers_keep_customers(people: People) -> None:
    """customer.manage adds and changes; technicians read; the stockkeeper does not even see them."""
    world = people.world
    add = "insert into public.customers (org_id, name) values (%s, 'Asha')"
    assert people.as_cashier().execute(add, [world.teak.id]) == 1
    assert people.as_cashier().execute("update public.customers set phone = '1' where name = 'Asha'") == 1
    assert people.as_technician().execute("update public.customers set phone = '2' where name = 'Asha'") == 0
    assert len(people.as_technician().select("select 1 from public.customers where name = 'Asha'")) == 1
    assert people.as_stockkeeper().select("select 1 from public.customers") == []
    for stranger in (people.as_technician(), people.as_foreign_admin(), people.as_nobody()):
        with raises_sqlstate("42501"):
            stranger.execute(add, [world.teak.id])
    with raises_sqlstate("42501"):
        people.as_admin().execute("delete from public.customers")


def test_suppliers_belong_to_the_stockkeeper(people: People) -> None:
    """supplier.manage adds and changes; the till has no business with them."""
    add = "insert into public.suppliers (org_id, name) values (%s, 'Loom')"
    assert people.as_stockkeeper().execute(add, [people.world.teak.id]) == 1
    assert people.as_cashier().select("select 1 from public.suppliers") == []
    with raises_sqlstate("42501"):
        people.as_cashier().execute(add, [people.world.teak.id])


@pytest.mark.parametrize(
    "change",
    [
        "country = 'IN', tax_number = '29ABCDE1234F1Z0'",
        "region_code = '27'",
        "region_code = null",
        "name = ' '",
        "email = 'nobody'",
        "region_code = '29', country = null",
        "country = 'IN', region_code = '99'",
        "country = 'XX'",
        "kind = 'robot'",
    ],
)
def test_malformed_parties(people: People, change: str) -> None:
    """A false GSTIN, one of another state, no name, a region without its country, an unknown country."""
    with raises_sqlstate("23514", "23503"):
        people.as_admin().execute(
            f"update public.customers set {change} where id = %s",
            [people.world.teak.customers["local"]],
        )


def test_a_suppliers_registration_is_of_his_state(people: People) -> None:
    """As a customer's and a branch's: the first two digits are the state of the address."""
    add = (
        "insert into public.suppliers (org_id, name, country, region_code, tax_number) "
        "values (%s, 'Loom', 'IN', %s, %s)"
    )
    number = gstin("27AAACL1234C1Z")
    assert people.as_stockkeeper().execute(add, [people.world.teak.id, "27", number]) == 1
    for region in ("29", None):
        with raises_sqlstate("23514"):
            people.as_stockkeeper().execute(add, [people.world.teak.id, region, number])


def test_credit_is_the_admins(people: People) -> None:
    """The limit is set by its own act; cashiers who keep customers cannot write it."""
    customer = people.world.teak.customers["local"]
    for statement in (
        "update public.customers set credit_limit = 1",
        (
            "insert into public.customers (org_id, name, credit_limit) select org_id, 'X', 1 from "
            "public.customers"
        ),
    ):
        with raises_sqlstate("42501"):
            people.as_cashier().execute(statement)
    for person in (people.as_cashier(), people.as_sales()):
        with raises("permission_denied", 403):
            person.rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=1)
    for stranger in (people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            stranger.rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=1)
    with raises("not_found", 404):
        people.as_admin().rpc("set_credit_limit", p_customer_id=uuid4(), p_credit_limit=1)
    first = people.as_admin().rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=Decimal("99.50"))
    assert first["credit_limit"] == Decimal("99.50")
    assert (
        people.as_admin().rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=Decimal("99.50"))
        == first
    )


@pytest.mark.parametrize(
    "limit", [None, Decimal(-1), Decimal("NaN"), Decimal("Infinity"), Decimal("1e12"), Decimal("0.001")]
)
def test_malformed_limits(people: People, limit: Decimal | None) -> None:
    """An amount of 0 or more with two decimals, or nothing happens."""
    with raises("invalid_input", 400):
        people.as_admin().rpc(
            "set_credit_limit", p_customer_id=people.world.teak.customers["local"], p_credit_limit=limit
        )
