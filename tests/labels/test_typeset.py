"""Lines: the order in which they are seen, where they break, how they are shortened."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.app.services.labels import typeset

_LETTERS = "ab -/,.()12Ω👍🏽" + "कि्रीं\u200d" + "\u0627\u0644\u0633\u062c\u05e1"


def _seen(text: str) -> str:
    """The characters from left to right as a reader sees them."""
    found = ""
    for run in typeset.line(text, False, typeset.reads_right_to_left(text)).runs:
        backwards = any(unicodedata.bidirectional(c) in ("R", "AL") for c in run.text)
        found += run.text[::-1] if backwards else run.text
    return found


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Sofa 3-seater", "Sofa 3-seater"),
        ("אבג", "גבא"),
        ("אבג דהו", "והד גבא"),
        ("אבג 180 דהו", "והד 180 גבא"),
        ("אבג 1,250.50 ד", "ד 1,250.50 גבא"),
        ("אבג Pro Max דהו", "והד Pro Max גבא"),
        ("אבג (ירוק) 3", "3 (קורי) גבא"),
        ("Sofa אבג דהו XL", "Sofa והד גבא XL"),
        ("Sofa אבג 180", "Sofa 180 גבא"),
        ("אבג…", "…גבא"),
    ],
)
def test_both_directions_in_one_line(text: str, seen: str) -> None:
    assert _seen(text) == seen


def test_who_reads_from_the_right() -> None:
    assert typeset.reads_right_to_left("أريكة IKEA")
    assert typeset.reads_right_to_left("3 أريكة")
    assert not typeset.reads_right_to_left("IKEA أريكة")
    assert not typeset.reads_right_to_left("180")


def test_words_stay_whole_while_they_can() -> None:
    lines = typeset.wrap("Three-seater sofa in solid teak", 9, 5)
    assert [line.text for line in lines] == ["Three-seater sofa", "in solid teak"]
    assert all(line.width <= 9 for line in lines)


def test_an_endless_word_is_cut() -> None:
    lines = typeset.wrap("W" * 40, 10, 9)
    assert "".join(line.text for line in lines) == "W" * 40
    assert len(lines) > 2


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from(_LETTERS), min_size=1, max_size=60),
    st.floats(2, 20),
    st.integers(1, 4),
)
def test_lines_fit_and_lose_nothing_unsaid(text: str, width: float, lines: int) -> None:
    found = typeset.wrap(text, width, lines)
    assert len(found) <= lines
    wide = [line for line in found if line.width > width]
    # What is wider than a line and cannot be cut, one letter with its marks, is all that may stand out.
    assert all(not typeset._cuts(line.text.strip(typeset.ELLIPSIS)) for line in wide)
    shown = "".join(line.text for line in found)
    if not shown.endswith(typeset.ELLIPSIS):
        assert shown.replace(" ", "") == text.replace(" ", "")
    else:
        assert text.replace(" ", "").startswith(shown.removesuffix(typeset.ELLIPSIS).replace(" ", ""))


def test_a_letter_keeps_its_marks() -> None:
    for text in ("क्षत्रिय किताबें", "शीशम की लकड़ी", "कार्यशाला"):
        for cut in typeset._cuts(text):
            assert unicodedata.category(text[cut])[0] != "M"
            assert unicodedata.combining(text[cut - 1]) != 9
