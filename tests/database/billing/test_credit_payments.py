"""Paying instalments: the stated order, ahead of time, at once, rescheduled, waived, and taken back."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.credit import (
    Agreement,
    agree,
    buyer,
    credit_status,
    events,
    in_order,
    owe,
    pay_in,
    read,
    run_job,
    set_today,
    sold_on_credit,
    terms,
    today,
)
from tests.support.personas import new_id, raises
from tests.support.refusals import code_of
from tests.support.world import People


def _invoice(people: People, agreement: Agreement) -> dict[str, Any]:
    answer: dict[str, Any] = people.as_cashier().rpc("get_invoice", p_id=agreement["invoice_id"])
    return answer


def _parts(agreement: Agreement, no: int) -> tuple[Any, ...]:
    """Late fee, fee, interest, principal paid of one instalment."""
    row = agreement["schedule"][no - 1]
    return (row["late_fee_paid"], row["fee_paid"], row["interest_paid"], row["principal_paid"])


def test_the_order(people: People) -> None:
    """The oldest instalment first; within it late fee, fee, interest, principal."""
    made = sold_on_credit(
        people,
        interest={"kind": "flat", "annual_percent": 12},
        fees=[{"name": "Processing", "amount": 40}],
        late_fee=15,
    )
    # 1,180.00 in four parts of 295.00, 47.20 of interest in four of 11.80.
    assert [row["total"] for row in made["schedule"]] == [
        Decimal("346.80"),
        Decimal("306.80"),
        Decimal("306.80"),
        Decimal("306.80"),
    ]
    run_job(people, today(people.connection) + timedelta(days=31))
    assert pay_in(people, made, 10)["schedule"][0]["late_fee_paid"] == 10
    assert _parts(pay_in(people, made, 30), 1) == (15, 25, 0, 0)
    assert _parts(pay_in(people, made, 20), 1) == (15, 40, 5, 0)
    assert _invoice(people, made)["paid"] == 0
    now = pay_in(people, made, Decimal("6.80") + 95)
    assert _parts(now, 1) == (15, 40, Decimal("11.80"), 95)
    assert (_invoice(people, made)["paid"], _invoice(people, made)["status"]) == (95, "partially_paid")
    assert (now["schedule"][0]["status"], now["overdue"]) == ("overdue", 200)
    # What is more than is due goes to the next instalment, interest first.
    now = pay_in(people, made, 250)
    assert (now["schedule"][0]["status"], now["overdue"], now["due_now"]) == ("paid", 0, 0)
    assert _parts(now, 2) == (0, 0, Decimal("11.80"), Decimal("38.20"))
    assert now["next_due"]["no"] == 2
    in_order(people)


def test_paid_to_the_end(people: People) -> None:
    """The last payment completes agreement, invoice and customer; charges are beside it."""
    made = sold_on_credit(people, interest={"kind": "reducing", "annual_percent": 24})
    assert credit_status(people, made) == "active"
    for row in made["schedule"]:
        now = pay_in(people, made, row["total"])
    assert (now["status"], now["outstanding"], now["settlement_amount"]) == ("completed", 0, 0)
    assert credit_status(people, made) == "completed"
    assert (_invoice(people, made)["status"], _invoice(people, made)["balance"]) == ("paid", 0)
    assert (now["payment"]["unallocated"], now["payment"]["charges"]) == (0, made["schedule"][3]["interest"])
    assert len(events(people, made, "credit_agreement.completed")) == 1
    with raises("agreement_closed", 409):
        pay_in(people, made, 1)
    in_order(people)


def test_never_more_than_is_owed(people: People) -> None:
    """Neither by pay_agreement nor by record_payment on the invoice; a repeat pays once."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    with raises("agreement_overpaid", 422) as refusal:
        pay_in(people, made, Decimal("1200.01"))
    assert (refusal.facts["outstanding"], refusal.facts["excess"]) == (1200, Decimal("0.01"))
    asked = {"invoice_id": made["invoice_id"], "amount": 1201}
    with raises("agreement_overpaid", 422):
        people.as_cashier().rpc(
            "record_payment",
            p_id=new_id(),
            p_customer_id=made["customer_id"],
            p_amount=1201,
            p_method="upi",
            p_allocations=[asked],
        )
    key = new_id()
    once = pay_in(people, made, 1000, p_id=key)
    assert pay_in(people, made, 1000, p_id=key) == once
    assert once["paid"] == 1000
    with raises("id_reused", 409):
        pay_in(people, made, 999, p_id=key)
    in_order(people)


