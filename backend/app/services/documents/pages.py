"""Pages of a document: its frames, running head, "Page x of y", and the PDF's own title and author."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from textwrap import shorten
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageBreak, PageTemplate

from backend.app.services.documents import fonts, theme, typeset
from backend.app.services.documents.look import Look
from backend.app.services.documents.text import draw_line, para
from backend.app.services.documents.words import Words

# Typefaces are shared by the process and learn letters while they shape: documents are built one at a time.
ONE_AT_A_TIME: Final = threading.Lock()

_RUNNING_HEAD: Final = 12 * mm
_FOOTER: Final = 12 * mm
_LONGEST_FOOTER: Final = 300
# Of one page of a roll, in points: readers of PDF files take pages of up to 14,400.
_LONGEST_ROLL: Final = 14_000


@dataclass(frozen=True, slots=True)
class About:
    """What a document says of itself: in the PDF's properties and on every page."""

    title: str
    author: str
    subject: str
    running: str
    footnote: str
    look: Look


class _NumberedCanvas(Canvas):
    """Keeps finished pages back until the last one is known, because "of y" needs the count."""

    def __init__(self, *args: Any, say: Words, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []
        self._say = say

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        """Remembers the page instead of writing it."""
        self._pages.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        """Writes all pages, each with its number."""
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            line = typeset.line(self._say("page", number=number, count=len(self._pages)), False, False)
            self.setFillColor(theme.MUTED)
            draw_line(self, line, A4[0] - theme.MARGIN - line.width * 7, 8.5 * mm, 7)
            super().showPage()
        super().save()


def _template(out: BytesIO, size: tuple[float, float], about: About) -> BaseDocTemplate:
    return BaseDocTemplate(
        out,
        pagesize=size,
        title=about.title,
        author=about.author,
        subject=about.subject,
        creator="Branchline",
        lang={"en": "en-IN", "hi": "hi-IN"}[about.look.say.language],
        initialFontName=fonts.REGULAR,
    )


def _own_footer(look: Look) -> Flowable | None:
    """The organisation's own words above the rule at the foot of every page."""
    if not look.footer:
        return None
    return para(shorten(look.footer, _LONGEST_FOOTER, placeholder="…"), theme.SMALL_CENTER)


def a4(story: Callable[[float], list[Flowable]], about: About) -> bytes:
    """Builds an A4 document.

    Parameters:
        story: given the usable width in points, returns the content; called once.
        about: properties, running head of later pages and footnote of every page.
    Returns:
        the PDF file.
    """
    width, height = A4
    inner = width - 2 * theme.MARGIN
    own = _own_footer(about.look)
    own_height = own.wrap(inner, 100)[1] + 5 if own else 0.0

    def footer(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.saveState()
        canvas.setStrokeColor(theme.HAIRLINE)
        canvas.setLineWidth(0.5)
        canvas.line(theme.MARGIN, _FOOTER, width - theme.MARGIN, _FOOTER)
        note = para(about.footnote, theme.SMALL)
        note.wrapOn(canvas, inner - 30 * mm, _FOOTER)
        note.drawOn(canvas, theme.MARGIN, 7.7 * mm)
        if own:
            own.drawOn(canvas, theme.MARGIN, _FOOTER + 3)
        canvas.restoreState()

    def later(canvas: Canvas, template: BaseDocTemplate) -> None:
        footer(canvas, template)
        head = para(about.running, theme.SMALL)
        _, tall = head.wrapOn(canvas, inner, 40 * mm)
        top = height - _RUNNING_HEAD
        head.drawOn(canvas, theme.MARGIN, top - tall + 8)
        canvas.saveState()
        canvas.setStrokeColor(about.look.accent)
        canvas.setLineWidth(0.8)
        canvas.line(theme.MARGIN, top - 6, width - theme.MARGIN, top - 6)
        canvas.restoreState()

    def frame(top: float) -> Frame:
        bottom = _FOOTER + 3 * mm + own_height
        return Frame(theme.MARGIN, bottom, inner, top - bottom, 0, 0, 0, 0)

    out = BytesIO()
    document = _template(out, A4, about)
    document.addPageTemplates(
        [
            PageTemplate("first", [frame(height - theme.MARGIN)], onPage=footer),
            PageTemplate("later", [frame(height - _RUNNING_HEAD - 6 * mm)], onPage=later),
        ]
    )
    with ONE_AT_A_TIME:
        document.build(
            [NextPageTemplate("later"), *story(inner)],
            canvasmaker=partial(_NumberedCanvas, say=about.look.say),
        )
    return out.getvalue()


def roll(story: Callable[[float], list[Flowable]], about: About, width: float, margin: float) -> bytes:
    """Builds a document for a paper roll: one page as tall as its content.

    Parameters:
        story: given the usable width in points, returns flowables without space before or after; called once.
        width, margin: of the roll, in points.
    Returns:
        the PDF file. A PDF page ends at 200 inches: longer content runs over to a further page, which is as
        tall as what is left, so that no printer feeds metres of blank paper.
    """
    inner = width - 2 * margin
    with ONE_AT_A_TIME:
        ruler = Canvas(BytesIO())
        cut: list[list[Flowable]] = [[]]
        heights = [0.0]
        for flowable in story(inner):
            tall = flowable.wrapOn(ruler, inner, 1e6)[1]
            if cut[-1] and heights[-1] + tall > _LONGEST_ROLL:
                cut.append([])
                heights.append(0.0)
            cut[-1].append(flowable)
            heights[-1] += tall
        out = BytesIO()
        document = _template(out, (width, heights[0] + 2 * margin + 1), about)
        parts: list[Flowable] = []
        for number, (height, content) in enumerate(zip(heights, cut, strict=True)):
            body = Frame(margin, margin, inner, height + 1, 0, 0, 0, 0)
            size = (width, height + 2 * margin + 1)
            document.addPageTemplates([PageTemplate(f"roll{number}", [body], pagesize=size)])
            parts += [NextPageTemplate(f"roll{number}"), PageBreak()] if number else []
            parts += content
        document.build(parts)
    return out.getvalue()
