"""search_variants: every word, any order, the best first; every change found at once."""

# Names put into statements come from this file, never from input.
# ruff: noqa: S608

import json
from typing import Any

import pytest

from tests.database.schema import ask
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def search(person: Persona, people: People, query: str | None, limit: int = 50, **filters: Any) -> Any:
    """The whole answer."""
    return person.rpc(
        "search_variants",
        p_org_id=people.world.teak.id,
        p_query=query,
        p_filters=filters,
        p_limit=limit,
        p_cursor=None,
    )


def found(people: People, query: str | None, **filters: Any) -> list[str]:
    """The SKUs that a cashier finds, in order."""
    return [item["sku"] for item in search(people.as_cashier(), people, query, **filters)["items"]]


@pytest.fixture
def chairs(people: People) -> People:
    """A product with a brand and variants in a category."""
    keeper, teak = people.as_stockkeeper(), people.world.teak
    category, product = new_id(), new_id()
    keeper.execute(
        "insert into public.categories (id, org_id, name) values (%s, %s, 'Chairs')", [category, teak.id]
    )
    keeper.execute(
        "insert into public.products (id, org_id, name, category_id, brand_id, tax_class_id) "
        "select %s, p.org_id, 'Windsor chair', %s, (select id from public.brands), p.tax_class_id "
        "from public.products p where p.id = %s",
        [product, category, teak.products["sofa"]],
    )
    for sku, name, colour, barcode in (
        ("CHR", "Chair", "sand", None),
        ("CHR-2", "Chair, high back, 100% cane_work", "moss green", "4006381333931"),
        ("OAK-CHR-3", "Rocking chair", "indigo", "73513537"),
        ("WIN-4", "Bench", "sand", None),
    ):
        keeper.execute(
            "insert into public.product_variants (org_id, product_id, sku, name, price, attributes, barcode) "
            "values (%s, %s, %s, %s, 10, %s, %s)",
            [teak.id, product, sku, name, json.dumps({"colour": colour, "shape": sku[-1]}), barcode],
        )
    return people


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("chr", ["CHR", "CHR-2", "OAK-CHR-3"]),
        ("CHAIR", ["CHR", "CHR-2", "OAK-CHR-3", "WIN-4"]),
        ("green  high", ["CHR-2"]),
        ("high green windsor house", ["CHR-2"]),
        ("windsor indigo", ["OAK-CHR-3"]),
        ("4006381333931", ["CHR-2"]),
        ("04006381333931", ["CHR-2"]),
        ("0063813", ["CHR-2"]),
        ("73513537", ["OAK-CHR-3"]),
        ("0000073513537", ["OAK-CHR-3"]),
        ("be", ["WIN-4"]),
        ("w 4", ["WIN-4"]),
        ("oa", ["OAK-CHR-3"]),
        ("100%", ["CHR-2"]),
        ("e_w", ["CHR-2"]),
        ("%%%", []),
        ("___", []),
        ("chair \\", []),
        ("chair'\"", []),
        ("windsor sofa", []),
        ("ch;ir", []),
    ],
)
def test_words(chairs: People, query: str, skus: list[str]) -> None:
    """All words occur, in any order and field; one or two letters begin a word; nothing is a wildcard."""
    assert sorted(found(chairs, query)) == sorted(skus)


def test_the_best_comes_first(chairs: People) -> None:
    """The SKU or code itself, then what begins so, then what resembles it most."""
    assert found(chairs, "chr")[:2] == ["CHR", "CHR-2"]
    assert found(chairs, "chair") == ["CHR", "CHR-2", "OAK-CHR-3", "WIN-4"]
    assert found(chairs, "oak-chr-3")[0] == "OAK-CHR-3"
    chairs.as_stockkeeper().execute(
        "insert into public.variant_barcodes (org_id, variant_id, code) "
        "select org_id, id, 'CHAIR' from public.product_variants where sku = 'WIN-4'"
    )
    assert found(chairs, "Chair")[0] == "WIN-4" or found(chairs, "CHAIR")[0] == "WIN-4"


