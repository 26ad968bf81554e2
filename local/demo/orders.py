"""From quotation to credit note: one quotation is out, another became an order and is delivered in part."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.client import Progress, Row, Session, send
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


def _act(who: Session, business: Business, act: str, key: str, **arguments: Any) -> Row:
    """An act with an id of its own, so that a load that was interrupted can be run again."""
    named = {f"p_{name}": value for name, value in arguments.items()}
    answer: Row = send(who.db.rpc(act, {"p_id": business.id(act, key), **named}))
    return answer


def _quoted(business: Business, key: str, customer: str, *lines: tuple[str, int, int], **options: Any) -> Row:
    """A quotation that is sent. lines: sku, quantity, discount in rupees."""
    sales = business.people["sales"]
    made = _act(
        sales,
        business,
        "save_quotation",
        key,
        quotation_id=None,
        branch_id=business.id("branch", "BLR"),
        customer_id=business.id("customer", customer),
        lines=[
            {"variant_id": business.id("variant", sku), "quantity": quantity, "discount": discount}
            for sku, quantity, discount in lines
        ],
        options=options,
    )
    return _act(sales, business, "send_quotation", key, quotation_id=made["id"])


def _quotation(business: Business) -> None:
    lines = (("SOF-NIL-SHE-RUS", 1, 5000), ("LMP-FLO-TEA-IVOSH", 2, 0), ("SVC-DEL", 1, 0))
    _quoted(business, "kochar", "kochar", *lines, note="Delivery to the third floor, no lift")


def _order(business: Business) -> None:
    """Twelve chairs and four bookshelves for a hotel: quoted, ordered, paid in part, eight delivered."""
    sales = business.people["sales"]
    lines = (("CHR-IND-MW-BLA", 12, 0), ("STO-BOO-SHE-WAL", 4, 6000), ("SVC-DEL", 1, 0))
    quoted = _quoted(business, "coromandel", "coromandel", *lines, terms="Half with the order")
    _act(sales, business, "approve_quotation", "coromandel", quotation_id=quoted["id"])
    order = _act(sales, business, "convert_quotation", "coromandel", quotation_id=quoted["id"])["id"]
    _act(
        business.people["cashier"],
        business,
        "record_payment",
        "coromandel",
        customer_id=business.id("customer", "coromandel"),
        amount=100000,
        method="bank_transfer",
        reference="NEFT 260411",
        options={"branch_id": business.id("branch", "BLR"), "order_id": order},
    )
    place = business.id("location", WAREHOUSE)
    _act(sales, business, "confirm_order", "coromandel", order_id=order, options={"location_id": place})
    work = {"status": "in_production", "visible_to_customer": True}
    _act(sales, business, "log_work", "1", order_id=order, note="Bookshelves sanded and oiled", options=work)
    delivery = _act(
        business.people["stock"],
        business,
        "deliver_order",
        "coromandel",
        order_id=order,
        location_id=place,
        lines=[{"line_no": 1, "quantity": 8}],
    )
    invoiced = {"delivery_id": delivery["id"]}
    _act(sales, business, "invoice_order", "coromandel", order_id=order, options=invoiced)


def _credit_note(business: Business) -> None:
    """One of the clay lamps that Priya Sharma bought came back; the amount is hers to spend."""
    _act(
        business.people["sales"],
        business,
        "issue_credit_note",
        "sharma",
        invoice_id=business.id("sale", "2"),
        lines=[{"line_no": 2, "quantity": 1, "disposition": "scrap"}],
        reason="Cracked on the way home",
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
