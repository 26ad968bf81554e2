"""Loyalty: what points are worth, what earns them, and what customers have."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from backend.app.core.listing import Archived, ListQuery, SearchText, Where
from backend.app.schemas.base import Input, Moment, Money, NewRow, Rate, Row, example
from backend.app.schemas.catalogue import CATEGORY, MADE, ORG
from backend.app.schemas.payments import CUSTOMER, INVOICE_ID, ActId, Reason

_RULE = "3c3f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d21"
_ACT = "3c3f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d22"
_WORTH: dict[str, Any] = {"point_value": 0.5000, "minimum_points": 100, "max_share_percent": 50.00}

FourDecimals = Annotated[Decimal, Field(max_digits=14, decimal_places=4), WithJsonSchema({"type": "number"})]
PointValue = Annotated[
    FourDecimals, Field(gt=0, le=1_000_000, description="What one point pays, in the organisation's currency")
]
LeastPoints = Annotated[
    int, Field(ge=1, le=1_000_000_000, description="As many are redeemed at least at once")
]
Share = Annotated[
    Rate, Field(gt=0, le=100, decimal_places=2, description="Of an invoice's total that points may pay")
]
ExpiryMonths = Annotated[
    int, Field(ge=1, le=240, description="After which points that are got from now on expire; null: never")
]
PointsPerUnit = Annotated[
    FourDecimals, Field(ge=0, le=100_000, description="For each unit of currency paid in money, tax included")
]
RuleName = Annotated[str, Field(min_length=1, max_length=120)]
Priority = Annotated[int, Field(ge=-1_000, le=1_000, description="Of the rules that fit the highest counts")]


class LoyaltyProgram(Row):
    """What points are worth in an organisation. Archived: nothing is earned or redeemed any more."""

    model_config = example(org_id=ORG, expiry_months=24, **_WORTH, **MADE)

    org_id: UUID
    point_value: FourDecimals
    minimum_points: int
    max_share_percent: Rate
    expiry_months: int | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewLoyaltyProgram(Input):
    """The program that an organisation begins; it has one."""

    model_config = example(org_id=ORG, expiry_months=24, **_WORTH)

    org_id: UUID
    point_value: PointValue
    minimum_points: LeastPoints = 1
    max_share_percent: Share = Decimal(100)
    expiry_months: ExpiryMonths | None = None


class LoyaltyProgramChange(Input):
    """What can change in a program. Points that were got keep the day on which they expire."""

    model_config = example(max_share_percent=25.00)

    point_value: PointValue | None = None
    minimum_points: LeastPoints | None = None
    max_share_percent: Share | None = None
    expiry_months: ExpiryMonths | None = None
    archived_at: Moment | None = None


class LoyaltyProgramQuery(ListQuery):
    """Filters of loyalty programs."""

    sort: Literal["created_at", "-created_at"] = "created_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class LoyaltyRule(Row):
    """What earns points. category_id: on products of it and all beneath it, null for all; customer_group_id:
    for this group only, null for everybody. Of the rules that fit a line the highest priority counts, then
    the one that gives most.
    """

    model_config = example(
        id=_RULE,
        org_id=ORG,
        name="Sofas count double",
        points_per_unit=0.0200,
        category_id=CATEGORY,
        customer_group_id=None,
        priority=10,
        **MADE,
    )

    id: UUID
    org_id: UUID
    name: str
    points_per_unit: FourDecimals
    category_id: UUID | None
    customer_group_id: UUID | None
    priority: int
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewLoyaltyRule(NewRow):
    """A rule to be made."""

    model_config = example(
        org_id=ORG, name="Sofas count double", points_per_unit=0.02, category_id=CATEGORY, priority=10
    )

    name: RuleName
    points_per_unit: PointsPerUnit
    category_id: UUID | None = None
    customer_group_id: UUID | None = None
    priority: Priority = 0


class LoyaltyRuleChange(Input):
    """What can change in a rule."""

    model_config = example(points_per_unit=0.03)

    name: RuleName | None = None
    points_per_unit: PointsPerUnit | None = None
    category_id: UUID | None = None
    customer_group_id: UUID | None = None
    priority: Priority | None = None
    archived_at: Moment | None = None


class LoyaltyRuleQuery(ListQuery):
    """Filters of loyalty rules."""

    sort: Literal["name", "-name", "priority", "-priority", "created_at", "-created_at"] = "-priority"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    category_id: Annotated[UUID | None, Where("category_id")] = None
    customer_group_id: Annotated[UUID | None, Where("customer_group_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class RedeemRequest(Input):
    """What points are to pay of an invoice."""

    model_config = example(id=_ACT, amount=500.00)

    id: UUID = Field(description="Your own id of the payment; sent again, it is not booked again")
    amount: Money = Field(gt=0, description="In the organisation's currency; takes whole points, rounded up")


class AdjustPointsRequest(Input):
    """Points that a customer is given or that are taken from him, by hand."""

    model_config = example(id=_ACT, points=250, reason="An apology for the late delivery")

    id: ActId
    points: int = Field(ge=-1_000_000_000, le=1_000_000_000, description="Below 0 to take; not 0")
    reason: Reason


class ExpiringPoints(Row):
    """Points that expire at one moment."""

    expires_at: datetime
    points: int


class LoyaltyBalance(Row):
    """What points a customer can redeem now. value: what they pay; null where there is no program. owed:
    points of goods that came back when he had spent them, taken of the next he earns. expiring: the next
    twelve moments at which some of them expire.
    """

    model_config = example(
        customer_id=CUSTOMER,
        points=1250,
        value=625.00,
        currency="INR",
        owed=0,
        expiring=[{"expires_at": "2028-11-21T09:30:00+00:00", "points": 1250}],
    )

    customer_id: UUID
    points: int
    value: Money | None
    currency: str
    owed: int
    expiring: list[ExpiringPoints]


class LoyaltyStatementQuery(Input):
    """The period of a statement of points."""

    since: Moment | None = Field(None, description="Inclusive; left out: from the beginning")
    until: Moment | None = Field(None, description="Exclusive; left out: up to now")


class LoyaltyEntry(Row):
    """Points that came or went. expires_at: of what came. amount: what they paid, or paid back."""

    at: datetime
    kind: Literal["earn", "redeem", "return", "reverse", "expire", "adjust"]
    points: int
    expires_at: datetime | None
    invoice_id: UUID | None
    number: str | None = Field(description="Of the invoice")
    amount: Money | None
    reason: str | None


class LoyaltyStatement(Row):
    """A customer's points in a period: opening and entries sum to closing. Points that have expired count
    until the nightly job wrote them off.
    """

    model_config = example(
        customer_id=CUSTOMER,
        opening=1200,
        entries=[
            {
                "at": "2026-11-21T09:30:00+00:00",
                "kind": "earn",
                "points": 50,
                "expires_at": "2028-11-21T09:30:00+00:00",
                "invoice_id": INVOICE_ID,
                "number": "BLR/26-27/000001",
                "amount": None,
                "reason": None,
            }
        ],
        closing=1250,
    )

    customer_id: UUID
    opening: int
    entries: list[LoyaltyEntry]
    closing: int
