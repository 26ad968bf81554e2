"""What belongs to a customer: further addresses, terms of payment, history, and entries made twice."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import Archived, ListQuery, SearchText, Where
from backend.app.schemas.base import Input, Moment, Money, NewRow, Row, example
from backend.app.schemas.catalogue import MADE, ORG
from backend.app.schemas.customers import CUSTOMER, CUSTOMER_EXAMPLE, Country, Customer, Line, RegionCode
from backend.app.schemas.payments import INVOICE_ID, ActId
from backend.app.schemas.stock import BRANCH

_ADDRESS = "5a5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d41"
_ACT = "5a5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d42"
TWICE = "5a5f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d43"
_WHERE: dict[str, Any] = {
    "kind": "delivery",
    "is_default": True,
    "label": "Site 4",
    "recipient": "Ravi, foreman",
    "phone": "+91 98450 12345",
    "address_line1": "Plot 11, Hosur Road",
    "city": "Bengaluru",
    "region_code": "29",
    "postal_code": "560068",
    "country": "IN",
}

AddressKind = Literal["billing", "delivery"]
FirstLine = Annotated[str, Field(min_length=1, max_length=200)]


class CustomerAddress(Row):
    """A further address of a customer. is_default: proposed first, one of each kind. A document names
    one as deliver_to and keeps it; the buyer's address on his invoices is the customer's own.
    """

    model_config = example(
        id=_ADDRESS, org_id=ORG, customer_id=CUSTOMER, address_line2=None, tax_area=None, **_WHERE, **MADE
    )

    id: UUID
    org_id: UUID
    customer_id: UUID
    kind: AddressKind
    is_default: bool
    label: str | None
    recipient: str | None
    phone: str | None
    address_line1: str
    address_line2: str | None
    city: str | None
    region_code: str | None
    postal_code: str | None
    country: str | None
    tax_area: str | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Place(Input):
    """Where it is and who receives there; every field may be left out."""

    label: str | None = Field(None, min_length=1, max_length=80, description="What it is called: Site 4")
    recipient: str | None = Field(None, max_length=200)
    phone: str | None = Field(None, max_length=40)
    address_line2: Line | None = None
    city: str | None = Field(None, max_length=100)
    region_code: RegionCode | None = None
    postal_code: str | None = Field(None, max_length=16)
    country: Country | None = None
    tax_area: str | None = Field(None, max_length=38, description="County, city: what taxes below the region")


class NewCustomerAddress(NewRow, Place):
    """An address to be added."""

    model_config = example(org_id=ORG, customer_id=CUSTOMER, **_WHERE)

    customer_id: UUID
    kind: AddressKind
    is_default: bool = False
    address_line1: FirstLine


class CustomerAddressChange(Place):
    """What can change in an address. One that becomes the default takes the place of the one that was it."""

    model_config = example(recipient="Meera Nair")

    kind: AddressKind | None = None
    is_default: bool | None = None
    address_line1: FirstLine | None = None
    archived_at: Moment | None = None


class CustomerAddressQuery(ListQuery):
    """Filters of addresses."""

    sort: Literal["created_at", "-created_at"] = "created_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    kind: Annotated[AddressKind | None, Where("kind")] = None
    is_default: Annotated[bool | None, Where("is_default")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class PaymentTerms(Input):
    """Within how many days a customer pays."""

    model_config = example(days=30)

    days: Annotated[int, Field(ge=0, le=365)] | None = Field(
        description="After the business date of an invoice; null: at once"
    )


class MergeRequest(Input):
    """The entry that is merged into the customer and archived for good."""

    model_config = example(id=_ACT, merge_id=TWICE)

    id: ActId
    merge_id: UUID = Field(
        description="Whose documents, payments, credit and addresses become the customer's"
    )


class MergedCustomer(Customer):
    """The customer who stays. merged: all entries that are one with him."""

    model_config = example(**CUSTOMER_EXAMPLE, merged=[TWICE])

    merged: list[UUID]


class HistoryQuery(Input):
    """Which page of a customer's history."""

    limit: int = Field(50, ge=1, le=500, description="Documents on a page")
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before")


class HistoryItem(Row):
    """Something that happened with a customer. kind: invoice, payment, refund, credit_note, return,
    agreement, quotation, order, delivery, points; status: the document's, of points earn, redeem and the
    like, null where there is none; amount: in the organisation's currency; points: how many, else null.
    """

    kind: str
    id: UUID
    branch_id: UUID | None
    number: str | None
    status: str | None
    at: datetime
    amount: Money | None
    points: int | None
    note: str | None


class CustomerHistory(Row):
    """Everything that happened with a customer, the latest first."""

    model_config = example(
        items=[
            {
                "kind": "invoice",
                "id": INVOICE_ID,
                "branch_id": BRANCH,
                "number": "BLR/26-27/000001",
                "status": "paid",
                "at": "2026-11-21T09:30:00+00:00",
                "amount": 1180.00,
                "points": None,
                "note": None,
            }
        ],
        next_cursor=None,
    )

    items: list[HistoryItem]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one")
