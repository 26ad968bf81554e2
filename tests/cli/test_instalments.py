"""A phone shop's instalments in a terminal: agreed, collected, overdue, in default, and paid after all."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Terminal
from tests.cli.phones import CASE, PhoneShop, terms, today

Later = Callable[[int], None]


def _of(rows: list[dict[str, Any]], agreement: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in rows if row["agreement_id"] == agreement["id"]]


def _credit_status(terminal: Terminal, customer: dict[str, Any]) -> str:
    return str(terminal.gives("customers", "credit", customer["id"])["credit_status"])


def test_a_phone_is_sold_on_instalments(phones: PhoneShop, later: Later) -> None:
    owner, clerk, cashier = phones.owner, phones.clerk, phones.cashier
    asha = phones.customer("Asha")
    invoice = phones.sold(asha)
    quoted = clerk.gives(
        "instalments", "quote", "23600", "--deposit", "3600", *terms("--interest", "flat=12")
    )
    assert (quoted["financed"], quoted["interest"], quoted["total"]) == (20_000, 800, 20_800)

    # Who may not, and what was not paid: nothing is agreed.
    asked = ["instalments", "open", invoice["number"], *terms("--interest", "flat=12"), "--deposit"]
    assert cashier.refused("permission_denied", *asked, "3600", "--yes")["permission"] == "credit.sell"
    assert clerk.refused("deposit_missing", *asked, "5000", "--yes")["paid"] == Decimal(3600)
    clerk.refused_in_json("confirmation_needed", *asked, "3600", status=2)
    shown = clerk.run(*asked, "3600")
    assert (shown.exit_code, "20,800.00" in shown.stdout) == (2, True), (
        "the schedule is shown before the question"
    )
    assert clerk.gives("instalments", "list", "-c", asha["id"]) == {"items": []}

    own_id = str(uuid4())
    words = [*asked, "3600", "--yes", "--id", own_id]
    agreement = clerk.gives(*words)
    assert clerk.gives(*words) == agreement, "the same act sent twice is one"
    assert (agreement["id"], agreement["status"], agreement["outstanding"]) == (own_id, "active", 20_800)
    assert sum(part["principal"] for part in agreement["schedule"]) == invoice["balance"]
    assert clerk.gives("instalments", "show", agreement["number"]) == agreement
    clerk.refused("agreement_exists", *asked, "3600", "--yes")
    assert _credit_status(cashier, asha) == "active"

    # Nothing is due today; in the next months, all of it.
    assert _of(clerk.gives("instalments", "due")["items"], agreement) == []
    far = str(today() + timedelta(days=200))
    due = _of(clerk.gives("instalments", "due", "--until", far)["items"], agreement)
    assert [part["outstanding"] for part in due] == [5200] * 4
    assert due == _of(clerk.gives("reports", "instalments-due", "--until", far)["items"], agreement)
    assert cashier.refused("permission_denied", "instalments", "due")["permission"] == "report.read"

    # The cashier takes the first one and a part of the second.
    paid = cashier.gives("instalments", "pay", agreement["number"], "6,200", "-m", "upi", "--reference", "U7")
    assert [part["status"] for part in paid["schedule"]] == ["paid", "pending", "pending", "pending"]
    assert (paid["paid"], paid["payment"]["amount"]) == (6200, 6200)
    receipt = cashier.says("payments", "show", paid["payment"]["number"])
    assert "400.00 INR" in receipt, "the interest of two months"
    assert "5,800.00" in receipt
    assert f"Agreement {agreement['number']}" in receipt
    assert "14,600.00 open, next 4,200.00 on " in receipt
    said = clerk.says("instalments", "show", agreement["number"])
    assert "14,600.00" in said
    error = cashier.refused("agreement_overpaid", "instalments", "pay", agreement["number"], "14600.01")
    assert clerk.gives("instalments", "show", agreement["id"])["outstanding"] == Decimal(14_600), error

    # The second one is not paid in time.
    later(65)
    assert clerk.refused("permission_denied", "instalments", "run-overdue")["permission"] == "credit.override"
    # Other tests' agreements in this house may be late, too.
    assert owner.gives("instalments", "run-overdue")["late_fees"] >= 1
    assert owner.gives("instalments", "run-overdue")["late_fees"] == 0
    assert owner.gives("instalments", "run-overdue") == {
        "agreements": 0,
        "overdue": 0,
        "late_fees": 0,
        "defaulted": 0,
        "reminders": 0,
    }
    (late,) = _of(clerk.gives("instalments", "overdue")["items"], agreement)
    assert (late["no"], late["outstanding"]) == (2, 4300), "4200.00 and the late fee"
    assert late["days_late"] == (today() + timedelta(days=65) - date.fromisoformat(late["due_on"])).days > 3
    assert asha["name"] in clerk.says("instalments", "overdue")
    period = ["--from", str(today()), "--to", str(today() + timedelta(days=65))]
    account = clerk.gives("customers", "statement", asha["name"], *period)
    assert account["charges_due"] == 100, "the late fee; of the interest, all that is due is paid"
    said = clerk.says("customers", "statement", asha["name"], *period)
    assert re.search(r"^Interest and fees due +100\.00$", said, re.MULTILINE)
    (reminder,) = _of(clerk.gives("instalments", "reminders")["items"], agreement)
    assert (reminder["kind"], reminder["customer"], reminder["phone"]) == (
        "after",
        asha["name"],
        asha["phone"],
    )

    # Then for so long that he is in default: no new credit, except by the owner.
    later(110)
    assert owner.gives("instalments", "run-overdue")["defaulted"] >= 1
    stands = clerk.gives("customers", "credit", asha["name"])
    assert (stands["credit_status"], stands["overdue"]) == ("defaulted", late["outstanding"] + 5300)
    assert stands["owed"] == clerk.gives("sales", "show", invoice["number"])["balance"]
    listed = clerk.gives("customers", "list", "--credit", "defaulted", asha["name"])["items"]
    assert [row["id"] for row in listed] == [asha["id"]]
    clerk.run("sales", "new", CASE, "-c", asha["id"], "--on-credit", "--yes")
    refused = clerk.refused_in_json(
        "customer_defaulted", "sales", "new", CASE, "-c", asha["id"], "--on-credit", "--yes"
    )
    assert refused["permission"] == "credit.override"
    listed = clerk.gives("instalments", "list", "--status", "defaulted", "-c", asha["id"])["items"]
    assert [(row["id"], row["overdue"]) for row in listed] == [(agreement["id"], stands["overdue"])]

    # The owner lets him off a late fee; he pays what is overdue, then the rest.
    waive = ["instalments", "waive", agreement["number"], "2", "late_fee", "100", "--reason", "In hospital"]
    assert clerk.refused("permission_denied", *waive)["permission"] == "credit.override"
    waived = owner.gives(*waive)
    assert waived["overdue"] == stands["overdue"] - 100
    owner.refused("waiver_exceeds_charge", *waive)
    back = cashier.gives("instalments", "pay", agreement["number"], str(waived["overdue"]))
    assert (back["status"], _credit_status(clerk, asha)) == ("active", "active")
    done = cashier.gives("instalments", "pay", agreement["number"], str(back["outstanding"]))
    assert (done["status"], done["outstanding"], _credit_status(clerk, asha)) == ("completed", 0, "completed")
    assert clerk.gives("sales", "show", invoice["number"])["status"] == "paid"
    cashier.refused("agreement_closed", "instalments", "pay", agreement["number"], "1")
    assert owner.gives("customers", "show", asha["id"])["owed"] == 0


def test_an_agreement_is_settled_early(phones: PhoneShop) -> None:
    clerk, cashier = phones.clerk, phones.cashier
    agreement = phones.agreed(phones.sold(phones.customer("Bina")), *terms("--interest", "reducing=24"))
    settle = ["instalments", "settle", agreement["number"], "-m", "bank_transfer"]
    cashier.refused("confirmation_needed", *settle, status=2)
    changed = cashier.refused("settlement_changed", *settle, "--amount", "19000")
    assert changed["amount"] == agreement["settlement_amount"] == Decimal(20_000)
    done = cashier.gives(*settle, "--yes")
    assert (done["status"], done["paid"]) == ("completed", agreement["settlement_amount"])
    assert "completed" in clerk.says("instalments", "list", "-c", agreement["customer_id"])


def test_an_agreement_is_rescheduled(phones: PhoneShop) -> None:
    owner, clerk = phones.owner, phones.clerk
    agreement = phones.agreed(phones.sold(phones.customer("Chitra")), *terms("--fee", "File charge=250"))
    assert agreement["schedule"][0]["fee"] == 250
    words = ["instalments", "reschedule", agreement["number"], *terms(count=8), "--reason", "Lost her job"]
    assert clerk.refused("permission_denied", *words, "--yes")["permission"] == "credit.override"
    owner.refused("confirmation_needed", *words, status=2)
    error = owner.refused("invalid_input", *words, "--deposit", "5", "--yes")
    assert error["field"] == "deposit"
    made = owner.gives(*words, "--yes")
    assert (made["replaces_id"], len(made["schedule"])) == (agreement["id"], 8)
    assert made["outstanding"] == agreement["outstanding"], "the fee goes along"
    assert clerk.gives("instalments", "show", agreement["number"])["status"] == "rescheduled"
    statuses = [
        row["status"] for row in clerk.gives("customers", "credit", made["customer_id"])["agreements"]
    ]
    assert statuses == ["active", "rescheduled"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--count", "0", "--first-due", "2099-01-01"], 1),
        (["--count", "3", "--first-due", "1999-01-01"], 1),
        (["--count", "3", "--first-due", "tomorrow"], 2),
        (["--count", "many", "--first-due", "2099-01-01"], 2),
        (["--count", "3"], 2),
        (["--count", "3", "--first-due", str(today()), "--interest", "12"], 2),
        (["--count", "3", "--first-due", str(today()), "--interest", "compound=12"], 1),
        (["--count", "3", "--first-due", str(today()), "--fee", "File=lots"], 2),
    ],
)
def test_terms_that_cannot_be(phones: PhoneShop, words: list[str], status: int) -> None:
    done = phones.clerk.run("instalments", "quote", "1000", *words)
    assert (done.exit_code, done.stdout) == (status, ""), done.output
    if status == 1:
        assert "Error invalid_input: " in done.stderr


def test_strangers_agreements_are_not_there(phones: PhoneShop, admin: Terminal) -> None:
    agreement = phones.agreed(phones.sold(phones.customer("Divya")), *terms())
    for words in (
        ["show", agreement["id"]],
        ["show", agreement["number"]],
        ["pay", agreement["id"], "1"],
        ["waive", agreement["id"], "1", "fee", "1", "--reason", "x"],
    ):
        admin.refused("not_found", "instalments", *words)
    assert admin.gives("instalments", "list", "--all") == {"items": []}
    assert admin.gives("instalments", "reminders") == {"items": []}
    assert phones.clerk.gives("instalments", "show", agreement["id"]) == agreement


def test_a_quote_begins_on_the_day_of_the_branch(phones: PhoneShop) -> None:
    """Not on that of the machine, which is another one here: what is quoted is what can be agreed."""
    words = ["instalments", "quote", "1000", "--count", "2", "--first-due"]
    quoted = phones.clerk.gives(*words, str(today()))
    assert quoted["schedule"][0]["due_on"] == str(today())
    assert phones.clerk.gives(*words, str(today()), "-b", "PUN") == quoted
    phones.clerk.refused("invalid_input", *words, str(today() - timedelta(days=1)))
    phones.clerk.refused("not_found", *words, str(today()), "-b", "NIX")
