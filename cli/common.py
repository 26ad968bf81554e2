"""What every command shares: its desk, its output, and how errors end it."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.desk import Desk
from cli.errors import CliError
from cli.output import Output
from cli.session import Store, current

_JSON_WANTED = "branchline.json"


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

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words before the command."""
        ctx.meta[_JSON_WANTED] = "--json" in args
        with _misunderstood(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            with _misunderstood(ctx):
                return super().invoke(ctx)
        except CliError as error:
            setup = ctx.obj if isinstance(ctx.obj, Setup) else Setup()
            setup.output.error(error)
            raise typer.Exit(error.status) from error


@contextmanager
def _misunderstood(ctx: Any) -> Iterator[None]:
    """Tell a script, too, that its words make no command; people are told how it is used."""
    try:
        yield
    except TyperException as error:
        if not ctx.meta[_JSON_WANTED]:
            raise
        told = CliError("invalid_usage", error.format_message())
        Output(json=True).error(told)
        raise typer.Exit(told.status) from error


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


def somebody_is_there(output: Output) -> bool:
    """Can a question be asked? Not of a script, and not without a terminal."""
    return not output.json and sys.stdin.isatty()


def confirm(output: Output, question: str, yes: bool) -> None:
    """Ask whether to go on, unless that was said already; who cannot be asked must have said it."""
    if yes:
        return
    if not somebody_is_there(output):
        raise CliError("confirmation_needed", "Nobody is there to confirm it: add --yes.")
    if not typer.confirm(question, err=True):
        raise CliError("not_confirmed", "Nothing was done.", 1)


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}
