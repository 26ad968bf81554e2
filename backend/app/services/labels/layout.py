"""Where everything stands on a label. Lengths are dots of an eighth of a millimetre, y runs downwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Literal

from backend.app.services.documents import typeset
from backend.app.services.labels import symbols
from backend.app.services.labels.formats import DOTS_PER_MM, DOTS_PER_POINT, Format
from backend.app.services.labels.symbols import Linear, Matrix, Symbol

CodeChoice = Literal["auto", "qr", "code128", "ean13"]

# A quarter of a millimetre is what hand scanners and office printers manage; a dot alone they do not.
_NARROWEST: Final = 2
_WIDEST_BAR: Final = 5
_WIDEST_QR: Final = 8
_LOWEST_BARS: Final = 5 * DOTS_PER_MM
_HIGHEST_BARS: Final = 20 * DOTS_PER_MM
# How far the guard bars of an EAN reach down, in modules.
_GUARD: Final = 5
_DIGIT_HEIGHT: Final = 0.714
# So many letters of a name tell what a thing is.
_ENOUGH: Final = 60
# Beneath five points the letters of a thermal printer run into each other.
_SMALLEST: Final = 5 * DOTS_PER_POINT


@dataclass(frozen=True, slots=True)
class Subject:
    """What a label is for.

    name, details: in words. marks: short texts that identify it, each kept on the label. large, note: what
    stands out, a price or the code of a shelf, and small print beneath it. qr: what a QR code holds; ean:
    thirteen digits; linear: what a Code 128 holds. prefers: the code that "auto" begins with. house: the
    organisation whose it is.
    """

    name: str
    qr: str
    details: str = ""
    marks: tuple[str, ...] = ()
    large: str = ""
    note: str = ""
    linear: str | None = None
    ean: str | None = None
    prefers: Literal["linear", "qr"] = "linear"
    house: str = ""


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

    def write(
        self, line: typeset.Line, left: float, right: float, top: float, size: float, align: str = ""
    ) -> float:
        """Sets a line beneath `top` and returns where the next one begins. align: right or center."""
        width = line.width * size
        at_right = align == "right" or (not align and line.right_to_left)
        x = right - width if at_right else left + (right - left - width) / 2 if align == "center" else left
        self.texts.append(Text(line, x, round(top + _ascent(line) * size), size))
        return top + _pitch(line) * size


def _ascent(line: typeset.Line) -> float:
    """From the top of a line to its baseline, in type sizes: scripts with marks above need more."""
    return 1.06 if line.tall else 0.95


def _pitch(line: typeset.Line) -> float:
    """From one line to the next, in type sizes."""
    return 1.4 if line.tall else 1.2


def _height(lines: list[typeset.Line], size: float) -> float:
    return sum(_pitch(line) for line in lines) * size


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The sizes of type for a label: they grow with it, slower than it."""

    name: float
    small: float
    large: float

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


def _draw_linear(
    picture: Picture, symbol: Linear, x: int, top: int, bars: int, module: int, size: float
) -> None:
    """Draws bars with their text beneath. bars: their height; size: of the text."""
    for bar in symbol.bars:
        longer = _GUARD * module if bar.guard else 0
        picture.boxes.append(Box(x + bar.start * module, top, bar.width * module, bars + longer))
    width = symbol.width * module
    if symbol.kind == "code128":
        # A code of nothing but spaces has no text to show.
        for line in _fitted(symbol.value, width, size, 1):
            picture.write(line, x, x + width, top + bars + 2, size, "center")
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


def _is_cut(lines: list[typeset.Line]) -> bool:
    return bool(lines) and lines[-1].text.endswith(typeset.ELLIPSIS)


@dataclass(frozen=True, slots=True)
class _Copy:
    """The text of a label, set to fit: lines with the size of their type."""

    name: list[typeset.Line]
    name_size: float
    rows: list[typeset.Line]
    small: float

    @property
    def name_height(self) -> float:
        return _height(self.name, self.name_size)

    @property
    def rows_height(self) -> float:
        return _height(self.rows, self.small)


def _set_copy(
    subject: Subject,
    marks: Sequence[str],
    sizes: _Sizes,
    name_width: float,
    row_width: float,
    most: tuple[int, int, int],
    fits: Callable[[_Copy], bool],
) -> _Copy | None:
    """Sets name, details and marks so that they fit, as whole and as large as can be.

    Marks come first, then enough of the name: either is rather set smaller than cut. Details give way.

    Parameters:
        most: how many lines the name, the details and each mark may have.
        fits: whether there is room for it.
    Returns:
        None when there is no room even for the shortest.
    """
    best: tuple[tuple[bool, int, float, int], _Copy] | None = None
    for scale in (1.0, 0.88, 0.76):
        at, small = sizes.name * scale, max(sizes.small * scale, _SMALLEST)
        names = [_fitted(subject.name, name_width, at, lines, bold=True) for lines in range(most[0], 0, -1)]
        details = [_fitted(subject.details, row_width, small, lines) for lines in range(most[1], -1, -1)]
        ids = [[_fitted(mark, row_width, small, lines) for mark in marks] for lines in range(most[2], 0, -1)]
        for name, detail, mark in product(names, details, ids):
            copy = _Copy(name, at, [*detail, *(line for lines in mark for line in lines)], small)
            shown = sum(len(line.text.replace(" ", "")) for line in name)
            worth = (not any(map(_is_cut, mark)), min(shown, _ENOUGH), scale, len(detail) - _is_cut(detail))
            if (best is None or worth > best[0]) and fits(copy):
                best = (worth, copy)
        if best and not _is_cut(best[1].name) and best[0][0]:
            break
    return best and best[1]


