"""Payments, for any tenders: what counts, what goes back, and that no money is made or lost."""

from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.sales import Invoice, footprint, line, pay, sell
from tests.support.refusals import code_of
from tests.support.world import People

METHODS = ("cash", "card", "upi", "cheque")
TOTAL = Decimal(590)


def _try_to_sell(people: People, tenders: list[tuple[str, Decimal]]) -> tuple[Invoice, psycopg.Error | None]:
    try:
        invoice = sell(
            people.as_cashier(),
            people.world.blr,
            line(people.world.teak.variants["assembly"]),
            payments=[pay(amount, method) for method, amount in tenders],
            customer=people.world.teak.customers["elsewhere"],
        )
    except psycopg.Error as error:
        return {}, error
    return invoice, None


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tenders=st.lists(
        st.tuples(
            st.sampled_from(METHODS),
            st.one_of(
                st.decimals(Decimal("0.01"), 800, places=2), st.sampled_from([Decimal(590), Decimal(295)])
            ),
        ),
        max_size=5,
    ),
    credit=st.sampled_from([0, 100, 1000]),
)
def test_any_tenders(people: People, tenders: list[tuple[str, Decimal]], credit: int) -> None:
    """A sale of 590.00: refused when the rest is above the credit or a surplus is no cash, else settled."""
    customer = people.world.teak.customers["elsewhere"]
    handed = sum((amount for _, amount in tenders), Decimal(0))
    cash = sum((amount for method, amount in tenders if method == "cash"), Decimal(0))
    if handed > TOTAL and handed - TOTAL >= cash:
        expected = "payment_exceeds_total"
    elif TOTAL - handed > credit:
        expected = "credit_limit_exceeded"
    else:
        expected = "posted"

    with people.connection.transaction(force_rollback=True):
        people.as_admin().rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=credit)
        before = footprint(people.connection)
        invoice, error = _try_to_sell(people, tenders)
        if error is not None:
            assert code_of(error) == expected, error
            assert footprint(people.connection) == before
            return

        assert expected == "posted"
        payments = invoice["payments"]
        assert invoice["paid"] == min(handed, TOTAL) == sum(p["amount"] for p in payments)
        assert invoice["tendered"] == handed == sum(p["tendered"] for p in payments)
        assert invoice["change_due"] == max(handed - TOTAL, 0) == sum(p["change"] for p in payments)
        assert invoice["balance"] == TOTAL - invoice["paid"]
        assert all(p["amount"] > 0 for p in payments)
        assert all(p["change"] == 0 for p in payments if p["method"] != "cash")
        for method in METHODS[1:]:
            given_by = [amount for name, amount in tenders if name == method]
            assert sorted(p["amount"] for p in payments if p["method"] == method) == sorted(given_by)


@pytest.mark.parametrize(
    ("notes", "kept"),
    [
        (["500", "100"], [("500", "500"), ("90", "100")]),
        (["590", "5"], [("590", "595")]),
        (["300", "300", "300"], [("300", "300"), ("290", "600")]),
    ],
)
def test_cash_in_several_parts(people: People, notes: list[str], kept: list[tuple[str, str]]) -> None:
    """Change comes out of the cash handed over last; cash that only made change is no payment of its own."""
    invoice = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["assembly"]),
        payments=[pay(Decimal(note)) for note in notes],
    )
    seen = sorted((p["amount"], p["tendered"]) for p in invoice["payments"])
    assert seen == sorted((Decimal(amount), Decimal(tendered)) for amount, tendered in kept)
