"""Every list of the API at size, as three members ask for it: whose rows the plan reads, and in which order.

In a database of 200 small tenants and a house of 500 branches (tests/support/filler.py), a tenth as many rows
as `./dev bench lists` measures.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local import databases
from tests.support.filler import TURN, Filled, Member, fill, signed_in
from tests.support.lists import PAGE, ListCall, asked_with, list_calls
from tests.support.personas import Connection, connect
from tests.support.stack import Shared

ROWS = 3 * TURN
# By list, member and kind of plan.
Plans = Mapping[tuple[str, str, str], Mapping[str, Any]]
# An organisation has one of it, or too few here for an order to matter.
FEW = {"loyalty_programs", "memberships"}
# Rows of the user's own are his whichever organisation they are of: they are found by him, beside the others.
ONES_OWN = {"memberships": "user_id"}


@pytest.fixture(scope="module")
def filled(shared: Shared) -> Iterator[tuple[str, Filled]]:
    """The address of the database, and who is in it."""
    name = shared.new_database()
    url = shared.cluster.url(name)
    with connect(url) as owner:
        listed = {call.table for call in list_calls(owner)}
    yield url, fill(url, shared.cluster.superuser_url(name), ROWS, least=ROWS, only=listed)
    databases.drop(shared.cluster, name)


@pytest.fixture(scope="module")
def plans(filled: tuple[str, Filled]) -> Plans:
    """What Postgres does for each list, member and kind of plan; PostgREST's statements are prepared."""
    url, made = filled
    found = {}
    with connect(url) as owner:
        calls = list_calls(owner)
    for member in made.members:
        with signed_in(url, member) as connection:
            # What a solid-state disk costs: by Postgres's default it takes twice the rows to prefer an order.
            connection.execute("set random_page_cost = 1.1")
            for mode in ("force_custom_plan", "force_generic_plan"):
                connection.execute(f"set plan_cache_mode = {mode}")
                for call in calls:
                    found[call.name, member.name, mode] = _explain(connection, call, member)
    return found


def _explain(connection: Connection, call: ListCall, member: Member) -> Mapping[str, Any]:
    statement = call.page().replace("%(org)s", "$1")
    connection.execute(f"prepare page (uuid) as {statement}")
    row = connection.execute(
        f"explain (analyze, verbose, timing off, format json) execute page ('{member.org_id}')"
    ).fetchone()
    connection.execute("deallocate page")
    assert row is not None
    plan: Mapping[str, Any] = row[0][0]["Plan"]
    return plan


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _scans(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where rows of tables are found."""
    return (
        node for node in _nodes(plan) if "Scan" in node["Node Type"] and node["Node Type"] != "Subquery Scan"
    )


def _read(plan: Mapping[str, Any]) -> int:
    """How many rows of tables were looked at, also for nothing."""
    return sum(
        int(node["Actual Loops"])
        * int(
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Index Recheck", 0)
        )
        for node in _scans(plan)
        if node["Node Type"] != "Bitmap Index Scan"
    )


def test_there_are_lists(plans: Plans) -> None:
    """All of them: a list that is declared otherwise would be passed by."""
    assert len({name for name, *_ in plans}) > 40


def _is_of_the_asker(name: str, node: Mapping[str, Any]) -> bool:
    """Whether a scan finds rows by the organisation, or looks at none."""
    condition = node.get("Index Cond", node.get("Recheck Cond", ""))
    columns = {"org_id", ONES_OWN.get(name, "org_id")}
    nothing = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) == 0
    return nothing or any(f"{column} = " in condition for column in columns)


def test_no_row_of_a_stranger_is_looked_at(plans: Plans) -> None:
    """No table is read through, and every index is entered by the organisation."""
    wrong = [
        (key, node["Node Type"], node.get("Index Cond"))
        for key, plan in plans.items()
        for node in _scans(plan)
        if not _is_of_the_asker(key[0], node)
    ]
    assert wrong == []


def test_a_page_is_a_piece_of_an_index(plans: Plans) -> None:
    """Who sees a whole organisation gets his first page from an index in its order: nothing is sorted but
    rows that tie, and hardly more is read than shown.
    """
    wrong = []
    for (name, member, mode), plan in plans.items():
        if member != "admin of 500" or mode != "force_custom_plan" or name in {*FEW, *ONES_OWN}:
            continue
        kinds = [node["Node Type"] for node in _nodes(plan)]
        if "Sort" in kinds or _read(plan) > 2 * PAGE:
            wrong.append((name, mode, kinds, _read(plan)))
    assert wrong == []


def test_each_sees_what_is_his(filled: tuple[str, Filled]) -> None:
    """As a member, and without policies narrowed to his branches: the same page."""
    url, made = filled
    with connect(url) as owner:
        calls = list_calls(owner)
        for member in made.members:
            with signed_in(url, member) as connection:
                for call in calls:
                    seen = connection.execute(call.page(), asked_with(member)).fetchone()
                    there = owner.execute(
                        call.page(narrowed=member.branches is not None), asked_with(member)
                    ).fetchone()
                    assert seen == there, (call.name, member.name)
                    assert seen is not None
                    assert seen[1] > 0, (call.name, member.name)
