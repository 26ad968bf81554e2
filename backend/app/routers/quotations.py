"""Quotations."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import quotations as schemas
from backend.app.schemas.orders import Order
from backend.app.services.printing import add_paper

router = room_router("/v1/billing", "billing")

_QUOTATION = Lookup(
    path="/quotations/{quotation_id}",
    rpc="get_quotation",
    arguments={"p_id": "quotation_id"},
    response=schemas.Quotation,
    summary="Read a quotation",
    description="One quotation with its lines, taxes and earlier revisions. Permission: quotation.manage.",
    errors=(404,),
)

add_resource(
    router,
    Resource(
        path="/quotations",
        table="quotations",
        noun="quotation",
        plural="quotations",
        row=schemas.QuotationRow,
        query=schemas.QuotationQuery,
        search=("number",),
        one_by_one=False,
    ),
)
add_lookup(router, _QUOTATION)
add_paper(router, _QUOTATION, "quotation")

add_act(
    router,
    Act(
        path="/quotations",
        rpc="save_quotation",
        arguments={
            "p_id": "id",
            "p_quotation_id": "quotation_id",
            "p_branch_id": "branch_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.QuotationRequest,
        response=schemas.Quotation,
        summary="Write a quotation",
        description="A draft at the prices of today, which stay. The same request again answers the same "
        "quotation. Permission: quotation.manage.",
        status=201,
        operation="create_quotation",
    ),
)

add_act(
    router,
    Act(
        path="/quotations/{quotation_id}",
        rpc="save_quotation",
        arguments={
            "p_id": "id",
            "p_quotation_id": "quotation_id",
            "p_branch_id": "branch_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.QuotationRequest,
        response=schemas.Quotation,
        summary="Revise a quotation",
        description="A new revision at the prices of today, a draft again until it is sent; the earlier ones "
        "are kept. 409 `invalid_transition` when it was converted. Permission: quotation.manage.",
        method="PUT",
        operation="revise_quotation",
    ),
)

add_act(
    router,
    Act(
        path="/quotations/{quotation_id}/send",
        rpc="send_quotation",
        arguments={"p_id": "id", "p_quotation_id": "quotation_id"},
        request=schemas.StepRequest,
        response=schemas.Quotation,
        summary="Send a quotation",
        description="It gets its number, and stays as it is. Permission: quotation.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/quotations/{quotation_id}/approve",
        rpc="approve_quotation",
        arguments={"p_id": "id", "p_quotation_id": "quotation_id"},
        request=schemas.StepRequest,
        response=schemas.Quotation,
        summary="Record that the customer accepts",
        description="422 `quotation_expired` after its last day. Permission: quotation.approve.",
    ),
)

add_act(
    router,
    Act(
        path="/quotations/{quotation_id}/reject",
        rpc="reject_quotation",
        arguments={"p_id": "id", "p_quotation_id": "quotation_id", "p_reason": "reason"},
        request=schemas.RejectRequest,
        response=schemas.Quotation,
        summary="Record that the customer declines",
        description="His reason is kept. Permission: quotation.approve.",
    ),
)

add_act(
    router,
    Act(
        path="/quotations/{quotation_id}/convert",
        rpc="convert_quotation",
        arguments={"p_id": "id", "p_quotation_id": "quotation_id", "p_options": "options"},
        request=schemas.ConvertRequest,
        response=Order,
        summary="Make a quotation an order",
        description="Once, when it is approved, at its prices whatever the catalogue asks by now; the order "
        "is a draft. 422 `quotation_expired` after its last day. Permission: order.manage.",
        status=201,
    ),
)
