"""The statement of account: what was owed, what happened in a period, and what is owed now, by age."""

from typing import Any, Final

from reportlab.lib.enums import TA_RIGHT
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table, TableStyle

from backend.app.services.documents import closing, facts, fonts, heading, lines, money, sheet, theme
from backend.app.services.documents.look import Look, Settings, look_of
from backend.app.services.documents.prepare import Json, prepared
from backend.app.services.documents.text import cell, clean, is_right_to_left, para

# So many open invoices are listed; a customer with more has them in the entries above.
_MOST_OPEN: Final = 40
# The height of such a row, in points.
_OPEN_ROW: Final = 15.4
# The ages as `statement` names them, with the words above their boxes.
_AGES: Final = (
    ("current", "age_current", ""),
    ("days_1_30", "age_days", "1-30"),
    ("days_31_60", "age_days", "31-60"),
    ("days_61_90", "age_days", "61-90"),
    ("over_90", "age_over", "90"),
)


def _entries(statement: Json, look: Look, width: float, below: float) -> list[Flowable]:
    """The table of entries between the opening and the closing balance."""
    say, currency = look.say, statement["currency"]
    rows = statement["lines"]

    def figures(key: str, title: str, bold: bool = False) -> lines.Column:
        first = "" if key != "balance" else money.figure(statement["opening"], currency)
        cells = [
            money.figure(row[key], currency) if key == "balance" or money.decimal(row.get(key)) else ""
            for row in rows
        ]
        return lines.Column(say(title), [first, *cells], bold=bold)

    left = [
        lines.Column(
            say("receipt_date"),
            [facts.day(statement["from"], say), *(facts.day(row["date"], say) for row in rows)],
            right=False,
        ),
        lines.Column(
            say("entry_number"), ["", *(clean(row.get("number")) for row in rows)], right=False, wraps=True
        ),
    ]
    right = [
        figures("debit", "debits"),
        figures("credit", "credits"),
        figures("balance", "balance", bold=True),
    ]
    size, widths = lines.fitted([*left, *right], width)
    style = theme.style("entry", size, round(size * 1.3, 2))
    told = [para(say("opening"), theme.style("entry-strong", size, round(size * 1.3, 2), bold=True))]
    for row in rows:
        word = say.known("entry", row.get("kind"))
        if row.get("method"):
            word = f"{word}  ·  {say.known('method', row['method'])}"
        reference = clean(row.get("reference"))
        text = f"{word}  ·  {reference}" if reference else word
        # A reference that runs from right to left stays apart from the word before it.
        told.append(para(f"{word}\n{reference}" if is_right_to_left(reference) else text, style))
    running = [money.decimal(statement["opening"]), *(money.decimal(row["balance"]) for row in rows)]
    rest = lines.Rest(running, currency, below)
    return [lines.table(left, (say("document"), told), right, size, widths, width, look, rest)]


def _boxes(statement: Json, look: Look, width: float) -> list[Flowable]:
    """What is owed, by how long it has been due: a box for each age and one for the sum."""
    say, currency = look.say, statement["currency"]
    ageing = statement.get("ageing") or {}
    owed = money.decimal(statement.get("owed"))
    if not any(money.decimal(ageing.get(key)) for key, _, _ in _AGES) and not owed:
        return []
    heads, values = [], []
    for key, word, days in _AGES:
        late = key != "current" and money.decimal(ageing.get(key)) > 0
        heads.append(cell(say(word, days=days) if days else say(word), 6.8, color=theme.MUTED, align=1))
        values.append(
            para(
                money.figure(ageing.get(key), currency),
                theme.style("age", 9, 12, bold=True, color=theme.WARN if late else theme.INK, align=1),
            )
        )
    heads.append(cell(say("age_total"), 6.8, bold=True, color=look.accent, align=1))
    values.append(
        para(money.figure(owed, currency), theme.style("age", 9, 12, bold=True, color=look.accent, align=1))
    )
    table = Table(
        [heads, values],
        colWidths=[width / len(heads)] * len(heads),
        style=TableStyle(
            [
                *closing.FIGURES,
                ("FONT", (0, 0), (-1, 0), fonts.REGULAR, 6.8, 9),
                ("TEXTCOLOR", (0, 0), (-2, 0), theme.MUTED),
                ("TEXTCOLOR", (-1, 0), (-1, 0), look.accent),
                ("ALIGN", (0, 0), (-1, -1), "CENTER"),
                ("BOX", (0, 0), (-1, -1), 0.6, theme.HAIRLINE),
                ("INNERGRID", (0, 0), (-1, -1), 0.6, theme.HAIRLINE),
                ("LINEBELOW", (0, 0), (-1, 0), 0.6, theme.PAPER),
                ("BACKGROUND", (-1, 0), (-1, -1), look.tint),
            ]
        ),
    )
    return [Spacer(1, 12), KeepTogether([para(say("ageing"), theme.LABEL), Spacer(1, 3), table])]


