"""What a code stands for, and what of it lies where."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.schemas.base import Input, Money, Quantity, Row
from backend.app.schemas.catalogue import ORG, PRODUCT, VARIANT
from backend.app.schemas.stock import BRANCH, LOCATION
from backend.app.schemas.tracking import Batch, StockUnit

LocationKind = Literal[
    "showroom",
    "display",
    "warehouse",
    "vehicle",
    "quarantine",
    "transit",
    "supplier",
    "customer",
    "adjustment",
]
_LEVEL: dict[str, Any] = {
    "variant_id": VARIANT,
    "branch_id": BRANCH,
    "location_id": LOCATION,
    "location_code": "SHOW",
    "kind": "showroom",
    "is_sellable": True,
    "on_hand": 12.000,
    "reserved": 1.000,
    "available": 11.000,
    "incoming": 4.000,
    "in_transit": 4.000,
    "expired": 0.000,
}


class Availability(Row):
    """What of a variant is at a location; of a set, how many its components make."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LEVEL]})

    variant_id: UUID
    branch_id: UUID
    location_id: UUID
    location_code: str
    kind: LocationKind
    is_sellable: bool
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    incoming: Quantity
    in_transit: Quantity
    expired: Quantity = Field(
        description="The part of on_hand that is past its last day: neither sold nor promised"
    )


class AvailabilityQuery(Input):
    """Of which variants, and where."""

    org_id: UUID
    variant_id: Annotated[list[UUID], Field(min_length=1, max_length=200, description="May be repeated")]
    branch_id: UUID | None = Field(None, description="That branch only")


class ScanQuery(Input):
    """What was read."""

    code: str = Field(min_length=1, max_length=200, description="As the reader gave it, or as it was typed")
    org_id: UUID | None = Field(None, description="That organisation only")
    branch_id: UUID | None = Field(None, description="Stock, places and documents of that branch only")


class FoundVariant(Row):
    """A variant with the name, kind and unit of its product."""

    id: UUID
    org_id: UUID
    product_id: UUID
    sku: str
    name: str
    barcode: str | None
    attributes: dict[str, Any]
    price: Money
    price_includes_tax: bool
    tracking: Literal["none", "serial", "batch"]
    archived_at: datetime | None
    product_name: str
    product_kind: Literal["goods", "service", "set"]
    unit: str


class FoundUnit(StockUnit):
    """A piece, with the code of its location where the caller may see that."""

    model_config = ConfigDict(json_schema_extra={})

    location_code: str | None


class FoundBatchLevel(Row):
    """Where some of a batch is."""

    branch_id: UUID
    location_id: UUID
    location_code: str
    on_hand: Quantity


class FoundBatch(Batch):
    """A batch, and where it is. expired: its last day is over."""

    model_config = ConfigDict(json_schema_extra={})

    expired: bool
    levels: list[FoundBatchLevel]


class FoundLocation(Row):
    """A place."""

    id: UUID
    branch_id: UUID | None
    code: str
    name: str
    kind: LocationKind
    is_sellable: bool
    archived_at: datetime | None


class FoundDocument(Row):
    """A document."""

    document: Literal["invoice", "stock_transfer"]
    id: UUID
    branch_id: UUID
    number: str
    status: str
    business_date: date


class Match(Row):
    """One thing that the code may stand for; what it is not is null. exact: not only the same in capitals;
    primary: of several barcodes of a variant, the one on its label. stock: null without stock.read.
    """

    kind: Literal["variant", "unit", "batch", "location", "document"]
    by: Literal["qr", "barcode", "sku", "serial", "batch_code", "location_code", "number"]
    exact: bool
    primary: bool
    org_id: UUID
    variant: FoundVariant | None
    unit: FoundUnit | None
    batch: FoundBatch | None
    location: FoundLocation | None
    document: FoundDocument | None
    stock: list[Availability] | None


class Scan(Row):
    """All that a code may stand for, the likeliest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "8901234567890",
                    "matches": [
                        {
                            "kind": "variant",
                            "by": "barcode",
                            "exact": True,
                            "primary": True,
                            "org_id": ORG,
                            "variant": {
                                "id": VARIANT,
                                "org_id": ORG,
                                "product_id": PRODUCT,
                                "sku": "SOF-3-TEAK-GREY",
                                "name": "Three-seater sofa, teak, grey",
                                "barcode": "8901234567890",
                                "attributes": {"material": "teak", "colour": "grey"},
                                "price": 42500.00,
                                "price_includes_tax": False,
                                "tracking": "none",
                                "archived_at": None,
                                "product_name": "Three-seater sofa",
                                "product_kind": "goods",
                                "unit": "NOS",
                            },
                            "unit": None,
                            "batch": None,
                            "location": None,
                            "document": None,
                            "stock": [_LEVEL],
                        }
                    ],
                }
            ]
        }
    )

    code: str
    matches: list[Match]
