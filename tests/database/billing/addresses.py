"""Short ways to name where goods go, for tests of delivery addresses."""

from typing import Any
from uuid import UUID

from tests.database.billing.trading import Document, advance, confirm
from tests.database.sales import line
from tests.database.tax.shops import add
from tests.support.personas import new_id
from tests.support.world import People

PUNE = {"city": "Pune", "region_code": "27", "postal_code": "411001", "country": "IN"}
MYSURU = {"city": "Mysuru", "region_code": "29", "postal_code": "570001", "country": "IN"}
DUBAI = {"city": "Dubai", "country": "AE"}


def address(people: People, customer: str | UUID = "trusted", **columns: object) -> UUID:
    """A delivery address of one of the house's customers, entered by its cashier."""
    whose = people.world.teak.customers[customer] if isinstance(customer, str) else customer
    given = {"address_line1": "Plot 11, Hosur Road", **(columns or PUNE)}
    return add(
        people.as_cashier(),
        "customer_addresses",
        org_id=people.world.teak.id,
        customer_id=whose,
        kind="delivery",
        **given,
    )


def change(people: People, made: UUID, **columns: object) -> None:
    """Change an address, as the cashier may."""
    changed = people.as_cashier().execute(
        f"update public.customer_addresses set {', '.join(f'{c} = %s' for c in columns)} where id = %s",  # noqa: S608
        [*columns.values(), made],
    )
    assert changed == 1


def ordered(people: People, *lines: Any, customer: str = "trusted", **options: Any) -> Document:
    """A draft order of Bengaluru, of two sofas unless told."""
    made: Document = people.as_cashier().rpc(
        "save_order",
        p_id=new_id(),
        p_order_id=None,
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers[customer],
        p_lines=list(lines) or [line(people.world.teak.variants["sofa"], 2)],
        p_options=options,
    )
    return made


def confirmed_to(people: People, *lines: Any, customer: str = "trusted", **options: Any) -> Document:
    """The same, paid in advance and confirmed."""
    made = ordered(people, *lines, customer=customer, **options)
    advance(people, made, made["total"])
    return confirm(people, made)


def draft_to(people: People, **options: Any) -> Document:
    """A draft invoice of a service."""
    made: Document = people.as_sales().rpc(
        "create_invoice",
        p_id=new_id(),
        p_branch_id=people.world.blr.id,
        p_customer_id=people.world.teak.customers["trusted"],
        p_lines=[line(people.world.teak.variants["assembly"])],
        p_options={"draft": True, **options},
    )
    return made


def send(people: People, draft: Document) -> Document:
    """Send a draft."""
    sent: Document = people.as_sales().rpc(
        "set_invoice_status", p_id=new_id(), p_invoice_id=draft["id"], p_status="sent"
    )
    return sent


def place(document: Document) -> tuple[str, str]:
    """How a document is taxed, and where."""
    return document["supply_type"], document["place_of_supply"]["code"]
