"""Pieces with a serial number, and batches."""

from backend.app.core.resource import Lookup, Resource, add_lookup, add_resource, room_router
from backend.app.schemas import tracking as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/units",
        table="stock_units",
        noun="stock unit",
        plural="stock units",
        row=schemas.StockUnit,
        query=schemas.StockUnitQuery,
        key=("variant_id", "serial"),
        one_by_one=False,
    ),
)

add_lookup(
    router,
    Lookup(
        path="/units/history",
        rpc="serial_history",
        arguments={"p_org_id": "org_id", "p_variant_id": "variant_id", "p_serial": "serial"},
        query=schemas.HistoryQuery,
        response=schemas.UnitHistory,
        summary="Read the history of a piece",
        description="The piece and what happened to it, oldest first. Permission: stock.read at the branch "
        "that has it or had it last; the numbers of invoices need invoice.read.",
    ),
)

add_resource(
    router,
    Resource(
        path="/batches",
        table="batches",
        noun="batch",
        plural="batches",
        row=schemas.Batch,
        query=schemas.BatchQuery,
    ),
)

add_resource(
    router,
    Resource(
        path="/batch-levels",
        table="batch_levels",
        noun="batch level",
        plural="batch levels",
        row=schemas.BatchLevel,
        query=schemas.BatchLevelQuery,
        key=("location_id", "batch_id"),
        one_by_one=False,
    ),
)
