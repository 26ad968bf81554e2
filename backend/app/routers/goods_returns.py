"""Goods returns."""

from backend.app.core.resource import Act, Resource, add_act, add_resource, room_router
from backend.app.schemas import goods_returns as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/returns",
        table="goods_returns",
        noun="goods return",
        plural="goods returns",
        row=schemas.ReturnRow,
        query=schemas.ReturnQuery,
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/returns",
        rpc="return_goods",
        arguments={
            "p_id": "id",
            "p_invoice_id": "invoice_id",
            "p_location_id": "location_id",
            "p_lines": "lines",
            "p_reason": "reason",
        },
        request=schemas.ReturnRequest,
        response=schemas.GoodsReturn,
        summary="Take sold goods back",
        description="Puts sold goods back into stock, at what they were worth when they left; a set comes "
        "back as its components. The same request again changes nothing. Permission: sale.return.",
        status=201,
    ),
)
