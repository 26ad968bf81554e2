"""Refunds: what the house holds for a customer is paid back, never more."""

from typing import Any

import pytest

from tests.database.billing.money import assembly, assert_books, credit, held, owe, record
from tests.database.sales import footprint, line, pay, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People


def _refund(person: Persona, customer: Any, amount: object, **options: Any) -> Any:
    return person.rpc(
        "refund",
        p_id=options.pop("p_id", None) or new_id(),
        p_customer_id=customer,
        p_amount=amount,
        p_method=options.pop("p_method", "cash"),
        p_options={"branch_id": None} | options,
    )


def test_credit_is_paid_back_oldest_first(people: People) -> None:
    """Out of a payment and a credit note; the voucher has a number; twice the same call is once."""
    customer, blr = people.world.teak.customers["trusted"], people.world.blr
    payment = record(people.as_cashier(), customer, 50)
    invoice = sell(people.as_sales(), blr, assembly(people), payments=[pay(118, "card")], customer=customer)
    note = credit(people.as_sales(), invoice["id"])
    assert (note["left"], note["allocations"]) == (118, [])
    assert held(people.connection, people.world.teak.id, customer) == 168

    act = new_id()
    asked = {"p_id": act, "p_method": "bank_transfer", "branch_id": str(blr.id)}
    back = _refund(people.as_admin(), customer, 100, **asked)
    assert back["number"].rsplit("/", 1)[1][0] == "F"
    assert sum(s["amount"] for s in back["sources"]) == 100
    assert {s["payment_id"] or s["credit_note_id"] for s in back["sources"]} <= {payment["id"], note["id"]}
    before = footprint(people.connection)
    assert _refund(people.as_admin(), customer, 100, **asked) == back
    assert footprint(people.connection) == before
    assert held(people.connection, people.world.teak.id, customer) == 68
    with raises("refund_exceeds_credit", 422) as refusal:
        _refund(people.as_admin(), customer, 69, branch_id=str(blr.id))
    assert refusal.facts["credit"] == 68
    _refund(people.as_admin(), customer, 68, branch_id=str(blr.id))
    assert held(people.connection, people.world.teak.id, customer) == 0
    assert_books(people)


def test_what_settles_an_invoice_is_not_paid_back(people: People) -> None:
    """Only what is left of a payment."""
    customer = people.world.teak.customers["trusted"]
    owe(people, assembly(people))
    payment = record(people.as_cashier(), customer, 120)
    with raises("refund_exceeds_credit", 422):
        _refund(people.as_admin(), customer, 3, payment_id=payment["id"])
    assert _refund(people.as_admin(), customer, 2, payment_id=payment["id"])["amount"] == 2
    assert people.as_admin().rpc("get_payment", p_id=payment["id"])["unallocated"] == 0
    assert_books(people)


def test_refunds_are_the_admins(people: People) -> None:
    """Neither the cashier nor sales pays out; strangers find nothing; the wrong customer gets nothing."""
    world = people.world
    payment = record(people.as_cashier(), world.teak.customers["trusted"], 50)
    for person in (people.as_cashier(), people.as_sales(), people.as_stockkeeper()):
        with raises("permission_denied", 403):
            _refund(person, None, 1, payment_id=payment["id"])
    with raises("not_found", 404):
        _refund(people.as_foreign_admin(), None, 1, payment_id=payment["id"])
    with raises("not_found", 404):
        _refund(people.as_admin(), None, 1, payment_id=str(world.lagoon.payments["LON"]))
    with raises("customer_mismatch", 422):
        _refund(people.as_admin(), world.teak.customers["local"], 1, payment_id=payment["id"])


@pytest.mark.parametrize(
    "options",
    [
        {"payment_id": "x"},
        {"credit_note": "x"},
        {"reference": "x" * 101},
        {"p_method": "shells"},
        {"amount": 0},
    ],
)
def test_malformed_is_refused(people: People, options: dict[str, Any]) -> None:
    """400, and nothing is written."""
    before = footprint(people.connection)
    with raises("invalid_input", 400):
        _refund(
            people.as_admin(),
            people.world.teak.customers["trusted"],
            options.pop("amount", 1),
            **({"branch_id": str(people.world.blr.id)} | options),
        )
    assert footprint(people.connection) == before


def _may_refund(people: People) -> Persona:
    """The cashier of Bengaluru, to whose role the house gave refunds."""
    people.connection.execute(
        "insert into public.role_permissions (org_id, role_id, permission) "
        "select org_id, id, 'refund.create' from public.roles where org_id = %s and key = 'cashier'",
        [people.world.teak.id],
    )
    return people.as_cashier()


