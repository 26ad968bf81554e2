"""What the house holds for a customer counts for him: who has paid on account may buy for it."""

from typing import Any
from uuid import UUID

from tests.database.billing.money import assembly, assert_books, credit, record, state
from tests.database.billing.trading import advance, confirm, deliver, invoice, order
from tests.database.sales import line, sell
from tests.support.personas import new_id, raises
from tests.support.world import People


def _on_account(people: People, amount: object, customer: str = "unknown", method: str = "upi") -> Any:
    """Money that settles nothing yet."""
    held = {"branch_id": people.world.blr.id, "hold": True}
    return record(
        people.as_cashier(), people.world.teak.customers[customer], amount, p_method=method, p_options=held
    )


def _sell_sofa(people: People, quantity: int = 1, **options: Any) -> Any:
    """A sofa of 1180.00 that nothing is paid for at the till, to whoever may owe nothing."""
    sofa = line(people.world.teak.variants["sofa"], quantity)
    customer = people.world.teak.customers["unknown"]
    return sell(people.as_cashier(), people.world.blr, sofa, payments=[], customer=customer, **options)


def _bring_back(people: People, customer: UUID) -> Any:
    """A paid sofa comes back: a credit note of 1180.00 that is not used."""
    sold = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["sofa"]),
        customer=customer,
    )
    return credit(people.as_sales(), sold["id"])


def test_money_on_account_buys(people: People) -> None:
    """1500.00 are one sofa, not two; once the sofa is settled with it, 320.00 are left to buy for."""
    held = _on_account(people, 1500)
    sold = _sell_sofa(people)
    assert (sold["status"], sold["balance"]) == ("sent", 1180)
    with raises("credit_limit_exceeded", 422) as refusal:
        _sell_sofa(people)
    assert {name: refusal.facts[name] for name in ("credit_limit", "owed", "asked", "held")} == {
        "credit_limit": 0,
        "owed": 1180,
        "asked": 1180,
        "held": 1500,
    }
    people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=held["id"])
    assert state(people, sold["id"])[0] == "paid"
    with raises("credit_limit_exceeded", 422) as refusal:
        _sell_sofa(people)
    assert refusal.facts["held"] == 320
    assert_books(people)


def test_it_covers_invoices_and_orders_too(people: People) -> None:
    """A direct invoice, and an order from its confirmation to its delivery; each rupee once."""
    customer = people.world.teak.customers["unknown"]
    _on_account(people, 1180 + 118)
    made = confirm(people, order(people, line(people.world.teak.variants["sofa"]), customer="unknown"))
    with raises("credit_limit_exceeded", 422):
        confirm(people, order(people, line(people.world.teak.variants["sofa"]), customer="unknown"))
    arguments = {"p_branch_id": people.world.blr.id, "p_customer_id": customer}
    written = people.as_sales().rpc(
        "create_invoice", p_id=new_id(), p_lines=[assembly(people)], p_options={}, **arguments
    )
    assert written["status"] == "sent"
    deliver(people.as_sales(), people, made)
    billed = invoice(people.as_cashier(), made)
    assert billed["balance"] == 1180
    with raises("credit_limit_exceeded", 422):
        people.as_sales().rpc(
            "create_invoice", p_id=new_id(), p_lines=[assembly(people)], p_options={}, **arguments
        )


def test_the_advance_of_a_cancelled_order_pays_for_the_next(people: People) -> None:
    """It is the customer's credit: he orders in another colour and pays nothing anew."""
    sofa = line(people.world.teak.variants["sofa"])
    first = order(people, sofa, customer="unknown")
    paid = advance(people, first, 1180)
    confirm(people, first)
    second = order(people, sofa, customer="unknown")
    with raises("credit_limit_exceeded", 422):
        confirm(people, second)
    people.as_sales().rpc("cancel_order", p_id=new_id(), p_order_id=first["id"], p_reason="Another colour")
    deliver(people.as_sales(), people, confirm(people, second))
    billed = invoice(people.as_cashier(), second)
    people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=paid["id"])
    assert state(people, billed["id"])[0] == "paid"
    assert_books(people)


def test_an_open_orders_advance_is_that_orders(people: People) -> None:
    """It buys nothing else, before the order is confirmed or after."""
    made = order(people, line(people.world.teak.variants["sofa"]), customer="unknown")
    advance(people, made, 1180)
    with raises("credit_limit_exceeded", 422):
        _sell_sofa(people)
    confirm(people, made)
    with raises("credit_limit_exceeded", 422) as refusal:
        _sell_sofa(people)
    assert (refusal.facts["held"], refusal.facts["ordered"]) == (0, 0)


def test_a_credit_note_counts_once(people: People) -> None:
    """As money on account, and not beside itself where it pays in the same sale."""
    note = _bring_back(people, people.world.teak.customers["unknown"])
    with raises("credit_limit_exceeded", 422) as refusal:
        _sell_sofa(people, 2, credit_note_id=note["id"])
    assert (refusal.facts["asked"], refusal.facts["held"]) == (1180, 0)
    sold = _sell_sofa(people)
    people.as_cashier().rpc("apply_credit_note", p_id=new_id(), p_credit_note_id=note["id"])
    assert state(people, sold["id"]) == ("paid", 0, 1180, 0)


def test_what_bounced_or_was_paid_back_is_held_no_more(people: People) -> None:
    """A reversed cheque and a refund are worth nothing to anybody."""
    cheque = _on_account(people, 1180, method="cheque")
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=cheque["id"], p_reason="Bounced")
    with raises("credit_limit_exceeded", 422):
        _sell_sofa(people)
    back = _on_account(people, 1180)
    people.as_admin().rpc(
        "refund",
        p_id=new_id(),
        p_customer_id=None,
        p_amount=1,
        p_method="upi",
        p_options={"payment_id": back["id"]},
    )
    with raises("credit_limit_exceeded", 422) as refusal:
        _sell_sofa(people)
    assert refusal.facts["held"] == 1179


def test_it_counts_in_every_branch(people: People) -> None:
    """As debts do; but who does not cover the branch that took the money does not settle with it."""
    customer, mum = people.world.teak.customers["unknown"], people.world.mum
    taken = {"branch_id": mum.id, "hold": True}
    held = record(people.as_cashier(mum), customer, 1180, p_method="upi", p_options=taken)
    sold = _sell_sofa(people)
    with raises("not_found", 404):
        people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=held["id"])
    people.as_admin().rpc("allocate_payment", p_id=new_id(), p_payment_id=held["id"])
    assert state(people, sold["id"])[0] == "paid"
