"""People who ask the database what PostgREST asks on their behalf: same role, same claims.

A persona's calls run inside the transaction that the test's connection has open, each in a savepoint: one
that is refused leaves nothing behind and the transaction usable, as a request that failed would.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from tests.support.refusals import Refusal, refusal_of, state_of

Connection = psycopg.Connection[tuple[Any, ...]]
Row = dict[str, Any]

_signatures: dict[str, tuple[bool, dict[str, str]]] = {}


def connect(url: str) -> Connection:
    """Open a connection that reads JSON numbers as Decimal, as clients of money must."""
    connection = psycopg.connect(url, autocommit=True)
    set_json_loads(lambda text: json.loads(text, parse_float=Decimal), connection)
    return connection


def to_json(value: object) -> str:
    """Write JSON with every Decimal as a number of the same digits, which json.dumps cannot."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{to_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(to_json, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, UUID | date | datetime):
        return json.dumps(str(value))
    return json.dumps(value)


@contextmanager
def raises(code: str, status: int) -> Iterator[Refusal]:
    """Expect the error with this stable code, which PostgREST sends as HTTP `status`.

    What is yielded is filled in when the block has ended.
    """
    refusal = Refusal()
    caught: psycopg.Error | None = None
    try:
        yield refusal
    except psycopg.Error as error:
        caught = error
    assert caught is not None, f"expected {status} {code}, but the call was allowed"
    said = refusal_of(caught)
    assert said is not None, f"expected {status} {code}, got {caught.sqlstate}: {caught}"
    assert (said.status, said.code) == (status, code), f"expected {status} {code}, got {said}"
    vars(refusal).update(vars(said))


@contextmanager
def raises_sqlstate(*states: str) -> Iterator[None]:
    """Expect an error of Postgres's own, such as 42501 (no privilege) or 23514 (a check of the table); or a
    refusal of ours by its HTTP status alone, such as 403.
    """
    caught: psycopg.Error | None = None
    try:
        yield
    except psycopg.Error as error:
        caught = error
    assert caught is not None, f"expected {states}, but the statement was allowed"
    assert state_of(caught) in states, f"expected {states}, got {state_of(caught)}: {caught}"


def _signature(connection: Connection, function: str) -> tuple[bool, dict[str, str]]:
    """Whether the public function returns a set, and the types of its parameters by name."""
    if function not in _signatures:
        row = connection.execute(
            """
            select p.proretset, coalesce((
              select jsonb_object_agg(a.name, format_type(a.type, null))
              from unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
              where a.type is not null), '{}')
            from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname = %s
            """,
            [function],
        ).fetchone()
        assert row is not None, f"there is no public function {function}"
        _signatures[function] = (row[0], row[1])
    return _signatures[function]


@dataclass(frozen=True)
class Persona:
    """One person, or program, before the database.

    Attributes:
        connection: the test's connection, inside its transaction.
        role: the Postgres role of the request: authenticated, anon or service_role.
        user_id: the signed-in user, None for anon and service_role.
        email: the address in the token.
        request_id: the X-Request-ID header of his requests.
        organization: the X-Organization header: of which of his organisations the ids are.
    """

    connection: Connection
    role: str = "anon"
    user_id: UUID | None = None
    email: str | None = None
    request_id: str | None = None
    organization: UUID | None = None

    @contextmanager
    def _request(self) -> Iterator[Connection]:
        claims = {"role": self.role}
        if self.user_id is not None:
            claims |= {"sub": str(self.user_id), "email": self.email or ""}
        sent = {"x-request-id": self.request_id, "x-organization": self.organization}
        headers = {name: str(value) for name, value in sent.items() if value is not None}
        with self.connection.transaction():
            self.connection.execute(
                "select set_config('request.jwt.claims', %s, true), set_config('request.headers', %s, true), "
                "set_config('role', %s, true)",
                [json.dumps(claims), json.dumps(headers), self.role],
            )
            yield self.connection
            self.connection.execute(
                "select set_config('role', 'none', true), set_config('request.jwt.claims', '', true), "
                "set_config('request.headers', '', true)"
            )

    def rpc(self, function: str, /, **arguments: object) -> Any:
        """Call a public function by name with named arguments and return its answer as parsed JSON.

        Numbers with a fraction come as Decimal. A function that returns rows gives a list of objects.

        Raises:
            psycopg.Error: the call was refused; see `raises`.
        """
        returns_set, types = _signature(self.connection, function)
        values = {
            name: to_json(value) if types[name] == "jsonb" and value is not None else value
            for name, value in arguments.items()
        }
        query = sql.SQL("select to_jsonb(r) from public.{}({}) r").format(
            sql.Identifier(function),
            sql.SQL(", ").join(
                sql.SQL("{} => {}::{}").format(sql.Identifier(n), sql.Placeholder(n), sql.SQL(types[n]))
                for n in values
            ),
        )
        with self._request() as connection:
            rows = connection.execute(query, values).fetchall()
        return [row[0] for row in rows] if returns_set else rows[0][0]

    def select(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query as this person and return its rows."""
        with self._request() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def execute(self, statement: str | sql.Composed, parameters: Sequence[object] = ()) -> int:
        """Run a statement as this person and return how many rows it touched."""
        with self._request() as connection:
            return connection.execute(statement, parameters).rowcount


def new_id() -> UUID:
    """An id that a client makes up for a document."""
    return uuid4()
