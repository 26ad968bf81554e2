"""Alerts: one for each crossing, resolved when there is stock again, told to whom it concerns."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.database.billing.trading import confirmed, deliver
from tests.database.moving import reserve
from tests.database.sales import adjust, line, sell
from tests.database.stock.counting import rows
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People

TRACES = (
    "public.reorder_rules",
    "public.stock_alerts",
    "public.stock_levels",
    "private.outbox",
    "private.requests",
    "audit.log",
)


@pytest.fixture
def sofa(people: People) -> UUID:
    """Nine untracked pieces in the Bengaluru showroom."""
    return people.world.teak.variants["sofa"]


def rule(people: People, variant: UUID, point: object, **changed: Any) -> dict[str, Any]:
    """Save a reorder rule of the Bengaluru showroom as its stockkeeper."""
    arguments = {
        "p_id": new_id(),
        "p_location_id": people.world.blr.showroom,
        "p_variant_id": variant,
        "p_reorder_point": point,
        "p_reorder_quantity": 5,
        "p_lead_time_days": 7,
    }
    answer: dict[str, Any] = people.as_stockkeeper().rpc("save_reorder_rule", **(arguments | changed))
    return answer


def alerts(people: People, variant: UUID, person: Persona | None = None) -> list[tuple[str, int, bool]]:
    """Kind, available when it was raised, and whether it is open, of the showroom's alerts, in order."""
    found = (person or people.as_stockkeeper()).select(
        "select kind, available, resolved_at is null as open from public.stock_alerts "
        "where variant_id = %s and location_id = %s order by kind, available desc, open",
        [variant, people.world.blr.showroom],
    )
    return [(row["kind"], int(row["available"]), row["open"]) for row in found]


def events(people: People, variant: UUID) -> list[str]:
    """The events about a variant of the showroom, in order."""
    found = people.connection.execute(
        "select event from private.outbox where payload ->> 'variant_id' = %s "
        "and payload ->> 'location_id' = %s and event in ('stock.low', 'stock.out') order by id",
        [str(variant), str(people.world.blr.showroom)],
    ).fetchall()
    return [row[0] for row in found]


def sell_one(people: People, variant: UUID, quantity: int = 1) -> None:
    """One sale at the Bengaluru till."""
    sell(people.as_cashier(), people.world.blr, line(variant, quantity))


def test_a_crossing_is_told_once(people: People, sofa: UUID) -> None:
    """Down to the point: low. Further down: nothing more, until there is none."""
    rule(people, sofa, 6)
    assert alerts(people, sofa) == []
    sell_one(people, sofa, 2)
    assert events(people, sofa) == []
    for _ in range(6):
        sell_one(people, sofa)
    assert alerts(people, sofa) == [("low_stock", 6, True)]
    assert events(people, sofa) == ["stock.low"]
    sell_one(people, sofa)
    assert alerts(people, sofa) == [("low_stock", 6, True), ("out_of_stock", 0, True)]
    assert events(people, sofa) == ["stock.low", "stock.out"]


def test_it_is_resolved_above_and_told_again_below(people: People, sofa: UUID) -> None:
    """Each crossing has a row of its own; one that is resolved stays as it was."""
    rule(people, sofa, 3)
    sell_one(people, sofa, 9)
    adjust(people, sofa, 2)
    assert alerts(people, sofa) == [("low_stock", 0, True), ("out_of_stock", 0, False)]
    adjust(people, sofa, 2)
    assert alerts(people, sofa) == [("low_stock", 0, False), ("out_of_stock", 0, False)]
    sell_one(people, sofa)
    assert alerts(people, sofa) == [
        ("low_stock", 3, True),
        ("low_stock", 0, False),
        ("out_of_stock", 0, False),
    ]
    assert events(people, sofa) == ["stock.low", "stock.out", "stock.low"]


