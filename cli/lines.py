"""What is sold or offered, as it is typed: SKU=QUANTITY."""

from typing import Any

from cli.desk import Desk
from cli.errors import CliError
from cli.opts import amount, pair
from cli.output import Row


def document_discount(typed: str | None) -> Row | None:
    """The option of the database from an amount or a percentage, as it was typed."""
    if typed is None:
        return None
    percent = typed.strip().endswith("%")
    return {"percent": amount(typed.strip()[:-1])} if percent else {"amount": amount(typed)}


def lines_of(
    desk: Desk, items: list[str], discounts: list[str] | None, serials: list[str] | None
) -> list[Row]:
    """The lines as the database takes them, from what was typed."""
    wanted = [(pair(item) if "=" in item else (item, "1")) for item in items]
    off = {sku: amount(value) for sku, value in map(pair, discounts or [])}
    pieces: dict[str, list[str]] = {}
    for sku, number in map(pair, serials or []):
        pieces.setdefault(sku, []).append(number)
    known = {sku for sku, _ in wanted}
    if len(known) < len(wanted) or not (off.keys() | pieces.keys()) <= known:
        message = "Name each SKU once, and discounts and serials only of what is on the list."
        raise CliError("invalid_input", message)
    variants = desk.variants([sku for sku, _ in wanted])
    lines: list[Row] = []
    for sku, count in wanted:
        line: dict[str, Any] = {"variant_id": variants[sku]["id"], "quantity": amount(count)}
        if sku in off:
            line["discount"] = off[sku]
        if sku in pieces:
            line["serials"] = pieces[sku]
        lines.append(line)
    return lines
