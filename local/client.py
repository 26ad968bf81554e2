"""A signed-in user of a running stack, through Supabase's own Python client. Nothing here speaks SQL."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

import httpx
from postgrest import APIError, SyncRequestBuilder, SyncSelectRequestBuilder

from supabase import AuthApiError, Client, ClientOptions, create_client

# One insert carries this many rows: a few hundred kilobytes, far below what a gateway takes.
CHUNK = 500
PAGE = 1000
# The largest sale takes a second; a loaded machine may need far longer.
TIMEOUT = 120.0
# A restarted server is back within a few seconds.
PATIENCE = (0.2, 1.0, 3.0, 6.0)

Row = dict[str, Any]
# Called with what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]
_Item = TypeVar("_Item")


class Refused(Exception):  # noqa: N818 - an answer of the database, not a fault
    """The database refused an act.

    Parameters:
        code: the stable code of docs/error_codes.md, or Postgres's or PostgREST's own.
        message: a sentence for people.
        facts: what else the error tells.
    """

    def __init__(self, code: str, message: str, facts: Row) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.facts = facts

    @classmethod
    def of(cls, error: APIError) -> "Refused":
        """Read PostgREST's error body."""
        try:
            facts = json.loads(error.details or "{}")
        except (TypeError, ValueError):
            facts = {}
        return cls(error.code or "", error.message or "", facts if isinstance(facts, dict) else {})


class Answer(Protocol):
    """What a request returns."""

    @property
    def data(self) -> Any: ...


class Request(Protocol):
    """A request of postgrest-py that is ready to be sent."""

    def execute(self) -> Answer: ...


class Rest(Protocol):
    """What is used of postgrest-py; it declares the arguments of an RPC as strings, but they are any JSON."""

    def rpc(self, func: str, params: Mapping[str, Any]) -> Request: ...
    def from_(self, table: str) -> SyncRequestBuilder: ...


def send(request: Request) -> Any:
    """Send a request and return the data of its answer.

    A request whose connection broke is sent again: every act carries its own id and every insert skips what
    is there, so sending twice does no harm.

    Raises:
        Refused: the database said no.
        httpx.TransportError: the server stayed out of reach.
    """
    for pause in PATIENCE:
        try:
            return request.execute().data
        except APIError as error:
            raise Refused.of(error) from error
        except httpx.TransportError:
            time.sleep(pause)
    try:
        return request.execute().data
    except APIError as error:
        raise Refused.of(error) from error


def read_all(query: Callable[[], SyncSelectRequestBuilder]) -> Iterator[Row]:
    """All rows of a list, page by page.

    Parameters:
        query: makes the request anew for each page; it must order by something unique.
    """
    offset = 0
    while True:
        # The server may give shorter pages than were asked for, so only an empty one is the last.
        page: list[Row] = send(query().range(offset, offset + PAGE - 1))
        if not page:
            return
        yield from page
        offset += len(page)


class Session:
    """One signed-in user.

    Parameters:
        client: a Supabase client that has signed in.
    """

    def __init__(self, client: Client) -> None:
        session = client.auth.get_session()
        assert session is not None
        self._client = client
        self.user_id = UUID(session.user.id)
        self.email = session.user.email or ""

    @property
    def db(self) -> Rest:
        """REST with the user's token. Usable from several threads."""
        return cast("Rest", self._client.postgrest)

    def add(self, table: str, rows: Sequence[Row], advance: Callable[[int], None] | None = None) -> None:
        """Insert rows in chunks, skipping those whose primary key is there already.

        Parameters:
            table: a table that the user may insert into.
            rows: all with the same columns, the key among them.
            advance: called after each chunk with the number of rows done so far.
        """
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            send(
                self.db.from_(table).upsert(
                    [dict(row) for row in chunk],
                    ignore_duplicates=True,
                    returning="minimal",  # type: ignore[arg-type]
                )
            )
            if advance is not None:
                advance(start + len(chunk))


@dataclass(frozen=True)
class Project:
    """A Supabase project and its keys.

    Parameters:
        url: its address, without a slash at the end.
        anon_key: the publishable key, which clients carry.
        service_role_key: the secret key; used for Auth's admin endpoints only.
    """

    url: str
    anon_key: str
    service_role_key: str

    def ensure_user(self, email: str, password: str, name: str) -> None:
        """Make a user with a confirmed address unless there is one with it."""
        client = self._client(self.service_role_key)
        try:
            client.auth.admin.create_user(
                {
                    "email": email,
                    "password": password,
                    "email_confirm": True,
                    "user_metadata": {"name": name},
                }
            )
        except AuthApiError as error:
            if error.code != "email_exists":
                raise

    def sign_in(self, email: str, password: str) -> Session:
        """Sign a user in.

        Raises:
            AuthApiError: the address or the password is wrong.
        """
        client = self._client(self.anon_key)
        client.auth.sign_in_with_password({"email": email, "password": password})
        return Session(client)

    def _client(self, key: str) -> Client:
        # The stack is on this machine: a proxy that the environment names would not reach it.
        http = httpx.Client(timeout=TIMEOUT, trust_env=False)
        return create_client(self.url, key, ClientOptions(httpx_client=http))


def join(
    admin: Session, member: Session, invitation: UUID, org: UUID, role: str, branches: list[UUID] | None
) -> None:
    """Invite a user into an organisation and accept for him.

    Parameters:
        admin: who may invite.
        member: who is invited and accepts.
        invitation: the invitation's id.
        org: the organisation.
        role: a role's key.
        branches: the branches it covers, None for all.
    """
    send(
        admin.db.rpc(
            "invite_member",
            {
                "p_id": str(invitation),
                "p_org_id": str(org),
                "p_email": member.email,
                "p_role": role,
                "p_branch_ids": None if branches is None else [str(branch) for branch in branches],
            },
        )
    )
    send(member.db.rpc("accept_invitation", {"p_id": str(invitation)}))


def each(
    work: Callable[[_Item], object],
    items: Iterable[_Item],
    advance: Callable[[int], None],
    workers: int = 4,
) -> None:
    """Do the same with every item, several at a time, and stop at the first error.

    Parameters:
        work: is called with each item, from several threads.
        items: in any order.
        advance: called with the number done so far.
        workers: how many at a time.
    """
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for done, future in enumerate(futures, start=1):
                future.result()
                advance(done)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
