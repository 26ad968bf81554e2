"""The world, made once per worker, and a transaction per test that is rolled back."""

from collections.abc import Iterator

import pytest

from tests.support.houses import make_world
from tests.support.personas import Connection, connect
from tests.support.world import People, World


@pytest.fixture(scope="session")
def worker_connection(database_url: str) -> Iterator[Connection]:
    """One connection per worker, as role postgres."""
    with connect(database_url) as connection:
        yield connection


@pytest.fixture(scope="session")
def world(worker_connection: Connection) -> World:
    """Both businesses, committed."""
    with worker_connection.transaction():
        return make_world(worker_connection)


@pytest.fixture
def owner(worker_connection: Connection, world: World) -> Iterator[Connection]:
    """The test's transaction as role postgres, who owns the tables; rolled back at the end."""
    with worker_connection.transaction(force_rollback=True):
        yield worker_connection


@pytest.fixture
def people(owner: Connection, world: World) -> People:
    """The personas, inside the test's transaction."""
    return People(owner, world)
