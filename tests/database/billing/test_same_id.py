"""Clients make up the ids of documents: the same id in two houses is two documents, each its own house's."""

import re
from typing import Any

from tests.database.billing.money import Json, assembly, credit, invoice_of, record
from tests.database.sales import line, sell
from tests.support.personas import new_id
from tests.support.world import People


def _twins(people: People, *, ours_first: bool) -> Json:
    """An unpaid invoice of Teak & Thread's whose id is that of a sale of Blue Lagoon's."""
    lagoon = people.world.lagoon
    customer, key = people.world.teak.customers["trusted"], new_id()

    def ours() -> Json:
        return sell(
            people.as_sales(),
            people.world.blr,
            assembly(people),
            payments=[],
            customer=customer,
            sale_id=key,
        )

    made = ours() if ours_first else None
    sell(people.as_foreign_admin(), lagoon.branches[0], line(lagoon.variants["pump"]), sale_id=key)
    return made or ours()


def test_the_same_id_in_two_houses(people: People) -> None:
    """Whoever came first, our acts find our invoice."""
    for ours_first in (True, False):
        made = _twins(people, ours_first=ours_first)
        named = [{"invoice_id": made["id"], "amount": 18}]
        paid = record(people.as_cashier(), people.world.teak.customers["trusted"], 18, p_allocations=named)
        assert paid["allocations"][0]["invoice_number"] == made["number"]
        assert credit(people.as_sales(), made["id"])["total"] == 118
        assert invoice_of(people, made["id"])["number"] == made["number"]


def test_every_look_up_asks_for_the_house(people: People) -> None:
    """What row-level security does not hold looks in the caller's houses only, all by one helper."""
    rows: list[Any] = people.connection.execute(
        "select proname, prosrc from pg_proc "
        # What runs as its caller (get_invoice) sees his rows only.
        "where pronamespace = 'private'::regnamespace "
        "or (pronamespace = 'public'::regnamespace and prosecdef)"
    ).fetchall()
    named = r"document_named\(null::public\.(\w+),"
    kinds = {kind for _, source in rows for kind in re.findall(named, source)}
    assert len(kinds) >= 11
    assert "private.org_of(" in dict(rows)["document_named"]
    tables = "|".join(sorted(kinds))
    alone = re.compile(
        rf"from public\.({tables})( \w+)?\s+where (\w+\.)?id = p_\w+(?![^;]*(org_id|member_orgs))"
    )
    assert [name for name, source in rows if alone.search(source)] == []
