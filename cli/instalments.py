"""Instalments: quote, open, list, show, collect, and what the daily job does."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import uuid4

import typer

from cli import opts, report_list
from cli.agreements import AGREEMENTS, REMINDERS, reminded, show_agreement, show_quote, standing
from cli.common import confirm, said, start
from cli.desk import Desk
from cli.listing import Pages
from cli.output import money
from cli.report_list import show_report
from cli.report_rows import Query
from cli.terms import with_terms

app = typer.Typer(help="Instalments: sales on credit, what is due, who is late.", no_args_is_help=True)

_DONE = (
    ("Agreements looked at", "agreements"),
    ("Newly overdue", "overdue"),
    ("Late fees added", "late_fees"),
    ("Newly in default", "defaulted"),
    ("Reminders", "reminders"),
)

Agreement = Annotated[str, typer.Argument(help="The agreement's number or id.")]


def _id(desk: Desk, agreement: str) -> str:
    return desk.named("credit_agreements", "agreement", agreement)


@app.command("quote")
@with_terms
def quote_credit(
    ctx: typer.Context,
    value: opts.Amount,
    terms: dict[str, Any],
    branch: opts.Branch = None,
    as_json: opts.Json = False,
) -> None:
    """Show what a price would come to in instalments from today on; nothing is written."""
    desk, output = start(ctx, as_json)
    quote = _quote(desk, value, terms, desk.branch_id(branch))
    if output.json:
        output.data(quote)
        return
    show_quote(output, quote, desk.currency)


@app.command("open")
@with_terms
def open_agreement(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(help="Number or id of an invoice whose deposit is paid.")],
    terms: dict[str, Any],
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Agree that what is open of an invoice is paid in instalments."""
    desk, output = start(ctx, as_json)
    invoice_id = desk.named("invoices", "invoice", invoice)
    if not yes:
        found = desk.rpc("get_invoice", {"p_id": invoice_id})
        if not output.json and found["balance"] > 0:
            # The deposit is paid by now: what is open is all financed.
            quote = _quote(desk, found["balance"], {**terms, "deposit": 0}, found["branch_id"])
            show_quote(output, quote, found["currency"])
        confirm(output, f"Agree on these instalments for {found['number']}?", yes)
    made = desk.rpc(
        "open_credit_sale",
        {"p_id": own_id or str(uuid4()), "p_invoice_id": invoice_id, "p_terms": terms},
    )
    show_agreement(output, made)


def _quote(desk: Desk, value: Decimal, terms: dict[str, Any], branch_id: str | None) -> Any:
    return desk.rpc("quote_credit", {"p_amount": value, "p_terms": terms, "p_date": desk.today(branch_id)})


@app.command("list")
def list_agreements(
    ctx: typer.Context,
    branch: opts.Branch = None,
    customer: opts.Customer = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help="active, defaulted, completed, rescheduled or cancelled."),
    ] = None,
    first: opts.From = None,
    last: opts.To = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """List agreements, the latest first, with what is open and overdue."""
    desk, output = start(ctx, as_json)
    pages = Pages(limit, everything)
    wanted = {
        "branch_id": desk.branch_id(branch),
        "customer_id": desk.customer_id(customer),
        "status": status,
    }
    request = AGREEMENTS.request(desk, pages, wanted, first, last)
    rows = AGREEMENTS.read(desk, output, pages, request)
    AGREEMENTS.show(desk, output, pages, standing(desk, output, rows))


@app.command("show")
def show_one(ctx: typer.Context, agreement: Agreement, as_json: opts.Json = False) -> None:
    """Show an agreement with its schedule and what settles it today."""
    desk, output = start(ctx, as_json)
    show_agreement(output, desk.rpc("get_agreement", {"p_id": _id(desk, agreement)}))


@app.command("due")
def due(
    ctx: typer.Context, branch: opts.Branch = None, until: opts.Until = None, as_json: opts.Json = False
) -> None:
    """What is to be collected by today, or by a later day."""
    show_report(ctx, as_json, report_list.DUE, Query(branch=branch, until=until))


@app.command("overdue")
def overdue(ctx: typer.Context, branch: opts.Branch = None, as_json: opts.Json = False) -> None:
    """Who is late: what the daily job has marked overdue."""
    show_report(ctx, as_json, report_list.OVERDUE, Query(branch=branch))


