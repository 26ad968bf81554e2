"""Cancellations: which sale of the file each takes back, and the credit notes that say so.

The file does not name the sale. It is found by customer, stock code, price and quantity among the customer's
earlier sales, the latest first. What was sold before the file begins has no original in it and stays out.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from local.client import Progress, send
from local.replay.house import House, vat_rate
from local.replay.sales import Refusals, sale_id
from local.replay.source import PENNY, ZERO, Line, Slip, Source


@dataclass
class Part:
    """Some of one line of a sale. line_no: from 1; net and tax: in pounds, what of the line goes back."""

    line_no: int
    line: Line
    quantity: int = 0
    net: Decimal = ZERO
    tax: Decimal = ZERO


@dataclass
class Return:
    """What one cancellation takes back of one sale: a credit note."""

    cancellation: Slip
    sale: Slip
    parts: dict[int, Part] = field(default_factory=dict)

    @property
    def net(self) -> Decimal:
        """Value in pounds before tax."""
        return sum((part.net for part in self.parts.values()), ZERO)

    @property
    def tax(self) -> Decimal:
        """VAT in pounds."""
        return sum((part.tax for part in self.parts.values()), ZERO)

    @property
    def pieces(self) -> int:
        """Pieces that go back on the shelf."""
        return sum(part.quantity for part in self.parts.values() if part.line.goods)


@dataclass
class Matched:
    """All cancellations: what was found, and the lines that were not, by reason."""

    returns: list[Return] = field(default_factory=list)
    lost: dict[str, list[tuple[Slip, Line]]] = field(default_factory=dict)

    @property
    def lost_value(self) -> Decimal:
        """The value of the lines without an original, in pounds before tax: negative."""
        return sum((line.value for lines in self.lost.values() for _, line in lines), ZERO)


def match(source: Source) -> Matched:
    """Find the sale of each line that came back."""
    matched = Matched()
    returned: Counter[tuple[str, int]] = Counter()
    for slip in sorted(source.cancellations, key=lambda slip: slip.at):
        found: dict[str, Return] = {}
        for line in slip.lines:
            original = next(_originals(source, slip, line, returned), None)
            if original is None:
                matched.lost.setdefault(_why(source, slip, line), []).append((slip, line))
                continue
            sale, line_no = original
            back = found.setdefault(sale.number, Return(slip, sale))
            part = back.parts.setdefault(line_no, Part(line_no, sale.lines[line_no - 1]))
            _take(part, sale, -line.quantity, returned[sale.number, line_no])
            returned[sale.number, line_no] -= line.quantity
        matched.returns.extend(found.values())
    return matched


def _originals(
    source: Source, slip: Slip, line: Line, returned: Counter[tuple[str, int]]
) -> Iterator[tuple[Slip, int]]:
    if slip.customer is None:
        return
    for sale in reversed(source.sales):
        if sale.customer != slip.customer or sale.at > slip.at:
            continue
        for line_no, sold in enumerate(sale.lines, start=1):
            left = sold.quantity - returned[sale.number, line_no]
            if (sold.code, sold.unit_price) == (line.code, line.unit_price) and left >= -line.quantity:
                yield sale, line_no


def _take(part: Part, sale: Slip, quantity: int, before: int) -> None:
    """Add pieces to a part. The tax is the line's share, rounded so that all shares sum to the line's tax."""
    rate = vat_rate(sale.at.date().isoformat()) if sale.country == "GB" else ZERO
    whole = (part.line.value * rate / 100).quantize(PENNY, ROUND_HALF_UP)

    def share(pieces: int) -> Decimal:
        return (whole * pieces / part.line.quantity).quantize(PENNY, ROUND_HALF_UP)

    part.quantity += quantity
    part.net += part.line.unit_price * quantity
    part.tax += share(before + quantity) - share(before)


def _why(source: Source, slip: Slip, line: Line) -> str:
    if not line.goods:
        return "a charge or discount, no sale of it"
    bought = [
        sale.at
        for sale in source.sales
        if sale.customer == slip.customer and any(sold.code == line.code for sold in sale.lines)
    ]
    if slip.customer is None or not bought:
        return "the customer bought none in the file"
    if min(bought) > slip.at:
        return "bought in the file, but later only"
    return "bought in the file at another price, or fewer"


def credit_note_id(house: House, back: Return) -> str:
    """The id of a return's credit note."""
    return house.id("credit note", f"{back.cancellation.number}/{back.sale.number}")


def post_all(house: House, matched: Matched, refusals: Refusals, progress: Progress) -> None:
    """Post all credit notes in time order; what is there already changes nothing."""
    for done, back in enumerate(matched.returns, start=1):
        with refusals.noting(f"cancellation {back.cancellation.number}"):
            _post(house, back)
        progress("Credit notes", done, len(matched.returns))


def _post(house: House, back: Return) -> None:
    lines = [
        {"line_no": part.line_no, "quantity": part.quantity}
        for part in sorted(back.parts.values(), key=lambda part: part.line_no)
    ]
    send(
        house.till.db.rpc(
            "issue_credit_note",
            {
                "p_id": credit_note_id(house, back),
                "p_invoice_id": sale_id(house, back.sale),
                "p_lines": lines,
                "p_reason": f"Cancellation {back.cancellation.number}",
                "p_options": {
                    "occurred_at": back.cancellation.at.isoformat(),
                    # Customers with a number pay by transfer, and are paid back by transfer.
                    "refund": {"method": "bank_transfer", "reference": back.cancellation.number},
                },
            },
        )
    )
