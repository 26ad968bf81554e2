"""How many documents a second one processor makes, against a bare page of the same layout engine."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from rich.console import Console
from rich.table import Table

from backend.app.services.documents.kinds import RENDERERS
from bench import papers
from bench.report import Progress, Ratio, Result

BARE: Final = "bare page"
# A page of a reportlab canvas with one line of text; what a document costs beyond it is its content.
TARGET: Final = 0.005


def _bare() -> None:
    canvas = Canvas(BytesIO(), pagesize=A4)
    canvas.drawString(72, 720, "Tax Invoice")
    canvas.showPage()
    canvas.save()


def _per_second(make: Callable[[], object], seconds: float) -> float:
    """How often a document is made in a second, once it was made a first time."""
    begun, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds:
        make()
        count += 1
    return count / passed


def run(seconds: float, rounds: int, progress: Progress) -> Result:
    """Measure every kind of document, interleaved.

    Parameters:
        seconds: of one measurement.
        rounds: how often everything is measured.
        progress: told what is going on.
    """
    makers: dict[str, Callable[[], object]] = {BARE: _bare}
    for kind, render in RENDERERS.items():
        document = papers.ALL[kind]()
        makers[kind] = partial(render, document, None, None)
    invoice = RENDERERS["invoice"]
    makers["invoice, Hindi"] = partial(invoice, papers.in_hindi("invoice"), {"language": "hi"}, None)
    makers["invoice, 500 lines"] = partial(invoice, papers.ALL["invoice"](500), None, None)
    for make in makers.values():
        make()
    speeds: dict[str, list[float]] = {name: [] for name in makers}
    for number in range(1, rounds + 1):
        progress.step(f"Round {number} of {rounds}")
        for name, make in makers.items():
            speeds[name].append(_per_second(make, seconds))
    ratios = [
        Ratio(
            f"{name} / {BARE}",
            (name, BARE),
            TARGET if name == "invoice" else 0,
            [one / bare for one, bare in zip(speeds[name], speeds[BARE], strict=True)],
        )
        for name in makers
        if name != BARE
    ]
    slow = statistics.median(ratios[0].values)
    return Result(speeds, ratios, [] if slow >= TARGET else [f"invoice: {slow:.4f} of a bare page"])


def show(console: Console, result: Result) -> None:
    """Print a result of `bench documents`."""
    table = Table("Document", "per second", "of a bare page", "target", box=None, padding=(0, 3, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row(BARE, f"{statistics.median(result.speeds[BARE]):,.0f}", "", "")
    for ratio in result.ratios:
        name = ratio.over[0]
        colour = "yellow" if ratio.median < ratio.target else "green" if ratio.target else "white"
        table.add_row(
            name,
            f"{statistics.median(result.speeds[name]):,.1f}",
            f"[{colour}]{ratio.median:.4f}[/]",
            f">= {ratio.target:g}" if ratio.target else "",
        )
    console.print(table)
    for violation in result.violations:
        console.print(f"[bold red]Too slow:[/] {violation}")
