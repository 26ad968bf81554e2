"""stock_changes never misses a change, whatever is open, rolled back, pruned or restored meanwhile."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from bench.shop import Branch, Connection, Shop, call
from local.processes import wait_until
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.support.refusals import state_of

Key = tuple[str, str]


@dataclass
class Mirror:
    """What an app holds of the levels, kept by the five lines of the README."""

    connection: Connection
    branches: Sequence[uuid.UUID] | None
    limit: int = 1000
    cursor: str | None = None
    levels: dict[Key, dict[str, Any]] = field(default_factory=dict)
    resets: int = 0

    def catch_up(self) -> set[Key]:
        """Read all pages, apply them, and return which levels came."""
        came: set[Key] = set()
        more = True
        while more:
            branches = None if self.branches is None else list(self.branches)
            answer = call(self.connection, "stock_changes", branches, self.cursor, self.limit)
            if answer["reset"]:
                self.levels.clear()
                self.resets += 1
            for level in answer["levels"]:
                key = (level["location_id"], level["variant_id"])
                self.levels[key] = level
                came.add(key)
            assert len(answer["levels"]) <= self.limit
            self.cursor, more = answer["cursor"], answer["more"]
        return came


def _truth(shop: Shop, branches: Sequence[Branch]) -> dict[Key, dict[str, Any]]:
    with psycopg.connect(shop.url) as owner:
        rows = owner.execute(
            "select jsonb_build_object('branch_id', branch_id, 'location_id', location_id,"
            " 'variant_id', variant_id, 'on_hand', on_hand, 'reserved', reserved,"
            " 'available', available, 'incoming', incoming, 'in_transit', in_transit)"
            " from public.stock_levels where branch_id = any (%s)",
            [[branch.id for branch in branches]],
        ).fetchall()
    return {(row["location_id"], row["variant_id"]): row for (row,) in rows}


def _keys(branch: Branch, variants: Sequence[uuid.UUID]) -> set[Key]:
    return {(str(branch.location_id), str(variant)) for variant in variants}


def _nothing_new(mirror: Mirror) -> None:
    """A visit after which the client knows no more. While a transaction is open anywhere in the cluster, such
    as another test's, what was seen may come again.
    """
    before = dict(mirror.levels)
    mirror.catch_up()
    assert mirror.levels == before


@pytest.mark.parametrize("limit", [1, 3, 5000])
def test_first_visit_reads_everything_by_pages(found_shop: FoundShop, till: OpenTill, limit: int) -> None:
    """Whatever the page's size; the next visit brings nothing, one after a sale what was sold."""
    shop = found_shop(branches=2, variants=4, stock=10)
    mirror = Mirror(till(shop), None, limit)
    mirror.catch_up()
    assert mirror.resets == 1
    assert mirror.levels == _truth(shop, shop.branches)
    _nothing_new(mirror)
    shop.sell(till(shop), shop.branches[1], shop.variants[1:3])
    assert _keys(shop.branches[1], shop.variants[1:3]) <= mirror.catch_up()
    assert mirror.levels == _truth(shop, shop.branches)
    assert mirror.resets == 1


def test_a_transaction_open_during_the_visit_is_found_when_it_commits(
    found_shop: FoundShop, till: OpenTill
) -> None:
    """It began before others that committed and were seen first; its own rows come all the same."""
    shop = found_shop(variants=4, stock=10)
    branch = shop.branches[0]
    mirror = Mirror(till(shop), [branch.id])
    mirror.catch_up()
    slow = till(shop, autocommit=False)
    shop.sell(slow, branch, shop.variants[:1])
    _nothing_new(mirror)
    # Not a sale: it would wait for the slow one's number.
    shop.adjust(till(shop), branch, shop.variants[1], 1)
    assert _keys(branch, shop.variants[1:2]) <= mirror.catch_up()
    slow.commit()
    assert _keys(branch, shop.variants[:1]) <= mirror.catch_up()
    assert mirror.levels == _truth(shop, shop.branches)
    assert mirror.resets == 1
    _nothing_new(mirror)


