"""kill -9 during sales: what was acknowledged is there, what was not is there whole or not at all."""

import shutil
from collections.abc import Iterator

import psycopg
import pytest

from bench import checks
from local.postgres import temporary_directory
from tests.concurrency.crash import Till, Victim, sell_until_killed, victim
from tests.support.stack import Shared

TILLS = 6
AT_LEAST = 24


@pytest.fixture(scope="module")
def stack(shared: Shared) -> Iterator[Victim]:
    """A stack that this module may kill. `shared` makes sure that the npm packages are installed."""
    home = temporary_directory()
    with victim(home) as running:
        yield running
    shutil.rmtree(home, ignore_errors=True)


def numbers(stack: Victim) -> dict[str, str]:
    """The number of every invoice by its id."""
    with psycopg.connect(stack.shop.url) as owner:
        return dict(owner.execute("select id::text, number from public.invoices").fetchall())


def assert_whole(stack: Victim, tills: list[Till]) -> None:
    """Every acknowledged sale is there under its number, and nothing in the books is half done."""
    found = numbers(stack)
    for till in tills:
        for sale_id, number in till.acknowledged.items():
            assert found.get(str(sale_id)) == number
    with psycopg.connect(stack.shop.url) as owner:
        assert checks.violations(owner, stack.shop.org_id) == []


def assert_repeated_once(stack: Victim, tills: list[Till]) -> None:
    """Calls without an answer, sent again with the same ids, are each carried out exactly once."""
    before = numbers(stack)
    for till in tills:
        asked = [*till.unanswered]
        answered = dict(till.acknowledged)
        till.unanswered.clear()
        for sale_id in [*asked, *answered]:
            assert till.post(sale_id)
        assert {sale_id: till.acknowledged[sale_id] for sale_id in answered} == answered
    after = numbers(stack)
    asked_in_all = {str(sale_id) for till in tills for sale_id in till.acknowledged}
    assert set(after) == set(before) | asked_in_all
    assert {sale_id: after[sale_id] for sale_id in before} == before
    assert_whole(stack, tills)


@pytest.mark.parametrize("strike", [1, 2, 3])
def test_killed_postgres_loses_no_acknowledged_sale(stack: Victim, strike: int) -> None:
    tills = stack.tills(TILLS)
    sell_until_killed(tills, stack.kill_postgres, AT_LEAST)
    # The gateway lives, so it says that the database is gone; it leaves nobody waiting.
    assert [till.left_waiting for till in tills] == [[]] * TILLS
    stack.cluster.start()
    assert_whole(stack, tills)
    stack.wait_for_service()
    assert_repeated_once(stack, tills)


@pytest.mark.parametrize("strike", [1, 2, 3])
def test_killed_api_loses_no_acknowledged_sale(stack: Victim, strike: int) -> None:
    tills = [stack.till(through_api=True) for _ in range(TILLS)]
    sell_until_killed(tills, stack.api.kill, AT_LEAST)
    stack.api.start()
    stack.wait_for_service()
    assert_whole(stack, tills)
    assert_repeated_once(stack, tills)


def test_killed_gateway_loses_no_acknowledged_sale(stack: Victim) -> None:
    tills = stack.tills(TILLS)
    sell_until_killed(tills, stack.gateway.kill, AT_LEAST)
    stack.gateway.start()
    stack.wait_for_service()
    assert_whole(stack, tills)
    assert_repeated_once(stack, tills)
