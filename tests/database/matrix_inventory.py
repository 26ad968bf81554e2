"""The rows of the permission table for stock: see `matrix.py`."""

from uuid import UUID

from tests.database.matrix_kinds import Act, Place, Table
from tests.support.personas import new_id


def _document(place: Place, name: str) -> UUID:
    """A document of the place's branch: see `House.documents`."""
    return place.house.documents[f"{name}@{place.branch.code}"]


INVENTORY_ACTS: dict[str, Act] = {
    "check_stock": Act("audit.read", "org", lambda place: {"p_org_id": place.house.id}),
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
}

INVENTORY_TABLES: dict[str, Table] = {
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
}
