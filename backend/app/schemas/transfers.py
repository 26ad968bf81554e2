"""Transfers: goods on their way from one location to another."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Quantity, Row, Serial, UnitCost
from backend.app.schemas.catalogue import ORG, VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION
from backend.app.schemas.stock_lines import ActRequest, MovedLine

_ID = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0ce1"
_ACT = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0ce2"
_TARGET = "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c97"
_USER = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"
Status = Literal["draft", "dispatched", "partially_received", "received", "cancelled"]
_ROW: dict[str, Any] = {
    "id": _ID,
    "org_id": ORG,
    "from_branch_id": BRANCH,
    "from_location_id": LOCATION,
    "to_branch_id": "9a1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c34",
    "to_location_id": _TARGET,
    "number": "BLR/26-27/000001",
    "status": "dispatched",
    "has_differences": False,
    "expected_on": "2026-11-24",
    "note": None,
    "business_date": "2026-11-21",
    "dispatched_at": "2026-11-21T10:00:00+00:00",
    "dispatched_by": _USER,
    "received_at": None,
    "cancelled_at": None,
    "cancelled_by": None,
    "cancel_reason": None,
    "created_at": "2026-11-21T09:30:00+00:00",
    "created_by": _USER,
}
_GOODS: dict[str, Any] = {
    "variant_id": VARIANT,
    "sku": "SOF-3-TEAK-GREY",
    "name": "Sofa, teak, grey",
    "quantity": 2.000,
}


class TransferRow(Row):
    """A transfer as lists show it; both branches see it. number: from the dispatch on; has_differences:
    something arrived damaged or not at all.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: UUID
    org_id: UUID
    from_branch_id: UUID
    from_location_id: UUID
    to_branch_id: UUID
    to_location_id: UUID
    number: str | None
    status: Status
    has_differences: bool
    expected_on: date | None
    note: str | None
    business_date: date | None
    dispatched_at: datetime | None
    dispatched_by: UUID | None
    received_at: datetime | None
    cancelled_at: datetime | None
    cancelled_by: UUID | None
    cancel_reason: str | None
    created_at: datetime
    created_by: UUID


class TransferQuery(ListQuery):
    """Filters of transfers. created_from is inclusive, created_before is not."""

    sort: Literal["created_at", "-created_at"] = "-created_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    from_branch_id: Annotated[UUID | None, Where("from_branch_id")] = None
    to_branch_id: Annotated[UUID | None, Where("to_branch_id")] = None
    from_location_id: Annotated[UUID | None, Where("from_location_id")] = None
    to_location_id: Annotated[UUID | None, Where("to_location_id")] = None
    status: Annotated[Status | None, Where("status")] = None
    has_differences: Annotated[bool | None, Where("has_differences")] = None
    created_from: Annotated[Moment | None, Where("created_at", "gte")] = None
    created_before: Annotated[Moment | None, Where("created_at", "lt")] = None


class TransferOptions(Input):
    """What is seldom needed. immediate: within one branch, dispatched and received at once."""

    note: str | None = Field(default=None, max_length=2_000)
    expected_on: Day | None = None
    immediate: bool | None = None


class TransferRequest(Input):
    """A transfer to be drafted; nothing moves yet."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "from_location_id": LOCATION,
                    "to_location_id": _TARGET,
                    "lines": [{"variant_id": VARIANT, "quantity": 2}],
                    "options": {"expected_on": "2026-11-24"},
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id of the transfer; the same request again changes nothing")
    from_location_id: UUID
    to_location_id: UUID
    lines: list[MovedLine] = Field(min_length=1, max_length=2_000)
    options: TransferOptions = Field(default_factory=TransferOptions)


class DispatchedLine(Input):
    """Which pieces, or which lot, of a line go."""

    line_no: int = Field(ge=1, le=2_000)
    serials: list[Serial] | None = Field(None, min_length=1, max_length=2_000)
    batch: str | None = Field(None, min_length=1, max_length=60)


class DispatchRequest(ActRequest):
    """A draft to be sent off. lines: only for pieces and lots that the draft does not name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT}]})

    lines: list[DispatchedLine] | None = Field(None, min_length=1, max_length=2_000)


