"""A payment that was put on the wrong invoice is taken off it, and settles another."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.credit import agree, buyer, pay_in, sold_on_credit, terms
from tests.database.billing.credit import owe as owe_with_deposit
from tests.database.billing.money import assembly, assert_books, held, owe, record, state
from tests.database.billing.offers import adjust_points, program
from tests.database.billing.trading import advance, confirm, invoice, now, order
from tests.database.sales import line, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _release(person: Persona, payment: Any, *parts: Any, **changed: Any) -> Any:
    """Take a payment off these invoices, or off all."""
    arguments = {"p_id": new_id(), "p_payment_id": payment["id"], "p_allocations": list(parts) or None}
    return person.rpc("release_payment", **(arguments | changed))


def _part(invoice: Any, amount: object) -> dict[str, Any]:
    return {"invoice_id": invoice["id"], "amount": amount}


def _paid(people: People, *parts: Any, amount: object = 236) -> Any:
    """The trusted customer pays."""
    customer = people.world.teak.customers["trusted"]
    return record(people.as_cashier(), customer, amount, p_allocations=list(parts))


def test_the_money_goes_where_it_was_meant_to(people: People) -> None:
    """Two invoices of 118.00 were paid and one of 590.00 was meant; no money moves, and the receipt stays."""
    wrong, right = [owe(people, assembly(people)) for _ in range(2)], owe(people, assembly(people, 500))
    paid = _paid(people, *[_part(each, 118) for each in wrong])
    act = new_id()
    done = _release(people.as_admin(), paid, p_id=act)
    assert (done["allocations"], done["unallocated"], done["number"]) == ([], 236, paid["number"])
    assert _release(people.as_admin(), paid, p_id=act) == done
    assert [state(people, each["id"]) for each in wrong] == [("sent", 0, 0, 118)] * 2
    people.as_cashier().rpc(
        "allocate_payment", p_id=new_id(), p_payment_id=paid["id"], p_allocations=[_part(right, 236)]
    )
    assert state(people, right["id"]) == ("partially_paid", 236, 0, 354)
    assert_books(people)


def test_a_part_of_it(people: People) -> None:
    """Of one invoice some, of the other nothing; and never more than it settles there."""
    first, second = owe(people, assembly(people)), owe(people, assembly(people))
    paid = _paid(people, _part(first, 118), _part(second, 100))
    done = _release(people.as_admin(), paid, _part(first, Decimal("17.50")))
    assert done["unallocated"] == Decimal("35.50")
    assert state(people, first["id"]) == ("partially_paid", Decimal("100.50"), 0, Decimal("17.50"))
    assert state(people, second["id"])[1] == 100
    for asked in (_part(first, Decimal("100.51")), _part(owe(people, assembly(people)), 1)):
        with raises("allocation_exceeds_payment", 422):
            _release(people.as_admin(), paid, asked)
    assert_books(people)


def test_an_advance_is_its_orders_again(people: People) -> None:
    """Taken off the order's invoice it waits for the next one, and is kept from other things."""
    made = order(people, line(people.world.teak.variants["sofa"]))
    paid = advance(people, made, 1180)
    billed = invoice(people.as_cashier(), confirm(people, made))
    _release(people.as_admin(), paid)
    assert (state(people, billed["id"])[0], now(people, made)["advances"]) == ("sent", 1180)
    people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=paid["id"])
    assert state(people, billed["id"])[0] == "paid"
    assert_books(people)


def test_what_is_not_released(people: People) -> None:
    """A walk-in's money has nobody to wait for, points are none, and instalments have their own order."""
    walk_in = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["lamp"]))
    program(people)
    adjust_points(people, people.world.teak.customers["trusted"], 300)
    debt = owe(people, assembly(people))
    points = people.as_cashier().rpc("redeem_points", p_id=new_id(), p_invoice_id=debt["id"], p_amount=10)
    agreed = sold_on_credit(people, 1, 2)
    instalment = new_id()
    pay_in(people, agreed, 100, p_id=instalment)
    deposit = owe_with_deposit(people, buyer(people), 2, 500)
    agree(people, deposit["id"], terms(people, 2, deposit=500))
    for payment in (walk_in["payments"][0], points, {"id": instalment}, deposit["payments"][0]):
        with raises("payment_not_released", 422):
            _release(people.as_admin(), payment)
    bounced = _paid(people, amount=5)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="Bounced")
    with raises("payment_reversed", 409):
        _release(people.as_admin(), bounced)
    with raises("allocation_exceeds_payment", 422):
        _release(people.as_admin(), _paid(people, amount=5))
    assert_books(people)


def test_who_may(people: People) -> None:
    """Whoever reverses payments; strangers find nothing; nonsense is refused."""
    debt = owe(people, assembly(people))
    paid = _paid(people, _part(debt, 118))
    for person in (people.as_cashier(), people.as_sales(), people.as_stockkeeper()):
        with raises("permission_denied", 403):
            _release(person, paid)
    for person in (people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            _release(person, paid)
    for parts in ([_part(debt, 0)], [_part(debt, -1)], [_part(debt, 1)] * 2, [{"invoice_id": debt["id"]}]):
        with raises("invalid_input", 400):
            _release(people.as_admin(), paid, *parts)
    with raises("invalid_input", 400):
        _release(people.as_admin(), paid, p_allocations=[])
    people.as_admin().rpc("close_period", p_org_id=people.world.teak.id, p_through=debt["business_date"])
    with raises("period_closed", 409):
        _release(people.as_admin(), paid)
    assert state(people, debt["id"])[0] == "paid"


@pytest.mark.parametrize("count", [3])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(st.booleans(), st.integers(0, 2), st.decimals(min_value="0.01", max_value="120", places=2)),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_is_lost_on_the_way(
    people: People, count: int, moves: list[tuple[bool, int, Decimal]]
) -> None:
    """Put on and taken off in any order: what is held and what is paid are always what came in."""
    with people.connection.transaction(force_rollback=True):
        teak, customer = people.world.teak, people.world.teak.customers["trusted"]
        before = held(people.connection, teak.id, customer)
        debts = [owe(people, assembly(people)) for _ in range(count)]
        paid = _paid(people, amount=200)
        for on, place, amount in moves:
            act = "allocate_payment" if on else "release_payment"
            part = [_part(debts[place], amount)]
            # More than there is on either side is refused, and changes nothing.
            with suppress(psycopg.ProgrammingError):
                people.as_admin().rpc(act, p_id=new_id(), p_payment_id=paid["id"], p_allocations=part)
            settled = sum(state(people, debt["id"])[1] for debt in debts)  # type: ignore[misc]
            assert held(people.connection, teak.id, customer) - before + settled == 200
        assert_books(people)
