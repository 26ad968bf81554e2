"""The last points and the last use of a coupon, wanted by several tills at once."""

import uuid
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest

from bench.shop import Connection, Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together


def _ask(shop: Shop, query: str, *parameters: Any) -> Any:
    with psycopg.connect(shop.url) as owner:
        row = owner.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def _coupon(shop: Shop, max_uses: int | None, per_customer: int | None = None) -> None:
    promotion = uuid.uuid4()
    with shop.sign_in(shop.admin_id) as admin:
        admin.execute(
            "insert into public.promotions (id, org_id, name, kind, value, applies_to, needs_coupon) "
            "values (%s, %s, 'Opening', 'percent', 10, 'everything', true)",
            [promotion, shop.org_id],
        )
        admin.execute(
            "insert into public.coupons (org_id, promotion_id, code, max_uses, max_uses_per_customer) "
            "values (%s, %s, 'OPENING', %s, %s)",
            [shop.org_id, promotion, max_uses, per_customer],
        )


def _member(shop: Shop, points: int, credit: int = 0) -> uuid.UUID:
    """A customer with points that are worth 1.00 each; whatever he pays earns one point per unit."""
    customer = shop.customer(credit_limit=credit)
    with shop.sign_in(shop.admin_id) as admin:
        admin.execute(
            "insert into public.loyalty_programs (org_id, point_value) values (%s, 1)", [shop.org_id]
        )
        if points:
            call(admin, "adjust_points", uuid.uuid4(), customer, points, "Welcome")
    return customer


def _pay_with_points(shop: Shop, till: Connection, branch: int, variant: int, customer: uuid.UUID) -> Any:
    arguments = list(shop.sale_arguments(shop.branches[branch], [shop.variants[variant]], customer=customer))
    arguments[5] = '[{"method": "points", "amount": 118.00}]'
    return call(till, "post_sale", *arguments)


@pytest.mark.parametrize("limits", [(3, None), (None, 3)])
def test_the_last_uses_of_a_coupon(
    found_shop: FoundShop, till: OpenTill, limits: tuple[int | None, int | None]
) -> None:
    shop = found_shop(branches=3, variants=10, stock=5)
    _coupon(shop, *limits)
    customer = shop.customer(credit_limit=0)
    outcomes = together(
        [
            partial(
                shop.sell,
                till(shop),
                shop.branches[n % 3],
                [variant],
                customer=customer,
                paid=Decimal("106.20"),
                options={"coupon": "opening"},
            )
            for n, variant in enumerate(shop.variants)
        ]
    )
    assert len(results(outcomes)) == 3
    assert refusals(outcomes) == ["coupon_used_up"] * 7
    assert _ask(shop, "select sum(uses) from public.coupon_uses") == 3


def test_the_last_points(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=3, variants=8, stock=5)
    customer = _member(shop, points=300)
    outcomes = together([partial(_pay_with_points, shop, till(shop), n % 3, n, customer) for n in range(8)])
    assert len(results(outcomes)) == 2
    assert refusals(outcomes) == ["points_insufficient"] * 6
    assert _ask(shop, "select sum(points) from public.loyalty_entries") == 300 - 2 * 118


def test_points_on_open_invoices_and_at_the_till_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=2, variants=6, stock=5)
    customer = _member(shop, points=118, credit=1000)
    open_ones = [
        shop.sell(till(shop), shop.branches[n % 2], [shop.variants[n]], customer=customer, paid=Decimal(0))[
            "id"
        ]
        for n in range(3)
    ]
    outcomes = together(
        [
            *(
                partial(call, till(shop), "redeem_points", uuid.uuid4(), invoice, Decimal(118))
                for invoice in open_ones
            ),
            *(partial(_pay_with_points, shop, till(shop), n % 2, n, customer) for n in range(3, 6)),
        ]
    )
    assert len(results(outcomes)) == 1
    assert refusals(outcomes) == ["points_insufficient"] * 5
    assert _ask(shop, "select sum(points) from public.loyalty_entries") == 0


def test_the_expiry_job_twice_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=1)
    customer = _member(shop, points=0)
    with psycopg.connect(shop.url) as owner:
        owner.execute(
            "select private.note_points(%s, %s, 'adjust', 50, null, now() - interval '1 day')",
            [shop.org_id, customer],
        )

    def expire() -> int:
        with psycopg.connect(shop.url) as owner:
            row = owner.execute(
                "select sum(private.expire_points(o.id)) from public.organizations o"
            ).fetchone()
        assert row is not None
        return int(row[0])

    assert sum(together([expire] * 4)) == 1
    assert _ask(shop, "select sum(points) from public.loyalty_entries") == 0


def test_a_coupon_is_sold_with_and_given_back_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    """Voids and sales of the same goods with the same coupon: no deadlock, no use too many."""
    shop = found_shop(variants=1, stock=50)
    _coupon(shop, max_uses=4)
    price, options = Decimal("106.20"), {"coupon": "OPENING"}
    sold = [
        shop.sell(till(shop), shop.branches[0], shop.variants, paid=price, options=options)["id"]
        for _ in range(4)
    ]
    outcomes = together(
        [
            *(partial(call, till(shop), "void_sale", uuid.uuid4(), invoice, "Mistake") for invoice in sold),
            *(
                partial(shop.sell, till(shop), shop.branches[0], shop.variants, paid=price, options=options)
                for _ in range(4)
            ),
        ]
    )
    assert set(refusals(outcomes)) <= {"coupon_used_up"}
    posted = len(results(outcomes)) - 4
    assert _ask(shop, "select sum(uses) from public.coupon_uses") == posted


def test_everything_comes_back_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    """Bought with money and with the points of that, and sold meanwhile: no deadlock, and no points won."""
    shop = found_shop(branches=2, variants=8, stock=50)
    customer = _member(shop, points=0)
    with shop.sign_in(shop.admin_id) as admin:
        admin.execute(
            "insert into public.loyalty_rules (org_id, name, points_per_unit) values (%s, 'All', 1)",
            [shop.org_id],
        )
    sold = []
    for number in range(4):
        basket = [shop.variants[number]]
        paid = shop.sell(till(shop), shop.branches[0], basket, customer=customer, paid=Decimal(118))
        sold += [paid, _pay_with_points(shop, till(shop), 1, number + 4, customer)]
    refund = '{"refund": {"method": "cash"}}'
    outcomes = together(
        [
            *(
                partial(call, till(shop), "issue_credit_note", uuid.uuid4(), sale["id"], None, "Back", refund)
                for sale in sold
            ),
            *(
                partial(shop.sell, till(shop), shop.branches[n % 2], [shop.variants[n]], customer=customer)
                for n in range(2)
            ),
        ]
    )
    assert refusals(outcomes) == []
    assert (
        _ask(
            shop,
            "select sum(points) - coalesce((select sum(points) from private.points_owed), 0) from "
            "public.loyalty_entries",
        )
        == 2 * 118
    )
    with shop.sign_in(shop.admin_id) as admin:
        assert admin.execute("select * from public.check_books(%s)", [shop.org_id]).fetchall() == []
