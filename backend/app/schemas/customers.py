"""Customers."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import Archived, ListQuery, SearchText, Where
from backend.app.schemas.base import Input, Moment, Money, NewRow, Row, example
from backend.app.schemas.catalogue import ORG

CUSTOMER = "5a5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c88"
CUSTOMER_EXAMPLE: dict[str, Any] = {
    "id": CUSTOMER,
    "org_id": ORG,
    "name": "Lotus Interiors Pvt Ltd",
    "kind": "business",
    "tax_number": "29AAGCL1234M1ZX",
    "phone": "+91 80 4123 4567",
    "email": "accounts@lotus.example",
    "address_line1": "14, 80 Feet Road",
    "address_line2": "Koramangala",
    "city": "Bengaluru",
    "region_code": "29",
    "tax_area": None,
    "tax_treatment": "regular",
    "postal_code": "560034",
    "country": "IN",
    "credit_limit": 200000.00,
    "credit_status": "none",
    "notes": None,
    "customer_group_id": None,
    "payment_terms_days": 30,
    "merged_into": None,
    "archived_at": None,
    "created_at": "2026-11-21T09:30:00+00:00",
    "updated_at": "2026-11-21T09:30:00+00:00",
}

Name = Annotated[str, Field(min_length=1, max_length=200)]
Line = Annotated[str, Field(max_length=200)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
RegionCode = Annotated[
    str, Field(pattern="^[0-9A-Z]{1,3}$", description="In India the two digits that open a GSTIN")
]


class Customer(Row):
    """A customer. tax_number: GSTIN or VAT number. credit_limit: how much may be owed in all.

    credit_status: what the instalment agreements come to; who is in default gets no new credit.
    """

    model_config = example(**CUSTOMER_EXAMPLE)

    id: UUID
    org_id: UUID
    name: str
    kind: Literal["person", "business"]
    tax_number: str | None
    phone: str | None
    email: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    region_code: str | None
    tax_area: str | None
    tax_treatment: Literal["regular", "sez", "exempt"]
    postal_code: str | None
    country: str | None
    credit_limit: Money
    credit_status: Literal["none", "active", "completed", "defaulted"]
    notes: str | None
    customer_group_id: UUID | None
    payment_terms_days: int | None = Field(description="Due so many days after the invoice; null: at once")
    merged_into: UUID | None = Field(description="The customer that this one was entered twice of")
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Contact(Input):
    """How a customer is reached and taxed; every field may be left out."""

    tax_number: str | None = Field(None, max_length=20)
    phone: str | None = Field(None, max_length=40)
    email: str | None = Field(None, max_length=254)
    address_line1: Line | None = None
    address_line2: Line | None = None
    city: str | None = Field(None, max_length=100)
    region_code: RegionCode | None = None
    tax_area: str | None = Field(None, max_length=38, description="County, city: what taxes below the region")
    tax_treatment: Literal["regular", "sez", "exempt"] | None = Field(
        None, description="A SEZ unit or developer, or the holder of an exemption certificate"
    )
    postal_code: str | None = Field(None, max_length=16)
    country: Country | None = None
    notes: str | None = Field(None, max_length=4_000)
    customer_group_id: UUID | None = Field(
        None, description="Decides which price lists apply; needs price.override or catalogue.manage"
    )


class NewCustomer(NewRow, Contact):
    """A customer to be made. The credit limit starts at 0 and is set by an act of its own."""

    model_config = example(org_id=ORG, name="Meera Nair", phone="+91 98450 12345")

    name: Name
    kind: Literal["person", "business"] = "person"


class CustomerChange(Contact):
    """What can change in a customer."""

    model_config = example(phone="+91 98450 54321")

    name: Name | None = None
    kind: Literal["person", "business"] | None = None
    archived_at: Moment | None = None


class CreditLimit(Input):
    """How much a customer may owe in all."""

    model_config = example(credit_limit=200000.00)

    credit_limit: Money = Field(ge=0, description="In the organisation's currency; 0: nothing on credit")


class CustomerQuery(ListQuery):
    """Filters of customers."""

    sort: Literal["name", "-name", "created_at", "-created_at"] = "name"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    kind: Annotated[Literal["person", "business"] | None, Where("kind")] = None
    tax_number: Annotated[str | None, Field(max_length=20), Where("tax_number")] = None
    region_code: Annotated[RegionCode | None, Where("region_code")] = None
    customer_group_id: Annotated[UUID | None, Where("customer_group_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False
