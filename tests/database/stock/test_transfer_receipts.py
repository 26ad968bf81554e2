"""Receipts: in parts, with damage and differences, never more than was sent; pieces and lots on the way."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.moving import (
    Document,
    Quantity,
    cancel,
    dispatch,
    draft,
    level,
    quarantine,
    receive,
    sent,
    traces,
    transit,
)
from tests.database.sales import adjust, line, sell
from tests.support.personas import new_id, raises
from tests.support.world import People

Item = dict[str, Any]


def _unit(people: People, serial: str) -> tuple[str, str]:
    """Where a piece is and in which state."""
    row = people.connection.execute(
        "select l.code, u.status from public.stock_units u join public.locations l on l.id = u.location_id "
        "where u.serial = %s",
        [serial],
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _lot(people: People, location: object, code: str) -> Quantity:
    row = people.connection.execute(
        "select l.on_hand from public.batch_levels l join public.batches b on b.id = l.batch_id "
        "where l.location_id = %s and b.code = %s",
        [location, code],
    ).fetchone()
    return Decimal(row[0]) if row else Decimal(0)


def test_all_arrives_well(people: People) -> None:
    """Without lines, everything that is open; the shelf there takes it at the cost it left with."""
    world, goods = people.world, people.world.teak.variants
    adjust(people, goods["sofa"], 10, cost=60)
    there = level(people.connection, world.mum.showroom, goods["sofa"])
    done = receive(people.as_cashier(world.mum), sent(people, line(goods["sofa"], 4), line(goods["lamp"], 1)))
    assert (done["status"], done["has_differences"]) == ("received", False)
    assert [(i["received"], i["open"]) for i in done["items"]] == [(4, 0), (1, 0)]
    after = level(people.connection, world.mum.showroom, goods["sofa"])
    assert (after.on_hand, after.incoming, after.in_transit) == (there.on_hand + 4, 0, 0)
    worth = there.on_hand * there.cost + 4 * done["items"][0]["unit_cost"]
    assert abs(after.cost - worth / after.on_hand) < Decimal("0.000001")
    (receipt,) = done["receipts"]
    assert receipt["created_by"] == str(people.as_cashier(world.mum).user_id)
    assert [(i["item_no"], i["received"]) for i in receipt["items"]] == [(1, 4), (2, 1)]
    assert people.as_admin().rpc("check_stock", p_org_id=world.teak.id) == []


def test_in_parts_with_damage_and_loss(people: People) -> None:
    """What is settled leaves the road and the expectation; what is lost stays on the document."""
    world, pot = people.world, people.world.teak.variants["pot"]
    held, receiver = quarantine(people, world.mum), people.as_cashier(world.mum)
    going = sent(people, line(pot, 10))
    first = receive(receiver, going, {"item_no": 1, "received": 3}, note="Van one")
    assert (first["status"], first["received_at"], first["items"][0]["open"]) == (
        "partially_received",
        None,
        7,
    )
    shelf = level(people.connection, world.mum.showroom, pot)
    assert (shelf.on_hand, shelf.incoming, shelf.in_transit) == (13, 7, 7)

    second = receive(
        receiver, going, {"item_no": 1, "received": 1, "damaged": 2}, quarantine_location_id=str(held)
    )
    assert (second["status"], second["has_differences"]) == ("partially_received", True)
    assert level(people.connection, held, pot).on_hand == 2
    assert level(people.connection, held, pot).cost == 40
    shelf = level(people.connection, world.mum.showroom, pot)
    assert (shelf.on_hand, shelf.incoming, shelf.in_transit) == (14, 4, 4)

    third = receive(receiver, going, {"item_no": 1, "received": 1, "damaged": 1, "missing": 2})
    assert (third["status"], third["has_differences"]) == ("received", True)
    (item,) = third["items"]
    assert [item[key] for key in ("quantity", "received", "damaged", "missing", "open")] == [10, 5, 3, 2, 0]
    assert third["received_at"] is not None
    assert [r["note"] for r in third["receipts"]] == ["Van one", None, None]
    assert third["receipts"][1]["quarantine_location_id"] == str(held)
    assert level(people.connection, transit(people), pot).on_hand == 0
    shelf = level(people.connection, world.mum.showroom, pot)
    assert (shelf.on_hand, shelf.incoming, shelf.in_transit) == (15, 0, 0)
    written_off = (
        "select sum(m.quantity) as quantity from public.stock_movements m "
        "join public.locations l on l.id = m.to_location_id "
        "where m.document_id = %s and l.kind = 'adjustment'"
    )
    assert people.as_admin().select(written_off, [going["id"]]) == [{"quantity": 3}]
    assert receiver.select(written_off, [going["id"]]) == [{"quantity": None}], "a loss of no branch"
    events = people.connection.execute(
        "select payload ->> 'open' from private.outbox where event = 'transfer.received' "
        "and payload ->> 'transfer_id' = %s order by id",
        [going["id"]],
    ).fetchall()
    assert [Decimal(row[0]) for row in events] == [7, 4, 0]


def test_never_more_than_was_sent(people: People) -> None:
    """In one receipt or in several, in one kind or in all together."""
    world, pot = people.world, people.world.teak.variants["pot"]
    receiver, going = people.as_cashier(world.mum), sent(people, line(pot, 4))
    receive(receiver, going, {"item_no": 1, "received": 2})
    before = traces(people.connection)
    for much in (
        {"received": 3},
        {"damaged": 3},
        {"missing": 3},
        {"received": 1, "damaged": 1, "missing": 1},
    ):
        with raises("receipt_exceeds_transfer", 422) as refusal:
            receive(receiver, going, {"item_no": 1, **much})
        assert [refusal.facts[key] for key in ("item_no", "dispatched", "open", "asked")] == [1, 4, 2, 3]
    assert traces(people.connection) == before


@pytest.mark.parametrize(
    "lines",
    [
        [],
        {},
        [1],
        [{"received": 1}],
        [{"item_no": "1", "received": 1}],
        [{"item_no": 0, "received": 1}],
        [{"item_no": Decimal("1.5"), "received": 1}],
        [{"item_no": 1}],
        [{"item_no": 1, "received": 0}],
        [{"item_no": 1, "received": -1}],
        [{"item_no": 1, "received": 2, "missing": -1}],
        [{"item_no": 1, "received": Decimal("0.5")}],
        [{"item_no": 1, "received": "1"}],
        [{"item_no": 1, "lost": 1}],
        [{"item_no": 1, "received": 1}, {"item_no": 1, "received": 1}],
        [{"item_no": 1, "received": 1, "serials": []}],
        [{"item_no": 1, "received": 1, "serials": {"received": ["A"]}}],
        [{"item_no": 1, "received": 1, "serials": {"lost": ["A"]}}],
        [{"item_no": 1, "received": 1, "serials": {"received": [1]}}],
    ],
)
def test_malformed_receipts(people: People, lines: object) -> None:
    """400, and nothing is written."""
    going = sent(people, line(people.world.teak.variants["pot"], 4))
    before = traces(people.connection)
    with raises("invalid_input", 400):
        people.as_cashier(people.world.mum).rpc(
            "receive_transfer", p_id=new_id(), p_transfer_id=going["id"], p_lines=lines
        )
    assert traces(people.connection) == before


def test_where_damage_goes_and_what_is_not_there(people: People) -> None:
    """Only into a quarantine of the branch that receives; only items that were sent."""
    world, pot = people.world, people.world.teak.variants["pot"]
    receiver, going = people.as_cashier(world.mum), sent(people, line(pot, 4))
    damaged: Item = {"item_no": 1, "damaged": 1}
    elsewhere = quarantine(people, world.blr)
    before = traces(people.connection)
    for place in (elsewhere, world.mum.warehouse, transit(people), new_id()):
        with raises("not_found", 404):
            receive(receiver, going, damaged, quarantine_location_id=str(place))
    with raises("not_found", 404):
        receive(receiver, going, {"item_no": 2, "received": 1})
    for options in ({"quarantine_location_id": "here"}, {"note": 1}, {"note": "x" * 2001}, {"place": "x"}):
        with raises("invalid_input", 400):
            receive(receiver, going, damaged, **options)
    assert traces(people.connection) == before


def test_a_set_travels_as_its_pieces(people: People) -> None:
    """The line keeps the set, even when it is made of something else by the time it arrives."""
    world, goods = people.world, people.world.teak.variants
    going = sent(people, line(goods["suite"], 2))
    people.as_admin().execute(
        "delete from public.set_components where set_variant_id = %s and component_variant_id = %s",
        [goods["suite"], goods["lamp"]],
    )
    done = receive(people.as_cashier(world.mum), going, {"item_no": 1, "received": 3, "missing": 1})
    assert [(each["sku"], each["quantity"]) for each in done["lines"]] == [("SUITE", 2)]
    done = receive(people.as_cashier(world.mum), going)
    assert [(i["sku"], i["received"], i["missing"]) for i in done["items"]] == [
        ("LAMP", 3, 1),
        ("SOFA", 2, 0),
    ]


def test_numbered_pieces_travel_by_their_numbers(people: People) -> None:
    """Named in the draft or at the dispatch; in transit they are on nobody's shelf and cannot be sold."""
    world, phone = people.world, people.world.teak.variants["phone"]
    keeper, receiver = people.as_stockkeeper(), people.as_cashier(world.mum)
    going = draft(keeper, world.blr.showroom, world.mum.showroom, line(phone, 2, serials=["BLR-1", "BLR-2"]))
    assert going["lines"][0]["serials"] == ["BLR-1", "BLR-2"]
    going = dispatch(keeper, going, {"line_no": 1, "serials": ["BLR-2", "BLR-3"]})
    assert going["items"][0]["serials"] == ["BLR-2", "BLR-3"]
    assert _unit(people, "BLR-2") == ("TRANSIT", "in_transit")
    with raises("serial_not_here", 409):
        sell(people.as_cashier(), world.blr, line(phone, serials=["BLR-2"]))
    done = receive(receiver, going, {"item_no": 1, "received": 1, "serials": {"received": ["BLR-3"]}})
    assert _unit(people, "BLR-3") == ("SHOWROOM", "in_stock")
    assert done["receipts"][0]["items"][0]["received_serials"] == ["BLR-3"]
    sell(receiver, world.mum, line(phone, serials=["BLR-3"]))
    done = receive(receiver, going)
    assert (done["status"], done["receipts"][1]["items"][0]["received_serials"]) == ("received", ["BLR-2"])
    assert _unit(people, "BLR-1") == ("SHOWROOM", "in_stock")


