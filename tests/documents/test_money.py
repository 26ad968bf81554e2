"""Money, quantities and amounts in words."""

from decimal import Decimal

import pytest

from backend.app.services.documents import money


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("0", "INR", "0.00"),
        ("999.5", "INR", "999.50"),
        ("1000", "INR", "1,000.00"),
        ("1234567.89", "INR", "12,34,567.89"),
        ("-123456.7", "INR", "-1,23,456.70"),
        ("9999999999999.99", "INR", "99,99,99,99,99,999.99"),
        ("1234567.89", "GBP", "1,234,567.89"),
        ("1234.5", "JPY", "1,235"),
        ("1.2345", "KWD", "1.235"),
        ("0.005", "GBP", "0.01"),
    ],
)
def test_figures_are_grouped_as_their_country_does(value: str, currency: str, expected: str) -> None:
    assert money.figure(Decimal(value), currency) == expected


def test_floats_and_integers_are_read_as_written() -> None:
    assert money.decimal(0.1) + money.decimal(0.2) == Decimal("0.3")
    assert money.figure(1180, "INR") == "1,180.00"
    assert money.decimal(None) == 0


def test_amounts_carry_their_currency() -> None:
    assert money.amount(Decimal("-5"), "INR") == "-₹5.00"
    assert money.amount(Decimal("1234"), "GBP") == "£1,234.00"
    assert money.amount(Decimal("1234"), "CHF") == "CHF\u00a01,234.00"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.000", "1"),
        ("12.500", "12.5"),
        ("0.250", "0.25"),
        ("100", "100"),
        ("150000", "1,50,000"),
        ("0.000", "0"),
    ],
)
def test_quantities_have_no_trailing_zeros(value: str, expected: str) -> None:
    assert money.quantity(Decimal(value), "INR") == expected


def test_a_price_keeps_decimals_below_the_smallest_coin() -> None:
    assert money.rate(Decimal("0.0450"), "GBP") == "0.045"
    assert money.rate(Decimal("12"), "GBP") == "12.00"
    assert money.rate(Decimal("1E+3"), "INR") == "1,000.00"


def test_percentages_are_short() -> None:
    assert [money.percent(Decimal(rate)) for rate in ("18.000", "2.500", "0")] == ["18%", "2.5%", "0%"]


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("0", "INR", "Rupees Zero Only"),
        ("1", "INR", "Rupees One Only"),
        ("0.5", "INR", "Rupees Zero and Fifty Paise Only"),
        (
            "123456.50",
            "INR",
            "Rupees One Lakh Twenty-Three Thousand Four Hundred and Fifty-Six and Fifty Paise Only",
        ),
        ("20000000", "INR", "Rupees Two Crore Only"),
        (
            "999999999999999",
            "INR",
            (
                "Rupees Nine Crore Ninety-Nine Lakh Ninety-Nine Thousand Nine Hundred and Ninety-Nine Crore "
                "Ninety-Nine Lakh Ninety-Nine Thousand Nine Hundred and Ninety-Nine Only"
            ),
        ),
        ("-12.05", "INR", "Rupees Minus Twelve and Five Paise Only"),
        ("1.01", "GBP", "One Pound and One Penny Only"),
        ("2214.50", "GBP", "Two Thousand Two Hundred and Fourteen Pounds and Fifty Pence Only"),
        ("1.25", "USD", "One Dollar and Twenty-Five Cents Only"),
        ("12.05", "CHF", "CHF Twelve and 05/100 Only"),
        ("1500", "JPY", "JPY One Thousand Five Hundred Only"),
    ],
)
def test_amounts_in_words(value: str, currency: str, expected: str) -> None:
    assert money.in_words(Decimal(value), currency) == expected
