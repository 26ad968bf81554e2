"""VAT, sales tax and their stacks: rows of tax_rates alone decide; figures of the authorities."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.database.sales import line, quote, sell
from tests.database.tax.shops import D, Shop, add, parts, rate, shop
from tests.support.personas import raises
from tests.support.world import People


def canada(people: People, province: str) -> Shop:
    """A shop in a province, selling where it stands."""
    return shop(people, "CA", "CAD", region=province, tax_regime="sales_tax")


@pytest.fixture
def newyork(people: People) -> Shop:
    """A shop in New York City, whose city and transport district tax beside the state."""
    return shop(people, "US", "USD", region="NY", area="NYC", tax_regime="sales_tax")


NEW_YORK = (
    rate("4", "US-NY", "State tax"),
    rate("4.5", "US-NY-NYC", "City tax"),
    rate("0.375", "US-NY-NYC", "MCTD"),
    rate("4.75", "US-NY-ERIE", "County tax"),
)

# United Kingdom and the European Union -----------------------------------------------------------


def test_the_vat_fraction(people: People) -> None:
    """HMRC Notice 700: at 20 % the tax in a price is one sixth of it, at 5 % one twenty-first."""
    uk = shop(people, "GB", "GBP", tax_regime="vat")
    standard = uk.variant("60.00", rate("20"), inclusive=True)
    reduced = uk.variant("80.00", rate("5"), inclusive=True)
    first, second = quote(uk.admin, uk.branch, line(standard), line(reduced))["lines"]
    assert (parts(first), first["taxable"]) == ([("VAT", 20, 10)], 50)
    assert (parts(second), second["taxable"]) == ([("VAT", 5, D("3.81"))], D("76.19"))


def test_each_line_is_rounded_to_the_nearest_penny(people: People) -> None:
    """HMRC Notice 700, 17.5 (VATREC12010): by line, to the nearest 1p."""
    uk = shop(people, "GB", "GBP", tax_regime="vat")
    goods = uk.variant("4.34", rate("20"))
    (seen,) = quote(uk.admin, uk.branch, line(goods))["lines"]
    assert seen["tax"] == D("0.87")  # 86.8p


def test_zero_rated_and_exempt_goods_keep_their_price(people: People) -> None:
    """Whether the price is said to include tax or not."""
    uk = shop(people, "GB", "GBP", tax_regime="vat")
    for kind in ("zero_rated", "exempt"):
        goods = uk.variant("7.00", kind=kind, inclusive=True)
        (seen,) = quote(uk.admin, uk.branch, line(goods))["lines"]
        assert (seen["taxable"], seen["tax"], seen["tax_kind"]) == (7, 0, kind)


@pytest.fixture
def berlin(people: People) -> Shop:
    """A German shop with its own two rates and, for distance sales, those of France."""
    return shop(people, "DE", "EUR", tax_regime="vat")


def test_within_the_union_a_business_pays_itself(berlin: Shop) -> None:
    """Directive 2006/112/EC, article 138: exempt with a number of another member state, at net."""
    goods = berlin.variant("119.00", rate("19"), inclusive=True)
    buyer = berlin.customer(country="FR", tax_number="FR12345678901")
    invoice = sell(berlin.admin, berlin.branch, line(goods), customer=buyer)
    assert (invoice["supply_type"], invoice["reverse_charge"]) == ("intra_community", True)
    assert (invoice["tax"], invoice["total"]) == (0, 100)


def test_within_the_union_a_consumer_pays_at_home(berlin: Shop) -> None:
    """Article 59c: below the threshold of distance sales the origin's rate counts; beyond it, rows say so."""
    goods = berlin.variant("119.00", rate("19"), inclusive=True)
    buyer = berlin.customer(country="FR")
    small = quote(berlin.admin, berlin.branch, line(goods), customer=buyer)
    assert (small["supply_type"], small["place_of_supply"]["code"]) == ("domestic", "DE")
    assert parts(small["lines"][0]) == [("VAT", 19, 19)]
    registered = berlin.variant("120.00", rate("19"), rate("20", "FR"), inclusive=True)
    large = quote(berlin.admin, berlin.branch, line(registered), customer=buyer)
    assert (large["supply_type"], large["place_of_supply"]["code"]) == ("domestic", "FR")
    assert parts(large["lines"][0]) == [("VAT", 20, 20)]


