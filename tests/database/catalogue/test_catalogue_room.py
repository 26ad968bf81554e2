"""Products, variants, classes and rates: who edits them, and what the tables refuse."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

import pytest

from tests.support.personas import raises_sqlstate
from tests.support.world import People


def test_editors_edit_and_readers_read(people: People) -> None:
    """catalogue.manage changes, catalogue.read sees, strangers neither."""
    sofa = people.world.teak.variants["sofa"]
    change = "update public.product_variants set price = 1200 where id = %s"
    assert people.as_stockkeeper().execute(change, [sofa]) == 1
    assert people.as_admin().execute(change, [sofa]) == 1
    for reader in (people.as_cashier(), people.as_sales(), people.as_technician(), people.as_foreign_admin()):
        assert reader.execute(change, [sofa]) == 0
    query = "select price from public.product_variants where id = %s"
    assert people.as_cashier().select(query, [sofa]) == [{"price": 1200}]
    assert people.as_foreign_admin().select(query, [sofa]) == []


@pytest.mark.parametrize("table", ["tax_classes", "tax_rates", "customer_groups", "price_lists"])
def test_some_things_are_never_deleted(people: People, table: str) -> None:
    """They are archived, or stay."""
    with raises_sqlstate("42501"):
        people.as_admin().execute(f"delete from public.{table}")


def test_rates_are_added_never_edited(people: People) -> None:
    """History stays; the same start date twice is a duplicate, with or without a region."""
    admin = people.as_admin()
    with raises_sqlstate("42501"):
        admin.execute("update public.tax_rates set rate = 1")
    for region in (None, "27"):
        add = (
            "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from, region) "
            "select org_id, id, 12, '2030-01-01', %s from public.tax_classes where code = 'GST18'"
        )
        assert admin.execute(add, [region]) == 1
        with raises_sqlstate("23505"):
            admin.execute(add, [region])


@pytest.mark.parametrize(
    "change",
    [
        "price = -1",
        "price = 'NaN'",
        "sku = ''",
        "sku = ' X'",
        "name = ' '",
        "barcode = ''",
        "attributes = '[]'",
        "sku = null",
    ],
)
def test_malformed_variants(people: People, change: str) -> None:
    """The table refuses what a till could not print or price."""
    with raises_sqlstate("23514", "23502"):
        people.as_admin().execute(
            f"update public.product_variants set {change} where id = %s",
            [people.world.teak.variants["sofa"]],
        )


def test_skus_and_barcodes_are_unique_in_the_business(people: People) -> None:
    """Twice in one business is a duplicate; two businesses may use the same."""
    admin = people.as_admin()
    with raises_sqlstate("23505"):
        admin.execute("update public.product_variants set sku = 'SOFA' where sku = 'LAMP'")
    admin.execute("update public.product_variants set barcode = '890' where sku = 'SOFA'")
    with raises_sqlstate("23505"):
        admin.execute("update public.product_variants set barcode = '890' where sku = 'LAMP'")
    assert (
        people.as_foreign_admin().execute(
            "update public.product_variants set sku = 'SOFA' where sku = 'PUMP'"
        )
        == 1
    )


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        (
            "products",
            (
                "insert into public.products (org_id, name, tax_class_id) select %s, 'X', id from "
                "public.tax_classes"
            ),
        ),
        (
            "product_variants",
            (
                "insert into public.product_variants (org_id, product_id, sku, name, price) "
                "select %s, id, 'NEW' || hsn_code, 'X', 1 from public.products"
            ),
        ),
        (
            "tax_rates",
            (
                "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from) "
                "select %s, id, 1, '2031-01-01' from public.tax_classes"
            ),
        ),
    ],
    ids=["products", "product_variants", "tax_rates"],
)
def test_rows_never_cross_businesses(people: People, table: str, statement: str) -> None:
    """Neither under another business's name, nor pointing at another's rows."""
    with raises_sqlstate("42501"):
        people.as_admin().execute(statement, [people.world.lagoon.id])
    with raises_sqlstate("23503"), people.connection.transaction():
        people.connection.execute(
            f"{statement} where org_id = %s limit 1", [people.world.lagoon.id, people.world.teak.id]
        )


def test_category_names_are_unique_under_one_parent(people: People) -> None:
    """Twice under the same parent is a duplicate, at the top too."""
    with raises_sqlstate("23505"):
        people.as_admin().execute(
            "insert into public.categories (org_id, name) values (%s, 'All')", [people.world.teak.id]
        )


def test_reference_data_is_for_everybody(people: People) -> None:
    """Units, countries, regions, methods and lifecycles are read before signing in, and written by nobody."""
    for table in ("units", "countries", "regions", "payment_methods", "lifecycle_transitions"):
        seen = people.as_anon().select(f"select count(*) as n from public.{table}")
        assert seen[0]["n"] > 0
        assert people.as_nobody().select(f"select count(*) as n from public.{table}") == seen
        with raises_sqlstate("42501"):
            people.as_admin().execute(f"delete from public.{table}")
