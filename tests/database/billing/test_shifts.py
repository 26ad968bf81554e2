"""Till shifts: what should be in the till, what was, and whose it is."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing import offers
from tests.database.billing.money import credit, record
from tests.database.sales import line, pay, sell
from tests.support.personas import Connection, Persona, new_id, raises, raises_sqlstate
from tests.support.world import People

Json = dict[str, Any]


def _open(person: Persona, people: People, amount: object = 100, act: UUID | None = None) -> Json:
    answer: Json = person.rpc(
        "open_shift", p_id=act or new_id(), p_branch_id=people.world.blr.id, p_opening_float=amount
    )
    return answer


def _close(person: Persona, shift: object, act: UUID | None = None, **counted: object) -> Json:
    answer: Json = person.rpc("close_shift", p_id=act or new_id(), p_shift_id=shift, p_counted=counted)
    return answer


def _move(person: Persona, shift: object, kind: str, amount: object, reason: object = "To the bank") -> Json:
    answer: Json = person.rpc(
        "move_cash", p_id=new_id(), p_shift_id=shift, p_kind=kind, p_amount=amount, p_reason=reason
    )
    return answer


def _sell(person: Persona, people: People, *payments: dict[str, object], **options: object) -> Json:
    return sell(
        person,
        people.world.blr,
        line(people.world.teak.variants["assembly"]),
        payments=list(payments),
        **options,  # type: ignore[arg-type]
    )


def test_a_day_at_the_till(people: People) -> None:
    """Float, a sale with change, a card, an advance, cash to the bank; 10 are missing in the end."""
    cashier = people.as_cashier()
    shift = _open(cashier, people, 200)["id"]
    _sell(cashier, people, pay(600))
    _sell(cashier, people, pay(500, "card"), pay(100))
    record(
        cashier,
        people.world.teak.customers["trusted"],
        50,
        p_options={"branch_id": people.world.blr.id, "hold": True},
    )
    _move(cashier, shift, "cash_out", 300)
    so_far = _move(cashier, shift, "cash_in", 20, "Change from the safe")
    expected = {row["method"]: row["expected"] for row in so_far["takings"]}
    assert expected == {"cash": 200 + 590 + 90 + 50 - 300 + 20, "card": 500}
    assert so_far["takings"][0]["counted"] is None

    closed = _close(cashier, shift, cash=640, card=500)
    assert closed["status"] == "closed"
    assert closed["takings"] == [
        {"method": "card", "expected": 500, "counted": 500, "difference": 0},
        {"method": "cash", "expected": 650, "counted": 640, "difference": -10},
    ]
    assert closed["difference"] == -10
    assert closed["payments"] == {
        "cash": {"count": 3, "amount": 730},
        "card": {"count": 1, "amount": 500},
    }
    assert [(m["kind"], m["amount"]) for m in closed["cash_movements"]] in (
        [("cash_out", 300), ("cash_in", 20)],
        [("cash_in", 20), ("cash_out", 300)],
    )
    assert cashier.rpc("shift_report", p_shift_id=shift) == closed


def test_points_are_in_no_till(people: People) -> None:
    """They pay, and are shown among the payments; nobody counts them, and none is missing."""
    cashier, customer = people.as_cashier(), people.world.teak.customers["trusted"]
    offers.program(people, 0)
    offers.adjust_points(people, customer, 400)
    shift = _open(cashier, people, 100)["id"]
    sale = _sell(cashier, people, pay(150, "points"), pay(440), customer=customer)
    with raises("invalid_input", 400) as refusal:
        _close(cashier, shift, cash=540, points=150)
    assert (refusal.facts["field"], refusal.facts["method"]) == ("p_counted", "points")
    # The points that come back leave no till either.
    credit(people.as_sales(), sale["id"])
    closed = _close(cashier, shift, cash=540)
    assert closed["takings"] == [{"method": "cash", "expected": 540, "counted": 540, "difference": 0}]
    assert closed["difference"] == 0
    assert closed["payments"]["points"] == {"count": 1, "amount": 150}


def test_refund_leaves_the_till_of_who_pays_it(people: People) -> None:
    """The admin pays it out of his own till; the cashier's expects what it did."""
    cashier, admin = people.as_cashier(), people.as_admin()
    shift, own = _open(cashier, people, 0)["id"], _open(admin, people, 1000)["id"]
    sale = _sell(cashier, people, pay(590))
    admin.rpc(
        "issue_credit_note",
        p_id=new_id(),
        p_invoice_id=sale["id"],
        p_lines=None,
        p_reason="Not done",
        p_options={"refund": {"method": "cash"}},
    )
    assert _close(cashier, shift, cash=590)["difference"] == 0
    closed = _close(admin, own, cash=410)
    assert (closed["difference"], closed["refunds"]) == (0, {"cash": {"count": 1, "amount": 590}})


