"""Credit notes: price, discount and tax as sold; never more than sold; the goods where they belong."""

import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.money import (
    Json,
    assembly,
    assert_books,
    credit,
    held,
    invoice_of,
    owe,
    record,
    state,
)
from tests.database.sales import footprint, line, on_hand, pay, sell
from tests.support.personas import new_id, raises
from tests.support.world import People

CASH = {"method": "cash"}


def _taxes(document: Json) -> Counter[str]:
    found: Counter[str] = Counter()
    for sold in document["lines"]:
        for tax in sold["taxes"]:
            found[tax["component"]] += tax["amount"]
    return found


def test_a_full_credit_note_is_exactly_the_invoice(people: People) -> None:
    """Every figure, the round-off included; the goods lie where they lay; the walk-in is paid back."""
    variants, showroom = people.world.teak.variants, people.world.blr.showroom
    before = {key: on_hand(people.connection, showroom, variants[key]) for key in ("sofa", "rug", "lamp")}
    invoice = sell(
        people.as_sales(),
        people.world.blr,
        line(variants["sofa"], 2, discount=Decimal("33.33")),
        line(variants["rug"], Decimal("1.5")),
        line(variants["lamp"], 3, discount=1),
        line(variants["assembly"]),
    )
    note = credit(people.as_sales(), invoice["id"], refund=CASH)
    for figure in ("subtotal", "discount", "tax", "round_off", "total", "tax_summary"):
        assert note[figure] == invoice[figure], figure
    assert _taxes(note) == _taxes(invoice)
    assert re.fullmatch(r"BLR/\d\d-\d\d/C\d{5}", note["number"])
    assert note["invoice"] == {
        "id": invoice["id"],
        "number": invoice["number"],
        "date": invoice["business_date"],
    }
    assert [entry["disposition"] for entry in note["lines"]] == ["restock", "restock", "restock", "none"]
    assert [(r["method"], r["amount"]) for r in note["refunds"]] == [("cash", invoice["total"])]
    assert note["left"] == 0
    for key, quantity in before.items():
        assert on_hand(people.connection, showroom, variants[key]) == quantity
    now = invoice_of(people, invoice["id"])
    assert now["credit_notes"] == [
        {"id": note["id"], "number": note["number"], "date": note["business_date"], "total": note["total"]}
    ]
    assert (now["status"], now["credited"], now["paid"]) == ("paid", 0, invoice["total"])
    assert people.as_cashier().rpc("get_credit_note", p_id=note["id"]) == note
    with raises("credit_exceeds_sale", 422):
        credit(people.as_sales(), invoice["id"], refund=CASH)
    assert_books(people)


def test_a_credit_note_lowers_the_balance_first(people: People) -> None:
    """What the balance does not take is the customer's credit, and settles his next invoice."""
    customer = people.world.teak.customers["trusted"]
    invoice = owe(people, assembly(people, 100, 5))
    record(people.as_cashier(), customer, 400)
    assert state(people, invoice["id"]) == ("partially_paid", 400, 0, 190)
    note = credit(people.as_sales(), invoice["id"], [{"line_no": 1, "quantity": 3}])
    assert note["total"] == 354
    assert [a["amount"] for a in note["allocations"]] == [190]
    assert note["left"] == 164
    assert state(people, invoice["id"]) == ("paid", 400, 190, 0)
    assert held(people.connection, people.world.teak.id, customer) == 164

    other = owe(people, assembly(people, 100))
    act = new_id()
    used = people.as_cashier().rpc("apply_credit_note", p_id=act, p_credit_note_id=note["id"])
    assert used["left"] == 46
    assert people.as_cashier().rpc("apply_credit_note", p_id=act, p_credit_note_id=note["id"]) == used
    assert state(people, other["id"]) == ("paid", 0, 118, 0)
    assert_books(people)


