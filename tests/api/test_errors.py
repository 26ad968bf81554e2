"""Every error is a problem document, also those that only a broken upstream can cause."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx

from tests.api.support import SUPABASE, assert_problem, bearer, make_settings, running

WHOAMI = f"{SUPABASE}/rest/v1/rpc/whoami"

UPSTREAM: list[tuple[int, dict[str, Any], int, str]] = [
    (409, {"code": "insufficient_stock", "message": "m", "details": '{"available": 2.500}'}, 409, ""),
    (422, {"code": "discount_limit", "message": "m", "details": "{}", "hint": None}, 422, "discount_limit"),
    (401, {"code": "unauthenticated", "message": "m", "details": "{}"}, 401, "unauthenticated"),
    (404, {"code": "not_found", "message": "m", "details": '{"code": "x", "status": 1}'}, 404, "not_found"),
    (403, {"code": "42501", "message": "permission denied for table x"}, 403, "permission_denied"),
    (401, {"code": "42501", "message": "permission denied for table x"}, 403, "permission_denied"),
    (409, {"code": "23505", "message": "duplicate key"}, 409, "duplicate"),
    (
        400,
        {"code": "23514", "message": 'new row for relation "secret_name" violates check constraint "c"'},
        422,
        "constraint_violated",
    ),
    (
        400,
        {"code": "23502", "message": 'null value in column "c" of "secret_name"'},
        422,
        "constraint_violated",
    ),
    (409, {"code": "23503", "message": "violates foreign key"}, 409, "reference_missing"),
    (400, {"code": "23514", "message": "violates check"}, 422, "constraint_violated"),
    (400, {"code": "22P02", "message": "invalid input syntax"}, 400, "invalid_input"),
    (406, {"code": "PGRST116", "message": "0 rows"}, 404, "not_found"),
    (406, {"code": "PGRST116", "details": "The result contains 0 rows"}, 404, "not_found"),
    (406, {"code": "PGRST116", "details": "The result contains 2 rows"}, 409, "ambiguous_id"),
    (401, {"code": "PGRST301", "message": "JWT expired"}, 401, "unauthenticated"),
    (401, {"code": "PGRST303", "message": "JWT expired"}, 401, "unauthenticated"),
    (401, {"message": "Invalid API key"}, 401, "unauthenticated"),
    (500, {"code": "57014", "message": "canceling statement"}, 504, "upstream_timeout"),
    (500, {"code": "40P01", "message": "deadlock detected"}, 503, "upstream_unavailable"),
    (503, {"code": "PGRST001", "message": "no connection"}, 503, "upstream_unavailable"),
    (503, {"code": "57P03", "message": "starting up"}, 503, "upstream_unavailable"),
    (404, {"code": "PGRST202", "message": "no function secret_name"}, 500, "internal_error"),
    (400, {"code": "42703", "message": "column secret_name"}, 500, "internal_error"),
    (500, {"code": "XX000", "message": "secret_name"}, 500, "internal_error"),
    (500, {"code": "PGRST121", "message": "Could not parse secret_name"}, 500, "internal_error"),
    (500, {"code": "unexpected_failure", "message": "secret_name", "details": None}, 500, "internal_error"),
    (418, {"code": "P0418", "message": "teapot", "details": None}, 418, "bad_request"),
]


@pytest.mark.parametrize(("status", "body", "expected", "code"), UPSTREAM)
async def test_upstream_errors_are_mapped(
    status: int, body: dict[str, Any], expected: int, code: str
) -> None:
    with respx.mock:
        respx.post(WHOAMI).respond(status, json=body)
        async with running() as client:
            response = await client.get("/v1/auth/validate", headers=bearer())
    answer = assert_problem(response, expected, code or "insufficient_stock")
    assert "secret_name" not in response.text
    if not code:
        assert answer["detail"] == "m"
        assert '"available":2.500' in response.text, "facts keep their digits"
    if expected in (503, 504):
        assert response.headers["retry-after"]
    if expected == 401:
        assert response.headers["www-authenticate"] == "Bearer"


async def test_the_database_says_when_to_come_again() -> None:
    """A refusal that passes by itself carries Retry-After, and so does the API's answer."""
    body = {"code": "changed_meanwhile", "message": "m", "details": "{}", "hint": "Read it again."}
    with respx.mock:
        respx.post(WHOAMI).respond(409, json=body, headers={"Retry-After": "1"})
        async with running() as client:
            response = await client.get("/v1/auth/validate", headers=bearer())
    assert_problem(response, 409, "changed_meanwhile")
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("far away"),
        httpx.PoolTimeout("busy"),
        httpx.RemoteProtocolError("closed"),
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(503, text="upstream connect error"),
        httpx.Response(521),
    ],
    ids=lambda answer: type(answer).__name__ + str(getattr(answer, "status_code", "")),
)
async def test_an_upstream_that_is_gone(answer: httpx.Response | Exception) -> None:
    with respx.mock:
        route = respx.post(WHOAMI)
        if isinstance(answer, Exception):
            route.mock(side_effect=answer)
        else:
            route.mock(return_value=answer)
        async with running() as client:
            response = await client.get("/v1/auth/validate", headers=bearer())
        assert route.call_count == 1, "no retries behind the caller's back"
    if isinstance(answer, httpx.Response) and answer.status_code == 521:
        assert_problem(response, 500, "internal_error")
    else:
        assert_problem(response, 503, "upstream_unavailable")
        assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize("error", [httpx.ReadTimeout("slow"), httpx.WriteTimeout("slow")])
