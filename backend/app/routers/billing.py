"""Billing: counter sales, invoices, and the papers customers get."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import Act, Resource, add_act, add_resource, room_router
from backend.app.core.responses import header, passed_on, problems
from backend.app.schemas import billing as schemas
from backend.app.services.papers import PaperFormat, paper_of, rendered

router = room_router("/v1/billing", "billing")

_ETAG = header("ETag", "Names this document; send it as If-None-Match to be spared the same again")

add_act(
    router,
    Act(
        path="/sales",
        rpc="post_sale",
        arguments={
            "p_id": "id",
            "p_branch_id": "branch_id",
            "p_location_id": "location_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_payments": "payments",
            "p_options": "options",
        },
        request=schemas.SaleRequest,
        response=schemas.Invoice,
        summary="Post a counter sale",
        description="Takes the goods from stock, issues the invoice and books the payments, all or nothing. "
        "The same request again answers the same invoice. 409 `insufficient_stock` changes nothing. "
        "Permission: sale.create.",
        status=201,
    ),
)

add_act(
    router,
    Act(
        path="/sales/quote",
        rpc="quote_sale",
        arguments={
            "p_branch_id": "branch_id",
            "p_customer_id": "customer_id",
            "p_lines": "lines",
            "p_options": "options",
        },
        request=schemas.QuoteRequest,
        response=schemas.Quote,
        summary="Price a sale",
        description="The till's total: what `POST /v1/billing/sales` would charge, without selling anything.",
        errors=(400, 404),
    ),
)

add_resource(
    router,
    Resource(
        path="/invoices",
        table="invoices",
        noun="invoice",
        plural="invoices",
        row=schemas.InvoiceRow,
        query=schemas.InvoiceQuery,
        search=("number", "reference"),
        one_by_one=False,
    ),
)


@router.get(
    "/invoices/{invoice_id}",
    operation_id="read_invoice",
    summary="Read an invoice",
    response_model=schemas.Invoice,
    responses=problems(404),
)
async def read_invoice(gateway: CallerGateway, invoice_id: UUID) -> Response:
    """One invoice with its lines, tax summary and payments. Permission: invoice.read."""
    return passed_on((await gateway.rpc("get_invoice", {"p_id": invoice_id})).content)


@router.get(
    "/invoices/{invoice_id}/pdf",
    operation_id="print_invoice",
    summary="Print an invoice",
    response_class=Response,
    responses={
        200: {
            "description": "The document",
            "content": {
                "application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7"}
            },
            "headers": _ETAG,
        },
        304: {"description": "The document that the caller has is still right", "headers": _ETAG},
        **problems(404),
    },
)
async def print_invoice(
    gateway: CallerGateway,
    invoice_id: UUID,
    paper_format: Annotated[
        PaperFormat, Query(alias="format", description="A4 tax invoice, or 80 mm receipt")
    ] = "a4",
    if_none_match: Annotated[
        str | None, Header(description="ETag of the document at hand", max_length=200)
    ] = None,
) -> Response:
    """The invoice as PDF. Permission: invoice.read; the database decides when it is asked for the invoice."""
    answer = await gateway.rpc("get_invoice", {"p_id": invoice_id})
    paper = await paper_of(gateway, "receipt" if paper_format == "receipt" else "invoice", answer)
    # Rendering a long invoice takes a second; who has the same document already is spared it.
    headers = {"ETag": paper.etag, "Cache-Control": "private, no-cache"}
    if if_none_match is not None and paper.etag in if_none_match:
        return Response(status_code=304, headers=headers)
    content = await rendered(paper)
    headers["Content-Disposition"] = paper.disposition
    return Response(content, media_type="application/pdf", headers=headers)
