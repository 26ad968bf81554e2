"""Customers who are merged while tills sell to them, and tills that are counted while they sell."""

import threading
import uuid
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg

from bench.shop import PRICE_WITH_TAX, Shop, call
from local.processes import wait_until
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.test_money import ask, waits_for_a_lock
from tests.concurrency.together import refusals, results, together
from tests.support.refusals import code_of


def _nothing_is_left(shop: Shop, merged: uuid.UUID) -> None:
    for table in ("invoices", "payments", "credit_notes", "refunds", "customer_addresses"):
        assert ask(shop, f"select count(*) from public.{table} where customer_id = %s", merged) == 0  # noqa: S608


def test_merge_while_selling_to_the_merged_one(found_shop: FoundShop, till: OpenTill) -> None:
    """Tills sell to both, on credit and for cash, until one is gone: no document is left in his name."""
    shop = found_shop(branches=4, variants=4, stock=1000)
    keep, merge = (shop.customer(credit_limit=1_000_000) for _ in range(2))
    sold: list[Any] = []
    refused: list[str] = []
    stepped_back: list[str] = []
    running = threading.Semaphore(0)
    merged = threading.Event()

    def sell_on(number: int) -> None:
        connection = till(shop)
        after = 0
        while after < 3:
            try:
                paid = None if number % 2 else Decimal(18)
                sold.append(
                    shop.sell(
                        connection, shop.branches[number], [shop.variants[number]], customer=merge, paid=paid
                    )["id"]
                )
            except psycopg.Error as error:
                refused.append(code_of(error))
            running.release()
            after += merged.is_set()

    def merge_soon() -> Any:
        admin, act = till(shop), uuid.uuid4()
        try:
            for _ in range(8):
                assert running.acquire(timeout=30)
            for _ in range(200):
                try:
                    return call(admin, "merge_customers", act, keep, merge)
                except psycopg.Error as error:
                    stepped_back.append(code_of(error))
        finally:
            merged.set()
        return None

    outcomes = together([*(partial(sell_on, number) for number in range(4)), merge_soon])
    assert results(outcomes)[-1]["merged"] == [str(merge)]
    _nothing_is_left(shop, merge)
    assert set(stepped_back) <= {"changed_meanwhile"}
    assert set(refused) <= {"not_found", "customer_merged"}
    assert refused
    assert ask(shop, "select count(*) from public.invoices where customer_id = %s", keep) == len(sold)
    owed = ask(shop, "select sum(balance) from public.invoices where customer_id = %s", keep)
    statement = call(till(shop), "statement", keep, "2000-01-01", "2100-01-01")
    assert statement["closing"] == owed


def test_sale_that_began_before_the_merge(found_shop: FoundShop, till: OpenTill) -> None:
    """A sale under way is waited for and moves; one that waits for the merge is told."""
    shop = found_shop(stock=5)
    keep, merge = (shop.customer(credit_limit=1000) for _ in range(2))
    selling, merging = till(shop, autocommit=False), till(shop)
    shop.sell(selling, shop.branches[0], shop.variants, customer=merge)

    def finish_when_the_merge_waits() -> None:
        assert wait_until(waits_for_a_lock(shop, merging.info.backend_pid), 30)
        selling.commit()

    outcomes = together(
        [partial(call, merging, "merge_customers", uuid.uuid4(), keep, merge), finish_when_the_merge_waits]
    )
    assert refusals(outcomes) == []
    _nothing_is_left(shop, merge)
    assert ask(shop, "select count(*) from public.payments where customer_id = %s", keep) == 1


