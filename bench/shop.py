"""A small, complete business in a migrated database, and tills that are signed in to it.

The measurements and the concurrency tests sell in it. It is founded through the same acts as any other
organisation; only the users are written straight into schema auth, because no Auth server need run.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import psycopg
from psycopg.types.json import Jsonb, set_json_loads

PRICE = Decimal("100.00")
# 18 % GST within the state: what one piece of any variant comes to.
PRICE_WITH_TAX = Decimal("118.00")

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Branch:
    """A branch and the one location it sells from."""

    id: uuid.UUID
    location_id: uuid.UUID
    code: str


@dataclass
class Shop:
    """An organisation under GST with branches, variants at 100.00 plus 18 %, and users.

    Parameters:
        url: the database's address as role postgres.
        org_id, admin_id: the organisation and the user who founded it.
        branches: in the order of their codes.
        variants: ids of the variants, in the order of their SKUs.
    """

    url: str
    org_id: uuid.UUID
    admin_id: uuid.UUID
    branches: list[Branch] = field(default_factory=list)
    variants: list[uuid.UUID] = field(default_factory=list)

    @classmethod
    def found(
        cls,
        url: str,
        *,
        branches: int = 1,
        variants: int = 1,
        stock: int = 0,
        founder: uuid.UUID | None = None,
    ) -> "Shop":
        """Found the business.

        Parameters:
            url: a migrated database's address as role postgres.
            branches: how many branches, at most 36.
            variants: how many variants, each a product of its own.
            stock: pieces of every variant at every branch, bought at 60.00.
            founder: a user who exists already and becomes the admin; None makes one.
        """
        shop = cls(url, uuid.uuid4(), founder or uuid.uuid4())
        if founder is None:
            shop.add_user(shop.admin_id)
        with shop.sign_in(shop.admin_id, autocommit=False) as admin:
            call(admin, "create_organization", shop.org_id, "Concurrent Traders", "IN", "INR")
            for number in range(branches):
                shop._open_branch(admin, number)
            shop._fill_catalogue(admin, variants)
        with psycopg.connect(url) as owner:
            for branch in shop.branches if stock else ():
                shop._receive(owner, branch, stock)
            # Not the empty tables: Postgres would then plan for them to stay empty.
            owner.execute(
                "analyze public.organizations, public.branches, public.locations, public.memberships,"
                " public.role_permissions, public.products, public.product_variants, public.stock_levels"
            )
        return shop

    def _receive(self, owner: psycopg.Connection[tuple[Any, ...]], branch: Branch, quantity: int) -> None:
        """Bring stock of every variant in one posting, as an adjustment of each alone would take minutes."""
        owner.execute(
            """
            select private.move_stock(%(org)s, 'stock_adjustment', gen_random_uuid(), now(), array_agg(
              row (v.id, l.id, %(location)s, %(quantity)s, 60, null, null)::private.stock_move order by v.id))
            from public.product_variants v
            join public.locations l on l.org_id = v.org_id and l.kind = 'adjustment'
            where v.org_id = %(org)s
            """,
            {"org": self.org_id, "location": branch.location_id, "quantity": quantity},
        )

    def _open_branch(self, admin: Connection, number: int) -> None:
        code = f"B{'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number]}"
        branch = Branch(uuid.uuid4(), uuid.uuid4(), code)
        options = Jsonb({"region_code": "29", "city": "Bengaluru", "timezone": "Asia/Kolkata"})
        call(admin, "create_branch", branch.id, self.org_id, code, f"Branch {code}", options)
        call(admin, "create_location", branch.location_id, branch.id, f"{code}-SHOP", "Showroom", "showroom")
        self.branches.append(branch)

    def _fill_catalogue(self, admin: Connection, variants: int) -> None:
        tax_class = uuid.uuid4()
        admin.execute(
            "insert into public.tax_classes (id, org_id, code, name) values (%s, %s, 'GST18', 'GST 18 %%')",
            [tax_class, self.org_id],
        )
        admin.execute(
            "insert into public.tax_rates (org_id, tax_class_id, rate, valid_from)"
            " values (%s, %s, 18, '2017-07-01')",
            [self.org_id, tax_class],
        )
        self.variants = [uuid.uuid4() for _ in range(variants)]
        products = [uuid.uuid4() for _ in range(variants)]
        with admin.cursor() as cursor:
            cursor.executemany(
                "insert into public.products (id, org_id, name, hsn_code, tax_class_id)"
                " values (%s, %s, %s, '9403', %s)",
                [
                    (product, self.org_id, f"Chair {number}", tax_class)
                    for number, product in enumerate(products)
                ],
            )
            cursor.executemany(
                "insert into public.product_variants (id, org_id, product_id, sku, name, price)"
                " values (%s, %s, %s, %s, %s, %s)",
                [
                    (variant, self.org_id, product, f"CHR-{number:05}", f"Chair {number}, teak", PRICE)
                    for number, (variant, product) in enumerate(zip(self.variants, products, strict=True))
                ],
            )

    def add_user(self, user_id: uuid.UUID | None = None) -> uuid.UUID:
        """Make a user with a confirmed address, in no organisation yet, and return the id."""
        user_id = user_id or uuid.uuid4()
        with psycopg.connect(self.url) as owner:
            owner.execute(
                "insert into auth.users (id, email, email_confirmed_at) values (%s, %s, now())",
                [user_id, address_of(user_id)],
            )
        return user_id

    def hire(self, role: str, branches: Sequence[Branch] | None = None) -> uuid.UUID:
        """Make a user who is a member with that role; `branches` None covers all. Returns the user's id."""
        user_id = self.add_user()
        scope = None if branches is None else [branch.id for branch in branches]
        invitation = uuid.uuid4()
        with self.sign_in(self.admin_id) as admin:
            call(admin, "invite_member", invitation, self.org_id, address_of(user_id), role, scope)
        with self.sign_in(user_id) as joining:
            call(joining, "accept_invitation", invitation)
        return user_id

    def sign_in(self, user_id: uuid.UUID, *, autocommit: bool = True) -> Connection:
        """A connection of its own that acts as PostgREST does for this user: his claims, his role."""
        connection: Connection = psycopg.connect(self.url, autocommit=True)
        set_json_loads(lambda text: json.loads(text, parse_float=Decimal), connection)
        claims = {"sub": str(user_id), "role": "authenticated", "email": address_of(user_id)}
        connection.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])
        connection.execute("set role authenticated")
        connection.autocommit = autocommit
        return connection

    def customer(self, credit_limit: int) -> uuid.UUID:
        """A named customer who may owe that much."""
        customer = uuid.uuid4()
        with self.sign_in(self.admin_id) as admin:
            admin.execute(
                "insert into public.customers (id, org_id, name) values (%s, %s, 'Asha Rao')",
                [customer, self.org_id],
            )
            call(admin, "set_credit_limit", customer, Decimal(credit_limit))
        return customer

    def adjust(
        self,
        till: Connection,
        branch: Branch,
        variant: uuid.UUID,
        quantity: int,
        *,
        reason: str = "",
        unit_cost: str | None = None,
    ) -> Any:
        """Adjust stock at the branch; without a reason, it was found or damaged."""
        why = reason or ("found" if quantity > 0 else "damage")
        cost = None if unit_cost is None else Decimal(unit_cost)
        return call(
            till, "adjust_stock", uuid.uuid4(), branch.location_id, variant, Decimal(quantity), why, cost
        )

    def sell(
        self,
        till: Connection,
        branch: Branch,
        variants: Sequence[uuid.UUID],
        *,
        sale_id: uuid.UUID | None = None,
        customer: uuid.UUID | None = None,
        paid: Decimal | None = None,
        options: dict[str, Any] | None = None,
    ) -> Any:
        """Sell one piece of each variant, paid in cash, in full unless `paid` says less."""
        return call(
            till,
            "post_sale",
            *self.sale_arguments(
                branch, variants, sale_id=sale_id, customer=customer, paid=paid, options=options
            ),
        )

    @staticmethod
    def sale_arguments(
        branch: Branch,
        variants: Sequence[uuid.UUID],
        *,
        sale_id: uuid.UUID | None = None,
        customer: uuid.UUID | None = None,
        paid: Decimal | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, ...]:
        """The arguments of post_sale for one piece of each variant."""
        handed = len(variants) * PRICE_WITH_TAX if paid is None else paid
        # Built as text, because JSON of Python would turn the amount into a float.
        payments = f'[{{"method": "cash", "amount": {handed}}}]' if handed else "[]"
        lines = json.dumps([{"variant_id": str(variant), "quantity": 1} for variant in variants])
        return (
            sale_id or uuid.uuid4(),
            branch.id,
            branch.location_id,
            customer,
            lines,
            payments,
            json.dumps(options or {}),
        )


def address_of(user_id: uuid.UUID) -> str:
    """The e-mail address of a user made here."""
    return f"{user_id.hex}@shop.example"


def call(connection: Connection, function: str, *arguments: Any) -> Any:
    """Call one of the project's functions by position and return what it returns.

    Raises:
        psycopg.Error: what the function raised; a refusal of ours has SQLSTATE PGRST, the message its code.
    """
    marks = ", ".join(["%s"] * len(arguments))
    row = connection.execute(f"select public.{function}({marks})".encode(), arguments).fetchone()
    return None if row is None else row[0]
