"""Documents on paper: which one, in whose look, under what name, and rendered off the event loop."""

import hashlib
import re
import unicodedata
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread

from backend.app import VERSION
from backend.app.core.gateway import Answer, Gateway
from backend.app.services.documents import kinds
from backend.app.services.documents.kinds import Kind

# Rendering keeps a processor busy; two at a time leave the event loop room.
_renderers = anyio.CapacityLimiter(2)


class Paper:
    """A document on paper. answer: as the database gave it; look: the organisation's settings;
    copy_for: whose copy an invoice is.
    """

    def __init__(
        self, answer: Answer, kind: Kind, look: Answer | None = None, copy_for: str = "recipient"
    ) -> None:
        self.kind = kind
        self.document: dict[str, Any] = answer.json()
        rows = look.json() if look is not None else []
        own: dict[str, Any] = rows[0]["document_settings"] if rows else {}
        self.settings = {**own, "copy_for": copy_for}
        seed = f"{VERSION}\0{kind}\0{copy_for}\0".encode() + answer.content
        seed += look.content if look is not None else b""
        self.etag = f'"{hashlib.sha256(seed).hexdigest()[:32]}"'

    @property
    def disposition(self) -> str:
        """Content-Disposition with the file name, safe on every system."""
        return content_disposition(kinds.file_name(self.kind, self.document, self.settings))


async def look_of(gateway: Gateway, answer: Answer) -> Answer:
    """The settings of the organisation that a document names, as the caller may read them."""
    organization = str(answer.json()["org_id"])
    request = gateway.rest.from_("organizations").select("document_settings").eq("id", organization)
    return await gateway.send(request.request)


async def paper_of(gateway: Gateway, kind: Kind, answer: Answer, copy_for: str = "recipient") -> Paper:
    """A document of a kind in its organisation's look. answer: of the RPC that reads it."""
    return Paper(answer, kind, await look_of(gateway, answer), copy_for)


def content_disposition(name: str) -> str:
    """`inline` with a file name: in ASCII for old programs, in full beside it where it has other letters."""
    stem, dot, ending = name.rpartition(".")
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._& -]+", "-", ascii_stem)
    plain = re.sub(r"\s+", " ", plain).strip(" .-") or "document"
    header = f'inline; filename="{plain}{dot}{ending}"'
    return header if f"{plain}{dot}{ending}" == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


async def rendered(paper: Paper) -> bytes:
    """The PDF, rendered in a thread."""
    return await anyio.to_thread.run_sync(
        kinds.render, paper.kind, paper.document, paper.settings, None, limiter=_renderers
    )
