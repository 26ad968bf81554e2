"""Fills a migrated database with many tenants: 200 small ones and a house of 500 branches.

The rows are copies of the tests' world, whose every table was written by the acts themselves: a table or a
column that a room adds is filled without a word here. A copy gets a key, a tenant, a branch, a number and a
time of its own; what refers to another table refers to the copy of the same turn, which is the same
tenant's. Triggers and foreign keys rest meanwhile, checks and unique keys do not.
"""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from tests.support.houses import make_world
from tests.support.personas import Connection, connect

SMALL = 200
BRANCHES = 500
LISTED = 3
# Rows go round in turns, in which every eleventh is a small tenant's: each of them is met once, each branch
# of the big house four times.
TURN = 2_200
MEETINGS = 4
INVOICES = 400_000

# What grows with sales, as a share of the invoices; any other table gets a twentieth.
_SHARES = {
    "public.invoices": 1,
    "public.invoice_lines": 1,
    "public.payments": 1 / 2,
    "public.payment_allocations": 1 / 2,
    "public.stock_movements": 1 / 2,
    "audit.log": 1 / 4,
}
_OTHERS = 1 / 20
# Made for each tenant one by one, or the same for all.
_GIVEN = {
    "public.organizations",
    "public.branches",
    "public.locations",
    "public.roles",
    "public.role_permissions",
    "public.memberships",
    "public.membership_branches",
    "public.invitations",
}
# An organisation has one of these, whichever of the copies is first.
_ONE_EACH = {"public.loyalty_programs"}
# Which row of the world is copied, where not every one may be there many times.
_TEMPLATES = {
    "public.stock_units": "branch_id is not null",
    "public.stock_levels": "branch_id is not null",
    "public.batch_levels": "branch_id is not null",
}


def _id(table: str, number: str) -> str:
    # In order, so that the keys' indexes grow at one end: twice as fast as at random.
    return f"(lpad(to_hex({number}), 8, '0') || substr(md5('{table} ' || {number}), 9))::uuid"


# Values that a check or a key wants otherwise than the rule of `_value` would have them; {n} is the turn.
_VALUES = {
    "public.variant_barcodes.code": "d.digits || private.gtin_check_digit(d.digits)",
    "public.product_images.bucket_id": "t.bucket_id",
    "public.product_images.path": f"turns.org_id || '/' || {_id('public.products', 'p.n')} || '/picture.png'",
}
# What people know a row by differs, also where two may have the same.
_NAMES = {"name", "code", "serial", "sku"}
# The endings of names of columns that say where a row belongs, with what fills them.
_PLACES = {
    "org_id": "turns.org_id",
    "to_branch_id": "turns.next_branch_id",
    "branch_id": "turns.branch_id",
    "to_location_id": "md5('store ' || turns.next_branch_id)::uuid",
    "location_id": "turns.location_id",
}
# A document's number counts within its branch, and may have no more digits than it has.
_NUMBER = (
    f"regexp_replace({{}}, '[0-9]+$', lpad((1 + p.n / {TURN} * {MEETINGS} + turns.meeting)::text, 5, '0'))"
)
_LATERAL = {
    "public.variant_barcodes": "cross join lateral (select '20' || lpad(p.n::text, 10, '0') as digits) d",
}


@dataclass(frozen=True)
class Member:
    """Who asks: a user, his house, and the branches that his membership names; None: it covers all."""

    name: str
    user_id: UUID
    org_id: UUID
    branches: tuple[UUID, ...] | None = None


@dataclass(frozen=True)
class Filled:
    """The three whose lists are measured, and how many rows were put into each table."""

    members: tuple[Member, ...]
    rows: Mapping[str, int]


@contextmanager
def signed_in(url: str, member: Member) -> Iterator[Connection]:
    """A connection that asks as PostgREST does for this member: same role, same claims."""
    claims = json.dumps({"role": "authenticated", "sub": str(member.user_id)})
    with connect(url) as connection:
        connection.execute("select set_config('request.jwt.claims', %s, false)", [claims])
        connection.execute("set role authenticated")
        yield connection


def fill(
    url: str,
    superuser_url: str,
    invoices: int = INVOICES,
    *,
    least: int = TURN,
    only: Collection[str] | None = None,
) -> Filled:
    """Make the world if it is not there yet, then the tenants and their rows, and analyse.

    Parameters:
        url: a migrated database's address as role postgres. superuser_url: the same as superuser, who alone
            lets triggers rest.
        invoices: how many; the other tables follow. least: how many rows any table gets. only: fill these
            tables alone, named with their schema.
    """
    with connect(url) as owner, owner.transaction():
        if owner.execute("select from public.organizations").fetchone() is None:
            make_world(owner)
    with connect(superuser_url) as owner:
        with owner.transaction():
            # Fast and safe enough: what is lost in a crash is a database that is thrown away.
            owner.execute("set local synchronous_commit = off; set local maintenance_work_mem = '256MB'")
            owner.execute("set local session_replication_role = replica")
            members = _tenants(owner)
            rows = {table: _count(table, invoices, least) for table in _tables(owner)}
            for table in rows if only is None else sorted(rows.keys() & set(only)):
                _copy(owner, table, rows)
        owner.execute("vacuum analyze")
    return Filled(members, rows)


