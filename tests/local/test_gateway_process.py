"""The gateway as a process: start, stop, log, a lost database; and the whole of it through supabase-js."""

import json
import signal
import socket
import subprocess
import time
import tomllib
import uuid

import psycopg
import pytest

from local import databases, node
from local.paths import CONFIG, GATEWAY_MAIN
from local.services import Gateway
from tests.local.conftest import Lab
from tests.support.stack import Shared


def test_supabase_js(lab: Lab) -> None:
    said = lab.run_node("supabase_js.test.mjs")
    assert "fail 0" in said


def test_lost_connection_in_a_transaction(lab: Lab) -> None:
    assert "fail 0" in lab.run_node("pool.test.mjs")


def test_stops_within_a_second(lab: Lab) -> None:
    gateway = Gateway(
        lab.cluster.superuser_url(lab.database), lab.keys, log=lab.gateway.log.with_suffix(".stop.log")
    )
    gateway.start()
    process = gateway.process
    assert process is not None
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPABASE_JWT_SECRET", "short"),
        ("SUPABASE_JWT_SECRET", ""),
        ("SUPABASE_ANON_KEY", "eyJhbGciOi"),
        ("SUPABASE_SERVICE_ROLE_KEY", "secret"),
        ("GATEWAY_DATABASE_URL", ""),
        ("SUPABASE_CONFIG", ""),
    ],
)
def test_refuses_to_start_with_a_bad_setting(lab: Lab, name: str, value: str) -> None:
    env = {**node.environment(), **lab.gateway.env, "GATEWAY_PORT": "0", name: value}
    done = subprocess.run(
        [str(node.node_program()), str(GATEWAY_MAIN)],
        env=env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert name in done.stderr
    assert lab.keys.jwt_secret not in done.stderr


def test_log_is_json_without_secrets(lab: Lab) -> None:
    session = lab.session()
    request_id = uuid.uuid4().hex
    lab.http(
        "GET",
        "/rest/v1/gw_items?sku=eq.hidden",
        token=session["access_token"],
        headers={"X-Request-Id": request_id},
    )
    lab.http("GET", "/health", key="")
    lines = lab.gateway.log.read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    [entry] = [entry for entry in entries if entry.get("request_id") == request_id]
    assert (entry["event"], entry["method"], entry["path"], entry["status"]) == (
        "request",
        "GET",
        "/rest/v1/gw_items",
        200,
    )
    text = "\n".join(lines)
    for secret in (
        session["access_token"],
        session["refresh_token"],
        lab.keys.service_role_key,
        lab.keys.jwt_secret,
        "hidden",
    ):
        assert secret not in text


def test_survives_lost_connections(lab: Lab) -> None:
    session = lab.session()
    for _ in range(3):
        lab.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'postgrest'",
            role="supabase_admin",
        )
        deadline = time.monotonic() + 10
        while lab.http("GET", "/rest/v1/gw_items?limit=1", token=session["access_token"]).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    lab.sql("create function public.gw_after_loss() returns int language sql stable as 'select 1'")
    # Another connection of the pool may learn only now that it was cut off; who repeats the call is served.
    while (answer := lab.http("POST", "/rest/v1/rpc/gw_after_loss", json={})).status_code == 503:
        assert time.monotonic() < deadline
    assert answer.json() == 1
    lab.sql("drop function public.gw_after_loss()")


@pytest.mark.parametrize("path", ["//", "/\\\\", "/rest/v1/gw_items", "http://[", "*"])
def test_an_upgrade_of_anything_else_is_refused(lab: Lab, path: str) -> None:
    """Whatever the address, the gateway goes on."""
    with socket.create_connection(("127.0.0.1", lab.gateway.port), timeout=5) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".encode()
        )
        assert connection.recv(1000).startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert lab.http("GET", "/health").status_code == 200


def test_second_start_changes_nothing(lab: Lab) -> None:
    before = catalogue(lab.cluster.superuser_url(lab.database))
    gateway = Gateway(
        lab.cluster.superuser_url(lab.database), lab.keys, log=lab.gateway.log.with_suffix(".again.log")
    )
    gateway.start()
    gateway.stop()
    assert catalogue(lab.cluster.superuser_url(lab.database)) == before


ACLS = """
select 'relation' as kind, c.oid::regclass::text as name, c.relacl::text as acl
from pg_class c where c.relnamespace::regnamespace::text not like 'pg\\_%'
union all
select 'column', attrelid::regclass::text || '.' || attname, attacl::text
from pg_attribute where attacl is not null
union all
select 'function', p.oid::regprocedure::text, p.proacl::text
from pg_proc p where p.pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
union all
select 'schema', nspname, nspacl::text from pg_namespace where nspname not like 'pg\\_%'
union all
select 'type', t.oid::regtype::text, t.typacl::text from pg_type t where typacl is not null
union all
select 'default', concat_ws(' ', defaclrole::regrole, defaclnamespace, defaclobjtype), defaclacl::text
from pg_default_acl
union all
select 'database', datname, datacl::text from pg_database where datname = current_database()
union all
select 'policy', polrelid::regclass::text || ' ' || polname, polroles::text from pg_policy
union all
select 'member', roleid::regrole::text || ' ' || member::regrole::text, admin_option::text
from pg_auth_members
order by 1, 2, 3
"""


def catalogue(address: str) -> list[tuple[str, str, str | None]]:
    """Every grant in the database."""
    with psycopg.connect(address) as connection:
        return [tuple(row) for row in connection.execute(ACLS.encode()).fetchall()]


def test_serving_requests_changes_no_grant(shared: Shared, fresh_database: str) -> None:
    """The embedded library would grant ALL to the API roles at its first request."""
    gateway = databases.serve(
        shared.cluster, fresh_database, shared.keys, shared.logs / f"{fresh_database}.log"
    )
    lab = Lab(gateway, shared.cluster, fresh_database, shared.keys)
    address = shared.cluster.superuser_url(fresh_database)
    try:
        before = catalogue(address)
        assert len(before) > 100
        token = lab.session()["access_token"]
        tables = [
            row["name"]
            for row in lab.sql(
                "select relname as name from pg_class"
                " where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')"
            )
        ]
        assert tables, "Branchline's migrations made no table"
        for table in tables:
            for key, bearer in ((None, None), (None, token), (shared.keys.service_role_key, None)):
                assert lab.http("GET", f"/rest/v1/{table}?limit=1", key=key, token=bearer).status_code in (
                    200,
                    401,
                    403,
                )
                lab.http("POST", f"/rest/v1/{table}", key=key, token=bearer, json={})
        lab.http("POST", "/rest/v1/rpc/whoami", token=token, json={})
        assert catalogue(address) == before
    finally:
        gateway.stop()


def test_config_keeps_clients_out_unless_granted() -> None:
    config = tomllib.loads(CONFIG.read_text())
    assert config["api"]["auto_expose_new_tables"] is False
    assert config["api"]["schemas"] == ["public"]
    assert config["db"]["major_version"] == 17
    assert config["db"]["seed"]["enabled"] is False
    assert config["auth"]["minimum_password_length"] >= 10
    assert config["auth"]["password_requirements"] == "lower_upper_letters_digits"
    assert config["auth"]["email"]["enable_confirmations"] is True
    hook = config["auth"]["hook"]["custom_access_token"]
    assert hook == {"enabled": True, "uri": "pg-functions://postgres/private/custom_access_token"}
