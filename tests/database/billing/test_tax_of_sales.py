"""Which tax a sale bears: by place of supply, kind of goods, price with or without tax, and date."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.database.sales import line, quote, sell
from tests.support.personas import new_id, raises
from tests.support.world import Branch, People


def _components(taxes: list[dict[str, Any]]) -> dict[str, tuple[Decimal, Decimal]]:
    return {t["component"]: (t["rate"], t["amount"]) for t in taxes}


def test_within_the_state_tax_is_halved(people: People) -> None:
    """CGST and SGST, half the rate each; the summary and the totals say the same."""
    invoice = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["sofa"], 2))
    assert invoice["supply_type"] == "intra_state"
    assert invoice["place_of_supply"] == {"code": "29", "name": "Karnataka"}
    half = (Decimal("9.000"), Decimal("180.00"))
    assert _components(invoice["lines"][0]["taxes"]) == {"CGST": half, "SGST": half}
    (summary,) = invoice["tax_summary"]
    assert (summary["hsn_code"], summary["tax_rate"]) == ("9401", Decimal("18.000"))
    assert (summary["taxable"], summary["tax"]) == (Decimal("2000.00"), Decimal("360.00"))
    assert _components(summary["taxes"]) == {"CGST": half, "SGST": half}
    amounts = (invoice["subtotal"], invoice["tax"], invoice["round_off"], invoice["total"])
    assert amounts == (Decimal("2000.00"), Decimal("360.00"), Decimal("0.00"), Decimal("2360.00"))


@pytest.mark.parametrize("how", ["customer", "option"])
def test_across_states_tax_is_integrated(people: People, how: str) -> None:
    """IGST at the whole rate, whether the customer's address or the till says where the goods go."""
    where: dict[str, Any] = (
        {"customer": people.world.teak.customers["elsewhere"]}
        if how == "customer"
        else {"place_of_supply": "27"}
    )
    invoice = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["sofa"]), **where)
    assert invoice["supply_type"] == "inter_state"
    assert invoice["place_of_supply"] == {"code": "27", "name": "Maharashtra"}
    assert _components(invoice["lines"][0]["taxes"]) == {"IGST": (Decimal("18.000"), Decimal("180.00"))}


def test_what_the_till_says_comes_before_the_address(people: People) -> None:
    """A customer from elsewhere who takes the goods along is supplied here."""
    invoice = quote(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["sofa"]),
        customer=people.world.teak.customers["elsewhere"],
        place_of_supply="29",
    )
    assert invoice["supply_type"] == "intra_state"


@pytest.mark.parametrize("customer", ["local", "unknown", "trusted"])
def test_without_another_address_the_supply_is_local(people: People, customer: str) -> None:
    """A customer of the state, or with no recorded address, is supplied at the branch."""
    invoice = quote(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["sofa"]),
        customer=people.world.teak.customers[customer],
    )
    assert invoice["supply_type"] == "intra_state"


def test_union_territories_have_their_own_component(people: People) -> None:
    """Beside CGST stands UTGST where there is no legislature."""
    branch = Branch(new_id(), people.world.teak.id, "CHD", "04", new_id(), new_id())
    people.as_admin().rpc(
        "create_branch",
        p_id=branch.id,
        p_org_id=branch.org_id,
        p_code="CHD",
        p_name="Sector 17",
        p_options={"region_code": "04"},
    )
    quoted = quote(people.as_admin(), branch, line(people.world.teak.variants["sofa"]))
    half = (Decimal("9.000"), Decimal("90.00"))
    assert _components(quoted["lines"][0]["taxes"]) == {"CGST": half, "UTGST": half}


def test_abroad_nothing_is_charged(people: People) -> None:
    """An export is zero-rated, under GST as under VAT."""
    world = people.world
    gst = sell(
        people.as_sales(),
        world.blr,
        line(world.teak.variants["sofa"]),
        customer=world.teak.customers["abroad"],
    )
    assert (gst["supply_type"], gst["place_of_supply"]["code"]) == ("export", "96")
    vat = sell(
        people.as_foreign_admin(),
        world.lagoon.branches[0],
        line(world.lagoon.variants["filter"]),
        customer=world.lagoon.customers["abroad"],
    )
    assert (vat["supply_type"], vat["place_of_supply"]["code"]) == ("export", "FR")
    for invoice in (gst, vat):
        (sold,) = invoice["lines"]
        assert (sold["tax_kind"], sold["tax_rate"], sold["taxes"], sold["tax"]) == ("zero_rated", 0, [], 0)
        assert invoice["tax"] == 0
        assert invoice["total"] == invoice["subtotal"]


