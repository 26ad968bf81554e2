"""Every kind of document, read back by other programs: 1 and 500 lines, two languages, long names."""

import re
import unicodedata
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from backend.app.services.documents.kinds import RENDERERS, file_name
from backend.app.services.documents.theme import MARGIN
from bench import papers, samples
from tests.documents import reading

KINDS = list(papers.ALL)
A4_KINDS = [kind for kind in KINDS if kind != "receipt"]


def made(kind: str, document: dict[str, Any], settings: dict[str, Any] | None = None) -> bytes:
    return RENDERERS[kind](document, settings, None)  # type: ignore[index]


SAID = {
    "quotation": (
        "QUOTATION",
        "QUOTATION FOR Mehta Interiors Pvt Ltd",
        "VALID UNTIL 21 Dec 2026",
        "REVISION 2",
        "We accept this quotation of ₹2,01,097.00",
        "Name, date and signature",
        "IGST 28,604.04",
    ),
    "order": (
        "ORDER CONFIRMATION",
        "IN PRODUCTION",
        "UTR 4411",
        "Advance paid ₹25,000.00",
        "Left to pay ₹1,76,097.00",
        "22 Nov 2026 Frame cut and glued",
    ),
    "delivery": (
        "DELIVERY NOTE",
        "FOR ORDER BLR/O/26-27/0004",
        "S/N SN-00000, SN-00001, SN-00002",
        "13.5 MTR 12.5 MTR",
        "The goods above were received complete and in good order.",
        "Name, date and signature of the receiver",
    ),
    "credit_note": (
        "CREDIT NOTE",
        "FOR INVOICE BLR/26-27/000001",
        "INVOICE DATE 20 Nov 2026",
        "REASON Damaged in transit",
        "Set against BLR/26-27/000001 1,00,548.50",
        "Refunded: Bank transfer 1,000.00",
        "Left as credit 99,548.50",
        "TAX BY HSN AND RATE",
    ),
    "payment": (
        "PAYMENT RECEIPT",
        "RECEIVED FROM Mehta Interiors Pvt Ltd",
        "GSTIN 27AAPFM0939F1ZV",
        "Amount received ₹3,001.00",
        "Rupees Three Thousand and One Only",
        "Set against BLR/26-27/000002 1,250.50",
        "Kept on account 500.00",
    ),
    "statement": (
        "STATEMENT OF ACCOUNT",
        "1 Oct 2026 to 30 Nov 2026",
        "Opening balance 1,200.00",
        "3 Oct 2026 BLR/26-27/000002 Payment · Points · UTR 118822 902.25 2,099.25",
        "Closing balance ₹3,001.50",
        "31-60 days",
        "Total owed",
    ),
    "agreement": (
        "INSTALMENT AGREEMENT",
        "6 monthly instalments",
        "12% a year, flat",
        "Deposit ₹5,000.00",
        "Total in instalments ₹24,970.00",
        "4 Jan 2027 · Overdue 4,000.00 120.00 0.00 4,120.00",
        "An instalment still unpaid after the days of grace (5) bears a late fee of ₹200.00, once.",
        "Signature of the buyer",
    ),
}


@pytest.mark.parametrize("kind", SAID)
def test_a_document_says_what_it_is_for(kind: str) -> None:
    text = reading.text(made(kind, papers.ALL[kind]()))
    for part in (
        *SAID[kind],
        "Teak & Thread Furniture LLP",
        "Page 1 of 1" if kind != "credit_note" else "Page",
    ):
        assert part in text, part


def test_what_is_not_for_the_customer_is_not_printed() -> None:
    assert "Ravi" not in reading.text(made("order", papers.order()))


def test_a_delivery_shows_prices_only_where_they_are_wanted() -> None:
    silent = reading.text(made("delivery", papers.delivery()))
    for word in ("64,500", "Total", "Rate", "Rupees", "₹", "Taxable"):
        assert word not in silent, word
    assert "64,500.00" in reading.text(made("delivery", papers.delivery(), {"delivery_prices": True}))


@pytest.mark.parametrize("status", ["draft", "sent", "approved", "rejected", "expired", "converted"])
def test_a_quotation_shows_its_state(status: str) -> None:
    word = {"sent": "OPEN", "approved": "ACCEPTED", "rejected": "DECLINED", "converted": "ORDERED"}
    assert word.get(status, status.upper()) in reading.text(
        made("quotation", papers.quotation(status=status))
    )


