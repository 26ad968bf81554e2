"""The catalogue over HTTP: resources, search, grids and codes, thin above the database's rules."""

from uuid import uuid4

import pytest

from backend.app.schemas.assortment import (
    Brand,
    CategoryNode,
    Found,
    GeneratedBarcode,
    Grid,
    ProductUnit,
    SetComponent,
    VariantBarcode,
)
from backend.app.schemas.price_lists import CustomerGroup, PriceList, PriceListItem
from tests.api.conftest import Shop
from tests.api.support import assert_problem


def unique(name: str) -> str:
    """A name that no other test uses."""
    return f"{name} {uuid4().hex[:8]}"


def test_categories_move(shop: Shop) -> None:
    admin, made = shop.admin, [uuid4(), uuid4()]
    for category in made:
        body = {"id": category, "org_id": shop.org_id, "name": unique("Sofas")}
        admin.post("/v1/catalogue/categories", body)
    above, below = (f"/v1/catalogue/categories/{category}" for category in made)
    assert admin.send("PATCH", below, {"parent_id": made[0]}).json()["parent_id"] == str(made[0])
    assert_problem(admin.send("PATCH", above, {"parent_id": made[1]}), 422, "category_cycle")
    tree = admin.get("/v1/catalogue/category-tree", org_id=shop.org_id)["items"]
    nodes = {node.id: node for node in map(CategoryNode.model_validate, tree)}
    assert (nodes[made[1]].depth, nodes[made[1]].path[0]) == (2, nodes[made[0]].name)
    response = shop.stranger.http.get("/v1/catalogue/category-tree", params={"org_id": str(shop.org_id)})
    assert_problem(response, 404, "not_found")