def test_vat_at_home(people: People) -> None:
    """One component, VAT; a price with tax keeps its total to the penny; nothing is rounded off."""
    lagoon = people.world.lagoon
    invoice = sell(
        people.as_foreign_admin(),
        lagoon.branches[0],
        line(lagoon.variants["pump"]),
        line(lagoon.variants["filter"], 3),
        customer=lagoon.customers["domestic"],
    )
    pump, filters = invoice["lines"]
    assert invoice["supply_type"] == "domestic"
    assert (pump["taxable"], pump["tax"], pump["total"]) == (
        Decimal("50.00"),
        Decimal("10.00"),
        Decimal("60.00"),
    )
    assert (filters["taxable"], filters["tax"], filters["total"]) == (
        Decimal("30.00"),
        Decimal("6.00"),
        Decimal("36.00"),
    )
    assert _components(pump["taxes"]) == {"VAT": (Decimal("20.000"), Decimal("10.00"))}
    assert (invoice["total"], invoice["round_off"], invoice["currency"]) == (Decimal("96.00"), 0, "GBP")
    assert invoice["seller"]["tax_number"] == "GB123456789"
    assert invoice["buyer"]["tax_number"] == "GB987654321"


def test_an_untaxed_business_charges_none(people: People) -> None:
    """Regime none: an invoice without tax that does not call itself a tax invoice."""
    admin, org, branch_id = people.as_nobody(), new_id(), new_id()
    admin.rpc("create_organization", p_id=org, p_name="Stall", p_country="US", p_currency="USD")
    branch = Branch(branch_id, org, "NY", "", new_id(), new_id())
    admin.rpc("create_branch", p_id=branch_id, p_org_id=org, p_code="NY", p_name="Stall")
    admin.rpc(
        "create_location",
        p_id=branch.showroom,
        p_branch_id=branch_id,
        p_code="S",
        p_name="Stall",
        p_kind="showroom",
    )
    tax_class, product, variant = new_id(), new_id(), new_id()
    admin.execute(
        "insert into public.tax_classes (id, org_id, code, name) values (%s, %s, 'X', 'X')", [tax_class, org]
    )
    admin.execute(
        "insert into public.products (id, org_id, name, kind, tax_class_id) values (%s, %s, 'Tour', "
        "'service', %s)",
        [product, org, tax_class],
    )
    admin.execute(
        "insert into public.product_variants (id, org_id, product_id, sku, name, price) values (%s, %s, "
        "%s, 'T', 'T', 9.99)",
        [variant, org, product],
    )
    invoice = sell(admin, branch, line(variant, 2))
    assert (invoice["title"], invoice["supply_type"], invoice["tax"]) == ("Invoice", "untaxed", 0)
    assert invoice["lines"][0]["tax_kind"] == "untaxed"
    assert invoice["total"] == Decimal("19.98")


def test_a_price_with_tax_keeps_its_total(people: People) -> None:
    """118.00 with 18 % inside is 100.00 and 18.00."""
    (lamp,) = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["lamp"]))["lines"]
    assert (lamp["taxable"], lamp["tax"], lamp["total"]) == (
        Decimal("100.00"),
        Decimal("18.00"),
        Decimal("118.00"),
    )


@pytest.mark.parametrize(("key", "kind"), [("book", "nil_rated"), ("pot", "exempt")])
def test_nil_rated_and_exempt_goods(people: People, key: str, kind: str) -> None:
    """No tax, and the document says why: the two are reported apart."""
    (sold,) = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants[key]))["lines"]
    assert (sold["tax_kind"], sold["tax_rate"], sold["tax"], sold["taxes"]) == (kind, 0, 0, [])
    assert sold["total"] == sold["taxable"]


def test_a_mixed_basket_is_summed_by_rate_and_kind(people: People) -> None:
    """The summary has a row per HSN code, kind and rate; its sums are the invoice's."""
    variants = people.world.teak.variants
    basket = [line(variants[key]) for key in ("sofa", "lamp", "rug", "book", "pot", "assembly")]
    invoice = sell(people.as_cashier(), people.world.blr, *basket)
    kinds = {(row["hsn_code"], row["tax_kind"], row["tax_rate"]) for row in invoice["tax_summary"]}
    assert kinds == {
        ("9401", "taxable", Decimal(18)),
        ("9405", "taxable", Decimal(18)),
        ("9987", "taxable", Decimal(18)),
        ("5703", "taxable", Decimal(5)),
        ("4901", "nil_rated", Decimal(0)),
        ("6912", "exempt", Decimal(0)),
    }
    for name, total in (("taxable", "subtotal"), ("tax", "tax")):
        assert sum(row[name] for row in invoice["tax_summary"]) == invoice[total]
    assert invoice["total"] == invoice["subtotal"] + invoice["tax"] + invoice["round_off"]


def test_totals_are_rounded_as_the_business_wants(people: People) -> None:
    """250.50 and 5 % are 263.02, each half rounded up: 263.00 in whole rupees, two paise explicitly off."""
    invoice = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["rug"]))
    assert _components(invoice["lines"][0]["taxes"]) == {
        "CGST": (Decimal("2.500"), Decimal("6.26")),
        "SGST": (Decimal("2.500"), Decimal("6.26")),
    }
    assert (invoice["tax"], invoice["round_off"], invoice["total"]) == (
        Decimal("12.52"),
        Decimal("-0.02"),
        Decimal("263.00"),
    )


