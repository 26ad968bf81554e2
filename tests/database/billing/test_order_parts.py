"""Parts of an order that are invoiced by name, before or beside their deliveries."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.money import assert_books, credit
from tests.database.billing.trading import advance, confirm, deliver, far, invoice, now, order
from tests.database.sales import line
from tests.support.personas import new_id, raises
from tests.support.world import People


def _part(line_no: int, quantity: object) -> dict[str, Any]:
    return {"line_no": line_no, "quantity": quantity}


def test_a_part_is_invoiced_before_anything_leaves(people: People) -> None:
    """One of two sofas and the work; the advance pays for that; the rest follows with the delivery."""
    variants, sales = people.world.teak.variants, people.as_sales()
    made = order(people, line(variants["sofa"], 2), line(variants["assembly"]))
    advance(people, made, made["total"])
    made = confirm(people, made)
    first = invoice(people.as_cashier(), made, lines=[_part(2, 1), _part(1, 1)])
    assert [(x["line_no"], x["quantity"]) for x in first["lines"]] == [(1, 1), (2, 1)]
    assert (first["total"], first["status"], first["delivery_id"]) == (1770, "paid", None)
    assert [x["invoiced"] for x in now(people, made)["lines"]] == [1, 1]
    deliver(sales, people, made)
    with raises("order_not_invoiced", 409):
        sales.rpc("mark_order", p_id=new_id(), p_order_id=made["id"], p_status="closed")
    rest = invoice(sales, made)
    assert [(x["line_no"], x["quantity"]) for x in rest["lines"]] == [(1, 1)]
    assert first["total"] + rest["total"] == made["total"]
    sales.rpc("mark_order", p_id=new_id(), p_order_id=made["id"], p_status="closed")
    assert_books(people)


def test_never_more_than_is_not_invoiced_yet(people: People) -> None:
    """Line by line; what is refused leaves nothing behind."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = order(people, line(sofa, 3), line(people.world.teak.variants["assembly"]))
    advance(people, made, made["total"])
    made = confirm(people, made)
    note = deliver(sales, people, made, _part(1, 1))
    invoice(sales, made, lines=[_part(1, 2)])
    with raises("invoice_exceeds_order", 422) as refusal:
        invoice(sales, made, lines=[_part(2, 1), _part(1, 2)])
    assert (refusal.facts["line_no"], refusal.facts["invoiced"], refusal.facts["asked"]) == (1, 2, 2)
    # Two of three are invoiced, so the delivery of one may still be; then nothing of the line is left.
    invoice(sales, made, delivery_id=note["id"])
    with raises("invoice_exceeds_order", 422):
        invoice(sales, made, lines=[_part(1, 1)])
    assert [x["invoiced"] for x in now(people, made)["lines"]] == [3, 0]
    # What was credited without goods may be invoiced anew.
    again = invoice(sales, made)
    credit(sales, again["id"], [{"line_no": 2, "quantity": 1, "disposition": "none"}])
    assert invoice(sales, made, lines=[_part(2, 1)])["total"] == 590
    assert_books(people)


@pytest.mark.parametrize(
    ("options", "code", "status"),
    [
        ({"lines": [_part(3, 1)]}, "not_found", 404),
        ({"lines": [_part(1, 0)]}, "invalid_input", 400),
        ({"lines": [_part(1, "1")]}, "invalid_input", 400),
        ({"lines": [_part(1, Decimal("0.5"))]}, "invalid_input", 400),
        ({"lines": [_part(1, 1), _part(1, 1)]}, "invalid_input", 400),
        ({"lines": []}, "invalid_input", 400),
        ({"lines": "all"}, "invalid_input", 400),
        ({"lines": [{**_part(1, 1), "price": 1}]}, "invalid_input", 400),
        ({"lines": [_part(1, 1)], "delivery_id": str(new_id())}, "invalid_input", 400),
    ],
)
def test_nonsense_is_refused(people: People, options: dict[str, Any], code: str, status: int) -> None:
    """Nothing is invoiced."""
    made = order(people, line(people.world.teak.variants["sofa"]), line(people.world.teak.variants["sofa"]))
    advance(people, made, made["total"])
    made = confirm(people, made)
    with raises(code, status):
        invoice(people.as_sales(), made, **options)
    assert [x[2] for x in far(now(people, made))] == [0, 0]


def test_a_part_too_small_to_measure_waits_for_the_next(people: People) -> None:
    """A thousandth of a tenth of a square metre left with a delivery: nobody invoices that by itself."""
    rug, sales = people.world.teak.variants["rug"], people.as_sales()
    people.as_admin().execute(
        "insert into public.product_units (org_id, product_id, unit_code, factor) "
        "select org_id, product_id, 'CMS', 0.001 from public.product_variants where id = %s",
        [rug],
    )
    made = order(people, line(rug, 5, unit="CMS", unit_price=100))
    advance(people, made, made["total"])
    made = confirm(people, made)
    note = deliver(sales, people, made, _part(1, Decimal("0.1")))
    for options in ({"delivery_id": note["id"]}, {"lines": [_part(1, Decimal("0.1"))]}):
        with raises("invalid_input", 400):
            invoice(sales, made, **options)
    assert invoice(sales, made)["total"] == made["total"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.decimals(min_value="0.01", max_value="9999.99", places=2),
    parts=st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4),
)
def test_any_parts_sum_to_the_order(people: People, price: Decimal, parts: list[int]) -> None:
    """However it is cut up, before anything is delivered: values, taxes and totals are the order's."""
    with people.connection.transaction(force_rollback=True):
        sales = people.as_sales()
        lamp = line(people.world.teak.variants["lamp"], sum(parts), unit_price=price)
        made = order(people, lamp)
        if made["total"]:
            advance(people, made, made["total"])
        confirm(people, made, back_order=True)
        sums = dict.fromkeys(("subtotal", "tax", "total"), Decimal(0))
        for part in parts:
            billed = invoice(sales, made, lines=[_part(1, part)])
            for name in sums:
                sums[name] += billed[name]
        assert sums == {name: made[name] for name in sums}
        with raises("invoice_exceeds_order", 422):
            invoice(sales, made)
        assert_books(people)
