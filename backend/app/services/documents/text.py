"""From stored text to paragraphs: names and notes are data, and print as they were typed."""

import re
import unicodedata
from functools import cache
from typing import Final, Literal
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color
from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.ttfonts import shapeStr
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph

from backend.app.services.documents import fonts, theme, typeset

# The layout engine cannot cut a word of a joined script, so an endless one gets places where it may break.
_LONGEST_SHAPED_WORD: Final = 20
_LONGEST_TEXT: Final = 1500
_WIDE_PIECE: Final = 6
_TALL: Final = 1.12
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


def _prints(character: str) -> bool:
    """Says whether a character can stand on paper: controls cannot, nor can pictures that no typeface has."""
    kind = unicodedata.category(character)
    if kind in ("Cc", "Cs", "Co", "Cn"):
        return character == "\n"
    # Emoji and what varies them: skin tones, presentation.
    pictured = kind in ("So", "Sk") or "\ufe00" <= character <= "\ufe0f"
    return not pictured or fonts.has_typeface(character)


def clean(value: object) -> str:
    """Makes stored text printable: composed characters, no control characters, at most 1500 characters.

    Line breaks survive. A longer text ends in an ellipsis: a row of a table must fit on a page.
    """
    text = unicodedata.normalize("NFC", str(value if value is not None else "")).replace("\r\n", "\n").strip()
    if not text.isascii():
        text = "".join(filter(_prints, text)).strip()
    elif not text.isprintable():
        text = "".join(c for c in text if c == "\n" or c.isprintable())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def is_right_to_left(text: str) -> bool:
    """Says whether any part of a text runs from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text)


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
    return "<br/>".join(_marked(line, bold) for line in text.split("\n"))


def _marked(line: str, bold: bool) -> str:
    """One line of markup: each script in its typeface."""
    out = ""
    wide_face = fonts.east_asian(line)
    for wide, part in fonts.east_asian_runs(line) if wide_face else ((False, line),):
        if wide:
            # Words are not spaced in these scripts, so lines may break anywhere.
            pieces = (part[at : at + _WIDE_PIECE] for at in range(0, len(part), _WIDE_PIECE))
            out += "\u200a".join(f'<font name="{wide_face}">{escape(piece)}</font>' for piece in pieces)
            continue
        for name, run in fonts.runs(part, bold):
            if name in (fonts.REGULAR, fonts.BOLD):
                out += escape(run)
                continue
            # Two scripts in one word would be shaped by one typeface, which lacks the letters of the other.
            glue = "" if not out or out[-1].isspace() else "\u200a"
            out += f'{glue}<font name="{name}">{escape(_breakable(run))}</font>'
            out += "" if run[-1].isspace() else "\u200a"
    return out.strip("\u200a")


@cache
def _shaped(style: ParagraphStyle) -> ParagraphStyle:
    # Indic letters carry marks above and below, so their lines stand further apart.
    return ParagraphStyle(f"{style.name}-shaped", parent=style, shaping=1, leading=style.leading * _TALL)


def draw_line(canvas: Canvas, line: typeset.Line, x: float, y: float, size: float) -> None:
    """Draws a line that `typeset` set, its left end at x, in the canvas's present colour."""
    for run in line.runs:
        canvas.setFont(run.font, size)
        canvas.drawString(x, y, shapeStr(run.text, run.font, size))
        x += run.width * size


class SetText(Flowable):
    """A paragraph with words that run from right to left.

    Its lines are broken in the order of reading and then each put in the order of seeing, which the layout
    engine's own paragraph does the other way round.
    """

    def __init__(self, text: str, style: ParagraphStyle) -> None:
        """Parameters: text, clean; style, its alignment holds for the block as a whole."""
        super().__init__()
        self._text = text
        self._style = style
        self.lines: list[typeset.Line] = []

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: ARG002, N803
        """Breaks the lines."""
        wide, bold = availWidth / self._style.fontSize, self._style.fontName == fonts.BOLD
        parts = (typeset.wrap(part, wide, len(part) + 1, bold) for part in self._text.split("\n"))
        self.lines = [line for part in parts for line in part]
        self.width, self.height = availWidth, len(self.lines) * self._style.leading * _TALL
        return self.width, self.height

    def draw(self) -> None:
        """Draws the lines from the top."""
        style = self._style
        self.canv.saveState()
        self.canv.setFillColor(style.textColor)
        y = self.height - style.fontSize * _TALL
        widest = max((line.width for line in self.lines), default=0)
        for line in self.lines:
            spare = self.width - line.width * style.fontSize
            x = spare * (0.5 if style.alignment == TA_CENTER else float(style.alignment == TA_RIGHT))
            if style.alignment == TA_LEFT and line.right_to_left:
                # The block stands at the left, and its lines begin at its right edge.
                x = (widest - line.width) * style.fontSize
            draw_line(self.canv, line, x, y, style.fontSize)
            y -= style.leading * _TALL
        self.canv.restoreState()


def needs_shaping(marked: str) -> bool:
    """Says whether marked-up text has characters that the base typeface cannot set one by one."""
    return not fonts.is_plain(marked)


def rich(marked: str, style: ParagraphStyle) -> Paragraph:
    """Makes a paragraph of text marked up by `markup`; shaping is on only where a script needs it."""
    return Paragraph(marked, _shaped(style) if needs_shaping(marked) else style)


def para(value: object, style: ParagraphStyle) -> Paragraph | SetText:
    """Makes a paragraph of data, printed literally."""
    text = clean(value)
    if is_right_to_left(text):
        return SetText(text, style)
    return rich(markup(text, bold=style.fontName == fonts.BOLD), style)


def cell(
    value: object,
    size: float,
    *,
    bold: bool = False,
    color: Color = theme.INK,
    align: Literal[0, 1, 2] = 0,
) -> str | Paragraph | SetText:
    """Makes a cell of a table: a plain string, which is quick, where that suffices, else a paragraph."""
    text = clean(value)
    if fonts.is_plain(text):
        return text
    return para(text, theme.style("cell", size, round(size * 1.3, 2), bold=bold, color=color, align=align))
