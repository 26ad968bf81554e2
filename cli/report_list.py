"""The reports: what each shows, and how it is headed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import typer

from cli import report_rows
from cli.common import start
from cli.desk import Desk
from cli.output import Column, Output, Row, amount_column, id_column, moment, quantity_column
from cli.report_rows import Asked, Query


@dataclass(frozen=True)
class Report:
    """A report.

    Parameters:
        title: its heading; {by} says what its rows are of.
        columns: what it shows.
        read: gives its rows.
        of_period: its heading names the days.
        in_money: its heading names the currency.
    """

    title: str
    columns: tuple[Column, ...]
    read: Callable[[Asked], list[Row]]
    of_period: bool = False
    in_money: bool = True

    def show(self, desk: Desk, output: Output, query: Query) -> None:
        """Print it."""
        title = self.title.format(
            by="in all" if query.by == "all" else f"by {query.by.replace('_', ' and ')}"
        )
        asked = Asked(desk, output, query)
        if self.of_period:
            begin, end = asked.period
            title = f"{title}, {begin} to {end}"
        rows = self.read(asked)
        output.rows(title, self.columns, rows, desk.currency if self.in_money else "")


def show_report(ctx: typer.Context, as_json: bool, report: Report, query: Query) -> None:
    """Do a command that shows a report."""
    desk, output = start(ctx, as_json)
    report.show(desk, output, query)


_summed = partial(amount_column, summed=True)
_INSTALMENTS = (
    Column("Customer", "customer_name"),
    Column("Phone", "customer_phone"),
    Column("Agreement", "agreement_number", extra=3),
    Column("No", "no", right=True, extra=4),
    Column("Due", "due_on", extra=1),
    Column("Days late", "days_late", right=True),
    Column("Status", "agreement_status", extra=2),
    amount_column("Instalment", "total", extra=5),
    _summed("Open", "outstanding"),
)

OUTSTANDING = Report(
    "Outstanding balances",
    (
        Column("Customer", "customer"),
        Column("Invoices", "invoices", right=True, extra=1),
        Column("Oldest due", "oldest_due"),
        _summed("Overdue", "overdue"),
        _summed("Owed", "owed"),
    ),
    report_rows.outstanding,
)
AGEING = Report(
    "Ageing of what is owed",
    (
        Column("Customer", "customer"),
        _summed("Not due", "current_due"),
        _summed("1-30 days", "days_1_30"),
        _summed("31-60 days", "days_31_60"),
        _summed("61-90 days", "days_61_90"),
        _summed("Over 90", "over_90"),
        _summed("Total", "total"),
    ),
    report_rows.ageing,
)
DUE = Report("Instalments due", _INSTALMENTS, report_rows.due)
OVERDUE = Report("Instalments overdue", _INSTALMENTS, report_rows.overdue)
SELLERS = Report(
    "Top sellers {by}",
    (
        Column("SKU", "sku"),
        Column("Name", "name"),
        quantity_column("Quantity", "quantity"),
        amount_column("Revenue", "revenue"),
        amount_column("Cost", "cost", extra=1),
        amount_column("Margin", "margin"),
    ),
    report_rows.sellers,
    of_period=True,
)
REVENUE = Report(
    "Revenue {by}",
    (
        Column("Of", "label"),
        Column("Payments", "payments", right=True, extra=1),
        _summed("Received", "received"),
        _summed("Reversed", "reversed"),
        _summed("Refunded", "refunded"),
        _summed("Revenue", "revenue"),
    ),
    report_rows.revenue,
    of_period=True,
)
SALES = Report(
    "Sales {by}",
    (
        Column("Of", "label"),
        Column("Invoices", "invoices", right=True, extra=1),
        Column("Credit notes", "credit_notes", right=True, extra=5),
        _summed("Net", "net"),
        _summed("Discount", "discount", extra=4),
        _summed("Tax", "tax"),
        _summed("Total", "total"),
        _summed("Cost", "cost", extra=3),
        _summed("Margin", "margin", extra=2),
    ),
    report_rows.sales,
    of_period=True,
)
CASH_UP = Report(
    "Cash-up of the latest shifts",
    (
        Column("Branch", "branch_code", extra=5),
        Column("Till of", "user"),
        Column("Opened", "opened_at", moment),
        Column("Closed", "closed_at", moment, extra=3),
        amount_column("Float", "opening_float", extra=4),
        amount_column("Cash expected", "cash_expected"),
        amount_column("Counted", "cash_counted", extra=2),
        amount_column("Cash off", "cash_difference"),
        amount_column("Off in all", "difference", extra=1),
        id_column(),
    ),
    report_rows.cash_up,
)
LOW_STOCK = Report(
    "Low stock, and what to order",
    (
        Column("SKU", "sku"),
        Column("Name", "name", extra=1),
        Column("Branch", "branch", extra=2),
        Column("Location", "location"),
        quantity_column("Available", "available"),
        quantity_column("Reorder at", "reorder_point", extra=4),
        quantity_column("Incoming", "incoming", extra=3),
        quantity_column("To order", "suggested"),
    ),
    report_rows.low_stock,
    in_money=False,
)
