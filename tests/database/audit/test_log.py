"""The audit log: who did what, before and after; read by those who may."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from dataclasses import replace

import pytest

from tests.database.sales import line, sell
from tests.support.personas import raises_sqlstate
from tests.support.world import People


def test_a_change_is_logged_before_and_after(people: People) -> None:
    """One row per changed row, under the person who changed it."""
    sofa = people.world.teak.variants["sofa"]
    people.as_stockkeeper().execute("update public.product_variants set price = 1100 where id = %s", [sofa])
    entry = people.as_admin().select(
        "select * from public.audit_log where row_id = %s order by id desc limit 1", [str(sofa)]
    )[0]
    assert (entry["action"], entry["table_name"]) == ("update", "product_variants")
    assert entry["actor_id"] == people.as_stockkeeper().user_id
    assert (entry["before"]["price"], entry["after"]["price"]) == (1000, 1100)
    assert entry["org_id"] == people.world.teak.id


def test_a_change_of_nothing_is_not_logged(people: People) -> None:
    """Saving the same values again leaves no row."""
    sofa = people.world.teak.variants["sofa"]
    before = people.as_admin().select("select count(*) as n from public.audit_log")
    people.as_stockkeeper().execute("update public.product_variants set price = price where id = %s", [sofa])
    people.as_stockkeeper().execute("update public.product_variants set price = 5 where sku = 'no such'")
    assert people.as_admin().select("select count(*) as n from public.audit_log") == before


def test_many_rows_in_one_statement_are_logged_one_by_one(people: People) -> None:
    """Before and after belong together, row by row."""
    changed = people.as_stockkeeper().execute("update public.product_variants set price = price + 1")
    rows = people.as_admin().select(
        "select before, after from public.audit_log where action = 'update' and table_name = "
        "'product_variants' and at = now()"
    )
    assert len(rows) == changed == len(people.world.teak.variants)
    for row in rows:
        assert row["before"]["id"] == row["after"]["id"]
        assert row["after"]["price"] == row["before"]["price"] + 1


def test_deletions_are_logged(people: People) -> None:
    """Where rows can go, as a branch of a membership can, the log keeps them."""
    cashier = people.as_cashier()
    people.as_admin().rpc(
        "set_member_role",
        p_org_id=people.world.teak.id,
        p_user_id=cashier.user_id,
        p_role="cashier",
        p_branch_ids=[people.world.mum.id],
    )
    rows = people.as_admin().select(
        "select action, before, after from public.audit_log where table_name = 'membership_branches' "
        "and row_id like %s and at = now() order by action",
        [f"{cashier.user_id}/%"],
    )
    assert [r["action"] for r in rows] == ["delete", "insert"]
    assert rows[0]["before"]["branch_id"] == str(people.world.blr.id)
    assert rows[0]["after"] is None


def test_a_refused_act_leaves_no_trace(people: People) -> None:
    """The log is part of the act's transaction."""
    before = people.as_admin().select("select count(*) as n from public.audit_log")
    with raises_sqlstate("23514"):
        people.as_stockkeeper().execute("update public.product_variants set price = -1")
    assert people.as_admin().select("select count(*) as n from public.audit_log") == before


@pytest.mark.parametrize("role", ["cashier", "sales_executive", "inventory_manager", "technician"])
def test_only_admins_read_it(people: People, role: str) -> None:
    """Others of the house, strangers and the signed-in nobody see not one row."""
    sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["sofa"]))
    assert people.as_role(role).select("select 1 from public.audit_log limit 1") == []
    assert people.as_nobody().select("select 1 from public.audit_log limit 1") == []
    orgs = people.as_admin().select("select distinct org_id from public.audit_log")
    assert orgs == [{"org_id": people.world.teak.id}]
    with raises_sqlstate("42501"):
        people.as_anon().select("select 1 from public.audit_log")


def test_the_view_and_the_table_say_the_same(people: People) -> None:
    """The view gives no more than the policy of the table beneath."""
    for person in (people.as_admin(), people.as_foreign_admin(), people.as_cashier()):
        seen = person.select("select count(*) as n from public.audit_log")
        assert seen == person.select("select count(*) as n from audit.log")


def test_partitions_are_not_a_back_door(people: People) -> None:
    """A partition has no grants of its own."""
    rows = people.connection.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'audit.log'::regclass"
    )
    for (partition,) in rows.fetchall():
        for person in (people.as_admin(), people.as_anon(), people.as_service()):
            with raises_sqlstate("42501"):
                person.select(f"select 1 from {partition}")


def test_partitions_are_ready_for_months_ahead(people: People) -> None:
    """Rows of this month and of next year have a partition of their own; adding them again adds none."""
    for ahead in ("0 months", "12 months"):
        row = people.connection.execute(
            "select to_regclass('audit.log_' || to_char(now() + %s::interval, 'YYYY_MM')) is not null",
            [ahead],
        ).fetchone()
        assert row == (True,)
    again = people.connection.execute("select private.add_all_partitions()").fetchone()
    assert again is not None
    assert set(again[0].values()) == {0}


def test_the_request_id_is_kept_short(people: People) -> None:
    """An over-long header cannot bloat the log, and none is no error."""
    wordy = replace(people.as_admin(), request_id="x" * 500)
    wordy.rpc("close_period", p_org_id=people.world.teak.id, p_through="2020-01-01")
    people.as_admin().rpc("reopen_period", p_org_id=people.world.teak.id, p_through=None)
    rows = people.as_admin().select(
        "select length(request_id) as n from public.audit_log where table_name = 'organizations' and at = "
        "now() order by id"
    )
    assert [r["n"] for r in rows] == [128, None]
