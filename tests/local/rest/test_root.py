"""The root describes the API as PostgREST's does, to the role that asks."""

from typing import Any

import httpx
import pytest

from local.conform import Server


def root(server: Server, key: str, **headers: str) -> dict[str, Any]:
    """The description that a key's role gets."""
    answer = httpx.get(f"{server.gateway.url}/rest/v1/", headers={"apikey": key, **headers})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/openapi+json; charset=utf-8"
    described: dict[str, Any] = answer.json()
    return described


def test_it_is_openapi_2(recorded: Server) -> None:
    described = root(recorded, recorded.keys.anon_key)
    assert described["swagger"] == "2.0"
    assert described["basePath"] == "/rest/v1"
    assert described["host"] == recorded.gateway.url.removeprefix("http://")


def test_each_role_sees_what_it_may_use(recorded: Server) -> None:
    anon = root(recorded, recorded.keys.anon_key)
    service = root(recorded, recorded.keys.service_role_key)
    assert "/people" in anon["paths"]
    assert not {"/vault", "/customers", "/rpc/only_service", "/rpc/bump"} & set(anon["paths"])
    assert {"/vault", "/customers", "/rpc/only_service", "/rpc/bump"} <= set(service["paths"])
    assert anon["definitions"].keys() < service["definitions"].keys()


def test_tables_and_columns(recorded: Server) -> None:
    described = root(recorded, recorded.keys.service_role_key)
    tickets = described["definitions"]["tickets"]
    assert tickets["required"] == ["id", "title", "opened_by"]
    assert tickets["properties"]["id"] == {
        "description": "Note:\nThis is a Primary Key.<pk/>",
        "format": "integer",
        "type": "integer",
    }
    assert tickets["properties"]["opened_by"]["description"] == (
        "Note:\nThis is a Foreign Key to `people.id`.<fk table='people' column='id'/>"
    )
    items = described["definitions"]["items"]["properties"]
    assert items["tags"] == {"format": "text[]", "items": {"type": "string"}, "type": "array"}
    assert items["kind"] == {"default": "plain", "format": "text", "type": "string"}
    assert (items["qty"]["default"], items["active"]["default"]) == (1, True)
    assert described["definitions"]["measures"]["properties"]["fixed"]["maxLength"] == 5
    assert set(described["paths"]["/status_totals"]) == {"get"}
    assert set(described["paths"]["/people"]) == {"get", "post", "patch", "delete"}


def test_functions(recorded: Server) -> None:
    described = root(recorded, recorded.keys.service_role_key)
    assert set(described["paths"]["/rpc/bump"]) == {"post"}
    greet = described["paths"]["/rpc/greet"]
    assert [(p["name"], p["required"]) for p in greet["get"]["parameters"]] == [
        ("name", True),
        ("greeting", False),
    ]
    body = greet["post"]["parameters"][0]["schema"]
    assert body["required"] == ["name"]
    assert body["properties"]["greeting"] == {"format": "text", "type": "string"}


def test_references_lead_somewhere(recorded: Server) -> None:
    described = root(recorded, recorded.keys.service_role_key)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [name for entry in value.values() for name in references(entry)]
        return [name for entry in value for name in references(entry)] if isinstance(value, list) else []

    for reference in set(references(described)):
        _, kind, name = reference.split("/", 2)
        assert name in described[kind]


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), ("*/*", 200), ("text/csv", 406)])
def test_it_is_json_only(recorded: Server, accept: str, status: int) -> None:
    headers = {"apikey": recorded.keys.anon_key, "Accept": accept}
    assert httpx.get(f"{recorded.gateway.url}/rest/v1/", headers=headers).status_code == status


def test_head_and_options(recorded: Server) -> None:
    headers = {"apikey": recorded.keys.anon_key}
    assert httpx.head(f"{recorded.gateway.url}/rest/v1/", headers=headers).content == b""
    assert (
        httpx.options(f"{recorded.gateway.url}/rest/v1/", headers=headers).headers["allow"]
        == "OPTIONS,GET,HEAD"
    )
    assert httpx.post(f"{recorded.gateway.url}/rest/v1/", headers=headers).json()["code"] == "PGRST117"
