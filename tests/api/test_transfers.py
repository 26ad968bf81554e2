"""Reservations and transfers over the API."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx

from backend.app.schemas.reservations import Reservation, ReservationRow
from backend.app.schemas.transfers import Destination, Transfer, TransferRow
from tests.api.conftest import Person, Shop
from tests.api.goods import Goods, goods, units
from tests.api.support import assert_problem

__all__ = ["goods"]

INVENTORY = "/v1/inventory"


def _act(person: Person, path: str, **body: Any) -> httpx.Response:
    return person.send("POST", f"{INVENTORY}/{path}", {"id": uuid4(), **body})


def _done(response: httpx.Response) -> Any:
    assert response.status_code in (200, 201), response.text
    return response.json()


def _reserved(shop: Shop) -> Decimal:
    place = {"variant_id": shop.variant_id, "location_id": shop.location_id}
    (level,) = shop.cashier.get(f"{INVENTORY}/stock", **place)["items"]
    return Decimal(level["reserved"])


def _active(shop: Shop) -> set[UUID]:
    rows = shop.cashier.get(f"{INVENTORY}/reservations", status="active")["items"]
    return {ReservationRow.model_validate(row).id for row in rows}


def test_a_reservation_holds_and_is_released(shop: Shop, goods: Goods) -> None:
    before, active = _reserved(shop), _active(shop)
    lines = [{"variant_id": goods.suite, "quantity": 2}]
    body = {"location_id": shop.location_id, "lines": lines, "options": {"note": "For Mrs Rao"}}
    reservation = Reservation.model_validate(_done(_act(shop.cashier, "reservations", **body)))
    assert reservation.lines[0].items[0].quantity == 4
    assert _reserved(shop) == before + 4
    read = Reservation.model_validate(shop.cashier.get(f"{INVENTORY}/reservations/{reservation.id}"))
    assert read == reservation
    assert _active(shop) == active | {reservation.id}
    gone = [{"variant_id": reservation.lines[0].items[0].variant_id, "quantity": 1}]
    shorter = Reservation.model_validate(
        _done(_act(shop.cashier, f"reservations/{reservation.id}/shorten", lines=gone))
    )
    assert [item.quantity for item in shorter.lines[0].items] == [
        3,
        *(i.quantity for i in read.lines[0].items[1:]),
    ]
    reservation = shorter
    path = f"reservations/{reservation.id}/release"
    assert Reservation.model_validate(_done(_act(shop.cashier, path))).status == "released"
    assert (_reserved(shop), _active(shop)) == (before, active)
    assert_problem(_act(shop.cashier, path), 409, "invalid_transition")
    assert_problem(_act(shop.stranger, path), 404, "not_found")
    lines[0]["quantity"] = 1_000
    assert_problem(_act(shop.cashier, "reservations", **body), 409, "insufficient_stock")


def test_a_transfer_from_draft_to_shelf(shop: Shop, goods: Goods) -> None:
    serial = units(shop, goods)[0]["serial"]
    body = {
        "from_location_id": shop.location_id,
        "to_location_id": goods.mumbai_shop_id,
        "lines": [
            {"variant_id": shop.variant_id, "quantity": 3},
            {"variant_id": goods.phone, "quantity": 1},
        ],
        "options": {"expected_on": "2090-01-01"},
    }
    assert_problem(_act(shop.cashier, "transfers", **body), 403, "permission_denied")
    draft = Transfer.model_validate(_done(_act(goods.keeper, "transfers", **body)))
    assert draft.status == "draft"
    path = f"transfers/{draft.id}"
    assert_problem(_act(goods.keeper, f"{path}/dispatch"), 422, "serials_required")
    sent = _act(goods.keeper, f"{path}/dispatch", lines=[{"line_no": 2, "serials": [serial]}])
    transfer = Transfer.model_validate(_done(sent))
    assert transfer.number
    (level,) = goods.receiver.get(f"{INVENTORY}/stock", variant_id=shop.variant_id)["items"]
    assert (level["in_transit"], level["on_hand"]) == (3, 0)
    (row,) = goods.receiver.get(f"{INVENTORY}/transfers", status="dispatched")["items"]
    assert TransferRow.model_validate(row).id == transfer.id
    item_no = next(item.item_no for item in transfer.items if item.variant_id == shop.variant_id)
    lines = [{"item_no": item_no, "received": 1, "missing": 1}]
    partly = Transfer.model_validate(_done(_act(goods.receiver, f"{path}/receive", lines=lines)))
    assert partly.status == "partially_received"
    assert_problem(_act(goods.keeper, f"{path}/cancel", reason="Too late"), 409, "invalid_transition")
    whole = Transfer.model_validate(_done(_act(goods.receiver, f"{path}/receive")))
    assert (whole.status, whole.has_differences, len(whole.receipts)) == ("received", True, 2)
    assert Transfer.model_validate(goods.receiver.get(f"{INVENTORY}/{path}")) == whole
    assert_problem(shop.stranger.http.get(f"{INVENTORY}/{path}"), 404, "not_found")
    found = goods.receiver.get(f"{INVENTORY}/scan", code=whole.number)["matches"]
    assert [match["document"]["id"] for match in found] == [str(whole.id)]


def test_a_transfer_is_cancelled(shop: Shop, goods: Goods) -> None:
    body = {
        "from_location_id": shop.location_id,
        "to_location_id": goods.warehouse_id,
        "lines": [{"variant_id": shop.variant_id, "quantity": 1}],
    }
    draft = _done(_act(goods.keeper, "transfers", **body))
    path = f"transfers/{draft['id']}/cancel"
    assert_problem(goods.keeper.send("POST", f"{INVENTORY}/{path}", {"id": uuid4()}), 422, "invalid_input")
    gone = Transfer.model_validate(_done(_act(goods.keeper, path, reason="Not needed")))
    assert gone.status == "cancelled"


def test_where_a_transfer_may_go(shop: Shop, goods: Goods) -> None:
    found = shop.admin.get(f"{INVENTORY}/transfer-destinations", org_id=shop.org_id)["items"]
    assert str(goods.mumbai_shop_id) in {str(Destination.model_validate(row).location_id) for row in found}
    refused = shop.cashier.send("GET", f"{INVENTORY}/transfer-destinations?org_id={shop.org_id}", None)
    assert_problem(refused, 403, "permission_denied")
