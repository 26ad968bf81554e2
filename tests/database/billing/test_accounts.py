"""What a customer owes by each branch's documents is kept, and is always what the documents come to."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.database.billing.money import assembly, assert_books, credit, owe, record
from tests.database.sales import local_date, sell
from tests.support.personas import Connection, new_id
from tests.support.world import People

# Documents that a statement shows, and what of instalments it does.
SHOWN = ("invoices", "credit_notes", "payments", "payment_reversals", "refunds", "credit_settlements")


def test_whoever_writes_a_document_posts_it(owner: Connection) -> None:
    """Read off the catalogue: each function that writes one calls post_account, and nobody else the table."""
    rows = owner.execute(
        "select proname from pg_proc where prosrc ~ %s and prosrc !~ 'private.post_account'",
        [rf"insert into public\.({'|'.join(SHOWN)}) "],
    ).fetchall()
    assert rows == []
    rows = owner.execute(
        "select proname from pg_proc "
        "where prosrc ~ '(insert into|update|delete from) private.accounts' order by 1"
    ).fetchall()
    assert rows == [("merge_accounts",), ("post_account",)]


@pytest.mark.parametrize(
    "change",
    [
        "update private.accounts set balance = balance + 1 where customer_id = %(customer)s",
        "delete from private.accounts where customer_id = %(customer)s",
    ],
)
def test_what_disagrees_is_named(people: People, change: str) -> None:
    customer = people.world.teak.customers["trusted"]
    owe(people, assembly(people, 100))
    record(people.as_cashier(), customer, 18)
    assert_books(people)
    people.connection.execute(change.encode(), {"customer": customer})
    found = people.as_admin().rpc("check_books", p_org_id=people.world.teak.id)
    assert {row["problem"] for row in found} == {"the account is not the sum of its documents"}


def test_a_sale_that_is_paid_at_once_posts_nothing(people: People) -> None:
    """A walk-in has no account, and who pays at the till changes none: no row is written or locked for it."""
    count = "select count(*), coalesce(sum(balance), 0), max(xmin::text) from private.accounts"
    before = people.connection.execute(count).fetchone()
    for customer in (None, people.world.teak.customers["trusted"]):
        sell(people.as_sales(), people.world.blr, assembly(people, 100), customer=customer)
    assert people.connection.execute(count).fetchone() == before


def _statement(people: People, **period: Any) -> dict[str, Any]:
    customer = people.world.teak.customers["trusted"]
    told: dict[str, Any] = people.as_admin().rpc("statement", p_customer_id=customer, **period)
    return told


def test_a_statement_begins_where_the_one_before_ended(people: People) -> None:
    """Whatever the day: opening and entries of every period come to what the whole account says."""
    connection, customer = people.connection, people.world.teak.customers["trusted"]
    today = local_date(connection, people.world.blr.id)
    admin = people.as_admin()
    for ago in (40, 20, 0):
        at: dict[str, Any] = {} if ago == 0 else {"occurred_at": f"{today - timedelta(days=ago)}T06:00:00Z"}
        sold = sell(admin, people.world.blr, assembly(people, 100), payments=[], customer=customer, **at)
        record(admin, customer, 50, p_options=at)
        if ago == 20:
            credit(admin, sold["id"], **at)
    bounced = record(admin, customer, 7)
    admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="Bounced")
    whole = _statement(people, p_from="2000-01-01", p_to=str(today))
    assert whole["opening"] == 0
    for ago in (60, 40, 39, 20, 10, 1, 0):
        day = today - timedelta(days=ago)
        before = _statement(people, p_from="2000-01-01", p_to=str(day - timedelta(days=1)))
        after = _statement(people, p_from=str(day), p_to=str(today))
        assert after["opening"] == before["closing"], ago
        assert after["closing"] == whole["closing"]
        assert before["lines"] + after["lines"] == whole["lines"]
    kept = connection.execute(
        "select sum(balance) from private.accounts where customer_id = %s", [customer]
    ).fetchone()
    assert kept == (Decimal(str(whole["closing"])),)
    assert_books(people)


def test_a_merge_adds_the_accounts(people: People) -> None:
    """Both owed something at the same branch: the one who stays owes both."""
    customers, admin = people.world.teak.customers, people.as_admin()
    for name in ("trusted", "local"):
        admin.rpc("set_credit_limit", p_customer_id=customers[name], p_credit_limit=5000)
        sell(admin, people.world.blr, assembly(people, 100), payments=[], customer=customers[name])
    admin.rpc("merge_customers", p_id=new_id(), p_keep_id=customers["trusted"], p_merge_id=customers["local"])
    rows = people.connection.execute(
        "select distinct customer_id from private.accounts where customer_id = any (%s)",
        [[customers["trusted"], customers["local"]]],
    ).fetchall()
    assert rows == [(customers["trusted"],)]
    assert_books(people)
