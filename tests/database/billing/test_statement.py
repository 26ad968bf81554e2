"""A customer's account: what the statement adds up to, how old a debt is, and who is shown what."""

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing import credit as instalments
from tests.database.billing import offers, trading
from tests.database.billing.money import credit, held, record
from tests.database.sales import Invoice, line, pay, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import Branch, People

Json = dict[str, Any]
TODAY = datetime.now(UTC).date() + timedelta(days=1)


def _at(day: date) -> str:
    """The first moment of a day in Bengaluru and Mumbai, over by now also when the day is today."""
    return f"{day}T00:00:00+05:30"


def _customer(people: People) -> UUID:
    made = new_id()
    people.as_admin().execute(
        "insert into public.customers (id, org_id, name) values (%s, %s, 'Asha')",
        [made, people.world.teak.id],
    )
    people.as_admin().rpc("set_credit_limit", p_customer_id=made, p_credit_limit=1_000_000)
    return made


def _buy(
    people: People,
    customer: UUID,
    day: date,
    price: object = 100,
    paid: object = 0,
    branch: Branch | None = None,
) -> Invoice:
    """An assembly at a price plus 18 %."""
    return sell(
        people.as_admin(),
        branch or people.world.blr,
        line(people.world.teak.variants["assembly"], unit_price=price),
        payments=[pay(paid)] if paid else [],
        customer=customer,
        occurred_at=_at(day),
    )


def _pay(people: People, customer: UUID, day: date, amount: object, branch: Branch | None = None) -> Json:
    return record(
        people.as_admin(),
        customer,
        amount,
        p_options={"occurred_at": _at(day), "branch_id": (branch or people.world.blr).id},
    )


def _statement(people: People, customer: UUID, first: date, last: date) -> Json:
    answer: Json = people.as_admin().rpc("statement", p_customer_id=customer, p_from=first, p_to=last)
    return answer


DAY = date(2025, 6, 10)


def test_a_year_told_line_by_line(people: People) -> None:
    """Opening, documents in order with a running balance, closing; what is open and how old it is."""
    customer = _customer(people)
    _buy(people, customer, DAY - timedelta(days=200), 1000)
    invoice = _buy(people, customer, DAY, 500, paid=90)
    credit(people.as_admin(), invoice["id"], occurred_at=_at(DAY + timedelta(days=1)))
    _pay(people, customer, DAY + timedelta(days=2), 180)
    seen = _statement(people, customer, DAY, DAY + timedelta(days=30))

    assert (seen["opening"], seen["debits"], seen["credits"], seen["closing"]) == (1180, 590, 860, 910)
    lines = [(row["kind"], row["debit"], row["credit"], row["balance"]) for row in seen["lines"]]
    assert lines == [
        ("invoice", 590, 0, 1770),
        ("payment", 0, 90, 1680),
        ("credit_note", 0, 590, 1090),
        ("payment", 0, 180, 910),
    ]
    (still_open,) = seen["open_invoices"]
    assert (still_open["balance"], still_open["age"]) == (1000, "over_90")
    assert (seen["owed"], seen["unallocated"]) == (1000, 90)
    assert seen["ageing"] == {
        "current": 0,
        "days_1_30": 0,
        "days_31_60": 0,
        "days_61_90": 0,
        "over_90": 1000,
    }
    assert (seen["complete"], seen["currency"], seen["customer"]["name"]) == (True, "INR", "Asha")


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-1, "current"),
        (0, "current"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "over_90"),
    ],
)
def test_age_counts_from_the_due_date(people: People, days: int, age: str) -> None:
    """Ten days' terms: due on the tenth day after the invoice, and not late on that day itself."""
    customer = _customer(people)
    people.as_admin().rpc("set_payment_terms", p_customer_id=customer, p_days=10)
    _buy(people, customer, DAY, 100)
    seen = _statement(people, customer, DAY, DAY + timedelta(days=10 + days))
    assert seen["ageing"][age] == 118 == sum(seen["ageing"].values())


