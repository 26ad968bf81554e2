"""Customers: list, show, add, and their account: statement, history, credit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import uuid4

import typer

from backend.app.core.listing import contains
from cli import opts
from cli.agreements import OF_ONE, agreements_of
from cli.common import said, start
from cli.desk import Desk
from cli.errors import CliError
from cli.listing import Pages
from cli.output import Column, Row, amount_column, id_column, moment, money

app = typer.Typer(help="Customers: who buys, what they owe.", no_args_is_help=True)

_CUSTOMERS = (
    Column("Name", "name"),
    Column("Kind", "kind", extra=5),
    Column("Phone", "phone"),
    Column("E-mail", "email", extra=3),
    Column("City", "city", extra=2),
    Column("Tax number", "tax_number", extra=4),
    Column("Credit status", "credit_status", extra=1),
    amount_column("Credit limit", "credit_limit"),
    id_column(),
)
_OPEN = (
    Column("Invoice", "number"),
    Column("Date", "date", extra=1),
    Column("Due", "due_date"),
    amount_column("Total", "total"),
    amount_column("Balance", "balance", summed=True),
)
_ACCOUNT = (
    Column("Date", "date"),
    Column("Document", "kind", extra=2),
    Column("Number", "number"),
    Column("Reference", "reference", extra=3),
    amount_column("Debit", "debit", summed=True),
    amount_column("Credit", "credit", summed=True),
    amount_column("Balance", "balance", extra=1),
)
_AGES = (
    amount_column("Not due", "current"),
    amount_column("1-30 days", "days_1_30"),
    amount_column("31-60 days", "days_31_60"),
    amount_column("61-90 days", "days_61_90"),
    amount_column("Over 90", "over_90"),
)
_HISTORY = (
    Column("At", "at", moment),
    Column("What", "kind"),
    Column("Number", "number"),
    Column("Status", "status", extra=1),
    amount_column("Amount", "amount"),
    Column("Note", "note", extra=2),
    id_column(),
)
# As many acts as one request for a customer's history answers with.
_PAGE = 200


@app.command("list")
def list_customers(
    ctx: typer.Context,
    search: Annotated[
        str | None, typer.Argument(help="Part of a name, phone number or e-mail address.")
    ] = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    credit: Annotated[
        str | None,
        typer.Option("--credit", help="How their instalments stand: none, active, completed or defaulted."),
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were archived.")] = False,
    as_json: opts.Json = False,
) -> None:
    """List customers by name."""
    desk, output = start(ctx, as_json)
    pages = Pages(limit, everything)
    request = desk.table("customers").select("*", count=pages.count).eq("org_id", desk.org_id)
    request = request.not_.is_("archived_at", "null") if archived else request.is_("archived_at", "null")
    request = request if credit is None else request.eq("credit_status", credit)
    if search:
        request = request.or_(contains(("name", "phone", "email"), search))
    rows = pages.read(desk, output, request.order("name").order("id"), "Customers")
    output.rows("Customers", _CUSTOMERS, rows, desk.currency)
    pages.tell(output, rows)


@app.command("show")
def show_customer(
    ctx: typer.Context,
    customer: opts.Named,
    as_json: opts.Json = False,
) -> None:
    """Show a customer and what is still owed."""
    desk, output = start(ctx, as_json)
    found = desk.customer(customer)
    account = _account(desk, found["id"])
    if output.json:
        output.data({**found, **account})
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
            ("Credit limit", f"{money(found['credit_limit'])} {desk.currency}"),
            ("Credit status", found["credit_status"]),
            ("Owes", f"{money(account['owed'])} {desk.currency}"),
            ("On account", f"{money(account['unallocated'])} {desk.currency}"),
            ("Notes", found["notes"]),
            ("Id", found["id"]),
        ],
    )
    output.table("Open invoices", _OPEN, account["open_invoices"], desk.currency)
    if not account["complete"]:
        output.note("Of the branches whose invoices you may read.")


@app.command("add")
def add_customer(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The name, as documents print it.")],
    business: Annotated[bool, typer.Option("--business", help="A business, not a person.")] = False,
    phone: Annotated[str | None, typer.Option("--phone")] = None,
    email: Annotated[str | None, typer.Option("--email")] = None,
    tax_number: Annotated[
        str | None, typer.Option("--tax-number", help="GSTIN in India: of the state that --region names.")
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
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
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
    try:
        (made,) = desk.read(desk.table("customers").insert(said(values)))
    except CliError as refused:
        before = _added_before(desk, said(values)) if refused.code == "duplicate" else None
        if before is None:
            raise
        made = before
    if output.json:
        output.data(made)
    output.say(f"{made['name']} is a customer now: {made['id']}")


@app.command("statement")
def statement(
    ctx: typer.Context,
    customer: opts.Named,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first business date.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last business date.")],
    as_json: opts.Json = False,
) -> None:
    """Show a customer's statement of account: opening balance, documents, payments, closing balance."""
    desk, output = start(ctx, as_json)
    found = desk.rpc(
        "statement",
        {"p_customer_id": desk.customer_id(customer), "p_from": first.date(), "p_to": last.date()},
    )
    if output.json:
        output.data(found)
        return
    output.sums(
        f"{found['customer']['name']}, {found['from']} to {found['to']}",
        [(name.capitalize(), found[name]) for name in ("opening", "debits", "credits", "closing")],
        found["currency"],
    )
    output.table("Account", _ACCOUNT, found["lines"], found["currency"])
    output.table("Ageing", _AGES, [found["ageing"]], found["currency"])
    if found["charges_due"]:
        due = [("Interest and fees due", found["charges_due"])]
        output.sums("To be paid besides", due, found["currency"])
    if not found["complete"]:
        output.note("Documents of branches that you do not see are left out.")


