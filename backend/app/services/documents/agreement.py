"""The instalment agreement: the terms of the credit, the schedule of payments, and the signatures."""

from typing import Any

from reportlab.platypus import Flowable, KeepTogether, Spacer

from backend.app.services.documents import closing, facts, heading, lines, money, sheet, theme
from backend.app.services.documents.look import Look, Settings, look_of
from backend.app.services.documents.prepare import Json, prepared
from backend.app.services.documents.quotation import heading_name
from backend.app.services.documents.text import clean, para

_MOODS = {
    "active": "good",
    "completed": "good",
    "defaulted": "bad",
    "cancelled": "bad",
    "rescheduled": "plain",
}


def _terms(agreement: Json) -> Json:
    return dict(agreement.get("terms") or {}) if isinstance(agreement.get("terms"), dict) else {}


def _interest(terms: Json, look: Look) -> str:
    interest = terms.get("interest") or {}
    kind = str(interest.get("kind") or "none")
    return look.say(f"interest_{kind}", rate=money.percent(interest.get("annual_percent")))


def _conditions(agreement: Json, look: Look, width: float) -> list[Flowable]:
    """The figures and terms of the credit, in two columns above the schedule."""
    say, currency, terms = look.say, agreement["currency"], _terms(agreement)
    fees = money.decimal(agreement.get("fees"))
    before = [(say("financed"), money.figure(agreement["financed"], currency))]
    before.append((say("interest"), money.figure(agreement.get("interest"), currency)))
    if fees:
        before.append((say("fees"), money.figure(fees, currency)))
    if money.decimal(agreement.get("late_fees")):
        before.append((say("late_fee"), money.figure(agreement["late_fees"], currency)))
    after = []
    if money.decimal(agreement.get("paid")):
        after = [
            closing.Row(say("paid_so_far"), money.amount(agreement["paid"], currency)),
            closing.Row(
                say("outstanding"), money.amount(agreement.get("outstanding"), currency), strong=True
            ),
        ]
    if money.decimal(agreement.get("overdue")):
        after.append(
            closing.Row(say("overdue"), money.amount(agreement["overdue"], currency), strong=True, owed=True)
        )
    following = agreement.get("next_due")
    # The first instalment of a fresh agreement stands in the schedule, and what is late in the row above.
    if following and money.decimal(agreement.get("paid")) and following["due_on"] >= agreement["today"]:
        word = say("next_due", date=facts.day(following["due_on"], say))
        after.append(closing.Row(word, money.amount(following["amount"], currency)))
    inner = closing.left_width(width)
    total = (say("total_payable"), money.amount(agreement["total"], currency))
    sums = closing.amount_table(before, total, after, width - inner - 22, look)
    count = len(agreement.get("schedule") or [])
    rows: list[list[Any]] = [
        [
            para(say("interval"), theme.BODY),
            say("interval_single") if count == 1 else say(f"interval_{terms['interval']}", count=count),
        ],
        [para(say("interest"), theme.BODY), _interest(terms, look)],
    ]
    if money.decimal(terms.get("deposit")):
        rows.append([para(say("deposit"), theme.BODY), money.amount(terms["deposit"], currency)])
    rows += [
        [para(fee.get("name"), theme.BODY), money.amount(fee.get("amount"), currency)]
        for fee in terms.get("fees") or []
    ]
    if money.decimal(terms.get("grace_days")):
        rows.append([para(say("grace"), theme.BODY), str(terms["grace_days"])])
    left: list[Flowable] = [para(say("conditions"), theme.LABEL), Spacer(1, 2)]
    for label, value in rows:
        left.append(closing.pair(label, value, inner))
    both, _ = closing.beside([*left, Spacer(1, 4), *closing.in_words(agreement, look)], sums, width)
    return both


def _state(instalment: Json, look: Look) -> str:
    """What has become of an instalment, where something has."""
    status = instalment["status"]
    if status == "closed":
        # The agreement was rescheduled or cancelled; what had been paid of it stays paid.
        return look.say("no_longer_due")
    return "" if status == "pending" else look.say.known("status", status)


