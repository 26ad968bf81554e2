"""What a sign-in gives: complete tokens, the hook's word, bans, passwords."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from jose import jwt

from tests.local.conftest import PASSWORD, Lab


def claims_of(lab: Lab, token: str) -> dict[str, Any]:
    """Verify a token as the API does and return its claims."""
    return dict(
        jwt.decode(
            token,
            lab.keys.jwt_secret,
            algorithms=["HS256"],
            audience="authenticated",
            issuer=f"{lab.url}/auth/v1",
        )
    )


def test_token_carries_what_supabase_auth_puts_in(lab: Lab) -> None:
    user = lab.make_user(user_metadata={"name": "Asha"}, app_metadata={"plan": "gold"})
    session = lab.sign_in(user["email"]).json()
    claims = claims_of(lab, session["access_token"])
    assert claims["sub"] == user["id"]
    assert claims["email"] == user["email"]
    assert claims["role"] == "authenticated"
    assert claims["aal"] == "aal1"
    assert claims["phone"] == ""
    assert claims["is_anonymous"] is False
    assert claims["app_metadata"] == {"provider": "email", "providers": ["email"], "plan": "gold"}
    assert claims["user_metadata"] == {"name": "Asha", "email_verified": True}
    assert [entry["method"] for entry in claims["amr"]] == ["password"]
    assert claims["exp"] - claims["iat"] == session["expires_in"] == 3600
    assert abs(claims["iat"] - time.time()) < 5
    assert session["expires_at"] == claims["exp"]
    assert session["token_type"] == "bearer"
    assert session["user"]["id"] == user["id"]


def test_hook_is_called_at_sign_in_and_refresh(lab: Lab) -> None:
    session = lab.session()
    first = claims_of(lab, session["access_token"])
    assert first["called_by"] == "supabase_auth_admin"
    assert first["asked_as"] == "password"
    assert first["asked_for"] == first["sub"]
    refreshed = lab.refresh(session["refresh_token"]).json()
    second = claims_of(lab, refreshed["access_token"])
    assert second["asked_as"] == "token_refresh"
    assert second["session_id"] == first["session_id"]
    assert second["amr"] == first["amr"]


def test_token_with_the_hooks_claims_is_accepted(lab: Lab) -> None:
    session = lab.session()
    answer = lab.http("POST", "/rest/v1/rpc/gw_whoami", token=session["access_token"], json={})
    assert answer.json()["uid"] == session["user"]["id"]
    assert answer.json()["claims"]["called_by"] == "supabase_auth_admin"
    assert (
        lab.http("GET", "/auth/v1/user", token=session["access_token"]).json()["id"] == session["user"]["id"]
    )


@pytest.mark.parametrize(
    ("email", "status", "code", "message"),
    [
        ("refused@shop.example", 403, "unknown", "Not on Sundays"),
        ("broken@shop.example", 500, "unexpected_failure", "role is required"),
        (
            "failing@shop.example",
            500,
            "unexpected_failure",
            "Error running hook URI: pg-functions://postgres/private/custom_access_token",
        ),
    ],
)
def test_refused_hook_leaves_no_session(lab: Lab, email: str, status: int, code: str, message: str) -> None:
    user = lab.make_user(email)
    answer = lab.sign_in(email)
    assert answer.status_code == status
    assert answer.json()["code"] == status
    assert answer.json()["error_code"] == code
    assert message in answer.json()["msg"]
    assert lab.sql("select 1 from auth.sessions where user_id = %s", user["id"]) == []


def test_refused_hook_leaves_the_refresh_token_usable(lab: Lab) -> None:
    session = lab.session()
    user_id = session["user"]["id"]
    email = session["user"]["email"]
    lab.sql("update auth.users set email = 'flaky@shop.example' where id = %s", user_id)
    try:
        assert lab.refresh(session["refresh_token"]).status_code == 500
    finally:
        lab.sql("update auth.users set email = %s where id = %s", email, user_id)
    assert lab.refresh(session["refresh_token"]).status_code == 200


def test_two_refreshes_at_once_give_one_new_token(lab: Lab) -> None:
    session = lab.session()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: lab.refresh(session["refresh_token"]), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_banned_user_neither_signs_in_nor_refreshes(lab: Lab) -> None:
    session = lab.session()
    path = f"/auth/v1/admin/users/{session['user']['id']}"
    banned = lab.http("PUT", path, key=lab.keys.service_role_key, json={"ban_duration": "24h"})
    assert banned.json()["banned_until"] > session["user"]["created_at"]
    refused = lab.refresh(session["refresh_token"])
    assert (refused.status_code, refused.json()["error_code"]) == (400, "user_banned")
    assert refused.json()["msg"] == "Invalid Refresh Token: User Banned"
    refused = lab.sign_in(session["user"]["email"])
    assert (refused.status_code, refused.json()["error_code"]) == (400, "user_banned")
    lab.http("PUT", path, key=lab.keys.service_role_key, json={"ban_duration": "none"})
    assert lab.refresh(session["refresh_token"]).status_code == 200


@pytest.mark.parametrize("soft", [True, False])
def test_deleted_user_neither_signs_in_nor_refreshes(lab: Lab, soft: bool) -> None:
    session = lab.session()
    path = f"/auth/v1/admin/users/{session['user']['id']}"
    gone = lab.http("DELETE", path, key=lab.keys.service_role_key, json={"should_soft_delete": soft})
    assert (gone.status_code, gone.json()) == (200, {})
    assert lab.refresh(session["refresh_token"]).json()["error_code"] == "refresh_token_not_found"
    assert lab.sign_in(session["user"]["email"]).json()["error_code"] == "invalid_credentials"
    assert lab.http("GET", "/auth/v1/user", token=session["access_token"]).status_code == 403


def test_wrong_password_and_unknown_address_look_the_same(lab: Lab) -> None:
    user = lab.make_user()
    answers = [lab.sign_in(user["email"], "Wrong1Horses"), lab.sign_in("nobody@shop.example")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["error_code"] == "invalid_credentials"


def signed_up(lab: Lab, email: str, password: str = PASSWORD) -> httpx.Response:
    """Sign up, as plain HTTP."""
    return lab.http("POST", "/auth/v1/signup", json={"email": email, "password": password})


@pytest.mark.parametrize(
    ("password", "reasons"),
    [
        ("Sh0rt", ["length"]),
        ("alllowercase1", ["characters"]),
        ("Abcdefghijkl", ["characters"]),
        ("abc", ["length", "characters"]),
    ],
)
def test_weak_password_is_refused_at_sign_up(lab: Lab, password: str, reasons: list[str]) -> None:
    answer = signed_up(lab, "weak@shop.example", password)
    assert answer.status_code == 422
    assert answer.json()["error_code"] == "weak_password"
    assert answer.json()["weak_password"]["reasons"] == reasons


def test_address_must_be_confirmed_before_the_first_sign_in(lab: Lab) -> None:
    answer = signed_up(lab, "new@shop.example")
    assert answer.status_code == 200
    assert "access_token" not in answer.json()
    assert lab.sign_in("new@shop.example").json()["error_code"] == "email_not_confirmed"
    [row] = lab.sql("select confirmation_token from auth.users where email = 'new@shop.example'")
    query = f"token={row['confirmation_token']}&type=signup&redirect_to=http://127.0.0.1:3000/hello"
    link = lab.http("GET", f"/auth/v1/verify?{query}", key="")
    assert link.status_code == 303
    members = dict(httpx.QueryParams(link.headers["location"].split("#")[1]))
    assert link.headers["location"].startswith("http://127.0.0.1:3000/hello#")
    assert claims_of(lab, members["access_token"])["asked_as"] == "otp"
    assert lab.sign_in("new@shop.example").status_code == 200


def test_sign_up_does_not_tell_who_has_an_account(lab: Lab) -> None:
    user = lab.make_user()
    answer = signed_up(lab, user["email"])
    assert answer.status_code == 200
    assert answer.json()["identities"] == []
    assert answer.json()["id"] != user["id"]
    assert lab.sign_in(user["email"]).status_code == 200


def test_metadata_is_json_that_sql_can_read(lab: Lab) -> None:
    """Triggers and policies look into these columns; the library would store text in them."""
    answer = lab.http(
        "POST",
        "/auth/v1/signup",
        json={"email": "meta@shop.example", "password": PASSWORD, "data": {"name": "Ravi"}},
    )
    assert answer.status_code == 200
    lab.http(
        "PUT",
        f"/auth/v1/admin/users/{answer.json()['id']}",
        key=lab.keys.service_role_key,
        json={"email_confirm": True},
    )
    session = lab.sign_in("meta@shop.example").json()
    changed = lab.http("PUT", "/auth/v1/user", token=session["access_token"], json={"data": {"shirt": "M"}})
    assert changed.json()["user_metadata"]["name"] == "Ravi"
    [row] = lab.sql(
        "select u.raw_user_meta_data ->> 'name' as name, u.raw_user_meta_data ->> 'shirt' as shirt,"
        " u.raw_app_meta_data ->> 'provider' as provider, i.email"
        " from auth.users u join auth.identities i on i.user_id = u.id where u.email = 'meta@shop.example'"
    )
    assert row == {"name": "Ravi", "shirt": "M", "provider": "email", "email": "meta@shop.example"}


def test_new_password_ends_other_sessions_and_obeys_the_rules(lab: Lab) -> None:
    session = lab.session()
    weak = lab.http("PUT", "/auth/v1/user", token=session["access_token"], json={"password": "weak"})
    assert (weak.status_code, weak.json()["error_code"]) == (422, "weak_password")
    other = lab.sign_in(session["user"]["email"]).json()
    changed = lab.http(
        "PUT", "/auth/v1/user", token=session["access_token"], json={"password": "Another1Horse"}
    )
    assert changed.status_code == 200
    assert lab.refresh(other["refresh_token"]).status_code == 400
    assert lab.refresh(session["refresh_token"]).status_code == 200
    assert lab.sign_in(session["user"]["email"]).status_code == 400
    assert lab.sign_in(session["user"]["email"], "Another1Horse").status_code == 200


def test_signed_out_session_is_not_refreshed(lab: Lab) -> None:
    session = lab.session()
    assert lab.http("POST", "/auth/v1/logout?scope=local", token=session["access_token"]).status_code == 204
    assert lab.refresh(session["refresh_token"]).json()["error_code"] == "refresh_token_not_found"
