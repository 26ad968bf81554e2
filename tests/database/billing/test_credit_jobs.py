"""The daily job of instalments: overdue, late fee, default, recovery, reminders; each once, by local date."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

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
from tests.support.world import People

NOTHING = {"agreements": 0, "overdue": 0, "late_fees": 0, "defaulted": 0, "reminders": 0}


def _phone(people: People, **others: Any) -> Agreement:
    """Four parts of 295.00, five days of grace, 15.00 when late, default 40 days after a due date."""
    return sold_on_credit(people, grace_days=5, late_fee=15, default_after_days=40, **others)


def _due(agreement: Agreement, no: int = 1) -> date:
    return date.fromisoformat(agreement["schedule"][no - 1]["due_on"])


def _clear(people: People) -> None:
    """Let the job do what the world has left for it."""
    run_job(people)


def test_grace_then_overdue_with_one_late_fee(people: People) -> None:
    """Until the last day of grace nothing happens; the day after, once; run again, nothing more."""
    made = _phone(people)
    set_today(people.connection, _due(made) + timedelta(days=5))
    _clear(people)
    assert (read(people, made)["schedule"][0]["status"], read(people, made)["late_fees"]) == ("pending", 0)
    assert read(people, made)["due_now"] == 295
    done = run_job(people, _due(made) + timedelta(days=6))
    assert (done["overdue"], done["late_fees"], done["defaulted"]) == (1, 1, 0)
    now = read(people, made)
    assert (now["schedule"][0]["status"], now["overdue"], now["late_fees"]) == ("overdue", 310, 15)
    assert [row["status"] for row in now["schedule"][1:]] == ["pending"] * 3
    assert run_job(people) == NOTHING
    assert read(people, made) == now
    run_job(people, _due(made) + timedelta(days=9))
    assert read(people, made)["late_fees"] == 15
    in_order(people)


def test_a_late_fee_that_was_waived_does_not_come_back(people: People) -> None:
    """Once per instalment, whatever became of it."""
    made = _phone(people)
    run_job(people, _due(made) + timedelta(days=6))
    people.as_admin().rpc(
        "waive_charge",
        p_id=new_id(),
        p_agreement_id=made["id"],
        p_no=1,
        p_component="late_fee",
        p_amount=15,
        p_reason="He was ill",
    )
    run_job(people, _due(made) + timedelta(days=8))
    assert read(people, made)["late_fees"] == 0


def test_default_and_recovery(people: People) -> None:
    """40 days after a due date the agreement and the customer are in default, until nothing is overdue."""
    made = _phone(people)
    day = _due(made) + timedelta(days=40)
    run_job(people, day)
    assert (read(people, made)["status"], credit_status(people, made)) == ("active", "active")
    run_job(people, day + timedelta(days=1))
    assert (read(people, made)["status"], credit_status(people, made)) == ("defaulted", "defaulted")
    (event,) = events(people, made, "credit_agreement.defaulted")
    assert event["customer_id"] == made["customer_id"]
    # The second instalment is overdue by now too: the first alone does not help.
    assert read(people, made)["overdue"] == 2 * 310
    assert pay_in(people, made, 310)["status"] == "defaulted"
    assert pay_in(people, made, 309)["status"] == "defaulted"
    assert pay_in(people, made, 1)["status"] == "active"
    assert credit_status(people, made) == "active"
    in_order(people)
    assert pay_in(people, made, 590)["status"] == "completed"
    assert credit_status(people, made) == "completed"
    in_order(people)


def test_recovery_to_the_end_at_once(people: People) -> None:
    """Who pays everything is done, without a step in between."""
    made = _phone(people)
    run_job(people, _due(made) + timedelta(days=41))
    assert pay_in(people, made, read(people, made)["outstanding"])["status"] == "completed"
    assert [e["was"] for e in events(people, made, "credit_agreement.completed")] == ["defaulted"]


def test_a_bounced_cheque_brings_the_default_back(people: People) -> None:
    """What had cured it did not stand."""
    made = _phone(people)
    run_job(people, _due(made) + timedelta(days=41))
    payment = pay_in(people, made, 620, p_method="cheque")["payment"]
    assert credit_status(people, made) == "active"
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=payment["id"], p_reason="Bounced")
    assert credit_status(people, made) == "defaulted"
    in_order(people)


def test_no_new_credit_in_default(people: People) -> None:
    """Neither on account nor on instalments, but for cash as anybody; an admin may decide otherwise."""
    made = _phone(people)
    customer = made["customer_id"]
    second = owe(people, customer, 1)
    run_job(people, _due(made) + timedelta(days=41))
    for paid in (None, Decimal("589.99")):
        with raises("customer_defaulted", 422):
            owe(people, customer, 1, deposit=paid)
    with raises("customer_defaulted", 422) as refusal:
        agree(people, second["id"], terms(people))
    assert refusal.facts["customer_id"] == str(customer)
    assert owe(people, customer, 1, deposit=590)["status"] == "paid"
    other = agree(people, second["id"], terms(people), people.as_admin())
    assert (other["status"], credit_status(people, made)) == ("active", "defaulted")
    # The other agreement in order does not make up for the one that is not.
    pay_in(people, other, 590)
    assert credit_status(people, made) == "defaulted"


def test_rescheduling_ends_the_default(people: People) -> None:
    """With approval the customer is active again under the new dates."""
    made = _phone(people)
    run_job(people, _due(made) + timedelta(days=41))
    new = people.as_admin().rpc(
        "reschedule",
        p_id=new_id(),
        p_agreement_id=made["id"],
        p_terms=terms(people, 6),
        p_reason="Has work again",
    )
    assert (new["status"], new["credit_status"], new["schedule"][0]["fee"]) == ("active", "active", 30)
    in_order(people)


def test_reminders_once_each(people: People) -> None:
    """Three days before, on the day, after grace: one event each; none for what is paid."""
    made = _phone(people, remind_days_before=3)
    due = _due(made)
    for days in (-4, -3, -2, 0, 1, 5, 6, 7):
        run_job(people, due + timedelta(days=days))
        run_job(people)
    seen = [(e["no"], e["kind"], e["amount"]) for e in events(people, made, "instalment.reminder")]
    assert seen == [(1, "before", 295), (1, "due", 295), (1, "after", 310)]
    rows = people.as_cashier().select(
        "select kind, reminded_on - %s as days from public.credit_reminders where agreement_id = %s "
        "order by days",
        [due, made["id"]],
    )
    assert [(row["kind"], row["days"]) for row in rows] == [("before", -3), ("due", 0), ("after", 6)]
    pay_in(people, made, 310 + 295)
    run_job(people, _due(made, 2) + timedelta(days=6))
    assert len(events(people, made, "instalment.reminder")) == 3


def test_a_job_that_did_not_run_for_days(people: People) -> None:
    """It catches up: everything that is late by then, the reminder that fits the day and no older one."""
    made = _phone(people)
    run_job(people, _due(made, 4) + timedelta(days=6))
    now = read(people, made)
    assert (now["status"], now["late_fees"], now["overdue"]) == ("defaulted", 60, 1240)
    assert [e["kind"] for e in events(people, made, "instalment.reminder")] == ["after"] * 4
    in_order(people)


def test_each_branch_by_its_own_date(people: People) -> None:
    """At one instant it is another day in Auckland than in Honolulu, and something is overdue in one."""
    made = _phone(people, first=today(people.connection) + timedelta(days=2))
    due = _due(made)
    # Ten past eleven in the evening, UTC, of the last day of grace.
    people.connection.execute(
        "create or replace function private.credit_today(p_org_id uuid, p_branch_id uuid) returns date "
        "language plpgsql stable set search_path = '' as $$ begin return private.local_date(p_org_id, "
        f"p_branch_id, timestamptz '{due + timedelta(days=5)} 23:10+00'); end; $$"
    )
    branch = people.world.blr.id
    people.connection.execute(
        "update public.branches set timezone = 'Pacific/Honolulu' where id = %s", [branch]
    )
    run_job(people)
    assert read(people, made)["schedule"][0]["status"] == "pending"
    people.connection.execute(
        "update public.branches set timezone = 'Pacific/Auckland' where id = %s", [branch]
    )
    run_job(people)
    assert read(people, made)["schedule"][0]["status"] == "overdue"


def test_the_clock_is_the_branchs(people: People) -> None:
    """The real one, which other tests replace: where the day ends last it is due, a day ahead it is late."""

    def go_to(timezone: str) -> date:
        people.connection.execute(
            "update public.branches set timezone = %s where id = %s", [timezone, people.world.blr.id]
        )
        return datetime.now(ZoneInfo(timezone)).date()

    day = go_to("Etc/GMT+12")
    made = sold_on_credit(people, first=day)
    assert (made["opened_on"], made["today"], made["due_now"]) == (str(day), str(day), 295)
    run_job(people)
    assert read(people, made)["schedule"][0]["status"] == "pending"
    ahead = go_to("Pacific/Kiritimati")
    run_job(people)
    late = read(people, made)
    assert (late["today"], late["schedule"][0]["status"]) == (str(ahead), "overdue")
    (listed,) = [
        row
        for row in people.as_sales().rpc("instalments_overdue", p_org_id=people.world.teak.id)
        if row["agreement_id"] == made["id"]
    ]
    assert listed["days_late"] == (ahead - day).days > 0


def test_lists_of_what_is_due_and_overdue(people: People) -> None:
    """By branch and until a date, oldest first; what is paid is not on them; other branches' neither."""
    made = _phone(people)
    house, blr = people.world.teak.id, people.world.blr.id
    set_today(people.connection, _due(made) + timedelta(days=6))

    def listed(function: str, **others: object) -> list[tuple[Any, ...]]:
        rows = people.as_sales().rpc(function, p_org_id=house, p_branch_id=blr, **others)
        mine = [row for row in rows if row["agreement_id"] == made["id"]]
        return [(row["no"], row["outstanding"], row["days_late"]) for row in mine]

    assert listed("instalments_due") == [(1, 295, 6)]
    assert listed("instalments_overdue") == []
    _clear(people)
    assert listed("instalments_overdue") == [(1, 310, 6)]
    assert listed("instalments_due", p_until=_due(made, 2)) == [(1, 310, 6), (2, 295, 0)]
    pay_in(people, made, 310)
    assert listed("instalments_overdue") == []
    with raises("not_found", 404):
        people.as_sales().rpc("instalments_due", p_org_id=house, p_branch_id=people.world.mum.id)
    with raises("permission_denied", 403):
        people.as_cashier().rpc("instalments_due", p_org_id=house, p_branch_id=blr)


