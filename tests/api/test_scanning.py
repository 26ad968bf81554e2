"""Pieces, batches, returns, availability and scanning over the API."""

from typing import Any
from uuid import uuid4

import pytest

from backend.app.schemas.goods_returns import GoodsReturn, ReturnRow
from backend.app.schemas.scan import Availability, Scan
from backend.app.schemas.stock import Adjustment, StockLevel, StockMovement
from backend.app.schemas.tracking import Batch, BatchLevel, StockUnit, UnitHistory
from tests.api.conftest import Shop
from tests.api.goods import Goods, goods, stock, units, variant
from tests.api.support import assert_problem
from tests.labels import reading

__all__ = ["goods"]

INVENTORY = "/v1/inventory"


def test_pieces_and_batches_are_listed(shop: Shop, goods: Goods) -> None:
    pieces = [StockUnit.model_validate(row) for row in units(shop, goods)]
    assert [piece.status for piece in pieces] == ["in_stock"] * 3
    (batch,) = shop.cashier.get(f"{INVENTORY}/batches", variant_id=goods.paint)["items"]
    assert Batch.model_validate(shop.cashier.get(f"{INVENTORY}/batches/{batch['id']}")).code == batch["code"]
    (level,) = shop.cashier.get(f"{INVENTORY}/batch-levels", batch_id=batch["id"])["items"]
    assert BatchLevel.model_validate(level).on_hand == 5
    for path in ("units", "batches", "batch-levels"):
        assert shop.stranger.get(f"{INVENTORY}/{path}")["items"] == []
    (row,) = shop.cashier.get(f"{INVENTORY}/stock", variant_id=goods.phone)["items"]
    assert StockLevel.model_validate(row).in_transit == 0
    (moved,) = shop.cashier.get(f"{INVENTORY}/movements", variant_id=goods.phone)["items"]
    assert len(StockMovement.model_validate(moved).serials or []) == 3


def test_adjusting_what_is_numbered_or_kept_in_lots(shop: Shop, goods: Goods) -> None:
    answer = stock(shop, goods.phone, 1, options={"serials": ["LATE-1"], "note": "Found in a drawer"})
    assert Adjustment.model_validate(answer).note == "Found in a drawer"
    body = {"id": uuid4(), "location_id": shop.location_id, "variant_id": goods.phone, "quantity": 1}
    response = shop.admin.send("POST", f"{INVENTORY}/adjustments", {**body, "reason": "found"})
    assert_problem(response, 422, "serials_required")


def test_the_history_of_a_piece(shop: Shop, goods: Goods) -> None:
    serial = units(shop, goods)[0]["serial"]
    line = {"variant_id": goods.phone, "quantity": 1, "serials": [serial]}
    invoice = shop.cashier.post("/v1/billing/sales", shop.sale(lines=[line]))
    body = {
        "id": uuid4(),
        "invoice_id": invoice["id"],
        "location_id": shop.location_id,
        "lines": [{"line_no": 1, "quantity": 1, "serials": [serial]}],
        "reason": "Changed his mind",
    }
    back = GoodsReturn.model_validate(shop.cashier.post(f"{INVENTORY}/returns", body))
    assert back.lines[0].serials == [serial]
    assert shop.cashier.post(f"{INVENTORY}/returns", body)["id"] == str(back.id), "sent again: the same"
    (row,) = shop.cashier.get(f"{INVENTORY}/returns", invoice_id=invoice["id"])["items"]
    assert ReturnRow.model_validate(row).id == back.id
    again = shop.cashier.send("POST", f"{INVENTORY}/returns", {**body, "id": uuid4()})
    assert_problem(again, 422, "return_exceeds_sale")

    asked = {"org_id": shop.org_id, "variant_id": goods.phone, "serial": serial}
    history = UnitHistory.model_validate(shop.cashier.get(f"{INVENTORY}/units/history", **asked))
    assert [event.event for event in history.events] == ["received", "sold", "returned"]
    assert history.events[1].number == invoice["number"]
    response = shop.stranger.http.get(
        f"{INVENTORY}/units/history", params={k: str(v) for k, v in asked.items()}
    )
    assert_problem(response, 404, "not_found")


