"""Invoices as `get_invoice` answers them, computed so that their sums agree.

Their keys are those of the real answers: tests/database/billing/test_printing.py compares them.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")

KARNATAKA = {
    "line1": "12, 100 Feet Road",
    "line2": "HAL 2nd Stage, Indiranagar",
    "city": "Bengaluru",
    "region_code": "29",
    "region_name": "Karnataka",
    "postal_code": "560038",
    "country": "IN",
    "country_name": "India",
}
MAHARASHTRA = {
    "line1": "Unit 4, Kamala Mills",
    "line2": "Lower Parel",
    "city": "Mumbai",
    "region_code": "27",
    "region_name": "Maharashtra",
    "postal_code": "400013",
    "country": "IN",
    "country_name": "India",
}
TEAK = {
    "name": "Teak & Thread",
    "legal_name": "Teak & Thread Furniture LLP",
    "branch_code": "BLR",
    "branch_name": "Indiranagar",
    "tax_number": "29ABCDE1234F1Z5",
    "address": KARNATAKA,
    "phone": "+91 80 4123 4567",
    "email": "hello@teak.example",
    "upi_id": "teakthread@okbank",
    "tax_scheme": "regular",
    "lut_number": None,
}
WHOLESALER = {
    "name": "Regent Gifts Wholesale",
    "legal_name": "Regent Gifts Wholesale Ltd",
    "branch_code": "LON",
    "branch_name": "London",
    "tax_number": "GB123456789",
    "address": {
        "line1": "48 Old Street",
        "line2": None,
        "city": "London",
        "region_code": None,
        "region_name": "Greater London",
        "postal_code": "EC1V 9AA",
        "country": "GB",
        "country_name": "United Kingdom",
    },
    "phone": "+44 20 7946 0000",
    "email": "sales@regent.example",
    "upi_id": None,
}
MEHTA = {
    "id": "7d1c",
    "name": "Mehta Interiors Pvt Ltd",
    "tax_number": "27AAPFM0939F1ZV",
    "phone": "+91 98200 00000",
    "email": "accounts@mehta.example",
    "address": MAHARASHTRA,
}


def money(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def line(
    number: int,
    description: str,
    price: str,
    *,
    quantity: str = "1.000",
    rate: str = "18.000",
    split: tuple[str, ...] = ("CGST", "SGST"),
    hsn: str | None = "9403",
    sku: str = "SKU-1",
    unit: str = "NOS",
    discount: str = "0.00",
    kind: str = "taxable",
    inclusive: bool = False,
    set_items: list[dict[str, Any]] | None = None,
    serials: list[str] | None = None,
    lots: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Makes one line; the tax is shared equally by the components of `split`."""
    gross = money(Decimal(quantity) * Decimal(price)) - Decimal(discount)
    percent = Decimal(rate)
    taxable = money(gross * 100 / (100 + percent)) if inclusive else gross
    each = money(taxable * percent / 100 / len(split)) if split else Decimal(0)
    taxes = [{"component": name, "rate": percent / len(split), "amount": each} for name in split]
    tax = each * len(split)
    return {
        "line_no": number,
        "variant_id": f"v{number}",
        "sku": sku,
        "description": description,
        "hsn_code": hsn,
        "unit": unit,
        "quantity": Decimal(quantity),
        "base_quantity": Decimal(quantity),
        "set_items": set_items,
        "serials": serials,
        "lots": lots or [],
        "unit_price": Decimal(price),
        "list_price": Decimal(price),
        "price_list": None,
        "offers": [],
        "price_includes_tax": inclusive,
        "discount": Decimal(discount),
        "document_discount": Decimal(0),
        "taxable": taxable,
        "tax_kind": kind,
        "tax_rate": percent,
        "taxes": taxes if kind == "taxable" else [],
        "tax": tax,
        "total": taxable + tax,
    }


