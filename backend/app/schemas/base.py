"""What all models share: exact numbers, and no field that nobody declared."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, get_args
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

_NUMBER = WithJsonSchema({"type": "number"})

Money = Annotated[Decimal, Field(max_digits=16, decimal_places=2), _NUMBER]
"""An amount in the document's currency, 2 decimals."""

Quantity = Annotated[Decimal, Field(max_digits=15, decimal_places=3), _NUMBER]
"""A quantity in the product's unit, 3 decimals."""

UnitCost = Annotated[Decimal, Field(max_digits=18, decimal_places=6), _NUMBER]
"""A cost per unit, 6 decimals."""

UnitCode = Annotated[str, Field(pattern="^[A-Z]{2,3}$", description="A code of units, such as MTR or ROL")]

Serial = Annotated[str, Field(min_length=1, max_length=60)]
"""The number of one piece, as its maker printed it."""

Factor = Annotated[Decimal, Field(max_digits=14, decimal_places=6), _NUMBER]
"""How many of one unit another is, 6 decimals."""

Rate = Annotated[Decimal, Field(max_digits=7, decimal_places=3), _NUMBER]
"""A percentage, 3 decimals."""


def example(**values: Any) -> ConfigDict:
    """The `model_config` of a model with an example, which the description of the API shows."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def _iso_text(value: Any) -> Any:
    """Refuses numbers: pydantic takes them for seconds since 1970, and `since=20261121` would mean a day of
    that year.
    """
    if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise PydanticCustomError("iso_text", "Input should be written as ISO 8601 says: 2026-11-21")
    if isinstance(value, int | float | Decimal):
        raise PydanticCustomError("iso_text", "Input should be a text as ISO 8601 says, not a number")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_iso_text)]
"""A point in time that a caller sends, with its offset from UTC."""

Day = Annotated[date, BeforeValidator(_iso_text)]
"""A date that a caller sends."""


def _takes_bool(annotation: Any) -> bool:
    return annotation in (bool, Any) or any(_takes_bool(part) for part in get_args(annotation))


class Input(BaseModel):
    """What callers send. A field that is not declared is refused: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuses true where a number is asked for: Python takes it for 1, JSON does not."""
        if isinstance(value, bool) and not _takes_bool(cls.model_fields[info.field_name or ""].annotation):
            raise PydanticCustomError("no_bool", "Input should not be true or false")
        return value


class Row(BaseModel):
    """What callers get. The database's answer is passed on as it is; tests hold it to these models."""

    model_config = ConfigDict(extra="forbid")


class NewRow(Input):
    """A record to be made."""

    id: UUID | None = Field(
        None, description="Your own id for it, so that a repeated request cannot make it twice"
    )
    org_id: UUID = Field(description="The organisation it belongs to")
