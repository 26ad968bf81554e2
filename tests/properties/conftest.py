"""A migrated database of its own, with connections that people share."""

from collections.abc import Iterator

import pytest

from tests.properties.house import doors
from tests.support.personas import Connection, connect
from tests.support.stack import Shared


@pytest.fixture
def owner(shared: Shared, fresh_database: str) -> Iterator[Connection]:
    """A superuser's connection, which looks at what the others have committed, past every policy."""
    with connect(shared.cluster.superuser_url(fresh_database)) as connection:
        yield connection


@pytest.fixture
def connections(shared: Shared, fresh_database: str) -> Iterator[list[Connection]]:
    """Connections that the people of a house share."""
    with doors(shared.cluster.url(fresh_database)) as opened:
        yield opened
