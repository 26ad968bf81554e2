"""Quotations: what was offered, at which prices and until when."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, Row, example
from backend.app.schemas.billing import DeliverTo, Discount, OfferedLine, Quote
from backend.app.schemas.billing_examples import QUOTE, SALE
from backend.app.schemas.invoice_parts import Party
from backend.app.schemas.payments import CUSTOMER, ActId, Reason

QUOTATION_ID = "4a4f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d01"
ORDER_ID = "4b4f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d02"
ACT = "4c4f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d03"
PERSON = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"
BUYER: dict[str, Any] = {"name": "Mehta Interiors", "tax_number": None}
OFFER: dict[str, Any] = {
    "branch_id": SALE["branch_id"],
    "customer_id": CUSTOMER,
    "lines": [{"variant_id": SALE["lines"][0]["variant_id"], "quantity": 1}],
}

_STATE: dict[str, Any] = {
    "id": QUOTATION_ID,
    "number": "BLR/Q/26-27/0001",
    "revision": 2,
    "status": "sent",
    "valid_until": "2026-12-21",
    "sent_at": "2026-11-21T09:40:00+00:00",
    "answered_at": None,
    "reason": None,
}
_ROW: dict[str, Any] = {
    **_STATE,
    **{name: QUOTE[name] for name in ("org_id", "branch_id", "total")},
    "customer_id": CUSTOMER,
    "created_at": "2026-11-21T09:30:00+00:00",
    "created_by": PERSON,
}
_REVISION: dict[str, Any] = {
    "revision": 1,
    "total": 1298.00,
    "status": "rejected",
    "replaced_at": "2026-11-21T09:35:00+00:00",
}

Status = Literal["draft", "sent", "approved", "rejected", "expired", "converted"]


class SupplyOptions(Input):
    """How what is sold is taxed, what comes off it, and where it is brought."""

    place_of_supply: str | None = Field(
        default=None, max_length=60, description="GST state code, or a country with its regions: US-NY-ERIE"
    )
    export_tax: Literal["with_payment", "without_payment"] | None = Field(
        default=None, description="For a buyer abroad or in a SEZ; else as the organisation does"
    )
    reverse_charge: bool | None = Field(default=None, description="Whether the buyer pays the tax himself")
    coupon: str | None = Field(
        default=None,
        max_length=100,
        description="The code of a coupon; used when the order is confirmed, or the invoice sent",
    )
    discount: Discount = None
    deliver_to: DeliverTo = None


class DocumentOptions(SupplyOptions):
    """What is seldom needed. terms: in place of the organisation's own."""

    note: str | None = Field(default=None, max_length=2_000)
    reference: str | None = Field(default=None, max_length=100)
    terms: str | None = Field(default=None, max_length=4_000)


class QuotationOptions(DocumentOptions):
    """What is seldom needed. valid_until: the last day, by the branch's date, on which its prices hold; 30
    days when left out. terms: in place of the organisation's own.
    """

    valid_until: Day | None = None


class QuotationRequest(Input):
    """A quotation, or a new revision of one. Prices are those of today, and stay."""

    model_config = example(id=QUOTATION_ID, **OFFER, options={"valid_until": "2026-12-21"})

    id: UUID = Field(description="Your own id: of a new quotation, or of the act that revises one")
    branch_id: UUID
    customer_id: UUID
    lines: list[OfferedLine] = Field(min_length=1, max_length=2_000)
    options: QuotationOptions = Field(default_factory=QuotationOptions)


class StepRequest(Input):
    """A step that a document takes."""

    model_config = example(id=ACT)

    id: ActId


class RejectRequest(Input):
    """Why the customer declines."""

    model_config = example(id=ACT, reason="Too dear")

    id: ActId
    reason: Reason


class ConvertOptions(Input):
    """What the order says instead of what the quotation said."""

    note: str | None = Field(default=None, max_length=2_000)
    reference: str | None = Field(default=None, max_length=100)


class ConvertRequest(Input):
    """The order that a quotation becomes."""

    model_config = example(id=ORDER_ID, options={"reference": "PO 4711"})

    id: UUID = Field(description="Your own id of the order; the same request again answers the same order")
    options: ConvertOptions = Field(default_factory=ConvertOptions)


class QuotationRow(Row):
    """A quotation as lists show it. number: none on a draft that was never sent."""

    model_config = example(**_ROW)

    id: UUID
    org_id: UUID
    branch_id: UUID
    customer_id: UUID
    number: str | None
    revision: int
    status: Status
    valid_until: date
    total: Money
    sent_at: datetime | None
    answered_at: datetime | None
    reason: str | None
    created_at: datetime
    created_by: UUID


class QuotationQuery(ListQuery):
    """Filters of quotations. valid_to: those whose last day is that one or earlier; created_from is
    inclusive, created_before is not.
    """

    sort: Literal["created_at", "-created_at", "valid_until", "-valid_until", "total", "-total"] = (
        "-created_at"
    )
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    status: Annotated[Status | None, Where("status")] = None
    valid_to: Annotated[Day | None, Where("valid_until", "lte")] = None
    created_from: Annotated[Moment | None, Where("created_at", "gte")] = None
    created_before: Annotated[Moment | None, Where("created_at", "lt")] = None


class Revision(Row):
    """What a quotation was before."""

    revision: int
    total: Money
    status: Status
    replaced_at: datetime


class Quotation(Quote):
    """A quotation, whole, in the shape of an invoice. order_id: the order it became; revisions: the earlier
    ones; reason: why the customer declined.
    """

    model_config = example(
        **{**QUOTE, "customer_id": CUSTOMER, "buyer": BUYER},
        **_STATE,
        title="Quotation",
        order_id=None,
        revisions=[_REVISION],
    )

    id: UUID
    customer_id: UUID
    buyer: Party
    title: str
    number: str | None
    revision: int
    status: Status
    valid_until: date
    sent_at: datetime | None
    answered_at: datetime | None
    reason: str | None
    order_id: UUID | None
    revisions: list[Revision]
