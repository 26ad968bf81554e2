"""The database after an act: its state, what must always hold in it, and a fingerprint of all of it."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.house import House
from tests.properties.learned import Order, OrderLine
from tests.properties.model import take_off
from tests.properties.state import (
    Count,
    CountLine,
    Entry,
    Invoice,
    Item,
    Level,
    Line,
    Move,
    Piece,
    Reservation,
    State,
    Transfer,
    TransferLine,
    summed,
)
from tests.support.personas import Connection

_STATE = """
select jsonb_build_object(
  'levels', (
    select coalesce(jsonb_agg(
      jsonb_build_array(location_id, variant_id, on_hand, reserved, incoming, in_transit)), '[]')
    from public.stock_levels where org_id = %(org)s
      and (on_hand, reserved, incoming, in_transit) is distinct from (0, 0, 0, 0)),
  'lots', (
    select coalesce(jsonb_agg(jsonb_build_array(l.location_id, l.variant_id, b.code, l.on_hand)), '[]')
    from public.batch_levels l join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
    where l.org_id = %(org)s and l.on_hand <> 0),
  'batches', (
    select coalesce(jsonb_agg(jsonb_build_array(variant_id, code, expires_on)), '[]')
    from public.batches where org_id = %(org)s),
  'pieces', (
    select coalesce(jsonb_agg(jsonb_build_array(variant_id, serial, location_id, status)), '[]')
    from public.stock_units where org_id = %(org)s),
  'reservations', (
    select coalesce(jsonb_agg(jsonb_build_array(r.id, r.location_id, r.status, r.expires_at <= now(),
      r.document = 'sales_order', (
      select jsonb_agg(jsonb_build_array(i.variant_id, i.quantity) order by i.line_no)
      from public.stock_reservation_items i where i.org_id = r.org_id and i.reservation_id = r.id))), '[]')
    from public.stock_reservations r where r.org_id = %(org)s),
  'transfers', (
    select coalesce(jsonb_agg(jsonb_build_array(t.id, t.from_location_id, t.to_location_id, t.status, (
      select jsonb_agg(jsonb_build_array(l.variant_id, l.serials, b.code) order by l.line_no)
      from public.stock_transfer_lines l
      left join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
      where l.org_id = t.org_id and l.transfer_id = t.id), (
      select jsonb_agg(jsonb_build_array(i.line_no, i.variant_id, i.quantity, b.code, i.serials, i.received,
        i.damaged, i.missing, (
          select coalesce(jsonb_agg(s), '[]') from public.stock_transfer_receipt_items x,
            unnest(x.received_serials || x.damaged_serials || x.missing_serials) s
          where x.org_id = i.org_id and x.transfer_id = i.transfer_id and x.item_no = i.item_no))
        order by i.item_no)
      from public.stock_transfer_items i
      left join public.batches b on b.org_id = i.org_id and b.id = i.batch_id
      where i.org_id = t.org_id and i.transfer_id = t.id))), '[]')
    from public.stock_transfers t where t.org_id = %(org)s),
  'counts', (
    select coalesce(jsonb_agg(jsonb_build_array(c.id, c.location_id, c.status, (
      select coalesce(jsonb_agg(jsonb_build_array(l.variant_id, b.code, l.counted, f.variance, f.missing,
        f.found) order by l.line_no), '[]')
      from public.stock_count_lines l
      join public.stock_count_figures f
        on f.org_id = l.org_id and f.count_id = l.count_id and f.line_no = l.line_no
      left join public.batches b on b.org_id = l.org_id and b.id = l.batch_id
      where l.org_id = c.org_id and l.count_id = c.id), (
      select coalesce(jsonb_agg(jsonb_build_array(e.line_no, e.quantity, e.serials, k.book, k.found, k.here,
        e.voided_at is not null) order by e.seq), '[]')
      from public.stock_count_entries e
      join private.stock_count_books k on k.org_id = e.org_id and k.entry_id = e.id
      where e.org_id = c.org_id and e.count_id = c.id))), '[]')
    from public.stock_counts c where c.org_id = %(org)s))
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
            (sku[what], code): None if day is None else date.fromisoformat(day)
            for what, code, day in found["batches"]
        },
        {
            UUID(key): Reservation(
                place[at],
                summed((sku[what], Decimal(n)) for what, n in items),
                status,
                bool(lapsed) and status == "active",
                ordered,
            )
            for key, at, status, lapsed, ordered, items in found["reservations"]
        },
        {
            UUID(key): Transfer(
                place[source],
                place[target],
                tuple(
                    TransferLine(sku[what], None if serials is None else tuple(serials), lot)
                    for what, serials, lot in lines
                ),
                tuple(_item(sku, row) for row in items),
                status,
            )
            for key, source, target, status, lines, items in found["transfers"]
        },
        {
            UUID(key): Count(
                place[at],
                status,
                tuple(_count_line(sku, row) for row in lines),
                tuple(
                    (
                        number,
                        Entry(
                            Decimal(n),
                            frozenset(seen or ()),
                            Decimal(book),
                            frozenset(new or ()),
                            frozenset(here or ()),
                            gone,
                        ),
                    )
                    for number, n, seen, book, new, here, gone in entries
                ),
            )
            for key, at, status, lines, entries in found["counts"]
        },
    )


