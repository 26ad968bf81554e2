"""The permission table as tests know it: what each public function and table asks of whoever comes.

A new function or table must get a row here or in `matrix_catalogue.py`, `matrix_inventory.py` or
`matrix_billing.py`, or `test_matrix.py` fails: that is the point.
"""

from typing import Any

from tests.database.matrix_billing import BILLING_ACTS, BILLING_TABLES
from tests.database.matrix_catalogue import CATALOGUE_ACTS, CATALOGUE_TABLES
from tests.database.matrix_inventory import INVENTORY_ACTS, INVENTORY_TABLES
from tests.database.matrix_kinds import Act, Place, Table
from tests.database.sales import line, pay
from tests.support.personas import new_id

_ROOM_ACTS = CATALOGUE_ACTS | INVENTORY_ACTS | BILLING_ACTS
_ROOM_TABLES = CATALOGUE_TABLES | INVENTORY_TABLES | BILLING_TABLES


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
} | _ROOM_ACTS


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
    "customers": Table("customer.read", "org", "customer.manage"),
    "suppliers": Table("supplier.read", "org", "supplier.manage"),
    "invoices": Table("invoice.read", "branch"),
    "invoice_lines": Table("invoice.read", "branch"),
    "payments": Table("invoice.read", "branch"),
    "payment_allocations": Table("invoice.read", "branch"),
} | _ROOM_TABLES
