"""JSON that keeps every digit.

Money and quantities are numbers in JSON and ``Decimal`` in Python, never ``float``: ``1180.00`` read here is
written as ``1180.00``, and ``0.1`` is a tenth. Bodies that callers send are read with
:func:`loads_from_caller`, which refuses what could be read but not be handed on; what is sent to PostgREST is
written with :func:`dumps`, and what PostgREST answers is passed on byte for byte, so no amount is ever
rounded on its way.

Reader and writer are msgspec's; what msgspec lets through and we do not is refused here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

# Deeper than any document of ours, far from where a reader's recursion ends.
MAX_DEPTH = 100
# Beyond every float, and short of what would take space when it is written out.
MAX_EXPONENT = 350
_LARGEST: int = 10**MAX_EXPONENT
# What a number beyond the limits is written with.
_LONG_NUMBER = re.compile(rb"[0-9]{%d}|[0-9][eE][+-]?[0-9]{3}" % MAX_EXPONENT)


def _invalid(reason: str) -> json.JSONDecodeError:
    """What FastAPI answers as a body that is no JSON."""
    return json.JSONDecodeError(reason, "", 0)


def _bounded(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT or int(number.as_tuple().exponent) < -MAX_EXPONENT:
        raise ValueError("a number is out of range")
    return number


_OURS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_CALLERS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=_bounded)


def loads(text: bytes | str) -> Any:
    """Reads JSON; numbers with a fraction or an exponent become ``Decimal``.

    Raises ``json.JSONDecodeError`` when the text is not JSON: NaN, Infinity and half a surrogate pair, which
    UTF-8 cannot hold, included.
    """
    return _read(_OURS, text)


def loads_from_caller(text: bytes | str) -> Any:
    """As :func:`loads`, for text of strangers.

    Raises ``json.JSONDecodeError`` also for nesting beyond ``MAX_DEPTH``, and for a number beyond 10 to the
    power of ``MAX_EXPONENT`` or with more decimals than that.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise _invalid("half a surrogate pair is no text") from None
    # Few texts can hold what has to be looked for in the values.
    extreme = _LONG_NUMBER.search(data) is not None
    value = _read(_CALLERS if extreme else _OURS, data)
    if extreme or data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _inspect(value)
    return value


def _read(decoder: msgspec.json.Decoder[Any], text: bytes | str) -> Any:
    try:
        return decoder.decode(text)
    except RecursionError:
        raise _invalid(f"nesting is deeper than {MAX_DEPTH}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise _invalid(str(error)) from None


def _inspect(value: object) -> None:
    """Refuses deep nesting and endless integers, level by level, as recursion has an end of its own."""
    level, depth = [value], 0
    while level:
        below: list[object] = []
        for item in level:
            if isinstance(item, dict | list) and depth == MAX_DEPTH:
                raise _invalid(f"nesting is deeper than {MAX_DEPTH}")
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, int) and abs(item) > _LARGEST:
                raise _invalid("a number is out of range")
        level, depth = below, depth + 1


def dumps(value: object) -> bytes:
    """Writes compact UTF-8 JSON; ``Decimal`` keeps its digits, dates and UUIDs become strings.

    A large exponent stays an exponent: written out, the ten characters of 1e99999999 would be 100 MB.

    Raises ``TypeError`` for a value that has no exact JSON form and ``ValueError`` for a NaN or infinite
    ``Decimal``.
    """
    _refuse_inexact(value)
    return _WRITER.encode(value)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no exact JSON form")


_WRITER = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)


def _refuse_inexact(value: object) -> None:
    """The writer would round a float, and spell bytes in a way that nobody asked for."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, float | bytes | bytearray | memoryview):
            raise TypeError(f"{type(item).__name__} has no exact JSON form")
