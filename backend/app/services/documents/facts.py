"""What a document says, put in words: labels, dates, addresses and tax names derived from its JSON.

Every function takes the JSON of a document or a part of it, and the words of a language where it speaks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.app.services.documents.money import amount, decimal, percent, quantity
from backend.app.services.documents.text import clean
from backend.app.services.documents.theme import TIMES
from backend.app.services.documents.words import Words

Json = dict[str, Any]

_TAX_NUMBER: Final = {"gst": "gstin", "vat": "vat_no"}
_MOST_NUMBERS: Final = 24
_LONGEST_NUMBERS: Final = 1400
_KINDS_WITH_A_WORD: Final = ("nil_rated", "exempt", "non_gst")
_TAX: Final = {"gst": "tax_gst", "vat": "tax_vat"}
_UNTAXED: Final = ("zero_rated", "reverse_charge", "exempt")
_NO_TAXABLE_SUPPLY: Final = ("nil_rated", "exempt", "non_gst", "untaxed")
_ADDRESSED_FROM: Final = 50_000


@dataclass(frozen=True, slots=True)
class Status:
    """Where a document stands: its word, and whether that is good news."""

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


def notice(invoice: Json, say: Words) -> str:
    """The words that the law wants at the top of the document (CGST Rules 2017, rule 5(1)(f)), or none."""
    if is_composition(invoice):
        return say("composition")
    return ""


def particulars(line: Json, say: Words, most: int = _MOST_NUMBERS) -> list[str]:
    """What stands in small print beneath a line: the components of a set, batch, the numbers of the pieces.

    Of many numbers the first are printed, and how many there are besides: a thousand would fill pages.
    """
    said = [
        f"{quantity(item['quantity'], '')} {TIMES} {clean(item['name'])}"
        for item in line.get("set_items") or []
    ]
    batch = line.get("batch")
    if batch:
        said.append(f"{say('batch')} {clean(batch.get('number') if isinstance(batch, dict) else batch)}")
    numbers = [clean(number) for number in line.get("serials") or []]
    if numbers:
        # A row of a table must fit on a page, however long the numbers are.
        ends = accumulate(len(number) + 2 for number in numbers)
        shown = numbers[: min(most, sum(end <= _LONGEST_NUMBERS for end in ends))]
        text, rest = ", ".join(shown), len(numbers) - len(shown)
        said.append(f"{say('serials')} {say('more', list=text, rest=rest) if rest > 0 else text}")
    return said


def offers(line: Json, currency: str, say: Words) -> list[str]:
    """The offers that made a line cheaper, each with its coupon and what it took off; last its share of what
    was given on the whole document.
    """
    said = []
    for offer in line.get("offers") or []:
        name = clean(offer.get("name"))
        if offer.get("coupon"):
            name = say("offer_coupon", name=name, code=clean(offer["coupon"]))
        if decimal(offer.get("amount")):
            said.append(f"{name}: {amount(-decimal(offer['amount']), currency)}")
    share = decimal(line.get("document_discount"))
    if share:
        said.append(say("document_share", amount=amount(-share, currency)))
    return said


def document_discount(document: Json, say: Words) -> list[str]:
    """What was given on the whole document: the amount, and per cent where it was given so."""
    off = decimal(document.get("document_discount"))
    if not off:
        return []
    told = amount(off, document["currency"])
    rate = document.get("document_discount_percent")
    return [
        say("document_percent", rate=percent(rate), amount=told) if rate else say("document_off", amount=told)
    ]


def points(invoice: Json, say: Words) -> list[str]:
    """The loyalty points an invoice earned, and what the customer had then; nothing where he has none."""
    found = invoice.get("points") or {}
    earned, balance = found.get("earned", 0), found.get("balance", 0)
    if not earned and not balance:
        return []
    told = {
        name: quantity(number, invoice["currency"])
        for name, number in (("earned", earned), ("balance", balance))
    }
    return [say("points_earned", **told) if earned else say("points_balance", balance=told["balance"])]


def delivered_so_far(line: Json, currency: str, say: Words) -> list[str]:
    """How much of an order's line has come and how much is to follow, once a part of it has come."""
    done, rest = decimal(line.get("delivered")), decimal(line.get("open"))
    if not done or not rest:
        return []
    told = (f"{quantity(part, currency)} {unit(line, say)}".strip() for part in (done, rest))
    return [say("delivered_so_far", **dict(zip(("done", "rest"), told, strict=True)))]


