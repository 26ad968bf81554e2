"""One demo business, made from its JSON file."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from local.client import Progress, Project, Row, Session, each, join, send

NAMESPACE = UUID("7d3c9a52-8e0f-5c4a-b1d6-2f4e6a8c0b13")
FOLDER = Path(__file__).parent
PENNY = Decimal("0.01")

_ADDRESS = ("address_line1", "address_line2", "city", "region_code", "postal_code", "country")
_SUPPLIER = ("name", "tax_number", "phone", "email", *_ADDRESS)
_CUSTOMER = ("kind", *_SUPPLIER)


@dataclass(frozen=True)
class Stocking:
    """The opening stock of one variant in one location."""

    who: Session
    location: str
    sku: str
    variant: str
    pieces: int
    unit_cost: Decimal


class Business:
    """A demo business and its people, signed in.

    Parameters:
        key: the name of its JSON file; every id is derived from it.
        data: the file's content.
        people: sessions by the part of the address before the @.
    """

    def __init__(self, key: str, data: dict[str, Any], people: dict[str, Session]) -> None:
        self.key = key
        self.data = data
        self.people = people
        self.admin = people["admin"]
        catalogue = FOLDER / "catalogue.json"
        self.products: list[Row] = data.get("products") or json.loads(catalogue.read_text(encoding="utf-8"))

    @classmethod
    def sign_in(cls, project: Project, password: str, key: str, progress: Progress) -> "Business":
        """Make the people of a business where they are missing, and sign them in."""
        data = json.loads((FOLDER / f"{key}.json").read_text(encoding="utf-8"))
        people: dict[str, Session] = {}

        def enter(person: Row) -> None:
            project.ensure_user(person["email"], password, person["name"])
            people[person["email"].partition("@")[0]] = project.sign_in(person["email"], password)

        each(enter, data["people"], _counted(progress, f"{data['name']}: people", len(data["people"])))
        return cls(key, data, people)

    def id(self, kind: str, key: str = "") -> str:
        """The id of a thing of this business."""
        return str(uuid5(NAMESPACE, f"{self.key}/{kind}/{key}"))

    @property
    def org(self) -> str:
        """The organisation's id."""
        return self.id("organization")

    def furnish(self, progress: Progress) -> None:
        """Make everything but sales; what is there already stays as it is."""
        self._found()
        self._open_branches()
        self._invite()
        self._tax()
        self._catalogue(progress)
        self._parties()
        self._opening_stock(progress)

    def _found(self) -> None:
        send(
            self.admin.db.rpc(
                "create_organization",
                {
                    "p_id": self.org,
                    "p_name": self.data["name"],
                    "p_country": self.data["country"],
                    "p_currency": self.data["currency"],
                    "p_options": self.data["options"],
                },
            )
        )

    def _open_branches(self) -> None:
        for branch in self.data["branches"]:
            send(
                self.admin.db.rpc(
                    "create_branch",
                    {
                        "p_id": self.id("branch", branch["code"]),
                        "p_org_id": self.org,
                        "p_code": branch["code"],
                        "p_name": branch["name"],
                        "p_options": branch["options"],
                    },
                )
            )
            for location in branch["locations"]:
                send(
                    self.admin.db.rpc(
                        "create_location",
                        {
                            "p_id": self.id("location", f"{branch['code']}/{location['code']}"),
                            "p_branch_id": self.id("branch", branch["code"]),
                            "p_code": location["code"],
                            "p_name": location["name"],
                            "p_kind": location["kind"],
                        },
                    )
                )

    def _invite(self) -> None:
        for person in self.data["people"]:
            who = person["email"].partition("@")[0]
            # The admin is one already: he founded the organisation.
            if who != "admin":
                branches = [UUID(self.id("branch", code)) for code in person["branches"]]
                invitation = UUID(self.id("invitation", person["email"]))
                join(self.admin, self.people[who], invitation, UUID(self.org), person["role"], branches)

    def _tax(self) -> None:
        classes: list[Row] = self.data["tax_classes"]
        rows = [
            {
                "id": self.id("tax class", each_class["code"]),
                "org_id": self.org,
                **{column: each_class[column] for column in ("code", "name", "kind")},
            }
            for each_class in classes
        ]
        self.admin.add("tax_classes", rows)
        rates = [
            {
                "id": self.id("tax rate", f"{each_class['code']}/{begin}"),
                "org_id": self.org,
                "tax_class_id": self.id("tax class", each_class["code"]),
                "rate": rate,
                "valid_from": begin,
            }
            for each_class in classes
            for begin, rate in each_class["rates"].items()
        ]
        self.admin.add("tax_rates", rates)

    def _catalogue(self, progress: Progress) -> None:
        tree: dict[str, list[str]] = self.data["categories"]
        pairs = [(None, top) for top in tree] + [(top, name) for top, names in tree.items() for name in names]
        categories = [
            {
                "id": self.id("category", name),
                "org_id": self.org,
                "parent_id": parent and self.id("category", parent),
                "name": name,
            }
            for parent, name in pairs
        ]
        self.admin.add("categories", categories)
        copied = ("name", "description", "kind", "hsn_code", "unit_code")
        products = [
            {
                "id": self.id("product", product["key"]),
                "org_id": self.org,
                "category_id": self.id("category", product["category"]),
                "tax_class_id": self.id("tax class", product["tax_class"]),
                **{column: product[column] for column in copied},
            }
            for product in self.products
        ]
        what = f"{self.data['name']}: catalogue"
        self.admin.add("products", products, _counted(progress, what, len(products)))
        variants = [
            {
                "id": self.id("variant", variant["sku"]),
                "org_id": self.org,
                "product_id": self.id("product", product["key"]),
                "sku": variant["sku"],
                "name": variant["name"],
                "barcode": variant.get("barcode"),
                "attributes": variant["attributes"],
                "price": variant["price"],
                "price_includes_tax": product["price_includes_tax"],
                "tracking": product.get("tracking", "none"),
            }
            for product in self.products
            for variant in product["variants"]
        ]
        self.admin.add("product_variants", variants)

    def _parties(self) -> None:
        customers: list[Row] = self.data["customers"]
        rows = [self._party("customer", {"kind": "person", **each_one}, _CUSTOMER) for each_one in customers]
        self.admin.add("customers", rows)
        for customer in customers:
            if "credit_limit" in customer:
                send(
                    self.admin.db.rpc(
                        "set_credit_limit",
                        {
                            "p_customer_id": self.id("customer", customer["key"]),
                            "p_credit_limit": customer["credit_limit"],
                        },
                    )
                )
        suppliers = [self._party("supplier", each_one, _SUPPLIER) for each_one in self.data["suppliers"]]
        self.admin.add("suppliers", suppliers)

    def _party(self, kind: str, data: Row, columns: tuple[str, ...]) -> Row:
        return {
            "id": self.id(kind, data["key"]),
            "org_id": self.org,
            **{column: data.get(column) for column in columns},
        }

    def _opening_stock(self, progress: Progress) -> None:
        todo = self._stockings()

        def put(stocking: Stocking) -> None:
            send(
                stocking.who.db.rpc(
                    "adjust_stock",
                    {
                        "p_id": self.id("opening", f"{stocking.location}/{stocking.sku}"),
                        "p_location_id": stocking.location,
                        "p_variant_id": stocking.variant,
                        "p_quantity": stocking.pieces,
                        "p_reason": "opening",
                        "p_unit_cost": float(stocking.unit_cost),
                    },
                )
            )

        each(put, todo, _counted(progress, f"{self.data['name']}: opening stock", len(todo)))

    def _stockings(self) -> list[Stocking]:
        found = []
        for branch in self.data["branches"]:
            # The stock keeper counts in his own branch, the admin in the others.
            keeper = self.people.get("stock", self.admin) if branch["code"] == "BLR" else self.admin
            for location in branch["locations"]:
                place = f"{branch['code']}/{location['code']}"
                for product in self.products:
                    for variant in product["variants"]:
                        pieces = _pieces(location["kind"], place, product["kind"], variant)
                        # Pieces with numbers are received by number.
                        if pieces and "tracking" not in product:
                            cost = Decimal(str(variant["price"])) * Decimal(str(product["cost_share"]))
                            found.append(
                                Stocking(
                                    keeper,
                                    self.id("location", place),
                                    variant["sku"],
                                    self.id("variant", variant["sku"]),
                                    pieces,
                                    cost.quantize(PENNY),
                                )
                            )
        return found


def _pieces(location_kind: str, place: str, product_kind: str, variant: Row) -> int:
    """How many to begin with: few of what is dear, many of what is cheap, the same at every load."""
    if product_kind == "service" or location_kind == "vehicle":
        return 0
    usual = 3 if variant["price"] >= 50000 else 8 if variant["price"] >= 10000 else 24
    if location_kind == "showroom":
        usual = max(usual // 4, 1)
    # A checksum scatters the numbers without randomness.
    return usual + zlib.crc32(f"{place}/{variant['sku']}".encode()) % (usual + 1)


def _counted(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    return lambda done: progress(what, done, total)
