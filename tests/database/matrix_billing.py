"""The rows of the permission table for billing: see `matrix.py`."""

from typing import Any

from tests.database.matrix_kinds import Act, Place, Table
from tests.support.personas import new_id


def _exchange(place: Place) -> dict[str, Any]:
    sold = {"BLR": "sofa", "MUM": "lamp", "LON": "pump"}[place.branch.code]
    return {
        "p_id": new_id(),
        "p_invoice_id": place.house.invoices[place.branch.code],
        "p_return_lines": None,
        "p_branch_id": place.branch.id,
        "p_location_id": place.branch.showroom,
        "p_lines": [{"variant_id": place.house.variants[sold], "quantity": 1}],
        "p_payments": [],
    }


PERIOD = {"p_from": "2026-01-01", "p_to": "2026-12-31"}


def _report(place: Place) -> dict[str, Any]:
    return {"p_org_id": place.house.id, "p_branch_id": place.branch.id}


def _merge(place: Place) -> dict[str, Any]:
    merged = "unknown" if "unknown" in place.house.customers else "domestic"
    return {
        "p_id": new_id(),
        "p_keep_id": place.house.customers["abroad"],
        "p_merge_id": place.house.customers[merged],
    }


BILLING_ACTS: dict[str, Act] = {
    "record_payment": Act(
        "payment.record",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_customer_id": place.house.customers["abroad"],
            "p_amount": 5,
            "p_method": "cash",
            "p_options": {"branch_id": place.branch.id},
        },
    ),
    "allocate_payment": Act(
        "payment.record",
        "branch",
        lambda place: {"p_id": new_id(), "p_payment_id": place.house.payments[place.branch.code]},
    ),
    "reverse_payment": Act(
        "payment.reverse",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_payment_id": place.house.payments[place.branch.code],
            "p_reason": "Bounced",
        },
    ),
    "refund": Act(
        "refund.create",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_customer_id": None,
            "p_amount": 1,
            "p_method": "cash",
            "p_options": {"payment_id": place.house.payments[place.branch.code]},
        },
    ),
    "get_payment": Act(
        "invoice.read", "branch", lambda place: {"p_id": place.house.payments[place.branch.code]}
    ),
    "issue_credit_note": Act(
        "credit_note.create",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_invoice_id": place.house.invoices[place.branch.code],
            "p_lines": None,
            "p_reason": "Damaged",
            "p_options": {"refund": {"method": "cash"}},
        },
    ),
    "apply_credit_note": Act(
        "payment.record",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_credit_note_id": place.house.credit_notes[place.branch.code],
            "p_allocations": [],
        },
    ),
    "get_credit_note": Act(
        "invoice.read", "branch", lambda place: {"p_id": place.house.credit_notes[place.branch.code]}
    ),
    "void_sale": Act(
        "credit_note.same_day",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_invoice_id": place.house.invoices[place.branch.code],
            "p_reason": "Wrong customer",
        },
    ),
    "post_exchange": Act("credit_note.create", "branch", _exchange),
    "check_books": Act("audit.read", "org", lambda place: {"p_org_id": place.house.id}),
    "set_payment_terms": Act(
        "customer.credit",
        "org",
        lambda place: {"p_customer_id": place.house.customers["abroad"], "p_days": 30},
    ),
    "merge_customers": Act("customer.merge", "org", _merge),
    "customer_history": Act(
        "invoice.read", "org", lambda place: {"p_customer_id": place.house.customers["abroad"]}
    ),
    "statement": Act(
        "invoice.read",
        "org",
        lambda place: {"p_customer_id": place.house.customers["abroad"], **PERIOD},
    ),
    "outstanding": Act("report.read", "branch", _report),
    "ageing": Act("report.read", "branch", _report),
    "revenue": Act("report.read", "branch", lambda place: _report(place) | PERIOD),
    "sales_summary": Act("report.read", "branch", lambda place: _report(place) | PERIOD),
    "top_sellers": Act("report.read", "branch", lambda place: _report(place) | PERIOD),
    "open_shift": Act(
        "shift.manage", "branch", lambda place: {"p_id": new_id(), "p_branch_id": place.branch.id}
    ),
    # The world's shifts are somebody's who has left: only who holds report.read may touch them.
    "move_cash": Act(
        "report.read",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_shift_id": place.house.documents[f"shift@{place.branch.code}"],
            "p_kind": "cash_out",
            "p_amount": 1,
            "p_reason": "To the bank",
        },
    ),
    "close_shift": Act(
        "report.read",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_shift_id": place.house.documents[f"shift@{place.branch.code}"],
            "p_counted": {"cash": 5},
        },
    ),
    "shift_report": Act(
        "report.read",
        "branch",
        lambda place: {"p_shift_id": place.house.documents[f"shift@{place.branch.code}"]},
    ),
}

BILLING_TABLES: dict[str, Table] = {
    "payment_reversals": Table("invoice.read", "branch"),
    "refunds": Table("invoice.read", "branch"),
    "refund_sources": Table("invoice.read", "branch"),
    "credit_notes": Table("invoice.read", "branch"),
    "credit_note_lines": Table("invoice.read", "branch"),
    "credit_note_allocations": Table("invoice.read", "branch"),
    "customer_addresses": Table("customer.read", "org", "customer.manage"),
    "till_shifts": Table("report.read", "branch"),
    "till_cash_movements": Table("report.read", "branch"),
}
