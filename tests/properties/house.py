"""A business for one run of random acts: two branches, goods of every kind, people of every role."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.support.personas import Connection, Persona, connect, new_id
from tests.support.world import User, sign_up

# Places that hold goods, as `<branch>.<what>`; the organisation's own ends of movements have no branch.
PLACES = {
    "A.shop": "showroom",
    "A.store": "warehouse",
    "A.hold": "quarantine",
    "B.shop": "showroom",
    "B.store": "warehouse",
    "B.hold": "quarantine",
}
SELLABLE = tuple(place for place, kind in PLACES.items() if kind != "quarantine")

# Key: role and branch; None covers all branches. The stranger belongs to no house.
PEOPLE: Mapping[str, tuple[str, str | None]] = {
    "admin": ("admin", None),
    "keeper_a": ("inventory_manager", "A"),
    "keeper_b": ("inventory_manager", "B"),
    "cashier_a": ("cashier", "A"),
    "cashier_b": ("cashier", "B"),
    "sales_a": ("sales_executive", "A"),
    "technician_b": ("technician", "B"),
}
STRANGER = "stranger"
CLOCK = "clock"  # Nobody: time that passes, and the jobs that it starts.


@dataclass(frozen=True)
class Goods:
    """One variant. parts: what a set is made of."""

    price: Decimal
    unit: str = "NOS"
    tracking: str = "none"
    parts: Mapping[str, Decimal] | None = None


GOODS: Mapping[str, Goods] = {
    "sofa": Goods(Decimal(1000)),
    "lamp": Goods(Decimal(120)),
    "rug": Goods(Decimal("250.50"), unit="SQM"),
    "phone": Goods(Decimal(900), tracking="serial"),
    "tablet": Goods(Decimal(700), tracking="serial"),
    "paint": Goods(Decimal(300), unit="LTR", tracking="batch"),
    "suite": Goods(Decimal(1150), parts={"lamp": Decimal(2), "sofa": Decimal(1)}),
    "desk": Goods(Decimal(1000), parts={"lamp": Decimal(1), "phone": Decimal(1)}),
    "redo": Goods(Decimal(600), parts={"paint": Decimal(2), "rug": Decimal("0.5")}),
}
STOCKED = tuple(sku for sku, goods in GOODS.items() if goods.parts is None)
ROLL = Decimal("12.5")  # square metres of rug

# Lots are known by their code everywhere, and each has its day.
LOTS: Mapping[str, date | None] = {
    "OLD": date(2020, 1, 31),
    "SOON": date(2089, 1, 31),
    "LATE": date(2090, 1, 31),
    "EVER": None,
}


@dataclass(frozen=True)
class House:
    """The organisation as the tests name its parts."""

    id: UUID
    places: Mapping[str, UUID]
    branches: Mapping[str, UUID]
    variants: Mapping[str, UUID]
    people: Mapping[str, Persona]
    permissions: Mapping[str, frozenset[str]]
    customer: UUID

    def place_of(self, location: UUID) -> str | None:
        """The name of a location, None for a stranger's."""
        return next((name for name, known in self.places.items() if known == location), None)

    def sku_of(self, variant: UUID) -> str | None:
        """The SKU of a variant, None for a stranger's."""
        return next((sku for sku, known in self.variants.items() if known == variant), None)