def test_a_payment_names_the_instalments_that_it_settles() -> None:
    """One, or several with those in a row as a range; of each agreement what went there."""
    done = {"status": "completed", "as_of": "2026-11-21", "outstanding": Decimal(0), "next_due": None}
    paid = [
        {"id": "a1", "number": "BLR/A/26-27/0004", "instalments": [2], "amount": Decimal("1250.50"), **done},
        {
            "id": "a2",
            "number": "BLR/A/26-27/0007",
            "instalments": [1, 3, 4, 5],
            "amount": Decimal(900),
            **done,
        },
    ]
    document = papers.payment(agreements=paid)
    text = reading.text(made("payment", document))
    assert "Instalment 2 of agreement BLR/A/26-27/0004: ₹1,250.50" in text
    assert "Instalments 1, 3-5 of agreement BLR/A/26-27/0007: ₹900.00" in text


def test_a_reversed_payment_says_so() -> None:
    undone = {"id": "r", "at": "2026-11-25T10:00:00+00:00", "reason": "The cheque bounced"}
    text = reading.text(made("payment", papers.payment(reversed=undone)))
    assert "REVERSED" in text
    assert "reversed on 25 Nov 2026: The cheque bounced" in text


def test_an_empty_statement_and_one_in_the_customers_favour() -> None:
    text = reading.text(made("statement", papers.statement(0, closing=-50, owed=0, ageing={})))
    assert "No documents or payments in this period." in text
    assert "₹50.00 in your favour" in text
    assert "DAYS SINCE" not in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize("language", ["en", "hi"])
def test_one_line_and_five_hundred(kind: str, count: int, language: str) -> None:
    """Every page is numbered, every line printed once, and nothing leaves the paper."""
    document = papers.ALL[kind](count)
    pdf = made(kind, document, {"language": language})
    pages = reading.pages(pdf)
    # More pages than these, and a line takes more than one row of print.
    assert len(pages) == 1 if count == 1 else len(pages) <= (2 if kind == "receipt" else 13)
    if kind != "receipt":
        for number, page in enumerate(pages, start=1):
            assert (
                f"Page {number} of {len(pages)}" if language == "en" else f"{number} / {len(pages)}"
            ) in page
        for words in reading.words(pdf):
            assert all(w[0] >= MARGIN - 1 and w[2] <= 595.3 - MARGIN + 1 and w[3] < 842 for w in words)
    numbers = "schedule" if "schedule" in document else "lines"
    if kind in ("invoice", "quotation", "order", "delivery", "credit_note") and language == "en":
        seen = [int(n) for page in pages for n in re.findall(r"SKU-(\d{4})", page)]
        assert seen == [row["line_no"] for row in document[numbers]]


@pytest.mark.parametrize("kind", ["quotation", "order", "delivery", "credit_note", "statement"])
@pytest.mark.parametrize("count", range(8, 40, 3))
def test_totals_and_signatures_are_never_torn(kind: str, count: int) -> None:
    pages = reading.pages(made(kind, papers.ALL[kind](count)))
    end = {
        "quotation": "AMOUNT IN WORDS",
        "order": "AMOUNT IN WORDS",
        "credit_note": "AMOUNT IN WORDS",
        "statement": "Closing balance",
    }.get(kind)
    if end:
        page = next(page for page in pages if end in page)
        row = r"SKU-\d{4}" if kind != "statement" else r"BLR/26-27/\d{6}"
        assert len(re.findall(row, page)) >= 2
    for head, below in (("ACCEPTED", "signatory"), ("GOODS RECEIVED", "Handed over")):
        for page in pages:
            assert (head in page) == (below in page) or head not in "".join(pages)


