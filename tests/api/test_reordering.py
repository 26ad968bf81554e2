"""Alerts, reorder rules and catching up over the API."""

from typing import Any
from uuid import uuid4

from backend.app.schemas.changes import Changes
from backend.app.schemas.reordering import AbcRow, Alert, RemovedRule, ReorderRule, SavedRule, Suggestion
from tests.api.conftest import Shop
from tests.api.goods import Goods, goods, stock, variant
from tests.api.support import assert_problem

__all__ = ["goods"]

INVENTORY = "/v1/inventory"


def test_what_runs_low_is_told_once_and_ordered_again(shop: Shop, goods: Goods) -> None:
    lamp = variant(shop, f"LAMP-{uuid4().hex[:6]}")
    stock(shop, lamp, 5)
    rule: dict[str, Any] = {
        "id": uuid4(),
        "location_id": shop.location_id,
        "variant_id": lamp,
        "reorder_point": 3,
        "reorder_quantity": 6,
        "lead_time_days": 14,
    }
    path = f"{INVENTORY}/reorder-rules"
    assert_problem(shop.cashier.send("POST", path, rule), 403, "permission_denied")
    response = goods.keeper.send("POST", path, rule)
    assert response.status_code == 200, response.text
    assert SavedRule.model_validate(response.json()).reorder_quantity == 6
    (row,) = goods.keeper.get(path, variant_id=lamp)["items"]
    assert ReorderRule.model_validate(row).lead_time_days == 14

    shop.cashier.post("/v1/billing/sales", shop.sale(lines=[{"variant_id": lamp, "quantity": 2}]))
    (alert,) = goods.keeper.get(f"{INVENTORY}/alerts", variant_id=lamp, resolved=False)["items"]
    assert Alert.model_validate(alert).kind == "low_stock"
    seen = goods.keeper.send("POST", f"{INVENTORY}/alerts/{alert['id']}/acknowledge", {"id": uuid4()})
    assert Alert.model_validate(seen.json()).acknowledged_at is not None
    (left,) = goods.keeper.get(f"{INVENTORY}/alerts", variant_id=lamp, acknowledged=True)["items"]
    assert left["id"] == alert["id"]
    assert shop.stranger.get(f"{INVENTORY}/alerts")["items"] == []

    rows = goods.keeper.get(f"{INVENTORY}/reorder-suggestions", branch_id=shop.branch_id)["items"]
    (suggestion,) = (row for row in map(Suggestion.model_validate, rows) if row.variant_id == lamp)
    assert suggestion.suggested >= 6
    rows = goods.keeper.get(f"{INVENTORY}/abc-analysis", branch_id=shop.branch_id)["items"]
    assert {AbcRow.model_validate(row).abc_class for row in rows} <= {"A", "B", "C"}

    gone = goods.keeper.send(
        "POST", f"{path}/remove", {"id": uuid4(), "location_id": shop.location_id, "variant_id": lamp}
    )
    assert RemovedRule.model_validate(gone.json()).variant_id == lamp
    assert goods.keeper.get(path, variant_id=lamp)["items"] == []


def test_catching_up(shop: Shop) -> None:
    path = f"{INVENTORY}/stock/changes"
    first = Changes.model_validate(shop.cashier.get(path, branch_id=shop.branch_id))
    assert first.reset
    assert not first.more
    shop.cashier.post("/v1/billing/sales", shop.sale())
    parameters = {"branch_id": shop.branch_id, "cursor": first.cursor}
    second = Changes.model_validate(shop.cashier.get(path, **parameters))
    assert not second.reset
    assert shop.variant_id in {level.variant_id for level in second.levels}
    assert_problem(shop.stranger.http.get(path, params={"branch_id": str(shop.branch_id)}), 404, "not_found")