def test_every_change_is_found(chairs: People) -> None:
    """Names, SKUs, codes, attributes, the product, its brand: old words are gone, new ones are there."""
    keeper = chairs.as_stockkeeper()
    where = "where sku in ('WIN-4', 'NEW-4')"
    for change, old, new in (
        (f"update public.product_variants set name = 'Settle' {where}", "bench", "settle"),
        (f"update public.product_variants set sku = 'NEW-4' {where}", "win-4", "new-4"),
        (
            f'update public.product_variants set attributes = \'{{"finish": "waxed"}}\' {where}',
            "settle sand",
            "settle waxed",
        ),
        ("update public.products set name = 'Shaker' where name = 'Windsor chair'", "windsor", "shaker"),
        ("update public.brands set name = 'Thonet'", "settle house", "settle thonet"),
        ("update public.products set brand_id = null where name = 'Shaker'", "thonet", "shaker settle"),
    ):
        assert found(chairs, old), old
        keeper.execute(change)
        assert found(chairs, old) == [], old
        assert "NEW-4" in found(chairs, new) or "WIN-4" in found(chairs, new), new
    keeper.execute(
        "insert into public.variant_barcodes (org_id, variant_id, code) "
        f"select org_id, id, 'SHELF-77' from public.product_variants {where}"
    )
    assert found(chairs, "shelf-77") == ["NEW-4"]
    keeper.execute("delete from public.variant_barcodes where code = 'SHELF-77'")
    assert found(chairs, "shelf-77") == []


def test_filters(chairs: People) -> None:
    """Category with all beneath it, brand, product, attributes, archived."""
    keeper, owner, org = chairs.as_stockkeeper(), chairs.connection, chairs.world.teak.id
    [(category, brand, product)] = ask(
        owner, "select category_id, brand_id, id from public.products where name = 'Windsor chair'"
    )
    above = new_id()
    keeper.execute("insert into public.categories (id, org_id, name) values (%s, %s, 'Above')", [above, org])
    keeper.execute("update public.categories set parent_id = %s where id = %s", [above, category])
    everything = ["CHR", "CHR-2", "OAK-CHR-3", "WIN-4"]
    for filters in (
        {"category_id": above},
        {"category_id": category},
        {"brand_id": brand},
        {"product_id": product},
    ):
        assert found(chairs, None, **filters) == everything
        assert found(chairs, "sofa", **filters) == []
    assert found(chairs, "", category_id=new_id()) == []
    assert found(chairs, None, attributes={"colour": "sand"}) == ["CHR", "WIN-4"]
    keeper.execute("update public.product_variants set archived_at = now() where sku = 'WIN-4'")
    assert found(chairs, "chair", archived=True) == ["WIN-4"]
    assert "WIN-4" not in found(chairs, "chair")
    assert "WIN-4" in found(chairs, "chair", archived=None)
    keeper.execute("update public.products set archived_at = now() where id = %s", [product])
    assert found(chairs, "chair") == []


def test_pages_follow_one_another(chairs: People) -> None:
    """Every row once, in the same order as on one long page, with and without words."""
    for query in ("chair", None, "c"):
        whole = [item["id"] for item in search(chairs.as_cashier(), chairs, query, 200)["items"]]
        assert len(whole) >= 4
        seen: list[str] = []
        cursor = None
        while True:
            page = chairs.as_cashier().rpc(
                "search_variants",
                p_org_id=chairs.world.teak.id,
                p_query=query,
                p_filters={},
                p_limit=1,
                p_cursor=cursor,
            )
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == whole


def test_items_show_what_lists_need(people: People) -> None:
    """The variant with its product, brand, codes; available summed over the caller's branches only."""
    [sofa] = search(people.as_admin(), people, "sofa", product_id=people.world.teak.products["sofa"])["items"]
    assert (sofa["sku"], sofa["product_name"], sofa["kind"], sofa["unit_code"]) == (
        "SOFA",
        "Sofa",
        "goods",
        "NOS",
    )
    assert (sofa["barcodes"], sofa["brand"]) == (["036000291452"], None)
    blr, everywhere = (
        search(person, people, "sofa")["items"][0]["available"]
        for person in (people.as_cashier(), people.as_admin())
    )
    assert (blr, everywhere) == (9, 19)
    assert (
        search(people.as_admin(), people, "sofa", branch_id=people.world.mum.id)["items"][0]["available"]
        == 10
    )
    [suite] = search(people.as_cashier(), people, "suite")["items"]
    assert suite["available"] == 5
    assert search(people.as_cashier(), people, "assembly")["items"][0]["available"] is None


