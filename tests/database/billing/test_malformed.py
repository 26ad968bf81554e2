"""Malformed calls: each is a 400 with the stable code, and nothing is written."""

from decimal import Decimal
from typing import Any

import pytest

from tests.database.sales import footprint, line, pay, sell
from tests.support.personas import new_id, raises
from tests.support.world import People

SOFA = "SOFA"  # Stands for the variant's id, which is not known when tests are collected.

LINES: dict[str, Any] = {
    "missing": None,
    "empty": [],
    "object": {},
    "text": "x",
    "number": 5,
    "json null": [None],
    "list in list": [[]],
    "no variant": [{"quantity": 1}],
    "no uuid": [{"variant_id": "sofa", "quantity": 1}],
    "variant as number": [{"variant_id": 5, "quantity": 1}],
    "no quantity": [{"variant_id": SOFA}],
    "quantity null": [{"variant_id": SOFA, "quantity": None}],
    "quantity as text": [{"variant_id": SOFA, "quantity": "1"}],
    "quantity 0": [{"variant_id": SOFA, "quantity": 0}],
    "quantity negative": [{"variant_id": SOFA, "quantity": -1}],
    "quantity too fine": [{"variant_id": SOFA, "quantity": Decimal("0.0001")}],
    "quantity beyond the unit": [{"variant_id": SOFA, "quantity": Decimal("1.5")}],
    "quantity huge": [{"variant_id": SOFA, "quantity": Decimal("1e30")}],
    "price negative": [{"variant_id": SOFA, "quantity": 1, "unit_price": -1}],
    "price as text": [{"variant_id": SOFA, "quantity": 1, "unit_price": "1000"}],
    "price too fine": [{"variant_id": SOFA, "quantity": 1, "unit_price": Decimal("0.001")}],
    "price huge": [{"variant_id": SOFA, "quantity": 1, "unit_price": Decimal("1e20")}],
    "total huge": [{"variant_id": SOFA, "quantity": 999999999, "unit_price": 999999999999}],
    "discount negative": [{"variant_id": SOFA, "quantity": 1, "discount": -1}],
    "discount as text": [{"variant_id": SOFA, "quantity": 1, "discount": "5%"}],
    "discount too fine": [{"variant_id": SOFA, "quantity": 1, "discount": Decimal("0.001")}],
    "discount as list": [{"variant_id": SOFA, "quantity": 1, "discount": [1]}],
    "unknown field": [{"variant_id": SOFA, "quantity": 1, "price": 1}],
    "second line bad": [{"variant_id": SOFA, "quantity": 1}, {}],
    "too many": [{"variant_id": SOFA, "quantity": 1}] * 2001,
}

PAYMENTS: dict[str, Any] = {
    "missing": None,
    "object": {},
    "text": "cash",
    "json null": [None],
    "no method": [{"amount": 1}],
    "unknown method": [{"method": "gold", "amount": 1}],
    "method null": [{"method": None, "amount": 1}],
    "no amount": [{"method": "cash"}],
    "amount as text": [{"method": "cash", "amount": "1180"}],
    "amount 0": [{"method": "cash", "amount": 0}],
    "amount negative": [{"method": "cash", "amount": -1}],
    "amount too fine": [{"method": "cash", "amount": Decimal("1180.001")}],
    "amount huge": [{"method": "cash", "amount": Decimal("1e15")}],
    "unknown field": [{"method": "cash", "amount": 1180, "change": 20}],
    "too many": [{"method": "cash", "amount": 1180}] * 21,
    "reference too long": [{"method": "cash", "amount": 1180, "reference": "x" * 101}],
    "reference as object": [{"method": "cash", "amount": 1180, "reference": {}}],
    "sum huge": [{"method": "cash", "amount": 99999999999}] * 20,
}

OPTIONS: dict[str, Any] = {
    "missing": None,
    "list": [],
    "text": "x",
    "unknown field": {"occured_at": "2025-01-01"},
    "no date": {"occurred_at": "someday"},
    "date as number": {"occurred_at": 5},
    "date by word": {"occurred_at": "yesterday"},
    "date in digits": {"occurred_at": "20250101"},
    "note as object": {"note": {"text": "x"}},
    "no such day": {"occurred_at": "2025-02-30T10:00:00Z"},
    "endless past": {"occurred_at": "-infinity"},
    "endless future": {"occurred_at": "infinity"},
    "place as number": {"place_of_supply": 5},
    "note too long": {"note": "x" * 2001},
    "reference too long": {"reference": "x" * 101},
}


def _refused(people: People, **changed: Any) -> None:
    world = people.world
    arguments: dict[str, Any] = {
        "p_id": new_id(),
        "p_branch_id": world.blr.id,
        "p_location_id": world.blr.showroom,
        "p_customer_id": None,
        "p_lines": [line(world.teak.variants["pot"])],
        "p_payments": [pay(45)],
        "p_options": {},
    }
    before = footprint(people.connection)
    with raises("invalid_input", 400):
        people.as_admin().rpc("post_sale", **(arguments | changed))
    assert footprint(people.connection) == before


@pytest.mark.parametrize("case", LINES)
def test_lines(people: People, case: str) -> None:
    """p_lines is an array of lines with known fields and sane numbers."""
    lines = LINES[case]
    if isinstance(lines, list):
        sofa = people.world.teak.variants["sofa"]
        lines = [
            {k: sofa if v == SOFA else v for k, v in one.items()} if isinstance(one, dict) else one
            for one in lines
        ]
    _refused(people, p_lines=lines, p_payments=[])


@pytest.mark.parametrize("case", PAYMENTS)
def test_payments(people: People, case: str) -> None:
    """p_payments is an array of known methods and amounts."""
    _refused(people, p_payments=PAYMENTS[case])


@pytest.mark.parametrize("case", OPTIONS)
def test_options(people: People, case: str) -> None:
    """p_options has known fields only; a misspelt one is not silently ignored."""
    _refused(people, p_options=OPTIONS[case])


def test_an_id_is_needed(people: People) -> None:
    """Without the client's id a retry could not be told from a second sale."""
    _refused(people, p_id=None)


@pytest.mark.parametrize("missing", ["p_branch_id", "p_location_id"])
def test_a_place_is_needed(people: People, missing: str) -> None:
    """No branch, or no location, is one that does not exist."""
    world = people.world
    arguments: dict[str, Any] = {
        "p_id": new_id(),
        "p_branch_id": world.blr.id,
        "p_location_id": world.blr.showroom,
        "p_customer_id": None,
        "p_lines": [line(world.teak.variants["pot"])],
        "p_payments": [pay(45)],
    }
    with raises("not_found", 404):
        people.as_admin().rpc("post_sale", **(arguments | {missing: None}))


def test_fractions_where_the_unit_has_them(people: People) -> None:
    """Square metres have three decimals: 1.234 of them is a quantity."""
    rug = sell(
        people.as_cashier(), people.world.blr, line(people.world.teak.variants["rug"], Decimal("1.234"))
    )
    assert rug["lines"][0]["quantity"] == Decimal("1.234")
    assert rug["subtotal"] == Decimal("309.12")
