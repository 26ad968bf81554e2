"""Signing in, staying signed in, and signing out."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable

from cli.session import Store
from local.paths import ROOT
from tests.api.conftest import PASSWORD, People, Shop, found_organization
from tests.cli.conftest import Terminal


def test_the_session_is_kept_for_its_owner_alone(open_terminal: Callable[[], Terminal], shop: Shop) -> None:
    terminal = open_terminal()
    said = terminal.run("login", "--email", shop.cashier.email, typed=f"{PASSWORD}\n")
    assert said.exit_code == 0, said.output
    assert said.stdout == f"Signed in as {shop.cashier.email} at {terminal.gateway.url}.\n"
    file = terminal.folder / "session.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(terminal.folder.stat().st_mode) == 0o700
    assert PASSWORD not in file.read_text()
    assert terminal.keys.service_role_key not in file.read_text()
    me = terminal.gives("whoami")
    assert me["user"]["email"] == shop.cashier.email
    assert "Teak & Thread" in terminal.says("whoami")


def test_a_token_that_ends_is_renewed(open_terminal: Callable[[], Terminal], shop: Shop) -> None:
    terminal = open_terminal()
    terminal.sign_in(shop.cashier)
    file = terminal.folder / "session.json"
    before = json.loads(file.read_text())
    file.write_text(
        json.dumps({**before, "access_token": "worn.out.token", "expires_at": int(time.time()) - 5})
    )
    assert terminal.gives("whoami")["user"]["email"] == shop.cashier.email
    after = json.loads(file.read_text())
    assert after["refresh_token"] != before["refresh_token"]
    assert after["expires_at"] > time.time() + 60
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_ended_session_says_so(open_terminal: Callable[[], Terminal], shop: Shop) -> None:
    terminal = open_terminal()
    terminal.sign_in(shop.cashier)
    file = terminal.folder / "session.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({**kept, "refresh_token": "unknown", "expires_at": 1}))
    done = terminal.run("whoami", "--json")
    assert (done.exit_code, done.stdout) == (3, "")
    assert json.loads(done.stderr)["error"]["code"] == "unauthenticated"
    file.write_text(json.dumps({**kept, "access_token": "a.b.c"}))
    terminal.refused("unauthenticated", "whoami", status=3)


def test_signing_out_ends_the_session(open_terminal: Callable[[], Terminal], shop: Shop) -> None:
    terminal = open_terminal()
    terminal.sign_in(shop.cashier)
    kept = Store(terminal.folder).read()
    assert kept is not None
    assert terminal.says("logout") == "Signed out.\n"
    terminal.refused("unauthenticated", "whoami", status=3)
    assert terminal.gives("logout") == {"signed_out": False}
    # The refresh token is worth nothing any more, for whoever may have copied it.
    Store(terminal.folder).write(
        type(kept)(**{**vars(kept), "expires_at": 1}),
    )
    terminal.refused("unauthenticated", "whoami", status=3)


def test_a_wrong_password(open_terminal: Callable[[], Terminal], shop: Shop) -> None:
    terminal = open_terminal()
    done = terminal.run("login", "--email", shop.cashier.email, "--json", typed="guess\n")
    assert (done.exit_code, done.stdout) == (3, "")
    assert json.loads(done.stderr)["error"]["code"] == "invalid_credentials"
    assert not (terminal.folder / "session.json").exists()
    terminal.refused("password_needed", "login", "--email", shop.cashier.email, status=2)


def test_a_project_out_of_reach(open_terminal: Callable[[], Terminal], shop: Shop) -> None:
    terminal = open_terminal()
    terminal.sign_in(shop.cashier)
    terminal.refused("other_project", "--url", "http://127.0.0.1:9", "whoami", status=2)
    words = ["--url", "http://127.0.0.1:9", "login", "--email", shop.cashier.email]
    done = terminal.run(*words, typed=f"{PASSWORD}\n")
    assert done.exit_code == 4
    assert "Error upstream_unavailable: " in done.stderr


def test_half_a_file_is_nobody(open_terminal: Callable[[], Terminal]) -> None:
    terminal = open_terminal()
    terminal.folder.mkdir()
    (terminal.folder / "session.json").write_text('{"url": "http://')
    terminal.refused("unauthenticated", "customers", "list", status=3)


def test_of_several_organisations_one_is_named(
    open_terminal: Callable[[], Terminal], people: People, shop: Shop
) -> None:
    owner = people.make("two-shops")
    for name in ("North Star", "South Star"):
        found_organization(owner, name)
    terminal = open_terminal()
    terminal.sign_in(owner)
    error = terminal.refused("organization_needed", "customers", "list", status=2)
    assert error["organizations"] == ["North Star", "South Star"]
    assert terminal.gives("--org", "south star", "customers", "list") == {"items": []}
    terminal.refused("not_found", "--org", "Teak & Thread", "customers", "list")


def test_a_process_of_its_own(cashier: Terminal, shop: Shop) -> None:
    words = [sys.executable, "-m", "cli"]
    environment = {**os.environ, **{k: v for k, v in cashier.environment.items() if v}}
    done = subprocess.run(
        [*words, "stock", "levels", "--json"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (level,) = json.loads(done.stdout)["items"]
    assert (level["sku"], level["location"]) == ("STL-TEAK", "SHOW")
    # A terminal or a pipe that has no letters for a name shows that there are some.
    named = cashier.gives("customers", "add", "\u092e\u0939\u0947\u0936 Rao")
    plain = subprocess.run(
        [*words, "customers", "show", named["id"]],
        cwd=ROOT,
        env={**environment, "PYTHONIOENCODING": "ascii"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (plain.returncode, plain.stderr) == (0, "")
    assert plain.stdout.splitlines()[0] == "???? Rao"
    refused = subprocess.run(
        [*words, "sales", "show", "BLR/00-00/000000"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error not_found: ")