def test_the_same_call_again_when_he_has_more_branches(people: People) -> None:
    """The branch was his only one; it stays the refund's."""
    customer, act, cashier = people.world.teak.customers["trusted"], new_id(), _may_refund(people)
    record(people.as_cashier(), customer, 50)
    back = _refund(cashier, customer, 20, p_id=act)
    people.connection.execute(
        "insert into public.membership_branches (org_id, user_id, branch_id) values (%s, %s, %s)",
        [people.world.teak.id, people.world.teak.users["cashier"].id, people.world.mum.id],
    )
    assert _refund(cashier, customer, 20, p_id=act) == back


def test_no_refund_is_older_than_its_money(people: People) -> None:
    """Else a refund would be dated into a time when nothing was held."""
    customer = people.world.teak.customers["trusted"]
    payment = record(people.as_cashier(), customer, 50)
    invoice = sell(people.as_sales(), people.world.blr, assembly(people), customer=customer)
    note = credit(people.as_sales(), invoice["id"])
    before = footprint(people.connection)
    for source in ({"payment_id": payment["id"]}, {"credit_note_id": note["id"]}):
        with raises("invalid_input", 400) as refusal:
            _refund(people.as_admin(), None, 1, occurred_at="2024-05-01T10:00:00+05:30", **source)
        assert refusal.facts["field"] == "occurred_at"
    assert footprint(people.connection) == before


def test_money_of_another_branch(people: People) -> None:
    """Whoever uses a payment or a credit note covers the branch that took or issued it."""
    world, cashier = people.world, _may_refund(people)
    customer, at_home = world.teak.customers["trusted"], str(world.blr.id)
    away = record(people.as_cashier(world.mum), customer, 50)
    sold = sell(people.as_admin(), world.mum, assembly(people), customer=customer)
    note = credit(people.as_admin(), sold["id"])
    before = footprint(people.connection)
    for source in ({"payment_id": away["id"]}, {"credit_note_id": note["id"]}):
        with raises("not_found", 404):
            _refund(cashier, None, 1, branch_id=at_home, **source)
    with raises("refund_exceeds_credit", 422) as refusal:
        _refund(cashier, customer, 1, branch_id=at_home)
    assert refusal.facts["credit"] == 0
    with raises("not_found", 404):
        sell(
            people.as_sales(),
            world.blr,
            assembly(people),
            payments=[],
            customer=customer,
            credit_note_id=note["id"],
        )
    assert footprint(people.connection) == before
    # The admin covers both.
    assert _refund(people.as_admin(), customer, 168, branch_id=at_home)["amount"] == 168
    assert_books(people)


def test_who_is_not_there_gets_nothing_back(people: People) -> None:
    """A customer of nobody's is not found, also where a branch is named; a payment that bounced says so."""
    with raises("not_found", 404):
        _refund(people.as_admin(), new_id(), 1, branch_id=str(people.world.blr.id))
    customer = people.world.teak.customers["trusted"]
    payment = record(people.as_cashier(), customer, 50, p_method="cheque")
    people.as_admin().rpc("reverse_payment", p_id=new_id(), p_payment_id=payment["id"], p_reason="Bounced")
    with raises("payment_reversed", 409):
        _refund(people.as_admin(), customer, 50, payment_id=payment["id"])


def test_what_is_brought_back_elsewhere_is_paid_back_there(people: People) -> None:
    """A walk-in returns at the other branch: its till pays and numbers the voucher."""
    world, admin = people.world, people.as_admin()
    sold = sell(people.as_cashier(), world.blr, line(world.teak.variants["lamp"]))
    there: Any = {"location_id": world.mum.showroom}
    for person in (people.as_sales(), people.as_cashier(world.mum)):
        with raises("not_found", 404):
            credit(person, sold["id"], refund={"method": "cash", "branch_id": world.mum.id}, **there)
    with raises("not_found", 404):
        credit(
            admin, sold["id"], refund={"method": "cash", "branch_id": world.lagoon.branches[0].id}, **there
        )
    for nonsense in ("MUM", 1):
        with raises("invalid_input", 400):
            credit(admin, sold["id"], refund={"method": "cash", "branch_id": nonsense}, **there)
    note = credit(admin, sold["id"], refund={"method": "cash", "branch_id": world.mum.id}, **there)
    (paid,) = note["refunds"]
    (row,) = admin.select("select branch_id, amount from public.refunds where id = %s", [paid["id"]])
    assert (row["branch_id"], row["amount"], note["branch_id"]) == (world.mum.id, 118, str(world.blr.id))
    assert paid["number"].startswith("MUM/")
    assert_books(people)
