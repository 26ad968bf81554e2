"""Short ways to make promotions, coupons and loyalty programs, for tests of offers."""

# Names put into statements come from tests, never from input.
# ruff: noqa: S608

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.support.personas import Persona, new_id
from tests.support.world import People


def insert(person: Persona, table: str, **columns: object) -> None:
    """Add a row as that person."""
    person.execute(
        f"insert into public.{table} ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})",
        list(columns.values()),
    )


def promotion(
    people: People, kind: str, value: object, *targets: Mapping[str, object], **columns: object
) -> UUID:
    """A promotion of the administrator's: about everything, unless targets are given."""
    made = new_id()
    row: dict[str, object] = {
        "name": f"Offer {made}",
        "applies_to": "targets" if targets else "everything",
    }
    row |= columns
    admin, org = people.as_admin(), people.world.teak.id
    insert(admin, "promotions", id=made, org_id=org, kind=kind, value=Decimal(str(value)), **row)
    for position, target in enumerate(targets, 1):
        insert(admin, "promotion_targets", org_id=org, promotion_id=made, position=position, **target)
    return made


def coupon(people: People, of: UUID, code: str = "DIWALI-25", **columns: Any) -> UUID:
    """A code of a promotion."""
    made = new_id()
    insert(
        people.as_admin(),
        "coupons",
        id=made,
        org_id=people.world.teak.id,
        promotion_id=of,
        code=code,
        **columns,
    )
    return made


def of_variant(people: People, key: str, **columns: object) -> dict[str, object]:
    """A target: one variant of Teak & Thread's."""
    return {"variant_id": people.world.teak.variants[key], **columns}


def offers_of(document: dict[str, Any]) -> list[list[tuple[UUID, Decimal]]]:
    """Per line of a document: the promotions it got with their amounts."""
    return [
        [(UUID(offer["promotion_id"]), Decimal(str(offer["amount"]))) for offer in line["offers"]]
        for line in document["lines"]
    ]


def program(people: People, rate: object = 1, **columns: object) -> None:
    """The loyalty program as it should be, with one rule for everything; rate: points per rupee."""
    org = people.world.teak.id
    changes = {"point_value": Decimal("0.5"), "minimum_points": 1, "max_share_percent": 100, **columns}
    people.as_admin().execute(
        f"update public.loyalty_programs set {', '.join(f'{n} = %s' for n in changes)} where org_id = %s",
        [*changes.values(), org],
    )
    if rate:
        insert(
            people.as_admin(),
            "loyalty_rules",
            org_id=org,
            name="Everything",
            points_per_unit=Decimal(str(rate)),
        )


def balance(people: People, customer: UUID) -> int:
    """What points the customer can redeem."""
    return int(people.as_cashier().rpc("loyalty_balance", p_customer_id=customer)["points"])


def adjust_points(people: People, customer: UUID, points: int) -> None:
    """Give points, or take some, by hand."""
    people.as_admin().rpc(
        "adjust_points", p_id=new_id(), p_customer_id=customer, p_points=points, p_reason="Test"
    )
