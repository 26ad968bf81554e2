"""For any interleaving of sales, arrivals and entries, a counter who counts truthfully finds what is true."""

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.sales import adjust, line, on_hand, sell
from tests.database.stock.counting import enter, figures, post, start, void
from tests.support.world import People

# Part by part of a shelf: what he counts next, what is sold where he was not yet or was, what arrives.
steps = st.lists(
    st.tuples(
        st.sampled_from(["enter", "sell uncounted", "sell counted", "arrive", "miscount"]), st.integers(1, 6)
    ),
    max_size=10,
)


@dataclass
class Shelf:
    """One variant as it really lies there, the book beside it, and the one person who counts it."""

    people: People
    variant: UUID
    count: UUID
    book: int
    uncounted: int
    counted: int = 0
    entries: list[str] = field(default_factory=list)

    def enter(self, size: int) -> None:
        """Count the next part."""
        part = min(size, self.uncounted)
        self.entries.append(enter(self.people.as_cashier(), self.count, self.variant, part))
        self.uncounted, self.counted = self.uncounted - part, self.counted + part

    def sell(self, size: int, counted: bool) -> None:
        """Sell off the part that is counted, or the other. The first makes him count it all anew."""
        taken = min(size, self.counted if counted else self.uncounted, self.book)
        if not taken:
            return
        sell(self.people.as_cashier(), self.people.world.blr, line(self.variant, taken))
        self.book -= taken
        if not counted:
            self.uncounted -= taken
            return
        for entry in self.entries:
            void(self.people.as_technician(), entry)
        self.entries, self.uncounted, self.counted = [], self.uncounted + self.counted - taken, 0

    def arrive(self, size: int) -> None:
        """Put what comes in where he has not been yet."""
        adjust(self.people, self.variant, size)
        self.book, self.uncounted = self.book + size, self.uncounted + size

    def act(self, act: str, size: int) -> None:
        """One step of whoever it is."""
        if act == "enter":
            self.enter(size)
        elif act == "arrive":
            self.arrive(size)
        elif act == "miscount":
            void(
                self.people.as_cashier(), enter(self.people.as_cashier(), self.count, self.variant, size * 9)
            )
        else:
            self.sell(size, act == "sell counted")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=st.integers(6, 15), truth=st.integers(0, 20), acts=steps, late=st.integers(0, 3))
def test_the_variance_is_the_true_one(
    people: People, shown: int, truth: int, acts: list[tuple[str, int]], late: int
) -> None:
    """What really lies there less the book: sales and arrivals change both, in whatever order they come."""
    world, lamp = people.world, people.world.teak.variants["lamp"]
    with people.connection.transaction(force_rollback=True):
        if shown != 10:
            adjust(people, lamp, shown - 10)
        shelf = Shelf(people, lamp, start(people, lamp), shown, truth)
        for act in acts:
            shelf.act(*act)
        shelf.enter(shelf.uncounted)
        seen = figures(people, shelf.count)["LAMP"]
        assert (seen["variance"], seen["expected_at_count"]) == (truth - shown, shelf.book)
        late = min(late, shelf.book, shelf.counted)
        if late:
            sell(people.as_cashier(), world.blr, line(lamp, late))
        really = shelf.counted - late
        post(people, shelf.count)
        assert on_hand(people.connection, world.blr.showroom, lamp) == really
        assert people.as_admin().rpc("check_stock", p_org_id=world.teak.id) == []


pieces = st.sets(st.sampled_from([f"BLR-{n}" for n in (1, 2, 3)] + [f"NEW-{n}" for n in (1, 2)]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    really=pieces, acts=st.lists(st.tuples(st.sampled_from(["scan", "sell"]), st.integers(0, 4)), max_size=8)
)
def test_pieces_are_true_one_by_one(people: People, really: set[str], acts: list[tuple[str, int]]) -> None:
    """After posting, the book has exactly the pieces that lie there, whenever which was scanned or sold."""
    world, phone = people.world, people.world.teak.variants["phone"]
    with people.connection.transaction(force_rollback=True):
        count, there, book = start(people, phone), set(really), {"BLR-1", "BLR-2", "BLR-3"}
        for act, place in acts:
            serials = sorted(there if act == "scan" else there & book)
            if not serials:
                continue
            serial = serials[place % len(serials)]
            if act == "scan":
                enter(people.as_cashier(), count, phone, 1, serials=[serial])
            else:
                sell(people.as_cashier(), world.blr, line(phone, 1, serials=[serial]))
                there.discard(serial)
                book.discard(serial)
        enter(people.as_technician(), count, phone, len(there), serials=sorted(there) or None)
        post(people, count)
        rows = people.connection.execute(
            "select serial from public.stock_units where variant_id = %s and location_id = %s",
            [phone, world.blr.showroom],
        ).fetchall()
        assert {row[0] for row in rows} == there
        assert on_hand(people.connection, world.blr.showroom, phone) == Decimal(len(there))
        assert people.as_admin().rpc("check_stock", p_org_id=world.teak.id) == []
