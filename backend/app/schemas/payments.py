"""Payments and refunds."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, Row
from backend.app.schemas.catalogue import ORG
from backend.app.schemas.invoice_parts import Party, TaxRegime
from backend.app.schemas.stock import BRANCH

PAYMENT_ID = "9e9f3f0e-1d9a-4f0e-8a53-0d9a3f1f0ccc"
_ACT = "9e9f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cdd"
REFUND_ID = "9e9f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cee"
CUSTOMER = "5c5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c77"
INVOICE_ID = "8d8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cbb"
_PERSON = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"

_ROW: dict[str, Any] = {
    "id": PAYMENT_ID,
    "org_id": ORG,
    "branch_id": BRANCH,
    "customer_id": CUSTOMER,
    "order_id": None,
    "number": "BLR/R/26-27/0001",
    "method": "upi",
    "amount": 2000.00,
    "tendered": 2000.00,
    "change": 0.00,
    "reference": "UPI 4711",
    "note": None,
    "received_at": "2026-11-21T09:30:00+00:00",
    "business_date": "2026-11-21",
}
_SETTLED: dict[str, Any] = {"invoice_id": INVOICE_ID, "amount": 1180.00}
PAYMENT_EXAMPLE: dict[str, Any] = {
    **_ROW,
    "method_name": "UPI",
    "currency": "INR",
    "timezone": "Asia/Kolkata",
    "reversed": None,
    "allocations": [{**_SETTLED, "invoice_number": "BLR/26-27/000001"}],
    "refunds": [],
    "charges": 0.00,
    "agreements": [],
    "unallocated": 820.00,
    "tax_regime": "gst",
    "seller": {"name": "Teak & Thread", "tax_number": "29ABCDE1234F1Z5"},
    "buyer": {"name": "Mehta Interiors", "tax_number": None},
}
_REFUND: dict[str, Any] = {
    "id": REFUND_ID,
    "org_id": ORG,
    "branch_id": BRANCH,
    "customer_id": CUSTOMER,
    "number": "BLR/P/26-27/0001",
    "method": "upi",
    "amount": 820.00,
    "reference": None,
    "note": None,
    "refunded_at": "2026-11-21T10:30:00+00:00",
    "business_date": "2026-11-21",
    "created_by": _PERSON,
    "shift_id": None,
}

MethodCode = Annotated[
    str, Field(max_length=20, description="A code of payment_methods: cash, card, upi ...")
]
ActId = Annotated[UUID, Field(description="Your own id of this act; the same request again changes nothing")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Reference = Annotated[str | None, Field(max_length=100, description="Of the cheque, the transfer")]


class PaymentRow(Row):
    """A payment as lists show it. amount: what counts; tendered: what was handed over. number: of the receipt
    voucher; none for what was paid with a counter sale.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    customer_id: UUID | None
    order_id: UUID | None
    number: str | None
    method: str
    amount: Money
    tendered: Money
    change: Money
    reference: str | None
    note: str | None
    received_at: datetime
    business_date: date


class PaymentQuery(ListQuery):
    """Filters of payments. Dates are business dates of the branch, both inclusive."""

    sort: Literal["received_at", "-received_at", "amount", "-amount"] = "-received_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    order_id: Annotated[UUID | None, Where("order_id")] = None
    method: Annotated[str | None, Field(max_length=20), Where("method")] = None
    date_from: Annotated[Day | None, Where("business_date", "gte")] = None
    date_to: Annotated[Day | None, Where("business_date", "lte")] = None


class Allocation(Input):
    """How much of an invoice is settled."""

    invoice_id: UUID
    amount: Money = Field(gt=0)


Allocations = Annotated[
    list[Allocation] | None,
    Field(max_length=2_000, description="Left out: the customer's open invoices, oldest due first"),
]


class PaymentOptions(Input):
    """What is seldom needed. hold: settle nothing yet; order_id: an advance on a sales order; occurred_at
    needs the permission sale.backdate and an open period.
    """

    branch_id: UUID | None = Field(
        default=None, description="Which branch takes it; else that of the first invoice"
    )
    occurred_at: Moment | None = None
    order_id: UUID | None = None
    hold: bool | None = None
    note: str | None = Field(default=None, max_length=2_000)


class PaymentRequest(Input):
    """A payment that came in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": PAYMENT_ID,
                    "customer_id": CUSTOMER,
                    "amount": 2000.00,
                    "method": "upi",
                    "allocations": [_SETTLED],
                    "reference": "UPI 4711",
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id of the payment; sent again, it is not booked again")
    customer_id: UUID | None = Field(
        default=None, description="Left out only for what settles invoices, all of it"
    )
    amount: Money = Field(gt=0)
    method: MethodCode
    allocations: Allocations = None
    reference: Reference = None
    options: PaymentOptions = Field(default_factory=PaymentOptions)


class AllocateRequest(Input):
    """Invoices that are settled with what is left of a payment or a credit note."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT, "allocations": [_SETTLED]}]})

    id: ActId
    allocations: Allocations = None


