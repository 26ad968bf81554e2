"""What private.fail raises, as clients see it: the migrations' own function behind the real gateway."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from postgrest.exceptions import APIError

from local.paths import ROOT
from tests.local.conftest import Lab

BASE = ROOT / "supabase" / "migrations" / "20260101000000_foundation_base.sql"
UNREADABLE = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
READABLE = '{"code": "a", "message": "b"}'
NO_TEXT = '{"code": "a", "message": "b", "details": {"c": 1}}'
REFUSALS: list[tuple[int, str, dict[str, Any]]] = [
    (400, "invalid_input", {"field": "p_id"}),
    (401, "unauthenticated", {}),
    (403, "permission_denied", {"permission": "sale.post"}),
    (404, "not_found", {}),
    (409, "insufficient_stock", {"shortages": [{"sku": 'So"fa \\ 1', "requested": 2, "available": 1}]}),
    (409, "changed_meanwhile", {}),
    (422, "discount_limit", {"line": 1, "status": "ü"}),
    (503, "busy", {}),
]


@pytest.fixture(scope="module", autouse=True)
def fail(lab: Lab) -> Iterator[None]:
    """private.fail as the migrations make it, and a function that clients may call."""
    text = BASE.read_text().partition("create function private.fail(")
    lab.sql(text[1] + text[2].partition("\n$$;\n")[0] + "\n$$")
    for function, arguments in (
        ("gw_fail(p_status int, p_code text, p_facts jsonb)", "p_status, p_code, 'No \"stock\"', p_facts"),
        ("gw_short()", "409, 'insufficient_stock', 'No', jsonb_build_object('available', 2.500)"),
    ):
        lab.sql(
            f"create function public.{function} returns void language sql security definer "
            f"as $$ select private.fail({arguments}) $$"
        )
    yield
    lab.sql("drop function public.gw_fail, public.gw_short, private.fail")


@pytest.mark.parametrize(("status", "code", "facts"), REFUSALS)
def test_supabase_py(lab: Lab, status: int, code: str, facts: dict[str, Any]) -> None:
    """error.code is the stable code, details the facts, the hint and headers say what helps."""
    client, statuses = lab.client(), list[tuple[int, str | None, str | None]]()
    client.postgrest.session.event_hooks["response"] = [
        lambda got: statuses.append(
            (got.status_code, got.headers.get("retry-after"), got.headers.get("www-authenticate"))
        )
    ]
    with pytest.raises(APIError) as caught:
        client.rpc("gw_fail", {"p_status": status, "p_code": code, "p_facts": facts}).execute()
    passing = code == "changed_meanwhile"
    assert (caught.value.code, caught.value.message) == (code, 'No "stock"')
    assert isinstance(caught.value.details, str)
    assert json.loads(caught.value.details) == facts
    assert (caught.value.hint is not None) == passing
    assert statuses == [(status, "1" if passing else None, "Bearer" if status == 401 else None)]


def test_facts_keep_their_digits(lab: Lab) -> None:
    """An amount in the facts is the text that the database wrote."""
    answer = lab.http("POST", "/rest/v1/rpc/gw_short", json={})
    assert answer.json()["details"] == '{"available": 2.500}'
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_supabase_js(lab: Lab) -> None:
    assert "fail 0" in lab.run_node("errors_js.test.mjs", REFUSALS=json.dumps(REFUSALS))


@pytest.mark.parametrize(
    ("message", "detail", "details"),
    [
        ("not json", '{"status": 400, "headers": {}}', "Invalid JSON value for MESSAGE: 'not json'"),
        ('["a"]', '{"status": 400, "headers": {}}', "Invalid JSON value for MESSAGE: '[\"a\"]'"),
        ('{"code": "a"}', "{}", 'Invalid JSON value for MESSAGE: \'{"code": "a"}\''),
        (NO_TEXT, '{"status": 400, "headers": {}}', f"Invalid JSON value for MESSAGE: '{NO_TEXT}'"),
        (READABLE, None, "DETAIL is missing in the RAISE statement"),
        (READABLE, "x", "Invalid JSON value for DETAIL: 'x'"),
        (
            '{"code": "a", "message": "b"}',
            '{"status": 409}',
            "Invalid JSON value for DETAIL: '{\"status\": 409}'",
        ),
        (
            '{"code": "a", "message": "b"}',
            '{"headers": {}}',
            "Invalid JSON value for DETAIL: '{\"headers\": {}}'",
        ),
        *(
            (READABLE, detail, f"Invalid JSON value for DETAIL: '{detail}'")
            for detail in (
                '{"status": "409", "headers": {}}',
                '{"status": 409, "headers": {"Retry-After": 1}}',
            )
        ),
    ],
)
def test_what_cannot_be_read_is_a_fault(lab: Lab, message: str, detail: str | None, details: str) -> None:
    """PostgREST answers 500 PGRST121 and says which part it could not read."""
    answer = lab.http("POST", "/rest/v1/rpc/gw_answer", json={"p_message": message, "p_detail": detail})
    assert (answer.status_code, answer.json()["code"]) == (500, "PGRST121")
    assert (answer.json()["message"], answer.json()["details"]) == (UNREADABLE, details)
    assert answer.json()["hint"].startswith("MESSAGE must" if "MESSAGE" in details else "DETAIL must")


def test_status_and_headers_are_the_databases(lab: Lab) -> None:
    """What need not be given may be missing."""
    detail = '{"status": 423, "status_text": "Closed", "headers": {"X-Shop": "closed", "Retry-After": "9"}}'
    body = {"p_message": '{"code": "closed", "message": "On Sundays"}', "p_detail": detail}
    answer = lab.http("POST", "/rest/v1/rpc/gw_answer", json=body)
    assert answer.status_code == 423
    assert (answer.headers["x-shop"], answer.headers["retry-after"]) == ("closed", "9")
    assert answer.json() == {"code": "closed", "message": "On Sundays", "details": None, "hint": None}