def test_bounced_cheque_and_refund(people: People) -> None:
    """The payment stays on its day, the reversal comes on its own; a refund is owed more again."""
    customer = _customer(people)
    invoice = _buy(people, customer, DAY, 100)
    bounced = _pay(people, customer, DAY, 118)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="No cover")
    _pay(people, customer, DAY, 200)
    people.as_admin().rpc(
        "refund",
        p_id=new_id(),
        p_customer_id=customer,
        p_amount=32,
        p_method="cash",
        p_options={"branch_id": people.world.blr.id},
    )
    seen = _statement(people, customer, DAY, TODAY)
    assert sorted(row["kind"] for row in seen["lines"]) == [
        "invoice",
        "payment",
        "payment",
        "refund",
        "reversal",
    ]
    (reversal,) = [row for row in seen["lines"] if row["kind"] == "reversal"]
    assert (reversal["debit"], reversal["reference"], reversal["number"]) == (
        118,
        "No cover",
        bounced["number"],
    )
    assert (seen["closing"], seen["unallocated"], seen["owed"]) == (-50, 50, 0)
    assert people.as_admin().rpc("get_invoice", p_id=invoice["id"])["status"] == "paid"


def test_voided_sale_shows_and_cancels_out(people: People) -> None:
    customer = _customer(people)
    sold = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["assembly"]),
        customer=customer,
    )
    people.as_cashier().rpc("void_sale", p_id=new_id(), p_invoice_id=sold["id"], p_reason="Wrong")
    seen = _statement(people, customer, DAY, TODAY)
    assert sorted(row["kind"] for row in seen["lines"]) == ["credit_note", "invoice", "payment", "refund"]
    assert (seen["closing"], seen["owed"], seen["unallocated"]) == (0, 0, 0)


def test_open_as_of_a_day_that_is_past(people: People) -> None:
    """Paid later, credited later: on the day itself it was still open."""
    customer = _customer(people)
    paid = _buy(people, customer, DAY, 100)
    _pay(people, customer, DAY + timedelta(days=20), 118)
    credited = _buy(people, customer, DAY + timedelta(days=2), 200)
    credit(people.as_admin(), credited["id"], occurred_at=_at(DAY + timedelta(days=30)))
    for after, still in ((0, [118]), (10, [118, 236]), (19, [118, 236]), (20, [236]), (29, [236]), (30, [])):
        seen = _statement(people, customer, DAY, DAY + timedelta(days=after))
        assert [row["balance"] for row in seen["open_invoices"]] == still
        assert seen["closing"] == sum(still)
        assert seen["unallocated"] == 0
    assert paid["status"] == "sent"


def test_each_sees_the_documents_of_his_branches(people: People) -> None:
    """A cashier of one branch is shown that branch's, and told that this is not all."""
    customer, world = _customer(people), people.world
    _buy(people, customer, DAY, 100)
    _buy(people, customer, DAY, 200, branch=world.mum)
    _pay(people, customer, DAY, 50, world.mum)
    arguments = {"p_customer_id": customer, "p_from": DAY, "p_to": TODAY}
    in_blr = people.as_cashier().rpc("statement", **arguments)
    in_mum = people.as_cashier(world.mum).rpc("statement", **arguments)
    every = people.as_admin().rpc("statement", **arguments)
    assert (in_blr["debits"], in_blr["credits"], in_blr["complete"]) == (118, 0, False)
    assert (in_mum["debits"], in_mum["credits"], in_mum["complete"]) == (236, 50, False)
    assert (every["debits"], every["credits"], every["complete"]) == (354, 50, True)
    assert in_blr["branches"] == [str(world.blr.id)]
    history = people.as_cashier(world.mum).rpc("customer_history", p_customer_id=customer)["items"]
    assert sorted(row["kind"] for row in history) == ["invoice", "payment"]
    assert {row["branch_id"] for row in history} == {str(world.mum.id)}


