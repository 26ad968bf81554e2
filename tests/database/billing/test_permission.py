"""Who may sell, where, at which price and with which discount."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.database.moving import attic, new_branch
from tests.database.sales import Line, line, pay, quote, sell
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People


def test_anon_cannot_even_call(people: People) -> None:
    """A visitor has no privilege on the function."""
    sofa = line(people.world.teak.variants["sofa"])
    with raises_sqlstate("42501"):
        sell(people.as_anon(), people.world.blr, sofa, payments=[pay(1180)])
    with raises_sqlstate("42501"):
        quote(people.as_anon(), people.world.blr, sofa)


def test_a_token_without_user_is_not_signed_in(people: People) -> None:
    """Role authenticated without a subject gets 401, not somebody's rights."""
    ghost = Persona(people.connection, "authenticated")
    with raises("unauthenticated", 401):
        quote(ghost, people.world.blr, line(people.world.teak.variants["sofa"]))


@pytest.mark.parametrize("role", ["inventory_manager", "technician"])
def test_roles_without_the_permission_are_refused(people: People, role: str) -> None:
    """Belonging to the branch is not enough."""
    with raises("permission_denied", 403) as refusal:
        sell(
            people.as_role(role),
            people.world.blr,
            line(people.world.teak.variants["sofa"]),
            payments=[pay(1180)],
        )
    assert refusal.facts["permission"] == "sale.create"


def test_a_cashier_sells_in_his_branch_only(people: People) -> None:
    """Another branch does not exist for him, nor does it for strangers."""
    sofa = line(people.world.teak.variants["sofa"])
    assert sell(people.as_cashier(), people.world.blr, sofa)["status"] == "paid"
    for person in (people.as_cashier(people.world.mum), people.as_foreign_admin(), people.as_nobody()):
        with raises("not_found", 404):
            sell(person, people.world.blr, sofa, payments=[pay(1180)])


def test_goods_leave_a_location_of_the_branch(people: People) -> None:
    """A location of another branch, or of another business, is not found."""
    world = people.world
    for elsewhere in (world.mum.showroom, world.lagoon.branches[0].showroom, new_id()):
        with raises("not_found", 404):
            sell(
                people.as_admin(),
                world.blr,
                line(world.teak.variants["sofa"]),
                location=elsewhere,
                payments=[pay(1180)],
            )


def test_foreign_goods_and_customers_are_not_found(people: People) -> None:
    """Ids of another business are as unknown as invented ones."""
    world = people.world
    with raises("not_found", 404):
        sell(people.as_cashier(), world.blr, line(world.lagoon.variants["pump"]), payments=[pay(60)])
    with raises("not_found", 404):
        sell(
            people.as_cashier(),
            world.blr,
            line(world.teak.variants["sofa"]),
            customer=world.lagoon.customers["domestic"],
            payments=[pay(1180)],
        )


def test_the_price_is_the_catalogues(people: People) -> None:
    """A cashier may repeat the catalogue's price but not name another; who holds price.override may."""
    sofa = people.world.teak.variants["sofa"]
    named = sell(people.as_cashier(), people.world.blr, line(sofa, unit_price=Decimal("1000.00")))
    assert named["lines"][0]["unit_price"] == Decimal("1000.00")
    for price in (Decimal("999.99"), Decimal("1000.01"), 0):
        with raises("price_override_denied", 403):
            sell(people.as_cashier(), people.world.blr, line(sofa, unit_price=price), payments=[pay(1)])
    cheap = sell(people.as_sales(), people.world.blr, line(sofa, unit_price=800))
    assert (cheap["subtotal"], cheap["discount"]) == (Decimal("800.00"), Decimal("0.00"))


@pytest.mark.parametrize(
    ("role", "largest", "too_much"),
    [("cashier", "50.00", "50.01"), ("sales_executive", "150.00", "150.01"), ("admin", "1000.00", None)],
)
def test_discounts_have_a_limit_per_role(
    people: People, role: str, largest: str, too_much: str | None
) -> None:
    """5 % for a cashier, 15 % for a sales executive, all for an admin; the limit itself is allowed."""
    sofa, person = people.world.teak.variants["sofa"], people.as_role(role)
    granted = sell(person, people.world.blr, line(sofa, discount=Decimal(largest)))
    assert granted["discount"] == Decimal(largest)
    assert granted["subtotal"] == Decimal("1000.00") - Decimal(largest)
    if too_much:
        with raises("discount_limit", 422) as refusal:
            sell(person, people.world.blr, line(sofa, discount=Decimal(too_much)), payments=[pay(1)])
        assert refusal.facts["line"] == 1


