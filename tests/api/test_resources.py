"""The resource helper on real tables: lists, filters, search, cursors, create, change, archive."""

import base64
from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.audit import AuditEntry
from backend.app.schemas.catalogue import Category, Product, Variant
from backend.app.schemas.customers import Customer
from tests.api.conftest import Shop
from tests.api.support import assert_problem


@pytest.fixture(scope="module")
def customers(shop: Shop) -> list[str]:
    """Names of 25 customers; several share one name, and some hold what a search must not stumble over."""
    names = [f"Pager {number % 7}" for number in range(20)]
    names += ['Per%cent, "quoted" (Ltd)', "Under_score", "Star*light", "Back\\slash", "A.b:c,d"]
    for name in names:
        shop.admin.post("/v1/customers", {"org_id": shop.org_id, "name": name, "phone": "+91 98450 12345"})
    return names


def _pages(shop: Shop, **parameters: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = shop.admin.get("/v1/customers", org_id=shop.org_id, **parameters, **cursor)
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
def test_cursors_reach_every_row_once_in_order(shop: Shop, customers: list[str], sort: str) -> None:
    rows = _pages(shop, sort=sort, limit=4)
    assert len({row["id"] for row in rows}) == len(rows) == len(customers)
    values = [row[sort.removeprefix("-")] for row in rows if row["name"].startswith("Pager")]
    assert values == sorted(values, reverse=sort.startswith("-"))
    for row in rows:
        Customer.model_validate(row)


def test_totals_and_offsets(shop: Shop, customers: list[str]) -> None:
    first = shop.admin.get("/v1/customers", org_id=shop.org_id, limit=10)
    assert first["total"] == len(customers)
    second = shop.admin.get("/v1/customers", org_id=shop.org_id, limit=10, offset=10)
    by_cursor = shop.admin.get("/v1/customers", org_id=shop.org_id, limit=10, cursor=first["next_cursor"])
    assert [row["id"] for row in second["items"]] == [row["id"] for row in by_cursor["items"]]
    assert by_cursor["total"] is None
    assert shop.admin.get("/v1/customers", org_id=shop.org_id, limit=10, with_total=False)["total"] is None
    beyond = shop.admin.get("/v1/customers", org_id=shop.org_id, offset=1000)
    assert beyond["items"] == []
    assert beyond["next_cursor"] is None
    exact = shop.admin.get("/v1/customers", org_id=shop.org_id, limit=len(customers))
    assert exact["next_cursor"] is None, "a page that is just full is known to be the last"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pager 3", 3),
        ("%", 1),
        ("_", 1),
        ("Star*light", 1),
        ("Back\\slash", 1),
        ('"quoted" (', 1),
        ("A.b:c,d", 1),
        ("nobody", 0),
    ],
)
def test_search_takes_text_as_text(shop: Shop, customers: list[str], text: str, found: int) -> None:
    page = shop.admin.get("/v1/customers", org_id=shop.org_id, q=text)
    assert len(page["items"]) == page["total"] == found
    together = _pages(shop, q="pager", limit=6, sort="-name")
    assert len(together) == 20, "search and cursor work together"


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": 0},
        {"limit": 201},
        {"offset": -1},
        {"sort": "phone"},
        {"sort": "name;drop"},
        {"colour": "red"},
        {"org_id": "mine"},
        {"q": ""},
        {"archived": "maybe"},
    ],
)
def test_bad_parameters_are_named(shop: Shop, parameters: dict[str, str]) -> None:
    body = assert_problem(shop.admin.http.get("/v1/customers", params=parameters), 422, "invalid_input")
    assert body["errors"][0]["location"][:2] == ["query", next(iter(parameters))]


@pytest.mark.parametrize(
    "cursor", ["x", "e30", "WyJuYW1lIl0", "WyItbmFtZSIsMSwyXQ", "WyJuYW1lIixudWxsLG51bGxd"]
)
def test_invented_cursors_are_refused(shop: Shop, cursor: str) -> None:
    assert_problem(shop.admin.http.get("/v1/customers", params={"cursor": cursor}), 400, "invalid_cursor")


def test_offset_and_cursor_exclude_each_other(shop: Shop) -> None:
    response = shop.admin.http.get("/v1/customers", params={"cursor": "x", "offset": 5})
    assert_problem(response, 400, "invalid_input")


