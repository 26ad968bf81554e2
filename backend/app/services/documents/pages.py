"""Pages of a document: its frames, running head, "Page x of y", and the PDF's own title and author."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageTemplate

from backend.app.services.documents import fonts, theme
from backend.app.services.documents.text import para

# Typefaces are shared by the process and learn letters while they shape: documents are built one at a time.
ONE_AT_A_TIME: Final = threading.Lock()

_RUNNING_HEAD: Final = 12 * mm
_FOOTER: Final = 12 * mm


@dataclass(frozen=True, slots=True)
class About:
    """What a document says of itself: in the PDF's properties and on every page."""

    title: str
    author: str
    subject: str
    running: str
    footnote: str


class _NumberedCanvas(Canvas):
    """Keeps finished pages back until the last one is known, because "of y" needs the count."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        """Remembers the page instead of writing it."""
        self._pages.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        """Writes all pages, each with its number."""
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            text = f"Page {number} of {len(self._pages)}"
            self.setFont(fonts.REGULAR, 7)
            self.setFillColor(theme.MUTED)
            right = A4[0] - theme.MARGIN
            self.drawString(right - stringWidth(text, fonts.REGULAR, 7), 8.5 * mm, text)
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
        initialFontName=fonts.REGULAR,
    )


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

    def footer(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.saveState()
        canvas.setStrokeColor(theme.HAIRLINE)
        canvas.setLineWidth(0.5)
        canvas.line(theme.MARGIN, _FOOTER, width - theme.MARGIN, _FOOTER)
        note = para(about.footnote, theme.SMALL)
        note.wrapOn(canvas, inner - 30 * mm, _FOOTER)
        note.drawOn(canvas, theme.MARGIN, 7.7 * mm)
        canvas.restoreState()

    def later(canvas: Canvas, template: BaseDocTemplate) -> None:
        footer(canvas, template)
        head = para(about.running, theme.SMALL)
        _, tall = head.wrapOn(canvas, inner, 40 * mm)
        top = height - _RUNNING_HEAD
        head.drawOn(canvas, theme.MARGIN, top - tall + 8)
        canvas.saveState()
        canvas.setStrokeColor(theme.ACCENT)
        canvas.setLineWidth(0.8)
        canvas.line(theme.MARGIN, top - 6, width - theme.MARGIN, top - 6)
        canvas.restoreState()

    def frame(top: float) -> Frame:
        bottom = _FOOTER + 3 * mm
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
        document.build([NextPageTemplate("later"), *story(inner)], canvasmaker=_NumberedCanvas)
    return out.getvalue()


def roll(story: Callable[[float], list[Flowable]], about: About, width: float, margin: float) -> bytes:
    """Builds a document for a paper roll: one page as tall as its content.

    Parameters:
        story: given the usable width in points, returns flowables without space before or after; called once.
        width, margin: of the roll, in points.
    Returns:
        the PDF file. A PDF page ends at 200 inches: longer content runs over to a further page.
    """
    inner = width - 2 * margin
    with ONE_AT_A_TIME:
        flowables = story(inner)
        ruler = Canvas(BytesIO())
        tall = sum(flowable.wrapOn(ruler, inner, 1e6)[1] for flowable in flowables) + 2 * margin + 1
        height = min(tall, 14_000)
        out = BytesIO()
        document = _template(out, (width, height), about)
        body = Frame(margin, margin, inner, height - 2 * margin, 0, 0, 0, 0)
        document.addPageTemplates([PageTemplate("roll", [body])])
        document.build(flowables)
    return out.getvalue()
