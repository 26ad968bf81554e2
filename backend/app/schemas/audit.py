"""The audit log."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Moment, Row
from backend.app.schemas.catalogue import ORG, VARIANT


class AuditEntry(Row):
    """One changed row. before and after: the whole row; actor_id: who, null for jobs; request_id:
    X-Request-ID.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 812,
                    "at": "2026-11-21T09:30:00+00:00",
                    "org_id": ORG,
                    "actor_id": "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11",
                    "action": "update",
                    "table_name": "product_variants",
                    "row_id": VARIANT,
                    "before": {"price": 42500.00},
                    "after": {"price": 39900.00},
                    "request_id": "6f1f3c52-1f0e-4a65-9d0e-3f0d5c0a7b11",
                }
            ]
        }
    )

    id: int
    at: datetime
    org_id: UUID
    actor_id: UUID | None
    action: Literal["insert", "update", "delete"]
    table_name: str
    row_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


class AuditQuery(ListQuery):
    """Filters of the audit log. since is inclusive, until is not."""

    sort: Literal["at", "-at"] = "-at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    table_name: Annotated[str | None, Field(max_length=63), Where("table_name")] = None
    row_id: Annotated[str | None, Field(max_length=200), Where("row_id")] = None
    actor_id: Annotated[UUID | None, Where("actor_id")] = None
    action: Annotated[Literal["insert", "update", "delete"] | None, Where("action")] = None
    request_id: Annotated[str | None, Field(max_length=128), Where("request_id")] = None
    since: Annotated[Moment | None, Where("at", "gte")] = None
    until: Annotated[Moment | None, Where("at", "lt")] = None
