"""The rows of the permission table for the catalogue and the price lists: see `matrix.py`."""

from tests.database.matrix_kinds import Act, Place, Table
from tests.support.personas import new_id


def _question(place: Place) -> dict[str, object]:
    return {"p_org_id": place.house.id, "p_query": "sofa"}


CATALOGUE_ACTS: dict[str, Act] = {
    "category_tree": Act("catalogue.read", "org", lambda place: {"p_org_id": place.house.id}),
    "search_variants": Act("catalogue.read", "org", _question),
    "find_variants": Act("catalogue.read", "org", _question),
    "find_products": Act("catalogue.read", "org", _question),
    "generate_barcode": Act(
        "catalogue.manage", "org", lambda place: {"p_id": new_id(), "p_variant_id": place.goods}
    ),
    "generate_variants": Act(
        "catalogue.manage",
        "org",
        lambda place: {
            "p_id": new_id(),
            "p_product_id": place.product,
            "p_grid": [{"name": "colour", "values": ["sand", "grey"]}],
            "p_options": {"price": 10},
        },
    ),
}

_EDITED = Table("catalogue.read", "org", "catalogue.manage")
_DELETED = Table("catalogue.read", "org", "catalogue.manage", deletes=True)

CATALOGUE_TABLES: dict[str, Table] = {
    "tax_classes": _EDITED,
    "tax_rates": Table("catalogue.read", "org", "catalogue.manage", changes=False),
    "categories": _DELETED,
    "brands": _DELETED,
    "products": _DELETED,
    "product_variants": _DELETED,
    "product_images": _EDITED,
    "variant_barcodes": Table("catalogue.read", "org", "catalogue.manage", changes=False, deletes=True),
    "set_components": _DELETED,
    "product_units": _DELETED,
    "customer_groups": Table("catalogue.read", "org", "customer.manage"),
    "price_lists": _EDITED,
    "price_list_items": _DELETED,
}
