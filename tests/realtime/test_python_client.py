"""The Python client `realtime` hears the stock, and cannot speak."""

import asyncio
from typing import Any

from realtime import AsyncRealtimeClient, RealtimeSubscribeStates

from tests.realtime.conftest import Market


async def _subscribe(client: AsyncRealtimeClient, topic: str) -> tuple[Any, str, list[Any]]:
    """Join privately; the channel, the first state, and the messages that come."""
    messages: list[Any] = []
    states: asyncio.Queue[RealtimeSubscribeStates] = asyncio.Queue()
    config: Any = {
        "broadcast": {"ack": False, "self": True},
        "presence": {"key": "", "enabled": False},
        "private": True,
    }
    channel = client.channel(topic, {"config": config})
    channel.on_broadcast("stock", messages.append)
    await channel.subscribe(lambda state, _error: states.put_nowait(state))
    return channel, (await asyncio.wait_for(states.get(), 10)).value, messages


async def _client(market: Market, token: str | None) -> AsyncRealtimeClient:
    client = AsyncRealtimeClient(
        f"{market.gateway.url}/realtime/v1", market.keys.anon_key, auto_reconnect=False
    )
    if token is not None:
        await client.set_auth(token)
    await client.connect()
    return client


def test_a_sale_is_heard(market: Market) -> None:
    """By who may; the forged one by nobody."""

    async def story() -> None:
        topic = f"branch:{market.branches[0].id}:stock"
        client = await _client(market, market.token(market.cashiers[0]))
        channel, state, messages = await _subscribe(client, topic)
        assert state == "SUBSCRIBED"
        await channel.send_broadcast("stock", {"branch_id": str(market.branches[0].id), "changes": []})
        await asyncio.to_thread(market.sell, 0, 2)
        for _ in range(500):
            if messages:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        assert len(messages) == 1
        assert messages[0]["event"] == "stock"
        assert len(messages[0]["payload"]["changes"]) == 2
        await client.set_auth(market.token(market.cashiers[0], 7200))
        await asyncio.sleep(0.2)
        assert channel.is_joined
        await client.remove_channel(channel)
        await client.close()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_others_cannot_join(market: Market) -> None:
    """Another branch's cashier, a stranger, a visitor."""

    async def story() -> None:
        topic = f"branch:{market.branches[0].id}:stock"
        for token in (market.token(market.cashiers[1]), market.token(market.other.admin_id), None):
            client = await _client(market, token)
            _, state, _ = await _subscribe(client, topic)
            assert state == "CHANNEL_ERROR"
            await client.close()

    asyncio.run(asyncio.wait_for(story(), 30))
