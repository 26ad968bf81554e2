"""The demo data as each of its people sees it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.client import Project, Refused, Row, Session, read_all, send
from local.demo import fill
from local.keys import Keys
from local.services import Gateway
from local.stack import DEMO_PEOPLE

FOLDER = Path(__file__).parents[2] / "local" / "demo"
NAMES = ("teak", "ringring", "lagoon")
TABLES = (
    "quotations",
    "sales_orders",
    "deliveries",
    "credit_notes",
    "loyalty_rules",
    "loyalty_entries",
    "promotions",
    "promotion_targets",
    "credit_agreements",
    "instalments",
    "organizations",
    "branches",
    "locations",
    "memberships",
    "invitations",
    "tax_rates",
    "categories",
    "products",
    "product_variants",
    "customers",
    "suppliers",
    "stock_movements",
    "stock_levels",
    "invoices",
    "invoice_lines",
    "payments",
    "brands",
    "set_components",
    "price_list_items",
    "stock_units",
    "batches",
    "reorder_rules",
    "stock_alerts",
    "stock_reservations",
    "stock_transfers",
    "stock_count_entries",
)


@pytest.fixture(scope="module")
def project(gateway: Gateway, keys: Keys) -> Project:
    """The test's Supabase, with the demo in it."""
    project = Project(gateway.url, keys.anon_key, keys.service_role_key)
    fill(project, keys.demo_password)
    return project


class People:
    """Signs demo people in, each once."""

    def __init__(self, project: Project, password: str) -> None:
        self._project = project
        self._password = password
        self._sessions: dict[str, Session] = {}

    def __call__(self, email: str) -> Session:
        if email not in self._sessions:
            self._sessions[email] = self._project.sign_in(email, self._password)
        return self._sessions[email]


@pytest.fixture(scope="module")
def people(project: Project, keys: Keys) -> People:
    """The demo's people."""
    return People(project, keys.demo_password)


def house_of(person: Session) -> Row:
    """The one organisation that a person belongs to, as whoami tells it."""
    (organization,) = send(person.db.rpc("whoami", {}))["organizations"]
    found: Row = organization
    return found


def rows(person: Session, table: str, order: str = "id") -> list[Row]:
    """All rows of a table that a person sees."""
    return list(read_all(lambda: person.db.from_(table).select("*").order(order)))


@pytest.mark.parametrize(
    ("email", "organization", "role", "branches"),
    [
        ("admin@teak.example", "Teak & Thread", "admin", ["BLR", "MUM"]),
        ("cashier@teak.example", "Teak & Thread", "cashier", ["BLR"]),
        ("sales@teak.example", "Teak & Thread", "sales_executive", ["BLR"]),
        ("stock@teak.example", "Teak & Thread", "inventory_manager", ["BLR"]),
        ("technician@teak.example", "Teak & Thread", "technician", ["BLR"]),
        ("cashier.mum@teak.example", "Teak & Thread", "cashier", ["MUM"]),
        ("admin@ringring.example", "Ring Ring Phones", "admin", ["PUN"]),
        ("clerk@ringring.example", "Ring Ring Phones", "sales_executive", ["PUN"]),
        ("cashier@ringring.example", "Ring Ring Phones", "cashier", ["PUN"]),
        ("admin@lagoon.example", "Blue Lagoon Pools", "admin", ["DXB"]),
    ],
)
def test_everybody_has_his_role_and_branches(
    people: People, email: str, organization: str, role: str, branches: list[str]
) -> None:
    house = house_of(people(email))
    assert house["name"] == organization
    assert house["role"]["key"] == role
    assert [branch["code"] for branch in house["branches"]] == branches


def test_the_addresses_that_dev_env_prints_belong_to_the_demo() -> None:
    known = {
        person["email"]
        for name in NAMES
        for person in json.loads((FOLDER / f"{name}.json").read_text())["people"]
    }
    assert set(DEMO_PEOPLE.values()) <= known


def test_the_catalogue_is_a_shop(people: People) -> None:
    admin = people("admin@teak.example")
    products = rows(admin, "products")
    variants = rows(admin, "product_variants")
    assert len(products) >= 55
    assert len(variants) >= 130
    assert len({product["name"] for product in products}) == len(products)
    assert {product["kind"] for product in products} == {"goods", "service", "set"}
    assert all(re.fullmatch(r"\d{6}", product["hsn_code"]) for product in products)
    assert {variant["price_includes_tax"] for variant in variants} == {True, False}
    assert all(variant["price"] > 0 for variant in variants)
    assert all(_is_ean(variant["barcode"]) for variant in variants if variant["barcode"] is not None)
    used = {product["tax_class_id"] for product in products}
    assert used == {each["id"] for each in rows(admin, "tax_classes")}


