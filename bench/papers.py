"""Documents other than invoices, with the keys that the database answers.

tests/database/billing/test_printing.py compares these keys with those of the real answers.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bench import samples

Json = dict[str, Any]


def _goods(count: int | None = None, **changes: Any) -> Json:
    """A document of goods: the furniture sale, or so many lines."""
    if count is None:
        return samples.inter_state(**changes)
    names = [row[0] for row in samples.FURNITURE]
    rows = [
        samples.line(n, names[n % 5], f"{100 + n}.50", split=("IGST",), sku=f"SKU-{n:04}")
        for n in range(1, count + 1)
    ]
    return samples.invoice(
        rows,
        buyer=samples.MEHTA,
        supply_type="inter_state",
        place_of_supply={"code": "27", "name": "Maharashtra"},
        **changes,
    )


def _without(document: Json, *keys: str) -> Json:
    return {key: value for key, value in document.items() if key not in keys}


# What an invoice has of being paid, and of where it comes from.
_SETTLED = (
    "paid",
    "balance",
    "payments",
    "tendered",
    "change_due",
    "credited",
    "credit_notes",
    "points",
    "due_date",
)


def _offered(document: Json, *dropped: str, **added: Any) -> Json:
    """A document of goods that is no invoice, its lines with more fields."""
    made = _without(document, *_SETTLED, "delivery_id", *dropped)
    return {**made, "lines": [{**_without(row, "lots"), **added} for row in made["lines"]]}


def quotation(count: int | None = None, **changes: Any) -> Json:
    made = _offered(_goods(count), "location_id")
    return {
        **made,
        "sent_at": "2026-11-21T09:30:00+00:00",
        "answered_at": None,
        "reason": None,
        "revisions": [
            {
                "revision": 1,
                "total": made["total"],
                "status": "sent",
                "replaced_at": "2026-11-20T09:30:00+00:00",
            }
        ],
        "title": "Quotation",
        "number": "BLR/Q/26-27/0007",
        "status": "sent",
        "revision": 2,
        "valid_until": "2026-12-21",
        **changes,
    }


def order(count: int | None = None, **changes: Any) -> Json:
    zero = Decimal("0.000")
    made = _offered(_goods(count), "order_id", delivered=zero, invoiced=zero, reserved=zero)
    made["lines"] = [{**row, "open": row["quantity"]} for row in made["lines"]]
    advance = {
        "id": "p1",
        "number": "BLR/26-27/R00001",
        "method": "upi",
        "method_name": "UPI",
        "amount": Decimal("25000.00"),
        "reference": "UTR 4411",
        "received_at": "2026-11-21T09:30:00+00:00",
        "unallocated": Decimal("25000.00"),
    }
    log = [
        {
            "id": f"w{day}",
            "worked_on": f"2026-11-{day}",
            "note": note,
            "visible_to_customer": shown,
            "status": "in_production",
            "created_at": f"2026-11-{day}T09:30:00+00:00",
            "created_by": "u1",
        }
        for day, note, shown in ((22, "Frame cut and glued", True), (23, "Linen is late, call Ravi", False))
    ]
    return {
        **made,
        "quotation_id": "q1",
        "quotation_number": "BLR/Q/26-27/0007",
        "reservation_id": None,
        "ended_at": None,
        "reason": None,
        "deliveries": [],
        "invoices": [],
        "title": "Order Confirmation",
        "number": "BLR/O/26-27/0004",
        "status": "in_production",
        "confirmed_at": "2026-11-21T20:30:00+00:00",
        "payments": [advance],
        "advances": Decimal("25000.00"),
        "advance_paid": Decimal("25000.00"),
        "to_pay": made["total"] - Decimal("25000.00"),
        "work_log": log,
        **changes,
    }


def delivery(count: int | None = None, **changes: Any) -> Json:
    made = _offered(_goods(count), batch=None, lots=[])
    lines = [{**row, "ordered": row["quantity"] + 1, "to_follow": Decimal(1)} for row in made["lines"]]
    lines[0]["serials"] = [f"SN-{n:05}" for n in range(3)]
    return {
        **made,
        "title": "Delivery Note",
        "number": "BLR/D/26-27/0003",
        "status": "delivered",
        "delivered_at": "2026-11-21T09:30:00+00:00",
        "invoice_id": None,
        "order_number": "BLR/O/26-27/0004",
        "lines": lines,
        **changes,
    }


def credit_note(count: int | None = None, **changes: Any) -> Json:
    made = _offered(
        _goods(count),
        "status",
        "note",
        "terms",
        "reference",
        "location_id",
        "order_id",
        "document_discount_percent",
        disposition="restock",
    )
    made["lines"] = [_without(row, "offers") for row in made["lines"]]
    half = (made["total"] / 2).quantize(Decimal("0.01"))
    return {
        **made,
        "title": "Credit Note",
        "number": "BLR/C/26-27/0002",
        "invoice": {"id": "i1", "number": "BLR/26-27/000001", "date": "2026-11-20"},
        "reason": "Damaged in transit",
        "goods_return_id": None,
        "voids": False,
        "allocations": [{"invoice_id": "i1", "invoice_number": "BLR/26-27/000001", "amount": half}],
        "refunds": [
            {
                "id": "f1",
                "number": "BLR/R/1",
                "method": "bank_transfer",
                "amount": Decimal("1000.00"),
                "refunded_at": "2026-11-21T09:30:00+00:00",
            }
        ],
        "left": made["total"] - half - 1000,
        **changes,
    }


def payment(count: int | None = None, **changes: Any) -> Json:
    each = Decimal("1250.50")
    number = 2 if count is None else count
    settled = [
        {"invoice_id": f"i{n}", "invoice_number": f"BLR/26-27/{n:06}", "amount": each}
        for n in range(1, number + 1)
    ]
    return {
        "id": "p1",
        "number": "BLR/P/26-27/0009",
        "method": "upi",
        "method_name": "UPI",
        "amount": each * number + 500,
        "tendered": each * number + 500,
        "change": Decimal(0),
        "currency": "INR",
        "reference": "UTR 118822",
        "note": None,
        "received_at": "2026-11-21T09:30:00+00:00",
        "business_date": "2026-11-21",
        "timezone": "Asia/Kolkata",
        "reversed": None,
        "allocations": settled,
        "refunds": [],
        "unallocated": Decimal("500.00"),
        "charges": Decimal(0),
        "agreements": [
            {
                "id": "a1",
                "number": "BLR/26-27/A00001",
                "instalments": [3],
                "amount": Decimal("4120.00"),
                "status": "active",
                "as_of": "2026-11-21",
                "outstanding": Decimal("8240.00"),
                "next_due": {"due_on": "2026-12-21", "amount": Decimal("4120.00")},
            }
        ],
        "org_id": "o1",
        "branch_id": "b1",
        "customer_id": "c1",
        "order_id": None,
        "tax_regime": "gst",
        "seller": samples.TEAK,
        "buyer": samples.MEHTA,
        **changes,
    }


def statement(count: int | None = None, **changes: Any) -> Json:
    """An account of alternating invoices and payments."""
    opening = Decimal("1200.00")
    rows: list[Json] = []
    balance = opening
    for n in range(6 if count is None else count):
        paid = n % 3 == 2
        amount = Decimal(f"{900 + n}.25")
        balance += -amount if paid else amount
        rows.append(
            {
                "date": str(date(2026, 10, 1) + timedelta(days=n % 50)),
                "kind": "payment" if paid else "invoice",
                "id": f"e{n}",
                "branch_id": "b1",
                "number": f"BLR/26-27/{n:06}",
                "reference": "UTR 118822" if paid else None,
                "method": "points" if n == 2 else "bank_transfer" if paid else None,
                "debit": Decimal(0) if paid else amount,
                "credit": amount if paid else Decimal(0),
                "balance": balance,
            }
        )
    debits = sum((row["debit"] for row in rows), Decimal(0))
    credited = sum((row["credit"] for row in rows), Decimal(0))
    return {
        "customer_id": "c1",
        "customer": samples.MEHTA,
        "seller": {
            "name": "Teak & Thread",
            "legal_name": "Teak & Thread Furniture LLP",
            "tax_regime": "gst",
        },
        "org_id": "o1",
        "branches": ["b1"],
        "open_invoices": [
            {
                "invoice_id": f"i{n}",
                "number": f"BLR/25-26/{n:06}",
                "instalment": None,
                "date": "2026-07-01",
                "due_date": "2026-07-31",
                "total": Decimal("900.00"),
                "balance": Decimal("100.00"),
                "age": "over_90",
            }
            for n in range(3)
        ],
        "currency": "INR",
        "from": "2026-10-01",
        "to": "2026-11-30",
        "opening": opening,
        "debits": debits,
        "credits": credited,
        "closing": balance,
        "lines": rows,
        "ageing": {
            "current": balance - 300,
            "days_1_30": Decimal("100.00"),
            "days_31_60": Decimal("100.00"),
            "days_61_90": Decimal(0),
            "over_90": Decimal("100.00"),
        },
        "owed": balance,
        "unallocated": Decimal(0),
        "charges_due": Decimal("148.60"),
        "complete": True,
        **changes,
    }


def agreement(count: int | None = None, **changes: Any) -> Json:
    number = 6 if count is None else count
    principal, interest = Decimal("4000.00"), Decimal("120.00")
    schedule: list[Json] = [
        {
            "no": n,
            "due_on": str(date(2026, 12, 5) + timedelta(days=30 * (n - 1))),
            "status": "paid" if n == 1 and number > 1 else "overdue" if n == 2 else "pending",
            "principal": principal,
            "principal_paid": principal if n == 1 and number > 1 else Decimal(0),
            "interest": interest,
            "interest_paid": interest if n == 1 and number > 1 else Decimal(0),
            "fee": Decimal("250.00") if n == 1 else Decimal(0),
            "fee_paid": Decimal("250.00") if n == 1 and number > 1 else Decimal(0),
            "late_fee": Decimal(0),
            "late_fee_paid": Decimal(0),
            "total": principal + interest + (250 if n == 1 else 0),
            "paid": principal + interest + 250 if n == 1 and number > 1 else Decimal(0),
            "outstanding": Decimal(0) if n == 1 and number > 1 else principal + interest,
        }
        for n in range(1, number + 1)
    ]
    total = sum((row["total"] for row in schedule), Decimal(0))
    paid = sum((row["paid"] for row in schedule), Decimal(0))
    return {
        "id": "a1",
        "org_id": "o1",
        "branch_id": "b1",
        "customer_id": "c1",
        "credit_status": "active",
        "invoice_id": "i1",
        "replaces_id": None,
        "replaced_by_id": None,
        "reason": None,
        "today": "2027-01-20",
        "due_now": Decimal("4120.00"),
        "overdue": Decimal("4120.00"),
        "next_due": {"no": 2, "due_on": "2027-01-04", "amount": Decimal("4120.00")},
        "settlement_amount": total - paid,
        "customer_name": "Mehta Interiors Pvt Ltd",
        "invoice_number": "BLR/26-27/000001",
        "number": "BLR/A/26-27/0001",
        "status": "active",
        "currency": "INR",
        "opened_on": "2026-11-21",
        "terms": {
            "deposit": 5000,
            "count": number,
            "interval": "month",
            "first_due_on": "2026-12-05",
            "interest": {"kind": "flat", "annual_percent": 12},
            "fees": [{"name": "Processing fee", "amount": 250}],
            "grace_days": 5,
            "late_fee": 200,
            "default_after_days": 60,
            "remind_days_before": 3,
        },
        "financed": principal * number,
        "interest": interest * number,
        "fees": Decimal("250.00"),
        "late_fees": Decimal(0),
        "total": total,
        "paid": paid,
        "outstanding": total - paid,
        "seller": {**samples.TEAK, "tax_regime": "gst"},
        "buyer": samples.MEHTA,
        "schedule": schedule,
        **changes,
    }


ALL: dict[str, Callable[..., Json]] = {
    "invoice": _goods,
    "receipt": _goods,
    "quotation": quotation,
    "order": order,
    "delivery": delivery,
    "credit_note": credit_note,
    "payment": payment,
    "statement": statement,
    "agreement": agreement,
}


HINDI_LINES = ("सागौन का सोफ़ा, तीन सीट", "शीशम की मेज़", "ऊनी हाथ से बुना गलीचा")
HINDI_ADDRESS = {
    "line1": "१२, सौ फ़ुट मार्ग",
    "line2": "इंदिरानगर",
    "city": "बेंगलुरु",
    "region_code": "29",
    # What comes from the database's own tables is English there, and Hindi on the paper.
    "region_name": "Karnataka",
    "postal_code": "560038",
    "country": "IN",
    "country_name": "India",
}
HINDI_SELLER = {
    **samples.TEAK,
    "name": "सागौन और धागा",
    "legal_name": "सागौन और धागा फ़र्नीचर",
    "branch_name": "इंदिरानगर",
    "address": HINDI_ADDRESS,
    "email": None,
    "upi_id": None,
}
HINDI_BUYER = {**samples.MEHTA, "name": "श्री कीर्ति ट्रेडर्स", "address": HINDI_ADDRESS, "email": None}


def in_hindi(kind: str, count: int | None = None) -> Json:
    """A document whose data are Hindi too, so that whatever is English in it was printed by us."""
    made = ALL[kind](count)
    texts = {
        "note": "सोमवार को सुपुर्दगी",
        "terms": "सात दिन में वापसी",
        "reason": "टूटा हुआ",
        "reference": "क्रम ४४",
    }
    for key, text in texts.items():
        if made.get(key):
            made[key] = text
    made["seller"] = {key: HINDI_SELLER.get(key, value) for key, value in made["seller"].items()}
    made["customer" if kind == "statement" else "buyer"] = HINDI_BUYER
    if "place_of_supply" in made:
        made["place_of_supply"] = {"code": "29", "name": "Karnataka"}
    if "terms" in made and kind == "agreement":
        made["terms"] = {**ALL[kind](count)["terms"], "fees": [{"name": "प्रक्रिया शुल्क", "amount": 250}]}
    if kind == "statement":
        made["lines"] = [{**row, "reference": None} for row in made["lines"]]
    elif "lines" in made:
        made["lines"] = [
            {
                **row,
                "description": HINDI_LINES[n % 3],
                "sku": f"{n:04}",
                "serials": None,
            }
            for n, row in enumerate(made["lines"])
        ]
    for row in made.get("work_log", []):
        row["note"] = "चौखट तैयार"
    for row in made.get("payments", []):
        row["reference"] = None
    return made


def invoice_of(seller: str) -> Json:
    """An invoice whose seller has a name and whose number is as bad."""
    made = _goods()
    return {**made, "number": seller, "seller": {**made["seller"], "name": seller}}
