"""Who the caller is and what he may do."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from backend.app.schemas.base import Row


class User(Row):
    """A signed-in user."""

    id: UUID
    email: str | None


class Role(Row):
    """A role as its holder sees it. max_discount_percent: the largest discount on a line, in per cent."""

    key: str
    name: str
    max_discount_percent: Annotated[Decimal, WithJsonSchema({"type": "number"})]


class Branch(Row):
    """A branch that the membership covers."""

    id: UUID
    code: str
    name: str


class Membership(Row):
    """An organisation the caller belongs to, with the role held there."""

    id: UUID = Field(description="The organisation")
    name: str
    currency: str = Field(description="ISO 4217")
    country: str = Field(description="ISO 3166-1 alpha-2")
    role: Role
    all_branches: bool = Field(
        description="Whether the role covers every branch, those opened later included"
    )
    permissions: list[str]
    branches: list[Branch]


class WhoAmI(Row):
    """The caller, the organisations, and in each the role, permissions and branches."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "user": {"id": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11", "email": "cashier@teak.example"},
                    "organizations": [
                        {
                            "id": "6d0f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c22",
                            "name": "Teak & Thread",
                            "currency": "INR",
                            "country": "IN",
                            "role": {"key": "cashier", "name": "Cashier", "max_discount_percent": 5.00},
                            "all_branches": False,
                            "permissions": ["catalogue.read", "customer.read", "invoice.read", "sale.create"],
                            "branches": [
                                {
                                    "id": "9a1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c33",
                                    "code": "BLR",
                                    "name": "Indiranagar",
                                }
                            ],
                        }
                    ],
                }
            ]
        },
    )

    user: User
    organizations: list[Membership]
