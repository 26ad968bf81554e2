"""The rows of the permission table for stock: see `matrix.py`."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.database.matrix_kinds import Act, Place, Table
from tests.support.personas import new_id


def _document(place: Place, name: str) -> UUID:
    """A document of the place's branch: see `House.documents`."""
    return place.house.documents[f"{name}@{place.branch.code}"]


def _count(status: str, **more: Any) -> Callable[[Place], dict[str, Any]]:
    """The arguments of an act on the branch's count that has this status."""
    return lambda place: {"p_id": new_id(), "p_count_id": place.count(status)} | more


INVENTORY_ACTS: dict[str, Act] = {
    "check_stock": Act("audit.read", "org", lambda place: {"p_org_id": place.house.id}),
    "check_integrity": Act("audit.read", "org", lambda place: {"p_org_id": place.house.id}),
    "availability": Act(
        "stock.read",
        "org",
        lambda place: {"p_org_id": place.house.id, "p_variant_ids": [place.goods]},
        hidden=True,
    ),
    "scan": Act(
        "catalogue.read",
        "org",
        lambda place: {"p_code": place.sku, "p_org_id": place.house.id},
        hidden=True,
    ),
    "serial_history": Act(
        "stock.read",
        "branch",
        lambda place: {
            "p_org_id": place.house.id,
            "p_variant_id": place.pieces,
            "p_serial": f"{place.branch.code}-1",
        },
    ),
    "adjust_stock": Act(
        "stock.adjust",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_location_id": place.branch.showroom,
            "p_variant_id": place.goods,
            "p_quantity": 1,
            "p_reason": "found",
        },
    ),
    "stock_changes": Act("stock.read", "branch", lambda place: {"p_branch_ids": [place.branch.id]}),
    "return_goods": Act(
        "sale.return",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_invoice_id": place.house.invoices[place.branch.code],
            "p_location_id": place.branch.showroom,
            "p_lines": [{"line_no": 1, "quantity": 1}],
            "p_reason": "Damaged",
        },
    ),
    "reserve_stock": Act(
        "stock.reserve",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_location_id": place.branch.showroom,
            "p_lines": [{"variant_id": place.goods, "quantity": 1}],
        },
    ),
    "release_reservation": Act(
        "stock.reserve",
        "branch",
        lambda place: {"p_id": new_id(), "p_reservation_id": _document(place, "reservation")},
    ),
    "shorten_reservation": Act(
        "stock.reserve",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_reservation_id": _document(place, "reservation"),
            "p_lines": [{"variant_id": place.reserved, "quantity": 1}],
        },
    ),
    "get_reservation": Act("stock.read", "branch", lambda place: {"p_id": _document(place, "reservation")}),
    "create_transfer": Act(
        "transfer.manage",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_from_location_id": place.branch.showroom,
            "p_to_location_id": place.branch.warehouse,
            "p_lines": [{"variant_id": place.goods, "quantity": 1}],
        },
    ),
    "transfer_destinations": Act("transfer.manage", "org", lambda place: {"p_org_id": place.house.id}),
    "dispatch_transfer": Act(
        "transfer.manage",
        "branch",
        lambda place: {"p_id": new_id(), "p_transfer_id": _document(place, "draft")},
    ),
    "receive_transfer": Act(
        "transfer.receive",
        "branch",
        lambda place: {"p_id": new_id(), "p_transfer_id": _document(place, "road")},
    ),
    "cancel_transfer": Act(
        "transfer.manage",
        "branch",
        lambda place: {"p_id": new_id(), "p_transfer_id": _document(place, "draft"), "p_reason": "No van"},
    ),
    "get_transfer": Act("stock.read", "branch", lambda place: {"p_id": _document(place, "road")}),
    "start_count": Act(
        "count.manage",
        "branch",
        lambda place: {"p_id": new_id(), "p_location_id": place.branch.showroom, "p_kind": "full"},
    ),
    "record_count": Act(
        "count.record",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_count_id": place.count("counting"),
            "p_lines": [{"variant_id": place.goods, "quantity": 1}],
        },
    ),
    "void_count_entry": Act(
        "count.record", "branch", lambda place: {"p_id": new_id(), "p_entry_id": place.count("entry")}
    ),
    "submit_count": Act("count.manage", "branch", _count("counting")),
    "recount": Act("count.manage", "branch", _count("submitted")),
    "approve_count": Act("count.approve", "branch", _count("submitted")),
    "post_count": Act("count.approve", "branch", _count("approved")),
    "cancel_count": Act("count.manage", "branch", _count("submitted")),
    "get_count": Act("stock.read", "branch", lambda place: {"p_id": place.count("counting")}),
    "save_reorder_rule": Act(
        "stock.plan",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_location_id": place.branch.showroom,
            "p_variant_id": place.goods,
            "p_reorder_point": 2,
            "p_reorder_quantity": 5,
            "p_lead_time_days": 7,
        },
    ),
    "remove_reorder_rule": Act(
        "stock.plan",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_location_id": place.branch.warehouse,
            "p_variant_id": place.house.variants["pot" if place.house is place.world.teak else "filter"],
        },
    ),
    "acknowledge_alert": Act(
        "stock.alert",
        "branch",
        lambda place: {"p_id": new_id(), "p_alert_id": place.house.alerts[place.branch.code]},
    ),
    "abc_analysis": Act("stock.plan", "branch", lambda place: {"p_branch_id": place.branch.id}),
    "reorder_suggestions": Act("stock.plan", "branch", lambda place: {"p_branch_id": place.branch.id}),
}

INVENTORY_TABLES: dict[str, Table] = {
    "integrity_checks": Table("audit.read", "org"),
    "stock_levels": Table("stock.read", "branch"),
    "stock_movements": Table("stock.read", "branch"),
    "stock_adjustments": Table("stock.read", "branch"),
    "batches": Table("stock.read", "org"),
    "batch_levels": Table("stock.read", "branch"),
    "stock_units": Table("stock.read", "branch"),
    "goods_returns": Table("invoice.read", "branch"),
    "goods_return_lines": Table("invoice.read", "branch"),
    "stock_reservations": Table("stock.read", "branch"),
    "stock_reservation_lines": Table("stock.read", "branch"),
    "stock_reservation_items": Table("stock.read", "branch"),
    "stock_transfers": Table("stock.read", "branch"),
    "stock_transfer_lines": Table("stock.read", "branch"),
    "stock_transfer_items": Table("stock.read", "branch"),
    "stock_transfer_receipts": Table("stock.read", "branch"),
    "stock_transfer_receipt_items": Table("stock.read", "branch"),
    "stock_counts": Table("stock.read", "branch"),
    "stock_count_lines": Table("stock.read", "branch"),
    "stock_count_figures": Table("stock.read", "branch"),
    "stock_count_entries": Table("stock.read", "branch"),
    "reorder_rules": Table("stock.plan", "branch"),
    "stock_alerts": Table("stock.alert", "branch"),
}
