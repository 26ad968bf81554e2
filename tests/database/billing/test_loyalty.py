"""Loyalty: what is earned, what it pays, what is taken back, and that the ledger never falls below zero."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.money import assert_books, credit, invoice_of, record
from tests.database.billing.offers import adjust_points, balance, insert, program
from tests.database.sales import footprint, line, pay, sell
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.refusals import state_of
from tests.support.world import People


def _sell(people: People, key: str = "assembly", quantity: object = 1, **sale: Any) -> dict[str, Any]:
    """A sale to the trusted customer; an assembly is 590.00."""
    return sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants[key], quantity),
        customer=people.world.teak.customers["trusted"],
        **sale,
    )


def _entries(people: People, invoice: Any) -> list[tuple[str, int]]:
    rows = people.as_cashier().select(
        "select kind, sum(points)::integer as points from public.loyalty_entries where invoice_id = %s "
        "group by kind order by kind",
        [invoice],
    )
    return [(row["kind"], row["points"]) for row in rows]


def test_a_paid_invoice_earns_once(people: People) -> None:
    """By rule, rounded down; a walk-in earns nothing; what is owed earns when it is paid."""
    program(people, "0.1")
    customer = people.world.teak.customers["trusted"]
    _sell(people)
    assert balance(people, customer) == 59
    sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["assembly"]))
    assert balance(people, customer) == 59
    owed = _sell(people, "book", payments=[pay(50)])
    assert balance(people, customer) == 59
    payment = record(people.as_cashier(), customer, 49)
    assert (balance(people, customer), _entries(people, owed["id"])) == (68, [("earn", 9)])
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=payment["id"], p_reason="Bounced")
    assert (balance(people, customer), _entries(people, owed["id"])) == (59, [("earn", 9), ("reverse", -9)])
    record(people.as_cashier(), customer, 49)
    assert balance(people, customer) == 68


def test_rules_of_categories_and_groups(people: People) -> None:
    """The highest priority counts on each line, then what gives most."""
    program(people, 0)
    org, category, group = people.world.teak.id, new_id(), new_id()
    admin, customer = people.as_admin(), people.world.teak.customers["trusted"]
    insert(admin, "categories", id=category, org_id=org, name="Books")
    insert(admin, "customer_groups", id=group, org_id=org, name="Members")
    admin.execute(
        "update public.products set category_id = %s where id = %s",
        [category, people.world.teak.products["book"]],
    )
    insert(admin, "loyalty_rules", org_id=org, name="Books", points_per_unit=2, category_id=category)
    _sell(people, "pot")
    assert balance(people, customer) == 0
    _sell(people, "book")
    assert balance(people, customer) == 198
    insert(admin, "loyalty_rules", org_id=org, name="Members", points_per_unit=3, customer_group_id=group)
    _sell(people, "pot")
    assert balance(people, customer) == 198
    admin.execute("update public.customers set customer_group_id = %s where id = %s", [group, customer])
    _sell(people, "pot")
    assert balance(people, customer) == 198 + 135
    admin.execute("update public.loyalty_rules set priority = 5 where name = 'Books' and org_id = %s", [org])
    _sell(people, "book")
    assert balance(people, customer) == 198 + 135 + 198


def test_points_pay_and_earn_nothing_themselves(people: People) -> None:
    """300.00 of 590.00 by 600 points; the 290.00 of money earn."""
    program(people)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 700)
    invoice = _sell(people, payments=[pay(300, "points"), pay(300)])
    assert (invoice["status"], invoice["paid"], invoice["change_due"]) == ("paid", 590, 10)
    assert sorted((p["method"], p["amount"]) for p in invoice["payments"]) == [("cash", 290), ("points", 300)]
    assert _entries(people, invoice["id"]) == [("earn", 290), ("redeem", -600)]
    assert balance(people, customer) == 390
    money = people.as_admin().select("select is_money from public.payment_methods where code = 'points'")
    assert money[0]["is_money"] is False
    assert_books(people)


def test_limits(people: People) -> None:
    """More than there is, more than the share, less than the minimum, nobody's: refused, nothing written."""
    program(people, max_share_percent=50, minimum_points=100)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 250)
    before = footprint(people.connection)
    for amount, code in ((295.01, "points_limit"), (49, "points_limit"), (126, "points_insufficient")):
        with raises(code, 422):
            _sell(people, payments=[pay(Decimal(str(amount)), "points"), pay(590)])
    with raises("payment_needs_a_customer", 422):
        sell(
            people.as_cashier(),
            people.world.blr,
            line(people.world.teak.variants["assembly"]),
            payments=[pay(100, "points"), pay(490)],
        )
    with raises("payment_exceeds_total", 422):
        _sell(people, "pot", payments=[pay(60, "points")])
    assert footprint(people.connection) == before
    assert balance(people, customer) == 250
    with raises("invalid_input", 400):
        record(people.as_cashier(), customer, 5, p_method="points")
    with raises("invalid_input", 400):
        credit(people.as_sales(), _sell(people)["id"], refund={"method": "points"})
    people.as_admin().execute("update public.loyalty_programs set archived_at = now()")
    with raises("points_limit", 422):
        _sell(people, payments=[pay(100, "points"), pay(490)])


