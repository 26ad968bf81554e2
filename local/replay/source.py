"""The file: what its lines mean, and what they must come to. Knows nothing of the stack."""

import csv
import gzip
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

PENNY = Decimal("0.01")
ZERO = Decimal("0.00")

# Codes of the file that stand for charges: postage, carriage, hand-written lines, discounts, bank charges.
CHARGES = {
    "POST",
    "D",
    "M",
    "C2",
    "DOT",
    "BANK CHARGES",
    "S",
    "AMAZONFEE",
    "CRUK",
    "B",
    "PADS",
}

COUNTRIES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Channel Islands": "JE",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "RSA": "ZA",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "USA": "US",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}


class BadFile(Exception):  # noqa: N818 - the file is at fault, and the message says where
    """The file cannot be read as till data."""


@dataclass(frozen=True)
class Line:
    """One line of a till slip; unit_price in pounds, before tax."""

    code: str
    description: str
    quantity: int
    unit_price: Decimal

    @property
    def value(self) -> Decimal:
        """Quantity times unit price, in pounds before tax."""
        return self.quantity * self.unit_price

    @property
    def goods(self) -> bool:
        """Whether the line is of something that lies on a shelf."""
        return self.code not in CHARGES


@dataclass
class Slip:
    """All lines of one InvoiceNo. customer is None for a walk-in; country is an ISO code."""

    number: str
    at: datetime
    customer: str | None
    country: str
    lines: list[Line] = field(default_factory=list)

    @property
    def cancellation(self) -> bool:
        """Goods that came back: the number begins with C."""
        return self.number.startswith("C")

    @property
    def write_off(self) -> bool:
        """Stock taken off the books: negative quantities, no C, no price."""
        return not self.cancellation and all(
            line.quantity < 0 and line.unit_price == 0 for line in self.lines
        )

    @property
    def sale(self) -> bool:
        """Something that was sold."""
        return not self.cancellation and not self.write_off

    @property
    def value(self) -> Decimal:
        """The sum of the lines, in pounds before tax."""
        return sum((line.value for line in self.lines), ZERO)

    def tax(self, rate: Decimal) -> Decimal:
        """The VAT of the slip: each line's rounded half up, nothing on what leaves the country."""
        if self.country != "GB":
            return ZERO
        return sum(
            ((line.value * rate / 100).quantize(PENNY, ROUND_HALF_UP) for line in self.lines),
            ZERO,
        )


@dataclass
class Item:
    """A stock code: the name and the price it bears most often."""

    code: str
    name: str
    price: Decimal
    goods: bool


class Source:
    """The file as a whole.

    Parameters:
        content: the CSV's bytes, not compressed.

    Raises:
        BadFile: a column is missing, or a line has no number, date or known country.
    """

    def __init__(self, content: bytes) -> None:
        self.digest = hashlib.sha256(content).hexdigest()
        self.slips = _slips(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        self.line_count = sum(len(slip.lines) for slip in self.slips)
        self.items = _items(self.slips)

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read a .csv or .csv.gz file."""
        content = path.read_bytes()
        return cls(gzip.decompress(content) if path.suffix == ".gz" else content)

    @property
    def sales(self) -> list[Slip]:
        """What is sold, in time order; at the same minute the file's order decides."""
        return sorted((slip for slip in self.slips if slip.sale), key=lambda slip: slip.at)

    @property
    def write_offs(self) -> list[Slip]:
        """What is taken off the books, in time order."""
        return sorted((slip for slip in self.slips if slip.write_off), key=lambda slip: slip.at)

    @property
    def cancellations(self) -> list[Slip]:
        """What came back."""
        return [slip for slip in self.slips if slip.cancellation]

    @property
    def customers(self) -> dict[str, str]:
        """Customer number to ISO country code; the first country stays."""
        found: dict[str, str] = {}
        for slip in self.slips:
            if slip.customer is not None:
                found.setdefault(slip.customer, slip.country)
        return found

    @property
    def needed(self) -> dict[str, int]:
        """Pieces of each goods code that all sales and write-offs together take from the shelf."""
        pieces: Counter[str] = Counter()
        for slip in [*self.sales, *self.write_offs]:
            for line in slip.lines:
                if line.goods:
                    pieces[line.code] += abs(line.quantity)
        return dict(pieces)


def pieces_sold(slips: Iterable[Slip]) -> dict[str, int]:
    """Pieces of each goods code on these slips."""
    pieces: Counter[str] = Counter()
    for slip in slips:
        for line in slip.lines:
            if line.goods:
                pieces[line.code] += line.quantity
    return dict(pieces)


def _slips(rows: "csv.DictReader[str]") -> list[Slip]:
    slips: dict[str, Slip] = {}
    for number, row in enumerate(rows, start=2):
        try:
            at = datetime.strptime(row["InvoiceDate"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            line = Line(
                row["StockCode"].strip(),
                row["Description"].strip(),
                int(row["Quantity"]),
                Decimal(row["UnitPrice"]).quantize(PENNY),
            )
            # The file was saved with floats: customer 17850 reads 17850.0.
            customer = row["CustomerID"].removesuffix(".0").strip() or None
            slip = Slip(row["InvoiceNo"].strip(), at, customer, COUNTRIES[row["Country"].strip()])
        except (KeyError, ValueError, ArithmeticError, AttributeError) as error:
            raise BadFile(f"Line {number} cannot be read ({type(error).__name__}: {error}).") from error
        slips.setdefault(slip.number, slip).lines.append(line)
    return list(slips.values())


def _items(slips: list[Slip]) -> dict[str, Item]:
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    prices: defaultdict[str, Counter[Decimal]] = defaultdict(Counter)
    for slip in slips:
        for line in slip.lines:
            names[line.code][line.description] += 1
            prices[line.code][line.unit_price] += 1
    items: dict[str, Item] = {}
    for code, priced in prices.items():
        # An empty description and a price of 0 mark write-offs and gifts; they describe no product.
        name = next((name for name, _ in names[code].most_common() if name), f"Item {code}")
        price = next((price for price, _ in priced.most_common() if price), ZERO)
        items[code] = Item(code, name, price, code not in CHARGES)
    return items
