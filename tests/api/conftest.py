"""A small shop, made through the same doors as any: sign-up, RPCs, the API."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from backend.app.core import exact_json
from local.keys import Keys
from local.services import Api, Gateway
from supabase import Client, create_client
from tests.support.zones import another_day

PASSWORD = "Correct-Horse-7-Battery"


@dataclass
class Person:
    """A signed-in person: over the API with `http`, at Supabase directly with `client`."""

    email: str
    user_id: UUID
    client: Client = field(repr=False)
    http: httpx.Client = field(repr=False)

    def rpc(self, name: str, **arguments: Any) -> Any:
        """Calls a function of the database as this person."""
        return self.client.rpc(name, arguments).execute().data

    def get(self, path: str, **parameters: Any) -> Any:
        """Reads from the API, with exact numbers; fails on anything but 200."""
        response = self.http.get(path, params={key: str(value) for key, value in parameters.items()})
        assert response.status_code == 200, response.text
        return exact_json.loads(response.content)

    def post(self, path: str, body: object, status: int = 201) -> Any:
        """Posts to the API; fails on anything but the status."""
        response = self.send("POST", path, body)
        assert response.status_code == status, response.text
        return exact_json.loads(response.content)

    def send(self, method: str, path: str, body: object, **headers: str) -> httpx.Response:
        """Sends a body with exact numbers to the API."""
        return self.http.request(
            method,
            path,
            content=exact_json.dumps(body),
            headers={"Content-Type": "application/json", **headers},
        )


class People:
    """Makes accounts and signs them in."""

    def __init__(self, gateway: Gateway, api: Api, keys: Keys) -> None:
        self._gateway = gateway
        self._api = api
        self._keys = keys
        self._admin = create_client(gateway.url, keys.service_role_key)
        self._open: list[httpx.Client] = []

    def make(self, name: str) -> Person:
        """A new person with a confirmed address, signed in."""
        email = f"{name}-{uuid4().hex[:8]}@shop.example"
        self._admin.auth.admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True})
        return self.sign_in(email)

    def sign_in(self, email: str) -> Person:
        """Signs a person in."""
        client = create_client(self._gateway.url, self._keys.anon_key)
        answer = client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        assert answer.session is not None
        assert answer.user is not None
        token = answer.session.access_token
        http = httpx.Client(base_url=self._api.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._open.append(http)
        return Person(email, UUID(answer.user.id), client, http)

    def confirm(self, email: str) -> None:
        """What the recovery mail does: the owner of a new account proves the address, chooses a password."""
        users = self._admin.auth.admin.list_users(per_page=1000)
        user = next(user for user in users if user.email == email)
        self._admin.auth.admin.update_user_by_id(user.id, {"password": PASSWORD, "email_confirm": True})

    def close(self) -> None:
        """Closes the connections."""
        for http in self._open:
            http.close()


@dataclass
class Shop:
    """An organisation with one branch, one location and a product in stock."""

    admin: Person
    cashier: Person
    stranger: Person
    org_id: UUID
    branch_id: UUID
    location_id: UUID
    tax_class_id: UUID
    product_id: UUID
    variant_id: UUID

    def sale(self, quantity: int = 1, **changes: Any) -> dict[str, Any]:
        """A sale of the product, paid in cash."""
        return {
            "id": uuid4(),
            "branch_id": self.branch_id,
            "location_id": self.location_id,
            "lines": [{"variant_id": self.variant_id, "quantity": quantity}],
            "payments": [{"method": "cash", "amount": 2000 * quantity}],
            **changes,
        }


@pytest.fixture(scope="session")
def people(gateway: Gateway, api: Api, keys: Keys) -> Iterator[People]:
    """Makes people."""
    made = People(gateway, api, keys)
    yield made
    made.close()


def found_organization(admin: Person, name: str) -> UUID:
    """Founds an Indian organisation for the person."""
    org_id = uuid4()
    admin.rpc("create_organization", p_id=str(org_id), p_name=name, p_country="IN", p_currency="INR")
    return org_id


def join(people: People, admin: Person, org_id: UUID, role: str, branch_ids: list[UUID] | None) -> Person:
    """A new person who was invited over the API and accepted."""
    person = people.make(role)
    invitation = uuid4()
    body = {"id": invitation, "email": person.email, "role": role, "branch_ids": branch_ids}
    admin.post(f"/v1/organizations/{org_id}/users", body)
    person.rpc("accept_invitation", p_id=str(invitation))
    return person


@pytest.fixture(scope="session")
def shop(people: People) -> Shop:
    """The shop that most tests share."""
    return open_shop(people, "Teak & Thread", {"region_code": "29", "city": "Bengaluru"})


def open_shop(people: People, name: str, branch: dict[str, str]) -> Shop:
    """A shop with its admin and cashier, and a stranger who runs another organisation.

    branch: options of the one branch, in India; its day is not that of UTC, and no midnight near.
    """
    admin, stranger = people.make("admin"), people.make("stranger")
    org_id, branch_id, location_id = found_organization(admin, name), uuid4(), uuid4()
    found_organization(stranger, "Blue Lagoon")
    admin.rpc(
        "create_branch",
        p_id=str(branch_id),
        p_org_id=str(org_id),
        p_code="BLR",
        p_name="Indiranagar",
        p_options={"timezone": another_day(), **branch},
    )
    admin.rpc(
        "create_location",
        p_id=str(location_id),
        p_branch_id=str(branch_id),
        p_code="SHOW",
        p_name="Showroom",
        p_kind="showroom",
    )
    tax_class_id = uuid4()
    admin.client.table("tax_classes").insert(
        {"id": str(tax_class_id), "org_id": str(org_id), "code": "GST18", "name": "GST 18 %"}
    ).execute()
    admin.client.table("tax_rates").insert(
        {"org_id": str(org_id), "tax_class_id": str(tax_class_id), "rate": 18, "valid_from": "2017-07-01"}
    ).execute()
    product = admin.post(
        "/v1/inventory/products",
        {"org_id": org_id, "name": "Stool", "hsn_code": "9401", "tax_class_id": tax_class_id},
    )
    variant = admin.post(
        "/v1/inventory/variants",
        {
            "org_id": org_id,
            "product_id": product["id"],
            "sku": "STL-TEAK",
            "name": "Stool, teak",
            "price": 1000,
        },
    )
    shop = Shop(
        admin,
        join(people, admin, org_id, "cashier", [branch_id]),
        stranger,
        org_id,
        branch_id,
        location_id,
        tax_class_id,
        UUID(product["id"]),
        UUID(variant["id"]),
    )
    admin.post(
        "/v1/inventory/adjustments",
        {
            "id": uuid4(),
            "location_id": location_id,
            "variant_id": shop.variant_id,
            "quantity": 1_000,
            "reason": "opening",
            "unit_cost": 600,
        },
    )
    return shop


@pytest.fixture
def customer(shop: Shop) -> Iterator[str]:
    """A customer who may owe 100000; archived after the test, because others count the shop's customers."""
    made = shop.admin.post("/v1/customers", {"org_id": shop.org_id, "name": "Meera Nair"})
    shop.admin.rpc("set_credit_limit", p_customer_id=made["id"], p_credit_limit=100_000)
    yield str(made["id"])
    shop.admin.http.delete(f"/v1/customers/{made['id']}")


@pytest.fixture(scope="session")
def seller(shop: Shop, people: People) -> Person:
    """A sales executive of the branch: hears what customers answer to quotations."""
    return join(people, shop.admin, shop.org_id, "sales_executive", [shop.branch_id])


@pytest.fixture(scope="session")
def storekeeper(shop: Shop, people: People) -> Person:
    """An inventory manager of the branch: delivers orders, but neither takes nor invoices them."""
    return join(people, shop.admin, shop.org_id, "inventory_manager", [shop.branch_id])
