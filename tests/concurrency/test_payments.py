"""Payments, reversals, refunds and credit notes of one invoice at the same moment."""

import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg

from bench.shop import Connection, Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.test_money import ask
from tests.concurrency.together import refusals, results, together
from tests.support.held import HELD_FOR


def _owed(shop: Shop, till: OpenTill, customer: uuid.UUID, pieces: int = 1) -> uuid.UUID:
    """An invoice on credit: 118.00 a piece."""
    made = uuid.uuid4()
    shop.sell(
        till(shop),
        shop.branches[0],
        [shop.variants[0]] * pieces,
        sale_id=made,
        customer=customer,
        paid=Decimal(0),
    )
    return made


def _held(shop: Shop, customer: uuid.UUID) -> Decimal:
    """What the house holds for the customer."""
    with psycopg.connect(shop.url) as owner:
        row = owner.execute(HELD_FOR, {"org_id": shop.org_id, "customer_id": customer}).fetchone()
    assert row is not None
    return Decimal(row[0])


def _pay(
    connection: Connection,
    customer: uuid.UUID,
    amount: int,
    invoice: uuid.UUID | None = None,
    payment_id: uuid.UUID | None = None,
) -> Any:
    parts = None if invoice is None else json.dumps([{"invoice_id": str(invoice), "amount": amount}])
    return call(
        connection, "record_payment", payment_id or uuid.uuid4(), customer, Decimal(amount), "cash", parts
    )


def _credit(connection: Connection, invoice: uuid.UUID, quantity: int | None) -> Any:
    lines = None if quantity is None else json.dumps([{"line_no": 1, "quantity": quantity}])
    return call(connection, "issue_credit_note", uuid.uuid4(), invoice, lines, "Damaged")


def _figures(shop: Shop, invoice: uuid.UUID) -> tuple[Any, ...]:
    row = ask(shop, "select to_jsonb(i) from public.invoices i where id = %s", invoice)
    return row["status"], row["paid"], row["credited"], row["balance"]


def _books_are_right(shop: Shop, till: OpenTill) -> bool:
    return call(till(shop), "check_books", shop.org_id) is None


