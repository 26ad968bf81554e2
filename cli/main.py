"""The commands of ./branchline: signing in, and the rooms."""

import io
import os
import sys
from typing import Annotated

import typer

from cli import (
    customers,
    instalments,
    opts,
    orders,
    payments,
    quotations,
    reports,
    sales,
    session,
    shifts,
    stock,
)
from cli.common import Commands, Setup, quiet_logs, setup_of, start
from cli.errors import SIGN_IN, CliError
from cli.output import Column

app = typer.Typer(
    name="branchline",
    cls=Commands,
    help="Branchline in a terminal, as the user you sign in as.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(customers.app, name="customers")
app.add_typer(quotations.app, name="quotations")
app.add_typer(orders.app, name="orders")
app.add_typer(sales.app, name="sales")
app.add_typer(payments.app, name="payments")
app.add_typer(instalments.app, name="instalments")
app.add_typer(shifts.app, name="shifts")
app.add_typer(stock.app, name="stock")
app.add_typer(reports.app, name="reports")


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # Letters of a name that the terminal's encoding lacks are shown as ?, and the command goes on.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="branchline")


@app.callback()
def options(
    ctx: typer.Context,
    url: Annotated[
        str | None,
        typer.Option("--url", envvar="SUPABASE_URL", help="The project's address.", show_envvar=True),
    ] = None,
    anon_key: Annotated[
        str | None,
        typer.Option("--anon-key", envvar="SUPABASE_ANON_KEY", help="Its publishable key.", show_envvar=True),
    ] = None,
    org: Annotated[
        str | None,
        typer.Option("--org", envvar="BRANCHLINE_ORG", help="The organisation, where you have several."),
    ] = None,
) -> None:
    """Remember what holds for every command."""
    quiet_logs()
    ctx.obj = Setup(url, anon_key, org)


@app.command()
def login(
    ctx: typer.Context,
    email: Annotated[str, typer.Option("--email", "-e", envvar="BRANCHLINE_EMAIL", help="Your address.")],
    as_json: opts.Json = False,
) -> None:
    """Sign in. The password is asked for, or read from BRANCHLINE_PASSWORD or from standard input."""
    setup = setup_of(ctx, as_json)
    opened = session.sign_in(_project(setup), email, _password())
    setup.store.write(opened)
    if setup.json:
        setup.output.data({"email": opened.email, "url": opened.url, "expires_at": opened.expires_at})
    setup.output.say(f"Signed in as {opened.email} at {opened.url}.")


@app.command()
def logout(ctx: typer.Context, as_json: opts.Json = False) -> None:
    """Sign out: the session ends at the project, and here."""
    setup = setup_of(ctx, as_json)
    opened = setup.store.read()
    if opened is not None:
        try:
            session.sign_out(opened)
        except CliError as error:
            # A session that has ended already is what was asked for.
            if error.status != SIGN_IN:
                raise
        finally:
            setup.store.forget()
    if setup.json:
        setup.output.data({"signed_out": opened is not None})
    setup.output.say("Signed out." if opened is not None else "Nobody was signed in.")


@app.command()
def whoami(ctx: typer.Context, as_json: opts.Json = False) -> None:
    """Show who is signed in, with organisations, roles and branches."""
    desk, output = start(ctx, as_json)
    if output.json:
        output.data(desk.me)
        return
    rows = [
        {
            "name": house["name"],
            "role": house["role"]["name"],
            "branches": ", ".join(branch["code"] for branch in house["branches"]),
        }
        for house in desk.me["organizations"]
    ]
    output.table(
        f"{desk.me['user']['email']} at {desk.session.url}",
        [Column("Organisation", "name"), Column("Role", "role"), Column("Branches", "branches")],
        rows,
    )


def _project(setup: Setup) -> session.Project:
    """The project to sign in at: as told, the one of the last session, or the stack on this machine."""
    if setup.url and setup.anon_key:
        return session.Project(setup.url.rstrip("/"), setup.anon_key)
    last = setup.store.read()
    if last is not None and setup.url in (None, last.url):
        return last.project
    found = _stack_here()
    if found is not None and setup.url in (None, found.url):
        return found
    message = "Say which project: --url and --anon-key, or SUPABASE_URL and SUPABASE_ANON_KEY (./dev env)."
    raise CliError("project_needed", message)


def _stack_here() -> session.Project | None:
    """The project that ./dev up runs in this checkout, if it does."""
    from local.errors import LauncherError
    from local.stack import running_stack

    try:
        environment = running_stack().environment()
    except (LauncherError, OSError):
        return None
    return session.Project(environment["SUPABASE_URL"], environment["SUPABASE_ANON_KEY"])


def _password() -> str:
    """The password: from the environment, asked for without an echo, or the first line of standard input."""
    given = os.environ.get("BRANCHLINE_PASSWORD")
    if given:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise CliError("password_needed", "Set BRANCHLINE_PASSWORD, or write the password to standard input.")
    return line
