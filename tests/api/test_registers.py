"""Tax registers over the API."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.payments import Payment
from backend.app.schemas.registers import Gstr1, VatReturn
from tests.api.conftest import People, Shop, found_organization, open_shop
from tests.api.support import assert_problem
from tests.support.gstin import gstin
from tests.support.zones import another_day, day_in

ZONE = another_day()
TODAY = str(day_in(ZONE))
PERIOD = {"date_from": TODAY, "date_to": TODAY}
OURS, THEIRS = gstin("29ABCDE1234F1Z"), gstin("29AAGCL1234M1Z")


@pytest.fixture(scope="module")
def house(people: People) -> Shop:
    """A registered shop that sold to a registered buyer and a consumer, and took one of three stools back."""
    house = open_shop(people, "Tax & Thread", {"region_code": "29", "tax_number": OURS, "timezone": ZONE})
    buyer = house.admin.post(
        "/v1/customers",
        {
            "org_id": house.org_id,
            "name": "Lotus Interiors",
            "kind": "business",
            "tax_number": THEIRS,
            "country": "IN",
            "region_code": "29",
        },
    )
    paid = [{"method": "card", "amount": 3540}]
    sale = house.sale(3, customer_id=buyer["id"], payments=paid)
    sold = house.cashier.post("/v1/billing/sales", sale)
    house.cashier.post("/v1/billing/sales", house.sale(1))
    note = {"id": uuid4(), "invoice_id": sold["id"], "reason": "Scratched"}
    house.admin.post("/v1/billing/credit-notes", {**note, "lines": [{"line_no": 1, "quantity": 1}]})
    return house


def _ask(house: Shop, **changes: Any) -> dict[str, str]:
    return {key: str(value) for key, value in {"org_id": house.org_id, **PERIOD, **changes}.items()}


def test_gstr1_lists_what_was_sold(house: Shop) -> None:
    register = Gstr1.model_validate(house.admin.get("/v1/billing/registers/gstr1", **_ask(house)))
    (own,) = register.registrations
    assert own.gstin == OURS
    (invoice,) = own.b2b.rows
    assert (invoice.gstin, invoice.value, invoice.items[0].cgst) == (THEIRS, Decimal(3540), Decimal(270))
    (note,) = own.cdnr.rows
    assert (note.invoice_number, note.value) == (invoice.number, Decimal(1180))
    (small,) = own.b2cs.rows
    assert (small.type, small.rate, small.taxable) == ("INTRA", Decimal(18), Decimal(1000))
    assert (own.sums.documents, own.sums.taxable, own.sums.sgst) == (3, Decimal(3000), Decimal(270))
    assert [(row.hsn_code, row.quantity) for row in own.hsn.b2b] == [("9401", Decimal(2))]
    assert [(series.total, series.cancelled) for series in own.docs.rows] == [(1, 0), (2, 0)]
    of_branch = house.admin.get("/v1/billing/registers/gstr1", **_ask(house, branch_id=house.branch_id))
    assert Gstr1.model_validate(of_branch) == register


def test_the_vat_return_sums_by_component(house: Shop) -> None:
    answer = house.admin.get("/v1/billing/registers/vat-return", **_ask(house))
    sums = VatReturn.model_validate(answer)
    assert [(row.component, row.taxable, row.tax) for row in sums.rows] == [
        ("CGST", Decimal(3000), Decimal(270)),
        ("SGST", Decimal(3000), Decimal(270)),
    ]
    assert (sums.sums.taxable, sums.sums.tax, sums.untaxed) == (Decimal(3000), Decimal(540), [])


def test_a_house_under_sales_tax_is_answered_as_documented(people: People) -> None:
    admin, org_id, branch_id = people.make("owner"), uuid4(), uuid4()
    house = {"p_name": "Lagoon", "p_country": "US", "p_currency": "USD"}
    admin.rpc("create_organization", p_id=str(org_id), **house, p_options={"tax_regime": "sales_tax"})
    branch = {"p_code": "NYC", "p_name": "New York", "p_options": {"region_code": "NY"}}
    admin.rpc("create_branch", p_id=str(branch_id), p_org_id=str(org_id), **branch)
    customer = admin.post("/v1/customers", {"org_id": org_id, "name": "Ann"})
    body = {"id": uuid4(), "customer_id": customer["id"], "amount": 50, "method": "card"}
    held = {**body, "options": {"branch_id": branch_id, "hold": True}}
    payment = Payment.model_validate(admin.post("/v1/billing/payments", held))
    assert (payment.tax_regime, payment.currency) == ("sales_tax", "USD")
    answer = admin.get("/v1/billing/registers/vat-return", org_id=org_id, **PERIOD)
    assert VatReturn.model_validate(answer).sums.tax == 0


@pytest.mark.parametrize("register", ["gstr1", "vat-return"])
def test_a_register_is_for_who_reads_reports(house: Shop, register: str) -> None:
    path = f"/v1/billing/registers/{register}"

    def problem(person: Any, status: int, code: str, **changes: Any) -> Any:
        return assert_problem(person.http.get(path, params=_ask(house, **changes)), status, code)

    assert problem(house.cashier, 403, "permission_denied")["permission"] == "report.read"
    problem(house.stranger, 404, "not_found")
    problem(house.admin, 400, "invalid_input", date_to="2020-01-01")
    problem(house.admin, 400, "invalid_input", date_from="2020-01-01")
    problem(house.admin, 422, "invalid_input", date_from="20261121")
    problem(house.admin, 422, "invalid_input", colour="red")
    nothing = found_organization(house.stranger, "Nothing sold")
    empty = house.stranger.get(path, **_ask(house, org_id=nothing))
    assert empty.get("registrations", empty.get("rows")) == []
