"""The QR code, read by a scanner from the rendered page."""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.app.services.documents import qr
from backend.app.services.documents.invoice import render_invoice
from backend.app.services.documents.receipt import render_receipt
from bench import samples
from tests.documents import reading

RENDERERS = [render_invoice, render_receipt]


@pytest.mark.parametrize("render", RENDERERS)
def test_a_balance_can_be_paid_by_upi(render: Any) -> None:
    (code,) = reading.codes(render(samples.intra_state()))
    link = urlsplit(code)
    assert (link.scheme, link.netloc) == ("upi", "pay")
    assert parse_qs(link.query) == {
        "pa": ["teakthread@okbank"],
        "pn": ["Teak & Thread"],
        "am": ["101097.00"],
        "cu": ["INR"],
        "tn": ["Invoice BLR/26-27/000001"],
    }


@pytest.mark.parametrize("render", RENDERERS)
def test_a_settled_invoice_states_its_facts(render: Any) -> None:
    (code,) = reading.codes(render(samples.inter_state()))
    assert code.split("\n") == [
        "Seller: Teak & Thread",
        "GSTIN: 29ABCDE1234F1Z5",
        "Invoice: BLR/26-27/000001",
        "Date: 2026-11-21",
        "Total: INR 201097.00",
    ]


@pytest.mark.parametrize(
    "changes",
    [{"balance": Decimal(0)}, {"currency": "GBP"}, {"seller": {**samples.TEAK, "upi_id": None}}],
)
def test_upi_is_offered_only_for_rupees_owed_to_a_upi_address(changes: dict[str, Any]) -> None:
    assert qr.is_payable(samples.intra_state())
    assert not qr.is_payable({**samples.intra_state(), **changes})
