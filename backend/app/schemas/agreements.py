"""Sales on credit: terms, agreements and their instalments."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from backend.app.core.listing import ListQuery, SearchText, Where
from backend.app.schemas.base import Day, Input, Moment, Money, Rate, Row, example
from backend.app.schemas.catalogue import ORG
from backend.app.schemas.invoice_parts import Party
from backend.app.schemas.payments import (
    CUSTOMER,
    INVOICE_ID,
    PAYMENT_EXAMPLE,
    ActId,
    MethodCode,
    Payment,
    Reason,
    Reference,
)
from backend.app.schemas.stock import BRANCH

AGREEMENT = "4d4f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d31"
_ACT = "4d4f3f0e-1d9a-4f0e-8a53-0d9a3f1f0d32"
_PERSON = "0b0a1a3e-6f5e-4f0a-9a53-6a3c3f1f0c11"

AgreementStatus = Literal["active", "defaulted", "completed", "rescheduled", "cancelled"]
InstalmentStatus = Literal["pending", "overdue", "paid", "closed"]
Interval = Literal["week", "fortnight", "month"]
InterestKind = Literal["none", "flat", "reducing"]
Charge = Literal["late_fee", "fee", "interest"]
Fraction = Annotated[Money, Field(ge=0)]
Days = Annotated[int, Field(ge=0, le=3_650)]

_ASKED: dict[str, Any] = {
    "deposit": 2000.00,
    "count": 2,
    "interval": "month",
    "first_due_on": "2026-12-21",
    "interest": {"kind": "reducing", "annual_percent": 18},
    "fees": [{"name": "Processing", "amount": 99.00}],
    "grace_days": 3,
    "late_fee": 50.00,
}
_AGREED: dict[str, Any] = {**_ASKED, "default_after_days": 90, "remind_days_before": 3}
_PLANNED: list[dict[str, Any]] = [
    {
        "no": 1,
        "due_on": "2026-12-21",
        "principal": 4962.78,
        "interest": 150.00,
        "fee": 99.00,
        "total": 5211.78,
    },
    {"no": 2, "due_on": "2027-01-21", "principal": 5037.22, "interest": 75.56, "fee": 0.00, "total": 5112.78},
]
_OPEN: dict[str, Any] = {
    "status": "pending",
    "late_fee": 0.00,
    "principal_paid": 0.00,
    "interest_paid": 0.00,
    "fee_paid": 0.00,
    "late_fee_paid": 0.00,
    "paid": 0.00,
}
_ROW: dict[str, Any] = {
    "id": AGREEMENT,
    "org_id": ORG,
    "branch_id": BRANCH,
    "customer_id": CUSTOMER,
    "invoice_id": INVOICE_ID,
    "replaces_id": None,
    "number": "BLR/26-27/A00001",
    "status": "active",
    "currency": "INR",
    "financed": 10000.00,
    "terms": _AGREED,
    "opened_on": "2026-11-21",
    "reason": None,
}
_AGREEMENT: dict[str, Any] = {
    **_ROW,
    "customer_name": "Meera Nair",
    "credit_status": "active",
    "invoice_number": "BLR/26-27/000001",
    "today": "2026-11-21",
    "replaced_by_id": None,
    "interest": 225.56,
    "fees": 99.00,
    "late_fees": 0.00,
    "total": 10324.56,
    "paid": 0.00,
    "outstanding": 10324.56,
    "due_now": 0.00,
    "overdue": 0.00,
    "next_due": {"no": 1, "due_on": "2026-12-21", "amount": 5211.78},
    "settlement_amount": 10099.00,
    "seller": {"name": "Teak & Thread", "tax_number": "29ABCDE1234F1Z5"},
    "buyer": {"name": "Meera Nair", "tax_number": None},
    "schedule": [{**planned, **_OPEN, "outstanding": planned["total"]} for planned in _PLANNED],
}


class InterestTerms(Input):
    """Interest. flat: on the whole sum for the whole time; reducing: on what is left, in equal payments."""

    kind: InterestKind = "none"
    annual_percent: Annotated[Rate, Field(ge=0, le=100)] | None = Field(None, description="Per cent a year")


class FeeTerms(Input):
    """A fee, due with the first instalment."""

    name: str = Field(min_length=1, max_length=100)
    amount: Money = Field(gt=0)


class Terms(Input):
    """What is agreed; amounts in the invoice's currency. What is left out: no deposit, every month, no
    interest, fees, grace or late fee, default after 90 days, reminders from 3 days before.
    """

    deposit: Fraction | None = Field(None, description="What must be paid by now")
    count: int = Field(ge=1, le=120, description="How many instalments")
    interval: Interval | None = None
    first_due_on: Day = Field(description="Today at the earliest, a year ahead at most")
    interest: InterestTerms | None = None
    fees: list[FeeTerms] | None = Field(None, max_length=20)
    grace_days: Days | None = Field(None, description="After the due date, before it counts as overdue")
    late_fee: Fraction | None = Field(None, description="Once for each instalment that is overdue")
    default_after_days: Days | None = Field(None, description="After a due date, more than grace_days")
    remind_days_before: Annotated[int, Field(ge=0, le=60)] | None = None


class QuoteRequest(Input):
    """What would be sold on credit."""

    model_config = example(amount=12000.00, terms=_ASKED, date="2026-11-21")

    amount: Money = Field(gt=0, description="The price, of which the deposit is paid at once")
    terms: Terms
    date: Day = Field(description="The day on which it would begin")


class AgreedInterest(Row):
    """Interest as agreed."""

    kind: InterestKind
    annual_percent: Rate | None = None


class AgreedFee(Row):
    """A fee as agreed."""

    name: str
    amount: Money


class AgreedTerms(Row):
    """Terms as agreed, with everything that was left out filled in."""

    deposit: Money
    count: int
    interval: Interval
    first_due_on: date
    interest: AgreedInterest
    fees: list[AgreedFee]
    grace_days: int
    late_fee: Money
    default_after_days: int
    remind_days_before: int


class PlannedInstalment(Row):
    """An instalment as it would be."""

    no: int
    due_on: date
    principal: Money
    interest: Money
    fee: Money
    total: Money


class CreditQuote(Row):
    """What instalments would come to. total: all of them, principal, interest and fees."""

    model_config = example(
        financed=10000.00, terms=_AGREED, interest=225.56, fees=99.00, total=10324.56, schedule=_PLANNED
    )

    financed: Money
    terms: AgreedTerms
    interest: Money
    fees: Money
    total: Money
    schedule: list[PlannedInstalment]


class AgreementRow(Row):
    """An agreement as lists show it. replaces_id, reason: which one was rescheduled into it, and why."""

    model_config = example(**_ROW, created_at="2026-11-21T09:30:00+00:00", created_by=_PERSON)

    id: UUID
    org_id: UUID
    branch_id: UUID
    customer_id: UUID
    invoice_id: UUID
    replaces_id: UUID | None
    number: str
    status: AgreementStatus
    currency: str
    financed: Money
    terms: AgreedTerms
    opened_on: date
    reason: str | None
    created_at: datetime
    created_by: UUID


class AgreementQuery(ListQuery):
    """Filters of agreements. Dates are business dates of the branch, both inclusive."""

    sort: Literal["created_at", "-created_at", "opened_on", "-opened_on"] = "-created_at"
    q: SearchText = None
    org_id: Annotated[UUID | None, Where("org_id")] = None
    branch_id: Annotated[UUID | None, Where("branch_id")] = None
    customer_id: Annotated[UUID | None, Where("customer_id")] = None
    invoice_id: Annotated[UUID | None, Where("invoice_id")] = None
    status: Annotated[AgreementStatus | None, Where("status")] = None
    date_from: Annotated[Day | None, Where("opened_on", "gte")] = None
    date_to: Annotated[Day | None, Where("opened_on", "lte")] = None


class Instalment(PlannedInstalment):
    """An instalment. paid: of each part, and in all; outstanding: what is still owed of it."""

    status: InstalmentStatus
    late_fee: Money
    principal_paid: Money
    interest_paid: Money
    fee_paid: Money
    late_fee_paid: Money
    paid: Money
    outstanding: Money


class NextDue(Row):
    """The first instalment that is not wholly paid."""

    no: int
    due_on: date
    amount: Money


class Agreement(Row):
    """An agreement, whole, as of today, its branch's date. due_now: what is due by today; overdue: what of it
    is late; settlement_amount: what pays all of it off today.
    """

    model_config = example(**_AGREEMENT)

    id: UUID
    org_id: UUID
    branch_id: UUID
    customer_id: UUID
    customer_name: str
    credit_status: Literal["none", "active", "completed", "defaulted"]
    invoice_id: UUID
    invoice_number: str
    number: str
    status: AgreementStatus
    currency: str
    terms: AgreedTerms
    opened_on: date
    today: date
    replaces_id: UUID | None
    replaced_by_id: UUID | None
    reason: str | None
    financed: Money
    interest: Money
    fees: Money
    late_fees: Money
    total: Money
    paid: Money
    outstanding: Money
    due_now: Money
    overdue: Money
    next_due: NextDue | None
    settlement_amount: Money
    seller: Party
    buyer: Party | None
    schedule: list[Instalment]


class OpenRequest(Input):
    """An invoice whose balance is to be paid in instalments."""

    model_config = example(id=AGREEMENT, invoice_id=INVOICE_ID, terms=_ASKED)

    id: UUID = Field(description="Your own id of the agreement; the same request again answers the same one")
    invoice_id: UUID
    terms: Terms


class SettleOptions(Input):
    """What is seldom needed. branch_id: which branch takes the payment, else the agreement's."""

    branch_id: UUID | None = None
    note: str | None = Field(default=None, max_length=2_000)


