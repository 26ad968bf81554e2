"""Tax, for any price, quantity, discount and rate: held to an independent model in Decimal."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.sales import line, quote
from tests.support.personas import new_id
from tests.support.world import People

PAISA = Decimal("0.01")
RATES = ("0", "0.25", "1.5", "3", "5", "12", "18", "28", "40", "17.777", "100")
PROFILE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _paisa(amount: Decimal) -> Decimal:
    return amount.quantize(PAISA, ROUND_HALF_UP)


@dataclass(frozen=True)
class Sold:
    """One line as a till would ask for it."""

    price: Decimal
    quantity: Decimal
    discount: Decimal
    rate: str
    inclusive: bool

    @property
    def amount(self) -> Decimal:
        """What the line is worth after its discount."""
        return _paisa(self.price * self.quantity) - self.discount

    def components(self, supply: str) -> list[Decimal]:
        """Each component of the tax, rounded half up by itself, as the law's two taxes are."""
        rate = Decimal(self.rate)
        if rate == 0:
            return []
        halves = [rate / 2, rate / 2] if supply == "intra_state" else [rate]
        base = 100 + rate if self.inclusive else Decimal(100)
        return [_paisa(self.amount * part / base) for part in halves]


@st.composite
def sold_lines(draw: st.DrawFn) -> Sold:
    """Prices up to a million, quantities with three decimals, any discount up to the whole line."""
    price = draw(st.decimals(0, 1_000_000, places=2))
    quantity = draw(st.decimals(Decimal("0.001"), 1000, places=3))
    gross = _paisa(price * quantity)
    return Sold(
        price,
        quantity,
        draw(st.decimals(0, gross, places=2)),
        draw(st.sampled_from(RATES)),
        draw(st.booleans()),
    )


@pytest.fixture
def priced(people: People) -> dict[tuple[str, bool], Any]:
    """A service in square metres for each rate, with tax inside and beside the price."""
    admin, org_id, made = people.as_admin(), people.world.teak.id, {}
    for place, rate in enumerate(RATES):
        tax_class, product = new_id(), new_id()
        admin.execute(
            "insert into public.tax_classes (id, org_id, code, name) values (%s, %s, %s, 'Any')",
            [tax_class, org_id, f"P{place}"],
        )
        admin.execute(
            "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from) values (%s, %s, %s, "
            "'2000-01-01')",
            [org_id, tax_class, Decimal(rate)],
        )
        admin.execute(
            "insert into public.products (id, org_id, name, kind, tax_class_id, unit_code) "
            "values (%s, %s, 'Any', 'service', %s, 'SQM')",
            [product, org_id, tax_class],
        )
        for inclusive in (True, False):
            made[rate, inclusive] = new_id()
            admin.execute(
                "insert into public.product_variants (id, org_id, product_id, sku, name, price, "
                "price_includes_tax) "
                "values (%s, %s, %s, %s, 'Any', 1, %s)",
                [made[rate, inclusive], org_id, product, f"P{place}-{inclusive}", inclusive],
            )
    return made


def _quoted(
    people: People, priced: dict[tuple[str, bool], Any], basket: list[Sold], place: str
) -> dict[str, Any]:
    lines = [
        line(priced[s.rate, s.inclusive], s.quantity, unit_price=s.price, discount=s.discount) for s in basket
    ]
    return quote(people.as_admin(), people.world.blr, *lines, place_of_supply=place)


@PROFILE
@given(basket=st.lists(sold_lines(), min_size=1, max_size=6), place=st.sampled_from(["29", "27", "96"]))
def test_any_basket_equals_the_model(
    people: People, priced: dict[tuple[str, bool], Any], basket: list[Sold], place: str
) -> None:
    """Every line's components, tax and taxable value, and the totals, to the paisa."""
    invoice = _quoted(people, priced, basket, place)
    supply = {"29": "intra_state", "27": "inter_state", "96": "export"}[place]
    assert invoice["supply_type"] == supply
    for sold, seen in zip(basket, invoice["lines"], strict=True):
        # What leaves the country bears no tax, and a price with tax leaves without it (decision 12).
        components = sold.components(supply)
        within = sum(components, Decimal(0)) if sold.inclusive else Decimal(0)
        charged = [] if supply == "export" else components
        assert [t["amount"] for t in seen["taxes"]] == charged
        assert seen["tax"] == sum(charged, Decimal(0))
        assert seen["taxable"] == sold.amount - within
        assert seen["total"] == seen["taxable"] + seen["tax"]
    assert invoice["subtotal"] == sum(seen["taxable"] for seen in invoice["lines"])
    assert invoice["tax"] == sum(seen["tax"] for seen in invoice["lines"])
    assert invoice["discount"] == sum(sold.discount for sold in basket)
    raw = invoice["subtotal"] + invoice["tax"]
    assert invoice["total"] == raw.quantize(Decimal(1), ROUND_HALF_UP)
    assert invoice["round_off"] == invoice["total"] - raw


@PROFILE
@given(sold=sold_lines(), place=st.sampled_from(["29", "27"]))
def test_what_holds_for_any_line(
    people: People, priced: dict[tuple[str, bool], Any], sold: Sold, place: str
) -> None:
    """Halves are equal, nothing is negative, inclusive lines keep their price, rounding costs a paisa."""
    (seen,) = _quoted(people, priced, [sold], place)["lines"]
    amounts = [t["amount"] for t in seen["taxes"]]
    assert seen["tax"] == sum(amounts)
    assert seen["total"] == seen["taxable"] + seen["tax"]
    assert seen["taxable"] >= 0
    assert sum(t["rate"] for t in seen["taxes"]) - Decimal(sold.rate) <= Decimal("0.001")
    if place == "29" and amounts:
        assert amounts[0] == amounts[1]
    if sold.inclusive:
        assert seen["total"] == sold.amount
    base = 100 + Decimal(sold.rate) if sold.inclusive else Decimal(100)
    exact = sold.amount * Decimal(sold.rate) / base
    assert abs(seen["tax"] - exact) <= Decimal("0.005") * max(len(amounts), 1)


@PROFILE
@given(sold=sold_lines())
def test_where_it_is_supplied_does_not_change_the_price(
    people: People, priced: dict[tuple[str, bool], Any], sold: Sold
) -> None:
    """Within the state and across, the tax differs by the rounding of two halves and no more."""
    totals = [_quoted(people, priced, [sold], place)["lines"][0]["tax"] for place in ("29", "27")]
    assert abs(totals[0] - totals[1]) <= PAISA


@pytest.mark.parametrize(
    ("price", "rate", "inclusive", "tax"),
    [
        ("0.05", "18", False, "0.00"),  # 0.0045 twice
        ("0.06", "18", False, "0.02"),  # 0.0054 twice
        ("0.50", "12", False, "0.06"),  # 0.03 twice
        ("0.25", "12", False, "0.04"),  # 0.015 twice: half goes up
        ("100.00", "0.25", False, "0.26"),  # 0.125 twice: half goes up
        ("1.00", "18", True, "0.16"),  # 0.0762... twice
        ("118.00", "18", True, "18.00"),
        ("0.01", "100", True, "0.00"),  # 0.0025 twice
        ("0.00", "28", False, "0.00"),
    ],
)
def test_known_roundings(
    people: People, priced: dict[tuple[str, bool], Any], price: str, rate: str, inclusive: bool, tax: str
) -> None:
    """Worked by hand."""
    sold = Sold(Decimal(price), Decimal(1), Decimal(0), rate, inclusive)
    (seen,) = _quoted(people, priced, [sold], "29")["lines"]
    assert seen["tax"] == Decimal(tax)
