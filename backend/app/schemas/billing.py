"""Sales and invoices."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, Quantity, Rate, Row, Serial, example
from backend.app.schemas.billing_examples import INVOICE, INVOICE_ROW, QUOTE, SALE
from backend.app.schemas.invoice_parts import (
    InvoiceCreditNote,
    InvoiceLine,
    InvoicePayment,
    InvoicePoints,
    Party,
    Region,
    ShipTo,
    SupplyType,
    TaxRegime,
    TaxSummaryRow,
)

Status = Literal["draft", "sent", "partially_paid", "paid", "void"]


class OfferedLine(Input):
    """What is offered or ordered. Without unit_price the catalogue's price counts."""

    variant_id: UUID
    quantity: Quantity = Field(gt=0, description="In the product's unit, or in `unit`")
    unit: str | None = Field(None, max_length=3, description="Another unit of the product, such as ROL")
    unit_price: Annotated[Money, Field(ge=0)] | None = Field(
        None, description="Needs the permission price.override"
    )
    discount: Annotated[Money, Field(ge=0)] | None = Field(None, description="Amount off the line")


class BilledLine(OfferedLine):
    """What leaves with an invoice."""

    serials: list[Serial] | None = Field(
        None,
        min_length=1,
        max_length=2_000,
        description="The number of each piece, where it has one; for a set those of its components",
    )


class SaleLine(BilledLine):
    """What goes over the counter."""

    batch: str | None = Field(None, max_length=60, description="The lot; left out: what expires first")


class SalePayment(Input):
    """Money that was handed over. Only cash gives change."""

    method: str = Field(
        max_length=20, description="A code of payment_methods: cash, card, upi, bank_transfer..."
    )
    amount: Money = Field(gt=0)
    reference: str | None = Field(default=None, max_length=100)


class DocumentDiscount(Input):
    """Off the whole document, after all other discounts: an amount, or a share in per cent. It is spread over
    the lines in proportion to what they come to, before tax; each line's share and its own discount by hand
    are together within the role's limit. One of both is given.
    """

    model_config = example(percent=5.000)

    amount: Annotated[Money, Field(gt=0)] | None = None
    percent: Annotated[Rate, Field(gt=0, le=100)] | None = None


Discount = Annotated[
    DocumentDiscount | None, Field(description="Off the whole document, spread over its lines before tax")
]


DeliverTo = Annotated[
    UUID | None,
    Field(description="One of the customer's addresses, where the goods are brought; it decides the tax"),
]


class SaleOptions(Input):
    """What is seldom needed. occurred_at needs the permission sale.backdate and an open period."""

    occurred_at: Moment | None = None
    place_of_supply: str | None = Field(
        default=None, max_length=60, description="GST state code, or a country with its regions: US-NY-ERIE"
    )
    export_tax: Literal["with_payment", "without_payment"] | None = Field(
        default=None, description="Whether an export or a supply to a SEZ bears integrated tax"
    )
    reverse_charge: bool | None = Field(default=None, description="Whether the buyer pays the tax himself")
    note: str | None = Field(default=None, max_length=2_000)
    reference: str | None = Field(default=None, max_length=100)
    reservation_id: UUID | None = Field(default=None, description="The reservation that this sale fulfils")
    credit_note_id: UUID | None = Field(
        default=None, description="A credit note of the same customer that pays first"
    )
    coupon: str | None = Field(default=None, max_length=100, description="The code of a coupon")
    discount: Discount = None
    deliver_to: DeliverTo = None


class QuoteRequest(Input):
    """What a sale would cost."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{key: SALE[key] for key in ("branch_id", "customer_id", "lines")}]}
    )

    branch_id: UUID
    customer_id: UUID | None = None
    lines: list[SaleLine] = Field(min_length=1, max_length=2_000)
    options: SaleOptions = Field(default_factory=SaleOptions)


class SaleRequest(Input):
    """A counter sale: the goods leave, the invoice is issued, the payments are booked, all or nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [SALE]})

    id: UUID = Field(
        description="Your own id of the invoice; the same request again returns the same invoice"
    )
    branch_id: UUID
    location_id: UUID = Field(description="Where the goods leave from")
    customer_id: UUID | None = Field(None, description="Needed for a sale that is not fully paid")
    lines: list[SaleLine] = Field(min_length=1, max_length=2_000)
    payments: list[SalePayment] = Field(default_factory=list, max_length=20)
    options: SaleOptions = Field(default_factory=SaleOptions)


