"""Documents on paper: which one, in whose look, under what name, and made off the event loop."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from backend.app import VERSION
from backend.app.core import exact_json
from backend.app.core.gateway import Answer, Gateway
from backend.app.services.documents import kinds
from backend.app.services.documents.kinds import Kind
from backend.app.services.press import Press


class _Owner(msgspec.Struct):
    """All that is asked of a document before it is made: whose it is. The rest of its JSON is passed over."""

    org_id: str


@dataclass(frozen=True)
class Paper:
    """A document on paper. content, look: as the database gave them, the second the organisation's row;
    whose: that organisation; copy_for: whose copy an invoice is.
    """

    kind: Kind
    content: bytes
    look: bytes
    whose: str
    copy_for: str

    @property
    def etag(self) -> str:
        """Names what would be printed."""
        seed = f"{VERSION}\0{self.kind}\0{self.copy_for}\0".encode() + self.content + self.look
        return f'"{hashlib.sha256(seed).hexdigest()[:32]}"'

    async def made(self, press: Press) -> tuple[bytes, str]:
        """The PDF file and its name. Raises a 503 problem when too many are being made."""
        return await press.make(self.whose, _make, self)


def _make(paper: Paper) -> tuple[bytes, str]:
    """Runs in a process of the press, which reads the JSON, too: of a long document that takes its time."""
    document: dict[str, Any] = exact_json.loads(paper.content)
    rows = exact_json.loads(paper.look)
    settings = {**(rows[0]["document_settings"] if rows else {}), "copy_for": paper.copy_for}
    return kinds.render(paper.kind, document, settings, None), kinds.file_name(paper.kind, document, settings)


async def paper_of(gateway: Gateway, kind: Kind, answer: Answer, copy_for: str = "recipient") -> Paper:
    """A document of a kind in its organisation's look, as the caller may read it.

    answer: of the RPC that reads the document.
    """
    whose = msgspec.json.decode(answer.content, type=_Owner).org_id
    request = gateway.rest.from_("organizations").select("document_settings").eq("id", whose)
    look = await gateway.send(request.request)
    return Paper(kind, answer.content, look.content, whose, copy_for)


def content_disposition(name: str) -> str:
    """`inline` with a file name: in ASCII for old programs, in full beside it where it has other letters."""
    stem, dot, ending = name.rpartition(".")
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._& -]+", "-", ascii_stem)
    plain = re.sub(r"\s+", " ", plain).strip(" .-") or "document"
    header = f'inline; filename="{plain}{dot}{ending}"'
    return header if f"{plain}{dot}{ending}" == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
