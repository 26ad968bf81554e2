"""Documents other than invoices, in the shapes that the database answers."""

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


def quotation(count: int | None = None, **changes: Any) -> Json:
    made = _without(_goods(count), "paid", "balance", "payments", "tendered", "change_due")
    return {
        **made,
        "title": "Quotation",
        "number": "BLR/Q/26-27/0007",
        "status": "sent",
        "revision": 2,
        "valid_until": "2026-12-21",
        **changes,
    }


def order(count: int | None = None, **changes: Any) -> Json:
    made = _goods(count)
    advance = {**made["payments"][0], "amount": Decimal("25000.00"), "method": "upi", "reference": "UTR 4411"}
    log = [
        {"worked_on": "2026-11-22", "note": "Frame cut and glued", "visible_to_customer": True},
        {"worked_on": "2026-11-23", "note": "Linen is late, call Ravi", "visible_to_customer": False},
    ]
    return {
        **_without(made, "paid", "balance"),
        "title": "Order Confirmation",
        "number": "BLR/O/26-27/0004",
        "status": "in_production",
        "confirmed_at": "2026-11-21T20:30:00+00:00",
        "payments": [advance],
        "advances": Decimal("25000.00"),
        "work_log": log,
        **changes,
    }


def delivery(count: int | None = None, **changes: Any) -> Json:
    made = _without(_goods(count), "paid", "balance", "payments")
    lines = [{**row, "ordered": row["quantity"] + 1} for row in made["lines"]]
    lines[0]["serials"] = [f"SN-{n:05}" for n in range(3)]
    return {
        **made,
        "title": "Delivery Note",
        "number": "BLR/D/26-27/0003",
        "status": "delivered",
        "order_number": "BLR/O/26-27/0004",
        "lines": lines,
        **changes,
    }


def credit_note(count: int | None = None, **changes: Any) -> Json:
    made = _without(_goods(count), "paid", "balance", "payments", "status", "note", "terms", "reference")
    half = (made["total"] / 2).quantize(Decimal("0.01"))
    return {
        **made,
        "title": "Credit Note",
        "number": "BLR/C/26-27/0002",
        "invoice": {"id": "i1", "number": "BLR/26-27/000001", "date": "2026-11-20"},
        "reason": "Damaged in transit",
        "allocations": [{"invoice_id": "i1", "invoice_number": "BLR/26-27/000001", "amount": half}],
        "refunds": [
            {"id": "f1", "number": "BLR/R/1", "method": "bank_transfer", "amount": Decimal("1000.00")}
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
                "number": f"BLR/26-27/{n:06}",
                "reference": "UTR 118822" if paid else None,
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
        "seller": {"name": "Teak & Thread", "legal_name": "Teak & Thread Furniture LLP"},
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
            "interest": interest,
            "fee": Decimal("250.00") if n == 1 else Decimal(0),
            "late_fee": Decimal(0),
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
        "seller": samples.TEAK,
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


HINDI_LINES = (("सागौन का सोफ़ा, तीन सीट", "इकाई"), ("शीशम की मेज़", "इकाई"), ("ऊनी हाथ से बुना गलीचा", "मीटर"))
HINDI_ADDRESS = {
    "line1": "१२, सौ फ़ुट मार्ग",
    "line2": "इंदिरानगर",
    "city": "बेंगलुरु",
    "region_code": "29",
    "region_name": "कर्नाटक",
    "postal_code": "560038",
    "country": "IN",
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
    made["seller"] = HINDI_SELLER
    made["customer" if kind == "statement" else "buyer"] = HINDI_BUYER
    if "place_of_supply" in made:
        made["place_of_supply"] = {"code": "29", "name": "कर्नाटक"}
    if "terms" in made and kind == "agreement":
        made["terms"] = {**ALL[kind](count)["terms"], "fees": [{"name": "प्रक्रिया शुल्क", "amount": 250}]}
    if kind == "statement":
        made["lines"] = [{**row, "reference": None} for row in made["lines"]]
    elif "lines" in made:
        made["lines"] = [
            {
                **row,
                "description": HINDI_LINES[n % 3][0],
                "unit": HINDI_LINES[n % 3][1],
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
