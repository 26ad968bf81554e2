"""JSON that keeps every digit.

Money and quantities are numbers in JSON and ``Decimal`` in Python, never ``float``: ``1180.00`` read here is
written as ``1180.00``, and ``0.1`` is a tenth. Bodies that callers send are read with :func:`loads`, what is
sent to PostgREST is written with :func:`dumps`, and what PostgREST answers is passed on byte for byte, so no
amount is ever rounded on its way.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


def _refuse_constant(name: str) -> Any:
    """JSON has no NaN and no Infinity; Python's reader would let them in."""
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def loads(text: bytes | str) -> Any:
    """Reads JSON; numbers with a fraction or an exponent become ``Decimal``.

    Raises ``json.JSONDecodeError`` when the text is not JSON, NaN and Infinity included.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def dumps(value: object) -> bytes:
    """Writes compact UTF-8 JSON; ``Decimal`` keeps its digits, dates and UUIDs become strings.

    Raises ``TypeError`` for a value that has no JSON form and ``ValueError`` for a NaN or infinite
    ``Decimal``.
    """
    return _text(value).encode()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number must be finite")
        return format(value, "f")
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
