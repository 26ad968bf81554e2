"""adjust_stock: reasons, signs, moving average, and what it refuses."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.database.moving import archive, attic
from tests.database.sales import adjust, footprint, line, on_hand, sell
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People


@pytest.mark.parametrize(
    ("reason", "quantity"),
    [("opening", 3), ("found", 3), ("correction", 3), ("correction", -3), ("damage", -3), ("write_off", -3)],
)
def test_every_reason_with_its_sign(people: People, reason: str, quantity: int) -> None:
    """The level changes by the quantity; the document says why, the ledger from where to where."""
    world = people.world
    sofa, before = (
        world.teak.variants["sofa"],
        on_hand(people.connection, world.blr.showroom, world.teak.variants["sofa"]),
    )
    done = adjust(people, sofa, quantity, reason)
    assert (done["quantity"], done["reason"], done["unit_cost"]) == (quantity, reason, 40)
    assert done["on_hand"] == before + quantity == on_hand(people.connection, world.blr.showroom, sofa)
    assert done["created_by"] == str(people.as_stockkeeper().user_id)
    (moved,) = people.as_stockkeeper().select(
        "select m.quantity, m.document, f.kind as source, t.kind as target from public.stock_movements m "
        "join public.locations f on f.id = m.from_location_id join public.locations t on t.id = "
        "m.to_location_id "
        "where document_id = %s",
        [done["id"]],
    )
    ends = ("adjustment", "showroom") if quantity > 0 else ("showroom", "adjustment")
    assert (moved["source"], moved["target"]) == ends
    assert (moved["quantity"], moved["document"]) == (3, "stock_adjustment")


@pytest.mark.parametrize(
    ("reason", "quantity"),
    [
        ("opening", -1),
        ("found", -1),
        ("damage", 1),
        ("write_off", 1),
        ("correction", 0),
        ("correction", None),
        ("correction", Decimal("NaN")),
        ("correction", Decimal("Infinity")),
        ("correction", Decimal("1e9")),
        ("correction", Decimal("0.5")),
        ("theft", -1),
        (None, 1),
        ("", 1),
    ],
)
def test_malformed_adjustments(people: People, reason: str | None, quantity: object) -> None:
    """A wrong sign, an unknown reason, no quantity or a fraction of a piece: 400, and nothing is written."""
    before = footprint(people.connection)
    with raises("invalid_input", 400):
        adjust(people, people.world.teak.variants["sofa"], quantity, p_reason=reason)
    assert footprint(people.connection) == before


@pytest.mark.parametrize("cost", [Decimal(-1), Decimal("NaN"), Decimal("1e9")])
def test_malformed_costs(people: People, cost: Decimal) -> None:
    """A cost is 0 or more and finite; what goes out has none of its own."""
    with raises("invalid_input", 400):
        adjust(people, people.world.teak.variants["sofa"], 1, cost=cost)
    with raises("invalid_input", 400):
        adjust(people, people.world.teak.variants["sofa"], -1, cost=40)


def test_fractions_follow_the_unit(people: People) -> None:
    """Square metres have three decimals, not four."""
    rug = people.world.teak.variants["rug"]
    assert adjust(people, rug, Decimal("0.125"))["on_hand"] == Decimal("10.125")
    with raises("invalid_input", 400):
        adjust(people, rug, Decimal("0.0625"))


def test_the_average_cost_moves_with_arrivals_only(people: People) -> None:
    """10 at 40 and 5 at 70 are worth 50 each; what leaves, and what comes without a cost, changes nothing."""
    lamp = people.world.teak.variants["lamp"]
    assert adjust(people, lamp, 5, cost=70)["average_cost"] == 50
    out = adjust(people, lamp, -6)
    assert (out["unit_cost"], out["average_cost"]) == (50, 50)
    unpriced = adjust(people, lamp, 3)
    assert (unpriced["unit_cost"], unpriced["average_cost"]) == (50, 50)
    third = adjust(people, lamp, 1, cost=0)
    assert third["average_cost"] == Decimal("46.153846")
    assert adjust(people, lamp, -13)["on_hand"] == 0
    assert adjust(people, lamp, 2, cost=Decimal("7.1234567"))["average_cost"] == Decimal("7.123457")


def test_first_stock_without_a_cost_is_worth_nothing_yet(people: People) -> None:
    """No level, no cost: the average begins at zero."""
    done = adjust(people, people.world.teak.variants["sofa"], 4, p_location_id=people.world.blr.warehouse)
    assert (done["on_hand"], done["average_cost"]) == (4, 0)


def test_stock_never_goes_below_zero(people: People) -> None:
    """Writing off more than there is is a conflict that says what there is."""
    sofa = people.world.teak.variants["sofa"]
    left = on_hand(people.connection, people.world.blr.showroom, sofa)
    before = footprint(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        adjust(people, sofa, -left - 1)
    assert refusal.facts["shortages"][0]["available"] == left
    assert footprint(people.connection) == before
    assert adjust(people, sofa, -left)["on_hand"] == 0


def test_the_same_call_again_changes_nothing(people: People) -> None:
    """Idempotent by id; another quantity under the same id is a conflict."""
    sofa, same = people.world.teak.variants["sofa"], new_id()
    first = adjust(people, sofa, 2, p_id=same)
    before = footprint(people.connection)
    assert adjust(people, sofa, 2, p_id=same) == first
    for other in ({"p_quantity": 3}, {"p_reason": "found"}, {"p_unit_cost": 1}):
        with raises("id_reused", 409):
            adjust(people, sofa, 2, **({"p_id": same} | other))
    assert footprint(people.connection) == before
    with raises("invalid_input", 400):
        adjust(people, sofa, 2, p_id=None)


def test_who_may_adjust_what(people: People) -> None:
    """The permission, the branch, the business; no services, no foreign goods, no archived place."""
    world = people.world
    sofa = world.teak.variants["sofa"]
    arguments: dict[str, Any] = {
        "p_id": new_id(),
        "p_location_id": world.blr.showroom,
        "p_variant_id": sofa,
        "p_quantity": 1,
        "p_reason": "found",
    }
    for person in (people.as_cashier(), people.as_sales(), people.as_technician()):
        with raises("permission_denied", 403):
            person.rpc("adjust_stock", **arguments)
    for person in (people.as_foreign_admin(), people.as_nobody(), people.as_cashier(world.mum)):
        with raises("not_found", 404):
            person.rpc("adjust_stock", **arguments)
    with raises_sqlstate("42501"):
        people.as_anon().rpc("adjust_stock", **arguments)
    missing: list[dict[str, Any]] = [
        {"p_location_id": world.mum.showroom},
        {"p_location_id": world.lagoon.branches[0].showroom},
        {"p_location_id": uuid4()},
        {"p_location_id": None},
        {"p_variant_id": world.lagoon.variants["pump"]},
        {"p_variant_id": world.teak.variants["assembly"]},
        {"p_variant_id": uuid4()},
        {"p_variant_id": None},
    ]
    for changed in missing:
        with raises("not_found", 404):
            adjust(people, sofa, 1, **changed)
    place = attic(people)
    archive(people.as_admin(), "locations", place)
    with raises("not_found", 404):
        adjust(people, sofa, 1, p_location_id=place)


def test_shared_locations_cannot_be_adjusted(people: People) -> None:
    """Supplier, customer, adjustment and transit are ends of movements, not shelves."""
    for row in people.as_admin().select(
        "select id from public.locations where branch_id is null and org_id = %s", [people.world.teak.id]
    ):
        with raises("not_found", 404):
            people.as_admin().rpc(
                "adjust_stock",
                p_id=new_id(),
                p_location_id=row["id"],
                p_variant_id=people.world.teak.variants["sofa"],
                p_quantity=1,
                p_reason="found",
            )


def test_an_adjustment_says_who_made_it_and_is_announced(people: People) -> None:
    """The document's own columns, one event."""
    done = adjust(people, people.world.teak.variants["sofa"], -1, "damage")
    (made,) = people.as_admin().select(
        "select created_by, reason from public.stock_adjustments where id = %s", [done["id"]]
    )
    assert made == {"created_by": people.as_stockkeeper().user_id, "reason": "damage"}
    row = people.connection.execute(
        "select payload from private.outbox where event = 'stock.adjusted' and payload ->> 'adjustment_id' "
        "= %s",
        [done["id"]],
    ).fetchone()
    assert row is not None
    assert (row[0]["quantity"], row[0]["reason"]) == (-1, "damage")


