"""What a command prints: tables for people, JSON for scripts, and nothing else on standard output."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from backend.app.core import exact_json
from cli.errors import CliError

Row = Mapping[str, Any]
# Wide enough that nothing is cut off when the output goes to a file or another program.
_WIDTH_WITHOUT_TERMINAL = 200


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters:
        title: what stands above it.
        field: the member of the row that it shows.
        show: writes the value; left out, as it is.
        right: numbers stand at the right.
    """

    title: str
    field: str
    show: Callable[[Any], str] | None = None
    right: bool = False


def money(value: Any) -> str:
    """An amount with two decimals and thousands apart; nothing for null."""
    return "" if value is None else f"{Decimal(value):,.2f}"


def quantity(value: Any) -> str:
    """A quantity without the zeros after its last digit; nothing for null."""
    if value is None:
        return ""
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_column(title: str, field: str) -> Column:
    """A column of amounts."""
    return Column(title, field, money, right=True)


def quantity_column(title: str, field: str) -> Column:
    """A column of quantities."""
    return Column(title, field, quantity, right=True)


def plain(value: Any) -> str:
    """A value as text that cannot steer a terminal: names come from strangers."""
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


class Output:
    """Standard output and standard error of one command.

    Parameters:
        json: write JSON for scripts, in place of tables for people.
    """

    def __init__(self, json: bool) -> None:
        self.json = json
        terminal = sys.stdout.isatty()
        self._out = Console(
            file=sys.stdout, highlight=False, width=None if terminal else _WIDTH_WITHOUT_TERMINAL
        )
        self._err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def data(self, value: object) -> None:
        """The answer of a command as one line of JSON, every digit kept."""
        typer.echo(exact_json.dumps(value).decode())

    def say(self, text: str) -> None:
        """A sentence for people; scripts are not told."""
        if not self.json:
            self._out.print(Text(plain(text)), soft_wrap=True)

    def note(self, text: str) -> None:
        """A sentence beside the answer, on standard error; scripts are not told."""
        if not self.json:
            self._err.print(Text(plain(text), style="dim"))

    def table(self, title: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Rows as a table for people."""
        if not rows:
            self.say(f"{title}: none.")
            return
        table = Table(
            title=Text(plain(title), style="bold"), title_justify="left", box=None, padding=(0, 2, 0, 0)
        )
        for column in columns:
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=column.right,
            )
        for row in rows:
            table.add_row(*(Text(plain(self._cell(column, row))) for column in columns))
        self._out.print(table)

    def facts(self, title: str, pairs: Sequence[tuple[str, Any]]) -> None:
        """What is known of one thing, a line for each that is known."""
        grid = Table.grid(padding=(0, 3))
        for name, value in pairs:
            if value not in (None, ""):
                grid.add_row(Text(name, style="dim"), Text(plain(value)))
        self._out.print(Text(plain(title), style="bold"))
        self._out.print(grid)

    def rows(self, title: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """The answer of a command that lists: {"items": [...]} or a table."""
        if self.json:
            self.data({"items": rows})
        else:
            self.table(title, columns, rows)

    def error(self, error: CliError) -> None:
        """What went wrong, on standard error: a sentence with the code, or {"error": {...}}."""
        if self.json:
            body = {**error.facts, "code": error.code, "message": error.message}
            typer.echo(exact_json.dumps({"error": body}).decode(), err=True)
            return
        line = (
            Text("Error ", style="bold red")
            + Text(error.code, style="bold")
            + Text(f": {plain(error.message)}")
        )
        self._err.print(line)
        for name, value in error.facts.items():
            if value is not None and not isinstance(value, bool):
                shown = value if isinstance(value, str) else exact_json.dumps(value).decode()
                self._err.print(Text(f"  {plain(name)}: {plain(shown)}", style="dim"))

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int | None], None]]:
        """A progress bar on standard error while the block runs; yields what it is told with: done, total.

        Without a terminal, and for scripts, there is none.
        """
        shown = not self.json and self._err.is_terminal
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._err,
            transient=True,
            disable=not shown,
        ) as bar:
            task = bar.add_task(what, total=None)

            def tell(done: int, total: int | None) -> None:
                bar.update(task, completed=done, total=total)

            yield tell

    @staticmethod
    def _cell(column: Column, row: Row) -> str:
        value = row.get(column.field)
        return column.show(value) if column.show is not None else plain(value)
