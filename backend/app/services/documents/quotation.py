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
        above, beside_it = closing.apart(quotation, look)
        box = closing.boxed(say("accepted"), say("accept_quotation", total=total), places, look, width)
        return [
            *heading.heading(quotation, look, width, head),
            *lines.lines_table(quotation, look, width, needed),
            *totals,
            *taxes.legend(quotation, look),
            *above,
            Spacer(1, 10),
            KeepTogether([*beside_it, Spacer(1, 3), box]),
        ]

    return sheet.a4(quotation, look, story)


def heading_name(document: Json, look: Look) -> str:
    """The other party's name."""
    return clean((document.get("buyer") or {}).get("name")) or look.say("customer")


def _settled(order: Json, look: Look) -> list[closing.Row]:
    """What was paid in advance, and what is left to pay; nothing where neither says more than the total."""
    say, currency = look.say, order["currency"]
    advance, left = money.decimal(order["advance_paid"]), money.decimal(order["to_pay"])
    if order["status"] == "cancelled" or (not advance and left == money.decimal(order["total"])):
        return []
    rows = [closing.Row(say("advance_paid"), money.amount(advance, currency))] if advance else []
    return [*rows, closing.Row(say("to_pay"), money.amount(left, currency), strong=True, owed=left > 0)]


def _work_log(order: Json, look: Look, width: float) -> list[Flowable]:
    """What was done so far and may be shown to the customer: work, deliveries, invoices."""
    say, currency = look.say, order["currency"]
    told = [
        (str(entry["worked_on"]), clean(entry.get("note")))
        for entry in order.get("work_log") or []
        if entry.get("visible_to_customer")
    ]
    told += [
        (str(row["date"]), say("log_delivery", number=clean(row["number"])))
        for row in order.get("deliveries") or []
    ]
    told += [
        (
            str(row["date"]),
            say("log_invoice", number=clean(row["number"]), amount=money.amount(row["total"], currency)),
        )
        for row in order.get("invoices") or []
        if row["status"] not in ("void", "draft")
    ]
    if not told:
        return []
    rows: list[list[Any]] = [
        [cell(facts.day(day, say), 7.8, color=theme.MUTED), para(text, theme.BODY)]
        for day, text in sorted(told, key=lambda entry: entry[0])
    ]
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
    body: list[Flowable] = [para(say("work_log"), theme.LABEL), Spacer(1, 2), table]
    return [Spacer(1, 11), *([KeepTogether(body)] if len(rows) <= closing.MOST_BESIDE else body)]


def render_order(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 order confirmation: what was agreed, the advances taken, the work done so far.

    Parameters:
        document: the JSON of `get_order`.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    """
    order, look = prepared(document, "Order Confirmation"), look_of("order", settings, logo)
    say = look.say
    head = heading.Head(
        "ordered_by",
        [
            ("number_order", str(order["number"] or say("draft"))),
            ("date", facts.local_date(order, order.get("confirmed_at"), say) or facts.issue_date(order, say)),
            ("for_quotation", clean(order.get("quotation_number"))),
            *heading.tax_facts(order, look)[:1],
            ("branch", heading.branch(order)),
            ("reference", clean(order.get("reference"))),
        ],
        _state(order, look),
    )
    after = _settled(order, look)

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
