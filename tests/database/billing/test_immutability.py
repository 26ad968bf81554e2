"""What was issued stays as it is, whoever asks: the owner of the tables and the service role included."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

import pytest

from tests.database.sales import line, sell
from tests.support.personas import Persona, raises, raises_sqlstate
from tests.support.world import People

APPEND_ONLY = {
    "public.invoice_lines": "sku = 'X'",
    "public.payments": "reference = 'X'",
    "public.payment_allocations": "amount = 1",
    "public.stock_movements": "quantity = 1",
    "public.stock_adjustments": "quantity = 1",
    "audit.log": "actor_id = null",
}
INVOICE_CHANGES = (
    "number = 'X'",
    "total = 0, subtotal = 0, tax = 0, round_off = 0, paid = 0",
    "seller = '{}'",
    "note = 'X'",
    "customer_id = null",
    "business_date = '2020-01-01'",
    "branch_id = gen_random_uuid()",
    "created_by = gen_random_uuid()",
)


def _programs(people: People) -> list[Persona]:
    return [
        people.as_admin(),
        people.as_cashier(),
        people.as_foreign_admin(),
        people.as_anon(),
        people.as_service(),
    ]


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_owner_cannot_change_a_ledger(people: People, table: str) -> None:
    """Update, delete and truncate are refused by triggers, not only by grants."""
    owner = Persona(people.connection, "postgres")
    with raises("append_only", 403):
        owner.execute(f"update {table} set {APPEND_ONLY[table]}")
    with raises("append_only", 403):
        owner.execute(f"delete from {table}")


@pytest.mark.parametrize("table", [*APPEND_ONLY, "public.invoices"])
def test_the_owner_cannot_empty_a_ledger(people: People, table: str) -> None:
    """Truncate passes row triggers by, so a statement trigger refuses it."""
    with raises("append_only", 403):
        Persona(people.connection, "postgres").execute(f"truncate {table} cascade")


@pytest.mark.parametrize("table", [*APPEND_ONLY, "public.invoices"])
def test_programs_have_no_way_in(people: People, table: str) -> None:
    """No request, not even with the service key, may update, delete, truncate or insert."""
    change = APPEND_ONLY.get(table, "note = 'X'")
    for person in _programs(people):
        for statement in (
            f"update {table} set {change}",
            f"delete from {table}",
            f"truncate {table}",
            f"insert into {table} default values",
        ):
            with raises_sqlstate("42501"):
                person.execute(statement)


@pytest.mark.parametrize("change", INVOICE_CHANGES)
def test_the_owner_cannot_change_an_issued_invoice(people: People, change: str) -> None:
    """Everything but what follows from payments is fixed."""
    invoice = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["sofa"]),
        customer=people.world.teak.customers["local"],
    )
    with raises("document_final", 409):
        Persona(people.connection, "postgres").execute(
            f"update public.invoices set {change} where id = %s",
            [invoice["id"]],
        )


def test_the_owner_cannot_delete_or_void_an_invoice(people: People) -> None:
    """A number once given stays; a status moves only along the lifecycle."""
    owner, invoice_id = Persona(people.connection, "postgres"), people.world.teak.invoices["BLR"]
    with raises("document_final", 409):
        owner.execute("delete from public.invoices where id = %s", [invoice_id])
    with raises("invalid_transition", 409) as refusal:
        owner.execute("update public.invoices set status = 'draft' where id = %s", [invoice_id])
    assert (refusal.facts["from"], refusal.facts["to"]) == ("paid", "draft")
    for status in ("sent", "partially_paid", "void"):
        # The lifecycle has these steps, but only together with the money that makes them true.
        with raises_sqlstate("23514"):
            owner.execute("update public.invoices set status = %s where id = %s", [status, invoice_id])


def test_partitions_of_the_log_are_closed_too(people: People) -> None:
    """A partition addressed by its own name is as append-only as the whole."""
    owner = Persona(people.connection, "postgres")
    rows = owner.select("select distinct tableoid::regclass::text as partition from audit.log")
    assert rows
    for row in rows:
        with raises("append_only", 403):
            owner.execute(f"delete from {row['partition']}")
        with raises("append_only", 403):
            owner.execute(f"truncate {row['partition']}")
