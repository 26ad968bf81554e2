"""Loyalty over the API: the program, its rules, and a customer's points."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.app.schemas.billing import Invoice
from backend.app.schemas.loyalty import LoyaltyBalance, LoyaltyProgram, LoyaltyRule, LoyaltyStatement
from backend.app.schemas.payments import Payment
from tests.api.conftest import People, Shop, open_shop
from tests.api.support import assert_problem

Body = dict[str, Any]


@pytest.fixture(scope="module")
def house(people: People) -> Shop:
    """A shop of its own, where a rupee earns a point and a point pays half a rupee, of half an invoice."""
    house = open_shop(people, "Points & Sons", {"region_code": "29"})
    program = {
        "org_id": house.org_id,
        "point_value": Decimal("0.5"),
        "minimum_points": 100,
        "max_share_percent": 50,
    }
    house.admin.post("/v1/billing/loyalty/programs", program)
    rule = {"org_id": house.org_id, "name": "All", "points_per_unit": 1}
    house.admin.post("/v1/billing/loyalty/rules", rule)
    return house


@pytest.fixture
def customer(house: Shop) -> UUID:
    """A customer who may owe 100000, and has no points."""
    made = house.admin.post("/v1/customers", {"org_id": house.org_id, "name": "Meera Nair"})
    house.admin.send("PUT", f"/v1/customers/{made['id']}/credit-limit", {"credit_limit": 100_000})
    return UUID(made["id"])


def _balance(house: Shop, customer: UUID) -> int:
    return LoyaltyBalance.model_validate(house.cashier.get(f"/v1/customers/{customer}/points")).points


def test_points_are_earned_redeemed_and_told(house: Shop, customer: UUID) -> None:
    cashier = house.cashier
    first = Invoice.model_validate(cashier.post("/v1/billing/sales", house.sale(1, customer_id=customer)))
    assert first.points is not None
    assert (first.points.earned, first.points.redeemed, first.points.balance) == (1180, 0, 1180)
    earned = LoyaltyBalance.model_validate(cashier.get(f"/v1/customers/{customer}/points"))
    assert (earned.points, earned.value, earned.currency) == (1180, Decimal(590), "INR")

    owed = Invoice.model_validate(
        cashier.post("/v1/billing/sales", house.sale(1, customer_id=customer, payments=[]))
    )
    path = f"/v1/billing/invoices/{owed.id}/points"
    body = {"id": uuid4(), "amount": 400}
    payment = Payment.model_validate(cashier.post(path, body))
    assert (payment.method, payment.amount, payment.unallocated) == ("points", Decimal(400), Decimal(0))
    assert Payment.model_validate(cashier.post(path, body)) == payment
    assert _balance(house, customer) == 380
    other = {**body, "amount": 100}
    assert_problem(cashier.send("POST", path, other), 409, "id_reused")
    too_much = cashier.send("POST", path, {"id": uuid4(), "amount": 191})
    assert assert_problem(too_much, 422, "points_limit")["max_amount"] == 190
    assert _balance(house, customer) == 380
    assert_problem(house.stranger.send("POST", path, body), 404, "not_found")
    assert_problem(cashier.send("POST", path, {"id": uuid4(), "amount": 0}), 422, "invalid_input")

    later = Invoice.model_validate(cashier.get(f"/v1/billing/invoices/{owed.id}"))
    assert later.points is not None
    assert (later.points.earned, later.points.redeemed, later.points.balance) == (0, 800, 380)
    again = Invoice.model_validate(cashier.get(f"/v1/billing/invoices/{first.id}"))
    assert again == first, "what an invoice said of points stays, whatever came later"

    told = LoyaltyStatement.model_validate(cashier.get(f"/v1/customers/{customer}/points/statement"))
    assert (told.opening, told.closing) == (0, 380)
    assert [(entry.kind, entry.points, entry.amount) for entry in told.entries] == [
        ("earn", 1180, None),
        ("redeem", -800, Decimal(400)),
    ]
    since = told.entries[1].at.isoformat()
    rest = cashier.get(f"/v1/customers/{customer}/points/statement", since=since)
    assert (rest["opening"], len(rest["entries"]), rest["closing"]) == (1180, 1, 380)
    assert_problem(house.stranger.http.get(f"/v1/customers/{customer}/points/statement"), 404, "not_found")
    assert_problem(house.stranger.http.get(f"/v1/customers/{customer}/points"), 404, "not_found")


def test_points_are_corrected_by_hand(house: Shop, customer: UUID) -> None:
    path = f"/v1/customers/{customer}/points"
    body = {"id": uuid4(), "points": 250, "reason": "An apology"}
    refused = house.cashier.send("POST", path, body)
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "loyalty.manage"
    for _ in range(2):
        given = LoyaltyBalance.model_validate(house.admin.post(path, body, 200))
        assert given.points == 250
    taken = {"id": uuid4(), "points": -251, "reason": "Too many"}
    assert assert_problem(house.admin.send("POST", path, taken), 422, "points_insufficient")["balance"] == 250
    assert_problem(house.admin.send("POST", path, {**taken, "points": 0}), 400, "invalid_input")
    assert_problem(house.admin.send("POST", path, {**taken, "points": "1.5"}), 422, "invalid_input")
    house.admin.post(path, {**taken, "points": -250}, 200)
    assert _balance(house, customer) == 0


def test_an_organization_has_one_program(house: Shop) -> None:
    path = f"/v1/billing/loyalty/programs/{house.org_id}"
    program = LoyaltyProgram.model_validate(house.cashier.get(path))
    assert (program.point_value, program.max_share_percent) == (Decimal("0.5"), Decimal(50))
    second = {"org_id": house.org_id, "point_value": 1}
    assert_problem(house.admin.send("POST", "/v1/billing/loyalty/programs", second), 409, "duplicate")
    for person in (house.cashier, house.stranger):
        refused = person.send("POST", "/v1/billing/loyalty/programs", second)
        assert_problem(refused, 403, "permission_denied")
        assert_problem(person.send("PATCH", path, {"point_value": 9}), 404, "not_found")
        assert_problem(person.http.delete(path), 404, "not_found")
    assert_problem(house.stranger.http.get(path), 404, "not_found")
    for wrong in (
        {"point_value": 0},
        {"max_share_percent": 101},
        {"minimum_points": 0},
        {"expiry_months": 241},
    ):
        assert_problem(house.admin.send("PATCH", path, wrong), 422, "invalid_input")
    assert LoyaltyProgram.model_validate(house.cashier.get(path)) == program

    changed = house.admin.send("PATCH", path, {"point_value": "0.1234", "expiry_months": 12})
    assert LoyaltyProgram.model_validate_json(changed.content).point_value == Decimal("0.1234")
    assert LoyaltyProgram.model_validate(house.admin.http.delete(path).json()).archived_at is not None
    assert house.cashier.get("/v1/billing/loyalty/programs")["items"] == []
    back = {"archived_at": None, "point_value": "0.5", "expiry_months": None}
    assert house.admin.send("PATCH", path, back).status_code == 200
    listed = house.cashier.get("/v1/billing/loyalty/programs", org_id=house.org_id)["items"]
    assert [LoyaltyProgram.model_validate(row).org_id for row in listed] == [house.org_id]


def test_the_rules_of_earning(house: Shop, customer: UUID) -> None:
    admin = house.admin
    group = admin.post("/v1/catalogue/customer-groups", {"org_id": house.org_id, "name": "Friends"})
    body = {
        "id": uuid4(),
        "org_id": house.org_id,
        "name": "Friends earn double",
        "points_per_unit": 2,
        "customer_group_id": group["id"],
        "priority": 5,
    }
    for person in (house.cashier, house.stranger):
        refused = person.send("POST", "/v1/billing/loyalty/rules", body)
        assert_problem(refused, 403, "permission_denied")
    rule = LoyaltyRule.model_validate(admin.post("/v1/billing/loyalty/rules", body))
    assert_problem(admin.send("POST", "/v1/billing/loyalty/rules", body), 409, "duplicate")
    path = f"/v1/billing/loyalty/rules/{rule.id}"
    assert LoyaltyRule.model_validate(house.cashier.get(path)) == rule
    assert_problem(house.stranger.http.get(path), 404, "not_found")
    assert_problem(admin.send("PATCH", path, {"points_per_unit": -1}), 422, "invalid_input")

    admin.send("PATCH", f"/v1/customers/{customer}", {"customer_group_id": group["id"]})
    house.cashier.post("/v1/billing/sales", house.sale(1, customer_id=customer))
    assert _balance(house, customer) == 2360
    admin.send("PATCH", path, {"points_per_unit": "0.0001"})
    house.cashier.post("/v1/billing/sales", house.sale(10, customer_id=customer, payments=_cash(11_800)))
    assert _balance(house, customer) == 2361
    assert admin.http.delete(path).status_code == 200
    house.cashier.post("/v1/billing/sales", house.sale(1, customer_id=customer))
    assert _balance(house, customer) == 3541
    named = house.cashier.get("/v1/billing/loyalty/rules", org_id=house.org_id)["items"]
    assert [row["name"] for row in named] == ["All"]


def _cash(amount: int) -> list[Body]:
    return [{"method": "cash", "amount": amount}]