class InvoiceRow(Row):
    """An invoice as lists show it. subtotal: taxable value; total = subtotal + tax + round_off; balance:
    still owed.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [INVOICE_ROW]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    location_id: UUID | None
    customer_id: UUID | None
    number: str | None
    status: Status
    issued_at: datetime
    business_date: date
    due_date: date | None
    currency: str
    supply_type: SupplyType
    subtotal: Money
    discount: Money
    tax: Money
    round_off: Money
    total: Money
    paid: Money
    credited: Money
    balance: Money
    reference: str | None
    order_id: UUID | None
    delivery_id: UUID | None


class InvoiceQuery(ListQuery):
    """Filters of invoices. Dates are business dates of the branch, both inclusive; balance_from finds what is
    owed, due_to what is due by a day.
    """

    sort: Literal[
        "issued_at", "-issued_at", "due_date", "-due_date", "number", "-number", "total", "-total"
    ] = "-issued_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    order_id: Annotated[UUID | None, Where("order_id")] = None
    status: Annotated[Status | None, Where("status")] = None
    date_from: Annotated[Day | None, Where("business_date", "gte")] = None
    date_to: Annotated[Day | None, Where("business_date", "lte")] = None
    due_to: Annotated[Day | None, Where("due_date", "lte")] = None
    balance_from: Annotated[Money | None, Where("balance", "gte")] = None


class InvoicePaperQuery(Input):
    """On which paper an invoice is printed, and for whom."""

    format: Literal["a4", "receipt"] = Field("a4", description="A4 tax invoice, or 80 mm receipt")
    copy_for: Literal["recipient", "transporter", "supplier"] = Field(
        "recipient",
        description="Whose copy a GST invoice on A4 says it is (CGST Rules 2017, rule 48)",
    )


class SalesDocument(Row):
    """What quotations, orders, deliveries and invoices have in common, apart from their lines: names,
    addresses, sums and taxes as they were on the day. subtotal: taxable value; discount: off all lines, and
    document_discount: what of it was given on the whole document, in per cent where it was; total =
    subtotal + tax + round_off.
    """

    org_id: UUID
    branch_id: UUID
    customer_id: UUID | None
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
    ship_to: ShipTo | None = Field(
        description="Where the goods are brought; none for the buyer's own address and over the counter"
    )
    subtotal: Money
    discount: Money
    document_discount: Money
    document_discount_percent: Rate | None
    tax: Money
    round_off: Money
    total: Money
    tax_summary: list[TaxSummaryRow]
    note: str | None
    reference: str | None
    terms: str | None


class Quote(SalesDocument):
    """The invoice that a sale would make: prices, taxes and total, with nothing posted."""

    model_config = ConfigDict(json_schema_extra={"examples": [QUOTE]})

    lines: list[InvoiceLine]


class Invoice(Quote):
    """An invoice, whole: names, addresses, prices and rates as they were on the day."""

    model_config = ConfigDict(json_schema_extra={"examples": [INVOICE]})

    id: UUID
    location_id: UUID | None = Field(description="Where the goods stood; none where there were none")
    title: str
    number: str | None = Field(
        description="<branch>/<fiscal year>/<serial>, at most 16 characters, without gaps; none on a draft"
    )
    status: Status
    due_date: date | None = Field(description="When it is to be paid; none: at once")
    order_id: UUID | None
    delivery_id: UUID | None
    paid: Money
    credited: Money = Field(description="Credit notes that were applied to it")
    balance: Money
    tendered: Money
    change_due: Money
    payments: list[InvoicePayment]
    credit_notes: list[InvoiceCreditNote] = Field(description="Credit notes of this invoice")
    points: InvoicePoints | None = Field(
        description="Null without a customer or a loyalty program, and for who may not read customers"
    )
    void_reason: str | None = Field(
        default=None, description="Why it is void; a counter sale's credit note says so"
    )
