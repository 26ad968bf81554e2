"""The permission table as tests know it: what each public function and table asks of whoever comes.

A new function or table must get a row here, or `test_matrix.py` fails: that is the point.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.database.sales import line, pay
from tests.support.personas import new_id
from tests.support.world import Branch, House, World


@dataclass(frozen=True)
class Place:
    """Where an act is tried: one branch of one business."""

    world: World
    house: House
    branch: Branch

    @property
    def goods(self) -> Any:
        """A variant that the branch's showroom has."""
        return self.house.variants["sofa" if self.house is self.world.teak else "pump"]


@dataclass(frozen=True)
class Act:
    """A public function. scope: "branch" or "org" checks where it is done, "own" concerns the caller only.

    hidden: who lacks the permission is told "not found", not "no permission", because a policy decides.
    open_to_anon: visitors may call it.
    """

    permission: str | None
    scope: str
    arguments: Callable[[Place], dict[str, Any]]
    hidden: bool = False
    open_to_anon: bool = False


def _sale(place: Place) -> dict[str, Any]:
    return {"p_branch_id": place.branch.id, "p_customer_id": None, "p_lines": [line(place.goods)]}


def _invitation(place: Place) -> dict[str, Any]:
    return {
        "p_id": new_id(),
        "p_org_id": place.house.id,
        "p_email": "x@example.com",
        "p_role": "technician",
        "p_branch_ids": [place.branch.id],
    }


ACTS: dict[str, Act] = {
    "health": Act(None, "own", lambda _: {}, open_to_anon=True),
    "whoami": Act(None, "own", lambda _: {}),
    "my_invitations": Act(None, "own", lambda _: {}),
    "create_organization": Act(
        None, "own", lambda _: {"p_id": new_id(), "p_name": "New", "p_country": "IN", "p_currency": "INR"}
    ),
    "create_branch": Act(
        "branch.manage",
        "org",
        lambda place: {
            "p_id": new_id(),
            "p_org_id": place.house.id,
            "p_code": "NEW",
            "p_name": "New",
            "p_options": {"region_code": "07", "country": "IN"},
        },
    ),
    "create_location": Act(
        "branch.manage",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_branch_id": place.branch.id,
            "p_code": "NEW",
            "p_name": "New",
            "p_kind": "vehicle",
        },
    ),
    "close_period": Act(
        "period.close", "org", lambda place: {"p_org_id": place.house.id, "p_through": "2001-01-01"}
    ),
    "reopen_period": Act(
        "period.close", "org", lambda place: {"p_org_id": place.house.id, "p_through": None}
    ),
    "invite_member": Act("user.manage", "org", _invitation),
    "set_member_role": Act(
        "user.manage",
        "org",
        lambda place: {
            "p_org_id": place.house.id,
            "p_user_id": place.house.users["cashier"].id,
            "p_role": "cashier",
            "p_branch_ids": [place.house.branches[0].id],
        },
    ),
    "save_role": Act(
        "role.manage",
        "org",
        lambda place: {
            "p_id": new_id(),
            "p_org_id": place.house.id,
            "p_key": "reader",
            "p_name": "Reader",
            "p_permissions": ["catalogue.read"],
        },
    ),
    "set_credit_limit": Act(
        "customer.credit",
        "org",
        lambda place: {"p_customer_id": place.house.customers["abroad"], "p_credit_limit": 5},
    ),
    "check_stock": Act("audit.read", "org", lambda place: {"p_org_id": place.house.id}),
    "adjust_stock": Act(
        "stock.adjust",
        "branch",
        lambda place: {
            "p_id": new_id(),
            "p_location_id": place.branch.showroom,
            "p_variant_id": place.goods,
            "p_quantity": 1,
            "p_reason": "found",
        },
    ),
    "quote_sale": Act("sale.create", "branch", _sale),
    "post_sale": Act(
        "sale.create",
        "branch",
        lambda place: (
            _sale(place)
            | {
                "p_id": new_id(),
                "p_location_id": place.branch.showroom,
                "p_payments": [pay(1180 if place.house is place.world.teak else 60)],
            }
        ),
    ),
    "get_invoice": Act(
        "invoice.read", "branch", lambda place: {"p_id": place.house.invoices[place.branch.code]}, hidden=True
    ),
    # These two name an invitation; test_matrix.py makes one that fits.
    "accept_invitation": Act(None, "invited", lambda _: {}),
    "revoke_invitation": Act("user.manage", "org", lambda _: {}),
}


@dataclass(frozen=True)
class Table:
    """A table or view that clients may reach.

    readers: the permission that shows its rows; or "member" for everybody of the business, "anyone" for
    reference data that needs no sign-in, "signed in" for what every account sees, "self" for one's own rows
    (with user.manage all of them).
    scope: "org" or "branch", None for reference data.
    writer: the permission that its column grants need, None where requests never write.
    """

    readers: str
    scope: str | None
    writer: str | None = None


TABLES: dict[str, Table] = {
    "countries": Table("anyone", None),
    "regions": Table("anyone", None),
    "units": Table("anyone", None),
    "payment_methods": Table("anyone", None),
    "lifecycle_transitions": Table("anyone", None),
    "permissions": Table("signed in", None),
    "organizations": Table("member", "org", "org.manage"),
    "branches": Table("member", "branch", "branch.manage"),
    "locations": Table("member", "branch", "branch.manage"),
    "roles": Table("member", "org"),
    "role_permissions": Table("member", "org"),
    "memberships": Table("self", "org"),
    "membership_branches": Table("self", "org"),
    "invitations": Table("user.manage", "org"),
    "audit_log": Table("audit.read", "org"),
    "tax_classes": Table("catalogue.read", "org", "catalogue.manage"),
    "tax_rates": Table("catalogue.read", "org", "catalogue.manage"),
    "categories": Table("catalogue.read", "org", "catalogue.manage"),
    "products": Table("catalogue.read", "org", "catalogue.manage"),
    "product_variants": Table("catalogue.read", "org", "catalogue.manage"),
    "product_images": Table("catalogue.read", "org", "catalogue.manage"),
    "customers": Table("customer.read", "org", "customer.manage"),
    "suppliers": Table("supplier.read", "org", "supplier.manage"),
    "stock_levels": Table("stock.read", "branch"),
    "stock_movements": Table("stock.read", "branch"),
    "stock_adjustments": Table("stock.read", "branch"),
    "invoices": Table("invoice.read", "branch"),
    "invoice_lines": Table("invoice.read", "branch"),
    "payments": Table("invoice.read", "branch"),
    "payment_allocations": Table("invoice.read", "branch"),
}
