"""Payments, refunds, credit notes, voids and exchanges over the API."""

from decimal import Decimal
from uuid import uuid4

import pytest

from backend.app.schemas.billing import Invoice
from backend.app.schemas.credit_notes import CreditNote, CreditNoteRow, Exchange
from backend.app.schemas.payments import Payment, PaymentRow, Refund, RefundRow
from tests.api.conftest import Shop
from tests.api.support import assert_problem
from tests.api.trading import act


def _invoice(shop: Shop, invoice_id: object) -> Invoice:
    return Invoice.model_validate(shop.cashier.get(f"/v1/billing/invoices/{invoice_id}"))


@pytest.fixture
def owed(shop: Shop, customer: str) -> Invoice:
    """An invoice over 2360 that the customer owes."""
    sale = shop.sale(2, customer_id=customer, payments=[])
    return Invoice.model_validate(shop.admin.post("/v1/billing/sales", sale))


def test_a_payment_from_receipt_to_reversal(shop: Shop, customer: str, owed: Invoice) -> None:
    body = {"id": uuid4(), "customer_id": customer, "amount": 3000, "method": "cheque", "reference": "4711"}
    payment = Payment.model_validate(shop.cashier.post("/v1/billing/payments", body))
    assert [(a.invoice_id, a.amount) for a in payment.allocations] == [(owed.id, Decimal(2360))]
    assert payment.unallocated == 640
    assert Payment.model_validate(shop.cashier.post("/v1/billing/payments", body)) == payment
    assert Payment.model_validate(shop.cashier.get(f"/v1/billing/payments/{payment.id}")) == payment
    listed = shop.cashier.get("/v1/billing/payments", customer_id=customer)["items"]
    assert [PaymentRow.model_validate(row).id for row in listed] == [payment.id]
    assert _invoice(shop, owed.id).status == "paid"

    path, why = f"payments/{payment.id}/reversal", {"id": uuid4(), "reason": "Bounced"}
    refused = shop.cashier.send("POST", f"/v1/billing/{path}", why)
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "payment.reverse"
    undone = Payment.model_validate(act(shop.admin, path, why))
    assert undone.reversed is not None
    assert (undone.reversed.reason, undone.unallocated) == ("Bounced", Decimal(0))
    assert _invoice(shop, owed.id).balance == 2360
    assert_problem(shop.stranger.http.get(f"/v1/billing/payments/{payment.id}"), 404, "not_found")


def test_what_is_left_is_allocated_or_paid_back(shop: Shop, customer: str, owed: Invoice) -> None:
    held = shop.cashier.post(
        "/v1/billing/payments",
        {"id": uuid4(), "customer_id": customer, "amount": 3000, "method": "upi", "options": {"hold": True}},
    )
    path = f"payments/{held['id']}/allocations"
    parts = [{"invoice_id": owed.id, "amount": 2361}]
    refused = shop.cashier.send("POST", f"/v1/billing/{path}", {"id": uuid4(), "allocations": parts})
    assert_problem(refused, 409, "invoice_overpaid")
    assert Payment.model_validate(act(shop.cashier, path, {"id": uuid4()})).unallocated == 640

    options = {"branch_id": shop.branch_id}
    body = {"id": uuid4(), "customer_id": customer, "amount": 640, "method": "upi", "options": options}
    assert_problem(shop.cashier.send("POST", "/v1/billing/refunds", body), 403, "permission_denied")
    more = {**body, "id": uuid4(), "amount": 641}
    assert_problem(shop.admin.send("POST", "/v1/billing/refunds", more), 422, "refund_exceeds_credit")
    refund = Refund.model_validate(shop.admin.post("/v1/billing/refunds", body))
    assert [(str(s.payment_id), s.amount) for s in refund.sources] == [(held["id"], Decimal(640))]
    listed = shop.cashier.get("/v1/billing/refunds", customer_id=customer)["items"]
    assert [RefundRow.model_validate(row).id for row in listed] == [refund.id]


def test_a_payment_on_the_wrong_invoice(shop: Shop, customer: str, owed: Invoice) -> None:
    paid = {"id": uuid4(), "customer_id": customer, "amount": 2360, "method": "card"}
    payment = shop.cashier.post("/v1/billing/payments", paid)
    path = f"payments/{payment['id']}/release"
    for person, status, code in (
        (shop.cashier, 403, "permission_denied"),
        (shop.stranger, 404, "not_found"),
    ):
        assert_problem(person.send("POST", f"/v1/billing/{path}", {"id": uuid4()}), status, code)
    none = shop.admin.send("POST", f"/v1/billing/{path}", {"id": uuid4(), "allocations": []})
    assert_problem(none, 422, "invalid_input")
    parts = [{"invoice_id": owed.id, "amount": 60}]
    body = {"id": uuid4(), "allocations": parts}
    assert Payment.model_validate(act(shop.admin, path, body)).unallocated == 60
    assert Payment.model_validate(act(shop.admin, path, body)).unallocated == 60
    assert Payment.model_validate(act(shop.admin, path, {"id": uuid4()})).unallocated == 2360
    assert _invoice(shop, owed.id).status == "sent"
    nothing = shop.admin.send("POST", f"/v1/billing/{path}", {"id": uuid4()})
    assert_problem(nothing, 422, "allocation_exceeds_payment")


