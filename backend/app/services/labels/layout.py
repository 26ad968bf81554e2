"""Where everything stands on a label. Lengths are dots of an eighth of a millimetre, y runs downwards."""

from dataclasses import dataclass, field
from itertools import product
from typing import Final, Literal

from backend.app.services.labels import symbols, typeset
from backend.app.services.labels.formats import DOTS_PER_MM, DOTS_PER_POINT, Format
from backend.app.services.labels.symbols import Linear, Matrix, Symbol

CodeChoice = Literal["auto", "qr", "code128", "ean13"]

# A quarter of a millimetre is what hand scanners and office printers manage; a dot alone they do not.
_NARROWEST: Final = 2
_WIDEST_BAR: Final = 4
_WIDEST_QR: Final = 6
_LOWEST_BARS: Final = 5 * DOTS_PER_MM
_HIGHEST_BARS: Final = 18 * DOTS_PER_MM
# How far the guard bars of an EAN reach down, in modules.
_GUARD: Final = 5
_DIGIT_HEIGHT: Final = 0.714


@dataclass(frozen=True, slots=True)
class Subject:
    """What a label is for.

    name, details: in words. marks: short texts that identify it, each kept on the label. price, price_note: as
    printed. qr: what a QR code holds; ean: thirteen digits; linear: what a Code 128 holds. prefers: the code that
    "auto" begins with.
    """

    name: str
    qr: str
    details: str = ""
    marks: tuple[str, ...] = ()
    price: str | None = None
    price_note: str = ""
    linear: str | None = None
    ean: str | None = None
    prefers: Literal["linear", "qr"] = "linear"


@dataclass(frozen=True, slots=True)
class Box:
    """A black rectangle."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Text:
    """A line at its place. x: its left end; y: its baseline; size: of the type."""

    line: typeset.Line
    x: float
    y: float
    size: float


@dataclass(slots=True)
class Picture:
    """A label, or a bare code. title: what it shows, for those who cannot see it."""

    width: int
    height: int
    title: str
    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def write(self, line: typeset.Line, left: float, right: float, top: float, size: float, align: str = "") -> float:
        """Sets a line beneath `top` and returns where the next one begins. align: right or center."""
        width = line.width * size
        at_right = align == "right" or (not align and line.right_to_left)
        x = right - width if at_right else left + (right - left - width) / 2 if align == "center" else left
        self.texts.append(Text(line, x, round(top + _ascent(line) * size), size))
        return top + _pitch(line) * size


def _ascent(line: typeset.Line) -> float:
    """From the top of a line to its baseline, in type sizes: scripts with marks above need more."""
    return 1.12 if line.tall else 0.95


def _pitch(line: typeset.Line) -> float:
    """From one line to the next, in type sizes."""
    return 1.5 if line.tall else 1.2


def _height(lines: list[typeset.Line], size: float) -> float:
    return sum(_pitch(line) for line in lines) * size


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The sizes of type for a label: they grow with it, slower than it."""

    name: float
    small: float
    price: float

    @classmethod
    def of(cls, form: Format) -> "_Sizes":
        name = min(max(4 + 0.16 * form.height, 6.5), 14)
        return cls(*(points * DOTS_PER_POINT for points in (name, max(0.75 * name, 6), 1.35 * name)))


def _candidates(subject: Subject, choice: CodeChoice) -> list[Symbol]:
    """The codes to try, best first. A QR code always can be had."""
    qr = symbols.qr(subject.qr)
    if choice == "qr" or (choice == "auto" and subject.prefers == "qr"):
        return [qr]
    found: list[Symbol | None] = []
    if choice != "code128" and subject.ean:
        found.append(symbols.ean13(subject.ean))
    if subject.linear:
        found.append(symbols.code128(subject.linear))
    return [*(symbol for symbol in found if symbol), qr]


def _bar_module(symbol: Linear, width: int, inner: int) -> int | None:
    """The widest module with which a linear code stands within the margins, its quiet zones on the label."""
    whole = symbol.width + 2 * max(symbol.quiet)
    for module in range(_WIDEST_BAR, _NARROWEST - 1, -1):
        if symbol.width * module <= inner and whole * module <= width:
            return module
    return None