def _besides(statement: Json, look: Look) -> list[Flowable]:
    """Interest and fees of instalments that are due: they are in no invoice, and so in no balance above."""
    due = money.decimal(statement.get("charges_due"))
    if not due:
        return []
    date, amount = facts.day(statement["to"], look.say), money.amount(due, statement["currency"])
    return [Spacer(1, 6), para(look.say("charges_due", date=date, amount=amount), theme.BODY)]


def _numbered(row: Json, look: Look) -> str:
    """The invoice's number, and which instalment of it this is."""
    part = row.get("instalment")
    return f"{row['number']}  ·  {look.say('instalment')} {part}" if part else row["number"]


def _open(statement: Json, look: Look, width: float) -> list[Flowable]:
    """The invoices that are still to be paid, oldest first; of very many the rest is summed up."""
    say, currency = look.say, statement["currency"]
    invoices = statement.get("open_invoices") or []
    if not invoices:
        return []
    shown, rest = invoices[:_MOST_OPEN], invoices[_MOST_OPEN:]
    rows: list[list[Any]] = [
        [
            cell(_numbered(row, look), 7.8),
            cell(facts.day(row["date"], say), 7.8),
            cell(facts.day(row["due_date"], say), 7.8),
            money.figure(row["total"], currency),
            money.figure(row["balance"], currency),
        ]
        for row in shown
    ]
    if rest:
        total, balance = (
            money.figure(sum(money.decimal(row[key]) for row in rest), currency)
            for key in ("total", "balance")
        )
        rows.append([cell(say("further_invoices", count=len(rest)), 7.8), "", "", total, balance])
    keys = ("head_number", "head_date", "head_due", "head_total", "head_open")
    head = [
        cell(say(key), 6.8, bold=True, color=theme.MUTED, align=TA_RIGHT if at > 2 else 0)
        for at, key in enumerate(keys)
    ]
    table = Table(
        [head, *rows],
        colWidths=[width * share for share in (0.28, 0.18, 0.18, 0.18, 0.18)],
        repeatRows=1,
        style=TableStyle(
            [
                *closing.FIGURES,
                *closing.HEAD,
                ("ALIGN", (3, 0), (-1, -1), "RIGHT"),
                ("FONT", (-1, 1), (-1, -1), fonts.BOLD, 7.8, 10.4),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
            ]
        ),
    )
    body: list[Flowable] = [para(say("open_invoices"), theme.LABEL), Spacer(1, 2), table]
    # A few rows stand together; asking for the room is cheaper than to lay them out twice.
    room = 30 + _OPEN_ROW * min(len(rows), closing.MOST_BESIDE)
    return [Spacer(1, 12), CondPageBreak(room), *body]


def render_statement(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 statement of account.

    Parameters:
        document: the JSON of `statement`.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    """
    statement = prepared(
        {
            **document,
            "buyer": document.get("customer"),
            "business_date": document["to"],
            "tax_regime": document["seller"]["tax_regime"],
        },
        "Statement of Account",
    )
    look = look_of("statement", settings, logo)
    say, currency = look.say, statement["currency"]
    closing_balance = money.decimal(statement["closing"])
    head = heading.Head(
        "account_of",
        [
            (
                "period",
                say("until", first=facts.day(document["from"], say), last=facts.day(document["to"], say)),
            ),
            ("currency", clean(currency)),
            ("branch", heading.branch(statement)),
        ],
    )

    def story(width: float) -> list[Flowable]:
        inner = closing.left_width(width)
        before = [
            (say("opening"), money.figure(statement["opening"], currency)),
            (say("debits"), money.figure(statement.get("debits"), currency)),
            (say("credits"), money.figure(-money.decimal(statement.get("credits")), currency)),
        ]
        after = []
        if money.decimal(statement.get("unallocated")):
            after.append(closing.Row(say("unallocated"), money.amount(statement["unallocated"], currency)))
        total = (say("closing"), money.amount(closing_balance, currency))
        sums = closing.amount_table(before, total, after, width - inner - 22, look)
        left: list[Flowable] = []
        if not document.get("lines"):
            left.append(para(say("nothing_happened"), theme.BODY))
        if closing_balance < 0:
            left.append(para(f"{money.amount(-closing_balance, currency)} {say('in_credit')}", theme.STRONG))
        if statement.get("complete") is False:
            left.append(para(say("partial"), theme.SMALL))
        above, beside_it = closing.apart(statement, look)
        totals, needed = closing.beside([*left, Spacer(1, 4), *beside_it], sums, width)
        return [
            *heading.heading(statement, look, width, head),
            *_entries(statement, look, width, needed),
            *totals,
            *_boxes(statement, look, width),
            *_besides(statement, look),
            *_open(statement, look, width),
            *above,
        ]

    return sheet.a4(statement, look, story)
