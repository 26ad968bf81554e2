"""From quotation to invoice in a terminal."""

from decimal import Decimal
from typing import Any

from tests.api.conftest import Shop
from tests.api.trading import offer
from tests.cli.conftest import Terminal
from tests.cli.phones import CASE, PHONE, PhoneShop


def test_from_quotation_to_invoice(phones: PhoneShop, admin: Terminal) -> None:
    clerk, cashier = phones.clerk, phones.cashier
    ena = phones.customer("Ena")
    quoted = cashier.gives("quotations", "new", f"{PHONE}=2", CASE, "-c", ena["id"], "--note", "Office")
    assert (quoted["status"], quoted["number"], quoted["note"]) == ("draft", None, "Office")
    assert quoted["id"] in cashier.says("quotations", "list", "-c", ena["name"]), "a draft has no number yet"
    admin.refused("not_found", "quotations", "show", quoted["id"])
    sent = cashier.gives("quotations", "send", quoted["id"])
    error = cashier.refused("permission_denied", "quotations", "approve", sent["number"])
    assert error["permission"] == "quotation.approve"
    clerk.refused("invalid_transition", "quotations", "convert", sent["number"])
    assert clerk.gives("quotations", "approve", sent["number"])["status"] == "approved"
    order = clerk.gives("quotations", "convert", sent["number"])
    assert (order["status"], order["total"]) == ("draft", quoted["total"])
    listed = clerk.gives("quotations", "list", "-c", ena["id"], "--status", "converted")["items"]
    assert [row["id"] for row in listed] == [quoted["id"]]

    advance = cashier.gives("payments", "record", "5000", "-c", ena["id"], "--order", order["id"])
    assert advance["unallocated"] == 5000
    confirmed = clerk.gives("orders", "confirm", order["id"])
    number = confirmed["number"]
    assert (confirmed["status"], confirmed["advances"]) == ("confirmed", Decimal(5000))
    assert number in clerk.says("orders", "list", "--status", "confirmed")
    deliver = ["orders", "deliver", number]
    clerk.refused("confirmation_needed", *deliver, status=2)
    clerk.refused("delivery_exceeds_order", *deliver, "--line", "1=3", "--yes")
    clerk.refused("invalid_input", *deliver, "--serial", "1=IMEI-1", "--yes", status=2)
    part = clerk.gives(*deliver, "--line", "1=1", "--yes")
    assert [(line["line_no"], line["quantity"]) for line in part["lines"]] == [(1, 1)]
    shown = clerk.gives("orders", "show", number)
    assert [line["open"] for line in shown["lines"]] == [1, 1]
    assert part["number"] in clerk.says("orders", "show", number)
    clerk.refused("invalid_transition", "orders", "cancel", number, "--reason", "No", "--yes")

    bill = ["orders", "invoice", number]
    clerk.refused("invoice_exceeds_order", *bill, "--line", "1=3")
    case = clerk.gives(*bill, "--line", "2=1")
    assert [(line["line_no"], line["quantity"]) for line in case["lines"]] == [(2, 1)]
    assert case["balance"] == 0
    clerk.gives(*deliver, "--yes")
    invoice = clerk.gives(*bill)
    assert (invoice["paid"] + case["paid"], invoice["balance"]) == (5000, quoted["total"] - 5000)
    clerk.refused("invoice_exceeds_order", "orders", "invoice", number)
    acts = clerk.gives("customers", "history", ena["id"])["items"]
    assert {act["kind"] for act in acts} == {"quotation", "order", "delivery", "invoice", "payment"}
    assert clerk.gives("customers", "history", ena["id"], "--limit", "1")["items"] == acts[:1]
    assert clerk.gives("customers", "history", ena["id"], "--all")["items"] == acts
    assert invoice["number"] in clerk.says("customers", "history", ena["name"])


def test_where_the_goods_go_is_shown(shop: Shop, admin: Terminal, meera: dict[str, Any]) -> None:
    """The terminal names no addresses itself; it shows them on the documents that have one."""
    place = {
        "org_id": shop.org_id,
        "customer_id": meera["id"],
        "kind": "delivery",
        "recipient": "Ravi, foreman",
        "phone": "+91 98450 12345",
        "address_line1": "Plot 11, Hosur Road",
        "city": "Mysuru",
        "region_code": "29",
        "country": "IN",
    }
    site = shop.admin.post("/v1/customer-addresses", place)
    made = {}
    for name, options in (("brought", {"deliver_to": site["id"]}), ("fetched", {})):
        body = offer(shop, meera["id"], options=options)
        made[name] = shop.admin.post("/v1/billing/orders", body)["id"]
    shown = " ".join(admin.wide(200).says("orders", "show", made["brought"]).split())
    assert "Deliver to Ravi, foreman, Plot 11, Hosur Road, Mysuru, Karnataka, IN, +91 98450 12345" in shown
    assert admin.gives("orders", "show", made["brought"])["ship_to"]["id"] == site["id"]
    assert "Deliver to" not in admin.says("orders", "show", made["fetched"])


def test_an_order_is_cancelled(phones: PhoneShop) -> None:
    clerk = phones.clerk
    fay = phones.customer("Fay")
    quoted = clerk.gives("quotations", "new", PHONE, "-c", fay["id"])
    for step in ("send", "approve"):
        clerk.gives("quotations", step, quoted["id"])
    order = clerk.gives("quotations", "convert", quoted["id"])
    clerk.gives("payments", "record", "1000", "-c", fay["id"], "--order", order["id"])
    number = clerk.gives("orders", "confirm", order["id"])["number"]
    cancel = ["orders", "cancel", number, "--reason", "Changed her mind"]
    clerk.refused("confirmation_needed", *cancel, status=2)
    error = clerk.refused("permission_denied", *cancel, "--refund", "cash", "--yes")
    assert error["permission"] == "refund.create"
    done = phones.owner.gives(*cancel, "--refund", "cash", "--yes")
    assert (done["status"], done["advances"], done["reason"]) == ("cancelled", 0, "Changed her mind")
    clerk.refused("invalid_transition", "orders", "confirm", number)
