"""The proofs of the books over the API."""

from backend.app.schemas.integrity import IntegrityCheck, IntegrityRun
from tests.api.conftest import Shop
from tests.api.support import assert_problem

INVENTORY = "/v1/inventory"


def test_the_books_are_proved(shop: Shop) -> None:
    path = f"{INVENTORY}/integrity"
    assert_problem(shop.cashier.send("POST", path, {"org_id": shop.org_id}), 403, "permission_denied")
    run = IntegrityRun.model_validate(shop.admin.post(path, {"org_id": shop.org_id}))
    assert run.passed
    rows = shop.admin.get(path, run_id=run.run_id)["items"]
    assert {IntegrityCheck.model_validate(row).proof for row in rows} == {check.proof for check in run.checks}
    assert shop.cashier.get(path)["items"] == []
