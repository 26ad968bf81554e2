"""Random queries of the grammar: whatever is asked, the answer is one that PostgREST would give.

An SQL error that only a wrongly built statement can raise (a syntax error, an unknown alias, an ambiguous
column, a parameter without a type) is a fault of ours, as is any 5xx.
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
    42601 2200H 22030""")
)
TABLES = {
    "people": ["id", "name", "initials"],
    "tickets": ["id", "title", "opened_by", "closed_by", "priority"],
    "categories": ["id", "parent_id", "name"],
    "oddities": ["id", "name", "Mixed Case", "with,comma", "order"],
    "measures": words("id n2 n3 n small big dbl ts local_ts d t span u words nums doc raw ok r bytes search"),
    "products": words("org_id id brand_id category_id sku name price weight tags attributes"),
    "invoices": words("org_id id number customer_id status total big_ref issued_at due_on meta"),
    "invoice_lines": words("org_id invoice_id position quantity line_total"),
    "open_invoices": words("org_id id number customer_id total"),
    "customers": words("org_id id name phone credit_limit secret_note"),
    "items": words("id sku name qty price kind tags doc active code"),
}
EMBEDS = words("""people!opened_by people!closed_by opened_by tickets!opened_by tickets!closed_by tickets
    categories parent_id brands labels product_labels product_details invoice_lines customers branches
    invoices products organizations credit_notes nothing item_parts labels!product_labels
    brands!products_org_id_brand_id_fkey x:people!opened_by""")
OPERATORS = words("""eq neq gt gte lt lte like ilike match imatch cs cd ov sl sr nxr nxl adj fts plfts
    phfts(english) wfts is in isdistinct like(any) eq(any) ilike(all) gte(all) not.eq not.in not.is not.fts
    foo""")
USUAL = words("""1 0 -1 1.50 null true not_null unknown {} {1,2} {"a_b","c,d"} [1,5) (1,2,3) (a) ()
    ("x,y","z\\"") 2026-04-01 2026-04-01T10:00:00Z *a* % [ a&b {"a":1} [] 9223372036854775808
    aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa live Chair 24" ' \\ $1 ;-- हिन्दी 🪑 infinity NaN 10:00 \\x00ff""")
VALUES = st.one_of(st.sampled_from([*USUAL, "", " ", "1 day"]), st.text(max_size=12))
CASTS = [
    "",
    "",
    "",
    *words("::text ::int ::numeric ::date ::jsonb ::boolean ::nothing"),
    "::double precision",
]
PATHS = ["", "", "", *words("""->a ->>a ->b->>c ->0 ->>-1 ->'x' ->"q" """)]
ALIASES = ["", "", "", "a:", '"b c":', "name:", "बड़ा:"]


def named(name: str) -> str:
    """A column as it is written in a query."""
    return name if name.replace("_", "").isalnum() else '"' + name.replace('"', '\\"') + '"'


def columns(table: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*map(named, TABLES.get(table, ["id", "name"])), "nothing", "id", "name"])


@st.composite
def field(draw: st.DrawFn, table: str) -> str:
    choice = draw(st.integers(0, 9))
    if choice == 0:
        return "*"
    if choice == 1:
        return draw(st.sampled_from(["count()", "id.sum()", "price.avg()", "n:id.max()::text"]))
    draw_from = [ALIASES, PATHS, CASTS]
    alias, path, cast = (draw(st.sampled_from(options)) for options in draw_from)
    return f"{alias}{draw(columns(table))}{path}{cast}"


@st.composite
def selection(draw: st.DrawFn, table: str, depth: int) -> str:
    parts = draw(st.lists(field(table), max_size=3))
    if depth > 0:
        for name in draw(st.lists(st.sampled_from(EMBEDS), max_size=2)):
            target = name.split(":")[-1].split("!")[0]
            join = draw(st.sampled_from(["", "", "!inner", "!left"]))
            spread = draw(st.sampled_from(["", "", "..."])) if ":" not in name else ""
            parts.append(f"{spread}{name}{join}({draw(selection(target, depth - 1))})")
    return ",".join(parts)


@st.composite
def condition(draw: st.DrawFn, table: str) -> str:
    return f"{draw(columns(table))}{draw(st.sampled_from(PATHS))}.{draw(operation())}"


@st.composite
def operation(draw: st.DrawFn) -> str:
    return f"{draw(st.sampled_from(OPERATORS))}.{draw(VALUES)}"


@st.composite
def logic(draw: st.DrawFn, table: str, depth: int = 2) -> str:
    parts = draw(st.lists(condition(table), min_size=1, max_size=3))
    if depth > 0 and draw(st.booleans()):
        parts.append(
            f"{draw(st.sampled_from(['and', 'or', 'not.and', 'not.or']))}{draw(logic(table, depth - 1))}"
        )
    return f"({','.join(parts)})"


@st.composite
def order(draw: st.DrawFn, table: str) -> str:
    terms = []
    for _ in range(draw(st.integers(1, 3))):
        column = draw(columns(table)) + draw(st.sampled_from(PATHS))
        related = draw(st.sampled_from([column, column, f"people({column})", f"brands({column})"]))
        terms.append(
            related + draw(st.sampled_from(["", ".asc", ".desc", ".desc.nullslast", ".nullsfirst", ".up"]))
        )
    return ",".join(terms)


@st.composite
def query(draw: st.DrawFn, table: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    if draw(st.booleans()):
        parts.append(("select", draw(selection(table, 2))))
    filtered = st.tuples(st.tuples(columns(table), st.sampled_from(PATHS)).map("".join), operation())
    parts += draw(st.lists(filtered, max_size=2))
    prefix = draw(st.sampled_from(["", "", "tickets.", "people.", "invoices.", "x.", "brands."]))
    if draw(st.integers(0, 3)) == 0:
        parts.append((prefix + draw(st.sampled_from(["and", "or", "not.or"])), draw(logic(table))))
    if draw(st.integers(0, 2)) == 0:
        parts.append((prefix + "order", draw(order(table))))
    if draw(st.integers(0, 3)) == 0:
        # A limit below zero in an embed is what PostgREST itself ends with 500 for.
        parts.append((prefix + "limit", draw(st.sampled_from(["0", "1", "5", "x", "99999999999999999999"]))))
    if draw(st.integers(0, 3)) == 0:
        parts.append(("offset", draw(st.sampled_from(["0", "1", "7", "x"]))))
    return parts


TABLE = st.sampled_from(sorted(TABLES))
CALLS = TABLE.flatmap(lambda table: st.tuples(st.just(table), query(table)))
ROLES = st.sampled_from(["anon", "authenticated", "service_role"])
ACCEPTS = st.sampled_from(["*/*", "*/*", "text/csv", "application/vnd.pgrst.object+json", "image/png"])
COUNTS = st.sampled_from(["", "", "count=exact", "count=planned", "count=estimated", "handling=strict, foo"])
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
    names = draw(
        st.lists(st.sampled_from(["id", "sku", "name", "qty", "price", "tags", "doc", "nothing"]), max_size=3)
    )
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
        parts += [(key, data.draw(VALUES)) for key in chosen]
        judge(send(recorded, "GET", f"rpc/{name}?{written(parts)}", role))
    else:
        body = json.dumps({key: data.draw(JSON_VALUES) for key in chosen}).encode()
        headers = {"Content-Type": "application/json"}
        judge(send(recorded, "POST", f"rpc/{name}?{written(parts)}", role, headers=headers, content=body))


def test_the_shop_is_put_back(recorded: Server) -> None:
    """The writes above changed it; who comes next finds it as recorded."""
    recorded.reset()
    assert recorded.state() == recorded.before
