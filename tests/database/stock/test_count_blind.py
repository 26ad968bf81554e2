"""Blind counts: who counts does not see what is expected, by no way; who approves does."""

from typing import Any
from uuid import UUID

import pytest

from tests.database.stock.counting import Count, enter, figures, post, start, submit, void
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People

FIGURES = {
    "expected",
    "expected_at_count",
    "variance",
    "missing",
    "found",
    "moved",
    "unit_cost",
    "worth",
    "posted",
}


@pytest.fixture
def sofa(people: People) -> UUID:
    """Nine untracked pieces in the Bengaluru showroom, worth 40 each."""
    return people.world.teak.variants["sofa"]


def counters(people: People) -> tuple[Persona, ...]:
    """Everybody of the branch who lacks count.approve."""
    return (people.as_cashier(), people.as_sales(), people.as_stockkeeper(), people.as_technician())


def reveals(answer: Any) -> bool:
    """Whether a figure of the book stands anywhere in an answer."""
    if isinstance(answer, dict):
        return any((k in FIGURES | {"book"} and v is not None) or reveals(v) for k, v in answer.items())
    return isinstance(answer, list) and any(map(reveals, answer))


def rows(person: Persona, count: UUID) -> list[dict[str, Any]]:
    """What a person reads of a count's figures by table."""
    return person.select("select * from public.stock_count_figures where count_id = %s", [count])


def assert_hidden(people: People, count: UUID) -> None:
    """No counter sees a figure; the administrator sees all of them."""
    for person in counters(people):
        seen: Count = person.rpc("get_count", p_id=count)
        assert seen["figures_shown"] is False
        assert [entry["figures"] for entry in seen["lines"]] == [None] * len(seen["lines"])
        assert (seen["totals"]["differences"], seen["totals"]["worth"]) == (None, None)
        assert not reveals(seen)
        assert rows(person, count) == []
        assert person.select("select from public.stock_count_lines where count_id = %s", [count])
    shown: Count = people.as_admin().rpc("get_count", p_id=count)
    assert shown["figures_shown"] is True
    assert all(set(entry["figures"]) == FIGURES for entry in shown["lines"])
    assert len(rows(people.as_admin(), count)) == len(shown["lines"])


def test_a_count_is_blind_unless_said_otherwise(people: People, sofa: UUID) -> None:
    """The default hides; an open count shows its figures to everybody who reads stock."""
    assert_hidden(people, start(people, sofa))
    lamp = start(people, people.world.teak.variants["lamp"], blind=False)
    for person in counters(people):
        (entry,) = person.rpc("get_count", p_id=lamp)["lines"]
        assert entry["figures"]["expected"] == 10
        assert len(rows(person, lamp)) == 1


def test_it_stays_hidden_until_it_is_posted(people: People, sofa: UUID) -> None:
    """Through every status and every answer on the way, finds included; then everybody sees it."""
    phone, paint = people.world.teak.variants["phone"], people.world.teak.variants["paint"]
    count = start(people, sofa, phone, paint)
    cashier, keeper = people.as_cashier(), people.as_stockkeeper()
    entry = enter(cashier, count, sofa, 7)
    enter(cashier, count, people.world.teak.variants["lamp"], 11)
    answer = cashier.rpc(
        "record_count",
        p_id=new_id(),
        p_count_id=count,
        p_lines=[
            {"variant_id": phone, "quantity": 2, "serials": ["BLR-1", "NEW-1"]},
            {"variant_id": paint, "quantity": 1, "batch": "BLR-NEW"},
        ],
    )
    assert not reveals(answer)
    assert_hidden(people, count)
    assert not reveals(void(cashier, entry))
    enter(cashier, count, sofa, 8)
    assert not reveals(submit(people, count, uncounted="zero"))
    assert_hidden(people, count)
    assert not reveals(keeper.rpc("recount", p_id=new_id(), p_count_id=count, p_variant_ids=[sofa]))
    enter(cashier, count, sofa, 8)
    submit(people, count, uncounted="skip")
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    assert_hidden(people, count)
    people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    for person in counters(people):
        seen = person.rpc("get_count", p_id=count)
        assert seen["figures_shown"] is True
        assert seen["totals"]["differences"] is not None
        assert len(rows(person, count)) == len(seen["lines"])


def test_a_cancelled_blind_count_stays_hidden(people: People, sofa: UUID) -> None:
    """Else cancelling would be the way to look before counting anew."""
    count = start(people, sofa)
    assert not reveals(people.as_stockkeeper().rpc("cancel_count", p_id=new_id(), p_count_id=count))
    assert_hidden(people, count)


