"""Everybody tries everything, everywhere: persona x function x place, and persona x table.

What must come out is derived from the tables in `matrix.py` and the roles' permissions in the database.
"""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.database.matrix import ACTS, TABLES
from tests.database.matrix_kinds import Place
from tests.support.personas import Connection, Persona, new_id
from tests.support.refusals import state_of
from tests.support.world import House, People, World

PERSONAS = (
    "admin",
    "cashier",
    "sales_executive",
    "inventory_manager",
    "technician",
    "cashier@MUM",
    "foreign admin",
    "foreign cashier",
    "nobody",
    "anon",
)
PLACES = ("BLR", "MUM", "LON")


def _persona(people: People, name: str) -> Persona:
    if name.startswith("foreign "):
        return people.as_user(people.world.lagoon.users[name.removeprefix("foreign ")])
    if name in ("nobody", "anon"):
        return people.as_nobody() if name == "nobody" else people.as_anon()
    return people.as_user(people.world.teak.users[name])


def _place(world: World, code: str) -> Place:
    house = world.lagoon if code == "LON" else world.teak
    return Place(world, house, next(b for b in house.branches if b.code == code))


def _house(world: World, name: str) -> House | None:
    if name in ("nobody", "anon"):
        return None
    return world.lagoon if name.startswith("foreign") else world.teak


def _covered(world: World, name: str) -> set[UUID]:
    """The branches of a persona, as the world gave them out."""
    house = _house(world, name)
    if house is None:
        return set()
    if name.endswith("admin"):
        return {branch.id for branch in house.branches}
    return {house.branches[1 if name.endswith("@MUM") else 0].id}


def _holds(owner: Connection, world: World, name: str, permission: str) -> bool:
    """Whether the persona's role has the permission, read past every policy."""
    house = _house(world, name)
    role = name.removeprefix("foreign ").split("@")[0]
    return house is not None and (
        owner.execute(
            "select 1 from private.held_permissions rp join public.roles r on r.id = rp.role_id "
            "where r.org_id = %s and r.key = %s and rp.permission = %s",
            [house.id, role, permission],
        ).fetchone()
        is not None
    )


def _expected(owner: Connection, world: World, name: str, act_name: str, place: Place) -> str:
    act = ACTS[act_name]
    if name == "anon":
        return "allowed" if act.open_to_anon else "42501"
    if act.scope == "own":
        return "allowed"
    inside = (
        place.branch.id in _covered(world, name)
        if act.scope == "branch"
        else _house(world, name) is place.house
    )
    if not inside:
        return "404"
    assert act.permission is not None
    if _holds(owner, world, name, act.permission):
        return "allowed"
    return "404" if act.hidden else "403"


def _outcome(person: Persona, act_name: str, arguments: dict[str, Any]) -> str:
    try:
        person.rpc(act_name, **arguments)
    except psycopg.Error as error:
        return state_of(error)
    return "allowed"


def test_every_public_function_has_a_row(owner: Connection) -> None:
    """A function that nobody put into the matrix is a function that nobody thought through."""
    rows = owner.execute("select proname from pg_proc where pronamespace = 'public'::regnamespace").fetchall()
    assert sorted(ACTS) == sorted(row[0] for row in rows)


def test_every_public_table_has_a_row(owner: Connection) -> None:
    """So are tables and views."""
    rows = owner.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', "
        "'p', 'v', 'm')"
    ).fetchall()
    assert sorted(TABLES) == sorted(row[0] for row in rows)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("act", [name for name, act in ACTS.items() if act.scope != "invited"])
@pytest.mark.parametrize("name", PERSONAS)
def test_acts(people: People, name: str, act: str, place: str) -> None:
    """Allowed with the permission in scope; 403 without it; 404 outside; no privilege at all for visitors."""
    world, where = people.world, _place(people.world, place)
    arguments = ACTS[act].arguments(where)
    if act == "revoke_invitation":
        arguments = {"p_id": new_id()}
        admin = people.as_user(where.house.users["admin"])
        admin.rpc("invite_member", **(ACTS["invite_member"].arguments(where) | arguments))
    assert _outcome(_persona(people, name), act, arguments) == _expected(
        people.connection, world, name, act, where
    )


