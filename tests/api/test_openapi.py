"""The description of the API is complete, and its examples are true."""

from typing import Any

import pytest
from pydantic import BaseModel

from backend.app.main import create_app
from backend.app.schemas import (
    assortment,
    audit,
    auth,
    billing,
    catalogue,
    changes,
    counts,
    customers,
    goods_returns,
    health,
    integrity,
    labels,
    price_lists,
    reordering,
    reservations,
    scan,
    stock,
    tracking,
    transfers,
    users,
)
from tests.api.support import make_settings

DOCUMENT: dict[str, Any] = create_app(make_settings()).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
MODELS = [
    model
    for module in (
        assortment,
        audit,
        auth,
        billing,
        catalogue,
        changes,
        counts,
        customers,
        goods_returns,
        health,
        integrity,
        labels,
        price_lists,
        reordering,
        reservations,
        scan,
        stock,
        tracking,
        transfers,
        users,
    )
    for model in vars(module).values()
    if isinstance(model, type)
    and issubclass(model, BaseModel)
    and (model.model_config.get("json_schema_extra") or {})
    and model.__module__ == module.__name__
]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_described(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    assert len(good) == 1
    ((_, media),) = good[0]["content"].items()
    assert media["schema"]
    assert media["example"]
    if "requestBody" in operation:
        assert operation["requestBody"]["content"]["application/json"]["example"]
    errors = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
    for status, answer in errors.items():
        problem = answer["content"]["application/problem+json"]
        assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert problem["example"]["status"] == int(status)
    if not name.startswith("GET /health"):
        assert {"401", "403", "422", "503"} <= errors.keys()
        assert operation["security"] == [{"bearer": []}]
    for parameter in operation.get("parameters", []):
        assert parameter["schema"]


def test_operation_ids_are_unique_and_readable() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)
    assert all(name.isidentifier() and name.islower() for name in ids)


def test_nothing_refers_to_what_is_not_there() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    assert {reference.rpartition("/")[2] for reference in references(DOCUMENT)} <= schemas.keys()
    assert "HTTPValidationError" not in schemas


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_examples_fit_their_models(model: type[BaseModel]) -> None:
    extra: Any = model.model_config["json_schema_extra"]
    for example in extra["examples"]:
        model.model_validate(example)


def test_amounts_are_numbers_in_the_description() -> None:
    invoice = DOCUMENT["components"]["schemas"]["Invoice"]["properties"]
    assert invoice["total"]["type"] == "number"