class InstalmentOptions(SettleOptions):
    """What is seldom needed. occurred_at needs the permission sale.backdate and an open period."""

    occurred_at: Moment | None = None


class InstalmentPayment(Input):
    """A payment for instalments."""

    model_config = example(id=_ACT, amount=5211.78, method="upi", reference="UPI 4712")

    id: UUID = Field(description="Your own id of the payment; sent again, it is not booked again")
    amount: Money = Field(gt=0)
    method: MethodCode
    reference: Reference = None
    options: InstalmentOptions = Field(default_factory=InstalmentOptions)


class PaidAgreement(Agreement):
    """An agreement after a payment."""

    model_config = example(**_AGREEMENT, payment=PAYMENT_EXAMPLE)

    payment: Payment


class SettleRequest(Input):
    """The payment that settles an agreement before its time."""

    model_config = example(id=_ACT, amount=10099.00, method="upi")

    id: ActId
    amount: Money = Field(gt=0, description="Exactly today's settlement_amount")
    method: MethodCode
    reference: Reference = None
    options: SettleOptions = Field(default_factory=SettleOptions)


class RescheduleRequest(Input):
    """New terms for what is still open."""

    model_config = example(
        id=_ACT, terms={"count": 6, "first_due_on": "2027-01-05"}, reason="Lost his job in October"
    )

    id: UUID = Field(description="Your own id of the new agreement")
    terms: Terms
    reason: Reason


