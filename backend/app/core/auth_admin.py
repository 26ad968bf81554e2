"""Supabase Auth's admin endpoints: the only place that holds the service key.

Nothing here checks a permission: callers stand behind ``require("user.manage")``. The service key never goes
to PostgREST, where it would bypass row-level security.
"""

import asyncio
from collections.abc import Sequence
from typing import NoReturn
from uuid import UUID

import httpx
from supabase_auth import AsyncGoTrueAdminAPI, User
from supabase_auth.errors import AuthApiError, AuthError

from backend.app.core.errors import Problem, code_of_status, unavailable
from backend.app.core.logging import logger
from backend.app.core.settings import Settings

_log = logger("branchline.auth_admin")

# Accounts that are read at the same time: enough for a page of users, too few to crowd Auth.
_PARALLEL = 8


class AuthAdmin:
    """The accounts of the project."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        if settings.supabase_service_role_key is None:
            raise Problem(
                501,
                "service_not_configured",
                "User administration is switched off here: there is no service key.",
            )
        key = settings.supabase_service_role_key.get_secret_value()
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        self._admin = AsyncGoTrueAdminAPI(
            url=f"{settings.supabase_url}/auth/v1", headers=headers, http_client=client
        )

    async def accounts(self, user_ids: Sequence[UUID]) -> dict[UUID, User]:
        """The accounts with these ids; one that does not exist any more is left out. Raises a 503 problem."""
        gate = asyncio.Semaphore(_PARALLEL)

        async def read(user_id: UUID) -> tuple[UUID, User | None]:
            async with gate:
                try:
                    return user_id, (await self._admin.get_user_by_id(str(user_id))).user
                except AuthError as error:
                    if isinstance(error, AuthApiError) and error.status == 404:
                        return user_id, None
                    _refuse(error)

        found = await asyncio.gather(*(read(user_id) for user_id in user_ids))
        return {user_id: account for user_id, account in found if account is not None}

    async def ensure_account(self, email: str) -> None:
        """Makes an account for the address unless there is one.

        It has no password and its address counts as unconfirmed: its owner proves the address by the recovery
        mail and chooses a password then. Neither the inviter nor this service ever vouches for somebody's
        mailbox.
        """
        try:
            await self._admin.create_user({"email": email, "email_confirm": False})
        except AuthError as error:
            # Whether the address was known already is nobody's business, so both answers look the same.
            if getattr(error, "code", None) not in ("email_exists", "user_already_exists"):
                _refuse(error)


def _refuse(error: AuthError) -> NoReturn:
    _log.warning("auth_admin_refused", error=type(error).__name__, code=error.code)
    if isinstance(error, AuthApiError) and error.status in (400, 409, 422, 429):
        code = "invalid_input" if error.status in (400, 422) else code_of_status(error.status)
        raise Problem(error.status, code, error.message) from error
    raise unavailable("The account service does not answer.") from error
