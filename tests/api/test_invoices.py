"""Invoices without a counter sale over the API, and the steps of their status."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.app.schemas.billing import Invoice, InvoiceRow
from tests.api.conftest import Person, Shop
from tests.api.support import assert_problem
from tests.api.trading import act, offer, on_hand, step, walk

PATH = "/v1/billing/invoices"


def _draft(shop: Shop, customer: str, quantity: int = 3) -> Invoice:
    options = {"location_id": shop.location_id, "draft": True}
    return Invoice.model_validate(shop.cashier.post(PATH, offer(shop, customer, quantity, options=options)))


def _set(person: Person, invoice_id: UUID, body: dict[str, Any]) -> Invoice:
    return Invoice.model_validate(act(person, f"invoices/{invoice_id}/status", body, method="PATCH"))


def _refused(person: Person, invoice_id: UUID, answer: int, code: str, **body: Any) -> dict[str, Any]:
    response = person.send("PATCH", f"{PATH}/{invoice_id}/status", step(**body))
    return assert_problem(response, answer, code)


def test_a_draft_is_changed_sent_and_voided(shop: Shop, customer: str) -> None:
    before = on_hand(shop)
    draft = _draft(shop, customer)
    assert (draft.status, draft.number) == ("draft", None)
    body = step(customer_id=customer, lines=[{"variant_id": shop.variant_id, "quantity": 2}])
    body["options"] = {"location_id": shop.location_id, "note": "Two will do"}
    changed = Invoice.model_validate(act(shop.cashier, f"invoices/{draft.id}", body, method="PUT"))
    assert (changed.status, changed.total, changed.note) == ("draft", Decimal(2360), "Two will do")
    assert on_hand(shop) == before, "a draft moves nothing"

    send = step(status="sent")
    sent = _set(shop.cashier, draft.id, send)
    assert sent.status == "sent"
    assert sent.number
    assert on_hand(shop) == before - 2
    assert _set(shop.cashier, draft.id, send) == sent
    assert on_hand(shop) == before - 2
    reused = shop.admin.send("PATCH", f"{PATH}/{draft.id}/status", {**send, "status": "void"})
    assert_problem(reused, 409, "id_reused")
    late = shop.cashier.send("PUT", f"{PATH}/{draft.id}", {**body, "id": uuid4()})
    assert_problem(late, 409, "invalid_transition")

    denied = _refused(shop.cashier, draft.id, 403, "permission_denied", status="void")
    assert denied["permission"] == "invoice.void"
    _refused(shop.admin, draft.id, 400, "invalid_input", status="void")
    void = step(status="void", options={"reason": "Wrong customer"})
    voided = _set(shop.admin, draft.id, void)
    assert (voided.status, voided.number, voided.balance) == ("void", sent.number, Decimal(0))
    assert on_hand(shop) == before
    assert _set(shop.admin, draft.id, void) == voided
    assert on_hand(shop) == before


def test_steps_that_no_lifecycle_lists(shop: Shop, customer: str) -> None:
    draft = _draft(shop, customer, 1)
    for asked in ("draft", "partially_paid", "paid"):
        problem = _refused(shop.admin, draft.id, 409, "invalid_transition", status=asked)
        assert (problem["from"], problem["to"]) == ("draft", asked)
    assert shop.cashier.get(f"{PATH}/{draft.id}")["status"] == "draft"

    _set(shop.cashier, draft.id, step(status="sent"))
    for asked in ("draft", "sent", "partially_paid", "paid"):
        _refused(shop.admin, draft.id, 409, "invalid_transition", status=asked)

    pay = {"customer_id": customer, "amount": 180, "method": "cash"}
    shop.cashier.post("/v1/billing/payments", step(**pay))
    why = {"status": "void", "options": {"reason": "No"}}
    facts = _refused(shop.admin, draft.id, 409, "credit_note_required", **why)
    assert facts["paid"] == 180
    shop.cashier.post("/v1/billing/payments", step(**{**pay, "amount": 1000}))
    paid = shop.cashier.get(f"{PATH}/{draft.id}")
    assert (paid["status"], paid["balance"]) == ("paid", 0)
    for asked in ("draft", "sent", "partially_paid", "paid"):
        _refused(shop.admin, draft.id, 409, "invalid_transition", status=asked)
    assert_problem(
        shop.admin.send("PATCH", f"{PATH}/{draft.id}/status", step(status="overdue")), 422, "invalid_input"
    )


def test_a_draft_is_voided_by_who_writes_it(shop: Shop, customer: str) -> None:
    draft = _draft(shop, customer, 1)
    assert _set(shop.cashier, draft.id, step(status="void")).status == "void"
    for asked in ("sent", "void"):
        body = {"status": asked, "options": {"reason": "No"}}
        _refused(shop.admin, draft.id, 409, "invalid_transition", **body)


def test_an_invoice_sent_at_once(shop: Shop, customer: str) -> None:
    before = on_hand(shop)
    day = datetime.now(UTC).date() + timedelta(days=30)
    body = offer(shop, customer, 2, options={"location_id": shop.location_id, "due_date": day})
    sent = Invoice.model_validate(shop.cashier.post(PATH, body))
    assert (sent.status, sent.due_date, sent.balance) == ("sent", day, Decimal(2360))
    assert on_hand(shop) == before - 2
    assert Invoice.model_validate(shop.cashier.post(PATH, body)) == sent
    assert on_hand(shop) == before - 2
    for until, found in ((day, [sent.id]), (day - timedelta(days=1), [])):
        listed = shop.cashier.get(PATH, customer_id=customer, due_to=until)["items"]
        assert [InvoiceRow.model_validate(row).id for row in listed] == found


@pytest.mark.parametrize("sort", ["number", "-number", "due_date", "-due_date", "issued_at"])
@pytest.mark.parametrize("limit", [1, 2])
def test_what_has_no_number_or_due_date_is_on_a_page_too(
    shop: Shop, customer: str, sort: str, limit: int
) -> None:
    day = datetime.now(UTC).date()
    for draft, due in ((True, None), (True, 5), (False, None), (False, 5), (False, 3)):
        options: dict[str, Any] = {"location_id": shop.location_id, "draft": draft}
        options |= {} if due is None else {"due_date": day + timedelta(days=due)}
        shop.cashier.post(PATH, offer(shop, customer, 1, options=options))
    query: dict[str, object] = {"customer_id": customer, "sort": sort}
    whole = [row["id"] for row in shop.cashier.get(PATH, **query)["items"]]
    assert len(set(whole)) == 5
    assert walk(shop.cashier, PATH, limit, **query) == whole


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"lines": []}, 422, "invalid_input"),
        ({"payments": []}, 422, "invalid_input"),
        ({"options": {}}, 400, "invalid_input"),
        ({"options": {"draft": "maybe"}}, 422, "invalid_input"),
        ({"customer_id": uuid4()}, 404, "not_found"),
        ({"quantity": 10}, 422, "credit_limit_exceeded"),
        ({"quantity": 5_000}, 409, "insufficient_stock"),
    ],
)
def test_what_is_no_invoice(
    shop: Shop, customer: str, changes: dict[str, Any], status: int, code: str
) -> None:
    before = on_hand(shop)
    changes = dict(changes)
    quantity = changes.pop("quantity", 1)
    shop.admin.rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=10_000)
    body = offer(shop, customer, quantity, options={"location_id": shop.location_id})
    assert_problem(shop.cashier.send("POST", PATH, {**body, **changes}), status, code)
    assert on_hand(shop) == before


def test_who_writes_no_invoices(shop: Shop, storekeeper: Person, customer: str) -> None:
    draft = _draft(shop, customer)
    for person, status, code in (
        (storekeeper, 403, "permission_denied"),
        (shop.stranger, 404, "not_found"),
    ):
        assert_problem(person.send("POST", PATH, offer(shop, customer)), status, code)
        body = step(customer_id=customer, lines=[{"variant_id": shop.variant_id, "quantity": 1}])
        assert_problem(person.send("PUT", f"{PATH}/{draft.id}", body), status, code)
        for asked in ("sent", "void"):
            _refused(person, draft.id, status, code, status=asked)
    assert shop.cashier.get(f"{PATH}/{draft.id}")["status"] == "draft"