def test_availability_and_that_of_a_set(shop: Shop, goods: Goods) -> None:
    answer = shop.cashier.http.get(
        f"{INVENTORY}/availability",
        params={"org_id": str(shop.org_id), "variant_id": [str(shop.variant_id), str(goods.suite)]},
    )
    assert answer.status_code == 200, answer.text
    rows = [Availability.model_validate(row) for row in answer.json()["items"]]
    by_variant = {row.variant_id: row for row in rows}
    assert by_variant[goods.suite].available == by_variant[shop.variant_id].available // 2
    parameters = {"org_id": str(shop.org_id), "variant_id": str(shop.variant_id)}
    assert_problem(shop.stranger.http.get(f"{INVENTORY}/availability", params=parameters), 404, "not_found")
    assert_problem(
        shop.cashier.http.get(f"{INVENTORY}/availability", params={"org_id": str(shop.org_id)}),
        422,
        "invalid_input",
    )


def test_whatever_is_scanned(shop: Shop, goods: Goods) -> None:
    piece = units(shop, goods)[1]["serial"]
    (batch,) = shop.cashier.get(f"{INVENTORY}/batches", variant_id=goods.paint)["items"]
    invoice = shop.cashier.post("/v1/billing/sales", shop.sale())
    ean = variant(shop, f"EAN-{piece}", barcode="4006381333931")
    expected: list[tuple[str, str, Any]] = [
        ("4006381333931", "variant", ean),
        ("04006381333931", "variant", ean),
        ("STL-TEAK", "variant", shop.variant_id),
        (f"bl:variant:{shop.variant_id}", "variant", shop.variant_id),
        (piece, "unit", goods.phone),
        (f"bl:unit:{goods.phone}:{piece}", "unit", goods.phone),
        (batch["code"], "batch", goods.paint),
        (f"bl:batch:{batch['id']}", "batch", goods.paint),
        (f"bl:location:{goods.warehouse_id}", "location", None),
        (invoice["number"], "document", None),
    ]
    for code, kind, variant_id in expected:
        found = Scan.model_validate(shop.cashier.get(f"{INVENTORY}/scan", code=code))
        (match,) = found.matches
        assert match.kind == kind, code
        assert (match.variant and match.variant.id) == variant_id
        assert_problem(shop.stranger.http.get(f"{INVENTORY}/scan", params={"code": code}), 404, "not_found")
    assert_problem(shop.cashier.http.get(f"{INVENTORY}/scan", params={"code": "  "}), 400, "invalid_input")


@pytest.mark.parametrize("choice", ["qr", "code128"])
def test_what_labels_say_is_found_again(shop: Shop, goods: Goods, choice: str) -> None:
    piece = units(shop, goods)[0]["serial"]
    (batch,) = shop.cashier.get(f"{INVENTORY}/batches", variant_id=goods.paint)["items"]
    items = [
        {"variant_id": shop.variant_id},
        {"variant_id": goods.phone, "serial": piece},
        {"batch_id": batch["id"]},
        {"location_id": goods.warehouse_id},
    ]
    body = {"format": "roll-100x50", "code": choice, "items": items}
    response = shop.cashier.send("POST", f"{INVENTORY}/labels", body)
    assert response.status_code == 200, response.text
    with reading.opened(response.content, "pdf") as document:
        codes = [reading.codes(reading.page(document, number, 203)) for number in range(4)]
    kinds = [shop.cashier.get(f"{INVENTORY}/scan", code=code)["matches"][0]["kind"] for (code,) in codes]
    assert kinds == ["variant", "unit", "batch", "location"]
    wrong = {"items": [{"variant_id": goods.phone, "serial": "NOT-OURS"}]}
    missing = assert_problem(shop.cashier.send("POST", f"{INVENTORY}/labels", wrong), 404, "not_found")
    assert missing["missing"] == [{"id": str(goods.phone), "serial": "NOT-OURS"}]
