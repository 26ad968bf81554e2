"""Short ways to pay, credit and refund, for tests of the money side."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.database.sales import Line, line, sell
from tests.support.held import HELD_FOR
from tests.support.personas import Connection, Persona, new_id
from tests.support.world import People

Json = dict[str, Any]


def owe(people: People, *lines: Line, paid: list[Json] | None = None) -> Json:
    """An invoice on credit for the trusted customer of Bengaluru, who may owe 2000."""
    return sell(
        people.as_sales(),
        people.world.blr,
        *lines,
        payments=paid or [],
        customer=people.world.teak.customers["trusted"],
    )


def assembly(people: People, price: object = 100, quantity: object = 1) -> Line:
    """A service at a price of one's own, so that stock plays no part: 18 % GST on top."""
    return line(people.world.teak.variants["assembly"], quantity, unit_price=price)


def record(person: Persona, customer: UUID | None, amount: object, **changed: Any) -> Json:
    """Record a payment in cash."""
    arguments = {"p_id": new_id(), "p_customer_id": customer, "p_amount": amount, "p_method": "cash"}
    answer: Json = person.rpc("record_payment", **(arguments | changed))
    return answer


def credit(person: Persona, invoice: Any, lines: list[Json] | None = None, **changed: Any) -> Json:
    """Issue a credit note. Other keywords than p_id and p_reason are options."""
    answer: Json = person.rpc(
        "issue_credit_note",
        p_id=changed.pop("p_id", None) or new_id(),
        p_invoice_id=invoice,
        p_lines=lines,
        p_reason=changed.pop("p_reason", "Damaged"),
        p_options=changed,
    )
    return answer


def invoice_of(people: People, invoice: Any) -> Json:
    """The invoice as it is now."""
    answer: Json = people.as_admin().rpc("get_invoice", p_id=invoice)
    return answer


def state(people: People, invoice: Any) -> tuple[object, ...]:
    """Status, paid, credited and balance of an invoice."""
    now = invoice_of(people, invoice)
    return now["status"], now["paid"], now["credited"], now["balance"]


def held(connection: Connection, org_id: UUID, customer: UUID) -> Decimal:
    """What the house holds for a customer."""
    row = connection.execute(HELD_FOR, {"org_id": org_id, "customer_id": customer}).fetchone()
    assert row is not None
    return Decimal(row[0])


def assert_books(people: People) -> None:
    """Nothing disagrees in the whole house: money and stock."""
    admin, org = people.as_admin(), people.world.teak.id
    assert admin.rpc("check_books", p_org_id=org) == []
    assert admin.rpc("check_stock", p_org_id=org) == []
