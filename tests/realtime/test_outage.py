"""Postgres is killed and comes back: who listens is told, joins again by himself, and catches up exactly."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from bench.shop import call
from local import databases
from local.keys import Keys
from local.postgres import Cluster, temporary_directory
from tests.realtime.conftest import Market, open_market
from tests.realtime.sockets import open_socket
from tests.realtime.test_python_client import _client, _subscribe
from tests.support.stack import Shared


@pytest.fixture
def fragile() -> Iterator[Market]:
    """A market on a cluster of its own, which may be killed."""
    home = temporary_directory()
    cluster = Cluster(home / "postgres")
    made: Market | None = None
    try:
        cluster.init()
        cluster.start()
        keys = Keys.generate()
        databases.prepare(cluster, "fragile", keys, home / "log" / "prepare.log")
        made = open_market(Shared(cluster, keys, home / "log", "fragile"), "fragile")
        yield made
    finally:
        if made is not None:
            made.gateway.stop()
        cluster.destroy()
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_postgres_that_goes_and_comes_back(fragile: Market, end: str) -> None:
    """Killed, or shut down, which must not wait for who reads its log.

    No client hangs, none believes in a channel that hears nothing, no sale is missed.
    """
    branch = fragile.branches[0]
    topic = f"branch:{branch.id}:stock"
    token = fragile.token(fragile.cashiers[0])
    cluster = fragile.shared.cluster

    def levels(cursor: str | None) -> Any:
        with fragile.shop.sign_in(fragile.cashiers[0]) as till:
            return call(till, "stock_changes", [branch.id], cursor)

    async def story() -> None:
        client = await _client(fragile, token)
        client.auto_reconnect = True
        channel, state, messages = await _subscribe(client, topic)
        assert state == "SUBSCRIBED"
        cursor = (await asyncio.to_thread(levels, None))["cursor"]
        async with open_socket(fragile) as socket:
            assert (await socket.join(topic, token))["status"] == "ok"
            started = time.monotonic()
            await asyncio.to_thread(cluster.kill if end == "kill" else cluster.stop)
            assert time.monotonic() - started < 10
            lost = await socket.hear(10)
            assert (lost["event"], lost["topic"], lost["ref"]) == ("phx_error", f"realtime:{topic}", "1")
            refused = await socket.join(topic, token)
            assert refused["response"]["reason"].startswith("UnableToConnectToProject: ")
            await socket.say("phoenix", "heartbeat", {})
            assert (await socket.hear())["payload"]["status"] == "ok"
            await asyncio.to_thread(cluster.start)
            # Sold while nobody could hear it.
            await asyncio.to_thread(fragile.sell, 0, 2)
            for _ in range(50):
                if (await socket.join(topic, token))["status"] == "ok":
                    break
                await asyncio.sleep(0.2)
            else:
                pytest.fail("it could not be joined again")
            for _ in range(500):
                if channel.is_joined:
                    break
                await asyncio.sleep(0.05)
            assert channel.is_joined, "the library had to be told that its channel was lost"
            missed = await asyncio.to_thread(levels, cursor)
            assert not missed["reset"]
            assert {level["variant_id"] for level in missed["levels"]} == {
                str(variant) for variant in fragile.shop.variants[:2]
            }
            heard = len(messages)
            await asyncio.to_thread(fragile.sell, 0, 1)
            assert (await socket.hear())["payload"]["event"] == "stock"
            for _ in range(500):
                if len(messages) > heard:
                    break
                await asyncio.sleep(0.02)
            assert len(messages) == heard + 1
        await client.close()

    asyncio.run(asyncio.wait_for(story(), 90))


def _cut(market: Market) -> None:
    """End the connection that reads the log."""
    with psycopg.connect(market.shared.cluster.superuser_url(market.database)) as operator:
        operator.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots"
            " where database = current_database()"
        )


def test_a_lost_feed(market: Market) -> None:
    """Only the connection that reads the log is cut: the channels end, and can be joined at once."""
    topic = f"branch:{market.branches[0].id}:stock"

    async def story() -> None:
        async with open_socket(market) as socket:
            for _ in range(3):
                assert (await socket.join(topic, market.token(market.cashiers[0])))["status"] == "ok"
                await asyncio.to_thread(_cut, market)
                assert (await socket.hear())["event"] == "phx_error"
            assert (await socket.join(topic, market.token(market.cashiers[0])))["status"] == "ok"
            await asyncio.to_thread(market.sell)
            assert (await socket.hear())["event"] == "broadcast"

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_slow_join(market: Market) -> None:
    """A slot waits for transactions that are open already: nobody may put the feed to rest meanwhile."""
    topic = f"branch:{market.branches[0].id}:stock"

    async def story() -> None:
        async with open_socket(market) as socket:
            token = market.token(market.cashiers[0])
            with psycopg.connect(market.shared.cluster.superuser_url(market.database)) as busy:
                assert (await socket.join(topic, token))["status"] == "ok"
                busy.execute("select pg_current_xact_id()")
                await asyncio.to_thread(_cut, market)
                assert (await socket.hear())["event"] == "phx_error"
                joining = asyncio.create_task(socket.join(topic, token))
                # Longer than the gateway lets a feed without listeners run on.
                await asyncio.sleep(2)
                assert not joining.done()
            assert (await joining)["status"] == "ok"
            await asyncio.to_thread(market.sell)
            assert (await socket.hear())["event"] == "broadcast"

    asyncio.run(asyncio.wait_for(story(), 60))
