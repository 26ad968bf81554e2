"""Reads labels as scanners do, from pictures that other people's programs have made of them."""

from io import BytesIO
from typing import Any

import pymupdf
import zxingcpp
from PIL import Image

MM_PER_INCH = 25.4


def codes(image: Image.Image) -> list[str]:
    """What a scanner reads in a picture."""
    return [code.text for code in zxingcpp.read_barcodes(image)]


def kinds(image: Image.Image) -> list[str]:
    """The sorts of code in a picture."""
    return [str(code.format) for code in zxingcpp.read_barcodes(image)]


def opened(content: bytes, filetype: str) -> Any:
    """A PDF or SVG file."""
    return pymupdf.open(stream=content, filetype=filetype)  # type: ignore[no-untyped-call]


def page(document: Any, number: int, dpi: int) -> Image.Image:
    """A page, as a printer of a resolution would see it."""
    pixels = document[number].get_pixmap(dpi=dpi)
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples).convert("L")


def part(picture: Image.Image, dpi: int, box: tuple[float, float, float, float]) -> Image.Image:
    """A part of a page. box: left, top, width, height in millimetres."""
    left, top, width, height = (round(side * dpi / MM_PER_INCH) for side in box)
    return picture.crop((left, top, left + width, top + height))


def png(content: bytes) -> Image.Image:
    """A PNG file."""
    return Image.open(BytesIO(content)).convert("L")


def svg(content: bytes, dpi: int) -> Image.Image:
    """An SVG file, rendered."""
    with opened(content, "svg") as document:
        return page(document, 0, dpi)
