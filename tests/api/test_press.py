"""The press: documents are made beside the event loop, in turn, within limits, whoever asks for how many."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backend.app.core.errors import Problem
from backend.app.core.logging import configure_logging
from backend.app.services.press import Press, press


def slow(seconds: float) -> int:
    """Keep a process at it, and say which it was."""
    time.sleep(seconds)
    return os.getpid()


def die() -> None:
    """What an attack on a typesetter, or a machine short of memory, does to it."""
    os._exit(9)


def refuse() -> None:
    raise ValueError("no such typeface")


@pytest.fixture(autouse=True)
def logs() -> None:
    """Logs as the application sets them up: the command line, whose tests may have run before, has none."""
    configure_logging("WARNING")


@pytest.fixture
async def small() -> AsyncIterator[Press]:
    """Two processes, room for four, three of one organisation, two seconds for each."""
    async with press(processes=2, queue=4, share=3, seconds=20) as made:
        await asyncio.gather(made.make("warm", slow, 0.01), made.make("warm up", slow, 0.01))
        yield made


async def _refused(made: Press, whose: str, function: Any, *arguments: Any) -> Problem:
    with pytest.raises(Problem) as refusal:
        await made.make(whose, function, *arguments)
    return refusal.value


async def test_it_is_made_in_another_process(small: Press) -> None:
    assert await small.make("teak", slow, 0) != os.getpid()


async def test_an_organisation_leaves_a_process_to_others(small: Press) -> None:
    """Three of one are under way; another's is made while the first of them still is."""
    begun = [asyncio.create_task(small.make("teak", slow, 1.5)) for _ in range(3)]
    await asyncio.sleep(0)
    await small.make("lagoon", slow, 0)
    assert not any(task.done() for task in begun)
    await asyncio.gather(*begun)


async def test_beyond_the_share_and_the_queue_it_says_come_again(small: Press) -> None:
    waiting = [asyncio.create_task(small.make("teak", slow, 0.5)) for _ in range(3)]
    await asyncio.sleep(0)
    refusal = await _refused(small, "teak", slow, 0)
    assert (refusal.status, refusal.code, refusal.headers["Retry-After"]) == (503, "service_busy", "5")
    waiting.append(asyncio.create_task(small.make("lagoon", slow, 0.5)))
    await asyncio.sleep(0)
    assert (await _refused(small, "third", slow, 0)).code == "service_busy", "the queue is full for everybody"
    await asyncio.gather(*waiting)
    assert await small.make("teak", slow, 0), "and then there is room again"


async def test_what_takes_too_long_is_ended() -> None:
    async with press(processes=2, queue=4, share=3, seconds=5) as made:
        stuck = await _refused(made, "teak", slow, 600)
        assert (stuck.status, stuck.code) == (504, "document_timeout")
        assert await made.make("teak", slow, 0), "the process that was stuck is replaced"


async def test_a_process_that_dies_takes_nothing_else_down(small: Press) -> None:
    died = await _refused(small, "teak", die)
    assert (died.status, died.code) == (503, "service_busy")
    assert await small.make("teak", slow, 0)


async def test_an_error_of_the_document_comes_back_as_itself(small: Press) -> None:
    with pytest.raises(ValueError, match="no such typeface"):
        await small.make("teak", refuse)


async def test_who_stops_waiting_frees_his_place(small: Press) -> None:
    waiting = [asyncio.create_task(small.make("teak", slow, 600)) for _ in range(3)]
    await asyncio.sleep(0.1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await small.make("teak", slow, 0)
