"""Figures that tax authorities worked out themselves, and the roundings that laws spell out."""

from decimal import Decimal
from typing import Any

import pytest

from tests.database.sales import line, quote, sell
from tests.database.tax.shops import D, Shop, parts, rate, shop
from tests.support.personas import new_id
from tests.support.world import People


@pytest.fixture
def karnataka(people: People) -> Shop:
    """A shop in Karnataka, where totals are whole rupees."""
    return shop(people, "IN", "INR", region="29")


def _credited(shop: Shop, invoice: Any, lines: list[dict[str, Any]] | None = None) -> Any:
    """Credit an invoice and pay it back."""
    return shop.admin.rpc(
        "issue_credit_note",
        p_id=new_id(),
        p_invoice_id=invoice["id"],
        p_lines=lines,
        p_reason="Brought back",
        p_options={"refund": {"method": "cash"}},
    )


@pytest.mark.parametrize("place", ["29", "27"])
def test_the_base_price_in_a_retail_price(karnataka: Shop, place: str) -> None:
    """National Anti-profiteering Authority (2019 (12) TMI 510): 28 % in 23,922 leaves a base price of 18,689.

    The order tells whole rupees; the rest is the rule's own (CGST Rules, rule 35).
    """
    goods = karnataka.variant("23922.00", rate("28"), inclusive=True, hsn="8418", unit="NOS")
    seen = quote(karnataka.admin, karnataka.branch, line(goods), place_of_supply=place)
    assert seen["subtotal"].quantize(Decimal(1)) == 18689
    assert (seen["subtotal"], seen["tax"], seen["total"]) == (D("18689.06"), D("5232.94"), 23922)


@pytest.mark.parametrize(
    ("price", "total", "round_off"),
    [
        ("100.49", 100, "-0.49"),
        ("100.50", 101, "0.50"),
        ("100.51", 101, "0.49"),
        ("0.49", 0, "-0.49"),
        ("0.50", 1, "0.50"),
        ("77.00", 77, "0.00"),
    ],
)
def test_fifty_paise_make_a_rupee(karnataka: Shop, price: str, total: int, round_off: str) -> None:
    """CGST Act, section 170: fifty paise or more become a rupee, less are ignored; what that is stands apart.

    Whoever brings all of it back is paid exactly what he paid.
    """
    goods = karnataka.variant(price, kind="nil_rated", hsn="4901", unit="NOS")
    invoice = sell(karnataka.admin, karnataka.branch, line(goods))
    assert (invoice["total"], invoice["round_off"]) == (total, D(round_off))
    note = _credited(karnataka, invoice)
    assert (note["total"], note["round_off"]) == (total, D(round_off))


def test_new_zealands_fraction(people: People) -> None:
    """Inland Revenue, "Calculating GST" (16 August 2010): 1,500.00 and 15 % are 1,725.00, 3/23 of it tax.

    Until 30 September 2010 the rate was 12.5 %, a ninth of the price.
    """
    nz = shop(people, "NZ", "NZD", tax_regime="vat")
    rates = (
        rate("12.5", "NZ", "GST", valid_from="1989-07-01"),
        rate("15", "NZ", "GST", valid_from="2010-10-01"),
    )
    beside, within = nz.variant("1500.00", *rates), nz.variant("1725.00", *rates, inclusive=True)
    for goods in (beside, within):
        seen = quote(nz.admin, nz.branch, line(goods))
        assert parts(seen["lines"][0]) == [("GST", 15, 225)]
        assert (seen["subtotal"], seen["total"]) == (1500, 1725)
    ninth = nz.variant("1350.00", *rates, inclusive=True)
    for moment, tax in (("2010-09-30T12:00:00Z", "150.00"), ("2010-10-01T12:00:00Z", "176.09")):
        assert quote(nz.admin, nz.branch, line(ninth), occurred_at=moment)["tax"] == D(tax)


def test_australias_line_item_approach(people: People) -> None:
    """A New Tax System (Goods and Services Tax) Act 1999, section 9-90(1) and (2)(b).

    Each supply to the cent, half a cent upwards; of a price with tax an eleventh is tax.
    """
    au = shop(people, "AU", "AUD", tax_regime="vat")
    eleventh = au.variant("110.00", rate("10", "AU", "GST"), inclusive=True)
    half = au.variant("0.05", rate("10", "AU", "GST"))
    seen = quote(au.admin, au.branch, line(eleventh), line(half), line(half))
    assert [sold["tax"] for sold in seen["lines"]] == [10, D("0.01"), D("0.01")]
    assert seen["total"] == D("110.12")


def test_a_composition_dealers_turnover(people: People) -> None:
    """CGST Rules, rule 7: a trader pays half a per cent each of his turnover of taxable supplies.

    What he collects bears no tax; the register tells that turnover, less what came back, and what is exempt.
    """
    dealer = shop(people, "IN", "INR", region="29", tax_scheme="composition")
    goods = dealer.variant("2500.00", rate("18"), hsn="9403", unit="NOS")
    book = dealer.variant("90.00", kind="exempt", hsn="4901", unit="NOS", inclusive=True)
    sold = sell(dealer.admin, dealer.branch, line(goods, 4), line(book))
    assert (sold["title"], sold["tax"], sold["total"]) == ("Bill of Supply", 0, 10090)
    _credited(dealer, sold, [{"line_no": 1, "quantity": 1}])
    seen = dealer.admin.rpc("vat_return", p_org_id=dealer.org_id, p_from="2026-01-01", p_to="2026-12-31")
    assert seen["rows"] == []
    assert {row["tax_kind"]: row["taxable"] for row in seen["untaxed"]} == {"untaxed": 7500, "exempt": 90}
    assert seen["sums"] == {"taxable": 7590, "tax": 0}
