"""Stock levels, movements and adjustments."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Day, Input, Moment, Quantity, Row, Serial, UnitCode, UnitCost
from backend.app.schemas.catalogue import ORG, VARIANT

BRANCH = "9a1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c33"
LOCATION = "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c99"
_DOCUMENT = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0caa"

Reason = Literal["opening", "damage", "found", "write_off", "correction"]
DocumentKind = Literal[
    "invoice", "stock_adjustment", "stock_transfer", "stock_count", "goods_return", "delivery"
]


class StockLevel(Row):
    """How much of a variant is at a location, in its unit. available = on_hand - reserved; incoming: will
    come; in_transit: the part of that which is on the road; average_cost: moving average per unit.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "org_id": ORG,
                    "branch_id": BRANCH,
                    "location_id": LOCATION,
                    "variant_id": VARIANT,
                    "on_hand": 12.000,
                    "reserved": 0.000,
                    "incoming": 4.000,
                    "in_transit": 4.000,
                    "available": 12.000,
                    "average_cost": 27150.000000,
                    "updated_at": "2026-11-21T09:30:00+00:00",
                }
            ]
        }
    )

    org_id: UUID
    branch_id: UUID | None
    location_id: UUID
    variant_id: UUID
    on_hand: Quantity
    reserved: Quantity
    incoming: Quantity
    in_transit: Quantity
    available: Quantity
    average_cost: UnitCost
    updated_at: datetime


class StockLevelQuery(ListQuery):
    """Filters of stock levels. Quantities are inclusive bounds on what is available."""

    sort: Literal[
        "branch_id", "location_id", "variant_id", "available", "-available", "updated_at", "-updated_at"
    ] = "branch_id"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
    available_from: Annotated[Quantity | None, Where("available", "gte")] = None
    available_to: Annotated[Quantity | None, Where("available", "lte")] = None


class StockMovement(Row):
    """A line of the stock ledger: a quantity went from one location to another, because of a document.
    serials: the pieces, where each has a number; batch_id: the lot, where there are lots.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 1042,
                    "org_id": ORG,
                    "variant_id": VARIANT,
                    "from_location_id": LOCATION,
                    "to_location_id": "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c98",
                    "from_branch_id": BRANCH,
                    "to_branch_id": None,
                    "quantity": 1.000,
                    "unit_cost": 27150.000000,
                    "serials": None,
                    "batch_id": None,
                    "document": "invoice",
                    "document_id": _DOCUMENT,
                    "occurred_at": "2026-11-21T09:30:00+00:00",
                    "created_at": "2026-11-21T09:30:00+00:00",
                    "created_by": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",
                }
            ]
        }
    )

    id: int
    org_id: UUID
    variant_id: UUID
    from_location_id: UUID
    to_location_id: UUID
    from_branch_id: UUID | None
    to_branch_id: UUID | None
    quantity: Quantity
    unit_cost: UnitCost
    serials: list[str] | None
    batch_id: UUID | None
    document: DocumentKind
    document_id: UUID
    occurred_at: datetime
    created_at: datetime
    created_by: UUID | None


class StockMovementQuery(ListQuery):
    """Filters of stock movements. occurred_from is inclusive, occurred_before is not."""

    sort: Literal["id", "-id", "occurred_at", "-occurred_at"] = "-id"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
    from_location_id: Annotated[UUID | None, Where("from_location_id")] = None
    to_location_id: Annotated[UUID | None, Where("to_location_id")] = None
    document: Annotated[DocumentKind | None, Where("document")] = None
    document_id: Annotated[UUID | None, Where("document_id")] = None
    batch_id: Annotated[UUID | None, Where("batch_id")] = None
    occurred_from: Annotated[Moment | None, Where("occurred_at", "gte")] = None
    occurred_before: Annotated[Moment | None, Where("occurred_at", "lt")] = None


class AdjustmentOptions(Input):
    """What only some goods need. serials: one for each piece; batch: the lot's code as printed on the goods;
    expires_on: a new lot's last day; unit: `quantity` is in this unit of the product.
    """

    serials: list[Serial] | None = Field(default=None, min_length=1, max_length=2_000)
    batch: str | None = Field(default=None, min_length=1, max_length=60)
    expires_on: Day | None = None
    unit: UnitCode | None = None
    note: str | None = Field(default=None, max_length=2_000)


class AdjustmentRequest(Input):
    """Stock to add or take away, with a reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _DOCUMENT,
                    "location_id": LOCATION,
                    "variant_id": VARIANT,
                    "quantity": -1,
                    "reason": "damage",
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id; the same request again changes nothing")
    location_id: UUID
    variant_id: UUID
    quantity: Quantity = Field(description="In the product's unit; positive in, negative out")
    reason: Reason
    unit_cost: Annotated[UnitCost, Field(ge=0)] | None = Field(
        None, description="Cost per unit of stock that comes in; left out: the present average"
    )
    options: AdjustmentOptions = Field(default_factory=AdjustmentOptions)


class Adjustment(Row):
    """A posted adjustment, and the level after it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _DOCUMENT,
                    "org_id": ORG,
                    "branch_id": BRANCH,
                    "location_id": LOCATION,
                    "variant_id": VARIANT,
                    "quantity": -1.000,
                    "reason": "damage",
                    "unit_cost": 27150.000000,
                    "business_date": "2026-11-21",
                    "note": None,
                    "created_at": "2026-11-21T09:30:00+00:00",
                    "created_by": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",
                    "on_hand": 11.000,
                    "average_cost": 27150.000000,
                }
            ]
        }
    )

    id: UUID
    org_id: UUID
    branch_id: UUID
    location_id: UUID
    variant_id: UUID
    quantity: Quantity
    reason: Reason
    unit_cost: UnitCost
    business_date: date
    note: str | None
    created_at: datetime
    created_by: UUID
    on_hand: Quantity
    average_cost: UnitCost