def summary(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds lines up by HSN code, kind and rate."""
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in lines:
        key = (row["hsn_code"], row["tax_kind"], row["tax_rate"])
        group = groups.setdefault(
            key,
            {
                "hsn_code": key[0],
                "tax_kind": key[1],
                "tax_rate": key[2],
                "taxable": Decimal(0),
                "taxes": [dict(tax, amount=Decimal(0)) for tax in row["taxes"]],
                "tax": Decimal(0),
            },
        )
        group["taxable"] += row["taxable"]
        group["tax"] += row["tax"]
        for total, tax in zip(group["taxes"], row["taxes"], strict=True):
            total["amount"] += tax["amount"]
    return list(groups.values())


def invoice(lines: list[dict[str, Any]], *, paid: Decimal | None = None, **changes: Any) -> dict[str, Any]:
    """Makes an invoice of lines; paid in full by cash unless told, rounded to whole rupees in INR."""
    currency = changes.get("currency", "INR")
    subtotal = sum((row["taxable"] for row in lines), Decimal(0))
    tax = sum((row["tax"] for row in lines), Decimal(0))
    total = subtotal + tax
    rounded = total.quantize(Decimal(1), rounding=ROUND_HALF_UP) if currency == "INR" else total
    settled = rounded if paid is None else paid
    payment = {
        "id": "p1",
        "method": "cash",
        "method_name": "Cash",
        "amount": settled,
        "tendered": settled,
        "change": Decimal(0),
        "reference": None,
        "received_at": "2026-11-21T09:30:00+00:00",
    }
    return {
        "id": "i1",
        "org_id": "o1",
        "branch_id": "b1",
        "location_id": "l1",
        "customer_id": None,
        "order_id": None,
        "delivery_id": None,
        "due_date": None,
        "credited": Decimal(0),
        "credit_notes": [],
        "points": None,
        "title": "Tax Invoice",
        "number": "BLR/26-27/000001",
        "status": "paid" if settled == rounded else "partially_paid" if settled else "sent",
        "issued_at": "2026-11-21T09:30:00+00:00",
        "business_date": "2026-11-21",
        "timezone": "Asia/Kolkata",
        "currency": currency,
        "tax_regime": "gst",
        "supply_type": "intra_state",
        "place_of_supply": {"code": "29", "name": "Karnataka"},
        "reverse_charge": False,
        "seller": TEAK,
        "buyer": None,
        "subtotal": subtotal,
        "discount": sum((row["discount"] for row in lines), Decimal(0)),
        "document_discount": Decimal(0),
        "document_discount_percent": None,
        "tax": tax,
        "round_off": rounded - total,
        "total": rounded,
        "paid": settled,
        "balance": rounded - settled,
        "tendered": settled,
        "change_due": Decimal(0),
        "lines": lines,
        "tax_summary": summary(lines),
        "payments": [payment] if settled else [],
        "note": None,
        "reference": None,
        "terms": "Goods are exchanged within 7 days with this invoice. Subject to Bengaluru jurisdiction.",
        **changes,
    }


FURNITURE = (
    ("Sofa, three seats, teak, grey linen", "64500.00", "1.000", "9401", "SOF-3-TEK-GRY", "NOS", "18.000"),
    ("Dining table, sheesham, 180 x 90 cm", "42900.00", "1.000", "9403", "TAB-D-SHE-180", "NOS", "18.000"),
    ("Dining chair, cane back", "6450.50", "6.000", "9401", "CHR-CAN-NAT", "NOS", "18.000"),
    ("Upholstery linen, natural", "780.00", "12.500", "5309", "FAB-LIN-NAT", "MTR", "5.000"),
    (
        "Hand-knotted rug, wool, indigo border, 2.4 x 1.7 m",
        "18900.00",
        "1.000",
        "5701",
        "RUG-WOL-IND",
        "NOS",
        "12.000",
    ),
)


def furniture(split: tuple[str, ...] = ("CGST", "SGST")) -> list[dict[str, Any]]:
    """A believable sale of the furniture shop: three rates, one discount, a nil-rated line."""
    rows = [
        line(
            n,
            name,
            price,
            quantity=quantity,
            hsn=hsn,
            sku=sku,
            unit=unit,
            rate=rate,
            split=split,
            discount="2500.00" if n == 1 else "0.00",
        )
        for n, (name, price, quantity, hsn, sku, unit, rate) in enumerate(FURNITURE, start=1)
    ]
    extra = line(
        6,
        "Earthen lamp, pair",
        "240.00",
        hsn="6913",
        sku="LMP-ERT",
        unit="PRS",
        rate="0",
        split=(),
        kind="nil_rated",
    )
    return [*rows, extra]


def intra_state(**changes: Any) -> dict[str, Any]:
    """CGST and SGST, a named buyer of the same state, partly paid in two ways."""
    result = invoice(furniture(), paid=Decimal("100000.00"), **changes)
    cash = dict(
        result["payments"][0],
        amount=Decimal("60000.00"),
        tendered=Decimal("60500.00"),
        change=Decimal("500.00"),
    )
    card = dict(
        cash,
        id="p2",
        method="card",
        method_name="Card",
        amount=Decimal("40000.00"),
        tendered=Decimal("40000.00"),
        change=Decimal(0),
        reference="AUTH 884213",
    )
    return {
        **result,
        "payments": [cash, card],
        "tendered": Decimal("100500.00"),
        "change_due": Decimal("500.00"),
    }


def inter_state(**changes: Any) -> dict[str, Any]:
    """IGST, a registered buyer of another state, paid."""
    return invoice(
        furniture(("IGST",)),
        supply_type="inter_state",
        place_of_supply={"code": "27", "name": "Maharashtra"},
        buyer=MEHTA,
        reference="PO 4411",
        note="Delivery to the site office, lift available.",
        **changes,
    )


def wholesale(count: int, **changes: Any) -> dict[str, Any]:
    """A VAT invoice in pounds with many lines, as the real wholesaler's largest has 593."""
    names = (
        "WHITE HANGING HEART T-LIGHT HOLDER",
        "SET 7 BABUSHKA NESTING BOXES",
        "KNITTED UNION FLAG HOT WATER BOTTLE",
        "RED WOOLLY HOTTIE WHITE HEART.",
        "ASSORTED COLOUR BIRD ORNAMENT",
        "HAND WARMER UNION JACK",
        "PACK OF 72 RETROSPOT CAKE CASES",
    )
    rows = [
        line(
            n,
            names[n % 7],
            f"{1 + n % 23}.{n % 100:02d}",
            quantity=f"{1 + n % 48}.000",
            rate="20.000",
            split=("VAT",),
            hsn=None,
            sku=f"{20000 + n}",
            unit="EA",
        )
        for n in range(1, count + 1)
    ]
    defaults: dict[str, Any] = {
        "currency": "GBP",
        "tax_regime": "vat",
        "supply_type": "domestic",
        "title": "VAT Invoice",
        "seller": WHOLESALER,
        "number": "LON/10-11/000042",
        "timezone": "Europe/London",
        "place_of_supply": {"code": "GB", "name": "United Kingdom"},
        "terms": None,
        "business_date": "2010-12-01",
        "issued_at": "2010-12-01T08:26:00+00:00",
    }
    return invoice(rows, **{**defaults, **changes})
