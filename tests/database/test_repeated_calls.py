"""The same call again: the first answer. The same id for anything else: refused."""

import re
from typing import Any

import psycopg
import pytest

from tests.database.matrix import ACTS
from tests.database.matrix_kinds import Place
from tests.database.sales import footprint
from tests.database.test_shapes import EXAMPLES
from tests.support.personas import Connection, Persona, new_id
from tests.support.world import People

CLAIM = re.compile(
    r"private\.claim_request\(\s*[\w.]+,\s*p_id,\s*'(\w+)',\s*jsonb_build_array\(((?:[^()]|\(p_\w+\))*)\)\s*\)"
)
# Which house it is of is said by the claim's first argument.
HOUSE = {"p_id", "p_org_id"}


def _writing(owner: Connection) -> dict[str, tuple[list[str], str]]:
    """The public functions that take a client's id and claim it: parameters and source."""
    rows = owner.execute(
        "select proname, proargnames[:pronargs], prosrc from pg_proc "
        "where pronamespace = 'public'::regnamespace and prosrc ~ 'private.claim_request'"
    ).fetchall()
    return {row[0]: (list(row[1]), row[2]) for row in rows}


def test_the_fingerprint_is_of_every_argument(owner: Connection) -> None:
    """An act claims its id under its own name, with all that it was asked, in the order of its parameters."""
    acts = _writing(owner)
    assert len(acts) >= 60
    for act, (parameters, source) in acts.items():
        claims = CLAIM.findall(source)
        assert [name for name, _ in claims] == [act], act
        assert re.findall(r"p_\w+", claims[0][1]) == [p for p in parameters if p not in HOUSE], act


def _other(argument: str, value: Any, shapes: dict[str, dict[str, Any]]) -> Any:
    """Another value of the same kind. shapes: of the options, one that each may hold."""
    if argument in shapes:
        return (
            shapes[argument] if not value else value | shapes[argument] if value != shapes[argument] else {}
        )
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, dict):
        return {**value, "zz": 1}
    if isinstance(value, list):
        return [*value, *value] if value else [{"zz": 1}]
    return "another" if isinstance(value, str) else new_id()


def _call(admin: Persona, act: str, arguments: dict[str, Any]) -> tuple[str, Any]:
    try:
        return "allowed", admin.rpc(act, **arguments)
    except psycopg.Error as error:
        return f"{error.sqlstate} {error.diag.message_detail}", None


@pytest.mark.parametrize("act", [name for name, act in ACTS.items() if act.scope != "invited"])
def test_a_repeated_call(people: People, act: str) -> None:
    """Said twice it is done once; with any single argument changed it is refused, and nothing is written."""
    owner, world = people.connection, people.world
    acts = _writing(owner)
    if act not in acts:
        return
    admin = people.as_user(world.teak.users["admin"])
    arguments = ACTS[act].arguments(Place(world, world.teak, world.blr))
    shapes = {
        row[0]: {row[1]: EXAMPLES.get(row[2], row[3])}
        for row in owner.execute(
            "select distinct on (1) u.argument, f.field, f.kind, s.choices -> f.field ->> 0 "
            "from private.shape_uses u join private.shapes s on s.name = u.shape "
            "cross join lateral unnest(s.fields, s.kinds) f (field, kind) "
            "where u.act = %s and not s.is_list and f.kind in ('text', 'boolean', 'choice', 'date', 'uuid')",
            [act],
        ).fetchall()
    }
    first = _call(admin, act, arguments)
    assert first[0] == "allowed", first
    before = footprint(owner)
    assert _call(admin, act, arguments) == first
    assert footprint(owner) == before
    for argument in acts[act][0]:
        if argument in HOUSE:
            continue
        changed = arguments | {argument: _other(argument, arguments.get(argument), shapes)}
        outcome, _ = _call(admin, act, changed)
        assert outcome != "allowed", argument
    assert footprint(owner) == before