def _count(table: str, invoices: int, least: int) -> int:
    return math.ceil(max(least, invoices * _SHARES.get(table, _OTHERS)) / TURN) * TURN


def _tables(owner: Connection) -> list[str]:
    """The tables that clients may read and whose rows belong to a tenant."""
    rows = owner.execute(
        """
        select n.nspname || '.' || c.relname
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
        where n.nspname in ('public', 'audit') and c.relkind in ('r', 'p') and not c.relispartition
          and has_table_privilege('authenticated', c.oid, 'select')
        order by 1
        """
    ).fetchall()
    return [row[0] for row in rows if row[0] not in _GIVEN]


# Tenants -------------------------------------------------------------------------------------------


def _tenants(owner: Connection) -> tuple[Member, ...]:
    """Copies of the world's oldest house with their branches, each with an admin, and who goes where."""
    owner.execute(
        """
        create temporary table model on commit drop as
        select o.id as org_id, b.id as branch_id, l.id as location_id, r.id as role_id
        from public.organizations o
        join public.roles r on r.org_id = o.id and r.key = 'admin'
        join public.branches b on b.org_id = o.id
        join public.locations l on l.org_id = o.id and l.branch_id = b.id and l.kind = 'showroom'
        where o.currency = 'INR' order by b.code limit 1
        """
    )
    # The big house is number 0; number 1 to 200 are the small ones, with one branch each.
    owner.execute(
        f"""
        create temporary table places on commit drop as
        select o as house, b as branch, md5('house ' || o)::uuid as org_id,
          md5('branch ' || o || ' ' || b)::uuid as branch_id,
          md5('location ' || o || ' ' || b)::uuid as location_id, md5('role ' || o)::uuid as role_id,
          md5('user ' || o)::uuid as user_id
        from generate_series(0, {SMALL}) o,
          generate_series(0, case o when 0 then {BRANCHES - 1} else 0 end) b
        """
    )
    owner.execute(
        f"""
        create temporary table turns on commit drop as
        select t.t, p.org_id, p.branch_id, p.location_id, next.branch_id as next_branch_id,
          case t.house when 0 then t.big / {BRANCHES} else 0 end as meeting
        from (
          select t, case t % 11 when 0 then 1 + t / 11 else 0 end as house, t - t / 11 - 1 as big
          from generate_series(0, {TURN - 1}) t) t
        join places p on (p.house, p.branch) =
          (t.house, case t.house when 0 then t.big % {BRANCHES} else 0 end)
        join places next on (next.house, next.branch) =
          (t.house, case t.house when 0 then (p.branch + 1) % {BRANCHES} else 0 end)
        """
    )
    owner.execute(
        """
        insert into auth.users (id, email, email_confirmed_at)
        select user_id, user_id || '@size.example', now() from places where branch = 0
        union all select md5('clerk')::uuid, 'clerk@size.example', now()
        """
    )
    once = "p.branch = 0"
    _clone(owner, "public.organizations", "t.id = m.org_id", once, id="p.org_id", name="'House ' || p.house")
    _clone(owner, "public.roles", "t.id = m.role_id", once, id="p.role_id", org_id="p.org_id")
    _clone(
        owner,
        "public.role_permissions",
        "t.role_id = m.role_id",
        once,
        role_id="p.role_id",
        org_id="p.org_id",
    )
    _clone(
        owner,
        "public.branches",
        "t.id = m.branch_id",
        id="p.branch_id",
        org_id="p.org_id",
        code="chr(65 + p.branch / 100) || lpad((p.branch % 100)::text, 2, '0')",
    )
    _clone(
        owner,
        "public.locations",
        "t.id = m.location_id",
        id="p.location_id",
        org_id="p.org_id",
        branch_id="p.branch_id",
    )
    owner.execute(
        """
        insert into public.memberships (org_id, user_id, role_id, all_branches)
        select org_id, user_id, role_id, true from places where branch = 0
        union all
        select org_id, md5('clerk')::uuid, role_id, false from places where (house, branch) = (0, 0);
        insert into public.membership_branches (org_id, user_id, branch_id)
        select org_id, md5('clerk')::uuid, branch_id from places where house = 0 and branch % 200 = 7
        """
    )
    return _members(owner)


