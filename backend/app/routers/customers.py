"""Customers: who they are, what they may owe, their addresses and history, and entries made twice."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import customer_profiles as profiles
from backend.app.schemas import customers as schemas

router = room_router("/v1", "customers")

add_resource(
    router,
    Resource(
        path="/customers",
        table="customers",
        noun="customer",
        plural="customers",
        row=schemas.Customer,
        query=schemas.CustomerQuery,
        search=("name", "phone", "email"),
        create=schemas.NewCustomer,
        update=schemas.CustomerChange,
        archives=True,
    ),
)

add_act(
    router,
    Act(
        path="/customers/{customer_id}/credit-limit",
        rpc="set_credit_limit",
        arguments={"p_customer_id": "customer_id", "p_credit_limit": "credit_limit"},
        request=schemas.CreditLimit,
        response=schemas.Customer,
        summary="Set a customer's credit limit",
        description="Sets how much the customer may owe in all. Permission: customer.credit.",
        errors=(400, 404),
        method="PUT",
    ),
)

add_act(
    router,
    Act(
        path="/customers/{customer_id}/payment-terms",
        rpc="set_payment_terms",
        arguments={"p_customer_id": "customer_id", "p_days": "days"},
        request=profiles.PaymentTerms,
        response=schemas.Customer,
        summary="Set a customer's terms of payment",
        description="Sets within how many days the customer pays; invoices from now on are due accordingly. "
        "Permission: customer.credit.",
        errors=(400, 404),
        method="PUT",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/customers/{customer_id}/history",
        rpc="customer_history",
        arguments={"p_customer_id": "customer_id", "p_limit": "limit", "p_cursor": "cursor"},
        query=profiles.HistoryQuery,
        response=profiles.CustomerHistory,
        summary="A customer's history",
        description="Everything that happened with the customer at the branches that the caller sees, the "
        "latest first. Permission: customer.read and invoice.read.",
    ),
)

add_act(
    router,
    Act(
        path="/customers/{customer_id}/merges",
        rpc="merge_customers",
        arguments={"p_id": "id", "p_keep_id": "customer_id", "p_merge_id": "merge_id"},
        request=profiles.MergeRequest,
        response=profiles.MergedCustomer,
        summary="Merge a customer who was entered twice",
        description="Makes the other entry one with this customer, for good; documents keep the buyer as "
        "printed. Permission: customer.merge.",
    ),
)

add_resource(
    router,
    Resource(
        path="/customer-addresses",
        table="customer_addresses",
        noun="customer address",
        plural="customer addresses",
        row=profiles.CustomerAddress,
        query=profiles.CustomerAddressQuery,
        search=("label", "recipient", "address_line1", "city"),
        create=profiles.NewCustomerAddress,
        update=profiles.CustomerAddressChange,
        archives=True,
    ),
)
