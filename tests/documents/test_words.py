"""The words of documents: complete in every language, and nothing else is printed that is fixed."""

import re
import string
from decimal import Decimal
from pathlib import Path

import pytest

from backend.app.services.documents import money
from backend.app.services.documents.kinds import RENDERERS
from backend.app.services.documents.words import LANGUAGES, words
from bench import papers
from tests.documents import reading

# Signs that Hindi papers print in Latin letters, numbers of documents, and codes of currencies.
ALLOWED = {"GSTIN", "HSN", "SAC", "CGST", "SGST", "IGST", "UTGST", "GST", "UPI", "LUT", "SEZ", "EC", "INR"}


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_gaps(language: str) -> None:
    english, other = LANGUAGES["en"], LANGUAGES[language]
    assert set(other) == set(english)
    for key, text in other.items():
        assert text.strip(), key
        assert gaps(text) == gaps(english[key]), key


def test_no_hindi_word_is_english() -> None:
    for key, text in LANGUAGES["hi"].items():
        plain = re.sub(r"\{\w+\}", "", text)
        assert set(re.findall(r"[A-Za-z]+", plain)) <= ALLOWED, key


@pytest.mark.parametrize("kind", papers.ALL)
def test_no_fixed_english_is_left_in_a_hindi_document(kind: str) -> None:
    document = papers.in_hindi(kind)
    pdf = RENDERERS[kind](document, {"language": "hi"}, None)  # type: ignore[index]
    text = re.sub(r"\b[A-Z]{3}/[A-Z0-9/-]+|\b\d{2}[A-Z0-9]{13}\b|\bSN-\d+|\bUTR \d+", " ", reading.text(pdf))
    assert set(re.findall(r"[A-Za-z]{2,}", text)) <= ALLOWED | {"BLR"}


def test_every_word_is_used() -> None:
    folder = Path(money.__file__).parent
    source = "\n".join(path.read_text() for path in folder.glob("*.py"))
    by_code = ("title_", "status_", "method_", "entry_", "month_", "kind_", "interest_", "interval_")
    for key in LANGUAGES["en"]:
        assert key.startswith(by_code) or re.search(rf"""["']{key}["']""", source), key


def test_an_unknown_language_is_english() -> None:
    assert words("tlh")("total") == "Total"
    assert words(None)("total") == "Total"


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("0", "INR", "शून्य रुपये मात्र"),
        ("201097.00", "INR", "दो लाख एक हज़ार सत्तानवे रुपये मात्र"),
        ("99.99", "INR", "निन्यानवे रुपये और निन्यानवे पैसे मात्र"),
        ("1234567890.50", "INR", "एक सौ तेईस करोड़ पैंतालीस लाख सड़सठ हज़ार आठ सौ नब्बे रुपये और पचास पैसे मात्र"),
        ("-5", "GBP", "ऋण पाँच पाउंड मात्र"),
        ("5", "CHF", ""),
    ],
)
def test_amounts_in_hindi_words(value: str, currency: str, text: str) -> None:
    assert money.in_words(Decimal(value), currency, "hi") == text
