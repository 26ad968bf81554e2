"""Alerts, reorder rules, and what follows from them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Input, Quantity, Row
from backend.app.schemas.catalogue import ORG, VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION
from backend.app.schemas.stock_lines import ActRequest

_ACT = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cb2"
Exact = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class Alert(Row):
    """Stock that ran low or out. available: when it was raised; resolved_at: there is stock again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cb1",
                    "org_id": ORG,
                    "branch_id": BRANCH,
                    "location_id": LOCATION,
                    "variant_id": VARIANT,
                    "kind": "low_stock",
                    "available": 2.000,
                    "reorder_point": 3.000,
                    "raised_at": "2026-11-21T09:30:00+00:00",
                    "resolved_at": None,
                    "acknowledged_at": None,
                    "acknowledged_by": None,
                }
            ]
        }
    )

    id: UUID
    org_id: UUID
    branch_id: UUID
    location_id: UUID
    variant_id: UUID
    kind: Literal["low_stock", "out_of_stock"]
    available: Quantity
    reorder_point: Quantity
    raised_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None


class AlertQuery(ListQuery):
    """Filters of alerts. resolved false: those that stand."""

    sort: Literal["raised_at", "-raised_at"] = "-raised_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
    kind: Annotated[Literal["low_stock", "out_of_stock"] | None, Where("kind")] = None
    resolved: Annotated[bool | None, Where("resolved_at", "set")] = None
    acknowledged: Annotated[bool | None, Where("acknowledged_at", "set")] = None


class AcknowledgeRequest(ActRequest):
    """An alert that somebody has seen to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT}]})


_RULE: dict[str, Any] = {
    "org_id": ORG,
    "branch_id": BRANCH,
    "location_id": LOCATION,
    "variant_id": VARIANT,
    "reorder_point": 3.000,
    "reorder_quantity": 6.000,
    "lead_time_days": 14,
}


class SavedRule(Row):
    """When a variant is ordered again for a location, in its unit. lead_time_days: from order to shelf."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RULE]})

    org_id: UUID
    branch_id: UUID
    location_id: UUID
    variant_id: UUID
    reorder_point: Quantity
    reorder_quantity: Quantity
    lead_time_days: int


class ReorderRule(SavedRule):
    """A reorder rule as lists show it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_RULE,
                    "created_at": "2026-11-21T09:30:00+00:00",
                    "updated_at": "2026-11-21T09:30:00+00:00",
                }
            ]
        }
    )

    created_at: datetime
    updated_at: datetime


class ReorderRuleQuery(ListQuery):
    """Filters of reorder rules."""

    sort: Literal["location_id", "variant_id", "updated_at", "-updated_at"] = "location_id"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None


class ReorderRuleRequest(ActRequest):
    """A reorder rule to be set."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ACT,
                    "location_id": LOCATION,
                    "variant_id": VARIANT,
                    "reorder_point": 3,
                    "reorder_quantity": 6,
                    "lead_time_days": 14,
                }
            ]
        }
    )

    location_id: UUID
    variant_id: UUID
    reorder_point: Quantity = Field(ge=0, description="At this much available or less")
    reorder_quantity: Quantity = Field(ge=0, description="At least so much at a time")
    lead_time_days: int = Field(ge=0, le=365)


class RemoveRuleRequest(ActRequest):
    """A reorder rule to be taken away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": _ACT, "location_id": LOCATION, "variant_id": VARIANT}]}
    )

    location_id: UUID
    variant_id: UUID


class RemovedRule(Row):
    """Whose rule was taken away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"location_id": LOCATION, "variant_id": VARIANT}]}
    )

    location_id: UUID
    variant_id: UUID


class SuggestionQuery(Input):
    """For which branch, and from how many days of sales."""

    branch_id: UUID
    days: int = Field(90, ge=1, le=3_650)


class Suggestion(Row):
    """What to order. lead_time_demand: what will be sold until it comes; suggested: fills up to the reorder
    point by then, at least the reorder quantity. Quantities in the variant's unit.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "location_id": LOCATION,
                    "variant_id": VARIANT,
                    "sku": "SOF-3-TEAK-GREY",
                    "name": "Sofa, teak, grey",
                    "reorder_point": 3.000,
                    "reorder_quantity": 6.000,
                    "lead_time_days": 14,
                    "on_hand": 2.000,
                    "available": 2.000,
                    "incoming": 0.000,
                    "daily_sales": 0.2,
                    "lead_time_demand": 2.8,
                    "suggested": 6.000,
                }
            ]
        }
    )

    location_id: UUID
    variant_id: UUID
    sku: str
    name: str
    reorder_point: Quantity
    reorder_quantity: Quantity
    lead_time_days: int
    on_hand: Quantity
    available: Quantity
    incoming: Quantity
    daily_sales: Exact
    lead_time_demand: Exact
    suggested: Exact


class AbcQuery(Input):
    """Of which branch, and how far back."""

    branch_id: UUID
    days: int = Field(365, ge=1, le=3_650)


class AbcRow(Row):
    """How much of the business a variant carries. value: sold less returned, at cost; share: of all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "variant_id": VARIANT,
                    "sku": "SOF-3-TEAK-GREY",
                    "name": "Sofa, teak, grey",
                    "value": 271500.00,
                    "share": 0.34,
                    "class": "A",
                }
            ]
        }
    )

    variant_id: UUID
    sku: str
    name: str
    value: Exact
    share: Exact
    abc_class: Literal["A", "B", "C"] = Field(alias="class")
