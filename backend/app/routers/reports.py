"""Reports of the money side."""

from backend.app.core.resource import Lookup, add_lookup, room_router
from backend.app.schemas import reports as schemas
from backend.app.services.printing import add_paper

router = room_router("/v1", "reports")

_STATEMENT = Lookup(
    path="/customers/{customer_id}/statement",
    rpc="statement",
    arguments={"p_customer_id": "customer_id", "p_from": "date_from", "p_to": "date_to"},
    query=schemas.StatementQuery,
    response=schemas.Statement,
    summary="A customer's statement of account",
    description="Opening balance, documents, payments, closing balance, open invoices and their ageing. "
    "Permission: customer.read and invoice.read.",
)

add_lookup(
    router,
    Lookup(
        path="/billing/reports/outstanding",
        rpc="outstanding",
        arguments={"p_org_id": "org_id", "p_branch_id": "branch_id", "p_as_of": "as_of"},
        query=schemas.OwedQuery,
        response=schemas.Outstanding,
        rows=True,
        summary="What customers owe",
        description="The largest first. Permission: report.read.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/billing/reports/ageing",
        rpc="ageing",
        arguments={"p_org_id": "org_id", "p_branch_id": "branch_id", "p_as_of": "as_of"},
        query=schemas.OwedQuery,
        response=schemas.Ageing,
        rows=True,
        summary="What customers owe, by age",
        description="By the days since it was due. Permission: report.read.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/billing/reports/revenue",
        rpc="revenue",
        arguments={
            "p_org_id": "org_id",
            "p_from": "date_from",
            "p_to": "date_to",
            "p_by": "by",
            "p_branch_id": "branch_id",
        },
        query=schemas.RevenueQuery,
        response=schemas.Revenue,
        rows=True,
        summary="What came in",
        description="The payments of a period, less what was reversed and paid back in it. Permission: "
        "report.read.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/billing/reports/sales",
        rpc="sales_summary",
        arguments={
            "p_org_id": "org_id",
            "p_from": "date_from",
            "p_to": "date_to",
            "p_by": "by",
            "p_branch_id": "branch_id",
        },
        query=schemas.SummaryQuery,
        response=schemas.SalesSummary,
        rows=True,
        summary="What was sold",
        description="What was invoiced in a period, less what was credited in it, with cost and margin. "
        "Permission: report.read.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/billing/reports/top-sellers",
        rpc="top_sellers",
        arguments={
            "p_org_id": "org_id",
            "p_from": "date_from",
            "p_to": "date_to",
            "p_by": "by",
            "p_limit": "limit",
            "p_branch_id": "branch_id",
        },
        query=schemas.SellersQuery,
        response=schemas.TopSeller,
        rows=True,
        summary="What sold best",
        description="By quantity, revenue or margin. Permission: report.read.",
    ),
)

add_lookup(router, _STATEMENT)
add_paper(router, _STATEMENT, "statement")
