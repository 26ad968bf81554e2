"""Counts over the API."""

from typing import Any
from uuid import UUID, uuid4

import httpx

from backend.app.schemas.counts import Count, CountEntry, CountRow, Entries
from tests.api.conftest import Person, Shop
from tests.api.goods import Goods, goods
from tests.api.support import assert_problem

__all__ = ["goods"]

COUNTS = "/v1/inventory/counts"


def _act(person: Person, path: str, **body: Any) -> httpx.Response:
    return person.send("POST", f"{COUNTS}{path}", {"id": uuid4(), **body})


def _count(response: httpx.Response) -> Count:
    assert response.status_code in (200, 201), response.text
    return Count.model_validate(response.json())


def _start(shop: Shop, goods: Goods, variant_id: UUID) -> Count:
    options = {"variant_ids": [variant_id]}
    body = {"location_id": shop.location_id, "kind": "cycle", "options": options}
    return _count(_act(goods.keeper, "", **body))


def test_a_count_from_start_to_posting(shop: Shop, goods: Goods) -> None:
    count = _start(shop, goods, shop.variant_id)
    path = f"/{count.id}"
    assert count.lines[0].figures is None, "a blind count tells nobody what is expected"
    line = {"variant_id": shop.variant_id, "quantity": 900}
    entries = Entries.model_validate(_act(shop.cashier, f"{path}/entries", lines=[line]).json())
    second = Entries.model_validate(_act(goods.keeper, f"{path}/entries", lines=[line]).json())
    voided = _act(goods.keeper, f"/entries/{second.entries[0].id}/void").json()
    assert CountEntry.model_validate(voided).voided_at is not None
    rows = goods.keeper.get(f"{COUNTS}/entries", count_id=count.id, voided=False)["items"]
    assert [CountEntry.model_validate(row).id for row in rows] == [entries.entries[0].id]
    assert _count(_act(goods.keeper, f"{path}/submit")).status == "submitted"
    assert _count(_act(goods.keeper, f"{path}/recount", variant_ids=[shop.variant_id])).status == "counting"
    assert_problem(_act(goods.keeper, f"{path}/submit"), 422, "count_incomplete")
    _act(shop.cashier, f"{path}/entries", lines=[line])
    _count(_act(goods.keeper, f"{path}/submit", options={"uncounted": "skip"}))
    assert_problem(_act(goods.keeper, f"{path}/approve"), 403, "permission_denied")
    approved = _count(_act(shop.admin, f"{path}/approve"))
    assert approved.lines[0].figures is not None
    posted = _count(_act(shop.admin, f"{path}/post"))
    assert posted.status == "posted"
    (level,) = shop.admin.get(
        "/v1/inventory/stock", variant_id=shop.variant_id, location_id=shop.location_id
    )["items"]
    assert level["on_hand"] == 900
    assert Count.model_validate(shop.admin.get(f"{COUNTS}{path}")) == posted
    (row,) = shop.cashier.get(COUNTS, status="posted")["items"]
    assert CountRow.model_validate(row).id == count.id
    assert_problem(shop.stranger.http.get(f"{COUNTS}{path}"), 404, "not_found")
    assert_problem(_act(shop.cashier, f"{path}/entries", lines=[line]), 409, "count_closed")


def test_a_count_is_given_up(shop: Shop, goods: Goods) -> None:
    count = _start(shop, goods, goods.paint)
    assert_problem(_act(shop.cashier, f"/{count.id}/cancel"), 403, "permission_denied")
    assert _count(_act(goods.keeper, f"/{count.id}/cancel")).status == "cancelled"
