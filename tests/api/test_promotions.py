"""Promotions, the goods they are about, and coupons over the API."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.billing import Invoice, Quote
from backend.app.schemas.promotions import Coupon, CouponUse, Promotion, PromotionTarget
from tests.api.conftest import People, Person, Shop, open_shop
from tests.api.support import assert_problem

Body = dict[str, Any]


@pytest.fixture(scope="module")
def house(people: People) -> Shop:
    """A shop of its own: an offer would change what other tests sell."""
    return open_shop(people, "Cane & Coir", {"region_code": "29"})


@pytest.fixture
def promotion(house: Shop) -> Iterator[Promotion]:
    """Ten per cent off the stool; withdrawn after the test."""
    made = Promotion.model_validate(house.admin.post("/v1/billing/promotions", _percent(house)))
    target = {"org_id": house.org_id, "promotion_id": made.id, "position": 1, "variant_id": house.variant_id}
    house.admin.post("/v1/billing/promotion-targets", target)
    yield made
    house.admin.http.delete(f"/v1/billing/promotions/{made.id}")


def _percent(house: Shop, **changes: Any) -> Body:
    name = f"Stools {uuid4().hex[:6]}"
    return {"id": uuid4(), "org_id": house.org_id, "name": name, "kind": "percent", "value": 10, **changes}


def _quote(house: Shop, **options: str) -> Quote:
    lines = [{"variant_id": house.variant_id, "quantity": 1}]
    body = {"branch_id": house.branch_id, "lines": lines, "options": options}
    return Quote.model_validate(house.cashier.post("/v1/billing/sales/quote", body, 200))


def test_an_offer_counts_from_its_target_to_its_end(house: Shop) -> None:
    admin, body = house.admin, _percent(house, weekdays=[1, 2, 3, 4, 5, 6, 7], time_from="08:30")
    alone = admin.send("POST", "/v1/billing/promotions", body)
    assert_problem(alone, 422, "constraint_violated")
    body["time_to"] = "08:29"
    made = Promotion.model_validate(admin.post("/v1/billing/promotions", body))
    assert (made.time_from, made.time_to, made.applies_to) == ("08:30:00", "08:29:00", "targets")
    assert_problem(admin.send("POST", "/v1/billing/promotions", body), 409, "duplicate")
    path = f"/v1/billing/promotions/{made.id}"
    admin.send("PATCH", path, {"time_from": None, "time_to": None})
    assert _quote(house).total == 1180, "it is about nothing yet"

    named = {"org_id": house.org_id, "promotion_id": made.id, "position": 1, "variant_id": house.variant_id}
    target = PromotionTarget.model_validate(admin.post("/v1/billing/promotion-targets", named))
    assert_problem(admin.send("POST", "/v1/billing/promotion-targets", named), 409, "duplicate")
    quote = _quote(house)
    assert quote.total == 1062
    (offer,) = quote.lines[0].offers
    assert (offer.promotion_id, offer.name, offer.amount) == (made.id, made.name, Decimal(100))

    assert admin.send("PATCH", path, {"value": 20}).json()["value"] == 20
    assert _quote(house).total == 944
    two = {"product_id": house.product_id}
    beneath = f"/v1/billing/promotion-targets/{target.id}"
    assert_problem(admin.send("PATCH", beneath, two), 422, "constraint_violated")
    gone = admin.http.delete(beneath)
    assert PromotionTarget.model_validate(gone.json()).id == target.id
    assert _quote(house).total == 1180

    admin.send("PATCH", path, {"applies_to": "everything"})
    assert _quote(house).total == 944
    assert admin.http.delete(path).json()["archived_at"] is not None
    assert _quote(house).total == 1180
    listed = house.cashier.get("/v1/billing/promotions", org_id=house.org_id, q=made.name)["items"]
    assert listed == []
    old = house.cashier.get("/v1/billing/promotions", org_id=house.org_id, q=made.name, archived="true")
    assert [Promotion.model_validate(row).id for row in old["items"]] == [made.id]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "gift"}, "invalid_input"),
        ({"weekdays": [8]}, "invalid_input"),
        ({"weekdays": []}, "invalid_input"),
        ({"time_from": "25:00", "time_to": "26:00"}, "invalid_input"),
        ({"value": -1}, "invalid_input"),
        ({"valid_from": 20261121}, "invalid_input"),
        ({"archived_at": "2026-11-21T00:00:00Z"}, "invalid_input"),
        ({"value": 101}, "constraint_violated"),
        ({"kind": "buy_get", "value": 100}, "constraint_violated"),
        ({"max_times": 2}, "constraint_violated"),
        ({"valid_from": "2026-11-21", "valid_to": "2026-11-20"}, "constraint_violated"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused(house: Shop, changes: Body, code: str) -> None:
    body = _percent(house, **changes)
    assert_problem(house.admin.send("POST", "/v1/billing/promotions", body), 422, code)
    assert_problem(house.admin.http.get(f"/v1/billing/promotions/{body['id']}"), 404, "not_found")


def test_only_who_manages_offers_makes_them(house: Shop, promotion: Promotion) -> None:
    path = f"/v1/billing/promotions/{promotion.id}"
    coupon = {"org_id": house.org_id, "promotion_id": promotion.id, "code": "MINE"}
    target = {"org_id": house.org_id, "promotion_id": promotion.id, "position": 2, "product_id": uuid4()}
    for person in (house.cashier, house.stranger):
        for room, body in (
            ("promotions", _percent(house)),
            ("coupons", coupon),
            ("promotion-targets", target),
        ):
            assert_problem(person.send("POST", f"/v1/billing/{room}", body), 403, "permission_denied")
        assert_problem(person.send("PATCH", path, {"value": 100}), 404, "not_found")
        assert_problem(person.http.delete(path), 404, "not_found")
    assert Promotion.model_validate(house.cashier.get(path)) == promotion
    assert_problem(house.stranger.http.get(path), 404, "not_found")
    stolen = {**_percent(house), "org_id": _org_of(house.stranger), "branch_id": house.branch_id}
    assert_problem(house.stranger.send("POST", "/v1/billing/promotions", stolen), 409, "reference_missing")


def _org_of(person: Person) -> str:
    (organization,) = person.get("/v1/auth/validate")["organizations"]
    return str(organization["id"])


def test_a_coupon_from_its_code_to_its_last_use(house: Shop, promotion: Promotion) -> None:
    admin, cashier = house.admin, house.cashier
    admin.send("PATCH", f"/v1/billing/promotions/{promotion.id}", {"needs_coupon": True})
    body = {
        "id": uuid4(),
        "org_id": house.org_id,
        "promotion_id": promotion.id,
        "code": f"Once-{uuid4().hex[:6]}",
        "max_uses": 1,
    }
    coupon = Coupon.model_validate(admin.post("/v1/billing/coupons", body))
    shouted = {**body, "id": uuid4(), "code": coupon.code.upper()}
    assert_problem(admin.send("POST", "/v1/billing/coupons", shouted), 409, "duplicate")
    spaced = {**body, "id": uuid4(), "code": "two words"}
    assert_problem(admin.send("POST", "/v1/billing/coupons", spaced), 422, "invalid_input")
    assert_problem(cashier.http.get(f"/v1/billing/coupons/{coupon.id}"), 404, "not_found")
    assert _quote(house).total == 1180
    assert _quote(house, coupon=coupon.code.lower()).total == 1062

    sale = house.sale(options={"coupon": coupon.code})
    sold = Invoice.model_validate(cashier.post("/v1/billing/sales", sale))
    assert sold.total == 1062
    assert Invoice.model_validate(cashier.post("/v1/billing/sales", sale)) == sold
    again = cashier.send("POST", "/v1/billing/sales", house.sale(options={"coupon": coupon.code}))
    assert assert_problem(again, 422, "coupon_used_up")["used"] == 1
    cashier.post(f"/v1/billing/invoices/{sold.id}/void", {"id": uuid4(), "reason": "Rung up twice"})
    uses = cashier.get("/v1/billing/coupon-uses", coupon_id=coupon.id, sort="created_at")["items"]
    assert [(use.uses, use.amount) for use in map(CouponUse.model_validate, uses)] == [
        (1, Decimal(100)),
        (-1, Decimal(100)),
    ]
    assert house.stranger.get("/v1/billing/coupon-uses", coupon_id=coupon.id)["items"] == []

    path = f"/v1/billing/coupons/{coupon.id}"
    assert_problem(admin.send("PATCH", path, {"code": "OTHER"}), 422, "invalid_input")
    more = Coupon.model_validate(admin.send("PATCH", path, {"max_uses": None}).json())
    assert more.max_uses is None
    assert admin.http.delete(path).status_code == 200
    refused = cashier.send("POST", "/v1/billing/sales", house.sale(options={"coupon": coupon.code}))
    assert assert_problem(refused, 422, "coupon_invalid")["reason"] == "withdrawn"
