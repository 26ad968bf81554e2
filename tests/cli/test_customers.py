"""Customers in a terminal."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.api.conftest import Shop
from tests.cli.conftest import Terminal


def test_a_customer_is_added_found_and_shown(cashier: Terminal) -> None:
    name = f"Arjun {uuid4().hex[:6]}"
    own_id = str(uuid4())
    words = ["customers", "add", name, "--city", "Bengaluru", "--region", "29", "--id", own_id]
    made = cashier.gives(*words)
    assert (made["id"], made["country"], made["credit_limit"]) == (own_id, "IN", Decimal("0.00"))
    assert cashier.gives(*words) == made, "sent again, it is the same customer"
    cashier.refused("duplicate", *words, "--phone", "1")
    assert [row["id"] for row in cashier.gives("customers", "list", name.upper())["items"]] == [own_id]
    assert name in cashier.says("customers", "list", name)
    shown = cashier.gives("customers", "show", name)
    assert (shown["id"], shown["owed"], shown["unallocated"], shown["open_invoices"]) == (own_id, 0, 0, [])
    said = cashier.says("customers", "show", own_id)
    assert "Bengaluru, 29, IN" in said
    assert "Open invoices: none." in said


def test_the_whole_list_comes_page_by_page(admin: Terminal, shop: Shop) -> None:
    mark = uuid4().hex[:8]
    rows = [{"id": str(uuid4()), "org_id": str(shop.org_id), "name": f"{mark} {i:04d}"} for i in range(1203)]
    shop.admin.client.table("customers").insert(rows).execute()
    found = admin.gives("customers", "list", mark, "--all")["items"]
    assert [row["name"] for row in found] == [row["name"] for row in rows]
    assert len(admin.gives("customers", "list", mark)["items"]) == 50
    shown = admin.run("customers", "list", mark)
    assert "The first 50; --limit and --all show more." in shown.stderr
    admin.refused("ambiguous", "customers", "show", mark, status=2)


def test_what_a_name_holds_cannot_steer_the_terminal(admin: Terminal) -> None:
    mark = uuid4().hex[:8]
    made = admin.gives("customers", "add", f"[bold]{mark}[/] \x1b[2J*(,)\"'\\")
    said = admin.says("customers", "list", mark)
    assert "\x1b" not in said
    assert f"[bold]{mark}[/]" in said
    for text in ("*(,)\"'\\", f"[bold]{mark}"):
        assert made["id"] in [row["id"] for row in admin.gives("customers", "list", text)["items"]]


def test_strangers_customers_are_not_there(cashier: Terminal, shop: Shop) -> None:
    theirs = shop.stranger.rpc("whoami")["organizations"][0]["id"]
    row: dict[str, Any] = {"id": str(uuid4()), "org_id": theirs, "name": "Not yours"}
    shop.stranger.client.table("customers").insert(row).execute()
    cashier.refused("not_found", "customers", "show", row["id"])
    cashier.refused("not_found", "customers", "show", "Not yours")
