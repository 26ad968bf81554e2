"""Deliveries in parts: never more than ordered, pieces and lots named, the rest still held."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.money import assert_books, credit
from tests.database.billing.trading import advance, confirm, confirmed, deliver, far, invoice, now, order
from tests.database.moving import level, traces
from tests.database.sales import line, on_hand
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _level(people: People, key: str) -> tuple[Any, Any]:
    found = level(people.connection, people.world.blr.showroom, people.world.teak.variants[key])
    return found.on_hand, found.reserved


def test_in_parts_with_the_rest_still_held(people: People) -> None:
    """Each part takes from what is held; the last one delivers the order."""
    sofa, keeper = people.world.teak.variants["sofa"], people.as_stockkeeper()
    here, held = _level(people, "sofa")
    made = confirmed(people, line(sofa, 5))
    note = deliver(keeper, people, made, {"line_no": 1, "quantity": 2})
    assert (note["title"], note["order_id"], note["total"]) == ("Delivery Note", made["id"], 2360)
    assert "/D" in note["number"]
    assert [(x["quantity"], x["ordered"]) for x in note["lines"]] == [(2, 5)]
    assert far(now(people, made)) == [(3, 2, 0, 3)]
    assert now(people, made)["status"] == "partially_delivered"
    assert _level(people, "sofa") == (here - 2, held + 3)
    deliver(keeper, people, made)
    done = now(people, made)
    assert (done["status"], far(done), done["reservation_id"]) == ("delivered", [(0, 5, 0, 0)], None)
    assert len(done["deliveries"]) == 2
    assert note["number"] in [each["number"] for each in done["deliveries"]]
    assert _level(people, "sofa") == (here - 5, held)
    moved = people.connection.execute(
        "select document, sum(quantity) from public.stock_movements where document_id = %s group by 1",
        [note["id"]],
    ).fetchall()
    assert moved == [("delivery", 2)]
    assert_books(people)


def test_never_more_than_is_open(people: People) -> None:
    """Line by line; what is refused leaves nothing behind."""
    variants, keeper = people.world.teak.variants, people.as_stockkeeper()
    made = confirmed(people, line(variants["sofa"], 3), line(variants["lamp"]))
    deliver(keeper, people, made, {"line_no": 1, "quantity": 2})
    before = traces(people.connection)
    asked: list[tuple[str, int, list[dict[str, Any]]]] = [
        ("delivery_exceeds_order", 422, [{"line_no": 1, "quantity": 2}]),
        ("delivery_exceeds_order", 422, [{"line_no": 2, "quantity": 1}, {"line_no": 1, "quantity": 9}]),
        ("not_found", 404, [{"line_no": 3, "quantity": 1}]),
        ("invalid_input", 400, [{"line_no": 2, "quantity": 0.5}]),
        ("invalid_input", 400, [{"line_no": 1, "quantity": 1}, {"line_no": 1, "quantity": 0.001}]),
        ("invalid_input", 400, [{"line_no": 1, "quantity": 0}]),
        ("invalid_input", 400, [{"line_no": 1, "quantity": 1, "serials": ["X"]}]),
        ("invalid_input", 400, [{"line_no": 1, "quantity": 1, "batch": "X"}]),
        ("invalid_input", 400, [{"line_no": 1, "quantity": 1, "colour": "red"}]),
        ("invalid_input", 400, [{"quantity": 1}]),
    ]
    for code, status, lines in asked:
        with raises(code, status):
            deliver(keeper, people, made, *lines)
    with raises("not_found", 404):
        deliver(keeper, people, made, p_location_id=people.world.mum.showroom)
    assert traces(people.connection) == before


def test_pieces_and_lots(people: People) -> None:
    """Numbered pieces are named; lots go first expired, first out, or as named; a set by its components."""
    variants, keeper = people.world.teak.variants, people.as_stockkeeper()
    made = confirmed(people, line(variants["phone"], 2), line(variants["paint"], 2), line(variants["suite"]))
    with raises("serials_required", 422):
        deliver(keeper, people, made)
    with raises("serial_not_here", 409):
        deliver(keeper, people, made, {"line_no": 1, "quantity": 1, "serials": ["BLR-9"]})
    lamps = on_hand(people.connection, people.world.blr.showroom, variants["lamp"])
    note = deliver(
        keeper,
        people,
        made,
        {"line_no": 1, "quantity": 2, "serials": ["BLR-1", "BLR-3"]},
        {"line_no": 2, "quantity": 1.5, "batch": "BLR-NEW"},
        {"line_no": 3, "quantity": 1},
    )
    assert note["lines"][0]["serials"] == ["BLR-1", "BLR-3"]
    assert note["lines"][1]["batch"] == "BLR-NEW"
    assert on_hand(people.connection, people.world.blr.showroom, variants["lamp"]) == lamps - 2
    half = Decimal("0.5")
    assert far(now(people, made)) == [(0, 2, 0, 0), (half, 3 * half, 0, half), (0, 1, 0, 0)]
    assert_books(people)


def test_from_another_place_than_it_is_held(people: People) -> None:
    """What is held in the showroom is free again for as much as the warehouse delivers."""
    sofa, here = people.world.teak.variants["sofa"], people.world.blr
    people.as_stockkeeper().rpc(
        "adjust_stock",
        p_id=new_id(),
        p_location_id=here.warehouse,
        p_variant_id=sofa,
        p_quantity=2,
        p_reason="found",
        p_unit_cost=40,
    )
    made = confirmed(people, line(sofa, 3))
    shelf, held = _level(people, "sofa")
    deliver(
        people.as_stockkeeper(),
        people,
        made,
        {"line_no": 1, "quantity": 2},
        p_location_id=here.warehouse,
    )
    assert _level(people, "sofa") == (shelf, held - 2)
    assert far(now(people, made)) == [(1, 2, 0, 1)]


def test_what_is_held_until_a_day_is_free_after_it(people: People) -> None:
    """With "expires" goods are held no longer, and a later delivery takes them only if they are there."""
    sofa = people.world.teak.variants["sofa"]
    made = confirmed(people, line(sofa, 3), expires="2190-01-01T00:00:00Z")
    connection = people.connection
    connection.execute("alter table public.stock_reservations disable trigger t40_enforce_lifecycle")
    connection.execute(
        "update public.stock_reservations set expires_at = now() - interval '1 hour' where id = %s",
        [made["reservation_id"]],
    )
    connection.execute("alter table public.stock_reservations enable trigger t40_enforce_lifecycle")
    row = connection.execute(
        "select sum(private.expire_reservations(o.id)) from public.organizations o"
    ).fetchone()
    assert row == (1,)
    assert far(now(people, made)) == [(0, 0, 0, 3)]
    deliver(people.as_stockkeeper(), people, made, {"line_no": 1, "quantity": 1})
    assert far(now(people, made)) == [(0, 1, 0, 2)]


def test_a_service_is_delivered_without_stock(people: People) -> None:
    """It is a line like any other, that no shelf holds."""
    made = order(people, line(people.world.teak.variants["assembly"], 2))
    advance(people, made, made["total"])
    people.as_sales().rpc("confirm_order", p_id=new_id(), p_order_id=made["id"])
    before = traces(people.connection)["public.stock_movements"]
    deliver(people.as_stockkeeper(), people, made)
    assert now(people, made)["status"] == "delivered"
    assert traces(people.connection)["public.stock_movements"] == before


def test_delivered_goods_come_back_on_their_invoice(people: People) -> None:
    """A credit note restocks what was delivered, whether the delivery or the order was invoiced."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    shelf = on_hand(people.connection, people.world.blr.showroom, sofa)
    made = confirmed(people, line(sofa, 2))
    note = deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    first = invoice(sales, made, delivery_id=note["id"])
    deliver(sales, people, made)
    second = invoice(sales, made)
    for each in (first, second):
        credit(sales, each["id"])
    assert on_hand(people.connection, people.world.blr.showroom, sofa) == shelf
    assert_books(people)


