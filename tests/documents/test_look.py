"""How an organisation's papers look: colours that can be read, logos that cannot harm, its own words."""

import base64
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader
from reportlab.lib.colors import white

from backend.app.services.documents.invoice import render_invoice
from backend.app.services.documents.look import accents, contrast
from backend.app.services.documents.quotation import render_quotation
from bench import papers, samples
from tests.documents import reading


def picture(form: str = "PNG", size: tuple[int, int] = (600, 160)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#7a1f5c").save(out, form)
    return out.getvalue()


@given(st.integers(0, 0xFFFFFF))
def test_every_accent_can_be_read_on_its_tint_and_on_paper(number: int) -> None:
    accent, tint = accents(f"#{number:06x}")
    assert contrast(accent, tint) >= 4.5
    assert contrast(accent, white) >= 4.5


def test_a_dark_accent_stays_as_it_is_and_a_wrong_one_is_ignored() -> None:
    assert accents("#7A1F5C")[0].hexval() == "0x7a1f5c"
    assert accents("red; drop") == accents(None)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("size", [(600, 160), (40, 3000), (3000, 20), (1, 1)])
def test_a_logo_is_printed_in_bounds(form: str, size: tuple[int, int]) -> None:
    pdf = render_invoice(samples.intra_state(), None, picture(form, size))
    (shown,) = PdfReader(BytesIO(pdf)).pages[0].images
    assert shown.image is not None
    assert shown.image.width <= 900
    assert shown.image.height <= 300


def test_a_logo_comes_from_the_settings_too() -> None:
    url = "data:image/png;base64," + base64.b64encode(picture()).decode()
    assert PdfReader(BytesIO(render_invoice(samples.intra_state(), {"logo": url}))).pages[0].images


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<svg/>", picture()[:200], picture("GIF"), b"\x89PNG\r\n\x1a\n" + b"0" * 99]
)
def test_a_broken_logo_does_not_stop_a_document(content: bytes) -> None:
    pdf = render_invoice(samples.intra_state(), None, content)
    assert not PdfReader(BytesIO(pdf)).pages[0].images


def test_a_picture_that_would_fill_the_memory_is_not_opened() -> None:
    out = BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    assert not PdfReader(BytesIO(render_invoice(samples.intra_state(), None, out.getvalue()))).pages[0].images


def test_footer_and_terms_are_the_organisations_own() -> None:
    settings = {"footer": "Regd. office: Indiranagar", "terms": {"quotation": "Prices hold for a month."}}
    text = reading.pages(render_quotation(papers.quotation(200, terms=None), settings))
    assert all("Regd. office: Indiranagar" in page for page in text)
    assert sum("Prices hold for a month." in page for page in text) == 1
    own = reading.text(render_quotation(papers.quotation(terms="Half in advance."), settings))
    assert "Half in advance." in own
    assert "Prices hold" not in own


def test_strange_settings_are_no_error() -> None:
    strange: dict[str, object] = {"language": 5, "accent": None, "terms": [], "logo": {}, "footer": None}
    assert b"%PDF" in render_invoice(samples.intra_state(), strange)