def test_the_job_for_every_house(people: People) -> None:
    """What the clock calls does the same, without anybody signed in; requests cannot call it."""
    made = _phone(people)
    set_today(people.connection, _due(made) + timedelta(days=41))
    people.connection.execute("select private.do_job('overdue-instalments', %s)", [people.world.teak.id])
    assert read(people, made)["status"] == "defaulted"
    assert run_job(people) == NOTHING
    (row,) = people.as_cashier().select(
        "select created_by from public.credit_charges where agreement_id = %s and kind = 'late_fee' limit 1",
        [made["id"]],
    )
    assert row["created_by"] is None
    with pytest.raises(Exception, match="permission denied"):
        people.as_admin().execute("select private.do_job('overdue-instalments', %s)", [people.world.teak.id])
    with raises("permission_denied", 403):
        people.as_sales().rpc("run_overdue", p_org_id=people.world.teak.id)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    paid=st.lists(st.decimals("0.01", 400, places=2), max_size=4),
    first=st.sampled_from([date(2028, 1, 29), date(2028, 1, 30), date(2028, 1, 31), date(2027, 12, 31)]),
    grace=st.integers(0, 10),
)
def test_late_fees_never_twice(
    people: People, days: list[int], paid: list[Decimal], first: date, grace: int
) -> None:
    """However often and when it runs, across month ends: at most one fee each, and only after grace."""
    with people.connection.transaction(force_rollback=True):
        set_today(people.connection, first - timedelta(days=1))
        invoice = owe(people, buyer(people))
        made = agree(people, invoice["id"], terms(people, 3, first=first, grace_days=grace, late_fee=7))
        day = first
        for number, step in enumerate(days):
            day += timedelta(days=step)
            run_job(people, day)
            assert run_job(people) == NOTHING
            for row in read(people, made)["schedule"]:
                late = date.fromisoformat(row["due_on"]) + timedelta(days=grace) < day
                assert row["late_fee"] in ({0, 7} if late else {0})
                assert row["outstanding"] == 0 or (row["status"] == "overdue") == late
                assert row["late_fee"] == 7 or not late or row["outstanding"] == 0
            if number < len(paid) and read(people, made)["outstanding"] >= paid[number]:
                pay_in(people, made, paid[number])
            in_order(people)
