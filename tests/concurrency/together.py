"""Actions that start at the same moment, each on a connection of its own, and what became of them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from tests.support.refusals import code_of


def together(actions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all actions at once, each in a thread of its own.

    Returns:
        What each returned, or the database's error, in the order of the actions. Other exceptions are raised.
    """
    barrier = threading.Barrier(len(actions))

    def attempt(action: Callable[[], Any]) -> Any:
        barrier.wait(30)
        try:
            return action()
        except psycopg.Error as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(attempt, actions))


def refusals(outcomes: Sequence[Any]) -> list[str]:
    """The stable codes of the outcomes that are errors.

    An error that none of our functions raised stands as its SQLSTATE, so that a deadlock (40P01) is never
    taken for a refusal.
    """
    return [code_of(outcome) for outcome in outcomes if isinstance(outcome, psycopg.Error)]


def results(outcomes: Sequence[Any]) -> list[Any]:
    """What the actions that succeeded returned."""
    return [outcome for outcome in outcomes if not isinstance(outcome, psycopg.Error)]
