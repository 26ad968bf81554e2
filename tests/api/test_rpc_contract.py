"""Every call of a database function in the Python code names a function that exists and its arguments.

The calls are found by reading the code: ``something.rpc("name", {"p_argument": ...})``,
``Act(rpc="name", arguments={"p_argument": ...})``, the same with ``Lookup``, and
``Resource(found_by="name")``. A call that cannot be read this way fails the test.
"""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pkgutil import iter_modules
from typing import get_args

import psycopg
import pytest

from backend.app import routers
from backend.app.core.resource import Resource

ROOT = Path(__file__).parents[2]
FOLDERS = ("backend", "cli", "local", "bench")

# Where rpc() is defined and hands on what it was given.
PASSES_ON = {
    "backend/app/core/gateway.py",
    "backend/app/core/resource.py",
    "backend/app/core/listing.py",
    "cli/desk.py",
}
# What a function that finds the rows of a list is called with.
FOUND_BY = ast.parse('{"p_org_id": 0, "p_query": 0}', mode="eval").body


@dataclass(frozen=True)
class Call:
    """A call as written: the function's name, the names of its arguments, and where."""

    name: str
    arguments: frozenset[str]
    place: str


def _literal_keys(node: ast.expr | None) -> frozenset[str] | None:
    if node is None:
        return frozenset()
    if not isinstance(node, ast.Dict):
        return None
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return frozenset(keys) if len(keys) == len(node.keys) else None


def _parts(call: ast.Call) -> tuple[ast.expr | None, ast.expr | None] | None:
    """The name and the arguments of a call of a database function, or None when it is another call."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if isinstance(call.func, ast.Attribute) and call.func.attr == "rpc":
        name = call.args[0] if call.args else keywords.get("func")
        return name, call.args[1] if len(call.args) > 1 else keywords.get("params")
    if isinstance(call.func, ast.Name) and call.func.id in ("Act", "Lookup"):
        return keywords.get("rpc"), keywords.get("arguments")
    if isinstance(call.func, ast.Name) and call.func.id == "Resource" and "found_by" in keywords:
        return keywords["found_by"], FOUND_BY
    return None


def calls_in(source: str, place: str) -> Iterator[Call]:
    """The calls in a source text. Raises ``AssertionError`` for one that cannot be read."""
    for node in ast.walk(ast.parse(source)):
        parts = _parts(node) if isinstance(node, ast.Call) else None
        if parts is None:
            continue
        name, arguments = parts[0], _literal_keys(parts[1])
        where = f"{place}:{node.lineno}"  # type: ignore[attr-defined]
        assert isinstance(name, ast.Constant), f"{where}: write the function's name as a literal"
        assert isinstance(name.value, str), f"{where}: write the function's name as a literal"
        assert arguments is not None, f"{where}: write the arguments as a literal dict"
        yield Call(name.value, arguments, where)


def _all_calls() -> list[Call]:
    found: list[Call] = []
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            place = str(file.relative_to(ROOT))
            if "node_modules" not in file.parts and place not in PASSES_ON:
                found += calls_in(file.read_text(), place)
    return found


@pytest.fixture(scope="module")
def functions(database_url: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """The functions clients may call: name to (all arguments, arguments without default)."""
    query = """
      select p.proname, coalesce(p.proargnames[1:p.pronargs], '{}'), p.pronargs - p.pronargdefaults
      from pg_proc p where p.pronamespace = 'public'::regnamespace
        and has_function_privilege('authenticated', p.oid, 'execute')"""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(query).fetchall()
    names = [name for name, _, _ in rows]
    assert len(set(names)) == len(names), "PostgREST cannot tell overloads of one name apart by type"
    return {name: (frozenset(arguments), frozenset(arguments[:needed])) for name, arguments, needed in rows}


def test_every_call_fits_the_database(functions: dict[str, tuple[frozenset[str], frozenset[str]]]) -> None:
    calls = _all_calls()
    assert {"post_sale", "get_invoice", "whoami", "health"} <= {call.name for call in calls}
    faults = []
    for call in calls:
        if call.name not in functions:
            faults.append(f"{call.place}: there is no function {call.name} that clients may call")
            continue
        known, needed = functions[call.name]
        if call.arguments - known:
            faults.append(f"{call.place}: {call.name} has no {sorted(call.arguments - known)}")
        if needed - call.arguments:
            faults.append(f"{call.place}: {call.name} lacks {sorted(needed - call.arguments)}")
    assert not faults, "\n".join(faults)


def test_lists_say_which_sort_keys_may_be_null(database_url: str) -> None:
    """A cursor passes a null only where it is told of it; else a row without a value would be on no page."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid "
            "where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 "
            "and not a.attnotnull"
        ).fetchall()
    nullable = set(rows)
    faults, seen = [], 0
    for resource in _resources():
        keys = {*get_args(resource.query.model_fields["sort"].annotation), *resource.key}
        seen += 1
        faults += [
            f"{resource.table}.{key}"
            for key in sorted({key.removeprefix("-") for key in keys})
            if ((resource.table, key) in nullable) != (key in resource.nullable)
        ]
    assert seen > 20
    # The levels of the road have no branch, and the policy shows them to nobody.
    assert faults == ["stock_levels.branch_id"]


def _resources() -> list[Resource]:
    """Every resource that a router declares: they are handed to add_resource, which keeps none of them."""
    declared: list[Resource] = []
    for module in iter_modules(routers.__path__):
        source = importlib.import_module(f"{routers.__name__}.{module.name}")
        tree = ast.parse(Path(source.__file__ or "").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Resource":
                made = eval(compile(ast.Expression(node), "<declaration>", "eval"), vars(source))  # noqa: S307
                declared.append(made)
    return declared


@pytest.mark.parametrize("source", ['x.rpc(name, {"p": 1})', 'x.rpc("f", values)', 'x.rpc("f", {**a})'])
def test_an_unreadable_call_is_a_fault(source: str) -> None:
    with pytest.raises(AssertionError):
        list(calls_in(source, "example.py"))


def test_reading_calls() -> None:
    source = 'await g.rpc("f", {"p_a": 1})\nAct(rpc="g", arguments={"p_b": "b"})\ng.rpc("h")\n'
    source += 'Resource(found_by="i")'
    found = {call.name: call.arguments for call in calls_in(source, "x")}
    assert found == {"f": {"p_a"}, "g": {"p_b"}, "h": set(), "i": {"p_org_id", "p_query"}}
