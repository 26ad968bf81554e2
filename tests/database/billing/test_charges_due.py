"""Interest, fees and late fees of instalments on a statement: due, but no part of any invoice."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from backend.app.services.documents import kinds
from tests.database.billing import credit as instalments
from tests.database.billing.money import credit
from tests.documents import reading
from tests.support.personas import new_id
from tests.support.world import People


def _agreed(people: People) -> instalments.Agreement:
    """2,360.00 in four parts, each with interest of 23.60; 50.00 for the papers, 75.00 when late."""
    return instalments.sold_on_credit(
        people,
        4,
        interest={"kind": "flat", "annual_percent": 12},
        fees=[{"name": "Processing", "amount": 50}],
        late_fee=75,
    )


def _statement(people: People, agreement: instalments.Agreement, last: date) -> Any:
    first = instalments.today(people.connection) - timedelta(days=400)
    asked = {"p_customer_id": agreement["customer_id"], "p_from": first, "p_to": last}
    return people.as_admin().rpc("statement", **asked)


def _due(people: People, agreement: instalments.Agreement, last: date) -> Decimal:
    found: Decimal = _statement(people, agreement, last)["charges_due"]
    return found


def test_a_statement_tells_what_is_due_besides(people: People) -> None:
    """From the due date on, with late fees from their day, until it is paid; what bounced is due again."""
    made = _agreed(people)
    first = date.fromisoformat(made["schedule"][0]["due_on"])
    instalments.run_job(people, first + timedelta(days=3))
    late = instalments.read(people, made)
    assert _due(people, made, first - timedelta(days=1)) == 0
    assert _due(people, made, first) == Decimal("73.60")
    assert _due(people, made, first + timedelta(days=3)) == Decimal("148.60")
    whole = _statement(people, made, first + timedelta(days=3))
    assert late["due_now"] == late["schedule"][0]["principal"] + whole["charges_due"]
    # Nothing of it is in the account, whose balance is that of the invoices.
    assert whole["closing"] == whole["owed"] == 2360
    text = reading.text(kinds.render("statement", whole, None, None))
    assert "to be paid besides: ₹148.60." in text

    paid = instalments.pay_in(people, made, late["schedule"][0]["total"])["payment"]
    assert _due(people, made, first + timedelta(days=3)) == 0
    quiet = _statement(people, made, first + timedelta(days=3))
    assert "besides" not in reading.text(kinds.render("statement", quiet, None, None))
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=paid["id"], p_reason="Bounced")
    assert _due(people, made, first + timedelta(days=3)) == Decimal("148.60")


def test_what_is_waived_rescheduled_or_voided_is_not_due(people: People) -> None:
    """And a fee that goes along to another agreement is due with its first instalment, once."""
    made = _agreed(people)
    first = date.fromisoformat(made["schedule"][0]["due_on"])
    instalments.run_job(people, first + timedelta(days=3))
    people.as_admin().rpc(
        "waive_charge",
        p_id=new_id(),
        p_agreement_id=made["id"],
        p_no=1,
        p_component="late_fee",
        p_amount=70,
        p_reason="Was ill",
    )
    assert _due(people, made, first + timedelta(days=3)) == Decimal("78.60")
    new = people.as_admin().rpc(
        "reschedule",
        p_id=new_id(),
        p_agreement_id=made["id"],
        p_terms=instalments.terms(people, 2),
        p_reason="Asked for it",
    )
    again = date.fromisoformat(new["schedule"][0]["due_on"])
    assert _due(people, made, again - timedelta(days=1)) == 0
    assert _due(people, made, again) == new["schedule"][0]["fee"] > 0
    credit(people.as_admin(), made["invoice_id"])
    assert _due(people, made, again) == new["schedule"][0]["fee"], "goods came back; what was earned stays"


def test_each_sees_the_charges_of_his_branches(people: People) -> None:
    made = _agreed(people)
    last = date.fromisoformat(made["schedule"][-1]["due_on"])
    elsewhere = people.connection.execute(
        "select private.charges_due(%s, array[%s]::uuid[], %s::uuid, %s)",
        [people.world.teak.id, people.world.mum.id, made["customer_id"], last],
    ).fetchone()
    assert elsewhere == (0,)
    assert _due(people, made, last) == made["interest"] + made["fees"]