def test_ledger_and_levels_agree(people: People) -> None:
    """check_stock finds nothing after sales and adjustments; it finds what is tampered with."""
    world, admin = people.world, people.as_admin()
    sell(people.as_cashier(), world.blr, line(world.teak.variants["sofa"], 2))
    adjust(people, world.teak.variants["sofa"], -1, "damage")
    assert admin.rpc("check_stock", p_org_id=world.teak.id) == []
    people.connection.execute(
        "update public.stock_levels set on_hand = on_hand + 1 where location_id = %s and variant_id = %s",
        [world.blr.showroom, world.teak.variants["lamp"]],
    )
    (found,) = admin.rpc("check_stock", p_org_id=world.teak.id)
    assert found["variant_id"] == str(world.teak.variants["lamp"])
    assert found["on_hand"] == found["ledger"] + 1


def test_levels_have_the_last_word(people: People) -> None:
    """Even the owner cannot leave a negative level or reserve what is not there."""
    for change in (
        "on_hand = -1",
        "reserved = on_hand + 1",
        "reserved = -1",
        "incoming = -1",
        "average_cost = -1",
    ):
        with raises_sqlstate("23514"), people.connection.transaction():
            people.connection.execute(f"update public.stock_levels set {change}")


def test_a_repeated_call_answers_as_the_first(people: People) -> None:
    """Whatever came after: more goods, another unit, a closed place."""
    blr, rug, stockkeeper = people.world.blr, people.world.teak.variants["rug"], people.as_stockkeeper()
    place = new_id()
    people.as_admin().rpc(
        "create_location", p_id=place, p_branch_id=blr.id, p_code="ATTIC", p_name="Attic", p_kind="warehouse"
    )
    asked = {
        "p_id": new_id(),
        "p_location_id": place,
        "p_variant_id": rug,
        "p_quantity": 2,
        "p_reason": "found",
        "p_unit_cost": 10,
        "p_options": {"unit": "ROL"},
    }
    first = stockkeeper.rpc("adjust_stock", **asked)
    assert (first["quantity"], first["on_hand"], first["average_cost"]) == (25, 25, 10)
    adjust(people, rug, 3, "found", 80, p_location_id=place)
    assert stockkeeper.rpc("adjust_stock", **asked) == first
    adjust(people, rug, -28, "write_off", p_location_id=place)
    people.as_stockkeeper().execute(
        "delete from public.product_units where unit_code = 'ROL' and product_id = %s",
        [people.world.teak.products["rug"]],
    )
    people.as_admin().execute("update public.locations set archived_at = now() where id = %s", [place])
    assert stockkeeper.rpc("adjust_stock", **asked) == first
    with raises("id_reused", 409):
        stockkeeper.rpc("adjust_stock", **(asked | {"p_quantity": 3}))
    with raises("not_found", 404):
        stockkeeper.rpc("adjust_stock", **(asked | {"p_id": new_id()}))


@pytest.mark.parametrize(
    ("key", "quantity", "options"),
    [
        ("sofa", 1, {"expires_on": "2030-01-01"}),
        ("sofa", 1, {"expires_on": "rubbish"}),
        ("sofa", 1, {"note": 5}),
        ("sofa", 1, {"note": ["broken"]}),
        ("sofa", 1, {"unit": 5}),
        ("paint", -1, {"batch": "BLR-OLD", "expires_on": "2030-01-01"}),
        ("paint", -1, {"expires_on": "2030-01-01"}),
        ("paint", 1, {"batch": "NEW", "expires_on": "rubbish"}),
        ("paint", 1, {"batch": "NEW", "expires_on": 5}),
    ],
)
def test_no_option_is_ignored(people: People, key: str, quantity: int, options: dict[str, object]) -> None:
    """A last day belongs to a lot that comes in, and texts are texts."""
    before = footprint(people.connection)
    with raises("invalid_input", 400):
        adjust(people, people.world.teak.variants[key], quantity, p_options=options)
    assert footprint(people.connection) == before
