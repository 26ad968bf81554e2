"""The database as it is after an act: its state, what must always hold in it, and a fingerprint of all of it."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.house import House
from tests.properties.state import Level, Piece, State
from tests.support.personas import Connection

_STATE = """
select jsonb_build_object(
  'levels', (
    select coalesce(jsonb_agg(jsonb_build_array(location_id, variant_id, on_hand, reserved, incoming, in_transit)), '[]')
    from public.stock_levels where org_id = %(org)s
      and (on_hand, reserved, incoming, in_transit) is distinct from (0, 0, 0, 0)),
  'lots', (
    select coalesce(jsonb_agg(jsonb_build_array(l.location_id, l.variant_id, b.code, l.on_hand)), '[]')
    from public.batch_levels l join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
    where l.org_id = %(org)s and l.on_hand <> 0),
  'batches', (
    select coalesce(jsonb_agg(jsonb_build_array(variant_id, code, id, expires_on)), '[]')
    from public.batches where org_id = %(org)s),
  'pieces', (
    select coalesce(jsonb_agg(jsonb_build_array(variant_id, serial, location_id, status)), '[]')
    from public.stock_units where org_id = %(org)s))
"""


def read_state(owner: Connection, house: House) -> State:
    """What the database holds of the house, past every policy."""
    row = owner.execute(_STATE, {"org": house.id}).fetchone()
    assert row is not None
    place = {str(location): name for name, location in house.places.items()}
    sku = {str(variant): name for name, variant in house.variants.items()}
    found: dict[str, list[list[Any]]] = row[0]
    return State(
        {(place[at], sku[what]): Level(*map(Decimal, columns)) for at, what, *columns in found["levels"]},
        {(place[at], sku[what], code): Decimal(there) for at, what, code, there in found["lots"]},
        {(sku[what], serial): Piece(place[at], status) for what, serial, at, status in found["pieces"]},
        {
            (sku[what], code): (UUID(batch), None if day is None else date.fromisoformat(day))
            for what, code, batch, day in found["batches"]
        },
    )


# Each query gives one row for every place where it is broken. %(org)s is the organisation.
INVARIANTS = {
    "a level differs from the ledger": """
        select coalesce(s.location_id, g.location_id)
        from (select location_id, variant_id, on_hand from public.stock_levels where org_id = %(org)s) s
        full join (
          select e.at as location_id, e.variant_id, sum(e.quantity) as quantity
          from public.stock_movements m
          cross join lateral (values (m.to_location_id, m.variant_id, m.quantity),
            (m.from_location_id, m.variant_id, -m.quantity)) e (at, variant_id, quantity)
          join public.locations l on l.id = e.at and l.holds_stock
          where m.org_id = %(org)s group by 1, 2) g using (location_id, variant_id)
        where coalesce(s.on_hand, 0) <> coalesce(g.quantity, 0)""",
    "the ends of the movements do not sum to zero": """
        select sum(quantity) from (
          select s.on_hand as quantity from public.stock_levels s where s.org_id = %(org)s
          union all
          select m.quantity from public.stock_movements m
          join public.locations l on l.id = m.to_location_id and not l.holds_stock where m.org_id = %(org)s
          union all
          select -m.quantity from public.stock_movements m
          join public.locations l on l.id = m.from_location_id and not l.holds_stock where m.org_id = %(org)s) e
        having sum(quantity) <> 0""",
    "a level is out of bounds": """
        select location_id from public.stock_levels
        where org_id = %(org)s and not (0 <= reserved and reserved <= on_hand and 0 <= in_transit and in_transit <= incoming
          and available = on_hand - reserved)""",
    "the pieces at a place are not its level": """
        select v.sku from public.product_variants v
        join public.stock_levels s on s.org_id = v.org_id and s.variant_id = v.id
        where v.org_id = %(org)s and v.tracking = 'serial' and s.on_hand <> (
          select count(*) from public.stock_units u
          where u.org_id = s.org_id and u.variant_id = s.variant_id and u.location_id = s.location_id)""",
    "a piece is not where the ledger took it": """
        select distinct on (m.variant_id, e.serial) e.serial
        from public.stock_movements m cross join unnest(m.serials) e (serial)
        join public.stock_units u on u.org_id = m.org_id and u.variant_id = m.variant_id and u.serial = e.serial
        where m.org_id = %(org)s and m.id = (
            select max(x.id) from public.stock_movements x
            where x.org_id = m.org_id and x.variant_id = m.variant_id and e.serial = any (x.serials))
          and u.location_id <> m.to_location_id""",
    "the lots at a place are not its level": """
        select v.sku from public.product_variants v
        join public.stock_levels s on s.org_id = v.org_id and s.variant_id = v.id
        where v.org_id = %(org)s and v.tracking = 'batch' and s.on_hand <> (
          select coalesce(sum(l.on_hand), 0) from public.batch_levels l
          where l.org_id = s.org_id and l.variant_id = s.variant_id and l.location_id = s.location_id)""",
    "a lot differs from the ledger": """
        select b.code from public.batches b
        cross join lateral (
          select l.location_id, l.on_hand from public.batch_levels l where l.org_id = b.org_id and l.batch_id = b.id) l
        where b.org_id = %(org)s and l.on_hand <> (
          select coalesce(sum(case when m.to_location_id = l.location_id then m.quantity else -m.quantity end), 0)
          from public.stock_movements m
          where m.org_id = b.org_id and m.batch_id = b.id and l.location_id in (m.from_location_id, m.to_location_id))""",
}


def broken(owner: Connection, house: House) -> list[str]:
    """The invariants that do not hold, in words; all in one statement, which sees one moment."""
    query = " union all ".join(
        f"(select '{name}' where exists ({rule}))" for name, rule in INVARIANTS.items()
    )
    return [row[0] for row in owner.execute(query, {"org": house.id}).fetchall()]


_fingerprints: list[str] = []


def fingerprint(owner: Connection, house: House) -> list[tuple[Any, ...]]:
    """For every table with rows of organisations: how many the house has, and the sum of their hashes."""
    if not _fingerprints:
        tables = owner.execute(
            """
            select format('%I.%I', n.nspname, c.relname)
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
            where n.nspname in ('public', 'private', 'audit') and c.relkind in ('r', 'p') and not c.relispartition
            order by 1
            """
        ).fetchall()
        _fingerprints.append(
            " union all ".join(
                f"select '{table}', count(*), sum(hashtextextended(t::text, 0)) from {table} t where org_id = %(org)s"
                for (table,) in tables
            )
        )
    return owner.execute(_fingerprints[0], {"org": house.id}).fetchall()
