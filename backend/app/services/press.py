"""Where papers and labels are made: in processes of their own, so that nobody's stack of paper stops others.

Typesetting keeps a processor busy, and the typefaces of a process learn letters while they shape: so a
process makes one document at a time, and the event loop goes on meanwhile. The queue is bounded, the wait is
part of a job's deadline, and an organisation has no more than its share of the processes: whoever prints two
thousand pages waits for himself.
"""

import asyncio
import multiprocessing
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Final, ParamSpec, TypeVar

from fastapi import Depends, Request
from pebble import ProcessExpired, ProcessPool

from backend.app.core.errors import RETRY_AFTER_SECONDS, Problem
from backend.app.core.logging import logger

P = ParamSpec("P")
T = TypeVar("T")

_log = logger("branchline.press")

# What a new process has read already when it is made: reading takes longer than setting an invoice.
_PRELOADED: Final = ["backend.app.services.documents.kinds", "backend.app.services.labels.printing"]
# A process is replaced now and then, so that what a typeface has learned does not stay for ever.
_JOBS_PER_PROCESS: Final = 500


class Press:
    """Runs functions in a pool of processes.

    Parameters:
        processes: how many documents are made at once; at least 2, or one organisation could hold all.
        queue: how many may be made or wait at once, of everybody together.
        share: how many of them may be one organisation's.
        seconds: how long one may take, its wait included.
    """

    def __init__(self, *, processes: int, queue: int, share: int, seconds: float) -> None:
        self._queue, self._share, self._seconds = queue, share, seconds
        # Processes are made from a server that was started clean: a fork of this one would copy its locks.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        self._pool = ProcessPool(max_workers=processes, max_tasks=_JOBS_PER_PROCESS, context=context)
        # One organisation leaves a process free for the others.
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(max(1, processes - 1))
        )
        self._of: Counter[str] = Counter()

    async def make(self, whose: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function of a module in one of the processes, and return what it returns.

        Parameters:
            whose: the organisation that it is made for.
            function: its arguments and its answer are what pickle takes.

        Raises a 503 problem when too many wait, of this organisation or at all, or when the process ended; a
        504 problem when it took too long.
        """
        if self._of.total() >= self._queue or self._of[whose] >= self._share:
            raise _busy("Too many documents are being made; try again.")
        self._of[whose] += 1
        try:
            async with asyncio.timeout(self._seconds), self._turns[whose]:
                # The pool ends a process that is past the deadline; the timeout above ends the wait for it.
                future = self._pool.schedule(function, args, kwargs, timeout=self._seconds)
                try:
                    return await asyncio.wrap_future(future)
                except asyncio.CancelledError:
                    future.cancel()  # type: ignore[no-untyped-call]
                    raise
        except TimeoutError as error:
            _log.warning("press_timeout", whose=whose, function=function.__name__)
            detail = "The document took too long to make; ask for a smaller one."
            raise Problem(
                504, "document_timeout", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
            ) from error
        except ProcessExpired as error:
            _log.error("press_process_ended", whose=whose, exitcode=error.exitcode)
            raise _busy("The document could not be made just now; try again.") from error
        finally:
            self._of[whose] -= 1
            if self._of[whose] == 0:
                del self._of[whose]
                self._turns.pop(whose, None)

    def close(self) -> None:
        """End the processes, also those at work."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def _busy(detail: str) -> Problem:
    return Problem(503, "service_busy", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


@asynccontextmanager
async def press(*, processes: int, queue: int, share: int, seconds: float) -> AsyncIterator[Press]:
    """A press for the time of the application. Its processes are started when the first document is made."""
    made = Press(processes=processes, queue=queue, share=share, seconds=seconds)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


async def _of_the_application(request: Request) -> Press:
    made: Press = request.app.state.press
    return made


ThePress = Annotated[Press, Depends(_of_the_application)]
