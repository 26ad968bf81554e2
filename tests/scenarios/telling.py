"""How the stories are told: who does what over Supabase, as an app does it, and who is sent away first."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from postgrest.exceptions import APIError

from local.client import Refused
from supabase import Client
from tests.api.conftest import People, Person, found_organization, join
from tests.documents import reading
from tests.support.zones import another_day, day_in

Json = dict[str, Any]


def _sent(value: Any) -> Any:
    """What JSON can carry: ids and days as text, amounts as numbers."""
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _sent(each) for key, each in value.items()}
    return [_sent(each) for each in value] if isinstance(value, list | tuple) else value


def _read(value: Any) -> Any:
    """An answer with amounts to the paisa; the client library reads them as floats."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {key: _read(each) for key, each in value.items()}
    return [_read(each) for each in value] if isinstance(value, list) else value


@contextmanager
def _heard(client: Client, statuses: list[int]) -> Iterator[None]:
    """Notes the HTTP status of each answer, which Supabase's Python client does not tell."""
    session = client.postgrest.session
    session.event_hooks = {"response": [lambda answer: statuses.append(answer.status_code)]}
    try:
        yield
    finally:
        session.event_hooks = {}


@dataclass(frozen=True)
class Actor:
    """Somebody of the house, signed in. sent_away: who try everything before him and lack the permission."""

    role: str
    person: Person
    sent_away: tuple["Actor", ...] = ()

    def after(self, *others: "Actor") -> "Actor":
        """The same person; before each act of his these try it, with the same id, and are refused."""
        return replace(self, sent_away=others)

    def does(self, act: str, **arguments: Any) -> Any:
        """Performs an act, under an id that he makes up unless one is given."""
        return self.asks(act, **{"p_id": uuid4(), **arguments})

    def asks(self, function: str, **arguments: Any) -> Any:
        """Calls a function that takes no id of a new document."""
        for other in self.sent_away:
            other.refused(403, "permission_denied", function, **arguments)
        return _read(self.person.client.rpc(function, _sent(arguments)).execute().data)

    def refused(self, status: int, code: str, act: str, **arguments: Any) -> Json:
        """Tries an act and is refused with this code; returns the facts. An act has its p_id made up."""
        statuses: list[int] = []
        try:
            with _heard(self.person.client, statuses):
                self.person.client.rpc(act, _sent(arguments)).execute()
        except APIError as error:
            refusal = Refused.of(error)
            said = (statuses[-1], refusal.code)
            assert said == (status, code), (
                f"{self.role}, {act}: {said} instead of {(status, code)}: {refusal}"
            )
            facts: Json = _read(refusal.facts)
            return facts
        pytest.fail(f"{self.role}, {act}: allowed, though {status} {code} was expected")

    def cannot(self, status: int, code: str, act: str, **arguments: Any) -> Json:
        """As `refused`, for an act that takes the id of a new document."""
        return self.refused(status, code, act, p_id=uuid4(), **arguments)

    def refused_by_the_api(self, status: int, code: str, method: str, path: str, body: Json) -> None:
        """Tries something over the API and is refused with this code."""
        answer = self.person.send(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), f"{self.role}: {answer.text}"

    def posts(self, path: str, body: Json) -> Json:
        """Posts to the API; whoever comes before him lacks the permission."""
        for other in self.sent_away:
            other.refused_by_the_api(403, "permission_denied", "POST", path, body)
        made: Json = self.person.post(path, body)
        return made

    def adds(self, table: str, **row: Any) -> UUID:
        """Adds a row to a table, as an app writes directly what is no document; returns its id."""
        row = {"id": uuid4(), **row}
        for other in self.sent_away:
            with pytest.raises(APIError) as refusal:
                other.person.client.table(table).insert(_sent(row)).execute()
            assert refusal.value.code == "42501", f"{other.role}, {table}: {refusal.value}"
        self.person.client.table(table).insert(_sent(row)).execute()
        made: UUID = row["id"]
        return made

    def sees(self, table: str, order: str = "id", **equal: Any) -> list[Json]:
        """The rows of a table that he may read."""
        query = self.person.client.table(table).select("*").order(order)
        for column, value in equal.items():
            query = query.eq(column, str(value))
        found: list[Json] = _read(query.execute().data)
        return found

    def prints(self, path: str, **query: object) -> str:
        """The text of a PDF that the API makes."""
        for other in self.sent_away:
            answer = other.person.http.get(path, params={key: str(value) for key, value in query.items()})
            assert (answer.status_code, answer.json()["code"]) in (
                (403, "permission_denied"),
                (404, "not_found"),
            ), answer.text
        answer = self.person.http.get(path, params={key: str(value) for key, value in query.items()})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/pdf"
        return reading.text(answer.content)


