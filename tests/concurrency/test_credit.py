"""Instalments at the same moment: the daily job, payments, reversals, new agreements and new schedules."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest

from bench.shop import Shop, call
from local.processes import wait_until
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.test_money import ask, waits_for_a_lock
from tests.concurrency.together import refusals, results, together


def _let_pass(shop: Shop, days: int) -> None:
    """Let the room of sales on credit believe that it is that many days later, for everybody."""
    with psycopg.connect(shop.url, autocommit=True) as owner:
        owner.execute(
            b"create or replace function private.credit_today(p_org_id uuid, p_branch_id uuid) returns date "
            b"language plpgsql stable set search_path = '' as $$ begin "
            b"return private.local_date(p_org_id, p_branch_id, now()) + %d; end; $$" % days
        )


def _owed(shop: Shop, till: OpenTill, customer: uuid.UUID) -> uuid.UUID:
    """An invoice on credit over 118.00."""
    made = uuid.uuid4()
    shop.sell(
        till(shop), shop.branches[0], shop.variants[:1], sale_id=made, customer=customer, paid=Decimal(0)
    )
    return made


def _terms(shop: Shop) -> str:
    """Two parts, the first in ten days; two days of grace, 7.00 when late, default after 20 days."""
    first: date = ask(shop, "select (now() at time zone timezone)::date from public.branches limit 1")
    return json.dumps(
        {
            "count": 2,
            "first_due_on": str(first + timedelta(days=10)),
            "interest": {"kind": "flat", "annual_percent": 12},
            "grace_days": 2,
            "late_fee": 7,
            "default_after_days": 20,
        }
    )


def _agreement(shop: Shop, till: OpenTill, customer: uuid.UUID) -> uuid.UUID:
    """An agreement over 118.00 and 2.36 of interest."""
    made = uuid.uuid4()
    call(till(shop), "open_credit_sale", made, _owed(shop, till, customer), _terms(shop))
    return made


def _pay(shop: Shop, till: OpenTill, agreement: uuid.UUID, amount: str, key: uuid.UUID | None = None) -> Any:
    """A call that pays, ready to be made."""
    return partial(call, till(shop), "pay_agreement", key or uuid.uuid4(), agreement, Decimal(amount), "cash")


def _job(shop: Shop, till: OpenTill) -> Any:
    return partial(call, till(shop), "run_overdue", shop.org_id)


def _in_order(shop: Shop, till: OpenTill) -> bool:
    return call(till(shop), "check_books", shop.org_id) is None


def test_the_job_at_once_is_the_job_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=9)
    customers = [shop.customer(credit_limit=500) for _ in range(3)]
    for customer in customers * 2:
        _agreement(shop, till, customer)
    _let_pass(shop, 31)
    outcomes = results(together([_job(shop, till) for _ in range(6)]))
    assert len(outcomes) == 6
    for what in ("agreements", "overdue", "late_fees", "defaulted", "reminders"):
        assert sorted(outcome[what] for outcome in outcomes) == [0] * 5 + [6]
    assert ask(shop, "select count(*) from public.credit_charges where kind = 'late_fee'") == 6
    assert ask(shop, "select count(*) from private.outbox where event = 'instalment.reminder'") == 6
    assert ask(shop, "select count(*) from private.outbox where event = 'credit_agreement.defaulted'") == 6
    assert ask(shop, "select count(*) from public.customers where credit_status = 'defaulted'") == 3
    assert _in_order(shop, till)


def test_two_payments_at_once_never_exceed_what_is_owed(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    made = _agreement(shop, till, shop.customer(credit_limit=500))
    outcomes = together([_pay(shop, till, made, "70") for _ in range(4)])
    # 120.36 are owed in all.
    assert len(results(outcomes)) == 1
    assert refusals(outcomes) == ["agreement_overpaid"] * 3
    outcomes = together([_pay(shop, till, made, "50.36") for _ in range(4)])
    assert len(results(outcomes)) == 1
    assert set(refusals(outcomes)) == {"agreement_closed"}
    assert ask(shop, "select credit_status from public.customers") == "completed"
    assert _in_order(shop, till)


def test_a_payment_sent_twice_pays_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    made, key = _agreement(shop, till, shop.customer(credit_limit=500)), uuid.uuid4()
    outcomes = together([_pay(shop, till, made, "120.36", key) for _ in range(4)])
    assert refusals(outcomes) == []
    assert {json.dumps(outcome["payment"], default=str) for outcome in outcomes} == {
        json.dumps(outcomes[0]["payment"], default=str)
    }
    assert ask(shop, "select sum(amount) from public.payments") == Decimal("120.36")
    assert _in_order(shop, till)


@pytest.mark.parametrize("_round", range(3))
def test_payments_while_the_job_runs(found_shop: FoundShop, till: OpenTill, _round: int) -> None:
    shop = found_shop(stock=20)
    customers = [shop.customer(credit_limit=2000) for _ in range(2)]
    agreements = [_agreement(shop, till, customer) for customer in customers * 4]
    _let_pass(shop, 31)
    # Payments over all invoices of a customer, payments of one agreement, sales on credit, the job twice.
    everything = [
        partial(call, till(shop), "record_payment", uuid.uuid4(), customer, Decimal(300), "upi")
        for customer in customers
    ]
    outcomes = together(
        [
            _job(shop, till),
            *(_pay(shop, till, agreement, "67.18") for agreement in agreements[:4]),
            *everything,
            _job(shop, till),
            *(
                partial(
                    shop.sell,
                    till(shop),
                    shop.branches[0],
                    shop.variants[:1],
                    customer=customer,
                    paid=Decimal(0),
                )
                for customer in customers
            ),
        ]
    )
    assert set(refusals(outcomes)) <= {"agreement_closed", "agreement_overpaid"}
    fees = ask(
        shop,
        "select max(n) from (select count(*) n from public.credit_charges where kind = 'late_fee' "
        "group by agreement_id, no) f",
    )
    assert fees in (None, 1)
    assert call(till(shop), "run_overdue", shop.org_id)["late_fees"] == 0
    assert _in_order(shop, till)


def test_one_invoice_gets_one_agreement(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=5)
    invoice, asked = _owed(shop, till, shop.customer(credit_limit=500)), _terms(shop)
    outcomes = together(
        [partial(call, till(shop), "open_credit_sale", uuid.uuid4(), invoice, asked) for _ in range(4)]
    )
    assert len(results(outcomes)) == 1
    assert refusals(outcomes) == ["agreement_exists"] * 3
    assert _in_order(shop, till)


@pytest.mark.parametrize("_round", range(3))
def test_a_cheque_bounces_while_others_act(found_shop: FoundShop, till: OpenTill, _round: int) -> None:
    shop = found_shop(stock=9)
    customer = shop.customer(credit_limit=2000)
    first, second = (_agreement(shop, till, customer) for _ in range(2))
    bounced = _pay(shop, till, first, "40")()["payment"]["id"]
    _let_pass(shop, 31)
    outcomes = together(
        [
            partial(call, till(shop), "reverse_payment", uuid.uuid4(), uuid.UUID(bounced), "Bounced"),
            _pay(shop, till, first, "60"),
            _pay(shop, till, second, "60"),
            _job(shop, till),
            partial(call, till(shop), "reschedule", uuid.uuid4(), second, _later_terms(shop), "Asked for it"),
            partial(
                call,
                till(shop),
                "waive_charge",
                uuid.uuid4(),
                first,
                1,
                "interest",
                Decimal("0.10"),
                "Kindness",
            ),
        ]
    )
    assert set(refusals(outcomes)) <= {"agreement_closed", "waiver_exceeds_charge"}
    assert ask(shop, "select count(*) from public.payment_reversals") == 1
    assert ask(shop, "select count(*) from public.credit_agreements where status = 'rescheduled'") == 1
    assert _in_order(shop, till)


def _later_terms(shop: Shop) -> str:
    """Terms that may begin when time has passed."""
    first: date = ask(shop, "select (now() at time zone timezone)::date from public.branches limit 1")
    return json.dumps({"count": 3, "first_due_on": str(first + timedelta(days=60))})


@pytest.mark.parametrize("act", ["record_payment", "open_credit_sale"])
def test_the_books_before_the_customer(found_shop: FoundShop, till: OpenTill, act: str) -> None:
    """Whoever waits for the books, which somebody closes, does not hold the customer meanwhile."""
    shop = found_shop(stock=9)
    customer = shop.customer(credit_limit=500)
    connection = till(shop)
    if act == "record_payment":
        _agreement(shop, till, customer)
        doing = partial(call, connection, act, uuid.uuid4(), customer, Decimal(10), "cash")
    else:
        doing = partial(call, connection, act, uuid.uuid4(), _owed(shop, till, customer), _terms(shop))
    with (
        psycopg.connect(shop.url) as closing,
        psycopg.connect(shop.url) as owner,
        ThreadPoolExecutor(1) as pool,
    ):
        closing.execute("select private.lock_books(%s, true)", [shop.org_id])
        done = pool.submit(doing)
        try:
            assert wait_until(waits_for_a_lock(shop, connection.info.backend_pid), 30)
            owner.execute("select from public.customers where id = %s for no key update nowait", [customer])
        finally:
            owner.rollback()
            closing.rollback()
        assert done.result(30)
    assert _in_order(shop, till)
