"""Quotations over the API, from the draft to the order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.orders import Order
from backend.app.schemas.quotations import Quotation, QuotationRow
from tests.api.conftest import Person, Shop
from tests.api.support import assert_problem
from tests.api.trading import act, offer, step

PATH = "/v1/billing/quotations"


def _read(person: Person, quotation_id: object) -> Quotation:
    return Quotation.model_validate(person.get(f"{PATH}/{quotation_id}"))


def test_a_quotation_becomes_an_order(shop: Shop, seller: Person, customer: str) -> None:
    body = offer(shop, customer, options={"reference": "Balcony", "terms": "Half in advance"})
    draft = Quotation.model_validate(shop.cashier.post(PATH, body))
    assert (draft.status, draft.number, draft.revision, draft.total) == ("draft", None, 1, Decimal(3540))
    assert (draft.reference, draft.terms) == ("Balcony", "Half in advance")
    assert Quotation.model_validate(shop.cashier.post(PATH, body)) == draft
    other = shop.cashier.send("POST", PATH, {**body, "options": {}})
    assert_problem(other, 409, "id_reused")

    path = f"quotations/{draft.id}"
    revised = Quotation.model_validate(act(shop.cashier, path, offer(shop, customer, 2), method="PUT"))
    assert (revised.id, revised.revision, revised.total) == (draft.id, 2, Decimal(2360))
    assert [(r.revision, r.total, r.status) for r in revised.revisions] == [(1, Decimal(3540), "draft")]

    sent = Quotation.model_validate(act(shop.cashier, f"{path}/send", step()))
    assert sent.status == "sent"
    assert sent.number
    refused = shop.cashier.send("POST", f"{PATH}/{draft.id}/approve", step())
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "quotation.approve"
    early = shop.cashier.send("POST", f"{PATH}/{draft.id}/convert", step())
    assert_problem(early, 409, "invalid_transition")
    assert _read(shop.cashier, draft.id) == sent, "what is refused changes nothing"

    yes = step()
    approved = Quotation.model_validate(act(seller, f"{path}/approve", yes))
    assert Quotation.model_validate(act(seller, f"{path}/approve", yes)) == approved
    found = seller.get(PATH, customer_id=customer, status="approved")["items"]
    assert [QuotationRow.model_validate(row).id for row in found] == [draft.id]
    assert seller.get(PATH, customer_id=customer, status="sent")["items"] == []
    assert seller.get(PATH, org_id=shop.org_id, q=sent.number)["total"] == 1

    convert = step(options={"reference": "PO 4711"})
    order = Order.model_validate(act(shop.cashier, f"{path}/convert", convert, 201))
    assert (order.id, order.quotation_id) == (convert["id"], draft.id)
    assert (order.status, order.total, order.reference) == ("draft", Decimal(2360), "PO 4711")
    assert Order.model_validate(act(shop.cashier, f"{path}/convert", convert, 201)) == order
    twice = shop.cashier.send("POST", f"{PATH}/{draft.id}/convert", step())
    assert_problem(twice, 409, "invalid_transition")
    late = shop.cashier.send("PUT", f"{PATH}/{draft.id}", offer(shop, customer))
    assert_problem(late, 409, "invalid_transition")
    done = _read(shop.cashier, draft.id)
    assert (done.status, done.order_id) == ("converted", order.id)


def test_a_quotation_is_declined_and_written_anew(shop: Shop, seller: Person, customer: str) -> None:
    made = shop.cashier.post(PATH, offer(shop, customer))
    path = f"quotations/{made['id']}"
    unsent = seller.send("POST", f"{PATH}/{made['id']}/reject", step(reason="Too dear"))
    problem = assert_problem(unsent, 409, "invalid_transition")
    assert (problem["from"], problem["to"]) == ("draft", "rejected")
    act(shop.cashier, f"{path}/send", step())
    declined = Quotation.model_validate(act(seller, f"{path}/reject", step(reason="Too dear")))
    assert (declined.status, declined.reason) == ("rejected", "Too dear")
    assert_problem(seller.send("POST", f"{PATH}/{made['id']}/approve", step()), 409, "invalid_transition")
    anew = Quotation.model_validate(act(shop.cashier, path, offer(shop, customer, 1), method="PUT"))
    assert (anew.status, anew.reason, anew.number) == ("draft", None, declined.number)
    assert [revision.status for revision in anew.revisions] == ["rejected"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"lines": []}, 422, "invalid_input"),
        ({"colour": "teak"}, 422, "invalid_input"),
        ({"options": {"valid_until": 20261231}}, 422, "invalid_input"),
        ({"options": {"valid_until": "2020-01-01"}}, 400, "invalid_input"),
        ({"customer_id": uuid4()}, 404, "not_found"),
        ({"branch_id": uuid4()}, 404, "not_found"),
    ],
)
def test_what_is_no_quotation(
    shop: Shop, customer: str, changes: dict[str, Any], status: int, code: str
) -> None:
    before = shop.admin.get(PATH, org_id=shop.org_id)["total"]
    assert_problem(shop.cashier.send("POST", PATH, {**offer(shop, customer), **changes}), status, code)
    assert shop.admin.get(PATH, org_id=shop.org_id)["total"] == before


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"discount": 2999}, 422, "discount_limit"),
        ({"unit_price": 1}, 403, "price_override_denied"),
        ({"serials": ["A-1"]}, 422, "invalid_input"),
        ({"batch": "LOT-1"}, 422, "invalid_input"),
    ],
)
def test_what_a_cashier_may_not_offer(
    shop: Shop, customer: str, more: dict[str, Any], status: int, code: str
) -> None:
    body = offer(shop, customer)
    body["lines"][0].update(more)
    assert_problem(shop.cashier.send("POST", PATH, body), status, code)


def test_a_quotation_that_is_over(shop: Shop, customer: str) -> None:
    day = datetime.now(UTC).date() + timedelta(days=10)
    made = shop.cashier.post(PATH, offer(shop, customer, options={"valid_until": day}))
    for until, found in ((day, 1), (day - timedelta(days=1), 0)):
        assert shop.cashier.get(PATH, customer_id=customer, valid_to=until)["total"] == found
    assert made["valid_until"] == day.isoformat()


def test_who_does_not_quote(shop: Shop, storekeeper: Person, customer: str) -> None:
    made = shop.cashier.post(PATH, offer(shop, customer))
    path = f"{PATH}/{made['id']}"
    for person, status, code in (
        (storekeeper, 403, "permission_denied"),
        (shop.stranger, 404, "not_found"),
    ):
        assert_problem(person.http.get(path), status, code)
        assert_problem(person.http.get(f"{path}/pdf"), status, code)
        assert_problem(person.send("PUT", path, offer(shop, customer)), status, code)
        for verb in ("send", "approve", "convert"):
            assert_problem(person.send("POST", f"{path}/{verb}", step()), status, code)
        assert person.get(PATH, org_id=shop.org_id)["items"] == []
    assert _read(shop.cashier, made["id"]).status == "draft"
