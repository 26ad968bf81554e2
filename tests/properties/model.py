"""The model: what each act does to the state, or why it is refused; written from what the acts promise."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.house import GOODS, LOTS, PEOPLE, ROLL, SELLABLE, STRANGER, Call, House
from tests.properties.state import ZERO, Invoice, Line, Move, Piece, RefusedError, State

LONG_AGO = date(2025, 1, 1)  # Lots that end before it have expired, those that end later have not.


class Model:
    """Says of every call what becomes of it.

    Attributes:
        state: what the database must hold.
        invoices: the sales so far, which returns refer to.
        done: the calls that were carried out, by the id that the client gave.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.state = State()
        self.invoices: dict[UUID, Invoice] = {}
        self.done: dict[UUID, Call] = {}
        self.acts: dict[str, Callable[[Call], None]] = self.core_acts()

    def core_acts(self) -> dict[str, Callable[[Call], None]]:
        """What each function does."""
        return {
            "adjust_stock": self.adjust_stock,
            "post_sale": self.post_sale,
            "return_goods": self.return_goods,
        }

    def predict(self, call: Call) -> str | None:
        """Carry the call out in the model; the code of the refusal, None when it is allowed."""
        before, invoices = self.state.copy(), dict(self.invoices)
        act_id = call.arguments["p_id"]
        try:
            known = self.done.get(act_id)
            if known is None:
                self.acts[call.function](call)
                self.done[act_id] = call
            elif (known.function, known.arguments) != (call.function, call.arguments):
                raise RefusedError("id_reused")
        except RefusedError as refusal:
            self.state.become(before)
            self.invoices = invoices
            return refusal.code
        return None

    # What acts have in common --------------------------------------------------------------------

    def authorize(self, who: str, permission: str, branch: str | None) -> None:
        """Out of scope is not found; in scope without the permission is denied."""
        role, covered = PEOPLE.get(who, ("", "nowhere"))
        if who == STRANGER or branch is None or (covered is not None and covered != branch):
            raise RefusedError("not_found")
        if permission not in self.house.permissions[role]:
            raise RefusedError("permission_denied")

    def permitted(self, who: str, permission: str) -> bool:
        """Does he hold it anywhere?"""
        return who in PEOPLE and permission in self.house.permissions[PEOPLE[who][0]]

    def authorize_place(self, who: str, permission: str, location: UUID) -> str:
        """The place, when he may act at its branch."""
        place = self.house.place_of(location)
        self.authorize(who, permission, None if place is None or "." not in place else place[0])
        assert place is not None
        return place

    def check_available(self, moves: list[Move]) -> None:
        """The sum per place and variant must be there and nobody's."""
        demand: dict[tuple[str, str], Decimal] = {}
        for move in moves:
            if "." in move.source or move.source == "transit":
                key = (move.source, move.sku)
                demand[key] = demand.get(key, ZERO) + move.quantity
        if any(self.state.level(*key).available < quantity for key, quantity in demand.items()):
            self.make_room(
                {end for move in moves for end in (move.source, move.target)}, {m.sku for m in moves}
            )
        if any(self.state.level(*key).available < quantity for key, quantity in demand.items()):
            raise RefusedError("insufficient_stock")

    def make_room(self, places: set[str], skus: set[str]) -> None:
        """Somebody is short: reservations that have lapsed give way, if they hold any of these there."""

    def move(self, moves: list[Move], seller: str | None = None) -> list[list[Move]]:
        """Move goods, all or nothing; for each movement what was posted: one for each lot."""
        self.check_available(moves)
        posted: list[list[Move]] = []
        for move in moves:
            tracking = GOODS[move.sku].tracking
            if tracking == "serial":
                self._move_pieces(move)
            posted.append(self._move_lots(move, seller) if tracking == "batch" else [move])
        for move in moves:
            if holds_stock(move.source):
                self.state.change(move.source, move.sku, on_hand=-move.quantity)
            if holds_stock(move.target):
                self.state.change(move.target, move.sku, on_hand=move.quantity)
        return posted

    def _move_pieces(self, move: Move) -> None:
        serials = set(move.serials or ())
        if len(serials) != move.quantity or len(move.serials or ()) != move.quantity:
            raise RefusedError("serials_required")
        status = {"transit": "in_transit", "customer": "sold", "supplier": "removed", "adjustment": "removed"}
        for serial in serials:
            piece = self.state.pieces.get((move.sku, serial))
            if holds_stock(move.source):
                if piece is None or piece.place != move.source:
                    raise RefusedError("serial_not_here")
            elif piece is not None and piece.status in {"in_stock", "in_transit"}:
                raise RefusedError("serial_in_stock")
        for serial in serials:
            self.state.pieces[move.sku, serial] = Piece(move.target, status.get(move.target, "in_stock"))
            self.state.moved[move.sku, serial] = self.state.moved.get((move.sku, serial), 0) + 1

    def _move_lots(self, move: Move, seller: str | None) -> list[Move]:
        if holds_stock(move.source):
            parts = self._choose_lots(move, seller)
        elif move.lot is None:
            raise RefusedError("batch_required")
        else:
            parts = [move]
        for part in parts:
            assert part.lot is not None
            if holds_stock(part.source):
                self.state.change_lot(part.source, part.sku, part.lot, -part.quantity)
            if holds_stock(part.target):
                self.state.change_lot(part.target, part.sku, part.lot, part.quantity)
        return parts

    def _choose_lots(self, move: Move, seller: str | None) -> list[Move]:
        """First what expires first; of expired lots a sale takes a named one, if the seller may."""
        parts, left, gone = list[Move](), move.quantity, ZERO
        may_sell_expired = seller is None or (move.lot is not None and self.permitted(seller, "sale.expired"))
        for lot, there in self._lots_in_order(move):
            gone += there if expired(lot) else ZERO
            part = min(left, there)
            if part and (may_sell_expired or not expired(lot)):
                parts.append(Move(move.sku, move.source, move.target, part, None, lot))
                left -= part
        if left > 0:
            raise RefusedError(
                "expired_stock" if seller is not None and gone >= left else "insufficient_stock"
            )
        taken = sum((part.quantity for part in parts if not expired(str(part.lot))), ZERO)
        if seller is not None and taken and not self._leaves_promised(move, taken):
            self.make_room({move.source}, {move.sku})
            if not self._leaves_promised(move, taken):
                raise RefusedError("expired_stock")
        return parts

    def _leaves_promised(self, move: Move, taken: Decimal) -> bool:
        """What is promised is not left with expired lots alone."""
        good, gone = self.state.good(move.source, move.sku, expired)
        return not gone or good - taken >= self.state.level(move.source, move.sku).reserved

    def _lots_in_order(self, move: Move) -> list[tuple[str, Decimal]]:
        """What lies there, first what expires first."""
        there = [
            (lot, quantity)
            for (place, sku, lot), quantity in self.state.lots.items()
            if (place, sku) == (move.source, move.sku) and move.lot in (None, lot)
        ]
        return sorted(there, key=lambda entry: LOTS[entry[0]] or date.max)

    def known_lot(self, sku: str, lot: str | None) -> str | None:
        """The lot when it is known, None when none is named."""
        if lot is not None and (sku, lot) not in self.state.batches:
            raise RefusedError("not_found")
        return lot

    # The acts ------------------------------------------------------------------------------------

    def adjust_stock(self, call: Call) -> None:
        """Goods found, lost or opened with."""
        arguments = call.arguments
        place = self.authorize_place(call.who, "stock.adjust", arguments["p_location_id"])
        sku = self.house.sku_of(arguments["p_variant_id"])
        if sku is None or GOODS[sku].parts is not None:
            raise RefusedError("not_found")
        quantity, options = Decimal(arguments["p_quantity"]), arguments["p_options"]
        tracking = GOODS[sku].tracking
        if ("serials" in options and tracking != "serial") or ("batch" in options and tracking != "batch"):
            raise RefusedError("invalid_input")
        if options.get("unit") == "ROL":
            if sku != "rug":
                raise RefusedError("unit_unknown")
            quantity *= ROLL
        serials = tuple(options["serials"]) if "serials" in options else None
        lot = options.get("batch")
        if tracking == "batch" and quantity > 0:
            if lot is None:
                raise RefusedError("batch_required")
            self.open_lot(sku, lot, options.get("expires_on"))
        else:
            self.known_lot(sku, lot)
        if quantity > 0:
            self.move([Move(sku, "adjustment", place, quantity, serials, lot)])
        else:
            self.move([Move(sku, place, "adjustment", -quantity, serials, lot)])

    def open_lot(self, sku: str, lot: str, expires_on: str | None) -> None:
        """A lot keeps the day that it was first known with."""
        day = None if expires_on is None else date.fromisoformat(expires_on)
        if (sku, lot) not in self.state.batches:
            self.state.batches[sku, lot] = day
        elif day is not None and day != self.state.batches[sku, lot]:
            raise RefusedError("batch_mismatch")

    def post_sale(self, call: Call) -> None:
        """A counter sale, paid in cash."""
        arguments = call.arguments
        branch = self._branch_of(arguments["p_branch_id"])
        self.authorize(call.who, "sale.create", branch)
        place = self.house.place_of(arguments["p_location_id"])
        if place is None or place[0] != branch or "." not in place:
            raise RefusedError("not_found")
        if place not in SELLABLE:
            raise RefusedError("location_not_sellable")
        lines, plain, sets = [], [], []
        for asked in arguments["p_lines"]:
            line = self.read_line(asked)
            lines.append(line)
            if not line.is_set:
                serials = asked.get("serials")
                plain.append((line, None if serials is None else tuple(serials), asked.get("batch")))
            else:
                sets.append((line, asked.get("serials")))
        moves = [
            Move(line.sku, place, "customer", line.base_quantity, serials, self.known_lot(line.sku, lot))
            for line, serials, lot in plain
        ]
        for line, serials in sets:
            moves.extend(self.set_moves(line.items, serials, place, "customer"))
        self.before_sale(call, place, moves)
        posted = self.move(moves, call.who)
        self.invoices[arguments["p_id"]] = Invoice(
            tuple(lines), tuple(part for parts in posted for part in parts)
        )

    def before_sale(self, call: Call, place: str, moves: list[Move]) -> None:
        """What a sale does before it takes the goods."""

    def set_moves(
        self, items: Iterable[tuple[str, Decimal]], serials: list[str] | None, source: str, target: str
    ) -> list[Move]:
        """The components of a set, each with those of the numbers that are its pieces and stand there."""
        moves, found = [], 0
        for sku, quantity in items:
            here = sorted(set(serials or ()) & set(self.state.serials_at(source, sku)))
            found += len(here)
            moves.append(Move(sku, source, target, quantity, tuple(here) or None))
        if serials is not None and len(serials) != found:
            raise RefusedError("serial_not_here")
        return moves

    def read_line(self, asked: dict[str, Any]) -> Line:
        sku = self.house.sku_of(asked["variant_id"])
        if sku is None:
            raise RefusedError("not_found")
        goods, quantity = GOODS[sku], Decimal(asked["quantity"])
        if asked.get("unit") not in (None, goods.unit) and (sku, asked["unit"]) != ("rug", "ROL"):
            raise RefusedError("unit_unknown")
        base = quantity * (ROLL if asked.get("unit") == "ROL" else 1)
        if goods.parts is not None:
            return Line(sku, quantity, base, True, tuple((part, n * base) for part, n in goods.parts.items()))
        if ("serials" in asked and goods.tracking != "serial") or (
            "batch" in asked and goods.tracking != "batch"
        ):
            raise RefusedError("invalid_input")
        return Line(sku, quantity, base, False, ((sku, base),))

    def return_goods(self, call: Call) -> None:
        """Goods of a sale that come back, as what they were taken from stock as."""
        arguments = call.arguments
        place = self.authorize_place(call.who, "sale.return", arguments["p_location_id"])
        invoice_id = arguments["p_invoice_id"]
        invoice = self.invoices.get(invoice_id)
        if invoice is None:
            raise RefusedError("not_found")
        lines, demand, named = list(invoice.lines), dict[str, Decimal](), list[str]()
        seen: set[int] = set()
        for asked in arguments["p_lines"]:
            if not 1 <= asked["line_no"] <= len(lines):
                raise RefusedError("not_found")
        for asked in arguments["p_lines"]:
            number, quantity = asked["line_no"] - 1, Decimal(asked["quantity"])
            line = lines[number]
            if number in seen or line.returned + quantity > line.quantity:
                raise RefusedError("return_exceeds_sale")
            seen.add(number)
            named.extend(asked.get("serials") or ())
            for sku, items in line.items:
                demand[sku] = demand.get(sku, ZERO) + items * quantity / line.quantity
            lines[number] = Line(
                line.sku, line.quantity, line.base_quantity, line.is_set, line.items, line.returned + quantity
            )
        left, moves = list(invoice.left), list[Move]()
        variants = self.house.variants
        for sku in sorted(demand, key=lambda sku: variants[sku]):
            moves.extend(self._come_back(left, sku, demand[sku], named, place))
        if named and len(named) != sum(len(move.serials or ()) for move in moves):
            raise RefusedError("serials_required")
        self.move(moves)
        self.invoices[invoice_id] = Invoice(tuple(lines), tuple(left))

    def _come_back(
        self, left: list[Move], sku: str, quantity: Decimal, named: list[str], place: str
    ) -> list[Move]:
        """The movements back of a variant; takes them off what is `left` of the sale."""
        lots = {move.lot for move in left if move.sku == sku}
        moves = []
        for lot in sorted(lots, key=lambda lot: LOTS.get(str(lot)) or date.max):
            sold = [move for move in left if (move.sku, move.lot) == (sku, lot)]
            part = min(quantity, sum((move.quantity for move in sold), ZERO))
            serials: tuple[str, ...] | None = None
            if sold[0].serials is not None:
                known = {serial for move in sold for serial in move.serials or ()}
                serials = tuple(sorted(known & set(named)))
                if len(serials) != part:
                    raise RefusedError("serials_required")
            moves.append(Move(sku, "customer", place, part, serials, lot))
            quantity -= part
            take_off(left, moves[-1])
            if quantity == 0:
                break
        return moves

    def _branch_of(self, branch_id: UUID) -> str | None:
        return next((code for code, known in self.house.branches.items() if known == branch_id), None)


def holds_stock(place: str) -> bool:
    """Suppliers, customers and adjustments are ends of movements, not shelves."""
    return "." in place or place == "transit"


def expired(lot: str) -> bool:
    """Has the lot's last day passed?"""
    day = LOTS[lot]
    return day is not None and day < LONG_AGO


def take_off(left: list[Move], back: Move) -> None:
    """Take what came back off the movements of the sale."""
    quantity = back.quantity
    for move in list(left):
        if (move.sku, move.lot) != (back.sku, back.lot) or quantity == 0:
            continue
        if move.serials is not None:
            kept = tuple(serial for serial in move.serials if serial not in (back.serials or ()))
            rest = Decimal(len(kept))
        else:
            kept, rest = (), move.quantity - min(quantity, move.quantity)
        quantity -= move.quantity - rest
        place = left.index(move)
        del left[place]
        if rest:
            left.insert(place, Move(move.sku, move.source, move.target, rest, kept or None, move.lot))
