"""The rows of the permission table for billing: see `matrix.py`."""

from datetime import UTC, datetime, timedelta
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


def _terms() -> dict[str, Any]:
    return {"count": 2, "first_due_on": datetime.now(UTC).date() + timedelta(days=2)}


def _owed(place: Place) -> int:
    """What settles the agreement of the branch: the price and the fee that is open beside it."""
    return 591 if place.house is place.world.teak else 13


def _agreement(place: Place) -> Any:
    return place.house.documents[f"agreement@{place.branch.code}"]


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

BILLING_TABLES: dict[str, Table] = {
    "payment_reversals": Table("invoice.read", "branch"),
    "refunds": Table("invoice.read", "branch"),
    "refund_sources": Table("invoice.read", "branch"),
    "credit_notes": Table("invoice.read", "branch"),
    "credit_note_lines": Table("invoice.read", "branch"),
    "credit_note_allocations": Table("invoice.read", "branch"),
    "credit_agreements": Table("invoice.read", "branch"),
    "instalments": Table("invoice.read", "branch"),
    "credit_charges": Table("invoice.read", "branch"),
    "credit_settlements": Table("invoice.read", "branch"),
    "credit_reminders": Table("invoice.read", "branch"),
}
