"""Coupons: who may use which code how often, and when a use comes back."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.database.billing.money import credit
from tests.database.billing.offers import coupon, insert, of_variant, offers_of, promotion
from tests.database.sales import footprint, line, pay, quote, sell
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People


def _sell(people: People, *, customer: str | None = None, **options: Any) -> dict[str, Any]:
    customers = people.world.teak.customers
    return sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["book"]),
        customer=customers[customer] if customer else None,
        **options,
    )


def _used(people: People, made: UUID) -> int:
    row = people.connection.execute(
        "select coalesce(sum(uses), 0) from public.coupon_uses where coupon_id = %s", [made]
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_code_opens_its_promotion(people: People) -> None:
    """In whatever capitals; without it the price is the price; the line says by which coupon."""
    offer = promotion(people, "percent", 10, needs_coupon=True, name="Diwali")
    made = coupon(people, offer, "Diwali-25")
    assert _sell(people)["total"] == 99
    invoice = _sell(people, coupon=" dIWALI-25")
    assert invoice["lines"][0]["offers"] == [
        {
            "promotion_id": str(offer),
            "name": "Diwali",
            "coupon": "Diwali-25",
            "amount": Decimal("9.90"),
        }
    ]
    assert _used(people, made) == 1
    rows = people.as_cashier().select(
        "select amount, uses from public.coupon_uses where coupon_id = %s", [made]
    )
    assert [tuple(row.values()) for row in rows] == [(Decimal("9.90"), 1)]
    with raises_sqlstate("23505"):
        coupon(people, offer, "DIWALI-25")


def test_a_quote_uses_nothing_and_a_repeated_sale_uses_it_once(people: People) -> None:
    """The same call again is the same sale."""
    made = coupon(people, promotion(people, "percent", 10, needs_coupon=True), max_uses=1)
    book, sale = line(people.world.teak.variants["book"]), new_id()
    assert quote(people.as_cashier(), people.world.blr, book, coupon="diwali-25")["total"] == 89
    assert _used(people, made) == 0
    first, again = (
        sell(
            people.as_cashier(), people.world.blr, book, sale_id=sale, payments=[pay(89)], coupon="diwali-25"
        )
        for _ in range(2)
    )
    assert first == again
    assert _used(people, made) == 1


def test_the_last_use(people: People) -> None:
    """In all and for each customer; refused sales write nothing."""
    offer = promotion(people, "percent", 10, needs_coupon=True)
    coupon(people, offer, "TWICE", max_uses=2)
    _sell(people, coupon="TWICE")
    _sell(people, coupon="TWICE")
    before = footprint(people.connection)
    with raises("coupon_used_up", 422) as refusal:
        _sell(people, coupon="twice", payments=[pay(99)])
    assert refusal.facts["limit"] == refusal.facts["used"] == 2
    assert footprint(people.connection) == before

    coupon(people, offer, "ONCE-EACH", max_uses_per_customer=1)
    with raises("coupon_invalid", 422) as refusal:
        _sell(people, coupon="ONCE-EACH")
    assert refusal.facts["reason"] == "customer_needed"
    _sell(people, coupon="ONCE-EACH", customer="local")
    with raises("coupon_used_up", 422) as refusal:
        _sell(people, coupon="ONCE-EACH", customer="local")
    assert refusal.facts["per_customer"] is True
    _sell(people, coupon="ONCE-EACH", customer="trusted")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"valid_to": "2020-01-31"}, "expired"),
        ({"valid_from": "2090-01-01"}, "not_yet_valid"),
    ],
)
def test_validity(people: People, columns: dict[str, Any], reason: str) -> None:
    """The business date decides."""
    coupon(people, promotion(people, "percent", 10, needs_coupon=True), **columns)
    with raises("coupon_invalid", 422) as refusal:
        _sell(people, coupon="DIWALI-25")
    assert refusal.facts["reason"] == reason


def test_what_gives_nothing_is_refused(people: People) -> None:
    """An unknown code, one withdrawn, one for other goods, one of another business."""
    with raises("not_found", 404):
        _sell(people, coupon="NO-SUCH")
    with raises("not_found", 404):
        _sell(people, coupon="WELCOME-LON")
    with raises("coupon_invalid", 422) as refusal:
        _sell(people, coupon="WELCOME-BLR")
    assert refusal.facts["reason"] == "withdrawn"
    coupon(people, promotion(people, "percent", 10, of_variant(people, "sofa"), needs_coupon=True))
    with raises("coupon_invalid", 422) as refusal:
        _sell(people, coupon="DIWALI-25")
    assert refusal.facts["reason"] == "not_applicable"


def test_a_better_offer_spares_the_coupon(people: People) -> None:
    """Who gets more without it keeps it."""
    made = coupon(people, promotion(people, "percent", 10, needs_coupon=True))
    better = promotion(people, "percent", 50, combinable=False)
    invoice = _sell(people, coupon="DIWALI-25")
    assert offers_of(invoice) == [[(better, Decimal("49.50"))]]
    assert _used(people, made) == 0


def test_a_use_comes_back_with_the_whole_sale(people: People) -> None:
    """Void or all credited: used no more. Half of it credited: used still."""
    made = coupon(people, promotion(people, "percent", 10, needs_coupon=True), max_uses=1)
    invoice = _sell(people, coupon="DIWALI-25")
    people.as_cashier().rpc("void_sale", p_id=new_id(), p_invoice_id=invoice["id"], p_reason="Wrong book")
    assert _used(people, made) == 0
    invoice = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["book"], 2),
        coupon="DIWALI-25",
    )
    for used in (1, 0):
        credit(people.as_sales(), invoice["id"], [{"line_no": 1, "quantity": 1}], refund={"method": "cash"})
        assert _used(people, made) == used


def test_who_may_make_coupons(people: People) -> None:
    """The administrator; uses are written by sales alone."""
    offer = promotion(people, "percent", 10, needs_coupon=True)
    with raises_sqlstate("42501"):
        insert(people.as_sales(), "coupons", org_id=people.world.teak.id, promotion_id=offer, code="MY-OWN")
    made = coupon(people, offer)
    _sell(people, coupon="DIWALI-25")
    for statement in (
        "delete from public.coupon_uses",
        "update public.coupon_uses set uses = -1",
        "insert into public.coupon_uses (org_id) values (null)",
    ):
        with raises_sqlstate("42501"):
            people.as_admin().execute(statement)
    with raises("append_only", 403), people.connection.transaction():
        people.connection.execute("delete from public.coupon_uses where coupon_id = %s", [made])
