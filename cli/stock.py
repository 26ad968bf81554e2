"""Stock: levels, and what a scanned code stands for."""

import sys
from typing import Annotated

import typer

from cli import opts
from cli.common import start
from cli.desk import Desk
from cli.errors import CliError
from cli.listing import Pages
from cli.output import Column, Output, Row, quantity, quantity_column

app = typer.Typer(help="Stock: what is where.", no_args_is_help=True)

_LEVELS = (
    Column("SKU", "sku"),
    Column("Name", "name"),
    Column("Branch", "branch"),
    Column("Location", "location"),
    quantity_column("On hand", "on_hand", extra=1),
    quantity_column("Reserved", "reserved", extra=2),
    quantity_column("Available", "available"),
    quantity_column("Incoming", "incoming", extra=3),
)
_FIELDS = (
    "branch_id",
    "location_id",
    "variant_id",
    "on_hand",
    "reserved",
    "available",
    "incoming",
    "in_transit",
)
# As many variants as one search answers with.
_FOUND = 100


@app.command("levels")
def levels(
    ctx: typer.Context,
    search: Annotated[str | None, typer.Argument(help="Words of a name, a SKU or a barcode.")] = None,
    branch: opts.Branch = None,
    location: opts.Location = None,
    limit: opts.Limit = 50,
    everything: opts.All = False,
    as_json: opts.Json = False,
) -> None:
    """List what is on hand, reserved and available, by location."""
    desk, output = start(ctx, as_json)
    pages = Pages(limit, everything)
    request = desk.table("stock_levels").select(*_FIELDS, count=pages.count)
    request = request.eq("org_id", desk.org_id)
    if branch is not None:
        request = request.eq("branch_id", desk.branch(branch)["id"])
    if location is not None:
        request = request.eq("location_id", desk.location(desk.branch(branch), location)["id"])
    if search:
        found = desk.rpc(
            "search_variants",
            {"p_org_id": desk.org_id, "p_query": search, "p_filters": {}, "p_limit": _FOUND},
        )["items"]
        if not found:
            raise CliError("not_found", f"Nothing is called {search}.", 1)
        request = request.in_("variant_id", [variant["id"] for variant in found])
    request = request.order("location_id").order("variant_id")
    rows = _named(desk, pages.read(desk, output, request, "Levels"))
    output.rows("Stock", _LEVELS, rows)
    pages.tell(output, rows)


@app.command("scan")
def scan(
    ctx: typer.Context,
    codes: Annotated[
        list[str] | None,
        typer.Argument(help="Codes; left out, they are read from standard input, one a line."),
    ] = None,
    branch: opts.Branch = None,
    as_json: opts.Json = False,
) -> None:
    """Say what codes stand for: a barcode, a SKU, a serial number, a lot, a location, a document."""
    desk, output = start(ctx, as_json)
    branch_id = desk.branch_id(branch)
    unknown: CliError | None = None
    for code in codes or (line.strip() for line in sys.stdin):
        if not code:
            continue
        try:
            answer = desk.rpc("scan", {"p_code": code, "p_org_id": desk.org_id, "p_branch_id": branch_id})
        except CliError as error:
            if error.code != "not_found":
                raise
            # At a scanner the next code is already on its way: tell, and go on.
            if unknown is not None:
                output.error(unknown)
            unknown = error
            continue
        _show(output, answer)
    if unknown is not None:
        raise unknown


def _named(desk: Desk, rows: list[Row]) -> list[Row]:
    """Levels with the names of what they are of and where they are."""
    variants = desk.by_id("product_variants", ["sku", "name"], {row["variant_id"] for row in rows})
    places = desk.by_id("locations", ["code", "name"], {row["location_id"] for row in rows})
    branches = {branch["id"]: branch["code"] for branch in desk.org["branches"]}
    nothing: Row = {}
    return [
        {
            **row,
            "sku": variants.get(row["variant_id"], nothing).get("sku"),
            "name": variants.get(row["variant_id"], nothing).get("name"),
            "branch": branches.get(row["branch_id"]),
            "location": places.get(row["location_id"], nothing).get("code"),
        }
        for row in rows
    ]


def _show(output: Output, answer: Row) -> None:
    if output.json:
        output.data(answer)
        return
    for match in answer["matches"]:
        variant, unit, batch = match["variant"] or {}, match["unit"] or {}, match["batch"] or {}
        place, document = match["location"] or {}, match["document"] or {}
        stock = match["stock"]
        output.facts(
            f"{answer['code']}: {document.get('document', match['kind'])} (by {match['by']})",
            [
                ("SKU", variant.get("sku")),
                ("Name", variant.get("name")),
                ("Serial", unit.get("serial")),
                ("State", unit.get("status")),
                ("Lot", batch.get("code")),
                ("Expires", batch.get("expires_on")),
                ("Location", place.get("code") or unit.get("location_code")),
                ("Number", document.get("number")),
                ("Status", document.get("status")),
                ("Available", quantity(sum(level["available"] for level in stock)) if stock else None),
            ],
        )
