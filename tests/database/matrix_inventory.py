"""The rows of the permission table for stock: see `matrix.py`."""

from tests.database.matrix_kinds import Act, Table
from tests.support.personas import new_id

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
}
