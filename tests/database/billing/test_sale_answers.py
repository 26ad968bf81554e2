"""What post_sale answers is what is read of the sale afterwards, though it does not read it again itself."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.database.billing.money import assert_books
from tests.database.billing.offers import coupon, insert, of_variant, program, promotion
from tests.database.sales import line, pay, sell
from tests.support.personas import new_id, raises
from tests.support.world import People


def _read(people: People, answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = people.as_admin().rpc("get_invoice", p_id=answer["id"])
    return found


def test_of_all_kinds_of_lines(people: People) -> None:
    """Pieces, lots, sets, a service, other units, discounts, prices of a list, offers and a coupon."""
    teak, blr = people.world.teak, people.world.blr
    variants, group = teak.variants, new_id()
    insert(people.as_admin(), "customer_groups", id=group, org_id=teak.id, name="Masons")
    people.as_admin().execute(
        "update public.customers set customer_group_id = %s where id = %s", [group, teak.customers["local"]]
    )
    trade = new_id()
    insert(people.as_admin(), "price_lists", id=trade, org_id=teak.id, name="Masons", customer_group_id=group)
    insert(
        people.as_admin(),
        "price_list_items",
        org_id=teak.id,
        price_list_id=trade,
        variant_id=variants["sofa"],
        price=950,
    )
    program(people, "0.1")
    promotion(people, "percent", 10, of_variant(people, "sofa"))
    coupon(people, promotion(people, "amount", 20, needs_coupon=True), "TWENTY-OFF")
    answer = sell(
        people.as_sales(),
        blr,
        line(variants["sofa"], 2, discount=10),
        line(variants["phone"], 2, serials=["BLR-2", "BLR-1"]),
        line(variants["paint"], 2, batch="BLR-NEW"),
        line(variants["suite"]),
        line(variants["assembly"], 1, unit_price=400),
        line(variants["book"], 3),
        customer=teak.customers["local"],
        coupon="twenty-off",
        note="By the door",
        reference="PO 7",
    )
    assert answer == _read(people, answer)
    assert [bool(each["offers"]) for each in answer["lines"]] == [True, True, True, True, False, True]
    assert (answer["lines"][0]["price_list"], answer["lines"][1]["serials"]) == ("Masons", ["BLR-2", "BLR-1"])
    assert answer["lines"][3]["set_items"] is not None
    assert len(answer["tax_summary"]) > 1
    assert_books(people)


def test_of_all_kinds_of_payments(people: People) -> None:
    """Change, several methods in the order handed over, credit with a due date, nothing paid, nothing due."""
    teak, blr, cashier = people.world.teak, people.world.blr, people.as_cashier()
    trusted = teak.customers["trusted"]
    people.connection.execute("update public.customers set payment_terms_days = 30 where id = %s", [trusted])
    sofa = line(teak.variants["sofa"])
    handed = [pay(100, "card", reference="4242"), pay(200, "upi"), pay(500), pay(300, "card"), pay(100)]
    mixed = sell(cashier, blr, sofa, payments=handed)
    assert mixed == _read(people, mixed)
    assert [(p["method"], p["amount"]) for p in mixed["payments"]] == [
        ("card", 100),
        ("upi", 200),
        ("cash", 500),
        ("card", 300),
        ("cash", 80),
    ]
    assert (mixed["change_due"], mixed["payments"][0]["method_name"]) == (20, "Card")
    for payments in ([pay(680)], []):
        owed = sell(cashier, blr, sofa, customer=trusted, payments=payments)
        assert owed == _read(people, owed)
        due = date.fromisoformat(owed["business_date"]) + timedelta(days=30)
        assert owed["due_date"] == due.isoformat()
    free = sell(people.as_admin(), blr, line(teak.variants["sofa"], 1, discount=1000), payments=[])
    assert free == _read(people, free)
    assert (free["status"], free["total"]) == ("paid", 0)
    exempt = sell(cashier, blr, line(teak.variants["book"]))
    assert exempt == _read(people, exempt)


def test_the_first_line_that_is_wrong_is_named(people: People) -> None:
    """Of lines that should be one the first, though only their sum tells; an earlier one before it."""
    teak, sales = people.world.teak, people.as_sales()
    crumb = line(teak.variants["rug"], Decimal("0.01"), unit_price=Decimal("0.44"))
    crumbs = [crumb] * 20
    with raises("invalid_input", 400) as refusal:
        sell(sales, people.world.blr, line(teak.variants["sofa"]), *crumbs, payments=[])
    assert refusal.facts["line"] == 2
    unknown = line(new_id())
    for lines, code, status, place in (
        ([unknown, *crumbs], "not_found", 404, 1),
        ([*crumbs, unknown], "invalid_input", 400, 1),
        (
            [line(teak.variants["sofa"]), unknown, line(teak.variants["sofa"], discount=999)],
            "not_found",
            404,
            2,
        ),
    ):
        with raises(code, status) as refusal:
            sell(sales, people.world.blr, *lines, payments=[])
        assert refusal.facts["line"] == place
