"""Payments after the sale: what they settle, and what they never do."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.money import (
    assembly,
    assert_books,
    held,
    invoice_of,
    owe,
    record,
    state,
)
from tests.database.sales import footprint, pay, sell
from tests.support.personas import new_id, raises
from tests.support.world import People


def _trusted(people: People) -> Any:
    return people.world.teak.customers["trusted"]


def test_a_payment_settles_the_invoice(people: People) -> None:
    """Part by part; the status follows; the receipt has a number of its own series."""
    invoice = owe(people, assembly(people))
    assert state(people, invoice["id"]) == ("sent", 0, 0, 118)
    first = record(people.as_cashier(), _trusted(people), 18)
    assert first["allocations"] == [
        {"invoice_id": invoice["id"], "invoice_number": invoice["number"], "amount": 18}
    ]
    assert (first["unallocated"], first["branch_id"]) == (0, str(people.world.blr.id))
    assert first["number"].rsplit("/", 1)[1][0] == "R"
    assert state(people, invoice["id"]) == ("partially_paid", 18, 0, 100)
    record(people.as_cashier(), _trusted(people), 100, p_method="upi", p_reference="UPI-1")
    assert state(people, invoice["id"]) == ("paid", 118, 0, 0)
    payments = invoice_of(people, invoice["id"])["payments"]
    assert {(p["method"], p["amount"], p["reference"]) for p in payments} == {
        ("cash", 18, None),
        ("upi", 100, "UPI-1"),
    }
    assert_books(people)


def test_the_same_call_again_changes_nothing(people: People) -> None:
    """And another content under the same id is refused."""
    owe(people, assembly(people))
    payment_id = new_id()
    first = record(people.as_cashier(), _trusted(people), 18, p_id=payment_id)
    before = footprint(people.connection)
    assert record(people.as_cashier(), _trusted(people), 18, p_id=payment_id) == first
    assert footprint(people.connection) == before
    with raises("id_reused", 409):
        record(people.as_cashier(), _trusted(people), 19, p_id=payment_id)


def test_the_oldest_due_comes_first(people: People) -> None:
    """One payment over several invoices; what is left stays the customer's credit."""
    new = owe(people, assembly(people, 10))
    old = sell(
        people.as_admin(),
        people.world.blr,
        assembly(people, 20),
        payments=[],
        customer=_trusted(people),
        occurred_at="2024-05-01T10:00:00+05:30",
    )
    payment = record(people.as_cashier(), _trusted(people), Decimal("30.00"))
    assert [(a["invoice_id"], a["amount"]) for a in payment["allocations"]] == [
        (old["id"], old["total"]),
        (new["id"], 30 - old["total"]),
    ]
    rest = record(people.as_cashier(), _trusted(people), 100)
    assert rest["unallocated"] == 100 - (new["total"] - (30 - old["total"]))
    assert held(people.connection, people.world.teak.id, _trusted(people)) == rest["unallocated"]
    assert_books(people)


def test_credit_settles_the_next_invoice(people: People) -> None:
    """allocate_payment uses what is left, once."""
    payment = record(people.as_cashier(), _trusted(people), 50, p_options={"hold": True})
    assert payment["unallocated"] == 50
    invoice = owe(people, assembly(people))
    act = new_id()
    done = people.as_cashier().rpc("allocate_payment", p_id=act, p_payment_id=payment["id"])
    assert done["unallocated"] == 0
    assert people.as_cashier().rpc("allocate_payment", p_id=act, p_payment_id=payment["id"]) == done
    assert state(people, invoice["id"]) == ("partially_paid", 50, 0, 68)
    with raises("allocation_exceeds_payment", 422):
        people.as_cashier().rpc(
            "allocate_payment",
            p_id=new_id(),
            p_payment_id=payment["id"],
            p_allocations=[{"invoice_id": invoice["id"], "amount": 1}],
        )
    assert_books(people)


def test_held_money_and_advances_settle_nothing_by_themselves(people: People) -> None:
    """hold leaves the invoice open."""
    invoice = owe(people, assembly(people))
    assert record(people.as_cashier(), _trusted(people), 50, p_options={"hold": True})["allocations"] == []
    assert state(people, invoice["id"]) == ("sent", 0, 0, 118)
    with raises("invalid_input", 400):
        record(
            people.as_cashier(),
            _trusted(people),
            50,
            p_options={"hold": True},
            p_allocations=[{"invoice_id": invoice["id"], "amount": 50}],
        )


def test_nothing_is_paid_beyond_its_total(people: People) -> None:
    """Explicit allocations are held against invoice and payment."""
    invoice = owe(people, assembly(people))
    for amount, allocated, code, status in (
        (200, 119, "invoice_overpaid", 409),
        (100, 101, "allocation_exceeds_payment", 422),
    ):
        with raises(code, status):
            record(
                people.as_cashier(),
                _trusted(people),
                amount,
                p_allocations=[{"invoice_id": invoice["id"], "amount": allocated}],
            )
    assert state(people, invoice["id"]) == ("sent", 0, 0, 118)


def test_other_peoples_invoices_are_not_paid(people: People) -> None:
    """Another customer's, another branch's, another house's."""
    world = people.world
    mine = owe(people, assembly(people))
    with raises("customer_mismatch", 422):
        record(
            people.as_cashier(),
            world.teak.customers["local"],
            5,
            p_allocations=[{"invoice_id": mine["id"], "amount": 5}],
        )
    for foreign in (world.teak.invoices["MUM"], world.lagoon.invoices["LON"], new_id()):
        with raises("not_found", 404):
            record(
                people.as_cashier(),
                _trusted(people),
                5,
                p_allocations=[{"invoice_id": foreign, "amount": 5}],
                p_options={"branch_id": world.blr.id},
            )
    with raises("not_found", 404):
        record(people.as_cashier(), world.lagoon.customers["abroad"], 5)


