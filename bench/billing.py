"""What offers, loyalty and credit cost a sale, beside the same in a house that uses none of them."""

import itertools
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads
from rich.console import Console

from bench import checks, documents, report, tpcb
from bench.clients import Clients, Session, Workload
from bench.cluster import DATABASE, migrated_cluster
from bench.report import Progress, Ratio, Result
from bench.sale import CLIENTS, LINES, STOCK, VARIANTS, WARM_UP, Counter, Yardstick
from bench.shop import Branch, Connection, Shop, call

CUSTOMERS = 2000
CATEGORIES = 20
CREDIT_LIMIT = 1_000_000_000
# What is paid at once of a sale on credit, and cash that is more than any sale comes to.
DEPOSIT = 50
PLENTY = 500

# sale / TPC-B of the commit that ended the foundation, when no sale knew offers, points or price lists:
# docs/performance.md says how it was measured.
FOUNDATION = {1: 0.21, CLIENTS: 0.144}
SHARE = 0.85


def _clients(count: int) -> str:
    return f"{count} client" if count == 1 else f"{count} clients"


@dataclass
class House:
    """A shop whose customers have a group, prices, offers, points and credit of their own."""

    shop: Shop
    customers: list[uuid.UUID] = field(default_factory=list)

    @classmethod
    def furnish(cls, shop: Shop) -> "House":
        """Give an organisation a price list, ten promotions, a loyalty program and customers with credit."""
        house = cls(shop)
        with shop.sign_in(shop.admin_id, autocommit=False) as admin:
            categories = house._categories(admin)
            group = house._insert(admin, "customer_groups", name="Trade")
            house._customers(admin, group)
            house._price_list(admin, group)
            house._promotions(admin, categories, group)
            house._insert(
                admin,
                "loyalty_programs",
                id=None,
                point_value=Decimal("0.25"),
                max_share_percent=50,
                expiry_months=24,
            )
            house._insert(admin, "loyalty_rules", name="Everybody", points_per_unit=Decimal("0.1"))
            house._insert(
                admin,
                "loyalty_rules",
                name="Category 1, doubly",
                points_per_unit=Decimal("0.2"),
                category_id=categories[1],
                priority=1,
            )
        return house

    def _insert(self, admin: Connection, table: str, **values: Any) -> uuid.UUID:
        """Insert a row as a client does; `id` None leaves the column out."""
        row_id = uuid.uuid4()
        row = {"id": row_id, "org_id": self.shop.org_id} | values
        row = {name: value for name, value in row.items() if not (name == "id" and value is None)}
        statement = sql.SQL("insert into public.{} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        )
        admin.execute(statement, list(row.values()))
        return row_id

    def _categories(self, admin: Connection) -> list[uuid.UUID]:
        """Twenty categories of goods in two halves, one level deep."""
        halves = [self._insert(admin, "categories", name=name) for name in ("Upstairs", "Downstairs")]
        found = [
            self._insert(admin, "categories", name=f"Category {number}", parent_id=halves[number % 2])
            for number in range(CATEGORIES)
        ]
        with admin.cursor() as cursor:
            cursor.executemany(
                "update public.products p set category_id = %s from public.product_variants v"
                " where v.org_id = %s and v.id = %s and p.org_id = v.org_id and p.id = v.product_id",
                [
                    (found[number % CATEGORIES], self.shop.org_id, variant)
                    for number, variant in enumerate(self.shop.variants)
                ],
            )
        return found

    def _customers(self, admin: Connection, group: uuid.UUID) -> None:
        self.customers = [uuid.uuid4() for _ in range(CUSTOMERS)]
        with admin.cursor() as cursor:
            cursor.executemany(
                "insert into public.customers (id, org_id, name, customer_group_id) values (%s, %s, %s, %s)",
                [
                    (customer, self.shop.org_id, f"Customer {number}", group)
                    for number, customer in enumerate(self.customers)
                ],
            )
            cursor.executemany(
                "select public.set_credit_limit(%s, %s)",
                [(customer, Decimal(CREDIT_LIMIT)) for customer in self.customers],
            )

    def _price_list(self, admin: Connection, group: uuid.UUID) -> None:
        """Every second variant has a price for the trade, and a lower one from ten pieces on."""
        trade = self._insert(admin, "price_lists", name="Trade", customer_group_id=group)
        with admin.cursor() as cursor:
            cursor.executemany(
                "insert into public.price_list_items (org_id, price_list_id, variant_id, min_quantity, price)"
                " values (%s, %s, %s, %s, %s)",
                [
                    (self.shop.org_id, trade, variant, pieces, price)
                    for variant in self.shop.variants[::2]
                    for pieces, price in ((0, 95), (10, 90))
                ],
            )

    def _promotions(self, admin: Connection, categories: list[uuid.UUID], group: uuid.UUID) -> None:
        """Ten of all kinds: a sale meets the first three at times, the fourth always, the others hardly."""
        variants = self.shop.variants

        def promotion(name: str, kind: str, value: int, *targets: dict[str, Any], **more: Any) -> uuid.UUID:
            scope = {} if targets else {"applies_to": "everything"}
            found = self._insert(admin, "promotions", name=name, kind=kind, value=value, **scope, **more)
            for position, target in enumerate(targets, 1):
                self._insert(admin, "promotion_targets", promotion_id=found, position=position, **target)
            return found

        promotion("5 % off category 1", "percent", 5, {"category_id": categories[1]})
        promotion(
            "Two and one", "buy_get", 100, {"category_id": categories[2]}, buy_quantity=2, get_quantity=1
        )
        promotion("A set of two", "bundle", 150, *({"variant_id": each} for each in variants[:2]))
        promotion("Trade, 2 % off everything", "percent", 2, customer_group_id=group)
        promotion("Other houses", "percent", 10, branch_id=self.shop.branches[-1].id)
        promotion("Long ago", "percent", 50, valid_to="2020-12-31")
        promotion("A minute at night", "amount", 20, time_from="03:07", time_to="03:08")
        promotion("From 100,000 on", "amount", 5000, minimum_amount=100_000)
        promotion("A chair alone", "amount", 10, {"variant_id": variants[5]}, per_unit=True, combinable=False)
        coupon = promotion("With a coupon", "percent", 15, needs_coupon=True)
        self._insert(admin, "coupons", promotion_id=coupon, code="WELCOME", max_uses_per_customer=1)


@dataclass
class Featured(Workload):
    """Sales to named customers, everything on: one is paid and earns points, the next partly on credit."""

    house: House
    branches: int

    def connect(self, client: int, chance: random.Random) -> Session:
        """Sign the client in at his branch."""
        shop = self.house.shop
        till = shop.sign_in(shop.admin_id)
        # The yardstick does not read JSON either.
        set_json_loads(lambda text: text, till)
        paid = itertools.cycle([Decimal(PLENTY), Decimal(DEPOSIT)])
        return _Till(self.house, till, shop.branches[client % self.branches], chance, paid)


@dataclass
class _Till(Session):
    house: House
    connection: Connection
    branch: Branch
    chance: random.Random
    paid: Iterator[Decimal]

    def transact(self) -> None:
        shop = self.house.shop
        shop.sell(
            self.connection,
            self.branch,
            self.chance.sample(shop.variants, LINES),
            customer=self.chance.choice(self.house.customers),
            paid=next(self.paid),
        )


# Measurement: workload and number of clients, both houses right beside the yardstick.
MEASUREMENTS = {
    f"{name}, {_clients(count)}": (workload, count)
    for count in (1, CLIENTS)
    for name, workload in (
        ("TPC-B", "yardstick"),
        ("plain sale", "plain"),
        ("sale with everything", "featured"),
    )
}


def ratios() -> list[Ratio]:
    """Both sales against TPC-B, the one with everything also against the plain one."""
    found = []
    for count in (1, CLIENTS):
        tpc_b, plain, featured = (
            f"{name}, {_clients(count)}" for name in ("TPC-B", "plain sale", "sale with everything")
        )
        found += [
            Ratio(
                f"with everything / TPC-B, {_clients(count)}", (featured, tpc_b), SHARE * FOUNDATION[count]
            ),
            Ratio(f"plain / TPC-B, {_clients(count)}", (plain, tpc_b), 0),
            Ratio(f"with everything / plain, {_clients(count)}", (featured, plain), 0),
        ]
    return found


@dataclass(frozen=True)
class Billing:
    """What a run found: the sales, and the papers as `bench documents` measures them."""

    sales: Result
    papers: Result

    @property
    def violations(self) -> list[str]:
        """What either found broken, in words."""
        return self.sales.violations + self.papers.violations

    def as_json(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"sales": self.sales.as_json(), "papers": self.papers.as_json(), "violations": self.violations}


def run(seconds: float, rounds: int, progress: Progress) -> Billing:
    """Measure the sales in a cluster of their own, then the papers, which need none.

    Parameters:
        seconds: length of one measurement.
        rounds: how often the sales are measured; the papers at most five times.
        progress: is told what is going on.
    """
    return Billing(_sales(seconds, rounds, progress), documents.run(seconds, min(rounds, 5), progress))


def show(console: Console, result: Billing) -> None:
    """Print a result of `bench billing`."""
    report.show(console, result.sales)
    console.print()
    documents.show(console, result.papers)


def _sales(seconds: float, rounds: int, progress: Progress) -> Result:
    progress.step("Starting a durable throw-away cluster")
    with migrated_cluster() as cluster:
        url = cluster.url(DATABASE)
        progress.step("Filling two houses and the yardstick's tables")
        plain = Shop.found(url, branches=CLIENTS, variants=VARIANTS, stock=STOCK)
        house = House.furnish(Shop.found(url, branches=CLIENTS, variants=VARIANTS, stock=STOCK))
        with psycopg.connect(url) as owner:
            tpcb.make_tables(owner, CLIENTS)
        with psycopg.connect(cluster.superuser_url(DATABASE), autocommit=True) as operator:
            # What the filling left to write must not be written during the measurements.
            operator.execute("checkpoint")
        workloads: dict[str, Workload] = {
            "yardstick": Yardstick(url, CLIENTS),
            "plain": Counter(plain, CLIENTS),
            "featured": Featured(house, CLIENTS),
        }
        progress.step("Warming up")
        clients = Clients(CLIENTS, workloads, WARM_UP)
        speeds: dict[str, list[float]] = {name: [] for name in MEASUREMENTS}
        sold = dict.fromkeys(workloads, CLIENTS * WARM_UP)
        try:
            for number in range(1, rounds + 1):
                # There and back again: what grows during a run then weighs equally on both sides of a ratio.
                order = list(MEASUREMENTS.items())
                for name, (workload, active) in order if number % 2 else reversed(order):
                    progress.step(f"Round {number} of {rounds}: {name}")
                    speed, done = clients.measure(workload, seconds, active)
                    speeds[name].append(speed)
                    sold[workload] += done
        finally:
            clients.close()
        progress.step("Checking the books")
        found = _violations(plain, sold["plain"], []) + _violations(house.shop, sold["featured"], FEATURES)
    results = ratios()
    for ratio in results:
        over, under = ratio.over
        ratio.values.extend(a / b for a, b in zip(speeds[over], speeds[under], strict=True))
    return Result(speeds, results, found)


# What a house with everything must show afterwards, or something was not measured that should have been.
FEATURES = [
    ("sales with an offer", "select count(*) from public.invoice_lines where org_id = %s and offers <> '[]'"),
    (
        "lines at a list's price",
        "select count(*) from public.invoice_lines where org_id = %s and price_list is not null",
    ),
    ("sales on credit", "select count(*) from public.invoices where org_id = %s and balance > 0"),
    (
        "sales that earned points",
        "select count(*) from public.loyalty_entries where org_id = %s and kind = 'earn'",
    ),
]


def _violations(shop: Shop, sold: int, features: list[tuple[str, str]]) -> list[str]:
    """What the load broke, in words.

    Parameters:
        sold: how many sales were acknowledged.
        features: what there must be some of, and how it is counted.
    """
    with psycopg.connect(shop.url) as owner:
        found = checks.violations(owner, shop.org_id)
        if broken := checks.deadlocks(owner):
            found.append(f"{broken} deadlocks")
        row = owner.execute(
            "select (select count(*) from public.invoices where org_id = %s),"
            " (select %s - sum(on_hand) from public.stock_levels where org_id = %s)",
            [shop.org_id, STOCK * VARIANTS * CLIENTS, shop.org_id],
        ).fetchone()
        if row != (sold, sold * LINES):
            found.append(f"{sold} sales were acknowledged; there are (invoices, pieces gone) {row}")
        for name, query in features:
            if owner.execute(query.encode(), [shop.org_id]).fetchone() == (0,):
                found.append(f"there are no {name}")
    with shop.sign_in(shop.admin_id) as admin:
        if call(admin, "check_stock", shop.org_id) is not None:
            found.append("check_stock names levels that differ from the ledger")
        if call(admin, "check_books", shop.org_id) is not None:
            found.append("check_books names documents whose sums disagree")
    return found
