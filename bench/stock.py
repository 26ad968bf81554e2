"""How fast stock is found: search and lists of a business with a million levels, with and without RLS."""

import json
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import psycopg

from bench.cluster import DATABASE, migrated_cluster
from bench.guarded import Query, Result, Timing, measure, plan_of
from bench.report import Progress
from bench.shop import Connection, Shop, call
from local.errors import LauncherError

VARIANTS = 100_000
BRANCHES = 5  # each with a showroom and a warehouse: ten locations
NEIGHBOURS = 10  # the second organisation, which RLS has to hide, is so many times smaller
PAGE = 50

# A product and a variant for each number. %(org)s, %(tax)s, %(count)s.
_FILL = """
create temporary table numbered on commit drop as
select n, gen_random_uuid() as product_id, gen_random_uuid() as variant_id,
  (array['Oak', 'Teak', 'Walnut', 'Steel', 'Rattan', 'Marble', 'Glass', 'Bamboo'])[1 + n %% 8] as material,
  (array['grey', 'blue', 'green', 'ivory', 'black', 'amber', 'coral'])[1 + n / 8 %% 7] as colour,
  (array['sofa', 'armchair', 'table', 'lamp', 'shelf', 'wardrobe', 'bench', 'desk', 'mirror',
    'rug'])[1 + n / 56 %% 10] as thing
from generate_series(1, %(count)s) n;
insert into public.products (id, org_id, name, tax_class_id)
select product_id, %(org)s, initcap(thing) || ' ' || material || ' ' || n / 560, %(tax)s from numbered;
insert into public.product_variants (id, org_id, product_id, sku, name, price, attributes)
select variant_id, %(org)s, product_id, format('%%s-%%s-%%s', upper(left(thing, 3)), upper(left(material, 3)),
    lpad(n::text, 6, '0')),
  format('%%s %%s, %%s', material, thing, colour), 100,
  jsonb_build_object('material', material, 'colour', colour)
from numbered;
insert into public.variant_barcodes (org_id, variant_id, code, kind)
select %(org)s, variant_id, d.digits || private.gtin_check_digit(d.digits), 'internal'
from numbered, lateral (select '20' || lpad(n::text, 10, '0') as digits) d;
insert into public.stock_levels (org_id, branch_id, location_id, variant_id, on_hand, reserved, average_cost,
  updated_at)
select %(org)s, l.branch_id, l.id, v.variant_id, q.on_hand, q.on_hand / 4, 60,
  now() - random() * interval '90 days'
from numbered v
join public.locations l on l.org_id = %(org)s and l.branch_id is not null
cross join lateral (select (abs(hashtext(l.id::text || v.n::text)) %% 40)::integer as on_hand) q;
"""


COLUMNS = (
    "org_id, branch_id, location_id, variant_id, on_hand, reserved, incoming, in_transit, available, "
    "average_cost, updated_at"
)
WHOLE_ORDER = "org_id, branch_id, location_id, variant_id"


# Filling -------------------------------------------------------------------------------------------


def found(url: str, owner: Connection, variants: int) -> Shop:
    """Found an organisation with ten locations and a level of every variant at each.

    Parameters:
        owner: a superuser's connection: triggers and foreign keys rest meanwhile, or it would take an hour.
    """
    shop = Shop.found(url, branches=BRANCHES, variants=1)
    with shop.sign_in(shop.admin_id) as admin:
        for branch in shop.branches:
            store = (uuid.uuid4(), branch.id, f"{branch.code}-STORE", "Warehouse", "warehouse")
            call(admin, "create_location", *store)
    with owner.transaction():
        tax = owner.execute("select id from public.tax_classes where org_id = %s", [shop.org_id]).fetchone()
        owner.execute("set local session_replication_role = replica")
        # The driver's own cursor runs several statements only when their parameters are written into them.
        psycopg.ClientCursor(owner).execute(
            _FILL, {"org": shop.org_id, "tax": tax and tax[0], "count": variants}
        )
        owner.execute(
            "select private.index_variants(org_id, array_agg(id)) from public.product_variants "
            "where org_id = %s group by org_id",
            [shop.org_id],
        )
    return shop


def copy_without_permission(owner: Connection) -> None:
    """Make yardstick.search_variants: the same search, which asks nobody for permission."""
    row = owner.execute("select pg_get_functiondef('public.search_variants'::regproc)").fetchone()
    assert row is not None
    source = str(row[0])
    for part, instead in (
        ("FUNCTION public.search_variants", "FUNCTION yardstick.search_variants"),
        ("perform private.authorize('catalogue.read', p_org_id);", ""),
        ("perform private.authorize('stock.read', p_org_id, (p_filters ->> 'branch_id')::uuid);", "null;"),
        ("and b.id in (select private.branches_with('stock.read'))", ""),
    ):
        if part not in source:
            raise LauncherError(f"search_variants is not what bench stock copies: it lacks {part!r}.")
        source = source.replace(part, instead)
    owner.execute("create schema yardstick")
    owner.execute(source)
    owner.execute("grant usage on schema yardstick to postgres")
    owner.execute("grant execute on all functions in schema yardstick to postgres")


# What is measured ----------------------------------------------------------------------------------


def page(
    name: str, where: str, order: str, *, total: bool = False, alone: bool = False, **parameters: Any
) -> Query:
    """A page of stock levels as PostgREST asks for it when the API lists them.

    Parameters:
        where: conditions. order: columns. total: count all rows too. alone: in one process on both sides.
    """
    count = f"(select count(*) from public.stock_levels where {where})" if total else "null::bigint"  # noqa: S608
    statement = (
        f"with pgrst_source as (select {COLUMNS} from public.stock_levels where {where} "  # noqa: S608
        f"order by {order} limit {PAGE}) "
        f"select {count} as total_result_set, count(t) as page_total, "
        "coalesce(json_agg(t), '[]')::text as body "
        "from (select * from pgrst_source) t"
    )
    return Query(name, statement, parameters, alone=alone)


