"""The real clients, supabase-js and supabase-py, by each documented method of theirs that asks REST."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from postgrest import CountMethod
from postgrest.exceptions import APIError

from local import node
from local.conform import Server
from supabase import Client, ClientOptions, create_client
from tests.local.conftest import HERE


@pytest.fixture
def client(recorded: Server) -> Iterator[Client]:
    """supabase-py with the secret key; what a test wrote is undone."""
    options = ClientOptions(auto_refresh_token=False, persist_session=False)
    yield create_client(recorded.gateway.url, recorded.keys.service_role_key, options)
    recorded.reset()


def rows_of(query: Any) -> list[dict[str, Any]]:
    """The rows that a query answers, typed as what they are here."""
    return cast("list[dict[str, Any]]", query.execute().data)


def test_supabase_js(recorded: Server) -> None:
    environment = {
        **node.environment(),
        "SUPABASE_URL": recorded.gateway.url,
        "SUPABASE_SERVICE_ROLE_KEY": recorded.keys.service_role_key,
    }
    script = HERE / "rest" / "methods.test.mjs"
    loader = (HERE / "packages.mjs").as_uri()
    command = [str(node.node_program()), "--import", loader, "--test", "--test-reporter=spec", str(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    recorded.reset()
    assert done.returncode == 0, done.stdout + done.stderr


FILTERS: dict[str, tuple[str, Callable[[Any], Any], list[int]]] = {
    "eq": ("oddities", lambda q: q.eq("name", 'say "hi"'), [3]),
    "neq": ("tickets", lambda q: q.neq("priority", 3), [3, 4]),
    "gt": ("tickets", lambda q: q.gt("priority", 1), [1, 4]),
    "gte": ("tickets", lambda q: q.gte("priority", 2), [1, 4]),
    "lt": ("tickets", lambda q: q.lt("priority", 2), [3]),
    "lte": ("tickets", lambda q: q.lte("priority", 2), [3, 4]),
    "like": ("oddities", lambda q: q.like("name", "%ound%"), [5]),
    "like_all_of": ("oddities", lambda q: q.like_all_of("name", "%u%,%r%"), [5, 8, 17, 24, 26]),
    "like_any_of": ("oddities", lambda q: q.like_any_of("name", "plain,upper"), [1, 24]),
    "ilike": ("oddities", lambda q: q.ilike("name", "upper"), [23, 24]),
    "ilike_all_of": ("oddities", lambda q: q.ilike_all_of("name", "UP%,%er"), [23, 24]),
    "ilike_any_of": ("oddities", lambda q: q.ilike_any_of("name", "PLAIN,Upper"), [1, 23, 24]),
    "is_": ("oddities", lambda q: q.is_("name", "null"), [14]),
    "in_": ("oddities", lambda q: q.in_("name", ["a,b", "(round)", "it's"]), [2, 5, 21]),
    "contains": ("measures", lambda q: q.contains("words", ["red"]), [1]),
    "contained_by": ("measures", lambda q: q.contained_by("nums", ["1", "2", "3", "4"]), [1, 2, 3]),
    "range_gt": ("measures", lambda q: q.range_gt("r", [0, 2]), [2]),
    "range_gte": ("measures", lambda q: q.range_gte("r", [4, 7]), [2]),
    "range_lt": ("measures", lambda q: q.range_lt("r", [5, 8]), [1]),
    "range_lte": ("measures", lambda q: q.range_lte("r", [0, 5]), [1]),
    "range_adjacent": ("measures", lambda q: q.range_adjacent("r", [9, 12]), [2]),
    "overlaps": ("measures", lambda q: q.overlaps("nums", ["4", "9"]), [2]),
    "text_search": ("measures", lambda q: q.text_search("search", "brown & fox"), [1]),
    "match": ("tickets", lambda q: q.match({"opened_by": 1, "closed_by": 2}), [1]),
    "not_": ("tickets", lambda q: q.not_.is_("closed_by", "null"), [1, 3, 4]),
    "or_": ("tickets", lambda q: q.or_("priority.eq.3,and(opened_by.eq.2,closed_by.is.null)"), [1, 2]),
    "filter": ("tickets", lambda q: q.filter("title", "in", '("Lost key","Late lamp")'), [2, 3]),
    "fts": ("measures", lambda q: q.fts("search", "fox"), [1]),
    "plfts": ("measures", lambda q: q.plfts("search", "lazy dogs"), [2]),
    "phfts": ("measures", lambda q: q.phfts("search", "brown fox"), [1]),
    "wfts": ("measures", lambda q: q.wfts("search", "dogs or bread"), [2, 3]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_python_filters(client: Client, name: str) -> None:
    table, narrow, expected = FILTERS[name]
    found = rows_of(narrow(client.table(table).select("id")).order("id"))
    assert [row["id"] for row in found] == expected


def test_python_modifiers(client: Client) -> None:
    tickets = client.table("tickets")
    ranked = rows_of(tickets.select("id").order("priority", desc=True, nullsfirst=True))
    assert [row["id"] for row in ranked] == [2, 1, 4, 3]
    asked = client.table("oddities").select("id", count=CountMethod.exact).order("id").range(24, 30)
    assert [row["id"] for row in rows_of(asked)] == [25, 26]
    assert asked.execute().count == 26
    head = client.table("oddities").select("*", count=CountMethod.exact, head=True).execute()
    assert (head.data, head.count) == ([], 26)
    inner = client.table("people").select("name, tickets!opened_by!inner(id)").eq("tickets.id", 2).execute()
    assert inner.data == [{"name": "Tom", "tickets": [{"id": 2}]}]
    last = client.table("people").select("name, tickets!opened_by(id)").order("id")
    last = last.order("id", desc=True, foreign_table="tickets").limit(1, foreign_table="tickets")
    assert rows_of(last)[0] == {"name": "Meera", "tickets": [{"id": 3}]}
    assert client.table("people").select("name").eq("id", 1).single().execute().data == {"name": "Meera"}
    assert client.table("people").select("name").eq("id", 99).maybe_single().execute() is None
    assert client.table("people").select("id,name").eq("id", 2).csv().execute().data == "id,name\n2,Tom"
    with pytest.raises(APIError) as refused:
        client.table("nothing").select("*").execute()
    assert refused.value.code == "PGRST205"


def test_python_writes(client: Client) -> None:
    items = client.table("items")
    two: list[dict[str, object]] = [{"sku": "PY-1", "name": "one", "qty": 2}, {"sku": "PY-2", "name": "two"}]
    made = rows_of(items.insert(two, default_to_null=False))
    assert [(row["sku"], row["qty"]) for row in made] == [("PY-1", 2), ("PY-2", 1)]
    merged = rows_of(items.upsert({"sku": "PY-1", "name": "won"}, on_conflict="sku"))
    assert merged[0]["name"] == "won"
    both = [{"sku": "PY-1", "name": "x"}, {"sku": "PY-3", "name": "y"}]
    new = rows_of(items.upsert(both, on_conflict="sku", ignore_duplicates=True))
    assert [row["sku"] for row in new] == ["PY-3"]
    changed = items.update({"qty": 7}, count=CountMethod.exact).like("sku", "PY-%").execute()
    assert (changed.count, len(changed.data)) == (3, 3)
    assert {row["qty"] for row in rows_of(items.delete().like("sku", "PY-%"))} == {7}


def test_python_rpc(client: Client) -> None:
    assert client.rpc("add_up", {"a": 1, "b": 2}).execute().data == 3
    assert client.rpc("add_up", {"a": 1, "b": 2}, get=True).execute().data == 3
    assert client.rpc("count_to", {"n": 5}, head=True, count=CountMethod.exact).execute().count == 5
    products = (
        client.rpc("list_products", {"min_price": 1}).select("sku, brands(name)").eq("sku", "CH-1").execute()
    )
    assert products.data == [{"sku": "CH-1", "brands": {"name": "Malabar"}}]
    with pytest.raises(APIError) as refused:
        client.rpc("add_up", {"a": 1}).execute()
    assert refused.value.code == "PGRST202"
    with pytest.raises(APIError) as hidden:
        client.schema("private").table("people").select("*").execute()
    assert hidden.value.code == "PGRST106"
