"""What belongs to a customer, over the API: addresses, terms of payment, history, and entries made twice."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.app.schemas.billing import Invoice
from backend.app.schemas.customer_profiles import (
    CustomerAddress,
    CustomerHistory,
    HistoryItem,
    MergedCustomer,
)
from backend.app.schemas.customers import Customer
from tests.api.conftest import People, Shop, open_shop
from tests.api.support import assert_problem
from tests.documents import reading
from tests.support.gstin import gstin

Body = dict[str, Any]


@pytest.fixture(scope="module")
def house(people: People) -> Shop:
    """A shop of its own, because other tests count the customers of theirs."""
    return open_shop(people, "Lotus & Leaf", {"region_code": "29"})


def _customer(house: Shop, **values: Any) -> UUID:
    made = house.admin.post("/v1/customers", {"org_id": house.org_id, "name": "Meera Nair", **values})
    house.admin.send("PUT", f"/v1/customers/{made['id']}/credit-limit", {"credit_limit": 100_000})
    return UUID(made["id"])


def _owed(house: Shop, customer: UUID) -> Invoice:
    sale = house.sale(1, customer_id=customer, payments=[])
    return Invoice.model_validate(house.cashier.post("/v1/billing/sales", sale))


def test_a_customer_has_addresses(house: Shop) -> None:
    customer = _customer(house)
    body = {
        "id": uuid4(),
        "org_id": house.org_id,
        "customer_id": customer,
        "kind": "delivery",
        "is_default": True,
        "label": "Site 4",
        "address_line1": "Plot 11, Hosur Road",
        "region_code": "29",
        "country": "IN",
    }
    path = "/v1/customer-addresses"
    first = CustomerAddress.model_validate(house.cashier.post(path, body))
    assert_problem(house.cashier.send("POST", path, body), 409, "duplicate")
    second = house.cashier.post(path, {**body, "id": uuid4(), "label": "Site 5"})
    read = CustomerAddress.model_validate(house.cashier.get(f"{path}/{first.id}"))
    assert (read.is_default, second["is_default"]) == (False, True), "one of a kind is proposed first"
    changed = house.cashier.send("PATCH", f"{path}/{first.id}", {"city": "Hosur", "is_default": True})
    assert CustomerAddress.model_validate(changed.json()).city == "Hosur"
    listed = house.cashier.get(path, customer_id=customer, is_default="true")["items"]
    assert [row["id"] for row in listed] == [str(first.id)]
    assert len(house.cashier.get(path, customer_id=customer, q="site")["items"]) == 2

    no_state = {**body, "id": uuid4(), "region_code": "99"}
    assert_problem(house.cashier.send("POST", path, no_state), 409, "reference_missing")
    for wrong in ({"kind": "office"}, {"address_line1": ""}, {"country": "India"}, {"colour": "red"}):
        refused = house.cashier.send("POST", path, {**body, "id": uuid4(), **wrong})
        assert_problem(refused, 422, "invalid_input")
    assert_problem(house.stranger.send("POST", path, {**body, "id": uuid4()}), 403, "permission_denied")
    assert_problem(house.stranger.http.get(f"{path}/{first.id}"), 404, "not_found")
    assert_problem(house.stranger.http.delete(f"{path}/{first.id}"), 404, "not_found")
    assert house.cashier.http.delete(f"{path}/{first.id}").status_code == 200
    assert [row["label"] for row in house.cashier.get(path, customer_id=customer)["items"]] == ["Site 5"]


def test_terms_of_payment_decide_when_it_is_due(house: Shop) -> None:
    customer = _customer(house)
    assert _owed(house, customer).due_date is None
    path = f"/v1/customers/{customer}/payment-terms"
    refused = house.cashier.send("PUT", path, {"days": 30})
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "customer.credit"
    for _ in range(2):
        answer = house.admin.send("PUT", path, {"days": 30})
        assert Customer.model_validate(answer.json()).payment_terms_days == 30
    invoice = _owed(house, customer)
    assert invoice.due_date == invoice.business_date + timedelta(days=30)
    for wrong in ({"days": 366}, {"days": -1}, {}, {"days": "soon"}, {"days": True}):
        assert_problem(house.admin.send("PUT", path, wrong), 422, "invalid_input")
    assert_problem(house.stranger.send("PUT", path, {"days": 0}), 404, "not_found")
    assert house.admin.send("PUT", path, {"days": None}).json()["payment_terms_days"] is None


def test_the_history_turns_its_pages(house: Shop) -> None:
    customer = _customer(house)
    invoice = _owed(house, customer)
    pay = {"id": uuid4(), "customer_id": customer, "amount": 1180, "method": "cash"}
    house.cashier.post("/v1/billing/payments", pay)
    note = {"id": uuid4(), "invoice_id": invoice.id, "reason": "Scratched"}
    house.admin.post("/v1/billing/credit-notes", {**note, "lines": [{"line_no": 1, "quantity": 1}]})
    path = f"/v1/customers/{customer}/history"
    whole = CustomerHistory.model_validate(house.cashier.get(path))
    assert whole.next_cursor is None
    kinds = [(item.kind, item.amount) for item in whole.items]
    assert kinds[-2:] == [("payment", Decimal(1180)), ("invoice", Decimal(1180))]
    assert ("credit_note", Decimal(1180)) in kinds
    found: list[HistoryItem] = []
    cursor: dict[str, str] = {}
    for _ in whole.items:
        page = CustomerHistory.model_validate(house.cashier.get(path, limit=1, **cursor))
        found += page.items
        cursor = {"cursor": page.next_cursor} if page.next_cursor else {}
    assert found == whole.items
    assert cursor == {}
    assert_problem(house.cashier.http.get(path, params={"cursor": "yesterday"}), 400, "invalid_input")
    assert_problem(house.cashier.http.get(path, params={"limit": 501}), 422, "invalid_input")
    assert_problem(house.stranger.http.get(path), 404, "not_found")


def test_who_was_entered_twice_becomes_one(house: Shop) -> None:
    keep, twice = _customer(house, name="Meera"), _customer(house, phone="+91 98450 12345")
    invoice = _owed(house, twice)
    path, body = f"/v1/customers/{keep}/merges", {"id": uuid4(), "merge_id": twice}
    refused = house.cashier.send("POST", path, body)
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "customer.merge"
    assert_problem(house.stranger.send("POST", path, body), 404, "not_found")
    assert_problem(house.admin.send("POST", path, {**body, "merge_id": keep}), 400, "invalid_input")
    assert_problem(house.admin.send("POST", path, {**body, "merge_id": uuid4()}), 404, "not_found")
    for _ in range(2):
        merged = MergedCustomer.model_validate(house.admin.post(path, body, 200))
        assert (merged.id, merged.merged, merged.phone) == (keep, [twice], "+91 98450 12345")
    assert house.cashier.get(f"/v1/billing/invoices/{invoice.id}")["customer_id"] == str(keep)
    assert house.cashier.get(f"/v1/customers/{twice}")["merged_into"] == str(keep)
    assert_problem(house.admin.send("POST", path, {**body, "id": uuid4()}), 409, "customer_merged")
    sale = house.sale(1, customer_id=twice)
    assert_problem(house.cashier.send("POST", "/v1/billing/sales", sale), 404, "not_found")


def test_two_registered_customers_stay_two(house: Shop) -> None:
    numbers = [gstin("29ABCDE1234F1Z"), gstin("29AAGCL1234M1Z")]
    keep, other = (_customer(house, tax_number=number, country="IN", region_code="29") for number in numbers)
    body = {"id": uuid4(), "merge_id": other}
    refused = house.admin.send("POST", f"/v1/customers/{keep}/merges", body)
    assert_problem(refused, 422, "tax_numbers_differ")
    assert house.admin.get(f"/v1/customers/{other}")["merged_into"] is None


def test_a_statement_tells_of_the_merged_too(house: Shop) -> None:
    keep, twice = _customer(house), _customer(house)
    invoice = _owed(house, twice)
    house.admin.post(f"/v1/customers/{keep}/merges", {"id": uuid4(), "merge_id": twice}, 200)
    period = _day_of(invoice)
    for customer in (keep, twice):
        statement = house.admin.get(f"/v1/customers/{customer}/statement", **period)
        assert [line["number"] for line in statement["lines"]] == [invoice.number]


def _day_of(invoice: Invoice) -> dict[str, str]:
    day = invoice.business_date.isoformat()
    return {"date_from": day, "date_to": day}


def test_a_statement_is_printed(house: Shop) -> None:
    customer = _customer(house)
    invoice = _owed(house, customer)
    path, period = f"/v1/customers/{customer}/statement/pdf", _day_of(invoice)
    answer = house.cashier.http.get(path, params=period)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    read = reading.text(answer.content)
    for words in ("Statement of Account", "Meera Nair", str(invoice.number), "1,180.00"):
        assert words in read, words
    name = f"{invoice.business_date} Statement of Account Meera Nair Lotus & Leaf.pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    tag = {"If-None-Match": answer.headers["etag"]}
    assert house.cashier.http.get(path, params=period, headers=tag).status_code == 304
    _owed(house, customer)
    assert house.cashier.http.get(path, params=period, headers=tag).status_code == 200
    assert_problem(house.cashier.http.get(path), 422, "invalid_input")
    backwards = {**period, "date_to": "2020-01-01"}
    assert_problem(house.cashier.http.get(path, params=backwards), 400, "invalid_input")
    assert_problem(house.stranger.http.get(path, params=period), 404, "not_found")