def _draw_linear(picture: Picture, symbol: Linear, x: int, top: int, bars: int, module: int, size: float) -> None:
    """Draws bars with their text beneath. bars: their height; size: of the text."""
    for bar in symbol.bars:
        longer = _GUARD * module if bar.guard else 0
        picture.boxes.append(Box(x + bar.start * module, top, bar.width * module, bars + longer))
    width = symbol.width * module
    if symbol.kind == "code128":
        picture.write(_fitted(symbol.value, width, size, 1)[0], x, x + width, top + bars + 2, size, "center")
        return
    # Each digit stands beneath its own seven modules, the first one in the quiet zone.
    baseline = top + bars + module + round(_DIGIT_HEIGHT * size)
    for place, digit in enumerate(symbol.value):
        line = typeset.line(digit, False, False)
        start = (place - 1) * 7 + (3 if place <= 6 else 8) if place else -9
        middle = x + (start + 3.5) * module
        picture.texts.append(Text(line, middle - line.width * size / 2, baseline, size))


def _foot(symbol: Linear, module: int, small: float) -> tuple[float, int]:
    """The size of the text beneath bars, and the height it needs."""
    if symbol.kind == "ean13":
        size = min(8.5 * module, 1.2 * small)
        return size, round(max(_GUARD * module, module + _DIGIT_HEIGHT * size + 1))
    return small, round(small * 1.15) + 2


def _fitted(text: str, width: float, size: float, lines: int, bold: bool = False) -> list[typeset.Line]:
    return typeset.wrap(text, width / size, lines, bold)


def _price(subject: Subject, width: float, sizes: _Sizes) -> tuple[list[typeset.Line], float]:
    """The price and the size at which it fits the width; its note comes second."""
    if not subject.price:
        return [], 0
    line = typeset.line(subject.price, True, False)
    size = min(sizes.price, width / line.width)
    note = [typeset.line(subject.price_note, False, False)] if subject.price_note else []
    return [line, *note], size


