"""JSON that keeps every digit.

Money and quantities are numbers in JSON and ``Decimal`` in Python, never ``float``: ``1180.00`` read here is
written as ``1180.00``, and ``0.1`` is a tenth. Bodies that callers send are read with
:func:`loads_from_caller`, which refuses what could be read but not be handed on; what is sent to PostgREST is
written with :func:`dumps`, and what PostgREST answers is passed on byte for byte, so no amount is ever
rounded on its way.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

# Deeper than any document of ours, far from where Python's recursion ends.
MAX_DEPTH = 100
# Beyond every float, and short of what would take space when it is written out.
MAX_EXPONENT = 350
_LARGEST: int = 10**MAX_EXPONENT


def _refuse_constant(name: str) -> Any:
    """JSON has no NaN and no Infinity; Python's reader would let them in."""
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def loads(text: bytes | str) -> Any:
    """Reads JSON; numbers with a fraction or an exponent become ``Decimal``.

    Raises ``json.JSONDecodeError`` when the text is not JSON, NaN and Infinity included.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def loads_from_caller(text: bytes | str) -> Any:
    """As :func:`loads`, for text of strangers.

    Raises ``json.JSONDecodeError`` also for nesting beyond ``MAX_DEPTH``, for a number beyond 10 to the power
    of ``MAX_EXPONENT`` or with more decimals than that, and for half a surrogate pair, which UTF-8 cannot
    hold.
    """
    value = loads(text)
    _inspect(value, 0)
    return value


def _inspect(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise json.JSONDecodeError(f"nesting is deeper than {MAX_DEPTH}", "", 0)
    if isinstance(value, dict):
        for key, item in value.items():
            _inspect(key, depth)
            _inspect(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _inspect(item, depth + 1)
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise json.JSONDecodeError("half a surrogate pair is no text", "", 0) from None
    elif isinstance(value, int | Decimal) and _is_extreme(value):
        raise json.JSONDecodeError("a number is out of range", "", 0)


def _is_extreme(number: int | Decimal) -> bool:
    if isinstance(number, int):
        return abs(number) > _LARGEST
    return abs(number.adjusted()) > MAX_EXPONENT or _exponent(number) < -MAX_EXPONENT


def _exponent(number: Decimal) -> int:
    return int(number.as_tuple().exponent)


def dumps(value: object) -> bytes:
    """Writes compact UTF-8 JSON; ``Decimal`` keeps its digits, dates and UUIDs become strings.

    A large exponent stays an exponent: written out, the ten characters of 1e99999999 would be 100 MB.

    Raises ``TypeError`` for a value that has no JSON form and ``ValueError`` for a NaN or infinite
    ``Decimal``.
    """
    return _text(value).encode()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number must be finite")
        return format(value, "f") if abs(_exponent(value)) <= MAX_EXPONENT else str(value)
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(key), ensure_ascii=False)}:{_text(item)}" for key, item in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, datetime | date):
        return json.dumps(value.isoformat())
    if isinstance(value, UUID):
        return json.dumps(str(value))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return "[" + ",".join(_text(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no exact JSON form")
