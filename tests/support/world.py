"""A small world that tests act in: two businesses, their people, goods and customers, made through the RPCs.

It is made once per worker (`houses`) and committed; tests change it inside transactions that are rolled back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tests.support.personas import Connection, Persona, new_id

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
    branch, from the warehouse to the showroom; of the second, one piece was lost and one is still on its way;
    sales documents are named as `write_papers` says; `agreement@...` is paid in three instalments, a fee of 1
    is open beside the price; `owed@...` is an invoice that nothing was paid on, of a customer with credit;
    `shift@...` is the open till of somebody who has left; `paid@...` is a payment that settles an invoice.
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
    # By branch code: an open invoice of the customer "member", who has points.
    debts: Mapping[str, UUID]


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
