"""Reports: a numbered menu, and each of them by name."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import typer

from cli.common import Branch, From, Json, Limit, To, setup_of, start
from cli.desk import Desk
from cli.errors import CliError
from cli.output import Column, Output, Row, amount_column, quantity_column

app = typer.Typer(help="Reports: what is owed, what sold, what came in.")

_DAY = typer.Option("--as-of", formats=["%Y-%m-%d"], help="At the end of this business date; else now.")
AsOf = Annotated[datetime | None, _DAY]

_OUTSTANDING = (
    Column("Customer", "customer"),
    Column("Invoices", "invoices", right=True),
    amount_column("Owed", "owed"),
    amount_column("Overdue", "overdue"),
    Column("Oldest due", "oldest_due"),
)
_AGEING = (
    Column("Customer", "customer"),
    amount_column("Not due", "current_due"),
    amount_column("1-30 days", "days_1_30"),
    amount_column("31-60 days", "days_31_60"),
    amount_column("61-90 days", "days_61_90"),
    amount_column("Over 90", "over_90"),
    amount_column("Total", "total"),
)
_SELLERS = (
    Column("SKU", "sku"),
    Column("Name", "name"),
    quantity_column("Quantity", "quantity"),
    amount_column("Revenue", "revenue"),
    amount_column("Cost", "cost"),
    amount_column("Margin", "margin"),
)
_REVENUE = (
    Column("Of", "label"),
    Column("Payments", "payments", right=True),
    amount_column("Received", "received"),
    amount_column("Reversed", "reversed"),
    amount_column("Refunded", "refunded"),
    amount_column("Revenue", "revenue"),
)


def _period(first: datetime | None, last: datetime | None) -> tuple[str, str]:
    """The days of a report: left out, this month until today."""
    end = last.date() if last is not None else date.today()  # noqa: DTZ011 - the day on the caller's wall
    begin = first.date() if first is not None else end.replace(day=1)
    return begin.isoformat(), end.isoformat()


def _outstanding(desk: Desk, branch: str | None = None, as_of: datetime | None = None) -> list[Row]:
    rows: list[Row] = desk.rpc(
        "outstanding",
        {
            "p_org_id": desk.org_id,
            "p_branch_id": desk.branch_id(branch),
            "p_as_of": None if as_of is None else as_of.date(),
        },
    )
    return rows


def _ageing(desk: Desk, branch: str | None = None, as_of: datetime | None = None) -> list[Row]:
    rows: list[Row] = desk.rpc(
        "ageing",
        {
            "p_org_id": desk.org_id,
            "p_branch_id": desk.branch_id(branch),
            "p_as_of": None if as_of is None else as_of.date(),
        },
    )
    return rows


def _sellers(
    desk: Desk,
    branch: str | None = None,
    first: datetime | None = None,
    last: datetime | None = None,
    by: str = "revenue",
    limit: int = 20,
) -> list[Row]:
    begin, end = _period(first, last)
    rows: list[Row] = desk.rpc(
        "top_sellers",
        {
            "p_org_id": desk.org_id,
            "p_from": begin,
            "p_to": end,
            "p_by": by,
            "p_limit": limit,
            "p_branch_id": desk.branch_id(branch),
        },
    )
    return rows


def _revenue(
    desk: Desk,
    branch: str | None = None,
    first: datetime | None = None,
    last: datetime | None = None,
    by: str = "day",
) -> list[Row]:
    begin, end = _period(first, last)
    rows: list[Row] = desk.rpc(
        "revenue",
        {
            "p_org_id": desk.org_id,
            "p_from": begin,
            "p_to": end,
            "p_by": by,
            "p_branch_id": desk.branch_id(branch),
        },
    )
    return rows


@dataclass(frozen=True)
class Report:
    """An entry of the menu: what it is called, its columns, and what reads it as usual."""

    title: str
    columns: tuple[Column, ...]
    read: Callable[[Desk], list[Row]]


MENU = (
    Report("Outstanding balances", _OUTSTANDING, _outstanding),
    Report("Ageing of what is owed", _AGEING, _ageing),
    Report("Top sellers of this month", _SELLERS, _sellers),
    Report("Revenue of this month by day", _REVENUE, _revenue),
    Report("Revenue of this month by method", _REVENUE, lambda desk: _revenue(desk, by="method")),
)


@app.callback(invoke_without_command=True)
def menu(ctx: typer.Context, as_json: Json = False) -> None:
    """Show a numbered menu; a report's number shows it, nothing or q ends."""
    if ctx.invoked_subcommand is not None:
        return
    if as_json:
        setup_of(ctx, as_json)
        raise CliError("report_needed", "Name a report: branchline reports --help lists them.")
    desk, output = start(ctx, as_json)
    while True:
        _list(output)
        choice = sys.stdin.readline().strip().casefold()
        if choice in ("", "q"):
            return
        if not choice.isdecimal() or not 1 <= int(choice) <= len(MENU):
            output.note(f"There is no number {choice}.")
            continue
        report = MENU[int(choice) - 1]
        try:
            output.table(report.title, report.columns, report.read(desk))
        except CliError as error:
            # The menu goes on: another report may be allowed.
            output.error(error)


def _list(output: Output) -> None:
    for number, report in enumerate(MENU, start=1):
        output.note(f"{number}  {report.title}")
    output.note("q  End")


@app.command("outstanding")
def outstanding(ctx: typer.Context, branch: Branch = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """What customers owe, the largest first."""
    desk, output = start(ctx, as_json)
    output.rows("Outstanding balances", _OUTSTANDING, _outstanding(desk, branch, as_of))


@app.command("ageing")
def ageing(ctx: typer.Context, branch: Branch = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """What customers owe, by the days since it was due."""
    desk, output = start(ctx, as_json)
    output.rows("Ageing", _AGEING, _ageing(desk, branch, as_of))


@app.command("top-sellers")
def top_sellers(
    ctx: typer.Context,
    branch: Branch = None,
    first: From = None,
    last: To = None,
    by: Annotated[str, typer.Option("--by", help="quantity, revenue or margin.")] = "revenue",
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """What sold best; this month, unless told."""
    desk, output = start(ctx, as_json)
    output.rows("Top sellers", _SELLERS, _sellers(desk, branch, first, last, by, limit))


@app.command("revenue")
def revenue(
    ctx: typer.Context,
    branch: Branch = None,
    first: From = None,
    last: To = None,
    by: Annotated[str, typer.Option("--by", help="day, method, branch or user.")] = "day",
    as_json: Json = False,
) -> None:
    """What came in; this month, unless told."""
    desk, output = start(ctx, as_json)
    output.rows("Revenue", _REVENUE, _revenue(desk, branch, first, last, by))