def test_a_numbered_piece_that_is_lost_or_broken(people: People) -> None:
    """Which one must be said, or be clear because it is all the rest."""
    world, phone = people.world, people.world.teak.variants["phone"]
    receiver, held = people.as_cashier(world.mum), quarantine(people, world.mum)
    going = sent(people, line(phone, 3, serials=["BLR-1", "BLR-2", "BLR-3"]))
    before = traces(people.connection)
    unclear: list[Item] = [
        {"received": 1},
        {"received": 2, "missing": 1},
        {"received": 1, "damaged": 1, "missing": 1, "serials": {"received": ["BLR-1"]}},
        {"received": 2, "serials": {"received": ["BLR-1"]}},
        {"received": 2, "serials": {"received": ["BLR-1", "BLR-1"]}},
        {"received": 1, "serials": {"received": ["BLR-1"], "missing": ["BLR-2"]}},
    ]
    for said in unclear:
        with raises("serials_required", 422):
            receive(receiver, going, {"item_no": 1, **said})
    wrong: list[Item] = [
        {"received": 1, "serials": {"received": ["MUM-1"]}},
        {"received": 1, "missing": 1, "serials": {"received": ["BLR-1"], "missing": ["BLR-1"]}},
    ]
    for said in wrong:
        with raises("serial_not_here", 409):
            receive(receiver, going, {"item_no": 1, **said})
    assert traces(people.connection) == before
    done = receive(
        receiver,
        going,
        {
            "item_no": 1,
            "received": 1,
            "damaged": 1,
            "missing": 1,
            "serials": {"missing": ["BLR-1"], "damaged": ["BLR-3"]},
        },
        quarantine_location_id=str(held),
    )
    assert done["status"] == "received"
    assert _unit(people, "BLR-1") == ("ADJUSTMENT", "removed")
    assert _unit(people, "BLR-2") == ("SHOWROOM", "in_stock")
    assert _unit(people, "BLR-3") == ("Q-MUM", "in_stock")