def test_only_one_s_own_takings_count(people: People) -> None:
    """Another user's sale at the same branch, one's own at another branch, and one before the shift."""
    admin, cashier = people.as_admin(), people.as_cashier()
    _sell(cashier, people, pay(590))
    shift = _open(cashier, people, 0)["id"]
    _sell(admin, people, pay(590))
    assert _close(cashier, shift)["takings"] == [
        {"method": "cash", "expected": 0, "counted": 0, "difference": 0}
    ]
    mine = _open(admin, people, 0)["id"]
    sell(admin, people.world.mum, line(people.world.teak.variants["assembly"]), payments=[pay(590)])
    assert _close(admin, mine)["difference"] == 0


def test_backdated_payment_is_in_the_till_now(people: People) -> None:
    """What counts for another day was taken today all the same."""
    admin = people.as_admin()
    shift = _open(admin, people, 0)["id"]
    _sell(admin, people, pay(590), occurred_at=f"{date(2025, 6, 10)}T06:30:00Z")
    assert _close(admin, shift, cash=590)["difference"] == 0


def test_payment_taken_by_mistake(people: People) -> None:
    """Reversed before the count, it is not expected; reversed after it, the count stays as it was."""
    admin = people.as_admin()
    shift = _open(admin, people, 0)["id"]
    first, second = (_sell(admin, people, pay(590, "cheque"))["payments"][0]["id"] for _ in range(2))
    admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=first, p_reason="Entered twice")
    closed = _close(admin, shift, cheque=590)
    assert closed["difference"] == 0
    admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=second, p_reason="Bounced")
    assert admin.rpc("shift_report", p_shift_id=shift)["takings"] == closed["takings"]


def test_repeated_calls(people: People) -> None:
    """The same call again is answered the same; other content is refused."""
    cashier, opened, closing = people.as_cashier(), new_id(), new_id()
    first = _open(cashier, people, 10, opened)
    assert _open(cashier, people, 10, opened) == first
    with raises("id_reused", 409):
        _open(cashier, people, 11, opened)
    with raises("shift_open", 409) as refusal:
        _open(cashier, people)
    assert refusal.facts["shift_id"] == str(opened)
    closed = _close(cashier, opened, closing, cash=10)
    assert _close(cashier, opened, closing, cash=10) == closed
    with raises("id_reused", 409):
        _close(cashier, opened, closing, cash=11)
    with raises("invalid_transition", 409):
        _close(cashier, opened, cash=10)
    with raises("invalid_transition", 409):
        _move(cashier, opened, "cash_in", 1)
    assert _open(cashier, people)["status"] == "open"


def test_whose_till(people: People) -> None:
    """A cashier's is not the other cashier's; who reads reports closes what was left open."""
    cashier = people.as_cashier()
    shift = _open(cashier, people)["id"]
    other = people.as_cashier(people.world.mum)
    technician = people.as_technician()
    for act in (
        lambda person: _close(person, shift, cash=100),
        lambda person: _move(person, shift, "cash_out", 1),
        lambda person: person.rpc("shift_report", p_shift_id=shift),
    ):
        for stranger in (other, people.as_foreign_admin(), people.as_nobody()):
            with raises("not_found", 404):
                act(stranger)
        with raises("permission_denied", 403):
            act(technician)
    left = people.world.teak.documents["shift@BLR"]
    with raises("permission_denied", 403):
        _close(cashier, left, cash=5)
    assert cashier.select("select 1 from public.till_shifts where id = %s", [left]) == []
    assert len(cashier.select("select 1 from public.till_shifts where id = %s", [shift])) == 1
    assert _close(people.as_sales(), left, cash=5)["difference"] == 0