def test_an_open_invoice_is_paid_with_points(people: People) -> None:
    """The share is of the whole invoice, whatever the steps; the same call again pays once."""
    program(people, max_share_percent=50)
    customer, act = people.world.teak.customers["trusted"], new_id()
    adjust_points(people, customer, 2000)
    owed = _sell(people, payments=[])
    for _ in range(2):
        payment = people.as_cashier().rpc(
            "redeem_points", p_id=act, p_invoice_id=owed["id"], p_amount=Decimal("200.25")
        )
    assert (payment["method"], payment["amount"], payment["unallocated"]) == ("points", Decimal("200.25"), 0)
    assert balance(people, customer) == 2000 - 401
    with raises("points_limit", 422) as refusal:
        people.as_cashier().rpc("redeem_points", p_id=new_id(), p_invoice_id=owed["id"], p_amount=100)
    assert refusal.facts["max_amount"] == Decimal("94.75")
    record(people.as_cashier(), customer, Decimal("389.75"))
    assert _entries(people, owed["id"]) == [("earn", 389), ("redeem", -401)]
    people.as_admin().rpc(
        "reverse_payment", p_id=new_id(), p_payment_id=payment["id"], p_reason="He changed his mind"
    )
    assert _entries(people, owed["id"])[1:] == [("redeem", -401), ("return", 401), ("reverse", -389)]
    assert balance(people, customer) == 2000
    assert_books(people)


def test_a_return_gives_points_back_and_takes_points_back(people: People) -> None:
    """A third came back: a third of the points that paid, and a third of those it earned."""
    program(people)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 600)
    invoice = _sell(people, "assembly", 3, payments=[pay(300, "points"), pay(1470)])
    assert balance(people, customer) == 1470
    note = credit(
        people.as_admin(), invoice["id"], [{"line_no": 1, "quantity": 1}], refund={"method": "cash"}
    )
    refunds = people.as_admin().select(
        "select method, amount from public.refunds where customer_id = %s order by method", [customer]
    )
    assert [tuple(row.values()) for row in refunds] == [("cash", 490), ("points", 100)]
    assert note["total"] == 590
    assert _entries(people, invoice["id"]) == [
        ("earn", 1470),
        ("redeem", -600),
        ("return", 200),
        ("reverse", -490),
    ]
    credit(people.as_admin(), invoice["id"], refund={"method": "cash"})
    assert balance(people, customer) == 600
    assert_books(people)


