"""The rows of the permission table for customers' accounts, reports and tills: see `matrix.py`."""

from typing import Any

from tests.database.matrix_kinds import Act, Place, Table
from tests.support.personas import new_id

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


REPORT_ACTS: dict[str, Act] = {
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

REPORT_TABLES: dict[str, Table] = {
    "customer_addresses": Table("customer.read", "org", "customer.manage"),
    "till_shifts": Table("report.read", "branch"),
    "till_cash_movements": Table("report.read", "branch"),
}
