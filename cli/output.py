"""What a command prints: tables for people, JSON for scripts, and nothing else on standard output."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from backend.app.core import exact_json
from cli.errors import CliError

Row = Mapping[str, Any]
# Wide enough that nothing is cut off when the output goes to a file or another program.
_WIDTH_WITHOUT_TERMINAL = 200
_GAP = 2
# A text of several words, a name, may be folded where there is no room: to its longest word within this.
_FOLDED = (12, 18)
# A word no longer than this is a date or a status, which nobody reads in two lines.
_WORD = 16
# What people copy is not folded.
_WHOLE = ("id", "number", "sku", "email", "invoice_number", "agreement_number", "phone", "customer_phone")
_TOTAL = "Total"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters:
        title: what stands above it.
        field: the member of the row that it shows.
        show: writes the value; left out, as it is.
        right: numbers stand at the right.
        extra: above 0, it is left out where there is no room, the highest first.
        summed: the table ends with the sum of the column.
        instead: the member that is shown where the field is empty.
    """

    title: str
    field: str
    show: Callable[[Any], str] | None = None
    right: bool = False
    extra: int = 0
    summed: bool = False
    instead: str = ""

    def whole(self, cells: Sequence[str]) -> bool:
        """Is it never folded? cells: what stands in its rows."""
        return (
            self.right or self.field in _WHOLE or all(len(c) <= _WORD and len(c.split()) < 2 for c in cells)
        )

    def narrowest(self, cells: Sequence[str]) -> int:
        """How wide it is at least, its rows and its title."""
        widest = max(map(cell_len, cells))
        if not self.whole(cells):
            word = max((cell_len(word) for cell in cells for word in cell.split()), default=0)
            widest = min(widest, max(_FOLDED[0], min(_FOLDED[1], word)))
        return max(widest, cell_len(self.title))

    def cell(self, row: Row) -> str:
        """What stands in a row."""
        value = row.get(self.field)
        if value is None and self.instead:
            value = row.get(self.instead)
        return self.show(value) if self.show is not None else plain(value)

    def total(self, rows: Sequence[Row]) -> str:
        """What stands beneath the last row, where it is summed."""
        return money(sum(Decimal(row.get(self.field) or 0) for row in rows)) if self.summed else ""


def money(value: Any) -> str:
    """An amount with two decimals and thousands apart; nothing for null."""
    return "" if value is None else f"{Decimal(value):,.2f}"


def quantity(value: Any) -> str:
    """A quantity without the zeros after its last digit; nothing for null."""
    if value is None:
        return ""
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(value: Any) -> str:
    """A moment on the clock of whoever reads it, to the minute; nothing for null."""
    return "" if value is None else f"{datetime.fromisoformat(str(value)).astimezone():%Y-%m-%d %H:%M}"


def amount_column(title: str, field: str, extra: int = 0, summed: bool = False) -> Column:
    """A column of amounts."""
    return Column(title, field, money, right=True, extra=extra, summed=summed)


def quantity_column(title: str, field: str, extra: int = 0) -> Column:
    """A column of quantities."""
    return Column(title, field, quantity, right=True, extra=extra)


