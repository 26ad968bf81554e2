"""For any interleaving of sales, arrivals and entries, a counter who counts truthfully finds what is true."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.sales import adjust, line, on_hand, sell
from tests.database.stock.counting import enter, figures, post, start, void
from tests.support.world import People

# A share of what he has not counted yet; pieces sold from the uncounted or the counted part; pieces that arrive.
steps = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.integers(1, 6)),
        st.tuples(st.just("sell"), st.integers(1, 4)),
        st.tuples(st.just("sell counted"), st.integers(1, 4)),
        st.tuples(st.just("arrive"), st.integers(1, 4)),
        st.tuples(st.just("miscount"), st.integers(1, 50)),
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=st.integers(6, 15), truth=st.integers(0, 20), acts=steps, late=st.integers(0, 3))
def test_the_variance_is_the_true_one(
    people: People, shown: int, truth: int, acts: list[tuple[str, int]], late: int
) -> None:
    """What really lies there less the book: sales and arrivals change both, so no order of acts changes it.

    The counter counts shelf by shelf. What is sold off a shelf that he has done makes him count it all anew,
    as the mark on the line would tell him; what is sold elsewhere does not.
    """
    world, lamp = people.world, people.world.teak.variants["lamp"]
    with people.connection.transaction(force_rollback=True):
        if shown != 10:
            adjust(people, lamp, shown - 10)
        count = start(people, lamp)
        book, uncounted, counted = shown, truth, 0
        entries: list[str] = []
        for act, size in acts:
            if act == "enter" and uncounted:
                part = min(size, uncounted)
                entries.append(enter(people.as_cashier(), count, lamp, part))
                uncounted, counted = uncounted - part, counted + part
            elif act in ("sell", "sell counted"):
                taken = min(size, uncounted if act == "sell" else counted, book)
                if not taken:
                    continue
                sell(people.as_cashier(), world.blr, line(lamp, taken))
                book -= taken
                if act == "sell":
                    uncounted -= taken
                else:
                    for entry in entries:
                        void(people.as_technician(), entry)
                    entries, uncounted, counted = [], uncounted + counted - taken, 0
            elif act == "arrive":
                adjust(people, lamp, size)
                book, uncounted = book + size, uncounted + size
            elif act == "miscount":
                void(people.as_cashier(), enter(people.as_cashier(), count, lamp, size))
        enter(people.as_cashier(), count, lamp, uncounted)
        seen = figures(people, count)["LAMP"]
        assert (seen["variance"], seen["expected_at_count"]) == (truth - shown, book)
        late = min(late, book, uncounted + counted)
        if late:
            sell(people.as_cashier(), world.blr, line(lamp, late))
        if book - late + truth - shown >= 0:
            post(people, count)
            assert on_hand(people.connection, world.blr.showroom, lamp) == book - late + truth - shown
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
