"""People who send, receive, reserve and sell the same pieces at the same moment."""

import json
import random
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg

from bench.shop import Branch, Connection, Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together

# Each query returns a row for every breach.
_RULES = (
    """
    select 'reserved', s.location_id, s.variant_id, s.reserved, coalesce(q.quantity, 0)
    from public.stock_levels s
    left join (
      select r.location_id, i.variant_id, sum(i.quantity) as quantity
      from public.stock_reservations r
      join public.stock_reservation_items i on i.org_id = r.org_id and i.reservation_id = r.id
      where r.status = 'active' group by 1, 2) q using (location_id, variant_id)
    where s.reserved <> coalesce(q.quantity, 0)
    """,
    """
    select 'transit', s.location_id, s.variant_id, s.on_hand, coalesce(q.quantity, 0)
    from public.stock_levels s join public.locations l on l.id = s.location_id and l.kind = 'transit'
    left join (
      select i.variant_id, sum(i.open) as quantity
      from public.stock_transfers t
      join public.stock_transfer_items i on i.org_id = t.org_id and i.transfer_id = t.id
      where t.status in ('dispatched', 'partially_received') group by 1) q using (variant_id)
    where s.on_hand <> coalesce(q.quantity, 0)
    """,
    """
    select 'incoming', s.location_id, s.variant_id, s.incoming, s.in_transit, coalesce(q.quantity, 0)
    from public.stock_levels s
    left join (
      select t.to_location_id as location_id, i.variant_id, sum(i.open) as quantity
      from public.stock_transfers t
      join public.stock_transfer_items i on i.org_id = t.org_id and i.transfer_id = t.id
      where t.status in ('dispatched', 'partially_received') group by 1, 2) q using (location_id, variant_id)
    where s.in_transit <> coalesce(q.quantity, 0) or s.incoming <> s.in_transit
    """,
)


def breaches(shop: Shop) -> list[tuple[Any, ...]]:
    """Levels that disagree with the reservations and transfers they stand for."""
    with psycopg.connect(shop.url) as owner:
        return [row for rule in _RULES for row in owner.execute(rule.encode()).fetchall()]


def lines(variants: Sequence[uuid.UUID], quantity: int = 1) -> str:
    """The same quantity of each."""
    return json.dumps([{"variant_id": str(variant), "quantity": quantity} for variant in variants])


def draft(
    till: Connection, source: Branch, target: Branch, variants: Sequence[uuid.UUID], quantity: int = 1
) -> uuid.UUID:
    """Draft a transfer between two branches and return its id."""
    made = uuid.uuid4()
    call(till, "create_transfer", made, source.location_id, target.location_id, lines(variants, quantity))
    return made


def dispatch(till: Connection, transfer: uuid.UUID, act: uuid.UUID | None = None) -> Any:
    """Send it off."""
    return call(till, "dispatch_transfer", act or uuid.uuid4(), transfer)


def receive(till: Connection, transfer: uuid.UUID, said: list[dict[str, int]] | None = None) -> Any:
    """Receive what is said, or all that is open."""
    return call(till, "receive_transfer", uuid.uuid4(), transfer, said and json.dumps(said))


def cancel(till: Connection, transfer: uuid.UUID) -> Any:
    """Call it off."""
    return call(till, "cancel_transfer", uuid.uuid4(), transfer, "Late")


def reserve(till: Connection, branch: Branch, variants: Sequence[uuid.UUID], quantity: int = 1) -> uuid.UUID:
    """Hold goods and return the reservation's id."""
    made = uuid.uuid4()
    call(till, "reserve_stock", made, branch.location_id, lines(variants, quantity))
    return made


def expire_all(shop: Shop) -> None:
    """Let the time of every reservation be over."""
    with psycopg.connect(shop.url) as owner:
        owner.execute("alter table public.stock_reservations disable trigger t40_enforce_lifecycle")
        owner.execute("update public.stock_reservations set expires_at = now() - interval '1 minute'")
        owner.execute("alter table public.stock_reservations enable trigger t40_enforce_lifecycle")


