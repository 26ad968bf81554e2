"""Counter sales voided on their own day, and goods exchanged for others."""

from decimal import Decimal
from typing import Any

from tests.database.billing.money import (
    assembly,
    assert_books,
    credit,
    held,
    invoice_of,
    owe,
    record,
    state,
)
from tests.database.billing.offers import adjust_points, balance, program
from tests.database.sales import Line, footprint, line, on_hand, pay, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _void(person: Persona, invoice: Any, **changed: Any) -> Any:
    return person.rpc(
        "void_sale", **({"p_id": new_id(), "p_invoice_id": invoice, "p_reason": "Wrong article"} | changed)
    )


def _exchange(
    people: People, invoice: Any, back: Any, lines: list[Line], payments: Any = (), **options: Any
) -> Any:
    return people.as_sales().rpc(
        "post_exchange",
        p_id=options.pop("p_id", None) or new_id(),
        p_invoice_id=invoice,
        p_return_lines=back,
        p_branch_id=people.world.blr.id,
        p_location_id=people.world.blr.showroom,
        p_lines=lines,
        p_payments=list(payments),
        p_options=options,
    )


def test_a_void_takes_everything_back(people: People) -> None:
    """The goods, the tax, each payment by its own method; the invoice is void and owes nothing."""
    blr, sofa = people.world.blr, people.world.teak.variants["sofa"]
    shelf = on_hand(people.connection, blr.showroom, sofa)
    invoice = sell(
        people.as_cashier(), blr, line(sofa), payments=[pay(180, "card", reference="C-1"), pay(1200)]
    )
    act = new_id()
    note = _void(people.as_cashier(), invoice["id"], p_id=act)
    assert (note["voids"], note["total"], note["left"]) == (True, invoice["total"], 0)
    assert on_hand(people.connection, blr.showroom, sofa) == shelf
    assert state(people, invoice["id"]) == ("void", 0, invoice["total"], 0)
    refunds = people.as_cashier().select(
        "select f.method, f.amount, f.reference from public.refunds f "
        "join public.refund_sources s on s.refund_id = f.id "
        "where s.payment_id = any (%s) order by f.amount",
        [[p["id"] for p in invoice["payments"]]],
    )
    assert [tuple(r.values()) for r in refunds] == [("card", 180, "C-1"), ("cash", 1000, None)]
    before = footprint(people.connection)
    assert _void(people.as_cashier(), invoice["id"], p_id=act) == note
    assert footprint(people.connection) == before
    with raises("invoice_credited", 409):
        _void(people.as_cashier(), invoice["id"])
    with raises("invoice_not_open", 409):
        credit(people.as_sales(), invoice["id"], refund={"method": "cash"})
    assert_books(people)


def test_a_void_of_a_sale_on_credit(people: People) -> None:
    """What was paid at the till comes back, what was paid later is credit, what was owed is owed no more."""
    customer = people.world.teak.customers["trusted"]
    invoice = owe(people, assembly(people), paid=[pay(18)])
    record(people.as_cashier(), customer, 50)
    _void(people.as_cashier(), invoice["id"])
    assert state(people, invoice["id"]) == ("void", 0, 118, 0)
    assert held(people.connection, people.world.teak.id, customer) == 50
    with raises("invoice_not_open", 409):
        record(people.as_cashier(), customer, 5, p_allocations=[{"invoice_id": invoice["id"], "amount": 5}])
    assert record(people.as_cashier(), customer, 5)["allocations"] == []
    assert_books(people)


def test_a_void_restores_the_credit_that_had_paid(people: People) -> None:
    """A credit note is not turned into cash by voiding what it bought."""
    customer = people.world.teak.customers["trusted"]
    bought = sell(people.as_sales(), people.world.blr, assembly(people), customer=customer)
    note = credit(people.as_sales(), bought["id"])
    invoice = sell(
        people.as_sales(),
        people.world.blr,
        assembly(people, 50),
        payments=[],
        customer=customer,
        credit_note_id=note["id"],
    )
    assert (invoice["status"], invoice["credited"], invoice["paid"]) == ("paid", 59, 0)
    _void(people.as_cashier(), invoice["id"])
    assert people.as_cashier().rpc("get_credit_note", p_id=note["id"])["left"] == 118
    assert_books(people)


