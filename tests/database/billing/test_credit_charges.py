"""Charges of instalments: interest and fees when the price changes, is voided, or the books are closed."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.database.billing.credit import (
    Agreement,
    agree,
    buyer,
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
from tests.database.billing.money import credit
from tests.database.billing.offers import adjust_points, balance, program
from tests.support.personas import new_id, raises
from tests.support.world import People


def test_points_pay_no_instalments(people: People) -> None:
    """Interest and fees come first in every instalment; points pay prices, before the agreement or not."""
    program(people)
    customer = buyer(people)
    adjust_points(people, customer, 5000)
    invoice = owe(people, customer)
    arguments = {"p_invoice_id": invoice["id"], "p_amount": 180}
    people.as_cashier().rpc("redeem_points", p_id=new_id(), **arguments)
    made = agree(people, invoice["id"], terms(people))
    assert made["financed"] == 1000
    before = balance(people, customer)
    with raises("agreement_exists", 409) as refusal:
        people.as_cashier().rpc("redeem_points", p_id=new_id(), **arguments)
    assert refusal.facts["agreement_id"] == made["id"]
    assert balance(people, customer) == before
    in_order(people)
    assert pay_in(people, made, 1000)["status"] == "completed"
    in_order(people)


def _dear(people: People, **others: Any) -> Agreement:
    """11,800.00 in twelve instalments at 24 % a year on what is left."""
    invoice = owe(people, buyer(people, 20_000), 20)
    interest = {"kind": "reducing", "annual_percent": 24}
    return agree(people, invoice["id"], terms(people, 12, interest=interest, **others))


def _back(people: People, made: Agreement, quantity: int) -> Agreement:
    """Some hours less: the agreement after their credit note."""
    line = {"line_no": 1, "quantity": quantity, "disposition": "none"}
    credit(people.as_sales(), made["invoice_id"], [line])
    return read(people, made)


def test_interest_follows_what_is_still_lent(people: People) -> None:
    """Reducing: half the price credited on the first day leaves interest on the other half alone."""
    made = _dear(people)
    now = _back(people, made, 10)
    left = Decimal(5900)
    for row in now["schedule"]:
        open_principal = row["principal"] - row["principal_paid"]
        assert abs(row["interest"] - left * 2 / 100) <= Decimal("0.01")
        left -= open_principal
    assert left == 0
    assert now["settlement_amount"] == 5900
    in_order(people)
    # In two steps as in one, but for what rounding leaves.
    other = _dear(people)
    _back(people, other, 4)
    assert abs(_back(people, other, 6)["interest"] - now["interest"]) <= Decimal("0.12")
    in_order(people)


def test_interest_that_was_earned_stays(people: People) -> None:
    """By the day: what is due keeps its interest, the interval under way that of its days so far."""
    first = today(people.connection) + timedelta(days=30)
    made = _dear(people, first=first)
    set_today(people.connection, first + timedelta(days=1))
    second = date.fromisoformat(made["schedule"][1]["due_on"])
    now = _back(people, made, 10)
    assert now["schedule"][0]["interest"] == Decimal(236)
    # Of the second interval one day was lent whole; then 5,900.00 less went on being owed.
    was, days = made["schedule"][1]["interest"], (second - first).days
    lent = Decimal(11800) - made["schedule"][0]["principal"]
    due = was * (1 + (days - 1) * (lent - 5900) / lent) / days
    assert abs(now["schedule"][1]["interest"] - due) <= Decimal("0.01")
    in_order(people)


def test_flat_interest_goes_with_its_principal(people: People) -> None:
    """An instalment that is credited in part bears its part of the interest."""
    made = sold_on_credit(people, 4, 4, interest={"kind": "flat", "annual_percent": 12})
    now = _back(people, made, 1)
    # 2,360.00 in four parts of 590.00 with 23.60 each: one is gone.
    assert (now["interest"], now["schedule"][3]["outstanding"]) == (Decimal("70.80"), 0)
    made = sold_on_credit(people, 4, 2, interest={"kind": "flat", "annual_percent": 12})
    assert _back(people, made, 1)["interest"] == made["interest"] - made["schedule"][1]["interest"] / 2
    in_order(people)


def test_interest_that_was_prepaid_stays(people: People) -> None:
    """What was paid of interest is not given back by a credit note."""
    made = _dear(people)
    pay_in(people, made, made["schedule"][0]["total"] + 100)
    now = _back(people, made, 20 - 3)
    assert now["schedule"][0]["interest"] == made["schedule"][0]["interest"]
    assert now["schedule"][1]["interest"] == now["schedule"][1]["interest_paid"] == 100
    in_order(people)


def test_what_settles_it_falls_by_what_was_credited(people: People) -> None:
    """Between due dates, and again days later: what was lent until today has earned its interest, once."""
    first = today(people.connection) + timedelta(days=30)
    made = _dear(people, first=first)
    for day, quantity in ((5, 3), (11, 4), (35, 2), (44, 5), (44, 6)):
        set_today(people.connection, first + timedelta(days=day - 30))
        before = read(people, made)["settlement_amount"]
        after = _back(people, made, quantity)["settlement_amount"]
        assert abs(before - after - 590 * quantity) <= Decimal("0.02"), (day, before, after)
    assert read(people, made)["settlement_amount"] == read(people, made)["outstanding"] > 0
    in_order(people)


def _reschedule(people: People, made: Agreement, count: int = 2) -> Agreement:
    answer: Agreement = people.as_admin().rpc(
        "reschedule",
        p_id=new_id(),
        p_agreement_id=made["id"],
        p_terms=terms(people, count),
        p_reason="Asked for it",
    )
    return answer


def _owed_by_charges(people: People, customer: Any) -> Decimal:
    """Interest and fees charged to a customer by now, less what he paid of them: of all his agreements."""
    row = people.connection.execute(
        "select coalesce((select sum(c.amount) from public.credit_charges c join public.credit_agreements a "
        "on a.org_id = c.org_id and a.id = c.agreement_id where a.customer_id = %(c)s "
        "and c.component <> 'principal'), 0) - coalesce((select sum(s.amount) "
        "from public.credit_settlements s join public.credit_agreements a "
        "on a.org_id = s.org_id and a.id = s.agreement_id where a.customer_id = %(c)s "
        "and s.component <> 'principal'), 0)",
        {"c": customer},
    ).fetchone()
    assert row is not None
    return Decimal(row[0])


def test_a_void_after_a_rescheduling(people: People) -> None:
    """What was paid of the first agreement's fee is the customer's again, too; nothing of either is owed."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    payment = pay_in(people, made, 20)["payment"]
    new = _reschedule(people, made)
    people.as_cashier().rpc(
        "void_sale", p_id=new_id(), p_invoice_id=made["invoice_id"], p_reason="Wrong customer"
    )
    assert people.as_cashier().rpc("get_payment", p_id=payment["id"])["unallocated"] == 20
    assert (read(people, new)["status"], read(people, made)["status"]) == ("cancelled", "rescheduled")
    assert _owed_by_charges(people, made["customer_id"]) == 0
    in_order(people)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=payment["id"], p_reason="Bounced")
    assert _owed_by_charges(people, made["customer_id"]) == 0
    in_order(people)


