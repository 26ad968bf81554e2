"""What arrived, held against what the file says. Each side is computed from its own source alone."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from local.client import Progress, Row, read_all, send
from local.replay.house import NAME, House, vat_rate
from local.replay.returns import Matched, credit_note_id
from local.replay.sales import Refusals, money, sale_id, write_off_id
from local.replay.source import ZERO, Slip, Source, pieces_sold


@dataclass
class Counts:
    """Rows of the organisation, to see whether a run changed anything."""

    invoices: int
    lines: int
    payments: int
    movements: int
    adjustments: int
    credit_notes: int
    refunds: int
    products: int
    customers: int


@dataclass
class Check:
    """One figure from both sides."""

    what: str
    file: str
    database: str
    ok: bool


@dataclass
class Report:
    """The outcome of a replay."""

    organisation: str
    checks: list[Check] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)
    before: Counts | None = None
    after: Counts | None = None

    @property
    def reconciles(self) -> bool:
        """Whether every figure agrees and nothing was refused."""
        return not self.refused and all(check.ok for check in self.checks)

    def compare(self, what: str, file: object, database: object) -> None:
        """Add a figure that must be the same on both sides."""
        self.checks.append(Check(what, str(file), str(database), file == database))

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {**asdict(self), "reconciles": self.reconciles}

    def print(self, console: Console) -> None:
        """The report for people."""
        table = Table(title=f"Replay into {self.organisation}", title_justify="left")
        table.add_column("What")
        table.add_column("File", justify="right")
        table.add_column("Database", justify="right")
        table.add_column("")
        for check in self.checks:
            verdict = "[green]equal[/]" if check.ok else "[bold red]DIFFERS[/]"
            table.add_row(check.what, _grouped(check.file), _grouped(check.database), verdict)
        console.print(table)
        for name, value in self.facts.items():
            console.print(f"{name}: {value}", soft_wrap=True)
        if not self.refused:
            console.print("Refused: nothing.")
        for code, examples in sorted(self.refused.items()):
            console.print(f"[red]Refused, {code}: {len(examples)}[/]; for instance", soft_wrap=True)
            for example in examples[:3]:
                console.print(f"  {example}", markup=False, soft_wrap=True)
        if self.before == self.after:
            console.print("This run changed nothing: all of it was there before.")
        if self.reconciles:
            console.print("[bold green]The file and the database agree.[/]")
        else:
            console.print("[bold red]The file and the database do not agree.[/]")


def count(house: House) -> Counts:
    """Count the organisation's rows; all 0 before it exists."""

    def rows(table: str) -> int:
        request = house.owner.db.from_(table).select("org_id", count="exact", head=True)  # type: ignore[arg-type]
        return request.eq("org_id", house.org).execute().count or 0

    return Counts(
        invoices=rows("invoices"),
        lines=rows("invoice_lines"),
        payments=rows("payments"),
        movements=rows("stock_movements"),
        adjustments=rows("stock_adjustments"),
        credit_notes=rows("credit_notes"),
        refunds=rows("refunds"),
        products=rows("products"),
        customers=rows("customers"),
    )


