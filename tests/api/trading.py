"""What tests of sales documents have in common: bodies of requests, and acts on documents."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from backend.app.core import exact_json
from tests.api.conftest import Person, Shop

Body = dict[str, Any]


def act(person: Person, path: str, body: Body, status: int = 200, method: str = "POST") -> Any:
    """Does something beneath /v1/billing and returns the answer, with exact numbers."""
    response = person.send(method, f"/v1/billing/{path}", body)
    assert response.status_code == status, response.text
    return exact_json.loads(response.content)


def offer(shop: Shop, customer: str, quantity: int = 3, **changes: Any) -> Body:
    """What a quotation, an order or an invoice over some stools says."""
    return {
        "id": uuid4(),
        "branch_id": shop.branch_id,
        "customer_id": customer,
        "lines": [{"variant_id": shop.variant_id, "quantity": quantity}],
        **changes,
    }


def step(**more: Any) -> Body:
    """The body of an act that has an id of its own."""
    return {"id": uuid4(), **more}


def on_hand(shop: Shop) -> Decimal:
    """How many stools there are."""
    found = shop.admin.get("/v1/inventory/stock", variant_id=shop.variant_id, location_id=shop.location_id)
    return Decimal(found["items"][0]["on_hand"])


def walk(person: Person, path: str, limit: int = 1, **query: object) -> list[str]:
    """The ids of a list, read page by page."""
    page = person.get(path, limit=limit, **query)
    seen = [row["id"] for row in page["items"]]
    while page["next_cursor"]:
        page = person.get(path, limit=limit, cursor=page["next_cursor"], **query)
        seen += [row["id"] for row in page["items"]]
    return seen


def confirmed(shop: Shop, customer: str, quantity: int = 3) -> Body:
    """An order that was confirmed, whose goods are held in the showroom."""
    order = shop.cashier.post("/v1/billing/orders", offer(shop, customer, quantity))
    body = step(options={"location_id": shop.location_id})
    made: Body = act(shop.cashier, f"orders/{order['id']}/confirm", body)
    return made
