"""Random queries of the grammar: whatever is asked, the answer is one that PostgREST would give.

An SQL error that only a wrongly built statement can raise (a syntax error, an unknown alias, a parameter
without a type) is a fault of ours, as is any 5xx. A column can be ambiguous: `...labels(*,name)` asks twice.
"""

import json
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.conform import Server, token


def words(text: str) -> list[str]:
    """The words of a text, which read better than a list of texts."""
    return text.split()


# What a client can bring about: bad values, unknown names, missing rights, breaches of constraints.
ALLOWED = set(
    words("""22P02 22003 22007 22008 22012 22023 22P03 22P05 2201B 2201X 22025 22000 22019 22021 42703 42883
    42804 42846 42704 42501 42725 42803 428C9 42P10 23502 23503 23505 23514 21000 25006 22001 42P13 42809
    42601 2200H 22030 42702""")
)
# Kinds of columns by table, and what they embed.
TABLES = {
    "people": {"id": "number", "name": "text", "initials": "text"},
    "tickets": {"id": "number", "title": "text", "opened_by": "number", "priority": "number"},
    "categories": {"id": "number", "parent_id": "number", "name": "text"},
    "oddities": {
        "id": "number",
        "name": "text",
        "Mixed Case": "text",
        "with,comma": "text",
        "order": "number",
    },
    "measures": {
        **dict.fromkeys(words("id n2 n3 n small big dbl"), "number"),
        **dict.fromkeys(words("ts local_ts d"), "date"),
        "u": "uuid",
        "words": "list",
        "nums": "list",
        "doc": "json",
        "ok": "truth",
        "r": "range",
        "fixed": "text",
        "search": "search",
        "raw": "json",
    },
    "products": {
        **dict.fromkeys(words("org_id id brand_id"), "uuid"),
        "sku": "text",
        "name": "text",
        "price": "number",
        "tags": "list",
        "attributes": "json",
    },
    "invoices": {"id": "uuid", "number": "text", "total": "number", "due_on": "date", "meta": "json"},
    "invoice_lines": {"invoice_id": "uuid", "position": "number", "quantity": "number"},
    "open_invoices": {"id": "uuid", "number": "text", "total": "number"},
    "customers": {"id": "uuid", "name": "text", "credit_limit": "number"},
    "items": {
        "id": "number",
        "sku": "text",
        "qty": "number",
        "tags": "list",
        "doc": "json",
        "active": "truth",
    },
}
EMBEDS = {
    "people": words("tickets!opened_by tickets!closed_by x:tickets!opened_by tickets!tickets_opened_by_fkey"),
    "tickets": words("people!opened_by people!closed_by opened_by x:people!opened_by"),
    "categories": words("products parent_id categories x:categories!parent_id"),
    "products": words("brands categories labels product_labels product_details invoice_lines organizations"),
    "invoices": words("customers branches invoice_lines credit_notes organizations products"),
    "invoice_lines": words("invoices products"),
    "open_invoices": words("customers branches invoice_lines"),
    "customers": words("invoices organizations open_invoices"),
    "items": words("item_parts item_refs"),
}
WILD_EMBEDS = words("nothing people tickets labels!product_labels brands!products_org_id_brand_id_fkey")
OPERATORS = {
    "number": words("eq neq gt gte lt lte in is isdistinct not.eq not.in eq(any) gte(all)"),
    "date": words("eq neq gt lte in is not.gt"),
    "text": words("eq neq like ilike match imatch in is fts wfts(english) like(any) ilike(all) not.like gt"),
    "uuid": words("eq neq in is not.eq"),
    "list": words("cs cd ov eq is not.cs"),
    "json": words("cs cd is not.is"),
    "truth": words("eq is not.is in"),
    "range": words("cs cd ov sl sr nxr nxl adj eq"),
    "search": words("fts plfts phfts(english) wfts not.fts"),
}
UUID = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
TYPED = {
    "number": ["1", "0", "-1", "3.50", "9007199254740993"],
    "date": ["2026-04-01", "2026-04-01T10:00:00Z", "infinity"],
    "text": ["Chair", "*a*", "%", "हिन्दी", "🪑", '24"', "a,b", "(round)", "it's", "", "^a"],
    "uuid": [UUID, "c0000000-0000-4000-8000-000000000001"],
    "list": ["{}", "{1,2}", '{"1","2"}'],
    "json": ['{"a": 1}', "[]", '"x"', "null"],
    "truth": ["true", "false"],
    "range": ["[1,5)", "empty", "[5,10)"],
    "search": ["fox", "brown", "lazy"],
}
USUAL = words("""1.50 not_null unknown {"a_b","c,d"} () ("x,y","z\\"") a&b 9223372036854775808 ' \\ $1 ;-- NaN
    10:00 \\x00ff [ {1,2} null""")
