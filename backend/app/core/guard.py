"""The role guard: an early, clear 403 where this service acts with rights of its own.

The guard asks the database (`whoami`, with the caller's token) at every request and caches nothing, so that a
revoked permission is gone at once. It is never the only guard: where the database answers the request itself,
its row-level security and its functions decide, and no guard stands before them.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from backend.app.core.errors import Problem
from backend.app.core.gateway import CallerGateway
from backend.app.schemas.auth import Membership, WhoAmI


def require(permission: str) -> Callable[..., Awaitable[Membership]]:
    """A dependency that lets members through who hold a permission in the organisation of the path
    (`{org_id}`).

    permission: a code such as `user.manage`. The dependency returns the caller's membership. It raises 404
    not_found when the caller does not belong to the organisation and 403 permission_denied when the role
    lacks the permission.
    """

    async def guard(org_id: UUID, gateway: CallerGateway) -> Membership:
        answer = await gateway.rpc("whoami", {})
        organisations = WhoAmI.model_validate(answer.json(), extra="ignore").organizations
        membership = next((found for found in organisations if found.id == org_id), None)
        if membership is None:
            raise Problem(404, "not_found", "There is no such organisation, or it is not yours.")
        if permission not in membership.permissions:
            detail = f"Your role lacks the permission {permission}."
            raise Problem(403, "permission_denied", detail, facts={"permission": permission})
        return membership

    return guard