def test_a_void_gives_the_points_back(people: People) -> None:
    """Each payment by its own method."""
    program(people)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 601)
    invoice = _sell(people, payments=[pay(300, "points"), pay(290, "card")])
    people.as_cashier().rpc("void_sale", p_id=new_id(), p_invoice_id=invoice["id"], p_reason="Wrong address")
    assert balance(people, customer) == 601
    assert invoice_of(people, invoice["id"])["status"] == "void"
    assert_books(people)


def test_points_that_are_spent_are_not_owed(people: People) -> None:
    """What a return cannot take back stays at zero, and is not earned twice."""
    program(people, 2)
    customer = people.world.teak.customers["trusted"]
    owed = _sell(people, payments=[])
    payment = record(people.as_cashier(), customer, 590)
    assert balance(people, customer) == 1180
    adjust_points(people, customer, -1000)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=payment["id"], p_reason="Bounced")
    assert balance(people, customer) == 0
    record(people.as_cashier(), customer, 590)
    assert (balance(people, customer), _entries(people, owed["id"])) == (
        180,
        [("earn", 1360), ("reverse", -180)],
    )


def test_what_expires_first_is_spent_first(people: People) -> None:
    """Expired points pay nothing, even before the job; the job writes them off once."""
    program(people, expiry_months=1)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 100)
    people.as_admin().execute("update public.loyalty_programs set expiry_months = null")
    adjust_points(people, customer, 50)
    adjust_points(people, customer, -30)
    told = people.as_cashier().rpc("loyalty_balance", p_customer_id=customer)
    assert (told["points"], told["value"], [e["points"] for e in told["expiring"]]) == (120, 60, [70])
    people.connection.execute(
        "select private.note_points(%s, %s, 'adjust', 40, null, now() - interval '1 second')",
        [people.world.teak.id, customer],
    )
    assert balance(people, customer) == 120
    with raises("points_insufficient", 422):
        adjust_points(people, customer, -121)
    for expected in (1, 0):
        row = people.connection.execute(
            "select sum(private.expire_points(o.id)) from public.organizations o"
        ).fetchone()
        assert row == (expected,)
    statement = people.as_cashier().rpc("loyalty_statement", p_customer_id=customer)
    assert (statement["opening"], statement["closing"]) == (0, 120)
    assert sorted(e["points"] for e in statement["entries"]) == [-40, -30, 40, 50, 100]


def test_points_move_to_who_remains(people: People) -> None:
    """Whoever was entered twice keeps the points of both: nothing is lost, nothing made."""
    customers = people.world.teak.customers
    adjust_points(people, customers["local"], 70)
    before = balance(people, customers["member"])
    people.as_admin().rpc(
        "merge_customers", p_id=new_id(), p_keep_id=customers["member"], p_merge_id=customers["local"]
    )
    assert balance(people, customers["member"]) == before + 70


def test_the_ledger_stays(people: People) -> None:
    """Nobody writes it but the acts; the owner neither changes nor removes an entry."""
    for statement in (
        "delete from public.loyalty_entries",
        "update public.loyalty_entries set points = 1",
        "insert into public.loyalty_entries (org_id) values (null)",
    ):
        with raises_sqlstate("42501"):
            people.as_admin().execute(statement)
    with raises("append_only", 403), people.connection.transaction():
        people.connection.execute("update public.loyalty_entries set points = points + 1")
    customer = people.world.teak.customers["trusted"]
    with raises("permission_denied", 403):
        people.as_sales().rpc(
            "adjust_points", p_id=new_id(), p_customer_id=customer, p_points=5, p_reason="Friend"
        )
    for points, reason in ((0, "None"), (5, " "), (5, None)):
        with raises("invalid_input", 400):
            people.as_admin().rpc(
                "adjust_points", p_id=new_id(), p_customer_id=customer, p_points=points, p_reason=reason
            )


