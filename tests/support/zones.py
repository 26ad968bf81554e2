"""Where a test's branch lies, so that no test depends on the hour at which it is run."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def another_day() -> str:
    """A time zone whose date is another one than that of UTC, and stays the same for two hours at least.

    Dates of a branch in it cannot be mixed up with those of UTC unseen, and a test that asks for its day
    twice never has midnight between.
    """
    return "Pacific/Kiritimati" if datetime.now(UTC).hour >= 10 else "Etc/GMT+12"


def day_in(zone: str) -> date:
    """The day in a time zone."""
    return datetime.now(ZoneInfo(zone)).date()
