"""Lists: the first rows or all of them, with a progress bar, filtered by what was given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.desk import Desk
from cli.opts import day
from cli.output import Column, Output, Row


@dataclass(frozen=True)
class Pages:
    """How much of a list is wanted: the first `limit` rows, or everything."""

    limit: int
    everything: bool = False

    @property
    def count(self) -> Any:
        """What the request asks to be counted: a progress bar needs the number of all rows."""
        return "exact" if self.everything else None

    def read(self, desk: Desk, output: Output, request: Any, what: str) -> list[Row]:
        """The rows; the request orders by something unique, and counts with `count`."""
        if not self.everything:
            return list(desk.read(request.limit(self.limit)))
        rows: list[Row] = []
        with output.progress(what) as tell:
            for page, total in desk.pages(request):
                rows += page
                tell(len(rows), total)
        return rows

    def tell(self, output: Output, rows: list[Row]) -> None:
        """Say that a list may go on."""
        if not self.everything and len(rows) == self.limit:
            output.note(f"The first {self.limit}; --limit and --all show more.")


@dataclass(frozen=True)
class Listing:
    """How the documents of a table are listed, the latest first.

    Parameters:
        title: what they are, for people.
        table: where they are.
        fields: the columns that are read.
        columns: the columns that are shown.
        at: the column with the moment that orders them; days are read of `dated`.
        dated: the column that a period limits.
    """

    title: str
    table: str
    fields: tuple[str, ...]
    columns: tuple[Column, ...]
    at: str
    dated: str = "business_date"

    def request(
        self,
        desk: Desk,
        pages: Pages,
        wanted: Mapping[str, str | None],
        first: datetime | None = None,
        last: datetime | None = None,
    ) -> Any:
        """The request for those that have what is wanted, of a period."""
        request = desk.table(self.table).select(*self.fields, self.at, count=pages.count)
        request = request.eq("org_id", desk.org_id)
        for column, value in wanted.items():
            request = request if value is None else request.eq(column, value)
        request = request if first is None else request.gte(self.dated, day(first))
        request = request if last is None else request.lte(self.dated, day(last))
        return request.order(self.at, desc=True).order("id", desc=True)

    def read(self, desk: Desk, output: Output, pages: Pages, request: Any) -> list[Row]:
        """The rows of a request, each with its customer's name."""
        rows = pages.read(desk, output, request, self.title)
        names = desk.by_id("customers", ["name"], {row["customer_id"] for row in rows})
        return [{**row, "customer": names.get(row["customer_id"], {}).get("name")} for row in rows]

    def command(
        self,
        desk: Desk,
        output: Output,
        pages: Pages,
        wanted: Mapping[str, str | None],
    ) -> None:
        """Do a command that lists what has what is wanted."""
        self.show(desk, output, pages, self.read(desk, output, pages, self.request(desk, pages, wanted)))

    def show(self, desk: Desk, output: Output, pages: Pages, rows: list[Row]) -> None:
        """Print them."""
        output.rows(self.title, self.columns, rows, desk.currency)
        pages.tell(output, rows)
