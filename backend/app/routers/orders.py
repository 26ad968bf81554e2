"""Sales orders, and what is made of them: deliveries and invoices."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import orders as schemas
from backend.app.schemas.billing import Invoice
from backend.app.schemas.deliveries import Delivery, DeliveryRequest
from backend.app.schemas.invoices import OrderInvoiceRequest
from backend.app.schemas.quotations import StepRequest
from backend.app.services.printing import add_paper

router = room_router("/v1/billing", "billing")

_ORDER = Lookup(
    path="/orders/{order_id}",
    rpc="get_order",
    arguments={"p_id": "order_id"},
    response=schemas.Order,
    summary="Read an order",
    description="One order: of each line what is delivered, invoiced, open and held; advances, deliveries, "
    "invoices, and the work on it. Permission: order.manage or order.deliver.",
    errors=(404,),
)

add_resource(
    router,
    Resource(
        path="/orders",
        table="sales_orders",
        noun="order",
        plural="orders",
        row=schemas.OrderRow,
        query=schemas.OrderQuery,
        search=("number",),
        one_by_one=False,
    ),
)
add_lookup(router, _ORDER)
add_paper(router, _ORDER, "order")

add_act(
    router,
    Act(
        path="/orders",
        rpc="save_order",
        arguments={
            "p_id": "id",
            "p_order_id": "order_id",
            "p_branch_id": "branch_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.OrderRequest,
        response=schemas.Order,
        summary="Write an order",
        description="A draft at the prices of today, which stay. The same request again answers the same "
        "order. Permission: order.manage.",
        status=201,
        operation="create_order",
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}",
        rpc="save_order",
        arguments={
            "p_id": "id",
            "p_order_id": "order_id",
            "p_branch_id": "branch_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.OrderRequest,
        response=schemas.Order,
        summary="Write a draft order anew",
        description="409 `invalid_transition` when it was confirmed, `order_is_quoted` when it keeps the "
        "prices of a quotation. Permission: order.manage.",
        method="PUT",
        operation="rewrite_order",
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}/confirm",
        rpc="confirm_order",
        arguments={"p_id": "id", "p_order_id": "order_id", "p_options": "options"},
        request=schemas.ConfirmRequest,
        response=schemas.Order,
        summary="Confirm an order",
        description="It gets its number, its goods are held, and the customer's credit is asked for what no "
        "advance covers. 409 `insufficient_stock`, 422 `credit_limit_exceeded` change nothing. Permission: "
        "order.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}/hold",
        rpc="hold_order",
        arguments={"p_id": "id", "p_order_id": "order_id"},
        request=StepRequest,
        response=schemas.Order,
        summary="Hold what has come in",
        description="Of an order's back-order, at every step before its last delivery; reserved of its lines "
        "tells what is held. Permission: order.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}/status",
        rpc="mark_order",
        arguments={"p_id": "id", "p_order_id": "order_id", "p_status": "status"},
        request=schemas.MarkRequest,
        response=schemas.Order,
        summary="Say how far an order is",
        description="In production; ready, when goods that have come in since are held for it; closed, when "
        "all that was delivered is invoiced, and the other way round. 409 `invalid_transition` for a step "
        "that is not listed. Permission: order.manage.",
        method="PATCH",
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}/work-log",
        rpc="log_work",
        arguments={"p_id": "id", "p_order_id": "order_id", "p_note": "note", "p_options": "options"},
        request=schemas.WorkRequest,
        response=schemas.Order,
        summary="Note work on an order",
        description="A dated entry, which the customer may be shown. Permission: order.manage.",
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}/cancel",
        rpc="cancel_order",
        arguments={"p_id": "id", "p_order_id": "order_id", "p_reason": "reason", "p_options": "options"},
        request=schemas.CancelRequest,
        response=schemas.Order,
        summary="Cancel an order",
        description="While nothing was delivered: its goods are free again, its advances the customer's "
        "credit, or paid back. Permission: order.manage, and refund.create to pay back.",
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}/deliveries",
        rpc="deliver_order",
        arguments={
            "p_id": "id",
            "p_order_id": "order_id",
            "p_location_id": "location_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=DeliveryRequest,
        response=Delivery,
        summary="Deliver an order",
        description="Whole or in parts, as often as it takes; what is still open stays held. 422 "
        "`delivery_exceeds_order`, 409 `insufficient_stock` change nothing. Permission: order.deliver.",
        status=201,
    ),
)

add_act(
    router,
    Act(
        path="/orders/{order_id}/invoices",
        rpc="invoice_order",
        arguments={"p_id": "id", "p_order_id": "order_id", "p_options": "options"},
        request=OrderInvoiceRequest,
        response=Invoice,
        summary="Invoice an order",
        description="Whole, by delivery or by line, at its prices, never more than was ordered; its advances "
        "settle the invoice. Permission: invoice.create.",
        status=201,
    ),
)
