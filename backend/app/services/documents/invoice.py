"""The A4 tax invoice."""

from reportlab.platypus import Flowable

from backend.app.services.documents import closing, facts, heading, lines, money, sheet, taxes
from backend.app.services.documents.look import Look, Settings, look_of
from backend.app.services.documents.prepare import Json, prepared
from backend.app.services.documents.text import clean


def _head(invoice: Json, look: Look) -> heading.Head:
    say = look.say
    found: heading.Pairs = [
        ("number_invoice", str(invoice["number"] or say("draft"))),
        ("date", heading.when(invoice, look)),
        (
            "due_date",
            facts.day(invoice.get("due_date"), say) if money.decimal(invoice["balance"]) > 0 else "",
        ),
        *heading.tax_facts(invoice, look),
        ("branch", heading.branch(invoice)),
        ("reference", clean(invoice.get("reference"))),
        (
            "deliver_to",
            say("as_billed") if facts.says_where(invoice) and not invoice.get("ship_to") else "",
        ),
    ]
    return heading.Head("billed_to", found, facts.status(invoice, say), original=True)


def _after(invoice: Json, look: Look) -> list[closing.Row]:
    """What followed the total: payments, credit notes, and what is left to pay."""
    say, currency = look.say, invoice["currency"]
    rows = [closing.Row(say("paid"), money.amount(invoice["paid"], currency))]
    if money.decimal(invoice.get("credited")):
        rows.append(closing.Row(say("credited"), money.amount(invoice["credited"], currency)))
    owed = money.decimal(invoice["balance"]) > 0
    balance = money.amount(invoice["balance"], currency)
    return [*rows, closing.Row(say("balance_due"), balance, strong=True, owed=owed)]


def render_invoice(document: Json, settings: Settings | None = None, logo: bytes | None = None) -> bytes:
    """Makes the A4 invoice that a customer receives.

    Parameters:
        document: the JSON of `get_invoice`; amounts may be int, float or Decimal.
        settings, logo: see `look.look_of`.
    Returns:
        the PDF file.
    Raises:
        KeyError: a field that every invoice has is missing.
    """
    invoice, look = prepared(document, "Invoice"), look_of("invoice", settings, logo)

    def story(width: float) -> list[Flowable]:
        totals, needed = closing.totals(invoice, look, width, _after(invoice, look))
        return [
            *heading.heading(invoice, look, width, _head(invoice, look)),
            *lines.lines_table(invoice, look, width, needed),
            *totals,
            *closing.kept(taxes.tax_summary(invoice, look, width), closing.with_code(invoice, look, width)),
        ]

    return sheet.a4(invoice, look, story, "generated_invoice")
