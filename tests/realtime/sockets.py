"""A bare client of the Realtime protocol, to say what no library would say."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.realtime.conftest import Market


class Socket:
    """One connection, protocol version 2.0.0 unless told otherwise."""

    def __init__(self, connection: ClientConnection, version: str) -> None:
        self.connection = connection
        self.version = version
        self.count = 0

    async def say(
        self, topic: str, event: str, payload: Any, *, join_ref: str | None = None, ref: str | None = "auto"
    ) -> str | None:
        """Send a message; returns its ref, a new number unless given."""
        if ref == "auto":
            self.count += 1
            ref = str(self.count)
        message: Any = [join_ref, ref, topic, event, payload]
        if self.version == "1.0.0":
            message = {"join_ref": join_ref, "ref": ref, "topic": topic, "event": event, "payload": payload}
        await self.connection.send(json.dumps(message))
        return ref

    async def hear(self, patience: float = 5) -> dict[str, Any]:
        """The next message."""
        message = json.loads(await asyncio.wait_for(self.connection.recv(), patience))
        if isinstance(message, list):
            names = ("join_ref", "ref", "topic", "event", "payload")
            return dict(zip(names, message, strict=True))
        assert isinstance(message, dict)
        return message

    async def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.hear(seconds)
        except TimeoutError:
            return True
        return False

    async def join(self, name: str, token: str | None, **config: Any) -> dict[str, Any]:
        """Join a channel, private unless told otherwise, and return the answer's payload."""
        payload = {"config": {"private": True, **config}, "access_token": token}
        ref = str(self.count + 1)
        await self.say(f"realtime:{name}", "phx_join", payload, join_ref=ref)
        answer = await self.hear(15)
        assert (answer["event"], answer["ref"], answer["topic"]) == ("phx_reply", ref, f"realtime:{name}")
        payload_back: dict[str, Any] = answer["payload"]
        return payload_back


@asynccontextmanager
async def open_socket(
    market: Market, version: str = "2.0.0", key: str | None = None
) -> AsyncIterator[Socket]:
    """Connect to the market's gateway."""
    url = market.gateway.url.replace("http", "ws")
    address = f"{url}/realtime/v1/websocket?apikey={key or market.keys.anon_key}&vsn={version}"
    async with connect(address, max_size=None) as connection:
        yield Socket(connection, version)


def until(condition: Any, patience: float = 10) -> None:
    """Wait for something that happens elsewhere."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
