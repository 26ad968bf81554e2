"""What is left of payments and credit notes is kept, and is always what their entries leave."""

import re

import pytest

from tests.database.billing.money import assembly, assert_books, credit, owe, record
from tests.database.sales import sell
from tests.support.personas import Connection, new_id, raises_sqlstate
from tests.support.world import People

# Entries that use of a payment or a credit note, and what makes one.
ENTRIES = (
    "payments",
    "credit_notes",
    "payment_allocations",
    "credit_note_allocations",
    "refund_sources",
    "credit_settlements",
    "payment_reversals",
)
# Written together with what they settle, so that nothing is ever held of them.
PAYS_WHOLE = {"post_sale"}


def test_whoever_writes_an_entry_says_what_is_held(owner: Connection) -> None:
    """Read off the catalogue: each function that puts a row into one of these tables calls hold_money."""
    writes = rf"insert into public\.({'|'.join(ENTRIES)}) "
    sources: dict[str, str] = dict(
        owner.execute(
            "select proname, prosrc from pg_proc where pronamespace in ('private'::regnamespace, "
            "'public'::regnamespace)"
        ).fetchall()
    )
    writers = {name for name, source in sources.items() if re.search(writes, source)}
    assert len(writers) >= len(ENTRIES)
    assert {name for name in writers if "private.hold_money(" not in sources[name]} == PAYS_WHOLE


def test_only_one_function_changes_it(owner: Connection) -> None:
    """Nobody else writes the table, and no request may read it."""
    rows = owner.execute(
        r"select proname from pg_proc where prosrc ~ '(insert into|update|delete from) private\.money_held'"
    ).fetchall()
    assert rows == [("hold_money",)]
    for role in ("anon", "authenticated", "service_role"):
        row = owner.execute(
            "select has_table_privilege(%s, 'private.money_held', 'select')", [role]
        ).fetchone()
        assert row == (False,)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("update private.money_held set amount = amount + 1 where payment_id is not null", "payment"),
        ("delete from private.money_held where credit_note_id is not null", "credit_note"),
        ("update private.money_held set customer_id = %(other)s where customer_id = %(customer)s", "payment"),
        (
            (
                "insert into private.money_held (org_id, payment_id, customer_id, amount) "
                "select org_id, id, customer_id, 5 from public.payments "
                "where customer_id = %(customer)s and number is null"
            ),
            "payment",
        ),
    ],
)
def test_what_disagrees_is_named(people: People, change: str, what: str) -> None:
    """A payment held, a credit note not used, a sale paid whole: in order until it is changed."""
    customer, org = people.world.teak.customers["trusted"], people.world.teak.id
    record(people.as_cashier(), customer, 70, p_options={"branch_id": people.world.blr.id, "hold": True})
    sold = sell(people.as_sales(), people.world.blr, assembly(people, 100), customer=customer)
    credit(people.as_sales(), sold["id"])
    assert_books(people)
    others = {"other": people.world.teak.customers["local"], "customer": customer}
    people.connection.execute(change.encode(), others)
    found = people.as_admin().rpc("check_books", p_org_id=org)
    assert {row["problem"] for row in found} == {"what is held is not what is left"}
    assert what in {row["document"] for row in found}


def test_no_more_is_used_than_is_left(people: People) -> None:
    """Whatever an act has overlooked, the table itself holds the line."""
    customer = people.world.teak.customers["trusted"]
    held = record(
        people.as_cashier(), customer, 70, p_options={"branch_id": people.world.blr.id, "hold": True}
    )
    with raises_sqlstate("23514"), people.connection.transaction():
        people.connection.execute(
            "select private.hold_money(%s, %s, null, -70.01)", [people.world.teak.id, held["id"]]
        )


def test_what_is_used_up_leaves_no_row(people: People) -> None:
    """So that the table is as long as what is open, not as what there was."""
    customer, connection = people.world.teak.customers["trusted"], people.connection
    count = "select count(*) from private.money_held where org_id = %s"
    before = connection.execute(count, [people.world.teak.id]).fetchone()
    owed = owe(people, assembly(people, 100))
    options = {"branch_id": people.world.blr.id, "hold": True}
    held = record(people.as_cashier(), customer, 118, p_options=options)
    part = [{"invoice_id": owed["id"], "amount": 118}]
    people.as_cashier().rpc("allocate_payment", p_id=new_id(), p_payment_id=held["id"], p_allocations=part)
    bounced = record(people.as_cashier(), customer, 5, p_options=options)
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="Bounced")
    assert connection.execute(count, [people.world.teak.id]).fetchone() == before
