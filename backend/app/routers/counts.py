"""Stock counts."""

from uuid import UUID

from fastapi import Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import Act, Resource, add_act, add_resource, room_router
from backend.app.core.responses import passed_on, problems
from backend.app.schemas import counts as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/counts",
        table="stock_counts",
        noun="count",
        plural="counts",
        row=schemas.CountRow,
        query=schemas.CountQuery,
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/counts",
        rpc="start_count",
        arguments={"p_id": "id", "p_location_id": "location_id", "p_kind": "kind", "p_options": "options"},
        request=schemas.CountRequest,
        response=schemas.Count,
        summary="Start a count",
        description="Freezes what is expected, of everything at a location or of a part. The same request "
        "again changes nothing. Permission: count.manage.",
        status=201,
    ),
)

add_resource(
    router,
    Resource(
        path="/counts/entries",
        table="stock_count_entries",
        noun="count entry",
        plural="count entries",
        row=schemas.CountEntry,
        query=schemas.CountEntryQuery,
        one_by_one=False,
    ),
)


@router.get(
    "/counts/{count_id}",
    operation_id="read_count",
    summary="Read a count",
    response_model=schemas.Count,
    responses=problems(404),
)
async def read_count(gateway: CallerGateway, count_id: UUID) -> Response:
    """One count with its lines. Permission: stock.read; count.approve for the figures of a blind count."""
    return passed_on((await gateway.rpc("get_count", {"p_id": count_id})).content)


add_act(
    router,
    Act(
        path="/counts/{count_id}/entries",
        rpc="record_count",
        arguments={"p_id": "id", "p_count_id": "count_id", "p_lines": "lines"},
        request=schemas.EntryRequest,
        response=schemas.Entries,
        summary="Enter what was counted",
        description="Several people may at once; their entries add up. The same request again changes "
        "nothing. Permission: count.record.",
        status=201,
    ),
)

add_act(
    router,
    Act(
        path="/counts/entries/{entry_id}/void",
        rpc="void_count_entry",
        arguments={"p_id": "id", "p_entry_id": "entry_id"},
        request=schemas.VoidEntryRequest,
        response=schemas.CountEntry,
        summary="Take an entry back",
        description="It stays to be seen, and counts no more. Permission: count.record.",
    ),
)

add_act(
    router,
    Act(
        path="/counts/{count_id}/submit",
        rpc="submit_count",
        arguments={"p_id": "id", "p_count_id": "count_id", "p_options": "options"},
        request=schemas.SubmitRequest,
        response=schemas.Count,
        summary="End the counting",
        description="The count waits for approval from now on. Permission: count.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/counts/{count_id}/recount",
        rpc="recount",
        arguments={"p_id": "id", "p_count_id": "count_id", "p_variant_ids": "variant_ids"},
        request=schemas.RecountRequest,
        response=schemas.Count,
        summary="Count again",
        description="Sends a submitted or approved count back; the entries of the variants named are voided. "
        "Permission: count.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/counts/{count_id}/approve",
        rpc="approve_count",
        arguments={"p_id": "id", "p_count_id": "count_id"},
        request=schemas.CountAct,
        response=schemas.Count,
        summary="Approve a count",
        description="Accepts the differences, so that they may be posted. Permission: count.approve.",
    ),
)

add_act(
    router,
    Act(
        path="/counts/{count_id}/post",
        rpc="post_count",
        arguments={"p_id": "id", "p_count_id": "count_id"},
        request=schemas.CountAct,
        response=schemas.Count,
        summary="Post a count",
        description="Corrects the levels by the approved differences. Permission: count.approve.",
    ),
)

add_act(
    router,
    Act(
        path="/counts/{count_id}/cancel",
        rpc="cancel_count",
        arguments={"p_id": "id", "p_count_id": "count_id"},
        request=schemas.CountAct,
        response=schemas.Count,
        summary="Cancel a count",
        description="Gives it up before it is posted; nothing moves. Permission: count.manage.",
    ),
)