def test_the_book_of_an_entry_is_nobodys_to_read(people: People, sofa: UUID) -> None:
    """The entries are everybody's, what the book said is in a table that no client reaches."""
    count = start(people, sofa)
    enter(people.as_cashier(), count, sofa, 7)
    for person in (*counters(people), people.as_admin()):
        (entry,) = person.select("select * from public.stock_count_entries where count_id = %s", [count])
        assert not reveals(entry)
        with raises_sqlstate("42501"):
            person.select("select * from private.stock_count_books")


def test_the_audit_log_does_not_tell_either(people: People, sofa: UUID) -> None:
    """A role that reads the log and does not approve finds no figure in it."""
    people.as_admin().rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_key="auditor",
        p_name="Auditor",
        p_permissions=["audit.read", "stock.read", "count.record"],
    )
    auditor = people.as_user(people.world.teak.users["technician"])
    people.as_admin().rpc(
        "set_member_role",
        p_org_id=people.world.teak.id,
        p_user_id=auditor.user_id,
        p_role="auditor",
        p_branch_ids=[people.world.blr.id],
    )
    count = start(people, sofa)
    enter(auditor, count, sofa, 7)
    submit(people, count)
    log = auditor.select(
        "select before, after from public.audit_log where after ->> 'count_id' = %(count)s "
        "or after ->> 'id' = %(count)s",
        {"count": str(count)},  # type: ignore[arg-type]
    )
    assert log
    assert not any(reveals(row) for row in log)
    assert figures(people, count)["SOFA"]["variance"] == -2


def test_other_branches_see_neither_lines_nor_figures(people: People, sofa: UUID) -> None:
    """Shown to the branch is not shown to the business."""
    count = start(people, sofa, blind=False)
    enter(people.as_cashier(), count, sofa, 9)
    post(people, count)
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        assert rows(person, count) == []
    for table in ("stock_counts", "stock_count_lines", "stock_count_figures", "stock_count_entries"):
        with raises_sqlstate("42501"):
            people.as_anon().select(f"select * from public.{table}")  # noqa: S608


def helper(people: People, *permissions: str) -> Persona:
    """Somebody of Bengaluru whose role holds just these permissions."""
    people.as_admin().rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_key="helper",
        p_name="Helper",
        p_permissions=list(permissions),
    )
    person, invitation = people.newcomer(), new_id()
    people.as_admin().rpc(
        "invite_member",
        p_id=invitation,
        p_org_id=people.world.teak.id,
        p_email=person.email,
        p_role="helper",
        p_branch_ids=[people.world.blr.id],
    )
    person.rpc("accept_invitation", p_id=invitation)
    return person


def test_who_only_counts_has_the_sheet_and_no_figure_of_the_stock(people: People, sofa: UUID) -> None:
    """Blind to the end: no level, no movement, and neither an open count nor a posted one tells him."""
    person = helper(people, "count.record", "catalogue.read")
    count, shown = start(people, sofa), start(people, people.world.teak.variants["lamp"], blind=False)
    for sheet in (count, shown):
        seen: Count = person.rpc("get_count", p_id=sheet)
        assert [entry["counted"] for entry in seen["lines"]] == [None]
        assert (seen["figures_shown"], reveals(seen)) == (False, False)
        assert rows(person, sheet) == []
        assert person.select("select from public.stock_count_lines where count_id = %s", [sheet])
    entry = enter(person, count, sofa, 8)
    assert person.select("select from public.stock_count_entries where id = %s", [entry])
    void(person, entry)
    enter(person, count, sofa, 9)
    post(people, count)
    assert not reveals(person.rpc("get_count", p_id=count))
    for table in ("stock_levels", "stock_movements", "stock_adjustments", "batch_levels", "stock_units"):
        assert person.select(f"select from public.{table}") == []
    with raises("not_found", 404):
        person.rpc("availability", p_org_id=people.world.teak.id, p_variant_ids=[sofa])


def test_without_either_permission_there_is_no_sheet(people: People, sofa: UUID) -> None:
    """A member of the branch who neither counts nor reads stock."""
    person, count = helper(people, "catalogue.read"), start(people, sofa)
    with raises("permission_denied", 403):
        person.rpc("get_count", p_id=count)
    assert person.select("select from public.stock_counts") == []
    assert person.select("select from public.stock_count_lines") == []
