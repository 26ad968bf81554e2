"""Where the goods are brought, on every paper that says so, and what GST wants of it."""

from itertools import product
from typing import Any

import pytest

from backend.app.services.documents.kinds import RENDERERS
from bench import papers, samples
from tests.documents import reading

KINDS = ("quotation", "order", "delivery", "invoice", "receipt")
A4_KINDS = KINDS[:-1]
BUYER = {
    "quotation": "QUOTATION FOR",
    "order": "ORDERED BY",
    "delivery": "ORDERED BY",
    "invoice": "BILLED TO",
}

SITE: dict[str, Any] = {
    "id": "5a5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d41",
    "name": "Ravi, foreman",
    "phone": "+91 98450 12345",
    "tax_area": None,
    "address": {
        "line1": "Plot 11, Hosur Road",
        "line2": "Site 4",
        "city": "Mysuru",
        "region_code": "29",
        "region_name": "Karnataka",
        "postal_code": "570001",
        "country": "IN",
        "country_name": "India",
    },
}
HINDI = {
    **SITE,
    "name": "श्रीमती मीरा नायर",
    "address": {**SITE["address"], "line1": "भूखंड ११, होसुर मार्ग", "line2": None, "city": "मैसूरु"},
}
LONG = {
    **SITE,
    "name": "The Honourable Secretary of the Residents' Welfare Association of " + "Krishnarajapuram " * 7,
    "address": {
        **SITE["address"],
        "line1": "Gate 4, behind the " + "Sri Venkateshwara Kalyana Mantapa and " * 4,
        "line2": "W" * 200,
        "city": "Thiruvananthapuram-Kazhakkoottam " * 3,
    },
}


def paper(kind: str, settings: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """The sample of a kind, with something else in it."""
    return RENDERERS[kind]({**papers.ALL[kind](), **changes}, settings, None)  # type: ignore[index]


@pytest.mark.parametrize("kind", A4_KINDS)
def test_a_paper_says_where_the_goods_go(kind: str) -> None:
    """Beside the buyer, with phone, state and code; on a delivery note before him."""
    text = reading.text(paper(kind, ship_to=SITE))
    where = (
        "DELIVER TO Ravi, foreman Plot 11, Hosur Road, Site 4 Mysuru 570001, Karnataka (29) +91 98450 12345"
    )
    buyer = f"{BUYER[kind]} Mehta Interiors Pvt Ltd"
    assert where in text
    assert buyer in text
    assert (text.index(where) < text.index(buyer)) == (kind == "delivery")


@pytest.mark.parametrize("kind", A4_KINDS)
def test_the_rest_of_the_heading_is_there(kind: str) -> None:
    """Every word that the paper has without an address of delivery."""
    with_it, without = (reading.text(paper(kind, ship_to=site)) for site in (SITE, None))
    assert set(without.split()) <= set(with_it.split())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_changes_where_there_is_none(kind: str) -> None:
    """The same words in the same places, whether the field is null or missing."""
    sample = papers.ALL[kind]()
    plain = RENDERERS[kind]({key: value for key, value in sample.items() if key != "ship_to"}, None, None)  # type: ignore[index]
    assert reading.words(paper(kind, ship_to=None)) == reading.words(plain)
    assert kind == "delivery" or "DELIVER TO" not in reading.text(plain)


def test_who_receives_signs() -> None:
    """Not who ordered."""
    text = reading.text(paper("delivery", ship_to=SITE))
    assert text.count("Ravi, foreman") == 2
    assert text.count("Mehta Interiors Pvt Ltd") == 1


def test_a_receipt_says_it_too() -> None:
    where = "Ravi, foreman, Plot 11, Hosur Road, Site 4, Mysuru 570001, Karnataka (29), +91 98450 12345"
    assert f"Deliver to: {where}" in reading.text(paper("receipt", ship_to=SITE))


@pytest.mark.parametrize("kind", KINDS)
def test_in_hindi(kind: str) -> None:
    document = {**papers.in_hindi(kind), "ship_to": HINDI}
    pdf = RENDERERS[kind](document, {"language": "hi"}, None)  # type: ignore[index]
    text = reading.text(pdf)
    for part in ("570001", "(29)", "+91 98450 12345"):
        assert part in text, part
    assert "Karnataka" not in text
    assert "eliver" not in text
    plain = RENDERERS[kind](papers.in_hindi(kind), {"language": "hi"}, None)  # type: ignore[index]
    more = reading.characters(pdf, "Devanagari") - reading.characters(plain, "Devanagari")
    assert more > 40


@pytest.mark.parametrize(("kind", "site"), list(product(KINDS, (LONG, HINDI))))
def test_a_long_address_stays_in_its_place(kind: str, site: dict[str, Any]) -> None:
    """Nothing leaves the paper, and no two words lie over one another."""
    wide = 226.8 if kind == "receipt" else 595.3
    for page in reading.words(paper(kind, ship_to=site)):
        assert all(word[0] >= 11 and word[2] <= wide - 11 for word in page)
        for a in page:
            for b in page:
                assert not (abs(a[1] - b[1]) < 2 and a[0] < b[0] < a[2] - 0.5), (a, b)


# CGST Rules 2017, rule 46(e) ----------------------------------------------------------------------


def large(price: str, **changes: Any) -> dict[str, Any]:
    """An invoice to a consumer over one sofa at this price."""
    made = samples.intra_state()
    buyer = {**samples.MEHTA, "tax_number": None}
    return {**made, "lines": [samples.line(1, "Sofa", price)], "buyer": buyer, **changes}


def invoice(document: dict[str, Any], kind: str = "invoice") -> str:
    return reading.text(RENDERERS[kind](document, None, None))  # type: ignore[index]


def test_a_large_invoice_to_a_consumer_names_the_delivery() -> None:
    """From 50,000 on, of taxable goods: where they went, beside the state of the buyer and its code."""
    text = invoice(large("50000.00"))
    assert "DELIVER TO As billed" in text
    assert "Maharashtra (27)" in text
    for other in (
        large("49999.99"),
        large("50000.00", buyer=samples.MEHTA),
        large("50000.00", buyer=None),
        large("50000.00", lines=[samples.line(1, "Books", "60000.00", kind="exempt")]),
        large("50000.00", tax_regime="vat"),
    ):
        assert "DELIVER TO" not in invoice(other)


def test_where_it_was_named_it_is_said_once() -> None:
    text = invoice(large("50000.00", ship_to=SITE))
    assert text.count("DELIVER TO") == 1
    assert "As billed" not in text


def test_a_large_receipt_has_the_buyers_address() -> None:
    """A roll is an invoice too."""
    told = "Unit 4, Kamala Mills, Lower Parel, Mumbai 400013, Maharashtra (27)"
    assert f"{told} Deliver to: As billed" in invoice(large("50000.00"), "receipt")
    assert told not in invoice(large("49999.99"), "receipt")
    assert told in invoice(large("50000.00", ship_to=SITE), "receipt")