def test_the_same_call_again_changes_nothing(people: People) -> None:
    invoice = sell(people.as_sales(), people.world.blr, line(people.world.teak.variants["sofa"]))
    note_id = new_id()
    first = credit(people.as_sales(), invoice["id"], refund=CASH, p_id=note_id)
    before = footprint(people.connection)
    assert credit(people.as_sales(), invoice["id"], refund=CASH, p_id=note_id) == first
    assert footprint(people.connection) == before
    with raises("id_reused", 409):
        credit(people.as_sales(), invoice["id"], refund=CASH, p_id=note_id, p_reason="Other")


def test_a_walk_in_is_paid_back_at_once(people: People) -> None:
    """Credit without a name would be lost."""
    invoice = sell(people.as_sales(), people.world.blr, line(people.world.teak.variants["sofa"]))
    before = footprint(people.connection)
    with raises("refund_required", 422) as refusal:
        credit(people.as_sales(), invoice["id"])
    assert refusal.facts["left"] == invoice["total"]
    assert footprint(people.connection) == before


def test_goods_go_where_they_belong(people: People) -> None:
    """Restock to the shelf, repair to the quarantine, scrap to nowhere, none: nothing moves."""
    blr, sofa = people.world.blr, people.world.teak.variants["sofa"]
    with people.connection.transaction():
        invoice = sell(people.as_sales(), blr, line(sofa, 4))
        with raises("no_quarantine", 422):
            credit(
                people.as_sales(),
                invoice["id"],
                [{"line_no": 1, "quantity": 1, "disposition": "repair"}],
                refund=CASH,
            )
        quarantine = new_id()
        people.as_admin().rpc(
            "create_location",
            p_id=quarantine,
            p_branch_id=blr.id,
            p_code="QUA",
            p_name="Workshop",
            p_kind="quarantine",
        )
        shelf = on_hand(people.connection, blr.showroom, sofa)
        for disposition, on_shelf, in_repair in (
            ("repair", 0, 1),
            ("scrap", 0, 1),
            ("none", 0, 1),
            ("restock", 1, 1),
        ):
            note = credit(
                people.as_sales(),
                invoice["id"],
                [{"line_no": 1, "quantity": 1, "disposition": disposition}],
                refund=CASH,
            )
            assert (note["goods_return_id"] is None) == (disposition == "none")
            assert on_hand(people.connection, blr.showroom, sofa) == shelf + on_shelf
            assert on_hand(people.connection, quarantine, sofa) == in_repair
    assert_books(people)


def test_pieces_and_lots_come_back_themselves(people: People) -> None:
    """Numbered pieces are named, or known when all of them come back; lots go back to their lot."""
    blr, variants = people.world.blr, people.world.teak.variants
    invoice = sell(
        people.as_sales(),
        blr,
        line(variants["phone"], 2, serials=["BLR-1", "BLR-2"]),
        line(variants["paint"], 2, batch="BLR-NEW"),
    )
    with raises("serials_required", 422):
        credit(people.as_sales(), invoice["id"], [{"line_no": 1, "quantity": 1}], refund=CASH)
    with raises("serials_required", 422):
        credit(
            people.as_sales(),
            invoice["id"],
            [{"line_no": 1, "quantity": 1, "serials": ["BLR-3"]}],
            refund=CASH,
        )
    scrapped = credit(
        people.as_sales(),
        invoice["id"],
        [{"line_no": 1, "quantity": 1, "serials": ["BLR-2"], "disposition": "scrap"}],
        refund=CASH,
    )
    assert scrapped["lines"][0]["serials"] == ["BLR-2"]
    rest = credit(people.as_sales(), invoice["id"], refund=CASH)
    assert [entry["serials"] for entry in rest["lines"]] == [["BLR-1"], None]
    units = people.as_admin().select(
        "select serial, status from public.stock_units where variant_id = %s and branch_id = %s "
        "order by serial",
        [variants["phone"], blr.id],
    )
    assert [(u["serial"], u["status"]) for u in units] == [
        ("BLR-1", "in_stock"),
        ("BLR-2", "removed"),
        ("BLR-3", "in_stock"),
    ]
    assert_books(people)


