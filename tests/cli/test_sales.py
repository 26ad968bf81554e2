"""Sales, payments and stock in a terminal."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Shop
from tests.cli.conftest import Terminal


def _sell(terminal: Terminal, *words: str) -> Any:
    return terminal.gives("sales", "new", "STL-TEAK=2", *words, "--yes")


@pytest.fixture
def owed(admin: Terminal, shop: Shop, meera: dict[str, Any]) -> Any:
    """An invoice over 2360 that Meera owes."""
    shop.admin.rpc("set_credit_limit", p_customer_id=meera["id"], p_credit_limit=100_000)
    return _sell(admin, "--customer", meera["id"], "--on-credit")


def test_a_cashier_sells(cashier: Terminal, shop: Shop) -> None:
    before = cashier.gives("stock", "levels", "STL-TEAK")["items"][0]["on_hand"]
    quote = cashier.gives("sales", "new", "STL-TEAK=2", "--quote-only")
    assert quote["total"] == Decimal(2360)
    own_id = str(uuid4())
    words = ["sales", "new", "STL-TEAK=2", "--pay", "cash=2000", "--pay", "upi", "--yes", "--id", own_id]
    said = cashier.says(*words)
    assert said.index("Quote of Indiranagar") < said.index("Sold: BLR/")
    assert "2,360.00 INR" in said
    invoice = cashier.gives(*words)
    assert (invoice["id"], invoice["status"]) == (own_id, "paid")
    paid = {payment["method"]: payment["amount"] for payment in invoice["payments"]}
    assert paid == {"cash": 2000, "upi": 360}
    assert cashier.gives("stock", "levels", "teak")["items"][0]["on_hand"] == before - 2
    assert cashier.gives("sales", "show", invoice["number"]) == invoice
    assert "Stool, teak" in cashier.says("sales", "show", own_id)
    day = invoice["business_date"]
    listed = cashier.gives("sales", "list", "--branch", "blr", "--status", "paid", "--from", day)
    assert own_id in [row["id"] for row in listed["items"]]
    assert cashier.gives("sales", "list", "--to", "2020-01-01") == {"items": []}


def test_a_discount_on_all_of_a_sale(cashier: Terminal) -> None:
    words = ["sales", "new", "STL-TEAK=2", "--quote-only", "--document-discount"]
    by_percent, by_amount = cashier.gives(*words, "5%"), cashier.gives(*words, "100")
    assert (by_percent["document_discount"], by_percent["document_discount_percent"]) == (100, 5)
    assert (by_amount["total"], by_amount["document_discount_percent"]) == (by_percent["total"], None)
    assert "Document discount" in cashier.says(*words, "5%")
    for typed, code, status in (("5.1%", "discount_limit", 1), ("0", "invalid_input", 1)):
        cashier.refused(code, *words, typed, status=status)


def test_a_sale_needs_a_yes_and_a_payment(cashier: Terminal) -> None:
    cashier_sells = ["sales", "new", "STL-TEAK"]
    done = cashier.run(*cashier_sells, "--pay", "cash", "--json")
    assert json.loads(done.stderr)["error"]["code"] == "confirmation_needed"
    done = cashier.run(*cashier_sells, "--yes", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    error = json.loads(done.stderr, parse_float=Decimal)["error"]
    assert (error["code"], error["total"]) == ("payment_needed", Decimal("1180.00"))


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["STL-TEAK=5000", "--pay", "cash"], "insufficient_stock", 1),
        (["NO-SUCH-SKU", "--pay", "cash"], "sku_unknown", 1),
        (["STL-TEAK", "--pay", "beads"], "invalid_input", 1),
        (["STL-TEAK", "--pay", "cash", "--discount", "STL-TEAK=900"], "discount_limit", 1),
        (["STL-TEAK", "--on-credit"], "payment_incomplete", 1),
        (["STL-TEAK", "STL-TEAK", "--pay", "cash"], "invalid_input", 2),
        (["STL-TEAK", "--pay", "cash", "--pay", "upi"], "invalid_input", 2),
        (["STL-TEAK", "--pay", "cash", "--location", "MOON"], "not_found", 1),
        (["STL-TEAK", "--pay", "cash", "--branch", "MUM"], "not_found", 1),
    ],
)
def test_a_sale_that_is_refused(cashier: Terminal, words: list[str], code: str, status: int) -> None:
    done = cashier.run("sales", "new", *words, "--yes", "--json")
    assert (done.exit_code, done.stdout) == (status, ""), done.output
    assert json.loads(done.stderr)["error"]["code"] == code


def test_a_sale_is_taken_back_on_its_day(cashier: Terminal) -> None:
    invoice = _sell(cashier, "--pay", "cash")
    cashier.refused("confirmation_needed", "sales", "void", invoice["number"], "--reason", "x", status=2)
    note = cashier.gives("sales", "void", invoice["number"], "--reason", "Rung up twice", "--yes")
    assert (note["voids"], note["total"]) == (True, invoice["total"])
    assert cashier.gives("sales", "show", invoice["id"])["status"] == "void"


def test_payments_settle_what_is_owed(
    admin: Terminal, cashier: Terminal, owed: dict[str, Any], meera: dict[str, Any]
) -> None:
    number = owed["number"]
    assert number in cashier.says("customers", "show", meera["name"])
    assert number in [row["number"] for row in cashier.gives("sales", "list", "--open")["items"]]
    part = cashier.gives(
        "payments", "record", "1,000", "-c", meera["id"], "-i", f"{number}=1000", "-m", "cheque"
    )
    assert [(a["invoice_number"], a["amount"]) for a in part["allocations"]] == [(number, 1000)]
    held = cashier.gives("payments", "record", "2000", "-c", meera["phone"], "--hold", "-m", "upi")
    assert held["unallocated"] == 2000
    cashier.refused("invoice_overpaid", "payments", "allocate", held["id"], "-i", f"{number}=1500")
    rest = cashier.gives("payments", "allocate", held["number"], "-i", f"{number}=1360")
    assert (rest["unallocated"], cashier.gives("sales", "show", number)["status"]) == (640, "paid")

    listed = cashier.gives("payments", "list", "--customer", meera["id"], "--method", "cheque")["items"]
    assert part["id"] in [row["id"] for row in listed]
    assert cashier.gives("payments", "show", part["number"]) == part
    wrong = ["payments", "release", held["number"], "-i", f"{number}=360"]
    admin.refused("confirmation_needed", *wrong, status=2)
    cashier.refused("permission_denied", *wrong, "--yes")
    assert admin.gives(*wrong, "--yes")["unallocated"] == 1000
    assert cashier.gives("payments", "allocate", held["number"], "-i", f"{number}=360")["unallocated"] == 640
    reverse = ["payments", "reverse", part["number"], "--reason", "Bounced", "--yes"]
    error = cashier.refused("permission_denied", *reverse)
    assert error["permission"] == "payment.reverse"
    assert cashier.gives("sales", "show", number)["status"] == "paid", "who may not, changes nothing"
    assert admin.gives(*reverse)["reversed"]["reason"] == "Bounced"
    admin.refused("payment_reversed", *reverse)
    assert cashier.gives("sales", "show", number)["balance"] == 1000
    assert "Bounced" in cashier.says("payments", "list", "--customer", meera["id"])
    cashier.refused("invalid_input", "payments", "record", "5", status=2)


def test_the_same_payment_twice_is_one(
    cashier: Terminal, owed: dict[str, Any], meera: dict[str, Any]
) -> None:
    words = ["payments", "record", "100", "-c", meera["id"], "--id", str(uuid4())]
    first = cashier.gives(*words)
    assert cashier.gives(*words) == first
    cashier.refused("id_reused", *words[:2], "101", *words[3:])


def test_codes_are_scanned(cashier: Terminal, shop: Shop) -> None:
    (match,) = cashier.gives("stock", "scan", "STL-TEAK")["matches"]
    assert match["variant"]["id"] == str(shop.variant_id)
    done = cashier.run("stock", "scan", "--json", typed="STL-TEAK\n\nNOTHING\nSHOW\n")
    assert done.exit_code == 1
    kinds = [json.loads(line)["matches"][0]["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["variant", "location"]
    assert json.loads(done.stderr)["error"]["code"] == "not_found"
    assert "Stool, teak" in cashier.says("stock", "scan", "STL-TEAK")
    cashier.refused("not_found", "stock", "levels", "nothing-like-it")
    assert "STL-TEAK" in cashier.says("stock", "levels", "--branch", "BLR", "--location", "SHOW")


def test_words_that_make_no_command(cashier: Terminal) -> None:
    for words in (
        ["payments", "record", "many", "-c", "x"],
        ["sales", "list", "--from", "yesterday"],
        ["sales", "show"],
        ["sales", "new", "STL-TEAK=many", "--yes"],
        ["--moon", "whoami"],
        ["dance"],
    ):
        done = cashier.run(*words)
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        assert "Usage: " in done.stderr
        assert cashier.refused_in_json("invalid_usage", *words, status=2)