def test_pieces_must_be_named_and_be_here(people: People) -> None:
    """At the latest when they leave; a draft may be vague."""
    world, goods = people.world, people.world.teak.variants
    keeper, places = people.as_stockkeeper(), (world.blr.showroom, world.mum.showroom)
    vague = draft(keeper, *places, line(goods["phone"], 2))
    plain = draft(keeper, *places, line(goods["pot"], 1), line(goods["suite"], 1))
    before = traces(people.connection)
    with raises("serials_required", 422):
        dispatch(keeper, vague)
    with raises("serials_required", 422):
        dispatch(keeper, vague, {"line_no": 1, "serials": ["BLR-1"]})
    with raises("serial_not_here", 409):
        dispatch(keeper, vague, {"line_no": 1, "serials": ["BLR-1", "MUM-1"]})
    with raises("serial_not_here", 409):
        dispatch(keeper, plain, {"line_no": 2, "serials": ["BLR-1"]})
    with raises("not_found", 404):
        dispatch(keeper, vague, {"line_no": 2, "serials": ["BLR-1"]})
    malformed: list[Item] = [
        {"line_no": 1, "serials": ["BLR-1"]},
        {"line_no": 1, "batch": "BLR-NEW"},
        {"line_no": 1, "serials": "BLR-1"},
        {"line_no": 1, "batch": 5},
        {"line_no": 1, "quantity": 5},
        {"line_no": "1"},
        {"serials": ["BLR-1"]},
    ]
    for named in malformed:
        with raises("invalid_input", 400):
            dispatch(keeper, plain, named)
    with raises("invalid_input", 400):
        dispatch(keeper, vague, {"line_no": 1}, {"line_no": 1})
    with raises("invalid_input", 400):
        keeper.rpc("dispatch_transfer", p_id=new_id(), p_transfer_id=vague["id"], p_lines={})
    assert traces(people.connection) == before