def test_payment_that_waits_for_the_merge_is_told(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    keep, merge = (shop.customer(credit_limit=1000) for _ in range(2))
    merging, paying = till(shop, autocommit=False), till(shop)
    call(merging, "merge_customers", uuid.uuid4(), keep, merge)

    def commit_when_the_payment_waits() -> None:
        assert wait_until(waits_for_a_lock(shop, paying.info.backend_pid), 30)
        merging.commit()

    pay = partial(
        call,
        paying,
        "record_payment",
        uuid.uuid4(),
        merge,
        Decimal(5),
        "cash",
        None,
        None,
        f'{{"branch_id": "{shop.branches[0].id}", "hold": true}}',
    )
    outcomes = together([pay, commit_when_the_payment_waits])
    assert refusals(outcomes) == ["customer_merged"]
    _nothing_is_left(shop, merge)


def test_merge_waits_for_nobody_who_works_on_a_document(found_shop: FoundShop, till: OpenTill) -> None:
    """A payment holds the invoice and wants the customer next: the merge steps back."""
    shop = found_shop(stock=5)
    keep, merge = (shop.customer(credit_limit=1000) for _ in range(2))
    shop.sell(till(shop), shop.branches[0], shop.variants, customer=merge, paid=Decimal(0))
    paying, merging = till(shop, autocommit=False), till(shop)
    with psycopg.connect(shop.url) as owner:
        owner.execute("select from public.invoices where customer_id = %s for no key update", [merge])
        outcomes = together([partial(call, merging, "merge_customers", uuid.uuid4(), keep, merge)])
    assert refusals(outcomes) == ["changed_meanwhile"]
    call(paying, "record_payment", uuid.uuid4(), merge, Decimal(118), "cash")
    paying.commit()
    call(merging, "merge_customers", uuid.uuid4(), keep, merge)
    _nothing_is_left(shop, merge)
    assert ask(shop, "select status from public.invoices where customer_id = %s", keep) == "paid"


def test_two_merges_in_a_circle(found_shop: FoundShop, till: OpenTill) -> None:
    """A into B and B into A at once: one of them is."""
    shop = found_shop()
    one, other = (shop.customer(credit_limit=0) for _ in range(2))
    outcomes = together(
        [
            partial(call, till(shop), "merge_customers", uuid.uuid4(), one, other),
            partial(call, till(shop), "merge_customers", uuid.uuid4(), other, one),
        ]
    )
    assert refusals(outcomes) == ["customer_merged"]
    assert ask(shop, "select count(*) from public.customers where merged_into is not null") == 1


def test_the_same_merge_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    keep, merge, act = shop.customer(credit_limit=0), shop.customer(credit_limit=0), uuid.uuid4()
    shop.sell(till(shop), shop.branches[0], shop.variants, customer=merge)
    outcomes = together([partial(call, till(shop), "merge_customers", act, keep, merge) for _ in range(4)])
    assert refusals(outcomes) == []
    assert len({str(outcome) for outcome in outcomes}) == 1
    assert ask(shop, "select count(*) from private.outbox where event = 'customer.merged'") == 1


def test_one_open_shift_each(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    outcomes = together(
        [
            partial(call, till(shop), "open_shift", uuid.uuid4(), shop.branches[0].id, Decimal(0))
            for _ in range(4)
        ]
    )
    assert refusals(outcomes) == ["shift_open"] * 3
    assert ask(shop, "select count(*) from public.till_shifts") == 1


def test_count_misses_no_sale_under_way(found_shop: FoundShop, till: OpenTill) -> None:
    """A sale that is not committed yet holds its shift open; one after the count belongs to none."""
    shop = found_shop(stock=5)
    shift = uuid.uuid4()
    selling, closing = till(shop, autocommit=False), till(shop)
    call(closing, "open_shift", shift, shop.branches[0].id, Decimal(100))
    shop.sell(selling, shop.branches[0], shop.variants)

    def finish_when_the_count_waits() -> None:
        assert wait_until(waits_for_a_lock(shop, closing.info.backend_pid), 30)
        selling.commit()

    outcomes = together(
        [
            partial(call, closing, "close_shift", uuid.uuid4(), shift, '{"cash": 218}'),
            finish_when_the_count_waits,
        ]
    )
    (closed,) = [outcome for outcome in outcomes if outcome is not None]
    assert closed["takings"] == [
        {"method": "cash", "expected": 100 + PRICE_WITH_TAX, "counted": 218, "difference": 0}
    ]
    shop.sell(selling, shop.branches[0], shop.variants)
    selling.commit()
    assert ask(shop, "select count(*) from public.payments where shift_id is null") == 1
    again = call(closing, "shift_report", shift)
    assert again["takings"] == closed["takings"]
    assert again["payments"]["cash"]["count"] == 1


def test_shift_is_closed_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop()
    shift = uuid.uuid4()
    call(till(shop), "open_shift", shift, shop.branches[0].id, Decimal(0))
    outcomes = together(
        [
            partial(call, till(shop), "close_shift", uuid.uuid4(), shift, f'{{"cash": {amount}}}')
            for amount in (1, 2, 3)
        ]
    )
    assert refusals(outcomes) == ["invalid_transition"] * 2
