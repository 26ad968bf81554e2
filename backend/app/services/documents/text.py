"""From stored text to paragraphs: names and notes are data, and print as they were typed."""

import re
import unicodedata
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph

from backend.app.services.documents import fonts

# The layout engine cannot cut a word of a joined script, so an endless one gets places where it may break.
_LONGEST_SHAPED_WORD: Final = 20
_LONGEST_TEXT: Final = 1500
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


def clean(value: object) -> str:
    """Makes stored text printable: composed characters, no control characters, at most 1500 characters.

    Line breaks survive. A longer text ends in an ellipsis: a row of a table must fit on a page.
    """
    text = unicodedata.normalize("NFC", str(value if value is not None else "")).replace("\r\n", "\n").strip()
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _is_right_to_left(word: str) -> bool:
    return any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in word)


def _reorder(line: str) -> str:
    """Puts neighbouring right-to-left words in the order they are seen; shaping turns the letters of each."""
    ordered: list[str] = []
    group: list[str] = []
    for word in line.split(" "):
        if _is_right_to_left(word):
            group.insert(0, word)
        else:
            ordered += [*group, word]
            group = []
    return " ".join(ordered + group)


def _breakable(run: str) -> str:
    """Gives words of a joined script, too long for a column, places to break, never before a mark."""

    def cut(match: re.Match[str]) -> str:
        pieces, piece = [], ""
        for character in match.group():
            joins = (
                unicodedata.category(character)[0] == "M"
                or character in "\u200c\u200d"
                or piece.endswith("\u200d")
            )
            if len(piece) >= _LONGEST_SHAPED_WORD and not joins and not _is_virama(piece[-1]):
                pieces.append(piece)
                piece = ""
            piece += character
        return "\u200a".join([*pieces, piece])

    return re.sub(rf"\S{{{_LONGEST_SHAPED_WORD + 1},}}", cut, run)


def _is_virama(character: str) -> bool:
    return unicodedata.combining(character) == 9


def markup(value: object, bold: bool = False) -> str:
    """Turns data into paragraph markup: everything escaped, each script in its typeface, line breaks kept.

    Parameters:
        value: any stored text; None is empty.
        bold: whether the paragraph's style is bold.
    """
    text = clean(value)
    if fonts.is_plain(text):
        return escape(text).replace("\n", "<br/>")
    lines = []
    for line in text.split("\n"):
        out = ""
        for name, run in fonts.runs(_reorder(line), bold):
            if name in (fonts.REGULAR, fonts.BOLD):
                out += escape(run)
                continue
            # Two scripts in one word would be shaped by one typeface, which lacks the letters of the other.
            glue = "" if not out or out[-1].isspace() else "\u200a"
            out += f'{glue}<font name="{name}">{escape(_breakable(run))}</font>'
            out += "" if run[-1].isspace() else "\u200a"
        lines.append(out.strip("\u200a"))
    return "<br/>".join(lines)


@cache
def _shaped(style: ParagraphStyle) -> ParagraphStyle:
    # Indic letters carry marks above and below, so their lines stand further apart.
    return ParagraphStyle(f"{style.name}-shaped", parent=style, shaping=1, leading=style.leading * 1.12)


def needs_shaping(marked: str) -> bool:
    """Says whether marked-up text has characters that the base typeface cannot set one by one."""
    return not fonts.is_plain(marked)


def rich(marked: str, style: ParagraphStyle) -> Paragraph:
    """Makes a paragraph of text marked up by `markup`; shaping is on only where a script needs it."""
    return Paragraph(marked, _shaped(style) if needs_shaping(marked) else style)


def para(value: object, style: ParagraphStyle) -> Paragraph:
    """Makes a paragraph of data, printed literally."""
    return rich(markup(value, bold=style.fontName == fonts.BOLD), style)
