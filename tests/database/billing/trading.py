"""Short ways to quote, order, deliver and invoice, for tests of sales documents."""

from typing import Any
from uuid import UUID

from tests.database.sales import Line
from tests.support.personas import Connection, Persona, new_id
from tests.support.world import People

Document = dict[str, Any]


def who(people: People, customer: str | UUID) -> UUID:
    """One of the house's customers by name, or anybody by id."""
    return people.world.teak.customers[customer] if isinstance(customer, str) else customer


def quote_for(
    person: Persona, people: People, *lines: Line, customer: str | UUID = "trusted", **options: Any
) -> Document:
    """A draft quotation of Bengaluru."""
    made: Document = person.rpc(
        "save_quotation",
        p_id=new_id(),
        p_quotation_id=None,
        p_branch_id=people.world.blr.id,
        p_customer_id=who(people, customer),
        p_lines=list(lines),
        p_options=options,
    )
    return made


def approved(people: People, *lines: Line, **options: Any) -> Document:
    """A quotation that the sales executive wrote and sent, and the customer accepted."""
    sales = people.as_sales()
    made = quote_for(sales, people, *lines, **options)
    sales.rpc("send_quotation", p_id=new_id(), p_quotation_id=made["id"])
    done: Document = sales.rpc("approve_quotation", p_id=new_id(), p_quotation_id=made["id"])
    return done


def convert(person: Persona, quotation: Document, order_id: UUID | None = None) -> Document:
    """The quotation's order, a draft."""
    made: Document = person.rpc(
        "convert_quotation", p_id=order_id or new_id(), p_quotation_id=quotation["id"]
    )
    return made


def order(
    people: People, *lines: Line, customer: str | UUID = "trusted", person: Persona | None = None
) -> Document:
    """A draft order of Bengaluru, written by its sales executive."""
    made: Document = (person or people.as_sales()).rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=None,
        p_branch_id=people.world.blr.id,
        p_customer_id=who(people, customer),
        p_lines=list(lines),
    )
    return made


def advance(people: People, order: Document, amount: object, method: str = "cash") -> Document:
    """An advance on an order, taken by the cashier."""
    made: Document = people.as_cashier().rpc(
        "record_payment",
        p_id=new_id(),
        p_customer_id=order["customer_id"],
        p_amount=amount,
        p_method=method,
        p_options={"branch_id": order["branch_id"], "order_id": order["id"]},
    )
    return made


def confirm(people: People, order: Document, person: Persona | None = None, **options: Any) -> Document:
    """Confirm an order; its goods are held in the showroom."""
    options = {"location_id": people.world.blr.showroom} | options
    done: Document = (person or people.as_sales()).rpc(
        "confirm_order", p_id=new_id(), p_order_id=order["id"], p_options=options
    )
    return done


def confirmed(people: People, *lines: Line, customer: str | UUID = "trusted", **options: Any) -> Document:
    """An order that is paid in advance, and confirmed."""
    made = order(people, *lines, customer=customer)
    if made["total"]:
        advance(people, made, made["total"])
    return confirm(people, made, **options)


def deliver(person: Persona, people: People, order: Document, *lines: Document, **changed: Any) -> Document:
    """Deliver what the lines say from the showroom, or without any all that is open."""
    arguments = {
        "p_id": new_id(),
        "p_order_id": order["id"],
        "p_location_id": people.world.blr.showroom,
        "p_lines": list(lines) if lines else None,
    }
    done: Document = person.rpc("deliver_order", **(arguments | changed))
    return done


def invoice(person: Persona, order: Document, **options: Any) -> Document:
    """Invoice an order."""
    done: Document = person.rpc("invoice_order", p_id=new_id(), p_order_id=order["id"], p_options=options)
    return done


def now(people: People, order: Document) -> Document:
    """The order as it is now."""
    found: Document = people.as_sales().rpc("get_order", p_id=order["id"])
    return found


def far(document: Document) -> list[tuple[Any, Any, Any, Any]]:
    """Of each line of an order: reserved, delivered, invoiced, open."""
    return [(x["reserved"], x["delivered"], x["invoiced"], x["open"]) for x in document["lines"]]


def events(connection: Connection, document: str) -> list[str]:
    """The events that name a document, in order."""
    rows = connection.execute(
        "select event from private.outbox where payload::text like %s order by id", [f"%{document}%"]
    ).fetchall()
    return [row[0] for row in rows]
