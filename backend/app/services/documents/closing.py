"""The lower part of an A4 invoice: totals, payments, tax by rate, terms, QR code and signature."""

from typing import Any, Final

from reportlab.lib.units import mm
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    KeepTogether,
    LongTable,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from backend.app.services.documents import facts, fonts, money, qr, theme
from backend.app.services.documents.text import clean, para

_FIGURES: Final[list[theme.Command]] = [
    ("FONT", (0, 0), (-1, -1), fonts.REGULAR, 7.8, 10.4),
    ("TEXTCOLOR", (0, 0), (-1, -1), theme.INK),
    ("TOPPADDING", (0, 0), (-1, -1), 2.2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.8),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
_HEAD: Final[list[theme.Command]] = [
    ("FONT", (0, 0), (-1, 0), fonts.BOLD, 6.8, 9.4),
    ("TEXTCOLOR", (0, 0), (-1, 0), theme.MUTED),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, theme.HAIRLINE),
]
# A tax table of many rates begins on a page only with room for its title and a few rows, in points.
_WORTH_BEGINNING: Final = 100.0


def total_rows(invoice: dict[str, Any]) -> list[tuple[str, str]]:
    """Lists what leads from the goods to the total: (label, formatted amount)."""
    currency = invoice["currency"]
    summary = invoice["tax_summary"]
    label = "Taxable value" if facts.is_taxed(invoice) else "Subtotal"
    rows = [(label, money.figure(invoice["subtotal"], currency))]
    if facts.is_taxed(invoice):
        rows += [
            (name, money.figure(facts.component_total(summary, name), currency))
            for name in facts.components(summary)
        ]
    if money.decimal(invoice.get("round_off")):
        rows.append(("Round off", money.figure(invoice["round_off"], currency)))
    return rows


def _totals(invoice: dict[str, Any], width: float) -> Table:
    currency = invoice["currency"]
    data = [list(row) for row in total_rows(invoice)]
    total = len(data)
    data.append(["Total", money.amount(invoice["total"], currency)])
    data.append(["Paid", money.amount(invoice["paid"], currency)])
    data.append(["Balance due", money.amount(invoice["balance"], currency)])
    owed = money.decimal(invoice["balance"]) > 0
    # A total of many figures shrinks until it stands beside its label.
    size = 13.0
    while size > 7 and fonts.width(data[total][1], size, bold=True) > width - 60:
        size -= 0.5
    commands: list[theme.Command] = [
        *_FIGURES,
        ("ALIGN", (1, 0), (1, -1), "RIGHT"),
        ("TEXTCOLOR", (0, 0), (0, total - 1), theme.MUTED),
        ("BACKGROUND", (0, total), (-1, total), theme.TINT),
        ("LINEABOVE", (0, total), (-1, total), 0.9, theme.ACCENT),
        ("FONT", (0, total), (0, total), fonts.BOLD, 9.5, 13),
        ("FONT", (1, total), (1, total), fonts.BOLD, size, 16),
        ("TEXTCOLOR", (0, total), (-1, total), theme.ACCENT),
        ("TOPPADDING", (0, total), (0, total), 4 + (size - 9.5) * 0.7),
        ("TOPPADDING", (1, total), (1, total), 4),
        ("BOTTOMPADDING", (0, total), (-1, total), 6),
        ("TOPPADDING", (0, total + 1), (-1, total + 1), 5),
        ("TEXTCOLOR", (0, total + 1), (0, total + 1), theme.MUTED),
        ("FONT", (0, total + 2), (-1, total + 2), fonts.BOLD, 8.4, 11),
        ("TEXTCOLOR", (0, total + 2), (-1, total + 2), theme.WARN if owed else theme.INK),
    ]
    return Table(data, colWidths=[width * 0.36, width * 0.64], style=TableStyle(commands))


def _payments(invoice: dict[str, Any], width: float) -> list[Flowable]:
    currency = invoice["currency"]
    rows = invoice.get("payments") or []
    if not rows:
        return []
    data: list[list[Any]] = [["PAYMENT", "REFERENCE", "DATE", "AMOUNT"]]
    for row in rows:
        method: list[Flowable] = [para(row.get("method_name") or row.get("method"), theme.BODY)]
        if money.decimal(row.get("change")):
            handed = money.amount(row.get("tendered"), currency)
            back = money.amount(row["change"], currency)
            method.append(para(f"Tendered {handed}, change {back}", theme.SMALL))
        data.append(
            [
                method,
                para(row.get("reference") or theme.NOTHING, theme.BODY),
                facts.payment_date(invoice, row),
                money.figure(row["amount"], currency),
            ]
        )
    amounts = max(fonts.width(row[-1], 8) for row in data) + 9
    rest = width - amounts - 56
    table = Table(
        data,
        colWidths=[rest * 0.58, rest * 0.42, 56, amounts],
        style=TableStyle(
            [*_FIGURES, *_HEAD, ("ALIGN", (-1, 0), (-1, -1), "RIGHT"), ("LEFTPADDING", (0, 0), (0, -1), 0)]
        ),
    )
    return [Spacer(1, 9), table]


