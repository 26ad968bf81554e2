"""What every command shares: its options, its desk, its output, and how errors end it."""

import sys
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import structlog
import typer
from typer.core import TyperGroup

from cli.desk import Desk
from cli.errors import CliError
from cli.output import Output, Row
from cli.session import Store, current


@dataclass
class Setup:
    """What was said before the command: the project and the organisation, and whether JSON is wanted."""

    url: str | None = None
    anon_key: str | None = None
    org: str | None = None
    json: bool = False

    @property
    def output(self) -> Output:
        """The output of this command."""
        return Output(self.json)

    @property
    def store(self) -> Store:
        """Where the session is kept."""
        return Store()

    def desk(self) -> Desk:
        """The desk of whoever is signed in."""
        session = current(self.store)
        if self.url is not None and self.url.rstrip("/") != session.url:
            message = (
                f"You are signed in at {session.url}, not at {self.url}: branchline login --url {self.url}"
            )
            raise CliError("other_project", message)
        return Desk(session, self.org)


class Commands(TyperGroup):
    """The commands; what stops one becomes a message with its code and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except CliError as error:
            setup = ctx.obj if isinstance(ctx.obj, Setup) else Setup()
            setup.output.error(error)
            raise typer.Exit(error.status) from error


def quiet_logs() -> None:
    """What the shared parts log for servers is nothing for a terminal, least of all on standard output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), cache_logger_on_first_use=False)


def setup_of(ctx: typer.Context, as_json: bool) -> Setup:
    """What was said before the command, and whether JSON is wanted; errors are then written so, too."""
    setup = ctx.find_root().obj
    assert isinstance(setup, Setup)
    setup.json = as_json
    return setup


def start(ctx: typer.Context, as_json: bool) -> tuple[Desk, Output]:
    """The desk and the output of a command."""
    setup = setup_of(ctx, as_json)
    return setup.desk(), setup.output


def amount(text: str) -> Decimal:
    """An amount or a quantity as typed: digits, and a point before decimals."""
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise typer.BadParameter(f"{text} is no number.") from None
    if not value.is_finite():
        raise typer.BadParameter(f"{text} is no number.")
    return value


def pair(text: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE."""
    name, sign, value = text.rpartition("=")
    if not (name and sign and value):
        raise typer.BadParameter(f"Write {text} as NAME=VALUE.")
    return name, value


def confirm(output: Output, question: str, yes: bool) -> None:
    """Ask whether to go on, unless that was said already; who cannot be asked must have said it."""
    if yes:
        return
    if output.json or not sys.stdin.isatty():
        raise CliError("confirmation_needed", "Nobody is there to confirm it: add --yes.")
    if not typer.confirm(question, err=True):
        raise CliError("not_confirmed", "Nothing was done.", 1)


def listed(desk: Desk, output: Output, builder: Any, limit: int, everything: bool, what: str) -> list[Row]:
    """The rows of a list: the first ones, or all with a progress bar."""
    if not everything:
        return list(desk.read(builder.limit(limit)))
    rows: list[Row] = []
    with output.progress(what) as tell:
        for page, total in desk.pages(builder):
            rows += page
            tell(len(rows), total)
    return rows


def told_of_more(output: Output, rows: list[Row], limit: int, everything: bool) -> None:
    """Say that a list may go on."""
    if not everything and len(rows) == limit:
        output.note(f"The first {limit}; --limit and --all show more.")


def day(value: datetime | None) -> str | None:
    """A date as the database takes it."""
    return None if value is None else value.date().isoformat()


Json = Annotated[bool, typer.Option("--json", help="JSON for scripts, and nothing else on standard output.")]
Branch = Annotated[
    str | None, typer.Option("--branch", "-b", help="The branch's code.", envvar="BRANCHLINE_BRANCH")
]
Location = Annotated[
    str | None, typer.Option("--location", "-l", help="The location's code.", envvar="BRANCHLINE_LOCATION")
]
Customer = Annotated[
    str | None, typer.Option("--customer", "-c", help="The customer's name, phone, e-mail address or id.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")]
All = Annotated[bool, typer.Option("--all", help="Every one, however many.")]
From = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first business date.")
]
To = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last business date.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OwnId = Annotated[
    str | None, typer.Option("--id", help="Your own uuid of this act: sent again, it is not done again.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
Reference = Annotated[str | None, typer.Option("--reference", help="Of the cheque, the transfer.")]
