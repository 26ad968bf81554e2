"""What makes the furniture business a showroom: a set, numbered pieces, lots, trade prices, a transfer."""

from typing import Any

from local.client import Progress, Row, Session, send
from local.demo.business import Business

SHOW, WAREHOUSE = "BLR/SHOW", "BLR/WH"
SET, RECLINER, POLISH = "SET-MAL-SAN", "REC-HIM-TAN", "CAR-BEE-NAT"

# Key, name, category, kind, HSN, unit, months of warranty; SKU, variant, price, tracking.
PRODUCTS: tuple[tuple[Any, ...], ...] = (
    (
        *("SET-MAL", "Malabar living room set", "Sofas", "set", "940161", "SET", None),
        *(SET, "Malabar set: three-seater and two armchairs, teak, sand", 119000, "none"),
    ),
    (
        *("REC-HIM", "Himalaya electric recliner", "Armchairs", "goods", "940161", "NOS", 24),
        *(RECLINER, "Himalaya electric recliner, leather, tan", 58900, "serial"),
    ),
    (
        *("CAR-BEE", "Beeswax polish, 250 ml", "Care", "goods", "340520", "BTL", None),
        *(POLISH, "Beeswax polish, 250 ml, natural", 540, "batch"),
    ),
)
COMPONENTS = (("SOF-MAL-TEA-SAN", 1), ("CHR-MUN-TEA-SAN", 2))


def set_up_showroom(business: Business, progress: Progress) -> None:
    """Make it; what is there already stays as it is."""
    steps = (_places, _goods, _stock, _trade_prices, _reorder_rules, _reservation, _transfer, _count)
    for done, step in enumerate(steps, start=1):
        step(business)
        progress(f"{business.data['name']}: showroom", done, len(steps))


def _call(who: Session, function: str, **arguments: object) -> Any:
    return send(who.db.rpc(function, {f"p_{name}": value for name, value in arguments.items()}))


def _lines(business: Business, *wanted: tuple[str, int]) -> list[Row]:
    return [{"variant_id": business.id("variant", sku), "quantity": pieces} for sku, pieces in wanted]


def _places(business: Business) -> None:
    for code, name, kind in (
        ("DISP", "Shop window", "display"),
        ("QUAR", "Damaged goods", "quarantine"),
    ):
        _call(
            business.admin,
            "create_location",
            id=business.id("location", f"BLR/{code}"),
            branch_id=business.id("branch", "BLR"),
            code=code,
            name=name,
            kind=kind,
        )


def _goods(business: Business) -> None:
    admin, org = business.admin, business.org
    brand = business.id("brand", "studio")
    admin.add("brands", [{"id": brand, "org_id": org, "name": "Teak & Thread Studio"}])
    for key, name, category, kind, hsn, unit, warranty, sku, variant, price, tracking in PRODUCTS:
        product = {
            "id": business.id("product", key),
            "org_id": org,
            "category_id": business.id("category", category),
            "brand_id": brand,
            "tax_class_id": business.id("tax class", "GST18"),
            "name": name,
            "kind": kind,
            "hsn_code": hsn,
            "unit_code": unit,
            "warranty_months": warranty,
        }
        admin.add("products", [product])
        row = {
            "id": business.id("variant", sku),
            "org_id": org,
            "product_id": product["id"],
            "sku": sku,
            "name": variant,
            "price": price,
            "tracking": tracking,
        }
        admin.add("product_variants", [row])
    components = [
        {
            "id": business.id("component", sku),
            "org_id": org,
            "set_variant_id": business.id("variant", SET),
            "component_variant_id": business.id("variant", sku),
            "quantity": pieces,
            "position": position,
        }
        for position, (sku, pieces) in enumerate(COMPONENTS)
    ]
    admin.add("set_components", components)
    # Oil is bought by the box of twelve and sold by the bottle.
    unit_of_purchase = {
        "id": business.id("unit", "CAR-OIL/BOX"),
        "org_id": org,
        "product_id": business.id("product", "CAR-OIL"),
        "unit_code": "BOX",
        "factor": 12,
    }
    admin.add("product_units", [unit_of_purchase])


