"""The payment receipt: what was received from whom, and which invoices it settles."""

from itertools import zip_longest
from typing import Any

from reportlab.platypus import Flowable, LongTable, Spacer, TableStyle

from backend.app.services.documents import closing, facts, fonts, heading, money, sheet, theme
from backend.app.services.documents.look import Look, Settings, look_of
from backend.app.services.documents.prepare import Json, prepared
from backend.app.services.documents.text import clean, para


def _used(payment: Json, look: Look, width: float) -> list[Flowable]:
    """What the payment settles, what of it was paid back, and what stays on the customer's account."""
    say, currency = look.say, payment["currency"]
    rows: list[list[Any]] = [
        [
            para(say("set_against", number=row["invoice_number"]), theme.BODY),
            money.figure(row["amount"], currency),
        ]
        for row in payment.get("allocations") or []
    ]
    rows += [
        [
            para(say("refunded", method=say.known("method", row.get("method"))), theme.BODY),
            money.figure(row["amount"], currency),
        ]
        for row in payment.get("refunds") or []
    ]
    if money.decimal(payment.get("charges")):
        rows.append([para(say("charges_settled"), theme.BODY), money.figure(payment["charges"], currency)])
    if money.decimal(payment.get("unallocated")):
        rows.append([para(say("on_account"), theme.BODY), money.figure(payment["unallocated"], currency)])
    if not rows:
        return []
    head = [say("head_settled"), say("head_amount")]
    if len(rows) <= closing.MOST_BESIDE:
        return [closing.small_table(head, rows, [1.0], width)]
    # A long list stands in two columns, read from left to right.
    pairs = [[*left, "", *right] for left, right in zip_longest(rows[::2], rows[1::2], fillvalue=["", ""])]
    amounts = max(fonts.width(row[1], 8) for row in rows) + 9
    wide = (width - 2 * amounts - 22) / 2
    return [
        LongTable(
            [[*map(closing.label_cell, [*head, "", *head])], *pairs],
            colWidths=[wide, amounts, 22, wide, amounts],
            repeatRows=1,
            style=TableStyle(
                [
                    *closing.FIGURES,
                    *closing.HEAD,
                    ("ALIGN", (1, 0), (1, -1), "RIGHT"),
                    ("ALIGN", (-1, 0), (-1, -1), "RIGHT"),
                    ("LEFTPADDING", (0, 0), (0, -1), 0),
                    ("LEFTPADDING", (3, 0), (3, -1), 0),
                    ("LINEBELOW", (2, 0), (2, -1), 0.4, theme.PAPER),
                ]
            ),
        )
    ]


def _runs(numbers: list[int]) -> str:
    """Numbers in ascending order, those in a row as a range: 1, 3-5."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _agreements(payment: Json, look: Look) -> list[Flowable]:
    """The instalments that the payment settles, by agreement, and what is left of that."""
    say, currency = look.say, payment["currency"]
    said: list[Flowable] = []
    for row in payment.get("agreements") or []:
        number, following = clean(row["number"]), row.get("next_due")
        settled = say(
            "instalment_of" if len(row["instalments"]) == 1 else "instalments_of",
            list=_runs(row["instalments"]),
            number=number,
            amount=money.amount(row["amount"], currency),
        )
        said.append(para(settled, theme.BODY))
        if row["status"] == "completed":
            said.append(para(say("agreement_paid", number=number), theme.BODY))
        elif following:
            stands = say(
                "agreement_left",
                number=number,
                date=facts.day(row["as_of"], say),
                left=money.amount(row["outstanding"], currency),
                amount=money.amount(following["amount"], currency),
                due=facts.day(following["due_on"], say),
            )
            said.append(para(stands, theme.BODY))
    return said


def render_payment(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 receipt of a payment.

    Parameters:
        document: the JSON of `get_payment`.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    """
    payment = prepared(
        {
            **document,
            "total": document["amount"],
        },
        "Payment Receipt",
    )
    look = look_of("payment", settings, logo)
    say = look.say
    undone = payment.get("reversed")
    state = (
        facts.Status(say("status_reversed"), "bad")
        if undone
        else facts.Status(say("status_received"), "good")
    )
    payment["issued_at"] = payment.get("received_at")
    head = heading.Head(
        "received_from",
        [
            ("number_payment", clean(payment["number"])),
            ("date", heading.when(payment, look)),
            ("method", say.known("method", payment.get("method"), payment.get("method_name"))),
            ("reference_plain", clean(payment.get("reference"))),
            ("branch", heading.branch(payment)),
        ],
        state,
    )

    def story(width: float) -> list[Flowable]:
        total = (say("received_amount"), money.amount(payment["amount"], payment["currency"]))
        after = []
        if money.decimal(payment.get("change")):
            handed = say(
                "tendered",
                amount=money.amount(payment.get("tendered"), payment["currency"]),
                change=money.amount(payment["change"], payment["currency"]),
            )
            after = [para(handed, theme.SMALL)]
        left = [*closing.in_words(payment, look), *after]
        inner = closing.left_width(width)
        many = len(payment.get("allocations") or []) > closing.MOST_BESIDE
        used = _used(payment, look, width if many else inner)
        sums = closing.amount_table([], total, [], width - inner - 22, look)
        both, _ = closing.beside([*left, *([Spacer(1, 9), *used] if used and not many else [])], sums, width)
        warning: list[Flowable] = []
        if undone:
            said = say(
                "reversed_because", date=facts.day(undone.get("at"), say), reason=clean(undone.get("reason"))
            )
            warning = [
                Spacer(1, 10),
                para(said, theme.style("warning", 8.4, 11.8, bold=True, color=theme.BAD)),
            ]
        return [
            *heading.heading(payment, look, width, head),
            *both,
            *warning,
            *([Spacer(1, 10), *agreed] if (agreed := _agreements(payment, look)) else []),
            # A list that runs over pages comes last, so that the signature stands by the amount.
            *closing.signed(payment, look, width),
            *([Spacer(1, 12), *used] if many else []),
        ]

    return sheet.a4(payment, look, story)
