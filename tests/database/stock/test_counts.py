"""Counts: what is listed, what entries come to, and what is posted."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.database.moving import archive, attic
from tests.database.sales import adjust, line, on_hand, sell
from tests.database.stock.counting import (
    enter,
    figures,
    movements,
    post,
    start,
    submit,
    trace,
    void,
)
from tests.support.personas import new_id, raises
from tests.support.world import People


@pytest.fixture
def sofa(people: People) -> UUID:
    """Nine untracked pieces in the Bengaluru showroom, worth 40 each."""
    return people.world.teak.variants["sofa"]


@pytest.fixture
def phone(people: People) -> UUID:
    """Three pieces BLR-1 to BLR-3 in the Bengaluru showroom."""
    return people.world.teak.variants["phone"]


@pytest.fixture
def paint(people: People) -> UUID:
    """Lots BLR-OLD and BLR-NEW of five litres each in the Bengaluru showroom."""
    return people.world.teak.variants["paint"]


def test_a_full_count_lists_what_lies_there_lot_by_lot(people: People) -> None:
    """One line for each variant, one for each lot; what is expected is frozen; nothing else is listed."""
    adjust(people, people.world.teak.variants["lamp"], -10)
    lines = figures(people, start(people))
    assert {sku: entry["expected"] for sku, entry in lines.items()} == {
        "BOOK": 10,
        "PAINT/BLR-NEW": 5,
        "PAINT/BLR-OLD": 5,
        "PHONE": 3,
        "POT": 10,
        "RUG": 10,
        "SOFA": 9,
    }
    assert all(entry["counted"] is None and entry["variance"] is None for entry in lines.values())


def test_a_cycle_count_by_category_takes_those_beneath_it(people: People, sofa: UUID) -> None:
    """Its own goods and those of its descendants that lie here."""
    admin, org = people.as_admin(), people.world.teak.id
    top, middle, bottom, other = new_id(), new_id(), new_id(), new_id()
    for key, parent in ((top, None), (middle, top), (bottom, middle), (other, None)):
        admin.execute(
            "insert into public.categories (id, org_id, parent_id, name) values (%s, %s, %s, %s)",
            [key, org, parent, str(key)],
        )
    for name, category in (("Sofa", bottom), ("Lamp", top), ("Book", other), ("Assembly", top)):
        assert admin.execute(
            "update public.products set category_id = %s where org_id = %s and name = %s",
            [category, org, name],
        )
    assert list(figures(people, start(people, kind="cycle", category_id=top))) == ["LAMP", "SOFA"]
    assert sofa
    with raises("count_overlaps", 409):
        start(people, kind="cycle", category_id=middle)
    with raises("not_found", 404):
        start(people, kind="cycle", category_id=uuid4())


def test_a_cycle_count_by_abc_class(people: People, sofa: UUID) -> None:
    """The class as abc_analysis tells it: what sold most, at cost."""
    sell(people.as_cashier(), people.world.blr, line(sofa, 5))
    assert list(figures(people, start(people, kind="cycle", abc_class="A"))) == ["SOFA"]
    assert "SOFA" not in figures(people, start(people, kind="cycle", abc_class="C"))
    with raises("nothing_to_count", 422):
        start(people, kind="cycle", abc_class="B")


def test_listed_variants_are_counted_even_where_there_are_none(people: People, sofa: UUID) -> None:
    """Somebody asked for them: expected 0."""
    count = start(people, sofa, location=people.world.blr.warehouse)
    assert figures(people, count)["SOFA"]["expected"] == 0


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "cycle"},
        {"kind": "full", "abc_class": "A"},
        {"kind": "cycle", "abc_class": "A", "category_id": str(uuid4())},
        {"kind": "cycle", "abc_class": "D"},
        {"kind": "cycle", "category_id": "x"},
        {"kind": "cycle", "variant_ids": []},
        {"kind": "cycle", "variant_ids": "all"},
        {"kind": "cycle", "variant_ids": ["x"]},
        {"kind": "half"},
        {"kind": None},
        {"kind": "full", "blind": "yes"},
        {"kind": "full", "note": "x" * 2001},
        {"kind": "full", "note": 5},
        {"kind": "full", "colour": "red"},
    ],
)
def test_malformed_starts(people: People, options: dict[str, Any]) -> None:
    """400, and nothing is written."""
    before = trace(people.connection)
    with raises("invalid_input", 400):
        start(people, **options)
    assert trace(people.connection) == before


def test_services_sets_and_strangers_are_not_counted(people: People, sofa: UUID) -> None:
    """By list and by entry: a set is counted as its components, a foreign variant is nobody's."""
    variants = people.world.teak.variants
    count, before = start(people, sofa), None
    for key in ("assembly", "suite"):
        before = trace(people.connection)
        with raises("not_stocked", 422):
            start(people, variants[key], location=people.world.blr.warehouse)
        with raises("not_stocked", 422):
            enter(people.as_cashier(), count, variants[key], 1)
        assert trace(people.connection) == before
    for stranger in (people.world.lagoon.variants["pump"], uuid4()):
        with raises("not_found", 404):
            start(people, stranger)
        with raises("not_found", 404):
            enter(people.as_cashier(), count, stranger, 1)


