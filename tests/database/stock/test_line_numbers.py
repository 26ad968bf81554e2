"""Lines that name a line of another document: whole numbers, each once, whichever document it is."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.database.billing.money import credit
from tests.database.billing.test_goods_returns import take_back
from tests.database.billing.trading import confirmed, deliver
from tests.database.moving import dispatch, draft, receive, sent, traces, transit
from tests.database.sales import line, on_hand, sell
from tests.support.personas import new_id, raises
from tests.support.world import People

Act = Callable[..., Any]


def _dispatch(people: People) -> Act:
    world, keeper = people.world, people.as_stockkeeper()
    sofa = line(world.teak.variants["sofa"], 3)
    drafted = draft(keeper, world.blr.showroom, world.mum.showroom, sofa, sofa)
    return lambda *numbers: dispatch(keeper, drafted, *({"line_no": n} for n in numbers))


def _receive(people: People) -> Act:
    sofa = line(people.world.teak.variants["sofa"], 3)
    on_road, cashier = sent(people, sofa, sofa), people.as_cashier(people.world.mum)
    return lambda *numbers: receive(cashier, on_road, *({"item_no": n, "received": 1} for n in numbers))


def _return(people: People) -> Act:
    world, cashier, sofa = people.world, people.as_cashier(), line(people.world.teak.variants["sofa"], 2)
    sold = sell(cashier, world.blr, sofa, sofa)
    return lambda *numbers: take_back(
        cashier, sold, world.blr.showroom, *({"line_no": n, "quantity": 1} for n in numbers)
    )


def _credit(people: People) -> Act:
    world, sofa = people.world, line(people.world.teak.variants["sofa"], 2)
    sold = sell(people.as_cashier(), world.blr, sofa, sofa, customer=world.teak.customers["trusted"])
    return lambda *numbers: credit(
        people.as_admin(), sold["id"], [{"line_no": n, "quantity": 1} for n in numbers]
    )


def _deliver(people: People) -> Act:
    sofa, keeper = line(people.world.teak.variants["sofa"], 2), people.as_stockkeeper()
    made = confirmed(people, sofa, sofa)
    return lambda *numbers: deliver(keeper, people, made, *({"line_no": n, "quantity": 1} for n in numbers))


@pytest.mark.parametrize("begin", [_dispatch, _receive, _return, _credit, _deliver])
@pytest.mark.parametrize(
    "numbers",
    [(1, Decimal("1.5")), (Decimal("1.5"),), (1, 1), (1, Decimal("1.0")), (0,), (-1,), ("1",), (None,)],
)
def test_a_number_is_whole_and_named_once(
    people: People, begin: Callable[[People], Act], numbers: tuple[object, ...]
) -> None:
    """Else nothing is written; 1 and 1.0 are the same number."""
    act = begin(people)
    before = traces(people.connection)
    with raises("invalid_input", 400) as refusal:
        act(*numbers)
    assert refusal.facts["field"] == "p_lines"
    assert traces(people.connection) == before


@pytest.mark.parametrize("begin", [_dispatch, _receive, _return, _credit, _deliver])
def test_the_number_may_be_written_with_a_point(people: People, begin: Callable[[People], Act]) -> None:
    """2.0 is 2; and what the document has no line for is not found."""
    act = begin(people)
    with raises("not_found", 404):
        act(7)
    act(Decimal("2.0"))


def test_a_dispatch_sends_what_was_drafted(people: People) -> None:
    """Three sofas, however often a line is named: none of them twice."""
    world, keeper = people.world, people.as_stockkeeper()
    sofa = world.teak.variants["sofa"]
    here, road = (on_hand(people.connection, p, sofa) for p in (world.blr.showroom, transit(people)))
    drafted = draft(keeper, world.blr.showroom, world.mum.showroom, line(sofa, 3))
    with raises("invalid_input", 400):
        dispatch(keeper, drafted, {"line_no": 1}, {"line_no": Decimal("1.5")})
    dispatch(keeper, drafted, {"line_no": 1})
    assert on_hand(people.connection, world.blr.showroom, sofa) == here - 3
    assert on_hand(people.connection, transit(people), sofa) == road + 3


def test_a_quantity_has_three_places(people: People) -> None:
    """In whatever unit: a fourth would be rounded on the document and not in the stock."""
    world, rug = people.world, people.world.teak.variants["rug"]
    before = traces(people.connection)
    with raises("invalid_input", 400):
        people.as_stockkeeper().rpc(
            "create_transfer",
            p_id=new_id(),
            p_from_location_id=world.blr.showroom,
            p_to_location_id=world.mum.showroom,
            p_lines=[line(rug, Decimal("0.1234"), unit="ROL")],
        )
    with raises("invalid_input", 400):
        people.as_sales().rpc(
            "reserve_stock",
            p_id=new_id(),
            p_location_id=world.blr.showroom,
            p_lines=[line(rug, Decimal("0.1234"), unit="ROL")],
        )
    assert traces(people.connection) == before
