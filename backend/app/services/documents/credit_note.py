"""The credit note: what came back or was taken off an invoice, and what became of the amount."""

from typing import Any

from reportlab.platypus import Flowable, Spacer

from backend.app.services.documents import closing, facts, heading, lines, money, sheet, taxes, theme
from backend.app.services.documents.look import Look, Settings, look_of
from backend.app.services.documents.prepare import Json, prepared
from backend.app.services.documents.text import clean, para


def _settled(note: Json, look: Look, width: float) -> list[Flowable]:
    """How the amount was used: against invoices, paid back, kept for the customer."""
    say, currency = look.say, note["currency"]
    rows: list[list[Any]] = [
        [
            para(say("set_against", number=row["invoice_number"]), theme.BODY),
            money.figure(row["amount"], currency),
        ]
        for row in note.get("allocations") or []
    ]
    rows += [
        [
            para(say("refunded", method=say.known("method", row.get("method"))), theme.BODY),
            money.figure(row["amount"], currency),
        ]
        for row in note.get("refunds") or []
    ]
    if money.decimal(note.get("left")):
        rows.append([para(say("left_credit"), theme.BODY), money.figure(note["left"], currency)])
    if not rows:
        return []
    return [
        Spacer(1, 9),
        closing.small_table([say("head_settled"), say("head_amount")], rows, [1.0], width),
    ]


def render_credit_note(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 credit note, which under section 34 of the CGST Act names the invoice that it corrects.

    Parameters:
        document: the JSON of `get_credit_note`.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    """
    note, look = prepared(document, "Credit Note"), look_of("credit_note", settings, logo)
    say = look.say
    invoice = note.get("invoice") or {}
    head = heading.Head(
        "credited_to",
        [
            ("number_credit_note", str(note["number"] or say("draft"))),
            ("date", heading.when(note, look)),
            ("for_invoice", clean(invoice.get("number"))),
            ("invoice_date", facts.day(invoice.get("date"), say)),
            *heading.tax_facts(note, look),
            ("branch", heading.branch(note)),
            ("reason", clean(note.get("reason"))),
        ],
        original=True,
    )

    def story(width: float) -> list[Flowable]:
        settled = _settled(note, look, closing.left_width(width))
        totals, needed = closing.totals({**note, "discount": 0}, look, width, [], left=settled)
        return [
            *heading.heading(note, look, width, head),
            *lines.lines_table(note, look, width, needed),
            *totals,
            *closing.kept(taxes.tax_summary(note, look, width), closing.signed(note, look, width)),
        ]

    return sheet.a4(note, look, story)