def test_payments_at_once_never_exceed_the_invoice(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    customer = shop.customer(credit_limit=500)
    invoice = _owed(shop, till, customer)
    outcomes = together([partial(_pay, till(shop), customer, 59, invoice) for _ in range(8)])
    assert len(results(outcomes)) == 2
    assert refusals(outcomes) == ["invoice_overpaid"] * 6
    assert _figures(shop, invoice) == ("paid", 118, 0, 0)
    assert _books_are_right(shop, till)


def test_payments_at_once_share_what_is_owed(found_shop: FoundShop, till: OpenTill) -> None:
    """Oldest first, nothing named: what the invoices do not take stays as credit, to the paisa."""
    shop = found_shop(branches=2, stock=9)
    customer = shop.customer(credit_limit=500)
    invoices = [_owed(shop, till, customer) for _ in range(3)]
    outcomes = together([partial(_pay, till(shop), customer, 50) for _ in range(10)])
    assert refusals(outcomes) == []
    assert [_figures(shop, invoice)[0] for invoice in invoices] == ["paid"] * 3
    assert _held(shop, customer) == 500 - 3 * 118
    assert _books_are_right(shop, till)


def test_the_same_payment_twice_at_once_is_one(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    customer = shop.customer(credit_limit=500)
    invoice, payment = _owed(shop, till, customer), uuid.uuid4()
    outcomes = together([partial(_pay, till(shop), customer, 100, None, payment) for _ in range(6)])
    assert refusals(outcomes) == []
    assert {json.dumps(outcome, default=str) for outcome in outcomes} == {
        json.dumps(outcomes[0], default=str)
    }
    assert _figures(shop, invoice) == ("partially_paid", 100, 0, 18)


def test_reversing_while_others_pay(found_shop: FoundShop, till: OpenTill) -> None:
    """Whoever comes first, the invoice ends with what stands."""
    shop = found_shop(stock=5)
    customer = shop.customer(credit_limit=500)
    for _ in range(5):
        invoice = _owed(shop, till, customer)
        cheque = _pay(till(shop), customer, 118, invoice)["id"]
        reverse = partial(call, till(shop), "reverse_payment", uuid.uuid4(), cheque, "Bounced")
        outcomes = together([reverse, *(partial(_pay, till(shop), customer, 59, invoice) for _ in range(3))])
        assert not isinstance(outcomes[0], Exception)
        assert set(refusals(outcomes)) <= {"invoice_overpaid"}
        paid = 59 * len(results(outcomes[1:]))
        assert _figures(shop, invoice)[1:] == (paid, 0, 118 - paid)
        _pay(till(shop), customer, 118 - paid, invoice) if paid < 118 else None
    assert _books_are_right(shop, till)


def test_a_payment_is_used_once(found_shop: FoundShop, till: OpenTill) -> None:
    """Allocated, refunded and reversed at the same moment: one of them gets the money."""
    shop = found_shop(stock=9)
    customer = shop.customer(credit_limit=1000)
    for _ in range(5):
        invoice = _owed(shop, till, customer)
        payment = call(
            till(shop),
            "record_payment",
            uuid.uuid4(),
            customer,
            Decimal(118),
            "cheque",
            "[]",
            None,
            json.dumps({"branch_id": str(shop.branches[0].id), "hold": False}),
        )["id"]
        part = json.dumps([{"invoice_id": str(invoice), "amount": 118}])
        named = json.dumps({"payment_id": payment})
        acts: list[Callable[[], Any]] = [
            partial(call, till(shop), "allocate_payment", uuid.uuid4(), payment, part),
            partial(call, till(shop), "refund", uuid.uuid4(), customer, Decimal(118), "cash", named),
            partial(call, till(shop), "reverse_payment", uuid.uuid4(), payment, "Bounced"),
        ]
        outcomes = together(acts)
        assert set(refusals(outcomes)) <= {
            "allocation_exceeds_payment",
            "refund_exceeds_credit",
            "payment_reversed",
            "payment_refunded",
            "changed_meanwhile",
        }
        settled = Decimal(str(_figures(shop, invoice)[1]))
        refunded = ask(
            shop, "select coalesce(sum(amount), 0) from public.refund_sources where payment_id = %s", payment
        )
        reversed_ = ask(shop, "select count(*) from public.payment_reversals where payment_id = %s", payment)
        assert settled + refunded + 118 * reversed_ in (118, 0)
    assert _books_are_right(shop, till)


def test_a_payment_is_taken_off_once(found_shop: FoundShop, till: OpenTill) -> None:
    """Released by several, reversed and allocated anew at the same moment: the sums hold."""
    shop = found_shop(stock=9)
    customer = shop.customer(credit_limit=1000)
    for _ in range(4):
        first, second = _owed(shop, till, customer), _owed(shop, till, customer)
        payment = _pay(till(shop), customer, 118, first)["id"]
        anew = json.dumps([{"invoice_id": str(second), "amount": 118}])
        release = [
            partial(call, till(shop), "release_payment", uuid.uuid4(), payment, None) for _ in range(3)
        ]
        outcomes = together(
            [
                *release,
                partial(call, till(shop), "allocate_payment", uuid.uuid4(), payment, anew),
                partial(call, till(shop), "reverse_payment", uuid.uuid4(), payment, "Bounced"),
            ]
        )
        assert set(refusals(outcomes)) <= {
            "allocation_exceeds_payment",
            "payment_reversed",
            "changed_meanwhile",
        }
        reversed_ = ask(shop, "select count(*) from public.payment_reversals where payment_id = %s", payment)
        settled = sum(Decimal(str(_figures(shop, invoice)[1])) for invoice in (first, second))
        left = ask(shop, "select private.unallocated(%s, %s)", shop.org_id, payment)
        assert settled + left + 118 * reversed_ == 118
        if not reversed_:
            call(till(shop), "reverse_payment", uuid.uuid4(), payment, "Bounced")
    assert _books_are_right(shop, till)


def test_credit_notes_at_once_never_exceed_what_was_sold(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    customer = shop.customer(credit_limit=1000)
    made = uuid.uuid4()
    lines = json.dumps([{"variant_id": str(shop.variants[0]), "quantity": 3}])
    branch = shop.branches[0]
    call(till(shop), "post_sale", made, branch.id, branch.location_id, customer, lines, "[]")
    outcomes = together([partial(_credit, till(shop), made, 1) for _ in range(6)])
    assert len(results(outcomes)) == 3
    assert refusals(outcomes) == ["credit_exceeds_sale"] * 3
    assert _figures(shop, made) == ("paid", 0, 354, 0)
    assert ask(shop, "select sum(total) from public.credit_notes") == 354
    assert ask(shop, "select on_hand from public.stock_levels where branch_id = %s", branch.id) == 5
    assert _books_are_right(shop, till)


def test_a_credit_note_and_payments_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    """The invoice takes as much as it is owed, and what is too much stays the customer's."""
    shop = found_shop(stock=9)
    customer = shop.customer(credit_limit=1000)
    for _ in range(4):
        before = _held(shop, customer)
        invoice = _owed(shop, till, customer)
        outcomes = together(
            [
                partial(_credit, till(shop), invoice, None),
                partial(_pay, till(shop), customer, 70),
                partial(_pay, till(shop), customer, 70),
            ]
        )
        assert refusals(outcomes) == []
        status, paid, credited, balance = _figures(shop, invoice)
        assert (status, paid + credited, balance) == ("paid", 118, 0)
        after = _held(shop, customer)
        assert after - before == 140
    assert _books_are_right(shop, till)


def test_a_void_and_a_credit_note_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    """One of them takes the sale back, not both."""
    shop = found_shop(stock=9)
    customer = shop.customer(credit_limit=1000)
    for _ in range(4):
        sale = uuid.uuid4()
        shop.sell(till(shop), shop.branches[0], [shop.variants[0]], sale_id=sale, customer=customer)
        outcomes = together(
            [
                partial(call, till(shop), "void_sale", uuid.uuid4(), sale, "Wrong"),
                partial(call, till(shop), "void_sale", uuid.uuid4(), sale, "Wrong"),
                partial(_credit, till(shop), sale, None),
            ]
        )
        assert len(results(outcomes)) == 1
        assert set(refusals(outcomes)) <= {"invoice_not_open", "invoice_credited"}
    assert ask(shop, "select on_hand from public.stock_levels where branch_id = %s", shop.branches[0].id) == 9
    assert _books_are_right(shop, till)


def test_exchanges_in_opposite_directions_never_deadlock(found_shop: FoundShop, till: OpenTill) -> None:
    """One brings back what the other takes."""
    rounds = 6
    shop = found_shop(variants=2, stock=100)
    first, second = shop.variants

    def exchange_many(have: uuid.UUID, want: uuid.UUID) -> int:
        connection, branch = till(shop), shop.branches[0]
        for _ in range(rounds):
            sale = uuid.uuid4()
            shop.sell(connection, branch, [have], sale_id=sale)
            lines = json.dumps([{"variant_id": str(want), "quantity": 1}])
            call(
                connection,
                "post_exchange",
                uuid.uuid4(),
                sale,
                None,
                branch.id,
                branch.location_id,
                lines,
                "[]",
            )
        return rounds

    ways = [(first, second), (second, first)] * 3
    outcomes = together([partial(exchange_many, *way) for way in ways])
    assert refusals(outcomes) == []
    assert _books_are_right(shop, till)