def test_out_of_the_union_nothing_is_charged(berlin: Shop) -> None:
    """Article 146: an export is exempt; what the price holds of the tax comes off."""
    goods = berlin.variant("107.00", rate("7"), inclusive=True)
    invoice = quote(berlin.admin, berlin.branch, line(goods), customer=berlin.customer(country="US"))
    assert (invoice["supply_type"], invoice["tax"], invoice["total"]) == ("export", 0, 100)


def test_domestic_reverse_charge(berlin: Shop) -> None:
    """HMRC Notice 735 and its like: between registered businesses of one country, by class or by option."""
    gold = berlin.variant("100.00", rate("19"), reverse_charge=True)
    invoice = quote(
        berlin.admin, berlin.branch, line(gold), customer=berlin.customer(country="DE", tax_number="DE1")
    )
    assert (invoice["reverse_charge"], invoice["tax"], invoice["lines"][0]["tax_rate"]) == (True, 0, 19)


# Canada ------------------------------------------------------------------------------------------


def test_quebec(people: People) -> None:
    """Revenu Québec, Calculating the Taxes: $100 bears $5.00 GST and, at 9.975 %, $9.98 QST: $114.98."""
    qc = canada(people, "QC")
    goods = qc.variant("100.00", rate("5", "CA", "GST"), rate("9.975", "CA-QC", "QST"))
    invoice = sell(qc.admin, qc.branch, line(goods))
    assert parts(invoice["lines"][0]) == [("GST", 5, 5), ("QST", D("9.975"), D("9.98"))]
    assert (invoice["total"], invoice["lines"][0]["tax_rate"]) == (D("114.98"), D("14.975"))
    assert (invoice["title"], invoice["place_of_supply"]["name"]) == ("Invoice", "Canada, Quebec")


def test_tax_on_tax(people: People) -> None:
    """Before 2013 Quebec taxed the price with GST: 9.5 % of $105.00 is $9.98. So did P.E.I., at 10 %.

    CRA and Revenu Québec joined the two by replacing 9.5 % on the whole with 9.975 % on the price alone.
    """
    qc = canada(people, "QC")
    old = qc.variant("100.00", rate("5", "CA", "GST"), rate("9.5", "CA-QC", "QST", compounds=True))
    (seen,) = quote(qc.admin, qc.branch, line(old))["lines"]
    assert parts(seen) == [("GST", 5, 5), ("QST", D("9.5"), D("9.98"))]
    island = canada(people, "PE")
    chime = island.variant("39.99", rate("5", "CA", "GST"), rate("10", "CA-PE", "PST", compounds=True))
    (seen,) = quote(island.admin, island.branch, line(chime))["lines"]
    assert parts(seen) == [("GST", 5, D("2.00")), ("PST", 10, D("4.20"))]
    inside = island.variant(
        "115.50", rate("5", "CA", "GST"), rate("10", "CA-PE", "PST", compounds=True), inclusive=True
    )
    (seen,) = quote(island.admin, island.branch, line(inside))["lines"]
    assert (parts(seen), seen["taxable"]) == ([("GST", 5, 5), ("PST", 10, D("10.50"))], 100)


def test_the_tax_in_a_canadian_price(people: People) -> None:
    """CRA, GST/HST Notice 270: of a price with 5 % GST in it, 5/105 is tax."""
    alberta = canada(people, "AB")
    goods = alberta.variant("105.00", rate("5", "CA", "GST"), rate("7", "CA-BC", "PST"), inclusive=True)
    assert parts(quote(alberta.admin, alberta.branch, line(goods))["lines"][0]) == [("GST", 5, 5)]


def test_a_rate_of_nothing_takes_a_component_away(people: People) -> None:
    """Ontario's HST of 13 % stands in the place of GST."""
    ontario = canada(people, "ON")
    goods = ontario.variant(
        "100.00", rate("5", "CA", "GST"), rate("0", "CA-ON", "GST"), rate("13", "CA-ON", "HST")
    )
    assert parts(quote(ontario.admin, ontario.branch, line(goods))["lines"][0]) == [("HST", 13, 13)]


def test_each_canadian_tax_is_rounded_by_itself(people: People) -> None:
    """Two taxes of two governments: 5 % and 7 % of $0.50 are 3 and 4 cents, not 6 together."""
    bc = canada(people, "BC")
    goods = bc.variant("0.50", rate("5", "CA", "GST"), rate("7", "CA-BC", "PST"))
    (seen,) = quote(bc.admin, bc.branch, line(goods))["lines"]
    assert parts(seen) == [("GST", 5, D("0.03")), ("PST", 7, D("0.04"))]


