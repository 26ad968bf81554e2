"""The terms of an instalment agreement as options of a command. What they allow, the database decides."""

import functools
import inspect
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli import opts
from cli.common import said

_PANEL = "Terms"


def _terms(
    count: Annotated[
        int, typer.Option("--count", "-n", rich_help_panel=_PANEL, help="How many instalments.")
    ],
    first_due: Annotated[
        datetime,
        typer.Option(
            "--first-due", formats=["%Y-%m-%d"], rich_help_panel=_PANEL, help="When the first one is due."
        ),
    ],
    deposit: Annotated[
        Decimal | None,
        typer.Option(
            "--deposit", parser=opts.amount, metavar="AMOUNT", rich_help_panel=_PANEL, help="Paid beforehand."
        ),
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option("--interval", rich_help_panel=_PANEL, help="week, fortnight or month; else month."),
    ] = None,
    interest: Annotated[
        str | None,
        typer.Option(
            "--interest", rich_help_panel=_PANEL, help="flat=PERCENT or reducing=PERCENT a year; else none."
        ),
    ] = None,
    fee: Annotated[
        list[str] | None,
        typer.Option("--fee", rich_help_panel=_PANEL, help="NAME=AMOUNT, due with the first instalment."),
    ] = None,
    grace: Annotated[
        int | None,
        typer.Option("--grace", rich_help_panel=_PANEL, help="Days after a due date without a fee."),
    ] = None,
    late_fee: Annotated[
        Decimal | None,
        typer.Option(
            "--late-fee",
            parser=opts.amount,
            metavar="AMOUNT",
            rich_help_panel=_PANEL,
            help="Once, after the days of grace.",
        ),
    ] = None,
    default_after: Annotated[
        int | None,
        typer.Option(
            "--default-after", rich_help_panel=_PANEL, help="Days after a due date until default; else 90."
        ),
    ] = None,
    remind_before: Annotated[
        int | None,
        typer.Option(
            "--remind-before", rich_help_panel=_PANEL, help="Days before a due date to remind; else 3."
        ),
    ] = None,
) -> dict[str, Any]:
    """The terms as the database takes them; what is left out, it fills in."""
    kind, percent = opts.pair(interest) if interest else (None, "")
    return said(
        {
            "count": count,
            "first_due_on": opts.day(first_due),
            "deposit": deposit,
            "interval": interval,
            "interest": {"kind": kind, "annual_percent": opts.amount(percent)} if kind else None,
            "fees": [{"name": name, "amount": opts.amount(value)} for name, value in map(opts.pair, fee)]
            if fee
            else None,
            "grace_days": grace,
            "late_fee": late_fee,
            "default_after_days": default_after,
            "remind_days_before": remind_before,
        }
    )


def with_terms(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the terms; it gets what they say as its last argument, `terms`."""
    own = [one for one in inspect.signature(command).parameters.values() if one.name != "terms"]
    theirs = list(inspect.signature(_terms).parameters.values())

    @functools.wraps(command)
    def run(**values: Any) -> None:
        given = {one.name: values.pop(one.name) for one in theirs}
        command(**values, terms=_terms(**given))

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [one.replace(kind=keyword) for one in (*own, *theirs)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run