def test_who_may_not(people: People) -> None:
    customer = people.world.teak.customers["local"]
    arguments = {"p_customer_id": customer, "p_from": DAY, "p_to": TODAY}
    with raises("permission_denied", 403):
        people.as_stockkeeper().rpc("statement", **arguments)
    with raises("permission_denied", 403):
        people.as_stockkeeper().rpc("customer_history", p_customer_id=customer)
    for stranger in (people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            stranger.rpc("statement", **arguments)
        with raises("not_found", 404):
            stranger.rpc("customer_history", p_customer_id=customer)


@pytest.mark.parametrize(
    "period", [(None, "2026-01-01"), ("2026-01-02", "2026-01-01"), ("-infinity", "2026-01-01")]
)
def test_no_period(people: People, period: tuple[str | None, str]) -> None:
    with raises("invalid_input", 400):
        people.as_admin().rpc(
            "statement",
            p_customer_id=people.world.teak.customers["local"],
            p_from=period[0],
            p_to=period[1],
        )


def test_history_page_by_page(people: People) -> None:
    """Every kind, the latest first; pages neither repeat nor leave out."""
    customer, admin = _customer(people), people.as_admin()
    for day in range(3):
        _buy(people, customer, DAY + timedelta(days=day), 100, paid=18)
    goods = sell(
        admin, people.world.blr, line(people.world.teak.variants["book"]), payments=[], customer=customer
    )
    credit(admin, goods["id"])
    whole = admin.rpc("customer_history", p_customer_id=customer)
    assert whole["next_cursor"] is None
    assert {row["kind"] for row in whole["items"]} == {"invoice", "payment", "credit_note", "return"}
    assert [row["at"] for row in whole["items"]] == sorted((r["at"] for r in whole["items"]), reverse=True)
    pages: list[Json] = []
    cursor = None
    for _ in range(20):
        page = admin.rpc("customer_history", p_customer_id=customer, p_limit=2, p_cursor=cursor)
        pages += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == whole["items"]
    for wrong in ({"p_limit": 0}, {"p_limit": 501}, {"p_limit": None}, {"p_cursor": "x"}):
        with raises("invalid_input", 400):
            admin.rpc("customer_history", p_customer_id=customer, **wrong)


def test_what_was_paid_with_is_told(people: People) -> None:
    """A payment with points is no money: the statement says so, and of every other payment and refund how."""
    customer, today = _customer(people), instalments.today(people.connection)
    offers.program(people)
    offers.adjust_points(people, customer, 100)
    invoice = _buy(people, customer, today, 100)
    admin = people.as_admin()
    admin.rpc("redeem_points", p_id=new_id(), p_invoice_id=invoice["id"], p_amount=50)
    paid = _pay(people, customer, today, 20)
    admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=paid["id"], p_reason="Entered twice")
    seen = _statement(people, customer, today, today)
    assert sorted((row["kind"], row["method"]) for row in seen["lines"] if row["method"]) == [
        ("payment", "cash"),
        ("payment", "points"),
        ("reversal", "cash"),
    ]
    assert [row["kind"] for row in seen["lines"] if not row["method"]] == ["invoice"]


