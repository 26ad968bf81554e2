"""The category tree: any depth, moved safely, never a circle; brands; removal of what nothing uses."""

# Names put into statements come from this file, never from input.
# ruff: noqa: S608

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.sales import line, sell
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People

MOVE = "update public.categories set parent_id = %s where id = %s"
# Those of all organisations, against the tree itself.
WRONG_PATHS = """
  with recursive tree as (
    select id, array[id] as path from public.categories where parent_id is null
    union all
    select c.id, t.path || c.id from tree t join public.categories c on c.parent_id = t.id
  )
  select * from tree t full join private.category_paths p on p.category_id = t.id
  where t.path is distinct from p.path"""


def plant(person: Persona, org_id: UUID, name: str, parent: UUID | None = None) -> UUID:
    """A category."""
    made = new_id()
    person.execute(
        "insert into public.categories (id, org_id, parent_id, name) values (%s, %s, %s, %s)",
        [made, org_id, parent, name],
    )
    return made


def chain(people: People, depth: int) -> list[UUID]:
    """Categories each within the one before."""
    keeper, found = people.as_stockkeeper(), list[UUID]()
    for number in range(depth):
        found.append(plant(keeper, people.world.teak.id, f"C{number}", found[-1] if found else None))
    return found


def test_the_tree_is_read_in_order_with_paths_and_counts(people: People) -> None:
    """Path, depth, products of its own and with all beneath; archived products do not count."""
    teak, keeper = people.world.teak, people.as_stockkeeper()
    top, middle, leaf = chain(people, 3)
    for key, category in (("sofa", top), ("lamp", leaf), ("rug", leaf)):
        keeper.execute(
            "update public.products set category_id = %s where id = %s", [category, teak.products[key]]
        )
    keeper.execute("update public.products set archived_at = now() where id = %s", [teak.products["rug"]])
    rows = people.as_cashier().rpc("category_tree", p_org_id=teak.id)
    assert [row["path"] for row in rows] == [["All"], ["C0"], ["C0", "C1"], ["C0", "C1", "C2"]]
    seen = {row["id"]: (row["depth"], row["products"], row["products_within"]) for row in rows}
    assert [seen[str(each)] for each in (top, middle, leaf)] == [(1, 1, 2), (2, 0, 1), (3, 1, 1)]
    keeper.execute(MOVE, [None, leaf])
    paths = [row["path"] for row in people.as_cashier().rpc("category_tree", p_org_id=teak.id)]
    assert paths == [["All"], ["C0"], ["C0", "C1"], ["C2"]]


@pytest.mark.parametrize(("moved", "target"), [(0, 0), (0, 1), (0, 9), (4, 8)])
def test_a_circle_is_refused(people: People, moved: int, target: int) -> None:
    """Not beneath itself, at no distance."""
    line_of = chain(people, 10)
    with raises("category_cycle", 422):
        people.as_stockkeeper().execute(MOVE, [line_of[target], line_of[moved]])
    assert len(people.as_admin().rpc("category_tree", p_org_id=people.world.teak.id)) == 11


def test_a_circle_of_several_moves_in_one_statement_is_refused(people: People) -> None:
    """Each row is looked at with the rows before it moved."""
    teak, keeper = people.world.teak, people.as_stockkeeper()
    a, b = plant(keeper, teak.id, "A"), plant(keeper, teak.id, "B")
    with raises("category_cycle", 422):
        keeper.execute(
            "update public.categories set parent_id = case id when %s then %s::uuid else %s::uuid end "
            "where id in (%s, %s)",
            [a, b, a, a, b],
        )


def test_nothing_is_put_beneath_an_archived_or_foreign_category(people: People) -> None:
    """Archived: 422; of another business: the key knows no such parent."""
    teak, keeper = people.world.teak, people.as_stockkeeper()
    closed, other = plant(keeper, teak.id, "Closed"), plant(keeper, teak.id, "Other")
    keeper.execute("update public.categories set archived_at = now() where id = %s", [closed])
    with raises("category_archived", 422):
        keeper.execute(MOVE, [closed, other])
    with raises("category_archived", 422):
        plant(keeper, teak.id, "New", closed)
    foreign = plant(people.as_foreign_admin(), people.world.lagoon.id, "Foreign")
    with raises_sqlstate("23503"):
        keeper.execute(MOVE, [foreign, other])
    assert people.as_foreign_admin().execute(MOVE, [None, other]) == 0
    assert people.as_cashier().execute(MOVE, [None, other]) == 0


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)), max_size=25))
def test_whatever_is_moved_stays_a_tree(people: People, moves: list[tuple[int, int | None]]) -> None:
    """Any moves, some of them refused: everything stays within reach of the top."""
    with people.connection.transaction(force_rollback=True):
        found, keeper = chain(people, 7), people.as_stockkeeper()
        parents: dict[int, int | None] = {n: n - 1 if n else None for n in range(7)}
        for moved, target in moves:
            above, at = set(), target
            while at is not None:
                above.add(at)
                at = parents[at]
            if moved in above:
                with raises("category_cycle", 422):
                    keeper.execute(MOVE, [None if target is None else found[target], found[moved]])
            else:
                keeper.execute(MOVE, [None if target is None else found[target], found[moved]])
                parents[moved] = target
        rows = people.as_admin().rpc("category_tree", p_org_id=people.world.teak.id)
        parent_of = {row["id"]: row["parent_id"] for row in rows}
        for number, parent in parents.items():
            assert parent_of[str(found[number])] == (None if parent is None else str(found[parent]))
        assert people.connection.execute(WRONG_PATHS).fetchall() == []


