"""The table of goods: columns as wide as their figures, a header on every page, totals carried over."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final, Literal, cast

from reportlab.lib.enums import TA_RIGHT
from reportlab.platypus import Flowable, LongTable, PageBreak, Paragraph, Table, TableStyle

from backend.app.services.documents import facts, fonts, money, theme
from backend.app.services.documents.text import clean, markup, para, rich

_SIZES: Final = (7.8, 7.3, 6.8, 6.3, 5.8)
_NARROWEST_DESCRIPTION: Final = 132.0
_PADDING: Final = 4.0
_WIDEST_WORD_COLUMN: Final = 76.0
_CARRY_HEIGHT: Final = 17.0
# With this much room left for the description the article number gets a column: each row saves a line.
_ROOMY_DESCRIPTION: Final = 190.0
_MANY_LINES: Final = 30
_KEPT_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of figures or short words: its title, cells, and whether it aligns to the right."""

    title: str
    cells: list[str]
    right: bool = True
    bold: bool = False

    def width(self, size: float) -> float:
        """Measures the widest cell, in points; words beyond a limit are wrapped instead."""
        head = max(fonts.width(word, size - 0.8, bold=True) for word in self.title.split("\n"))
        body = max((fonts.width(cell, size, self.bold) for cell in set(self.cells)), default=0)
        return max(head, min(body, _WIDEST_WORD_COLUMN if self._wraps else body)) + 2 * _PADDING + 0.5

    @property
    def _wraps(self) -> bool:
        return not self.right or self.title == "Qty"

    def cell(self, index: int, size: float) -> str | Paragraph:
        """Makes one cell: a plain string where the base typeface and one line suffice, else a paragraph."""
        text = self.cells[index]
        if fonts.is_plain(text) and not (self._wraps and fonts.width(text, size) > _WIDEST_WORD_COLUMN):
            return text
        align: Literal[0, 2] = TA_RIGHT if self.right else 0
        return para(text, theme.style("cell", size, size * 1.3, bold=self.bold, align=align))


def _columns(invoice: dict[str, Any]) -> tuple[list[_Column], list[_Column]]:
    """Lists the columns left and right of the description."""
    rows, currency = invoice["lines"], invoice["currency"]
    left = [_Column("#", [str(row["line_no"]) for row in rows], right=False)]
    right = []
    if facts.has_codes(rows):
        title = "HSN/SAC" if facts.is_gst(invoice) else "Code"
        right.append(_Column(title, [clean(row.get("hsn_code")) for row in rows], right=False))
    quantities = [
        f"{money.quantity(row['quantity'], currency)} {clean(row.get('unit'))}".strip() for row in rows
    ]
    right.append(_Column("Qty", quantities))
    inclusive = facts.is_taxed(invoice) and any(row.get("price_includes_tax") for row in rows)
    title = "Rate\nincl. tax" if inclusive else "Rate"
    prices = [money.rate(row["unit_price"], currency) for row in rows]
    if inclusive and not all(row.get("price_includes_tax") for row in rows):
        title = "Rate\n* incl. tax"
        prices = [
            f"{p} *" if row.get("price_includes_tax") else p for p, row in zip(prices, rows, strict=True)
        ]
    right.append(_Column(title, prices))

    def figures(title: str, key: str, bold: bool = False) -> _Column:
        return _Column(title, [money.figure(row.get(key), currency) for row in rows], bold=bold)

    if facts.has_discount(invoice):
        discounts = [money.decimal(row.get("discount")) for row in rows]
        right.append(
            _Column("Discount", [money.figure(off, currency) if off else theme.NOTHING for off in discounts])
        )
    if facts.is_taxed(invoice):
        right.append(figures("Taxable", "taxable"))
        right.append(_Column("Tax %", [facts.rate_label(row) for row in rows]))
        right.append(figures("Tax", "tax"))
    right.append(figures("Total" if facts.is_taxed(invoice) else "Amount", "total", bold=True))
    return left, right


def _description(row: dict[str, Any], size: float, with_sku: bool) -> str:
    marked = markup(row["description"])
    sku = clean(row.get("sku"))
    if with_sku and sku and sku != clean(row["description"]):
        marked += f'<br/><font size="{size - 1.2:g}" color="#616E7C">{markup(sku)}</font>'
    for text in facts.particulars(row):
        marked += f'<br/><font size="{size - 1.2:g}" color="#616E7C">{markup(text)}</font>'
    return marked