def test_record_payment_follows_the_same_order(people: People) -> None:
    """Named or not, the invoice takes fee and interest first; the rest stays credit."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    payment = people.as_cashier().rpc(
        "record_payment", p_id=new_id(), p_customer_id=made["customer_id"], p_amount=100, p_method="upi"
    )
    assert (payment["charges"], payment["allocations"][0]["amount"], payment["unallocated"]) == (20, 80, 0)
    (settled,) = payment["agreements"]
    assert (settled["id"], settled["number"]) == (made["id"], made["number"])
    assert (settled["instalments"], settled["amount"], settled["status"]) == ([1], 100, "active")
    payment = people.as_cashier().rpc(
        "record_payment", p_id=new_id(), p_customer_id=made["customer_id"], p_amount=1200, p_method="upi"
    )
    assert (payment["unallocated"], read(people, made)["status"]) == (100, "completed")
    (settled,) = payment["agreements"]
    assert (settled["instalments"], settled["amount"]) == ([1, 2, 3, 4], 1100)
    assert (settled["status"], settled["outstanding"], settled["next_due"]) == ("completed", 0, None)
    in_order(people)


def test_a_held_payment_pays_instalments_later(people: People) -> None:
    """allocate_payment goes the same way, and what went to charges cannot be refunded."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    held = people.as_cashier().rpc(
        "record_payment",
        p_id=new_id(),
        p_customer_id=made["customer_id"],
        p_amount=30,
        p_method="upi",
        p_options={"hold": True},
    )
    assert held["agreements"] == []
    done = people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=held["id"])
    assert [row["amount"] for row in done["agreements"]] == [30]
    assert (done["charges"], done["allocations"][0]["amount"], done["unallocated"]) == (20, 10, 0)
    with raises("refund_exceeds_credit", 422):
        people.as_admin().rpc(
            "refund",
            p_id=new_id(),
            p_customer_id=made["customer_id"],
            p_amount=1,
            p_method="upi",
            p_options={"payment_id": held["id"]},
        )
    in_order(people)


def test_settling_early_saves_interest_for_time_not_used(people: People) -> None:
    """Reducing: nothing of later intervals, of the one under way by the day. The amount is the server's."""
    made = sold_on_credit(people, interest={"kind": "reducing", "annual_percent": 24})
    start = date.fromisoformat(made["opened_on"])
    # Before any time has passed only the price is owed.
    assert made["settlement_amount"] == 1180
    set_today(people.connection, start + timedelta(days=15))
    half = (made["schedule"][0]["interest"] / 2).quantize(Decimal("0.01"))
    owed = read(people, made)["settlement_amount"]
    assert abs(owed - 1180 - half) <= Decimal("0.01")
    arguments: dict[str, Any] = {
        "p_id": new_id(),
        "p_agreement_id": made["id"],
        "p_amount": made["total"],
        "p_method": "card",
    }
    with raises("settlement_changed", 409) as refusal:
        people.as_cashier().rpc("settle_early", **arguments)
    assert refusal.facts["amount"] == owed
    arguments["p_amount"] = owed
    done = people.as_cashier().rpc("settle_early", **arguments)
    assert people.as_cashier().rpc("settle_early", **arguments) == done
    assert (done["status"], done["paid"], done["total"], done["outstanding"]) == ("completed", owed, owed, 0)
    assert _invoice(people, made)["status"] == "paid"
    in_order(people)


