"""Customers."""

from uuid import UUID

from fastapi import Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import Resource, add_resource, room_router
from backend.app.core.responses import passed_on, problems
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


@router.put(
    "/customers/{customer_id}/credit-limit",
    operation_id="set_credit_limit",
    summary="Set a customer's credit limit",
    response_model=schemas.Customer,
    responses=problems(400, 404),
)
async def set_credit_limit(gateway: CallerGateway, customer_id: UUID, body: schemas.CreditLimit) -> Response:
    """Sets how much the customer may owe in all. Permission: customer.credit."""
    answer = await gateway.rpc(
        "set_credit_limit", {"p_customer_id": customer_id, "p_credit_limit": body.credit_limit}
    )
    return passed_on(answer.content)
