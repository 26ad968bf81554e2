"""The rows that a sale leaves behind, written again without any rule: the floor under post_sale.

Sales of the same basket are posted and looked at: what is new in a table is an insert, what stands where it
stood an update. The same rows then go into a clone of the database that keeps its tables and indexes but has
no trigger, no foreign key and no check, in one statement and so in one round trip. Nothing here names a table
of the project: whatever a sale writes tomorrow is measured tomorrow.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import LiteralString

import psycopg
from psycopg import sql

from bench.clients import Session, Workload
from bench.shop import Branch, Connection, Shop

LINES = 3
# How many sales `footprint` posts.
SALES = 4
SCHEMAS = ["public", "private", "audit", "realtime"]
Row = dict[str, str | None]

_COLUMNS: LiteralString = """
select a.attname, format_type(a.atttypid, a.atttypmod),
  coalesce(bool_or(i.indisunique), false), coalesce(bool_or(i.indisprimary), false)
from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and a.attnum = any (i.indkey::int2[])
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
  and a.attgenerated = '' and a.attidentity = ''
group by a.attnum, a.attname, a.atttypid, a.atttypmod order by a.attnum
"""

_COUNTED: LiteralString = """
select coalesce(pg_partition_root(relid), relid)::regclass::text, sum(n_tup_ins)::int, sum(n_tup_upd)::int
from pg_stat_xact_all_tables where schemaname = any (%s)
group by 1 having sum(n_tup_ins + n_tup_upd) > 0 order by 1
"""

# What enforces a rule goes; tables, indexes and defaults stay.
_WITHOUT_RULES: LiteralString = """
do $$
declare
  v_rule record;
begin
  for v_rule in
    select c.conrelid::regclass as place, c.conname as name from pg_constraint c
    join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
    where c.contype in ('f', 'c') and c.coninhcount = 0 and c.conparentid = 0
      and n.nspname in ('public', 'private', 'audit', 'realtime')
    order by c.contype desc
  loop
    execute format('alter table %s drop constraint %I', v_rule.place, v_rule.name);
  end loop;
  for v_rule in
    select t.tgrelid::regclass as place, t.tgname as name from pg_trigger t
    join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal and t.tgparentid = 0 and n.nspname in ('public', 'private', 'audit', 'realtime')
  loop
    execute format('drop trigger %I on %s', v_rule.name, v_rule.place);
  end loop;
end;
$$
"""


@dataclass(frozen=True)
class _Column:
    name: str
    type: str
    unique: bool
    key: bool


@dataclass(frozen=True)
class Footprint:
    """What one sale writes.

    Parameters:
        inserted, updated: rows by table, as Postgres counted them.
        log_bytes: bytes of write-ahead log, without whole pages.
        statement: the same writes as one statement, with named parameters.
        fresh: its parameters that want an id of their own each time.
        texts: its parameters that want a text of their own each time.
    """

    inserted: Mapping[str, int]
    updated: Mapping[str, int]
    log_bytes: int
    statement: sql.Composed
    fresh: tuple[str, ...]
    texts: tuple[str, ...]

    def told(self) -> str:
        """The figures in one line."""
        return (
            f"A sale of {LINES} lines inserts {sum(self.inserted.values())} rows into "
            f"{len(self.inserted)} tables, updates {sum(self.updated.values())}, and writes "
            f"{self.log_bytes / 1000:.1f} kB of log."
        )


@dataclass(frozen=True)
class _Sale:
    inserted: dict[str, int]
    updated: dict[str, int]
    rows: dict[str, list[Row]]
    log_bytes: int


def without_rules(url: str) -> None:
    """Take triggers, foreign keys and checks away. url: the clone's address as a superuser."""
    with psycopg.connect(url) as owner:
        owner.execute(_WITHOUT_RULES)


def footprint(shop: Shop, url: str) -> Footprint:
    """Post sales and see what they write. Nobody else writes meanwhile.

    Parameters:
        shop: where they are posted.
        url: the same database's address as a superuser, who sees the rows of every table.
    """
    branch, basket = shop.branches[0], shop.variants[:LINES]
    with shop.sign_in(shop.admin_id, autocommit=False) as till, psycopg.connect(url) as owner:
        # The first sale makes what all later ones find, such as counters.
        sales = [_post(shop, till, owner, branch) for _ in range(SALES)]
        before, after = sales[-2:]
        columns = {table: _columns(owner, table) for table in after.rows}
    known = {str(branch.id): "branch", str(branch.location_id): "location"}
    known |= {str(variant): f"variant{place}" for place, variant in enumerate(basket)}
    writer = _Writer(known, columns)
    parts = [writer.insert(table, row) for table in after.inserted for row in after.rows[table]]
    parts += [
        writer.update(table, row, before.rows[table])
        for table in after.updated.keys() - after.inserted.keys()
        for row in after.rows[table]
    ]
    return Footprint(
        after.inserted,
        after.updated,
        min(sale.log_bytes for sale in sales),
        _as_one(parts),
        tuple(writer.fresh.values()),
        tuple(writer.texts),
    )


def _post(shop: Shop, till: Connection, owner: Connection, branch: Branch) -> _Sale:
    position = "select pg_current_wal_insert_lsn() - '0/0'"
    # What the last sale counted is told apart from what this one will count.
    till.execute("select pg_stat_force_next_flush()")
    till.commit()
    (start,) = till.execute(position).fetchone() or (0,)
    till.commit()
    shop.sell(till, branch, shop.variants[:LINES])
    counted = till.execute(
        # A partition is part of the table that clients know.
        _COUNTED,
        [SCHEMAS],
    ).fetchall()
    (mark,) = till.execute("select pg_current_xact_id()::xid::text::bigint").fetchone() or (0,)
    till.commit()
    (end,) = till.execute(position).fetchone() or (0,)
    till.commit()
    return _Sale(
        {table: made for table, made, _ in counted if made},
        {table: changed for table, _, changed in counted if changed},
        {table: _written(owner, table, mark) for table, _, _ in counted},
        int(end - start),
    )