@pytest.mark.parametrize("amount", [None, -1, Decimal("0.001"), Decimal("NaN"), Decimal("1e12")])
def test_malformed_float(people: People, amount: object) -> None:
    with raises("invalid_input", 400):
        _open(people.as_cashier(), people, amount)


@pytest.mark.parametrize(
    "counted",
    [None, [], "x", {"shells": 1}, {"cash": -1}, {"cash": "1"}, {"cash": Decimal("0.001")}, {"cash": None}],
)
def test_malformed_count(people: People, counted: object) -> None:
    cashier = people.as_cashier()
    shift = _open(cashier, people)["id"]
    with raises("invalid_input", 400):
        cashier.rpc("close_shift", p_id=new_id(), p_shift_id=shift, p_counted=counted)


@pytest.mark.parametrize(
    ("kind", "amount", "reason"),
    [
        ("steal", 1, "x"),
        ("cash_in", 0, "x"),
        ("cash_out", 1, " "),
        ("cash_in", None, "x"),
        ("cash_in", 1, None),
    ],
)
def test_malformed_cash(people: People, kind: str, amount: object, reason: object) -> None:
    cashier = people.as_cashier()
    shift = _open(cashier, people)["id"]
    with raises("invalid_input", 400):
        _move(cashier, shift, kind, amount, reason)


def test_a_count_is_final(people: People, owner: Connection) -> None:
    """Nobody changes a closed shift or cash that was moved, the owner included."""
    cashier = people.as_cashier()
    shift = _open(cashier, people)["id"]
    _move(cashier, shift, "cash_in", 1)
    _close(cashier, shift, cash=101)
    for statement in (
        "update public.till_shifts set note = 'x' where org_id = %s and id = %s",
        "update public.till_shifts set takings = '[]' where org_id = %s and id = %s",
        "update public.till_cash_movements set amount = 2 where org_id = %s and shift_id = %s",
    ):
        with raises_sqlstate("403"), owner.transaction():
            owner.execute(
                statement.encode(),
                [people.world.teak.id, shift],
            )
    with raises_sqlstate("403", "409"), owner.transaction():
        owner.execute("delete from public.till_shifts where id = %s", [shift])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opening=st.integers(0, 500),
    acts=st.lists(
        st.tuples(st.sampled_from(["cash", "card", "upi", "cash_in", "cash_out"]), st.integers(1, 900)),
        max_size=8,
    ),
    counted=st.dictionaries(st.sampled_from(["cash", "card", "upi", "wallet"]), st.integers(0, 2000)),
)
def test_any_shift_adds_up(
    people: People, opening: int, acts: list[tuple[str, int]], counted: dict[str, int]
) -> None:
    """Expected is what came less what went, by method; the difference is counted less expected."""
    with people.connection.transaction(force_rollback=True):
        cashier = people.as_cashier()
        shift = _open(cashier, people, opening)["id"]
        model = {"cash": opening}
        for what, amount in acts:
            if what in ("cash_in", "cash_out"):
                _move(cashier, shift, what, amount)
                model["cash"] += amount if what == "cash_in" else -amount
            else:
                record(
                    cashier,
                    people.world.teak.customers["trusted"],
                    amount,
                    p_method=what,
                    p_options={"branch_id": people.world.blr.id, "hold": True},
                )
                model[what] = model.get(what, 0) + amount
        closed = _close(cashier, shift, None, **counted)
        assert {
            row["method"]: (row["expected"], row["counted"], row["difference"]) for row in closed["takings"]
        } == {
            method: (
                model.get(method, 0),
                counted.get(method, 0),
                counted.get(method, 0) - model.get(method, 0),
            )
            for method in model.keys() | counted.keys()
        }
        assert closed["difference"] == sum(counted.values()) - sum(model.values())