def entry_ids(owner: Connection, house: House) -> list[tuple[UUID, int, UUID]]:
    """The ids that the database gave to the entries of counts: count, place among its entries, id."""
    return owner.execute(
        "select count_id, row_number() over (partition by count_id order by seq) - 1, id "
        "from public.stock_count_entries where org_id = %s",
        [house.id],
    ).fetchall()


_INVOICES = """
select i.id, (
  select jsonb_agg(jsonb_build_array(l.variant_id, l.quantity, l.base_quantity, l.set_items, (
    select coalesce(sum(r.quantity), 0) from public.goods_return_lines r
    where r.org_id = l.org_id and r.invoice_id = l.invoice_id and r.line_no = l.line_no)) order by l.line_no)
  from public.invoice_lines l where l.org_id = i.org_id and l.invoice_id = i.id), (
  select coalesce(jsonb_agg(jsonb_build_array(m.variant_id, m.quantity, m.serials, b.code)
    order by m.id), '[]')
  from public.stock_movements m
  left join public.batches b on b.org_id = m.org_id and b.id = m.batch_id
  where m.org_id = i.org_id and m.document_id = i.id), (
  select coalesce(jsonb_agg(jsonb_build_array(m.variant_id, m.quantity, m.serials, b.code)
    order by m.id), '[]')
  from public.goods_returns r
  join public.stock_movements m on m.org_id = r.org_id and m.document_id = r.id
  join public.locations f on f.org_id = m.org_id and f.id = m.from_location_id and f.kind = 'customer'
  left join public.batches b on b.org_id = m.org_id and b.id = m.batch_id
  where r.org_id = i.org_id and r.invoice_id = i.id)
from public.invoices i where i.org_id = %s order by i.created_at
"""


def read_invoices(owner: Connection, house: House) -> dict[UUID, Invoice]:
    """The sales, as far as somebody who takes goods back must know them."""
    sku = {str(variant): name for name, variant in house.variants.items()}

    def moves(rows: list[list[Any]]) -> list[Move]:
        return [
            Move(sku[what], "", "customer", Decimal(n), None if serials is None else tuple(serials), lot)
            for what, n, serials, lot in rows
        ]

    found = {}
    for key, lines, sold, returned in owner.execute(_INVOICES, [house.id]).fetchall():
        left = moves(sold)
        for back in moves(returned):
            take_off(left, back)
        found[key] = Invoice(
            tuple(
                Line(
                    sku[what],
                    Decimal(quantity),
                    Decimal(base),
                    items is not None,
                    tuple((sku[i["variant_id"]], Decimal(i["quantity"])) for i in items or ())
                    or ((sku[what], Decimal(base)),),
                    Decimal(came_back),
                )
                for what, quantity, base, items, came_back in lines
            ),
            tuple(left),
        )
    return found


_ORDERS = """
select o.id, o.branch_id, o.status, o.location_id, (
  select jsonb_agg(jsonb_build_array(p.line_no, p.line ->> 'variant_id', p.quantity,
    p.line -> 'base_quantity', p.delivered) order by p.line_no)
  from private.order_progress(o.org_id, o.id) p)
from public.sales_orders o where o.org_id = %s order by o.created_at
"""


def read_orders(owner: Connection, house: House) -> dict[UUID, Order]:
    """The sales orders, as far as stock has to do with them."""
    sku = {str(variant): name for name, variant in house.variants.items()}
    branch = {known: code for code, known in house.branches.items()}
    return {
        key: Order(
            branch[where],
            status,
            None if at is None else house.place_of(at),
            tuple(OrderLine(no, sku[what], *map(Decimal, figures)) for no, what, *figures in lines),
        )
        for key, where, status, at, lines in owner.execute(_ORDERS, [house.id]).fetchall()
    }


def read_moves(owner: Connection, house: House, after: int) -> tuple[int, list[Move]]:
    """The movements after one, in their order, and the number of the last."""
    rows = owner.execute(
        "select m.id, m.variant_id, m.from_location_id, m.to_location_id, m.quantity, m.serials, b.code "
        "from public.stock_movements m "
        "left join public.batches b on b.org_id = m.org_id and b.id = m.batch_id "
        "where m.org_id = %s and m.id > %s order by m.id",
        [house.id, after],
    ).fetchall()
    return max([after, *(row[0] for row in rows)]), [
        Move(
            str(house.sku_of(what)),
            str(house.place_of(source)),
            str(house.place_of(target)),
            quantity,
            None if serials is None else tuple(serials),
            lot,
        )
        for _, what, source, target, quantity, serials, lot in rows
    ]


