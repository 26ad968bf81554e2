"""Tax registers: GSTR-1 for India, output tax by place and rate for VAT and sales tax."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.schemas.base import Day, Money, Quantity, Rate, Row, example
from backend.app.schemas.catalogue import ORG
from backend.app.schemas.invoice_parts import SupplyType, TaxKind

_TAXES: dict[str, Any] = {"taxable": 1000.00, "igst": 0.00, "cgst": 90.00, "sgst": 90.00, "cess": 0.00}
_NOTHING: dict[str, Any] = {"taxable": 0.00, "igst": 0.00, "cgst": 0.00, "sgst": 0.00, "cess": 0.00}
_SUMS: dict[str, Any] = {"documents": 1, **_TAXES, "recipient_tax": 0.00}
_NO_SUMS: dict[str, Any] = {"documents": 0, **_NOTHING, "recipient_tax": 0.00}
_EMPTY: dict[str, Any] = {"sums": _NO_SUMS, "rows": []}
_LISTED: dict[str, Any] = {
    "number": "BLR/26-27/000001",
    "date": "2026-11-21",
    "gstin": "29AAGCL1234M1ZX",
    "name": "Lotus Interiors Pvt Ltd",
    "value": 1180.00,
    "place_of_supply": "29",
    "reverse_charge": False,
    "type": "R",
    "items": [{"rate": 18.000, **_TAXES, "recipient_tax": 0.00}],
}
_HSN: dict[str, Any] = {
    "hsn_code": "9401",
    "unit": "NOS",
    "rate": 18.000,
    "quantity": 1.000,
    "value": 1180.00,
    **_TAXES,
}
_SERIES: dict[str, Any] = {
    "document": "Invoices for outward supply",
    "from": "BLR/26-27/000001",
    "to": "BLR/26-27/000001",
    "total": 1,
    "cancelled": 0,
    "net": 1,
}
_REGISTRATION: dict[str, Any] = {
    "gstin": "29ABCDE1234F1Z5",
    "b2b": {"sums": _SUMS, "rows": [_LISTED]},
    "b2cl": _EMPTY,
    "b2cs": _EMPTY,
    "exp": _EMPTY,
    "cdnr": _EMPTY,
    "cdnur": _EMPTY,
    "nil": _EMPTY,
    "hsn": {"sums": _SUMS, "b2b": [_HSN], "b2c": []},
    "docs": {"rows": [_SERIES]},
    "sums": _SUMS,
}
_GSTR1: dict[str, Any] = {
    "org_id": ORG,
    "from": "2026-11-01",
    "to": "2026-11-30",
    "b2cl_above": 100000.00,
    "registrations": [_REGISTRATION],
}
_PLACE: dict[str, Any] = {"place": "DE", "place_name": "Germany"}
_RETURN: dict[str, Any] = {
    "org_id": ORG,
    "from": "2026-11-01",
    "to": "2026-11-30",
    "rows": [{**_PLACE, "component": "VAT", "rate": 19.000, "taxable": 1000.00, "tax": 190.00}],
    "untaxed": [
        {
            "place": "US",
            "place_name": "United States",
            "supply_type": "export",
            "tax_kind": "zero_rated",
            "taxable": 500.00,
        }
    ],
    "sums": {"taxable": 1500.00, "tax": 190.00},
}


class GstAmounts(Row):
    """Taxable value and the taxes on it, in rupees; sgst: with UTGST."""

    taxable: Money
    igst: Money
    cgst: Money
    sgst: Money
    cess: Money


class GstSums(GstAmounts):
    """What a section comes to; credit notes count as negative. recipient_tax: what buyers pay themselves."""

    documents: int
    recipient_tax: Money


class GstItem(GstAmounts):
    """The lines of a document at one rate."""

    rate: Rate
    recipient_tax: Money


class GstDocument(Row):
    """An invoice or credit note as the form lists it. type: R regular; WPAY, WOPAY exports with and without
    payment of tax; SEWP, SEWOP the same to a SEZ; of notes to unregistered persons B2CL, EXPWP, EXPWOP.
    invoice_number, invoice_date: of what a note credits.
    """

    number: str
    date: date
    gstin: str | None
    name: str | None
    value: Money
    place_of_supply: str | None
    reverse_charge: bool
    type: Literal["R", "WPAY", "WOPAY", "SEWP", "SEWOP", "B2CL", "EXPWP", "EXPWOP"]
    items: list[GstItem]
    invoice_number: str | None = None
    invoice_date: Day | None = None


class GstDocuments(Row):
    """A section that lists documents."""

    sums: GstSums
    rows: list[GstDocument]


class GstSmallRow(GstAmounts):
    """Small supplies to consumers at one place and rate."""

    place_of_supply: str | None
    type: Literal["INTRA", "INTER"]
    rate: Rate


class GstSmall(Row):
    """The section of small supplies to consumers."""

    sums: GstSums
    rows: list[GstSmallRow]


class GstUntaxedRow(Row):
    """What bears no tax, by where it went and to whom."""

    type: Literal["INTRAB2B", "INTRAB2C", "INTERB2B", "INTERB2C"]
    nil_rated: Money
    exempt: Money
    non_gst: Money


class GstUntaxed(Row):
    """The section of what bears no tax."""

    sums: GstSums
    rows: list[GstUntaxedRow]


class HsnRow(GstAmounts):
    """Supplies under one HSN code, unit and rate; services have no quantity."""

    hsn_code: str | None
    unit: str
    rate: Rate
    quantity: Quantity
    value: Money


class HsnSummary(Row):
    """Supplies by HSN code, to registered buyers and to others."""

    sums: GstSums
    b2b: list[HsnRow]
    b2c: list[HsnRow]


class GstSeries(Row):
    """A series of documents: first and last number, how many there are and how many were cancelled."""

    document: str
    first: str = Field(alias="from")
    last: str = Field(alias="to")
    total: int
    cancelled: int
    net: int


class GstSeriesList(Row):
    """All series of a period."""

    rows: list[GstSeries]


class GstRegistration(Row):
    """The register of one GSTIN. All sections but hsn and docs add up to sums."""

    gstin: str | None
    b2b: GstDocuments
    b2cl: GstDocuments
    b2cs: GstSmall
    exp: GstDocuments
    cdnr: GstDocuments
    cdnur: GstDocuments
    nil: GstUntaxed
    hsn: HsnSummary
    docs: GstSeriesList
    sums: GstSums


class Gstr1(Row):
    """The register of outward supplies. b2cl_above: beyond it an invoice to a consumer elsewhere is large."""

    model_config = example(**_GSTR1)

    org_id: UUID
    first_day: date = Field(alias="from")
    last_day: date = Field(alias="to")
    b2cl_above: Money | None
    registrations: list[GstRegistration]


class VatRow(Row):
    """One component of the tax at one place and rate."""

    place: str | None
    place_name: str | None
    component: str
    rate: Rate
    taxable: Money
    tax: Money


class VatUntaxed(Row):
    """What bears no tax, by place and reason."""

    place: str | None
    place_name: str | None
    supply_type: SupplyType
    tax_kind: TaxKind
    taxable: Money


class VatSums(Row):
    """What all documents come to."""

    taxable: Money
    tax: Money


class VatReturn(Row):
    """Output tax of a period, less what was credited, in the organisation's currency."""

    model_config = example(**_RETURN)

    org_id: UUID
    first_day: date = Field(alias="from")
    last_day: date = Field(alias="to")
    rows: list[VatRow]
    untaxed: list[VatUntaxed]
    sums: VatSums
