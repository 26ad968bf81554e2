"""Credit notes, voids and exchanges."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import credit_notes as schemas
from backend.app.schemas.payments import AllocateRequest
from backend.app.services.printing import add_paper

router = room_router("/v1/billing", "billing")

_CREDIT_NOTE = Lookup(
    path="/credit-notes/{credit_note_id}",
    rpc="get_credit_note",
    arguments={"p_id": "credit_note_id"},
    response=schemas.CreditNote,
    summary="Read a credit note",
    description="One credit note with its lines, what it settled and what is left. Permission: invoice.read.",
    errors=(404,),
)

add_resource(
    router,
    Resource(
        path="/credit-notes",
        table="credit_notes",
        noun="credit note",
        plural="credit notes",
        row=schemas.CreditNoteRow,
        query=schemas.CreditNoteQuery,
        search=("number", "reason"),
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/credit-notes",
        rpc="issue_credit_note",
        arguments={
            "p_id": "id",
            "p_invoice_id": "invoice_id",
            "p_lines": "lines",
            "p_reason": "reason",
            "p_options": "options",
        },
        request=schemas.CreditNoteRequest,
        response=schemas.CreditNote,
        summary="Issue a credit note",
        description="Credits an invoice, whole or in part, at the price and tax as sold, and takes the goods "
        "back; never more than was sold. Permission: credit_note.create.",
        status=201,
    ),
)

add_lookup(router, _CREDIT_NOTE)
add_paper(router, _CREDIT_NOTE, "credit_note")

add_act(
    router,
    Act(
        path="/credit-notes/{credit_note_id}/allocations",
        rpc="apply_credit_note",
        arguments={"p_id": "id", "p_credit_note_id": "credit_note_id", "p_allocations": "allocations"},
        request=AllocateRequest,
        response=schemas.CreditNote,
        summary="Apply a credit note",
        description="Settles other invoices of the customer with what is left of it. Permission: "
        "payment.record.",
    ),
)

add_act(
    router,
    Act(
        path="/invoices/{invoice_id}/void",
        rpc="void_sale",
        arguments={"p_id": "id", "p_invoice_id": "invoice_id", "p_reason": "reason"},
        request=schemas.VoidRequest,
        response=schemas.CreditNote,
        summary="Void a counter sale",
        description="On its own day only: a credit note over all of it, the goods back, each payment "
        "refunded by its own method. Permission: credit_note.same_day.",
        status=201,
    ),
)

add_act(
    router,
    Act(
        path="/exchanges",
        rpc="post_exchange",
        arguments={
            "p_id": "id",
            "p_invoice_id": "invoice_id",
            "p_return_lines": "return_lines",
            "p_branch_id": "branch_id",
            "p_location_id": "location_id",
            "p_lines": "lines",
            "p_payments": "payments",
            "p_options": "options",
        },
        request=schemas.ExchangeRequest,
        response=schemas.Exchange,
        summary="Exchange goods",
        description="Takes goods of an invoice back and sells others, whole or not at all; what is credited "
        "pays. Permission: credit_note.create and sale.create.",
        status=201,
    ),
)
