"""How endpoints document what they answer: problems by status, and bodies that are passed on."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from backend.app.core import exact_json
from backend.app.core.errors import MEDIA_TYPE, Problem, problem_body

_EXAMPLES = {
    400: ("invalid_input", "p_options has no field colour."),
    401: ("unauthenticated", "The token has expired; sign in again or refresh it."),
    403: ("permission_denied", "Your role lacks the permission sale.create."),
    404: ("not_found", "There is no such record, or it is not yours."),
    409: ("insufficient_stock", "Only 2 are left."),
    422: ("invalid_input", "query.limit: Input should be less than or equal to 200."),
    501: ("service_not_configured", "User administration is switched off here: there is no service key."),
    503: ("upstream_unavailable", "The database cannot be reached."),
    504: ("upstream_timeout", "The database took too long."),
}

_DESCRIPTIONS = {
    400: "Malformed input",
    401: "Not signed in",
    403: "The role does not allow it",
    404: "Not found, or not yours",
    409: "Conflict with the current state",
    422: "The input does not fit, or a rule forbids it",
    501: "Not offered by this installation",
    503: "The database cannot be reached, or too much is under way; try again",
    504: "It took too long, and may have been done; repeat it with the same id",
}


_HEADERS = {
    401: ("WWW-Authenticate", "Bearer"),
    503: ("Retry-After", "Seconds after which to try again"),
    504: ("Retry-After", "Seconds after which to try again"),
}


def header(name: str, description: str) -> dict[str, Any]:
    """The `headers` entry of a response that always carries a header."""
    return {name: {"description": description, "required": True, "schema": {"type": "string"}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` entry for the problems an endpoint can answer."""
    entries: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        code, detail = _EXAMPLES[status]
        example = problem_body(
            Problem(status, code, detail), "/v1/...", "6f1f3c52-1f0e-4a65-9d0e-3f0d5c0a7b11"
        )
        entries[status] = {
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
        }
        if status in _HEADERS:
            name, description = _HEADERS[status]
            entries[status]["headers"] = header(name, description)
    return entries


SIGNED_IN = problems(401, 403, 422, 503, 504)
"""What every endpoint for signed-in users can answer."""


def passed_on(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON body that is sent as it came from the database, with every digit."""
    return Response(content, status_code=status, media_type="application/json", headers=headers)


class ExactRequest(Request):
    """A request whose JSON body is read without floats."""

    async def json(self) -> Any:
        """The body; numbers with a fraction are ``Decimal``. Raises ``json.JSONDecodeError``."""
        if not hasattr(self, "_json"):
            self._json = exact_json.loads_from_caller(await self.body())
        return self._json


class ExactRoute(APIRoute):
    """A route that reads JSON bodies exactly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, given an :class:`ExactRequest`."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(ExactRequest(request.scope, request.receive))

        return handle