def test_the_last_piece_leaves_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=2, stock=1)
    here, there = shop.branches
    drafts = [draft(till(shop), here, there, shop.variants) for _ in range(6)]
    outcomes = together([partial(dispatch, till(shop), each) for each in drafts])
    assert refusals(outcomes) == ["insufficient_stock"] * 5
    (sent,) = results(outcomes)
    assert sent["number"][-6:] == "000001"
    assert breaches(shop) == []


def test_a_dispatch_pressed_twice_has_one_effect(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=2, stock=10)
    here, there = shop.branches
    transfer, act = draft(till(shop), here, there, shop.variants, 3), uuid.uuid4()
    outcomes = together([partial(dispatch, till(shop), transfer, act) for _ in range(6)])
    assert refusals(outcomes) == []
    assert all(each == outcomes[0] for each in outcomes)
    assert breaches(shop) == []
    with psycopg.connect(shop.url) as owner:
        moved = owner.execute(
            "select count(*), sum(quantity) from public.stock_movements where document_id = %s", [transfer]
        ).fetchone()
    assert moved == (1, 3)


def test_one_of_two_dispatchers_is_first(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=2, stock=10)
    here, there = shop.branches
    transfer = draft(till(shop), here, there, shop.variants, 3)
    outcomes = together([partial(dispatch, till(shop), transfer) for _ in range(4)])
    assert refusals(outcomes) == ["invalid_transition"] * 3
    assert breaches(shop) == []


def test_receipts_at_once_never_exceed(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=2, stock=5)
    here, there = shop.branches
    transfer = draft(till(shop), here, there, shop.variants, 5)
    dispatch(till(shop), transfer)
    said = [{"item_no": 1, "received": 1, "missing": 1}]
    outcomes = together([partial(receive, till(shop), transfer, said) for _ in range(6)])
    assert len(results(outcomes)) == 2
    assert refusals(outcomes) == ["receipt_exceeds_transfer"] * 4
    assert breaches(shop) == []
    assert receive(till(shop), transfer)["items"][0]["received"] == 3
    assert breaches(shop) == []


def test_a_transfer_is_received_or_cancelled(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=2, stock=8)
    here, there = shop.branches
    for _ in range(4):
        transfer = draft(till(shop), here, there, shop.variants, 2)
        dispatch(till(shop), transfer)
        outcomes = together([partial(receive, till(shop), transfer), partial(cancel, till(shop), transfer)])
        assert refusals(outcomes) == ["invalid_transition"]
        assert breaches(shop) == []


def test_the_last_piece_is_promised_or_sold(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=3)
    branch = shop.branches[0]
    outcomes = together(
        [partial(reserve, till(shop), branch, shop.variants) for _ in range(5)]
        + [partial(shop.sell, till(shop), branch, shop.variants) for _ in range(5)]
    )
    assert len(results(outcomes)) == 3
    assert refusals(outcomes) == ["insufficient_stock"] * 7
    assert breaches(shop) == []


def test_a_promise_beats_whoever_comes_at_the_same_moment(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=1)
    branch = shop.branches[0]
    held = reserve(till(shop), branch, shop.variants)
    sell = partial(shop.sell, branch=branch, variants=shop.variants)
    outcomes = together(
        [partial(sell, till(shop)) for _ in range(4)]
        + [partial(sell, till(shop), options={"reservation_id": str(held)})]
    )
    assert refusals(outcomes) == ["insufficient_stock"] * 4
    assert len(results(outcomes)) == 1
    assert breaches(shop) == []


def test_a_reservation_is_fulfilled_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=10)
    branch = shop.branches[0]
    held = reserve(till(shop), branch, shop.variants, 4)
    sell = partial(shop.sell, branch=branch, variants=shop.variants, options={"reservation_id": str(held)})
    outcomes = together(
        [partial(sell, till(shop)) for _ in range(4)]
        + [partial(_release, till(shop), held) for _ in range(2)]
    )
    assert len(results(outcomes)) == 1
    assert refusals(outcomes) == ["invalid_transition"] * 5
    assert breaches(shop) == []


def _release(connection: Connection, held: uuid.UUID) -> Any:
    return call(connection, "release_reservation", uuid.uuid4(), held)


