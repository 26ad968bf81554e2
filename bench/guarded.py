"""Statements measured as a user runs them, and as somebody whom no policy concerns."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.shop import Connection

TARGET = 1.3


@dataclass(frozen=True)
class Query:
    """One thing to measure.

    Parameters:
        name: as the table calls it.
        guarded: the statement that an authenticated user runs.
        bare: the same for somebody whom no policy and no permission concerns; left out, the same text.
        parameters: of both.
        alone: in one process on both sides. Postgres shares a bare count out to several, but not one whose
            index is searched for a list of values, which is what the policy does.
    """

    name: str
    guarded: str
    parameters: Mapping[str, Any]
    bare: str | None = None
    alone: bool = False


@dataclass
class Timing:
    """Milliseconds of one execution, round by round."""

    query: Query
    guarded: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Guarded over bare."""
        return [a / b for a, b in zip(self.guarded, self.bare, strict=True)]


@dataclass
class Result:
    """What the run found: timings, plans when they were asked for, and what was wrong."""

    timings: list[Timing]
    plans: dict[str, str]
    violations: list[str]

    def as_json(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "queries": {
                timing.query.name: {
                    "milliseconds": statistics.median(timing.guarded),
                    "milliseconds_without": statistics.median(timing.bare),
                    "ratio": {
                        "median": statistics.median(timing.ratios),
                        "min": min(timing.ratios),
                        "max": max(timing.ratios),
                        "target": TARGET,
                    },
                }
                for timing in self.timings
            },
            "violations": self.violations,
        }


def measure(user: Connection, bare: Connection, query: Query, *, bare_first: bool) -> tuple[float, float]:
    """Milliseconds of one execution with and without, each repeated for a while, turn by turn."""
    spent = [0.0, 0.0]
    sides = [(0, user, query.guarded), (1, bare, query.bare or query.guarded)]
    if bare_first:
        sides.reverse()
    for _, connection, _ in sides:
        connection.execute(f"set max_parallel_workers_per_gather to {0 if query.alone else 'default'}")
    times = 0
    while times < 1 or (min(spent) < 0.02 and times < 50):
        times += 1
        for side, connection, statement in sides:
            start = time.perf_counter()
            connection.execute(statement, query.parameters).fetchone()
            spent[side] += time.perf_counter() - start
    return spent[0] / times * 1000, spent[1] / times * 1000


def plan_of(connection: Connection, statement: str, query: Query) -> str:
    """What Postgres does for a statement, with what it read."""
    rows = connection.execute(
        f"explain (analyze, buffers, costs off) {statement}", query.parameters
    ).fetchall()
    return "\n".join(row[0] for row in rows)


def show(console: Console, result: Result) -> None:
    """Print the result for people."""
    table = Table("Query", "ms", "without", "ratio", "min", "max", box=None, padding=(0, 3, 0, 0))
    for column in table.columns:
        column.justify = "left" if column.header == "Query" else "right"
        column.no_wrap = True
    for timing in result.timings:
        ratio = statistics.median(timing.ratios)
        colour = "green" if ratio <= TARGET else "yellow"
        table.add_row(
            timing.query.name,
            f"{statistics.median(timing.guarded):,.2f}",
            f"{statistics.median(timing.bare):,.2f}",
            f"[{colour}]{ratio:.2f}[/]",
            f"{min(timing.ratios):.2f}",
            f"{max(timing.ratios):.2f}",
        )
    for name, plan in result.plans.items():
        console.print(f"[bold]{name}[/]")
        console.print(plan, markup=False)
    console.print(table)
    console.print(f"Milliseconds with row-level security and without; target of the ratio: <= {TARGET:g}")
    for violation in result.violations:
        console.print(f"[bold red]Broken:[/] {violation}")
