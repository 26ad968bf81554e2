"""What makes the phone shop one: phones known by their numbers, sold with a deposit and in instalments."""

from local.client import Progress, Row, send
from local.demo.business import Business

PLACE = "PUN/SHOP"
STOCK = {
    "PHN-NOVA-128": (13200, ("356938035643809", "356938035643817", "356938035643825")),
    "PHN-LITE-64": (7400, ("490154203237518", "490154203237526")),
}
DEPOSIT = 5000
# Customer, phone, its number, whether the first instalment is paid.
SOLD = (
    ("joshi", "PHN-NOVA-128", "356938035643809", True),
    ("khan", "PHN-LITE-64", "490154203237518", False),
)


def sell_on_instalments(business: Business, progress: Progress) -> None:
    """Sell them; what is there already stays as it is."""
    for sku, (cost, serials) in STOCK.items():
        _receive(business, sku, cost, serials)
    for done, (customer, sku, serial, paid) in enumerate(SOLD, start=1):
        _agree(business, customer, sku, serial)
        if paid:
            _pay_first(business, customer)
        progress(f"{business.data['name']}: instalments", done, len(SOLD))


def _receive(business: Business, sku: str, cost: int, serials: tuple[str, ...]) -> None:
    send(
        business.admin.db.rpc(
            "adjust_stock",
            {
                "p_id": business.id("opening", sku),
                "p_location_id": business.id("location", PLACE),
                "p_variant_id": business.id("variant", sku),
                "p_quantity": len(serials),
                "p_reason": "opening",
                "p_unit_cost": cost,
                "p_options": {"serials": serials},
            },
        )
    )


def _agree(business: Business, customer: str, sku: str, serial: str) -> None:
    """A phone with a deposit, the rest in four months; the first part is due on the day of the sale.

    No agreement can begin before today: what is not paid today is overdue tomorrow.
    """
    clerk, agreement = business.people["clerk"], business.id("agreement", customer)
    agreements = clerk.db.from_("credit_agreements").select("id").eq("org_id", business.org)
    # Its first day is another one tomorrow, so an agreement that is there is not asked for again.
    if agreements.eq("id", agreement).execute().data:
        return
    branch, sale = business.id("branch", "PUN"), business.id("sale", customer)
    buyer = business.id("customer", customer)
    lines = [{"variant_id": business.id("variant", sku), "quantity": 1, "serials": [serial]}]
    send(
        clerk.db.rpc(
            "post_sale",
            {
                "p_id": sale,
                "p_branch_id": branch,
                "p_location_id": business.id("location", PLACE),
                "p_customer_id": buyer,
                "p_lines": lines,
                "p_payments": [{"method": "cash", "amount": DEPOSIT}],
            },
        )
    )
    # The day at the branch, as the database has it.
    today: Row = send(
        clerk.db.rpc("quote_sale", {"p_branch_id": branch, "p_customer_id": buyer, "p_lines": lines})
    )
    terms = {
        "deposit": DEPOSIT,
        "count": 4,
        "first_due_on": today["business_date"],
        "interest": {"kind": "flat", "annual_percent": 12},
        "fees": [{"name": "File charge", "amount": 250}],
        "late_fee": 100,
        "default_after_days": 60,
    }
    send(clerk.db.rpc("open_credit_sale", {"p_id": agreement, "p_invoice_id": sale, "p_terms": terms}))


def _pay_first(business: Business, customer: str) -> None:
    till, agreement = business.people["cashier"], business.id("agreement", customer)
    schedule: list[Row] = send(till.db.rpc("get_agreement", {"p_id": agreement}))["schedule"]
    send(
        till.db.rpc(
            "pay_agreement",
            {
                "p_id": business.id("instalment", customer),
                "p_agreement_id": agreement,
                "p_amount": schedule[0]["total"],
                "p_method": "upi",
                "p_reference": "UPI 4471",
            },
        )
    )
