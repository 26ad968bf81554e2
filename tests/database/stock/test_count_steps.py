"""Counts: what each step asks and refuses, and who takes it."""

from typing import Any
from uuid import UUID

import pytest

from tests.database.sales import line, on_hand, sell
from tests.database.stock.counting import enter, look, post, start, submit, trace, void
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People


@pytest.fixture
def sofa(people: People) -> UUID:
    """Nine untracked pieces in the Bengaluru showroom, worth 40 each."""
    return people.world.teak.variants["sofa"]


def test_what_was_sold_since_cannot_be_written_off(people: People, sofa: UUID) -> None:
    """Counted 2 of 9, then 5 sold: 7 cannot go out of 4; nothing is written, and a recount is the way on."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 2)
    sell(people.as_cashier(), people.world.blr, line(sofa, 5))
    submit(people, count)
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    before = trace(people.connection)
    with raises("insufficient_stock", 409) as refusal:
        people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    assert refusal.facts["shortages"][0]["available"] == 4
    assert trace(people.connection) == before
    again = people.as_stockkeeper().rpc("recount", p_id=new_id(), p_count_id=count)
    assert (again["status"], again["approved_at"], again["approved_by"]) == ("counting", None, None)
    enter(people.as_cashier(), count, sofa, 2)
    post(people, count)
    assert on_hand(people.connection, people.world.blr.showroom, sofa) == 2


def test_reserved_pieces_are_not_written_off(people: People, sofa: UUID) -> None:
    """What is promised to somebody stays: available decides, not on hand."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 2)
    people.connection.execute(
        "update public.stock_levels set reserved = 5 where location_id = %s and variant_id = %s",
        [people.world.blr.showroom, sofa],
    )
    with raises("insufficient_stock", 409):
        post(people, count)


def test_the_steps_come_in_order(people: People, sofa: UUID) -> None:
    """What the lifecycle lacks is refused, and changes nothing."""
    admin = people.as_admin()

    def refused(count: UUID, *acts: str) -> None:
        before = trace(people.connection)
        for act in acts:
            with raises("invalid_transition", 409):
                admin.rpc(act, p_id=new_id(), p_count_id=count)
        assert trace(people.connection) == before

    count = start(people, sofa)
    entry = enter(people.as_cashier(), count, sofa, 9)
    refused(count, "approve_count", "post_count", "recount")
    admin.rpc("submit_count", p_id=new_id(), p_count_id=count)
    refused(count, "submit_count", "post_count")
    for act in (enter, void):
        with raises("count_closed", 409) as refusal:
            act(*(admin, count, sofa, 1) if act is enter else (admin, entry))
        assert refusal.facts["status"] == "submitted"
    admin.rpc("approve_count", p_id=new_id(), p_count_id=count)
    refused(count, "submit_count", "approve_count")
    admin.rpc("post_count", p_id=new_id(), p_count_id=count)
    refused(count, "submit_count", "approve_count", "post_count", "recount", "cancel_count")
    for variants in ((), (sofa,)):
        gone = start(people, *variants)
        admin.rpc("cancel_count", p_id=new_id(), p_count_id=gone)
        refused(gone, "submit_count", "approve_count", "post_count", "recount", "cancel_count")


def test_a_finished_count_stays_as_it_is(people: People, sofa: UUID) -> None:
    """Posted or cancelled: not even the owner edits it; entries are never edited at all."""
    posted, cancelled = start(people, sofa), start(people, location=people.world.blr.warehouse)
    entry = enter(people.as_cashier(), posted, sofa, 9)
    with raises("append_only", 403), people.connection.transaction():
        people.connection.execute("update public.stock_count_entries set quantity = 1 where id = %s", [entry])
    with raises("append_only", 403), people.connection.transaction():
        people.connection.execute("update private.stock_count_books set book = 1")
    post(people, posted)
    people.as_stockkeeper().rpc("cancel_count", p_id=new_id(), p_count_id=cancelled)
    for statement in (
        "update public.stock_counts set note = 'x' where id = %s",
        "update public.stock_counts set posted_at = now() where id = %s",
        "update public.stock_counts set status = 'counting' where id = %s",
        "update public.stock_count_lines set counted = 1 where count_id = %s",
        "update public.stock_count_figures set variance = 1 where count_id = %s",
        "update public.stock_count_entries set voided_at = now(), voided_by = id where count_id = %s",
        "delete from public.stock_count_lines where count_id = %s",
        "delete from public.stock_counts where id = %s",
    ):
        with raises("document_final", 409), people.connection.transaction():
            people.connection.execute(statement, [posted])
    with raises("document_final", 409), people.connection.transaction():
        people.connection.execute(
            "update public.stock_counts set cancelled_at = now() where id = %s", [cancelled]
        )
    for table in ("stock_counts", "stock_count_lines", "stock_count_figures", "stock_count_entries"):
        with raises("append_only", 403), people.connection.transaction():
            people.connection.execute(f"truncate public.{table} cascade")


