"""A label or a code as SVG, text included as outlines: it looks the same wherever it is opened."""

from typing import Final
from xml.sax.saxutils import escape

import uharfbuzz

from backend.app.services.labels.formats import DOTS_PER_MM
from backend.app.services.labels.layout import Picture, Text
from backend.app.services.labels.typeset import hb_font

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


class _Outline:
    """Collects the outlines of glyphs as the commands of an SVG path."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self._x = self._y = self._scale = 0.0
        funcs = uharfbuzz.DrawFuncs()
        funcs.set_move_to_func(lambda x, y, _: self._add("M", x, y))
        funcs.set_line_to_func(lambda x, y, _: self._add("L", x, y))
        funcs.set_quadratic_to_func(lambda a, b, x, y, _: self._add("Q", a, b, x, y))
        funcs.set_cubic_to_func(lambda a, b, c, d, x, y, _: self._add("C", a, b, c, d, x, y))
        funcs.set_close_path_func(lambda _: self.commands.append("Z"))
        self._funcs = funcs

    def _add(self, command: str, *numbers: float) -> None:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        placed = (f"{self._x + x * self._scale:.2f} {self._y - y * self._scale:.2f}" for x, y in pairs)
        self.commands.append(command + " ".join(placed))

    def add(self, text: Text) -> None:
        """Adds a line of text."""
        scale = text.size / 1000
        pen = text.x
        for run in text.line.runs:
            font = hb_font(run.font)
            for glyph in run.glyphs:
                self._x, self._y, self._scale = pen + glyph.x * scale, text.y - glyph.y * scale, scale
                font.draw_glyph(glyph.number, self._funcs, None)
                pen += glyph.advance * scale


def render(picture: Picture) -> bytes:
    """Makes the SVG. A unit is a dot; width and height say its size in millimetres."""
    outline = _Outline()
    for text in picture.texts:
        outline.add(text)
    bars = "".join(f"M{box.x} {box.y}h{box.width}v{box.height}h{-box.width}z" for box in picture.boxes)
    width, height = picture.width / DOTS_PER_MM, picture.height / DOTS_PER_MM
    return (
        f'{_HEAD}<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm"'
        f' viewBox="0 0 {picture.width} {picture.height}" role="img"><title>{escape(picture.title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<path shape-rendering="crispEdges" d="{bars}"/><path d="{"".join(outline.commands)}"/></svg>'
    ).encode()
