"""User administration: members, their accounts, invitations and roles.

An account belongs to a person and may serve several organisations, so nobody here can change its password,
address or standing: an organisation decides about membership, and about nothing else.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from backend.app.core import exact_json
from backend.app.core.auth_admin import AuthAdmin
from backend.app.core.gateway import CallerGateway
from backend.app.core.guard import require
from backend.app.core.listing import Listing, read_page
from backend.app.core.resource import room_router
from backend.app.core.responses import passed_on, problems
from backend.app.schemas import users as schemas
from backend.app.schemas.page import Page
from backend.app.services.users import with_accounts

router = room_router("/v1/organizations/{org_id}", "users")

MEMBERS = Listing(
    "memberships", ("user_id", "role_id", "all_branches", "status", "created_at"), ("user_id",), ()
)

_may_manage_users = Depends(require("user.manage"))


async def auth_admin(request: Request) -> AuthAdmin:
    """Dependency: Auth's admin endpoints; 501 when this installation has no service key."""
    return AuthAdmin(request.app.state.client, request.app.state.settings)


Accounts = Annotated[AuthAdmin, Depends(auth_admin)]


@router.get(
    "/users",
    operation_id="list_users",
    summary="List the organisation's users",
    response_model=Page[schemas.OrganizationUser],
    responses=problems(400, 404, 501),
    dependencies=[_may_manage_users],
)
async def list_users(
    gateway: CallerGateway, accounts: Accounts, org_id: UUID, query: Annotated[schemas.UserQuery, Query()]
) -> Response:
    """The members with their roles, and what Auth knows of their accounts. Permission: user.manage."""
    page = exact_json.loads(await read_page(gateway, MEMBERS, query, {"org_id": str(org_id)}))
    page["items"] = await with_accounts(accounts, page["items"])
    return passed_on(exact_json.dumps(page))


@router.post(
    "/users",
    operation_id="invite_user",
    summary="Invite a person",
    status_code=201,
    response_model=schemas.Invitation,
    responses=problems(400, 404, 409, 501),
    dependencies=[_may_manage_users],
)
async def invite_user(
    gateway: CallerGateway, accounts: Accounts, org_id: UUID, body: schemas.NewUser
) -> Response:
    """Invites an address to join with a role, and makes an account for it if there is none. Permission:
    user.manage.

    The account has no password and an unconfirmed address; its owner confirms it by the recovery mail,
    chooses a password, and accepts the invitation. The answer does not tell whether the account existed.
    """
    answer = await gateway.rpc(
        "invite_member",
        {
            "p_id": body.id,
            "p_org_id": org_id,
            "p_email": body.email,
            "p_role": body.role,
            "p_branch_ids": body.branch_ids,
        },
    )
    await accounts.ensure_account(body.email)
    return passed_on(answer.content, 201)


@router.put(
    "/users/{user_id}/role",
    operation_id="set_user_role",
    summary="Set a user's role",
    response_model=schemas.MembershipRow,
    responses=problems(400, 404, 409),
)
async def set_user_role(
    gateway: CallerGateway, org_id: UUID, user_id: UUID, body: schemas.RoleChange
) -> Response:
    """Sets the role, the branches it covers, and whether the member is shut out; at once. Permission:
    user.manage.
    """
    answer = await gateway.rpc(
        "set_member_role",
        {
            "p_org_id": org_id,
            "p_user_id": user_id,
            "p_role": body.role,
            "p_branch_ids": body.branch_ids,
            "p_suspended": body.suspended,
        },
    )
    return passed_on(answer.content)
