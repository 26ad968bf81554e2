"""A phone shop that sells on instalments, and its people in their terminals."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.api.conftest import People, found_organization, join
from tests.support.zones import another_day, day_in

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

PHONE, CASE = "PHN-NOVA", "ACC-CASE"
ZONE = another_day()


@dataclass(frozen=True)
class PhoneShop:
    """Ring Ring Phones in Pune: the owner, the clerk who sells on credit, the cashier."""

    org_id: UUID
    owner: "Terminal"
    clerk: "Terminal"
    cashier: "Terminal"

    def customer(self, name: str, limit: int = 100_000) -> dict[str, Any]:
        """A customer with that much credit."""
        made: dict[str, Any] = self.clerk.gives(
            "customers", "add", f"{name} {uuid4().hex[:6]}", "--phone", f"+91 {uuid4().int % 10**10:010d}"
        )
        self.owner.gives("customers", "credit-limit", made["id"], str(limit))
        return made

    def sold(self, customer: dict[str, Any], deposit: str = "3600") -> dict[str, Any]:
        """A phone for 23,600.00, a deposit paid in cash."""
        words = ["sales", "new", PHONE, "-c", customer["id"], "--pay", f"cash={deposit}", "--on-credit"]
        invoice: dict[str, Any] = self.clerk.gives(*words, "--yes")
        assert str(invoice["total"]) == "23600.00"
        return invoice

    def agreed(self, invoice: dict[str, Any], *words: str) -> dict[str, Any]:
        """An agreement over what is open of an invoice, in four parts."""
        made: dict[str, Any] = self.clerk.gives("instalments", "open", invoice["number"], *words, "--yes")
        return made


def today() -> date:
    """The day at the shop."""
    return day_in(ZONE)


def terms(*others: str, count: int = 4, days: int = 30) -> list[str]:
    """Words for so many parts, the first one due in so many days; 100.00 when late by 3 days."""
    first = today() + timedelta(days=days)
    words = ["--count", str(count), "--first-due", str(first), "--grace", "3", "--late-fee", "100"]
    return [*words, "--default-after", "40", *others]


@pytest.fixture(scope="session")
def phones(open_terminal: Callable[[], "Terminal"], people: People) -> PhoneShop:
    """The phone shop, with phones and cases in stock."""
    owner = people.make("phones")
    org_id, branch_id, location_id = found_organization(owner, "Ring Ring Phones"), uuid4(), str(uuid4())
    options = {"region_code": "27", "city": "Pune", "timezone": ZONE}
    owner.rpc(
        "create_branch",
        p_id=str(branch_id),
        p_org_id=str(org_id),
        p_code="PUN",
        p_name="Camp Road",
        p_options=options,
    )
    owner.rpc(
        "create_location",
        p_id=location_id,
        p_branch_id=str(branch_id),
        p_code="SHOP",
        p_name="Shop",
        p_kind="showroom",
    )
    tax = {"id": str(uuid4()), "org_id": str(org_id), "code": "GST18", "name": "GST 18 %"}
    owner.client.table("tax_classes").insert(tax).execute()
    rate = {"org_id": str(org_id), "tax_class_id": tax["id"], "rate": 18, "valid_from": "2017-07-01"}
    owner.client.table("tax_rates").insert(rate).execute()
    for sku, name, price in ((PHONE, "Nova 5G, 128 GB", 20_000), (CASE, "Clear case", 499)):
        goods = {"org_id": org_id, "name": name, "hsn_code": "8517", "tax_class_id": tax["id"]}
        product = owner.post("/v1/inventory/products", goods)
        kind = {"org_id": org_id, "product_id": product["id"], "sku": sku, "name": name, "price": price}
        variant = owner.post("/v1/inventory/variants", kind)
        owner.rpc(
            "adjust_stock",
            p_id=str(uuid4()),
            p_location_id=location_id,
            p_variant_id=str(variant["id"]),
            p_quantity=50,
            p_reason="opening",
            p_unit_cost=price / 2,
        )
    staff = [
        owner,
        *(join(people, owner, org_id, role, [branch_id]) for role in ("sales_executive", "cashier")),
    ]
    terminals = []
    for person in staff:
        terminal = open_terminal()
        terminal.sign_in(person)
        terminals.append(terminal)
    return PhoneShop(org_id, *terminals)


@pytest.fixture
def later(database_url: str, phones: PhoneShop) -> Iterator[Callable[[int], None]]:
    """Lets the instalments of the phone shop believe that it is so many days later, until the test ends."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        found = owner.execute("select pg_get_functiondef('private.credit_today'::regproc)").fetchone()
        assert found is not None

        def pass_time(days: int) -> None:
            owner.execute(
                "create or replace function private.credit_today(p_org_id uuid, p_branch_id uuid) "
                "returns date language plpgsql stable set search_path = '' as $$ begin "
                "return private.local_date(p_org_id, p_branch_id, now()) "
                f"+ case when p_org_id = '{phones.org_id}' then {days:d} else 0 end; end; $$"
            )

        yield pass_time
        owner.execute(found[0])
