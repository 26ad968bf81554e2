"""More of the shop for tests of the inventory: another branch, a warehouse, numbered pieces, lots, a set."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import People, Person, Shop, join


@dataclass(frozen=True)
class Goods:
    """Places and variants. phone: by serial number; paint: by lot; suite: a set of two stools."""

    warehouse_id: UUID
    mumbai_id: UUID
    mumbai_shop_id: UUID
    keeper: Person
    receiver: Person
    phone: UUID
    paint: UUID
    suite: UUID


def stock(shop: Shop, variant_id: UUID, quantity: int, **more: Any) -> dict[str, Any]:
    """Brings stock into the showroom, or where `location_id` says."""
    body = {
        "id": uuid4(),
        "location_id": shop.location_id,
        "variant_id": variant_id,
        "quantity": quantity,
        "reason": "opening",
        **more,
    }
    answer: dict[str, Any] = shop.admin.post("/v1/inventory/adjustments", body)
    return answer


def variant(shop: Shop, sku: str, **more: Any) -> UUID:
    """A variant of a product of its own. more: columns of the variant; `kind` is the product's."""
    product_id, variant_id = uuid4(), uuid4()
    table = shop.admin.client.table
    product = {
        "id": product_id,
        "org_id": shop.org_id,
        "name": sku.title(),
        "tax_class_id": shop.tax_class_id,
    }
    kind = {"kind": more.pop("kind")} if "kind" in more else {}
    table("products").insert({key: str(value) for key, value in product.items()} | kind).execute()
    row = {"id": variant_id, "org_id": shop.org_id, "product_id": product_id, "sku": sku, "name": sku.title()}
    table("product_variants").insert(
        {key: str(value) for key, value in row.items()} | {"price": 100, **more}
    ).execute()
    return variant_id


@pytest.fixture(scope="module")
def goods(shop: Shop, people: People) -> Goods:
    """Made once for a file; what it holds changes."""
    admin, tag = shop.admin, uuid4().hex[:6].upper()
    warehouse_id, mumbai_id, mumbai_shop_id = uuid4(), uuid4(), uuid4()
    code = f"{tag[:3]}"
    admin.rpc(
        "create_branch",
        p_id=str(mumbai_id),
        p_org_id=str(shop.org_id),
        p_code=code,
        p_name="Mumbai",
        p_options={"region_code": "27"},
    )
    for location_id, branch_id, name, kind in (
        (warehouse_id, shop.branch_id, f"WH-{tag}", "warehouse"),
        (mumbai_shop_id, mumbai_id, "SHOW", "showroom"),
    ):
        admin.rpc(
            "create_location",
            p_id=str(location_id),
            p_branch_id=str(branch_id),
            p_code=name,
            p_name=name.title(),
            p_kind=kind,
        )
    phone = variant(shop, f"PHONE-{tag}", tracking="serial")
    paint = variant(shop, f"PAINT-{tag}", tracking="batch")
    suite = variant(shop, f"SUITE-{tag}", kind="set")
    shop.admin.client.table("set_components").insert(
        {
            "org_id": str(shop.org_id),
            "set_variant_id": str(suite),
            "component_variant_id": str(shop.variant_id),
            "quantity": 2,
        }
    ).execute()
    stock(shop, phone, 3, options={"serials": [f"{tag}-{n}" for n in (1, 2, 3)]})
    stock(shop, paint, 5, options={"batch": f"LOT-{tag}", "expires_on": "2090-01-31"})
    return Goods(
        warehouse_id,
        mumbai_id,
        mumbai_shop_id,
        join(people, admin, shop.org_id, "inventory_manager", [shop.branch_id]),
        join(people, admin, shop.org_id, "cashier", [mumbai_id]),
        phone,
        paint,
        suite,
    )


def units(shop: Shop, goods: Goods) -> list[dict[str, Any]]:
    """The pieces of the phone."""
    found: list[dict[str, Any]] = shop.admin.get("/v1/inventory/units", variant_id=goods.phone)["items"]
    return found
