"""The A4 tax invoice."""

from typing import Any

from reportlab.platypus import Flowable

from backend.app.services.documents import closing, facts, heading, lines, pages
from backend.app.services.documents.text import clean


def about(invoice: dict[str, Any]) -> pages.About:
    """What the PDF says of itself in its properties and on every page."""
    return pages.About(
        title=clean(f"{invoice['title']} {invoice['number'] or ''}"),
        author=clean(facts.seller_name(invoice)),
        subject=clean(f"{invoice['title']} of {facts.issue_date(invoice)}"),
        running=heading.running_head(invoice),
        footnote="   ·   ".join(
            (
                clean(invoice["number"]) or "Draft",
                f"Amounts in {invoice['currency']}",
                "Computer-generated invoice",
            )
        ),
    )


def render_invoice(invoice: dict[str, Any]) -> bytes:
    """Makes the A4 invoice that a customer receives.

    Parameters:
        invoice: the JSON of `get_invoice`; amounts may be int, float or Decimal.
    Returns:
        the PDF file.
    Raises:
        KeyError: a field that every invoice has is missing.
    """

    def story(width: float) -> list[Flowable]:
        totals, needed = closing.totals(invoice, width)
        return [
            *heading.heading(invoice, width),
            *lines.lines_table(invoice, width, needed),
            *totals,
            *closing.tax_summary(invoice, width),
            *closing.closing(invoice, width),
        ]

    return pages.a4(story, about(invoice))
