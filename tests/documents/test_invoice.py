"""The A4 invoice, read back by other programs."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from backend.app.services.documents.invoice import render_invoice
from backend.app.services.documents.receipt import render_receipt
from bench import samples
from tests.documents import reading

A4 = (595.0, 842.0)


def test_an_invoice_within_the_state_shows_what_the_law_wants() -> None:
    text = reading.text(
        render_invoice(samples.intra_state(buyer={**samples.MEHTA, "address": samples.KARNATAKA}))
    )
    for part in (
        "TAX INVOICE",
        "Original for recipient",
        "Teak & Thread Furniture LLP",
        "GSTIN 29ABCDE1234F1Z5",
        "Mehta Interiors Pvt Ltd",
        "GSTIN 27AAPFM0939F1ZV",
        "BLR/26-27/000001",
        "21 Nov 2026, 15:00",
        "PLACE OF SUPPLY Karnataka (29)",
        "REVERSE CHARGE No",
        "HSN/SAC",
        "CGST % CGST SGST % SGST",
        "12.5 MTR",
        "AMOUNT IN WORDS Rupees Two Lakh One Thousand and Ninety-Seven Only",
        "Discounts of ₹2,500.00 are already deducted.",
        "₹2,01,097.00",
        "Round off -0.04",
        "Tendered ₹60,500.00, change ₹500.00",
        "AUTH 884213",
        "Balance due ₹1,01,097.00",
        "PART PAID",
        "Nil: nil-rated supply",
        "Authorised signatory",
        "Page 1 of 1",
    ):
        assert part in text, part
    assert "IGST" not in text


@pytest.mark.parametrize(
    ("copy_for", "hsn_code", "words"),
    [
        (None, "9403", "Original for recipient"),
        ("recipient", "9403", "Original for recipient"),
        ("transporter", "9403", "Duplicate for transporter"),
        ("supplier", "9403", "Triplicate for supplier"),
        ("supplier", "998719", "Duplicate for supplier"),
    ],
)
def test_whose_copy_it_is(copy_for: str | None, hsn_code: str, words: str) -> None:
    """Three copies of an invoice for goods, two of one for services; under no other tax than GST."""
    invoice = samples.intra_state()
    for line in invoice["lines"]:
        line["hsn_code"] = hsn_code
    text = reading.text(render_invoice(invoice, {"copy_for": copy_for} if copy_for else None))
    assert words in text
    assert sum(text.count(each) for each in ("Original for", "Duplicate for", "Triplicate for")) == 1


@pytest.mark.parametrize("render", [render_invoice, render_receipt])
def test_sets_and_numbered_pieces_are_named_beneath_their_line(render: Callable[[Any], bytes]) -> None:
    """A set says what is in it, a numbered piece which one it is; a thousand numbers still fit."""
    items = [
        {"variant_id": "a", "sku": "SOF-3", "name": "Three-seater, teak", "quantity": Decimal("1.000")},
        {"variant_id": "b", "sku": "ARM-1", "name": "Armchair, teak", "quantity": Decimal("2.000")},
    ]
    lines = [
        samples.line(1, "Sofa set, teak", "85000.00", set_items=items),
        samples.line(
            2, "Phone, black", "21000.00", quantity="2.000", serials=["356938035643809", "3569380356"]
        ),
        samples.line(
            3, "SIM card", "10.00", quantity="1000.000", serials=[f"89910000{n:06}" for n in range(1000)]
        ),
    ]
    text = reading.text(render(samples.invoice(lines)))
    for part in (
        "1 \N{MULTIPLICATION SIGN} Three-seater, teak",
        "2 \N{MULTIPLICATION SIGN} Armchair, teak",
        "S/N 356938035643809, 3569380356",
        "89910000000023 and 976 more",
    ):
        assert part in text, part


def test_an_invoice_to_another_state_shows_integrated_tax_only() -> None:
    text = reading.text(render_invoice(samples.inter_state()))
    assert "IGST" in text
    assert "CGST" not in text
    assert "Maharashtra (27)" in text
    assert "PO 4411" in text
    assert "Delivery to the site office" in text


def test_the_tax_table_adds_up_to_the_totals() -> None:
    invoice = samples.intra_state()
    text = reading.text(render_invoice(invoice))
    assert "Total 1,72,493.00 14,302.02 14,302.02 28,604.04" in text
    assert invoice["subtotal"] + invoice["tax"] + invoice["round_off"] == invoice["total"]


@pytest.mark.parametrize("count", [1, 2, 30, 37, 38, 39, 500, 593])
def test_every_line_prints_once_on_numbered_pages(count: int) -> None:
    invoice = samples.wholesale(count)
    pages = reading.pages(render_invoice(invoice))
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
    seen = [int(n) for page in pages for n in re.findall(r"^(\d+)\s+2\d{4}\b", page, flags=re.M)]
    assert seen == list(range(1, count + 1))


def test_a_long_table_repeats_its_header_and_carries_its_total() -> None:
    invoice = samples.wholesale(593)
    pages = reading.pages(render_invoice(invoice))
    carried = [re.search(r"Carried forward\s+([\d,.]+)", page) for page in pages]
    brought = [re.search(r"Brought forward\s+([\d,.]+)", page) for page in pages]
    assert all("Description" in page for page in pages)
    assert carried[-1] is None
    assert brought[0] is None
    sums = {row["line_no"]: row["total"] for row in invoice["lines"]}
    for index, (end, begin) in enumerate(zip(carried[:-1], brought[1:], strict=True)):
        assert end is not None
        assert begin is not None
        assert end.group(1) == begin.group(1)
        last = max(int(n) for n in re.findall(r"^(\d+)\s+2\d{4}\b", pages[index], flags=re.M))
        expected = sum((sums[n] for n in range(1, last + 1)), Decimal(0))
        assert end.group(1) == f"{expected:,.2f}"


@pytest.mark.parametrize("count", range(25, 50))
def test_the_totals_never_stand_alone_on_a_page(count: int) -> None:
    last = reading.pages(render_invoice(samples.wholesale(count)))
    page = next(page for page in last if "AMOUNT IN WORDS" in page)
    assert len(re.findall(r"^\d+\s+2\d{4}\b", page, flags=re.M)) >= 2


def test_a_vat_invoice_speaks_of_vat() -> None:
    text = reading.text(render_invoice(samples.wholesale(3)))
    assert "VAT No. GB123456789" in text
    assert "£" in text
    for absent in ("GSTIN", "CGST", "HSN", "REVERSE CHARGE", "Original for recipient"):
        assert absent not in text


def test_without_a_tax_no_tax_is_shown() -> None:
    row = samples.line(1, "Stool", "1500.00", rate="0", split=(), hsn=None)
    text = reading.text(
        render_invoice(samples.invoice([row], tax_regime="none", title="Invoice", supply_type="untaxed"))
    )
    for absent in ("Taxable", "Tax %", "GST", "TAX BY", "PLACE OF SUPPLY"):
        assert absent not in text
    assert "Subtotal 1,500.00" in text


@pytest.mark.parametrize(
    ("kind", "word"),
    [("nil_rated", "Nil: nil-rated"), ("exempt", "Exempt: supply exempt"), ("zero_rated", "0%: zero")],
)
def test_untaxed_kinds_have_a_legend(kind: str, word: str) -> None:
    row = samples.line(1, "Rice", "80.00", rate="0", split=(), kind=kind)
    assert word in reading.text(render_invoice(samples.invoice([row])))


def test_exports_and_reverse_charge_are_declared() -> None:
    row = samples.line(1, "Rug", "80.00", rate="0", split=(), kind="zero_rated")
    text = reading.text(render_invoice(samples.invoice([row], supply_type="export", reverse_charge=True)))
    assert "LETTER OF UNDERTAKING" in text
    assert "REVERSE CHARGE Yes" in text
    assert "payable by the recipient under reverse charge" in text


def test_prices_that_include_tax_are_marked() -> None:
    rows = [samples.line(1, "A", "118.00", inclusive=True), samples.line(2, "B", "100.00")]
    assert "* 118.00" in reading.text(render_invoice(samples.invoice(rows)))
    assert "incl. tax" in reading.text(render_invoice(samples.invoice(rows[:1])))


@pytest.mark.parametrize(
    "name",
    [
        '<img src="file:///etc/passwd">',
        '<a href="http://evil.example">click</a>',
        "<b>bold</b> & <i>italic</i> &lt;",
        "<para>broken",
        "</para></font>",
        "<<>>&&;",
    ],
)
def test_names_are_printed_literally(name: str) -> None:
    invoice = samples.invoice(
        [samples.line(1, name, "10.00", sku=name[:12])],
        buyer={**samples.MEHTA, "name": name},
        note=name,
        terms=name,
        reference=name,
        seller={**samples.TEAK, "name": name, "legal_name": name},
    )
    pdf = render_invoice(invoice)
    assert reading.text(pdf).replace(" ", "").count(name.replace(" ", "")) >= 4
    reader = PdfReader(BytesIO(pdf))
    assert all("/Annots" not in page and not page.images for page in reader.pages)


def test_fonts_are_embedded_and_the_rupee_sign_is_text() -> None:
    pdf = render_invoice(samples.intra_state(buyer={**samples.MEHTA, "name": "श्री कीर्ति ट्रेडर्स"}))
    found = reading.fonts(pdf)
    assert all(found.values()), found
    assert any("Devanagari" in name for name in found)
    assert "₹2,01,097.00" in reading.text(pdf)


def test_joined_letters_are_shaped() -> None:
    """A conjunct with its vowel is two glyphs, though it is typed as four characters."""

    def glyphs(name: str) -> int:
        invoice = samples.invoice([samples.line(1, "Stool", "10.00")], buyer={**samples.MEHTA, "name": name})
        return reading.characters(render_invoice(invoice), "NotoSansDevanagari-Bold")

    assert glyphs("\u0915") == 1
    assert glyphs("\u0915\u094d\u0937\u093f") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"buyer": {**samples.MEHTA, "name": "شركة النور للتجارة"}},
        {"buyer": {"name": "Ramesh", "address": None, "tax_number": None}},
        {
            "buyer": {
                **samples.MEHTA,
                "name": "w" * 200,
                "address": {**samples.KARNATAKA, "line1": "Road 5, " * 40},
            }
        },
        {"seller": {**samples.TEAK, "name": "Very Long Name " * 12}},
        {"seller": {"name": "Corner shop", "legal_name": None, "tax_number": None, "address": None}},
        {"terms": "Terms. " * 400, "note": "Note " * 300},
        {"timezone": "Nowhere/Unknown", "place_of_supply": None, "payments": []},
        {"number": None, "status": "draft"},
    ],
)
def test_unusual_parties_and_texts_print(changes: dict[str, Any]) -> None:
    assert "Page 1 of" in reading.text(render_invoice({**samples.intra_state(), **changes}))


@pytest.mark.parametrize(
    "name", ["x" * 200, "कीर्ति" * 60, "word " * 300, "ಕೃಷ್ಣ" * 90, "شركة" * 60, "🛋️ sofa 沙发"]
)
def test_long_and_foreign_descriptions_stay_in_their_column(name: str) -> None:
    rows = [
        samples.line(n, name, "99999999.99", quantity="999.125", unit="किलो", sku="Y" * 80)
        for n in range(1, 7)
    ]
    pages = reading.words(render_invoice(samples.invoice(rows)))
    for words in pages:
        assert all(word[0] >= 38 and word[2] <= A4[0] - 38 for word in words)


@pytest.mark.parametrize("amount", ["0.01", "99999999.99", "99999999999.99"])
def test_figures_of_any_size_do_not_touch(amount: str) -> None:
    """Right-aligned columns are measured, so no figure reaches into its neighbour."""
    words = reading.words(render_invoice(samples.invoice([samples.line(1, "Sofa", amount)])))[0]
    for a in words:
        for b in words:
            same_line = abs(a[1] - b[1]) < 2
            assert not (same_line and a[0] < b[0] < a[2] - 0.5), (a, b)


def test_many_tax_rates_break_over_pages() -> None:
    rows = [samples.line(n, "Part", "100.00", hsn=str(8000 + n), rate=str(n % 29)) for n in range(1, 200)]
    pages = reading.pages(render_invoice(samples.invoice(rows)))
    assert sum("TOTAL TAX" in page for page in pages) >= 4


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"status": "void"}, "VOID"), ({}, "PAID"), ({"balance": Decimal(5), "paid": Decimal(0)}, "UNPAID")],
)
def test_the_state_of_payment_is_shown(changes: dict[str, Any], word: str) -> None:
    invoice = {**samples.invoice([samples.line(1, "Stool", "10.00")]), **changes}
    assert re.search(rf"\b{word}\b", reading.text(render_invoice(invoice)))


def test_properties_name_the_document() -> None:
    properties = PdfReader(BytesIO(render_invoice(samples.intra_state()))).metadata
    assert properties is not None
    assert properties.title == "Tax Invoice BLR/26-27/000001"
    assert properties.author == "Teak & Thread"
    assert properties.subject == "Tax Invoice of 21 Nov 2026"


def test_floats_give_the_same_document_as_decimals() -> None:
    def floats(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floats(part) for key, part in value.items()}
        if isinstance(value, list):
            return [floats(part) for part in value]
        return float(value) if isinstance(value, Decimal) else value

    invoice = samples.intra_state()
    assert reading.text(render_invoice(floats(invoice))) == reading.text(render_invoice(invoice))


def test_the_largest_real_sale_renders_quickly() -> None:
    render_invoice(samples.wholesale(1))
    begun = time.perf_counter()
    render_invoice(samples.wholesale(593))
    assert time.perf_counter() - begun < 5


def test_documents_can_be_asked_for_at_the_same_time() -> None:
    names = ("श्री कीर्ति ट्रेडर्स", "ಶ್ರೀ ಕೃಷ್ಣ", "شركة النور", "Plain & Sons")
    invoices = [samples.intra_state(buyer={**samples.MEHTA, "name": names[n % 4]}) for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        together = [reading.text(pdf) for pdf in pool.map(render_invoice, invoices)]
    assert together == [reading.text(render_invoice(invoice)) for invoice in invoices]
