"""Where goods are brought, over the API: named on each document, answered, printed, and refused."""

from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.billing import Invoice, Quote
from backend.app.schemas.deliveries import Delivery
from backend.app.schemas.orders import Order
from backend.app.schemas.quotations import Quotation
from tests.api.conftest import Person, Shop
from tests.api.support import assert_problem
from tests.api.trading import Body, act, offer, step
from tests.documents import reading


@pytest.fixture
def site(shop: Shop, customer: str) -> str:
    """The customer's site in Mysuru."""
    return str(_address(shop, customer)["id"])


def _address(shop: Shop, customer: str) -> dict[str, Any]:
    body = {
        "org_id": shop.org_id,
        "customer_id": customer,
        "kind": "delivery",
        "recipient": "Ravi, foreman",
        "address_line1": "Plot 11, Hosur Road",
        "city": "Mysuru",
        "region_code": "29",
        "country": "IN",
    }
    made: dict[str, Any] = shop.cashier.post("/v1/customer-addresses", body)
    return made


def _named(site: str, **more: Any) -> Body:
    return {"options": {"deliver_to": site, **more}}


def test_from_the_quotation_to_the_invoice(shop: Shop, seller: Person, customer: str, site: str) -> None:
    """Carried along by the database: only the quotation names it."""
    cashier = shop.cashier
    made = cashier.post("/v1/billing/quotations", offer(shop, customer, **_named(site)))
    quoted = Quotation.model_validate(made)
    assert quoted.ship_to is not None
    assert (str(quoted.ship_to.id), quoted.ship_to.name) == (site, "Ravi, foreman")
    assert quoted.ship_to.address.region_name == "Karnataka"
    act(cashier, f"quotations/{quoted.id}/send", step())
    act(seller, f"quotations/{quoted.id}/approve", step())
    order = Order.model_validate(act(cashier, f"quotations/{quoted.id}/convert", step(), 201))
    act(cashier, f"orders/{order.id}/confirm", step(options={"location_id": shop.location_id}))
    part = step(location_id=shop.location_id, lines=[{"line_no": 1, "quantity": 1}])
    first = Delivery.model_validate(act(cashier, f"orders/{order.id}/deliveries", part, 201))
    other = _address(shop, customer)["id"]
    rest = step(location_id=shop.location_id, **_named(other))
    second = Delivery.model_validate(act(cashier, f"orders/{order.id}/deliveries", rest, 201))
    billed = [
        Invoice.model_validate(
            act(cashier, f"orders/{order.id}/invoices", step(options={"delivery_id": note.id}), 201)
        )
        for note in (first, second)
    ]
    assert order.ship_to == first.ship_to == billed[0].ship_to == quoted.ship_to
    assert second.ship_to == billed[1].ship_to
    assert second.ship_to is not None
    assert str(second.ship_to.id) == other
    for path in (f"orders/{order.id}", f"deliveries/{first.id}", f"invoices/{billed[0].id}"):
        printed = reading.text(cashier.http.get(f"/v1/billing/{path}/pdf").content)
        assert "DELIVER TO Ravi, foreman Plot 11, Hosur Road, Mysuru Karnataka (29)" in printed


def test_sales_invoices_and_drafts(shop: Shop, customer: str, site: str) -> None:
    """Each takes it; a draft written anew without it has none."""
    cashier = shop.cashier
    sale = shop.sale(1, customer_id=customer, payments=[], **_named(site))
    quoted = {key: sale[key] for key in ("branch_id", "customer_id", "lines", "options")}
    seen = Quote.model_validate(cashier.post("/v1/billing/sales/quote", quoted, 200))
    sold = Invoice.model_validate(cashier.post("/v1/billing/sales", sale))
    assert seen.ship_to == sold.ship_to
    assert sold.ship_to is not None
    body = offer(shop, customer, **_named(site, draft=True, location_id=shop.location_id))
    draft = Invoice.model_validate(cashier.post("/v1/billing/invoices", body))
    assert draft.ship_to == sold.ship_to
    anew = step(customer_id=customer, lines=body["lines"], options={"location_id": shop.location_id})
    assert act(cashier, f"invoices/{draft.id}", anew, method="PUT")["ship_to"] is None


def test_what_is_refused(shop: Shop, customer: str, site: str) -> None:
    """An address that is not his, none at all, an archived one."""
    path, cashier = "/v1/billing/orders", shop.cashier
    stranger = shop.admin.post("/v1/customers", {"org_id": shop.org_id, "name": "Somebody else"})["id"]
    theirs = _address(shop, stranger)["id"]
    for wrong in (theirs, str(uuid4())):
        refused = cashier.send("POST", path, offer(shop, customer, **_named(wrong)))
        assert_problem(refused, 404, "not_found")
    assert_problem(
        cashier.send("POST", path, offer(shop, customer, **_named("Site 4"))), 422, "invalid_input"
    )
    assert cashier.http.delete(f"/v1/customer-addresses/{site}").status_code == 200
    refused = cashier.send("POST", path, offer(shop, customer, **_named(site)))
    assert_problem(refused, 422, "address_archived")
    shop.admin.http.delete(f"/v1/customers/{stranger}")