def test_in_stock(people: People) -> None:
    """What can be sold here and now, sets by their components."""
    owner, lamp = people.connection, people.world.teak.variants["lamp"]
    assert {"SUITE", "LAMP"} <= set(found(people, None, in_stock=True))
    assert "ASSEMBLY" in found(people, None, in_stock=False)
    owner.execute(
        "update public.stock_levels set reserved = on_hand where variant_id = %s and branch_id = %s",
        [lamp, people.world.blr.id],
    )
    assert not {"SUITE", "LAMP"} & set(found(people, None, in_stock=True))
    everywhere = search(people.as_admin(), people, "lamp", in_stock=True)["items"]
    assert [item["sku"] for item in everywhere if item["sku"] == "LAMP"] == ["LAMP"]


def test_who_may_not_see_stock(people: People) -> None:
    """available is null without stock.read, and filters by stock are refused; so are other branches."""
    people.connection.execute(
        "delete from public.role_permissions where permission = 'stock.read' and role_id in "
        "(select id from public.roles where key = 'cashier')"
    )
    assert search(people.as_cashier(), people, "sofa")["items"][0]["available"] is None
    for filters in ({"in_stock": True}, {"branch_id": people.world.blr.id}):
        with raises("permission_denied", 403):
            search(people.as_cashier(), people, "sofa", **filters)
    with raises("not_found", 404):
        search(people.as_technician(), people, "sofa", branch_id=people.world.mum.id)
    with raises("not_found", 404):
        search(people.as_foreign_admin(), people, "sofa")


@pytest.mark.parametrize(
    "changed",
    [
        {"p_query": "x" * 201},
        {"p_query": "a b c d e f g h i j k"},
        {"p_limit": 0},
        {"p_limit": 201},
        {"p_limit": None},
        {"p_cursor": "x"},
        {"p_cursor": "WzFd"},
        {"p_filters": []},
        {"p_filters": {"colour": "sand"}},
        {"p_filters": {"brand_id": "mine"}},
        {"p_filters": {"archived": "no"}},
        {"p_filters": {"attributes": "sand"}},
    ],
)
def test_malformed_questions(people: People, changed: dict[str, object]) -> None:
    """400 with the field."""
    arguments = {"p_org_id": people.world.teak.id, "p_query": "sofa", "p_filters": {}} | changed
    with raises("invalid_input", 400) as refusal:
        people.as_cashier().rpc("search_variants", **arguments)
    assert refusal.facts["field"]


def test_find_functions_are_lists(chairs: People) -> None:
    """Rows of the tables, archived ones too, to be filtered and sorted by whoever asks."""
    cashier, org = chairs.as_cashier(), chairs.world.teak.id
    variants = cashier.rpc("find_variants", p_org_id=org, p_query="windsor sand")
    assert sorted(v["sku"] for v in variants) == ["CHR", "WIN-4"]
    assert [p["name"] for p in cashier.rpc("find_products", p_org_id=org, p_query="WIND ch")] == [
        "Windsor chair"
    ]
    assert [p["name"] for p in cashier.rpc("find_products", p_org_id=org, p_query="9405")] == ["Lamp"]
    assert cashier.rpc("find_products", p_org_id=org, p_query="%") == []
    assert len(cashier.rpc("find_products", p_org_id=org, p_query="")) == len(chairs.world.teak.products) + 1


def test_words_are_found_through_the_index(people: People) -> None:
    """Organisation and every word are conditions of the one index, short words too."""
    # A table of a few rows would be read whole, by its key if need be.
    people.connection.execute("alter table private.variant_search drop constraint variant_search_pkey")
    people.connection.execute("set local enable_seqscan = off")
    for words in ("sofa te", "x"):
        [(patterns,)] = ask(people.connection, "select private.search_patterns(%s)", [words])
        [(clause,)] = ask(people.connection, "select private.search_clause(%s, 's.document')", [patterns])
        conditions = clause.replace("$2", "(%s::text[])")
        plan = "\n".join(
            row[0]
            for row in ask(
                people.connection,
                f"explain select from private.variant_search s where s.org_id = %s{conditions}",
                [people.world.teak.id, *[patterns] * len(patterns)],
            )
        )
        assert "variant_search_words" in plan, plan
        condition = plan.partition("Index Cond:")[2]
        assert "org_id" in condition
        assert condition.count("document ~~") == len(patterns), plan
