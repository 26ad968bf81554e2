"""How measurements are shown: a table for people, JSON for programs."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table


@dataclass(frozen=True)
class Ratio:
    """One quotient of two measurements of the same round, over all rounds; a target of 0 is none."""

    name: str
    over: tuple[str, str]
    target: float
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.values)


@dataclass
class Result:
    """What the run found: transactions per second by measurement, ratios, broken rules, other facts."""

    speeds: dict[str, list[float]]
    ratios: list[Ratio]
    violations: list[str]
    facts: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "per_second": {name: statistics.median(values) for name, values in self.speeds.items()},
            "ratios": {
                ratio.name: {
                    "median": ratio.median,
                    "min": min(ratio.values),
                    "max": max(ratio.values),
                    "target": ratio.target,
                }
                for ratio in self.ratios
            },
            "violations": self.violations,
            "facts": self.facts,
        }


class Progress:
    """Says what is going on: a spinner on a terminal, lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    def step(self, text: str) -> None:
        """Name what is done now."""
        if not self._console.is_terminal:
            self._console.print(f"{text} ...")
            return
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)

    def done(self) -> None:
        """Take the spinner away."""
        if self._status is not None:
            self._status.stop()


def show(console: Console, result: Result) -> None:
    """Print a result of `bench sale` or `bench billing`."""
    speeds = Table("Measurement", "per second", box=None, padding=(0, 3, 0, 0))
    speeds.columns[1].justify = "right"
    for name, values in result.speeds.items():
        speeds.add_row(name, f"{statistics.median(values):,.0f}")
    console.print(speeds)
    console.print()
    table = Table("Ratio", "median", "min", "max", "target", box=None, padding=(0, 3, 0, 0))
    for ratio in result.ratios:
        colour = "white" if not ratio.target else "green" if ratio.median >= ratio.target else "yellow"
        table.add_row(
            ratio.name,
            f"[{colour}]{ratio.median:.3f}[/]",
            f"{min(ratio.values):.3f}",
            f"{max(ratio.values):.3f}",
            f">= {ratio.target:.3g}" if ratio.target else "",
        )
    console.print(table)
    for fact in result.facts:
        console.print(fact)
    for violation in result.violations:
        console.print(f"[bold red]Broken:[/] {violation}")
    if not result.violations:
        console.print("No oversell, no gap, no deadlock, no half sale; ledger = levels.")
