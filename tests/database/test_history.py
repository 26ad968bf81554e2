"""No call reads more because more has happened before: what is open and what is asked decide, not history.

A customer buys, pays, returns, orders, earns and redeems, long ago, and nothing of it is open. Then every
public function is called as the permission table calls it, the history grows many times over, and every
function is called again: it reads no more rows than before.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.database.billing.credit import agree, terms
from tests.database.billing.money import assert_books, credit, record
from tests.database.billing.offers import adjust_points, program
from tests.database.matrix import ACTS
from tests.database.matrix_kinds import Place
from tests.database.sales import adjust, line, pay, sell
from tests.support.history import History
from tests.support.houses import make_world
from tests.support.personas import Connection, Persona, connect, new_id
from tests.support.stack import Shared
from tests.support.world import People

# So often something of each kind happens, and so often that was copied, first and then.
ROUNDS, FEW, MANY = 2, 20, 200
RECENT = {"p_from": "2026-01-01", "p_to": "2026-12-31"}

# What reads everything because everything is what was asked for, and why.
READS_ALL = {
    "check_books": "proves every document of the house",
    "check_integrity": "proves every document of the house",
    "check_stock": "proves every movement of the house",
    "merge_customers": "moves every document of a customer",
}

REFUSED = {"a sale beyond the limit"}

# What grows with something else than what happened to the customer, or is read whole on purpose.
GROWS = {
    "customer_history": "puts all kinds of documents in one order before it takes a page",
}

# Rows that a plan may touch beside its answer: far fewer than the rounds that were added.
SLACK = 10


def customer_of(people: People) -> UUID:
    """Whose history it is."""
    return people.world.teak.customers["trusted"]


def trade(people: People, rounds: int) -> None:
    """The customer's history. Each round a sale paid at once, one that comes back for cash, one on credit
    paid with money held, one by instalments that are paid, an order with an advance, and points.
    """
    admin, customer, blr = people.as_admin(), customer_of(people), people.world.blr
    goods, work = people.world.teak.variants["sofa"], people.world.teak.variants["assembly"]
    for _ in range(rounds):
        adjust(people, goods, 2, cost=100)
        sell(admin, blr, line(goods), payments=[pay(1180)], customer=customer)
        back = sell(admin, blr, line(work), payments=[pay(590)], customer=customer)
        credit(admin, back["id"], refund={"method": "cash"})
        owed = sell(admin, blr, line(work), payments=[], customer=customer)
        money = record(admin, customer, 590, p_options={"branch_id": blr.id, "hold": True})
        admin.rpc(
            "allocate_payment",
            p_id=new_id(),
            p_payment_id=money["id"],
            p_allocations=[{"invoice_id": owed["id"], "amount": 590}],
        )
        owed = sell(admin, blr, line(work), payments=[], customer=customer)
        agreement = agree(people, owed["id"], terms(people, 1, fees=[{"name": "Fee", "amount": 10}]), admin)
        admin.rpc(
            "pay_agreement", p_id=new_id(), p_agreement_id=agreement["id"], p_amount=600, p_method="cash"
        )
        bounced = record(admin, customer, 5, p_options={"branch_id": blr.id, "hold": True})
        admin.rpc("reverse_payment", p_id=new_id(), p_payment_id=bounced["id"], p_reason="Bounced")
        adjust_points(people, customer, -7)
        _order(people, customer)


def _order(people: People, customer: UUID) -> None:
    """An order that is paid in advance, delivered, invoiced and closed."""
    admin, blr, goods = people.as_admin(), people.world.blr, people.world.teak.variants["sofa"]
    order = admin.rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=None,
        p_branch_id=blr.id,
        p_customer_id=customer,
        p_lines=[line(goods)],
    )
    record(admin, customer, order["total"], p_options={"branch_id": blr.id, "order_id": order["id"]})
    place = {"location_id": blr.showroom}
    admin.rpc("confirm_order", p_id=new_id(), p_order_id=order["id"], p_options=place)
    admin.rpc(
        "deliver_order", p_id=new_id(), p_order_id=order["id"], p_location_id=blr.showroom, p_lines=None
    )
    admin.rpc("invoice_order", p_id=new_id(), p_order_id=order["id"], p_options={})
    admin.rpc("mark_order", p_id=new_id(), p_order_id=order["id"], p_status="closed")


def rows_read(connection: Connection) -> dict[str, int]:
    """How many rows of each table this transaction has read so far."""
    rows = connection.execute(
        "select schemaname || '.' || relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) "
        "from pg_stat_xact_user_tables"
    ).fetchall()
    return dict(rows)


def reads(person: Persona, act: str, arguments: dict[str, Any]) -> tuple[dict[str, int], str]:
    """What a call reads of each table, and what it answered if it was refused; nothing of it stays."""
    connection, refused = person.connection, ""
    with connection.transaction(force_rollback=True):
        before = rows_read(connection)
        try:
            person.rpc(act, **arguments)
        except psycopg.Error as error:
            refused = f"{error.sqlstate} {error.diag.message_detail or error}"
        after = rows_read(connection)
    return {table: count - before.get(table, 0) for table, count in after.items()}, refused


def more_acts(people: People) -> dict[str, tuple[str, dict[str, Any]]]:
    """Calls beside those of the permission table: where a customer's whole history could be looked at."""
    customer, blr = customer_of(people), people.world.blr
    work = line(people.world.teak.variants["assembly"])
    sale = {
        "p_branch_id": blr.id,
        "p_location_id": blr.showroom,
        "p_customer_id": customer,
        "p_lines": [work],
    }
    return {
        "a sale to a named customer": ("post_sale", sale | {"p_id": new_id(), "p_payments": [pay(590)]}),
        "a sale on credit": ("post_sale", sale | {"p_id": new_id(), "p_payments": []}),
        "a sale beyond the limit": (
            "post_sale",
            sale | {"p_id": new_id(), "p_payments": [], "p_lines": [work | {"quantity": 9999}]},
        ),
        "a sale paid with points": (
            "post_sale",
            sale | {"p_id": new_id(), "p_payments": [pay(1, "points"), pay(589)]},
        ),
        "points taken": (
            "adjust_points",
            {"p_id": new_id(), "p_customer_id": customer, "p_points": -3, "p_reason": "Test"},
        ),
        "a payment on account": (
            "record_payment",
            {
                "p_id": new_id(),
                "p_customer_id": customer,
                "p_amount": 5,
                "p_method": "cash",
                "p_options": {"branch_id": blr.id},
            },
        ),
        "a refund of what is held": (
            "refund",
            {
                "p_id": new_id(),
                "p_customer_id": customer,
                "p_amount": 5,
                "p_method": "cash",
                "p_options": {"branch_id": blr.id},
            },
        ),
        "points of this year": (
            "loyalty_statement",
            {"p_customer_id": customer, "p_from": RECENT["p_from"], "p_to": RECENT["p_to"]},
        ),
    }