def reconcile(
    house: House, source: Source, matched: Matched, refusals: Refusals, progress: Progress
) -> Report:
    """Read everything back, signed in as the owner, and hold it against the file."""
    report = Report(f"{NAME} ({house.org})", refused=dict(refusals.by_code))
    steps = 6
    progress("Reading back", 0, steps)
    ids = {sale_id(house, slip): slip for slip in source.sales}
    invoices = [row for row in _rows(house, "invoices", "*", "id") if row["id"] in ids]
    posted = [ids[row["id"]] for row in invoices]
    _compare_invoices(report, source, invoices, posted)
    progress("Reading back", 1, steps)

    lines = [
        row
        for row in _rows(house, "invoice_lines", "invoice_id,line_no,taxable,tax", "invoice_id", "line_no")
        if row["invoice_id"] in ids
    ]
    report.compare("Lines", sum(len(slip.lines) for slip in posted), len(lines))
    net = _sum_of(lines, "taxable")
    report.compare("Net value, GBP", _sum(slip.value for slip in posted), net)
    report.compare("VAT, GBP", _sum(_tax(slip) for slip in posted), _sum_of(lines, "tax"))
    gross = _sum(slip.value + _tax(slip) for slip in posted)
    report.compare("Gross, GBP", gross, _sum_of(invoices, "total"))
    progress("Reading back", 2, steps)

    allocations = [
        row
        for row in _rows(
            house, "payment_allocations", "payment_id,invoice_id,amount", "payment_id", "invoice_id"
        )
        if row["invoice_id"] in ids
    ]
    report.compare("Paid, GBP", gross, _sum_of(allocations, "amount"))
    progress("Reading back", 3, steps)

    movements = list(_rows(house, "stock_movements", "id,variant_id,document,document_id,quantity", "id"))
    _compare_stock(report, house, source, posted, movements)
    progress("Reading back", 4, steps)
    _compare_returns(report, house, source, matched, net)
    progress("Reading back", 5, steps)
    _tell_rest(report, house, source, invoices, allocations)
    progress("Reading back", steps, steps)
    return report


def _compare_invoices(report: Report, source: Source, invoices: list[Row], posted: list[Slip]) -> None:
    report.compare("Invoices", len(source.sales), len(posted))
    by_number = sorted(invoices, key=lambda row: str(row["number"]))
    numbers = [str(row["number"]) for row in by_number]
    series: dict[str, list[int]] = {}
    for number in numbers:
        name, _, serial = number.rpartition("/")
        series.setdefault(name, []).append(int(serial))
    gaps = sum(
        len(set(range(1, max(serials) + 1)) - set(serials)) + len(serials) - len(set(serials))
        for serials in series.values()
    )
    report.compare("Gaps and repeats in the numbers", 0, gaps)
    # Within a series the numbers must follow the time of sale.
    moments = [(row["number"].rpartition("/")[0], row["issued_at"]) for row in by_number]
    report.compare("Numbers out of time order", 0, sum(a > b for a, b in itertools.pairwise(moments)))
    if numbers:
        report.facts["First and last number"] = f"{numbers[0]}, {numbers[-1]}"


def _compare_stock(
    report: Report, house: House, source: Source, posted: list[Slip], movements: list[Row]
) -> None:
    sold_by = {sale_id(house, slip) for slip in posted}
    moved: Counter[str] = Counter()
    for row in movements:
        if row["document"] == "invoice" and row["document_id"] in sold_by:
            moved[row["variant_id"]] += int(row["quantity"])
    in_file = {house.id("variant", code): pieces for code, pieces in pieces_sold(posted).items()}
    differing = {code for code in in_file.keys() | moved.keys() if in_file.get(code, 0) != moved.get(code, 0)}
    report.compare("Pieces sold", sum(in_file.values()), sum(moved.values()))
    report.compare("Codes whose sold pieces differ", 0, len(differing))

    written_off = {
        write_off_id(house, slip, place): line.quantity
        for slip in source.write_offs
        for place, line in enumerate(slip.lines, start=1)
    }
    adjusted = {
        row["id"]: int(row["quantity"])
        for row in _rows(house, "stock_adjustments", "id,reason,quantity", "id")
        if row["reason"] == "write_off" and row["id"] in written_off
    }
    report.compare("Write-offs", len(written_off), len(adjusted))
    report.compare("Pieces written off", -sum(written_off.values()), -sum(adjusted.values()))
    wrong = send(house.owner.db.rpc("check_stock", {"p_org_id": house.org}))
    report.compare("Levels that differ from the ledger", 0, len(wrong))


