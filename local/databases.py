"""Databases of a cluster: made as Supabase makes them, migrated by Supabase's own CLI, cloned for tests."""

import time
from pathlib import Path

import psycopg
from psycopg import sql

from local import node
from local.errors import LauncherError
from local.keys import Keys
from local.paths import MIGRATIONS, ROOT, SQL
from local.postgres import Cluster
from local.services import Gateway

_DROP_TRIES = 50
# In this order: every project's roles and schemas, then what each Supabase service keeps in the database.
_BOOTSTRAP = ("bootstrap.sql", "storage.sql", "realtime.sql")
_LOGIN_ROLES = ("postgres", "authenticator", "supabase_auth_admin")


def bootstrap(cluster: Cluster, database: str = "postgres") -> None:
    """Make a database (if missing) with the roles, schemas and default privileges of a new project."""
    with psycopg.connect(cluster.superuser_url(), autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone()
        if known is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    with psycopg.connect(cluster.superuser_url(database)) as connection:
        # Roles are shared by all databases: two bootstraps at once must not race.
        connection.execute("select pg_advisory_xact_lock(hashtext('branchline bootstrap'))")
        for file in _BOOTSTRAP:
            connection.execute((SQL / file).read_bytes())
        for role in _LOGIN_ROLES:
            connection.execute(
                sql.SQL("alter role {} with password {}").format(
                    sql.Identifier(role), sql.Literal(cluster.password)
                )
            )


def migrate(url: str, workdir: Path = ROOT) -> str:
    """Apply all pending migrations with the Supabase CLI and return what it said.

    Parameters:
        url: the database's address as role postgres.
        workdir: the folder that holds `supabase/`.

    Raises:
        LauncherError: a migration failed; the detail is the CLI's message.
    """
    done = node.supabase(
        "migration", "up", "--yes", "--include-all", f"--remote={url}", f"--workdir={workdir}"
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        raise LauncherError("The migrations could not be applied.", said)
    return said


def pending(url: str) -> list[str]:
    """The versions of the migration files that the database has not seen, in order."""
    with psycopg.connect(url) as connection:
        applied: set[str] = set()
        if connection.execute(
            "select to_regclass('supabase_migrations.schema_migrations') is not null"
        ).fetchone() == (True,):
            rows = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
            applied = {row[0] for row in rows}
    versions = [file.name.split("_")[0] for file in sorted(MIGRATIONS.glob("*.sql"))]
    return [version for version in versions if version not in applied]


def serve(cluster: Cluster, database: str, keys: Keys, log: Path) -> Gateway:
    """Start a gateway on a bootstrapped database; it makes what Supabase Auth keeps there."""
    gateway = Gateway(cluster.superuser_url(database), keys, log=log)
    gateway.start()
    return gateway


def prepare(cluster: Cluster, database: str, keys: Keys, log: Path) -> None:
    """Make a complete database: bootstrap, the gateway's first start (it makes Auth's tables), migrations."""
    bootstrap(cluster, database)
    serve(cluster, database, keys, log).stop()
    migrate(cluster.url(database))


def clone(cluster: Cluster, template: str, new: str) -> str:
    """Copy a database that nobody is connected to. Returns the copy's address as role postgres."""
    with psycopg.connect(cluster.superuser_url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} owner postgres").format(
                sql.Identifier(new), sql.Identifier(template)
            )
        )
    return cluster.url(new)


def drop(cluster: Cluster, database: str) -> None:
    """Delete a database, cutting off whoever is connected."""
    statement = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
    with psycopg.connect(cluster.superuser_url(), autocommit=True) as connection:
        for patience in range(_DROP_TRIES, -1, -1):
            try:
                connection.execute(statement)
            except psycopg.errors.ObjectInUse:
                # A gateway that stopped just now: Postgres cuts off everybody but whoever reads the log.
                if patience == 0:
                    raise
                time.sleep(0.1)
            else:
                return
