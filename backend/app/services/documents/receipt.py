"""The till receipt on an 80 mm paper roll: black only, because thermal printers know no other colour."""

from typing import Any, Final

from reportlab.lib.colors import black
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, Spacer, Table, TableStyle

from backend.app.services.documents import closing, facts, fonts, money, pages, qr
from backend.app.services.documents.heading import title
from backend.app.services.documents.look import Look, Settings, look_of
from backend.app.services.documents.prepare import prepared
from backend.app.services.documents.sheet import about
from backend.app.services.documents.text import cell, clean, para
from backend.app.services.documents.theme import TIMES, Command, style
from backend.app.services.documents.words import Words

_WIDTH: Final = 80 * mm
_MARGIN: Final = 4.5 * mm
_SHOP: Final = style("r-shop", 13, 16, bold=True, color=black, align=TA_CENTER)
_CENTER: Final = style("r-center", 7.8, 10.6, color=black, align=TA_CENTER)
_HEADING: Final = style("r-heading", 9, 12, bold=True, color=black, align=TA_CENTER)
_TEXT: Final = style("r-text", 8, 10.8, color=black)
_FIGURE: Final = style("r-figure", 8, 10.8, color=black, align=TA_RIGHT)
_ITEM: Final = style("r-item", 8.2, 11, bold=True, color=black)
_TOTAL: Final = style("r-total", 11, 16, bold=True, color=black)
_FINE: Final = style("r-fine", 7, 9.4, color=black)

_ROW: Final[list[Command]] = [
    ("FONT", (0, 0), (-1, -1), fonts.REGULAR, 8, 10.8),
    ("TEXTCOLOR", (0, 0), (-1, -1), black),
    ("ALIGN", (-1, 0), (-1, -1), "RIGHT"),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0.4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
]


def _rule(dashed: bool = True) -> list[Flowable]:
    dash = (2, 2) if dashed else None
    line = HRFlowable(width="100%", thickness=0.7, color=black, spaceBefore=0, spaceAfter=0, dash=dash)
    return [Spacer(1, 4), line, Spacer(1, 4)]


def _pairs(
    rows: list[tuple[str, str]], width: float, *extra: Command, label: ParagraphStyle = _TEXT
) -> Table:
    """Sets labels at the left and figures at the right; the figures' column is as wide as they need."""
    right = max((fonts.width(value, 8.4, bold=True) for _, value in rows), default=0) + 4
    right = min(right, width * 0.7)
    data = [
        [para(name, label), value if fonts.is_plain(value) else para(value, _FIGURE)] for name, value in rows
    ]
    return Table(data, colWidths=[width - right, right], style=TableStyle([*_ROW, *extra]))


def _head(invoice: dict[str, Any], look: Look) -> list[Flowable]:
    seller = invoice["seller"]
    out: list[Flowable] = [para(facts.seller_name(invoice), _SHOP)]
    if seller.get("legal_name") and facts.legal_name(invoice) != facts.seller_name(invoice):
        out.append(para(facts.legal_name(invoice), _CENTER))
    home = (seller.get("address") or {}).get("country")
    address = facts.address_lines(seller, look.say, home, with_code=facts.is_gst(invoice))
    if address:
        out.append(para(", ".join(address), _CENTER))
    contact = "  ·  ".join(str(seller[key]) for key in ("phone", "email") if seller.get(key))
    if contact:
        out.append(para(contact, _CENTER))
    if seller.get("tax_number"):
        out.append(para(f"{facts.tax_number_label(invoice, look.say)} {seller['tax_number']}", _CENTER))
    said = facts.notice(invoice, look.say)
    notice: list[Flowable] = [para(said, _CENTER)] if said else []
    return [*out, *_rule(), *notice, para(title(invoice, look), _HEADING), Spacer(1, 3)]


