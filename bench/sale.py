"""How fast the till is: post_sale against a TPC-B-like transaction, and what contention costs it."""

import random
from dataclasses import dataclass

import psycopg
from psycopg.types.json import set_json_loads

from bench import bare, checks, tpcb
from bench.clients import Clients, Session, Workload
from bench.cluster import DATABASE, migrated_cluster
from bench.report import Progress, Ratio, Result
from bench.shop import Branch, Connection, Shop, call
from local import databases

CLIENTS = 8
VARIANTS = 2000
LINES = 3
STOCK = 1_000_000
WARM_UP = 20
BARE = "bare"


@dataclass
class Counter(Workload):
    """Sales of three different variants, one piece each, everything on.

    Parameters:
        branches: how many branches the clients are spread over; 1 makes them share one numbering series.
        hot: True puts the same variant into every basket.
    """

    shop: Shop
    branches: int
    hot: bool = False

    def connect(self, client: int, chance: random.Random) -> Session:
        """Sign the client in at his branch."""
        till = self.shop.sign_in(self.shop.admin_id)
        # The yardstick does not read JSON either.
        set_json_loads(lambda text: text, till)
        return _Till(self.shop, till, self.shop.branches[client % self.branches], chance, self.hot)


@dataclass
class _Till(Session):
    shop: Shop
    connection: Connection
    branch: Branch
    chance: random.Random
    hot: bool

    def transact(self) -> None:
        if self.hot:
            basket = [self.shop.variants[0], *self.chance.sample(self.shop.variants[1:], LINES - 1)]
        else:
            basket = self.chance.sample(self.shop.variants, LINES)
        self.shop.sell(self.connection, self.branch, basket)


@dataclass
class Yardstick(Workload):
    """The TPC-B-like transaction through the same driver."""

    url: str
    scale: int

    def connect(self, client: int, chance: random.Random) -> Session:  # noqa: ARG002
        """Open the client's connection."""
        return _Teller(psycopg.connect(self.url, autocommit=True), chance, self.scale)


@dataclass
class _Teller(Session):
    connection: Connection
    chance: random.Random
    scale: int

    def transact(self) -> None:
        tpcb.transact(self.connection, self.chance, self.scale)


# Measurement: workload and number of clients. Rounds are short and many, so that a slow spell of the machine
# meets both sides of a ratio.
MEASUREMENTS = {
    "TPC-B, 1 client": ("yardstick", 1),
    "bare writes, 1 client": ("bare", 1),
    "sale, 1 client": ("spread", 1),
    "TPC-B, 8 clients": ("yardstick", CLIENTS),
    "bare writes, 8 clients": ("bare", CLIENTS),
    "sale, 8 clients": ("spread", CLIENTS),
    "sale, 8 clients, one series": ("series", CLIENTS),
    "sale, 8 clients, one hot SKU": ("hot", CLIENTS),
}


def ratios() -> list[Ratio]:
    """The ratios that design section 9 sets targets for."""
    return [
        Ratio("sale / TPC-B, 1 client", ("sale, 1 client", "TPC-B, 1 client"), 0.35),
        Ratio("sale / TPC-B, 8 clients", ("sale, 8 clients", "TPC-B, 8 clients"), 0.22),
        Ratio("sale / bare writes, 1 client", ("sale, 1 client", "bare writes, 1 client"), 0.5),
        Ratio("sale / bare writes, 8 clients", ("sale, 8 clients", "bare writes, 8 clients"), 0.42),
        Ratio("one series / 8 series", ("sale, 8 clients, one series", "sale, 8 clients"), 0.5),
        Ratio("one hot SKU / spread SKUs", ("sale, 8 clients, one hot SKU", "sale, 8 clients"), 0.5),
    ]


def run(seconds: float, rounds: int, progress: Progress) -> Result:
    """Measure in a cluster of its own.

    Parameters:
        seconds: length of one measurement.
        rounds: how often everything is measured.
        progress: is told what is going on.
    """
    progress.step("Starting a durable throw-away cluster")
    with migrated_cluster() as cluster:
        url = cluster.url(DATABASE)
        progress.step("Filling the shop and the yardstick's tables")
        shop = Shop.found(url, branches=CLIENTS, variants=VARIANTS, stock=STOCK)
        with psycopg.connect(url) as owner:
            tpcb.make_tables(owner, CLIENTS)
        progress.step("Looking at what a sale writes")
        written = bare.footprint(shop, cluster.superuser_url(DATABASE))
        databases.clone(cluster, DATABASE, BARE)
        bare.without_rules(cluster.superuser_url(BARE))
        with psycopg.connect(cluster.superuser_url(DATABASE), autocommit=True) as operator:
            # What the filling left to write must not be written during the measurements.
            operator.execute("checkpoint")
        workloads: dict[str, Workload] = {
            "yardstick": Yardstick(url, CLIENTS),
            "bare": bare.Bare(cluster.superuser_url(BARE), shop, written),
            "spread": Counter(shop, CLIENTS),
            "series": Counter(shop, 1),
            "hot": Counter(shop, 1, hot=True),
        }
        progress.step("Warming up")
        clients = Clients(CLIENTS, workloads, WARM_UP)
        speeds: dict[str, list[float]] = {name: [] for name in MEASUREMENTS}
        sold = bare.SALES + CLIENTS * WARM_UP * sum(isinstance(each, Counter) for each in workloads.values())
        try:
            for number in range(1, rounds + 1):
                # There and back again: what grows during a run then weighs equally on both sides of a ratio.
                order = list(MEASUREMENTS.items())
                for name, (workload, active) in order if number % 2 else reversed(order):
                    progress.step(f"Round {number} of {rounds}: {name}")
                    speed, done = clients.measure(workload, seconds, active)
                    speeds[name].append(speed)
                    sold += done if isinstance(workloads[workload], Counter) else 0
        finally:
            clients.close()
        progress.step("Checking the books")
        found = violations(shop, sold)
    results = ratios()
    for ratio in results:
        over, under = ratio.over
        ratio.values.extend(a / b for a, b in zip(speeds[over], speeds[under], strict=True))
    return Result(speeds, results, found, [written.told()])


def violations(shop: Shop, sold: int) -> list[str]:
    """What the load broke, in words. `sold`: how many sales were acknowledged."""
    with psycopg.connect(shop.url) as owner:
        found = checks.violations(owner, shop.org_id)
        if broken := checks.deadlocks(owner):
            found.append(f"{broken} deadlocks")
        row = owner.execute(
            "select count(*), (select %s - sum(on_hand) from public.stock_levels) from public.invoices",
            [STOCK * VARIANTS * CLIENTS],
        ).fetchone()
        if row != (sold, sold * LINES):
            found.append(f"{sold} sales were acknowledged; there are (invoices, pieces gone) {row}")
    with shop.sign_in(shop.admin_id) as admin:
        if call(admin, "check_stock", shop.org_id) is not None:
            found.append("check_stock names levels that differ from the ledger")
    return found