@contextmanager
def doors(url: str, count: int = 4) -> Iterator[list[Connection]]:
    """Connections that people share: several, so that each act sees what others have committed."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(url)) for _ in range(count)]


def found_house(owner: Connection, connections: list[Connection]) -> House:
    """Found the house through the acts that clients use, committed."""
    with owner.transaction():
        users = {key: sign_up(owner, f"{new_id()}@house.example") for key in (*PEOPLE, STRANGER)}
        admin = _persona(owner, users["admin"])
        org_id = new_id()
        admin.rpc("create_organization", p_id=org_id, p_name="House", p_country="AE", p_currency="AED")
        branches = {code: new_id() for code in ("A", "B")}
        for code, branch in branches.items():
            admin.rpc("create_branch", p_id=branch, p_org_id=org_id, p_code=code, p_name=f"Branch {code}")
        places = {place: new_id() for place in PLACES}
        for place, kind in PLACES.items():
            admin.rpc(
                "create_location",
                p_id=places[place],
                p_branch_id=branches[place[0]],
                p_code=place[2:].upper(),
                p_name=place,
                p_kind=kind,
            )
        for key, (role, branch_code) in PEOPLE.items():
            if key != "admin":
                _hire(owner, admin, org_id, users[key], role, branches[str(branch_code)])
        variants = _fill_catalogue(admin, org_id)
        customer = new_id()
        admin.execute(
            "insert into public.customers (id, org_id, name) values (%s, %s, 'Somebody')", [customer, org_id]
        )
        admin.rpc("set_credit_limit", p_customer_id=customer, p_credit_limit=10_000_000)
        rows = owner.execute(
            "select kind, id from public.locations where org_id = %s and branch_id is null", [org_id]
        ).fetchall()
        permissions = owner.execute(
            "select r.key, array_agg(h.permission) from private.held_permissions h "
            "join public.roles r on r.org_id = h.org_id and r.id = h.role_id "
            "where r.org_id = %s group by r.key",
            [org_id],
        ).fetchall()
    people = {
        key: _persona(connections[number % len(connections)], user)
        for number, (key, user) in enumerate(users.items())
    }
    return House(
        org_id,
        places | dict(rows),
        branches,
        variants,
        people,
        {role: frozenset(codes) for role, codes in permissions},
        customer,
    )


def _persona(connection: Connection, user: User) -> Persona:
    return Persona(connection, "authenticated", user.id, user.email)


def _hire(owner: Connection, admin: Persona, org_id: UUID, user: User, role: str, branch: UUID) -> None:
    invitation = new_id()
    admin.rpc(
        "invite_member",
        p_id=invitation,
        p_org_id=org_id,
        p_email=user.email,
        p_role=role,
        p_branch_ids=[branch],
    )
    _persona(owner, user).rpc("accept_invitation", p_id=invitation)


def _fill_catalogue(admin: Persona, org_id: UUID) -> dict[str, UUID]:
    # In the order of the goods: acts that go by variant come out alike in every house.
    tax_class, variants = new_id(), dict(zip(GOODS, sorted(new_id() for _ in GOODS), strict=True))
    admin.execute(
        "insert into public.tax_classes (id, org_id, code, name, kind) "
        "values (%s, %s, 'NIL', 'Nil', 'nil_rated')",
        [tax_class, org_id],
    )
    for sku, goods in GOODS.items():
        product = new_id()
        admin.execute(
            "insert into public.products (id, org_id, name, kind, tax_class_id, unit_code) "
            "values (%s, %s, %s, %s, %s, %s)",
            [product, org_id, sku, "set" if goods.parts else "goods", tax_class, goods.unit],
        )
        admin.execute(
            "insert into public.product_variants (id, org_id, product_id, sku, name, price, tracking) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            [variants[sku], org_id, product, sku, sku, goods.price, goods.tracking],
        )
        for part, quantity in (goods.parts or {}).items():
            admin.execute(
                "insert into public.set_components (org_id, set_variant_id, component_variant_id, quantity) "
                "values (%s, %s, %s, %s)",
                [org_id, variants[sku], variants[part], quantity],
            )
        if sku == "rug":
            admin.execute(
                "insert into public.product_units (org_id, product_id, unit_code, factor) "
                "values (%s, %s, 'ROL', %s)",
                [org_id, product, ROLL],
            )
    return variants


@dataclass(frozen=True)
class Call:
    """One act as it was asked for: who, which function, with what."""

    who: str
    function: str
    arguments: Mapping[str, Any]
