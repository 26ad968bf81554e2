"""The money of an open order: what its advances are for, and what is asked before goods leave."""

from typing import Any

import pytest

from tests.database.billing.money import assembly, assert_books, credit, owe, record, state
from tests.database.billing.trading import advance, confirm, confirmed, deliver, invoice, now, order
from tests.database.moving import traces
from tests.database.sales import line
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _allocate(person: Persona, payment: Any, *parts: Any) -> Any:
    return person.rpc(
        "allocate_payment", p_id=new_id(), p_payment_id=payment["id"], p_allocations=list(parts) or None
    )


def _refund(person: Persona, payment: Any, amount: object) -> Any:
    return person.rpc(
        "refund",
        p_id=new_id(),
        p_customer_id=None,
        p_amount=amount,
        p_method="cash",
        p_options={"payment_id": payment["id"]},
    )


def _without(people: People, role: str, permission: str) -> None:
    """Take a permission from a role of the house."""
    people.connection.execute(
        "delete from public.role_permissions where permission = %s and role_id = ("
        "select id from public.roles where org_id = %s and key = %s)",
        [permission, people.world.teak.id, role],
    )


def test_goods_do_not_leave_for_an_advance_that_bounced(people: People) -> None:
    """The cheque that paid for the order is reversed: its customer may owe nothing."""
    sofa = people.world.teak.variants["sofa"]
    made = order(people, line(sofa), customer="local")
    cheque = advance(people, made, made["total"], "cheque")
    confirm(people, made)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=cheque["id"], p_reason="Bounced")
    before = traces(people.connection)
    with raises("credit_limit_exceeded", 422):
        deliver(people.as_sales(), people, made)
    assert traces(people.connection) == before
    advance(people, made, made["total"])
    deliver(people.as_sales(), people, made)
    assert_books(people)


def test_an_order_that_is_paid_is_delivered_whatever_else_is_owed(people: People) -> None:
    """Only what this order is short of is asked about; nor is anybody asked before he invoices what left."""
    variants, customer = people.world.teak.variants, people.world.teak.customers["trusted"]
    paid = confirmed(people, line(variants["sofa"]))
    owed = confirm(people, order(people, line(variants["sofa"])))
    deliver(people.as_sales(), people, owed)
    people.connection.execute("update public.customers set credit_limit = 0 where id = %s", [customer])
    deliver(people.as_sales(), people, paid)
    assert invoice(people.as_cashier(), paid)["status"] == "paid"
    assert invoice(people.as_cashier(), owed)["balance"] == 1180


def test_an_invoice_paid_later_covers_its_delivery(people: People) -> None:
    """Invoiced before it is delivered, and paid by a payment like any other."""
    customer = people.world.teak.customers["trusted"]
    made = confirm(people, order(people, line(people.world.teak.variants["sofa"])))
    billed = invoice(people.as_cashier(), made)
    people.connection.execute("update public.customers set credit_limit = 0 where id = %s", [customer])
    with raises("credit_limit_exceeded", 422):
        deliver(people.as_sales(), people, made)
    record(people.as_cashier(), customer, 1180, p_allocations=[{"invoice_id": billed["id"], "amount": 1180}])
    deliver(people.as_sales(), people, made)


def test_an_open_orders_advance_is_used_elsewhere_by_who_manages_orders(people: People) -> None:
    """Whoever only takes payments leaves it to the order, whose own invoices he may settle with it."""
    other = owe(people, assembly(people))
    made = order(people, line(people.world.teak.variants["sofa"], 2))
    paid = advance(people, made, 2360)
    _without(people, "cashier", "order.manage")
    part = {"invoice_id": other["id"], "amount": 118}
    before = traces(people.connection)
    for parts in ([part], []):
        with raises("permission_denied", 403) as refusal:
            _allocate(people.as_cashier(), paid, *parts)
        assert refusal.facts["permission"] == "order.manage"
    assert traces(people.connection) == before
    assert _allocate(people.as_sales(), paid, part)["unallocated"] == 2242
    people.as_sales().rpc("cancel_order", p_id=new_id(), p_order_id=made["id"], p_reason="No")
    own = owe(people, assembly(people))
    assert (
        _allocate(people.as_cashier(), paid, {"invoice_id": own["id"], "amount": 118})["unallocated"] == 2124
    )
    assert state(people, own["id"])[0] == "paid"
    assert_books(people)


