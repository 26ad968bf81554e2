"""Alerts, reorder rules, and what follows from them."""

from backend.app.core.resource import Act, Lookup, Resource, add_act, add_lookup, add_resource, room_router
from backend.app.schemas import reordering as schemas

router = room_router("/v1/inventory", "inventory")

add_resource(
    router,
    Resource(
        path="/alerts",
        table="stock_alerts",
        noun="stock alert",
        plural="stock alerts",
        row=schemas.Alert,
        query=schemas.AlertQuery,
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/alerts/{alert_id}/acknowledge",
        rpc="acknowledge_alert",
        arguments={"p_id": "id", "p_alert_id": "alert_id"},
        request=schemas.AcknowledgeRequest,
        response=schemas.Alert,
        summary="Acknowledge an alert",
        description="Somebody has seen to it; it stands until there is stock again. Permission: stock.alert.",
    ),
)

add_resource(
    router,
    Resource(
        path="/reorder-rules",
        table="reorder_rules",
        noun="reorder rule",
        plural="reorder rules",
        row=schemas.ReorderRule,
        query=schemas.ReorderRuleQuery,
        key=("location_id", "variant_id"),
        one_by_one=False,
    ),
)

add_act(
    router,
    Act(
        path="/reorder-rules",
        rpc="save_reorder_rule",
        arguments={
            "p_id": "id",
            "p_location_id": "location_id",
            "p_variant_id": "variant_id",
            "p_reorder_point": "reorder_point",
            "p_reorder_quantity": "reorder_quantity",
            "p_lead_time_days": "lead_time_days",
        },
        request=schemas.ReorderRuleRequest,
        response=schemas.SavedRule,
        summary="Set a reorder rule",
        description="When a variant is ordered again for a location. Permission: stock.plan.",
    ),
)

add_act(
    router,
    Act(
        path="/reorder-rules/remove",
        rpc="remove_reorder_rule",
        arguments={"p_id": "id", "p_location_id": "location_id", "p_variant_id": "variant_id"},
        request=schemas.RemoveRuleRequest,
        response=schemas.RemovedRule,
        summary="Remove a reorder rule",
        description="Its open alerts are resolved. Permission: stock.plan.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/reorder-suggestions",
        rpc="reorder_suggestions",
        arguments={"p_branch_id": "branch_id", "p_days": "days"},
        query=schemas.SuggestionQuery,
        response=schemas.Suggestion,
        rows=True,
        summary="Say what to order",
        description="For each reorder rule of a branch that is at or below its point. Permission: "
        "stock.plan.",
    ),
)

add_lookup(
    router,
    Lookup(
        path="/abc-analysis",
        rpc="abc_analysis",
        arguments={"p_branch_id": "branch_id", "p_days": "days"},
        query=schemas.AbcQuery,
        response=schemas.AbcRow,
        rows=True,
        summary="Say what carries the business",
        description="A for the goods that make up the first 80 % of what was sold, B for the next 15 %, C "
        "for the rest. Permission: stock.plan.",
    ),
)
