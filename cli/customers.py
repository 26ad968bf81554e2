"""Customers: list, show, add."""

from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

from backend.app.core.listing import contains
from cli.common import All, Json, Limit, OwnId, listed, start, told_of_more
from cli.output import Column, amount_column, money

app = typer.Typer(help="Customers: who buys, what they owe.", no_args_is_help=True)

_COLUMNS = (
    Column("Name", "name"),
    Column("Kind", "kind"),
    Column("Phone", "phone"),
    Column("E-mail", "email"),
    Column("City", "city"),
    Column("Tax number", "tax_number"),
    amount_column("Credit limit", "credit_limit"),
)
OPEN_COLUMNS = (
    Column("Invoice", "number"),
    Column("Date", "business_date"),
    Column("Due", "due_date"),
    Column("Status", "status"),
    amount_column("Total", "total"),
    amount_column("Balance", "balance"),
)

_ACCOUNT = (
    Column("Date", "date"),
    Column("Document", "kind"),
    Column("Number", "number"),
    amount_column("Debit", "debit"),
    amount_column("Credit", "credit"),
    amount_column("Balance", "balance"),
)
_AGES = (
    amount_column("Not due", "current"),
    amount_column("1-30 days", "days_1_30"),
    amount_column("31-60 days", "days_31_60"),
    amount_column("61-90 days", "days_61_90"),
    amount_column("Over 90", "over_90"),
)


@app.command("list")
def list_customers(
    ctx: typer.Context,
    search: Annotated[
        str | None, typer.Argument(help="Part of a name, phone number or e-mail address.")
    ] = None,
    limit: Limit = 50,
    everything: All = False,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were archived.")] = False,
    as_json: Json = False,
) -> None:
    """List customers by name."""
    desk, output = start(ctx, as_json)
    request = (
        desk.table("customers").select("*", count="exact" if everything else None).eq("org_id", desk.org_id)
    )
    request = request.not_.is_("archived_at", "null") if archived else request.is_("archived_at", "null")
    if search:
        request = request.or_(contains(("name", "phone", "email"), search))
    rows = listed(desk, output, request.order("name").order("id"), limit, everything, "Customers")
    output.rows("Customers", _COLUMNS, rows)
    told_of_more(output, rows, limit, everything)


@app.command("show")
def show_customer(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Name, phone, e-mail address or id.")],
    as_json: Json = False,
) -> None:
    """Show a customer and what is still owed."""
    desk, output = start(ctx, as_json)
    found = desk.customer(customer)
    request = desk.table("invoices").select("id", *(column.field for column in OPEN_COLUMNS))
    request = request.eq("org_id", desk.org_id).eq("customer_id", found["id"]).gt("balance", 0)
    owed = desk.read(request.order("business_date").order("id"))
    balance = sum(invoice["balance"] for invoice in owed)
    if output.json:
        output.data({**found, "balance": balance, "open_invoices": owed})
        return
    address = [found.get(f"address_{line}") for line in ("line1", "line2")]
    address += [found.get("city"), found.get("region_code"), found.get("postal_code"), found.get("country")]
    output.facts(
        found["name"],
        [
            ("Kind", found["kind"]),
            ("Phone", found["phone"]),
            ("E-mail", found["email"]),
            ("Address", ", ".join(part for part in address if part)),
            ("Tax number", found["tax_number"]),
            ("Credit limit", f"{found['credit_limit']:,.2f} {desk.currency}"),
            ("Owes", f"{balance:,.2f} {desk.currency}"),
            ("Notes", found["notes"]),
            ("Id", found["id"]),
        ],
    )
    output.table("Open invoices", OPEN_COLUMNS, owed)


@app.command("add")
def add_customer(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The name, as documents print it.")],
    business: Annotated[bool, typer.Option("--business", help="A business, not a person.")] = False,
    phone: Annotated[str | None, typer.Option("--phone")] = None,
    email: Annotated[str | None, typer.Option("--email")] = None,
    tax_number: Annotated[
        str | None, typer.Option("--tax-number", help="GSTIN in India; needs --country.")
    ] = None,
    line1: Annotated[str | None, typer.Option("--address", help="Street and number.")] = None,
    city: Annotated[str | None, typer.Option("--city")] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="The region's code: in India the GST state's.")
    ] = None,
    postal_code: Annotated[str | None, typer.Option("--postal-code")] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="Two letters; else the organisation's.")
    ] = None,
    notes: Annotated[str | None, typer.Option("--notes")] = None,
    own_id: OwnId = None,
    as_json: Json = False,
) -> None:
    """Add a customer."""
    desk, output = start(ctx, as_json)
    located = region is not None or tax_number is not None
    values: dict[str, Any] = {
        "id": own_id or str(uuid4()),
        "org_id": desk.org_id,
        "name": name,
        "kind": "business" if business else "person",
        "phone": phone,
        "email": email,
        "tax_number": tax_number,
        "address_line1": line1,
        "city": city,
        "region_code": region,
        "postal_code": postal_code,
        "country": country or (desk.org["country"] if located else None),
        "notes": notes,
    }
    (made,) = desk.read(desk.table("customers").insert({k: v for k, v in values.items() if v is not None}))
    if output.json:
        output.data(made)
    output.say(f"{made['name']} is a customer now: {made['id']}")


@app.command("statement")
def statement(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Name, phone, e-mail address or id.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first business date.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last business date.")],
    as_json: Json = False,
) -> None:
    """Show a customer's statement of account: opening balance, documents, payments, closing balance."""
    desk, output = start(ctx, as_json)
    found = desk.rpc(
        "statement",
        {"p_customer_id": desk.customer(customer)["id"], "p_from": first.date(), "p_to": last.date()},
    )
    if output.json:
        output.data(found)
        return
    output.facts(
        f"{found['customer']['name']}, {found['from']} to {found['to']}",
        [(name.capitalize(), f"{money(found[name])} {found['currency']}") for name in ("opening", "closing")],
    )
    output.table("Account", _ACCOUNT, found["lines"])
    output.table("Ageing", _AGES, [found["ageing"]])
    if not found["complete"]:
        output.note("Documents of branches that you do not see are left out.")