def test_an_open_orders_advance_is_paid_back_by_who_manages_orders(people: People) -> None:
    """Who refunds alone does not take away what pays for goods that are held."""
    made = confirmed(people, line(people.world.teak.variants["sofa"]))
    paid = now(people, made)["payments"][0]
    people.connection.execute(
        "insert into public.role_permissions (org_id, role_id, permission) "
        "select org_id, id, 'refund.create' from public.roles where org_id = %s and key = 'technician'",
        [people.world.teak.id],
    )
    with raises("permission_denied", 403) as refusal:
        _refund(people.as_technician(), paid, 1)
    assert refusal.facts["permission"] == "order.manage"
    assert _refund(people.as_admin(), paid, 1)["amount"] == 1
    people.as_sales().rpc("cancel_order", p_id=new_id(), p_order_id=made["id"], p_reason="No")
    assert _refund(people.as_technician(), paid, 1179)["amount"] == 1179


@pytest.mark.parametrize("settled", ["advance", "credit note"])
def test_a_cancellation_pays_back_what_the_credited_invoice_took(people: People, settled: str) -> None:
    """The advance that paid for an invoice, credited since, is the order's money like one that waited."""
    made = confirmed(people, line(people.world.teak.variants["sofa"], 2), customer="local")
    billed = invoice(people.as_sales(), made)
    if settled == "credit note":
        credit(people.as_sales(), billed["id"], [{"line_no": 1, "quantity": 1, "disposition": "none"}])
    credit(
        people.as_sales(),
        billed["id"],
        [{"line_no": 1, "quantity": 2 if settled == "advance" else 1, "disposition": "none"}],
    )
    act = {"p_id": new_id(), "p_order_id": made["id"], "p_reason": "Moved away"}
    done = people.as_admin().rpc("cancel_order", **act, p_options={"refund_method": "cash"})
    assert done["status"] == "cancelled"
    row = people.connection.execute(
        "select amount, method from public.refunds where id = %s", [act["p_id"]]
    ).fetchone()
    assert row == (2360, "cash")
    assert (done["advance_paid"], done["to_pay"]) == (0, 0)
    assert_books(people)


def test_what_an_order_is_still_short_of(people: People) -> None:
    """advance_paid without what was paid back or reversed; to_pay with what is invoiced and what is not."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = order(people, line(sofa, 3))
    assert (made["advance_paid"], made["to_pay"]) == (0, 3540)
    people.connection.execute(
        "update public.customers set credit_limit = 9000 where id = %s", [made["customer_id"]]
    )
    first, second = advance(people, made, 1000), advance(people, made, 500, "cheque")
    confirm(people, made)
    _refund(people.as_admin(), first, 200)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=second["id"], p_reason="Bounced")
    seen = now(people, made)
    assert (seen["advance_paid"], seen["to_pay"], seen["advances"]) == (800, 2740, 800)
    note = deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    part = invoice(sales, made, delivery_id=note["id"])
    seen = now(people, made)
    assert (part["balance"], seen["advance_paid"], seen["to_pay"]) == (380, 800, 2740)
    record(people.as_cashier(), made["customer_id"], 380)
    assert now(people, made)["to_pay"] == 2360
    sales.rpc("mark_order", p_id=new_id(), p_order_id=made["id"], p_status="closed")
    assert now(people, made)["to_pay"] == 0


def test_a_closed_branch_takes_no_numbers(people: People) -> None:
    """Orders are not delivered or invoiced there any more, nor drafts and quotations sent."""
    variants, sales = people.world.teak.variants, people.as_sales()
    made = confirmed(people, line(variants["sofa"]))
    draft = order(people, line(variants["assembly"]))
    bill = sales.rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=made["customer_id"],
        p_lines=[line(variants["assembly"])],
        p_options={"draft": True},
    )
    offer = sales.rpc(
        "save_quotation",
        p_id=new_id(),
        p_quotation_id=None,
        p_branch_id=people.world.blr.id,
        p_customer_id=made["customer_id"],
        p_lines=[line(variants["assembly"])],
    )
    # A place with goods is not archived, so that rule rests here: papers may outlive the goods.
    people.connection.execute("set constraints all immediate")
    people.connection.execute("alter table public.branches disable trigger user")
    people.connection.execute(
        "update public.branches set archived_at = now() where id = %s", [people.world.blr.id]
    )
    before = traces(people.connection)
    acts: list[tuple[str, dict[str, Any]]] = [
        ("deliver_order", {"p_order_id": made["id"], "p_location_id": people.world.blr.showroom}),
        ("invoice_order", {"p_order_id": made["id"]}),
        ("confirm_order", {"p_order_id": draft["id"]}),
        ("send_quotation", {"p_quotation_id": offer["id"]}),
        ("set_invoice_status", {"p_invoice_id": bill["id"], "p_status": "sent"}),
    ]
    for name, arguments in acts:
        with raises("branch_archived", 422):
            sales.rpc(name, p_id=new_id(), **arguments)
    assert traces(people.connection) == before
    voided = sales.rpc("set_invoice_status", p_id=new_id(), p_invoice_id=bill["id"], p_status="void")
    assert voided["status"] == "void"
