"""What is paid, what is given back, and what may be owed."""

from decimal import Decimal
from typing import Any

import pytest

from tests.database.sales import Payment, footprint, line, pay, sell
from tests.support.personas import raises
from tests.support.world import People


def _sell_sofa(people: People, *payments: Payment, customer: str | None = None) -> dict[str, Any]:
    teak = people.world.teak
    return sell(
        people.as_cashier(),
        people.world.blr,
        line(teak.variants["sofa"]),
        payments=list(payments),
        customer=teak.customers[customer] if customer else None,
    )


def test_change_is_given_from_cash(people: People) -> None:
    """1,200 handed over for 1,180: 1,180 counts, 20 go back."""
    invoice = _sell_sofa(people, pay(1200))
    assert (invoice["status"], invoice["paid"], invoice["balance"]) == (
        "paid",
        Decimal("1180.00"),
        Decimal("0.00"),
    )
    assert (invoice["tendered"], invoice["change_due"]) == (Decimal("1200.00"), Decimal("20.00"))
    (payment,) = invoice["payments"]
    assert (payment["method"], payment["method_name"], payment["reference"]) == ("cash", "Cash", None)
    assert (payment["amount"], payment["tendered"], payment["change"]) == (1180, 1200, 20)


def test_several_methods_make_one_payment_each(people: People) -> None:
    """Card and UPI first, the rest in cash with change; references are kept."""
    invoice = _sell_sofa(people, pay(500, "card", reference="A-1"), pay(Decimal("300.50"), "upi"), pay(400))
    seen = {p["method"]: (p["amount"], p["change"], p["reference"]) for p in invoice["payments"]}
    assert seen == {
        "card": (500, 0, "A-1"),
        "upi": (Decimal("300.50"), 0, None),
        "cash": (Decimal("379.50"), Decimal("20.50"), None),
    }
    assert (invoice["paid"], invoice["tendered"], invoice["change_due"]) == (
        1180,
        Decimal("1200.50"),
        Decimal("20.50"),
    )


@pytest.mark.parametrize("method", ["card", "upi", "bank_transfer", "cheque", "wallet"])
def test_only_cash_gives_change(people: People, method: str) -> None:
    """A card is never charged more than is due, and cash beside it does not turn a surplus into change."""
    with raises("payment_exceeds_total", 422) as refusal:
        _sell_sofa(people, pay(Decimal("1180.01"), method))
    assert refusal.facts["excess"] == Decimal("0.01")
    with raises("payment_exceeds_total", 422):
        _sell_sofa(people, pay(1200, method), pay(10))
    with raises("payment_exceeds_total", 422):
        _sell_sofa(people, pay(1180, method), pay(10))


def test_a_walk_in_pays_in_full(people: People) -> None:
    """Nobody owes anything without a name; nothing is written."""
    before = footprint(people.connection)
    for payments in ([], [pay(Decimal("1179.99"))]):
        with raises("payment_incomplete", 422) as refusal:
            _sell_sofa(people, *payments)
    assert refusal.facts["missing"] == Decimal("0.01")
    assert footprint(people.connection) == before


def test_a_customer_owes_within_his_limit(people: People) -> None:
    """2,000 allowed: 1,180 may be owed, then 820 more and not a paisa further."""
    first = _sell_sofa(people, customer="trusted")
    assert (first["status"], first["balance"], first["payments"]) == ("sent", Decimal("1180.00"), [])
    with raises("credit_limit_exceeded", 422) as refusal:
        _sell_sofa(people, pay(Decimal("359.99")), customer="trusted")
    assert refusal.facts["credit_limit"] == 2000
    assert (refusal.facts["owed"], refusal.facts["asked"]) == (1180, Decimal("820.01"))
    second = _sell_sofa(people, pay(360), customer="trusted")
    assert (second["status"], second["paid"], second["balance"]) == ("partially_paid", 360, 820)
    assert _sell_sofa(people, pay(1180), customer="trusted")["status"] == "paid"


def test_without_a_limit_a_named_customer_pays_in_full(people: People) -> None:
    """A limit of nothing is the beginning."""
    with raises("credit_limit_exceeded", 422):
        _sell_sofa(people, pay(1179), customer="unknown")


def test_debts_in_all_branches_count_together(people: People) -> None:
    """The limit is the customer's, not the branch's."""
    teak = people.world.teak
    _sell_sofa(people, customer="trusted")
    with raises("credit_limit_exceeded", 422):
        sell(
            people.as_cashier(people.world.mum),
            people.world.mum,
            line(teak.variants["sofa"]),
            payments=[],
            customer=teak.customers["trusted"],
        )


def test_a_free_basket_needs_no_payment(people: People) -> None:
    """A discount of everything leaves nothing to pay, and nothing to give change from."""
    sofa = line(people.world.teak.variants["sofa"], discount=1000)
    free = sell(people.as_admin(), people.world.blr, sofa, payments=[])
    assert (free["total"], free["status"], free["balance"]) == (0, "paid", 0)
    with raises("payment_exceeds_total", 422):
        sell(people.as_admin(), people.world.blr, sofa, payments=[pay(10)])


def test_payments_are_kept_with_the_sale(people: People) -> None:
    """Rows of payments and allocations carry branch, user, date and amounts."""
    invoice = _sell_sofa(people, pay(1000, "card"), pay(200), customer="local")
    rows = people.as_cashier().select(
        "select p.method, p.amount, p.tendered, p.created_by, p.customer_id, p.business_date::text as day, "
        "a.amount as used "
        "from public.payments p join public.payment_allocations a on a.payment_id = p.id "
        "where a.invoice_id = %s order by p.method",
        [invoice["id"]],
    )
    assert [(r["method"], r["amount"], r["tendered"], r["used"]) for r in rows] == [
        ("card", 1000, 1000, 1000),
        ("cash", 180, 200, 180),
    ]
    for row in rows:
        assert row["created_by"] == people.as_cashier().user_id
        assert row["customer_id"] == people.world.teak.customers["local"]
        assert row["day"] == invoice["business_date"]
