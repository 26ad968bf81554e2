"""Who am I?"""

from fastapi import Response

from backend.app.core.gateway import CallerGateway
from backend.app.core.resource import room_router
from backend.app.core.responses import passed_on
from backend.app.schemas.auth import WhoAmI

router = room_router("/v1/auth", "auth")


@router.get(
    "/validate",
    operation_id="validate_token",
    summary="Check the token",
    response_model=WhoAmI,
)
async def validate(gateway: CallerGateway) -> Response:
    """Verifies the token and answers who the caller is: organisations, and in each the role, permissions and
    branches.

    The database is asked each time, so a role that was changed a moment ago shows.
    """
    return passed_on((await gateway.rpc("whoami", {})).content)