def _written(owner: Connection, table: str, mark: int) -> list[Row]:
    """The rows of a table that a transaction and its subtransactions left, each value as text."""
    texts = sql.SQL(", ").join(
        sql.SQL("{}::text").format(sql.Identifier(column.name)) for column in _columns(owner, table)
    )
    query = sql.SQL("select {} from {} where xmin::text::bigint >= %s order by 1").format(
        texts, sql.SQL(table)
    )
    cursor = owner.execute(query, [mark])
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _columns(owner: Connection, table: str) -> list[_Column]:
    return [_Column(*row) for row in owner.execute(_COLUMNS, [table])]


def _as_one(parts: list[sql.Composed]) -> sql.Composed:
    """All writes as one statement: each but the last is a part of its "with"."""
    named = [sql.SQL("{} as ({})").format(sql.Identifier(f"w{n}"), part) for n, part in enumerate(parts[:-1])]
    return sql.SQL("with {} {}").format(sql.SQL(", ").join(named), parts[-1])


class _Writer:
    """Turns rows into statements: what differs from sale to sale is a parameter, all else stays as it was."""

    def __init__(self, known: Mapping[str, str], columns: Mapping[str, list[_Column]]) -> None:
        self._known = known
        self._columns = columns
        self.fresh: dict[str, str] = {}
        self.texts: list[str] = []

    def insert(self, table: str, row: Row) -> sql.Composed:
        columns = self._columns[table]
        return sql.SQL("insert into {} ({}) values ({})").format(
            sql.SQL(table),
            sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
            sql.SQL(", ").join(self._value(column, row[column.name]) for column in columns),
        )

    def update(self, table: str, row: Row, before: list[Row]) -> sql.Composed:
        """What changed between two sales changes again, numbers by as much."""
        key = [column for column in self._columns[table] if column.key]
        earlier = next(old for old in before if all(old[c.name] == row[c.name] for c in key))
        changes = []
        for column in self._columns[table]:
            old, new = earlier[column.name], row[column.name]
            if old == new or column.key:
                continue
            name = sql.Identifier(column.name)
            if column.type.startswith(("numeric", "integer", "bigint")):
                step = sql.Literal(Decimal(new or 0) - Decimal(old or 0))
                changes.append(sql.SQL("{} = {} + {}").format(name, name, step))
            else:
                changes.append(sql.SQL("{} = {}").format(name, self._value(column, new)))
        places = [
            sql.SQL("{} = {}").format(
                sql.Identifier(column.name), self._value(column, row[column.name], found=True)
            )
            for column in key
        ]
        return sql.SQL("update {} set {} where {}").format(
            sql.SQL(table), sql.SQL(", ").join(changes), sql.SQL(" and ").join(places)
        )

    def _value(self, column: _Column, text: str | None, *, found: bool = False) -> sql.Composable:
        kind = sql.SQL(column.type)
        if text in self._known and text is not None:
            return sql.SQL("{}::{}").format(sql.Placeholder(self._known[text]), kind)
        if text in self.fresh and text is not None:
            return sql.SQL("{}::{}").format(sql.Placeholder(self.fresh[text]), kind)
        if column.unique and not found and text is not None:
            if column.type == "uuid" and column.name != "org_id":
                name = self.fresh[text] = f"fresh{len(self.fresh)}"
                return sql.SQL("{}::{}").format(sql.Placeholder(name), kind)
            if column.type == "text":
                self.texts.append(f"text{len(self.texts)}")
                return sql.SQL("{}::{}").format(sql.Placeholder(self.texts[-1]), kind)
        return sql.SQL("{}::{}").format(sql.Literal(text), kind)


@dataclass
class Bare(Workload):
    """The writes of a sale of three lines without its rules.

    Parameters:
        url: the address, as a superuser, of a clone of the shop's database after `without_rules`.
        shop: the shop that the footprint was taken of.
        written: what a sale writes.
    """

    url: str
    shop: Shop
    written: Footprint

    def connect(self, client: int, chance: random.Random) -> Session:
        """Open the client's connection; he writes at a branch of his own, as the sales do."""
        branch = self.shop.branches[client % len(self.shop.branches)]
        connection = psycopg.connect(self.url, autocommit=True)
        return _Clerk(connection, self.written, self.shop, branch, chance, client)


class _Clerk(Session):
    def __init__(
        self,
        connection: Connection,
        written: Footprint,
        shop: Shop,
        branch: Branch,
        chance: random.Random,
        client: int,
    ) -> None:
        self._connection, self._written, self._shop, self._chance = connection, written, shop, chance
        self._statement = written.statement.as_string(connection).encode()
        self._fixed = {"branch": branch.id, "location": branch.location_id}
        self._texts = (f"{client}/26-27/{number:06}" for number in count(1))

    def transact(self) -> None:
        basket = self._chance.sample(self._shop.variants, LINES)
        values: dict[str, object] = dict(self._fixed)
        values |= {f"variant{place}": variant for place, variant in enumerate(basket)}
        values |= {name: uuid.uuid4() for name in self._written.fresh}
        values |= {name: next(self._texts) for name in self._written.texts}
        self._connection.execute(self._statement, values)
