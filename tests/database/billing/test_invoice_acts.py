"""Invoices without a counter sale: drafted, sent, for orders, and voided on their own day."""

from decimal import Decimal
from typing import Any

import pytest

from tests.database.billing.money import assert_books, credit, record, state
from tests.database.billing.trading import advance, confirm, confirmed, deliver, events, invoice, order
from tests.database.moving import traces
from tests.database.sales import Line, line, on_hand
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People


def _write(
    person: Persona, people: People, *lines: Line, customer: str = "trusted", **options: object
) -> Any:
    return person.rpc(
        "create_invoice",
        p_id=options.pop("p_id", None) or new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers[customer],
        p_lines=list(lines),
        p_options=options,
    )


def _set(person: Persona, invoice: Any, status: str, **changed: Any) -> Any:
    arguments = {"p_id": new_id(), "p_invoice_id": invoice["id"], "p_status": status}
    return person.rpc("set_invoice_status", **(arguments | changed))


def _void(person: Persona, invoice: Any, **changed: Any) -> Any:
    return _set(person, invoice, "void", **({"p_options": {"reason": "Wrong customer"}} | changed))


def _shelf(people: People, key: str) -> Decimal:
    return on_hand(people.connection, people.world.blr.showroom, people.world.teak.variants[key])


def _yesterday(people: People, invoice: Any) -> None:
    """Let the invoice be of yesterday, as time would."""
    connection = people.connection
    connection.execute("alter table public.invoices disable trigger t40_enforce_lifecycle")
    connection.execute(
        "update public.invoices set business_date = business_date - 1 where id = %s", [invoice["id"]]
    )
    connection.execute("alter table public.invoices enable trigger t40_enforce_lifecycle")


def test_a_draft_is_nothing_until_it_is_sent(people: People) -> None:
    """No number, no goods, no debt; sending gives all three."""
    sofa, cashier = people.world.teak.variants["sofa"], people.as_cashier()
    shelf = _shelf(people, "sofa")
    made = _write(cashier, people, line(sofa), draft=True, location_id=people.world.blr.showroom)
    assert (made["status"], made["number"], made["balance"]) == ("draft", None, 0)
    assert _shelf(people, "sofa") == shelf
    act = new_id()
    sent = _set(cashier, made, "sent", p_id=act)
    assert (sent["status"], sent["balance"]) == ("sent", 1180)
    assert sent["number"]
    assert _shelf(people, "sofa") == shelf - 1
    before = traces(people.connection)
    assert _set(cashier, made, "sent", p_id=act) == sent
    assert traces(people.connection) == before
    with raises("invalid_transition", 409):
        _set(cashier, made, "sent")
    assert events(people.connection, made["id"]) == ["invoice.issued"]
    assert_books(people)


def test_sent_at_once(people: People) -> None:
    """Goods from a location, services from nowhere; due when it is said; paid like any other."""
    variants, cashier = people.world.teak.variants, people.as_cashier()
    act = new_id()
    service = _write(cashier, people, line(variants["assembly"]), p_id=act, due_date="2034-05-06")
    assert (service["status"], service["location_id"], service["due_date"]) == ("sent", None, "2034-05-06")
    assert _write(cashier, people, line(variants["assembly"]), p_id=act, due_date="2034-05-06") == service
    with raises("id_reused", 409):
        _write(cashier, people, line(variants["assembly"]), p_id=act)
    with raises("invalid_input", 400):
        _write(cashier, people, line(variants["sofa"]))
    phone = _write(
        cashier,
        people,
        line(variants["phone"], serials=["BLR-2"]),
        location_id=people.world.blr.showroom,
    )
    assert phone["lines"][0]["serials"] == ["BLR-2"]
    record(cashier, people.world.teak.customers["trusted"], service["total"] + phone["total"])
    assert [state(people, each["id"])[0] for each in (service, phone)] == ["paid", "paid"]
    assert_books(people)


def test_credit_is_asked_for(people: People) -> None:
    """When it is sent, not while it is a draft; what is refused leaves nothing behind."""
    assembly, cashier = people.world.teak.variants["assembly"], people.as_cashier()
    draft = _write(cashier, people, line(assembly, 4), draft=True)
    before = traces(people.connection)
    with raises("credit_limit_exceeded", 422):
        _set(cashier, draft, "sent")
    with raises("credit_limit_exceeded", 422):
        _write(cashier, people, line(assembly, 4))
    with raises("credit_limit_exceeded", 422):
        _write(cashier, people, line(assembly), customer="local")
    with raises("invalid_input", 400):
        _write(cashier, people, line(assembly), due_date="2001-01-01")
    assert traces(people.connection) == before


