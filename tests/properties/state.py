"""What stands where, as the model knows it; every value is immutable, so a copy is cheap."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

ZERO = Decimal(0)


class RefusedError(Exception):
    """The model expects the database to refuse the act with this stable code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def summed(items: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Quantities by SKU."""
    sums: dict[str, Decimal] = {}
    for sku, quantity in items:
        sums[sku] = sums.get(sku, ZERO) + quantity
    return sums


@dataclass(frozen=True)
class Level:
    """One variant at one place."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    incoming: Decimal = ZERO
    in_transit: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What nobody was promised."""
        return self.on_hand - self.reserved


@dataclass(frozen=True)
class Piece:
    """A numbered piece: where it is, and in which status."""

    place: str
    status: str


@dataclass(frozen=True)
class Move:
    """One movement: from `source` to `target`."""

    sku: str
    source: str
    target: str
    quantity: Decimal
    serials: tuple[str, ...] | None = None
    lot: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of a sale. items: what it takes from stock, by SKU; a set's components."""

    sku: str
    quantity: Decimal
    base_quantity: Decimal
    is_set: bool
    items: tuple[tuple[str, Decimal], ...]
    returned: Decimal = ZERO


@dataclass(frozen=True)
class Invoice:
    """A sale. left: what of it has not come back, as it was moved."""

    lines: tuple[Line, ...]
    left: tuple[Move, ...]


@dataclass(frozen=True)
class Reservation:
    """Goods that are promised, by SKU. lapsed: its time has passed, but nobody has ended it yet; ordered: for
    an order, which alone gives them back.
    """

    place: str
    held: dict[str, Decimal]
    status: str = "active"
    lapsed: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class Item:
    """One item of a transfer. settled: the numbers of the pieces that a receipt has spoken of."""

    line_no: int
    sku: str
    quantity: Decimal
    lot: str | None = None
    serials: frozenset[str] | None = None
    received: Decimal = ZERO
    damaged: Decimal = ZERO
    missing: Decimal = ZERO
    settled: frozenset[str] = frozenset()

    @property
    def open(self) -> Decimal:
        """What nobody has said anything about."""
        return self.quantity - self.received - self.damaged - self.missing


@dataclass(frozen=True)
class TransferLine:
    """What was asked for, with the pieces and the lot that the draft named."""

    sku: str
    serials: tuple[str, ...] | None
    lot: str | None


@dataclass(frozen=True)
class Transfer:
    """Goods from one place to another."""

    source: str
    target: str
    lines: tuple[TransferLine, ...]
    items: tuple[Item, ...]
    status: str = "draft"


@dataclass(frozen=True)
class Entry:
    """What somebody counted, and what the book said then. here: the pieces that were in it; found: those that
    were not; moved: how often each of both had moved, which the database keeps in another way.
    """

    quantity: Decimal
    serials: frozenset[str]
    book: Decimal
    found: frozenset[str]
    here: frozenset[str]
    voided: bool = False
    moved: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class CountLine:
    """One line of a count. moved: how often the missing and found pieces had moved when looked for."""

    sku: str
    lot: str | None
    counted: Decimal | None = None
    variance: Decimal | None = None
    missing: frozenset[str] | None = None
    found: frozenset[str] | None = None
    moved: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Count:
    """A count. entries: each with the number of its line, in the order in which they came."""

    place: str
    status: str
    lines: tuple[CountLine, ...]
    entries: tuple[tuple[int, Entry], ...] = ()

    @property
    def open(self) -> bool:
        """May it still change what lies there?"""
        return self.status in {"counting", "submitted", "approved"}


@dataclass(frozen=True)
class State:
    """Everything that acts change. Only what is not empty has an entry, so that two states compare.

    moved: how often each piece has moved; the model alone keeps it.
    """

    levels: dict[tuple[str, str], Level] = field(default_factory=dict)
    lots: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    pieces: dict[tuple[str, str], Piece] = field(default_factory=dict)
    batches: dict[tuple[str, str], date | None] = field(default_factory=dict)
    reservations: dict[UUID, Reservation] = field(default_factory=dict)
    transfers: dict[UUID, Transfer] = field(default_factory=dict)
    counts: dict[UUID, Count] = field(default_factory=dict)
    moved: dict[tuple[str, str], int] = field(default_factory=dict, compare=False)

    def copy(self) -> "State":
        """Another state that starts out equal."""
        return replace(self, **{name: dict(value) for name, value in vars(self).items()})

    def become(self, other: "State") -> None:
        """Take on another state's content."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            mine.clear()
            mine.update(value)

    def level(self, place: str, sku: str) -> Level:
        """The level, empty where nothing ever lay."""
        return self.levels.get((place, sku), Level())

    def change(self, place: str, sku: str, **by: Decimal) -> None:
        """Add to columns of a level."""
        old = self.level(place, sku)
        new = replace(old, **{column: getattr(old, column) + amount for column, amount in by.items()})
        if new == Level():
            self.levels.pop((place, sku), None)
        else:
            self.levels[place, sku] = new

    def change_lot(self, place: str, sku: str, lot: str, by: Decimal) -> None:
        """Add to a lot at a place."""
        new = self.lots.get((place, sku, lot), ZERO) + by
        if new == 0:
            self.lots.pop((place, sku, lot), None)
        else:
            self.lots[place, sku, lot] = new

    def good(self, place: str, sku: str, bad: Callable[[str], bool]) -> tuple[Decimal, Decimal]:
        """How much of the lots there is good, and how much is `bad`."""
        lots = [(lot, n) for (at, what, lot), n in self.lots.items() if (at, what) == (place, sku)]
        gone = sum((n for lot, n in lots if bad(lot)), ZERO)
        return sum((n for _, n in lots), ZERO) - gone, gone

    def serials_at(self, place: str, sku: str) -> list[str]:
        """The numbers of the pieces at a place, in order."""
        return sorted(
            serial for (kind, serial), piece in self.pieces.items() if kind == sku and piece.place == place
        )