@pytest.mark.parametrize("name", PERSONAS)
def test_invitations_are_for_the_invited(people: People, name: str) -> None:
    """Only the person whose address it names finds an invitation."""
    invited, other = _persona(people, name), new_id()
    people.as_admin().rpc(
        "invite_member", **(ACTS["invite_member"].arguments(_place(people.world, "BLR")) | {"p_id": other})
    )
    expected = "42501" if name == "anon" else "404"
    assert _outcome(invited, "accept_invitation", {"p_id": other}) == expected


def _visible(owner: Connection, world: World, name: str, table: str) -> str:
    """The SQL condition that rows must meet for the persona to see them."""
    spec, house = TABLES[table], _house(world, name)
    if spec.scope is None:
        return "true" if spec.readers == "anyone" or name != "anon" else "false"
    if house is None:
        return "false"
    mine = f"{'id' if table == 'organizations' else 'org_id'} = '{house.id}'"
    if spec.readers == "self" and not _holds(owner, world, name, "user.manage"):
        user = house.users[name.removeprefix("foreign ")].id
        return f"{mine} and user_id = '{user}'"
    if table == "till_shifts" and not _holds(owner, world, name, "report.read"):
        return f"user_id = '{house.users[name.removeprefix('foreign ')].id}'"
    permission = "user.manage" if spec.readers == "self" else spec.readers
    if permission != "member" and not _holds(owner, world, name, permission):
        return "false"
    if spec.scope == "org":
        return mine
    return _visible_of_branches(owner, world, name, table, mine)


def _visible_of_branches(owner: Connection, world: World, name: str, table: str, mine: str) -> str:
    """The same where rows belong to branches. mine: the condition that a row is of his business."""
    branches = ", ".join(f"'{branch}'" for branch in _covered(world, name))
    if table == "branches":
        return f"id in ({branches})"
    if table == "stock_movements" or table.startswith("stock_transfer"):
        either = f"from_branch_id in ({branches}) or to_branch_id in ({branches})"
        if table == "stock_movements" and _holds(owner, world, name, "audit.read"):
            return f"{either} or ({mine} and from_branch_id is null and to_branch_id is null)"
        return either
    if table == "locations":
        return f"{mine} and (branch_id is null or branch_id in ({branches}))"
    if table == "stock_count_figures" and not _holds(owner, world, name, "count.approve"):
        return f"shown and branch_id in ({branches})"
    return f"branch_id in ({branches})"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", PERSONAS)
def test_reading(people: People, name: str, table: str) -> None:
    """A persona sees exactly the rows of his scope: none missing, none foreign."""
    condition = _visible(people.connection, people.world, name, table)
    everything = f"select to_jsonb(t)::text as row from public.{table} t"
    wanted = people.connection.execute(f"{everything} where {condition}").fetchall()
    try:
        seen = _persona(people, name).select(everything)
    except psycopg.errors.InsufficientPrivilege:
        assert name == "anon"
        assert TABLES[table].readers != "anyone"
        return
    assert sorted(row["row"] for row in seen) == sorted(row[0] for row in wanted)
    if condition != "false" and table not in (
        "membership_branches",
        "invitations",
        "suppliers",
        "till_shifts",
    ):
        assert seen or name in ("nobody", "anon"), (
            "a test that sees nothing proves nothing: fill the table in the world"
        )


def _updatable(owner: Connection, table: str) -> list[str]:
    rows = owner.execute(
        "select a.attname from pg_attribute a where a.attrelid = %s::regclass and a.attnum > 0 and not "
        "a.attisdropped "
        "and has_column_privilege('authenticated', a.attrelid, a.attnum, 'update')",
        [f"public.{table}"],
    ).fetchall()
    return [row[0] for row in rows]


def _rows(owner: Connection, table: str) -> Any:
    return owner.execute(
        "select md5(coalesce(string_agg(to_jsonb(t)::text, '' order by to_jsonb(t)::text), '')) from "
        f"public.{table} t"
    ).fetchone()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", PERSONAS)
