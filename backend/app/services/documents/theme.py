"""The look shared by all documents: a quiet palette, one typeface, few sizes. Sizes are points."""

from functools import lru_cache
from typing import Any, Final, Literal

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from backend.app.services.documents.fonts import BOLD, REGULAR, register

INK: Final = HexColor("#18212B")
MUTED: Final = HexColor("#616E7C")
FAINT: Final = HexColor("#9AA5B1")
HAIRLINE: Final = HexColor("#DDE2E7")
ACCENT: Final = HexColor("#0B5A58")
TINT: Final = HexColor("#F2F6F6")
PAPER: Final = white
GOOD: Final = HexColor("#2C7A4B")
WARN: Final = HexColor("#A8650A")
BAD: Final = HexColor("#A8322A")

NOTHING: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"

Command = tuple[str, tuple[int, int], tuple[int, int], *tuple[Any, ...]]
"""One instruction of a table's style: name, first cell, last cell, values."""

# The font is named even where cells hold paragraphs only, else the engine adds its own, not embedded one.
BARE: Final[list[Command]] = [
    ("FONT", (0, 0), (-1, -1), REGULAR, 8),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]

MARGIN: Final = 14 * mm

register()


# Cells ask for the same few styles again and again, and what is shaped is remembered by style.
@lru_cache(maxsize=1024)
def style(
    name: str,
    size: float,
    leading: float | None = None,
    *,
    bold: bool = False,
    color: Color = INK,
    align: Literal[0, 1, 2] = 0,
) -> ParagraphStyle:
    """Makes a paragraph style of the house typeface.

    Parameters:
        size, leading: points; leading is 1.38 times the size unless given.
        align: one of reportlab's TA_ constants.
    """
    return ParagraphStyle(
        name,
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=leading or round(size * 1.38, 2),
        textColor=color,
        alignment=align,
        splitLongWords=1,
        spaceBefore=0,
        spaceAfter=0,
    )


SELLER: Final = style("seller", 17, 21, bold=True)
SELLER_LONG: Final = style("seller-long", 11.5, 15, bold=True)
COPY: Final = style("copy", 7, 10, color=MUTED, align=TA_RIGHT)
NOTICE: Final = style("notice", 7, 9.6, bold=True, align=TA_RIGHT)
NAME: Final = style("name", 10, 13.5, bold=True)
BODY: Final = style("body", 8.4, 11.8)
STRONG: Final = style("strong", 8.4, 11.8, bold=True)
LABEL: Final = style("label", 6.6, 9.4, bold=True, color=MUTED)
SMALL: Final = style("small", 7.2, 10, color=MUTED)
SMALL_CENTER: Final = style("small-center", 7.2, 10, color=MUTED, align=TA_CENTER)
FACT: Final = style("fact", 9, 12.4, bold=True)
