"""The wholesaler's organisation: people, branch, tax, products, customers, opening stock."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid5

from local.client import Progress, Project, Row, Session, each, join, send
from local.replay.source import PENNY, Item, Source

NAMESPACE = UUID("5a1f7c1e-6f0b-5b0e-9d0a-3c8f1f2b7a10")
NAME = "Isle Gift Wholesale"
PEOPLE = {
    "owner": "owner@isle.example",
    "till": "till@isle.example",
    "stock": "stock@isle.example",
}
# The UK's standard rate by the day it began (Value Added Tax Act 1994, section 2(1) as amended).
VAT = {"2010-01-01": Decimal("17.5"), "2011-01-04": Decimal(20)}
TILL_PERMISSIONS = [
    "catalogue.read",
    "customer.read",
    "customer.manage",
    "stock.read",
    "sale.create",
    "sale.backdate",
    "price.override",
    "invoice.read",
    "credit_note.create",
    "refund.create",
]
# What a gift wholesaler pays of the price he asks.
COST_SHARE = Decimal("0.55")


def vat_rate(day: str) -> Decimal:
    """The standard rate in percent on a day given as YYYY-MM-DD."""
    return max((begin, rate) for begin, rate in VAT.items() if begin <= day)[1]


@dataclass(frozen=True)
class House:
    """The organisation that one file makes, with its people signed in.

    Every id is derived from the file's content, so the same file always means the same organisation.
    """

    root: UUID
    owner: Session
    till: Session
    stock: Session

    def id(self, kind: str, key: str = "") -> str:
        """The id of a thing of this organisation."""
        return str(uuid5(self.root, f"{kind}/{key}"))

    @property
    def org(self) -> str:
        """The organisation's id."""
        return self.id("organization")

    @property
    def branch(self) -> str:
        """The branch's id."""
        return self.id("branch")

    @property
    def warehouse(self) -> str:
        """The warehouse's id."""
        return self.id("warehouse")


def sign_in(project: Project, password: str, source: Source) -> House:
    """Make the wholesaler's people where they are missing, and sign them in."""
    sessions: dict[str, Session] = {}
    for who, email in PEOPLE.items():
        project.ensure_user(email, password, f"{NAME}, {who}")
        sessions[who] = project.sign_in(email, password)
    return House(uuid5(NAMESPACE, source.digest), sessions["owner"], sessions["till"], sessions["stock"])


def furnish(house: House, source: Source, progress: Progress) -> None:
    """Make all that must stand before the first sale; what is there already stays as it is."""
    progress("Organisation", 0, 1)
    _found(house)
    progress("Organisation", 1, 1)
    _catalogue(house, source, progress)
    _customers(house, source, progress)
    _opening_stock(house, source, progress)


def _found(house: House) -> None:
    db = house.owner.db
    send(
        db.rpc(
            "create_organization",
            {
                "p_id": house.org,
                "p_name": NAME,
                "p_country": "GB",
                "p_currency": "GBP",
                "p_options": {
                    "legal_name": f"{NAME} Ltd",
                    "tax_regime": "vat",
                    "fiscal_year_start_month": 4,
                    "prices_include_tax": False,
                    "round_total_to": 0,
                },
            },
        )
    )
    send(
        db.rpc(
            "create_branch",
            {
                "p_id": house.branch,
                "p_org_id": house.org,
                "p_code": "WHS",
                "p_name": "Warehouse",
                "p_options": {"timezone": "Europe/London", "city": "London", "country": "GB"},
            },
        )
    )
    send(
        db.rpc(
            "create_location",
            {
                "p_id": house.warehouse,
                "p_branch_id": house.branch,
                "p_code": "MAIN",
                "p_name": "Main warehouse",
                "p_kind": "warehouse",
            },
        )
    )
    send(
        db.rpc(
            "save_role",
            {
                "p_id": house.id("role", "till"),
                "p_org_id": house.org,
                "p_key": "till",
                "p_name": "Till of the replay",
                "p_permissions": TILL_PERMISSIONS,
                "p_max_discount_percent": 0,
            },
        )
    )
    roles = {"till": (house.till, "till"), "stock": (house.stock, "inventory_manager")}
    for who, (session, role) in roles.items():
        invitation = UUID(house.id("invitation", who))
        join(house.owner, session, invitation, UUID(house.org), role, [UUID(house.branch)])


def _catalogue(house: House, source: Source, progress: Progress) -> None:
    tax_class = house.id("tax class", "standard")
    house.owner.add(
        "tax_classes",
        [
            {
                "id": tax_class,
                "org_id": house.org,
                "code": "VAT",
                "name": "VAT, standard rate",
                "kind": "taxable",
            }
        ],
    )
    house.owner.add(
        "tax_rates",
        [
            {
                "id": house.id("tax rate", begin),
                "org_id": house.org,
                "tax_class_id": tax_class,
                "rate": float(rate),
                "valid_from": begin,
            }
            for begin, rate in VAT.items()
        ],
    )
    items = list(source.items.values())
    products = [
        {
            "id": house.id("product", item.code),
            "org_id": house.org,
            "name": item.name,
            "kind": "goods" if item.goods else "service",
            "tax_class_id": tax_class,
            "unit_code": "NOS",
        }
        for item in items
    ]
    house.owner.add("products", products, _counted(progress, "Products", len(items)))
    variants = [_variant(house, item) for item in items]
    house.owner.add("product_variants", variants, _counted(progress, "Variants", len(items)))


def _variant(house: House, item: Item) -> Row:
    return {
        "id": house.id("variant", item.code),
        "org_id": house.org,
        "product_id": house.id("product", item.code),
        "sku": item.code,
        "name": item.name,
        "price": float(item.price),
        "price_includes_tax": False,
    }


def _customers(house: House, source: Source, progress: Progress) -> None:
    rows = [
        {
            "id": house.id("customer", number),
            "org_id": house.org,
            # The file has numbers in place of names.
            "name": f"Customer {number}",
            "kind": "business",
            "country": country,
        }
        for number, country in source.customers.items()
    ]
    house.owner.add("customers", rows, _counted(progress, "Customers", len(rows)))


def _opening_stock(house: House, source: Source, progress: Progress) -> None:
    def put(entry: tuple[str, int]) -> None:
        code, pieces = entry
        cost = (source.items[code].price * COST_SHARE).quantize(PENNY)
        send(
            house.stock.db.rpc(
                "adjust_stock",
                {
                    "p_id": house.id("opening", code),
                    "p_location_id": house.warehouse,
                    "p_variant_id": house.id("variant", code),
                    "p_quantity": pieces,
                    "p_reason": "opening",
                    "p_unit_cost": float(cost),
                },
            )
        )

    needed = list(source.needed.items())
    each(put, needed, _counted(progress, "Opening stock", len(needed)))


def _counted(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    return lambda done: progress(what, done, total)
