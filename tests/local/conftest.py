"""A gateway on a database of its own, bootstrapped as every Supabase database, without the migrations."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from local import databases, node
from local.keys import Keys
from local.postgres import Cluster
from local.services import Gateway
from supabase import Client, ClientOptions, create_client
from tests.support.stack import Shared

HERE = Path(__file__).parent
PASSWORD = "Correct1Horse"
CONFIG = """
[api]
schemas = ["public"]
extra_search_path = ["public", "extensions"]
max_rows = 1000
[auth]
site_url = "http://127.0.0.1:3000"
enable_signup = true
minimum_password_length = 10
password_requirements = "lower_upper_letters_digits"
[auth.email]
enable_confirmations = true
[auth.hook.custom_access_token]
enabled = true
uri = "pg-functions://postgres/private/custom_access_token"
"""

# Making a client for each request would cost more than the request.
_http = httpx.Client(timeout=20, trust_env=False, limits=httpx.Limits(max_connections=100))


@dataclass
class Lab:
    """The gateway under test and the ways to reach it."""

    gateway: Gateway
    cluster: Cluster
    database: str
    keys: Keys

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self.gateway.url

    def client(self, key: str | None = None) -> Client:
        """A new supabase client, anonymous until it signs in."""
        options = ClientOptions(auto_refresh_token=False, persist_session=False)
        return create_client(self.url, key or self.keys.anon_key, options)

    def admin(self) -> Client:
        """A client with the service key."""
        return self.client(self.keys.service_role_key)

    def sql(self, statement: str, *parameters: Any, role: str = "postgres") -> list[dict[str, Any]]:
        """Run one statement in the database, past the gateway, and return its rows."""
        address = (
            self.cluster.superuser_url(self.database)
            if role == "supabase_admin"
            else self.cluster.url(self.database)
        )
        with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def http(
        self, method: str, path: str, *, key: str | None = None, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """One plain request. Without `key` the publishable key is sent; an empty one sends none."""
        headers = {**options.pop("headers", {})}
        if key != "":
            headers["apikey"] = key or self.keys.anon_key
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return _http.request(method, self.url + path, headers=headers, **options)

    def make_user(self, email: str | None = None, **more: Any) -> dict[str, Any]:
        """Make a confirmed user through the admin API and return its JSON."""
        body = {
            "email": email or f"{uuid.uuid4().hex[:12]}@shop.example",
            "password": PASSWORD,
            "email_confirm": True,
            **more,
        }
        answer = self.http("POST", "/auth/v1/admin/users", key=self.keys.service_role_key, json=body)
        assert answer.status_code == 200, answer.text
        user: dict[str, Any] = answer.json()
        return user

    def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Ask for a session by password, as plain HTTP."""
        return self.http(
            "POST", "/auth/v1/token?grant_type=password", json={"email": email, "password": password}
        )

    def refresh(self, refresh_token: str) -> httpx.Response:
        """Ask for a new access token, as plain HTTP."""
        return self.http(
            "POST", "/auth/v1/token?grant_type=refresh_token", json={"refresh_token": refresh_token}
        )

    def session(self, email: str | None = None, **more: Any) -> dict[str, Any]:
        """Make a user and sign him in."""
        answer = self.sign_in(self.make_user(email, **more)["email"])
        assert answer.status_code == 200, answer.text
        session: dict[str, Any] = answer.json()
        return session

    def run_node(self, script: str, **variables: str) -> str:
        """Run a test script of this folder with the real @supabase/supabase-js and return what it printed.

        It gets `variables` in its environment, besides the addresses and keys. It finds its packages through
        packages.mjs: Node.js looks only upwards from the file.
        """
        environment = {
            **node.environment(),
            "TEST_DATABASE_URL": self.cluster.superuser_url(self.database),
            "SUPABASE_URL": self.url,
            "SUPABASE_ANON_KEY": self.keys.anon_key,
            "SUPABASE_SERVICE_ROLE_KEY": self.keys.service_role_key,
            **variables,
        }
        loader = HERE / "packages.mjs"
        command = [
            str(node.node_program()),
            "--import",
            loader.as_uri(),
            "--test",
            "--test-reporter=spec",
            str(HERE / script),
        ]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def lab(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A gateway with the objects of objects.sql."""
    name = f"lab_{shared.worker}_{os.getpid()}"
    config = tmp_path_factory.mktemp("gateway") / "config.toml"
    config.write_text(CONFIG)
    databases.bootstrap(shared.cluster, name)
    gateway = Gateway(
        shared.cluster.superuser_url(name),
        shared.keys,
        log=shared.logs / f"{name}-gateway.log",
        env={"SUPABASE_CONFIG": str(config)},
    )
    gateway.start()
    with psycopg.connect(shared.cluster.url(name)) as connection:
        connection.execute((HERE / "objects.sql").read_bytes())
    yield Lab(gateway, shared.cluster, name, shared.keys)
    gateway.stop()
    databases.drop(shared.cluster, name)
