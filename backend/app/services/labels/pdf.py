"""Labels as a PDF: sheets of them, or one on each page of a roll."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from reportlab.lib.colors import black
from reportlab.lib.units import mm
from reportlab.pdfbase.ttfonts import shapeStr
from reportlab.pdfgen.canvas import Canvas

from backend.app.services.documents import fonts
from backend.app.services.documents.pages import ONE_AT_A_TIME
from backend.app.services.labels.formats import DOTS_PER_MM, Format
from backend.app.services.labels.layout import Picture

_DOT: Final = mm / DOTS_PER_MM


def _draw(canvas: Canvas, picture: Picture) -> None:
    """Draws a label whose left lower corner is the origin."""
    canvas.setFillColor(black)
    path = canvas.beginPath()
    for box in picture.boxes:
        path.rect(
            box.x * _DOT, (picture.height - box.y - box.height) * _DOT, box.width * _DOT, box.height * _DOT
        )
    canvas.drawPath(path, stroke=0, fill=1)
    for text in picture.texts:
        x, size = text.x, text.size * _DOT
        for run in text.line.runs:
            canvas.setFont(run.font, size)
            shaped = shapeStr(run.text, run.font, size)
            canvas.drawString(x * _DOT, (picture.height - text.y) * _DOT, shaped)
            x += run.width * text.size


def render(labels: Sequence[tuple[Picture, int]], form: Format, start_at: int) -> bytes:
    """Makes the PDF.

    Parameters:
        labels: each with its number of copies, in order.
        form: what they are printed on.
        start_at: the first free position of the first sheet, counted from 1 along the rows.
    Returns:
        the PDF file. A label is stored once, however many copies of it are printed.
    """
    out = BytesIO()
    width, height = (side * mm for side in form.page)
    with ONE_AT_A_TIME:
        fonts.register()
        canvas = Canvas(out, pagesize=(width, height), initialFontName=fonts.REGULAR)  # type: ignore[arg-type]
        canvas.setTitle("Labels")
        canvas.setCreator("Branchline")
        position = start_at - 1
        for number, (picture, copies) in enumerate(labels):
            name = f"label{number}"
            canvas.beginForm(name, 0, 0, form.width * mm, form.height * mm)
            _draw(canvas, picture)
            canvas.endForm()
            for _ in range(copies):
                if position == form.per_page:
                    canvas.showPage()
                    position = 0
                left, top = form.corner(position)
                canvas.saveState()
                canvas.translate(left * mm, height - (top + form.height) * mm)
                canvas.doForm(name)
                canvas.restoreState()
                position += 1
        canvas.save()
    return out.getvalue()
