"""People who count while others sell, and presses of one button at the same moment."""

import json
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg

from bench.shop import Connection, Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together

WAITING = """
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like '%%save_reorder_rule%%'
"""


def start(shop: Shop, connection: Connection, kind: str = "full", **options: Any) -> uuid.UUID:
    """Start a count of the first branch's shop."""
    made = uuid.uuid4()
    call(connection, "start_count", made, shop.branches[0].location_id, kind, json.dumps(options))
    return made


def enter(connection: Connection, count: uuid.UUID, variant: uuid.UUID, quantity: object) -> Any:
    """Enter what was counted of one variant."""
    lines = json.dumps([{"variant_id": str(variant), "quantity": quantity}])
    return call(connection, "record_count", uuid.uuid4(), count, lines)


def step(connection: Connection, act: str, count: uuid.UUID) -> Any:
    """Take a count one step further."""
    return call(connection, act, uuid.uuid4(), count)


def rows(shop: Shop, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Ask as the owner, past every policy."""
    with psycopg.connect(shop.url) as owner:
        return owner.execute(query.encode(), parameters).fetchall()


def levels(shop: Shop) -> dict[uuid.UUID, int]:
    """on_hand of every variant at the first branch."""
    found = rows(
        shop,
        "select variant_id, on_hand from public.stock_levels where location_id = %s",
        shop.branches[0].location_id,
    )
    return {variant: int(on_hand) for variant, on_hand in found}


def test_counting_and_posting_while_selling_finds_the_thefts_and_nothing_else(
    found_shop: FoundShop, till: OpenTill
) -> None:
    variants, stock, sellers = 6, 400, 4
    shop = found_shop(variants=variants, stock=stock)
    # What really lies there: three pieces of the first variant were stolen, two of the second turned up.
    shelf = dict.fromkeys(shop.variants, stock)
    shelf[shop.variants[0]] -= 3
    shelf[shop.variants[1]] += 2
    # A piece is taken and paid as one; who counts a shelf looks at it between two customers.
    standing_at = {variant: threading.Lock() for variant in shop.variants}
    done = threading.Event()
    count = start(shop, till(shop))

    def sell_on(number: int) -> int:
        chance, connection, sold = random.Random(number), till(shop), 0
        while not done.is_set() and sold < 60:
            variant = chance.choice(shop.variants)
            with standing_at[variant]:
                shop.sell(connection, shop.branches[0], [variant])
                shelf[variant] -= 1
            sold += 1
        return sold

    def count_all() -> Any:
        connection = till(shop)
        try:
            for variant in shop.variants:
                with standing_at[variant]:
                    enter(connection, count, variant, shelf[variant])
            step(connection, "submit_count", count)
            step(connection, "approve_count", count)
            return step(connection, "post_count", count)
        finally:
            done.set()

    outcomes = together([count_all, *(partial(sell_on, number) for number in range(sellers))])
    assert refusals(outcomes) == []
    assert sum(outcomes[1:]) > 0
    variances = {line["variant_id"]: line["figures"]["posted"] for line in outcomes[0]["lines"]}
    assert variances == {str(variant): 0 for variant in shop.variants} | {
        str(shop.variants[0]): -3,
        str(shop.variants[1]): 2,
    }
    assert levels(shop) == shelf


def test_people_who_enter_a_find_at_once_make_one_line_and_lose_nothing(
    found_shop: FoundShop, till: OpenTill
) -> None:
    shop = found_shop(variants=3)
    count = start(shop, till(shop))

    def enter_all(number: int) -> int:
        connection, variants = till(shop), list(shop.variants)
        variants.sort(reverse=number % 2 == 1)
        for variant in variants:
            enter(connection, count, variant, number)
        lines = [{"variant_id": str(variant), "quantity": 1} for variant in variants]
        call(connection, "record_count", uuid.uuid4(), count, json.dumps(lines))
        return number

    outcomes = together([partial(enter_all, number) for number in range(1, 9)])
    assert refusals(outcomes) == []
    found = call(till(shop), "get_count", count)
    assert [line["counted"] for line in found["lines"]] == [36 + 8] * 3
    assert sorted(line["line_no"] for line in found["lines"]) == [1, 2, 3]
    entries = rows(shop, "select count(*) from public.stock_count_entries where count_id = %s", count)
    assert entries == [(48,)]


def test_an_entry_is_in_the_submitted_sum_or_refused(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    [variant] = shop.variants
    for _ in range(5):
        count = start(shop, till(shop))
        enter(till(shop), count, variant, 1)
        counters = [partial(enter, till(shop), count, variant, 1) for _ in range(6)]
        outcomes = together([*counters, partial(step, till(shop), "submit_count", count)])
        submitted = outcomes[-1]
        assert set(refusals(outcomes)) <= {"count_closed"}
        entered = len(results(outcomes[:-1])) + 1
        assert submitted["lines"][0]["counted"] == entered
        assert call(till(shop), "get_count", count)["lines"][0]["counted"] == entered
        step(till(shop), "cancel_count", count)


def test_two_counts_of_one_variant_never_begin_together(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(variants=2, stock=5)
    outcomes = together([partial(start, shop, till(shop)) for _ in range(6)])
    assert refusals(outcomes) == ["count_overlaps"] * 5
    [count] = results(outcomes)
    assert rows(shop, "select count(*) from public.stock_counts") == [(1,)]
    step(till(shop), "cancel_count", count)


def test_two_counts_never_find_the_same_variant(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(variants=3, stock=5)
    counts = [start(shop, till(shop), "cycle", variant_ids=[str(v)]) for v in shop.variants[:2]]
    for quantity in (1, 2):
        outcomes = together([partial(enter, till(shop), c, shop.variants[2], quantity) for c in counts])
        assert refusals(outcomes) == ["count_overlaps"]
    found = rows(
        shop, "select count(*) from public.stock_count_lines where variant_id = %s", shop.variants[2]
    )
    assert found == [(1,)]


def test_post_pressed_twice_posts_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=10)
    [variant] = shop.variants
    for same_id, left in ((True, 7), (False, 4)):
        count = start(shop, till(shop))
        enter(till(shop), count, variant, left)
        step(till(shop), "submit_count", count)
        step(till(shop), "approve_count", count)
        same = uuid.uuid4()
        outcomes = together(
            [
                partial(call, till(shop), "post_count", same if same_id else uuid.uuid4(), count)
                for _ in range(6)
            ]
        )
        if same_id:
            assert refusals(outcomes) == []
            assert all(outcome == outcomes[0] for outcome in outcomes)
        else:
            assert refusals(outcomes) == ["invalid_transition"] * 5
        moved = rows(shop, "select quantity from public.stock_movements where document_id = %s", count)
        assert moved == [(Decimal(3),)]
        assert levels(shop) == {variant: left}


def test_posting_what_is_being_sold_out_is_all_or_nothing(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(variants=2, stock=6)
    count = start(shop, till(shop))
    for variant in shop.variants:
        enter(till(shop), count, variant, 2)
    step(till(shop), "submit_count", count)
    step(till(shop), "approve_count", count)
    sales = [partial(shop.sell, till(shop), shop.branches[0], shop.variants) for _ in range(6)]
    outcomes = together([partial(step, till(shop), "post_count", count), *sales])
    assert set(refusals(outcomes)) <= {"insufficient_stock"}
    sold = len(results(outcomes[1:]))
    posted = not isinstance(outcomes[0], psycopg.Error)
    assert levels(shop) == dict.fromkeys(shop.variants, 6 - sold - (4 if posted else 0))


def test_a_crossing_under_concurrent_sellers_raises_one_alert(found_shop: FoundShop, till: OpenTill) -> None:
    sellers, rounds = 8, 5
    shop = found_shop(variants=2, stock=sellers * rounds)
    for variant in shop.variants:
        call(
            till(shop),
            "save_reorder_rule",
            uuid.uuid4(),
            shop.branches[0].location_id,
            variant,
            Decimal(20),
            Decimal(5),
            7,
        )

    def sell_many() -> int:
        connection = till(shop)
        for _ in range(rounds):
            shop.sell(connection, shop.branches[0], shop.variants)
        return rounds

    assert refusals(together([sell_many] * sellers)) == []
    assert set(levels(shop).values()) == {0}
    found = rows(shop, "select kind, available from public.stock_alerts order by kind, variant_id")
    assert found == [("low_stock", 20)] * 2 + [("out_of_stock", 0)] * 2
    told = rows(
        shop, "select event, count(*) from private.outbox where event like 'stock.%%' group by 1 order by 1"
    )
    assert [row for row in told if row[0] in ("stock.low", "stock.out")] == [
        ("stock.low", 2),
        ("stock.out", 2),
    ]


def test_a_rule_saved_while_selling_misses_no_crossing(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    [variant] = shop.variants
    seller = till(shop, autocommit=False)
    for _ in range(5):
        shop.sell(seller, shop.branches[0], [variant])
    arguments = (shop.branches[0].location_id, variant, Decimal(3), Decimal(5), 7)
    with ThreadPoolExecutor(1) as pool:
        saving = pool.submit(call, till(shop), "save_reorder_rule", uuid.uuid4(), *arguments)
        # The sales knew no rule, so the rule must wait for them: it may not judge by what was there before.
        while not saving.done() and not rows(shop, WAITING):
            time.sleep(0.05)
        seller.commit()
        saving.result(30)
    found = rows(shop, "select kind, resolved_at is null from public.stock_alerts order by kind")
    assert found == [("low_stock", True), ("out_of_stock", True)]
