"""Reservations."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Input, Moment, Quantity, Row
from backend.app.schemas.catalogue import ORG, VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION
from backend.app.schemas.stock_lines import ActRequest, PlainItem, WantedLine

_ID = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cd1"
Status = Literal["active", "released", "fulfilled", "expired"]
Owner = Literal["manual", "quotation", "sales_order", "cart"]
_ROW: dict[str, Any] = {
    "id": _ID,
    "org_id": ORG,
    "branch_id": BRANCH,
    "location_id": LOCATION,
    "status": "active",
    "document": "manual",
    "document_id": None,
    "customer_id": None,
    "expires_at": "2026-11-28T09:30:00+00:00",
    "note": "Held for Mrs Rao until Saturday",
    "ended_at": None,
    "fulfilled_document": None,
    "fulfilled_document_id": None,
    "created_at": "2026-11-21T09:30:00+00:00",
    "created_by": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",
}

_LINE: dict[str, Any] = {
    "variant_id": VARIANT,
    "sku": "SOF-3-TEAK-GREY",
    "name": "Sofa, teak, grey",
    "quantity": 1.000,
}


class ReservationRow(Row):
    """Goods that are promised, as lists show it. document, document_id: for what; fulfilled_document: what
    took them.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    location_id: UUID
    status: Status
    document: Owner
    document_id: UUID | None
    customer_id: UUID | None
    expires_at: datetime | None = Field(description="null, for a sales order: as long as the order is open")
    note: str | None
    ended_at: datetime | None
    fulfilled_document: str | None
    fulfilled_document_id: UUID | None
    created_at: datetime
    created_by: UUID


class ReservationQuery(ListQuery):
    """Filters of reservations. expires_before is not inclusive."""

    sort: Literal["created_at", "-created_at", "expires_at", "-expires_at"] = "-created_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    document_id: Annotated[UUID | None, Where("document_id")] = None
    status: Annotated[Status | None, Where("status")] = None
    expires_before: Annotated[Moment | None, Where("expires_at", "lt")] = None


class ReservationOptions(Input):
    """For whom and how long. expires_at: 90 days ahead at most, 7 days when left out."""

    expires_at: Moment | None = None
    document: Literal["quotation", "cart"] | None = None
    document_id: UUID | None = None
    customer_id: UUID | None = None
    note: str | None = Field(default=None, max_length=2_000)


class ReservationRequest(Input):
    """Goods to be held at a location, all lines or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "location_id": LOCATION,
                    "lines": [{"variant_id": VARIANT, "quantity": 1}],
                    "options": {"note": "Held for Mrs Rao until Saturday"},
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id of the reservation; the same request again changes nothing")
    location_id: UUID
    lines: list[WantedLine] = Field(min_length=1, max_length=2_000)
    options: ReservationOptions = Field(default_factory=ReservationOptions)


class ReleaseRequest(ActRequest):
    """A reservation to be given up."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cd2"}]}
    )


class GivenUp(Input):
    """How much less is held of a variant; of a set, of its component."""

    variant_id: UUID
    quantity: Quantity = Field(gt=0, description="In the variant's unit")


class ShortenRequest(ActRequest):
    """What a reservation gives up, because it is gone. The id is the new, smaller reservation's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cd3",
                    "lines": [{"variant_id": VARIANT, "quantity": 1}],
                }
            ]
        }
    )

    lines: list[GivenUp] = Field(min_length=1, max_length=2_000)


class ReservedLine(Row):
    """What was asked for, and what of it is held: itself, or a set's components."""

    line_no: int
    variant_id: UUID
    sku: str
    name: str
    quantity: Quantity
    items: list[PlainItem]


class Reservation(ReservationRow):
    """A reservation, whole."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_ROW, "lines": [{"line_no": 1, **_LINE, "items": [_LINE]}]}]}
    )

    lines: list[ReservedLine]
