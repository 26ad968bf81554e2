"""Units with conversions, and what may be part of a set: sales in them are tested with stock."""

from decimal import Decimal

import pytest

from tests.database.sales import line, quote
from tests.database.schema import ask
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People

ADD = (
    "insert into public.product_units (org_id, product_id, unit_code, factor, price) "
    "values (%s, %s, %s, %s, %s)"
)


def add(people: People, key: str, unit: str, factor: object, price: object = None) -> int:
    """Another unit of a product of Teak & Thread."""
    teak = people.world.teak
    return people.as_stockkeeper().execute(ADD, [teak.id, teak.products[key], unit, factor, price])


def base(people: People, key: str, quantity: str, unit: str | None) -> Decimal:
    """The quantity in the product's own unit."""
    teak = people.world.teak
    with people.connection.transaction():
        [(found,)] = ask(
            people.connection,
            "select private.base_quantity(%s, %s, %s, %s)",
            [teak.id, teak.variants[key], Decimal(quantity), unit],
        )
    return Decimal(found)


def test_quantities_in_other_units(people: People) -> None:
    """Measured goods are rounded half up to their places, counted ones come out whole or are refused."""
    add(people, "rug", "SQF", "0.092903")
    add(people, "sofa", "DOZ", 12)
    assert base(people, "rug", "2", None) == 2
    assert base(people, "rug", "2.5", "SQM") == Decimal("2.5")
    assert base(people, "rug", "2", "ROL") == 25
    assert base(people, "rug", "10", "SQF") == Decimal("0.929")
    assert base(people, "rug", "0.5", "SQF") == Decimal("0.046")
    assert base(people, "sofa", "1.5", "DOZ") == 18
    for key, quantity, unit in (("sofa", "0.3", "DOZ"), ("sofa", "0.5", "NOS"), ("rug", "0.005", "SQF")):
        with raises("invalid_input", 400):
            base(people, key, quantity, unit)
    for key, unit in (("sofa", "KGS"), ("lamp", "DOZ"), ("sofa", "nonsense")):
        with raises("unit_unknown", 422):
            base(people, key, "1", unit)


@pytest.mark.parametrize("factor", ["0", "-1", "NaN", "100000000"])
def test_factors_that_mean_nothing(people: People, factor: str) -> None:
    """A factor is above 0 and a number."""
    with raises_sqlstate("23514", "22003"):
        add(people, "sofa", "DOZ", Decimal(factor))


def test_a_unit_is_there_once_and_not_the_products_own(people: People) -> None:
    """NOS of what is counted in NOS says nothing."""
    with raises("unit_is_base", 422):
        add(people, "sofa", "NOS", 1)
    add(people, "sofa", "DOZ", 12)
    with raises_sqlstate("23505"):
        add(people, "sofa", "DOZ", 10)
    with raises_sqlstate("23503"):
        add(people, "sofa", "ZZZ", 10)
    with raises_sqlstate("42501"):
        people.as_cashier().execute(
            ADD, [people.world.teak.id, people.world.teak.products["lamp"], "DOZ", 1, None]
        )


def test_a_pack_may_have_a_price_of_its_own(people: People) -> None:
    """Else it costs what its contents do; the till asks for that price, and others need price.override."""
    sofa, cashier, blr = people.world.teak.variants["sofa"], people.as_cashier(), people.world.blr
    add(people, "sofa", "DOZ", 12)
    assert quote(cashier, blr, line(sofa, 1, unit="DOZ"))["lines"][0]["unit_price"] == 12000
    people.as_stockkeeper().execute("update public.product_units set price = 11000 where unit_code = 'DOZ'")
    [dozen] = quote(cashier, blr, line(sofa, 2, unit="DOZ"))["lines"]
    assert (dozen["unit_price"], dozen["list_price"], dozen["base_quantity"]) == (11000, 11000, 24)
    with raises("price_override_denied", 403):
        quote(cashier, blr, line(sofa, 1, unit="DOZ", unit_price=12000))


def test_archived_goods_join_no_set(people: People) -> None:
    """What is no longer sold is not put into a set."""
    teak, keeper = people.world.teak, people.as_stockkeeper()
    keeper.execute(
        "update public.product_variants set archived_at = now() where id = %s", [teak.variants["book"]]
    )
    with raises("invalid_input", 400):
        keeper.execute(
            "insert into public.set_components (org_id, set_variant_id, component_variant_id, quantity) "
            "values (%s, %s, %s, 1)",
            [teak.id, teak.variants["suite"], teak.variants["book"]],
        )
    assert (
        keeper.execute("update public.set_components set quantity = 3 where set_variant_id = %s", [new_id()])
        == 0
    )
    with raises("invalid_input", 400):
        keeper.execute(
            "update public.set_components set quantity = 1.5 where set_variant_id = %s",
            [teak.variants["suite"]],
        )


def test_sets_are_not_stocked(people: People) -> None:
    """Stock of a set is that of its components."""
    with raises("not_found", 404):
        people.as_stockkeeper().rpc(
            "adjust_stock",
            p_id=new_id(),
            p_location_id=people.world.blr.showroom,
            p_variant_id=people.world.teak.variants["suite"],
            p_quantity=1,
            p_reason="found",
        )
