"""`./dev replay FILE`: see local/replay."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.cli import fail
from local.client import Progress as Tell
from local.client import Project, Refused
from local.errors import LauncherError
from local.replay import house as houses
from local.replay import report as reports
from local.replay import returns, sales
from local.replay.source import BadFile, Source
from local.stack import running_stack
from supabase import AuthError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False)


@app.command()
def main(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .csv or .csv.gz till file.")],
    report_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report as JSON to this file as well.")
    ] = None,
) -> None:
    """Post a wholesaler's till file on the running stack, and prove that all of it arrived.

    Cancellations become credit notes where the file has the sale that they take back.

    Running it again with the same file changes nothing; a run that was interrupted is taken up again.
    Exit status 1 when anything was refused or does not reconcile.
    """
    try:
        report = replay(file, running_stack().environment())
    except LauncherError as error:
        fail(error)
    except BadFile as error:
        fail(LauncherError(f"{file} is no till file that I understand. {error}"))
    except (Refused, AuthError) as error:
        fail(LauncherError(f"The stack refused what must stand before the first sale: {error}"))
    except httpx.TransportError as error:
        fail(LauncherError(f"The stack stopped answering: {error}", "Run the command again to go on."))
    else:
        report.print(Console(highlight=False))
        if report_file is not None:
            report_file.write_text(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n")
        sys.exit(0 if report.reconciles else 1)


def replay(file: Path, environment: dict[str, str]) -> reports.Report:
    """Replay one file, with a progress bar.

    Parameters:
        file: a .csv or .csv.gz file.
        environment: what `./dev env` prints.

    Raises:
        BadFile: the file is no till data.
        Refused: the organisation could not be made.
    """
    source = Source.read(file)
    begin = time.monotonic()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as bars:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        report = run(source, environment, progress)
    report.facts["Time"] = f"{time.monotonic() - begin:.1f} s"
    return report


def run(source: Source, environment: dict[str, str], progress: Tell) -> reports.Report:
    """Replay a file that was read.

    Parameters:
        source: the file.
        environment: what `./dev env` prints.
        progress: is told how far it is.
    """
    project = Project(
        environment["SUPABASE_URL"],
        environment["SUPABASE_ANON_KEY"],
        environment["SUPABASE_SERVICE_ROLE_KEY"],
    )
    house = houses.sign_in(project, environment["DEMO_PASSWORD"], source)
    before = reports.count(house)
    houses.furnish(house, source, progress)
    refusals = sales.post_all(house, source, progress)
    matched = returns.match(source)
    returns.post_all(house, matched, refusals, progress)
    report = reports.reconcile(house, source, matched, refusals, progress)
    report.before, report.after = before, reports.count(house)
    return report


if __name__ == "__main__":
    app(prog_name="./dev replay")
