"""Deliveries: what left of an order, in as many parts as it takes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Quantity, Row, Serial, example
from backend.app.schemas.billing import SalesDocument
from backend.app.schemas.billing_examples import QUOTE
from backend.app.schemas.invoice_parts import InvoiceLine, Party
from backend.app.schemas.payments import CUSTOMER
from backend.app.schemas.quotations import BUYER, ORDER_ID, PERSON
from backend.app.schemas.stock import LOCATION

_ID = "6e6f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d05"
_STATE: dict[str, Any] = {
    "id": _ID,
    "number": "BLR/D/26-27/0001",
    "order_id": ORDER_ID,
    "location_id": LOCATION,
    "delivered_at": "2026-12-01T09:30:00+00:00",
    "business_date": "2026-12-01",
}
_ROW: dict[str, Any] = {
    **_STATE,
    **{name: QUOTE[name] for name in ("org_id", "branch_id")},
    "customer_id": CUSTOMER,
    "created_at": "2026-12-01T09:30:00+00:00",
    "created_by": PERSON,
}
_LINE: dict[str, Any] = {**QUOTE["lines"][0], "batch": None, "ordered": 1.000, "to_follow": 0.000}


class AskedLine(Input):
    """How much of an order's line is delivered."""

    line_no: int = Field(ge=1, le=2_000, description="The order's")
    quantity: Quantity = Field(gt=0, description="In the line's unit")
    serials: list[Serial] | None = Field(
        default=None,
        min_length=1,
        max_length=2_000,
        description="The number of each piece, where it has one; for a set those of its components",
    )
    batch: str | None = Field(default=None, max_length=60, description="The lot; else what expires first")


class DeliveryOptions(Input):
    """deliver_to: one of the customer's addresses, or his own id for his own; else where the order says. In
    another place of supply than the order's the note has that place's tax.
    """

    deliver_to: UUID | None = None


class DeliveryRequest(Input):
    """A delivery of an order, or of a part of it."""

    model_config = example(id=_ID, location_id=LOCATION, lines=[{"line_no": 1, "quantity": 1}])

    id: UUID = Field(description="Your own id of the delivery; sent again, nothing is delivered again")
    location_id: UUID = Field(description="Where the goods leave from")
    lines: list[AskedLine] | None = Field(
        default=None,
        min_length=1,
        max_length=2_000,
        description="Each line once; left out: everything open, services included",
    )
    options: DeliveryOptions = Field(default_factory=DeliveryOptions)


class DeliveryRow(Row):
    """A delivery note as lists show it."""

    model_config = example(**_ROW)

    id: UUID
    org_id: UUID
    branch_id: UUID
    location_id: UUID
    order_id: UUID
    customer_id: UUID
    number: str
    delivered_at: datetime
    business_date: date
    created_at: datetime
    created_by: UUID


class DeliveryQuery(ListQuery):
    """Filters of deliveries. Dates are business dates of the branch, both inclusive."""

    sort: Literal["delivered_at", "-delivered_at"] = "-delivered_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    order_id: Annotated[UUID | None, Where("order_id")] = None
    date_from: Annotated[Day | None, Where("business_date", "gte")] = None
    date_to: Annotated[Day | None, Where("business_date", "lte")] = None


class DeliveredLine(InvoiceLine):
    """What was delivered of an order's line, with its share of the amounts; line_no is the order's. ordered:
    of that line; to_follow: what was still to come after this delivery; batch: the lot, where it was named.
    """

    ordered: Quantity
    to_follow: Quantity
    batch: str | None


class Delivery(SalesDocument):
    """A delivery note, whole, in the shape of an invoice: amounts are its share of the order's. invoice_id:
    the invoice over this delivery.
    """

    model_config = example(
        **{**QUOTE, "issued_at": _STATE["delivered_at"], "customer_id": CUSTOMER, "buyer": BUYER}
        | _STATE
        | {"lines": [_LINE]},
        title="Delivery Note",
        status="delivered",
        order_number="BLR/O/26-27/0001",
        invoice_id=None,
    )

    id: UUID
    customer_id: UUID
    buyer: Party
    title: str
    number: str
    status: Literal["delivered"]
    order_id: UUID
    order_number: str
    location_id: UUID
    delivered_at: datetime
    lines: list[DeliveredLine]
    invoice_id: UUID | None
