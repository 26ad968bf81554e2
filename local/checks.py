"""What `./dev check` runs: formatting, lint, types, and the Supabase CLI's database advisors."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from local import advisors, databases, plpgsql
from local.errors import LauncherError
from local.keys import Keys
from local.paths import ROOT
from local.postgres import Cluster, temporary_directory

TYPED = ("dev", "backend", "cli", "local", "tests", "bench")
_COMMANDS = {
    "formatting": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy", "--strict"],
}


def run(console: Console, *, postgres15: bool) -> bool:
    """Run the checks and print what they found.

    Parameters:
        console: where findings and results go.
        postgres15: run only the part that needs Postgres 15: all migrations, then plpgsql_check and the
        CLI's lint.

    Returns:
        True when nothing was found.
    """
    if postgres15:
        return _report(console, "migrations and plpgsql_check on Postgres 15", _check_postgres15)
    running = {name: _start(command) for name, command in _COMMANDS.items()}
    good = _report(console, "database advisors", _check_advisors)
    for name, (process, output) in running.items():
        good = _report(console, name, partial(_findings, process, output)) and good
    return good


def _report(console: Console, name: str, check: Callable[[], list[str]]) -> bool:
    with console.status(f"Checking {name}"):
        try:
            findings = check()
        except LauncherError as error:
            findings = [f"{error.message}\n{error.detail}"]
    for finding in findings:
        console.print(finding, markup=False, soft_wrap=True)
    console.print(f"{'[green]passed[/]' if not findings else '[bold red]failed[/]'}  {name}")
    return not findings


def _start(command: list[str]) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a tool of the environment beside the other checks, with its output in a file."""
    if command[0] == "mypy":
        command = [*command, *(name for name in TYPED if (ROOT / name).exists())]
    with tempfile.NamedTemporaryFile(prefix="branchline-check-", delete=False) as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
    return process, Path(output.name)


def _findings(process: subprocess.Popen[bytes], output: Path) -> list[str]:
    status = process.wait()
    text = output.read_text()
    output.unlink()
    return [text.rstrip()] if status else []


@contextmanager
def migrated_cluster(binaries: Path | None = None) -> Iterator[tuple[Cluster, str]]:
    """A throw-away cluster with one migrated database, whose name is given beside it."""
    home = temporary_directory()
    cluster = Cluster(home / "postgres", durable=False, binaries=binaries)
    try:
        cluster.init()
        cluster.start()
        databases.prepare(cluster, "checked", Keys.generate(), home / "gateway.log")
        yield cluster, "checked"
    finally:
        cluster.destroy()
        (home / "gateway.log").unlink(missing_ok=True)
        home.rmdir()


def _check_advisors() -> list[str]:
    with migrated_cluster() as (cluster, database):
        return advisors.unanswered(cluster.url(database))


def _check_postgres15() -> list[str]:
    with migrated_cluster(plpgsql.postgres15_binaries()) as (cluster, database):
        return plpgsql.check(cluster.superuser_url(database))
