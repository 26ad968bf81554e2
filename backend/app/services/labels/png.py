"""A label or a code as PNG. A dot of the layout is a whole number of pixels, so every bar has sharp edges."""

from io import BytesIO
from typing import Final

import uharfbuzz
from PIL import Image, ImageChops, ImageDraw

from backend.app.services.labels.formats import DOTS_PER_MM
from backend.app.services.labels.layout import Picture, Text
from backend.app.services.labels.typeset import hb_font

_MM_PER_INCH: Final = 25.4


def _ink(text: Text, scale: int, height: int) -> tuple[Image.Image, tuple[int, int]] | None:
    """The grey of a line's letters and where its left upper corner is; None for a line of spaces."""
    raster = uharfbuzz.RasterDraw()
    unit = text.size * scale / 1000
    pen = text.x * scale
    baseline = height - text.y * scale
    for run in text.line.runs:
        font = hb_font(run.font)
        for glyph in run.glyphs:
            raster.transform = (unit, 0, 0, unit, pen + glyph.x * unit, baseline + glyph.y * unit)
            raster.draw_glyph(font, glyph.number)
            pen += glyph.advance * unit
    image = raster.render()
    box = image.extents
    if not box or not box.width or not box.height:
        return None
    # HarfBuzz stores the lowest row first.
    grey = Image.frombytes("L", (box.width, box.height), image.buffer, "raw", "L", box.stride, -1)
    return grey, (box.x_origin, height - box.y_origin - box.height)


def render(picture: Picture, scale: int) -> bytes:
    """Makes the PNG. scale: pixels a dot; 1 is 203 dpi."""
    width, height = picture.width * scale, picture.height * scale
    image = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(image)
    for box in picture.boxes:
        right, bottom = (box.x + box.width) * scale - 1, (box.y + box.height) * scale - 1
        draw.rectangle((box.x * scale, box.y * scale, right, bottom), fill=0)
    for text in picture.texts:
        ink = _ink(text, scale, height)
        if ink is not None:
            grey, (left, top) = ink
            layer = Image.new("L", (width, height), 255)
            layer.paste(ImageChops.invert(grey), (left, top))
            image = ImageChops.darker(image, layer)
    out = BytesIO()
    dpi = DOTS_PER_MM * scale * _MM_PER_INCH
    image.save(out, "PNG", optimize=True, dpi=(dpi, dpi))
    return out.getvalue()