def _compare_returns(report: Report, house: House, source: Source, matched: Matched, net: Decimal) -> None:
    returns = {credit_note_id(house, back): back for back in matched.returns}
    notes = [row for row in _rows(house, "credit_notes", "id,number,total", "id") if row["id"] in returns]
    posted = [returns[row["id"]] for row in notes]
    lines = [
        row
        for row in _rows(house, "credit_note_lines", "*", "credit_note_id", "line_no")
        if row["credit_note_id"] in returns
    ]
    report.compare("Credit notes", len(matched.returns), len(notes))
    report.compare("Lines credited", sum(len(back.parts) for back in posted), len(lines))
    credited = _sum_of(lines, "taxable")
    report.compare("Net value credited, GBP", _sum(back.net for back in posted), credited)
    report.compare("VAT credited, GBP", _sum(back.tax for back in posted), _sum_of(lines, "tax"))
    gross = _sum(back.net + back.tax for back in posted)
    report.compare("Gross credited, GBP", gross, _sum_of(notes, "total"))
    refunds = [
        row
        for row in _rows(
            house, "refund_sources", "refund_id,entry,credit_note_id,amount", "refund_id", "entry"
        )
        if row["credit_note_id"] in returns
    ]
    report.compare("Refunds, GBP", gross, _sum_of(refunds, "amount"))
    returned = sum(
        int(row["quantity"])
        for row in _rows(house, "stock_movements", "id,document,document_id,quantity", "id")
        if row["document"] == "goods_return" and row["document_id"] in returns
    )
    report.compare("Pieces that came back", sum(back.pieces for back in posted), returned)
    # Sold, less credited, and what has no original in the file: together that is every line of it.
    everything = _sum(slip.value for slip in source.slips)
    report.compare("The whole file, GBP", everything, net - credited + matched.lost_value)
    wrong = send(house.owner.db.rpc("check_books", {"p_org_id": house.org}))
    report.compare("Documents whose sums disagree", 0, len(wrong))
    if notes:
        numbers = sorted(str(row["number"]) for row in notes)
        report.facts["First and last credit note"] = f"{numbers[0]}, {numbers[-1]}"
    cancelled = source.cancellations
    report.facts["Cancellations"] = (
        f"{len(cancelled)} with {sum(len(slip.lines) for slip in cancelled)} lines, "
        f"{_sum(slip.value for slip in cancelled)} GBP; the sale was found for "
        f"{len({back.cancellation.number for back in matched.returns})}"
    )
    for why, lost in sorted(matched.lost.items()):
        report.facts[f"No credit note, {why}"] = (
            f"{len(lost)} lines of {len({slip.number for slip, _ in lost})} cancellations, "
            f"{_sum(line.value for _, line in lost)} GBP"
        )


def _tell_rest(
    report: Report, house: House, source: Source, invoices: list[Row], allocations: list[Row]
) -> None:
    counts = Counter(row["supply_type"] for row in invoices)
    report.facts["Supplies"] = ", ".join(f"{kind} {number}" for kind, number in sorted(counts.items()))
    report.facts["Payments"] = str(len(allocations))
    report.facts["Invoices of 0.00"] = str(sum(money(row["total"]) == 0 for row in invoices))
    sizes = sorted(source.sales, key=lambda slip: len(slip.lines))
    if sizes:
        largest = sizes[-1]
        report.facts["Largest invoice"] = (
            f"{largest.number}, {len(largest.lines)} lines, id {sale_id(house, largest)}"
        )
    everything = _sum(slip.value for slip in source.slips)
    report.facts["The whole file"] = f"{len(source.slips)} slips, {source.line_count} lines, {everything} GBP"


def _rows(house: House, table: str, columns: str, *order: str) -> Iterator[Row]:
    def query() -> Any:
        request = house.owner.db.from_(table).select(columns).eq("org_id", house.org)
        for column in order:
            request = request.order(column)
        return request

    return read_all(query)


def _tax(slip: Slip) -> Decimal:
    return slip.tax(vat_rate(slip.at.date().isoformat()))


def _sum(amounts: Iterator[Decimal] | Any) -> Decimal:
    return sum(amounts, ZERO)


def _sum_of(rows: list[Row], column: str) -> Decimal:
    return _sum(money(row[column]) for row in rows)


def _grouped(number: str) -> str:
    """A figure with its thousands set apart, for people."""
    return f"{Decimal(number):,}"
