"""A shop whose admin and cashier work in a terminal."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from local.keys import Keys
from local.services import Gateway
from tests.api.conftest import PASSWORD, Person, Shop, people, shop
from tests.cli.phones import later, phones

__all__ = ["later", "people", "phones", "shop"]


@dataclass
class Terminal:
    """One person's terminal: his own configuration folder, no keyboard. columns: how wide, 0 for not told."""

    folder: Path
    gateway: Gateway
    keys: Keys
    columns: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What the environment of his commands names."""
        return {
            "SUPABASE_URL": self.gateway.url,
            "SUPABASE_ANON_KEY": self.keys.anon_key,
            "BRANCHLINE_CONFIG": str(self.folder),
            "BRANCHLINE_PASSWORD": "",
            "BRANCHLINE_ORG": "",
            "BRANCHLINE_BRANCH": "",
            "BRANCHLINE_LOCATION": "",
            "COLUMNS": str(self.columns or ""),
        }

    def wide(self, columns: int) -> "Terminal":
        """The same terminal, so wide."""
        return replace(self, columns=columns)

    def run(self, *words: str, typed: str = "") -> Result:
        """Run a command, whatever comes of it."""
        environment = {name: value or None for name, value in self.environment.items()}
        return CliRunner().invoke(app, list(words), input=typed, env=environment)

    def sign_in(self, person: Person) -> None:
        """Sign a person in."""
        done = self.run("login", "--email", person.email, typed=f"{PASSWORD}\n")
        assert done.exit_code == 0, done.output

    def says(self, *words: str, typed: str = "") -> str:
        """The text that a command that succeeds prints for people."""
        done = self.run(*words, typed=typed)
        assert done.exit_code == 0, done.output
        return done.stdout

    def gives(self, *words: str, typed: str = "") -> Any:
        """The JSON that a command that succeeds prints for scripts, and nothing else."""
        done = self.run(*words, "--json", typed=typed)
        assert done.exit_code == 0, done.output
        assert done.stderr == ""
        (line,) = done.stdout.splitlines()
        return json.loads(line, parse_float=Decimal)

    def refused(self, code: str, *words: str, status: int = 1) -> dict[str, Any]:
        """The error of a command that is refused with this code, told in both forms."""
        shown = self.run(*words)
        assert (shown.exit_code, shown.stdout) == (status, ""), shown.output
        assert f"Error {code}: " in shown.stderr
        return self.refused_in_json(code, *words, status=status)

    def refused_in_json(self, code: str, *words: str, status: int = 1) -> dict[str, Any]:
        """The error of a command that is refused with this code, as scripts read it."""
        done = self.run(*words, "--json")
        assert (done.exit_code, done.stdout) == (status, ""), done.output
        error: dict[str, Any] = json.loads(done.stderr)["error"]
        assert error["code"] == code, error
        assert error["message"]
        return error


@pytest.fixture(scope="session")
def open_terminal(
    tmp_path_factory: pytest.TempPathFactory, gateway: Gateway, keys: Keys
) -> Callable[[], Terminal]:
    """Opens terminals in which nobody is signed in."""
    return lambda: Terminal(tmp_path_factory.mktemp("config") / "branchline", gateway, keys)


@pytest.fixture(scope="session")
def admin(open_terminal: Callable[[], Terminal], shop: Shop) -> Terminal:
    """The admin's terminal."""
    terminal = open_terminal()
    terminal.sign_in(shop.admin)
    return terminal


@pytest.fixture(scope="session")
def cashier(open_terminal: Callable[[], Terminal], shop: Shop) -> Terminal:
    """The cashier's terminal."""
    terminal = open_terminal()
    terminal.sign_in(shop.cashier)
    return terminal


@pytest.fixture(scope="session")
def meera(admin: Terminal) -> dict[str, Any]:
    """A customer who may owe something, with a name of her own."""
    name = f"Meera {uuid4().hex[:6]}"
    made: dict[str, Any] = admin.gives(
        "customers", "add", name, "--phone", f"+91 {uuid4().int % 10**10:010d}"
    )
    return made