def unit(line: Json, say: Words) -> str:
    """The unit of a line, in the paper's language."""
    code = clean(line.get("unit"))
    return say.term("unit", code, code)


def component_name(name: str, say: Words) -> str:
    """What a component of the tax is called, in the paper's language."""
    return say.term("component", name, name)


def _state(say: Words, country: object, code: object, name: object) -> str:
    """A region's name in the paper's language, where its country has such a name for it."""
    return say.term("state", code if country == "IN" else None, name)


def tax_number_label(invoice: Json, say: Words) -> str:
    """Names the number under which a party is registered for tax."""
    return say(_TAX_NUMBER.get(invoice["tax_regime"], "tax_no"))


def seller_name(invoice: Json) -> str:
    """The name a customer knows the shop by."""
    seller = invoice["seller"]
    return str(seller.get("name") or seller.get("legal_name") or "")


def legal_name(invoice: Json) -> str:
    """The name that signs."""
    return str(invoice["seller"].get("legal_name") or seller_name(invoice))


def status(invoice: Json, say: Words) -> Status:
    """Reads the state of payment off the amounts; a void or draft document says so first."""
    word = str(invoice["status"])
    if word in ("void", "voided", "cancelled"):
        return Status(say("status_void"), "bad")
    if word == "draft":
        return Status(say("status_draft"), "bad")
    if decimal(invoice["balance"]) <= 0:
        return Status(say("status_paid"), "good")
    return Status(say("status_part_paid" if decimal(invoice["paid"]) > 0 else "status_unpaid"), "warn")


def day(value: Any, say: Words) -> str:
    """A date, or the date of a timestamp, as 21 Nov 2026; empty when there is none."""
    try:
        return say.date(date.fromisoformat(str(value)[:10]))
    except ValueError:
        return ""


def issue_date(invoice: Json, say: Words) -> str:
    """The business date, as 21 Nov 2026."""
    return day(invoice["business_date"], say)


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


def local_date(invoice: Json, moment: Any, say: Words) -> str:
    """The branch's local date of a moment, such as that of a payment; empty when unknown."""
    local = _local(invoice, moment)
    return say.date(local.date()) if local else ""


def address_lines(
    party: Json, say: Words, home_country: str | None = None, *, with_code: bool = False
) -> list[str]:
    """Sets a postal address in lines.

    Parameters:
        party: seller or buyer.
        say: words; they name the state.
        home_country: the country is named only when it differs from this one.
        with_code: whether the state's code follows its name, as GST wants it.
    Returns:
        up to four lines: street, further street, town, region.
    """
    address = party.get("address") or {}
    town = " ".join(str(address[key]) for key in ("city", "postal_code") if address.get(key))
    country = address.get("country")
    abroad = address.get("country_name") or country if country != home_country else None
    state = _state(say, country, address.get("region_code"), address.get("region_name"))
    if with_code and state and address.get("region_code"):
        state = f"{state} ({address['region_code']})"
    region = ", ".join(str(part) for part in (state, abroad) if part)
    parts = [address.get("line1"), address.get("line2"), town, region]
    lines = (str(part).strip(" ,") for part in parts if part)
    return [line for line in lines if line]


