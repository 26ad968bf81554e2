"""Till shifts and their cash-up."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Input, Moment, Money, Row
from backend.app.schemas.catalogue import ORG
from backend.app.schemas.payments import ActId
from backend.app.schemas.stock import BRANCH

_ID = "6d6f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c99"
_ACT = "6d6f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c9a"
_PERSON = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"
_TAKING = {"method": "cash", "expected": 3180.00, "counted": 3170.00, "difference": -10.00}
_ROW: dict[str, Any] = {
    "id": _ID,
    "org_id": ORG,
    "branch_id": BRANCH,
    "user_id": _PERSON,
    "status": "closed",
    "opening_float": 2000.00,
    "opened_at": "2026-11-21T04:00:00+00:00",
    "closed_at": "2026-11-21T13:30:00+00:00",
    "closed_by": _PERSON,
    "takings": [_TAKING],
    "difference": -10.00,
    "note": None,
}
_SHIFT: dict[str, Any] = {
    **_ROW,
    "branch": {"code": "BLR", "name": "Indiranagar"},
    "user": "cashier@teak.example",
    "currency": "INR",
    "timezone": "Asia/Kolkata",
    "payments": {"cash": {"count": 1, "amount": 1180.00}},
    "refunds": {},
    "cash_movements": [],
}


class Taking(Row):
    """What a till should have of one method, and what was counted; null while it is open."""

    method: str
    expected: Money
    counted: Money | None
    difference: Money | None


class ShiftRow(Row):
    """A shift as lists show it. takings and difference: once it is closed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    user_id: UUID
    status: Literal["open", "closed"]
    opening_float: Money
    opened_at: datetime
    closed_at: datetime | None
    closed_by: UUID | None
    takings: list[Taking] | None
    difference: Money | None
    note: str | None


class ShiftQuery(ListQuery):
    """Filters of shifts. opened_from is inclusive, opened_before is not."""

    sort: Literal["opened_at", "-opened_at"] = "-opened_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    user_id: Annotated[UUID | None, Where("user_id")] = None
    status: Annotated[Literal["open", "closed"] | None, Where("status")] = None
    opened_from: Annotated[Moment | None, Where("opened_at", "gte")] = None
    opened_before: Annotated[Moment | None, Where("opened_at", "lt")] = None


class OpenShiftRequest(Input):
    """A till to be opened."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": _ID, "branch_id": BRANCH, "opening_float": 2000.00}]}
    )

    id: UUID = Field(description="Your own id of the shift; the same request again answers the same shift")
    branch_id: UUID
    opening_float: Money = Field(default=0, ge=0, description="The cash that is in it")  # type: ignore[assignment]


class MoveCashRequest(Input):
    """Cash that is brought to a till, or taken from it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": _ACT, "kind": "cash_out", "amount": 1000.00, "reason": "To the bank"}]
        }
    )

    id: ActId
    kind: Literal["cash_in", "cash_out"]
    amount: Money = Field(gt=0)
    reason: str = Field(min_length=1, max_length=200)


class CloseShiftRequest(Input):
    """What was counted in a till."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT, "counted": {"cash": 3170.00}}]})

    id: ActId
    counted: dict[str, Money] = Field(
        max_length=50, description="By payment method; what is not named was counted as 0"
    )
    note: str | None = Field(default=None, max_length=2_000)


class ShiftBranch(Row):
    """Where the till stands."""

    code: str
    name: str


class MethodSum(Row):
    """How many payments or refunds of one method, and their sum."""

    count: int
    amount: Money


class CashMovement(Row):
    """Cash that was brought, or taken away."""

    id: UUID
    kind: Literal["cash_in", "cash_out"]
    amount: Money
    reason: str
    at: datetime
    by: UUID


class Shift(ShiftRow):
    """A shift, whole; while it is open, takings tells what is expected up to now."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHIFT]})

    branch: ShiftBranch
    user: str | None
    currency: str
    timezone: str
    payments: dict[str, MethodSum]
    refunds: dict[str, MethodSum]
    cash_movements: list[CashMovement]