# United States -----------------------------------------------------------------------------------


def test_new_york_city(newyork: Shop) -> None:
    """State 4 %, city 4.5 % and the transport district's 0.375 % (NYS Publication 718): 8.875 % together."""
    laptop = newyork.variant("1200.00", *NEW_YORK)
    invoice = sell(newyork.admin, newyork.branch, line(laptop))
    assert parts(invoice["lines"][0]) == [
        ("State tax", 4, 48),
        ("City tax", D("4.5"), 54),
        ("MCTD", D("0.375"), D("4.50")),
    ]
    assert (invoice["tax"], invoice["place_of_supply"]) == (
        D("106.50"),
        {"code": "US-NY-NYC", "name": "United States, New York, NYC"},
    )


def test_the_examples_of_new_yorks_regulations(people: People) -> None:
    """20 NYCRR 526.5(b)(1), example 1: 7 % of a receipt of 1,100 is 77, 1,177 due. 532.1: 7 on 100."""
    county = shop(people, "US", "USD", region="NY", area="ERIE", tax_regime="sales_tax")
    rates = rate("4", "US-NY", "State tax"), rate("3", "US-NY-ERIE", "County tax")
    for price, tax, due in (("1100.00", 77, 1177), ("100.00", 7, 107)):
        seen = quote(county.admin, county.branch, line(county.variant(price, *rates)))
        assert (seen["tax"], seen["total"]) == (tax, due)


@pytest.mark.parametrize("cents", [10, 29, 56, 99, 109, 1099, 1234, 9999])
def test_the_sum_of_state_and_local_tax_is_rounded(newyork: Shop, cents: int) -> None:
    """SSUTA, section 324: aggregated taxes are rounded, up from a 5 in the third decimal."""
    price = Decimal(cents) / 100
    (seen,) = quote(newyork.admin, newyork.branch, line(newyork.variant(str(price), *NEW_YORK)))["lines"]
    assert seen["tax"] == (price * D("0.08875")).quantize(D("0.01"), ROUND_HALF_UP)
    assert sum(amount for _, _, amount in parts(seen)) == seen["tax"]


def test_delivered_to_another_county(newyork: Shop) -> None:
    """SSUTA, section 310(A)(2): where the buyer receives it; the till says so."""
    goods = newyork.variant("100.00", *NEW_YORK)
    delivered = quote(newyork.admin, newyork.branch, line(goods), place_of_supply="US-NY-ERIE")
    assert parts(delivered["lines"][0]) == [("State tax", 4, 4), ("County tax", D("4.75"), D("4.75"))]


def test_an_address_elsewhere_does_not_move_a_counter_sale(newyork: Shop) -> None:
    """SSUTA, section 310(A)(1): received at the seller's place, taxed at the seller's place."""
    goods = newyork.variant("100.00", *NEW_YORK)
    buyer = newyork.customer(country="US", region_code="NY", tax_area="ERIE")
    assert quote(newyork.admin, newyork.branch, line(goods), customer=buyer)["tax"] == D("8.88")


def test_a_state_without_rates_is_not_guessed(newyork: Shop) -> None:
    """Who collects nothing elsewhere says so with a rate of 0 for everywhere."""
    goods = newyork.variant("100.00", *NEW_YORK)
    with raises("tax_rate_missing", 422):
        quote(newyork.admin, newyork.branch, line(goods), place_of_supply="US-OR")
    free = newyork.variant("100.00", *NEW_YORK, rate("0"))
    assert quote(newyork.admin, newyork.branch, line(free), place_of_supply="US-OR")["tax"] == 0
    assert quote(newyork.admin, newyork.branch, line(free))["tax"] == D("8.88")


def test_a_resale_certificate(newyork: Shop) -> None:
    """Sales for resale bear no tax (SSUTA, section 317), and the number of the certificate is kept."""
    goods = newyork.variant("100.00", *NEW_YORK)
    buyer = newyork.customer(country="US", region_code="NY", tax_treatment="exempt", tax_number="ST-120-77")
    invoice = sell(newyork.admin, newyork.branch, line(goods), customer=buyer)
    assert (invoice["tax"], invoice["lines"][0]["tax_kind"]) == (0, "exempt")
    assert invoice["buyer"]["tax_number"] == "ST-120-77"


