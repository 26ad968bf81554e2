"""The people of an organisation and their accounts."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery
from backend.app.schemas.base import Input, Row
from backend.app.schemas.catalogue import ORG

_USER = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"
_ROLE = "1f0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c12"


class Account(Row):
    """What Supabase Auth knows about a person that an employer may see."""

    email: str | None
    email_confirmed: bool
    created_at: datetime
    last_sign_in_at: datetime | None


class OrganizationUser(Row):
    """A member of the organisation. account is null when the person's account cannot be read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": _USER,
                    "role_id": _ROLE,
                    "all_branches": False,
                    "status": "active",
                    "created_at": "2026-11-21T09:30:00+00:00",
                    "account": {
                        "email": "cashier@teak.example",
                        "email_confirmed": True,
                        "created_at": "2026-11-20T08:00:00+00:00",
                        "last_sign_in_at": "2026-11-21T03:25:00+00:00",
                    },
                }
            ]
        }
    )

    user_id: UUID
    role_id: UUID
    all_branches: bool
    status: Literal["active", "suspended"]
    created_at: datetime
    account: Account | None


class UserQuery(ListQuery):
    """Pages of users."""

    limit: int = Field(25, ge=1, le=50, description="Rows on a page")
    sort: Literal["created_at", "-created_at"] = "created_at"


class NewUser(Input):
    """A person to be asked to join."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "2e0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c13",
                    "email": "ravi@teak.example",
                    "role": "cashier",
                    "branch_ids": ["9a1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c33"],
                }
            ]
        }
    )

    id: UUID = Field(description="Your own id of the invitation; the same request again changes nothing")
    email: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    role: str = Field(max_length=40, description="A role's key, such as cashier")
    branch_ids: list[UUID] | None = Field(None, min_length=1, description="The branches it covers; null: all")


class Invitation(Row):
    """An invitation that waits for its owner to accept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "2e0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c13",
                    "org_id": ORG,
                    "email": "ravi@teak.example",
                    "role_id": _ROLE,
                    "branch_ids": ["9a1f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c33"],
                    "invited_by": _USER,
                    "accepted_at": None,
                    "revoked_at": None,
                    "created_at": "2026-11-21T09:30:00+00:00",
                }
            ]
        }
    )

    id: UUID
    org_id: UUID
    email: str
    role_id: UUID
    branch_ids: list[UUID] | None
    invited_by: UUID
    accepted_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


class RoleChange(Input):
    """The role, branches and standing of a member, from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "cashier", "branch_ids": None}]})

    role: str = Field(max_length=40, description="A role's key")
    branch_ids: list[UUID] | None = Field(None, min_length=1, description="The branches it covers; null: all")
    suspended: bool = Field(False, description="true shuts the member out of the organisation")


class MembershipRow(Row):
    """A membership as stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "org_id": ORG,
                    "user_id": _USER,
                    "role_id": _ROLE,
                    "all_branches": True,
                    "status": "active",
                    "created_at": "2026-11-21T09:30:00+00:00",
                    "updated_at": "2026-11-21T09:35:00+00:00",
                }
            ]
        }
    )

    org_id: UUID
    user_id: UUID
    role_id: UUID
    all_branches: bool
    status: Literal["active", "suspended"]
    created_at: datetime
    updated_at: datetime
