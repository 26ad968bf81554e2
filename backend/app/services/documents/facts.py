"""What an invoice says, put in words: labels, dates, addresses and tax names derived from the invoice JSON.

Every function takes the invoice JSON of `get_invoice` or a part of it, and returns text or numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.app.services.documents.money import amount, decimal, percent, quantity
from backend.app.services.documents.text import clean
from backend.app.services.documents.theme import TIMES

Json = dict[str, Any]

_TAX_NUMBER: Final = {"gst": "GSTIN", "vat": "VAT No."}
_MOST_NUMBERS: Final = 24
_KIND: Final = {"nil_rated": "Nil", "exempt": "Exempt", "non_gst": "Non-GST"}
_TAX: Final = {"gst": "GST", "vat": "VAT"}
_UNTAXED: Final = ("zero_rated", "reverse_charge", "exempt")


@dataclass(frozen=True, slots=True)
class Status:
    """Where an invoice stands: its word, and whether that is good news."""

    word: str
    mood: str


def is_taxed(invoice: Json) -> bool:
    """Says whether the seller collects a tax at all; without one no tax column is shown."""
    return bool(invoice["tax_regime"] != "none" and not is_composition(invoice))


def is_gst(invoice: Json) -> bool:
    """Says whether India's goods and services tax applies."""
    return bool(invoice["tax_regime"] == "gst")


def is_composition(invoice: Json) -> bool:
    """Says whether the seller pays a part of his turnover under India's composition scheme."""
    return bool(invoice["seller"].get("tax_scheme") == "composition")


def notice(invoice: Json) -> str:
    """The words that the law wants at the top of the document (CGST Rules 2017, rule 5(1)(f)), or none."""
    if is_composition(invoice):
        return "COMPOSITION TAXABLE PERSON, NOT ELIGIBLE TO COLLECT TAX ON SUPPLIES"
    return ""


def particulars(line: Json) -> list[str]:
    """What stands in small print beneath a line: the components of a set, the numbers of the pieces.

    Of many numbers the first are printed, and how many there are besides: a thousand would fill pages.
    """
    said = [
        f"{quantity(item['quantity'], '')} {TIMES} {clean(item['name'])}"
        for item in line.get("set_items") or []
    ]
    numbers = [clean(number) for number in line.get("serials") or []]
    if numbers:
        rest = len(numbers) - _MOST_NUMBERS
        more = f" and {rest} more" if rest > 0 else ""
        said.append(f"S/N {', '.join(numbers[:_MOST_NUMBERS])}{more}")
    return said


def tax_number_label(invoice: Json) -> str:
    """Names the number under which a party is registered for tax."""
    return _TAX_NUMBER.get(invoice["tax_regime"], "Tax No.")


def seller_name(invoice: Json) -> str:
    """The name a customer knows the shop by."""
    seller = invoice["seller"]
    return str(seller.get("name") or seller.get("legal_name") or "")


def legal_name(invoice: Json) -> str:
    """The name that signs."""
    return str(invoice["seller"].get("legal_name") or seller_name(invoice))


def status(invoice: Json) -> Status:
    """Reads the state of payment off the amounts; a void or draft document says so first."""
    word = str(invoice["status"])
    if word in ("void", "voided", "cancelled"):
        return Status("Void", "bad")
    if word == "draft":
        return Status("Draft", "bad")
    if decimal(invoice["balance"]) <= 0:
        return Status("Paid", "good")
    return Status("Part paid" if decimal(invoice["paid"]) > 0 else "Unpaid", "warn")


def issue_date(invoice: Json) -> str:
    """The business date, as 21 Nov 2026."""
    day = date.fromisoformat(str(invoice["business_date"]))
    return f"{day.day} {day:%b %Y}"


