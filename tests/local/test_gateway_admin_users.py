"""/auth/v1/admin/users, held to Supabase Auth's paths, bodies and error codes."""

import uuid
from typing import Any

import pytest
from supabase_auth.errors import AuthApiError

from tests.local.conftest import PASSWORD, Lab

PATH = "/auth/v1/admin/users"


def call(lab: Lab, method: str, path: str = PATH, **options: Any) -> tuple[int, dict[str, Any]]:
    """One request with the service key: status and JSON."""
    answer = lab.http(method, path, key=lab.keys.service_role_key, **options)
    return answer.status_code, answer.json()


def test_only_the_service_key_may(lab: Lab) -> None:
    session = lab.session()
    for method, path in [
        ("GET", PATH),
        ("POST", PATH),
        ("GET", f"{PATH}/{session['user']['id']}"),
        ("DELETE", f"{PATH}/x"),
    ]:
        for token in (None, lab.keys.anon_key, session["access_token"]):
            answer = lab.http(method, path, token=token)
            assert answer.status_code == 403, (method, token)
            assert answer.json() == {"code": 403, "error_code": "not_admin", "msg": "User not allowed"}
            assert answer.headers["x-sb-error-code"] == "not_admin"
    assert lab.http("GET", PATH, key="").status_code == 401
    assert lab.http("GET", PATH, key="sb_secret_guess").status_code == 401


def test_a_users_token_decides_over_the_service_key(lab: Lab) -> None:
    session = lab.session()
    answer = lab.http("GET", PATH, key=lab.keys.service_role_key, token=session["access_token"])
    assert (answer.status_code, answer.json()["error_code"]) == (403, "not_admin")
    answer = lab.http("GET", PATH, key=lab.keys.service_role_key, token="a.b.c")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "bad_jwt")
    answer = lab.http("GET", PATH, key=lab.keys.service_role_key, headers={"Authorization": "Basic eA=="})
    assert (answer.status_code, answer.json()["error_code"]) == (401, "no_authorization")


def test_create_and_read(lab: Lab) -> None:
    identifier = str(uuid.uuid4())
    body = {
        "id": identifier,
        "email": f"Mixed.{identifier}@Shop.Example",
        "password": PASSWORD,
        "email_confirm": True,
        "user_metadata": {"name": "Meera"},
        "app_metadata": {"plan": "gold"},
    }
    status, user = call(lab, "POST", json=body)
    assert status == 200
    assert user["id"] == identifier
    assert user["email"] == body["email"].lower()  # type: ignore[attr-defined]
    assert user["email_confirmed_at"]
    assert user["confirmed_at"]
    assert (user["aud"], user["role"], user["phone"], user["is_anonymous"]) == (
        "authenticated",
        "authenticated",
        "",
        False,
    )
    assert user["user_metadata"] == {"name": "Meera", "email_verified": True}
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"], "plan": "gold"}
    [identity] = user["identities"]
    assert identity["provider"] == "email"
    assert identity["identity_data"]["sub"] == identifier
    assert "encrypted_password" not in user
    assert call(lab, "GET", f"{PATH}/{identifier}") == (200, user)


def test_unconfirmed_user_cannot_sign_in_until_confirmed(lab: Lab) -> None:
    user = lab.make_user(email_confirm=False)
    assert "email_confirmed_at" not in user
    assert lab.sign_in(user["email"]).json()["error_code"] == "email_not_confirmed"
    call(lab, "PUT", f"{PATH}/{user['id']}", json={"email_confirm": True})
    assert lab.sign_in(user["email"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "validation_failed"),
        ({"email": "no address"}, 400, "validation_failed"),
        ({"email": "x@shop.example", "id": "7"}, 400, "validation_failed"),
        ({"email": "x@shop.example", "ban_duration": "soon"}, 400, "validation_failed"),
        ({"email": "x@shop.example", "password": PASSWORD, "password_hash": "x"}, 400, "validation_failed"),
        ({"email": "x@shop.example", "password": "Aa1" * 30}, 400, "validation_failed"),
        ({"email": "x@shop.example", "password": "weak"}, 422, "weak_password"),
        ([], 400, "bad_json"),
    ],
)
def test_create_refuses(lab: Lab, body: Any, status: int, code: str) -> None:
    answered, error = call(lab, "POST", json=body)
    assert (answered, error["code"], error["error_code"]) == (status, status, code)
    assert lab.sql("select 1 from auth.users where email = 'x@shop.example'") == []


def test_body_that_is_no_json(lab: Lab) -> None:
    assert call(lab, "POST", content=b"{")[1]["error_code"] == "bad_json"


def test_address_belongs_to_one_user(lab: Lab) -> None:
    user = lab.make_user()
    status, error = call(lab, "POST", json={"email": user["email"].upper()})
    assert status == 422
    assert error == {
        "code": 422,
        "error_code": "email_exists",
        "msg": "A user with this email address has already been registered",
    }


