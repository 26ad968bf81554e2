"""The REST surface, held to what hosted PostgREST answers."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, cast

import pytest
from jose import jwt
from postgrest import APIResponse, CountMethod
from postgrest.exceptions import APIError

from tests.local.conftest import PASSWORD, Lab

ORG = "00000000-0000-4000-8000-000000000001"
SHOP = "00000000-0000-4000-8000-00000000000a"


@pytest.fixture(scope="module")
def token(lab: Lab) -> str:
    """The access token of somebody."""
    return str(lab.session()["access_token"])


def digits(text: str) -> Any:
    """JSON with every number left as its text."""
    return json.loads(text, parse_float=str, parse_int=str)


def test_values_have_postgres_own_json(lab: Lab, token: str) -> None:
    """Every column and embedded row reads as `to_json` prints it, digit by digit."""
    answer = lab.http("GET", "/rest/v1/gw_items?sku=eq.SOFA&select=*,gw_parts(*)", token=token)
    [expected] = lab.sql(
        "select json_build_array(to_jsonb(i) || jsonb_build_object('gw_parts',"
        " (select jsonb_agg(p) from public.gw_parts p where item_id = i.id)))::text as text"
        " from public.gw_items i where sku = 'SOFA'"
    )
    assert digits(answer.text) == digits(expected["text"])
    [row] = json.loads(answer.text, parse_float=Decimal)
    assert str(row["price"]) == "1180.00"
    assert row["big"] == 9007199254740993
    assert row["made_at"] == "2026-11-21T02:43:48.5+00:00"
    assert row["opened"] == "2026-11-21T08:00:00"
    assert str(row["gw_parts"][0]["quantity"]) == "4.000"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rpc_returns_the_databases_own_digits(lab: Lab, method: str) -> None:
    answer = lab.http(method, "/rest/v1/rpc/gw_document", content=b"{}" if method == "POST" else None)
    document = json.loads(answer.text, parse_float=Decimal)
    assert str(document["total"]) == "1180.00"
    assert str(document["exact"]) == "12345678901234567890.123456789"
    assert str(document["lines"][0]["quantity"]) == "1.000"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"a": [1, {"b": "c"}]}, 'object {"a": [1, {"b": "c"}]}'),
        ([{"quantity": 1.5}], 'array [{"quantity": 1.5}]'),
        ({}, "object {}"),
        ([], "array []"),
        ("plain", 'string "plain"'),
        ('{"looks": "like JSON"}', r'string "{\"looks\": \"like JSON\"}"'),
        (7, "number 7"),
        (True, "boolean true"),
        (None, "missing "),
    ],
)
def test_json_arrives_as_it_was_sent(lab: Lab, token: str, value: Any, kind: str) -> None:
    """As an argument, what the client sent is what the database gets: nothing is wrapped twice."""
    answer = lab.http("POST", "/rest/v1/rpc/gw_kind", token=token, json={"p_value": value})
    assert answer.json() == kind
    if isinstance(value, dict | list):
        read = lab.http("GET", "/rest/v1/rpc/gw_kind", token=token, params={"p_value": json.dumps(value)})
        assert read.json() == kind


@pytest.mark.parametrize("value", [{"a": [1, {"b": "c"}]}, [{"quantity": 1.5}], {}, []])
def test_documents_are_stored_as_they_were_sent(lab: Lab, token: str, value: Any) -> None:
    row = {"org_id": ORG, "sku": f"DOC-{json.dumps(value)}", "doc": value}
    headers = {"Prefer": "return=representation"}
    stored = lab.http("POST", "/rest/v1/gw_items", token=token, json=row, headers=headers)
    assert stored.json()[0]["doc"] == value


def test_request_runs_as_authenticator_in_the_callers_role(lab: Lab, token: str) -> None:
    answer = lab.http(
        "POST", "/rest/v1/rpc/gw_whoami", token=token, json={}, headers={"X-Request-Id": "r-1"}
    ).json()
    assert (answer["role"], answer["login"]) == ("authenticated", "authenticator")
    assert answer["search_path"] == '"public", "extensions"'
    assert (answer["method"], answer["path"], answer["request_id"]) == ("POST", "/rpc/gw_whoami", "r-1")


def test_table_writes_see_the_request_headers(lab: Lab, token: str) -> None:
    body = {"org_id": ORG, "sku": "HEADER"}
    headers = {"X-Request-Id": "r-2", "Prefer": "return=representation"}
    answer = lab.http("POST", "/rest/v1/gw_items", token=token, json=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json()[0]["request_id"] == "r-2"


def test_claims_of_one_request_never_reach_the_next(lab: Lab) -> None:
    """Many callers at once over few connections, failures among them: each sees only itself."""
    people = [lab.session() for _ in range(6)]

    def ask(turn: int) -> bool:
        person = people[turn % len(people)] if turn % 7 else None
        token = person["access_token"] if person else None
        if turn % 5 == 0:
            lab.http("POST", "/rest/v1/rpc/gw_raise", token=token, json={"p_code": "PT409"})
        answer = lab.http(
            "POST", "/rest/v1/rpc/gw_whoami", token=token, json={}, headers={"X-Request-Id": str(turn)}
        ).json()
        expected = ("authenticated", person["user"]["id"]) if person else ("anon", None)
        return (answer["role"], answer["uid"], answer["request_id"]) == (*expected, str(turn))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(240)))
    idle = lab.sql(
        "select distinct usename from pg_stat_activity"
        " where datname = current_database() and application_name = 'postgrest'",
        role="supabase_admin",
    )
    assert idle == [{"usename": "supabase_admin"}]


def test_connections_stay_few(lab: Lab, token: str) -> None:
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda _: lab.http("GET", "/rest/v1/gw_items", token=token), range(120)))
    [row] = lab.sql(
        "select count(*) as open from pg_stat_activity"
        " where datname = current_database() and application_name = 'postgrest'",
        role="supabase_admin",
    )
    assert row["open"] <= 13, "ten for requests, two for the administration of users, one that listens"


@pytest.mark.parametrize("role", ["postgres", "supabase_admin", "supabase_auth_admin", "pg_read_all_data"])
def test_token_cannot_take_a_role_that_is_not_for_clients(lab: Lab, role: str) -> None:
    forged = jwt.encode(
        {"role": role, "sub": SHOP, "exp": 4102444800}, lab.keys.jwt_secret, algorithm="HS256"
    )
    answer = lab.http("GET", "/rest/v1/gw_items", token=forged)
    assert (answer.status_code, answer.json()["code"]) == (403, "42501")


def test_unknown_role_is_unauthorized(lab: Lab) -> None:
    forged = jwt.encode({"role": "nobody", "exp": 4102444800}, lab.keys.jwt_secret, algorithm="HS256")
    answer = lab.http("GET", "/rest/v1/gw_items", token=forged)
    assert (answer.status_code, answer.json()["code"]) == (401, "22023")


def test_function_cannot_climb_to_another_role(lab: Lab, token: str) -> None:
    for role in ("postgres", "supabase_admin"):
        answer = lab.http("POST", "/rest/v1/rpc/gw_take_role", token=token, json={"p_role": role})
        assert (answer.status_code, answer.json()["code"]) == (403, "42501")


@pytest.mark.parametrize(
    ("secret", "claims", "code"),
    [
        ("x" * 40, {"role": "authenticated", "exp": 4102444800}, "PGRST301"),
        (None, {"role": "authenticated", "exp": 1000000000}, "PGRST303"),
    ],
)
def test_bad_token_is_unauthorized(
    lab: Lab, secret: str | None, claims: dict[str, object], code: str
) -> None:
    forged = jwt.encode(claims, secret or lab.keys.jwt_secret, algorithm="HS256")
    answer = lab.http("GET", "/rest/v1/gw_items", token=forged)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_bearer_that_is_no_token_is_unauthorized(lab: Lab) -> None:
    answer = lab.http("GET", "/rest/v1/gw_items", token="nonsense")
    assert (answer.status_code, answer.json()["code"]) == (401, "PGRST301")
    assert answer.json()["message"] == "Expected 3 parts in JWT; got 1"


def test_missing_and_unknown_keys_are_refused(lab: Lab) -> None:
    assert lab.http("GET", "/rest/v1/gw_items", key="").json()["message"] == "No API key found in request"
    assert (
        lab.http("GET", "/rest/v1/gw_items", key="sb_publishable_other").json()["message"]
        == "Invalid API key"
    )
    assert lab.http("GET", "/rest/v1/gw_items", key="").status_code == 401


def test_grants_decide(lab: Lab, token: str) -> None:
    anonymous = lab.http("GET", "/rest/v1/gw_items")
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "42501")
    signed_in = lab.http("DELETE", "/rest/v1/gw_items?id=eq.1", token=token)
    assert (signed_in.status_code, signed_in.json()["code"]) == (403, "42501")
    service = lab.http(
        "POST",
        "/rest/v1/gw_parts",
        key=lab.keys.service_role_key,
        json={"id": 5, "item_id": 1, "quantity": 1},
    )
    assert (service.status_code, service.json()["code"]) == (403, "42501")


def test_row_level_security_decides(lab: Lab, token: str) -> None:
    body = {"org_id": ORG, "sku": "FOREIGN", "owner": SHOP}
    answer = lab.http("POST", "/rest/v1/gw_items", token=token, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "42501")
    assert "row-level security" in answer.json()["message"]
    changed = lab.http(
        "PATCH",
        "/rest/v1/gw_items?sku=eq.SOFA",
        token=token,
        json={"price": 1},
        headers={"Prefer": "return=representation"},
    )
    assert (changed.status_code, changed.json()) == (200, [])


@pytest.mark.parametrize(
    ("sqlstate", "status"),
    [
        ("PT409", 409),
        ("PT422", 422),
        ("PT403", 403),
        ("PT401", 401),
        ("P0001", 400),
        ("23505", 409),
        ("23503", 409),
        ("23514", 400),
        ("23P01", 400),
        ("42501", 401),
        ("40001", 500),
        ("57014", 500),
        ("22023", 400),
        ("P0002", 500),
    ],
)
def test_raised_error_has_postgrests_status_and_body(lab: Lab, sqlstate: str, status: int) -> None:
    answer = lab.http("POST", "/rest/v1/rpc/gw_raise", json={"p_code": sqlstate})
    assert answer.status_code == status
    assert answer.json()["code"] == sqlstate
    assert answer.json()["message"] == "No stock"
    assert json.loads(answer.json()["details"]) == {"code": "insufficient_stock"}


def test_constraint_violation_rolls_back(lab: Lab, token: str) -> None:
    rows = [{"org_id": ORG, "sku": "FIRST"}, {"org_id": ORG, "sku": "SOFA"}]
    answer = lab.http("POST", "/rest/v1/gw_items", token=token, json=rows)
    assert (answer.status_code, answer.json()["code"]) == (409, "23505")
    assert lab.sql("select 1 from public.gw_items where sku = 'FIRST'") == []
    negative = lab.http(
        "POST", "/rest/v1/gw_items", token=token, json={"org_id": ORG, "sku": "NEG", "price": -1}
    )
    assert (negative.status_code, negative.json()["code"]) == (400, "23514")


def test_get_cannot_write(lab: Lab, token: str) -> None:
    answer = lab.http("GET", "/rest/v1/rpc/gw_write?p_id=77", token=token)
    assert (answer.status_code, answer.json()["code"]) == (405, "25006")
    assert answer.json()["message"] == "cannot execute INSERT in a read-only transaction"
    assert lab.http("POST", "/rest/v1/rpc/gw_write", token=token, json={"p_id": 77}).json() == 77
    lab.sql("delete from public.gw_parts where id = 77")


def test_stable_function_cannot_write_even_by_post(lab: Lab, token: str) -> None:
    answer = lab.http("POST", "/rest/v1/rpc/gw_sneaky", token=token, json={})
    assert answer.status_code in (400, 405)
    assert lab.sql("select 1 from public.gw_parts where id = 999") == []


def test_unknown_names_are_answered_as_postgrest_does(lab: Lab, token: str) -> None:
    table = lab.http("GET", "/rest/v1/gw_nothing", token=token)
    assert (table.status_code, table.json()["code"]) == (404, "PGRST205")
    assert table.json()["message"] == "Could not find the table 'public.gw_nothing' in the schema cache"
    function = lab.http("POST", "/rest/v1/rpc/gw_nothing", token=token, json={"p_a": 1})
    assert (function.status_code, function.json()["code"]) == (404, "PGRST202")
    column = lab.http("GET", "/rest/v1/gw_items?select=nothing", token=token)
    assert (column.status_code, column.json()["code"]) == (400, "42703")
    private = lab.http(
        "POST",
        "/rest/v1/rpc/custom_access_token",
        token=token,
        json={"event": {}},
        headers={"Content-Profile": "private"},
    )
    assert (private.status_code, private.json()["code"]) == (406, "PGRST106")


def test_migration_is_seen_without_a_restart(lab: Lab, token: str) -> None:
    lab.sql("create function public.gw_fresh() returns int language sql stable as 'select 7'")
    assert lab.http("POST", "/rest/v1/rpc/gw_fresh", token=token, json={}).json() == 7
    lab.sql(
        "create table public.gw_later (id int primary key);"
        " grant select, insert on public.gw_later to authenticated"
    )
    assert lab.http("GET", "/rest/v1/gw_later", token=token).json() == []
    for _ in range(12):
        lab.http("GET", "/rest/v1/gw_later", token=token)
    lab.sql("alter table public.gw_later add column name text default 'x'")
    answer = lab.http(
        "POST",
        "/rest/v1/gw_later",
        token=token,
        json={"id": 1, "name": "y"},
        headers={"Prefer": "return=representation"},
    )
    assert answer.json() == [{"id": 1, "name": "y"}]
    with ThreadPoolExecutor(10) as pool:
        assert {
            answer.status_code
            for answer in pool.map(lambda _: lab.http("GET", "/rest/v1/gw_later", token=token), range(30))
        } == {200}
    lab.sql("drop table public.gw_later; drop function public.gw_fresh()")


def rows_of(answer: APIResponse) -> list[dict[str, Any]]:
    """The rows of an answer, typed as what they are here."""
    return cast("list[dict[str, Any]]", answer.data)


def test_python_client_pages_filters_counts_and_upserts(lab: Lab) -> None:
    client = lab.client()
    user = lab.make_user()
    client.auth.sign_in_with_password({"email": user["email"], "password": PASSWORD})
    rows = [
        {"org_id": ORG, "sku": f"PY-{number:02}", "price": number, "shop_id": SHOP} for number in range(12)
    ]
    assert len(client.table("gw_items").insert(rows).execute().data) == 12
    page = (
        client.table("gw_items")
        .select("sku", count=CountMethod.exact)
        .like("sku", "PY-%")
        .order("sku")
        .range(5, 7)
        .execute()
    )
    assert [row["sku"] for row in rows_of(page)] == ["PY-05", "PY-06", "PY-07"]
    assert page.count == 12
    changed = (
        client.table("gw_items")
        .upsert(
            [{"org_id": ORG, "sku": "PY-00", "price": 99}, {"org_id": ORG, "sku": "PY-99", "price": 5}],
            on_conflict="org_id,sku",
        )
        .execute()
    )
    assert sorted(row["price"] for row in rows_of(changed)) == [5, 99]
    ignored = (
        client.table("gw_items")
        .upsert(
            [{"org_id": ORG, "sku": "PY-00", "price": 1}, {"org_id": ORG, "sku": "PY-98", "price": 2}],
            on_conflict="org_id,sku",
            ignore_duplicates=True,
        )
        .execute()
    )
    assert [row["sku"] for row in rows_of(ignored)] == ["PY-98"]
    single = client.table("gw_items").select("sku, price").eq("sku", "PY-00").single().execute()
    assert single.data == {"sku": "PY-00", "price": 99}
    with pytest.raises(APIError) as missing:
        client.table("gw_items").select("*").eq("sku", "none").single().execute()
    assert missing.value.code == "PGRST116"


def test_rows_embed_over_a_composite_foreign_key(lab: Lab, token: str) -> None:
    """The shop's id alone is not unique: both columns of the key must join."""
    answer = lab.http(
        "GET", "/rest/v1/gw_items?sku=eq.SOFA&select=sku,shop:gw_shops(name),gw_parts(id)", token=token
    )
    assert answer.json() == [{"sku": "SOFA", "shop": {"name": "North"}, "gw_parts": [{"id": 1}]}]
    back = lab.http(
        "GET",
        f"/rest/v1/gw_shops?org_id=eq.{ORG}&select=name,gw_items!inner(sku)&gw_items.sku=eq.SOFA",
        token=token,
    )
    assert back.json() == [{"name": "North", "gw_items": [{"sku": "SOFA"}]}]


def test_set_returning_function_takes_filters(lab: Lab, token: str) -> None:
    answer = lab.http(
        "POST",
        "/rest/v1/rpc/gw_search?select=sku,price&price=gt.100&order=sku&limit=1",
        token=token,
        json={"p_text": "so"},
        headers={"Prefer": "count=exact"},
    )
    assert answer.json() == [{"sku": "SOFA", "price": 1180.0}]
    assert answer.headers["content-range"].endswith("/1")


def test_browser_is_let_in(lab: Lab) -> None:
    for path in ("/rest/v1/gw_items", "/auth/v1/token", "/auth/v1/admin/users"):
        asked = {
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "apikey,x-request-id",
        }
        answer = lab.http("OPTIONS", path, key="", headers=asked)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-headers"] == "apikey,x-request-id"
        assert "PATCH" in answer.headers["access-control-allow-methods"]
    refused = lab.http("GET", "/rest/v1/gw_items")
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in refused.headers["access-control-expose-headers"]
