"""From quotation to credit note: one quotation is out, another became an order and is delivered in part."""

from datetime import UTC, datetime, timedelta

from local.client import Progress, send
from local.demo.business import Business
from local.demo.sales import Basket, sell
from local.demo.showroom import POLISH, SHOW, WAREHOUSE

DAYS_AGO = 40
CARE = Basket("cashier", SHOW, "gowda", ((POLISH, 8, 0), ("CAR-OIL-OIL-CLE", 1, 0)), (("upi", 1),))


def take_orders(business: Business, progress: Progress) -> None:
    """Make them; what is there already stays as it is."""
    steps = (_quotation, _order, _credit_note, _care, _old_debt)
    for done, step in enumerate(steps, start=1):
        step(business)
        progress(f"{business.data['name']}: orders", done, len(steps))


def _quoted(business: Business, key: str, *lines: tuple[str, int, int], **options: str) -> str:
    """A quotation that is sent. key: of the customer; lines: sku, quantity, discount in rupees. Its id."""
    sales = business.people["sales"]
    asked = [
        {"variant_id": business.id("variant", sku), "quantity": quantity, "discount": discount}
        for sku, quantity, discount in lines
    ]
    quotation: str = send(
        sales.db.rpc(
            "save_quotation",
            {
                "p_id": business.id("save_quotation", key),
                "p_quotation_id": None,
                "p_branch_id": business.id("branch", "BLR"),
                "p_customer_id": business.id("customer", key),
                "p_lines": asked,
                "p_options": options,
            },
        )
    )["id"]
    act = business.id("send_quotation", key)
    send(sales.db.rpc("send_quotation", {"p_id": act, "p_quotation_id": quotation}))
    return quotation


def _quotation(business: Business) -> None:
    lines = (("SOF-NIL-SHE-RUS", 1, 5000), ("LMP-FLO-TEA-IVOSH", 2, 0), ("SVC-DEL", 1, 0))
    _quoted(business, "kochar", *lines, note="Delivery to the third floor, no lift")


def _order(business: Business) -> None:
    """Twelve chairs and four bookshelves for a hotel: quoted, ordered, paid in part, eight delivered."""
    sales, key = business.people["sales"], "coromandel"
    lines = (("CHR-IND-MW-BLA", 12, 0), ("STO-BOO-SHE-WAL", 4, 6000), ("SVC-DEL", 1, 0))
    quotation = _quoted(business, key, *lines, terms="Half with the order")
    act = business.id("approve_quotation", key)
    send(sales.db.rpc("approve_quotation", {"p_id": act, "p_quotation_id": quotation}))
    act = business.id("order", key)
    order: str = send(sales.db.rpc("convert_quotation", {"p_id": act, "p_quotation_id": quotation}))["id"]
    send(
        business.people["cashier"].db.rpc(
            "record_payment",
            {
                "p_id": business.id("advance", key),
                "p_customer_id": business.id("customer", key),
                "p_amount": 100000,
                "p_method": "bank_transfer",
                "p_reference": "NEFT 260411",
                "p_options": {"branch_id": business.id("branch", "BLR"), "order_id": order},
            },
        )
    )
    place = business.id("location", WAREHOUSE)
    send(
        sales.db.rpc(
            "confirm_order",
            {
                "p_id": business.id("confirm_order", key),
                "p_order_id": order,
                "p_options": {"location_id": place},
            },
        )
    )
    send(
        sales.db.rpc(
            "log_work",
            {
                "p_id": business.id("work", key),
                "p_order_id": order,
                "p_note": "Bookshelves sanded and oiled",
                "p_options": {"status": "in_production", "visible_to_customer": True},
            },
        )
    )
    delivery = send(
        business.people["stock"].db.rpc(
            "deliver_order",
            {
                "p_id": business.id("delivery", key),
                "p_order_id": order,
                "p_location_id": place,
                "p_lines": [{"line_no": 1, "quantity": 8}],
            },
        )
    )
    send(
        sales.db.rpc(
            "invoice_order",
            {
                "p_id": business.id("order invoice", key),
                "p_order_id": order,
                "p_options": {"delivery_id": delivery["id"]},
            },
        )
    )


def _credit_note(business: Business) -> None:
    """One of the clay lamps that Priya Sharma bought came back; the amount is hers to spend."""
    send(
        business.people["sales"].db.rpc(
            "issue_credit_note",
            {
                "p_id": business.id("credit note", "sharma"),
                "p_invoice_id": business.id("sale", "2"),
                "p_lines": [{"line_no": 2, "quantity": 1, "disposition": "scrap"}],
                "p_reason": "Cracked on the way home",
            },
        )
    )


def _care(business: Business) -> None:
    """Polish of two lots, which the invoice names."""
    sell(business, "care", CARE)


def _old_debt(business: Business) -> None:
    """Forty days ago, on thirty days' credit: what the ageing report is for. The owner alone may backdate."""
    sale, table = business.id("sale", "old"), business.admin.db.from_("invoices")
    # The moment is another one at every load, so a sale that is there is not sent again.
    if table.select("id").eq("org_id", business.org).eq("id", sale).execute().data:
        return
    send(
        business.admin.db.rpc(
            "post_sale",
            {
                "p_id": sale,
                "p_branch_id": business.id("branch", "BLR"),
                "p_location_id": business.id("location", WAREHOUSE),
                "p_customer_id": business.id("customer", "filtercoffee"),
                "p_lines": [{"variant_id": business.id("variant", "CHR-IND-MW-NAT"), "quantity": 2}],
                "p_payments": [],
                "p_options": {
                    "occurred_at": (datetime.now(UTC) - timedelta(days=DAYS_AGO)).isoformat(),
                    "note": "30 days",
                },
            },
        )
    )