@dataclass(frozen=True, slots=True)
class _Large:
    """The large text and its note, made to fit a width."""

    line: typeset.Line | None
    size: float
    note: typeset.Line | None
    note_size: float

    @classmethod
    def of(cls, subject: Subject, width: float, sizes: _Sizes) -> "_Large":
        if not subject.large:
            return cls(None, 0, None, 0)
        line = typeset.line(subject.large, True, False)
        note = typeset.line(subject.note, False, False) if subject.note else None
        return cls(line, min(sizes.large, width / line.width), note, max(sizes.small * 0.85, _SMALLEST))

    @property
    def width(self) -> float:
        widths = [
            line.width * size for line, size in ((self.line, self.size), (self.note, self.note_size)) if line
        ]
        return max(widths, default=0)

    @property
    def height(self) -> float:
        return self.size * 1.08 + (self.note_size * 1.12 if self.note else 0)

    def write(self, picture: Picture, left: float, right: float, bottom: float, align: str) -> None:
        """Sets it above `bottom`."""
        if self.note:
            picture.write(self.note, left, right, bottom - self.note_size * 1.12, self.note_size, align)
            bottom -= self.note_size * 1.12
        if self.line:
            picture.write(self.line, left, right, bottom - self.size * 1.08, self.size, align)


def _stacked(subject: Subject, symbol: Linear, form: Format, module: int) -> Picture | None:
    """Text above, bars beneath. None where the bars would be too low to be read."""
    picture, sizes = _empty(subject, form), _Sizes.of(form)
    left, top = round(form.margin_x * DOTS_PER_MM), round(form.margin_y * DOTS_PER_MM)
    right, bottom = picture.width - left, picture.height - top
    size, foot = _foot(symbol, module, sizes.small)
    gap = round(0.35 * sizes.small)
    lowest = max(_LOWEST_BARS, round(0.28 * (bottom - top)))

    large = _Large.of(subject, (right - left) * 0.55, sizes)
    column = right - left - (large.width + 2 * DOTS_PER_MM if large.line else 0)
    copy = _set_copy(
        subject,
        [mark for mark in subject.marks if not mark.endswith(symbol.value)],
        sizes,
        right - left,
        column,
        (2, 1, 1),
        lambda copy: (
            copy.name_height + max(copy.rows_height, large.height) <= bottom - top - foot - gap - lowest
        ),
    )
    if copy is None:
        return None
    y: float = top
    for line in copy.name:
        y = picture.write(line, left, right, y, copy.name_size)
    beneath = y + max(copy.rows_height, large.height)
    for line in copy.rows:
        y = picture.write(line, left, left + column, y, copy.small)
    large.write(picture, left, right, beneath, "right")

    bars = min(_HIGHEST_BARS, bottom - foot - round(beneath) - gap)
    wide = symbol.width * module
    x = min(max((picture.width - wide) // 2, symbol.quiet[0] * module), right - wide)
    _draw_linear(picture, symbol, x, bottom - foot - bars, bars, module, size)
    return picture


def _beside(subject: Subject, symbol: Matrix, form: Format) -> Picture:
    """The QR code on the left, text on the right."""
    picture, sizes = _empty(subject, form), _Sizes.of(form)
    margin_x, margin_y = round(form.margin_x * DOTS_PER_MM), round(form.margin_y * DOTS_PER_MM)
    inner = picture.height - 2 * margin_y
    largest = min(
        _WIDEST_QR,
        inner // symbol.width,
        picture.height // (symbol.width + 2 * symbol.quiet),
        (picture.width - 2 * margin_x) * 9 // 20 // symbol.width,
    )
    module = max(largest, 1)
    side, quiet = symbol.width * module, symbol.quiet * module
    x, y = max(margin_x, quiet), (picture.height - side) // 2
    _draw_matrix(picture, symbol, x, y, module)

    left, right = x + side + quiet, picture.width - margin_x
    align = "right" if typeset.reads_right_to_left(subject.name) else ""
    large = _Large.of(subject, right - left, sizes)
    copy = _set_copy(
        subject,
        subject.marks,
        sizes,
        right - left,
        right - left,
        (4, 2, 4),
        lambda copy: copy.name_height + copy.rows_height + large.height <= inner,
    )
    top: float = margin_y
    if copy:
        for line in copy.name:
            top = picture.write(line, left, right, top, copy.name_size)
        for line in copy.rows:
            top = picture.write(line, left, right, top, copy.small, align)
    large.write(picture, left, right, picture.height - margin_y, align)
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
        choice: the code that is wanted. A linear code that would not fit, or that cannot hold the text, gives
            way: EAN-13 to Code 128, that to QR.
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