def test_settling_early_with_flat_interest_saves_nothing(people: People) -> None:
    """The charge was agreed for the whole term; it can be waived."""
    made = sold_on_credit(people, interest={"kind": "flat", "annual_percent": 12})
    assert made["settlement_amount"] == made["total"] == Decimal("1227.20")


def test_a_settlement_that_bounces(people: People) -> None:
    """Principal, interest and the rebate are owed again as before; the customer is active again."""
    made = sold_on_credit(people, interest={"kind": "reducing", "annual_percent": 24})
    people.as_cashier().rpc(
        "settle_early", p_id=new_id(), p_agreement_id=made["id"], p_amount=1180, p_method="cheque"
    )
    assert credit_status(people, made) == "completed"
    payment = _invoice(people, made)["payments"][0]["id"]
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=payment, p_reason="Bounced")
    now = read(people, made)
    assert (now["status"], now["schedule"]) == ("active", made["schedule"])
    assert credit_status(people, made) == "active"
    in_order(people)


def test_a_payment_that_bounces(people: People) -> None:
    """Exactly what it had settled is owed again: fee, interest and principal; it settles nothing any more."""
    made = sold_on_credit(
        people,
        interest={"kind": "flat", "annual_percent": 12},
        fees=[{"name": "Fee", "amount": 20}],
    )
    pay_in(people, made, 25)
    before = read(people, made)
    bounced = pay_in(people, made, 400, p_method="cheque")["payment"]
    pay_in(people, made, 50)
    answer = people.as_admin().rpc(
        "reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="Bounced"
    )
    assert bounced["agreements"][0]["amount"] == 400
    assert (answer["unallocated"], answer["charges"], answer["allocations"]) == (0, 0, [])
    assert answer["agreements"] == []
    now = read(people, made)
    assert now["paid"] == before["paid"] + 50
    assert now["outstanding"] == before["outstanding"] - 50
    in_order(people)
    pay_in(people, made, now["outstanding"])
    assert read(people, made)["status"] == "completed"
    in_order(people)


def test_a_deposit_that_bounces(people: People) -> None:
    """It was no instalment, and is owed with the next one."""
    customer = buyer(people)
    invoice = owe(people, customer, deposit=180)
    made = agree(people, invoice["id"], terms(people, deposit=180))
    payment = invoice["payments"][0]["id"]
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=payment, p_reason="False notes")
    now = read(people, made)
    assert [row["principal"] for row in now["schedule"]] == [430, 250, 250, 250]
    in_order(people)


def test_rescheduled(people: People) -> None:
    """What is open goes on under new terms, charges owed by now with the first; the old schedule is kept."""
    made = sold_on_credit(people, late_fee=15, fees=[{"name": "Fee", "amount": 20}])
    start = date.fromisoformat(made["opened_on"])
    pay_in(people, made, 120)
    run_job(people, start + timedelta(days=40))
    old = read(people, made)
    arguments = {
        "p_id": new_id(),
        "p_agreement_id": made["id"],
        "p_terms": terms(people, 8, interest={"kind": "reducing", "annual_percent": 12}),
        "p_reason": "Lost his job",
    }
    with raises("permission_denied", 403):
        people.as_sales().rpc("reschedule", **arguments)
    new = people.as_admin().rpc("reschedule", **arguments)
    assert people.as_admin().rpc("reschedule", **arguments) == new
    assert (new["financed"], new["replaces_id"], new["reason"]) == (1080, made["id"], "Lost his job")
    assert (new["schedule"][0]["fee"], new["schedule"][1]["fee"]) == (15, 0)
    kept = read(people, made)
    assert (kept["status"], kept["outstanding"], kept["replaced_by_id"]) == ("rescheduled", 0, new["id"])
    dates = [(row["no"], row["due_on"], row["principal"]) for row in old["schedule"]]
    assert [(row["no"], row["due_on"], row["principal"]) for row in kept["schedule"]] == dates
    with raises("agreement_closed", 409):
        pay_in(people, made, 1)
    with raises("agreement_closed", 409):
        people.as_admin().rpc("reschedule", **(arguments | {"p_id": new_id()}))
    in_order(people)
    assert pay_in(people, new, new["total"])["status"] == "completed"
    in_order(people)


