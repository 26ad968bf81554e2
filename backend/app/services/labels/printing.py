"""Labels: sheets as PDF, one of them as a picture. Their functions run in a process of the press."""

from collections.abc import Sequence
from typing import Final, Literal

from backend.app.core.errors import Problem
from backend.app.services.labels import layout, pdf, png, svg
from backend.app.services.labels.formats import FORMATS, FormatName
from backend.app.services.labels.layout import CodeChoice, Picture, Subject

Part = Literal["label", "code"]

# The width of a module of a code by itself, in dots.
_MODULE: Final = 3


def check_start(form: FormatName, start_at: int) -> None:
    """Raises a 422 problem when a page has no such position."""
    if start_at > FORMATS[form].per_page:
        detail = f"A page of {form} has {FORMATS[form].per_page} labels."
        raise Problem(422, "invalid_input", detail, facts={"field": "start_at"})


def sheets(
    subjects: Sequence[tuple[Subject, int]], form: FormatName, choice: CodeChoice, start_at: int
) -> bytes:
    """The PDF of labels, each with its number of copies."""
    labels = [(layout.label(subject, FORMATS[form], choice), copies) for subject, copies in subjects]
    return pdf.render(labels, FORMATS[form], start_at)


def picture(
    subject: Subject,
    part: Part,
    form: FormatName,
    choice: CodeChoice,
    image: Literal["png", "svg"],
    scale: int,
) -> bytes:
    """One label, or its code alone. scale: pixels a dot of a 203 dpi printer, for a PNG."""
    drawn: Picture = (
        layout.bare(subject, choice, _MODULE)
        if part == "code"
        else layout.label(subject, FORMATS[form], choice)
    )
    return svg.render(drawn) if image == "svg" else png.render(drawn, scale)