def test_a_rolled_back_act_leaves_nothing(found_shop: FoundShop, till: OpenTill) -> None:
    """Neither an event nor a message."""
    shop = found_shop(variants=2, stock=10)
    mirror = Mirror(till(shop), None)
    mirror.catch_up()
    undone = till(shop, autocommit=False)
    shop.sell(undone, shop.branches[0], shop.variants)
    undone.rollback()
    _nothing_new(mirror)


@pytest.mark.parametrize("seed", range(4))
def test_any_interleaving_is_mirrored(found_shop: FoundShop, till: OpenTill, seed: int) -> None:
    """Writers that begin, commit and give up in any order; a reader with tiny pages, stopped half-way."""
    chance = random.Random(seed)
    shop = found_shop(branches=2, variants=5, stock=1000)
    mirror = Mirror(till(shop), None, chance.choice([1, 2, 100]))
    writers = [till(shop, autocommit=False) for _ in range(3)]
    # Each writer has variants of its own, so that none waits for another's lock in this one thread.
    own = [shop.variants[:2], shop.variants[2:4], shop.variants[4:]]
    for _ in range(80):
        number = chance.randrange(3)
        match chance.choice(["write", "write", "commit", "rollback", "read", "page"]):
            case "write":
                shop.adjust(
                    writers[number],
                    chance.choice(shop.branches),
                    chance.choice(own[number]),
                    chance.choice([1, 2]),
                    unit_cost="60",
                )
            case "commit":
                writers[number].commit()
            case "rollback":
                writers[number].rollback()
            case "read":
                mirror.catch_up()
            case _:
                answer = call(mirror.connection, "stock_changes", None, mirror.cursor, 1)
                if mirror.cursor is not None and not answer["reset"]:
                    for level in answer["levels"]:
                        mirror.levels[level["location_id"], level["variant_id"]] = level
                    mirror.cursor = answer["cursor"]
    for writer in writers:
        writer.commit()
    # The first may be the rest of a visit that began before these commits; what came since is the next one's.
    mirror.catch_up()
    mirror.catch_up()
    assert mirror.levels == _truth(shop, shop.branches)
    assert mirror.resets == 1


def test_old_and_foreign_cursors_begin_anew(found_shop: FoundShop, till: OpenTill) -> None:
    """Pruned, of other branches, of another run of transaction ids, of the future, nonsense: never a gap."""
    shop = found_shop(branches=2, variants=3, stock=10)
    north, south = shop.branches
    admin = till(shop)

    def reset(cursor: str | None, branches: list[uuid.UUID] | None = None) -> bool:
        answer = call(admin, "stock_changes", branches, cursor)
        if answer["reset"]:
            assert len(answer["levels"]) == 3 * len(branches or shop.branches)
        return bool(answer["reset"])

    cursor = call(admin, "stock_changes", None, None)["cursor"]
    one = call(admin, "stock_changes", [north.id], None)["cursor"]
    version, history, scope, position = cursor.split(".")
    assert not reset(cursor)
    assert not reset(one, [north.id])
    assert not reset(cursor, [south.id, north.id]), "the same branches, named"
    for foreign in (
        one,
        "",
        "nonsense",
        f"{version}.00000000.{scope}.{position}",
        f"2.{history}.{scope}.{position}",
        f"{version}.{history}.{scope}.",
        f"{version}.{history}.{scope}.all",
        f"{version}.{history}.{scope}.-5",
        f"{version}.{history}.{scope}.99999999999999999999999",
        f"{version}.{history}.{scope}.{int(position) + 1000000}",
        f"{version}.{history}.{scope}.{position}.{position}.{'-' * 36}.{'-' * 36}",
        f"{version}.{history}.{scope}.{position}' or true",
    ):
        assert reset(foreign), foreign
    assert reset(cursor, [south.id])

    with psycopg.connect(shop.url, autocommit=True) as owner:
        assert owner.execute("select private.prune_stock_events('7 days')").fetchone() == (0,)
        assert not reset(cursor)
        shop.sell(admin, north, shop.variants)
        # As if this week were over for seven days: its partition goes, and is made anew.
        pruned = owner.execute("select private.prune_stock_events('-7 days')").fetchone()
        assert pruned is not None
        assert pruned[0] > 0
        assert (
            owner.execute("select private.add_partitions('private.stock_events', current_date, 9)").fetchone()
            == pruned
        )
    assert reset(cursor)
    # A cursor reaches back to the oldest transaction open anywhere, here perhaps another test's.
    assert wait_until(lambda: not reset(call(admin, "stock_changes", None, None)["cursor"]), 120)


