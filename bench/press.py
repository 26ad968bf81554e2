"""What a stack of long papers does to everybody else: the event loop's lag, and another tenant's wait."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from backend.app.core import exact_json
from backend.app.services.papers import Paper
from backend.app.services.press import Press, press
from bench import papers
from bench.report import Progress

# The largest document there is, and how many of them one organisation prints at once.
LINES: Final = 2_000
STACK: Final = 6
LAG_TARGET: Final = 20.0
_TICK: Final = 0.002


@dataclass(frozen=True)
class Result:
    """Milliseconds. lag: of the event loop, sorted; alone: another tenant's invoice on an idle press;
    beside: the same beside the stack; stack: from the first of the stack to the last.
    """

    lag: list[float]
    alone: list[float]
    beside: list[float]
    stack: float

    @property
    def lag_p99(self) -> float:
        """What 99 of 100 ticks of the loop were late by, at most."""
        return self.lag[int(len(self.lag) * 0.99)]

    @property
    def violations(self) -> list[str]:
        """None: times depend on the machine, so a missed target is shown, not failed."""
        return []

    def as_json(self) -> dict[str, Any]:
        """The figures as `--json` prints them."""
        return {
            "loop_lag_ms": {"p50": statistics.median(self.lag), "p99": self.lag_p99, "max": self.lag[-1]},
            "other_tenant_ms": {
                "alone": statistics.median(self.alone),
                "beside": statistics.median(self.beside),
                "beside_max": max(self.beside),
            },
            "stack_ms": self.stack,
        }


def _paper(kind: Any, lines: int, whose: str) -> Paper:
    return Paper(kind, exact_json.dumps(papers.ALL[kind](lines)), b"[]", whose, "recipient")


async def _timed(made: Press, paper: Paper) -> float:
    begun = time.perf_counter()
    await paper.made(made)
    return (time.perf_counter() - begun) * 1000


async def _measure(progress: Progress) -> Result:
    long, short = _paper("quotation", LINES, "stack"), _paper("invoice", 6, "other")
    async with press(processes=2, queue=32, share=8, seconds=600) as made:
        progress.step("Warming up")
        await asyncio.gather(*(made.make(str(n), _nothing) for n in range(4)))
        for _ in range(3):
            await asyncio.gather(_timed(made, short), _timed(made, _paper("invoice", 6, "third")))
        alone = [await _timed(made, short) for _ in range(10)]
        progress.step(f"{STACK} quotations of {LINES} lines, and another tenant's invoices")
        lag: list[float] = []
        stop = asyncio.Event()
        watch = asyncio.create_task(_watch(lag, stop))
        begun = time.perf_counter()
        stack = asyncio.gather(*(paper.made(made) for paper in [long] * STACK))
        beside = []
        while not stack.done():
            beside.append(await _timed(made, short))
            await asyncio.sleep(0.1)
        await stack
        took = (time.perf_counter() - begun) * 1000
        stop.set()
        await watch
    return Result(sorted(lag), alone, beside, took)


def _nothing() -> None:
    """Wakes a process."""


async def _watch(lag: list[float], stop: asyncio.Event) -> None:
    """Note how late the loop comes to what it was to do every two milliseconds."""
    while not stop.is_set():
        begun = time.perf_counter()
        await asyncio.sleep(_TICK)
        lag.append((time.perf_counter() - begun - _TICK) * 1000)


def run(progress: Progress) -> Result:
    """Print a stack of the largest papers for one organisation while another one prints invoices."""
    return asyncio.run(_measure(progress))


def show(console: Console, result: Result) -> None:
    """Print a result of `bench press`."""
    colour = "green" if result.lag_p99 <= LAG_TARGET else "yellow"
    console.print(
        f"Event loop: late by {statistics.median(result.lag):.1f} ms at the median, "
        f"[{colour}]{result.lag_p99:.1f} ms[/] at p99 (target {LAG_TARGET:.0f}), "
        f"{result.lag[-1]:.1f} ms at most"
    )
    console.print(
        f"Another tenant's invoice: {statistics.median(result.alone):.0f} ms alone, "
        f"{statistics.median(result.beside):.0f} ms beside the stack, {max(result.beside):.0f} ms at most"
    )
    console.print(f"{STACK} quotations of {LINES} lines: {result.stack / 1000:.1f} s")
