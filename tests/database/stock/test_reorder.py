"""What carries the business, and what to order again."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.database.sales import adjust, line, sell
from tests.database.stock.test_alerts import rule
from tests.support.personas import new_id, raises
from tests.support.world import People


@pytest.fixture
def sofa(people: People) -> UUID:
    """Nine pieces in the Bengaluru showroom; one was sold when the world was made."""
    return people.world.teak.variants["sofa"]


def suggestions(people: People, **options: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """What to order for Bengaluru, by SKU and kind of location."""
    kinds = {str(people.world.blr.showroom): "showroom", str(people.world.blr.warehouse): "warehouse"}
    found = people.as_stockkeeper().rpc("reorder_suggestions", p_branch_id=people.world.blr.id, **options)
    return {(row["sku"], kinds[row["location_id"]]): row for row in found}


def abc(people: People, **options: Any) -> dict[str, tuple[Any, Any, str]]:
    """Value, share and class by SKU, in order, for Bengaluru."""
    found = people.as_stockkeeper().rpc("abc_analysis", p_branch_id=people.world.blr.id, **options)
    return {row["sku"]: (row["value"], row["share"], row["class"]) for row in found}


def level(people: People, variant: UUID, **columns: object) -> None:
    """Set columns of the showroom's level as another room's acts would."""
    for column, value in columns.items():
        people.connection.execute(
            f"update public.stock_levels set {column} = %s where location_id = %s and variant_id = %s",  # noqa: S608
            [value, people.world.blr.showroom, variant],
        )


def age(people: People, days: int) -> None:
    """Put every movement so far into the past. The ledger is append-only, so its guard steps aside."""
    people.connection.execute("alter table public.stock_movements disable trigger t10_refuse_change")
    people.connection.execute(
        "update public.stock_movements set occurred_at = now() - make_interval(days => %s)", [days]
    )
    people.connection.execute("alter table public.stock_movements enable trigger t10_refuse_change")


def test_what_sells_covers_the_lead_time(people: People, sofa: UUID) -> None:
    """Six sold in ten days, seven days of lead time: 4.2 of demand, 2 to the point, 3 there: round up."""
    age(people, 400)
    sell(people.as_cashier(), people.world.blr, line(sofa, 6))
    rule(people, sofa, 5, p_reorder_quantity=1)
    found = suggestions(people, p_days=10)[("SOFA", "showroom")]
    assert (found["daily_sales"], found["lead_time_demand"]) == (Decimal("0.6"), Decimal("4.2"))
    assert (found["on_hand"], found["available"], found["incoming"]) == (3, 3, 0)
    assert found["suggested"] == 7
    assert suggestions(people, p_days=20)[("SOFA", "showroom")]["suggested"] == 5
    rule(people, sofa, 5, p_reorder_quantity=40)
    assert suggestions(people, p_days=10)[("SOFA", "showroom")]["suggested"] == 40


def test_returns_and_the_window_lower_the_demand(people: People, sofa: UUID) -> None:
    """What came back was not needed; what was sold before the window is not asked."""
    sell(people.as_cashier(), people.world.blr, line(sofa, 2))
    age(people, 100)
    sold = sell(people.as_cashier(), people.world.blr, line(sofa, 5))
    people.as_cashier().rpc(
        "return_goods",
        p_id=new_id(),
        p_invoice_id=sold["id"],
        p_location_id=people.world.blr.showroom,
        p_lines=[{"line_no": 1, "quantity": 4}],
        p_reason="Too big",
    )
    rule(people, sofa, 8, p_reorder_quantity=1, p_lead_time_days=10)
    found = suggestions(people, p_days=10)[("SOFA", "showroom")]
    assert (found["daily_sales"], found["lead_time_demand"], found["suggested"]) == (Decimal("0.1"), 1, 3)
    assert suggestions(people, p_days=365)[("SOFA", "showroom")]["daily_sales"] > 0


def test_sets_sell_their_components(people: People, sofa: UUID) -> None:
    """A suite is a sofa and two lamps."""
    age(people, 100)
    lamp = people.world.teak.variants["lamp"]
    sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["suite"], 2))
    rule(people, lamp, 10)
    rule(people, sofa, 10)
    found = suggestions(people, p_days=10)
    assert found[("LAMP", "showroom")]["daily_sales"] == Decimal("0.4")
    assert found[("SOFA", "showroom")]["daily_sales"] == Decimal("0.2")


def test_what_is_on_its_way_is_not_ordered_twice(people: People, sofa: UUID) -> None:
    """Incoming goods lower the need, then cover it; reserved goods raise it."""
    age(people, 400)
    rule(people, sofa, 9, p_reorder_quantity=4)
    assert suggestions(people)[("SOFA", "showroom")]["suggested"] == 4
    level(people, sofa, reserved=6)
    found = suggestions(people)[("SOFA", "showroom")]
    assert (found["available"], found["suggested"]) == (3, 6)
    level(people, sofa, incoming=1)
    assert suggestions(people)[("SOFA", "showroom")]["suggested"] == 5
    level(people, sofa, incoming=7)
    assert ("SOFA", "showroom") not in suggestions(people)


def test_above_the_point_nothing_is_suggested(people: People, sofa: UUID) -> None:
    """However much it sells; nor where the rule asks for nothing, nor what is archived."""
    sell(people.as_cashier(), people.world.blr, line(sofa, 3))
    rule(people, sofa, 5)
    assert ("SOFA", "showroom") not in suggestions(people, p_days=1)
    rule(people, sofa, 6)
    assert ("SOFA", "showroom") in suggestions(people)
    people.as_admin().execute("update public.product_variants set archived_at = now() where id = %s", [sofa])
    assert ("SOFA", "showroom") not in suggestions(people)
    age(people, 400)
    pot = people.world.teak.variants["pot"]
    rule(people, pot, 10, p_reorder_quantity=0)
    assert ("POT", "showroom") not in suggestions(people)


def test_fractions_are_rounded_up_as_the_unit_allows(people: People) -> None:
    """Square metres to three places, never down."""
    age(people, 400)
    rug = people.world.teak.variants["rug"]
    sell(people.as_cashier(), people.world.blr, line(rug, Decimal("1.001")))
    rule(people, rug, 9, p_reorder_quantity=0, p_lead_time_days=10)
    assert suggestions(people, p_days=30)[("RUG", "showroom")]["suggested"] == Decimal("0.335")


def test_a_shelf_where_nothing_ever_lay(people: People) -> None:
    """The world's rule for the empty warehouse: nothing there, two to the point, five at a time."""
    found = suggestions(people)[("POT", "warehouse")]
    assert (found["on_hand"], found["daily_sales"], found["suggested"]) == (0, 0, 5)


