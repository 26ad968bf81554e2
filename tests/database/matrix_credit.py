"""The rows of the permission table for sales on credit: see `matrix.py`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.database.matrix_kinds import Act, Place, Table
from tests.support.personas import new_id


def _terms() -> dict[str, Any]:
    return {"count": 2, "first_due_on": datetime.now(UTC).date() + timedelta(days=2)}


def _owed(place: Place) -> int:
    """What settles the agreement of the branch: the price and the fee that is open beside it."""
    return 591 if place.house is place.world.teak else 13


def _agreement(place: Place) -> Any:
    return place.house.documents[f"agreement@{place.branch.code}"]


CREDIT_ACTS: dict[str, Act] = {
    "quote_credit": Act(
        None,
        "own",
        lambda _: {"p_amount": 100, "p_terms": _terms(), "p_date": datetime.now(UTC).date()},
    ),
    "open_credit_sale": Act(
        "credit.sell",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_invoice_id": place.house.documents[f"owed@{place.branch.code}"],
            "p_terms": _terms(),
        },
    ),
    "pay_agreement": Act(
        "payment.record",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_agreement_id": _agreement(place),
            "p_amount": 5,
            "p_method": "cash",
        },
    ),
    "settle_early": Act(
        "payment.record",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_agreement_id": _agreement(place),
            "p_amount": _owed(place),
            "p_method": "cash",
        },
    ),
    "reschedule": Act(
        "credit.override",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_agreement_id": _agreement(place),
            "p_terms": _terms(),
            "p_reason": "Lost his job",
        },
    ),
    "waive_charge": Act(
        "credit.override",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_agreement_id": _agreement(place),
            "p_no": 1,
            "p_component": "fee",
            "p_amount": 1,
            "p_reason": "Our mistake",
        },
    ),
    "run_overdue": Act("credit.override", "org", lambda place: {"p_org_id": place.house.id}),
    "get_agreement": Act("invoice.read", "branch", lambda place: {"p_id": _agreement(place)}),
    "instalments_due": Act(
        "report.read",
        "branch",
        lambda place: {"p_org_id": place.house.id, "p_branch_id": place.branch.id},
    ),
    "instalments_overdue": Act(
        "report.read",
        "branch",
        lambda place: {"p_org_id": place.house.id, "p_branch_id": place.branch.id},
    ),
    "check_books": Act("audit.read", "org", lambda place: {"p_org_id": place.house.id}),
}

CREDIT_TABLES: dict[str, Table] = {
    "credit_agreements": Table("invoice.read", "branch"),
    "instalments": Table("invoice.read", "branch"),
    "credit_charges": Table("invoice.read", "branch"),
    "credit_settlements": Table("invoice.read", "branch"),
    "credit_reminders": Table("invoice.read", "branch"),
}
