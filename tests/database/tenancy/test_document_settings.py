"""How papers look is set by who manages the organisation, and only what the papers understand is kept."""

import json
from typing import Any

import pytest

from tests.support.personas import raises_sqlstate
from tests.support.world import People

STATEMENT = "update public.organizations set document_settings = %s"
WHOLE = {
    "language": "hi",
    "accent": "#7a1F5c",
    "logo": "data:image/png;base64,iVBORw0KGgo=",
    "footer": "Regd. office: Indiranagar",
    "terms": {"quotation": "Prices hold for a month."},
    "delivery_prices": True,
}


def test_an_administrator_sets_them_and_everybody_prints_with_them(people: People) -> None:
    assert people.as_admin().execute(STATEMENT, [json.dumps(WHOLE)]) == 1
    (row,) = people.as_cashier().select("select document_settings from public.organizations")
    assert row["document_settings"] == WHOLE


def test_a_cashier_changes_nothing(people: People) -> None:
    assert people.as_cashier().execute(STATEMENT, [json.dumps(WHOLE)]) == 0


@pytest.mark.parametrize(
    "settings",
    [
        [],
        {"color": "#000000"},
        {"language": "tlh"},
        {"accent": "red"},
        {"logo": "https://example.com/logo.png"},
        {"logo": "data:image/svg+xml;base64,PHN2Zz4="},
        {"logo": "data:image/png;base64," + "A" * 90_000},
        {"footer": "x" * 301},
        {"terms": "thirty days"},
        {"terms": {"quotation": 30}},
        {"terms": {"quotation": "x" * 20_001}},
        {"delivery_prices": "yes"},
    ],
)
def test_what_papers_do_not_understand_is_refused(people: People, settings: Any) -> None:
    with raises_sqlstate("23514"):
        people.as_admin().execute(STATEMENT, [json.dumps(settings)])
