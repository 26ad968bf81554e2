"""The QR code of a document: pay by UPI while something is owed, else the facts that identify the invoice."""

from typing import Any
from urllib.parse import quote

import segno
from reportlab.lib.colors import Color
from reportlab.platypus import Flowable

from backend.app.services.documents import facts, money, theme
from backend.app.services.documents.words import words


def is_payable(invoice: dict[str, Any]) -> bool:
    """Says whether the code asks for a payment: UPI carries rupees only, to a seller with a UPI address."""
    owed = money.decimal(invoice["balance"]) > 0
    return owed and invoice["currency"] == "INR" and bool(invoice["seller"].get("upi_id"))


def payload(invoice: dict[str, Any]) -> str:
    """Builds the text of the code.

    Returns:
        a `upi://pay` link over the balance due, or lines of "label: value" with the seller's tax number, the
        invoice's number, date and total.
    """
    if is_payable(invoice):
        fields = {
            "pa": str(invoice["seller"]["upi_id"]),
            "pn": facts.seller_name(invoice),
            "am": f"{money.decimal(invoice['balance']):.2f}",
            "cu": "INR",
            "tn": f"Invoice {invoice['number']}",
        }
        return "upi://pay?" + "&".join(f"{key}={quote(value, safe='@')}" for key, value in fields.items())
    total = f"{money.decimal(invoice['total']):.{money.minor_digits(invoice['currency'])}f}"
    seller_number = invoice["seller"].get("tax_number")
    rows = [
        f"Seller: {facts.seller_name(invoice)}",
        f"{facts.tax_number_label(invoice, words('en'))}: {seller_number}" if seller_number else "",
        f"Invoice: {invoice['number']}",
        f"Date: {invoice['business_date']}",
        f"Total: {invoice['currency']} {total}",
    ]
    return "\n".join(row for row in rows if row)


class QrCode(Flowable):
    """A square QR code drawn as vectors, with the quiet zone that readers need inside its size."""

    def __init__(self, content: str, size: float, color: Color = theme.INK) -> None:
        """Parameters: content, the text to encode; size, the side in points; color of the dark modules."""
        super().__init__()
        code = segno.make(content, error="m", micro=False)
        self._rows = [bytes(row) for row in code.matrix_iter(border=2)]
        self._color = color
        self.width = self.height = size

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: ARG002, N803
        """Tells the layout engine the fixed size."""
        return self.width, self.height

    def draw(self) -> None:
        """Draws each run of dark modules in a row as one rectangle, so that no seam shows between modules."""
        canvas = self.canv
        module = self.width / len(self._rows)
        canvas.setFillColor(self._color)
        path = canvas.beginPath()
        for index, row in enumerate(self._rows):
            bottom = self.height - (index + 1) * module
            start = 0
            while (start := row.find(1, start)) >= 0:
                end = row.find(0, start)
                end = len(row) if end < 0 else end
                path.rect(start * module, bottom, (end - start) * module, module)
                start = end
        canvas.drawPath(path, stroke=0, fill=1)
