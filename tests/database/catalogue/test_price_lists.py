"""Price lists: which list counts, which quantity, from when to when, and that the till goes by it."""

# Names put into statements come from this file, never from input.
# ruff: noqa: S608

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing.offers import balance, insert, program, promotion
from tests.database.sales import line, quote, sell
from tests.database.schema import ask
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import Branch, People


def put(person: Persona, table: str, **columns: object) -> UUID:
    """A row of a table, with an id of its own."""
    made = new_id()
    names = ", ".join(["id", *columns])
    marks = ", ".join(["%s"] * (len(columns) + 1))
    person.execute(f"insert into public.{table} ({names}) values ({marks})", [made, *columns.values()])
    return made


def price_list(people: People, name: str, prices: dict[str, str], **columns: object) -> UUID:
    """A list with prices of the sofa by least quantity."""
    teak, keeper = people.world.teak, people.as_stockkeeper()
    made = put(keeper, "price_lists", org_id=teak.id, name=name, **columns)
    for quantity, price in prices.items():
        put(
            keeper,
            "price_list_items",
            org_id=teak.id,
            price_list_id=made,
            variant_id=teak.variants["sofa"],
            min_quantity=Decimal(quantity),
            price=Decimal(price),
        )
    return made


def trade(people: People) -> UUID:
    """The group of the world, with the trusted customer in it."""
    [(group,)] = ask(
        people.connection, "select id from public.customer_groups where org_id = %s", [people.world.teak.id]
    )
    people.as_admin().execute(
        "update public.customers set customer_group_id = %s where id = %s",
        [group, people.world.teak.customers["trusted"]],
    )
    return UUID(str(group))


def price(
    people: People, quantity: object = 1, branch: Branch | None = None, customer: UUID | None = None
) -> tuple[Any, Any]:
    """What the till asks for sofas, and by which list."""
    [quoted] = quote(
        people.as_admin(),
        branch or people.world.blr,
        line(people.world.teak.variants["sofa"], quantity),
        customer=customer,
    )["lines"]
    assert quoted["unit_price"] == quoted["list_price"]
    return quoted["list_price"], quoted["price_list"]


def test_without_a_list_the_variants_price_counts(people: People) -> None:
    """Also where there are lists, but none that applies."""
    assert price(people) == (1000, None)
    price_list(people, "From ten", {"10": "900"})
    assert price(people, 9) == (1000, None)
    assert price(people, 10) == (900, "From ten")


def test_quantity_breaks(people: People) -> None:
    """The largest quantity reached, on one line."""
    price_list(people, "Breaks", {"0": "990", "5": "950", "7.5": "940"})
    assert [price(people, n)[0] for n in (1, 4, 5, 7, 8)] == [990, 990, 950, 950, 940]


def test_an_archived_group_prices_nobody(people: People) -> None:
    """Neither its lists nor its offers nor its points, though its customers are still noted in it."""
    admin, trusted, org = people.as_admin(), people.world.teak.customers["trusted"], people.world.teak.id
    group = trade(people)
    program(people, 0)
    insert(admin, "loyalty_rules", org_id=org, name="Trade", points_per_unit=1, customer_group_id=group)
    promotion(people, "percent", 10, customer_group_id=group)
    pot = line(people.world.teak.variants["pot"], 2)

    def bought() -> tuple[object, int]:
        before = balance(people, trusted)
        sold = sell(people.as_admin(), people.world.blr, pot, customer=trusted)
        return sold["total"], balance(people, trusted) - before

    assert (price(people, customer=trusted), bought()) == ((50, "Trade"), (81, 81))
    admin.execute("update public.customer_groups set archived_at = now() where id = %s", [group])
    assert (price(people, customer=trusted), bought()) == ((1000, None), (90, 0))
    admin.execute("update public.customer_groups set archived_at = null where id = %s", [group])
    assert (price(people, customer=trusted), bought()) == ((50, "Trade"), (81, 81))


