"""Loyalty: the program and its rules, and customers' points."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import loyalty as schemas
from backend.app.schemas.payments import Payment

router = room_router("/v1", "offers")

add_resource(
    router,
    Resource(
        path="/billing/loyalty/programs",
        table="loyalty_programs",
        noun="loyalty program",
        plural="loyalty programs",
        row=schemas.LoyaltyProgram,
        query=schemas.LoyaltyProgramQuery,
        key=("org_id",),
        named_by="org_id",
        create=schemas.NewLoyaltyProgram,
        update=schemas.LoyaltyProgramChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/billing/loyalty/rules",
        table="loyalty_rules",
        noun="loyalty rule",
        plural="loyalty rules",
        row=schemas.LoyaltyRule,
        query=schemas.LoyaltyRuleQuery,
        search=("name",),
        create=schemas.NewLoyaltyRule,
        update=schemas.LoyaltyRuleChange,
        archives=True,
    ),
)

add_act(
    router,
    Act(
        path="/billing/invoices/{invoice_id}/points",
        rpc="redeem_points",
        arguments={"p_id": "id", "p_invoice_id": "invoice_id", "p_amount": "amount"},
        request=schemas.RedeemRequest,
        response=Payment,
        summary="Pay an invoice with points",
        description="Redeems the customer's points on an open invoice. At the till points are a payment of "
        "the sale with the method `points`. Permission: payment.record.",
        status=201,
    ),
)

add_lookup(
    router,
    Lookup(
        path="/customers/{customer_id}/points",
        rpc="loyalty_balance",
        arguments={"p_customer_id": "customer_id"},
        response=schemas.LoyaltyBalance,
        summary="A customer's points",
        description="How many can be redeemed now, what they pay and when they expire. Permission: "
        "customer.read.",
        errors=(404,),
    ),
)

add_act(
    router,
    Act(
        path="/customers/{customer_id}/points",
        rpc="adjust_points",
        arguments={
            "p_id": "id",
            "p_customer_id": "customer_id",
            "p_points": "points",
            "p_reason": "reason",
        },
        request=schemas.AdjustPointsRequest,
        response=schemas.LoyaltyBalance,
        summary="Correct a customer's points",
        description="Gives points or takes some, never more than there are, and answers the balance after "
        "it. Permission: loyalty.manage.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/customers/{customer_id}/points/statement",
        rpc="loyalty_statement",
        arguments={"p_customer_id": "customer_id", "p_from": "since", "p_to": "until"},
        query=schemas.LoyaltyStatementQuery,
        response=schemas.LoyaltyStatement,
        summary="A statement of a customer's points",
        description="What came, what went and why, with the points before and after. Permission: "
        "customer.read.",
    ),
)
