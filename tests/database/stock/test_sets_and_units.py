"""Sets are sold as one and leave stock as their components; other units count in the product's own."""

from decimal import Decimal
from uuid import UUID

import pytest

from tests.database.sales import adjust, footprint, line, on_hand, quote, sell
from tests.support.personas import raises
from tests.support.world import People


def _set(people: People, components: dict[str, int]) -> UUID:
    """A set of one sofa suite made of other things than the world's."""
    suite = people.world.teak.variants["suite"]
    people.as_admin().execute("delete from public.set_components where set_variant_id = %s", [suite])
    for key, quantity in components.items():
        people.as_admin().execute(
            "insert into public.set_components (org_id, set_variant_id, component_variant_id, quantity) "
            "values (%s, %s, %s, %s)",
            [people.world.teak.id, suite, people.world.teak.variants[key], quantity],
        )
    return suite


def test_a_set_leaves_stock_as_its_components(people: People) -> None:
    """One suite is a sofa and two lamps: on the invoice one line with them beneath, at the set's price."""
    teak, blr = people.world.teak, people.world.blr
    before = {k: on_hand(people.connection, blr.showroom, teak.variants[k]) for k in ("sofa", "lamp")}
    sold = sell(people.as_cashier(), blr, line(teak.variants["suite"], 2))
    (sold_line,) = sold["lines"]
    assert (sold_line["sku"], sold_line["quantity"], sold_line["unit_price"]) == ("SUITE", 2, 1150)
    assert [(i["sku"], i["quantity"]) for i in sold_line["set_items"]] == [("LAMP", 4), ("SOFA", 2)]
    after = {k: on_hand(people.connection, blr.showroom, teak.variants[k]) for k in ("sofa", "lamp")}
    assert {k: before[k] - after[k] for k in before} == {"sofa": 2, "lamp": 4}
    assert on_hand(people.connection, blr.showroom, teak.variants["suite"]) == 0


def test_a_set_and_its_component_count_together(people: People) -> None:
    """The demand is summed over sets and single pieces: the last lamp is not sold twice in one basket."""
    teak, blr = people.world.teak, people.world.blr
    lamps = on_hand(people.connection, blr.showroom, teak.variants["lamp"])
    before = footprint(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        sell(
            people.as_cashier(),
            blr,
            line(teak.variants["suite"]),
            line(teak.variants["lamp"], int(lamps) - 1),
        )
    (shortage,) = refusal.facts["shortages"]
    assert (shortage["sku"], shortage["requested"], shortage["available"]) == ("LAMP", lamps + 1, lamps)
    assert footprint(people.connection) == before


def test_numbered_components_are_named_on_the_set(people: People) -> None:
    """The numbers belong to whichever component has such a piece here; strangers are refused."""
    suite, blr = _set(people, {"phone": 1, "sofa": 1}), people.world.blr
    for serials, code, status in (
        (None, "serials_required", 422),
        (["BLR-1", "BLR-2"], "serials_required", 422),
        (["MUM-1"], "serial_not_here", 409),
        (["BLR-1", "NONE"], "serial_not_here", 409),
    ):
        extra = {} if serials is None else {"serials": serials}
        with raises(code, status):
            sell(people.as_cashier(), blr, line(suite, 1, **extra), payments=[])
    sold = sell(people.as_cashier(), blr, line(suite, 1, serials=["BLR-1"]))
    assert sold["lines"][0]["serials"] == ["BLR-1"]


def test_lots_within_a_set_go_first_expired_first(people: People) -> None:
    """A component that is kept in lots follows the rule of lots."""
    suite = _set(people, {"paint": 5})
    sell(people.as_cashier(), people.world.blr, line(suite))
    with raises("expired_stock", 422):
        sell(people.as_cashier(), people.world.blr, line(suite), payments=[])


def test_an_empty_set_is_not_sold(people: People) -> None:
    """What has no components yet cannot leave."""
    suite = _set(people, {})
    with raises("set_incomplete", 422):
        quote(people.as_cashier(), people.world.blr, line(suite))


@pytest.mark.parametrize(
    ("set_key", "component", "quantity", "code", "status"),
    [
        ("sofa", "lamp", 1, "set_incomplete", 422),
        ("suite", "assembly", 1, "set_incomplete", 422),
        ("suite", "book", Decimal("0.5"), "invalid_input", 400),
    ],
)
def test_sets_are_made_of_goods(
    people: People, set_key: str, component: str, quantity: object, code: str, status: int
) -> None:
    """Neither services nor sets within sets, nor half a book."""
    variants = people.world.teak.variants
    with raises(code, status):
        people.as_admin().execute(
            "insert into public.set_components (org_id, set_variant_id, component_variant_id, quantity) "
            "values (%s, %s, %s, %s)",
            [people.world.teak.id, variants[set_key], variants[component], quantity],
        )


def test_what_was_sold_as_a_set_stays_so(people: People) -> None:
    """Changing the set changes no invoice."""
    sold = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["suite"]))
    _set(people, {"book": 1})
    again = people.as_cashier().rpc("get_invoice", p_id=sold["id"])
    assert again["lines"] == sold["lines"]


def test_a_set_is_not_stocked(people: People) -> None:
    """It has no shelf of its own."""
    with raises("not_found", 404):
        adjust(people, people.world.teak.variants["suite"], 1, "found")


def test_sold_by_the_roll_counted_by_the_metre(people: People) -> None:
    """A roll is 12.5 square metres: price and stock follow."""
    rug, blr = people.world.teak.variants["rug"], people.world.blr
    adjust(people, rug, 2, "found", p_options={"unit": "ROL"})
    before = on_hand(people.connection, blr.showroom, rug)
    (sold,) = sell(people.as_cashier(), blr, line(rug, 1, unit="ROL"))["lines"]
    assert (sold["unit"], sold["quantity"], sold["base_quantity"]) == ("ROL", 1, Decimal("12.5"))
    assert (sold["unit_price"], sold["taxable"]) == (Decimal("3131.25"), Decimal("3131.25"))
    assert before - on_hand(people.connection, blr.showroom, rug) == Decimal("12.5")


def test_units_the_product_does_not_have(people: People) -> None:
    """Neither the till nor the stock keeper guesses a conversion."""
    sofa = people.world.teak.variants["sofa"]
    with raises("unit_unknown", 422):
        quote(people.as_cashier(), people.world.blr, line(sofa, 1, unit="ROL"))
    with raises("unit_unknown", 422):
        adjust(people, sofa, 1, p_options={"unit": "ROL"})


def test_nothing_is_sold_from_quarantine(people: People) -> None:
    """What is damaged or held back is no goods for sale."""
    location = people.world.nobody.id
    people.as_admin().rpc(
        "create_location",
        p_id=location,
        p_branch_id=people.world.blr.id,
        p_code="Q",
        p_name="Held back",
        p_kind="quarantine",
    )
    sofa = people.world.teak.variants["sofa"]
    adjust(people, sofa, 1, "found", p_location_id=location)
    with raises("location_not_sellable", 422):
        sell(people.as_cashier(), people.world.blr, line(sofa), location=location)
