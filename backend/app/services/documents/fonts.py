"""The typefaces of printed documents, and which of them sets which character.

Noto Sans sets Latin, Greek and Cyrillic text and the currency signs; each other script has its own typeface.
The files are part of the package, and what a document uses of them is embedded: it looks the same everywhere.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "NotoSans-Regular"
BOLD: Final = "NotoSans-Bold"

_FOLDER: Final = Path(__file__).parent / "typefaces"
_SCRIPTS: Final = (
    "Devanagari",
    "Bengali",
    "Gurmukhi",
    "Gujarati",
    "Oriya",
    "Tamil",
    "Telugu",
    "Kannada",
    "Malayalam",
    "Arabic",
    "Hebrew",
    "Thai",
)


def path(name: str) -> Path:
    """The file of a typeface."""
    return _FOLDER / f"{name}.ttf"


@cache
def _face(name: str) -> TTFont:
    """Registers a typeface on first use: a document in Latin letters never reads the other files."""
    font = TTFont(name, str(path(name)))
    pdfmetrics.registerFont(font)
    return font


def register() -> None:
    """Makes the two base typefaces known, so that styles may name them and markup may say bold."""
    _face(REGULAR)
    _face(BOLD)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


@cache
def _script_face(script: str, bold: bool) -> str:
    """Names the file of a script: few scripts have a bold cut here, the others are set in regular."""
    wanted = f"NotoSans{script}-Bold"
    return wanted if bold and path(wanted).exists() else f"NotoSans{script}-Regular"


def _has(name: str, character: str) -> bool:
    return ord(character) in _face(name).face.charToGlyph


@cache
def _font_of(character: str, bold: bool) -> str:
    """Chooses the typeface of one character; one that none has prints as an empty box."""
    base = BOLD if bold else REGULAR
    if _has(base, character):
        return base
    for script in _SCRIPTS:
        name = _script_face(script, bold)
        if _has(name, character):
            return name
    return base


def _is_neutral(character: str) -> bool:
    """Says whether a character follows its neighbours: marks, punctuation, digits and joiners."""
    return unicodedata.category(character)[0] in "MNPZ" or character in "\u200c\u200d"


def runs(text: str, bold: bool = False) -> Iterator[tuple[str, str]]:
    """Cuts text into runs of one typeface.

    Parameters:
        text: normalised text (see `text.clean`).
        bold: whether the surrounding style is bold.
    Yields:
        (name of the typeface, the run), in order; the runs joined are the text.
    """
    current, start = "", 0
    for index, character in enumerate(text):
        # A comma inside a Hindi name stays in the Hindi run: a word can be shaped by one typeface only.
        if current and _is_neutral(character) and not character.isspace() and _has(current, character):
            continue
        chosen = _font_of(character, bold)
        if chosen != current:
            if index > start:
                yield current, text[start:index]
            current, start = chosen, index
    if start < len(text):
        yield current, text[start:]


def is_plain(text: str) -> bool:
    """Says whether the base typeface sets all of the text, one by one."""
    return text.isascii() or all(_has(REGULAR, character) for character in text)


def width(text: str, size: float, bold: bool = False) -> float:
    """Measures a line of text in points, unshaped: exact for plain text, an estimate for joined ones."""
    return sum(pdfmetrics.stringWidth(run, name, size) for name, run in runs(text, bold))