def test_update(lab: Lab) -> None:
    user = lab.make_user(user_metadata={"a": 1, "b": 2})
    session = lab.sign_in(user["email"]).json()
    email = f"{uuid.uuid4().hex}@shop.example"
    change = {
        "email": email,
        "password": "Another1Horse",
        "user_metadata": {"a": None, "c": 3},
        "app_metadata": {"x": 1},
    }
    status, changed = call(lab, "PUT", f"{PATH}/{user['id']}", json=change)
    assert status == 200
    assert changed["email"] == email
    assert changed["user_metadata"] == {"b": 2, "c": 3, "email_verified": True}
    assert changed["app_metadata"]["x"] == 1
    assert changed["identities"][0]["identity_data"]["email"] == email
    assert lab.sign_in(email, "Another1Horse").status_code == 200
    assert lab.refresh(session["refresh_token"]).status_code == 400, "a new password ends open sessions"
    assert (
        call(lab, "PUT", f"{PATH}/{user['id']}", json={"password": "weak"})[1]["error_code"]
        == "weak_password"
    )


def test_unknown_user(lab: Lab) -> None:
    for method in ("GET", "PUT", "DELETE"):
        body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        status, error = call(lab, method, f"{PATH}/{uuid.uuid4()}", **body)
        assert (status, error["error_code"], error["msg"]) == (404, "user_not_found", "User not found")
    assert call(lab, "GET", f"{PATH}/7") == (
        404,
        {"code": 404, "error_code": "validation_failed", "msg": "user_id must be an UUID"},
    )


def test_delete(lab: Lab) -> None:
    user = lab.make_user()
    assert call(lab, "DELETE", f"{PATH}/{user['id']}") == (200, {})
    assert call(lab, "GET", f"{PATH}/{user['id']}")[0] == 404
    assert lab.make_user(user["email"])["id"] != user["id"]


def test_soft_delete_frees_the_address(lab: Lab) -> None:
    user = lab.make_user()
    assert call(lab, "DELETE", f"{PATH}/{user['id']}", json={"should_soft_delete": True}) == (200, {})
    left = call(lab, "GET", f"{PATH}/{user['id']}")[1]
    assert left["deleted_at"]
    assert user["email"] not in str(left)
    assert lab.make_user(user["email"])["id"] != user["id"]


def test_user_with_rows_is_kept(lab: Lab) -> None:
    user = lab.make_user()
    lab.sql("create table public.gw_held (id uuid references auth.users (id))")
    try:
        lab.sql("insert into public.gw_held values (%s)", user["id"])
        status, error = call(lab, "DELETE", f"{PATH}/{user['id']}")
        assert (status, error["error_code"], error["msg"]) == (
            500,
            "unexpected_failure",
            "Database error deleting user",
        )
    finally:
        lab.sql("drop table public.gw_held")
    assert lab.sign_in(user["email"]).status_code == 200


def test_list_pages(lab: Lab) -> None:
    for _ in range(3):
        lab.make_user()
    answer = lab.http("GET", f"{PATH}?page=1&per_page=2", key=lab.keys.service_role_key)
    total = int(answer.headers["x-total-count"])
    last = -(-total // 2)
    assert answer.json()["aud"] == "authenticated"
    assert len(answer.json()["users"]) == 2
    assert answer.headers["link"] == (
        f'</admin/users?page=2&per_page=2>; rel="next", </admin/users?page={last}&per_page=2>; rel="last"'
    )
    seen = [
        user["id"]
        for page in range(1, last + 1)
        for user in call(lab, "GET", f"{PATH}?page={page}&per_page=2")[1]["users"]
    ]
    assert len(set(seen)) == total
    assert call(lab, "GET", f"{PATH}?page=x")[1]["error_code"] == "validation_failed"


def test_newer_clients_get_the_newer_error_body(lab: Lab) -> None:
    answer = lab.http(
        "GET",
        f"{PATH}/{uuid.uuid4()}",
        key=lab.keys.service_role_key,
        headers={"X-Supabase-Api-Version": "2024-01-01"},
    )
    assert answer.json() == {"code": "user_not_found", "message": "User not found"}
    assert answer.headers["x-supabase-api-version"] == "2024-01-01"


def test_python_client(lab: Lab) -> None:
    admin = lab.admin().auth.admin
    email = f"{uuid.uuid4().hex}@shop.example"
    user = admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True}).user
    assert admin.get_user_by_id(user.id).user.email == email
    assert admin.update_user_by_id(user.id, {"user_metadata": {"n": 1}}).user.user_metadata["n"] == 1
    assert user.id in {listed.id for listed in admin.list_users(page=1, per_page=1000)}
    with pytest.raises(AuthApiError) as twice:
        admin.create_user({"email": email, "password": PASSWORD})
    assert (twice.value.status, twice.value.code) == (422, "email_exists")
    client = lab.client()
    signed_in = client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    assert signed_in.session is not None
    refreshed = client.auth.refresh_session()
    assert refreshed.session is not None
    assert refreshed.session.access_token != signed_in.session.access_token or refreshed.session.refresh_token
    admin.delete_user(user.id)
    with pytest.raises(AuthApiError) as gone:
        admin.get_user_by_id(user.id)
    assert gone.value.code == "user_not_found"
