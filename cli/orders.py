"""Orders: list, show, confirm, deliver, invoice, cancel. Quotations become orders."""

from typing import Annotated
from uuid import uuid4

import typer

from cli import opts
from cli.common import confirm, said, start
from cli.desk import Desk
from cli.documents import show_order, show_titled
from cli.errors import REFUSED, CliError
from cli.listing import Listing, Pages
from cli.output import Column, Row, amount_column, id_column

app = typer.Typer(help="Orders: what customers wait for.", no_args_is_help=True)

_ORDERS = Listing(
    "Orders",
    "sales_orders",
    ("id", "branch_id", "customer_id", "quotation_id", "number", "status", "confirmed_at", "total"),
    (
        Column("Order", "number", instead="id"),
        Column("Customer", "customer"),
        Column("Status", "status"),
        amount_column("Total", "total"),
        id_column(),
    ),
    at="created_at",
    dated="created_at",
)

Order = Annotated[str, typer.Argument(help="Number, or the id of a draft.")]


def _id(desk: Desk, order: str) -> str:
    return desk.named("sales_orders", "order", order)


@app.command("list")
def list_orders(
    ctx: typer.Context,
    branch: opts.Branch = None,
    customer: opts.Customer = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            help="draft, confirmed, in_production, ready, partially_delivered, delivered, closed, cancelled.",
        ),
    ] = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """List orders, the latest first."""
    desk, output = start(ctx, as_json)
    wanted = {
        "branch_id": desk.branch_id(branch),
        "customer_id": desk.customer_id(customer),
        "status": status,
    }
    _ORDERS.command(desk, output, Pages(limit, everything), wanted)


@app.command("show")
def show_one(ctx: typer.Context, order: Order, as_json: opts.Json = False) -> None:
    """Show an order: what is delivered, invoiced and still open."""
    desk, output = start(ctx, as_json)
    show_order(output, desk.rpc("get_order", {"p_id": _id(desk, order)}))


@app.command("confirm")
def confirm_order(
    ctx: typer.Context,
    order: Order,
    location: opts.Location = None,
    back_order: Annotated[
        bool, typer.Option("--back-order", help="Hold what is there; the rest follows.")
    ] = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Confirm a draft: its goods are held, its number given."""
    desk, output = start(ctx, as_json)
    order_id = _id(desk, order)
    place = _place(desk, order_id, location)
    confirmed = desk.rpc(
        "confirm_order",
        {
            "p_id": own_id or str(uuid4()),
            "p_order_id": order_id,
            "p_options": said({"location_id": place["id"], "back_order": True if back_order else None}),
        },
    )
    show_order(output, confirmed)


@app.command("deliver")
def deliver_order(
    ctx: typer.Context,
    order: Order,
    lines: Annotated[
        list[str] | None, typer.Option("--line", help="NO=QUANTITY of a line; left out: all that is open.")
    ] = None,
    serial: Annotated[
        list[str] | None, typer.Option("--serial", help="NO=NUMBER of a piece of that line; once for each.")
    ] = None,
    location: opts.Location = None,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Deliver an order or a part of it."""
    desk, output = start(ctx, as_json)
    order_id = _id(desk, order)
    place = _place(desk, order_id, location)
    parts = _parts(lines or [], serial or [])
    confirm(output, f"Deliver {order} from {place['code']}?", yes)
    delivered = desk.rpc(
        "deliver_order",
        {
            "p_id": own_id or str(uuid4()),
            "p_order_id": order_id,
            "p_location_id": place["id"],
            "p_lines": parts or None,
        },
    )
    show_titled(output, delivered)


@app.command("invoice")
def invoice_order(
    ctx: typer.Context,
    order: Order,
    lines: Annotated[
        list[str] | None,
        typer.Option("--line", help="NO=QUANTITY of a line; left out: all that is not invoiced yet."),
    ] = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Invoice an order or a part of it; its advances settle it."""
    desk, output = start(ctx, as_json)
    made = desk.rpc(
        "invoice_order",
        {
            "p_id": own_id or str(uuid4()),
            "p_order_id": _id(desk, order),
            "p_options": {"lines": _parts(lines, [])} if lines else {},
        },
    )
    show_titled(output, made)


@app.command("cancel")
def cancel_order(
    ctx: typer.Context,
    order: Order,
    reason: opts.Reason,
    refund: Annotated[
        str | None,
        typer.Option("--refund", help="Pay the advances back by this method; else they are credit."),
    ] = None,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Cancel an order of which nothing was delivered: its goods are free again."""
    desk, output = start(ctx, as_json)
    order_id = _id(desk, order)
    confirm(output, f"Cancel {order}?", yes)
    cancelled = desk.rpc(
        "cancel_order",
        {
            "p_id": own_id or str(uuid4()),
            "p_order_id": order_id,
            "p_reason": reason,
            "p_options": said({"refund_method": refund}),
        },
    )
    show_order(output, cancelled)


def _place(desk: Desk, order_id: str, location: str | None) -> Row:
    """Where the goods of an order stand: a location of its branch."""
    order = desk.one(
        desk.table("sales_orders").select("branch_id").eq("org_id", desk.org_id).eq("id", order_id)
    )
    if order is None:
        raise CliError("not_found", f"There is no order {order_id}, or it is not yours.", REFUSED)
    return desk.location(desk.branch(order["branch_id"]), location)


def _parts(lines: list[str], serials: list[str]) -> list[Row]:
    """The parts that are delivered or invoiced, as the database takes them."""
    pieces: dict[str, list[str]] = {}
    for no, number in map(opts.pair, serials):
        pieces.setdefault(no, []).append(number)
    asked = [opts.pair(line) for line in lines]
    if not pieces.keys() <= {no for no, _ in asked}:
        raise CliError("invalid_input", "Name the pieces of lines that --line delivers.")
    return [
        {
            "line_no": opts.amount(no),
            "quantity": opts.amount(quantity),
            **({"serials": pieces[no]} if no in pieces else {}),
        }
        for no, quantity in asked
    ]
