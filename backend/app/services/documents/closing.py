"""The lower part of an A4 document: totals, what settles them, terms, QR code and places to sign."""

from dataclasses import dataclass
from typing import Any, Final

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, HRFlowable, KeepTogether, Spacer, Table, TableStyle

from backend.app.services.documents import facts, fonts, money, qr, theme
from backend.app.services.documents.look import Look
from backend.app.services.documents.prepare import Json
from backend.app.services.documents.text import cell, clean, para
from backend.app.services.documents.words import Words

FIGURES: Final[list[theme.Command]] = [
    ("FONT", (0, 0), (-1, -1), fonts.REGULAR, 7.8, 10.4),
    ("TEXTCOLOR", (0, 0), (-1, -1), theme.INK),
    ("TOPPADDING", (0, 0), (-1, -1), 2.2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.8),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
HEAD: Final[list[theme.Command]] = [
    ("FONT", (0, 0), (-1, 0), fonts.BOLD, 6.8, 9.4),
    ("TEXTCOLOR", (0, 0), (-1, 0), theme.MUTED),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, theme.HAIRLINE),
]
_SIDE: Final = 190.0
_SIGN_HEIGHT: Final = 13 * mm
# More rows than these stand below the totals, where they may run over pages, not beside them.
MOST_BESIDE: Final = 12
# A table of many rows begins on a page only with room for its title and a few of them, in points.
_WORTH_BEGINNING: Final = 100.0
# Characters: of a paragraph, and of a note and terms that stand beside a signature.
_LONGEST_PIECE: Final = 1200
_LONGEST_BESIDE: Final = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the total: label, formatted value; strong ones stand out, owed ones in a warning colour."""

    label: str
    value: str
    strong: bool = False
    owed: bool = False


def total_rows(document: Json, say: Words) -> list[tuple[str, str]]:
    """Lists what leads from the goods to the total: (label, formatted amount)."""
    currency = document["currency"]
    summary = document["tax_summary"]
    label = say("taxable_value" if facts.is_taxed(document) else "subtotal")
    rows = [(label, money.figure(document["subtotal"], currency))]
    if facts.is_taxed(document):
        rows += [
            (facts.component_name(name, say), money.figure(facts.component_total(summary, name), currency))
            for name in facts.components(summary)
        ]
    if money.decimal(document.get("round_off")):
        rows.append((say("round_off"), money.figure(document["round_off"], currency)))
    return rows


def label_cell(text: str, size: float = 6.8) -> str | Flowable:
    """The head of a column of a small table."""
    return cell(text, size, bold=True, color=theme.MUTED)


def amount_table(
    before: list[tuple[str, str]], total: tuple[str, str], after: list[Row], width: float, look: Look
) -> Table:
    """Sets rows of amounts: those that lead to the total, the total, and what follows from it."""
    data: list[list[Any]] = [[cell(name, 7.8, color=theme.MUTED), value] for name, value in before]
    at = len(data)
    # A total of many figures shrinks until it stands beside its label.
    size = 13.0
    while size > 7 and fonts.width(total[1], size, bold=True) > width - 60:
        size -= 0.5
    big = size
    data.append([cell(total[0], 9.5, bold=True, color=look.accent), total[1]])
    commands: list[theme.Command] = [
        *FIGURES,
        ("ALIGN", (1, 0), (1, -1), "RIGHT"),
        ("TEXTCOLOR", (0, 0), (0, max(at - 1, 0)), theme.MUTED),
        ("BACKGROUND", (0, at), (-1, at), look.tint),
        ("LINEABOVE", (0, at), (-1, at), 0.9, look.accent),
        ("FONT", (0, at), (0, at), fonts.BOLD, 9.5, 13),
        ("FONT", (1, at), (1, at), fonts.BOLD, size, 16),
        ("TEXTCOLOR", (0, at), (-1, at), look.accent),
        ("TOPPADDING", (0, at), (0, at), 4 + (size - 9.5) * 0.7),
        ("TOPPADDING", (1, at), (1, at), 4),
        ("BOTTOMPADDING", (0, at), (-1, at), 6),
    ]
    if after:
        commands.append(("TOPPADDING", (0, at + 1), (-1, at + 1), 5))
    for index, row in enumerate(after, start=at + 1):
        color = theme.WARN if row.owed else theme.INK if row.strong else theme.MUTED
        size = 8.4 if row.strong else 7.8
        data.append([cell(row.label, size, bold=row.strong, color=color), row.value])
        commands.append(("TEXTCOLOR", (0, index), (0, index), color))
        if row.strong:
            commands.append(("FONT", (0, index), (-1, index), fonts.BOLD, 8.4, 11))
            commands.append(("TEXTCOLOR", (1, index), (1, index), color))
    # Long labels, as languages other than English have them, take the room that the figures leave.
    figures = max(
        fonts.width(row[1], big if index == at else 8.4, bold=True) for index, row in enumerate(data)
    )
    value = min(max(figures + 10, width * 0.42), width * 0.7)
    if fonts.width(total[0], 9.5, bold=True) > width - value - 8:
        data[at][0] = para(total[0], theme.style("total", 9.5, 13, bold=True, color=look.accent))
    return Table(data, colWidths=[width - value, value], style=TableStyle(commands))


def small_table(head: list[str], rows: list[list[Any]], widths: list[float | None], width: float) -> Table:
    """Sets a small table; its last column is an amount, the widths of the others are shares of the rest."""
    amounts = max([*(fonts.width(row[-1], 8) for row in rows), fonts.width(head[-1], 7, bold=True)]) + 9
    fixed = [part or 0 for part in widths]
    rest = width - amounts
    titles = [
        *(label_cell(text) for text in head[:-1]),
        cell(head[-1], 6.8, bold=True, color=theme.MUTED, align=TA_RIGHT),
    ]
    return Table(
        [titles, *rows],
        colWidths=[*(rest * part for part in fixed), amounts],
        repeatRows=1,
        style=TableStyle(
            [*FIGURES, *HEAD, ("ALIGN", (-1, 0), (-1, -1), "RIGHT"), ("LEFTPADDING", (0, 0), (0, -1), 0)]
        ),
    )


def pair(label: Flowable, value: str, width: float) -> Table:
    """A label and what it says, a hairline beneath."""
    return Table(
        [[label, para(value, theme.STRONG)]],
        colWidths=[width * 0.38, width * 0.62],
        style=TableStyle(
            [
                *theme.BARE,
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, theme.HAIRLINE),
            ]
        ),
    )


def payments(document: Json, look: Look, width: float) -> list[Flowable]:
    """The payments of a document: how, when and how much."""
    currency, say = document["currency"], look.say
    rows: list[list[Any]] = []
    for row in document["payments"]:
        name = say.known("method", row.get("method"), row.get("method_name"))
        method: list[Flowable] = [para(name, theme.BODY)]
        if money.decimal(row.get("change")):
            handed = money.amount(row.get("tendered"), currency)
            back = money.amount(row["change"], currency)
            method.append(para(say("tendered", amount=handed, change=back), theme.SMALL))
        rows.append(
            [
                method,
                para(row.get("reference") or theme.NOTHING, theme.BODY),
                cell(facts.local_date(document, row.get("received_at"), say), 7.8),
                money.figure(row["amount"], currency),
            ]
        )
    noted = credit_notes(document, look)
    if not rows:
        return noted
    head = [say(key) for key in ("head_payment", "head_reference", "head_date", "head_amount")]
    return [Spacer(1, 9), small_table(head, rows, [0.42, 0.3, 0.28], width), *noted]


def credit_notes(document: Json, look: Look) -> list[Flowable]:
    """The credit notes that correct an invoice, by number."""
    say, currency = look.say, document["currency"]
    told = [
        say(
            "credit_note_of",
            number=clean(row["number"]),
            date=facts.day(row["date"], say),
            amount=money.amount(row["total"], currency),
        )
        for row in document.get("credit_notes") or []
    ]
    return (
        [Spacer(1, 7), para(say("credit_notes"), theme.LABEL), para("\n".join(told), theme.BODY)]
        if told
        else []
    )


def in_words(document: Json, look: Look) -> list[Flowable]:
    """The amount in words, where the language has them, the discounts it already lacks, points earned."""
    say, currency = look.say, document["currency"]
    words = money.in_words(document["total"], currency, say.language)
    out: list[Flowable] = [para(say("in_words"), theme.LABEL), para(words, theme.STRONG)] if words else []
    discount = money.decimal(document.get("discount"))
    if discount:
        said = say("deducted", amount=money.amount(discount, currency))
        told = " ".join([said, *facts.document_discount(document, say)])
        out += [Spacer(1, 3), para(told, theme.SMALL)]
    out += [
        flowable
        for text in facts.points(document, say)
        for flowable in (Spacer(1, 3), para(text, theme.SMALL))
    ]
    return out


def beside(left: list[Flowable], right: Table, width: float) -> tuple[list[Flowable], float]:
    """Sets words beside totals, on one page together.

    Returns:
        the flowables, and the height they need in points.
    """
    block = Table(
        [[left or [Spacer(1, 1)], right]],
        colWidths=[width - _SIDE, _SIDE],
        style=TableStyle([*theme.BARE, ("RIGHTPADDING", (0, 0), (0, 0), 22)]),
    )
    return [Spacer(1, 8), KeepTogether([block])], block.wrap(width, 0)[1] + 8


def totals(
    document: Json, look: Look, width: float, after: list[Row], left: list[Flowable] | None = None
) -> tuple[list[Flowable], float]:
    """Sets the amount in words and what settled it beside the totals.

    Parameters:
        document: prepared JSON.
        look: words and colours.
        width: usable width in points.
        after: the rows below the total.
        left: what stands below the amount in words; the payments unless given.
    Returns:
        the flowables, and the height they need in points.
    """
    inner = left_width(width)
    many = left is None and len(document["payments"]) > MOST_BESIDE
    settled = (payments(document, look, inner) if not many else []) if left is None else left
    total = (look.say("total"), money.amount(document["total"], document["currency"]))
    sums = amount_table(total_rows(document, look.say), total, after, _SIDE, look)
    both, needed = beside([*in_words(document, look), *settled], sums, width)
    return [*both, *(payments(document, look, width) if many else [])], needed


def left_width(width: float) -> float:
    """The width of what stands beside the totals, in points."""
    return width - _SIDE - 22


def signature(above: str, below: str, width: float) -> list[Flowable]:
    """A place to sign: who, room for the pen, a line, and what to write on it."""
    line = HRFlowable(width=width, thickness=0.6, color=theme.FAINT, spaceBefore=0, spaceAfter=2)
    return [para(above, theme.STRONG), Spacer(1, _SIGN_HEIGHT), line, para(below, theme.SMALL)]


def seller_signature(document: Json, look: Look, width: float) -> list[Flowable]:
    """The place where the seller signs."""
    name = facts.legal_name(document)
    return signature(look.say("for_seller", name=name), look.say("signatory"), width)


def texts(document: Json, look: Look) -> list[Flowable]:
    """Note and terms: those of the document itself, else the organisation's for its kind."""
    out: list[Flowable] = []
    for label, text in _said(document, look):
        out += [
            para(look.say(label), theme.LABEL),
            *(para(piece, theme.SMALL) for piece in pieces(text)),
            Spacer(1, 5),
        ]
    return out


