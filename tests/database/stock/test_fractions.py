"""Parts of a sale or an order: counted goods in whole pieces, measured ones to the last crumb, sets whole."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.database.billing.money import assert_books, credit
from tests.database.billing.test_goods_returns import back, take_back
from tests.database.billing.trading import confirmed, deliver, invoice, now
from tests.database.catalogue.test_units import add
from tests.database.moving import level, traces
from tests.database.sales import adjust, line, on_hand, sell
from tests.support.personas import new_id, raises
from tests.support.world import People

THIRD = Decimal("0.3")


def _moved(people: People, document: Any) -> list[Decimal]:
    rows = people.connection.execute(
        "select quantity from public.stock_movements where document_id = %s order by id", [document["id"]]
    ).fetchall()
    return [row[0] for row in rows]


def _measured(people: People) -> UUID:
    """Goods in centimetres, with one decimal, that are sold in inches; 1000 cm lie in the showroom."""
    teak, admin, product, variant = people.world.teak, people.as_admin(), new_id(), new_id()
    admin.execute(
        "insert into public.products (id, org_id, name, tax_class_id, unit_code) "
        "values (%s, %s, 'Ribbon', %s, 'CMS')",
        [product, teak.id, _tax_class(people)],
    )
    admin.execute(
        "insert into public.product_variants (id, org_id, product_id, sku, name, price) "
        "values (%s, %s, %s, 'RIBBON', 'Ribbon', 2)",
        [variant, teak.id, product],
    )
    admin.execute(
        "insert into public.product_units (org_id, product_id, unit_code, factor) "
        "values (%s, %s, 'OTH', 2.54)",
        [teak.id, product],
    )
    adjust(people, variant, 1000, "found", 1)
    return variant


def _tax_class(people: People) -> Any:
    [found] = people.as_admin().select(
        "select tax_class_id from public.products where id = %s", [people.world.teak.products["pot"]]
    )
    return found["tax_class_id"]


def test_half_a_pot_does_not_come_back(people: People) -> None:
    """A dozen of two pots: 0.3 dozens are no whole number of pots, 0.5 are one."""
    blr, pot, cashier = people.world.blr, people.world.teak.variants["pot"], people.as_cashier()
    add(people, "pot", "DOZ", 2)
    sold = sell(cashier, blr, line(pot, 2, unit="DOZ"), customer=people.world.teak.customers["trusted"])
    before = traces(people.connection)
    with raises("invalid_input", 400):
        take_back(cashier, sold, blr.showroom, back(1, THIRD))
    for disposition in ("restock", "none"):
        with raises("invalid_input", 400):
            credit(people.as_admin(), sold["id"], [back(1, THIRD, disposition=disposition)])
    assert traces(people.connection) == before
    assert _moved(people, take_back(cashier, sold, blr.showroom, back(1, Decimal("0.5")))) == [1]
    credit(people.as_admin(), sold["id"], [back(1, Decimal("1.5"))])
    assert_books(people)


def test_half_a_pot_is_not_delivered(people: People) -> None:
    """Nor does it leave on an order."""
    pot, keeper = people.world.teak.variants["pot"], people.as_stockkeeper()
    add(people, "pot", "DOZ", 2)
    made = confirmed(people, line(pot, 2, unit="DOZ"))
    before = traces(people.connection)
    with raises("invalid_input", 400):
        deliver(keeper, people, made, back(1, THIRD))
    assert traces(people.connection) == before
    assert _moved(people, deliver(keeper, people, made, back(1, Decimal("0.5")))) == [1]
    assert _moved(people, deliver(keeper, people, made)) == [3]


def test_what_is_measured_comes_back_to_the_last_crumb(people: People) -> None:
    """Ten square feet are 0.929 square metres, however they come back."""
    blr, rug, cashier = people.world.blr, people.world.teak.variants["rug"], people.as_cashier()
    add(people, "rug", "SQF", "0.092903")
    here = on_hand(people.connection, blr.showroom, rug)
    sold = sell(cashier, blr, line(rug, 10, unit="SQF"), customer=people.world.teak.customers["trusted"])
    assert on_hand(people.connection, blr.showroom, rug) == here - Decimal("0.929")
    parts = [_moved(people, take_back(cashier, sold, blr.showroom, back(1, 1))) for _ in range(9)]
    note = credit(people.as_admin(), sold["id"], [back(1, 1)])
    assert sum(q for part in parts for q in part) + sum(_moved(people, note)) == Decimal("0.929")
    assert on_hand(people.connection, blr.showroom, rug) == here
    with raises("return_exceeds_sale", 422):
        take_back(cashier, sold, blr.showroom, back(1, Decimal("0.001")))
    assert_books(people)


def test_what_is_too_small_to_measure_comes_with_the_rest(people: People) -> None:
    """A thousandth of a square foot moves nothing; the last part brings all that is left."""
    blr, rug, cashier = people.world.blr, people.world.teak.variants["rug"], people.as_cashier()
    add(people, "rug", "SQF", "0.092903")
    here = on_hand(people.connection, blr.showroom, rug)
    sold = sell(cashier, blr, line(rug, 10, unit="SQF"))
    assert _moved(people, take_back(cashier, sold, blr.showroom, back(1, Decimal("0.001")))) == []
    take_back(cashier, sold, blr.showroom, back(1, Decimal("9.999")))
    assert on_hand(people.connection, blr.showroom, rug) == here
    made, keeper = confirmed(people, line(rug, 10, unit="SQF")), people.as_stockkeeper()
    assert _moved(people, deliver(keeper, people, made, back(1, Decimal("0.001")))) == []
    assert _moved(people, deliver(keeper, people, made)) == [Decimal("0.929")]
    assert_books(people)


def test_parts_have_the_places_of_the_goods(people: People) -> None:
    """Three inches are 7.6 cm; delivered, invoiced and returned one by one they never have two decimals."""
    blr, keeper = people.world.blr, people.as_stockkeeper()
    ribbon = _measured(people)
    made = confirmed(people, line(ribbon, 3, unit="OTH"))
    notes, held = [], []
    for left in (3, 2, 1):
        [ordered] = now(people, made)["lines"]
        assert (ordered["open"], ordered["reserved"]) == (left, left)
        notes.append(deliver(keeper, people, made, back(1, 1)))
        held.append(level(people.connection, blr.showroom, ribbon).reserved)
    assert [_moved(people, note) for note in notes] == [[Decimal("2.5")], [Decimal("2.6")], [Decimal("2.5")]]
    assert held == [Decimal("5.1"), Decimal("2.5"), 0]
    bills = [invoice(people.as_sales(), made, delivery_id=note["id"]) for note in notes]
    assert [bill["lines"][0]["base_quantity"] for bill in bills] == [
        Decimal("2.5"),
        Decimal("2.6"),
        Decimal("2.5"),
    ]
    for bill in bills:
        take_back(people.as_cashier(), bill, blr.showroom, back(1, Decimal("0.5")))
        credit(people.as_admin(), bill["id"], [back(1, Decimal("0.5"))])
    assert on_hand(people.connection, blr.showroom, ribbon) == 1000
    assert_books(people)


def test_a_set_is_counted(people: People) -> None:
    """Half a suite would be half a sofa: a set's own unit has no decimals."""
    teak, admin = people.world.teak, people.as_admin()
    insert = (
        "insert into public.products (id, org_id, name, kind, tax_class_id, unit_code) "
        "values (%s, %s, %s, 'set', %s, %s)"
    )
    for unit in ("DOZ", "KGS", "CMS"):
        with raises("set_unit_fractional", 422) as refusal:
            admin.execute(insert, [new_id(), teak.id, "Corner", _tax_class(people), unit])
        assert (refusal.facts["field"], refusal.facts["unit"]) == ("unit_code", unit)
    admin.execute(insert, [new_id(), teak.id, "Corner", _tax_class(people), "SET"])


