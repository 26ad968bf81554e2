"""Fixtures of all tests."""

import pytest

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

__all__ = ["api", "database", "database_url", "fresh_database", "gateway", "keys", "shared"]


def pytest_configure(config: pytest.Config) -> None:
    """Give the run its throw-away Postgres cluster."""
    config.pluginmanager.register(StackPlugin(), "branchline-stack")