def test_what_bounces_after_a_rescheduling(people: People) -> None:
    """What was paid on the old agreement is owed under the new one: the fee as well as the principal."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    bounced = pay_in(people, made, 120, p_method="cheque")["payment"]
    new = people.as_admin().rpc(
        "reschedule",
        p_id=new_id(),
        p_agreement_id=made["id"],
        p_terms=terms(people, 2),
        p_reason="Asked for it",
    )
    assert new["outstanding"] == 1080
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="Bounced")
    now = read(people, new)
    assert (now["outstanding"], now["schedule"][0]["principal"], now["schedule"][0]["fee"]) == (1200, 640, 20)
    in_order(people)


def test_waived(people: People) -> None:
    """Only what is open, only by who may, with a reason; what is waived last completes."""
    made = sold_on_credit(people, count=1, fees=[{"name": "Fee", "amount": 20}])
    arguments = {
        "p_id": new_id(),
        "p_agreement_id": made["id"],
        "p_no": 1,
        "p_component": "fee",
        "p_amount": 21,
        "p_reason": "Our mistake",
    }
    with raises("waiver_exceeds_charge", 422):
        people.as_admin().rpc("waive_charge", **arguments)
    with raises("permission_denied", 403):
        people.as_sales().rpc("waive_charge", **arguments)
    with raises("invalid_input", 400):
        people.as_admin().rpc("waive_charge", **(arguments | {"p_component": "principal"}))
    with raises("invalid_input", 400):
        people.as_admin().rpc("waive_charge", **(arguments | {"p_reason": " "}))
    with raises("not_found", 404):
        people.as_admin().rpc("waive_charge", **(arguments | {"p_no": 2}))
    arguments["p_amount"] = 20
    now = people.as_admin().rpc("waive_charge", **arguments)
    assert people.as_admin().rpc("waive_charge", **arguments) == now
    assert (now["outstanding"], now["fees"]) == (1180, 0)
    assert pay_in(people, made, 1180)["status"] == "completed"
    in_order(people)


def test_goods_that_come_back(people: People) -> None:
    """A credit note shortens the schedule from its end, with the interest that is not earned."""
    made = sold_on_credit(people, interest={"kind": "flat", "annual_percent": 12})
    people.as_sales().rpc(
        "issue_credit_note",
        p_id=new_id(),
        p_invoice_id=made["invoice_id"],
        p_lines=[{"line_no": 1, "quantity": 1, "disposition": "none"}],
        p_reason="One hour less",
    )
    now = read(people, made)
    assert [row["outstanding"] for row in now["schedule"]] == [Decimal("306.80"), Decimal("306.80"), 0, 0]
    in_order(people)
    assert pay_in(people, made, Decimal("613.60"))["status"] == "completed"
    in_order(people)


def test_a_sale_that_is_voided(people: People) -> None:
    """The agreement is cancelled with it; what was paid of it, charges included, is the customer's credit."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    payment = pay_in(people, made, 50)["payment"]
    people.as_cashier().rpc(
        "void_sale", p_id=new_id(), p_invoice_id=made["invoice_id"], p_reason="Wrong customer"
    )
    now = read(people, made)
    assert (now["status"], now["outstanding"], now["paid"]) == ("cancelled", 0, 0)
    assert credit_status(people, made) == "none"
    assert people.as_cashier().rpc("get_payment", p_id=payment["id"])["unallocated"] == 50
    in_order(people)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.decimals("0.01", 700, places=2)),
        st.tuples(st.just("record"), st.decimals("0.01", 700, places=2)),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.integers(1, 50)),
        st.tuples(st.just("waive"), st.decimals("0.01", 20, places=2)),
        st.tuples(st.just("settle"), st.none()),
        st.tuples(st.just("reschedule"), st.integers(1, 6)),
    ),
    min_size=1,
    max_size=8,
)


