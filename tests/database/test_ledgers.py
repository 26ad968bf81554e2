"""What was written into a ledger, or issued without a lifecycle, stays as it is: every such table is tried.

By the owner of the tables, and by a service role that somebody gave rights it has not.
"""

# Names put into statements come from this file, never from input.
# ruff: noqa: S608

import pytest

from tests.support.personas import Connection, Persona, raises
from tests.support.world import People

# Documents and what they are made of, entries of money, points and stock, and notes of what was done.
LEDGERS = (
    "audit.log",
    "private.stock_count_books",
    "public.coupon_uses",
    "public.credit_charges",
    "public.credit_note_allocations",
    "public.credit_note_lines",
    "public.credit_notes",
    "public.credit_reminders",
    "public.credit_settlements",
    "public.deliveries",
    "public.delivery_lines",
    "public.goods_return_lines",
    "public.goods_returns",
    "public.integrity_checks",
    "public.invoice_lines",
    "public.loyalty_entries",
    "public.payment_allocations",
    "public.payment_reversals",
    "public.payments",
    "public.quotation_lines",
    "public.quotation_revisions",
    "public.refund_sources",
    "public.refunds",
    "public.sales_order_lines",
    "public.sales_order_log",
    "public.stock_adjustments",
    "public.stock_movements",
    "public.stock_reservation_items",
    "public.stock_reservation_lines",
    "public.stock_transfer_lines",
    "public.stock_transfer_receipt_items",
    "public.stock_transfer_receipts",
    "public.till_cash_movements",
)


def test_every_ledger_is_here(owner: Connection) -> None:
    """A table that gets the trigger gets its row above; not so a feed that is pruned."""
    rows = owner.execute(
        "select distinct n.nspname || '.' || c.relname from pg_trigger t "
        "join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace "
        "where t.tgname in ('t10_refuse_change', 't10_keep_issued_lines') and t.tgtype & 8 <> 0 "
        "and not c.relispartition"
    ).fetchall()
    assert {row[0] for row in rows} == set(LEDGERS)


@pytest.mark.parametrize("table", LEDGERS)
def test_a_ledger_only_grows(people: People, table: str) -> None:
    """No row of it is changed, not even into itself, none is taken away, and it is not emptied."""
    people.as_admin().rpc("check_integrity", p_org_id=people.world.teak.id)
    people.connection.execute(
        f"grant usage on schema private, audit to service_role; grant all on {table} to service_role; "
        "grant select on public.invoices, public.quotations, public.sales_orders to service_role; "
        "grant execute on function private.fail to service_role"
    )
    column = "at" if table == "audit.log" else "org_id"
    for person in (Persona(people.connection, "postgres"), people.as_service()):
        for statement in (f"update {table} set {column} = {column}", f"delete from {table}"):
            with raises("append_only", 403):
                person.execute(statement)
    with raises("append_only", 403):
        Persona(people.connection, "postgres").execute(f"truncate {table} cascade")