@pytest.mark.parametrize("kind", KINDS)
def test_long_names_fit_and_do_not_overlap(kind: str) -> None:
    document = papers.ALL[kind]()
    party = {**samples.MEHTA, "name": "Shri Venkateshwara " * 8, "email": "x" * 90 + "@example.com"}
    document["customer" if kind == "statement" else "buyer"] = party
    document["seller"] = {**document["seller"], "name": "W" * 120, "legal_name": "w" * 200}
    for row in document.get("lines", []):
        if "description" in row:
            row["description"] *= 5
            row["sku"] = "SKU" * 12
            row["unit_price"] = 999999999
    pdf = made(kind, document)
    for words in reading.words(pdf):
        for a in words:
            for b in words:
                assert not (abs(a[1] - b[1]) < 2 and a[0] < b[0] < a[2] - 0.5), (a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_literal_fonts_embedded_and_properties_set(kind: str) -> None:
    document = papers.ALL[kind]()
    name = '<img src="file:///etc/passwd"> & <b>'
    document["customer" if kind == "statement" else "buyer"] = {**samples.MEHTA, "name": name}
    pdf = made(kind, document)
    assert name.replace(" ", "") in reading.text(pdf).replace(" ", "")
    assert all(reading.fonts(pdf).values())
    reader = PdfReader(BytesIO(pdf))
    assert reader.metadata is not None
    assert reader.metadata.author == "Teak & Thread"
    assert str(document.get("number") or "Statement") in str(reader.metadata.title)
    assert str(reader.trailer["/Root"]["/Lang"]).startswith("en")  # type: ignore[index]


@pytest.mark.parametrize("kind", ["invoice", "receipt", "quotation", "order"])
def test_what_an_offer_took_off_is_explained(kind: str) -> None:
    document = papers.ALL[kind]()
    document["lines"][0]["offers"] = [
        {"promotion_id": "p", "name": "Diwali week", "amount": 450},
        {"promotion_id": "q", "name": "Friends", "amount": 50, "coupon": "FRIEND-7"},
    ]
    text = reading.text(made(kind, document))
    assert "Diwali week: -₹450.00" in text
    assert "Friends (coupon FRIEND-7): -₹50.00" in text


@pytest.mark.parametrize("kind", ["invoice", "receipt", "quotation", "order"])
def test_a_discount_on_the_whole_document_is_explained(kind: str) -> None:
    """As a sum, per cent where it was given so, and of each line."""
    document = papers.ALL[kind]() | {"discount": 500, "document_discount": 500}
    document["lines"][0]["document_discount"] = 450
    text = reading.text(made(kind, document))
    assert "Discount on the whole document: ₹500.00." in text
    assert "Discount on the whole document: -₹450.00" in text
    text = reading.text(made(kind, document | {"document_discount_percent": 12.5}))
    assert "Discount of 12.5% on the whole document: ₹500.00." in text
    assert "whole document" not in reading.text(made(kind, papers.ALL[kind]()))


@pytest.mark.parametrize("kind", ["invoice", "receipt"])
@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({"earned": 118, "redeemed": 0, "balance": 1618}, "Points earned 118, balance 1,618"),
        ({"earned": 0, "redeemed": 50, "balance": 618}, "Points balance 618"),
        ({"earned": 0, "redeemed": 0, "balance": 0}, None),
        (None, None),
    ],
)
def test_points_are_told(kind: str, points: dict[str, int] | None, said: str | None) -> None:
    text = reading.text(made(kind, papers.ALL[kind]() | {"points": points}))
    assert (said in text) if said else ("Points" not in text)


@pytest.mark.parametrize("kind", KINDS)
def test_long_terms_are_printed_whole(kind: str) -> None:
    """As long as the database takes them: over pages where they must be, but not cut."""
    clauses = [f"Clause {n}: " + "goods are checked by the buyer when they come. " * 3 for n in range(26)]
    document, settings = papers.ALL[kind](), {"terms": {kind: " ".join(clauses)}}
    if kind in ("invoice", "receipt", "quotation", "order"):
        document["terms"] = "\n".join(clauses)
    text = reading.text(made(kind, document, settings))
    assert all(f"Clause {n}: goods" in text for n in range(26))
    assert "…" not in text


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
@pytest.mark.parametrize("count", range(1, 30))
def test_no_page_holds_a_signature_alone(kind: str, count: int) -> None:
    """What ends the document takes the table of the tax along."""
    last = reading.pages(made(kind, papers.ALL[kind](count)))[-1]
    assert "Authorised signatory" in last
    assert "TAX BY HSN AND RATE" in last


def test_an_invoice_names_its_credit_notes() -> None:
    note = {"id": "c", "number": "BLR/26-27/C00002", "date": "2026-11-23", "total": 1121}
    invoice = papers.ALL["invoice"](None, credit_notes=[note], credited=1121)
    text = reading.text(made("invoice", invoice))
    assert "CREDIT NOTES BLR/26-27/C00002 of 23 Nov 2026: ₹1,121.00" in text
    assert "Credited ₹1,121.00" in text


def test_a_part_of_an_order_that_came_is_told_with_the_line() -> None:
    document = papers.order()
    document["lines"][2] |= {"delivered": 4, "open": 2}
    assert "Delivered: 4 NOS, to follow: 2 NOS" in reading.text(made("order", document))


@pytest.mark.parametrize(
    ("status", "advance", "left", "told"),
    [
        ("confirmed", "25000", "176097", "Advance paid ₹25,000.00 Left to pay ₹1,76,097.00"),
        ("closed", "0", "141097", "Left to pay ₹1,41,097.00"),
        ("delivered", "0", "0", "Left to pay ₹0.00"),
        ("confirmed", "0", "201097", ""),
        ("cancelled", "500", "0", ""),
    ],
)
def test_what_is_left_to_pay_of_an_order_is_what_the_answer_says(
    status: str, advance: str, left: str, told: str
) -> None:
    order = papers.order(status=status, advance_paid=Decimal(advance), to_pay=Decimal(left))
    text = reading.text(made("order", order))
    assert told in text
    assert ("Left to pay" in text) == bool(told)
    assert ("Advance paid" in text) == told.startswith("Advance")


