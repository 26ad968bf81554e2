"""Back-orders: what has come since is held, and held by whom, at every step of an open order."""

import pytest

from tests.database.billing.trading import advance, confirm, confirmed, deliver, far, now, order
from tests.database.moving import traces
from tests.database.sales import adjust, line
from tests.support.personas import new_id, raises
from tests.support.world import People


def test_back_orders_are_held_as_they_come(people: People) -> None:
    """Also after the first part was delivered; what is held nobody else is sold."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = order(people, line(sofa, 12))
    advance(people, made, made["total"])
    assert far(confirm(people, made, back_order=True)) == [(9, 0, 0, 12)]
    deliver(sales, people, made, {"line_no": 1, "quantity": 9})
    adjust(people, sofa, 2, "found", 40)
    act = {"p_id": new_id(), "p_order_id": made["id"]}
    held = sales.rpc("hold_order", **act)
    assert (held["status"], far(held)) == ("partially_delivered", [(2, 9, 0, 3)])
    before = traces(people.connection)
    assert sales.rpc("hold_order", **act) == held
    assert traces(people.connection) == before
    with raises("permission_denied", 403):
        people.as_stockkeeper().rpc("hold_order", p_id=new_id(), p_order_id=made["id"])
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin()):
        with raises("not_found", 404):
            person.rpc("hold_order", p_id=new_id(), p_order_id=made["id"])


@pytest.mark.parametrize("status", ["draft", "cancelled", "delivered"])
def test_nothing_is_held_for_an_order_that_is_not_open(people: People, status: str) -> None:
    """Before it is confirmed, and once it is over or has all it asked for."""
    made = order(people, line(people.world.teak.variants["sofa"]))
    if status == "cancelled":
        people.as_sales().rpc("cancel_order", p_id=new_id(), p_order_id=made["id"], p_reason="No")
    elif status == "delivered":
        deliver(people.as_sales(), people, confirm(people, made))
    with raises("order_not_open", 409):
        people.as_sales().rpc("hold_order", p_id=new_id(), p_order_id=made["id"])


def test_from_production_straight_to_the_customer(people: People) -> None:
    """All of it, as a part of it always could."""
    made = confirmed(people, line(people.world.teak.variants["sofa"], 2))
    people.as_sales().rpc("mark_order", p_id=new_id(), p_order_id=made["id"], p_status="in_production")
    deliver(people.as_sales(), people, made)
    assert now(people, made)["status"] == "delivered"
