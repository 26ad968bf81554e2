"""Parts of a sale or an order: counted goods in whole pieces, measured ones to the last crumb, sets whole."""

from typing import Any

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