async def test_an_upstream_that_is_slow_may_have_done_it(error: httpx.TimeoutException) -> None:
    """Not "cannot be reached": it was reached, and whoever repeats the call does so with the same id."""
    with respx.mock:
        route = respx.post(WHOAMI).mock(side_effect=error)
        async with running() as client:
            response = await client.get("/v1/auth/validate", headers=bearer())
        assert route.call_count == 1
    assert_problem(response, 504, "upstream_timeout")
    assert response.headers["retry-after"] == "5"


async def test_deep_health_says_503() -> None:
    health = f"{SUPABASE}/rest/v1/rpc/health"
    for answer in (httpx.Response(404, json={"code": "PGRST202"}), httpx.Response(200, json={"ok": False})):
        with respx.mock:
            respx.post(health).mock(return_value=answer)
            async with running() as client:
                assert_problem(await client.get("/health/deep"), 503, "upstream_unavailable")
                assert (await client.get("/health")).json() == {"status": "ok"}


async def test_routing_errors_are_problems() -> None:
    async with running() as client:
        assert_problem(await client.get("/nowhere"), 404, "not_found")
        wrong = await client.put("/health")
        assert_problem(wrong, 405, "method_not_allowed")
        assert wrong.headers["allow"] == "GET"


async def test_input_errors_name_the_place_and_hide_the_value() -> None:
    async with running() as client:
        headers = {**bearer(), "Content-Type": "application/json"}
        malformed = await client.post("/v1/billing/sales", content=b"{", headers=headers)
        assert_problem(malformed, 400, "invalid_input")
        for text in (b'{"id": NaN}', b'{"id": Infinity}'):
            assert_problem(
                await client.post("/v1/billing/sales", content=text, headers=headers), 400, "invalid_input"
            )
        wrong = await client.post(
            "/v1/billing/sales", content=b'{"id": "hunter2", "lines": 7}', headers=headers
        )
        body = assert_problem(wrong, 422, "invalid_input")
        assert ["body", "id"] in [fault["location"] for fault in body["errors"]]
        assert "hunter2" not in wrong.text
        surrogate = b'{"id":"0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11","email":"\\ud800@x","role":"cashier"}'
        refused = await client.post(
            f"/v1/organizations/{'0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11'}/users",
            content=surrogate,
            headers=headers,
        )
        assert_problem(refused, 400, "invalid_input")


async def test_large_bodies_are_refused() -> None:
    async with running(make_settings(max_body_bytes=1_000)) as client:
        headers = {**bearer(), "Content-Type": "application/json"}
        response = await client.post("/v1/billing/sales", content=b'"' + b"x" * 5_000 + b'"', headers=headers)
        assert_problem(response, 413, "payload_too_large")

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(50):
                yield b"x" * 100

        assert_problem(
            await client.post("/v1/billing/sales", content=chunks(), headers=headers),
            413,
            "payload_too_large",
        )


async def test_the_unexpected_is_a_problem_without_internals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def explode(*_: object) -> None:
        raise RuntimeError("secret_name")

    monkeypatch.setattr("backend.app.core.gateway.Gateway.rpc", explode)
    async with running(make_settings(cors_origins=["https://shop.example"])) as client:
        headers = {**bearer(), "Origin": "https://shop.example", "X-Request-ID": "unexpected-1"}
        response = await client.get("/v1/auth/validate", headers=headers)
    assert_problem(response, 500, "internal_error")
    assert "secret_name" not in response.text
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logged = next(line for line in lines if line["event"] == "unhandled_exception")
    assert "RuntimeError: secret_name" in logged["exception"]
    assert logged["request_id"] == "unexpected-1"


async def test_user_administration_without_a_service_key() -> None:
    me = {"user": {"id": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11", "email": "a@b"}, "organizations": []}
    organization = {
        "id": "6d0f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c22",
        "name": "Teak",
        "currency": "INR",
        "country": "IN",
        "role": {"key": "admin", "name": "Admin", "max_discount_percent": 100},
        "all_branches": True,
        "permissions": ["user.manage"],
        "branches": [],
        "a_field_of_tomorrow": 1,
    }
    with respx.mock:
        respx.post(WHOAMI).respond(json={**me, "organizations": [organization]})
        async with running(make_settings(supabase_service_role_key=None)) as client:
            response = await client.get(f"/v1/organizations/{organization['id']}/users", headers=bearer())
    assert_problem(response, 501, "service_not_configured")
