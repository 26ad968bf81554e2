"""A house of its own for a report's test, so that what the world sold does not count."""

from datetime import date
from typing import Any
from uuid import UUID

from tests.database.sales import Line, pay, sell
from tests.support.personas import new_id
from tests.support.world import Branch, People

Json = dict[str, Any]
DAY = date(2025, 6, 10)


def at(day: date, time: str = "06:30:00Z") -> str:
    """An instant of the day: noon in India, unless said otherwise."""
    return f"{day}T{time}"


def customer(people: People, name: str = "Asha") -> UUID:
    """Somebody new, with a large limit."""
    made = new_id()
    people.as_admin().execute(
        "insert into public.customers (id, org_id, name) values (%s, %s, %s)",
        [made, people.world.teak.id, name],
    )
    people.as_admin().rpc("set_credit_limit", p_customer_id=made, p_credit_limit=10_000_000)
    return made


def sold(
    people: People,
    day: date,
    *lines: Line,
    branch: Branch | None = None,
    buyer: UUID | None = None,
    payments: list[Json] | None = None,
    time: str = "06:30:00Z",
) -> Json:
    """A sale on a day of the past, when the world sold nothing: paid in cash unless said otherwise."""
    return sell(
        people.as_admin(),
        branch or people.world.blr,
        *lines,
        payments=payments,
        customer=buyer,
        occurred_at=at(day, time),
    )


def on_credit(people: People, buyer: UUID, day: date, *lines: Line, branch: Branch | None = None) -> Json:
    """A sale of which nothing is paid."""
    return sold(people, day, *lines, branch=branch, buyer=buyer, payments=[])


def report(people: People, name: str, **arguments: object) -> list[Json]:
    """A report of the whole house, as its administrator."""
    answer: list[Json] = people.as_admin().rpc(name, p_org_id=people.world.teak.id, **arguments)
    return answer


__all__ = ["DAY", "Json", "at", "customer", "on_credit", "pay", "report", "sold"]
