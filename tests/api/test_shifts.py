"""A till's shift over the API."""

from decimal import Decimal
from uuid import uuid4

from backend.app.schemas.shifts import Shift, ShiftRow
from tests.api.conftest import Shop
from tests.api.support import assert_problem


def test_a_shift_from_float_to_difference(shop: Shop) -> None:
    cashier = shop.cashier
    body = {"id": uuid4(), "branch_id": shop.branch_id, "opening_float": 2000}
    shift = Shift.model_validate(cashier.post("/v1/billing/shifts", body))
    assert shift.status == "open"
    again = cashier.send("POST", "/v1/billing/shifts", {**body, "id": uuid4()})
    assert_problem(again, 409, "shift_open")
    cashier.post("/v1/billing/sales", shop.sale())

    path = f"/v1/billing/shifts/{shift.id}"
    out = {"id": uuid4(), "kind": "cash_out", "amount": 500, "reason": "To the bank"}
    assert cashier.send("POST", f"{path}/cash", out).status_code == 200
    assert_problem(shop.stranger.http.get(path), 404, "not_found")
    close = {"id": uuid4(), "counted": {"cash": 2670}, "note": "Ten short"}
    closed = cashier.send("POST", f"{path}/close", close)
    assert closed.status_code == 200, closed.text
    report = Shift.model_validate(cashier.get(path))
    assert report == Shift.model_validate(closed.json(parse_float=Decimal))
    (cash,) = report.takings or []
    assert (cash.expected, cash.counted, cash.difference) == (Decimal(2680), Decimal(2670), Decimal(-10))
    refused = cashier.send("POST", f"{path}/cash", {**out, "id": uuid4()})
    assert_problem(refused, 409, "invalid_transition")
    listed = shop.admin.get("/v1/billing/shifts", branch_id=shop.branch_id, status="closed")["items"]
    assert shift.id in [ShiftRow.model_validate(row).id for row in listed]
