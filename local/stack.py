"""The parts of one development stack and what is remembered about them between commands."""

import fcntl
import json
import os
import signal
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from local import databases
from local.errors import LauncherError
from local.keys import Keys, write_private
from local.paths import MIGRATIONS, STATE
from local.postgres import Cluster
from local.processes import Identity, free_port, wait_until
from local.services import Api, Gateway, Scheduler

USUAL_PORTS = {"gateway": 54321, "postgres": 54322, "api": 8000}

DEMO_PEOPLE = {
    "DEMO_ADMIN_EMAIL": "admin@teak.example",
    "DEMO_CASHIER_EMAIL": "cashier@teak.example",
    "DEMO_SALES_EMAIL": "sales@teak.example",
    "DEMO_STOCK_EMAIL": "stock@teak.example",
    "DEMO_OTHER_BRANCH_EMAIL": "cashier.mum@teak.example",
    "DEMO_PHONES_EMAIL": "clerk@ringring.example",
    "DEMO_OTHER_ORG_EMAIL": "admin@lagoon.example",
}


class State:
    """What is remembered in the state folder: ports, processes, what has been done to the database.

    The supervisor of a running stack holds a lock on a file of the folder; the kernel releases it however the
    supervisor ends, so the lock tells for certain whether a stack runs.
    """

    def __init__(self, folder: Path = STATE) -> None:
        self.folder = folder
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.folder / "log"

    def read(self) -> dict[str, Any]:
        """Everything remembered; empty for a new checkout."""
        try:
            loaded: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return loaded

    def update(self, **changes: Any) -> None:
        """Remember more, or other values, in one step."""
        write_private(self.folder / "state.json", json.dumps(self.read() | changes, indent=2))

    def lock(self) -> bool:
        """Become the one supervisor of this folder; False when another process is."""
        # Logs and sign-in mails lie here: nobody else on the machine reads them.
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        descriptor = os.open(self.folder / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def unlock(self) -> None:
        """Stop being the supervisor."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def locked(self) -> bool:
        """Tell whether a supervisor runs."""
        probe = State(self.folder)
        if probe.lock():
            probe.unlock()
            return False
        return True

    def end_supervisor(self, patience: float = 60) -> bool:
        """Stop the running supervisor and its parts, then whatever a killed one left. True if any ran."""
        remembered = self.read()
        running = self.locked()
        if running:
            if not remembered.get("supervisor"):
                raise LauncherError("A stack is just being started; try again in a moment.")
            supervisor = Identity(**remembered["supervisor"])
            supervisor.send(signal.SIGTERM)
            if not wait_until(lambda: not self.locked(), patience, pause=0.05):
                supervisor.end(signal.SIGKILL, 5)
        left = self.end_leftovers()
        return running or left

    def end_leftovers(self) -> bool:
        """End the parts that a killed supervisor may have left. True if there were any."""
        if not self.read():
            return False
        found = False
        for name, identity in self.read().get("parts", {}).items():
            part = Identity(**identity)
            if part.alive():
                found = True
                part.end(signal.SIGINT if name == "postgres" else signal.SIGTERM, 20)
        self.update(parts={}, supervisor=None)
        return found


class Stack:
    """Postgres, the gateway and the API of one checkout.

    Parameters:
        state: where its files are and what is remembered.
        ports: the TCP ports by part; None takes the remembered ones.
    """

    def __init__(self, state: State, ports: dict[str, int] | None = None) -> None:
        self.state = state
        self.ports = ports or state.read()["ports"]
        self.keys = Keys.load_or_generate(state.folder / "keys.json")
        self.cluster = Cluster(state.folder / "postgres", self.ports["postgres"])
        self._services: tuple[Gateway, Api, Scheduler] | None = None

    @classmethod
    def choose_ports(cls, state: State) -> dict[str, int]:
        """The remembered ports, or the usual ones, as far as they are free; others where they are not."""
        remembered = state.read().get("ports", {})
        chosen: dict[str, int] = {}
        for name, usual in USUAL_PORTS.items():
            chosen[name] = free_port(remembered.get(name, usual), avoid=list(chosen.values()))
        return chosen

    @property
    def gateway(self) -> Gateway:
        """The gateway; only once the cluster has been made, because it needs the password."""
        return self._made()[0]

    @property
    def api(self) -> Api:
        """The API."""
        return self._made()[1]

    @property
    def scheduler(self) -> Scheduler:
        """What runs the jobs."""
        return self._made()[2]

    def _made(self) -> tuple[Gateway, Api, Scheduler]:
        if self._services is None:
            gateway = Gateway(
                self.cluster.superuser_url(),
                self.keys,
                port=self.ports["gateway"],
                log=self.state.logs / "gateway.log",
                storage=self.state.folder / "storage",
            )
            api = Api(gateway.url, self.keys, port=self.ports["api"], log=self.state.logs / "api.log")
            scheduler = Scheduler(self.cluster.url(), self.state.logs / "scheduler.log")
            self._services = (gateway, api, scheduler)
        return self._services

    def environment(self) -> dict[str, str]:
        """What `./dev env` prints: all a client needs to use this stack."""
        return {
            "SUPABASE_URL": self.gateway.url,
            "SUPABASE_ANON_KEY": self.keys.anon_key,
            "SUPABASE_SERVICE_ROLE_KEY": self.keys.service_role_key,
            "SUPABASE_JWT_SECRET": self.keys.jwt_secret,
            "DATABASE_URL": self.cluster.url(),
            "API_URL": self.api.url,
            "DEMO_PASSWORD": self.keys.demo_password,
            **DEMO_PEOPLE,
        }

    def start_postgres(self) -> None:
        """Start Postgres, making the cluster and its roles the first time."""
        if self.cluster.init():
            self.state.update(demo=None, migrations=None, bootstrapped=False)
        self.cluster.start()
        if not self.state.read().get("bootstrapped"):
            databases.bootstrap(self.cluster)
            self.state.update(bootstrapped=True)

    def start_gateway(self) -> None:
        """Start the gateway, which makes what Supabase Auth keeps in the database."""
        self.gateway.start()

    def migrate(self) -> str | None:
        """Apply pending migrations.

        Returns:
            A warning for the reader when files that are applied already have been edited since.
        """
        files = {
            file.name: sha256(file.read_bytes()).hexdigest() for file in sorted(MIGRATIONS.glob("*.sql"))
        }
        applied: dict[str, str] = self.state.read().get("migrations") or {}
        edited = [name for name, digest in applied.items() if files.get(name) != digest]
        if databases.pending(self.cluster.url()):
            databases.migrate(self.cluster.url())
            # Edited files keep their old digest, so that the warning comes until the database is made anew.
            self.state.update(migrations=files | {name: applied[name] for name in edited})
        if not edited:
            return None
        return (
            f"Applied migrations were edited since: {', '.join(edited)}. "
            "The database still has the old ones; ./dev up --reset makes it anew."
        )

    def load_demo(self) -> None:
        """Load the demo data into an empty database; a load that was interrupted is taken up again."""
        with psycopg.connect(self.cluster.superuser_url()) as connection:
            if connection.execute("select to_regclass('public.organizations')").fetchone() == (None,):
                return
            empty = connection.execute("select not exists (select from public.organizations)").fetchone() == (
                True,
            )
        if not empty and self.state.read().get("demo") != "loading":
            return
        from local import demo

        self.state.update(demo="loading")
        demo.load(self)
        self.state.update(demo="done")

    def remember_part(self, name: str, pid: int) -> None:
        """Note the process of a part, so that a later command can end it if this launcher is killed."""
        identity = Identity.of(pid)
        if identity is not None:
            self.state.update(parts=self.state.read().get("parts", {}) | {name: asdict(identity)})


def running_stack() -> Stack:
    """The stack that runs now.

    Raises:
        LauncherError: none runs, or it is not healthy yet.
    """
    state = State()
    if not state.locked():
        raise LauncherError("No stack is running; start one with ./dev up --detach")
    if state.read().get("phase") != "running":
        raise LauncherError("The stack is still starting; try again in a moment.")
    return Stack(state)
