"""The table of the tax by HSN code and rate, which GST wants on an invoice and other readers expect."""

from typing import Any, Final

from reportlab.lib.enums import TA_RIGHT
from reportlab.platypus import Flowable, LongTable, Spacer, TableStyle

from backend.app.services.documents import facts, fonts, money, theme
from backend.app.services.documents.closing import FIGURES, HEAD
from backend.app.services.documents.look import Look
from backend.app.services.documents.prepare import Json
from backend.app.services.documents.text import cell, clean, para

_SHORT: Final = 12


def _table(document: Json, look: Look, coded: bool) -> list[list[str]]:
    """The texts of the table: head, a row per code and rate, foot."""
    say, rows, currency = look.say, document["tax_summary"], document["currency"]
    names = facts.components(rows)
    # With one component its rate and amount are the whole tax, so neither is said twice.
    several = len(names) != 1
    head = [say("head_hsn" if facts.is_gst(document) else "head_code")] if coded else []
    head += [say("head_rate"), say("head_taxable")]
    for name in (facts.component_name(name, say) for name in names):
        head += [f"{name} %", name] if several else [name]
    data = [[*head, *([say("head_total_tax")] if several else [])]]
    for row in rows:
        parts = {str(tax["component"]): tax for tax in row.get("taxes") or ()}
        cells = [clean(row.get("hsn_code")) or theme.NOTHING] if coded else []
        cells += [facts.rate_label(row, say), money.figure(row["taxable"], currency)]
        for name in names:
            tax = parts.get(name)
            pair = (
                [facts.component_rate(tax, currency, say), money.figure(tax["amount"], currency)]
                if tax
                else [theme.NOTHING, theme.NOTHING]
            )
            cells += pair if several else pair[1:]
        data.append([*cells, money.figure(row["tax"], currency)] if several else cells)
    foot = [say("total"), ""] if coded else [say("total")]
    foot.append(money.figure(sum(money.decimal(row["taxable"]) for row in rows), currency))
    for name in names:
        foot += [""] if several else []
        foot.append(money.figure(facts.component_total(rows, name), currency))
    if several:
        foot.append(money.figure(sum(money.decimal(row["tax"]) for row in rows), currency))
    return [*data, foot]


def legend(document: Json, look: Look) -> list[Flowable]:
    """The sentences about nil-rated, exempt and zero-rated supplies; they stand below a table."""
    said = " ".join(facts.legends(document, look.say))
    return [Spacer(1, 3), para(said, theme.SMALL)] if said else []


def tax_summary(document: Json, look: Look, width: float) -> tuple[list[Flowable], bool]:
    """Sets the tax by HSN code and rate, with the legends of nil-rated, exempt and zero-rated supplies.

    Returns:
        the flowables, and whether they are short enough to be kept on one page.
    """
    if not facts.is_taxed(document) or not document["tax_summary"]:
        return [], True
    coded = facts.has_codes(document["tax_summary"])
    texts = _table(document, look, coded)
    last = len(texts) - 1
    natural = [max(fonts.width(row[i], 8.2, bold=True) for row in texts) + 9 for i in range(len(texts[0]))]
    spare = (width - sum(natural)) / len(natural)
    data: list[list[Any]] = [
        [
            cell(
                text,
                6.8 if at == 0 else 7.8,
                bold=at in (0, last),
                color=theme.INK if at else theme.MUTED,
                align=0 if column == 0 else TA_RIGHT,
            )
            for column, text in enumerate(row)
        ]
        for at, row in enumerate(texts)
    ]
    commands: list[theme.Command] = [
        *FIGURES,
        *HEAD,
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
    title = look.say("tax_by_hsn" if coded and facts.is_gst(document) else "tax_by_rate")
    body: list[Flowable] = [
        Spacer(1, 11),
        para(title, theme.LABEL),
        Spacer(1, 2),
        table,
        *legend(document, look),
    ]
    return body, last <= _SHORT + 1
