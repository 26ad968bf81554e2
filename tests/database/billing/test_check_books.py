"""The proof bites: whatever is made to disagree past every trigger is named."""

# Names put into statements come from this file.

import pytest

from tests.database.billing.money import assembly, assert_books, credit, owe, record
from tests.database.sales import sell
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


def test_the_proof_is_for_who_reads_the_log(people: People) -> None:
    """Cashiers and strangers do not see it."""
    with raises("permission_denied", 403):
        people.as_cashier().rpc("check_books", p_org_id=people.world.teak.id)
    with raises("not_found", 404):
        people.as_foreign_admin().rpc("check_books", p_org_id=people.world.teak.id)