def test_lists_are_searched_through_the_index(shop: Shop) -> None:
    """`q` with filters, sort, total and cursor, as any list; it is of one organisation."""
    admin, name = shop.admin, unique("Ottoman")
    new = {
        "org_id": shop.org_id,
        "name": f"{name} round",
        "tax_class_id": shop.tax_class_id,
        "hsn_code": "9403",
    }
    product = admin.post("/v1/inventory/products", new)
    for number in range(3):
        sku = f"{uuid4().hex[:8]}-{number}"
        body = {
            "org_id": shop.org_id,
            "product_id": product["id"],
            "sku": sku,
            "name": f"Pouf {number}",
            "price": 5,
        }
        admin.post("/v1/inventory/variants", body)
    query = {"org_id": shop.org_id, "q": f"round {name.lower()}"}
    found = admin.get("/v1/inventory/products", **query, kind="goods")
    assert ([row["id"] for row in found["items"]], found["total"]) == ([product["id"]], 1)
    assert admin.get("/v1/inventory/products", **query, kind="service")["items"] == []
    pages, cursor = [], None
    while True:
        more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = admin.get("/v1/inventory/variants", **query, sort="-name", limit=2, **more)
        assert page["total"] == (3 if cursor is None else None)
        pages.append([row["name"] for row in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == [["Pouf 2", "Pouf 1"], ["Pouf 0"]]
    assert_problem(admin.http.get("/v1/inventory/variants", params={"q": "pouf"}), 422, "invalid_input")
    foreign = shop.stranger.http.get("/v1/inventory/products", params={k: str(v) for k, v in query.items()})
    assert_problem(foreign, 404, "not_found")


def test_search(shop: Shop) -> None:
    """Ranked, with what lists show; the caller sees the stock of his branches."""
    for person in (shop.admin, shop.cashier):
        answer = person.get("/v1/inventory/search", org_id=shop.org_id, q="stl-teak", attributes="{}")
        [item] = Found.model_validate(answer).items
        assert (item.sku, item.product_name, item.unit_code) == ("STL-TEAK", "Stool", "NOS")
        assert item.available is not None
    first = shop.admin.get("/v1/inventory/search", org_id=shop.org_id, limit=1)
    second = shop.admin.get("/v1/inventory/search", org_id=shop.org_id, limit=1, cursor=first["next_cursor"])
    assert first["items"][0]["id"] != second["items"][0]["id"]
    for parameters, status in (
        ({"attributes": "teak"}, 400),
        ({"cursor": "x"}, 400),
        ({"colour": "red"}, 422),
        ({"category_id": "x"}, 422),
    ):
        query = {"org_id": str(shop.org_id), **parameters}
        assert_problem(shop.admin.http.get("/v1/inventory/search", params=query), status, "invalid_input")
    response = shop.stranger.http.get("/v1/inventory/search", params={"org_id": str(shop.org_id)})
    assert_problem(response, 404, "not_found")


def test_grids(shop: Shop) -> None:
    product = shop.admin.post(
        "/v1/inventory/products",
        {"org_id": shop.org_id, "name": unique("Rug"), "tax_class_id": shop.tax_class_id},
    )
    body = {
        "id": uuid4(),
        "product_id": product["id"],
        "grid": [{"name": "size", "values": ["S", "M"]}, {"name": "colour", "values": ["sand", "grey"]}],
        "options": {"price": 100, "exclude": [{"size": "M", "colour": "grey"}]},
    }
    made = shop.admin.send("POST", "/v1/inventory/variant-grids", body)
    assert made.status_code == 200, made.text
    assert len(Grid.model_validate_json(made.text).variants) == 3
    assert shop.admin.send("POST", "/v1/inventory/variant-grids", body).json() == made.json()
    assert_problem(shop.cashier.send("POST", "/v1/inventory/variant-grids", body), 403, "permission_denied")


def test_codes(shop: Shop) -> None:
    admin = shop.admin
    body = {"org_id": shop.org_id, "variant_id": shop.variant_id, "code": "5901234123457"}
    code = VariantBarcode.model_validate(admin.post("/v1/catalogue/barcodes", body))
    assert (code.kind, code.gtin14) == ("gtin", "05901234123457")
    assert_problem(admin.send("POST", "/v1/catalogue/barcodes", body), 409, "duplicate")
    wrong = admin.send("POST", "/v1/catalogue/barcodes", {**body, "code": "5901234123458"})
    assert assert_problem(wrong, 422, "barcode_check_digit")["expected"] == "7"
    request = {"id": uuid4(), "variant_id": shop.variant_id}
    own = GeneratedBarcode.model_validate(admin.post("/v1/catalogue/generated-barcodes", request))
    assert own == GeneratedBarcode.model_validate(admin.post("/v1/catalogue/generated-barcodes", request))
    assert own.primary
    path = f"/v1/catalogue/barcodes/{code.id}"
    assert_problem(shop.cashier.http.delete(path), 404, "not_found")
    assert admin.http.delete(path).status_code == 200
    assert_problem(admin.http.delete(path), 404, "not_found")
    assert_problem(admin.http.delete(f"/v1/catalogue/barcodes/{own.id}"), 409, "in_use")


def test_price_lists_reach_the_till(shop: Shop) -> None:
    """Group, list, price; the customer in the group is quoted the price, and the line says by which list."""
    admin, org = shop.admin, shop.org_id
    group = CustomerGroup.model_validate(
        admin.post("/v1/catalogue/customer-groups", {"org_id": org, "name": unique("Trade")})
    )
    prices = PriceList.model_validate(
        admin.post(
            "/v1/catalogue/price-lists",
            {
                "org_id": org,
                "name": unique("Trade"),
                "customer_group_id": group.id,
                "valid_from": "2020-01-01",
            },
        )
    )
    item = PriceListItem.model_validate(
        admin.post(
            "/v1/catalogue/price-list-items",
            {"org_id": org, "price_list_id": prices.id, "variant_id": shop.variant_id, "price": 800},
        )
    )
    customer = admin.post(
        "/v1/customers", {"org_id": org, "name": "Architect", "customer_group_id": group.id}
    )
    quote = shop.sale(customer_id=customer["id"])
    quote = {key: quote[key] for key in ("branch_id", "customer_id", "lines")}
    [line] = shop.cashier.send("POST", "/v1/billing/sales/quote", quote).json()["lines"]
    assert (line["unit_price"], line["list_price"], line["price_list"]) == (800, 800, prices.name)
    friend = {"org_id": org, "name": "Friend", "customer_group_id": group.id}
    assert_problem(shop.cashier.send("POST", "/v1/customers", friend), 403, "permission_denied")
    assert admin.http.delete(f"/v1/catalogue/price-list-items/{item.id}").status_code == 200
    [line] = shop.cashier.send("POST", "/v1/billing/sales/quote", quote).json()["lines"]
    assert (line["list_price"], line["price_list"]) == (1000, None)
    # Other tests count the shop's customers.
    assert admin.http.delete(f"/v1/customers/{customer['id']}").status_code == 200


def test_units_sets_and_brands(shop: Shop) -> None:
    admin, org = shop.admin, shop.org_id
    body = {"org_id": org, "product_id": shop.product_id, "unit_code": "DOZ", "factor": 12}
    unit = ProductUnit.model_validate(admin.post("/v1/catalogue/product-units", body))
    changed = admin.send("PATCH", f"/v1/catalogue/product-units/{unit.id}", {"price": 11000})
    assert ProductUnit.model_validate(changed.json()).price == 11000
    assert admin.http.delete(f"/v1/catalogue/product-units/{unit.id}").status_code == 200
    new = {"org_id": org, "name": unique("Suite"), "kind": "set", "tax_class_id": shop.tax_class_id}
    product = admin.post("/v1/inventory/products", new)
    new = {"org_id": org, "product_id": product["id"], "sku": uuid4().hex[:8], "name": "Suite", "price": 5}
    suite = admin.post("/v1/inventory/variants", new)
    body = {
        "org_id": org,
        "set_variant_id": suite["id"],
        "component_variant_id": shop.variant_id,
        "quantity": 2,
    }
    part = SetComponent.model_validate(admin.post("/v1/catalogue/set-components", body))
    assert part.quantity == 2
    swapped = {**body, "set_variant_id": shop.variant_id, "component_variant_id": suite["id"]}
    assert_problem(admin.send("POST", "/v1/catalogue/set-components", swapped), 422, "set_incomplete")
    brand = Brand.model_validate(
        admin.post("/v1/catalogue/brands", {"org_id": org, "name": unique("Malabar")})
    )
    changed = admin.send("PATCH", f"/v1/inventory/products/{product['id']}", {"brand_id": brand.id})
    assert changed.json()["brand_id"] == str(brand.id)
    rows = admin.get("/v1/inventory/products", org_id=org, brand_id=brand.id)["items"]
    assert [row["id"] for row in rows] == [product["id"]]
    assert Brand.model_validate(admin.http.delete(f"/v1/catalogue/brands/{brand.id}").json()).archived_at


@pytest.mark.parametrize("resource", ["products", "variants"])
def test_the_old_addresses_are_gone(shop: Shop, resource: str) -> None:
    assert_problem(shop.admin.http.get(f"/v1/catalogue/{resource}"), 404, "not_found")
