"""How soon a sale is on the other screens: from the till's commit to each of many subscribers."""

import json
import math
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from jose import jwt
from rich.console import Console
from rich.table import Table

from bench.cluster import DATABASE, migrated_cluster
from bench.report import Progress
from bench.shop import Connection, Shop
from local import databases, node
from local.errors import LauncherError
from local.keys import Keys
from local.services import Gateway

SUBSCRIBERS = (1, 50, 500)
VARIANTS = 200
LINES = 3
STOCK = 100_000
WARM_UP = 20
TARGET_MS = 132
_CLIENTS = Path(__file__).with_name("realtime_clients.mjs")


@dataclass(frozen=True)
class Faults:
    """Messages that did not come, came again, came after a later one, or were of no sale, in all."""

    lost: int = 0
    doubled: int = 0
    late: int = 0
    strange: int = 0

    def __add__(self, other: "Faults") -> "Faults":
        return Faults(
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.late + other.late,
            self.strange + other.strange,
        )

    def __str__(self) -> str:
        return (
            f"{self.lost} lost, {self.doubled} doubled, {self.late} out of order, {self.strange} of no sale"
        )


def faults(posted: Sequence[str], heard: Sequence[str]) -> Faults:
    """What is wrong with what one subscriber heard.

    Parameters:
        posted: the names of the sales' messages, in the order of the commits.
        heard: the names of the messages that came, in the order in which they did.
    """
    places = {name: place for place, name in enumerate(posted)}
    seen: set[str] = set()
    doubled = late = strange = 0
    last = -1
    for name in heard:
        if name not in places:
            strange += 1
        elif name in seen:
            doubled += 1
        else:
            late += places[name] < last
            last = max(last, places[name])
        seen.add(name)
    return Faults(len(places.keys() - seen), doubled, late, strange)


@dataclass(frozen=True)
class Latency:
    """Milliseconds from commit to client, over all messages to all subscribers of one run."""

    subscribers: int
    sales: int
    p50: float
    p95: float
    largest: float
    faults: Faults


@dataclass(frozen=True)
class Result:
    """A run for each number of subscribers, and what went wrong."""

    runs: list[Latency]
    violations: list[str]

    def as_json(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "milliseconds": {
                str(run.subscribers): {"p50": run.p50, "p95": run.p95, "max": run.largest, "sales": run.sales}
                for run in self.runs
            },
            "target": {"subscribers": SUBSCRIBERS[-1], "p95": TARGET_MS},
            "violations": self.violations,
        }


def run(
    sales: int, per_second: float, progress: Progress, subscribers: Sequence[int] = SUBSCRIBERS
) -> Result:
    """Measure in a cluster of its own, through the local gateway.

    Parameters:
        sales: how many sales each number of subscribers hears, after a warm-up.
        per_second: the pace of the till.
        progress: is told what is going on.
        subscribers: the numbers of subscribers, one after the other.
    """
    progress.step("Starting a durable throw-away cluster")
    with migrated_cluster() as cluster:
        keys = Keys.generate()
        progress.step("Filling the shop")
        shop = Shop.found(cluster.url(DATABASE), variants=VARIANTS, stock=STOCK)
        log = cluster.directory.parent / "gateway.log"
        gateway = databases.serve(cluster, DATABASE, keys, log)
        try:
            with shop.sign_in(shop.admin_id, autocommit=False) as connection:
                till = Till(shop, connection)
                till.sell(WARM_UP, per_second)
                runs = []
                for count in subscribers:
                    progress.step(f"{count} subscribers hear {sales} sales")
                    runs.append(_measure(till, gateway, keys, count, sales, per_second))
        finally:
            gateway.stop()
    found = [f"with {one.subscribers} subscribers: {one.faults}" for one in runs if one.faults != Faults()]
    return Result(runs, found)


@dataclass
class Till:
    """Sells three variants after the other, and knows what the message of each sale will say."""

    shop: Shop
    connection: Connection
    sold: Counter[UUID] = field(default_factory=Counter)

    def sell(self, sales: int, per_second: float) -> dict[str, float]:
        """Sell at that pace.

        Returns:
            by the name of each sale's message, in order: when its commit was asked for, in ms since 1970.
        """
        asked = {}
        start = time.monotonic()
        for number in range(sales):
            time.sleep(max(0.0, start + number / per_second - time.monotonic()))
            first = number * LINES % (VARIANTS - LINES)
            basket = self.shop.variants[first : first + LINES]
            self.shop.sell(self.connection, self.shop.branches[0], basket)
            self.sold.update(basket)
            # As bench/realtime_clients.mjs names what it hears: no two sales leave the same behind.
            name = " ".join(sorted(f"{variant}={STOCK - self.sold[variant]}" for variant in basket))
            asked[name] = time.time() * 1000
            self.connection.commit()
        return asked


def _measure(till: Till, gateway: Gateway, keys: Keys, count: int, sales: int, per_second: float) -> Latency:
    claims = {"sub": str(till.shop.admin_id), "role": "authenticated", "exp": int(time.time()) + 3600}
    environment = {
        **node.environment(),
        "URL": f"{gateway.url.replace('http', 'ws')}/realtime/v1/websocket?apikey={keys.anon_key}&vsn=2.0.0",
        "TOPIC": f"branch:{till.shop.branches[0].id}:stock",
        "TOKEN": jwt.encode(claims, keys.jwt_secret, algorithm="HS256"),
        "COUNT": str(count),
        "MESSAGES": str(sales),
    }
    command = [str(node.node_program()), str(_CLIENTS)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as clients:
        assert clients.stdout is not None
        assert clients.stderr is not None
        if not clients.stdout.readline():
            raise LauncherError("The subscribers could not join.", clients.stderr.read())
        asked = till.sell(sales, per_second)
        messages: list[list[tuple[str, float]]] = json.loads(clients.stdout.readline())["messages"]
    delays = sorted(came - asked[name] for each in messages for name, came in each if name in asked)
    if not delays:
        raise LauncherError("No subscriber heard of any sale.")
    found = (faults(list(asked), [name for name, _ in each]) for each in messages)
    return Latency(
        count,
        sales,
        _percentile(delays, 50),
        _percentile(delays, 95),
        delays[-1],
        sum(found, Faults()),
    )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def show(console: Console, result: Result) -> None:
    """Print a result of `bench realtime`."""
    table = Table("Subscribers", "p50 ms", "p95 ms", "max ms", "target p95", box=None, padding=(0, 3, 0, 0))
    for column in table.columns:
        column.justify = "right"
    for one in result.runs:
        aim = one.subscribers == SUBSCRIBERS[-1]
        colour = "white" if not aim else "green" if one.p95 <= TARGET_MS else "yellow"
        table.add_row(
            str(one.subscribers),
            f"{one.p50:.1f}",
            f"[{colour}]{one.p95:.1f}[/]",
            f"{one.largest:.1f}",
            f"<= {TARGET_MS}" if aim else "",
        )
    console.print(table)
    for violation in result.violations:
        console.print(f"[bold red]Broken:[/] {violation}")
    if not result.violations:
        console.print("Every subscriber got every sale once, in order.")
