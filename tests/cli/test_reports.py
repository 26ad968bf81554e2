"""Reports and statements in a terminal."""

from decimal import Decimal
from typing import Any

from tests.api.conftest import Shop
from tests.cli.conftest import Terminal


def test_reports_by_name_and_by_number(
    admin: Terminal, cashier: Terminal, shop: Shop, meera: dict[str, Any]
) -> None:
    shop.admin.rpc("set_credit_limit", p_customer_id=meera["id"], p_credit_limit=100_000)
    words = ["sales", "new", "STL-TEAK=3", "--customer", meera["id"], "--pay", "upi=1000", "--on-credit"]
    sale = admin.gives(*words, "--yes")
    owed = {row["customer_id"]: row for row in admin.gives("reports", "outstanding")["items"]}
    assert owed[meera["id"]]["owed"] >= sale["balance"]
    aged = {row["customer_id"]: row for row in admin.gives("reports", "ageing", "-b", "BLR")["items"]}
    assert aged[meera["id"]]["total"] == owed[meera["id"]]["owed"]
    assert admin.gives("reports", "top-sellers", "--by", "quantity")["items"][0]["sku"] == "STL-TEAK"
    day = sale["business_date"]
    by_method = admin.gives("reports", "revenue", "--by", "method", "--from", day, "--to", day)["items"]
    assert {row["key"]: row["revenue"] for row in by_method}["upi"] >= Decimal(1000)
    admin.refused("invalid_input", "reports", "revenue", "--by", "moon")

    done = admin.run("reports", typed="1\n9\n4\nq\n")
    assert done.exit_code == 0
    assert meera["name"] in done.stdout
    assert "Revenue of this month by day" in done.stdout
    assert "There is no number 9." in done.stderr
    assert admin.run("reports").exit_code == 0, "without anybody to choose, the menu ends"
    admin.refused_in_json("report_needed", "reports", status=2)

    assert cashier.refused("permission_denied", "reports", "outstanding")["permission"] == "report.read"
    done = cashier.run("reports", typed="2\n")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Error permission_denied: " in done.stderr


def test_a_statement(admin: Terminal, shop: Shop) -> None:
    made = admin.gives("customers", "add", "Statement Rao")
    shop.admin.rpc("set_credit_limit", p_customer_id=made["id"], p_credit_limit=100_000)
    sale = admin.gives("sales", "new", "STL-TEAK", "-c", made["id"], "--on-credit", "--yes")
    admin.gives("payments", "record", "180", "-c", made["id"])
    day = sale["business_date"]
    words = ["customers", "statement", made["id"], "--from", day, "--to", day]
    account = admin.gives(*words)
    assert (account["opening"], account["closing"]) == (Decimal(0), Decimal(1000))
    assert [line["kind"] for line in account["lines"]] == ["invoice", "payment"]
    assert sale["number"] in admin.says(*words)
    admin.refused("invalid_input", *words[:-1], "2020-01-01")
