"""Lists and sales that the local gateway serves per second, against the gateway of an older commit."""

import json
import random
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jose import jwt

from bench.clients import Clients, Session, Workload
from bench.cluster import DATABASE, migrated_cluster
from bench.report import Progress, Ratio, Result
from bench.sale import violations
from bench.shop import Branch, Shop
from local.errors import LauncherError
from local.keys import Keys
from local.paths import NODE_MODULES, ROOT
from local.services import Gateway

CLIENTS = 8
VARIANTS = 2000
LINES = 3
STOCK = 1_000_000
WARM_UP = 20
# Seconds after which a connection may have been closed.
IDLE = 3
# The last commit that translated queries with Supabase Lite.
BEFORE = "9396bef"
LIST = "/rest/v1/product_variants?select=id,sku,name,price,created_at&order=sku&limit=50"


class Caller:
    """A kept HTTP connection that costs next to nothing, so that the gateway is what is measured."""

    def __init__(self, port: int, key: str, token: str) -> None:
        self._port = port
        self._common = (
            f"Host: 127.0.0.1:{port}\r\napikey: {key}\r\nAuthorization: Bearer {token}\r\n"
            "Accept: application/json\r\nContent-Type: application/json\r\n"
        )
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._used = time.monotonic()

    def call(self, method: str, path: str, body: str = "") -> None:
        """Send a request and wait for the whole answer; anything but 200 is an error."""
        if time.monotonic() - self._used > IDLE:
            # While the others were measured the gateway let go of it, as servers do.
            self._open()
        self._used = time.monotonic()
        data = body.encode()
        length = f"Content-Length: {len(data)}\r\n" if data else ""
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\n{self._common}{length}\r\n".encode() + data)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, rest = answer.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"content-length" in fields:
            while len(rest) < int(fields[b"content-length"]):
                rest += self._receive()
        else:
            while not rest.endswith(b"0\r\n\r\n"):
                rest += self._receive()
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError((head + b"\n" + rest).decode(errors="replace"))

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("The gateway hung up.")
        return data


@dataclass
class Requests(Workload):
    """Requests of one kind to one gateway."""

    shop: Shop
    gateway: Gateway
    key: str
    token: str
    sells: bool

    def connect(self, client: int, chance: random.Random) -> Session:
        """Open the client's connection."""
        caller = Caller(self.gateway.port, self.key, self.token)
        return _Seller(self.shop, caller, client, chance) if self.sells else _Reader(caller)


@dataclass
class _Reader(Session):
    caller: Caller

    def transact(self) -> None:
        self.caller.call("GET", LIST)


@dataclass
class _Seller(Session):
    shop: Shop
    caller: Caller
    client: int
    chance: random.Random

    def transact(self) -> None:
        branch = self.shop.branches[self.client]
        basket = self.chance.sample(self.shop.variants, LINES)
        self.caller.call("POST", "/rest/v1/rpc/post_sale", sale(branch, basket))


def sale(branch: Branch, basket: list[uuid.UUID]) -> str:
    """The body of a call of post_sale for one piece of each variant, paid in cash."""
    names = ("p_id", "p_branch_id", "p_location_id", "p_customer_id")
    *plain, lines, payments, options = Shop.sale_arguments(branch, basket)
    ids = {name: value and str(value) for name, value in zip(names, plain, strict=True)}
    # The rest is JSON already, in which amounts keep their digits.
    return f'{json.dumps(ids)[:-1]}, "p_lines": {lines}, "p_payments": {payments}, "p_options": {options}}}'


@contextmanager
def gateway_before(commit: str, folder: Path) -> Iterator[Path]:
    """The gateway's program as it was at a commit, with today's packages beside it."""
    found = subprocess.run(
        ["git", "archive", commit, "local/gateway"], cwd=ROOT, capture_output=True, check=False
    )
    if found.returncode != 0:
        raise LauncherError(
            f"The commit {commit} is not in this clone; the comparison needs the whole history.",
            found.stderr.decode(),
        )
    folder.mkdir(parents=True)
    try:
        subprocess.run(["tar", "-x"], cwd=folder, input=found.stdout, check=True)
        (folder / "local" / "node_modules").symlink_to(NODE_MODULES)
        yield folder / "local" / "gateway" / "main.mjs"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


MEASUREMENTS = [f"{what}, {when}" for what in ("list", "sale") for when in ("before", "after")]


def run(seconds: float, rounds: int, progress: Progress, before: str = BEFORE) -> Result:
    """Measure in a cluster of its own, both gateways over the same database.

    Parameters:
        seconds: length of one measurement.
        rounds: how often everything is measured.
        progress: is told what is going on.
        before: the commit of the gateway that today's is compared with.
    """
    progress.step("Starting a durable throw-away cluster")
    with (
        migrated_cluster() as cluster,
        gateway_before(before, cluster.directory.parent / "before") as program,
    ):
        keys = Keys.generate()
        progress.step("Filling the shop")
        shop = Shop.found(cluster.url(DATABASE), branches=CLIENTS, variants=VARIANTS, stock=STOCK)
        claims = {"sub": str(shop.admin_id), "role": "authenticated", "exp": int(time.time()) + 86400}
        token = jwt.encode(claims, keys.jwt_secret, algorithm="HS256")
        address = cluster.superuser_url(DATABASE)
        gateways = {
            "before": Gateway(address, keys, log=cluster.directory.parent / "before.log"),
            "after": Gateway(address, keys, log=cluster.directory.parent / "after.log"),
        }
        gateways["before"].command[-1] = str(program)
        try:
            for gateway in gateways.values():
                gateway.start()
            workloads: dict[str, Workload] = {
                f"{what}, {when}": Requests(shop, gateway, keys.anon_key, token, what == "sale")
                for what in ("list", "sale")
                for when, gateway in gateways.items()
            }
            progress.step("Warming up")
            return _measure(shop, workloads, seconds, rounds, progress)
        finally:
            for gateway in gateways.values():
                gateway.stop()


def _measure(
    shop: Shop, workloads: dict[str, Workload], seconds: float, rounds: int, progress: Progress
) -> Result:
    clients = Clients(CLIENTS, workloads, WARM_UP)
    speeds: dict[str, list[float]] = {name: [] for name in MEASUREMENTS}
    sold = CLIENTS * WARM_UP * 2
    try:
        for number in range(1, rounds + 1):
            for name in MEASUREMENTS if number % 2 else reversed(MEASUREMENTS):
                progress.step(f"Round {number} of {rounds}: {name}")
                speed, done = clients.measure(name, seconds)
                speeds[name].append(speed)
                sold += done if name.startswith("sale") else 0
    finally:
        clients.close()
    progress.step("Checking the books")
    results = [
        Ratio("lists, after / before", ("list, after", "list, before"), 1.5),
        Ratio("sales, after / before", ("sale, after", "sale, before"), 1.1),
    ]
    for ratio in results:
        over, under = ratio.over
        ratio.values.extend(a / b for a, b in zip(speeds[over], speeds[under], strict=True))
    return Result(speeds, results, violations(shop, sold))
