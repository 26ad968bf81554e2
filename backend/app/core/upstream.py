"""Turns what PostgREST answers when it refuses into a problem with a stable code."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from backend.app.core import exact_json
from backend.app.core.errors import RETRY_AFTER_SECONDS, Problem, code_of_status, unauthenticated, unavailable
from backend.app.core.logging import logger

_log = logger("branchline.upstream")

# Codes of PostgREST and Postgres that have one meaning for callers: status, stable code, sentence (None:
# Postgres's own).
_KNOWN: Mapping[str, tuple[int, str, str | None]] = {
    "22001": (400, "invalid_input", None),
    "22003": (400, "invalid_input", None),
    "22007": (400, "invalid_input", None),
    "22008": (400, "invalid_input", None),
    "22009": (400, "invalid_input", None),
    "22021": (400, "invalid_input", None),
    "22P02": (400, "invalid_input", None),
    "22P05": (400, "invalid_input", None),
    "23502": (422, "constraint_violated", "Something that must be given is missing."),
    "23503": (
        409,
        "reference_missing",
        "Something it refers to does not exist, or something still refers to it.",
    ),
    "23505": (409, "duplicate", "A record with these values exists already."),
    "23514": (422, "constraint_violated", "A value is not one that is allowed."),
    "23P01": (409, "conflict", "It overlaps with another record."),
    "25P02": (503, "upstream_unavailable", "The database gave the request up; try again."),
    "40001": (503, "upstream_unavailable", "Two requests met; try again."),
    "40P01": (503, "upstream_unavailable", "Two requests met; try again."),
    "42501": (403, "permission_denied", "Your role does not allow this."),
    "53300": (503, "upstream_unavailable", "The database has no free connection; try again."),
    "55P03": (503, "upstream_unavailable", "The record is busy; try again."),
    "57014": (504, "upstream_timeout", "The database took too long."),
    "57P01": (503, "upstream_unavailable", "The database is restarting; try again."),
    "PGRST000": (503, "upstream_unavailable", "The database cannot be reached."),
    "PGRST001": (503, "upstream_unavailable", "The database cannot be reached."),
    "PGRST002": (503, "upstream_unavailable", "The database cannot be reached."),
    "PGRST003": (504, "upstream_timeout", "The database has no free connection; try again."),
    "PGRST102": (400, "invalid_input", None),
    "PGRST116": (404, "not_found", "There is no such record, or it is not yours."),
    "PGRST301": (401, "unauthenticated", "The session is not valid any more; sign in again."),
    "PGRST302": (401, "unauthenticated", "Sign in first."),
    "PGRST303": (401, "unauthenticated", "The session is not valid any more; sign in again."),
}

_AMBIGUOUS = "Several of your organisations have this id: name yours in the header X-Organization."

# How Postgres says which constraint, or which column, it is about.
_VIOLATED = re.compile(r'(?P<kind>constraint|column) "(?P<name>[^"]+)"')

# What our functions call their errors; SQLSTATEs and PostgREST's own codes have digits and capitals.
_STABLE = re.compile(r"[a-z]+(_[a-z]+)*")


def problem_of(response: httpx.Response) -> Problem:
    """The problem that says the same as an error response of PostgREST.

    When one of our functions refused, `code` is the stable code and `details` the facts as JSON. Codes of
    PostgREST and Postgres come from a table. What is left keeps a client error's status; an error that only a
    mistake of ours can cause (a column that does not exist) is a 500 and goes to the log.
    """
    body = _object(response.content) or {}
    code = str(body.get("code") or "")
    message = str(body.get("message") or "")
    facts = _object(body.get("details"))
    if _STABLE.fullmatch(code) and facts is not None:
        return _with_headers(Problem(response.status_code, code, message, facts=facts), response)
    if code == "PGRST116" and not str(body.get("details") or " 0 rows").endswith(" 0 rows"):
        return Problem(409, "ambiguous_id", _AMBIGUOUS)
    if code in _KNOWN:
        status, stable, sentence = _KNOWN[code]
        named = _VIOLATED.search(message) if code in ("23502", "23514") else None
        violated = {named["kind"]: named["name"]} if named else {}
        return _with_headers(Problem(status, stable, sentence or message, facts=violated), response)
    if code.startswith(("08", "53", "57P")):
        return unavailable("The database cannot be reached.")
    if response.status_code == 401:
        return unauthenticated("The session is not valid any more; sign in again.")
    _log.error("upstream_refused", status=response.status_code, upstream_code=code, upstream_message=message)
    if response.status_code in (502, 503, 504):
        return unavailable("The database cannot be reached.")
    if code.startswith(("42", "PGRST")) or response.status_code >= 500 or response.status_code < 400:
        return Problem(500, "internal_error", "The error is logged; quote the request id when you report it.")
    status = response.status_code
    return Problem(status, code_of_status(status), message or "The database refused the request.")


def _with_headers(problem: Problem, response: httpx.Response) -> Problem:
    if problem.status == 401:
        problem.headers = {"WWW-Authenticate": "Bearer"}
    elif "Retry-After" in response.headers:
        problem.headers = {"Retry-After": response.headers["Retry-After"]}
    elif problem.status in (503, 504):
        problem.headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem


def _object(text: object) -> dict[str, Any] | None:
    """The JSON object in a text, None when the text holds something else."""
    if not isinstance(text, bytes | str):
        return None
    try:
        value = exact_json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return value if isinstance(value, dict) else None