def test_paths_of_categories_that_come_in_any_order(people: People) -> None:
    """One statement brings the leaf first: the path of each is the way down to it all the same."""
    top, middle, leaf = (new_id() for _ in range(3))
    people.as_stockkeeper().execute(
        "insert into public.categories (id, org_id, parent_id, name) values"
        " (%s, %s, %s, 'Leaf'), (%s, %s, %s, 'Middle'), (%s, %s, null, 'Top')",
        [leaf, people.world.teak.id, middle, middle, people.world.teak.id, top, top, people.world.teak.id],
    )
    assert people.connection.execute(WRONG_PATHS).fetchall() == []
    assert people.connection.execute(
        "select path from private.category_paths where category_id = %s", [leaf]
    ).fetchone() == ([top, middle, leaf],)
    people.as_stockkeeper().execute("delete from public.categories where id = %s", [leaf])
    assert people.connection.execute(WRONG_PATHS).fetchall() == []


def test_brand_names_are_there_once(people: People) -> None:
    """Whatever the capitals and the spaces; another business may have the same."""
    for name in ("House", "HOUSE", " house "):
        with raises_sqlstate("23505"):
            people.as_stockkeeper().execute(
                "insert into public.brands (org_id, name) values (%s, %s)", [people.world.teak.id, name]
            )
    with raises_sqlstate("42501"):
        people.as_cashier().execute(
            "insert into public.brands (org_id, name) values (%s, 'Mine')", [people.world.teak.id]
        )


def test_what_is_used_is_archived_not_removed(people: People) -> None:
    """409 in_use with the table that refers to it; unused it goes, with its codes."""
    teak, keeper, owner = people.world.teak, people.as_stockkeeper(), people.connection
    parent = plant(keeper, teak.id, "Parent")
    child = plant(keeper, teak.id, "Child", parent)
    keeper.execute(
        "update public.products set category_id = %s, brand_id = (select id from public.brands) "
        "where id = %s",
        [child, teak.products["sofa"]],
    )
    variant = "select id from public.product_variants where product_id = %s"
    for statement, key, used_by in (
        ("categories where id = %s", parent, "categories"),
        ("categories where id = %s", child, "products"),
        ("brands where org_id = %s", teak.id, "products"),
        ("products where id = %s", teak.products["sofa"], "product_variants"),
        (f"product_variants where id = ({variant})", teak.products["lamp"], None),
    ):
        with raises("in_use", 409) as refusal:
            keeper.execute(f"delete from public.{statement}", [key])
        assert used_by in (None, refusal.facts["used_by"])
    product, made = new_id(), new_id()
    keeper.execute(
        "insert into public.products (id, org_id, name, tax_class_id) "
        "select %s, org_id, 'Stool', tax_class_id from public.products where id = %s",
        [product, teak.products["sofa"]],
    )
    keeper.execute(
        "insert into public.product_variants (id, org_id, product_id, sku, name, price, barcode) "
        "values (%s, %s, %s, 'STOOL', 'Stool', 1, '4006381333931')",
        [made, teak.id, product],
    )
    assert people.as_cashier().execute("delete from public.product_variants where id = %s", [made]) == 0
    assert keeper.execute("delete from public.product_variants where id = %s", [made]) == 1
    assert keeper.execute("delete from public.products where id = %s", [product]) == 1
    assert owner.execute(
        "select count(*) from public.variant_barcodes where variant_id = %s", [made]
    ).fetchone() == (0,)


def test_what_was_sold_stays(people: People) -> None:
    """Even who owns the tables cannot remove a variant that documents name; one of them is told."""
    sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["assembly"]))
    with raises("in_use", 409) as refusal, people.connection.transaction():
        people.connection.execute(
            "delete from public.product_variants where id = %s", [people.world.teak.variants["assembly"]]
        )
    assert refusal.facts["used_by"] in {"invoice_lines", "delivery_lines", "sales_order_lines"}


@pytest.mark.parametrize(("key", "tracking"), [("assembly", "serial"), ("suite", "batch"), ("rug", "serial")])
def test_tracking_is_for_goods_in_whole_units(people: People, key: str, tracking: str) -> None:
    """No serial numbers on services, sets and square metres."""
    with raises("tracking_not_possible", 422):
        people.as_stockkeeper().execute(
            "update public.product_variants set tracking = %s where id = %s",
            [tracking, people.world.teak.variants[key]],
        )


def test_tracking_is_fixed_once_stocked(people: People) -> None:
    """Before the first piece it may change, afterwards not; the same again is no change."""
    teak, keeper = people.world.teak, people.as_stockkeeper()
    change = "update public.product_variants set tracking = %s where id = %s"
    with raises("in_use", 409):
        keeper.execute(change, ["serial", teak.variants["sofa"]])
    assert keeper.execute(change, ["none", teak.variants["sofa"]]) == 1
    made = new_id()
    keeper.execute(
        "insert into public.product_variants (id, org_id, product_id, sku, name, price, tracking) "
        "values (%s, %s, %s, 'NEW', 'New', 1, 'batch')",
        [made, teak.id, teak.products["sofa"]],
    )
    assert keeper.execute(change, ["serial", made]) == 1
