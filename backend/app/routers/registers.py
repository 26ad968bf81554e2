"""Tax registers of a period."""

from backend.app.core.resource import Lookup, add_lookup, room_router
from backend.app.schemas import registers as schemas
from backend.app.schemas.reports import PeriodQuery

router = room_router("/v1/billing/registers", "reports")

add_lookup(
    router,
    Lookup(
        path="/gstr1",
        rpc="gstr1",
        arguments={
            "p_org_id": "org_id",
            "p_from": "date_from",
            "p_to": "date_to",
            "p_branch_id": "branch_id",
        },
        query=PeriodQuery,
        response=schemas.Gstr1,
        summary="The GSTR-1 register",
        description="Outward supplies in the sections of form GSTR-1, for each registration; a year at most. "
        "branch_id: only the registration of that branch. Permission: report.read at all its branches.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/vat-return",
        rpc="vat_return",
        arguments={
            "p_org_id": "org_id",
            "p_from": "date_from",
            "p_to": "date_to",
            "p_branch_id": "branch_id",
        },
        query=PeriodQuery,
        response=schemas.VatReturn,
        summary="Output tax by place and rate",
        description="What returns of VAT and sales tax ask for, with what bears no tax beside it; a year at "
        "most. branch_id: only the registration of that branch. Permission: report.read at all its branches.",
    ),
)
