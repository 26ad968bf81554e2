"""Businesses of other tax regimes and goods of any tax class, for tests of tax."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.support.gstin import gstin
from tests.support.personas import Persona, new_id
from tests.support.world import Branch, People

Rate = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """A business with one branch, and its administrator."""

    admin: Persona
    org_id: UUID
    branch: Branch

    def customer(self, **columns: object) -> UUID:
        """A customer; a price.override holder sells to whoever."""
        return add(self.admin, "customers", org_id=self.org_id, name="Buyer", **columns)

    def variant(
        self, price: str, *rates: Rate, kind: str = "taxable", inclusive: bool = False, **more: Any
    ) -> UUID:
        """A service that anybody sells any quantity of, in a class of its own with these rates."""
        return variant(self.admin, self.org_id, price, *rates, kind=kind, inclusive=inclusive, **more)


def add(person: Persona, table: str, **columns: object) -> UUID:
    """Insert one row as the person and return its id."""
    made = new_id()
    columns = {"id": made, **columns}
    marks = ", ".join(["%s"] * len(columns))
    person.execute(
        f"insert into public.{table} ({', '.join(columns)}) values ({marks})",  # noqa: S608
        list(columns.values()),
    )
    return made


def rate(percent: str, region: str | None = None, component: str | None = None, **more: Any) -> Rate:
    """A row of tax_rates. more: compounds, cess_rate, cess_per_unit, valid_from."""
    return {
        "rate": Decimal(percent),
        "region": region,
        "component": component,
        "valid_from": "2017-07-01",
        **more,
    }


def variant(
    person: Persona,
    org_id: UUID,
    price: str,
    *rates: Rate,
    kind: str = "taxable",
    inclusive: bool = False,
    reverse_charge: bool = False,
    hsn: str = "9987",
    unit: str = "SQM",
) -> UUID:
    """A service with a tax class of its own."""
    code = str(new_id())[:8].upper()
    tax_class = add(
        person, "tax_classes", org_id=org_id, code=code, name=code, kind=kind, reverse_charge=reverse_charge
    )
    for row in rates:
        add(person, "tax_rates", org_id=org_id, tax_class_id=tax_class, **row)
    product = add(
        person,
        "products",
        org_id=org_id,
        name=code,
        kind="service",
        tax_class_id=tax_class,
        unit_code=unit,
        hsn_code=hsn,
    )
    return add(
        person,
        "product_variants",
        org_id=org_id,
        product_id=product,
        sku=code,
        name=code,
        price=Decimal(price),
        price_includes_tax=inclusive,
    )


def shop(
    people: People,
    country: str,
    currency: str,
    *,
    region: str | None = None,
    area: str | None = None,
    **options: Any,
) -> Shop:
    """Found a business with one branch."""
    admin, org_id = people.newcomer(), new_id()
    admin.rpc(
        "create_organization",
        p_id=org_id,
        p_name="Corner Shop",
        p_country=country,
        p_currency=currency,
        p_options=options,
    )
    branch = Branch(new_id(), org_id, "ONE", region or "", new_id(), new_id())
    place: dict[str, Any] = {"region_code": region, "tax_area": area}
    if country == "IN":
        place["tax_number"] = gstin(f"{region}ABCDE1234F1Z")
    admin.rpc(
        "create_branch",
        p_id=branch.id,
        p_org_id=org_id,
        p_code="ONE",
        p_name="One",
        p_options={key: value for key, value in place.items() if value},
    )
    admin.rpc(
        "create_location",
        p_id=branch.showroom,
        p_branch_id=branch.id,
        p_code="S",
        p_name="Shop",
        p_kind="showroom",
    )
    return Shop(admin, org_id, branch)


def parts(line: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """A line's components as (name, rate, amount)."""
    return [(tax["component"], tax["rate"], tax["amount"]) for tax in line["taxes"]]


def D(text: str) -> Decimal:  # noqa: N802
    """A decimal, short."""
    return Decimal(text)