def totals(invoice: dict[str, Any], width: float) -> tuple[list[Flowable], float]:
    """Sets the amount in words and the payments beside the totals, on one page together.

    Returns:
        the flowables, and the height they need in points.
    """
    side = 190.0
    left = width - side - 22
    words = money.in_words(invoice["total"], invoice["currency"])
    story: list[Flowable] = [para("AMOUNT IN WORDS", theme.LABEL), para(words, theme.STRONG)]
    discount = money.decimal(invoice.get("discount"))
    if discount:
        text = f"Discounts of {money.amount(discount, invoice['currency'])} are already deducted."
        story += [Spacer(1, 3), para(text, theme.SMALL)]
    story += _payments(invoice, left)
    block = Table(
        [[story, _totals(invoice, side)]],
        colWidths=[left + 22, side],
        style=TableStyle([*theme.BARE, ("RIGHTPADDING", (0, 0), (0, 0), 22)]),
    )
    return [Spacer(1, 8), KeepTogether([block])], block.wrap(width, 0)[1] + 8


def tax_summary(invoice: dict[str, Any], width: float) -> list[Flowable]:
    """Sets the tax by HSN code and rate, with the legends of nil-rated, exempt and zero-rated supplies."""
    if not facts.is_taxed(invoice):
        return []
    rows, currency = invoice["tax_summary"], invoice["currency"]
    names = facts.components(rows)
    coded = facts.has_codes(rows)
    # With one component its rate and amount are the whole tax, so neither is said twice.
    several = len(names) != 1
    head = (["HSN/SAC" if facts.is_gst(invoice) else "CODE"] if coded else []) + ["TAX RATE", "TAXABLE VALUE"]
    parts_head = [part for name in names for part in ((f"{name} %", name) if several else (name,))]
    data = [[*head, *parts_head, *(["TOTAL TAX"] if several else [])]]
    for row in rows:
        parts = {str(tax["component"]): tax for tax in row.get("taxes") or ()}
        cells = [clean(row.get("hsn_code")) or theme.NOTHING] if coded else []
        cells += [facts.rate_label(row), money.figure(row["taxable"], currency)]
        for name in names:
            tax = parts.get(name)
            pair = (
                [facts.component_rate(tax, currency), money.figure(tax["amount"], currency)]
                if tax
                else [theme.NOTHING, theme.NOTHING]
            )
            cells += pair if several else pair[1:]
        data.append([*cells, money.figure(row["tax"], currency)] if several else cells)
    foot = ["Total", ""] if coded else ["Total"]
    foot.append(money.figure(sum(money.decimal(row["taxable"]) for row in rows), currency))
    for name in names:
        foot += [""] if several else []
        foot.append(money.figure(facts.component_total(rows, name), currency))
    if several:
        foot.append(money.figure(sum(money.decimal(row["tax"]) for row in rows), currency))
    data.append(foot)

    natural = [max(fonts.width(row[i], 8.2, bold=True) for row in data) + 9 for i in range(len(data[0]))]
    spare = (width - sum(natural)) / len(natural)
    commands: list[theme.Command] = [
        *_FIGURES,
        *_HEAD,
        ("ALIGN", (1 if coded else 0, 0), (-1, -1), "RIGHT"),
        ("ALIGN", (0, 0), (0, -1), "LEFT"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("FONT", (0, -1), (-1, -1), fonts.BOLD, 7.8, 10.4),
        ("LINEABOVE", (0, -1), (-1, -1), 0.6, theme.FAINT),
        ("NOSPLIT", (0, -2), (-1, -1)),
    ]
    table = LongTable(
        data, colWidths=[max(part + spare, 20) for part in natural], repeatRows=1, style=TableStyle(commands)
    )
    title = para("TAX BY HSN AND RATE" if coded and facts.is_gst(invoice) else "TAX BY RATE", theme.LABEL)
    legend: list[Flowable] = (
        [para(" ".join(facts.legends(invoice)), theme.SMALL)] if facts.legends(invoice) else []
    )
    short = len(rows) <= 12
    body: list[Flowable] = [Spacer(1, 11), title, Spacer(1, 2), table, Spacer(1, 3), *legend]
    return [KeepTogether(body)] if short else [CondPageBreak(_WORTH_BEGINNING), *body]


def _signature(invoice: dict[str, Any], width: float) -> list[Flowable]:
    line = HRFlowable(width=width, thickness=0.6, color=theme.FAINT, spaceBefore=0, spaceAfter=2)
    return [
        para(f"For {facts.legal_name(invoice)}", theme.STRONG),
        Spacer(1, 13 * mm),
        line,
        para("Authorised signatory", theme.SMALL),
    ]


def closing(invoice: dict[str, Any], width: float) -> list[Flowable]:
    """Sets the QR code, note and terms, and the place for the signature, on one page together."""
    code_width, sign_width = 27 * mm, 150.0
    text_width = width - code_width - sign_width
    payable = qr.is_payable(invoice)
    code: list[Flowable] = [qr.QrCode(qr.payload(invoice), 25 * mm)]
    text: list[Flowable] = []
    if payable:
        owed = money.amount(invoice["balance"], invoice["currency"])
        text += [
            para("PAY BY UPI", theme.LABEL),
            para(f"Scan to pay {owed} to {invoice['seller']['upi_id']}", theme.BODY),
            Spacer(1, 5),
        ]
    for label, key in (("NOTE", "note"), ("TERMS", "terms")):
        if clean(invoice.get(key)):
            text += [para(label, theme.LABEL), para(invoice[key], theme.SMALL), Spacer(1, 5)]
    if not text:
        text = [Paragraph("Scan for the number, date and total of this invoice.", theme.SMALL)]
    block = Table(
        [[code, text, _signature(invoice, sign_width)]],
        colWidths=[code_width, text_width, sign_width],
        style=TableStyle(
            [*theme.BARE, ("LEFTPADDING", (1, 0), (1, 0), 8), ("RIGHTPADDING", (1, 0), (1, 0), 16)]
        ),
    )
    return [Spacer(1, 12), KeepTogether([block])]
