"""Delivery notes. They are made at the orders."""

from backend.app.core.resource import Lookup, Resource, add_lookup, add_resource, room_router
from backend.app.schemas import deliveries as schemas
from backend.app.services.printing import add_paper

router = room_router("/v1/billing", "billing")

_DELIVERY = Lookup(
    path="/deliveries/{delivery_id}",
    rpc="get_delivery",
    arguments={"p_id": "delivery_id"},
    response=schemas.Delivery,
    summary="Read a delivery note",
    description="One delivery with what it brought of each line of the order. Permission: order.manage or "
    "order.deliver.",
    errors=(404,),
)

add_resource(
    router,
    Resource(
        path="/deliveries",
        table="deliveries",
        noun="delivery",
        plural="deliveries",
        row=schemas.DeliveryRow,
        query=schemas.DeliveryQuery,
        search=("number",),
        one_by_one=False,
    ),
)
add_lookup(router, _DELIVERY)
_PAPER = Lookup(
    path=_DELIVERY.path,
    rpc="get_delivery_paper",
    arguments={"p_id": "delivery_id"},
    response=schemas.Delivery,
    summary=_DELIVERY.summary,
    description=_DELIVERY.description,
    errors=_DELIVERY.errors,
)
add_paper(router, _PAPER, "delivery")