def test_the_branch_is_found_or_asked_for(people: People) -> None:
    """Named; else the invoice's; else the caller's only one; an admin of two must say."""
    local = people.world.teak.customers["local"]
    assert record(people.as_cashier(people.world.mum), local, 5)["branch_id"] == str(people.world.mum.id)
    with raises("invalid_input", 400) as refusal:
        record(people.as_admin(), local, 5)
    assert refusal.facts["field"] == "branch_id"
    owe(people, assembly(people))
    assert record(people.as_admin(), _trusted(people), 5)["branch_id"] == str(people.world.blr.id)


@pytest.mark.parametrize(
    "changed",
    [
        {"p_amount": 0},
        {"p_amount": -5},
        {"p_amount": None},
        {"p_amount": Decimal("NaN")},
        {"p_amount": Decimal("1.001")},
        {"p_amount": Decimal("1e13")},
        {"p_method": "shells"},
        {"p_method": None},
        {"p_reference": "x" * 101},
        {"p_options": {"held": True}},
        {"p_options": {"hold": "yes"}},
        {"p_options": {"branch_id": "here"}},
        {"p_options": {"note": 5}},
        {"p_options": []},
        {"p_allocations": {}},
        {"p_allocations": [5]},
        {"p_allocations": [{"invoice_id": "x", "amount": 1}]},
        {"p_allocations": [{"invoice_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "amount": 0}]},
        {"p_id": None},
    ],
)
def test_malformed_is_refused(people: People, changed: dict[str, Any]) -> None:
    """400, and nothing is written."""
    before = footprint(people.connection)
    with raises("invalid_input", 400):
        record(people.as_cashier(), _trusted(people), changed.pop("p_amount", 5), **changed)
    assert footprint(people.connection) == before


def test_backdating_needs_its_permission(people: People) -> None:
    """As with sales; and closed books stay closed."""
    when = {"occurred_at": "2024-05-01T10:00:00+05:30"}
    branch = {"branch_id": people.world.blr.id}
    with raises("backdating_denied", 403):
        record(people.as_cashier(), _trusted(people), 5, p_options=when)
    early = record(people.as_admin(), _trusted(people), 5, p_options=when | branch)
    assert early["business_date"] == "2024-05-01"
    people.as_admin().rpc("close_period", p_org_id=people.world.teak.id, p_through="2024-05-31")
    with raises("period_closed", 409):
        record(people.as_admin(), _trusted(people), 5, p_options=when | branch)


def test_nobody_without_a_name_has_credit(people: People) -> None:
    """Without a customer a payment settles invoices, all of it."""
    with raises("payment_needs_a_customer", 422):
        record(people.as_cashier(), None, 5, p_options={"branch_id": people.world.blr.id})


def test_what_was_paid_at_the_till_has_no_receipt_number(people: People) -> None:
    """The invoice is the receipt."""
    invoice = sell(people.as_cashier(), people.world.blr, assembly(people, 500), payments=[pay(590)])
    payment = people.as_cashier().rpc("get_payment", p_id=invoice["payments"][0]["id"])
    assert (payment["number"], payment["amount"], payment["unallocated"]) == (None, 590, 0)


AMOUNTS = st.decimals(Decimal("0.01"), Decimal("400.00"), places=2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prices=st.lists(AMOUNTS, min_size=1, max_size=4), payments=st.lists(AMOUNTS, min_size=1, max_size=6))
def test_allocations_keep_their_sums(people: People, prices: list[Decimal], payments: list[Decimal]) -> None:
    """Whatever is owed and paid: nothing appears, nothing is lost, nobody is paid beyond his total."""
    with people.connection.transaction(force_rollback=True):
        customer = _trusted(people)
        before = held(people.connection, people.world.teak.id, customer)
        invoices = [owe(people, assembly(people, price)) for price in prices]
        total = sum(invoice["total"] for invoice in invoices)
        made = [record(people.as_cashier(), customer, amount) for amount in payments]
        for payment in made:
            assert (
                sum(a["amount"] for a in payment["allocations"]) + payment["unallocated"]
                == (payment["amount"])
            )
        now = [invoice_of(people, invoice["id"]) for invoice in invoices]
        assert all(0 <= i["paid"] <= i["total"] and i["balance"] == i["total"] - i["paid"] for i in now)
        assert sum(i["paid"] for i in now) == min(total, sum(payments))
        credit = held(people.connection, people.world.teak.id, customer) - before
        assert credit == max(sum(payments) - total, 0)
        # One after the other: at most one is begun and not finished.
        assert [i["status"] for i in now].count("partially_paid") <= 1
        assert_books(people)


def test_the_same_call_again_when_nothing_is_open_any_more(people: People) -> None:
    """The branch was the oldest invoice's; it stays the payment's when that is paid."""
    owe(people, assembly(people))
    payment_id = new_id()
    first = record(people.as_admin(), _trusted(people), 118, p_id=payment_id)
    before = footprint(people.connection)
    assert record(people.as_admin(), _trusted(people), 118, p_id=payment_id) == first
    assert footprint(people.connection) == before
