"""Products and their variants: records, grids, and the search that finds them."""

from typing import Annotated

from fastapi import Query, Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import Act, Resource, add_act, add_resource, room_router
from backend.app.core.responses import passed_on, problems
from backend.app.schemas import assortment, catalogue

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/products",
        table="products",
        noun="product",
        plural="products",
        row=catalogue.Product,
        query=catalogue.ProductQuery,
        search=("name", "hsn_code"),
        found_by="find_products",
        create=catalogue.NewProduct,
        update=catalogue.ProductChange,
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
        row=catalogue.Variant,
        query=catalogue.VariantQuery,
        search=("name", "sku", "barcodes", "attributes", "product", "brand"),
        found_by="find_variants",
        create=catalogue.NewVariant,
        update=catalogue.VariantChange,
        archives=True,
    ),
)

add_act(
    router,
    Act(
        path="/variant-grids",
        rpc="generate_variants",
        arguments={"p_id": "id", "p_product_id": "product_id", "p_grid": "grid", "p_options": "options"},
        request=assortment.GridRequest,
        response=assortment.Grid,
        summary="Generate variants",
        description="Makes a variant of each combination of attributes that the product lacks, 1000 at most; "
        "what is there stays as it is. Permission: catalogue.manage.",
    ),
)


@router.get(
    "/search",
    operation_id="search_variants",
    summary="Search variants",
    response_model=assortment.Found,
    responses=problems(400, 404),
)
async def search_variants(
    gateway: CallerGateway, query: Annotated[assortment.SearchQuery, Query()]
) -> Response:
    """The best first: a SKU or barcode that is the query itself, what begins with it, what resembles it
    most; with product, brand, all codes and what is available. Permission: catalogue.read, for quantities
    stock.read.
    """
    filters = query.model_dump(
        mode="json",
        include={"category_id", "brand_id", "product_id", "attributes", "archived", "branch_id", "in_stock"},
    )
    answer = await gateway.rpc(
        "search_variants",
        {
            "p_org_id": query.org_id,
            "p_query": query.q,
            "p_filters": filters,
            "p_limit": query.limit,
            "p_cursor": query.cursor,
        },
    )
    return passed_on(answer.content)
