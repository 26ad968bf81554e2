"""Lists: what callers may ask for, and how it becomes one PostgREST query.

A page is reached by `offset`, or by the `cursor` that the page before it gave. The cursor holds the sort key
and the key columns of the page's last row (keyset pagination): the next page is found through an index
however deep it lies, and rows that come or go meanwhile neither repeat nor hide others.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from postgrest.types import CountMethod
from pydantic import Field

from backend.app.core import exact_json
from backend.app.core.errors import Problem
from backend.app.core.gateway import Answer, Gateway
from backend.app.schemas.base import Input

MAX_LIMIT = 200
MAX_OFFSET = 100_000

SearchText = Annotated[
    str | None,
    Field(min_length=1, max_length=100, description="Text that must occur in one of the searched columns"),
]
Archived = Annotated[
    bool | None, Field(description="false: what is in use (default); true: what is archived")
]


@dataclass(frozen=True)
class Where:
    """Marks a field of a query model as a filter on a column. set: the value says whether the column is not
    null.
    """

    column: str
    operator: Literal["eq", "gte", "gt", "lte", "lt", "set"] = "eq"


class ListQuery(Input):
    """The parameters every list takes. A subclass adds `sort` (a Literal), `q` where there is something to
    search, and filters: fields with a :class:`Where`."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="Rows on a page")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Rows to skip; not together with `cursor`")
    cursor: str | None = Field(None, max_length=1_000, description="`next_cursor` of the page before")
    with_total: bool | None = Field(
        None, description="Whether to count all rows. Left out: counted on pages without `cursor`"
    )
    sort: str = Field("id", description="The order; a leading `-` means descending")


@dataclass(frozen=True)
class Listing:
    """What a list reads. columns: those of the answer; key: the columns that tell rows apart, for a stable
    order; search: the columns that `q` looks into. found_by: the function (p_org_id, p_query) whose rows are
    those of the table in which `q` occurs, found through an index; without one the columns are read through.
    nullable: the sort keys that may be null: nulls come last, descending first, as in Postgres."""

    table: str
    columns: Sequence[str]
    key: Sequence[str]
    search: Sequence[str]
    found_by: str | None = None
    nullable: Sequence[str] = ()


async def read_page(
    gateway: Gateway, listing: Listing, query: ListQuery, fixed: Mapping[str, object]
) -> bytes:
    """The page as JSON: `items`, `total` (null when not counted) and `next_cursor` (null on the last page).

    fixed: columns that must equal a value, on top of the query's filters. Raises a :class:`Problem`: 400
    invalid_cursor, or what the database answers.
    """
    if query.cursor is not None and query.offset:
        raise Problem(
            400, "invalid_input", "Give either offset or cursor, not both.", facts={"field": "offset"}
        )
    counted = query.with_total if query.with_total is not None else query.cursor is None
    request = _source(gateway, listing, query, CountMethod.exact if counted else None)
    for column, value in fixed.items():
        request = request.eq(column, value)
    for column, operator, criteria in filters_of(query):
        request = request.filter(column, operator, criteria)
    order = order_of(query, listing.key, fixed)
    conditions = [
        *_search(query, () if listing.found_by else listing.search),
        *_after(query, order, listing.nullable),
    ]
    if conditions:
        request.request.params = request.request.params.add("and", f"({','.join(conditions)})")
    for column, descending in order:
        request = request.order(column, desc=descending)
    request = request.limit(query.limit)
    if query.offset:
        request = request.offset(query.offset)
    return _page(await gateway.send(request.request), query, order)


def _source(gateway: Gateway, listing: Listing, query: ListQuery, count: CountMethod | None) -> Any:
    """The rows to choose from: the table, or what a function of the database finds of it."""
    text = getattr(query, "q", None)
    if listing.found_by is None or not text:
        return gateway.rest.from_(listing.table).select(*listing.columns, count=count)
    org_id = getattr(query, "org_id", None)
    if org_id is None:
        raise Problem(
            422, "invalid_input", "A search is of one organisation: give org_id.", facts={"field": "org_id"}
        )
    arguments = {"p_org_id": str(org_id), "p_query": text}
    return gateway.rest.rpc(listing.found_by, arguments, count=count).select(*listing.columns)


def filters_of(query: ListQuery) -> Iterable[tuple[str, str, str]]:
    """Column, operator and criteria of each filter that the caller set."""
    for name, info in type(query).model_fields.items():
        value = getattr(query, name)
        where = next((mark for mark in info.metadata if isinstance(mark, Where)), None)
        if where is None or value is None:
            continue
        if where.operator == "set":
            yield where.column, "not.is" if value else "is", "null"
        elif isinstance(value, bool):
            yield where.column, where.operator, "true" if value else "false"
        elif isinstance(value, datetime):
            yield where.column, where.operator, value.isoformat()
        elif isinstance(value, str) and where.operator == "eq":
            # A list of one, because its items can be quoted: bare, TRUE or null might not be read as text.
            yield where.column, "in", f"({_quoted(value)})"
        else:
            yield where.column, where.operator, str(value)