def test_a_set_comes_back_as_its_components(people: People) -> None:
    blr, variants = people.world.blr, people.world.teak.variants
    before = [on_hand(people.connection, blr.showroom, variants[key]) for key in ("sofa", "lamp")]
    invoice = sell(people.as_sales(), blr, line(variants["suite"], 2))
    note = credit(people.as_sales(), invoice["id"], [{"line_no": 1, "quantity": 1}], refund=CASH)
    assert [item["quantity"] for item in note["lines"][0]["set_items"]] == [2, 1]
    after = [on_hand(people.connection, blr.showroom, variants[key]) for key in ("sofa", "lamp")]
    assert after == [before[0] - 1, before[1] - 2]
    assert_books(people)


def test_goods_that_came_back_before_do_not_come_twice(people: People) -> None:
    """A goods return gets its credit note afterwards, once, and for no more than it brought."""
    blr, sofa = people.world.blr, people.world.teak.variants["sofa"]
    invoice = sell(people.as_sales(), blr, line(sofa, 3))
    returned = new_id()
    people.as_cashier().rpc(
        "return_goods",
        p_id=returned,
        p_invoice_id=invoice["id"],
        p_location_id=blr.showroom,
        p_lines=[{"line_no": 1, "quantity": 2}],
        p_reason="Too large",
    )
    shelf = on_hand(people.connection, blr.showroom, sofa)
    with raises("return_exceeds_sale", 422):
        credit(people.as_sales(), invoice["id"], refund=CASH)
    with raises("return_exceeds_sale", 422):
        credit(
            people.as_sales(),
            invoice["id"],
            [{"line_no": 1, "quantity": 3}],
            refund=CASH,
            goods_return_id=returned,
        )
    note = credit(people.as_sales(), invoice["id"], refund=CASH, goods_return_id=returned)
    assert (note["goods_return_id"], note["lines"][0]["quantity"]) == (str(returned), 2)
    assert on_hand(people.connection, blr.showroom, sofa) == shelf
    with raises("goods_return_credited", 409):
        credit(people.as_sales(), invoice["id"], refund=CASH, goods_return_id=returned)
    credit(people.as_sales(), invoice["id"], refund=CASH)
    assert on_hand(people.connection, blr.showroom, sofa) == shelf + 1
    assert_books(people)


@pytest.mark.parametrize(
    ("lines", "code", "status"),
    [
        ([{"line_no": 1, "quantity": 3}], "credit_exceeds_sale", 422),
        ([{"line_no": 1, "quantity": 1}, {"line_no": 1, "quantity": 1}], "invalid_input", 400),
        ([{"line_no": 9, "quantity": 1}], "not_found", 404),
        ([{"line_no": 1, "quantity": Decimal("0.5")}], "invalid_input", 400),
        ([{"line_no": 1, "quantity": 0}], "invalid_input", 400),
        ([{"line_no": 1, "quantity": -1}], "invalid_input", 400),
        ([{"line_no": 1, "quantity": 1, "disposition": "burn"}], "invalid_input", 400),
        ([{"line_no": 1, "quantity": 1, "amount": 5}], "invalid_input", 400),
        ([{"line_no": "1", "quantity": 1}], "invalid_input", 400),
        ([5], "invalid_input", 400),
        ([], "invalid_input", 400),
        ({}, "invalid_input", 400),
    ],
)
def test_what_was_not_sold_is_not_credited(people: People, lines: Any, code: str, status: int) -> None:
    """And nothing is written."""
    invoice = sell(people.as_sales(), people.world.blr, line(people.world.teak.variants["sofa"], 2))
    before = footprint(people.connection)
    with raises(code, status):
        credit(people.as_sales(), invoice["id"], lines, refund=CASH)
    assert footprint(people.connection) == before