def test_a_dozen_sets_come_apart_in_whole_sets(people: People) -> None:
    """Six of them are half a dozen; a third of one is none."""
    blr, suite, cashier = people.world.blr, people.world.teak.variants["suite"], people.as_cashier()
    lamp, sofa = (people.world.teak.variants[key] for key in ("lamp", "sofa"))
    people.as_stockkeeper().execute(
        "insert into public.product_units (org_id, product_id, unit_code, factor) values (%s, %s, 'DOZ', 4)",
        [people.world.teak.id, people.world.teak.products["suite"]],
    )
    with raises("invalid_input", 400):
        sell(cashier, blr, line(suite, THIRD, unit="DOZ"), payments=[])
    here = [on_hand(people.connection, blr.showroom, each) for each in (lamp, sofa)]
    sold = sell(cashier, blr, line(suite, 1, unit="DOZ"))
    with raises("invalid_input", 400):
        take_back(cashier, sold, blr.showroom, back(1, THIRD))
    for quarters in (1, 2, 1):
        take_back(cashier, sold, blr.showroom, back(1, Decimal(quarters) / 4))
    assert [on_hand(people.connection, blr.showroom, each) for each in (lamp, sofa)] == here


@pytest.mark.parametrize("unit", ["DOZ", None])
def test_numbers_beyond_everything(people: People, unit: str | None) -> None:
    """A stable code, not an overflow: in a unit of a hundred million, and in a set of a million pieces."""
    world, suite = people.world, people.world.teak.variants["suite"]
    add(people, "sofa", "DOZ", 99999999)
    people.as_admin().execute(
        "update public.set_components set quantity = 999999 where set_variant_id = %s", [suite]
    )
    asked = line(world.teak.variants["sofa"], 999999999, unit=unit) if unit else line(suite, 999999999)
    before = traces(people.connection)
    with raises("invalid_input", 400):
        people.as_sales().rpc(
            "reserve_stock", p_id=new_id(), p_location_id=world.blr.showroom, p_lines=[asked]
        )
    with raises("invalid_input", 400):
        people.as_cashier().rpc("quote_sale", p_branch_id=world.blr.id, p_customer_id=None, p_lines=[asked])
    if unit:
        with raises("invalid_input", 400):
            adjust(people, world.teak.variants["sofa"], 999999999, "found", p_options={"unit": unit})
    assert traces(people.connection) == before
