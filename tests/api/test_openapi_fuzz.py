"""Generated requests against the running API: it answers what its OpenAPI document says, and never breaks.

Every operation is sent its documented examples, the edges of each parameter, and random requests, valid and
invalid. They are the same at each run, and most concern an organisation of this module's own, so that they
reach the rules of the database and not only a 404.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import derive_operation_seed
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from backend.app.main import create_app
from local.services import Api
from tests.api.conftest import People, Person, join
from tests.api.support import make_settings

Case = schemathesis.Case[Any]

named = partial(uuid5, NAMESPACE_URL)
ORG, BRANCH, LOCATION = named("org"), named("branch"), named("location")
TAX_CLASS, CATEGORY, PRODUCT = named("tax class"), named("category"), named("product")
VARIANT, CUSTOMER, INVOICE = named("variant"), named("customer"), named("invoice")
WAREHOUSE, RESERVATION = named("warehouse"), named("reservation")
TRANSFER, COUNT = named("transfer"), named("stock count")
QUOTATION, ORDER, DELIVERY = named("quotation"), named("order"), named("delivery")
PAYMENT, CREDIT_NOTE, SHIFT = named("payment"), named("credit note"), named("shift")
OWED, AGREEMENT, PROMOTION, TWICE = named("owed"), named("agreement"), named("promotion"), named("twice")
BRAND, SET, GROUP, PRICE_LIST = named("brand"), named("set"), named("group"), named("price list")

# When a first instalment may be due, wherever it is today.
DUE = (datetime.now(UTC) + timedelta(days=30)).date()

# The values that fit a place; four out of five requests use them.
EVERYWHERE: dict[str, object] = {
    "path.org_id": ORG,
    "path.customer_id": CUSTOMER,
    "path.invoice_id": INVOICE,
    "path.reservation_id": RESERVATION,
    "path.transfer_id": TRANSFER,
    "path.count_id": COUNT,
    "path.quotation_id": QUOTATION,
    "path.order_id": ORDER,
    "path.delivery_id": DELIVERY,
    "path.payment_id": PAYMENT,
    "path.shift_id": SHIFT,
    "path.credit_note_id": CREDIT_NOTE,
    "path.agreement_id": AGREEMENT,
    "path.item_id": VARIANT,
    "path.kind": "variants",
    "query.org_id": ORG,
    "query.branch_id": BRANCH,
    "body.org_id": ORG,
    "body.branch_id": BRANCH,
    "body.location_id": LOCATION,
    "body.from_location_id": LOCATION,
    "body.to_location_id": WAREHOUSE,
    "body.variant_id": VARIANT,
    "body.product_id": PRODUCT,
    "body.category_id": CATEGORY,
    "body.brand_id": BRAND,
    "body.customer_group_id": GROUP,
    "body.price_list_id": PRICE_LIST,
    "body.promotion_id": PROMOTION,
    "body.merge_id": TWICE,
    "body.terms.count": 3,
    "body.terms.first_due_on": DUE,
    "body.set_variant_id": SET,
    "body.component_variant_id": VARIANT,
    "body.unit_code": "DOZ",
    "body.tax_class_id": TAX_CLASS,
    "body.customer_id": CUSTOMER,
    "body.invoice_id": INVOICE,
    "body.options.location_id": LOCATION,
    "body.method": "cash",
    "body.allocations[*].invoice_id": INVOICE,
    "body.allocations[*].amount": 10,
    "body.return_lines[*].line_no": 1,
    "body.return_lines[*].quantity": 1,
    "body.items[*].variant_id": VARIANT,
    "body.lines[*].line_no": 1,
    "body.lines[*].item_no": 1,
    "body.lines[*].variant_id": VARIANT,
    "body.lines[*].quantity": 1,
    "body.lines[*].unit_price": 10,
    "body.lines[*].discount": 1,
    "body.payments[*].method": "cash",
    "body.payments[*].amount": 10_000,
    "body.quantity": 5,
    "body.unit_cost": 100,
    "body.branch_ids[*]": BRANCH,
    "body.role": "cashier",
    "body.email": "ravi@fuzz.example",
}
# Records that are changed and archived, apart from those that are sold.
ROWS = {
    "/v1/catalogue/categories/{row_id}": named("another category"),
    "/v1/inventory/products/{row_id}": named("another product"),
    "/v1/inventory/variants/{row_id}": named("another variant"),
    "/v1/customers/{row_id}": named("another customer"),
}
# Further records: what they are made of, apart from id and org_id.
FURTHER: dict[str, dict[str, object]] = {
    "/v1/catalogue/brands/{row_id}": {"name": "Cane"},
    "/v1/catalogue/customer-groups/{row_id}": {"name": "Cane"},
    "/v1/catalogue/price-lists/{row_id}": {"name": "Cane"},
    "/v1/catalogue/barcodes/{row_id}": {"variant_id": VARIANT, "code": "4006381333931"},
    "/v1/catalogue/product-units/{row_id}": {"product_id": PRODUCT, "unit_code": "BOX", "factor": 6},
    "/v1/catalogue/set-components/{row_id}": {
        "set_variant_id": SET,
        "component_variant_id": VARIANT,
        "quantity": 2,
    },
    "/v1/catalogue/price-list-items/{row_id}": {
        "price_list_id": PRICE_LIST,
        "variant_id": VARIANT,
        "min_quantity": 10,
        "price": 900,
    },
    "/v1/billing/promotions/{row_id}": {"name": "Cane", "kind": "amount", "value": 50},
    "/v1/billing/promotion-targets/{row_id}": {
        "promotion_id": PROMOTION,
        "position": 1,
        "variant_id": VARIANT,
    },
    "/v1/billing/coupons/{row_id}": {"promotion_id": PROMOTION, "code": "TEAK26"},
    "/v1/billing/loyalty/rules/{row_id}": {"name": "All", "points_per_unit": 1},
    "/v1/customer-addresses/{row_id}": {
        "customer_id": CUSTOMER,
        "kind": "delivery",
        "address_line1": "Plot 11",
    },
}
PROGRAM = "/v1/billing/loyalty/programs/{row_id}"
CHANGED = {**ROWS, **{path: named(path) for path in FURTHER}, PROGRAM: ORG}


def _config(member: UUID) -> SchemathesisConfig:
    """Which requests are made: examples, edges, and some random ones, the same each time."""
    everywhere = {**EVERYWHERE, "path.user_id": member}
    dictionaries = {
        place: {"values": [value if isinstance(value, int) else str(value)]}
        for place, value in {**everywhere, **CHANGED}.items()
    }
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "suppress-health-check": ["all"],
            "dictionaries": dictionaries,
            "parameters": {place: {"dictionary": place, "probability": 0.8} for place in everywhere},
            "operations": [
                {
                    "include-path": path,
                    "parameters": {"path.row_id": {"dictionary": path, "probability": 0.8}},
                }
                for path in CHANGED
            ],
            "generation": {
                "deterministic": True,
                "max-examples": 12,
                "no-shrink": True,
                "with-security-parameters": False,
            },
        }
    )


@dataclass
class Caller:
    """Somebody who sends requests."""

    base_url: str
    session: requests.Session

    def send(self, case: Case) -> schemathesis.Response:
        """Sends the request and holds the answer to the document."""
        response = case.call(base_url=self.base_url, session=self.session, timeout=30)
        case.validate_response(response, checks=CHECKS)
        return response


def problem_document(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Every error is a problem document with a code, under the id that the header carries."""
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"], response.headers
    body = response.json()
    assert body["status"] == response.status_code
    assert body["code"]
    assert body["detail"]
    assert body["type"] == f"urn:branchline:error:{body['code']}"
    assert [body["request_id"]] == response.headers["x-request-id"]


