"""The quotation and the order confirmation: an offer to be accepted, and what was agreed."""

from typing import Any

from reportlab.platypus import Flowable, KeepTogether, Spacer, Table, TableStyle

from backend.app.services.documents import closing, facts, heading, lines, money, sheet, taxes, theme
from backend.app.services.documents.look import Look, Settings, look_of
from backend.app.services.documents.prepare import Json, prepared
from backend.app.services.documents.text import cell, clean, para

_MOODS = {
    "approved": "good",
    "converted": "good",
    "confirmed": "good",
    "ready": "good",
    "delivered": "good",
    "closed": "good",
    "rejected": "bad",
    "expired": "bad",
    "cancelled": "bad",
    "draft": "bad",
}


def _state(document: Json, look: Look) -> facts.Status:
    word = str(document["status"] or "")
    return facts.Status(look.say.known("status", word) if word else "", _MOODS.get(word, "plain"))


def render_quotation(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 quotation: what is offered until when, with a box for the customer's acceptance.

    Parameters:
        document: the JSON of `get_quotation`.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    """
    quotation, look = prepared(document, "Quotation"), look_of("quotation", settings, logo)
    say = look.say
    revision = money.decimal(quotation.get("revision"))
    head = heading.Head(
        "quoted_to",
        [
            ("number_quotation", str(quotation["number"] or say("draft"))),
            ("date", facts.issue_date(quotation, say)),
            ("valid_until", facts.day(quotation.get("valid_until"), say)),
            ("revision", f"{revision.normalize():f}" if revision > 1 else ""),
            ("place_of_supply", dict(heading.tax_facts(quotation, look))["place_of_supply"]),
            ("branch", heading.branch(quotation)),
            ("reference", clean(quotation.get("reference"))),
        ],
        _state(quotation, look),
    )

    def story(width: float) -> list[Flowable]:
        totals, needed = closing.totals(quotation, look, width, [], left=[])
        total = money.amount(quotation["total"], quotation["currency"])
        half = (width - 20) / 2
        places = [
            closing.signature(heading_name(quotation, look), say("sign_name_date"), half - 22),
            closing.seller_signature(quotation, look, half - 22),
        ]
        box = closing.boxed(say("accepted"), say("accept_quotation", total=total), places, look, width)
        return [
            *heading.heading(quotation, look, width, head),
            *lines.lines_table(quotation, look, width, needed),
            *totals,
            *taxes.legend(quotation, look),
            Spacer(1, 10),
            KeepTogether([*closing.texts(quotation, look), Spacer(1, 3), box]),
        ]

    return sheet.a4(quotation, look, story)


def heading_name(document: Json, look: Look) -> str:
    """The other party's name."""
    return clean((document.get("buyer") or {}).get("name")) or look.say("customer")


def _work_log(order: Json, look: Look, width: float) -> list[Flowable]:
    """What was done so far and may be shown to the customer."""
    rows: list[list[Any]] = [
        [
            cell(
                facts.day(entry.get("worked_on") or entry.get("created_at"), look.say), 7.8, color=theme.MUTED
            ),
            para(entry.get("note"), theme.BODY),
        ]
        for entry in order.get("work_log") or []
        if entry.get("visible_to_customer")
    ]
    if not rows:
        return []
    table = Table(
        rows,
        colWidths=[70, width - 70],
        style=TableStyle(
            [
                *closing.FIGURES,
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, theme.HAIRLINE),
            ]
        ),
    )
    return [Spacer(1, 11), KeepTogether([para(look.say("work_log"), theme.LABEL), Spacer(1, 2), table])]


def render_order(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 order confirmation: what was agreed, the advances taken, the work done so far.

    Parameters:
        document: the JSON of `get_order`.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    """
    order, look = prepared(document, "Order Confirmation"), look_of("order", settings, logo)
    say, currency = look.say, order["currency"]
    quoted = order.get("quotation") or {}
    head = heading.Head(
        "ordered_by",
        [
            ("number_order", str(order["number"] or say("draft"))),
            ("date", facts.local_date(order, order.get("confirmed_at"), say) or facts.issue_date(order, say)),
            ("for_quotation", clean(order.get("quotation_number") or quoted.get("number"))),
            ("promised", facts.day(order.get("expected_on") or order.get("promised_on"), say)),
            *heading.tax_facts(order, look)[:1],
            ("branch", heading.branch(order)),
            ("reference", clean(order.get("reference"))),
        ],
        _state(order, look),
        order.get("ship_to"),
    )
    advance = sum((money.decimal(row["amount"]) for row in order["payments"]), money.decimal(0))
    after = []
    if advance:
        left = max(money.decimal(order["total"]) - advance, money.decimal(0))
        after = [
            closing.Row(say("advance_paid"), money.amount(advance, currency)),
            closing.Row(say("to_pay"), money.amount(left, currency), strong=True, owed=left > 0),
        ]

    def story(width: float) -> list[Flowable]:
        totals, needed = closing.totals(order, look, width, after)
        return [
            *heading.heading(order, look, width, head),
            *lines.lines_table(order, look, width, needed),
            *totals,
            *taxes.legend(order, look),
            *_work_log(order, look, width),
            *closing.signed(order, look, width),
        ]

    return sheet.a4(order, look, story)
