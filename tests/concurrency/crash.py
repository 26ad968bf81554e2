"""A complete stack that may be killed, and tills that keep book of what they were told."""

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.shop import PRICE_WITH_TAX, Shop
from local import databases
from local.keys import Keys
from local.postgres import Cluster
from local.processes import wait_until
from local.services import Api, Gateway

PASSWORD = "Correct-Horse-7-Battery"
EMAIL = "founder@shop.example"
DATABASE = "crash"


@dataclass
class Till:
    """One till: posts sales over HTTP until it is told to stop or an answer fails to come.

    Parameters:
        http: a client that sends the token.
        url: where sales are posted.
        through_api: True for the API's body, False for the RPC's.
        shop: the business.
    """

    http: httpx.Client
    url: str
    through_api: bool
    shop: Shop
    acknowledged: dict[uuid.UUID, str] = field(default_factory=dict)
    unanswered: list[uuid.UUID] = field(default_factory=list)
    left_waiting: list[uuid.UUID] = field(default_factory=list)

    def sell_until(self, stop: threading.Event) -> None:
        """Post sales one after the other; ends at the first one that gets no answer."""
        while not stop.is_set() and not self.unanswered:
            self.post(uuid.uuid4())

    def post(self, sale_id: uuid.UUID) -> bool:
        """Post one sale, which only its id tells apart; True when it was acknowledged."""
        try:
            answer = self.http.post(self.url, json=self._body(sale_id))
        except httpx.TimeoutException:
            self.left_waiting.append(sale_id)
            answer = None
        except httpx.HTTPError:
            answer = None
        if answer is None or answer.status_code not in {200, 201}:
            self.unanswered.append(sale_id)
            return False
        self.acknowledged[sale_id] = answer.json()["number"]
        return True

    def _body(self, sale_id: uuid.UUID) -> dict[str, Any]:
        branch = self.shop.branches[0]
        body: dict[str, Any] = {
            "id": str(sale_id),
            "branch_id": str(branch.id),
            "location_id": str(branch.location_id),
            "customer_id": None,
            "lines": [{"variant_id": str(variant), "quantity": 1} for variant in self.shop.variants[:3]],
            "payments": [{"method": "cash", "amount": int(3 * PRICE_WITH_TAX)}],
            "options": {},
        }
        return body if self.through_api else {f"p_{name}": value for name, value in body.items()}


@dataclass
class Victim:
    """A durable cluster, a gateway, an API and a business in it."""

    cluster: Cluster
    gateway: Gateway
    api: Api
    keys: Keys
    shop: Shop
    token: str

    def tills(self, count: int) -> list[Till]:
        """New tills, every second one through the API, the others at the Supabase surface."""
        return [self.till(through_api=number % 2 == 0) for number in range(count)]

    def till(self, *, through_api: bool) -> Till:
        """One new till."""
        url = (
            f"{self.api.url}/v1/billing/sales" if through_api else f"{self.gateway.url}/rest/v1/rpc/post_sale"
        )
        headers = {"Authorization": f"Bearer {self.token}", "apikey": self.keys.anon_key}
        return Till(httpx.Client(headers=headers, timeout=10, trust_env=False), url, through_api, self.shop)

    def kill_postgres(self) -> None:
        """Kill every process of Postgres at once, as a power cut would."""
        assert self.cluster.process is not None
        children = psutil.Process(self.cluster.process.pid).children(recursive=True)
        # The postmaster goes first: otherwise it would notice its children's end and tidy up.
        self.cluster.process.kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        self.cluster.process.wait()

    def wait_for_service(self) -> None:
        """Wait until a read through API, gateway and database is answered again."""
        headers = {"Authorization": f"Bearer {self.token}"}

        def answers() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                url = f"{self.api.url}/v1/auth/validate"
                return httpx.get(url, headers=headers, timeout=5, trust_env=False).status_code == 200
            return False

        assert wait_until(answers, 30, pause=0.1), "the stack did not recover"


@contextlib.contextmanager
def victim(home: Path) -> Iterator[Victim]:
    """Start a stack of its own in an empty folder, with a business of three variants."""
    cluster = Cluster(home / "postgres")
    keys = Keys.generate()
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.destroy)
        cluster.init()
        cluster.start()
        databases.bootstrap(cluster, DATABASE)
        gateway = databases.serve(cluster, DATABASE, keys, home / "gateway.log")
        stack.callback(gateway.stop)
        databases.migrate(cluster.url(DATABASE))
        api = Api(gateway.url, keys, log=home / "api.log", env={"ENVIRONMENT": "test"})
        api.start()
        stack.callback(api.stop)
        user_id, token = _sign_up(gateway, keys)
        shop = Shop.found(cluster.url(DATABASE), variants=3, stock=100_000, founder=user_id)
        yield Victim(cluster, gateway, api, keys, shop, token)


def _sign_up(gateway: Gateway, keys: Keys) -> tuple[uuid.UUID, str]:
    """Make a user and sign him in; returns his id and token."""
    with httpx.Client(base_url=f"{gateway.url}/auth/v1", timeout=20, trust_env=False) as http:
        made = http.post(
            "/admin/users",
            headers={"apikey": keys.service_role_key},
            json={"email": EMAIL, "password": PASSWORD, "email_confirm": True},
        ).raise_for_status()
        session = http.post(
            "/token",
            params={"grant_type": "password"},
            headers={"apikey": keys.anon_key},
            json={"email": EMAIL, "password": PASSWORD},
        ).raise_for_status()
    return uuid.UUID(made.json()["id"]), session.json()["access_token"]


def sell_until_killed(tills: list[Till], kill: Callable[[], None], at_least: int) -> None:
    """Let all tills sell; kill something once they have sold `at_least`; wait until all have met it."""
    stop = threading.Event()
    threads = [threading.Thread(target=till.sell_until, args=(stop,), daemon=True) for till in tills]
    for thread in threads:
        thread.start()

    def in_full_swing() -> bool:
        return sum(len(till.acknowledged) for till in tills) >= at_least and all(
            till.acknowledged or till.unanswered for till in tills
        )

    try:
        assert wait_until(in_full_swing, 90), "the tills did not get going"
        kill()
        assert wait_until(lambda: all(till.unanswered for till in tills), 60), "a till did not notice"
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
