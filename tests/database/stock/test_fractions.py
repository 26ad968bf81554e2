"""Parts of a sale or an order: counted goods in whole pieces, measured ones to the last crumb, sets whole."""

from typing import Any

import pytest

from tests.database.catalogue.test_units import add
from tests.database.moving import traces
from tests.database.sales import adjust, line
from tests.support.personas import new_id, raises
from tests.support.world import People


def _tax_class(people: People) -> Any:
    [found] = people.as_admin().select(
        "select tax_class_id from public.products where id = %s", [people.world.teak.products["pot"]]
    )
    return found["tax_class_id"]


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
