"""Credit notes, voids and exchanges."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, Quantity, Row, Serial
from backend.app.schemas.billing import DeliverTo, Discount, Invoice, SaleLine, SalePayment
from backend.app.schemas.billing_examples import INVOICE, SALE
from backend.app.schemas.invoice_parts import Party, Region, SoldLine, SupplyType, TaxRegime, TaxSummaryRow
from backend.app.schemas.payments import ActId, MethodCode, PaidBack, Reason, Reference, Settled

_ID = "7f7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0caa"
_SHARED = (
    "org_id",
    "branch_id",
    "customer_id",
    "issued_at",
    "business_date",
    "currency",
    "subtotal",
    "discount",
    "tax",
    "round_off",
    "total",
)
_ROW: dict[str, Any] = {
    **{name: INVOICE[name] for name in _SHARED},
    "id": _ID,
    "invoice_id": INVOICE["id"],
    "goods_return_id": None,
    "number": "BLR/C/26-27/0001",
    "reason": "A leg was cracked",
    "voids": False,
}
_FROM_INVOICE = (
    "timezone",
    "tax_regime",
    "supply_type",
    "place_of_supply",
    "reverse_charge",
    "seller",
    "buyer",
    "tax_summary",
)
_NOTE: dict[str, Any] = {
    **{name: value for name, value in _ROW.items() if name != "invoice_id"},
    **{name: INVOICE[name] for name in _FROM_INVOICE},
    "document_discount": 0.00,
    "title": "Credit Note",
    "invoice": {"id": INVOICE["id"], "number": INVOICE["number"], "date": INVOICE["business_date"]},
    "lines": [
        {**{name: value for name, value in line.items() if name != "offers"}, "disposition": "repair"}
        for line in INVOICE["lines"]
    ],
    "allocations": [],
    "refunds": [
        {
            "id": "9e9f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cee",
            "number": "BLR/P/26-27/0001",
            "method": "cash",
            "amount": 1180.00,
            "refunded_at": "2026-11-21T10:30:00+00:00",
        }
    ],
    "left": 0.00,
}
_RETURNED: list[Any] = [{"line_no": 1, "quantity": 1, "disposition": "repair"}]

Disposition = Literal["restock", "scrap", "repair", "none"]


class CreditNoteRow(Row):
    """A credit note as lists show it. voids: it takes the whole invoice back on its own day."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    invoice_id: UUID
    customer_id: UUID | None
    goods_return_id: UUID | None
    number: str
    reason: str
    voids: bool
    issued_at: datetime
    business_date: date
    currency: str
    subtotal: Money
    discount: Money
    tax: Money
    round_off: Money
    total: Money


class CreditNoteQuery(ListQuery):
    """Filters of credit notes. Dates are business dates of the branch, both inclusive."""

    sort: Literal["issued_at", "-issued_at", "total", "-total"] = "-issued_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    invoice_id: Annotated[UUID | None, Where("invoice_id")] = None
    voids: Annotated[bool | None, Where("voids")] = None
    date_from: Annotated[Day | None, Where("business_date", "gte")] = None
    date_to: Annotated[Day | None, Where("business_date", "lte")] = None


class CreditedLine(Input):
    """How much of an invoice's line is credited, and what becomes of the goods."""

    line_no: int = Field(ge=1, le=2_000)
    quantity: Quantity = Field(gt=0, description="In the line's unit")
    disposition: Disposition | None = Field(default=None, description="Left out: restock; none for services")
    serials: list[Serial] | None = Field(default=None, min_length=1, max_length=2_000)


CreditedLines = Annotated[
    list[CreditedLine] | None,
    Field(min_length=1, max_length=2_000, description="Left out: everything that is left"),
]


class RefundAtOnce(Input):
    """How the rest is paid back at once. branch_id: which branch pays it, where the goods were brought to
    another one; left out: the invoice's.
    """

    method: MethodCode
    reference: Reference = None
    branch_id: UUID | None = None


class CreditNoteOptions(Input):
    """What is seldom needed. location_id: where goods come back to; goods_return_id: they came back before;
    refund: left out, the rest is the customer's credit.
    """

    location_id: UUID | None = None
    goods_return_id: UUID | None = None
    refund: RefundAtOnce | None = None
    occurred_at: Moment | None = None


class CreditNoteRequest(Input):
    """An invoice to be credited, whole or in part."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "invoice_id": INVOICE["id"],
                    "lines": _RETURNED,
                    "reason": "A leg was cracked",
                    "options": {"refund": {"method": "cash"}},
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id of the credit note; sent again, it is not issued again")
    invoice_id: UUID
    lines: CreditedLines = None
    reason: Reason
    options: CreditNoteOptions = Field(default_factory=CreditNoteOptions)


class VoidRequest(Input):
    """Why a counter sale is taken back on its own day."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ID, "reason": "Rung up twice"}]})

    id: ActId
    reason: Reason


class CreditLine(SoldLine):
    """A line that was credited; line_no is the invoice's. disposition: what became of the goods."""

    list_price: Money | None  # type: ignore[assignment]
    disposition: Disposition


class CreditedInvoice(Row):
    """The invoice that a credit note corrects."""

    id: UUID
    number: str
    date: date


class CreditNote(Row):
    """A credit note, whole. left: what was neither applied to an invoice nor paid out."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NOTE]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    customer_id: UUID | None
    title: str
    number: str
    invoice: CreditedInvoice
    goods_return_id: UUID | None
    reason: str
    voids: bool
    issued_at: datetime
    business_date: date
    timezone: str
    currency: str
    tax_regime: TaxRegime
    supply_type: SupplyType
    place_of_supply: Region
    reverse_charge: bool
    seller: Party
    buyer: Party | None
    subtotal: Money
    discount: Money
    document_discount: Money
    tax: Money
    round_off: Money
    total: Money
    lines: list[CreditLine]
    tax_summary: list[TaxSummaryRow]
    allocations: list[Settled]
    refunds: list[PaidBack]
    left: Money


class ExchangeOptions(Input):
    """What is seldom needed. return_location_id: where goods come back to; refund: how credit that is left is
    paid back.
    """

    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    return_location_id: UUID | None = None
    refund: RefundAtOnce | None = None
    note: str | None = Field(default=None, max_length=2_000)
    reference: str | None = Field(default=None, max_length=100)
    place_of_supply: str | None = Field(default=None, max_length=3, description="Region code")
    discount: Discount = None
    deliver_to: DeliverTo = None


class ExchangeRequest(Input):
    """Goods that come back and others that go out, whole or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "invoice_id": INVOICE["id"],
                    "return_lines": _RETURNED,
                    **{name: SALE[name] for name in ("branch_id", "location_id", "lines")},
                    "payments": [],
                }
            ]
        }
    )

    id: ActId
    invoice_id: UUID
    return_lines: CreditedLines = None
    branch_id: UUID
    location_id: UUID = Field(description="Where the new goods leave from")
    lines: list[SaleLine] = Field(min_length=1, max_length=2_000)
    payments: list[SalePayment] = Field(default_factory=list, max_length=20)
    options: ExchangeOptions = Field(default_factory=ExchangeOptions)


class Exchange(Row):
    """Both halves of an exchange."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"credit_note": _NOTE, "invoice": INVOICE}]})

    credit_note: CreditNote
    invoice: Invoice
