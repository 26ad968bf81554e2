"""The documents say what the database does: error codes, permissions, functions."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

import re
from pathlib import Path

from backend.app.core.errors import TITLES
from tests.database.schema import FUNCTIONS, ask
from tests.support.personas import Connection
from tests.support.world import ROLES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MIGRATIONS = ROOT / "supabase" / "migrations"


def _raised() -> set[tuple[str, int]]:
    """Every code that the migrations raise, with its status."""
    text = "".join(file.read_text() for file in sorted(MIGRATIONS.glob("*.sql")))
    return {(code, int(status)) for status, code in re.findall(r"private\.fail\(\s*(\d{3}),\s*'(\w+)'", text)}


def _table(file: Path, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = file.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_error_codes_are_listed() -> None:
    """docs/error_codes.md lists every code that the database raises, with its status, and no others."""
    rows = _table(DOCS / "error_codes.md", "Raised by the database")
    listed = {(row[0].strip("`"), int(row[1])) for row in rows}
    assert listed == _raised()
    assert all(all(row) for row in rows), "every code has a meaning and an advice"
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert len(dict(listed)) == len(listed), "a code has one status: clients that see no status lose nothing"


def test_error_codes_of_the_api_are_listed() -> None:
    """So are the codes that the API adds by itself."""
    listed = {row[0].strip("`") for row in _table(DOCS / "error_codes.md", "Added by the API")}
    assert listed == set(TITLES) - {code for code, _ in _raised()}


def test_errors_name_the_codes_they_raise(owner: Connection) -> None:
    """A code in a comment is one that exists."""
    rows = ask(owner, f"select name, comment from ({FUNCTIONS}) f where schema = 'public'")
    known = (
        {code for code, _ in _raised()} | {"duplicate"} | {name.removeprefix("public.") for name, _ in rows}
    )
    for name, comment in rows:
        errors = comment.partition("Errors:")[2].partition("Permission:")[0]
        assert set(re.findall(r"\b[a-z]+_[a-z_]+\b", errors)) <= known, name


def test_public_functions_are_documented(owner: Connection) -> None:
    """A comment with purpose, errors and permission; every parameter named in it; a mention in the docs."""
    docs = "".join(file.read_text() for file in DOCS.glob("**/*.md"))
    rows = ask(
        owner,
        "select p.proname, obj_description(p.oid, 'pg_proc'), p.proargnames[1:p.pronargs] from pg_proc p "
        "where p.pronamespace = 'public'::regnamespace",
    )
    for name, comment, parameters in rows:
        assert re.search("Errors:|No errors", comment), name
        assert re.search("Permission:|Anyone may call it", comment), name
        for parameter in parameters or []:
            assert parameter in comment or "Parameters as" in comment, (name, parameter)
        assert f"`{name}`" in docs, f"{name} is mentioned nowhere in docs/"


def test_permissions_are_documented(owner: Connection) -> None:
    """docs/permissions.md is the role x permission table of a new organisation, descriptions included."""
    roles = dict(ask(owner, "select key, permissions from private.system_roles"))
    discounts = dict(ask(owner, "select key, max_discount_percent from private.system_roles"))
    permissions = dict(ask(owner, "select code, description from public.permissions"))
    assert set(roles) == set(ROLES)
    roles["admin"] = list(permissions)  # by definition

    table = _table(DOCS / "permissions.md", "Who may do what")
    listed = {
        row[0].strip("`"): [cell == "yes" for cell in row[1:]] for row in table if row[0].startswith("`")
    }
    assert listed == {code: [code in roles[role] for role in ROLES] for code in permissions}
    (limits,) = [row[1:] for row in table if not row[0].startswith("`")]
    assert limits == [f"{discounts[role]:.0f} %" for role in ROLES]
    described = {
        row[0].strip("`"): row[1] for row in _table(DOCS / "permissions.md", "What each permission allows")
    }
    assert described == permissions


def test_functions_stand_beside_their_permission(owner: Connection) -> None:
    """docs/permissions.md names every function in the row of each permission that its comment names."""
    allowed = {
        row[0].strip("`"): row[3] for row in _table(DOCS / "permissions.md", "What each permission allows")
    }
    missing = [
        f"{code}: {name}"
        for name, comment in ask(owner, f"select name, comment from ({FUNCTIONS}) f where schema = 'public'")
        for code in re.findall(r"\b[a-z_]+\.[a-z_]+\b", comment.partition("Permission:")[2])
        if code in allowed and f"`{name.removeprefix('public.')}`" not in allowed[code]
    ]
    assert not missing, "\n".join(sorted(missing))


def test_every_permission_is_asked_for(owner: Connection) -> None:
    """A permission that no function and no policy names allows nothing and misleads."""
    text = "".join(file.read_text() for file in sorted(MIGRATIONS.glob("*.sql")))
    for (code,) in ask(owner, "select code from public.permissions"):
        assert f"'{code}'" in text, code