def test_what_is_not_voided(people: People) -> None:
    """Another day's sale, one partly credited, another branch's; and never without a reason."""
    blr = people.world.blr
    early = sell(people.as_admin(), blr, assembly(people), occurred_at="2024-05-01T10:00:00+05:30")
    with raises("not_same_day", 422):
        _void(people.as_cashier(), early["id"])
    partly = sell(people.as_sales(), blr, assembly(people, 10, 2))
    credit(people.as_sales(), partly["id"], [{"line_no": 1, "quantity": 1}], refund={"method": "cash"})
    with raises("invoice_credited", 409):
        _void(people.as_cashier(), partly["id"])
    with raises("not_found", 404):
        _void(people.as_cashier(people.world.mum), partly["id"])
    with raises("permission_denied", 403):
        _void(people.as_stockkeeper(), partly["id"])
    with raises("invalid_input", 400):
        _void(people.as_cashier(), partly["id"], p_reason="")


def test_an_exchange_pays_with_what_came_back(people: People) -> None:
    """Credit note and sale in one call; the difference is paid; both are found again by the same call."""
    blr, variants = people.world.blr, people.world.teak.variants
    invoice = sell(people.as_sales(), blr, line(variants["sofa"]))
    shelf = [on_hand(people.connection, blr.showroom, variants[key]) for key in ("sofa", "rug")]
    act = new_id()
    basket = [line(variants["rug"], 8)]
    done = _exchange(people, invoice["id"], None, basket, [pay(924, "card")], p_id=act, reason="Too large")
    note, sale = done["credit_note"], done["invoice"]
    assert (note["total"], note["reason"], note["left"]) == (1180, "Too large", 0)
    assert (sale["total"], sale["credited"], sale["paid"], sale["status"]) == (2104, 1180, 924, "paid")
    after = [on_hand(people.connection, blr.showroom, variants[key]) for key in ("sofa", "rug")]
    assert after == [shelf[0] + 1, shelf[1] - 8]
    before = footprint(people.connection)
    again = _exchange(people, invoice["id"], None, basket, [pay(924, "card")], p_id=act, reason="Too large")
    assert again == done
    assert footprint(people.connection) == before
    assert invoice_of(people, invoice["id"])["status"] == "paid"
    assert_books(people)


def test_an_exchange_for_something_cheaper(people: People) -> None:
    """A walk-in is paid the rest back; a customer may keep it as credit."""
    blr, variants = people.world.blr, people.world.teak.variants
    invoice = sell(people.as_sales(), blr, line(variants["sofa"]))
    before = footprint(people.connection)
    with raises("refund_required", 422):
        _exchange(people, invoice["id"], None, [line(variants["lamp"])])
    assert footprint(people.connection) == before
    done = _exchange(people, invoice["id"], None, [line(variants["lamp"])], refund={"method": "upi"})
    assert [(r["method"], r["amount"]) for r in done["credit_note"]["refunds"]] == [("upi", 1062)]
    assert done["invoice"]["credited"] == 118

    customer = people.world.teak.customers["trusted"]
    invoice = sell(people.as_sales(), blr, line(variants["sofa"]), customer=customer)
    _exchange(people, invoice["id"], None, [line(variants["lamp"])])
    assert held(people.connection, people.world.teak.id, customer) == Decimal(1062)
    assert_books(people)


def test_an_exchange_is_whole_or_not_at_all(people: People) -> None:
    """The sale fails, so nothing came back."""
    blr, variants = people.world.blr, people.world.teak.variants
    invoice = sell(people.as_sales(), blr, line(variants["sofa"]))
    before = footprint(people.connection)
    with raises("payment_incomplete", 422):
        _exchange(people, invoice["id"], None, [line(variants["rug"], 8)], [pay(900)])
    with raises("insufficient_stock", 409):
        _exchange(people, invoice["id"], None, [line(variants["lamp"], 1000)], [pay(200000)])
    with raises("permission_denied", 403):
        people.as_cashier().rpc(
            "post_exchange",
            p_id=new_id(),
            p_invoice_id=invoice["id"],
            p_return_lines=None,
            p_branch_id=blr.id,
            p_location_id=blr.showroom,
            p_lines=[line(variants["sofa"])],
            p_payments=[],
        )
    assert footprint(people.connection) == before


