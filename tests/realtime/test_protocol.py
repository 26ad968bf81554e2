"""The protocol itself: both versions, what is refused or ignored, what ends a channel or a connection."""

import asyncio
import re
import struct
import uuid
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest
from jose import jwt
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from local import databases
from local.services import Gateway
from tests.realtime.conftest import Market
from tests.realtime.sockets import open_socket, until


def run(story: Coroutine[Any, Any, None]) -> None:
    """Tell a story with sockets, in half a minute at most."""
    asyncio.run(asyncio.wait_for(story, 30))


def _stock(market: Market, branch: int = 0) -> str:
    return f"branch:{market.branches[branch].id}:stock"


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_join_hear_and_leave(market: Market, version: str) -> None:
    """In both spellings, with the heartbeats that the clients send."""

    async def story() -> None:
        async with open_socket(market, version) as socket:
            joined = await socket.join(_stock(market), market.token(market.cashiers[0]))
            assert joined == {"status": "ok", "response": {"postgres_changes": []}}
            await asyncio.to_thread(market.sell)
            message = await socket.hear()
            assert (message["event"], message["ref"]) == ("broadcast", None)
            payload = message["payload"]
            assert (payload["type"], payload["event"]) == ("broadcast", "stock")
            assert payload["payload"]["branch_id"] == str(market.branches[0].id)
            uuid.UUID(payload["meta"]["id"])
            for ref in ("7", None):
                await socket.say("phoenix", "heartbeat", {}, ref=ref)
                beat = await socket.hear()
                assert (beat["topic"], beat["event"], beat["ref"]) == ("phoenix", "phx_reply", ref)
                assert beat["payload"] == {"status": "ok", "response": {}}
            topic = f"realtime:{_stock(market)}"
            await socket.say(topic, "phx_leave", {}, join_ref="1")
            assert (await socket.hear())["payload"]["status"] == "ok"
            closed = await socket.hear()
            assert (closed["event"], closed["ref"]) == ("phx_close", "1")
            await asyncio.to_thread(market.sell)
            assert await socket.silent()

    run(story())


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 401),
        ("?apikey=", 401),
        ("?apikey=sb_publishable_wrong", 401),
        ("?apikey={anon}&vsn=3.0.0", 403),
    ],
)
def test_the_door_asks_for_a_key(market: Market, query: str, status: int) -> None:
    """Before the first frame."""

    async def story() -> None:
        url = market.gateway.url.replace("http", "ws") + "/realtime/v1/websocket"
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url + query.format(anon=market.keys.anon_key)):
                pass
        assert refused.value.response.status_code == status

    run(story())


def test_other_addresses_and_plain_requests(market: Market) -> None:
    """A WebSocket elsewhere is refused; a request without an upgrade finds nothing."""

    async def story() -> None:
        url = market.gateway.url.replace("http", "ws") + f"/rest/v1/?apikey={market.keys.anon_key}"
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url):
                pass
        assert refused.value.response.status_code == 404

    run(story())
    assert httpx.get(f"{market.gateway.url}/realtime/v1/websocket", trust_env=False).status_code == 404


def test_tokens(market: Market) -> None:
    """Expired, forged, malformed, of the wrong algorithm, without role or end: each is refused by name."""

    async def story() -> None:
        cashier = market.cashiers[0]
        good = market.token(cashier)
        claims = jwt.get_unverified_claims(good)
        secret = market.keys.jwt_secret
        cases = {
            market.token(cashier, -90): r"InvalidJWTToken: Token has expired 9\d seconds ago",
            good[:-4] + "AAAA": "JwtSignatureError: Failed to validate JWT signature",
            "a.b.c": "MalformedJWT: The token provided is not a valid JWT",
            "": "MalformedJWT: The token provided is not a valid JWT",
            jwt.encode(claims, "x" * 40, algorithm="HS256"): "JwtSignatureError: ",
            jwt.encode(claims, secret, algorithm="HS512"): "MalformedJWT: ",
            market.token(cashier, role=None): "InvalidJWTToken: Fields `role` and `exp` are required in JWT",
            jwt.encode({"role": "authenticated", "sub": str(cashier)}, secret): "InvalidJWTToken: Fields",
            market.token(cashier, role="postgres"): "Unauthorized: ",
            market.token(cashier, role="no such role"): "Unauthorized: ",
            market.token(cashier, sub="x"): "Unauthorized: ",
        }
        async with open_socket(market) as socket:
            for token, reason in cases.items():
                answer = await socket.join(_stock(market), token)
                assert answer["status"] == "error", reason
                assert re.match(reason, answer["response"]["reason"]), (reason, answer)
            assert (await socket.join(_stock(market), good))["status"] == "ok"

    run(story())


