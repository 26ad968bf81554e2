"""Customer groups, price lists and their prices."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import Archived, ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, NewRow, Quantity, Row, example
from backend.app.schemas.catalogue import MADE, ORG, VARIANT

GROUP = "1e1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c14"
PRICE_LIST = "2f2f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c15"
_ITEM = "3a3f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c16"

Name = Annotated[str, Field(min_length=1, max_length=120)]
Priority = Annotated[int, Field(ge=-1_000, le=1_000, description="The highest counts")]
LeastQuantity = Annotated[Quantity, Field(ge=0, description="On one line, in the product's unit")]


class CustomerGroup(Row):
    """Customers who are priced alike."""

    model_config = example(id=GROUP, org_id=ORG, name="Trade", **MADE)

    id: UUID
    org_id: UUID
    name: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewCustomerGroup(NewRow):
    """A group to be made."""

    model_config = example(org_id=ORG, name="Trade")

    name: Name


class CustomerGroupChange(Input):
    """What can change in a group."""

    model_config = example(name="Architects")

    name: Name | None = None
    archived_at: Moment | None = None


class CustomerGroupQuery(ListQuery):
    """Filters of customer groups."""

    sort: Literal["name", "-name", "created_at", "-created_at"] = "name"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class PriceList(Row):
    """Prices that go before the variants' own, for a group (null: everybody), at a branch (null: all), from
    the first to the last business date. Of the lists that have a price for variant and quantity the highest
    priority counts, then one for a group, then one for a branch, then the newest.
    """

    model_config = example(
        id=PRICE_LIST,
        org_id=ORG,
        name="Trade 2026",
        customer_group_id=GROUP,
        branch_id=None,
        valid_from="2026-04-01",
        valid_to=None,
        priority=0,
        **MADE,
    )

    id: UUID
    org_id: UUID
    name: str
    customer_group_id: UUID | None
    branch_id: UUID | None
    valid_from: date | None
    valid_to: date | None
    priority: int
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewPriceList(NewRow):
    """A list to be made."""

    model_config = example(org_id=ORG, name="Trade 2026", customer_group_id=GROUP, valid_from="2026-04-01")

    name: Name
    customer_group_id: UUID | None = None
    branch_id: UUID | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    priority: Priority = 0


class PriceListChange(Input):
    """What can change in a list."""

    model_config = example(valid_to="2027-03-31")

    name: Name | None = None
    customer_group_id: UUID | None = None
    branch_id: UUID | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    priority: Priority | None = None
    archived_at: Moment | None = None


class PriceListQuery(ListQuery):
    """Filters of price lists."""

    sort: Literal["name", "-name", "priority", "-priority", "created_at", "-created_at"] = "name"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    customer_group_id: Annotated[UUID | None, Where("customer_group_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class PriceListItem(Row):
    """A price on a list, per unit, from a quantity on; with or without tax as the variant's own price."""

    model_config = example(
        id=_ITEM,
        org_id=ORG,
        price_list_id=PRICE_LIST,
        variant_id=VARIANT,
        min_quantity=10.000,
        price=39900.00,
        created_at=MADE["created_at"],
        updated_at=MADE["updated_at"],
    )

    id: UUID
    org_id: UUID
    price_list_id: UUID
    variant_id: UUID
    min_quantity: Quantity
    price: Money
    created_at: datetime
    updated_at: datetime


class NewPriceListItem(NewRow):
    """A price to be put on a list."""

    model_config = example(
        org_id=ORG, price_list_id=PRICE_LIST, variant_id=VARIANT, min_quantity=10, price=39900.00
    )

    price_list_id: UUID
    variant_id: UUID
    min_quantity: LeastQuantity = Decimal(0)
    price: Money = Field(ge=0)


class PriceListItemChange(Input):
    """What can change in a price."""

    model_config = example(price=38500.00)

    min_quantity: LeastQuantity | None = None
    price: Annotated[Money, Field(ge=0)] | None = None


class PriceListItemQuery(ListQuery):
    """Filters of prices."""

    sort: Literal["min_quantity", "-min_quantity", "price", "-price", "created_at", "-created_at"] = (
        "min_quantity"
    )
    org_id: Annotated[UUID | None, Where("org_id")] = None
    price_list_id: Annotated[UUID | None, Where("price_list_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
