"""The commands of ./dev."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from local import node
from local.errors import LauncherError
from local.paths import ROOT
from local.processes import tail, wait_until
from local.stack import DEMO_PEOPLE, Stack, State, running_stack
from local.supervisor import Supervisor

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    name="dev",
    help="Branchline on this machine: run it, test it, check it, measure it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# What people read goes to stderr, so that stdout carries results only.
console = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command line; errors of the launcher become a message and exit status 1."""
    try:
        app(prog_name="./dev")
    except LauncherError as error:
        fail(error)


def fail(error: LauncherError) -> None:
    """Print an error for people and end with exit status 1."""
    if error.detail:
        console.print(error.detail.rstrip(), style="dim", markup=False, soft_wrap=True)
    console.print(f"[bold red]Error:[/] {error.message}", soft_wrap=True)
    sys.exit(1)


def install() -> None:
    """Install the npm packages if they changed, saying so while it takes its time."""
    with console.status("Installing npm packages"):
        node.install()


@app.command()
def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when everything is healthy.")
    ] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Start from an empty database.")] = False,
    demo: Annotated[bool, typer.Option(help="Load the demo data into an empty database.")] = True,
) -> None:
    """Start everything: Postgres, the Supabase services, migrations, demo data, the API."""
    state = State()
    install()
    if reset:
        state.end_supervisor()
        reset_database(state)
    if detach:
        start_detached(state, demo)
        return
    if not state.lock():
        announce_running(state)
        return
    with console.status("Starting") as status:

        def ready(stack: Stack) -> None:
            status.stop()
            # Detached, this is the log; whoever asked prints it on his terminal himself.
            print_summary(stack, password=console.is_terminal)
            console.print("Press Ctrl-C to stop.", style="dim")

        def step(text: str) -> None:
            status.update(text)
            if not console.is_terminal:
                console.print(f"{text} ...", soft_wrap=True)

        def tell(text: str) -> None:
            console.print(text, markup=False, soft_wrap=True)

        Supervisor(state, step, tell, demo=demo).run(ready)
    console.print("Stopped.")


def start_detached(state: State, demo: bool) -> None:
    """Start a supervisor of its own session and wait until it reports that all is healthy."""
    if state.locked():
        announce_running(state)
        return
    log = state.logs / "supervisor.log"
    start = log.stat().st_size if log.exists() else 0
    state.update(phase="starting", step="Starting")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "local", "up", "--demo" if demo else "--no-demo"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with console.status("Starting") as status:
        shown = ""

        def settled() -> bool:
            nonlocal shown
            remembered = state.read()
            if remembered.get("step", "") != shown:
                shown = remembered.get("step", "")
                status.update(shown)
                if not console.is_terminal:
                    console.print(f"{shown} ...")
            return supervisor.poll() is not None or remembered.get("phase") == "running"

        try:
            wait_until(settled, 900, pause=0.05)
        except KeyboardInterrupt:
            supervisor.terminate()
            supervisor.wait()
            raise
    if supervisor.poll() is not None:
        raise LauncherError(f"The start failed; the whole log is {log}.", tail(log, 40, start))
    print_summary(Stack(state))


@app.command()
def down() -> None:
    """Stop what `up` started; the data stays."""
    with console.status("Stopping"):
        stopped = State().end_supervisor()
    console.print("Stopped." if stopped else "Nothing was running.")


@app.command()
def env() -> None:
    """Print KEY=value lines for the running stack."""
    for name, value in running_stack().environment().items():
        typer.echo(f"{name}={value}")


@app.command()
def jobs(
    name: Annotated[str | None, typer.Argument(help="The job to run now; without it all are listed.")] = None,
) -> None:
    """List the jobs of the running stack, or run one of them now."""
    with psycopg.connect(running_stack().cluster.url(), autocommit=True) as connection:
        if name is not None:
            try:
                connection.execute("call private.run_job(%s)", [name])
            except psycopg.Error as error:
                raise LauncherError(f"The job {name} failed.", str(error)) from error
            return
        table = Table("Job", "When (UTC)", "Ran last", "Failing", "What for", box=None, padding=(0, 3, 0, 0))
        for row in connection.execute(
            "select s.name, s.cron, coalesce(date_trunc('second', s.last_finished_at)::text, 'never'), "
            "(select count(*) from private.failing_jobs f where f.job = s.name)::text, s.purpose "
            "from private.schedules s where s.enabled order by s.name"
        ):
            table.add_row(*row)
        Console(highlight=False).print(table)