def test_the_limit_counts_for_each_line_by_itself(people: People) -> None:
    """A line without discount does not lend its allowance to another."""
    variants = people.world.teak.variants
    with raises("discount_limit", 422) as refusal:
        quote(
            people.as_cashier(), people.world.blr, line(variants["sofa"]), line(variants["lamp"], discount=10)
        )
    assert (refusal.facts["line"], refusal.facts["sku"]) == (2, "LAMP")


def test_no_discount_is_above_the_price(people: People) -> None:
    """Not even an admin gives more than the line is worth."""
    with raises("invalid_input", 400):
        quote(people.as_admin(), people.world.blr, line(people.world.teak.variants["sofa"], discount=1001))


def test_archived_things_are_not_sold(people: People) -> None:
    """A variant, a customer, a location or a branch that was archived takes no part in a new sale."""
    world, admin = people.world, people.as_admin()
    sofa = line(world.teak.variants["sofa"])
    # Places of which the one sofa is sold first: only empty ones are archived.
    place, (branch_id, shop) = attic(people), new_branch(people, "NEW")
    branch = replace(world.blr, id=branch_id, showroom=shop)
    for where in (place, shop):
        admin.rpc(
            "adjust_stock",
            p_id=new_id(),
            p_location_id=where,
            p_variant_id=world.teak.variants["sofa"],
            p_quantity=1,
            p_reason="found",
        )
    archive: dict[str, tuple[Any, Line, dict[str, Any], tuple[str, int]]] = {
        "product_variants": (
            world.teak.variants["book"],
            line(world.teak.variants["book"]),
            {},
            ("variant_archived", 422),
        ),
        "customers": (
            world.teak.customers["local"],
            sofa,
            {"customer": world.teak.customers["local"]},
            ("not_found", 404),
        ),
        "locations": (place, sofa, {"location": place}, ("not_found", 404)),
        "branches": (branch.id, sofa, {}, ("branch_archived", 422)),
    }
    for table, (row, basket, options, (code, status)) in archive.items():
        at = branch if table == "branches" else world.blr
        assert sell(admin, at, basket, **options)["status"] == "paid"
        assert admin.execute(f"update public.{table} set archived_at = now() where id = %s", [row]) == 1
        with raises(code, status):
            sell(admin, at, basket, payments=[pay(5000)], **options)


def test_a_revocation_counts_at_once(people: People) -> None:
    """The table decides: the next call of a person whose role lost the permission is refused."""
    sofa = line(people.world.teak.variants["sofa"])
    sell(people.as_cashier(), people.world.blr, sofa)
    people.as_admin().rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=people.world.teak.id,
        p_key="cashier",
        p_name="Cashier",
        p_permissions=["catalogue.read"],
    )
    with raises("permission_denied", 403):
        sell(people.as_cashier(), people.world.blr, sofa, payments=[pay(1180)])


def test_goods_cut_into_crumbs_cost_what_they_cost(people: People) -> None:
    """Rounding each of many tiny lines of one variant down would give it away."""
    rug, world = people.world.teak.variants["rug"], people.world
    crumbs = [line(rug, Decimal("0.001")) for _ in range(200)]
    with raises("invalid_input", 400):
        quote(people.as_cashier(), world.blr, *crumbs)
    halves = quote(people.as_cashier(), world.blr, line(rug, Decimal("0.333")), line(rug, Decimal("0.667")))
    assert halves["subtotal"] == Decimal("250.50")


def test_variants_of_an_archived_product_are_not_sold(people: People) -> None:
    """Archiving the product takes all of it from sale."""
    sofa = people.world.teak.variants["sofa"]
    people.as_admin().execute(
        "update public.products set archived_at = now()"
        " where id = (select product_id from public.product_variants where id = %s)",
        [sofa],
    )
    with raises("variant_archived", 422):
        quote(people.as_cashier(), people.world.blr, line(sofa))


def test_a_repeated_call_shows_only_what_one_may_read(people: People) -> None:
    """Somebody else's sale is shown to whoever may read invoices, and to nobody else."""
    world, sale_id = people.world, new_id()
    sofa = line(world.teak.variants["sofa"])
    sold = sell(people.as_cashier(), world.blr, sofa, payments=[pay(1180)], sale_id=sale_id)
    assert sell(people.as_admin(), world.blr, sofa, payments=[pay(1180)], sale_id=sale_id) == sold
    people.as_admin().rpc(
        "save_role",
        p_id=new_id(),
        p_org_id=world.teak.id,
        p_key="sales_executive",
        p_name="Sales executive",
        p_permissions=["sale.create"],
    )
    with raises("permission_denied", 403):
        sell(people.as_sales(), world.blr, sofa, payments=[pay(1180)], sale_id=sale_id)
