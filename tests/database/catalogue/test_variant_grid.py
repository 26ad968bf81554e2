"""generate_variants: each combination once, names and SKUs put together, only what is missing."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.database.sales import footprint
from tests.database.schema import ask
from tests.support.personas import Connection, new_id, raises, raises_sqlstate
from tests.support.world import People

MATERIAL = {"name": "material", "values": ["teak", "oak"]}
COLOUR = {"name": "colour", "values": ["sand", "moss green", "moss"]}


def generate(people: People, *grid: object, event: UUID | None = None, **options: Any) -> list[Any]:
    """The variants of the lamp's product after the grid was laid over it, the lamp itself left out."""
    answer = people.as_stockkeeper().rpc(
        "generate_variants",
        p_id=event or new_id(),
        p_product_id=people.world.teak.products["lamp"],
        p_grid=list(grid),
        p_options={"price": 10, **options},
    )
    return [variant for variant in answer["variants"] if variant["sku"] != "LAMP"]


def test_each_combination_becomes_a_variant(people: People) -> None:
    """Two by three are six, with readable names, different SKUs and the price asked for."""
    made = generate(people, MATERIAL, COLOUR, sku_prefix="LMP", price_includes_tax=True)
    assert {(v["sku"], v["name"]) for v in made} == {
        ("LMP-TEA-SAN", "Lamp, teak, sand"),
        ("LMP-TEA-MOS", "Lamp, teak, moss green"),
        ("LMP-TEA-MOSS", "Lamp, teak, moss"),
        ("LMP-OAK-SAN", "Lamp, oak, sand"),
        ("LMP-OAK-MOS", "Lamp, oak, moss green"),
        ("LMP-OAK-MOSS", "Lamp, oak, moss"),
    }
    assert {(v["price"], v["price_includes_tax"], v["tracking"]) for v in made} == {(10, True, "none")}
    assert {tuple(sorted(v["attributes"])) for v in made} == {("colour", "material")}


def test_a_larger_grid_adds_what_is_missing(people: People) -> None:
    """What is there stays as it is, archived ones too; capitals and spaces make no difference."""
    first = generate(people, MATERIAL, {"name": "colour", "values": ["sand"]}, sku_prefix="LMP")
    people.as_stockkeeper().execute(
        "update public.product_variants set archived_at = now(), price = 99 where sku = 'LMP-OAK-SAN'"
    )
    larger = generate(
        people, {"name": "Material", "values": ["OAK ", "Teak", "cane"]}, COLOUR, sku_prefix="LMP", price=20
    )
    assert len(first) == 2
    assert len(larger) == 9
    kept = {v["sku"]: v["price"] for v in larger if v["id"] in {f["id"] for f in first}}
    assert kept == {"LMP-TEA-SAN": 10, "LMP-OAK-SAN": 99}
    assert generate(people, MATERIAL, COLOUR, price=5) == larger


def test_the_same_call_again_changes_nothing(people: People) -> None:
    """One event, one grid; other content under its id is 409."""
    event = new_id()
    first = generate(people, MATERIAL, event=event)
    before = footprint(people.connection)
    assert generate(people, MATERIAL, event=event) == first
    assert footprint(people.connection) == before
    with raises("id_reused", 409):
        generate(people, COLOUR, event=event)


def test_excluded_combinations_are_not_made(people: People) -> None:
    """Whole combinations or parts of them."""
    made = generate(
        people,
        MATERIAL,
        COLOUR,
        exclude=[{"material": "Teak", "colour": "moss"}, {"colour": "sand"}],
    )
    assert {v["name"] for v in made} == {"Lamp, teak, moss green", "Lamp, oak, moss green", "Lamp, oak, moss"}


def test_skus_never_collide(people: People) -> None:
    """Neither with the business's others nor with one another, whatever the values; without a prefix too."""
    generate(people, {"name": "a", "values": ["teak"]}, sku_prefix="SOFA")
    taken = "update public.product_variants set sku = 'LAM-OAK' where sku = 'SOFA-TEA'"
    people.as_stockkeeper().execute(taken)
    made = generate(people, {"name": "b", "values": ["oak", "Oakwood", "oak-wood", "!", "?", "日本"]})
    assert len({v["sku"] for v in made}) == 7
    assert {"LAM-OAK-2", "LAM-OAKW", "LAM-X", "LAM-日本"} <= {v["sku"] for v in made}


