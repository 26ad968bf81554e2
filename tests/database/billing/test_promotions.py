"""Promotions: what applies to whom, where and when, what it takes off, and how the document says so."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.money import assert_books, credit
from tests.database.billing.offers import insert, of_variant, offers_of, promotion
from tests.database.sales import line, quote, sell
from tests.support.personas import new_id, raises, raises_sqlstate
from tests.support.world import People


def _ask(people: People, **quantities: object) -> dict[str, Any]:
    """A quote of the cashier's for variants by name."""
    variants = people.world.teak.variants
    lines = [line(variants[key], quantity) for key, quantity in quantities.items()]
    return quote(people.as_cashier(), people.world.blr, *lines)


def test_a_percentage_off_comes_before_tax_and_is_explained(people: People) -> None:
    """Taxable value, tax and total are those of the reduced price; the line names the promotion."""
    made = promotion(people, "percent", 10, of_variant(people, "sofa"), name="Sofa week")
    invoice = sell(
        people.as_cashier(),
        people.world.blr,
        line(people.world.teak.variants["sofa"], 2),
        line(people.world.teak.variants["pot"]),
    )
    sofa, pot = invoice["lines"]
    assert (sofa["discount"], sofa["taxable"], sofa["tax"]) == (200, 1800, 324)
    assert sofa["offers"] == [{"promotion_id": str(made), "name": "Sofa week", "amount": 200}]
    assert (pot["discount"], pot["offers"]) == (0, [])
    assert (invoice["discount"], invoice["total"]) == (200, 2169)
    assert_books(people)


def test_a_price_with_tax_stays_one(people: People) -> None:
    """Off 118.00 with tax, 50 % leave 59.00 with tax."""
    promotion(people, "percent", 50)
    (lamp,) = _ask(people, lamp=1)["lines"]
    assert (lamp["discount"], lamp["taxable"], lamp["tax"], lamp["total"]) == (59, 50, 9, 59)


def test_an_amount_off_is_spread_and_no_more_than_there_is(people: People) -> None:
    """In proportion to what the lines cost, to the paisa; or off each unit."""
    made = promotion(people, "amount", 100)
    document = _ask(people, sofa=1, pot=1, book=1)
    assert sum(o[0][1] for o in offers_of(document)) == 100
    assert offers_of(document)[0] == [(made, Decimal("87.41"))]
    assert offers_of(_ask(people, pot=1)) == [[(made, Decimal(45))]]
    people.as_admin().execute(
        "update public.promotions set per_unit = true, value = 20 where id = %s", [made]
    )
    assert offers_of(_ask(people, pot=2, rug=Decimal("1.5"))) == [
        [(made, Decimal(40))],
        [(made, Decimal(30))],
    ]


def test_buy_two_get_one(people: People) -> None:
    """Of three the cheapest is free; of two nothing is."""
    made = promotion(people, "buy_get", 100, buy_quantity=2, get_quantity=1)
    assert offers_of(_ask(people, sofa=1, pot=1)) == [[], []]
    assert offers_of(_ask(people, sofa=1, pot=1, book=1)) == [[], [(made, Decimal(45))], []]
    assert offers_of(_ask(people, sofa=4, pot=1, book=1)) == [
        [],
        [(made, Decimal(45))],
        [(made, Decimal(99))],
    ]
    people.as_admin().execute("update public.promotions set max_times = 1, value = 50 where id = %s", [made])
    assert offers_of(_ask(people, sofa=4, pot=2)) == [[], [(made, Decimal("22.50"))]]


def test_buy_a_sofa_get_a_lamp(people: People) -> None:
    """What is given is named by itself, and is not what had to be bought."""
    made = promotion(
        people,
        "buy_get",
        100,
        of_variant(people, "sofa"),
        of_variant(people, "lamp", part="get"),
        buy_quantity=1,
        get_quantity=2,
    )
    assert offers_of(_ask(people, lamp=2)) == [[]]
    assert offers_of(_ask(people, sofa=1, lamp=3)) == [[], [(made, Decimal(236))]]
    assert offers_of(_ask(people, sofa=2, lamp=1)) == [[], [(made, Decimal(118))]]


