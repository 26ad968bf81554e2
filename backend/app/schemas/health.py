"""Is the service well?"""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from backend.app.schemas.base import Row


class Health(Row):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"]


class DeepHealth(Row):
    """The database answers too. database_time: its clock; milliseconds: how long asking took."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"status": "ok", "database_time": "2026-11-21T09:30:00+00:00", "milliseconds": 4.1}]
        }
    )

    status: Literal["ok"]
    database_time: datetime
    milliseconds: float