@app.command("reminders")
def reminders(
    ctx: typer.Context,
    branch: opts.Branch = None,
    first: opts.From = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """Whom the daily job has reminded, the latest first: before, at and after a due date."""
    desk, output = start(ctx, as_json)
    pages = Pages(limit, everything)
    request = desk.table("credit_reminders").select(
        *("agreement_id", "no", "kind", "branch_id", "reminded_on"), count=pages.count
    )
    request = request.eq("org_id", desk.org_id)
    request = request if branch is None else request.eq("branch_id", desk.branch_id(branch))
    request = request if first is None else request.gte("reminded_on", opts.day(first))
    request = request.order("reminded_on", desc=True).order("agreement_id").order("no").order("kind")
    rows = pages.read(desk, output, request, "Reminders")
    output.rows("Reminders", REMINDERS, reminded(desk, output, rows), desk.currency)
    pages.tell(output, rows)


@app.command("pay")
def pay(
    ctx: typer.Context,
    agreement: Agreement,
    value: opts.Amount,
    method: opts.Method = "cash",
    branch: opts.Branch = None,
    reference: opts.Reference = None,
    note: opts.Note = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Take a payment: the oldest instalment first; what is more prepays the next ones."""
    desk, output = start(ctx, as_json)
    paid = desk.rpc(
        "pay_agreement",
        {
            "p_id": own_id or str(uuid4()),
            "p_agreement_id": _id(desk, agreement),
            "p_amount": value,
            "p_method": method,
            "p_reference": reference,
            "p_options": said({"branch_id": desk.branch_id(branch), "note": note}),
        },
    )
    taken = paid["payment"]
    output.say(f"Received: {money(taken['amount'])} {taken['currency']}, receipt {taken['number']}.")
    show_agreement(output, paid)


@app.command("settle")
def settle(
    ctx: typer.Context,
    agreement: Agreement,
    method: opts.Method = "cash",
    value: Annotated[
        Decimal | None,
        typer.Option(
            "--amount", parser=opts.amount, metavar="AMOUNT", help="What it takes today; else asked."
        ),
    ] = None,
    branch: opts.Branch = None,
    reference: opts.Reference = None,
    note: opts.Note = None,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Pay an agreement off before its time."""
    desk, output = start(ctx, as_json)
    agreement_id = _id(desk, agreement)
    if value is None:
        found = desk.rpc("get_agreement", {"p_id": agreement_id})
        value = found["settlement_amount"]
        confirm(output, f"{money(value)} {found['currency']} settle {found['number']}. Received?", yes)
    settled = desk.rpc(
        "settle_early",
        {
            "p_id": own_id or str(uuid4()),
            "p_agreement_id": agreement_id,
            "p_amount": value,
            "p_method": method,
            "p_reference": reference,
            "p_options": said({"branch_id": desk.branch_id(branch), "note": note}),
        },
    )
    show_agreement(output, settled)


@app.command("reschedule")
@with_terms
def reschedule(
    ctx: typer.Context,
    agreement: Agreement,
    terms: dict[str, Any],
    reason: opts.Reason,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Replace an agreement by another one over what is still open."""
    desk, output = start(ctx, as_json)
    agreement_id = _id(desk, agreement)
    confirm(output, f"Replace {agreement} by another agreement?", yes)
    made = desk.rpc(
        "reschedule",
        {
            "p_id": own_id or str(uuid4()),
            "p_agreement_id": agreement_id,
            "p_terms": terms,
            "p_reason": reason,
        },
    )
    show_agreement(output, made)


@app.command("waive")
def waive(
    ctx: typer.Context,
    agreement: Agreement,
    no: Annotated[int, typer.Argument(help="Which instalment.")],
    component: Annotated[str, typer.Argument(help="late_fee, fee or interest.")],
    value: opts.Amount,
    reason: opts.Reason,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Let a customer off a charge that is not paid yet."""
    desk, output = start(ctx, as_json)
    changed = desk.rpc(
        "waive_charge",
        {
            "p_id": own_id or str(uuid4()),
            "p_agreement_id": _id(desk, agreement),
            "p_no": no,
            "p_component": component,
            "p_amount": value,
            "p_reason": reason,
        },
    )
    show_agreement(output, changed)


@app.command("run-overdue")
def run_overdue(ctx: typer.Context, as_json: opts.Json = False) -> None:
    """Do now what is done every night: mark what is late, add late fees, remind; twice does no harm."""
    desk, output = start(ctx, as_json)
    done = desk.rpc("run_overdue", {"p_org_id": desk.org_id})
    if output.json:
        output.data(done)
        return
    output.facts("The daily job", [(name, str(done[field])) for name, field in _DONE])
