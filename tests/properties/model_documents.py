"""The model's reservations and transfers."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.house import CLOCK, GOODS, PLACES, SELLABLE, Call
from tests.properties.model import Model, expired
from tests.properties.state import (
    ZERO,
    Item,
    Line,
    Move,
    RefusedError,
    Reservation,
    Transfer,
    TransferLine,
    summed,
)

KINDS = ("received", "damaged", "missing")


class Documents(Model):
    """Sales, adjustments and returns, with goods that are promised or on the road."""

    def core_acts(self) -> dict[str, Callable[[Call], None]]:
        """What each function does."""
        return super().core_acts() | {
            "reserve_stock": self.reserve_stock,
            "release_reservation": self.release_reservation,
            "lapse": self.lapse,
            "expire_reservations": self.expire_reservations,
            "create_transfer": self.create_transfer,
            "dispatch_transfer": self.dispatch_transfer,
            "receive_transfer": self.receive_transfer,
            "cancel_transfer": self.cancel_transfer,
        }

    def document_lines(self, lines: list[dict[str, Any]], *refused: str) -> list[Line]:
        """The lines of a stock document, read one after the other."""
        if any(field in line for line in lines for field in refused):
            raise RefusedError("invalid_input")
        read = []
        for asked in lines:
            read.append(self.read_line(asked))
            self.known_lot(read[-1].sku, asked.get("batch"))
        return read

    # Reservations --------------------------------------------------------------------------------

    def reserve_stock(self, call: Call) -> None:
        """Promise goods that stay on the shelf."""
        arguments = call.arguments
        place = self.authorize_place(call.who, "stock.reserve", arguments["p_location_id"])
        if place not in SELLABLE:
            raise RefusedError("location_not_sellable")
        lines = self.document_lines(arguments["p_lines"], "serials", "batch")
        wanted = Reservation(place, summed(item for line in lines for item in line.items))
        if self._short(wanted):
            self.make_room({place}, set(wanted.held))
            if self._short(wanted):
                raise RefusedError("insufficient_stock")
        for sku, quantity in wanted.held.items():
            self.state.change(place, sku, reserved=quantity)
        self.state.reservations[arguments["p_id"]] = wanted

    def _short(self, wanted: Reservation) -> bool:
        return any(self.promisable(wanted.place, sku) < n for sku, n in wanted.held.items())

    def promisable(self, place: str, sku: str) -> Decimal:
        """What nobody was promised and has not expired."""
        return self.state.level(place, sku).available - self.state.good(place, sku, expired)[1]

    def end(self, reservation_id: UUID, status: str) -> None:
        """Give back what it holds."""
        ended = self.state.reservations[reservation_id]
        for sku, quantity in ended.held.items():
            self.state.change(ended.place, sku, reserved=-quantity)
        self.state.reservations[reservation_id] = replace(ended, status=status, lapsed=False)

    def make_room(self, places: set[str], skus: set[str]) -> None:
        """Somebody is short: reservations that have lapsed give way, if they hold any of these there."""
        for reservation_id, held in list(self.state.reservations.items()):
            if held.status == "active" and held.lapsed and held.place in places and skus & set(held.held):
                self.end(reservation_id, "expired")

    def release_reservation(self, call: Call) -> None:
        """Give the goods back to everybody."""
        reservation_id = call.arguments["p_reservation_id"]
        held = self.state.reservations.get(reservation_id)
        self.authorize(call.who, "stock.reserve", None if held is None else held.place[0])
        assert held is not None
        if held.status != "active":
            raise RefusedError("invalid_transition")
        if held.ordered:
            raise RefusedError("reservation_of_order")
        self.end(reservation_id, "released")

    def before_sale(self, call: Call, place: str, moves: list[Move]) -> None:  # noqa: ARG002
        """A sale that a reservation was made for gives it back first."""
        reservation_id = call.arguments["p_options"].get("reservation_id")
        if reservation_id is not None:
            held = self.state.reservations.get(reservation_id)
            if held is None or held.place[0] != place[0]:
                raise RefusedError("not_found")
            if held.status != "active":
                raise RefusedError("invalid_transition")
            if held.ordered:
                raise RefusedError("reservation_of_order")
            self.end(reservation_id, "fulfilled")

    def lapse(self, call: Call) -> None:
        """Time passes."""
        assert call.who == CLOCK
        reservation_id = call.arguments["reservation_id"]
        self.state.reservations[reservation_id] = replace(
            self.state.reservations[reservation_id], lapsed=True
        )

    def expire_reservations(self, call: Call) -> None:
        """The job comes round."""
        assert call.who == CLOCK
        for reservation_id, held in list(self.state.reservations.items()):
            if held.status == "active" and held.lapsed:
                self.end(reservation_id, "expired")

    # Transfers -----------------------------------------------------------------------------------

    def create_transfer(self, call: Call) -> None:
        """A draft, or, within a branch, goods that change their place at once."""
        arguments = call.arguments
        source = self.authorize_place(call.who, "transfer.manage", arguments["p_from_location_id"])
        target = self.house.place_of(arguments["p_to_location_id"])
        at_once = arguments["p_options"].get("immediate", False)
        if target not in PLACES:
            raise RefusedError("not_found")
        if target == source or (at_once and target[0] != source[0]):
            raise RefusedError("invalid_input")
        read = self.document_lines(arguments["p_lines"])
        lines = tuple(
            TransferLine(
                line.sku, tuple(asked["serials"]) if "serials" in asked else None, asked.get("batch")
            )
            for line, asked in zip(read, arguments["p_lines"], strict=True)
        )
        items = tuple(
            Item(number, sku, quantity)
            for number, line in enumerate(read, start=1)
            for sku, quantity in line.items
        )
        self.state.transfers[arguments["p_id"]] = Transfer(source, target, lines, items)
        if at_once:
            self._ship(arguments["p_id"], {})
            self._settle(arguments["p_id"], None, None)

    def transfer(self, call: Call, permission: str, end: str) -> Transfer:
        """The transfer, when he may act on it at the branch of its `end`."""
        found = self.state.transfers.get(call.arguments["p_transfer_id"])
        self.authorize(call.who, permission, None if found is None else getattr(found, end)[0])
        assert found is not None
        return found

    def dispatch_transfer(self, call: Call) -> None:
        """The goods leave for the road."""
        found = self.transfer(call, "transfer.manage", "source")
        if found.status != "draft":
            raise RefusedError("invalid_transition")
        named: dict[int, dict[str, Any]] = {}
        for asked in call.arguments["p_lines"] or []:
            if not 1 <= asked["line_no"] <= len(found.lines):
                raise RefusedError("not_found")
            sku = found.lines[asked["line_no"] - 1].sku
            goods = GOODS[sku]
            if ("serials" in asked and goods.parts is None and goods.tracking != "serial") or (
                "batch" in asked and goods.tracking != "batch"
            ):
                raise RefusedError("invalid_input")
            self.known_lot(sku, asked.get("batch"))
            named[asked["line_no"]] = asked
        self._ship(call.arguments["p_transfer_id"], named)

    def _ship(self, transfer_id: UUID, named: dict[int, dict[str, Any]]) -> None:
        found = self.state.transfers[transfer_id]
        moves: list[tuple[Item, Move]] = []
        for number, line in enumerate(found.lines, start=1):
            asked = named.get(number, {})
            serials = asked.get("serials", line.serials)
            moves.extend(self._leaving(found, number, serials, asked.get("batch", line.lot)))
        # Named lots first: the rest then takes what expires first of what they left.
        order = sorted(range(len(moves)), key=lambda place: moves[place][1].lot is None)
        posted = self.move([moves[place][1] for place in order])
        parts = dict(zip(order, posted, strict=True))
        items = [
            replace(
                moves[place][0],
                quantity=part.quantity,
                lot=part.lot,
                serials=None if part.serials is None else frozenset(part.serials),
            )
            for place in range(len(moves))
            for part in parts[place]
        ]
        for item in items:
            self.state.change(found.target, item.sku, incoming=item.quantity, in_transit=item.quantity)
        self.state.transfers[transfer_id] = replace(found, status="dispatched", items=tuple(items))

    def _leaving(
        self, found: Transfer, number: int, serials: list[str] | None, lot: str | None
    ) -> list[tuple[Item, Move]]:
        items = [item for item in found.items if item.line_no == number]
        if GOODS[found.lines[number - 1].sku].parts is None:
            (item,) = items
            named = None if serials is None else tuple(serials)
            return [(item, Move(item.sku, found.source, "transit", item.quantity, named, lot))]
        components = [(item.sku, item.quantity) for item in items]
        moves = self.set_moves(
            components, None if serials is None else list(serials), found.source, "transit"
        )
        return list(zip(items, moves, strict=True))

    def receive_transfer(self, call: Call) -> None:
        """Goods arrive, well or damaged, or do not."""
        found = self.transfer(call, "transfer.receive", "target")
        if found.status not in {"dispatched", "partially_received"}:
            raise RefusedError("invalid_transition")
        quarantine = None
        if "quarantine_location_id" in call.arguments["p_options"]:
            quarantine = self.house.place_of(UUID(call.arguments["p_options"]["quarantine_location_id"]))
            if quarantine != f"{found.target[0]}.hold":
                raise RefusedError("not_found")
        self._settle(call.arguments["p_transfer_id"], call.arguments["p_lines"], quarantine)

    def _settle(self, transfer_id: UUID, lines: list[dict[str, Any]] | None, quarantine: str | None) -> None:
        found = self.state.transfers[transfer_id]
        if lines is None:
            lines = [{"item_no": n, "received": i.open} for n, i in enumerate(found.items, start=1) if i.open]
        targets = dict(zip(KINDS, (found.target, quarantine or "adjustment", "adjustment"), strict=True))
        items, moves = list(found.items), list[tuple[int, Move]]()
        for line in lines:
            number = line["item_no"]
            if not 1 <= number <= len(items):
                raise RefusedError("not_found")
            item = items[number - 1]
            counted = {kind: Decimal(line.get(kind, 0)) for kind in KINDS}
            if "serials" in line and item.serials is None:
                raise RefusedError("invalid_input")
            if sum(counted.values()) > item.open:
                raise RefusedError("receipt_exceeds_transfer")
            pieces = {} if item.serials is None else _pieces(item, counted, line.get("serials", {}))
            for kind, quantity in counted.items():
                if quantity:
                    named = tuple(sorted(pieces[kind])) if kind in pieces else None
                    move = Move(item.sku, "transit", targets[kind], quantity, named, item.lot)
                    moves.append((number, move))
            items[number - 1] = replace(
                item,
                settled=item.settled.union(*pieces.values()),
                **{kind: getattr(item, kind) + quantity for kind, quantity in counted.items()},
            )
        self.leave_transit(found, [move for _, move in sorted(moves, key=lambda entry: entry[0])])
        rest = sum((item.open for item in items), ZERO)
        status = "partially_received" if rest else "received"
        self.state.transfers[transfer_id] = replace(found, items=tuple(items), status=status)

    def leave_transit(self, found: Transfer, moves: list[Move]) -> None:
        """Goods leave the road, and the destination expects them no longer."""
        self.move(moves)
        for move in moves:
            self.state.change(found.target, move.sku, incoming=-move.quantity, in_transit=-move.quantity)

    def cancel_transfer(self, call: Call) -> None:
        """Called off; what was on the road goes back."""
        found = self.transfer(call, "transfer.manage", "source")
        if found.status not in {"draft", "dispatched"}:
            raise RefusedError("invalid_transition")
        if found.status == "dispatched":
            self.leave_transit(
                found,
                [
                    Move(
                        item.sku,
                        "transit",
                        found.source,
                        item.quantity,
                        None if item.serials is None else tuple(sorted(item.serials)),
                        item.lot,
                    )
                    for item in found.items
                ],
            )
        self.state.transfers[call.arguments["p_transfer_id"]] = replace(found, status="cancelled")


def _pieces(item: Item, counted: dict[str, Decimal], named: dict[str, list[str]]) -> dict[str, set[str]]:
    """Which pieces each kind of arrival means; one kind may stay unnamed when it is all the rest."""
    assert item.serials is not None
    left, pieces = set(item.serials - item.settled), dict[str, set[str]]()
    unnamed = [kind for kind in KINDS if counted[kind] and not named.get(kind)]
    unclear = len(unnamed) > 1
    for kind in KINDS:
        if kind not in unnamed:
            pieces[kind] = set(named.get(kind, ()))
            unclear = unclear or len(pieces[kind]) != counted[kind]
            if not pieces[kind] <= left:
                raise RefusedError("serial_not_here")
            left -= pieces[kind]
    if unclear or (unnamed and len(left) != counted[unnamed[0]]):
        raise RefusedError("serials_required")
    return pieces | ({unnamed[0]: left} if unnamed else {})
