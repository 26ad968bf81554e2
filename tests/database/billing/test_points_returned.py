"""Loyalty: who returns everything has no more points than before, whatever he spent and earned meanwhile."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.money import assembly, assert_books, credit, invoice_of, record
from tests.database.billing.offers import adjust_points, balance, program
from tests.database.sales import pay, sell
from tests.support.personas import new_id
from tests.support.world import People

# What is kept beside the entries says otherwise, too, when an entry is put in past it.
KEPT = ("points held are not what is left of the lot", "the balance of points is not the sum of the entries")


def _buy(people: People, price: object, *payments: dict[str, object], quantity: int = 1) -> dict[str, Any]:
    """A service to the trusted customer, 18 % tax on top; paid in cash unless payments are given."""
    return sell(
        people.as_admin(),
        people.world.blr,
        assembly(people, price, quantity),
        customer=people.world.teak.customers["trusted"],
        payments=list(payments) or None,
    )


def _owed(people: People) -> int:
    customer = people.world.teak.customers["trusted"]
    return int(people.as_cashier().rpc("loyalty_balance", p_customer_id=customer)["owed"])


def test_spent_points_are_made_good_by_the_next_return(people: People) -> None:
    """Points earned on A pay B; A comes back, then B: no goods, all money, and no points."""
    program(people, point_value=1)
    customer = people.world.teak.customers["trusted"]
    first = _buy(people, 1000)
    second = _buy(people, 1000, pay(1180, "points"))
    assert balance(people, customer) == 0
    credit(people.as_admin(), first["id"], refund={"method": "cash"})
    assert (balance(people, customer), _owed(people)) == (0, 1180)
    credit(people.as_admin(), second["id"], refund={"method": "cash"})
    assert (balance(people, customer), _owed(people)) == (0, 0)
    assert_books(people)


def test_spent_points_are_made_good_by_the_next_purchase(people: People) -> None:
    """What a return could not take back is taken of what is earned next, and of nothing that is given."""
    program(people, point_value=1)
    customer = people.world.teak.customers["trusted"]
    first = _buy(people, 1000)
    _buy(people, 1000, pay(1180, "points"))
    credit(people.as_admin(), first["id"], refund={"method": "cash"})
    adjust_points(people, customer, 50)
    assert (balance(people, customer), _owed(people)) == (50, 1180)
    _buy(people, 500)
    assert (balance(people, customer), _owed(people)) == (50, 590)
    _buy(people, 1000)
    assert (balance(people, customer), _owed(people)) == (640, 0)
    assert_books(people)


def test_shares_too_small_for_a_point_are_not_taken_twice(people: People) -> None:
    """One point paid 100 of 1180; of ten pieces that come back one by one each is worth a tenth of it."""
    program(people, point_value=100)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 1)
    bought = _buy(people, 100, pay(100, "points"), pay(1080), quantity=10)
    before = balance(people, customer) - bought["points"]["earned"]
    piece = [{"line_no": 1, "quantity": 1, "disposition": "none"}]
    notes = [credit(people.as_admin(), bought["id"], piece) for _ in range(10)]
    told = [people.as_admin().rpc("get_credit_note", p_id=note["id"]) for note in notes]
    assert sum(note["total"] for note in told) == 1180
    back = [refund["amount"] for note in told for refund in note["refunds"]]
    assert (sum(back), sum(note["left"] for note in told)) == (100, 1080)
    assert (balance(people, customer), _owed(people)) == (before + 1, 0)
    assert_books(people)


def test_an_invoice_that_is_paid_again_owes_nothing(people: People) -> None:
    """A bounced cheque whose points are spent: the points count as earned once the invoice is paid again."""
    program(people, point_value=1)
    customer = people.world.teak.customers["trusted"]
    _buy(people, 1000, pay(180))
    cheque = record(people.as_cashier(), customer, 1000)
    adjust_points(people, customer, -1000)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=cheque["id"], p_reason="Bounced")
    assert (balance(people, customer), _owed(people)) == (0, 1000)
    record(people.as_cashier(), customer, 1000)
    assert (balance(people, customer), _owed(people)) == (180, 0)
    assert_books(people)


def test_whose_points_are_owed_follows_a_merge(people: People) -> None:
    """Whoever was entered twice owes what either owed."""
    program(people, point_value=1)
    customers = people.world.teak.customers
    first = _buy(people, 100)
    adjust_points(people, customers["trusted"], -118)
    credit(people.as_admin(), first["id"], refund={"method": "cash"})
    people.as_admin().rpc(
        "merge_customers", p_id=new_id(), p_keep_id=customers["local"], p_merge_id=customers["trusted"]
    )
    told = people.as_cashier().rpc("loyalty_balance", p_customer_id=customers["local"])
    assert told["owed"] == 118
    sell(people.as_admin(), people.world.blr, assembly(people, 100), customer=customers["local"])
    told = people.as_cashier().rpc("loyalty_balance", p_customer_id=customers["local"])
    assert (told["points"], told["owed"]) == (0, 0)


def test_what_points_pay_earns_nothing_after_a_bounce_either(people: People) -> None:
    """Paid by cheque first, half by points the second time: half of the points are earned."""
    program(people, point_value=1)
    customer = people.world.teak.customers["trusted"]
    adjust_points(people, customer, 590)
    owed = _buy(people, 1000, pay(590))
    cheque = record(people.as_cashier(), customer, 590)
    assert balance(people, customer) == 590 + 1180
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=cheque["id"], p_reason="Bounced")
    assert balance(people, customer) == 590
    people.as_cashier().rpc("redeem_points", p_id=new_id(), p_invoice_id=owed["id"], p_amount=590)
    assert balance(people, customer) == 590
    credit(people.as_admin(), owed["id"], refund={"method": "cash"})
    assert balance(people, customer) == 590
    assert_books(people)


def test_an_invoice_tells_its_points(people: People) -> None:
    """What it earned and paid, and what was left; less what came back."""
    program(people, "0.1")
    first = _buy(people, 1000)
    assert first["points"] == {"earned": 118, "redeemed": 0, "balance": 118}
    second = _buy(people, 1000, pay(50, "points"), pay(1130))
    assert second["points"] == {"earned": 113, "redeemed": 100, "balance": 131}
    assert invoice_of(people, second["id"]) == second
    credit(people.as_admin(), second["id"], refund={"method": "cash"})
    told = invoice_of(people, second["id"])["points"]
    assert (told["earned"], told["redeemed"]) == (0, 0)
    nobody = sell(people.as_admin(), people.world.blr, assembly(people, 100))
    assert (nobody["points"], invoice_of(people, nobody["id"])["points"]) == (None, None)


def test_points_of_an_invoice_are_for_who_reads_customers(people: People) -> None:
    """They tell what a customer has: without customer.read an invoice says nothing of them."""
    program(people, "0.1")
    sold = _buy(people, 1000)
    people.connection.execute(
        "delete from public.role_permissions where permission = 'customer.read' and org_id = %s",
        [people.world.teak.id],
    )
    assert people.as_cashier().rpc("get_invoice", p_id=sold["id"])["points"] is None


def test_the_books_find_wrong_points(people: People) -> None:
    """A point that nobody earned, one that was taken twice, and one owed too little."""
    program(people, "0.1")
    sold = _buy(people, 1000)
    assert_books(people)
    org, customer = people.world.teak.id, people.world.teak.customers["trusted"]

    def findings(*statements: str) -> list[tuple[Any, ...]]:
        with people.connection.transaction(force_rollback=True):
            for statement in statements:
                people.connection.execute(
                    statement, {"org": org, "customer": customer, "invoice": sold["id"]}
                )
            found = people.as_admin().rpc("check_books", p_org_id=org)
            return sorted(
                (f["problem"], f["document"], f["expected"], f["found"])
                for f in found
                if f["problem"] not in KEPT
            )

    entry = (
        "insert into public.loyalty_entries (org_id, customer_id, balance, kind, points, lot_id, invoice_id, "
        "amount) select %(org)s, %(customer)s, 0, "
    )
    lot = (
        "(select id from public.loyalty_entries where invoice_id = %(invoice)s and kind = 'earn'), "
        "%(invoice)s, null"
    )
    wrong = "points earned and owed are not what the invoice deserves"
    assert findings(f"{entry} 'earn', 5, null, %(invoice)s, null") == [(wrong, "invoice", 118, 123)]
    assert findings(f"{entry} 'reverse', -119, {lot}") == [
        ("more is taken of points than there was", "loyalty_entry", 0, -1),
        (wrong, "invoice", 118, -1),
    ]
    assert findings(
        "insert into private.points_owed (org_id, customer_id, invoice_id, points) "
        "values (%(org)s, %(customer)s, %(invoice)s, 7)"
    ) == [(wrong, "invoice", 118, 111)]
    assert findings(f"{entry} 'redeem', -10, {lot.replace('null', '5')}") == [
        (wrong, "invoice", 117, 118),
        ("points that paid are not the payments made with points", "invoice", 0, 5),
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["buy", "points", "some back", "bounce"]), st.integers(1, 900)),
        min_size=1,
        max_size=8,
    ),
    order=st.randoms(use_true_random=False),
    start=st.integers(0, 500),
    rate=st.sampled_from(["0.1", "1", "2.5"]),
)
def test_who_returns_everything_gained_nothing(
    people: People, acts: list[tuple[str, int]], order: Any, start: int, rate: str
) -> None:
    """Bought and returned in any order, paid with money and with points: never below zero, no points won."""
    customer = people.world.teak.customers["trusted"]
    with people.connection.transaction(force_rollback=True):
        program(people, rate, point_value=1)
        if start:
            adjust_points(people, customer, start)
        sold: list[UUID] = []
        back: dict[UUID, int] = {}

        def buy(number: int, points: Decimal) -> None:
            points = min(points, Decimal(balance(people, customer)), Decimal(number * 2 * 118) / 100)
            total = Decimal(number * 2 * 118) / 100
            payments = [pay(points, "points")] if points else []
            payments += [pay(total - points)] if total > points else []
            made = UUID(_buy(people, number, *payments, quantity=2)["id"])
            sold.append(made)
            back[made] = 0

        def give_back(invoice: UUID, quantity: int) -> None:
            lines = [{"line_no": 1, "quantity": quantity}]
            credit(people.as_admin(), invoice, lines, refund={"method": "cash"})
            back[invoice] += quantity

        def bounce(number: int) -> None:
            owed = sell(
                people.as_admin(), people.world.blr, assembly(people, number), customer=customer, payments=[]
            )
            paid = record(people.as_cashier(), customer, owed["total"])
            people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=paid["id"], p_reason="No")
            credit(people.as_admin(), owed["id"])

        made: dict[str, Callable[[int], None]] = {
            "buy": lambda n: buy(n, Decimal(0)),
            "points": lambda n: buy(n, Decimal(n)),
            "some back": lambda n: give_back(sold[n % len(sold)], 1),
            "bounce": bounce,
        }
        for name, number in acts:
            if name == "some back" and (not sold or back[sold[number % len(sold)]] == 2):
                continue
            partial(made[name], number)()
            assert balance(people, customer) >= 0
        order.shuffle(sold)
        for invoice in sold:
            if back[invoice] < 2:
                give_back(invoice, 2 - back[invoice])
            assert balance(people, customer) >= 0
        assert balance(people, customer) <= start
        assert_books(people)
