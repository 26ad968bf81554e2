"""Tills that want the same pieces at the same moment."""

import random
from decimal import Decimal
from functools import partial

import psycopg

from bench.shop import Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together
from tests.support.refusals import code_of

TILLS = 20
PIECES = 5


def level(shop: Shop, variant: int = 0) -> tuple[Decimal, Decimal]:
    """on_hand and average_cost of a variant at the first branch."""
    with psycopg.connect(shop.url) as owner:
        row = owner.execute(
            "select on_hand, average_cost from public.stock_levels"
            " where location_id = %s and variant_id = %s",
            [shop.branches[0].location_id, shop.variants[variant]],
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def serials(shop: Shop) -> list[int]:
    """The serial numbers of the first branch's invoices, in order."""
    with psycopg.connect(shop.url) as owner:
        rows = owner.execute(
            "select split_part(number, '/', 3)::integer from public.invoices where branch_id = %s order by 1",
            [shop.branches[0].id],
        ).fetchall()
    return [row[0] for row in rows]


def test_20_tills_sell_the_last_5_pieces_exactly_once_each(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=PIECES)
    tills = [till(shop) for _ in range(TILLS)]
    outcomes = together([partial(shop.sell, each, shop.branches[0], shop.variants) for each in tills])
    assert refusals(outcomes) == ["insufficient_stock"] * (TILLS - PIECES)
    assert sorted(invoice["number"][-6:] for invoice in results(outcomes)) == [
        f"{serial:06}" for serial in range(1, PIECES + 1)
    ]
    assert level(shop)[0] == 0
    assert serials(shop) == list(range(1, PIECES + 1))
    assert call(tills[0], "check_stock", shop.org_id) is None


def test_the_last_pair_is_sold_to_one_basket_of_two(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=3)
    pair = [shop.variants[0], shop.variants[0]]
    outcomes = together(
        [partial(shop.sell, till(shop), shop.branches[0], pair) for _ in range(8)],
    )
    assert len(results(outcomes)) == 1
    assert refusals(outcomes) == ["insufficient_stock"] * 7
    assert level(shop)[0] == 1


def test_baskets_that_overlap_in_opposite_order_never_deadlock(found_shop: FoundShop, till: OpenTill) -> None:
    rounds, clients, size = 25, 8, 4
    shop = found_shop(variants=6, stock=rounds * clients * size)

    def sell_many(number: int) -> int:
        chance = random.Random(number)
        connection = till(shop)
        for _ in range(rounds):
            basket = chance.sample(shop.variants, size)
            basket.sort(reverse=number % 2 == 1)
            shop.sell(connection, shop.branches[0], basket)
        return rounds

    outcomes = together([partial(sell_many, number) for number in range(clients)])
    assert refusals(outcomes) == []
    assert outcomes == [rounds] * clients
    assert serials(shop) == list(range(1, rounds * clients + 1))


def test_waiting_for_a_hot_variant_never_refuses_a_sale(found_shop: FoundShop, till: OpenTill) -> None:
    rounds, clients = 12, 8
    # A catalogue of real size: the plan for a small one may hide what waiting does to a row.
    shop = found_shop(branches=8, variants=2000, stock=rounds * clients)

    def sell_many(number: int) -> int:
        chance = random.Random(number)
        connection = till(shop)
        for _ in range(rounds):
            basket = [shop.variants[0], *chance.sample(shop.variants[1:], 2)]
            shop.sell(connection, shop.branches[0], basket)
        return rounds

    outcomes = together([partial(sell_many, number) for number in range(clients)])
    assert refusals(outcomes) == []
    assert level(shop)[0] == 0


def test_adjustments_and_sales_at_once_keep_levels_and_cost_true(
    found_shop: FoundShop, till: OpenTill
) -> None:
    shop = found_shop(stock=10)
    [variant], branch = shop.variants, shop.branches[0]

    def repeat(change: int, cost: str | None, times: int) -> int:
        """Post one change of stock many times; returns by how many pieces stock changed."""
        connection, moved = till(shop), 0
        for _ in range(times):
            try:
                if change == -1 and cost is None:
                    shop.sell(connection, branch, [variant])
                else:
                    shop.adjust(connection, branch, variant, change, unit_cost=cost)
            except psycopg.Error as error:
                if code_of(error) != "insufficient_stock":
                    raise
            else:
                moved += change
        return moved

    work = [(-1, None, 15)] * 4 + [(2, "60", 8), (3, "90", 6), (-2, None, 8), (-3, None, 5)]
    outcomes = together([partial(repeat, *part) for part in work])
    assert refusals(outcomes) == []
    on_hand, average_cost = level(shop)
    assert on_hand == 10 + sum(outcomes)
    assert on_hand >= 0
    # Everything came in at 60 or 90, so no average can lie outside, whatever the order was.
    assert Decimal(60) <= average_cost <= Decimal(90)
    assert call(till(shop), "check_stock", shop.org_id) is None


def test_first_arrivals_of_a_variant_at_once_make_one_level(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    outcomes = together(
        [
            partial(shop.adjust, till(shop), shop.branches[0], shop.variants[0], 1, unit_cost="60")
            for _ in range(8)
        ]
    )
    assert refusals(outcomes) == []
    assert level(shop) == (Decimal(8), Decimal(60))