def test_a_bundle_has_one_price(people: People) -> None:
    """A sofa and two pots for 1000.00, as often as all are there; what is over costs what it costs."""
    made = promotion(
        people, "bundle", 1000, of_variant(people, "sofa"), of_variant(people, "pot", quantity=2)
    )
    assert offers_of(_ask(people, sofa=1, pot=1)) == [[], []]
    for sofas, pots, times in ((1, 2, 1), (2, 5, 2), (1, 9, 1)):
        document = _ask(people, sofa=sofas, pot=pots)
        assert sum(offer[1] for line_ in offers_of(document) for offer in line_) == 90 * times
        assert {offer[0] for line_ in offers_of(document) for offer in line_} == {made}
    people.as_admin().execute("update public.promotions set value = 5000 where id = %s", [made])
    assert offers_of(_ask(people, sofa=1, pot=2)) == [[], []], "a bundle that costs more is no offer"


def test_a_category_holds_what_lies_beneath_it(people: People) -> None:
    """Goods two levels down are meant too; others are not."""
    org, above, below = people.world.teak.id, new_id(), new_id()
    insert(people.as_admin(), "categories", id=above, org_id=org, name="Furniture")
    insert(people.as_admin(), "categories", id=below, org_id=org, name="Sofas", parent_id=above)
    people.as_admin().execute(
        "update public.products set category_id = %s where id = %s",
        [below, people.world.teak.products["sofa"]],
    )
    made = promotion(people, "percent", 10, {"category_id": above})
    assert offers_of(_ask(people, sofa=1, book=1)) == [[(made, Decimal(100))], []]
    product = {"product_id": people.world.teak.products["book"]}
    other = promotion(people, "percent", 10, product)
    assert offers_of(_ask(people, sofa=1, book=1)) == [[(made, Decimal(100))], [(other, Decimal("9.90"))]]


def test_scope(people: People) -> None:
    """Another branch, another group, a basket too small, nothing named, archived: no offer."""
    org, group = people.world.teak.id, new_id()
    insert(people.as_admin(), "customer_groups", id=group, org_id=org, name="Members")
    promotion(people, "percent", 10, branch_id=people.world.mum.id)
    promotion(people, "percent", 10, customer_group_id=group)
    promotion(people, "percent", 10, minimum_amount=2000)
    promotion(people, "percent", 10, needs_coupon=True)
    promotion(people, "percent", 10, applies_to="targets")
    gone = promotion(people, "percent", 10)
    people.as_admin().execute("update public.promotions set archived_at = now() where id = %s", [gone])
    assert offers_of(_ask(people, sofa=1)) == [[]]
    assert len(offers_of(_ask(people, sofa=2))[0]) == 1
    people.as_admin().execute(
        "update public.customers set customer_group_id = %s where id = %s",
        [group, people.world.teak.customers["local"]],
    )
    sofa = line(people.world.teak.variants["sofa"])
    document = quote(
        people.as_cashier(), people.world.blr, sofa, customer=people.world.teak.customers["local"]
    )
    assert len(offers_of(document)[0]) == 1
    assert len(offers_of(quote(people.as_cashier(people.world.mum), people.world.mum, sofa))[0]) == 1