def test_writing(people: People, name: str, table: str) -> None:
    """Outside his scope or permission a persona changes nothing: no grant, or no row that a policy shows."""
    owner, world, spec, person = people.connection, people.world, TABLES[table], _persona(people, name)
    columns, before = _updatable(owner, table), _rows(owner, table)
    assert bool(columns) == (spec.writer is not None and spec.changes)

    for verb in ("truncate",) if spec.deletes else ("delete from", "truncate"):
        statement = f"{verb} {'audit.log' if table == 'audit_log' else f'public.{table}'}"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person.execute(statement)
    if not columns:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person.execute(f"update public.{table} set {_any_column(owner, table)} = default")
    elif name == "anon":
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person.execute(f"update public.{table} set {columns[0]} = {columns[0]}")
    else:
        assert spec.writer is not None
        changed = person.execute(f"update public.{table} set {columns[0]} = {columns[0]}")
        may = _holds(owner, world, name, spec.writer)
        scope = _visible(owner, world, name, table)
        if table == "locations":
            scope = f"branch_id is not null and {scope}"
        row = owner.execute(f"select count(*) from public.{table} where {scope}").fetchone()
        assert row is not None
        assert changed == (row[0] if may else 0)
        assert changed > 0 or not may
        return
    assert _rows(owner, table) == before


@pytest.mark.parametrize("table", [table for table, spec in TABLES.items() if spec.deletes])
@pytest.mark.parametrize("name", PERSONAS)
def test_removing(people: People, name: str, table: str) -> None:
    """Who may, removes what nothing refers to, in his own business; everybody else nothing."""
    owner, world, person = people.connection, people.world, _persona(people, name)
    writer = TABLES[table].writer
    assert writer is not None
    before = _rows(owner, table)
    if name == "anon":
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person.execute(f"delete from public.{table}")
    elif not _holds(owner, world, name, writer):
        assert person.execute(f"delete from public.{table}") == 0
    else:
        scope = _visible(owner, world, name, table)
        foreign = f"select count(*) from public.{table} where not ({scope})"
        strangers = owner.execute(foreign).fetchone()
        removed = 0
        keys = owner.execute(f"select ctid::text from public.{table} order by ctid").fetchall()
        for (key,) in keys:
            try:
                removed += person.execute(f"delete from public.{table} where ctid = %s::tid", [key])
            except psycopg.Error as error:
                assert state_of(error) == "409"  # noqa: PT017 - in_use, told to archive
        assert owner.execute(foreign).fetchone() == strangers
        assert strangers != (0,)
        rest = owner.execute(f"select count(*) from public.{table}").fetchone()
        assert rest == (len(keys) - removed,)
        return
    assert _rows(owner, table) == before


def _any_column(owner: Connection, table: str) -> str:
    """A column that could be written if grants allowed it: no identity, nothing generated."""
    row = owner.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "order by attname = 'org_id' desc, attnum limit 1",
        [f"public.{table}"],
    ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", PERSONAS)
def test_inserting_for_others(people: People, name: str, table: str) -> None:
    """Nobody adds a row under another business, whatever he holds in his own."""
    owner, world = people.connection, people.world
    foreign = world.teak if _house(world, name) is world.lagoon else world.lagoon
    rows = owner.execute(
        "select a.attname from pg_attribute a where a.attrelid = %s::regclass and a.attnum > 0 and not "
        "a.attisdropped "
        "and has_column_privilege('authenticated', a.attrelid, a.attnum, 'insert')",
        [f"public.{table}"],
    ).fetchall()
    columns = [row[0] for row in rows] or [_any_column(owner, table)]
    names = ", ".join(columns)
    values = ", ".join("gen_random_uuid()" if c == "id" and len(columns) > 1 else f"t.{c}" for c in columns)
    key = "id" if table == "organizations" else "org_id"
    source = f"(select * from jsonb_populate_record(null::public.{table}, %s::jsonb)) t"
    sample = owner.execute(
        f"select to_jsonb(t)::text from public.{table} t where %s::text is null or to_jsonb(t) ->> '{key}' "
        "= %s limit 1",
        [TABLES[table].scope and str(foreign.id)] * 2,
    ).fetchone()
    assert sample is not None
    before = _rows(owner, table)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _persona(people, name).execute(
            f"insert into public.{table} ({names}) select {values} from {source}", [sample[0]]
        )
    assert _rows(owner, table) == before
