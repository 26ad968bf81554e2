"""What the tax of a sale makes its documents say: cess, composition, SEZ, reverse charge, several taxes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from backend.app.services.documents.invoice import render_invoice
from backend.app.services.documents.receipt import render_receipt
from bench import samples
from tests.documents import reading

BOTH = pytest.mark.parametrize("render", [render_invoice, render_receipt])
Render = Callable[[Any], bytes]


def _plain(kind: str, *, rate: str = "0", inclusive: bool = False, price: str = "1180.00") -> dict[str, Any]:
    """A line on which nothing is charged; a price with tax has lost the tax in it."""
    made = samples.line(1, "Teak stool", price, rate=rate, split=(), kind=kind, inclusive=inclusive)
    return {**made, "taxes": [], "tax": Decimal(0), "total": made["taxable"]}


def cess_invoice() -> dict[str, Any]:
    """Aerated water with a cess in percent, coal with one per tonne."""
    water = samples.line(1, "Soda, 300 ml", "40.00", quantity="24.000", rate="28.000", hsn="220210")
    coal = samples.line(2, "Steam coal", "1000.00", quantity="2.000", rate="5.000", hsn="2701", unit="OTH")
    for row, tax in (
        (water, {"component": "CESS", "rate": Decimal(12), "amount": Decimal("115.20")}),
        (coal, {"component": "CESS", "rate": Decimal(0), "amount": Decimal(800), "per_unit": Decimal(400)}),
    ):
        row["taxes"] = [*row["taxes"], tax]
        row["tax"] += tax["amount"]
        row["total"] += tax["amount"]
    return samples.invoice([water, coal])


def composition_bill() -> dict[str, Any]:
    """A bill of a composition dealer."""
    seller = {**samples.TEAK, "tax_scheme": "composition"}
    return samples.invoice([_plain("untaxed")], title="Bill of Supply", seller=seller)


def zone_invoice(**changes: Any) -> dict[str, Any]:
    """A supply to a Special Economic Zone under a letter of undertaking, of goods priced with tax."""
    seller = {**samples.TEAK, "tax_scheme": "regular", "lut_number": "AD290326000123X"}
    line = _plain("zero_rated", rate="18.000", inclusive=True)
    return samples.invoice(
        [{**line, "tax_rate": Decimal(0)}], supply_type="sez", seller=seller, buyer=samples.MEHTA, **changes
    )


def freight_invoice() -> dict[str, Any]:
    """Freight, on which the buyer pays the tax."""
    line = _plain("reverse_charge", rate="5.000")
    return samples.invoice([line], reverse_charge=True, buyer=samples.MEHTA)


def new_york_invoice() -> dict[str, Any]:
    """Three taxes of three levels."""
    line = samples.line(1, "Laptop", "1200.00", split=(), rate="8.875")
    line["taxes"] = [
        {"component": "State tax", "rate": Decimal(4), "amount": Decimal("48.00")},
        {"component": "City tax", "rate": Decimal("4.5"), "amount": Decimal("54.00")},
        {"component": "MCTD", "rate": Decimal("0.375"), "amount": Decimal("4.50")},
    ]
    line["tax"], line["total"] = Decimal("106.50"), Decimal("1306.50")
    return samples.invoice(
        [line],
        currency="USD",
        title="Invoice",
        tax_regime="sales_tax",
        supply_type="domestic",
        place_of_supply={"code": "US-NY-NYC", "name": "United States, New York, NYC"},
    )


@BOTH
def test_cess_stands_beside_the_tax(render: Render) -> None:
    text = reading.text(render(cess_invoice()))
    assert "CESS" in text
    assert "915.20" in text


def test_the_tax_table_says_how_cess_is_reckoned() -> None:
    text = reading.text(render_invoice(cess_invoice()))
    for part in ("CESS %", "12%", "₹400.00/unit", "115.20", "800.00"):
        assert part in text, part


@BOTH
def test_a_composition_dealer_says_so_and_shows_no_tax(render: Render) -> None:
    text = reading.text(render(composition_bill()))
    assert "COMPOSITION TAXABLE PERSON, NOT ELIGIBLE TO COLLECT TAX ON SUPPLIES" in " ".join(text.split())
    assert "BILL OF SUPPLY" in text.upper()
    for part in ("CGST", "Tax %", "TAX BY"):
        assert part not in text, part


@BOTH
def test_a_supply_to_a_zone_is_endorsed(render: Render) -> None:
    text = " ".join(reading.text(render(zone_invoice())).split())
    for part in (
        "SUPPLY TO SEZ UNIT OR SEZ DEVELOPER FOR AUTHORISED OPERATIONS UNDER BOND OR LETTER OF UNDERTAKING",
        "WITHOUT PAYMENT OF INTEGRATED TAX",
        "AD290326000123X",
        "The tax within these prices is taken off.",
    ):
        assert part in text, part


@BOTH
def test_an_export_on_payment_is_endorsed(render: Render) -> None:
    export = samples.invoice([samples.line(1, "Chair", "100.00", split=("IGST",))], supply_type="export")
    text = " ".join(reading.text(render(export)).split())
    assert "SUPPLY MEANT FOR EXPORT ON PAYMENT OF INTEGRATED TAX" in text
    assert "taken off" not in text


@BOTH
def test_reverse_charge_is_said(render: Render) -> None:
    text = " ".join(reading.text(render(freight_invoice())).split())
    assert "Tax is payable by the recipient under reverse charge." in text
    assert "5% RC" in text


def test_reverse_charge_heads_the_invoice() -> None:
    assert "REVERSE CHARGE Yes" in reading.text(render_invoice(freight_invoice()))


@BOTH
def test_every_level_of_a_sales_tax_is_shown(render: Render) -> None:
    text = reading.text(render(new_york_invoice()))
    for part in ("State tax", "City tax", "MCTD", "48.00", "54.00", "4.50", "$1,306.50"):
        assert part in text, part
    assert "GST" not in text


def test_a_supply_within_the_union_names_its_articles() -> None:
    line = _plain("zero_rated")
    text = reading.text(
        render_invoice(
            samples.invoice(
                [line], currency="EUR", tax_regime="vat", supply_type="intra_community", reverse_charge=True
            )
        )
    )
    assert "article 138" in text
    assert "article 196" in text
