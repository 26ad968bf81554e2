"""The parts an invoice is made of."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from backend.app.schemas.base import Money, Quantity, Rate, Row

TaxRegime = Literal["gst", "vat", "sales_tax", "none"]
SupplyType = Literal["intra_state", "inter_state", "sez", "domestic", "intra_community", "export", "untaxed"]
TaxKind = Literal["taxable", "nil_rated", "exempt", "non_gst", "zero_rated", "reverse_charge", "untaxed"]


class Region(Row):
    """A state or country that decides the tax."""

    code: str
    name: str


class Party(Row):
    """The seller or the buyer as printed on the document; members differ by which of them it is."""

    model_config = ConfigDict(extra="allow")

    name: str
    tax_number: str | None = None


class PostalAddress(Row):
    """An address as documents keep it."""

    line1: str | None
    line2: str | None
    city: str | None
    region_code: str | None
    region_name: str | None
    postal_code: str | None
    country: str | None
    country_name: str | None


class ShipTo(Row):
    """Where the goods are brought, as it was on the day. id: the customer's address that was named; name: who
    receives there; tax_area: county or city, where it taxes.
    """

    id: UUID
    name: str
    phone: str | None
    tax_area: str | None
    address: PostalAddress


class TaxAmount(Row):
    """One component of the tax: CGST, SGST, UTGST, IGST, CESS, VAT or as the tax rates name it. rate in per
    cent; per_unit: what a cess takes of each unit besides.
    """

    component: str
    rate: Rate
    amount: Money
    per_unit: Money | None = None


class SetItem(Row):
    """A component of a set that was sold; quantity: for the whole line, in the component's unit."""

    variant_id: UUID
    sku: str
    name: str
    quantity: Quantity


class LineOffer(Row):
    """What a promotion took off a line, within its discount; coupon: by which code."""

    promotion_id: UUID
    name: str
    amount: Money
    coupon: str | None = None


class SoldLine(Row):
    """A line as it was sold. quantity: in `unit`, base_quantity: in the product's own unit; set_items: what a
    set stood for; serials: the numbers of the pieces; unit_price: for one unit; list_price:
    what the catalogue asked, by the list named in price_list or else by the variant; discount: off the line,
    document_discount: its share of what was given on the whole document; taxable: after discount, without
    tax.
    """

    line_no: int
    variant_id: UUID
    sku: str
    description: str
    hsn_code: str | None
    unit: str
    quantity: Quantity
    base_quantity: Quantity
    set_items: list[SetItem] | None
    serials: list[str] | None
    unit_price: Money
    list_price: Money
    price_list: str | None
    price_includes_tax: bool
    discount: Money
    document_discount: Money
    taxable: Money
    tax_kind: TaxKind
    tax_rate: Rate
    taxes: list[TaxAmount]
    tax: Money
    total: Money


class InvoiceLine(SoldLine):
    """One line. offers: which promotions gave how much of the discount."""

    offers: list[LineOffer]


class TaxSummaryRow(Row):
    """The lines of one HSN code, kind and rate, summed."""

    hsn_code: str | None
    tax_kind: TaxKind
    tax_rate: Rate
    taxable: Money
    taxes: list[TaxAmount]
    tax: Money


class InvoicePayment(Row):
    """A payment on this invoice. amount: what counts; tendered: what was handed over; change: what was given
    back.
    """

    id: UUID
    method: str
    method_name: str
    amount: Money
    tendered: Money
    change: Money
    reference: str | None
    received_at: datetime


class InvoicePoints(Row):
    """The loyalty points of an invoice. earned: less what returns took back; redeemed: less what came back;
    balance: the customer's, once this invoice had earned and redeemed.
    """

    earned: int
    redeemed: int
    balance: int


class InvoiceCreditNote(Row):
    """A credit note that corrects this invoice."""

    id: UUID
    number: str
    date: date
    total: Money