def _meta(invoice: dict[str, Any], look: Look, width: float) -> list[Flowable]:
    say = look.say
    when = ", ".join(part for part in (facts.issue_date(invoice, say), facts.issue_time(invoice)) if part)
    rows = [(say("receipt_number"), str(invoice["number"] or say("draft"))), (say("receipt_date"), when)]
    if facts.is_gst(invoice):
        rows.append((say("receipt_supply"), facts.place_of_supply(invoice, say)))
        if invoice.get("reverse_charge"):
            rows.append((say("receipt_reverse"), say("yes")))
    out: list[Flowable] = [_pairs([row for row in rows if row[1]], width)]
    buyer = invoice.get("buyer")
    if buyer:
        text = say("receipt_customer", name=clean(buyer.get("name")))
        if buyer.get("tax_number"):
            text += f"\n{facts.tax_number_label(invoice, look.say)} {buyer['tax_number']}"
        if facts.says_where(invoice):
            text += f"\n{_place(invoice, buyer, say)}"
        out.append(para(text, _TEXT))
    place = invoice.get("ship_to")
    if place:
        told = (clean(place.get("name")), _place(invoice, place, say), clean(place.get("phone")))
        out.append(para(say("receipt_deliver", place=", ".join(part for part in told if part)), _TEXT))
    elif facts.says_where(invoice):
        out.append(para(say("receipt_deliver", place=say("as_billed")), _TEXT))
    return out + _rule()


def _place(invoice: dict[str, Any], party: dict[str, Any], say: Words) -> str:
    home = (invoice["seller"].get("address") or {}).get("country")
    return ", ".join(facts.address_lines(party, say, home, with_code=facts.is_gst(invoice)))


def _items(invoice: dict[str, Any], look: Look, width: float) -> list[Flowable]:
    currency, say = invoice["currency"], look.say
    # A tax that is the same for every line, and within its price, is said once, below the totals.
    kinds = {(facts.rate_label(line, say), line.get("price_includes_tax")) for line in invoice["lines"]}
    said = facts.is_taxed(invoice) and (len(kinds) > 1 or not all(included for _, included in kinds))
    out: list[Flowable] = []
    for line in invoice["lines"]:
        out.append(para(f"{line['line_no']}. {clean(line['description'])}", _ITEM))
        count = f"{money.quantity(line['quantity'], currency)} {facts.unit(line, say)}".strip()
        sold = f"{count} {TIMES} {money.rate(line['unit_price'], currency)}"
        if money.decimal(line.get("discount")):
            sold += f"  {say('receipt_less', amount=money.figure(line['discount'], currency))}"
        out.append(_pairs([(sold, money.figure(line["total"], currency))], width))
        marks = [say("receipt_hsn", code=clean(line["hsn_code"]))] if line.get("hsn_code") else []
        if said:
            included = "receipt_included" if line.get("price_includes_tax") else "receipt_plus"
            rate = facts.rate_label(line, say)
            marks.append(say(included, rate=rate) if line["tax_kind"] == "taxable" else rate)
        if marks:
            out.append(para("  ·  ".join(marks), _FINE))
        out += [para(text, _FINE) for text in facts.offers(line, currency, say)]
        out += [para(text, _FINE) for text in facts.particulars(line, say)]
        out.append(Spacer(1, 3.5))
    return out + _rule()


def _totals(invoice: dict[str, Any], look: Look, width: float) -> list[Flowable]:
    currency, say = invoice["currency"], look.say
    count = len(invoice["lines"])
    out: list[Flowable] = [
        _pairs([(say("receipt_items"), str(count)), *closing.total_rows(invoice, say)], width),
        *_rule(dashed=False),
        _pairs(
            [(say("total"), money.amount(invoice["total"], currency))],
            width,
            ("FONT", (-1, 0), (-1, 0), fonts.BOLD, 13, 16),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            label=_TOTAL,
        ),
    ]
    if money.decimal(invoice.get("discount")):
        out.append(para(say("receipt_saved", amount=money.amount(invoice["discount"], currency)), _TEXT))
    out += [
        para(text, _TEXT) for text in (*facts.document_discount(invoice, say), *facts.points(invoice, say))
    ]
    out.append(para(money.in_words(invoice["total"], currency, say.language), _FINE))
    rows = []
    for payment in invoice.get("payments") or ():
        name = clean(say.known("method", payment.get("method"), payment.get("method_name")))
        reference = f" ({clean(payment['reference'])})" if payment.get("reference") else ""
        handed = payment.get("tendered") if money.decimal(payment.get("change")) else payment["amount"]
        rows.append((f"{name}{reference}", money.figure(handed, currency)))
    if money.decimal(invoice.get("change_due")):
        rows.append((say("receipt_change"), money.figure(invoice["change_due"], currency)))
    if money.decimal(invoice.get("credited")):
        rows.append((say("credited"), money.figure(invoice["credited"], currency)))
    rows.append((say("balance_due"), money.amount(invoice["balance"], currency)))
    return [
        *out,
        *_rule(),
        _pairs(rows, width, ("FONT", (-1, -1), (-1, -1), fonts.BOLD, 8.4, 10.8)),
        *_rule(),
    ]


