"""The upper part of an A4 document: who issues it, to whom, and its facts."""

from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Final

from reportlab.lib.colors import Color
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from backend.app.services.documents import facts, fonts, theme, typeset
from backend.app.services.documents.facts import Status
from backend.app.services.documents.look import Look
from backend.app.services.documents.text import clean, draw_line, markup, para, rich

_LONG_NAME: Final = 60
_MOODS: Final[dict[str, Color]] = {
    "good": theme.GOOD,
    "warn": theme.WARN,
    "bad": theme.BAD,
    "plain": theme.MUTED,
}

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Head:
    """What a kind of document puts into its heading.

    party: the key of the words above the other party; facts: keys and values, empty ones are left out;
    state: the chip below the title.
    """

    party: str
    facts: Pairs
    state: Status | None = None
    original: bool = False


class Chip(Flowable):
    """A small outlined word at the right edge: the state of the document, seen but not shouted."""

    def __init__(self, word: str, color: Color) -> None:
        """Parameters: word, plain letters; color, of outline and word."""
        super().__init__()
        word = word.upper()
        self._line = typeset.line(word, True, typeset.reads_right_to_left(word))
        self._color = color
        self._inner = self._line.width * 7 + 12

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
        draw_line(canvas, self._line, 6, 4.4, 7)


def title(document: dict[str, Any], look: Look) -> str:
    """What the document is called, in the look's language."""
    return clean(look.say.known("title", document["title"], document["title"]))


def _tax_number(document: dict[str, Any], party: dict[str, Any], look: Look) -> list[Flowable]:
    if not party.get("tax_number"):
        return []
    label, number = facts.tax_number_label(document, look.say), party["tax_number"]
    return [rich(f"{markup(label)} <b>{markup(number)}</b>", theme.BODY)]


def _contact(party: dict[str, Any]) -> list[Flowable]:
    contact = "  ·  ".join(str(party[key]) for key in ("phone", "email") if party.get(key))
    return [para(contact, theme.SMALL)] if contact else []


def _address(document: dict[str, Any], party: dict[str, Any], look: Look) -> list[Flowable]:
    # A seller without an address, as statements have him, is taken to be of the same country.
    at = document["seller"].get("address") or party.get("address") or {}
    lines = facts.address_lines(party, look.say, at.get("country"), with_code=facts.is_gst(document))
    return [para(", ".join(part), theme.BODY) for part in (lines[:2], lines[2:]) if part]


def _seller(document: dict[str, Any], look: Look) -> list[Flowable]:
    seller = document["seller"]
    name = facts.seller_name(document)
    out = look.mark()
    if out:
        out.append(Spacer(1, 5))
    out.append(para(name, theme.SELLER if len(name) <= _LONG_NAME else theme.SELLER_LONG))
    if seller.get("legal_name") and facts.legal_name(document) != name:
        out.append(para(facts.legal_name(document), theme.STRONG))
    return [*out, *_address(document, seller, look), *_tax_number(document, seller, look), *_contact(seller)]


_COPIES = {
    "recipient": "copy_recipient",
    "transporter": "copy_transporter",
    "supplier": "copy_supplier",
}


def _copy(document: dict[str, Any], look: Look) -> str:
    """Whose copy it is, in words (CGST Rules 2017, rule 48): of goods there are three, of services two."""
    services = all(str(line.get("hsn_code") or "").startswith("99") for line in document["lines"])
    return "copy_supplier_services" if look.copy_for == "supplier" and services else _COPIES[look.copy_for]


def _document(document: dict[str, Any], look: Look, head: Head) -> list[Flowable]:
    out: list[Flowable] = [para(title(document, look).upper(), look.title)]
    if head.original and facts.is_gst(document):
        out.append(para(look.say(_copy(document, look)), theme.COPY))
    if head.original and facts.notice(document, look.say):
        out.append(para(facts.notice(document, look.say), theme.NOTICE))
    if head.state is None or not head.state.word:
        return out
    chip = Chip(head.state.word, _MOODS[head.state.mood])
    chip.hAlign = "RIGHT"
    return [*out, Spacer(1, 5), chip]


def _party(document: dict[str, Any], look: Look, label: str) -> list[Flowable]:
    buyer = document.get("buyer")
    out: list[Flowable] = [para(look.say(label), theme.LABEL), Spacer(1, 1.5)]
    if not buyer:
        out.append(para(look.say("walk_in"), theme.NAME))
    else:
        out.append(para(clean(buyer.get("name")) or look.say("customer"), theme.NAME))
        out += [
            *_address(document, buyer, look),
            *_tax_number(document, buyer, look),
            *_contact(buyer),
        ]
    return out