def test_a_credit_note_pays_for_its_own_customer_only(people: People) -> None:
    """At the till it is worth what is left of it, to him."""
    world = people.world
    customer = world.teak.customers["trusted"]
    bought = sell(people.as_sales(), world.blr, assembly(people), customer=customer)
    note = credit(people.as_sales(), bought["id"])
    for other in (None, world.teak.customers["local"]):
        with raises("customer_mismatch", 422):
            sell(
                people.as_cashier(),
                world.blr,
                line(world.teak.variants["lamp"]),
                payments=[],
                customer=other,
                credit_note_id=note["id"],
            )
    with raises("not_found", 404):
        sell(
            people.as_cashier(),
            world.blr,
            line(world.teak.variants["lamp"]),
            payments=[],
            customer=customer,
            credit_note_id=str(world.lagoon.credit_notes["LON"]),
        )
    with raises("payment_exceeds_total", 422):
        sell(
            people.as_cashier(),
            world.blr,
            line(world.teak.variants["lamp"]),
            payments=[pay(1, "card")],
            customer=customer,
            credit_note_id=note["id"],
        )


def test_a_void_pays_back_what_the_till_took(people: People) -> None:
    """Money that came by a receipt is the customer's credit again; refund.create pays that out."""
    customer = people.world.teak.customers["trusted"]
    advance = record(people.as_cashier(), customer, 100, p_options={"hold": True})
    invoice = owe(people, assembly(people), paid=[pay(18)])
    people.as_cashier().rpc(
        "allocate_payment",
        p_id=new_id(),
        p_payment_id=advance["id"],
        p_allocations=[{"invoice_id": invoice["id"], "amount": 100}],
    )
    _void(people.as_cashier(), invoice["id"])
    refunds = people.as_admin().select("select amount from public.refunds where customer_id = %s", [customer])
    assert [row["amount"] for row in refunds] == [18]
    assert people.as_admin().rpc("get_payment", p_id=advance["id"])["unallocated"] == 100
    assert held(people.connection, people.world.teak.id, customer) == 100
    assert_books(people)


def test_points_come_back_as_points(people: People) -> None:
    """Also those that were redeemed after the sale: they never become money."""
    program(people)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 100)
    invoice = owe(people, assembly(people))
    payment = people.as_cashier().rpc("redeem_points", p_id=new_id(), p_invoice_id=invoice["id"], p_amount=50)
    _void(people.as_cashier(), invoice["id"])
    assert balance(people, customer) == 100
    assert people.as_admin().rpc("get_payment", p_id=payment["id"])["unallocated"] == 0
    assert_books(people)


def test_what_was_written_is_not_voided_at_the_till(people: People) -> None:
    """An invoice without a counter sale has its own way, and its own permission."""
    written = people.as_sales().rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[assembly(people)],
    )
    with raises("not_a_counter_sale", 422):
        _void(people.as_cashier(), written["id"])
    assert state(people, written["id"]) == ("sent", 0, 0, 118)


def test_who_pays_credit_out_may_refund(people: People) -> None:
    """A customer's credit is paid out by who holds refund.create, whichever act does it."""
    blr, variants = people.world.blr, people.world.teak.variants
    customer = people.world.teak.customers["trusted"]
    invoice = sell(people.as_sales(), blr, line(variants["sofa"]), customer=customer)
    before = footprint(people.connection)
    with raises("permission_denied", 403) as refusal:
        credit(people.as_sales(), invoice["id"], refund={"method": "cash"})
    assert refusal.facts["permission"] == "refund.create"
    with raises("permission_denied", 403):
        _exchange(people, invoice["id"], None, [line(variants["lamp"])], refund={"method": "upi"})
    assert footprint(people.connection) == before
    assert len(credit(people.as_admin(), invoice["id"], refund={"method": "cash"})["refunds"]) == 1