WILD = st.one_of(st.sampled_from([*USUAL, "", " ", "1 day"]), st.text(max_size=12))
CASTS = ["", "", "", "", "::text", "::text", "::jsonb"]
WILD_CASTS = [*words("::int ::numeric ::date ::boolean ::nothing"), "::double precision"]
PATHS = words("""->a ->>a ->b->>c ->0 ->>-1 ->'x' ->"q" """)
ALIASES = ["", "", "", "", "a:", '"b c":', "name:"]


def mostly(usual: st.SearchStrategy[str], wild: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What makes sense, and now and then what does not."""
    return st.integers(0, 11).flatmap(lambda turn: usual if turn else wild)


def named(name: str) -> str:
    """A column as it is written in a query."""
    return name if name.replace("_", "").isalnum() else '"' + name.replace('"', '\\"') + '"'


def columns(table: str) -> st.SearchStrategy[str]:
    """The name of a column, as it is in the catalogue."""
    usual = st.sampled_from(sorted(TABLES.get(table, {"id": "", "name": ""})))
    return mostly(usual, st.sampled_from(["nothing", "id", "name"]))


def kind(table: str, column: str) -> str:
    return TABLES.get(table, {}).get(column, "number")


@st.composite
def field(draw: st.DrawFn, table: str) -> str:
    if draw(st.integers(0, 7)) == 0:
        return draw(mostly(st.just("*"), st.sampled_from(["count()", "id.sum()", "n:id.max()::text", "*x"])))
    column = draw(columns(table))
    path = draw(st.sampled_from(PATHS)) if kind(table, column) == "json" and draw(st.booleans()) else ""
    cast = draw(mostly(st.sampled_from(CASTS), st.sampled_from(WILD_CASTS)))
    return f"{draw(st.sampled_from(ALIASES))}{named(column)}{path}{cast}"


@st.composite
def selection(draw: st.DrawFn, table: str, depth: int) -> str:
    parts = draw(st.lists(field(table), min_size=1, max_size=3))
    if depth > 0:
        usual = st.sampled_from(EMBEDS.get(table, WILD_EMBEDS))
        for name in draw(st.lists(mostly(usual, st.sampled_from(WILD_EMBEDS)), max_size=2, unique=True)):
            target = {"opened_by": "people", "parent_id": "categories"}.get(
                name, name.split(":")[-1].split("!")[0]
            )
            join = draw(st.sampled_from(["", "", "!inner", "!left"]))
            spread = draw(st.sampled_from(["", "", "..."])) if ":" not in name else ""
            parts.append(f"{spread}{name}{join}({draw(selection(target, depth - 1))})")
    return ",".join(parts)


@st.composite
def operation(draw: st.DrawFn, of: str) -> str:
    every = sorted({name for names in OPERATORS.values() for name in names} | {"foo"})
    operator = draw(mostly(st.sampled_from(OPERATORS[of]), st.sampled_from(every)))
    usual = st.sampled_from(TYPED[of])
    name = operator.removeprefix("not.")
    if name == "is":
        usual = st.sampled_from(["null", "not_null", *(["true", "unknown"] if of == "truth" else [])])
    if name == "in":
        usual = st.lists(usual, max_size=3).map(lambda many: "(" + ",".join(map(quoted, many)) + ")")
    if name.endswith(")"):
        usual = st.lists(usual, max_size=2).map(lambda many: "{" + ",".join(map(quoted, many)) + "}")
    return f"{operator}.{draw(mostly(usual, WILD))}"


def quoted(value: str) -> str:
    """A member of a list."""
    return value if value.isalnum() else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def condition(draw: st.DrawFn, table: str) -> tuple[str, str]:
    column = draw(columns(table))
    of = kind(table, column)
    if of == "json" and draw(st.booleans()):
        return named(column) + draw(st.sampled_from(PATHS)), draw(operation("text"))
    return named(column), draw(operation(of))


@st.composite
def logic(draw: st.DrawFn, table: str, depth: int = 2) -> str:
    parts = [".".join(pair) for pair in draw(st.lists(condition(table), min_size=1, max_size=3))]
    if depth > 0 and draw(st.booleans()):
        parts.append(
            f"{draw(st.sampled_from(['and', 'or', 'not.and', 'not.or']))}{draw(logic(table, depth - 1))}"
        )
    return f"({','.join(parts)})"


@st.composite
def order(draw: st.DrawFn, table: str, embedded: list[str]) -> str:
    terms = []
    for _ in range(draw(st.integers(1, 2))):
        column = named(draw(columns(table)))
        related = draw(
            mostly(st.just(column), st.sampled_from([f"{name}(id)" for name in [*embedded, "people"]]))
        )
        usual = st.sampled_from(["", ".asc", ".desc", ".desc.nullslast", ".nullsfirst"])
        terms.append(related + draw(mostly(usual, st.just(".up"))))
    return ",".join(terms)


@st.composite
def query(draw: st.DrawFn, table: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    if draw(st.booleans()):
        parts.append(("select", draw(selection(table, 2))))
    # What the first level embeds can be filtered, ordered and limited by its name.
    text = parts[0][1] if parts else ""
    embedded = [
        name.split(":")[0].split("!")[0]
        for name in EMBEDS.get(table, [])
        if f"{name}(" in text or f"{name}!" in text
    ]
    parts += draw(st.lists(condition(table), max_size=2))
    prefix = draw(mostly(st.sampled_from(["", "", *(f"{name}." for name in embedded)]), st.just("labels.")))
    target = table if prefix == "" else prefix[:-1]
    if draw(st.integers(0, 3)) == 0:
        parts.append((prefix + draw(st.sampled_from(["and", "or", "not.or"])), draw(logic(target))))
    if draw(st.integers(0, 2)) == 0:
        parts.append((prefix + "order", draw(order(target, embedded if prefix == "" else []))))
    if draw(st.integers(0, 3)) == 0:
        # A limit below zero in an embed is what PostgREST itself ends with 500 for.
        parts.append((prefix + "limit", draw(st.sampled_from(["1", "5", "x", "99999999999999999999"]))))
    if draw(st.integers(0, 4)) == 0:
        parts.append(("offset", draw(st.sampled_from(["0", "1", "7"]))))
    return parts


TABLE = st.sampled_from(sorted(TABLES))
CALLS = TABLE.flatmap(lambda table: st.tuples(st.just(table), query(table)))
ROLES = st.sampled_from(["anon", "authenticated", "service_role"])
ACCEPTS = mostly(
    st.sampled_from(["*/*", "text/csv"]), st.sampled_from(["application/vnd.pgrst.object+json", "a/b"])
)
COUNTS = mostly(
    st.sampled_from(["", "count=exact", "count=planned", "count=estimated"]), st.just("handling=strict, foo")
)
SLOW = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def send(server: Server, method: str, path: str, role: str, **more: Any) -> httpx.Response:
    """One call as somebody of the recorded shop."""
    sub = {"sub": "11111111-1111-4111-8111-111111111111"} if role == "authenticated" else {}
    headers = {
        "apikey": server.keys.anon_key,
        "Authorization": f"Bearer {token(server.keys.jwt_secret, {'role': role, **sub})}",
        **more.pop("headers", {}),
    }
    return httpx.request(method, f"{server.gateway.url}/rest/v1/{path}", headers=headers, timeout=20, **more)


def written(parts: list[tuple[str, str]]) -> str:
    """A query string."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parts)


def judge(answer: httpx.Response) -> None:
    """Assert that the answer is one that PostgREST gives."""
    assert answer.status_code < 500, answer.text
    if answer.status_code < 300:
        return
    body = answer.json()
    assert set(body) == {"code", "details", "hint", "message"}
    assert body["code"].startswith("PGRST") or body["code"] in ALLOWED, answer.text
    # Syntax is the client's only in what Postgres parses for him: searches and casts.
    assert body["code"] != "42601" or "tsquery" in body["message"] or "::" in str(answer.request.url), (
        answer.text
    )
    assert body["code"] != "42703" or "nothing" in body["message"] or "does not exist" in body["message"]


@SLOW
@given(call=CALLS, role=ROLES, accept=ACCEPTS, prefer=COUNTS)
def test_reads(recorded: Server, call: Any, role: str, accept: str, prefer: str) -> None:
    table, parts = call
    headers = {"Accept": accept, **({"Prefer": prefer} if prefer else {})}
    judge(send(recorded, "GET", f"{table}?{written(parts)}", role, headers=headers))


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
PREFERS = st.lists(
    st.sampled_from(
        words("""return=representation return=minimal return=headers-only count=exact missing=default
        resolution=merge-duplicates resolution=ignore-duplicates handling=strict max-affected=1""")
    ),
    max_size=3,
)
WRITES = st.sampled_from(["POST", "PATCH", "PUT", "DELETE"])


@st.composite
def rows(draw: st.DrawFn) -> str:
    known = st.sampled_from(["id", "sku", "name", "qty", "price", "tags", "doc"])
    names = draw(st.lists(mostly(known, st.just("nothing")), max_size=3, unique=True))
    row = st.fixed_dictionaries(dict.fromkeys(names, JSON_VALUES))
    value = draw(st.one_of(row, st.lists(row, max_size=2), JSON_VALUES))
    return json.dumps(value)


@SLOW
@given(method=WRITES, body=rows(), parts=query("items"), prefer=PREFERS, role=ROLES)
def test_writes(recorded: Server, method: str, body: str, parts: Any, prefer: list[str], role: str) -> None:
    headers = {"Content-Type": "application/json", **({"Prefer": ", ".join(prefer)} if prefer else {})}
    content = None if method == "DELETE" else body.encode()
    judge(send(recorded, method, f"items?{written(parts)}", role, headers=headers, content=content))


FUNCTIONS = {
    "add_default": ["a", "b"],
    "greet": ["name", "greeting"],
    "echo": ["value"],
    "echo_date": ["value"],
    "sum_all": ["numbers"],
    "join_all": ["words"],
    "count_to": ["n"],
    "list_products": ["min_price"],
    "rates_table": ["min_rate"],
    "split_number": ["n"],
    "raw_json": [],
}


@SLOW
@given(
    data=st.data(),
    name=st.sampled_from(sorted(FUNCTIONS)),
    method=st.sampled_from(["GET", "POST"]),
    role=ROLES,
)
def test_calls(recorded: Server, data: st.DataObject, name: str, method: str, role: str) -> None:
    keys = [*FUNCTIONS[name], "extra"]
    chosen = data.draw(st.lists(st.sampled_from(keys), max_size=2, unique=True))
    parts = data.draw(query("products" if name == "list_products" else "people"))
    if name == "count_to":
        # More rows than anybody asks for take their time.
        chosen = [key for key in chosen if key != "n"]
    if method == "GET":
        parts += [(key, data.draw(WILD)) for key in chosen]
        judge(send(recorded, "GET", f"rpc/{name}?{written(parts)}", role))
    else:
        body = json.dumps({key: data.draw(JSON_VALUES) for key in chosen}).encode()
        headers = {"Content-Type": "application/json"}
        judge(send(recorded, "POST", f"rpc/{name}?{written(parts)}", role, headers=headers, content=body))


def test_the_shop_is_put_back(recorded: Server) -> None:
    """The writes above changed it; who comes next finds it as recorded."""
    recorded.reset()
    assert recorded.state() == recorded.before
