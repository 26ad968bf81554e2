"""A payment that did not stand: what it settled is open again, and every trace is kept."""

from typing import Any

import pytest

from tests.database.billing.money import assembly, assert_books, credit, held, invoice_of, owe, record, state
from tests.database.billing.offers import adjust_points, balance, program
from tests.database.sales import footprint, pay, sell
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People


def _reverse(person: Persona, payment: Any, **changed: Any) -> Any:
    arguments = {"p_id": new_id(), "p_payment_id": payment, "p_reason": "Cheque returned unpaid"}
    return person.rpc("reverse_payment", **(arguments | changed))


def test_a_bounced_cheque_opens_what_it_settled(people: People) -> None:
    """Two invoices of one cheque go back, one to sent, one to partially_paid; the reason is kept."""
    customer = people.world.teak.customers["trusted"]
    first, second = owe(people, assembly(people)), owe(people, assembly(people))
    record(people.as_cashier(), customer, 8, p_allocations=[{"invoice_id": first["id"], "amount": 8}])
    cheque = record(people.as_cashier(), customer, 300, p_method="cheque")
    assert cheque["unallocated"] == 300 - 110 - 118
    assert [state(people, i["id"])[0] for i in (first, second)] == ["paid", "paid"]

    act = new_id()
    reversed_ = _reverse(people.as_admin(), cheque["id"], p_id=act)
    assert reversed_["reversed"]["reason"] == "Cheque returned unpaid"
    assert (reversed_["allocations"], reversed_["unallocated"]) == ([], 0)
    assert state(people, first["id"]) == ("partially_paid", 8, 0, 110)
    assert state(people, second["id"]) == ("sent", 0, 0, 118)
    assert [p["amount"] for p in invoice_of(people, first["id"])["payments"]] == [8]
    assert held(people.connection, people.world.teak.id, customer) == 0
    # The entries say what happened: nothing was deleted.
    entries = people.as_admin().select(
        "select entry, amount from public.payment_allocations where payment_id = %s and invoice_id = %s "
        "order by entry",
        [cheque["id"], second["id"]],
    )
    assert [(e["entry"], e["amount"]) for e in entries] == [(1, 118), (2, -118)]
    assert _reverse(people.as_admin(), cheque["id"], p_id=act) == reversed_
    assert_books(people)


def test_a_reversed_payment_is_worth_nothing(people: People) -> None:
    """It is neither reversed again, nor allocated, nor refunded; the invoice can be paid anew."""
    customer = people.world.teak.customers["trusted"]
    invoice = owe(people, assembly(people))
    cheque = record(people.as_cashier(), customer, 118, p_method="cheque")
    _reverse(people.as_admin(), cheque["id"])
    with raises("payment_reversed", 409):
        _reverse(people.as_admin(), cheque["id"])
    with raises("payment_reversed", 409):
        people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=cheque["id"])
    with raises("payment_reversed", 409):
        people.as_admin().rpc(
            "refund",
            p_id=new_id(),
            p_customer_id=customer,
            p_amount=1,
            p_method="cash",
            p_options={"payment_id": cheque["id"]},
        )
    record(people.as_cashier(), customer, 118)
    assert state(people, invoice["id"])[0] == "paid"
    assert_books(people)


def test_a_walk_ins_cheque_can_bounce_too(people: People) -> None:
    """The debt has no name, but it is on the books, and it can be paid."""
    sofa = assembly(people, 100)
    invoice = sell(people.as_sales(), people.world.blr, sofa, payments=[pay(118, "cheque")])
    _reverse(people.as_admin(), invoice["payments"][0]["id"])
    assert state(people, invoice["id"]) == ("sent", 0, 0, 118)
    record(people.as_cashier(), None, 118, p_allocations=[{"invoice_id": invoice["id"], "amount": 118}])
    assert state(people, invoice["id"]) == ("paid", 118, 0, 0)
    assert_books(people)


def test_what_was_paid_back_is_not_reversed(people: People) -> None:
    """The house would be out of the money twice."""
    customer = people.world.teak.customers["trusted"]
    payment = record(people.as_cashier(), customer, 50)
    people.as_admin().rpc(
        "refund",
        p_id=new_id(),
        p_customer_id=None,
        p_amount=20,
        p_method="cash",
        p_options={"payment_id": payment["id"]},
    )
    with raises("payment_refunded", 409):
        _reverse(people.as_admin(), payment["id"])


def test_only_who_may_reverses(people: People) -> None:
    """The cashier records and does not reverse; strangers find nothing; a reason is asked for."""
    payment = record(people.as_cashier(), people.world.teak.customers["trusted"], 50)
    for person in (people.as_cashier(), people.as_sales()):
        with raises("permission_denied", 403):
            _reverse(person, payment["id"])
    with raises("not_found", 404):
        _reverse(people.as_foreign_admin(), payment["id"])
    before = footprint(people.connection)
    for reason in (None, " ", "x" * 501):
        with raises("invalid_input", 400):
            _reverse(people.as_admin(), payment["id"], p_reason=reason)
    assert footprint(people.connection) == before


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("payment_reversals", "reason = 'X'"),
        ("payment_allocations", "amount = 1"),
        ("refunds", "amount = 1"),
        ("refund_sources", "amount = 1"),
        ("credit_notes", "reason = 'X'"),
        ("credit_note_lines", "quantity = 1"),
        ("credit_note_allocations", "amount = 1"),
    ],
)
def test_what_was_posted_stays(people: People, table: str, change: str) -> None:
    """Whoever asks, the owner of the tables and the service role included."""
    owner = Persona(people.connection, "postgres")
    statements = (f"update public.{table} set {change}", f"delete from public.{table}")  # noqa: S608
    for statement in statements:
        with raises("append_only", 403):
            owner.execute(statement)
    with raises("append_only", 403):
        owner.execute(f"truncate public.{table} cascade")
    for person in (people.as_service(), people.as_admin()):
        for statement in statements:
            with raises_sqlstate("42501"):
                person.execute(statement)


def test_points_that_were_given_back_are_not_reversed(people: People) -> None:
    """A credit note gave the points back: taking the payment off, too, would leave a debt for nothing."""
    program(people)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 400)
    invoice = owe(people, assembly(people), paid=[pay(100, "points"), pay(18)])
    points = next(p["id"] for p in invoice["payments"] if p["method"] == "points")
    credit(people.as_sales(), invoice["id"])
    has = balance(people, customer)
    assert has == 400
    with raises("payment_refunded", 409):
        _reverse(people.as_admin(), points)
    assert balance(people, customer) == has
    assert state(people, invoice["id"]) == ("paid", 118, 0, 0)
    # Two payments in points, of which one is taken back: that says nothing about the other.
    other = owe(people, assembly(people))
    payments = [
        people.as_cashier().rpc("redeem_points", p_id=new_id(), p_invoice_id=other["id"], p_amount=amount)
        for amount in (20, 30)
    ]
    for payment in payments:
        _reverse(people.as_admin(), payment["id"])
    assert balance(people, customer) == has
    assert_books(people)
