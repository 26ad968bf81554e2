"""Sales orders: what is held, what is owed, how far it may go, and what a cancellation gives back."""

from decimal import Decimal
from typing import Any

import pytest

from tests.database.billing.money import assert_books, held
from tests.database.billing.trading import (
    advance,
    approved,
    confirm,
    confirmed,
    convert,
    deliver,
    events,
    far,
    invoice,
    now,
    order,
)
from tests.database.moving import level, reserve, traces
from tests.database.sales import line, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _act(person: Persona, name: str, order: Any, **more: Any) -> Any:
    return person.rpc(name, **({"p_id": new_id(), "p_order_id": order["id"]} | more))


def _shelf(people: People, key: str) -> tuple[Any, Any]:
    found = level(people.connection, people.world.blr.showroom, people.world.teak.variants[key])
    return found.on_hand, found.reserved


def test_confirming_holds_the_goods_without_an_end(people: People) -> None:
    """A set by its components; nobody else may sell, release or use what is held."""
    variants, before = people.world.teak.variants, {key: _shelf(people, key) for key in ("sofa", "lamp")}
    made = confirmed(people, line(variants["suite"], 2), line(variants["assembly"]))
    assert made["status"] == "confirmed"
    assert "/S" in made["number"]
    assert far(made) == [(2, 0, 0, 2), (0, 0, 0, 1)]
    assert _shelf(people, "sofa") == (before["sofa"][0], before["sofa"][1] + 2)
    assert _shelf(people, "lamp") == (before["lamp"][0], before["lamp"][1] + 4)
    hold = people.as_sales().rpc("get_reservation", p_id=made["reservation_id"])
    assert (hold["document"], hold["document_id"], hold["expires_at"]) == ("sales_order", made["id"], None)
    assert people.connection.execute(
        "select sum(private.expire_reservations(o.id)) from public.organizations o"
    ).fetchone() == (0,)
    with raises("reservation_of_order", 409):
        _release(people.as_sales(), made["reservation_id"])
    with raises("reservation_of_order", 409):
        sell(
            people.as_sales(),
            people.world.blr,
            line(variants["sofa"]),
            payments=[{"method": "cash", "amount": 1180}],
            reservation_id=made["reservation_id"],
        )
    with raises("insufficient_stock", 409):
        reserve(people.as_sales(), people.world.blr.showroom, line(variants["sofa"], 8))


def _release(person: Persona, reservation: Any) -> Any:
    return person.rpc("release_reservation", p_id=new_id(), p_reservation_id=reservation)


