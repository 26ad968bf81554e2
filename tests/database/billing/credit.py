"""Short ways to sell on instalments and to let time pass, for the tests of sales on credit."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.database.sales import line, pay, sell
from tests.support.personas import Connection, Persona, Row, new_id
from tests.support.world import People

Agreement = dict[str, Any]

# What one hour of assembly comes to in Bengaluru: 500.00 and 18 % of GST.
PRICE = Decimal(590)


def set_today(connection: Connection, day: date) -> None:
    """Let the room of sales on credit believe that it is that day, until the transaction is rolled back."""
    connection.execute(
        "create or replace function private.credit_today(p_org_id uuid, p_branch_id uuid) returns date "
        f"language plpgsql stable set search_path = '' as $$ begin return date '{day}'; end; $$"
    )


def today(connection: Connection) -> date:
    """The branch's date, as the room sees it."""
    row = connection.execute(
        "select private.credit_today(b.org_id, b.id) from public.branches b where b.code = 'BLR'"
    ).fetchone()
    assert row is not None
    day: date = row[0]
    return day


def buyer(people: People, limit: int = 10_000) -> UUID:
    """A customer with that much credit."""
    customer = new_id()
    people.as_admin().execute(
        "insert into public.customers (id, org_id, name) values (%s, %s, 'Asha Rao')",
        [customer, people.world.teak.id],
    )
    people.as_admin().rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=limit)
    return customer


def owe(people: People, customer: UUID, quantity: int = 2, deposit: object = None) -> dict[str, Any]:
    """An invoice over hours of assembly at 590.00 each, of which a deposit is paid."""
    return sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["assembly"], quantity),
        payments=[pay(deposit)] if deposit else [],
        customer=customer,
    )


def terms(people: People, count: int = 4, *, first: date | None = None, **others: object) -> dict[str, Any]:
    """Terms of that many instalments, the first one due in 30 days unless another day is given."""
    return {
        "count": count,
        "first_due_on": first or today(people.connection) + timedelta(days=30),
        **others,
    }


def agree(people: People, invoice: UUID, asked: dict[str, Any], by: Persona | None = None) -> Agreement:
    """Open the agreement as the sales executive."""
    answer: Agreement = (by or people.as_sales()).rpc(
        "open_credit_sale", p_id=new_id(), p_invoice_id=invoice, p_terms=asked
    )
    return answer


def sold_on_credit(people: People, quantity: int = 2, count: int = 4, **others: Any) -> Agreement:
    """An agreement over an invoice of `quantity` hours, of a customer of its own."""
    invoice = owe(people, buyer(people), quantity)
    return agree(people, invoice["id"], terms(people, count, **others))


def pay_in(people: People, agreement: Agreement, amount: object, **others: object) -> Agreement:
    """Pay instalments in cash, as the cashier."""
    arguments: dict[str, Any] = {
        "p_id": new_id(),
        "p_agreement_id": agreement["id"],
        "p_amount": amount,
        "p_method": "cash",
    }
    answer: Agreement = people.as_cashier().rpc("pay_agreement", **(arguments | others))
    return answer


def read(people: People, agreement: Agreement) -> Agreement:
    """The agreement as it is now."""
    answer: Agreement = people.as_cashier().rpc("get_agreement", p_id=agreement["id"])
    return answer


def credit_status(people: People, agreement: Agreement) -> str:
    """The customer's, as everybody may read it."""
    (row,) = people.as_cashier().select(
        "select credit_status from public.customers where id = %s", [agreement["customer_id"]]
    )
    return str(row["credit_status"])


def run_job(people: People, day: date | None = None) -> dict[str, Any]:
    """Run the daily job as the admin, on a day."""
    if day is not None:
        set_today(people.connection, day)
    answer: dict[str, Any] = people.as_admin().rpc("run_overdue", p_org_id=people.world.teak.id)
    return answer


def events(people: People, agreement: Agreement, event: str) -> list[Row]:
    """What was emitted of an agreement, oldest first, read past every policy."""
    rows = people.connection.execute(
        "select payload from private.outbox where event = %s and payload ->> 'agreement_id' = %s order by id",
        [event, str(agreement["id"])],
    ).fetchall()
    return [row[0] for row in rows]


def in_order(people: People) -> None:
    """The proof of the books finds nothing."""
    assert people.as_admin().rpc("check_books", p_org_id=people.world.teak.id) == []