def _said(document: Json, look: Look) -> list[tuple[str, str]]:
    """Key and text of note and terms, where there are any."""
    terms = str(document.get("terms") or "").strip() or look.terms
    both = (("note", str(document.get("note") or "").strip()), ("terms", terms))
    return [(label, text) for label, text in both if clean(text)]


def pieces(text: str) -> list[str]:
    """Cuts a text of many words into paragraphs that can be set, where it has line ends or else spaces."""
    out = []
    while len(text) > _LONGEST_PIECE:
        end = max(text.rfind("\n", 1, _LONGEST_PIECE), 0) or max(text.rfind(" ", 1, _LONGEST_PIECE), 0)
        out.append(text[: end or _LONGEST_PIECE])
        text = text[end or _LONGEST_PIECE :].strip()
    return [*out, text]


def apart(document: Json, look: Look) -> tuple[list[Flowable], list[Flowable]]:
    """Note and terms: what runs over pages above the closing, because it is long, and what stands in it."""
    said = texts(document, look)
    long = sum(len(text) for _, text in _said(document, look)) > _LONGEST_BESIDE
    return ([Spacer(1, 10), *said], []) if long else ([], said)


def with_code(document: Json, look: Look, width: float) -> list[Flowable]:
    """Sets the QR code, note and terms, and the place for the signature, side by side."""
    say = look.say
    code_width, sign_width = 27 * mm, 150.0
    text: list[Flowable] = []
    if qr.is_payable(document):
        owed = money.amount(document["balance"], document["currency"])
        asked = say("scan_to_pay", amount=owed, address=document["seller"]["upi_id"])
        text += [para(say("pay_by_upi"), theme.LABEL), para(asked, theme.BODY), Spacer(1, 5)]
    above, beside_it = apart(document, look)
    text += beside_it
    block = Table(
        [
            [
                [qr.QrCode(qr.payload(document), 25 * mm)],
                text or [para(say("scan_facts"), theme.SMALL)],
                seller_signature(document, look, sign_width),
            ]
        ],
        colWidths=[code_width, width - code_width - sign_width, sign_width],
        style=TableStyle(
            [*theme.BARE, ("LEFTPADDING", (1, 0), (1, 0), 8), ("RIGHTPADDING", (1, 0), (1, 0), 16)]
        ),
    )
    return [*above, Spacer(1, 12), block]


