"""Fixtures of all tests."""

import pytest
from hypothesis import settings

from tests.support.stack import (
    StackPlugin,
    api,
    database,
    database_url,
    fresh_database,
    gateway,
    keys,
    shared,
)

# The same examples in every run, so that a change is judged by itself. --hypothesis-profile=random looks on.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile("repeatable")

__all__ = ["api", "database", "database_url", "fresh_database", "gateway", "keys", "shared"]


def pytest_configure(config: pytest.Config) -> None:
    """Give the run its throw-away Postgres cluster."""
    config.pluginmanager.register(StackPlugin(), "branchline-stack")
