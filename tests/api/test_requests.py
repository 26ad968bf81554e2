"""Request ids, logs, CORS, the docs pages, and numbers that keep their digits."""

import json
from decimal import Decimal

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from backend.app.core import exact_json
from backend.app.services.papers import content_disposition
from tests.api.support import SUPABASE, USER, bearer, claims, make_settings, running, signed

WHOAMI = f"{SUPABASE}/rest/v1/rpc/whoami"
SALES = f"{SUPABASE}/rest/v1/rpc/post_sale"


@pytest.mark.parametrize(
    "given_id", ["trace-12345678", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
)
async def test_a_sane_request_id_is_kept_and_handed_on(given_id: str) -> None:
    with respx.mock:
        route = respx.post(WHOAMI).respond(json={})
        async with running() as client:
            response = await client.get("/v1/auth/validate", headers={**bearer(), "X-Request-ID": given_id})
    assert response.headers["x-request-id"] == given_id
    assert route.calls[0].request.headers["x-request-id"] == given_id


@pytest.mark.parametrize(
    "given_id", ["", "short", "x" * 129, "has space in it", "quote\"in'it", "new{line}here"]
)
async def test_another_request_id_is_replaced(given_id: str) -> None:
    async with running() as client:
        response = await client.get("/health", headers={"X-Request-ID": given_id})
    assert response.headers["x-request-id"] != given_id
    assert len(response.headers["x-request-id"]) == 36


async def test_the_database_sees_the_callers_token_and_never_the_service_key() -> None:
    token = signed(claims())
    with respx.mock:
        route = respx.post(WHOAMI).respond(json={})
        async with running() as client:
            await client.get("/v1/auth/validate", headers=bearer(token))
    sent = route.calls[0].request.headers
    assert sent["authorization"] == f"Bearer {token}"
    assert sent["apikey"] == "sb_publishable_test"
    assert "sb_secret_test" not in str(sent)


async def test_logs_are_json_with_who_and_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    token = signed(claims())
    with respx.mock:
        respx.post(WHOAMI).respond(json={})
        async with running(make_settings(log_level="DEBUG")) as client:
            await client.get(
                "/v1/auth/validate?q=meera", headers={**bearer(token), "X-Request-ID": "logged-123"}
            )
    out = capsys.readouterr().out
    lines = [json.loads(line) for line in out.splitlines()]
    line = next(line for line in lines if line["event"] == "request")
    assert {key: line[key] for key in ("request_id", "user_id", "method", "path", "status")} == {
        "request_id": "logged-123",
        "user_id": str(USER),
        "method": "GET",
        "path": "/v1/auth/validate",
        "status": 200,
    }
    assert line["duration_ms"] > 0
    for secret in (token, token.split(".")[2], "sb_publishable_test", "sb_secret_test", "meera"):
        assert secret not in out


async def test_cors_is_what_the_settings_say() -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with running(make_settings(cors_origins=["https://shop.example"])) as client:
        good = await client.options(
            "/v1/billing/sales", headers={"Origin": "https://shop.example", **preflight}
        )
        assert good.headers["access-control-allow-origin"] == "https://shop.example"
        bad = await client.options(
            "/v1/billing/sales", headers={"Origin": "https://evil.example", **preflight}
        )
        assert "access-control-allow-origin" not in bad.headers
        refused = await client.get("/v1/auth/validate", headers={"Origin": "https://shop.example"})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://shop.example"
        assert "X-Request-ID" in refused.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
async def test_the_docs_pages_follow_the_setting(path: str) -> None:
    async with running() as client:
        assert (await client.get(path)).status_code == 200
    async with running(make_settings(enable_docs=False)) as client:
        assert (await client.get(path)).status_code == 404


async def test_amounts_keep_their_digits_both_ways() -> None:
    answer = b'{"total":1180.00,"tax":0.1000000000000000055511151231257827,"quantity":1.000}'
    body = (
        '{"id":"0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11","branch_id":"0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",'
        '"location_id":"0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11","lines":[{"variant_id":'
        '"0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11","quantity":0.100,"unit_price":12345678901234.10}],'
        '"payments":[{"method":"cash","amount":"1200.00"}]}'
    )
    with respx.mock:
        route = respx.post(SALES).mock(return_value=httpx.Response(200, content=answer))
        async with running() as client:
            headers = {**bearer(), "Content-Type": "application/json"}
            response = await client.post("/v1/billing/sales", content=body, headers=headers)
    assert response.status_code == 201, response.text
    assert response.content == answer
    sent = route.calls[0].request.content
    for digits in (b'"quantity":0.100', b'"unit_price":12345678901234.10', b'"amount":1200.00'):
        assert digits in sent


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.decimals(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_exact_json_reads_what_it_wrote(value: object) -> None:
    assert exact_json.loads(exact_json.dumps(value)) == value


def test_large_exponents_stay_short() -> None:
    for text in ("1E+99999999", "0E-99999999"):
        assert exact_json.dumps(Decimal(text)) == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[1, -Infinity]",
        r'"\ud800"',
        "[" * 101 + "]" * 101,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 101 + "1" + "}" * 101,
        "1e351",
        "1e-351",
        "[1, 1" + "0" * 400 + "]",
        "-1" + "0" * 400,
        "1." + "0" * 400 + "1",
        "[1,2",
        "",
        "{} {}",
    ],
)
def test_exact_json_refuses_of_strangers_what_cannot_be_handed_on(text: str) -> None:
    for given_text in (text, text.encode()):
        with pytest.raises(json.JSONDecodeError):
            exact_json.loads_from_caller(given_text)


def test_exact_json_takes_what_is_just_within_its_limits() -> None:
    for text in ("[" * 100 + "]" * 100, "1e350", "1e-350", "1" + "0" * 350, "[" + "[]," * 500 + "[]]"):
        assert exact_json.loads_from_caller(text) == exact_json.loads(text)
    long_name = '"' + "7" * 1000 + '"'
    assert exact_json.loads_from_caller(long_name) == "7" * 1000


def test_exact_json_refuses_what_json_has_not() -> None:
    for value in (Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(ValueError, match="finite"):
            exact_json.dumps(value)
    for formless in (1.5, b"x", object()):
        with pytest.raises(TypeError):
            exact_json.dumps(formless)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("BLR-26-27-000001 Teak & Thread.pdf", 'inline; filename="BLR-26-27-000001 Teak & Thread.pdf"'),
        ('a"\r\nSet-Cookie: x.pdf', "inline; filename=\"a-Set-Cookie- x.pdf\"; filename*=UTF-8''"),
        ("../../etc/passwd.pdf", 'inline; filename="etc-passwd.pdf"; filename*='),
        (".pdf", 'inline; filename="document.pdf"'),
        ("பில்.pdf", "inline; filename=\"document.pdf\"; filename*=UTF-8''%E0"),
        ("Café.pdf", "inline; filename=\"Cafe.pdf\"; filename*=UTF-8''Caf%C3%A9.pdf"),
    ],
)
def test_file_names_are_safe(name: str, header: str) -> None:
    assert content_disposition(name).startswith(header)
