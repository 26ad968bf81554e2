"""Malformed calls, made up from the declared shapes: each is a 400 with the field, and changes nothing."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.database.matrix import ACTS
from tests.database.matrix_kinds import Place
from tests.database.sales import footprint
from tests.support.personas import Connection, new_id, raises
from tests.support.world import People

# What is no JSON of fields, or has a grammar of its own, which its act reads.
OTHERWISE = {
    "close_shift.p_counted",  # Method to amount.
    "generate_variants.p_grid",  # Axes to values.
    "open_credit_sale.p_terms",
    "post_exchange.p_payments",
    "post_sale.p_payments",
    "quote_credit.p_terms",
    "reschedule.p_terms",
}
EXAMPLES: dict[str, Any] = {
    "uuid": "00000000-0000-4000-8000-000000000001",
    "number": 1,
    "text": "x",
    "boolean": True,
    "date": "2026-10-01",
    "instant": "2026-10-01T10:00:00Z",
    "serials": ["x"],
    "uuids": ["00000000-0000-4000-8000-000000000001"],
    "map": {},
}
WRONG: dict[str, list[Any]] = {
    "uuid": [
        5,
        {},
        True,
        "no",
        "",
        "0000000000000000000000000000000000000001",
        "0000000g-0000-4000-8000-000000000001",
    ],
    "number": ["1", True, {}, [1], Decimal("1e30"), -1],
    "text": [5, {}, ["x"], True],
    "boolean": ["true", 1, {}],
    "date": [5, {}, "yesterday", "2025-02-30", "infinity", "20250101", ""],
    "instant": [5, {}, "yesterday", "2025-02-30T10:00:00Z", "-infinity", ""],
    "choice": [5, {}, "nonsense", ""],
    "serials": [5, "x", {}, [5], [""], [" x"], ["x" * 61], [None], ["x"] * 2001],
    "uuids": [5, "x", {}, [], [5], ["no"], [None]],
    "map": [5, "x", []],
    "object": [5, "x", [], {"zz_unknown": 1}],
    "any": [],
}


@dataclass
class Shape:
    """A declared shape. fields: kind, low, high, decimals of each by name."""

    is_list: bool
    most: int
    must: list[str]
    once: str | None
    fields: dict[str, tuple[str, Any, Any, Any]]


def _shapes(owner: Connection, act: str) -> dict[str, Shape]:
    """The shapes of an act's arguments."""
    rows = owner.execute(
        "select u.argument, s.is_list, s.most, s.must, s.once, s.fields, s.kinds, s.lows, s.highs, "
        "s.decimals from private.shape_uses u join private.shapes s on s.name = u.shape where u.act = %s",
        [act],
    ).fetchall()
    return {
        row[0]: Shape(
            row[1], row[2], row[3], row[4], dict(zip(row[5], zip(*row[6:], strict=True), strict=True))
        )
        for row in rows
    }


def _wrong(kind: str, low: Any, high: Any, decimals: Any) -> Iterator[Any]:
    """Values that a field of this kind refuses."""
    yield from WRONG[kind]
    if kind == "number":
        step = Decimal(1).scaleb(-decimals)
        yield from (low - step, high + step, low + step / 10)
    elif kind == "text":
        yield "x" * (int(high) + 1)


def _malformed(shape: Shape, valid: dict[str, Any]) -> Iterator[tuple[Any, str | None]]:
    """One object that is wrong in one way each, and the field at fault."""
    yield valid | {"zz_unknown": 1}, "zz_unknown"
    for field in shape.must:
        yield {key: value for key, value in valid.items() if key != field}, field
        yield valid | {field: None}, field
    for field, limits in shape.fields.items():
        for value in _wrong(*limits):
            yield valid | {field: value}, field


def _arguments(shape: Shape, given: Any) -> Iterator[tuple[Any, str | None]]:
    """Whole arguments that are wrong, and the field at fault, None for the argument itself."""
    for whole in (5, "x", True, "null"):
        yield whole, None
    if not shape.is_list:
        yield [], None
        yield from _malformed(shape, given or {})
        return
    example = {field: EXAMPLES[shape.fields[field][0]] for field in shape.must}
    lines = copy.deepcopy(given) or [example]
    yield {}, None
    yield lines[:1] * (shape.most + 1), None
    no_lines: list[Any] = [None, [], 5, "x", [[]]]
    for none in no_lines:
        yield [*lines[1:], none], ""
    for line, field in _malformed(shape, lines[0]):
        yield [line, *lines[1:]], field
    if shape.once is not None:
        yield [lines[0], *lines], shape.once


@pytest.mark.parametrize("act", [name for name, act in ACTS.items() if act.scope != "invited"])
def test_malformed(people: People, act: str) -> None:
    """Wrong type, missing, unknown, too long, too many, out of range: 400 with the field, nothing written."""
    world, owner = people.world, people.connection
    shapes = _shapes(owner, act)
    admin = people.as_user(world.teak.users["admin"])
    valid = ACTS[act].arguments(Place(world, world.teak, world.blr)) if shapes else {}
    before = footprint(owner)
    for argument, shape in shapes.items():
        for value, field in _arguments(shape, valid.get(argument)):
            if "p_id" in valid:
                valid["p_id"] = new_id()
            with raises("invalid_input", 400) as refusal:
                admin.rpc(act, **(valid | {argument: value}))
            if shape.is_list or field is None:
                assert refusal.facts["field"] == argument, (value, refusal.facts)
                assert field in (None, "", refusal.facts.get("name")), (value, refusal.facts)
            else:
                assert refusal.facts["field"] == field, (value, refusal.facts)
    assert footprint(owner) == before


def test_every_json_argument_has_a_shape(owner: Connection) -> None:
    """What takes JSON says of which shape, or is known to have a grammar of its own."""
    rows = owner.execute(
        "select p.proname || '.' || a.name from pg_proc p "
        "cross join unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) a (name, type) "
        "where p.pronamespace = 'public'::regnamespace and a.type = 'jsonb'::regtype"
    ).fetchall()
    declared = {
        row[0] for row in owner.execute("select act || '.' || argument from private.shape_uses").fetchall()
    }
    assert {row[0] for row in rows} - OTHERWISE == declared


def test_every_shape_is_checked(owner: Connection) -> None:
    """A shape that is declared and never asked for would check nothing."""
    rows = owner.execute(
        "select coalesce(string_agg(prosrc, ' '), '') from pg_proc "
        "where pronamespace in ('private'::regnamespace, 'public'::regnamespace)"
    ).fetchall()
    names = [
        row[0] for row in owner.execute("select name from private.shapes where name !~ '[.]'").fetchall()
    ]
    assert [name for name in names if f"('{name}', " not in rows[0][0]] == []
