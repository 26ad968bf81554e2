"""Invoices: read, printed, written without a counter sale, sent and voided."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import invoices as schemas
from backend.app.schemas.billing import Invoice, InvoicePaperQuery, InvoiceQuery, InvoiceRow
from backend.app.services.printing import add_paper

router = room_router("/v1/billing", "billing")

_INVOICE = Lookup(
    path="/invoices/{invoice_id}",
    rpc="get_invoice",
    arguments={"p_id": "invoice_id"},
    response=Invoice,
    summary="Read an invoice",
    description="One invoice with its lines, tax summary and payments. Permission: invoice.read.",
    errors=(404,),
    operation="read_invoice",
)

add_resource(
    router,
    Resource(
        path="/invoices",
        table="invoices",
        noun="invoice",
        plural="invoices",
        row=InvoiceRow,
        query=InvoiceQuery,
        search=("number", "reference"),
        one_by_one=False,
        nullable=("due_date", "number"),
    ),
)
add_lookup(router, _INVOICE)
_PAPER = Lookup(
    path=_INVOICE.path,
    rpc="get_invoice_paper",
    arguments={"p_id": "invoice_id"},
    response=Invoice,
    summary=_INVOICE.summary,
    description=_INVOICE.description,
    query=InvoicePaperQuery,
    errors=_INVOICE.errors,
)
add_paper(router, _PAPER, "invoice", {"receipt": "receipt"})

add_act(
    router,
    Act(
        path="/invoices",
        rpc="create_invoice",
        arguments={
            "p_id": "id",
            "p_branch_id": "branch_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.InvoiceRequest,
        response=Invoice,
        summary="Write an invoice",
        description="One that is paid later, sent at once or a draft. The same request again answers the "
        "same invoice. 409 `insufficient_stock`, 422 `credit_limit_exceeded` change nothing. Permission: "
        "invoice.create.",
        status=201,
    ),
)

add_act(
    router,
    Act(
        path="/invoices/{invoice_id}",
        rpc="save_invoice_draft",
        arguments={
            "p_id": "id",
            "p_invoice_id": "invoice_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.DraftRequest,
        response=Invoice,
        summary="Write a draft invoice anew",
        description="409 `invalid_transition` when it was sent: from then on it stays as it is. Permission: "
        "invoice.create.",
        method="PUT",
    ),
)

add_act(
    router,
    Act(
        path="/invoices/{invoice_id}/status",
        rpc="set_invoice_status",
        arguments={
            "p_id": "id",
            "p_invoice_id": "invoice_id",
            "p_status": "status",
            "p_options": "options",
        },
        request=schemas.StatusRequest,
        response=Invoice,
        summary="Send or void an invoice",
        description="A draft becomes `sent`: it gets its date and number, and its goods leave. `void`: a "
        "draft, or an invoice of today on which nothing was paid, whose goods come back; 409 "
        "`credit_note_required` for any other. The other statuses follow from what is paid: asking for one, "
        "or for a step that is not listed, is 409 `invalid_transition`. Permission: invoice.create; "
        "invoice.void for what was sent.",
        method="PATCH",
    ),
)
