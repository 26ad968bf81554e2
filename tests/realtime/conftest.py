"""A business in a migrated database behind a gateway of its own, and its people with tokens."""

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from jose import jwt

from bench.shop import Branch, Shop, address_of
from local import databases, node
from local.keys import Keys
from local.services import Gateway
from tests.support.stack import Shared

HERE = Path(__file__).parent
LOADER = HERE.parent / "local" / "packages.mjs"


@dataclass
class Market:
    """The business, its gateway and its people: the admin, a cashier in each branch, a stranger.

    Parameters:
        shop: two branches, twenty variants, a hundred pieces of each at each branch.
        other: a stranger's business, one branch.
    """

    shared: Shared
    database: str
    gateway: Gateway
    shop: Shop
    other: Shop
    keys: Keys
    cashiers: list[uuid.UUID] = field(default_factory=list)

    @property
    def branches(self) -> list[Branch]:
        """The two branches."""
        return self.shop.branches

    def token(self, user_id: uuid.UUID, seconds: float = 3600, **claims: Any) -> str:
        """A token as Auth would give it, which expires in so many seconds."""
        content = {
            "sub": str(user_id),
            "role": "authenticated",
            "aud": "authenticated",
            "email": address_of(user_id),
            "exp": int(time.time() + seconds),
            **claims,
        }
        return jwt.encode(content, self.keys.jwt_secret, algorithm="HS256")

    def sell(self, branch: int = 0, variants: int = 1, user_id: uuid.UUID | None = None) -> None:
        """Sell one piece of each of the first variants at the branch."""
        with self.shop.sign_in(user_id or self.shop.admin_id) as till:
            self.shop.sell(till, self.branches[branch], self.shop.variants[:variants])

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement as role postgres and return its rows."""
        with psycopg.connect(self.shop.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def run_node(self, script: str) -> str:
        """Run a test script of this folder with the real @supabase/supabase-js and return what it printed."""
        people = {
            "admin": self.token(self.shop.admin_id),
            "cashier0": self.token(self.cashiers[0]),
            "cashier1": self.token(self.cashiers[1]),
            "stranger": self.token(self.other.admin_id),
            "nobody": self.token(uuid.uuid4()),
        }
        environment = {
            **node.environment(),
            "SUPABASE_URL": self.gateway.url,
            "SUPABASE_ANON_KEY": self.keys.anon_key,
            "SUPABASE_JWT_SECRET": self.keys.jwt_secret,
            "MARKET": json.dumps(
                {
                    "tokens": people,
                    "branches": [[str(b.id), str(b.location_id)] for b in self.branches],
                    "variants": [str(variant) for variant in self.shop.variants],
                    "org": str(self.shop.org_id),
                }
            ),
        }
        command = [str(node.node_program()), "--import", LOADER.as_uri(), "--test", "--test-reporter=spec"]
        done = subprocess.run(
            [*command, str(HERE / script)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def open_market(shared: Shared, name: str) -> Market:
    """Serve a migrated database and found both businesses in it."""
    gateway = databases.serve(shared.cluster, name, shared.keys, shared.logs / f"{name}-gateway.log")
    url = shared.cluster.url(name)
    shop = Shop.found(url, branches=2, variants=20, stock=100)
    other = Shop.found(url, branches=1, variants=2, stock=5)
    made = Market(shared, name, gateway, shop, other, shared.keys)
    made.cashiers = [shop.hire("cashier", [branch]) for branch in shop.branches]
    return made


@pytest.fixture(scope="module")
def market(shared: Shared) -> Iterator[Market]:
    """A market for the tests of one file."""
    name = shared.new_database()
    made = open_market(shared, name)
    yield made
    made.gateway.stop()
    databases.drop(shared.cluster, name)
