"""The papers over the API, each opened with a PDF reader."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Person, Shop
from tests.api.support import assert_problem
from tests.api.trading import act, confirmed, offer, step
from tests.documents import reading


@dataclass(frozen=True)
class Printed:
    """A document that is printed: where, what must be read on it, and what its file is called."""

    path: str
    words: tuple[str, ...]
    title: str
    number: str


def _quotation(shop: Shop, customer: str) -> Printed:
    made = shop.cashier.post("/v1/billing/quotations", offer(shop, customer))
    sent = act(shop.cashier, f"quotations/{made['id']}/send", step())
    return Printed(
        f"quotations/{sent['id']}", ("QUOTATION", "Stool", "3,540.00"), "Quotation", sent["number"]
    )


def _order(shop: Shop, customer: str) -> Printed:
    made = confirmed(shop, customer)
    return Printed(f"orders/{made['id']}", ("3,540.00",), "Order Confirmation", made["number"])


def _delivery(shop: Shop, customer: str) -> Printed:
    order = confirmed(shop, customer)
    part = step(location_id=shop.location_id, lines=[{"line_no": 1, "quantity": 2}])
    made = act(shop.cashier, f"orders/{order['id']}/deliveries", part, 201)
    return Printed(f"deliveries/{made['id']}", (order["number"],), "Delivery Note", made["number"])


def _invoice(shop: Shop, customer: str) -> Printed:
    body = offer(shop, customer, options={"location_id": shop.location_id})
    made = shop.cashier.post("/v1/billing/invoices", body)
    return Printed(f"invoices/{made['id']}", ("3,540.00", "9401"), "Tax Invoice", made["number"])


def _payment(shop: Shop, customer: str) -> Printed:
    owed = _invoice(shop, customer)
    paid = {"customer_id": customer, "amount": 4000, "method": "upi", "reference": "UPI 4711"}
    made = shop.cashier.post("/v1/billing/payments", step(**paid))
    words = ("4,000.00", "UPI 4711", owed.number)
    return Printed(f"payments/{made['id']}", words, "Payment Receipt", made["number"])


def _credit_note(shop: Shop, customer: str) -> Printed:
    sold = _invoice(shop, customer)
    body = step(invoice_id=sold.path.rpartition("/")[2], reason="A leg was cracked")
    body["lines"] = [{"line_no": 1, "quantity": 1}]
    made = shop.admin.post("/v1/billing/credit-notes", body)
    words = ("1,180.00", sold.number, "A leg was cracked")
    return Printed(f"credit-notes/{made['id']}", words, "Credit Note", made["number"])


@pytest.mark.parametrize("make", [_quotation, _order, _delivery, _invoice, _payment, _credit_note])
def test_a_document_is_printed(shop: Shop, customer: str, make: Any) -> None:
    printed = make(shop, customer)
    path = f"/v1/billing/{printed.path}/pdf"
    answer = shop.cashier.http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "private, no-cache"
    read = reading.text(answer.content)
    for word in (*printed.words, printed.number, "Meera Nair", "Teak & Thread"):
        assert word in read, word
    name = f"{printed.number.replace('/', '-')} {printed.title} Teak & Thread.pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'

    tag = {"If-None-Match": answer.headers["etag"]}
    same = shop.cashier.http.get(path, headers=tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag["If-None-Match"])
    assert "content-type" not in same.headers
    other = shop.cashier.http.get(path, headers={"If-None-Match": '"0123456789abcdef0123456789abcdef"'})
    assert other.status_code == 200

    assert_problem(shop.stranger.http.get(path), 404, "not_found")
    assert_problem(shop.cashier.http.get(path, params={"colour": "red"}), 422, "invalid_input")
    assert_problem(shop.cashier.http.get(path, headers={"Authorization": ""}), 401, "unauthenticated")


def test_a_document_that_changed_is_printed_anew(shop: Shop, customer: str) -> None:
    made = shop.cashier.post("/v1/billing/quotations", offer(shop, customer))
    path = f"/v1/billing/quotations/{made['id']}/pdf"
    draft = shop.cashier.http.get(path)
    assert draft.status_code == 200, draft.text
    sent = act(shop.cashier, f"quotations/{made['id']}/send", step())
    tag = {"If-None-Match": draft.headers["etag"]}
    anew = shop.cashier.http.get(path, headers=tag)
    assert anew.status_code == 200
    assert anew.headers["etag"] != tag["If-None-Match"]
    assert sent["number"] in reading.text(anew.content)
    assert sent["number"] not in reading.text(draft.content)


def test_who_may_not_read_may_not_print(shop: Shop, storekeeper: Person, customer: str) -> None:
    for make, reads in ((_quotation, False), (_invoice, None), (_order, True), (_delivery, True)):
        answer = storekeeper.http.get(f"/v1/billing/{make(shop, customer).path}/pdf")
        if reads:
            assert answer.status_code == 200, answer.text
        else:
            assert_problem(answer, *((403, "permission_denied") if reads is False else (404, "not_found")))


def test_what_the_customer_may_see_of_the_work(shop: Shop, customer: str) -> None:
    order = confirmed(shop, customer)
    for note, shown in (("Frames glued", True), ("Apprentice was late", False)):
        entry = step(note=note, options={"visible_to_customer": shown})
        act(shop.cashier, f"orders/{order['id']}/work-log", entry)
    read = reading.text(shop.cashier.http.get(f"/v1/billing/orders/{order['id']}/pdf").content)
    assert "Frames glued" in read
    assert "Apprentice" not in read


def test_the_lots_of_an_invoice_are_printed(shop: Shop) -> None:
    """The PDF says what the plain answer leaves out; whoever may not read the invoice gets neither."""
    goods = {"org_id": shop.org_id, "product_id": shop.product_id}
    variant = shop.admin.post(
        "/v1/inventory/variants",
        {**goods, "sku": "OIL-LOT", "name": "Oil", "price": 100, "tracking": "batch"},
    )
    shop.admin.rpc(
        "adjust_stock",
        p_id=str(uuid4()),
        p_location_id=str(shop.location_id),
        p_variant_id=variant["id"],
        p_quantity=5,
        p_reason="opening",
        p_unit_cost=40,
        p_options={"batch": "L-26-04", "expires_on": "2099-04-30"},
    )
    sale = shop.sale(lines=[{"variant_id": variant["id"], "quantity": 2}])
    sold = shop.cashier.post("/v1/billing/sales", sale)
    assert "lots" not in sold["lines"][0]
    path = f"/v1/billing/invoices/{sold['id']}/pdf"
    for more in ({}, {"format": "receipt"}):
        text = reading.text(shop.cashier.http.get(path, params=more).content)
        assert "Batch L-26-04, expires 30 Apr 2099" in " ".join(text.split())
    assert_problem(shop.stranger.http.get(path), 404, "not_found")
