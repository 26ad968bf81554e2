"""A gateway on a database of its own that holds the recorded shop, and the recorded calls."""

import os
from collections.abc import Iterator

import pytest

from local.conform import Server, serve
from tests.support.stack import Shared


@pytest.fixture(scope="session")
def recorded(shared: Shared) -> Iterator[Server]:
    """The recorded shop behind the gateway."""
    with serve(shared.cluster, shared.keys, f"recorded_{shared.worker}_{os.getpid()}", shared.logs) as server:
        yield server
