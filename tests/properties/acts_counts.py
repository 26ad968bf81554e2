"""Random acts on counts."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.acts_documents import DocumentActs
from tests.properties.house import GOODS, LOTS, PLACES, STOCKED, Call
from tests.properties.model_counts import Everything
from tests.properties.state import Count


class AllActs(DocumentActs):
    """Makes up calls about everything."""

    model: Everything

    @property
    def all(self) -> dict[Callable[[], Call | None], int]:
        """Every kind of act, and how often it comes."""
        return super().all | {
            self.start: 2,
            self.record: 5,
            self.void: 1,
            self.submit: 2,
            self.count_again: 1,
            self.approve: 2,
            self.post: 2,
            self.give_up: 1,
        }

    def start(self) -> Call:
        """Count a place, or some goods there."""
        place = self.pick(list(PLACES))
        options: dict[str, Any] = {}
        if not self.once_in(4):
            skus = self.chance.sample(STOCKED if not self.once_in(20) else list(GOODS), self.pick((1, 2, 3)))
            options["variant_ids"] = [str(self.house.variants[sku]) for sku in skus]
        return Call(
            self.who("admin", f"keeper_{place[0].lower()}"),
            "start_count",
            {
                "p_id": self.id(),
                "p_location_id": self.house.places[place],
                "p_kind": "cycle" if options else "full",
                "p_options": options,
            },
        )

    def _count(self, *statuses: str) -> tuple[UUID, Count | None, str] | None:
        """A count, and the letter of its branch."""
        known = self.model.state.counts
        chosen = self.some(known, [key for key, found in known.items() if found.status in statuses])
        if chosen is None:
            return None
        found = known.get(chosen)
        return chosen, found, "a" if found is None else found.place[0].lower()

    def record(self) -> Call | None:
        """Enter what was seen: often what the book says, sometimes more, less or something else."""
        chosen = self._count("counting")
        if chosen is None:
            return None
        count_id, found, letter = chosen
        listed = [(line.sku, line.lot) for line in found.lines if line.counted is None] if found else []
        if not listed or self.once_in(5):
            listed.append((self.pick(STOCKED if not self.once_in(15) else list(GOODS)), None))
        lines = [self._seen(found, *each) for each in self.chance.sample(listed, min(len(listed), 3))]
        who = self.who("admin", f"keeper_{letter}", f"cashier_{letter}")
        return Call(who, "record_count", {"p_id": self.id(), "p_count_id": count_id, "p_lines": lines})

    def _seen(self, found: Count | None, sku: str, lot: str | None) -> dict[str, Any]:
        place = found.place if found else "A.shop"
        line: dict[str, Any] = {"variant_id": self.house.variants[sku]}
        book = self.model.state.level(place, sku).on_hand
        if GOODS[sku].tracking == "batch" and not self.once_in(12):
            lot = lot or self.pick(list(LOTS))
            line["batch"] = lot
            book = self.model.state.lots.get((place, sku, lot), Decimal(0))
            day = LOTS[lot]
            if day is not None and self.once_in(2):
                line["expires_on"] = "2077-07-07" if self.once_in(15) else day.isoformat()
        quantity = max(Decimal(0), book + self.pick((0, 0, 0, -1, -1, 1)))
        if GOODS[sku].tracking == "serial":
            seen = set(self.model.state.serials_at(place, sku))
            if self.once_in(2):
                seen ^= {f"{sku[0].upper()}{self.chance.randint(1, 12)}"}
            quantity = Decimal(len(seen))
            if seen and not self.once_in(15):
                line["serials"] = sorted(seen)
        return line | {"quantity": quantity}

    def void(self) -> Call | None:
        """Take an entry back."""
        entries = list(self.model.entry_ids)
        if not entries:
            return None
        entry = self.pick(entries) if not self.once_in(20) else self.id()
        who = self.who("admin", "keeper_a", "keeper_b", "technician_b")
        return Call(who, "void_count_entry", {"p_id": self.id(), "p_entry_id": entry})

    def _step(self, function: str, who: tuple[str, ...], *statuses: str, **more: Any) -> Call | None:
        chosen = self._count(*statuses)
        if chosen is None:
            return None
        count_id, _, letter = chosen
        people = [name.format(letter) for name in who]
        return Call(self.who(*people), function, {"p_id": self.id(), "p_count_id": count_id, **more})

    def submit(self) -> Call | None:
        """The counting ends."""
        uncounted = self.pick(("zero", "skip", "skip", None))
        options = {} if uncounted is None else {"uncounted": uncounted}
        return self._step("submit_count", ("admin", "keeper_{}"), "counting", p_options=options)

    def count_again(self) -> Call | None:
        """Some of it is counted again."""
        chosen = self._count("submitted", "approved")
        if chosen is None:
            return None
        count_id, found, letter = chosen
        skus = sorted({line.sku for line in found.lines}) if found else []
        again: list[UUID] | None = None
        if skus and self.once_in(2):
            again = [self.house.variants[self.pick(skus) if not self.once_in(15) else self.pick(STOCKED)]]
        arguments = {"p_id": self.id(), "p_count_id": count_id, "p_variant_ids": again}
        return Call(self.who("admin", f"keeper_{letter}"), "recount", arguments)

    def approve(self) -> Call | None:
        """The differences are accepted."""
        return self._step("approve_count", ("admin", "admin", "keeper_{}"), "submitted")

    def post(self) -> Call | None:
        """The differences become movements."""
        return self._step("post_count", ("admin", "admin", "keeper_{}"), "approved")

    def give_up(self) -> Call | None:
        """The count is given up."""
        return self._step("cancel_count", ("admin", "keeper_{}"), "counting", "submitted")