def test_one_open_count_of_a_variant_at_a_location(people: People, sofa: UUID) -> None:
    """Not by starting, not by a find; elsewhere, or once the first has ended, it is free."""
    first = start(people, sofa)
    other = start(people, people.world.teak.variants["lamp"])
    with raises("count_overlaps", 409) as refusal:
        start(people)
    assert refusal.facts["sku"] in ("SOFA", "LAMP")
    with raises("count_overlaps", 409) as refusal:
        enter(people.as_cashier(), other, sofa, 1)
    assert refusal.facts["count_id"] == str(first)
    start(people, sofa, location=people.world.blr.warehouse)
    people.as_stockkeeper().rpc("cancel_count", p_id=new_id(), p_count_id=first)
    enter(people.as_cashier(), other, sofa, 9)


def test_entries_of_several_people_add_up(people: People, sofa: UUID) -> None:
    """Two shelves, two people, one line; each entry keeps who made it."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 5)
    enter(people.as_technician(), count, sofa, 3)
    line_of = figures(people, count)["SOFA"]
    assert (line_of["counted"], line_of["expected_at_count"], line_of["variance"]) == (8, 9, -1)
    assert (line_of["unit_cost"], line_of["worth"]) == (40, -40)
    seen = people.as_cashier().select(
        "select quantity, recorded_by from public.stock_count_entries where count_id = %s order by seq",
        [count],
    )
    assert [(row["quantity"], row["recorded_by"]) for row in seen] == [
        (5, people.as_cashier().user_id),
        (3, people.as_technician().user_id),
    ]


def test_a_voided_entry_counts_no_more_and_stays_to_be_seen(people: People, sofa: UUID) -> None:
    """The sum and the book are those of what is left; the last one voided leaves the line uncounted."""
    count = start(people, sofa)
    first = enter(people.as_cashier(), count, sofa, 5)
    sell(people.as_cashier(), people.world.blr, line(sofa, 2))
    second = enter(people.as_cashier(), count, sofa, 70)
    voided = void(people.as_cashier(), second)
    assert voided["voided_by"] == str(people.as_cashier().user_id)
    assert figures(people, count)["SOFA"]["expected_at_count"] == 9
    before = trace(people.connection)["public.stock_count_entries"]
    void(people.as_technician(), second)
    assert trace(people.connection)["public.stock_count_entries"] == before, "who was first stays on record"
    void(people.as_cashier(), first)
    line_of = figures(people, count)["SOFA"]
    assert (line_of["counted"], line_of["variance"], line_of["worth"]) == (None, None, None)


def test_sales_before_and_after_an_entry_are_no_differences(people: People, sofa: UUID) -> None:
    """Frozen at 9, sold 2, counted 6 (one is missing), sold 3 more: one goes out, and 3 are left."""
    count = start(people, sofa)
    sell(people.as_cashier(), people.world.blr, line(sofa, 2))
    enter(people.as_cashier(), count, sofa, 6)
    sell(people.as_cashier(), people.world.blr, line(sofa, 3))
    done = post(people, count)
    (line_of,) = done["lines"]
    assert (line_of["figures"]["expected"], line_of["figures"]["expected_at_count"]) == (9, 7)
    assert (line_of["figures"]["variance"], line_of["figures"]["posted"]) == (-1, -1)
    assert on_hand(people.connection, people.world.blr.showroom, sofa) == 3
    assert movements(people.connection, count) == [("SOFA", "showroom", "adjustment", 1, 40, None, None)]


def test_goods_sold_between_two_entries_are_taken_from_the_uncounted_part(people: People, sofa: UUID) -> None:
    """Shelf one 6 of 9, 2 sold off shelf two, 1 left there: no difference, and the line is marked."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 6)
    assert figures(people, count)["SOFA"]["moved"] is False
    sell(people.as_cashier(), people.world.blr, line(sofa, 2))
    enter(people.as_technician(), count, sofa, 1)
    line_of = figures(people, count)["SOFA"]
    assert (line_of["variance"], line_of["moved"]) == (0, True)


