"""The description of the API, made complete: the problem model and an example for every body."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from backend.app import VERSION
from backend.app.schemas.problem import Problem

_ABOUT = """The REST face of Branchline for integrators, and what a database should not do itself: papers and
user administration. Apps may as well talk to Supabase directly: the same rules decide either way.

Amounts and quantities are JSON numbers with all their digits; read them as decimals, not as floats. Errors
are RFC 9457 problems with a stable `code` and the `request_id` that the response header `X-Request-ID`
carries too. Who works for several organisations that have the same id is answered 409 `ambiguous_id`, and
names his in the header `X-Organization`."""

_TAGS = [
    {"name": "health", "description": "Is the service well?"},
    {"name": "auth", "description": "Who is calling, with which roles and permissions."},
    {"name": "catalogue", "description": "Categories, brands, barcodes, units, sets and price lists."},
    {"name": "customers", "description": "Customers, their addresses, terms and history."},
    {
        "name": "inventory",
        "description": "Products, variants and their search; stock, its movements and documents; labels, "
        "scanning.",
    },
    {
        "name": "billing",
        "description": "Quotations, orders, deliveries, sales and invoices, and their papers as PDF; "
        "payments, refunds, credit notes, shifts.",
    },
    {"name": "instalments", "description": "Sales on credit: agreements, what is due and what is late."},
    {"name": "offers", "description": "Promotions, coupons and loyalty points."},
    {
        "name": "reports",
        "description": "What is owed, what sold, what came in; statements of account; tax registers.",
    },
    {"name": "audit", "description": "Who changed what, and when."},
    {"name": "users", "description": "The people of an organisation."},
]


_REQUEST_ID = {
    "description": "The id of this request: the caller's own where it is acceptable, otherwise a new one",
    "required": True,
    "schema": {"type": "string"},
}


def install_openapi(app: FastAPI) -> None:
    """Makes `app.openapi()` answer the complete description, built once."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="Branchline API", version=VERSION, description=_ABOUT, routes=app.routes, tags=_TAGS
    )
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for response in _responses(document):
        response.setdefault("headers", {})["X-Request-ID"] = _REQUEST_ID
    for media in _json_bodies(document):
        if "example" not in media:
            media["example"] = _example(media["schema"], schemas)
    return document


def _responses(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from operation["responses"].values()


def _json_bodies(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            yield from (
                body["content"]["application/json"]
                for body in bodies
                if "application/json" in body.get("content", {})
            )


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """The example of a model; a page shows one row of its items, and so does a plain list."""
    model = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if model.get("examples"):
        return model["examples"][0]
    items = model["properties"]["items"]["items"]
    page = {"items": [_example(items, schemas)], "total": 1, "next_cursor": None}
    return {name: value for name, value in page.items() if name in model["properties"]}
