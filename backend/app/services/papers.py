"""The papers of a sale: which one, under what name, and rendered without holding up other requests."""

import hashlib
import re
import unicodedata
from typing import Any, Literal
from urllib.parse import quote

import anyio
import anyio.to_thread

from backend.app import VERSION
from backend.app.core.gateway import Answer
from backend.app.services.documents.invoice import render_invoice
from backend.app.services.documents.receipt import render_receipt

PaperFormat = Literal["a4", "receipt"]

# Rendering keeps a processor busy; two at a time leave the event loop room.
_renderers = anyio.CapacityLimiter(2)


class Paper:
    """An invoice on paper. answer: the invoice as the database gave it; paper_format: A4 or 80 mm."""

    def __init__(self, answer: Answer, paper_format: PaperFormat) -> None:
        self.format = paper_format
        self.invoice: dict[str, Any] = answer.json()
        seed = f"{VERSION}\0{paper_format}\0".encode() + answer.content
        self.etag = f'"{hashlib.sha256(seed).hexdigest()[:32]}"'

    @property
    def disposition(self) -> str:
        """Content-Disposition with a file name made of the number, safe on every system."""
        return content_disposition(
            str(self.invoice["number"]), "-receipt" if self.format == "receipt" else ""
        )


def content_disposition(number: str, suffix: str) -> str:
    """`inline` with a file name from a document's number: BLR/26-27/000001 becomes BLR-26-27-000001.pdf."""
    name = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", number)).strip("-.") or "invoice"
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "invoice"
    header = f'inline; filename="{plain}{suffix}.pdf"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name)}{suffix}.pdf"


async def invoice_paper(paper: Paper) -> bytes:
    """The PDF, rendered in a thread."""
    render = render_receipt if paper.format == "receipt" else render_invoice
    return await anyio.to_thread.run_sync(render, paper.invoice, limiter=_renderers)
