"""Sales: list, show, sell over the counter, take one back."""

import sys
from decimal import Decimal
from typing import Annotated, Any
from uuid import uuid4

import typer

from cli.common import (
    All,
    Branch,
    Customer,
    From,
    Json,
    Limit,
    Location,
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
from cli.documents import show_document
from cli.errors import CliError
from cli.output import Column, Output, Row, amount_column, money

app = typer.Typer(help="Sales and their invoices.", no_args_is_help=True)

_COLUMNS = (
    Column("Invoice", "number"),
    Column("Date", "business_date"),
    Column("Customer", "customer"),
    Column("Status", "status"),
    amount_column("Total", "total"),
    amount_column("Paid", "paid"),
    amount_column("Balance", "balance"),
)
_FIELDS = (
    "id",
    "branch_id",
    "customer_id",
    "number",
    "business_date",
    "due_date",
    "status",
    "currency",
    "total",
)


@app.command("list")
def list_sales(
    ctx: typer.Context,
    branch: Branch = None,
    customer: Customer = None,
    status: Annotated[
        str | None, typer.Option("--status", help="draft, sent, partially_paid, paid or void.")
    ] = None,
    owed: Annotated[bool, typer.Option("--open", help="Only what is still owed.")] = False,
    first: From = None,
    last: To = None,
    limit: Limit = 50,
    everything: All = False,
    as_json: Json = False,
) -> None:
    """List invoices, the latest first."""
    desk, output = start(ctx, as_json)
    request = desk.table("invoices").select(
        *_FIELDS, "paid", "credited", "balance", count="exact" if everything else None
    )
    request = request.eq("org_id", desk.org_id)
    wanted = {
        "branch_id": desk.branch_id(branch),
        "customer_id": desk.customer(customer)["id"] if customer else None,
        "status": status,
    }
    for column, value in wanted.items():
        request = request if value is None else request.eq(column, value)
    request = request.gt("balance", 0) if owed else request
    request = request if first is None else request.gte("business_date", day(first))
    request = request if last is None else request.lte("business_date", day(last))
    request = request.order("issued_at", desc=True).order("id", desc=True)
    rows = listed(desk, output, request, limit, everything, "Invoices")
    names = desk.by_id("customers", ["name"], {row["customer_id"] for row in rows})
    shown = [{**row, "customer": names.get(row["customer_id"], {}).get("name")} for row in rows]
    output.rows("Invoices", _COLUMNS, shown)
    told_of_more(output, rows, limit, everything)


@app.command("show")
def show_sale(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(help="Number or id.")],
    as_json: Json = False,
) -> None:
    """Show an invoice with its lines and payments."""
    desk, output = start(ctx, as_json)
    found = desk.rpc("get_invoice", {"p_id": desk.named("invoices", "invoice", invoice)})
    if output.json:
        output.data(found)
        return
    show_document(output, f"{found['title']} {found['number'] or '(draft)'}", found)