@given(
    st.lists(
        st.text(min_size=1, max_size=12).map(str.strip).filter(bool), min_size=1, max_size=30, unique=True
    )
)
def test_short_codes_differ(worker_connection: Connection, values: list[str]) -> None:
    """As many different codes as values, eight characters or so, and stable when values are added."""
    values = [value.replace("\0", "0").encode("utf-8", "replace").decode() for value in values]
    [(codes,)] = ask(worker_connection, "select private.short_codes(%s)", [values])
    assert len(set(codes)) == len(values)
    assert all(0 < len(code) <= 10 for code in codes)
    [(fewer,)] = ask(worker_connection, "select private.short_codes(%s)", [values[:-1]])
    assert fewer == codes[:-1]


BAD: list[tuple[str, list[object], dict[str, Any]]] = [
    ("no attribute", [], {}),
    ("no object", ["material"], {}),
    ("unknown field", [{"name": "a", "values": ["b"], "c": 1}], {}),
    ("no values", [{"name": "a", "values": []}], {}),
    ("blank value", [{"name": "a", "values": [" "]}], {}),
    ("number", [{"name": "a", "values": [1]}], {}),
    ("value twice", [{"name": "a", "values": ["b", " B"]}], {}),
    ("attribute twice", [MATERIAL, {"name": "Material", "values": ["b"]}], {}),
    ("long name", [{"name": "a" * 41, "values": ["b"]}], {}),
    ("too many", [{"name": n, "values": [str(i) for i in range(11)]} for n in "abc"], {}),
    ("seven attributes", [{"name": n, "values": ["x"]} for n in "abcdefg"], {}),
    ("no price", [MATERIAL], {"price": None}),
    ("price as text", [MATERIAL], {"price": "10"}),
    ("price too fine", [MATERIAL], {"price": 0.001}),
    ("unknown option", [MATERIAL], {"colour": 1}),
    ("prefix with space", [MATERIAL], {"sku_prefix": "A B"}),
    ("prefix as number", [MATERIAL], {"sku_prefix": 5}),
    ("tracking", [MATERIAL], {"tracking": "lot"}),
    ("tax as text", [MATERIAL], {"price_includes_tax": "yes"}),
    ("exclude no array", [MATERIAL], {"exclude": {"material": "teak"}}),
    ("exclude all", [MATERIAL], {"exclude": [{}]}),
    ("exclude text", [MATERIAL], {"exclude": ["teak"]}),
]


@pytest.mark.parametrize(("grid", "options"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_malformed_grids(people: People, grid: list[object], options: dict[str, Any]) -> None:
    """400 with the field, and nothing is made."""
    before = footprint(people.connection)
    with raises("invalid_input", 400):
        generate(people, *grid, **options)
    assert footprint(people.connection) == before


def test_a_thousand_at_most(people: People) -> None:
    """A thousand combinations in one call."""
    ten = [str(n) for n in range(10)]
    made = generate(people, *({"name": n, "values": ten} for n in "abc"))
    assert len(made) == 1000
    assert len({v["sku"] for v in made}) == 1000


def test_services_and_archived_products(people: People) -> None:
    """A service is not tracked; an archived product gets no variants."""
    teak, keeper = people.world.teak, people.as_stockkeeper()
    for key, code in (("assembly", "tracking_not_possible"), ("rug", "product_archived")):
        keeper.execute("update public.products set archived_at = now() where id = %s", [teak.products["rug"]])
        with raises(code, 422):
            keeper.rpc(
                "generate_variants",
                p_id=new_id(),
                p_product_id=teak.products[key],
                p_grid=[MATERIAL],
                p_options={"price": 1, "tracking": "batch"},
            )


def test_a_combination_is_there_once(people: People) -> None:
    """Also when somebody writes the table; without attributes a product may have several."""
    add = (
        "insert into public.product_variants (org_id, product_id, sku, name, price, attributes) "
        "values (%s, %s, %s, 'X', 1, %s)"
    )
    teak, keeper = people.world.teak, people.as_stockkeeper()
    keeper.execute(add, [teak.id, teak.products["lamp"], "A", '{"Colour": "Sand", "b": 1}'])
    with raises_sqlstate("23505"):
        keeper.execute(add, [teak.id, teak.products["lamp"], "B", '{"b": 1, "colour": "sand"}'])
    assert keeper.execute(add, [teak.id, teak.products["sofa"], "B", '{"b": 1, "colour": "sand"}']) == 1
    assert keeper.execute(add, [teak.id, teak.products["lamp"], "C", "{}"]) == 1
