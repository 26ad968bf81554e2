"""What is left of points is kept, is always what the entries leave, and knows no clock."""

import pytest

from tests.database.billing.money import assert_books, credit
from tests.database.billing.offers import adjust_points, balance, program
from tests.database.sales import line, pay, sell
from tests.support.personas import Connection, new_id, raises_sqlstate
from tests.support.world import People


def test_only_one_function_writes_points(owner: Connection) -> None:
    """Read off the catalogue: the entries and what is kept beside them. A merge adds two sums."""
    for table, writers in (
        ("public.loyalty_entries", ["note_points"]),
        ("private.points_held", ["note_points"]),
        ("private.points_balances", ["merge_points", "note_points"]),
    ):
        rows = owner.execute(
            "select proname from pg_proc where prosrc ~ %s order by 1",
            [f"(insert into|update|delete from) {table}"],
        ).fetchall()
        assert [row[0] for row in rows] == writers


@pytest.mark.parametrize(
    "change",
    [
        "update private.points_held set points = points + 1 where customer_id = %(customer)s",
        "delete from private.points_held where customer_id = %(customer)s",
        "update private.points_held set customer_id = %(other)s where customer_id = %(customer)s",
        "update private.points_balances set points = points + 1 where customer_id = %(customer)s",
        "delete from private.points_balances where customer_id = %(customer)s",
    ],
)
def test_what_disagrees_is_named(people: People, change: str) -> None:
    """In order until it is changed."""
    customer = people.world.teak.customers["trusted"]
    program(people)
    adjust_points(people, customer, 70)
    adjust_points(people, customer, -30)
    assert_books(people)
    people.connection.execute(
        change.encode(), {"customer": customer, "other": people.world.teak.customers["local"]}
    )
    found = people.as_admin().rpc("check_books", p_org_id=people.world.teak.id)
    assert {row["problem"] for row in found} <= {
        "points held are not what is left of the lot",
        "the balance of points is not the sum of the entries",
    }
    assert found


def test_no_more_is_taken_than_is_left(people: People) -> None:
    """Whatever an act has overlooked, the tables themselves hold the line."""
    customer, org = people.world.teak.customers["trusted"], people.world.teak.id
    adjust_points(people, customer, 7)
    with raises_sqlstate("23514"), people.connection.transaction():
        people.connection.execute(
            "select private.note_points(%s, %s, 'expire', -8, (select lot_id from private.points_held "
            "where customer_id = %s))",
            [org, customer, customer],
        )


def test_a_clock_set_back_decides_nothing(people: People) -> None:
    """The lot that came first goes first, and the balance on an invoice is what he had after it, whatever the
    clock said when the later entries were written.
    """
    customer, connection = people.world.teak.customers["trusted"], people.connection
    program(people, expiry_months=1)
    adjust_points(people, customer, 10)
    sold = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["assembly"]),
        payments=[pay(590)],
        customer=customer,
    )
    assert sold["points"]["balance"] == 10 + 590
    # Written after the sale, when the clock had been set back by a day.
    adjust_points(people, customer, 1000)
    connection.execute("set constraints all immediate")
    connection.execute("alter table public.loyalty_entries disable trigger user")
    connection.execute(
        "update public.loyalty_entries set created_at = created_at - interval '1 day' "
        "where customer_id = %s and points = 1000",
        [customer],
    )
    connection.execute("alter table public.loyalty_entries enable trigger user")
    again = people.as_admin().rpc("get_invoice", p_id=sold["id"])
    assert again["points"] == sold["points"]
    adjust_points(people, customer, -5)
    row = connection.execute(
        "select l.points from public.loyalty_entries e join public.loyalty_entries l on l.id = e.lot_id "
        "where e.customer_id = %s and e.points = -5",
        [customer],
    ).fetchone()
    assert row == (10,)


def test_an_invoice_says_the_balance_of_its_day(people: People) -> None:
    """Also one that moved no points: what he had then, whatever he got and lost since."""
    customer, connection = people.world.teak.customers["trusted"], people.connection
    program(people, 0)
    adjust_points(people, customer, 100)
    connection.execute(
        "select private.note_points(%s, %s, 'adjust', 40, null, now() + interval '1 second')",
        [people.world.teak.id, customer],
    )
    sold = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["assembly"]),
        payments=[pay(590)],
        customer=customer,
    )
    assert sold["points"] == {"earned": 0, "redeemed": 0, "balance": 140}
    # A day has passed since the entries, and two hours since the sale; the forty expired between them.
    connection.execute("set constraints all immediate")
    connection.execute("alter table public.loyalty_entries disable trigger user")
    connection.execute("alter table public.invoices disable trigger user")
    entries = "update public.loyalty_entries set created_at = created_at - interval '1 day', "
    for change in (
        f"{entries} expires_at = expires_at - interval '12 hours' where customer_id = %s",
        "update private.points_held set expires_at = expires_at - interval '12 hours' where customer_id = %s",
        "update public.invoices set created_at = created_at - interval '2 hours' where customer_id = %s",
    ):
        connection.execute(change.encode(), [customer])
    connection.execute("alter table public.loyalty_entries enable trigger user")
    connection.execute("alter table public.invoices enable trigger user")
    adjust_points(people, customer, -60)
    connection.execute("select private.expire_points(o.id) from public.organizations o")
    assert people.as_admin().rpc("get_invoice", p_id=sold["id"])["points"]["balance"] == 100
    assert balance(people, customer) == 40


def test_a_merge_says_what_both_have(people: People) -> None:
    """A sale that moves no points tells the balance of both, who are one now."""
    customers = people.world.teak.customers
    program(people, 0)
    adjust_points(people, customers["local"], 70)
    adjust_points(people, customers["trusted"], 5)
    people.as_admin().rpc(
        "merge_customers", p_id=new_id(), p_keep_id=customers["trusted"], p_merge_id=customers["local"]
    )
    sold = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["assembly"]),
        payments=[pay(590)],
        customer=customers["trusted"],
    )
    assert sold["points"]["balance"] == 75
    credit(people.as_sales(), sold["id"])
    assert_books(people)