def _assert_ledger(people: People, customer: UUID) -> None:
    """No lot holds less than nothing, nothing is taken of another's lot, the sums are the balance."""
    rows = people.connection.execute(
        "select coalesce(lot_id, id), sum(points), count(distinct customer_id), max(points) "
        "from public.loyalty_entries where org_id = %s group by 1",
        [people.world.teak.id],
    ).fetchall()
    assert all(left >= 0 and owners == 1 and left <= most for _, left, owners, most in rows)
    row = people.connection.execute(
        "select coalesce(sum(points), 0) from public.loyalty_entries where customer_id = %s", [customer]
    ).fetchone()
    assert row is not None
    assert row[0] == balance(people, customer) >= 0


def _refused_with(act: Callable[[], Any]) -> str:
    """The status or SQLSTATE of the refusal, nothing when it was allowed."""
    try:
        act()
    except psycopg.Error as error:
        return state_of(error)
    return ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["sell", "points", "owe", "pay", "redeem", "credit", "void", "bounce", "adjust"]),
            st.integers(1, 700),
        ),
        min_size=1,
        max_size=9,
    ),
    rate=st.sampled_from(["0.1", "1", "2.5"]),
)
def test_any_acts(people: People, acts: list[tuple[str, int]], rate: str) -> None:
    """Whatever is done in whatever order: refused or booked, never below zero, and all sums hold."""
    with people.connection.transaction(force_rollback=True):
        program(people, rate)
        customer = people.world.teak.customers["trusted"]
        sold: list[Any] = []
        paid: list[Any] = []
        made: dict[str, Callable[[int], Any]] = {
            "sell": lambda n: sold.append(_sell(people, "pot", n % 3 + 1)["id"]),
            "points": lambda n: sold.append(
                _sell(people, payments=[pay(min(n, 589), "points"), pay(590 - min(n, 589))])["id"]
            ),
            "owe": lambda n: sold.append(_sell(people, "book", n % 2 + 1, payments=[])["id"]),
            "pay": lambda n: paid.append(record(people.as_cashier(), customer, n)["id"]),
            "redeem": lambda n: paid.append(
                people.as_cashier().rpc(
                    "redeem_points", p_id=new_id(), p_invoice_id=sold[n % len(sold)], p_amount=n
                )["id"]
            ),
            "credit": lambda n: credit(
                people.as_sales(), sold[n % len(sold)], [{"line_no": 1, "quantity": 1}]
            ),
            "void": lambda n: people.as_cashier().rpc(
                "void_sale", p_id=new_id(), p_invoice_id=sold[n % len(sold)], p_reason="Mistake"
            ),
            "bounce": lambda n: people.as_admin().rpc(
                "reverse_payment", p_id=new_id(), p_payment_id=paid[n % len(paid)], p_reason="Bounced"
            ),
            "adjust": lambda n: adjust_points(people, customer, n - 350 or 1),
        }
        for name, number in acts:
            if (name in ("redeem", "credit", "void") and not sold) or (name == "bounce" and not paid):
                continue
            assert _refused_with(partial(made[name], number)) in ("", "400", "404", "409", "422")
            _assert_ledger(people, customer)
        assert_books(people)


POINTS_READ = """
  select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables
  where schemaname = 'public' and relname = 'loyalty_entries'"""
MANY_POINTS = """
  select private.note_points(org_id, id, 'adjust', 1, null) from public.customers, generate_series(1, 3000)
  where id = %s"""


def test_points_are_looked_up_by_key(people: People) -> None:
    """A sale reads its own customer's points, however many a house gave of which no statistics know yet."""
    program(people, "0.1")
    owner, world = people.connection, people.world
    owner.execute(MANY_POINTS, [next(iter(world.lagoon.customers.values()))])
    # Whatever was planned before is planned anew, as where only another house has given points for long.
    owner.execute("analyze public.loyalty_entries")
    owner.execute(MANY_POINTS, [world.teak.customers["local"]])
    before = owner.execute(POINTS_READ).fetchone()
    _sell(people)
    _sell(people, payments=[pay(20, "points"), pay(570)])
    after = owner.execute(POINTS_READ).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] - before[0] < 100