def test_the_books_must_be_open(people: People, sofa: UUID) -> None:
    """A posting has the branch's date of today."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 8)
    submit(people, count)
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    people.connection.execute(
        "update public.organizations set books_closed_through = current_date + 2 where id = %s",
        [people.world.teak.id],
    )
    before = trace(people.connection)
    with raises("period_closed", 409):
        people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    assert trace(people.connection) == before


def test_every_act_again_is_the_same_act(people: People, sofa: UUID) -> None:
    """The same id and content: the same answer, nothing written; other content: 409."""
    admin, count, entered = people.as_admin(), new_id(), new_id()
    lines = [{"variant_id": sofa, "quantity": 8}]
    acts: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (
            "start_count",
            {"p_id": count, "p_location_id": people.world.blr.showroom, "p_kind": "full"},
            {"p_location_id": people.world.blr.warehouse},
        ),
        ("record_count", {"p_id": entered, "p_count_id": count, "p_lines": lines}, {"p_lines": lines * 2}),
        (
            "submit_count",
            {"p_id": new_id(), "p_count_id": count, "p_options": {"uncounted": "skip"}},
            {"p_options": {"uncounted": "zero"}},
        ),
        (
            "recount",
            {"p_id": new_id(), "p_count_id": count, "p_variant_ids": [sofa]},
            {"p_variant_ids": None},
        ),
        ("record_count", {"p_id": new_id(), "p_count_id": count, "p_lines": lines}, {"p_lines": lines * 2}),
        ("submit_count", {"p_id": new_id(), "p_count_id": count, "p_options": {"uncounted": "skip"}}, {}),
        ("approve_count", {"p_id": new_id(), "p_count_id": count}, {}),
        ("post_count", {"p_id": new_id(), "p_count_id": count}, {}),
    ]
    for act, arguments, changed in acts:
        first = admin.rpc(act, **arguments)
        before = trace(people.connection)
        assert admin.rpc(act, **arguments) == first
        if changed:
            with raises("id_reused", 409):
                admin.rpc(act, **(arguments | changed))
        with raises("invalid_input", 400):
            admin.rpc(act, **(arguments | {"p_id": None}))
        assert trace(people.connection) == before
    assert on_hand(people.connection, people.world.blr.showroom, sofa) == 8


def test_counts_are_a_branchs_own(people: People, sofa: UUID) -> None:
    """Other branches and businesses find nothing; shared locations are no shelves."""
    count = start(people, sofa)
    entry = enter(people.as_cashier(), count, sofa, 9)
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        for act, arguments in (
            ("get_count", {"p_id": count}),
            ("record_count", {"p_id": new_id(), "p_count_id": count, "p_lines": []}),
            ("void_count_entry", {"p_id": new_id(), "p_entry_id": entry}),
            ("post_count", {"p_id": new_id(), "p_count_id": count}),
        ):
            with raises("not_found", 404):
                person.rpc(act, **arguments)
        assert person.select("select from public.stock_count_lines where count_id = %s", [count]) == []
    with raises_sqlstate("42501"):
        people.as_anon().rpc("get_count", p_id=count)
    for row in people.as_admin().select(
        "select id from public.locations where branch_id is null and org_id = %s", [people.world.teak.id]
    ):
        with raises("not_found", 404):
            start(people, location=row["id"])


def test_a_count_is_audited_and_announced(people: People, sofa: UUID) -> None:
    """Every step with who took it, and an event for each."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 8)
    post(people, count)
    log = people.as_admin().select(
        "select actor_id, after ->> 'status' as status from public.audit_log "
        "where table_name = 'stock_counts' and row_id = %s order by id",
        [str(count)],
    )
    keeper, admin = people.as_stockkeeper().user_id, people.as_admin().user_id
    assert [(row["status"], row["actor_id"]) for row in log] == [
        ("counting", keeper),
        ("submitted", keeper),
        ("approved", admin),
        ("posted", admin),
    ]
    events = people.connection.execute(
        "select event from private.outbox where payload ->> 'count_id' = %s order by id", [str(count)]
    ).fetchall()
    assert [row[0] for row in events] == [
        "count.started",
        "count.submitted",
        "count.approved",
        "count.posted",
    ]
    assert look(people, count)["business_date"] is not None