def announce_running(state: State) -> None:
    """Say that a stack runs already, and how to reach it."""
    if not wait_until(lambda: state.read().get("phase") == "running" or not state.locked(), 120, pause=0.1):
        raise LauncherError("Another ./dev up is still starting.")
    console.print("Branchline is running already.")
    print_summary(running_stack())


def reset_database(state: State) -> None:
    """Delete the data of a stopped stack."""
    if (state.folder / "postgres").exists():
        stack = Stack(state, ports=Stack.choose_ports(state))
        stack.cluster.destroy()
    state.update(demo=None, migrations=None, bootstrapped=False)


def print_summary(stack: Stack, *, password: bool = True) -> None:
    """Print addresses and demo sign-ins. password: of the demo's people, too."""
    addresses = Table.grid(padding=(0, 3))
    addresses.add_row("API", stack.api.url)
    addresses.add_row("API documentation", f"{stack.api.url}/docs")
    addresses.add_row("Supabase", stack.gateway.url)
    addresses.add_row("Postgres", f"127.0.0.1:{stack.ports['postgres']}")
    addresses.add_row("Logs", str(stack.state.logs))
    console.print("[bold green]Branchline is running.[/]")
    console.print(addresses)
    if stack.state.read().get("demo") == "done":
        people = Table("Demo sign-in", "Who", title=None, box=None, padding=(0, 3, 0, 0))
        for key, email in DEMO_PEOPLE.items():
            people.add_row(email, key.removeprefix("DEMO_").removesuffix("_EMAIL").replace("_", " ").lower())
        console.print(people)
        if password:
            console.print(f"Password of all: {stack.keys.demo_password}")
    for restart in stack.state.read().get("restarts", []):
        console.print(
            f"Restarted at {restart['at']}: {restart['part']} ({restart['reason']})", style="yellow"
        )
    console.print("All values: ./dev env    Stop: ./dev down", style="dim")


@app.command(context_settings=PASS_THROUGH)
def test(context: typer.Context) -> None:
    """Run all tests on a throw-away stack of their own; arguments go to pytest."""
    install()
    arguments = list(context.args)
    if not any(part.startswith(("-n", "--numprocesses")) for part in arguments):
        # A file's tests share their costly fixtures, so they run in one worker.
        arguments = ["-n", str(os.cpu_count() or 1), "--dist", "loadfile", *arguments]
    _become("pytest", arguments)


@app.command()
def check(
    postgres15: Annotated[
        bool, typer.Option("--postgres15", help="Only: migrations and plpgsql_check on Postgres 15.")
    ] = False,
) -> None:
    """Formatting, lint, types, database advisors and linters."""
    from local import checks

    install()
    sys.exit(0 if checks.run(console, postgres15=postgres15) else 1)


@app.command(context_settings=PASS_THROUGH)
def bench(context: typer.Context) -> None:
    """Measure what the documentation quotes, as ratios."""
    install()
    _become("bench", context.args)


@app.command()
def conform(
    groups: Annotated[
        list[str] | None, typer.Argument(help="Groups of calls, or names; all without.")
    ] = None,
) -> None:
    """Replay recorded calls of the real PostgREST against the local gateway and print the differences."""
    from local.conform import replay

    install()
    sys.exit(0 if replay(groups or []) else 1)


@app.command(context_settings=PASS_THROUGH)
def replay(context: typer.Context) -> None:
    """Send a file of real sales through a running stack, signed in as real users."""
    # The file is named relative to the caller's folder, but the module is found from the checkout.
    _become("local.replay", [*(_absolute(part) for part in context.args)])


def _absolute(argument: str) -> str:
    return str(Path(argument).absolute()) if Path(argument).exists() else argument


def _become(module: str, arguments: list[str]) -> NoReturn:
    """Go on as a Python module run in the checkout, so that signals and the exit status are its own."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606
