"""Sales: list, show, sell over the counter, take one back."""

from decimal import Decimal
from typing import Annotated
from uuid import uuid4

import typer

from cli import opts
from cli.common import confirm, said, somebody_is_there, start
from cli.documents import show_document, show_titled
from cli.errors import CliError
from cli.lines import document_discount, lines_of
from cli.listing import Listing, Pages
from cli.output import Column, Output, Row, amount_column, id_column, money

app = typer.Typer(help="Sales and their invoices.", no_args_is_help=True)

_INVOICES = Listing(
    "Invoices",
    "invoices",
    (
        *("id", "branch_id", "customer_id", "number", "business_date", "due_date", "status", "currency"),
        *("total", "paid", "credited", "balance"),
    ),
    (
        Column("Invoice", "number"),
        Column("Date", "business_date", extra=2),
        Column("Customer", "customer"),
        Column("Status", "status"),
        amount_column("Total", "total", extra=1),
        amount_column("Paid", "paid", extra=3),
        amount_column("Credited", "credited", extra=4),
        amount_column("Balance", "balance"),
        id_column(),
    ),
    at="issued_at",
)


@app.command("list")
def list_sales(
    ctx: typer.Context,
    branch: opts.Branch = None,
    customer: opts.Customer = None,
    status: Annotated[
        str | None, typer.Option("--status", help="draft, sent, partially_paid, paid or void.")
    ] = None,
    owed: Annotated[bool, typer.Option("--open", help="Only what is still owed.")] = False,
    first: opts.From = None,
    last: opts.To = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """List invoices, the latest first."""
    desk, output = start(ctx, as_json)
    pages = Pages(limit, everything)
    wanted = {
        "branch_id": desk.branch_id(branch),
        "customer_id": desk.customer_id(customer),
        "status": status,
    }
    request = _INVOICES.request(desk, pages, wanted, first, last)
    rows = _INVOICES.read(desk, output, pages, request.gt("balance", 0) if owed else request)
    _INVOICES.show(desk, output, pages, rows)


@app.command("show")
def show_sale(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(help="Number or id.")],
    as_json: opts.Json = False,
) -> None:
    """Show an invoice with its lines and payments."""
    desk, output = start(ctx, as_json)
    found = desk.rpc("get_invoice", {"p_id": desk.named("invoices", "invoice", invoice)})
    show_titled(output, found)


@app.command("new")
def new_sale(
    ctx: typer.Context,
    items: opts.Items,
    branch: opts.Branch = None,
    location: opts.Location = None,
    customer: opts.Customer = None,
    pay: Annotated[
        list[str] | None,
        typer.Option("--pay", help="METHOD=AMOUNT, or a METHOD for what is due: cash, card, upi ..."),
    ] = None,
    on_credit: Annotated[bool, typer.Option("--on-credit", help="What is not paid stays owed.")] = False,
    discount: opts.Discounts = None,
    off_all: opts.DocumentDiscount = None,
    serial: Annotated[
        list[str] | None,
        typer.Option("--serial", help="SKU=NUMBER of a numbered piece; once for each piece."),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Printed on the invoice.")] = None,
    reference: opts.Reference = None,
    quote_only: Annotated[
        bool, typer.Option("--quote-only", help="Show the price and sell nothing.")
    ] = False,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Sell over the counter: show the quote, then take the goods and the money."""
    desk, output = start(ctx, as_json)
    lines = lines_of(desk, items, discount, serial)
    house = desk.branch(branch)
    customer_id = desk.customer_id(customer)
    options = said({"note": note, "reference": reference, "discount": document_discount(off_all)})
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
    reason: opts.Reason,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
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


def _payments(output: Output, pay: list[str], total: Decimal, on_credit: bool) -> list[Row]:
    """The payments as the database takes them; a method without an amount pays what the others leave."""
    if not pay and not on_credit and total > 0:
        if not somebody_is_there(output):
            message = "Say how it is paid: --pay METHOD, --pay METHOD=AMOUNT, or --on-credit."
            raise CliError("payment_needed", message, total=total)
        pay = [str(typer.prompt("Paid by", default="cash", err=True))]
    fixed = [(method, opts.amount(value)) for method, value in (opts.pair(one) for one in pay if "=" in one)]
    rest = [one for one in pay if "=" not in one]
    left = total - sum(value for _, value in fixed)
    if len(rest) > 1 or (rest and left <= 0):
        raise CliError("invalid_input", "One method at most pays what the others leave.", total=total)
    fixed += [(method, left) for method in rest]
    return [{"method": method, "amount": value} for method, value in fixed]
