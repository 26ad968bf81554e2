"""One throw-away Postgres cluster per test run, and per worker a database, a gateway and an API on it.

The process that the user started owns the cluster: with pytest-xdist the controller starts it and hands its
address to the workers, without xdist the first test that needs it does. A migrated template database is made
once; everybody works on clones of it.
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from local import databases, node
from local.keys import Keys
from local.postgres import Cluster, temporary_directory
from local.services import Api, Gateway

TEMPLATE = "template_branchline"
_counter = itertools.count()


@dataclass
class Shared:
    """The cluster of this run, as workers see it."""

    cluster: Cluster
    keys: Keys
    logs: Path
    worker: str

    def new_database(self) -> str:
        """Clone the migrated template and return the clone's name."""
        name = f"t_{self.worker}_{next(_counter)}"
        databases.clone(self.cluster, TEMPLATE, name)
        return name


_owned: Shared | None = None


def _start(worker: str) -> Shared:
    """Make the cluster and the template. This process owns it until `_destroy`."""
    global _owned
    if _owned is None:
        node.install()
        home = temporary_directory()
        # Flushing to disk stays on: tests that kill the server rely on it, and it costs little here.
        cluster = Cluster(home / "postgres")
        keys = Keys.generate()
        _owned = Shared(cluster, keys, home / "log", worker)
        cluster.init()
        cluster.start()
        databases.prepare(cluster, TEMPLATE, keys, home / "log" / "template-gateway.log")
    return _owned


def _destroy() -> None:
    global _owned
    if _owned is not None:
        _owned.cluster.destroy()
        shutil.rmtree(_owned.logs.parent, ignore_errors=True)
        _owned = None


class StackPlugin:
    """Starts the cluster in the xdist controller before its workers, and deletes it at the end of the run."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the cluster's address to a new xdist worker."""
        shared = _start("main")
        node.workerinput["branchline"] = {
            "directory": str(shared.cluster.directory),
            "port": shared.cluster.port,
            "keys": asdict(shared.keys),
            "logs": str(shared.logs),
        }

    def pytest_unconfigure(self) -> None:
        """Stop and delete the cluster, also after Ctrl-C."""
        _destroy()


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Shared:
    """The run's cluster."""
    handed = getattr(request.config, "workerinput", {}).get("branchline")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if handed is None:
        return _start(worker)
    cluster = Cluster(Path(handed["directory"]), handed["port"])
    return Shared(cluster, Keys(**handed["keys"]), Path(handed["logs"]), worker)


@pytest.fixture(scope="session")
def keys(shared: Shared) -> Keys:
    """The keys that every gateway and API of this run uses."""
    return shared.keys


@pytest.fixture(scope="session")
def database(shared: Shared) -> Iterator[str]:
    """The name of this worker's own migrated database."""
    name = shared.new_database()
    yield name
    databases.drop(shared.cluster, name)


@pytest.fixture(scope="session")
def database_url(shared: Shared, database: str) -> str:
    """The worker's database as role postgres, who owns what the migrations made."""
    return shared.cluster.url(database)


@pytest.fixture
def fresh_database(shared: Shared) -> Iterator[str]:
    """The name of a migrated database for one test alone."""
    name = shared.new_database()
    yield name
    databases.drop(shared.cluster, name)


@pytest.fixture(scope="session")
def gateway(shared: Shared, database: str) -> Iterator[Gateway]:
    """A gateway on the worker's database."""
    service = databases.serve(shared.cluster, database, shared.keys, shared.logs / f"{database}-gateway.log")
    yield service
    service.stop()


@pytest.fixture(scope="session")
def api(shared: Shared, gateway: Gateway, database: str) -> Iterator[Api]:
    """An API on the worker's gateway."""
    log = shared.logs / f"{database}-api.log"
    service = Api(gateway.url, shared.keys, log=log, env={"ENVIRONMENT": "test"})
    service.start()
    yield service
    service.stop()
