"""Nothing is paid beyond its total or returned beyond its quantity, whatever who does in which order.

One order of chairs and work, sales over the counter, and whoever there is: every role of the house, people
of another branch and another business, visitors, the service role. Acts and amounts come from hypothesis.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.billing import trading as papers
from tests.database.billing.money import assert_books
from tests.database.billing.offers import adjust_points, program
from tests.database.sales import line, pay, sell
from tests.support.personas import Persona, new_id
from tests.support.refusals import state_of
from tests.support.world import People

OUTSIDERS = ("foreign_admin", "nobody", "cashier@MUM", "anon", "service")
STAFF = ("cashier", "sales_executive", "inventory_manager", "technician")
# What is asked is malformed, missing, too late or too much; never a fault of Postgres's own.
ORDERLY = {"400", "404", "409", "422"}
SHUT_OUT = {"403", "404", "42501"}
DISPOSITIONS = ("restock", "scrap", "none")

# Each row is a limit that was passed.
LIMITS = """
select 'paid beyond its total' as what, i.id, i.paid + i.credited as found, i.total as most
from public.invoices i where i.paid < 0 or i.credited < 0 or i.paid + i.credited > i.total
union all
select 'returned beyond its quantity', l.invoice_id, sum(r.quantity), l.quantity
from public.invoice_lines l
join public.goods_return_lines r using (org_id, invoice_id, line_no)
group by l.invoice_id, l.line_no, l.quantity having sum(r.quantity) > l.quantity
union all
select 'credited beyond its quantity', l.invoice_id, sum(c.quantity), l.quantity
from public.invoice_lines l
join public.credit_note_lines c using (org_id, invoice_id, line_no)
group by l.invoice_id, l.line_no, l.quantity having sum(c.quantity) > l.quantity
union all
select 'delivered beyond the order', o.order_id, sum(d.quantity), o.quantity
from public.sales_order_lines o
join public.delivery_lines d using (org_id, order_id, line_no)
group by o.order_id, o.line_no, o.quantity having sum(d.quantity) > o.quantity
union all
select 'invoiced beyond the order', o.order_id, sum(l.quantity - coalesce(c.quantity, 0)), o.quantity
from public.sales_order_lines o
join public.invoices i on (i.org_id, i.order_id) = (o.org_id, o.order_id) and i.status <> 'void'
join public.invoice_lines l on (l.org_id, l.invoice_id, l.line_no) = (i.org_id, i.id, o.line_no)
left join lateral (
  select sum(t.quantity) as quantity from public.credit_note_lines t
  where (t.org_id, t.invoice_id, t.line_no) = (l.org_id, l.invoice_id, l.line_no)) c on true