@pytest.mark.parametrize("place", ["XX", "US-ZZ", "us-ny", "US-", "US-NY-", "US-NY-A-B-C-D"])
def test_places_that_are_none(newyork: Shop, place: str) -> None:
    """A path begins with a country and a region that there is."""
    goods = newyork.variant("100.00", *NEW_YORK)
    with raises("invalid_input", 400):
        quote(newyork.admin, newyork.branch, line(goods), place_of_supply=place)


def test_rates_change_with_the_date(newyork: Shop) -> None:
    """The latest of each component's rates counts, the others stay as they are."""
    goods = newyork.variant("100.00", *NEW_YORK, rate("5", "US-NY-NYC", "City tax", valid_from="2020-01-01"))
    names: dict[str, Any] = {
        name: percent
        for name, percent, _ in parts(quote(newyork.admin, newyork.branch, line(goods))["lines"][0])
    }
    assert names == {"State tax": 4, "City tax": 5, "MCTD": D("0.375")}
    old = quote(newyork.admin, newyork.branch, line(goods), occurred_at="2019-06-01T12:00:00Z")
    assert old["tax"] == D("8.88")


def test_a_branch_under_sales_tax_needs_its_state(people: People) -> None:
    """Where the country has states, as under GST."""
    with raises("invalid_input", 400):
        shop(people, "US", "USD", tax_regime="sales_tax")


# Delivered elsewhere ------------------------------------------------------------------------------


def _site(made: Shop, customer: UUID, **where: object) -> UUID:
    return add(
        made.admin,
        "customer_addresses",
        org_id=made.org_id,
        customer_id=customer,
        kind="delivery",
        address_line1="1 Main Street",
        **where,
    )


def test_delivered_to_an_address_in_another_county(newyork: Shop) -> None:
    """SSUTA, section 310(A)(2): the address of the delivery, with its county, decides; his own does not."""
    goods = newyork.variant("100.00", *NEW_YORK)
    buyer = newyork.customer(country="US", region_code="NY", tax_area="NYC")
    erie = _site(newyork, buyer, country="US", region_code="NY", tax_area="ERIE")
    sold = sell(newyork.admin, newyork.branch, line(goods), customer=buyer, deliver_to=erie)
    assert parts(sold["lines"][0]) == [("State tax", 4, 4), ("County tax", D("4.75"), D("4.75"))]
    assert (sold["place_of_supply"]["code"], sold["ship_to"]["tax_area"]) == ("US-NY-ERIE", "ERIE")
    oregon = _site(newyork, buyer, country="US", region_code="OR")
    with raises("tax_rate_missing", 422):
        quote(newyork.admin, newyork.branch, line(goods), customer=buyer, deliver_to=oregon)


def test_a_consumer_in_the_union(people: People) -> None:
    """Directive 2006/112/EC, article 33(a): goods sent to a consumer are taxed where they arrive."""
    dutch = shop(people, "NL", "EUR", tax_regime="vat")
    goods = line(dutch.variant("100.00", rate("21", "NL"), rate("20", "FR")))
    buyer = dutch.customer(country="NL")
    sold = quote(
        dutch.admin, dutch.branch, goods, customer=buyer, deliver_to=_site(dutch, buyer, country="FR")
    )
    assert (sold["place_of_supply"]["code"], sold["tax"]) == ("FR", 20)
    outside = _site(dutch, buyer, country="CH")
    sold = quote(dutch.admin, dutch.branch, goods, customer=buyer, deliver_to=outside)
    assert (sold["supply_type"], sold["tax"]) == ("export", 0)


@pytest.mark.parametrize(
    ("country", "where", "kind", "tax"),
    [
        ("NL", "FR", "domestic", 21),
        ("NL", "CH", "export", 0),
        ("FR", "NL", "domestic", 21),
        ("FR", "FR", "intra_community", 0),
        ("FR", "DE", "intra_community", 0),
    ],
)
def test_a_business_in_the_union(people: People, country: str, where: str, kind: str, tax: int) -> None:
    """Directive 2006/112/EC, article 138(1): free when goods and buyer's number are of other countries."""
    dutch = shop(people, "NL", "EUR", tax_regime="vat")
    goods = line(dutch.variant("100.00", rate("21", "NL"), rate("20", "FR")))
    buyer = dutch.customer(country=country, tax_number=f"{country}123456789")
    site = _site(dutch, buyer, country=where)
    sold = quote(dutch.admin, dutch.branch, goods, customer=buyer, deliver_to=site)
    assert (sold["supply_type"], sold["tax"]) == (kind, tax)