def test_a_product_lives_from_creation_to_archive(shop: Shop) -> None:
    admin, product_id = shop.admin, uuid4()
    new = {"id": product_id, "org_id": shop.org_id, "name": "Bench", "tax_class_id": shop.tax_class_id}
    response = admin.send("POST", "/v1/inventory/products", new)
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/v1/inventory/products/{product_id}"
    assert Product.model_validate(response.json()).unit_code == "NOS"
    assert_problem(admin.send("POST", "/v1/inventory/products", new), 409, "duplicate")

    path = f"/v1/inventory/products/{product_id}"
    changed = admin.send("PATCH", path, {"description": "Solid teak", "hsn_code": "9403"})
    assert Product.model_validate(changed.json()).description == "Solid teak"
    assert Product.model_validate(admin.get(path)).hsn_code == "9403"
    assert_problem(admin.send("PATCH", path, {}), 422, "invalid_input")
    assert_problem(admin.send("PATCH", path, {"name": None}), 422, "constraint_violated")
    assert_problem(admin.send("PATCH", path, {"org_id": str(uuid4())}), 422, "invalid_input")

    archived = admin.http.delete(path)
    assert archived.status_code == 200, archived.text
    assert Product.model_validate(archived.json()).archived_at is not None
    listed = admin.get("/v1/inventory/products", org_id=shop.org_id, q="Bench")
    assert listed["items"] == []
    assert (
        len(admin.get("/v1/inventory/products", org_id=shop.org_id, q="Bench", archived="true")["items"]) == 1
    )
    assert admin.send("PATCH", path, {"archived_at": None}).json()["archived_at"] is None


def test_exact_prices_and_price_filters(shop: Shop) -> None:
    body = {
        "org_id": shop.org_id,
        "product_id": shop.product_id,
        "sku": f"P-{uuid4().hex[:6]}",
        "name": "Priced",
    }
    made = shop.admin.send("POST", "/v1/inventory/variants", {**body, "price": "123456789012.34"})
    assert made.status_code == 201, made.text
    assert "123456789012.34" in made.text
    assert_problem(
        shop.admin.send("POST", "/v1/inventory/variants", {**body, "price": "1.005"}), 422, "invalid_input"
    )
    rows = shop.admin.get("/v1/inventory/variants", org_id=shop.org_id, price_from="123456789012.34")["items"]
    assert [Variant.model_validate(row).sku for row in rows] == [body["sku"]]
    assert (
        shop.admin.get("/v1/inventory/variants", sku=body["sku"], price_to="123456789012.33")["items"] == []
    )


def test_roles_and_tenants_decide(shop: Shop) -> None:
    category = Category.model_validate(
        shop.admin.post(
            "/v1/catalogue/categories", {"org_id": shop.org_id, "name": f"Sofas {uuid4().hex[:6]}"}
        )
    )
    path = f"/v1/catalogue/categories/{category.id}"
    new = {"org_id": shop.org_id, "name": "Mine"}
    assert_problem(shop.cashier.send("POST", "/v1/catalogue/categories", new), 403, "permission_denied")
    assert_problem(shop.cashier.send("PATCH", path, {"name": "Mine"}), 404, "not_found")
    assert shop.cashier.get(path)["name"] == category.name
    assert_problem(shop.stranger.send("POST", "/v1/catalogue/categories", new), 403, "permission_denied")
    assert_problem(shop.stranger.http.get(path), 404, "not_found")
    assert_problem(shop.stranger.send("PATCH", path, {"name": "Mine"}), 404, "not_found")
    assert_problem(shop.stranger.http.delete(path), 404, "not_found")
    assert shop.admin.get(path)["name"] == category.name


def test_references_must_exist(shop: Shop) -> None:
    body = {"org_id": shop.org_id, "name": "Lost", "tax_class_id": uuid4()}
    assert_problem(shop.admin.send("POST", "/v1/inventory/products", body), 409, "reference_missing")


