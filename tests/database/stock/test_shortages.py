"""Goods that are promised and gone: whose promise stands in the way is said, and made smaller."""

from typing import Any

import pytest

from tests.database.billing.trading import confirm, confirmed, deliver, far, now, order
from tests.database.moving import level, reserve, traces
from tests.database.sales import adjust, line, on_hand, sell
from tests.database.stock.counting import enter, start, submit
from tests.database.stock.test_reservations import expire
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def shorten(person: Persona, reservation: Any, *lines: Any, **changed: Any) -> Any:
    """Hold less than was promised."""
    arguments = {"p_id": new_id(), "p_reservation_id": reservation, "p_lines": list(lines)}
    return person.rpc("shorten_reservation", **(arguments | changed))


def test_a_shortage_of_promised_goods_is_posted_once_a_promise_is_shortened(people: People) -> None:
    """All nine are held for an order, one is gone. The order gets eight, and the ninth when it comes."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    made = confirmed(people, line(sofa, 9))
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 8)
    submit(people, count)
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    before = traces(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    with raises("insufficient_stock", 409) as of_write_off:
        adjust(people, sofa, -1, "write_off")
    assert traces(people.connection) == before
    for refused in (refusal, of_write_off):
        (short,) = refused.facts["shortages"]
        assert (short["sku"], short["requested"], short["available"], short["on_hand"]) == ("SOFA", 1, 0, 9)
        assert short["reservations"] == [
            {
                "reservation_id": made["reservation_id"],
                "document": "sales_order",
                "document_id": made["id"],
                "quantity": 9,
            }
        ]
    done = shorten(people.as_sales(), made["reservation_id"], line(sofa, 1))
    assert [item["quantity"] for item in done["lines"][0]["items"]] == [8]
    assert (done["document_id"], done["expires_at"]) == (made["id"], None)
    people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    assert level(people.connection, world.blr.showroom, sofa)[:2] == (8, 8)
    assert far(now(people, made)) == [(8, 0, 0, 9)]
    deliver(people.as_sales(), people, made, {"line_no": 1, "quantity": 8})
    assert on_hand(people.connection, world.blr.showroom, sofa) == 0
    assert people.as_admin().rpc("check_integrity", p_org_id=world.teak.id)["passed"]


def test_the_last_lines_give_way_first(people: People) -> None:
    """As the first are served first; a line that holds nothing is gone, and so is the whole in the end."""
    world, goods = people.world, people.world.teak.variants
    held = reserve(people.as_cashier(), world.blr.showroom, line(goods["suite"], 1), line(goods["lamp"], 3))
    done = shorten(people.as_cashier(), held["id"], line(goods["lamp"], 4))
    assert [(x["sku"], [(i["sku"], i["quantity"]) for i in x["items"]]) for x in done["lines"]] == [
        ("SUITE", [("LAMP", 1), ("SOFA", 1)])
    ]
    assert done["expires_at"] == held["expires_at"]
    assert level(people.connection, world.blr.showroom, goods["lamp"]).reserved == 1
    call = {"p_id": new_id()}
    last = shorten(people.as_cashier(), done["id"], line(goods["lamp"]), line(goods["sofa"]), **call)
    assert (last["id"], last["status"]) == (done["id"], "released")
    assert shorten(people.as_cashier(), done["id"], line(goods["lamp"]), line(goods["sofa"]), **call) == last
    assert level(people.connection, world.blr.showroom, goods["lamp"]).reserved == 0
    assert level(people.connection, world.blr.showroom, goods["sofa"]).reserved == 0
    with raises("invalid_transition", 409):
        shorten(people.as_cashier(), done["id"], line(goods["lamp"]))


def test_what_cannot_be_shortened(people: People) -> None:
    """More than is held, other goods, rubbish; an order's promise by who has nothing to do with orders."""
    world, goods = people.world, people.world.teak.variants
    held = reserve(people.as_cashier(), world.blr.showroom, line(goods["lamp"], 2))
    made = confirmed(people, line(goods["sofa"], 2))
    before = traces(people.connection)
    for wrong in (line(goods["lamp"], 3), line(goods["sofa"], 1), line(world.lagoon.variants["pump"], 1)):
        with raises("shortening_exceeds_hold", 422):
            shorten(people.as_cashier(), held["id"], wrong)
    for rubbish in (
        {},
        {"variant_id": goods["lamp"]},
        line(goods["lamp"], 0),
        line(goods["lamp"], 1, unit="X"),
    ):
        with raises("invalid_input", 400):
            shorten(people.as_cashier(), held["id"], rubbish)
    with raises("permission_denied", 403) as refusal:
        shorten(people.as_stockkeeper(), made["reservation_id"], line(goods["sofa"]))
    assert refusal.facts["permission"] == "order.manage"
    for stranger in (people.as_cashier(world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            shorten(stranger, held["id"], line(goods["lamp"]))
    assert traces(people.connection) == before


@pytest.mark.parametrize("key", ["sofa", "lamp"])
def test_a_plain_shortage_names_no_promise(people: People, key: str) -> None:
    """There are not so many at all: whose the others are does not matter."""
    with raises("insufficient_stock", 409) as refusal:
        adjust(people, people.world.teak.variants[key], -99, "write_off")
    assert "reservations" not in refusal.facts["shortages"][0]


def test_what_has_expired_is_promised_to_nobody(people: People) -> None:
    """Ten litres, five of them past their day: five can be held, by a reservation and by an order."""
    world, paint = people.world, people.world.teak.variants["paint"]
    before = traces(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        reserve(people.as_cashier(), world.blr.showroom, line(paint, 6))
    assert [(s["requested"], s["available"], s["expired"]) for s in refusal.facts["shortages"]] == [(6, 5, 5)]
    with raises("insufficient_stock", 409) as refusal:
        confirm(people, order(people, line(paint, 6)))
    assert [(s["requested"], s["available"], s["expired"]) for s in refusal.facts["shortages"]] == [(6, 5, 5)]
    assert traces(people.connection)["stock_levels"] == before["stock_levels"]
    reserve(people.as_cashier(), world.blr.showroom, line(paint, 3))
    with raises("insufficient_stock", 409) as refusal:
        reserve(people.as_cashier(), world.blr.showroom, line(paint, 3))
    assert [(s["requested"], s["available"], s["expired"]) for s in refusal.facts["shortages"]] == [(3, 2, 5)]
    held = confirmed(people, line(paint, 4), back_order=True)
    assert far(held)[0][0] == 2


def test_what_is_promised_is_not_sold_from_under_a_promise(people: People) -> None:
    """Only the expired lot is left to sell: the good one is promised, until the promise is over."""
    world, paint = people.world, people.world.teak.variants["paint"]
    held = reserve(people.as_cashier(), world.blr.showroom, line(paint, 4))
    sell(people.as_cashier(), world.blr, line(paint, 1))
    for basket in (line(paint, 1), line(paint, 1, batch="BLR-NEW")):
        with raises("expired_stock", 422) as refusal:
            sell(people.as_cashier(), world.blr, basket)
        assert refusal.facts["reserved"] == 4
    sell(people.as_admin(), world.blr, line(paint, 1, batch="BLR-OLD"))
    expire(people, held)
    sell(people.as_cashier(), world.blr, line(paint, 4))
    assert people.as_admin().rpc("get_reservation", p_id=held["id"])["status"] == "expired"
