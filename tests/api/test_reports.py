"""Reports and statements over the API."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas import reports as schemas
from tests.api.conftest import Shop
from tests.api.support import assert_problem

REPORTS: list[tuple[str, type[Any], dict[str, str]]] = [
    ("outstanding", schemas.Outstanding, {}),
    ("ageing", schemas.Ageing, {}),
    ("revenue", schemas.Revenue, {"by": "method"}),
    ("sales", schemas.SalesSummary, {"by": "all"}),
    ("top-sellers", schemas.TopSeller, {"by": "margin"}),
]


@pytest.fixture(scope="module")
def sale(shop: Shop) -> Iterator[Any]:
    """A sale of which 1000 were paid and 180 are owed. Its customer is archived after the tests."""
    customer = shop.admin.post("/v1/customers", {"org_id": shop.org_id, "name": "Meera Nair"})
    shop.admin.rpc("set_credit_limit", p_customer_id=customer["id"], p_credit_limit=1000)
    payments = [{"method": "upi", "amount": 1000}]
    body = shop.sale(1, customer_id=customer["id"], payments=payments)
    yield shop.admin.post("/v1/billing/sales", body)
    shop.admin.http.delete(f"/v1/customers/{customer['id']}")


@pytest.mark.parametrize(("name", "model", "more"), REPORTS, ids=[name for name, _, _ in REPORTS])
def test_a_report(shop: Shop, sale: Any, name: str, model: type[Any], more: dict[str, str]) -> None:
    period = {"date_from": sale["business_date"], "date_to": sale["business_date"]} if more else {}
    asked = {"org_id": str(shop.org_id), **period, **more}
    rows = shop.admin.get(f"/v1/billing/reports/{name}", **asked)["items"]
    assert [model.model_validate(row) for row in rows]
    refused = shop.cashier.http.get(f"/v1/billing/reports/{name}", params=asked)
    assert_problem(refused, 403, "permission_denied")
    assert_problem(shop.stranger.http.get(f"/v1/billing/reports/{name}", params=asked), 404, "not_found")


def test_a_statement(shop: Shop, sale: Any) -> None:
    path = f"/v1/customers/{sale['customer_id']}/statement"
    period = {"date_from": sale["business_date"], "date_to": sale["business_date"]}
    account = schemas.Statement.model_validate(shop.cashier.get(path, **period))
    assert (account.opening, account.closing, account.owed) == (0, 180, 180)  # type: ignore[comparison-overlap]
    assert [line.kind for line in account.lines] == ["invoice", "payment"]
    assert_problem(shop.stranger.http.get(path, params=period), 404, "not_found")
    nobody = f"/v1/customers/{uuid4()}/statement"
    assert_problem(shop.cashier.http.get(nobody, params=period), 404, "not_found")
    turned = {"date_from": "2026-02-01", "date_to": "2026-01-01"}
    assert_problem(shop.cashier.http.get(path, params=turned), 400, "invalid_input")