def test_the_keys_themselves(market: Market) -> None:
    """Who bypasses row-level security hears everything, as on the hosted platform; other keys nothing."""

    async def story() -> None:
        async with open_socket(market, key=market.keys.service_role_key) as socket:
            assert (await socket.join(_stock(market), None))["status"] == "ok"
        async with open_socket(market) as socket:
            for token in (None, market.keys.anon_key):
                answer = await socket.join(_stock(market), token)
                assert answer["response"]["reason"].startswith("Unauthorized: ")

    run(story())


def test_odd_topics(market: Market) -> None:
    """Names that are no topic are answered, not obeyed."""

    async def story() -> None:
        token = market.token(market.shop.admin_id)
        async with open_socket(market) as socket:
            for name in ("branch:\x00:stock", "x" * 100_000, "branch:%s:stock", "org::notices", "🛋"):
                answer = await socket.join(name, token)
                assert answer["response"]["reason"].startswith("Unauthorized: "), name
            assert (await socket.join("", token))["response"]["reason"].startswith("TopicNameRequired: ")
            await socket.say("elsewhere:x", "phx_join", {})
            assert (await socket.hear())["payload"]["response"] == {"reason": "unmatched topic"}
            await socket.say(f"realtime:{_stock(market)}", "broadcast", {"event": "stock", "payload": {}})
            assert (await socket.hear())["payload"]["response"] == {"reason": "unmatched topic"}

    run(story())


def test_unknown_events_are_ignored(market: Market) -> None:
    """The channel stays as it was."""

    async def story() -> None:
        topic = f"realtime:{_stock(market)}"
        async with open_socket(market) as socket:
            await socket.join(_stock(market), market.token(market.cashiers[0]))
            for event, payload in (
                ("sell", {}),
                ("presence", {"type": "presence", "event": "track", "payload": {}}),
                ("access_token", {}),
                ("access_token", {"access_token": None}),
                ("access_token", {"access_token": 5}),
                ("access_token", {"access_token": "sb_publishable_x"}),
                ("broadcast", {}),
                ("broadcast", []),
                ("phx_reply", {"status": "ok"}),
                ("__proto__", {}),
            ):
                await socket.say(topic, event, payload, join_ref="1")
            assert await socket.silent()
            await asyncio.to_thread(market.sell)
            assert (await socket.hear())["event"] == "broadcast"

    run(story())


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "null",
        "5",
        "[]",
        "[1,2,3]",
        '["1","1",5,"phx_join",{}]',
        '["1","1","realtime:x","phx_join",null]',
        '["1","1","realtime:x","phx_join","text"]',
        '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}',
        b"",
        b"\x03",
        b"\xff" * 50,
        struct.pack("7B", 3, 255, 255, 255, 255, 255, 1),
        b"\x03\x00\x00\x01\x00\x00\x01xnot json",
    ],
)
def test_garbage_ends_its_connection_only(market: Market, frame: str | bytes) -> None:
    """The others never notice."""

    async def story() -> None:
        async with open_socket(market) as honest, open_socket(market) as socket:
            await honest.join(_stock(market), market.token(market.cashiers[0]))
            await socket.connection.send(frame)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
            await asyncio.to_thread(market.sell)
            assert (await honest.hear())["event"] == "broadcast"

    run(story())


def test_notices_reach_who_may_act_on_them(market: Market) -> None:
    """Whoever holds stock.alert hears the organisation's notices; a cashier does not get in."""
    keeper = market.shop.hire("inventory_manager", [market.branches[0]])
    name = f"org:{market.shop.org_id}:notices"

    async def story() -> None:
        async with open_socket(market) as socket, open_socket(market) as other:
            assert (await socket.join(name, market.token(keeper)))["status"] == "ok"
            assert (await other.join(name, market.token(market.cashiers[0])))["status"] == "error"
            assert (await other.join(name, market.token(market.other.admin_id)))["status"] == "error"
            await asyncio.to_thread(
                market.sql,
                "select private.notify(%s, 'stock.low', '{\"alert_id\": 1}')",
                market.shop.org_id,
            )
            payload = (await socket.hear())["payload"]
            assert (payload["event"], payload["payload"]["kind"]) == ("notice", "stock.low")

    run(story())


