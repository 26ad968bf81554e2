"""Reservations."""

from uuid import UUID

from fastapi import Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import Act, Resource, add_act, add_resource, room_router
from backend.app.core.responses import passed_on, problems
from backend.app.schemas import reservations as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/reservations",
        table="stock_reservations",
        noun="reservation",
        plural="reservations",
        row=schemas.ReservationRow,
        query=schemas.ReservationQuery,
        one_by_one=False,
        nullable=("expires_at",),
    ),
)

add_act(
    router,
    Act(
        path="/reservations",
        rpc="reserve_stock",
        arguments={
            "p_id": "id",
            "p_location_id": "location_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.ReservationRequest,
        response=schemas.Reservation,
        summary="Reserve stock",
        description="Holds goods at a location for somebody until a date. 409 `insufficient_stock` holds "
        "nothing. The same request again changes nothing. Permission: stock.reserve.",
        status=201,
    ),
)


@router.get(
    "/reservations/{reservation_id}",
    operation_id="read_reservation",
    summary="Read a reservation",
    response_model=schemas.Reservation,
    responses=problems(404),
)
async def read_reservation(gateway: CallerGateway, reservation_id: UUID) -> Response:
    """One reservation with its lines. Permission: stock.read."""
    return passed_on((await gateway.rpc("get_reservation", {"p_id": reservation_id})).content)


add_act(
    router,
    Act(
        path="/reservations/{reservation_id}/release",
        rpc="release_reservation",
        arguments={"p_id": "id", "p_reservation_id": "reservation_id"},
        request=schemas.ReleaseRequest,
        response=schemas.Reservation,
        summary="Release a reservation",
        description="Gives what it holds back to everybody. Permission: stock.reserve.",
    ),
)

add_act(
    router,
    Act(
        path="/reservations/{reservation_id}/shorten",
        rpc="shorten_reservation",
        arguments={"p_id": "id", "p_reservation_id": "reservation_id", "p_lines": "lines"},
        request=schemas.ShortenRequest,
        response=schemas.Reservation,
        summary="Shorten a reservation",
        description="Holds less than was promised, because goods are gone that count as promised; a smaller "
        "reservation takes its place. Permission: stock.reserve; for what an order holds also order.manage.",
    ),
)
