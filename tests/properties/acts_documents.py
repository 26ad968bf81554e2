"""Random acts on reservations and transfers."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.acts import Acts
from tests.properties.house import CLOCK, GOODS, PLACES, SELLABLE, Call
from tests.properties.model_documents import KINDS
from tests.properties.state import Item


class DocumentActs(Acts):
    """Makes up calls about goods that are promised or on the road."""

    @property
    def all(self) -> dict[Callable[[], Call | None], int]:
        """Every kind of act, and how often it comes."""
        return super().all | {
            self.reserve: 4,
            self.release: 1,
            self.sell_reserved: 2,
            self.lapse: 2,
            self.expire: 1,
            self.draft: 4,
            self.dispatch: 4,
            self.receive: 6,
            self.cancel: 1,
        }

    def some(self, ids: Iterable[UUID], preferred: Iterable[UUID]) -> UUID | None:
        """One of the preferred, now and then any, very rarely one that nobody knows."""
        every, good = list(ids), list(preferred)
        if self.once_in(40):
            return self.id()
        if good and not self.once_in(10):
            return self.pick(good)
        return self.pick(every) if every and self.once_in(8) else None

    # Reservations --------------------------------------------------------------------------------

    def reserve(self) -> Call:
        """Promise some goods."""
        place = self.pick(SELLABLE) if not self.once_in(15) else self.pick(list(PLACES))
        lines = []
        for sku in self.basket(place, self.pick((1, 1, 2))):
            line = self.line(place, sku, sold=False)
            if not self.once_in(15):
                line = {key: line[key] for key in ("variant_id", "quantity")}
            lines.append(line)
        letter = place[0].lower()
        return Call(
            self.who("admin", f"cashier_{letter}", f"keeper_{letter}"),
            "reserve_stock",
            {"p_id": self.id(), "p_location_id": self.house.places[place], "p_lines": lines},
        )

    def _active(self) -> list[UUID]:
        return [key for key, held in self.model.state.reservations.items() if held.status == "active"]

    def release(self) -> Call | None:
        """Give a reservation back."""
        chosen = self.some(self.model.state.reservations, self._active())
        if chosen is None:
            return None
        arguments = {"p_id": self.id(), "p_reservation_id": chosen}
        return Call(self.who("admin", "cashier_a", "cashier_b"), "release_reservation", arguments)

    def sell_reserved(self) -> Call | None:
        """Sell what was promised: all of it, less or more."""
        chosen = self.some(self.model.state.reservations, self._active())
        if chosen is None:
            return None
        held = self.model.state.reservations.get(chosen)
        if held is None or self.once_in(6):
            return self.sell(reservation_id=chosen)
        lines = []
        for sku, quantity in held.held.items():
            line: dict[str, Any] = {"variant_id": self.house.variants[sku], "quantity": quantity}
            if GOODS[sku].tracking == "serial":
                line["serials"] = self.serials(held.place, sku, int(quantity))
            lines.append(line)
        return self.sale(held.place, lines, reservation_id=chosen)

    def lapse(self) -> Call | None:
        """The time of a reservation passes."""
        active = [key for key in self._active() if not self.model.state.reservations[key].lapsed]
        if not active:
            return None
        return Call(CLOCK, "lapse", {"p_id": self.id(), "reservation_id": self.pick(active)})

    def expire(self) -> Call:
        """The job comes round."""
        return Call(CLOCK, "expire_reservations", {"p_id": self.id()})

    # Transfers -----------------------------------------------------------------------------------

    def draft(self) -> Call:
        """Plan to carry goods, or carry them across the branch at once."""
        source, target = self.pick(list(PLACES)), self.pick(list(PLACES))
        if source == target and not self.once_in(20):
            target = "B.store" if source == "A.shop" else "A.shop"
        lines = []
        for sku in self.basket(source, self.pick((1, 2, 2, 3))):
            line = self.line(source, sku)
            if self.once_in(4):
                line.pop("serials", None)
            lines.append(line)
        at_once = self.once_in(4 if source[0] == target[0] else 20)
        return Call(
            self.who("admin", f"keeper_{source[0].lower()}"),
            "create_transfer",
            {
                "p_id": self.id(),
                "p_from_location_id": self.house.places[source],
                "p_to_location_id": self.house.places["customer" if self.once_in(40) else target],
                "p_lines": lines,
                "p_options": {"immediate": True} if at_once else {},
            },
        )

    def _transfer(self, *statuses: str) -> UUID | None:
        known = self.model.state.transfers
        return self.some(known, [key for key, found in known.items() if found.status in statuses])

    def dispatch(self) -> Call | None:
        """Send a draft off, naming pieces and lots as far as they are asked for."""
        chosen = self._transfer("draft")
        if chosen is None:
            return None
        found, lines = self.model.state.transfers.get(chosen), []
        for number, line in enumerate(found.lines if found else (), start=1):
            assert found is not None
            items = [item for item in found.items if item.line_no == number]
            numbered = [item for item in items if GOODS[item.sku].tracking == "serial"]
            if numbered and not self.once_in(3):
                serials = [s for i in numbered for s in self.serials(found.source, i.sku, int(i.quantity))]
                lines.append({"line_no": number, "serials": serials})
            elif GOODS[line.sku].tracking == "batch" and self.once_in(4):
                lines.append({"line_no": number, "batch": self.pick(("OLD", "SOON", "LATE", "EVER"))})
        if self.once_in(40):
            lines.append({"line_no": 9, "serials": ["P1"]})
        return Call(
            self.who("admin", f"keeper_{found.source[0].lower() if found else 'a'}"),
            "dispatch_transfer",
            {"p_id": self.id(), "p_transfer_id": chosen, "p_lines": lines or None},
        )

    def receive(self) -> Call | None:
        """Something arrives: all of it, or a part, with what is damaged or missing."""
        chosen = self._transfer("dispatched", "partially_received")
        if chosen is None:
            return None
        found = self.model.state.transfers.get(chosen)
        lines: list[dict[str, Any]] | None = None
        if found is not None and not self.once_in(4):
            lines = [
                self._arrival(number, item)
                for number, item in enumerate(found.items, start=1)
                if item.open > 0 and not self.once_in(3)
            ] or None
        branch = found.target[0] if found else "A"
        options = {}
        if self.once_in(2):
            hold = f"{branch}.hold" if not self.once_in(12) else self.pick(list(PLACES))
            options["quarantine_location_id"] = str(self.house.places[hold])
        letter = branch.lower()
        return Call(
            self.who("admin", f"keeper_{letter}", f"cashier_{letter}"),
            "receive_transfer",
            {"p_id": self.id(), "p_transfer_id": chosen, "p_lines": lines, "p_options": options},
        )

    def _arrival(self, number: int, item: Item) -> dict[str, Any]:
        left = item.open + (1 if self.once_in(20) else 0)
        line: dict[str, Any] = {"item_no": number if not self.once_in(40) else 99}
        for kind in KINDS:
            counted = Decimal(self.chance.randint(0, int(left)))
            if kind == "received" and self.once_in(2):
                counted = left
            if counted:
                line[kind] = counted
            left -= counted
        if len(line) == 1:
            line["received"] = min(item.open, Decimal(1))
        if item.serials is not None and not self.once_in(3):
            free = sorted(item.serials - item.settled)
            if self.once_in(15):
                free = sorted(item.serials)
            line["serials"] = {}
            for kind in KINDS:
                count = int(line.get(kind, 0))
                line["serials"][kind], free = free[:count], free[count:]
        return line

    def cancel(self) -> Call | None:
        """Call a transfer off."""
        chosen = self._transfer("draft", "dispatched")
        if chosen is None:
            return None
        arguments = {"p_id": self.id(), "p_transfer_id": chosen, "p_reason": "No van"}
        return Call(self.who("admin", "keeper_a", "keeper_b"), "cancel_transfer", arguments)
