"""Payments: record, list, show, allocate, reverse."""

from decimal import Decimal
from typing import Annotated
from uuid import uuid4

import typer

from cli.common import (
    All,
    Branch,
    Customer,
    From,
    Json,
    Limit,
    OwnId,
    Reason,
    Reference,
    To,
    Yes,
    amount,
    confirm,
    day,
    listed,
    pair,
    start,
    told_of_more,
)
from cli.desk import Desk
from cli.errors import CliError
from cli.output import Column, Output, Row, amount_column, money

app = typer.Typer(help="Payments: what came in, and which invoices it settles.", no_args_is_help=True)

_COLUMNS = (
    Column("Receipt", "number"),
    Column("Date", "business_date"),
    Column("Customer", "customer"),
    Column("Method", "method"),
    amount_column("Amount", "amount"),
    Column("Reference", "reference"),
    Column("Reversed", "reversed"),
    Column("Id", "id"),
)
_FIELDS = (
    "id",
    "branch_id",
    "customer_id",
    "order_id",
    "number",
    "method",
    "amount",
    "reference",
    "business_date",
)
_SETTLED = (Column("Invoice", "invoice_number"), amount_column("Amount", "amount"))

Invoices = Annotated[
    list[str] | None,
    typer.Option("--invoice", "-i", help="NUMBER=AMOUNT that it settles; left out: the oldest due first."),
]
Payment = Annotated[str, typer.Argument(help="The receipt's number or the payment's id.")]


@app.command("list")
def list_payments(
    ctx: typer.Context,
    branch: Branch = None,
    customer: Customer = None,
    method: Annotated[str | None, typer.Option("--method", help="cash, card, upi, bank_transfer ...")] = None,
    first: From = None,
    last: To = None,
    limit: Limit = 50,
    everything: All = False,
    as_json: Json = False,
) -> None:
    """List payments, the latest first."""
    desk, output = start(ctx, as_json)
    request = desk.table("payments").select(*_FIELDS, "received_at", count="exact" if everything else None)
    request = request.eq("org_id", desk.org_id)
    wanted = {
        "branch_id": desk.branch_id(branch),
        "customer_id": desk.customer(customer)["id"] if customer else None,
        "method": method,
    }
    for column, value in wanted.items():
        request = request if value is None else request.eq(column, value)
    request = request if first is None else request.gte("business_date", day(first))
    request = request if last is None else request.lte("business_date", day(last))
    request = request.order("received_at", desc=True).order("id", desc=True)
    rows = listed(desk, output, request, limit, everything, "Payments")
    names = desk.by_id("customers", ["name"], {row["customer_id"] for row in rows})
    undone = _reversed(desk, [row["id"] for row in rows])
    shown = [
        {**row, "customer": names.get(row["customer_id"], {}).get("name"), "reversed": undone.get(row["id"])}
        for row in rows
    ]
    output.rows("Payments", _COLUMNS, shown)
    told_of_more(output, rows, limit, everything)


@app.command("show")
def show_payment(ctx: typer.Context, payment: Payment, as_json: Json = False) -> None:
    """Show a payment and what it settles."""
    desk, output = start(ctx, as_json)
    found = desk.rpc("get_payment", {"p_id": desk.named("payments", "payment", payment)})
    _show(output, found)


@app.command("record")
def record_payment(
    ctx: typer.Context,
    value: Annotated[Decimal, typer.Argument(parser=amount, metavar="AMOUNT", help="How much came in.")],
    customer: Customer = None,
    method: Annotated[
        str, typer.Option("--method", "-m", help="cash, card, upi, bank_transfer ...")
    ] = "cash",
    invoices: Invoices = None,
    branch: Branch = None,
    reference: Reference = None,
    hold: Annotated[
        bool, typer.Option("--hold", help="Settle nothing yet: it stays the customer's credit.")
    ] = False,
    note: Annotated[str | None, typer.Option("--note")] = None,
    own_id: OwnId = None,
    as_json: Json = False,
) -> None:
    """Take a payment and settle invoices with it."""
    desk, output = start(ctx, as_json)
    if customer is None and not invoices:
        raise CliError("invalid_input", "Say who pays (--customer) or what is paid (--invoice).")
    parts = _allocations(desk, invoices)
    options = {
        "branch_id": desk.branch_id(branch),
        "hold": True if hold else None,
        "note": note,
    }
    made = desk.rpc(
        "record_payment",
        {
            "p_id": own_id or str(uuid4()),
            "p_customer_id": desk.customer(customer)["id"] if customer else None,
            "p_amount": value,
            "p_method": method,
            "p_allocations": parts,
            "p_reference": reference,
            "p_options": {key: option for key, option in options.items() if option is not None},
        },
    )
    _show(output, made)


@app.command("allocate")
def allocate_payment(
    ctx: typer.Context,
    payment: Payment,
    invoices: Invoices = None,
    own_id: OwnId = None,
    as_json: Json = False,
) -> None:
    """Settle invoices with what is left of a payment."""
    desk, output = start(ctx, as_json)
    changed = desk.rpc(
        "allocate_payment",
        {
            "p_id": own_id or str(uuid4()),
            "p_payment_id": desk.named("payments", "payment", payment),
            "p_allocations": _allocations(desk, invoices),
        },
    )
    _show(output, changed)


@app.command("reverse")
def reverse_payment(
    ctx: typer.Context,
    payment: Payment,
    reason: Reason,
    yes: Yes = False,
    own_id: OwnId = None,
    as_json: Json = False,
) -> None:
    """Take a payment back that did not stand, such as a bounced cheque."""
    desk, output = start(ctx, as_json)
    payment_id = desk.named("payments", "payment", payment)
    confirm(output, f"Reverse {payment}? What it settled is open again.", yes)
    changed = desk.rpc(
        "reverse_payment",
        {"p_id": own_id or str(uuid4()), "p_payment_id": payment_id, "p_reason": reason},
    )
    _show(output, changed)


def _allocations(desk: Desk, invoices: list[str] | None) -> list[Row] | None:
    """What a payment settles, as the database takes it."""
    if not invoices:
        return None
    return [
        {"invoice_id": desk.named("invoices", "invoice", number), "amount": amount(value)}
        for number, value in map(pair, invoices)
    ]


def _reversed(desk: Desk, ids: list[str]) -> dict[str, str]:
    """Why payments were reversed, by the payment's id."""
    reasons: dict[str, str] = {}
    for start_at in range(0, len(ids), 100):
        request = desk.table("payment_reversals").select("payment_id", "reason")
        rows = desk.read(request.in_("payment_id", ids[start_at : start_at + 100]))
        reasons.update({row["payment_id"]: row["reason"] for row in rows})
    return reasons


def _show(output: Output, payment: Row) -> None:
    if output.json:
        output.data(payment)
        return
    undone = payment["reversed"]
    output.facts(
        f"Payment {payment['number'] or payment['id']}",
        [
            ("Date", payment["business_date"]),
            ("Method", payment["method_name"]),
            ("Amount", f"{money(payment['amount'])} {payment['currency']}"),
            ("Reference", payment["reference"]),
            ("Left", f"{money(payment['unallocated'])} {payment['currency']}"),
            ("Reversed", undone and f"{undone['at'][:10]}: {undone['reason']}"),
            ("Note", payment["note"]),
            ("Id", payment["id"]),
        ],
    )
    output.table("Settles", _SETTLED, payment["allocations"])
