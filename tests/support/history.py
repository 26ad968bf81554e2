"""A history of any length: what was traded is copied with other ids, as if it had happened over and over."""

# Names put into statements come from Postgres's catalogue.
# ruff: noqa: S608

from dataclasses import dataclass, field

from tests.support.personas import Connection

AGO = {"date": "700", "timestamptz": "interval '700 days'"}

# What is changed by trading and is not made by it.
NOT_HISTORY = ("customers", "number_counters", "stock_levels", "integrity_state", "points_balances")

# What is kept per customer of rows that were copied.
SUMS = (
    """
    update private.points_balances b set points = h.points from (
      select org_id, customer_id, sum(points) as points from private.points_held group by 1, 2) h
    where h.org_id = b.org_id and h.customer_id = b.customer_id
    """,
)


@dataclass
class History:
    """Rows that were written since `begin`, and how often each was copied.

    The connection is a superuser's: copies are put in past every trigger, as consistent as the rows that they
    are made of, and a year or two ago. `check_books` proves it.
    """

    connection: Connection
    since: int = 0
    copies: int = 0
    tables: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """What is committed from now on is history."""
        row = self.connection.execute("select pg_current_xact_id()::text::bigint").fetchone()
        assert row is not None
        self.since = int(row[0])

    def end(self) -> None:
        """What was committed until now was long ago, and can be copied."""
        with self.connection.transaction():
            self._past_every_trigger()
            new = f"where xmin::text::bigint >= {self.since}"
            self.connection.execute("create temporary table history_ids (id uuid primary key)")
            for table in self._all_tables():
                if self.connection.execute(f"select 1 from {table} {new} limit 1").fetchone():
                    # A day and an instant each lose as many days.
                    back = ", ".join(
                        f"{column} = {column} - {AGO[kind]}"
                        for column, kind in self._columns(table)
                        if kind in AGO
                    )
                    if back:
                        self.connection.execute(f"update {table} set {back} {new}")
                    name = "history_" + table.replace(".", "_")
                    self.connection.execute(f"create temporary table {name} as select * from {table} {new}")
                    self.tables[table] = name
                    if ("id", "uuid") in self._columns(table):
                        self.connection.execute(
                            f"insert into history_ids select id from {name} on conflict do nothing"
                        )
            for table, name in self.tables.items():
                columns = self._columns(table)
                copied = ", ".join(self._copied(name, column, kind) for column, kind in columns)
                self.tables[table] = (
                    f"insert into {table} ({', '.join(column for column, _ in columns)}) "
                    f"select {copied} from {name} t "
                    "cross join generate_series(%s::int, %s::int) k on conflict do nothing"
                )

    def grow(self, copies: int) -> None:
        """There are so many copies of it by now."""
        with self.connection.transaction():
            self._past_every_trigger()
            for statement in self.tables.values():
                self.connection.execute(statement, [self.copies + 1, copies])
            for statement in SUMS:
                self.connection.execute(statement.encode())
            self.copies = copies
        self.connection.execute("vacuum analyze")

    def _past_every_trigger(self) -> None:
        self.connection.execute("set local session_replication_role = replica")

    def _all_tables(self) -> list[str]:
        rows = self.connection.execute(
            "select c.oid::regclass::text from pg_class c where c.relkind in ('r', 'p') "
            "and not c.relispartition and c.relname <> all (%s) "
            "and c.relnamespace = any ('{public,private}'::regnamespace[]) order by c.oid",
            [list(NOT_HISTORY)],
        ).fetchall()
        return [row[0] for row in rows]

    def _columns(self, table: str) -> list[tuple[str, str]]:
        """Name and type of what is copied: not what is generated, nor a number that is counted on."""
        rows = self.connection.execute(
            "select quote_ident(a.attname), t.typname "
            "from pg_attribute a join pg_type t on t.oid = a.atttypid "
            "where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped "
            "and a.attgenerated = '' and a.attidentity = '' order by a.attnum",
            [table],
        ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def _copied(self, name: str, column: str, kind: str) -> str:
        """A column as its k-th copy has it: another id where it is the id of something copied."""
        if kind == "uuid":
            mapped = self.connection.execute(
                f"select 1 from {name} t join history_ids i on i.id = t.{column} limit 1"
            ).fetchone()
            return f"md5(t.{column}::text || k)::uuid" if mapped else f"t.{column}"
        if kind == "timestamptz":
            return f"t.{column} + k * interval '1 minute'"
        return f"left(md5(t.{column} || k), 12)" if column == "number" else f"t.{column}"