def _tax(invoice: dict[str, Any], look: Look, width: float) -> list[Flowable]:
    """Adds the tax up by rate only: a roll has no room for a row per HSN code, which the A4 invoice has."""
    if not facts.is_taxed(invoice):
        return []
    currency, say = invoice["currency"], look.say
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in invoice["tax_summary"]:
        groups.setdefault(facts.rate_label(row, say), []).append(row)
    names = facts.components(invoice["tax_summary"])
    data: list[list[Any]] = [[say("rate"), say("taxable"), *(facts.component_name(n, say) for n in names)]]
    for label, rows in groups.items():
        taxable = money.figure(sum(money.decimal(row["taxable"]) for row in rows), currency)
        data.append(
            [label, taxable, *(money.figure(facts.component_total(rows, n), currency) for n in names)]
        )
    size = 7.4
    while (
        size > 4
        and sum(max(fonts.width(row[i], size, True) for row in data) + 5 for i in range(len(data[0]))) > width
    ):
        size -= 0.3
    table = Table(
        [
            [
                cell(text, size, bold=at == 0, color=black, align=TA_RIGHT if column else 0)
                for column, text in enumerate(row)
            ]
            for at, row in enumerate(data)
        ],
        colWidths=[width / len(data[0])] * len(data[0]),
        style=TableStyle(
            [
                *_ROW,
                ("FONT", (0, 0), (-1, -1), fonts.REGULAR, size, 10),
                ("FONT", (0, 0), (-1, 0), fonts.BOLD, size, 10),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ]
        ),
    )
    legends = facts.legends(invoice, say)
    fine: list[Flowable] = [Spacer(1, 2), para(" ".join(legends), _FINE)] if legends else []
    return [table, *fine, *_rule()]


def _foot(invoice: dict[str, Any], look: Look) -> list[Flowable]:
    code = qr.QrCode(qr.payload(invoice), 30 * mm, black)
    code.hAlign = "CENTER"
    out: list[Flowable] = [code]
    if qr.is_payable(invoice):
        out.append(
            para(
                look.say("receipt_scan", amount=money.amount(invoice["balance"], invoice["currency"])),
                _CENTER,
            )
        )
    for text in (invoice.get("note"), invoice.get("terms") or look.terms, look.footer):
        if clean(text):
            out += [Spacer(1, 3), *(para(piece, _CENTER) for piece in closing.pieces(str(text).strip()))]
    return [*out, Spacer(1, 5), para(look.say("thanks"), _HEADING)]


def render_receipt(
    document: dict[str, Any], settings: Settings | None = None, logo: bytes | None = None
) -> bytes:
    """Makes the till receipt; colour and logo are left to paper that can show them.

    Parameters:
        document: the JSON of `get_invoice`; amounts may be int, float or Decimal.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file: one page, 80 mm wide, as tall as its content (a further page beyond 5 m).
    Raises:
        KeyError: a field that every invoice has is missing.
    """

    invoice, look = prepared(document, "Receipt"), look_of("receipt", settings, logo)

    def story(width: float) -> list[Flowable]:
        return [
            *_head(invoice, look),
            *_meta(invoice, look, width),
            *_items(invoice, look, width),
            *_totals(invoice, look, width),
            *_tax(invoice, look, width),
            *_foot(invoice, look),
        ]

    return pages.roll(story, about(invoice, look), _WIDTH, _MARGIN)
