"""Stock counts."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Day, Input, Moment, Money, Quantity, Row, Serial, UnitCode, UnitCost
from backend.app.schemas.catalogue import ORG, VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION
from backend.app.schemas.stock_lines import ActRequest

_ID = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cf1"
_ACT = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cf2"
_ENTRY = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0cf3"
_USER = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"
Status = Literal["counting", "submitted", "approved", "posted", "cancelled"]
Tracking = Literal["none", "serial", "batch"]
_ROW: dict[str, Any] = {
    "id": _ID,
    "org_id": ORG,
    "branch_id": BRANCH,
    "location_id": LOCATION,
    "kind": "full",
    "scope": {},
    "blind": True,
    "status": "counting",
    "uncounted": None,
    "note": None,
    "business_date": None,
    "frozen_at": "2026-11-21T18:00:00+00:00",
    "started_by": _USER,
    "submitted_at": None,
    "submitted_by": None,
    "approved_at": None,
    "approved_by": None,
    "posted_at": None,
    "posted_by": None,
    "cancelled_at": None,
    "cancelled_by": None,
}


class CountRow(Row):
    """A count as lists show it. scope: what a cycle count is of; blind: who lacks count.approve is not shown
    what is expected.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: UUID
    org_id: UUID
    branch_id: UUID
    location_id: UUID
    kind: Literal["full", "cycle"]
    scope: dict[str, Any]
    blind: bool
    status: Status
    uncounted: Literal["zero", "skip"] | None
    note: str | None
    business_date: date | None
    frozen_at: datetime
    started_by: UUID
    submitted_at: datetime | None
    submitted_by: UUID | None
    approved_at: datetime | None
    approved_by: UUID | None
    posted_at: datetime | None
    posted_by: UUID | None
    cancelled_at: datetime | None
    cancelled_by: UUID | None


class CountQuery(ListQuery):
    """Filters of counts. frozen_from is inclusive, frozen_before is not."""

    sort: Literal["frozen_at", "-frozen_at"] = "-frozen_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    location_id: Annotated[UUID | None, Where("location_id")] = None
    status: Annotated[Status | None, Where("status")] = None
    frozen_from: Annotated[Moment | None, Where("frozen_at", "gte")] = None
    frozen_before: Annotated[Moment | None, Where("frozen_at", "lt")] = None


class CountOptions(Input):
    """What a cycle count is of: one of category_id, abc_class and variant_ids."""

    category_id: UUID | None = None
    abc_class: Literal["A", "B", "C"] | None = None
    variant_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=2_000)
    blind: bool = True
    note: str | None = Field(default=None, max_length=2_000)


class CountRequest(Input):
    """A count to be started: what is expected is frozen now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": _ID, "location_id": LOCATION, "kind": "full"}]}
    )

    id: UUID = Field(description="Your own id of the count; the same request again changes nothing")
    location_id: UUID
    kind: Literal["full", "cycle"]
    options: CountOptions = Field(default_factory=CountOptions)


class CountedLine(Input):
    """What somebody has counted. serials: of numbered pieces, which; batch: the lot's code."""

    variant_id: UUID
    quantity: Quantity = Field(ge=0, description="In the product's unit, or in `unit`")
    unit: UnitCode | None = None
    serials: list[Serial] | None = Field(None, max_length=2_000)
    batch: str | None = Field(None, min_length=1, max_length=60)
    expires_on: Day | None = Field(None, description="The last day of a new lot")


class EntryRequest(ActRequest):
    """What somebody has counted; entries of several people add up."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": _ACT, "lines": [{"variant_id": VARIANT, "quantity": 11}]}]}
    )

    lines: list[CountedLine] = Field(min_length=1, max_length=2_000)


class VoidEntryRequest(ActRequest):
    """An entry to be taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT}]})


class CountAct(ActRequest):
    """A step of a count."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT}]})


class SubmitOptions(Input):
    """uncounted: what becomes of lines that nobody counted; needed when there are such."""

    uncounted: Literal["zero", "skip"] | None = None


class SubmitRequest(ActRequest):
    """A count to be ended."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": _ACT, "options": {"uncounted": "skip"}}]}
    )

    options: SubmitOptions = Field(default_factory=SubmitOptions)


