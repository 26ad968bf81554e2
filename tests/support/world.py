"""A small world that tests act in: two businesses, their people, goods and customers, made through the RPCs.

It is made once per worker and committed; tests change it inside transactions that are rolled back.
"""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from tests.support.counted import alert_of_an_empty_shelf, count_each_status
from tests.support.gstin import gstin
from tests.support.personas import Connection, Persona, new_id
from tests.support.world_money import settle

ROLES = ("admin", "cashier", "sales_executive", "inventory_manager", "technician")


@dataclass(frozen=True)
class User:
    """Somebody with an account."""

    id: UUID
    email: str


@dataclass(frozen=True)
class Branch:
    """A branch with its two places for goods."""

    id: UUID
    org_id: UUID
    code: str
    region: str
    showroom: UUID
    warehouse: UUID


@dataclass(frozen=True)
class House:
    """A business. Users are by role, or `<role>@<branch code>` for a branch other than the first.

    payments: by branch code, one that is held for a customer; credit_notes: one that was used up.
    documents: `reservation@<branch code>` is active, `draft@...` and `road@...` are transfers within the
    branch, from the warehouse to the showroom; of the second, one piece was lost and one is still on its way.
    `shift@...` is the open till of somebody who has left.
    """

    id: UUID
    users: Mapping[str, User]
    branches: tuple[Branch, ...]
    variants: Mapping[str, UUID]
    customers: Mapping[str, UUID]
    invoices: Mapping[str, UUID]
    payments: Mapping[str, UUID]
    credit_notes: Mapping[str, UUID]
    products: Mapping[str, UUID]
    documents: Mapping[str, UUID]
    # Counts by `<branch code>:<status>`, an entry as `<branch code>:entry`; alerts by branch code.
    counts: Mapping[str, UUID]
    alerts: Mapping[str, UUID]


@dataclass(frozen=True)
class World:
    """Teak & Thread (India, GST, whole rupees) and Blue Lagoon Pools (United Kingdom, VAT): strangers."""

    teak: House
    lagoon: House
    nobody: User

    @property
    def blr(self) -> Branch:
        """Teak & Thread's branch in Karnataka (29)."""
        return self.teak.branches[0]

    @property
    def mum(self) -> Branch:
        """Teak & Thread's branch in Maharashtra (27)."""
        return self.teak.branches[1]


@dataclass(frozen=True)
class People:
    """The personas of the world, on one connection."""

    connection: Connection
    world: World

    def as_user(self, user: User) -> Persona:
        """Anybody with an account."""
        return Persona(self.connection, "authenticated", user.id, user.email)

    def as_role(self, role: str, branch: Branch | None = None) -> Persona:
        """Teak & Thread's holder of a system role, in Bengaluru unless another branch is given."""
        key = role if branch in (None, self.world.blr) or role == "admin" else f"{role}@{branch.code}"
        return self.as_user(self.world.teak.users[key])

    def as_admin(self) -> Persona:
        """Teak & Thread's administrator, of all branches."""
        return self.as_role("admin")

    def as_cashier(self, branch: Branch | None = None) -> Persona:
        """A cashier of one branch: Bengaluru, unless another is given."""
        return self.as_role("cashier", branch)

    def as_sales(self) -> Persona:
        """The sales executive of Bengaluru: may override prices."""
        return self.as_role("sales_executive")

    def as_stockkeeper(self) -> Persona:
        """The inventory manager of Bengaluru."""
        return self.as_role("inventory_manager")

    def as_technician(self) -> Persona:
        """The technician of Bengaluru: reads, sells nothing."""
        return self.as_role("technician")

    def as_foreign_admin(self) -> Persona:
        """The administrator of the other business."""
        return self.as_user(self.world.lagoon.users["admin"])

    def as_nobody(self) -> Persona:
        """Somebody signed in who belongs to no business."""
        return self.as_user(self.world.nobody)

    def as_anon(self) -> Persona:
        """A visitor who is not signed in."""
        return Persona(self.connection)

    def as_service(self) -> Persona:
        """A program with the service key."""
        return Persona(self.connection, "service_role")

    def newcomer(self, email: str | None = None, *, confirmed: bool = True) -> Persona:
        """Sign up a new person; gone at the end of the test."""
        return self.as_user(sign_up(self.connection, email or f"{new_id()}@new.example", confirmed=confirmed))