def _local(invoice: Json, moment: Any) -> datetime | None:
    """Turns a timestamp into the branch's local time; None when either is unknown here."""
    try:
        zone = ZoneInfo(str(invoice.get("timezone") or "UTC"))
        return datetime.fromisoformat(str(moment)).astimezone(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def issue_time(invoice: Json) -> str:
    """The branch's local time of issue as 15:00; empty when unknown."""
    local = _local(invoice, invoice.get("issued_at"))
    return f"{local:%H:%M}" if local else ""


def payment_date(invoice: Json, payment: Json) -> str:
    """The branch's local date of a payment, as 21 Nov 2026; empty when unknown."""
    local = _local(invoice, payment.get("received_at"))
    return f"{local.day} {local:%b %Y}" if local else ""


def address_lines(party: Json, home_country: str | None = None, *, with_code: bool = False) -> list[str]:
    """Sets a postal address in lines.

    Parameters:
        party: seller or buyer.
        home_country: the country is named only when it differs from this one.
        with_code: whether the state's code follows its name, as GST wants it.
    Returns:
        up to four lines: street, further street, town, region.
    """
    address = party.get("address") or {}
    town = " ".join(str(address[key]) for key in ("city", "postal_code") if address.get(key))
    country = address.get("country")
    abroad = address.get("country_name") or country if country != home_country else None
    state = address.get("region_name")
    if with_code and state and address.get("region_code"):
        state = f"{state} ({address['region_code']})"
    region = ", ".join(str(part) for part in (state, abroad) if part)
    parts = [address.get("line1"), address.get("line2"), town, region]
    lines = (str(part).strip(" ,") for part in parts if part)
    return [line for line in lines if line]


def place_of_supply(invoice: Json) -> str:
    """The place that decides the tax, with its code: Karnataka (29)."""
    place = invoice.get("place_of_supply") or {}
    name, code = place.get("name"), place.get("code")
    return f"{name} ({code})" if name and code else str(name or code or "")


def components(rows: Iterable[Json]) -> list[str]:
    """Lists the tax components of lines or summary rows in order of appearance: CGST, SGST."""
    seen: dict[str, None] = {}
    for row in rows:
        for tax in row.get("taxes") or ():
            seen.setdefault(str(tax["component"]))
    return list(seen)


def component_total(rows: Iterable[Json], component: str) -> Decimal:
    """Adds up one tax component over lines or summary rows."""
    taxes = (tax for row in rows for tax in row.get("taxes") or ())
    return sum((decimal(tax["amount"]) for tax in taxes if tax["component"] == component), Decimal(0))


def rate_label(row: Json) -> str:
    """The tax rate of a line or summary row; what bears none has a word instead, reverse charge one more."""
    kind = str(row.get("tax_kind"))
    rate = _KIND.get(kind, "") or percent(row.get("tax_rate"))
    return f"{rate} RC" if kind == "reverse_charge" else rate


def component_rate(tax: Json, currency: str) -> str:
    """The rate of one component: percent, an amount per unit, or both, as cess may have them."""
    parts = [percent(tax["rate"])] if decimal(tax["rate"]) or not tax.get("per_unit") else []
    if tax.get("per_unit"):
        parts.append(f"{amount(tax['per_unit'], currency)}/unit")
    return " + ".join(parts)


def has_discount(invoice: Json) -> bool:
    """Says whether any line was sold below its price."""
    return any(decimal(line.get("discount")) for line in invoice["lines"])


def has_codes(rows: Iterable[Json]) -> bool:
    """Says whether any row has an HSN or commodity code."""
    return any(row.get("hsn_code") for row in rows)


def legends(invoice: Json) -> list[str]:
    """The sentences the law or the reader wants for this invoice's kinds of supply."""
    kinds = {str(line.get("tax_kind")) for line in invoice["lines"]}
    tax = _TAX.get(invoice["tax_regime"], "sales tax")
    out: list[str] = []
    if not is_taxed(invoice):
        return out
    leaves = is_gst(invoice) and invoice["supply_type"] in ("export", "sez")
    if leaves:
        out.append(_endorsement(invoice))
    if invoice["supply_type"] == "intra_community":
        out.append(
            "Exempt intra-Community supply (Directive 2006/112/EC, article 138), or reverse charge for "
            "services (article 196): the customer accounts for VAT."
        )
    elif invoice.get("reverse_charge"):
        out.append(
            "Tax is payable by the recipient under reverse charge."
            if is_gst(invoice)
            else "Reverse charge: the customer accounts for VAT."
        )
    if "nil_rated" in kinds:
        out.append(f"Nil: nil-rated supply, {tax} at 0%.")
    if "exempt" in kinds:
        out.append(f"Exempt: supply exempt from {tax}.")
    if "non_gst" in kinds:
        out.append("Non-GST: supply outside GST.")
    if "zero_rated" in kinds and not leaves:
        out.append(f"0%: zero-rated supply, {tax} at 0%.")
    if any(_is_freed(line) for line in invoice["lines"]):
        out.append("The tax within these prices is taken off.")
    return out


def _endorsement(invoice: Json) -> str:
    """What rule 46 of the CGST Rules 2017 wants on an invoice that leaves India's tax territory."""
    what = (
        "SUPPLY MEANT FOR EXPORT"
        if invoice["supply_type"] == "export"
        else "SUPPLY TO SEZ UNIT OR SEZ DEVELOPER FOR AUTHORISED OPERATIONS"
    )
    if decimal(invoice["tax"]):
        return f"{what} ON PAYMENT OF INTEGRATED TAX."
    lut = invoice["seller"].get("lut_number")
    said = f" LUT {clean(lut)}." if lut else ""
    return f"{what} UNDER BOND OR LETTER OF UNDERTAKING WITHOUT PAYMENT OF INTEGRATED TAX.{said}"


def _is_freed(line: Json) -> bool:
    """Says whether a line was sold for less than its price with tax because no tax is charged on it."""
    full = decimal(line["unit_price"]) * decimal(line["quantity"]) - decimal(line.get("discount"))
    return (
        bool(line.get("price_includes_tax"))
        and line.get("tax_kind") in _UNTAXED
        and full - decimal(line["taxable"]) > Decimal("0.01")
    )