def test_a_client_may_send_where_a_policy_lets_him(market: Market) -> None:
    """Reading and sending are two permissions, each with its own policy; Branchline has none for sending."""
    market.sql(
        """
        create policy "Members hear the talk" on realtime.messages for select to authenticated
          using ((select realtime.topic()) = 'talk')
        """
    )
    speaker_id = market.cashiers[0]
    market.sql(
        f"""
        create policy "A cashier speaks in the talk" on realtime.messages for insert to authenticated
          with check ((select realtime.topic()) = 'talk' and (select auth.uid()) = '{speaker_id}')
        """
    )

    async def story() -> None:
        said = {"type": "broadcast", "event": "hello", "payload": {"a": 1}}
        async with open_socket(market) as speaker, open_socket(market) as listener:
            config = {"broadcast": {"ack": True}}
            await speaker.join("talk", market.token(market.cashiers[0]), **config)
            await listener.join("talk", market.token(market.cashiers[1]), **config)
            await listener.say("realtime:talk", "broadcast", said, join_ref="1")
            assert await speaker.silent()
            await speaker.say("realtime:talk", "broadcast", said, join_ref="1")
            assert (await speaker.hear())["payload"] == {"status": "ok", "response": {}}
            assert (await listener.hear())["payload"] == said

    try:
        run(story())
    finally:
        market.sql('drop policy "Members hear the talk" on realtime.messages')
        market.sql('drop policy "A cashier speaks in the talk" on realtime.messages')


def test_a_giant_frame_ends_its_connection(market: Market) -> None:
    """Nothing larger than four megabytes is read."""

    async def story() -> None:
        async with open_socket(market) as socket:
            # Only the head of a frame, which announces five megabytes.
            socket.connection.transport.write(b"\x81\xff" + (5_000_000).to_bytes(8, "big") + b"\x00" * 4)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009

    run(story())


def test_a_flood_closes_the_channel(market: Market) -> None:
    """A hundred messages a second are allowed, as on the smallest hosted plan."""

    async def story() -> None:
        topic = f"realtime:{_stock(market)}"
        async with open_socket(market) as socket:
            await socket.join(_stock(market), market.token(market.cashiers[0]))
            for _ in range(350):
                await socket.say(topic, "broadcast", {"event": "x", "payload": {}}, join_ref="1")
            system = await socket.hear()
            assert system["payload"]["message"] == "Too many messages per second"
            assert (await socket.hear())["event"] == "phx_close"

    run(story())


def test_too_many_channels(market: Market) -> None:
    """A hundred channels on one connection, no more."""

    async def story() -> None:
        token = market.keys.service_role_key
        async with open_socket(market, key=token) as socket:
            for number in range(100):
                assert (await socket.join(f"room {number}", None))["status"] == "ok"
            answer = await socket.join("one more", None)
            assert answer["response"]["reason"] == "ChannelRateLimitReached: Too many channels"

    run(story())


def test_joining_twice_replaces_the_first(market: Market) -> None:
    """The first stay is closed under its own ref; a message comes once."""

    async def story() -> None:
        token = market.token(market.cashiers[0])
        topic = f"realtime:{_stock(market)}"
        async with open_socket(market) as socket:
            await socket.join(_stock(market), token)
            await socket.say(
                topic, "phx_join", {"config": {"private": True}, "access_token": token}, join_ref="2"
            )
            assert [(m["event"], m["ref"]) for m in [await socket.hear(), await socket.hear()]] == [
                ("phx_close", "1"),
                ("phx_reply", "2"),
            ]
            await socket.say(topic, "phx_leave", {}, join_ref="1")
            await asyncio.to_thread(market.sell)
            assert (await socket.hear())["event"] == "broadcast"
            assert await socket.silent()

    run(story())


def test_a_rolled_back_sale_is_never_heard(market: Market) -> None:
    """Messages are sent by the commit."""

    async def story() -> None:
        async with open_socket(market) as socket:
            await socket.join(_stock(market), market.token(market.cashiers[0]))

            def give_up() -> None:
                with market.shop.sign_in(market.shop.admin_id, autocommit=False) as till:
                    market.shop.sell(till, market.branches[0], market.shop.variants[:1])
                    till.rollback()

            await asyncio.to_thread(give_up)
            assert await socket.silent()

    run(story())


