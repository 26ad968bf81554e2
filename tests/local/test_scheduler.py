"""The clock of the local stack: which minute a schedule names, and what is run in it."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from local.scheduler import matches, run_due
from tests.support.stack import Shared

# A Tuesday.
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "moment", "expected"),
    [
        ("* * * * *", NOON, True),
        ("0 12 * * *", NOON, True),
        ("0 12 * * *", NOON + timedelta(minutes=1), False),
        ("*/15 * * * *", NOON + timedelta(minutes=45), True),
        ("*/15 * * * *", NOON + timedelta(minutes=44), False),
        ("5,10-12 * * * *", NOON + timedelta(minutes=11), True),
        ("5,10-12 * * * *", NOON + timedelta(minutes=13), False),
        ("10-20/5 * * * *", NOON + timedelta(minutes=15), True),
        ("10-20/5 * * * *", NOON + timedelta(minutes=16), False),
        ("0 12 1 * *", NOON, True),
        ("0 12 2 * *", NOON, False),
        ("0 12 * 11 *", NOON, False),
        ("0 12 * * 2", NOON, True),
        ("0 12 * * 0", NOON + timedelta(days=5), True),
        ("0 12 * * 7", NOON + timedelta(days=5), True),
        ("0 12 * * 1-5", NOON + timedelta(days=5), False),
        # Both days given: either will do, as in every cron.
        ("0 12 15 * 2", NOON, True),
        ("0 12 1 * 5", NOON, True),
        ("0 12 15 * 5", NOON, False),
    ],
)
def test_which_minute_a_schedule_names(cron: str, moment: datetime, expected: bool) -> None:
    assert matches(cron, moment) is expected


def test_what_is_due_runs_and_a_failure_is_said(shared: Shared, fresh_database: str) -> None:
    """As a worker, one after the other; what is switched off or not due stays."""
    url = shared.cluster.url(fresh_database)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(
            """
            create function private.leak() returns integer language plpgsql as $$ begin
              raise exception 'The roof leaks.'; end $$;
            delete from private.schedules where name <> 'requests';
            update private.schedules set cron = '0 12 * * *';
            insert into private.schedules (name, cron, routine, purpose, enabled) values
              ('a-leak', '0 12 * * *', 'private.leak', 'A test', true),
              ('later', '1 12 * * *', 'private.leak', 'A test', true),
              ('off', '* * * * *', 'private.leak', 'A test', false);
            """
        )
        said = list(run_due(url, NOON))
        assert len(said) == 2
        assert said[0].startswith("a-leak: The job a-leak failed 1 of 1 times")
        assert said[1] == "requests: done"
        runs = owner.execute("select job, ok from private.job_runs order by id").fetchall()
        assert runs == [("a-leak", False), ("requests", True)]


def test_every_schedule_can_be_read(shared: Shared, fresh_database: str) -> None:
    """What the rooms have put into the table names at least one minute of a year."""
    with psycopg.connect(shared.cluster.url(fresh_database)) as owner:
        for name, cron in owner.execute("select name, cron from private.schedules").fetchall():
            assert any(matches(cron, NOON + timedelta(minutes=n)) for n in range(60 * 24 * 31)), name
