"""Errors as RFC 9457 problems: one exception, one body, one table of stable codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from backend.app.core import exact_json

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

# The codes that this service raises by itself; the database adds its own (docs/error_codes.md).
TITLES: Mapping[str, str] = {
    "bad_request": "The request cannot be understood",
    "conflict": "The request conflicts with the current state",
    "constraint_violated": "A rule of the data is violated",
    "document_timeout": "The document took too long",
    "duplicate": "It exists already",
    "internal_error": "Something went wrong on our side",
    "invalid_cursor": "The cursor is not one of ours",
    "invalid_input": "The input is not valid",
    "method_not_allowed": "The method is not allowed here",
    "not_found": "Not found, or not yours",
    "payload_too_large": "The request is too large",
    "permission_denied": "Permission denied",
    "reference_missing": "Something it refers to does not exist, or is still in use",
    "service_busy": "Too much is under way at once",
    "service_not_configured": "This installation does not offer that",
    "too_many_requests": "Too many requests",
    "unauthenticated": "Sign in first",
    "upstream_timeout": "The database took too long",
    "upstream_unavailable": "The database cannot be reached",
}

_CODE_OF_STATUS: Mapping[int, str] = {
    400: "bad_request",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "payload_too_large",
    422: "invalid_input",
    429: "too_many_requests",
    503: "upstream_unavailable",
    504: "upstream_timeout",
}


@dataclass
class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An error on its way to the caller.

    status: HTTP status. code: stable, for programs. detail: one sentence for people. facts: further members
    of the body, such as the quantity that was available. headers: further response headers.
    """

    status: int
    code: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"


def code_of_status(status: int) -> str:
    """The code for an error of which nothing is known but its HTTP status."""
    return _CODE_OF_STATUS.get(status, "bad_request" if status < 500 else "internal_error")


def unauthenticated(detail: str) -> Problem:
    """401: no token, or one that is not accepted."""
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})


def unavailable(detail: str) -> Problem:
    """503: a part this service needs does not answer."""
    return Problem(503, "upstream_unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def timed_out(detail: str) -> Problem:
    """504: a part this service needs did not answer in time; it may have done what it was asked."""
    return Problem(504, "upstream_timeout", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def problem_body(problem: Problem, path: str, request_id: str) -> dict[str, Any]:
    """The members of the problem document. Facts never replace a standard member."""
    title = TITLES.get(problem.code) or problem.code.replace("_", " ").capitalize()
    standard = {
        "type": f"urn:branchline:error:{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path,
        "code": problem.code,
        "request_id": request_id,
    }
    return {**standard, **{key: value for key, value in problem.facts.items() if key not in standard}}


def problem_response(problem: Problem, path: str, request_id: str) -> Response:
    """The HTTP response for a problem."""
    return Response(
        exact_json.dumps(problem_body(problem, path, request_id)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**problem.headers, "Cache-Control": "no-store"},
    )


def _respond(request: Request, problem: Problem) -> Response:
    return problem_response(problem, request.url.path, getattr(request.state, "request_id", ""))


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _respond(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    detail = (
        error.detail
        if error.detail and error.detail != phrase
        else f"{request.method} {request.url.path}: {phrase}."
    )
    return _respond(
        request,
        Problem(error.status_code, code_of_status(error.status_code), detail, headers=error.headers or {}),
    )


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _respond(request, invalid_input(error.errors()))


def invalid_input(errors: Sequence[Any]) -> Problem:
    """Lists what is wrong with the input: where (`location`), which rule (`type`) and a sentence (`message`).

    The values themselves are left out: an error ends up in logs and screenshots, a password must not.
    Malformed JSON is 400; anything that was read and does not fit is 422.
    """
    found = [
        {"location": [str(part) for part in fault["loc"]], "type": fault["type"], "message": _sentence(fault)}
        for fault in errors
    ]
    malformed = any(fault["type"] == "json_invalid" for fault in found)
    first = found[0]
    detail = f"{'.'.join(first['location'])}: {first['message']}."
    if len(found) > 1:
        detail = f"{len(found)} faults; the first: {detail}"
    return Problem(400 if malformed else 422, "invalid_input", detail, facts={"errors": found})


def _sentence(fault: Any) -> str:
    reason = f": {fault['ctx']['error']}" if fault["type"] == "json_invalid" else ""
    return f"{fault['msg']}{reason}"


def install_error_handlers(app: FastAPI) -> None:
    """Makes every error of the application a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
