"""The proofs of the books."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.app.core.listing import ListQuery, Where
from backend.app.schemas.base import Input, Moment, Row
from backend.app.schemas.catalogue import ORG

_RUN = "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0ca1"


class IntegrityCheck(Row):
    """The result of one proof. findings: how much disagrees; sample: some of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "8c8f3f0e-1d9a-4f0e-8a53-0d9a3f1f0ca2",
                    "org_id": ORG,
                    "run_id": _RUN,
                    "proof": "ledger",
                    "ran_at": "2026-11-21T02:30:00+00:00",
                    "passed": True,
                    "findings": 0,
                    "sample": [],
                    "requested_by": None,
                }
            ]
        }
    )

    id: UUID
    org_id: UUID
    run_id: UUID
    proof: str
    ran_at: datetime
    passed: bool
    findings: int
    sample: list[dict[str, Any]]
    requested_by: UUID | None


class IntegrityQuery(ListQuery):
    """Filters of the results. ran_from is inclusive, ran_before is not."""

    sort: Literal["ran_at", "-ran_at"] = "-ran_at"
    org_id: Annotated[UUID | None, Where("org_id")] = None
    run_id: Annotated[UUID | None, Where("run_id")] = None
    proof: Annotated[str | None, Field(max_length=40), Where("proof")] = None
    passed: Annotated[bool | None, Where("passed")] = None
    ran_from: Annotated[Moment | None, Where("ran_at", "gte")] = None
    ran_before: Annotated[Moment | None, Where("ran_at", "lt")] = None


class IntegrityRequest(Input):
    """Whose books are proved."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"org_id": ORG}]})

    org_id: UUID


class Proof(Row):
    """The result of one proof."""

    proof: str
    passed: bool
    findings: int
    sample: list[dict[str, Any]]


class IntegrityRun(Row):
    """What all proofs have found."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "run_id": _RUN,
                    "ran_at": "2026-11-21T09:30:00+00:00",
                    "passed": True,
                    "checks": [{"proof": "ledger", "passed": True, "findings": 0, "sample": []}],
                }
            ]
        }
    )

    run_id: UUID
    ran_at: datetime
    passed: bool
    checks: list[Proof]