def _is_ean(code: str) -> bool:
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code))
    return bool(re.fullmatch(r"2\d{12}", code)) and weighted % 10 == 0


def test_every_gstin_is_a_true_one(people: People) -> None:
    admin = people("admin@teak.example")
    parties = [*rows(admin, "branches"), *rows(admin, "customers"), *rows(admin, "suppliers")]
    numbers = [(party["tax_number"], party["region_code"]) for party in parties if party["tax_number"]]
    assert len(numbers) >= 8
    for number, region in numbers:
        assert _gstin_check(number[:14]) == number[14], number
        assert number[:2] == region


def _gstin_check(first_fourteen: str) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    total = 0
    for place, digit in enumerate(first_fourteen):
        product = digits.index(digit) * (2 if place % 2 else 1)
        total += product // 36 + product % 36
    return digits[-total % 36]


def test_customers_come_from_everywhere(people: People) -> None:
    customers = rows(people("admin@teak.example"), "customers")
    names = "".join(customer["name"] for customer in customers)
    assert re.search(r"[\u0900-\u097f]", names)
    assert re.search(r"[\u0600-\u06ff]", names)
    assert len({customer["region_code"] for customer in customers if customer["country"] == "IN"}) >= 4
    assert any(customer["country"] != "IN" for customer in customers)
    assert any(customer["credit_limit"] > 0 for customer in customers)
    assert any(customer["tax_number"] is None for customer in customers)


def test_every_place_has_stock_and_the_ledger_agrees(people: People) -> None:
    admin = people("admin@teak.example")
    levels = rows(admin, "stock_levels", "location_id,variant_id")
    places = {place["id"] for place in rows(admin, "locations") if place["kind"] in {"showroom", "warehouse"}}
    assert len(places) == 4
    assert {level["location_id"] for level in levels} > places
    assert all(level["average_cost"] > 0 for level in levels if level["on_hand"])
    assert send(admin.db.rpc("check_stock", {"p_org_id": house_of(admin)["id"]})) == []


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("cashier@teak.example", "BLR"),
        ("sales@teak.example", "BLR"),
        ("stock@teak.example", "BLR"),
        ("technician@teak.example", "BLR"),
        ("cashier.mum@teak.example", "MUM"),
    ],
)
def test_people_of_a_branch_see_the_stock_of_no_other(people: People, email: str, code: str) -> None:
    person = people(email)
    (branch,) = house_of(person)["branches"]
    assert branch["code"] == code
    levels = rows(person, "stock_levels", "location_id,variant_id")
    assert levels
    assert {level["branch_id"] for level in levels} == {branch["id"]}
    assert {invoice["branch_id"] for invoice in rows(person, "invoices")} <= {branch["id"]}


def test_another_branchs_cashier_cannot_sell_from_here(people: People) -> None:
    admin = people("admin@teak.example")
    here = next(branch for branch in house_of(admin)["branches"] if branch["code"] == "BLR")
    variant = rows(admin, "product_variants")[0]
    with pytest.raises(Refused) as refused:
        send(
            people("cashier.mum@teak.example").db.rpc(
                "quote_sale",
                {
                    "p_branch_id": here["id"],
                    "p_customer_id": None,
                    "p_lines": [{"variant_id": variant["id"], "quantity": 1}],
                    "p_options": {},
                },
            )
        )
    assert refused.value.code == "not_found"


@pytest.mark.parametrize("name", NAMES)
def test_another_organisation_sees_nothing(people: People, name: str) -> None:
    stranger = people(f"admin@{name}.example")
    house = house_of(stranger)["id"]
    for table in TABLES:
        column = "id" if table == "organizations" else "org_id"
        seen = stranger.db.from_(table).select(column).execute().data
        assert {_text(row, column) for row in seen} <= {house}, table


def _text(row: Any, column: str) -> str:
    return str(row[column])


def test_lists_are_not_empty(people: People) -> None:
    invoices = rows(people("admin@teak.example"), "invoices", "number")
    assert {invoice["supply_type"] for invoice in invoices} == {"intra_state", "inter_state", "export"}
    assert {invoice["status"] for invoice in invoices} == {"paid", "partially_paid", "sent"}
    assert any(payment["change"] > 0 for payment in rows(people("admin@teak.example"), "payments"))
    assert {invoice["number"][:3] for invoice in invoices} == {"BLR", "MUM"}
    admin = people("admin@teak.example")
    for table in TABLES[-10:]:
        assert admin.db.from_(table).select("org_id").limit(1).execute().data, table
    (transfer,) = rows(admin, "stock_transfers")
    assert transfer["status"] == "partially_received"