@app.command("new")
def new_sale(
    ctx: typer.Context,
    items: Annotated[
        list[str], typer.Argument(help="SKU=QUANTITY, or a SKU for one.", metavar="SKU[=QTY]...")
    ],
    branch: Branch = None,
    location: Location = None,
    customer: Customer = None,
    pay: Annotated[
        list[str] | None,
        typer.Option("--pay", help="METHOD=AMOUNT, or a METHOD for what is due: cash, card, upi ..."),
    ] = None,
    on_credit: Annotated[bool, typer.Option("--on-credit", help="What is not paid stays owed.")] = False,
    discount: Annotated[list[str] | None, typer.Option("--discount", help="SKU=AMOUNT off its line.")] = None,
    serial: Annotated[
        list[str] | None,
        typer.Option("--serial", help="SKU=NUMBER of a numbered piece; once for each piece."),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Printed on the invoice.")] = None,
    reference: Reference = None,
    quote_only: Annotated[
        bool, typer.Option("--quote-only", help="Show the price and sell nothing.")
    ] = False,
    yes: Yes = False,
    own_id: OwnId = None,
    as_json: Json = False,
) -> None:
    """Sell over the counter: show the quote, then take the goods and the money."""
    desk, output = start(ctx, as_json)
    lines = _lines(desk, items, discount or [], serial or [])
    house = desk.branch(branch)
    customer_id = desk.customer(customer)["id"] if customer else None
    options = {
        key: value for key, value in {"note": note, "reference": reference}.items() if value is not None
    }
    quote = desk.rpc(
        "quote_sale",
        {
            "p_branch_id": house["id"],
            "p_customer_id": customer_id,
            "p_lines": lines,
            "p_options": options,
        },
    )
    if quote_only and output.json:
        output.data(quote)
        return
    if not output.json:
        show_document(output, f"Quote of {house['name']}", quote)
    if quote_only:
        return
    payments = _payments(output, pay or [], quote["total"], on_credit)
    place = desk.location(house, location)
    confirm(output, f"Sell it for {money(quote['total'])} {quote['currency']}?", yes)
    invoice = desk.rpc(
        "post_sale",
        {
            "p_id": own_id or str(uuid4()),
            "p_branch_id": house["id"],
            "p_location_id": place["id"],
            "p_customer_id": customer_id,
            "p_lines": lines,
            "p_payments": payments,
            "p_options": options,
        },
    )
    if output.json:
        output.data(invoice)
        return
    change = f", change {money(invoice['change_due'])}" if invoice["change_due"] else ""
    owed = f", still owed {money(invoice['balance'])}" if invoice["balance"] else ""
    output.say(f"Sold: {invoice['number']}, {money(invoice['total'])} {invoice['currency']}{change}{owed}.")


@app.command("void")
def void_sale(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(help="Number or id.")],
    reason: Reason,
    yes: Yes = False,
    own_id: OwnId = None,
    as_json: Json = False,
) -> None:
    """Take a counter sale of today back: goods, money and all."""
    desk, output = start(ctx, as_json)
    invoice_id = desk.named("invoices", "invoice", invoice)
    confirm(output, f"Take {invoice} back, with the goods and the money?", yes)
    note = desk.rpc(
        "void_sale",
        {"p_id": own_id or str(uuid4()), "p_invoice_id": invoice_id, "p_reason": reason},
    )
    if output.json:
        output.data(note)
    output.say(
        f"Void: {note['invoice']['number']}, by credit note {note['number']} over {money(note['total'])}."
    )


def _lines(desk: Desk, items: list[str], discounts: list[str], serials: list[str]) -> list[Row]:
    """The lines as the database takes them, from what was typed."""
    wanted = [(pair(item) if "=" in item else (item, "1")) for item in items]
    off = {sku: amount(value) for sku, value in map(pair, discounts)}
    pieces: dict[str, list[str]] = {}
    for sku, number in map(pair, serials):
        pieces.setdefault(sku, []).append(number)
    known = {sku for sku, _ in wanted}
    if len(known) < len(wanted) or not (off.keys() | pieces.keys()) <= known:
        message = "Name each SKU once, and discounts and serials only of what is sold."
        raise CliError("invalid_input", message)
    variants = desk.variants([sku for sku, _ in wanted])
    lines: list[Row] = []
    for sku, count in wanted:
        line: dict[str, Any] = {"variant_id": variants[sku]["id"], "quantity": amount(count)}
        if sku in off:
            line["discount"] = off[sku]
        if sku in pieces:
            line["serials"] = pieces[sku]
        lines.append(line)
    return lines


def _payments(output: Output, pay: list[str], total: Decimal, on_credit: bool) -> list[Row]:
    """The payments as the database takes them; a method without an amount pays what the others leave."""
    if not pay and not on_credit and total > 0:
        if output.json or not sys.stdin.isatty():
            message = "Say how it is paid: --pay METHOD, --pay METHOD=AMOUNT, or --on-credit."
            raise CliError("payment_needed", message, total=total)
        pay = [str(typer.prompt("Paid by", default="cash", err=True))]
    fixed = [(method, amount(value)) for method, value in (pair(one) for one in pay if "=" in one)]
    rest = [one for one in pay if "=" not in one]
    left = total - sum(value for _, value in fixed)
    if len(rest) > 1 or (rest and left <= 0):
        raise CliError("invalid_input", "One method at most pays what the others leave.", total=total)
    fixed += [(method, left) for method in rest]
    return [{"method": method, "amount": value} for method, value in fixed]