def test_what_is_reserved_is_not_available(people: People, sofa: UUID) -> None:
    """Nine on the shelf, all promised: out of stock."""
    rule(people, sofa, 2)
    people.connection.execute(
        "update public.stock_levels set reserved = 9 where location_id = %s and variant_id = %s",
        [people.world.blr.showroom, sofa],
    )
    assert alerts(people, sofa) == [("low_stock", 0, True), ("out_of_stock", 0, True)]


def test_saving_a_rule_looks_at_once(people: People, sofa: UUID) -> None:
    """Also where nothing ever lay; a lower point resolves what it raised."""
    rule(people, sofa, 9)
    assert alerts(people, sofa) == [("low_stock", 9, True)]
    rule(people, sofa, 8)
    assert alerts(people, sofa) == [("low_stock", 9, False)]
    rule(people, sofa, 0, p_location_id=people.world.blr.warehouse)
    found = people.as_stockkeeper().select(
        "select kind from public.stock_alerts where variant_id = %s and location_id = %s order by 1",
        [sofa, people.world.blr.warehouse],
    )
    assert [row["kind"] for row in found] == ["low_stock", "out_of_stock"]
    adjust(people, sofa, 1, p_location_id=people.world.blr.warehouse)
    assert (
        people.as_stockkeeper().select(
            "select from public.stock_alerts where variant_id = %s and location_id = %s "
            "and resolved_at is null",
            [sofa, people.world.blr.warehouse],
        )
        == []
    )


def test_without_a_rule_nothing_is_said(people: People, sofa: UUID) -> None:
    """Nor after the rule was taken away, which resolves what is open."""
    sell_one(people, sofa, 8)
    assert alerts(people, sofa) == []
    rule(people, sofa, 1)
    keeper = people.as_stockkeeper()
    gone = {"p_id": new_id(), "p_location_id": people.world.blr.showroom, "p_variant_id": sofa}
    assert keeper.rpc("remove_reorder_rule", **gone) == {
        "location_id": str(people.world.blr.showroom),
        "variant_id": str(sofa),
    }
    assert alerts(people, sofa) == [("low_stock", 1, False)]
    sell_one(people, sofa)
    assert alerts(people, sofa) == [("low_stock", 1, False)]
    with raises("not_found", 404):
        keeper.rpc("remove_reorder_rule", **(gone | {"p_id": new_id()}))


def test_a_basket_crosses_several_points(people: People, sofa: UUID) -> None:
    """One statement, several levels: each is judged by its own rule, a set by its components'."""
    lamp = people.world.teak.variants["lamp"]
    rule(people, sofa, 8)
    rule(people, lamp, 7)
    sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["suite"]), line(lamp))
    assert alerts(people, sofa) == [("low_stock", 8, True)]
    assert alerts(people, lamp) == [("low_stock", 7, True)]


def test_what_was_promised_and_is_sold_tells_nothing_new(people: People, sofa: UUID) -> None:
    """One is left before the sale and after it; that the promise ends first is nobody's business."""
    rule(people, sofa, 2)
    promised = reserve(people.as_cashier(), people.world.blr.showroom, line(sofa, 8))
    assert events(people, sofa) == ["stock.low"]
    sell(people.as_cashier(), people.world.blr, line(sofa, 8), reservation_id=promised["id"])
    assert alerts(people, sofa) == [("low_stock", 1, True)]
    assert events(people, sofa) == ["stock.low"]
    adjust(people, sofa, 2)
    sell_one(people, sofa)
    assert alerts(people, sofa) == [("low_stock", 2, True), ("low_stock", 1, False)]
    assert events(people, sofa) == ["stock.low", "stock.low"]


def test_an_order_in_parts_tells_once(people: People, sofa: UUID) -> None:
    """All are held; each part gives them back, leaves, and holds the rest again."""
    rule(people, sofa, 2)
    order = confirmed(people, line(sofa, 9))
    seen = alerts(people, sofa)
    assert seen == [("low_stock", 0, True), ("out_of_stock", 0, True)]
    for _ in range(3):
        deliver(people.as_sales(), people, order, {"line_no": 1, "quantity": 1})
    assert alerts(people, sofa) == seen
    assert events(people, sofa) == ["stock.low", "stock.out"]


