"""A database and a gateway of this folder's own, with a bucket beside those of the migrations."""

from collections.abc import Iterator

import pytest

from local import databases
from tests.local.conftest import Lab
from tests.local.storage.shop import Shop
from tests.support.houses import make_world
from tests.support.personas import connect
from tests.support.stack import Shared


@pytest.fixture(scope="module")
def shop(shared: Shared) -> Iterator[Shop]:
    """Both businesses of the world, and whoever works there."""
    name = shared.new_database()
    with connect(shared.cluster.url(name)) as connection, connection.transaction():
        world = make_world(connection)
        connection.execute(
            "insert into storage.buckets (id, name, file_size_limit) values ('notes', 'notes', 1000)"
        )
        connection.execute(
            'create policy "One keeps one\'s own notes" on storage.objects for all to authenticated '
            "using (bucket_id = 'notes' and owner_id = auth.uid()::text) "
            "with check (bucket_id = 'notes' and owner_id = auth.uid()::text)"
        )
        connection.execute(
            'create policy "Anybody drops a letter" on storage.objects for insert to anon '
            "with check (bucket_id = 'notes' and name like 'letters/%')"
        )
    gateway = databases.serve(shared.cluster, name, shared.keys, shared.logs / f"{name}-gateway.log")
    yield Shop(Lab(gateway, shared.cluster, name, shared.keys), world)
    gateway.stop()
    databases.drop(shared.cluster, name)