def says_where(invoice: Json) -> bool:
    """Says whether an invoice must name where the goods were brought, whoever asks: to a buyer who is not
    registered, from 50,000 rupees of taxable value on (CGST Rules 2017, rule 46(e)). Whom nobody named has no
    address to be told.
    """
    buyer = invoice.get("buyer") or {}
    value = sum(
        decimal(line.get("taxable"))
        for line in invoice["lines"]
        if line.get("tax_kind") not in _NO_TAXABLE_SUPPLY
    )
    known = bool((buyer.get("address") or {}).get("line1")) and not buyer.get("tax_number")
    return is_gst(invoice) and known and value >= _ADDRESSED_FROM


def place_of_supply(invoice: Json, say: Words) -> str:
    """The place that decides the tax, with its code: Karnataka (29)."""
    place = invoice.get("place_of_supply") or {}
    code = place.get("code")
    name = _state(say, "IN" if is_gst(invoice) else None, code, place.get("name"))
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


def rate_label(row: Json, say: Words) -> str:
    """The tax rate of a line or summary row; what bears none has a word instead, reverse charge one more."""
    kind = str(row.get("tax_kind"))
    rate = say(f"kind_{kind}") if kind in _KINDS_WITH_A_WORD else percent(row.get("tax_rate"))
    return say("reverse_mark", rate=rate) if kind == "reverse_charge" else rate


def component_rate(tax: Json, currency: str, say: Words) -> str:
    """The rate of one component: percent, an amount per unit, or both, as cess may have them."""
    parts = [percent(tax["rate"])] if decimal(tax["rate"]) or not tax.get("per_unit") else []
    if tax.get("per_unit"):
        parts.append(say("per_unit", amount=amount(tax["per_unit"], currency)))
    return " + ".join(parts)


def has_discount(invoice: Json) -> bool:
    """Says whether any line was sold below its price."""
    return any(decimal(line.get("discount")) for line in invoice["lines"])


def has_codes(rows: Iterable[Json]) -> bool:
    """Says whether any row has an HSN or commodity code."""
    return any(row.get("hsn_code") for row in rows)


def legends(invoice: Json, say: Words) -> list[str]:
    """The sentences the law or the reader wants for this document's kinds of supply."""
    kinds = {str(line.get("tax_kind")) for line in invoice["lines"]}
    tax = say(_TAX.get(invoice["tax_regime"], "tax_sales"))
    out: list[str] = []
    if not is_taxed(invoice):
        return out
    leaves = is_gst(invoice) and invoice["supply_type"] in ("export", "sez")
    if leaves:
        out.append(_endorsement(invoice, say))
    if invoice["supply_type"] == "intra_community":
        out.append(say("intra_community"))
    elif invoice.get("reverse_charge"):
        out.append(say("reverse_gst" if is_gst(invoice) else "reverse_vat"))
    if "nil_rated" in kinds:
        out.append(say("legend_nil", tax=tax))
    if "exempt" in kinds:
        out.append(say("legend_exempt", tax=tax))
    if "non_gst" in kinds:
        out.append(say("legend_non_gst"))
    if "zero_rated" in kinds and not leaves:
        out.append(say("legend_zero", tax=tax))
    if any(_is_freed(line) for line in invoice["lines"]):
        out.append(say("legend_freed"))
    return out


def _endorsement(invoice: Json, say: Words) -> str:
    """What rule 46 of the CGST Rules 2017 wants on an invoice that leaves India's tax territory."""
    what = say("export" if invoice["supply_type"] == "export" else "sez")
    if decimal(invoice["tax"]):
        return say("with_payment", what=what)
    lut = clean(invoice["seller"].get("lut_number"))
    said = f" {say('lut', number=lut)}" if lut else ""
    return say("without_payment", what=what) + said


def _is_freed(line: Json) -> bool:
    """Says whether a line was sold for less than its price with tax because no tax is charged on it."""
    full = decimal(line["unit_price"]) * decimal(line["quantity"]) - decimal(line.get("discount"))
    return (
        bool(line.get("price_includes_tax"))
        and line.get("tax_kind") in _UNTAXED
        and full - decimal(line["taxable"]) > Decimal("0.01")
    )
