"""Charges of instalments: what becomes of interest and fees when the price changes, is voided, or the books are closed."""

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
    """Interest and fees come first in every instalment, and points pay prices: before the agreement, or not."""
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


def test_flat_interest_loses_nothing_to_division(people: People) -> None:
    """Multiplied first: 7 % a year is no decimal by the month, and costs no paisa. 10,002.00 * 21 / 1,200 is 175.035."""
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
    notices: list[str] = []
    people.connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
    row = people.connection.execute("select private.run_overdue_all()").fetchone()
    assert row == (1,)
    assert [n for n in notices if str(lagoon) in n and "no date" in n] != []
    assert read(people, made)["overdue"] > 0
    assert len(events(people, made, "instalment.reminder")) == 1