@pytest.mark.parametrize(
    ("when", "columns", "applies"),
    [
        ("2024-05-03T18:29:00+05:30", {"time_from": "18:00", "time_to": "20:00"}, True),
        ("2024-05-03T20:00:00+05:30", {"time_from": "18:00", "time_to": "20:00"}, False),
        ("2024-05-03T12:45:00Z", {"time_from": "18:00", "time_to": "20:00"}, True),
        ("2024-05-03T01:00:00+05:30", {"time_from": "22:00", "time_to": "02:00"}, True),
        ("2024-05-03T12:00:00+05:30", {"time_from": "22:00", "time_to": "02:00"}, False),
        ("2024-05-03T12:00:00+05:30", {"weekdays": [5]}, True),
        ("2024-05-03T12:00:00+05:30", {"weekdays": [6, 7]}, False),
        ("2024-05-02T20:00:00Z", {"weekdays": [5]}, True),
        ("2024-05-03T12:00:00+05:30", {"valid_from": "2024-05-03", "valid_to": "2024-05-03"}, True),
        ("2024-05-03T12:00:00+05:30", {"valid_from": "2024-05-04"}, False),
        ("2024-05-03T12:00:00+05:30", {"valid_to": "2024-05-02"}, False),
    ],
)
def test_time_is_the_branchs(people: People, when: str, columns: dict[str, object], applies: bool) -> None:
    """Dates, weekdays and hours by the clock on the branch's wall; 3 May 2024 was a Friday."""
    promotion(people, "percent", 10, **columns)
    sofa = line(people.world.teak.variants["sofa"])
    document = quote(people.as_admin(), people.world.blr, sofa, occurred_at=when)
    assert bool(document["lines"][0]["offers"]) is applies


def test_combinable_offers_add_up_in_their_order(people: People) -> None:
    """The higher priority first, the next on what it left; never below zero."""
    last = promotion(people, "percent", 10, priority=-5)
    first = promotion(people, "amount", 100, of_variant(people, "sofa"), priority=5)
    assert offers_of(_ask(people, sofa=1)) == [[(first, Decimal(100)), (last, Decimal(90))]]
    promotion(people, "amount", 5000)
    (sofa,) = _ask(people, sofa=1)["lines"]
    assert (sofa["discount"], sofa["taxable"], sofa["total"]) == (1000, 0, 0)


def test_the_best_exclusive_offer_stands_alone(people: People) -> None:
    """Of the exclusive ones the one that saves most; beside the combinable ones whichever is more."""
    small = promotion(people, "percent", 10, combinable=False, priority=9)
    big = promotion(people, "percent", 20, combinable=False)
    assert offers_of(_ask(people, sofa=1)) == [[(big, Decimal(200))]]
    combined = [promotion(people, "percent", 15, priority=priority) for priority in (2, 1)]
    found = offers_of(_ask(people, sofa=1))
    assert found == [[(combined[0], Decimal(150)), (combined[1], Decimal("127.50"))]]
    people.as_admin().execute("update public.promotions set value = 20 where id = %s", [small])
    people.as_admin().execute(
        "update public.promotions set archived_at = now() where id = any(%s)", [combined]
    )
    assert offers_of(_ask(people, sofa=1)) == [[(small, Decimal(200))]], "a tie goes by priority"


def test_a_changed_price_is_left_alone(people: People) -> None:
    """Who was given a price of his own gets no offer on top; his line still counts for the basket."""
    made = promotion(people, "percent", 10, minimum_amount=1000)
    variants = people.world.teak.variants
    document = quote(
        people.as_sales(), people.world.blr, line(variants["sofa"], unit_price=960), line(variants["pot"])
    )
    assert offers_of(document) == [[], [(made, Decimal("4.50"))]]


def test_offers_do_not_use_up_the_cashiers_discount(people: People) -> None:
    """5 % by hand and 50 % by promotion are allowed, 6 % by hand are not; manual comes first."""
    promotion(people, "percent", 50)
    sofa = people.world.teak.variants["sofa"]
    document = quote(people.as_cashier(), people.world.blr, line(sofa, discount=50))
    assert (document["lines"][0]["discount"], document["lines"][0]["taxable"]) == (525, 475)
    with raises("discount_limit", 422):
        quote(people.as_cashier(), people.world.blr, line(sofa, discount=60))


def test_a_return_credits_what_was_paid(people: People) -> None:
    """A third of the line, a third of its offer."""
    promotion(people, "percent", 10)
    invoice = sell(people.as_cashier(), people.world.blr, line(people.world.teak.variants["sofa"], 3))
    note = credit(
        people.as_sales(), invoice["id"], [{"line_no": 1, "quantity": 1}], refund={"method": "cash"}
    )
    assert (note["lines"][0]["discount"], note["total"]) == (100, 1062)
    assert_books(people)


