"""A discount on the whole document: how it is spread, within whose limit, and what parts get of it."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing import trading
from tests.database.billing.money import assembly, assert_books, credit, invoice_of
from tests.database.billing.offers import promotion
from tests.database.sales import footprint, line, pay, quote, sell
from tests.support.personas import Persona, new_id, raises
from tests.support.world import People

TEN: dict[str, Any] = {"percent": 10}


def _shares(document: dict[str, Any]) -> list[Any]:
    return [row["document_discount"] for row in document["lines"]]


def _create(person: Persona, people: People, *lines: Any, **options: Any) -> dict[str, Any]:
    """A direct invoice to the trusted customer."""
    made: dict[str, Any] = person.rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=list(lines),
        p_options={"location_id": people.world.blr.showroom} | options,
    )
    return made


def test_it_comes_off_the_lines_before_tax(people: People) -> None:
    """In proportion, to the paisa, with tax on what is left; the same in the quote, the answer, and later."""
    variants = people.world.teak.variants
    lines = [line(variants["sofa"]), line(variants["pot"]), line(variants["book"])]
    told = quote(people.as_admin(), people.world.blr, *lines, discount={"amount": 100})
    assert (sum(_shares(told)), told["document_discount"], told["discount"]) == (100, 100, 100)
    assert _shares(told)[0] == Decimal("87.41")
    assert told["lines"][0]["taxable"] == Decimal("912.59")
    assert told["lines"][0]["tax"] == Decimal("164.26")
    assert told["document_discount_percent"] is None
    sold = sell(people.as_admin(), people.world.blr, *lines, discount={"amount": 100})
    assert (sold["total"], _shares(sold)) == (told["total"], _shares(told))
    assert invoice_of(people, sold["id"]) == sold
    plain = sell(people.as_admin(), people.world.blr, *lines)
    assert (plain["document_discount"], _shares(plain)) == (0, [0, 0, 0])
    assert_books(people)


def test_it_comes_after_all_other_discounts(people: People) -> None:
    """10 % of what discounts by hand and offers leave; a price with tax stays one."""
    variants = people.world.teak.variants
    promotion(people, "percent", 50, {"variant_id": variants["lamp"]})
    told = quote(
        people.as_admin(),
        people.world.blr,
        line(variants["sofa"], discount=100),
        line(variants["lamp"]),
        discount=TEN,
    )
    sofa, lamp = told["lines"]
    assert (sofa["discount"], sofa["document_discount"], sofa["taxable"]) == (190, 90, 810)
    assert (lamp["discount"], lamp["document_discount"], lamp["total"]) == (
        Decimal("64.90"),
        Decimal("5.90"),
        Decimal("53.10"),
    )
    assert [offer["amount"] for offer in lamp["offers"]] == [59]
    assert (told["document_discount"], told["document_discount_percent"]) == (Decimal("95.90"), 10)


@pytest.mark.parametrize(("role", "largest"), [("cashier", 5), ("sales_executive", 15), ("admin", 100)])
def test_nobody_gives_more_than_his_role(people: People, role: str, largest: int) -> None:
    """The limit itself is allowed, on any document; more is not, by percent or by amount."""
    person, variants = people.as_role(role), people.world.teak.variants
    lines = [line(variants["sofa"]), line(variants["book"], 3), line(variants["rug"], Decimal("1.333"))]
    plain = quote(person, people.world.blr, *lines)
    told = quote(person, people.world.blr, *lines, discount={"percent": largest})
    assert told["document_discount"] == pytest.approx(plain["subtotal"] * largest / 100, abs=1)
    if largest < 100:
        for too_much in (
            {"percent": largest + 0.001},
            {"amount": told["document_discount"] + Decimal("0.05")},
        ):
            before = footprint(people.connection)
            with raises("discount_limit", 422) as refusal:
                sell(person, people.world.blr, *lines, payments=[pay(5000)], discount=too_much)
            assert refusal.facts["max_discount_percent"] == largest
            assert footprint(people.connection) == before


def test_by_hand_and_by_document_share_one_limit(people: People) -> None:
    """3 % by hand leave a cashier 2 % of the price for the document; an offer leaves all."""
    person, sofa = people.as_cashier(), people.world.teak.variants["sofa"]
    told = quote(person, people.world.blr, line(sofa, discount=30), discount={"amount": 20})
    assert told["lines"][0]["discount"] == 50
    with raises("discount_limit", 422) as refusal:
        quote(person, people.world.blr, line(sofa, discount=30), discount={"amount": Decimal("20.01")})
    assert (refusal.facts["line"], refusal.facts["sku"]) == (1, "SOFA")
    promotion(people, "percent", 50)
    told = quote(person, people.world.blr, line(sofa), discount={"percent": 5})
    assert (told["discount"], told["document_discount"]) == (525, 25)


@pytest.mark.parametrize(
    "discount",
    [
        "10%",
        10,
        [],
        {},
        {"amount": 0},
        {"amount": -1},
        {"amount": 0.001},
        {"amount": "5"},
        {"amount": 1000.01},
        {"amount": None},
        {"percent": 0},
        {"percent": 100.001},
        {"percent": 0.0001},
        {"percent": True},
        {"percent": 5, "amount": 5},
        {"of": 5},
    ],
)
def test_nonsense_is_refused(people: People, discount: object) -> None:
    """With the field named, and nothing written."""
    before = footprint(people.connection)
    with raises("invalid_input", 400) as refusal:
        sell(
            people.as_admin(),
            people.world.blr,
            line(people.world.teak.variants["sofa"]),
            payments=[pay(1180)],
            discount=discount,
        )
    assert refusal.facts["field"] == "discount"
    assert footprint(people.connection) == before


def test_all_of_it_may_be_given(people: People) -> None:
    """A document that costs nothing owes nothing."""
    sold = sell(
        people.as_admin(),
        people.world.blr,
        line(people.world.teak.variants["sofa"]),
        discount={"percent": 100},
    )
    assert (sold["total"], sold["tax"], sold["status"], sold["document_discount"]) == (0, 0, "paid", 1000)
    assert_books(people)


def test_quotation_order_deliveries_and_invoices_keep_it(people: People) -> None:
    """It goes from document to document; parts take shares that sum to it."""
    made = trading.approved(people, line(people.world.teak.variants["sofa"], 3), discount={"amount": 100})
    assert (made["document_discount"], _shares(made)) == (100, [100])
    order = trading.convert(people.as_sales(), made)
    trading.advance(people, order, order["total"])
    trading.confirm(people, order)
    invoices = []
    for quantity in (1, 1, 1):
        note = trading.deliver(people.as_sales(), people, order, {"line_no": 1, "quantity": quantity})
        invoices.append(trading.invoice(people.as_sales(), order, delivery_id=note["id"]))
        assert note["document_discount"] == invoices[-1]["document_discount"]
    assert [i["document_discount"] for i in invoices] == [
        Decimal("33.33"),
        Decimal("33.34"),
        Decimal("33.33"),
    ]
    assert sum(i["total"] for i in invoices) == order["total"]
    saved = people.as_sales().rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=None,
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[line(people.world.teak.variants["sofa"])],
        p_options={"discount": TEN},
    )
    assert (saved["document_discount"], saved["document_discount_percent"]) == (100, 10)
    assert_books(people)


def test_invoices_and_drafts_keep_it(people: People) -> None:
    """A draft takes it, loses it when it is saved without, and is sent with it."""
    sent = _create(people.as_admin(), people, assembly(people, 500), discount=TEN)
    assert (sent["document_discount"], sent["total"]) == (50, 531)
    draft = _create(people.as_admin(), people, assembly(people, 500), draft=True, discount=TEN)
    assert (draft["document_discount"], draft["document_discount_percent"]) == (50, 10)

    def save(**options: Any) -> dict[str, Any]:
        saved: dict[str, Any] = people.as_admin().rpc(
            "save_invoice_draft",
            p_id=new_id(),
            p_invoice_id=draft["id"],
            p_customer_id=draft["customer_id"],
            p_lines=[assembly(people, 500)],
            p_options=options,
        )
        return saved

    assert (save()["document_discount"], save()["document_discount_percent"]) == (0, None)
    assert save(discount={"amount": 100})["total"] == 472
    with raises("discount_limit", 422):
        _create(people.as_sales(), people, assembly(people, 500), discount={"percent": 16})
    done = people.as_admin().rpc(
        "set_invoice_status", p_id=new_id(), p_invoice_id=draft["id"], p_status="sent"
    )
    assert (done["total"], done["document_discount"]) == (472, 100)
    assert_books(people)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    quantities=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    amount=st.integers(1, 40_000),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=5),
)
def test_credit_notes_give_back_what_was_paid(
    people: People, quantities: list[int], amount: int, steps: list[tuple[int, int]]
) -> None:
    """Line by line, in any steps: the shares of the credit notes sum to the invoice's."""
    with people.connection.transaction(force_rollback=True):
        lines = [assembly(people, 100 + number, quantity) for number, quantity in enumerate(quantities)]
        given = Decimal(amount) / 100
        plain = sum((100 + number) * quantity for number, quantity in enumerate(quantities))
        if given > plain:
            given = Decimal(plain)
        sold = sell(people.as_admin(), people.world.blr, *lines, discount={"amount": given})
        assert sold["document_discount"] == given == sum(_shares(sold))
        left, notes = dict(enumerate(quantities, 1)), []
        for place, quantity in steps:
            number = place % len(quantities) + 1
            if 0 < quantity <= left[number]:
                left[number] -= quantity
                asked = [{"line_no": number, "quantity": quantity}]
                notes.append(credit(people.as_sales(), sold["id"], asked, refund={"method": "cash"}))
        if any(left.values()):
            notes.append(credit(people.as_sales(), sold["id"], refund={"method": "cash"}))
        assert sum(note["document_discount"] for note in notes) == given
        assert sum(note["total"] for note in notes) == sold["total"]
        assert_books(people)
