"""A second organisation whose every row has the id of a row of the first: ids are unique within one only."""

# Names put into statements come from Postgres's catalogue, never from input.
# ruff: noqa: S608

from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID, uuid4

from tests.support.personas import Connection, Persona
from tests.support.world import House, sign_up

# Tables that the twin does without, and why.
LEFT_OUT = {
    "public.memberships": "its people are others",
    "public.membership_branches": "its people are others",
    "public.invitations": "their ids are unique everywhere",
    "public.product_images": "their paths name the organisation",
    "public.integrity_checks": "nothing was proved of it",
    "public.till_shifts": "one open till a person",
    "public.till_cash_movements": "belong to the tills",
    "private.outbox": "what happened, happened to the first",
    "private.stock_events": "what happened, happened to the first",
    "private.integrity_state": "nothing was proved of it",
}


@dataclass(frozen=True)
class Twin:
    """The organisation, somebody who is an administrator of both, and its branch for each of the first's."""

    id: UUID
    both: Persona
    branches: dict[UUID, UUID]
    tables: tuple[str, ...]

    def rows(self, connection: Connection, org_id: UUID | None = None) -> dict[str, str]:
        """A fingerprint of each table's rows of the twin, or of another organisation."""
        query = " union all ".join(
            f"select '{table}', md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) "
            f"from {table} t where t.org_id = %(org)s"
            for table in self.tables
        )
        return dict(connection.execute(query, {"org": org_id or self.id}).fetchall())

    def of_twin(self, arguments: Any) -> Any:
        """An act's arguments with the twin's branches in place of the first's."""
        if isinstance(arguments, dict):
            return {name: self.of_twin(value) for name, value in arguments.items()}
        if isinstance(arguments, list):
            return [self.of_twin(value) for value in arguments]
        return self.branches.get(arguments, arguments) if isinstance(arguments, UUID) else arguments


def _tables(connection: Connection) -> list[str]:
    """The tables to copy, each after those that it refers to."""
    rows = connection.execute(
        """
        select c.oid::regclass::text, n.nspname || '.' || c.relname,
          array(select k.confrelid::regclass::text from pg_constraint k
            where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p') and not c.relispartition
          and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id')
        """
    ).fetchall()
    wanted = {name: above for name, full, above in rows if full not in LEFT_OUT}
    order = TopologicalSorter({name: [a for a in above if a in wanted] for name, above in wanted.items()})
    return list(order.static_order())


def _copied(connection: Connection, table: str) -> str:
    """The statement that copies a table's rows of one organisation to another, branches renamed."""
    columns = connection.execute(
        "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and not attisdropped and attgenerated = '' order by attnum",
        [table],
    ).fetchall()

    def value(column: str) -> str:
        if column == "org_id":
            return "%(twin)s"
        if column.endswith("branch_id") or (column == "id" and table == "branches"):
            return f"(select b.twin from twin_branches b where b.id = t.{column})"
        return f"t.{column}"

    names = [name for (name,) in columns]
    return (
        f"insert into {table} ({', '.join(names)}) overriding system value "
        f"select {', '.join(value(name) for name in names)} from {table} t where t.org_id = %(org)s"
    )


def make_twin(connection: Connection, house: House) -> Twin:
    """Copy an organisation, row by row with the same ids; only branches, which are unique, get new ones."""
    twin = uuid4()
    names = {"twin": twin, "org": house.id}
    connection.execute(
        "create temporary table twin_branches on commit drop as "
        "select id, gen_random_uuid() as twin from public.branches where org_id = %(org)s",
        names,
    )
    organization = _copied(connection, "organizations").replace("t.id", "%(twin)s")
    connection.execute(organization.replace("t.org_id", "t.id"), names)
    tables = _tables(connection)
    connection.execute("set constraints all immediate")
    for table in tables:
        connection.execute(f"alter table {table} disable trigger user")
        connection.execute(_copied(connection, table), names)
        connection.execute(f"alter table {table} enable trigger user")
    connection.execute("set constraints all deferred")
    user = sign_up(connection, f"both.{twin.hex[:8]}@world.example")
    for org_id in (house.id, twin):
        connection.execute(
            "insert into public.memberships (org_id, user_id, role_id, all_branches) "
            "select org_id, %s, id, true from public.roles where org_id = %s and key = 'admin'",
            [user.id, org_id],
        )
    renamed = connection.execute("select id, twin from twin_branches").fetchall()
    branches: dict[UUID, UUID] = {row[0]: row[1] for row in renamed}
    return Twin(twin, Persona(connection, "authenticated", user.id, user.email), branches, tuple(tables))
