"""The table of goods: columns as wide as their figures, a header on every page, totals carried over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final, Literal, cast

from reportlab.lib.colors import Color
from reportlab.lib.enums import TA_RIGHT
from reportlab.platypus import Flowable, LongTable, PageBreak, Table, TableStyle

from backend.app.services.documents import facts, fonts, money, theme
from backend.app.services.documents.look import Look
from backend.app.services.documents.prepare import Json
from backend.app.services.documents.text import cell, clean, is_right_to_left, markup, para, rich
from backend.app.services.documents.words import Words

_SIZES: Final = (7.8, 7.3, 6.8, 6.3, 5.8)
_NARROWEST_DESCRIPTION: Final = 132.0
_PADDING: Final = 4.0
_WIDEST_WORD_COLUMN: Final = 76.0
_CARRY_HEIGHT: Final = 17.0
# With this much room left for the description the article number gets a column: each row saves a line.
# With less it gets one where that leaves most descriptions on one line.
_ROOMY_DESCRIPTION: Final = 190.0
_SCANT_DESCRIPTION: Final = 110.0
_MANY_LINES: Final = 30
_MANY_SERIALS: Final = 300
_KEPT_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column of figures or short words.

    wraps: whether cells wider than a limit are broken instead of widening the column.
    """

    title: str
    cells: list[str]
    right: bool = True
    bold: bool = False
    wraps: bool = False

    def width(self, size: float) -> float:
        """Measures the widest cell, in points."""
        head = max(fonts.width(word, size - 0.8, bold=True) for word in self.title.split("\n"))
        body = max((fonts.width(cell, size, self.bold) for cell in set(self.cells)), default=0)
        return max(head, min(body, _WIDEST_WORD_COLUMN if self.wraps else body)) + 2 * _PADDING + 0.5

    def cell(self, index: int, size: float, color: Color = theme.INK) -> str | Flowable:
        """Makes one cell: a plain string where the base typeface and one line suffice, else a paragraph."""
        text = self.cells[index]
        if fonts.is_plain(text) and not (self.wraps and fonts.width(text, size) > _WIDEST_WORD_COLUMN):
            return text
        align: Literal[0, 2] = TA_RIGHT if self.right else 0
        style = theme.style("cell", size, round(size * 1.3, 2), bold=self.bold, color=color, align=align)
        return para(text, style)

    def head(self, size: float, color: Color) -> str | Flowable:
        """Makes the cell of the title."""
        return cell(self.title, size - 0.8, bold=True, color=color, align=TA_RIGHT if self.right else 0)


def _quantity(row: Json, key: str, currency: str, say: Words) -> str:
    return f"{money.quantity(row.get(key), currency)} {facts.unit(row, say)}".strip()


def number_column(rows: list[Json], say: Words) -> Column:
    """The numbers of the lines."""
    return Column(say("line"), [str(row["line_no"]) for row in rows], right=False, wraps=True)


def _price_columns(document: Json, say: Words) -> list[Column]:
    """The columns of money right of the quantity."""
    rows, currency = document["lines"], document["currency"]
    taxed = facts.is_taxed(document)
    inclusive = taxed and any(row.get("price_includes_tax") for row in rows)
    title = "rate_inclusive" if inclusive else "rate"
    prices = [money.rate(row["unit_price"], currency) for row in rows]
    if inclusive and not all(row.get("price_includes_tax") for row in rows):
        title = "rate_mixed"
        # The star stands before the figure, so that the figures stay beneath one another.
        prices = [
            f"* {p}" if row.get("price_includes_tax") else p for p, row in zip(prices, rows, strict=True)
        ]
    found = [Column(say(title), prices)]

    def figures(key: str, field: str, bold: bool = False) -> Column:
        return Column(say(key), [money.figure(row.get(field), currency) for row in rows], bold=bold)

    if facts.has_discount(document):
        discounts = [money.decimal(row.get("discount")) for row in rows]
        cells = [money.figure(off, currency) if off else theme.NOTHING for off in discounts]
        found.append(Column(say("discount"), cells))
    if taxed:
        found.append(figures("taxable", "taxable"))
        found.append(Column(say("tax_rate"), [facts.rate_label(row, say) for row in rows]))
        found.append(figures("tax", "tax"))
    return [*found, figures("total" if taxed else "amount", "total", bold=True)]


