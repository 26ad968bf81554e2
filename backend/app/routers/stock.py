"""Inventory: levels, the ledger beneath them, and adjustments."""

from backend.app.core.resource import Act, Resource, add_act, add_resource, room_router
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
