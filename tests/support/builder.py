"""Makes one house of the tests' world as its administrator would: through the RPCs, in a shop's words."""

# Names put into statements come from this file and from Postgres's catalogue, never from input.
# ruff: noqa: S608

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from tests.support.counted import alert_of_an_empty_shelf, count_each_status
from tests.support.papers import write_papers
from tests.support.personas import Connection, Persona, new_id
from tests.support.world import Branch, House, User, sign_up
from tests.support.world_credit import on_credit
from tests.support.world_money import settle

# What no plain adjustment brings in: services, sets, and goods whose pieces or lots are named.
UNSTOCKED = {"assembly", "phone", "paint", "suite", "robot", "chlorine", "kit"}


def new_address(name: str) -> str:
    return f"{name}.{str(new_id())[:8]}@world.example"


@dataclass
class Builder:
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
    debts: dict[str, UUID] = field(default_factory=dict)

    @property
    def admin(self) -> Persona:
        user = self.users["admin"]
        return Persona(self.connection, "authenticated", user.id, user.email)

    def found(self, name: str, country: str, currency: str, **options: object) -> None:
        self.users["admin"] = sign_up(self.connection, new_address("admin"))
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
        user = sign_up(self.connection, new_address(key.replace("@", ".")))
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
        held, note, paid = settle(
            self.admin, branch.id, branch.showroom, self.variants[key], self.customers[customer]
        )
        self.payments[branch.code], self.credit_notes[branch.code] = held, note
        self.documents[f"paid@{branch.code}"] = paid

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
        self.image()
        self.admin.rpc(
            "invite_member",
            p_id=new_id(),
            p_org_id=self.org_id,
            p_email=new_address("invited"),
            p_role="technician",
        )
        self.admin.execute(
            "insert into public.customer_addresses (org_id, customer_id, kind, address_line1) "
            "values (%s, %s, 'delivery', '4 Site Road')",
            [self.org_id, self.customers["abroad"]],
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

    def papers(self, branch: Branch, customer: str, goods: str, moving: str) -> None:
        """Quotations, orders, a delivery and a draft invoice; the shelves are as they were."""
        variants = self.variants[goods], self.variants[moving]
        stocked = moving not in UNSTOCKED
        self.documents |= write_papers(self.admin, branch, self.customers[customer], variants, stocked)

    def loyal(self) -> None:
        """A loyalty program whose rule is over, and a customer who has points."""
        for statement in (
            "loyalty_programs (org_id, point_value) values (%s, 0.5)",
            "loyalty_rules (org_id, name, points_per_unit) values (%s, 'Opening', 1)",
        ):
            self.admin.execute(f"insert into public.{statement}", [self.org_id])
        self.admin.execute(
            "update public.loyalty_rules set archived_at = now() where org_id = %s", [self.org_id]
        )
        self.customer("member", credit=1500)
        self.admin.rpc(
            "adjust_points",
            p_id=new_id(),
            p_customer_id=self.customers["member"],
            p_points=500,
            p_reason="Welcome",
        )

    def offer(self, branch: Branch, key: str, owed: str) -> None:
        """A promotion that is over, its coupon used by a sale that came back, and something the member owes.

        The shelf is as it was before.
        """
        promotion, code, invoice = new_id(), f"WELCOME-{branch.code}", new_id()
        for statement, values in (
            (
                "promotions (id, org_id, name, kind, value) values (%s, %s, 'Welcome', 'percent', 10)",
                [promotion, self.org_id],
            ),
            (
                "promotion_targets (org_id, promotion_id, position, variant_id) values (%s, %s, 1, %s)",
                [self.org_id, promotion, self.variants[key]],
            ),
            ("coupons (org_id, promotion_id, code) values (%s, %s, %s)", [self.org_id, promotion, code]),
        ):
            self.admin.execute(f"insert into public.{statement}", values)
        sale = {"p_branch_id": branch.id, "p_lines": [{"variant_id": self.variants[key], "quantity": 1}]}
        walk_in = {**sale, "p_customer_id": None, "p_options": {"coupon": code.lower()}}
        total = self.admin.rpc("quote_sale", **walk_in)["total"]
        self.admin.rpc(
            "post_sale",
            **walk_in,
            p_id=invoice,
            p_location_id=branch.showroom,
            p_payments=[{"method": "cash", "amount": total}],
        )
        self.admin.rpc(
            "issue_credit_note",
            p_id=new_id(),
            p_invoice_id=invoice,
            p_lines=None,
            p_reason="Changed his mind",
            p_options={"refund": {"method": "cash"}},
        )
        self.admin.execute("update public.promotions set archived_at = now() where id = %s", [promotion])
        if owed not in UNSTOCKED:
            self.admin.rpc(
                "adjust_stock",
                p_id=new_id(),
                p_location_id=branch.showroom,
                p_variant_id=self.variants[owed],
                p_quantity=1,
                p_reason="opening",
                p_unit_cost=Decimal("40"),
            )
        made = self.debts[branch.code] = new_id()
        self.admin.rpc(
            "post_sale",
            p_branch_id=branch.id,
            p_lines=[{"variant_id": self.variants[owed], "quantity": 1}],
            p_customer_id=self.customers["member"],
            p_id=made,
            p_location_id=branch.showroom,
            p_payments=[],
        )

    def on_credit(self, branch: Branch, key: str) -> None:
        """An agreement and an open invoice, and the reminder that is due."""
        debtor = f"debtor {branch.code}"
        self.customer(debtor, credit=2000)
        made = on_credit(
            self.admin,
            branch.id,
            branch.showroom,
            self.variants[key],
            self.customers[debtor],
            stocked=key not in UNSTOCKED,
        )
        self.documents[f"agreement@{branch.code}"], self.documents[f"owed@{branch.code}"] = made
        self.admin.rpc("run_overdue", p_org_id=self.org_id)

    def old_shift(self, branch: Branch) -> None:
        """A till of somebody who has left, still open, with some change in it."""
        made = self.documents[f"shift@{branch.code}"] = new_id()
        self.connection.execute(
            "insert into public.till_shifts (org_id, id, branch_id, user_id, status, opening_float) "
            "values (%s, %s, %s, %s, 'open', 0)",
            [self.org_id, made, branch.id, sign_up(self.connection, new_address("left")).id],
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
            self.debts,
        )
