"""Consumers of events: several workers at once, killed ones, late ones; each event reaches each consumer."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.concurrency.together import together
from tests.support.personas import Connection, new_id
from tests.support.stack import Shared

Open = Callable[[], Connection]
Claim = list[tuple[Any, ...]]
EVENTS = 60


@pytest.fixture
def worker(shared: Shared, fresh_database: str) -> Iterator[Open]:
    """Opens connections as a worker signs in: with branchline_worker's rights and no others."""
    with ExitStack() as stack:

        def sign_in() -> Connection:
            connection = psycopg.connect(shared.cluster.url(fresh_database), autocommit=True)
            connection.execute("set role branchline_worker")
            stack.callback(connection.close)
            return connection

        yield sign_in


@pytest.fixture
def owner(shared: Shared, fresh_database: str) -> Iterator[Connection]:
    """The owner of the database, each statement a transaction."""
    with psycopg.connect(shared.cluster.url(fresh_database), autocommit=True) as connection:
        yield connection


def emit(owner: Connection, count: int = 1, event: str = "thing.done") -> None:
    owner.execute(
        "select private.emit(gen_random_uuid(), %s, jsonb_build_object('number', n)) "
        "from generate_series(1, %s) n",
        [event, count],
    )


def add(owner: Connection, name: str, *, events: list[str] | None = None, **columns: object) -> None:
    owner.execute("select private.add_consumer(%s, 'A test', %s)", [name, events or []])
    for column, value in columns.items():
        owner.execute(f"update private.consumers set {column} = %s where name = %s", [value, name])  # noqa: S608


def claim(worker: Connection, consumer: str = "mailer", limit: int = 100) -> Claim:
    return worker.execute("select * from private.claim_events(%s, %s)", [consumer, limit]).fetchall()


def ack(worker: Connection, claimed: Claim, consumer: str = "mailer") -> int:
    row = worker.execute("select private.ack_events(%s, %s)", [consumer, claimed[0][0]]).fetchone()
    assert row is not None
    return int(row[0])


def due_now(owner: Connection) -> None:
    """What only time brings about: leases and pauses are over."""
    owner.execute("update private.deliveries set due_at = now() - interval '1 second'")


def test_workers_claim_disjoint_events_and_every_consumer_gets_all(owner: Connection, worker: Open) -> None:
    """Six workers of two consumers while events are still being written."""
    add(owner, "mailer")
    add(owner, "books")

    def work(consumer: str) -> Callable[[], list[int]]:
        mine = worker()

        def run() -> list[int]:
            got: list[int] = []
            for _ in range(30):
                claimed = claim(mine, consumer, 7)
                if claimed:
                    got += [row[1] for row in claimed]
                    assert ack(mine, claimed, consumer) == len(claimed)
            return got

        return run

    def write() -> list[int]:
        with psycopg.connect(owner.info.dsn, password=owner.info.password, autocommit=True) as writer:
            for _ in range(EVENTS):
                emit(writer)
        return []

    outcomes = together([write, *(work(consumer) for consumer in ("mailer", "books") for _ in range(3))])
    assert all(isinstance(outcome, list) for outcome in outcomes), outcomes
    got = {
        "mailer": outcomes[1] + outcomes[2] + outcomes[3],
        "books": outcomes[4] + outcomes[5] + outcomes[6],
    }
    rest = worker()
    for consumer, seen in got.items():
        while claimed := claim(rest, consumer):
            seen += [row[1] for row in claimed]
            ack(rest, claimed, consumer)
    ids = [row[0] for row in owner.execute("select id from private.outbox").fetchall()]
    assert len(ids) == EVENTS
    assert Counter(got["mailer"]) == Counter(got["books"]) == Counter(ids)


def test_an_event_committed_late_is_not_passed_over(owner: Connection, worker: Open) -> None:
    """It got its number first and is committed after others were claimed."""
    add(owner, "mailer")
    mine = worker()
    with psycopg.connect(owner.info.dsn, password=owner.info.password) as slow:
        emit(slow, event="slow.first")
        emit(owner, event="quick.second")
        assert [row[3] for row in claim(mine)] == ["quick.second"]
        slow.commit()
    assert [row[3] for row in claim(mine)] == ["slow.first"]


