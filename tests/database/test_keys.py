"""Keys of every table: what they contain, what they hold on to, and what their checks read.

All of it is asked of Postgres's own catalogue; exceptions are listed with their reasons.
"""

# Names put into statements come from Postgres's catalogue, never from input.
# ruff: noqa: S608

from dataclasses import dataclass

import psycopg
import pytest

from tests.database.schema import TABLES, ask
from tests.support.personas import Connection
from tests.support.world import People


@dataclass(frozen=True)
class ForeignKey:
    """One foreign key: the columns on both sides in order, and which of the referencing may be null."""

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    nullable: frozenset[str]


def _foreign_keys(owner: Connection) -> list[ForeignKey]:
    return [
        ForeignKey(table, tuple(columns), target, tuple(there), frozenset(nullable))
        for table, columns, target, there, nullable in ask(
            owner,
            """
            select c.conrelid::regclass::text, array_agg(h.attname::text order by k.place),
              c.confrelid::regclass::text, array_agg(t.attname::text order by k.place),
              coalesce(array_agg(h.attname::text) filter (where not h.attnotnull), '{}')
            from pg_constraint c
            cross join lateral unnest(c.conkey, c.confkey) with ordinality as k (here, there, place)
            join pg_attribute h on h.attrelid = c.conrelid and h.attnum = k.here
            join pg_attribute t on t.attrelid = c.confrelid and t.attnum = k.there
            where c.contype = 'f' and c.conparentid = 0
            group by c.oid, c.conrelid, c.confrelid
            """,
        )
    ]


def _branch_columns(owner: Connection) -> list[tuple[str, str]]:
    """Every column of a table of requests' that names a branch."""
    return [
        (table.removeprefix("public."), column)
        for table, column in ask(
            owner,
            f"select t.name, a.attname from ({TABLES}) t join pg_attribute a on a.attrelid = t.oid "
            "where t.name like 'public.%' and not t.relispartition and a.attname ~ 'branch_id$' "
            "and a.attnum > 0 order by 1, 2",
        )
    ]


def test_every_branch_is_one(owner: Connection) -> None:
    """A column that policies read is a branch of the organisation, or that of the document it belongs to.

    A key is not asked when one of its columns is null: so the others of the key must not be.
    """
    keys = _foreign_keys(owner)

    def is_anchored(table: str, column: str) -> bool:
        for key in keys:
            if key.table == table and column in key.columns and key.nullable <= {column}:
                there = key.target_columns[key.columns.index(column)]
                if (key.target, there) == ("branches", "id") or is_anchored(key.target, there):
                    return True
        return False

    columns = _branch_columns(owner)
    assert len(columns) >= 40
    assert [pair for pair in columns if not is_anchored(*pair)] == []


def test_no_row_takes_another_branch(people: People) -> None:
    """Tried on a row of each table, our own triggers off: Postgres itself refuses a branch that is none."""
    connection = people.connection
    tried = 0
    for table, column in _branch_columns(connection):
        if table == "membership_branches":
            continue
        with connection.transaction(force_rollback=True):
            connection.execute(f"alter table public.{table} disable trigger user")
            statement = (
                f"update public.{table} set {column} = gen_random_uuid() "
                f"where ctid = (select ctid from public.{table} where {column} is not null limit 1)"
            )
            if not connection.execute(f"select 1 from public.{table} where {column} is not null").fetchone():
                continue
            with pytest.raises(psycopg.errors.ForeignKeyViolation), connection.transaction():
                connection.execute(statement)
            tried += 1
    assert tried >= 35


# Unique keys of a tenant's table that do not contain the organisation, and why.
UNIQUE_EVERYWHERE = {
    "branches PRIMARY KEY (id)": "policies, Realtime's topics and many acts name a branch by its id alone",
    "invitations PRIMARY KEY (id)": "who is invited belongs to no organisation yet: the id is all he has",
    "product_images UNIQUE (bucket_id, path)": "a path begins with the organisation, as Storage wants it",
    "private.outbox PRIMARY KEY (created_at, id)": "given by the database, for workers of all organisations",
    "private.dead_events PRIMARY KEY (consumer, event_id)": "the event's own id",
    "private.job_runs PRIMARY KEY (id)": "given by the database",
    "private.stock_events PRIMARY KEY (branch_id, xid, id, at)": "a branch is of one organisation",
}


def test_what_is_unique_is_unique_within_an_organisation(owner: Connection) -> None:
    """Keys contain org_id: nobody can take, block or probe an id of another organisation."""
    rows = ask(
        owner,
        """
        select i.indrelid::regclass || ' '
          || coalesce(pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid))
        from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
        join pg_attribute o on o.attrelid = t.oid and o.attname = 'org_id'
        left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
        where n.nspname in ('public', 'private', 'audit') and i.indisunique and not t.relispartition
          and o.attnum <> all (i.indkey)
        """,
    )
    assert sorted(row[0] for row in rows) == sorted(UNIQUE_EVERYWHERE)


def test_an_id_alone_is_found_by_an_index(owner: Connection) -> None:
    """Clients ask for `id=eq.<uuid>` without the organisation: an index of each table begins with id.

    Or with org_id and id: the policies name the caller's organisations, and the index is asked for each.
    """
    rows = ask(
        owner,
        """
        select t.oid::regclass::text from pg_class t
        join pg_attribute a on a.attrelid = t.oid and a.attname = 'id'
        join pg_attribute o on o.attrelid = t.oid and o.attname = 'org_id'
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
          and not exists (select from pg_index i where i.indrelid = t.oid and i.indpred is null
            and (i.indkey[0] = a.attnum or (i.indkey[0] = o.attnum and i.indkey[1] = a.attnum)))
        """,
    )
    assert rows == []


# What requests may delete, and the tables that functions delete from.
def _deleted(owner: Connection) -> set[str]:
    rows = ask(
        owner,
        f"""
        select t.oid::regclass::text from ({TABLES}) t
        where has_table_privilege('authenticated', t.oid, 'delete') or exists (
          select from pg_proc p where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
            and p.prosrc ~ ('delete from ' || t.name || '\\M'))
        """,
    )
    return {row[0] for row in rows}


def test_removing_a_row_reads_none_of_its_children(owner: Connection) -> None:
    """Every key to a table whose rows may go has an index on the referencing columns.

    An index on those of them that are not null will do: a null refers to nothing.
    """
    deleted = _deleted(owner)
    assert {"product_variants", "products", "categories", "brands"} <= deleted
    rows = ask(
        owner,
        """
        select c.conrelid::regclass || ' ' || c.conname, c.confrelid::regclass::text from pg_constraint c
        where c.contype = 'f' and c.conparentid = 0 and not exists (
          select from pg_index i where i.indrelid = c.conrelid
            and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
            and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$'))
        """,
    )
    assert sorted(key for key, target in rows if target in deleted) == []
