"""Customers' further addresses and their terms of payment."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.database.sales import line, pay, sell
from tests.support.personas import Persona, new_id, raises, raises_sqlstate
from tests.support.world import People

ADD = (
    "insert into public.customer_addresses (id, org_id, customer_id, kind, is_default, address_line1, "
    "region_code, country) values (%s, %s, %s, %s, %s, %s, %s, %s)"
)


def _add(
    person: Persona,
    people: People,
    kind: str = "delivery",
    *,
    default: bool = False,
    customer: str = "trusted",
    line1: str = "4 Site Road",
    region: str | None = "29",
    country: str | None = "IN",
) -> UUID:
    made = new_id()
    teak = people.world.teak
    person.execute(ADD, [made, teak.id, teak.customers[customer], kind, default, line1, region, country])
    return made


def _defaults(people: People) -> dict[str, UUID]:
    rows = people.as_cashier().select(
        "select kind, id from public.customer_addresses where customer_id = %s and is_default",
        [people.world.teak.customers["trusted"]],
    )
    assert len(rows) == len({row["kind"] for row in rows})
    return {row["kind"]: row["id"] for row in rows}


def test_several_addresses_one_default_of_each_kind(people: People) -> None:
    """The newest default takes the place of the one before; the other kind has its own."""
    cashier = people.as_cashier()
    first = _add(cashier, people, default=True)
    _add(cashier, people, default=False)
    assert _defaults(people) == {"delivery": first}
    second = _add(cashier, people, default=True)
    billing = _add(cashier, people, "billing", default=True)
    assert _defaults(people) == {"delivery": second, "billing": billing}
    cashier.execute("update public.customer_addresses set is_default = true where id = %s", [first])
    assert _defaults(people) == {"delivery": first, "billing": billing}


def test_archived_default_gives_way(people: People) -> None:
    """An address that is gone is nobody's default; brought back, it is again."""
    cashier = people.as_cashier()
    first = _add(cashier, people, default=True)
    cashier.execute("update public.customer_addresses set archived_at = now() where id = %s", [first])
    second = _add(cashier, people, default=True)
    cashier.execute("update public.customer_addresses set archived_at = null where id = %s", [first])
    assert _defaults(people) == {"delivery": first}
    assert second != first


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "holiday"},
        {"line1": " "},
        {"region": "29", "country": None},
        {"region": "99"},
        {"country": "XX", "region": None},
    ],
)
def test_malformed_addresses(people: People, wrong: dict[str, Any]) -> None:
    with raises_sqlstate("23514", "23503"):
        _add(people.as_cashier(), people, **wrong)


def test_who_keeps_addresses(people: People) -> None:
    """customer.manage writes, customer.read reads; the other house sees nothing and writes nothing."""
    made = _add(people.as_cashier(), people)
    change = "update public.customer_addresses set label = 'Site' where id = %s"
    assert people.as_technician().execute(change, [made]) == 0
    assert people.as_foreign_admin().execute(change, [made]) == 0
    look = "select 1 from public.customer_addresses where id = %s"
    assert people.as_foreign_admin().select(look, [made]) == []
    assert len(people.as_technician().select(look, [made])) == 1
    for stranger in (people.as_technician(), people.as_foreign_admin(), people.as_nobody()):
        with raises_sqlstate("42501"):
            _add(stranger, people)
    lagoon = people.world.lagoon
    with raises_sqlstate("23503"):
        people.as_admin().execute(
            ADD,
            [
                new_id(),
                people.world.teak.id,
                lagoon.customers["abroad"],
                "billing",
                False,
                "1 Foreign Way",
                None,
                None,
            ],
        )
    with raises_sqlstate("42501"):
        people.as_admin().execute("delete from public.customer_addresses where id = %s", [made])


def _terms(people: People, days: int | None) -> Any:
    return people.as_admin().rpc(
        "set_payment_terms", p_customer_id=people.world.teak.customers["trusted"], p_days=days
    )


def _on_credit(people: People) -> Any:
    teak = people.world.teak
    return sell(
        people.as_cashier(),
        people.world.blr,
        line(teak.variants["book"]),
        payments=[pay(10)],
        customer=teak.customers["trusted"],
    )


def test_terms_decide_the_due_date(people: People) -> None:
    """30 days after the business date; without terms, none is set; what is paid at once has none."""
    assert _on_credit(people)["due_date"] is None
    assert _terms(people, 30)["payment_terms_days"] == 30
    assert _terms(people, 30)["payment_terms_days"] == 30
    invoice = _on_credit(people)
    assert date.fromisoformat(invoice["due_date"]) == date.fromisoformat(
        invoice["business_date"]
    ) + timedelta(days=30)
    teak = people.world.teak
    paid = sell(
        people.as_cashier(),
        people.world.blr,
        line(teak.variants["book"]),
        customer=teak.customers["trusted"],
    )
    assert paid["due_date"] is None
    assert _terms(people, None)["payment_terms_days"] is None
    assert _on_credit(people)["due_date"] is None


def test_due_date_stays_when_the_terms_change(people: People) -> None:
    """An invoice keeps what it said, also when a payment on it bounces."""
    _terms(people, 10)
    invoice = _on_credit(people)
    _terms(people, 90)
    people.as_admin().rpc(
        "reverse_payment", p_id=new_id(), p_payment_id=invoice["payments"][0]["id"], p_reason="Bounced"
    )
    again = people.as_admin().rpc("get_invoice", p_id=invoice["id"])
    assert (again["due_date"], again["status"]) == (invoice["due_date"], "sent")


@pytest.mark.parametrize("days", [-1, 366])
def test_malformed_terms(people: People, days: int) -> None:
    with raises("invalid_input", 400):
        _terms(people, days)


def test_terms_are_the_admins(people: People) -> None:
    """They are credit: whoever keeps customers cannot write them."""
    with raises_sqlstate("42501"):
        people.as_cashier().execute("update public.customers set payment_terms_days = 90")
    with raises_sqlstate("42501"):
        people.as_admin().execute("update public.customers set merged_into = null")
