"""Random acts: mostly such as people do, sometimes such as nobody may."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from tests.properties.house import (
    CLOCK,
    GOODS,
    LOTS,
    PEOPLE,
    PLACES,
    SELLABLE,
    STOCKED,
    STRANGER,
    Call,
    House,
)
from tests.properties.model import Model

T = TypeVar("T")
Lines = list[dict[str, Any]]


class Acts:
    """Makes up calls.

    Parameters:
        house: where.
        model: what there is to act on: goods, numbers, documents.
        chance: every choice; hypothesis's own, so that it can make a failing run shorter.
    """

    def __init__(self, house: House, model: Model, chance: Random) -> None:
        self.house = house
        self.model = model
        self.chance = chance

    # Choices -------------------------------------------------------------------------------------

    def once_in(self, times: int) -> bool:
        """True now and then; hypothesis makes it rarer when it shrinks."""
        return self.chance.randrange(times) == times - 1

    def pick(self, among: Sequence[T]) -> T:
        """One of them."""
        return among[self.chance.randrange(len(among))]

    def id(self) -> UUID:
        """An id as clients make it up."""
        return UUID(int=self.chance.getrandbits(128), version=4)

    def who(self, *usual: str) -> str:
        """One of those who do this, or, one time in twelve, anybody."""
        return self.pick([*PEOPLE, STRANGER]) if self.once_in(12) else self.pick(usual)

    def quantity(self, sku: str, most: int = 4) -> Decimal:
        """So much as a hand can carry; fractions where the unit has them."""
        whole = Decimal(self.chance.randint(1, most))
        fractions = GOODS[sku].unit in {"SQM", "LTR"}
        return whole - Decimal("0.5") if fractions and self.once_in(3) else whole

    def serials(self, place: str, sku: str, count: int) -> list[str]:
        """Numbers of pieces that stand there, one time in ten of others."""
        here = self.model.state.serials_at(place, sku)
        if self.once_in(10) or len(here) < count:
            here = [f"{sku[0].upper()}{number}" for number in range(1, 13)]
        if self.once_in(15):
            count = max(1, count + self.pick((-1, 1)))
        return sorted(self.chance.sample(here, min(count, len(here))))

    def there(self, place: str, sku: str) -> Decimal:
        """How many nobody was promised; of a set as many as its components allow."""
        level, parts = self.model.state.level, GOODS[sku].parts or {sku: Decimal(1)}
        return min(level(place, part).available // each for part, each in parts.items())

    def basket(self, place: str, count: int) -> list[str]:
        """Different goods, mostly such as are there."""
        there = [sku for sku in GOODS if self.there(place, sku) >= 1]
        among = there if len(there) >= count and not self.once_in(8) else list(GOODS)
        return self.chance.sample(among, count)

    def line(self, place: str, sku: str, *, sold: bool = True) -> dict[str, Any]:
        """One line of goods that leave `place`, with what its tracking asks for."""
        goods, most = GOODS[sku], 3
        if not self.once_in(6):
            most = max(1, min(most, int(self.there(place, sku))))
        quantity = self.quantity(sku, most)
        line: dict[str, Any] = {"variant_id": self.house.variants[sku], "quantity": quantity}
        parts = goods.parts or {sku: Decimal(1)}
        numbered = [part for part in parts if GOODS[part].tracking == "serial"]
        if numbered and not self.once_in(12):
            line["serials"] = [
                serial
                for part in numbered
                for serial in self.serials(place, part, int(quantity * parts[part]))
            ]
        if goods.tracking == "batch" and self.once_in(3):
            line["batch"] = self.pick(list(LOTS))
        if sku == "rug" and sold and self.once_in(4):
            line |= {"unit": "ROL", "quantity": Decimal(self.pick((1, 1, 2)))}
        return line

    # The acts ------------------------------------------------------------------------------------

    def openings(self) -> Iterator[Call]:
        """The first goods of the house."""
        for place in ("A.shop", "A.store", "B.shop"):
            for sku in STOCKED:
                options: dict[str, Any] = {}
                if GOODS[sku].tracking == "batch":
                    # Several lots at each place, or it would never matter which goes first.
                    for lot in self.chance.sample(list(LOTS), 3):
                        day = LOTS[lot]
                        options = {"batch": lot, "expires_on": day.isoformat() if day else None}
                        yield self.adjustment("admin", place, sku, Decimal(3), "opening", options)
                    continue
                if GOODS[sku].tracking == "serial":
                    first = 1 + 3 * SELLABLE.index(place)
                    options["serials"] = [f"{sku[0].upper()}{number}" for number in range(first, first + 3)]
                quantity = Decimal(len(options.get("serials", range(8))))
                yield self.adjustment("admin", place, sku, quantity, "opening", options)

    def open_stock(self) -> Call:
        """Goods that come in without a purchase."""
        place, sku = self.pick(list(PLACES)), self.pick(STOCKED)
        return self._adjust(place, sku, self.quantity(sku, 6), self.pick(("opening", "found")))

    def write_off(self) -> Call:
        """Goods that are lost, or too many counted."""
        place, sku = self.pick(list(PLACES)), self.pick(STOCKED)
        return self._adjust(
            place, sku, -self.quantity(sku, 3), self.pick(("damage", "write_off", "correction"))
        )

    def _adjust(self, place: str, sku: str, quantity: Decimal, reason: str) -> Call:
        options: dict[str, Any] = {}
        if GOODS[sku].tracking == "serial":
            count = int(abs(quantity))
            free = [
                serial
                for serial in (f"{sku[0].upper()}{number}" for number in range(1, 13))
                if (sku, serial) not in self.model.state.pieces
            ]
            if quantity > 0 and len(free) >= count and not self.once_in(4):
                options["serials"] = free[:count]
            elif not self.once_in(10):
                options["serials"] = self.serials(place, sku, count)
        elif GOODS[sku].tracking == "batch" and not self.once_in(10 if quantity > 0 else 2):
            lot = options["batch"] = self.pick(list(LOTS))
            day = LOTS[lot]
            if quantity > 0 and day is not None:
                options["expires_on"] = "2077-07-07" if self.once_in(15) else day.isoformat()
        elif sku == "rug" and self.once_in(5):
            options["unit"], quantity = "ROL", Decimal(1 if quantity > 0 else -1)
        who = self.who("admin", f"keeper_{place[0].lower()}")
        return self.adjustment(who, place, sku, quantity, reason, options)

    def adjustment(
        self, who: str, place: str, sku: str, quantity: Decimal, reason: str, options: dict[str, Any]
    ) -> Call:
        """Stock that comes or goes; what comes has a cost now and then."""
        return Call(
            who,
            "adjust_stock",
            {
                "p_id": self.id(),
                "p_location_id": self.house.places[place],
                "p_variant_id": self.house.variants[sku],
                "p_quantity": quantity,
                "p_reason": reason,
                "p_unit_cost": Decimal(self.chance.randint(1, 99))
                if quantity > 0 and self.once_in(2)
                else None,
                "p_options": options,
            },
        )

    def sell(self, **options: Any) -> Call:
        """A basket over the counter."""
        place = self.pick(SELLABLE) if not self.once_in(15) else self.pick(list(PLACES))
        count = self.pick((1, 1, 2, 3))
        lines = [self.line(place, sku) for sku in self.basket(place, count)]
        return self.sale(place, lines, **options)

    def sale(self, place: str, lines: Lines, **options: Any) -> Call:
        """The sale of these lines from a place, paid exactly in cash."""
        branch = place[0] if not self.once_in(25) else self.pick("AB")
        total = sum(self._price(line) for line in lines)
        people = {"A": ("cashier_a", "sales_a", "admin"), "B": ("cashier_b", "admin")}
        return Call(
            self.who(*people[branch]),
            "post_sale",
            {
                "p_id": self.id(),
                "p_branch_id": self.house.branches[branch],
                "p_location_id": self.house.places[place],
                "p_customer_id": None,
                "p_lines": lines,
                "p_payments": [{"method": "cash", "amount": total}],
                "p_options": options,
            },
        )

    def _price(self, line: dict[str, Any]) -> Decimal:
        sku = self.house.sku_of(line["variant_id"])
        assert sku is not None
        price = GOODS[sku].price * (Decimal("12.5") if "unit" in line else 1)
        return (Decimal(line["quantity"]) * price.quantize(Decimal("0.01"))).quantize(
            Decimal("0.01"), "ROUND_HALF_UP"
        )

    def take_back(self) -> Call | None:
        """Some of what a sale sold."""
        invoices = list(self.model.invoices)
        if not invoices:
            return None
        invoice_id = self.pick(invoices)
        invoice, lines = self.model.invoices[invoice_id], []
        for number, sold in enumerate(invoice.lines, start=1):
            open_quantity = sold.quantity - sold.returned
            if self.once_in(3) or (open_quantity <= 0 and not self.once_in(6)):
                continue
            quantity = min(Decimal(self.chance.randint(1, 3)), open_quantity)
            if quantity <= 0 or self.once_in(15):
                quantity = Decimal(self.chance.randint(1, 4))
            line: dict[str, Any] = {"line_no": number, "quantity": quantity}
            serials: list[str] = []
            for sku, items in sold.items:
                if GOODS[sku].tracking == "serial":
                    known = sorted(s for move in invoice.left if move.sku == sku for s in move.serials or ())
                    serials += known[: int(items * quantity / sold.quantity)]
            if serials and not self.once_in(12):
                line["serials"] = serials
            lines.append(line)
        if not lines or self.once_in(40):
            lines = [{"line_no": self.chance.randint(1, 4), "quantity": Decimal(1)}]
        place = self.pick(list(PLACES))
        return Call(
            self.who("admin", f"cashier_{place[0].lower()}"),
            "return_goods",
            {
                "p_id": self.id(),
                "p_invoice_id": self.id() if self.once_in(40) else invoice_id,
                "p_location_id": self.house.places[place],
                "p_lines": lines,
                "p_reason": "Changed their mind",
            },
        )

    def repeat(self) -> Call | None:
        """A call that was carried out before, once more, or its id with other content."""
        if not self.model.done:
            return None
        call = self.model.done[self.pick(list(self.model.done))]
        if call.who == CLOCK:
            return None
        if self.once_in(4) and call.function == "adjust_stock":
            return Call(
                call.who, call.function, {**call.arguments, "p_quantity": call.arguments["p_quantity"] * 2}
            )
        return call

    def any(self) -> Call:
        """Any act that there is something for."""
        kinds = self.all
        while True:
            (kind,) = self.chance.choices(list(kinds), list(kinds.values()))
            if (call := kind()) is not None:
                return call

    @property
    def all(self) -> dict[Callable[[], Call | None], int]:
        """Every kind of act, and how often it comes."""
        return {self.open_stock: 3, self.write_off: 2, self.sell: 6, self.take_back: 3, self.repeat: 1}
