"""Goods returns: sold goods that come back to stock."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Day, Input, Quantity, Row, Serial
from backend.app.schemas.catalogue import ORG, VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION

_ID = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cbb"
_INVOICE = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0caa"
_ROW: dict[str, Any] = {
    "id": _ID,
    "org_id": ORG,
    "branch_id": BRANCH,
    "location_id": LOCATION,
    "quarantine_location_id": None,
    "invoice_id": _INVOICE,
    "reason": "Delivered in the wrong colour",
    "business_date": "2026-11-21",
    "created_at": "2026-11-21T09:30:00+00:00",
    "created_by": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",
}


Disposition = Literal["restock", "repair", "scrap"]


class ReturnRow(Row):
    """Goods that came back to a location, as lists show it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    location_id: UUID
    quarantine_location_id: UUID | None
    invoice_id: UUID
    reason: str
    business_date: date
    created_at: datetime
    created_by: UUID


class ReturnQuery(ListQuery):
    """Filters of goods returns. Dates are business dates of the branch, both inclusive."""

    sort: Literal["created_at", "-created_at"] = "-created_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    invoice_id: Annotated[UUID | None, Where("invoice_id")] = None
    date_from: Annotated[Day | None, Where("business_date", "gte")] = None
    date_to: Annotated[Day | None, Where("business_date", "lte")] = None


class ReturnedLine(Input):
    """How much of an invoice's line comes back. serials: of numbered pieces, which."""

    line_no: int = Field(ge=1, le=2_000)
    quantity: Quantity = Field(gt=0, description="In the line's unit")
    disposition: Disposition | None = Field(
        None, description="To the shelf, which is the default, to the quarantine, or written off"
    )
    serials: list[Serial] | None = Field(None, min_length=1, max_length=2_000)


class ReturnRequest(Input):
    """Sold goods to be taken back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "invoice_id": _INVOICE,
                    "location_id": LOCATION,
                    "lines": [{"line_no": 1, "quantity": 1}],
                    "reason": "Delivered in the wrong colour",
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id; the same request again changes nothing")
    invoice_id: UUID
    location_id: UUID = Field(description="Where the goods go; a quarantine for what is damaged")
    lines: list[ReturnedLine] = Field(min_length=1, max_length=2_000)
    reason: str = Field(min_length=1, max_length=500)


class SetItem(Row):
    """A component that a set came back as."""

    variant_id: UUID
    sku: str
    name: str
    quantity: Quantity


class ReturnLine(Row):
    """A line that came back."""

    line_no: int
    variant_id: UUID
    sku: str
    description: str
    unit: str
    quantity: Quantity
    disposition: Disposition
    set_items: list[SetItem] | None
    serials: list[str] | None


class GoodsReturn(ReturnRow):
    """Goods that came back, whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_ROW,
                    "lines": [
                        {
                            "line_no": 1,
                            "variant_id": VARIANT,
                            "sku": "SOF-3-TEAK-GREY",
                            "description": "Three-seater sofa, teak, grey",
                            "unit": "NOS",
                            "quantity": 1.000,
                            "disposition": "restock",
                            "set_items": None,
                            "serials": None,
                        }
                    ],
                }
            ]
        }
    )

    lines: list[ReturnLine]