def test_what_is_owed_of_charges_is_what_the_ledgers_say(people: People) -> None:
    """A fee whose payment bounced after a rescheduling is owed once, under the new agreement."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    bounced = pay_in(people, made, 120, p_method="cheque")["payment"]
    new = _reschedule(people, made)
    assert _owed_by_charges(people, made["customer_id"]) == 0
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="Bounced")
    assert _owed_by_charges(people, made["customer_id"]) == 20
    assert pay_in(people, new, 1200)["status"] == "completed"
    assert _owed_by_charges(people, made["customer_id"]) == 0
    in_order(people)


def test_a_settled_agreement_that_was_voided_owes_nothing(people: People) -> None:
    """The rebate of a settlement that bounced is owed again by an agreement that lives, no cancelled one."""
    made = sold_on_credit(people, interest={"kind": "reducing", "annual_percent": 24})
    people.as_cashier().rpc(
        "settle_early", p_id=new_id(), p_agreement_id=made["id"], p_amount=1180, p_method="cheque"
    )
    (row,) = people.as_cashier().select(
        "select payment_id from public.payment_allocations where invoice_id = %s", [made["invoice_id"]]
    )
    people.as_cashier().rpc(
        "void_sale", p_id=new_id(), p_invoice_id=made["invoice_id"], p_reason="Wrong customer"
    )
    people.as_admin().rpc(
        "reverse_payment", p_id=new_id(), p_payment_id=row["payment_id"], p_reason="Bounced"
    )
    assert _owed_by_charges(people, made["customer_id"]) == 0
    in_order(people)


def test_the_proof_names_what_a_cancelled_agreement_kept(people: People) -> None:
    """check_books finds a settlement that a void has left behind."""
    made = sold_on_credit(people, fees=[{"name": "Fee", "amount": 20}])
    people.as_cashier().rpc("void_sale", p_id=new_id(), p_invoice_id=made["invoice_id"], p_reason="Typo")
    in_order(people)
    people.connection.execute(
        "insert into public.credit_settlements (org_id, agreement_id, no, branch_id, component, amount) "
        "values (%s, %s, 1, %s, 'fee', 5)",
        [people.world.teak.id, made["id"], made["branch_id"]],
    )
    found = people.as_admin().rpc("check_books", p_org_id=people.world.teak.id)
    assert "a voided sale's agreement still has something settled or owed" in {f["problem"] for f in found}


def test_a_late_fee_in_closed_books(people: People) -> None:
    """Who closed the books through today gets the fee on the first open day, and the job goes on."""
    made = sold_on_credit(people, late_fee=15)
    day = today(people.connection) + timedelta(days=31)
    set_today(people.connection, day)
    people.connection.execute(
        "update public.organizations set books_closed_through = %s where id = %s",
        [day + timedelta(days=2), people.world.teak.id],
    )
    assert run_job(people)["late_fees"] > 0
    (row,) = people.as_cashier().select(
        "select charged_on from public.credit_charges where agreement_id = %s and kind = 'late_fee'",
        [made["id"]],
    )
    assert row["charged_on"] == day + timedelta(days=3)
    assert run_job(people)["late_fees"] == 0
    in_order(people)


def test_flat_interest_loses_nothing_to_division(people: People) -> None:
    """Multiplied first: 7 % a year is no decimal by the month. 10,002.00 * 21 / 1,200 is 175.035."""
    quote = people.as_nobody().rpc(
        "quote_credit",
        p_amount=Decimal(10002),
        p_terms=terms(people, 3, interest={"kind": "flat", "annual_percent": 7}),
        p_date=today(people.connection),
    )
    assert quote["interest"] == Decimal("175.04")


def test_one_house_does_not_stop_the_others(people: People) -> None:
    """The job is each house's own: what fails in one is said and undone there alone."""
    made, lagoon = sold_on_credit(people, late_fee=15), people.world.lagoon.id
    day = today(people.connection) + timedelta(days=31)
    people.connection.execute(
        "create or replace function private.credit_today(p_org_id uuid, p_branch_id uuid) returns date "
        "language plpgsql stable set search_path = '' as $$ begin "
        f"if p_org_id = '{lagoon}' then raise exception 'no date'; end if; return date '{day}'; end; $$"
    )
    done = people.connection.execute(
        "select o, private.do_job('overdue-instalments', o) -> 'ok' "
        "from unnest(private.begin_job('overdue-instalments')) o"
    ).fetchall()
    assert {org for org, ok in done if not ok} == {lagoon}
    assert people.world.teak.id in {org for org, ok in done if ok}
    failing = people.connection.execute("select job, org_id, error from private.failing_jobs").fetchall()
    assert failing == [("overdue-instalments", lagoon, "P0001: no date")]
    assert read(people, made)["overdue"] > 0
    assert len(events(people, made, "instalment.reminder")) == 1
