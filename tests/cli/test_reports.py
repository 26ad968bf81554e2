"""Reports and statements in a terminal."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.api.conftest import Shop
from tests.cli.conftest import Terminal
from tests.cli.phones import PhoneShop, today


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
    both = admin.gives("reports", "revenue", "--by", "day_method", "--from", day, "--to", day)["items"]
    assert [(row["key"], row["revenue"]) for row in both] == sorted(
        (f"{day} {row['key']}", row["revenue"]) for row in by_method
    )
    assert "Revenue by day and method" in admin.says("reports", "revenue", "--by", "day_method")
    admin.refused("invalid_input", "reports", "revenue", "--by", "moon")

    done = admin.run("reports", typed="1\n99\n6\n\nq\n1\n")
    assert done.exit_code == 0
    assert done.stdout.count(meera["name"]) == 1, "after q nothing is read"
    assert "Revenue by day, " in done.stdout
    assert "There is no number 99." in done.stderr
    assert done.stderr.count("Instalments overdue") == 2, "Enter shows the menu again"
    assert admin.run("reports").exit_code == 0, "without anybody to choose, the menu ends"
    admin.refused_in_json("report_needed", "reports", status=2)

    assert cashier.refused("permission_denied", "reports", "outstanding")["permission"] == "report.read"
    done = cashier.run("reports", typed="2\n")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Error permission_denied: " in done.stderr


def test_every_report_has_a_number_and_a_name(admin: Terminal) -> None:
    reports = {
        "outstanding": ["customer_id", "owed"],
        "ageing": ["total"],
        "instalments-due": [],
        "instalments-overdue": [],
        "top-sellers": ["sku", "revenue"],
        "revenue": ["label", "revenue"],
        "sales": ["net", "tax", "total"],
        "cash-up": [],
        "low-stock": [],
    }
    for name, fields in reports.items():
        for row in admin.gives("reports", name)["items"]:
            assert row.keys() >= set(fields), name
    done = admin.run("reports", typed="".join(f"{number}\n" for number in range(1, 11)))
    assert (done.exit_code, "Error" in done.stderr) == (0, False), done.output
    for title in ("Ageing", "Instalments due", "Top sellers by revenue", "Revenue by method", "Low stock"):
        assert title in done.stdout
    assert "There is no number 11." in admin.run("reports", typed="11\n").stderr


def test_sales_and_revenue_are_in_balance(admin: Terminal, cashier: Terminal) -> None:
    sale = cashier.gives("sales", "new", "STL-TEAK", "--pay", "card", "--yes")
    day = sale["business_date"]
    days = ["--from", day, "--to", day]
    (of_day,) = admin.gives("reports", "sales", *days)["items"]
    (in_all,) = admin.gives("reports", "sales", "--by", "all", *days)["items"]
    assert (of_day["label"], in_all["label"]) == (day, "all")
    assert of_day["total"] == in_all["total"] == of_day["net"] + of_day["tax"] + of_day["round_off"]
    assert in_all["total"] >= sale["total"]
    methods = admin.gives("reports", "revenue", "--by", "method", *days)["items"]
    (received,) = admin.gives("reports", "revenue", *days)["items"]
    assert sum(row["revenue"] for row in methods) == received["revenue"]
    assert f"Sales in all, {day} to {day} (INR)" in admin.says("reports", "sales", "--by", "all", *days)


def test_low_stock_names_what_to_order(admin: Terminal, cashier: Terminal, shop: Shop) -> None:
    rule = {"p_location_id": str(shop.location_id), "p_variant_id": str(shop.variant_id)}
    shop.admin.rpc(
        "save_reorder_rule",
        p_id=str(uuid4()),
        **rule,
        p_reorder_point=5000,
        p_reorder_quantity=50,
        p_lead_time_days=3,
    )
    (low,) = admin.gives("reports", "low-stock")["items"]
    assert (low["sku"], low["branch"], low["location"]) == ("STL-TEAK", "BLR", "SHOW")
    assert low["suggested"] >= 5000 - low["available"]
    assert "STL-TEAK" in admin.says("reports", "low-stock", "-b", "BLR")
    assert cashier.refused("permission_denied", "reports", "low-stock")["permission"] == "stock.plan"
    shop.admin.rpc("remove_reorder_rule", p_id=str(uuid4()), **rule)
    assert admin.says("reports", "low-stock") == "Low stock, and what to order: none.\n"


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


def test_a_report_ends_on_the_day_of_the_branch(phones: PhoneShop) -> None:
    """Not on that of the machine, which is another one here; the month is the branch's, too."""
    sale = phones.sold(phones.customer("Usha"))
    day = today()
    assert sale["business_date"] == str(day)
    for words in ((), ("-b", "PUN")):
        assert f", {day.replace(day=1)} to {day}" in phones.owner.says("reports", "sales", *words)
        found = phones.owner.gives("reports", "sales", "--by", "day", *words)["items"]
        assert str(day) in {row["key"] for row in found}
