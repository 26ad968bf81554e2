"""Acts of billing: whether they are allowed is its matter, what they may do to the stock is the model's.

The model does not say whether such a call is refused. When it is carried out, the movements that it wrote
are carried out in the model, which finds whatever cannot be; they must be just the goods that were asked for;
and what is held for orders is read, and must account for all that the levels have reserved.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.house import GOODS, Call, House
from tests.properties.model import holds_stock
from tests.properties.model_counts import Everything
from tests.properties.state import ZERO, Invoice, Level, Move, Reservation

Goods = dict[str, Decimal]

LEARNED = {
    "save_order",
    "confirm_order",
    "deliver_order",
    "mark_order",
    "cancel_order",
    "issue_credit_note",
    "void_sale",
    "post_exchange",
}


@dataclass(frozen=True)
class OrderLine:
    """One line of an order. base: of the whole line, in the product's own unit."""

    line_no: int
    sku: str
    quantity: Decimal
    base: Decimal
    delivered: Decimal


@dataclass(frozen=True)
class Order:
    """A sales order. place: where its goods are held."""

    branch: str
    status: str
    place: str | None
    lines: tuple[OrderLine, ...] = field(default=())


class Sales(Everything):
    """All stock acts, with those that the stock learns of from billing.

    Attributes:
        orders: as the database has them.
    """

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.orders: dict[UUID, Order] = {}

    def carry_out(self, moves: list[Move]) -> None:
        """Do what the ledger says was done; each piece and each lot was where it was taken from."""
        for move in moves:
            if GOODS[move.sku].tracking == "serial":
                self._move_pieces(move)
            for place, by in ((move.source, -move.quantity), (move.target, move.quantity)):
                if holds_stock(place):
                    self.state.change(place, move.sku, on_hand=by)
                    if move.lot is not None:
                        self.state.change_lot(place, move.sku, move.lot, by)

    def hold(self, reservations: dict[UUID, Reservation]) -> None:
        """What is promised now: the levels' reserved follows from it."""
        self.state.reservations.clear()
        self.state.reservations.update(reservations)
        reserved: dict[tuple[str, str], Decimal] = {}
        for held in reservations.values():
            for sku, quantity in held.held.items() if held.status == "active" else ():
                key = (held.place, sku)
                reserved[key] = reserved.get(key, ZERO) + quantity
        for key in {*self.state.levels, *reserved}:
            level = replace(self.state.level(*key), reserved=reserved.get(key, ZERO))
            self.state.levels[key] = level
            if level == Level():
                del self.state.levels[key]

    def asked(self, call: Call) -> tuple[Goods, Goods]:
        """What a call takes out to the customer, and what it brings back from him, by SKU."""
        out, back, arguments = Goods(), Goods(), call.arguments
        if call.function == "deliver_order":
            out = self._delivered(self.orders[arguments["p_order_id"]], arguments["p_lines"])
        elif call.function in {"issue_credit_note", "post_exchange"}:
            lines = arguments["p_lines" if call.function == "issue_credit_note" else "p_return_lines"]
            back = self._returned(self.invoices[arguments["p_invoice_id"]], lines)
            if call.function == "post_exchange":
                for line in map(self.read_line, arguments["p_lines"]):
                    for sku, quantity in line.items:
                        _add(out, sku, quantity)
        elif call.function == "void_sale":
            for move in self.invoices[arguments["p_invoice_id"]].left:
                _add(back, move.sku, move.quantity)
        return out, back

    def _delivered(self, order: Order, lines: list[dict[str, Any]] | None) -> Goods:
        parts = {line.line_no: line.quantity - line.delivered for line in order.lines}
        if lines is not None:
            parts = {line["line_no"]: Decimal(line["quantity"]) for line in lines}
        out = Goods()
        for line in order.lines:
            base = line.base * parts.get(line.line_no, ZERO) / line.quantity
            for sku, each in (GOODS[line.sku].parts or {line.sku: Decimal(1)}).items():
                _add(out, sku, base * each)
        return out

    def _returned(self, invoice: Invoice, lines: list[dict[str, Any]] | None) -> Goods:
        parts = {number: line.quantity - line.returned for number, line in enumerate(invoice.lines, start=1)}
        if lines is not None:
            parts = {
                line["line_no"]: Decimal(line["quantity"]) * (line.get("disposition") != "none")
                for line in lines
            }
        back = Goods()
        for number, line in enumerate(invoice.lines, start=1):
            for sku, quantity in line.items:
                _add(back, sku, quantity * parts.get(number, ZERO) / line.quantity)
        return back


def customers_goods(moves: list[Move]) -> tuple[Goods, Goods]:
    """What movements took out to the customer, and what they brought back, by SKU."""
    out, back = Goods(), Goods()
    for move in moves:
        if move.target == "customer":
            _add(out, move.sku, move.quantity)
        elif move.source == "customer":
            _add(back, move.sku, move.quantity)
    return out, back


def _add(goods: Goods, sku: str, quantity: Decimal) -> None:
    if quantity:
        goods[sku] = goods.get(sku, ZERO) + quantity
