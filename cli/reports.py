"""Reports: a numbered menu, and each of them by name."""

import sys
from typing import Annotated

import typer

from cli import opts, report_list
from cli.common import setup_of, start
from cli.errors import CliError
from cli.output import Output
from cli.report_list import Report, show_report
from cli.report_rows import Query

app = typer.Typer(help="Reports: what is owed, what sold, what came in, what is in the till.")

MENU: tuple[tuple[str, Report, Query], ...] = (
    ("Outstanding balances", report_list.OUTSTANDING, Query()),
    ("Ageing of what is owed", report_list.AGEING, Query()),
    ("Instalments due by today", report_list.DUE, Query()),
    ("Instalments overdue", report_list.OVERDUE, Query()),
    ("Top sellers of this month", report_list.SELLERS, Query(by="revenue")),
    ("Revenue of this month by day", report_list.REVENUE, Query(by="day")),
    ("Revenue of this month by method", report_list.REVENUE, Query(by="method")),
    ("Sales of this month by day", report_list.SALES, Query(by="day")),
    ("Cash-up of the latest shifts", report_list.CASH_UP, Query()),
    ("Low stock, and what to order", report_list.LOW_STOCK, Query()),
)


@app.callback(invoke_without_command=True)
def menu(ctx: typer.Context, as_json: opts.Json = False) -> None:
    """Show a numbered menu; a report's number shows it, nothing or q ends."""
    if ctx.invoked_subcommand is not None:
        return
    if as_json:
        setup_of(ctx, as_json)
        raise CliError("report_needed", "Name a report: branchline reports --help lists them.")
    desk, output = start(ctx, as_json)
    _list(output)
    while True:
        output.ask("Number, Enter for the list, q to end: ")
        line = sys.stdin.readline()
        choice = line.strip().casefold()
        if not line or choice == "q":
            return
        if not choice:
            _list(output)
            continue
        if not choice.isdecimal() or not 1 <= int(choice) <= len(MENU):
            output.note(f"There is no number {choice}.")
            continue
        _, report, query = MENU[int(choice) - 1]
        try:
            report.show(desk, output, query)
        except CliError as error:
            # The menu goes on: another report may be allowed.
            output.error(error)


def _list(output: Output) -> None:
    for number, (title, _, _) in enumerate(MENU, start=1):
        output.note(f"{number:2}  {title}")


@app.command("outstanding")
def outstanding(
    ctx: typer.Context, branch: opts.Branch = None, as_of: opts.AsOf = None, as_json: opts.Json = False
) -> None:
    """What customers owe, the largest first."""
    show_report(ctx, as_json, report_list.OUTSTANDING, Query(branch, as_of=as_of))


@app.command("ageing")
def ageing(
    ctx: typer.Context, branch: opts.Branch = None, as_of: opts.AsOf = None, as_json: opts.Json = False
) -> None:
    """What customers owe, by the days since it was due."""
    show_report(ctx, as_json, report_list.AGEING, Query(branch, as_of=as_of))


@app.command("instalments-due")
def instalments_due(
    ctx: typer.Context, branch: opts.Branch = None, until: opts.Until = None, as_json: opts.Json = False
) -> None:
    """What is to be collected by today, or by a later day."""
    show_report(ctx, as_json, report_list.DUE, Query(branch, until=until))


@app.command("instalments-overdue")
def instalments_overdue(ctx: typer.Context, branch: opts.Branch = None, as_json: opts.Json = False) -> None:
    """Who is late: what the daily job has marked overdue."""
    show_report(ctx, as_json, report_list.OVERDUE, Query(branch))


@app.command("top-sellers")
def top_sellers(
    ctx: typer.Context,
    branch: opts.Branch = None,
    first: opts.From = None,
    last: opts.To = None,
    by: Annotated[str, typer.Option("--by", help="quantity, revenue or margin.")] = "revenue",
    limit: opts.Limit = 20,
    as_json: opts.Json = False,
) -> None:
    """What sold best; this month, unless told."""
    show_report(ctx, as_json, report_list.SELLERS, Query(branch, first=first, last=last, by=by, limit=limit))


@app.command("revenue")
def revenue(
    ctx: typer.Context,
    branch: opts.Branch = None,
    first: opts.From = None,
    last: opts.To = None,
    by: Annotated[str, typer.Option("--by", help="day, method, day_method, branch or user.")] = "day",
    as_json: opts.Json = False,
) -> None:
    """What came in; this month, unless told."""
    show_report(ctx, as_json, report_list.REVENUE, Query(branch, first=first, last=last, by=by))


@app.command("sales")
def sales(
    ctx: typer.Context,
    branch: opts.Branch = None,
    first: opts.From = None,
    last: opts.To = None,
    by: Annotated[str, typer.Option("--by", help="day, branch or all.")] = "day",
    as_json: opts.Json = False,
) -> None:
    """What was invoiced less what was credited, with cost and margin; this month, unless told."""
    show_report(ctx, as_json, report_list.SALES, Query(branch, first=first, last=last, by=by))


@app.command("cash-up")
def cash_up(
    ctx: typer.Context, branch: opts.Branch = None, limit: opts.Limit = 20, as_json: opts.Json = False
) -> None:
    """The latest till shifts: what should be in the till, what was counted, what is missing."""
    show_report(ctx, as_json, report_list.CASH_UP, Query(branch, limit=limit))


@app.command("low-stock")
def low_stock(ctx: typer.Context, branch: opts.Branch = None, as_json: opts.Json = False) -> None:
    """What is at its reorder point or below, and what to order."""
    show_report(ctx, as_json, report_list.LOW_STOCK, Query(branch))
