"""Labels made without holding up other requests."""

from collections.abc import Sequence
from typing import Final, Literal

import anyio
import anyio.to_thread

from backend.app.core.errors import Problem
from backend.app.services.labels import layout, pdf, png, svg
from backend.app.services.labels.formats import FORMATS, FormatName
from backend.app.services.labels.layout import CodeChoice, Picture, Subject

Part = Literal["label", "code"]

# A thousand labels keep a processor busy for seconds; one sheet at a time leaves the event loop room.
_printers: Final = anyio.CapacityLimiter(1)
_painters: Final = anyio.CapacityLimiter(2)
# The width of a module of a code by itself, in dots.
_MODULE: Final = 3


def check_start(form: FormatName, start_at: int) -> None:
    """Raises a 422 problem when a page has no such position."""
    if start_at > FORMATS[form].per_page:
        detail = f"A page of {form} has {FORMATS[form].per_page} labels."
        raise Problem(422, "invalid_input", detail, facts={"field": "start_at"})


async def sheets(
    subjects: Sequence[tuple[Subject, int]], form: FormatName, choice: CodeChoice, start_at: int
) -> bytes:
    """The PDF of labels, each with its number of copies."""

    def make() -> bytes:
        labels = [(layout.label(subject, FORMATS[form], choice), copies) for subject, copies in subjects]
        return pdf.render(labels, FORMATS[form], start_at)

    return await anyio.to_thread.run_sync(make, limiter=_printers)


async def picture(
    subject: Subject,
    part: Part,
    form: FormatName,
    choice: CodeChoice,
    image: Literal["png", "svg"],
    scale: int,
) -> bytes:
    """One label, or its code alone. scale: pixels a dot of a 203 dpi printer, for a PNG."""

    def make() -> bytes:
        drawn: Picture = (
            layout.bare(subject, choice, _MODULE)
            if part == "code"
            else layout.label(subject, FORMATS[form], choice)
        )
        return svg.render(drawn) if image == "svg" else png.render(drawn, scale)

    return await anyio.to_thread.run_sync(make, limiter=_painters)