def _new_rate(people: People, rate: str, valid_from: str, region: str | None = None) -> None:
    changed = people.as_stockkeeper().execute(
        "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from, region) "
        "select org_id, id, %s, %s, %s from public.tax_classes where code = 'GST18' and org_id = %s",
        [Decimal(rate), valid_from, region, people.world.teak.id],
    )
    assert changed == 1


def _rate_on(people: People, sofa: UUID, day: datetime) -> Decimal:
    invoice = quote(people.as_admin(), people.world.blr, line(sofa), occurred_at=day.isoformat())
    rate: Decimal = invoice["lines"][0]["tax_rate"]
    return rate


def test_the_rate_is_that_of_the_business_date(people: People) -> None:
    """A new rate counts from its first local day, and not an hour before."""
    sofa = people.world.teak.variants["sofa"]
    _new_rate(people, "28", "2024-07-01")
    last_moment = datetime(2024, 6, 30, 18, 29, tzinfo=UTC)
    assert _rate_on(people, sofa, last_moment) == 18
    assert _rate_on(people, sofa, last_moment + timedelta(minutes=1)) == 28


def test_a_region_can_have_a_rate_of_its_own(people: People) -> None:
    """The region's rate comes before the general one."""
    _new_rate(people, "12", "2020-01-01", "27")
    sofa = line(people.world.teak.variants["sofa"])
    assert (
        quote(people.as_sales(), people.world.blr, sofa, place_of_supply="27")["lines"][0]["tax_rate"] == 12
    )
    with raises("price_override_denied", 403):
        quote(people.as_cashier(), people.world.blr, sofa, place_of_supply="27")
    assert quote(people.as_cashier(), people.world.blr, sofa)["lines"][0]["tax_rate"] == 18


def test_a_class_without_a_rate_on_the_date_is_refused(people: People) -> None:
    """Rather no sale than one without its tax."""
    with raises("tax_rate_missing", 422):
        _rate_on(people, people.world.teak.variants["sofa"], datetime(2017, 6, 1, tzinfo=UTC))


def test_an_issued_invoice_keeps_its_day(people: People) -> None:
    """Prices, rates, names and addresses change afterwards; the document does not."""
    world, admin = people.world, people.as_admin()
    before = sell(
        people.as_cashier(),
        world.blr,
        line(world.teak.variants["sofa"]),
        customer=world.teak.customers["local"],
    )
    _new_rate(people, "28", "2018-01-01")
    admin.execute("update public.product_variants set price = 1, name = 'X', sku = 'X' where sku = 'SOFA'")
    admin.execute(
        "update public.customers set name = 'X', city = 'X' where id = %s", [world.teak.customers["local"]]
    )
    admin.execute("update public.branches set name = 'X', city = 'X' where id = %s", [world.blr.id])
    admin.execute(
        "update public.organizations set legal_name = 'X', invoice_terms = 'X' where id = %s", [world.teak.id]
    )
    assert admin.rpc("get_invoice", p_id=before["id"]) == before


def test_the_place_of_supply_must_exist(people: People) -> None:
    """An unknown state or country is refused."""
    world = people.world
    for code in ("99", "KA", ""):
        with raises("invalid_input", 400):
            quote(people.as_cashier(), world.blr, line(world.teak.variants["sofa"]), place_of_supply=code)
    with raises("invalid_input", 400):
        quote(
            people.as_foreign_admin(),
            world.lagoon.branches[0],
            line(world.lagoon.variants["pump"]),
            place_of_supply="ZZ",
        )


@pytest.mark.parametrize("customer", [None, "elsewhere", "abroad"])
def test_the_till_cannot_waive_the_tax(people: People, customer: str | None) -> None:
    """Neither its word nor an address that the cashier may have written himself makes a sale an export."""
    sofa = line(people.world.teak.variants["sofa"])
    whom = people.world.teak.customers[customer] if customer else None
    with raises("price_override_denied", 403):
        quote(people.as_cashier(), people.world.blr, sofa, customer=whom, place_of_supply="96")
    assert quote(people.as_sales(), people.world.blr, sofa, customer=whom, place_of_supply="96")["tax"] == 0


def test_nothing_but_exempt_goods_is_a_bill_of_supply(people: People) -> None:
    """A tax invoice says that tax was charged."""
    exempt = line(people.world.teak.variants["pot"])
    assert sell(people.as_cashier(), people.world.blr, exempt)["title"] == "Bill of Supply"
    both = [exempt, line(people.world.teak.variants["sofa"])]
    assert sell(people.as_cashier(), people.world.blr, *both)["title"] == "Tax Invoice"
