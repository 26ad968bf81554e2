"""Is the service well?"""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from backend.app.schemas.base import Row


class Health(Row):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"]


class Integrity(Row):
    """What the proofs of the books found. findings: rows that are wrong, 0 when all is well; checked_at: the
    oldest of the organisations' newest runs, null before the first.
    """

    findings: int
    checked_at: datetime | None


class Jobs(Row):
    """What the clock runs. failing: jobs that failed when they ran last, counted by organisation."""

    failing: int


class DeepHealth(Row):
    """The database answers too. database_time: its clock; integrity: the nightly proofs; jobs: how they went;
    milliseconds: how long asking took.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "database_time": "2026-11-21T09:30:00+00:00",
                    "integrity": {"findings": 0, "checked_at": "2026-11-21T02:47:00+00:00"},
                    "jobs": {"failing": 0},
                    "milliseconds": 4.1,
                }
            ]
        }
    )

    status: Literal["ok"]
    database_time: datetime
    integrity: Integrity
    jobs: Jobs
    milliseconds: float
