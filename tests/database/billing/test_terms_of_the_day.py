"""Drafts and orders are invoiced by the tax and the parties of the day, not of the day they were priced."""

from typing import Any

import pytest

from tests.database.billing.money import assert_books
from tests.database.billing.trading import (
    advance,
    approved,
    confirm,
    confirmed,
    convert,
    deliver,
    invoice,
    order,
)
from tests.database.moving import traces
from tests.database.sales import line
from tests.support.personas import new_id, raises
from tests.support.world import People


def _draft(people: People, *lines: Any, **options: Any) -> Any:
    return people.as_sales().rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=list(lines),
        p_options={"draft": True, **options},
    )


def _save(people: People, draft: Any, *lines: Any, **options: Any) -> Any:
    return people.as_sales().rpc(
        "save_invoice_draft",
        p_id=new_id(),
        p_invoice_id=draft["id"],
        p_customer_id=draft["customer_id"],
        p_lines=list(lines),
        p_options=options,
    )


def _send(people: People, draft: Any) -> Any:
    return people.as_sales().rpc(
        "set_invoice_status", p_id=new_id(), p_invoice_id=draft["id"], p_status="sent"
    )


def _rate(people: People, key: str, rate: int) -> None:
    """A new rate for the class of a variant, since yesterday."""
    people.connection.execute(
        "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from)"
        " select v.org_id, p.tax_class_id, %s, current_date - 1 from public.product_variants v"
        " join public.products p on p.org_id = v.org_id and p.id = v.product_id where v.id = %s",
        [rate, people.world.teak.variants[key]],
    )


def _customer(people: People, **columns: Any) -> None:
    """Change the trusted customer."""
    people.connection.execute(
        f"update public.customers set {', '.join(f'{c} = %s' for c in columns)} where id = %s",  # noqa: S608
        [*columns.values(), people.world.teak.customers["trusted"]],
    )


def _row(people: People, document: Any) -> dict[str, Any]:
    row = people.connection.execute(
        "select to_jsonb(i) - array['id', 'created_at', 'issued_at'] from public.invoices i where id = %s",
        [document["id"]],
    ).fetchone()
    assert row is not None
    return dict(row[0])


def test_a_draft_written_anew_is_one_written_so_at_once(people: People) -> None:
    """Whatever it was before: no column keeps what the draft said first."""
    assembly = people.world.teak.variants["assembly"]
    _customer(people, tax_number="29AAGCB7383J1Z4")
    first = line(people.world.teak.variants["lamp"], 2)
    before = {"location_id": people.world.blr.showroom, "note": "Two lamps", "due_date": "2034-05-06"}
    now = {"reverse_charge": True, "reference": "PO 7", "place_of_supply": "27"}
    changed = _draft(people, first, **before)
    _save(people, changed, line(assembly), **now)
    fresh = _draft(people, line(assembly), **now)
    assert _row(people, changed)["reverse_charge"] is True
    assert _row(people, changed) == _row(people, fresh)
    _save(people, changed, first, **before)
    assert _row(people, changed) == _row(people, _draft(people, first, **before))


def test_a_draft_of_another_tax_is_saved_again_before_it_is_sent(people: People) -> None:
    """The rate of the class has changed since: whoever sends it sees the new total first."""
    sofa = people.world.teak.variants["sofa"]
    made = _draft(people, line(sofa), location_id=people.world.blr.showroom)
    _rate(people, "sofa", 28)
    before = traces(people.connection)
    with raises("draft_outdated", 409):
        _send(people, made)
    assert traces(people.connection) == before
    assert _save(people, made, line(sofa), location_id=people.world.blr.showroom)["total"] == 1280
    assert _send(people, made)["total"] == 1280
    assert_books(people)


@pytest.mark.parametrize(
    "columns",
    [
        {"region_code": "27", "country": "IN", "city": "Pune", "address_line1": "1 MG Road"},
        {"tax_treatment": "sez", "tax_number": "29AAGCB7383J1Z4"},
    ],
)
def test_a_draft_for_a_buyer_who_is_taxed_otherwise_by_now(people: People, columns: dict[str, str]) -> None:
    """He moved to another state, or into a special economic zone."""
    made = _draft(people, line(people.world.teak.variants["assembly"]))
    _customer(people, **columns)
    with raises("draft_outdated", 409):
        _send(people, made)


