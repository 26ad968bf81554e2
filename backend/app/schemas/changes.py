"""Catching up with stock after a while away."""

from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.schemas.base import Input, Quantity, Row
from backend.app.schemas.catalogue import VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION


class ChangesQuery(Input):
    """Since when, and of which branches."""

    branch_id: list[UUID] | None = Field(
        None, min_length=1, max_length=200, description="May be repeated; left out: all the caller may see"
    )
    cursor: str | None = Field(None, max_length=200, description="`cursor` of the answer before")
    limit: int = Field(1_000, ge=1, le=5_000, description="Levels in an answer")


class ChangedLevel(Row):
    """A level as it is now, in the variant's unit."""

    branch_id: UUID
    location_id: UUID
    variant_id: UUID
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    incoming: Quantity
    in_transit: Quantity


class Changes(Row):
    """What changed since the last visit. more: ask again at once, with the cursor; reset: forget what you
    have, this is the beginning of everything.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "levels": [
                        {
                            "branch_id": BRANCH,
                            "location_id": LOCATION,
                            "variant_id": VARIANT,
                            "on_hand": 12.000,
                            "reserved": 1.000,
                            "available": 11.000,
                            "incoming": 4.000,
                            "in_transit": 4.000,
                        }
                    ],
                    "cursor": "1.6d0f3f0e.5a1b2c3d.81726",
                    "more": False,
                    "reset": False,
                }
            ]
        }
    )

    levels: list[ChangedLevel]
    cursor: str
    more: bool
    reset: bool