def _columns(document: Json, say: Words, prices: bool) -> tuple[list[Column], list[Column]]:
    """Lists the columns left and right of the description."""
    rows, currency = document["lines"], document["currency"]
    right = []
    if facts.has_codes(rows):
        title = say("hsn" if facts.is_gst(document) else "code")
        right.append(Column(title, [clean(row.get("hsn_code")) for row in rows], right=False, wraps=True))
    if not prices:
        # A delivery says what was ordered and what is still to come, where the order knows.
        for key, field in (("ordered", "ordered"), ("to_follow", "to_follow")):
            if any(money.decimal(row.get(field)) for row in rows):
                cells = [
                    _quantity(row, field, currency, say) if money.decimal(row.get(field)) else theme.NOTHING
                    for row in rows
                ]
                right.append(Column(say(key), cells, wraps=True))
    key = "quantity" if prices or not any(row.get("ordered") is not None for row in rows) else "delivered"
    cells = [_quantity(row, "quantity", currency, say) for row in rows]
    given = Column(say(key), cells, bold=not prices, wraps=True)
    # Ordered, delivered, to follow: in the order in which it happens.
    follows = bool(right) and right[-1].title == say("to_follow")
    right.insert(len(right) - 1 if follows else len(right), given)
    return [number_column(rows, say)], [*right, *(_price_columns(document, say) if prices else [])]


def _description(
    row: Json, size: float, with_sku: bool, say: Words, most: int, currency: str
) -> str | Flowable | list[Flowable]:
    """The cell that says what was sold, with small print beneath."""
    small = []
    sku = clean(row.get("sku"))
    if with_sku and sku and sku != clean(row["description"]):
        small.append(sku)
    offers = facts.offers(row, currency, say) if currency else []
    small += offers if any(map(is_right_to_left, offers)) else filter(None, ["  ·  ".join(offers)])
    small += facts.delivered_so_far(row, currency, say)
    small += facts.particulars(row, say, most)
    style = theme.style("line", size, round(size * 1.3, 2))
    if is_right_to_left(clean(row["description"])) or any(map(is_right_to_left, small)):
        fine = theme.style("fine", size - 1.2, round(size * 1.3, 2), color=theme.MUTED)
        return [para(row["description"], style), *(para(text, fine) for text in small)]
    marked = markup(row["description"])
    for text in small:
        marked += f'<br/><font size="{size - 1.2:g}" color="#616E7C">{markup(text)}</font>'
    return rich(marked, style)