def _members(owner: Connection) -> tuple[Member, ...]:
    found = {
        row[0]: (row[1], row[2])
        for row in owner.execute("select house, user_id, org_id from places where branch = 0").fetchall()
    }
    clerk = owner.execute(
        "select user_id, org_id, array_agg(branch_id) from public.membership_branches "
        "where user_id = md5('clerk')::uuid group by 1, 2"
    ).fetchone()
    assert clerk is not None
    assert len(clerk[2]) == LISTED
    return (
        Member("small tenant", *found[SMALL // 2]),
        Member("3 of 500 branches", clerk[0], clerk[1], tuple(clerk[2])),
        Member("admin of 500", *found[0]),
    )


def _clone(owner: Connection, table: str, template: str, which: str = "true", **values: str) -> None:
    """Copy rows of the model's house for each of the places."""
    columns = [column.name for column in _columns(owner, table)]
    chosen = ", ".join(values.get(column, f"t.{column}") for column in columns)
    owner.execute(
        f"insert into {table} ({', '.join(columns)}) select {chosen} "
        f"from places p cross join model m join {table} t on {template} where {which}"
    )


# Copies --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """A column that is written.

    unique: a unique key contains it; tells_apart: and no id of another row; parent: the table whose id it
    holds.
    """

    name: str
    type: str
    unique: bool
    tells_apart: bool
    parent: str | None


def _columns(owner: Connection, table: str) -> list[_Column]:
    rows = owner.execute(
        """
        select a.attname, format_type(a.atttypid, null),
          exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique
            and pg_get_indexdef(i.indexrelid) ~ ('[( ]' || a.attname || '[,)]')),
          exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique
            and pg_get_indexdef(i.indexrelid) ~ ('[( ]' || a.attname || '[,)]')
            and not exists (select from pg_attribute b where b.attrelid = a.attrelid
              and b.attnum = any (i.indkey) and b.attname <> 'org_id' and b.attname !~ 'branch_id$'
              and b.attnotnull and b.atttypid = 'uuid'::regtype)),
          (select n.nspname || '.' || t.relname
            from pg_constraint c
            join pg_class t on t.oid = c.confrelid join pg_namespace n on n.oid = t.relnamespace
            cross join unnest(c.conkey, c.confkey) k (here, there)
            join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.there and b.attname = 'id'
            where c.contype = 'f' and c.conrelid = a.attrelid and k.here = a.attnum limit 1)
        from pg_attribute a
        where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
          and a.attidentity = ''
        order by a.attnum
        """,
        [table],
    ).fetchall()
    return [_Column(*row) for row in rows]


def _copy(owner: Connection, table: str, rows: Mapping[str, int]) -> None:
    """Copy one row of the world as often as `rows` says."""
    columns = _columns(owner, table)
    archived = "archived_at is not null" if "archived_at" in {c.name for c in columns} else "(select 1)"
    template = (
        f"(select * from {table} where org_id = (select org_id from model) "
        f"and {_TEMPLATES.get(table, 'true')} order by ({archived}) limit 1)"
    )
    found = owner.execute(f"select to_jsonb(t) from {template} t").fetchone()
    assert found is not None, f"the world has no row of {table}"
    # A place outside of all branches, such as the customer, is the template's.
    kept = {
        column.name
        for column in columns
        if found[0].get(column.name.replace("location_id", "branch_id"), found[0][column.name]) is None
    }
    parents = [
        column.parent
        for column in columns
        if column.unique and column.parent is not None and column.parent in rows
    ]
    chosen = ", ".join(
        f"t.{column.name}" if column.name in kept else _value(table, column, rows, parents)
        for column in columns
    )
    owner.execute(
        f"insert into {table} ({', '.join(column.name for column in columns)}) select {chosen} "
        f"from generate_series(0, {rows[table] - 1}) p (n) join turns on turns.t = p.n % {TURN} "
        f"cross join {template} t {_LATERAL.get(table, '')} order by p.n"
        + (" on conflict do nothing" if table in _ONE_EACH else "")
    )


def _value(table: str, column: _Column, rows: Mapping[str, int], parents: Sequence[str]) -> str:
    """The expression that fills a column of a copy, where the template has a value; p.n counts the copies.

    parents: the tables whose ids are part of a unique key.
    """
    name, kept, count = column.name, f"t.{column.name}", rows[table]
    if f"{table}.{name}" in _VALUES:
        return _VALUES[f"{table}.{name}"]
    for ending, value in _PLACES.items():
        if name.endswith(ending):
            return value
    if column.type == "uuid":
        return _uuid(table, column, rows)
    if name == "archived_at":
        return "null"
    if column.type == "timestamp with time zone" and name.endswith("_at") and name != "expires_at":
        return f"now() - ({count} - p.n) * interval '700 days' / {count}"
    if column.type == "text" and (column.tells_apart or name in _NAMES):
        return _NUMBER.format(kept) if name == "number" else f"{kept} || '-' || p.n"
    if column.unique and column.type in ("integer", "bigint"):
        # The second line of the same document, and so on.
        return f"{kept} + p.n / {min([count, *(rows[parent] for parent in parents)])}"
    return kept


def _uuid(table: str, column: _Column, rows: Mapping[str, int]) -> str:
    if column.name == "id":
        return _id(table, "p.n")
    if column.parent is not None and column.parent in rows:
        return _id(column.parent, f"p.n % {rows[column.parent]}")
    return _id(f"{table}.{column.name}", "p.n") if column.unique else f"t.{column.name}"
