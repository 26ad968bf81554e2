"""Who the caller is, and user administration: the one place where the API holds rights of its own."""

from uuid import uuid4

from backend.app.schemas.auth import WhoAmI
from backend.app.schemas.users import Invitation, MembershipRow, OrganizationUser
from tests.api.conftest import People, Shop, join
from tests.api.support import assert_problem


def test_validate_tells_roles_permissions_and_branches(shop: Shop) -> None:
    me = WhoAmI.model_validate(shop.cashier.get("/v1/auth/validate"))
    assert (me.user.id, me.user.email) == (shop.cashier.user_id, shop.cashier.email)
    membership = me.organizations[0]
    assert (membership.id, membership.role.key, membership.all_branches) == (shop.org_id, "cashier", False)
    assert "sale.create" in membership.permissions
    assert [branch.id for branch in membership.branches] == [shop.branch_id]


def test_user_administration_needs_user_manage(shop: Shop) -> None:
    path = f"/v1/organizations/{shop.org_id}/users"
    body = {"id": uuid4(), "email": "x@shop.example", "role": "cashier"}
    denied = assert_problem(shop.cashier.http.get(path), 403, "permission_denied")
    assert denied["permission"] == "user.manage"
    assert_problem(shop.cashier.send("POST", path, body), 403, "permission_denied")
    assert_problem(shop.stranger.http.get(path), 404, "not_found")
    assert_problem(shop.stranger.send("POST", path, body), 404, "not_found")


def test_the_users_of_an_organization(shop: Shop) -> None:
    page = shop.admin.get(f"/v1/organizations/{shop.org_id}/users", limit=1)
    rows = list(page["items"])
    while page["next_cursor"]:
        page = shop.admin.get(f"/v1/organizations/{shop.org_id}/users", limit=1, cursor=page["next_cursor"])
        rows += page["items"]
    users = {user.user_id: user for user in map(OrganizationUser.model_validate, rows)}
    assert shop.stranger.user_id not in users
    account = users[shop.cashier.user_id].account
    assert account is not None
    assert (account.email, account.email_confirmed) == (shop.cashier.email, True)


def test_an_invited_person_joins_after_proving_the_address(shop: Shop, people: People) -> None:
    invitation, email = uuid4(), f"ravi-{uuid4().hex[:8]}@shop.example"
    body = {"id": invitation, "email": email, "role": "cashier", "branch_ids": [shop.branch_id]}
    path = f"/v1/organizations/{shop.org_id}/users"
    made = Invitation.model_validate(shop.admin.post(path, body))
    assert Invitation.model_validate(shop.admin.post(path, body)) == made, "the same request again"
    people.confirm(email)
    ravi = people.sign_in(email)
    ravi.rpc("accept_invitation", p_id=str(invitation))
    assert WhoAmI.model_validate(ravi.get("/v1/auth/validate")).organizations[0].role.key == "cashier"


def test_a_revoked_permission_is_gone_at_once(shop: Shop, people: People) -> None:
    deputy = join(people, shop.admin, shop.org_id, "admin", None)
    path = f"/v1/organizations/{shop.org_id}/users"
    assert deputy.http.get(path).status_code == 200
    changed = shop.admin.send("PUT", f"{path}/{deputy.user_id}/role", {"role": "cashier"})
    assert changed.status_code == 200, changed.text
    assert MembershipRow.model_validate(changed.json()).user_id == deputy.user_id
    assert_problem(deputy.http.get(path), 403, "permission_denied")
    suspended = shop.admin.send(
        "PUT", f"{path}/{deputy.user_id}/role", {"role": "cashier", "suspended": True}
    )
    assert suspended.json()["status"] == "suspended"
    assert_problem(deputy.http.get(path), 404, "not_found")
    assert deputy.get("/v1/auth/validate")["organizations"] == []


def test_nobody_hands_out_more_than_he_holds(shop: Shop) -> None:
    path = f"/v1/organizations/{shop.org_id}/users/{shop.cashier.user_id}/role"
    assert_problem(shop.cashier.send("PUT", path, {"role": "admin"}), 403, "permission_denied")
    assert_problem(shop.stranger.send("PUT", path, {"role": "admin"}), 404, "not_found")
    assert_problem(shop.admin.send("PUT", path, {"role": "emperor"}), 404, "not_found")


def test_an_address_that_auth_would_refuse_leaves_no_invitation(shop: Shop) -> None:
    body = {"id": uuid4(), "email": "ravi@shop", "role": "cashier"}
    refused = shop.admin.send("POST", f"/v1/organizations/{shop.org_id}/users", body)
    assert_problem(refused, 422, "invalid_input")
    assert shop.admin.client.table("invitations").select("id").eq("id", str(body["id"])).execute().data == []