def test_a_draft_is_written_anew(people: People) -> None:
    """Its lines are replaced; once it is sent, nobody replaces them."""
    variants, cashier = people.world.teak.variants, people.as_cashier()
    made = _write(cashier, people, line(variants["assembly"]), draft=True)
    again = {
        "p_id": new_id(),
        "p_invoice_id": made["id"],
        "p_customer_id": people.world.teak.customers["trusted"],
        "p_lines": [line(variants["lamp"], 2)],
        "p_options": {"location_id": people.world.blr.showroom, "note": "Two lamps"},
    }
    done = cashier.rpc("save_invoice_draft", **again)
    assert ([x["sku"] for x in done["lines"]], done["total"], done["note"]) == (["LAMP"], 236, "Two lamps")
    assert cashier.rpc("save_invoice_draft", **again) == done
    _set(cashier, made, "sent")
    with raises("invalid_transition", 409):
        cashier.rpc("save_invoice_draft", **(again | {"p_id": new_id()}))
    owner, mine = Persona(people.connection, "postgres"), [made["id"]]
    with raises("append_only", 403):
        owner.execute("delete from public.invoice_lines where invoice_id = %s", mine)
    with raises("append_only", 403):
        owner.execute("update public.invoice_lines set quantity = 1 where invoice_id = %s", mine)
    with raises("document_final", 409):
        owner.execute("update public.invoices set note = 'x' where id = %s", mine)
    for person in (people.as_service(), people.as_admin()):
        with raises_sqlstate("42501"):
            person.execute("update public.invoices set note = 'x' where id = %s", mine)


def test_a_draft_is_voided_by_who_writes_it(people: People) -> None:
    """It never had a number, and takes none; it is not sent any more."""
    cashier = people.as_cashier()
    made = _write(cashier, people, line(people.world.teak.variants["assembly"]), draft=True)
    done = _set(cashier, made, "void")
    assert (done["status"], done["number"]) == ("void", None)
    for status in ("sent", "void", "draft"):
        with raises("invalid_transition", 409):
            _set(cashier, made, status)


def test_an_invoice_of_today_is_voided(people: People) -> None:
    """By whoever holds invoice.void, with a reason; the goods come back, nothing is owed."""
    variants, admin = people.world.teak.variants, people.as_admin()
    shelves = {key: _shelf(people, key) for key in ("sofa", "lamp", "phone")}
    made = _write(
        people.as_cashier(),
        people,
        line(variants["lamp"], 2),
        line(variants["phone"], serials=["BLR-1"]),
        line(variants["assembly"]),
        location_id=people.world.blr.showroom,
    )
    for person in (people.as_cashier(), people.as_sales()):
        with raises("permission_denied", 403):
            _void(person, made)
    with raises("invalid_input", 400):
        _set(admin, made, "void")
    act = new_id()
    done = _void(admin, made, p_id=act)
    assert (done["status"], done["balance"], done["number"]) == ("void", 0, made["number"])
    assert {key: _shelf(people, key) for key in shelves} == shelves
    before = traces(people.connection)
    assert _void(admin, made, p_id=act) == done
    assert traces(people.connection) == before
    with raises("invalid_transition", 409):
        _void(admin, made)
    assert_books(people)


@pytest.mark.parametrize("why", ["yesterday", "paid", "credited"])
def test_else_a_credit_note_is_asked_for(people: People, why: str) -> None:
    """Of another day, or with anything paid or credited, an invoice is not voided."""
    assembly, cashier = people.world.teak.variants["assembly"], people.as_cashier()
    made = _write(cashier, people, line(assembly, 2))
    if why == "yesterday":
        _yesterday(people, made)
    elif why == "paid":
        record(cashier, people.world.teak.customers["trusted"], 1)
    else:
        credit(people.as_sales(), made["id"], [{"line_no": 1, "quantity": 1}])
    before = traces(people.connection)
    with raises("credit_note_required", 409) as refusal:
        _void(people.as_admin(), made)
    assert "credit note" in refusal.message
    assert traces(people.connection) == before


