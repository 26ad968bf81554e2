"""A sale and its invoice, as examples for the documentation."""

from typing import Any

from backend.app.schemas.catalogue import ORG, VARIANT

_BRANCH = "9a1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c33"
_LOCATION = "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c99"
_INVOICE_ID = "8d8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cbb"

SALE: dict[str, Any] = {
    "id": _INVOICE_ID,
    "branch_id": _BRANCH,
    "location_id": _LOCATION,
    "customer_id": None,
    "lines": [{"variant_id": VARIANT, "quantity": 1}],
    "payments": [{"method": "cash", "amount": 1200.00}],
    "options": {"note": "Deliver before Diwali"},
}

_MONEY: dict[str, Any] = {
    "subtotal": 1000.00,
    "discount": 0.00,
    "tax": 180.00,
    "round_off": 0.00,
    "total": 1180.00,
    "paid": 1180.00,
    "credited": 0.00,
    "balance": 0.00,
}

_HEAD: dict[str, Any] = {
    "id": _INVOICE_ID,
    "org_id": ORG,
    "branch_id": _BRANCH,
    "location_id": _LOCATION,
    "customer_id": None,
    "number": "BLR/26-27/000001",
    "status": "paid",
    "issued_at": "2026-11-21T09:30:00+00:00",
    "business_date": "2026-11-21",
    "due_date": None,
    "currency": "INR",
    "supply_type": "intra_state",
}

_TAXES = [
    {"component": "CGST", "rate": 9.000, "amount": 90.00},
    {"component": "SGST", "rate": 9.000, "amount": 90.00},
]

INVOICE_ROW: dict[str, Any] = {**_HEAD, **_MONEY, "reference": None, "order_id": None, "delivery_id": None}

INVOICE: dict[str, Any] = {
    **_HEAD,
    "order_id": None,
    "delivery_id": None,
    "title": "Tax Invoice",
    "timezone": "Asia/Kolkata",
    "tax_regime": "gst",
    "place_of_supply": {"code": "29", "name": "Karnataka"},
    "reverse_charge": False,
    "seller": {
        "name": "Teak & Thread",
        "legal_name": "Teak & Thread Furniture LLP",
        "branch_code": "BLR",
        "branch_name": "Indiranagar",
        "tax_number": "29ABCDE1234F1Z5",
        "address": {
            "line1": "212, 100 Feet Road",
            "line2": None,
            "city": "Bengaluru",
            "region_code": "29",
            "region_name": "Karnataka",
            "postal_code": "560038",
            "country": "IN",
        },
        "phone": "+91 80 4000 1000",
        "email": "indiranagar@teak.example",
        "upi_id": None,
    },
    "buyer": None,
    "ship_to": None,
    **_MONEY,
    "document_discount": 0.00,
    "document_discount_percent": None,
    "tendered": 1200.00,
    "change_due": 20.00,
    "lines": [
        {
            "line_no": 1,
            "variant_id": VARIANT,
            "sku": "STL-TEAK",
            "description": "Stool, teak",
            "hsn_code": "9401",
            "unit": "NOS",
            "quantity": 1.000,
            "base_quantity": 1.000,
            "set_items": None,
            "serials": None,
            "unit_price": 1000.00,
            "list_price": 1000.00,
            "price_list": None,
            "price_includes_tax": False,
            "discount": 0.00,
            "document_discount": 0.00,
            "taxable": 1000.00,
            "tax_kind": "taxable",
            "tax_rate": 18.000,
            "taxes": _TAXES,
            "tax": 180.00,
            "total": 1180.00,
            "offers": [],
        }
    ],
    "tax_summary": [
        {
            "hsn_code": "9401",
            "tax_kind": "taxable",
            "tax_rate": 18.000,
            "taxable": 1000.00,
            "taxes": _TAXES,
            "tax": 180.00,
        }
    ],
    "payments": [
        {
            "id": "9e9f3f0e-1d9a-4f0e-8a53-0d9a3f1f0ccc",
            "method": "cash",
            "method_name": "Cash",
            "amount": 1180.00,
            "tendered": 1200.00,
            "change": 20.00,
            "reference": None,
            "received_at": "2026-11-21T09:30:00+00:00",
        }
    ],
    "credit_notes": [],
    "points": None,
    "note": "Deliver before Diwali",
    "reference": None,
    "terms": "Goods once sold are exchanged within 7 days.",
}

_POSTED = (
    "id",
    "location_id",
    "title",
    "number",
    "status",
    "due_date",
    "order_id",
    "delivery_id",
    "paid",
    "credited",
    "balance",
    "tendered",
    "change_due",
    "payments",
    "credit_notes",
    "points",
)

QUOTE: dict[str, Any] = {name: value for name, value in INVOICE.items() if name not in _POSTED}