def test_a_credit_note_and_its_use(shop: Shop, customer: str, owed: Invoice) -> None:
    paid = {"id": uuid4(), "customer_id": customer, "amount": 2360, "method": "card"}
    shop.cashier.post("/v1/billing/payments", paid)
    body = {
        "id": uuid4(),
        "invoice_id": owed.id,
        "lines": [{"line_no": 1, "quantity": 1, "disposition": "restock"}],
        "reason": "One too many",
    }
    refused = shop.cashier.send("POST", "/v1/billing/credit-notes", body)
    assert_problem(refused, 403, "permission_denied")
    note = CreditNote.model_validate(shop.admin.post("/v1/billing/credit-notes", body))
    assert (note.total, note.left, note.lines[0].disposition) == (Decimal(1180), Decimal(1180), "restock")
    path = f"/v1/billing/credit-notes/{note.id}"
    assert CreditNote.model_validate(shop.cashier.get(path)) == note
    listed = shop.cashier.get("/v1/billing/credit-notes", invoice_id=owed.id)["items"]
    assert [CreditNoteRow.model_validate(row).id for row in listed] == [note.id]
    again = {**body, "id": uuid4(), "lines": [{"line_no": 1, "quantity": 2}]}
    assert_problem(shop.admin.send("POST", "/v1/billing/credit-notes", again), 422, "credit_exceeds_sale")

    other = shop.admin.post("/v1/billing/sales", shop.sale(1, customer_id=customer, payments=[]))
    parts = [{"invoice_id": other["id"], "amount": 1180}]
    used = act(shop.cashier, f"credit-notes/{note.id}/allocations", {"id": uuid4(), "allocations": parts})
    assert CreditNote.model_validate(used).left == 0
    assert _invoice(shop, other["id"]).status == "paid"
    assert_problem(shop.stranger.http.get(path), 404, "not_found")


def test_a_sale_is_voided_on_its_day(shop: Shop) -> None:
    sale = shop.cashier.post("/v1/billing/sales", shop.sale())
    path, why = f"invoices/{sale['id']}/void", {"id": uuid4(), "reason": "Rung up twice"}
    note = CreditNote.model_validate(act(shop.cashier, path, why, 201))
    assert note.voids
    assert note.left == 0
    paid = Payment.model_validate(shop.cashier.get(f"/v1/billing/payments/{sale['payments'][0]['id']}"))
    assert [(refund.method, refund.amount) for refund in paid.refunds] == [("cash", Decimal(1180))]
    assert CreditNote.model_validate(act(shop.cashier, path, why, 201)) == note
    assert _invoice(shop, sale["id"]).status == "void"
    refused = shop.cashier.send("POST", f"/v1/billing/{path}", {**why, "id": uuid4()})
    assert_problem(refused, 409, "invoice_credited")


def test_an_exchange(shop: Shop) -> None:
    sale = shop.cashier.post("/v1/billing/sales", shop.sale(2))
    body = {
        "id": uuid4(),
        "invoice_id": sale["id"],
        "return_lines": [{"line_no": 1, "quantity": 2}],
        "branch_id": shop.branch_id,
        "location_id": shop.location_id,
        "lines": [{"variant_id": shop.variant_id, "quantity": 1}],
        "options": {"refund": {"method": "cash"}},
    }
    refused = shop.cashier.send("POST", "/v1/billing/exchanges", body)
    assert_problem(refused, 403, "permission_denied")
    done = Exchange.model_validate(shop.admin.post("/v1/billing/exchanges", body))
    sums = (done.credit_note.total, done.invoice.total, done.credit_note.left)
    assert sums == (Decimal(2360), Decimal(1180), Decimal(0))
    assert done.credit_note.refunds[0].amount == 1180


def test_the_books_agree(shop: Shop) -> None:
    assert shop.admin.get("/v1/billing/checks", org_id=shop.org_id) == {"items": []}
    refused = shop.cashier.http.get("/v1/billing/checks", params={"org_id": str(shop.org_id)})
    assert_problem(refused, 403, "permission_denied")
    refused = shop.stranger.http.get("/v1/billing/checks", params={"org_id": str(shop.org_id)})
    assert_problem(refused, 404, "not_found")