def sign_up(connection: Connection, email: str, *, confirmed: bool = True) -> User:
    """Make an account as Auth would, without a password."""
    user = User(new_id(), email)
    connection.execute(
        "insert into auth.users (id, aud, role, email, email_confirmed_at) "
        "values (%s, 'authenticated', 'authenticated', %s, case when %s then now() end)",
        [user.id, user.email, confirmed],
    )
    return user


def make_world(connection: Connection) -> World:
    """Make both businesses. The connection must be inside a transaction, which the caller commits."""
    return World(_make_teak(connection), _make_lagoon(connection), sign_up(connection, _address("nobody")))


# What no plain adjustment brings in: services, sets, and goods whose pieces or lots are named.
UNSTOCKED = {"assembly", "phone", "paint", "suite", "robot", "chlorine", "kit"}


def _address(name: str) -> str:
    return f"{name}.{str(new_id())[:8]}@world.example"


@dataclass
class _Builder:
    """Collects one house while it is made, as its administrator."""

    connection: Connection
    org_id: UUID = field(default_factory=new_id)
    users: dict[str, User] = field(default_factory=dict)
    variants: dict[str, UUID] = field(default_factory=dict)
    customers: dict[str, UUID] = field(default_factory=dict)
    tax_classes: dict[str, UUID] = field(default_factory=dict)
    products: dict[str, UUID] = field(default_factory=dict)
    payments: dict[str, UUID] = field(default_factory=dict)
    credit_notes: dict[str, UUID] = field(default_factory=dict)
    documents: dict[str, UUID] = field(default_factory=dict)
    counts: dict[str, UUID] = field(default_factory=dict)
    alerts: dict[str, UUID] = field(default_factory=dict)

    @property
    def admin(self) -> Persona:
        user = self.users["admin"]
        return Persona(self.connection, "authenticated", user.id, user.email)

    def found(self, name: str, country: str, currency: str, **options: object) -> None:
        self.users["admin"] = sign_up(self.connection, _address("admin"))
        self.admin.rpc(
            "create_organization",
            p_id=self.org_id,
            p_name=name,
            p_country=country,
            p_currency=currency,
            p_options=options,
        )

    def branch(self, code: str, name: str, **options: object) -> Branch:
        made = Branch(new_id(), self.org_id, code, str(options.get("region_code", "")), new_id(), new_id())
        self.admin.rpc(
            "create_branch", p_id=made.id, p_org_id=self.org_id, p_code=code, p_name=name, p_options=options
        )
        for location, kind in ((made.showroom, "showroom"), (made.warehouse, "warehouse")):
            self.admin.rpc(
                "create_location",
                p_id=location,
                p_branch_id=made.id,
                p_code=kind.upper(),
                p_name=f"{name} {kind}",
                p_kind=kind,
            )
        return made

    def hire(self, key: str, role: str, branch: Branch) -> None:
        user = sign_up(self.connection, _address(key.replace("@", ".")))
        invitation = new_id()
        self.admin.rpc(
            "invite_member",
            p_id=invitation,
            p_org_id=self.org_id,
            p_email=user.email,
            p_role=role,
            p_branch_ids=[branch.id],
        )
        person = Persona(self.connection, "authenticated", user.id, user.email)
        person.rpc("accept_invitation", p_id=invitation)
        self.users[key] = user

    def tax_class(self, code: str, rate: str | None, kind: str = "taxable") -> None:
        made = self.tax_classes[code] = new_id()
        self.admin.execute(
            "insert into public.tax_classes (id, org_id, code, name, kind) values (%s, %s, %s, %s, %s)",
            [made, self.org_id, code, code, kind],
        )
        if rate is not None:
            self.admin.execute(
                "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from) values (%s, %s, %s, "
                "'2017-07-01')",
                [self.org_id, made, Decimal(rate)],
            )

    def variant(
        self,
        key: str,
        price: str,
        tax_class: str,
        hsn: str,
        *,
        unit: str = "NOS",
        inclusive: bool = False,
        kind: str = "goods",
        tracking: str = "none",
    ) -> None:
        product, variant = new_id(), new_id()
        self.admin.execute(
            "insert into public.products (id, org_id, name, kind, hsn_code, tax_class_id, unit_code, "
            "warranty_months) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                product,
                self.org_id,
                key.title(),
                kind,
                hsn,
                self.tax_classes[tax_class],
                unit,
                12 if tracking == "serial" else None,
            ],
        )
        self.admin.execute(
            "insert into public.product_variants (id, org_id, product_id, sku, name, price, "
            "price_includes_tax, tracking) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [variant, self.org_id, product, key.upper(), key.title(), Decimal(price), inclusive, tracking],
        )
        self.variants[key] = variant
        self.products[key] = product

    def set_of(self, key: str, **components: int) -> None:
        """What a set is made of: keys of variants with how many of each."""
        for component, quantity in components.items():
            self.admin.execute(
                "insert into public.set_components (org_id, set_variant_id, component_variant_id, quantity) "
                "values (%s, %s, %s, %s)",
                [self.org_id, self.variants[key], self.variants[component], quantity],
            )

    def unit(self, key: str, code: str, factor: str) -> None:
        """Another unit of a product."""
        self.admin.execute(
            "insert into public.product_units (org_id, product_id, unit_code, factor) "
            "values (%s, %s, %s, %s)",
            [self.org_id, self.products[key], code, Decimal(factor)],
        )

    def stock_tracked(self, location: UUID, prefix: str, *, serial: str, batch: str) -> None:
        """Three numbered pieces, and two lots of five of which one has expired."""
        for options, variant, quantity in (
            ({"serials": [f"{prefix}-{n}" for n in (1, 2, 3)]}, serial, 3),
            ({"batch": f"{prefix}-OLD", "expires_on": "2020-01-31"}, batch, 5),
            ({"batch": f"{prefix}-NEW", "expires_on": "2090-01-31"}, batch, 5),
        ):
            self.admin.rpc(
                "adjust_stock",
                p_id=new_id(),
                p_location_id=location,
                p_variant_id=self.variants[variant],
                p_quantity=quantity,
                p_reason="opening",
                p_unit_cost=Decimal("40"),
                p_options=options,
            )

    def image(self) -> None:
        """A picture of some product: the file's row as Storage writes it, then the catalogue's."""
        product = self.admin.select(
            "select id from public.products where org_id = %s order by name limit 1", [self.org_id]
        )[0]["id"]
        path = f"{self.org_id}/{product}/front.jpg"
        self.admin.execute(
            "insert into storage.objects (bucket_id, name) values ('product-images', %s)", [path]
        )
        self.admin.execute(
            "insert into public.product_images (org_id, product_id, path) values (%s, %s, %s)",
            [self.org_id, product, path],
        )

    def stock(self, location: UUID, quantity: int) -> None:
        for key, variant in self.variants.items():
            if key not in UNSTOCKED:
                self.admin.rpc(
                    "adjust_stock",
                    p_id=new_id(),
                    p_location_id=location,
                    p_variant_id=variant,
                    p_quantity=quantity,
                    p_reason="opening",
                    p_unit_cost=Decimal("40"),
                )

    def customer(self, key: str, *, credit: int = 0, **columns: str) -> None:
        made = self.customers[key] = new_id()
        names = ", ".join(columns)
        self.admin.execute(
            f"insert into public.customers (id, org_id, name{', ' if names else ''}{names}) "
            f"values (%s, %s, %s{', %s' * len(columns)})",
            [made, self.org_id, key.title(), *columns.values()],
        )
        if credit:
            self.admin.rpc("set_credit_limit", p_customer_id=made, p_credit_limit=credit)

    def sell(self, branch: Branch, key: str) -> UUID:
        made = new_id()
        lines = [{"variant_id": self.variants[key], "quantity": 1}]
        total = self.admin.rpc("quote_sale", p_branch_id=branch.id, p_customer_id=None, p_lines=lines)[
            "total"
        ]
        self.admin.rpc(
            "post_sale",
            p_id=made,
            p_branch_id=branch.id,
            p_location_id=branch.showroom,
            p_customer_id=None,
            p_lines=lines,
            p_payments=[{"method": "cash", "amount": total}],
        )
        return made

    def take_back(self, branch: Branch, key: str) -> None:
        """Sell a piece and take it back, so that the shelf is as it was."""
        self.admin.rpc(
            "return_goods",
            p_id=new_id(),
            p_invoice_id=self.sell(branch, key),
            p_location_id=branch.showroom,
            p_lines=[{"line_no": 1, "quantity": 1}],
            p_reason="Changed his mind",
        )

    def settle(self, branch: Branch, key: str, customer: str) -> None:
        """Payments and credit notes beyond sales."""
        self.payments[branch.code], self.credit_notes[branch.code] = settle(
            self.admin, branch.id, branch.showroom, self.variants[key], self.customers[customer]
        )

    def reserve_and_carry(self, branch: Branch, key: str) -> None:
        """Goods of the warehouse: one reserved, one in a draft, two sent off and one of them lost."""
        variant = self.variants[key]
        self.admin.rpc(
            "adjust_stock",
            p_id=new_id(),
            p_location_id=branch.warehouse,
            p_variant_id=variant,
            p_quantity=6,
            p_reason="opening",
            p_unit_cost=Decimal("40"),
        )
        made = self.documents[f"reservation@{branch.code}"] = new_id()
        self.admin.rpc(
            "reserve_stock",
            p_id=made,
            p_location_id=branch.warehouse,
            p_lines=[{"variant_id": variant, "quantity": 1}],
        )
        for name, quantity in (("draft", 1), ("road", 2)):
            made = self.documents[f"{name}@{branch.code}"] = new_id()
            self.admin.rpc(
                "create_transfer",
                p_id=made,
                p_from_location_id=branch.warehouse,
                p_to_location_id=branch.showroom,
                p_lines=[{"variant_id": variant, "quantity": quantity}],
            )
        self.admin.rpc("dispatch_transfer", p_id=new_id(), p_transfer_id=made)
        self.admin.rpc(
            "receive_transfer", p_id=new_id(), p_transfer_id=made, p_lines=[{"item_no": 1, "missing": 1}]
        )

    def count_and_reorder(self, branch: Branch, low: str, **keys: str) -> None:
        """A count in each status, of the variant named for it, and a reorder rule of the empty warehouse."""
        made = count_each_status(self.admin, self.variants, branch.warehouse, branch.showroom, keys)
        self.counts |= {f"{branch.code}:{status}": count for status, count in made.items()}
        self.alerts[branch.code] = alert_of_an_empty_shelf(self.admin, branch.warehouse, self.variants[low])

    def one_of_the_rest(self) -> None:
        """Rows for the tables that nothing above fills."""
        self.admin.rpc("check_integrity", p_org_id=self.org_id)
        self.admin.execute("insert into public.categories (org_id, name) values (%s, 'All')", [self.org_id])
        self.admin.execute("insert into public.suppliers (org_id, name) values (%s, 'Mill')", [self.org_id])
        self.admin.execute(
            "insert into public.customer_addresses (org_id, customer_id, kind, address_line1) "
            "values (%s, %s, 'delivery', '4 Site Road')",
            [self.org_id, self.customers["abroad"]],
        )
        self.image()
        self.admin.rpc(
            "invite_member",
            p_id=new_id(),
            p_org_id=self.org_id,
            p_email=_address("invited"),
            p_role="technician",
        )

    def price_list(self, key: str) -> None:
        """A brand, a code and a trade price for a variant: of a group that nobody is in yet."""
        group, prices = new_id(), new_id()
        for statement, values in (
            ("brands (org_id, name) values (%s, 'House')", [self.org_id]),
            (
                "variant_barcodes (org_id, variant_id, code) values (%s, %s, '036000291452')",
                [self.org_id, self.variants[key]],
            ),
            ("customer_groups (id, org_id, name) values (%s, %s, 'Trade')", [group, self.org_id]),
            (
                "price_lists (id, org_id, name, customer_group_id) values (%s, %s, 'Trade', %s)",
                [prices, self.org_id, group],
            ),
            (
                "price_list_items (org_id, price_list_id, variant_id, price) values (%s, %s, %s, 50)",
                [self.org_id, prices, self.variants[key]],
            ),
        ):
            self.admin.execute(f"insert into public.{statement}", values)

    def old_shift(self, branch: Branch) -> None:
        """A till of somebody who has left, still open, with some change in it."""
        made = self.documents[f"shift@{branch.code}"] = new_id()
        self.connection.execute(
            "insert into public.till_shifts (org_id, id, branch_id, user_id, status, opening_float) "
            "values (%s, %s, %s, %s, 'open', 0)",
            [self.org_id, made, branch.id, sign_up(self.connection, _address("left")).id],
        )
        self.admin.rpc(
            "move_cash", p_id=new_id(), p_shift_id=made, p_kind="cash_in", p_amount=5, p_reason="Change"
        )

    def house(self, branches: tuple[Branch, ...], invoices: dict[str, UUID]) -> House:
        return House(
            self.org_id,
            self.users,
            branches,
            self.variants,
            self.customers,
            invoices,
            self.payments,
            self.credit_notes,
            self.products,
            self.documents,
            self.counts,
            self.alerts,
        )


