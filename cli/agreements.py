"""Instalment agreements as a terminal shows them, and where they stand."""

from collections.abc import Iterable
from decimal import Decimal

from cli.desk import Desk
from cli.listing import Listing, Pages
from cli.output import Column, Output, Row, amount_column, id_column, money

AGREEMENTS = Listing(
    "Agreements",
    "credit_agreements",
    (
        *("id", "branch_id", "customer_id", "invoice_id", "number", "status", "currency", "financed"),
        *("opened_on", "replaces_id"),
    ),
    (
        Column("Agreement", "number"),
        Column("Customer", "customer"),
        Column("Status", "status", extra=1),
        Column("Opened", "opened_on", extra=4),
        amount_column("Financed", "financed", extra=3),
        amount_column("Open", "outstanding"),
        amount_column("Overdue", "overdue"),
        Column("Next due", "next_due", extra=2),
        Column("Invoice", "invoice_number", extra=5),
        id_column(),
    ),
    at="created_at",
    dated="opened_on",
)
_SCHEDULE = (
    Column("No", "no", right=True),
    Column("Due", "due_on"),
    Column("Status", "status"),
    amount_column("Principal", "principal", extra=4, summed=True),
    amount_column("Interest", "interest", extra=3, summed=True),
    amount_column("Fee", "fee", extra=2, summed=True),
    amount_column("Late fee", "late_fee", extra=1, summed=True),
    amount_column("To pay", "total", summed=True),
    amount_column("Paid", "paid", summed=True),
    amount_column("Open", "outstanding", summed=True),
)
_QUOTED = tuple(
    column for column in _SCHEDULE if column.field not in ("status", "late_fee", "paid", "outstanding")
)
REMINDERS = (
    Column("Reminded", "reminded_on", extra=1),
    Column("When", "kind"),
    Column("Customer", "customer"),
    Column("Phone", "phone"),
    Column("Agreement", "agreement_number", extra=3),
    Column("No", "no", right=True, extra=2),
    Column("Due", "due_on"),
    amount_column("Open", "outstanding"),
)
# Where it is clear whose they are.
OF_ONE = tuple(column for column in AGREEMENTS.columns if column.field != "customer")
# As many agreements as one request asks for the instalments of.
_AT_ONCE = 50


def _instalments(desk: Desk, output: Output, agreements: Iterable[str]) -> list[Row]:
    """The instalments of agreements, with what is open of each."""
    ids = sorted(agreements)
    found: list[Row] = []
    with output.progress("Instalments") as tell:
        for begin in range(0, len(ids), _AT_ONCE):
            request = desk.table("instalments").select(
                *("agreement_id", "no", "due_on", "status", "outstanding"), count="exact"
            )
            request = request.in_("agreement_id", ids[begin : begin + _AT_ONCE])
            for page, _ in desk.pages(request.order("agreement_id").order("no")):
                found += page
            tell(min(begin + _AT_ONCE, len(ids)), len(ids))
    return found


def standing(desk: Desk, output: Output, agreements: list[Row]) -> list[Row]:
    """Agreements with what is still open of them, overdue, and due next."""
    invoices = desk.by_id("invoices", ["number"], {row["invoice_id"] for row in agreements})
    open_ones: dict[str, list[Row]] = {row["id"]: [] for row in agreements}
    for instalment in _instalments(desk, output, open_ones):
        if instalment["outstanding"]:
            open_ones[instalment["agreement_id"]].append(instalment)
    shown: list[Row] = []
    for row in agreements:
        left = open_ones[row["id"]]
        sums = {
            "invoice_number": invoices.get(row["invoice_id"], {}).get("number"),
            "outstanding": sum((one["outstanding"] for one in left), Decimal(0)),
            "overdue": sum((one["outstanding"] for one in left if one["status"] == "overdue"), Decimal(0)),
            "next_due": min((one["due_on"] for one in left), default=None),
        }
        shown.append({**row, **sums})
    return shown


def reminded(desk: Desk, output: Output, reminders: list[Row]) -> list[Row]:
    """Reminders with whom they are for, and what is still open."""
    ids = {row["agreement_id"] for row in reminders}
    agreements = desk.by_id("credit_agreements", ["number", "customer_id"], ids)
    customers = desk.by_id(
        "customers", ["name", "phone"], {row["customer_id"] for row in agreements.values()}
    )
    instalments = {(one["agreement_id"], one["no"]): one for one in _instalments(desk, output, ids)}
    shown: list[Row] = []
    for row in reminders:
        agreement = agreements[row["agreement_id"]]
        customer = customers.get(agreement["customer_id"], {})
        instalment = instalments[row["agreement_id"], row["no"]]
        names = {
            "agreement_number": agreement["number"],
            "customer": customer.get("name"),
            "phone": customer.get("phone"),
            "due_on": instalment["due_on"],
            "outstanding": instalment["outstanding"],
        }
        shown.append({**row, **names})
    return shown


def agreements_of(desk: Desk, output: Output, customer_id: str) -> list[Row]:
    """All agreements of a customer, where they stand."""
    pages = Pages(0, everything=True)
    request = AGREEMENTS.request(desk, pages, {"customer_id": customer_id})
    return standing(desk, output, pages.read(desk, output, request, AGREEMENTS.title))


def show_agreement(output: Output, agreement: Row) -> None:
    """Print an agreement: who, what is due, and the schedule."""
    if output.json:
        output.data(agreement)
        return
    next_due = agreement["next_due"]
    currency = agreement["currency"]
    terms = agreement["terms"]
    interest = terms["interest"]
    output.facts(
        f"Agreement {agreement['number']}",
        [
            ("Status", agreement["status"]),
            ("Customer", f"{agreement['customer_name']} (credit status: {agreement['credit_status']})"),
            ("Invoice", agreement["invoice_number"]),
            ("Opened", agreement["opened_on"]),
            (
                "Interest",
                None if interest["kind"] == "none" else f"{interest['annual_percent']} % {interest['kind']}",
            ),
            (
                "Late fee",
                f"{money(terms['late_fee'])} after {terms['grace_days']} days" if terms["late_fee"] else None,
            ),
            ("Next due", next_due and f"{money(next_due['amount'])} {currency} on {next_due['due_on']}"),
            ("Reason", agreement["reason"]),
            ("Id", agreement["id"]),
        ],
    )
    figures = [("Financed", "financed"), ("Paid", "paid"), ("Open", "outstanding"), ("Due by now", "due_now")]
    figures += [("Overdue", "overdue"), ("Settles it today", "settlement_amount")]
    output.sums("Sums", [(name, agreement[field]) for name, field in figures], currency)
    output.table("Schedule", _SCHEDULE, agreement["schedule"], currency)


def show_quote(output: Output, quote: Row, currency: str) -> None:
    """Print what instalments would come to."""
    figures = [
        ("Financed", "financed"),
        ("Interest", "interest"),
        ("Fees", "fees"),
        ("To pay in all", "total"),
    ]
    output.sums("Instalments", [(name, quote[field]) for name, field in figures], currency)
    output.table("Schedule", _QUOTED, quote["schedule"], currency)
