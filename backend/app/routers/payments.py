"""Payments, refunds, and the proof of the books."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import payments as schemas
from backend.app.services.printing import add_paper

router = room_router("/v1/billing", "billing")

_PAYMENT = Lookup(
    path="/payments/{payment_id}",
    rpc="get_payment",
    arguments={"p_id": "payment_id"},
    response=schemas.Payment,
    summary="Read a payment",
    description="One payment with what it settles and what is left of it. Permission: invoice.read.",
    errors=(404,),
)

add_resource(
    router,
    Resource(
        path="/payments",
        table="payments",
        noun="payment",
        plural="payments",
        row=schemas.PaymentRow,
        query=schemas.PaymentQuery,
        search=("number", "reference"),
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/payments",
        rpc="record_payment",
        arguments={
            "p_id": "id",
            "p_customer_id": "customer_id",
            "p_amount": "amount",
            "p_method": "method",
            "p_allocations": "allocations",
            "p_reference": "reference",
            "p_options": "options",
        },
        request=schemas.PaymentRequest,
        response=schemas.Payment,
        summary="Record a payment",
        description="Takes a payment and settles invoices with it: those named, or the oldest due first; "
        "what is left stays the customer's credit. 409 `invoice_overpaid` changes nothing. Permission: "
        "payment.record.",
        status=201,
    ),
)

add_lookup(router, _PAYMENT)
add_paper(router, _PAYMENT, "payment")

add_act(
    router,
    Act(
        path="/payments/{payment_id}/allocations",
        rpc="allocate_payment",
        arguments={"p_id": "id", "p_payment_id": "payment_id", "p_allocations": "allocations"},
        request=schemas.AllocateRequest,
        response=schemas.Payment,
        summary="Allocate a payment",
        description="Settles invoices with what is left of a payment. Permission: payment.record.",
    ),
)

add_act(
    router,
    Act(
        path="/payments/{payment_id}/reversal",
        rpc="reverse_payment",
        arguments={"p_id": "id", "p_payment_id": "payment_id", "p_reason": "reason"},
        request=schemas.ReverseRequest,
        response=schemas.Payment,
        summary="Reverse a payment",
        description="Takes a payment back that did not stand, such as a bounced cheque: what it settled is "
        "open again. Permission: payment.reverse.",
    ),
)

add_act(
    router,
    Act(
        path="/payments/{payment_id}/release",
        rpc="release_payment",
        arguments={"p_id": "id", "p_payment_id": "payment_id", "p_allocations": "allocations"},
        request=schemas.ReleaseRequest,
        response=schemas.Payment,
        summary="Take a payment off invoices",
        description="Where it was put by mistake: they are open again, and the money is the customer's "
        "credit. 422 `payment_not_released` for points, instalments and walk-ins. Permission: "
        "payment.reverse.",
    ),
)

add_resource(
    router,
    Resource(
        path="/refunds",
        table="refunds",
        noun="refund",
        plural="refunds",
        row=schemas.RefundRow,
        query=schemas.RefundQuery,
        search=("number", "reference"),
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/refunds",
        rpc="refund",
        arguments={
            "p_id": "id",
            "p_customer_id": "customer_id",
            "p_amount": "amount",
            "p_method": "method",
            "p_options": "options",
        },
        request=schemas.RefundRequest,
        response=schemas.Refund,
        summary="Pay a customer's credit back",
        description="Out of payments that settle nothing and credit notes that were not used, never more. "
        "Permission: refund.create.",
        status=201,
    ),
)

add_lookup(
    router,
    Lookup(
        path="/checks",
        rpc="check_books",
        arguments={"p_org_id": "org_id"},
        query=schemas.BooksQuery,
        response=schemas.BooksFinding,
        rows=True,
        summary="Prove the money side of the books",
        description="Everything that disagrees: balances with allocations, invoices with their lines. No "
        "items means that all agrees. Permission: audit.read.",
    ),
)
