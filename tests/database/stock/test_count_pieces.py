"""Counting numbered pieces while they move: what moved since it was looked for, a count leaves alone."""

from uuid import UUID

import pytest

from tests.database.moving import dispatch, draft, receive
from tests.database.sales import adjust, line, on_hand, sell
from tests.database.stock.counting import enter, figures, movements, post, start, void
from tests.support.personas import new_id, raises
from tests.support.world import People


@pytest.fixture
def phone(people: People) -> UUID:
    """BLR-1 to BLR-3 in the Bengaluru showroom, MUM-1 to MUM-3 in Mumbai's."""
    return people.world.teak.variants["phone"]


def test_a_piece_that_was_booked_in_and_sold_is_not_found_once_more(people: People, phone: UUID) -> None:
    """It stood here when it was counted, though the book had it on the road; then the book caught up."""
    world, mumbai = people.world, people.as_admin()
    sent = dispatch(
        mumbai, draft(mumbai, world.mum.showroom, world.blr.showroom, line(phone, 1, serials=["MUM-1"]))
    )
    count = start(people, phone)
    enter(people.as_cashier(), count, phone, 4, serials=["BLR-1", "BLR-2", "BLR-3", "MUM-1"])
    assert figures(people, count)["PHONE"]["found"] == ["MUM-1"]
    receive(people.as_stockkeeper(), sent)
    sell(people.as_cashier(), world.blr, line(phone, 1, serials=["MUM-1"]))
    posted = post(people, count)
    assert movements(people.connection, count) == []
    assert posted["lines"][0]["figures"]["posted"] == 0
    assert on_hand(people.connection, world.blr.showroom, phone) == 3
    with raises("serial_not_here", 409):
        sell(people.as_cashier(), world.blr, line(phone, 1, serials=["MUM-1"]), payments=[])


def test_a_piece_that_was_sold_long_ago_and_stands_here_is_found(people: People, phone: UUID) -> None:
    """Nothing has moved it since it was seen; once seen again after a move, it counts again."""
    sell(people.as_cashier(), people.world.blr, line(phone, 1, serials=["BLR-1"]))
    count = start(people, phone)
    enter(people.as_cashier(), count, phone, 3, serials=["BLR-1", "BLR-2", "BLR-3"])
    adjust(people, phone, 1, "found", p_options={"serials": ["BLR-1"]})
    sell(people.as_cashier(), people.world.blr, line(phone, 1, serials=["BLR-1"]))
    enter(people.as_cashier(), count, phone, 1, serials=["BLR-1"])
    post(people, count)
    assert [(row[3], row[5]) for row in movements(people.connection, count)] == [(1, ["BLR-1"])]
    assert on_hand(people.connection, people.world.blr.showroom, phone) == 3


def test_a_missing_piece_that_was_sold_and_came_back_is_not_missing(people: People, phone: UUID) -> None:
    """Nobody saw it, then it was in two people's hands; nobody at all saw the other."""
    count, cashier = start(people, phone), people.as_cashier()
    enter(cashier, count, phone, 1, serials=["BLR-1"])
    sold = sell(cashier, people.world.blr, line(phone, 1, serials=["BLR-2"]))
    cashier.rpc(
        "return_goods",
        p_id=new_id(),
        p_invoice_id=sold["id"],
        p_location_id=people.world.blr.showroom,
        p_lines=[{"line_no": 1, "quantity": 1, "serials": ["BLR-2"]}],
        p_reason="Not wanted",
    )
    post(people, count)
    assert [row[5] for row in movements(people.connection, count)] == [["BLR-3"]]


def test_what_nobody_counted_may_move_before_it_is_posted(people: People, phone: UUID) -> None:
    """Taken for gone when the count was submitted; one was sold and taken back since."""
    count, cashier = start(people, phone), people.as_cashier()
    people.as_stockkeeper().rpc(
        "submit_count", p_id=new_id(), p_count_id=count, p_options={"uncounted": "zero"}
    )
    sold = sell(cashier, people.world.blr, line(phone, 1, serials=["BLR-2"]))
    cashier.rpc(
        "return_goods",
        p_id=new_id(),
        p_invoice_id=sold["id"],
        p_location_id=people.world.blr.showroom,
        p_lines=[{"line_no": 1, "quantity": 1, "serials": ["BLR-2"]}],
        p_reason="Not wanted",
    )
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    assert [row[5] for row in movements(people.connection, count)] == [["BLR-1", "BLR-3"]]


def test_an_entry_that_is_taken_back_hides_no_missing_piece(people: People, phone: UUID) -> None:
    """It was made before LATE-1 came; the entry that stands was made after, and did not see it."""
    count, cashier = start(people, phone), people.as_cashier()
    early = enter(cashier, count, phone, 3, serials=["BLR-1", "BLR-2", "BLR-3"])
    adjust(people, phone, 1, "found", p_options={"serials": ["LATE-1"]})
    enter(cashier, count, phone, 3, serials=["BLR-1", "BLR-2", "BLR-3"])
    assert figures(people, count)["PHONE"]["missing"] == []
    void(cashier, early)
    assert figures(people, count)["PHONE"]["missing"] == ["LATE-1"]
    assert figures(people, count)["PHONE"]["variance"] == -1
    post(people, count)
    assert on_hand(people.connection, people.world.blr.showroom, phone) == 3