def test_goods_sold_off_a_counted_shelf_show_as_marked_surplus_until_counted_anew(
    people: People, sofa: UUID
) -> None:
    """The mark tells the approver; after a recount in one go the difference is the true one."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 6)
    sell(people.as_cashier(), people.world.blr, line(sofa, 2))
    enter(people.as_technician(), count, sofa, 3)
    line_of = figures(people, count)["SOFA"]
    assert (line_of["variance"], line_of["moved"]) == (2, True)
    submit(people, count)
    people.as_stockkeeper().rpc("recount", p_id=new_id(), p_count_id=count, p_variant_ids=[sofa])
    enter(people.as_cashier(), count, sofa, 7)
    line_of = figures(people, count)["SOFA"]
    assert (line_of["variance"], line_of["moved"]) == (0, False)


def test_finds_get_a_line_and_come_in_at_average_cost(people: People) -> None:
    """What was not on the list: expected null, and after posting it is on hand."""
    lamp = people.world.teak.variants["lamp"]
    count = start(people, people.world.teak.variants["pot"])
    enter(people.as_cashier(), count, lamp, 12)
    line_of = figures(people, count)["LAMP"]
    assert (line_of["expected"], line_of["expected_at_count"], line_of["variance"]) == (None, 10, 2)
    done = post(people, count, uncounted="skip")
    assert done["totals"] == {"lines": 2, "counted": 1, "differences": 1, "worth": 80}
    assert movements(people.connection, count) == [("LAMP", "adjustment", "showroom", 2, 40, None, None)]
    assert on_hand(people.connection, people.world.blr.showroom, lamp) == 12


def test_lines_that_nobody_counted_are_gone_or_stay(people: People) -> None:
    """zero takes out what the book says at submission, skip leaves it; saying nothing is refused."""
    lamp, pot = people.world.teak.variants["lamp"], people.world.teak.variants["pot"]
    for uncounted, left in (("skip", 8), ("zero", 0)):
        count = start(people, lamp, pot)
        enter(people.as_cashier(), count, pot, 10)
        if uncounted == "skip":
            sell(people.as_cashier(), people.world.blr, line(lamp, 2))
        before = trace(people.connection)
        with raises("count_incomplete", 422) as refusal:
            submit(people, count)
        assert refusal.facts["lines"] == 1
        with raises("invalid_input", 400):
            submit(people, count, uncounted="guess")
        assert trace(people.connection) == before
        post(people, count, uncounted=uncounted)
        assert on_hand(people.connection, people.world.blr.showroom, lamp) == left
        assert on_hand(people.connection, people.world.blr.showroom, pot) == 10


def test_a_recount_reopens_what_was_taken_for_gone(people: People, sofa: UUID) -> None:
    """Only the variants named lose their entries; lines without entries are uncounted again."""
    lamp, pot = people.world.teak.variants["lamp"], people.world.teak.variants["pot"]
    count = start(people, sofa, lamp, pot)
    enter(people.as_cashier(), count, sofa, 9)
    enter(people.as_cashier(), count, lamp, 7)
    submit(people, count, uncounted="zero")
    assert figures(people, count)["POT"]["variance"] == -10
    again = people.as_stockkeeper().rpc("recount", p_id=new_id(), p_count_id=count, p_variant_ids=[lamp])
    assert (again["status"], again["submitted_at"], again["uncounted"]) == ("counting", None, None)
    lines = figures(people, count)
    assert [lines[sku]["counted"] for sku in ("SOFA", "LAMP", "POT")] == [9, None, None]
    assert lines["POT"]["variance"] is None
    with raises("not_found", 404):
        submit(people, count, uncounted="skip")
        people.as_stockkeeper().rpc(
            "recount", p_id=new_id(), p_count_id=count, p_variant_ids=[people.world.teak.variants["rug"]]
        )


def test_quantities_follow_the_unit(people: People, sofa: UUID) -> None:
    """Rolls become square metres; half a sofa, less than none and a barcode are refused; none is a count."""
    rug = people.world.teak.variants["rug"]
    count = start(people, sofa, rug)
    enter(people.as_cashier(), count, rug, 1, unit="ROL")
    assert figures(people, count)["RUG"]["counted"] == Decimal("12.5")
    with raises("unit_unknown", 422):
        enter(people.as_cashier(), count, sofa, 1, unit="ROL")
    for wrong in (Decimal("0.5"), -1, 8901234567890, "1", None):
        with raises("invalid_input", 400):
            enter(people.as_cashier(), count, sofa, wrong)
    for wrong_line in ({"serials": ["X"]}, {"batch": "X"}, {"expires_on": "2030-01-01"}, {"colour": "red"}):
        with raises("invalid_input", 400):
            enter(people.as_cashier(), count, sofa, 1, **wrong_line)
    enter(people.as_cashier(), count, sofa, 0)
    assert figures(people, count)["SOFA"]["variance"] == -9


def test_none_is_none_in_every_unit(people: People) -> None:
    """An empty box is counted as 0 BOX; a unit that the goods do not have is refused all the same."""
    rug, keeper = people.world.teak.variants["rug"], people.as_stockkeeper()
    count = start(people, rug)
    with raises("unit_unknown", 422):
        enter(keeper, count, rug, 0, unit="KGS")
    enter(keeper, count, rug, 0, unit="ROL")
    post(people, count)
    assert on_hand(people.connection, people.world.blr.showroom, rug) == 0


def test_a_repeated_call_answers_as_the_first(people: People) -> None:
    """Though the category, the unit and the place that it named are gone meanwhile."""
    teak, keeper, admin = people.world.teak, people.as_stockkeeper(), people.as_admin()
    rug, category, place = teak.variants["rug"], new_id(), attic(people)
    adjust(people, rug, 25, "found", 1, p_location_id=place)
    admin.execute(
        "insert into public.categories (id, org_id, name) values (%s, %s, 'Rugs')", [category, teak.id]
    )
    file = "update public.products set category_id = %s where id = %s"
    admin.execute(file, [category, teak.products["rug"]])
    begin = {
        "p_id": new_id(),
        "p_location_id": place,
        "p_kind": "cycle",
        "p_options": {"category_id": category},
    }
    started = keeper.rpc("start_count", **begin)
    record = {
        "p_id": new_id(),
        "p_count_id": begin["p_id"],
        "p_lines": [line(rug, 2, unit="ROL")],
    }
    recorded = keeper.rpc("record_count", **record)
    admin.execute(file, [None, teak.products["rug"]])
    admin.execute("delete from public.categories where id = %s", [category])
    admin.execute("delete from public.product_units where product_id = %s", [teak.products["rug"]])
    adjust(people, rug, -25, "write_off", p_location_id=place)
    archive(admin, "locations", place)
    again = keeper.rpc("start_count", **begin)
    assert {**again, "totals": None, "lines": None} == {**started, "totals": None, "lines": None}
    assert keeper.rpc("record_count", **record) == recorded


def test_pieces_are_missing_or_found_one_by_one(people: People, phone: UUID) -> None:
    """A missing piece goes out, a found one comes in; one that was sold meanwhile is neither."""
    count = start(people, phone)
    enter(people.as_cashier(), count, phone, 2, serials=["BLR-1", "NEW-9"])
    enter(people.as_technician(), count, phone, 1, serials=["BLR-1"])
    line_of = figures(people, count)["PHONE"]
    assert (line_of["counted"], line_of["missing"], line_of["found"]) == (2, ["BLR-2", "BLR-3"], ["NEW-9"])
    assert (line_of["expected_at_count"], line_of["variance"]) == (3, -1)
    sell(people.as_cashier(), people.world.blr, line(phone, 1, serials=["BLR-3"]))
    sell(people.as_cashier(), people.world.blr, line(phone, 1, serials=["BLR-1"]))
    done = post(people, count)
    assert [(m[1], m[2], m[5]) for m in movements(people.connection, count)] == [
        ("showroom", "adjustment", ["BLR-2"]),
        ("adjustment", "showroom", ["NEW-9"]),
    ]
    (shown,) = done["lines"]
    assert (shown["figures"]["variance"], shown["figures"]["posted"]) == (-1, 0)
    rows = people.connection.execute(
        "select serial, status from public.stock_units where variant_id = %s and branch_id = %s order by 1",
        [phone, people.world.blr.id],
    ).fetchall()
    assert rows == [("BLR-1", "sold"), ("BLR-2", "removed"), ("BLR-3", "sold"), ("NEW-9", "in_stock")]
    assert people.as_admin().rpc("check_stock", p_org_id=people.world.teak.id) == []


def test_a_piece_that_came_between_two_entries_is_not_missing(people: People, phone: UUID) -> None:
    """Nobody can have seen it on a shelf that was counted before it arrived."""
    count = start(people, phone)
    enter(people.as_cashier(), count, phone, 2, serials=["BLR-1", "BLR-2"])
    adjust(people, phone, 1, "found", p_options={"serials": ["LATE-1"]})
    enter(people.as_cashier(), count, phone, 1, serials=["BLR-3"])
    assert figures(people, count)["PHONE"]["missing"] == []
    assert figures(people, count)["PHONE"]["variance"] == 0


def test_pieces_that_nobody_scanned_are_gone_when_uncounted_is_zero(people: People, phone: UUID) -> None:
    """All that the book has at submission and still has at posting."""
    count = start(people, phone)
    submitted = submit(people, count, uncounted="zero")
    assert submitted["figures_shown"] is False
    assert figures(people, count)["PHONE"]["missing"] == ["BLR-1", "BLR-2", "BLR-3"]
    sell(people.as_cashier(), people.world.blr, line(phone, 1, serials=["BLR-2"]))
    admin = people.as_admin()
    admin.rpc("approve_count", p_id=new_id(), p_count_id=count)
    admin.rpc("post_count", p_id=new_id(), p_count_id=count)
    assert [m[5] for m in movements(people.connection, count)] == [["BLR-1", "BLR-3"]]


def test_pieces_are_named(people: People, phone: UUID) -> None:
    """As many numbers as pieces, each once."""
    count = start(people, phone)
    for quantity, serials in ((2, ["BLR-1"]), (1, None), (2, ["BLR-1", "BLR-1"]), (0, ["BLR-1"])):
        with raises("serials_required", 422):
            enter(people.as_cashier(), count, phone, quantity, serials=serials)
    enter(people.as_cashier(), count, phone, 0)
    assert figures(people, count)["PHONE"]["variance"] == -3


def test_a_piece_that_stands_elsewhere_by_the_book_must_be_moved_first(people: People, phone: UUID) -> None:
    """It cannot be at two places; nothing of the count is posted."""
    count = start(people, phone)
    enter(people.as_cashier(), count, phone, 3, serials=["BLR-1", "BLR-2", "MUM-1"])
    submit(people, count)
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    before = trace(people.connection)
    with raises("serial_in_stock", 409) as refusal:
        people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    assert refusal.facts["serials"] == ["MUM-1"]
    assert trace(people.connection) == before


def test_lots_are_counted_one_by_one(people: People, paint: UUID) -> None:
    """A lot less, a new lot found; the level follows."""
    count = start(people, paint)
    with raises("batch_required", 422):
        enter(people.as_cashier(), count, paint, 1)
    with raises("batch_required", 422):
        enter(people.as_cashier(), count, paint, 1, batch="")
    with raises("batch_mismatch", 409):
        enter(people.as_cashier(), count, paint, 1, batch="BLR-NEW", expires_on="2031-01-01")
    enter(people.as_cashier(), count, paint, 3, batch="BLR-NEW")
    enter(people.as_cashier(), count, paint, Decimal("1.5"), batch="LOT-9", expires_on="2031-01-01")
    enter(people.as_technician(), count, paint, 5, batch="BLR-OLD")
    lines = figures(people, count)
    assert {sku: entry["variance"] for sku, entry in lines.items()} == {
        "PAINT/BLR-NEW": -2,
        "PAINT/BLR-OLD": 0,
        "PAINT/LOT-9": Decimal("1.5"),
    }
    post(people, count)
    assert on_hand(people.connection, people.world.blr.showroom, paint) == Decimal("9.5")
    assert [(m[1], m[3], m[6]) for m in movements(people.connection, count)] == [
        ("showroom", 2, "BLR-NEW"),
        ("adjustment", Decimal("1.5"), "LOT-9"),
    ]