def test_what_an_offer_may_not_be(people: People) -> None:
    """More than all, without what its kind needs, or about another business's goods."""
    for kind, columns in (
        ("percent", {"value": 101}),
        ("buy_get", {"value": 100}),
        ("amount", {"value": 0}),
        ("percent", {"value": 5, "max_times": 2}),
        ("bundle", {"value": 5, "applies_to": "everything"}),
        ("percent", {"value": 5, "weekdays": [8]}),
        ("percent", {"value": 5, "time_from": "10:00"}),
    ):
        with raises_sqlstate("23514"):
            insert(
                people.as_admin(), "promotions", org_id=people.world.teak.id, name="X", kind=kind, **columns
            )
    made = promotion(people, "percent", 5)
    with raises_sqlstate("23503"):
        insert(
            people.as_admin(),
            "promotion_targets",
            org_id=people.world.teak.id,
            promotion_id=made,
            position=1,
            variant_id=people.world.lagoon.variants["pump"],
        )
    with raises_sqlstate("42501"):
        insert(
            people.as_sales(),
            "promotions",
            org_id=people.world.teak.id,
            name="Mine",
            kind="percent",
            value=50,
        )


KEYS = ("sofa", "lamp", "rug", "book", "pot", "assembly")
_OFFER: st.SearchStrategy[tuple[str, Decimal, dict[str, Any]]] = st.one_of(
    st.tuples(st.just("percent"), st.decimals("0.01", 100, places=2), st.just({})),
    st.tuples(
        st.just("amount"),
        st.decimals("0.01", 1500, places=2),
        st.fixed_dictionaries({"per_unit": st.booleans()}),
    ),
    st.tuples(
        st.just("buy_get"),
        st.decimals("0.01", 100, places=2),
        st.fixed_dictionaries({"buy_quantity": st.integers(1, 3), "get_quantity": st.integers(1, 3)}),
    ),
    st.tuples(st.just("bundle"), st.decimals(0, 1500, places=2), st.just({})),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    offers=st.lists(
        st.tuples(
            _OFFER, st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True), st.booleans()
        ),
        min_size=1,
        max_size=5,
    ),
    basket=st.lists(
        st.tuples(st.sampled_from(KEYS), st.integers(1, 4)), min_size=1, max_size=5, unique_by=lambda x: x[0]
    ),
    by_hand=st.integers(0, 40),
)
def test_any_offers(
    people: People,
    offers: list[tuple[tuple[str, Decimal, dict[str, Any]], list[str], bool]],
    basket: list[tuple[str, int]],
    by_hand: int,
) -> None:
    """No line below zero, the discount is what was given by hand and by offers, quote and sale agree."""
    with people.connection.transaction(force_rollback=True):
        alone: set[UUID] = set()
        for (kind, value, columns), keys, combinable in offers:
            made = promotion(
                people,
                kind,
                value,
                *(of_variant(people, key) for key in keys),
                combinable=combinable,
                **columns,
            )
            alone |= set() if combinable else {made}
        lines = [line(people.world.teak.variants[key], quantity) for key, quantity in basket]
        lines[0]["discount"] = by_hand
        asked = quote(people.as_admin(), people.world.blr, *lines)
        invoice = sell(people.as_admin(), people.world.blr, *lines)
        for field in ("subtotal", "discount", "tax", "round_off", "total", "tax_summary"):
            assert asked[field] == invoice[field], field
        for place, (before, after) in enumerate(zip(asked["lines"], invoice["lines"], strict=True)):
            assert before["offers"] == after["offers"]
            given_off = sum(offer["amount"] for offer in after["offers"])
            assert after["discount"] == given_off + (by_hand if place == 0 else 0)
            assert all(offer["amount"] > 0 for offer in after["offers"])
            assert 0 <= after["discount"] <= after["quantity"] * after["unit_price"]
            assert min(after["taxable"], after["tax"]) >= 0
        used = {offer[0] for offered in offers_of(invoice) for offer in offered}
        assert not used & alone or len(used) == 1, "an exclusive offer stands alone"
        assert invoice["discount"] == sum(row["discount"] for row in invoice["lines"])
        assert_books(people)