def test_what_a_killed_worker_had_comes_again(owner: Connection, worker: Open) -> None:
    """After the lease; the dead one's acknowledgement, should it come, takes nothing from the next."""
    add(owner, "mailer")
    emit(owner, 3)
    first, second = worker(), worker()
    held = claim(first)
    assert [row[6] for row in held] == [1, 1, 1]
    assert claim(second) == []
    owner.execute("select pg_terminate_backend(%s)", [first.info.backend_pid])
    due_now(owner)
    again = claim(second)
    assert [(row[1], row[6]) for row in again] == [(row[1], 2) for row in held]
    assert ack(second, held) == 0
    assert ack(second, again) == 3
    due_now(owner)
    assert claim(second) == []


def test_a_worker_that_dies_in_its_transaction_held_nothing(owner: Connection, worker: Open) -> None:
    """Claimed and handled in one transaction: it ends with the worker, and nobody waits for a lease."""
    add(owner, "mailer")
    emit(owner, 2)
    first, second = worker(), worker()
    first.execute("begin")
    assert len(claim(first)) == 2
    assert claim(second) == [], "others pass it by and do not wait"
    owner.execute("select pg_terminate_backend(%s)", [first.info.backend_pid])
    for _ in range(100):
        if found := claim(second):
            break
    assert [row[6] for row in found] == [1, 1]


def test_what_always_fails_is_a_dead_letter_and_can_be_revived(owner: Connection, worker: Open) -> None:
    """With the last error; the others go on; revived it comes to this consumer alone."""
    add(owner, "mailer", max_tries=2)
    add(owner, "books")
    emit(owner, 2)
    mine = worker()
    bad = claim(mine)[0][1]
    for number in (1, 2):
        if number == 2:
            due_now(owner)
            claimed = claim(mine)
        else:
            claimed = owner.execute(
                "select claim, event_id from private.deliveries where consumer = 'mailer'"
            ).fetchall()
        assert mine.execute(
            "select private.fail_event('mailer', %s, %s, %s)", [claimed[0][0], bad, f"error {number}"]
        ).fetchone() == (True,)
    assert owner.execute("select event_id, tries, error from private.dead_events").fetchall() == [
        (bad, 2, "error 2")
    ]
    assert owner.execute("select count(*) from private.deliveries where consumer = 'books'").fetchone() == (
        2,
    )
    assert owner.execute("select private.revive_events('mailer')").fetchone() == (1,)
    due_now(owner)
    revived = [row for row in claim(mine) if row[6] == 1]
    assert len(revived) == 1
    assert revived[0][4] == {"number": 1}
    assert len(claim(worker(), "books")) == 2


def test_a_worker_killed_each_time_does_not_go_on_for_ever(owner: Connection, worker: Open) -> None:
    """An event that kills whoever takes it is a dead letter after as many tries as any other."""
    add(owner, "mailer", max_tries=2)
    emit(owner)
    for expected in (1, 1, 0):
        assert len(claim(worker())) == expected
        due_now(owner)
    assert owner.execute("select tries, error from private.dead_events").fetchall() == [(2, None)]


def test_a_failure_waits_longer_each_time(owner: Connection, worker: Open) -> None:
    """5 seconds, then 10; or as long as the worker says."""
    add(owner, "mailer")
    emit(owner)
    mine = worker()
    waits = []
    for pause in (None, None, None, "2 hours"):
        due_now(owner)
        ((mark, event, *_),) = claim(mine)
        mine.execute("select private.fail_event('mailer', %s, %s, 'no', %s::interval)", [mark, event, pause])
        row = owner.execute("select due_at - now() from private.deliveries").fetchone()
        assert row is not None
        waits.append(round(row[0].total_seconds()))
    # Counted from the failure, and looked at a moment later.
    assert all(said - 3 <= wait <= said for wait, said in zip(waits, (5, 10, 20, 7200), strict=True)), waits