def test_a_quotation_is_out_and_another_became_an_order(people: People) -> None:
    """An advance, eight of twelve chairs delivered and invoiced, the work that the customer is shown."""
    sales = people("sales@teak.example")
    quotations = rows(sales, "quotations", "number")
    assert [quotation["status"] for quotation in quotations] == ["sent", "converted"]
    (order,) = rows(sales, "sales_orders")
    seen = send(sales.db.rpc("get_order", {"p_id": order["id"]}))
    assert (seen["status"], seen["advance_paid"]) == ("partially_delivered", 100_000)
    assert [line["open"] for line in seen["lines"]] == [4, 4, 1]
    assert [entry["visible_to_customer"] for entry in seen["work_log"]] == [True]
    (delivery,) = rows(sales, "deliveries")
    (invoice,) = seen["invoices"]
    assert (delivery["order_id"], invoice["balance"]) == (order["id"], 0)


def test_points_a_promotion_and_a_credit_note(people: People) -> None:
    """Who bought by name has points, one sale was cheaper by the promotion, one lamp came back."""
    admin = people("admin@teak.example")
    entries = rows(admin, "loyalty_entries")
    assert len({entry["customer_id"] for entry in entries if entry["points"] > 0}) >= 3
    lines = rows(admin, "invoice_lines", "invoice_id,line_no")
    names = [offer["name"] for line in lines for offer in line["offers"]]
    assert names == ["Festival of lights"]
    (note,) = rows(admin, "credit_notes")
    assert note["reason"] == "Cracked on the way home"
    assert send(admin.db.rpc("check_books", {"p_org_id": house_of(admin)["id"]})) == []


def test_an_invoice_names_its_lots_and_an_old_one_is_owed(people: People) -> None:
    """Polish of the lot that expires first and of the next; a debt of forty days stands in the ageing."""
    admin = people("admin@teak.example")
    variant = next(v for v in rows(admin, "product_variants") if v["sku"] == "CAR-BEE-NAT")
    (line,) = [
        each for each in rows(admin, "invoice_lines", "invoice_id") if each["variant_id"] == variant["id"]
    ]
    paper = send(admin.db.rpc("get_invoice_paper", {"p_id": line["invoice_id"]}))
    assert [(lot["batch"], lot["quantity"]) for lot in paper["lines"][0]["lots"]] == [
        ("BW-2025-11", 6),
        ("BW-2026-06", 2),
    ]
    aged = send(admin.db.rpc("ageing", {"p_org_id": house_of(admin)["id"]}))
    assert any(row["days_31_60"] > 0 for row in aged)


def test_phones_are_sold_in_instalments(people: People) -> None:
    """One first instalment is paid, the other is due at once; the receipt names the agreement."""
    clerk = people("clerk@ringring.example")
    agreements = {row["customer_id"]: row for row in rows(clerk, "credit_agreements")}
    assert [row["status"] for row in agreements.values()] == ["active", "active"]
    house = house_of(clerk)["id"]
    (due,) = send(clerk.db.rpc("instalments_due", {"p_org_id": house}))
    assert (due["customer_name"], due["no"]) == ("Salim Khan", 1)
    assert due["due_on"] == agreements[due["customer_id"]]["opened_on"]
    paid = [row for row in rows(clerk, "payments") if row["reference"] == "UPI 4471"]
    receipt = send(clerk.db.rpc("get_payment", {"p_id": paid[0]["id"]}))
    ((agreement),) = receipt["agreements"]
    assert (agreement["instalments"], agreement["amount"]) == ([1], receipt["amount"])
    assert len(rows(clerk, "stock_units", "serial")) == 5
    assert send(people("admin@ringring.example").db.rpc("check_books", {"p_org_id": house})) == []


def test_loading_again_changes_nothing(project: Project, people: People, keys: Keys) -> None:
    def everything() -> dict[str, str]:
        seen = {}
        for who in (f"admin@{name}.example" for name in NAMES):
            for table in TABLES:
                found = people(who).db.from_(table).select("*").execute().data
                seen[f"{who} {table}"] = json.dumps(sorted(json.dumps(row, sort_keys=True) for row in found))
        return seen

    before = everything()
    fill(project, keys.demo_password)
    assert everything() == before
