"""The catalogue under hands that cross one another: moves, grids, codes, removals, and the search."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest

from bench.shop import Connection, Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together

ROUNDS = 10


def read(shop: Shop, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Rows read past every policy."""
    with psycopg.connect(shop.url) as owner:
        return owner.execute(query.encode(), parameters).fetchall()


def write(connection: Connection, statement: str, *parameters: object) -> int:
    """One statement of a client; how many rows it touched."""
    return connection.execute(statement.encode(), parameters).rowcount


def test_moves_that_would_close_a_circle(found_shop: FoundShop, till: OpenTill) -> None:
    """Each alone is allowed; together, through two levels, one of three is refused."""
    shop = found_shop()
    keeper, tills = till(shop), [till(shop) for _ in range(3)]
    for number in range(ROUNDS):
        found = [uuid.uuid4() for _ in range(3)]
        for place, category in enumerate(found):
            write(
                keeper,
                "insert into public.categories (id, org_id, name) values (%s, %s, %s)",
                category,
                shop.org_id,
                f"{number}-{place}",
            )
        move = "update public.categories set parent_id = %s where id = %s"
        outcomes = together([partial(write, tills[n], move, found[(n + 1) % 3], found[n]) for n in range(3)])
        assert refusals(outcomes) == ["category_cycle"]
        assert results(outcomes) == [1, 1]
    reachable = keeper.execute("select count(*) from public.category_tree(%s)", [shop.org_id]).fetchone()
    assert reachable == (3 * ROUNDS,)


def test_grids_at_once_make_each_variant_once(found_shop: FoundShop, till: OpenTill) -> None:
    """Overlapping grids of one product: everybody is served, every combination is there once."""
    shop = found_shop(variants=1)
    [(product,)] = read(shop, "select product_id from public.product_variants")
    values = ["sand", "grey", "indigo", "teal", "rust"]
    grids = [
        json.dumps([{"name": "colour", "values": values[n:]}, {"name": "size", "values": ["S", "M"]}])
        for n in range(4)
    ]
    outcomes = together(
        [
            partial(call, till(shop), "generate_variants", uuid.uuid4(), product, grid, '{"price": 10}')
            for grid in grids * 2
        ]
    )
    assert refusals(outcomes) == []
    rows = read(
        shop, "select count(*), count(distinct attributes), count(distinct sku) from public.product_variants"
    )
    assert rows == [(11, 11, 11)]


def test_the_same_grid_call_twice_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    """A repeated request that overtakes the first waits for it."""
    shop = found_shop(variants=1)
    [(product,)] = read(shop, "select product_id from public.product_variants")
    grid, event = '[{"name": "colour", "values": ["sand", "grey"]}]', uuid.uuid4()
    outcomes = together(
        [
            partial(call, till(shop), "generate_variants", event, product, grid, '{"price": 10}')
            for _ in range(4)
        ]
    )
    assert refusals(outcomes) == []
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert len(outcomes[0]["variants"]) == 3


def test_generated_codes_are_never_given_twice(found_shop: FoundShop, till: OpenTill) -> None:
    """Many at once, some for the same variant: all different, without a gap."""
    shop = found_shop(variants=3)
    outcomes = together(
        [partial(call, till(shop), "generate_barcode", uuid.uuid4(), shop.variants[n % 3]) for n in range(9)]
    )
    assert refusals(outcomes) == []
    assert sorted(int(made["code"][2:12]) for made in outcomes) == list(range(1, 10))
    assert sum(made["primary"] for made in outcomes) == 3


def test_one_code_for_two_variants_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    """As UPC-A here and EAN-13 there, on the label and beside it: one has it, the others are told."""
    shop = found_shop(variants=3)
    label = "update public.product_variants set barcode = %s where id = %s"
    beside = "insert into public.variant_barcodes (code, variant_id, org_id) values (%s, %s, %s)"
    outcomes = together(
        [
            partial(write, till(shop), label, "036000291452", shop.variants[0]),
            partial(write, till(shop), label, "0036000291452", shop.variants[1]),
            partial(write, till(shop), beside, "00036000291452", shop.variants[2], shop.org_id),
        ]
    )
    assert refusals(outcomes) == ["23505", "23505"]
    assert len(read(shop, "select 1 from public.variant_barcodes where gtin14 = '00036000291452'")) == 1


def test_removing_what_somebody_begins_to_use(found_shop: FoundShop, till: OpenTill) -> None:
    """A category is deleted while a product moves into it: one of the two is refused, in words."""
    shop = found_shop(variants=1)
    keeper, remover, mover = till(shop), till(shop), till(shop)
    for number in range(ROUNDS):
        category = uuid.uuid4()
        write(
            keeper,
            "insert into public.categories (id, org_id, name) values (%s, %s, %s)",
            category,
            shop.org_id,
            f"C{number}",
        )
        outcomes = together(
            [
                partial(write, remover, "delete from public.categories where id = %s", category),
                partial(write, mover, "update public.products set category_id = %s", category),
            ]
        )
        assert refusals(outcomes) in (["in_use"], ["23503"])
        assert results(outcomes) == [1]
        write(keeper, "update public.products set category_id = null")


