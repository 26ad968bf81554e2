"""Random acts on orders, and on sales that are credited, voided or exchanged."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.properties.acts_counts import AllActs
from tests.properties.house import GOODS, PLACES, SELLABLE, Call
from tests.properties.learned import Order, Sales

OPEN = ("confirmed", "in_production", "ready", "partially_delivered")


class EveryAct(AllActs):
    """Makes up calls about everything, money papers among them."""

    model: Sales

    @property
    def all(self) -> dict[Callable[[], Call | None], int]:
        """Every kind of act, and how often it comes."""
        return super().all | {
            self.order: 3,
            self.confirm: 4,
            self.deliver: 6,
            self.mark: 1,
            self.cancel_order: 1,
            self.credit: 3,
            self.void_sale: 2,
            self.exchange: 3,
        }

    # Orders --------------------------------------------------------------------------------------

    def order(self) -> Call:
        """A draft order."""
        place = self.pick(SELLABLE)
        lines = []
        for sku in self.basket(place, self.pick((1, 2, 3))):
            line = self.line(place, sku)
            lines.append({key: line[key] for key in ("variant_id", "quantity", "unit") if key in line})
        return Call(
            self.who("admin", "sales_a"),
            "save_order",
            {
                "p_id": self.id(),
                "p_order_id": None,
                "p_branch_id": self.house.branches[place[0]],
                "p_customer_id": self.house.customer,
                "p_lines": lines,
            },
        )

    def _order(self, *statuses: str) -> tuple[UUID, Order | None] | None:
        known = self.model.orders
        chosen = self.some(known, [key for key, found in known.items() if found.status in statuses])
        return None if chosen is None else (chosen, known.get(chosen))

    def _selling(self, found: Order | None) -> UUID:
        """Where its goods stand, or another place of its branch, or any."""
        places = list(PLACES) if found is None or self.once_in(15) else [found.branch + ".shop"]
        if found is not None and found.place is not None and not self.once_in(5):
            places = [found.place]
        elif found is not None and self.once_in(3):
            places = [found.branch + ".store"]
        return self.house.places[self.pick(places)]

    def confirm(self) -> Call | None:
        """Hold its goods: all, or what is there."""
        chosen = self._order("draft")
        if chosen is None:
            return None
        options: dict[str, Any] = {"location_id": self._selling(chosen[1])}
        if self.once_in(2):
            options["back_order"] = True
        arguments = {"p_id": self.id(), "p_order_id": chosen[0], "p_options": options}
        return Call(self.who("admin", "sales_a"), "confirm_order", arguments)

    def deliver(self) -> Call | None:
        """A part of it, or all that is open."""
        chosen = self._order(*OPEN)
        if chosen is None:
            return None
        order_id, found = chosen
        location, lines = self._selling(found), []
        place = self.house.place_of(location) or "A.shop"
        for line in found.lines if found else ():
            left = line.quantity - line.delivered
            if left <= 0 or self.once_in(4):
                continue
            part = min(left, Decimal(self.chance.randint(1, 3)))
            if self.once_in(12):
                part = left + 1
            asked: dict[str, Any] = {"line_no": line.line_no, "quantity": part}
            parts = GOODS[line.sku].parts or {line.sku: Decimal(1)}
            serials = [
                serial
                for sku, each in parts.items()
                if GOODS[sku].tracking == "serial"
                for serial in self.serials(place, sku, int(part * each))
            ]
            lines.append(asked | ({"serials": serials} if serials and not self.once_in(12) else {}))
        return Call(
            self.who("admin", "sales_a"),
            "deliver_order",
            {
                "p_id": self.id(),
                "p_order_id": order_id,
                "p_location_id": location,
                "p_lines": None if not lines or self.once_in(8) else lines,
            },
        )

    def mark(self) -> Call | None:
        """Say how far it is; what has come since is held too."""
        chosen = self._order(*OPEN)
        if chosen is None:
            return None
        status = self.pick(("in_production", "ready", "ready", "closed"))
        arguments = {"p_id": self.id(), "p_order_id": chosen[0], "p_status": status}
        return Call(self.who("admin", "sales_a"), "mark_order", arguments)

    def cancel_order(self) -> Call | None:
        """Give it up."""
        chosen = self._order("draft", "confirmed", "in_production", "ready")
        if chosen is None:
            return None
        arguments = {"p_id": self.id(), "p_order_id": chosen[0], "p_reason": "Changed their mind"}
        return Call(self.who("admin", "sales_a"), "cancel_order", arguments)

    # Sales that are taken back -------------------------------------------------------------------

    def credit(self) -> Call | None:
        """Some of what a sale sold comes back, or is only paid back."""
        back = self.take_back()
        if back is None:
            return None
        lines = [
            line
            | ({"disposition": self.pick(("restock", "scrap", "repair", "none"))} if self.once_in(2) else {})
            for line in back.arguments["p_lines"]
        ]
        options: dict[str, Any] = {"refund": {"method": "cash"}}
        if self.once_in(2):
            options["location_id"] = back.arguments["p_location_id"]
        arguments = {
            "p_id": self.id(),
            "p_invoice_id": back.arguments["p_invoice_id"],
            "p_lines": None if self.once_in(8) else lines,
            "p_reason": "Not as ordered",
            "p_options": options,
        }
        return Call(self.who("admin", "admin", "sales_a"), "issue_credit_note", arguments)

    def void_sale(self) -> Call | None:
        """A sale of today that was a mistake."""
        invoices = list(self.model.invoices)
        if not invoices:
            return None
        chosen = self.pick(invoices[-4:]) if not self.once_in(5) else self.pick(invoices)
        arguments = {"p_id": self.id(), "p_invoice_id": chosen, "p_reason": "Wrong article"}
        return Call(self.who("admin", "cashier_a", "cashier_b"), "void_sale", arguments)

    def exchange(self) -> Call | None:
        """Goods of a sale for others."""
        back = self.take_back()
        if back is None:
            return None
        sale = self.sell()
        new = ("p_branch_id", "p_location_id", "p_lines", "p_payments")
        arguments = {
            "p_id": self.id(),
            "p_invoice_id": back.arguments["p_invoice_id"],
            "p_return_lines": back.arguments["p_lines"],
            "p_options": {"refund": {"method": "cash"}},
        }
        arguments |= {key: sale.arguments[key] for key in new}
        return Call(self.who("admin", "admin", "sales_a"), "post_exchange", arguments)
