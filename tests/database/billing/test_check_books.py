"""The proof bites: whatever is made to disagree past every trigger is named."""

# Names put into statements come from this file.

import pytest

from tests.database.billing import offers
from tests.database.billing.money import assembly, assert_books, credit, owe, record
from tests.database.sales import line, pay, sell
from tests.support.personas import raises
from tests.support.world import People

WRONGS = {
    "payment_allocations": (
        "set amount = amount - 1 where invoice_id = %(invoice)s",
        {"paid is not the sum of the allocations"},
    ),
    "payments": (
        "set amount = 1, tendered = 1 where customer_id = %(customer)s and number is not null",
        {"more is allocated and refunded than was paid"},
    ),
    "credit_note_allocations": (
        "set amount = amount + 1 where invoice_id = %(invoice)s",
        {
            "credited is not the sum of the credit allocations",
            "more is applied and refunded than was credited",
        },
    ),
    "credit_note_lines": (
        "set quantity = 9 where invoice_id = %(invoice)s",
        {"more of a line is credited than was sold"},
    ),
    "credit_notes": (
        "set total = total + 900, round_off = 900 where invoice_id = %(invoice)s",
        {"more is credited than was invoiced"},
    ),
    "invoice_lines": (
        "set taxable = taxable + 1 where invoice_id = %(invoice)s",
        {"the total is not the lines and the round-off"},
    ),
    "refund_sources": (
        "set amount = 1 where credit_note_id is not null",
        {"the amount is not the sum of its sources"},
    ),
}


@pytest.mark.parametrize("table", WRONGS)
def test_what_disagrees_is_named(people: People, table: str) -> None:
    """check_books names it, the nightly proof counts it."""
    customer, admin, org = people.world.teak.customers["trusted"], people.as_admin(), people.world.teak.id
    invoice = owe(people, assembly(people, 100, 2))
    record(people.as_cashier(), customer, 100)
    credit(people.as_sales(), invoice["id"], [{"line_no": 1, "quantity": 1}])
    cash = sell(people.as_sales(), people.world.blr, assembly(people, 100))
    credit(people.as_sales(), cash["id"], refund={"method": "cash"})
    assert_books(people)

    change, problems = WRONGS[table]
    # Deferred checks first: a table with pending trigger events cannot be altered.
    people.connection.execute("set constraints all immediate")
    people.connection.execute(f"alter table public.{table} disable trigger user")
    people.connection.execute(
        f"update public.{table} {change}".encode(), {"invoice": invoice["id"], "customer": customer}
    )
    found = admin.rpc("check_books", p_org_id=org)
    assert problems <= {row["problem"] for row in found}
    (proof,) = [c for c in admin.rpc("check_integrity", p_org_id=org)["checks"] if c["proof"] == "money"]
    assert (proof["passed"], proof["findings"]) == (False, len(found))


OFFER_WRONGS = {
    "more is taken of points than there was": (
        "loyalty_entries",
        "set points = points - 1000 where kind = 'redeem'",
    ),
    "points of one customer are taken by another": (
        "loyalty_entries",
        "set customer_id = %(other)s where kind = 'redeem'",
    ),
    "points that paid are not the payments made with points": (
        "loyalty_entries",
        "set amount = amount + 1 where kind = 'redeem'",
    ),
    "more points came back than had paid": (
        "loyalty_entries",
        "set amount = amount + 500 where kind = 'return'",
    ),
    "a coupon was used more often than it may be": (
        "coupon_uses",
        "set uses = 3 where entry = 1",
    ),
    "a coupon was given back that nobody had used": (
        "coupon_uses",
        "set uses = -1, entry = 2 where invoice_id = %(invoice)s",
    ),
}


@pytest.mark.parametrize("problem", OFFER_WRONGS)
def test_points_and_coupons_are_proved_too(people: People, problem: str) -> None:
    """Redeemed, partly returned, a coupon used as often as it may be: in order until something is changed."""
    customer, admin, org = people.world.teak.customers["trusted"], people.as_admin(), people.world.teak.id
    offers.program(people)
    offers.adjust_points(people, customer, 400)
    special = offers.promotion(people, "percent", 10, needs_coupon=True)
    offers.coupon(people, special, "ONCE-25", max_uses=1, max_uses_per_customer=1)
    sale = sell(
        people.as_sales(),
        people.world.blr,
        line(people.world.teak.variants["assembly"], 2),
        payments=[pay(100, "points"), pay(962)],
        customer=customer,
        coupon="ONCE-25",
    )
    credit(people.as_sales(), sale["id"], [{"line_no": 1, "quantity": 1}])
    assert_books(people)

    table, change = OFFER_WRONGS[problem]
    people.connection.execute("set constraints all immediate")
    people.connection.execute(f"alter table public.{table} disable trigger user")
    checks = "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'"
    for (check,) in people.connection.execute(checks, [f"public.{table}"]).fetchall():
        people.connection.execute(f"alter table public.{table} drop constraint {check}")
    people.connection.execute(
        f"update public.{table} {change}".encode(),
        {"other": people.world.teak.customers["local"], "invoice": sale["id"]},
    )
    assert problem in {row["problem"] for row in admin.rpc("check_books", p_org_id=org)}


def test_limits_that_were_lowered_are_no_finding(people: People) -> None:
    """A coupon that was used may be limited afterwards: what was allowed then stays in order."""
    customer, org = people.world.teak.customers["trusted"], people.world.teak.id
    special = offers.promotion(people, "percent", 10, needs_coupon=True)
    offers.coupon(people, special, "OFTEN-25")
    for _ in range(2):
        sell(
            people.as_sales(),
            people.world.blr,
            line(people.world.teak.variants["assembly"]),
            customer=customer,
            coupon="OFTEN-25",
        )
    people.as_admin().execute(
        "update public.coupons set max_uses = 1 where code = 'OFTEN-25' and org_id = %s", [org]
    )
    # In one transaction everything happens at the same instant: the uses came before.
    people.connection.execute("set constraints all immediate")
    people.connection.execute("alter table public.coupon_uses disable trigger user")
    people.connection.execute("update public.coupon_uses set created_at = created_at - interval '1 hour'")
    assert_books(people)


def test_the_proof_is_for_who_reads_the_log(people: People) -> None:
    """Cashiers and strangers do not see it."""
    with raises("permission_denied", 403):
        people.as_cashier().rpc("check_books", p_org_id=people.world.teak.id)
    with raises("not_found", 404):
        people.as_foreign_admin().rpc("check_books", p_org_id=people.world.teak.id)
