"""Invoices without a counter sale: written directly or for an order, drafted, sent and voided."""

from uuid import UUID

from pydantic import Field

from backend.app.schemas.base import Day, Input, Quantity, example
from backend.app.schemas.billing import BilledLine, Status
from backend.app.schemas.payments import INVOICE_ID, ActId
from backend.app.schemas.quotations import ACT, OFFER, SupplyOptions
from backend.app.schemas.stock import LOCATION


class DraftOptions(SupplyOptions):
    """location_id: where the goods leave when it is sent; services need none. due_date: at once when left
    out.
    """

    location_id: UUID | None = None
    due_date: Day | None = None
    note: str | None = Field(default=None, max_length=2_000)
    reference: str | None = Field(default=None, max_length=100)


class InvoiceOptions(DraftOptions):
    """location_id: where the goods leave when it is sent; services need none. due_date: at once when left
    out. draft: it is not sent yet.
    """

    draft: bool | None = None


class InvoiceRequest(Input):
    """An invoice that is paid later."""

    model_config = example(
        id=INVOICE_ID, **OFFER, options={"location_id": LOCATION, "due_date": "2026-12-21", "draft": True}
    )

    id: UUID = Field(
        description="Your own id of the invoice; the same request again returns the same invoice"
    )
    branch_id: UUID
    customer_id: UUID
    lines: list[BilledLine] = Field(min_length=1, max_length=2_000)
    options: InvoiceOptions = Field(default_factory=InvoiceOptions)


class DraftRequest(Input):
    """A draft anew; options that are left out are empty."""

    model_config = example(
        id=ACT,
        **{name: OFFER[name] for name in ("customer_id", "lines")},
        options={"location_id": LOCATION},
    )

    id: ActId
    customer_id: UUID
    lines: list[BilledLine] = Field(min_length=1, max_length=2_000)
    options: DraftOptions = Field(default_factory=DraftOptions)


class StatusOptions(Input):
    """reason: needed to void what was sent."""

    reason: str | None = Field(default=None, min_length=1, max_length=500)


class StatusRequest(Input):
    """The status that an invoice is to take: sent or void; the others follow from what is paid."""

    model_config = example(id=ACT, status="sent")

    id: ActId
    status: Status
    options: StatusOptions = Field(default_factory=StatusOptions)


class OrderPart(Input):
    """How much of an order's line is invoiced."""

    line_no: int = Field(ge=1, le=2_000, description="The order's")
    quantity: Quantity = Field(gt=0, description="In the line's unit")


class OrderInvoiceOptions(Input):
    """delivery_id: what this delivery brought. lines: so much of these lines, each once, delivered or not.
    Without either all that is not invoiced yet. due_date: at once when left out. deliver_to: without
    delivery_id, one of the customer's addresses, or his own id for his own; else where the delivery went, or
    the order says.
    """

    delivery_id: UUID | None = None
    lines: list[OrderPart] | None = Field(default=None, min_length=1, max_length=2_000)
    due_date: Day | None = None
    deliver_to: UUID | None = None


class OrderInvoiceRequest(Input):
    """An invoice over an order."""

    model_config = example(id=INVOICE_ID, options={"due_date": "2026-12-21"})

    id: UUID = Field(
        description="Your own id of the invoice; the same request again returns the same invoice"
    )
    options: OrderInvoiceOptions = Field(default_factory=OrderInvoiceOptions)
