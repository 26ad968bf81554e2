"""Transfers between locations."""

from uuid import UUID

from fastapi import Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import (
    Act,
    Lookup,
    Resource,
    add_act,
    add_lookup,
    add_resource,
    room_router,
)
from backend.app.core.responses import passed_on, problems
from backend.app.schemas import transfers as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/transfers",
        table="stock_transfers",
        noun="transfer",
        plural="transfers",
        row=schemas.TransferRow,
        query=schemas.TransferQuery,
        search=("number", "note"),
        one_by_one=False,
    ),
)

add_lookup(
    router,
    Lookup(
        path="/transfer-destinations",
        rpc="transfer_destinations",
        arguments={"p_org_id": "org_id"},
        query=schemas.DestinationQuery,
        response=schemas.Destination,
        rows=True,
        summary="Say where a transfer may go",
        description="The locations of every branch, by name and nothing more. Permission: transfer.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/transfers",
        rpc="create_transfer",
        arguments={
            "p_id": "id",
            "p_from_location_id": "from_location_id",
            "p_to_location_id": "to_location_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.TransferRequest,
        response=schemas.Transfer,
        summary="Draft a transfer",
        description="Moves nothing yet. The same request again changes nothing. Permission: transfer.manage "
        "at the branch that sends.",
        status=201,
    ),
)


@router.get(
    "/transfers/{transfer_id}",
    operation_id="read_transfer",
    summary="Read a transfer",
    response_model=schemas.Transfer,
    responses=problems(404),
)
async def read_transfer(gateway: CallerGateway, transfer_id: UUID) -> Response:
    """One transfer with its lines, items and receipts. Permission: stock.read at either branch."""
    return passed_on((await gateway.rpc("get_transfer", {"p_id": transfer_id})).content)


add_act(
    router,
    Act(
        path="/transfers/{transfer_id}/dispatch",
        rpc="dispatch_transfer",
        arguments={"p_id": "id", "p_transfer_id": "transfer_id", "p_lines": "lines"},
        request=schemas.DispatchRequest,
        response=schemas.Transfer,
        summary="Dispatch a transfer",
        description="The goods leave their shelf and are on the road; the transfer gets its number. "
        "Permission: transfer.manage at the branch that sends.",
    ),
)

add_act(
    router,
    Act(
        path="/transfers/{transfer_id}/receive",
        rpc="receive_transfer",
        arguments={
            "p_id": "id",
            "p_transfer_id": "transfer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.ReceiptRequest,
        response=schemas.Transfer,
        summary="Receive a transfer",
        description="Whole or in parts, as often as it takes; what is damaged or missing stays on the "
        "transfer as a difference. Permission: transfer.receive at the branch that receives.",
    ),
)

add_act(
    router,
    Act(
        path="/transfers/{transfer_id}/cancel",
        rpc="cancel_transfer",
        arguments={"p_id": "id", "p_transfer_id": "transfer_id", "p_reason": "reason"},
        request=schemas.CancelRequest,
        response=schemas.Transfer,
        summary="Cancel a transfer",
        description="A draft, or one of which nothing was received: its goods go back. Permission: "
        "transfer.manage at the branch that sends.",
    ),
)