def _carry(label: str, value: str, width: float) -> Table:
    right = fonts.width(value, 7.8, bold=True) + 3 * _PADDING
    return Table(
        [[cell(label, 7.2, color=theme.MUTED, align=TA_RIGHT), value]],
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


@dataclass(frozen=True, slots=True)
class Rest:
    """What a table ends with: the total after each row, if pages carry one; what stands below, in points."""

    running: Sequence[Decimal] | None = None
    currency: str = ""
    below: float = 0.0


class CarriedTable(Flowable):
    """A table that ends each page with the total carried forward and begins the next with it.

    The layout engine's table decides where to break; this adds the two lines around the break.
    """

    def __init__(self, table: Table, rest: Rest, say: Words) -> None:
        """Parameters: table, its first row is a header that repeats; rest, how it ends; say, the words."""
        super().__init__()
        self._table = table
        self._rest = rest
        self._say = say

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: N803
        """Asks the table for its size; a table that fits, but leaves no room below, asks to be split."""
        self.width, self.height = self._table.wrapOn(self.canv, availWidth, availHeight)
        crowds = self.height <= availHeight < self.height + self._rest.below
        return self.width, availHeight + 1 if crowds and _rows(self._table) > 2 * _KEPT_ROWS else self.height

    def split(self, availWidth: float, availHeight: float) -> list[Flowable]:  # noqa: N803
        """Breaks between rows, keeping room for the carried total and a few rows for the next page."""
        carry = _CARRY_HEIGHT if self._rest.running else 0
        room = min(availHeight - carry, self._table.wrapOn(self.canv, availWidth, availHeight)[1] - 1)
        parts = self._table.splitOn(self.canv, availWidth, room)
        while len(parts) == 2 and _rows(parts[1]) < _KEPT_ROWS < _rows(parts[0]):
            room = parts[0].wrapOn(self.canv, availWidth, room)[1] - 1
            parts = self._table.splitOn(self.canv, availWidth, room)
        if len(parts) < 2:
            return []
        first, rest = (cast("Table", part) for part in parts)
        count = _rows(first)
        if not self._rest.running:
            return [first, PageBreak(), CarriedTable(rest, self._rest, self._say)]
        value = money.figure(self._rest.running[count - 1], self._rest.currency)
        return [
            first,
            _carry(self._say("carried"), value, self.width),
            PageBreak(),
            _carry(self._say("brought"), value, self.width),
            CarriedTable(rest, replace(self._rest, running=self._rest.running[count:]), self._say),
        ]

    def draw(self) -> None:
        """Draws the table where this flowable stands."""
        self._table.drawOn(self.canv, 0, 0)


def fitted(columns: Sequence[Column], width: float) -> tuple[float, list[float]]:
    """The largest type size, and widths of the columns at it, that leave room for a description."""
    size, widths = _SIZES[-1], [0.0]
    for size in _SIZES:
        widths = [column.width(size) for column in columns]
        if width - sum(widths) >= _NARROWEST_DESCRIPTION:
            break
    return size, widths


def table(
    left: Sequence[Column],
    description: tuple[str, Sequence[Any]],
    right: Sequence[Column],
    size: float,
    widths: Sequence[float],
    width: float,
    look: Look,
    rest: Rest,
) -> CarriedTable:
    """Makes a table of columns around one that takes the room they leave.

    Parameters:
        left, right: the columns around it.
        description: title and cells of the wide column.
        size, widths: see `fitted`, widths in the order of left and right.
        width: of the table in points.
        look: words and colours.
        rest: how it breaks and ends.
    """
    title, cells = description
    middle = Column(title, [], right=False)
    head = [column.head(size, look.accent) for column in (*left, middle, *right)]
    data: list[list[Any]] = [head]
    for index, cell_ in enumerate(cells):
        data.append(
            [
                *(column.cell(index, size, theme.MUTED) for column in left),
                cell_,
                *(column.cell(index, size) for column in right),
            ]
        )
    padding = 2.6 if len(cells) > _MANY_LINES else 3.6
    commands: list[theme.Command] = [
        ("FONT", (0, 0), (-1, 0), fonts.BOLD, size - 0.8, size * 1.2),
        ("TEXTCOLOR", (0, 0), (-1, 0), look.accent),
        ("BACKGROUND", (0, 0), (-1, 0), look.tint),
        ("VALIGN", (0, 0), (-1, 0), "MIDDLE"),
        ("FONT", (0, 1), (-1, -1), fonts.REGULAR, size, size * 1.3),
        ("TEXTCOLOR", (0, 1), (-1, -1), theme.INK),
        ("VALIGN", (0, 1), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), padding),
        ("BOTTOMPADDING", (0, 0), (-1, -1), padding + 0.4),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, theme.HAIRLINE),
        ("LINEABOVE", (0, 0), (-1, 0), 0.4, theme.HAIRLINE),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, look.accent),
    ]
    if left:
        commands.append(("TEXTCOLOR", (0, 1), (len(left) - 1, -1), theme.MUTED))
    for at, column in enumerate((*left, middle, *right)):
        if column.right:
            commands.append(("ALIGN", (at, 0), (at, -1), "RIGHT"))
        if column.bold:
            commands.append(("FONT", (at, 1), (at, -1), fonts.BOLD, size, size * 1.3))
    wide = max(width - sum(widths), 60.0)
    made = LongTable(
        data,
        colWidths=[*widths[: len(left)], wide, *widths[len(left) :]],
        repeatRows=1,
        style=TableStyle(commands),
    )
    return CarriedTable(made, rest, look.say)


def _has_room(rows: Sequence[Json], room: float, size: float) -> bool:
    """Says whether the description keeps enough room beside a column of article numbers."""
    # Long numbers of pieces break in a narrow column, and a row must fit on a page.
    if any(sum(map(len, row.get("serials") or ())) > _MANY_SERIALS for row in rows):
        return False
    if not _SCANT_DESCRIPTION <= room < _ROOMY_DESCRIPTION:
        return room >= _ROOMY_DESCRIPTION
    wide = sum(fonts.width(clean(row["description"]), size) > room - 2 * _PADDING for row in rows)
    return 2 * wide <= len(rows)


def lines_table(
    document: Json, look: Look, width: float, below: float, *, prices: bool = True, most: int = 24
) -> list[Flowable]:
    """Sets the lines of a document.

    Parameters:
        document: prepared JSON.
        look: words and colours.
        width: usable width in points.
        below: the height of the totals, which stand on the page of the last lines, in points.
        prices: whether money is shown.
        most: of a line's serial numbers.
    """
    rows, currency = document["lines"], document["currency"]
    left, right = _columns(document, look.say, prices)
    size, widths = fitted([*left, *right], width)
    numbers = Column(look.say("article"), [clean(row.get("sku")) for row in rows], right=False, wraps=True)
    own_column = (
        size == _SIZES[0]
        and any(numbers.cells)
        and _has_room(rows, width - sum(widths) - numbers.width(size), size)
    )
    if own_column:
        left.append(numbers)
        widths.insert(len(left) - 1, numbers.width(size))
    shown = currency if prices else ""
    cells = [_description(row, size, not own_column, look.say, most, shown) for row in rows]
    running = list(accumulate(money.decimal(row["total"]) for row in rows)) if prices else None
    rest = Rest(running, currency, below)
    return [table(left, (look.say("description"), cells), right, size, widths, width, look, rest)]
