"""The clock of the local stack: does what pg_cron does where the project is hosted, from the same table.

Run as `python -m local.scheduler`, with the database's address in DATABASE_URL.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

# The first and the last value of minute, hour, day, month and weekday (0 and 7 are Sunday).
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def matches(cron: str, moment: datetime) -> bool:
    """Tell whether a schedule names the minute of `moment`.

    Parameters:
        cron: minute, hour, day, month, weekday; each `*` or a list of numbers and ranges, with a step.
        moment: in UTC.
    """
    minute, hour, day, month, weekday = (
        _values(field, first, last) for field, (first, last) in zip(cron.split(), _RANGES, strict=True)
    )
    fields = cron.split()
    of_month, of_week = moment.day in day, bool(weekday & {moment.isoweekday() % 7, moment.isoweekday()})
    # Where both days are given, either will do.
    on_day = of_month or of_week if "*" not in (fields[2][0], fields[4][0]) else of_month and of_week
    return moment.minute in minute and moment.hour in hour and moment.month in month and on_day


def _values(field: str, first: int, last: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        begin, _, end = (str(first), "-", str(last)) if span == "*" else span.partition("-")
        stop = int(end) if end else last if step else int(begin)
        found |= set(range(int(begin), stop + 1, int(step or 1)))
    return found


def run_due(url: str, moment: datetime) -> Iterator[str]:
    """Run the jobs of a minute one after the other.

    Parameters:
        url: the database's address as role postgres.
        moment: in UTC.

    Yields:
        A line for each: its name and "done", or what went wrong.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        jobs = connection.execute(
            "select name, cron, command from private.schedules where enabled order by name"
        ).fetchall()
        connection.execute("set role branchline_worker")
        for name, cron, command in jobs:
            if matches(cron, moment):
                try:
                    connection.execute(command)
                    yield f"{name}: done"
                except psycopg.Error as error:
                    yield f"{name}: {error}"
                    if connection.closed:
                        return


def main() -> None:
    """Run what is due, minute by minute, until the process is stopped."""
    url = os.environ["DATABASE_URL"]
    done = datetime.now(UTC).replace(second=0, microsecond=0)
    while True:
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        # A minute that passed while a job ran is not made up for: jobs do what is due.
        if minute > done:
            done = minute
            try:
                for line in run_due(url, minute):
                    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}", flush=True)
            except psycopg.Error as error:
                print(f"The database cannot be asked: {error}", flush=True)
        time.sleep(1)


if __name__ == "__main__":
    main()