@dataclass(frozen=True)
class House:
    """A business with one branch: its people and places.

    Parameters:
        places: ids of its locations by code.
        zone: time zone of the branch, in which no story meets midnight.
    """

    org_id: UUID
    branch_id: UUID
    owner: Actor
    cashier: Actor
    executive: Actor
    keeper: Actor
    technician: Actor
    stranger: Actor
    places: Mapping[str, UUID]
    tax_class_id: UUID
    zone: str

    @property
    def today(self) -> date:
        """The day at the branch."""
        return day_in(self.zone)

    def product(self, name: str, sku: str, price: int, hsn: str, **variant: Any) -> UUID:
        """A product with one variant, which bears 18 % GST on top of its price."""
        goods = {"org_id": self.org_id, "name": name, "hsn_code": hsn, "tax_class_id": self.tax_class_id}
        product = self.owner.adds("products", **goods)
        row = {"org_id": self.org_id, "product_id": product, "sku": sku, "name": name, "price": price}
        return self.owner.adds("product_variants", **row, **variant)

    def stock(self, place: str, variant: UUID) -> tuple[object, object]:
        """How many lie at a place, and how many of them are reserved."""
        [level] = self.keeper.sees(
            "stock_levels", "variant_id", location_id=self.places[place], variant_id=variant
        )
        return level["on_hand"], level["reserved"]

    def books_agree(self) -> None:
        """The owner has money and stock proved: nothing disagrees. Nobody else may ask."""
        owner = self.owner.after(self.cashier, self.executive, self.keeper, self.technician)
        assert owner.asks("check_books", p_org_id=self.org_id) == []
        assert owner.asks("check_stock", p_org_id=self.org_id) == []


def open_house(people: People, name: str, code: str, options: Json, places: Mapping[str, str]) -> House:
    """The owner founds the business, opens its branch and hires one of every role.

    Parameters:
        code: of the branch; numbers of documents begin with it.
        options: of the branch.
        places: kinds of its locations by code.
    """
    owner, stranger = people.make("owner"), people.make("stranger")
    org_id, branch_id = found_organization(owner, name), uuid4()
    found_organization(stranger, f"Not {name}")
    boss = Actor("admin", owner)
    zone = another_day()
    branch = {"p_org_id": org_id, "p_code": code, "p_name": name, "p_options": {"timezone": zone, **options}}
    boss.does("create_branch", p_id=branch_id, **branch)
    located = {each: uuid4() for each in places}
    for each, kind in places.items():
        place = {"p_branch_id": branch_id, "p_code": each, "p_name": each.title(), "p_kind": kind}
        boss.does("create_location", p_id=located[each], **place)
    tax_class_id = boss.adds("tax_classes", org_id=org_id, code="GST18", name="GST 18 %")
    boss.adds("tax_rates", org_id=org_id, tax_class_id=tax_class_id, rate=18, valid_from="2017-07-01")
    cashier, executive, keeper, technician = (
        Actor(role, join(people, owner, org_id, role, [branch_id]))
        for role in ("cashier", "sales_executive", "inventory_manager", "technician")
    )
    outside = Actor("stranger", stranger)
    staff = (boss, cashier, executive, keeper, technician, outside)
    return House(org_id, branch_id, *staff, located, tax_class_id, zone)


@contextmanager
def days_passing(database_url: str, org_id: UUID) -> Iterator[Any]:
    """Lets days pass for the instalments of one business: the value is a function of how many.

    Time is the one thing that no role can bring about, so the one function by which that room reads the
    clock (private.credit_today) is replaced in the database, for this business alone, and put back.
    """
    with psycopg.connect(database_url, autocommit=True) as server:
        found = server.execute("select pg_get_functiondef('private.credit_today'::regproc)").fetchone()
        assert found is not None

        def pass_days(days: int) -> None:
            server.execute(
                "create or replace function private.credit_today(p_org_id uuid, p_branch_id uuid) "
                "returns date language plpgsql stable set search_path = '' as $$ begin "
                "return private.local_date(p_org_id, p_branch_id, now()) "
                f"+ case when p_org_id = '{org_id}' then {days:d} else 0 end; end; $$"
            )

        try:
            yield pass_days
        finally:
            server.execute(found[0])


def events(database_url: str, org_id: UUID, event: str) -> list[Json]:
    """The facts of a business's events, oldest first: what the consumers of the outbox will be told.

    The outbox is for programs inside the database, so no role reads it over the public surface.
    """
    with psycopg.connect(database_url) as server:
        rows = server.execute(
            "select payload from private.outbox where org_id = %s and event = %s order by id", [org_id, event]
        ).fetchall()
    return [row[0] for row in rows]
