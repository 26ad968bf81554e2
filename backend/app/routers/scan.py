"""Scanning, and availability."""

from backend.app.core.resource import Lookup, add_lookup, room_router
from backend.app.schemas import scan as schemas

router = room_router("/v1/inventory", "inventory")

add_lookup(
    router,
    Lookup(
        path="/scan",
        rpc="scan",
        arguments={"p_code": "code", "p_org_id": "org_id", "p_branch_id": "branch_id"},
        query=schemas.ScanQuery,
        response=schemas.Scan,
        summary="Say what a code stands for",
        description="A barcode (EAN, UPC or GTIN in any notation), SKU, serial number, batch or location "
        "code, the number of a document, or what our QR codes hold: everything it may be, the likeliest "
        "first, with stock. Permissions: catalogue.read for goods, stock.read for stock, pieces and batches, "
        "invoice.read for invoices.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/availability",
        rpc="availability",
        arguments={"p_org_id": "org_id", "p_variant_ids": "variant_id", "p_branch_id": "branch_id"},
        query=schemas.AvailabilityQuery,
        response=schemas.Availability,
        rows=True,
        summary="Say what lies where",
        description="What of some variants is at each location of the caller's branches; of sets, how many "
        "their components make. Permission: stock.read.",
    ),
)