class ReleaseRequest(Input):
    """Invoices that a payment is taken off; left out: all that it settles."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT, "allocations": [_SETTLED]}]})

    id: ActId
    allocations: Annotated[
        list[Allocation] | None,
        Field(min_length=1, max_length=2_000, description="Left out: all that it settles"),
    ] = None


class ReverseRequest(Input):
    """Why a payment does not stand."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT, "reason": "The cheque bounced"}]})

    id: ActId
    reason: Reason


class Settled(Row):
    """How much of an invoice is settled."""

    invoice_id: UUID
    invoice_number: str
    amount: Money


class PaidBack(Row):
    """A refund out of this payment or credit note. amount: what came out of it."""

    id: UUID
    number: str
    method: str
    amount: Money
    refunded_at: datetime


class Reversal(Row):
    """Why and when a payment was taken back."""

    id: UUID
    at: datetime
    reason: str


class NextInstalment(Row):
    """When the next instalment is due, and what is open of it."""

    due_on: Day
    amount: Money


class AgreementPaid(Row):
    """An agreement that a payment goes to. instalments: which of them it settles, wholly or in part; amount:
    principal, interest and fees together; the rest as it stands on the branch's date, as_of.
    """

    id: UUID
    number: str
    instalments: list[int]
    amount: Money
    status: str
    as_of: Day
    outstanding: Money
    next_due: NextInstalment | None


class Payment(PaymentRow):
    """A payment, whole, with seller and buyer as they are now. allocations: what it settles now; charges:
    what of it went to interest and fees of instalments; agreements: those whose instalments it settles now,
    and where they stand; unallocated: what is left of it.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [PAYMENT_EXAMPLE]})

    method_name: str
    currency: str
    timezone: str
    reversed: Reversal | None
    allocations: list[Settled]
    refunds: list[PaidBack]
    charges: Money
    agreements: list[AgreementPaid]
    unallocated: Money
    tax_regime: TaxRegime
    seller: Party
    buyer: Party | None


class RefundRow(Row):
    """A refund as lists show it. number: of the refund voucher."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REFUND]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    customer_id: UUID | None
    number: str
    method: str
    amount: Money
    reference: str | None
    note: str | None
    refunded_at: datetime
    business_date: date
    created_by: UUID
    shift_id: UUID | None = Field(description="The till shift that paid it")


class RefundQuery(ListQuery):
    """Filters of refunds. Dates are business dates of the branch, both inclusive."""

    sort: Literal["refunded_at", "-refunded_at"] = "-refunded_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    method: Annotated[str | None, Field(max_length=20), Where("method")] = None
    date_from: Annotated[Day | None, Where("business_date", "gte")] = None
    date_to: Annotated[Day | None, Where("business_date", "lte")] = None


class RefundOptions(Input):
    """What is seldom needed. payment_id or credit_note_id: what it is paid out of; else the oldest first."""

    payment_id: UUID | None = None
    credit_note_id: UUID | None = None
    branch_id: UUID | None = None
    reference: Reference = None
    occurred_at: Moment | None = None
    note: str | None = Field(default=None, max_length=2_000)


class RefundRequest(Input):
    """A customer's credit that is paid back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": REFUND_ID,
                    "customer_id": CUSTOMER,
                    "amount": 820.00,
                    "method": "upi",
                    "options": {"payment_id": PAYMENT_ID},
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id of the refund; the same request again answers the same refund")
    customer_id: UUID | None = Field(
        default=None, description="Left out when the payment or credit note is named"
    )
    amount: Money = Field(gt=0)
    method: MethodCode
    options: RefundOptions = Field(default_factory=RefundOptions)


class RefundSource(Row):
    """What a refund was paid out of."""

    payment_id: UUID | None
    credit_note_id: UUID | None
    amount: Money


class Refund(RefundRow):
    """A refund, whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_REFUND,
                    "method_name": "UPI",
                    "currency": "INR",
                    "sources": [{"payment_id": PAYMENT_ID, "credit_note_id": None, "amount": 820.00}],
                }
            ]
        }
    )

    method_name: str
    currency: str
    sources: list[RefundSource]


class BooksQuery(Input):
    """Whose books are proved."""

    org_id: UUID


class BooksFinding(Row):
    """Something in the books that disagrees with itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "problem": "paid is not the sum of the allocations",
                    "document": "BLR/26-27/000001",
                    "id": INVOICE_ID,
                    "expected": 1180.00,
                    "found": 1080.00,
                }
            ]
        }
    )

    problem: str
    document: str | None
    id: UUID | None
    expected: Money | None
    found: Money | None
