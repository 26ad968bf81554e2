"""The label formats on offer. A further one is a further row of the table.

Everything on a label lies on a grid of dots of an eighth of a millimetre: the dot of a 203 dpi thermal
printer, so that bars come out of it as wide as they were meant.
"""

from dataclasses import dataclass
from typing import Final, Literal

DOTS_PER_MM: Final = 8
DOTS_PER_POINT: Final = DOTS_PER_MM * 25.4 / 72

FormatName = Literal["a4-3x8", "a4-3x7", "a4-4x12", "roll-50x25", "roll-100x50"]


@dataclass(frozen=True, slots=True)
class Format:
    """A label stock, in millimetres.

    about: what it is called in shops. width, height: of one label. margin_x, margin_y: what is kept free of
    print at the edges of a label; printers leave the edge of a page blank, and rolls run crooked. columns,
    rows: of a page. left, top: where the first label begins. step_x, step_y: from one label to the next.
    page: width and height of a page; a roll has one label on each.
    """

    about: str
    width: float
    height: float
    margin_x: float
    margin_y: float
    page: tuple[float, float]
    columns: int = 1
    rows: int = 1
    left: float = 0
    top: float = 0
    step_x: float = 0
    step_y: float = 0

    @property
    def per_page(self) -> int:
        """How many labels are on a page."""
        return self.columns * self.rows

    def corner(self, position: int) -> tuple[float, float]:
        """The left upper corner of a label on its page. position: 0 is the first, then along the row."""
        row, column = divmod(position, self.columns)
        return self.left + column * self.step_x, self.top + row * self.step_y


_A4: Final = (210.0, 297.0)

FORMATS: Final[dict[FormatName, Format]] = {
    "a4-3x8": Format(
        "A4, 24 labels of 70 x 37 mm (Avery 3474 and its like)",
        70,
        37,
        5,
        4.5,
        _A4,
        columns=3,
        rows=8,
        top=0.5,
        step_x=70,
        step_y=37,
    ),
    "a4-3x7": Format(
        "A4, 21 labels of 63.5 x 38.1 mm (Avery L7160 and its like)",
        63.5,
        38.1,
        2.5,
        2.5,
        _A4,
        columns=3,
        rows=7,
        left=7.25,
        top=15.15,
        step_x=66,
        step_y=38.1,
    ),
    "a4-4x12": Format(
        "A4, 48 labels of 45.7 x 21.2 mm (Avery L4736 and its like)",
        45.7,
        21.2,
        2,
        1.5,
        _A4,
        columns=4,
        rows=12,
        left=9.7,
        top=21.3,
        step_x=48.3,
        step_y=21.2,
    ),
    "roll-50x25": Format("Roll, 50 x 25 mm", 50, 25, 1.5, 1.5, (50, 25)),
    "roll-100x50": Format("Roll, 100 x 50 mm", 100, 50, 3, 3, (100, 50)),
}