def test_who_may_not_credit(people: People) -> None:
    """The cashier needs somebody with the permission; strangers find nothing; dates are not made up."""
    invoice = sell(people.as_sales(), people.world.blr, line(people.world.teak.variants["sofa"]))
    for person in (people.as_cashier(), people.as_stockkeeper(), people.as_technician()):
        with raises("permission_denied", 403):
            credit(person, invoice["id"], refund=CASH)
    for person in (people.as_foreign_admin(), people.as_nobody(), people.as_cashier(people.world.mum)):
        with raises("not_found", 404):
            credit(person, invoice["id"], refund=CASH)
    with raises("not_found", 404):
        credit(people.as_sales(), invoice["id"], refund=CASH, location_id=str(people.world.mum.showroom))
    when = invoice["issued_at"]
    with raises("backdating_denied", 403):
        credit(people.as_sales(), invoice["id"], refund=CASH, occurred_at=when)
    with raises("invalid_input", 400):
        credit(people.as_admin(), invoice["id"], refund=CASH, occurred_at="2024-01-01T00:00:00Z")
    people.as_admin().rpc("close_period", p_org_id=people.world.teak.id, p_through=invoice["business_date"])
    with raises("period_closed", 409):
        credit(people.as_sales(), invoice["id"], refund=CASH)


def test_a_bounced_payment_after_a_credit_note(people: People) -> None:
    """The credit stays, the debt comes back, and the one settles part of the other."""
    customer = people.world.teak.customers["trusted"]
    invoice = sell(
        people.as_sales(),
        people.world.blr,
        assembly(people),
        payments=[pay(118, "cheque")],
        customer=customer,
    )
    note = credit(people.as_sales(), invoice["id"], refund=None)
    people.as_admin().rpc(
        "reverse_payment", p_id=new_id(), p_payment_id=invoice["payments"][0]["id"], p_reason="Bounced"
    )
    assert state(people, invoice["id"]) == ("sent", 0, 0, 118)
    people.as_cashier().rpc("apply_credit_note", p_id=new_id(), p_credit_note_id=note["id"])
    assert state(people, invoice["id"]) == ("paid", 0, 118, 0)
    assert_books(people)


PRICES = st.decimals(Decimal("0.01"), Decimal("999.99"), places=2)
LINES = st.lists(st.tuples(PRICES, st.integers(1, 5), st.integers(0, 15)), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(basket=LINES, data=st.data())
def test_any_sequence_of_partial_credits_sums_to_the_invoice(
    people: People, basket: list[tuple[Decimal, int, int]], data: st.DataObject
) -> None:
    """Taxable, each component of the tax, total: exactly, at the end; never more on the way."""
    with people.connection.transaction(force_rollback=True):
        invoice = sell(
            people.as_sales(),
            people.world.blr,
            *(
                line(
                    people.world.teak.variants[("assembly", "rug", "lamp")[place % 3]],
                    quantity,
                    unit_price=price,
                    discount=(price * quantity * percent / 100).quantize(Decimal("0.01"), "ROUND_DOWN"),
                )
                for place, (price, quantity, percent) in enumerate(basket)
            ),
        )
        left = {sold["line_no"]: sold["quantity"] for sold in invoice["lines"]}
        sums: Counter[str] = Counter()
        taxes: Counter[str] = Counter()
        while left:
            some = data.draw(st.lists(st.sampled_from(sorted(left)), min_size=1, unique=True))
            asked = [{"line_no": n, "quantity": data.draw(st.integers(1, int(left[n])))} for n in some]
            note = credit(people.as_sales(), invoice["id"], asked, refund=CASH)
            for part in asked:
                left[part["line_no"]] -= part["quantity"]
            left = {n: quantity for n, quantity in left.items() if quantity}
            for figure in ("subtotal", "discount", "tax", "round_off", "total"):
                sums[figure] += note[figure]
            assert all(entry["taxable"] >= 0 and entry["tax"] >= 0 for entry in note["lines"])
            assert note["total"] >= 0
            assert sums["total"] <= invoice["total"]
            taxes.update(_taxes(note))
        for figure in ("subtotal", "discount", "tax", "round_off", "total"):
            assert sums[figure] == invoice[figure], figure
        assert {k: v for k, v in taxes.items() if v} == {k: v for k, v in _taxes(invoice).items() if v}
        with raises("credit_exceeds_sale", 422):
            credit(people.as_sales(), invoice["id"], refund=CASH)
        assert_books(people)