def test_without_goods_there_is_no_promise(people: People) -> None:
    """All or nothing; as a back-order what is there is held, and the rest when it has come."""
    sofa = people.world.teak.variants["sofa"]
    made = order(people, line(sofa, 12))
    advance(people, made, made["total"])
    before = traces(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        confirm(people, made)
    assert refusal.facts["shortages"][0]["requested"] == 12
    assert traces(people.connection) == before
    assert far(confirm(people, made, back_order=True)) == [(9, 0, 0, 12)]
    people.as_stockkeeper().rpc(
        "adjust_stock",
        p_id=new_id(),
        p_location_id=people.world.blr.showroom,
        p_variant_id=sofa,
        p_quantity=5,
        p_reason="found",
        p_unit_cost=40,
    )
    assert far(_act(people.as_sales(), "mark_order", made, p_status="ready")) == [(12, 0, 0, 12)]
    assert _shelf(people, "sofa") == (14, 12)


def test_credit_is_asked_for_what_no_advance_covers(people: People) -> None:
    """Invoices and other open orders count; the trusted customer may owe 2000."""
    assembly = people.world.teak.variants["assembly"]
    first = order(people, line(assembly, 2))
    assert confirm(people, first)["total"] == 1180
    second = order(people, line(assembly, 2))
    before = traces(people.connection)
    with raises("credit_limit_exceeded", 422):
        confirm(people, second)
    assert traces(people.connection) == before
    advance(people, second, 359)
    with raises("credit_limit_exceeded", 422):
        confirm(people, second)
    advance(people, second, 1)
    assert confirm(people, second)["advances"] == 360
    third = order(people, line(assembly))
    with raises("credit_limit_exceeded", 422):
        confirm(people, third)
    # What was an order is an invoice now: it counts once.
    invoice(people.as_cashier(), first)
    with raises("credit_limit_exceeded", 422):
        confirm(people, third)
    _act(people.as_sales(), "cancel_order", second, p_reason="Moved away")
    assert confirm(people, third)["status"] == "confirmed"


def test_the_work_is_logged(people: People) -> None:
    """Dated, in order, with what the customer may see; an entry can take the order along."""
    cashier = people.as_cashier()
    made = confirmed(people, line(people.world.teak.variants["sofa"]))
    _act(cashier, "log_work", made, p_note="Frame glued", p_options={"status": "in_production"})
    shown = {"visible_to_customer": True, "status": "ready"}
    done = _act(cashier, "log_work", made, p_note="Varnished", p_options=shown)
    assert done["status"] == "ready"
    assert [(w["note"], w["visible_to_customer"], w["status"]) for w in done["work_log"]] == [
        ("Frame glued", False, "in_production"),
        ("Varnished", True, "ready"),
    ]
    with raises("invalid_transition", 409):
        _act(cashier, "log_work", made, p_note="Again", p_options={"status": "in_production"})
    for note, options in (("", {}), ("x", {"worked_on": "2199-01-01"}), ("x", {"status": "closed"})):
        with raises("invalid_input", 400):
            _act(cashier, "log_work", made, p_note=note, p_options=options)
    with raises("permission_denied", 403):
        _act(people.as_stockkeeper(), "log_work", made, p_note="Mine")
    with raises("append_only", 403):
        Persona(people.connection, "postgres").execute("update public.sales_order_log set note = 'x'")


def test_a_draft_has_no_work_and_no_invoice(people: People) -> None:
    """Only an order that is confirmed and not over is worked on and invoiced."""
    made = order(people, line(people.world.teak.variants["sofa"]))
    with raises("order_not_open", 409):
        _act(people.as_sales(), "log_work", made, p_note="Too early")
    with raises("order_not_open", 409):
        invoice(people.as_sales(), made)
    with raises("invalid_transition", 409):
        deliver(people.as_sales(), people, made)


def test_a_draft_is_written_anew(people: People) -> None:
    """Until it is confirmed; one that was quoted keeps the quotation's prices."""
    variants, sales = people.world.teak.variants, people.as_sales()
    made = order(people, line(variants["sofa"]))
    again = {
        "p_branch_id": people.world.blr.id,
        "p_customer_id": people.world.teak.customers["trusted"],
        "p_lines": [line(variants["lamp"])],
    }
    assert [x["sku"] for x in _act(sales, "save_order", made, **again)["lines"]] == ["LAMP"]
    confirm(people, made)
    with raises("invalid_transition", 409):
        _act(sales, "save_order", made, **again)
    quoted = convert(sales, approved(people, line(variants["sofa"])))
    with raises("order_is_quoted", 409):
        _act(sales, "save_order", quoted, **again)


def test_a_cancellation_gives_goods_and_advances_back(people: People) -> None:
    """The goods are free, the advance is the customer's credit, which is then refunded like any other."""
    sofa, customer = people.world.teak.variants["sofa"], people.world.teak.customers["local"]
    before, credit = _shelf(people, "sofa"), held(people.connection, people.world.teak.id, customer)
    made = confirmed(people, line(sofa, 3), customer="local")
    refund = {
        "p_id": new_id(),
        "p_customer_id": customer,
        "p_amount": credit + 3540,
        "p_method": "cash",
        "p_options": {"branch_id": people.world.blr.id},
    }
    with raises("refund_exceeds_credit", 422):
        people.as_admin().rpc("refund", **refund)
    act = new_id()
    done = _act(people.as_cashier(), "cancel_order", made, p_id=act, p_reason="Moved away")
    assert (done["status"], done["reason"], far(done)) == ("cancelled", "Moved away", [(0, 0, 0, 0)])
    assert _shelf(people, "sofa") == before
    assert held(people.connection, people.world.teak.id, customer) == credit + 3540
    assert _act(people.as_cashier(), "cancel_order", made, p_id=act, p_reason="Moved away") == done
    with raises("order_not_open", 409):
        advance(people, made, 5)
    people.as_admin().rpc("refund", **refund)
    assert held(people.connection, people.world.teak.id, customer) == 0
    assert_books(people)


def test_advances_are_paid_back_by_whoever_may(people: People) -> None:
    """With a refund_method all at once, which needs refund.create."""
    sofa, customer = people.world.teak.variants["sofa"], people.world.teak.customers["local"]
    credit = held(people.connection, people.world.teak.id, customer)
    made = confirmed(people, line(sofa), customer="local")
    before = traces(people.connection)
    more = {"p_reason": "Changed his mind", "p_options": {"refund_method": "cash"}}
    with raises("permission_denied", 403):
        _act(people.as_sales(), "cancel_order", made, **more)
    with raises("invalid_input", 400):
        _act(people.as_admin(), "cancel_order", made, p_reason="x", p_options={"refund_method": "shells"})
    assert traces(people.connection) == before
    done = _act(people.as_admin(), "cancel_order", made, **more)
    assert done["advances"] == 0
    assert held(people.connection, people.world.teak.id, customer) == credit
    assert_books(people)


def test_what_was_delivered_or_invoiced_is_not_cancelled(people: People) -> None:
    """An invoice is credited first; a delivered part is closed, when it is invoiced, and frees the rest."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    billed = confirmed(people, line(sofa))
    invoice(sales, billed)
    with raises("order_invoiced", 409):
        _act(sales, "cancel_order", billed, p_reason="No")
    made = confirmed(people, line(sofa, 3))
    note = deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    with raises("invalid_transition", 409):
        _act(sales, "cancel_order", made, p_reason="No")
    with raises("order_not_invoiced", 409):
        _act(sales, "mark_order", made, p_status="closed")
    invoice(sales, made, delivery_id=note["id"])
    reserved = _shelf(people, "sofa")[1]
    done = _act(sales, "mark_order", made, p_status="closed")
    assert (done["status"], far(done), done["advances"]) == ("closed", [(0, 1, 1, 0)], Decimal("2360.00"))
    assert _shelf(people, "sofa")[1] == reserved - 2
    assert events(people.connection, made["id"])[-1] == "order.closed"
    assert_books(people)


@pytest.mark.parametrize("status", ["draft", "cancelled", "delivered"])
def test_no_step_out_of_turn(people: People, status: str) -> None:
    """From where no step leads there, every act is refused, and nothing is written."""
    sales, sofa = people.as_sales(), people.world.teak.variants["sofa"]
    made = order(people, line(sofa))
    if status == "delivered":
        advance(people, made, made["total"])
        confirm(people, made)
        deliver(sales, people, made)
    elif status == "cancelled":
        _act(sales, "cancel_order", made, p_reason="No")
    before = traces(people.connection)
    acts: list[tuple[str, dict[str, Any]]] = [
        ("mark_order", {"p_status": "in_production"}),
        ("mark_order", {"p_status": "ready"}),
        ("deliver_order", {"p_location_id": people.world.blr.showroom}),
    ]
    if status != "draft":
        location = {"location_id": people.world.blr.showroom}
        acts += [("confirm_order", {"p_options": location}), ("cancel_order", {"p_reason": "No"})]
    for name, more in acts:
        with raises("invalid_transition", 409):
            _act(sales, name, made, **more)
    assert traces(people.connection) == before


def test_what_was_confirmed_stays_as_it_is_whoever_asks(people: People) -> None:
    """The owner of the tables included, and along listed steps only."""
    made = confirmed(people, line(people.world.teak.variants["sofa"]))
    owner, mine = Persona(people.connection, "postgres"), [made["id"]]
    with raises("document_final", 409):
        owner.execute("update public.sales_orders set total = 1 where id = %s", mine)
    with raises("append_only", 403):
        owner.execute("update public.sales_order_lines set quantity = 9 where order_id = %s", mine)
    with raises("append_only", 403):
        owner.execute("delete from public.sales_order_lines where order_id = %s", mine)
    with raises("invalid_transition", 409):
        owner.execute("update public.sales_orders set status = 'draft' where id = %s", mine)


def test_an_advance_is_for_the_customers_own_open_order(people: People) -> None:
    """Of another customer, or of nobody's order, none is taken."""
    made = order(people, line(people.world.teak.variants["sofa"]))
    with raises("customer_mismatch", 422):
        advance(people, made | {"customer_id": people.world.teak.customers["local"]}, 5)
    with raises("not_found", 404):
        advance(people, made | {"id": new_id()}, 5)


def test_each_act_twice_has_one_effect(people: People) -> None:
    """The same call again gives the same answer and writes nothing."""
    made = order(people, line(people.world.teak.variants["sofa"]))
    sales, shop = people.as_sales(), people.world.blr.showroom
    for name, more in (
        ("confirm_order", {"p_options": {"location_id": shop}}),
        ("log_work", {"p_note": "Sanded"}),
        ("mark_order", {"p_status": "ready"}),
        ("deliver_order", {"p_location_id": shop}),
        ("invoice_order", {}),
        ("mark_order", {"p_status": "closed"}),
    ):
        arguments: dict[str, Any] = {"p_id": new_id(), "p_order_id": made["id"], **more}
        first = sales.rpc(name, **arguments)
        before = traces(people.connection)
        assert sales.rpc(name, **arguments) == first
        assert traces(people.connection) == before
    assert now(people, made)["status"] == "closed"


def test_who_may_not(people: People) -> None:
    """The stockkeeper reads and delivers orders but takes none; other branches find none."""
    sofa = people.world.teak.variants["sofa"]
    made = order(people, line(sofa))
    assert people.as_stockkeeper().rpc("get_order", p_id=made["id"])["id"] == made["id"]
    for act, more in (
        ("confirm_order", {}),
        ("mark_order", {"p_status": "ready"}),
        ("cancel_order", {"p_reason": "No"}),
    ):
        with raises("permission_denied", 403):
            _act(people.as_stockkeeper(), act, made, **more)
        with raises("not_found", 404):
            _act(people.as_cashier(people.world.mum), act, made, **more)
    with raises("permission_denied", 403):
        people.as_technician().rpc("get_order", p_id=made["id"])
