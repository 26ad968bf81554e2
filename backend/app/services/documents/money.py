"""Money and quantities as people read them: grouped figures, currency signs and amounts in words."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from num2words import num2words

from backend.app.services.documents.words import hindi

_SIGNS: Final = {"INR": "₹", "GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}
_MINOR_DIGITS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "JOD": 3, "TND": 3}
# Singular and plural of the unit, then of its hundredth.
_NAMES: Final = {
    "GBP": ("Pound", "Pounds", "Penny", "Pence"),
    "USD": ("Dollar", "Dollars", "Cent", "Cents"),
    "AUD": ("Australian Dollar", "Australian Dollars", "Cent", "Cents"),
    "CAD": ("Canadian Dollar", "Canadian Dollars", "Cent", "Cents"),
    "SGD": ("Singapore Dollar", "Singapore Dollars", "Cent", "Cents"),
    "EUR": ("Euro", "Euros", "Cent", "Cents"),
    "AED": ("Dirham", "Dirhams", "Fils", "Fils"),
}
_CRORE: Final = 10_000_000


def decimal(value: Any) -> Decimal:
    """Reads a JSON number (int, float, Decimal or its text; None is zero) exactly as it was written."""
    return value if isinstance(value, Decimal) else Decimal(str(value if value is not None else 0))


def minor_digits(currency: str) -> int:
    """Says how many decimals a currency's amounts have."""
    return _MINOR_DIGITS.get(currency, 2)


def _rounded(value: Any, digits: int) -> Decimal:
    return decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _grouped(digits: str, indian: bool) -> str:
    if not indian or len(digits) <= 3:
        return f"{int(digits):,}"
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), tail])


def _figure(value: Decimal, currency: str) -> str:
    whole, _, fraction = f"{abs(value):f}".partition(".")
    sign = "-" if value < 0 else ""
    return sign + _grouped(whole, currency == "INR") + (f".{fraction}" if fraction else "")


def figure(value: Any, currency: str) -> str:
    """Formats an amount without its currency: 12,34,567.89 in rupees, 1,234,567.89 elsewhere."""
    return _figure(_rounded(value, minor_digits(currency)), currency)


def amount(value: Any, currency: str) -> str:
    """Formats an amount with its currency: the sign where one is known, else the code before it."""
    text = figure(value, currency)
    mark = _SIGNS.get(currency, f"{currency}\u00a0")
    return f"-{mark}{text[1:]}" if text.startswith("-") else mark + text


def rate(value: Any, currency: str) -> str:
    """Formats a unit price: like an amount, but keeps the decimals of prices below the smallest coin."""
    price = decimal(value)
    digits = max(minor_digits(currency), -int(price.normalize().as_tuple().exponent))
    return _figure(_rounded(price, min(digits, 6)), currency)


def quantity(value: Any, currency: str) -> str:
    """Formats a quantity without trailing zeros, grouped as the currency's country groups figures."""
    return _figure(Decimal(f"{decimal(value).normalize():f}"), currency)


def percent(value: Any) -> str:
    """Formats a tax rate: 18%, 2.5%, 0%."""
    return f"{decimal(value).normalize():f}%"


def _spelt(number: int, indian: bool) -> str:
    if indian and number >= _CRORE:
        # The library ends at a thousand crore, so crores are spelt by themselves.
        crores, rest = divmod(number, _CRORE)
        spelt = f"{_spelt(crores, indian)} Crore"
        return f"{spelt} {_spelt(rest, indian)}" if rest else spelt
    words: str = num2words(number, lang="en_IN" if indian else "en")
    parts = words.replace(",", "").split(" ")
    return " ".join(
        part if part == "and" else "-".join(piece.capitalize() for piece in part.split("-")) for part in parts
    )


def in_words(value: Any, currency: str, language: str = "en") -> str:
    """Spells an amount as invoices do.

    Parameters:
        value: the amount, of either sign.
        currency: ISO 4217 code; rupees are counted in lakh and crore.
        language: en or hi; Hindi has no name for rare currencies, and then answers an empty text.
    Returns:
        such as "Rupees One Lakh and Fifty Paise Only", "Twelve Pounds and One Penny Only" or, for a currency
        without names here, "CHF Twelve and 05/100 Only".
    """
    digits = minor_digits(currency)
    total = _rounded(value, digits)
    if language == "hi":
        return hindi.spelt(total, currency)
    whole, fraction = divmod(int(abs(total).scaleb(digits)), 10**digits)
    minus = "Minus " if total < 0 else ""
    if currency == "INR":
        text = f"Rupees {minus}{_spelt(whole, True)}"
        return f"{text} and {_spelt(fraction, True)} Paise Only" if fraction else f"{text} Only"
    names = _NAMES.get(currency)
    if names is None:
        text = f"{currency} {minus}{_spelt(whole, False)}"
        return f"{text} and {fraction:0{digits}d}/{10**digits} Only" if fraction else f"{text} Only"
    text = f"{minus}{_spelt(whole, False)} {names[0] if whole == 1 else names[1]}"
    if fraction:
        text += f" and {_spelt(fraction, False)} {names[2] if fraction == 1 else names[3]}"
    return f"{text} Only"
