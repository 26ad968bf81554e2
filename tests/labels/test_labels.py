"""Every format, with every kind of subject, read back by a scanner from every kind of file."""

from typing import Any

import pytest

from backend.app.services.labels import layout, pdf, png, svg, symbols, typeset
from backend.app.services.labels.formats import DOTS_PER_MM, FORMATS, Format, FormatName
from backend.app.services.labels.layout import CodeChoice, Picture, Subject
from tests.documents import reading as documents
from tests.labels import reading
from tests.labels.samples import EAN, LONG_SKU, QR, SOFA, SUBJECTS, readings

CHOICES: list[CodeChoice] = ["auto", "qr", "code128", "ean13"]
each_format = pytest.mark.parametrize("name", FORMATS)
each_subject = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


def _boxes(form: Format, position: int) -> tuple[float, float, float, float]:
    return (*form.corner(position), form.width, form.height)


@each_format
@pytest.mark.parametrize("dpi", [203, 300])
def test_a_scanner_reads_every_label_of_a_pdf(name: FormatName, dpi: int) -> None:
    form = FORMATS[name]
    for choice in CHOICES:
        content = pdf.render([(layout.label(s, form, choice), 1) for s in SUBJECTS.values()], form, 1)
        with reading.opened(content, "pdf") as document:
            pages = [reading.page(document, number, dpi) for number in range(len(document))]
        for index, (about, subject) in enumerate(SUBJECTS.items()):
            number, position = divmod(index, form.per_page)
            found = reading.codes(reading.part(pages[number], dpi, _boxes(form, position)))
            assert len(found) == 1, (about, choice, found)
            assert set(found) <= readings(subject), (about, choice)
            if choice == "qr":
                assert found == [subject.qr]


@each_format
@each_subject
def test_a_scanner_reads_the_pictures(name: FormatName, subject: Subject) -> None:
    for choice in ("auto", "code128"):
        picture = layout.label(subject, FORMATS[name], choice)
        (code,) = reading.codes(reading.png(png.render(picture, 1)))
        assert code in readings(subject)
        if choice == "auto":
            assert reading.codes(reading.png(png.render(picture, 2))) == [code]
            assert reading.codes(reading.svg(svg.render(picture), 300)) == [code]


@each_subject
@pytest.mark.parametrize("choice", CHOICES)
def test_a_scanner_reads_the_bare_codes(subject: Subject, choice: CodeChoice) -> None:
    picture = layout.bare(subject, choice, 3)
    (code,) = reading.codes(reading.png(png.render(picture, 1)))
    assert code in readings(subject)
    assert reading.codes(reading.svg(svg.render(picture), 300)) == [code]


@each_format
@each_subject
@pytest.mark.parametrize("choice", CHOICES)
def test_nothing_leaves_the_margins(name: FormatName, subject: Subject, choice: CodeChoice) -> None:
    form = FORMATS[name]
    picture = layout.label(subject, form, choice)
    x, y = form.margin_x * DOTS_PER_MM, form.margin_y * DOTS_PER_MM
    for box in picture.boxes:
        assert x - 1 <= box.x
        assert box.x + box.width <= picture.width - x + 1
        assert y - 1 <= box.y
        assert box.y + box.height <= picture.height - y + 1
    for text in picture.texts:
        assert x - 1 <= text.x
        assert text.x + text.line.width * text.size <= picture.width - x + 1, text.line.text
        assert y - 1 <= text.y - 0.72 * text.size
        assert text.y + 0.3 * text.size <= picture.height - y + 0.3 * text.size + 1
    ink = reading.png(png.render(picture, 1)).point(lambda grey: grey < 128 and 255)
    found = ink.getbbox()
    assert found is not None
    left, top, right, bottom = found
    assert min(left, picture.width - right) >= x - 2
    assert min(top, picture.height - bottom) >= y - 4


def _modules(picture: Picture) -> int:
    return min(box.width for box in picture.boxes)


