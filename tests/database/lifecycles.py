"""Every document that has a lifecycle, brought into each of its statuses by acts, and every act on it.

An act names the status that it brings about and the permissions of its steps in lifecycle_transitions, so
the table itself tells from which statuses it must succeed, and from which it must be refused.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.database.billing import credit, money
from tests.database.billing import trading as papers
from tests.database.lifecycle_kinds import Kind, Make, Step, act, rpc, without_lifecycle
from tests.database.lifecycles_stock import COUNT, RESERVATION, TRANSFER
from tests.database.sales import line
from tests.support.personas import new_id
from tests.support.world import People

Json = dict[str, Any]


# Quotations ----------------------------------------------------------------------------------------


def _quotation(*steps: str) -> Make:
    def make(people: People) -> Any:
        made = papers.quote_for(people.as_sales(), people, line(people.world.teak.variants["sofa"]))
        for step in steps:
            more = {"p_reason": "Too dear"} if step == "reject_quotation" else {}
            people.as_admin().rpc(step, p_id=new_id(), p_quotation_id=made["id"], **more)
        return made["id"]

    return make


def _expired_quotation(people: People) -> Any:
    made = _quotation("send_quotation")(people)
    without_lifecycle(people, "quotations", "valid_until = current_date - 5", made)
    people.connection.execute("select sum(private.expire_quotations(o.id)) from public.organizations o")
    return made


def _revise(people: People, made: UUID) -> object:
    return people.as_admin().rpc(
        "save_quotation",
        p_id=new_id(),
        p_quotation_id=made,
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[line(people.world.teak.variants["sofa"], 2)],
    )


QUOTATION = Kind(
    "quotations",
    {
        "draft": _quotation(),
        "sent": _quotation("send_quotation"),
        "approved": _quotation("send_quotation", "approve_quotation"),
        "rejected": _quotation("send_quotation", "reject_quotation"),
        "converted": _quotation("send_quotation", "approve_quotation", "convert_quotation"),
        "expired": _expired_quotation,
    },
    {
        "revise": act("draft", "quotation.manage", stays="draft")(_revise),
        "send": act("sent", "quotation.manage")(rpc("send_quotation", "p_quotation_id")),
        "approve": act("approved", "quotation.approve")(rpc("approve_quotation", "p_quotation_id")),
        "reject": act("rejected", "quotation.approve")(
            rpc("reject_quotation", "p_quotation_id", p_reason="Too dear")
        ),
        "convert": act("converted", "order.manage")(rpc("convert_quotation", "p_quotation_id")),
    },
)


# Orders --------------------------------------------------------------------------------------------


def _order(*steps: Step) -> Make:
    """An order of three sofas, all paid in advance."""

    def make(people: People) -> Any:
        made = papers.order(people, line(people.world.teak.variants["sofa"], 3))
        papers.advance(people, made, made["total"])
        for step in steps:
            step(people, made["id"])
        return made["id"]

    return make


def _confirm(people: People, made: UUID) -> object:
    return papers.confirm(people, {"id": made}, people.as_admin())


def _mark(status: str) -> Step:
    return rpc("mark_order", "p_order_id", p_status=status)


def _deliver(quantity: int | None) -> Step:
    parts = [{"line_no": 1, "quantity": quantity}] if quantity else []
    return lambda people, made: papers.deliver(people.as_admin(), people, {"id": made}, *parts)


def _invoice_deliveries(people: People, made: UUID) -> None:
    rows = people.connection.execute(
        "select d.id from public.deliveries d where d.order_id = %s and not exists "
        "(select from public.invoices i where i.org_id = d.org_id and i.delivery_id = d.id)",
        [made],
    ).fetchall()
    for row in rows:
        papers.invoice(people.as_admin(), {"id": made}, delivery_id=row[0])


def _close(people: People, made: UUID) -> object:
    """Invoices what was delivered, and closes."""
    _invoice_deliveries(people, made)
    return _mark("closed")(people, made)


def _rewrite(people: People, made: UUID) -> object:
    return people.as_admin().rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=made,
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[line(people.world.teak.variants["sofa"])],
    )


ORDER = Kind(
    "sales_orders",
    {
        "draft": _order(),
        "confirmed": _order(_confirm),
        "in_production": _order(_confirm, _mark("in_production")),
        "ready": _order(_confirm, _mark("ready")),
        "partially_delivered": _order(_confirm, _deliver(1)),
        "delivered": _order(_confirm, _deliver(None)),
        "closed": _order(_confirm, _deliver(None), _close),
        "cancelled": _order(_confirm, rpc("cancel_order", "p_order_id", p_reason="Moved away")),
    },
    {
        "rewrite": act("draft", stays="draft")(_rewrite),
        "confirm": act("confirmed", "order.manage")(_confirm),
        "begin": act("in_production", "order.manage")(_mark("in_production")),
        "finish": act("ready", "order.manage")(_mark("ready")),
        "deliver a part": act("partially_delivered", "order.deliver", stays="partially_delivered")(
            _deliver(1)
        ),
        "deliver": act("delivered", "order.deliver")(_deliver(None)),
        "close": act("closed", "order.manage")(_close),
        "cancel": act("cancelled", "order.manage")(rpc("cancel_order", "p_order_id", p_reason="Moved away")),
    },
)


# Invoices ------------------------------------------------------------------------------------------


def _invoice(people: People, *paid: int, is_draft: bool = False) -> Any:
    """An invoice over 118.00."""
    made = people.as_admin().rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[money.assembly(people)],
        p_options={"draft": is_draft},
    )
    for amount in paid:
        _pay(people, made["id"], amount)
    return made["id"]


def _pay(people: People, made: UUID, amount: int) -> object:
    customer = people.world.teak.customers["trusted"]
    parts = [{"invoice_id": made, "amount": amount}]
    return money.record(people.as_admin(), customer, amount, p_allocations=parts)


def _set(status: str) -> Step:
    return rpc("set_invoice_status", "p_invoice_id", p_status=status, p_options={"reason": "A mistake"})


def _void_invoice(people: People) -> Any:
    made = _invoice(people)
    _set("void")(people, made)
    return made


INVOICE = Kind(
    "invoices",
    {
        "draft": lambda people: _invoice(people, is_draft=True),
        "sent": _invoice,
        "partially_paid": lambda people: _invoice(people, 100),
        "paid": lambda people: _invoice(people, 100, 18),
        "void": _void_invoice,
    },
    {
        # By hand only these two steps; the other statuses follow from money, however listed they are.
        "send": act("sent", "invoice.create")(_set("sent")),
        "void": act("void", "invoice.create", "invoice.void")(_set("void")),
        "call it a draft": act("draft")(_set("draft")),
        "call it partly paid": act("partially_paid")(_set("partially_paid")),
        "call it paid": act("paid")(_set("paid")),
        "pay a part": act("partially_paid", "payment.record", stays="partially_paid")(
            lambda people, made: _pay(people, made, 1)
        ),
    },
)


# Instalments ---------------------------------------------------------------------------------------


def _agreement(people: People) -> Json:
    """Two instalments of 295.00; late after three days, in default after twenty."""
    return credit.sold_on_credit(people, 1, 2, grace_days=3, default_after_days=20)


def _late(people: People, days: int) -> Json:
    """An agreement so many days after its first instalment was due."""
    made = _agreement(people)
    credit.run_job(people, credit.today(people.connection) + timedelta(days=30 + days))
    return made


def _paid_off(people: People) -> Json:
    made = _agreement(people)
    return credit.pay_in(people, made, made["outstanding"])


def _reschedule(people: People, made: UUID) -> object:
    return people.as_admin().rpc(
        "reschedule", p_id=new_id(), p_agreement_id=made, p_terms=credit.terms(people, 3), p_reason="Asked"
    )


def _rescheduled(people: People) -> Json:
    made = _agreement(people)
    _reschedule(people, made["id"])
    return made


def _void_sale(people: People, made: UUID) -> object:
    row = people.connection.execute(
        "select invoice_id from public.credit_agreements where id = %s", [made]
    ).fetchone()
    assert row is not None
    return people.as_admin().rpc("void_sale", p_id=new_id(), p_invoice_id=row[0], p_reason="A mistake")


def _cancelled_agreement(people: People) -> Any:
    made = _agreement(people)
    _void_sale(people, made["id"])
    return made["id"]


def _pay_all(people: People, made: UUID) -> object:
    left = credit.read(people, {"id": made})["outstanding"]
    return credit.pay_in(people, {"id": made}, left or 1)


def _settle(people: People, made: UUID) -> object:
    amount = credit.read(people, {"id": made})["settlement_amount"]
    return people.as_admin().rpc(
        "settle_early", p_id=new_id(), p_agreement_id=made, p_amount=amount or 1, p_method="cash"
    )


AGREEMENT = Kind(
    "credit_agreements",
    {
        "active": lambda people: _agreement(people)["id"],
        "defaulted": lambda people: _late(people, 21)["id"],
        "completed": lambda people: _paid_off(people)["id"],
        "rescheduled": lambda people: _rescheduled(people)["id"],
        "cancelled": _cancelled_agreement,
    },
    {
        "pay": act("completed", "payment.record")(_pay_all),
        "settle": act("completed", "payment.record")(_settle),
        "reschedule": act("rescheduled", "credit.override")(_reschedule),
    },
)

INSTALMENT = Kind(
    "instalments",
    {
        "pending": lambda people: _agreement(people)["id"],
        "overdue": lambda people: _late(people, 4)["id"],
        "paid": lambda people: _paid_off(people)["id"],
        "closed": lambda people: _rescheduled(people)["id"],
    },
    where="agreement_id = %s and no = 1",
)


# Tills ---------------------------------------------------------------------------------------------


def _shift(people: People) -> Any:
    made = new_id()
    people.as_admin().rpc("open_shift", p_id=made, p_branch_id=people.world.blr.id, p_opening_float=100)
    return made


def _closed_shift(people: People) -> Any:
    made = _shift(people)
    _close_shift(people, made)
    return made


_close_shift = rpc("close_shift", "p_shift_id", p_counted={"cash": 100})

SHIFT = Kind(
    "till_shifts",
    {"open": _shift, "closed": _closed_shift},
    {
        "close": act("closed", "shift.manage")(_close_shift),
        "put cash in": act("open", stays="open")(
            rpc("move_cash", "p_shift_id", p_kind="cash_in", p_amount=5, p_reason="Change")
        ),
    },
)

KINDS: Mapping[str, Kind] = {
    "quotation": QUOTATION,
    "sales_order": ORDER,
    "invoice": INVOICE,
    "credit_agreement": AGREEMENT,
    "instalment": INSTALMENT,
    "stock_transfer": TRANSFER,
    "stock_count": COUNT,
    "stock_reservation": RESERVATION,
    "till_shift": SHIFT,
}
