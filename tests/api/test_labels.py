"""Labels over the API: what the caller may see, as PDF, PNG and SVG, read back by a scanner."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.api.conftest import Person, Shop
from tests.api.goods import variant
from tests.api.support import assert_problem
from tests.labels import reading

LABELS = "/v1/inventory/labels"
EAN = "8901234567890"


def _print(person: Person, *items: dict[str, Any], **more: Any) -> httpx.Response:
    return person.send("POST", LABELS, {"items": list(items), **more})


def _pages(response: httpx.Response, dpi: int = 203) -> list[Any]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == 'inline; filename="labels.pdf"'
    with reading.opened(response.content, "pdf") as document:
        return [reading.page(document, number, dpi) for number in range(len(document))]


@pytest.fixture(scope="module")
def stool(shop: Shop) -> UUID:
    """A variant without a barcode, which no other test gives one."""
    return variant(shop, "LBL-STOOL")


@pytest.fixture(scope="module")
def cushion(shop: Shop) -> UUID:
    """A variant with an EAN and a Hindi name."""
    body = {
        "org_id": shop.org_id,
        "product_id": shop.product_id,
        "sku": "CSH-1",
        "name": "रेशमी तकिया",
        "barcode": EAN,
        "attributes": {"colour": "grey"},
        "price": 1250,
        "price_includes_tax": True,
    }
    return UUID(shop.admin.post("/v1/inventory/variants", body)["id"])


def test_a_cashier_prints_labels_of_goods_and_places(shop: Shop, stool: UUID, cushion: UUID) -> None:
    items: list[dict[str, Any]] = [
        {"variant_id": stool},
        {"variant_id": cushion, "copies": 2},
        {"location_id": shop.location_id},
    ]
    pages = _pages(_print(shop.cashier, *items, format="roll-50x25"))
    codes = [reading.codes(page) for page in pages]
    assert codes == [["LBL-STOOL"], [EAN], [EAN], [f"bl:location:{shop.location_id}"]]
    pages = _pages(_print(shop.cashier, *items, format="roll-50x25", code="qr"))
    assert [reading.codes(page) for page in pages][:2] == [
        [f"bl:variant:{stool}"],
        [f"bl:variant:{cushion}"],
    ]


def test_a_used_sheet_is_continued(shop: Shop, stool: UUID) -> None:
    response = _print(shop.cashier, {"variant_id": stool, "copies": 3}, start_at=23)
    first, second = _pages(response, 300)
    assert reading.codes(reading.part(first, 300, (0, 0, 210, 259))) == []
    assert reading.codes(reading.part(first, 300, (70, 259.5, 70, 37))) == ["LBL-STOOL"]
    assert reading.codes(reading.part(second, 300, (0, 0.5, 70, 37))) == ["LBL-STOOL"]


def test_prices_are_shown_unless_told_otherwise(shop: Shop, cushion: UUID) -> None:
    def words(**options: bool) -> str:
        response = _print(shop.cashier, {"variant_id": cushion}, format="roll-50x25", options=options)
        with reading.opened(response.content, "pdf") as document:
            return str(document[0].get_text())

    assert "₹1,250.00" in words()
    assert "incl. tax" in words()
    assert "Grey" in words()
    assert "SKU CSH-1" in words()
    bare = words(show_price=False, show_details=False, show_sku=False)
    assert not any(text in bare for text in ("1,250.00", "tax", "Grey", "SKU"))


@pytest.mark.parametrize("image", ["png", "svg"])
@pytest.mark.parametrize("part", ["label", "code"])
def test_one_label_is_drawn(shop: Shop, cushion: UUID, image: str, part: str) -> None:
    for kind, thing, choice, expected in (
        ("variants", cushion, "auto", EAN),
        ("variants", cushion, "qr", f"bl:variant:{cushion}"),
        ("locations", shop.location_id, "code128", "SHOW"),
    ):
        response = shop.cashier.http.get(
            f"{LABELS}/{kind}/{thing}.{image}", params={"part": part, "code": choice}
        )
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith(f"image/{image}")
        drawn = reading.png(response.content) if image == "png" else reading.svg(response.content, 300)
        assert reading.codes(drawn) == [expected]


def test_what_one_may_not_see_gets_no_label(shop: Shop, stool: UUID) -> None:
    unknown = uuid4()
    response = _print(shop.admin, {"variant_id": stool}, {"variant_id": unknown})
    assert assert_problem(response, 404, "not_found")["missing"] == [{"id": str(unknown)}]
    for item in (
        {"variant_id": stool},
        {"location_id": shop.location_id},
        {"variant_id": stool, "serial": "SN-1"},
        {"batch_id": uuid4()},
    ):
        assert_problem(_print(shop.stranger, item), 404, "not_found")
    for kind, thing in (("variants", stool), ("locations", shop.location_id)):
        for image in ("png", "svg"):
            assert_problem(shop.stranger.http.get(f"{LABELS}/{kind}/{thing}.{image}"), 404, "not_found")
    assert_problem(_print(shop.admin, {"variant_id": stool, "serial": "SN-1"}), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"items": []},
        {"items": [{}]},
        {"items": [{"variant_id": str(uuid4()), "location_id": str(uuid4())}]},
        {"items": [{"location_id": str(uuid4()), "serial": "SN-1"}]},
        {"items": [{"variant_id": str(uuid4()), "copies": 0}]},
        {"items": [{"variant_id": str(uuid4()), "copies": 600}] * 2},
        {"items": [{"variant_id": str(uuid4())}], "format": "a3"},
        {"items": [{"variant_id": str(uuid4())}], "code": "pdf417"},
        {"items": [{"variant_id": str(uuid4())}], "start_at": 25},
        {"items": [{"variant_id": str(uuid4())}], "start_at": 2, "format": "roll-50x25"},
    ],
)
def test_bad_requests_are_named(shop: Shop, body: dict[str, Any]) -> None:
    assert_problem(shop.admin.send("POST", LABELS, body), 422, "invalid_input")


def test_a_serial_number_belongs_to_a_variant(shop: Shop) -> None:
    path = f"{LABELS}/locations/{shop.location_id}.png"
    assert_problem(shop.admin.http.get(path, params={"serial": "SN-1"}), 422, "invalid_input")


def test_a_thousand_labels(shop: Shop, stool: UUID) -> None:
    response = _print(shop.admin, {"variant_id": stool, "copies": 1000})
    with reading.opened(response.content, "pdf") as document:
        assert len(document) == 42


def test_the_formats_are_listed(shop: Shop) -> None:
    formats = {row["name"]: row for row in shop.cashier.get(f"{LABELS}/formats")["formats"]}
    assert formats["a4-3x8"]["per_page"] == 24
    assert formats["roll-50x25"]["width"] == 50