def test_a_statement_lists_what_is_open_and_counts_the_rest() -> None:
    one = papers.statement()["open_invoices"][0]
    rows = [{**one, "number": f"BLR/25-26/{n:06}"} for n in range(60)]
    text = reading.text(made("statement", papers.statement(open_invoices=rows)))
    assert "BLR/25-26/000039 1 Jul 2026 31 Jul 2026 900.00 100.00" in text
    assert "BLR/25-26/000040" not in text
    assert "Further invoices: 20 18,000.00 2,000.00" in text


def test_a_statement_says_how_was_paid() -> None:
    text = reading.text(made("statement", papers.statement()))
    assert "Payment · Points · UTR 118822" in text
    assert "Payment · Bank transfer · UTR 118822" in text


def test_a_statement_says_which_instalment_is_open() -> None:
    one = papers.statement()["open_invoices"][0]
    text = reading.text(made("statement", papers.statement(open_invoices=[{**one, "instalment": 4}])))
    assert "BLR/25-26/000000 · Instalment 4 1 Jul 2026" in text


def test_instalments_that_were_replaced_are_no_longer_due() -> None:
    document = papers.agreement(status="rescheduled")
    for row in document["schedule"][2:]:
        row["status"] = "closed"
    text = reading.text(made("agreement", document))
    assert "RESCHEDULED" in text
    assert text.count("· No longer due") == 4


def test_terms_without_grace_and_with_one_instalment_read_well() -> None:
    document = papers.agreement(1)
    text = reading.text(made("agreement", {**document, "terms": {**document["terms"], "grace_days": 0}}))
    assert "Instalments One instalment" in text
    assert "An instalment not paid on the day it is due bears a late fee of ₹200.00, once." in text
    assert "grace" not in text


def test_the_next_instalment_is_named_once_something_is_paid() -> None:
    document = papers.agreement(today="2026-12-20", overdue=0)
    assert "Next due on 4 Jan 2027 ₹4,120.00" in reading.text(made("agreement", document))
    assert "Next due" not in reading.text(made("agreement", {**document, "paid": 0}))


@pytest.mark.parametrize("length", [15, 60])
@pytest.mark.parametrize("prices", [False, True])
def test_a_thousand_numbers_fit_and_the_rest_is_counted(length: int, prices: bool) -> None:
    document = papers.delivery()
    document["lines"][0]["serials"] = [f"{n:0{length}}" for n in range(1000)]
    text = reading.text(made("delivery", document, {"delivery_prices": prices}))
    shown = 1400 // (length + 2)
    assert f"and {1000 - shown} more" in text


def test_many_payments_run_over_pages() -> None:
    invoice = papers.ALL["invoice"]()
    invoice["payments"] = [dict(invoice["payments"][0], reference=f"UTR {n:04}") for n in range(200)]
    text = reading.text(made("invoice", invoice))
    assert all(f"UTR {n:04}" in text for n in range(200))


@pytest.mark.parametrize(
    ("kind", "settings", "name"),
    [
        ("invoice", None, "BLR-26-27-000001 Tax Invoice Teak & Thread.pdf"),
        ("receipt", None, "BLR-26-27-000001 Receipt Teak & Thread.pdf"),
        ("statement", None, "2026-11-30 Statement of Account Mehta Interiors Pvt Ltd Teak & Thread.pdf"),
        ("quotation", {"language": "hi"}, "BLR-Q-26-27-0007 कोटेशन Teak & Thread.pdf"),
    ],
)
def test_a_file_is_named_after_number_kind_and_seller(kind: str, settings: Any, name: str) -> None:
    assert file_name(kind, papers.ALL[kind](), settings) == name  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["../../etc/passwd", 'a"b;c\r\nX: 1', "  ..  ", "a\u202egnp.exe", "x" * 900])
def test_a_file_name_holds_nothing_dangerous(name: str) -> None:
    document = papers.invoice_of(name)
    found = file_name("invoice", document)
    assert re.fullmatch(r'[^\x00-\x1f<>:"/\\|?*\u202e]{5,124}', found)
    assert not found.startswith(".")


@pytest.mark.parametrize(
    "name", ["शिवकुमार रामास्वामी फ़र्नीचर " * 6, "شركة النور للتجارة " * 9, "\U0001f6cb" * 90, "x" * 900]
)
def test_a_file_name_can_be_saved(name: str) -> None:
    """File systems count bytes, 255 at most; a letter of Hindi has three, and none is cut in two."""
    document = papers.statement()
    document["seller"]["name"] = name
    found = file_name("statement", document)
    assert 120 < len(found.encode()) <= 204
    shown = found.removesuffix(".pdf").partition("Pvt Ltd ")[2]
    assert shown == name[: len(shown)]
    assert not unicodedata.category(name[len(shown)]).startswith("M")
