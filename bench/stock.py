"""How fast stock is found: search and lists of an organisation with a million levels, with and without RLS."""

import json
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.cluster import DATABASE, migrated_cluster
from bench.report import Progress
from bench.shop import Connection, Shop

VARIANTS = 100_000
BRANCHES = 5  # each with a showroom and a warehouse: ten locations
NEIGHBOURS = 10_000  # variants of the second organisation, which RLS has to hide
TARGET = 1.3
PAGE = 50

# A product and a variant for each number. %(org)s, %(tax)s, %(count)s.
_FILL = """
create temporary table numbered on commit drop as
select n, gen_random_uuid() as product_id, gen_random_uuid() as variant_id,
  (array['Oak', 'Teak', 'Walnut', 'Steel', 'Rattan', 'Marble', 'Glass', 'Bamboo'])[1 + n %% 8] as material,
  (array['grey', 'blue', 'green', 'ivory', 'black', 'amber', 'coral'])[1 + n / 8 %% 7] as colour,
  (array['sofa', 'armchair', 'table', 'lamp', 'shelf', 'wardrobe', 'bench', 'desk', 'mirror', 'rug'])[1 + n / 56 %% 10] as thing
from generate_series(1, %(count)s) n;
insert into public.products (id, org_id, name, tax_class_id)
select product_id, %(org)s, initcap(thing) || ' ' || material || ' ' || n / 560, %(tax)s from numbered;
insert into public.product_variants (id, org_id, product_id, sku, name, price, attributes)
select variant_id, %(org)s, product_id, format('%%s-%%s-%%s', upper(left(thing, 3)), upper(left(material, 3)),
    lpad(n::text, 6, '0')),
  format('%%s %%s, %%s', material, thing, colour), 100, jsonb_build_object('material', material, 'colour', colour)
from numbered;
insert into public.variant_barcodes (org_id, variant_id, code, kind)
select %(org)s, variant_id, d.digits || private.gtin_check_digit(d.digits), 'internal'
from numbered, lateral (select '20' || lpad(n::text, 10, '0') as digits) d;
insert into public.stock_levels (org_id, branch_id, location_id, variant_id, on_hand, reserved, average_cost, updated_at)
select %(org)s, l.branch_id, l.id, v.variant_id, q.on_hand, q.on_hand / 4, 60, now() - random() * interval '90 days'
from numbered v
join public.locations l on l.org_id = %(org)s and l.branch_id is not null
cross join lateral (select (abs(hashtext(l.id::text || v.n::text)) %% 40)::integer as on_hand) q;
"""


@dataclass(frozen=True)
class Query:
    """One thing to measure: the same statement under RLS, and as somebody whom no policy concerns."""

    name: str
    statement: str
    parameters: dict[str, Any] = field(default_factory=dict)
    bare: str | None = None


@dataclass
class Timing:
    """Milliseconds of each round."""

    query: str
    guarded: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    rows: int = 0
    plans: list[str] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Guarded over bare, round by round."""
        return [a / b for a, b in zip(self.guarded, self.bare, strict=True)]


def fill(shop: Shop, owner: Connection, variants: int) -> None:
    """Give a shop so many variants and, at each of its locations, a level of each.

    Parameters:
        owner: a superuser's connection: triggers and checks of keys rest meanwhile, or it would take an hour.
    """
    with owner.transaction():
        (tax,) = owner.execute(
            "select id from public.tax_classes where org_id = %s", [shop.org_id]
        ).fetchone() or (None,)
        owner.execute("set local session_replication_role = replica")
        values = {"org": shop.org_id, "tax": tax, "count": variants}
        cursor = psycopg.ClientCursor(owner)
        cursor.execute(_FILL, values)
        owner.execute(
            "select private.index_variants(%(org)s, array_agg(id)) from public.product_variants where org_id = %(org)s",
            values,
        )


def page_of(where: str, order: str, *, total: bool = False) -> str:
    """A page of stock levels as PostgREST asks for it.

    Parameters:
        where: conditions, without the word.
        order: columns.
        total: count all rows too.
    """
    columns = (
        "org_id, branch_id, location_id, variant_id, on_hand, reserved, incoming, in_transit, available, average_cost, updated_at"
    )
    count = f"(select count(*) from public.stock_levels where {where})" if total else "null::bigint"
    return (
        f"with pgrst_source as (select {columns} from public.stock_levels where {where} order by {order} limit {PAGE}) "  # noqa: S608
        f"select {count} as total_result_set, count(t) as page_total, coalesce(json_agg(t), '[]') as body "
        "from (select * from pgrst_source) t"
    )
