"""Stored text becomes print: literal, in the right typeface, breakable."""

from backend.app.services.documents import fonts, theme
from backend.app.services.documents.text import SetText, clean, markup, para


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


def seen(value: str, width: float) -> list[str]:
    """The lines of a paragraph as they stand on paper, from left to right."""
    flowable = para(value, theme.BODY)
    assert isinstance(flowable, SetText)
    flowable.wrap(width, 1000)
    return [" ".join(run.text.strip() for run in line.runs) for line in flowable.lines]


def test_right_to_left_words_stand_on_the_line_where_they_are_read() -> None:
    """The first words of a wrapped phrase are on its first line, which was the other way round."""
    lines = seen("شركة النور للتجارة العامة والمقاولات المحدودة", 90)
    assert len(lines) > 1
    assert "شركة" in lines[0]
    assert "المحدودة" in lines[-1]


def test_figures_glued_to_right_to_left_words_keep_their_order() -> None:
    (line,) = seen("مبنى123 شارع 45.5", 400)
    assert "123" in line
    assert "45.5" in line
    assert line.index("45.5") < line.index("123")


def test_chinese_japanese_and_korean_names_have_a_typeface() -> None:
    assert "STSong-Light" in markup("柚木实木家具")
    assert "HeiseiKakuGo-W5" in markup("東京オフィス家具")
    assert "HYGothic-Medium" in markup("서울 가구")
    assert "MSung-Light" in markup("臺灣傢俱")
    assert "font" not in markup("Plain")


def test_emoji_are_left_out_instead_of_printed_as_boxes() -> None:
    assert clean("Chair \U0001f389\U0001f3fd desk\ufe0f ₹ © ™") == "Chair  desk ₹ © ™"


def test_endless_words_of_joined_scripts_can_break_but_not_before_a_mark() -> None:
    marked = markup("कीर्ति" * 40)
    pieces = marked.replace("</font>", "").split(">", 1)[1].strip("\u200a").split("\u200a")
    assert len(pieces) > 5
    assert all(len(piece) < 30 and piece[0] in "कर" + "त" for piece in pieces)