def _stock(business: Business) -> None:
    def receive(place: str, sku: str, pieces: int, cost: int, **options: object) -> None:
        _call(
            business.people["stock"],
            "adjust_stock",
            id=business.id("opening", f"{place}/{sku}/{options.get('batch', '')}"),
            location_id=business.id("location", place),
            variant_id=business.id("variant", sku),
            quantity=pieces,
            reason="opening",
            unit_cost=cost,
            options=options,
        )

    receive(SHOW, RECLINER, 1, 35000, serials=["HIM-2600117"])
    receive(WAREHOUSE, RECLINER, 3, 35000, serials=["HIM-2600118", "HIM-2600119", "HIM-2600121"])
    receive(SHOW, POLISH, 6, 260, batch="BW-2025-11", expires_on="2027-05-31")
    receive(SHOW, POLISH, 12, 260, batch="BW-2026-06", expires_on="2028-06-30")
    receive("BLR/DISP", "SOF-COC-SHE-OAT", 1, 64000)


def _trade_prices(business: Business) -> None:
    admin, org = business.admin, business.org
    group, prices = business.id("customer group", "trade"), business.id("price list", "trade")
    admin.add("customer_groups", [{"id": group, "org_id": org, "name": "Trade"}])
    admin.add(
        "price_lists",
        [{"id": prices, "org_id": org, "name": "Trade prices", "customer_group_id": group, "priority": 10}],
    )
    items = [
        {
            "id": business.id("price", f"{sku}/{pieces}"),
            "org_id": org,
            "price_list_id": prices,
            "variant_id": business.id("variant", sku),
            "min_quantity": pieces,
            "price": price,
        }
        for sku, pieces, price in (("CHR-IND-MW-BLA", 6, 5300), ("CHR-IND-MW-BLA", 24, 4900))
    ]
    admin.add("price_list_items", items)
    customer = business.id("customer", "meridian")
    without = (
        admin.db.from_("customers").update({"customer_group_id": group}).is_("customer_group_id", "null")
    )
    send(without.eq("id", customer))


def _reorder_rules(business: Business) -> None:
    for sku, point, quantity in (("CHR-IND-MW-NAT", 4, 12), (POLISH, 24, 24), ("TEX-CUS-COT-RUS", 4, 20)):
        _call(
            business.people["stock"],
            "save_reorder_rule",
            id=business.id("reorder rule", sku),
            location_id=business.id("location", SHOW),
            variant_id=business.id("variant", sku),
            reorder_point=point,
            reorder_quantity=quantity,
            lead_time_days=14,
        )


def _reservation(business: Business) -> None:
    _call(
        business.people["sales"],
        "reserve_stock",
        id=business.id("reservation", "sharma"),
        location_id=business.id("location", WAREHOUSE),
        lines=_lines(business, (SET, 1)),
        options={"customer_id": business.id("customer", "sharma"), "note": "Decides on Saturday"},
    )


def _transfer(business: Business) -> None:
    transfer, keeper = business.id("transfer", "1"), business.people["stock"]
    _call(
        keeper,
        "create_transfer",
        id=transfer,
        from_location_id=business.id("location", WAREHOUSE),
        to_location_id=business.id("location", "MUM/WH"),
        lines=_lines(business, ("TBL-KON-TEA-NAT", 3), ("BED-TAB-TEA-NAT", 4)),
    )
    _call(keeper, "dispatch_transfer", id=business.id("dispatch", "1"), transfer_id=transfer)
    _call(
        business.people["cashier.mum"],
        "receive_transfer",
        id=business.id("receipt", "1"),
        transfer_id=transfer,
        lines=[{"item_no": 1, "received": 2, "damaged": 1}],
    )


def _count(business: Business) -> None:
    count = business.id("count", "lamps")
    _call(
        business.people["stock"],
        "start_count",
        id=count,
        location_id=business.id("location", SHOW),
        kind="cycle",
        options={"category_id": business.id("category", "Lamps")},
    )
    _call(
        business.people["cashier"],
        "record_count",
        id=business.id("count entry", "1"),
        count_id=count,
        lines=_lines(business, ("LMP-KAN-HW-RED", 5), ("LMP-BRA-BRA-POL", 7)),
    )
