"""Transfers: what a draft, a dispatch and a cancellation do to both ends, and who sees it."""

from decimal import Decimal
from typing import Any

from tests.database.moving import (
    Document,
    Level,
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
from tests.database.sales import adjust, line
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _events(people: People, document: Document) -> list[str]:
    rows = people.connection.execute(
        "select event from private.outbox where payload ->> 'transfer_id' = %s order by id", [document["id"]]
    ).fetchall()
    return [row[0] for row in rows]


def test_a_draft_moves_nothing(people: People) -> None:
    """It has lines and items, no number, and both branches see it."""
    world, goods = people.world, people.world.teak.variants
    before = level(people.connection, world.blr.showroom, goods["sofa"])
    done = draft(
        people.as_stockkeeper(),
        world.blr.showroom,
        world.mum.showroom,
        line(goods["suite"], 2),
        line(goods["rug"], 1, unit="ROL"),
        note="With the blue van",
        expected_on="2030-05-01",
    )
    assert (done["status"], done["number"], done["business_date"]) == ("draft", None, None)
    assert (done["note"], done["expected_on"]) == ("With the blue van", "2030-05-01")
    assert [(each["sku"], each["quantity"]) for each in done["lines"]] == [
        ("SUITE", 2),
        ("RUG", Decimal("12.5")),
    ]
    assert [(i["item_no"], i["line_no"], i["sku"], i["quantity"], i["unit_cost"]) for i in done["items"]] == [
        (1, 1, "LAMP", 4, None),
        (2, 1, "SOFA", 2, None),
        (3, 2, "RUG", Decimal("12.5"), None),
    ]
    assert level(people.connection, world.blr.showroom, goods["sofa"]) == before
    assert people.as_cashier(world.mum).rpc("get_transfer", p_id=done["id"]) == done
    assert _events(people, done) == []


def test_a_dispatch_puts_goods_on_the_road(people: People) -> None:
    """They are off the shelf, in transit on one ledger, and expected at the other end, at their cost."""
    world, goods = people.world, people.world.teak.variants
    adjust(people, goods["sofa"], 10, cost=60)
    there = level(people.connection, world.mum.showroom, goods["sofa"])
    lamps = level(people.connection, world.blr.showroom, goods["lamp"])
    done = sent(people, line(goods["suite"], 2), line(goods["sofa"], 1))
    assert level(people.connection, world.blr.showroom, goods["sofa"]).on_hand == 20 - 1 - 3
    assert level(people.connection, world.blr.showroom, goods["lamp"]).on_hand == lamps.on_hand - 4
    assert level(people.connection, transit(people), goods["sofa"]).on_hand == 3
    after = level(people.connection, world.mum.showroom, goods["sofa"])
    assert (after.on_hand, after.cost) == (there.on_hand, there.cost)
    assert (after.incoming, after.in_transit) == (3, 3)
    cost = level(people.connection, world.blr.showroom, goods["sofa"]).cost
    assert [(i["sku"], i["quantity"], i["unit_cost"], i["open"]) for i in done["items"]] == [
        ("LAMP", 4, 40, 4),
        ("SOFA", 2, cost, 2),
        ("SOFA", 1, cost, 1),
    ]
    assert (done["status"], done["has_differences"], done["receipts"]) == ("dispatched", False, [])
    assert done["dispatched_by"] == str(people.as_stockkeeper().user_id)
    assert done["number"].startswith("BLR/")
    assert _events(people, done) == ["transfer.dispatched"]
    assert people.as_admin().rpc("check_stock", p_org_id=world.teak.id) == []


def test_numbers_are_the_source_branchs_and_gapless(people: People) -> None:
    """A draft has none, a refused dispatch uses none up."""
    sofa = people.world.teak.variants["sofa"]
    first = sent(people, line(sofa))
    draft(people.as_stockkeeper(), people.world.blr.showroom, people.world.mum.showroom, line(sofa))
    with raises("insufficient_stock", 409):
        sent(people, line(sofa, 100))
    second = sent(people, line(sofa))
    assert int(second["number"][-6:]) == int(first["number"][-6:]) + 1


def test_a_draft_cancelled_has_nothing_to_undo(people: People) -> None:
    """No number, no movement."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    before = level(people.connection, world.blr.showroom, sofa)
    going = draft(people.as_stockkeeper(), world.blr.showroom, world.mum.showroom, line(sofa, 100))
    done = cancel(people.as_stockkeeper(), going, "Wrong branch")
    assert (done["status"], done["number"], done["cancel_reason"]) == ("cancelled", None, "Wrong branch")
    assert done["cancelled_by"] == str(people.as_stockkeeper().user_id)
    assert level(people.connection, world.blr.showroom, sofa) == before
    assert _events(people, done) == ["transfer.cancelled"]


def test_a_dispatch_cancelled_brings_the_goods_back_at_their_cost(people: People) -> None:
    """Both shelves and the road are as before, though the shelf's cost has moved meanwhile."""
    world, goods = people.world, people.world.teak.variants
    there = level(people.connection, world.mum.showroom, goods["sofa"])
    done = sent(people, line(goods["suite"], 2), line(goods["sofa"], 1))
    adjust(people, goods["sofa"], 3, cost=100)
    done = cancel(people.as_stockkeeper(), done)
    assert (done["status"], [i["open"] for i in done["items"]]) == ("cancelled", [4, 2, 1])
    assert level(people.connection, world.mum.showroom, goods["sofa"]) == there
    assert level(people.connection, transit(people), goods["sofa"]).on_hand == 0
    back = level(people.connection, world.blr.showroom, goods["sofa"])
    assert (back.on_hand, back.incoming) == (12, 0)
    assert abs(back.cost - Decimal(9 * 40 + 3 * 100) / 12) < Decimal("0.00001")
    assert people.as_admin().rpc("check_stock", p_org_id=world.teak.id) == []


def test_what_stays_on_the_road_keeps_its_worth(people: People) -> None:
    """Two transfers of different cost: receiving one leaves the other's cost on the road, not an average."""
    world, pot = people.world, people.world.teak.variants["pot"]
    cheap = sent(people, line(pot, 5))
    adjust(people, pot, -5)
    adjust(people, pot, 5, cost=100)
    dear = sent(people, line(pot, 5))
    road = level(people.connection, transit(people), pot)
    assert (road.on_hand, road.cost) == (10, 70)
    receive(people.as_cashier(world.mum), cheap)
    road = level(people.connection, transit(people), pot)
    assert (road.on_hand, road.cost) == (5, 100)
    arrived = level(people.connection, world.mum.showroom, pot)
    assert (arrived.on_hand, arrived.cost) == (15, 40)
    receive(people.as_cashier(world.mum), dear)
    assert level(people.connection, world.mum.showroom, pot).cost == 55


def test_what_comes_back_brings_its_own_worth(people: People) -> None:
    """Of two transfers on the road, the cancelled one returns at its cost, not at the road's average."""
    world, pot = people.world, people.world.teak.variants["pot"]
    cheap = sent(people, line(pot, 5))
    adjust(people, pot, -5)
    adjust(people, pot, 5, cost=100)
    sent(people, line(pot, 5))
    cancel(people.as_stockkeeper(), cheap)
    assert level(people.connection, world.blr.showroom, pot).cost == 40
    assert level(people.connection, transit(people), pot).cost == 100


def test_within_a_branch_at_once(people: People) -> None:
    """From the showroom to the warehouse in one call, by way of transit, with number and receipt."""
    world, goods = people.world, people.world.teak.variants
    arguments: dict[str, Any] = {
        "p_id": new_id(),
        "p_from_location_id": world.blr.showroom,
        "p_to_location_id": world.blr.warehouse,
        "p_lines": [
            line(goods["suite"], 1),
            line(goods["phone"], 1, serials=["BLR-2"]),
            line(goods["paint"], 7),
        ],
        "p_options": {"immediate": True},
    }
    done = people.as_stockkeeper().rpc("create_transfer", **arguments)
    assert (done["status"], len(done["receipts"])) == ("received", 1)
    assert [(i["sku"], i["batch"], i["received"], i["open"]) for i in done["items"]] == [
        ("LAMP", None, 2, 0),
        ("SOFA", None, 1, 0),
        ("PHONE", None, 1, 0),
        ("PAINT", "BLR-OLD", 5, 0),
        ("PAINT", "BLR-NEW", 2, 0),
    ]
    sofa = level(people.connection, world.blr.warehouse, goods["sofa"])
    assert sofa == Level(*map(Decimal, (1, 0, 0, 0, 40)))
    assert level(people.connection, transit(people), goods["sofa"]).on_hand == 0
    assert _events(people, done) == ["transfer.dispatched", "transfer.received"]
    before = traces(people.connection)
    assert people.as_stockkeeper().rpc("create_transfer", **arguments) == done
    assert traces(people.connection) == before


def test_quarantine_is_a_place_like_others(people: People) -> None:
    """Goods go into it and come out of it."""
    world, pot = people.world, people.world.teak.variants["pot"]
    held = quarantine(people, world.blr)
    draft(people.as_stockkeeper(), world.blr.showroom, held, line(pot, 4), immediate=True)
    assert level(people.connection, held, pot).on_hand == 4
    draft(people.as_stockkeeper(), held, world.blr.showroom, line(pot, 3), immediate=True)
    assert level(people.connection, held, pot).on_hand == 1


def test_every_act_is_done_once(people: People) -> None:
    """The same call again gives the same answer; other content under its id is a conflict."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    keeper, receiver = people.as_stockkeeper(), people.as_cashier(world.mum)
    create: dict[str, Any] = {
        "p_id": new_id(),
        "p_from_location_id": world.blr.showroom,
        "p_to_location_id": world.mum.showroom,
        "p_lines": [line(sofa, 2)],
    }
    other = draft(keeper, world.blr.showroom, world.mum.showroom, line(sofa, 2))
    keeper.rpc("create_transfer", **create)
    steps: list[tuple[Persona, str, dict[str, Any], list[dict[str, Any]]]] = [
        (keeper, "create_transfer", create, [{"p_lines": [line(sofa, 3)]}, {"p_options": {"note": "x"}}]),
        (
            keeper,
            "dispatch_transfer",
            {"p_id": new_id(), "p_transfer_id": create["p_id"]},
            [{"p_transfer_id": other["id"]}, {"p_lines": [{"line_no": 1}]}],
        ),
        (
            receiver,
            "receive_transfer",
            {"p_id": new_id(), "p_transfer_id": create["p_id"], "p_lines": [{"item_no": 1, "received": 1}]},
            [{"p_lines": None}, {"p_options": {"note": "x"}}],
        ),
        (
            keeper,
            "cancel_transfer",
            {"p_id": new_id(), "p_transfer_id": other["id"], "p_reason": "Late"},
            [{"p_reason": "Later"}],
        ),
    ]
    for person, act, arguments, others in steps:
        first = person.rpc(act, **arguments)
        before = traces(people.connection)
        assert person.rpc(act, **arguments) == first
        for changed in others:
            with raises("id_reused", 409):
                person.rpc(act, **(arguments | changed))
        with raises("invalid_input", 400):
            person.rpc(act, **(arguments | {"p_id": None}))
        assert traces(people.connection) == before


def test_both_ends_see_it_and_nobody_else(people: People) -> None:
    """Document, lines, items and receipts, through the tables and the function."""
    world, sofa = people.world, people.world.teak.variants["sofa"]
    other = sent(people, line(sofa))
    receive(people.as_cashier(world.mum), other, {"item_no": 1, "damaged": 1})
    inside = draft(people.as_stockkeeper(), world.blr.showroom, world.blr.warehouse, line(sofa))
    tables = {
        "stock_transfers": "id",
        "stock_transfer_lines": "transfer_id",
        "stock_transfer_items": "transfer_id",
        "stock_transfer_receipts": "transfer_id",
        "stock_transfer_receipt_items": "transfer_id",
    }
    for person, count in (
        (people.as_technician(), 1),
        (people.as_cashier(world.mum), 1),
        (people.as_foreign_admin(), 0),
        (people.as_nobody(), 0),
    ):
        for table, key in tables.items():
            rows = person.select(f"select 1 from public.{table} where {key} = %s", [other["id"]])  # noqa: S608
            assert len(rows) == count, table
        if count == 0:
            with raises("not_found", 404):
                person.rpc("get_transfer", p_id=other["id"])
    with raises("not_found", 404):
        people.as_cashier(world.mum).rpc("get_transfer", p_id=inside["id"])
    people.connection.execute("delete from public.role_permissions where permission = 'stock.read'")
    for person in (people.as_technician(), people.as_cashier(world.mum)):
        with raises("permission_denied", 403):
            person.rpc("get_transfer", p_id=other["id"])


def test_another_house_may_use_the_same_id(people: People) -> None:
    """A stranger's transfer of the same id stands in nobody's way."""
    world, same = people.world, new_id()
    london = world.lagoon.branches[0]
    for person, branch, goods in (
        (people.as_foreign_admin(), london, world.lagoon.variants["pump"]),
        (people.as_admin(), world.blr, world.teak.variants["sofa"]),
    ):
        person.rpc(
            "create_transfer",
            p_id=same,
            p_from_location_id=branch.showroom,
            p_to_location_id=branch.warehouse,
            p_lines=[line(goods)],
        )
        assert dispatch(person, {"id": same})["from_branch_id"] == str(branch.id)
        assert receive(person, {"id": same})["status"] == "received"


def test_lifecycle_rows_are_those_of_the_acts(people: People) -> None:
    """Clients read from the table which buttons to show."""
    rows = people.as_anon().select(
        "select from_status, to_status, permission from public.lifecycle_transitions "
        "where document = 'stock_transfer' and from_status <> 'new'"
    )
    assert {(r["from_status"], r["to_status"], r["permission"]) for r in rows} == {
        ("draft", "dispatched", "transfer.manage"),
        ("draft", "cancelled", "transfer.manage"),
        ("dispatched", "cancelled", "transfer.manage"),
        ("dispatched", "partially_received", "transfer.receive"),
        ("dispatched", "received", "transfer.receive"),
        ("partially_received", "received", "transfer.receive"),
    }


def test_who_sends_knows_where_to(people: People) -> None:
    """Bengaluru's keeper sees no level of Mumbai, but must be able to choose its warehouse."""
    keeper = people.as_stockkeeper()
    found = keeper.rpc("transfer_destinations", p_org_id=people.world.teak.id)
    assert {row["branch_code"] for row in found} == {"BLR", "MUM"}
    assert str(people.world.mum.warehouse) in {row["location_id"] for row in found}
    assert {row["kind"] for row in found} <= {"showroom", "display", "warehouse", "vehicle", "quarantine"}
