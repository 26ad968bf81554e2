"""Reports: what is owed, what sold, what came in, and a customer's statement of account."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.schemas.base import Day, Input, Money, Quantity, Row, example
from backend.app.schemas.catalogue import ORG, VARIANT
from backend.app.schemas.invoice_parts import Party
from backend.app.schemas.payments import CUSTOMER, INVOICE_ID
from backend.app.schemas.stock import BRANCH

_AGES = {"current": 0.00, "days_1_30": 1180.00, "days_31_60": 0.00, "days_61_90": 0.00, "over_90": 0.00}
_STATEMENT: dict[str, Any] = {
    "customer_id": CUSTOMER,
    "customer": {"name": "Meera Nair", "tax_number": None},
    "org_id": ORG,
    "seller": {"name": "Teak & Thread", "legal_name": "Teak & Thread Furniture LLP"},
    "currency": "INR",
    "from": "2026-11-01",
    "to": "2026-11-30",
    "opening": 0.00,
    "debits": 1180.00,
    "credits": 0.00,
    "closing": 1180.00,
    "lines": [
        {
            "date": "2026-11-21",
            "kind": "invoice",
            "id": INVOICE_ID,
            "branch_id": BRANCH,
            "number": "BLR/26-27/000001",
            "reference": None,
            "method": None,
            "debit": 1180.00,
            "credit": 0.00,
            "balance": 1180.00,
        }
    ],
    "ageing": _AGES,
    "open_invoices": [
        {
            "invoice_id": INVOICE_ID,
            "number": "BLR/26-27/000001",
            "instalment": None,
            "date": "2026-11-21",
            "due_date": "2026-11-21",
            "total": 1180.00,
            "balance": 1180.00,
            "age": "days_1_30",
        }
    ],
    "owed": 1180.00,
    "unallocated": 0.00,
    "charges_due": 0.00,
    "branches": [BRANCH],
    "complete": True,
}


class OwedQuery(Input):
    """Whose claims, of one branch or of all that the caller sees, and at the end of which day."""

    org_id: UUID
    branch_id: UUID | None = None
    as_of: Day | None = Field(default=None, description="A business date; left out: now")


class PeriodQuery(Input):
    """A period of business dates, both inclusive, of one branch or of all that the caller sees."""

    org_id: UUID
    branch_id: UUID | None = None
    date_from: Day
    date_to: Day


class RevenueQuery(PeriodQuery):
    """How revenue is summed."""

    by: Literal["day", "method", "day_method", "branch", "user"] = "day"


class SummaryQuery(PeriodQuery):
    """How sales are summed."""

    by: Literal["day", "branch", "all"] = "day"


class SellersQuery(PeriodQuery):
    """What counts as selling well."""

    by: Literal["quantity", "revenue", "margin"] = "revenue"
    limit: int = Field(default=20, ge=1, le=1000)


class StatementQuery(Input):
    """The period of a statement, both days inclusive."""

    date_from: Day
    date_to: Day


class Outstanding(Row):
    """What a customer owes. customer_id null: counter sales that were paid once and are not any more."""

    model_config = example(
        customer_id=CUSTOMER,
        customer="Meera Nair",
        invoices=1,
        owed=1180.00,
        overdue=1180.00,
        oldest_due="2026-11-21",
    )

    customer_id: UUID | None
    customer: str | None
    invoices: int
    owed: Money
    overdue: Money
    oldest_due: date | None


class Ageing(Row):
    """What a customer owes, by the days since it was due."""

    model_config = example(
        customer_id=CUSTOMER,
        customer="Meera Nair",
        current_due=0.00,
        days_1_30=1180.00,
        days_31_60=0.00,
        days_61_90=0.00,
        over_90=0.00,
        total=1180.00,
    )

    customer_id: UUID | None
    customer: str | None
    current_due: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    over_90: Money
    total: Money


class Revenue(Row):
    """Money of one day, method (or both), branch or user: received, less what was reversed and paid back."""

    model_config = example(
        key="2026-11-21",
        label="2026-11-21",
        payments=1,
        received=1180.00,
        reversed=0.00,
        refunded=0.00,
        revenue=1180.00,
    )

    key: str
    label: str | None
    payments: int
    received: Money
    reversed: Money
    refunded: Money
    revenue: Money


class SalesSummary(Row):
    """What was invoiced less what was credited. margin: net less the cost of the goods."""

    model_config = example(
        key="2026-11-21",
        label="2026-11-21",
        invoices=1,
        credit_notes=0,
        net=1000.00,
        discount=0.00,
        tax=180.00,
        round_off=0.00,
        total=1180.00,
        cost=600.00,
        margin=400.00,
    )

    key: str
    label: str | None
    invoices: int
    credit_notes: int
    net: Money
    discount: Money
    tax: Money
    round_off: Money
    total: Money
    cost: Money
    margin: Money


class TopSeller(Row):
    """What sold well. quantity: in its own unit; revenue: taxable value after discounts."""

    model_config = example(
        variant_id=VARIANT,
        sku="STL-TEAK",
        name="Stool, teak",
        quantity=1.000,
        revenue=1000.00,
        cost=600.00,
        margin=400.00,
    )

    variant_id: UUID
    sku: str
    name: str
    quantity: Quantity
    revenue: Money
    cost: Money
    margin: Money


class StatementLine(Row):
    """A document on a customer's account; debit: he owes more, credit: he owes less. method: of payments,
    reversals and refunds.
    """

    date: date
    kind: Literal["invoice", "credit_note", "payment", "reversal", "refund", "charges"]
    id: UUID
    branch_id: UUID
    number: str | None
    reference: str | None
    method: str | None
    debit: Money
    credit: Money
    balance: Money


class Ages(Row):
    """What is owed, by the days since it was due."""

    current: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    over_90: Money


class OpenInvoice(Row):
    """An invoice that was open at the end of the period; of one that is paid by an agreement each instalment,
    with its number, its principal (total) and its own due date.
    """

    invoice_id: UUID
    number: str
    instalment: int | None
    date: date
    due_date: Day
    total: Money
    balance: Money
    age: str


class Statement(Row):
    """A customer's statement of account. closing below zero: the house owes him. charges_due: interest and
    fees of instalments, owed besides. complete: whether the caller sees the documents of all branches.
    """

    model_config = example(**_STATEMENT)

    customer_id: UUID
    customer: Party
    org_id: UUID
    seller: Party
    currency: str
    first_day: date = Field(alias="from")
    last_day: date = Field(alias="to")
    opening: Money
    debits: Money
    credits: Money
    closing: Money
    lines: list[StatementLine]
    ageing: Ages
    open_invoices: list[OpenInvoice]
    owed: Money
    unallocated: Money
    charges_due: Money
    branches: list[UUID]
    complete: bool