def test_consumers_choose_their_events_and_how_far_back(owner: Connection, worker: Open) -> None:
    """By name; a later one may ask for what is past, which others have had already."""
    add(owner, "mailer", events=["a.b"])
    emit(owner, event="a.b")
    emit(owner, event="c.d")
    assert [row[3] for row in claim(worker())] == ["a.b"]
    owner.execute("select private.add_consumer('late', 'A test')")
    owner.execute("select private.add_consumer('early', 'A test', '{}', now() - interval '1 day')")
    assert claim(worker(), "late") == []
    assert sorted(row[3] for row in claim(worker(), "early")) == ["a.b", "c.d"]


def test_a_consumer_added_while_events_are_spread_misses_none(owner: Connection, worker: Open) -> None:
    """Adding waits for those who spread, and then catches up."""
    add(owner, "mailer")
    with psycopg.connect(owner.info.dsn, password=owner.info.password) as adding:
        adding.execute("select now()")
        emit(owner)

        def spread() -> int:
            return len(claim(worker()))

        def register() -> int:
            adding.execute("select private.add_consumer('late', 'A test')")
            adding.commit()
            return 0

        together([spread, register])
    assert len(claim(worker(), "late")) == 1


def test_old_partitions_go_and_what_was_not_taken_is_kept(owner: Connection, worker: Open) -> None:
    """As dead letters, whole; what was acknowledged is gone, and new events come as before."""
    add(owner, "mailer", since="2020-01-01")
    owner.execute("select private.add_partitions('private.outbox', current_date - 400, 1)")
    for number in (1, 2):
        owner.execute(
            "insert into private.outbox (org_id, event, payload, created_at) "
            "values (%s, 'old.news', %s::jsonb, now() - interval '400 days')",
            [new_id(), f'{{"number": {number}}}'],
        )
    emit(owner)
    mine = worker()
    taken = claim(mine, limit=1)
    assert taken[0][3] == "old.news"
    ack(mine, taken)
    done = owner.execute("select private.do_job('outbox')").fetchone()
    assert done == ({"ok": True, "more": False},)
    row = owner.execute("select result from private.job_runs where job = 'outbox'").fetchone()
    assert row == ({"dropped": 1, "buried": 1},)
    dead = owner.execute("select event, payload from private.dead_events").fetchall()
    assert dead == [("old.news", {"number": 2})]
    assert [row[3] for row in claim(mine)] == ["thing.done"]


def test_events_of_a_month_without_a_partition_move_into_it(owner: Connection) -> None:
    """The rest catches them; the job makes the month and takes them along."""
    owner.execute(
        "insert into private.outbox (org_id, event, payload, created_at) "
        "values (%s, 'far.ahead', '{}', now() + interval '40 months')",
        [new_id()],
    )
    where = "select tableoid::regclass::text from private.outbox where event = 'far.ahead'"
    assert owner.execute(where).fetchone() == ("private.outbox_rest",)
    owner.execute("select private.add_partitions('private.outbox', (now() + interval '40 months')::date, 1)")
    row = owner.execute(where).fetchone()
    assert row is not None
    assert row[0].startswith("private.outbox_20")


def test_workers_read_and_write_nothing_else(owner: Connection, worker: Open) -> None:
    """Neither tables nor what only the owner may: a worker has its functions."""
    add(owner, "mailer")
    mine = worker()
    for statement in (
        "select * from private.outbox",
        "select * from private.deliveries",
        "select * from public.invoices",
        "insert into private.consumers (name, purpose) values ('x', 'x')",
        "select private.add_consumer('x', 'x')",
        "select private.revive_events('mailer')",
        "select private.emit(gen_random_uuid(), 'a.b', '{}')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            mine.execute(statement)
    with pytest.raises(psycopg.Error, match="There is no consumer"):
        claim(mine, "nobody")
