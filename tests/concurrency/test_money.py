"""Credit and the closing of the books, while tills are busy."""

import json
import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg

from bench.shop import Shop, call
from local.processes import wait_until
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together
from tests.support.refusals import code_of

TODAY = "select (now() at time zone timezone)::date from public.branches limit 1"


def ask(shop: Shop, query: str, *parameters: Any) -> Any:
    """One value, read past every policy."""
    with psycopg.connect(shop.url) as owner:
        row = owner.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def waits_for_a_lock(shop: Shop, pid: int) -> Callable[[], bool]:
    """A condition: that connection waits for a lock that another one holds."""
    return lambda: bool(ask(shop, "select cardinality(pg_blocking_pids(%s)) > 0", pid))


def test_sales_on_credit_at_once_never_exceed_the_limit(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=3, variants=12, stock=1)
    customer = shop.customer(credit_limit=500)
    # Different goods at different branches: only the customer's credit stands between these sales.
    outcomes = together(
        [
            partial(
                shop.sell, till(shop), shop.branches[n % 3], [variant], customer=customer, paid=Decimal(0)
            )
            for n, variant in enumerate(shop.variants)
        ]
    )
    assert len(results(outcomes)) == 4
    assert refusals(outcomes) == ["credit_limit_exceeded"] * 8
    assert ask(shop, "select sum(balance) from public.invoices") == 4 * 118


def test_money_on_account_is_spent_once(found_shop: FoundShop, till: OpenTill) -> None:
    """300.00 are two sales of 118.00, whoever settles the first of them meanwhile."""
    shop = found_shop(stock=20)
    customer, branch = shop.customer(credit_limit=0), shop.branches[0]
    payment = uuid.uuid4()
    held = json.dumps({"branch_id": str(branch.id), "hold": True})
    call(till(shop), "record_payment", payment, customer, Decimal(300), "upi", None, None, held)
    settle = [partial(call, till(shop), "allocate_payment", uuid.uuid4(), payment) for _ in range(3)]
    buy = partial(shop.sell, branch=branch, variants=shop.variants, customer=customer, paid=Decimal(0))
    outcomes = together([partial(buy, till(shop)) for _ in range(6)] + settle)
    assert refusals(outcomes) == ["credit_limit_exceeded"] * 4
    assert ask(shop, "select sum(total) from public.invoices") == 2 * 118


def test_limit_that_is_lowered_meanwhile_counts(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    customer = shop.customer(credit_limit=500)
    admin = till(shop, autocommit=False)
    call(admin, "set_credit_limit", customer, Decimal(100))
    selling = till(shop)
    sale = partial(shop.sell, selling, shop.branches[0], shop.variants, customer=customer, paid=Decimal(0))

    def commit_when_the_sale_waits() -> None:
        assert wait_until(waits_for_a_lock(shop, selling.info.backend_pid), 30)
        admin.commit()

    outcomes = together([sale, commit_when_the_sale_waits])
    assert refusals(outcomes) == ["credit_limit_exceeded"]


def test_close_waits_for_the_sale_under_way_and_refuses_the_next(
    found_shop: FoundShop, till: OpenTill
) -> None:
    shop = found_shop(stock=5)
    today = ask(shop, TODAY)
    selling, closing = till(shop, autocommit=False), till(shop)
    shop.sell(selling, shop.branches[0], shop.variants)

    def close() -> int:
        call(closing, "close_period", shop.org_id, today)
        return int(ask(shop, "select count(*) from public.invoices"))

    def finish_when_the_close_waits() -> None:
        assert wait_until(waits_for_a_lock(shop, closing.info.backend_pid), 30)
        selling.commit()

    seen_after_close, _ = together([close, finish_when_the_close_waits])
    assert seen_after_close == 1
    outcomes = together([partial(shop.sell, till(shop), shop.branches[0], shop.variants)])
    assert refusals(outcomes) == ["period_closed"]


def test_nothing_appears_in_a_period_after_its_close_returned(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(variants=6, stock=10_000)
    today = ask(shop, TODAY)
    running = threading.Semaphore(0)

    def sell_until_closed(variant: int) -> str:
        connection = till(shop)
        while True:
            try:
                shop.sell(connection, shop.branches[0], [shop.variants[variant]])
            except psycopg.Error as error:
                return code_of(error)
            running.release()

    def close_in_full_swing() -> int:
        for _ in range(60):
            assert running.acquire(timeout=60)
        call(till(shop), "close_period", shop.org_id, today)
        return int(ask(shop, "select count(*) from public.invoices"))

    *endings, at_close = together(
        [*(partial(sell_until_closed, variant) for variant in range(6)), close_in_full_swing]
    )
    assert endings == ["period_closed"] * 6
    assert at_close >= 60
    assert ask(shop, "select count(*) from public.invoices") == at_close