class SettledSerials(Input):
    """Of numbered pieces, which arrived well, which damaged and which not at all."""

    received: list[Serial] | None = Field(None, max_length=2_000)
    damaged: list[Serial] | None = Field(None, max_length=2_000)
    missing: list[Serial] | None = Field(None, max_length=2_000)


class ReceivedItem(Input):
    """What became of an item, in the variant's unit."""

    item_no: int = Field(ge=1, le=100_000)
    received: Annotated[Quantity, Field(ge=0)] | None = None
    damaged: Annotated[Quantity, Field(ge=0)] | None = None
    missing: Annotated[Quantity, Field(ge=0)] | None = None
    serials: SettledSerials | None = None


class ReceiptOptions(Input):
    """quarantine_location_id: where damaged goods go; without it they are written off."""

    quarantine_location_id: UUID | None = None
    note: str | None = Field(default=None, max_length=2_000)


class ReceiptRequest(ActRequest):
    """An arrival, of all that is open or of a part. lines left out: everything arrived well."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": _ACT, "lines": [{"item_no": 1, "received": 1, "damaged": 1}]}]}
    )

    lines: list[ReceivedItem] | None = Field(None, min_length=1, max_length=2_000)
    options: ReceiptOptions = Field(default_factory=ReceiptOptions)


class CancelRequest(ActRequest):
    """A transfer to be called off."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT, "reason": "The van broke down"}]})

    reason: str = Field(min_length=1, max_length=500)


class TransferLine(Row):
    """What was asked for, sets as sets. serials, batch: as the draft named them."""

    line_no: int
    variant_id: UUID
    sku: str
    name: str
    quantity: Quantity
    serials: list[str] | None
    batch: str | None


class TransferItem(TransferLine):
    """What travels, and what became of it. open: what nobody has said anything about."""

    item_no: int
    expires_on: date | None
    unit_cost: UnitCost | None
    received: Quantity
    damaged: Quantity
    missing: Quantity
    open: Quantity


class ReceiptItem(Row):
    """What a receipt says of an item."""

    item_no: int
    received: Quantity
    damaged: Quantity
    missing: Quantity
    received_serials: list[str] | None
    damaged_serials: list[str] | None
    missing_serials: list[str] | None


class Receipt(Row):
    """One arrival; receipt_no counts them."""

    id: UUID
    receipt_no: int
    quarantine_location_id: UUID | None
    business_date: date
    note: str | None
    created_at: datetime
    created_by: UUID
    items: list[ReceiptItem]


class Transfer(TransferRow):
    """A transfer, whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_ROW,
                    "lines": [{"line_no": 1, **_GOODS, "serials": None, "batch": None}],
                    "items": [
                        {
                            "item_no": 1,
                            "line_no": 1,
                            **_GOODS,
                            "serials": None,
                            "batch": None,
                            "expires_on": None,
                            "unit_cost": 27150.000000,
                            "received": 0.000,
                            "damaged": 0.000,
                            "missing": 0.000,
                            "open": 2.000,
                        }
                    ],
                    "receipts": [],
                }
            ]
        }
    )

    lines: list[TransferLine]
    items: list[TransferItem]
    receipts: list[Receipt]


class DestinationQuery(Input):
    """Of which organisation."""

    org_id: UUID


class Destination(Row):
    """A place that goods can be sent to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "location_id": _TARGET,
                    "code": "WH",
                    "name": "Bhiwandi warehouse",
                    "kind": "warehouse",
                    "branch_id": BRANCH,
                    "branch_code": "MUM",
                    "branch_name": "Bandra",
                }
            ]
        }
    )

    location_id: UUID
    code: str
    name: str
    kind: str
    branch_id: UUID
    branch_code: str
    branch_name: str
