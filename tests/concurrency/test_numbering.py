"""One numbering series under load: rollbacks and killed connections leave no gap."""

import threading
import uuid
from functools import partial

import psycopg
import pytest

from bench.shop import Shop, call
from tests.concurrency.conftest import FoundShop, OpenTill
from tests.concurrency.together import refusals, results, together

CLIENTS = 10
SALES = 20


def numbers(shop: Shop) -> dict[uuid.UUID, str]:
    """The numbers of all invoices by id."""
    with psycopg.connect(shop.url) as owner:
        return dict(owner.execute("select id, number from public.invoices").fetchall())


def test_series_has_no_gap_after_rollbacks_and_killed_connections(
    found_shop: FoundShop, till: OpenTill
) -> None:
    shop = found_shop(variants=CLIENTS, stock=SALES)
    killers = threading.local()

    def kill(pid: int) -> None:
        """End a connection from outside, as an operator or a failing network would."""
        if not hasattr(killers, "connection"):
            killers.connection = psycopg.connect(shop.url, autocommit=True)
        killers.connection.execute("select pg_terminate_backend(%s)", [pid])

    def work(client: int) -> dict[uuid.UUID, str]:
        """Post sales, some rolled back, some killed holding a number; returns the committed ones."""
        committed = {}
        connection = till(shop, autocommit=False)
        for step in range(SALES):
            sale_id = uuid.uuid4()
            invoice = shop.sell(connection, shop.branches[0], [shop.variants[client]], sale_id=sale_id)
            fate = (client + step) % 5
            if fate == 3:
                connection.rollback()
            elif fate == 4:
                kill(connection.info.backend_pid)
                with pytest.raises(psycopg.OperationalError):
                    connection.commit()
                connection = till(shop, autocommit=False)
            else:
                connection.commit()
                committed[sale_id] = invoice["number"]
        if hasattr(killers, "connection"):
            killers.connection.close()
        return committed

    outcomes = together([partial(work, client) for client in range(CLIENTS)])
    assert refusals(outcomes) == []
    committed = {sale_id: number for part in outcomes for sale_id, number in part.items()}
    assert numbers(shop) == committed
    assert len(committed) == CLIENTS * SALES * 3 // 5
    assert sorted(int(number[-6:]) for number in committed.values()) == list(range(1, len(committed) + 1))


def test_repeated_call_is_one_sale_however_many_ask_at_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=3)
    sale = shop.sale_arguments(shop.branches[0], shop.variants)
    outcomes = together([partial(call, till(shop), "post_sale", *sale) for _ in range(12)])
    assert refusals(outcomes) == []
    assert all(invoice == outcomes[0] for invoice in outcomes)
    assert outcomes[0] == call(till(shop), "get_invoice", sale[0])
    assert list(numbers(shop)) == [sale[0]]


def test_repeated_call_after_a_failed_first_one_is_carried_out(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=1)
    sale = shop.sale_arguments(shop.branches[0], shop.variants)
    first = till(shop, autocommit=False)
    call(first, "post_sale", *sale)

    def give_up() -> None:
        first.rollback()

    # The second call waits for the first one's outcome, finds nothing done, and does it.
    second, _ = together([partial(call, till(shop), "post_sale", *sale), give_up])
    assert second["number"].endswith("/000001")
    assert list(numbers(shop)) == [sale[0]]


def test_one_id_with_different_contents_is_one_sale_and_refusals(
    found_shop: FoundShop, till: OpenTill
) -> None:
    shop = found_shop(variants=8, stock=1)
    sale_id = uuid.uuid4()
    outcomes = together(
        [
            partial(shop.sell, till(shop), shop.branches[0], [variant], sale_id=sale_id)
            for variant in shop.variants
        ]
    )
    assert len(results(outcomes)) == 1
    assert refusals(outcomes) == ["id_reused"] * 7


def test_repeated_adjustment_changes_stock_once(found_shop: FoundShop, till: OpenTill) -> None:
    shop = found_shop(stock=1)
    change = (uuid.uuid4(), shop.branches[0].location_id, shop.variants[0], 4, "found", 60)
    outcomes = together([partial(call, till(shop), "adjust_stock", *change) for _ in range(8)])
    assert refusals(outcomes) == []
    assert {outcome["on_hand"] for outcome in outcomes} == {5}
