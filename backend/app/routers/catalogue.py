"""The catalogue around the products: categories, brands, barcodes, units, sets, price lists."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import assortment, catalogue, price_lists

router = room_router("/v1/catalogue", "catalogue")

add_resource(
    router,
    Resource(
        path="/categories",
        table="categories",
        noun="category",
        plural="categories",
        row=catalogue.Category,
        query=catalogue.CategoryQuery,
        search=("name",),
        create=catalogue.NewCategory,
        update=catalogue.CategoryChange,
        archives=True,
    ),
)


add_lookup(
    router,
    Lookup(
        path="/category-tree",
        rpc="category_tree",
        arguments={"p_org_id": "org_id"},
        query=assortment.CategoryTreeQuery,
        response=assortment.CategoryNode,
        rows=True,
        summary="Read the category tree",
        description="All categories in the order of the tree, with path, depth and how many products they "
        "hold. Permission: catalogue.read.",
        errors=(404,),
    ),
)

add_resource(
    router,
    Resource(
        path="/brands",
        table="brands",
        noun="brand",
        plural="brands",
        row=assortment.Brand,
        query=assortment.BrandQuery,
        search=("name",),
        create=assortment.NewBrand,
        update=assortment.BrandChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/barcodes",
        table="variant_barcodes",
        noun="barcode",
        plural="barcodes",
        row=assortment.VariantBarcode,
        query=assortment.VariantBarcodeQuery,
        create=assortment.NewVariantBarcode,
        deletes=True,
    ),
)

add_act(
    router,
    Act(
        path="/generated-barcodes",
        rpc="generate_barcode",
        arguments={"p_id": "id", "p_variant_id": "variant_id"},
        request=assortment.BarcodeRequest,
        response=assortment.GeneratedBarcode,
        summary="Generate a barcode",
        description="An EAN-13 of the house's own (GS1's prefix 20) for a variant, the next free number. It "
        "becomes the one on the label where there is none. Permission: catalogue.manage.",
        status=201,
    ),
)

add_resource(
    router,
    Resource(
        path="/product-units",
        table="product_units",
        noun="product unit",
        plural="product units",
        row=assortment.ProductUnit,
        query=assortment.ProductUnitQuery,
        create=assortment.NewProductUnit,
        update=assortment.ProductUnitChange,
        deletes=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/set-components",
        table="set_components",
        noun="set component",
        plural="set components",
        row=assortment.SetComponent,
        query=assortment.SetComponentQuery,
        create=assortment.NewSetComponent,
        update=assortment.SetComponentChange,
        deletes=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/customer-groups",
        table="customer_groups",
        noun="customer group",
        plural="customer groups",
        row=price_lists.CustomerGroup,
        query=price_lists.CustomerGroupQuery,
        search=("name",),
        create=price_lists.NewCustomerGroup,
        update=price_lists.CustomerGroupChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/price-lists",
        table="price_lists",
        noun="price list",
        plural="price lists",
        row=price_lists.PriceList,
        query=price_lists.PriceListQuery,
        search=("name",),
        create=price_lists.NewPriceList,
        update=price_lists.PriceListChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/price-list-items",
        table="price_list_items",
        noun="price list item",
        plural="price list items",
        row=price_lists.PriceListItem,
        query=price_lists.PriceListItemQuery,
        create=price_lists.NewPriceListItem,
        update=price_lists.PriceListItemChange,
        deletes=True,
    ),
)