def _make_teak(connection: Connection) -> House:
    build = _Builder(connection)
    build.found(
        "Teak & Thread", "IN", "INR", legal_name="Teak & Thread Furniture LLP", invoice_terms="No returns."
    )
    blr = build.branch(
        "BLR", "Indiranagar", region_code="29", tax_number=gstin("29ABCDE1234F1Z"), city="Bengaluru"
    )
    mum = build.branch("MUM", "Bandra", region_code="27", tax_number=gstin("27ABCDE1234F1Z"), city="Mumbai")
    for role in ROLES[1:]:
        build.hire(role, role, blr)
    build.hire("cashier@MUM", "cashier", mum)

    build.tax_class("GST18", "18")
    build.tax_class("GST5", "5")
    build.tax_class("NIL", None, "nil_rated")
    build.tax_class("EXEMPT", None, "exempt")
    build.variant("sofa", "1000.00", "GST18", "9401")
    build.variant("lamp", "118.00", "GST18", "9405", inclusive=True)
    build.variant("rug", "250.50", "GST5", "5703", unit="SQM")
    build.variant("book", "99.00", "NIL", "4901")
    build.variant("pot", "45.00", "EXEMPT", "6912")
    build.variant("assembly", "500.00", "GST18", "9987", kind="service")
    build.variant("phone", "900.00", "GST18", "8517", tracking="serial")
    build.variant("paint", "300.00", "GST18", "3209", unit="LTR", tracking="batch")
    build.variant("suite", "1150.00", "GST18", "9401", kind="set")
    build.set_of("suite", sofa=1, lamp=2)
    build.unit("rug", "ROL", "12.5")
    for branch in (blr, mum):
        build.stock(branch.showroom, 10)
        build.stock_tracked(branch.showroom, branch.code, serial="phone", batch="paint")

    build.customer(
        "local", tax_number=gstin("29AAACB1234C1Z"), region_code="29", country="IN", kind="business"
    )
    build.customer(
        "elsewhere", tax_number=gstin("27AAACB1234C1Z"), region_code="27", country="IN", kind="business"
    )
    build.customer("abroad", country="AE")
    build.customer("unknown")
    build.customer("trusted", credit=2000, region_code="29", country="IN")
    build.one_of_the_rest()
    build.price_list("sofa")
    invoices = {"BLR": build.sell(blr, "sofa"), "MUM": build.sell(mum, "lamp")}
    build.take_back(blr, "book")
    build.take_back(mum, "book")
    for branch in (blr, mum):
        build.count_and_reorder(
            branch, "pot", counting="pot", submitted="lamp", approved="rug", posted="book"
        )
        build.settle(branch, "book", "local")
        build.old_shift(branch)
    build.reserve_and_carry(blr, "book")
    build.reserve_and_carry(mum, "book")
    return build.house((blr, mum), invoices)