@app.command("history")
def history(
    ctx: typer.Context,
    customer: opts.Named,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """Everything that happened with a customer, the latest first."""
    desk, output = start(ctx, as_json)
    found = desk.customer(customer)
    rows: list[Row] = []
    cursor: str | None = None
    with output.progress("History") as tell:
        while everything or len(rows) < limit:
            page = desk.rpc(
                "customer_history",
                {
                    "p_customer_id": found["id"],
                    "p_limit": _PAGE if everything else min(_PAGE, limit - len(rows)),
                    "p_cursor": cursor,
                },
            )
            rows += page["items"]
            cursor = page["next_cursor"]
            # How many there are is known at the end only.
            tell(len(rows), len(rows) if cursor is None else None)
            if cursor is None:
                break
    output.rows(f"History of {found['name']}", _HISTORY, rows, desk.currency)
    if cursor is not None:
        output.note(f"The first {limit}; --limit and --all show more.")


@app.command("credit")
def credit_status(ctx: typer.Context, customer: opts.Named, as_json: opts.Json = False) -> None:
    """Show how a customer's credit stands: limit, debts, instalments, points."""
    desk, output = start(ctx, as_json)
    found = desk.customer(customer)
    agreements = agreements_of(desk, output, found["id"])
    points = desk.rpc("loyalty_balance", {"p_customer_id": found["id"]})
    facts = {
        "customer_id": found["id"],
        "name": found["name"],
        "credit_status": found["credit_status"],
        "credit_limit": found["credit_limit"],
        "owed": _account(desk, found["id"])["owed"],
        "overdue": sum((row["overdue"] for row in agreements), Decimal(0)),
        "points": points["points"],
        "agreements": agreements,
    }
    if output.json:
        output.data(facts)
        return
    output.facts(found["name"], [("Credit status", found["credit_status"]), ("Points", points["points"])])
    figures = [("Credit limit", "credit_limit"), ("Owes", "owed"), ("Instalments overdue", "overdue")]
    output.sums("Credit", [(name, facts[field]) for name, field in figures], desk.currency)
    output.table("Agreements", OF_ONE, agreements, desk.currency)


@app.command("credit-limit")
def credit_limit(
    ctx: typer.Context,
    customer: opts.Named,
    value: Annotated[Decimal, typer.Argument(parser=opts.amount, metavar="AMOUNT", help="0 for none.")],
    as_json: opts.Json = False,
) -> None:
    """Set how much a customer may owe in all."""
    desk, output = start(ctx, as_json)
    changed = desk.rpc(
        "set_credit_limit", {"p_customer_id": desk.customer_id(customer), "p_credit_limit": value}
    )
    if output.json:
        output.data(changed)
    output.say(f"{changed['name']} may owe {money(changed['credit_limit'])} {desk.currency} now.")


def _account(desk: Desk, customer_id: str) -> Row:
    """What a customer owes now and what he has on account, as far as the caller's branches know."""
    # Somewhere it is tomorrow already, and what was sold there counts.
    last = datetime.now(UTC).date() + timedelta(days=1)
    found = desk.rpc("statement", {"p_customer_id": customer_id, "p_from": last, "p_to": last})
    return {name: found[name] for name in ("owed", "unallocated", "complete", "open_invoices")}


def _added_before(desk: Desk, values: Row) -> dict[str, Any] | None:
    """The customer that the same command, sent before, has added; None where it is another one."""
    same = desk.table("customers").select("*").eq("org_id", desk.org_id).eq("id", values["id"])
    rows = [dict(row) for row in desk.read(same)]
    return next((row for row in rows if all(row[name] == value for name, value in values.items())), None)