CHECKS: list[schemathesis.CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
    problem_document,
]


def _sales_documents(admin: Person) -> None:
    """A quotation that was sent, and an order of which a part was delivered."""
    admin.rpc("set_credit_limit", p_customer_id=str(CUSTOMER), p_credit_limit=1_000_000)
    lines = [{"variant_id": VARIANT, "quantity": 5}]
    offer = {"branch_id": BRANCH, "customer_id": CUSTOMER, "lines": lines}
    admin.post("/v1/billing/quotations", {"id": QUOTATION, **offer})
    admin.send("POST", f"/v1/billing/quotations/{QUOTATION}/send", {"id": named("sent")}).raise_for_status()
    admin.post("/v1/billing/orders", {"id": ORDER, **offer})
    confirm = {"id": named("confirmed"), "options": {"location_id": LOCATION}}
    admin.send("POST", f"/v1/billing/orders/{ORDER}/confirm", confirm).raise_for_status()
    part = {"id": DELIVERY, "location_id": LOCATION, "lines": [{"line_no": 1, "quantity": 1}]}
    admin.post(f"/v1/billing/orders/{ORDER}/deliveries", part)


@pytest.fixture(scope="module")
def admin(people: People) -> Person:
    """The admin of an organisation with a bit of everything."""
    admin = people.make("fuzz")
    admin.rpc("create_organization", p_id=str(ORG), p_name="Fuzz & Sons", p_country="IN", p_currency="INR")
    admin.rpc(
        "create_branch",
        p_id=str(BRANCH),
        p_org_id=str(ORG),
        p_code="PNQ",
        p_name="Pune",
        p_options={"region_code": "27"},
    )
    for location_id, kind in ((LOCATION, "showroom"), (WAREHOUSE, "warehouse")):
        admin.rpc(
            "create_location",
            p_id=str(location_id),
            p_branch_id=str(BRANCH),
            p_code=kind.upper(),
            p_name=kind.title(),
            p_kind=kind,
        )
    admin.client.table("tax_classes").insert(
        {"id": str(TAX_CLASS), "org_id": str(ORG), "code": "GST18", "name": "GST 18 %"}
    ).execute()
    admin.client.table("tax_rates").insert(
        {"org_id": str(ORG), "tax_class_id": str(TAX_CLASS), "rate": 18, "valid_from": "2017-07-01"}
    ).execute()
    goods = {"hsn_code": "9401", "tax_class_id": TAX_CLASS, "category_id": CATEGORY}
    kinds: list[tuple[UUID, dict[str, object]]] = [
        (CATEGORY, {}),
        (PRODUCT, goods),
        (VARIANT, {"product_id": PRODUCT, "price": 1000}),
        (CUSTOMER, {}),
    ]
    for (path, changed), (sold, values) in zip(ROWS.items(), kinds, strict=True):
        for row_id, name in ((sold, "Teak"), (changed, "Cane")):
            sku = {"sku": name} if sold == VARIANT else {}
            row = {"id": row_id, "org_id": ORG, "name": name, **values, **sku}
            admin.post(path.removesuffix("/{row_id}"), row)
    suite = {"id": named("suite"), "org_id": ORG, "name": "Suite", "kind": "set", "tax_class_id": TAX_CLASS}
    admin.post("/v1/inventory/products", suite)
    suite = {
        "id": SET,
        "org_id": ORG,
        "product_id": named("suite"),
        "sku": "SUITE",
        "name": "Suite",
        "price": 1,
    }
    admin.post("/v1/inventory/variants", suite)
    for path, kept in (("brands", BRAND), ("customer-groups", GROUP), ("price-lists", PRICE_LIST)):
        admin.post(f"/v1/catalogue/{path}", {"id": kept, "org_id": ORG, "name": "Teak"})
    offer = {"id": PROMOTION, "org_id": ORG, "name": "Teak", "kind": "percent", "value": 5}
    admin.post("/v1/billing/promotions", {**offer, "needs_coupon": True})
    for path, values in FURTHER.items():
        admin.post(path.removesuffix("/{row_id}"), {"id": CHANGED[path], "org_id": ORG, **values})
    admin.post(PROGRAM.removesuffix("/{row_id}"), {"org_id": ORG, "point_value": 1})
    admin.post("/v1/customers", {"id": TWICE, "org_id": ORG, "name": "Teak"})
    admin.send("PUT", f"/v1/customers/{CUSTOMER}/credit-limit", {"credit_limit": 1_000_000})
    admin.post(
        "/v1/inventory/adjustments",
        {
            "id": named("opening"),
            "location_id": LOCATION,
            "variant_id": VARIANT,
            "quantity": 1000,
            "reason": "opening",
            "unit_cost": 600,
        },
    )
    admin.post(
        "/v1/billing/sales",
        {
            "id": INVOICE,
            "branch_id": BRANCH,
            "location_id": LOCATION,
            "customer_id": CUSTOMER,
            "lines": [{"variant_id": VARIANT, "quantity": 5}],
            "payments": [{"method": "cash", "amount": 10_000}],
        },
    )
    _sales_documents(admin)
    admin.post(
        "/v1/billing/payments",
        {
            "id": PAYMENT,
            "customer_id": CUSTOMER,
            "amount": 500,
            "method": "cash",
            "options": {"branch_id": BRANCH, "hold": True},
        },
    )
    owed = {"id": OWED, "branch_id": BRANCH, "location_id": LOCATION, "customer_id": CUSTOMER}
    admin.post("/v1/billing/sales", {**owed, "lines": [{"variant_id": VARIANT, "quantity": 5}]})
    terms = {"count": 3, "first_due_on": DUE}
    admin.post("/v1/billing/agreements", {"id": AGREEMENT, "invoice_id": OWED, "terms": terms})
    admin.post("/v1/billing/shifts", {"id": SHIFT, "branch_id": BRANCH})
    note = {"id": CREDIT_NOTE, "invoice_id": INVOICE, "reason": "Too many"}
    admin.post("/v1/billing/credit-notes", {**note, "lines": [{"line_no": 1, "quantity": 1}]})
    lines = [{"variant_id": VARIANT, "quantity": 1}]
    documents: dict[str, dict[str, object]] = {
        "reservations": {"id": RESERVATION, "location_id": LOCATION, "lines": lines},
        "transfers": {
            "id": TRANSFER,
            "from_location_id": LOCATION,
            "to_location_id": WAREHOUSE,
            "lines": lines,
        },
        "counts": {"id": COUNT, "location_id": LOCATION, "kind": "full"},
    }
    for path, body in documents.items():
        admin.post(f"/v1/inventory/{path}", body)
    return admin


