"""The kinds of document: how each is made and what its file is called."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from backend.app.services.documents import heading
from backend.app.services.documents.agreement import render_agreement
from backend.app.services.documents.credit_note import render_credit_note
from backend.app.services.documents.delivery import render_delivery
from backend.app.services.documents.invoice import render_invoice
from backend.app.services.documents.look import Settings, look_of
from backend.app.services.documents.payment import render_payment
from backend.app.services.documents.quotation import render_order, render_quotation
from backend.app.services.documents.receipt import render_receipt
from backend.app.services.documents.statement import render_statement

Kind = Literal[
    "invoice",
    "receipt",
    "quotation",
    "order",
    "delivery",
    "credit_note",
    "payment",
    "statement",
    "agreement",
]
Renderer = Callable[[dict[str, Any], Settings | None, bytes | None], bytes]

RENDERERS: Final[Mapping[Kind, Renderer]] = {
    "invoice": render_invoice,
    "receipt": render_receipt,
    "quotation": render_quotation,
    "order": render_order,
    "delivery": render_delivery,
    "credit_note": render_credit_note,
    "payment": render_payment,
    "statement": render_statement,
    "agreement": render_agreement,
}
_TITLES: Final[Mapping[Kind, str]] = {
    "invoice": "Invoice",
    "receipt": "Receipt",
    "quotation": "Quotation",
    "order": "Order Confirmation",
    "delivery": "Delivery Note",
    "credit_note": "Credit Note",
    "payment": "Payment Receipt",
    "statement": "Statement of Account",
    "agreement": "Instalment Agreement",
}
# Windows and mail programs refuse or mangle these; a slash of a number becomes a dash.
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%;]+')
# In letters; and in bytes, of which file systems take 255 and a letter of Hindi has three.
_LONGEST: Final = 120
_LARGEST: Final = 200


def render(kind: Kind, document: dict[str, Any], settings: Settings | None, logo: bytes | None) -> bytes:
    """Makes the PDF file of a document of a kind."""
    return RENDERERS[kind](document, settings, logo)


def _plain(text: str) -> str:
    """A part of a file name that every system takes."""
    text = "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " " for c in text)
    return re.sub(r"\s+", " ", _FORBIDDEN.sub("-", unicodedata.normalize("NFC", text))).strip(" .-")


def _cut(name: str) -> str:
    """As much of a name as every system takes; no letter without its vowel sign."""
    kept = name[:_LONGEST].encode()[:_LARGEST].decode(errors="ignore")
    while kept and len(kept) < len(name) and unicodedata.category(name[len(kept)]).startswith("M"):
        kept = kept[:-1]
    return kept.strip(" .-")


def file_name(kind: Kind, document: Mapping[str, Any], settings: Settings | None = None) -> str:
    """The name under which a document is sent: BLR-26-27-000001 Tax Invoice Teak & Thread.pdf.

    Parameters:
        kind: of the document.
        document: its JSON.
        settings: the organisation's; its language is that of the document's name.
    """
    look = look_of(kind, settings)
    title = "Receipt" if kind == "receipt" else document.get("title") or _TITLES[kind]
    seller = document.get("seller") or {}
    # A statement has no number of its own: those of one day differ by whose account it is.
    whose = document.get("customer") if kind == "statement" else None
    parts = [
        str(document.get("number") or document.get("to") or ""),
        heading.title({"title": title}, look),
        str((whose or {}).get("name") or ""),
        str(seller.get("name") or seller.get("legal_name") or ""),
    ]
    found = " ".join(part for part in map(_plain, parts) if part)
    return f"{_cut(found) or _plain(str(title))}.pdf"