def test_an_alert_that_was_seen_to_stays_so_when_a_part_leaves(people: People, sofa: UUID) -> None:
    """It is the same alert: who acknowledged it need not do so again."""
    rule(people, sofa, 0)
    order = confirmed(people, line(sofa, 9))
    (row,) = people.as_stockkeeper().select(
        "select id from public.stock_alerts where variant_id = %s and kind = 'out_of_stock'", [sofa]
    )
    people.as_stockkeeper().rpc("acknowledge_alert", p_id=new_id(), p_alert_id=row["id"])
    deliver(people.as_sales(), people, order, {"line_no": 1, "quantity": 1})
    assert people.as_stockkeeper().select(
        "select id, acknowledged_at is not null as seen, resolved_at from public.stock_alerts "
        "where variant_id = %s and kind = 'out_of_stock'",
        [sofa],
    ) == [{"id": row["id"], "seen": True, "resolved_at": None}]


def test_a_refused_sale_raises_nothing(people: People, sofa: UUID) -> None:
    """Nothing of an act that failed is left."""
    rule(people, sofa, 8)
    before = rows(people.connection, TRACES)
    with raises("insufficient_stock", 409):
        sell(people.as_cashier(), people.world.blr, line(sofa, 9), line(sofa, 9))
    assert rows(people.connection, TRACES) == before


def test_alerts_are_for_who_holds_the_permission_in_the_branch(people: People, sofa: UUID) -> None:
    """The cashier who sells below the point raises the alert and does not see it."""
    rule(people, sofa, 8)
    sell_one(people, sofa)
    for person in (people.as_stockkeeper(), people.as_admin()):
        assert alerts(people, sofa, person) == [("low_stock", 8, True)]
    for person in (
        people.as_cashier(),
        people.as_technician(),
        people.as_cashier(people.world.mum),
        people.as_foreign_admin(),
        people.as_nobody(),
    ):
        assert alerts(people, sofa, person) == []
    with raises_sqlstate("42501"):
        alerts(people, sofa, people.as_anon())


def test_acknowledging(people: People, sofa: UUID) -> None:
    """Who was first stays on record; the alert stays open; the same call again changes nothing."""
    rule(people, sofa, 9)
    (row,) = people.as_stockkeeper().select(
        "select id from public.stock_alerts where variant_id = %s and location_id = %s",
        [sofa, people.world.blr.showroom],
    )
    first = {"p_id": new_id(), "p_alert_id": row["id"]}
    done = people.as_stockkeeper().rpc("acknowledge_alert", **first)
    assert done["acknowledged_by"] == str(people.as_stockkeeper().user_id)
    assert done["resolved_at"] is None
    before = rows(people.connection, TRACES)
    assert people.as_stockkeeper().rpc("acknowledge_alert", **first) == done
    for person in (people.as_cashier(), people.as_technician()):
        with raises("permission_denied", 403):
            person.rpc("acknowledge_alert", p_id=new_id(), p_alert_id=row["id"])
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            person.rpc("acknowledge_alert", p_id=new_id(), p_alert_id=row["id"])
    with raises("not_found", 404):
        people.as_admin().rpc("acknowledge_alert", p_id=new_id(), p_alert_id=uuid4())
    with raises("id_reused", 409):
        people.as_stockkeeper().rpc(
            "acknowledge_alert", p_id=first["p_id"], p_alert_id=_other(people, row["id"])
        )
    assert rows(people.connection, TRACES) == before
    second = people.as_admin().rpc("acknowledge_alert", p_id=new_id(), p_alert_id=row["id"])
    assert second["acknowledged_by"] == done["acknowledged_by"]