@each_format
@each_subject
@pytest.mark.parametrize("choice", CHOICES)
def test_quiet_zones_are_white(name: FormatName, subject: Subject, choice: CodeChoice) -> None:
    picture = layout.label(subject, FORMATS[name], choice)
    image = reading.png(png.render(picture, 1))
    (kind,) = reading.kinds(image)
    module = _modules(picture)
    left, top = min(box.x for box in picture.boxes), min(box.y for box in picture.boxes)
    right = max(box.x + box.width for box in picture.boxes)
    bars = [box for box in picture.boxes if box.y == top]
    if kind == "QR Code":
        quiet = (4, 4, 4, 4)
        bottom = max(box.y + box.height for box in picture.boxes)
    else:
        quiet = (11, 0, 7, 0) if kind == "EAN-13" else (10, 0, 10, 0)
        bottom = min(box.y + box.height for box in bars)
    zone = (
        left - quiet[0] * module,
        top - quiet[1] * module,
        right + quiet[2] * module,
        bottom + quiet[3] * module,
    )
    assert zone[0] >= 0
    assert zone[1] >= 0
    assert zone[2] <= picture.width
    assert zone[3] <= picture.height
    for strip in (
        (zone[0], zone[1], left, zone[3]),
        (right, zone[1], zone[2], zone[3]),
        (left, zone[1], right, top),
        (left, bottom, right, zone[3] if quiet[3] else bottom),
    ):
        if strip[2] > strip[0] and strip[3] > strip[1]:
            assert set(image.crop(strip).tobytes()) == {255}, strip


@each_format
@each_subject
@pytest.mark.parametrize("choice", CHOICES)
def test_bars_are_whole_dots_of_a_203_dpi_printer(
    name: FormatName, subject: Subject, choice: CodeChoice
) -> None:
    picture = layout.label(subject, FORMATS[name], choice)
    module = _modules(picture)
    assert module >= 2, "a single dot is too narrow for most scanners"
    assert all(box.width % module == 0 for box in picture.boxes)
    assert all(isinstance(side, int) for box in picture.boxes for side in (box.x, box.y, box.width))
    for scale in (1, 2):
        image = reading.png(png.render(Picture(picture.width, picture.height, "", picture.boxes), scale))
        assert {grey for _, grey in image.getcolors() or ()} <= {0, 255}, "no half-tones at the edges"


@pytest.mark.parametrize(
    ("subject", "choice", "form", "kind"),
    [
        ("ean", "auto", "roll-50x25", "EAN-13"),
        ("ean", "code128", "roll-50x25", "Code 128"),
        ("sku", "auto", "roll-50x25", "Code 128"),
        ("sku", "ean13", "roll-50x25", "Code 128"),
        ("long", "auto", "roll-50x25", "QR Code"),
        ("long", "code128", "roll-50x25", "QR Code"),
        ("sku of letters", "code128", "roll-100x50", "QR Code"),
        ("piece", "auto", "roll-100x50", "QR Code"),
        ("piece", "code128", "roll-100x50", "Code 128"),
        ("place", "auto", "a4-3x8", "QR Code"),
        ("place", "code128", "a4-3x8", "Code 128"),
    ],
)
def test_which_code_is_chosen(subject: str, choice: CodeChoice, form: FormatName, kind: str) -> None:
    picture = layout.label(SUBJECTS[subject], FORMATS[form], choice)
    assert reading.kinds(reading.png(png.render(picture, 1))) == [kind]


def test_a_code_by_itself_always_fits() -> None:
    image = reading.png(png.render(layout.bare(SUBJECTS["long"], "code128", 3), 1))
    assert reading.codes(image) == [LONG_SKU]


@each_format
def test_what_identifies_is_never_cut(name: FormatName) -> None:
    for about in ("ean", "sku", "piece", "batch", "long"):
        subject = SUBJECTS[about]
        for choice in CHOICES:
            picture = layout.label(subject, FORMATS[name], choice)
            words = " ".join(text.line.text for text in picture.texts).replace("- ", "-")
            for mark in subject.marks:
                assert mark in words or mark.endswith(str(subject.linear)), (about, choice)
            assert subject.large in words