def all_calls(people: People) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every public function, about that customer where it is about one."""
    world, customers = people.world, set(people.world.teak.customers.values())
    place = Place(world, world.teak, world.blr)
    calls: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, act in ACTS.items():
        if name in READS_ALL or name in ("accept_invitation", "revoke_invitation"):
            continue
        arguments = act.arguments(place) | (RECENT if name == "loyalty_statement" else {})
        if arguments.get("p_customer_id") in customers:
            arguments["p_customer_id"] = customer_of(people)
        calls[name] = (name, arguments)
    return calls | more_acts(people)


@pytest.fixture
def everything(shared: Shared, fresh_database: str) -> Iterator[People]:
    """The world in a database of its own, committed, whose connection may put rows in past every trigger."""
    with connect(shared.cluster.superuser_url(fresh_database)) as connection:
        with connection.transaction():
            world = make_world(connection)
        yield People(connection, world)


def test_nothing_reads_history(everything: People) -> None:
    """Ten times the history, and no call reads more rows of any table."""
    people, connection, admin = everything, everything.connection, everything.as_admin()
    admin.rpc("set_credit_limit", p_customer_id=customer_of(people), p_credit_limit=Decimal(5000))
    program(people)
    record(admin, customer_of(people), 20, p_options={"branch_id": people.world.blr.id, "hold": True})
    history = History(connection)
    history.begin()
    trade(people, ROUNDS)
    history.end()
    seen: list[dict[str, dict[str, int]]] = []
    for copies in (FEW, MANY):
        history.grow(copies)
        # Some hundred rows are read whole sooner than by an index, as millions are not.
        connection.execute("set enable_seqscan = off")
        seen.append({})
        for name, (act, arguments) in all_calls(people).items():
            seen[-1][name], refused = reads(admin, act, arguments)
            assert bool(refused) == (name in REFUSED), (name, refused)
    assert_books(people)
    more = {
        name: {
            table: (seen[0][name].get(table, 0), count)
            for table, count in tables.items()
            if count > seen[0][name].get(table, 0) + SLACK
        }
        for name, tables in seen[1].items()
    }
    found = {name: tables for name, tables in more.items() if tables and name not in GROWS}
    assert not found, "\n" + "\n".join(f"{name}: {tables}" for name, tables in found.items())
