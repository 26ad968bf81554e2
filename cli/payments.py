"""Payments: record, list, show, allocate, reverse."""

from decimal import Decimal
from typing import Annotated
from uuid import uuid4

import typer

from cli import opts
from cli.common import confirm, said, start
from cli.desk import Desk
from cli.errors import CliError
from cli.listing import Listing, Pages
from cli.output import Column, Output, Row, amount_column, id_column, money

app = typer.Typer(help="Payments: what came in, and which invoices it settles.", no_args_is_help=True)

_PAYMENTS = Listing(
    "Payments",
    "payments",
    (
        *("id", "branch_id", "customer_id", "order_id", "number", "method"),
        *("amount", "reference", "business_date"),
    ),
    (
        Column("Receipt", "number"),
        Column("Date", "business_date"),
        Column("Customer", "customer"),
        Column("Method", "method", extra=1),
        amount_column("Amount", "amount"),
        Column("Reference", "reference", extra=2),
        Column("Reversed", "reversed", extra=3),
        id_column(),
    ),
    at="received_at",
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
    branch: opts.Branch = None,
    customer: opts.Customer = None,
    method: Annotated[str | None, typer.Option("--method", help="cash, card, upi, bank_transfer ...")] = None,
    first: opts.From = None,
    last: opts.To = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """List payments, the latest first."""
    desk, output = start(ctx, as_json)
    pages = Pages(limit, everything)
    wanted = {
        "branch_id": desk.branch_id(branch),
        "customer_id": desk.customer_id(customer),
        "method": method,
    }
    request = _PAYMENTS.request(desk, pages, wanted, first, last)
    rows = _PAYMENTS.read(desk, output, pages, request)
    undone = _reversed(desk, [row["id"] for row in rows])
    _PAYMENTS.show(desk, output, pages, [{**row, "reversed": undone.get(row["id"])} for row in rows])


@app.command("show")
def show_payment(ctx: typer.Context, payment: Payment, as_json: opts.Json = False) -> None:
    """Show a payment and what it settles."""
    desk, output = start(ctx, as_json)
    found = desk.rpc("get_payment", {"p_id": desk.named("payments", "payment", payment)})
    _show(output, found)


@app.command("record")
def record_payment(
    ctx: typer.Context,
    value: Annotated[Decimal, typer.Argument(parser=opts.amount, metavar="AMOUNT", help="How much came in.")],
    customer: opts.Customer = None,
    method: opts.Method = "cash",
    invoices: Invoices = None,
    branch: opts.Branch = None,
    reference: opts.Reference = None,
    order: Annotated[
        str | None, typer.Option("--order", help="An advance on this order: number or id.")
    ] = None,
    hold: Annotated[
        bool, typer.Option("--hold", help="Settle nothing yet: it stays the customer's credit.")
    ] = False,
    note: opts.Note = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Take a payment and settle invoices with it."""
    desk, output = start(ctx, as_json)
    if customer is None and not invoices:
        raise CliError("invalid_input", "Say who pays (--customer) or what is paid (--invoice).")
    parts = _allocations(desk, invoices)
    options = {
        "branch_id": desk.branch_id(branch),
        "order_id": desk.named("sales_orders", "order", order) if order else None,
        "hold": True if hold else None,
        "note": note,
    }
    made = desk.rpc(
        "record_payment",
        {
            "p_id": own_id or str(uuid4()),
            "p_customer_id": desk.customer_id(customer),
            "p_amount": value,
            "p_method": method,
            "p_allocations": parts,
            "p_reference": reference,
            "p_options": said(options),
        },
    )
    _show(output, made)


@app.command("allocate")
def allocate_payment(
    ctx: typer.Context,
    payment: Payment,
    invoices: Invoices = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
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
    reason: opts.Reason,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
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


@app.command("release")
def release_payment(
    ctx: typer.Context,
    payment: Payment,
    invoices: Annotated[
        list[str] | None,
        typer.Option("--invoice", "-i", help="NUMBER=AMOUNT that is taken off; left out: all of it."),
    ] = None,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Take a payment off invoices that it was put on by mistake."""
    desk, output = start(ctx, as_json)
    payment_id = desk.named("payments", "payment", payment)
    parts = _allocations(desk, invoices)
    confirm(output, f"Release {payment}? What it settled is open again.", yes)
    changed = desk.rpc(
        "release_payment",
        {"p_id": own_id or str(uuid4()), "p_payment_id": payment_id, "p_allocations": parts},
    )
    _show(output, changed)


def _allocations(desk: Desk, invoices: list[str] | None) -> list[Row] | None:
    """What a payment settles, as the database takes it."""
    if not invoices:
        return None
    return [
        {"invoice_id": desk.named("invoices", "invoice", number), "amount": opts.amount(value)}
        for number, value in map(opts.pair, invoices)
    ]


def _reversed(desk: Desk, ids: list[str]) -> dict[str, str]:
    """Why payments were reversed, by the payment's id."""
    reasons: dict[str, str] = {}
    for start_at in range(0, len(ids), 100):
        request = desk.table("payment_reversals").select("payment_id", "reason")
        rows = desk.read(request.in_("payment_id", ids[start_at : start_at + 100]))
        reasons.update({row["payment_id"]: row["reason"] for row in rows})
    return reasons


def _standing(agreement: Row) -> str:
    """What is still to pay of an agreement, and when the next instalment is due."""
    following = agreement["next_due"]
    if following is None:
        return str(agreement["status"])
    return (
        f"{money(agreement['outstanding'])} open, next {money(following['amount'])} on {following['due_on']}"
    )


def _show(output: Output, payment: Row) -> None:
    if output.json:
        output.data(payment)
        return
    undone, charges = payment["reversed"], payment["charges"]
    output.facts(
        f"Payment {payment['number'] or payment['id']}",
        [
            ("Date", payment["business_date"]),
            ("Method", payment["method_name"]),
            ("Amount", f"{money(payment['amount'])} {payment['currency']}"),
            ("Reference", payment["reference"]),
            ("Interest, fees", f"{money(charges)} {payment['currency']}" if charges else None),
            *((f"Agreement {one['number']}", _standing(one)) for one in payment["agreements"]),
            ("Left", f"{money(payment['unallocated'])} {payment['currency']}"),
            ("Reversed", undone and f"{undone['at'][:10]}: {undone['reason']}"),
            ("Note", payment["note"]),
            ("Id", payment["id"]),
        ],
    )
    output.table("Settles", _SETTLED, payment["allocations"], payment["currency"])