def _carry(label: str, value: str, width: float) -> Table:
    right = fonts.width(value, 7.8, bold=True) + 3 * _PADDING
    return Table(
        [[label, value]],
        colWidths=[width - right, right],
        rowHeights=[_CARRY_HEIGHT - 1],
        style=TableStyle(
            [
                ("ALIGN", (0, 0), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("FONT", (0, 0), (0, 0), fonts.REGULAR, 7.2),
                ("FONT", (1, 0), (1, 0), fonts.BOLD, 7.8),
                ("TEXTCOLOR", (0, 0), (0, 0), theme.MUTED),
                ("TEXTCOLOR", (1, 0), (1, 0), theme.INK),
                ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
            ]
        ),
    )


def _rows(table: Any) -> int:
    """Counts the rows of a table below its header."""
    return len(table._cellvalues) - 1


class CarriedTable(Flowable):
    """A table that ends each page with the total carried forward and begins the next with it.

    The layout engine's table decides where to break; this adds the two lines around the break.
    """

    def __init__(self, table: Table, running: Sequence[Decimal], currency: str, below: float) -> None:
        """Makes the flowable.

        Parameters:
            table: its first row is a header that repeats.
            running: the total after each of the other rows.
            currency: of the totals.
            below: the height of what should stand on the page of the last rows, in points.
        """
        super().__init__()
        self._table = table
        self._running = running
        self._currency = currency
        self._below = below

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: N803
        """Asks the table for its size; a table that fits, but leaves no room below, asks to be split."""
        self.width, self.height = self._table.wrapOn(self.canv, availWidth, availHeight)
        crowds = self.height <= availHeight < self.height + self._below
        return self.width, availHeight + 1 if crowds and len(self._running) > 2 * _KEPT_ROWS else self.height

    def split(self, availWidth: float, availHeight: float) -> list[Flowable]:  # noqa: N803
        """Breaks between rows, keeping room for the carried total and a few rows for the next page."""
        room = min(availHeight - _CARRY_HEIGHT, self._table.wrapOn(self.canv, availWidth, availHeight)[1] - 1)
        parts = self._table.splitOn(self.canv, availWidth, room)
        while len(parts) == 2 and _rows(parts[1]) < _KEPT_ROWS < _rows(parts[0]):
            room = parts[0].wrapOn(self.canv, availWidth, room)[1] - 1
            parts = self._table.splitOn(self.canv, availWidth, room)
        if len(parts) < 2:
            return []
        first, rest = (cast("Table", part) for part in parts)
        count = _rows(first)
        value = money.figure(self._running[count - 1], self._currency)
        return [
            first,
            _carry("Carried forward", value, self.width),
            PageBreak(),
            _carry("Brought forward", value, self.width),
            CarriedTable(rest, self._running[count:], self._currency, self._below),
        ]

    def draw(self) -> None:
        """Draws the table where this flowable stands."""
        self._table.drawOn(self.canv, 0, 0)


def lines_table(invoice: dict[str, Any], width: float, below: float) -> list[Flowable]:
    """Sets the lines of an invoice.

    Parameters:
        invoice: JSON of `get_invoice`.
        width: usable width in points.
        below: the height of the totals, which stand on the page of the last lines, in points.
    """
    rows, currency = invoice["lines"], invoice["currency"]
    left, right = _columns(invoice)
    size, widths = _SIZES[-1], [0.0]
    for size in _SIZES:
        widths = [column.width(size) for column in (*left, *right)]
        if width - sum(widths) >= _NARROWEST_DESCRIPTION:
            break
    numbers = _Column("Article", [clean(row.get("sku")) for row in rows], right=False)
    own_column = size == _SIZES[0] and width - sum(widths) - numbers.width(size) >= _ROOMY_DESCRIPTION
    if own_column and any(numbers.cells):
        left.append(numbers)
        widths.insert(len(left) - 1, numbers.width(size))
    description = max(width - sum(widths), 60.0)
    style = theme.style("line", size, round(size * 1.3, 2))
    head = [column.title for column in left] + ["Description"] + [column.title for column in right]
    data: list[list[Any]] = [head]
    for index, row in enumerate(rows):
        data.append(
            [
                *(column.cell(index, size) for column in left),
                rich(_description(row, size, not own_column), style),
                *(column.cell(index, size) for column in right),
            ]
        )
    padding = 2.6 if len(rows) > _MANY_LINES else 3.6
    first_right = len(left) + 1
    commands: list[theme.Command] = [
        ("FONT", (0, 0), (-1, 0), fonts.BOLD, size - 0.8, size * 1.2),
        ("TEXTCOLOR", (0, 0), (-1, 0), theme.ACCENT),
        ("BACKGROUND", (0, 0), (-1, 0), theme.TINT),
        ("VALIGN", (0, 0), (-1, 0), "MIDDLE"),
        ("FONT", (0, 1), (-1, -1), fonts.REGULAR, size, size * 1.3),
        ("FONT", (-1, 1), (-1, -1), fonts.BOLD, size, size * 1.3),
        ("TEXTCOLOR", (0, 1), (-1, -1), theme.INK),
        ("TEXTCOLOR", (0, 1), (len(left) - 1, -1), theme.MUTED),
        ("VALIGN", (0, 1), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), padding),
        ("BOTTOMPADDING", (0, 0), (-1, -1), padding + 0.4),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, theme.HAIRLINE),
        ("LINEABOVE", (0, 0), (-1, 0), 0.4, theme.HAIRLINE),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, theme.ACCENT),
    ]
    for offset, column in enumerate(right):
        if column.right:
            at = first_right + offset
            commands.append(("ALIGN", (at, 0), (at, -1), "RIGHT"))
    table = LongTable(
        data,
        colWidths=[*widths[: len(left)], description, *widths[len(left) :]],
        repeatRows=1,
        style=TableStyle(commands),
    )
    running = list(accumulate(money.decimal(row["total"]) for row in rows))
    return [CarriedTable(table, running, currency, below)]