def test_groups_and_branches(people: People) -> None:
    """A list for a group is for its customers only, one for a branch for that branch only."""
    trusted = people.world.teak.customers["trusted"]
    group = trade(people)
    assert price(people, customer=trusted) == (50, "Trade")
    price_list(people, "Bandra", {"0": "970"}, branch_id=people.world.mum.id)
    assert price(people) == (1000, None)
    assert price(people, branch=people.world.mum) == (970, "Bandra")
    # The group is more specific than the branch.
    assert price(people, branch=people.world.mum, customer=trusted) == (50, "Trade")
    price_list(people, "Trade in Bandra", {"0": "40"}, customer_group_id=group, branch_id=people.world.mum.id)
    assert price(people, branch=people.world.mum, customer=trusted) == (40, "Trade in Bandra")
    assert price(people, customer=trusted) == (50, "Trade")


def test_priority_comes_before_everything(people: People) -> None:
    """Then the more specific, then the newest."""
    trusted = people.world.teak.customers["trusted"]
    trade(people)
    price_list(people, "Clearance", {"0": "700"}, priority=5)
    assert price(people, customer=trusted) == (700, "Clearance")
    price_list(people, "Old", {"0": "800"})
    price_list(people, "New", {"0": "850"})
    people.connection.execute("update public.price_lists set archived_at = now() where name = 'Clearance'")
    people.connection.execute(
        "update public.price_lists set created_at = now() - interval '1 day' where name = 'Old'"
    )
    assert price(people) == (850, "New")
    # A list that has no price for this quantity steps aside.
    price_list(people, "Bulk", {"8": "600"}, priority=9)
    assert (price(people, 7), price(people, 8)) == ((850, "New"), (600, "Bulk"))


def test_validity_is_by_business_date(people: People) -> None:
    """First and last day included."""
    [(today,)] = ask(people.connection, "select (now() at time zone 'Asia/Kolkata')::date")
    day = timedelta(days=1)
    for name, first, last, counts in (
        ("Past", None, today - day, False),
        ("Future", today + day, None, False),
        ("Last day", today - day, today, True),
        ("First day", today, None, True),
    ):
        made = price_list(people, name, {"0": "500"}, valid_from=first, valid_to=last)
        assert price(people) == ((500, name) if counts else (1000, None))
        people.connection.execute("update public.price_lists set archived_at = now() where id = %s", [made])
    price_list(people, "Then", {"0": "500"}, valid_to=date(2024, 6, 30))
    for moment, expected in (("2024-06-30T18:29:00Z", 500), ("2024-06-30T18:31:00Z", 1000)):
        quoted = quote(
            people.as_admin(),
            people.world.blr,
            line(people.world.teak.variants["sofa"]),
            occurred_at=moment,
        )
        assert quoted["lines"][0]["list_price"] == expected


def test_the_till_sells_at_the_list(people: People) -> None:
    """Without price.override that price and no other; the invoice keeps them, whatever comes later."""
    made = price_list(people, "Diwali", {"0": "900"})
    sofa, cashier, blr = people.world.teak.variants["sofa"], people.as_cashier(), people.world.blr
    for asked in (1000, 899):
        with raises("price_override_denied", 403):
            sell(cashier, blr, line(sofa, unit_price=asked), payments=[])
    sold = sell(cashier, blr, line(sofa, unit_price=900))
    cheap = sell(people.as_sales(), blr, line(sofa, unit_price=800))
    people.as_stockkeeper().execute("update public.price_lists set name = 'Gone' where id = %s", [made])
    for invoice, unit_price in ((sold, 900), (cheap, 800)):
        [kept] = people.as_cashier().rpc("get_invoice", p_id=invoice["id"])["lines"]
        assert (kept["unit_price"], kept["list_price"], kept["price_list"]) == (unit_price, 900, "Diwali")