group by o.order_id, o.line_no, o.quantity having sum(l.quantity - coalesce(c.quantity, 0)) > o.quantity
union all
select 'points below zero', e.customer_id, sum(e.points), 0 from public.loyalty_entries e
group by e.customer_id having sum(e.points) < 0
"""


@dataclass
class Trade:
    """The order, and what came of it: ids of invoices, payments, credit notes and deliveries, in order."""

    people: People
    order: dict[str, Any]
    invoices: list[Any] = field(default_factory=list)
    payments: list[Any] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)
    deliveries: list[Any] = field(default_factory=list)

    @property
    def customer(self) -> Any:
        """Whose it all is."""
        return self.people.world.teak.customers["trusted"]

    def one_of(self, made: list[Any], number: int) -> Any:
        """One of what was made, or something that is not there."""
        return made[number % len(made)] if made else new_id()

    def begin(self, who: Persona) -> None:
        """So that there is something of everything: two pieces delivered and invoiced, a sale partly paid,
        money that is held, and a credit note.
        """
        self.deliver(who, 1)
        self.invoice(who, 1)
        self.sell(who, 101)
        self.credit_all(who, 1)
        self.pay(who, 700, p_options={"branch_id": self.people.world.blr.id, "hold": True})

    # The acts. number: an amount, a quantity, or which of them; what is made is kept.

    def deliver(self, who: Persona, number: int) -> None:
        part = {"line_no": number % 2 + 1, "quantity": number % 4 + 1}
        self.deliveries.append(papers.deliver(who, self.people, self.order, part)["id"])

    def deliver_all(self, who: Persona, _: int) -> None:
        self.deliveries.append(papers.deliver(who, self.people, self.order)["id"])

    def invoice(self, who: Persona, number: int) -> None:
        part = {"line_no": number % 2 + 1, "quantity": number % 4 + 1}
        ways: list[dict[str, Any]] = [
            {},
            {"delivery_id": self.one_of(self.deliveries, number)},
            {"lines": [part]},
        ]
        of = ways[number % 3]
        self.invoices.append(papers.invoice(who, self.order, **of)["id"])

    def sell(self, who: Persona, number: int) -> None:
        goods = line(self.people.world.teak.variants["assembly"], number % 2 + 1)
        paid = [pay(number)] if number % 2 else []
        sold = sell(who, self.people.world.blr, goods, payments=paid, customer=self.customer)
        self.invoices.append(sold["id"])
        self.payments += [payment["id"] for payment in sold["payments"]]

    def pay(self, who: Persona, number: int, **more: Any) -> None:
        made = who.rpc(
            "record_payment",
            p_id=new_id(),
            p_customer_id=self.customer,
            p_amount=number,
            p_method="upi",
            **({"p_options": {"branch_id": self.people.world.blr.id}} | more),
        )
        self.payments.append(made["id"])

    def pay_one(self, who: Persona, number: int) -> None:
        self.pay(who, number, p_allocations=self.part_of(number))

    def pay_in_advance(self, who: Persona, number: int) -> None:
        options = {"branch_id": self.people.world.blr.id, "order_id": self.order["id"]}
        self.pay(who, number, p_options=options)

    def part_of(self, number: int) -> list[dict[str, Any]]:
        """An allocation of so much to one of the invoices."""
        return [{"invoice_id": self.one_of(self.invoices, number), "amount": number}]

    def redeem(self, who: Persona, number: int) -> None:
        invoice = self.one_of(self.invoices, number)
        made = who.rpc("redeem_points", p_id=new_id(), p_invoice_id=invoice, p_amount=number)
        self.payments.append(made["id"])

    def allocate(self, who: Persona, number: int) -> None:
        payment = self.one_of(self.payments, number)
        who.rpc("allocate_payment", p_id=new_id(), p_payment_id=payment, p_allocations=self.part_of(number))

    def reverse(self, who: Persona, number: int) -> None:
        payment = self.one_of(self.payments, number)
        who.rpc("reverse_payment", p_id=new_id(), p_payment_id=payment, p_reason="Bounced")

    def release(self, who: Persona, number: int) -> None:
        payment = self.one_of(self.payments, number)
        parts = self.part_of(number) if number % 2 else None
        who.rpc("release_payment", p_id=new_id(), p_payment_id=payment, p_allocations=parts)

    def credit(self, who: Persona, number: int) -> None:
        part = {"line_no": number % 2 + 1, "quantity": number % 3 + 1}
        self.issue(who, number, [{**part, "disposition": DISPOSITIONS[number % 3]}])

    def credit_all(self, who: Persona, number: int) -> None:
        self.issue(who, number, None)

    def issue(self, who: Persona, number: int, lines: list[dict[str, Any]] | None) -> None:
        """A credit note on one of the invoices."""
        made = who.rpc(
            "issue_credit_note",
            p_id=new_id(),
            p_invoice_id=self.one_of(self.invoices, number),
            p_lines=lines,
            p_reason="Damaged",
            p_options={"location_id": self.people.world.blr.showroom},
        )
        self.notes.append(made["id"])

    def apply(self, who: Persona, number: int) -> None:
        note = self.one_of(self.notes, number)
        who.rpc("apply_credit_note", p_id=new_id(), p_credit_note_id=note, p_allocations=self.part_of(number))

    def bring_back(self, who: Persona, number: int) -> None:
        who.rpc(
            "return_goods",
            p_id=new_id(),
            p_invoice_id=self.one_of(self.invoices, number),
            p_location_id=self.people.world.blr.showroom,
            p_lines=[{"line_no": 1, "quantity": number % 3 + 1}],
            p_reason="Wrong colour",
        )

    def refund(self, who: Persona, number: int) -> None:
        options = {"branch_id": self.people.world.blr.id}
        money = {"p_amount": number, "p_method": "cash", "p_options": options}
        who.rpc("refund", p_id=new_id(), p_customer_id=self.customer, **money)

    def void(self, who: Persona, number: int) -> None:
        invoice = self.one_of(self.invoices, number)
        who.rpc("void_sale", p_id=new_id(), p_invoice_id=invoice, p_reason="A mistake")

    def cancel(self, who: Persona, _: int) -> None:
        who.rpc("cancel_order", p_id=new_id(), p_order_id=self.order["id"], p_reason="Moved away")

    def close(self, who: Persona, _: int) -> None:
        who.rpc("mark_order", p_id=new_id(), p_order_id=self.order["id"], p_status="closed")


# The acts, and the permission that each needs.
ACTS: Mapping[str, tuple[Callable[[Trade, Persona, int], None], str]] = {
    "deliver": (Trade.deliver, "order.deliver"),
    "deliver all": (Trade.deliver_all, "order.deliver"),
    "invoice": (Trade.invoice, "invoice.create"),
    "sell": (Trade.sell, "sale.create"),
    "pay": (Trade.pay, "payment.record"),
    "pay one": (Trade.pay_one, "payment.record"),
    "pay in advance": (Trade.pay_in_advance, "payment.record"),
    "redeem": (Trade.redeem, "payment.record"),
    "allocate": (Trade.allocate, "payment.record"),
    "reverse": (Trade.reverse, "payment.reverse"),
    "release": (Trade.release, "payment.reverse"),
    "credit": (Trade.credit, "credit_note.create"),
    "credit all": (Trade.credit_all, "credit_note.create"),
    "apply": (Trade.apply, "payment.record"),
    "bring back": (Trade.bring_back, "sale.return"),
    "refund": (Trade.refund, "refund.create"),
    "void": (Trade.void, "credit_note.same_day"),
    "cancel": (Trade.cancel, "order.manage"),
    "close": (Trade.close, "order.manage"),
}


def _person(people: People, who: str) -> Persona:
    outside: dict[str, Callable[[], Persona]] = {
        "foreign_admin": people.as_foreign_admin,
        "nobody": people.as_nobody,
        "anon": people.as_anon,
        "service": people.as_service,
        "cashier@MUM": lambda: people.as_cashier(people.world.mum),
    }
    return outside[who]() if who in outside else people.as_role(who)


def _refused(act: Callable[[Trade, Persona, int], None], trade: Trade, who: Persona, number: int) -> str:
    """Does it. Returns the status or SQLSTATE of the refusal, nothing when it was allowed."""
    try:
        act(trade, who, number)
    except psycopg.Error as error:
        return state_of(error)
    return ""


def kept_wrong(people: People) -> list[Any]:
    """Balances that are kept beside the entries that they follow from, and say something else."""
    kept = ("held_findings", "points_held_findings", "account_findings")
    query = " union all ".join(f"select * from private.{name}(%(org)s)" for name in kept)  # noqa: S608
    return people.connection.execute(query.encode(), {"org": people.world.teak.id}).fetchall()


def _may(people: People) -> set[tuple[str, str]]:
    """Which role of the house holds which permission."""
    rows = people.connection.execute(
        "select r.key, p.permission from public.roles r "
        "join private.held_permissions p on p.org_id = r.org_id and p.role_id = r.id where r.org_id = %s",
        [people.world.teak.id],
    ).fetchall()
    return {(row[0], row[1]) for row in rows}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(sorted(ACTS)),
            st.one_of(st.just("admin"), st.sampled_from(("admin", *STAFF, *OUTSIDERS))),
            st.one_of(st.integers(1, 12), st.integers(1, 1200), st.sampled_from([590, 1180, 2360])),
        ),
        min_size=4,
        max_size=14,
    )
)
def test_whatever_anybody_does(people: People, acts: list[tuple[str, str, int]]) -> None:
    """Who may not is shut out; who may is served or told why not; and no limit is ever passed."""
    with people.connection.transaction(force_rollback=True):
        may, goods = _may(people), people.world.teak.variants
        customer = people.world.teak.customers["trusted"]
        people.as_admin().rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=Decimal(100_000))
        program(people)
        adjust_points(people, customer, 300)
        order = papers.order(people, line(goods["sofa"], 3), line(goods["assembly"], 2))
        trade = Trade(people, papers.confirm(people, order))
        trade.begin(people.as_admin())
        for name, who, number in acts:
            act, permission = ACTS[name]
            refused = _refused(act, trade, _person(people, who), number)
            allowed = {"", *ORDERLY} if (who, permission) in may else SHUT_OUT
            assert refused in allowed, (name, who, number)
            assert people.connection.execute(LIMITS).fetchall() == [], (name, who, number)
            assert kept_wrong(people) == [], (name, who, number)
        assert_books(people)
