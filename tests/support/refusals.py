"""What an error of the database says: read as PostgREST reads it."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg


@dataclass
class Refusal:
    """An error that one of our functions raised.

    Attributes:
        status: the HTTP status.
        code: the stable code.
        message: a sentence for people.
        facts: what else it tells.
        hint: what to do about it, mostly nothing.
        headers: of the HTTP answer.
    """

    status: int = 0
    code: str = ""
    message: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    hint: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def refusal_of(error: psycopg.Error) -> Refusal | None:
    """What the error says, None for one of Postgres's own. Numbers with a fraction come as Decimal."""
    if error.sqlstate != "PGRST":
        return None
    body = json.loads(error.diag.message_primary or "")
    answer = json.loads(error.diag.message_detail or "")
    assert set(body) == {"code", "message", "details", "hint"}
    assert set(answer) == {"status", "headers"}
    facts = json.loads(body["details"], parse_float=Decimal)
    return Refusal(answer["status"], body["code"], body["message"], facts, body["hint"], answer["headers"])


def code_of(error: psycopg.Error) -> str:
    """The stable code of an error that one of our functions raised, else its SQLSTATE."""
    refusal = refusal_of(error)
    return refusal.code if refusal else error.sqlstate or str(error)


def state_of(error: psycopg.Error) -> str:
    """The HTTP status of an error that one of our functions raised, such as "404", else its SQLSTATE."""
    refusal = refusal_of(error)
    return str(refusal.status) if refusal else error.sqlstate or str(error)