def id_column(extra: int = 9) -> Column:
    """The id, for whoever wants to name the row in the next command."""
    return Column("Id", "id", extra=extra)


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
        width = None if sys.stdout.isatty() else _width_without_terminal()
        self._begun = False
        self._out = Console(file=sys.stdout, highlight=False, width=width)
        self._err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def data(self, value: object) -> None:
        """The answer of a command as one line of JSON, every digit kept."""
        typer.echo(exact_json.dumps(value).decode())

    def say(self, text: str) -> None:
        """A sentence for people; scripts are not told."""
        if not self.json:
            self._begun = True
            self._out.print(Text(plain(text)), soft_wrap=True)

    def ask(self, text: str) -> None:
        """What is waited for, on standard error, where somebody is there to read it."""
        if sys.stdin.isatty():
            self._err.print(Text(text), end="")

    def note(self, text: str) -> None:
        """A sentence beside the answer, on standard error; scripts are not told."""
        if not self.json:
            self._err.print(Text(plain(text), style="dim"))

    def table(self, title: str, columns: Sequence[Column], rows: Sequence[Row], currency: str = "") -> None:
        """Rows as a table for people. currency: of its amounts."""
        if not rows:
            if not self.json:
                self._block(Text(plain(f"{title}: none.")))
            return
        shown, left_out, fits = self._fitting(columns, rows)
        # One row is its own sum.
        summed = len(rows) > 1 and any(column.summed for column in shown)
        heading = Text(plain(f"{title} ({currency})" if currency else title), style="bold")
        if not fits:
            self._block(heading, *_beneath(shown, rows, summed))
            return
        table = Table(
            box=None,
            padding=(0, _GAP, 0, 0),
            pad_edge=False,
            show_footer=summed,
            footer_style="bold",
        )
        label = _labelled(shown)
        for column in shown:
            table.add_column(
                column.title,
                footer=_TOTAL if column is label else column.total(rows),
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=column.whole([plain(column.cell(row)) for row in rows]),
            )
        for row in rows:
            table.add_row(*(Text(plain(column.cell(row))) for column in shown))
        self._block(heading, table)
        if left_out:
            self.note(f"No room for: {', '.join(left_out)}. A wider terminal or --json shows all.")

    def facts(self, title: str, pairs: Sequence[tuple[str, Any]]) -> None:
        """What is known of one thing, a line for each that is known."""
        grid = Table.grid(padding=(0, 3))
        for name, value in pairs:
            if value not in (None, ""):
                grid.add_row(Text(name, style="dim"), Text(plain(value)))
        self._block(Text(plain(title), style="bold"), grid)

    def sums(self, title: str, pairs: Sequence[tuple[str, Any]], currency: str) -> None:
        """Amounts beneath each other."""
        grid = Table.grid(padding=(0, 3))
        grid.add_column()
        grid.add_column(justify="right", no_wrap=True)
        for name, value in pairs:
            if value is not None:
                grid.add_row(Text(name, style="dim"), Text(money(value)))
        self._block(Text(plain(f"{title} ({currency})"), style="bold"), grid)

    def rows(self, title: str, columns: Sequence[Column], rows: Sequence[Row], currency: str = "") -> None:
        """The answer of a command that lists: {"items": [...]} or a table."""
        if self.json:
            self.data({"items": rows})
        else:
            self.table(title, columns, rows, currency)

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

    def _block(self, *parts: RenderableType) -> None:
        """Print something, apart from what came before."""
        if self._begun:
            self._out.print()
        self._begun = True
        for part in parts:
            self._out.print(part)

    def _fitting(
        self, columns: Sequence[Column], rows: Sequence[Row]
    ) -> tuple[list[Column], list[str], bool]:
        """The columns that there is room for, the titles of the others, and whether there is room at all.

        One that could be left out, and in which nothing stands but zeros, is neither.
        """
        shown, need = [], {}
        for column in columns:
            if column.extra and not any(row.get(column.field) for row in rows):
                continue
            cells = [plain(column.cell(row)) for row in rows]
            need[column.title] = max(column.narrowest(cells), len(_TOTAL), cell_len(column.total(rows)))
            shown.append(column)
        left_out: list[Column] = []
        wanted = list(shown)
        while sum(need[column.title] + _GAP for column in shown) > self._out.width + _GAP:
            spare = max((column for column in shown if column.extra), key=lambda c: c.extra, default=None)
            if spare is None:
                return wanted, [], False
            shown.remove(spare)
            left_out.append(spare)
        # Nobody misses the id of what has a number.
        titles = [column.title for column in columns if column in left_out and column.field != "id"]
        return shown, titles, True


def _beneath(columns: Sequence[Column], rows: Sequence[Row], summed: bool) -> Iterator[RenderableType]:
    """Rows for which a table has no room, a line for each column: no amount is cut off."""
    grid = Table.grid(padding=(0, 3))
    for number, row in enumerate(rows):
        if number:
            grid.add_row()
        for column in columns:
            grid.add_row(Text(column.title, style="dim"), Text(plain(column.cell(row))))
    yield grid
    if summed:
        totals = Table.grid(padding=(0, 3))
        for column in columns:
            if column.summed:
                totals.add_row(Text(column.title, style="dim"), Text(column.total(rows)))
        yield Text(f"\n{_TOTAL}", style="bold")
        yield totals


def _labelled(columns: Sequence[Column]) -> Column:
    """The column in which the last line says that it is the total: the first of texts, where there is one."""
    return next((column for column in columns if not column.right), columns[0])


def _width_without_terminal() -> int:
    """How wide a file's lines are: as COLUMNS says, else so that nothing needs to be left out."""
    told = os.environ.get("COLUMNS", "")
    return int(told) if told.isdecimal() and int(told) > 0 else _WIDTH_WITHOUT_TERMINAL
