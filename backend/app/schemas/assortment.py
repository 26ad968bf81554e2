"""What products are sorted, told apart and divided by: brands, barcodes, units, sets, grids, search."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, Json

from backend.app.core.listing import Archived, ListQuery, SearchText, Where
from backend.app.schemas.base import Factor, Input, Moment, Money, NewRow, Quantity, Row, example
from backend.app.schemas.catalogue import (
    CATEGORY,
    MADE,
    ORG,
    PRODUCT,
    VARIANT,
    VARIANT_EXAMPLE,
    ProductKind,
    Tracking,
    Variant,
)

BRAND = "8b8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c11"
SET = "9c9f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c12"
_ROW = "0d0f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c13"
_NEW_AND_CHANGED = {"created_at": MADE["created_at"], "updated_at": MADE["updated_at"]}

Barcode = Annotated[str, Field(min_length=1, max_length=64)]
BarcodeKind = Literal["gtin", "internal", "other"]
UnitCode = Annotated[str, Field(pattern="^[A-Z]{2,3}$", description="A code of the list of units")]


class CategoryNode(Row):
    """A category in its place. path: names from the top down to it; products: in use and in it;
    products_within: with all beneath it.
    """

    model_config = example(
        id=CATEGORY,
        parent_id=None,
        name="Sofas",
        path=["Sofas"],
        depth=1,
        products=12,
        products_within=40,
        archived_at=None,
    )

    id: UUID
    parent_id: UUID | None
    name: str
    path: list[str]
    depth: int
    products: int
    products_within: int
    archived_at: datetime | None


class CategoryTreeQuery(Input):
    """Whose categories."""

    org_id: UUID = Field(description="The organisation")


class Brand(Row):
    """Who makes it, as customers know it."""

    model_config = example(id=BRAND, org_id=ORG, name="Malabar", **MADE)

    id: UUID
    org_id: UUID
    name: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewBrand(NewRow):
    """A brand to be made. A name is there once, whatever its capitals."""

    model_config = example(org_id=ORG, name="Malabar")

    name: str = Field(min_length=1, max_length=120)


class BrandChange(Input):
    """What can change in a brand."""

    model_config = example(name="Malabar Living")

    name: str | None = Field(None, min_length=1, max_length=120)
    archived_at: Moment | None = None


class BrandQuery(ListQuery):
    """Filters of brands."""

    sort: Literal["name", "-name", "created_at", "-created_at"] = "name"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    archived: Annotated[Archived, Where("archived_at", "set")] = False


class VariantBarcode(Row):
    """A code of a variant. gtin14: the GTIN in 14 digits, in which every notation of it is the same."""

    model_config = example(
        id=_ROW,
        org_id=ORG,
        variant_id=VARIANT,
        code="8901234567894",
        kind="gtin",
        gtin14="08901234567894",
        created_at=MADE["created_at"],
    )

    id: UUID
    org_id: UUID
    variant_id: UUID
    code: str
    kind: BarcodeKind
    gtin14: str | None
    created_at: datetime


class NewVariantBarcode(NewRow):
    """A code to be added. Without a kind it follows from the code; 8, 12, 13 or 14 digits are a GTIN, whose
    check digit must be true, unless the kind says `other`.
    """

    model_config = example(org_id=ORG, variant_id=VARIANT, code="8901234567894")

    variant_id: UUID
    code: Barcode
    kind: BarcodeKind | None = None


class VariantBarcodeQuery(ListQuery):
    """Filters of barcodes. gtin14: a GTIN with zeros before it, 14 digits in all."""

    sort: Literal["code", "-code", "created_at", "-created_at"] = "code"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    variant_id: Annotated[UUID | None, Where("variant_id")] = None
    code: Annotated[Barcode | None, Where("code")] = None
    gtin14: Annotated[str | None, Field(pattern="^[0-9]{14}$"), Where("gtin14")] = None
    kind: Annotated[BarcodeKind | None, Where("kind")] = None


class BarcodeRequest(Input):
    """A variant that needs a code of the house's own."""

    model_config = example(id=_ROW, variant_id=VARIANT)

    id: UUID = Field(description="Your own id for the barcode; the same request again makes no second one")
    variant_id: UUID


class GeneratedBarcode(VariantBarcode):
    """The code that was made. primary: whether it is the one on the variant's label."""

    model_config = example(
        id=_ROW,
        org_id=ORG,
        variant_id=VARIANT,
        code="2000000000015",
        kind="internal",
        gtin14="02000000000015",
        created_at=MADE["created_at"],
        primary=True,
    )

    primary: bool


class ProductUnit(Row):
    """A unit besides the product's own. price: of one of these; null for factor times the variant's price."""

    model_config = example(
        id=_ROW, org_id=ORG, product_id=PRODUCT, unit_code="ROL", factor=30.0, price=None, **_NEW_AND_CHANGED
    )

    id: UUID
    org_id: UUID
    product_id: UUID
    unit_code: str
    factor: Factor
    price: Money | None
    created_at: datetime
    updated_at: datetime


