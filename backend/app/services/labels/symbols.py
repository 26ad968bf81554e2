"""The codes themselves: which modules are dark. reportlab encodes the linear ones, segno the QR code.

Nothing is drawn here, so that a PDF, an SVG and a PNG of the same code cannot differ.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final, Literal

import segno
from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.eanbc import Ean13BarcodeWidget

Kind = Literal["qr", "code128", "ean13"]

# ISO/IEC 15417 asks for ten modules left and right; the GS1 specifications for eleven and seven.
_QUIET_CODE128: Final = (10, 10)
_QUIET_EAN13: Final = (11, 7)
_QUIET_QR: Final = 4
# The guard bars of an EAN: the modules of its ends and its middle, which reach down between the digits.
_GUARDS: Final = frozenset({*range(3), *range(45, 50), *range(92, 95)})
_LONGEST_LINEAR: Final = 80


@dataclass(frozen=True, slots=True)
class Bar:
    """A dark bar. start, width: in modules from the first dark one. guard: it reaches down further."""

    start: int
    width: int
    guard: bool = False


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear code. width: in modules, without the quiet zones. quiet: modules kept white left and right."""

    kind: Literal["code128", "ean13"]
    value: str
    bars: tuple[Bar, ...]
    width: int
    quiet: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A QR code: rows of modules, 1 for a dark one. quiet: the modules kept white on all sides."""

    value: str
    rows: tuple[bytes, ...]
    quiet: int

    @property
    def width(self) -> int:
        """The side in modules, without the quiet zone."""
        return len(self.rows)


Symbol = Linear | Matrix


def check_digit(digits: str) -> str:
    """The last digit of a GTIN whose other digits are given (GS1 General Specifications, 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def as_ean13(code: str | None) -> str | None:
    """The thirteen digits of a valid EAN-13 or UPC-A; None for anything else."""
    if code is None or not code.isascii() or not code.isdigit() or len(code) not in (12, 13):
        return None
    digits = code.zfill(13)
    return digits if check_digit(digits[:-1]) == digits[-1] else None


def _bars(modules: str) -> tuple[Bar, ...]:
    """The runs of dark modules; modules: "1" for a dark one."""
    found, place = [], 0
    for dark, run in groupby(modules):
        width = len(list(run))
        if dark == "1":
            found.append((place, width))
        place += width
    return tuple(Bar(start, width) for start, width in found)


@lru_cache(maxsize=2048)
def code128(value: str) -> Linear | None:
    """A Code 128; None for what it cannot hold: anything but printable ASCII, or over 80 characters."""
    if not value or len(value) > _LONGEST_LINEAR or not (value.isascii() and value.isprintable()):
        return None
    code = Code128(value, quiet=0)
    code.validate()  # type: ignore[no-untyped-call]
    code.encode()  # type: ignore[no-untyped-call]
    pattern: str = code.decompose()  # type: ignore[no-untyped-call]
    # Capital letters are bars, small ones the gaps between them; a is one module wide.
    modules = "".join(
        ("1" if letter.isupper() else "0") * (ord(letter.lower()) - ord("a") + 1) for letter in pattern
    )
    return Linear("code128", value, _bars(modules), len(modules), _QUIET_CODE128)


@lru_cache(maxsize=2048)
def ean13(value: str) -> Linear | None:
    """An EAN-13; None for what is no valid EAN-13 or UPC-A."""
    digits = as_ean13(value)
    if digits is None:
        return None
    widget = Ean13BarcodeWidget(digits[:-1], barWidth=1, barHeight=1, quiet=0, humanReadable=0)
    shapes = widget.draw().contents[1:]  # type: ignore[no-untyped-call]
    found = [(round(shape.x), round(shape.width)) for shape in shapes]
    bars = tuple(Bar(start, width, start in _GUARDS) for start, width in found)
    return Linear("ean13", digits, bars, 95, _QUIET_EAN13)


@lru_cache(maxsize=2048)
def qr(value: str) -> Matrix:
    """A QR code of medium error correction, or better where that costs no room."""
    if value.isascii():
        code = segno.make(value, error="m", micro=False)
    else:
        # Unless it is told that these are UTF-8, a scanner guesses, and takes accents for Japanese.
        code = segno.make(value, error="m", micro=False, mode="byte", encoding="utf-8", eci=True)
    return Matrix(value, tuple(bytes(row) for row in code.matrix_iter(border=0)), _QUIET_QR)
