"""The catalogue: categories, products, variants."""

from backend.app.core.resource import Resource, add_resource, room_router
from backend.app.schemas import catalogue as schemas

router = room_router("/v1/catalogue", "catalogue")

add_resource(
    router,
    Resource(
        path="/categories",
        table="categories",
        noun="category",
        plural="categories",
        row=schemas.Category,
        query=schemas.CategoryQuery,
        search=("name",),
        create=schemas.NewCategory,
        update=schemas.CategoryChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/products",
        table="products",
        noun="product",
        plural="products",
        row=schemas.Product,
        query=schemas.ProductQuery,
        search=("name", "hsn_code"),
        create=schemas.NewProduct,
        update=schemas.ProductChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/variants",
        table="product_variants",
        noun="variant",
        plural="variants",
        row=schemas.Variant,
        query=schemas.VariantQuery,
        search=("sku", "name", "barcode"),
        create=schemas.NewVariant,
        update=schemas.VariantChange,
        archives=True,
    ),
)
