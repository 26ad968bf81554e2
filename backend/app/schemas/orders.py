"""Sales orders: what was ordered, at which prices, and how far it has come."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, Quantity, Row, example
from backend.app.schemas.billing import OfferedLine, SalesDocument
from backend.app.schemas.billing import Status as InvoiceStatus
from backend.app.schemas.billing_examples import QUOTE
from backend.app.schemas.invoice_parts import InvoiceLine, Party
from backend.app.schemas.payments import CUSTOMER, PAYMENT_ID, ActId, MethodCode, Reason, Reference
from backend.app.schemas.quotations import (
    ACT,
    BUYER,
    OFFER,
    ORDER_ID,
    PERSON,
    QUOTATION_ID,
    DocumentOptions,
)
from backend.app.schemas.stock import LOCATION

_STATE: dict[str, Any] = {
    "id": ORDER_ID,
    "number": "BLR/O/26-27/0001",
    "status": "in_production",
    "quotation_id": QUOTATION_ID,
    "location_id": LOCATION,
    "reservation_id": "5e5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d04",
    "confirmed_at": "2026-11-21T09:50:00+00:00",
    "ended_at": None,
    "reason": None,
}
_ROW: dict[str, Any] = {
    **_STATE,
    **{name: QUOTE[name] for name in ("org_id", "branch_id", "total")},
    "customer_id": CUSTOMER,
    "created_at": "2026-11-21T09:45:00+00:00",
    "created_by": PERSON,
}
_ADVANCE: dict[str, Any] = {
    "id": PAYMENT_ID,
    "number": "BLR/R/26-27/0001",
    "method": "upi",
    "method_name": "UPI",
    "amount": 500.00,
    "reference": "UPI 4711",
    "received_at": "2026-11-21T09:55:00+00:00",
    "unallocated": 500.00,
}
_WORK: dict[str, Any] = {
    "id": ACT,
    "worked_on": "2026-11-22",
    "note": "Frame glued",
    "visible_to_customer": True,
    "status": "in_production",
    "created_at": "2026-11-22T11:00:00+00:00",
    "created_by": PERSON,
}
_PROGRESS: dict[str, Any] = {"delivered": 0.000, "invoiced": 0.000, "open": 1.000, "reserved": 1.000}

Status = Literal[
    "draft",
    "confirmed",
    "in_production",
    "ready",
    "partially_delivered",
    "delivered",
    "closed",
    "cancelled",
]


class OrderRequest(Input):
    """A draft order, or a draft anew. Prices are those of today, and stay."""

    model_config = example(id=ORDER_ID, **OFFER, options={"reference": "PO 4711"})

    id: UUID = Field(description="Your own id: of a new order, or of the act that writes a draft anew")
    branch_id: UUID
    customer_id: UUID
    lines: list[OfferedLine] = Field(min_length=1, max_length=2_000)
    options: DocumentOptions = Field(default_factory=DocumentOptions)


class ConfirmOptions(Input):
    """location_id: where the goods are held; services alone need none. back_order: hold what is there, the
    rest follows. expires: hold them only until then.
    """

    location_id: UUID | None = None
    back_order: bool | None = None
    expires: Moment | None = None


class ConfirmRequest(Input):
    """How an order is confirmed."""

    model_config = example(id=ACT, options={"location_id": LOCATION, "back_order": True})

    id: ActId
    options: ConfirmOptions = Field(default_factory=ConfirmOptions)


class MarkRequest(Input):
    """How far an order is. closed: what is still open will not come."""

    model_config = example(id=ACT, status="ready")

    id: ActId
    status: Literal["in_production", "ready", "closed"]


class WorkOptions(Input):
    """visible_to_customer: he may be shown it. status: the order takes it. worked_on: today when left out."""

    visible_to_customer: bool | None = None
    status: Literal["in_production", "ready"] | None = None
    worked_on: Day | None = None


class WorkRequest(Input):
    """Work that was done on an order."""

    model_config = example(id=ACT, note="Frame glued", options={"visible_to_customer": True})

    id: UUID = Field(description="Your own id of the entry; the same request again changes nothing")
    note: str = Field(min_length=1, max_length=2_000)
    options: WorkOptions = Field(default_factory=WorkOptions)


class CancelOptions(Input):
    """refund_method: all advances, and what a credited invoice took of them, are paid back by it, which needs
    refund.create; else they stay the customer's credit. reference: of the refund.
    """

    refund_method: MethodCode | None = None
    reference: Reference = None


class CancelRequest(Input):
    """Why an order is cancelled."""

    model_config = example(id=ACT, reason="Moved abroad", options={"refund_method": "upi"})

    id: UUID = Field(description="Your own id of this act, and of the refund")
    reason: Reason
    options: CancelOptions = Field(default_factory=CancelOptions)


class OrderRow(Row):
    """An order as lists show it. number: none until it is confirmed."""

    model_config = example(**_ROW)

    id: UUID
    org_id: UUID
    branch_id: UUID
    customer_id: UUID
    quotation_id: UUID | None
    location_id: UUID | None
    reservation_id: UUID | None
    number: str | None
    status: Status
    total: Money
    confirmed_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    created_at: datetime
    created_by: UUID


class OrderQuery(ListQuery):
    """Filters of orders. created_from is inclusive, created_before is not."""

    sort: Literal["created_at", "-created_at", "total", "-total"] = "-created_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    quotation_id: Annotated[UUID | None, Where("quotation_id")] = None
    status: Annotated[Status | None, Where("status")] = None
    created_from: Annotated[Moment | None, Where("created_at", "gte")] = None
    created_before: Annotated[Moment | None, Where("created_at", "lt")] = None


class OrderLine(InvoiceLine):
    """A line of an order. All in its unit: delivered, invoiced, open (to be delivered), reserved (held for
    it).
    """

    delivered: Quantity
    invoiced: Quantity
    open: Quantity
    reserved: Quantity


class Advance(Row):
    """A payment on the order. unallocated: what of it settles nothing yet."""

    id: UUID
    number: str | None
    method: str
    method_name: str
    amount: Money
    reference: str | None
    received_at: datetime
    unallocated: Money


class OrderDelivery(Row):
    """A delivery of the order."""

    id: UUID
    number: str
    date: date


class OrderInvoice(Row):
    """An invoice of the order."""

    id: UUID
    number: str | None
    date: date
    status: InvoiceStatus
    total: Money
    balance: Money
    delivery_id: UUID | None


class WorkEntry(Row):
    """Work on the order. status: the order's, after that entry."""

    id: UUID
    worked_on: date
    note: str
    visible_to_customer: bool
    status: Status
    created_at: datetime
    created_by: UUID


class Order(SalesDocument):
    """An order, whole, in the shape of an invoice. advances: what of its payments settles nothing yet;
    advance_paid: what was paid in advance and neither paid back nor reversed; to_pay: owed on its invoices,
    and to come for the rest, less advances; reason: why it was cancelled.
    """

    model_config = example(
        **{**QUOTE, "customer_id": CUSTOMER, "buyer": BUYER, "lines": [{**QUOTE["lines"][0], **_PROGRESS}]},
        **_STATE,
        title="Order Confirmation",
        quotation_number="BLR/Q/26-27/0001",
        payments=[_ADVANCE],
        advances=500.00,
        advance_paid=500.00,
        to_pay=680.00,
        deliveries=[],
        invoices=[],
        work_log=[_WORK],
    )

    id: UUID
    customer_id: UUID
    buyer: Party
    title: str
    number: str | None
    status: Status
    quotation_id: UUID | None
    quotation_number: str | None
    location_id: UUID | None
    reservation_id: UUID | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    lines: list[OrderLine]
    payments: list[Advance]
    advances: Money
    advance_paid: Money
    to_pay: Money
    deliveries: list[OrderDelivery]
    invoices: list[OrderInvoice]
    work_log: list[WorkEntry]