def _other(people: People, alert: UUID) -> UUID:
    (row,) = people.as_stockkeeper().select(
        "select id from public.stock_alerts where id <> %s limit 1", [alert]
    )
    return UUID(str(row["id"]))


@pytest.mark.parametrize(
    "changed",
    [
        {"p_reorder_point": -1},
        {"p_reorder_point": None},
        {"p_reorder_point": Decimal("NaN")},
        {"p_reorder_point": Decimal("1e9")},
        {"p_reorder_point": Decimal("0.5")},
        {"p_reorder_quantity": -1},
        {"p_reorder_quantity": None},
        {"p_reorder_quantity": Decimal("Infinity")},
        {"p_reorder_quantity": Decimal("0.5")},
        {"p_lead_time_days": -1},
        {"p_lead_time_days": 366},
        {"p_lead_time_days": None},
        {"p_id": None},
    ],
)
def test_malformed_rules(people: People, sofa: UUID, changed: dict[str, Any]) -> None:
    """400, and nothing is written."""
    before = rows(people.connection, TRACES)
    with raises("invalid_input", 400):
        rule(people, sofa, 5, **changed)
    assert rows(people.connection, TRACES) == before


def test_rules_are_for_goods_at_shelves_of_the_branch(people: People, sofa: UUID) -> None:
    """No services, no sets, no foreign goods, no shared or foreign place."""
    variants, world = people.world.teak.variants, people.world
    before = rows(people.connection, TRACES)
    for stranger in (variants["assembly"], variants["suite"], world.lagoon.variants["pump"], uuid4(), None):
        with raises("not_found", 404):
            rule(people, sofa, 5, p_variant_id=stranger)
    shared = people.as_admin().select(
        "select id from public.locations where branch_id is null and org_id = %s", [world.teak.id]
    )
    for place in (
        world.mum.showroom,
        world.lagoon.branches[0].showroom,
        uuid4(),
        None,
        *(r["id"] for r in shared),
    ):
        with raises("not_found", 404):
            rule(people, sofa, 5, p_location_id=place)
    assert rows(people.connection, TRACES) == before


def test_saving_again_is_the_same_act(people: People, sofa: UUID) -> None:
    """Idempotent by id; a rule is changed by saving it anew, and audited."""
    same = new_id()
    first = rule(people, sofa, 5, p_id=same)
    before = rows(people.connection, TRACES)
    assert rule(people, sofa, 5, p_id=same) == first
    with raises("id_reused", 409):
        rule(people, sofa, 6, p_id=same)
    assert rows(people.connection, TRACES) == before
    rule(people, sofa, 6)
    (saved,) = people.as_stockkeeper().select(
        "select reorder_point from public.reorder_rules where variant_id = %s and location_id = %s",
        [sofa, people.world.blr.showroom],
    )
    assert saved["reorder_point"] == 6
    log = people.as_admin().select(
        "select action from public.audit_log where table_name = 'reorder_rules' and row_id = %s order by id",
        [f"{people.world.blr.showroom}/{sofa}"],
    )
    assert [row["action"] for row in log] == ["insert", "update"]


def test_a_notice_goes_out_with_each_alert(people: People, sofa: UUID) -> None:
    """On the organisation's private topic, with ids and no figures: rows are a branch's, the topic is not."""
    rule(people, sofa, 8)
    sell_one(people, sofa, 9)
    heard = people.connection.execute(
        "select payload, event, private from realtime.messages where topic = %s and inserted_at > now() - "
        "interval '1 day' and payload ->> 'variant_id' = %s order by payload ->> 'kind'",
        [f"org:{people.world.teak.id}:notices", str(sofa)],
    ).fetchall()
    assert [(row[0]["kind"], row[1], row[2]) for row in heard] == [
        ("stock.low", "notice", True),
        ("stock.out", "notice", True),
    ]
    assert all(
        set(row[0]) - {"id"} == {"kind", "alert_id", "branch_id", "location_id", "variant_id"}
        for row in heard
    )
