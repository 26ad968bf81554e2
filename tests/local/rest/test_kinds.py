"""Kinds of objects and values that the recorded shop has none of."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from local.conform import Server, serve
from tests.support.stack import Shared


@pytest.fixture(scope="module")
def odd(shared: Shared) -> Iterator[Server]:
    """The recorded shop with the objects of kinds.sql."""
    name = f"odd_{shared.worker}_{os.getpid()}"
    with (
        serve(shared.cluster, shared.keys, name, shared.logs) as server,
        psycopg.connect(shared.cluster.superuser_url(name), autocommit=True) as connection,
    ):
        try:
            connection.execute((Path(__file__).parent / "kinds.sql").read_bytes())
            connection.execute("notify pgrst, 'reload schema'")
            yield server
        finally:
            # Roles belong to the cluster, which other tests share.
            connection.execute("alter role anon reset statement_timeout")
            connection.execute('alter role authenticator reset "pgrst.db_pre_request"')


def ask(server: Server, path: str, method: str = "GET", body: Any = None, **headers: str) -> httpx.Response:
    """One call with the secret key; the path is encoded here."""
    named = {"apikey": server.keys.service_role_key, **{k.replace("_", "-"): v for k, v in headers.items()}}
    url = f"{server.gateway.url}/rest/v1/{quote(path, safe='/?&=,.:!()*')}"
    content = None if body is None else json.dumps(body).encode()
    return httpx.request(method, url, headers=named, content=content, timeout=20)


def rows(server: Server, path: str) -> Any:
    """The rows of a read that goes well."""
    answer = ask(server, path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_quoted_names(odd: Server) -> None:
    table = 'Odd "Names"'
    assert rows(odd, f'{table}?select="a.b","c(d)","e:f","g\\"h","हिन्दी",select&"the key"=eq.1') == [
        {"a.b": "dot", "c(d)": "round", "e:f": "colon", 'g"h': "quote", "हिन्दी": "देव", "select": "word"}
    ]
    assert rows(odd, f'{table}?select=x:"a.b"&or=("c(d)".eq.round,"e:f".is.null)&order="g\\"h".desc') == [
        {"x": "dot"}
    ]
    written = ask(odd, table, "POST", {"the key": 2, 'g"h': "new"}, Prefer="return=headers-only")
    assert written.headers["location"] == '/Odd "Names"?the%20key=eq.2'
    changed = ask(odd, f'{table}?"the key"=eq.2', "PATCH", {"a.b": "x"}, Prefer="return=representation")
    assert changed.json()[0]["a.b"] == "x"
    assert ask(odd, f'{table}?"the key"=eq.2', "DELETE").status_code == 204
    assert rows(odd, "rpc/Shout It?the word=hello") == "HELLO"


def test_enums_domains_composites_and_ranges(odd: Server) -> None:
    assert rows(odd, "rooms?select=number,mood&mood=eq.busy&order=site") == [
        {"number": 2, "mood": "busy"},
        {"number": 1, "mood": "busy"},
    ]
    [room] = rows(odd, "rooms?select=full_to,place,open_hours,moods,history&site=eq.1&number=eq.1")
    assert room["place"] == {"x": 1, "y": 2, "Z axis": 3}
    assert room["open_hours"] == '["2026-01-01 09:00:00+00","2026-01-01 17:00:00+00")'
    assert (room["moods"], room["history"]) == (["calm", "busy"], "{[1,3),[5,7)}")
    assert rows(odd, "rooms?select=place->>Z axis&place->x=eq.1") == [{"Z axis": "3"}]
    assert rows(odd, "rooms?select=number&open_hours=cs.[2026-01-01T10:00:00Z,2026-01-01T11:00:00Z]") == [
        {"number": 1}
    ]
    assert rows(odd, "rooms?select=number&moods=cs.{busy}") == [{"number": 1}]
    assert rows(odd, "rooms?select=number&history=ov.{[2,3)}") == [{"number": 1}]
    assert ask(odd, "rooms?mood=eq.wild").json()["code"] == "22P02"
    assert ask(odd, "rooms", "POST", {"site": 9, "number": 9, "full_to": 101}).json()["code"] == "23514"
    made = ask(
        odd,
        "rooms?select=mood,place,moods",
        "POST",
        {"site": 9, "number": 9, "place": {"x": 1, "y": None, "Z axis": 4}, "moods": ["busy"]},
        Prefer="return=representation",
    )
    assert made.json() == [{"mood": "calm", "place": {"x": 1, "y": None, "Z axis": 4}, "moods": ["busy"]}]
    assert ask(odd, "rooms?site=eq.9", "DELETE").status_code == 204


def test_composite_keys_join_on_all_columns(odd: Server) -> None:
    """Rooms of two sites have the same numbers."""
    found = rows(
        odd, "doors?select=id,from:rooms!door_from(site,number),to:rooms!door_to(site,number)&order=id"
    )
    assert found[0] == {"id": 1, "from": {"site": 1, "number": 1}, "to": {"site": 1, "number": 2}}
    assert found[2] == {"id": 3, "from": {"site": 2, "number": 1}, "to": {"site": 2, "number": 1}}
    back = rows(odd, "rooms?select=site,number,doors!door_from(id)&order=site,number")
    assert [[door["id"] for door in room["doors"]] for room in back] == [[1], [2], [3]]
    both = ask(odd, "rooms?select=doors(id)")
    assert (both.status_code, both.json()["code"]) == (300, "PGRST201")


def test_self_references(odd: Server) -> None:
    assert rows(odd, "tasks?select=title,parent(title)&id=eq.2") == [
        {"title": "leaf", "parent": {"title": "root"}}
    ]
    assert rows(odd, "tasks?select=title,below:tasks(title)&id=eq.1&below.order=title") == [
        {"title": "root", "below": [{"title": "leaf"}, {"title": "twig"}]}
    ]


def test_views_relate_as_their_tables_do(odd: Server) -> None:
    assert rows(odd, "busy_rooms?select=site,room,doors!door_from(id)&order=site,room") == [
        {"site": 1, "room": 2, "doors": [{"id": 2}]},
        {"site": 2, "room": 1, "doors": [{"id": 3}]},
    ]
    assert rows(odd, "busy_doors?select=id,busy_rooms!door_from(room)&order=id") == [
        {"id": 1, "busy_rooms": None},
        {"id": 2, "busy_rooms": {"room": 2}},
        {"id": 3, "busy_rooms": {"room": 1}},
    ]


def test_computed_columns_and_relationships(odd: Server) -> None:
    assert rows(odd, "rooms?select=label,doors_out(id)&order=site,number&limit=2") == [
        {"label": "1/1", "doors_out": [{"id": 1}]},
        {"label": "1/2", "doors_out": [{"id": 2}]},
    ]
    assert rows(odd, "rooms?select=number&label=eq.1/2") == [{"number": 2}]
    assert rows(odd, "rooms?select=label,doors_out!inner(id)&doors_out.id=eq.3") == [
        {"label": "2/1", "doors_out": [{"id": 3}]}
    ]


def test_arguments_of_every_kind(odd: Server) -> None:
    assert rows(odd, "rpc/moods?p_moods={busy,calm}") == ["busy", "calm"]
    assert ask(odd, "rpc/moods", "POST", {"p_moods": ["busy"]}).json() == ["busy"]
    assert rows(odd, "rpc/gather?words=a&words=b c") == "a+b c"
    assert ask(odd, "rpc/gather", "POST", {"words": ["x", "y"]}).json() == "x+y"
    assert ask(odd, "rpc/point_of", "POST", {"p": {"x": 1, "y": 2}}).json() == {
        "x": 1,
        "y": 2,
        "Z axis": None,
    }


def test_settings_of_roles_and_functions_hold_before_the_statement(odd: Server) -> None:
    assert rows(odd, "rpc/quick") == "7s"
    headers = {"apikey": odd.keys.anon_key}
    answer = httpx.get(f"{odd.gateway.url}/rest/v1/rpc/label", headers=headers)
    assert answer.status_code == 404
    with psycopg.connect(odd.cluster.superuser_url(odd.database), autocommit=True) as connection:
        connection.execute(
            "create function public.limit_now() returns text language sql stable as"
            " $$ select current_setting('statement_timeout') $$;"
            " grant execute on function public.limit_now() to anon"
        )
    answer = httpx.get(f"{odd.gateway.url}/rest/v1/rpc/limit_now", headers=headers)
    assert answer.json() == "9s"


def test_the_function_before_each_request_may_refuse(odd: Server) -> None:
    for method, path, body in (
        ("GET", "rooms", None),
        ("POST", "rpc/quick", {}),
        ("DELETE", "rooms?site=eq.77", None),
    ):
        refused = ask(odd, path, method, body, X_Refuse="yes")
        assert (refused.status_code, refused.json()["code"], refused.headers["x-why"]) == (
            418,
            "not_today",
            "asked",
        )
        assert ask(odd, path, method, body).status_code < 300


def test_digits_are_postgres_own(odd: Server) -> None:
    """Zeros and long numbers arrive as they are stored, whatever a float would make of them."""
    text = ask(odd, "measures?select=n2,n3,n,big,dbl,doc&id=eq.1").text
    assert '"n2":1180.00' in text
    assert '"n3":1.500' in text
    assert '"n":12345678901234567890.123456789' in text
    assert '"big":9007199254740993' in text
    assert ask(odd, "rpc/echo", "POST", {"value": 1}).text == "1"


@pytest.mark.parametrize(
    "path", ["people?id=eq.1&id=eq.2", "people?id=eq.1&and=(id.eq.2)", "people?id=in.(1)&id=neq.1"]
)
def test_conditions_add_up(odd: Server, path: str) -> None:
    """Two conditions on one column both hold."""
    assert rows(odd, path) == []


def test_a_refused_single_object_leaves_nothing_written(odd: Server) -> None:
    refused = ask(
        odd,
        "people?id=gt.0",
        "PATCH",
        {"name": "Nobody"},
        Accept="application/vnd.pgrst.object+json",
        Prefer="return=representation",
    )
    assert (refused.status_code, refused.json()["code"]) == (406, "PGRST116")
    assert rows(odd, "people?name=eq.Nobody") == []
