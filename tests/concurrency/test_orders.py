"""Quotations converted, orders confirmed, delivered, invoiced and cancelled at the same moment."""

import json
import uuid
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from bench.shop import Connection, Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.test_money import ask
from tests.concurrency.test_transfers import breaches, lines
from tests.concurrency.together import refusals, results, together


def _write(shop: Shop, till: OpenTill, act: str, customer: uuid.UUID, quantity: int = 1) -> uuid.UUID:
    """A draft quotation or order."""
    made, branch = uuid.uuid4(), shop.branches[0]
    call(till(shop), act, made, None, branch.id, customer, lines(shop.variants, quantity))
    return made


def _confirm(shop: Shop, connection: Connection, order: uuid.UUID) -> Any:
    location = json.dumps({"location_id": str(shop.branches[0].location_id)})
    return call(connection, "confirm_order", uuid.uuid4(), order, location)


def _confirmed(shop: Shop, till: OpenTill, customer: uuid.UUID, quantity: int) -> uuid.UUID:
    made = _write(shop, till, "save_order", customer, quantity)
    _confirm(shop, till(shop), made)
    return made


def _deliver(shop: Shop, connection: Connection, order: uuid.UUID, quantity: int | None = None) -> Any:
    said = None if quantity is None else json.dumps([{"line_no": 1, "quantity": quantity}])
    location = shop.branches[0].location_id
    return call(connection, "deliver_order", uuid.uuid4(), order, location, said)


def _act(connection: Connection, name: str, *arguments: Any) -> Any:
    return call(connection, name, uuid.uuid4(), *arguments)


@pytest.mark.parametrize("same_id", [True, False])
def test_convert_pressed_twice_makes_one_order(found_shop: FoundShop, till: OpenTill, same_id: bool) -> None:
    shop = found_shop(stock=5)
    quotation = _write(shop, till, "save_quotation", shop.customer(1000))
    for step in ("send_quotation", "approve_quotation"):
        _act(till(shop), step, quotation)
    ids = [uuid.uuid4()] * 6 if same_id else [uuid.uuid4() for _ in range(6)]
    outcomes = together([partial(call, till(shop), "convert_quotation", each, quotation) for each in ids])
    assert refusals(outcomes) == ([] if same_id else ["invalid_transition"] * 5)
    assert len({order["id"] for order in results(outcomes)}) == 1
    assert ask(shop, "select count(*) from public.sales_orders where quotation_id = %s", quotation) == 1


def test_the_last_open_piece_is_delivered_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=10)
    order = _confirmed(shop, till, shop.customer(1000), 5)
    _deliver(shop, till(shop), order, 4)
    outcomes = together([partial(_deliver, shop, till(shop), order, 1) for _ in range(6)])
    assert len(results(outcomes)) == 1
    assert set(refusals(outcomes)) <= {"delivery_exceeds_order", "invalid_transition"}
    assert ask(shop, "select sum(quantity) from public.delivery_lines where order_id = %s", order) == 5
    assert ask(shop, "select status from public.sales_orders where id = %s", order) == "delivered"
    assert breaches(shop) == []


def test_the_last_piece_is_promised_or_sold(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=3)
    customer = shop.customer(100_000)
    orders = [_write(shop, till, "save_order", customer) for _ in range(5)]
    outcomes = together(
        [partial(_confirm, shop, till(shop), order) for order in orders]
        + [partial(shop.sell, till(shop), shop.branches[0], shop.variants) for _ in range(5)]
    )
    assert len(results(outcomes)) == 3
    assert refusals(outcomes) == ["insufficient_stock"] * 7
    assert breaches(shop) == []


def test_orders_at_once_stay_within_the_limit(found_shop: FoundShop, till: OpenTill) -> None:
    """Three of 118.00 fit into 400, whether they are confirmed or sold over the counter on credit."""
    shop = found_shop(stock=50)
    customer = shop.customer(400)
    orders = [_write(shop, till, "save_order", customer) for _ in range(4)]
    here = shop.branches[0]
    buy = partial(shop.sell, branch=here, variants=shop.variants, customer=customer, paid=Decimal(0))
    outcomes = together(
        [partial(_confirm, shop, till(shop), order) for order in orders]
        + [partial(buy, till(shop)) for _ in range(4)]
    )
    assert len(results(outcomes)) == 3
    assert refusals(outcomes) == ["credit_limit_exceeded"] * 5


def test_an_order_is_invoiced_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    customer = shop.customer(1000)
    order = _confirmed(shop, till, customer, 2)
    advance = json.dumps({"branch_id": str(shop.branches[0].id), "order_id": str(order)})
    call(till(shop), "record_payment", uuid.uuid4(), customer, Decimal(100), "cash", None, None, advance)
    outcomes = together([partial(_act, till(shop), "invoice_order", order) for _ in range(5)])
    assert refusals(outcomes) == ["invoice_exceeds_order"] * 4
    (made,) = results(outcomes)
    assert (made["paid"], made["balance"]) == (100, 136)
    assert call(till(shop), "check_books", shop.org_id) is None


def test_an_order_is_cancelled_or_delivered(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=20)
    customer = shop.customer(100_000)
    for _ in range(4):
        order = _confirmed(shop, till, customer, 2)
        cancel = partial(_act, till(shop), "cancel_order", order, "Late")
        outcomes = together([cancel, partial(_deliver, shop, till(shop), order)])
        assert refusals(outcomes) == ["invalid_transition"]
        assert breaches(shop) == []


def test_many_orders_of_the_same_goods_never_deadlock(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(variants=4, stock=200)
    customer, clients, rounds = shop.customer(10_000_000), 5, 4

    def trade(number: int) -> int:
        connection = till(shop)
        for turn in range(rounds):
            order = uuid.uuid4()
            basket = list(shop.variants) if (number + turn) % 2 else list(reversed(shop.variants))
            call(connection, "save_order", order, None, shop.branches[0].id, customer, lines(basket, 2))
            _confirm(shop, connection, order)
            _deliver(shop, connection, order, 1)
            _act(connection, "invoice_order", order)
            shop.sell(connection, shop.branches[0], basket)
            _deliver(shop, connection, order)
        return rounds

    outcomes = together([partial(trade, number) for number in range(clients)])
    assert refusals(outcomes) == []
    assert breaches(shop) == []
    assert call(till(shop), "check_stock", shop.org_id) is None
