"""Jobs: a transaction for each organisation, one run at a time, and what was done stays."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.concurrency.together import together
from tests.support.personas import Connection
from tests.support.stack import Shared


@pytest.fixture
def owner(shared: Shared, fresh_database: str) -> Iterator[Connection]:
    """The owner of the database: a job "try" that notes each organisation and fails where `act` says so."""
    with psycopg.connect(shared.cluster.url(fresh_database), autocommit=True) as connection:
        connection.execute(
            """
            create table private.tried (org_id uuid, number integer generated always as identity);
            create table private.houses (id uuid default gen_random_uuid(), act text not null default '');
            create function private.try(p_org_id uuid) returns jsonb language plpgsql as $$
            declare
              v_act text := (select h.act from private.houses h where h.id = p_org_id);
            begin
              insert into private.tried (org_id) values (p_org_id);
              if v_act = 'fail' then
                raise exception 'The roof leaks.';
              elsif v_act = 'assert' then
                assert false, 'Impossible.';
              elsif v_act = 'sleep' then
                perform pg_sleep(60);
              end if;
              return jsonb_build_object('more',
                v_act = 'more' and (select count(*) from private.tried t where t.org_id = p_org_id) < 4);
            end $$;
            insert into private.schedules (name, cron, routine, organizations, purpose)
            values ('try', '* * * * *', 'private.try', 'select h.id from private.houses h', 'A test');
            """
        )
        yield connection


def houses(owner: Connection, *acts: str) -> list[object]:
    """Organisations in the order in which the job comes to them, and what happens in each."""
    rows = owner.execute(
        "insert into private.houses select from generate_series(1, %s) returning id", [len(acts)]
    ).fetchall()
    ids = sorted(row[0] for row in rows)
    for house, act in zip(ids, acts, strict=True):
        owner.execute("update private.houses set act = %s where id = %s", [act, house])
    return list(ids)


def runs(owner: Connection) -> list[tuple[object, bool, str | None]]:
    return owner.execute(
        "select org_id, ok, error from private.job_runs where job = 'try' order by id"
    ).fetchall()


def tried(owner: Connection) -> list[object]:
    return [row[0] for row in owner.execute("select org_id from private.tried order by number").fetchall()]


@pytest.fixture
def worker(shared: Shared, fresh_database: str) -> Iterator[Connection]:
    """Somebody with branchline_worker's rights."""
    with psycopg.connect(shared.cluster.url(fresh_database), autocommit=True) as connection:
        connection.execute("set role branchline_worker")
        yield connection


@pytest.mark.parametrize(
    ("act", "error"), [("fail", "P0001: The roof leaks."), ("assert", "P0004: Impossible.")]
)
def test_one_that_fails_holds_nobody_up(owner: Connection, worker: Connection, act: str, error: str) -> None:
    """The others are committed, its own work is undone, and the failure is seen in four places."""
    one, two, three = houses(owner, "", act, "")
    with pytest.raises(psycopg.errors.RaiseException, match="The job try failed 1 of 3 times"):
        worker.execute("call private.run_job('try')")
    assert tried(owner) == [one, three]
    assert runs(owner) == [(one, True, None), (two, False, error), (three, True, None)]
    assert owner.execute("select job, org_id, error from private.failing_jobs").fetchall() == [
        ("try", two, error)
    ]
    assert owner.execute("select public.health() -> 'jobs'").fetchone() == ({"failing": 1},)
    owner.execute("update private.houses set act = ''")
    worker.execute("call private.run_job('try')")
    assert owner.execute("select count(*) from private.failing_jobs").fetchone() == (0,)


def test_what_was_done_stays_when_the_run_is_killed(owner: Connection, worker: Connection) -> None:
    """It is cut off in the second organisation; the next run is not kept out and does all of them."""
    one, two, three = houses(owner, "", "sleep", "")

    def run() -> None:
        with pytest.raises(psycopg.OperationalError):
            worker.execute("call private.run_job('try')")

    def kill() -> None:
        waiting = "select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
        while owner.execute(waiting, [worker.info.backend_pid]).fetchone() is None:
            time.sleep(0.02)
        assert tried(owner) == [one], "committed while the second is under way"
        owner.execute("select pg_terminate_backend(%s)", [worker.info.backend_pid])

    together([run, kill])
    assert tried(owner) == [one]
    assert owner.execute("select last_finished_at from private.schedules where name = 'try'").fetchone() == (
        None,
    )
    owner.execute("update private.houses set act = ''")
    # The killed server process frees its lock when it has noticed.
    deadline = time.monotonic() + 20
    while len(tried(owner)) < 4 and time.monotonic() < deadline:
        owner.execute("call private.run_job('try')")
    assert tried(owner) == [one, one, two, three]


