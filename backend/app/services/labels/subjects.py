"""What labels say, read from the database as the caller sees it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from backend.app.core.errors import Problem
from backend.app.core.gateway import Gateway
from backend.app.services.documents import money
from backend.app.services.documents.text import clean
from backend.app.services.labels.layout import Subject
from backend.app.services.labels.symbols import as_ean13

Kind = Literal["variant", "location", "batch"]

# Attributes that go on would take their time to be measured, to be cut off in the end.
_LONGEST_DETAILS: Final = 300
# A list of so many ids still makes an address that every proxy takes.
_AT_ONCE: Final = 100
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "product_variants": (
        "id",
        "org_id",
        "sku",
        "name",
        "barcode",
        "attributes",
        "price",
        "price_includes_tax",
    ),
    "locations": ("id", "org_id", "branch_id", "code", "name"),
    "branches": ("id", "name"),
    "batches": ("id", "variant_id", "code", "expires_on"),
    "organizations": ("id", "currency", "tax_regime"),
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A thing that a label is wanted for. serial: one piece of the variant."""

    kind: Kind
    id: UUID
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """What a label of goods shows besides name and code."""

    price: bool = True
    details: bool = True
    sku: bool = True


async def read_subjects(gateway: Gateway, wanted: Sequence[Wanted], show: Show) -> list[Subject]:
    """Reads what the labels say, in the order wanted.

    Raises a 404 problem, with the ids in `missing`, when one does not exist or is not the caller's to see.
    """
    batches = await _rows(gateway, "batches", (one.id for one in wanted if one.kind == "batch"))
    of_batches = (UUID(row["variant_id"]) for row in batches.values())
    variants = await _rows(
        gateway, "product_variants", [*(one.id for one in wanted if one.kind == "variant"), *of_batches]
    )
    locations = await _rows(gateway, "locations", (one.id for one in wanted if one.kind == "location"))
    branches = await _rows(
        gateway, "branches", (UUID(row["branch_id"]) for row in locations.values() if row["branch_id"])
    )
    houses = await _rows(gateway, "organizations", (UUID(row["org_id"]) for row in variants.values()))
    pieces = await _pieces(gateway, wanted, variants)

    found: list[Subject | None] = []
    for one in wanted:
        key = str(one.id)
        if one.kind == "location":
            place = locations.get(key)
            found.append(_of_location(place, branches.get(str(place["branch_id"]))) if place else None)
            continue
        batch = batches.get(key) if one.kind == "batch" else None
        variant = variants.get(batch["variant_id"] if batch else key)
        house = houses.get(variant["org_id"]) if variant else None
        if variant is None or house is None or (one.serial is not None and (key, one.serial) not in pieces):
            found.append(None)
        else:
            found.append(_of_goods(variant, house, show, batch, one.serial))
    missing = [
        {"id": one.id} if one.serial is None else {"id": one.id, "serial": one.serial}
        for one, subject in zip(wanted, found, strict=True)
        if subject is None
    ]
    if missing:
        raise Problem(
            404, "not_found", "There is no such thing, or it is not yours.", facts={"missing": missing}
        )
    return [subject for subject in found if subject is not None]


async def _rows(gateway: Gateway, table: str, ids: Iterable[UUID]) -> dict[str, Row]:
    """The rows of a table with these ids that the caller may see, by id."""
    every = sorted({str(one) for one in ids})
    found: dict[str, Row] = {}
    for start in range(0, len(every), _AT_ONCE):
        request = (
            gateway.rest.from_(table).select(*_COLUMNS[table]).in_("id", every[start : start + _AT_ONCE])
        )
        found |= {row["id"]: row for row in (await gateway.send(request.request)).json()}
    return found


async def _pieces(
    gateway: Gateway, wanted: Sequence[Wanted], variants: Mapping[str, Row]
) -> set[tuple[str, str]]:
    """Which of the wanted pieces there are: variant and serial number."""
    serials: dict[str, set[str]] = {}
    for one in wanted:
        if one.kind == "variant" and one.serial is not None and str(one.id) in variants:
            serials.setdefault(str(one.id), set()).add(one.serial)
    found: set[tuple[str, str]] = set()
    for variant_id, some in serials.items():
        every = sorted(some)
        for start in range(0, len(every), _AT_ONCE):
            request = (
                gateway.rest.from_("stock_units")
                .select("serial")
                .eq("org_id", variants[variant_id]["org_id"])
                .eq("variant_id", variant_id)
                .filter("serial", "in", f"({','.join(map(_quoted, every[start : start + _AT_ONCE]))})")
            )
            rows = (await gateway.send(request.request)).json()
            found |= {(variant_id, row["serial"]) for row in rows}
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _one_line(value: object) -> str:
    return " ".join(clean(value).split())


def _details(attributes: Mapping[str, Any]) -> str:
    """The attributes in one line: their values are plain without their names."""
    shown = (value for value in attributes.values() if isinstance(value, str | int | Decimal) and value != "")
    texts = (_one_line(value) for value in shown if not isinstance(value, bool))
    return " · ".join(text[:1].upper() + text[1:] for text in texts if text)[:_LONGEST_DETAILS]


def _of_goods(variant: Row, house: Row, show: Show, batch: Row | None, serial: str | None) -> Subject:
    """The label of a variant, or of one piece or one batch of it."""
    sku = _one_line(variant["sku"])
    marks = [f"SKU {sku}"] if show.sku else []
    price = money.amount(variant["price"], house["currency"]) if show.price else ""
    taxed = price and house["tax_regime"] != "none"
    note = ("incl. tax" if variant["price_includes_tax"] else "plus tax") if taxed else ""
    qr, linear, ean = f"bl:variant:{variant['id']}", variant["barcode"] or variant["sku"], variant["barcode"]
    if serial is not None:
        marks.append(f"S/N {_one_line(serial)}")
        qr, linear, ean = f"bl:unit:{variant['id']}:{serial}", serial, None
    elif batch is not None:
        marks.append(f"Batch {_one_line(batch['code'])}")
        if batch["expires_on"]:
            day = date.fromisoformat(batch["expires_on"])
            marks.append(f"Use by {day.day} {day:%b %Y}")
        qr, linear, ean = f"bl:batch:{batch['id']}", batch["code"], None
    single = serial is not None or batch is not None
    return Subject(
        name=_one_line(variant["name"]),
        qr=qr,
        house=variant["org_id"],
        details=_details(variant["attributes"]) if show.details else "",
        marks=tuple(marks),
        large=price,
        note=note,
        linear=linear,
        ean=as_ean13(ean),
        # A serial number or a batch code may be that of several variants; the QR code says which is meant.
        prefers="qr" if single else "linear",
    )


def _of_location(location: Row, branch: Row | None) -> Subject:
    """The label of a place. Its code is unique in its branch only, so a QR code says best which it is."""
    return Subject(
        name=_one_line(location["name"]),
        qr=f"bl:location:{location['id']}",
        house=location["org_id"],
        details=_one_line(branch["name"]) if branch else "",
        large=location["code"],
        linear=location["code"],
        prefers="qr",
    )
