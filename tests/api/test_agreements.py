"""Sales on credit over the API: quoted, opened, paid, settled, rescheduled, waived, and the daily job."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.agreements import (
    Agreement,
    AgreementRow,
    CreditQuote,
    DueInstalment,
    PaidAgreement,
    RunReport,
)
from backend.app.schemas.billing import Invoice
from tests.api.conftest import People, Person, Shop, join, open_shop
from tests.api.support import assert_problem
from tests.documents import reading
from tests.support.zones import another_day, day_in

Body = dict[str, Any]
ZONE = another_day()
TODAY = day_in(ZONE)
PATH = "/v1/billing/agreements"


@pytest.fixture(scope="module")
def house(people: People) -> Shop:
    """A shop of its own, whose instalments nobody else counts."""
    return open_shop(people, "Phones & Credit", {"region_code": "29", "timezone": ZONE})


@pytest.fixture(scope="module")
def seller(people: People, house: Shop) -> Person:
    """Who may sell on credit there."""
    return join(people, house.admin, house.org_id, "sales_executive", [house.branch_id])


@pytest.fixture
def owed(house: Shop) -> Invoice:
    """An invoice over 4720, owed by a new customer."""
    made = house.admin.post("/v1/customers", {"org_id": house.org_id, "name": f"Meera {uuid4().hex[:6]}"})
    house.admin.send("PUT", f"/v1/customers/{made['id']}/credit-limit", {"credit_limit": 100_000})
    sale = house.sale(4, customer_id=made["id"], payments=[])
    return Invoice.model_validate(house.cashier.post("/v1/billing/sales", sale))


def _terms(**changes: Any) -> Body:
    terms = {
        "count": 2,
        "first_due_on": TODAY + timedelta(days=30),
        "interest": {"kind": "reducing", "annual_percent": 18},
        "fees": [{"name": "Processing", "amount": 100}],
    }
    return {**terms, **changes}


def _open(seller: Person, owed: Invoice, **changes: Any) -> Agreement:
    body = {"id": uuid4(), "invoice_id": owed.id, "terms": _terms(**changes)}
    return Agreement.model_validate(seller.post(PATH, body))


def test_what_is_quoted_is_agreed_and_paid(house: Shop, seller: Person, owed: Invoice) -> None:
    asked = {"amount": 4720, "terms": _terms(), "date": TODAY}
    quote = CreditQuote.model_validate(house.cashier.post("/v1/billing/instalments/quote", asked, 200))
    assert quote.financed == sum(part.principal for part in quote.schedule) == 4720
    assert quote.total == quote.financed + quote.interest + quote.fees

    body = {"id": uuid4(), "invoice_id": owed.id, "terms": _terms()}
    refused = house.cashier.send("POST", PATH, body)
    assert assert_problem(refused, 403, "permission_denied")["permission"] == "credit.sell"
    assert_problem(house.stranger.send("POST", PATH, body), 404, "not_found")
    agreement = Agreement.model_validate(seller.post(PATH, body))
    assert Agreement.model_validate(seller.post(PATH, body)) == agreement
    assert [(i.due_on, i.total) for i in agreement.schedule] == [(i.due_on, i.total) for i in quote.schedule]
    twice = {**body, "id": uuid4()}
    assert_problem(seller.send("POST", PATH, twice), 409, "agreement_exists")
    listed = house.cashier.get(PATH, invoice_id=owed.id, status="active", q=agreement.number)["items"]
    assert [AgreementRow.model_validate(row).id for row in listed] == [agreement.id]
    assert house.stranger.get(PATH, invoice_id=owed.id)["items"] == []
    assert_problem(house.stranger.http.get(f"{PATH}/{agreement.id}"), 404, "not_found")

    path, first = f"{PATH}/{agreement.id}/payments", agreement.schedule[0].total
    pay = {"id": uuid4(), "amount": first, "method": "upi", "reference": "UPI 4711"}
    paid = PaidAgreement.model_validate(house.cashier.post(path, pay))
    assert (paid.schedule[0].status, paid.schedule[1].status) == ("paid", "pending")
    assert paid.payment.charges == paid.schedule[0].interest + paid.schedule[0].fee
    assert PaidAgreement.model_validate(house.cashier.post(path, pay)) == paid
    assert_problem(house.cashier.send("POST", path, {**pay, "amount": 1}), 409, "id_reused")
    more = {**pay, "id": uuid4(), "amount": paid.outstanding + Decimal("0.01")}
    assert assert_problem(house.cashier.send("POST", path, more), 422, "agreement_overpaid")["excess"] == 0.01
    assert_problem(house.stranger.send("POST", path, {**more, "id": uuid4()}), 404, "not_found")
    read = Agreement.model_validate(house.cashier.get(f"{PATH}/{agreement.id}"))
    assert (read.paid, read.next_due and read.next_due.no) == (first, 2)


def test_an_agreement_is_settled_early(house: Shop, seller: Person, owed: Invoice) -> None:
    agreement = _open(seller, owed)
    path = f"{PATH}/{agreement.id}/settlement"
    assert agreement.settlement_amount < agreement.outstanding, "what is not lent any more bears no interest"
    body = {"id": uuid4(), "amount": agreement.outstanding, "method": "cash"}
    refused = assert_problem(house.cashier.send("POST", path, body), 409, "settlement_changed")
    assert Decimal(str(refused["amount"])) == agreement.settlement_amount
    body["amount"] = agreement.settlement_amount
    for _ in range(2):
        done = Agreement.model_validate(house.cashier.post(path, body, 200))
        assert (done.status, done.credit_status, done.outstanding) == ("completed", "completed", Decimal(0))
    assert_problem(house.cashier.send("POST", path, {**body, "id": uuid4()}), 409, "agreement_closed")


def test_what_was_agreed_is_changed_by_who_may(house: Shop, seller: Person, owed: Invoice) -> None:
    agreement = _open(seller, owed)
    waiver = {"id": uuid4(), "no": 1, "component": "fee", "amount": 40, "reason": "Our mistake"}
    anew = {"id": uuid4(), "terms": _terms(count=6, fees=None), "reason": "Lost his job"}
    for act, body in (("waivers", waiver), ("rescheduling", anew)):
        for person in (house.cashier, seller):
            refused = person.send("POST", f"{PATH}/{agreement.id}/{act}", body)
            assert assert_problem(refused, 403, "permission_denied")["permission"] == "credit.override"
        assert_problem(house.stranger.send("POST", f"{PATH}/{agreement.id}/{act}", body), 404, "not_found")
    for _ in range(2):
        let_off = Agreement.model_validate(house.admin.post(f"{PATH}/{agreement.id}/waivers", waiver, 200))
        assert (let_off.fees, agreement.fees) == (Decimal(60), Decimal(100))
    more = {**waiver, "id": uuid4(), "amount": 61}
    refused = house.admin.send("POST", f"{PATH}/{agreement.id}/waivers", more)
    assert assert_problem(refused, 422, "waiver_exceeds_charge")["open"] == 60
    nowhere = {**waiver, "id": uuid4(), "no": 3}
    refused = house.admin.send("POST", f"{PATH}/{agreement.id}/waivers", nowhere)
    assert_problem(refused, 404, "not_found")

    with_deposit = {**anew, "id": uuid4(), "terms": _terms(deposit=10)}
    refused = house.admin.send("POST", f"{PATH}/{agreement.id}/rescheduling", with_deposit)
    assert assert_problem(refused, 400, "invalid_input")["field"] == "deposit"
    after = Agreement.model_validate(house.admin.post(f"{PATH}/{agreement.id}/rescheduling", anew))
    assert (after.replaces_id, len(after.schedule), after.reason) == (agreement.id, 6, "Lost his job")
    assert after.schedule[0].fee == 60, "what was charged by now goes along"
    before = Agreement.model_validate(house.cashier.get(f"{PATH}/{agreement.id}"))
    assert (before.status, before.replaced_by_id) == ("rescheduled", after.id)


def test_an_agreement_is_printed(house: Shop, seller: Person, owed: Invoice) -> None:
    agreement = _open(seller, owed, late_fee=75)
    path = f"{PATH}/{agreement.id}/pdf"
    answer = house.cashier.http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    read = reading.text(answer.content)
    schedule = [f"{part.total:,.2f}" for part in agreement.schedule]
    for words in (agreement.number, str(owed.number), agreement.customer_name, "Processing", *schedule):
        assert words in read, words
    name = f"{agreement.number.replace('/', '-')} Instalment Agreement Phones & Credit.pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    tag = {"If-None-Match": answer.headers["etag"]}
    assert house.cashier.http.get(path, headers=tag).status_code == 304
    pay = {"id": uuid4(), "amount": 100, "method": "cash"}
    house.cashier.post(f"{PATH}/{agreement.id}/payments", pay)
    anew = house.cashier.http.get(path, headers=tag)
    assert anew.status_code == 200, "what is paid is on it"
    assert_problem(house.stranger.http.get(path), 404, "not_found")
    assert_problem(house.cashier.http.get(path, headers={"Authorization": ""}), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"count": 0}, 422, "invalid_input"),
        ({"count": 121}, 422, "invalid_input"),
        ({"interval": "year"}, 422, "invalid_input"),
        ({"interest": {"kind": "compound"}}, 422, "invalid_input"),
        ({"colour": "red"}, 422, "invalid_input"),
        ({"first_due_on": "tomorrow"}, 422, "invalid_input"),
        ({"first_due_on": TODAY - timedelta(days=1)}, 400, "invalid_input"),
        ({"grace_days": 90}, 400, "invalid_input"),
        ({"interest": {"kind": "flat"}}, 400, "invalid_input"),
        ({"deposit": 1}, 422, "deposit_missing"),
    ],
)
def test_terms_that_cannot_be_agreed(
    seller: Person, owed: Invoice, changes: Body, status: int, code: str
) -> None:
    body = {"id": uuid4(), "invoice_id": owed.id, "terms": _terms(**changes)}
    assert_problem(seller.send("POST", PATH, body), status, code)
    assert seller.get(PATH, invoice_id=owed.id)["items"] == []


def test_what_is_due_is_collected(house: Shop, seller: Person, owed: Invoice) -> None:
    agreement = _open(seller, owed, first_due_on=TODAY, interval="week", fees=None)
    scope = {"org_id": house.org_id, "branch_id": house.branch_id}

    def due(**until: Any) -> list[DueInstalment]:
        rows = seller.get("/v1/billing/instalments/due", **scope, **until)["items"]
        return [row for row in map(DueInstalment.model_validate, rows) if row.agreement_id == agreement.id]

    assert [(row.no, row.due_on, row.days_late) for row in due()] == [(1, TODAY, 0)]
    assert [row.no for row in due(until=TODAY + timedelta(days=7))] == [1, 2]
    run, org = "/v1/billing/instalments/overdue", {"org_id": house.org_id}
    for person in (house.cashier, seller):
        refused = person.send("POST", run, org)
        assert assert_problem(refused, 403, "permission_denied")["permission"] == "credit.override"
    first = RunReport.model_validate(house.admin.post(run, org, 200))
    assert (first.reminders > 0, first.overdue) == (True, 0), "today is not late yet"
    again = RunReport.model_validate(house.admin.post(run, org, 200))
    assert (again.agreements, again.reminders) == (0, 0)
    assert seller.get(run, **scope) == {"items": []}
    for path in (run, "/v1/billing/instalments/due"):
        assert_problem(
            house.cashier.http.get(path, params={"org_id": str(house.org_id)}), 403, "permission_denied"
        )
        assert_problem(house.stranger.http.get(path, params={"org_id": str(house.org_id)}), 404, "not_found")
    assert_problem(house.stranger.send("POST", run, org), 404, "not_found")


def test_the_books_agree(house: Shop) -> None:
    assert house.admin.get("/v1/billing/checks", org_id=house.org_id) == {"items": []}
