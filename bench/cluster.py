"""A durable throw-away cluster with one migrated database, for measurements."""

import contextlib
import shutil
from collections.abc import Iterator

from local import databases, node
from local.keys import Keys
from local.postgres import Cluster, temporary_directory

DATABASE = "bench"


@contextlib.contextmanager
def migrated_cluster() -> Iterator[Cluster]:
    """Start a cluster with durable commits and a migrated database named `bench`; delete both afterwards."""
    node.install()
    home = temporary_directory()
    cluster = Cluster(home / "postgres")
    try:
        cluster.init()
        cluster.start()
        databases.prepare(cluster, DATABASE, Keys.generate(), home / "gateway.log")
        yield cluster
    finally:
        cluster.destroy()
        shutil.rmtree(home, ignore_errors=True)
