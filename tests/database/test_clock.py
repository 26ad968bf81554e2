"""A clock that is set back decides nothing: what comes first is told by numbers that are counted on."""

# Names put into statements come from this file.
# ruff: noqa: S608

import re
from datetime import timedelta

from tests.database.billing import trading as papers
from tests.database.billing.money import credit
from tests.database.sales import adjust, line, local_date, sell
from tests.support.personas import Connection, new_id
from tests.support.world import People

# Functions that list things in the order of the clock, for reading; nothing is decided by it.
LISTS = {
    "invoice_json",
    "invoice_points",  # the last entry before an instant
    "my_invitations",
    "order_json",
    "refuse_promised",
    "shift_json",
    "spread_events",  # all of them, a batch at a time: none is left out
}


# Which rows one act wrote together, limits as they stood, and the key of an event.
COMPARES = {
    "account_entries",
    "agreed_parts",
    "bury_events",
    "charges_due",
    "claim_events",
    "discount_findings",
    "open_invoices",
    "spread_events",
}


def test_no_function_decides_by_the_clock(owner: Connection) -> None:
    """Read off the catalogue: whoever sorts by when rows were written, or compares it, is known."""
    rows = owner.execute(
        "select proname, prosrc from pg_proc where pronamespace in ('private'::regnamespace, "
        "'public'::regnamespace)"
    ).fetchall()
    sorts = re.compile(r"order by\s+(?:[^;()]|\([^()]*\))*?(?:created|updated|entered)_at")
    found = {name for name, source in rows if sorts.search(source)}
    assert found <= LISTS, found - LISTS
    compares = re.compile(r"\w\.(?:created|updated|entered)_at\s*[<>=]+\s*\w+\.\w+_")
    found = {name for name, source in rows if compares.search(source)}
    assert found <= COMPARES, found - COMPARES


def _set_back(connection: Connection, table: str, condition: str) -> None:
    """These rows were written when the clock had been set back by a day."""
    connection.execute("set constraints all immediate")
    connection.execute(f"alter table {table} disable trigger user".encode())
    connection.execute(
        f"update {table} set created_at = created_at - interval '1 day' where {condition}".encode()
    )
    connection.execute(f"alter table {table} enable trigger user".encode())


def test_what_is_owed_of_an_order(people: People) -> None:
    """Invoiced, let off, and delivered after all: that is invoiced again, whenever the clock says it left."""
    connection, admin = people.connection, people.as_admin()
    order = papers.confirmed(people, line(people.world.teak.variants["sofa"]))
    invoiced = papers.invoice(admin, order)
    credit(admin, invoiced["id"], [{"line_no": 1, "quantity": 1, "disposition": "none"}])
    papers.deliver(admin, people, order)
    standing = "select not_invoiced, not_delivered from private.order_standing(%s, %s)"
    house = [people.world.teak.id, order["id"]]
    assert connection.execute(standing, house).fetchone() == (1, 0)
    _set_back(connection, "public.deliveries", f"order_id = '{order['id']}'")
    assert connection.execute(standing, house).fetchone() == (1, 0)


def test_which_lot_goes_first(people: People) -> None:
    """Of two lots that keep equally long the one that came first."""
    connection, paint = people.connection, people.world.teak.variants["paint"]
    soon = str(local_date(connection, people.world.blr.id) + timedelta(days=1))
    for lot in ("ONE", "TWO"):
        adjust(people, paint, 2, "found", p_options={"batch": lot, "expires_on": soon})
    _set_back(connection, "public.batches", "code = 'TWO'")
    sell(people.as_cashier(), people.world.blr, line(paint))
    left = connection.execute(
        "select b.code, l.on_hand from public.batch_levels l join public.batches b on b.id = l.batch_id "
        "where b.code in ('ONE', 'TWO') order by 1"
    ).fetchall()
    assert left == [("ONE", 1), ("TWO", 2)]


def test_which_price_list_counts(people: People) -> None:
    """Of two lists alike the one that was made last."""
    admin, org, connection = people.as_admin(), people.world.teak.id, people.connection
    goods = people.world.teak.variants["sofa"]
    for name, price in (("First", 900), ("Second", 800)):
        made = new_id()
        admin.execute(
            "insert into public.price_lists (id, org_id, name, priority) values (%s, %s, %s, 900)",
            [made, org, name],
        )
        admin.execute(
            "insert into public.price_list_items (org_id, price_list_id, variant_id, price) "
            "values (%s, %s, %s, %s)",
            [org, made, goods, price],
        )
    _set_back(connection, "public.price_lists", "name = 'Second'")
    quoted = people.as_cashier().rpc(
        "quote_sale", p_branch_id=people.world.blr.id, p_customer_id=None, p_lines=[line(goods)]
    )
    assert quoted["lines"][0]["price_list"] == "Second"