def test_units_and_lists_together(people: People) -> None:
    """A list's price is per unit of the product, and its quantities too."""
    people.as_stockkeeper().execute(
        "insert into public.product_units (org_id, product_id, unit_code, factor, price) "
        "values (%s, %s, 'DOZ', 12, 1)",
        [people.world.teak.id, people.world.teak.products["sofa"]],
    )
    price_list(people, "Dozens", {"12": "800"})
    sofa = people.world.teak.variants["sofa"]
    [dozen] = quote(people.as_cashier(), people.world.blr, line(sofa, 1, unit="DOZ"))["lines"]
    assert (dozen["list_price"], dozen["price_list"]) == (9600, "Dozens")


def test_who_may_not_change_prices_puts_nobody_into_a_group(people: People) -> None:
    """A cashier edits customers, but a group is a price."""
    [(group,)] = ask(
        people.connection, "select id from public.customer_groups where org_id = %s", [people.world.teak.id]
    )
    change = "update public.customers set customer_group_id = %s where id = %s"
    customer = people.world.teak.customers["local"]
    with raises("permission_denied", 403):
        people.as_cashier().execute(change, [group, customer])
    with raises("permission_denied", 403):
        put(
            people.as_cashier(),
            "customers",
            org_id=people.world.teak.id,
            name="Friend",
            customer_group_id=group,
        )
    assert people.as_sales().execute(change, [group, customer]) == 1
    assert (
        people.as_cashier().execute("update public.customers set notes = 'x' where id = %s", [customer]) == 1
    )
    with raises("permission_denied", 403):
        people.as_cashier().execute(change, [None, customer])
    lagoon = people.world.lagoon
    with raises_sqlstate("23503"):
        people.as_foreign_admin().execute(change, [group, lagoon.customers["abroad"]])


@pytest.mark.parametrize(
    "change",
    [
        "valid_from = '2026-02-01', valid_to = '2026-01-31'",
        "priority = 1001",
        "name = ' '",
    ],
)
def test_malformed_lists(people: People, change: str) -> None:
    """The table refuses what could not be understood."""
    price_list(people, "List", {})
    with raises_sqlstate("23514"):
        people.as_stockkeeper().execute(f"update public.price_lists set {change} where name = 'List'")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lists=st.lists(
        st.tuples(
            st.integers(-1, 1),
            st.booleans(),
            st.sampled_from([None, "blr", "mum"]),
            st.dictionaries(st.integers(0, 4), st.integers(1, 9), max_size=3),
        ),
        max_size=5,
    ),
    quantity=st.integers(1, 5),
    grouped=st.booleans(),
)
def test_the_rule_by_an_independent_reading(
    people: People, lists: list[tuple[int, bool, str | None, dict[int, int]]], quantity: int, grouped: bool
) -> None:
    """Priority, then group, then branch, then newest, then the largest quantity reached."""
    with people.connection.transaction(force_rollback=True):
        group = trade(people)
        people.connection.execute("update public.price_lists set archived_at = now() where name = 'Trade'")
        candidates = []
        for number, (priority, for_group, branch, prices) in enumerate(lists):
            price_list(
                people,
                f"L{number}",
                {str(least): str(price) for least, price in prices.items()},
                priority=priority,
                customer_group_id=group if for_group else None,
                branch_id=None if branch is None else getattr(people.world, branch).id,
            )
            people.connection.execute(
                "update public.price_lists set created_at = now() + make_interval(secs => %s) "
                "where name = %s",
                [number, f"L{number}"],
            )
            if (grouped or not for_group) and branch != "mum":
                candidates += [
                    ((priority, for_group, branch is not None, number, least), asked)
                    for least, asked in prices.items()
                    if least <= quantity
                ]
        expected = max(candidates)[1] if candidates else 1000
        customer = people.world.teak.customers["trusted"] if grouped else None
        assert price(people, quantity, customer=customer)[0] == expected