class _Story:
    """One agreement, and whatever becomes of it; refusals are part of it."""

    def __init__(self, people: People, made: Agreement) -> None:
        self.people, self.made, self.payments = people, made, list[Any]()

    def attempt(self, step: str, value: Any) -> None:
        try:
            getattr(self, step)(value)
        except psycopg.Error as error:
            if code_of(error) not in REFUSED:
                raise

    def pay(self, amount: Decimal) -> None:
        self.payments.append(pay_in(self.people, self.made, amount)["payment"]["id"])

    def record(self, amount: Decimal) -> None:
        payment = self.people.as_cashier().rpc(
            "record_payment",
            p_id=new_id(),
            p_customer_id=self.made["customer_id"],
            p_amount=amount,
            p_method="upi",
            p_options={"branch_id": self.made["branch_id"]},
        )
        self.payments.append(payment["id"])

    def reverse(self, place: int) -> None:
        if self.payments:
            payment = self.payments[place % len(self.payments)]
            self.people.as_admin().rpc(
                "reverse_payment", p_id=new_id(), p_payment_id=payment, p_reason="Bounced"
            )

    def wait(self, days: int) -> None:
        run_job(self.people, today(self.people.connection) + timedelta(days=days))

    def waive(self, amount: Decimal) -> None:
        self.people.as_admin().rpc(
            "waive_charge",
            p_id=new_id(),
            p_agreement_id=self.made["id"],
            p_no=1,
            p_component="late_fee",
            p_amount=amount,
            p_reason="Kindness",
        )

    def settle(self, _: None) -> None:
        self.people.as_cashier().rpc(
            "settle_early",
            p_id=new_id(),
            p_agreement_id=self.made["id"],
            p_amount=read(self.people, self.made)["settlement_amount"],
            p_method="cash",
        )

    def reschedule(self, count: int) -> None:
        self.made = self.people.as_admin().rpc(
            "reschedule",
            p_id=new_id(),
            p_agreement_id=self.made["id"],
            p_terms=terms(self.people, count, late_fee=5),
            p_reason="Asked for it",
        )


REFUSED = {
    "agreement_overpaid",
    "agreement_closed",
    "payment_reversed",
    "waiver_exceeds_charge",
    "invalid_input",
    "invoice_not_open",
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS, kind=st.sampled_from(["none", "flat", "reducing"]), count=st.integers(1, 6))
def test_whatever_happens(people: People, steps: list[tuple[str, Any]], kind: str, count: int) -> None:
    """Any acts in any order: the books are in order after each, nothing is paid beyond what is owed."""
    with people.connection.transaction(force_rollback=True):
        interest = {"kind": kind} | ({"annual_percent": 24} if kind != "none" else {})
        story = _Story(
            people,
            sold_on_credit(
                people,
                count=count,
                interest=interest,
                late_fee=10,
                fees=[{"name": "Fee", "amount": 12}],
                default_after_days=40,
            ),
        )
        for step, value in steps:
            story.attempt(step, value)
            in_order(people)
            now = read(people, story.made)
            assert now["paid"] + now["outstanding"] == now["total"]
            assert now["outstanding"] >= now["due_now"] >= now["overdue"] >= 0
            expected = {"active", "defaulted"} if now["outstanding"] else {"completed"}
            assert now["status"] in expected
            assert now["settlement_amount"] <= now["outstanding"]


@pytest.mark.parametrize("role", ["cashier", "sales_executive", "admin"])
def test_who_takes_instalments(people: People, role: str) -> None:
    """Whoever records payments."""
    made = sold_on_credit(people)
    arguments = {"p_id": new_id(), "p_agreement_id": made["id"], "p_amount": 1, "p_method": "cash"}
    assert people.as_role(role).rpc("pay_agreement", **arguments)["paid"] == 1
    for other in (people.as_stockkeeper(), people.as_technician()):
        with raises("permission_denied", 403):
            other.rpc("pay_agreement", **(arguments | {"p_id": new_id()}))