@pytest.fixture(scope="module")
def document(api: Api, people: People, admin: Person) -> schemathesis.BaseSchema:
    """The document that the API publishes. A cashier is there to be administered."""
    member = join(people, admin, ORG, "cashier", [BRANCH])
    return schemathesis.openapi.from_url(f"{api.url}/openapi.json", config=_config(member.user_id))


@pytest.fixture(scope="module")
def signed_in(api: Api, admin: Person) -> Iterator[Caller]:
    """The admin."""
    with requests.Session() as session:
        session.headers["Authorization"] = admin.http.headers["Authorization"]
        yield Caller(api.url, session)


@pytest.fixture(scope="module")
def nobody(api: Api) -> Iterator[Caller]:
    """Somebody without a token, who has learnt all the ids."""
    with requests.Session() as session:
        yield Caller(api.url, session)


OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in create_app(make_settings()).openapi()["paths"].items()
    for method in methods
]


def _run(document: schemathesis.BaseSchema, label: str, send: Callable[[Case], None]) -> None:
    """Sends the requests of one operation.

    `schema.parametrize()` would do the same, but its tests share one node id here, and
    pytest-xdist runs only one of them.
    """
    operation = document.find_operation_by_label(label)
    assert operation is not None
    config = document.config
    create_test(
        operation=operation,
        test_func=send,
        config=HypothesisTestConfig(
            project=config,
            modes=list(HypothesisTestMode),
            settings=config.get_hypothesis_settings(operation=operation, phase="fuzzing"),
            seed=derive_operation_seed(config.seed, label),
        ),
    )()


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_admin_gets_what_is_documented(
    document: schemathesis.BaseSchema, signed_in: Caller, label: str
) -> None:
    def send(case: Case) -> None:
        signed_in.send(case)

    _run(document, label, send)


@pytest.mark.parametrize("label", [label for label in OPERATIONS if not label.startswith("GET /health")])
def test_nobody_gets_past_the_door(document: schemathesis.BaseSchema, nobody: Caller, label: str) -> None:
    def send(case: Case) -> None:
        response = nobody.send(case)
        # A method that does not exist is told to anybody, and a body is read before the token.
        unread = {400, 404, 405} if case.meta is None or case.meta.generation.mode.is_negative else set()
        assert response.status_code in {401, *unread}, response.text

    _run(document, label, send)
