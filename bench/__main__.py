"""`python -m bench <name>`, which `./dev bench <name>` runs."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from bench import realtime as realtime_bench
from bench import report
from bench import sale as sale_bench
from bench import stock as stock_bench
from local.errors import LauncherError

app = typer.Typer(
    name="bench",
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True, highlight=False)


@app.callback(invoke_without_command=True)
def bench(context: typer.Context) -> None:
    """The measurements that docs/performance.md quotes; without a name, all of them, one after the other."""
    if context.invoked_subcommand is None:
        sale()
        realtime()
        stock()


@app.command()
def sale(
    seconds: Annotated[float, typer.Option(help="Length of one measurement.", min=0.1)] = 1.0,
    rounds: Annotated[int, typer.Option(help="How often everything is measured.", min=1)] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """The till: post_sale against a TPC-B-like transaction, one hot SKU, one numbering series."""
    progress = report.Progress(console)
    try:
        result = sale_bench.run(seconds, rounds, progress)
    finally:
        progress.done()
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        report.show(Console(highlight=False), result)
    if result.violations:
        sys.exit(1)


@app.command()
def realtime(
    sales: Annotated[int, typer.Option(help="Sales that each number of subscribers hears.", min=1)] = 100,
    pace: Annotated[float, typer.Option(help="Sales per second.", min=0.1)] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """The other screens: milliseconds from a till's commit to 1, 50 and 500 subscribers."""
    progress = report.Progress(console)
    try:
        result = realtime_bench.run(sales, pace, progress)
    finally:
        progress.done()
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        realtime_bench.show(Console(highlight=False), result)
    if result.violations:
        sys.exit(1)


@app.command()
def stock(
    rounds: Annotated[int, typer.Option(help="How often everything is measured.", min=1)] = 15,
    variants: Annotated[int, typer.Option(help="How many variants there are.", min=2000)] = 100_000,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print the plans, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search and stock lists of 100,000 variants at 10 locations, with row-level security and without."""
    progress = report.Progress(console)
    try:
        result = stock_bench.run(rounds, progress, variants=variants, plans=verbose)
    finally:
        progress.done()
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        stock_bench.show(Console(highlight=False), result)
    if result.violations:
        sys.exit(1)


if __name__ == "__main__":
    try:
        app(prog_name="./dev bench")
    except LauncherError as error:
        console.print(error.detail, markup=False)
        console.print(f"[bold red]Error:[/] {error.message}")
        sys.exit(1)
