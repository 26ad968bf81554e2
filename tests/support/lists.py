"""The lists that the API has, as the statements that PostgREST makes of them."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints
from uuid import UUID

from fastapi.routing import APIRoute

from backend.app import routers
from backend.app.core.listing import Listing, ListQuery, filters_of, order_of
from backend.app.routers.users import MEMBERS
from backend.app.schemas.users import UserQuery
from tests.support.filler import Member
from tests.support.personas import Connection

PAGE = 50


@dataclass(frozen=True)
class ListCall:
    """The first page of a list of one organisation, in its default order.

    branches: the columns by which the table's policy tells whose branch a row is of.
    """

    name: str
    columns: tuple[str, ...]
    branches: tuple[str, ...]
    where: tuple[str, ...]
    order: str

    @property
    def table(self) -> str:
        """The table with its schema, also of a view."""
        return "audit.log" if self.name == "audit_log" else f"public.{self.name}"

    def page(self, *, narrowed: bool = False, one_branch: bool = False) -> str:
        """The statement, whose parameter is %(org)s.

        one_branch: %(branch)s alone. narrowed: to %(branches)s, which is what a policy does for a member of
        few. Without a policy it makes the statement find the same rows.
        """
        where = list(self.where)
        if one_branch:
            where.append("branch_id = %(branch)s")
        if narrowed and self.branches:
            where.append("(" + " or ".join(f"{c} = any (%(branches)s)" for c in self.branches) + ")")
        return (
            f"with pgrst_source as (select {', '.join(self.columns)} from public.{self.name} "  # noqa: S608
            f"where {' and '.join(where)} order by {self.order} limit {PAGE}) "
            "select null::bigint as total_result_set, count(t) as page_total, "
            "coalesce(json_agg(t), '[]')::text as body from (select * from pgrst_source) t"
        )


def list_calls(owner: Connection) -> list[ListCall]:
    """Every list that the API serves. owner: a connection that may read Postgres's catalogue."""
    return [_call(owner, listing, query) for listing, query in _declared()]


def _declared() -> Iterable[tuple[Listing, ListQuery]]:
    for module in pkgutil.iter_modules(routers.__path__):
        for route in importlib.import_module(f"{routers.__name__}.{module.name}").router.routes:
            if not isinstance(route, APIRoute):
                continue
            listing = inspect.getclosurevars(route.endpoint).nonlocals.get("listing")
            if isinstance(listing, Listing):
                (query, *_) = get_args(get_type_hints(route.endpoint, include_extras=True)["query"])
                yield listing, query(org_id=UUID(int=0))
    yield MEMBERS, UserQuery.model_validate({})


def _call(owner: Connection, listing: Listing, query: ListQuery) -> ListCall:
    branches = owner.execute(
        "select array(select distinct m[1] from pg_policies p, "
        "regexp_matches(p.qual, '(\\w*branch_id) = ANY \\(ARRAY\\( SELECT private.listed_branches', 'g') m "
        "where p.schemaname = 'public' and p.tablename = %s and p.cmd = 'SELECT')",
        [listing.table],
    ).fetchone()
    assert branches is not None
    where = ["org_id = %(org)s"]
    for column, operator, criteria in filters_of(query):
        if column != "org_id":
            assert operator == "is", f"{listing.table}: by default {column} {operator} {criteria}"
            where.append(f"{column} is {criteria}")
    order = [
        f"{column}{' desc' if descending else ''}"
        for column, descending in order_of(query, listing.key, {"org_id": None})
    ]
    return ListCall(listing.table, tuple(listing.columns), tuple(branches[0]), tuple(where), ", ".join(order))


def asked_with(member: Member) -> dict[str, Any]:
    """The parameters of a member's page."""
    branches = list(member.branches or ())
    return {"org": member.org_id, "branches": branches, "branch": next(iter(branches), None)}
