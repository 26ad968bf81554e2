"""The rows of the permission table for billing: see `matrix.py`."""

from typing import Any

from tests.database.matrix_kinds import Act, Place, Table
from tests.support.personas import new_id


def _september(place: Place) -> dict[str, Any]:
    """The arguments of a register of one registration."""
    return {
        "p_org_id": place.house.id,
        "p_from": "2026-09-01",
        "p_to": "2026-09-30",
        "p_branch_id": place.branch.id,
    }


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


def _home(place: Place) -> str:
    """The branch's own region: who may not change a price sells at the tax of his own."""
    return place.branch.region or "GB"


def _document(place: Place, key: str) -> dict[str, Any]:
    return {
        "p_id": new_id(),
        key: None,
        "p_branch_id": place.branch.id,
        "p_customer_id": place.house.customers["abroad"],
        "p_lines": [{"variant_id": place.goods, "quantity": 1}],
        "p_options": {"place_of_supply": _home(place)},
    }


def _draft(place: Place) -> dict[str, Any]:
    document = _document(place, "p_order_id")
    del document["p_order_id"]
    options = {"place_of_supply": _home(place), "draft": True, "location_id": place.branch.showroom}
    return document | {"p_options": options}


def _on(place: Place, kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {"p_id": new_id(), f"p_{kind}_id": place.paper(f"{kind}:{status}"), **more}


BILLING_ACTS: dict[str, Act] = {
    "gstr1": Act("report.read", "branch", _september),
    "vat_return": Act("report.read", "branch", _september),
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
    "release_payment": Act(
        "payment.reverse",
        "branch",
        lambda place: {"p_id": new_id(), "p_payment_id": place.paper("paid")},
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
    "save_quotation": Act("quotation.manage", "branch", lambda place: _document(place, "p_quotation_id")),
    "send_quotation": Act("quotation.manage", "branch", lambda place: _on(place, "quotation", "draft")),
    "approve_quotation": Act("quotation.approve", "branch", lambda place: _on(place, "quotation", "sent")),
    "reject_quotation": Act(
        "quotation.approve", "branch", lambda place: _on(place, "quotation", "sent", p_reason="Too dear")
    ),
    "convert_quotation": Act("order.manage", "branch", lambda place: _on(place, "quotation", "approved")),
    "get_quotation": Act("quotation.manage", "branch", lambda place: {"p_id": place.paper("quotation:sent")}),
    "save_order": Act("order.manage", "branch", lambda place: _document(place, "p_order_id")),
    "confirm_order": Act(
        "order.manage",
        "branch",
        lambda place: _on(place, "order", "draft", p_options={"location_id": place.branch.showroom}),
    ),
    "hold_order": Act("order.manage", "branch", lambda place: _on(place, "order", "confirmed")),
    "mark_order": Act(
        "order.manage", "branch", lambda place: _on(place, "order", "confirmed", p_status="in_production")
    ),
    "log_work": Act(
        "order.manage", "branch", lambda place: _on(place, "order", "confirmed", p_note="Cut the legs")
    ),
    "cancel_order": Act(
        "order.manage", "branch", lambda place: _on(place, "order", "confirmed", p_reason="Moved away")
    ),
    "get_order": Act("order.deliver", "branch", lambda place: {"p_id": place.paper("order:confirmed")}),
    "deliver_order": Act(
        "order.deliver",
        "branch",
        lambda place: _on(place, "order", "confirmed", p_location_id=place.branch.showroom),
    ),
    "get_delivery": Act("order.deliver", "branch", lambda place: {"p_id": place.paper("delivery")}),
    "get_delivery_paper": Act("order.deliver", "branch", lambda place: {"p_id": place.paper("delivery")}),
    "get_invoice_paper": Act(
        "invoice.read", "branch", lambda place: {"p_id": place.house.invoices[place.branch.code]}, hidden=True
    ),
    "create_invoice": Act("invoice.create", "branch", lambda place: _draft(place) | {"p_id": new_id()}),
    "save_invoice_draft": Act(
        "invoice.create",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_invoice_id": place.paper("invoice:draft"),
            "p_customer_id": place.house.customers["abroad"],
            "p_lines": [{"variant_id": place.goods, "quantity": 1}],
            "p_options": {"location_id": place.branch.showroom, "place_of_supply": _home(place)},
        },
    ),
    "invoice_order": Act("invoice.create", "branch", lambda place: _on(place, "order", "delivered")),
    "set_invoice_status": Act(
        "invoice.create",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_invoice_id": place.paper("invoice:draft"),
            "p_status": "void",
        },
    ),
    "redeem_points": Act(
        "payment.record",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_invoice_id": place.house.debts[place.branch.code],
            "p_amount": 5,
        },
    ),
    "adjust_points": Act(
        "loyalty.manage",
        "org",
        lambda place: {
            "p_id": new_id(),
            "p_customer_id": place.house.customers["member"],
            "p_points": 5,
            "p_reason": "Sorry for the wait",
        },
    ),
    "loyalty_balance": Act(
        "customer.read", "org", lambda place: {"p_customer_id": place.house.customers["member"]}
    ),
    "loyalty_statement": Act(
        "customer.read", "org", lambda place: {"p_customer_id": place.house.customers["member"]}
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
    "promotions": Table("catalogue.read", "org", "offer.manage"),
    "promotion_targets": Table("catalogue.read", "org", "offer.manage", deletes=True),
    "coupons": Table("offer.manage", "org", "offer.manage"),
    "coupon_uses": Table("invoice.read", "branch"),
    "loyalty_programs": Table("customer.read", "org", "loyalty.manage"),
    "loyalty_rules": Table("customer.read", "org", "loyalty.manage"),
    "loyalty_entries": Table("customer.read", "org"),
    "tax_thresholds": Table("anyone", None),
    "quotations": Table("quotation.manage", "branch"),
    "quotation_lines": Table("quotation.manage", "branch"),
    "quotation_revisions": Table("quotation.manage", "branch"),
    "sales_orders": Table("order.deliver", "branch"),
    "sales_order_lines": Table("order.deliver", "branch"),
    "sales_order_log": Table("order.deliver", "branch"),
    "deliveries": Table("order.deliver", "branch"),
    "delivery_lines": Table("order.deliver", "branch"),
}
