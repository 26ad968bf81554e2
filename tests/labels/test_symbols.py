"""The codes: what is encoded is what an independent decoder reads."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.app.services.labels import layout, png, symbols
from backend.app.services.labels.layout import Subject
from tests.labels import reading

_PRINTABLE = "".join(chr(code) for code in range(32, 127))


def _read(subject: Subject, choice: layout.CodeChoice) -> list[str]:
    return reading.codes(reading.png(png.render(layout.bare(subject, choice, 3), 1)))


@settings(max_examples=150, deadline=None)
@given(st.text(_PRINTABLE, min_size=1, max_size=40) | st.text(string.digits + "A-", min_size=1, max_size=40))
@example(" ")
def test_code128_holds_any_printable_ascii(text: str) -> None:
    assert symbols.code128(text) is not None
    assert _read(Subject("x", "bl:x", linear=text), "code128") == [text]


@settings(max_examples=60, deadline=None)
@given(st.text(string.digits, min_size=12, max_size=12))
def test_ean13_of_any_digits(digits: str) -> None:
    code = digits + symbols.check_digit(digits)
    assert _read(Subject("x", "bl:x", ean=code), "ean13") == [code]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=60))
def test_qr_holds_any_text(text: str) -> None:
    assert _read(Subject("x", f"bl:unit:{text}"), "qr") == [f"bl:unit:{text}"]


@pytest.mark.parametrize("text", ["", "é", "tab\there", "a\nb", "\x7f", "Ω-1", "x" * 81])
def test_code128_refuses_what_it_cannot_hold(text: str) -> None:
    assert symbols.code128(text) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("4006381333931", "4006381333931"),
        ("036000291452", "0036000291452"),
        ("4006381333930", None),
        ("400638133393", None),
        ("96385074", None),
        ("14006381333938", None),
        ("SOF-3", None),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_true_ean_or_upc_is_one(code: str | None, expected: str | None) -> None:
    assert symbols.as_ean13(code) == expected


def test_check_digits_of_the_specification() -> None:
    # GS1 General Specifications, figure 7.9-1.
    assert symbols.check_digit("629104150021") == "3"
    assert symbols.check_digit("0360002914") == symbols.check_digit("000360002914")


def test_quiet_zones_are_those_of_the_standards() -> None:
    code128, ean13 = symbols.code128("SOF-3"), symbols.ean13("4006381333931")
    assert code128 is not None
    assert ean13 is not None
    assert code128.quiet == (10, 10)
    assert ean13.quiet == (11, 7)
    assert ean13.width == 95
    assert [bar.start for bar in ean13.bars if bar.guard] == [0, 2, 46, 48, 92, 94]
    assert symbols.qr("x").quiet == 4
