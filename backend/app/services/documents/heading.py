"""The upper part of an A4 invoice: who sells, who buys, and the facts of the document."""

from textwrap import shorten
from typing import Any, Final

from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

from backend.app.services.documents import facts, theme
from backend.app.services.documents.fonts import BOLD
from backend.app.services.documents.text import clean, markup, para

_LONG_NAME: Final = 60
_MOODS: Final[dict[str, Color]] = {"good": theme.GOOD, "warn": theme.WARN, "bad": theme.BAD}


class Chip(Flowable):
    """A small outlined word at the right edge: the state of payment, seen but not shouted."""

    def __init__(self, word: str, color: Color) -> None:
        """Parameters: word, plain letters; color, of outline and word."""
        super().__init__()
        self._word = word.upper()
        self._color = color
        self._inner = stringWidth(self._word, BOLD, 7) + 12

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: ARG002, N803
        """Tells the layout engine the size, which depends on the word."""
        self.width, self.height = self._inner, 14
        return self.width, self.height

    def draw(self) -> None:
        """Draws the outline and the word."""
        canvas = self.canv
        canvas.setStrokeColor(self._color)
        canvas.setFillColor(self._color)
        canvas.setLineWidth(0.8)
        canvas.roundRect(0, 0, self._inner, 14, 3, stroke=1, fill=0)
        canvas.setFont(BOLD, 7)
        canvas.drawString(6, 4.4, self._word)


def _seller(invoice: dict[str, Any]) -> list[Flowable]:
    seller = invoice["seller"]
    name = facts.seller_name(invoice)
    out: list[Flowable] = [para(name, theme.SELLER if len(name) <= _LONG_NAME else theme.SELLER_LONG)]
    if seller.get("legal_name") and facts.legal_name(invoice) != facts.seller_name(invoice):
        out.append(para(facts.legal_name(invoice), theme.STRONG))
    home = (seller.get("address") or {}).get("country")
    lines = facts.address_lines(seller, home, with_code=facts.is_gst(invoice))
    out += [para(", ".join(part), theme.BODY) for part in (lines[:2], lines[2:]) if part]
    if seller.get("tax_number"):
        number = f"{facts.tax_number_label(invoice)} <b>{markup(seller['tax_number'])}</b>"
        out.append(Paragraph(number, theme.BODY))
    contact = "  ·  ".join(str(seller[key]) for key in ("phone", "email") if seller.get(key))
    if contact:
        out.append(para(contact, theme.SMALL))
    return out


def _document(invoice: dict[str, Any]) -> list[Flowable]:
    out: list[Flowable] = [para(str(invoice["title"]).upper(), theme.TITLE)]
    if facts.is_gst(invoice):
        out.append(para("Original for recipient", theme.COPY))
    if facts.notice(invoice):
        out.append(para(facts.notice(invoice), theme.NOTICE))
    state = facts.status(invoice)
    return [*out, Spacer(1, 5), Chip(state.word, _MOODS[state.mood])]


def _buyer(invoice: dict[str, Any]) -> list[Flowable]:
    buyer = invoice.get("buyer")
    out: list[Flowable] = [para("BILLED TO", theme.LABEL), Spacer(1, 1.5)]
    if not buyer:
        return [*out, para("Walk-in customer", theme.NAME)]
    out.append(para(buyer.get("name") or "Customer", theme.NAME))
    home = (invoice["seller"].get("address") or {}).get("country")
    lines = facts.address_lines(buyer, home, with_code=facts.is_gst(invoice))
    out += [para(", ".join(part), theme.BODY) for part in (lines[:2], lines[2:]) if part]
    if buyer.get("tax_number"):
        number = f"{facts.tax_number_label(invoice)} <b>{markup(buyer['tax_number'])}</b>"
        out.append(Paragraph(number, theme.BODY))
    contact = "  ·  ".join(str(buyer[key]) for key in ("phone", "email") if buyer.get(key))
    return [*out, para(contact, theme.SMALL)] if contact else out


def _facts(invoice: dict[str, Any]) -> list[tuple[str, str]]:
    seller = invoice["seller"]
    branch = clean(seller.get("branch_name"))
    if branch and seller.get("branch_code"):
        branch = f"{branch} ({clean(seller['branch_code'])})"
    when = ", ".join(part for part in (facts.issue_date(invoice), facts.issue_time(invoice)) if part)
    rows = [
        ("INVOICE NO.", str(invoice["number"] or "Draft")),
        ("DATE", when),
        ("PLACE OF SUPPLY", facts.place_of_supply(invoice) if facts.is_taxed(invoice) else ""),
        (
            "REVERSE CHARGE",
            ("Yes" if invoice.get("reverse_charge") else "No") if facts.is_gst(invoice) else "",
        ),
        ("BRANCH", branch),
        ("YOUR REFERENCE", clean(invoice.get("reference"))),
    ]
    return [row for row in rows if row[1]]


def heading(invoice: dict[str, Any], width: float) -> list[Flowable]:
    """Sets seller, title, buyer and facts.

    Parameters:
        invoice: JSON of `get_invoice`.
        width: usable width in points.
    """
    right = 190.0
    top = Table(
        [[_seller(invoice), _document(invoice)]],
        colWidths=[width - right, right],
        style=TableStyle([*theme.BARE, ("ALIGN", (1, 0), (1, 0), "RIGHT")]),
    )
    pairs = _facts(invoice)
    column = width * 0.27
    cells = [[para(label, theme.LABEL), para(value, theme.FACT), Spacer(1, 4.5)] for label, value in pairs]
    if len(cells) % 2:
        cells.append([])
    grid = Table(
        [cells[i : i + 2] for i in range(0, len(cells), 2)],
        colWidths=[column, column],
        style=TableStyle([*theme.BARE, ("RIGHTPADDING", (0, 0), (-1, -1), 8)]),
    )
    parties = Table(
        [[_buyer(invoice), grid]],
        colWidths=[width - 2 * column, 2 * column],
        style=TableStyle(
            [
                *theme.BARE,
                ("RIGHTPADDING", (0, 0), (0, 0), 14),
                ("TOPPADDING", (0, 0), (-1, -1), 9),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
                ("LINEABOVE", (0, 0), (-1, 0), 1.1, theme.ACCENT),
            ]
        ),
    )
    return [top, Spacer(1, 9), parties, Spacer(1, 6)]


def running_head(invoice: dict[str, Any]) -> str:
    """The line that later pages carry, so that a loose sheet can be put back where it belongs."""
    name = shorten(facts.seller_name(invoice), _LONG_NAME, placeholder="…")
    return "   ·   ".join(
        (name, f"{invoice['title']} {invoice['number'] or ''}".strip(), facts.issue_date(invoice))
    )