def _count_line(sku: dict[str, str], row: list[Any]) -> CountLine:
    what, lot, counted, variance, missing, found = row
    return CountLine(
        sku[what],
        lot,
        None if counted is None else Decimal(counted),
        None if variance is None else Decimal(variance),
        None if missing is None else frozenset(missing),
        None if found is None else frozenset(found),
    )


def _item(sku: dict[str, str], row: list[Any]) -> Item:
    line_no, what, quantity, lot, serials, received, damaged, missing, settled = row
    return Item(
        line_no,
        sku[what],
        Decimal(quantity),
        lot,
        None if serials is None else frozenset(serials),
        Decimal(received),
        Decimal(damaged),
        Decimal(missing),
        frozenset(settled),
    )


# Each query gives one row for every place where it is broken. %(org)s is the organisation.
INVARIANTS = {
    "what is reserved is not what active reservations hold": """
        select coalesce(s.location_id, h.location_id)
        from (select location_id, variant_id, reserved from public.stock_levels where org_id = %(org)s) s
        full join (
          select r.location_id, i.variant_id, sum(i.quantity) as quantity
          from public.stock_reservations r
          join public.stock_reservation_items i on i.org_id = r.org_id and i.reservation_id = r.id
          where r.org_id = %(org)s and r.status = 'active' group by 1, 2) h using (location_id, variant_id)
        where coalesce(s.reserved, 0) <> coalesce(h.quantity, 0)""",
    "what is in transit is not what open transfers have not settled": """
        select coalesce(s.location_id, o.location_id)
        from (select location_id, variant_id, in_transit from public.stock_levels where org_id = %(org)s) s
        full join (
          select t.to_location_id as location_id, i.variant_id, sum(i.open) as quantity
          from public.stock_transfers t
          join public.stock_transfer_items i on i.org_id = t.org_id and i.transfer_id = t.id
          where t.org_id = %(org)s and t.status in ('dispatched', 'partially_received')
          group by 1, 2) o using (location_id, variant_id)
        where coalesce(s.in_transit, 0) <> coalesce(o.quantity, 0)""",
    "the road holds other goods than the open transfers": """
        select coalesce(s.variant_id, o.variant_id)
        from (
          select v.variant_id, v.on_hand from public.stock_levels v
          join public.locations l on l.id = v.location_id and l.kind = 'transit' where v.org_id = %(org)s) s
        full join (
          select i.variant_id, sum(i.open) as quantity
          from public.stock_transfers t
          join public.stock_transfer_items i on i.org_id = t.org_id and i.transfer_id = t.id
          where t.org_id = %(org)s and t.status in ('dispatched', 'partially_received')
          group by 1) o using (variant_id)
        where coalesce(s.on_hand, 0) <> coalesce(o.quantity, 0)""",
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
          join public.locations l on l.id = m.from_location_id and not l.holds_stock
          where m.org_id = %(org)s) e
        having sum(quantity) <> 0""",
    "a level is out of bounds": """
        select location_id from public.stock_levels
        where org_id = %(org)s and not (0 <= reserved and reserved <= on_hand and 0 <= in_transit
          and in_transit <= incoming and available = on_hand - reserved)""",
    "the pieces at a place are not its level": """
        select v.sku from public.product_variants v
        join public.stock_levels s on s.org_id = v.org_id and s.variant_id = v.id
        where v.org_id = %(org)s and v.tracking = 'serial' and s.on_hand <> (
          select count(*) from public.stock_units u
          where u.org_id = s.org_id and u.variant_id = s.variant_id and u.location_id = s.location_id)""",
    "a piece is not where the ledger took it": """
        select distinct on (m.variant_id, e.serial) e.serial
        from public.stock_movements m cross join unnest(m.serials) e (serial)
        join public.stock_units u
          on u.org_id = m.org_id and u.variant_id = m.variant_id and u.serial = e.serial
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
          select l.location_id, l.on_hand from public.batch_levels l
          where l.org_id = b.org_id and l.batch_id = b.id) l
        where b.org_id = %(org)s and l.on_hand <> (
          select coalesce(sum(
            case l.location_id when m.to_location_id then m.quantity else -m.quantity end), 0)
          from public.stock_movements m
          where m.org_id = b.org_id and m.batch_id = b.id
            and l.location_id in (m.from_location_id, m.to_location_id))""",
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
            where n.nspname in ('public', 'private', 'audit') and c.relkind in ('r', 'p')
              and not c.relispartition
            order by 1
            """
        ).fetchall()
        _fingerprints.append(
            " union all ".join(
                f"select '{table}', count(*), sum(hashtextextended(t::text, 0)) from {table} t "
                "where org_id = %(org)s"
                for (table,) in tables
            )
        )
    return owner.execute(_fingerprints[0], {"org": house.id}).fetchall()
