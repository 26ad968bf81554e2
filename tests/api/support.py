"""What the API's tests share: settings, tokens, an application in this process."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
from jose import jwt

from backend.app.core.settings import Settings
from backend.app.main import create_app

SUPABASE = "http://supabase.test"
SECRET = "Zk3v9QpX7rT2mW8sB5nL4hJ6gF1dC0yA"
USER = UUID("0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11")


def make_settings(**values: Any) -> Settings:
    """Settings of a test; keyword arguments replace the usual ones."""
    usual: dict[str, Any] = {
        "environment": "test",
        "supabase_url": SUPABASE,
        "supabase_anon_key": "sb_publishable_test",
        "supabase_service_role_key": "sb_secret_test",
        "supabase_jwt_secret": SECRET,
    }
    return Settings(**{**usual, **values})


def claims(**values: Any) -> dict[str, Any]:
    """The claims of a good token; a value of None leaves the claim out."""
    usual = {
        "sub": str(USER),
        "aud": "authenticated",
        "iss": f"{SUPABASE}/auth/v1",
        "exp": int(time.time()) + 600,
        "iat": int(time.time()),
        "role": "authenticated",
        "email": "cashier@teak.example",
    }
    return {key: value for key, value in {**usual, **values}.items() if value is not None}


def signed(payload: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    """A token as Supabase Auth signs it."""
    return str(jwt.encode(payload, key, algorithm=algorithm, headers=headers))


def unsigned(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand, as an attacker would."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def bearer(token: str | None = None) -> dict[str, str]:
    """The header for a token; without one, a good token."""
    return {"Authorization": f"Bearer {token or signed(claims())}"}


@asynccontextmanager
async def running(settings: Settings | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """An application in this process, and a client that speaks to it without a network."""
    app = create_app(settings or make_settings())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client,
    ):
        yield client


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Holds a response to RFC 9457 and our additions, and returns its body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"urn:branchline:error:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/")
    assert body["request_id"] == response.headers["x-request-id"]
    return body