@pytest.mark.parametrize(
    ("status", "code"), [("paid", 409), ("partially_paid", 409), ("lost", 400), (None, 400)]
)
def test_other_statuses_follow_from_payments(people: People, status: Any, code: int) -> None:
    """Nobody sets them by hand."""
    made = _write(people.as_cashier(), people, line(people.world.teak.variants["assembly"]))
    with raises("invalid_transition" if code == 409 else "invalid_input", code):
        _set(people.as_admin(), made, status)


def test_an_order_is_invoiced_with_its_advances(people: People) -> None:
    """The oldest advance first; what is left waits for the next invoice; never more than was ordered."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    made = order(people, line(sofa, 3))
    first, second = advance(people, made, 1000), advance(people, made, 2000, "card")
    confirm(people, made)
    note = deliver(people.as_stockkeeper(), people, made, {"line_no": 1, "quantity": 1})
    part = invoice(sales, made, delivery_id=note["id"])
    assert (part["status"], part["total"], part["order_id"]) == ("paid", 1180, made["id"])
    assert {p["id"]: p["amount"] for p in part["payments"]} == {first["id"]: 1000, second["id"]: 180}
    with raises("invoice_exceeds_order", 422):
        invoice(sales, made, delivery_id=note["id"])
    with raises("not_found", 404):
        invoice(sales, made, delivery_id=new_id())
    rest = invoice(sales, made, due_date="2034-05-06")
    assert (rest["status"], rest["paid"], rest["balance"]) == ("partially_paid", 1820, 540)
    assert [(x["line_no"], x["quantity"]) for x in rest["lines"]] == [(1, 2)]
    before = traces(people.connection)
    with raises("invoice_exceeds_order", 422):
        invoice(sales, made)
    assert traces(people.connection) == before
    record(people.as_cashier(), people.world.teak.customers["trusted"], 540)
    assert state(people, rest["id"])[0] == "paid"
    assert_books(people)


def test_invoiced_before_delivery(people: People) -> None:
    """The whole order at once; later deliveries have nothing more to invoice, and move the goods alone."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    shelf = _shelf(people, "sofa")
    made = confirmed(people, line(sofa, 2))
    billed = invoice(sales, made)
    assert (billed["status"], billed["total"]) == ("paid", 2360)
    assert _shelf(people, "sofa") == shelf
    note = deliver(sales, people, made)
    assert _shelf(people, "sofa") == shelf - 2
    with raises("invoice_exceeds_order", 422):
        invoice(sales, made, delivery_id=note["id"])


def test_a_void_invoice_of_an_order_is_written_again(people: People) -> None:
    """What was delivered stays delivered; the order is to be invoiced once more."""
    assembly, admin = people.world.teak.variants["assembly"], people.as_admin()
    made = order(people, line(people.world.teak.variants["sofa"]), line(assembly, unit_price=100))
    confirm(people, made)
    deliver(people.as_stockkeeper(), people, made)
    shelf = _shelf(people, "sofa")
    first = invoice(people.as_cashier(), made)
    _void(admin, first)
    assert _shelf(people, "sofa") == shelf
    again = invoice(people.as_cashier(), made)
    assert (again["total"], again["tax_summary"]) == (first["total"], first["tax_summary"])
    assert_books(people)


def test_who_may_not(people: People) -> None:
    """Stockkeeper and technician invoice nothing; another branch and another house find nothing."""
    assembly = people.world.teak.variants["assembly"]
    made = _write(people.as_cashier(), people, line(assembly), draft=True)
    bought = confirmed(people, line(people.world.teak.variants["sofa"]))
    for person in (people.as_stockkeeper(), people.as_technician()):
        with raises("permission_denied", 403):
            _write(person, people, line(assembly))
        with raises("permission_denied", 403):
            _set(person, made, "sent")
        with raises("permission_denied", 403):
            invoice(person, bought)
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            _write(person, people, line(assembly))
        with raises("not_found", 404):
            _set(person, made, "sent")
        with raises("not_found", 404):
            invoice(person, bought)


def test_a_free_draft_is_not_sent(people: People) -> None:
    """There is nothing to pay; sent at once it is paid at once."""
    assembly, sales = people.world.teak.variants["assembly"], people.as_sales()
    draft = _write(sales, people, line(assembly, unit_price=0), draft=True)
    with raises("nothing_to_invoice", 422):
        _set(sales, draft, "sent")
    assert _write(sales, people, line(assembly, unit_price=0))["status"] == "paid"
