"""No invoice moves along a step that the lifecycle does not list, whoever pushes: all steps are tried."""

import itertools

import psycopg
import pytest

from tests.database.billing.money import assembly, owe, record
from tests.database.sales import sell
from tests.support.personas import Persona, new_id
from tests.support.refusals import state_of
from tests.support.world import People

STATUSES = ("draft", "sent", "partially_paid", "paid", "void")


def _invoice(people: People, status: str) -> str:
    """An invoice in this status, brought there by acts; a draft is written by the owner."""
    if status == "draft":
        owner, made = Persona(people.connection, "postgres"), new_id()
        owner.execute(
            "insert into public.invoices (org_id, id, branch_id, location_id, status, issued_at, "
            "business_date, currency, tax_regime, supply_type, place_of_supply, place_of_supply_name, "
            "seller, subtotal, discount, tax, round_off, total, created_by) "
            "select org_id, %s, branch_id, location_id, 'draft', issued_at, business_date, currency, "
            "tax_regime, supply_type, place_of_supply, place_of_supply_name, seller, subtotal, discount, "
            "tax, round_off, total, created_by from public.invoices where id = %s",
            [made, people.world.teak.invoices["BLR"]],
        )
        return str(made)
    if status == "paid":
        trusted = people.world.teak.customers["trusted"]
        return str(sell(people.as_sales(), people.world.blr, assembly(people), customer=trusted)["id"])
    invoice = owe(people, assembly(people))
    if status == "partially_paid":
        record(people.as_cashier(), people.world.teak.customers["trusted"], 18)
    if status == "void":
        people.as_cashier().rpc("void_sale", p_id=new_id(), p_invoice_id=invoice["id"], p_reason="X")
    return str(invoice["id"])


def _listed(people: People) -> set[tuple[str, str]]:
    rows = people.connection.execute(
        "select from_status, to_status from public.lifecycle_transitions where document = 'invoice'"
    ).fetchall()
    return {(row[0], row[1]) for row in rows}


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(STATUSES, 2)))
def test_only_listed_steps_are_taken(people: People, before: str, after: str) -> None:
    """By status alone, by status with money that fits it, by every role: the step is listed or refused."""
    invoice = _invoice(people, before)
    listed = (before, after) in _listed(people)
    money = {
        "draft": "paid = 0, credited = 0",
        "sent": "paid = 0, credited = 0",
        "partially_paid": "paid = 1, credited = 0",
        "paid": "paid = total, credited = 0",
        "void": "paid = 0, credited = total",
    }[after]
    number = "number = coalesce(number, 'X/1')"
    for person in (people.as_service(), people.as_admin(), people.as_cashier(), people.as_anon()):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person.execute("update public.invoices set status = %s where id = %s", [after, invoice])
    owner = Persona(people.connection, "postgres")
    statement = f"update public.invoices set status = %s, {money}, {number} where id = %s"  # noqa: S608
    if listed and before != "draft":
        with people.connection.transaction(force_rollback=True):
            assert owner.execute(statement, [after, invoice]) == 1
    elif not listed:
        with pytest.raises(psycopg.Error) as refusal:
            owner.execute(statement, [after, invoice])
        assert state_of(refusal.value) == "409"


def test_void_is_final_and_the_list_is_the_contract(people: People) -> None:
    """What clients read to know which buttons to show."""
    assert _listed(people) == {
        *(("new", status) for status in ("draft", "sent", "partially_paid", "paid")),
        *(("draft", status) for status in ("sent", "void")),
        *(("sent", status) for status in ("partially_paid", "paid", "void")),
        *(("partially_paid", status) for status in ("paid", "sent", "void")),
        *(("paid", status) for status in ("partially_paid", "sent", "void")),
    }
