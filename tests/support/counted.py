"""What the world has of counts, reorder rules and alerts."""

from collections.abc import Mapping
from uuid import UUID

from tests.support.personas import Persona, new_id

STEPS = {
    "counting": (),
    "submitted": ("submit_count",),
    "approved": ("submit_count", "approve_count"),
    "posted": ("submit_count", "approve_count", "post_count"),
}


def count_each_status(
    admin: Persona, variants: Mapping[str, UUID], warehouse: UUID, showroom: UUID, keys: Mapping[str, str]
) -> dict[str, UUID]:
    """Make a count for each status, of the variant that `keys` names for it; it finds what the book says.

    The open ones are of the empty warehouse, the posted one of the showroom. Returns the counts by status,
    and as "entry" one entry of the count that is still counting.
    """
    made: dict[str, UUID] = {}
    for status, key in keys.items():
        count = made[status] = new_id()
        posted, variant = status == "posted", variants[key]
        admin.rpc(
            "start_count",
            p_id=count,
            p_location_id=showroom if posted else warehouse,
            p_kind="cycle",
            p_options={"variant_ids": [variant]},
        )
        lines = [{"variant_id": variant, "quantity": 10 if posted else 0}]
        entered = admin.rpc("record_count", p_id=new_id(), p_count_id=count, p_lines=lines)
        if status == "counting":
            made["entry"] = UUID(entered["entries"][0]["id"])
        for step in STEPS[status]:
            admin.rpc(step, p_id=new_id(), p_count_id=count)
    return made


def alert_of_an_empty_shelf(admin: Persona, location: UUID, variant: UUID) -> UUID:
    """Save a reorder rule where nothing lies, which raises its alerts at once; returns that of low stock."""
    admin.rpc(
        "save_reorder_rule",
        p_id=new_id(),
        p_location_id=location,
        p_variant_id=variant,
        p_reorder_point=2,
        p_reorder_quantity=5,
        p_lead_time_days=7,
    )
    (alert,) = admin.select(
        "select id from public.stock_alerts where location_id = %s and kind = 'low_stock'", [location]
    )
    return UUID(str(alert["id"]))