def order_of(query: ListQuery, key: Sequence[str], fixed: Mapping[str, object]) -> list[tuple[str, bool]]:
    """Columns with their direction (True: descending): the sort key, then the key columns, so that no two
    rows tie. What a filter holds to one value orders nothing: left out, the rest is a range of an index.
    """
    held = {*fixed, *(column for column, operator, _ in filters_of(query) if operator == "eq")}
    columns = list(dict.fromkeys([query.sort.removeprefix("-"), *key]))
    if not held and columns[0].endswith("_id"):
        # By ids means in any order that pages: the organisation first, it is that of an index, whatever the
        # caller may see.
        columns = list(dict.fromkeys(["org_id", *columns]))
    columns = [column for column in columns if column not in held] or columns[-1:]
    return [(column, query.sort.startswith("-")) for column in columns]


def _quoted(value: object) -> str:
    """A value inside a logical expression of PostgREST, where commas and parentheses have a meaning."""
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def contains(columns: Sequence[str], text: str) -> str:
    """The condition of PostgREST that one of the columns holds this text, in whatever case."""
    # A regular expression says "this text" exactly: ilike cannot, because PostgREST reads * as % and has no
    # escape for it. What has a meaning is put in brackets, the three that need an escape even there are any
    # one character.
    pattern = re.sub(r'["\\^]', ".", re.sub(r"[.*+?(){}|$\[\]]", r"[\g<0>]", text))
    return ",".join(f"{column}.imatch.{_quoted(pattern)}" for column in columns)


def _search(query: ListQuery, columns: Sequence[str]) -> list[str]:
    text = getattr(query, "q", None)
    return [f"or({contains(columns, text)})"] if text and columns else []


def _after(query: ListQuery, order: Sequence[tuple[str, bool]], nullable: Sequence[str]) -> list[str]:
    """The rows behind the cursor: first column beyond, or first equal and second beyond, and so on. That the
    first column is not before its value follows, but only said by itself does it lead into an index.
    """
    if query.cursor is None:
        return []
    values = _read_cursor(query.cursor, order, nullable)
    alternatives = []
    for place, (column, descending) in enumerate(order):
        equal = [_is(name, values[i]) for i, (name, _) in enumerate(order[:place])]
        beyond = _beyond(column, values[place], descending, column in nullable)
        if beyond is not None:
            alternatives.append(f"and({','.join([*equal, beyond])})" if equal else beyond)
    if len(alternatives) == 1:
        return alternatives
    (first, descending), value = order[0], values[0]
    if value is None or (first in nullable and not descending):
        return [f"or({','.join(alternatives)})"]
    return [f"{first}.{'lte' if descending else 'gte'}.{_quoted(value)}", f"or({','.join(alternatives)})"]


def _is(column: str, value: object) -> str:
    return f"{column}.is.null" if value is None else f"{column}.eq.{_quoted(value)}"


def _beyond(column: str, value: object, descending: bool, nullable: bool) -> str | None:
    """The condition that a column lies behind a value, or None when nothing does: nulls come last, and first
    where the order descends.
    """
    if value is None:
        return f"{column}.not.is.null" if descending else None
    beyond = f"{column}.{'lt' if descending else 'gt'}.{_quoted(value)}"
    return f"or({beyond},{column}.is.null)" if nullable and not descending else beyond


def _order_text(order: Sequence[tuple[str, bool]]) -> str:
    """The order as cursors name it, so that one of another order is known."""
    return ",".join(f"-{column}" if descending else column for column, descending in order)


def _write_cursor(order: Sequence[tuple[str, bool]], row: Mapping[str, object]) -> str:
    values = [row[column] for column, _ in order]
    return base64.urlsafe_b64encode(exact_json.dumps([_order_text(order), *values])).decode().rstrip("=")


def _read_cursor(cursor: str, order: Sequence[tuple[str, bool]], nullable: Sequence[str]) -> list[object]:
    invalid = Problem(400, "invalid_cursor", "The cursor does not belong to this list and sort order.")
    try:
        parts = exact_json.loads_from_caller(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, json.JSONDecodeError):
        raise invalid from None
    if not isinstance(parts, list) or len(parts) != len(order) + 1 or parts[0] != _order_text(order):
        raise invalid
    for (column, _), value in zip(order, parts[1:], strict=True):
        if isinstance(value, list | dict) or (value is None and column not in nullable):
            raise invalid
    return parts[1:]


def _page(answer: Answer, query: ListQuery, order: Sequence[tuple[str, bool]]) -> bytes:
    rows: list[dict[str, Any]] = answer.json()
    full = len(rows) == query.limit
    if full and answer.total is not None and query.cursor is None:
        full = query.offset + len(rows) < answer.total
    next_cursor = _write_cursor(order, rows[-1]) if full else None
    rest = exact_json.dumps({"total": answer.total, "next_cursor": next_cursor})
    return b'{"items":' + answer.content + b"," + rest[1:]