def test_what_has_not_left_does_not_come_back(people: People) -> None:
    """An order that was invoiced before it was delivered is credited without goods."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = confirmed(people, line(sofa, 2))
    note = deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    invoice(sales, made, delivery_id=note["id"])
    billed = invoice(sales, made)
    before = traces(people.connection)
    with raises("return_exceeds_sale", 422):
        credit(sales, billed["id"])
    assert traces(people.connection) == before
    done = credit(sales, billed["id"], [{"line_no": 1, "quantity": 1, "disposition": "none"}])
    assert done["total"] == billed["total"]
    assert_books(people)


def test_who_may_deliver(people: People) -> None:
    """The technician does not; another branch and another house find nothing; nothing is changed later."""
    made = confirmed(people, line(people.world.teak.variants["sofa"]))
    with raises("permission_denied", 403):
        deliver(people.as_technician(), people, made)
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            deliver(person, people, made)
    note = deliver(people.as_cashier(), people, made)
    assert people.as_stockkeeper().rpc("get_delivery", p_id=note["id"]) == note
    with raises("not_found", 404):
        people.as_foreign_admin().rpc("get_delivery", p_id=note["id"])
    owner = Persona(people.connection, "postgres")
    for table, key in (("deliveries", "id"), ("delivery_lines", "delivery_id")):
        with raises("append_only", 403):
            owner.execute(f"delete from public.{table} where {key} = %s", [note["id"]])  # noqa: S608


@pytest.mark.parametrize("key", ["sofa", "lamp", "rug"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.decimals(min_value="0.01", max_value="99999.99", places=2),
    parts=st.lists(st.integers(min_value=1, max_value=3), min_size=1, max_size=3),
)
def test_parts_sum_to_the_order(people: People, key: str, price: Decimal, parts: list[int]) -> None:
    """However it is cut up, the invoices of all deliveries have the order's values and taxes, exactly."""
    with people.connection.transaction(force_rollback=True):
        sales = people.as_sales()
        made = order(people, line(people.world.teak.variants[key], sum(parts), unit_price=price))
        if made["total"]:
            advance(people, made, made["total"])
        confirm(people, made)
        sums = dict.fromkeys(("subtotal", "tax", "discount", "total"), Decimal(0))
        for part in parts:
            note = deliver(sales, people, made, {"line_no": 1, "quantity": part})
            billed = invoice(sales, made, delivery_id=note["id"])
            for name in sums:
                sums[name] += billed[name]
            assert billed["subtotal"] == note["subtotal"]
        assert sums == {name: made[name] for name in sums}
        with raises("invoice_exceeds_order", 422):
            invoice(sales, made)
        assert_books(people)


@pytest.mark.parametrize(("total_to", "each"), [(1, [1, 0, 1, 0]), (0, None)])
def test_invoices_of_parts_come_to_the_orders_total(
    people: People, total_to: int, each: list[int] | None
) -> None:
    """Rounded as a running total, not each part for itself."""
    people.connection.execute("update public.organizations set round_total_to = %s", [total_to])
    lamp, sales = people.world.teak.variants["lamp"], people.as_sales()
    made = confirmed(people, line(lamp, 4, unit_price=Decimal("0.5")))
    totals = []
    for _ in range(4):
        note = deliver(sales, people, made, {"line_no": 1, "quantity": 1})
        billed = invoice(sales, made, delivery_id=note["id"])
        assert billed["total"] == note["total"]
        totals.append(billed["total"])
    assert sum(totals) == made["total"]
    assert each is None or totals == each
    assert_books(people)
