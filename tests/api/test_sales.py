"""A sale over the API, from the first call to the paper."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.billing import Invoice, InvoiceRow, Quote
from backend.app.schemas.stock import Adjustment, StockLevel, StockMovement
from tests.api.conftest import Shop
from tests.api.support import assert_problem
from tests.documents import reading


def _on_hand(shop: Shop) -> Decimal:
    # Where the shop sells from: other tests leave some of it elsewhere.
    [level] = shop.admin.get("/v1/inventory/stock", variant_id=shop.variant_id, location_id=shop.location_id)[
        "items"
    ]
    return Decimal(StockLevel.model_validate(level).on_hand)


def test_a_cashier_sells(shop: Shop) -> None:
    before = _on_hand(shop)
    sale = shop.sale(2)
    quote = shop.cashier.send("POST", "/v1/billing/sales/quote", {k: sale[k] for k in ("branch_id", "lines")})
    assert quote.status_code == 200, quote.text
    assert Quote.model_validate(quote.json()).total == Decimal("2360")
    assert _on_hand(shop) == before, "a quote changes nothing"

    invoice = Invoice.model_validate(shop.cashier.post("/v1/billing/sales", sale))
    assert (invoice.total, invoice.paid) == (Decimal(2360), Decimal(2360))
    assert invoice.change_due == Decimal(1640)
    assert [tax.component for tax in invoice.lines[0].taxes] == ["CGST", "SGST"]
    assert _on_hand(shop) == before - 2

    again = Invoice.model_validate(shop.cashier.post("/v1/billing/sales", sale))
    assert again == invoice
    assert _on_hand(shop) == before - 2
    assert Invoice.model_validate(shop.cashier.get(f"/v1/billing/invoices/{invoice.id}")) == invoice
    listed = shop.cashier.get("/v1/billing/invoices", q=invoice.number)["items"]
    assert [InvoiceRow.model_validate(row).id for row in listed] == [invoice.id]
    moved = shop.cashier.get("/v1/inventory/movements", document_id=invoice.id)["items"]
    assert [StockMovement.model_validate(row).quantity for row in moved] == [2]


def test_the_same_id_for_another_sale_is_refused(shop: Shop) -> None:
    sale = shop.sale()
    shop.cashier.post("/v1/billing/sales", sale)
    refused = shop.cashier.send("POST", "/v1/billing/sales", {**shop.sale(2), "id": sale["id"]})
    assert_problem(refused, 409, "id_reused")


def test_overselling_is_refused_with_the_facts(shop: Shop) -> None:
    before = _on_hand(shop)
    refused = shop.cashier.send("POST", "/v1/billing/sales", shop.sale(5_000))
    body = assert_problem(refused, 409, "insufficient_stock")
    assert body["shortages"][0]["sku"] == "STL-TEAK"
    assert _on_hand(shop) == before


def test_a_discount_on_the_whole_sale(shop: Shop) -> None:
    """By percent or by amount, within the role's limit; told on the document and its lines."""
    for discount, percent in (({"percent": 5}, Decimal(5)), ({"amount": 100}, None)):
        sold = shop.cashier.post("/v1/billing/sales", {**shop.sale(2), "options": {"discount": discount}})
        invoice = Invoice.model_validate(sold)
        assert (invoice.document_discount, invoice.document_discount_percent) == (Decimal(100), percent)
        assert [line.document_discount for line in invoice.lines] == [100]
        assert (invoice.total, invoice.points) == (Decimal(2242), None)
    for refused, status, code in (
        ({"percent": Decimal("5.001")}, 422, "discount_limit"),
        ({"percent": 5, "amount": 5}, 400, "invalid_input"),
        ({}, 400, "invalid_input"),
        ({"percent": 101}, 422, "invalid_input"),
    ):
        body = {**shop.sale(), "options": {"discount": refused}}
        assert_problem(shop.cashier.send("POST", "/v1/billing/sales", body), status, code)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"lines": []}, 422, "invalid_input"),
        ({"colour": "teak"}, 422, "invalid_input"),
        ({"payments": [{"method": "cash", "amount": 1}]}, 422, "payment_incomplete"),
        ({"options": {"occurred_at": "2026-01-01T10:00:00+05:30"}}, 403, "backdating_denied"),
        ({"location_id": "00000000-0000-4000-8000-000000000000"}, 404, "not_found"),
    ],
)
def test_a_sale_that_breaks_a_rule(shop: Shop, changes: dict[str, Any], status: int, code: str) -> None:
    refused = shop.cashier.send("POST", "/v1/billing/sales", {**shop.sale(), **changes})
    assert_problem(refused, status, code)


def test_strangers_neither_sell_nor_see(shop: Shop) -> None:
    invoice = shop.cashier.post("/v1/billing/sales", shop.sale())
    stranger = shop.stranger
    assert_problem(stranger.send("POST", "/v1/billing/sales", shop.sale()), 404, "not_found")
    for path in (f"/v1/billing/invoices/{invoice['id']}", f"/v1/billing/invoices/{invoice['id']}/pdf"):
        assert_problem(stranger.http.get(path), 404, "not_found")
    for path in (
        "/v1/billing/invoices",
        "/v1/inventory/stock",
        "/v1/inventory/movements",
        "/v1/inventory/products",
    ):
        assert stranger.get(path, org_id=shop.org_id)["items"] == []


@pytest.mark.parametrize("paper", ["a4", "receipt"])
def test_the_papers(shop: Shop, paper: str) -> None:
    invoice = shop.cashier.post("/v1/billing/sales", shop.sale())
    path = f"/v1/billing/invoices/{invoice['id']}/pdf"
    printed = shop.cashier.http.get(path, params={"format": paper})
    assert printed.status_code == 200, printed.text
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")
    name = invoice["number"].replace("/", "-") + (
        " Receipt " if paper == "receipt" else f" {invoice['title']} "
    )
    assert printed.headers["content-disposition"].startswith(f'inline; filename="{name}')
    tag = {"If-None-Match": printed.headers["etag"]}
    again = shop.cashier.http.get(path, params={"format": paper}, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert_problem(shop.cashier.http.get(path, params={"format": "a3"}), 422, "invalid_input")
    other = shop.cashier.http.get(path, params={"format": paper, "copy_for": "transporter"}, headers=tag)
    assert other.status_code == 200
    assert ("Duplicate for transporter" in reading.text(other.content)) == (paper == "a4")
    assert_problem(shop.cashier.http.get(path, params={"copy_for": "mother"}), 422, "invalid_input")


def test_stock_is_adjusted_with_permission_only(shop: Shop) -> None:
    body = {
        "id": uuid4(),
        "location_id": shop.location_id,
        "variant_id": shop.variant_id,
        "quantity": -1,
        "reason": "damage",
    }
    assert_problem(shop.cashier.send("POST", "/v1/inventory/adjustments", body), 403, "permission_denied")
    before = _on_hand(shop)
    adjusted = Adjustment.model_validate(shop.admin.post("/v1/inventory/adjustments", body))
    assert adjusted.on_hand == before - 1
    assert shop.admin.post("/v1/inventory/adjustments", body)["on_hand"] == before - 1
