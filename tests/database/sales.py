"""Short ways to sell, for tests of billing, stock and tax."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.support.personas import Connection, Persona, new_id
from tests.support.world import Branch, People

Line = dict[str, object]
Payment = dict[str, object]
Invoice = dict[str, Any]


def line(variant: UUID, quantity: object = 1, **extra: object) -> Line:
    """One line of a basket. extra: unit_price, discount."""
    return {"variant_id": variant, "quantity": quantity, **extra}


def pay(amount: object, method: str = "cash", **extra: object) -> Payment:
    """One payment. amount: as handed over, in the organisation's currency."""
    return {"method": method, "amount": amount, **extra}


def local_date(connection: Connection, branch_id: UUID) -> date:
    """The day at a branch."""
    row = connection.execute(
        "select private.local_date(org_id, id, now()) from public.branches where id = %s", [branch_id]
    ).fetchone()
    assert row is not None
    day: date = row[0]
    return day


def quote(
    person: Persona, branch: Branch, *lines: Line, customer: UUID | None = None, **options: object
) -> Invoice:
    """What the basket comes to."""
    answer: Invoice = person.rpc(
        "quote_sale", p_branch_id=branch.id, p_customer_id=customer, p_lines=list(lines), p_options=options
    )
    return answer


def sell(
    person: Persona,
    branch: Branch,
    *lines: Line,
    payments: list[Payment] | None = None,
    customer: UUID | None = None,
    sale_id: UUID | None = None,
    location: UUID | None = None,
    **options: object,
) -> Invoice:
    """Sell from the branch's showroom. Without payments given, the exact total is paid in cash."""
    if payments is None:
        total = quote(person, branch, *lines, customer=customer, **options)["total"]
        payments = [pay(total)] if total else []
    answer: Invoice = person.rpc(
        "post_sale",
        p_id=sale_id or new_id(),
        p_branch_id=branch.id,
        p_location_id=location or branch.showroom,
        p_customer_id=customer,
        p_lines=list(lines),
        p_payments=payments,
        p_options=options,
    )
    return answer


def adjust(
    people: People,
    variant: UUID,
    quantity: object,
    reason: str = "correction",
    cost: object = None,
    **changed: Any,
) -> dict[str, Any]:
    """Adjust stock of the Bengaluru showroom as its inventory manager, unless `changed` says otherwise."""
    arguments = {
        "p_id": new_id(),
        "p_location_id": people.world.blr.showroom,
        "p_variant_id": variant,
        "p_quantity": quantity,
        "p_reason": reason,
        "p_unit_cost": cost,
    }
    answer: dict[str, Any] = people.as_stockkeeper().rpc("adjust_stock", **(arguments | changed))
    return answer


def on_hand(connection: Connection, location: UUID, variant: UUID) -> Decimal:
    """What lies at the location, read past every policy."""
    row = connection.execute(
        "select on_hand from public.stock_levels where location_id = %s and variant_id = %s",
        [location, variant],
    ).fetchone()
    return Decimal(row[0]) if row else Decimal(0)


def footprint(connection: Connection) -> dict[str, int]:
    """How many rows each table of a sale has; equal before and after means that nothing was written."""
    tables = (
        "public.invoices",
        "public.invoice_lines",
        "public.payments",
        "public.payment_allocations",
        "public.stock_movements",
        "public.stock_adjustments",
        "private.outbox",
        "private.requests",
        "audit.log",
    )
    counts = {}
    for table in tables:
        row = connection.execute(f"select count(*) from {table}").fetchone()
        assert row is not None
        counts[table] = row[0]
    row = connection.execute("select coalesce(sum(last_value), 0) from private.number_counters").fetchone()
    assert row is not None
    counts["private.number_counters"] = row[0]
    return counts
