"""What voiding an invoice of today gives back, and when it is too late for it."""

from typing import Any

import pytest

from tests.database.billing.money import assembly, assert_books, credit, owe, record, state
from tests.database.billing.offers import coupon, promotion
from tests.database.moving import traces
from tests.database.sales import line, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _void(person: Persona, invoice: Any) -> Any:
    return person.rpc(
        "set_invoice_status",
        p_id=new_id(),
        p_invoice_id=invoice["id"],
        p_status="void",
        p_options={"reason": "Wrong customer"},
    )


def test_a_void_invoice_gives_its_coupon_back(people: People) -> None:
    """One use in all, on a sale on credit that is void the same day: somebody else may use it."""
    coupon(people, promotion(people, "percent", 10, needs_coupon=True), "ONCE", max_uses=1)

    def sale() -> Any:
        return sell(
            people.as_sales(),
            people.world.blr,
            line(people.world.teak.variants["assembly"]),
            payments=[],
            customer=people.world.teak.customers["trusted"],
            coupon="once",
        )

    first = sale()
    with raises("coupon_used_up", 422):
        sale()
    _void(people.as_admin(), first)
    assert sale()["discount"] == first["discount"] == 50
    with raises("coupon_used_up", 422):
        sale()


def test_what_a_credit_note_names_is_not_voided(people: People) -> None:
    """Paid, credited whole and the payment reversed, it would be taken out of the registers twice."""
    made = owe(people, assembly(people, 500))
    cheque = record(people.as_cashier(), made["customer_id"], 590, p_method="cheque")
    credit(people.as_sales(), made["id"])
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=cheque["id"], p_reason="Bounced")
    assert state(people, made["id"]) == ("sent", 0, 0, 590)
    before = traces(people.connection)
    with raises("credit_note_required", 409):
        _void(people.as_admin(), made)
    assert traces(people.connection) == before
    assert_books(people)


@pytest.mark.parametrize("status", ["void", "sent"])
def test_the_books_tell_of_a_void_invoice_that_is_credited_too(people: People, status: str) -> None:
    """However it came about: the proof names it."""
    made = owe(people, assembly(people, 500))
    note = credit(people.as_sales(), made["id"])
    people.connection.execute("alter table public.invoices disable trigger t40_enforce_lifecycle")
    people.connection.execute(
        "update public.invoices set status = %s where id = %s",
        [status if status == "void" else "paid", made["id"]],
    )
    people.connection.execute("alter table public.invoices enable trigger t40_enforce_lifecycle")
    found = people.as_admin().rpc("check_books", p_org_id=people.world.teak.id)
    if status == "sent":
        assert found == []
    else:
        problem = ("a void invoice and its credit note disagree", note["total"])
        assert problem in [(row["problem"], row["found"]) for row in found]


def test_why_it_was_voided_is_kept(people: People) -> None:
    """On the invoice, where whoever reads it later finds it."""
    made = owe(people, assembly(people))
    done = _void(people.as_admin(), made)
    assert (done["status"], done["void_reason"]) == ("void", "Wrong customer")
    draft = people.as_sales().rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=made["customer_id"],
        p_lines=[assembly(people)],
        p_options={"draft": True},
    )
    assert "void_reason" not in draft
    assert _void(people.as_sales(), draft)["void_reason"] == "Wrong customer"