def _stacked(subject: Subject, symbol: Linear, form: Format, module: int) -> Picture | None:
    """Text above, bars beneath. None where the bars would be too low to be read."""
    picture, sizes = _empty(subject, form), _Sizes.of(form)
    left, right = round(form.margin_x * DOTS_PER_MM), picture.width - round(form.margin_x * DOTS_PER_MM)
    top, bottom = round(form.margin_y * DOTS_PER_MM), picture.height - round(form.margin_y * DOTS_PER_MM)
    size, foot = _foot(symbol, module, sizes.small)
    gap = round(0.35 * sizes.small)
    room = bottom - top - foot - gap - max(_LOWEST_BARS, round(0.3 * (bottom - top)))

    price, price_size = _price(subject, (right - left) * 0.55, sizes)
    beside = max((line.width * at for line, at in zip(price, (price_size, sizes.small * 0.85), strict=False)), default=0)
    column = right - left - (beside + 2 * DOTS_PER_MM if beside else 0)
    price_height = price_size * 1.05 + (sizes.small if len(price) > 1 else 0)
    marks = [mark for mark in subject.marks if not mark.endswith(symbol.value)]
    for name_lines, with_details in ((2, True), (2, False), (1, True), (1, False)):
        name = _fitted(subject.name, right - left, sizes.name, name_lines, bold=True)
        texts = [subject.details] if with_details and subject.details else []
        rows = [line for text in [*texts, *marks] for line in _fitted(text, column, sizes.small, 1)]
        side = max(_height(rows, sizes.small), price_height)
        if _height(name, sizes.name) + side <= room:
            break
    else:
        return None
    y: float = top
    for line in name:
        y = picture.write(line, left, right, y, sizes.name)
    beneath = y + side
    for line in rows:
        y = picture.write(line, left, left + column, y, sizes.small)
    _write_price(picture, price, left, right, beneath, price_size, sizes.small, "right")

    bars = min(_HIGHEST_BARS, bottom - foot - round(beneath) - gap)
    x = min(max((picture.width - symbol.width * module) // 2, symbol.quiet[0] * module), right - symbol.width * module)
    _draw_linear(picture, symbol, x, bottom - foot - bars, bars, module, size)
    return picture


def _write_price(
    picture: Picture, price: list[typeset.Line], left: float, right: float, bottom: float, size: float, small: float, align: str
) -> None:
    """Sets the price above `bottom`, its note beneath it."""
    if not price:
        return
    if len(price) > 1:
        picture.write(price[1], left, right, bottom - small * 1.05, small * 0.85, align)
        bottom -= small
    picture.write(price[0], left, right, bottom - size * 1.02, size, align)


def _beside(subject: Subject, symbol: Matrix, form: Format) -> Picture:
    """The QR code on the left, text on the right."""
    picture, sizes = _empty(subject, form), _Sizes.of(form)
    margin_x, margin_y = round(form.margin_x * DOTS_PER_MM), round(form.margin_y * DOTS_PER_MM)
    inner = picture.height - 2 * margin_y
    module = max(
        min(
            _WIDEST_QR,
            inner // symbol.width,
            picture.height // (symbol.width + 2 * symbol.quiet),
            (picture.width - 2 * margin_x) // 2 // symbol.width,
        ),
        1,
    )
    side, quiet = symbol.width * module, symbol.quiet * module
    x, y = max(margin_x, quiet), (picture.height - side) // 2
    _draw_matrix(picture, symbol, x, y, module)

    left, right = x + side + quiet, picture.width - margin_x
    price, price_size = _price(subject, right - left, sizes)
    price_height = (price_size * 1.1 + (sizes.small if len(price) > 1 else 0)) if price else 0
    for scale, name_lines, detail_lines, mark_lines in product((1, 0.85), (3, 2, 1), (2, 1, 0), (3, 2, 1)):
        at, small = sizes.name * scale, sizes.small * scale
        name = _fitted(subject.name, right - left, at, name_lines, bold=True)
        details = _fitted(subject.details, right - left, small, detail_lines)
        marks = [line for mark in subject.marks for line in _fitted(mark, right - left, small, mark_lines)]
        whole = _height(name, at) + _height([*details, *marks], small) + price_height
        cut = any(line.text.endswith(typeset.ELLIPSIS) for line in marks)
        if whole <= inner and not (cut and mark_lines < 3):
            break
    top: float = margin_y
    for line in name:
        top = picture.write(line, left, right, top, at)
    for line in [*details, *marks]:
        top = picture.write(line, left, right, top, small)
    _write_price(picture, price, left, right, picture.height - margin_y, price_size, sizes.small, "")
    return picture


def _draw_matrix(picture: Picture, symbol: Matrix, x: int, y: int, module: int) -> None:
    """Draws each run of dark modules as one rectangle, so that no seam shows between them."""
    for index, row in enumerate(symbol.rows):
        start = 0
        while (start := row.find(1, start)) >= 0:
            end = row.find(0, start)
            end = len(row) if end < 0 else end
            picture.boxes.append(Box(x + start * module, y + index * module, (end - start) * module, module))
            start = end


def _empty(subject: Subject, form: Format) -> Picture:
    return Picture(round(form.width * DOTS_PER_MM), round(form.height * DOTS_PER_MM), subject.name)


def label(subject: Subject, form: Format, choice: CodeChoice = "auto") -> Picture:
    """Lays out a label.

    Parameters:
        subject: what it is for.
        form: its size and margins.
        choice: the code that is wanted. A linear code that would not fit, or that cannot hold the text, gives way:
            EAN-13 to Code 128, that to QR.
    """
    width = round(form.width * DOTS_PER_MM)
    inner = width - 2 * round(form.margin_x * DOTS_PER_MM)
    for symbol in _candidates(subject, choice):
        if isinstance(symbol, Matrix):
            return _beside(subject, symbol, form)
        module = _bar_module(symbol, width, inner)
        picture = module and _stacked(subject, symbol, form, module)
        if picture:
            return picture
    raise AssertionError("a QR code is always among the candidates")


def bare(subject: Subject, choice: CodeChoice, module: int) -> Picture:
    """Lays out a code without a label: quiet zones, and beneath bars their text. module: its width."""
    symbol = _candidates(subject, choice)[0]
    if isinstance(symbol, Matrix):
        side = (symbol.width + 2 * symbol.quiet) * module
        picture = Picture(side, side, subject.name)
        _draw_matrix(picture, symbol, symbol.quiet * module, symbol.quiet * module, module)
        return picture
    bars, quiet = 40 * module, max(symbol.quiet) * module
    size, foot = _foot(symbol, module, 8.5 * module)
    picture = Picture(symbol.width * module + 2 * quiet, bars + foot + 8 * module, subject.name)
    _draw_linear(picture, symbol, quiet, 4 * module, bars, module, size)
    return picture