def test_crossing_transfers_never_deadlock(found_shop: FoundShop, till: OpenTill) -> None:
    rounds, clients, size = 8, 6, 3
    shop = found_shop(branches=2, variants=5, stock=rounds * clients * 2)

    def carry(number: int) -> int:
        chance, connection = random.Random(number), till(shop)
        here, there = shop.branches if number % 2 else reversed(shop.branches)
        for turn in range(rounds):
            basket = chance.sample(shop.variants, size)
            transfer = draft(connection, here, there, basket)
            dispatch(connection, transfer)
            if turn % 4 == 3:
                cancel(connection, transfer)
            elif turn % 4 == 2:
                receive(connection, transfer, [{"item_no": 1, "damaged": 1}, {"item_no": 3, "missing": 1}])
            else:
                receive(connection, transfer)
            shop.sell(connection, there, chance.sample(shop.variants, size))
        return rounds

    outcomes = together([partial(carry, number) for number in range(clients)])
    assert refusals(outcomes) == []
    assert outcomes == [rounds] * clients
    assert breaches(shop) == []
    assert call(till(shop), "check_stock", shop.org_id) is None


def test_expired_promises_are_taken_by_many_without_deadlock(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(branches=1, variants=6, stock=40)
    branch, clients = shop.branches[0], 6
    holder, chance = till(shop), random.Random(7)
    # Every piece is held, each time by two reservations that share no variant.
    held = []
    for _ in range(20):
        order = chance.sample(shop.variants, 6)
        held += [reserve(holder, branch, half, 2) for half in (order[:3], order[3:])]
    expire_all(shop)

    def sell_out(number: int) -> int:
        luck, connection, sold = random.Random(number), till(shop), 0
        for _ in range(30):
            [outcome] = together([partial(shop.sell, connection, branch, luck.sample(shop.variants, 2))])
            if isinstance(outcome, psycopg.Error):
                assert refusals([outcome]) == ["insufficient_stock"]
            else:
                sold += 1
        return sold

    def give_back() -> list[str]:
        connection = till(shop)
        return refusals([together([partial(_release, connection, each)])[0] for each in reversed(held)])

    def run_the_job() -> int:
        ended = 0
        for _ in range(10):
            with psycopg.connect(shop.url) as owner:
                row = owner.execute(
                    "select sum(private.expire_reservations(o.id)) from public.organizations o"
                ).fetchone()
                assert row is not None
                ended += row[0]
        return ended

    outcomes = together([*[partial(sell_out, number) for number in range(clients)], give_back, run_the_job])
    assert refusals(outcomes) == []
    assert set(outcomes[clients]) <= {"invalid_transition"}
    assert breaches(shop) == []
    with psycopg.connect(shop.url) as owner:
        still = owner.execute(
            "select count(*) from public.stock_reservations where status = 'active'"
        ).fetchone()
    assert still == (0,)
    assert sum(outcomes[:clients]) > 0


def test_a_shop_that_is_sold_out_by_expired_promises_is_not(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=8)
    branch = shop.branches[0]
    for _ in range(4):
        reserve(till(shop), branch, shop.variants, 2)
    expire_all(shop)
    outcomes = together([partial(shop.sell, till(shop), branch, shop.variants) for _ in range(8)])
    assert refusals(outcomes) == []
    assert breaches(shop) == []


def test_the_job_waits_only_for_what_it_gives_back(found_shop: FoundShop, till: OpenTill) -> None:
    """One reservation holds a variant here, one another there: the other two levels are left alone."""
    shop = found_shop(branches=2, variants=2, stock=8)
    for branch, variant in zip(shop.branches, shop.variants, strict=True):
        reserve(till(shop), branch, [variant], 2)
    expire_all(shop)
    with psycopg.connect(shop.url) as busy, psycopg.connect(shop.url) as owner:
        busy.execute(
            "select from public.stock_levels where (location_id, variant_id) in ((%s, %s), (%s, %s)) "
            "for update",
            [shop.branches[0].location_id, shop.variants[1], shop.branches[1].location_id, shop.variants[0]],
        )
        owner.execute("set lock_timeout = '2s'")
        assert owner.execute(
            "select sum(private.expire_reservations(o.id)) from public.organizations o"
        ).fetchone() == (2,)
    assert breaches(shop) == []
