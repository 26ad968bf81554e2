"""The lines that stock documents are made of."""

from uuid import UUID

from pydantic import Field

from backend.app.schemas.base import Input, Quantity, Row, Serial, UnitCode


class WantedLine(Input):
    """A variant and how much of it. Of a set, its components are meant."""

    variant_id: UUID
    quantity: Quantity = Field(gt=0, description="In the product's unit, or in `unit`")
    unit: UnitCode | None = Field(None, description="Another unit of the product")


class MovedLine(WantedLine):
    """A variant that is to move. serials: of numbered pieces, which; batch: the lot's code."""

    serials: list[Serial] | None = Field(None, min_length=1, max_length=2_000)
    batch: str | None = Field(None, min_length=1, max_length=60)


class PlainItem(Row):
    """A component of a line, in its unit; of a line that is no set, the line itself."""

    variant_id: UUID
    sku: str
    name: str
    quantity: Quantity


class ActRequest(Input):
    """An act on a document, without anything to say about it."""

    id: UUID = Field(description="Your own id of this act; the same request again changes nothing")
