"""The day at the till: every slip of the file in time order."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from local.client import Progress, Refused, Row, read_all, send
from local.replay.house import House
from local.replay.source import Slip, Source

# A walk-in pays small amounts in cash; what is above goes on his card.
CASH_UP_TO = Decimal(50)


@dataclass
class Refusals:
    """What the database did not take, by stable code."""

    by_code: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def noting(self, what: str) -> Iterator[None]:
        """Keep the refusal that the block ends with, if any, and go on."""
        try:
            yield
        except Refused as refused:
            self.by_code[refused.code].append(f"{what}: {refused.message}")


def sale_id(house: House, slip: Slip) -> str:
    """The id of a slip's invoice."""
    return house.id("sale", slip.number)


def write_off_id(house: House, slip: Slip, place: int) -> str:
    """The id of the adjustment for one line of a write-off."""
    return house.id("write-off", f"{slip.number}/{place}")


def totals_there(house: House) -> dict[str, Decimal]:
    """Invoices that the organisation has already: id to total in pounds."""
    rows = read_all(
        lambda: house.owner.db.from_("invoices").select("id,total").eq("org_id", house.org).order("id")
    )
    return {row["id"]: money(row["total"]) for row in rows}


def money(number: float | int) -> Decimal:
    """An amount out of a JSON number. Its shortest text is the number that was stored."""
    return Decimal(str(number)).quantize(Decimal("0.01"))


def post_all(house: House, source: Source, progress: Progress) -> Refusals:
    """Post all sales, then all write-offs.

    What was posted before is sent again all the same, and must change nothing.
    """
    refusals = Refusals()
    there = totals_there(house)
    # One after the other: the numbers of a series shall follow the time.
    for done, slip in enumerate(source.sales, start=1):
        with refusals.noting(f"invoice {slip.number}"):
            _post(house, slip, there)
        progress("Sales", done, len(source.sales))
    # Adjustments are dated when they are made, so their place among backdated sales does not matter.
    for done, slip in enumerate(source.write_offs, start=1):
        with refusals.noting(f"write-off {slip.number}"):
            _write_off(house, slip)
        progress("Write-offs", done, len(source.write_offs))
    return refusals


def _post(house: House, slip: Slip, there: dict[str, Decimal]) -> None:
    lines: list[Row] = [
        {
            "variant_id": house.id("variant", line.code),
            "quantity": line.quantity,
            "unit_price": float(line.unit_price),
        }
        for line in slip.lines
    ]
    customer = None if slip.customer is None else house.id("customer", slip.customer)
    options: Row = {
        "occurred_at": slip.at.isoformat(),
        "reference": slip.number,
        # The slip says where the goods went: a walk-in has no address, a customer may have several.
        "place_of_supply": slip.country,
    }
    total = there.get(sale_id(house, slip))
    if total is None:
        quote = send(
            house.till.db.rpc(
                "quote_sale",
                {
                    "p_branch_id": house.branch,
                    "p_customer_id": customer,
                    "p_lines": lines,
                    "p_options": options,
                },
            )
        )
        total = money(quote["total"])
    send(
        house.till.db.rpc(
            "post_sale",
            {
                "p_id": sale_id(house, slip),
                "p_branch_id": house.branch,
                "p_location_id": house.warehouse,
                "p_customer_id": customer,
                "p_lines": lines,
                "p_payments": _payments(slip, total),
                "p_options": options,
            },
        )
    )


def _payments(slip: Slip, total: Decimal) -> list[Row]:
    if total == 0:
        return []
    walk_in = "cash" if total <= CASH_UP_TO else "card"
    method = walk_in if slip.customer is None else "bank_transfer"
    return [{"method": method, "amount": float(total)}]


def _write_off(house: House, slip: Slip) -> None:
    for place, line in enumerate(slip.lines, start=1):
        send(
            house.stock.db.rpc(
                "adjust_stock",
                {
                    "p_id": write_off_id(house, slip, place),
                    "p_location_id": house.warehouse,
                    "p_variant_id": house.id("variant", line.code),
                    "p_quantity": line.quantity,
                    "p_reason": "write_off",
                },
            )
        )
