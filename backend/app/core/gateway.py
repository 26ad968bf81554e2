"""The only way to the data: PostgREST, with the caller's own token, so that row-level security decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import Depends, Request
from postgrest import AsyncPostgrestClient
from postgrest.base_request_builder import RequestConfig

from backend.app.core import exact_json
from backend.app.core.auth import CurrentCaller
from backend.app.core.errors import timed_out, unavailable
from backend.app.core.logging import logger
from backend.app.core.settings import Settings
from backend.app.core.upstream import problem_of

_log = logger("branchline.gateway")

SINGLE_OBJECT = "application/vnd.pgrst.object+json"


@dataclass(frozen=True)
class Answer:
    """What PostgREST answered. content: the JSON as it came, every digit kept. total: all rows there are, if
    counted.
    """

    content: bytes
    total: int | None = None

    def json(self) -> Any:
        """The content as Python values; numbers with a fraction are ``Decimal``."""
        return exact_json.loads(self.content)


class Gateway:
    """PostgREST as one caller sees it. Cheap to make (microseconds): one for each request, over the shared
    client.

    RPCs are called as ``gateway.rpc("name", {"p_argument": value, ...})`` with a literal name and a literal
    dict: a test reads the code and holds names and arguments to the database's functions.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: Settings,
        token: str | None,
        request_id: str,
        organization: str | None = None,
    ) -> None:
        key = settings.supabase_anon_key.get_secret_value()
        headers = {"apikey": key, "x-request-id": request_id}
        self.organization = organization
        if organization is not None:
            # Of which of the caller's organisations the ids are; the database reads and judges it.
            headers["X-Organization"] = organization
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        elif key.count(".") == 2:
            # Keys of the older form are tokens, and PostgREST takes the anonymous role from them.
            headers["Authorization"] = f"Bearer {key}"
        # Retries stay off: waiting 7 seconds through an outage helps nobody, a 503 with Retry-After does.
        self.rest = AsyncPostgrestClient(
            f"{settings.supabase_url}/rest/v1", headers=headers, http_client=client, retry_enabled=False
        )

    async def rpc(self, name: str, arguments: Mapping[str, object]) -> Answer:
        """Calls a function of the database (POST). Raises the :class:`Problem` that the database answers."""
        return await self.send(self.rest.rpc(name, dict(arguments)).request)  # type: ignore[arg-type]

    async def send(self, request: RequestConfig[httpx.AsyncClient]) -> Answer:
        """Sends what a builder of ``self.rest`` has prepared.

        The builder's own ``execute`` would read amounts as floats and cannot write a ``Decimal``; this does
        neither. Raises a :class:`Problem`: the database's refusal, 503 when it cannot be reached or no
        connection is free, 504 when it does not answer in time.
        """
        content = None if request.json is None else exact_json.dumps(request.json)
        headers = httpx.Headers(request.headers)
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = await request.session.request(
                request.http_method,
                str(request.path),
                content=content,
                params=request.params,
                headers=headers,
            )
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            _log.warning("upstream_timeout", error=type(error).__name__, target=request.path.path)
            raise timed_out("The database took too long.") from error
        except httpx.PoolTimeout as error:
            _log.warning("upstream_busy", target=request.path.path)
            raise unavailable("The service is busy; try again.") from error
        except httpx.HTTPError as error:
            _log.warning("upstream_unreachable", error=type(error).__name__, target=request.path.path)
            raise unavailable("The database cannot be reached.") from error
        total = _total(response)
        if response.status_code == 416:
            # A page that begins behind the last row is an empty page.
            return Answer(b"[]", total)
        if not response.is_success:
            raise problem_of(response)
        return Answer(response.content, total)


def _total(response: httpx.Response) -> int | None:
    """The count after the slash of `Content-Range: 0-49/1200`; `*` means it was not asked for."""
    text = response.headers.get("content-range", "").rpartition("/")[2]
    return int(text) if text.isdigit() else None


async def anonymous_gateway(request: Request) -> Gateway:
    """Dependency: PostgREST as somebody sees it who is not signed in."""
    state = request.app.state
    return Gateway(state.client, state.settings, None, request.state.request_id)


async def caller_gateway(request: Request, caller: CurrentCaller) -> Gateway:
    """Dependency: PostgREST as the caller sees it."""
    state = request.app.state
    organization = request.headers.get("x-organization")
    return Gateway(state.client, state.settings, caller.token, request.state.request_id, organization)


# The dependencies are coroutines because FastAPI would send plain functions through a thread.
AnonymousGateway = Annotated[Gateway, Depends(anonymous_gateway)]
CallerGateway = Annotated[Gateway, Depends(caller_gateway)]