def test_history_of_offers_orders_instalments_and_points(people: People) -> None:
    """Each kind is shown to whoever may read it; points are counted, not priced."""
    customer = _customer(people)
    sales, admin = people.as_sales(), people.as_admin()
    sofa = line(people.world.teak.variants["sofa"])
    offers.program(people)
    quoted = trading.quote_for(sales, people, sofa, customer=customer)
    made = trading.confirm(people, trading.order(people, sofa, customer=customer))
    note = trading.deliver(sales, people, made)
    invoice = _buy(people, customer, instalments.today(people.connection))
    agreement = instalments.agree(people, invoice["id"], instalments.terms(people, 2))
    offers.adjust_points(people, customer, 40)
    offers.adjust_points(people, customer, 20)
    offers.adjust_points(people, customer, -50)

    def seen(person: Persona) -> set[tuple[str, str | None, str | None]]:
        rows = person.rpc("customer_history", p_customer_id=customer)["items"]
        return {(row["kind"], row["id"], row["status"]) for row in rows if row["kind"] != "points"}

    papers = {("invoice", invoice["id"], "sent"), ("agreement", agreement["id"], "active")}
    traded = {
        ("quotation", quoted["id"], "draft"),
        ("order", made["id"], "delivered"),
        ("delivery", note["id"], None),
    }
    assert seen(admin) == seen(sales) == papers | traded
    people.connection.execute(
        "delete from public.role_permissions p using public.roles r "
        "where r.id = p.role_id and r.key = 'cashier' "
        "and p.permission in ('quotation.manage', 'order.manage', 'order.deliver')"
    )
    assert seen(people.as_cashier()) == papers
    people.connection.execute(
        "insert into public.role_permissions (role_id, org_id, permission) "
        "select r.id, r.org_id, 'order.deliver' from public.roles r where r.key = 'cashier'"
    )
    assert seen(people.as_cashier()) == papers | {("delivery", note["id"], None)}
    points = [
        (row["status"], row["points"], row["amount"], row["branch_id"], row["note"])
        for row in admin.rpc("customer_history", p_customer_id=customer)["items"]
        if row["kind"] == "points"
    ]
    # What was taken out of two lots is one thing that happened.
    assert sorted(points) == [
        ("adjust", -50, None, None, "Test"),
        ("adjust", 20, None, None, "Test"),
        ("adjust", 40, None, None, "Test"),
    ]
    assert {row["points"] for row in admin.rpc("customer_history", p_customer_id=customer)["items"]} >= {None}


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "pay", "credit", "reverse", "refund"]),
        st.integers(0, 60),
        st.integers(1, 700),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


def _live(people: People, customer: UUID, acts: list[tuple[str, int, int, bool]]) -> None:
    """Dealings on any days, at either branch."""
    bought: list[Invoice] = []
    paid: list[Json] = []
    admin = people.as_admin()
    for act, offset, amount, elsewhere in acts:
        day, branch = DAY + timedelta(days=offset), people.world.mum if elsewhere else people.world.blr
        if act == "buy":
            bought.append(_buy(people, customer, day, amount, branch=branch))
        elif act == "pay":
            paid.append(_pay(people, customer, day, amount, branch))
        elif act == "credit" and bought:
            credit(admin, bought.pop()["id"])
        elif act == "reverse" and paid:
            admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=paid.pop()["id"], p_reason="Bounced")
        elif act == "refund":
            # Of what is held there is nothing to refund that a later reversal takes.
            spare = held(people.connection, people.world.teak.id, customer)
            if spare > 0:
                paid.clear()
                admin.rpc(
                    "refund",
                    p_id=new_id(),
                    p_customer_id=customer,
                    p_amount=min(spare, Decimal(amount)),
                    p_method="cash",
                    p_options={"branch_id": branch.id},
                )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, cuts=st.lists(st.integers(0, 60), min_size=1, max_size=3, unique=True))
def test_statements_add_up(people: People, acts: list[tuple[str, int, int, bool]], cuts: list[int]) -> None:
    """Closing = opening + debits - credits; adjoining periods chain; today it is balances less credit."""
    with people.connection.transaction(force_rollback=True):
        customer = _customer(people)
        _live(people, customer, acts)
        marks = [DAY + timedelta(days=cut) for cut in sorted(cuts)]
        firsts = [DAY - timedelta(days=1), *(mark + timedelta(days=1) for mark in marks)]
        lasts = [*marks, TODAY]
        whole = _statement(people, customer, firsts[0], TODAY)
        parts = [_statement(people, customer, a, b) for a, b in zip(firsts, lasts, strict=True)]
        for part in [whole, *parts]:
            assert part["closing"] == part["opening"] + part["debits"] - part["credits"]
            assert part["debits"] == sum(row["debit"] for row in part["lines"])
            assert part["credits"] == sum(row["credit"] for row in part["lines"])
            balance = part["opening"]
            for row in part["lines"]:
                balance += row["debit"] - row["credit"]
                assert row["balance"] == balance
            assert balance == part["closing"]
            assert part["owed"] == sum(part["ageing"].values())
            assert part["owed"] - part["unallocated"] == part["closing"]
        assert whole["opening"] == 0
        for before, after in itertools.pairwise(parts):
            assert before["closing"] == after["opening"]
        assert parts[-1]["closing"] == whole["closing"]
        assert [row["id"] for part in parts for row in part["lines"]] == [row["id"] for row in whole["lines"]]
        owed = people.connection.execute(
            "select coalesce(sum(balance), 0) from public.invoices where customer_id = %s", [customer]
        ).fetchone()
        assert owed is not None
        assert whole["owed"] == owed[0]
        assert whole["unallocated"] == held(people.connection, people.world.teak.id, customer)


