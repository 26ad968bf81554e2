"""GSTINs, computed from the published rule and independently of the database's own check."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check_character(first_14: str) -> str:
    """The 15th character of a GSTIN: modulo 36, weights 1 and 2 in turn, each product's digits added up."""
    total = 0
    for position, character in enumerate(first_14):
        quotient, remainder = divmod(_DIGITS.index(character) * (1 + position % 2), 36)
        total += quotient + remainder
    return _DIGITS[-total % 36]


def gstin(first_14: str) -> str:
    """A whole GSTIN from its first 14 characters."""
    return first_14 + check_character(first_14)