def _make_lagoon(connection: Connection) -> House:
    build = _Builder(connection)
    build.found("Blue Lagoon Pools", "GB", "GBP", tax_regime="vat")
    london = build.branch("LON", "Greenwich", tax_number="GB123456789", timezone="Europe/London")
    build.hire("cashier", "cashier", london)
    build.tax_class("STANDARD", "20")
    build.variant("pump", "60.00", "STANDARD", "8413", inclusive=True)
    build.variant("filter", "10.00", "STANDARD", "8421")
    build.variant("robot", "700.00", "STANDARD", "8479", tracking="serial")
    build.variant("chlorine", "20.00", "STANDARD", "3808", unit="KGS", tracking="batch")
    build.variant("kit", "65.00", "STANDARD", "8413", kind="set")
    build.set_of("kit", pump=1, filter=1)
    build.unit("filter", "BOX", "12")
    build.stock(london.showroom, 10)
    build.stock_tracked(london.showroom, "LON", serial="robot", batch="chlorine")
    build.customer("domestic", country="GB", tax_number="GB987654321")
    build.customer("abroad", country="FR")
    build.one_of_the_rest()
    build.price_list("pump")
    invoices = {"LON": build.sell(london, "pump")}
    build.take_back(london, "filter")
    build.settle(london, "filter", "domestic")
    build.old_shift(london)
    build.count_and_reorder(
        london, "filter", counting="pump", submitted="filter", approved="robot", posted="filter"
    )
    build.reserve_and_carry(london, "filter")
    return build.house((london,), invoices)