def test_credit_limits_are_an_act_of_their_own(shop: Shop) -> None:
    customer = shop.admin.post("/v1/customers", {"org_id": shop.org_id, "name": "On credit"})
    path = f"/v1/customers/{customer['id']}"
    assert_problem(shop.admin.send("PATCH", path, {"credit_limit": 5}), 422, "invalid_input")
    assert_problem(
        shop.cashier.send("PUT", f"{path}/credit-limit", {"credit_limit": 5}), 403, "permission_denied"
    )
    answer = shop.admin.send("PUT", f"{path}/credit-limit", {"credit_limit": 5000})
    assert Customer.model_validate(answer.json()).credit_limit == 5000


def test_the_audit_log_knows_the_request(shop: Shop) -> None:
    request_id = f"test-{uuid4()}"
    body = {"org_id": shop.org_id, "name": "Audited"}
    made = shop.admin.send("POST", "/v1/customers", body, **{"X-Request-ID": request_id})
    assert made.headers["x-request-id"] == request_id
    rows = shop.admin.get("/v1/audit", org_id=shop.org_id, request_id=request_id)["items"]
    assert [AuditEntry.model_validate(row).row_id for row in rows] == [made.json()["id"]]
    assert rows[0]["actor_id"] == str(shop.admin.user_id)
    assert shop.cashier.get("/v1/audit", org_id=shop.org_id)["items"] == []
    assert shop.stranger.get("/v1/audit", org_id=shop.org_id)["items"] == []
    first = shop.admin.get("/v1/audit", org_id=shop.org_id, limit=3)
    second = shop.admin.get("/v1/audit", org_id=shop.org_id, limit=3, cursor=first["next_cursor"])
    assert not {row["id"] for row in first["items"]} & {row["id"] for row in second["items"]}


@pytest.mark.parametrize("text", ["TRUE", "null", "5", 'a"b\\c,d(e)'])
def test_filters_take_text_as_text(shop: Shop, text: str) -> None:
    new = {"org_id": shop.org_id, "product_id": shop.product_id, "sku": text, "name": "Odd", "price": 1}
    shop.admin.post("/v1/inventory/variants", new)
    rows = shop.admin.get("/v1/inventory/variants", sku=text)["items"]
    assert [row["sku"] for row in rows] == [text]


@pytest.mark.parametrize("moment", ["20261121", "2026", "0.5", "-1", " 0", "2026-11-21"])
def test_a_moment_is_a_text_with_an_offset(shop: Shop, moment: str) -> None:
    response = shop.admin.http.get("/v1/audit", params={"since": moment})
    assert_problem(response, 422, "invalid_input")
    path = f"/v1/inventory/products/{shop.product_id}"
    assert_problem(shop.admin.send("PATCH", path, {"archived_at": 0}), 422, "invalid_input")


@pytest.mark.parametrize("day", ["0", "86400", "20261121"])
def test_a_day_is_a_text(shop: Shop, day: str) -> None:
    response = shop.admin.http.get("/v1/billing/invoices", params={"date_from": day})
    assert_problem(response, 422, "invalid_input")


@pytest.mark.parametrize(
    "attributes",
    ['{"a": "\\ud800"}', '{"\\ud800": 1}', '{"a": 1e351}', '{"a": 1e-351}', '{"a": 1' + "0" * 351 + "}"]
    + ['{"a": ' + "[" * depth + "]" * depth + "}" for depth in (101, 900, 100_000)],
    ids=["value", "key", "large", "small", "long", "deep", "deeper", "deepest"],
)
def test_json_that_cannot_be_handed_on_is_refused(shop: Shop, attributes: str) -> None:
    path = f"/v1/inventory/variants/{shop.variant_id}"
    body = f'{{"attributes": {attributes}}}'
    response = shop.admin.http.patch(path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"


def test_what_postgres_cannot_hold_is_the_callers_fault(shop: Shop) -> None:
    new = {"org_id": shop.org_id, "name": "nul \0"}
    assert_problem(shop.admin.send("POST", "/v1/customers", new), 400, "invalid_input")
    edge = {"since": "0001-01-01T00:00:00+23:59"}
    assert_problem(shop.admin.http.get("/v1/audit", params=edge), 400, "invalid_input")
    # A cursor whose last value is half a surrogate pair.
    cursor = base64.urlsafe_b64encode(b'["-at","\\ud800",1]').decode()
    assert_problem(shop.admin.http.get("/v1/audit", params={"cursor": cursor}), 400, "invalid_cursor")