def _ship_to(document: dict[str, Any], place: dict[str, Any], look: Look) -> list[Flowable]:
    phone = clean(place.get("phone"))
    return [
        para(look.say("deliver_to"), theme.LABEL),
        Spacer(1, 1.5),
        para(clean(place.get("name")) or look.say("customer"), theme.NAME),
        *_address(document, place, look),
        # Whoever brings the goods calls before he comes.
        *([para(phone, theme.STRONG)] if phone else []),
    ]


def _parties(document: dict[str, Any], look: Look, head: Head) -> list[list[Flowable]]:
    """The other party, and where the goods are brought if elsewhere; on a delivery note that comes first."""
    place = document.get("ship_to")
    if not place:
        return [_party(document, look, head.party)]
    where = _ship_to(document, place, look)
    if head.party == "deliver_to":
        return [where, _party(document, look, "ordered_by")]
    return [_party(document, look, head.party), where]


def branch(document: dict[str, Any]) -> str:
    """The branch of the seller with its code."""
    name, code = (clean(document["seller"].get(key)) for key in ("branch_name", "branch_code"))
    return f"{name} ({code})" if name and code else name


def tax_facts(document: dict[str, Any], look: Look) -> Pairs:
    """The facts that decide the tax of a document."""
    charge = look.say("yes" if document.get("reverse_charge") else "no")
    return [
        ("place_of_supply", facts.place_of_supply(document, look.say) if facts.is_taxed(document) else ""),
        ("reverse_charge", charge if facts.is_gst(document) else ""),
    ]


def when(document: dict[str, Any], look: Look) -> str:
    """The date of a document, and the time of day where it is known."""
    return ", ".join(
        part for part in (facts.issue_date(document, look.say), facts.issue_time(document)) if part
    )


def heading(document: dict[str, Any], look: Look, width: float, head: Head) -> list[Flowable]:
    """Sets seller, title, the other party and facts.

    Parameters:
        document: prepared JSON.
        look: words, colours and logo.
        width: usable width in points.
        head: what this kind of document says.
    """
    # A long name of the document, as an agreement has it, takes a little of the seller's room.
    named = fonts.width(title(document, look).upper(), look.title.fontSize, bold=True) + 2
    right = min(max(named, 190.0), 240.0)
    top = Table(
        [[_seller(document, look), _document(document, look, head)]],
        colWidths=[width - right, right],
        style=TableStyle([*theme.BARE, ("ALIGN", (1, 0), (1, 0), "RIGHT")]),
    )
    cells: list[list[Flowable]] = [
        [para(look.say(key), theme.LABEL), para(value, theme.FACT), Spacer(1, 4.5)]
        for key, value in head.facts
        if clean(value)
    ]
    parties = _parties(document, look, head)
    # Two parties take the whole width, and the facts stand in a row of their own beneath them.
    across, column = (2, width * 0.27) if len(parties) == 1 else (4, width / 4)
    cells += [[]] * (-len(cells) % across)
    grid = Table(
        [cells[i : i + across] for i in range(0, len(cells), across)] or [[""] * across],
        colWidths=[column] * across,
        style=TableStyle([*theme.BARE, ("RIGHTPADDING", (0, 0), (-1, -1), 8)]),
    )
    style = TableStyle(
        [
            *theme.BARE,
            ("RIGHTPADDING", (0, 0), (0, 0), 14),
            ("TOPPADDING", (0, 0), (-1, -1), 9),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ("LINEABOVE", (0, 0), (-1, 0), 1.1, look.accent),
        ]
    )
    rows: list[list[Any]] = [[*parties, grid]]
    if len(parties) > 1:
        rows = [parties, [grid, ""]]
        style.add("SPAN", (0, 1), (-1, 1))
        style.add("TOPPADDING", (0, 1), (-1, 1), 4)
    block = Table(rows, colWidths=[width - 2 * column, 2 * column], style=style)
    return [top, Spacer(1, 9), block, Spacer(1, 6)]


def running_head(document: dict[str, Any], look: Look) -> str:
    """The line that later pages carry, so that a loose sheet can be put back where it belongs."""
    name = shorten(facts.seller_name(document), _LONG_NAME, placeholder="…")
    named = f"{title(document, look)} {document['number'] or ''}".strip()
    return "   ·   ".join(part for part in (name, named, facts.issue_date(document, look.say)) if part)