class WaiveRequest(Input):
    """A charge, not paid yet, that the customer is let off."""

    model_config = example(id=_ACT, no=1, component="late_fee", amount=50.00, reason="Our mistake")

    id: ActId
    no: int = Field(ge=1, le=2_147_483_647, description="The instalment")
    component: Charge
    amount: Money = Field(gt=0)
    reason: Reason


class RunRequest(Input):
    """Whose instalments the daily job is run for."""

    model_config = example(org_id=ORG)

    org_id: UUID


class RunReport(Row):
    """What the daily job did; nothing, when it had run."""

    model_config = example(agreements=12, overdue=3, late_fees=3, defaulted=1, reminders=9)

    agreements: int
    overdue: int
    late_fees: int
    defaulted: int
    reminders: int


class OverdueQuery(Input):
    """Of one branch or of all that the caller sees."""

    org_id: UUID
    branch_id: UUID | None = None


class DueQuery(OverdueQuery):
    """Up to which due date."""

    until: Day | None = Field(default=None, description="Left out: the branch's today")


class DueInstalment(Row):
    """An unpaid instalment, with whom to ask for it."""

    model_config = example(
        agreement_id=AGREEMENT,
        agreement_number="BLR/26-27/A00001",
        agreement_status="active",
        invoice_id=INVOICE_ID,
        branch_id=BRANCH,
        customer_id=CUSTOMER,
        customer_name="Meera Nair",
        customer_phone="+91 98450 12345",
        no=1,
        due_on="2026-12-21",
        status="overdue",
        total=5211.78,
        paid=0.00,
        outstanding=5211.78,
        days_late=11,
    )

    agreement_id: UUID
    agreement_number: str
    agreement_status: AgreementStatus
    invoice_id: UUID
    branch_id: UUID
    customer_id: UUID
    customer_name: str
    customer_phone: str | None
    no: int
    due_on: date
    status: InstalmentStatus
    total: Money
    paid: Money
    outstanding: Money
    days_late: int
