"""Counter sales."""

from backend.app.core.resource import Act, add_act, room_router
from backend.app.schemas import billing as schemas

router = room_router("/v1/billing", "billing")

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
