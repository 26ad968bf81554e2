"""How far an order has come when its invoices are credited, and what may still be done with it."""

from typing import Any

from tests.database.billing.money import assert_books, credit
from tests.database.billing.trading import (
    Document,
    confirm,
    confirmed,
    deliver,
    far,
    invoice,
    now,
    order,
)
from tests.database.moving import traces
from tests.database.sales import line
from tests.support.personas import new_id, raises
from tests.support.world import People


def _mark(people: People, order: Document, status: str) -> Document:
    done: Document = people.as_sales().rpc(
        "mark_order", p_id=new_id(), p_order_id=order["id"], p_status=status
    )
    return done


def _none(people: People, invoice: Any, quantity: object, line_no: int = 1) -> Document:
    """Credit some of an invoice without goods coming back."""
    return credit(
        people.as_sales(),
        invoice["id"],
        [{"line_no": line_no, "quantity": quantity, "disposition": "none"}],
    )


def test_what_was_credited_before_it_left_is_invoiced_again(people: People) -> None:
    """An order of two is invoiced, credited whole and then delivered after all: somebody owes it."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = confirmed(people, line(sofa, 2))
    first = invoice(sales, made)
    _none(people, first, 2)
    assert far(now(people, made)) == [(2, 0, 0, 2)]
    note = deliver(sales, people, made)
    assert far(now(people, made)) == [(0, 2, 0, 0)]
    with raises("order_not_invoiced", 409):
        _mark(people, made, "closed")
    again = invoice(sales, made, delivery_id=note["id"])
    assert (again["total"], again["lines"][0]["quantity"]) == (first["total"], 2)
    # What the first invoice took, and was credited, pays for the second.
    assert (again["status"], again["credited"]) == ("paid", again["total"])
    assert sales.rpc("get_delivery", p_id=note["id"])["invoice_id"] == again["id"]
    with raises("invoice_exceeds_order", 422):
        invoice(sales, made)
    assert _mark(people, made, "closed")["status"] == "closed"
    assert_books(people)


def test_a_delivery_whose_invoice_was_credited_whole_is_invoiced_again(people: People) -> None:
    """As decision 11 has it: what is wrong with the price is credited with none and invoiced anew."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = confirmed(people, line(sofa, 3))
    note = deliver(sales, people, made, {"line_no": 1, "quantity": 2})
    wrong = invoice(sales, made, delivery_id=note["id"])
    _none(people, wrong, 1)
    with raises("invoice_exceeds_order", 422):
        invoice(sales, made, delivery_id=note["id"])
    _none(people, wrong, 1)
    right = invoice(sales, made, delivery_id=note["id"])
    assert (right["delivery_id"], right["total"]) == (note["id"], wrong["total"])
    assert far(now(people, made)) == [(1, 2, 2, 1)]
    assert_books(people)


def test_goods_that_went_back_are_not_invoiced_again(people: People) -> None:
    """They were delivered, paid and returned: nothing of that is open."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = confirmed(people, line(sofa, 2))
    deliver(sales, people, made)
    credit(sales, invoice(sales, made)["id"])
    assert far(now(people, made)) == [(0, 2, 2, 0)]
    with raises("invoice_exceeds_order", 422):
        invoice(sales, made)
    assert _mark(people, made, "closed")["status"] == "closed"


def test_what_was_let_off_after_it_was_delivered_keeps_no_order_open(people: People) -> None:
    """Delivered, invoiced and credited without goods is a kindness; the order closes all the same."""
    variants, sales = people.world.teak.variants, people.as_sales()
    made = confirmed(people, line(variants["sofa"], 2), line(variants["assembly"]))
    note = deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    _none(people, invoice(sales, made, delivery_id=note["id"]), 1)
    deliver(sales, people, made)
    with raises("order_not_invoiced", 409):
        _mark(people, made, "closed")
    assert far(now(people, made)) == [(0, 2, 0, 0), (0, 1, 0, 0)]
    rest = invoice(sales, made)
    assert [x["quantity"] for x in rest["lines"]] == [2, 1]
    _none(people, rest, 1, 2)
    assert _mark(people, made, "closed")["status"] == "closed"


def test_what_was_invoiced_and_did_not_leave_is_credited_first(people: People) -> None:
    """Nobody closes an order whose customer paid for goods that he has not got."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = confirmed(people, line(sofa, 3))
    billed = invoice(sales, made)
    deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    before = traces(people.connection)
    with raises("order_not_delivered", 409):
        _mark(people, made, "closed")
    assert traces(people.connection) == before
    _none(people, billed, 2)
    assert _mark(people, made, "closed")["status"] == "closed"
    assert_books(people)


def test_what_is_owed_for_an_order_counts_once(people: People) -> None:
    """A credited invoice is no cover for an order that is still to come; the customer may owe 2000."""
    assembly = people.world.teak.variants["assembly"]
    first = confirm(people, order(people, line(assembly, 2)))
    _none(people, invoice(people.as_cashier(), first), 2)
    second = order(people, line(assembly, 2))
    with raises("credit_limit_exceeded", 422) as refusal:
        confirm(people, second)
    assert refusal.facts["ordered"] == 1180
