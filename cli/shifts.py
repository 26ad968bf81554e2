"""Till shifts: open, cash in and out, count and close, report."""

from decimal import Decimal
from typing import Annotated
from uuid import uuid4

import typer

from cli import opts, report_list
from cli.common import confirm, somebody_is_there, start
from cli.desk import Desk
from cli.errors import REFUSED, CliError
from cli.output import Column, Output, Row, amount_column, moment, money
from cli.report_list import show_report
from cli.report_rows import Query

app = typer.Typer(help="Till shifts: who stood at the till, and what was in it.", no_args_is_help=True)

_TAKINGS = (
    Column("Method", "method"),
    Column("Payments", "payments", right=True, extra=2),
    amount_column("Expected", "expected", summed=True),
    amount_column("Counted", "counted", extra=1, summed=True),
    amount_column("Difference", "difference", extra=1, summed=True),
)
_CASH = (
    Column("At", "at", moment),
    Column("Kind", "kind"),
    amount_column("Amount", "amount"),
    Column("Reason", "reason"),
)

Shift = Annotated[str | None, typer.Option("--shift", help="The shift's id; else your open one.")]


@app.command("open")
def open_shift(
    ctx: typer.Context,
    opening_float: Annotated[
        Decimal | None,
        typer.Option("--float", parser=opts.amount, metavar="AMOUNT", help="The cash in the till; else 0."),
    ] = None,
    branch: opts.Branch = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Open your till at a branch: what you take there from now on belongs to this shift."""
    desk, output = start(ctx, as_json)
    opened = desk.rpc(
        "open_shift",
        {
            "p_id": own_id or str(uuid4()),
            "p_branch_id": desk.branch(branch)["id"],
            "p_opening_float": opening_float or 0,
        },
    )
    _show(output, opened)


@app.command("cash-in")
def cash_in(
    ctx: typer.Context,
    value: opts.Amount,
    reason: opts.Reason,
    shift: Shift = None,
    branch: opts.Branch = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Note cash that was brought to the till, such as change."""
    _move(ctx, "cash_in", value, reason, shift, branch, own_id, as_json)


@app.command("cash-out")
def cash_out(
    ctx: typer.Context,
    value: opts.Amount,
    reason: opts.Reason,
    shift: Shift = None,
    branch: opts.Branch = None,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Note cash that was taken from the till, such as to the bank."""
    _move(ctx, "cash_out", value, reason, shift, branch, own_id, as_json)


def _move(
    ctx: typer.Context,
    kind: str,
    value: Decimal,
    reason: str,
    shift: str | None,
    branch: str | None,
    own_id: str | None,
    as_json: bool,
) -> None:
    desk, output = start(ctx, as_json)
    moved = desk.rpc(
        "move_cash",
        {
            "p_id": own_id or str(uuid4()),
            "p_shift_id": _shift_id(desk, shift, branch),
            "p_kind": kind,
            "p_amount": value,
            "p_reason": reason,
        },
    )
    _show(output, moved)


@app.command("close")
def close_shift(
    ctx: typer.Context,
    counted: Annotated[
        list[str] | None,
        typer.Option("--counted", help="METHOD=AMOUNT that was counted; once for each method."),
    ] = None,
    note: opts.Note = None,
    shift: Shift = None,
    branch: opts.Branch = None,
    yes: opts.Yes = False,
    own_id: opts.OwnId = None,
    as_json: opts.Json = False,
) -> None:
    """Count the till and close it; a method that is not named was counted as 0."""
    desk, output = start(ctx, as_json)
    shift_id = _shift_id(desk, shift, branch)
    figures = {method: opts.amount(value) for method, value in map(opts.pair, counted or [])}
    if not counted:
        figures = _ask_for_counts(desk, output, shift_id)
    confirm(output, "Close the till with these counts?", yes)
    closed = desk.rpc(
        "close_shift",
        {"p_id": own_id or str(uuid4()), "p_shift_id": shift_id, "p_counted": figures, "p_note": note},
    )
    _show(output, closed)


@app.command("report")
def report(
    ctx: typer.Context,
    shift: Annotated[str | None, typer.Argument(help="The shift's id; else your open one.")] = None,
    branch: opts.Branch = None,
    as_json: opts.Json = False,
) -> None:
    """Show a shift: what came in, cash moved, expected, counted, and the difference."""
    desk, output = start(ctx, as_json)
    _show(output, desk.rpc("shift_report", {"p_shift_id": _shift_id(desk, shift, branch)}))


@app.command("list")
def list_shifts(
    ctx: typer.Context, branch: opts.Branch = None, limit: opts.Limit = 20, as_json: opts.Json = False
) -> None:
    """List shifts, the latest first: yours, or everybody's for who reads reports."""
    show_report(ctx, as_json, report_list.CASH_UP, Query(branch, limit=limit))


def _shift_id(desk: Desk, shift: str | None, branch: str | None) -> str:
    """The shift that was named, else the caller's open one."""
    if shift is not None:
        return shift
    request = desk.table("till_shifts").select("id", "branch_id").eq("org_id", desk.org_id)
    request = request.eq("user_id", desk.me["user"]["id"]).eq("status", "open")
    if branch is not None:
        request = request.eq("branch_id", desk.branch_id(branch))
    found = desk.read(request)
    if not found:
        raise CliError("shift_needed", "You have no open till: branchline shifts open.", REFUSED)
    if len(found) > 1:
        raise CliError("branch_needed", "You have several open tills: --branch CODE.")
    return str(found[0]["id"])


def _ask_for_counts(desk: Desk, output: Output, shift_id: str) -> dict[str, Decimal]:
    """What was counted, asked for by method; what is expected is not shown before."""
    if not somebody_is_there(output):
        raise CliError("count_needed", "Say what was counted: --counted METHOD=AMOUNT.")
    expected = desk.rpc("shift_report", {"p_shift_id": shift_id})["takings"] or []
    return {
        one["method"]: typer.prompt(f"Counted, {one['method']}", value_proc=opts.amount, err=True)
        for one in expected
    }


def _show(output: Output, shift: Row) -> None:
    if output.json:
        output.data(shift)
        return
    output.facts(
        f"Till of {shift['user']} at {shift['branch']['name']}",
        [
            ("Status", shift["status"]),
            ("Opened", moment(shift["opened_at"])),
            ("Closed", moment(shift["closed_at"])),
            ("Opening float", f"{money(shift['opening_float'])} {shift['currency']}"),
            ("Note", shift["note"]),
            ("Id", shift["id"]),
        ],
    )
    taken = [
        {**one, "payments": shift["payments"].get(one["method"], {}).get("count")}
        for one in shift["takings"] or []
    ]
    output.table("Takings", _TAKINGS, taken, shift["currency"])
    if shift["cash_movements"]:
        output.table("Cash moved", _CASH, shift["cash_movements"], shift["currency"])
