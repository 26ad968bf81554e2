"""`python -m bench <name>`, which `./dev bench <name>` runs."""

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeVar

import typer
from rich.console import Console

from bench import billing as billing_bench
from bench import documents as documents_bench
from bench import gateway as gateway_bench
from bench import guarded, report
from bench import lists as lists_bench
from bench import press as press_bench
from bench import realtime as realtime_bench
from bench import sale as sale_bench
from bench import stock as stock_bench
from local.errors import LauncherError
from tests.support.filler import INVOICES

app = typer.Typer(
    name="bench",
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True, highlight=False)


class Report(Protocol):
    """What a measurement returns."""

    @property
    def violations(self) -> list[str]:
        """What it found broken, in words; none when all is well."""

    def as_json(self) -> dict[str, Any]:
        """The figures as `--json` prints them."""


Found = TypeVar("Found", bound=Report)

Seconds = Annotated[float, typer.Option(help="Length of one measurement.", min=0.1)]
Rounds = Annotated[int, typer.Option(help="How often everything is measured.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def _measure(
    run: Callable[[report.Progress], Found], show: Callable[[Console, Found], None], as_json: bool
) -> None:
    """Run a measurement and print what it found; the program fails when something was broken."""
    progress = report.Progress(console)
    try:
        result = run(progress)
    finally:
        progress.done()
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        show(Console(highlight=False), result)
    if result.violations:
        sys.exit(1)


@app.callback(invoke_without_command=True)
def bench(context: typer.Context) -> None:
    """The measurements that docs/performance.md quotes; without a name, all of them, one after the other."""
    if context.invoked_subcommand is None:
        sale()
        billing()
        realtime()
        stock()
        lists()


@app.command()
def sale(seconds: Seconds = 1.0, rounds: Rounds = 15, as_json: AsJson = False) -> None:
    """The till: post_sale against a TPC-B-like transaction, one hot SKU, one numbering series."""
    _measure(lambda progress: sale_bench.run(seconds, rounds, progress), report.show, as_json)


@app.command()
def billing(seconds: Seconds = 1.0, rounds: Rounds = 15, as_json: AsJson = False) -> None:
    """Offers, loyalty and credit: what they cost a sale; and the papers, as `documents` measures them."""
    _measure(lambda progress: billing_bench.run(seconds, rounds, progress), billing_bench.show, as_json)


@app.command()
def realtime(
    sales: Annotated[int, typer.Option(help="Sales that each number of subscribers hears.", min=1)] = 100,
    pace: Annotated[float, typer.Option(help="Sales per second.", min=0.1)] = 10.0,
    as_json: AsJson = False,
) -> None:
    """The other screens: milliseconds from a till's commit to 1, 50 and 500 subscribers."""
    _measure(lambda progress: realtime_bench.run(sales, pace, progress), realtime_bench.show, as_json)


@app.command()
def gateway(
    seconds: Seconds = 1.0,
    rounds: Rounds = 15,
    before: Annotated[str, typer.Option(help="The commit to compare with.")] = gateway_bench.BEFORE,
    as_json: AsJson = False,
) -> None:
    """The local gateway: lists and sales per second, against the gateway of an older commit."""
    _measure(lambda progress: gateway_bench.run(seconds, rounds, progress, before), report.show, as_json)


@app.command()
def stock(
    rounds: Rounds = 15,
    variants: Annotated[int, typer.Option(help="How many variants there are.", min=2000)] = 100_000,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print the plans, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Search and stock lists of 100,000 variants at 10 locations, with row-level security and without."""
    _measure(
        lambda progress: stock_bench.run(rounds, progress, variants=variants, plans=verbose),
        guarded.show,
        as_json,
    )


@app.command()
def lists(
    rounds: Rounds = 15,
    invoices: Annotated[int, typer.Option(help="How many invoices there are.", min=2200)] = INVOICES,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print the plans, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Every list among 400,000 invoices of 201 organisations, with row-level security and without."""
    _measure(
        lambda progress: lists_bench.run(rounds, progress, invoices=invoices, plans=verbose),
        guarded.show,
        as_json,
    )


@app.command()
def documents(seconds: Seconds = 1.0, rounds: Rounds = 5, as_json: AsJson = False) -> None:
    """The papers: documents per second of one processor against a bare page of the layout engine."""
    _measure(lambda progress: documents_bench.run(seconds, rounds, progress), documents_bench.show, as_json)


@app.command()
def press(as_json: AsJson = False) -> None:
    """A stack of the longest papers: how late the event loop gets, and how long another tenant waits."""
    _measure(press_bench.run, press_bench.show, as_json)


if __name__ == "__main__":
    try:
        app(prog_name="./dev bench")
    except LauncherError as error:
        console.print(error.detail, markup=False)
        console.print(f"[bold red]Error:[/] {error.message}")
        sys.exit(1)