def test_a_second_run_at_once_does_nothing(owner: Connection, worker: Connection) -> None:
    (house,) = houses(owner, "sleep")

    def run() -> None:
        with pytest.raises(psycopg.errors.QueryCanceled):
            worker.execute("call private.run_job('try')")

    def again() -> None:
        waiting = "select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
        while owner.execute(waiting, [worker.info.backend_pid]).fetchone() is None:
            time.sleep(0.02)
        owner.execute("call private.run_job('try')")
        assert runs(owner) == []
        owner.execute("select pg_cancel_backend(%s)", [worker.info.backend_pid])

    together([run, again])
    assert tried(owner) == []
    assert house is not None


def test_what_has_more_to_do_is_called_again(owner: Connection, worker: Connection) -> None:
    """Each time in a transaction of its own."""
    one, two = houses(owner, "more", "")
    worker.execute("call private.run_job('try')")
    assert tried(owner) == [one] * 4 + [two]
    assert len(runs(owner)) == 5


def test_every_schedule_runs(owner: Connection, worker: Connection) -> None:
    """All that the rooms have put into the table, on an empty database, as a worker."""
    for (command,) in owner.execute("select command from private.schedules where name <> 'try'").fetchall():
        worker.execute(command)
    failed = owner.execute("select job, error from private.job_runs where not ok").fetchall()
    assert failed == []
    once = owner.execute(
        "select name from private.schedules where organizations is null order by 1"
    ).fetchall()
    ran = owner.execute("select distinct job from private.job_runs order by 1").fetchall()
    assert ran == once
    with pytest.raises(psycopg.Error, match="There is no job nothing"):
        worker.execute("call private.run_job('nothing')")


def test_workers_have_their_jobs_and_nothing_else(owner: Connection, worker: Connection) -> None:
    """They cannot make one, nor read what was done, nor call a routine by itself."""
    houses(owner, "")
    for statement in (
        "select * from private.schedules",
        "select * from private.job_runs",
        "update private.schedules set routine = 'private.prune_requests'",
        "select private.run_overdue(gen_random_uuid())",
        "select private.prune_requests('1 day')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            worker.execute(statement)


def test_pg_cron_is_told_what_the_table_says(owner: Connection) -> None:
    """Against its functions as they are: what is new, what changes, what is switched off, what goes."""
    owner.execute(
        """
        create schema cron;
        create table cron.job (jobname text primary key, schedule text, command text);
        insert into cron.job values
          ('somebody-elses', '* * * * *', 'select 1'), ('branchline-gone', '* * * * *', '');
        create function cron.schedule(job_name text, schedule text, command text) returns bigint
        language sql as $$
          insert into cron.job values (job_name, schedule, command)
          on conflict (jobname) do update set schedule = excluded.schedule, command = excluded.command
          returning 1::bigint $$;
        create function cron.unschedule(job_name text) returns boolean language sql as $$
          delete from cron.job where jobname = job_name returning true $$;
        """
    )

    def told() -> set[tuple[str, str, str]]:
        return set(owner.execute("select jobname, schedule, command from cron.job").fetchall())

    def listed() -> set[tuple[str, str, str]]:
        rows = owner.execute(
            "select 'branchline-' || name, cron, command from private.schedules where enabled"
        )
        return set(rows.fetchall()) | {("somebody-elses", "* * * * *", "select 1")}

    for change in (
        "update private.schedules set cron = '5 * * * *' where name = 'try'",
        "update private.schedules set enabled = false where name = 'integrity'",
        "delete from private.schedules where name = 'try'",
        "insert into private.schedules (name, cron, routine, purpose) values "  # noqa: ISC004
        "('again', '1 2 3 4 5', 'private.add_all_partitions', 'A test')",
    ):
        owner.execute(change)
        assert told() == listed()
    assert ("branchline-again", "1 2 3 4 5", "call private.run_job('again')") in told()
    assert not any(name == "branchline-integrity" for name, _, _ in told())


def test_old_calls_and_old_notes_go_in_batches(owner: Connection) -> None:
    """25,000 of each: three times up to 10,000, and what is younger stays."""
    owner.execute(
        "insert into private.requests (org_id, id, act, fingerprint, created_at) select gen_random_uuid(), "
        "gen_random_uuid(), 'x', '', now() - interval '91 days' from generate_series(1, 25000)"
    )
    owner.execute(
        "insert into private.requests (org_id, id, act, fingerprint) "
        "select gen_random_uuid(), gen_random_uuid(), 'x', '' from generate_series(1, 10)"
    )
    owner.execute("call private.run_job('requests')")
    assert owner.execute("select count(*) from private.requests").fetchone() == (10,)
    pruned = owner.execute("select result ->> 'pruned' from private.job_runs order by id").fetchall()
    assert [int(row[0]) for row in pruned] == [10000, 10000, 5000]
