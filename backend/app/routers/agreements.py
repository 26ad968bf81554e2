"""Sales on credit: agreements, their instalments, and the daily job."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import agreements as schemas
from backend.app.services.printing import add_paper

router = room_router("/v1/billing", "instalments")

_AGREEMENT = Lookup(
    path="/agreements/{agreement_id}",
    rpc="get_agreement",
    arguments={"p_id": "agreement_id"},
    response=schemas.Agreement,
    summary="Read an agreement",
    description="One agreement with its schedule, what is paid, due and overdue, and what settles it today. "
    "Permission: invoice.read.",
    errors=(404,),
)

add_resource(
    router,
    Resource(
        path="/agreements",
        table="credit_agreements",
        noun="agreement",
        plural="agreements",
        row=schemas.AgreementRow,
        query=schemas.AgreementQuery,
        search=("number",),
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/agreements",
        rpc="open_credit_sale",
        arguments={"p_id": "id", "p_invoice_id": "invoice_id", "p_terms": "terms"},
        request=schemas.OpenRequest,
        response=schemas.Agreement,
        summary="Sell on credit",
        description="Agrees that what is open of an invoice is paid in instalments; the deposit is paid "
        "before. Permission: credit.sell.",
        status=201,
    ),
)

add_lookup(router, _AGREEMENT)
add_paper(router, _AGREEMENT, "agreement")

add_act(
    router,
    Act(
        path="/agreements/{agreement_id}/payments",
        rpc="pay_agreement",
        arguments={
            "p_id": "id",
            "p_agreement_id": "agreement_id",
            "p_amount": "amount",
            "p_method": "method",
            "p_reference": "reference",
            "p_options": "options",
        },
        request=schemas.InstalmentPayment,
        response=schemas.PaidAgreement,
        summary="Take a payment for instalments",
        description="The oldest instalment first, within it late fees, fees, interest, principal; what is "
        "more prepays the next ones. 422 `agreement_overpaid` changes nothing. Permission: payment.record.",
        status=201,
    ),
)

add_act(
    router,
    Act(
        path="/agreements/{agreement_id}/settlement",
        rpc="settle_early",
        arguments={
            "p_id": "id",
            "p_agreement_id": "agreement_id",
            "p_amount": "amount",
            "p_method": "method",
            "p_reference": "reference",
            "p_options": "options",
        },
        request=schemas.SettleRequest,
        response=schemas.Agreement,
        summary="Settle an agreement early",
        description="Pays all of it off, without interest for the time that was not used where it is "
        "reducing. 409 `settlement_changed` tells today's amount. Permission: payment.record.",
    ),
)

add_act(
    router,
    Act(
        path="/agreements/{agreement_id}/rescheduling",
        rpc="reschedule",
        arguments={
            "p_id": "id",
            "p_agreement_id": "agreement_id",
            "p_terms": "terms",
            "p_reason": "reason",
        },
        request=schemas.RescheduleRequest,
        response=schemas.Agreement,
        summary="Reschedule an agreement",
        description="Replaces it by another over what is still open, and answers that one. Permission: "
        "credit.override.",
        status=201,
    ),
)

add_act(
    router,
    Act(
        path="/agreements/{agreement_id}/waivers",
        rpc="waive_charge",
        arguments={
            "p_id": "id",
            "p_agreement_id": "agreement_id",
            "p_no": "no",
            "p_component": "component",
            "p_amount": "amount",
            "p_reason": "reason",
        },
        request=schemas.WaiveRequest,
        response=schemas.Agreement,
        summary="Waive a charge",
        description="Lets the customer off a fee or interest that is not paid yet. Permission: "
        "credit.override.",
    ),
)

add_act(
    router,
    Act(
        path="/instalments/quote",
        rpc="quote_credit",
        arguments={"p_amount": "amount", "p_terms": "terms", "p_date": "date"},
        request=schemas.QuoteRequest,
        response=schemas.CreditQuote,
        summary="Quote instalments",
        description="What they would come to, one by one; nothing is written. Whoever is signed in may ask.",
        errors=(400,),
    ),
)

add_lookup(
    router,
    Lookup(
        path="/instalments/due",
        rpc="instalments_due",
        arguments={"p_org_id": "org_id", "p_branch_id": "branch_id", "p_until": "until"},
        query=schemas.DueQuery,
        response=schemas.DueInstalment,
        rows=True,
        summary="What is to be collected",
        description="Unpaid instalments that are due by a date, the oldest first. Permission: report.read.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/instalments/overdue",
        rpc="instalments_overdue",
        arguments={"p_org_id": "org_id", "p_branch_id": "branch_id"},
        query=schemas.OverdueQuery,
        response=schemas.DueInstalment,
        rows=True,
        summary="What is late",
        description="Instalments that the daily job has marked overdue, the oldest first. Permission: "
        "report.read.",
    ),
)

add_act(
    router,
    Act(
        path="/instalments/overdue",
        rpc="run_overdue",
        arguments={"p_org_id": "org_id"},
        request=schemas.RunRequest,
        response=schemas.RunReport,
        summary="Run the daily job of instalments",
        description="Marks what is overdue, adds late fees, finds who is in default, reminds; by each "
        "branch's date. What is done is not done again. Permission: credit.override.",
        errors=(400, 404),
    ),
)
