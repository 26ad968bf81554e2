"""The till receipt, read back by other programs."""

from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from backend.app.services.documents.receipt import render_receipt
from tests.documents import reading, samples

MM = 72 / 25.4


def test_a_receipt_shows_the_sale() -> None:
    text = reading.text(render_receipt(samples.intra_state()))
    for part in (
        "Teak & Thread",
        "GSTIN 29ABCDE1234F1Z5",
        "BLR/26-27/000001",
        "1. Sofa, three seats, teak, grey linen",
        "1 NOS × 64,500.00 less 2,500.00",  # noqa: RUF001 - the sign that is printed
        "HSN 9401",
        "plus 18% tax",
        "Total ₹2,01,097.00",
        "You saved ₹2,500.00",
        "Cash 60,500.00",
        "Card (AUTH 884213) 40,000.00",
        "Change 500.00",
        "Balance due ₹1,01,097.00",
        "18% 1,43,603.00 12,924.27 12,924.27",
        "Thank you",
    ):
        assert part in text, part


@pytest.mark.parametrize("count", [1, 60, 300])
def test_the_paper_is_80_mm_wide_and_as_long_as_the_sale(count: int) -> None:
    pdf = render_receipt(samples.wholesale(count))
    (page,) = PdfReader(BytesIO(pdf)).pages
    assert float(page.mediabox.width) == pytest.approx(80 * MM, abs=0.1)
    bottom = max(word[3] for word in reading.words(pdf)[0])
    assert 5 < float(page.mediabox.height) - bottom < 25
    text = reading.text(pdf)
    assert all(f" {n}. " in text for n in range(1, count + 1))


def test_a_sale_longer_than_a_pdf_page_runs_over() -> None:
    pdf = render_receipt(samples.wholesale(1200))
    pages = PdfReader(BytesIO(pdf)).pages
    assert len(pages) > 1
    assert all(float(page.mediabox.height) <= 14_400 for page in pages)
    # No page feeds blank paper after its last word.
    for page, found in zip(pages, reading.words(pdf), strict=True):
        assert 5 < float(page.mediabox.height) - max(word[3] for word in found) < 40


def test_nothing_leaves_the_paper() -> None:
    rows = [
        samples.line(1, "x" * 200, "99999999.99", quantity="999.125", unit="किलो", discount="12345.67"),
        samples.line(2, "कीर्ति" * 40, "99999999.99", rate="5"),
    ]
    pdf = render_receipt(samples.invoice(rows, buyer={**samples.MEHTA, "name": "w" * 120}))
    assert all(word[0] >= 11 and word[2] <= 80 * MM - 11 for word in reading.words(pdf)[0])


def test_names_are_printed_literally_and_fonts_embedded() -> None:
    row = samples.line(1, '<img src="file:///etc/passwd"> <b>', "10.00")
    pdf = render_receipt(samples.invoice([row]))
    assert '<img src="file:///etc/passwd"> <b>' in reading.text(pdf)
    assert all(reading.fonts(pdf).values())


def test_a_walk_in_sale_without_tax_has_no_tax_table() -> None:
    row = samples.line(1, "Stool", "1500.00", rate="0", split=(), hsn=None)
    text = reading.text(
        render_receipt(samples.invoice([row], tax_regime="none", title="Receipt", paid=Decimal(0)))
    )
    assert "Taxable" not in text
    assert "Customer" not in text
    assert "tax" not in text.lower().replace("tax no.", "")
