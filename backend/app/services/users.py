"""Members together with their accounts."""

from typing import Any
from uuid import UUID

from backend.app.core.auth_admin import AuthAdmin


async def with_accounts(admin: AuthAdmin, members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds to each member what Auth knows of the account; null when there is none.

    members: rows the caller may see, so that nobody learns of an account outside his organisation.
    """
    accounts = await admin.accounts([UUID(member["user_id"]) for member in members])
    return [{**member, "account": _shown(accounts.get(UUID(member["user_id"])))} for member in members]


def _shown(account: Any) -> dict[str, Any] | None:
    if account is None:
        return None
    return {
        "email": account.email or None,
        "email_confirmed": account.email_confirmed_at is not None,
        "created_at": account.created_at,
        "last_sign_in_at": account.last_sign_in_at,
    }
