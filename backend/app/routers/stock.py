"""Inventory: levels, what changed in them, the ledger beneath them, and adjustments."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import changes
from backend.app.schemas import stock as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/stock",
        table="stock_levels",
        noun="stock level",
        plural="stock levels",
        row=schemas.StockLevel,
        query=schemas.StockLevelQuery,
        key=("location_id", "variant_id"),
        one_by_one=False,
    ),
)

add_resource(
    router,
    Resource(
        path="/movements",
        table="stock_movements",
        noun="stock movement",
        plural="stock movements",
        row=schemas.StockMovement,
        query=schemas.StockMovementQuery,
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/adjustments",
        rpc="adjust_stock",
        arguments={
            "p_id": "id",
            "p_location_id": "location_id",
            "p_variant_id": "variant_id",
            "p_quantity": "quantity",
            "p_reason": "reason",
            "p_unit_cost": "unit_cost",
            "p_options": "options",
        },
        request=schemas.AdjustmentRequest,
        response=schemas.Adjustment,
        summary="Adjust stock",
        description="Adds stock or takes it away, with a reason, and answers the level after it. "
        "The same request again changes nothing. Permission: stock.adjust.",
        status=201,
    ),
)

add_lookup(
    router,
    Lookup(
        path="/stock/changes",
        rpc="stock_changes",
        arguments={"p_branch_ids": "branch_id", "p_cursor": "cursor", "p_limit": "limit"},
        query=changes.ChangesQuery,
        response=changes.Changes,
        summary="Catch up with stock",
        description="Every level that changed since the last visit, as it is now: for those who listen to "
        "Realtime and were away, and for those who only ask. Permission: stock.read.",
    ),
)
