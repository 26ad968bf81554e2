"""The options and arguments that commands share, and how what is typed is read."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import typer

# Digits alone: 1e5 is a slip of the finger.
_NUMBER = re.compile(r"[-+]?(\d[\d,]*(\.\d*)?|\.\d+)")
# Groups of three, or India's of two before the last three.
_GROUPED = re.compile(r"-?\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?")


def amount(text: str) -> Decimal:
    """An amount or a quantity as typed: a point before decimals, commas between groups as in 1,25,000.00.

    A comma anywhere else is refused: who writes 12,50 does not mean 1250.
    """
    if "," in text and not _GROUPED.fullmatch(text.strip()):
        raise typer.BadParameter(f"{text} has a comma that separates no thousands; decimals follow a point.")
    if not _NUMBER.fullmatch(text.strip()):
        raise typer.BadParameter(f"{text} is no number.")
    return Decimal(text.replace(",", ""))


def pair(text: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE."""
    name, sign, value = text.rpartition("=")
    if not (name and sign and value):
        raise typer.BadParameter(f"Write {text} as NAME=VALUE.")
    return name, value


def day(value: datetime | None) -> str | None:
    """A date as the database takes it."""
    return None if value is None else value.date().isoformat()


_DAY = ["%Y-%m-%d"]

Json = Annotated[bool, typer.Option("--json", help="JSON for scripts, and nothing else on standard output.")]
Branch = Annotated[
    str | None, typer.Option("--branch", "-b", help="The branch's code.", envvar="BRANCHLINE_BRANCH")
]
Location = Annotated[
    str | None, typer.Option("--location", "-l", help="The location's code.", envvar="BRANCHLINE_LOCATION")
]
Customer = Annotated[
    str | None, typer.Option("--customer", "-c", help="The customer's name, phone, e-mail address or id.")
]
Named = Annotated[str, typer.Argument(metavar="CUSTOMER", help="Name, phone, e-mail address or id.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")]
All = Annotated[bool, typer.Option("--all", help="Every one, however many.")]
From = Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="The first business date.")]
To = Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="The last business date.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=_DAY, help="At the end of this business date; else now."),
]
Until = Annotated[
    datetime | None, typer.Option("--until", formats=_DAY, help="The last due date; else today.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OwnId = Annotated[
    str | None, typer.Option("--id", help="Your own uuid of this act: sent again, it is not done again.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
Note = Annotated[str | None, typer.Option("--note", help="Kept with it.")]
Amount = Annotated[
    Decimal, typer.Argument(parser=amount, metavar="AMOUNT", help="In the organisation's currency.")
]
Method = Annotated[str, typer.Option("--method", "-m", help="cash, card, upi, bank_transfer ...")]
Reference = Annotated[str | None, typer.Option("--reference", help="Of the cheque, the transfer.")]
Items = Annotated[list[str], typer.Argument(help="SKU=QUANTITY, or a SKU for one.", metavar="SKU[=QTY]...")]
DocumentDiscount = Annotated[
    str | None,
    typer.Option("--document-discount", help="Off all of it, spread over the lines: an AMOUNT, or 10%."),
]
Discounts = Annotated[list[str] | None, typer.Option("--discount", help="SKU=AMOUNT off its line.")]