def test_the_names_are_those_of_the_day_it_is_sent(people: People) -> None:
    """Nothing of the tax has changed, so nobody has to save it again."""
    made = _draft(people, line(people.world.teak.variants["assembly"]))
    _customer(people, name="Trusted & Sons")
    people.connection.execute(
        "update public.branches set phone = '+91 80 1234' where id = %s", [people.world.blr.id]
    )
    sent = _send(people, made)
    assert (sent["buyer"]["name"], sent["seller"]["phone"]) == ("Trusted & Sons", "+91 80 1234")
    assert sent["total"] == made["total"]


@pytest.mark.parametrize("quoted", [False, True])
def test_an_order_is_invoiced_at_the_rate_of_the_day(people: People, quoted: bool) -> None:
    """Its price and discount are kept, its tax is the law's (CGST Act 2017, section 14)."""
    sofa, sales = people.world.teak.variants["sofa"], people.as_sales()
    lines = line(sofa, 2, unit_price=900, discount=100)
    made = convert(sales, approved(people, lines)) if quoted else order(people, lines)
    advance(people, made, made["total"])
    confirm(people, made)
    note = deliver(sales, people, made, {"line_no": 1, "quantity": 1})
    first = invoice(sales, made, delivery_id=note["id"])
    assert (first["subtotal"], first["tax"]) == (850, 153)
    _rate(people, "sofa", 28)
    _customer(people, name="Trusted & Sons")
    second = invoice(sales, made)
    assert (second["subtotal"], second["tax"], second["total"]) == (850, 238, 1088)
    assert [tax["rate"] for tax in second["lines"][0]["taxes"]] == [14, 14]
    assert (second["lines"][0]["discount"], second["buyer"]["name"]) == (50, "Trusted & Sons")
    assert second["balance"] == 85
    assert_books(people)


def test_who_may_not_change_a_price_does_not_lower_an_orders_tax(people: People) -> None:
    """By what he enters of the customer meanwhile; who may, does."""
    made = confirmed(people, line(people.world.teak.variants["sofa"]))
    people.connection.execute(
        "update public.organizations set export_tax = 'without_payment' where id = %s", [people.world.teak.id]
    )
    _customer(people, tax_treatment="sez", tax_number="29AAGCB7383J1Z4")
    with raises("price_override_denied", 403):
        invoice(people.as_cashier(), made)
    assert invoice(people.as_sales(), made)["tax"] == 0


def test_what_an_order_said_of_its_supply_holds(people: People) -> None:
    """The place that was named, and reverse charge, through quotation and order to the invoice."""
    _customer(people, tax_number="29AAGCB7383J1Z4")
    asked: dict[str, Any] = {"place_of_supply": "27", "reverse_charge": True}
    made = convert(people.as_sales(), approved(people, line(people.world.teak.variants["sofa"]), **asked))
    assert (made["supply_type"], made["reverse_charge"], made["tax"]) == ("inter_state", True, 0)
    assert "asked" not in made
    advance(people, made, made["total"])
    confirm(people, made)
    note = deliver(people.as_sales(), people, made)
    assert "asked" not in note
    billed = invoice(people.as_sales(), made)
    assert (billed["supply_type"], billed["reverse_charge"], billed["total"]) == ("inter_state", True, 1000)


@pytest.mark.parametrize(("paying", "tax"), [("with_payment", 180), ("without_payment", 0)])
def test_an_export_with_or_without_payment_of_tax(people: People, paying: str, tax: int) -> None:
    """As the document says, whatever the house does else, in orders and in drafts."""
    other = {"with_payment": "without_payment", "without_payment": "with_payment"}[paying]
    people.connection.execute(
        "update public.organizations set export_tax = %s where id = %s", [other, people.world.teak.id]
    )
    asked: dict[str, Any] = {"place_of_supply": "96", "export_tax": paying}
    sofa = line(people.world.teak.variants["sofa"])
    made = people.as_sales().rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=None,
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[sofa],
        p_options=asked,
    )
    advance(people, made, made["total"])
    confirm(people, made)
    deliver(people.as_sales(), people, made)
    assert invoice(people.as_sales(), made)["tax"] == tax
    draft = _draft(people, sofa, location_id=people.world.blr.showroom, **asked)
    assert _send(people, draft)["tax"] == tax
