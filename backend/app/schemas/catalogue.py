"""Categories, products and their variants."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import Archived, ListQuery, SearchText, Where
from backend.app.schemas.base import Input, Moment, Money, NewRow, Row

ORG = "6d0f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c22"
PRODUCT = "1c1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c44"
VARIANT = "2d2f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c55"
CATEGORY = "3e3f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c66"
TAX_CLASS = "4f4f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c77"
MADE = {
    "archived_at": None,
    "created_at": "2026-11-21T09:30:00+00:00",
    "updated_at": "2026-11-21T09:30:00+00:00",
}

HsnCode = Annotated[str, Field(pattern="^[0-9]{4,8}$", description="HSN or SAC code, 4 to 8 digits")]
ProductKind = Literal["goods", "service", "set"]
Tracking = Literal["none", "serial", "batch"]
WarrantyMonths = Annotated[int, Field(ge=0, le=600, description="How long from the sale")]


class Category(Row):
    """A category of products; categories form a tree."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": CATEGORY, "org_id": ORG, "parent_id": None, "name": "Sofas", **MADE}]
        }
    )

    id: UUID
    org_id: UUID
    parent_id: UUID | None
    name: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewCategory(NewRow):
    """A category to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"org_id": ORG, "name": "Sofas"}]})

    parent_id: UUID | None = None
    name: str = Field(min_length=1, max_length=120)


class CategoryChange(Input):
    """What can change in a category."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Sofas and settees", "parent_id": None}]}
    )

    parent_id: UUID | None = Field(None, description="The category above it; null for the top")
    name: str | None = Field(None, min_length=1, max_length=120)
    archived_at: Moment | None = None


class CategoryQuery(ListQuery):
    """Filters of categories."""

    sort: Literal["name", "-name", "created_at", "-created_at"] = "name"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    parent_id: Annotated[UUID | None, Where("parent_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class Product(Row):
    """What is sold, without the choices (colour, size) that make a variant. tax_class_id decides the tax."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": PRODUCT,
                    "org_id": ORG,
                    "category_id": CATEGORY,
                    "brand_id": None,
                    "name": "Three-seater sofa",
                    "description": None,
                    "kind": "goods",
                    "hsn_code": "9401",
                    "tax_class_id": TAX_CLASS,
                    "unit_code": "NOS",
                    "warranty_months": 36,
                    **MADE,
                }
            ]
        }
    )

    id: UUID
    org_id: UUID
    category_id: UUID | None
    brand_id: UUID | None
    name: str
    description: str | None
    kind: ProductKind
    hsn_code: str | None
    tax_class_id: UUID
    unit_code: str
    warranty_months: int | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewProduct(NewRow):
    """A product to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"org_id": ORG, "name": "Three-seater sofa", "hsn_code": "9401", "tax_class_id": TAX_CLASS}
            ]
        }
    )

    category_id: UUID | None = None
    brand_id: UUID | None = None
    name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(None, max_length=4_000)
    kind: ProductKind = "goods"
    hsn_code: HsnCode | None = None
    tax_class_id: UUID
    unit_code: str = Field(default="NOS", pattern="^[A-Z]{2,3}$")
    warranty_months: WarrantyMonths | None = None


class ProductChange(Input):
    """What can change in a product."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"description": "Solid teak, cushions in linen"}]}
    )

    category_id: UUID | None = None
    brand_id: UUID | None = None
    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=4_000)
    hsn_code: HsnCode | None = None
    tax_class_id: UUID | None = None
    warranty_months: WarrantyMonths | None = None
    archived_at: Moment | None = None


class ProductQuery(ListQuery):
    """Filters of products."""

    sort: Literal["name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"] = "name"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    category_id: Annotated[UUID | None, Where("category_id")] = None
    brand_id: Annotated[UUID | None, Where("brand_id")] = None
    kind: Annotated[ProductKind | None, Where("kind")] = None
    hsn_code: Annotated[HsnCode | None, Where("hsn_code")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


VARIANT_EXAMPLE: dict[str, Any] = {
    "id": VARIANT,
    "org_id": ORG,
    "product_id": PRODUCT,
    "sku": "SOF-3-TEAK-GREY",
    "name": "Three-seater sofa, teak, grey",
    "barcode": "8901234567894",
    "attributes": {"material": "teak", "colour": "grey"},
    "price": 42500.00,
    "price_includes_tax": False,
    "tracking": "none",
    **MADE,
}


class Variant(Row):
    """What is put in the cart: a product in one make. price: for one unit, in the organisation's currency;
    barcode: the one on its label; tracking: how pieces are told apart.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [VARIANT_EXAMPLE]})

    id: UUID
    org_id: UUID
    product_id: UUID
    sku: str
    name: str
    barcode: str | None
    attributes: dict[str, Any]
    price: Money
    price_includes_tax: bool
    tracking: Tracking
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewVariant(NewRow):
    """A variant to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "org_id": ORG,
                    "product_id": PRODUCT,
                    "sku": "SOF-3-TEAK-GREY",
                    "name": "Three-seater sofa, teak, grey",
                    "price": 42500.00,
                }
            ]
        }
    )

    product_id: UUID
    sku: str = Field(min_length=1, max_length=60)
    name: str = Field(min_length=1, max_length=200)
    barcode: str | None = Field(None, min_length=1, max_length=64)
    attributes: dict[str, Any] = Field(default_factory=dict)
    price: Money = Field(ge=0)
    price_includes_tax: bool = False
    tracking: Tracking = "none"


class VariantChange(Input):
    """What can change in a variant."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"price": 39900.00}]})

    sku: str | None = Field(None, min_length=1, max_length=60)
    name: str | None = Field(None, min_length=1, max_length=200)
    barcode: str | None = Field(None, min_length=1, max_length=64)
    attributes: dict[str, Any] | None = None
    price: Annotated[Money, Field(ge=0)] | None = None
    price_includes_tax: bool | None = None
    tracking: Tracking | None = Field(None, description="Fixed once it was stocked")
    archived_at: Moment | None = None


class VariantQuery(ListQuery):
    """Filters of variants. price_from and price_to are inclusive."""

    sort: Literal["sku", "-sku", "name", "-name", "price", "-price", "created_at", "-created_at"] = "sku"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    product_id: Annotated[UUID | None, Where("product_id")] = None
    sku: Annotated[str | None, Field(max_length=60), Where("sku")] = None
    barcode: Annotated[str | None, Field(max_length=64), Where("barcode")] = None
    price_from: Annotated[Money | None, Where("price", "gte")] = None
    price_to: Annotated[Money | None, Where("price", "lte")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False
