"""Makes the JSON of every document alike, so that one layout serves all of them."""

from collections.abc import Iterable
from typing import Any, Final

from backend.app.services.documents.money import decimal

Json = dict[str, Any]

# What a document of goods may lack, and what stands for it.
_MISSING: Final[Json] = {
    "number": None,
    "status": "",
    "issued_at": None,
    "timezone": "UTC",
    "tax_regime": "none",
    "supply_type": "domestic",
    "place_of_supply": None,
    "reverse_charge": False,
    "seller": {},
    "buyer": None,
    "subtotal": 0,
    "discount": 0,
    "tax": 0,
    "round_off": 0,
    "total": 0,
    "paid": 0,
    "note": None,
    "reference": None,
    "terms": None,
}


def _summary(lines: Iterable[Json]) -> list[Json]:
    """Adds lines up by code, kind and rate, as the database does for invoices."""
    groups: dict[tuple[Any, ...], Json] = {}
    for line in lines:
        key = (line.get("hsn_code"), line.get("tax_kind"), str(line.get("tax_rate")))
        group = groups.setdefault(
            key,
            {
                "hsn_code": key[0],
                "tax_kind": key[1],
                "tax_rate": line.get("tax_rate"),
                "taxable": decimal(0),
                "tax": decimal(0),
                "taxes": [],
            },
        )
        group["taxable"] += decimal(line.get("taxable"))
        group["tax"] += decimal(line.get("tax"))
        for tax in line.get("taxes") or ():
            found = next((t for t in group["taxes"] if t["component"] == tax["component"]), None)
            if found:
                found["amount"] += decimal(tax["amount"])
            else:
                group["taxes"].append({**tax, "amount": decimal(tax["amount"])})
    return list(groups.values())


def prepared(document: Json, title: str) -> Json:
    """Fills in what a document does not say of itself.

    Parameters:
        document: JSON of the database; it is not changed.
        title: what a document of this kind is called when its JSON has no title.
    Raises:
        KeyError: it has no currency.
    """
    out = {**_MISSING, "title": title, **{key: value for key, value in document.items() if value is not None}}
    out["currency"] = document["currency"]
    out["lines"] = list(out.get("lines") or [])
    # What was paid at one moment is listed with the largest first.
    out["payments"] = sorted(
        out.get("payments") or [], key=lambda row: (str(row.get("received_at")), -decimal(row["amount"]))
    )
    if not out.get("tax_summary"):
        out["tax_summary"] = _summary(out["lines"])
    if "balance" not in out:
        out["balance"] = decimal(out["total"]) - decimal(out["paid"])
    if "business_date" not in out:
        moments = (out.get(key) for key in ("date", "issued_at", "received_at", "created_at"))
        out["business_date"] = str(next((moment for moment in moments if moment), ""))[:10]
    return out
