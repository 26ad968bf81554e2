"""Stored text becomes print: literal, in the right typeface, breakable."""

from backend.app.services.documents import fonts
from backend.app.services.documents.text import clean, markup


def test_markup_of_the_layout_engine_is_escaped() -> None:
    assert markup("<b>A & B</b>") == "&lt;b&gt;A &amp; B&lt;/b&gt;"


def test_control_characters_are_dropped_and_line_breaks_kept() -> None:
    assert clean("a\x00b\u0007\r\nc\ud800") == "ab\nc"
    assert markup("a\nb") == "a<br/>b"
    assert clean(None) == ""


def test_a_text_longer_than_a_page_ends_in_an_ellipsis() -> None:
    assert len(clean("x" * 5000)) == 1500
    assert clean("x" * 5000).endswith("…")


def test_runs_join_to_the_text_and_keep_punctuation_with_its_word() -> None:
    name = "Shri श्री, कीर्ति & Sons ₹ ಕೃಷ್ಣ شركة"
    runs = list(fonts.runs(name))
    assert "".join(run for _, run in runs) == name
    assert ("NotoSansDevanagari-Regular", "श्री,") in runs
    assert {font for font, _ in runs} == {
        fonts.REGULAR,
        "NotoSansDevanagari-Regular",
        "NotoSansKannada-Regular",
        "NotoSansArabic-Regular",
    }


def test_bold_is_used_where_a_script_has_it() -> None:
    assert list(fonts.runs("श्री", bold=True)) == [("NotoSansDevanagari-Bold", "श्री")]
    assert list(fonts.runs("ಕೃ", bold=True)) == [("NotoSansKannada-Regular", "ಕೃ")]


def test_currency_signs_and_european_letters_are_plain() -> None:
    assert fonts.is_plain("₹ £ € Łódź Ελλάδα Москва Việt")
    assert not fonts.is_plain("श")


def test_right_to_left_words_are_ordered_for_the_eye() -> None:
    marked = markup("شركة النور LLC")
    assert marked.index("النور") < marked.index("شركة") < marked.index("LLC")


def test_endless_words_of_joined_scripts_can_break_but_not_before_a_mark() -> None:
    marked = markup("कीर्ति" * 40)
    pieces = marked.replace("</font>", "").split(">", 1)[1].strip("\u200a").split("\u200a")
    assert len(pieces) > 5
    assert all(len(piece) < 30 and piece[0] in "कर" + "त" for piece in pieces)
