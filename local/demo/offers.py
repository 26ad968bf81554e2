"""What the furniture business gives its customers: loyalty points, and a promotion on lamps."""

from local.client import Row
from local.demo.business import Business


def make_offers(business: Business) -> None:
    """Make them; what is there already stays as it is. The sales that follow earn and are cheaper."""
    admin, org = business.admin, business.org
    # A point for every hundred rupees, worth one rupee.
    program: Row = {"org_id": org, "point_value": 1, "minimum_points": 100, "max_share_percent": 20}
    admin.add("loyalty_programs", [program | {"expiry_months": 24}])
    rule = {"id": business.id("loyalty rule", "everything"), "org_id": org}
    admin.add("loyalty_rules", [{**rule, "name": "Everything", "points_per_unit": 0.01}])
    promotion = business.id("promotion", "lamps")
    offer = {"id": promotion, "org_id": org, "name": "Festival of lights", "kind": "percent", "value": 10}
    admin.add("promotions", [offer])
    target = {"id": business.id("promotion target", "lamps"), "org_id": org, "promotion_id": promotion}
    admin.add(
        "promotion_targets", [{**target, "position": 1, "category_id": business.id("category", "Lamps")}]
    )
