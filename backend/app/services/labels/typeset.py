"""Lines of text: shaped, measured, put in the order they are seen, broken and shortened to fit.

One shaping serves measuring and all three kinds of output, so what fits here fits there.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Final, NamedTuple

import uharfbuzz

from backend.app.services.documents import fonts

ELLIPSIS: Final = "…"
# The features that reportlab asks for when it shapes for a PDF, so that its lines are as wide as ours.
FEATURES: Final = {"kern": True, "liga": True, "dlig": True}
_MIRRORED: Final = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_NUMERIC: Final = frozenset({"EN", "AN"})


class Glyph(NamedTuple):
    """A glyph of a typeface. advance, x, y: in thousandths of the type size; y upwards."""

    number: int
    advance: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one typeface and one direction. text: as read; glyphs: as seen, from left to right."""

    font: str
    text: str
    glyphs: tuple[Glyph, ...]
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line in the order it is seen. width: in type sizes. tall: whether its script needs more room."""

    text: str
    runs: tuple[Run, ...]
    width: float
    tall: bool
    right_to_left: bool


@cache
def hb_font(name: str) -> uharfbuzz.Font:
    """The typeface as HarfBuzz knows it, in units of a thousandth of the type size."""
    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(fonts.path(name)))))
    font.scale = (1000, 1000)
    return font


def _shape(font: str, text: str) -> tuple[Glyph, ...]:
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(hb_font(font), buffer, FEATURES)
    return tuple(
        Glyph(info.codepoint, place.x_advance, place.x_offset, place.y_offset)
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    )


def reads_right_to_left(text: str) -> bool:
    """Says whether a text is of a script that runs from right to left: its first letter decides."""
    first = next((c for c in map(unicodedata.bidirectional, text) if c in ("L", "R", "AL")), "L")
    return first != "L"


def _levels(text: str, base: int) -> list[int]:
    """How deep each character is nested in directions (Unicode's annex 9, without its explicit marks).

    base: 1 where the line as a whole runs from right to left. Figures run from left to right everywhere; what
    has no direction of its own goes with its neighbours where they agree, else with the line.
    """
    kinds: list[str] = []
    strong = "R" if base else "L"
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            strong = "L" if kind == "L" else "R"
            kinds.append(strong)
        elif kind in _NUMERIC:
            kinds.append("N" if strong == "R" else "L")
        elif kind in ("NSM", "BN") and kinds:
            kinds.append(kinds[-1])
        else:
            kinds.append("")
    for index, character in enumerate(text):
        # A point between figures and the sign beside them belong to the number.
        around = {kinds[at] for at in (index - 1, index + 1) if 0 <= at < len(kinds)}
        kind = unicodedata.bidirectional(character)
        if not kinds[index] and (
            (kind in ("CS", "ES") and around == {"N"}) or (kind == "ET" and "N" in around)
        ):
            kinds[index] = "N"
    place = 0
    before = "R" if base else "L"
    for kind, group in groupby(list(kinds)):
        length = len(list(group))
        if not kind:
            following = kinds[place + length] if place + length < len(kinds) else ("R" if base else "L")
            sides = {"R" if side == "N" else side for side in (before, following)}
            chosen = sides.pop() if len(sides) == 1 else ("R" if base else "L")
            kinds[place : place + length] = [chosen] * length
        before = kinds[place + length - 1]
        place += length
    return [{"L": 2 * base, "R": 1, "N": 2}[kind] for kind in kinds]


def _visual(text: str, base: int) -> Iterator[tuple[str, int]]:
    """The stretches of one direction, in the order they are seen: text and level."""
    levels = _levels(text, base)
    pieces, start = [], 0
    for level, group in groupby(levels):
        length = len(list(group))
        pieces.append((text[start : start + length], level))
        start += length
    for depth in range(max(levels, default=0), 0, -1):
        turned: list[tuple[str, int]] = []
        for deep, some in groupby(pieces, key=lambda piece, depth=depth: piece[1] >= depth):  # type: ignore[misc]
            found = list(some)
            turned += reversed(found) if deep else found
        pieces = turned
    return iter(pieces)


def _stretch(text: str, level: int, bold: bool) -> list[Run]:
    """One stretch, cut by typeface. HarfBuzz turns the letters of a right-to-left one, we turn its parts."""
    found = []
    for font, part in fonts.runs(text, bold):
        backwards = level % 2 and not any(unicodedata.bidirectional(c) in ("R", "AL") for c in part)
        shown = part.translate(_MIRRORED)[::-1] if backwards else part
        glyphs = _shape(font, shown)
        found.append(Run(font, shown, glyphs, sum(glyph.advance for glyph in glyphs) / 1000))
    return found[::-1] if level % 2 else found


@lru_cache(maxsize=8192)
def line(text: str, bold: bool, right_to_left: bool) -> Line:
    """Shapes a line.

    Parameters:
        text: one line of clean text.
        bold: whether it is set in bold, where the script has a bold cut.
        right_to_left: whether the text that it is a part of runs that way as a whole.
    """
    runs = tuple(
        run for part, level in _visual(text, int(right_to_left)) for run in _stretch(part, level, bold)
    )
    tall = any(run.font not in (fonts.REGULAR, fonts.BOLD) for run in runs)
    return Line(text, runs, sum(run.width for run in runs), tall, right_to_left)


def _cuts(text: str) -> list[int]:
    """The places where a text may be cut without tearing a letter from its marks."""
    return [
        index
        for index in range(1, len(text))
        if unicodedata.category(text[index])[0] != "M"
        and text[index] not in "\u200c\u200d"
        and text[index - 1] != "\u200d"
        and unicodedata.combining(text[index - 1]) != 9
    ]


def _head(text: str, cuts: list[int], fits: "_Fits", tail: str = "") -> int:
    """The last of the cuts whose part before it fits with a tail; 0 when none does."""
    low, high = 0, len(cuts)
    while low < high:
        middle = (low + high) // 2
        if fits(text[: cuts[middle]].rstrip() + tail):
            low = middle + 1
        else:
            high = middle
    return cuts[low - 1] if low else 0


@dataclass(frozen=True, slots=True)
class _Fits:
    """Whether a text fits a width, in type sizes."""

    width: float
    bold: bool
    right_to_left: bool

    def __call__(self, text: str) -> bool:
        return line(text, self.bold, self.right_to_left).width <= self.width


def _breaks(text: str) -> list[int]:
    """The places where a line may end: after a space, a hyphen or a slash."""
    return [index for index in range(1, len(text)) if text[index - 1] in " -/" and text[index] != " "]


def wrap(text: str, width: float, lines: int, bold: bool = False) -> list[Line]:
    """Sets a text in lines; what does not fit on the last one is cut off and ends in an ellipsis.

    Parameters:
        text: clean text, without line breaks.
        width: of the lines, in type sizes.
        lines: how many there may be.
        bold: see `line`.
    """
    right_to_left = reads_right_to_left(text)
    fits = _Fits(width, bold, right_to_left)
    found: list[Line] = []
    rest = text.strip()
    while rest and len(found) < lines:
        if fits(rest):
            end = len(rest)
        elif len(found) == lines - 1:
            end = _head(rest, _cuts(rest), fits, ELLIPSIS)
            shown = rest[:end].rstrip(" -/,.") + ELLIPSIS
            return [*found, line(shown, bold, right_to_left)]
        else:
            # A word that is longer than a line is cut where it must be.
            end = _head(rest, _breaks(rest), fits) or _head(rest, _cuts(rest), fits) or 1
        found.append(line(rest[:end].rstrip(), bold, right_to_left))
        rest = rest[end:].lstrip()
    return found