def test_abc_classes_cut_at_80_and_95_percent(people: People) -> None:
    """Who begins before the cut belongs to the class; what never sold is C."""
    age(people, 400)
    variants = people.world.teak.variants
    adjust(people, variants["sofa"], 71)
    for key, quantity in (("sofa", 78), ("lamp", 10), ("pot", 8), ("book", 4)):
        sell(people.as_cashier(), people.world.blr, line(variants[key], quantity))
    found = abc(people)
    assert list(found)[:4] == ["SOFA", "LAMP", "POT", "BOOK"]
    assert found["SOFA"] == (3120, Decimal("0.78"), "A")
    assert found["LAMP"] == (400, Decimal("0.1"), "A")
    assert found["POT"] == (320, Decimal("0.08"), "B")
    assert found["BOOK"] == (160, Decimal("0.04"), "C")
    assert found["RUG"] == (0, 0, "C")
    assert "ASSEMBLY" not in found
    assert "SUITE" not in found
    assert {row[2] for row in abc(people, p_days=1).values()} == {"A", "B", "C"}


def test_abc_counts_what_stayed_sold_in_this_branch(people: People, sofa: UUID) -> None:
    """Less what came back, nothing of other branches, nothing from before the window."""
    age(people, 100)
    assert abc(people, p_days=90)["SOFA"] == (0, 0, "C")
    assert abc(people, p_days=110)["SOFA"] == (40, 1, "A")
    sold = sell(people.as_admin(), people.world.blr, line(sofa, 3))
    sell(people.as_admin(), people.world.mum, line(sofa, 3))
    people.as_cashier().rpc(
        "return_goods",
        p_id=new_id(),
        p_invoice_id=sold["id"],
        p_location_id=people.world.blr.showroom,
        p_lines=[{"line_no": 1, "quantity": 2}],
        p_reason="Too big",
    )
    assert abc(people, p_days=90)["SOFA"] == (40, 1, "A")


@pytest.mark.parametrize("act", ["abc_analysis", "reorder_suggestions"])
def test_reports_ask_for_days_and_permission(people: People, act: str) -> None:
    """1 to 3650 days; stock.plan in the branch."""
    for days in (0, -1, 3651, None):
        with raises("invalid_input", 400):
            people.as_admin().rpc(act, p_branch_id=people.world.blr.id, p_days=days)
    with raises("permission_denied", 403):
        people.as_cashier().rpc(act, p_branch_id=people.world.blr.id)
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            person.rpc(act, p_branch_id=people.world.blr.id)