def _text(picture: Picture) -> str:
    return " ".join(text.line.text for text in picture.texts)


def test_a_long_name_ends_in_an_ellipsis() -> None:
    assert typeset.ELLIPSIS in _text(layout.label(SUBJECTS["endless"], FORMATS["roll-50x25"]))
    assert typeset.ELLIPSIS not in _text(layout.label(SOFA, FORMATS["roll-50x25"]))


def test_copies_fill_the_sheets_from_the_first_free_label() -> None:
    form = FORMATS["a4-3x8"]
    labels = [(layout.label(SUBJECTS["ean"], form), 10), (layout.label(SOFA, form), 15)]
    content = pdf.render(labels, form, 5)
    with reading.opened(content, "pdf") as document:
        assert len(document) == 2
        assert [round(side / 72 * 25.4) for side in document[0].rect[2:]] == [210, 297]
        pages = [reading.page(document, number, 203) for number in (0, 1)]
    found = []
    for page in pages:
        for position in range(form.per_page):
            found += reading.codes(reading.part(page, 203, _boxes(form, position))) or [""]
    assert found == [""] * 4 + [EAN] * 10 + ["SOF-3-GREY"] * 15 + [""] * 19


def test_a_roll_has_a_label_on_each_page() -> None:
    form = FORMATS["roll-50x25"]
    content = pdf.render([(layout.label(SOFA, form), 3)], form, 1)
    with reading.opened(content, "pdf") as document:
        sizes = {tuple(round(side / 72 * 25.4, 2) for side in page.rect[2:]) for page in document}
        assert (len(document), sizes) == (3, {(50.0, 25.0)})


def test_a_label_is_stored_once() -> None:
    form = FORMATS["a4-3x8"]
    picture = layout.label(SOFA, form)
    few, many = (len(pdf.render([(picture, copies)], form, 1)) for copies in (1, 1000))
    assert many < few + 1000 * 100


@each_format
def test_the_labels_of_a_sheet_lie_on_it_side_by_side(name: FormatName) -> None:
    form = FORMATS[name]
    width, height = form.page
    boxes = [_boxes(form, position) for position in range(form.per_page)]
    for left, top, wide, tall in boxes:
        assert 0 <= left <= left + wide <= width + 0.01
        assert 0 <= top <= top + tall <= height + 0.01
    assert form.columns == 1 or form.step_x >= form.width
    assert form.rows == 1 or form.step_y >= form.height


def test_the_typefaces_are_embedded() -> None:
    form = FORMATS["roll-50x25"]
    content = pdf.render([(layout.label(SUBJECTS["devanagari"], form), 1)], form, 1)
    with reading.opened(content, "pdf") as document:
        found: list[Any] = document[0].get_fonts()
    assert {font[3].partition("+")[2] for font in found} >= {"NotoSansDevanagari-Bold", "NotoSans-Bold"}
    assert all(font[1] == "ttf" for font in found)
    assert "₹42,500.00" in documents.text(content)


def test_pictures_say_their_size_and_what_they_show() -> None:
    picture = layout.label(SUBJECTS["ean"], FORMATS["roll-50x25"])
    drawn = svg.render(Picture(8, 8, 'A <b> & "c"', picture.boxes, [])).decode()
    assert '<title>A &lt;b&gt; &amp; "c"</title>' in drawn
    assert 'width="50mm" height="25mm" viewBox="0 0 400 200"' in svg.render(picture).decode()
    image = reading.png(png.render(picture, 2))
    assert image.size == (800, 400)
    assert image.info["dpi"] == pytest.approx((406.4, 406.4), abs=0.1)


def test_a_qr_code_is_the_last_resort() -> None:
    assert symbols.qr(QR).value == QR
    bare = Subject("Stool", QR)
    for choice in CHOICES:
        picture = layout.label(bare, FORMATS["a4-3x8"], choice)
        assert reading.codes(reading.png(png.render(picture, 1))) == [QR]
