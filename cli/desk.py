"""The way to the data: REST with the caller's own token, and what people call things."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from postgrest import SyncPostgrestClient
from postgrest.base_request_builder import RequestConfig

from backend.app.core import exact_json
from backend.app.core.listing import contains
from backend.app.core.upstream import problem_of
from cli.errors import REFUSED, UNREACHABLE, CliError
from cli.session import Session

Row = dict[str, Any]
PAGE = 500
# How many ids one request asks for: its address stays far below what a gateway takes.
_IDS = 100
_MANY = 50


def as_id(text: str) -> str | None:
    """The text in the form of an id, None when it is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


class Desk:
    """What a signed-in user can do and look up.

    RPCs are called as ``desk.rpc("name", {"p_argument": value, ...})`` with a literal name and a literal
    dict: a test reads the code and holds names and arguments to the database's functions.

    Parameters:
        session: of the user; nothing but his token is sent.
        org: the id or the name of the organisation he works for, None for his only one.
    """

    def __init__(self, session: Session, org: str | None) -> None:
        self.session = session
        self._org = org
        client = session.project.client()
        self._rest: SyncPostgrestClient = client.postgrest
        self._rest.auth(session.access_token)

    # Requests ------------------------------------------------------------------------------------

    def rpc(self, name: str, arguments: Mapping[str, object]) -> Any:
        """Call a function of the database; numbers of the answer are exact.

        Raises:
            CliError: the database's refusal, with its code.
        """
        return self._send(self._rest.rpc(name, dict(arguments)).request)[0]  # type: ignore[arg-type]

    def table(self, name: str) -> Any:
        """The request builder of supabase-py for a table or view."""
        return self._rest.from_(name)

    def read(self, builder: Any) -> list[Row]:
        """The rows that a builder asks for."""
        rows: list[Row] = self._send(builder.request)[0]
        return rows

    def one(self, builder: Any) -> Row | None:
        """The first row that a builder asks for, None when there is none."""
        rows = self.read(builder.limit(1))
        return rows[0] if rows else None

    def pages(self, builder: Any) -> Iterator[tuple[list[Row], int | None]]:
        """All rows that a builder asks for, page by page, each with the number of all rows.

        The builder must order by something unique and count.
        """
        offset, request = 0, builder.request
        while True:
            # The builder's own `range` would add to what the last page asked for.
            request.params = request.params.set("offset", offset).set("limit", PAGE)
            # The server may give shorter pages than were asked for, so only an empty one is the last.
            rows, total = self._send(request)
            if not rows:
                return
            offset += len(rows)
            yield rows, total
            if total is not None and offset >= total:
                return

    def _send(self, request: RequestConfig[httpx.Client]) -> tuple[Any, int | None]:
        # The builder's own `execute` would read amounts as floats and cannot write a Decimal.
        content = None if request.json is None else exact_json.dumps(request.json)
        headers = httpx.Headers(request.headers)
        if content is not None:
            headers["Content-Type"] = "application/json"
        # A connection that broke is tried once more: every act carries its own id, so twice does no harm.
        for attempt in (1, 2):
            try:
                response = request.session.request(
                    request.http_method,
                    str(request.path),
                    content=content,
                    params=request.params,
                    headers=headers,
                )
                break
            except httpx.TransportError as error:
                if attempt == 2 or isinstance(error, httpx.ConnectError | httpx.TimeoutException):
                    message = f"{self.session.url} cannot be reached."
                    raise CliError("upstream_unavailable", message, UNREACHABLE) from error
        if response.status_code == 416:
            # A page that begins behind the last row is an empty page.
            return [], None
        if not response.is_success:
            raise CliError.of(problem_of(response))
        total = response.headers.get("content-range", "").rpartition("/")[2]
        value = exact_json.loads(response.content) if response.content else None
        return value, int(total) if total.isdigit() else None

    # The caller ----------------------------------------------------------------------------------

    @cached_property
    def me(self) -> Row:
        """Who is signed in, with organisations, roles, permissions and branches."""
        me: Row = self.rpc("whoami", {})
        return me

    @cached_property
    def org(self) -> Row:
        """The organisation that the commands concern."""
        houses: list[Row] = self.me["organizations"]
        names = [house["name"] for house in houses]
        if self._org is not None:
            wanted = self._org.casefold()
            found = [h for h in houses if wanted in (h["id"], h["name"].casefold())]
            if not found:
                raise CliError(
                    "not_found", f"You do not belong to {self._org}.", REFUSED, organizations=names
                )
            houses = found
        if not houses:
            raise CliError("no_organization", "You belong to no organisation yet.", REFUSED)
        if len(houses) > 1:
            message = "Say which organisation: branchline --org NAME, or the variable BRANCHLINE_ORG."
            raise CliError("organization_needed", message, organizations=names)
        return houses[0]

    @property
    def org_id(self) -> str:
        """The organisation's id."""
        return str(self.org["id"])

    @property
    def currency(self) -> str:
        """The organisation's currency."""
        return str(self.org["currency"])

    def branch(self, code: str | None) -> Row:
        """A branch by code, name or id; without one, the caller's only one."""
        branches: list[Row] = self.org["branches"]
        codes = [branch["code"] for branch in branches]
        if code is not None:
            wanted = code.casefold()
            branches = [
                b for b in branches if wanted in (b["id"], b["code"].casefold(), b["name"].casefold())
            ]
            if not branches:
                raise CliError(
                    "not_found", f"There is no branch {code}, or it is not yours.", REFUSED, branches=codes
                )
        if not branches:
            raise CliError("no_branch", "You work at no branch.", REFUSED)
        if len(branches) > 1:
            raise CliError("branch_needed", "Say which branch: --branch CODE.", branches=codes)
        return branches[0]

    def branch_id(self, code: str | None) -> str | None:
        """The id of a branch that was named, None when none was: then all of the caller's."""
        return None if code is None else str(self.branch(code)["id"])

    def today(self, branch_id: str | None) -> date:
        """The day at a branch; without one, at that of the caller's where it is latest."""
        ids = {branch["id"] for branch in self.org["branches"]} if branch_id is None else {branch_id}
        zones = {row["timezone"] for row in self.by_id("branches", ["timezone"], ids).values()}
        # Who works at no branch has nothing but the clock in front of him.
        return max((datetime.now(ZoneInfo(zone)).date() for zone in zones), default=date.today())  # noqa: DTZ011

    def location(self, branch: Row, code: str | None) -> Row:
        """A location of a branch by code or id; without one, the only one that goods are sold from."""
        request = self.table("locations").select("id", "code", "name", "is_sellable")
        request = request.eq("org_id", self.org_id).eq("branch_id", branch["id"]).is_("archived_at", "null")
        places = self.read(request.order("code"))
        if code is not None:
            found = [p for p in places if code.casefold() in (p["id"], p["code"].casefold())]
        else:
            found = [p for p in places if p["is_sellable"]]
        codes = [place["code"] for place in places]
        if code is not None and not found:
            raise CliError("not_found", f"{branch['code']} has no location {code}.", REFUSED, locations=codes)
        if len(found) != 1:
            raise CliError("location_needed", "Say where the goods are: --location CODE.", locations=codes)
        return found[0]

    # What people call things ---------------------------------------------------------------------

    def customer(self, name: str) -> Row:
        """A customer by id, or by what one name, phone number or e-mail address holds."""
        request = self.table("customers").select("*").eq("org_id", self.org_id)
        known = as_id(name)
        if known is not None:
            found = self.read(request.eq("id", known))
        else:
            request = request.or_(contains(("name", "phone", "email"), name)).is_("archived_at", "null")
            found = self.read(request.order("name").order("id").limit(_MANY))
            same = [
                c
                for c in found
                if name.casefold() in [str(c[f]).casefold() for f in ("name", "phone", "email")]
            ]
            found = same or found
        if not found:
            raise CliError("not_found", f"There is no customer {name}.", REFUSED)
        if len(found) > 1:
            names = [f"{c['name']} {c['phone'] or ''} {c['id']}" for c in found]
            raise CliError("ambiguous", f"Several customers are meant by {name}.", customers=names)
        return found[0]

    def customer_id(self, name: str | None) -> str | None:
        """The id of a customer who was named, None when none was."""
        return None if name is None else str(self.customer(name)["id"])

    def named(self, table: str, noun: str, ref: str, number: str = "number") -> str:
        """The id of a document by its number or its id."""
        known = as_id(ref)
        if known is not None:
            return known
        found = self.one(self.table(table).select("id").eq("org_id", self.org_id).eq(number, ref))
        if found is None:
            raise CliError("not_found", f"There is no {noun} {ref}, or it is not yours.", REFUSED)
        return str(found["id"])

    def by_id(self, table: str, columns: Sequence[str], ids: set[str | None]) -> dict[str, Row]:
        """The rows of a table with these ids, by id."""
        wanted = sorted(one for one in ids if one is not None)
        found: dict[str, Row] = {}
        for start in range(0, len(wanted), _IDS):
            request = self.table(table).select("id", *columns).in_("id", wanted[start : start + _IDS])
            found.update({row["id"]: row for row in self.read(request)})
        return found

    def variants(self, skus: Sequence[str]) -> dict[str, Row]:
        """Variants by SKU, all of which must exist."""
        found: dict[str, Row] = {}
        wanted = sorted(set(skus))
        for start in range(0, len(wanted), _IDS):
            request = self.table("product_variants").select("id", "sku", "name").eq("org_id", self.org_id)
            rows = self.read(request.in_("sku", wanted[start : start + _IDS]))
            found.update({row["sku"]: row for row in rows})
        missing = [sku for sku in wanted if sku not in found]
        if missing:
            raise CliError("sku_unknown", f"No such SKU: {', '.join(missing)}.", REFUSED, skus=missing)
        return found
