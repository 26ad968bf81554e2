"""Till shifts."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import shifts as schemas

router = room_router("/v1/billing", "billing")

add_resource(
    router,
    Resource(
        path="/shifts",
        table="till_shifts",
        noun="shift",
        plural="shifts",
        row=schemas.ShiftRow,
        query=schemas.ShiftQuery,
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/shifts",
        rpc="open_shift",
        arguments={"p_id": "id", "p_branch_id": "branch_id", "p_opening_float": "opening_float"},
        request=schemas.OpenShiftRequest,
        response=schemas.Shift,
        summary="Open a till",
        description="Payments and refunds that the caller takes at the branch from now on belong to it. "
        "Permission: shift.manage.",
        status=201,
    ),
)

add_lookup(
    router,
    Lookup(
        path="/shifts/{shift_id}",
        rpc="shift_report",
        arguments={"p_shift_id": "shift_id"},
        response=schemas.Shift,
        summary="Read a shift",
        description="Payments and refunds by method, cash moved, expected, counted and difference. "
        "Permission: shift.manage; for somebody else's till report.read too.",
        errors=(404,),
    ),
)

add_act(
    router,
    Act(
        path="/shifts/{shift_id}/cash",
        rpc="move_cash",
        arguments={
            "p_id": "id",
            "p_shift_id": "shift_id",
            "p_kind": "kind",
            "p_amount": "amount",
            "p_reason": "reason",
        },
        request=schemas.MoveCashRequest,
        response=schemas.Shift,
        summary="Note cash that is brought or taken",
        description="Such as change that was fetched, or money taken to the bank. Permission: shift.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/shifts/{shift_id}/close",
        rpc="close_shift",
        arguments={
            "p_id": "id",
            "p_shift_id": "shift_id",
            "p_counted": "counted",
            "p_note": "note",
        },
        request=schemas.CloseShiftRequest,
        response=schemas.Shift,
        summary="Close a till",
        description="With what was counted: the answer tells what was expected and the difference. "
        "Permission: shift.manage.",
    ),
)