def kept(summary: tuple[list[Flowable], bool], end: list[Flowable]) -> list[Flowable]:
    """Keeps a short table on the page of what ends the document, so that no signature stands alone.

    Parameters:
        summary: as `taxes.tax_summary` makes it.
        end: what comes after it; in more than two parts where its texts are long and may run over pages.
    """
    table, short = summary
    if not short:
        return [CondPageBreak(_WORTH_BEGINNING), *table, *end]
    return [KeepTogether([*table, *end])] if len(end) == 2 else [KeepTogether(table), *end]


def signed(document: Json, look: Look, width: float) -> list[Flowable]:
    """Sets note and terms beside the place where the seller signs."""
    sign_width = 150.0
    above, beside_it = apart(document, look)
    block = Table(
        [[beside_it or [Spacer(1, 1)], seller_signature(document, look, sign_width)]],
        colWidths=[width - sign_width, sign_width],
        style=TableStyle([*theme.BARE, ("RIGHTPADDING", (0, 0), (0, 0), 22)]),
    )
    return [*above, Spacer(1, 12), block]


def boxed(title: str, said: str, places: list[list[Flowable]], look: Look, width: float) -> Flowable:
    """A framed box to be signed: what is declared, and below it the places, side by side."""
    each = (width - 20) / len(places)
    inner = Table(
        [places],
        colWidths=[each] * len(places),
        style=TableStyle([*theme.BARE, ("RIGHTPADDING", (0, 0), (-2, 0), 22)]),
    )
    content: list[Flowable] = [para(title, theme.LABEL), para(said, theme.BODY), Spacer(1, 5), inner]
    return Table(
        [[content]],
        colWidths=[width],
        style=TableStyle(
            [
                *theme.BARE,
                ("BOX", (0, 0), (-1, -1), 0.7, look.accent),
                ("TOPPADDING", (0, 0), (-1, -1), 7),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
                ("RIGHTPADDING", (0, 0), (-1, -1), 10),
            ]
        ),
    )
