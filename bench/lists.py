"""How fast every list of the API is among the rows of 201 organisations, with policies and without."""

from contextlib import ExitStack

import psycopg

from bench.cluster import DATABASE, migrated_cluster
from bench.guarded import Query, Result, Timing, measure, plan_of
from bench.report import Progress
from bench.shop import Connection
from tests.support.filler import INVOICES, Member, fill, signed_in
from tests.support.lists import ListCall, asked_with, list_calls


def run(rounds: int, progress: Progress, *, invoices: int = INVOICES, plans: bool = False) -> Result:
    """Measure in a cluster of its own.

    Parameters:
        rounds: how often everything is measured.
        progress: is told what is going on.
        invoices: of all organisations; the other tables follow.
        plans: explain each statement, too.
    """
    progress.step("Starting a durable throw-away cluster")
    with migrated_cluster() as cluster, ExitStack() as stack:
        url = cluster.url(DATABASE)
        progress.step(f"Filling in {invoices:,} invoices of 201 organisations")
        members = fill(url, cluster.superuser_url(DATABASE), invoices).members
        owner = stack.enter_context(psycopg.connect(cluster.superuser_url(DATABASE), autocommit=True))
        owner.execute("checkpoint")
        calls = list_calls(owner)
        result = Result([], {}, [])
        for member in members:
            with signed_in(url, member) as user, psycopg.connect(url, autocommit=True) as bare:
                # As PostgREST's connections: whatever is asked again is prepared.
                user.prepare_threshold = bare.prepare_threshold = 0
                timings = [Timing(query) for query in _queries(calls, member)]
                result.violations += [
                    f"{timing.query.name}: not the rows that are his"
                    for timing in timings
                    if _rows(user, timing.query.guarded, timing) != _rows(bare, timing.query.bare, timing)
                ]
                for number in range(rounds + 1):
                    progress.step(f"{member.name}: round {number} of {rounds}")
                    _round(user, bare, timings, number)
                for timing in timings if plans else ():
                    result.plans[timing.query.name] = plan_of(user, timing.query.guarded, timing.query)
                result.timings += timings
        return result


def _queries(calls: list[ListCall], member: Member) -> list[Query]:
    """The lists as this member asks for them, also for one branch where he has a few."""
    few = member.branches is not None
    asked = asked_with(member)
    return [
        Query(f"{member.name}: {call.name}", call.page(), asked, call.page(narrowed=few)) for call in calls
    ] + [
        Query(f"one of {member.name}: {call.name}", page, asked, page)
        for call in calls
        if few and call.branches == ("branch_id",)
        for page in [call.page(one_branch=True)]
    ]


def _rows(connection: Connection, statement: str | None, timing: Timing) -> object:
    assert statement is not None
    return connection.execute(statement, timing.query.parameters).fetchone()


def _round(user: Connection, bare: Connection, timings: list[Timing], number: int) -> None:
    """Measure everything once; the first time is for warming up."""
    for timing in timings:
        guarded, without = measure(user, bare, timing.query, bare_first=bool(number % 2))
        if number:
            timing.guarded.append(guarded)
            timing.bare.append(without)
