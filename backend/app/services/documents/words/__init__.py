"""Every fixed word that a document prints, by language.

Names, notes and terms are data and print as they were typed; whatever else stands on paper comes from here.
All languages have the same keys: a test holds them to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from backend.app.services.documents.words import english, hindi, hindi_terms

LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {"en": english.WORDS, "hi": hindi.WORDS}
# English is what the database's tables are written in.
TERMS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {"hi": hindi_terms.TERMS}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language. language: a key of LANGUAGES."""

    language: str

    def __call__(self, key: str, **parts: object) -> str:
        """The text of a key, its {gaps} filled with the parts."""
        text = LANGUAGES[self.language][key]
        return text.format(**parts) if parts else text

    def known(self, prefix: str, code: object, otherwise: object = None) -> str:
        """The word of a code, such as a method or a status; of an unknown one, what the data says."""
        key = f"{prefix}_{str(code or '').strip().lower().replace(' ', '_').replace('-', '_')}"
        found = LANGUAGES[self.language].get(key)
        return found if found is not None else str(otherwise if otherwise is not None else code or "")

    def term(self, kind: str, code: object, otherwise: object) -> str:
        """What a state, a unit or a component of a tax is called; of others what the data says."""
        found = TERMS.get(self.language, {}).get(kind, {}).get(str(code))
        return found if found is not None else str(otherwise or "")

    def date(self, day: date) -> str:
        """A date as people write it: 21 Nov 2026."""
        return f"{day.day} {self(f'month_{day.month}')} {day.year}"


@cache
def words(language: str | None) -> Words:
    """The words of a language; of one that is not known here, English."""
    return Words(language if language is not None and language in LANGUAGES else "en")