def test_a_revoked_member_is_shut_out_at_his_next_token(market: Market) -> None:
    """Realtime asks the policies at join and at every new token; the database at every statement."""

    async def story() -> None:
        leaver = market.shop.hire("cashier", [market.branches[0]])
        topic = f"realtime:{_stock(market)}"
        async with open_socket(market) as socket:
            await socket.join(_stock(market), market.token(leaver))
            market.sql("update public.memberships set status = 'suspended' where user_id = %s", leaver)
            renewed = market.token(leaver, 7200)
            await socket.say(topic, "access_token", {"access_token": renewed}, join_ref="1")
            assert "permissions to read" in (await socket.hear())["payload"]["message"]
            assert (await socket.hear())["event"] == "phx_close"
            answer = await socket.join(_stock(market), renewed)
            assert answer["response"]["reason"].startswith("Unauthorized: ")

    run(story())


def test_nothing_is_read_when_nobody_listens(market: Market) -> None:
    """The feed opens with the first channel and closes after the last: an idle stack keeps no slot."""

    def slots() -> int:
        (row,) = market.sql(
            "select count(*) from pg_replication_slots where database = current_database() and active"
        )
        return int(row[0])

    async def story() -> None:
        async with open_socket(market) as socket:
            assert (await socket.join(_stock(market), market.token(market.cashiers[0])))["status"] == "ok"
            assert await asyncio.to_thread(slots) == 1

    until(lambda: slots() == 0)
    run(story())
    until(lambda: slots() == 0)


def test_public_channels_where_the_project_allows_them(market: Market) -> None:
    """A talk among clients; it is another room than the private channel of the same name."""
    gateway = Gateway(
        market.shared.cluster.superuser_url(market.database),
        market.keys,
        log=market.shared.logs / f"{market.database}-public.log",
        env={"GATEWAY_PUBLIC_CHANNELS": "1"},
    )
    gateway.start()
    open_market = Market(
        market.shared, market.database, gateway, market.shop, market.other, market.keys, market.cashiers
    )

    async def story() -> None:
        name, topic = _stock(market), f"realtime:{_stock(market)}"
        talk = {"type": "broadcast", "event": "hello", "payload": {"a": 1}}
        async with (
            open_socket(open_market) as one,
            open_socket(open_market, "1.0.0") as two,
            open_socket(open_market) as insider,
        ):
            for socket in (one, two):
                assert (await socket.join(name, None, private=False))["status"] == "ok"
            assert (await insider.join(name, market.token(market.cashiers[0])))["status"] == "ok"
            await one.say(topic, "broadcast", talk, join_ref="1")
            assert (await two.hear())["payload"] == talk
            assert await one.silent(0.2)
            # supabase-js sends a broadcast as a binary frame.
            parts = [b"1", b"9", topic.encode(), b"hello", b""]
            header = bytes([3, *(len(part) for part in parts), 1])
            await one.connection.send(header + b"".join(parts) + b'{"a": 2}')
            assert (await two.hear())["payload"]["payload"] == {"a": 2}
            await asyncio.to_thread(market.sell)
            assert (await insider.hear())["payload"]["event"] == "stock"
            assert await two.silent(0.2)
            assert await insider.silent(0.1)

    try:
        run(story())
    finally:
        gateway.stop()


def test_the_gateway_stops_with_clients_connected(market: Market) -> None:
    """They are told that it goes away, and its slot is gone, so that the database could be dropped."""
    name = market.shared.new_database()
    gateway = databases.serve(market.shared.cluster, name, market.keys, market.shared.logs / f"{name}.log")
    there = Market(market.shared, name, gateway, market.shop, market.other, market.keys)

    async def story() -> None:
        async with open_socket(there, key=market.keys.service_role_key) as socket:
            assert (await socket.join("anything", None))["status"] == "ok"
            await asyncio.to_thread(gateway.stop)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001

    run(story())
    databases.drop(market.shared.cluster, name)


def test_the_log_holds_no_secrets(market: Market) -> None:
    """Neither tokens nor keys, though both come in every connection."""
    token = market.token(market.cashiers[0])

    async def story() -> None:
        async with open_socket(market) as socket:
            await socket.join(_stock(market), token)
            await socket.join("branch:x:stock", token[:-3])
            await socket.say(
                f"realtime:{_stock(market)}", "access_token", {"access_token": "x.y.z"}, join_ref="1"
            )

    run(story())
    text = market.gateway.log.read_text()
    assert "realtime_feed_open" in text
    for secret in (
        token,
        token[:-3],
        market.keys.jwt_secret,
        market.keys.service_role_key,
        market.keys.anon_key,
    ):
        assert secret not in text
