"""What transfers refuse: out of order, out of scope, out of stock, malformed; and that no trace is left."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.database.moving import (
    Document,
    archive,
    attic,
    cancel,
    dispatch,
    draft,
    new_branch,
    receive,
    sent,
    traces,
    transit,
)
from tests.database.sales import line
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People


def test_at_once_only_within_a_branch(people: People) -> None:
    """Between branches somebody at the other end receives."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    before = traces(people.connection)
    with raises("invalid_input", 400):
        draft(people.as_admin(), world.blr.showroom, world.mum.showroom, line(sofa), immediate=True)
    with raises("insufficient_stock", 409):
        draft(people.as_admin(), world.blr.showroom, world.blr.warehouse, line(sofa, 11), immediate=True)
    assert traces(people.connection) == before


def test_steps_come_in_their_order(people: People) -> None:
    """What the lifecycle does not know is a conflict that leaves nothing behind."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    keeper, receiver = people.as_stockkeeper(), people.as_cashier(world.mum)
    drafted = draft(keeper, world.blr.showroom, world.mum.showroom, line(sofa, 2))
    on_road, begun, done, off = (sent(people, line(sofa, 2)) for _ in range(4))
    receive(receiver, begun, {"item_no": 1, "received": 1})
    receive(receiver, done)
    cancel(keeper, off)
    before = traces(people.connection)
    refused: list[tuple[str, Document, str, str]] = [
        ("receive", drafted, "draft", "received"),
        ("dispatch", on_road, "dispatched", "dispatched"),
        ("dispatch", begun, "partially_received", "dispatched"),
        ("cancel", begun, "partially_received", "cancelled"),
        ("dispatch", done, "received", "dispatched"),
        ("receive", done, "received", "received"),
        ("cancel", done, "received", "cancelled"),
        ("dispatch", off, "cancelled", "dispatched"),
        ("receive", off, "cancelled", "received"),
        ("cancel", off, "cancelled", "cancelled"),
    ]
    acts: dict[str, Any] = {
        "receive": lambda document: receive(receiver, document),
        "dispatch": lambda document: dispatch(keeper, document),
        "cancel": lambda document: cancel(keeper, document),
    }
    for act, document, source, target in refused:
        with raises("invalid_transition", 409) as refusal:
            acts[act](document)
        assert (refusal.facts["from"], refusal.facts["to"]) == (source, target)
    assert traces(people.connection) == before


def test_each_act_at_its_own_end(people: People) -> None:
    """Who manages transfers at one end may not receive at the other, and the other way round."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    drafted = draft(people.as_stockkeeper(), world.blr.showroom, world.mum.showroom, line(sofa))
    on_road = sent(people, line(sofa))
    before = traces(people.connection)
    for person in (people.as_cashier(), people.as_sales(), people.as_technician()):
        with raises("permission_denied", 403):
            draft(person, world.blr.showroom, world.mum.showroom, line(sofa))
        with raises("permission_denied", 403):
            dispatch(person, drafted)
        with raises("permission_denied", 403):
            cancel(person, on_road)
    for person in (people.as_cashier(world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            draft(person, world.blr.showroom, world.mum.showroom, line(sofa))
        with raises("not_found", 404):
            dispatch(person, drafted)
        with raises("not_found", 404):
            cancel(person, on_road)
    for person in (
        people.as_stockkeeper(),
        people.as_cashier(),
        people.as_foreign_admin(),
        people.as_nobody(),
    ):
        with raises("not_found", 404):
            receive(person, on_road)
    for act in (dispatch, receive, cancel):
        with raises_sqlstate("42501"):
            act(people.as_anon(), on_road)
        with raises("not_found", 404):
            act(people.as_admin(), {"id": uuid4()})
    assert traces(people.connection) == before


def test_where_goods_cannot_go(people: People) -> None:
    """Shared ends, foreign, archived or unknown places, and the place where they are."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    keeper = people.as_stockkeeper()
    before = traces(people.connection)
    for target in (transit(people), world.lagoon.branches[0].showroom, uuid4()):
        with raises("not_found", 404):
            draft(keeper, world.blr.showroom, target, line(sofa))
        with raises("not_found", 404):
            draft(keeper, target, world.blr.showroom, line(sofa))
    with raises("invalid_input", 400):
        draft(keeper, world.blr.showroom, world.blr.showroom, line(sofa))
    assert traces(people.connection) == before
    place, (branch, shop) = attic(people), new_branch(people, "NEW")
    going = draft(keeper, world.blr.showroom, shop, line(sofa))
    archive(people.as_admin(), "locations", place)
    for source, target in ((world.blr.showroom, place), (place, world.blr.showroom)):
        with raises("not_found", 404):
            draft(keeper, source, target, line(sofa))
    archive(people.as_admin(), "branches", branch)
    with raises("not_found", 404):
        draft(keeper, world.blr.showroom, shop, line(sofa))
    with raises("not_found", 404) as refusal:
        dispatch(keeper, going)
    assert refusal.facts["location_id"] == str(shop)
    with raises("branch_archived", 422):
        draft(people.as_admin(), shop, world.blr.showroom, line(sofa))


@pytest.mark.parametrize(
    "lines",
    [
        None,
        [],
        {},
        [1],
        [{"quantity": 1}],
        [{"variant_id": "sofa", "quantity": 1}],
        [{"variant_id": str(uuid4()), "quantity": 0}],
        [{"variant_id": str(uuid4()), "quantity": -1}],
        [{"variant_id": str(uuid4()), "quantity": 1, "price": 3}],
        [{"variant_id": str(uuid4()), "quantity": 1, "expires_on": "2030-01-01"}],
    ],
)
def test_malformed_lines(people: People, lines: object) -> None:
    """400, and nothing is written."""
    before = traces(people.connection)
    with raises("invalid_input", 400):
        people.as_stockkeeper().rpc(
            "create_transfer",
            p_id=new_id(),
            p_from_location_id=people.world.blr.showroom,
            p_to_location_id=people.world.mum.showroom,
            p_lines=lines,
        )
    assert traces(people.connection) == before


@pytest.mark.parametrize(
    "options",
    [{"note": 5}, {"note": "x" * 2001}, {"expected_on": "soon"}, {"immediate": "yes"}, {"rush": True}],
)
def test_malformed_options(people: People, options: dict[str, object]) -> None:
    """So do options."""
    world = people.world
    with raises("invalid_input", 400):
        draft(
            people.as_stockkeeper(),
            world.blr.showroom,
            world.mum.showroom,
            line(world.teak.variants["sofa"]),
            **options,
        )


def test_what_cannot_travel(people: People) -> None:
    """Services, foreign goods, fractions of a piece, sets of nothing."""
    world, goods = people.world, people.world.teak.variants
    keeper, places = people.as_stockkeeper(), (world.blr.showroom, world.mum.showroom)
    with raises("not_stocked", 422):
        draft(keeper, *places, line(goods["assembly"]))
    with raises("not_found", 404):
        draft(keeper, *places, line(world.lagoon.variants["pump"]))
    with raises("invalid_input", 400):
        draft(keeper, *places, line(goods["sofa"], Decimal("0.5")))
    with raises("invalid_input", 400):
        draft(keeper, *places, line(goods["suite"], 1, batch="BLR-NEW"))
    people.as_admin().execute("delete from public.set_components where set_variant_id = %s", [goods["suite"]])
    with raises("set_incomplete", 422):
        draft(keeper, *places, line(goods["suite"]))


def test_all_shortages_are_listed(people: People) -> None:
    """The sum per variant over lines and sets; nothing has left."""
    world, goods = people.world, people.world.teak.variants
    going = draft(
        people.as_stockkeeper(),
        world.blr.showroom,
        world.mum.showroom,
        line(goods["suite"], 5),
        line(goods["lamp"], 1),
        line(goods["pot"], 11),
        line(goods["book"], 1),
    )
    before = traces(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        dispatch(people.as_stockkeeper(), going)
    assert [(s["sku"], s["requested"], s["available"]) for s in refusal.facts["shortages"]] == [
        ("LAMP", 11, 10),
        ("POT", 11, 10),
    ]
    assert traces(people.connection) == before


def test_closed_books_stop_every_posting_act(people: People) -> None:
    """Dispatch, receipt and cancellation post stock; drafting and dropping a draft do not."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    keeper = people.as_stockkeeper()
    drafted = draft(keeper, world.blr.showroom, world.mum.showroom, line(sofa))
    on_road = sent(people, line(sofa))
    people.connection.execute(
        "update public.organizations set books_closed_through = current_date + 1 where id = %s",
        [world.teak.id],
    )
    before = traces(people.connection)
    with raises("period_closed", 409):
        dispatch(keeper, drafted)
    with raises("period_closed", 409):
        receive(people.as_cashier(world.mum), on_road)
    with raises("period_closed", 409):
        cancel(keeper, on_road)
    with raises("period_closed", 409):
        draft(keeper, world.blr.showroom, world.blr.warehouse, line(sofa), immediate=True)
    assert traces(people.connection) == before
    assert cancel(keeper, drafted)["status"] == "cancelled"


@pytest.mark.parametrize("reason", [None, "", "  ", "x" * 501])
def test_a_cancellation_says_why(people: People, reason: str | None) -> None:
    """In 1 to 500 characters."""
    with raises("invalid_input", 400):
        people.as_admin().rpc(
            "cancel_transfer",
            p_id=new_id(),
            p_transfer_id=people.world.teak.documents["draft@BLR"],
            p_reason=reason,
        )


@pytest.mark.parametrize(
    "statement",
    [
        "update public.stock_transfers set number = 'X' where id = %s",
        "update public.stock_transfers set to_location_id = from_location_id where id = %s",
        "delete from public.stock_transfers where id = %s",
    ],
)
def test_a_dispatched_transfer_stays_as_it_is(people: People, statement: str) -> None:
    """Even for the owner of the tables."""
    with raises("document_final", 409):
        Persona(people.connection, "postgres").execute(statement, [people.world.teak.documents["road@BLR"]])


@pytest.mark.parametrize(
    "statement",
    [
        "update public.stock_transfer_lines set quantity = 9",
        "delete from public.stock_transfer_lines",
        "update public.stock_transfer_items set quantity = 9 where transfer_id = '{road}'",
        "update public.stock_transfer_items set missing = 0 where transfer_id = '{road}'",
        "delete from public.stock_transfer_items where transfer_id = '{road}'",
        "update public.stock_transfer_receipts set note = 'x'",
        "delete from public.stock_transfer_receipts",
        "update public.stock_transfer_receipt_items set missing = 0",
        "delete from public.stock_transfer_receipt_items",
        "truncate public.stock_transfers cascade",
        "truncate public.stock_transfer_items cascade",
    ],
)
def test_what_left_is_only_added_to(people: People, statement: str) -> None:
    """Lines and receipts never change, items only grow by receipts."""
    road = people.world.teak.documents["road@BLR"]
    with raises("append_only", 403):
        Persona(people.connection, "postgres").execute(statement.format(road=road))
