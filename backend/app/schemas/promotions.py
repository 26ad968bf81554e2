"""Promotions, what they are about, and the coupons that open them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import Archived, ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, NewRow, Row, example
from backend.app.schemas.catalogue import CATEGORY, MADE, ORG
from backend.app.schemas.payments import CUSTOMER, INVOICE_ID
from backend.app.schemas.stock import BRANCH

PROMOTION = "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d11"
_TARGET = "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d12"
_COUPON = "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d13"
_PERSON = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"

PromotionKind = Literal["percent", "amount", "buy_get", "bundle"]
AppliesTo = Literal["everything", "targets"]
Part = Literal["buy", "get"]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Value = Annotated[Money, Field(ge=0, description="Per cent off, an amount off, or what a bundle costs")]
Pieces = Annotated[int, Field(ge=1, le=100_000, description="Whole units")]
Times = Annotated[int, Field(ge=1, le=1_000_000_000)]
Weekday = Annotated[int, Field(ge=1, le=7, description="1 Monday to 7 Sunday")]
Weekdays = Annotated[list[Weekday], Field(min_length=1, max_length=7)]
Clock = Annotated[
    str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$", description="By the branch's clock")
]
Priority = Annotated[int, Field(ge=-1_000, le=1_000, description="The highest comes first")]
Position = Annotated[int, Field(ge=1, le=200, description="A line counts for the first target that fits")]
CouponCode = Annotated[
    str, Field(pattern="^[A-Za-z0-9_-]{3,40}$", description="Letters, digits, - and _; in whatever capitals")
]

_WHAT: dict[str, Any] = {
    "name": "Diwali sofas",
    "kind": "percent",
    "value": 10.00,
    "valid_from": "2026-11-01",
    "valid_to": "2026-11-30",
}
_LIMITS: dict[str, Any] = {"max_uses": 500, "max_uses_per_customer": 1}


class Promotion(Row):
    """An offer. kind: percent (value per cent off), amount (value off in all, or off every unit with
    per_unit), buy_get (of every buy_quantity + get_quantity the cheapest get_quantity at value per cent off),
    bundle (all targets together for value). customer_group_id, branch_id: null for all. valid_from, valid_to:
    business dates, both inclusive; time_to is not, and lies past midnight when it is the earlier.
    minimum_amount: of the whole basket before offers. Not combinable: it stands alone on a document, where it
    saves more than the others together.
    """

    model_config = example(
        id=PROMOTION,
        org_id=ORG,
        per_unit=False,
        buy_quantity=None,
        get_quantity=None,
        max_times=None,
        applies_to="targets",
        customer_group_id=None,
        branch_id=None,
        weekdays=[6, 7],
        time_from="17:00:00",
        time_to="21:00:00",
        minimum_amount=0.00,
        needs_coupon=False,
        combinable=True,
        priority=0,
        **_WHAT,
        **MADE,
    )

    id: UUID
    org_id: UUID
    name: str
    kind: PromotionKind
    value: Money
    per_unit: bool
    buy_quantity: int | None
    get_quantity: int | None
    max_times: int | None
    applies_to: AppliesTo
    customer_group_id: UUID | None
    branch_id: UUID | None
    valid_from: date | None
    valid_to: date | None
    weekdays: list[int] | None
    time_from: str | None
    time_to: str | None
    minimum_amount: Money
    needs_coupon: bool
    combinable: bool
    priority: int
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Conditions(Input):
    """To whom, where and when an offer is made; null: to all, everywhere, always."""

    buy_quantity: Pieces | None = None
    get_quantity: Pieces | None = None
    max_times: Times | None = Field(
        None, description="How often buy_get or bundle counts on a document; null: as often as it fits"
    )
    customer_group_id: UUID | None = None
    branch_id: UUID | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    weekdays: Weekdays | None = None
    time_from: Clock | None = None
    time_to: Clock | None = None


class NewPromotion(NewRow, Conditions):
    """An offer to be made."""

    model_config = example(org_id=ORG, **_WHAT)

    name: Name
    kind: PromotionKind
    value: Value
    per_unit: bool = False
    applies_to: AppliesTo = "targets"
    minimum_amount: Annotated[Money, Field(ge=0)] = Decimal(0)
    needs_coupon: bool = False
    combinable: bool = True
    priority: Priority = 0


class PromotionChange(Conditions):
    """What can change in an offer. Documents keep what they were given."""

    model_config = example(valid_to="2026-12-15")

    name: Name | None = None
    kind: PromotionKind | None = None
    value: Value | None = None
    per_unit: bool | None = None
    applies_to: AppliesTo | None = None
    minimum_amount: Annotated[Money, Field(ge=0)] | None = None
    needs_coupon: bool | None = None
    combinable: bool | None = None
    priority: Priority | None = None
    archived_at: Moment | None = None


class PromotionQuery(ListQuery):
    """Filters of promotions."""

    sort: Literal["name", "-name", "priority", "-priority", "created_at", "-created_at"] = "name"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    kind: Annotated[PromotionKind | None, Where("kind")] = None
    customer_group_id: Annotated[UUID | None, Where("customer_group_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    needs_coupon: Annotated[bool | None, Where("needs_coupon")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class PromotionTarget(Row):
    """What a promotion is about: a category with all beneath it, a product, or one variant. part: bought, or
    got for it. quantity: how many of it belong to one bundle.
    """

    model_config = example(
        id=_TARGET,
        org_id=ORG,
        promotion_id=PROMOTION,
        position=1,
        part="buy",
        category_id=CATEGORY,
        product_id=None,
        variant_id=None,
        quantity=1,
        created_at=MADE["created_at"],
        updated_at=MADE["updated_at"],
    )

    id: UUID
    org_id: UUID
    promotion_id: UUID
    position: int
    part: Part
    category_id: UUID | None
    product_id: UUID | None
    variant_id: UUID | None
    quantity: int
    created_at: datetime
    updated_at: datetime


class Goods(Input):
    """Which goods: name one of the three."""

    category_id: UUID | None = None
    product_id: UUID | None = None
    variant_id: UUID | None = None


class NewPromotionTarget(NewRow, Goods):
    """Goods that a promotion is about."""

    model_config = example(org_id=ORG, promotion_id=PROMOTION, position=1, category_id=CATEGORY)

    promotion_id: UUID
    position: Position
    part: Part = "buy"
    quantity: Pieces = 1


class PromotionTargetChange(Goods):
    """What can change in a target."""

    model_config = example(quantity=2)

    part: Part | None = None
    quantity: Pieces | None = None


class PromotionTargetQuery(ListQuery):
    """Filters of targets."""

    sort: Literal["position", "-position", "created_at", "-created_at"] = "position"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    promotion_id: Annotated[UUID | None, Where("promotion_id")] = None
    category_id: Annotated[UUID | None, Where("category_id")] = None
    product_id: Annotated[UUID | None, Where("product_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None


class Coupon(Row):
    """A code that opens a promotion. max_uses: in all; max_uses_per_customer: for each, who must be named
    then; null: no limit. valid_from, valid_to: business dates, both inclusive.
    """

    model_config = example(
        id=_COUPON,
        org_id=ORG,
        promotion_id=PROMOTION,
        code="DIWALI26",
        valid_from=None,
        valid_to=None,
        **_LIMITS,
        **MADE,
    )

    id: UUID
    org_id: UUID
    promotion_id: UUID
    code: str
    max_uses: int | None
    max_uses_per_customer: int | None
    valid_from: date | None
    valid_to: date | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CouponLimits(Input):
    """How often and when a code counts; null: always."""

    max_uses: Times | None = None
    max_uses_per_customer: Times | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class NewCoupon(NewRow, CouponLimits):
    """A code to be given out."""

    model_config = example(org_id=ORG, promotion_id=PROMOTION, code="DIWALI26", **_LIMITS)

    promotion_id: UUID
    code: CouponCode


class CouponChange(CouponLimits):
    """What can change in a coupon; the code itself stays what customers hold."""

    model_config = example(max_uses=1000)

    archived_at: Moment | None = None


class CouponQuery(ListQuery):
    """Filters of coupons."""

    sort: Literal["code", "-code", "created_at", "-created_at"] = "code"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    promotion_id: Annotated[UUID | None, Where("promotion_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class CouponUse(Row):
    """That a sale used a coupon (entry 1, uses 1), or gave the use back (entry 2, uses -1). document_id: of
    the invoice, or of the order, whose invoices use nothing more. amount: what it took off, in the document's
    currency. The uses of a coupon sum to how often it was used.
    """

    model_config = example(
        org_id=ORG,
        coupon_id=_COUPON,
        document_id=INVOICE_ID,
        invoice_id=INVOICE_ID,
        order_id=None,
        entry=1,
        branch_id=BRANCH,
        customer_id=CUSTOMER,
        uses=1,
        amount=4200.00,
        created_at=MADE["created_at"],
        created_by=_PERSON,
    )

    org_id: UUID
    coupon_id: UUID
    document_id: UUID
    invoice_id: UUID | None
    order_id: UUID | None
    entry: int
    branch_id: UUID
    customer_id: UUID | None
    uses: int
    amount: Money
    created_at: datetime
    created_by: UUID


class CouponUseQuery(ListQuery):
    """Filters of the uses of coupons."""

    sort: Literal["created_at", "-created_at"] = "-created_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    coupon_id: Annotated[UUID | None, Where("coupon_id")] = None
    invoice_id: Annotated[UUID | None, Where("invoice_id")] = None
    order_id: Annotated[UUID | None, Where("order_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
