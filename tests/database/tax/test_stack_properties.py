"""Stacks of taxes and cess, for any amounts and rates: sums hold, and prices go in and out of tax."""

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.personas import Connection

CENT = Decimal("0.01")
PROFILE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
AMOUNTS = st.decimals(1, 1_000_000, places=2)
RATES = st.decimals(Decimal("0.001"), 50, places=3)


def _line_tax(
    owner: Connection, amount: Decimal, inclusive: bool, terms: tuple[Any, ...], rounding: str = "component"
) -> tuple[Decimal, Decimal, list[dict[str, Any]]]:
    row = owner.execute(
        "select t.taxable, t.tax, t.taxes::text from private.line_tax(%s, %s, 3, 'taxable', "
        "row(%s, %s, %s, %s::jsonb)::private.tax_terms, "
        "row('gst', '29', 'K', 'intra_state', 'SGST', 'charged', false, %s, '{}', '{}')::private.supply) t",
        [amount, inclusive, *terms, rounding],
    ).fetchone()
    assert row is not None
    return row[0], row[1], json.loads(row[2], parse_float=Decimal, parse_int=Decimal)


def _stack(rates: list[Decimal]) -> tuple[Any, ...]:
    parts = [
        {"component": f"T{place}", "rate": str(rate), "effective": str(rate)}
        for place, rate in enumerate(rates)
    ]
    text = json.dumps(parts)
    for rate in rates:
        text = text.replace(f'"{rate}"', f"{rate:f}")
    return (sum(rates, Decimal(0)), 0, 0, text)


@PROFILE
@given(
    amount=AMOUNTS,
    rates=st.lists(RATES, min_size=1, max_size=4),
    inclusive=st.booleans(),
    rounding=st.sampled_from(["component", "sum"]),
)
def test_any_stack(
    owner: Connection, amount: Decimal, rates: list[Decimal], inclusive: bool, rounding: str
) -> None:
    """Components add up to the tax; the price stays; summed rounding is that of the sum."""
    taxable, tax, taxes = _line_tax(owner, amount, inclusive, _stack(rates), rounding)
    amounts = [Decimal(part["amount"]) for part in taxes]
    assert sum(amounts, Decimal(0)) == tax
    assert len(amounts) == len(rates)
    assert min(amounts) >= 0
    assert taxable + tax == (amount if inclusive else amount + tax)
    exact = amount * sum(rates, Decimal(0)) / (100 + sum(rates, Decimal(0)) if inclusive else 100)
    if rounding == "sum":
        assert tax == exact.quantize(CENT, ROUND_HALF_UP)
    assert abs(tax - exact) <= CENT / 2 * len(rates)


@PROFILE
@given(
    amount=AMOUNTS,
    rate=RATES,
    cess=st.decimals(0, 100, places=3),
    per_unit=st.decimals(0, 100, places=2),
)
def test_out_of_a_price_and_back(
    owner: Connection, amount: Decimal, rate: Decimal, cess: Decimal, per_unit: Decimal
) -> None:
    """What is beside a price, put into it, comes out of it again but for the rounding of its parts."""
    terms = (rate, cess, per_unit, None)
    taxable, tax, taxes = _line_tax(owner, amount, False, terms)
    assert (taxable, sum((Decimal(t["amount"]) for t in taxes), Decimal(0))) == (amount, tax)
    back, within, _ = _line_tax(owner, amount + tax, True, terms)
    assert back + within == amount + tax
    assert abs(back - amount) <= 2 * CENT