def test_interest_and_fees_of_instalments_are_no_credit(people: People) -> None:
    """What a payment takes of them is owed and paid on the same day; a bounced one gives both back."""
    agreement = instalments.sold_on_credit(
        people,
        4,
        interest={"kind": "flat", "annual_percent": 12},
        fees=[{"name": "Processing", "amount": 50}],
    )
    customer, today = agreement["customer_id"], instalments.today(people.connection)
    first = agreement["schedule"][0]
    charges = first["interest"] + first["fee"]
    paid = instalments.pay_in(people, agreement, first["total"])["payment"]
    seen = _statement(people, customer, today, today)
    assert [(row["kind"], row["debit"], row["credit"]) for row in seen["lines"]] == [
        ("invoice", 2360, 0),
        ("charges", charges, 0),
        ("payment", 0, first["total"]),
    ]
    assert seen["lines"][1]["number"] == agreement["number"]
    assert seen["lines"][1]["reference"] == paid["number"]
    assert (seen["unallocated"], seen["closing"]) == (0, seen["owed"])
    assert seen["closing"] == 2360 - first["principal"]

    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=paid["id"], p_reason="Bounced")
    after = _statement(people, customer, today, today)
    assert (after["unallocated"], after["closing"], after["owed"]) == (0, 2360, 2360)
    assert ("charges", 0, charges) in [(row["kind"], row["debit"], row["credit"]) for row in after["lines"]]


def _adds_up(people: People, customer: UUID, day: date) -> Json:
    """What the statement leaves unallocated is what the house holds for the customer."""
    seen = _statement(people, customer, day - timedelta(days=400), day)
    assert seen["unallocated"] == held(people.connection, people.world.teak.id, customer)
    assert seen["closing"] == seen["owed"] - seen["unallocated"]
    return seen


def test_charges_of_what_was_rescheduled_and_then_voided(people: People) -> None:
    """Paid under two agreements, reversed, and the sale taken back: at every step the account adds up."""
    asked: dict[str, Any] = {
        "interest": {"kind": "flat", "annual_percent": 24},
        "fees": [{"name": "Processing", "amount": 50}],
    }
    agreement = instalments.sold_on_credit(people, 4, **asked)
    customer, today = agreement["customer_id"], instalments.today(people.connection)
    first = instalments.pay_in(people, agreement, agreement["schedule"][0]["total"])["payment"]
    _adds_up(people, customer, today)
    other = people.as_admin().rpc(
        "reschedule",
        p_id=new_id(),
        p_agreement_id=agreement["id"],
        p_terms=instalments.terms(people, 2, **asked),
        p_reason="Fewer",
    )
    _adds_up(people, customer, today)
    second = instalments.pay_in(people, other, other["schedule"][0]["total"])["payment"]
    paid = _adds_up(people, customer, today)
    assert sum(row["debit"] for row in paid["lines"] if row["kind"] == "charges") == (
        agreement["schedule"][0]["interest"]
        + other["schedule"][0]["interest"]
        + 50
        + other["schedule"][0]["fee"]
    )
    for payment in (first, second):
        people.as_admin().rpc(
            "reverse_payment", p_id=new_id(), p_payment_id=payment["id"], p_reason="Bounced"
        )
        _adds_up(people, customer, today)
    instalments.pay_in(people, other, 500)
    _adds_up(people, customer, today)
    people.as_admin().rpc(
        "void_sale", p_id=new_id(), p_invoice_id=agreement["invoice_id"], p_reason="Wrong customer"
    )
    after = _adds_up(people, customer, today)
    assert (after["owed"], after["ageing"]["current"]) == (0, 0)
    charges = [row for row in after["lines"] if row["kind"] == "charges"]
    assert sum(row["debit"] - row["credit"] for row in charges) == 0