class NewProductUnit(NewRow):
    """A unit to be added to a product."""

    model_config = example(org_id=ORG, product_id=PRODUCT, unit_code="ROL", factor=30)

    product_id: UUID
    unit_code: UnitCode
    factor: Factor = Field(gt=0, lt=100_000_000, description="How many of the product's unit one of these is")
    price: Annotated[Money, Field(ge=0)] | None = None


class ProductUnitChange(Input):
    """What can change in a unit of a product."""

    model_config = example(price=4500.00)

    factor: Annotated[Factor, Field(gt=0, lt=100_000_000)] | None = None
    price: Annotated[Money, Field(ge=0)] | None = None


class ProductUnitQuery(ListQuery):
    """Filters of product units."""

    sort: Literal["unit_code", "-unit_code", "created_at", "-created_at"] = "unit_code"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    product_id: Annotated[UUID | None, Where("product_id")] = None


Position = Annotated[int, Field(ge=0, le=10_000, description="The order on documents")]


class SetComponent(Row):
    """A part of a set. quantity: in one set, in the component's unit."""

    model_config = example(
        id=_ROW,
        org_id=ORG,
        set_variant_id=SET,
        component_variant_id=VARIANT,
        quantity=2.000,
        position=1,
        **_NEW_AND_CHANGED,
    )

    id: UUID
    org_id: UUID
    set_variant_id: UUID
    component_variant_id: UUID
    quantity: Quantity
    position: int
    created_at: datetime
    updated_at: datetime


class NewSetComponent(NewRow):
    """A part to be added. The set is a variant of a product of kind set, the part one of kind goods."""

    model_config = example(org_id=ORG, set_variant_id=SET, component_variant_id=VARIANT, quantity=2)

    set_variant_id: UUID
    component_variant_id: UUID
    quantity: Quantity = Field(gt=0)
    position: Position = 0


class SetComponentChange(Input):
    """What can change in a part of a set."""

    model_config = example(quantity=3)

    quantity: Annotated[Quantity, Field(gt=0)] | None = None
    position: Position | None = None


class SetComponentQuery(ListQuery):
    """Filters of set components."""

    sort: Literal["position", "-position", "created_at", "-created_at"] = "position"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    set_variant_id: Annotated[UUID | None, Where("set_variant_id")] = None
    component_variant_id: Annotated[UUID | None, Where("component_variant_id")] = None


class GridAttribute(Input):
    """One side of the grid."""

    name: str = Field(min_length=1, max_length=40)
    values: list[Annotated[str, Field(min_length=1, max_length=60)]] = Field(min_length=1, max_length=200)


class GridOptions(Input):
    """How the variants are made. exclude: combinations, or parts of them, that are left out."""

    price: Money = Field(ge=0)
    price_includes_tax: bool | None = Field(None, description="Left out: as the organisation's prices are")
    sku_prefix: str | None = Field(None, min_length=1, max_length=20)
    tracking: Tracking | None = None
    exclude: list[dict[str, str]] | None = None


class GridRequest(Input):
    """A grid of attributes, of which each combination becomes a variant."""

    model_config = example(
        id=_ROW,
        product_id=PRODUCT,
        grid=[
            {"name": "material", "values": ["teak", "oak"]},
            {"name": "colour", "values": ["sand", "grey"]},
        ],
        options={
            "price": 42500.00,
            "sku_prefix": "SOF-3",
            "exclude": [{"material": "oak", "colour": "grey"}],
        },
    )

    id: UUID = Field(description="Your own id for this call; the same call again changes nothing")
    product_id: UUID
    grid: list[GridAttribute] = Field(min_length=1, max_length=6)
    options: GridOptions


class Grid(BaseModel):
    """All variants of the product, those that were there before included."""

    model_config = example(product_id=PRODUCT, variants=[VARIANT_EXAMPLE])

    product_id: UUID
    variants: list[Variant]


class FoundVariant(Variant):
    """A variant with what a list shows beside it. available: over the branches in which the caller may see
    stock, null where that is none, and for services.
    """

    model_config = example(
        **VARIANT_EXAMPLE,
        product_name="Three-seater sofa",
        kind="goods",
        unit_code="NOS",
        category_id=CATEGORY,
        brand_id=BRAND,
        brand="Malabar",
        barcodes=["8901234567894"],
        available=7.000,
    )

    product_name: str
    kind: ProductKind
    unit_code: str
    category_id: UUID | None
    brand_id: UUID | None
    brand: str | None
    barcodes: list[str]
    available: Quantity | None


class Found(BaseModel):
    """A page of what was found."""

    items: list[FoundVariant]
    next_cursor: str | None


class SearchQuery(Input):
    """What is looked for. Every word of `q` must occur, in any order."""

    org_id: UUID
    q: str | None = Field(
        None, max_length=200, description="Words of name, SKU, barcode, attributes, product, brand"
    )
    category_id: UUID | None = Field(None, description="With everything beneath it")
    brand_id: UUID | None = None
    product_id: UUID | None = None
    attributes: Json[dict[str, Any]] | None = Field(
        None, description='JSON that the attributes contain: {"colour": "grey"}'
    )
    archived: bool = False
    branch_id: UUID | None = Field(None, description="The branch whose stock counts")
    in_stock: bool | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=1_000, description="`next_cursor` of the page before")
