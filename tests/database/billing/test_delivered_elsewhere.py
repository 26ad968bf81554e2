"""A delivery that goes elsewhere than its order says, and a draft whose address changes before it is sent."""

import pytest

from tests.database.billing.addresses import (
    DUBAI,
    MYSURU,
    address,
    change,
    confirmed_to,
    draft_to,
    place,
    send,
)
from tests.database.billing.money import assert_books
from tests.database.billing.trading import deliver, invoice
from tests.database.moving import traces
from tests.database.sales import line
from tests.database.tax.shops import parts
from tests.support.personas import raises
from tests.support.world import People

ONE = {"line_no": 1, "quantity": 1}


def test_a_part_goes_to_another_state(people: People) -> None:
    """Its note and its invoice bear that state's tax; the order and the rest of it stay what they were."""
    home, site = address(people, **MYSURU), address(people)
    stockkeeper, cashier = people.as_stockkeeper(), people.as_cashier()
    order = confirmed_to(people, deliver_to=home)
    there = deliver(stockkeeper, people, order, ONE, p_options={"deliver_to": site})
    here = deliver(stockkeeper, people, order)
    assert there["ship_to"]["id"] == str(site)
    assert here["ship_to"] == order["ship_to"]
    assert [place(x) for x in (order, there, here)] == [
        ("intra_state", "29"),
        ("inter_state", "27"),
        ("intra_state", "29"),
    ]
    assert parts(there["lines"][0]) == [("IGST", 18, 180)]
    assert parts(here["lines"][0]) == [("CGST", 9, 90), ("SGST", 9, 90)]
    assert there["tax_summary"][0]["taxes"][0]["component"] == "IGST"
    assert there["total"] + here["total"] == order["total"]
    billed = [invoice(cashier, order, delivery_id=note["id"]) for note in (there, here)]
    for note, made in zip((there, here), billed, strict=True):
        assert (made["ship_to"], place(made)) == (note["ship_to"], place(note))
        assert parts(made["lines"][0]) == parts(note["lines"][0])
    assert sum(x["total"] for x in billed) == order["total"]
    assert people.as_sales().rpc("get_order", p_id=order["id"])["ship_to"] == order["ship_to"]
    assert_books(people)


def test_it_was_fetched_after_all(people: People) -> None:
    """The customer's own id stands for his own address: nothing is brought, and his own state counts."""
    order = confirmed_to(people, deliver_to=address(people))
    own = {"deliver_to": order["customer_id"]}
    note = deliver(people.as_cashier(), people, order, ONE, p_options=own)
    assert (note["ship_to"], place(note)) == (None, ("intra_state", "29"))
    billed = invoice(people.as_cashier(), order, delivery_id=note["id"])
    assert (billed["ship_to"], place(billed)) == (None, ("intra_state", "29"))
    rest = invoice(people.as_cashier(), order, **own)
    assert (rest["ship_to"], place(rest)) == (None, ("intra_state", "29"))


def test_an_order_is_invoiced_to_another_address(people: People) -> None:
    """Before anything is delivered: where it will go decides."""
    order, site = confirmed_to(people), address(people)
    billed = invoice(people.as_cashier(), order, deliver_to=site)
    assert (billed["ship_to"]["id"], place(billed)) == (str(site), ("inter_state", "27"))
    assert (billed["total"], billed["balance"]) == (order["total"], 0)


def test_where_a_delivery_went_is_said_by_its_note(people: People) -> None:
    """Its invoice cannot say otherwise."""
    order, site = confirmed_to(people), address(people)
    note = deliver(people.as_cashier(), people, order)
    before = traces(people.connection)
    with raises("invalid_input", 400) as refusal:
        invoice(people.as_cashier(), order, delivery_id=note["id"], deliver_to=site)
    assert refusal.facts["field"] == "deliver_to"
    assert traces(people.connection) == before


def test_what_went_elsewhere_is_not_invoiced_as_ordered(people: People) -> None:
    """Of the whole order nobody can tell: by delivery, or by saying where; the rest then goes as ordered."""
    order, site = confirmed_to(people), address(people)
    note = deliver(people.as_cashier(), people, order, ONE, p_options={"deliver_to": site})
    before = traces(people.connection)
    with raises("delivered_elsewhere", 422) as refusal:
        invoice(people.as_cashier(), order)
    assert refusal.facts["delivery_ids"] == [note["id"]]
    assert traces(people.connection) == before
    first = invoice(people.as_cashier(), order, delivery_id=note["id"])
    rest = invoice(people.as_cashier(), order)
    assert [(x["ship_to"], place(x)[1]) for x in (first, rest)] == [(note["ship_to"], "27"), (None, "29")]
    assert first["total"] + rest["total"] == order["total"]
    other = confirmed_to(people)
    deliver(people.as_cashier(), people, other, ONE, p_options={"deliver_to": site})
    assert invoice(people.as_cashier(), other, deliver_to=site)["ship_to"] == note["ship_to"]


def test_who_delivers_lowers_no_tax(people: People) -> None:
    """The stockkeeper sends nothing abroad that was ordered with tax; who may override prices does."""
    order, abroad = confirmed_to(people), address(people, **DUBAI)
    before = traces(people.connection)
    with raises("price_override_denied", 403):
        deliver(people.as_stockkeeper(), people, order, ONE, p_options={"deliver_to": abroad})
    assert traces(people.connection) == before
    note = deliver(people.as_sales(), people, order, ONE, p_options={"deliver_to": abroad})
    assert (place(note), note["tax"]) == (("export", "96"), 0)
    with raises("price_override_denied", 403):
        invoice(people.as_cashier(), order, delivery_id=note["id"])
    assert invoice(people.as_sales(), order, delivery_id=note["id"])["tax"] == 0


def test_a_draft_is_sent_to_the_address_as_it_is(people: People) -> None:
    """Like its buyer: until then nothing is frozen, from then on all of it is."""
    site = address(people, **MYSURU)
    draft = draft_to(people, deliver_to=site)
    change(people, site, address_line1="Plot 12", recipient="Meera")
    sent = send(people, draft)
    assert (sent["ship_to"]["name"], sent["ship_to"]["address"]["line1"]) == ("Meera", "Plot 12")
    change(people, site, recipient="Ravi")
    assert people.as_sales().rpc("get_invoice", p_id=sent["id"]) == sent


@pytest.mark.parametrize(
    ("moved", "code", "status"),
    [
        ({"region_code": "27"}, "draft_outdated", 409),
        ({"archived_at": "2026-01-01"}, "address_archived", 422),
    ],
)
def test_a_draft_whose_address_is_elsewhere_by_now(
    people: People, moved: dict[str, str], code: str, status: int
) -> None:
    """In another state, or no more: somebody saves it again, and sees the tax."""
    site = address(people, **MYSURU)
    draft = draft_to(people, deliver_to=site)
    change(people, site, **moved)
    before = traces(people.connection)
    with raises(code, status):
        send(people, draft)
    assert traces(people.connection) == before


def test_an_order_keeps_its_address_when_it_is_invoiced(people: People) -> None:
    """The buyer is who he is that day; where the goods were to go was agreed."""
    site = address(people)
    order = confirmed_to(people, line(people.world.teak.variants["assembly"]), deliver_to=site)
    change(people, site, region_code="29", city="Mysuru")
    billed = invoice(people.as_cashier(), order)
    assert (billed["ship_to"], place(billed)) == (order["ship_to"], ("inter_state", "27"))
