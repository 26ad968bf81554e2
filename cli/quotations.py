"""Quotations: new, list, show, send, approve, convert."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

import typer

from cli import opts
from cli.common import said, start
from cli.desk import Desk
from cli.documents import show_order, show_titled
from cli.lines import document_discount, lines_of
from cli.listing import Listing, Pages
from cli.output import Column, amount_column, id_column

app = typer.Typer(help="Quotations: what was offered, and what became of it.", no_args_is_help=True)

_QUOTATIONS = Listing(
    "Quotations",
    "quotations",
    ("id", "branch_id", "customer_id", "number", "revision", "status", "valid_until", "total"),
    (
        Column("Quotation", "number", instead="id"),
        Column("Customer", "customer"),
        Column("Status", "status"),
        Column("Valid until", "valid_until", extra=1),
        Column("Revision", "revision", right=True, extra=2),
        amount_column("Total", "total"),
        id_column(),
    ),
    at="created_at",
    dated="valid_until",
)

Quotation = Annotated[str, typer.Argument(help="Number or id.")]


def _id(desk: Desk, quotation: str) -> str:
    return desk.named("quotations", "quotation", quotation)


@app.command("list")
def list_quotations(
    ctx: typer.Context,
    branch: opts.Branch = None,
    customer: opts.Customer = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help="draft, sent, approved, rejected, expired or converted."),
    ] = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """List quotations, the latest first."""
    desk, output = start(ctx, as_json)
    wanted = {
        "branch_id": desk.branch_id(branch),
        "customer_id": desk.customer_id(customer),
        "status": status,
    }
    _QUOTATIONS.command(desk, output, Pages(limit, everything), wanted)


@app.command("show")
def show_quotation(ctx: typer.Context, quotation: Quotation, as_json: opts.Json = False) -> None:
    """Show a quotation with its lines."""
    desk, output = start(ctx, as_json)
    show_titled(output, desk.rpc("get_quotation", {"p_id": _id(desk, quotation)}))


@app.command("new")
def new_quotation(
    ctx: typer.Context,
    items: opts.Items,
    customer: Annotated[
        str, typer.Option("--customer", "-c", help="The customer's name, phone, e-mail address or id.")
    ],
    branch: opts.Branch = None,
    discount: opts.Discounts = None,
    off_all: opts.DocumentDiscount = None,
    valid_until: Annotated[
        datetime | None,
        typer.Option("--valid-until", formats=["%Y-%m-%d"], help="The last day; else in 30 days."),
    ] = None,
    note: opts.Note = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Write a quotation, a draft until it is sent."""
    desk, output = start(ctx, as_json)
    made = desk.rpc(
        "save_quotation",
        {
            "p_id": own_id or str(uuid4()),
            "p_quotation_id": None,
            "p_branch_id": desk.branch(branch)["id"],
            "p_customer_id": desk.customer_id(customer),
            "p_lines": lines_of(desk, items, discount, None),
            "p_options": said(
                {
                    "valid_until": opts.day(valid_until),
                    "note": note,
                    "discount": document_discount(off_all),
                }
            ),
        },
    )
    show_titled(output, made)


@app.command("send")
def send_quotation(
    ctx: typer.Context, quotation: Quotation, own_id: opts.OwnId = None, as_json: opts.Json = False
) -> None:
    """Send a draft: it gets its number and stays as it is."""
    desk, output = start(ctx, as_json)
    sent = desk.rpc(
        "send_quotation", {"p_id": own_id or str(uuid4()), "p_quotation_id": _id(desk, quotation)}
    )
    show_titled(output, sent)


@app.command("approve")
def approve_quotation(
    ctx: typer.Context, quotation: Quotation, own_id: opts.OwnId = None, as_json: opts.Json = False
) -> None:
    """Note that the customer accepts."""
    desk, output = start(ctx, as_json)
    approved = desk.rpc(
        "approve_quotation", {"p_id": own_id or str(uuid4()), "p_quotation_id": _id(desk, quotation)}
    )
    show_titled(output, approved)


@app.command("convert")
def convert_quotation(
    ctx: typer.Context, quotation: Quotation, own_id: opts.OwnId = None, as_json: opts.Json = False
) -> None:
    """Make the order of an approved quotation, at its prices; a draft until it is confirmed."""
    desk, output = start(ctx, as_json)
    made = desk.rpc(
        "convert_quotation", {"p_id": own_id or str(uuid4()), "p_quotation_id": _id(desk, quotation)}
    )
    show_order(output, made)
