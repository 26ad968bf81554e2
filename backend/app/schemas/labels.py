"""Labels."""

from typing import Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from backend.app.schemas.base import Input, Row
from backend.app.schemas.catalogue import VARIANT
from backend.app.services.labels.formats import FormatName
from backend.app.services.labels.layout import CodeChoice

MOST_LABELS = 1_000
LOCATION = "7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c99"

FORMAT = "What it is printed on; `GET /v1/inventory/labels/formats` describes them"
CODE = (
    "auto: EAN-13 where the barcode is one, else Code 128 of the barcode or SKU; QR for pieces, batches and "
    "locations. A linear code that would not fit the label gives way to QR, EAN-13 without a valid EAN to "
    "Code 128"
)


class LabelOptions(Input):
    """What labels of goods show besides name and code. details: the attributes."""

    show_price: bool = True
    show_details: bool = True
    show_sku: bool = True


class LabelItem(Input):
    """What is labelled: one of variant_id, location_id, batch_id."""

    variant_id: UUID | None = None
    serial: str | None = Field(
        None, min_length=1, max_length=60, description="One piece of the variant, by its serial number"
    )
    batch_id: UUID | None = None
    location_id: UUID | None = None
    copies: int = Field(default=1, ge=1, le=MOST_LABELS)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(value is not None for value in (self.variant_id, self.batch_id, self.location_id)) != 1:
            raise ValueError("give one of variant_id, batch_id and location_id")
        if self.serial is not None and self.variant_id is None:
            raise ValueError("serial belongs to variant_id")
        return self


class LabelRequest(Input):
    """Labels to print, 1000 at most."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "format": "a4-3x8",
                    "items": [{"variant_id": VARIANT, "copies": 12}, {"location_id": LOCATION}],
                    "start_at": 5,
                }
            ]
        }
    )

    format: FormatName = Field(default="a4-3x8", description=FORMAT)
    code: CodeChoice = Field(default="auto", description=CODE)
    items: list[LabelItem] = Field(min_length=1, max_length=MOST_LABELS)
    options: LabelOptions = Field(default_factory=LabelOptions)
    start_at: int = Field(
        default=1,
        ge=1,
        le=100,
        description="The first free label of a sheet that was used before, along the rows",
    )

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if sum(item.copies for item in self.items) > MOST_LABELS:
            raise ValueError(f"{MOST_LABELS} labels are the most at once")
        return self


class LabelFormat(Row):
    """A label stock. width, height: of one label, in millimetres; per_page: labels on a page, 1 on a roll."""

    name: str
    about: str
    width: float
    height: float
    columns: int
    rows: int
    per_page: int


class LabelFormats(Row):
    """The formats on offer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "formats": [
                        {
                            "name": "roll-50x25",
                            "about": "Roll, 50 x 25 mm",
                            "width": 50,
                            "height": 25,
                            "columns": 1,
                            "rows": 1,
                            "per_page": 1,
                        }
                    ]
                }
            ]
        }
    )

    formats: list[LabelFormat]


class PictureQuery(LabelOptions):
    """How one label is drawn."""

    part: Literal["label", "code"] = Field(
        default="label", description="label: the whole label; code: the code alone, with its quiet zone"
    )
    format: FormatName = Field(default="roll-50x25", description=FORMAT)
    code: CodeChoice = Field(default="auto", description=CODE)
    serial: str | None = Field(
        None, min_length=1, max_length=60, description="One piece of a variant, by its serial number"
    )


class PngQuery(PictureQuery):
    """How one label is drawn, dot by dot."""

    scale: int = Field(
        default=2, ge=1, le=4, description="Pixels a dot: 1 is 203 dpi, 2 is 406, 3 is 610, 4 is 813"
    )
