"""How long the log is kept: each organisation's affair, a year at least; months go when nobody needs them."""

from typing import Any

import pytest

from tests.support.personas import Connection, raises, raises_sqlstate
from tests.support.world import House, People


def _enter(owner: Connection, house: House, months: int) -> None:
    """An entry as it would have been written so many months and a day ago."""
    owner.execute(
        "select private.add_partitions('audit.log', "
        "(now() - make_interval(months => %s, days => 1))::date, 1)",
        [months],
    )
    owner.execute(
        "insert into audit.log (at, org_id, action, table_name, row_id) "
        "values (now() - make_interval(months => %s, days => 1), %s, 'update', 'old', %s)",
        [months, house.id, str(months)],
    )


def _left(owner: Connection, house: House) -> list[Any]:
    rows = owner.execute(
        "select row_id::integer from audit.log where org_id = %s and table_name = 'old' order by 1",
        [house.id],
    )
    return [row[0] for row in rows.fetchall()]


def _prune(owner: Connection) -> dict[str, Any]:
    """Both jobs as the clock runs them, but for their transactions. Returns what they noted."""
    for job in ("audit-log", "audit-partitions"):
        owner.execute("select private.do_job(%s, o) from unnest(private.begin_job(%s)) o", [job, job])
    rows = owner.execute("select job, org_id, ok, result from private.job_runs").fetchall()
    assert all(row[2] for row in rows), rows
    return {f"{row[0]} {row[1]}": row[3] for row in rows}


def test_each_house_keeps_its_log_as_long_as_it_likes(people: People) -> None:
    """What is older goes, of this house alone; months that somebody needs stay, the others go whole."""
    owner, teak, lagoon = people.connection, people.world.teak, people.world.lagoon
    for months in (13, 30, 110, 130):
        for house in (teak, lagoon):
            _enter(owner, house, months)
    people.as_admin().execute("update public.organizations set audit_months = 24 where id = %s", [teak.id])
    people.as_foreign_admin().execute(
        "update public.organizations set audit_months = 120 where id = %s", [lagoon.id]
    )
    noted = _prune(owner)
    assert _left(owner, teak) == [13]
    assert _left(owner, lagoon) == [13, 30, 110]
    assert noted[f"audit-log {teak.id}"] == {"pruned": 3, "more": False}
    assert noted[f"audit-log {lagoon.id}"] == {"pruned": 1, "more": False}
    assert noted["audit-partitions None"] == 1


@pytest.mark.parametrize("months", [0, 11, 241, None])
def test_the_bounds(people: People, months: int | None) -> None:
    """A year at least, so that nobody wipes away what he did; twenty at most."""
    with raises_sqlstate("23514", "23502"):
        people.as_admin().execute(
            "update public.organizations set audit_months = %s where id = %s", [months, people.world.teak.id]
        )


def test_who_may_set_it(people: People) -> None:
    """Whoever holds org.manage; and that he did stays in the log."""
    statement = "update public.organizations set audit_months = 12 where id = %s"
    for person in (people.as_cashier(), people.as_stockkeeper(), people.as_foreign_admin()):
        assert person.execute(statement, [people.world.teak.id]) == 0
    assert people.as_admin().execute(statement, [people.world.teak.id]) == 1
    rows = people.as_admin().select(
        "select before ->> 'audit_months' as before, after ->> 'audit_months' as after from public.audit_log "
        "where table_name = 'organizations' and at = now() order by id desc limit 1"
    )
    assert rows == [{"before": "96", "after": "12"}]


def test_nobody_removes_what_is_kept(people: People) -> None:
    """Not even the owner of the tables: what is younger than a year, or younger than the house keeps it."""
    owner, teak = people.connection, people.world.teak
    for months in (5, 30):
        _enter(owner, teak, months)
        with raises("append_only", 403), owner.transaction():
            owner.execute("delete from audit.log where table_name = 'old' and row_id = %s", [str(months)])
    assert _left(owner, teak) == [5, 30]
