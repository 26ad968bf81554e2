"""The model's counts: what was counted, against the book at that moment."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.house import GOODS, LOTS, ROLL, Call, House
from tests.properties.model_documents import Documents
from tests.properties.state import ZERO, Count, CountLine, Entry, Move, RefusedError

STEPS = {
    "submitted": {"counting"},
    "counting": {"submitted", "approved"},
    "approved": {"submitted"},
    "posted": {"approved"},
    "cancelled": {"counting", "submitted", "approved"},
}


class Everything(Documents):
    """All stock acts.

    Attributes:
        entry_ids: the ids that the database gave to entries: count, and place among its entries.
    """

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.entry_ids: dict[UUID, tuple[UUID, int]] = {}

    def core_acts(self) -> dict[str, Callable[[Call], None]]:
        """What each function does."""
        return super().core_acts() | {
            "start_count": self.start_count,
            "record_count": self.record_count,
            "void_count_entry": self.void_count_entry,
            "submit_count": self.submit_count,
            "recount": self.recount,
            "approve_count": self.approve_count,
            "post_count": self.post_count,
            "cancel_count": self.cancel_count,
        }

    def start_count(self, call: Call) -> None:
        """A list of what the book has."""
        arguments = call.arguments
        place = self.authorize_place(call.who, "count.manage", arguments["p_location_id"])
        asked = arguments["p_options"].get("variant_ids")
        if (arguments["p_kind"] == "cycle") != (asked is not None):
            raise RefusedError("invalid_input")
        scope = None if asked is None else {self.house.sku_of(UUID(variant)) for variant in asked}
        if scope is not None and any(sku is not None and GOODS[sku].parts for sku in scope):
            raise RefusedError("not_stocked")
        lines = list[CountLine]()
        for sku in sorted(GOODS):
            if scope is not None and sku not in scope:
                continue
            if GOODS[sku].tracking == "batch":
                here = [lot for at, what, lot in self.state.lots if (at, what) == (place, sku)]
                lines.extend(CountLine(sku, lot) for lot in sorted(here, key=_lot_order))
            elif self.state.level(place, sku).on_hand > 0 or (scope is not None and not GOODS[sku].parts):
                lines.append(CountLine(sku, None))
        if not lines and scope is not None:
            raise RefusedError("nothing_to_count")
        self._refuse_overlap(place, None, {line.sku for line in lines})
        self.state.counts[arguments["p_id"]] = Count(place, "counting", tuple(lines))

    def _refuse_overlap(self, place: str, own: UUID | None, skus: set[str]) -> None:
        for key, other in self.state.counts.items():
            if (
                key != own
                and other.open
                and other.place == place
                and skus & {line.sku for line in other.lines}
            ):
                raise RefusedError("count_overlaps")

    def count(self, call: Call, permission: str, count_id: UUID | None = None) -> Count:
        """The count, when he may act on it."""
        found = self.state.counts.get(count_id or call.arguments["p_count_id"])
        self.authorize(call.who, permission, None if found is None else found.place[0])
        assert found is not None
        return found

    def step(self, call: Call, permission: str, status: str) -> Count:
        """The count, when it may take this step."""
        found = self.count(call, permission)
        if found.status not in STEPS[status]:
            raise RefusedError("invalid_transition")
        return replace(found, status=status)

    def record_count(self, call: Call) -> None:
        """Somebody counts something; entries add up."""
        found, count_id = self.count(call, "count.record"), call.arguments["p_count_id"]
        read = [self._read_entry(asked) for asked in call.arguments["p_lines"]]
        if found.status != "counting":
            raise RefusedError("count_closed")
        for sku, _, _, lot, expires_on in read:
            if lot is not None:
                self.open_lot(sku, lot, expires_on)
        lines = list(found.lines)
        new = [
            (sku, lot)
            for sku, _, _, lot, _ in read
            if not any((line.sku, line.lot) == (sku, lot) for line in lines)
        ]
        if new:
            self._refuse_overlap(found.place, count_id, {sku for sku, _ in new})
        lines.extend(CountLine(sku, lot) for sku, lot in dict.fromkeys(new))
        entries = list(found.entries)
        for sku, quantity, serials, lot, _ in read:
            number = next(n for n, line in enumerate(lines, 1) if (line.sku, line.lot) == (sku, lot))
            here = frozenset(self.state.serials_at(found.place, sku))
            book = self._book(found.place, sku, lot)
            moved = self._moved(sku, here | serials)
            entries.append((number, Entry(quantity, serials, book, serials - here, here, moved=moved)))
        self.state.counts[count_id] = _refigured(
            replace(found, lines=tuple(lines), entries=tuple(entries)), range(len(lines))
        )

    def _moved(self, sku: str, serials: Iterable[str]) -> dict[str, int]:
        return {serial: self.state.moved.get((sku, serial), 0) for serial in serials}

    def _book(self, place: str, sku: str, lot: str | None) -> Decimal:
        return (
            self.state.level(place, sku).on_hand
            if lot is None
            else self.state.lots.get((place, sku, lot), ZERO)
        )

    def _read_entry(
        self, asked: dict[str, Any]
    ) -> tuple[str, Decimal, frozenset[str], str | None, str | None]:
        sku = self.house.sku_of(asked["variant_id"])
        if sku is None:
            raise RefusedError("not_found")
        goods, quantity = GOODS[sku], Decimal(asked["quantity"])
        if goods.parts is not None:
            raise RefusedError("not_stocked")
        quantity *= ROLL if asked.get("unit") == "ROL" else 1
        if ("serials" in asked and goods.tracking != "serial") or (
            "batch" in asked and goods.tracking != "batch"
        ):
            raise RefusedError("invalid_input")
        serials = frozenset(asked.get("serials", ()))
        if goods.tracking == "serial" and len(serials) != quantity:
            raise RefusedError("serials_required")
        if goods.tracking == "batch" and "batch" not in asked:
            raise RefusedError("batch_required")
        return sku, quantity, serials, asked.get("batch"), asked.get("expires_on")

    def void_count_entry(self, call: Call) -> None:
        """An entry that counts no more."""
        count_id, place = self.entry_ids.get(call.arguments["p_entry_id"], (None, 0))
        found = self.count(call, "count.record", count_id or call.arguments["p_entry_id"])
        if found.status != "counting":
            raise RefusedError("count_closed")
        assert count_id is not None
        self.state.counts[count_id] = _voided(found, {place})

    def submit_count(self, call: Call) -> None:
        """The counting ends; what nobody counted is gone, or left alone."""
        found = self.step(call, "count.manage", "submitted")
        uncounted = call.arguments["p_options"].get("uncounted")
        lines = list(found.lines)
        for place, line in enumerate(lines):
            if line.counted is not None:
                continue
            if uncounted is None:
                raise RefusedError("count_incomplete")
            if uncounted == "zero":
                lines[place] = self._gone(found.place, line)
        self.state.counts[call.arguments["p_count_id"]] = replace(found, lines=tuple(lines))

    def _gone(self, place: str, line: CountLine) -> CountLine:
        taken = replace(line, counted=ZERO, variance=-self._book(place, line.sku, line.lot))
        if GOODS[line.sku].tracking != "serial":
            return taken
        here = frozenset(self.state.serials_at(place, line.sku))
        return replace(taken, missing=here, found=frozenset(), moved=self._moved(line.sku, here))

    def recount(self, call: Call) -> None:
        """Some of it is counted again."""
        found = self.step(call, "count.manage", "counting")
        asked = call.arguments["p_variant_ids"]
        skus = None if asked is None else {self.house.sku_of(variant) for variant in asked}
        if skus is not None and not skus <= {line.sku for line in found.lines}:
            raise RefusedError("not_found")
        again = {
            number
            for number, line in enumerate(found.lines, start=1)
            if skus is None
            or line.sku in skus
            or not any(n == number and not e.voided for n, e in found.entries)
        }
        voided = {place for place, (number, _) in enumerate(found.entries) if number in again}
        self.state.counts[call.arguments["p_count_id"]] = _refigured(
            _voided(found, voided), (n - 1 for n in again)
        )

    def approve_count(self, call: Call) -> None:
        """The differences are accepted."""
        self.state.counts[call.arguments["p_count_id"]] = self.step(call, "count.approve", "approved")

    def cancel_count(self, call: Call) -> None:
        """The count is given up."""
        self.state.counts[call.arguments["p_count_id"]] = self.step(call, "count.manage", "cancelled")

    def post_count(self, call: Call) -> None:
        """The differences become movements."""
        found = self.step(call, "count.approve", "posted")
        self.move([move for line in found.lines for move in self._differences(found.place, line)])
        self.state.counts[call.arguments["p_count_id"]] = found

    def _differences(self, place: str, line: CountLine) -> Iterable[Move]:
        if line.missing is None:
            if line.variance:
                ends = ("adjustment", place) if line.variance > 0 else (place, "adjustment")
                yield Move(line.sku, *ends, abs(line.variance), None, line.lot)
            return
        here = set(self.state.serials_at(place, line.sku))
        still = {s for s, times in line.moved.items() if self.state.moved.get((line.sku, s), 0) == times}
        gone, new = line.missing & here & still, ((line.found or frozenset()) - here) & still
        for serials, ends in ((gone, (place, "adjustment")), (new, ("adjustment", place))):
            if serials:
                yield Move(line.sku, *ends, Decimal(len(serials)), tuple(sorted(serials)))


def _lot_order(lot: str) -> tuple[date, str]:
    return LOTS[lot] or date.max, lot


def _voided(found: Count, places: set[int]) -> Count:
    """The count without these entries."""
    entries = tuple(
        (number, replace(entry, voided=entry.voided or place in places))
        for place, (number, entry) in enumerate(found.entries)
    )
    touched = {found.entries[place][0] - 1 for place in places if not found.entries[place][1].voided}
    return _refigured(replace(found, entries=entries), touched)


def _refigured(found: Count, places: Iterable[int]) -> Count:
    """What the entries of these lines come to."""
    lines = list(found.lines)
    for place in places:
        live = [entry for number, entry in found.entries if number == place + 1 and not entry.voided]
        lines[place] = _figured(lines[place], live)
    return replace(found, lines=tuple(lines))


def _figured(line: CountLine, live: list[Entry]) -> CountLine:
    if not live:
        return CountLine(line.sku, line.lot)
    if GOODS[line.sku].tracking != "serial":
        counted = sum((entry.quantity for entry in live), ZERO)
        return replace(line, counted=counted, variance=counted - live[-1].book)
    seen = frozenset[str]().union(*(entry.serials for entry in live))
    found = frozenset(s for s in seen if all(s in entry.found for entry in live if s in entry.serials))
    missing = frozenset.intersection(*(entry.here for entry in live)) - seen
    moved = {s: live[0].moved[s] for s in missing}
    for entry in live:
        moved |= {s: entry.moved[s] for s in found & entry.serials}
    return replace(
        line,
        counted=Decimal(len(seen)),
        variance=Decimal(len(found) - len(missing)),
        missing=missing,
        found=found,
        moved=moved,
    )
