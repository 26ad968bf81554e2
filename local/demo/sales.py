"""A few sales, so that no list of the demo is empty."""

from dataclasses import dataclass
from typing import Any

from local.client import Progress, Row, send
from local.demo.business import Business


@dataclass(frozen=True)
class Basket:
    """One demo sale.

    Parameters:
        who: the person at the till, by the address before the @.
        place: branch and location code.
        customer: the customer's key, None for a walk-in.
        lines: sku, quantity, discount in rupees.
        pays: method and share of the total; cash is handed over in full hundreds, so that there is change.
    """

    who: str
    place: str
    customer: str | None
    lines: tuple[tuple[str, int, int], ...]
    pays: tuple[tuple[str, float], ...]
    note: str | None = None


BASKETS = (
    Basket(
        "cashier",
        "BLR/SHOW",
        None,
        (("TEX-CUS-COT-IND", 4, 0), ("CAR-OIL-OIL-CLE", 1, 0)),
        (("cash", 1),),
    ),
    Basket(
        "cashier",
        "BLR/SHOW",
        "sharma",
        (("TBL-KON-TEA-NAT", 1, 0), ("DEC-DIY-TER-NAT", 2, 0)),
        (("upi", 1),),
    ),
    Basket(
        "sales",
        "BLR/WH",
        "filtercoffee",
        (("TBL-IND-MW-NAT", 3, 4000), ("CHR-IND-MW-NAT", 10, 0), ("SVC-DEL", 1, 0)),
        (("bank_transfer", 0.5),),
        "Half on delivery, the rest within 30 days",
    ),
    Basket(
        "sales",
        "BLR/WH",
        "iyer",
        (("CHR-PLA-TEA-NAT", 1, 1500), ("SVC-DEX", 1, 0)),
        (("card", 1),),
    ),
    Basket("sales", "BLR/SHOW", "mansouri", (("DEC-MIR-MW-DISBL", 1, 0),), (("card", 1),)),
    Basket(
        "cashier.mum",
        "MUM/SHOW",
        None,
        (("LMP-CAN-BAM-NAT", 2, 0), ("DEC-CHK-TEA-NAT", 1, 0)),
        (("cash", 1),),
    ),
    Basket("cashier.mum", "MUM/WH", "deshpande", (("BED-TAB-TEA-NAT", 2, 500),), (("upi", 1),)),
    Basket("cashier.mum", "MUM/WH", "meridian", (("STO-BOO-SHE-HON", 2, 0),), ()),
)


def sell_some(business: Business, progress: Progress) -> None:
    """Post the demo sales; those that were posted before stay as they are."""
    for done, basket in enumerate(BASKETS, start=1):
        sell(business, str(done), basket)
        progress(f"{business.data['name']}: sales", done, len(BASKETS))


def sell(business: Business, key: str, basket: Basket) -> None:
    """Post a demo sale. key: of the sale, from which its id is derived."""
    till = business.people[basket.who]
    branch = business.id("branch", basket.place.partition("/")[0])
    customer = basket.customer and business.id("customer", basket.customer)
    lines: list[Row] = [
        {"variant_id": business.id("variant", sku), "quantity": quantity, "discount": discount}
        for sku, quantity, discount in basket.lines
    ]
    options: dict[str, Any] = {} if basket.note is None else {"note": basket.note}
    quote = send(
        till.db.rpc(
            "quote_sale",
            {"p_branch_id": branch, "p_customer_id": customer, "p_lines": lines, "p_options": options},
        )
    )
    payments = []
    for method, share in basket.pays:
        # Every total is whole rupees here.
        due = round(quote["total"] * share)
        payments.append({"method": method, "amount": -(-due // 100) * 100 if method == "cash" else due})
    send(
        till.db.rpc(
            "post_sale",
            {
                "p_id": business.id("sale", key),
                "p_branch_id": branch,
                "p_location_id": business.id("location", basket.place),
                "p_customer_id": customer,
                "p_lines": lines,
                "p_payments": payments,
                "p_options": options,
            },
        )
    )
