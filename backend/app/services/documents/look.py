"""How an organisation's documents look: language, colour, logo, footer and terms, as it has set them.

Settings are `organizations.document_settings`. What is missing or unusable falls back to the house style:
a document must print on the day that somebody uploads a broken logo.
"""

import warnings
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from PIL import Image as Pictures
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Image

from backend.app.services.documents import theme
from backend.app.services.documents.text import clean
from backend.app.services.documents.words import Words, words

Settings = Mapping[str, Any]

# Contrast of small text on its ground that Web Content Accessibility Guidelines 2.2 want (1.4.3, level AA).
_READABLE: Final = 4.5
_LOGO: Final = (52 * mm, 15 * mm)
_LOGO_PIXELS: Final = (900, 300)
_MOST_PIXELS: Final = 25_000_000
_MOST_BYTES: Final = 5_000_000


def _luminance(color: Color) -> float:
    """The relative luminance of a colour, as the guidelines define it."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)


def contrast(one: Color, other: Color) -> float:
    """How well one colour is read on another: 1 (not at all) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _mixed(color: Color, other: Color, share: float) -> Color:
    """A colour with a share of another, 0 to 1."""
    return Color(
        color.red + (other.red - color.red) * share,
        color.green + (other.green - color.green) * share,
        color.blue + (other.blue - color.blue) * share,
    )


@lru_cache(maxsize=256)
def accents(wanted: str | None) -> tuple[Color, Color]:
    """The accent colour and its tint for grounds; a pale one is darkened until it can be read on the tint."""
    if not wanted:
        return theme.ACCENT, theme.TINT
    try:
        accent: Color = HexColor(wanted)
    except ValueError:
        return theme.ACCENT, theme.TINT
    tint = _mixed(accent, theme.PAPER, 0.94)
    black = Color(0, 0, 0)
    while contrast(accent, tint) < _READABLE:
        accent = _mixed(accent, black, 0.06)
    return accent, tint


@lru_cache(maxsize=32)
def _picture(content: bytes) -> tuple[bytes, float, float] | None:
    """A logo, no larger than print needs: PNG, width and height in points. None when it is unusable."""
    if len(content) > _MOST_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Pictures.open(BytesIO(content), formats=("PNG", "JPEG")) as opened:
                if opened.width * opened.height > _MOST_PIXELS or min(opened.size) < 1:
                    return None
                picture = opened.convert("RGBA" if "A" in opened.getbands() or opened.info else "RGB")
    except (OSError, ValueError, SyntaxError, Warning, Pictures.DecompressionBombError):
        return None
    picture.thumbnail(_LOGO_PIXELS)
    scale = min(_LOGO[0] / picture.width, _LOGO[1] / picture.height)
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue(), picture.width * scale, picture.height * scale


def _from_url(text: object) -> bytes | None:
    """The content of a data URL; None for anything else."""
    head, _, body = str(text or "").partition(";base64,")
    if head not in ("data:image/png", "data:image/jpeg"):
        return None
    try:
        return b64decode(body, validate=True)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _title(color: str) -> ParagraphStyle:
    return theme.style(f"title-{color}", 15, 19, bold=True, color=HexColor(color), align=TA_RIGHT)


@dataclass(frozen=True, slots=True)
class Look:
    """The look of one document. say: words; terms, footer: the organisation's own; prices: of deliveries;
    copy_for: whose copy of an invoice it is.
    """

    say: Words
    accent: Color
    tint: Color
    logo: bytes | None
    footer: str
    terms: str
    prices: bool
    copy_for: str

    @property
    def title(self) -> ParagraphStyle:
        """The style of the document's name."""
        return _title(f"#{self.accent.hexval()[2:]}")

    def mark(self) -> list[Flowable]:
        """The logo, where there is a usable one."""
        found = _picture(self.logo) if self.logo else None
        if not found:
            return []
        content, width, height = found
        return [Image(BytesIO(content), width, height, mask="auto", hAlign="LEFT")]


def look_of(kind: str, settings: Settings | None = None, logo: bytes | None = None) -> Look:
    """Reads an organisation's settings.

    Parameters:
        kind: of the document, as `terms` has it: invoice, receipt, quotation, order, delivery, credit_note,
            payment, statement, agreement.
        settings: `organizations.document_settings`: language, accent (#RRGGBB), logo (data URL),
            footer, terms by kind, delivery_prices; and, of this print, copy_for (recipient, transporter,
            supplier); all optional.
        logo: the content of a PNG or JPEG file, instead of the data URL in the settings.
    """
    given: Settings = settings or {}
    logo = logo if logo is not None else _from_url(given.get("logo"))
    accent, tint = accents(given.get("accent"))
    terms = given.get("terms")
    return Look(
        say=words(given.get("language")),
        accent=accent,
        tint=tint,
        logo=logo,
        footer=clean(given.get("footer")),
        terms=str(terms.get(kind) or "").strip() if isinstance(terms, Mapping) else "",
        prices=bool(given.get("delivery_prices")),
        copy_for=str(given.get("copy_for") or "recipient"),
    )
