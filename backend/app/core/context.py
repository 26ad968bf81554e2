"""What surrounds a request: its id, its line in the log, its size, the net under unexpected exceptions."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.app.core.errors import Problem, problem_response
from backend.app.core.logging import logger

_log = logger("branchline.request")

# Long enough for every tracing system's ids, without anything that could break a header or a log line.
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{8,128}")


def request_id_from(header: str | None) -> str:
    """The caller's X-Request-ID when it is 8 to 128 harmless characters, otherwise a new one."""
    if header is not None and _SANE_ID.fullmatch(header):
        return header
    return str(uuid.uuid4())


class RequestContext:
    """ASGI middleware, outermost: gives each request its id and writes one log line when it is done."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; anything that is not HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_from(Headers(scope=scope).get("x-request-id"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _log.info(
                "request",
                request_id=request_id,
                user_id=state.get("user_id"),
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1000, 2),
            )
            structlog.contextvars.clear_contextvars()


class CatchEverything:
    """ASGI middleware, innermost: an exception nobody expected becomes a 500 problem that tells nothing of
    the inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; the traceback goes to the log under the request's id."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            _log.exception("unhandled_exception", user_id=scope["state"].get("user_id"), path=scope["path"])
            detail = "The error is logged; quote the request id when you report it."
            problem = Problem(500, "internal_error", detail)
            response = problem_response(problem, scope["path"], scope["state"]["request_id"])
            await response(scope, receive, send)


class BodyLimit:
    """ASGI middleware: refuses a body above a limit with 413, by its announced length or while it streams in.

    limit: bytes. FastAPI's own limit answers plain text, which is no problem document.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request whose body is counted as it arrives."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"A request may have {self._limit} bytes at most."
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._limit:
            problem = Problem(413, "payload_too_large", detail)
            response = problem_response(problem, scope["path"], scope["state"]["request_id"])
            await response(scope, receive, send)
            return
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                # Of all exceptions, FastAPI lets only this one through while it reads a body.
                raise HTTPException(413, detail)
            return message

        await self._app(scope, count, send)