def test_pieces_of_a_set(people: People) -> None:
    """The set's line names the numbers of its components."""
    world, goods = people.world, people.world.teak.variants
    people.as_admin().execute(
        "insert into public.set_components (org_id, set_variant_id, component_variant_id, quantity) "
        "values (%s, %s, %s, 1)",
        [world.teak.id, goods["suite"], goods["phone"]],
    )
    keeper = people.as_stockkeeper()
    going = draft(keeper, world.blr.showroom, world.mum.showroom, line(goods["suite"], 2))
    with raises("serials_required", 422):
        dispatch(keeper, going)
    done = dispatch(keeper, going, {"line_no": 1, "serials": ["BLR-3", "BLR-1"]})
    assert {i["sku"]: i["serials"] for i in done["items"]} == {
        "LAMP": None,
        "SOFA": None,
        "PHONE": ["BLR-1", "BLR-3"],
    }


def test_a_cancelled_dispatch_brings_the_same_pieces_and_lots_back(people: People) -> None:
    """Each where it was."""
    world, goods = people.world, people.world.teak.variants
    going = sent(people, line(goods["phone"], 1, serials=["BLR-1"]), line(goods["paint"], 6))
    assert (_lot(people, world.blr.showroom, "BLR-OLD"), _lot(people, transit(people), "BLR-OLD")) == (0, 5)
    cancel(people.as_stockkeeper(), going)
    assert _unit(people, "BLR-1") == ("SHOWROOM", "in_stock")
    assert _lot(people, world.blr.showroom, "BLR-OLD") == 5
    assert _lot(people, world.blr.showroom, "BLR-NEW") == 5
    assert _lot(people, transit(people), "BLR-OLD") == 0


def test_lots_are_split_as_they_left(people: People) -> None:
    """Named lots first, then what expires first; each lot is an item of its own, and arrives as that lot."""
    world, paint = people.world, people.world.teak.variants["paint"]
    keeper, receiver = people.as_stockkeeper(), people.as_cashier(world.mum)
    going = draft(
        keeper,
        world.blr.showroom,
        world.mum.showroom,
        line(paint, 2),
        line(paint, Decimal("3.5")),
        line(paint, 4, batch="BLR-NEW"),
    )
    assert going["lines"][2]["batch"] == "BLR-NEW"
    done = dispatch(keeper, going)
    assert [(i["line_no"], i["batch"], i["quantity"]) for i in done["items"]] == [
        (1, "BLR-OLD", 2),
        (2, "BLR-OLD", 3),
        (2, "BLR-NEW", Decimal("0.5")),
        (3, "BLR-NEW", 4),
    ]
    done = receive(receiver, going, {"item_no": 3, "missing": Decimal("0.25")}, {"item_no": 4, "received": 4})
    assert _lot(people, world.mum.showroom, "BLR-NEW") == 4
    assert _lot(people, transit(people), "BLR-NEW") == Decimal("0.25")
    receive(receiver, going)
    assert _lot(people, world.mum.showroom, "BLR-NEW") == Decimal("4.25")
    assert _lot(people, world.mum.showroom, "BLR-OLD") == 5
    assert _lot(people, transit(people), "BLR-OLD") == 0