def test_the_search_keeps_up_with_changes_that_cross(found_shop: FoundShop, till: OpenTill) -> None:
    """Variant, product, brand and a new variant at once: afterwards every text is that of its rows."""
    shop = found_shop(variants=1)
    [(product,)] = read(shop, "select product_id from public.product_variants")
    keeper, brand = till(shop), uuid.uuid4()
    write(keeper, "insert into public.brands (id, org_id, name) values (%s, %s, 'B')", brand, shop.org_id)
    write(keeper, "update public.products set brand_id = %s", brand)
    hands = [till(shop) for _ in range(4)]
    for number in range(ROUNDS):
        outcomes = together(
            [
                partial(write, hands[0], "update public.brands set name = %s", f"Brand{number}x"),
                partial(write, hands[1], "update public.products set name = %s", f"Product{number}x"),
                partial(
                    write,
                    hands[2],
                    "update public.product_variants set name = %s where id = %s",
                    f"Variant{number}x",
                    shop.variants[0],
                ),
                partial(
                    write,
                    hands[3],
                    "insert into public.product_variants (org_id, product_id, sku, name, price) "
                    "values (%s, %s, %s, 'New', 1)",
                    shop.org_id,
                    product,
                    f"NEW-{number}",
                ),
            ]
        )
        assert refusals(outcomes) == []
        texts = read(shop, "select document from private.variant_search")
        assert len(texts) == number + 2
        assert all(f"product{number}x brand{number}x" in text for (text,) in texts)
        assert sum(f"variant{number}x" in text for (text,) in texts) == 1


@pytest.mark.parametrize("code", [None, "CRATE-9"])
@pytest.mark.parametrize("table", ["brands", "products"])
def test_a_rename_beside_the_removal_of_a_variant(
    found_shop: FoundShop, till: OpenTill, table: str, code: str | None
) -> None:
    """Who renames waits for who removes, and goes on without the variant; a code of it is no matter."""
    shop = found_shop(variants=2)
    keeper, renamer, brand, doomed = till(shop), till(shop), uuid.uuid4(), uuid.uuid4()
    [(product,)] = read(shop, "select product_id from public.product_variants limit 1")
    write(keeper, "insert into public.brands (id, org_id, name) values (%s, %s, 'B')", brand, shop.org_id)
    write(keeper, "update public.products set brand_id = %s", brand)
    write(
        keeper,
        "insert into public.product_variants (id, org_id, product_id, sku, name, price, barcode) "
        "values (%s, %s, %s, 'DOOMED', 'Doomed', 1, %s)",
        doomed,
        shop.org_id,
        product,
        code,
    )
    with ThreadPoolExecutor(1) as pool:
        with keeper.transaction():
            write(keeper, "delete from public.product_variants where id = %s", doomed)
            renaming = pool.submit(write, renamer, f"update public.{table} set name = 'Renamed'")  # noqa: S608
            waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'Renamed'"
            while not renaming.done() and not read(shop, waiting):
                time.sleep(0.01)
        assert renaming.result() > 0
    texts = [text for (text,) in read(shop, "select document from private.variant_search")]
    assert len(texts) == 2
    assert any("renamed" in text for text in texts)


@pytest.mark.parametrize("first", ["picture", "removal"])
def test_a_picture_beside_the_removal_of_its_file(found_shop: FoundShop, till: OpenTill, first: str) -> None:
    """Whoever comes second waits, and finds the file in use, or gone."""
    shop = found_shop(variants=1)
    [(product,)] = read(shop, "select product_id from public.product_variants")
    one, other, path = till(shop), till(shop), f"{shop.org_id}/{product}/front.png"
    write(one, "insert into storage.objects (bucket_id, name) values ('product-images', %s)", path)
    for hand in (one, other):  # As Storage does, before it removes the bytes too.
        write(hand, "select set_config('storage.allow_delete_query', 'true', false)")
    acts = {
        "picture": (
            "insert into public.product_images (org_id, product_id, path) values (%s, %s, %s)",
            (shop.org_id, product, path),
        ),
        "removal": ("delete from storage.objects where name = %s", (path,)),
    }
    second = next(act for name, act in acts.items() if name != first)
    with ThreadPoolExecutor(1) as pool:
        with one.transaction():
            assert write(one, acts[first][0], *acts[first][1]) == 1
            waiting = pool.submit(together, [partial(write, other, second[0], *second[1])])
            blocked = "select from pg_stat_activity where wait_event_type = 'Lock'"
            while not waiting.done() and not read(shop, blocked):
                time.sleep(0.01)
        outcomes = waiting.result()
    assert (refusals(outcomes), results(outcomes)) == (
        ([], [0]) if first == "picture" else (["file_missing"], [])
    )
    assert (
        read(
            shop,
            "select from public.product_images i where not exists "
            "(select from storage.objects o where o.bucket_id = i.bucket_id and o.name = i.path)",
        )
        == []
    )
