"""Pieces with a serial number, and batches."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Day, Input, Quantity, Row, Serial, UnitCost
from backend.app.schemas.catalogue import ORG, VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION, DocumentKind

BATCH = "5e5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c88"
UnitStatus = Literal["in_stock", "in_transit", "sold", "removed"]
UNIT: dict[str, Any] = {
    "org_id": ORG,
    "variant_id": VARIANT,
    "serial": "SN-2026-000123",
    "location_id": LOCATION,
    "branch_id": BRANCH,
    "status": "in_stock",
    "warranty_until": None,
    "created_at": "2026-11-21T09:30:00+00:00",
    "updated_at": "2026-11-21T09:30:00+00:00",
}


class StockUnit(Row):
    """One piece. branch_id: who has it or had it last; warranty_until: the last day of its warranty."""

    model_config = ConfigDict(json_schema_extra={"examples": [UNIT]})

    org_id: UUID
    variant_id: UUID
    serial: str
    location_id: UUID
    branch_id: UUID | None
    status: UnitStatus
    warranty_until: date | None
    created_at: datetime
    updated_at: datetime


class StockUnitQuery(ListQuery):
    """Filters of pieces."""

    sort: Literal["serial", "-serial", "created_at", "-created_at", "updated_at", "-updated_at"] = "serial"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
    serial: Annotated[str | None, Field(max_length=60), Where("serial")] = None
    status: Annotated[UnitStatus | None, Where("status")] = None


class HistoryQuery(Input):
    """Which piece."""

    org_id: UUID
    variant_id: UUID
    serial: Serial


class UnitEvent(Row):
    """Something that happened to a piece. number: of the invoice, for those who may read it."""

    event: Literal[
        "received", "found", "moved", "dispatched", "arrived", "sold", "returned", "removed", "sent_back"
    ]
    occurred_at: datetime
    document: DocumentKind
    document_id: UUID
    number: str | None
    from_location_id: UUID
    from_location_code: str
    to_location_id: UUID
    to_location_code: str
    unit_cost: UnitCost
    created_by: UUID | None


class UnitHistory(StockUnit):
    """A piece and what happened to it, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **UNIT,
                    "sku": "PHN-8-BLK",
                    "name": "Phone, 8 GB, black",
                    "location_code": "SHOW",
                    "events": [
                        {
                            "event": "received",
                            "occurred_at": "2026-11-21T09:30:00+00:00",
                            "document": "stock_adjustment",
                            "document_id": "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0caa",
                            "number": None,
                            "from_location_id": "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c98",
                            "from_location_code": "ADJUSTMENT",
                            "to_location_id": LOCATION,
                            "to_location_code": "SHOW",
                            "unit_cost": 18500.000000,
                            "created_by": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",
                        }
                    ],
                }
            ]
        }
    )

    sku: str
    name: str
    location_code: str
    events: list[UnitEvent]


class Batch(Row):
    """A lot of a variant. code: as printed on it; expires_on: the last day of use, null if it keeps."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": BATCH,
                    "org_id": ORG,
                    "variant_id": VARIANT,
                    "code": "L-0426",
                    "expires_on": "2027-04-30",
                    "created_at": "2026-11-21T09:30:00+00:00",
                    "created_by": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",
                }
            ]
        }
    )

    id: UUID
    org_id: UUID
    variant_id: UUID
    code: str
    expires_on: date | None
    created_at: datetime
    created_by: UUID | None


class BatchQuery(ListQuery):
    """Filters of batches. expires_from and expires_to are inclusive; a batch that keeps is in neither."""

    sort: Literal["code", "-code", "created_at", "-created_at"] = "code"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
    code: Annotated[str | None, Field(max_length=60), Where("code")] = None
    expires_from: Annotated[Day | None, Where("expires_on", "gte")] = None
    expires_to: Annotated[Day | None, Where("expires_on", "lte")] = None


class BatchLevel(Row):
    """How much of a batch is at a location, in the variant's unit."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "org_id": ORG,
                    "branch_id": BRANCH,
                    "location_id": LOCATION,
                    "variant_id": VARIANT,
                    "batch_id": BATCH,
                    "on_hand": 24.000,
                }
            ]
        }
    )

    org_id: UUID
    branch_id: UUID | None
    location_id: UUID
    variant_id: UUID
    batch_id: UUID
    on_hand: Quantity


class BatchLevelQuery(ListQuery):
    """Filters of batch levels."""

    sort: Literal["batch_id", "location_id", "on_hand", "-on_hand"] = "batch_id"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
    batch_id: Annotated[UUID | None, Where("batch_id")] = None
    on_hand_from: Annotated[Quantity | None, Where("on_hand", "gte")] = None