class RecountRequest(ActRequest):
    """A count to be taken up again. variant_ids: whose entries are voided; left out: all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _ACT, "variant_ids": [VARIANT]}]})

    variant_ids: list[UUID] | None = Field(None, min_length=1, max_length=2_000)


class Entry(Row):
    """An entry as it was made."""

    id: UUID
    line_no: int
    variant_id: UUID
    sku: str
    batch: str | None
    quantity: Quantity
    serials: list[str] | None


class Entries(Row):
    """What one request has entered, and nothing of the book."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "count_id": _ID,
                    "entries": [
                        {
                            "id": _ENTRY,
                            "line_no": 1,
                            "variant_id": VARIANT,
                            "sku": "SOF-3-TEAK-GREY",
                            "batch": None,
                            "quantity": 11.000,
                            "serials": None,
                        }
                    ],
                }
            ]
        }
    )

    count_id: UUID
    entries: list[Entry]


class CountEntry(Row):
    """An entry with its history. recorded_with: the request that made it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ENTRY,
                    "org_id": ORG,
                    "count_id": _ID,
                    "line_no": 1,
                    "branch_id": BRANCH,
                    "quantity": 11.000,
                    "serials": None,
                    "recorded_with": _ACT,
                    "recorded_at": "2026-11-21T18:10:00+00:00",
                    "recorded_by": _USER,
                    "voided_at": None,
                    "voided_by": None,
                }
            ]
        }
    )

    id: UUID
    org_id: UUID
    count_id: UUID
    line_no: int
    branch_id: UUID
    quantity: Quantity
    serials: list[str] | None
    recorded_with: UUID
    recorded_at: datetime
    recorded_by: UUID
    voided_at: datetime | None
    voided_by: UUID | None


class CountEntryQuery(ListQuery):
    """Filters of entries."""

    sort: Literal["recorded_at", "-recorded_at"] = "-recorded_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    count_id: Annotated[UUID | None, Where("count_id")] = None
    recorded_by: Annotated[UUID | None, Where("recorded_by")] = None
    voided: Annotated[
        bool | None, Field(description="true: what was taken back"), Where("voided_at", "set")
    ] = None


class Figures(Row):
    """What the book says of a line. expected: at the freeze; expected_at_count: with what moved until it was
    counted; worth: of the variance; moved: whether anything moved meanwhile; posted: the correction.
    """

    expected: Quantity | None
    expected_at_count: Quantity | None
    variance: Quantity | None
    missing: list[str] | None
    found: list[str] | None
    moved: bool | None
    unit_cost: UnitCost | None
    worth: Money | None
    posted: Quantity | None


class CountLine(Row):
    """One variant, or one lot of it. figures: null where a blind count hides them from the caller."""

    line_no: int
    variant_id: UUID
    sku: str
    name: str
    tracking: Tracking
    batch_id: UUID | None
    batch: str | None
    expires_on: date | None
    counted: Quantity | None
    figures: Figures | None


class CountTotals(Row):
    """The count in numbers. differences, worth: null where they are hidden from the caller."""

    lines: int
    counted: int
    differences: int | None
    worth: Money | None


class Count(CountRow):
    """A count with its lines, as the caller may see it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_ROW,
                    "figures_shown": False,
                    "totals": {"lines": 1, "counted": 1, "differences": None, "worth": None},
                    "lines": [
                        {
                            "line_no": 1,
                            "variant_id": VARIANT,
                            "sku": "SOF-3-TEAK-GREY",
                            "name": "Sofa, teak, grey",
                            "tracking": "none",
                            "batch_id": None,
                            "batch": None,
                            "expires_on": None,
                            "counted": 11.000,
                            "figures": None,
                        }
                    ],
                }
            ]
        }
    )

    figures_shown: bool
    totals: CountTotals
    lines: list[CountLine]