def _schedule(agreement: Json, look: Look, width: float) -> list[Flowable]:
    """The table of instalments."""
    say, currency = look.say, agreement["currency"]
    rows = agreement.get("schedule") or []

    def figures(title: str, *keys: str, bold: bool = False) -> lines.Column:
        cells = [money.figure(sum(money.decimal(row.get(key)) for key in keys), currency) for row in rows]
        return lines.Column(say(title), cells, bold=bold)

    right = [figures("principal", "principal"), figures("interest", "interest")]
    if any(money.decimal(row.get(key)) for row in rows for key in ("fee", "late_fee")):
        right.append(figures("fees", "fee", "late_fee"))
    right.append(figures("instalment", "total", bold=True))
    paid = any(money.decimal(row.get("paid")) for row in rows)
    if paid:
        right += [figures("paid", "paid"), figures("outstanding", "outstanding")]
    left = [lines.Column(say("line"), [str(row["no"]) for row in rows], right=False)]
    size, widths = lines.fitted([*left, *right], width)
    style = theme.style("due", size, round(size * 1.3, 2))
    dues: list[Any] = []
    for row in rows:
        word = _state(row, look)
        day = facts.day(row["due_on"], say)
        dues.append(para(f"{day}  ·  {word}" if word else day, style))
    rest = lines.Rest(None, currency, 0)
    table = lines.table(left, (say("due"), dues), right, size, widths, width, look, rest)
    return [Spacer(1, 12), para(say("schedule"), theme.LABEL), Spacer(1, 3), table]


def _promises(agreement: Json, look: Look) -> list[str]:
    """The sentences both sides sign."""
    say, currency, terms = look.say, agreement["currency"], _terms(agreement)
    said = [
        say("agreement_promise", number=clean(agreement.get("invoice_number"))),
        say("agreement_order"),
    ]
    if money.decimal(terms.get("late_fee")):
        fee = money.amount(terms["late_fee"], currency)
        grace = terms["grace_days"]
        said.append(
            say("agreement_late", days=grace, fee=fee) if grace else say("agreement_late_at_once", fee=fee)
        )
    if terms.get("default_after_days"):
        said.append(say("agreement_default", days=terms["default_after_days"]))
    if (terms.get("interest") or {}).get("kind") == "reducing":
        said.append(say("agreement_early"))
    return said


def render_agreement(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 instalment agreement with its schedule, to be signed by both sides.

    Parameters:
        document: the JSON of `get_agreement`.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    """
    dated = {"business_date": document["opened_on"], "tax_regime": document["seller"]["tax_regime"]}
    agreement = prepared({**document, **dated, "issued_at": None}, "Instalment Agreement")
    look = look_of("agreement", settings, logo)
    say, status = look.say, str(document.get("status") or "")
    head = heading.Head(
        "buyer_on_credit",
        [
            ("number_agreement", clean(agreement["number"])),
            ("date", facts.issue_date(agreement, say)),
            ("for_invoice", clean(agreement.get("invoice_number"))),
            ("as_of", facts.day(agreement["today"], say) if money.decimal(agreement["paid"]) else ""),
            ("branch", heading.branch(agreement)),
        ],
        facts.Status(say.known("status", status), _MOODS.get(status, "plain")) if status else None,
    )

    def story(width: float) -> list[Flowable]:
        half = (width - 20) / 2
        places = [
            closing.signature(heading_name(agreement, look), say("signature_buyer"), half - 22),
            closing.seller_signature(agreement, look, half - 22),
        ]
        above, own = closing.apart({"terms": None}, look)
        sentences = " ".join(_promises(agreement, look))
        box = closing.boxed(say("agreed"), sentences, places, look, width)
        return [
            *heading.heading(agreement, look, width, head),
            *_conditions(agreement, look, width),
            *_schedule(agreement, look, width),
            *above,
            Spacer(1, 14),
            KeepTogether([*own, box]),
        ]

    return sheet.a4(agreement, look, story)