def test_after_a_long_absence_everything_is_read(found_shop: FoundShop, till: OpenTill) -> None:
    """Rather than tens of thousands of events."""
    shop = found_shop(variants=2, stock=10)
    cursor = call(till(shop), "stock_changes", None, None)["cursor"]
    with psycopg.connect(shop.url) as owner:
        # More may count: what came since the oldest transaction open anywhere, perhaps another test's.
        for count, expected in ((19000, False), (2000, True)):
            owner.execute(
                "insert into private.stock_events (org_id, branch_id, location_ids, variant_ids)"
                " select %s, %s, array[%s::uuid], array[%s::uuid] from generate_series(1, %s)",
                [shop.org_id, shop.branches[0].id, shop.branches[0].location_id, shop.variants[0], count],
            )
            owner.commit()
            assert call(till(shop), "stock_changes", None, cursor)["reset"] is expected


def test_who_may_read_what(found_shop: FoundShop, till: OpenTill) -> None:
    """One's own branches; a foreign one is not found; without stock.read there is nothing."""
    shop = found_shop(branches=2, variants=2, stock=10)
    north, south = shop.branches
    cashier = till(shop, shop.hire("cashier", [north]))
    mirror = Mirror(cashier, None)
    mirror.catch_up()
    assert mirror.levels == _truth(shop, [north])
    for foreign in (south.id, uuid.uuid4(), None):
        with pytest.raises(psycopg.Error) as refused:
            call(cashier, "stock_changes", [north.id, foreign])
        assert state_of(refused.value) == "404"
    for limit in (0, 5001, None):
        with pytest.raises(psycopg.Error) as refused:
            call(cashier, "stock_changes", None, None, limit)
        assert state_of(refused.value) == "400"
    admin = till(shop)
    call(admin, "save_role", uuid.uuid4(), shop.org_id, "buyer", "Buyer", ["catalogue.read"])
    buyer = till(shop, shop.hire("buyer", [north]))
    assert call(buyer, "stock_changes")["levels"] == []
    with pytest.raises(psycopg.Error) as refused:
        call(buyer, "stock_changes", [north.id])
    assert state_of(refused.value) == "403"
    # Another branch of his own: what the cursor covers is no longer all of it.
    call(admin, "set_member_role", shop.org_id, _user(cashier), "cashier", [north.id, south.id])
    mirror.catch_up()
    assert mirror.resets == 2
    assert mirror.levels == _truth(shop, shop.branches)


def _user(connection: Connection) -> Any:
    row = connection.execute("select auth.uid()").fetchone()
    assert row is not None
    return row[0]


def _messages(shop: Shop) -> list[dict[str, Any]]:
    with psycopg.connect(shop.url) as owner:
        rows = owner.execute(
            "select jsonb_build_object('topic', topic, 'event', event, 'private', private,"
            " 'payload', payload) from realtime.messages order by inserted_at"
        ).fetchall()
    return [row for (row,) in rows]


def test_one_message_per_branch_and_statement(found_shop: FoundShop, till: OpenTill) -> None:
    """With the levels as they are after the act; nothing for a place that belongs to no branch."""
    shop = found_shop(branches=2, variants=2, stock=10)
    before = len(_messages(shop))
    shop.sell(till(shop), shop.branches[0], shop.variants)
    (message,) = _messages(shop)[before:]
    assert message["topic"] == f"branch:{shop.branches[0].id}:stock"
    assert (message["event"], message["private"]) == ("stock", True)
    payload = message["payload"]
    assert (payload["branch_id"], payload["catch_up"]) == (str(shop.branches[0].id), False)
    assert {(c["location_id"], c["variant_id"]) for c in payload["changes"]} == _keys(
        shop.branches[0], shop.variants
    )
    assert all(
        {name: change[name] for name in ("on_hand", "reserved", "available", "incoming", "in_transit")}
        == {"on_hand": 9, "reserved": 0, "available": 9, "incoming": 0, "in_transit": 0}
        for change in payload["changes"]
    )
    with psycopg.connect(shop.url) as owner:
        owner.execute("update public.stock_levels set incoming = incoming + 1")
        owner.execute("update public.stock_levels set incoming = 0 where false")
        owner.execute(
            "insert into public.stock_levels (org_id, location_id, variant_id)"
            " select org_id, id, %s from public.locations where org_id = %s and kind = 'transit'",
            [shop.variants[0], shop.org_id],
        )
        owner.execute("update public.stock_levels set incoming = 1 where branch_id is null")
        owner.execute("delete from public.stock_levels where branch_id is null")
        owner.execute("update public.stock_levels set incoming = incoming - 1")
    later = _messages(shop)[before + 1 :]
    assert sorted(message["topic"] for message in later) == sorted(
        [f"branch:{branch.id}:stock" for branch in shop.branches] * 2
    )