def search(name: str, org_id: uuid.UUID, text: str, **filters: Any) -> Query:
    """A search; without RLS: the same by a function that asks for no permission."""
    statement = "select {}.search_variants(%(org)s, %(text)s, %(filters)s::jsonb)"
    parameters = {"org": org_id, "text": text, "filters": json.dumps(filters)}
    return Query(name, statement.format("public"), parameters, statement.format("yardstick"))


def queries(shop: Shop, owner: Connection, variants: int) -> list[Query]:
    """Everything that is measured. variants: how many there are; what is looked for lies in their middle."""
    middle = owner.execute(
        f"select branch_id, location_id, variant_id from public.stock_levels where org_id = %s "  # noqa: S608
        f"order by {WHOLE_ORDER} offset %s limit 1",
        [shop.org_id, BRANCHES * variants],
    ).fetchone()
    (sku, code), place = (
        owner.execute(
            "select sku, code from public.product_variants v "
            "join public.variant_barcodes b on b.variant_id = v.id "
            "where v.org_id = %s order by sku offset %s limit 1",
            [shop.org_id, variants // 2],
        ).fetchone()
        or ("", ""),
        shop.branches[2],
    )
    assert middle is not None
    deep: dict[str, Any] = {"org": shop.org_id, "l": middle[1], "v": middle[2]}
    # As the API's cursors say it: backend/app/core/listing.py.
    after = "variant_id >= %(v)s and (variant_id > %(v)s or (variant_id = %(v)s and location_id > %(l)s))"
    at: dict[str, Any] = {"at": place.location_id}
    return [
        page("first page", "true", WHOLE_ORDER),
        page("first page, counted", "true", WHOLE_ORDER, total=True),
        page("the same, one process", "true", WHOLE_ORDER, total=True, alone=True),
        page("by variant, deep", f"org_id = %(org)s and {after}", "variant_id, location_id", **deep),
        page("branch", "branch_id = %(b)s", "location_id, variant_id", b=place.id),
        page("location", "location_id = %(at)s", "variant_id", **at),
        page("location, counted", "location_id = %(at)s", "variant_id", total=True, **at),
        page(
            "location, deep", "location_id = %(at)s and variant_id > %(v)s", "variant_id", **at, v=middle[2]
        ),
        page("location, by available", "location_id = %(at)s", "available, variant_id", **at),
        page("by available", "org_id = %(org)s", "available, location_id, variant_id", org=shop.org_id),
        search("search: a word", shop.org_id, "teak"),
        search("search: two words", shop.org_id, "walnut lamp"),
        search(
            "search: in stock at a branch",
            shop.org_id,
            "rattan",
            branch_id=str(place.id),
            in_stock=True,
        ),
        search("search: three letters", shop.org_id, "war"),
        search("search: SKU", shop.org_id, sku),
        search("search: barcode", shop.org_id, code),
        search("search: no hit", shop.org_id, "chesterfield"),
        search("search: all, by SKU", shop.org_id, ""),
    ]


# Measuring -----------------------------------------------------------------------------------------


def run(rounds: int, progress: Progress, *, variants: int = VARIANTS, plans: bool = False) -> Result:
    """Measure in a cluster of its own.

    Parameters:
        rounds: how often everything is measured.
        progress: is told what is going on.
        variants: of the organisation, each with a level at ten locations.
        plans: explain each statement, too.
    """
    progress.step("Starting a durable throw-away cluster")
    with migrated_cluster() as cluster, ExitStack() as stack:
        url = cluster.url(DATABASE)
        owner = stack.enter_context(psycopg.connect(cluster.superuser_url(DATABASE), autocommit=True))
        progress.step(f"Filling {variants * BRANCHES * 2:,} levels, and a tenth of that for others")
        shop, _ = found(url, owner, variants), found(url, owner, variants // NEIGHBOURS)
        copy_without_permission(owner)
        owner.execute("vacuum analyze")
        owner.execute("checkpoint")
        user = stack.enter_context(shop.sign_in(shop.admin_id))
        bare = stack.enter_context(psycopg.connect(url, autocommit=True))
        # As PostgREST's connections: whatever is asked again is prepared.
        user.prepare_threshold = bare.prepare_threshold = 0
        asked = queries(shop, owner, variants)
        progress.step("Checking what is found")
        result = Result([Timing(query) for query in asked], {}, violations(user, shop, asked))
        for number in range(rounds + 1):
            progress.step(f"Round {number} of {rounds}" if number else "Warming up")
            for timing in result.timings:
                times = measure(user, bare, timing.query, bare_first=bool(number % 2))
                if number:
                    timing.guarded.append(times[0])
                    timing.bare.append(times[1])
        for query in asked if plans else ():
            result.plans[query.name] = plan_of(user, query.guarded, query)
            result.plans[f"{query.name} (without)"] = plan_of(bare, query.bare or query.guarded, query)
        return result


def violations(user: Connection, shop: Shop, asked: Sequence[Query]) -> list[str]:
    """Answers that no user may get: rows of others, or none where there are some."""
    broken = []
    for query in asked:
        row = user.execute(query.guarded, query.parameters).fetchone()
        assert row is not None
        rows = json.loads(row[2]) if len(row) == 3 else row[0]["items"]
        if any(each["org_id"] != str(shop.org_id) for each in rows):
            broken.append(f"{query.name}: rows of another organisation")
        if bool(rows) == query.name.endswith("no hit"):
            broken.append(f"{query.name}: {len(rows)} rows")
    return broken
