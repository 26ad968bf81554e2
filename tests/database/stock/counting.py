"""Short ways to count, for tests of counts."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tests.support.personas import Connection, Persona, new_id
from tests.support.world import People

Count = dict[str, Any]


def start(people: People, *variants: UUID, **options: Any) -> UUID:
    """A cycle count of these variants, or a full one, at the Bengaluru showroom, begun by its stockkeeper."""
    made = new_id()
    kind = options.pop("kind", "cycle" if variants else "full")
    location = options.pop("location", people.world.blr.showroom)
    if variants:
        options["variant_ids"] = list(variants)
    people.as_stockkeeper().rpc(
        "start_count", p_id=made, p_location_id=location, p_kind=kind, p_options=options
    )
    return made


def enter(person: Persona, count: UUID, variant: UUID, quantity: object, **more: Any) -> str:
    """Enter what was counted of one variant; returns the entry's id."""
    answer = person.rpc(
        "record_count",
        p_id=new_id(),
        p_count_id=count,
        p_lines=[{"variant_id": variant, "quantity": quantity, **more}],
    )
    return str(answer["entries"][0]["id"])


def void(person: Persona, entry: str) -> Any:
    """Take an entry back."""
    return person.rpc("void_count_entry", p_id=new_id(), p_entry_id=entry)


def submit(people: People, count: UUID, **options: Any) -> Count:
    """Submit as the stockkeeper."""
    answer: Count = people.as_stockkeeper().rpc(
        "submit_count", p_id=new_id(), p_count_id=count, p_options=options
    )
    return answer


def post(people: People, count: UUID, **options: Any) -> Count:
    """Submit as the stockkeeper, approve and post as the administrator."""
    submit(people, count, **options)
    people.as_admin().rpc("approve_count", p_id=new_id(), p_count_id=count)
    answer: Count = people.as_admin().rpc("post_count", p_id=new_id(), p_count_id=count)
    return answer


def look(people: People, count: UUID) -> Count:
    """The count as the administrator sees it."""
    answer: Count = people.as_admin().rpc("get_count", p_id=count)
    return answer


def figures(people: People, count: UUID) -> dict[str, dict[str, Any]]:
    """What the administrator sees beside each line, by SKU, or SKU/lot."""
    return {
        "/".join(filter(None, (entry["sku"], entry["batch"]))): {
            "counted": entry["counted"],
            **entry["figures"],
        }
        for entry in look(people, count)["lines"]
    }


def movements(connection: Connection, document: UUID) -> list[tuple[Any, ...]]:
    """What a document moved: SKU, kinds of both locations, quantity, cost, pieces, lot."""
    return connection.execute(
        "select v.sku, f.kind, t.kind, m.quantity, m.unit_cost, m.serials, b.code "
        "from public.stock_movements m "
        "join public.product_variants v on v.id = m.variant_id "
        "join public.locations f on f.id = m.from_location_id "
        "join public.locations t on t.id = m.to_location_id "
        "left join public.batches b on b.id = m.batch_id "
        "where m.document_id = %s order by v.sku, b.code, t.kind",
        [document],
    ).fetchall()


def rows(connection: Connection, tables: Iterable[str]) -> dict[str, Any]:
    """A fingerprint of each table: equal before and after means that nothing was written."""
    found = {}
    for table in tables:
        row = connection.execute(
            f"select count(*), md5(string_agg(t::text, '' order by t::text)) from {table} t"  # noqa: S608
        ).fetchone()
        found[table] = row
    return found


COUNT_TABLES = (
    "public.stock_counts",
    "public.stock_count_lines",
    "public.stock_count_figures",
    "public.stock_count_entries",
    "private.stock_count_books",
    "public.stock_levels",
    "public.batch_levels",
    "public.batches",
    "public.stock_units",
    "public.stock_movements",
    "private.outbox",
    "private.requests",
    "audit.log",
)


def trace(connection: Connection) -> dict[str, Any]:
    """Everything that an act of counting could write."""
    return rows(connection, COUNT_TABLES)
