"""Reads printed documents back with other people's programs: text, pictures and QR codes."""

import re
from io import BytesIO
from typing import Any, cast

import pymupdf
import zxingcpp
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import DictionaryObject


def _opened(pdf: bytes) -> Any:
    return pymupdf.open(stream=pdf, filetype="pdf")  # type: ignore[no-untyped-call]


def pages(pdf: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def text(pdf: bytes) -> str:
    """The text of the whole document, spaces and line ends run together."""
    return re.sub(r"\s+", " ", " ".join(pages(pdf)))


def codes(pdf: bytes) -> list[str]:
    """What a scanner reads in the QR codes of all pages."""
    found = []
    with _opened(pdf) as document:
        for page in document:
            pixels = page.get_pixmap(dpi=220)
            picture = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
            found += [code.text for code in zxingcpp.read_barcodes(picture)]
    return found


def words(pdf: bytes) -> list[list[tuple[float, float, float, float, str]]]:
    """The words of each page with their boxes: left, top, right, bottom, word."""
    with _opened(pdf) as document:
        return [[entry[:5] for entry in page.get_text("words")] for page in document]


def fonts(pdf: bytes) -> dict[str, bool]:
    """The fonts of a document: name, and whether it is embedded."""
    out: dict[str, bool] = {}
    for page in PdfReader(BytesIO(pdf)).pages:
        resources = cast("DictionaryObject", page["/Resources"])
        for reference in cast("DictionaryObject", resources["/Font"]).values():
            font = cast("DictionaryObject", reference.get_object())
            out[str(font["/BaseFont"])] = "/FontFile2" in cast(
                "DictionaryObject", font.get("/FontDescriptor", {})
            )
    return out


def characters(pdf: bytes, font: str) -> int:
    """Counts the characters drawn in a font."""
    count = 0
    with _opened(pdf) as document:
        for page in document:
            spans = (
                s for b in page.get_text("dict")["blocks"] for ln in b.get("lines", ()) for s in ln["spans"]
            )
            count += sum(len(span["text"].strip()) for span in spans if font in span["font"])
    return count