def test_a_lot_named_at_the_dispatch(people: People) -> None:
    """It goes instead of what expires first; an unknown one is not found, a small one not enough."""
    world, paint = people.world, people.world.teak.variants["paint"]
    keeper = people.as_stockkeeper()
    going = draft(keeper, world.blr.showroom, world.mum.showroom, line(paint, 5), line(paint, 2))
    with raises("not_found", 404):
        dispatch(keeper, going, {"line_no": 1, "batch": "X"})
    with raises("insufficient_stock", 409):
        dispatch(keeper, going, {"line_no": 1, "batch": "MUM-NEW"})
    done = dispatch(keeper, going, {"line_no": 2, "batch": "BLR-OLD"})
    assert [(i["line_no"], i["batch"], i["quantity"]) for i in done["items"]] == [
        (1, "BLR-OLD", 3),
        (1, "BLR-NEW", 2),
        (2, "BLR-OLD", 2),
    ]


receipts = st.lists(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)),
        min_size=1,
        max_size=3,
        unique_by=lambda said: said[0],
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=receipts, in_quarantine=st.booleans())
def test_any_sequence_of_receipts(
    people: People, said: list[list[tuple[int, int, int, int]]], in_quarantine: bool
) -> None:
    """Nothing is settled twice, and the road holds exactly what is open, at what it cost."""
    world, goods = people.world, people.world.teak.variants
    with people.connection.transaction(force_rollback=True):
        options = {"quarantine_location_id": str(quarantine(people, world.mum))} if in_quarantine else {}
        going = sent(people, line(goods["pot"], 6), line(goods["suite"], 2), line(goods["paint"], 7))
        open_ = {item["item_no"]: item["quantity"] for item in going["items"]}
        for lines in said:
            wanted: list[Item] = [
                {"item_no": no, "received": well, "damaged": broken, "missing": lost}
                for no, well, broken, lost in lines
                if well + broken + lost
            ]
            settled = {
                each["item_no"]: each["received"] + each["damaged"] + each["missing"] for each in wanted
            }
            allowed = bool(wanted) and all(open_[no] >= quantity for no, quantity in settled.items())
            if not wanted:
                continue
            if not any(open_.values()):
                with raises("invalid_transition", 409):
                    receive(people.as_cashier(world.mum), going, *wanted, **options)
            elif not allowed:
                with raises("receipt_exceeds_transfer", 422):
                    receive(people.as_cashier(world.mum), going, *wanted, **options)
            else:
                going = receive(people.as_cashier(world.mum), going, *wanted, **options)
                for no, quantity in settled.items():
                    open_[no] -= quantity
            _agrees(people, going, open_)
        assert people.as_admin().rpc("check_stock", p_org_id=world.teak.id) == []


def _agrees(people: People, going: Document, open_: dict[int, Decimal]) -> None:
    """The document, the road and the destination's expectation against the model."""
    world = people.world
    expected: dict[str, Decimal] = {}
    for item in going["items"]:
        assert item["received"] + item["damaged"] + item["missing"] + item["open"] == item["quantity"]
        assert item["open"] == open_[item["item_no"]]
        expected[item["variant_id"]] = expected.get(item["variant_id"], Decimal(0)) + item["open"]
    for variant, quantity in expected.items():
        road = people.connection.execute(
            "select on_hand, on_hand * average_cost from public.stock_levels "
            "where location_id = %s and variant_id = %s",
            [transit(people), variant],
        ).fetchone()
        assert road == (quantity, quantity * 40)
        there = people.connection.execute(
            "select incoming, in_transit from public.stock_levels where location_id = %s and variant_id = %s",
            [world.mum.showroom, variant],
        ).fetchone()
        assert there == (quantity, quantity)
    done = not any(open_.values())
    assert going["status"] == (
        "received" if done else "partially_received" if going["receipts"] else "dispatched"
    )
