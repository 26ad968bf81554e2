"""A business in a database of its own for every test, whose books are proved afterwards."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from bench import checks
from bench.shop import Connection, Shop
from tests.support.stack import Shared
from tests.support.zones import another_day

FoundShop = Callable[..., Shop]
OpenTill = Callable[..., Connection]


@pytest.fixture
def found_shop(shared: Shared, fresh_database: str) -> Iterator[FoundShop]:
    """Founds a business (arguments as Shop.found's); after the test its books must be in order."""
    shops: list[Shop] = []

    def found(**size: Any) -> Shop:
        shops.append(Shop.found(shared.cluster.url(fresh_database), **size))
        with psycopg.connect(shared.cluster.url(fresh_database)) as owner:
            # Where no midnight is near: what is done at once is done on one day.
            owner.execute("update public.branches set timezone = %s", [another_day()])
        return shops[-1]

    yield found
    with psycopg.connect(shared.cluster.url(fresh_database)) as owner:
        for shop in shops:
            assert checks.violations(owner, shop.org_id) == []
        assert checks.deadlocks(owner) == 0


@pytest.fixture
def till() -> Iterator[OpenTill]:
    """Opens connections of signed-in users: till(shop, user_id, autocommit=True); None is the admin."""
    with ExitStack() as stack:

        def sign_in(shop: Shop, user_id: Any = None, *, autocommit: bool = True) -> Connection:
            connection = shop.sign_in(user_id or shop.admin_id, autocommit=autocommit)
            stack.callback(connection.close)
            return connection

        yield sign_in