def test_a_large_act_tells_to_catch_up(found_shop: FoundShop, till: OpenTill) -> None:
    """500 levels are told, 501 are not, as Realtime refuses large messages; the catch-up has them all."""
    shop = found_shop(variants=501, stock=10)
    mirror = Mirror(till(shop), None)
    mirror.catch_up()
    with psycopg.connect(shop.url) as owner:
        for count in (500, 501):
            owner.execute(
                "update public.stock_levels set incoming = incoming + 1 where variant_id = any (%s)",
                [shop.variants[:count]],
            )
    told, not_told = _messages(shop)[-2:]
    assert len(told["payload"]["changes"]) == 500
    assert len(str(told["payload"])) < 200_000
    assert (not_told["payload"]["changes"], not_told["payload"]["catch_up"]) == (None, True)
    assert mirror.catch_up() == _keys(shop.branches[0], shop.variants)
    assert mirror.levels == _truth(shop, shop.branches)
    with psycopg.connect(shop.url) as owner:
        owner.execute("update public.stock_levels set incoming = 0")


def test_a_message_that_cannot_be_sent_stops_no_sale(found_shop: FoundShop, till: OpenTill) -> None:
    """Realtime makes its partitions day by day; a day without one loses messages, not sales."""
    shop = found_shop(variants=1, stock=10)
    mirror = Mirror(till(shop), None)
    mirror.catch_up()
    with psycopg.connect(shop.url) as owner:
        for (partition,) in owner.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'realtime.messages'::regclass"
        ).fetchall():
            owner.execute(f"drop table {partition}".encode())
    shop.sell(till(shop), shop.branches[0], shop.variants)
    assert mirror.catch_up() == _keys(shop.branches[0], shop.variants)
    assert mirror.levels[str(shop.branches[0].location_id), str(shop.variants[0])]["on_hand"] == Decimal(9)


def test_only_the_permission_opens_a_topic(found_shop: FoundShop, till: OpenTill) -> None:
    """The policy itself: one's own branches' stock with stock.read, the house's notices with stock.alert."""
    shop = found_shop(branches=2)
    north, south = shop.branches
    topics = {
        "north": f"branch:{north.id}:stock",
        "south": f"branch:{south.id}:stock",
        "notices": f"org:{shop.org_id}:notices",
        "shouted": f"BRANCH:{north.id}:STOCK",
        "malformed": "branch:x:stock",
        "endless": f"branch:{north.id}:stock" * 20,
        "empty": "",
    }
    with psycopg.connect(shop.url) as owner:
        for topic in topics.values():
            owner.execute(
                "select realtime.send(%s, 'stock', %s, true)",
                [Jsonb({"probe": True}), topic or "branch::stock"],
            )

    def open_to(user: Any) -> set[str]:
        person = till(shop, user, autocommit=False)
        found = set()
        for name, topic in topics.items():
            person.execute("select set_config('realtime.topic', %s, true)", [topic])
            row = person.execute("select count(*) from realtime.messages where payload ? 'probe'").fetchone()
            if row != (0,):
                found.add(name)
            with pytest.raises(psycopg.errors.InsufficientPrivilege), person.transaction():
                person.execute(
                    "insert into realtime.messages (topic, extension) values (%s, 'broadcast')", [topic]
                )
        person.rollback()
        return found

    assert open_to(None) == {"north", "south", "notices"}
    assert open_to(shop.hire("cashier", [north])) == {"north"}
    assert open_to(shop.hire("inventory_manager", [south])) == {"south", "notices"}
    assert open_to(shop.add_user()) == set()
